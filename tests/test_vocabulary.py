"""Chapter 3: Figure 1, its trends, Tables 3 and 4, claims."""

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, corpora, languages, results, show, stats
from crosslingual.chapters import vocabulary
from fabricated import ARTIFICIAL, REAL

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
    table = vocabulary.overlap_trends(ner, overlaps, ARTIFICIAL)
    cells = {title: [cell.split(" (")[0] for cell in row] for title, *row in table.rows}
    assert cells["F1, overlap below 5%"] == ["60.0", "0.0"]
    assert cells["F1, one script"] == ["60.0", "40.0"]
    assert cells["slope"] == cells["slope, one script"] == ["0.00", "2.00"]
    assert cells["rank correlation"][0] == "0.00"
    assert cells["[UNK] in entities, worst pair"] == ["10.0%", "10.0%"]
    gap = (ner.encoder == "m-bert") & (ner.train == "en") & (ner.evaluate == "de")
    ner.loc[gap, ["score", "reason"]] = [np.nan, "gone"]
    lacking = vocabulary.overlap_trends(ner, overlaps[overlaps.encoder == "m-bert"], ARTIFICIAL)
    cells = {title: row for title, *row in lacking.rows}
    assert cells["slope"] == [show.MISSING] * 2 and any("gone" in note for note in lacking.notes)


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


def test_the_text_says_what_the_tables_do_and_has_dashes_where_nothing_is_known():
    ner, overlaps = frames()
    runs = [run(e, c, c, f1) for e, f1 in (("m-bert", 0.9), ("en-bert", 0.8)) for c in ("en", "de")]
    cells = [(a, b) for a in ("en", "hi", "ur") for b in ("bg", "ja", "hi", "ur")]
    pos = pd.DataFrame([run("m-bert", a, b, 0.9 if b == "bg" else 0.5) for a, b in cells])
    equal = overlaps.assign(overlap=overlaps.overlap * 2)
    told = vocabulary.reading(ner, overlaps, equal, pd.DataFrame(runs), pos, ARTIFICIAL)
    assert told["still"] == told["depends"] == told["fails"] == "supported"
    assert (told["steep_m"], told["steep_e"], told["equal_e"]) == ("0.00", "2.00", "1.00")
    assert (told["two_e"], told["one_e"], told["m"]) == ("0.0", "40.0", "M-BERT")
    assert (told["english_within"], told["comparable"]) == ("80.0", "none of the 2")
    assert told["lost"] == pytest.approx(10)
    assert (told["hi_ur"], told["gap"], told["easier"]) == (50, 40, "above")
    assert told["paper_gap"] == pytest.approx(87.1 - 49.4)
    told = vocabulary.reading(ner[:0], overlaps[:0], overlaps[:0], ner[:0], ner[:0], ARTIFICIAL)
    assert told["flat"] == "not testable" and told["steep_m"] == show.MISSING
    assert np.isnan(told["hi_ur"]) and told["easier"] == "not comparable with"
    assert told["english_within"] == show.NOTHING


def test_earlier_work_stands_in_table_3_beside_the_encoders_and_is_held_against_them():
    def runs(encoder, f1):
        cells = [(code, seed) for code in vocabulary.CONLL for seed in (1, 2, 3)]
        frame = pd.DataFrame([run(encoder, code, code, f1, seed) for code, seed in cells])
        return frame.assign(made_from="{}", edition="pocket")

    within = pd.concat([runs("m-bert", 0.9), runs("en-bert", 0.8)])
    earlier = runs("BiLSTM-CRF", 0.7)
    table = vocabulary.table_3(within, earlier, ARTIFICIAL)
    ours = {row[0]: row[1] for row in table.rows[2:]}
    shown = {"Lample et al. (2016)": "70.0", "EN-BERT": "80.0", "M-BERT": "90.0"}
    assert ours == {f"**{title}, run here**": value for title, value in shown.items()}
    told = vocabulary.earlier_work(within, earlier, ARTIFICIAL)
    assert (told["earlier"], told["run"], told["worth"]) == ("70.0", "supported", "7.31")
    assert told["ahead_e"] == "+10.0 (10.0 to 10.0)" and told["ahead_m"][:5] == "+20.0"
    ahead = vocabulary.earlier_work(within, runs("BiLSTM-CRF", 0.85), ARTIFICIAL)
    assert ahead["run"] == "contradicted"  # by 5 points, and pre-trained embeddings are worth 7
    nothing = vocabulary.earlier_work(within, earlier[:0], ARTIFICIAL)
    assert (nothing["run"], nothing["earlier"]) == ("not testable", show.NOTHING)
    assert len(vocabulary.table_3(within, earlier[:0], ARTIFICIAL).rows) == 4


