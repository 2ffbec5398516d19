"""Words to word pieces and back: the first piece of a word predicts its label (paper, section 2).

What a vocabulary makes of text is measured here too: pieces a word, [UNK], and the overlap of the
pieces inside entities (section 3.1, Figure 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = 1  # bump when `encode` gives other rows or positions for the same text
OVERLAP_VERSION = 1  # bump when the overlap of the same entities comes out otherwise

Entity = tuple[str, ...]


class AlignmentError(ValueError):
    """Text that cannot be turned into rows of word pieces."""


class CoverageError(AlignmentError):
    """A word would get no prediction, or more than one."""


@dataclass(frozen=True)
class Encoded:
    """Sentences as rows of word-piece ids, and where each word's first piece is.

    rows: input ids, special tokens included; a long sentence has several rows.
    row, position: arrays [n_words], the row and the place in it of each word's first piece; the
        words are in text order, so `row` never decreases.
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
        cut = zip(ends, self.lengths, strict=True)
        return [list(values[end - length : end]) for end, length in cut]


def encode(
    tokenizer: PreTrainedTokenizerFast, sentences: Sequence[Sequence[str]], max_length: int
) -> Encoded:
    """Encode sentences given as lists of words.

    A sentence of more than `max_length` pieces (special tokens included) is split at word
    boundaries, never truncated. Only a single word that is longer than a whole row loses pieces,
    and never its first. A word that yields no pieces (a zero-width space, say) is fed as the
    unknown token.

    Raises AlignmentError when `max_length` leaves no room for text, CoverageError when a word is
    not covered.
    """
    prefix, suffix = special_tokens(tokenizer)
    room = max_length - len(prefix) - len(suffix)
    if room < 1:
        raise AlignmentError(
            f"max_length={max_length} leaves no room beside the special tokens; give more."
        )
    pieces = word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    rows: list[list[int]] = []
    places: list[tuple[int, int, int, int]] = []
    for index, sentence in enumerate(sentences):
        for start, chunk in _chunks([pieces[word][:room] for word in sentence], room):
            offsets = accumulate(map(len, chunk), initial=len(prefix))
            numbered = enumerate(zip(chunk, offsets, strict=False))
            places += [(len(rows), at, index, start + i) for i, (_, at) in numbered]
            rows.append([*prefix, *(piece for word in chunk for piece in word), *suffix])
    columns = np.array(places, dtype=np.int64).reshape(-1, 4).T
    encoded = Encoded(rows, *columns, lengths=[len(sentence) for sentence in sentences])
    check_coverage(encoded)
    return encoded


