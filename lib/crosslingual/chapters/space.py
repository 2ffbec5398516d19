"""Section 5, the feature space: Figure 3, translations found, drawings of the space, claims.

``curve`` is the frame of ``experiments.retrieval``: accuracy by layer (0: the embeddings), with
baselines that know no meaning beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import claims, show, stats
from crosslingual.claims import Claim, Evidence, Measurement, above, all_candidates
from crosslingual.stats import valued

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes
    from pandas.core.groupby import DataFrameGroupBy

    from crosslingual.edition import Edition

RETRIEVAL_FLOOR = 50.0  # section 5: "over 50%"
RETRIEVAL_PAIRS = [("en", "de"), ("en", "ru"), ("hi", "ur")]
PAIR, BASELINES = ["source", "target"], ["shared pieces", "length"]
# How the drawings of the space name what is done to the source language's vectors.
VIEWS = {
    "no shift": "as they are, across: the mean difference",
    "paper": "after adding the mean difference",
}
APART = " Only pairs that share no word piece but punctuation are asked for."


class NotAPair(ValueError):
    """A parameter that does not name a pair of languages."""


def named(pairs: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of languages from texts such as "en-fr"."""
    for pair in pairs:
        if pair.count("-") != 1:
            raise NotAPair(f"more_pairs: {pair!r} is no pair of languages; write it as en-fr")
    return [tuple(pair.split("-")) for pair in pairs]


def fewer_candidates(curve: pd.DataFrame) -> pd.DataFrame:
    """Each pair among the smaller number of candidates; none if the texts were asked about once."""
    most = curve.groupby(PAIR).candidates.transform("max")
    return curve[~(curve.candidates == most)]


# ---- Figure 3 ----


def figure_3(
    curve: pd.DataFrame, edition: Edition, name: str = "figure-3", queries: str = "all"
) -> show.Figure:
    """Nearest-neighbour accuracy of one encoder by layer for each pair, among all candidates.

    Bands are 95% bootstrap intervals; dashed: the same pair found by shared word pieces alone.
    ``queries`` may be "nothing shared": sentences that share no piece with their translation.
    """
    shown = all_candidates(valued(curve)[lambda rows: rows.queries == queries])
    if shown.empty:
        return show.absent(name, edition, curve)
    drawing, (panel,) = show.canvas(3.9)
    ends, read, top = {}, [], int(shown.layer.max())
    for colour, (pair, rows) in zip(cycle(show.CYCLE), _pairs(shown), strict=False):
        title = "-".join(map(show.label, pair))
        ends[title] = (top, _layer_line(panel, rows, colour), colour)
        read.append(f"{title}: {_layer_reading(rows)}")
    panel.set_xticks(range(top + 1), ["emb.", *map(str, range(1, top + 1))])
    panel.set(xlabel="layer", xlim=(-0.3, top + 0.1))
    panel.set(ylabel="translations found (%)", ylim=(0, 100))
    key = "━ nearest neighbour   ╍ by shared pieces alone"
    panel.set_title(key, loc="left", fontsize=10, color="#444444")
    show.end_labels(panel, ends)
    told, only = f"{'; '.join(read)}.", APART if queries == "nothing shared" else ""
    among = (
        f"Nearest-neighbour translation accuracy by layer among {_sizes(shown)} sentences.{only}"
    )
    about = f"{among} Dashed: by shared word pieces alone. {told}"
    caption = show.figure_caption(about, edition, curve)
    return show.Figure(drawing, name, caption, f"Lines over layers. {told}")


def _sizes(curve: pd.DataFrame) -> str:
    return " to ".join(f"{size:,.0f}" for size in sorted(set(curve.candidates)))


def _pairs(curve: pd.DataFrame) -> DataFrameGroupBy:
    """Each pair with its rows, in the frame's order."""
    return curve.groupby(PAIR, sort=False)


