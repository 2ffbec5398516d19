"""Names written beside what they name: at the ends of lines, around crowded points, under the ticks of an axis.

They touch neither each other nor what is drawn; one that had to be moved is joined to its place by a fine leader.
All distances are in points, 72 to the inch.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

LETTER = 10.0  # size of a line's name
SMALL = 8.0  # size of a point's name and of a crowded axis' ticks
LINE = 1.3  # distance of two lines of text, in letters
DOT = 5.0  # what a point's mark takes up
RINGS = (3.5, 7.0, 11.0, 16.0, 23.0, 31.0)  # distances at which a point's name is tried, the nearest first
TICK = 3.2  # distance of two ticks' names that are both legible, in letters


def end_labels(panel: Axes, labels: Mapping[str, tuple[float, float, str]]) -> None:
    """Write each line's name to the right of its end: {name: (x, y, colour)}. The panel's limits must be set before."""
    low, high = panel.get_ylim()
    unit = size(panel)[1] / (high - low)
    rows = 1 + max(name.count("\n") for name in labels)
    ends = np.array([y for _, y, _ in labels.values()])
    shifts = unit * (spread_apart(ends, LINE * LETTER * rows / unit, low, high) - ends)
    apart = bool((abs(shifts) > LETTER / 2).any())
    for (name, (x, y, colour)), shift in zip(labels.items(), shifts, strict=True):
        leader = dict(arrowstyle="-", color=colour, linewidth=0.7, shrinkA=0, shrinkB=3, relpos=(0, 0.5)) if apart else None
        panel.annotate(name, (x, y), (22 if apart else 6, shift), textcoords="offset points", va="center", color=colour,
                       fontsize=LETTER, fontweight="bold", arrowprops=leader, annotation_clip=False)  # fmt: skip


def spread_apart(values: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """The values moved as little as possible (in squares) so that neighbours are at least ``gap`` apart, order kept.

    All lie between ``low`` and ``high`` as far as there is room.
    """
    order, steps = np.argsort(values, kind="stable"), gap * np.arange(len(values))
    spread = isotonic_regression(np.asarray(values, float)[order] - steps).x
    placed = np.empty(len(values))
    placed[order] = np.clip(spread, low, max(low, high - steps[-1])) + steps
    return placed


def name_points(panel: Axes, names: Mapping[str, tuple[float, float, str, str]]) -> None:
    """Write each point's name beside it: {name: (x, y, colour, weight)}. The panel's limits must be set before."""
    size(panel)  # lays the drawing out, so that the points have their places
    places = np.array([(x, y) for x, y, _, _ in names.values()], float)
    points = panel.transData.transform(places) * 72 / panel.figure.dpi
    centres = around(points, np.array([(0.8 * SMALL * len(name), 1.2 * SMALL) for name in names]))
    for (name, (x, y, colour, weight)), shift in zip(names.items(), centres - points, strict=True):
        leader = dict(arrowstyle="-", color=colour, linewidth=0.5, shrinkA=0, shrinkB=DOT / 2)
        panel.annotate(name, (x, y), shift, textcoords="offset points", ha="center", va="center", color=colour,
                       fontsize=SMALL, fontweight=weight, arrowprops=leader)  # fmt: skip


def around(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Centres [names, 2] for names of some sizes beside their points (both [names, 2]), where there is room uncovered.

    The most crowded point is served first; each takes the nearest place that covers least of other names and points.
    """
    angles = np.arange(16) * np.pi / 8
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    centres, taken = points.copy(), [(point, np.full(2, DOT)) for point in points]
    for index in np.argsort(np.sort(distances)[:, :6].sum(1), kind="stable"):
        tried = np.concatenate([points[index] + ways * (sizes[index] / 2 + ring) for ring in RINGS])
        covered = sum(_common_area(tried, sizes[index], *box) for box in taken)
        centres[index] = tried[np.argmin(covered.round(6))]
        taken.append((centres[index], sizes[index]))
    return centres


def _common_area(centres: np.ndarray, size: np.ndarray, other: np.ndarray, other_size: np.ndarray) -> np.ndarray:
    """Area [centres] that boxes of a size have in common with another box."""
    return np.clip((size + other_size) / 2 - abs(centres - other), 0, None).prod(axis=1)


def name_ticks(panel: Axes, names: Mapping[float, str]) -> None:
    """A horizontal axis with these ticks; a name that would run into the next one's is left out, the last one never."""
    places = [(x, panel.get_ylim()[0]) for x in sorted(names)]
    across = (panel.transScale + panel.transLimits).transform(places)[:, 0] * size(panel)[0]
    shown, last = set(), np.inf
    for x, place in zip(sorted(names, reverse=True), across[::-1], strict=True):
        if last - place >= TICK * SMALL:
            shown.add(x)
            last = place
    panel.set_xticks(sorted(names), [names[x] if x in shown else "" for x in sorted(names)], fontsize=SMALL)
    panel.minorticks_off()


def size(panel: Axes) -> tuple[float, float]:
    """Width and height of a panel as laid out so far."""
    panel.figure.draw_without_rendering()
    box = panel.get_window_extent()
    return box.width * 72 / panel.figure.dpi, box.height * 72 / panel.figure.dpi
