import numpy as np
import pandas as pd
import pytest
from crosslingual import stats
from crosslingual.models import score
from crosslingual.stats import CELL
from fabricated import scores
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

COUNTS = st.tuples(st.integers(0, 5), st.integers(5, 9), st.integers(5, 9))

SIZES = [("m-bert", 50), ("en-bert", 20)]


def test_percent_is_accuracy_for_two_counts_and_f1_for_three():
    assert stats.percent([3, 4]) == 75
    precision, recall = 6 / 8, 6 / 12
    by_hand = 100 * 2 * precision * recall / (precision + recall)
    assert stats.percent([6, 8, 12]) == pytest.approx(by_hand)
    assert stats.percent([0, 0, 0]) == 0


@given(st.lists(COUNTS, min_size=1, max_size=9))
def test_percent_agrees_with_the_scorer(rows):
    for counts in (np.array(rows), np.array(rows)[:, :2]):
        assert stats.percent(counts.sum(0)) == pytest.approx(score.percent(counts))


def test_t_interval_by_hand():
    half = 4.3027 * 2 / 3**0.5  # sd 2, standard error 2 / sqrt 3, t = 4.3027
    assert stats.t_interval([80, 82, 84]) == pytest.approx((82 - half, 82 + half), abs=1e-3)
    assert np.isnan(stats.t_interval([80])).all()


def test_resampled_sentences_agree_with_the_normal_approximation():
    counts = np.stack([np.arange(400) % 2, np.ones(400, int)], axis=1)
    weights = stats.sentence_weights(400, 1000, np.random.default_rng(0))
    assert (weights.sum(1) == 400).all()
    low, high = stats.percentile_interval(stats.percent(weights @ counts))
    assert (high - low) / 2 == pytest.approx(1.96 * 100 * (0.25 / 400) ** 0.5, rel=0.1)
    assert low < 50 < high
    with pytest.raises(ValueError, match="the evaluation corpus is empty"):
        stats.sentence_weights(0, 1, np.random.default_rng(0))


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
    y = np.array([1, 3, 2, 5, 4.0])
    both = np.stack([y, -2 * y], axis=1)
    assert stats.slope(np.arange(5.0), both) == pytest.approx([0.8, -1.6])
    assert stats.rank_correlation(np.arange(5.0), both) == pytest.approx([0.8, -0.8])


def square(function, codes):
    return pd.DataFrame([[float(function(a, b)) for b in codes] for a in codes], codes, codes)


def one_by_one(x, y, statistic, n):
    """The permutation test as its definition reads."""
    x, y, rng = x.to_numpy(), y.to_numpy(), np.random.default_rng(0)
    used = ~np.eye(len(x), dtype=bool) & ~np.isnan(x)
    observed = statistic(x[used], y[used])
    orders = [rng.permutation(len(x)) for _ in range(n)]
    permuted = np.array([statistic(x[used], y[np.ix_(order, order)][used]) for order in orders])
    return (1 + np.sum(permuted >= observed - 1e-12)) / (n + 1)


@pytest.mark.parametrize("statistic", [stats.rank_correlation, stats.slope])
def test_permuting_arrays_is_permuting_languages_one_by_one(statistic):
    rng, codes = np.random.default_rng(3), list(range(8))
    x = square(lambda a, b: abs(a - b) % 4, codes)
    y = pd.DataFrame(rng.normal(size=x.shape), codes, codes) + 0.3 * x
    x.loc[1, 5] = x.loc[6, 2] = np.nan  # pairs without a likeness: their scores move in and out
    found = stats.permutation_test(x, y, statistic, n=1200)  # more than are held at once
    assert found == pytest.approx(one_by_one(x, y, statistic, 1200), rel=1e-12)


def test_the_diagonal_has_no_part_in_a_permutation_test():
    codes = list(range(9))
    distance = square(lambda a, b: -abs(a - b), codes)
    noisy = distance + np.random.default_rng(0).normal(0, 1, distance.shape)
    result = stats.permutation_test(distance, noisy)
    assert result < 0.01
    spoiled = noisy.mask(np.eye(len(codes), dtype=bool))
    assert stats.permutation_test(distance, spoiled) == result


def test_permutation_counts_languages_not_pairs():
    """One odd language makes 14 of 56 pairs low; a test on pairs is impressed, this one is not."""
    codes = list("abcdefgh")
    odd = square(lambda a, b: -("a" in (a, b)), codes)
    noisy = odd + square(lambda a, b: 0.01 * (ord(a) * 7 % 5 + ord(b) * 3 % 4), codes)
    off = ~np.eye(len(codes), dtype=bool)
    assert scipy_stats.spearmanr(odd.values[off], noisy.values[off]).pvalue < 1e-6
    assert stats.permutation_test(odd, noisy, n=2000) == pytest.approx(1 / 8, abs=0.03)


