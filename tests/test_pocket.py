"""The pocket world: what its output shows of word order, scripts, names and switches, and that its parameters act."""

import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from functools import cache
from itertools import islice
from random import Random

import pandas as pd
import pytest

from crosslingual import languages
from crosslingual.corpora.pocket import Pocket
from crosslingual.pocket import World, WorldParameters, profile
from crosslingual.pocket.grammar import WorldError
from crosslingual.pocket.meaning import Clause, NounPhrase
from crosslingual.pocket.world import NEWS, VERSION, text

ALL = list(languages.table().index)
WORLD = World()
SMALL = dict(topics=2, nouns=24, verbs=8, adjectives=6, adverbs=3, people=24, places=12, organisations=12, works=12)


def sentences(world, code, count, stream="test", **options):
    return list(islice(world.sentences(code, stream, **options), count))


def texts(world, code, count, stream="test"):
    return [text(sentence) for sentence in sentences(world, code, count, stream)]


# ---- determinism

DIGEST = """
import hashlib
from itertools import islice
from crosslingual.pocket.world import World, WorldParameters, text
world = World(WorldParameters(seed=3))
said = [text(s) for code in CODES for s in islice(world.sentences(code, "x"), 8)]
said += [text(s) for pair in world.parallel("en", "ur", 5) for s in pair]
said += [text(s) for s in islice(world.code_switched("x"), 8)]
digest = hashlib.sha256("\\n".join(said).encode()).hexdigest()
"""


def digest_here(codes):
    names = {"CODES": codes}
    exec(DIGEST, names)
    return names["digest"]


def test_a_world_is_the_same_in_another_process_with_another_hash_seed():
    codes = ["ja", "hi", "en", "ar"]
    program = f"CODES = {codes}\n{DIGEST}\nprint(digest)"
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest_here(codes)


def test_corpora_change_only_together_with_the_version():
    """Results and encoders are kept by the parameters and the version: text that changes under them would go unnoticed."""
    assert {VERSION: digest_here(ALL)[:16]} == {2: "5943804ebdcc1c7d"}


def test_the_seed_is_what_tells_worlds_apart():
    one, same, other = (World(WorldParameters(seed=seed)) for seed in (1, 1, 2))
    assert texts(one, "tr", 20) == texts(same, "tr", 20)
    assert not set(texts(one, "tr", 20)) & set(texts(other, "tr", 20))


def test_streams_and_languages_do_not_disturb_each_other():
    fresh, used = World(WorldParameters(seed=1)), World(WorldParameters(seed=1))
    texts(used, "hi", 5), used.parallel("en", "de", 3), texts(used, "en", 7, "other stream")
    assert texts(used, "en", 10) == texts(fresh, "en", 10)
    assert texts(used, "en", 10) != texts(fresh, "en", 10, "other stream")


# ---- word order, measured on what is said about known meanings

TABLE = pd.read_csv(languages.DATA / "word_order.csv")
OF = WORLD.meanings.of


def expected(code, feature):
    """{value: probability} by the table: an assumption, or else the attested value; of a split, the main clause's."""
    rows = TABLE[(TABLE.language == code) & (TABLE.feature == feature)].set_index("kind").value
    value = rows.get("assumed", rows.get("attested"))
    if match := re.fullmatch(r"(\w+) main, (\w+) subordinate", value):
        return {match[1]: 1.0}
    mixture = re.findall(r"([A-Za-z-]+) (0\.\d+)", value)
    return {name: float(share) for name, share in mixture} or {value: 1.0}


@cache
def distinct_nouns(language):
    """Two nouns neither of whose roots is part of the other's, so that each is found again in a sentence."""
    first, *others = (noun for noun in OF["NOUN"] if len(language.root(noun.index)) > 3)
    root = language.root(first.index)
    return first, next(n for n in others if (r := language.root(n.index)) not in root and root not in r)


