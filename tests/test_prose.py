"""Phrases must be true of the numbers they are made from."""

import numpy as np
import pandas as pd
import pytest
from crosslingual import prose
from crosslingual.editions import Edition


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


def test_encoders_are_told_with_their_size_and_what_they_read():
    told = prose.encoders(Edition.load("pocket", kept=True))
    assert told.startswith("M-BERT has 2.5 million weights and was shown 51.") and "; EN-BERT has 1.1 million weights" in told


def test_a_much_smaller_code_switched_text_is_told(monkeypatch):
    sizes = {"corrected": 192, "hi+en": 4000}
    monkeypatch.setattr(prose, "statistics", lambda _, task, text, split: {"sentences": sizes[text] if split == "train" else 39})
    assert "only 192 code-switched sentences to train on here, against 4,000" in prose.unequal_texts(None)
    sizes["corrected"] = 2000
    assert prose.unequal_texts(None) == ""


def test_listing_reads_as_a_sentence():
    assert [prose.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none", "a", "a and b", "a, b and c"]  # fmt: skip
