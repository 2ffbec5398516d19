"""Phrases must be true of the numbers they are made from."""

import numpy as np
import pandas as pd
import pytest
from crosslingual import prose


@pytest.mark.parametrize("hits, phrase", [
    ([True] * 3, "all 3"), ([False] * 3, "none of the 3"), ([True, False, True], "2 of the 3"), ([], "none of the 0"),
])  # fmt: skip
def test_share(hits, phrase):
    assert prose.share(hits) == phrase
    assert prose.share(np.array(hits, dtype=bool)) == phrase


def test_versus_calls_close_numbers_level_and_missing_ones_not_comparable():
    assert [prose.versus(2, 1), prose.versus(1, 2), prose.versus(1, 2, margin=1)] == ["above", "below", "level with"]
    assert prose.versus(np.nan, 1) == "not comparable with"


def test_extremes_name_their_pair():
    scores = pd.Series({("en", "ja"): 49.4, ("en", "bg"): 87.1})
    assert (prose.lowest(scores), prose.highest(scores)) == ("EN to JA (49.4)", "EN to BG (87.1)")
    assert prose.lowest(scores[:0]) == prose.span([]) == prose.NOTHING
    assert prose.span(scores) == "49.4 to 87.1"


def test_listing_reads_as_a_sentence():
    assert [prose.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none", "a", "a and b", "a, b and c"]  # fmt: skip
