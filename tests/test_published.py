"""The paper's numbers: checks that a mistyped digit or a swapped row would fail."""

import re
from pathlib import Path

import numpy as np
import pytest
from crosslingual import languages, published
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

TABLES = [TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5A, TABLE_5B, TABLE_6, TABLE_7, TABLE_8]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.attrs["caption"])
def test_every_table_says_what_it_measures(table):
    assert {"caption", "section", "metric", "task", "encoder", "source"} <= table.attrs.keys()
    assert table.stack().dropna().between(20, 100).all()


@pytest.mark.parametrize(
    "table", [TABLE_1, TABLE_2, TABLE_4, TABLE_7, TABLE_8], ids=lambda t: t.attrs["caption"]
)
def test_rows_and_columns_are_the_same_languages(table):
    assert list(table.index) == list(table.columns)
    assert all(code in languages.table().index for code in table.columns)


def test_table_3_repeats_the_diagonal_of_table_7():
    assert list(TABLE_3.loc["EN-BERT"]) == list(np.diag(TABLE_7))


def test_table_4_agrees_with_table_2_to_one_decimal():
    assert TABLE_4.at["en", "en"] == pytest.approx(TABLE_2.at["en", "en"], abs=0.05)
    assert (
        TABLE_4.at["ur", "hi"] == 91.1 and TABLE_4.at["hi", "ur"] == 85.9 and np.isnan(TABLE_4.at["hi", "en"])
    )


def test_what_the_text_says_about_the_tables_holds():
    assert (TABLE_2.stack() > 80).all()  # the text: all pairs above 80 %
    for table in (TABLE_1, TABLE_2, TABLE_7, TABLE_8):
        assert (
            table.idxmax(axis=0) == table.columns
        ).all()  # the own language is the best teacher in every column
    for table in (TABLE_5A, TABLE_5B):
        assert (table.idxmax(axis=1) == table.index).all()  # Table 5 is highest on the diagonal, read by rows
    assert TABLE_5A["SOV"].idxmax() == "SVO" and TABLE_5B["AN"].idxmax() == "NA"  # and not, read by columns


def test_code_switching_cells():
    assert TABLE_6.loc[("monolingual HI+EN", "M-BERT"), "transliterated"] == 50.41
    assert TABLE_6["corrected"].count() == 2 and TABLE_6["transliterated"].count() == 4


def test_external_numbers_cite_entries_of_the_bibliography():
    bibliography = (Path(__file__).parents[1] / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"@\w+\{([^,\s]+),", bibliography))
    cited = set(published.EXTERNAL.source.dropna()) | {
        published.SOURCE,
        published.EXTERNAL_BY_FEATURES.attrs["source"],
    }
    assert cited <= keys


def test_external_means_lie_within_their_seeds():
    seeds = published.EXTERNAL.dropna(subset=["low", "high"])
    assert len(seeds) == 4 and (seeds.low < seeds.value).all() and (seeds.value < seeds.high).all()
