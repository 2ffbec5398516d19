"""The reading of small encoders: every phrase follows from the results, whichever way these come out."""

import numpy as np
import pandas as pd
import pytest

from crosslingual import emergence, languages, published, reading
from crosslingual.editions import Edition

MINI = Edition.load("mini", kept=True)
CONLL, TABLE_2 = languages.CONLL_LANGUAGES, list(published.TABLE_2.columns)
HUNDRED = 100


def scores(codes, values, others=("word shape",), task="pos"):
    """``values``: function of (encoder, train, evaluate), a score in percent."""
    rows = [{"encoder": name, "task": task, "train": a, "evaluate": b, "seed": 1, "score": float(values(name, a, b)),
             "counts": np.array([[values(name, a, b), HUNDRED]])}
            for name in ("m-bert", "en-bert", *others) for a in codes for b in codes]  # fmt: skip
    return pd.DataFrame(rows)


def ahead(points):
    """M-BERT ahead of all others by so many points, 90 within a language."""
    return lambda name, a, b: 90 if a == b else 50 + (points if name == "m-bert" else 0)


def test_it_is_about_real_languages_with_a_training_log():
    assert reading.small(Edition.load("pocket")).name == "mini" and reading.small(Edition.load("mini")).name == "mini"
    assert reading.small(Edition.load("paper")).name == "mini"  # the original encoders' training is not on record
    assert reading.small(Edition.load("smoke")) is None


@pytest.mark.parametrize("points, phrases", [(5, ["all 12", "by 5.0 points", "more\ncarries over than the look of words"]),
                                             (-5, ["none of the 12", "by −5.0 points", "no more\ncarries over than the look of words"])])
def test_who_is_ahead_decides_what_is_said(points, phrases):
    text = reading.transfer(MINI, scores(TABLE_2, ahead(points)), scores(CONLL, ahead(points), (), "ner")).data
    assert all(phrase in text for phrase in phrases), text
    assert f"F1 is 90.0 to 90.0 within a language and\n{50 + points}.0 to {50 + points}.0 across" in text


def test_a_halt_of_the_curve_is_told_from_a_rise(monkeypatch):
    def grown(last):
        rows = [(0, 10.0), (18000, 30.0), (36000, last)]
        return pd.DataFrame([{"step": step, "measure": emergence.ZERO_SHOT, "source": "en", "target": "de", "layer": -1, "score": score}
                             for step, score in rows])  # fmt: skip

    told = {}
    for last in (30.5, 45.0):
        monkeypatch.setattr(emergence, "curve", lambda *_, last=last: grown(last))
        told[last] = reading.transfer(MINI, scores(TABLE_2, ahead(5)), scores(CONLL, ahead(5), (), "ner")).data
    assert "had come to a halt" in told[30.5] and "from 30.0% to 30.5%" in told[30.5]
    assert "had not come to an end" in told[45.0]


def test_structure_parts_pairs_by_what_was_read():
    codes = ["en", "de", "hi", "ur", "fi", "ko"]  # the last two were not read
    values = lambda name, a, b: 60 if name == "m-bert" and not {"fi", "ko"} & {a, b} else 40  # noqa: E731
    known = pd.DataFrame({"read": 0.0, "fertility": 2.0, "sentences": 9.0, "unknown": [0, 0, 0, 0, 0.1, 60]}, codes)
    text = reading.structure(MINI, scores(codes, values), {"m-bert": known}).data
    assert "a fifth of the pieces: Korean." in text
    assert "(12 pairs) M-BERT reaches 60.0%, EN-BERT 40.0%" in text and "over the other 18 pairs it is 40.0%" in text
    assert "20.0 points in the first group and 0.0 in the second: it is\nlarger" in text
    assert "tagged with 52.0% and the others with\n40.0%" in text  # from three 60, from FI and KO 40


def test_a_pair_with_more_seeds_counts_no_more_than_another():
    """As in the book, where the rows that tables print have three seeds and all others one."""
    codes = ["en", "de", "hi"]
    once = scores(codes, lambda name, a, b: 80 if a == "en" else 20)
    thrice = pd.concat([once, *(once[once.train == "en"].assign(seed=seed) for seed in (2, 3))], ignore_index=True)
    assert reading.structure(MINI, once, {}).data == reading.structure(MINI, thrice, {}).data


def test_vocabulary_and_space_compare_with_their_controls():
    pairs = [(a, b) for a in CONLL for b in CONLL]
    overlaps = pd.DataFrame([{"encoder": name, "train": a, "evaluate": b, "overlap": 0.01 * (i + 1), "unk_share": 0.25}
                             for name in ("m-bert", "en-bert") for i, (a, b) in enumerate(pairs)])  # fmt: skip
    rank = {pair: i + 1 for i, pair in enumerate(pairs)}
    ner = scores(CONLL, lambda name, a, b: 2 * rank[a, b] if name == "m-bert" else 7, (), "ner")
    text = reading.vocabulary(MINI, ner, overlaps, scores(["hi", "ur", "en", "bg", "ja"], ahead(7))).data
    assert "2.00 points of F1 to M-BERT and 0.00 to EN-BERT" in text
    assert "what one would see if names were found by their spelling" in text
    assert "HI to UR 57.0 (EN-BERT 50.0, word shape 50.0)" in text
    rows = [("paper", 1, 30.0), ("paper", 2, 20.0), ("shared pieces", 1, 25.0)]
    curve = pd.DataFrame([{"encoder": "m-bert", "source": "en", "target": "de", "queries": "all", "method": method, "layer": layer,
                           "accuracy": accuracy, "candidates": 200} for method, layer, accuracy in rows])  # fmt: skip
    text = reading.space(MINI, curve).data
    assert "EN-DE 30.0% (copied pieces 25.0%, chance 0.50%)" in text and "all 1 pairs" in text and "layer 1 of 2" in text


def test_without_results_it_says_so():
    columns = ["encoder", "task", "train", "evaluate", "seed", "score", "counts"]
    nothing = pd.DataFrame(columns=columns)
    for text in [reading.transfer(MINI, nothing, nothing), reading.structure(MINI, nothing, {}),
                 reading.vocabulary(MINI, nothing, pd.DataFrame(columns=["encoder", "train", "evaluate", "overlap", "unk_share"]), nothing),
                 reading.space(MINI, pd.DataFrame(columns=["encoder", "queries"]))]:  # fmt: skip
        assert "no results at hand" in text.data
