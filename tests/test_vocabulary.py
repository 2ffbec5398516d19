"""Chapter 3: Figure 1, its trends, Tables 3 and 4, claims."""

import fabricated
import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import vocabulary
from fabricated import ARTIFICIAL, REAL, TITLES

CODES = ["en", "de", "es", "ru", "hi"]
COLUMNS = ["task", *stats.CELL, "seed", "score", "counts", "reason", "origin", "note"]


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


def test_figure_1_shows_every_zero_shot_pair_once_per_encoder_on_common_axes():
    figure = vocabulary.figure_1(*frames(), ARTIFICIAL)
    panels = figure.drawing.axes
    dots = [[len(points.get_offsets()) for points in panel.collections] for panel in panels]
    assert dots == [[6, 14], [6, 14]]  # EN, DE, ES share a script
    assert panels[0].get_xlim() == panels[1].get_xlim()
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert [panel.get_title(loc="left").split()[0] for panel in panels] == ["M-BERT", "EN-BERT"]
    for text in (figure.caption, figure.alt):
        assert "M-BERT: rank correlation 0.00, slope 0.00" in text
        assert "slope 2.00 points of F1 per point of overlap" in text
    assert show.PATTERN in figure.caption and "Recorded results" in figure.caption


def test_a_pair_without_a_score_is_left_out_and_named():
    ner, overlaps = frames()
    lacking = ner.evaluate == "ru"
    ner.loc[lacking, ["score", "reason"]] = [np.nan, "Russian is sold by the metre."]
    drawn = vocabulary.figure_1(ner, overlaps, ARTIFICIAL)
    assert [len(points.get_offsets()) for points in drawn.drawing.axes[0].collections] == [6, 10]
    assert "RU: Russian is sold by the metre." in drawn.caption
    nothing = vocabulary.figure_1(ner[lacking], overlaps, ARTIFICIAL)
    assert nothing.name == "figure-1" and "sold by the metre" in nothing.caption


def test_trends_by_hand():
    """Overlaps of EN, DE, ES are 15, 20 and 25 percent, twice each; EN-BERT's F1 is double."""
    ner, overlaps = frames()
    cells = {
        title: row for title, *row in vocabulary.overlap_trends(ner, overlaps, ARTIFICIAL).rows
    }
    assert cells["F1, overlap below 5%"] == ["60.0 (60.0 to 60.0)", "0.0 (0.0 to 0.0)"]
    assert cells["F1, one script"] == ["60.0 (60.0 to 60.0)", "40.0 (40.0 to 40.0)"]
    assert [cell.split(" (")[0] for cell in cells["slope"]] == ["0.00", "2.00"]
    assert cells["slope, one script"][1] == "2.00 (2.00 to 2.00)"
    assert cells["rank correlation"][0].startswith("0.00 (0.00 to 0.00), p = ")
    assert cells["[UNK] in entities, worst pair"] == ["10.0%", "10.0%"]
    gap = (ner.encoder == "m-bert") & (ner.train == "en") & (ner.evaluate == "de")
    ner.loc[gap, ["score", "reason"]] = [np.nan, "gone"]
    lacking = vocabulary.overlap_trends(ner, overlaps[overlaps.encoder == "m-bert"], ARTIFICIAL)
    cells = {title: row for title, *row in lacking.rows}
    assert cells["slope"] == [show.MISSING] * 2 and any("gone" in note for note in lacking.notes)
    assert cells["[UNK] in entities, worst pair"] == ["10.0%", show.MISSING]


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
    ids = ["overlap-independence", "transfer-without-overlap"]
    ids += ["overlap-dependence", "english-fails-across-scripts"]
    known = claims.evidence({"ner": ner, "overlap": overlaps}, ARTIFICIAL)
    judged = claims.judge(vocabulary.CLAIMS, known)
    assert (judged.verdict[ids] == "supported").all()
    swapped = ner.assign(encoder=ner.encoder.map({"m-bert": "en-bert", "en-bert": "m-bert"}))
    known = claims.evidence({"ner": swapped, "overlap": overlaps}, ARTIFICIAL)
    judged = claims.judge(vocabulary.CLAIMS, known)
    assert (judged.verdict[[ids[0], ids[3]]] == "contradicted").all()
    assert judged.verdict["english-in-language"] == "not testable"
    assert "no ner result" in judged.note["english-in-language-m-bert"]  # Dutch lacks