def place(tokens, language, concept):
    found = [i for i, token in enumerate(tokens) if language.root(concept.index) in token.phonemes]
    assert found, (language.code, tokens)
    return found[0]


def order_of_clause(speaker, subordinate=False):
    language = speaker.language
    subject, object_ = distinct_nouns(language)
    clause = Clause(NounPhrase(subject, definite=True), OF["VERB"][0], object=NounPhrase(object_, definite=True))
    tokens = speaker.clause(clause, subordinate=subordinate)
    verb = [token.upos for token in tokens].index("VERB")
    places = {"S": place(tokens, language, subject), "V": verb, "O": place(tokens, language, object_)}
    return "".join(sorted(places, key=places.get))


def order_of(speaker, feature):
    """The value of a feature in one phrase that the speaker says."""
    if feature == "81A":
        return order_of_clause(speaker)
    noun, owner = distinct_nouns(speaker.language)
    if feature == "86A":
        tokens = speaker.phrase(NounPhrase(noun, definite=True, genitive=NounPhrase(owner, definite=True)), "")
        first = place(tokens, speaker.language, owner) < place(tokens, speaker.language, noun)
        return "Genitive-Noun" if first else "Noun-Genitive"
    if feature == "85A":
        tags = [token.upos for token in speaker.oblique("with", NounPhrase(noun, definite=True))]
        return "Prepositions" if tags.index("ADP") < tags.index("NOUN") else "Postpositions"
    name, tag, details = {"87A": ("Adjective", "ADJ", {"adjectives": [OF["ADJ"][0]]}),
                          "88A": ("Demonstrative", "DET", {"demonstrative": True}),
                          "89A": ("Numeral", "NUM", {"numeral": 3, "plural": True})}[feature]
    tags = [token.upos for token in speaker.phrase(NounPhrase(noun, **details), "")]
    return f"{name}-Noun" if tags.index(tag) < tags.index("NOUN") else f"Noun-{name}"


@pytest.mark.parametrize("feature", ["81A", "85A", "86A", "87A", "88A", "89A"])
def test_word_order_follows_the_table(feature):
    for code in ALL:
        speaker, wanted = WORLD.speaker(code, Random(1)), expected(code, feature)
        times = 1 if len(wanted) == 1 else 120
        measured = Counter(order_of(speaker, feature) for _ in range(times))
        assert set(measured) == set(wanted), code
        for value, share in wanted.items():
            assert measured[value] / times == pytest.approx(share, abs=0.15), code


def test_german_and_dutch_put_the_verb_last_in_subordinate_clauses_only():
    split = {code for code in ALL if order_of_clause(WORLD.speaker(code, Random(1)), subordinate=True) == "SOV"
             and order_of_clause(WORLD.speaker(code, Random(1))) == "SVO"}
    assert split - {"hu"} == {"de", "nl"}  # Hungarian mixes both orders everywhere


def test_running_text_ends_in_the_verb_where_the_table_says_so():
    for code in ["ja", "hi", "tr", "eu", "en", "ar", "id"]:
        plain = [s for s in sentences(WORLD, code, 80) if s[-1].form not in "?？؟!"]
        final = sum(s[-2].upos in ("VERB", "AUX") for s in plain) / len(plain)
        assert final > 0.95 if "SOV" in expected(code, "81A") else final < 0.5, code


# ---- scripts

BLOCKS = {"Latn": ["LATIN"], "Cyrl": ["CYRILLIC"], "Grek": ["GREEK"], "Arab": ["ARABIC"], "Hebr": ["HEBREW"],
          "Deva": ["DEVANAGARI"], "Beng": ["BENGALI"], "Taml": ["TAMIL"], "Telu": ["TELUGU"], "Kore": ["HANGUL"],
          "Jpan": ["HIRAGANA", "KATAKANA", "CJK"], "Hans": ["CJK"]}


