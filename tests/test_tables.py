from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, published, tables, typology
from crosslingual.corpora import CorpusUnavailable, digest
from datasets import Dataset
from fabricated import ARTIFICIAL, REAL, matrix

CONLL = ["en", "de", "nl", "es"]


class Other:
    """An edition that stands beside another."""

    name, title, artificial = "other", "Other (real languages)", False
    document: dict = {}
    source = None


@pytest.fixture(scope="module")
def ner():
    return matrix(lambda a, b: 0.9 if a == b else 0.6, CONLL, task="ner")


def rows_of(table, title):
    start = next(i for i, row in enumerate(table.rows) if row[0] == title)
    return table.rows[start : start + 4]


class WithSubstitute(Other):
    document = {"substitutes": {"de": {"corpus": "WikiNEuRal", "annotation": "silver"}}}


def test_no_difference_is_shown_to_values_on_another_corpus(ner):
    table = tables.beside(ner, published.TABLE_1, WithSubstitute(), "table-1")
    differences = {row[0]: rows_of(table, row[0])[3] for row in table.rows if row[0].startswith("**")}
    german = [cell for train, row in differences.items() for code, cell in zip(CONLL, row[1:]) if "de" in (train.strip("*").lower(), code)]
    assert set(german) == {tables.MISSING} and len(german) == 7
    assert sum(cell != tables.MISSING for row in differences.values() for cell in row[1:]) == 9
    assert any("DE: WikiNEuRal" in note for note in table.notes)
    beside = tables.beside(ner, published.TABLE_1, ARTIFICIAL, "table-1", others={WithSubstitute(): ner})
    assert any(note.startswith("other: Not the paper's corpora") for note in beside.notes)


def test_further_pairs_stand_at_their_best_layer_beside_tagging():
    rows = [("en", "de", "paper", 0, 10.0), ("en", "de", "paper", 1, 30.0), ("en", "de", "shared pieces", -1, 40.0),
            ("hi", "ur", "paper", 0, 50.0), ("hi", "ur", "paper", 1, 20.0), ("hi", "ur", "shared pieces", -1, 5.0),
            ("en", "ja", "paper", 1, 1.0), ("en", "ja", "shared pieces", -1, 50.0)]  # fmt: skip
    curve = pd.DataFrame(rows, columns=["source", "target", "method", "layer", "accuracy"]).assign(queries="all")
    tagging = pd.Series([70.0, 80.0, 20.0], pd.MultiIndex.from_tuples([("en", "de"), ("hi", "ur"), ("en", "ja")], names=["train", "evaluate"]))
    table = tables.further_pairs(curve, tagging, ARTIFICIAL)
    assert table.rows[:2] == [["HI-UR", "50.0", "0", "5.0", "80.0"], ["EN-DE", "30.0", "1", "40.0", "70.0"]]
    assert "translations found 1.00, by shared pieces −1.00" in table.notes[0]
    without = tables.further_pairs(curve, tagging[:0], ARTIFICIAL)
    assert without.rows[0][-1] == tables.MISSING and f"found {tables.MISSING}, by" in without.notes[0]


def test_signatures_are_folded_away_below_what_a_reader_needs():
    table = tables.Table("c", "n", ["a"], [["1"]], ("`F1 | seeds 1`", "Bold: ours."))
    for rendered in (table.markdown(), table.html()):
        assert rendered.index("Bold") < rendered.index("<details") < rendered.index("seeds 1") < rendered.index("</details>")


def test_ours_stands_over_the_papers_value_in_its_own_column(ner):
    ours, _, paper, *_ = rows_of(tables.beside(ner, published.TABLE_1, ARTIFICIAL, "table-1"), "**NL**")
    assert paper == ["paper", "65.46", "65.68", "89.86", "72.10"]
    cell = ner[(ner.train == "nl") & (ner.evaluate == "de")]
    assert ours[2] == f"**{cell.score.mean():.1f}**"


def test_differences_are_shown_for_real_data_only(ner):
    real = tables.beside(ner, published.TABLE_1, REAL, "table-1")
    cell = ner[(ner.train == "en") & (ner.evaluate == "en")].score.mean()
    assert rows_of(real, "**EN**")[3][1] == f"{cell - 90.70:+.1f}".replace("-", "−")
    artificial = tables.beside(ner, published.TABLE_1, ARTIFICIAL, "table-1")
    assert "difference" not in artificial.markdown() and tables.PATTERN in artificial.markdown()


def test_every_table_names_edition_encoder_and_signature(ner):
    text = tables.beside(ner, published.TABLE_1, ARTIFICIAL, "table-1").markdown()
    assert "M-BERT" in text and ARTIFICIAL.title in text and "`ner|m-bert|made up`" in text
    assert text.startswith("```{table} ") and "\n:name: table-1\n" in text


