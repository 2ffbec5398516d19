"""Attested word order, what languages share, and the consistency of the word-order table."""

import csv
import math
import os
from pathlib import Path

import pytest
from crosslingual import languages, typology

REAL = os.environ.get("CROSSLINGUAL_DATA")
DEFINITE = {"81A": {"SVO", "SOV", "VSO"}, "85A": {"Prepositions", "Postpositions"}}


def test_hand_worked_pairs():
    assert typology.common_features("hi", "ja") == 6
    assert typology.common_features("en", "hi") == 3  # 87A, 88A, 89A
    assert (
        typology.common_features("en", "bg") == 6
    )  # "No dominant order" of genitives (86A) counts as shared
    assert typology.common_features("gl", "es") == 0  # WALS has nothing on Galician


def test_a_language_shares_with_itself_exactly_what_is_attested():
    for code in languages.table().index:
        assert typology.common_features(code, code) == len(typology.attested(code))
    assert len(typology.attested("pt")) == 5 and not typology.attested("sk")


def test_shared_counts_are_symmetric_and_labelled():
    counts = typology.shared(["en", "ar", "tr"])
    assert counts.equals(counts.T) and counts.at["en", "tr"] == typology.common_features("en", "tr")


def test_a_gap_is_no_difference_in_the_share_of_attested_features():
    assert typology.common_features("pt", "es") == 5 and typology.likeness("pt", "es") == 1  # 89A is missing
    assert typology.likeness("en", "hi") == 3 / 6 and math.isnan(typology.likeness("gl", "es"))


def test_without_a_dominant_order_nothing_is_in_common():
    assert typology.common_orders("en", "bg") == typology.common_features("en", "bg") - 1  # genitives (86A)
    assert typology.common_orders("de", "el") == typology.common_features("de", "el") - 1  # 81A
    assert typology.common_orders("hi", "ja") == typology.common_features("hi", "ja") == 6


def test_entries_are_named_and_those_of_several_languages_marked():
    entries = typology.entries()
    assert list(entries.index) == languages.POS_LANGUAGES
    assert (entries.wals_code == languages.table().wals_code[entries.index]).all()
    assert not entries.own[entries.wals_code.duplicated(keep=False)].any()
    assert {code for code in entries.index if not typology.own_entry(code)} == {
        "ar", "hr", "no_bokmaal", "no_nynorsk", "pt", "pt_br"
    }  # fmt: skip
    assert entries.note[~entries.own].str.len().min() > 0 and "Modern Standard" in entries.name["ar"]


def test_order_groups_are_the_papers():
    assert {typology.order_group(code) for code in ("gl", "zh", "no_nynorsk")} == {"SVO"}
    assert typology.order_group("eu") == "SOV"
    assert [typology.order_group(code) for code in ("de", "nl", "el", "hu", "ar", "bn")] == [None] * 6
    assert len(languages.SVO) == 26 and len(languages.SOV) == 10


def test_adjective_groups_follow_wals():
    assert typology.adjective_group("en") == "AN" and typology.adjective_group("eu") == "NA"
    assert typology.adjective_group("gl") is None


def test_other_readings_of_adjective_groups_differ_where_the_atlas_is_silent_or_ambiguous():
    assert [typology.assumed_adjective_group(code) for code in ("gl", "sk", "en", "eu")] == ["NA", "AN", "AN", "NA"]
    assert typology.own_adjective_group("en") == "AN" and typology.own_adjective_group("gl") is None
    assert typology.adjective_group("no_nynorsk") == "AN" and typology.own_adjective_group("no_nynorsk") is None


def test_paper_and_wals_never_name_opposite_orders():
    for code in languages.SVO + languages.SOV:
        assert typology.attested(code).get("81A", typology.order_group(code)) == typology.order_group(code)


def test_every_language_can_be_generated():
    table = typology.word_order()
    assert not table.duplicated(["language", "feature", "kind"]).any()
    usable = table[~((table.kind == "attested") & table.value.isin(["No dominant order", "Mixed"]))]
    for code in languages.table().index:
        assert set(usable.feature[usable.language == code]) == set(typology.FEATURES), code


def test_attested_values_name_the_entry_of_the_language_table():
    rows = typology.word_order().query("kind == 'attested'")
    expected = rows.language.map(lambda code: f"WALS {languages.table().at[code, 'wals_code']}")
    assert (rows.note == expected).all()


def test_unknown_language_is_refused():
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        typology.attested("xx")


@pytest.mark.skipif(not REAL, reason="CROSSLINGUAL_DATA is not set: the WALS extract is not at hand")
def test_attested_values_equal_the_wals_extract():
    path = Path(REAL) / "wals" / "wals_41_one_per_language.csv"
    for row in csv.DictReader(path.open(encoding="utf-8")):
        values = {feature: row[f"{feature}_name"] for feature in typology.FEATURES if row[f"{feature}_name"]}
        assert typology.attested(row["lang"]) == values
