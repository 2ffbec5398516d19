"""Chapter 5: Figure 3, translations found, the drawn space, claims."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, show, stats
from crosslingual.chapters import space
from crosslingual.models import retrieve
from fabricated import ARTIFICIAL, edition

ARCH = [20, 40, 60, 75, 80, 80, 80, 80, 80, 75, 70, 68, 65]


def curve(by_layer=(20, 80, 60), baseline=10, sentences=100, pairs=(("en", "de"), ("hi", "ur"))):
    """The curve of each pair; sentences that share nothing with their translation are not found."""
    lines = [("paper", layer, accuracy) for layer, accuracy in enumerate(by_layer)]
    others = [("shared pieces", baseline), ("length", 1), ("held out", 70), ("no shift", 30)]
    lines += [(method, -1, accuracy) for method, accuracy in others]
    asked = product(pairs, lines, ["all", "nothing shared"])
    rows = [(*pair, *line, queries, sentences) for pair, line, queries in asked]
    columns = ["source", "target", "method", "layer", "accuracy", "queries", "candidates"]
    frame = pd.DataFrame(rows, columns=columns).assign(encoder="m-bert", reason="")
    apart = frame.queries == "nothing shared"
    frame["accuracy"] = frame.accuracy.where(~apart, frame.accuracy / 2)
    frame["hits"] = [(np.arange(sentences) < x * sentences / 100) * 1.0 for x in frame.accuracy]
    return frame


def test_figure_3_reads_ends_best_layer_and_baselines():
    drawn = space.figure_3(curve(), ARTIFICIAL)
    told = "embeddings 20.0, best 80.0 at layer 1, last 60.0; by shared pieces 10.0, by length 1.0"
    assert f"EN-DE: {told}" in drawn.alt
    apart = space.figure_3(curve(), ARTIFICIAL, "figure-3-apart", "nothing shared")
    assert "best 40.0 at layer 1" in apart.alt and space.APART in apart.caption
    assert space.APART not in drawn.caption and apart.name == "figure-3-apart"


def test_each_pair_is_drawn_among_all_its_candidates():
    short = curve(sentences=50, pairs=[("hi", "ur")])
    both = pd.concat([curve(pairs=[("en", "de")]), short, curve((1, 2, 3), sentences=20)])
    drawn = space.figure_3(both, ARTIFICIAL)
    assert "among 50 to 100 sentences" in drawn.caption and "best 3.0" not in drawn.caption
    assert set(space.fewer_candidates(both).candidates) == {20}
    nothing = space.figure_3(space.fewer_candidates(curve()), ARTIFICIAL, "figure-3-smaller")
    assert nothing.name == "figure-3-smaller" and "Not available" in nothing.caption


def test_a_pair_without_text_says_so():
    gone = curve(pairs=[("en", "ru")])[:1].assign(accuracy=np.nan, hits=None, candidates=np.nan)
    frame = pd.concat([curve(pairs=[("en", "de")]), gone.assign(reason="line 3 is blank")])
    assert "RU: line 3 is blank" in space.figure_3(frame, ARTIFICIAL).caption
    table = space.translations(frame, ARTIFICIAL)
    assert space.translations(frame[:0], ARTIFICIAL).rows == [[show.NOTHING]]  # no parallel text
    assert table.header == ["measure", "EN-DE"] and "line 3 is blank" in " ".join(table.notes)
    known = claims.evidence({"retrieval": frame}, ARTIFICIAL)
    notes = claims.judge(space.CLAIMS, known).note
    assert notes["language-vector"] == ""
    assert notes["middle-layers"] == "no retrieval result for en-ru (paper): line 3 is blank"
    assert "no retrieval" in claims.judge(space.CLAIMS, {}).note["language-vector"]


def test_the_best_layer_has_the_highest_mean():
    known = claims.evidence({"retrieval": curve()}, ARTIFICIAL)
    found = [space.best(known, ("en", "de"), way) for way in ("paper", "shared pieces")]
    assert [stats.estimate(one.versions).value for one in found] == pytest.approx([80, 10])


def test_translations_by_hand():
    cells = dict(space.translations(curve(pairs=[("en", "de")]), ARTIFICIAL).rows)
    best, layer = cells["best layer"].split("\n")
    assert layer == "layer 1" and cells["last layer"] == "60.0"
    counts = np.stack([np.arange(100) < 80, np.ones(100)], axis=1)
    samples = stats.sentence_weights(100, 1000, np.random.default_rng(0)) @ counts
    low, high = stats.percentile_interval(stats.percent(samples))
    assert best == f"**80.0 ± {(high - low) / 2:.1f}**"
    assert cells["shift held out, best"] == "70.0" and cells["no shift, best"] == "30.0"
    assert cells["pairs sharing nothing"] == "100" and cells["of these, best layer"] == "40.0"
    without = curve()[lambda rows: rows.queries == "all"]
    cells = {title: row for title, *row in space.translations(without, ARTIFICIAL).rows}
    assert cells["pairs sharing nothing"] == ["0", "0"]
    assert cells["of these, best layer"] == [show.MISSING] * 2
    told = space.reading(curve(), ARTIFICIAL)
    assert (told["gained"], told["beats"], told["fair"]) == ("50.0", "all 2", "10.0")
    assert told["shape"] == "in layer 1 of 2, a middle one, and falls by 20.0 points to the last"
    assert "as the paper's was" in told["why"]
    assert space.reading(curve()[:0], ARTIFICIAL)["shape"] == show.NOTHING


def test_a_curve_that_is_best_at_its_end_says_so_and_why():
    taught = edition("real", cannot_judge={"middle-layers": "it was taught so"})
    told = space.reading(curve((20, 60, 80)), taught)
    assert told["shape"] == "in the last layer, 2"
    assert told["why"] == "The likely reason: it was taught so"
    assert "not a middle one" in space.reading(curve((80, 60, 20)), taught)["shape"]


def test_pairs_are_named_with_one_hyphen():
    assert space.named(["en-fr", "hi-fa"]) == [("en", "fr"), ("hi", "fa")]
    with pytest.raises(ValueError, match="more_pairs: 'enfr'"):
        space.named(["enfr"])


def drawn_space():
    """Twelve sentences whose translations are the same vectors, moved: the shift finds all."""
    source = np.random.default_rng(0).normal(size=(12, 2))
    target, rows = source + 9, []
    for view in space.VIEWS:
        hits = retrieve.nearest_neighbour_hits(source, target, view).sum()
        moved = retrieve.PROTOCOLS[view](source, target)
        for side, places in [("source", moved), ("target", target)]:
            at = product(range(3), enumerate(places))
            rows += [(layer, view, side, i, *xy, hits) for layer, (i, xy) in at]
    columns = ["layer", "view", "side", "sentence", "x", "y", "found"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(encoder="m-bert", source="en", target="de", reason="")


def test_a_constant_shift_brings_every_translation_home():
    figure = space.halfway(drawn_space(), ARTIFICIAL)
    assert figure.name == "space" and "layer 1;" in figure.caption
    assert "12 after the shift" in figure.caption and "EN sentences (dots)" in figure.caption
    before, after = (panel.collections for panel in figure.drawing.axes)
    assert not np.allclose(before[0].get_offsets(), before[1].get_offsets())
    np.testing.assert_allclose(after[0].get_offsets(), after[1].get_offsets(), atol=1e-6)
    assert len(figure.drawing.axes[0].lines) == 12
    menu, _ = space.every_layer(drawn_space(), ARTIFICIAL).children
    assert list(menu.options) == ["embeddings", "layer 1", "layer 2"]
    gone = drawn_space()[:1].assign(reason="no encoder")
    assert "no encoder" in space.halfway(gone, ARTIFICIAL).caption
    assert list(space.every_layer(gone, ARTIFICIAL).children[0].options) == ["embeddings"]


def test_retrieval_claims_read_the_shape_of_the_curve():
    def judged(*curves):
        known = claims.evidence({"retrieval": pd.concat(curves)}, ARTIFICIAL)
        return claims.judge(space.CLAIMS, known)

    pairs = space.RETRIEVAL_PAIRS
    arch = judged(curve(ARCH, sentences=200, pairs=pairs))
    assert (arch.verdict == "supported").all()
    assert arch.value["middle-layers"] == 80 - 65 and arch.value["language-vector"] == 65
    falling = judged(curve(ARCH[::-1], 90, 200, pairs)).verdict
    assert falling["language-vector"] == falling["beyond-copying"] == "contradicted"
    steady = judged(curve(sorted(ARCH), sentences=200, pairs=pairs)).verdict
    assert steady["middle-layers"] == "contradicted"
    other = curve([99] * 13, pairs=pairs).assign(encoder="en-bert")
    small, large = curve([90] * 13, sentences=50, pairs=pairs), curve([10] * 13, pairs=pairs)
    mixed = judged(small, large, other)
    assert mixed.value["language-vector"] == 10  # of the largest set of candidates of M-BERT
    assert (judged(other).verdict == "not testable").all()
