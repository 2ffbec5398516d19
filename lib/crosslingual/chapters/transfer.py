"""Section 2 and appendices B and C, does it transfer at all: Tables 1, 2, 7 and 8.

Scores, baselines and sizes are the frames of ``experiments``; rows with a reason have no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.claims import Claim, above
from crosslingual.show import COLOURS, CYCLE, label
from crosslingual.stats import in_language, means, valued, zero_shot

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

    from crosslingual.edition import Edition

TABLE_2_FLOOR = 80.0  # section 2: tagging stays above it for all pairs of Table 2
TABLE_2_LANGUAGES = ["en", "de", "es", "it"]
# By task: the paper's table of M-BERT and the one of EN-BERT.
PRINTED = {
    "ner": {"m-bert": published.TABLE_1, "en-bert": published.TABLE_7},
    "pos": {"m-bert": published.TABLE_2, "en-bert": published.TABLE_8},
}
WORD_SHAPE = (
    "Word shape: a classifier that sees a word's ending, capitals, digits, punctuation and length, "
    "and neither the word nor its context. Majority class: the most frequent tag of the language "
    "fine-tuned on."
)


# Tables 1, 2, 7 and 8


def table_1(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT's F1 on names, beside the paper's."""
    return _table(scores, "ner", "m-bert", edition, "table-1")


