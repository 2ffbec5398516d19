from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, published, tables, typology
from crosslingual.corpora import CorpusUnavailable, digest
from datasets import Dataset
from fabricated import ARTIFICIAL, REAL, matrix

CONLL = ["en", "de", "nl", "es"]


@pytest.fixture(scope="module")
def ner():
    return matrix(lambda a, b: 0.9 if a == b else 0.6, CONLL, task="ner")


def rows_of(table, title):
    start = next(i for i, row in enumerate(table.rows) if row[0] == title)
    return table.rows[start : start + 4]


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
    assert table.rows[0] == ["monolingual HI+EN · M-BERT", "86.59", "50.41"]
    assert table.rows[1][1:] == [tables.MISSING, "77.40"]
    assert table.rows[4][0] == "**M-BERT on HI+EN, ours**"


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
