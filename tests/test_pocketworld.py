"""The pocket world: what sentences show of order, script, names and switches; parameters."""

import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from crosslingual import languages
from pocketworld import NEWS, World, WorldError, WorldParameters, text
from pocketworld.grammar import order_names
from pocketworld.lexicon import LANGUAGES, read_table
from pocketworld.meaning import Clause, NounPhrase
from pocketworld.scripts import SCRIPTS
from pocketworld.world import VERSION

ALL = list(LANGUAGES)
WORLD = World()
OF = WORLD.meanings.of


def sentences(world, code, count, **options):
    return list(islice(world.sentences(code, "test", **options), count))


def texts(world, code, count=10):
    return [text(said) for said in sentences(world, code, count)]


# ---- determinism


def said_by(world):
    """Something of each kind in every language, as one digest."""
    said = [
        [token.form, token.upos, token.entity, token.phonemes, token.language]
        for code in ALL
        for sentence in islice(world.sentences(code, "x", NEWS), 8)
        for token in sentence
    ]
    said += [text(one) for pair in world.parallel("en", "ur", 5) for one in pair]
    switched = list(islice(world.code_switched("x"), 8))
    said += [text(world.transliterated(one, Random(1))) for one in switched]
    said += [*map(text, switched), *world.text("en", 12, frozenset(world.text("en", 3)))]
    return sha256(repr(said).encode()).hexdigest()[:16]


def other_world():
    orders = {"ja": {"81A": "SVO 0.5, VSO 0.5"}, "en": {"81A": "SVO main, SOV subordinate"}}
    changed = {"orders": orders, "scripts": {"en": "Cyrl"}, "anchors": 0.0, "homographs": 0.3}
    return World(WorldParameters(seed=7, **changed))


def test_sentences_change_only_together_with_the_version():
    """The shipped encoders were pre-trained on this text: results would no longer be of it."""
    digests = (said_by(WORLD), said_by(other_world()))
    assert {VERSION: digests} == {2: ("108d1daf1776bff4", "d4feef946a87e302")}


def printed(program):
    """What it prints in another process with another hash seed."""
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", program]
    return subprocess.check_output(command, env=environment, text=True).strip()


def test_a_world_is_the_same_in_another_process_with_another_hash_seed():
    program = "import test_pocketworld as t; print(t.said_by(t.other_world()))"
    assert printed(program) == said_by(other_world())


def test_streams_languages_and_seeds_do_not_disturb_each_other():
    fresh, used, other = (World(WorldParameters(seed=seed)) for seed in (1, 1, 2))
    texts(used, "hi", 5), used.parallel("en", "de", 3)
    said = texts(used, "en")
    assert said == texts(fresh, "en")
    stream = [text(said) for said in islice(fresh.sentences("en", "other stream"), 10)]
    assert not set(said) & {*stream, *texts(other, "en")}


def test_the_package_knows_nothing_of_the_book():
    program = "import sys, pocketworld; print([m for m in sys.modules if 'crosslingual' in m])"
    assert printed(program) == "[]"


def test_the_tables_agree_with_those_of_the_real_languages():
    real = languages.table()
    assert list(real.index) == ALL
    for code, facts in LANGUAGES.items():
        same = ["name", "script", "family", "branch"]
        assert [getattr(facts, key) for key in same] == list(real.loc[code, same])
        rows = [row for row in read_table("word_order.csv") if row["language"] == code]
        attested = {row["feature"]: row["value"] for row in rows if row["kind"] == "attested"}
        assert attested == languages.attested(code)
        assumed = [row["feature"] for row in rows if row["kind"] == "assumed"]
        vague = {key for key, value in attested.items() if value in languages.NO_ORDER}
        assert set(assumed) == vague | set(languages.FEATURES) - set(attested)


# ---- word order, measured on what is said about known meanings