def test_runs_that_fell_apart_are_counted_and_named_with_what_stands_for_them():
    columns = ["encoder", "train", "seed", "dev_score", "in_place_of"]
    rows = [("m-bert", "bn", 1, 70, -1), ("m-bert", "bn", 2, 5, -1), ("m-bert", "bn", 4, 72, 2)]
    rows += [("m-bert", "de", 1, 80, -1), ("en-bert", "nl", 1, np.nan, -1)]
    runs = pd.DataFrame(rows, columns=columns).assign(reason="", note="", evaluate="en")
    runs["fell_apart"] = runs.dev_score < 50
    table = vocabulary.fallen(pd.concat([runs, runs]), REAL)
    assert table.rows == [["M-BERT", "BN", "2 of 3", "72.0", "2", "4 for 2"]]
    few = "fewer than three are whole when fine-tuned on BN (M-BERT)."
    assert vocabulary.too_few(runs, REAL).endswith(few)
    told = vocabulary.fallen_told(runs, REAL)
    assert told.startswith("Of 4 runs on entities 1 fell apart, 1 of 4 with M-BERT. So many")
    whole = runs[~runs.fell_apart]
    assert vocabulary.fallen(whole, REAL) is None and vocabulary.too_few(whole, REAL) == ""
    assert "not applied" in vocabulary.fallen_told(whole.drop(columns="dev_score"), REAL)
    assert few in vocabulary.figure_1(*frames(), REAL, few).caption


def tagged(pieces):
    return pd.DataFrame({"kind": "tagged", "second": pieces, "reason": ""})


def test_moving_the_label_is_told_by_language_and_where_nothing_moves_that_is_said():
    found = {("en", "ja"): [27, 56, 52, 57], ("en", "de"): [88] * 4, ("en", "en"): [96, 95, 96, 96]}
    cells = [(*pair, *each) for pair, f1 in found.items() for each in zip(vocabulary.RULES, f1)]
    test = [run("m-bert", a, b, f1 / 100) | {"alignment": rule} for a, b, rule, f1 in cells]
    dev = [row | {"split": "dev"} for row in test if row["train"] == row["evaluate"]]
    labels = pd.DataFrame([row | {"split": "test", "task": "pos"} for row in test] + dev)
    labels = labels.assign(counts=[c[:, :2] for c in labels.counts], bare=0.9, made_from="{}")
    table = vocabulary.label_places(labels, REAL)
    assert table.rows[2] == ["EN to JA", "90%", "25.0", "55.0", "50.0", "55.0", "49.4"]
    told = vocabulary.label_told(labels, labels[:0])
    assert "JA 25.0 to 55.0, DE 90.0 to 90.0; within a language by 0.0." in told["sits"]
    assert "EN" in told["decided"] and "none of the 1 models" in told["decided"]
    assert vocabulary.label_places(labels[:0], REAL) is None
    nothing = vocabulary.label_told(labels[:0], tagged(["ber ##lin", "a"]))["sits"]
    assert "none of the 2 words" in nothing
    for unknown in (tagged(["\u2581 猫"]), tagged([])):
        assert "not tried" in vocabulary.label_told(labels[:0], unknown)["sits"]


def confused(train, evaluate, seed=1, **wrong):
    """Ninety words of each tag that are right, and others, by "GOLD_PREDICTED", that are wrong."""
    counts = pd.DataFrame(np.diag([90] * 17), corpora.UPOS, corpora.UPOS)
    for tags, number in wrong.items():
        counts.loc[tuple(tags.split("_"))] += number
    return {"train": train, "evaluate": evaluate, "counts": counts, "reason": ""}


def test_confusions_are_shares_of_all_words_over_seeds_the_largest_first():
    rows = [confused("en", "ja", AUX_VERB=30, NOUN_ADJ=10), confused("en", "ja", AUX_VERB=10)]
    rows += [confused("ja", "en", NOUN_VERB=170), confused("hi", "en", DET_ADP=99)]
    frame = pd.DataFrame(rows)
    wrong = vocabulary.confusions(frame)
    assert set(wrong.pair) == {"EN to JA", "JA to EN"}  # HI to EN is not in Table 4
    top = wrong[wrong.pair == "EN to JA"].iloc[0]
    assert (top.gold, top.predicted) == ("AUX", "VERB")
    assert top.share == pytest.approx(100 * 40 / (2 * 1530 + 50))
    drawn = vocabulary.confusion_bars(frame, REAL)
    titles = [panel.get_title(loc="left") for panel in drawn.drawing.axes]
    assert titles == ["EN to JA: 1.6% wrong", "JA to EN: 10.0% wrong"]
    assert "0% of the errors in JA to EN and 80% in EN to JA" in drawn.caption
    assert vocabulary.confusion_bars(frame[:0], REAL) is None
    assert "not recorded" in vocabulary.confusion_told(frame[:0])


def test_recorded_labels_and_confusions_are_those_of_the_models_in_the_recorded_scores():
    kinds = ("scores", "labels", "confusion")
    scores, labels, confusion = (results.read("real", kind, []) for kind in kinds)
    key = ["task", "encoder", "train", "evaluate", "seed"]
    known = scores[~scores.fell_apart].set_index(key).score
    used = labels[(labels.alignment == "label") & (labels.split == "test")].set_index(key).score
    right = confusion.counts.map(lambda counts: 100 * np.trace(counts) / counts.sum())
    for found in (used, right.set_axis(pd.MultiIndex.from_frame(confusion[key]))):
        assert found.to_numpy() == pytest.approx(known[found.index].to_numpy())
