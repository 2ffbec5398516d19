"""Chapter 3: Figure 1, its trends, Tables 3 and 4, what vocabularies make of text, claims."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import vocabulary

TITLES = {"m-bert": "M-BERT", "en-bert": "EN-BERT"}
CODES = ["en", "de", "es", "ru", "hi"]


COLUMNS = ["task", *stats.CELL, "seed", "score", "counts", "reason", "origin", "note"]


def edition(artificial=True, substitutes=None):
    titles = {"encoder_title": lambda name: TITLES.get(name, name), "title": "Tiny"}
    groups = {"adjective_group": languages.adjective_group, "substitutes": substitutes or {}}
    return SimpleNamespace(artificial=artificial, **titles, **groups)


POCKET, REAL = edition(), edition(artificial=False)


def run(encoder, train, evaluate, f1, seed=1):
    """Fifty sentences of twenty entities, of which the same share is found in each."""
    counts = np.tile([round(20 * f1), 20, 20], (50, 1))
    cell = ("ner", encoder, train, evaluate, seed, float(stats.percent(counts.sum(0))), counts)
    return dict(zip(COLUMNS, (*cell, "", "recorded", ""), strict=True))


def overlap_of(a, b):
    """High within a script, and different from pair to pair; none across scripts."""
    one_script = languages.script(a) == languages.script(b)
    return 0.1 + 0.05 * (CODES.index(a) + CODES.index(b)) if one_script else 0.0


def frames(m_bert=lambda overlap: 0.6, en_bert=lambda overlap: 2 * overlap):
    """Names and overlaps: M-BERT is flat, EN-BERT lives on overlap."""
    f1 = {"m-bert": m_bert, "en-bert": en_bert}
    cells = [(e, a, b, overlap_of(a, b)) for e in f1 for a in CODES for b in CODES]
    ner = pd.DataFrame([run(e, a, b, 0.9 if a == b else f1[e](x)) for e, a, b, x in cells])
    overlaps = pd.DataFrame(cells, columns=[*stats.CELL, "overlap"])
    return ner, overlaps[overlaps.train != overlaps.evaluate].assign(unk_share=0.1, reason="")


@pytest.fixture(scope="module")
def figure():
    return vocabulary.figure_1(*frames(), POCKET)


def test_figure_1_shows_every_zero_shot_pair_once_per_encoder_on_common_axes(figure):
    panels = figure.drawing.axes
    dots = [[len(points.get_offsets()) for points in panel.collections] for panel in panels]
    assert dots == [[6, 14], [6, 14]]  # EN, DE, ES share a script
    assert panels[0].get_xlim() == panels[1].get_xlim()
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert [panel.get_title(loc="left").split()[0] for panel in panels] == ["M-BERT", "EN-BERT"]


def test_figure_1_says_both_trends_and_what_is_artificial(figure):
    for text in (figure.caption, figure.alt):
        assert "M-BERT: rank correlation 0.00, slope 0.00" in text
        assert "slope 2.00 points of F1 per point of overlap" in text
    assert show.PATTERN in figure.caption and "Recorded results" in figure.caption


def test_a_pair_without_a_score_is_left_out_and_named():
    ner, overlaps = frames()
    lacking = ner.evaluate == "ru"
    ner.loc[lacking, ["score", "reason"]] = [np.nan, "Russian is sold by the metre."]
    drawn = vocabulary.figure_1(ner, overlaps, POCKET)
    assert [len(points.get_offsets()) for points in drawn.drawing.axes[0].collections] == [6, 10]
    assert "RU: Russian is sold by the metre." in drawn.caption
    nothing = vocabulary.figure_1(ner[lacking], overlaps, POCKET)
    assert nothing.name == "figure-1" and "sold by the metre" in nothing.caption


def test_trends_by_hand():
    """Overlaps of EN, DE, ES are 15, 20 and 25 percent, twice each; EN-BERT's F1 is double."""
    ner, overlaps = frames()
    cells = {title: row for title, *row in vocabulary.overlap_trends(ner, overlaps, POCKET).rows}
    assert cells["F1, overlap below 5%"] == ["60.0 (60.0 to 60.0)", "0.0 (0.0 to 0.0)"]
    assert cells["F1, one script"] == ["60.0 (60.0 to 60.0)", "40.0 (40.0 to 40.0)"]
    assert [cell.split(" (")[0] for cell in cells["slope"]] == ["0.00", "2.00"]
    assert cells["slope, one script"][1] == "2.00 (2.00 to 2.00)"
    assert cells["rank correlation"][0].startswith("0.00 (0.00 to 0.00), p = ")
    assert cells["[UNK] in entities, worst pair"] == ["10.0%", "10.0%"]


