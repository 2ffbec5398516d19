"""The paper's claims as executable tests whose rules were fixed before any result existed.

A claim's one statistic is computed on every version of the scores (their mean, each seed, each
bootstrap sample, without each language), which gives its intervals; its one rule looks at the whole
of one of them. The paper's numbers have none and are judged by their value. Claims and rules stand
in ``data/claims.csv``, measures in each chapter's room, what these have in common here. Changed
after the results: rules about trends look at the interval over languages (version 2) instead of
that of fixed languages (version 1).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crosslingual import languages, published, stats
from crosslingual.stats import CELL, Estimate, Interval, valued

if TYPE_CHECKING:
    from crosslingual.edition import Edition
else:  # what judges and shows is handed one, and imports nothing that computes
    Edition = Any

STATED = pd.read_csv(languages.DATA / "claims.csv", index_col="id", keep_default_na=False)
COMPARABLE = float(STATED.threshold["english-in-language"])
SIGNIFICANCE = 0.05
SUPPORTED, CONTRADICTED = "supported", "contradicted"
UNDECIDED, NOT_TESTABLE = "undecided", "not testable"
CORRECTED, TRANSLITERATED, MIXED = "corrected", "transliterated", "hi+en"

# Kinds of evidence by name. "ner", "pos", "code-switching", "earlier work", "subject-verb-object
# order" and "adjective-noun order" are frames whose rows are (encoder, train, evaluate) cells and
# whose columns are the versions that ``stats.draws`` describes; "retrieval" likewise, by (source,
# target, method, layer); "overlap" and "common features" are series over cells. A text says why
# there is none. "reasons" maps (name, *cell) to why it has no value, "cannot judge" a claim's id
# to why these results can say nothing about it.
Evidence = dict[str, pd.DataFrame | pd.Series | str | dict]
Keep = Callable[[str, str, float], bool]  # whether a pair counts: train, evaluate, covariate
# What evidence is made from which result, and lacks for its reason.
MADE_FROM = {
    "pos": ["subject-verb-object order", "adjective-noun order", "common features"],
    "overlap": ["overlap"],
}


class NotAvailable(LookupError):
    """The evidence lacks what a claim needs; the message says what."""


class Measurement(NamedTuple):
    """A statistic for every version of the scores, and its p value where languages are permuted."""

    versions: pd.Series
    p: float = np.nan


Measure = Callable[[Evidence], Measurement]


@dataclass(frozen=True)
class Rule:
    """Supported if the whole interval is on the threshold's named side (and p small, if asked).

    Contradicted if the interval lies wholly on the other side, undecided otherwise. ``languages``:
    whether that is the interval over languages.
    """

    side: str
    threshold: float
    permutation: bool = False
    languages: bool = False

    def verdict(self, interval: Estimate | Interval, p: float = np.nan) -> str:
        sign = 1 if self.side == "above" else -1
        low, high = sorted(sign * (end - self.threshold) for end in (interval.low, interval.high))
        if high < 0:
            return CONTRADICTED
        significant = not self.permutation or p < SIGNIFICANCE
        return SUPPORTED if low > 0 and significant else UNDECIDED

    def __str__(self) -> str:
        text = f"{self.side} {self.threshold:g}" + " over languages" * self.languages
        return text + f", p < {SIGNIFICANCE:g}" * self.permutation


@dataclass(frozen=True)
class Claim:
    """``measure`` measures evidence or raises NotAvailable; ``statistic`` describes what."""

    id: str
    section: str
    text: str
    statistic: str
    measure: Measure
    rule: Rule


def stated(measures: Mapping[str, Measure]) -> list[Claim]:
    """Claims of ``data/claims.csv``, each by its id with what measures it."""
    claims = []
    for name, measure in measures.items():
        row = STATED.loc[name]
        asked = row.permuted == "yes", row.interval == "languages"
        rule = Rule(row.side, float(row.threshold), *asked)
        claims.append(Claim(name, row.section, row.text, row.statistic, measure, rule))
    return claims


def judge(claims: Iterable[Claim], evidence: Evidence) -> pd.DataFrame:
    """What becomes of every claim, indexed by its id.

    Columns: value; low, high (seeds and sentences, these languages); over_low, over_high (over
    languages); p; verdict; fixed, over (what the rule would say of either interval, "" if there is
    none); note: why it is not testable, be it measured or not.
    """
    judged = {claim.id: _judged(claim, evidence) for claim in claims}
    columns = ["value", "low", "high", "over_low", "over_high", "p", "verdict", "fixed", "over"]
    return pd.DataFrame.from_dict(judged, "index", columns=[*columns, "note"]).rename_axis("id")


def _judged(claim: Claim, evidence: Evidence) -> list:
    try:
        versions, p = claim.measure(evidence)
        estimate = stats.estimate(versions)
        known = not np.isnan(estimate.over.low)
        if np.isnan(estimate.value):
            raise NotAvailable("the statistic has no value on these results")
        if claim.rule.languages and not known:
            raise NotAvailable("there are too few languages for an interval over languages")
    except (NotAvailable, ValueError) as why:
        return [*[np.nan] * 6, NOT_TESTABLE, "", "", str(why)]
    fixed = claim.rule.verdict(estimate, p)
    over = claim.rule.verdict(estimate.over, p) if known else ""
    note = evidence.get("cannot judge", {}).get(claim.id, "")
    verdict = NOT_TESTABLE if note else over if claim.rule.languages else fixed
    return [*estimate[:3], *estimate.over, p, verdict, fixed, over, note]


def estimated(evidence: Evidence, measure: Measure) -> Estimate:
    """What a measure gives; NaN where the evidence lacks what it needs."""
    try:
        return stats.estimate(measure(evidence).versions)
    except (NotAvailable, ValueError):
        return Estimate()


# ---- Measures ----


def cells(evidence: Evidence, name: str, keys: Sequence[tuple]) -> pd.DataFrame:
    """Rows of some evidence in the order of ``keys``; NotAvailable names one missing, and why.

    Seeds that not all of these cells have are left out.
    """
    frame = evidence.get(name, f"no {name} result to judge by")
    missing = [key for key in keys if isinstance(frame, str) or key not in frame.index]
    if len(keys) and not missing:
        found = frame.loc[keys]
        whole = found.notna().all() | (found.columns.get_level_values(0) == "without")
        return found.loc[:, whole]
    which = " ".join(map(str, missing[0])) if missing else "any pair"
    if missing and (reason := evidence.get("reasons", {}).get((name, *missing[0]))):
        raise NotAvailable(f"no {name} result for {which}: {reason}")
    raise NotAvailable(frame if isinstance(frame, str) else f"no {name} result for {which}")


def zero_shot(encoder: str, codes: Sequence[str]) -> list[tuple]:
    return [(encoder, a, b) for a in codes for b in codes if a != b]


def in_language(encoder: str, codes: Sequence[str]) -> list[tuple]:
    return [(encoder, code, code) for code in codes]


def lowest(name: str, keys: list[tuple]):
    return lambda evidence: Measurement(cells(evidence, name, keys).min())


def mean(name: str, keys: list[tuple]):
    return lambda evidence: Measurement(cells(evidence, name, keys).mean())


def difference(name: str, better: list[tuple], worse: list[tuple], other: str | None = None):
    """Mean over ``better`` minus mean over ``worse`` (cells of ``other`` evidence where named).

    Version by version; a printed number is held against each version of the other's.
    """

    def measure(evidence):
        first = cells(evidence, name, better).mean()
        second = cells(evidence, other or name, worse).mean()
        if len(first) == 1:
            return Measurement(first.iloc[0] - second)
        return Measurement(first - (second.iloc[0] if len(second) == 1 else second))

    return measure


def smallest_difference(name: str, comparisons: list[tuple[tuple, tuple]]):
    """The smallest of several differences between single cells: all must hold."""

    def measure(evidence):
        first, second = (cells(evidence, name, list(keys)) for keys in zip(*comparisons))
        gaps = first.reset_index(drop=True) - second.reset_index(drop=True)
        return Measurement(gaps.min(skipna=False))

    return measure


def every_pair(train: str, evaluate: str, x: float = np.nan) -> bool:
    return True


def across_scripts(train: str, evaluate: str, x: float = np.nan) -> bool:
    return languages.script(train) != languages.script(evaluate)


def within_script(train: str, evaluate: str, x: float = np.nan) -> bool:
    return not across_scripts(train, evaluate)


def by_covariate(
    evidence: Evidence, task: str, covariate: str, encoder: str, keep: Keep = every_pair
) -> tuple[pd.DataFrame, pd.Series]:
    """Scores of the zero-shot pairs that have a covariate, and the covariate, in one order.

    It may be the scores' own mean: all pairs that have a score have that.
    """
    if isinstance(table := evidence.get(covariate, f"no {covariate} for any pair"), str):
        raise NotAvailable(table)
    table = table["mean", 0] if isinstance(table, pd.DataFrame) else table
    pairs = [key for key in table.index if key[0] == encoder and key[1] != key[2]]
    keys = [key for key in pairs if keep(*key[1:], table[key])]
    return cells(evidence, task, keys), table[keys]


def mean_where(task: str, covariate: str, encoder: str, keep: Keep):
    """The mean score of the pairs kept."""

    def measure(evidence):
        scores, _ = by_covariate(evidence, task, covariate, encoder, keep)
        return Measurement(stats.every_version(scores, pd.DataFrame.mean))

    return measure


def trend(statistic: Callable, task: str, covariate: str, encoder: str):
    """Rank correlation or slope of scores on a covariate; its p value permutes languages."""

    def measure(evidence):
        scores, x = by_covariate(evidence, task, covariate, encoder)
        everything = evidence[task].loc[[encoder]]["mean"].iloc[:, 0]
        p = stats.permutation_test(*square(x, everything), statistic)
        return Measurement(along(scores, x, statistic), p)

    return measure


def along(scores: pd.DataFrame, x: pd.Series, statistic: Callable) -> pd.Series:
    """A statistic of x and the scores of pairs, in every version of these; NaN where x is one."""

    def of(some: pd.DataFrame) -> pd.Series:
        if x[some.index].nunique() < 2:
            return pd.Series(np.nan, some.columns)
        return pd.Series(statistic(x[some.index].to_numpy(), some.to_numpy()), some.columns)

    return stats.every_version(scores, of).rename(statistic.__name__)


def square(x: pd.Series, scores: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A likeness of some pairs and the scores of all, as frames of languages by languages.

    Both are by (encoder, train, evaluate), of one encoder; the first is NaN for other pairs.
    """
    x, scores = (pairs.droplevel("encoder").unstack() for pairs in (x, scores))
    codes = scores.index.intersection(scores.columns)
    return x.reindex(index=codes, columns=codes), scores.loc[codes, codes]


