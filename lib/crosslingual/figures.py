"""Figures of the book, fit for a phone: direct labels, colour-blind-safe hues, captions and alt text.

Every function returns a ``Figure``, which the site build takes as a numbered figure that other pages can
refer to and a live notebook shows as HTML. What a caption says is computed from the data that the figure
shows.
"""

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle
from types import MappingProxyType

import ipywidgets
import matplotlib.figure
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from PIL import Image

from crosslingual import availability, claims, corpora, emergence, evidence, languages, retrieval, stats, tables
from crosslingual.directlabels import end_labels, name_points, name_ticks
from crosslingual.editions import Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.stats import CELL
from crosslingual.tables import ENCODERS, PATTERN, label, number, signed, unavailable

# Okabe and Ito's hues, darkened until text in them reads on white.
COLOURS = {"m-bert": "#0067A3", "en-bert": "#B34700"}
CYCLE = ["#0067A3", "#B34700", "#00704F", "#8A3B78", "#6B5B00"]
WIDTH = 5.0  # inches; at 360 pixels a 10-point letter is still 10 pixels high
DPI = 200
VERDICT_COLOURS = {"supported": CYCLE[0], "contradicted": CYCLE[1], "undecided": "#777777", "not testable": "#777777"}
BESIDE = ["#00704F", "#8A3B78", "#6B5B00"]  # diamonds of other editions' results
OTHER = "other"  # languages that are in no group
REACH = 50.0  # points past a threshold that still have a place on the axis


@dataclass(frozen=True)
class Figure:
    """A drawn figure with its label for references, its caption and a text for those who cannot see it.

    A ``wide`` one is scrolled on a phone, as its letters would be too small if it were fitted.
    """

    drawing: matplotlib.figure.Figure
    name: str
    caption: str
    alt: str
    wide: bool = False

    @cached_property
    def png(self) -> bytes:
        """The drawing at twice a page's resolution, with a palette of 256 colours to keep it small."""
        raw, small = io.BytesIO(), io.BytesIO()
        self.drawing.savefig(raw, format="png", dpi=DPI)
        Image.open(raw).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            small, "png", optimize=True
        )
        return small.getvalue()

    def uri(self) -> str:
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"

    def html(self) -> str:
        """HTML for a live notebook and for ``gallery``."""
        alt, caption = html.escape(self.alt, quote=True), html.escape(self.caption)
        image = f'<img src="{self.uri()}" alt="{alt}" style="width: 100%; max-width: 600px">'
        return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"

    def markdown(self) -> str:
        """MyST source of the numbered figure, the image inside."""
        options = f":name: {self.name}\n:alt: {self.alt}\n:class: plot" + "\n:figclass: wide" * self.wide
        return f"```{{figure}} {self.uri()}\n{options}\n\n{self.caption}\n```\n"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.markdown(), "text/html": self.html(), "text/plain": self.alt}


def canvas(
    height: float, rows: int = 1, share: bool = True, columns: int = 1
) -> tuple[matplotlib.figure.Figure, Sequence[Axes]]:
    """An empty drawing of the book's width with panels row by row, which share their axes unless told otherwise."""
    style = sns.axes_style(
        "whitegrid", {"axes.spines.top": False, "axes.spines.right": False, "grid.color": "#e4e4e4"}
    )
    with style, sns.plotting_context("paper", font_scale=1.15):
        drawing = matplotlib.figure.Figure(figsize=(WIDTH, height), layout="constrained")
        panels = drawing.subplots(rows, columns, sharex=share, sharey=share, squeeze=False).ravel()
    return drawing, panels


def overlap_scatter(
    scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition, name: str = "figure-1"
) -> Figure:
    """Figure 1: zero-shot F1 against entity word-piece overlap, a panel for each encoder on common axes.

    ``scores`` is ``transfer.matrix`` and ``overlaps`` ``overlap.matrix``, for all encoders to be shown; one
    point is one ordered pair of different languages, its score the mean over seeds.
    """
    points = scores.groupby(CELL, as_index=False, sort=False).score.mean().merge(overlaps, on=CELL)
    points = points[points.train != points.evaluate].copy()
    if points.empty:
        return absent(name, edition, scores, overlaps)
    points["percent"] = 100 * points.overlap
    points["across"] = points.train.map(languages.script) != points.evaluate.map(languages.script)
    encoders = list(dict.fromkeys(points.encoder))
    drawing, panels = canvas(2.8 * len(encoders) + 0.3, len(encoders))
    for panel, encoder in zip(panels, encoders, strict=True):
        _overlap_panel(panel, points[points.encoder == encoder], encoder)
    panels[0].set_ylim(-3, 100)
    panels[-1].set_xlabel("entity word-piece overlap (%)")
    trends = "; ".join(_overlap_trend(points[points.encoder == encoder], encoder) for encoder in encoders)
    caption = (
        f"Zero-shot NER F1 against the overlap of entity word pieces, one point per ordered pair. {trends}."
    )
    alt = f"Scatter plot of {len(points)} language pairs. {trends}."
    return Figure(drawing, name, _caption(caption, edition, scores), alt)


def _overlap_panel(panel: Axes, points: pd.DataFrame, encoder: str) -> None:
    colour = COLOURS.get(encoder, CYCLE[2])
    for across, marker, face in [(False, "o", colour), (True, "^", "none")]:
        chosen = points[points.across == across]
        panel.scatter(chosen.percent, chosen.score, 18, marker=marker, facecolors=face, edgecolors=colour,
                      linewidths=0.8, alpha=0.75)  # fmt: skip
    ends = np.array([points.percent.min(), points.percent.max()])
    rise = stats.slope(points.percent, points.score)
    panel.plot(ends, points.score.mean() + rise * (ends - points.percent.mean()), color=colour, linewidth=2)
    panel.set_title(
        f"{ENCODERS.get(encoder, encoder)}   ● one script   △ two scripts",
        color=colour,
        loc="left",
        fontsize=10,
    )
    panel.set_ylabel("F1")