def test_a_missing_cell_leaves_a_dash_and_everything_else():
    ner, overlaps = frames()
    gap = (ner.encoder == "m-bert") & (ner.train == "en") & (ner.evaluate == "de")
    ner.loc[gap, ["score", "reason"]] = [np.nan, "gone"]
    table = vocabulary.overlap_trends(ner, overlaps, POCKET)
    cells = {title: row for title, *row in table.rows}
    assert cells["slope"][0] == show.MISSING and cells["slope"][1].startswith("2.00")
    assert any("gone" in note for note in table.notes)


def test_within_one_script_another_slope_can_hide_behind_a_pooled_one():
    """Two clouds, low and high, each flat for M-BERT: pooled, it is as steep as EN-BERT."""
    index = pd.MultiIndex.from_tuples([("en", "de"), ("en", "nl"), ("en", "ru"), ("en", "hi")])
    index = index.set_names(["train", "evaluate"])
    overlap = pd.Series([0.2, 0.3, 0.0, 0.1], index)
    scores = {"m-bert": [70.0, 70, 20, 20], "en-bert": [50.0, 70, 0, 20]}
    versions = {e: pd.DataFrame({("mean", 0): f1}, index) for e, f1 in scores.items()}
    known = {
        "ner": pd.concat(versions, names=["encoder"]),
        "overlap": pd.concat(dict.fromkeys(scores, overlap), names=["encoder"]),
    }
    rise = {e: vocabulary.slopes(known, e, claims.within_script).versions.iloc[0] for e in scores}
    assert rise == pytest.approx({"m-bert": 0, "en-bert": 2})
    assert vocabulary.slopes(known, "m-bert").versions.iloc[0] == pytest.approx(2)
    with pytest.raises(claims.NotAvailable):
        vocabulary.slopes({}, "m-bert")


def test_overlap_claims_tell_the_two_encoders_apart():
    ner, overlaps = frames()
    ids = [
        "overlap-independence",
        "transfer-without-overlap",
        "overlap-dependence",
        "english-fails-across-scripts",
    ]
    known = claims.evidence({"ner": ner, "overlap": overlaps}, POCKET)
    judged = claims.judge(vocabulary.CLAIMS, known)
    assert (judged.verdict[ids] == "supported").all()
    swapped = ner.assign(encoder=ner.encoder.map({"m-bert": "en-bert", "en-bert": "m-bert"}))
    known = claims.evidence({"ner": swapped, "overlap": overlaps}, POCKET)
    judged = claims.judge(vocabulary.CLAIMS, known)
    assert (judged.verdict[[ids[0], ids[3]]] == "contradicted").all()
    assert judged.verdict["english-in-language"] == "not testable"
    assert "no ner result" in judged.note["english-in-language-m-bert"]  # Dutch lacks


def in_language(f1=0.86):
    return pd.DataFrame([run("en-bert", c, c, f1, s) for c in vocabulary.CONLL for s in (1, 2, 3)])


def test_only_results_on_the_same_corpora_are_held_against_earlier_work():
    own, substituted = (
        claims.judge(vocabulary.CLAIMS, claims.evidence({"ner": in_language()}, each))
        for each in (REAL, edition(False, {"en": "WikiNEuRal"}))
    )
    own, substituted = (judged.loc["english-in-language"] for judged in (own, substituted))
    printed = published.TABLE_3.loc["Lample et al. (2016)"].mean()
    assert own.verdict == "supported"
    assert own.value == pytest.approx(printed - in_language().score.mean())
    assert substituted.verdict == "not testable" and "WikiNEuRal for English" in substituted.note


