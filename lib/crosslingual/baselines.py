"""What tagging takes without pre-training: the majority class, each word's most frequent tag, and its shape."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from datasets import Dataset
from scipy import optimize, sparse
from scipy.special import log_softmax

from . import scoring
from . import store as stores
from .corpora import CorpusUnavailable
from .store import Store

if TYPE_CHECKING:
    from .editions import Edition

VERSION = 2  # bump when a baseline tags differently: kept results are keyed by it
MAJORITY, LOOK_UP, WORD_SHAPE = NAMES = ("majority class", "most frequent tag", "word shape")
Text = dict[str, list[list[str]]]  # columns tokens and labels, as of a Dataset
COLUMNS = ["encoder", "task", "train", "evaluate", "seed", "score", "counts", "origin"]


class LookUp:
    """Tags a known word with its most frequent tag and any other with the majority class.

    The name "majority class" knows no words.
    """

    def __init__(self, train: Dataset | Text, name: str = LOOK_UP) -> None:
        if name not in (MAJORITY, LOOK_UP):
            raise scoring.ScoringError(f"Unknown baseline {name!r}; choose one of {', '.join(NAMES)}.")
        tags: dict[str, Counter] = {}
        for words, labels in zip(train["tokens"], train["labels"], strict=True):
            for word, label in zip(words, labels, strict=True):
                tags.setdefault(word, Counter())[label] += 1
        self.majority = _most_frequent(sum(tags.values(), Counter()))
        known = tags if name == LOOK_UP else {}
        self.tags = {word: _most_frequent(counts) for word, counts in known.items()}

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        return [[self.tags.get(word, self.majority) for word in words] for words in sentences]


class WordShape:
    """Tags a word by its shape alone: a maximum-entropy classifier over the features of `shape`.

    It knows no word and no context, so what it gets right in a language that it was not trained on is owed to endings,
    capitals, digits and punctuation that the two languages have in common.
    """

    PENALTY, STEPS = 1e-5, 60  # of the weights' squares, as a share of the mean loss; of L-BFGS at most

    def __init__(self, train: Dataset | Text) -> None:
        tags: dict[str, Counter] = {}
        for words, labels in zip(train["tokens"], train["labels"], strict=True):
            for word, label in zip(words, labels, strict=True):
                tags.setdefault(word, Counter())[label] += 1
        self.labels = sorted({label for counts in tags.values() for label in counts})
        self.columns = {feature: i for i, feature in enumerate(sorted({f for word in tags for f in shape(word)}))}
        gold = np.array([[counts[label] for label in self.labels] for counts in tags.values()], float)
        self.weights = self._fit(self._features(list(tags)), gold / gold.sum())

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        words = sorted({word for sentence in sentences for word in sentence})
        best = np.asarray(self._features(words) @ self.weights).argmax(1)
        tag = {word: self.labels[index] for word, index in zip(words, best, strict=True)}
        return [[tag[word] for word in sentence] for sentence in sentences]

    def _features(self, words: list[str]) -> sparse.csr_array:
        pairs = [(i, self.columns[f]) for i, word in enumerate(words) for f in shape(word) if f in self.columns]
        rows, columns = np.array(pairs, int).reshape(-1, 2).T
        size = (len(words), len(self.columns))
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=size)

    def _fit(self, features: sparse.csr_array, gold: np.ndarray) -> np.ndarray:
        """Weights [features, labels] of least cross-entropy; `gold` is each word's and label's share of all tokens."""
        size, across = (features.shape[1], gold.shape[1]), features.T.tocsr()
        mass = gold.sum(1, keepdims=True)

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(size)
            likely = log_softmax(features @ weights, axis=1)
            slope = across @ (mass * np.exp(likely) - gold) + 2 * self.PENALTY * weights
            return -(gold * likely).sum() + self.PENALTY * (flat @ flat), slope.ravel()

        start = np.zeros(size).ravel()
        return optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.STEPS}).x.reshape(size)


@lru_cache(maxsize=2**20)
def shape(word: str) -> tuple[str, ...]:
    """Features of a word's look: endings of one to three letters, capitals, digits, punctuation, length."""
    kinds = "".join(sorted({unicodedata.category(character)[0] for character in word}))
    case = "upper" if word.isupper() else "title" if word[:1].isupper() else "mixed" if word.lower() != word else "lower"
    endings = [f"-{word[-n:].lower()}" for n in (1, 2, 3) if len(word) >= n]
    sign = [f"sign {word}"] if set(kinds) <= {"P", "S"} else []
    return ("any", f"case {case}", f"kinds {kinds}", f"length {min(len(word), 10)}", *endings, *sign)


