"""Attested word order, what languages share, and the consistency of the tables."""

import csv
import math
import os
from pathlib import Path

import pytest
from crosslingual import languages

DATA = os.environ.get("CROSSLINGUAL_DATA")


def test_hand_worked_pairs():
    assert languages.common_features("hi", "ja") == 6
    assert languages.common_features("en", "hi") == 3  # 87A, 88A, 89A
    assert languages.common_features("en", "bg") == 6  # genitives: "No dominant order" is shared
    assert languages.common_features("gl", "es") == 0  # WALS has nothing on Galician
    counts = languages.shared(["en", "ar", "bg"])
    assert counts.equals(counts.T) and counts.at["en", "bg"] == 6


def test_a_language_shares_with_itself_exactly_what_is_attested():
    for code in languages.table().index:
        assert languages.common_features(code, code) == len(languages.attested(code))
    assert len(languages.attested("pt")) == 5 and not languages.attested("sk")


def test_a_gap_is_no_difference_in_the_share_of_attested_features():
    assert languages.common_features("pt", "es") == 5 and languages.likeness("pt", "es") == 1
    assert languages.likeness("en", "hi") == 3 / 6 and math.isnan(languages.likeness("gl", "es"))


def test_without_a_dominant_order_nothing_is_in_common():
    for a, b, fewer in [("en", "bg", 1), ("de", "el", 1), ("hi", "ja", 0)]:
        assert languages.common_orders(a, b) == languages.common_features(a, b) - fewer


def test_entries_of_several_languages_are_marked():
    shared = {"ar", "hr", "no_bokmaal", "no_nynorsk", "pt", "pt_br"}
    assert {c for c in languages.POS_LANGUAGES if not languages.own_entry(c)} == shared
    assert not languages.own_entry("bn")  # no language of Table 5


def test_order_groups_are_the_papers():
    assert {languages.order_group(code) for code in ("gl", "zh", "no_nynorsk")} == {"SVO"}
    assert languages.order_group("eu") == "SOV" and languages.order_group("de") is None
    groups = languages.table().order_group
    assert (groups == "SVO").sum() == 26 and (groups == "SOV").sum() == 10


def test_readings_of_adjective_groups_differ_where_the_atlas_is_silent_or_ambiguous():
    groups = languages.adjective_group, languages.assumed_adjective_group
    assert [groups[0](code) for code in ("en", "eu", "gl", "sk")] == ["AN", "NA", None, None]
    assert [groups[1](code) for code in ("en", "eu", "gl", "sk")] == ["AN", "NA", "NA", "AN"]
    assert languages.adjective_group("no_nynorsk") == "AN"
    assert languages.own_adjective_group("no_nynorsk") is None


def test_paper_and_wals_never_name_opposite_orders():
    for code, group in languages.table().order_group.items():
        assert not group or languages.attested(code).get("81A", group) == group


def test_tables_name_scripts_and_entries_consistently():
    names = languages.table().groupby("script").script_name.nunique()
    assert (names == 1).all() and languages.SCRIPT_NAMES["Deva"] == "Devanagari"
    for row in languages.word_order():
        entry = f"WALS {languages.facts()[row['language']]['wals_code']}"
        assert row["kind"] == "assumed" or row["note"] == entry


def test_unknown_language_is_refused():
    for ask in (languages.attested, languages.name, languages.own_entry):
        with pytest.raises(languages.UnknownLanguage, match="unknown language 'xx': choose"):
            ask("xx")


@pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: no WALS extract")
def test_attested_values_equal_the_wals_extract():
    path = Path(DATA) / "wals" / "wals_41_one_per_language.csv"
    for row in csv.DictReader(path.open(encoding="utf-8")):
        named = {f: row[f"{f}_name"] for f in languages.FEATURES if row[f"{f}_name"]}
        assert languages.attested(row["lang"]) == named
