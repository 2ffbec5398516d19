import numpy as np
import pytest
from crosslingual import languages, trends, typology
from fabricated import matrix

CODES = ["en", "de", "es", "ru", "hi", "ja", "tr", "id"]


def by_order(a, b):
    return 0.1 + 0.14 * typology.common_features(a, b)


@pytest.fixture(scope="module")
def ordered():
    return matrix(by_order, CODES, seeds=[1], sentences=200)


def test_a_trend_with_word_order_is_found_by_both_tests(ordered):
    trend = trends.typological(ordered, "m-bert", n=200)
    assert trend.correlation.low > 0.8 and trend.pairs == sum(
        typology.common_features(a, b) > 0 for a in CODES for b in CODES if a != b
    )
    assert trend.p_languages < 0.05 and trend.p_pairs < 0.05


def test_subsets_keep_the_pairs_they_name(ordered):
    unrelated = trends.typological(ordered, "m-bert", trends.unrelated, n=20)
    family = languages.table().family
    assert unrelated.pairs == sum(family[a] != family[b] and typology.common_features(a, b) > 0
                                  for a in CODES for b in CODES)  # fmt: skip
    assert not trends.across_scripts("en", "de") and trends.across_scripts("hi", "ur")


def test_one_number_of_features_has_no_trend():
    same = matrix(lambda a, b: 0.5, ["en", "de"], seeds=[1])
    trend = trends.typological(same, "m-bert")
    assert trend.pairs == 2 and np.isnan([*trend.correlation, trend.p_languages, trend.p_pairs]).all()


def test_means_by_number_of_features(ordered):
    table = trends.by_features(ordered, "m-bert")
    mean = ordered.groupby(["train", "evaluate"]).score.mean()
    assert len(table) > 2 and table.pairs.sum() == len(CODES) * (len(CODES) - 1)
    for number, row in table.iterrows():
        pairs = [(a, b) for a, b in mean.index if a != b and typology.common_features(a, b) == number]
        assert row.pairs == len(pairs) and row.value == pytest.approx(mean[pairs].mean())


def test_shuffled_p_counts_the_observed_order_itself():
    assert trends.shuffled_p(range(20), range(20), n=99) == 0.01
    assert trends.shuffled_p(range(20), range(20, 0, -1), n=99) == 1.0


def test_readings_differ_where_the_atlas_has_gaps_and_nowhere_else(ordered):
    found = trends.readings(ordered, "m-bert", n=20)
    assert list(found) == list(trends.READINGS)
    usual, share, all_six, own, dominant = found.values()
    assert usual == trends.typological(ordered, "m-bert", n=20)
    # All eight languages have six features and an entry of their own, so that a share is the number in other units.
    assert share == all_six == own == usual
    assert dominant == usual  # nor do two of them lack the same order
    genitives = matrix(by_order, ["en", "bg", "es", "hi", "ja"], seeds=[1], sentences=200)  # English and Bulgarian do
    found = list(trends.readings(genitives, "m-bert", n=20).values())
    assert found[0].correlation.value > found[-1].correlation.value


def test_incomplete_and_shared_entries_are_left_out():
    scores = matrix(by_order, ["en", "pt", "sk", "ar", "hi", "es"], seeds=[1], sentences=50)
    found = trends.readings(scores, "m-bert", n=20)
    pairs = {title: trend.pairs for title, trend in found.items()}
    assert pairs["languages with all six attested"] == sum(
        typology.common_features(a, b) > 0 for a in ["en", "ar", "hi", "es"] for b in ["en", "ar", "hi", "es"] if a != b
    )
    assert pairs["languages with one entry of their own"] == 6  # English, Hindi, Spanish; Slovak has nothing in common
