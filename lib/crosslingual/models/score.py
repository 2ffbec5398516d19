"""Scores of the paper's tables: accuracy over words, and entity F1 as conlleval counts it.

(Section 2.) Beside them stand taggers that know no other language: what a score is held against.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import optimize, sparse
from scipy.special import log_softmax

from crosslingual.models import ModelError, Sentences

VERSION = 1  # bump when `count` or `percent` gives another number for the same tags
BASELINE_VERSION = 2  # bump when a baseline tags differently
MAJORITY, LOOK_UP, WORD_SHAPE = BASELINES = ("majority class", "most frequent tag", "word shape")
# Not pre-trained either, but not of this module: they need torch.
BILSTM_CRF, TWO_READINGS, PUT_BACK = "BiLSTM-CRF", "two readings", "put back into its script"


def count(task: str, gold: Sentences, predicted: Sentences) -> np.ndarray:
    """Counts of predicted tags against gold ones, int64 by sentence.

    [n_sentences, 2] of (correct, all) words, [n_sentences, 3] of (correct, predicted, gold)
    entities for "ner". Raises ModelError for tags that are neither IOB1 nor IOB2, and for
    another number of predictions than of sentences or words.
    """
    if len(gold) != len(predicted):
        raise ModelError(f"{len(predicted)} predicted sentences for {len(gold)} gold sentences.")
    counts = []
    for index, (tags, guesses) in enumerate(zip(gold, predicted, strict=True)):
        if len(tags) != len(guesses):
            sizes = f"{len(tags)} words but {len(guesses)} predictions"
            raise ModelError(f"Sentence {index} has {sizes}.")
        if task == "ner":
            true, found = entities(tags), entities(guesses)
            counts.append((len(true & found), len(found), len(true)))
        else:
            counts.append((sum(map(str.__eq__, tags, guesses)), len(tags)))
    return np.array(counts, np.int64).reshape(len(counts), 3 if task == "ner" else 2)


def percent(counts: np.ndarray) -> float:
    """The score in percent from counts [n_sentences, 2 or 3].

    Without a word accuracy is nan; without a correct entity F1 is zero, as in conlleval.
    """
    totals = np.asarray(counts, dtype=np.int64).sum(axis=0)
    if len(totals) == 3:
        correct, predicted, gold = totals
        return 200.0 * float(correct) / float(predicted + gold) if correct else 0.0
    correct, words = totals
    return 100.0 * float(correct) / float(words) if words else float("nan")


def entities(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Entities of one sentence as (first word, word after the last, type), IOB1 or IOB2 tags.

    conlleval's rules: one starts at B-, and at I- that does not go on with its type. Raises
    ModelError for other tags: bare types, taken for IOB, give a plausible, wrong number.
    """
    found, start, current = set(), 0, ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, _, kind = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or not kind):
            raise ModelError(f"{tag!r} is not an IOB tag; use O, B-TYPE or I-TYPE.")
        if current and (prefix != "I" or kind != current):
            found.add((start, index, current))
            current = ""
        if kind and not current:
            start, current = index, kind
    return found


def named_entities(tokens: Sentences, labels: Sentences) -> list[tuple[str, ...]]:
    """The words of every entity in labelled sentences, in text order."""
    return [
        tuple(words[start:end])
        for words, tags in zip(tokens, labels, strict=True)
        for start, end, _ in sorted(entities(tags))
    ]


def baseline(name: str, tokens: Sentences, labels: Sentences) -> LookUp | WordShape:
    """The tagger without pre-training of that name (BASELINES), trained."""
    return WordShape(tokens, labels) if name == WORD_SHAPE else LookUp(tokens, labels, name)


class LookUp:
    """Tags a known word with its most frequent tag, any other with the majority class."""

    def __init__(self, tokens: Sentences, labels: Sentences, name: str = LOOK_UP) -> None:
        tags = _tags_of_words(tokens, labels)
        self.majority = _most_frequent(sum(tags.values(), Counter()))
        known = tags if name == LOOK_UP else {}  # MAJORITY knows no word
        self.tags = {word: _most_frequent(counts) for word, counts in known.items()}

    def predict(self, sentences: Sentences) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        return [[self.tags.get(word, self.majority) for word in words] for words in sentences]


