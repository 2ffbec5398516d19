"""Scores of the paper's tables: accuracy over words, and entity F1 as conlleval counts it (section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VERSION = 1  # bump when `score` or `value` gives another number for the same tags: results are keyed by it

POS_TASKS = ("pos", "code-switching")
TASKS = (*POS_TASKS, "ner")


class ScoringError(ValueError):
    """Tags that cannot be scored."""


@dataclass(frozen=True)
class Score:
    """A score in percent and the per-sentence counts it is the sum of (see `score`)."""

    value: float
    counts: np.ndarray


def score(task: str, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Score:
    """Score predicted tags against gold ones, sentence by sentence.

    counts: int array [n_sentences, 2] of (correct, all) words for "pos" and "code-switching",
        [n_sentences, 3] of (correct, predicted, gold) entities for "ner".

    Raises ScoringError for an unknown task, tags that are not IOB1 or IOB2, or a sentence whose number of
    predictions is not its number of words.
    """
    check_lengths(gold, predicted)
    count = _count_entities if metric(task) == "F1" else _count_words
    counts = [count(tags, guesses) for tags, guesses in zip(gold, predicted, strict=True)]
    array = np.array(counts, dtype=np.int64).reshape(len(counts), 3 if metric(task) == "F1" else 2)
    return Score(value(task, array), array)


def value(task: str, counts: np.ndarray) -> float:
    """Percent from counts [n_sentences, 2 or 3] or their sum, so that a bootstrap needs no rerun.

    Without a word the accuracy is undefined (nan); without a correct entity F1 is zero, as in conlleval.
    """
    totals = np.asarray(counts, dtype=np.int64).reshape(-1, counts.shape[-1]).sum(axis=0)
    if metric(task) == "F1":
        correct, predicted, gold = totals
        return 200.0 * float(correct) / float(predicted + gold) if correct else 0.0
    correct, words = totals
    return 100.0 * float(correct) / float(words) if words else float("nan")


def metric(task: str) -> str:
    """The name of a task's score: "accuracy" or "F1". Raises ScoringError for an unknown task."""
    if task not in TASKS:
        raise ScoringError(f"Unknown task {task!r}; choose one of {', '.join(TASKS)}.")
    return "F1" if task == "ner" else "accuracy"


def entities(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Entities of one sentence as (first word, word after the last, type), from IOB1 or IOB2 tags.

    conlleval's rules: an entity starts at B-, and at I- after O, after another type or at the sentence
    start; it ends before O, before B-, before another type, and at the sentence end.
    """
    found, start, current = set(), 0, ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, kind = _parts(tag)
        if current and (prefix != "I" or kind != current):
            found.add((start, index, current))
            current = ""
        if kind and not current:
            start, current = index, kind
    return found


def check_lengths(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Raise ScoringError unless every gold word has exactly one prediction."""
    if len(gold) != len(predicted):
        raise ScoringError(f"{len(predicted)} predicted sentences for {len(gold)} gold sentences.")
    for index, (tags, guesses) in enumerate(zip(gold, predicted, strict=True)):
        if len(tags) != len(guesses):
            raise ScoringError(f"Sentence {index} has {len(tags)} words but {len(guesses)} predictions.")


def _parts(tag: str) -> tuple[str, str]:
    """("B" or "I", type) of a tag; ("O", "") outside entities."""
    if tag == "O":
        return "O", ""
    prefix, _, kind = tag.partition("-")
    if prefix not in ("B", "I") or not kind:
        # Scoring bare types as if they were IOB tags gives a plausible, wrong number; so it is refused.
        raise ScoringError(f"{tag!r} is not an IOB tag; use O, B-TYPE or I-TYPE.")
    return prefix, kind


def _count_words(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, ...]:
    return sum(map(str.__eq__, gold, predicted)), len(gold)


def _count_entities(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, ...]:
    true, guessed = entities(gold), entities(predicted)
    return len(true & guessed), len(guessed), len(true)