def letters(world, code, count=40):
    """All letters and signs in words and names; digits, URLs, acronyms and punctuation are no language's own."""
    own = [token.form for s in sentences(world, code, count, register=NEWS) for token in s if token.language != "univ"]
    return {c for form in own for c in form if not c.isdigit()}


@pytest.mark.parametrize("code", ALL)
def test_each_language_is_written_in_its_script(code):
    found = {unicodedata.name(c).split()[0] for c in letters(WORLD, code)}
    assert found and found <= set(BLOCKS[languages.script(code)])


def test_hindi_and_urdu_sound_alike_and_share_no_letter():
    hindi, urdu = WORLD.language("hi"), WORLD.language("ur")
    assert all(hindi.root(concept.index) == urdu.root(concept.index) for concept in WORLD.meanings.concepts)
    assert not letters(WORLD, "hi") & letters(WORLD, "ur")
    for one, other in WORLD.parallel("hi", "ur", 30):
        assert [token.phonemes for token in one] == [token.phonemes for token in other]


# ---- names and labels


def entities(sentence):
    """(type, number of tokens), by a reading of IOB2 of our own; asserts that the tags are IOB2."""
    found, before = [], "O"
    for tag in (token.entity for token in sentence):
        if tag.startswith("B-"):
            found.append([tag[2:], 1])
        elif tag.startswith("I-"):
            assert before in (f"B-{tag[2:]}", tag)
            found[-1][1] += 1
        else:
            assert tag == "O"
        before = tag
    return [tuple(entity) for entity in found]


@pytest.mark.parametrize("code", ["en", "es", "ja", "tr", "ar"])
def test_names_are_iob2_in_four_types_and_one_to_four_tokens_long(code):
    found = Counter(entity for s in sentences(WORLD, code, 600, register=NEWS) for entity in entities(s))
    assert {kind for kind, _ in found} == {"PER", "LOC", "ORG", "MISC"}
    assert {length for _, length in found} == {1, 2, 3, 4}
    for kind in ("PER", "LOC", "ORG", "MISC"):
        lengths = Counter({length: count for (other, length), count in found.items() if other == kind})
        assert len(lengths) > 1 and sum(lengths.values()) > 30


def test_tags_are_upos_and_most_of_them_occur():
    used = {token.upos for s in sentences(WORLD, "en", 400) for token in s}
    assert used == set("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ VERB X".split())


# ---- parallel text


@pytest.mark.parametrize("source, target", [("en", "de"), ("en", "ja"), ("ar", "ru")])
def test_parallel_sentences_are_distinct_and_mean_the_same(source, target):
    pairs = WORLD.parallel(source, target, 60)
    for side in zip(*pairs):
        assert len({text(sentence) for sentence in side}) == 60
    for pair in pairs:
        content = [Counter(t.upos for t in s if t.upos in ("NOUN", "VERB", "ADJ", "PROPN")) for s in pair]
        names = [sorted(t.phonemes for t in s if t.language == "ne") for s in pair]
        anchors = [sorted(t.form for t in s if t.language == "univ" and t.upos != "PUNCT") for s in pair]
        assert content[0] == content[1] and names[0] == names[1] and anchors[0] == anchors[1]


# ---- code-switching


def test_switched_text_mixes_both_languages_in_their_scripts():
    switched = list(islice(WORLD.code_switched("test"), 100))
    both = [s for s in switched if {"hi", "en"} <= {token.language for token in s}]
    assert len(both) > 50
    for token in (token for sentence in switched for token in sentence if token.language in ("hi", "en")):
        script = {unicodedata.name(c).split()[0] for c in token.form}
        assert script == {"DEVANAGARI" if token.language == "hi" else "LATIN"}


