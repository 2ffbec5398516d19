"""Section 2 and appendices B and C, does it transfer at all: Tables 1, 2, 7 and 8."""

from collections.abc import Sequence
from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.show import CYCLE, Edition, label
from crosslingual.stats import CELL, in_language, means, valued, zero_shot

TABLES = {number: getattr(published, f"TABLE_{number}") for number in (1, 2, 7, 8)}
FAR = 20  # points above the paper's value
TABLE_2_FLOOR = claims.STATED.threshold["surprisingly-well"]
WORD_SHAPE = (
    "Word shape: a classifier that sees a word's ending, capitals, digits, punctuation and length, "
    "and neither the word nor its context. Majority class: the most frequent tag of the language "
    "fine-tuned on."
)


def table(scores: pd.DataFrame, number: int, edition: Edition) -> show.Table:
    """Table 1, 2, 7 or 8 of the paper: its encoder's scores beside those printed there."""
    chosen = among(scores, TABLES[number].attrs["encoder"])
    return show.beside(chosen, TABLES[number], edition, f"table-{number}", _trained(chosen))


def among(scores: pd.DataFrame, encoder: str) -> pd.DataFrame:
    """An encoder's scores on the languages that were fine-tuned on, as Tables 1, 2, 7, 8 print."""
    return scores[(scores.encoder == encoder) & scores.evaluate.isin(_trained(scores))]


def _trained(scores: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(scores.train))


def everywhere(scores: pd.DataFrame, edition: Edition, encoder: str = "m-bert") -> show.Figure:
    """The first model, evaluated on every language, as bars; dark: the same script."""
    train = "".join(_trained(scores)[:1])
    chosen = scores[(scores.encoder == encoder) & (scores.train == train)]
    name = f"everywhere-{encoder}"
    found = means(chosen).droplevel("train").sort_values()
    if found.empty:
        return show.absent(name, edition, chosen)
    drawing, (panel,) = show.canvas(0.7 + 0.17 * len(found))
    dark = [claims.within_script(train, code) for code in found.index]
    panel.barh(range(len(found)), found, color=[CYCLE[0] if one else "#B9C4CC" for one in dark])
    panel.set_yticks(range(len(found)), [*map(label, found.index)], fontsize=7.5)
    for height, value in enumerate(found):
        panel.text(value + 0.7, height, show.number(value), va="center", fontsize=7)
    panel.set(xlim=(0, 108), ylim=(-0.7, len(found) - 0.3), xlabel="score")
    panel.grid(False, axis="y")
    others = found.drop(train, errors="ignore")
    seeds = show.listing(f"seed {seed}" for seed in sorted(set(valued(chosen).seed)))
    text = f"{edition.encoder_title(encoder)} fine-tuned on {languages.name(train)} ({seeds}), "
    text += "evaluated on every language; dark: written in the same script. Here best elsewhere "
    text += f"{show.highest(others)}, worst {show.lowest(others)}."
    return show.figure(drawing, name, text, text, edition, chosen)


def teachers(scores: pd.DataFrame, edition: Edition) -> show.Gallery:
    """``everywhere`` of each language that was fine-tuned on, by a menu, the first one last."""
    codes = _trained(scores)
    order = [*codes[1:], *codes[:1]]
    shown = {code: everywhere(scores[scores.train == code], edition) for code in order}
    return show.gallery({f"fine-tuned on {label(code)}": view for code, view in shown.items()})