# ---- Evidence ----


def evidence(results: dict[str, pd.DataFrame], edition: Edition) -> Evidence:
    """What an edition's results, frames of ``experiments.results`` of which any may lack, say."""
    known: Evidence = {"reasons": _reasons(results), "earlier work": _earlier_work(edition)}
    known["cannot judge"] = edition.cannot_judge
    for (name, *_), why in reversed(known["reasons"].items()):
        known |= dict.fromkeys(MADE_FROM.get(name, ()), f"no {name} result to judge by: {why}")
    for name, frame in results.items():
        told = valued(frame)
        if len(told) and name == "overlap":
            known[name] = told.set_index(CELL).overlap
        elif len(told) and name == "retrieval":
            known |= _retrieval(told[(told.encoder == "m-bert") & (told.queries == "all")])
        elif len(told):
            known[name] = stats.draws(told)
    return known | (about_order(known["pos"], edition) if "pos" in known else {})


def about_order(scores: pd.DataFrame, edition: Edition) -> Evidence:
    """Versions of tagging scores as evidence on word order: by groups and by what is in common."""
    return {
        "pos": scores,
        "subject-verb-object order": group_means(scores, languages.order_group),
        "adjective-noun order": group_means(scores, edition.adjective_group),
        "common features": common_features(scores.index),
    }