def expected(code, feature):
    """{value: probability}; of a split, the main clause's."""
    value = order_names(code)[feature]
    if match := re.fullmatch(r"(\w+) main, (\w+) subordinate", value):
        return {match[1]: 1.0}
    mixture = re.findall(r"([A-Za-z-]+) (0\.\d+)", value)
    return {name: float(share) for name, share in mixture} or {value: 1.0}


@cache
def distinct_nouns(language):
    """Two nouns neither of whose roots is part of the other's: each is found again."""
    root = {noun.index: language.root(noun.index) for noun in OF["NOUN"]}
    first, *others = (noun for noun in OF["NOUN"] if len(root[noun.index]) > 3)
    one = root[first.index]
    return first, next(n for n in others if root[n.index] not in one and one not in root[n.index])


def place(tokens, language, concept):
    return next(i for i, t in enumerate(tokens) if language.root(concept.index) in t.phonemes)


def order_of_clause(speaker, subordinate=False):
    language = speaker.language
    subject, object_ = distinct_nouns(language)
    phrases = [NounPhrase(noun, definite=True) for noun in (subject, object_)]
    clause = Clause(phrases[0], OF["VERB"][0], object=phrases[1])
    tokens = speaker.clause(clause, subordinate=subordinate)
    verb = [token.upos for token in tokens].index("VERB")
    places = {"S": place(tokens, language, subject), "O": place(tokens, language, object_)}
    places["V"] = verb
    return "".join(sorted(places, key=places.get))


MODIFIERS = {
    "87A": ("Adjective", "ADJ", {"adjectives": [OF["ADJ"][0]]}),
    "88A": ("Demonstrative", "DET", {"demonstrative": True}),
    "89A": ("Numeral", "NUM", {"numeral": 3, "plural": True}),
}


def order_of(speaker, feature):
    """The value of a feature in one phrase that the speaker says."""
    if feature == "81A":
        return order_of_clause(speaker)
    noun, owner = distinct_nouns(speaker.language)
    if feature == "86A":
        owned = NounPhrase(noun, definite=True, genitive=NounPhrase(owner, definite=True))
        tokens = speaker.phrase(owned, "")
        first = place(tokens, speaker.language, owner) < place(tokens, speaker.language, noun)
        return "Genitive-Noun" if first else "Noun-Genitive"
    if feature == "85A":
        tags = [token.upos for token in speaker.oblique("with", NounPhrase(noun, definite=True))]
        return "Prepositions" if tags.index("ADP") < tags.index("NOUN") else "Postpositions"
    name, tag, details = MODIFIERS[feature]
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
    orders = {
        code: [order_of_clause(WORLD.speaker(code, Random(1)), inner) for inner in (False, True)]
        for code in ALL
    }
    split = {code for code, order in orders.items() if order == ["SVO", "SOV"]}
    assert split - {"hu"} == {"de", "nl"}  # Hungarian mixes both orders everywhere


# ---- scripts, names, parallel and code-switched text

BLOCKS = "LATIN CYRILLIC GREEK ARABIC HEBREW DEVANAGARI BENGALI TAMIL TELUGU HANGUL"
BLOCKS = dict(zip(SCRIPTS, [*BLOCKS.split(), "HIRAGANA KATAKANA CJK", "CJK"]))


def letters(world, code, count=40):
    """All letters in words and names; digits, URLs, acronyms and punctuation are nobody's own."""
    said = sentences(world, code, count, register=NEWS)
    own = (token.form for s in said for token in s if token.language != "univ")
    return {c for form in own for c in form if not c.isdigit()}


def blocks(characters):
    return {unicodedata.name(character).split()[0] for character in characters}


@pytest.mark.parametrize("code", ALL)
def test_each_language_is_written_in_its_script(code):
    assert blocks(letters(WORLD, code)) <= set(BLOCKS[LANGUAGES[code].script].split())


def test_hindi_and_urdu_sound_alike_and_share_no_letter():
    assert not letters(WORLD, "hi") & letters(WORLD, "ur")
    for one, other in WORLD.parallel("hi", "ur", 30):
        assert [token.phonemes for token in one] == [token.phonemes for token in other]


