"""Front page, introduction, conclusion: the languages, what a tagger sees, all claims at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import space, structure, transfer, vocabulary
from crosslingual.claims import NOT_TESTABLE, Claim
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


# The ledger


def ledger(results: dict[str, pd.DataFrame], edition: Edition) -> pd.DataFrame:
    """Every claim judged on an edition's results and on the paper's numbers, a row a claim, by id.

    ``results`` is what ``experiments`` gives for the claims; what it lacks makes claims "not
    testable". Columns: section, text, statistic, rule; value, low, high, p, verdict, note; and the
    same six of the paper's numbers with the prefix ``paper_``.
    """
    ours = claims.judge(CLAIMS, claims.evidence(results, edition))
    paper = claims.judge(CLAIMS, claims.published_evidence())
    columns = ["id", "section", "text", "statistic", "rule"]
    told = [(c.id, c.section, c.text, c.statistic, str(c.rule)) for c in CLAIMS]
    described = pd.DataFrame(told, columns=columns).set_index("id")
    return described.join(ours).join(paper.add_prefix("paper_"))


def dashboard(judged: pd.DataFrame, edition: Edition) -> show.Table:
    """All claims with both verdicts; ``judged`` is the ledger."""
    return show.ledger_table(judged, edition, "claims")


def by_section(judged: pd.DataFrame, edition: Edition) -> VBox:
    """The claims of one section after the other, by a menu."""
    views = {
        f"{key}. {title}": show.ledger_table(_section(judged, key), edition, f"ledger-{key}")
        for key, title in SECTIONS.items()
    }
    return show.gallery(views)


def _section(judged: pd.DataFrame, key: str) -> pd.DataFrame:
    return judged[judged.section.str.startswith(key)]


def rules(judged: pd.DataFrame) -> show.Table:
    """What is measured for each claim, and the rule that decides it."""
    rows = [[f"`{row.Index}`", f"{row.statistic}: {row.rule}"] for row in judged.itertuples()]
    caption = "The statistic and the decision rule of each claim."
    return show.Table(caption, "claim-rules", ["Claim", "Statistic: rule"], rows, text=True)


# How far each claim is past its threshold


def margins(judged: pd.DataFrame, edition: Edition, name: str = "margins") -> show.Figure:
    """Each claim's statistic past its rule's threshold, ours with interval, the paper's as a ring.

    Rank correlations and slopes are multiplied by 100; what lies further than ``REACH`` is an arrow
    head at the edge, its value in the caption.
    """
    chosen = [claim for claim in CLAIMS if claim.id in judged.index]
    drawing, (panel,) = show.canvas(0.9 + 0.27 * len(chosen))
    for height, claim in enumerate(chosen):
        _margin(panel, judged.loc[claim.id], claim, height)
    panel.axvline(0, color=DARK, linewidth=1)
    panel.set_yticks(range(len(chosen)), [claim.id for claim in chosen], fontsize=7.5)
    panel.set(xlim=(-1.05 * REACH, 1.05 * REACH), ylim=(len(chosen) - 0.3, -0.7))
    panel.set_xlabel("points past the threshold (right: as claimed)", loc="right")
    tally = show.tally(judged)
    text = (
        "How far each claim's statistic lies on the claimed side of its threshold, in points of "
        "accuracy or F1; rank correlations and the slope are multiplied by 100. Dots and lines: "
        "ours with 95% interval; rings: the paper's printed numbers where these suffice. "
        f"{_far_off(chosen, judged, edition)}Ours: {tally}."
    )
    caption = show.figure_caption(text, edition)
    return show.Figure(drawing, name, caption, f"Dot plot of claims. {tally}.")


def _margin(panel: Axes, row: pd.Series, claim: Claim, height: int) -> None:
    keys = ("value", "low", "high", "paper_value")
    value, low, high, paper = (_past(row[key], claim) for key in keys)
    if not np.isnan(value):
        colour = VERDICT_COLOURS.get(row.verdict, GREY)
        panel.plot([low, high], [height, height], color=colour, linewidth=2)
        _mark(panel, value, height, color=colour, markersize=5)
    _mark(panel, paper, height, color=DARK, markersize=8, fillstyle="none")


def _mark(panel: Axes, past: float, height: int, **style) -> None:
    """A dot at its place, or an arrow head at the edge that it lies beyond."""
    marker = "o"
    if abs(past) > REACH:
        past, marker = np.copysign(REACH, past), ">" if past > 0 else "<"
    panel.plot(past, height, marker, **style)


def _past(value: float, claim: Claim) -> float:
    """Points on the claimed side of the threshold; hundredths of a rank correlation or a slope."""
    sign = 1 if claim.rule.side == "above" else -1
    scale = 100 if claim.statistic.startswith(("rank correlation", "slope")) else 1
    return float(sign * scale * (value - claim.rule.threshold))


def _far_off(chosen: Sequence[Claim], judged: pd.DataFrame, edition: Edition) -> str:
    """The sentence that names what is drawn at the edge, with distances; "" if nothing is."""
    named = [
        f"{claim.id} ({whose} {show.signed(past)})"
        for claim in chosen
        for key, whose in [("value", edition.name), ("paper_value", "the paper")]
        if abs(past := _past(judged.loc[claim.id, key], claim)) > REACH
    ]
    return f"Arrow heads: further off than {REACH:g}: {'; '.join(named)}. " if named else ""


# The languages and what a tagger sees


def scripts(codes: Sequence[str], name: str = "fig-scripts") -> show.Figure:
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
    read = (
        f"{sizes.idxmax()} has {sizes.max()} of {len(codes)} languages, "
        f"{sum(sizes == 1)} of {len(sizes)} scripts have one"
    )
    caption = (
        f"The paper's languages by script. {read}: there transfer cannot lean on shared letters."
    )
    return show.Figure(drawing, name, caption, f"Horizontal bars. {read}.")


def sentence(
    examples: pd.DataFrame, code: str, edition: Edition, name: str = "sentence"
) -> show.Table:
    """A test sentence of a language: words, M-BERT's pieces, parts of speech.

    The frame may hold another edition's, as texts of real corpora may not be passed on.
    """
    chosen = examples[(examples.kind == "tagged") & (examples.language == code)]
    words = stats.valued(chosen)[["word", "second", "tag"]].to_numpy().tolist()
    rows = words or [[show.MISSING] * 3]
    other = next((name for name in chosen.edition if name != edition.name), None)
    title = f"A sentence under the name of {languages.name(code)}"
    caption = f"{title}. Edition: {other or edition.title}."
    header = ["word", "pieces", "tag"]
    return show.Table(caption, name, header, rows, tuple(show.lacking(chosen)), text=True)


def sentences(examples: pd.DataFrame, codes: Sequence[str], edition: Edition) -> VBox:
    """A sentence of each language by a menu, the first language last."""
    views = {code: sentence(examples, code, edition) for code in [*codes[1:], codes[0]]}
    return show.gallery({languages.name(code): view for code, view in views.items()})


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


def about(edition: Edition) -> str:
    """What an edition's numbers speak of, for its reader to know first."""
    if edition.artificial:
        return (
            "Its languages are artificial. They have the scripts and the word orders of the "
            "languages whose names they bear, relatives have cognates, Hindi and Urdu one lexicon, "
            "and nothing else is theirs: no number in this edition is a result about real German "
            "or Hindi. Compare patterns with the paper, what is higher than what, and never values."
        )
    return (
        "Its corpora are of real languages, so differences to the published numbers are shown. "
        "Where a corpus is not at hand, recorded results stand in if there are any; else its table "
        "names it and leaves it out. Tables say which results are recorded ones."
    )


