"""Section 3, vocabulary memorization: Figure 1, Tables 3 and 4.

Scores and overlaps are frames of ``experiments``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ipywidgets import VBox
from matplotlib.axes import Axes

from crosslingual import claims, languages, published, show, stats
from crosslingual.claims import Evidence, Keep, Measurement, across_scripts, within_script
from crosslingual.stats import CELL, valued

if TYPE_CHECKING:
    from crosslingual.edition import Edition

LITTLE_OVERLAP = 0.05  # section 3.1: "almost no overlap"
CONLL = languages.CONLL_LANGUAGES


def figure_1(scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition) -> show.Figure:
    """Zero-shot F1 against entity word-piece overlap, a panel for each encoder on common axes.

    One point is one ordered pair of different languages, its score the mean over seeds.
    """
    means = valued(scores).groupby(CELL, as_index=False, sort=False).score.mean()
    points = means.merge(valued(overlaps)[[*CELL, "overlap"]], on=CELL)
    points = points[points.train != points.evaluate]
    if points.empty:
        return show.absent("figure-1", edition, scores, overlaps)
    encoders = list(points.groupby("encoder", sort=False))
    drawing, panels = show.canvas(2.8 * len(encoders) + 0.3, len(encoders))
    drawn = zip(panels, encoders, strict=True)
    read = "; ".join(_overlap_panel(panel, *encoder, edition) for panel, encoder in drawn)
    panels[0].set_ylim(-3, 100)
    panels[-1].set_xlabel("entity word-piece overlap (%)")
    about = "Zero-shot NER F1 against the overlap of entity word pieces, one point per ordered pair"
    alt = f"Scatter plot of {len(points)} language pairs. {read}."
    return show.figure(drawing, "figure-1", f"{about}. {read}.", alt, edition, scores)


def _overlap_panel(panel: Axes, encoder: str, points: pd.DataFrame, edition: Edition) -> str:
    """Draw one encoder's pairs; return its trend in words."""
    x, y, across = 100 * points.overlap, points.score, _across(points)
    title, colour = edition.encoder_title(encoder), show.COLOURS.get(encoder, show.CYCLE[2])
    for chosen, marker, face in [(~across, "o", colour), (across, "^", "none")]:
        style = {"facecolors": face, "edgecolors": colour, "linewidths": 0.8, "alpha": 0.75}
        panel.scatter(x[chosen], y[chosen], 18, marker=marker, **style)
    ends, rise = np.array([x.min(), x.max()]), stats.slope(x, y)
    panel.plot(ends, y.mean() + rise * (ends - x.mean()), color=colour, linewidth=2)
    key = f"{title}   ● one script   △ two scripts"
    panel.set_title(key, color=colour, loc="left", fontsize=10)
    panel.set_ylabel("F1")
    rho = f"rank correlation {show.number(stats.rank_correlation(x, y), 2)}"
    return f"{title}: {rho}, slope {show.number(rise, 2)} points of F1 per point of overlap"


def _across(pairs: pd.DataFrame) -> pd.Series:
    return pairs.train.map(languages.script) != pairs.evaluate.map(languages.script)


def selections(
    scores: pd.DataFrame, overlaps: pd.DataFrame, equal: pd.DataFrame, edition: Edition
) -> VBox:
    """Figure 1 with equal numbers of entities, all entities, or pairs of one kind, by a menu."""
    across = _across(overlaps)
    parts = {
        "equal numbers of entities": equal,
        "all entities": overlaps,
        "pairs of one script": overlaps[~across],
        "pairs of two scripts": overlaps[across],
    }
    return show.gallery({title: figure_1(scores, part, edition) for title, part in parts.items()})


# ---- Figure 1 in numbers ----


def little_overlap(train: str, evaluate: str, overlap: float) -> bool:
    return overlap < LITTLE_OVERLAP


def slopes(evidence: Evidence, encoder: str, keep: Keep = claims.every_pair) -> Measurement:
    """Points of F1 by percentage point of overlap over the pairs kept, in each version."""
    scores, overlap = claims.by_covariate(evidence, "ner", "overlap", encoder, keep)
    rise = stats.slope(100 * overlap.to_numpy(), scores.to_numpy())
    return Measurement(pd.Series(rise, scores.columns))


def _trends(encoder: str) -> dict[str, tuple[int, Callable]]:
    """Title of a row: its decimals and measure. A slope is by percentage point of overlap."""
    over = ("ner", "overlap", encoder)
    return {
        "F1, overlap below 5%": (1, claims.mean_where(*over, little_overlap)),
        "F1, two scripts": (1, claims.mean_where(*over, across_scripts)),
        "F1, one script": (1, claims.mean_where(*over, within_script)),
        "rank correlation": (2, claims.trend(stats.rank_correlation, *over)),
        "slope": (2, claims.trend(lambda x, y: stats.slope(x, y) / 100, *over)),
        "slope, one script": (2, lambda known: slopes(known, encoder, within_script)),
    }


