"""Chapter 4: Figure 2, the trend and its tests, Tables 5 and 6, controls, claims."""

import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, languages, show, stats
from crosslingual.chapters import conclusion, structure

CODES = ["en", "de", "es", "ru", "hi", "ja", "tr", "id"]
TITLES = {"m-bert": "M-BERT", "en-bert": "EN-BERT"}


COLUMNS = ["task", *stats.CELL, "seed", "score", "counts", "reason"]


def edition(artificial=True, adjective_group=languages.adjective_group):
    titles = {"encoder_title": lambda name: TITLES.get(name, name), "title": "Tiny"}
    groups = {"adjective_group": adjective_group, "substitutes": {}}
    return SimpleNamespace(artificial=artificial, **titles, **groups)


POCKET, REAL = edition(), edition(artificial=False)


def matrix(accuracy, train, evaluate=None, encoder="m-bert", seeds=(1,), task="pos"):
    """Cells that score about ``accuracy(train, evaluate)`` (0 to 1), always the same."""
    cells = [(a, b, seed) for a in train for b in evaluate or train for seed in seeds]
    return pd.DataFrame([run(encoder, *cell, accuracy(*cell[:2]), task) for cell in cells])


def run(encoder, train, evaluate, seed, accuracy, task="pos"):
    rng = np.random.default_rng(zlib.crc32(f"{encoder} {train} {evaluate} {seed}".encode()))
    correct = rng.binomial(20, np.clip(accuracy, 0, 1), 100)
    counts = np.stack([correct, np.full(100, 20)], axis=1)
    cell = (task, encoder, train, evaluate, seed, float(stats.percent(counts.sum(0))), counts, "")
    return dict(zip(COLUMNS, cell, strict=True))


def lacking(scores, train, evaluate, reason="buy it"):
    """The same with one pair that has no value."""
    gap = (scores.train == train) & (scores.evaluate == evaluate)
    scores = scores.copy()
    scores.loc[gap, ["score", "counts", "reason"]] = [np.nan, None, reason]
    return scores


def by_order(a, b):
    return 0.1 + 0.14 * languages.common_features(a, b)


@pytest.fixture(scope="module")
def ordered():
    return matrix(by_order, CODES)


def zero_shot(codes, keep=claims.every_pair):
    return [(a, b) for a in codes for b in codes if a != b and keep(a, b)]


def alike(codes, keep=claims.every_pair):
    """Pairs with something in common."""
    return [pair for pair in zero_shot(codes, keep) if languages.common_features(*pair) > 0]


# The trend


def test_a_trend_with_word_order_is_found_by_both_tests(ordered):
    trend = structure.trend(ordered, "m-bert", n=200)
    assert trend.correlation.low > 0.8 and trend.pairs == len(alike(CODES))
    assert trend.p_languages < 0.05 and trend.p_pairs < 0.05


def test_subsets_keep_the_pairs_they_name(ordered):
    found = structure.trends(ordered, n=20)
    family = languages.table().family
    assert found["two families"][0].pairs == len(alike(CODES, lambda a, b: family[a] != family[b]))
    assert found["two scripts"][0].pairs == len(alike(CODES, claims.across_scripts))
    english = found["all"][1]
    assert english.encoder == "en-bert" and english.pairs == 0  # there are no scores of it


def test_one_number_of_features_has_no_trend():
    same = matrix(lambda a, b: 0.5, ["en", "de"])
    trend = structure.trend(same, "m-bert")
    assert trend.pairs == 2
    assert np.isnan([*trend.correlation, trend.p_languages, trend.p_pairs]).all()
    table = structure.trend_table({"all": [trend]}, POCKET)
    assert structure.TOO_FEW in table.notes and table.rows[0][-1] == show.MISSING


def test_one_missing_cell_leaves_the_trend_and_takes_the_p_value_of_permuted_languages(ordered):
    trend = structure.trend(lacking(ordered, "en", "de"), "m-bert", n=20)
    assert trend.correlation.value > 0.8 and trend.pairs == len(alike(CODES)) - 1
    assert np.isnan(trend.p_languages) and trend.p_pairs < 0.05


def test_shuffled_p_counts_the_observed_order_itself():
    assert structure.shuffled_p(range(20), range(20), n=99) == 0.01
    assert structure.shuffled_p(range(20), range(20, 0, -1), n=99) == 1.0


