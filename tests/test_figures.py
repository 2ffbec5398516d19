import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, emergence, figures, languages, typology
from fabricated import ARTIFICIAL, REAL, matrix
from ipywidgets import Dropdown, Stack, Widget
from PIL import Image

CODES = ["en", "de", "es", "ru", "hi"]


def overlap_of(a, b):
    return 0.05 * (CODES.index(a) + CODES.index(b)) if languages.script(a) == languages.script(b) else 0.0


@pytest.fixture(scope="module")
def scatter():
    ner = [matrix(lambda a, b: 0.5, CODES, encoder="m-bert", task="ner", seeds=[1]),
           matrix(overlap_of, CODES, encoder="en-bert", task="ner", seeds=[1])]  # fmt: skip
    overlaps = [
        (encoder, a, b, overlap_of(a, b)) for encoder in ["m-bert", "en-bert"] for a in CODES for b in CODES
    ]
    table = pd.DataFrame(overlaps, columns=["encoder", "train", "evaluate", "overlap"])
    return figures.overlap_scatter(pd.concat(ner), table, ARTIFICIAL)


def curve(**changed):
    rows = []
    for source, target in [("en", "de"), ("hi", "ur")]:
        lines = [("paper", layer, accuracy) for layer, accuracy in enumerate([20, 80, 60])]
        for method, layer, accuracy in [*lines, ("shared pieces", -1, 10), ("length", -1, 1)]:
            hits = (np.arange(100) < accuracy).astype(float)
            rows.append(dict(encoder="m-bert", source=source, target=target, method=method, layer=layer,
                             queries="all", candidates=100, accuracy=accuracy,
                             hits=hits) | changed)  # fmt: skip
    return pd.DataFrame(rows)


def test_figure_1_shows_every_zero_shot_pair_once_per_encoder_on_common_axes(scatter):
    panels = scatter.drawing.axes
    assert [sum(len(points.get_offsets()) for points in panel.collections) for panel in panels] == [20, 20]
    assert panels[0].get_xlim() == panels[1].get_xlim() and panels[0].get_ylim() == panels[1].get_ylim()
    assert [panel.get_title(loc="left").split()[0] for panel in panels] == ["M-BERT", "EN-BERT"]


def test_figure_1_marks_pairs_of_two_scripts(scatter):
    same, across = scatter.drawing.axes[0].collections
    assert len(same.get_offsets()) == 6 and len(across.get_offsets()) == 14  # EN, DE, ES share a script
    assert len(same.get_paths()[0].vertices) != len(across.get_paths()[0].vertices)


def test_figure_1_says_both_trends(scatter):
    for text in (scatter.caption, scatter.alt):
        assert "M-BERT: rank correlation" in text and "EN-BERT: rank correlation" in text and "slope" in text


def test_png_is_small_and_twice_a_pages_resolution(scatter):
    image = Image.open(io.BytesIO(scatter.png))
    assert image.width == figures.WIDTH * figures.DPI == 1000
    assert len(scatter.png) < 100_000


def test_markdown_is_a_numbered_figure_with_alt_text_and_edition(scatter):
    text = scatter.markdown()
    assert text.startswith("```{figure} data:image/png;base64,")
    assert ":name: figure-1\n" in text and f":alt: {scatter.alt}\n" in text
    assert ARTIFICIAL.title in text.splitlines()[-2]
    assert max(line.count("\n") for line in (scatter.alt, scatter.caption)) == 0


def test_html_escapes_its_texts(scatter):
    figure = figures.Figure(scatter.drawing, "f", "a < b", 'the "best"')
    assert "a &lt; b" in figure.html() and 'alt="the &quot;best&quot;"' in figure.html()


def test_figure_2_counts_pairs_and_leaves_out_those_with_nothing_in_common():
    codes = ["en", "fr", "ja", "gl"]  # WALS has no word order of Galician
    figure = figures.common_features(matrix(lambda a, b: 0.7, codes), REAL)
    expected = {}
    for a in codes:
        for b in codes:
            if a != b and (features := typology.common_features(a, b)):
                expected[features] = expected.get(features, 0) + 1
    ticks = [tick.get_text() for tick in figure.drawing.axes[0].get_xticklabels()]
    assert ticks == [f"{features}\n({pairs})" for features, pairs in sorted(expected.items())]


def test_figure_3_reads_ends_best_layer_and_baselines():
    figure = figures.retrieval_layers(curve(), REAL)
    assert (
        "EN-DE: embeddings 20.0, best 80.0 at layer 1, last 60.0; by shared pieces 10.0, by length 1.0"
        in figure.alt
    )
    assert figures.PATTERN not in figure.caption


def test_figure_3_says_which_pairs_were_asked_for():
    some = figures.retrieval_layers(curve(queries="nothing shared"), REAL, queries="nothing shared")
    assert (
        "share no word piece" in some.caption
        and "share no" not in figures.retrieval_layers(curve(), REAL).caption
    )


def test_figure_3_refuses_a_mixture_of_curves():
    with pytest.raises(ValueError, match="one number of candidates"):
        figures.retrieval_layers(pd.concat([curve(), curve(candidates=50)]), REAL)