def overlap_trends(
    scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition, name: str = "overlap-trends"
) -> show.Table:
    """Mean F1 of groups of pairs and how F1 rises with overlap, a column an encoder."""
    known = claims.evidence({"ner": scores, "overlap": overlaps}, edition)
    columns = {}
    for encoder in dict.fromkeys(scores.encoder):
        cells = {title: _measured(known, *of) for title, of in _trends(encoder).items()}
        unknown = valued(overlaps).query("encoder == @encoder").unk_share
        for which, share in {"mean of pairs": unknown.mean(), "worst pair": unknown.max()}.items():
            cells[f"[UNK] in entities, {which}"] = f"{share:.1%}".replace("nan%", show.MISSING)
        columns[edition.encoder_title(encoder)] = cells
    rows = [list(row) for row in pd.DataFrame(columns).itertuples(name=None)]
    about = "Zero-shot NER F1 and the overlap of entity word pieces"
    given = "In brackets: 95% interval over seeds and sentences, given these encoders."
    form = {"notes": [given], "text": True}
    return show.table(about, name, ["", *columns], rows, edition, scores, overlaps, **form)


def _measured(known: Evidence, decimals: int, measure: Callable) -> str:
    try:
        versions, p = measure(known)
    except (claims.NotAvailable, ValueError):
        return show.MISSING
    estimate = stats.estimate(versions)
    shown = f"{show.number(estimate.value, decimals)} ({show.bounds(estimate, decimals)})"
    return shown if p is None else f"{shown}, p = {p:.3f}"


def table_3(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """F1 within each language of the CoNLL tasks, EN-BERT's and M-BERT's below earlier work's."""
    own = scores[(scores.train == scores.evaluate) & scores.train.isin(CONLL)]
    ours = {edition.encoder_title(e): own[own.encoder == e] for e in ("en-bert", "m-bert")}
    return show.systems(ours, published.TABLE_3, edition, "table-3")


def table_4(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT's tagging accuracy between languages in different scripts."""
    return show.beside(scores[scores.encoder == "m-bert"], published.TABLE_4, edition, "table-4")


def reading(
    ner: pd.DataFrame,
    overlaps: pd.DataFrame,
    within: pd.DataFrame,
    pos: pd.DataFrame,
    edition: Edition,
) -> dict[str, str | float]:
    """The phrases of the chapter's text, by name: on Figure 1, Table 3 and Table 4."""
    known = claims.evidence({"ner": ner, "overlap": overlaps}, edition)
    judged, unknown = claims.judge(CLAIMS, known), valued(overlaps).groupby("encoder").unk_share
    phrases = {
        "flat": judged.verdict["overlap-independence"],
        "still": judged.verdict["transfer-without-overlap"],
        "depends": judged.verdict["overlap-dependence"],
        "fails": judged.verdict["english-fails-across-scripts"],
        "low": judged.value["transfer-without-overlap"],
        "english": judged.value["english-fails-across-scripts"],
        "margin": f"{claims.COMPARABLE:g}",
    }
    own = {}
    for letter, encoder in [("m", "m-bert"), ("e", "en-bert")]:
        steep = _measured(known, *_trends(encoder)["slope, one script"])
        phrases[f"steep_{letter}"] = steep.split(" (")[0]  # without its interval
        phrases[f"unknown_{letter}"] = 100 * unknown.mean().get(encoder, np.nan)
        own[letter] = stats.in_language(stats.means(within[within.encoder == encoder]))
    lost, paper = (own["m"] - own["e"]).dropna(), published.TABLE_4.stack()
    ours = stats.means(pos[pos.encoder == "m-bert"]).reindex(paper.index)
    gap, paper_gap = (scores["en", "bg"] - scores["en", "ja"] for scores in (ours, paper))
    phrases |= {"english_within": show.span(own["e"]), "lost": float(lost.mean())}
    phrases |= {"comparable": show.share(lost < claims.COMPARABLE)}
    phrases |= {"hi_ur": ours["hi", "ur"], "ur_hi": ours["ur", "hi"], "gap": gap}
    return phrases | {"paper_gap": paper_gap, "easier": show.versus(gap, 0.0)}


# ---- Claims ----


def excess_slope(evidence: Evidence) -> Measurement:
    """M-BERT's slope of F1 on overlap minus half of EN-BERT's."""
    multilingual, english = (slopes(evidence, e).versions for e in ("m-bert", "en-bert"))
    return Measurement(multilingual - english / 2)


def _claims() -> list[claims.Claim]:
    over, mean = ("ner", "overlap"), claims.mean_where
    earlier, multilingual, english = (
        claims.in_language(tagger, CONLL) for tagger in ("lample", "m-bert", "en-bert")
    )
    # From English and to it: the nearer language in word order, then the farther one.
    gaps = [(("m-bert", "en", "bg"), ("m-bert", "en", "ja"))]
    gaps.append((("m-bert", "bg", "en"), ("m-bert", "ja", "en")))
    return claims.stated(
        {
            "overlap-independence": excess_slope,
            "transfer-without-overlap": mean(*over, "m-bert", little_overlap),
            "overlap-dependence": claims.trend(stats.rank_correlation, *over, "en-bert"),
            "english-fails-across-scripts": mean(*over, "en-bert", across_scripts),
            "english-in-language": claims.difference("earlier work", earlier, english, "ner"),
            "english-in-language-m-bert": claims.difference("ner", multilingual, english),
            "across-scripts": claims.lowest("pos", claims.zero_shot("m-bert", ["hi", "ur"])),
            "script-and-order": claims.smallest_difference("pos", gaps),
        }
    )


CLAIMS = _claims()