def floors(scores: pd.DataFrame, baselines: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT's zero-shot accuracy by pair beside what takes no multilingual pre-training."""
    held, rows = _held(scores, baselines), []
    encoders = list(dict.fromkeys(valued(held).encoder))
    for train, evaluate in permutations(_trained(scores), 2):
        runs = valued(held[(held.train == train) & (held.evaluate == evaluate)])
        cells = [runs[runs.encoder == encoder] for encoder in encoders]
        rows.append([f"{label(train)} to {label(evaluate)}", *map(show.cell, cells)])
    about = "Zero-shot accuracy and what is reached without multilingual pre-training"
    header = ["pair", *map(edition.encoder_title, encoders)]
    return show.table(about, "floors", header, rows, edition, held, notes=[WORD_SHAPE])


def _held(scores: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    """Both encoders' scores and the baselines' among the languages that were fine-tuned on."""
    codes = _trained(scores)
    both = pd.concat([among(scores, "m-bert"), among(scores, "en-bert")], ignore_index=True)
    floor = baselines[baselines.train.isin(codes) & baselines.evaluate.isin(codes)]
    return pd.concat([both, floor], ignore_index=True)


def leads(held: pd.DataFrame) -> pd.Series:
    """Of each zero-shot pair that all have: whether M-BERT is above all others."""
    pairs = valued(held[held.train != held.evaluate])
    scores = pairs.groupby(CELL).score.mean().unstack("encoder").dropna()
    if "m-bert" not in scores:
        return pd.Series(dtype=bool)
    return scores.drop(columns="m-bert").lt(scores["m-bert"], axis=0).all(axis=1)


def corpora(sizes: pd.DataFrame, task: str, codes: Sequence[str], edition: Edition) -> show.Table:
    """Sentences to train and to test on, and words or entities of the test split, by language."""
    chosen = sizes[(sizes.task == task) & sizes.language.isin(codes)]
    known = chosen.set_index(["language", "split"])
    ner = ("entities", "entities", "Named-entity corpora")
    unit, words, about = ner if task == "ner" else ("tokens", "words", "Treebanks")
    columns = [("train", "sentences"), ("test", "sentences"), ("test", unit)]
    rows = []
    for code in codes:
        found = [known[what].get((code, split), np.nan) for split, what in columns]
        rows.append([label(code), *(show.MISSING if np.isnan(n) else f"{n:,.0f}" for n in found)])
    header = ["corpus", "training sentences", "test sentences", f"test {words}"]
    return show.table(about, f"corpora-{task}", header, rows, edition, chosen)


def reading(
    ner: pd.DataFrame, pos: pd.DataFrame, baselines: pd.DataFrame, edition: Edition
) -> dict[str, str | float]:
    """The phrases of chapter 2's text, by name."""
    multilingual = among(pos, "m-bert")
    tags, names, printed = means(multilingual), means(among(ner, "m-bert")), published.TABLE_2
    ours, paper, found = zero_shot(tags), zero_shot(printed.stack()), zero_shot(names)
    common = [pair for pair in paper.index if pair in ours.index]
    rho = stats.rank_correlation(paper[common], ours[common]) if len(common) > 3 else np.nan
    runs = valued(multilingual).groupby(["train", "evaluate"], sort=False).score
    ranges = (runs.max() - runs.min()).where(runs.count() > 1)
    across, within = zero_shot(ranges).mean(), in_language(ranges).mean()
    printed_names, others = published.TABLE_1.stack(), edition.substitutes
    return show.names(edition) | {
        "agree": show.against(tags, printed.stack(), edition),
        "ner_agree": show.against(names, printed_names, edition, others),
        "over": show.share(leads(_held(pos, baselines))),
        "above": show.share(ours > TABLE_2_FLOOR),
        "paper_above": show.share(paper > TABLE_2_FLOOR),
        "within": show.span(in_language(tags)),
        "across": show.span(ours),
        "worst": show.lowest(ours),
        "best": show.highest(ours),
        "ner_within": show.span(in_language(names)),
        "ner_across": show.span(found),
        "ner_worst": show.lowest(found),
        "ner_lost": in_language(names).mean() - found.mean(),
        "pos_lost": in_language(tags).mean() - ours.mean(),
        "likeness": show.number(rho, 2),
        "pairs": str(len(common)),
        "seeds_across": across,
        "seeds_within": within,
        "steadier": show.versus(across, within),
    }


def beside_english(
    scores: pd.DataFrame, numbers: Sequence[int], edition: Edition
) -> dict[str, str | float]:
    """The phrases of appendices B and C, by the numbers of M-BERT's table and of EN-BERT's."""
    multilingual, english = (means(among(scores, name)) for name in ("m-bert", "en-bert"))
    printed, others = (TABLES[number].stack() for number in numbers)
    lost = zero_shot(multilingual) - zero_shot(english)
    corpora = edition.substitutes if numbers[0] == 1 else ()
    return show.names(edition) | {
        "agree": show.against(english, others, edition, corpora),
        "above": _far_above(among(scores, "en-bert"), others, edition),
        "within": show.span(in_language(english)),
        "across": show.span(zero_shot(english)),
        "lost": lost.mean(),
        "ahead": show.share(lost > 0),
        "best": show.highest(zero_shot(english)),
        "own": (in_language(multilingual) - in_language(english)).mean(),
        "paper_lost": zero_shot(printed - others).mean(),
        "paper_own": in_language(printed - others).mean(),
    }


def _far_above(english: pd.DataFrame, paper: pd.Series, edition: Edition) -> str:
    """The pairs that are far above the paper's, with how far seeds are apart, in a sentence."""
    if edition.artificial:
        return ""
    told = []
    for pair, runs in valued(english).groupby(["train", "evaluate"], sort=False).score:
        if pair[0] != pair[1] and (far := runs.mean() - paper.get(pair, np.nan)) > FAR:
            half = show.number(np.ptp(stats.t_interval(runs)) / 2)
            told.append(f"{' to '.join(map(label, pair))} ({show.signed(far)}, seeds ± {half})")
    return f"More than {FAR} points above it: {show.listing(told)}."


def unread(
    scores: pd.DataFrame, baselines: pd.DataFrame, edition: Edition
) -> dict[str, str | float]:
    """Appendix C's phrases about what EN-BERT transfers beside word shape and majority class."""
    train = "".join(_trained(scores)[:1])
    held = valued(pd.concat([scores, baselines]))
    held = held[(held.train == train) & (held.evaluate != train)]
    alike = held.evaluate.map(partial(claims.within_script, train)).astype(bool)
    parts = []
    for kind, runs in {"the same script": held[alike], "other scripts": held[~alike]}.items():
        by = runs.groupby(["evaluate", "encoder"]).score.mean().unstack().dropna()
        means = [f"{edition.encoder_title(e)} {show.number(by[e].mean())}" for e in by]
        ahead = by.get("en-bert", 0) > by.drop(columns="en-bert", errors="ignore").max(axis=1)
        over = show.share(ahead) if len(by) else show.MISSING
        parts.append(f"in {kind} {show.listing(means)}, above both floors on {over} languages")
    exposure = f"How much of them {edition.encoder_title('en-bert')} has read is not known."
    if edition.artificial:
        exposure = "The artificial English of this edition, though, is free of other languages."
    from_german = float(published.TABLE_8.loc["de"].drop("de").mean())
    told = {"left": "; ".join(parts), "from_german": from_german, "exposure": exposure}
    return told | {"taught": languages.name(train) if train else show.NOTHING}


PAIRS = {
    number: claims.zero_shot(printed.attrs["encoder"], printed.index)
    for number, printed in TABLES.items()
}
MEASURES = {
    "surprisingly-well": claims.lowest("pos", PAIRS[2]),
    "ner-beyond-english": claims.difference("ner", PAIRS[1], PAIRS[7]),
    "pos-beyond-english": claims.difference("pos", PAIRS[2], PAIRS[8]),
}
CLAIMS = claims.stated(MEASURES)
