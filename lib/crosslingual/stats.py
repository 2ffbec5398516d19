"""Uncertainty: over seeds and sentences, by joint draws of a matrix; over languages; a test.

Every interval here is conditional on one pre-trained encoder: fine-tuning seeds, test sentences and
languages are taken for samples, pre-training runs are not. Score frames are those of
``experiments.scores``.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

LEVEL = 0.95
DRAWS = 500  # joint bootstrap samples of a matrix
PERMUTATIONS = 1000  # of languages: no p value is below 1 / 1001
CELL = ["encoder", "train", "evaluate"]
REMEMBERED = 12  # frames: a chapter's tables, trends and claims ask for those of the same few


class Interval(NamedTuple):
    low: float = np.nan
    high: float = np.nan


class Estimate(NamedTuple):
    """A statistic with its 95% interval; both ends equal the value if its spread is not known.

    ``over`` is the interval over languages, where it was computed.
    """

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    over: Interval = Interval()


def valued(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a value; the others say in their column ``reason`` why not."""
    return frame[frame.reason == ""] if "reason" in frame else frame


def means(frame: pd.DataFrame) -> pd.Series:
    """Mean score over seeds, by (train, evaluate)."""
    return valued(frame).groupby(["train", "evaluate"], sort=False).score.mean()


def zero_shot(scores: pd.Series) -> pd.Series:
    """The pairs of different languages; scores are by (train, evaluate), as ``TABLE_1.stack()``."""
    return scores[[train != evaluate for train, evaluate in scores.index]]


def in_language(scores: pd.Series) -> pd.Series:
    """The scores on the language that was fine-tuned on, by language."""
    return scores[[train == evaluate for train, evaluate in scores.index]].droplevel("evaluate")


def percent(totals: np.ndarray) -> np.ndarray:
    """Percent from counts in the last axis: (correct, total), or (correct, predicted, gold) for F1.

    F1 of no entities, neither gold nor predicted, is 0, as conlleval has it.
    """
    totals = np.asarray(totals, float)
    correct = totals[..., 0]
    denominator = totals[..., 1] if totals.shape[-1] == 2 else totals[..., 1:].mean(-1)
    return 100 * np.divide(correct, denominator, out=np.zeros_like(correct), where=denominator > 0)


def t_interval(values) -> Interval:
    """Student's t interval of the mean over seeds; NaN ends for fewer than two values."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return Interval()
    half = scipy_stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * scipy_stats.sem(values)
    return Interval(values.mean() - half, values.mean() + half)


def percentile_interval(draws) -> Interval:
    """Of draws in the last axis."""
    return Interval(*np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=-1))


def sentence_weights(sentences: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each sentence occurs in each of ``n`` bootstrap samples, [n, sentences]."""
    if sentences < 1:
        raise ValueError("a bootstrap needs at least one sentence: the evaluation corpus is empty")
    places = rng.integers(sentences, size=(n, sentences)) + sentences * np.arange(n)[:, None]
    counted = np.bincount(places.ravel(), minlength=n * sentences)
    return counted.reshape(n, sentences).astype(np.float32)


def rank_correlation(x, y):
    """Spearman's rho of x [pairs] with y [pairs], or with every column of y [pairs, draws].

    0 where one of them is constant: what does not vary follows nothing.
    """
    x, y = scipy_stats.rankdata(x), scipy_stats.rankdata(y, axis=0)
    x, y = x - x.mean(), y - y.mean(0)
    scale = np.sqrt((x @ x) * (y * y).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale == 0, 0.0, x @ y / scale)[()]


def slope(x, y):
    """Least-squares slope of y [pairs] or of every column of y [pairs, draws] on x [pairs]."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    x = x - x.mean()
    return x @ (y - y.mean(0)) / (x @ x)


def permutation_test(
    x: pd.DataFrame, y: pd.DataFrame, statistic: Callable = rank_correlation, n: int = PERMUTATIONS
) -> float:
    """One-sided p of y rising with x over pairs of languages: permutes these (Mantel, 1967).

    x and y are square frames over the same languages; the diagonal never enters, nor do pairs for
    which x is NaN. ``statistic`` takes x [pairs] and y [pairs] or [pairs, n]. Cells of one language
    stay together, so that a matrix of L languages counts as L observations rather than L(L-1).
    Raises ValueError where y has a gap.
    """
    languages = list(x.index)
    x, y = (frame.loc[languages, languages].to_numpy(float) for frame in (x, y))
    off_diagonal = ~np.eye(len(languages), dtype=bool)
    if len(gaps := np.argwhere(np.isnan(y) & off_diagonal)):
        train, evaluate = (languages[place] for place in gaps[0])
        needs = "a permutation of languages needs every ordered pair"
        raise ValueError(f"{needs}, and there is no score for {train} to {evaluate}")
    (rows, columns), rng = np.nonzero(off_diagonal & ~np.isnan(x)), np.random.default_rng(0)
    orders = np.stack([rng.permutation(len(languages)) for _ in range(n)], axis=1)
    observed = statistic(x[rows, columns], y[rows, columns])
    as_high = sum(
        np.sum(statistic(x[rows, columns], y[some[rows], some[columns]]) >= observed - 1e-12)
        for some in np.array_split(orders, range(1000, n, 1000), axis=1)
    )
    return float((1 + as_high) / (n + 1))


def draws(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per cell of a transfer matrix and, as columns, every version of its score.

    Columns are ("mean", 0), ("seed", s) for each seed and ("draw", i) for each joint bootstrap
    sample: sentences are drawn once per evaluation corpus and seeds once per fine-tuned model, so
    that a statistic computed down the rows keeps the dependence between cells. Rows without a value
    have no part in it.
    """
    frame = valued(frame).sort_values("seed")
    runs = frame[[*CELL, "seed", "score"]]
    content = blake2b(pd.util.hash_pandas_object(runs, index=False).to_numpy())
    for counts in frame.counts:
        content.update(np.ascontiguousarray(counts))
    if (key := content.digest()) not in _drawn:
        if len(_drawn) == REMEMBERED:
            _drawn.pop(next(iter(_drawn)))
        _drawn[key] = _versions(frame)
    return _drawn[key].copy(deep=False)