def test_a_missing_corpus_leaves_a_gap_and_its_explanation(ner):
    partial = ner[(ner.train != "de") & (ner.evaluate != "de")]
    partial.attrs["unavailable"] = {"de": "CoNLL-2003 is licensed; put deu.train into the folder"}
    table = tables.beside(partial, published.TABLE_1, REAL, "table-1")
    assert rows_of(table, "**DE**")[0][1:] == [tables.MISSING] * 4
    assert rows_of(table, "**EN**")[3][2] == tables.MISSING
    assert "Not available: DE: CoNLL-2003 is licensed" in table.markdown()


def test_spread_of_a_single_seed_has_no_t_interval(ner):
    one = ner[(ner.train == "en") & (ner.evaluate == "de") & (ner.seed == 1)]
    seeds, sentences = tables.spread(one).split(" / ")
    assert seeds == tables.MISSING and float(sentences) > 0


def test_decimals_follow_the_paper():
    assert tables.decimals(published.TABLE_4.loc["en"]) == 1
    assert tables.decimals(published.TABLE_1.loc["en"]) == 2


def test_cells_the_paper_leaves_empty_stay_empty():
    frame = matrix(lambda a, b: 0.8, ["hi", "ur", "en", "bg", "ja"])
    table = tables.beside(frame, published.TABLE_4, ARTIFICIAL, "table-4")
    ours, spreads, paper = rows_of(table, "**HI**")[:3]
    assert paper[3:] == [tables.MISSING] * 3 and ours[3] == tables.MISSING and spreads[3] == ""


def test_other_languages_than_the_papers_are_shown_beside_what_it_prints():
    frame = matrix(lambda a, b: 0.8, ["en", "fr"])
    table = tables.beside(frame, published.TABLE_2, ARTIFICIAL, "table-2", ["en", "fr"])
    ours, _, paper = rows_of(table, "**EN**")[:3]
    assert paper == ["paper", "96.82", tables.MISSING] and ours[2].startswith("**8")
    assert "the paper's Table 2" in table.caption and table.header == ["", "EN", "FR"]


def test_systems_keep_the_papers_rows_and_add_ours():
    frame = matrix(lambda a, b: 0.8, ["hi+en"], ["corrected", "transliterated"], task="code-switching")
    table = tables.systems({"M-BERT on HI+EN": frame}, published.TABLE_6, ARTIFICIAL, "table-6")
    assert table.rows[0] == ["monolingual HI+EN · M-BERT, paper", "86.59", "50.41"]
    assert table.rows[1][1:] == [tables.MISSING, "77.40"]
    assert table.rows[4][0] == "**M-BERT on HI+EN, ours**"


def test_memberships_are_the_same_means_over_other_groups():
    """By hand: en and hi are AN, es and it NA; with es counted as AN its pairs change sides."""
    frame = matrix(lambda a, b: 0.9 if a == b else (0.8 if {a, b} <= {"en", "hi"} else 0.5), ["en", "hi", "es", "it"])
    usual, moved = typology.adjective_group, lambda code: "AN" if code == "es" else typology.adjective_group(code)
    first, second = tables.memberships(frame, {"usual": usual, "moved": moved}, ARTIFICIAL).rows
    assert first[:2] == ["usual", "2, 2"] and second[:2] == ["moved", "3, 1"]
    assert [round(float(value), -1) for value in first[2:]] == [80, 50, 50, 50]
    assert [round(float(value), -1) for value in second[2:5]] == [60, 50, 50] and second[5] == tables.MISSING


def test_orders_average_pairs_of_groups_without_the_diagonal():
    frame = matrix(lambda a, b: 1.0 if a == b else 0.5 + 0.2 * (a == "en"), ["en", "fr", "hi", "ja"])
    table = tables.orders(frame, published.TABLE_5A, typology.order_group, ARTIFICIAL, "table-5a")
    cross = frame[
        frame.train.isin(["en", "fr"]) & frame.evaluate.isin(["en", "fr"]) & (frame.train != frame.evaluate)
    ]
    assert table.rows[0][1] == f"**{cross.groupby(['train', 'evaluate']).score.mean().mean():.1f}**"
    assert table.rows[2] == ["paper", "81.55", "66.52"]
    assert "2 SVO, 2 SOV languages" in table.notes[0]