def transliterations(noise):
    """{Devanagari word: all its Latin spellings} in 300 sentences, and these sentences before and after."""
    world = World(WorldParameters(transliteration_noise=noise))
    before = list(islice(world.code_switched("test"), 300))
    after = [world.transliterated(sentence, Random(number)) for number, sentence in enumerate(before)]
    spellings = {}
    for old, new in ((o, n) for b, a in zip(before, after) for o, n in zip(b, a, strict=True)):
        assert old.upos == new.upos and old.entity == new.entity
        spellings.setdefault(old.form, set()).add(new.form)
    return spellings


def test_transliterated_hindi_is_latin_and_spelt_as_everyone_likes():
    spellings = transliterations(0.35)
    assert all(form.isascii() for forms in spellings.values() for form in forms)
    hindi = {word: forms for word, forms in spellings.items() if "\u0900" <= word[0] <= "\u097f" and word != "।"}
    assert max(map(len, hindi.values())) > 5
    assert all(forms == {word} for word, forms in spellings.items() if word not in hindi and word != "।")
    assert all(len(forms) == 1 for forms in transliterations(0.0).values())


# ---- parameters act


def test_an_order_can_be_overridden_alone():
    world = World(WorldParameters(orders={"de": {"87A": "Noun-Adjective"}, "ja": {"81A": "VSO"}}))
    assert order_of(world.speaker("de", Random(1)), "87A") == "Noun-Adjective"
    assert order_of_clause(world.speaker("de", Random(1))) == "SVO"
    assert order_of_clause(world.speaker("de", Random(1)), subordinate=True) == "SOV"
    assert order_of_clause(world.speaker("ja", Random(1))) == "VSO"
    assert order_of(world.speaker("ja", Random(1)), "85A") == "Postpositions"
    assert texts(world, "en", 10) == texts(WORLD, "en", 10)


def test_a_script_can_be_overridden():
    world = World(WorldParameters(scripts={"en": "Cyrl"}))
    assert {unicodedata.name(c).split()[0] for c in letters(world, "en")} == {"CYRILLIC"}
    sounds = [[t.phonemes for t in s] for s in sentences(world, "en", 10)]
    assert sounds == [[t.phonemes for t in s] for s in sentences(WORLD, "en", 10)]


def test_without_anchors_no_digit_url_or_acronym_is_left():
    shared = re.compile(r"\d|www|\b[A-Z]{2,}\b")
    bare = World(WorldParameters(anchors=0.0))
    for line in texts(bare, "en", 200) + [text(s) for s in sentences(bare, "en", 200, register=NEWS)]:
        assert not shared.search(line)
    assert sum(bool(shared.search(line)) for line in texts(WORLD, "en", 200)) > 40


def ambiguity(**parameters):
    return profile.homographs(profile.spoken(World(WorldParameters(**parameters)).sentences("id", "test"), 300))


def test_homographs_and_syncretisms_make_words_ambiguous():
    neither = ambiguity(homographs=0.0, syncretisms=0.0)
    assert ambiguity(homographs=0.3, syncretisms=0.0) > neither + 5
    assert ambiguity(homographs=0.0, syncretisms=3.0) > neither + 5


def test_names_never_heard_before_are_a_parameter():
    def strange(share):
        world = World(WorldParameters(coined_names=share))
        known = {part for names in world.meanings.names.values() for name in names.items for part in name.parts
                 if isinstance(part, str)}
        said = [t.phonemes for s in sentences(world, "pl", 300, register=NEWS) for t in s if t.language == "ne"]
        return sum(part not in known for part in said) / len(said)
    assert strange(0.0) == 0
    assert strange(0.5) > strange(0.1) > 0


def test_loans_and_cognates_are_what_languages_have_in_common():
    def common(one, other, **parameters):
        world = World(WorldParameters(homographs=0.0, international=0.0, **parameters))
        roots = [[world.language(code).root(c.index) for c in world.meanings.concepts] for code in (one, other)]
        return sum(a == b for a, b in zip(*roots)) / len(roots[0])
    assert common("ja", "zh", loans=0.0) < 0.02 < 0.15 < common("ja", "zh")
    assert common("es", "it", sound_change=0.0) > common("es", "it") > common("es", "ja")
    assert common("en", "ru", family_cognates=0.9, sound_change=0.0) > common("en", "ru", sound_change=0.0)