def names_in(sentence):
    """(type, tokens) by a reading of IOB2 of our own; asserts that the tags are IOB2."""
    found, before = [], "O"
    for tag in (token.entity for token in sentence):
        if tag.startswith("B-"):
            found.append((tag[2:], 1))
        elif tag != "O":
            assert tag[0] == "I" and before[1:] == tag[1:]
            found.append((tag[2:], found.pop()[1] + 1))
        before = tag
    return found


@pytest.mark.parametrize("code", ["en", "ja", "ar"])
def test_names_are_iob2_in_four_types_and_one_to_four_tokens_long(code):
    said = sentences(WORLD, code, 600, register=NEWS)
    found = Counter(entity for sentence in said for entity in names_in(sentence))
    assert {length for _, length in found} == {1, 2, 3, 4}
    for kind in ("PER", "LOC", "ORG", "MISC"):
        lengths = {length: n for (other, length), n in found.items() if other == kind}
        assert len(lengths) > 1 and sum(lengths.values()) > 30


@pytest.mark.parametrize("source, target", [("en", "de"), ("en", "ja"), ("ar", "ru")])
def test_parallel_sentences_are_distinct_and_mean_the_same(source, target):
    pairs = WORLD.parallel(source, target, 60)
    for side in zip(*pairs, strict=True):
        assert len({text(sentence) for sentence in side}) == 60
    for one, other in pairs:
        for kept in (
            lambda t: t.upos if t.upos in ("NOUN", "VERB", "ADJ", "PROPN") else None,
            lambda t: t.phonemes if t.language == "ne" else None,
            lambda t: t.form if t.language == "univ" and t.upos != "PUNCT" else None,
        ):
            assert Counter(filter(None, map(kept, one))) == Counter(filter(None, map(kept, other)))


def test_switched_text_mixes_both_languages_in_their_scripts():
    switched = list(islice(WORLD.code_switched("test"), 100))
    assert sum({"hi", "en"} <= {token.language for token in s} for s in switched) > 50
    for token in (token for s in switched for token in s if token.language in ("hi", "en")):
        assert blocks(token.form) == {"DEVANAGARI" if token.language == "hi" else "LATIN"}


def test_transliterated_hindi_is_latin_and_spelt_as_everyone_likes():
    for noise in (0.35, 0.0):
        world, spellings = World(WorldParameters(transliteration_noise=noise)), defaultdict(set)
        for number, before in enumerate(islice(world.code_switched("test"), 300)):
            after = world.transliterated(before, Random(number))
            for old, new in zip(before, after, strict=True):
                assert (old.upos, old.entity) == (new.upos, new.entity) and new.form.isascii()
                spellings[old.form].add(new.form)
        hindi = {word for word in spellings if "\u0900" <= word[0] <= "\u097f"}
        assert all(spellings[word] == {word} for word in set(spellings) - hindi)
        most = max(len(spellings[word]) for word in hindi)
        assert most > 5 if noise else most == 1


# ---- parameters act


def test_an_order_can_be_overridden_alone():
    orders = {"de": {"87A": "Noun-Adjective"}, "ja": {"81A": "VSO"}}
    world = World(WorldParameters(orders=orders))
    german, japanese = (world.speaker(code, Random(1)) for code in ("de", "ja"))
    assert order_of(german, "87A") == "Noun-Adjective"
    assert [order_of_clause(german), order_of_clause(german, True)] == ["SVO", "SOV"]
    assert [order_of_clause(japanese), order_of(japanese, "85A")] == ["VSO", "Postpositions"]
    assert texts(world, "en") == texts(WORLD, "en")


def test_a_script_can_be_overridden():
    world = World(WorldParameters(scripts={"en": "Cyrl"}))
    assert blocks(letters(world, "en")) == {"CYRILLIC"}
    sounds = [[[t.phonemes for t in s] for s in sentences(w, "en", 10)] for w in (world, WORLD)]
    assert sounds[0] == sounds[1]