def word_pieces(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> dict[str, list[int]]:
    """Piece ids of each word as it reads after a space, at least one per word.

    One call for all word types, so a corpus costs as much as its vocabulary. The space matters to
    byte-level and SentencePiece tokenizers, which mark it; BERT's drops it.
    """
    types = sorted(set(words))
    if not types:
        return {}
    ids = tokenizer(
        [f" {word}" for word in types],
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )["input_ids"]
    if not all(ids) and tokenizer.unk_token_id is None:
        word = types[ids.index([])]
        raise AlignmentError(
            f"{word!r} has no pieces and the tokenizer no unknown token; set its unk_token."
        )
    return {word: found or [tokenizer.unk_token_id] for word, found in zip(types, ids, strict=True)}


def special_tokens(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Ids the tokenizer puts before and after a sentence ([CLS] and [SEP] in BERT).

    Raises AlignmentError for a tokenizer that makes nothing of the letter a.
    """
    # The added tokens are told from the text by the mask, since a letter may itself be [UNK].
    sample = tokenizer("a", return_special_tokens_mask=True)
    ids, added = sample["input_ids"], sample["special_tokens_mask"]
    if all(added):
        raise AlignmentError("the tokenizer makes no piece of the letter a: it is broken or empty")
    first, last = added.index(0), len(added) - added[::-1].index(0)
    return ids[:first], ids[last:]


def check_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise AlignmentError for a tokenizer that makes nothing of a letter, or hides its [UNK]."""
    special_tokens(tokenizer)
    if set(tokenizer.get_vocab().values()) <= set(tokenizer.all_special_ids):
        raise AlignmentError("the tokenizer has special tokens alone; its vocabulary is missing")
    # Two letters that hardly any vocabulary has: pieces of bytes would tell them apart.
    one, other = tokenizer(["\U00013080", "\U00013079"], add_special_tokens=False)["input_ids"]
    if one == other and tokenizer.unk_token_id is None:
        raise AlignmentError("the tokenizer does not say which piece is unknown; set its unk_token")


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


def measure(
    tokenizer: PreTrainedTokenizerFast, sentences: Sequence[Sequence[str]], max_length: int = 128
) -> dict[str, float]:
    """What a vocabulary makes of sentences given as lists of words.

    fertility: pieces a word. unk_share: of the pieces that are [UNK]. coverage: share of the words
    whose first piece lies within `max_length` pieces of the sentence's start, special tokens
    included: what is left of a text that is cut there, as this library does not.
    """
    ids = word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    room = max_length - sum(map(len, special_tokens(tokenizer)))
    lengths = [np.array([len(ids[word]) for word in sentence]) for sentence in sentences]
    starts = [np.cumsum(row) - row for row in lengths]
    unknown = {word: found.count(tokenizer.unk_token_id) for word, found in ids.items()}
    words, used = sum(map(len, sentences)), sum(int(row.sum()) for row in lengths)
    unknowns = sum(unknown[word] for sentence in sentences for word in sentence)
    covered = sum(int((row < room).sum()) for row in starts)
    return {"fertility": used / words, "unk_share": unknowns / used, "coverage": covered / words}


class EntityPieces(NamedTuple):
    """Word pieces used inside entities, the share of [UNK] among them, the number of entities."""

    types: set[str]
    unk_share: float
    entities: int


def entity_pieces(tokenizer: PreTrainedTokenizerFast, entities: Iterable[Entity]) -> EntityPieces:
    """The set E of the paper: pieces of all entity words, without special tokens and [UNK]."""
    entities = list(entities)
    words = [word for entity in entities for word in entity]
    ids_of = word_pieces(tokenizer, words)
    used = [piece for word in words for piece in ids_of[word]]
    unknown = sum(piece == tokenizer.unk_token_id for piece in used)
    ids = sorted(set(used) - set(tokenizer.all_special_ids))
    types = set(tokenizer.convert_ids_to_tokens(ids))
    return EntityPieces(types, unknown / len(used) if used else 0.0, len(entities))


def jaccard(a: set, b: set) -> float:
    """|a ∩ b| / |a ∪ b|, between 0 and 1; 0 for two empty sets, which share nothing."""
    return len(a & b) / len(a | b) if a or b else 0.0


def subsample(items: list[Entity], size: int, seed: int) -> list[Entity]:
    """``size`` entities drawn without replacement; raises ValueError where there are fewer."""
    if size > len(items):
        raise ValueError(
            f"cannot draw {size} entities from {len(items)}: ask for at most {len(items)}"
        )
    chosen = np.random.default_rng(seed).choice(len(items), size, replace=False)
    return [items[index] for index in chosen]


def overlaps(
    tokenizer: PreTrainedTokenizerFast,
    entities: dict[str, tuple[list[Entity], list[Entity]]],
    drawn: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Overlap of every ordered pair of languages, given the entities of training and test text.

    ``drawn`` takes that many from each side (0: all), because the Jaccard index falls when two sets
    differ in size. Columns: train, evaluate, overlap (0-1), unk_share (0-1, the larger of both
    sides), train_entities, evaluate_entities.
    """
    sides = {}
    for code, splits in entities.items():
        chosen = [subsample(items, drawn, seed) if drawn else items for items in splits]
        sides[code] = [entity_pieces(tokenizer, items) for items in chosen]
    rows = [(a, b, *_compare(sides[a][0], sides[b][1])) for a, b in permutations(sides, 2)]
    columns = ["train", "evaluate", "overlap", "unk_share", "train_entities", "evaluate_entities"]
    return pd.DataFrame(rows, columns=columns)


def _compare(train: EntityPieces, evaluate: EntityPieces) -> tuple[float, float, int, int]:
    unk_share = max(train.unk_share, evaluate.unk_share)
    return jaccard(train.types, evaluate.types), unk_share, train.entities, evaluate.entities
