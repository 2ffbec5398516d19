"""What tagging takes without learning: the majority class, and each word's most frequent tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
from datasets import Dataset

from . import scoring
from . import store as stores
from .store import Store

if TYPE_CHECKING:
    from .editions import Edition

VERSION = 1  # bump when a baseline tags differently: kept results are keyed by it
NAMES = ("majority class", "most frequent tag")


class LookUp:
    """Tags a known word with its most frequent tag and any other with the majority class.

    The name "majority class" knows no words.
    """

    def __init__(self, train: Dataset, name: str = "most frequent tag") -> None:
        if name not in NAMES:
            raise scoring.ScoringError(f"Unknown baseline {name!r}; choose one of {', '.join(NAMES)}.")
        tags: dict[str, Counter] = {}
        for words, labels in zip(train["tokens"], train["labels"], strict=True):
            for word, label in zip(words, labels, strict=True):
                tags.setdefault(word, Counter())[label] += 1
        self.majority = _most_frequent(sum(tags.values(), Counter()))
        known = tags if name == "most frequent tag" else {}
        self.tags = {word: _most_frequent(counts) for word, counts in known.items()}

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        return [[self.tags.get(word, self.majority) for word in words] for words in sentences]


def matrix(edition: Edition, task: str, name: str, train: Sequence[str], evaluate: Sequence[str],
           store: Store | None = None) -> pd.DataFrame:
    """Scores of a baseline ("majority class" or "most frequent tag"), tidy.

    Columns: encoder (the baseline's name), task, train, evaluate, score (percent), counts (see `scoring`).
    Raises corpora.CorpusUnavailable.
    """
    store = store or stores.default(edition)
    rows = []
    for source in train:
        targets = {language: edition.corpus_digest(task, language, "test") for language in evaluate}
        parts = {"baseline": name, "task": task, "versions": [VERSION, scoring.VERSION], "evaluate": targets,
                 "train": edition.corpus_digest(task, source, "train")}
        counts = store.memo("baseline", parts, partial(_counts, edition, task, name, source, evaluate))
        rows += [{"encoder": name, "task": task, "train": source, "evaluate": language,
                  "score": scoring.value(task, counts[language]), "counts": counts[language]}
                 for language in evaluate]
    return pd.DataFrame(rows)


def _counts(edition: Edition, task: str, name: str, train: str, evaluate: Sequence[str]) -> dict:
    tagger = LookUp(edition.corpus(task, train, "train"), name)
    tests = {language: edition.corpus(task, language, "test") for language in evaluate}
    return {language: scoring.score(task, test["labels"], tagger.predict(test["tokens"])).counts
            for language, test in tests.items()}


def _most_frequent(counts: Counter) -> str:
    """The alphabetically first of the most frequent, so that it does not depend on the corpus's order."""
    return min(counts, key=lambda label: (-counts[label], label))
