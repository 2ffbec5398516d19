"""Uncertainty: intervals over seeds and sentences, joint draws of whole matrices, and tests for data that come as a matrix.

Every interval here is conditional on one pre-trained encoder: fine-tuning seeds and test sentences are
resampled, pre-training runs are not.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

LEVEL = 0.95
CELL = ["encoder", "train", "evaluate"]


class Interval(NamedTuple):
    low: float
    high: float


class Estimate(NamedTuple):
    """A statistic with its 95% interval; both ends equal the value where its spread is not known."""

    value: float
    low: float
    high: float


class Permutation(NamedTuple):
    statistic: float
    p: float


def percent(totals: np.ndarray) -> np.ndarray:
    """Score in percent from counts in the last axis: (correct, total), or (correct, predicted, gold) for F1.

    F1 of no entities, neither gold nor predicted, is 0, as conlleval has it. Accuracy of no words would be too, but no sample
    of sentences is without words (`scoring.value` has no accuracy there).
    """
    totals = np.asarray(totals, float)
    correct = totals[..., 0]
    denominator = totals[..., 1] if totals.shape[-1] == 2 else totals[..., 1:].mean(-1)
    return 100 * np.divide(correct, denominator, out=np.zeros_like(correct), where=denominator > 0)


def t_interval(values, level: float = LEVEL) -> Interval:
    """Student's t interval of the mean over seeds; NaN ends for fewer than two values."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return Interval(np.nan, np.nan)
    half = scipy_stats.t.ppf((1 + level) / 2, len(values) - 1) * scipy_stats.sem(values)
    return Interval(values.mean() - half, values.mean() + half)


def percentile_interval(draws, level: float = LEVEL) -> Interval:
    return Interval(*np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))