def test_figure_3_names_lines_apart_where_they_end_together():
    together = curve().assign(accuracy=lambda rows: rows.accuracy.where(rows.method != "paper", 1.0))
    panel = figures.retrieval_layers(together, REAL).drawing.axes[0]
    assert [text.get_text() for text in panel.texts] == ["EN-DE", "HI-UR"]
    assert [text.xy for text in panel.texts] == [(2, 1.0), (2, 1.0)]  # where the leaders start
    assert abs(panel.texts[1].get_position()[1] - panel.texts[0].get_position()[1]) >= 12  # points
    assert panel.get_ylim() == (0, 100) and "by shared pieces" in panel.get_title(loc="left")


STEPS = [0, 250, 500, 1000, 2000, 4000, 8000, 16000, 24000, 36000]


def probed():
    """A curve of emergence: two languages to fine-tune on, three to tag, one pair to search for."""
    rows = [(step, emergence.IN_LANGUAGE if source == target else emergence.ZERO_SHOT, source, target, -1, 90 + gain)
            for gain, step in enumerate(STEPS) for source in ("en", "hi") for target in ("en", "hi", "ur")]
    rows += [(step, emergence.RETRIEVAL, "en", "de", 0, 50) for step in STEPS]
    return pd.DataFrame(rows, columns=["step", "measure", "source", "target", "layer", "score"])


def test_emergence_is_drawn_up_to_100_percent_with_legible_steps():
    log = pd.DataFrame({"step": [100, 36000], "loss": [9, 3]})
    drawn = figures.emergence_curve(probed(), log, "m-bert", ARTIFICIAL)
    above, _ = drawn.drawing.axes
    assert above.get_ylim() == (0, 100)
    steps = [tick.get_text() for tick in above.get_xticklabels()]
    assert "36k" in steps and "24k" not in steps and "0" in steps  # 24k would run into 36k


def test_emergence_by_pair_has_a_panel_a_language_and_a_line_a_source():
    drawn = figures.emergence_by_pair(probed(), "m-bert", ARTIFICIAL)
    panels = [panel for panel in drawn.drawing.axes if panel.lines]
    assert [panel.get_title(loc="left") for panel in panels] == [f"evaluated on {code}" for code in ("EN", "HI", "UR")]
    assert all(panel.get_ylim() == (0, 100) and len(panel.lines) == 2 for panel in panels)
    on_urdu = {text.get_text(): line for text, line in zip(panels[2].texts, panels[2].lines, strict=True)}
    assert len({line.get_color() for line in on_urdu.values()}) == 2
    assert all(line.get_linestyle() == "--" for line in on_urdu.values())  # Urdu shares a script with neither


def test_only_a_large_heat_map_is_scrolled_on_a_phone(scatter):
    large, small = (figures.heatmap(matrix(lambda a, b: 0.5, codes, seeds=[1]), typology.order_group, REAL)
                    for codes in (list(languages.table().index[:21]), CODES))  # fmt: skip
    assert ":figclass: wide\n" in large.markdown()
    assert "figclass" not in small.markdown() + scatter.markdown()


def test_languages_at_one_place_have_names_apart():
    codes = ["en", "de", "hi", "ur"]
    known = pd.DataFrame({"fertility": [2.0] * 4, "read": [10, 10, 0, 0]}, index=codes)
    drawn = figures.exposure(known, pd.Series(30.0, index=codes), "m-bert", REAL)
    names = drawn.drawing.axes[0].texts
    assert len({text.get_position() for text in names}) == 4
    assert {text.get_text() for text in names if text.get_fontweight() == "bold"} == {"EN", "DE"}


def test_heatmap_groups_languages_and_compares_groups():
    order = {"en": "SVO", "fr": "SVO", "ja": "SOV", "ko": "SOV", "ar": None}.get
    frame = matrix(lambda a, b: 0.9 if order(a) == order(b) else 0.3, ["ko", "ar", "fr", "ja", "en"])
    figure = figures.heatmap(frame, order, REAL)
    rows = [tick.get_text() for tick in figure.drawing.axes[0].get_yticklabels()]
    assert rows == ["JA", "KO", "EN", "FR", "AR"]
    assert {"SOV", "SVO", "other"} <= {text.get_text() for text in figure.drawing.axes[0].texts}
    within, between = map(
        float, re.search(r"within a group (\S+), between groups (\S+)\.", figure.alt).groups()
    )
    assert within > 80 and between < 40


@pytest.mark.parametrize("draw", [
    lambda empty: figures.common_features(empty, REAL, "f"),
    lambda empty: figures.retrieval_layers(empty, REAL, "f"),
    lambda empty: figures.heatmap(empty, typology.order_group, REAL, "f"),
    lambda empty: figures.overlap_scatter(
        empty.reindex(columns=["encoder", "train", "evaluate", "score"]),
        empty.reindex(columns=["encoder", "train", "evaluate", "overlap"]), REAL, "f"),
])  # fmt: skip
def test_without_data_a_figure_keeps_its_number_and_says_why(draw):
    empty = pd.DataFrame()
    empty.attrs["unavailable"] = {"de": "buy it"}
    figure = draw(empty)
    assert figure.name == "f" and "Not available: DE: buy it" in figure.caption
    assert len(figure.png) > 0


