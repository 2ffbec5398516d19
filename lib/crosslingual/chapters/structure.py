"""Section 4, encoding linguistic structure: Figure 2, Tables 5 and 6, the trend, who else passes.

Pairs that have a language in common rise and fall together. So languages are permuted, rows and
columns at once (Mantel, 1967); beside it stands what a test that took the pairs as independent
would have said. Scores are frames of ``experiments``, other taggers' below M-BERT's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters.transfer import WORD_SHAPE
from crosslingual.claims import Claim, Evidence, Measurement, across_scripts, every_pair
from crosslingual.stats import Estimate, valued

if TYPE_CHECKING:
    from crosslingual.edition import Edition

Keep = Callable[[str, str], bool]
Likeness = Callable[[str, str], float]
COMMON = languages.common_features

ENCODERS = ("m-bert", "en-bert")
UNKNOWN = Estimate(np.nan, np.nan, np.nan)
FLOOR = "No p value can be smaller than 1/(n + 1), n being the number of permutations."
TOO_FEW = "Not available where the results at hand have fewer than two numbers of common features."


def without(codes: Sequence[str], scores: pd.DataFrame) -> pd.DataFrame:
    """The scores that have nothing to do with some languages."""
    return scores[~scores[["train", "evaluate"]].isin(codes).any(axis=1)]


def _unrelated(train: str, evaluate: str) -> bool:
    """Two language families: nothing is inherited from a common ancestor."""
    family = languages.table().family
    return family[train] != family[evaluate]


def _between(first: str, second: str) -> Keep:
    order = languages.order_group
    return lambda train, evaluate: (order(train), order(evaluate)) == (first, second)


def _both(known: Callable[[str], bool]) -> Keep:
    return lambda train, evaluate: known(train) and known(evaluate)


def _complete(code: str) -> bool:
    return len(languages.attested(code)) == len(languages.FEATURES)


# Likeness of relatives, and of letters, goes with word order: the subsets hold each of them fixed.
SUBSETS = {"all": every_pair, "two families": _unrelated, "two scripts": across_scripts}
# Pairs to be macro-averaged each on its own.
ORDERS = {f"{a} to {b}": _between(a, b) for a, b in product(("SVO", "SOV"), repeat=2)}
GROUPS = {"one script": claims.within_script, "two scripts": across_scripts} | ORDERS
# What "in common" can mean where the atlas has gaps, several entries, or no dominant order.
READINGS: dict[str, tuple[Likeness, Keep]] = {
    "as above: a gap is a difference": (COMMON, every_pair),
    "share of the features attested in both": (languages.likeness, every_pair),
    "languages with all six attested": (COMMON, _both(_complete)),
    "languages with one entry of their own": (COMMON, _both(languages.own_entry)),
    "no dominant order is nothing in common": (languages.common_orders, every_pair),
}


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
    read, ends, shifts = [], {}, np.linspace(-0.1, 0.1, len(found))
    for (encoder, (versions, common)), shift in zip(found.items(), shifts, strict=True):
        title, colour = edition.encoder_title(encoder), show.COLOURS.get(encoder, show.CYCLE[2])
        x = common + shift + np.random.default_rng(0).uniform(-0.08, 0.08, len(common))
        panel.scatter(x, versions["mean"][0], 6, color=colour, alpha=0.25, linewidths=0)
        line = _by_number(versions, common)
        errors = [line.value - line.low, line.high - line.value]
        style = {"color": colour, "linewidth": 2, "marker": "o", "capsize": 3}
        panel.errorbar(line.index + shift, line.value, errors, **style)
        low, high = line.index[[0, -1]]
        ends[title] = (high + 0.25, line.value[high], colour)
        values = (f"{show.number(line.value[end])} with {end:g}" for end in (low, high))
        read.append(f"{title} {' and '.join(values)} in common")
    ticks = [f"{features:g}\n({pairs})" for features, pairs in line.pairs.items()]
    panel.set_xticks(line.index, ticks)
    panel.set(xlim=(0.6, 6.3), ylim=(0, 100), ylabel="zero-shot accuracy (%)")
    panel.set_xlabel("common WALS word-order features (number of pairs)")
    show.end_labels(panel, ends)
    about, told = (
        "Zero-shot tagging accuracy by the number of common word-order features",
        "; ".join(read),
    )
    about, alt = f"{about}. Means: {told}.", f"Dots and mean lines. {told}."
    return show.figure(drawing, "figure-2", about, alt, edition, scores)


def _pairs(
    scores: pd.DataFrame, encoder: str, keep: Keep = every_pair, likeness: Likeness = COMMON
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
    taggers = [t for t in dict.fromkeys(valued(scores).encoder) if t != "majority class"]
    tables = [_by_number(*_pairs(scores, tagger)) for tagger in taggers]
    means = pd.DataFrame({t: table.value for t, table in zip(taggers, tables, strict=True)})
    means = means.assign(later=published.EXTERNAL_BY_FEATURES)
    rows = [
        [f"{features:g}", f"{pairs:,}", *map(show.number, means.loc[features])]
        for features, pairs in (tables[0].pairs.items() if tables else ())
    ]
    header = ["features", "pairs", *map(edition.encoder_title, taggers), "XLM-R"]
    later = "XLM-R base: de Vries et al. (2022), other languages and newer treebanks."
    notes = [later, show.PATTERN * edition.artificial, *show.lacking(scores)]
    about = "Mean zero-shot accuracy by common word-order features"
    return show.table(about, "wals-means", header, rows, edition, notes=notes)


# ---- Is it a trend? ----


class Trend(NamedTuple):
    """Rank correlation with likeness, and its one-sided p values under two null hypotheses."""

    encoder: str
    pairs: int = 0
    correlation: Estimate = UNKNOWN
    p_languages: float = np.nan
    p_pairs: float = np.nan


def trend(
    scores: pd.DataFrame, encoder: str, keep: Keep, n: int, likeness: Likeness = COMMON
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


def shuffled_p(x, y, n: int) -> float:
    """One-sided p value of a rank correlation if each pair were an observation of its own."""
    x, y, rng = np.asarray(x, float), np.asarray(y, float), np.random.default_rng(0)
    shuffled = np.stack([rng.permutation(y) for _ in range(n)], axis=1)
    higher = stats.rank_correlation(x, shuffled) >= stats.rank_correlation(x, y) - 1e-12
    return float((1 + higher.sum()) / (n + 1))


def trends(scores: pd.DataFrame, n: int) -> dict[str, list[Trend]]:
    """The trend of M-BERT and of EN-BERT on each of SUBSETS."""
    return {title: [trend(scores, e, keep, n) for e in ENCODERS] for title, keep in SUBSETS.items()}


def readings(scores: pd.DataFrame, n: int) -> dict[str, Trend]:
    """M-BERT's trend under each of READINGS: whether it hangs on how gaps are counted."""
    return {title: trend(scores, "m-bert", keep, n, of) for title, (of, keep) in READINGS.items()}