def tagger(train: Dataset | Text, name: str) -> LookUp | WordShape:
    """The baseline of that name, trained. Raises scoring.ScoringError for an unknown name."""
    return WordShape(train) if name == WORD_SHAPE else LookUp(train, name)


def matrix(edition: Edition, task: str, name: str, train: Sequence[str], evaluate: Sequence[str],
           store: Store | None = None) -> pd.DataFrame:
    """Scores of a baseline, by name (NAMES), tidy; it is trained on each corpus of `train`.

    Columns as in `transfer.matrix`, as far as they make sense: encoder (the baseline's name), task, train, evaluate,
    seed (0), score (percent), counts (see `scoring`), origin. Kept like fine-tuned models' scores; what is neither
    kept nor can be computed is absent and explained in attrs["unavailable"].
    """
    store, rows, unavailable = store or stores.default(edition), [], {}
    targets = _digests(edition, task, evaluate, "test", unavailable)
    for source, digest in _digests(edition, task, train, "train", unavailable).items():
        parts = {"baseline": name, "task": task, "versions": [VERSION, scoring.VERSION], "train": digest}
        found = _completed(edition, task, name, source, targets, parts, store, unavailable)
        rows += [{"encoder": name, "task": task, "train": source, "evaluate": language, "seed": 0,
                  "score": scoring.value(task, found[target][0]), "counts": found[target][0], "origin": found[target][1]}
                 for language, target in targets.items() if target in found]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame.attrs["unavailable"] = unavailable
    return frame


def _completed(edition: Edition, task: str, name: str, source: str, targets: dict[str, str], parts: dict,
               store: Store, unavailable: dict[str, str]) -> dict[str, tuple[np.ndarray, str]]:
    """{corpus digest: (counts, origin)} of one trained baseline, what is missing computed where it can be."""
    found = _kept(store, parts)
    lacking = {language for language, target in targets.items() if target not in found}
    again = {language for language, target in targets.items() if target in found and store.stands_in(found[target][1])}
    problems: dict[str, str] = {}
    if lacking or again:
        train = _texts(edition, task, [source], "train", problems)
        tests = _texts(edition, task, sorted(lacking | again), "test", problems)
        unavailable |= {name: why for name, why in problems.items() if name in lacking or (lacking and name == source)}
        if train and tests:
            trained = tagger(train[source], name)
            store.update("baseline", parts, {
                targets[language]: scoring.score(task, test["labels"], trained.predict(test["tokens"])).counts
                for language, test in tests.items()})
    return _kept(store, parts) if lacking or again else found


def _kept(store: Store, parts: dict) -> dict[str, tuple[np.ndarray, str]]:
    records = reversed(list(store.find("baseline", stores.digest(parts))))
    return {target: (counts, record.origin) for record in records for target, counts in record.payload.items()}


def _digests(edition: Edition, task: str, names: Sequence[str], split: str, unavailable: dict[str, str]) -> dict[str, str]:
    return _each(names, lambda name: edition.corpus_digest(task, name, split), unavailable)


def _texts(edition: Edition, task: str, names: Sequence[str], split: str, unavailable: dict[str, str]) -> dict[str, Text]:
    return _each(names, lambda name: _text(edition, task, name, split), unavailable)


@lru_cache(maxsize=128)
def _text(edition: Edition, task: str, name: str, split: str) -> Text:
    """A corpus as lists: every baseline goes through it, and taking it out of its table costs more than tagging it."""
    return edition.corpus(task, name, split)[:]


def _each(names: Sequence[str], ask: Callable[[str], Any], unavailable: dict[str, str]) -> dict[str, Any]:
    """What `ask` answers by name; names that it raises CorpusUnavailable for are added to `unavailable` instead."""
    found = {}
    for name in names:
        try:
            found[name] = ask(name)
        except CorpusUnavailable as missing:
            unavailable[name] = str(missing)
    return found


def _most_frequent(counts: Counter) -> str:
    """The alphabetically first of the most frequent, so that it does not depend on the corpus's order."""
    return min(counts, key=lambda label: (-counts[label], label))