def test_gallery_switches_pages_without_a_kernel(scatter):
    box = figures.gallery({"one": scatter, "two": scatter})
    choice, pages = box.children
    assert isinstance(choice, Dropdown) and isinstance(pages, Stack) and pages.selected_index == 0
    states = [json.loads(json.dumps(state)) for state in Widget.get_manager_state()["state"].values()]
    links = [state["state"] for state in states if state["model_name"] == "LinkModel"]
    assert [f"IPY_MODEL_{choice.model_id}", "index"] in [link["source"] for link in links]
    assert all(scatter.alt in page.value for page in pages.children)


def test_margins_put_what_is_claimed_on_the_right():
    rows = {"across-scripts": ("supported", 80.0, 91.1), "english-fails-across-scripts": ("contradicted", 30.0, np.nan)}
    ledger = pd.DataFrame.from_dict(
        {name: dict(verdict=verdict, value=value, low=value, high=value, paper_value=paper)
         for name, (verdict, value, paper) in rows.items()}, orient="index")  # fmt: skip
    figure = figures.margins(ledger, ARTIFICIAL)
    (panel,) = figure.drawing.axes
    dots = [line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 1]
    assert sorted(x for x in dots if not np.isnan(x)) == [-20, 5, pytest.approx(16.1)]
    assert "1 supported, 1 contradicted" in figure.caption


def ledger_of(**values):
    """A ledger of claims by id (with _ for -), each value its own interval."""
    rows = {name.replace("_", "-"): dict(verdict="supported", value=value, low=value, high=value, paper_value=np.nan)
            for name, value in values.items()}  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def test_margins_scale_correlations_only_and_say_so():
    figure = figures.margins(ledger_of(overlap_dependence=0.3, overlap_independence=-0.31), ARTIFICIAL)
    dots = {line.get_ydata()[0]: line.get_xdata()[0] for line in figure.drawing.axes[0].lines if line.get_marker() == "o"
            and not np.isnan(line.get_xdata()[0])}  # fmt: skip
    order = [claim.id for claim in claims.CLAIMS if claim.id in ("overlap-dependence", "overlap-independence")]
    assert {order[height]: past for height, past in dots.items()} == {
        "overlap-dependence": pytest.approx(30), "overlap-independence": pytest.approx(31)}  # fmt: skip
    assert "multiplied by 100" in figure.caption and "Arrow heads" not in figure.caption


def test_what_lies_beyond_the_axis_is_an_arrow_head_and_named():
    figure = figures.margins(ledger_of(overlap_dependence=0.74, overlap_independence=1.425), ARTIFICIAL)
    heads = {line.get_marker(): line.get_xdata()[0] for line in figure.drawing.axes[0].lines if line.get_marker() in "<>"}
    assert heads == {"<": -figures.REACH, ">": figures.REACH}
    assert (f"further off than 50: overlap-independence ({ARTIFICIAL.name} −142.5); "
            f"overlap-dependence ({ARTIFICIAL.name} +74.0).") in figure.caption


def test_a_constant_shift_brings_every_translation_home():
    source = np.random.default_rng(0).normal(size=(12, 6))
    figure = figures.sentence_space(source, source + 9, ("en", "de"), ARTIFICIAL, "s", "layer 1")
    assert "12 after the shift" in figure.caption
    before, after = (panel.collections for panel in figure.drawing.axes)
    assert not np.allclose(before[0].get_offsets(), before[1].get_offsets())
    np.testing.assert_allclose(after[0].get_offsets(), after[1].get_offsets(), atol=1e-6)


def test_look_up_says_the_taggers_smallest_lead():
    measured = pd.DataFrame({"language": ["en", "de"], "majority_class": [20, 20], "look_up": [80, 70]})
    figure = figures.look_up(measured, pd.Series({"en": 95.0, "de": 75.0}), ARTIFICIAL)
    assert "smallest lead over look-up is 5.0" in figure.caption


class Other:
    """An edition that stands beside another."""

    title = "Other (real languages)"


def test_an_edition_beside_is_drawn_as_diamonds_and_named_in_the_caption():
    ours, theirs = (matrix(lambda a, b: score, CODES[:3]) for score in (0.9, 0.5))
    drawn = figures.beside(ours, figures_table(), ARTIFICIAL, "dots", CODES[:3], {Other(): theirs})
    diamonds = [line for line in drawn.drawing.axes[0].lines if line.get_marker() == "D"]
    assert [float(line.get_xdata()[0]) for line in diamonds] == pytest.approx(
        [theirs[(theirs.train == "en") & (theirs.evaluate == code)].score.mean() for code in CODES[:3]])
    assert "Diamonds: Other (real languages)." in drawn.caption
    none = figures.beside(ours, figures_table(), ARTIFICIAL, "dots", CODES[:3], {Other(): theirs[:0]})
    assert "Diamonds: Other (real languages), not recorded." in none.caption


def figures_table():
    from crosslingual import published

    return published.TABLE_2
