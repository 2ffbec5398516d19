"""Section 4, encoding linguistic structure: Figure 2, Tables 5 and 6, the trend, who else passes.

A score per ordered pair looks like many observations, but pairs that have a language in common rise
and fall together. So languages are permuted, rows and columns at once (Mantel, 1967); beside it
stands what a test that took the pairs as independent would have said. Scores are frames of
``experiments``; where a table has other taggers beside M-BERT, the frames are below each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters.transfer import WORD_SHAPE
from crosslingual.claims import (
    CORRECTED,
    MIXED,
    TRANSLITERATED,
    Claim,
    Evidence,
    Group,
    Measurement,
    above,
    across_scripts,
    below,
    every_pair,
    within_script,
)
from crosslingual.stats import Estimate, valued

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

    from crosslingual.edition import Edition

Keep = Callable[[str, str], bool]
Likeness = Callable[[str, str], float]

FAR = 20.0  # "far below": the paper's own gap is 35 points (Table 6)
ENCODERS = ("m-bert", "en-bert")
UNKNOWN = Estimate(np.nan, np.nan, np.nan)
FLOOR = "No p value can be smaller than 1/(n + 1), n being the number of permutations."
TOO_FEW = "Not available where the results at hand have fewer than two numbers of common features."


def without(codes: Sequence[str], scores: pd.DataFrame) -> pd.DataFrame:
    """The scores that have nothing to do with some languages."""
    return scores[~scores[["train", "evaluate"]].isin(codes).any(axis=1)]


# ---- Sets of pairs, and what two languages can have in common ----


def unrelated(train: str, evaluate: str) -> bool:
    """Two language families: nothing is inherited from a common ancestor."""
    family = languages.table().family
    return family[train] != family[evaluate]


def between(first: str, second: str) -> Keep:
    """Pairs from one group of word orders ("SVO", "SOV") to another."""
    order = languages.order_group
    return lambda train, evaluate: (order(train), order(evaluate)) == (first, second)


def complete(train: str, evaluate: str) -> bool:
    """Languages without a gap in the atlas."""
    return all(len(languages.attested(c)) == len(languages.FEATURES) for c in (train, evaluate))


def own_entries(train: str, evaluate: str) -> bool:
    return languages.own_entry(train) and languages.own_entry(evaluate)


# Likeness of relatives, and of letters, goes with word order: the subsets hold each of them fixed.
SUBSETS = {"all": every_pair, "two families": unrelated, "two scripts": across_scripts}
# Pairs to be macro-averaged each on its own.
ORDERS = {f"{a} to {b}": between(a, b) for a in ("SVO", "SOV") for b in ("SVO", "SOV")}
GROUPS = {"one script": within_script, "two scripts": across_scripts} | ORDERS
# What "in common" can mean where the atlas has gaps, several entries, or no dominant order.
READINGS: dict[str, tuple[Likeness, Keep]] = {
    "as above: a gap is a difference": (languages.common_features, every_pair),
    "share of the features attested in both": (languages.likeness, every_pair),
    "languages with all six attested": (languages.common_features, complete),
    "languages with one entry of their own": (languages.common_features, own_entries),
    "no dominant order is nothing in common": (languages.common_orders, every_pair),
}


# ---- Figure 2 ----


def figure_2(scores: pd.DataFrame, edition: Edition) -> show.Figure:
    """Zero-shot accuracy against the number of common attested WALS features, for all encoders.

    Pairs with no common feature are left out, as in the paper. Dots are pairs, lines their means
    with the 95% interval over seeds and test sentences.
    """
    found = {e: _pairs(scores, e) for e in dict.fromkeys(valued(scores).encoder)}
    found = {encoder: pairs for encoder, pairs in found.items() if len(pairs[1])}
    if not found:
        return show.absent("figure-2", edition, scores)
    drawing, (panel,) = show.canvas(3.9)
    means, ends, shifts = {}, {}, np.linspace(-0.1, 0.1, len(found))
    for (encoder, pairs), shift in zip(found.items(), shifts, strict=True):
        title, colour = edition.encoder_title(encoder), show.COLOURS.get(encoder, show.CYCLE[2])
        means[title] = line = _feature_line(panel, *pairs, shift, colour)
        ends[title] = (line.index.max() + 0.25, line.value.iloc[-1], colour)
    ticks = [f"{features:g}\n({pairs})" for features, pairs in line.pairs.items()]
    panel.set_xticks(line.index, ticks)
    panel.set(xlim=(0.6, 6.3), ylim=(0, 100), ylabel="zero-shot accuracy (%)")
    panel.set_xlabel("common WALS word-order features (number of pairs)")
    show.end_labels(panel, ends)
    read = "; ".join(f"{title} {_ends(line.value)} in common" for title, line in means.items())
    about = "Zero-shot tagging accuracy by the number of common word-order features"
    caption = show.figure_caption(f"{about}. Means: {read}.", edition, scores)
    return show.Figure(drawing, "figure-2", caption, f"Dots and mean lines. {read}.")


def _feature_line(
    panel: Axes, versions: pd.DataFrame, common: pd.Series, shift: float, colour: str
) -> pd.DataFrame:
    """Draw one encoder's pairs and means; return ``_by_number``."""
    jitter = shift + np.random.default_rng(0).uniform(-0.08, 0.08, len(common))
    dots = {"color": colour, "alpha": 0.25, "linewidths": 0}
    panel.scatter(common + jitter, versions["mean"][0], 6, **dots)
    line = _by_number(versions, common)
    errors = [line.value - line.low, line.high - line.value]
    style = {"color": colour, "linewidth": 2, "marker": "o", "capsize": 3}
    panel.errorbar(line.index + shift, line.value, errors, **style)
    return line


