"""Accuracy, conlleval's F1 and the taggers without pre-training."""

from itertools import pairwise

import numpy as np
import pytest
from crosslingual.models import ModelError, score
from hypothesis import given, settings
from hypothesis import strategies as st

SPANS = [
    ("B-PER I-PER O B-LOC", {(0, 2, "PER"), (3, 4, "LOC")}),  # IOB2, one at the sentence end
    ("I-PER I-PER B-PER O I-LOC", {(0, 2, "PER"), (2, 3, "PER"), (4, 5, "LOC")}),  # IOB1
    ("B-PER I-LOC I-LOC", {(0, 1, "PER"), (1, 3, "LOC")}),  # another type starts an entity
    ("O I-MISC-x", {(1, 2, "MISC-x")}),  # I- after O; a type may have a hyphen
]


@pytest.mark.parametrize(("tags", "expected"), SPANS)
def test_entities_by_hand(tags, expected):
    assert score.entities(tags.split()) == expected


COUNTS = [  # task, gold, predicted, counts, percent
    ("ner", ["B-PER I-PER O B-LOC", "B-ORG"], ["B-PER I-PER O B-ORG", "O"], "122 001", 40),
    ("ner", ["O B-PER", "I-PER O"], ["O B-PER", "I-PER O"], "111 111", 100),
    ("ner", ["O B-PER I-PER O"], ["O B-PER I-PER O"], "111", 100),  # the same without an end
    ("ner", ["O B-PER I-PER"], ["O B-PER O"], "011", 0),  # half of one is wrong
    ("code-switching", ["NOUN", "VERB NOUN ADJ"], ["NOUN", "VERB ADJ ADV"], "11 13", 50),
    ("ner", ["O"], ["O"], "000", 0),
    ("ner", [], [], "", 0),
    ("pos", [], [], "", np.nan),
]


@pytest.mark.parametrize(("task", "gold", "predicted", "expected", "percent"), COUNTS)
def test_scores_worked_by_hand(task, gold, predicted, expected, percent):
    counts = score.count(task, *([line.split() for line in side] for side in (gold, predicted)))
    assert counts.shape == (len(gold), 3 if task == "ner" else 2)
    assert counts.tolist() == [list(map(int, row)) for row in expected.split()]
    assert score.percent(counts) == pytest.approx(percent, nan_ok=True)


BAD = [
    ("pos", [["NOUN", "VERB"]], [["NOUN"]], "Sentence 0 has 2 words but 1 predictions"),
    ("pos", [["NOUN"]], [], "0 predicted sentences for 1"),
    ("ner", [["PER"]], [["PER"]], "'PER' is not an IOB tag"),
    ("ner", [["S-PER"]], [["O"]], "'S-PER' is not an IOB tag"),
]


@pytest.mark.parametrize(("task", "gold", "predicted", "message"), BAD)
def test_bad_input_is_refused(task, gold, predicted, message):
    with pytest.raises(ModelError, match=message):
        score.count(task, gold, predicted)


def spans(tags):
    """conlleval's rules word by word: does one begin here, and where does it end?"""
    parts = [("O", ""), *(tag.partition("-")[::2] for tag in tags), ("O", "")]
    pairs = enumerate(pairwise(parts))
    begins = {at for at, (last, now) in pairs if now[1] and (now[0] == "B" or last[1] != now[1])}
    ends = begins | {at for at, (prefix, _) in enumerate(parts[1:]) if prefix == "O"}
    return {(at, min(end for end in ends if end > at), parts[at + 1][1]) for at in begins}


TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=8)


@settings(max_examples=200, deadline=None)
@given(TAGS, st.randoms(use_true_random=False))
def test_counts_follow_conllevals_rules_and_both_sides_are_alike(gold, random):
    guess = [tag if random.random() < 0.7 else random.choice(["O", "I-PER"]) for tag in gold]
    true, found = spans(gold), spans(guess)
    counts = score.count("ner", [gold], [guess])
    assert counts.tolist() == [[len(true & found), len(found), len(true)]]
    assert score.percent(counts) == score.percent(score.count("ner", [guess], [gold]))


ENGLISH = [
    "Eva/PROPN and/CCONJ Ann/PROPN walked/VERB 12/NUM miles/NOUN ./PUNCT",
    "Bob/PROPN talked/VERB and/CCONJ jumped/VERB !/PUNCT",
    "Some/DET old/ADJ towns/NOUN 7/NUM miles/NOUN away/ADV ./PUNCT",
]
TOKENS, LABELS = [
    [[pair.split("/")[side] for pair in line.split()] for line in ENGLISH] for side in (0, 1)
]


def test_features_of_a_word_by_hand():
    expected = ("any", "case title", "kinds L", "length 3", "-n", "-nn", "-ann")
    assert score.shape("Ann") == expected
    assert score.shape("12") == ("any", "case lower", "kinds N", "length 2", "-2", "-12")
    assert score.shape("!")[-1] == "sign !" and score.shape("iPhone")[1] == "case mixed"
    assert score.shape("NATO")[1] == "case upper" and score.shape("x" * 40)[3] == "length 10"


def test_baselines_know_words_or_looks_or_nothing():
    unseen = [["miles", "Zed", "smiled", "99", "rivers", ".", "город"]]
    tagged = {name: score.baseline(name, TOKENS, LABELS) for name in score.BASELINES}
    assert tagged[score.MAJORITY].predict(unseen) == [["NOUN"] * 7]  # before PROPN and VERB
    assert tagged[score.LOOK_UP].predict(unseen)[0][:2] == ["NOUN", "NOUN"]
    assert tagged[score.LOOK_UP].predict([["away", "."]]) == [["ADV", "PUNCT"]]
    shaped = tagged[score.WORD_SHAPE].predict(unseen)[0][:6]
    assert shaped == ["NOUN", "PROPN", "VERB", "NUM", "NOUN", "PUNCT"]


def test_the_profile_of_a_treebank_by_hand():
    text = [["run", "run", "cat"], ["a"]], [["VERB", "NOUN", "NOUN"], ["DET"]]
    found = score.profile(*text, [["run", "dog"]], [["NOUN", "NOUN"]])
    expected = {"words": 2, "homographs": 50, "unseen": 50, "majority_class": 100, "look_up": 100}
    assert found == expected  # a tie of tags goes to the first by the alphabet: run is a NOUN