def _line(rows: pd.DataFrame) -> pd.DataFrame:
    """The paper's protocol, indexed by layer."""
    return rows[rows.method == "paper"].set_index("layer").sort_index()


def _layer_line(panel: Axes, rows: pd.DataFrame, colour: str) -> float:
    """Draw one pair; return the height at which its line ends."""
    line = _line(rows)
    bands = zip(*_intervals(np.stack(list(line.hits), axis=1)), strict=True)
    panel.fill_between(line.index, *bands, color=colour, alpha=0.2, linewidth=0)
    panel.plot(line.index, line.accuracy, color=colour, linewidth=2, marker="o", markersize=4)
    copied = [rows[rows.method == "shared pieces"].accuracy.mean()] * 2
    dashes = {"linewidth": 1.2, "linestyle": (0, (4, 3))}
    panel.plot([0, line.index.max()], copied, color=colour, **dashes)
    return float(line.accuracy.iloc[-1])


def _intervals(hits: np.ndarray, n: int = 1000) -> list[stats.Interval]:
    """Bootstrap intervals of accuracies from hits [sentences, layers], the same draws for all."""
    weights = stats.sentence_weights(len(hits), n, np.random.default_rng(0))
    return [*map(stats.percentile_interval, (100 * (weights @ hits) / len(hits)).T)]


def _layer_reading(rows: pd.DataFrame) -> str:
    line, reached = _line(rows).accuracy, rows.groupby("method").accuracy.max()
    ends = [show.number(line[0]), show.number(line.max()), show.number(line.iloc[-1])]
    copied, length = (show.number(reached[baseline]) for baseline in BASELINES)
    layers = f"embeddings {ends[0]}, best {ends[1]} at layer {line.idxmax()}, last {ends[2]}"
    return f"{layers}; by shared pieces {copied}, by length {length}"


# ---- Tables ----


def translations(curve: pd.DataFrame, edition: Edition) -> show.Table:
    """Ends and best layer of each pair's curve, other shifts, and the baselines."""
    columns = {pair: _column(rows) for pair, rows in _pairs(all_candidates(valued(curve)))}
    titles = list(next(iter(columns.values()), {}))
    rows = [[title, *(column[title] for column in columns.values())] for title in titles]
    header = ["", *("-".join(map(show.label, pair)) for pair in columns)]
    notes = ("Intervals: sentences resampled.", *show.notes(curve, edition))
    about = f"Translations found, in percent. Edition: {edition.title}."
    return show.Table(about, "translations", header, rows, notes)


def _column(rows: pd.DataFrame) -> dict[str, str]:
    """The cells of one pair's column."""
    asked, others = rows[rows.queries == "all"], rows[rows.queries == "nothing shared"]
    line, reached = _line(asked), asked.groupby("method").accuracy.max()
    best = line.accuracy.idxmax()
    (interval,) = _intervals(line.hits[best][:, None])
    return {
        "sentences": f"{int(asked.candidates.max()):,}",
        "embeddings": show.number(line.accuracy.iloc[0]),
        "**best layer**": show.bold(line.accuracy[best]),
        "interval": show.bounds(interval),
        "which layer": str(best),
        "last layer": show.number(line.accuracy.iloc[-1]),
        "shift held out, best": show.number(reached["held out"]),
        "no shift, best": show.number(reached["no shift"]),
        "by shared pieces": show.number(reached["shared pieces"]),
        "by length": show.number(reached["length"]),
        "pairs sharing nothing": f"{len(others.hits.iloc[0]):,}" if len(others) else "0",
        "of these, best layer": show.number(_line(others).accuracy.max()),
    }


