"""The paper's languages: names, scripts, families, word order, and lists that its tables use.

Word order is six features of WALS (paper, section 4.1), from its CLDF release
(github.com/cldf-datasets/wals, commit 3a9efd69074e; CC BY 4.0), one entry a language. Where WALS is
silent, ``data/word_order.csv`` has what grammars say ("assumed"), for `assumed_adjective_group`.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # checking an edition must not wait for it
    import pandas as pd

DATA = files("crosslingual") / "data"
FEATURES = ["81A", "85A", "86A", "87A", "88A", "89A"]
NO_ORDER = {"No dominant order", "Mixed"}
ADJECTIVE_GROUPS = {"Adjective-Noun": "AN", "Noun-Adjective": "NA"}


class UnknownLanguage(ValueError):
    """A code that the table of languages does not have."""


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the book's own tables, a CSV in ``data``; all values are texts."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def facts() -> dict[str, dict[str, str]]:
    """By code: name, script, script_name, family, branch, wals_code, pos, ner16, order_group.

    Codes are Universal Dependencies' own, as the CoNLL 2017 shared task spelled them (``pt_br``).
    """
    return {row.pop("code"): row for row in rows("languages.csv")}


def table() -> pd.DataFrame:
    """`facts` as a frame, one row a language; pos and ner16 are 0 or 1."""
    import pandas as pd

    frame = pd.DataFrame.from_dict(facts(), orient="index").rename_axis("code")
    return frame.astype({"pos": int, "ner16": int})


def declare(code: str, row: dict[str, str], features: dict[str, str]) -> None:
    """Add a language to the table and its word order, for this process.

    row: name, script, family, order_group; features: values of WALS, by feature. Raises ValueError
    for a code that stands for another language, and for a value that the feature has nowhere.
    """
    for feature, value in features.items():
        known = {row["value"] for row in word_order() if row["feature"] == feature} - {""}
        if value not in known:
            choice = ", ".join(sorted(known))
            raise ValueError(f"{code}'s {feature} of WALS is {choice}: choose one, or leave it out")
    about = dict.fromkeys(facts()["en"], "") | {"pos": "0", "ner16": "0"} | row
    about["script_name"] = SCRIPT_NAMES.setdefault(row["script"], row["script"])
    if code in facts() and (facts()[code], attested(code)) != (about, features):
        raise ValueError(f"{code!r} stands for {name(code)} already: choose another code")
    if code not in facts():
        facts()[code] = about
        for feature, value in features.items():
            entry = {"language": code, "feature": feature, "value": value, "kind": "attested"}
            word_order().append(entry)


def check(code: str) -> str:
    """Return ``code``, or raise UnknownLanguage with a sentence that lists the known codes."""
    if code not in facts():
        raise UnknownLanguage(f"unknown language {code!r}: choose from {' '.join(facts())}")
    return code


def name(code: str) -> str:
    return facts()[check(code)]["name"]


def script(code: str) -> str:
    """The language's ISO 15924 script code."""
    return facts()[check(code)]["script"]


SCRIPT_NAMES = {row["script"]: row["script_name"] for row in facts().values()}
POS_LANGUAGES = [code for code, row in facts().items() if row["pos"] == "1"]
NER16_LANGUAGES = [code for code, row in facts().items() if row["ner16"] == "1"]
CONLL_LANGUAGES = ["en", "de", "nl", "es"]


@cache
def word_order() -> list[dict[str, str]]:
    """language, feature, value, kind ("attested" by WALS or "assumed" by us), note."""
    return rows("word_order.csv")


@cache
def attested(code: str) -> dict[str, str]:
    """The language's WALS values by feature; a feature that WALS leaves open is missing."""
    mine = {"language": check(code), "kind": "attested"}.items()
    return {row["feature"]: row["value"] for row in word_order() if mine <= row.items()}


def common_features(a: str, b: str) -> int:
    """How many of the six features (0-6) have one attested value, or no dominant order, in both."""
    return len(attested(a).items() & attested(b).items())


def likeness(a: str, b: str) -> float:
    """Common features as a share (0-1) of those that WALS attests in both; NaN if none."""
    both = attested(a).keys() & attested(b).keys()
    return common_features(a, b) / len(both) if both else float("nan")


def common_orders(a: str, b: str) -> int:
    """`common_features` (0-6) without those for which neither has a dominant order."""
    return sum(value not in NO_ORDER for _, value in attested(a).items() & attested(b).items())


@cache
def own_entry(code: str) -> bool:
    """Whether the atlas has just one entry for the language, and that for no other."""
    return check(code) in {row["language"] for row in rows("wals_entries.csv") if row["own"] == "1"}


def shared(codes: list[str]) -> pd.DataFrame:
    """Common features of every ordered pair, a symmetric frame [len(codes), len(codes)] (0-6)."""
    import pandas as pd

    counts = [[common_features(a, b) for b in codes] for a in codes]
    return pd.DataFrame(counts, index=codes, columns=codes)


def order_group(code: str) -> str | None:
    """The paper's own grouping (Table 5a): "SVO", "SOV", or None for one in neither list."""
    return facts()[check(code)]["order_group"] or None


def adjective_group(code: str) -> str | None:
    """By attested WALS 87A, as the paper never lists Table 5b's members: "AN", "NA" or None."""
    return ADJECTIVE_GROUPS.get(attested(code).get("87A"))


def assumed_adjective_group(code: str) -> str | None:
    """`adjective_group`, and what grammars say of a language that WALS is silent about."""
    values = {row["language"]: row["value"] for row in word_order() if row["feature"] == "87A"}
    return ADJECTIVE_GROUPS.get(values.get(check(code)))


def own_adjective_group(code: str) -> str | None:
    """`adjective_group` of languages with an entry of their own in the atlas; None for others."""
    return adjective_group(code) if own_entry(code) else None