def test_readings_differ_where_the_atlas_has_gaps_and_nowhere_else(ordered):
    found = structure.readings(ordered, n=20)
    usual, share, all_six, own, dominant = found.values()
    assert usual == structure.trend(ordered, "m-bert", n=20)
    # All eight have six features and an entry of their own: a share is the number in other units.
    assert share == all_six == own == usual == dominant
    genitives = matrix(by_order, ["en", "bg", "es", "hi", "ja"])  # English and Bulgarian lack one
    found = list(structure.readings(genitives, n=20).values())
    assert found[0].correlation.value > found[-1].correlation.value


def test_incomplete_and_shared_entries_are_left_out():
    scores = matrix(by_order, ["en", "pt", "sk", "ar", "hi", "es"])
    found = structure.readings(scores, n=20)
    assert found["languages with all six attested"].pairs == len(alike(["en", "ar", "hi", "es"]))
    # English, Hindi, Spanish; WALS is silent about Slovak
    assert found["languages with one entry of their own"].pairs == 6
    table = structure.reading_table(found, REAL)
    assert [row[1] for row in table.rows][3] == "6" and structure.FLOOR in table.notes


# Figure 2


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
    table = structure.by_features(held, POCKET)
    assert table.header == ["features", "pairs", "M-BERT", "XLM-R"]  # the majority class knows none
    mean = stats.means(ordered)
    for features, pairs, value, _ in table.rows:
        chosen = [p for p in alike(CODES) if languages.common_features(*p) == int(features)]
        assert int(pairs) == len(chosen) and value == f"{mean[chosen].mean():.1f}"
    assert [row[-1] for row in table.rows if row[0] == "6"] == ["77.5"]


def test_without_scores_figure_and_table_say_why(ordered):
    gone = ordered[:3].assign(reason="not bought", score=np.nan)
    assert "not bought" in structure.figure_2(gone, REAL).caption
    for table in (structure.by_features(gone, REAL), structure.table_5a(gone, REAL)):
        assert "not bought" in " ".join(table.notes)
    assert structure.table_5a(gone, REAL).rows[0] == ["**SVO**", show.MISSING, show.MISSING]
    assert structure.control_table({}, REAL).rows == []
    assert "not bought" in structure.neighbours(gone, REAL).children[1].children[0].value
    unlike = matrix(lambda a, b: 0.7, ["en", "gl"])  # WALS says nothing of Galician
    assert "Not available" in structure.figure_2(unlike, REAL).caption
    assert structure.by_features(unlike, REAL).rows == []
    assert structure.trend(unlike, "m-bert").pairs == 0


# Groups