def table_2(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT's tagging accuracy, beside the paper's."""
    return _table(scores, "pos", "m-bert", edition, "table-2")


def table_7(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """EN-BERT's F1 on names, beside the paper's."""
    return _table(scores, "ner", "en-bert", edition, "table-7")


def table_8(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """EN-BERT's tagging accuracy, beside the paper's."""
    return _table(scores, "pos", "en-bert", edition, "table-8")


def _table(
    scores: pd.DataFrame, task: str, encoder: str, edition: Edition, name: str
) -> show.Table:
    chosen = among(scores, encoder)
    return show.beside(chosen, PRINTED[task][encoder], edition, name, _trained(chosen))


def among(scores: pd.DataFrame, encoder: str) -> pd.DataFrame:
    """An encoder's scores on the languages that were fine-tuned on, as Tables 1, 2, 7, 8 print."""
    return scores[(scores.encoder == encoder) & scores.evaluate.isin(_trained(scores))]


def _trained(scores: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(scores.train))


def dots(
    scores: pd.DataFrame, task: str, encoder: str, edition: Edition, name: str = "dots"
) -> show.Figure:
    """A table as distances, a panel per fine-tuning language: dots are ours, rings the paper's.

    A line spans the seeds; the language fine-tuned on is bold.
    """
    chosen, printed = among(scores, encoder), PRINTED[task][encoder]
    runs, codes = valued(chosen), _trained(chosen)
    if runs.empty:
        return show.absent(name, edition, chosen)
    values = printed.reindex(index=codes, columns=codes)
    drawing, panels = show.canvas(0.4 + 0.3 * values.size, len(values))
    for panel, train in zip(panels, codes, strict=True):
        _dots_panel(panel, runs[runs.train == train], values.loc[train], train)
    panels[-1].set(xlim=(-2, 102), xlabel="F1" if task == "ner" else "accuracy")
    within, across = (show.span(part(means(runs))) for part in (in_language, zero_shot))
    read = f"Within a language {within}, zero-shot {across}"
    about = (
        f"{printed.attrs['caption']}. Dots: ours, the line spanning the seeds; rings: the paper's."
    )
    caption = show.figure_caption(f"{about} {read}.", edition, chosen)
    return show.Figure(drawing, name, caption, f"Dot plot. {read}.")


def _dots_panel(panel: Axes, runs: pd.DataFrame, printed: pd.Series, train: str) -> None:
    for height, code in enumerate(printed.index):
        scores = runs[runs.evaluate == code].score
        if len(scores):
            style = {"color": COLOURS.get(runs.encoder.iloc[0], CYCLE[2]), "zorder": 3}
            panel.plot([scores.min(), scores.max()], [height, height], linewidth=2, **style)
            panel.plot(scores.mean(), height, "o", markersize=6, **style)
        panel.plot(printed[code], height, "o", markersize=8, color="#444444", fillstyle="none")
    panel.set_yticks(range(len(printed)), [*map(label, printed.index)])
    panel.set_ylim(len(printed) - 0.4, -0.6)
    panel.set_title(f"fine-tuned on {label(train)}", loc="left", fontsize=10)
    panel.get_yticklabels()[list(printed.index).index(train)].set_fontweight("bold")


def encoders(scores: pd.DataFrame, task: str, edition: Edition) -> VBox:
    """The dots of one encoder after the other, on one scale, by a menu."""
    titles = {edition.encoder_title(encoder): encoder for encoder in ("m-bert", "en-bert")}
    views = {title: dots(scores, task, encoder, edition) for title, encoder in titles.items()}
    return show.gallery(views)


# Every language


def everywhere(
    scores: pd.DataFrame, train: str, edition: Edition, name: str = "everywhere"
) -> show.Figure:
    """M-BERT fine-tuned on ``train``, evaluated on every language, as bars; dark: same script."""
    chosen = scores[(scores.encoder == "m-bert") & (scores.train == train)]
    found = means(chosen).droplevel("train").sort_values()
    if found.empty:
        return show.absent(name, edition, chosen)
    drawing, (panel,) = show.canvas(0.7 + 0.17 * len(found))
    dark = [not claims.across_scripts(train, code) for code in found.index]
    panel.barh(range(len(found)), found, color=[CYCLE[0] if one else "#B9C4CC" for one in dark])
    panel.set_yticks(range(len(found)), [*map(label, found.index)], fontsize=7.5)
    for height, value in enumerate(found):
        panel.text(value + 0.7, height, show.number(value), va="center", fontsize=7)
    panel.set(xlim=(0, 108), ylim=(-0.7, len(found) - 0.3), xlabel="score")
    panel.grid(False, axis="y")
    others = found.drop(train, errors="ignore")
    text = (
        f"Fine-tuned on {languages.name(train)}, evaluated on every language; dark: written in the "
        f"same script. Here best elsewhere {show.highest(others)}, worst {show.lowest(others)}."
    )
    return show.Figure(drawing, name, show.figure_caption(text, edition, chosen), text)


def teachers(scores: pd.DataFrame, edition: Edition) -> VBox:
    """``everywhere`` of each language that was fine-tuned on, by a menu, the first one last."""
    first, *others = _trained(scores)
    views = {
        f"fine-tuned on {label(code)}": everywhere(scores, code, edition)
        for code in [*others, first]
    }
    return show.gallery(views)


# What it takes


def floors(
    scores: pd.DataFrame, baselines: pd.DataFrame, edition: Edition, name: str = "floors"
) -> show.Table:
    """M-BERT's zero-shot accuracy by pair beside what is reached without multilingual pre-training.

    Intervals: hull of seeds (t) and sentences (bootstrap).
    """
    held, codes = _held(scores, baselines), _trained(scores)
    columns, rows = list(dict.fromkeys(held.encoder)), []
    for train, evaluate in permutations(codes, 2):
        runs = held[(held.train == train) & (held.evaluate == evaluate)]
        cells = [_estimate(runs[runs.encoder == encoder]) for encoder in columns]
        pair = f"**{label(train)} to {label(evaluate)}**"
        rows.append([pair, *(show.number(cell.value) for cell in cells)])
        rows.append(["interval", *map(_interval, cells)])
    text = "Zero-shot accuracy and what is reached without multilingual pre-training"
    caption = f"{text}. Edition: {edition.title}."
    header = ["", *map(edition.encoder_title, columns)]
    return show.Table(caption, name, header, rows, (WORD_SHAPE, *show.notes(held, edition)))


def _held(scores: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    """Both encoders' scores and the baselines' among the languages that were fine-tuned on."""
    codes = _trained(scores)
    both = pd.concat([among(scores, "m-bert"), among(scores, "en-bert")], ignore_index=True)
    floor = baselines[baselines.train.isin(codes) & baselines.evaluate.isin(codes)]
    return pd.concat([both, floor], ignore_index=True)


def _estimate(runs: pd.DataFrame) -> stats.Estimate:
    known = valued(runs)
    nothing = stats.Estimate(np.nan, np.nan, np.nan)
    return stats.estimate(stats.draws(known).iloc[0]) if len(known) else nothing


def _interval(cell: stats.Estimate) -> str:
    return show.MISSING if np.isnan(cell.value) else show.bounds(cell)


def _leads(held: pd.DataFrame) -> pd.Series:
    """Of each zero-shot pair that all have: whether M-BERT is above all others."""
    pairs = valued(held[held.train != held.evaluate])
    scores = (
        pairs.groupby(["encoder", "train", "evaluate"]).score.mean().unstack("encoder").dropna()
    )
    if "m-bert" not in scores:
        return pd.Series(dtype=bool)
    return scores.drop(columns="m-bert").lt(scores["m-bert"], axis=0).all(axis=1)


# The data


def corpora(sizes: pd.DataFrame, task: str, codes: Sequence[str], edition: Edition) -> show.Table:
    """Sentences to train and to test on, and words or entities of the test split, by language."""
    chosen = sizes[(sizes.task == task) & sizes.language.isin(codes)]
    known = chosen.set_index(["language", "split"])
    unit = "entities" if task == "ner" else "tokens"
    columns = [("train", "sentences"), ("test", "sentences"), ("test", unit)]
    rows = [
        [label(code), *(_size(known[what].get((code, split))) for split, what in columns)]
        for code in codes
    ]
    words = "test entities" if task == "ner" else "test words"
    header = ["corpus", "training sentences", "test sentences", words]
    others = show.in_place(edition.substitutes if task == "ner" else {})
    notes = (*filter(None, [others]), *show.lacking(chosen), *show.told_by(chosen))
    caption = f"Corpora of the task {task}. Edition: {edition.title}."
    return show.Table(caption, f"corpora-{task}", header, rows, notes)


def _size(number: float | None) -> str:
    return show.MISSING if number is None or np.isnan(number) else f"{number:,.0f}"


# Reading


def reading(
    ner: pd.DataFrame, pos: pd.DataFrame, baselines: pd.DataFrame
) -> dict[str, str | float]:
    """The phrases of chapter 2's text, by name."""
    tags, names = (means(among(scores, "m-bert")) for scores in (pos, ner))
    ours, own, paper = zero_shot(tags), in_language(tags), zero_shot(published.TABLE_2.stack())
    found, own_found = zero_shot(names), in_language(names)
    return {
        "over": show.share(_leads(_held(pos, baselines))),
        "above": show.share(ours > TABLE_2_FLOOR),
        "paper_above": show.share(paper > TABLE_2_FLOOR),
        "within": show.span(own),
        "across": show.span(ours),
        "worst": show.lowest(ours),
        "best": show.highest(ours),
        "ner_within": show.span(own_found),
        "ner_across": show.span(found),
        "ner_worst": show.lowest(found),
        "ner_lost": own_found.mean() - found.mean(),
        "pos_lost": own.mean() - ours.mean(),
        **_likeness(ours, paper),
        **_steadiness(among(pos, "m-bert")),
    }


def _likeness(ours: pd.Series, paper: pd.Series) -> dict[str, str]:
    """Whether easy and hard pairs are the paper's."""
    common = [pair for pair in paper.index if pair in ours.index]
    rho = stats.rank_correlation(paper[common], ours[common]) if len(common) > 1 else np.nan
    return {"likeness": show.number(rho, 2), "pairs": str(len(common))}


def _steadiness(scores: pd.DataFrame) -> dict[str, str | float]:
    """Highest minus lowest score over seeds, if there are several, across and within languages."""
    runs = valued(scores).groupby(["train", "evaluate"], sort=False).score
    ranges = (runs.max() - runs.min()).where(runs.count() > 1)
    across, within = zero_shot(ranges).mean(), in_language(ranges).mean()
    return {
        "seeds_across": across,
        "seeds_within": within,
        "steadier": show.versus(across, within),
    }


def beside_english(scores: pd.DataFrame, task: str) -> dict[str, str | float]:
    """The phrases of appendices B and C: what EN-BERT reaches, and what it lacks to M-BERT."""
    english, multilingual = (means(among(scores, name)) for name in ("en-bert", "m-bert"))
    lost = zero_shot(multilingual) - zero_shot(english)
    paper = PRINTED[task]["m-bert"].stack() - PRINTED[task]["en-bert"].stack()
    return {
        "within": show.span(in_language(english)),
        "across": show.span(zero_shot(english)),
        "lost": lost.mean(),
        "ahead": show.share(lost > 0),
        "best": show.highest(zero_shot(english)),
        "own": (in_language(multilingual) - in_language(english)).mean(),
        "paper_lost": zero_shot(paper).mean(),
        "paper_own": in_language(paper).mean(),
    }


# Claims

CONLL = languages.CONLL_LANGUAGES
CLAIMS = [
    Claim(
        "surprisingly-well",
        "2",
        "M-BERT transfers part-of-speech tagging zero-shot above 80% for all pairs of the paper's "
        "Table 2.",
        "lowest accuracy of the 12 zero-shot pairs of EN, DE, ES, IT",
        claims.lowest("pos", claims.zero_shot("m-bert", TABLE_2_LANGUAGES)),
        above(TABLE_2_FLOOR),
    ),
    Claim(
        "ner-beyond-english",
        "2, appendix B",
        "M-BERT's zero-shot NER is better than the English BERT's.",
        "mean F1 of the 12 zero-shot pairs of EN, DE, NL, ES, M-BERT minus EN-BERT",
        claims.difference(
            "ner", claims.zero_shot("m-bert", CONLL), claims.zero_shot("en-bert", CONLL)
        ),
        above(0),
    ),
    Claim(
        "pos-beyond-english",
        "2, appendix C",
        "M-BERT's zero-shot tagging is better than the English BERT's.",
        "mean accuracy of the 12 zero-shot pairs of EN, DE, ES, IT, M-BERT minus EN-BERT",
        claims.difference(
            "pos",
            claims.zero_shot("m-bert", TABLE_2_LANGUAGES),
            claims.zero_shot("en-bert", TABLE_2_LANGUAGES),
        ),
        above(0),
    ),
]
