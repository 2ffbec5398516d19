"""Furniture of pages: what tables and figures say must be true of the frames they are made from."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from crosslingual import languages, published, show, stats
from fabricated import ARTIFICIAL, REAL, edition, scores
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets import Dropdown, Stack, Widget
from matplotlib.text import Text
from PIL import Image

CONLL = ["en", "de", "nl", "es"]


@pytest.fixture(scope="module")
def ner():
    return scores(lambda a, b: 0.9 if a == b else 0.6, CONLL, task="ner")


def lines_of(table, title):
    """The cells of a row by its title, each a list of lines."""
    (row,) = [row for row in table.rows if row[0] == title]
    return [cell.split("\n") for cell in row[1:]]


def test_ours_stands_over_the_papers_value_with_its_spread(ner):
    table = show.beside(ner, published.TABLE_1, REAL, "t")
    cells = lines_of(table, "**NL**")
    printed = [paper.removeprefix("paper ") for _, paper in cells]
    assert printed == ["65.46", "65.68", "89.86", "72.10"]
    runs = ner[(ner.train == "nl") & (ner.evaluate == "de")]
    known = stats.estimate(stats.draws(runs).iloc[0])
    half = (known.high - known.low) / 2
    assert half > 0 and cells[1][0] == f"**{runs.score.mean():.1f} ± {half:.1f}**"
    one = show.cell(runs[runs.seed == 1])  # no interval over seeds, and no second line
    assert " ± " in one and "**" not in one and "\n" not in one


def test_corpora_that_stand_in_are_named(ner):
    told = edition("mix", artificial=False, substitutes={"de": "WikiNEuRal"})
    assert "DE: WikiNEuRal" in show.beside(ner, published.TABLE_1, told, "t").notes[0]


def test_cells_the_paper_leaves_empty_stay_empty():
    frame = scores(lambda a, b: 0.8, ["hi", "ur", "en", "bg", "ja"])
    cells = lines_of(show.beside(frame, published.TABLE_4, REAL, "t"), "**HI**")
    assert [cell[-1] for cell in cells] == ["paper 97.1", "paper 85.9", "", "", ""]  # its decimals


def test_other_languages_than_the_papers_are_shown_beside_what_it_prints():
    frame = scores(lambda a, b: 0.8, ["en", "fr"])
    table = show.beside(frame, published.TABLE_2, REAL, "t", ["en", "fr"])
    english, french = lines_of(table, "**EN**")
    assert english[1] == "paper 96.82" and len(french) == 1 and french[0].startswith("8")
    assert table.header == ["fine-tuned on", "EN", "FR"]


def gap(a, b):
    return np.nan if "de" in (a, b) else 0.6


def test_a_missing_corpus_leaves_a_gap_and_one_sentence_that_names_it():
    frame = scores(gap, CONLL, task="ner")
    frame.loc[frame.reason != "", "reason"] = "buy it"
    table = show.beside(frame, published.TABLE_1, REAL, "t")
    missing = f"**{show.MISSING}**"
    assert [ours for ours, _ in lines_of(table, "**DE**")] == [missing] * 4
    assert lines_of(table, "**EN**")[1] == [missing, "paper 69.74"]
    assert [note for note in table.notes if "Not" in note] == ["Not available: DE: buy it."]


def test_systems_below_each_other_keep_their_reasons_and_both_signatures():
    """Where reasons and signatures were attributes of frames, concatenating these lost them."""
    frames = {"EN-BERT": scores(gap, CONLL, encoder="en-bert", task="ner")}
    frames["M-BERT"] = scores(lambda a, b: 0.9, CONLL, task="ner", seeds=[1])
    own = {title: frame[frame.train == frame.evaluate] for title, frame in frames.items()}
    table = show.systems(own, published.TABLE_3, REAL, "table-3")
    assert table.rows[1] == ["EN-BERT, paper", "91.07", "73.32", "84.23", "81.84"]
    assert table.rows[2][0] == "**EN-BERT, run here**" and table.rows[2][2] == show.MISSING
    assert table.rows[3][2].startswith("9")
    assert "Not available: DE (seed 1, 2, 3): fetch de or de." in table.notes
    assert "en-bert 01234567 | epochs=3 | seeds 1,2,3 |" in table.notes[-1]
    assert "m-bert 01234567 | epochs=3 | seeds 1 |" in table.notes[-1]


def test_tables_without_any_result_keep_their_shape_and_say_why():
    nothing = scores(lambda a, b: np.nan, CONLL, task="ner").assign(reason="fetch it")
    beside = show.beside(nothing, published.TABLE_1, REAL, "t")
    for table in (beside, show.systems({"EN-BERT": nothing}, published.TABLE_3, REAL, "t")):
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert "Not available: fetch it." in table.notes and "signature" not in table.markdown()


def test_signatures_tell_metric_and_seeds_and_merge_what_differs_in_seeds_alone(ner):
    few = pd.concat([ner, scores(lambda a, b: 0.5, ["fr"], CONLL, task="ner", seeds=[1])])
    metric = "F1 conlleval over words, IOB2, first piece with text | ner | edition pocket"
    told = f"`{metric} | m-bert 01234567 | epochs=3 | seeds 1,2,3 or 1 | alignment 1`"
    assert show.signature(few) == told
    assert "accuracy over words" in show.signature(scores(lambda a, b: 0.5, ["en"]))
    baseline = few.assign(made_from='{"train": "1"}')
    assert show.signature(baseline) == show.signature(pd.DataFrame()) == ""


@pytest.mark.parametrize("second, start", [("recorded", "Recorded"), ("x", "In part recorded")])
def test_a_page_says_once_what_its_results_are(second, start):
    frame = pd.DataFrame({"origin": ["recorded", second, ""], "reason": ["", "", "fetch it"]})
    told = f"{start} results, not computed here."
    assert show.page(REAL, frame, frame[:0]) == f"Edition: {REAL.title}. {told} {show.SPREAD}"
    assert show.PATTERN in show.page(ARTIFICIAL, frame)
    here = frame.assign(origin="computed here")
    assert show.origin(here) == show.origin() == ""
    assert show.origin(here, frame).startswith("In part")


def test_a_page_says_of_which_corpora_one_seed_was_run_where_others_have_several(ner):
    one = scores(lambda a, b: 0.5, ["fr", "pt"], CONLL, task="ner", seeds=[1])
    told = show.page(REAL, pd.concat([ner, one]), scores(lambda a, b: 0.5, ["en"], seeds=[1]))
    assert told.endswith("sentences alone: M-BERT on 2 of 6 corpora (ner).")
    assert show.page(REAL, ner).endswith(show.SPREAD)


def test_what_lacks_for_one_reason_is_said_once():
    codes, why = ["de", "de", "en", "pt_br", "fr"], ["buy", "buy", "find", "buy", ""]
    expected = ["Not available: DE, PT-BR: buy.", "Not available: EN: find."]
    assert show.lacking(pd.DataFrame({"language": codes, "reason": why})) == expected


def test_what_rows_say_of_themselves_and_what_lacks_stands_below_tables_and_in_captions():
    frame = pd.DataFrame({"reason": ["", "fetch it"], "note": ["made from older text", ""]})
    table = show.table("Sizes", "t", ["a"], [["1"]], ARTIFICIAL, frame, frame, notes=["", "One."])
    told = ("Not available: fetch it.", "made from older text")
    assert table.notes == ("One.", *told)
    assert table.caption == "Sizes. Edition: pocket, artificial languages."
    assert show.table("Sizes", "t", ["a"], [["1"]], REAL).caption == "Sizes. Edition: paper."
    figure = show.figure(None, "f", "Dots.", "", ARTIFICIAL, frame, frame)
    assert figure.caption == " ".join(["Dots. Edition: pocket, artificial languages.", *told])


def test_markdown_is_a_numbered_table_with_signatures_folded_away(ner):
    text = show.beside(ner, published.TABLE_1, ARTIFICIAL, "table-1").markdown()
    entry, text = text.split("\n```\n\n", 1)
    assert entry == "```{index} ! Table 1"  # found by the site's search
    assert text.startswith("```{table} ") and "\n:name: table-1\n" in text
    assert "artificial" in text.splitlines()[0] and "<br>paper 90.70 |" in text
    table = show.Table("c", "n", ["a"], [["1"]], ("`F1 | seeds 1`", "Bold: ours."))
    for rendered in (table.markdown(), table.html()):
        parts = ["Bold", "<details", "seeds 1", "</details>"]
        assert sorted(parts, key=rendered.index) == parts


def test_pipes_in_cells_do_not_break_the_grid():
    assert show.Table("c", "n", ["a", "b"], [["x|y", "1"]]).html().count("<td") == 2


def test_numbers_and_labels():
    assert show.number(-1.25) == "−1.2" and show.number(np.nan) == show.MISSING
    assert show.signed(0.3) == "+0.3"
    spreads = {(1, 3): "2.0 ± 1.0", (2, 2): "2.0", (np.nan, np.nan): "2.0"}
    assert [show.give_or_take(stats.Estimate(2, *ends)) for ends in spreads] == [*spreads.values()]
    labels = [show.label(code) for code in ["en", "pt_br", "no_bokmaal", "hi+en"]]
    assert labels == ["EN", "PT-BR", "NB", "hi+en"]


@pytest.fixture(scope="module")
def figure():
    drawing, (panel,) = show.canvas(2.0)
    panel.plot([0, 1], [0, 1])
    return show.Figure(drawing, "f", "a < b", 'the "best"')


def test_figures_are_small_numbered_with_alt_text_and_escaped_in_html(figure):
    assert Image.open(io.BytesIO(figure.png)).width == show.WIDTH * show.DPI == 1000
    assert len(figure.png) < 100_000
    text = figure.markdown()
    assert text.startswith("```{figure} /downloads/f.png\n:name: f\n")
    assert ':alt: the "best"\n' in text and "\n\na < b\n```\n" in text
    assert "a &lt; b" in figure.html() and 'alt="the &quot;best&quot;"' in figure.html()


def test_gallery_switches_pages_without_a_kernel(figure):
    choice, pages = show.gallery({"one": figure, "two": figure}).children
    assert isinstance(choice, Dropdown) and isinstance(pages, Stack) and pages.selected_index == 0
    states = json.loads(json.dumps(Widget.get_manager_state()["state"])).values()
    links = [each["state"]["source"] for each in states if each["model_name"] == "LinkModel"]
    assert [f"IPY_MODEL_{choice.model_id}", "index"] in links
    assert all("a &lt; b" in page.value for page in pages.children)


def test_of_a_gallery_the_first_table_is_printed_and_what_else_there_is(figure):
    tables = {name: show.Table(f"Of {name}.", "t", ["a"], [[name]]) for name in ("x", "y")}
    told = show.gallery(tables)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in told
    assert told["text/markdown"].startswith("Of x. (On the site, too: y.)\n\n| a |")
    assert "text/markdown" not in show.gallery({"one": figure})._repr_mimebundle_()
    printed = show.gallery({"one": figure, "two": figure})._repr_mimebundle_()["text/markdown"]
    assert printed == "(On the site, too: two.)"


def test_without_data_a_figure_keeps_its_number_and_says_why():
    frame = scores(lambda a, b: np.nan, ["en"]).assign(reason="buy it")
    absent = show.heatmap(frame, languages.order_group, REAL, "f")
    assert absent.name == "f" and "Not available: buy it" in absent.caption and absent.png


def test_heatmap_groups_languages_and_compares_groups():
    order = {"en": "SVO", "fr": "SVO", "ja": "SOV", "ko": "SOV", "ar": None}.get
    codes = ["ko", "ar", "fr", "ja", "en"]
    frame = scores(lambda a, b: 0.9 if order(a) == order(b) else 0.3, codes)
    drawn = show.heatmap(frame, order, REAL, "h")
    panel = drawn.drawing.axes[0]
    rows = [tick.get_text() for tick in panel.get_yticklabels()]
    assert rows == ["JA", "KO", "EN", "FR", "AR"]
    assert {"SOV", "SVO", "other"} <= {text.get_text() for text in panel.texts}
    within, between, left = re.findall(r"group (\S+), between groups (\S+), “(\w+)” l", drawn.alt)[
        0
    ]
    assert left == "other"
    assert float(within) > 80 and float(between) < 40


@pytest.mark.parametrize("languages_shown, wide", [(21, True), (2, False)])
def test_only_a_large_heat_map_is_scrolled_on_a_phone(languages_shown, wide):
    codes = list(languages.table().index[:languages_shown])
    frame = scores(lambda a, b: 0.5, codes, seeds=[1], sentences=2)
    drawn = show.heatmap(frame, languages.order_group, REAL, "h").markdown()
    assert (":figclass: wide\n" in drawn) == wide


def collisions(texts):
    """How many pairs of names have area in common as drawn, without their leaders."""
    texts[0].figure.draw_without_rendering()
    boxes = np.array([Text.get_window_extent(text).get_points() for text in texts])
    low, high = boxes[:, 0], boxes[:, 1]
    common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    return (int((common > 0).all(axis=2).sum()) - len(boxes)) // 2


@pytest.mark.parametrize("ends", [[1.3, 0.9, 9.4], [99, 98, 97, 96], [50, 50.1], [10, 90]])
def test_names_of_lines_do_not_collide_and_lead_to_their_ends(ends):
    _, (panel,) = show.canvas(3.9)
    panel.set(xlim=(0, 6), ylim=(0, 100))
    show.end_labels(panel, {f"EN-{end}": (6, end, "black") for end in ends})
    assert collisions(panel.texts) == 0
    assert [text.xy for text in panel.texts] == [(6, end) for end in ends]
    assert all(bool(text.arrowprops) == (ends != [10, 90]) for text in panel.texts)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.1, 10))
def test_values_spread_apart_keep_their_order_and_their_mean(values, gap):
    placed = show.spread_apart(values, gap, -1000, 1000)
    assert all(np.diff(np.sort(placed)) > gap * 0.999)
    assert [place for _, place in sorted(zip(values, placed, strict=True))] == sorted(placed)
    assert placed.mean() == pytest.approx(np.mean(values), abs=1e-6)  # as little as possible
    within = show.spread_apart(values, 10, 0, 100)
    assert within.min() >= 0 and within.max() <= 100 + 1e-9


def test_phrases_are_true_of_their_numbers():
    some = {"all 3": [True] * 3, "2 of the 3": [True, False, True], "none of the 0": []}
    some["none of the 3"] = np.array([False] * 3)
    assert [show.share(hits) for hits in some.values()] == list(some)
    pairs = {(2, 1): "above", (1, 2): "below", (1, 1): "level with"}
    pairs[np.nan, 1] = "not comparable with"
    assert [show.versus(*pair) for pair in pairs] == list(pairs.values())
    found = pd.Series({("en", "ja"): 49.4, ("en", "bg"): 87.1})
    assert (show.lowest(found), show.highest(found)) == ("EN to JA (49.4)", "EN to BG (87.1)")
    assert show.span(found) == "49.4 to 87.1"
    assert show.lowest(found[:0]) == show.span([]) == show.NOTHING
    for items, listing in {"": "none", "a": "a", "ab": "a and b", "abc": "a, b and c"}.items():
        assert show.listing(items) == listing


def test_a_ledger_s_rows_explain_themselves():
    """Unit, value, interval and rule in words; why a claim is not testable below, once."""
    numbers = [81.0, 80.5, 81.5, 75.0, 87.0, 0.0009]
    holds = ["A", "2", "table-2", "It holds.", "lowest accuracy", "all pairs", "above 80"]
    holds += ["supported", *numbers, "", "undecided", "contradicted", -2.34]
    may = ["B", "3.1", "figure-1", "It may.", "rank correlation", "of both", "above 0"]
    may += ["not testable", *[np.nan] * 6, "no scores", "", "not testable", np.nan]
    columns = ["title", "section", "shown", "text", "unit", "statistic", "rule", "verdict", "value"]
    columns += ["low", "high", "over_low", "over_high", "p", "note", "over"]
    columns += ["paper_verdict", "paper_value"]
    ledger = pd.DataFrame.from_dict({"one": holds, "two": may}, "index", columns=columns)
    ledger["threshold"] = [80.0, 0.0]
    table = show.ledger_table(ledger, REAL, "claims", {"other": ledger})
    assert table.header[1:] == ["Paper", "paper", "other"]
    assert [row[2].values["threshold"] for row in table.rows] == [80.0, 0.0]
    first, second = table.rows
    assert first[0] == "A ([2](#table-2))"
    assert first[1].split("\n") == ["✘\xa0contradicted", "−2.3"]
    assert first[2].split("\n") == [
        "✔\xa0supported (rule: above 80)",
        "lowest accuracy 81.0 (80.5 to 81.5), p ≤ 0.001",
        "over languages 75.0 to 87.0: undecided",
    ]
    assert first[3].split("\n") == ["✔\xa0supported", "81.0"]
    assert second[1::2] == ["–\xa0not testable"] * 2
    assert second[2] == "–\xa0not testable (rule: above 0)"
    assert [show.p_value(p, 249) for p in (0.004, 0.0123)] == ["≤ 0.004", "= 0.012"]
    assert show.verdict("undecided", 0.456, "rank correlation") == "?\xa0undecided\n0.46"
    assert table.notes[-1] == "Not testable: “B”: no scores."
    assert table.notes[0].startswith("paper: 1 supported, 1 not testable; other: ")
