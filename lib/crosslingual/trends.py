"""Does transfer improve with likeness? The trend of Figure 2, tested on languages rather than on pairs (section 4.1).

A score per ordered pair looks like many observations, but pairs that have a language in common rise and fall
together. So languages are permuted, rows and columns at once (Mantel, 1967); beside it stands what a test that
took the pairs as independent would have said.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from crosslingual import evidence, languages, stats, typology

Keep = Callable[[str, str], bool]
Likeness = Callable[[str, str], float]


class Trend(NamedTuple):
    """Rank correlation of scores with likeness, and its one-sided p values under two null hypotheses."""

    encoder: str
    pairs: int
    correlation: stats.Estimate
    p_languages: float
    p_pairs: float


def every_pair(train: str, evaluate: str) -> bool:
    return True


def unrelated(train: str, evaluate: str) -> bool:
    """Two language families: nothing is inherited from a common ancestor."""
    family = languages.table().family
    return family[train] != family[evaluate]


def across_scripts(train: str, evaluate: str) -> bool:
    return languages.script(train) != languages.script(evaluate)


def within_script(train: str, evaluate: str) -> bool:
    return not across_scripts(train, evaluate)


# The likeness of relatives, and that of letters, go with word order: the subsets hold each of them fixed.
SUBSETS: dict[str, Keep] = {"all": every_pair, "two families": unrelated, "two scripts": across_scripts}


def between_orders(first: str, second: str) -> Keep:
    """Pairs from one group of word orders ("SVO", "SOV") to another."""
    return lambda train, evaluate: (typology.order_group(train), typology.order_group(evaluate)) == (first, second)


# Pairs to be macro-averaged each on its own.
GROUPS: dict[str, Keep] = {"one script": within_script, "two scripts": across_scripts} | {
    f"{a} to {b}": between_orders(a, b) for a in ("SVO", "SOV") for b in ("SVO", "SOV")
}


def complete(train: str, evaluate: str) -> bool:
    """Languages without a gap in the atlas."""
    return len(typology.attested(train)) == len(typology.attested(evaluate)) == len(typology.FEATURES)


def own_entries(train: str, evaluate: str) -> bool:
    return typology.own_entry(train) and typology.own_entry(evaluate)


# What else "features in common" can mean where the atlas has gaps, several entries, or no dominant order.
READINGS: dict[str, tuple[Likeness, Keep]] = {
    "as above: a gap is a difference": (typology.common_features, every_pair),
    "share of the features attested in both": (typology.likeness, every_pair),
    "languages with all six attested": (typology.common_features, complete),
    "languages with one entry of their own": (typology.common_features, own_entries),
    "no dominant order is nothing in common": (typology.common_orders, every_pair),
}


def averages(scores: pd.DataFrame, groups: dict[str, Keep] = GROUPS) -> dict[str, dict[str, stats.Estimate]]:
    """Macro-averages of each encoder's, or baseline's, scores over groups of zero-shot pairs: {group: {encoder: ...}}.

    ``scores`` holds the frames of ``transfer.matrix`` and ``baselines.matrix`` below each other. An encoder without a
    pair in a group is left out of it.
    """
    found: dict[str, dict[str, stats.Estimate]] = {group: {} for group in groups}
    for encoder, frame in scores[scores.train != scores.evaluate].groupby("encoder"):
        versions = stats.draws(frame)
        for group, keep in groups.items():
            chosen = [keep(*pair[1:]) for pair in versions.index]
            if any(chosen):
                found[group][encoder] = stats.estimate(versions[chosen].mean(skipna=False))
    return found


def ahead(scores: pd.DataFrame, keep: Keep, encoder: str = "m-bert") -> list[bool]:
    """For each zero-shot pair that ``keep`` lets pass: does the encoder score higher than all others in ``scores``?"""
    means = scores.groupby(["train", "evaluate", "encoder"]).score.mean().unstack().dropna()
    means = means[[a != b and keep(a, b) for a, b in means.index]]
    return (means[encoder] > means.drop(columns=encoder).max(axis=1)).tolist() if encoder in means else []


def by_features(scores: pd.DataFrame, encoder: str) -> pd.DataFrame:
    """Mean zero-shot score by number of common features: pairs, value, low, high; index is that number."""
    versions, common = _pairs(scores, encoder, every_pair)
    means = {number: stats.estimate(versions[(common == number).to_numpy()].mean(skipna=False))._asdict()
             for number in sorted(common.unique())}  # fmt: skip
    table = pd.DataFrame.from_dict(means, orient="index", columns=["value", "low", "high"])
    table = table.assign(pairs=common.value_counts().sort_index()).rename_axis("common features")
    table.attrs["unavailable"] = scores.attrs.get("unavailable", {})
    return table


def typological(
    scores: pd.DataFrame, encoder: str, keep: Keep = every_pair, n: int = 1000,
    likeness: Likeness = typology.common_features,
) -> Trend:  # fmt: skip
    """The trend of one encoder's zero-shot scores with the number of common word-order features.

    ``scores`` is ``transfer.matrix``; pairs without a common feature are left out, as in the paper, and so
    are those that ``keep`` refuses. NaN where fewer than two numbers of features remain.
    """
    versions, common = _pairs(scores, encoder, keep, likeness)
    if common.nunique() < 2:
        return Trend(encoder, len(common), stats.Estimate(np.nan, np.nan, np.nan), np.nan, np.nan)
    correlations = stats.rank_correlation(common, versions.to_numpy())
    estimate = stats.estimate(pd.Series(correlations, versions.columns))
    means = scores[scores.encoder == encoder].groupby(stats.CELL).score.mean()
    by_language = stats.permutation_test(*evidence.square(common, means), n=n).p
    return Trend(encoder, len(common), estimate, by_language, shuffled_p(common, versions["mean"][0], n))


def readings(scores: pd.DataFrame, encoder: str, n: int = 1000) -> dict[str, Trend]:
    """The trend under each reading of "features in common": whether it hangs on how gaps are counted."""
    return {
        title: typological(scores, encoder, keep, n, likeness) for title, (likeness, keep) in READINGS.items()
    }


def shuffled_p(x, y, n: int = 1000, seed: int = 0) -> float:
    """One-sided p value of a rank correlation if each pair were an observation of its own."""
    x, y, rng = np.asarray(x, float), np.asarray(y, float), np.random.default_rng(seed)
    shuffled = stats.rank_correlation(x, np.stack([rng.permutation(y) for _ in range(n)], axis=1))
    return float((1 + np.sum(shuffled >= stats.rank_correlation(x, y) - 1e-12)) / (n + 1))


def _pairs(
    scores: pd.DataFrame, encoder: str, keep: Keep, likeness: Likeness = typology.common_features
) -> tuple[pd.DataFrame, pd.Series]:
    """Versions of the score, and common features, of the pairs that count."""
    versions = stats.draws(scores[scores.encoder == encoder])
    common = evidence.common_features(versions.index, likeness)
    common = common[[keep(*key[1:]) for key in common.index]]
    return versions.loc[common.index].dropna(axis=1), common