def _ends(means: pd.Series) -> str:
    ends = means.index.min(), means.index.max()
    return " and ".join(f"{show.number(means[features])} with {features:g}" for features in ends)


def _pairs(
    scores: pd.DataFrame,
    encoder: str,
    keep: Keep = every_pair,
    likeness: Likeness = languages.common_features,
) -> tuple[pd.DataFrame, pd.Series]:
    """Versions of the score, and features in common, of the pairs that have any and that count."""
    versions = stats.draws(scores[scores.encoder == encoder])
    common = claims.common_features(versions.index, likeness)
    common = common[[keep(*key[1:]) for key in common.index]]
    return versions.loc[common.index].dropna(axis=1), common


def _by_number(versions: pd.DataFrame, common: pd.Series) -> pd.DataFrame:
    """Mean score by number of common features: value, low, high, pairs."""
    groups = versions.groupby(common).mean(skipna=False)
    means = {number: stats.estimate(mean) for number, mean in groups.iterrows()}
    table = pd.DataFrame.from_dict(means, orient="index", columns=Estimate._fields)
    return table.assign(pairs=common.value_counts().sort_index())


def by_features(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Mean accuracy by number of common features; the last column is from the literature."""
    taggers = [
        tagger for tagger in dict.fromkeys(valued(scores).encoder) if tagger != "majority class"
    ]
    means = [_by_number(*_pairs(scores, tagger)) for tagger in taggers]
    rows = []
    for features, pairs in means[0].pairs.items() if means else ():
        values = [table.value.get(features, np.nan) for table in means]
        values.append(published.EXTERNAL_BY_FEATURES.get(features, np.nan))
        rows.append([f"{features:g}", f"{pairs:,}", *map(show.number, values)])
    header = ["features", "pairs", *map(edition.encoder_title, taggers), "XLM-R"]
    about = f"Mean zero-shot accuracy by common word-order features. Edition: {edition.title}."
    later = "XLM-R base: de Vries et al. (2022), other languages and newer treebanks."
    pattern = [show.PATTERN] if edition.artificial else []
    notes = (later, *pattern, *show.lacking(scores))
    return show.Table(about, "wals-means", header, rows, notes)


# ---- Is it a trend? ----


class Trend(NamedTuple):
    """Rank correlation with likeness, and its one-sided p values under two null hypotheses."""

    encoder: str
    pairs: int = 0
    correlation: Estimate = UNKNOWN
    p_languages: float = np.nan
    p_pairs: float = np.nan


def trend(
    scores: pd.DataFrame,
    encoder: str,
    keep: Keep = every_pair,
    n: int = 1000,
    likeness: Likeness = languages.common_features,
) -> Trend:
    """The trend of one encoder's zero-shot scores with what two languages have in common.

    Pairs without a common feature are left out, as in the paper, and those that ``keep`` refuses.
    NaN where fewer than two numbers of features remain; a p value where pairs that it needs lack.
    """
    own = valued(scores[scores.encoder == encoder])
    if own.empty:
        return Trend(encoder)
    versions, common = _pairs(own, encoder, keep, likeness)
    if common.nunique() < 2:
        return Trend(encoder, len(common))
    rho = pd.Series(stats.rank_correlation(common, versions.to_numpy()), versions.columns)
    square, p = claims.square(common, stats.draws(own)["mean"][0]), np.nan
    with suppress(ValueError):  # a pair without a score: its languages cannot change places
        p = stats.permutation_test(*square, n=n).p
    by_pair = shuffled_p(common, versions["mean"][0], n)
    return Trend(encoder, len(common), stats.estimate(rho), p, by_pair)


def shuffled_p(x, y, n: int = 1000) -> float:
    """One-sided p value of a rank correlation if each pair were an observation of its own."""
    x, y, rng = np.asarray(x, float), np.asarray(y, float), np.random.default_rng(0)
    shuffled = np.stack([rng.permutation(y) for _ in range(n)], axis=1)
    higher = stats.rank_correlation(x, shuffled) >= stats.rank_correlation(x, y) - 1e-12
    return float((1 + higher.sum()) / (n + 1))


def trends(scores: pd.DataFrame, n: int = 1000) -> dict[str, list[Trend]]:
    """The trend of M-BERT and of EN-BERT on each of SUBSETS."""
    return {title: [trend(scores, e, keep, n) for e in ENCODERS] for title, keep in SUBSETS.items()}


def readings(scores: pd.DataFrame, n: int = 250) -> dict[str, Trend]:
    """M-BERT's trend under each of READINGS: whether it hangs on how gaps are counted."""
    return {
        title: trend(scores, "m-bert", keep, n, likeness)
        for title, (likeness, keep) in READINGS.items()
    }


def trend_table(found: Mapping[str, Sequence[Trend]], edition: Edition) -> show.Table:
    """What ``trends`` returns."""
    rows = [
        [f"{subset} ({one.pairs:,})", edition.encoder_title(one.encoder), *_trend_cells(one)]
        for subset, both in found.items()
        for one in both
    ]
    about = (
        "Rank correlation of zero-shot accuracy with the number of common word-order features, and "
        f"two p values: languages permuted, pairs shuffled. Edition: {edition.title}."
    )
    header = ["pairs", "encoder", "correlation", "interval", "p, languages", "p, pairs"]
    notes = _trend_notes([one for both in found.values() for one in both], edition)
    return show.Table(about, "wals-trend", header, rows, notes)


def reading_table(found: Mapping[str, Trend], edition: Edition) -> show.Table:
    """What ``readings`` returns."""
    rows = [[title, f"{one.pairs:,}", *_trend_cells(one)[:3]] for title, one in found.items()]
    about = (
        f"Rank correlation of {edition.encoder_title('m-bert')}'s zero-shot accuracy with likeness "
        "in word order, by what counts as a feature in common; p value: languages permuted. "
        f"Edition: {edition.title}."
    )
    header = ["what counts", "pairs", "correlation", "interval", "p"]
    notes = (*_trend_notes(list(found.values()), edition), FLOOR)
    return show.Table(about, "wals-readings", header, rows, notes)


def _trend_cells(one: Trend) -> list[str]:
    values = [show.number(one.correlation.value, 2), show.bounds(one.correlation, 2)]
    return values + [show.number(p, 3) for p in (one.p_languages, one.p_pairs)]


def _trend_notes(found: Sequence[Trend], edition: Edition) -> tuple[str, ...]:
    few = any(np.isnan(one.correlation.value) for one in found)
    return tuple(filter(None, [show.PATTERN * edition.artificial, TOO_FEW * few]))


# ---- Groups of pairs: Table 5, and beside the controls ----


def _intervals(cells: Sequence[Estimate]) -> list[str]:
    return ["interval", *(show.MISSING if np.isnan(c.value) else show.bounds(c) for c in cells)]


def floors_by_group(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Macro-averages over GROUPS of pairs, with and without multilingual pre-training."""
    runs = valued(scores)
    taggers, rows = list(dict.fromkeys(runs.encoder)), []
    versions = [stats.draws(runs[runs.encoder == tagger]) for tagger in taggers]
    for title, keep in GROUPS.items():
        cells, leads = [_average(table, keep) for table in versions], _ahead(runs, keep)
        values = [show.number(cell.value) for cell in cells]
        rows.append([f"**{title}**", *values, f"{sum(leads)} of {len(leads)}"])
        rows.append([*_intervals(cells), ""])
    about = (
        "Zero-shot accuracy, macro-averaged, and what is reached without multilingual pre-training"
    )
    header = ["", *map(edition.encoder_title, [*taggers, "m-bert"])]
    header[-1] += " leads"
    notes = (WORD_SHAPE, *show.notes(scores, edition))
    caption = f"{about}. Edition: {edition.title}."
    return show.Table(caption, "floors-by-group", header, rows, notes)


def _average(versions: pd.DataFrame, keep: Keep) -> Estimate:
    """The macro-average over the zero-shot pairs that ``keep`` lets pass."""
    chosen = [a != b and keep(a, b) for _, a, b in versions.index]
    return stats.estimate(versions[chosen].mean(skipna=False)) if any(chosen) else UNKNOWN


def _ahead(runs: pd.DataFrame, keep: Keep) -> list[bool]:
    """For each zero-shot pair: does M-BERT score higher than all others?"""
    means = runs.groupby(["train", "evaluate", "encoder"]).score.mean().unstack().dropna()
    means = means[[a != b and keep(a, b) for a, b in means.index]]
    if "m-bert" not in means:
        return []
    return (means["m-bert"] > means.drop(columns="m-bert").max(axis=1)).tolist()


def table_5a(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Zero-shot accuracy by order of subject, verb and object, in the paper's own groups."""
    return _orders(scores, published.TABLE_5A, languages.order_group, edition, "table-5a")


def table_5b(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Zero-shot accuracy by order of adjective and noun, in the edition's groups."""
    return _orders(scores, published.TABLE_5B, edition.adjective_group, edition, "table-5b")


def _orders(
    scores: pd.DataFrame, printed: pd.DataFrame, group: Group, edition: Edition, name: str
) -> show.Table:
    """M-BERT's macro-averages between groups of languages, same-language pairs excluded."""
    frame = scores[scores.encoder == "m-bert"]
    (means, sizes), rows = _group_means(frame, group), []
    for train, paper in printed.iterrows():
        cells = [means.get((train, evaluate), UNKNOWN) for evaluate in printed]
        values = [cell.value for cell in cells]
        rows += [[f"**{train}**", *map(show.bold, values)], _intervals(cells)]
        rows.append(["paper", *(show.number(value, 2) for value in paper)])
        if not edition.artificial:
            rows.append(["difference", *map(show.signed, values - paper)])
    members = ", ".join(f"{sizes.get(key, 0)} {key}" for key in printed.index) + " languages."
    given = "Intervals: hull of seeds (t) and sentences (bootstrap), given this one encoder."
    header, notes = ["fine-tuned on", *printed], (members, given, *show.notes(frame, edition))
    return show.Table(show.caption(printed, edition), name, header, rows, notes)


def _group_means(frame: pd.DataFrame, group: Group) -> tuple[dict[tuple, Estimate], pd.Series]:
    """Macro-averages by groups of both languages, and the number of languages in each group."""
    group = cache(group)
    sizes = valued(frame).drop_duplicates("train").train.map(group).value_counts()
    if valued(frame).empty:
        return {}, sizes
    means = claims.group_means(stats.draws(frame), group).droplevel("encoder")
    return {pair: stats.estimate(versions) for pair, versions in means.iterrows()}, sizes


def memberships(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Table 5b's means by who counts as AN or NA."""
    frame = scores[scores.encoder == "m-bert"]
    groups = {
        "as above": edition.adjective_group,
        "and where grammars put the others": languages.assumed_adjective_group,
        "with one entry of their own": languages.own_adjective_group,
    }
    pairs, rows = [(a, b) for a in ("AN", "NA") for b in ("AN", "NA")], []
    for title, group in groups.items():
        means, sizes = _group_means(frame, group)
        values = [means.get(pair, UNKNOWN).value for pair in pairs]
        members = f"{sizes.get('AN', 0)}, {sizes.get('NA', 0)}"
        rows.append([title, members, *map(show.number, values)])
    about = "Zero-shot accuracy between AN and NA languages, by who is counted among them"
    header = ["members", "AN, NA", *map(" to ".join, pairs)]
    caption, notes = f"{about}. Edition: {edition.title}.", show.notes(frame, edition)
    return show.Table(caption, "memberships", header, rows, notes)


def neighbours(scores: pd.DataFrame, edition: Edition) -> VBox:
    """Where transfer from each language goes best and worst, to choose from by a menu."""
    codes = sorted(set(valued(scores).train), key=languages.name)
    views = {languages.name(code): best_and_worst(scores, code, edition) for code in codes}
    return show.gallery(views or {"no language": show.absent("neighbours", edition, scores)})


def best_and_worst(scores: pd.DataFrame, code: str, edition: Edition, shown: int = 6) -> show.Table:
    """Where a tagger fine-tuned on one language does best and worst, by M-BERT."""
    away = valued(scores)[lambda runs: (runs.train == code) & (runs.evaluate != code)]
    means = away.groupby(["evaluate", "encoder"]).score.mean().unstack()
    means = means[list(dict.fromkeys(away.encoder))]
    means = means.sort_values(means.columns[0], ascending=False)
    if len(means) > 2 * shown:
        means = pd.concat([means[:shown], means[-shown:]])
    rows = [
        [languages.name(c), *map(show.number, row), str(languages.common_features(code, c))]
        for c, row in zip(means.index, means.to_numpy(), strict=True)
    ]
    header = ["evaluated on", *map(edition.encoder_title, means), "common features"]
    about = f"Fine-tuned on {languages.name(code)}: the best and the worst"
    return show.Table(f"{about}. Edition: {edition.title}.", f"neighbours-{code}", header, rows)


# ---- Code-switching ----


def switched(examples: pd.DataFrame, edition: Edition) -> show.Table:
    """A code-switched sentence of ``experiments.examples``, in both spellings and with its tags."""
    about = "A sentence of the code-switched corpus in both spellings"
    chosen = examples[examples.kind == "switched"]
    rows = valued(chosen)[["word", "second", "tag"]].to_numpy().tolist()
    header, notes = [CORRECTED, TRANSLITERATED, "tag"], tuple(show.lacking(chosen))
    caption = f"{about}. Edition: {edition.title}."
    return show.Table(caption, "switched", header, rows, notes, text=True)


def table_6(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT on code-switched text, fine-tuned on Hindi and English apart or on such text."""
    return show.systems(_by_training(scores), published.TABLE_6, edition, "table-6")


def _by_training(scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        "monolingual HI+EN": scores[scores.train == MIXED],
        "code-switched HI/EN": scores[scores.train == scores.evaluate],
    }


def switching(scores: pd.DataFrame, sizes: pd.DataFrame) -> dict[str, str | float]:
    """Phrases: what code-switched training is worth, in the paper and here, and if that is fair."""
    printed = published.TABLE_6.xs("M-BERT", level="system").diff().iloc[-1]
    apart, mixed = (
        valued(runs).groupby("evaluate").score.mean() for runs in _by_training(scores).values()
    )
    gained = (mixed - apart).reindex(printed.index)
    paper = {f"paper_{text}": value for text, value in printed.items()}
    ours = {f"ours_{text}": value for text, value in gained.items()}
    return paper | ours | {"fair": _unequal_texts(sizes)}


def _unequal_texts(sizes: pd.DataFrame) -> str:
    """A sentence where there is much less code-switched than monolingual text; else nothing."""
    known = valued(sizes)[lambda rows: rows.task == "code-switching"]
    sentences = known.set_index(["language", "split"]).sentences
    wanted = [(CORRECTED, "train"), (MIXED, "train"), (CORRECTED, "test")]
    mixed, apart, tested = sentences.reindex(wanted)
    if not 2 * mixed < apart:
        return ""
    return (
        f"But there are only {mixed:,.0f} code-switched sentences to train on here, against "
        f"{apart:,.0f} monolingual ones, and {tested:,.0f} to be tested on: the comparison is one "
        "of sizes more than of kinds of text, and verdicts on it say little about either."
    )


# ---- Reading, and who else would pass ----


def reading(
    pos: pd.DataFrame, found: Mapping[str, Sequence[Trend]], counted: Mapping[str, Trend]
) -> dict[str, str | float]:
    """Phrases on accuracy and on what ``trends`` and ``readings`` returned."""
    multilingual, english = found["all"]
    pairs = stats.zero_shot(stats.means(pos[pos.encoder == "m-bert"]))
    rho = [one.correlation.value for one in counted.values()]
    unlisted = [
        code for code in sorted(set(pos.train), key=languages.name) if not languages.attested(code)
    ]
    phrases = {
        "pairs": f"{multilingual.pairs:,}",
        "absent": f"{len(pairs) - multilingual.pairs:,}",
        "subsets": show.listing(title for title, (m, _) in found.items() if _significant(m)),
        "rho_low": show.number(min(rho), 2),
        "rho_high": show.number(max(rho), 2),
        "readings": show.share(map(_significant, counted.values())),
        "no_wals": show.listing(map(languages.name, unlisted)),
    }
    for letter, one in [("m", multilingual), ("e", english)]:
        phrases[f"rho_{letter}"] = show.number(one.correlation.value, 2)
        phrases[f"p_{letter}"] = show.number(one.p_languages, 3)
        runs = stats.means(pos[pos.encoder == one.encoder])
        phrases[f"average_{letter}"] = float(stats.zero_shot(runs).mean())
    return phrases


def _significant(one: Trend) -> bool:
    return one.p_languages < claims.SIGNIFICANCE


def controls(
    scores: pd.DataFrame, chosen: Sequence[Claim], edition: Edition
) -> dict[str, pd.DataFrame]:
    """Claims about M-BERT's tagging alone, judged with each tagger of ``scores`` in its place.

    What passes the same rule without having read another language is no evidence of what M-BERT has
    learnt. A claim that compares M-BERT with EN-BERT has no such control.
    """
    judged = {}
    for tagger in dict.fromkeys(valued(scores).encoder):
        runs = scores[scores.encoder == tagger].assign(encoder="m-bert")
        ledger = claims.judge(chosen, claims.evidence({"pos": runs}, edition))
        ledger = ledger.assign(text=[claim.text for claim in chosen])
        judged[tagger] = ledger[ledger.verdict != claims.NOT_TESTABLE]
    return judged


def control_table(found: Mapping[str, pd.DataFrame], edition: Edition) -> show.Table:
    """What ``controls`` returns, a column a tagger."""
    texts = {row.Index: row.text for ledger in found.values() for row in ledger.itertuples()}
    rows = [
        [f"{text} `{claim}`", *(_passed(ledger, claim) for ledger in found.values())]
        for claim, text in texts.items()
    ]
    about = "The claims about M-BERT's tagging, by the same rules, with others in its place"
    header = ["Claim", *map(edition.encoder_title, found)]
    nothing = "" if rows else "Not available: there are no results to put through the rules."
    notes = tuple(filter(None, [show.PATTERN * edition.artificial, nothing]))
    return show.Table(f"{about}. Edition: {edition.title}.", "control", header, rows, notes, True)


def _passed(ledger: pd.DataFrame, claim: str) -> str:
    if claim not in ledger.index:
        return show.MISSING
    verdict = ledger.verdict[claim]
    return f"{show.VERDICTS[verdict]} {verdict}: {show.number(ledger.value[claim], 2)}"


def passing(found: Mapping[str, pd.DataFrame], edition: Edition) -> dict[str, str]:
    """Phrases: how many claims M-BERT passes, how many of these others do, which none of them."""
    passed = {name: set(x.index[x.verdict == claims.SUPPORTED]) for name, x in found.items()}
    own = passed.pop("m-bert", set())
    told = [f"{edition.encoder_title(name)} {len(own & x)}" for name, x in passed.items()]
    alone = show.listing(sorted(own.difference(*passed.values())))
    return {"own": str(len(own)), "others_pass": show.listing(told), "alone": alone}


# ---- Claims ----


def few_common_features(train: str, evaluate: str, common: float) -> bool:
    return common <= 2


def gap_where_little_is_shared(evidence: Evidence) -> Measurement:
    """M-BERT's mean minus EN-BERT's on pairs with one or two common features."""
    multilingual, english = (
        claims.mean_where("pos", "common features", encoder, few_common_features)(evidence)
        for encoder in ENCODERS
    )
    return Measurement(multilingual.versions - english.versions)


def distance_on_corrected_text(evidence: Evidence) -> Measurement:
    """Of training on Hindi and English apart and on code-switched text."""
    keys = [("m-bert", train, CORRECTED) for train in (CORRECTED, MIXED)]
    return Measurement(claims.cells(evidence, "code-switching", keys).diff().iloc[-1].abs())


def by_rows(first: str, second: str) -> list[tuple[tuple, tuple]]:
    """Fine-tuned on a group, evaluated on the same group against the other."""
    return [(("m-bert", a, a), ("m-bert", a, b)) for a, b in [(first, second), (second, first)]]


def by_columns(first: str, second: str) -> list[tuple[tuple, tuple]]:
    """Evaluated on a group, fine-tuned on the same group against the other."""
    return [(("m-bert", a, a), ("m-bert", b, a)) for a, b in [(first, second), (second, first)]]


CLAIMS = [
    Claim(
        "typological-similarity",
        "4.1",
        "The more word-order features two languages share, the better M-BERT transfers.",
        "rank correlation of M-BERT's zero-shot accuracy with the number of common WALS features",
        claims.trend(stats.rank_correlation, "pos", "common features", "m-bert"),
        above(0, permutation=True),
    ),
    Claim(
        "decent-at-low-similarity",
        "4.1",
        "For languages with little in common M-BERT still does better than EN-BERT.",
        "mean zero-shot accuracy on pairs with one or two common features, M-BERT minus EN-BERT",
        gap_where_little_is_shared,
        above(0),
    ),
    Claim(
        "word-order",
        "4.2, Table 5a",
        "Fine-tuned on SVO (SOV) languages, M-BERT does best on SVO (SOV) languages.",
        "smaller of the gaps SVO-SVO over SVO-SOV and SOV-SOV over SOV-SVO (Table 5a by rows)",
        claims.smallest_difference("subject-verb-object order", by_rows("SVO", "SOV")),
        above(0),
    ),
    Claim(
        "word-order-columns",
        "4.2, Table 5a",
        "SVO (SOV) languages are tagged best from SVO (SOV) languages.",
        "smaller of the gaps SVO-SVO over SOV-SVO and SOV-SOV over SVO-SOV (Table 5a by columns)",
        claims.smallest_difference("subject-verb-object order", by_columns("SVO", "SOV")),
        above(0),
    ),
    Claim(
        "adjective-order",
        "4.2, Table 5b",
        "Fine-tuned on AN (NA) languages, M-BERT does best on AN (NA) languages.",
        "smaller of the gaps AN-AN over AN-NA and NA-NA over NA-AN (Table 5b by rows)",
        claims.smallest_difference("adjective-noun order", by_rows("AN", "NA")),
        above(0),
    ),
    Claim(
        "adjective-order-columns",
        "4.2, Table 5b",
        "AN (NA) languages are tagged best from AN (NA) languages.",
        "smaller of the gaps AN-AN over NA-AN and NA-NA over AN-NA (Table 5b by columns)",
        claims.smallest_difference("adjective-noun order", by_columns("AN", "NA")),
        above(0),
    ),
    Claim(
        "code-switching",
        "4.3",
        "On corrected text, training on monolingual Hindi and English is comparable to training on "
        "code-switched text.",
        "distance of the two accuracies on corrected text",
        distance_on_corrected_text,
        below(claims.COMPARABLE),
    ),
    Claim(
        "transliteration",
        "4.3",
        "Transliterated text fails without transliterated training.",
        "accuracy on transliterated text, trained on such text minus trained on Hindi and English",
        claims.difference(
            "code-switching",
            [("m-bert", TRANSLITERATED, TRANSLITERATED)],
            [("m-bert", MIXED, TRANSLITERATED)],
        ),
        above(FAR),
    ),
]
