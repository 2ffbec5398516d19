"""Chapter 4: Figure 2, the trend and its tests, Tables 5 and 6, controls, claims."""

from functools import partial

import fabricated
import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, languages, show, stats
from crosslingual.chapters import conclusion, structure
from fabricated import ARTIFICIAL, REAL, certain

CODES = ["en", "de", "es", "ru", "hi", "ja", "tr", "id"]
matrix = partial(fabricated.scores, seeds=[1], sentences=100)


def lacking(scores, train, evaluate):
    """The same with one pair that has no value."""
    gap = (scores.train == train) & (scores.evaluate == evaluate)
    scores = scores.copy()
    scores.loc[gap, ["score", "counts", "reason"]] = [np.nan, None, "buy it"]
    return scores


def by_order(a, b):
    return 0.1 + 0.14 * languages.common_features(a, b)


@pytest.fixture(scope="module")
def ordered():
    return matrix(by_order, CODES)


def alike(codes, keep=claims.every_pair):
    """Pairs of different languages with something in common."""
    pairs = [(a, b) for a in codes for b in codes if a != b and keep(a, b)]
    return [pair for pair in pairs if languages.common_features(*pair) > 0]


def test_a_trend_with_word_order_is_found_by_both_tests_and_in_every_subset(ordered):
    found = structure.trends(ordered, 40)
    trend = found["all", "m-bert"]
    assert trend.correlation.low > 0.8 and trend.p_languages < 0.05 and trend.p_pairs < 0.05
    assert trend.holds and 0 < trend.correlation.over.low < trend.correlation.low
    family = languages.table().family
    of_two = {"all": claims.every_pair, "two scripts": claims.across_scripts}
    of_two["two families"] = lambda a, b: family[a] != family[b]
    pairs = {title: trend.pairs for (title, _), trend in found.items()}
    assert pairs == {title: len(alike(CODES, keep)) for title, keep in of_two.items()}
    assert {encoder for _, encoder in found} == {"m-bert"}  # there are no scores of the other


def test_one_number_of_features_has_no_trend():
    versions = stats.draws(matrix(lambda a, b: 0.5, ["en", "de"]))
    trend = structure.trend(versions, claims.every_pair, 9)
    assert trend.pairs == 2 and not trend.holds
    assert np.isnan([*trend.correlation[:3], trend.p_languages, trend.p_pairs]).all()
    table = structure.trend_table({("all", "m-bert"): trend}, 9, ARTIFICIAL)
    assert structure.TOO_FEW in table.notes and table.rows[0][1:] == [show.MISSING]


def test_one_missing_cell_leaves_the_trend_and_takes_the_p_value_of_permuted_languages(ordered):
    trend = structure.trends(lacking(ordered, "en", "de"), 40)["all", "m-bert"]
    assert trend.correlation.value > 0.8 and trend.pairs == len(alike(CODES)) - 1
    assert np.isnan(trend.p_languages) and trend.p_pairs < 0.05


def test_shuffled_p_counts_the_observed_order_itself():
    assert structure.shuffled_p(range(20), range(20), 99) == 0.01
    assert structure.shuffled_p(range(20), range(20, 0, -1), 99) == 1.0


def test_readings_differ_where_the_atlas_has_gaps_and_nowhere_else(ordered):
    found = structure.trends(ordered, 20, structure.READINGS)
    usual, share, all_six, own, dominant = found.values()
    assert usual == structure.trends(ordered, 20)["all", "m-bert"]
    # All eight have six features and an entry of their own: a share is the number in other units.
    assert share == all_six == own == usual == dominant
    genitives = matrix(by_order, ["en", "bg", "es", "hi", "ja"])  # English and Bulgarian lack one
    found = list(structure.trends(genitives, 20, structure.READINGS).values())
    assert found[0].correlation.value > found[-1].correlation.value


def test_incomplete_and_shared_entries_are_left_out():
    scores = matrix(by_order, ["en", "pt", "sk", "ar", "hi", "es"])
    found = structure.trends(scores, 20, structure.READINGS)
    six, own = "languages with all six attested", "languages with one entry of their own"
    assert found[six, "m-bert"].pairs == len(alike(["en", "ar", "hi", "es"]))
    assert found[own, "m-bert"].pairs == 6  # English, Hindi, Spanish; WALS is silent about Slovak
    table = structure.trend_table(found, 20, REAL)
    assert table.rows[3][0] == f"{own} (6)" and len(table.rows) == 5
    rho, over, chance = table.rows[0][1].split("\n")
    assert rho.strip("*").startswith(show.number(next(iter(found.values())).correlation.value, 2))
    assert " to " in over and chance.startswith("p ") and ", pairs " in chance