def test_permutation_needs_every_pair_and_names_the_one_that_lacks():
    x = square(lambda a, b: len(a + b), ["en", "de", "ja"])
    y = x.copy()
    y.loc["de", "ja"] = np.nan
    with pytest.raises(ValueError, match="no score for de to ja"):
        stats.permutation_test(x, y)


def one(accuracy, encoder="m", seeds=(1, 2, 3), evaluate="b", **more):
    return scores(lambda a, b: accuracy, ["a"], [evaluate], encoder, seeds=seeds, **more)


def drawn(*frames):
    """The joint bootstrap's versions [cells, draws] of frames below each other."""
    return stats.draws(pd.concat(frames))["draw"]


def test_the_mean_of_draws_is_over_seeds():
    runs = pd.concat([one(0.5), one(0.9, evaluate="a")])
    versions, cell = stats.draws(runs), runs[runs.evaluate == "b"].score
    assert versions.loc[("m", "a", "b"), ("mean", 0)] == pytest.approx(cell.mean())
    assert list(versions.loc[("m", "a", "b"), "seed"]) == pytest.approx(list(cell))
    assert versions["draw"].loc[("m", "a", "b")].mean() == pytest.approx(cell.mean(), abs=1)


def test_draws_see_a_small_gain_on_many_sentences_that_separate_intervals_hide():
    worse = one(0.6, seeds=[1], sentences=200)
    gain = np.array([[2, 0] if i % 10 == 0 else [0, 0] for i in range(200)])
    better = worse.assign(encoder="n", counts=[np.minimum(worse.counts[0] + gain, 20)])
    versions = drawn(worse, better)
    ours, theirs = versions.loc["n"].squeeze(), versions.loc["m"].squeeze()
    assert stats.percentile_interval(ours - theirs).low > 0
    assert stats.percentile_interval(ours).low < stats.percentile_interval(theirs).high


def by_definition(runs):
    """The joint bootstrap of a matrix without gaps, cell by cell."""
    rng, rows, n = np.random.default_rng(0), {}, stats.DRAWS
    models = runs.groupby(["encoder", "train"]).seed.nunique()
    chosen = {key: rng.integers(count, size=(n, count)) for key, count in models.items()}
    for _, corpus in runs.groupby("evaluate"):
        weights = stats.sentence_weights(len(corpus.counts.iloc[0]), n, rng)
        for cell, own in corpus.groupby(CELL):
            found = [stats.percent(weights @ c.astype(np.float32)) for c in own.counts]
            rows[cell] = np.take_along_axis(np.stack(found, 1), chosen[cell[:2]], 1).mean(1)
    return pd.DataFrame.from_dict(rows, orient="index")


def test_draws_of_a_matrix_without_gaps_are_those_of_the_definition():
    frames = [scores(lambda a, b: 0.5, list("abc"), encoder=encoder) for encoder in "mn"]
    runs = pd.concat(frames).query("train != 'c' or seed == 1")  # fewer seeds of a model: no gap
    expected = by_definition(runs.sort_values("seed"))
    assert (drawn(runs).loc[list(expected.index)].to_numpy() == expected.to_numpy()).all()


def test_equal_frames_are_drawn_once_and_changed_ones_again(monkeypatch):
    made, runs = [], one(0.41)
    versions = stats._versions
    monkeypatch.setattr(stats, "_versions", lambda frame: made.append(1) or versions(frame))
    first = stats.draws(runs)
    first.iloc[:] = 0  # who changes what was drawn changes nothing for the next
    assert (stats.draws(runs.copy()) != 0).all(axis=None) and len(made) == 1
    for changed in (runs.assign(train="x"), runs.assign(counts=[c[::-1] for c in runs.counts])):
        stats.draws(changed)
    assert len(made) == 3


def certain(evaluate, found):
    """Runs without spread over sentences, so that a draw's score is that of the seeds drawn."""
    rows = [
        {"encoder": "m", "train": "a", "evaluate": evaluate, "seed": seed, "score": 10.0 * score}
        | {"counts": np.array([[score, 10]] * 4)}
        for seed, score in found.items()
    ]
    return pd.DataFrame(rows)


def test_a_cell_that_lacks_a_seed_has_the_others_scores_in_the_same_draws():
    versions = drawn(certain("b", {1: 0, 2: 4, 7: 9}), certain("c", {2: 4, 7: 9}))
    whole, gap = versions.loc[("m", "a", "b")], versions.loc[("m", "a", "c")]
    assert set(gap[whole == 90]) == {90} and set(gap[whole == 40]) == {40}
    assert set(gap[whole == 0]) == {65}  # none but the one it lacks was drawn: its plain mean