def test_only_results_on_the_same_corpora_are_held_against_earlier_work():
    runs = [run("en-bert", c, c, 0.86, seed) for c in vocabulary.CONLL for seed in (1, 2, 3)]
    substitutes = fabricated.edition("paper", False, substitutes={"en": "WikiNEuRal"})
    own, substituted = (
        claims.judge(vocabulary.CLAIMS, claims.evidence({"ner": pd.DataFrame(runs)}, each)).loc[
            "english-in-language"
        ]
        for each in (REAL, substitutes)
    )
    printed = published.TABLE_3.loc["Lample et al. (2016)"].mean()
    assert own.verdict == "supported"
    assert own.value == pytest.approx(printed - pd.DataFrame(runs).score.mean())
    assert substituted.verdict == "not testable" and "WikiNEuRal for English" in substituted.note


def test_table_3_keeps_the_signature_and_the_reasons_of_both_encoders():
    made = '{"recipe": "epochs=3", "encoder": "0123456789", "versions": "scoring 1"}'
    runs = [run(e, c, c, 0.8) for e in TITLES for c in vocabulary.CONLL]
    runs += [run("m-bert", "en", "de", 0.5), run("en-bert", "hi", "hi", 0.5)]
    ner = pd.DataFrame(runs).assign(made_from=made, edition="tiny")
    gap = (ner.encoder == "en-bert") & (ner.train == "nl")
    ner.loc[gap, ["score", "reason"]] = [np.nan, "buy it"]
    table = vocabulary.table_3(ner, ARTIFICIAL)
    rows = {title: row for title, *row in table.rows}
    assert rows["**EN-BERT, ours**"] == ["**80.0**", "**80.0**", show.MISSING, "**80.0**"]
    assert rows["**M-BERT, ours**"] == ["**80.0**"] * 4
    assert "buy it" in " ".join(table.notes)
    assert all(f"{e} 01234567" in table.notes[-1] for e in TITLES)


def test_the_text_says_what_the_tables_do_and_has_dashes_where_nothing_is_known():
    ner, overlaps = frames()
    runs = [run(e, c, c, f1) for e, f1 in (("m-bert", 0.9), ("en-bert", 0.8)) for c in ("en", "de")]
    cells = [(a, b) for a in ("en", "hi", "ur") for b in ("bg", "ja", "hi", "ur")]
    pos = pd.DataFrame([run("m-bert", a, b, 0.9 if b == "bg" else 0.5) for a, b in cells])
    told = vocabulary.reading(ner, overlaps, pd.DataFrame(runs), pos, ARTIFICIAL)
    assert told["flat"] == told["still"] == told["depends"] == told["fails"] == "supported"
    assert (told["steep_m"], told["steep_e"]) == ("0.00", "2.00")
    assert (told["english_within"], told["comparable"]) == ("80.0 to 80.0", "none of the 2")
    assert told["lost"] == pytest.approx(10)
    assert (told["hi_ur"], told["gap"], told["easier"]) == (50, 40, "above")
    assert told["paper_gap"] == pytest.approx(87.1 - 49.4)
    told = vocabulary.reading(ner[:0], overlaps[:0], ner[:0], ner[:0], ARTIFICIAL)
    assert told["flat"] == "not testable" and told["steep_m"] == show.MISSING
    assert np.isnan(told["hi_ur"]) and told["easier"] == "not comparable with"
    assert told["english_within"] == show.NOTHING
