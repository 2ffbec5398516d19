import numpy as np
import pandas as pd
import pytest
from crosslingual import scoring, stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats


def frame(cells, sentences=50, seeds=(1, 2, 3), seed=0):
    """A small transfer matrix with random tagging counts around the given accuracies."""
    rng, rows = np.random.default_rng(seed), []
    for (encoder, train, evaluate), accuracy in cells.items():
        for run in seeds:
            counts = np.stack([rng.binomial(10, accuracy, sentences), np.full(sentences, 10)], axis=1)
            rows.append(dict(encoder=encoder, train=train, evaluate=evaluate, seed=run, counts=counts,
                             score=float(stats.percent(counts.sum(0)))))  # fmt: skip
    return pd.DataFrame(rows)


def test_percent_is_accuracy_for_two_counts_and_f1_for_three():
    assert stats.percent([3, 4]) == 75
    precision, recall = 6 / 8, 6 / 12
    assert stats.percent([6, 8, 12]) == pytest.approx(100 * 2 * precision * recall / (precision + recall))
    assert stats.percent([0, 0, 0]) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(5, 9), st.integers(5, 9)), min_size=1, max_size=9))
def test_percent_agrees_with_the_scorer(rows):
    ner = np.array(rows)
    assert stats.percent(ner.sum(0)) == pytest.approx(scoring.value("ner", ner))
    assert stats.percent(ner[:, :2].sum(0)) == pytest.approx(scoring.value("pos", ner[:, :2]))


def test_t_interval_by_hand():
    low, high = stats.t_interval([80, 82, 84])  # sd 2, standard error 2 / sqrt 3, t = 4.3027
    assert (low, high) == pytest.approx((82 - 4.3027 * 2 / 3**0.5, 82 + 4.3027 * 2 / 3**0.5), abs=1e-3)
    assert np.isnan(stats.t_interval([80])).all()


def test_bootstrap_interval_agrees_with_the_normal_approximation():
    counts = np.stack([np.arange(400) % 2, np.ones(400, int)], axis=1)
    low, high = stats.bootstrap_interval("pos", counts)
    assert (high - low) / 2 == pytest.approx(1.96 * 100 * (0.25 / 400) ** 0.5, rel=0.1)
    assert low < 50 < high


def test_bootstrap_interval_refuses_counts_of_the_other_task():
    with pytest.raises(ValueError, match=r"must be \[sentences, 3\]"):
        stats.bootstrap_interval("ner", np.ones((5, 2)))
    with pytest.raises(ValueError, match="empty"):
        stats.bootstrap_interval("pos", np.ones((0, 2)))


def test_hierarchical_bootstrap_is_wider_than_sentences_alone_when_seeds_disagree():
    runs = frame({("m", "a", "b"): 0.5}, seeds=[1]).counts[0]
    better = np.minimum(runs + [3, 0], 10)
    counts = np.stack([runs, better, runs])
    hierarchical = stats.hierarchical_bootstrap(counts)
    alone = stats.bootstrap_interval("pos", counts[0])
    assert hierarchical.high - hierarchical.low > 1.5 * (alone.high - alone.low)


def test_paired_bootstrap_sees_a_small_gain_on_every_sentence_that_intervals_hide():
    b = frame({("m", "a", "b"): 0.6}, seeds=[1], sentences=200).counts[0]
    a = b.copy()
    a[::10, 0] = np.minimum(a[::10, 0] + 1, 10)
    result = stats.paired_bootstrap(a, b)
    assert result.low > 0 and result.p < 0.01
    assert stats.bootstrap_interval("pos", a).low < stats.bootstrap_interval("pos", b).high
    assert stats.paired_bootstrap(b, b) == (0, 0, 0, 1)
    with pytest.raises(ValueError, match="same sentences"):
        stats.paired_bootstrap(a[1:], b)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_rank_correlation_is_scipys(pairs):
    x, y = np.array(pairs, float).T
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert stats.rank_correlation(x, y) == pytest.approx(scipy_stats.spearmanr(x, y).statistic)


def test_what_is_constant_correlates_with_nothing():
    varied = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    assert stats.rank_correlation([1, 2, 3], varied).tolist() == [1, 0]
    assert np.isnan(stats.rank_correlation([1, 2, 3], [1, np.nan, 3]))


