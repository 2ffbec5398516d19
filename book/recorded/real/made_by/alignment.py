"""Words to word pieces and back: the first piece that carries text predicts (paper, section 2).

SentencePiece marks the space before a word, with a piece of its own where it has to; that piece
predicts nothing here. On request words are fed as they stand in text: whether a space stands before
a word is then told from its characters and those of the word before it. A WordPiece tokenizer,
which drops spaces, gives the same rows and places whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any
from unicodedata import category

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = (
    2  # bump when `encode` gives other rows or positions for the same text: it is in every key
)


SPACE = "\u2581"  # how SentencePiece marks a space before a piece
CLOSING = frozenset(
    ".,;:!?…‥·\u0387،؛؟۔।॥։׃።፣፤"
)  # punctuation that follows a word without a space, brackets and quotes aside
OPENING = frozenset("¿¡")
# First and last code points of scripts that are written without spaces between words, their punctuation and full-width forms
# included: Thai, Lao; Myanmar; Khmer; kana, Han and their signs; compatibility and half-width forms; further planes of Han.
SPACELESS = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FFF),
    (0x3000, 0x312F),
    (0x31A0, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFF9F),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
HANGUL = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC))
AS_IN_TEXT, EACH = "as in text", "each"  # before which words a space is fed
WITH_TEXT, FIRST = "with text", "first"  # which of a word's pieces predicts


class AlignmentError(ValueError):
    """Text that cannot be turned into rows of word pieces."""


class CoverageError(AlignmentError):
    """A word would get no prediction, or more than one."""


@dataclass(frozen=True)
class Encoded:
    """Sentences as rows of word-piece ids, and where each word's predicting piece is.

    rows: input ids, special tokens included; a long sentence has several rows.
    row, position: arrays [n_words], the row and the place in it of each word's predicting piece; the words are
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
        return [
            list(values[end - length : end]) for end, length in zip(ends, self.lengths, strict=True)
        ]


def encode(
    tokenizer: PreTrainedTokenizerFast,
    sentences: Sequence[Sequence[str]],
    max_length: int,
    spaces: str = EACH,
    predicts: str = WITH_TEXT,
) -> Encoded:
    """Encode sentences given as lists of words.

    A sentence of more than `max_length` pieces (special tokens included) is split at word
    boundaries, never truncated. Only a single word that is longer than a whole row loses pieces,
    and never its first. A word that yields no pieces is fed as the unknown token.
    spaces: EACH word has one before it, or AS_IN_TEXT. predicts: the FIRST piece, or the first one
        WITH_TEXT, not the sign of a space alone, unless the word has nothing else.

    Raises AlignmentError when `max_length` leaves no room for text, CoverageError when a word is
    not covered.
    """
    prefix, suffix = special_tokens(tokenizer)
    room = max_length - len(prefix) - len(suffix)
    if room < 1:
        raise AlignmentError(f"max_length={max_length} leaves no room for text; give more.")
    marked = [_marked(sentence, spaces) for sentence in sentences]
    pieces = word_pieces(tokenizer, {word for sentence in marked for word in sentence})
    pieces = {word: ids[:room] for word, ids in pieces.items()}
    skipped = (
        leading_signs(tokenizer, pieces) if predicts == WITH_TEXT else dict.fromkeys(pieces, 0)
    )
    encoded = _rows(marked, pieces, skipped, prefix, suffix, room)
    check_coverage(encoded)
    return encoded


def _marked(sentence: Sequence[str], spaces: str) -> list[tuple[str, bool]]:
    return spaced_words(sentence) if spaces == AS_IN_TEXT else [(word, True) for word in sentence]


def _rows(
    sentences: Sequence[Sequence[tuple[str, bool]]],
    pieces: dict[tuple[str, bool], list[int]],
    skipped: dict[tuple[str, bool], int],
    prefix: list[int],
    suffix: list[int],
    room: int,
) -> Encoded:
    """Rows of at most `room` pieces beside the special ones, and the places of the words' pieces."""
    rows: list[list[int]] = []
    places: list[tuple[int, int, int, int]] = []
    for index, sentence in enumerate(sentences):
        for start, chunk in _chunks([pieces[word] for word in sentence], room):
            words = range(start, start + len(chunk))
            offsets = accumulate(map(len, chunk), initial=len(prefix))
            places += [
                (len(rows), at + skipped[sentence[i]], index, i)
                for i, at in zip(words, offsets)  # one offset more, the end of the last word
            ]
            rows.append([*prefix, *(piece for word in chunk for piece in word), *suffix])
    columns = np.array(places, dtype=np.int64).reshape(-1, 4).T
    return Encoded(rows, *columns, lengths=[len(sentence) for sentence in sentences])