def exactly(encoder, scores):
    """One seed, fifty sentences of four words, each with the same share of correct ones."""
    made = [(100 * x, np.tile([int(4 * x), 4], (50, 1))) for x in scores.values()]
    rows = [("pos", encoder, "en", c, 1, *x, "") for c, x in zip(scores, made, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_floors_by_hand():
    """M-BERT beats both baselines on EN to HI, and only one of them on EN to DE."""
    score = {
        "m-bert": {"de": 0.5, "hi": 0.5},
        "word shape": {"de": 0.75, "hi": 0.25},
        "majority class": {"de": 0.25, "hi": 0.25},
    }
    held = pd.concat([exactly(name, row) for name, row in score.items()], ignore_index=True)
    table = structure.floors_by_group(held, POCKET)
    assert table.header[1:] == ["M-BERT", "word shape", "majority class", "M-BERT leads"]
    assert table.rows[0] == ["**one script**", "50.0", "75.0", "25.0", "0 of 1"]
    assert table.rows[1] == ["interval", *(f"{x} to {x}" for x in ("50.0", "75.0", "25.0")), ""]
    assert table.rows[2] == ["**two scripts**", "50.0", "25.0", "25.0", "1 of 1"]
    assert table.rows[4] == ["**SVO to SVO**", *[show.MISSING] * 3, "0 of 0"]
    assert table.rows[6][:2] == ["**SVO to SOV**", "50.0"]


def test_table_5_averages_pairs_of_groups_without_the_diagonal():
    frame = matrix(
        lambda a, b: 1.0 if a == b else 0.5 + 0.2 * (a == "en"), ["en", "fr", "hi", "ja"]
    )
    mean = stats.means(frame)
    table = structure.table_5a(frame, POCKET)
    assert table.rows[0][1] == f"**{mean[[('en', 'fr'), ('fr', 'en')]].mean():.1f}**"
    assert table.rows[2] == ["paper", "81.55", "66.52"]
    assert "2 SVO, 2 SOV languages" in table.notes[0] and len(table.rows) == 6
    difference = structure.table_5a(frame, REAL).rows[3]
    assert difference[0] == "difference" and difference[1].startswith("−")


def test_memberships_are_the_same_means_over_other_groups():
    """By hand: en and hi are AN, es and it NA; with es counted as AN its pairs change sides."""
    near = {"en", "hi"}
    frame = matrix(
        lambda a, b: 0.9 if a == b else 0.8 if {a, b} <= near else 0.5, ["en", "hi", "es", "it"]
    )
    moved = edition(True, lambda c: "AN" if c == "es" else languages.adjective_group(c))
    (first, *_), (second, *_) = (
        structure.memberships(frame, each).rows for each in (POCKET, moved)
    )
    assert first[:2] == ["as above", "2, 2"] and second[:2] == ["as above", "3, 1"]
    assert [round(float(value), -1) for value in first[2:]] == [80, 50, 50, 50]
    assert [round(float(value), -1) for value in second[2:5]] == [60, 50, 50]
    assert second[5] == show.MISSING


def test_neighbours_are_the_best_and_the_worst_without_the_language_itself():
    rank = {code: 0.9 - 0.15 * place for place, code in enumerate(["en", "de", "es", "ru", "hi"])}
    both = pd.concat(matrix(lambda a, b: rank[b], list(rank), encoder=e) for e in TITLES)
    shown = structure.best_and_worst(both, "en", POCKET, shown=1)
    assert [row[0] for row in shown.rows] == ["German", "Hindi"]
    assert shown.header == ["evaluated on", "M-BERT", "EN-BERT", "common features"]
    assert len(structure.best_and_worst(both, "en", POCKET).rows) == 4
    menu, _ = structure.neighbours(both, POCKET).children
    assert list(menu.options) == ["English", "German", "Hindi", "Russian", "Spanish"]


# Code-switching


def switching(mixed, apart):
    """Accuracies by training text on corrected and transliterated text."""
    texts = ["corrected", "transliterated"]
    frames = [matrix(lambda a, b: mixed, texts, task="code-switching")]
    frames.append(matrix(lambda a, b: apart[b], ["hi+en"], texts, task="code-switching"))
    return pd.concat(frames, ignore_index=True)


def sizes(mixed=1000, apart=2000):
    rows = [("corrected", "train", mixed), ("hi+en", "train", apart), ("corrected", "test", 300)]
    table = pd.DataFrame(rows, columns=["language", "split", "sentences"])
    return table.assign(task="code-switching", reason="")


def test_table_6_keeps_the_papers_rows_and_adds_ours():
    scores = switching(0.9, {"corrected": 0.8, "transliterated": 0.5})
    table = structure.table_6(scores, POCKET)
    assert table.rows[0] == ["monolingual HI+EN · M-BERT, paper", "86.59", "50.41"]
    assert table.rows[1][1:] == [show.MISSING, "77.40"]
    ours = {row[0]: [round(float(cell.strip("*"))) for cell in row[1:]] for row in table.rows[4::2]}
    assert list(ours) == ["**monolingual HI+EN, ours**", "**code-switched HI/EN, ours**"]
    apart, mixed = ours.values()
    assert apart == pytest.approx([80, 50], abs=2) and mixed == pytest.approx([90, 90], abs=2)


def test_what_code_switched_training_is_worth_and_whether_sizes_compare():
    scores = switching(0.9, {"corrected": 0.8, "transliterated": 0.5})
    told = structure.switching(scores, sizes())
    assert told["paper_corrected"] == pytest.approx(90.56 - 86.59) and told["fair"] == ""
    assert told["ours_transliterated"] == pytest.approx(40, abs=3)
    told = structure.switching(scores, sizes(mixed=999))
    assert "only 999 code-switched sentences" in told["fair"] and "300 to be tested" in told["fair"]
    assert structure.switching(scores, sizes()[:0])["fair"] == ""


def test_the_code_switched_sample_shows_both_spellings():
    words = [("switched", "hi+en", 0, "एक", "ek", "NUM"), ("tagged", "en", 0, "a", "a", "DET")]
    columns = ["kind", "language", "word_number", "word", "second", "tag"]
    examples = pd.DataFrame(words, columns=columns).assign(reason="")
    table = structure.switched(examples, POCKET)
    assert table.rows == [["एक", "ek", "NUM"]] and table.text
    table = structure.switched(examples.assign(reason="not passed on"), POCKET)
    assert table.rows == [] and "not passed on" in table.notes[0]


# Claims, controls and what the text says


def judged(accuracy, codes=("en", "de", "es", "it", "hi", "ur", "bg", "ja", "fr", "ar")):
    scores = matrix(lambda a, b: 0.97 if a == b else accuracy(a, b), list(codes))
    return claims.judge(structure.CLAIMS, claims.evidence({"pos": scores}, POCKET))


def test_a_world_ruled_by_word_order_supports_the_typological_claims():
    verdict = judged(lambda a, b: 0.5 + 0.07 * languages.common_features(a, b)).verdict
    for claim in ("typological-similarity", "word-order", "word-order-columns"):
        assert verdict[claim] == "supported"


def test_a_world_against_word_order_contradicts_them_and_an_indifferent_one_decides_nothing():
    against = judged(lambda a, b: 0.9 - 0.07 * languages.common_features(a, b)).verdict
    assert against["typological-similarity"] == against["word-order"] == "contradicted"
    indifferent = judged(lambda a, b: 0.8).verdict
    assert indifferent["typological-similarity"] == indifferent["word-order"] == "undecided"


def test_the_papers_own_numbers_fail_table_5_by_columns():
    paper = claims.judge(structure.CLAIMS, claims.published_evidence())
    by_hand = {
        "word-order": 64.22 - 63.98,
        "word-order-columns": 64.22 - 66.52,
        "adjective-order-columns": 73.29 - 75.10,
        "code-switching": 90.56 - 86.59,
        "transliteration": 85.64 - 50.41,
    }
    assert paper.value[list(by_hand)].to_dict() == pytest.approx(by_hand)
    assert paper.verdict["word-order"] == "supported"
    assert paper.verdict["word-order-columns"] == "contradicted"
    assert "typological-similarity" in paper.index[paper.verdict == "not testable"]


def test_one_missing_cell_takes_only_the_claims_that_need_it(ordered):
    both = pd.concat([ordered, ordered.assign(encoder="en-bert")])
    known = claims.evidence({"pos": lacking(both, "en", "hi")}, POCKET)
    found = claims.judge(structure.CLAIMS, known)
    assert found.verdict["typological-similarity"] == "not testable"
    assert "en to hi" in found.note["typological-similarity"]
    assert found.verdict["word-order"] != "not testable"


def test_a_tagger_that_knows_no_language_goes_through_the_same_rules():
    """What order explains without any pre-training is a control, and passes where M-BERT does."""
    order = languages.order_group
    ours = matrix(lambda a, b: 0.9 if order(a) == order(b) else 0.6, CODES)
    held = pd.concat(
        [
            ours,
            ours.assign(encoder="word shape"),
            matrix(lambda a, b: 0.5, CODES, encoder="majority class"),
        ]
    )
    found = structure.controls(held, conclusion.CLAIMS, POCKET)
    assert found["m-bert"].equals(found["word shape"])
    assert "decent-at-low-similarity" not in found["m-bert"].index  # it is about two encoders
    table = structure.control_table(found, POCKET)
    assert table.header == ["Claim", "M-BERT", "word shape", "majority class"]
    cells = {row[0].split("`")[1]: row[1:] for row in table.rows}
    assert cells["word-order"][0].startswith("✔ supported: ")
    told = structure.passing(found, POCKET)
    assert int(told["own"]) >= 2 and f"word shape {told['own']}" in told["others_pass"]
    assert told["alone"] == "none"


def test_the_text_says_what_the_tables_do(ordered):
    both = pd.concat([ordered, matrix(lambda a, b: 0.5, CODES, encoder="en-bert")])
    found, counted = structure.trends(both, 40), structure.readings(both, 40)
    told = structure.reading(both, found, counted)
    assert told["pairs"] == str(len(alike(CODES)))
    assert int(told["absent"]) == len(zero_shot(CODES)) - len(alike(CODES))
    assert told["rho_m"] == show.number(found["all"][0].correlation.value, 2)
    assert told["readings"] == "all 5" and told["no_wals"] == "none"
    mean = stats.means(ordered)[zero_shot(CODES)].mean()
    assert told["average_m"] == pytest.approx(mean)
    assert told["subsets"].startswith("all")
