"""Accuracy and conlleval's F1: hand-worked cases and random tags against an independent count."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosslingual import scoring
from crosslingual.corpora import conll
from crosslingual.corpora.text import labelled_corpus

DATA = os.environ.get("CROSSLINGUAL_DATA")


@pytest.mark.parametrize(("tags", "expected"), [
    ("B-PER I-PER O B-LOC", {(0, 2, "PER"), (3, 4, "LOC")}),              # IOB2, entity at the sentence end
    ("I-PER I-PER B-PER O I-LOC", {(0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")}),   # IOB1
    ("I-PER I-LOC I-LOC", {(0, 1, "PER"), (1, 3, "LOC")}),                # a change of type starts an entity
    ("B-PER I-LOC O", {(0, 1, "PER"), (1, 2, "LOC")}),                    # also after B-
    ("B-ORG B-ORG I-ORG", {(0, 1, "ORG"), (1, 3, "ORG")}),                # B- always starts one
    ("O I-MISC", {(1, 2, "MISC")}),                                       # I- after O
    ("O O", set()), ("", set()),
])
def test_entities_by_hand(tags: str, expected: set) -> None:
    assert scoring.entities(tags.split()) == expected


def test_f1_worked_by_hand() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-ORG"], ["O"]]
    result = scoring.score("ner", gold, predicted)
    assert result.counts.tolist() == [[1, 2, 2], [0, 0, 1]]
    assert result.value == pytest.approx(2 * 100 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))


def test_entities_do_not_cross_sentence_ends() -> None:
    gold = [["O", "B-PER"], ["I-PER", "O"]]
    joined = [[*gold[0], *gold[1]]]
    assert scoring.score("ner", gold, gold).counts[:, 2].sum() == 2
    assert scoring.score("ner", joined, joined).counts[:, 2].sum() == 1


def test_entity_cut_short_at_the_sentence_end_is_wrong() -> None:
    result = scoring.score("ner", [["O", "B-PER", "I-PER"]], [["O", "B-PER", "O"]])
    assert result.counts.tolist() == [[0, 1, 1]]
    assert result.value == 0.0


def test_accuracy_counts_words_not_sentences() -> None:
    result = scoring.score("pos", [["NOUN"], ["VERB", "NOUN", "ADJ"]], [["NOUN"], ["VERB", "ADJ", "ADV"]])
    assert result.counts.tolist() == [[1, 1], [1, 3]]
    assert result.value == 50.0


def test_nothing_to_count() -> None:
    assert scoring.score("ner", [["O"]], [["O"]]).value == 0.0
    assert np.isnan(scoring.score("pos", [], []).value)
    assert scoring.score("ner", [], []).counts.shape == (0, 3)


@pytest.mark.parametrize(("task", "gold", "predicted", "message"), [
    ("pos", [["NOUN", "VERB"]], [["NOUN"]], "Sentence 0 has 2 words but 1 predictions"),
    ("pos", [["NOUN"]], [], "0 predicted sentences for 1"),
    ("ner", [["PER"]], [["PER"]], "not an IOB tag"),
    ("chunking", [["O"]], [["O"]], "Unknown task 'chunking'"),
])
def test_bad_input_is_refused(task: str, gold: list, predicted: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scoring.score(task, gold, predicted)


TAG = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"])
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), max_size=8), min_size=1, max_size=6)


class Conlleval:
    """conlleval as a state machine over one stream of lines, sentences parted by an (O, O) line."""

    def __init__(self) -> None:
        self.correct = self.found = self.true = 0
        self.gold = self.guess = ("O", "")
        self.open = False  # an entity that started alike on both sides and has not diverged

    @staticmethod
    def starts(last: tuple[str, str], now: tuple[str, str]) -> bool:
        (last_tag, last_type), (tag, kind) = last, now
        return tag == "B" or (last_tag == "O" and tag == "I") or (tag != "O" and last_type != kind)

    @staticmethod
    def ends(last: tuple[str, str], now: tuple[str, str]) -> bool:
        (last_tag, last_type), (tag, kind) = last, now
        return last_tag in "BI" and (tag in "BO" or last_type != kind)

    def line(self, gold: str, guess: str) -> None:
        now_gold, now_guess = [tuple(f"{tag}-".split("-")[:2]) for tag in (gold, guess)]
        gold_ends, guess_ends = self.ends(self.gold, now_gold), self.ends(self.guess, now_guess)
        if self.open and gold_ends and guess_ends:
            self.correct += self.gold[1] == self.guess[1]
        if gold_ends or guess_ends:
            self.open = False
        gold_starts, guess_starts = self.starts(self.gold, now_gold), self.starts(self.guess, now_guess)
        self.true += gold_starts
        self.found += guess_starts
        if gold_starts and guess_starts and now_gold[1] == now_guess[1]:
            self.open = True
        self.gold, self.guess = now_gold, now_guess


@given(PAIRS)
def test_counts_equal_conlleval(sentences: list[list[tuple[str, str]]]) -> None:
    reference = Conlleval()
    for sentence in sentences:
        for gold, guess in sentence:
            reference.line(gold, guess)
        reference.line("O", "O")
    split = [[[pair[side] for pair in sentence] for sentence in sentences] for side in (0, 1)]
    result = scoring.score("ner", *split)
    assert result.counts.sum(axis=0).tolist() == [reference.correct, reference.found, reference.true]


@given(PAIRS)
def test_swapping_gold_and_predicted_keeps_f1(sentences: list[list[tuple[str, str]]]) -> None:
    gold = [[pair[0] for pair in sentence] for sentence in sentences]
    guess = [[pair[1] for pair in sentence] for sentence in sentences]
    assert scoring.score("ner", gold, guess).value == scoring.score("ner", guess, gold).value
    assert scoring.value("ner", scoring.score("ner", gold, guess).counts[:1]) <= 100.0


# ---- round trip: predictions written in CoNLL format, read and scored, against conlleval over the same lines


def drawn_tags(draw: random.Random, length: int) -> list[str]:
    return draw.choices(["O", "O", "O", *sorted(conll.TAGS)], k=length)


def blurred(draw: random.Random, tags: list[str]) -> list[str]:
    """Tags as a poor tagger has them: some exchanged, so that entities are cut, joined, shifted and begun by I-."""
    return [draw.choice(sorted(conll.TAGS)) if draw.random() < 0.15 else tag for tag in tags]


def tag_lines(path: Path) -> list[list[str]]:
    """Tags by sentence, by nothing but splitting lines."""
    return [[line.rpartition("\t")[2] for line in block.split("\n")] for block in path.read_text("utf-8").split("\n\n")[:-1]]


def conlleval(gold: list[str], guess: list[str]) -> list[int]:
    reference = Conlleval()
    for pair in [*zip(gold, guess, strict=True), ("O", "O")]:
        reference.line(*pair)
    return [reference.correct, reference.found, reference.true]


def check_round_trip(folder: Path, tokens: list, gold: list, predicted: list) -> None:
    assert len(gold) == 1000
    for name, tags in [("gold", gold), ("predicted", predicted)]:
        conll.write(labelled_corpus(tokens, tags), folder / name)
    read = [conll.read(folder / name) for name in ("gold", "predicted")]
    assert read[0][:]["tokens"] == read[1][:]["tokens"] == tokens
    result = scoring.score("ner", *[corpus[:]["labels"] for corpus in read])
    expected = [conlleval(*pair) for pair in zip(*[tag_lines(folder / name) for name in ("gold", "predicted")], strict=True)]
    assert result.counts.tolist() == expected
    correct, found, true = np.sum(expected, axis=0)
    assert 0 < correct < min(found, true)  # neither trivial nor hopeless
    precision, recall = correct / found, correct / true
    assert result.value == pytest.approx(200 * precision * recall / (precision + recall), rel=1e-12)


def test_predictions_as_conll_files_score_as_in_conlleval_on_random_tags(tmp_path: Path) -> None:
    draw = random.Random(0)
    gold = [drawn_tags(draw, draw.randint(1, 20)) for _ in range(1000)]
    tokens = [[f"w{index}" for index in range(len(tags))] for tags in gold]
    check_round_trip(tmp_path, tokens, gold, [blurred(draw, tags) for tags in gold])


@pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real corpora are not at hand")
def test_predictions_as_conll_files_score_as_in_conlleval_on_real_sentences(tmp_path: Path) -> None:
    """Sentences of 16 languages and of CoNLL-2002's two, with predictions blurred from the truth."""
    folder, draw = Path(DATA), random.Random(0)
    paths = [*sorted(folder.glob("ner16/*.test.conll")), folder / "conll2002/esp.testb", folder / "conll2002/ned.testb"]
    rows = [row for path in paths for row in conll.read(path).select(range(1000 // len(paths) + 1))][:1000]
    tokens, gold = [row["tokens"] for row in rows], [row["labels"] for row in rows]
    check_round_trip(tmp_path, tokens, gold, [blurred(draw, tags) for tags in gold])