@pytest.mark.parametrize("mapping, sentence", [
    ({"sed": 1}, "unknown world parameter 'sed': choose from seed"),
    ({"seed": "one"}, "'seed' must be a int, not 'one'"),
    ({"loans": True}, "'loans' must be a float, not True"),
    ({"nouns": 0}, "'nouns' must be 1 or more, not 0"),
    ({"homographs": 1.5}, "'homographs' must be from 0 to 1, not 1.5"),
    ({"sound_change": -1}, "'sound_change' must be 0 or more, not -1"),
    ({"orders": {"xx": {"81A": "SVO"}}}, "unknown language 'xx'"),
    ({"orders": {"ja": "SVO"}}, "order of ja must map features to values, .* not 'SVO'"),
    ({"orders": {"ja": {"82A": "SV"}}}, "unknown word-order feature '82A': choose from 81A"),
    ({"orders": {"ja": {"81A": "OSV"}}}, "'OSV' is not one of SVO, SOV, VSO"),
    ({"orders": {"ja": {"87A": "SOV"}}}, "'SOV' is not one of Adjective-Noun, Noun-Adjective"),
    ({"orders": {"ja": {"81A": "SOV subordinate"}}}, "not one of SVO, SOV, VSO"),
    ({"orders": {"ja": {"87A": "Adjective-Noun main, Noun-Adjective subordinate"}}}, "not one of Adjective-Noun"),
    ({"orders": {"ja": {"81A": "SVO 0.7, SOV 0.7"}}}, "shares add up to 1.4, not to 1"),
    ({"scripts": {"en": "Runr"}}, "unknown script 'Runr' for en: choose from Latn"),
])
def test_a_world_that_cannot_be_is_refused_in_one_sentence(mapping, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        WorldParameters.read(mapping)
    assert type(caught.value) in (WorldError, languages.UnknownLanguage) and "\n" not in str(caught.value)


# ---- corpora: splits apart, and evaluation text kept out of pre-training

SIZES = {task: {"train": 150, "dev": 30, "test": 150} for task in ("pos", "ner", "code-switching")}
CROWDED = Pocket(world=SMALL, sizes=SIZES | {"parallel": 150})


@pytest.mark.parametrize("task, language", [("pos", "zh"), ("ner", "en"), ("code-switching", "corrected")])
def test_no_sentence_is_in_two_splits(task, language):
    splits = [{" ".join(tokens) for tokens in CROWDED.labelled(task, language, split)["tokens"]}
              for split in ("train", "dev", "test")]
    assert [len(split) for split in splits] == [150, 30, 150]
    assert not splits[0] & splits[1] and not splits[0] & splits[2] and not splits[1] & splits[2]


@pytest.mark.parametrize("language", ["hi", "en"])
def test_no_line_to_pretrain_on_is_an_evaluation_sentence(language):
    corpora = [("pos", language), ("ner", language), ("code-switching", "corrected"), ("code-switching", "transliterated")]
    evaluated = {" ".join(tokens) for corpus in corpora for tokens in CROWDED.labelled(*corpus, "test")["tokens"]}
    evaluated |= set(CROWDED.parallel("hi", "en")["source" if language == "hi" else "target"])
    careless = set(CROWDED.world.text(language, 3000))
    assert careless & evaluated  # in so small a world it would happen
    assert not set(CROWDED.text(language, 3000, [("hi", "en")])) & evaluated


def test_the_digest_of_parameters_is_of_all_of_them():
    changes = [{}, {"seed": 1}, {"anchors": 0.0}, {"orders": {"ja": {"81A": "SVO"}}}]
    assert len({WorldParameters(**change).digest() for change in changes}) == len(changes)