def front(judged: pd.DataFrame) -> dict[str, str]:
    """The phrases of the front page: how many claims have which verdict."""
    return {
        "claims": str(len(judged)),
        "supported": show.share(judged.verdict == claims.SUPPORTED),
        "against": str(sum(judged.verdict == claims.CONTRADICTED)),
        "undecided": str(sum(judged.verdict == claims.UNDECIDED)),
        "agree": _agreement(judged),
    }


def reading(judged: pd.DataFrame) -> dict[str, str]:
    """The phrases of the conclusion, section by section."""
    against = judged.index[judged.paper_verdict == claims.CONTRADICTED]
    return {
        **{f"section-{key}": verdicts(_section(judged, key)) for key in SECTIONS},
        "agree": _agreement(judged),
        "against": show.listing(against),
        "all": show.share(judged.verdict == claims.SUPPORTED),
        "comparable": f"{claims.COMPARABLE:g}",
    }


def _agreement(judged: pd.DataFrame) -> str:
    """On how many of the claims that both can judge ours and the paper's verdict agree."""
    both = judged[judged[["verdict", "paper_verdict"]].ne(NOT_TESTABLE).all(axis=1)]
    return show.share(both.verdict == both.paper_verdict)


def verdicts(judged: pd.DataFrame) -> str:
    """What becomes of some claims, by name: "2 of the 3 supported; undecided: middle-layers"."""
    parts = [f"{show.share(judged.verdict == claims.SUPPORTED)} supported"]
    for verdict in (claims.CONTRADICTED, claims.UNDECIDED, NOT_TESTABLE):
        named = judged.index[judged.verdict == verdict]
        parts += [f"{verdict}: {show.listing(named)}"] if len(named) else []
    return "; ".join(parts)
