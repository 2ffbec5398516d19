"""Front page, introduction, conclusion: the languages, what a tagger sees, all claims at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import space, structure, transfer, vocabulary
from crosslingual.claims import CONTRADICTED, NOT_TESTABLE, SUPPORTED, UNDECIDED
from crosslingual.show import CYCLE, label

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

    from crosslingual.edition import Edition

CLAIMS = [*transfer.CLAIMS, *vocabulary.CLAIMS, *structure.CLAIMS, *space.CLAIMS]
SECTIONS = {"2": "Does it transfer?", "3": "Vocabulary", "4": "Structure", "5": "Space"}
VERDICT_COLOURS = {"supported": CYCLE[0], "contradicted": CYCLE[1]}
GREY, DARK = "#777777", "#444444"
REACH = 50.0  # points past a threshold that still have a place on the axis


def ledger(results: dict[str, pd.DataFrame], edition: Edition) -> pd.DataFrame:
    """Every claim judged on an edition's results and on the paper's numbers, a row a claim, by id.

    ``results`` is what ``experiments`` gives for the claims; what it lacks makes claims "not
    testable". Columns: section, text, statistic, rule; value, low, high, p, verdict, note; and the
    same six of the paper's numbers with the prefix ``paper_``.
    """
    ours = claims.judge(CLAIMS, claims.evidence(results, edition))
    paper = claims.judge(CLAIMS, claims.published_evidence())
    stated = claims.STATED.loc[ours.index, ["section", "text", "statistic"]]
    stated["rule"] = [str(claim.rule) for claim in CLAIMS]
    return stated.join(ours).join(paper.add_prefix("paper_"))


def by_section(judged: pd.DataFrame, edition: Edition) -> VBox:
    """The claims of one section after the other, by a menu."""
    parts = {f"{key}. {title}": _section(judged, key) for key, title in SECTIONS.items()}
    return show.gallery(
        {title: show.ledger_table(part, edition, "section") for title, part in parts.items()}
    )


def rules(judged: pd.DataFrame) -> show.Table:
    """What is measured for each claim, and the rule that decides it."""
    rows = [[f"`{row.Index}`", f"{row.statistic}: {row.rule}"] for row in judged.itertuples()]
    caption = "The statistic and the decision rule of each claim."
    return show.Table(caption, "claim-rules", ["Claim", "Statistic: rule"], rows, text=True)


def margins(judged: pd.DataFrame, edition: Edition) -> show.Figure:
    """Each claim's statistic past its rule's threshold, ours with interval, the paper's as a ring.

    Rank correlations and slopes are multiplied by 100; what lies further than ``REACH`` is an arrow
    head at the edge, its value in the caption.
    """
    drawing, (panel,) = show.canvas(0.9 + 0.27 * len(judged))
    far = []
    for height, (name, row) in enumerate(judged.iterrows()):
        ours, paper = _margin(panel, row, height)
        for past, whose in [(ours, edition.name), (paper, "the paper")]:
            far += [f"{name} ({whose} {show.signed(past)})"] * (abs(past) > REACH)
    panel.axvline(0, color=DARK, linewidth=1)
    panel.set_yticks(range(len(judged)), judged.index, fontsize=7.5)
    panel.set(xlim=(-1.05 * REACH, 1.05 * REACH), ylim=(len(judged) - 0.3, -0.7))
    panel.set_xlabel("points past the threshold (right: as claimed)", loc="right")
    further = f"Arrow heads: further off than {REACH:g}: {'; '.join(far)}. " if far else ""
    tally = show.tally(judged)
    text = (
        "How far each claim's statistic lies on the claimed side of its threshold, in points of "
        "accuracy or F1; rank correlations and the slope are multiplied by 100. Dots and lines: "
        "ours with 95% interval; rings: the paper's printed numbers where these suffice. "
        f"{further}Ours: {tally}."
    )
    return show.figure(drawing, "margins", text, f"Dot plot of claims. {tally}.", edition)


def _margin(panel: Axes, row: pd.Series, height: int) -> tuple[float, float]:
    """Draw one claim; return points on the claimed side of its threshold, ours and the paper's."""
    claim = claims.STATED.loc[row.name]
    scale = 100 if claim.statistic.startswith(("rank correlation", "slope")) else 1
    scale *= 1 if claim.side == "above" else -1
    columns = ["value", "low", "high", "paper_value"]
    value, low, high, paper = scale * (row[columns].astype(float) - claim.threshold)
    if not np.isnan(value):
        colour = VERDICT_COLOURS.get(row.verdict, GREY)
        panel.plot([low, high], [height, height], color=colour, linewidth=2)
        _mark(panel, value, height, color=colour, markersize=5)
    _mark(panel, paper, height, color=DARK, markersize=8, fillstyle="none")
    return value, paper


