"""The paper's numbers: checks that a mistyped digit or a swapped row would fail."""

import numpy as np
import pytest
from crosslingual import languages
from crosslingual import published as paper

MATRICES = [paper.TABLE_1, paper.TABLE_2, paper.TABLE_4, paper.TABLE_7, paper.TABLE_8]


@pytest.mark.parametrize("table", MATRICES, ids=lambda table: table.attrs["caption"])
def test_rows_and_columns_are_the_same_languages_and_values_are_percentages(table):
    assert list(table.index) == list(table.columns)
    assert all(code in languages.table().index for code in table.columns)
    assert table.stack().dropna().between(20, 100).all()


def test_table_3_repeats_the_diagonal_of_table_7():
    assert list(paper.TABLE_3.loc["EN-BERT"]) == list(np.diag(paper.TABLE_7))


def test_table_4_agrees_with_table_2_to_one_decimal():
    assert paper.TABLE_4.at["en", "en"] == pytest.approx(paper.TABLE_2.at["en", "en"], abs=0.05)
    assert paper.TABLE_4.at["ur", "hi"] == 91.1 and paper.TABLE_4.at["hi", "ur"] == 85.9
    assert np.isnan(paper.TABLE_4.at["hi", "en"])


def test_what_the_text_says_about_the_tables_holds():
    assert (paper.TABLE_2.stack() > 80).all()
    for table in (paper.TABLE_1, paper.TABLE_2, paper.TABLE_7, paper.TABLE_8):
        assert (table.idxmax(axis=0) == table.columns).all()  # the own language teaches best
    for table in (paper.TABLE_5A, paper.TABLE_5B):
        assert (table.idxmax(axis=1) == table.index).all()  # highest on the diagonal, by rows
    # Not by columns.
    assert paper.TABLE_5A["SOV"].idxmax() == "SVO" and paper.TABLE_5B["AN"].idxmax() == "NA"


def test_code_switching_cells():
    assert paper.TABLE_6.loc[("monolingual HI+EN", "M-BERT"), "transliterated"] == 50.41
    assert paper.TABLE_6["corrected"].count() == 2 and paper.TABLE_6["transliterated"].count() == 4