def test_table_3_keeps_the_signature_and_the_reasons_of_both_encoders():
    made = '{"recipe": "epochs=3", "encoder": "0123456789", "versions": "scoring 1"}'
    runs = [run(e, c, c, 0.8) for e in TITLES for c in vocabulary.CONLL]
    runs += [run("m-bert", "en", "de", 0.5), run("en-bert", "hi", "hi", 0.5)]
    ner = pd.DataFrame(runs).assign(made_from=made, edition="tiny")
    gap = (ner.encoder == "en-bert") & (ner.train == "nl")
    ner.loc[gap, ["score", "reason"]] = [np.nan, "buy it"]
    table = vocabulary.table_3(ner, POCKET)
    rows = {title: row for title, *row in table.rows}
    assert rows["**EN-BERT, ours**"] == ["**80.0**", "**80.0**", show.MISSING, "**80.0**"]
    assert rows["**M-BERT, ours**"] == ["**80.0**"] * 4
    assert "buy it" in " ".join(table.notes)
    assert all(f"{e} 01234567" in table.notes[-1] for e in TITLES)


def test_the_text_says_what_the_tables_do():
    ner, overlaps = frames()
    runs = [run(e, c, c, f1) for e, f1 in (("m-bert", 0.9), ("en-bert", 0.8)) for c in ("en", "de")]
    pos = pd.DataFrame(
        [
            run("m-bert", a, b, 0.9 if b == "bg" else 0.5)
            for a in ("en", "hi", "ur")
            for b in ("bg", "ja", "hi", "ur")
        ]
    )
    told = vocabulary.reading(ner, overlaps, pd.DataFrame(runs), pos, POCKET)
    assert told["flat"] == told["still"] == told["depends"] == told["fails"] == "supported"
    assert (told["steep_m"], told["steep_e"]) == ("0.00", "2.00")
    assert (told["english_within"], told["comparable"]) == ("80.0 to 80.0", "none of the 2")
    assert told["lost"] == pytest.approx(10)
    assert (told["hi_ur"], told["gap"], told["easier"]) == (50, 40, "above")
    assert told["paper_gap"] == pytest.approx(87.1 - 49.4)


def test_the_text_has_dashes_where_nothing_is_known():
    ner, overlaps = frames()
    told = vocabulary.reading(ner[:0], overlaps[:0], ner[:0], ner[:0], POCKET)
    assert told["flat"] == "not testable" and told["steep_m"] == show.MISSING
    assert np.isnan(told["hi_ur"]) and told["easier"] == "not comparable with"
    assert told["english_within"] == show.NOTHING


def cut():
    measured = [
        ("m-bert", "en", 1.25, 0.001, 0.995),
        ("m-bert", "hi", 2.5, 0.002, 0.9),
        ("en-bert", "en", 1.0, 0.0, 1.0),
        ("en-bert", "hi", 1.5, 0.75, 1.0),
    ]
    columns = ["encoder", "language", "fertility", "unk_share", "coverage"]
    return pd.DataFrame(measured, columns=columns).assign(reason="", origin="recorded", note="")


def test_pieces_stand_by_language_and_vocabulary():
    table = vocabulary.tokenised(cut(), REAL)
    assert table.header == ["", "M pieces", "M [UNK]", "M kept", "EN pieces", "EN [UNK]", "EN kept"]
    assert table.rows[0] == ["EN", "1.25", "0.1", "99.5", "1.00", "0.0", "100.0"]
    assert table.rows[1][4:6] == ["1.50", "75.0"]
    lacking = cut()
    lacking.loc[3, "reason"] = "no vocabulary"
    table = vocabulary.tokenised(lacking, REAL)
    assert table.rows[1][4:] == [show.MISSING] * 3 and "no vocabulary" in " ".join(table.notes)


def test_the_axis_has_a_strip_an_encoder_and_kind_of_pair_and_says_medians():
    _, overlaps = frames()
    drawn = vocabulary.overlap_axis(overlaps, REAL)
    strips = [len(points.get_offsets()) for points in drawn.drawing.axes[0].collections]
    assert strips == [6, 14, 6, 14]
    assert "M-BERT, one script 20.0%" in drawn.caption and "two scripts 0.0%" in drawn.caption


def test_what_vocabularies_do_in_words():
    told = vocabulary.vocabularies(cut(), frames()[1])
    assert told["fertility"] == "1.25 to 2.50" and told["unknown"] == "0.2"
    assert (told["blind"], told["worst"]) == ("1", "75")
    assert told["finer"] == "none of the 1"  # Hindi does not count: EN-BERT cannot spell it
    assert told["cut"] == "1 of the 2" and told["low"] == "all 14" and told["rho"] == "1.00"
    assert (told["near"], told["far"], told["most"]) == pytest.approx((20, 0, 25))
    nothing = vocabulary.vocabularies(cut()[:0], frames()[1])
    assert nothing == dict.fromkeys(told, show.NOTHING)