def _overlap_trend(points: pd.DataFrame, encoder: str) -> str:
    rho, rise = (
        stats.rank_correlation(points.percent, points.score),
        stats.slope(points.percent, points.score),
    )
    return (f"{ENCODERS.get(encoder, encoder)}: rank correlation {number(rho, 2)}, "
            f"slope {number(rise, 2)} points of F1 per point of overlap")  # fmt: skip


def scripts(codes: Sequence[str], name: str = "scripts") -> Figure:
    """The languages by script, as bars; few enough languages are named."""
    written = [languages.SCRIPT_NAMES[languages.script(code)] for code in codes]
    groups = pd.Series(codes, index=written).groupby(level=0, sort=False).agg(list)
    groups = groups[groups.map(len).sort_values(kind="stable").index]
    drawing, (panel,) = canvas(0.6 + 0.28 * len(groups))
    panel.barh(range(len(groups)), groups.map(len), color=CYCLE[0])
    for height, members in enumerate(groups):
        named = " ".join(map(label, members)) if len(members) < 5 else f"{len(members)} languages"
        panel.text(len(members) + 0.3, height, named, va="center", fontsize=9)
    panel.set_yticks(range(len(groups)), groups.index)
    panel.grid(False, axis="y")
    most = groups.map(len)
    panel.set(xlabel="languages", xlim=(0, 1.3 * most.max()))
    read = f"{most.idxmax()} has {most.max()} of {len(codes)} languages, {sum(most == 1)} of {len(most)} scripts have one"
    caption = f"The paper's languages by script. {read}: there transfer cannot lean on shared letters."
    return Figure(drawing, name, caption, f"Horizontal bars. {read}.")


