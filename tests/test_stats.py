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


def drawn(*frames, n=500):
    """The joint bootstrap's versions [cells, draws] of frames below each other."""
    return stats.draws(pd.concat(frames), n=n)["draw"]


def test_draws_are_wider_than_sentences_alone_when_seeds_disagree():
    [cell] = cells = [("m", "a", "b")]
    apart = pd.concat([frame({cell: accuracy}, seeds=[seed]) for seed, accuracy in [(1, 0.5), (2, 0.8), (3, 0.5)]])
    low, high = stats.percentile_interval(drawn(apart).loc[cells].squeeze())
    alone = stats.bootstrap_interval("pos", apart.counts.iloc[0])
    assert high - low > 1.5 * (alone.high - alone.low)


def test_draws_see_a_small_gain_on_many_sentences_that_separate_intervals_hide():
    worse = frame({("m", "a", "b"): 0.6}, seeds=[1], sentences=200)
    gain = np.array([[1, 0] if i % 10 == 0 else [0, 0] for i in range(200)])
    better = worse.assign(encoder="n", counts=[np.minimum(worse.counts[0] + gain, 10)])
    versions = drawn(worse, better)
    assert stats.percentile_interval(versions.loc["n"].squeeze() - versions.loc["m"].squeeze()).low > 0
    assert stats.percentile_interval(versions.loc["n"]).low < stats.percentile_interval(versions.loc["m"]).high


def bootstrap_by_position(runs, n, seed):
    """The joint bootstrap as it was for matrices without gaps: draws are of places among a cell's runs."""
    rng, rows = np.random.default_rng(seed), {}
    chooser = {key: rng.integers(group.seed.nunique(), size=(n, group.seed.nunique()))
               for key, group in runs.groupby(["encoder", "train"])}  # fmt: skip
    for _, corpus in runs.groupby("evaluate"):
        weights = stats.sentence_weights(len(corpus.counts.iloc[0]), n, rng)
        scores = np.stack([stats.percent(weights @ counts.astype(np.float32)) for counts in corpus.counts], axis=1)
        for cell, positions in corpus.groupby(stats.CELL).indices.items():
            rows[cell] = np.take_along_axis(scores[:, positions], chooser[cell[:2]], 1).mean(1)
    return pd.DataFrame.from_dict(rows, orient="index")


def test_draws_of_a_matrix_without_gaps_are_what_they_were():
    runs = frame({(e, a, b): 0.5 for e in "mn" for a in "abc" for b in "abc"})
    runs = runs[(runs.train != "c") | (runs.seed == 1)]  # fewer seeds of a whole model are no gap
    before = bootstrap_by_position(runs.sort_values("seed"), 40, 0)
    assert (drawn(runs, n=40).loc[list(before.index)].to_numpy() == before.to_numpy()).all()


def test_a_cell_that_lacks_a_seed_has_the_others_scores_in_the_same_draws():
    def certain(evaluate, scores):
        """Runs of one model without spread over sentences, so that a draw's score is that of the seeds drawn."""
        rows = [dict(encoder="m", train="a", evaluate=evaluate, seed=seed, counts=np.array([[score, 10]] * 4), score=10.0 * score)
                for seed, score in scores.items()]  # fmt: skip
        return pd.DataFrame(rows)

    versions = drawn(certain("b", {1: 0, 2: 4, 7: 9}), certain("c", {2: 4, 7: 9}), n=3000)
    whole, gap = versions.loc[("m", "a", "b")], versions.loc[("m", "a", "c")]
    assert set(gap[whole == 90]) == {90} and set(gap[whole == 40]) == {40}
    assert set(gap[whole == 0]) == {65}  # none but the one it lacks was drawn: its plain mean
    assert whole.mean() == pytest.approx(130 / 3, abs=1.5) and gap.mean() == pytest.approx(65, abs=1.5)


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
