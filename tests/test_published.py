"""The paper's numbers: checks that a mistyped digit or a swapped row would fail."""

import numpy as np
import pytest
from crosslingual import languages
from crosslingual.published import (
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5A,
    TABLE_5B,
    TABLE_6,
    TABLE_7,
    TABLE_8,
)

MATRICES = [TABLE_1, TABLE_2, TABLE_4, TABLE_7, TABLE_8]


@pytest.mark.parametrize("table", MATRICES, ids=lambda table: table.attrs["caption"])
def test_rows_and_columns_are_the_same_languages_and_values_are_percentages(table):
    assert list(table.index) == list(table.columns)
    assert all(code in languages.table().index for code in table.columns)
    assert table.stack().dropna().between(20, 100).all()


def test_table_3_repeats_the_diagonal_of_table_7():
    assert list(TABLE_3.loc["EN-BERT"]) == list(np.diag(TABLE_7))


def test_table_4_agrees_with_table_2_to_one_decimal():
    assert TABLE_4.at["en", "en"] == pytest.approx(TABLE_2.at["en", "en"], abs=0.05)
    assert TABLE_4.at["ur", "hi"] == 91.1 and TABLE_4.at["hi", "ur"] == 85.9
    assert np.isnan(TABLE_4.at["hi", "en"])


def test_what_the_text_says_about_the_tables_holds():
    assert (TABLE_2.stack() > 80).all()
    for table in (TABLE_1, TABLE_2, TABLE_7, TABLE_8):
        assert (table.idxmax(axis=0) == table.columns).all()  # the own language teaches best
    for table in (TABLE_5A, TABLE_5B):
        assert (table.idxmax(axis=1) == table.index).all()  # highest on the diagonal, by rows
    assert TABLE_5A["SOV"].idxmax() == "SVO" and TABLE_5B["AN"].idxmax() == "NA"  # not by columns


def test_code_switching_cells():
    assert TABLE_6.loc[("monolingual HI+EN", "M-BERT"), "transliterated"] == 50.41
    assert TABLE_6["corrected"].count() == 2 and TABLE_6["transliterated"].count() == 4
