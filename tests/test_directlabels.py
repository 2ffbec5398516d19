import numpy as np
import pytest
from crosslingual import directlabels, figures
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text


def boxes(texts):
    """The boxes [names, 2 corners, 2] of names as drawn, without their leaders."""
    texts[0].figure.draw_without_rendering()
    return np.array([Text.get_window_extent(text).get_points() for text in texts if text.get_text()])


def collisions(found):
    """How many pairs of boxes have area in common."""
    low, high = found[:, 0], found[:, 1]
    common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    return (int((common > 0).all(axis=2).sum()) - len(found)) // 2


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.1, 10))
def test_values_spread_apart_keep_their_order_and_their_mean(values, gap):
    placed = directlabels.spread_apart(values, gap)
    assert all(np.diff(np.sort(placed)) > gap * 0.999)
    assert [place for _, place in sorted(zip(values, placed, strict=True))] == sorted(placed)
    assert placed.mean() == pytest.approx(np.mean(values), abs=1e-6)  # moved as little as possible: up as well as down


def test_values_far_enough_apart_stay_where_they_are():
    assert list(directlabels.spread_apart([60, 10, 30], 20)) == [60, 10, 30]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_values_spread_apart_stay_within_bounds(values):
    placed = directlabels.spread_apart(values, 10, 0, 100)
    assert placed.min() >= 0 and placed.max() <= 100 + 1e-9


@pytest.mark.parametrize("ends", [[1.3, 0.9, 9.4], [99, 98, 97, 96], [50, 50.1], [10, 90]])
def test_names_of_lines_do_not_collide_and_lead_to_their_ends(ends):
    _, (panel,) = figures.canvas(3.9)
    panel.set(xlim=(0, 6), ylim=(0, 100))
    directlabels.end_labels(panel, {f"EN-{end}": (6, end, "black") for end in ends})
    assert collisions(boxes(panel.texts)) == 0
    assert [text.xy for text in panel.texts] == [(6, end) for end in ends]
    assert all(bool(text.arrowprops) == (ends != [10, 90]) for text in panel.texts)


def test_names_of_a_crowd_of_points_neither_collide_nor_cover_points():
    _, (panel,) = figures.canvas(4.6)
    panel.set(xlim=(0, 10), ylim=(0, 10))
    places = np.random.default_rng(1).normal(5, 1, size=(40, 2))
    directlabels.name_points(panel, {f"{n:02}": (*place, "black", "bold") for n, place in enumerate(places)})
    found = boxes(panel.texts)
    assert collisions(found) == 0
    points = panel.transData.transform(places)
    covered = ((found[:, None, 0] < points) & (points < found[:, None, 1])).all(axis=2)
    assert covered.sum() == 0


def test_a_lonely_point_has_its_name_beside_it():
    sizes = np.array([[12.0, 10.0]])
    offset = directlabels.around(np.array([[50.0, 50.0]]), sizes)[0] - 50
    assert tuple(offset) == (6 + directlabels.RINGS[0], 0)


def test_names_of_ticks_do_not_collide_and_end_with_the_last():
    _, (panel,) = figures.canvas(3)
    panel.set(xlim=(0, 40), ylim=(0, 1))
    directlabels.name_ticks(panel, {0: "0", 5: "5k", 36: "36k", 34: "34k", 16: "16k"})
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "5k", "16k", "", "36k"]
    assert list(panel.get_xticks()) == [0, 5, 16, 34, 36]
    assert collisions(boxes(panel.get_xticklabels())) == 0