def test_figure_2_counts_pairs_and_leaves_out_those_with_nothing_in_common():
    codes = ["en", "fr", "ja", "gl"]  # WALS has no word order of Galician
    drawn = structure.figure_2(lacking(matrix(lambda a, b: 0.7, codes), "en", "gl"), REAL)
    numbers = [languages.common_features(*pair) for pair in alike(codes)]
    expected = {number: numbers.count(number) for number in sorted(set(numbers))}
    ticks = [tick.get_text() for tick in drawn.drawing.axes[0].get_xticklabels()]
    assert ticks == [f"{number}\n({pairs})" for number, pairs in expected.items()]
    assert "buy it" in drawn.caption


def test_means_by_number_of_features_are_those_of_the_pairs(ordered):
    held = pd.concat([ordered, ordered.assign(encoder="majority class")])
    table = structure.by_features(held, ARTIFICIAL)
    assert table.header == ["features", "pairs", "M-BERT", "XLM-R"]  # the majority class knows none
    mean = stats.means(ordered)
    for features, pairs, cell, _ in table.rows:
        chosen = [p for p in alike(CODES) if languages.common_features(*p) == int(features)]
        value, *over = cell.strip("*").split("\n")
        assert int(pairs) == len(chosen) and value.startswith(f"{mean[chosen].mean():.1f} ± ")
        shared = set.intersection(*map(set, chosen))  # without such a language no pair is left
        assert bool(over) != bool(shared)
    assert [row[-1] for row in table.rows if row[0] == "6"] == ["77.5"]


def test_without_scores_figure_and_table_say_why(ordered):
    gone = ordered[:3].assign(reason="not bought", score=np.nan)
    assert "not bought" in structure.figure_2(gone, REAL).caption
    table = structure.table_5(gone, "a", REAL)
    for told in (structure.by_features(gone, REAL), structure.floors_by_group(gone, REAL), table):
        assert "not bought" in " ".join(told.notes)
    assert table.rows[0] == ["**SVO**", *(f"**–**\npaper {x}" for x in (81.55, 66.52))]
    assert not structure.trends(gone, 9) and not structure.controls(gone, [], REAL)
    assert structure.control_table({}, REAL).rows == [[show.NOTHING]]
    unlike = matrix(lambda a, b: 0.7, ["en", "gl"])  # WALS says nothing of Galician
    assert "Not available" in structure.figure_2(unlike, REAL).caption
    assert structure.by_features(unlike, REAL).rows[0][0] == show.NOTHING
    assert structure.trends(unlike, 9)["all", "m-bert"].pairs == 0


def test_floors_by_hand():
    """M-BERT beats both baselines on EN to HI, and only one of them on EN to DE."""
    score, pairs = {"m-bert": [50, 50], "word shape": [75, 25]}, [("en", "de"), ("en", "hi")]
    score["majority class"] = [25, 25]
    held = [certain(name, dict(zip(pairs, x, strict=True))) for name, x in score.items()]
    held = pd.concat(held, ignore_index=True)
    table = structure.floors_by_group(held, ARTIFICIAL)
    assert table.header[1:] == ["M-BERT", "word shape", "majority class", "M-BERT leads"]
    assert table.rows[0] == ["one script", "50.0", "75.0", "25.0", "0 of 1"]  # too few languages
    assert table.rows[1] == ["two scripts", "50.0", "25.0", "25.0", "1 of 1"]  # for an interval
    assert [row[:2] for row in table.rows[2:]] == [["SVO to SOV", "50.0"]]  # no other pairs here
    alone = structure.floors_by_group(held[held.encoder == "word shape"], ARTIFICIAL)
    assert alone.rows[0] == ["one script", "75.0", "0 of 0"]


