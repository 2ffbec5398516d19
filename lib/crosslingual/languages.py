"""The paper's languages: names, scripts, families, word order, and lists that its tables use.

Word order is six features of WALS (paper, section 4.1), from its CLDF release
(github.com/cldf-datasets/wals, commit 3a9efd69074e; CC BY 4.0), one entry a language. Where WALS is
silent, ``data/word_order.csv`` has what grammars say ("assumed"), for `assumed_adjective_group`.
"""

from functools import cache
from importlib.resources import files

import pandas as pd

DATA = files("crosslingual") / "data"
FEATURES = ["81A", "85A", "86A", "87A", "88A", "89A"]
NO_ORDER = {"No dominant order", "Mixed"}
ADJECTIVE_GROUPS = {"Adjective-Noun": "AN", "Noun-Adjective": "NA"}


class UnknownLanguage(ValueError):
    """A code that the table of languages does not have."""


@cache
def table() -> pd.DataFrame:
    """One row a language, by code: name, script, script_name, family, branch, wals_code, pos, ...

    Codes are Universal Dependencies' own, as the CoNLL 2017 shared task spelled them (``pt_br``).
    """
    return pd.read_csv(DATA / "languages.csv", keep_default_na=False).set_index("code")


def declare(code: str, row: dict[str, str], features: dict[str, str]) -> None:
    """Add a language to the table and its word order, for this process.

    row: name, script, family, order_group; features: values of WALS, by feature. Raises ValueError
    for a code that stands for another language, and for a value that the feature has nowhere.
    """
    known = word_order().groupby("feature").value.agg(lambda values: sorted({*values} - {""}))
    for feature, value in features.items():
        if value not in known[feature]:
            choice = ", ".join(known[feature])
            raise ValueError(f"{code}'s {feature} of WALS is {choice}: choose one, or leave it out")
    about = dict.fromkeys(table().columns, "") | {"pos": 0, "ner16": 0} | row
    about["script_name"] = SCRIPT_NAMES.setdefault(row["script"], row["script"])
    if code in table().index and (dict(table().loc[code]), attested(code)) != (about, features):
        raise ValueError(f"{code!r} stands for {name(code)} already: choose another code")
    if code not in table().index:
        table().loc[code] = about
        for feature, value in features.items():
            word_order().loc[len(word_order())] = [code, feature, value, "attested", ""]


def check(code: str) -> str:
    """Return ``code``, or raise UnknownLanguage with a sentence that lists the known codes."""
    if code not in table().index:
        raise UnknownLanguage(f"unknown language {code!r}: choose from {' '.join(table().index)}")
    return code


def name(code: str) -> str:
    return table().at[check(code), "name"]


@cache
def script(code: str) -> str:
    """The language's ISO 15924 script code."""
    return table().at[check(code), "script"]


SCRIPT_NAMES = dict(zip(table().script, table().script_name))
POS_LANGUAGES = [code for code, row in table().iterrows() if row.pos]
NER16_LANGUAGES = [code for code, row in table().iterrows() if row.ner16]
CONLL_LANGUAGES = ["en", "de", "nl", "es"]


@cache
def word_order() -> pd.DataFrame:
    """language, feature, value, kind ("attested" by WALS or "assumed" by us), note."""
    return pd.read_csv(DATA / "word_order.csv", keep_default_na=False)


@cache
def attested(code: str) -> dict[str, str]:
    """The language's WALS values by feature; a feature that WALS leaves open is missing."""
    rows = word_order().query(f"kind == 'attested' and language == '{check(code)}'")
    return dict(zip(rows.feature, rows.value))


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
    entries = pd.read_csv(DATA / "wals_entries.csv")
    return check(code) in set(entries.language[entries.own == 1])


def shared(codes: list[str]) -> pd.DataFrame:
    """Common features of every ordered pair, a symmetric frame [len(codes), len(codes)] (0-6)."""
    rows = [[common_features(a, b) for b in codes] for a in codes]
    return pd.DataFrame(rows, index=codes, columns=codes)


@cache
def order_group(code: str) -> str | None:
    """The paper's own grouping (Table 5a): "SVO", "SOV", or None for one in neither list."""
    return table().at[check(code), "order_group"] or None


def adjective_group(code: str) -> str | None:
    """By attested WALS 87A, as the paper never lists Table 5b's members: "AN", "NA" or None."""
    return ADJECTIVE_GROUPS.get(attested(code).get("87A"))


def assumed_adjective_group(code: str) -> str | None:
    """`adjective_group`, and what grammars say of a language that WALS is silent about."""
    values = word_order().query("feature == '87A'").set_index("language").value
    return ADJECTIVE_GROUPS.get(values.get(check(code)))


def own_adjective_group(code: str) -> str | None:
    """`adjective_group` of languages with an entry of their own in the atlas; None for others."""
    return adjective_group(code) if own_entry(code) else None