def test_slope_and_rank_correlation_take_many_versions_at_once():
    x, y = np.arange(5.0), np.array([1, 3, 2, 5, 4.0])
    both = np.stack([y, -2 * y], axis=1)
    assert stats.slope(x, both) == pytest.approx([np.polyfit(x, y, 1)[0], -2 * np.polyfit(x, y, 1)[0]])
    assert stats.rank_correlation(x, both) == pytest.approx([0.8, -0.8])


def square(function, codes):
    return pd.DataFrame([[float(function(a, b)) for b in codes] for a in codes], codes, codes)


def test_permutation_test_finds_a_trend_and_ignores_the_diagonal():
    codes = list(range(9))
    distance = square(lambda a, b: -abs(a - b), codes)
    scores = distance + np.random.default_rng(0).normal(0, 1, distance.shape)
    result = stats.permutation_test(distance, scores)
    assert result.p < 0.01
    spoiled = scores.copy()
    for code in codes:
        spoiled.loc[code, code] = np.nan
    assert stats.permutation_test(distance, spoiled) == result


def test_permutation_counts_languages_not_pairs():
    """One odd language makes 14 of 56 pairs low; a test on pairs is impressed, one on languages is not."""
    codes = list("abcdefgh")
    odd = square(lambda a, b: -("a" in (a, b)), codes)
    noise = square(lambda a, b: 0.01 * (ord(a) * 7 % 5 + ord(b) * 3 % 4), codes)
    result = stats.permutation_test(odd, odd + noise, n=2000)
    off = ~np.eye(len(codes), dtype=bool)
    naive = scipy_stats.spearmanr(odd.values[off], (odd + noise).values[off]).pvalue
    assert naive < 1e-6 and result.p == pytest.approx(1 / 8, abs=0.03)


def test_permutation_needs_every_pair():
    x = square(lambda a, b: a + b, range(4))
    y = x.copy()
    y.loc[0, 1] = np.nan
    with pytest.raises(ValueError, match="missing cells"):
        stats.permutation_test(x, y)


def test_draws_resample_sentences_once_per_corpus():
    """Two encoders with equal counts on one corpus must get equal draws."""
    runs = frame({("m", "a", "b"): 0.5}, seeds=[1])
    both = pd.concat([runs, runs.assign(encoder="n")])
    versions = stats.draws(both, n=20)
    assert (versions.loc[("m", "a", "b"), "draw"] == versions.loc[("n", "a", "b"), "draw"]).all()
    assert versions.loc[("m", "a", "b"), ("mean", 0)] == runs.score[0]


def test_draws_mean_is_over_seeds():
    runs = frame({("m", "a", "b"): 0.5, ("m", "b", "a"): 0.9})
    versions = stats.draws(runs, n=200)
    cell = runs[runs.evaluate == "b"].score
    assert versions.loc[("m", "a", "b"), ("mean", 0)] == pytest.approx(cell.mean())
    assert list(versions.loc[("m", "a", "b"), "seed"]) == pytest.approx(list(cell))
    assert versions["draw"].loc[("m", "a", "b")].mean() == pytest.approx(cell.mean(), abs=1)


def test_macro_average_weighs_pairs_equally_and_leaves_out_the_diagonal():
    runs = frame({("m", "a", "a"): 1.0, ("m", "a", "b"): 0.2, ("m", "b", "a"): 0.8})
    pairs = runs[runs.train != runs.evaluate].groupby(["train", "evaluate"]).score.mean()
    estimate = stats.macro_average(runs, n=100)
    assert estimate.value == pytest.approx(pairs.mean())
    assert estimate.low < estimate.value < estimate.high
    assert np.isnan(stats.macro_average(runs[runs.train == runs.evaluate]).value)


def test_estimate_without_spread_is_a_point():
    assert stats.estimate(pd.Series({("mean", 0): 3.0})) == (3, 3, 3)


def test_a_seed_that_some_pair_lacks_has_no_average():
    often, once = frame({("m", "en", "de"): 0.9}), frame({("m", "ja", "de"): 0.3}, seeds=[1])
    means = stats.draws(pd.concat([often, once])).mean(skipna=False)
    assert means["seed"].notna().tolist() == [True, False, False]
    assert stats.macro_average(pd.concat([often, once])).high < 70  # seeds 2 and 3 of 90% have no part in it
