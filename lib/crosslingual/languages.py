"""The paper's languages: names, scripts, families and the lists its tables use (paper, section 2 and Table 5)."""

from functools import cache
from importlib.resources import files

import pandas as pd

DATA = files("crosslingual") / "data"


class UnknownLanguage(ValueError):
    """A language code that the table of languages does not have."""


@cache
def table() -> pd.DataFrame:
    """One row per language, indexed by code: name, script, family, branch, wals_code, pos, ner16, order_group.

    Codes are Universal Dependencies' own, as the CoNLL 2017 shared task spelled them (``no_bokmaal``, ``pt_br``).
    ``order_group`` is the paper's own SVO/SOV membership (Table 5), empty where the paper lists neither.
    """
    return pd.read_csv(DATA / "languages.csv", keep_default_na=False).set_index("code")


def check(code: str) -> str:
    """Return ``code``, or raise UnknownLanguage with a sentence that lists the known codes."""
    if code not in table().index:
        raise UnknownLanguage(f"unknown language {code!r}: choose from {' '.join(table().index)}")
    return code


def name(code: str) -> str:
    return table().at[check(code), "name"]


def script(code: str) -> str:
    """The language's ISO 15924 script code."""
    return table().at[check(code), "script"]


# ISO 15924's codes in words.
SCRIPT_NAMES = dict(
    Arab="Arabic", Beng="Bengali", Cyrl="Cyrillic", Deva="Devanagari", Grek="Greek", Hans="Chinese",
    Hebr="Hebrew", Jpan="Japanese", Kore="Korean", Latn="Latin", Taml="Tamil", Telu="Telugu",
)  # fmt: skip
POS_LANGUAGES = [code for code, row in table().iterrows() if row.pos]
NER16_LANGUAGES = [code for code, row in table().iterrows() if row.ner16]
CONLL_LANGUAGES = ["en", "de", "nl", "es"]
SVO = [code for code, row in table().iterrows() if row.order_group == "SVO"]
SOV = [code for code, row in table().iterrows() if row.order_group == "SOV"]