def sentence_weights(sentences: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each sentence occurs in each of ``n`` bootstrap samples: [n, sentences]."""
    if sentences < 1:
        raise ValueError("a bootstrap needs at least one sentence: the evaluation corpus is empty")
    return rng.multinomial(sentences, np.full(sentences, 1 / sentences), size=n).astype(np.float32)


def bootstrap_interval(task: str, counts, n: int = 1000, seed: int = 0) -> Interval:
    """Interval of a score when test sentences are resampled.

    ``counts`` is [sentences, 2 or 3] of one run, or [seeds, sentences, 2 or 3] for the mean over runs. Raises
    ValueError where the counts do not fit the task (NER needs three columns, tagging two).
    """
    counts = np.asarray(counts)
    check_counts(task, counts)
    weights = sentence_weights(counts.shape[-2], n, np.random.default_rng(seed))
    runs = counts if counts.ndim == 3 else counts[None]
    return percentile_interval(np.mean([percent(weights @ run) for run in runs], axis=0))


def check_counts(task: str, counts: np.ndarray) -> None:
    columns = 3 if task == "ner" else 2
    if counts.ndim not in (2, 3) or counts.shape[-1] != columns:
        raise ValueError(f"counts of task {task!r} must be [sentences, {columns}], not {list(counts.shape)}")


def rank_correlation(x, y):
    """Spearman's rho of x [pairs] with y [pairs], or with every column of y [pairs, draws].

    0 where one of them is constant: what does not vary follows nothing.
    """
    x, y = scipy_stats.rankdata(x), scipy_stats.rankdata(y, axis=0)
    return _correlation(x, y)


def _correlation(x: np.ndarray, y: np.ndarray):
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
    x: pd.DataFrame, y: pd.DataFrame, statistic=rank_correlation, n: int = 1000, seed: int = 0
):
    """Does y rise with x over ordered language pairs? Permutes languages, rows and columns together (Mantel).

    x and y are square frames over the same languages; the diagonal (same-language pairs) never enters, nor do
    pairs for which x is NaN. The p value is one-sided. Cells of one language stay together under permutation,
    so that a matrix of L languages counts as L observations rather than L(L-1). Raises ValueError where y has
    a gap.
    """
    languages = list(x.index)
    x, y = x.loc[languages, languages].to_numpy(float), y.loc[languages, languages].to_numpy(float)
    off_diagonal = ~np.eye(len(languages), dtype=bool)
    if np.isnan(y[off_diagonal]).any():
        raise ValueError(
            "a permutation of languages needs a score for every ordered pair: fill the missing cells"
        )
    used, rng = off_diagonal & ~np.isnan(x), np.random.default_rng(seed)
    observed = statistic(x[used], y[used])
    permuted = [
        statistic(x[used], y[np.ix_(order, order)][used]) for order in _orders(len(languages), n, rng)
    ]
    return Permutation(
        float(observed), float((1 + np.sum(np.asarray(permuted) >= observed - 1e-12)) / (n + 1))
    )


def _orders(languages: int, n: int, rng: np.random.Generator):
    return (rng.permutation(languages) for _ in range(n))


def draws(frame: pd.DataFrame, n: int = 500, seed: int = 0) -> pd.DataFrame:
    """One row per cell of a transfer matrix and, as columns, every version of its score.

    ``frame`` is what ``transfer.matrix`` returns. Columns are ("mean", 0), ("seed", s) for each seed and
    ("draw", i) for each joint bootstrap sample: sentences are drawn once per evaluation corpus and seeds once
    per fine-tuned model, so that any statistic computed down the rows keeps the dependence between cells.
    """
    frame = frame.sort_values("seed")
    seeds = frame.pivot_table(index=CELL, columns="seed", values="score")
    bootstrap = _bootstrap_scores(frame, n, seed).reindex(seeds.index)
    mean = seeds.mean(axis=1).to_frame(0)
    return pd.concat({"mean": mean, "seed": seeds, "draw": bootstrap}, axis=1)


def _bootstrap_scores(frame: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    rng, rows = np.random.default_rng(seed), {}
    seeds = {key: np.unique(group.seed) for key, group in frame.groupby(["encoder", "train"])}
    drawn = {key: rng.integers(len(some), size=(n, len(some))) for key, some in seeds.items()}
    for _, corpus in frame.groupby("evaluate"):
        scores = _resampled_corpus(corpus, n, rng)
        for cell, positions in corpus.groupby(CELL).indices.items():
            every = np.full((n, len(seeds[cell[:2]])), np.nan)
            every[:, np.searchsorted(seeds[cell[:2]], corpus.seed.iloc[positions])] = scores[:, positions]
            rows[cell] = _mean_of_drawn(every, drawn[cell[:2]])
    return pd.DataFrame.from_dict(rows, orient="index").set_axis(pd.MultiIndex.from_tuples(rows, names=CELL))


def _mean_of_drawn(scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Mean score [n] over the drawn seeds that a cell has, over all that it has where it has none of those drawn.

    ``scores`` is [n, seeds of the fine-tuned model], NaN for seeds that the cell lacks; ``drawn`` indexes its columns.
    """
    chosen = np.take_along_axis(scores, drawn, 1)
    none = np.isnan(chosen).all(1)
    chosen[none, 0] = np.nanmean(scores[none], axis=1)
    return np.nanmean(chosen, axis=1)


def _resampled_corpus(corpus: pd.DataFrame, n: int, rng: np.random.Generator) -> np.ndarray:
    """Scores [n, runs] of every run on one evaluation corpus, all on the same resampled sentences."""
    counts = np.stack(list(corpus.counts)).astype(np.float32)
    runs, sentences, columns = counts.shape
    weights = sentence_weights(sentences, n, rng)
    flat = counts.transpose(1, 0, 2).reshape(sentences, runs * columns)
    return percent((weights @ flat).reshape(n, runs, columns))


def estimate(versions: pd.Series) -> Estimate:
    """A statistic's value and the hull of its t interval over seeds and its bootstrap interval.

    ``versions`` is a statistic of ``draws`` columns: one number for "mean", each "seed" and each "draw". With
    a single seed only the bootstrap counts; with neither (a published number) both ends equal the value.
    """
    value = float(versions["mean"].iloc[0])
    ends = [value]
    if "seed" in versions:
        ends += [end for end in t_interval(versions["seed"]) if not np.isnan(end)]
    if "draw" in versions and versions["draw"].notna().all():
        ends += percentile_interval(versions["draw"])
    return Estimate(value, min(ends), max(ends))


def macro_average(frame: pd.DataFrame, n: int = 500, seed: int = 0) -> Estimate:
    """Unweighted mean over the ordered pairs of two different languages in a transfer matrix; NaN if it has none."""
    pairs = frame[frame.train != frame.evaluate]
    if pairs.empty:
        return Estimate(np.nan, np.nan, np.nan)
    return estimate(draws(pairs, n, seed).mean(skipna=False))