def _earlier_work(edition: Edition) -> pd.DataFrame | str:
    """Earlier work's scores on the CoNLL corpora, or why an edition's do not compare with them."""
    if edition.artificial:
        return "earlier work is about real languages"
    others = edition.substitutes.items()
    named = ", ".join(f"{corpus} for {languages.name(code)}" for code, corpus in others)
    if named:
        return f"earlier work is about the CoNLL corpora; here stands {named}"
    return published_evidence()["earlier work"]


def _reasons(results: dict[str, pd.DataFrame]) -> dict[tuple, str]:
    """Why cells have no value, by (name, *CELL) or ("retrieval", source, target)."""
    found = {}
    for name, frame in results.items():
        keys = ["source", "target"] if name == "retrieval" else CELL
        lacking = frame[frame.reason != ""] if "reason" in frame else frame[:0]
        for *key, why in lacking.reindex(columns=[*keys, "reason"]).itertuples(index=False):
            found[name, *key] = why
    return found


def common_features(
    pairs: pd.MultiIndex, likeness: Callable[[str, str], float] = languages.common_features
) -> pd.Series:
    """Common features, or another likeness, of each zero-shot pair that has any."""
    common = [np.nan if a == b else likeness(a, b) for _, a, b in pairs]
    found = pd.Series(common, pairs, dtype=float)
    return found[found > 0]