def test_table_5_averages_pairs_of_groups_without_the_diagonal():
    codes = ["en", "fr", "es", "hi", "ja"]
    frame = matrix(lambda a, b: 1.0 if a == b else 0.5 + 0.2 * (a == "en"), codes)
    mean = stats.means(frame)
    table = structure.table_5(frame, "a", ARTIFICIAL)
    svo = [(a, b) for a in codes[:3] for b in codes[:3] if a != b]
    value, over, paper = table.rows[0][1].split("\n")
    assert value.startswith(f"**{mean[svo].mean():.1f} ± ") and paper == "paper 81.55"
    alone = pd.Series({c: mean[[p for p in svo if c not in p]].mean() for c in codes[:3]})
    half = 4.3027 * (2 / 3 * ((alone - alone.mean()) ** 2).sum()) ** 0.5
    ends = [show.number(mean[svo].mean() + sign * half) for sign in (-1, 1)]
    assert over == " to ".join(ends)
    assert "3 SVO, 2 SOV languages" in table.notes[0] and len(table.rows) == 2


def test_memberships_are_the_same_means_over_other_groups():
    """By hand: en and hi are AN, es and it NA; with es counted as AN its pairs change sides."""
    codes, near = ["en", "hi", "es", "it"], {"en", "hi"}
    frame = matrix(lambda a, b: 0.9 if a == b else 0.8 if {a, b} == near else 0.5, codes)
    told = {"adjective_group": lambda c: "AN" if c == "es" else languages.adjective_group(c)}
    first = structure.memberships(frame, ARTIFICIAL).rows[0]
    second = structure.memberships(frame, fabricated.edition("pocket", **told)).rows[0]
    assert first[:2] == ["as above", "2, 2"] and second[:2] == ["as above", "3, 1"]
    assert [round(float(value), -1) for value in first[2:]] == [80, 50, 50, 50]
    assert [round(float(value), -1) for value in second[2:5]] == [60, 50, 50]
    assert second[5] == show.MISSING


def test_a_language_that_teaches_nothing_is_named_with_the_verdicts_that_hang_on_it():
    """By hand: AN is 76 from AN, and 80 from NA; with AR, which is NA and teaches nothing, 66."""
    codes = ["en", "de", "es", "it", "fr", "pt_br", "ar"]
    told = {"AN AN": 0.76, "AN NA": 0.5, "NA AN": 0.8, "NA NA": 0.95}

    def accuracy(*pair):
        return 0.1 if pair[0] == "ar" else told[" ".join(map(languages.adjective_group, pair))]

    held = pd.concat(
        [matrix(accuracy, codes), matrix(lambda a, b: 0.3, codes).assign(encoder="shape")]
    )
    found = structure.hanging(held, ARTIFICIAL)
    assert found["stuck"].startswith("AR (") and "and" not in found["stuck"]
    assert "teaches better (columns)” (without AR)" in found["hanging"]
    nothing = {"stuck": show.NOTHING, "hanging": show.NOTHING}
    assert structure.hanging(structure.without(["ar"], held), ARTIFICIAL)["stuck"] == "none"
    assert structure.hanging(held[:0], ARTIFICIAL) == nothing
    with pytest.raises(ValueError, match="'jp'"):
        structure.without(["jp"], held)


# Code-switching