def test_dashboard_shows_every_claim_with_both_verdicts():
    frame = matrix(lambda a, b: 0.9, ["en", "de", "es", "it"])
    table = tables.dashboard(claims.evaluate({"pos": frame}), ARTIFICIAL)
    assert len(table.rows) == len(claims.CLAIMS)
    text, paper, ours = table.rows[0]
    assert paper == "✔ supported: 81.64" and ours.startswith("✔ supported: 8") and " to " in ours
    assert any("✘ contradicted: −2.30" == row[1] for row in table.rows)
    assert any("not testable: no ner result" in row[2] for row in table.rows)


def test_corpus_sizes_count_entities_and_name_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_STORE", str(tmp_path))
    corpus = Dataset.from_dict({"tokens": [["a", "b", "c"]], "labels": [["B-PER", "I-PER", "B-LOC"]]})

    def read(task, code, split):
        if code == "de":
            raise CorpusUnavailable("buy it")
        return corpus

    edition = SimpleNamespace(
        **vars(REAL), corpus=read, languages=lambda task: ["en", "de"], recompute=False, kept=False,
        corpus_digest=lambda *key: digest(read(*key)),
    )  # fmt: skip
    ner = tables.corpora(edition, "ner")
    assert ner.rows == [["EN", "1", "1", "2"], ["DE", "–", "–", "–"]]
    assert ner.notes == ("Not available: DE: buy it",)
    assert tables.corpora(edition, "pos").rows[0] == ["EN", "1", "1", "3"]


def test_pipes_in_cells_do_not_break_the_grid():
    table = tables.Table("c", "n", ["a", "b"], [["x|y", "1"]])
    assert table.html().count("<td") == 2


def test_numbers_and_labels():
    assert tables.number(-1.25) == "−1.2" and tables.number(np.nan) == tables.MISSING
    assert tables.signed(0.3) == "+0.3"
    assert [tables.label(code) for code in ["en", "pt_br", "no_bokmaal", "hi+en"]] == [
        "EN",
        "PT-BR",
        "NB",
        "hi+en",
    ]


def test_tables_without_any_result_keep_their_shape_and_say_why():
    nothing = matrix(lambda a, b: 0.5, ["en", "de"]).iloc[:0]
    nothing.attrs["unavailable"] = {"en": "fetch it"}
    for table in (
        tables.beside(nothing, published.TABLE_1, REAL, "t"),
        tables.systems({"EN-BERT": nothing}, published.TABLE_3, REAL, "t"),
        tables.orders(nothing, published.TABLE_5A, typology.order_group, REAL, "t"),
    ):
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert "Not available: EN: fetch it" in table.markdown() and tables.MISSING in table.markdown()


def test_neighbours_are_the_best_and_the_worst_without_the_language_itself():
    codes = ["en", "de", "es", "ru", "hi"]
    rank = {code: 0.9 - 0.15 * position for position, code in enumerate(codes)}
    frame = pd.concat(matrix(lambda a, b: rank[b], codes, encoder=e, seeds=[1]) for e in ("m-bert", "en-bert"))
    shown = [row[0] for row in tables.neighbours(frame, "en", ARTIFICIAL, shown=1).rows]
    assert shown == ["German", "Hindi"]
    assert len(tables.neighbours(frame, "en", ARTIFICIAL).rows) == 4


class Switched:
    """An edition with a code-switched corpus of which the second sentence is half Hindi."""

    title, artificial = "Tiny", True
    words = {"corrected": [["a", "b"], ["एक", "b"]], "transliterated": [["a", "b"], ["ek", "b"]]}

    def corpus(self, task, language, split):
        return Dataset.from_dict({"tokens": self.words[language], "labels": [["NOUN", "VERB"]] * 2})


def test_the_code_switched_sample_shows_both_spellings():
    assert tables.code_switched(Switched()).rows == [["एक", "ek", "NOUN"], ["b", "b", "VERB"]]


def test_translations_name_the_best_layer_and_its_interval():
    hits = {0: [1, 0, 0, 0], 1: [1, 1, 1, 0], 2: [1, 1, 0, 0]}
    rows = [dict(method="paper", layer=layer, hits=np.array(hit, float)) for layer, hit in hits.items()]
    rows += [dict(method=method, layer=-1, hits=np.zeros(4)) for method in ("shared pieces", "length")]
    curve = pd.DataFrame(rows).assign(source="en", target="de", queries="all", candidates=4)
    curve["accuracy"] = [100 * hit.mean() for hit in curve.hits]
    cells = dict(tables.translations(curve, ARTIFICIAL).rows)
    assert (cells["**best layer**"], cells["which layer"], cells["last layer"]) == ("**75.0**", "1", "50.0")
    assert cells["pairs sharing nothing"] == "0" and cells["of these, best layer"] == tables.MISSING


OTHER = Other()
NOTHING = matrix(lambda a, b: 0.5, CONLL, task="ner")[:0]