def group_means(scores: pd.DataFrame, group: Callable[[str], str | None]) -> pd.DataFrame:
    """Unweighted means over the zero-shot pairs between groups of languages (Table 5).

    A seed that some pair lacks has no mean: it would be one over other pairs.
    """
    codes = {*scores.index.unique("train"), *scores.index.unique("evaluate")}
    groups = {code: group(code) for code in codes}
    used = [a != b and bool(groups[a] and groups[b]) for _, a, b in scores.index]

    def means(some: pd.DataFrame) -> pd.DataFrame:
        encoder, train, evaluate = map(some.index.get_level_values, CELL)
        between = [encoder, train.map(groups), evaluate.map(groups)]
        return some.groupby(between).mean(skipna=False)

    chosen = scores[used]
    return stats.every_version(chosen, means).rename_axis(CELL) if any(used) else chosen


def all_candidates(curve: pd.DataFrame) -> pd.DataFrame:
    """Each pair with all of its sentences as candidates; texts may differ in size."""
    most = curve.groupby(["source", "target"]).candidates.transform("max")
    return curve[curve.candidates == most]


def _retrieval(curve: pd.DataFrame) -> Evidence:
    """Accuracy by pair, method and layer, on the sentences and on resampled ones."""
    rng, blocks = np.random.default_rng(0), []
    for _, pair in all_candidates(curve).groupby(["source", "target"]):
        index = pd.MultiIndex.from_frame(pair[["source", "target", "method", "layer"]])
        hits = np.stack(list(pair.hits)).astype(np.float32)
        weights = stats.sentence_weights(hits.shape[1], stats.DRAWS, rng)
        drawn = pd.DataFrame(100 * hits @ weights.T / hits.shape[1], index)
        mean = pair.accuracy.set_axis(index).to_frame(0)
        blocks.append(pd.concat({"mean": mean, "draw": drawn}, axis=1))
    return {"retrieval": pd.concat(blocks).sort_index()} if blocks else {}


def published_evidence() -> Evidence:
    """The paper's Tables 1 to 8, without intervals; its figures' points are printed nowhere."""
    # Table 6's second row is taken apart: each column was trained on its own spelling.
    switched = published.TABLE_6.xs("M-BERT", level="system")
    mixed, own = switched.loc["monolingual HI+EN"], switched.loc["code-switched HI/EN"]
    switching = {("m-bert", MIXED, text): mixed[text] for text in switched}
    switching |= {("m-bert", text, text): own[text] for text in switched}
    lample = published.TABLE_3.loc["Lample et al. (2016)"].items()
    return {
        "ner": _printed(published.TABLE_1, published.TABLE_7),
        "pos": _printed(published.TABLE_2, published.TABLE_4, published.TABLE_8),
        "earlier work": _point({("lample", code, code): value for code, value in lample}),
        "subject-verb-object order": _printed(published.TABLE_5A),
        "adjective-noun order": _printed(published.TABLE_5B),
        "code-switching": _point(switching),
    }


def _printed(*tables: pd.DataFrame) -> pd.DataFrame:
    """Evidence from tables; Table 4 repeats Table 2's EN to EN with one digit less."""
    values = {}
    for table in tables:
        for pair, value in table.stack().dropna().items():
            values.setdefault((table.attrs["encoder"], *pair), value)
    return _point(values)


def _point(values: dict[tuple, float]) -> pd.DataFrame:
    """Evidence with a single version: the printed number."""
    index = pd.MultiIndex.from_tuples(values, names=CELL)
    return pd.DataFrame({("mean", 0): list(values.values())}, index)