def trend_table(found: Mapping[str, Sequence[Trend]], edition: Edition) -> show.Table:
    """What ``trends`` returns."""
    every = [
        ([f"{subset} ({one.pairs:,})", edition.encoder_title(one.encoder)], one)
        for subset, both in found.items()
        for one in both
    ]
    about = (
        "Rank correlation of zero-shot accuracy with the number of common word-order features, and "
        "two p values: languages permuted, pairs shuffled"
    )
    header = ["pairs", "encoder", "correlation", "interval", "p, languages", "p, pairs"]
    return _trend_table(about, "wals-trend", header, every, edition)


def reading_table(found: Mapping[str, Trend], edition: Edition) -> show.Table:
    """What ``readings`` returns."""
    every = [([title, f"{one.pairs:,}"], one) for title, one in found.items()]
    about = (
        f"Rank correlation of {edition.encoder_title('m-bert')}'s zero-shot accuracy with likeness "
        "in word order, by what counts as a feature in common; p value: languages permuted"
    )
    header = ["what counts", "pairs", "correlation", "interval", "p"]
    return _trend_table(about, "wals-readings", header, every, edition, FLOOR)


def _trend_table(about: str, name: str, header: list[str], every, edition, note="") -> show.Table:
    """``every`` has the first two cells of each row with its trend."""
    rows, few = [], any(np.isnan(one.correlation.value) for _, one in every)
    for cells, one in every:
        rho = [show.number(one.correlation.value, 2), show.bounds(one.correlation, 2)]
        p = [show.number(p, 3) for p in (one.p_languages, one.p_pairs)]
        rows.append([*cells, *rho, *p][: len(header)])
    notes = [show.PATTERN * edition.artificial, TOO_FEW * few, note]
    return show.table(about, name, header, rows, edition, notes=notes)


