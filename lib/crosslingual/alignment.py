"""Words to word pieces and back: the first piece of a word predicts its label (paper, section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = 1  # bump when `encode` gives other rows or positions for the same text: it is in every key


class AlignmentError(ValueError):
    """Text that cannot be turned into rows of word pieces."""


class CoverageError(AlignmentError):
    """A word would get no prediction, or more than one."""


@dataclass(frozen=True)
class Encoded:
    """Sentences as rows of word-piece ids, and where each word's first piece is.

    rows: input ids, special tokens included; a long sentence has several rows.
    row, position: arrays [n_words], the row and the place in it of each word's first piece; the words are
        in text order, so `row` never decreases.
    sentence, word: arrays [n_words], which sentence a word is in and which word of it it is.
    lengths: words per sentence.
    """

    rows: list[list[int]]
    row: np.ndarray
    position: np.ndarray
    sentence: np.ndarray
    word: np.ndarray
    lengths: list[int]

    def by_sentence(self, values: Sequence[Any]) -> list[list[Any]]:
        """Cut one value per word, in text order, into one list per sentence."""
        ends = list(accumulate(self.lengths))
        return [list(values[end - length:end]) for end, length in zip(ends, self.lengths, strict=True)]


def encode(
    tokenizer: PreTrainedTokenizerFast, sentences: Sequence[Sequence[str]], max_length: int
) -> Encoded:
    """Encode sentences given as lists of words.

    A sentence of more than `max_length` pieces (special tokens included) is split at word boundaries, never
    truncated. Only a single word that is longer than a whole row loses pieces, and never its first. A word
    that yields no pieces (a zero-width space, say) is fed as the unknown token.

    Raises AlignmentError when `max_length` leaves no room for text, CoverageError when a word is not covered.
    """
    prefix, suffix = special_tokens(tokenizer)
    room = max_length - len(prefix) - len(suffix)
    if room < 1:
        raise AlignmentError(f"max_length={max_length} leaves no room beside the special tokens; give more.")
    pieces = word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    rows: list[list[int]] = []
    places: list[tuple[int, int, int, int]] = []
    for index, sentence in enumerate(sentences):
        for start, chunk in _chunks([pieces[word][:room] for word in sentence], room):
            offsets = accumulate(map(len, chunk), initial=len(prefix))
            places += [(len(rows), at, index, start + i) for i, at in zip(range(len(chunk)), offsets)]
            rows.append([*prefix, *(piece for word in chunk for piece in word), *suffix])
    columns = np.array(places, dtype=np.int64).reshape(-1, 4).T
    encoded = Encoded(rows, *columns, lengths=[len(sentence) for sentence in sentences])
    check_coverage(encoded)
    return encoded


def word_pieces(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> dict[str, list[int]]:
    """Piece ids of each word as it reads after a space, at least one per word.

    One call for all word types, so a corpus costs as much as its vocabulary. The space matters to byte-level
    and SentencePiece tokenizers, which mark it; BERT's drops it.
    """
    types = sorted(set(words))
    if not types:
        return {}
    ids = tokenizer([f" {word}" for word in types], add_special_tokens=False, return_attention_mask=False,
                    return_token_type_ids=False, verbose=False)["input_ids"]
    if not all(ids) and tokenizer.unk_token_id is None:
        word = types[ids.index([])]
        raise AlignmentError(f"{word!r} has no pieces and the tokenizer no unknown token; set its unk_token.")
    return {word: pieces or [tokenizer.unk_token_id] for word, pieces in zip(types, ids, strict=True)}


def special_tokens(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Ids the tokenizer puts before and after a sentence ([CLS] and [SEP] in BERT)."""
    # The added tokens are told from the text by the mask, since a letter may itself encode to [UNK].
    sample = tokenizer("a", return_special_tokens_mask=True)
    ids, added = sample["input_ids"], sample["special_tokens_mask"]
    first, last = added.index(0), len(added) - added[::-1].index(0)
    return ids[:first], ids[last:]


def check_coverage(encoded: Encoded) -> None:
    """Assert that every word of every sentence has exactly one first piece, inside its row.

    Raises CoverageError naming the first sentence at fault.
    """
    expected = np.repeat(np.arange(len(encoded.lengths)), encoded.lengths)
    words = np.concatenate([np.arange(0), *map(np.arange, encoded.lengths)])
    if len(expected) != len(encoded.sentence) or (expected != encoded.sentence).any():
        counts = np.bincount(encoded.sentence, minlength=len(encoded.lengths))
        wrong = int(np.argmax(counts != np.array(encoded.lengths)))
        length = encoded.lengths[wrong]
        raise CoverageError(f"Sentence {wrong} has {length} words, {counts[wrong]} are covered.")
    widths = np.array([len(row) for row in encoded.rows], dtype=np.int64)
    if (words != encoded.word).any() or (encoded.position >= widths[encoded.row]).any():
        raise CoverageError("A word is covered twice or lies outside its row.")


def _chunks(words: list[list[int]], room: int) -> Iterator[tuple[int, list[list[int]]]]:
    """Yield (index of the first word, words) for each row a sentence needs."""
    start = used = 0
    for index, pieces in enumerate(words):
        if used + len(pieces) > room:
            yield start, words[start:index]
            start, used = index, 0
        used += len(pieces)
    if words:
        yield start, words[start:]