def test_runs_on_other_sentences_of_one_language_are_resampled_apart():
    """As where a corpus of one's own stands beside recorded results on the published one."""
    told = [scores(lambda a, b: 0.8, ["en"], ["de"], encoder=e, sentences=n) for e, n in SIZES]
    both = stats.draws(pd.concat(told))
    assert list(both.index.get_level_values("encoder")) == ["en-bert", "m-bert"]
    assert both["draw"].notna().all(axis=None)


def test_rows_without_a_value_enter_no_statistic():
    runs = scores(lambda a, b: np.nan if b == "c" else 0.5, list("ab"), list("abc"))
    known = runs[runs.evaluate != "c"]
    assert stats.draws(runs).equals(stats.draws(known))
    assert stats.means(runs).equals(stats.means(known)) and len(stats.valued(runs)) == len(known)


def test_means_tell_pairs_of_two_languages_from_those_of_one():
    cells = {("a", "a"): 1.0, ("a", "b"): 0.2, ("b", "a"): 0.8, ("b", "b"): 1.0}
    means = stats.means(scores(lambda a, b: cells[a, b], list("ab")))
    assert list(stats.in_language(means).index) == ["a", "b"]
    assert list(stats.zero_shot(means).index) == [("a", "b"), ("b", "a")]


def test_estimate_without_spread_is_a_point():
    point = stats.estimate(pd.Series({("mean", 0): 3.0}))
    assert point[:3] == (3, 3, 3) and np.isnan(point.over).all()


def matrix(rng, n, easy, noise=3.0):
    """Scores of languages that differ as sources and targets; some are of a first group."""
    pairs = pd.MultiIndex.from_product([["m"], range(n), range(n)], names=CELL)
    y = easy * (rng.normal(size=(n, 1)) + rng.normal(size=n)) + rng.normal(0, noise, (n, n))
    scores = pd.DataFrame({("mean", 0): y.ravel()}, pairs)
    return scores[[a != b for _, a, b in pairs]]


@pytest.mark.parametrize("easy, least, most", [(8.0, 0.90, 0.99), (0.0, 0.97, 1.0)])
def test_the_interval_over_languages_covers_what_it_promises(easy, least, most):
    """A mean of a matrix with effects of rows and columns, and, too wide, of one without."""
    rng, covered, pairs = np.random.default_rng(5), [], []
    for _ in range(200):
        scores = matrix(rng, 12, easy)
        low, high = stats.over_languages(stats.every_version(scores, pd.DataFrame.mean))
        covered.append(low < 0 < high)
        pairs.append(np.prod(stats.t_interval(scores["mean"][0])) < 0)
    assert least <= np.mean(covered) <= most
    assert np.mean(pairs) < 0.6 or not easy  # which takes the pairs for independent


def test_the_jackknife_by_hand_leaves_out_rows_with_columns():
    """Pairs of a, b, c: without one of them two remain. t of 2 degrees of freedom is 4.3027."""
    index = pd.MultiIndex.from_tuples([("m", a, b) for a in "abc" for b in "abc" if a != b])
    scores = pd.DataFrame({("mean", 0): [1.0, 2, 3, 5, 6, 7]}, index.set_names(CELL))
    versions = stats.every_version(scores, pd.DataFrame.mean)
    assert versions["without"].to_dict() == {"a": 6.0, "b": 4.0, "c": 2.0}
    half = 4.3027 * (2 / 3 * (2**2 + 0 + 2**2)) ** 0.5
    assert stats.over_languages(versions) == pytest.approx((4 - half, 4 + half), abs=1e-3)
    assert stats.estimate(versions).over == stats.over_languages(versions)
    two = versions.drop([("without", "b")])
    assert np.isnan(stats.over_languages(two)).all()  # too few languages


def test_an_interval_of_a_correlation_ends_before_one():
    left = {("without", code): rho for code, rho in zip("abcd", [0.7, 0.9, 0.95, 0.8])}
    versions = pd.Series({("mean", 0): 0.9} | left)
    assert stats.over_languages(versions).high > 1
    assert stats.over_languages(versions.rename("rank_correlation")).high < 1


def test_a_seed_that_some_pair_lacks_has_no_average():
    often = scores(lambda a, b: 0.9, ["en"], ["de"])
    runs = pd.concat([often, scores(lambda a, b: 0.3, ["ja"], ["de"], seeds=[1])])
    means = stats.draws(runs).mean(skipna=False)
    assert means["seed"].notna().tolist() == [True, False, False]
    assert stats.estimate(means).high < 70  # seeds 2 and 3 of 90% have no part in it