def test_table_6_keeps_the_papers_rows_and_adds_ours():
    texts, apart = ["corrected", "transliterated"], {"corrected": 0.8, "transliterated": 0.5}
    made = [(lambda a, b: 0.9, texts), (lambda a, b: apart[b], ["hi+en"], texts)]
    scores = pd.concat([matrix(*each, task="code-switching") for each in made])
    systems = [("two readings", 0.7, "hi+en"), ("put back into its script", 0.6, texts[1])]
    earlier = [
        matrix(lambda a, b, s=s: s, [of], texts[1:]).assign(encoder=e) for e, s, of in systems
    ]
    table = structure.table_6(scores, pd.concat(earlier), ARTIFICIAL)
    assert table.rows[0] == ["monolingual HI+EN · M-BERT, paper", "86.59", "50.41"]
    assert table.rows[1][1:] == [show.MISSING, "77.40"]
    ours = {
        row[0].removesuffix(", run here**"): [
            cell if cell == show.MISSING else round(float(cell.split(" ±")[0])) for cell in row[1:]
        ]
        for row in table.rows[4:]
    }
    told = structure.earlier_work(scores, pd.concat(earlier), ARTIFICIAL)
    assert (told["ba_paper"], told["bh_paper"]) == ("+27.0", "+4.9")  # 77.40 - 50.41, 90.53 - 85.64
    assert float(told["ba_ours"].split(" ")[0]) == pytest.approx(20, abs=3)
    assert structure.earlier_work(scores, earlier[0][:0], ARTIFICIAL)["bh_ours"] == "– (–)"
    real = structure.earlier_work(scores, pd.concat(earlier), fabricated.REAL)["caution"]
    assert told["caution"].startswith("In an artificial world") and "few (100)" in real
    apart, two, mixed, back = ours.values()
    assert list(ours)[1] == "**monolingual HI+EN · after Ball and Garrette (2018)"
    assert two == [show.MISSING, pytest.approx(70, abs=3)]
    assert back == [show.MISSING, pytest.approx(60, abs=3)]
    assert apart == pytest.approx([80, 50], abs=2) and mixed == pytest.approx([90, 90], abs=2)
    sizes = pd.DataFrame(
        [("code-switching", "hi+en", "train", 5494, ""), ("pos", "corrected", "train", 7, "")],
        columns=["task", "language", "split", "sentences", "reason"],
    )
    told = structure.switching(scores, sizes)
    assert (told["apart_sentences"], told["mixed_sentences"]) == ("5,494", show.MISSING)
    assert told["paper_corrected"] == pytest.approx(90.56 - 86.59)
    assert told["ours_transliterated"] == pytest.approx(40, abs=3)


def test_the_code_switched_sample_shows_both_spellings():
    words = [("switched", "hi+en", 0, "एक", "ek", "NUM"), ("tagged", "en", 0, "a", "a", "DET")]
    columns = ["kind", "language", "word_number", "word", "second", "tag"]
    examples = pd.DataFrame(words, columns=columns).assign(reason="", edition="pocket")
    table = structure.switched(examples, ARTIFICIAL)
    assert table.rows == [["एक", "ek", "NUM"]] and table.text
    other = structure.switched(examples, REAL).caption  # another's words do not pass for its own
    assert other.endswith("Edition: pocket (texts of real corpora may not be passed on).")
    table = structure.switched(examples.assign(reason="not passed on"), ARTIFICIAL)
    assert table.rows == [[show.MISSING] * 3] and "not passed on" in table.notes[0]


# Claims, controls and what the text says


def test_a_tagger_that_knows_no_language_goes_through_the_same_rules():
    """What order explains without any pre-training is a control, and passes where M-BERT does."""
    order = languages.order_group
    ours = matrix(lambda a, b: 0.9 if order(a) == order(b) else 0.6, CODES)
    majority = matrix(lambda a, b: 0.5, CODES, encoder="majority class")
    held = pd.concat([ours, ours.assign(encoder="word shape"), majority])
    found = structure.controls(held, conclusion.CLAIMS, ARTIFICIAL)
    assert found["m-bert"].equals(found["word shape"])
    assert "decent-at-low-similarity" not in found["m-bert"].index  # it is about two encoders
    table = structure.control_table(found, ARTIFICIAL)
    assert table.header == ["Claim", "M-BERT", "word shape", "majority class"]
    cells = {row[0]: row[1:] for row in table.rows}
    assert cells["Same verb order is tagged better (rows)"][0].startswith("✔\xa0supported\n")
    told = structure.passing(found, ARTIFICIAL)
    assert int(told["own"]) >= 2 and f"word shape {told['own']}" in told["others_pass"]
    assert told["alone"] == "none"


def test_the_text_says_what_the_tables_do(ordered):
    both = pd.concat([ordered, matrix(lambda a, b: 0.5, CODES, encoder="en-bert")])
    found = structure.trends(both, 40)
    counted = structure.trends(ordered, 40, structure.READINGS)
    told = structure.reading(both, found, counted, 40, ARTIFICIAL)
    assert told["pairs"] == str(len(alike(CODES)))
    assert int(told["absent"]) == 56 - len(alike(CODES))
    assert told["rho_m"].startswith(show.number(found["all", "m-bert"].correlation.value, 2))
    assert told["rho_m"].endswith(", p ≤ 0.025")
    assert told["readings"] == "all 5" and told["no_wals"] == "none"
    mean = stats.zero_shot(stats.means(ordered)).mean()
    assert told["average_m"] == pytest.approx(mean)
    assert told["subsets"].startswith("all")