def further_pairs(curve: pd.DataFrame, pos: pd.DataFrame, edition: Edition) -> show.Table:
    """Pairs at their best layer, beside M-BERT's zero-shot tagging between the same two."""
    asked = all_candidates(valued(curve))[lambda rows: rows.queries == "all"]
    line = asked[asked.method == "paper"].sort_values("accuracy", ascending=False)
    best = line.drop_duplicates(PAIR).set_index(PAIR)[["accuracy", "layer"]]
    best["copied"] = asked[asked.method == "shared pieces"].set_index(PAIR).accuracy
    best["tagging"] = stats.means(pos[pos.encoder == "m-bert"]).reindex(best.index)
    rows = [
        ["-".join(map(show.label, pair)), show.number(row.accuracy), f"{row.layer:g}"]
        + [show.number(row.copied), show.number(row.tagging)]
        for pair, row in best.iterrows()
    ]
    both = best.dropna()
    rho = [np.nan, np.nan]
    if len(both) > 2:
        rho = [stats.rank_correlation(both[x], both.tagging) for x in ("accuracy", "copied")]
    found, copied = (show.number(x, 2) for x in rho)
    note = (
        f"Rank correlation with tagging: translations found {found}, by shared pieces {copied}. "
        "Pairs that have a language in common are not independent."
    )
    about = "Translations found at the best layer, and zero-shot tagging between the same languages"
    header = ["pair", "found", "layer", "by shared pieces", "tagging"]
    notes = (note, *show.notes(curve, edition))
    return show.Table(f"{about}. Edition: {edition.title}.", "further-pairs", header, rows, notes)


# ---- The space itself ----


