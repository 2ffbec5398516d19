"""What encoders bring to languages, beside how these fare: read text, pieces a word, groups of pairs."""

import json

import numpy as np
import pandas as pd
import pytest
import toy

from crosslingual import exposure, figures, tables, trends
from crosslingual.editions import Edition
from crosslingual.store import Store

FILE = """\
title: small
artificial: true
seeds: [1]
corpora: {source: pocket, sizes: {pos: {train: 12, dev: 2, test: 6}}}
languages: {pos: [en, de, hi]}
encoders: {m-bert: ./tiny}
"""


@pytest.fixture
def small(tmp_path):
    toy.save_encoder(tmp_path / "tiny")
    (tmp_path / "tiny.yml").write_text("languages: [en, de]\n")
    (tmp_path / "tiny" / "text.json").write_text(json.dumps({"en": {"lines": 3, "pieces": 40}}))
    (tmp_path / "small.yml").write_text(FILE)
    return Edition.load(tmp_path / "small.yml")


def test_conditions_are_read_off_the_encoder_and_the_corpora(small, tmp_path):
    known = exposure.conditions(small, store=Store(tmp_path / "store"))
    assert known["read"]["en"] == 40 and known["read"]["hi"] == 0 and np.isnan(known["read"]["de"])  # read, and not noted
    assert (known.sentences == 12).all() and (known.fertility >= 1).all()
    assert known.unknown["hi"] > 70 > known.unknown["en"]  # the toy has Latin letters only


def test_conditions_are_kept_where_the_corpora_are_gone(small, tmp_path):
    store = Store(tmp_path / "store")
    first = exposure.conditions(small, store=store)
    kept = Edition.load(small.path, kept=True)
    assert exposure.conditions(kept, store=Store(tmp_path / "other")).fertility.isna().all()
    digests = {f"pos/{code}/{split}": small.corpus_digest("pos", code, split) for code in first.index for split in ("train", "test")}
    kept.__dict__["pinned"] = digests
    pd.testing.assert_frame_equal(exposure.conditions(kept, store=store), first)


def scores(value):
    codes = ["en", "de", "hi", "ur"]
    rows = [{"encoder": "m-bert", "train": a, "evaluate": b, "seed": 1, "score": value(a, b), "task": "pos",
             "counts": np.array([[round(value(a, b)), 100]])} for a in codes for b in codes]  # fmt: skip
    return pd.DataFrame(rows)


def test_standing_leaves_the_language_itself_out():
    table = exposure.standing(scores(lambda a, b: 100 if a == b else {"en": 10, "de": 20, "hi": 30, "ur": 40}[b]), "m-bert")
    assert table.evaluate.to_dict() == {"de": 20, "en": 10, "hi": 30, "ur": 40}
    assert table.train["en"] == 30 and table.train["ur"] == 20


def test_associations_have_the_sign_of_the_condition_and_skip_what_does_not_vary():
    frame = scores(lambda a, b: {"en": 80, "de": 60, "hi": 40, "ur": 20}[b])
    known = pd.DataFrame({"read": [9.0, 5, 2, 0], "fertility": [1.0, 2, 3, 4], "unknown": [0.0] * 4, "sentences": [np.nan] * 4},
                         ["en", "de", "hi", "ur"])  # fmt: skip
    found = exposure.associations(frame, known, "m-bert", 200)
    assert found.correlation["read", "evaluate"] == 1 and found.correlation["fertility", "evaluate"] == -1
    assert found.p["fertility", "evaluate"] < 0.15  # one of 24 orders is as strong
    assert set(found.index.get_level_values("condition")) == {"read", "fertility"}
    table = tables.associations({"m-bert": found, "en-bert": found[:0]}, Edition.load("mini"))
    assert [row[0] for row in table.rows] == ["text read in pre-training, M-BERT", "pieces a word, M-BERT"]
    assert table.rows[0][1].startswith("1.00 (p = ")


def test_groups_of_pairs_by_what_was_read_cover_every_pair_once():
    groups = exposure.by_reading(["ur"])
    pairs = [(a, b) for a in ("en", "de", "hi", "ur") for b in ("en", "de", "hi", "ur") if a != b]
    held = [[title for title, keep in groups.items() if keep(*pair)] for pair in pairs]
    assert all(len(titles) == 1 for titles in held)
    assert held[pairs.index(("en", "de"))] == ["both read, one script"]
    assert held[pairs.index(("hi", "ur"))] == ["first read, two scripts"]
    means = trends.averages(scores(lambda a, b: 70 if "ur" in (a, b) else 50), groups)
    assert means["both read, one script"]["m-bert"].value == 50 and means["first read, two scripts"]["m-bert"].value == 70
    table = tables.floors_by_group(scores(lambda a, b: 50), Edition.load("mini"), "t", groups=groups)
    assert not any("neither read" in row[0] for row in table.rows)


def test_the_figure_tells_read_languages_from_others():
    known = pd.DataFrame({"read": [9.0, 0, np.nan], "fertility": [1.0, 2, 3]}, ["en", "de", "hi"])
    figure = figures.exposure(known, pd.Series([50.0, 30, 70], known.index), "m-bert", Edition.load("mini"))
    assert "60.0 on average over 2 that it read; 30.0 on average over 1 that it never read" in figure.caption
    assert "not available" in figures.exposure(known[:0], pd.Series(dtype=float), "m-bert", Edition.load("mini")).caption.lower()
