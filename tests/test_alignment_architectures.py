"""First pieces on text in ten scripts, proven against each tokenizer's own offsets in the running text."""

from __future__ import annotations

import numpy as np
import pytest
import zoo
from crosslingual import alignment
from hypothesis import given, settings
from hypothesis import strategies as st

LETTERS = sorted({letter for line in zoo.TEXT for letter in line} - {" "})
# Marks without a base, zero-width and control characters, emoji sequences, ligatures, what normalisation splits.
ODD = ["\u200b", "\u200d", "\u200e", "\ufeff", "\u00ad", "\x00", "\x7f", "\u0301", "\u0303\u0301", "\u093c",
       "\u3099", "\ufe0f", "👩\u200d🚀", "🇳🇱", "❤\ufe0f", "👍🏽", "ﬁ", "ﷺ", "Ω", "№", "½", "…", "x" * 60, "\U00013080", "\ud7ff",
       "a\u200bb", "\u200bв", "क\u200b", "\u202aab\u202c", "\u2028", "\u00a0", "1\u00a0000", "ｆｕｌｌ", "[UNK]", "<s>", "▁", "##a"]  # fmt: skip
WORDS = st.one_of(
    st.sampled_from([word for line in zoo.TEXT for word in line.split()]),
    st.text(alphabet=LETTERS, min_size=1, max_size=6),
    st.sampled_from(ODD),
    st.tuples(st.sampled_from(ODD), st.sampled_from(LETTERS), st.sampled_from(ODD)).map("".join),
)
architectures = pytest.mark.parametrize("architecture", zoo.TOKENIZERS)


def first_by_offsets(tokenizer, words: list[str]) -> tuple[list[int], dict[int, int]]:
    """Ids of the running text, and the place of each word's first piece as the offsets have it.

    A piece belongs to the word that its last character is in; a word is taken with the space before it, as that
    is where tokenizers with a word-start mark put it.
    """
    encoded = tokenizer("".join(f" {word}" for word in words), return_offsets_mapping=True, return_special_tokens_mask=True)
    ends = np.cumsum([len(word) + 1 for word in words])
    first: dict[int, int] = {}
    for place, (span, special) in enumerate(zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)):
        if not special:
            last = max(span[1] - 1, span[0])
            first.setdefault(int(np.searchsorted(ends, last, side="right")), place)
    return encoded["input_ids"], first


@architectures
@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_first_pieces_are_where_the_offsets_say(architecture, words):
    tokenizer = zoo.tokenizer(architecture)
    ids, first = first_by_offsets(tokenizer, words)
    encoded = alignment.encode(tokenizer, [words], max_length=5000)
    row, places = encoded.rows[0], dict(zip(encoded.word.tolist(), encoded.position.tolist(), strict=True))
    # Words of which the running text has no piece are fed as the unknown token: without these, the rows are equal.
    fed = sorted(place for word, place in places.items() if word not in first)
    assert all(row[place] == tokenizer.unk_token_id for place in fed)
    assert [piece for place, piece in enumerate(row) if place not in fed] == ids
    assert {word: place - sum(at < place for at in fed) for word, place in places.items() if word in first} == first