def halfway(drawn: pd.DataFrame, edition: Edition) -> show.Figure:
    """The layer halfway up of ``experiments.space``, which ``every_layer`` shows by a menu."""
    known = valued(drawn)
    if known.empty:
        return show.absent("space", edition, drawn)
    return _drawing(known, (int(known.layer.max()) + 1) // 2, edition, "space")


def every_layer(drawn: pd.DataFrame, edition: Edition) -> VBox:
    """Sentences and their translations in every layer, by a menu."""
    layers = sorted(set(valued(drawn).layer))
    views = {_name(n): _drawing(valued(drawn), n, edition, f"space-{n}") for n in layers}
    return show.gallery(views or {"no layer": show.absent("space-0", edition, drawn)})


def _name(layer: int) -> str:
    return f"layer {layer}" if layer else "embeddings"


def _drawing(known: pd.DataFrame, layer: int, edition: Edition, name: str) -> show.Figure:
    """One layer before and after the shift; lines join translations."""
    points = known[known.layer == layer]
    pair = [show.label(points[side].iloc[0]) for side in PAIR]
    drawing, panels = show.canvas(5.6, 2, share=False)
    for panel, (view, heading) in zip(panels, VIEWS.items(), strict=True):
        places = points[points["view"] == view].pivot(index="sentence", columns="side")
        _translations(panel, *(places[["x", "y"]].xs(side, axis=1, level=1) for side in PAIR))
        panel.set_title(f"{_name(layer)}: {heading}", loc="left", fontsize=10)
    count, found = points.sentence.nunique(), points.groupby("view").found.first()
    before, after = (f"{found[view]:g}" for view in VIEWS)
    read = f"Of {count} translations {before} are nearest before and {after} after the shift."
    sides = f"{pair[0]} sentences (dots) and their {pair[1]} translations (rings)"
    about = f"{sides}, {_name(layer)}; lines join translations. {read}"
    caption = show.figure_caption(about, edition, known)
    return show.Figure(drawing, name, caption, f"Two scatter plots. {read}")


def _translations(panel: Axes, source: pd.DataFrame, target: pd.DataFrame) -> None:
    joined = {"color": "#bbbbbb", "linewidth": 0.7, "zorder": 1}
    panel.plot([source.x, target.x], [source.y, target.y], **joined)
    panel.scatter(source.x, source.y, 16, color=show.CYCLE[0], zorder=2)
    rings = {"facecolors": "none", "edgecolors": show.CYCLE[1], "zorder": 2}
    panel.scatter(target.x, target.y, 16, **rings)
    panel.set(xticklabels=[], yticklabels=[])


# ---- Reading ----


def reading(curve: pd.DataFrame) -> dict[str, str]:
    """The phrases of the chapter's text, by name."""
    asked = all_candidates(valued(curve))[lambda rows: rows.queries == "all"]
    best = asked.pivot_table("accuracy", PAIR, "method", "max")
    best = best.reindex(columns=[*BASELINES, "paper", "held out", "no shift"])
    line = asked[asked.method == "paper"].groupby("layer").accuracy.mean()
    return {
        "beats": show.share(best["paper"] > best[BASELINES].max(axis=1)),
        "fair": show.number((best["paper"] - best["held out"]).abs().max()),
        "gained": show.span(best["paper"] - best["no shift"]),
        "peak": str(line.idxmax()) if len(line) else show.MISSING,
        "top": str(line.index.max()) if len(line) else show.MISSING,
    }


# ---- Claims ----


def layers(evidence: Evidence, source: str, target: str, method: str = "paper") -> pd.DataFrame:
    """Versions of the accuracy of one pair by layer, the embeddings being layer 0."""
    frame = evidence.get("retrieval")
    if frame is None or (source, target, method) not in frame.index.droplevel("layer"):
        reasons = evidence.get("reasons", {})
        why = reasons.get(("retrieval", source, target, method), "")
        sentence = f"no retrieval result for {source}-{target} ({method})"
        raise claims.NotAvailable(f"{sentence}: {why}" if why else sentence)
    return frame.loc[(source, target, method)].sort_index()


def middle(curve: pd.DataFrame) -> pd.DataFrame:
    """The middle third of the layers: 4 to 8 of BERT's 12."""
    top = curve.index.max()
    return curve[(curve.index >= top / 3) & (curve.index <= 2 * top / 3)]


def lowest_above_bottom(evidence: Evidence) -> Measurement:
    """The lowest accuracy over layers above the bottom third."""
    curve = layers(evidence, "en", "de")
    return Measurement(curve[curve.index > curve.index.max() / 3].min())


def middle_over_ends(evidence: Evidence) -> Measurement:
    """Mean of the middle third minus the better of embeddings and last layer; the worst pair."""
    curves = [layers(evidence, *pair) for pair in RETRIEVAL_PAIRS]
    gaps = [middle(x).mean() - x.loc[[0, x.index.max()]].max() for x in curves]
    return Measurement(pd.concat(gaps, axis=1).min(axis=1))


def middle_over_copying(evidence: Evidence) -> Measurement:
    """Mean of the middle third minus the better baseline that knows no meaning; the worst pair."""
    gaps = []
    for pair in RETRIEVAL_PAIRS:
        baselines = pd.concat([layers(evidence, *pair, method) for method in BASELINES])
        gaps.append(middle(layers(evidence, *pair)).mean() - baselines.max())
    return Measurement(pd.concat(gaps, axis=1).min(axis=1))


CLAIMS = [
    Claim(
        "language-vector",
        "5",
        "A vector per language pair maps translations onto each other: EN-DE over 50% for all but "
        "the bottom layers.",
        "lowest EN-DE accuracy of the layers above the bottom third",
        lowest_above_bottom,
        above(RETRIEVAL_FLOOR),
    ),
    Claim(
        "middle-layers",
        "5",
        "Retrieval is best in the middle layers, worse at the bottom and in the last layers.",
        "mean accuracy of the middle third of the layers minus the better of embeddings and last "
        "layer; the lowest of EN-DE, EN-RU, HI-UR",
        middle_over_ends,
        above(0),
    ),
    Claim(
        "beyond-copying",
        "5",
        "Shared structure, not shared pieces: the middle layers find more translations than shared "
        "word pieces or sentence length do.",
        "mean accuracy of the middle third of the layers minus the better baseline; lowest of "
        "EN-DE, EN-RU, HI-UR",
        middle_over_copying,
        above(0),
    ),
]
