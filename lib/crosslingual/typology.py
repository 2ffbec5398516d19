"""Word order as WALS attests it (paper, section 4.1): six features, what two languages share, groups.

Values are those of the atlas's CLDF release (github.com/cldf-datasets/wals, commit 3a9efd69074e; CC BY 4.0),
one entry a language. The table ``data/word_order.csv`` also holds assumptions for the artificial world;
only `assumed_adjective_group` reads them.
"""

from functools import cache

import pandas as pd

from crosslingual import languages

FEATURES = ["81A", "85A", "86A", "87A", "88A", "89A"]
NO_ORDER = {"No dominant order", "Mixed"}
ADJECTIVE_GROUPS = {"Adjective-Noun": "AN", "Noun-Adjective": "NA"}


@cache
def word_order() -> pd.DataFrame:
    """The whole table: language, feature, value, kind ("attested" by WALS or "assumed" by us), note."""
    return pd.read_csv(languages.DATA / "word_order.csv", keep_default_na=False)


@cache
def _attested() -> dict[str, dict[str, str]]:
    table = word_order().query("kind == 'attested'")
    return {code: dict(zip(rows.feature, rows.value)) for code, rows in table.groupby("language")}


def attested(code: str) -> dict[str, str]:
    """The language's WALS values by feature; a feature that WALS leaves open is missing."""
    return dict(_attested().get(languages.check(code), {}))


def common_features(a: str, b: str) -> int:
    """How many of the six features (0-6) have the same attested value in both languages.

    Two languages with "No dominant order" share that value. A feature attested in one only is not shared.
    """
    first, second = attested(a), attested(b)
    return sum(first[feature] == second.get(feature) for feature in first)


def likeness(a: str, b: str) -> float:
    """Common features as a share (0-1) of those that WALS attests in both; NaN if there are none."""
    both = attested(a).keys() & attested(b).keys()
    return common_features(a, b) / len(both) if both else float("nan")


def common_orders(a: str, b: str) -> int:
    """`common_features` (0-6) without those for which neither language has a dominant order."""
    first, second = attested(a), attested(b)
    return sum(value == second.get(feature) and value not in NO_ORDER for feature, value in first.items())


@cache
def entries() -> pd.DataFrame:
    """Which WALS entry stands for which language: index language; wals_code, name, own, note.

    ``own`` is false where the atlas has several entries for it, or one for it and another language.
    """
    table = pd.read_csv(languages.DATA / "wals_entries.csv", keep_default_na=False).set_index("language")
    return table.assign(own=table.own.astype(bool))


def own_entry(code: str) -> bool:
    """Whether the atlas has just one entry for the language, and that for no other."""
    return languages.check(code) in entries().index and bool(entries().own[code])


def shared(codes: list[str]) -> pd.DataFrame:
    """Common features of every ordered pair, a symmetric integer frame [len(codes), len(codes)]."""
    return pd.DataFrame([[common_features(a, b) for b in codes] for a in codes], index=codes, columns=codes)


def order_group(code: str) -> str | None:
    """The paper's own grouping (Table 5a): "SVO", "SOV", or None for a language in neither list."""
    return languages.table().at[languages.check(code), "order_group"] or None


def adjective_group(code: str) -> str | None:
    """By attested WALS 87A, as the paper never lists Table 5b's members: "AN", "NA" or None."""
    return ADJECTIVE_GROUPS.get(attested(code).get("87A"))


def assumed_adjective_group(code: str) -> str | None:
    """`adjective_group`, and for a language that WALS says nothing of what grammars do (``kind`` "assumed")."""
    table = word_order().query("feature == '87A'").set_index("language").value
    return ADJECTIVE_GROUPS.get(table.get(languages.check(code)))


def own_adjective_group(code: str) -> str | None:
    """`adjective_group` of languages that have an entry of their own in the atlas; None for the others."""
    return adjective_group(code) if own_entry(code) else None