# ---- Groups of pairs: Table 5, and beside the controls ----


def _intervals(cells: Sequence[Estimate]) -> list[str]:
    return ["interval", *(show.MISSING if np.isnan(c.value) else show.bounds(c) for c in cells)]


def floors_by_group(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Macro-averages over GROUPS of pairs, with and without multilingual pre-training.

    The last column counts the pairs on which M-BERT scores higher than all others.
    """
    runs = valued(scores)
    taggers, rows = list(dict.fromkeys(runs.encoder)), []
    versions = [stats.draws(runs[runs.encoder == tagger]) for tagger in taggers]
    means = runs.groupby(["train", "evaluate", "encoder"]).score.mean().unstack()
    means = means.reindex(columns=means.columns.union(["m-bert"])).dropna()
    ahead = stats.zero_shot(means["m-bert"] > means.drop(columns="m-bert").max(axis=1))
    for title, keep in GROUPS.items():
        cells = [_average(table, keep) for table in versions]
        leads = [lead for pair, lead in ahead.items() if keep(*pair)]
        values = [show.number(cell.value) for cell in cells]
        rows.append([f"**{title}**", *values, f"{sum(leads)} of {len(leads)}"])
        rows.append([*_intervals(cells), ""])
    about = (
        "Zero-shot accuracy, macro-averaged, and what is reached without multilingual pre-training"
    )
    header = ["", *map(edition.encoder_title, taggers), f"{edition.encoder_title('m-bert')} leads"]
    name, notes = "floors-by-group", [WORD_SHAPE]
    return show.table(about, name, header, rows, edition, scores, notes=notes)


def _average(versions: pd.DataFrame, keep: Keep) -> Estimate:
    """The macro-average over the zero-shot pairs that ``keep`` lets pass."""
    chosen = [a != b and keep(a, b) for _, a, b in versions.index]
    return stats.estimate(versions[chosen].mean(skipna=False)) if any(chosen) else UNKNOWN


def table_5(scores: pd.DataFrame, part: str, edition: Edition) -> show.Table:
    """M-BERT's macro-averages between groups of languages, same-language pairs excluded.

    Part "a" is by order of subject, verb and object, in the paper's own groups; "b" by order of
    adjective and noun, in the edition's.
    """
    groups = {"a": languages.order_group, "b": edition.adjective_group}
    printed = {"a": published.TABLE_5A, "b": published.TABLE_5B}[part]
    frame = scores[scores.encoder == "m-bert"]
    (means, sizes), rows = _group_means(frame, groups[part]), []
    for train, paper in printed.iterrows():
        cells = [means.get((train, evaluate), UNKNOWN) for evaluate in printed]
        values = [cell.value for cell in cells]
        rows += [[f"**{train}**", *map(show.bold, values)], _intervals(cells)]
        rows.append(["paper", *(show.number(value, 2) for value in paper)])
        if not edition.artificial:
            rows.append(["difference", *map(show.signed, values - paper)])
    members = ", ".join(f"{sizes.get(key, 0)} {key}" for key in printed.index) + " languages."
    given = "Intervals: hull of seeds (t) and sentences (bootstrap), given this one encoder."
    header, about = ["fine-tuned on", *printed], printed.attrs["caption"]
    notes = [members, given]
    return show.table(about, f"table-5{part}", header, rows, edition, frame, notes=notes)


def _group_means(frame: pd.DataFrame, group: Callable) -> tuple[dict[tuple, Estimate], pd.Series]:
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
    pairs, rows = list(product(("AN", "NA"), repeat=2)), []
    for title, group in groups.items():
        means, sizes = _group_means(frame, group)
        values = [means.get(pair, UNKNOWN).value for pair in pairs]
        members = f"{sizes.get('AN', 0)}, {sizes.get('NA', 0)}"
        rows.append([title, members, *map(show.number, values)])
    about = "Zero-shot accuracy between AN and NA languages, by who is counted among them"
    header = ["members", "AN, NA", *map(" to ".join, pairs)]
    return show.table(about, "memberships", header, rows, edition, frame)


def switched(examples: pd.DataFrame, edition: Edition) -> show.Table:
    """A code-switched sentence of ``experiments.examples``, in both spellings and with its tags."""
    chosen = examples[examples.kind == "switched"]
    rows = valued(chosen)[["word", "second", "tag"]].to_numpy().tolist()
    header, notes = [claims.CORRECTED, claims.TRANSLITERATED, "tag"], show.lacking(chosen)
    about = "A sentence of the code-switched corpus in both spellings"
    return show.table(about, "switched", header, rows, edition, notes=notes, text=True)


def table_6(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT on code-switched text, fine-tuned on Hindi and English apart or on such text."""
    apart, mixed = _by_training(scores)
    ours = {"monolingual HI+EN": apart, "code-switched HI/EN": mixed}
    return show.systems(ours, published.TABLE_6, edition, "table-6")


def _by_training(scores: pd.DataFrame) -> list[pd.DataFrame]:
    return [scores[scores.train == claims.MIXED], scores[scores.train == scores.evaluate]]


def switching(scores: pd.DataFrame) -> dict[str, float]:
    """Phrases: what code-switched training is worth, in the paper and here."""
    printed = published.TABLE_6.xs("M-BERT", level="system").diff().iloc[-1]
    apart, mixed = (valued(x).groupby("evaluate").score.mean() for x in _by_training(scores))
    gained = (mixed - apart).reindex(printed.index)
    return {**printed.add_prefix("paper_"), **gained.add_prefix("ours_")}


# ---- Reading, and who else would pass ----


def reading(
    pos: pd.DataFrame, found: Mapping[str, Sequence[Trend]], counted: Mapping[str, Trend]
) -> dict[str, str | float]:
    """Phrases on accuracy and on what ``trends`` and ``readings`` returned."""
    multilingual, english = found["all"]
    level, rho = claims.SIGNIFICANCE, [one.correlation.value for one in counted.values()]
    unlisted = [languages.name(c) for c in set(pos.train) if not languages.attested(c)]
    phrases = {
        "pairs": f"{multilingual.pairs:,}",
        "subsets": show.listing(key for key, (m, _) in found.items() if m.p_languages < level),
        "rho_low": show.number(min(rho), 2),
        "rho_high": show.number(max(rho), 2),
        "readings": show.share(one.p_languages < level for one in counted.values()),
        "no_wals": show.listing(sorted(unlisted)),
    }
    for letter, one in [("e", english), ("m", multilingual)]:
        means = stats.zero_shot(stats.means(pos[pos.encoder == one.encoder]))
        phrases[f"rho_{letter}"] = show.number(one.correlation.value, 2)
        phrases[f"p_{letter}"] = show.number(one.p_languages, 3)
        phrases[f"average_{letter}"] = float(means.mean())
    return phrases | {"absent": f"{len(means) - multilingual.pairs:,}"}


def controls(
    scores: pd.DataFrame, chosen: Sequence[Claim], edition: Edition
) -> dict[str, pd.DataFrame]:
    """Claims about M-BERT's tagging alone, judged with each tagger of ``scores`` in its place.

    What passes the same rule without having read another language is no evidence of what M-BERT has
    learnt. A claim that compares M-BERT with EN-BERT has no such control.
    """
    judged = {}
    for tagger, runs in valued(scores).groupby("encoder", sort=False):
        evidence = claims.evidence({"pos": runs.assign(encoder="m-bert")}, edition)
        ledger = claims.judge(chosen, evidence).assign(text=[claim.text for claim in chosen])
        judged[tagger] = ledger[ledger.verdict != claims.NOT_TESTABLE]
    return judged


def control_table(found: Mapping[str, pd.DataFrame], edition: Edition) -> show.Table:
    """What ``controls`` returns, a column a tagger."""
    columns = {}
    for tagger, ledger in found.items():
        told = ledger.verdict.map(show.VERDICTS) + " " + ledger.verdict
        cells = zip(ledger.text, ledger.index, told, ledger.value, strict=True)
        columns[edition.encoder_title(tagger)] = {
            f"{text} `{claim}`": f"{verdict}: {show.number(value, 2)}"
            for text, claim, verdict, value in cells
        }
    table = pd.DataFrame(columns).fillna(show.MISSING)
    rows = [list(row) for row in table.itertuples(name=None)]
    about = "The claims about M-BERT's tagging, by the same rules, with others in its place"
    nothing = "" if rows else "Not available: there are no results to put through the rules."
    notes, header = [show.PATTERN * edition.artificial, nothing], ["Claim", *columns]
    return show.table(about, "control", header, rows, edition, notes=notes, text=True)


def passing(found: Mapping[str, pd.DataFrame], edition: Edition) -> dict[str, str]:
    """Phrases: how many claims M-BERT passes, how many of these others do, which none of them."""
    passed = {name: set(x.index[x.verdict == claims.SUPPORTED]) for name, x in found.items()}
    own = passed.pop("m-bert", set())
    told = [f"{edition.encoder_title(name)} {len(own & x)}" for name, x in passed.items()]
    alone = show.listing(sorted(own.difference(*passed.values())))
    return {"own": str(len(own)), "others_pass": show.listing(told), "alone": alone}


# ---- Claims ----


def gap_where_little_is_shared(evidence: Evidence) -> Measurement:
    """M-BERT's mean minus EN-BERT's on pairs with one or two common features."""
    over, few = ("pos", "common features"), lambda train, evaluate, common: common <= 2
    multilingual, english = (claims.mean_where(*over, e, few)(evidence).versions for e in ENCODERS)
    return Measurement(multilingual - english)


def distance_on_corrected_text(evidence: Evidence) -> Measurement:
    """Of training on Hindi and English apart and on code-switched text."""
    keys = [("m-bert", train, claims.CORRECTED) for train in (claims.CORRECTED, claims.MIXED)]
    return Measurement(claims.cells(evidence, "code-switching", keys).diff().iloc[-1].abs())


def _diagonal(a: str, b: str, columns: bool = False) -> list[tuple[tuple, tuple]]:
    """Table 5's cells of one group beside the others of their rows, or of their columns."""
    on, off = [("m-bert", a, a), ("m-bert", b, b)], [("m-bert", a, b), ("m-bert", b, a)]
    return list(zip(on, off[::-1] if columns else off))


def _claims() -> list[Claim]:
    likeness, least = ("pos", "common features", "m-bert"), claims.smallest_difference
    verbs, adjectives = "subject-verb-object order", "adjective-noun order"
    trained, never = (
        [("m-bert", train, claims.TRANSLITERATED)]
        for train in (claims.TRANSLITERATED, claims.MIXED)
    )
    return claims.stated(
        {
            "typological-similarity": claims.trend(stats.rank_correlation, *likeness),
            "decent-at-low-similarity": gap_where_little_is_shared,
            "word-order": least(verbs, _diagonal("SVO", "SOV")),
            "word-order-columns": least(verbs, _diagonal("SVO", "SOV", columns=True)),
            "adjective-order": least(adjectives, _diagonal("AN", "NA")),
            "adjective-order-columns": least(adjectives, _diagonal("AN", "NA", columns=True)),
            "code-switching": distance_on_corrected_text,
            "transliteration": claims.difference("code-switching", trained, never),
        }
    )


CLAIMS = _claims()