@pytest.mark.parametrize("frame, cells", [("ner", 4), ("nothing", 0)])
def test_an_edition_beside_has_rows_of_its_own_or_says_that_it_is_not_recorded(ner, frame, cells):
    theirs = {"ner": ner, "nothing": NOTHING}[frame]
    table = tables.beside(ner, published.TABLE_1, ARTIFICIAL, "t", others={OTHER: theirs})
    start = next(i for i, row in enumerate(table.rows) if row[0] == f"**EN** {ARTIFICIAL.name}")
    titles = [row[0] for row in table.rows[start : start + 6]]
    assert titles[:4] == [f"**EN** {ARTIFICIAL.name}", "±", "paper", "other"]
    if cells:
        assert titles[4:] == ["±", "difference"]
        assert [f"**{cell}**" for cell in table.rows[start + 3][1:]] == table.rows[start][1:]
    else:
        assert table.rows[start + 3][1:] == [tables.NOT_RECORDED] * 4 and titles[4].startswith("**DE**")
    assert "Beside it, other: the edition Other (real languages), from kept results." in table.notes


def test_each_edition_has_a_column_of_verdicts_and_a_tally():
    ledger = claims.evaluate({})
    table = tables.dashboard(ledger, ARTIFICIAL, others={OTHER: claims.evaluate({"ner": matrix(lambda a, b: 0.9, CONLL, task="ner")})})
    assert table.header == ["Claim (section)", "Paper", ARTIFICIAL.name, "other"]
    assert all(len(row) == 4 for row in table.rows)
    assert table.notes[0].startswith(f"{ARTIFICIAL.name}: {len(ledger)} not testable") and table.notes[1].startswith("other: ")


def test_groups_of_another_edition_stand_below_ours():
    pos = matrix(lambda a, b: 0.9 if a == b else 0.6, ["en", "de", "hi", "ja"])
    table = tables.orders(pos, published.TABLE_5A, typology.order_group, ARTIFICIAL, "t", {OTHER: pos, Other(): pos[:0]})
    assert [row[0] for row in table.rows[:6]] == [f"**SVO** {ARTIFICIAL.name}", "interval", "paper", "other", "interval", "difference"]
    assert table.rows[6] == ["other", tables.NOT_RECORDED, tables.NOT_RECORDED]


def test_floors_by_hand():
    """M-BERT beats both baselines on EN to HI, and only one of them on EN to DE."""
    score = {"m-bert": {"de": 0.5, "hi": 0.5}, "word shape": {"de": 0.75, "hi": 0.25}, "majority class": {"de": 0.25, "hi": 0.25}}
    frames = [exactly(name, row) for name, row in score.items()]
    scores = pd.concat(frames, ignore_index=True)
    table = tables.floors(scores, [("en", "de"), ("en", "hi"), ("hi", "de")], ARTIFICIAL)
    assert table.rows[0] == ["**EN to DE**", "50.0", "75.0", "25.0"] and table.rows[2] == ["**EN to HI**", "50.0", "25.0", "25.0"]
    assert table.rows[4] == ["**HI to DE**", *[tables.MISSING] * 3]
    by_script = tables.floors_by_group(scores, ARTIFICIAL).rows
    assert by_script[0] == ["**one script**", "50.0", "75.0", "25.0", "0 of 1"]
    assert by_script[2] == ["**two scripts**", "50.0", "25.0", "25.0", "1 of 1"]
    assert by_script[4][:2] == ["**SVO to SVO**", tables.MISSING] and by_script[6][:2] == ["**SVO to SOV**", "50.0"]


def exactly(encoder, scores):
    """One seed, fifty sentences of four words, each with the same share of correct ones."""
    counts = {code: np.tile([int(4 * score), 4], (50, 1)) for code, score in scores.items()}
    return pd.DataFrame([dict(encoder=encoder, task="pos", train="en", evaluate=code, seed=1, score=100 * score,
                              counts=counts[code]) for code, score in scores.items()])  # fmt: skip


@pytest.mark.parametrize("origins, sentence", [(["recorded"] * 2, "Recorded results, not computed here."), (["computed here"] * 2, ""),
                                               (["recorded", "computed here"], "In part recorded results, not computed here.")])
def test_tables_say_what_was_not_computed_here(origins, sentence):
    assert tables.origin(pd.DataFrame({"origin": origins})) == sentence


def test_what_lacks_for_one_reason_is_said_once():
    frame = pd.DataFrame()
    frame.attrs["unavailable"] = {"de": "buy it", "en": "find it", "pt_br": "buy it"}
    assert tables.unavailable(frame) == ["Not available: DE, PT-BR: buy it", "Not available: EN: find it"]