_drawn: dict[bytes, pd.DataFrame] = {}


def _versions(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:  # of an edition that has no corpora yet
        return frame.set_index(CELL)[[]]
    rng = np.random.default_rng(0)
    seeds = {key: np.unique(group.seed) for key, group in frame.groupby(CELL[:2])}
    drawn = {key: rng.integers(len(some), size=(DRAWS, len(some))) for key, some in seeds.items()}
    bootstrap = {}
    for _, corpus in frame.groupby(["evaluate", frame.counts.map(len).rename("sentences")]):
        scores, seed = _resampled(corpus, rng), corpus.seed.to_numpy()
        for cell, places in corpus.groupby(CELL).indices.items():
            every = np.full((DRAWS, len(seeds[cell[:2]])), np.nan)
            every[:, np.searchsorted(seeds[cell[:2]], seed[places])] = scores[:, places]
            bootstrap[cell] = _mean_of_drawn(every, drawn[cell[:2]])
    cells = pd.MultiIndex.from_tuples(bootstrap, names=CELL)
    by_seed = frame.pivot_table(index=CELL, columns="seed", values="score")
    samples = pd.DataFrame(np.stack(list(bootstrap.values())), cells).reindex(by_seed.index)
    parts = {"mean": by_seed.mean(axis=1).to_frame(0), "seed": by_seed, "draw": samples}
    return pd.concat(parts, axis=1)


def _resampled(corpus: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Scores [DRAWS, runs] on one evaluation corpus, all on the same resampled sentences."""
    counts = np.stack(list(corpus.counts)).astype(np.float32)
    runs, sentences, columns = counts.shape
    weights = sentence_weights(sentences, DRAWS, rng)
    flat = counts.transpose(1, 0, 2).reshape(sentences, runs * columns)
    return percent((weights @ flat).reshape(DRAWS, runs, columns))


def _mean_of_drawn(scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Mean score [DRAWS] over the drawn seeds that a cell has; over all it has if it has none.

    ``scores`` is [DRAWS, seeds of the model], NaN where the cell lacks one; ``drawn`` its columns.
    """
    chosen = np.take_along_axis(scores, drawn, 1)
    none = np.isnan(chosen).all(1)
    chosen[none, 0] = np.nanmean(scores[none], axis=1)
    return np.nanmean(chosen, axis=1)


def every_version(scores: pd.DataFrame, statistic: Callable) -> pd.Series | pd.DataFrame:
    """A statistic of pairs in every version of their scores, and without each of their languages.

    ``statistic`` takes rows of the form of ``draws`` and returns a value a column, or rows of them.
    Added are the columns ("without", language): that of the mean scores when a language's row and
    column are gone. ``scores`` should hold no pair that the statistic does not look at.
    """
    train, evaluate = (scores.index.get_level_values(side).to_numpy() for side in CELL[1:])
    whole, mean, codes = statistic(scores), scores[["mean"]], dict.fromkeys([*train, *evaluate])
    left = [statistic(mean[(train != code) & (evaluate != code)]) for code in codes]
    if not codes:
        return whole
    axis, names = whole.ndim - 1, pd.MultiIndex.from_product([["without"], codes])
    without = pd.concat(left, axis=axis, ignore_index=True).set_axis(names, axis=axis)
    return pd.concat([whole, without], axis=axis)


def over_languages(versions: pd.Series) -> Interval:
    """Interval of a statistic when its languages are a sample of languages: delete-one jackknife.

    A language takes its row and its column along, so that the pairs' dependence is in it. Where
    languages differ as such, it covers what it promises from a dozen of them on; where all that
    differs is pairs, it is too wide, by a factor of up to 1.5. (A bootstrap of languages, Owen
    2007, has no score for one drawn twice.) ``versions`` is ``every_version``'s; NaN ends for
    others, or if it is not known without some language. A correlation's (by the series' name) is
    computed on Fisher's scale, so that it ends before 1.
    """
    left = versions["without"].to_numpy() if "without" in versions else np.empty(0)
    value, correlation = versions["mean"].iloc[0], versions.name == rank_correlation.__name__
    if (n := len(left)) < 3:
        return Interval()
    if correlation:
        value, left = (np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9)) for r in (value, left))
    error = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    half = scipy_stats.t.ppf((1 + LEVEL) / 2, n - 1) * error
    ends = value - half, value + half
    return Interval(*map(float, np.tanh(ends) if correlation else ends))


def estimate(versions: pd.Series) -> Estimate:
    """A statistic's value, the hull of its t interval over seeds and its bootstrap interval, and
    its interval over languages.

    ``versions``: a statistic of the columns of ``draws``, or ``every_version`` of it; with neither
    seeds nor draws (a published number) both ends equal the value.
    """
    ends = [value := float(versions["mean"].iloc[0])]
    if "seed" in versions:
        ends += [end for end in t_interval(versions["seed"].dropna()) if not np.isnan(end)]
    if "draw" in versions and versions["draw"].notna().all():
        ends += percentile_interval(versions["draw"])
    return Estimate(value, min(ends), max(ends), over_languages(versions))
