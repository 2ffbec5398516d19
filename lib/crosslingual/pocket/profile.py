"""What a world's corpora are like, measured on them alone: nobody is to mistake table look-up for learning.

All but the switches can be measured on any labelled corpus, so a real treebank can stand beside a pocket one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice
from typing import TYPE_CHECKING

from datasets import Dataset, Features, List, Value
import pandas as pd

from crosslingual import baselines, corpora, overlap, scoring
from crosslingual.corpora.text import LABELLED
from crosslingual.pocket.grammar import Token, order_names

if TYPE_CHECKING:
    from crosslingual.editions import Edition

SPOKEN = Features(LABELLED | {"languages": List(Value("string"))})
NEUTRAL = ("univ", "ne", "")  # digits, punctuation and names belong to no language
NOMINAL, VERBAL = {"DET", "NUM", "ADJ", "ADV", "NOUN", "PROPN", "PRON", "ADP"}, {"VERB", "AUX", "PART"}
HEADS = {"NOUN", "PROPN", "PRON"}


# ---- treebanks


def homographs(corpus: Dataset) -> float:
    """Percentage of tokens whose type carries more than one label in the corpus; 0 for an empty one."""
    tags: dict[str, set[str]] = {}
    for word, label in _words(corpus):
        tags.setdefault(word, set()).add(label)
    return _percent(len(tags[word]) > 1 for word, _ in _words(corpus))


def unseen_words(train: Dataset, test: Dataset) -> float:
    """Percentage of test tokens whose type does not occur in the training corpus."""
    known = {word for word, _ in _words(train)}
    return _percent(word not in known for word, _ in _words(test))


def look_up_accuracy(train: Dataset, test: Dataset, name: str = "most frequent tag") -> float:
    """Accuracy in percent of a tagger that only looks words up ("majority class": not even that)."""
    predicted = baselines.LookUp(train, name).predict(test["tokens"])
    return scoring.score("pos", test["labels"], predicted).value


def treebanks(edition: "Edition", languages: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a language: size of the training treebank, and how far look-up alone gets on the test treebank.

    Columns: language, sentences, words (a sentence), homographs, unseen, majority_class, look_up (all four in
    percent). Raises corpora.CorpusUnavailable.
    """
    columns = ["language", "sentences", "words", "homographs", "unseen", "majority_class", "look_up"]
    codes = edition.languages("pos") if languages is None else languages
    return pd.DataFrame([_treebank(edition, code) for code in codes], columns=columns)


def _treebank(edition, code):
    train, test = (edition.corpus("pos", code, split) for split in ("train", "test"))
    size = corpora.statistics(train)
    return {"language": code, "sentences": size["sentences"], "words": size["tokens"] / size["sentences"],
            "homographs": homographs(train), "unseen": unseen_words(train, test),
            "majority_class": look_up_accuracy(train, test, "majority class"),
            "look_up": look_up_accuracy(train, test)}


def _words(corpus: Dataset) -> Iterator[tuple[str, str]]:
    columns = corpus[:]
    for words, labels in zip(columns["tokens"], columns["labels"], strict=True):
        yield from zip(words, labels, strict=True)


def _percent(events: Iterable[bool]) -> float:
    events = list(events)
    return 100 * sum(events) / len(events) if events else 0.0


# ---- names


def entity_words(corpus: Dataset) -> set[str]:
    """The words inside a corpus's entities."""
    return {word for entity in overlap.named_entities(corpus) for word in entity}


def entity_overlap(edition: "Edition", languages: Sequence[str] | None = None) -> pd.DataFrame:
    """Jaccard overlap, in percent, of the words in training entities, for each unordered pair of languages.

    Columns: language, other, overlap, shared (number of words). Word pieces overlap more: `overlap.matrix`.
    """
    codes = edition.languages("ner") if languages is None else languages
    words = {code: entity_words(edition.corpus("ner", code, "train")) for code in codes}
    rows = [{"language": a, "other": b, "overlap": 100 * overlap.jaccard(words[a], words[b]),
             "shared": len(words[a] & words[b])} for a, b in combinations(words, 2)]
    return pd.DataFrame(rows, columns=["language", "other", "overlap", "shared"])


# ---- code-switching


def spoken(sentences: Iterable[list[Token]], count: int) -> Dataset:
    """The first ``count`` generated sentences as a labelled corpus that also tells each word's language.

    ``languages`` holds a language code, "ne" for a part of a name, "univ" for digits, URLs and punctuation.
    """
    drawn = list(islice(sentences, count))
    columns = {"tokens": "form", "labels": "upos", "languages": "language"}
    return Dataset.from_dict({column: [[getattr(token, field) for token in sentence] for sentence in drawn]
                              for column, field in columns.items()}, features=SPOKEN)


def switches(corpus: Dataset) -> pd.DataFrame:
    """Where a code-switched corpus changes its language: inside phrases and at their boundaries.

    A switch stands between two words of different languages with only neutral tokens between them; it is
    inside a phrase if no phrase begins in between. Phrases are told by parts of speech alone, which misplaces
    fewer than one in a hundred. ``corpus`` is as `spoken` makes it, of two languages whose modifiers precede
    their nouns, like Hindi and English. Columns: place, switches, share (percent of all), per_sentence.
    """
    rows = corpus[:]
    sentences = zip(rows["labels"], rows["languages"], strict=True)
    places = [place for tags, codes in sentences for place in _places(tags, codes)]
    counts = {place: places.count(place) for place in ("inside", "boundary")}
    return pd.DataFrame([{"place": place, "switches": count, "share": 100 * count / max(1, len(places)),
                          "per_sentence": count / max(1, len(corpus))} for place, count in counts.items()])


def switched_sentences(corpus: Dataset) -> float:
    """Percentage of sentences with words of more than one language."""
    return _percent(len(set(codes) - set(NEUTRAL)) > 1 for codes in corpus["languages"])


def _places(tags: list[str], codes: list[str]) -> Iterator[str]:
    spoken_before, new_phrase = "", True
    for index, (tag, code) in enumerate(zip(tags, codes)):
        new_phrase |= index == 0 or _opens_phrase(tags[index - 1], codes[index - 1], tag, code)
        if code in NEUTRAL:
            continue
        if spoken_before and code != spoken_before:
            yield "boundary" if new_phrase else "inside"
        spoken_before, new_phrase = code, False


def _opens_phrase(before: str, language_before: str, tag: str, language: str) -> bool:
    """Does ``tag`` begin a phrase: noun phrases end at a noun or its postposition, verb groups at others."""
    if before in VERBAL or tag in VERBAL:
        return not (before in VERBAL and tag in VERBAL)
    return not (before in NOMINAL and tag in NOMINAL and _continues(before, language_before, tag, language))


def _continues(before: str, language_before: str, tag: str, language: str) -> bool:
    """Whether two nominal words stand in one phrase; an adverb before an adjective is taken to modify it."""
    if tag == "ADP":
        return before in HEADS and _postposed(language)
    if before == "ADP":
        return not _postposed(language_before)
    if before in HEADS:
        return before == tag == "PROPN"
    return tag == "ADJ" if before == "ADV" else tag != "ADV" or before in ("DET", "NUM")


def _postposed(language: str) -> bool:
    return language not in NEUTRAL and order_names(language)["85A"] == "Postpositions"