def beside(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    edition: Edition,
    name: str,
    languages: Sequence[str] | None = None,
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Figure:
    """A small matrix beside the paper's, a panel per fine-tuning language: dots are ours, rings the paper's.

    ``frame`` is ``transfer.matrix`` for one encoder. A line spans the seeds; the language fine-tuned on is bold.
    ``languages`` shows other ones than the paper's; ``others`` are the matrices of editions shown beside this one,
    drawn as diamonds.
    """
    if frame.empty:
        return absent(name, edition, frame)
    about, codes = published.attrs, published.index if languages is None else languages
    published = published.reindex(index=codes, columns=codes)
    drawing, panels = canvas(0.4 + 0.3 * published.size, len(published))
    for panel, train in zip(panels, published.index, strict=True):
        for theirs, colour in zip(others.values(), BESIDE, strict=False):
            _beside_marks(panel, theirs[theirs.train == train], published.columns, colour)
        _beside_panel(panel, frame[frame.train == train], published.loc[train], train)
    panels[-1].set(xlim=(-2, 102), xlabel=about["metric"])
    pairs = frame[frame.train != frame.evaluate].groupby(["train", "evaluate"]).score.mean()
    within = frame[frame.train == frame.evaluate].groupby("train").score.mean()
    read = f"Within a language {_range(within)}, zero-shot {_range(pairs)}"
    diamonds = "".join(f" Diamonds: {other.title}{_recorded(theirs)}." for other, theirs in others.items())
    caption = f"{about['caption']}. Dots: ours, the line spanning the seeds; rings: the paper's.{diamonds} {read}."
    return Figure(drawing, name, _caption(caption, edition, frame), f"Dot plot. {read}.")


def _beside_marks(panel: Axes, runs: pd.DataFrame, codes: Sequence[str], colour: str) -> None:
    means = runs.groupby("evaluate").score.mean()
    for height, code in enumerate(codes):
        if code in means:
            panel.plot(means[code], height, "D", color=colour, markersize=5, fillstyle="none", zorder=2)


def _recorded(theirs: pd.DataFrame) -> str:
    return "" if len(theirs) else ", not recorded"


def _beside_panel(panel: Axes, runs: pd.DataFrame, printed: pd.Series, train: str) -> None:
    for height, code in enumerate(printed.index):
        scores = runs[runs.evaluate == code].score
        if len(scores):
            weight = dict(color=COLOURS.get(runs.encoder.iloc[0], CYCLE[2]), zorder=3)
            panel.plot([scores.min(), scores.max()], [height, height], linewidth=2, **weight)
            panel.plot(scores.mean(), height, "o", markersize=6, **weight)
        panel.plot(printed[code], height, "o", markersize=8, color="#444444", fillstyle="none")
    panel.set_yticks(range(len(printed)), [*map(label, printed.index)])
    panel.set_ylim(len(printed) - 0.4, -0.6)
    panel.set_title(f"fine-tuned on {label(train)}", loc="left", fontsize=10)
    panel.get_yticklabels()[list(printed.index).index(train)].set_fontweight("bold")


def _range(scores: pd.Series) -> str:
    return f"{number(scores.min())} to {number(scores.max())}" if len(scores) else "not available"


def everywhere(frame: pd.DataFrame, train: str, edition: Edition, name: str = "everywhere") -> Figure:
    """A tagger fine-tuned on ``train`` evaluated on every language: bars by score, coloured by script."""
    means = frame[frame.train == train].groupby("evaluate").score.mean().sort_values()
    if means.empty:
        return absent(name, edition, frame)
    drawing, (panel,) = canvas(0.7 + 0.17 * len(means))
    same = [languages.script(code) == languages.script(train) for code in means.index]
    panel.barh(range(len(means)), means, color=[CYCLE[0] if one else "#B9C4CC" for one in same])
    panel.set_yticks(range(len(means)), [*map(label, means.index)], fontsize=7.5)
    for height, value in enumerate(means):
        panel.text(value + 0.7, height, number(value), va="center", fontsize=7)
    panel.set(xlim=(0, 108), ylim=(-0.7, len(means) - 0.3), xlabel="score")
    panel.grid(False, axis="y")
    best = means.drop(train, errors="ignore")
    title = languages.name(train)
    read = f"best elsewhere {label(best.idxmax())} ({number(best.max())})" if len(best) else "no other language"
    worst = f", worst {label(best.idxmin())} ({number(best.min())})" if len(best) else ""
    caption = f"Fine-tuned on {title}, evaluated on every language; dark: written in the same script. Here {read}{worst}."
    return Figure(drawing, name, _caption(caption, edition, frame), caption)


def seconds(frame: pd.DataFrame, edition: Edition, name: str = "seconds") -> Figure:
    """How long each fine-tuning of a transfer matrix took, evaluations included, by task and encoder."""
    models = tables.models(frame)
    if models.empty:
        return absent(name, edition, frame)
    groups = list(models.groupby(["task", "encoder"], sort=False).seconds)
    drawing, (panel,) = canvas(0.9 + 0.42 * len(groups))
    for height, ((_, encoder), times) in enumerate(groups):
        shifts = np.random.default_rng(0).uniform(-0.2, 0.2, len(times))
        colour = COLOURS.get(encoder, CYCLE[2])
        panel.scatter(times, height + shifts, 12, color=colour, alpha=0.5, linewidths=0)
        panel.plot([times.median()] * 2, [height - 0.32, height + 0.32], color=colour, linewidth=2.5)
    titles = [f"{task}, {ENCODERS.get(encoder, encoder)}" for (task, encoder), _ in groups]
    panel.set_yticks(range(len(groups)), titles)
    panel.set(xlabel="seconds", xlim=(0, 1.05 * models.seconds.max()), ylim=(len(groups) - 0.4, -0.6))
    medians = ", ".join(f"{title} {number(times.median())} s" for title, (_, times) in zip(titles, groups, strict=True))
    caption = f"Seconds of each fine-tuning with all its evaluations; strokes are medians: {medians}."
    caption = f"{caption} Edition: {edition.title}."
    return Figure(drawing, name, caption, f"One dot per model. Medians: {medians}.")


def common_features(scores: pd.DataFrame, edition: Edition, name: str = "figure-2") -> Figure:
    """Figure 2: zero-shot accuracy against the number of common attested WALS features, for all encoders.

    Pairs with no common feature are left out, as in the paper. Dots are pairs, lines their means with the 95%
    interval over seeds and test sentences.
    """
    if scores.empty:
        return absent(name, edition, scores)
    versions = stats.draws(scores)
    common = evidence.common_features(versions.index).astype(int).rename("common")
    drawing, (panel,) = canvas(3.9)
    encoders = list(dict.fromkeys(scores.encoder))
    means = {encoder: _feature_line(panel, versions, common, encoder, shift) for encoder, shift
             in zip(encoders, np.linspace(-0.1, 0.1, len(encoders)), strict=True)}  # fmt: skip
    counts = common.xs(encoders[0], level="encoder").value_counts().sort_index()
    panel.set_xticks(counts.index, [f"{features}\n({pairs})" for features, pairs in counts.items()])
    panel.set(xlim=(0.6, 6.3), ylim=(0, 100), ylabel="zero-shot accuracy (%)")
    panel.set_xlabel("common WALS word-order features (number of pairs)")
    end_labels(panel, {ENCODERS.get(encoder, encoder): (line.index.max() + 0.25, line.iloc[-1], COLOURS.get(encoder, CYCLE[2]))
                       for encoder, line in means.items()})  # fmt: skip
    read = "; ".join(_feature_reading(encoder, line) for encoder, line in means.items())
    caption = f"Zero-shot tagging accuracy by the number of common word-order features. Means: {read}."
    return Figure(drawing, name, _caption(caption, edition, scores), f"Dots and mean lines. {read}.")


def _feature_line(
    panel: Axes, versions: pd.DataFrame, common: pd.Series, encoder: str, shift: float
) -> pd.Series:
    """Draw one encoder's pairs and means; return the means by number of common features."""
    common = common[common.index.get_level_values("encoder") == encoder]
    versions, colour = versions.loc[common.index], COLOURS.get(encoder, CYCLE[2])
    jitter = np.random.default_rng(0).uniform(-0.08, 0.08, len(common))
    panel.scatter(common + shift + jitter, versions["mean"][0], 6, color=colour, alpha=0.25, linewidths=0)
    estimates = {features: stats.estimate(versions[(common == features).to_numpy()].mean(skipna=False))
                 for features in sorted(common.unique())}  # fmt: skip
    line = pd.DataFrame.from_dict(estimates, orient="index", columns=["value", "low", "high"])
    errors = [line.value - line.low, line.high - line.value]
    panel.errorbar(line.index + shift, line.value, errors, color=colour, linewidth=2, marker="o", capsize=3)
    return line.value


def _feature_reading(encoder: str, line: pd.Series) -> str:
    ends = [f"{number(line[features])} with {features}" for features in (line.index.min(), line.index.max())]
    return f"{ENCODERS.get(encoder, encoder)} {' and '.join(ends)} in common"


def retrieval_layers(
    curve: pd.DataFrame, edition: Edition, name: str = "figure-3", queries: str = "all"
) -> Figure:
    """Figure 3: nearest-neighbour accuracy by layer for each pair, 95% bootstrap intervals as bands.

    ``curve`` is ``retrieval.curve`` for one encoder and one number of candidates. Dashed: the same pair found
    by shared word pieces alone.
    """
    if curve.empty:
        return absent(name, edition, curve)
    shown = curve[curve.queries == queries]
    if shown.empty:
        return absent(name, edition, curve)
    only = "" if queries == "all" else " Only pairs that share no word piece but punctuation are asked for."
    if len(shown.groupby(["encoder", "candidates"])) != 1:
        raise ValueError(
            "the curve by layer needs one encoder and one number of candidates: select them first"
        )
    pairs = list(dict.fromkeys(zip(shown.source, shown.target, strict=True)))
    drawing, (panel,) = canvas(3.9)
    ends = {}
    for colour, (source, target) in zip(cycle(CYCLE), pairs, strict=False):
        of_pair = shown[(shown.source == source) & (shown.target == target)]
        ends[f"{label(source)}-{label(target)}"] = _layer_line(panel, of_pair, colour)
    top = int(shown.layer.max())
    panel.set_xticks(range(top + 1), ["emb.", *map(str, range(1, top + 1))])
    panel.set(xlabel="layer", ylabel="translations found (%)", xlim=(-0.3, top + 0.1), ylim=(0, 100))
    panel.set_title("━ nearest neighbour   ╍ by shared pieces alone", loc="left", fontsize=10, color="#444444")
    end_labels(panel, {title: (top, value, colour) for title, (value, colour) in ends.items()})
    read = "; ".join(_layer_reading(shown, *pair) for pair in pairs)
    title = f"Nearest-neighbour translation accuracy by layer among {shown.candidates.max():,} sentences."
    caption = f"{title}{only} Dashed: by shared word pieces alone. {read}."
    return Figure(drawing, name, _caption(caption, edition, curve), f"Lines over layers. {read}.")


def _layer_line(panel: Axes, curve: pd.DataFrame, colour: str) -> tuple[float, str]:
    """Draw one pair; return where its line ends and its colour."""
    line = curve[curve.method == "paper"].sort_values("layer")
    bounds = [
        stats.bootstrap_interval("pos", np.stack([hits, np.ones_like(hits)], axis=1)) for hits in line.hits
    ]
    panel.fill_between(line.layer, *zip(*bounds, strict=True), color=colour, alpha=0.2, linewidth=0)
    panel.plot(line.layer, line.accuracy, color=colour, linewidth=2, marker="o", markersize=4)
    copied = curve[curve.method == "shared pieces"].accuracy.mean()
    panel.plot([0, line.layer.max()], [copied, copied], color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
    return float(line.accuracy.iloc[-1]), colour


def _layer_reading(curve: pd.DataFrame, source: str, target: str) -> str:
    of_pair = curve[(curve.source == source) & (curve.target == target)]
    line = of_pair[of_pair.method == "paper"].set_index("layer").accuracy
    baseline = of_pair.groupby("method").accuracy.max()
    best = f"best {number(line.max())} at layer {line.idxmax()}"
    layers = f"embeddings {number(line[0])}, {best}, last {number(line.iloc[-1])}"
    copied = f"by shared pieces {number(baseline['shared pieces'])}, by length {number(baseline['length'])}"
    return f"{label(source)}-{label(target)}: {layers}; {copied}"


def sentence_spaces(
    edition: Edition, encoder: str, sentences: int = 40, name: str = "space"
) -> dict[str, Figure]:
    """A drawing for each layer, by its name, of sentences and translations of the edition's first pair."""
    nothing = pd.DataFrame()
    if not edition.pairs:
        return {"no layer": absent(name, edition, nothing)}
    pair = edition.pairs[0]
    try:
        text = corpora.first(edition.parallel(*pair), sentences)
        model = edition.encoder(encoder)
        model.digest  # noqa: B018 - raises if there are no weights
    except (corpora.CorpusUnavailable, EncoderUnavailable) as missing:
        nothing.attrs["unavailable"] = {"-".join(pair): str(missing)}
        return {"no layer": absent(name, edition, nothing)}
    sides = [retrieval.sentence_vectors(model, list(text[side])) for side in ("source", "target")]
    titles = ["embeddings", *(f"layer {number}" for number in range(1, len(sides[0])))]
    return {
        title: sentence_space(*layer, pair, edition, f"{name}-{number}", title)
        for number, (title, *layer) in enumerate(zip(titles, *sides, strict=True))
    }


def sentence_space(
    source: np.ndarray, target: np.ndarray, pair: tuple[str, str], edition: Edition, name: str, title: str
) -> Figure:
    """One layer's sentences and translations in two dimensions, before and after the shift.

    Both arrays are [sentences, hidden]. Above, the horizontal axis is the mean difference of the languages.
    """
    moved = retrieval.shifted(source, target)
    drawing, panels = canvas(5.6, 2, share=False)
    difference = (target - source).mean(0)
    views = [
        (f"{title}: as they are, across: the mean difference", source, _plane(source, target, difference)),
        (f"{title}: after adding the mean difference", moved, _plane(moved, target)),
    ]
    for panel, (heading, queries, plane) in zip(panels, views, strict=True):
        _translations(panel, queries @ plane, target @ plane, pair)
        panel.set_title(heading, loc="left", fontsize=10)
    found = [int(round(retrieval.nearest_neighbour_hits(source, target, way).sum())) for way in ("no shift", "paper")]
    read = f"Of {len(source)} translations {found[0]} are nearest before and {found[1]} after the shift"
    caption = (f"{label(pair[0])} sentences (dots) and their {label(pair[1])} translations (rings), {title}; lines join "
               f"translations. {read}.")  # fmt: skip
    return Figure(drawing, name, _caption(caption, edition, pd.DataFrame()), f"Two scatter plots. {read}.")


def renamed(figure: Figure, name: str) -> Figure:
    """The same figure under another label."""
    return replace(figure, name=name)


def _plane(source: np.ndarray, target: np.ndarray, first: np.ndarray | None = None) -> np.ndarray:
    """Two orthogonal directions [hidden, 2]: ``first`` if given, and those in which the vectors vary most."""
    centred = np.concatenate([source, target]) - np.concatenate([source, target]).mean(0)
    if first is None:
        return np.linalg.svd(centred, full_matrices=False)[2][:2].T
    first = first / max(np.linalg.norm(first), 1e-9)
    rest = centred - np.outer(centred @ first, first)
    return np.stack([first, np.linalg.svd(rest, full_matrices=False)[2][0]], axis=1)


def _translations(panel: Axes, source: np.ndarray, target: np.ndarray, pair: tuple[str, str]) -> None:
    for start, end in zip(source, target, strict=True):
        panel.plot(*np.stack([start, end]).T, color="#bbbbbb", linewidth=0.7, zorder=1)
    panel.scatter(*source.T, 16, color=CYCLE[0], zorder=2, label=label(pair[0]))
    panel.scatter(*target.T, 16, facecolors="none", edgecolors=CYCLE[1], zorder=2, label=label(pair[1]))
    panel.set(xticklabels=[], yticklabels=[])


def margins(
    ledger: pd.DataFrame, edition: Edition, name: str = "margins",
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Figure:  # fmt: skip
    """How far each claim's statistic is past its rule's threshold, ours with its interval, the paper's as a ring.

    ``ledger`` is what ``claims.evaluate`` returns; ``others``, ledgers of editions shown beside this one, are diamonds.
    Rank correlations and slopes are multiplied by 100; what lies further than ``REACH`` is an arrow head at the edge, its value in
    the caption.
    """
    chosen = [claim for claim in claims.CLAIMS if claim.id in ledger.index]
    drawing, (panel,) = canvas(0.9 + 0.27 * len(chosen))
    for height, claim in enumerate(chosen):
        _margin(panel, ledger.loc[claim.id], claim, height)
        for theirs, colour in zip(others.values(), BESIDE, strict=False):
            past = _past(theirs.loc[claim.id, "value"], claim)
            _margin_mark(panel, past, height, "D", color=colour, markersize=5, fillstyle="none")
    panel.axvline(0, color="#444444", linewidth=1)
    panel.set_yticks(range(len(chosen)), [claim.id for claim in chosen], fontsize=7.5)
    panel.set(xlim=(-1.05 * REACH, 1.05 * REACH), ylim=(len(chosen) - 0.3, -0.7))
    panel.set_xlabel("points past the threshold (right: as claimed)", loc="right")
    caption = _margins_caption(chosen, [(edition, ledger), *others.items()])
    return Figure(drawing, name, _caption(caption, edition, pd.DataFrame()), f"Dot plot of claims. {tables.tally(ledger)}.")


def _margins_caption(chosen: list[claims.Claim], ledgers: list[tuple[Edition, pd.DataFrame]]) -> str:
    """What the axis counts, what lies beyond it and what the verdicts are; the first ledger is ours."""
    (_, ours), *others = ledgers
    far = dict.fromkeys(part for edition, ledger in ledgers for part in _far_off(chosen, ledger, edition))
    far = f"Arrow heads: further off than {REACH:g}: {'; '.join(far)}." if far else ""
    diamonds = [f"Diamonds: {other.title}; there {tables.tally(theirs)}." for other, theirs in others]
    parts = ["How far each claim's statistic lies on the claimed side of its threshold, in points of accuracy or F1; rank correlations",
             "and the slope are multiplied by 100. Dots and lines: ours with 95% interval; rings: the paper's printed numbers where",
             "these suffice.", far, f"Ours: {tables.tally(ours)}.", *diamonds]  # fmt: skip
    return " ".join(filter(None, parts))


def _far_off(chosen: list[claims.Claim], ledger: pd.DataFrame, edition: Edition) -> list[str]:
    """The claims drawn at the edge with their distances, the paper's values too."""
    found = []
    for claim in chosen:
        for key, whose in [("value", edition.name), ("paper_value", "the paper")]:
            past = _past(ledger.loc[claim.id].get(key, np.nan), claim)
            found += [f"{claim.id} ({whose} {signed(past)})"] if abs(past) > REACH else []
    return found


def _margin(panel: Axes, row: pd.Series, claim: claims.Claim, height: int) -> None:
    value, low, high, paper = (_past(row[key], claim) for key in ("value", "low", "high", "paper_value"))
    if not np.isnan(value):
        colour = VERDICT_COLOURS[row.verdict]
        panel.plot([low, high], [height, height], color=colour, linewidth=2)
        _margin_mark(panel, value, height, "o", color=colour, markersize=5)
    _margin_mark(panel, paper, height, "o", color="#444444", markersize=8, fillstyle="none")


def _margin_mark(panel: Axes, past: float, height: int, marker: str, **style) -> None:
    """A mark at its place, or an arrow head at the edge that it lies beyond."""
    if abs(past) > REACH:
        past, marker = np.copysign(REACH, past), ">" if past > 0 else "<"
    panel.plot(past, height, marker, **style)


def _past(value: float, claim: claims.Claim) -> float:
    """Points by which a statistic is on the claimed side of its threshold; hundredths, if it is a rank correlation or a slope."""
    sign = 1 if claim.rule.side == "above" else -1
    scale = 100 if claim.statistic.startswith(("rank correlation", "slope")) else 1
    return float(sign * scale * (value - claim.rule.threshold))


def look_up(measured: pd.DataFrame, tagged: pd.Series, edition: Edition, name: str = "look-up") -> Figure:
    """Accuracy by language of the majority class, of look-up and of the fine-tuned tagger, sorted by look-up.

    ``measured`` is ``profile.treebanks`` and ``tagged`` the tagger's accuracy by language.
    """
    if measured.empty:
        return absent(name, edition, availability.nothing(edition, "pos"))
    rows = measured.sort_values("look_up", ignore_index=True)
    tuned = rows.language.map(tagged)
    drawing, (panel,) = canvas(0.9 + 0.17 * len(rows))
    for column, marker, colour, title, place in [(rows.majority_class, "x", "#666666", "× majority class", 0.0),
                                                 (rows.look_up, "o", CYCLE[1], "○ look-up", 0.42),
                                                 (tuned, "D", CYCLE[0], "◆ M-BERT", 0.7)]:  # fmt: skip
        panel.plot(column, rows.index, marker, color=colour, markersize=5, fillstyle="none" if marker == "o" else "full")
        panel.text(place, 1.01, title, color=colour, fontsize=10, transform=panel.transAxes)
    panel.set_yticks(rows.index, [*map(label, rows.language)], fontsize=7.5)
    panel.set(xlim=(0, 105), ylim=(-0.7, len(rows) - 0.3), xlabel="accuracy (%)")
    read = (f"Look-up {_range(rows.look_up)}, the tagger {_range(tuned.dropna())}; its smallest lead over look-up is "
            f"{number((tuned - rows.look_up).min())} points")  # fmt: skip
    caption = f"Tagging by look-up and by the fine-tuned encoder, within each language. {read}."
    return Figure(drawing, name, _caption(caption, edition, measured), f"Dot plot. {read}.")


def training(log: pd.DataFrame, edition: Edition, name: str = "training") -> Figure:
    """Loss of the masked words against word pieces seen, a line per encoder; ``log`` is ``provenance.training``."""
    if log.empty:
        return absent(name, edition, log)
    drawing, (panel,) = canvas(3.2)
    ends = {}
    for encoder, line in log.groupby("encoder", sort=False):
        colour = COLOURS.get(encoder, CYCLE[2])
        panel.plot(line.tokens / 1e6, line.loss, color=colour, linewidth=1.5)
        ends[ENCODERS.get(encoder, encoder)] = (line.tokens.max() / 1e6, line.loss.iloc[-1], colour)
    panel.set(xlabel="word pieces seen (millions)", ylabel="masked-word loss", xlim=(0, 1.01 * log.tokens.max() / 1e6))
    end_labels(panel, ends)
    read = "; ".join(f"{title} {number(loss, 2)} after {number(seen)} million" for title, (seen, loss, _) in ends.items())
    caption = f"Pre-training of the encoders: loss at the end {read}. Encoders of different vocabularies do not compare."
    return Figure(drawing, name, _caption(caption, edition, log), f"Falling lines. {read}.")


def emergence_curve(
    found: pd.DataFrame, log: pd.DataFrame, encoder: str, edition: Edition, name: str = "emergence-curve"
) -> Figure:
    """What an encoder can do after so many steps of its pre-training, and the loss that pre-training minimises below.

    ``found`` is ``emergence.curve`` and ``log`` ``emergence.log``.
    """
    if found.empty:
        return absent(name, edition, found)
    means = emergence.means(found)
    drawing, panels = canvas(5.4, 2, share=False)
    ends = {}
    for measure, colour in zip(means, CYCLE, strict=False):
        panels[0].plot(means.index, means[measure], color=colour, linewidth=2, marker="o", markersize=4)
        ends[measure.replace(" ", "\n", 1)] = (means.index.max(), means[measure].iloc[-1], colour)
    panels[1].plot(log.step, log.loss, color="#444444", linewidth=1.5)
    panels[0].set(ylabel="accuracy (%)", ylim=(0, 100))
    panels[1].set(ylabel="masked-word loss", xlabel="steps of pre-training")
    for panel in panels:
        _step_axis(panel, list(means.index))
    end_labels(panels[0], ends)
    read = "; ".join(f"{measure} {number(line.iloc[0])} to {number(line.iloc[-1])}" for measure, line in means.items())
    caption = (f"{ENCODERS.get(encoder, encoder)} after 0 to {means.index.max():,} steps: {read} (means over languages; retrieval "
               "at its best layer). Below: the loss.")  # fmt: skip
    return Figure(drawing, name, _caption(caption, edition, found), f"Lines over steps, two panels. {read}.")


def _step_axis(panel: Axes, steps: list[int]) -> None:
    """Logarithmic from the first snapshot on, with a place for step 0."""
    first = min((step for step in steps if step), default=1)
    panel.set_xscale("symlog", linthresh=first, linscale=0.6)
    panel.set_xlim(-0.1 * first, 1.05 * max(steps))
    name_ticks(panel, {step: f"{step / 1000:g}k" if step >= 1000 else str(step) for step in steps})


def emergence_by_pair(found: pd.DataFrame, encoder: str, edition: Edition, name: str = "emergence-pairs") -> Figure:
    """Tagging accuracy of each pair after so many steps: a panel a language, a line for each that was fine-tuned on."""
    tagged = found[found.layer < 0]
    if tagged.empty:
        return absent(name, edition, found)
    targets = list(dict.fromkeys(tagged.target))
    rows = (len(targets) + 1) // 2
    drawing, panels = canvas(0.5 + 1.45 * rows, rows, columns=2)
    for panel in panels[len(targets) :]:
        panel.set_axis_off()
    panels[0].set(ylim=(0, 100))
    for panel, target in zip(panels, targets, strict=False):
        _pairs_panel(panel, tagged[tagged.target == target], target)
    drawing.supxlabel("steps of pre-training", fontsize=10)
    drawing.supylabel("accuracy (%)", fontsize=10)
    read = _most_and_least(tagged[tagged.source != tagged.target])
    lines = "A line is named by the language fine-tuned on; thick: in-language, dashed: across two scripts."
    caption = f"Tagging accuracy by pair as {ENCODERS.get(encoder, encoder)} is pre-trained. {lines} {read}."
    return Figure(drawing, name, _caption(caption, edition, found), f"Lines over steps, a panel a language. {read}.")


def _most_and_least(apart: pd.DataFrame) -> str:
    """Which zero-shot pair gained most from the first step to the last, and which least."""
    by_step = apart.pivot_table("score", ["source", "target"], "step")
    gained = (by_step.iloc[:, -1] - by_step.iloc[:, 0]).sort_values()
    ends = [f"{label(a)} to {label(b)} ({signed(gained[a, b])} points)" for a, b in (gained.index[-1], gained.index[0])]
    return f"Most gained: {ends[0]}; least: {ends[1]}"


def _pairs_panel(panel: Axes, tagged: pd.DataFrame, target: str) -> None:
    """One language's panel; a language fine-tuned on has the same colour in all of them."""
    ends = {}
    for colour, (source, line) in zip(cycle(CYCLE), tagged.sort_values("step").groupby("source", sort=True), strict=False):
        style = "-" if languages.script(source) == languages.script(target) else (0, (4, 2))
        width = 2.6 if source == target else 1.6
        panel.plot(line.step, line.score, color=colour, linewidth=width, linestyle=style, marker="o", markersize=3)
        ends[label(source)] = (line.step.max(), line.score.iloc[-1], colour)
    panel.set_title(f"evaluated on {label(target)}", loc="left", fontsize=10)
    _step_axis(panel, sorted(set(tagged.step)))
    end_labels(panel, ends)


def fertility(measured: Mapping[str, pd.DataFrame], name: str = "fertility") -> Figure:
    """Pieces a word of each language under several vocabularies; ``measured`` is ``tokenisation.treebanks`` by encoder."""
    measured = {encoder: frame for encoder, frame in measured.items() if len(frame)}
    if not measured:
        return _nothing(name, "No vocabulary is at hand and nothing was recorded.")
    order = next(iter(measured.values())).fertility.sort_values().index
    drawing, (panel,) = canvas(0.9 + 0.17 * len(order))
    for encoder, frame in measured.items():
        colour, heights = COLOURS.get(encoder, CYCLE[2]), range(len(order))
        panel.plot(frame.fertility.reindex(order), heights, "o", markersize=4, color=colour)
        last = frame.fertility.reindex(order).iloc[-1]
        panel.text(last, len(order) - 0.2, ENCODERS.get(encoder, encoder), color=colour, ha="center", fontweight="bold")
    panel.set_yticks(range(len(order)), [*map(label, order)], fontsize=7.5)
    panel.set(xlabel="word pieces a word", ylim=(-0.7, len(order) + 0.8), xlim=(0.8, None))
    read = "; ".join(f"{ENCODERS.get(encoder, encoder)}: {_extremes(frame.fertility)}" for encoder, frame in measured.items())
    caption = f"Word pieces a word in each test set, by M-BERT's order. {read}. Few pieces may also mean few known ones."
    return Figure(drawing, name, caption, f"Dots, two a language. {read}.")


def _extremes(values: pd.Series) -> str:
    low, high = values.idxmin(), values.idxmax()
    return f"from {number(values[low], 2)} ({label(low)}) to {number(values[high], 2)} ({label(high)})"


def entity_overlaps(pairs: pd.DataFrame, name: str = "entity-overlaps") -> Figure:
    """Where language pairs lie on the horizontal axis of Figure 1; ``pairs`` is ``tokenisation.overlaps``, encoders below
    each other."""
    if pairs.empty:
        return _nothing(name, "No vocabulary is at hand and nothing was recorded.")
    groups = overlaps_by_script(pairs)
    drawing, (panel,) = canvas(0.8 + 0.55 * len(groups))
    for height, ((encoder, _), values) in enumerate(groups.items()):
        colour, shifts = COLOURS.get(encoder, CYCLE[2]), np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        panel.scatter(values, height + shifts, 10, color=colour, alpha=0.5, linewidths=0)
        panel.plot([values.median()] * 2, [height - 0.36, height + 0.36], color=colour, linewidth=2.5)
    titles = [f"{ENCODERS.get(encoder, encoder)},\n{kind}" for encoder, kind in groups]
    panel.set_yticks(range(len(groups)), titles)
    panel.set(xlabel="entity word-piece overlap (%)", ylim=(len(groups) - 0.4, -0.6), xlim=(-0.5, None))
    read = "; ".join(f"{title} {number(values.median())}%".replace("\n", " ")
                     for title, values in zip(titles, groups.values(), strict=True))  # fmt: skip
    caption = f"Overlap of entity word pieces, a dot an ordered pair of languages. Medians: {read}."
    return Figure(drawing, name, caption, f"Strips of dots. Medians: {read}.")


def overlaps_by_script(pairs: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Overlaps in percent by encoder and by whether both languages have one script."""
    across = pairs.train.map(languages.script) != pairs.evaluate.map(languages.script)
    kinds = across.map({False: "one script", True: "two scripts"})
    return dict(iter((100 * pairs.overlap).groupby([pairs.encoder, kinds], sort=False)))


def heatmap(
    frame: pd.DataFrame, group: Callable[[str], str | None], edition: Edition, name: str = "heatmap"
) -> Figure:
    """A transfer matrix as colours, languages grouped (``typology.order_group``, ``language_family``).

    Rows are fine-tuning, columns evaluation languages; white lines part the groups, languages in none come
    last.
    """
    if frame.empty:
        return absent(name, edition, frame)
    codes = sorted(set(frame.train) & set(frame.evaluate), key=lambda code: (group(code) or "~", label(code)))
    means = frame.groupby(["train", "evaluate"]).score.mean().unstack().loc[codes, codes]
    drawing, (panel,) = canvas(6.2)
    ticks = [*map(label, codes)]
    bar = {"shrink": 0.6, "label": "score", "location": "bottom", "aspect": 30}
    sns.heatmap(means, cmap="cividis", vmin=0, vmax=100, square=True, ax=panel, xticklabels=ticks,
                yticklabels=ticks, cbar_kws=bar)  # fmt: skip
    panel.tick_params(labelsize=min(9, 230 / len(codes)), length=0)
    panel.tick_params(axis="y", rotation=0)
    panel.tick_params(axis="x", rotation=90)
    panel.set(xlabel="evaluated on", ylabel="fine-tuned on")
    groups = [group(code) or OTHER for code in codes]
    _part_groups(panel, groups)
    within = _mean_where(means, groups, same=True), _mean_where(means, groups, same=False)
    read = f"Mean of zero-shot pairs within a group {number(within[0])}, between groups {number(within[1])}"
    encoder = ", ".join(ENCODERS.get(encoder, encoder) for encoder in dict.fromkeys(frame.encoder))
    caption = f"Every fine-tuning language against every evaluation language, {encoder}. {read}."
    alt = f"Heat map, {len(codes)} languages. {read}."
    return Figure(drawing, name, _caption(caption, edition, frame), alt, wide=len(codes) > 20)


def _part_groups(panel: Axes, groups: list[str]) -> None:
    starts = [i for i, key in enumerate(groups) if i == 0 or key != groups[i - 1]]
    slanted = dict(rotation=40, ha="left") if len(starts) > 4 else dict(ha="center")
    for start, end in zip(starts, [*starts[1:], len(groups)], strict=True):
        panel.axhline(start, color="white", linewidth=1.5)
        panel.axvline(start, color="white", linewidth=1.5)
        panel.text((start + end) / 2, -0.4, groups[start], va="bottom", fontsize=8, **slanted)


def _mean_where(means: pd.DataFrame, groups: list[str], same: bool) -> float:
    """Mean over zero-shot pairs of grouped languages."""
    groups = np.array(groups)
    chosen = (np.equal.outer(groups, groups) == same) & np.logical_and.outer(groups != OTHER, groups != OTHER)
    return float(np.nanmean(means.to_numpy()[chosen & ~np.eye(len(groups), dtype=bool)]))


def language_family(code: str) -> str:
    return languages.table().at[languages.check(code), "family"]


def exposure(
    known: pd.DataFrame, means: pd.Series, encoder: str, edition: Edition, name: str = "exposure-figure"
) -> Figure:
    """Mean zero-shot accuracy on each language against the pieces that its words are cut into.

    ``known`` is ``exposure.conditions`` and ``means`` a column of ``exposure.standing``. Each language stands as its code:
    dark and bold if it was read in pre-training.
    """
    points = known.join(means.rename("score")).dropna(subset=["fertility", "score"])
    if points.empty:
        return absent(name, edition, means.to_frame())
    drawing, (panel,) = canvas(4.6)
    read = points.read != 0
    _exposure_points(panel, points, read)
    groups = [f"{number(part.score.mean())} on average over {len(part)} that it {title}"
              for title, part in [("read", points[read]), ("never read", points[~read])] if len(part)]  # fmt: skip
    rho = stats.rank_correlation(points.fertility, points.score)
    text = f"{ENCODERS.get(encoder, encoder)}: {'; '.join(groups)}; rank correlation with the pieces a word {number(rho, 2)}"
    caption = f"How well each language is tagged from the others, against how finely its words are cut. Bold, full dots: read in pre-training. {text}."
    return Figure(drawing, name, _caption(caption, edition, means.to_frame()), f"Dots with language codes. {text}.")


def _exposure_points(panel: Axes, points: pd.DataFrame, read: pd.Series) -> None:
    colours = {code: COLOURS["m-bert"] if read[code] else "#666666" for code in points.index}
    for code, row in points.iterrows():
        panel.plot(row.fertility, row.score, "o", color=colours[code], markersize=4, fillstyle="full" if read[code] else "none")
    panel.set_xscale("log")
    panel.set_xticks([1, 1.5, 2, 3, 4, 6, 8], ["1", "1.5", "2", "3", "4", "6", "8"])
    panel.minorticks_off()
    panel.set(xlim=(0.9 * points.fertility.min(), 1.15 * points.fertility.max()),
              ylim=(max(0, points.score.min() - 5), min(100, points.score.max() + 5)),
              xlabel="word pieces a word", ylabel="mean zero-shot accuracy on it (%)")  # fmt: skip
    name_points(panel, {label(code): (row.fertility, row.score, colours[code], "bold" if read[code] else "normal")
                        for code, row in points.iterrows()})  # fmt: skip


def gallery(views: Mapping[str, "Figure"]) -> ipywidgets.VBox:
    """A drop-down that switches between figures or tables (what has ``html()``), also without a kernel."""
    if not views:
        return ipywidgets.VBox([ipywidgets.HTML("Nothing to choose from: no corpora at hand.")])
    choice = ipywidgets.Dropdown(options=list(views), description="Show")
    pages = ipywidgets.Stack([ipywidgets.HTML(view.html()) for view in views.values()], selected_index=0)
    ipywidgets.jslink((choice, "index"), (pages, "selected_index"))
    return ipywidgets.VBox([choice, pages])


def absent(name: str, edition: Edition, *frames: pd.DataFrame) -> Figure:
    """Stands in for a figure whose data are not at hand: numbered like it, and saying what is missing."""
    reasons = " ".join(dict.fromkeys(reason for frame in frames for reason in unavailable(frame)))
    return _nothing(name, f"Not available in this edition ({edition.title}). {reasons}")


def _nothing(name: str, why: str) -> Figure:
    drawing, (panel,) = canvas(0.8)
    panel.set_axis_off()
    panel.text(0.5, 0.5, "not available in this edition", ha="center", va="center")
    return Figure(drawing, name, why, why)


def _caption(text: str, edition: Edition, frame: pd.DataFrame) -> str:
    about = PATTERN if edition.artificial else ""
    parts = [text, f"Edition: {edition.title}.", about, tables.origin(frame), *unavailable(frame)]
    return " ".join(filter(None, parts))