def spaced_words(sentence: Sequence[str]) -> list[tuple[str, bool]]:
    """Each word, and whether a space stands before it in text; before the first one it does, as tokenizers have it."""
    return [(word, True) for word in sentence[:1]] + [
        (word, space_between(before, word)) for before, word in pairwise(sentence)
    ]


def space_between(before: str, word: str) -> bool:
    """Whether a space stands between two words of running text, told from their characters.

    None beside a character of a script without spaces, except where the other one is Hangul, which has them; none
    before closing punctuation and after opening brackets and quotes. Straight quotes, dashes and slashes, of which
    the characters do not tell, are taken for words.
    """
    scripts = _script(before[-1:]), _script(word[:1])
    if "spaceless" in scripts and "hangul" not in scripts:
        return False
    return not (_closes(word) or _opens(before))


@cache
def _script(character: str) -> str:
    """ "spaceless", "hangul" or "", of one character or none."""
    named = (("hangul", HANGUL), ("spaceless", SPACELESS))
    return next(
        (
            name
            for name, ranges in named
            if character and any(a <= ord(character) <= b for a, b in ranges)
        ),
        "",
    )


@cache
def _closes(word: str) -> bool:
    return bool(word) and all(
        character in CLOSING or category(character) in ("Pe", "Pf") for character in word
    )


@cache
def _opens(word: str) -> bool:
    return bool(word) and all(
        character in OPENING or category(character) in ("Ps", "Pi") for character in word
    )


def word_pieces(
    tokenizer: PreTrainedTokenizerFast, words: Iterable[tuple[str, bool]]
) -> dict[tuple[str, bool], list[int]]:
    """Piece ids of each (word, whether a space is before it), at least one per word.

    Cheap: a corpus costs as much as its vocabulary. The space matters to SentencePiece, which marks it, and to
    byte-level tokenizers, which get one before every word; BERT's drops it.
    """
    types = sorted(set(words))
    if not types:
        return {}
    found = dict(zip(types, _ids_after_space(tokenizer, [word for word, _ in types]), strict=True))
    if marks_spaces(tokenizer):
        found |= {key: _ids_without_space(tokenizer, key[0]) for key in types if not key[1]}
    if tokenizer.unk_token_id is None and (
        empty := [word for (word, _), ids in found.items() if not ids]
    ):
        raise AlignmentError(
            f"{empty[0]!r} has no pieces and the tokenizer no unknown token; set its unk_token."
        )
    return {key: pieces or [tokenizer.unk_token_id] for key, pieces in found.items()}


def marks_spaces(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether the tokenizer marks a space before a word as SentencePiece does."""
    return tokenizer.tokenize(" a")[:1] in ([SPACE], [SPACE + "a"])


def _ids_after_space(tokenizer: PreTrainedTokenizerFast, words: Sequence[str]) -> list[list[int]]:
    return tokenizer(
        [f" {word}" for word in words],
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )["input_ids"]


def _ids_without_space(tokenizer: PreTrainedTokenizerFast, word: str) -> list[int]:
    """Piece ids of a word that continues the text before it; spaces inside it are marked."""
    backend = tokenizer.backend_tokenizer
    text = backend.normalizer.normalize_str(word) if backend.normalizer else word
    marked = SPACE.join(text.split())
    return [token.id for token in backend.model.tokenize(marked)] if marked else []


def leading_signs(
    tokenizer: PreTrainedTokenizerFast, pieces: dict[tuple[str, bool], list[int]]
) -> dict[tuple[str, bool], int]:
    """How many pieces at a word's beginning are the sign of a space alone; 0 for nothing else."""
    sign = tokenizer.convert_tokens_to_ids(SPACE) if marks_spaces(tokenizer) else None
    first = {
        word: (i for i, piece in enumerate(ids) if piece != sign) for word, ids in pieces.items()
    }
    return {word: next(found, 0) for word, found in first.items()}


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
