import numpy as np
import pandas as pd
import pytest
from crosslingual import prose


@pytest.mark.parametrize(("hits", "text"), [
    ([True, True], "all 2"), ([True, False, True], "2 of the 3"), ([False], "none of the 1"), ([], "none of the 0"),
])  # fmt: skip
def test_share(hits, text):
    assert prose.share(hits) == text


def test_versus_knows_ties_and_gaps():
    assert [prose.versus(a, b, margin=1) for a, b in [(3, 1), (1, 3), (2, 3), (np.nan, 1)]] == [
        "above", "below", "level with", "not comparable with"]  # fmt: skip


def test_listing():
    assert [prose.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none", "a", "a and b", "a, b and c"]  # fmt: skip


def test_verdicts_name_what_is_not_supported():
    ledger = pd.DataFrame({"verdict": ["supported", "undecided", "contradicted"]}, index=["a", "b", "c"])
    assert prose.verdicts(ledger) == "1 of the 3 supported; contradicted: c; undecided: b"