def test_without_anchors_no_digit_url_or_acronym_is_left():
    shared, without = re.compile(r"\d|www|\b[A-Z]{2,}\b"), World(WorldParameters(anchors=0))
    found = [sum(bool(shared.search(ln)) for ln in texts(w, "en", 200)) for w in (without, WORLD)]
    assert found[0] == 0 and found[1] > 40


def ambiguity(**parameters):
    """Percent of words of a form with several tags."""
    said = sentences(World(WorldParameters(**parameters)), "id", 300)
    words, tags = [(t.form, t.upos) for s in said for t in s], defaultdict(set)
    for form, tag in words:
        tags[form].add(tag)
    return 100 * sum(len(tags[form]) > 1 for form, _ in words) / len(words)


def test_homographs_and_syncretisms_make_words_ambiguous():
    neither = ambiguity(homographs=0, syncretisms=0)
    assert ambiguity(homographs=0.3, syncretisms=0) > neither + 5
    assert ambiguity(homographs=0, syncretisms=3) > neither + 5


def test_loans_and_cognates_are_what_languages_have_in_common():
    def common(one, other, **parameters):
        world = World(WorldParameters(homographs=0.0, international=0.0, **parameters))
        concepts = world.meanings.concepts
        roots = [[world.language(code).root(c.index) for c in concepts] for code in (one, other)]
        return sum(a == b for a, b in zip(*roots, strict=True)) / len(concepts)

    assert common("ja", "zh", loans=0.0) < 0.02 and common("ja", "zh") > 0.15
    assert common("es", "it", sound_change=0.0) > common("es", "it") > common("es", "ja")
    near, far = (common("en", "ru", family_cognates=f, sound_change=0.0) for f in (0.9, 0.25))
    assert near > far


ADJECTIVES = "Adjective-Noun main, Noun-Adjective subordinate"
IMPOSSIBLE = [
    ({"sed": 1}, "sed", "unknown world parameter 'sed': choose from seed"),
    ({"seed": "one"}, "seed", "'seed' should be a valid integer.*, not 'one'"),
    ({"loans": True}, "loans", "'loans' should be a valid number, not True"),
    ({"loans": float("nan")}, "loans", "'loans' should be a finite number"),
    ({"nouns": 0}, "nouns", "'nouns' should be greater than or equal to 1, not 0"),
    ({"homographs": 1.5}, "homographs", "should be less than or equal to 1, not 1.5"),
    ({"orders": {"xx": {"81A": "SVO"}}}, "orders xx", "unknown language 'xx'"),
    ({"orders": {"ja": "SVO"}}, "orders ja", "should be a valid dictionary, not 'SVO'"),
    ({"orders": {"ja": {"82A": "SV"}}}, "orders ja", "unknown .* '82A': choose from 81A"),
    ({"orders": {"ja": {"81A": "OSV"}}}, "orders ja", "'OSV' is not one of SVO, SOV, VSO"),
    ({"orders": {"ja": {"81A": "SVO 0.7, SOV 0.7"}}}, "orders ja", "add up to 1.4, not to 1"),
    ({"orders": {"ja": {"87A": ADJECTIVES}}}, "orders ja", "not one of Adjective-Noun, Noun-Adj"),
    ({"scripts": {"en": "Runr"}}, "scripts en", "unknown script 'Runr' for en: choose from L"),
]


@pytest.mark.parametrize("parameters, key, sentence", IMPOSSIBLE)
def test_a_world_that_cannot_be_is_refused_in_one_sentence(parameters, key, sentence):
    with pytest.raises(WorldError, match=sentence) as caught:
        WorldParameters(**parameters)
    assert caught.value.key == tuple(key.split()) and "\n" not in str(caught.value)


def test_the_digest_of_parameters_is_of_all_of_them():
    changes = [{}, {"seed": 1}, {"anchors": 0.0}, {"orders": {"ja": {"81A": "SVO"}}}]
    assert len({WorldParameters(**change).digest() for change in changes}) == len(changes)