def _mark(panel: Axes, past: float, height: int, **style) -> None:
    """A dot at its place, or an arrow head at the edge that it lies beyond."""
    marker = "o"
    if abs(past) > REACH:
        past, marker = np.copysign(REACH, past), ">" if past > 0 else "<"
    panel.plot(past, height, marker, **style)


# The languages and what a tagger sees


def scripts(codes: Sequence[str]) -> show.Figure:
    """Languages by script, as bars; where there are few, they are named."""
    written = [languages.SCRIPT_NAMES[languages.script(code)] for code in codes]
    groups = pd.Series(codes, index=written).groupby(level=0, sort=False).agg(list)
    sizes = groups.map(len).sort_values(kind="stable")
    drawing, (panel,) = show.canvas(0.6 + 0.28 * len(sizes))
    panel.barh(range(len(sizes)), sizes, color=CYCLE[0])
    for height, (script, size) in enumerate(sizes.items()):
        few = " ".join(map(label, groups[script]))
        named = few if size < 5 else f"{size} languages"
        panel.text(size + 0.3, height, named, va="center", fontsize=9)
    panel.set_yticks(range(len(sizes)), sizes.index)
    panel.grid(False, axis="y")
    panel.set(xlabel="languages", xlim=(0, 1.3 * sizes.max()))
    most = f"{sizes.idxmax()} has {sizes.max()} of {len(codes)} languages"
    read = f"{most}, {sum(sizes == 1)} of {len(sizes)} scripts have one"
    caption = (
        f"The paper's languages by script. {read}: there transfer cannot lean on shared letters."
    )
    return show.Figure(drawing, "fig-scripts", caption, f"Horizontal bars. {read}.")


def sentence(examples: pd.DataFrame, code: str, edition: Edition) -> show.Table:
    """A test sentence of a language: words, M-BERT's pieces, parts of speech.

    The frame may hold another edition's, as texts of real corpora may not be passed on.
    """
    chosen = examples[(examples.kind == "tagged") & (examples.language == code)]
    words = stats.valued(chosen)[["word", "second", "tag"]].to_numpy().tolist()
    other = next((name for name in chosen.edition if name != edition.name), None)
    title = f"A sentence under the name of {languages.name(code)}"
    caption = f"{title}. Edition: {other or edition.title}."
    rows, notes = words or [[show.MISSING] * 3], tuple(show.lacking(chosen))
    return show.Table(caption, "sentence", ["word", "pieces", "tag"], rows, notes, text=True)


def sentences(examples: pd.DataFrame, codes: Sequence[str], edition: Edition) -> VBox:
    """A sentence of each language by a menu, the first language last."""
    order = [*codes[1:], codes[0]]
    return show.gallery({languages.name(c): sentence(examples, c, edition) for c in order})


# Phrases


def introduction(codes: Sequence[str]) -> dict[str, str | float]:
    """How many languages in how many scripts, and the paper's headline numbers."""
    printed = published.TABLE_2.stack()
    return {
        "languages": str(len(codes)),
        "scripts": str(len(set(map(languages.script, codes)))),
        "lowest": stats.zero_shot(printed).min(),
        "same": stats.in_language(printed).mean(),
    }


def reading(judged: pd.DataFrame) -> dict[str, str]:
    """The phrases of front page and conclusion: how many claims have which verdict, and which."""
    both = judged[judged[["verdict", "paper_verdict"]].ne(NOT_TESTABLE).all(axis=1)]
    phrases = {
        "claims": str(len(judged)),
        "supported": show.share(judged.verdict == SUPPORTED),
        "contradicted": str(sum(judged.verdict == CONTRADICTED)),
        "undecided": str(sum(judged.verdict == UNDECIDED)),
        "agree": show.share(both.verdict == both.paper_verdict),
        "against": show.listing(judged.index[judged.paper_verdict == CONTRADICTED]),
        "comparable": f"{claims.COMPARABLE:g}",
    }
    return phrases | {f"section-{key}": _verdicts(_section(judged, key)) for key in SECTIONS}


def _section(judged: pd.DataFrame, key: str) -> pd.DataFrame:
    return judged[judged.section.str.startswith(key)]


def _verdicts(judged: pd.DataFrame) -> str:
    """What becomes of some claims, by name: "2 of the 3 supported; undecided: middle-layers"."""
    parts = [f"{show.share(judged.verdict == SUPPORTED)} supported"]
    for verdict in (CONTRADICTED, UNDECIDED, NOT_TESTABLE):
        named = judged.index[judged.verdict == verdict]
        parts += [f"{verdict}: {show.listing(named)}"] * bool(len(named))
    return "; ".join(parts)