class WordShape:
    """Tags a word by its shape alone: a maximum-entropy classifier over the features of `shape`."""

    PENALTY, STEPS = 1e-5, 60  # of the weights' squares, as a share of the mean loss; of L-BFGS

    def __init__(self, tokens: Sentences, labels: Sentences) -> None:
        tags = _tags_of_words(tokens, labels)
        self.labels = sorted({label for counts in tags.values() for label in counts})
        features = sorted({feature for word in tags for feature in shape(word)})
        self.columns = {feature: i for i, feature in enumerate(features)}
        gold = [[counts[label] for label in self.labels] for counts in tags.values()]
        shares = np.array(gold, float)
        self.weights = self._fit(self._features(list(tags)), shares / shares.sum())

    def predict(self, sentences: Sentences) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        words = sorted({word for sentence in sentences for word in sentence})
        best = np.asarray(self._features(words) @ self.weights).argmax(1)
        tag = {word: self.labels[index] for word, index in zip(words, best, strict=True)}
        return [[tag[word] for word in sentence] for sentence in sentences]

    def _features(self, words: list[str]) -> sparse.csr_array:
        known = self.columns
        pairs = [(i, known[f]) for i, word in enumerate(words) for f in shape(word) if f in known]
        rows, columns = np.array(pairs, int).reshape(-1, 2).T
        size = (len(words), len(known))
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=size)

    def _fit(self, features: sparse.csr_array, gold: np.ndarray) -> np.ndarray:
        """Weights [features, labels] of least cross-entropy; `gold`: shares of all tokens."""
        size, across = (features.shape[1], gold.shape[1]), features.T.tocsr()
        mass = gold.sum(1, keepdims=True)

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(size)
            likely = log_softmax(features @ weights, axis=1)
            slope = across @ (mass * np.exp(likely) - gold) + 2 * self.PENALTY * weights
            return -(gold * likely).sum() + self.PENALTY * (flat @ flat), slope.ravel()

        start, limit = np.zeros(size).ravel(), {"maxiter": self.STEPS}
        found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options=limit)
        return found.x.reshape(size)


def profile(
    tokens: Sentences, labels: Sentences, test_tokens: Sentences, test_labels: Sentences
) -> dict[str, float]:
    """How far a look at words alone gets from training to test sentences, in percent.

    words (a sentence, a number); homographs: training words with several tags; unseen: test words
    that no training sentence has; majority_class, look_up: accuracies of these baselines.
    """
    tags = _tags_of_words(tokens, labels)
    words = [word for sentence in tokens for word in sentence]
    tested = [word for sentence in test_tokens for word in sentence]
    found = {"words": len(words) / len(tokens)}
    found["homographs"] = 100 * float(np.mean([len(tags[word]) > 1 for word in words]))
    found["unseen"] = 100 * float(np.mean([word not in tags for word in tested]))
    for key, name in [("majority_class", MAJORITY), ("look_up", LOOK_UP)]:
        predicted = LookUp(tokens, labels, name).predict(test_tokens)
        found[key] = percent(count("pos", test_labels, predicted))
    return found


@lru_cache(maxsize=2**20)
def shape(word: str) -> tuple[str, ...]:
    """Features of a word's look: last one to three letters, capitals, digits, signs, length."""
    kinds = "".join(sorted({unicodedata.category(character)[0] for character in word}))
    endings = [f"-{word[-n:].lower()}" for n in (1, 2, 3) if len(word) >= n]
    sign = [f"sign {word}"] if set(kinds) <= {"P", "S"} else []
    length = f"length {min(len(word), 10)}"
    case = "title" if word[:1].isupper() else "mixed" if word.lower() != word else "lower"
    case = "upper" if word.isupper() else case
    return ("any", f"case {case}", f"kinds {kinds}", length, *endings, *sign)


def _tags_of_words(tokens: Sentences, labels: Sentences) -> dict[str, Counter]:
    tags: dict[str, Counter] = {}
    for words, row in zip(tokens, labels, strict=True):
        for word, label in zip(words, row, strict=True):
            tags.setdefault(word, Counter())[label] += 1
    return tags


def _most_frequent(counts: Counter) -> str:
    """The alphabetically first of the most frequent, so that the corpus's order does not count."""
    return min(counts, key=lambda label: (-counts[label], label))
