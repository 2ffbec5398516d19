"""Section 5, the feature space: Figure 3, translations found, drawings of the space, claims.

``curve`` is the frame of ``experiments.retrieval``: accuracy by layer (0: the embeddings), with
baselines that know no meaning beside it.
"""

from collections.abc import Sequence
from functools import partial
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crosslingual import claims, show, stats
from crosslingual.claims import Edition, Evidence, Measurement
from crosslingual.stats import valued

RETRIEVAL_PAIRS = [("en", "de"), ("en", "ru"), ("hi", "ur")]
PAIR, BASELINES = ["source", "target"], ["shared pieces", "length"]
# How the drawings of the space name what is done to the source language's vectors.
VIEWS = {
    "no shift": "as they are, across: the mean difference",
    "paper": "after adding the mean difference",
}
APART = " Only pairs that share no word piece but punctuation are asked for."


def named(pairs: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of languages from texts such as "en-fr"; ValueError for one that names no pair."""
    for pair in pairs:
        if pair.count("-") != 1:
            raise ValueError(f"more_pairs: {pair!r} is no pair of languages; write it as en-fr")
    return [tuple(pair.split("-")) for pair in pairs]


def fewer_candidates(curve: pd.DataFrame) -> pd.DataFrame:
    """Each pair among the smaller number of candidates; none if the texts were asked about once."""
    most = curve.groupby(PAIR).candidates.transform("max")
    return curve[~(curve.candidates == most)]


def _asked(curve: pd.DataFrame, queries: str = "all") -> pd.DataFrame:
    """Each pair among all candidates; ``queries`` may be "nothing shared"."""
    return claims.all_candidates(valued(curve)[lambda rows: rows.queries == queries])


def _line(rows: pd.DataFrame) -> pd.DataFrame:
    """The paper's protocol, indexed by layer."""
    return rows[rows.method == "paper"].set_index("layer").sort_index()


def figure_3(
    curve: pd.DataFrame, edition: Edition, name: str = "figure-3", queries: str = "all"
) -> show.Figure:
    """Nearest-neighbour accuracy by layer and pair, with 95% bootstrap intervals.

    ``queries`` may be "nothing shared": sentences that share no piece with their translation.
    """
    shown = _asked(curve, queries)
    if shown.empty:
        return show.absent(name, edition, curve)
    drawing, (panel,) = show.canvas(3.9)
    ends, read, top = {}, [], int(shown.layer.max())
    for colour, (pair, rows) in zip(cycle(show.CYCLE), shown.groupby(PAIR, sort=False)):
        title = "-".join(map(show.label, pair))
        height, told = _draw_line(panel, rows, colour)
        ends[title] = (top, height, colour)
        read.append(f"{title}: {told}")
    panel.set_xticks(range(top + 1), ["emb.", *map(str, range(1, top + 1))])
    panel.set(xlabel="layer", xlim=(-0.3, top + 0.1), ylim=(0, 100))
    panel.set_ylabel("translations found (%)")
    key = "━ nearest neighbour   ╍ by shared pieces alone"
    panel.set_title(key, loc="left", fontsize=10, color="#444444")
    show.end_labels(panel, ends)
    told, only = f"{'; '.join(read)}.", APART if queries == "nothing shared" else ""
    sizes = " to ".join(f"{size:,.0f}" for size in sorted(set(shown.candidates)))
    title = edition.encoder_title(shown.encoder.iloc[0])
    among = f"Nearest-neighbour translation accuracy of {title} by layer among {sizes} sentences."
    about = f"{among}{only} Dashed: by shared word pieces alone. {told}"
    return show.figure(drawing, name, about, f"Lines over layers. {told}", edition, curve)


def _draw_line(panel: Axes, rows: pd.DataFrame, colour: str) -> tuple[float, str]:
    """Draw one pair; return the height at which its line ends, and the pair in words."""
    line, reached = _line(rows), rows.groupby("method").accuracy.max()
    band = _interval(np.stack(list(line.hits), axis=1))
    panel.fill_between(line.index, *band, color=colour, alpha=0.2, linewidth=0)
    panel.plot(line.index, line.accuracy, color=colour, linewidth=2, marker="o", markersize=4)
    copied, length = (reached[baseline] for baseline in BASELINES)
    dashes = {"linewidth": 1.2, "linestyle": (0, (4, 3))}
    panel.plot([0, line.index.max()], [copied, copied], color=colour, **dashes)
    accuracy, last = line.accuracy, line.accuracy.iloc[-1]
    values = (accuracy[0], accuracy.max(), last, copied, length)
    bottom, best, top, copied, length = map(show.number, values)
    layers = f"embeddings {bottom}, best {best} at layer {accuracy.idxmax()}, last {top}"
    return float(last), f"{layers}; by shared pieces {copied}, by length {length}"


def _interval(hits: np.ndarray) -> stats.Interval:
    """Bootstrap interval of accuracy, from hits [sentences]; of each layer [sentences, layers]."""
    weights = stats.sentence_weights(len(hits), 1000, np.random.default_rng(0))
    return stats.percentile_interval((100 * (weights @ hits) / len(hits)).T)


def translations(curve: pd.DataFrame, edition: Edition) -> show.Table:
    """Ends and best layer of each pair's curve, other shifts, and the baselines."""
    pairs = claims.all_candidates(valued(curve)).groupby(PAIR, sort=False)
    columns = {"-".join(map(show.label, pair)): _column(rows) for pair, rows in pairs}
    rows = [list(row) for row in pd.DataFrame(columns, dtype=object).itertuples(name=None)]
    title = next(iter(map(edition.encoder_title, curve.encoder)), "no encoder")
    about = f"Translations found by {title}, in percent"
    header, notes = ["measure", *columns], ["±: half the 95% interval over sentences."]
    return show.table(about, "translations", header, rows, edition, curve, notes=notes)


def _column(rows: pd.DataFrame) -> dict[str, str]:
    """The cells of one pair's column."""
    asked, others = rows[rows.queries == "all"], rows[rows.queries == "nothing shared"]
    line, reached = _line(asked), asked.groupby("method").accuracy.max()
    best = line.accuracy.idxmax()
    accuracy = stats.Estimate(line.accuracy[best], *_interval(line.hits[best]))
    return {
        "sentences": f"{int(asked.candidates.max()):,}",
        "embeddings": show.number(line.accuracy.iloc[0]),
        "best layer": show.stacked(show.give_or_take(accuracy), f"layer {best}"),
        "last layer": show.number(line.accuracy.iloc[-1]),
        "shift held out, best": show.number(reached["held out"]),
        "no shift, best": show.number(reached["no shift"]),
        "by shared pieces": show.number(reached["shared pieces"]),
        "by length": show.number(reached["length"]),
        "pairs sharing nothing": f"{len(others.hits.iloc[0]):,}" if len(others) else "0",
        "of these, best layer": show.number(_line(others).accuracy.max()),
    }


def halfway(drawn: pd.DataFrame, edition: Edition) -> show.Figure:
    """The layer halfway up of ``experiments.space``, which ``every_layer`` shows by a menu."""
    return _drawing(drawn, (valued(drawn).layer.max() + 1) // 2, edition, "space")


def every_layer(drawn: pd.DataFrame, edition: Edition) -> show.Gallery:
    """Sentences and their translations in every layer, by a menu."""
    layers = sorted(set(valued(drawn).layer)) or [0]
    return show.gallery({_name(n): _drawing(drawn, n, edition, f"space-{n:g}") for n in layers})


def _name(layer: float) -> str:
    return f"layer {layer:g}" if layer else "embeddings"


def _drawing(drawn: pd.DataFrame, layer: float, edition: Edition, name: str) -> show.Figure:
    """One layer before and after the shift; lines join translations."""
    points = valued(drawn)[lambda rows: rows.layer == layer]
    if points.empty:
        return show.absent(name, edition, drawn)
    drawing, panels = show.canvas(5.6, 2, share=False)
    rings = {"facecolors": "none", "edgecolors": show.CYCLE[1], "zorder": 2}
    for panel, (view, heading) in zip(panels, VIEWS.items(), strict=True):
        places = points[points["view"] == view].pivot(index="sentence", columns="side")
        x, y = places.x, places.y
        panel.plot(x[PAIR].T, y[PAIR].T, color="#bbbbbb", linewidth=0.7, zorder=1)
        panel.scatter(x.source, y.source, 16, color=show.CYCLE[0], zorder=2)
        panel.scatter(x.target, y.target, 16, **rings)
        panel.set(xticklabels=[], yticklabels=[])
        panel.set_title(f"{_name(layer)}: {heading}", loc="left", fontsize=10)
    count, found = points.sentence.nunique(), points.groupby("view").found.first()
    before, after = (f"{found[view]:g}" for view in VIEWS)
    read = f"Of {count} translations {before} are nearest before and {after} after the shift."
    source, target = (show.label(points[side].iloc[0]) for side in PAIR)
    sides = f"{source} sentences (dots) and their {target} translations (rings)"
    about = f"{sides}, {_name(layer)}; lines join translations. {read}"
    return show.figure(drawing, name, about, f"Two scatter plots. {read}", edition, points)


def reading(curve: pd.DataFrame, edition: Edition) -> dict[str, str]:
    """The phrases of the chapter's text, by name."""
    asked = _asked(curve)
    best = asked.pivot_table("accuracy", PAIR, "method", "max")
    best = best.reindex(columns=[*BASELINES, "paper", "held out", "no shift"])
    line = asked[asked.method == "paper"].groupby("layer").accuracy.mean()
    why = edition.cannot_judge.get("middle-layers")
    usual = "This encoder was pre-trained as the paper's was, to guess masked words"
    return {
        "beats": show.share(best["paper"] > best[BASELINES].max(axis=1)),
        "fair": show.number((best["paper"] - best["held out"]).abs().max()),
        "gained": show.span(best["paper"] - best["no shift"]),
        "shape": _shape(line) if len(line) else show.NOTHING,
        "why": f"The likely reason: {why}" if why else usual,
        "among": show.listing(f"{size:,.0f}" for size in sorted({*asked.candidates})),
    }


def _shape(line: pd.Series) -> str:
    """Where a curve is highest, and how it ends, in words."""
    peak, top = line.idxmax(), line.index.max()
    if peak == top:
        return f"in the last layer, {top}"
    middle = "a" if top / 3 <= peak <= 2 * top / 3 else "not a"
    fall = show.number(line.max() - line[top])
    return f"in layer {peak} of {top}, {middle} middle one, and falls by {fall} points to the last"


def layers(evidence: Evidence, source: str, target: str, method: str = "paper") -> pd.DataFrame:
    """Versions of the accuracy of one pair by layer, the embeddings being layer 0."""
    frame = evidence.get("retrieval")
    if frame is None or (source, target, method) not in frame.index.droplevel("layer"):
        why = evidence.get("reasons", {}).get(("retrieval", source, target))
        sentence = f"no retrieval result for {source}-{target} ({method})"
        raise claims.NotAvailable(f"{sentence}: {why}" if why else sentence)
    return frame.loc[(source, target, method)].sort_index()


def best(evidence: Evidence, pair: Sequence[str], method: str = "paper") -> Measurement:
    """The accuracy of the layer with the highest one; of a baseline its own."""
    curve = layers(evidence, *pair, method)
    return Measurement(curve.loc[curve["mean"][0].idxmax()])


def lowest_above_bottom(evidence: Evidence) -> Measurement:
    """The lowest accuracy over layers above the bottom third."""
    curve = layers(evidence, "en", "de")
    return Measurement(curve[curve.index > curve.index.max() / 3].min())


def middle_over(evidence: Evidence, baselines: Sequence[str] = ()) -> Measurement:
    """Mean of the middle third (4 to 8 of BERT's 12) minus the best of both ends, or of baselines.

    That of the pair where it is least.
    """
    gaps = []
    for pair in RETRIEVAL_PAIRS:
        curve = layers(evidence, *pair)
        others = [layers(evidence, *pair, of) for of in baselines] or [curve.iloc[[0, -1]]]
        third = curve.index.max() / 3
        middle = curve[(curve.index >= third) & (curve.index <= 2 * third)]
        gaps.append(middle.mean() - pd.concat(others).max())
    return Measurement(pd.concat(gaps, axis=1).min(axis=1))


MEASURES = {
    "language-vector": lowest_above_bottom,
    "middle-layers": middle_over,
    "beyond-copying": partial(middle_over, baselines=BASELINES),
}
CLAIMS = claims.stated(MEASURES)
