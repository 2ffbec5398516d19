"""Words to word pieces and back: the first piece that carries text predicts (paper, section 2).

The overlap of the pieces inside entities is measured here too (section 3.1, Figure 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from crosslingual.models import ModelError, Sentences

if TYPE_CHECKING:  # checking an edition must not wait for them
    import pandas as pd
    from transformers import PreTrainedTokenizerFast

VERSION = 1  # bump when `encode` gives other rows or positions for the same text
OVERLAP_VERSION = 1  # bump when the overlap of the same entities comes out otherwise
SPACE = "\u2581"  # how SentencePiece writes the space before a word, as a piece or part of one

Entity = tuple[str, ...]


@dataclass(frozen=True)
class Encoded:
    """Sentences as rows of word-piece ids, and where the piece is that predicts a word's label.

    rows: input ids, special tokens included; a long sentence has several rows.
    row, position: arrays [n_words] in text order, where each word's predicting piece is.
    lengths: words per sentence.
    """

    rows: list[list[int]]
    row: np.ndarray
    position: np.ndarray
    lengths: list[int]

    def by_sentence(self, values: Sequence[Any]) -> list[list[Any]]:
        """Cut one value per word, in text order, into one list per sentence."""
        remaining = iter(values)
        return [list(islice(remaining, length)) for length in self.lengths]


def encode(tokenizer: PreTrainedTokenizerFast, sentences: Sentences, max_length: int) -> Encoded:
    """Encode sentences given as lists of words; each word once, at the first piece with text.

    A sentence of more than `max_length` pieces (special tokens included) is split between words;
    only a word that is longer than a row loses pieces, and never its first. A word without pieces
    is fed as the unknown token. Raises ModelError when `max_length` leaves no room for text.
    """
    prefix, suffix = special_tokens(tokenizer)
    room = max_length - len(prefix) - len(suffix)
    if room < 1:
        problem = f"max_length={max_length} leaves no room beside the special tokens"
        raise ModelError(f"{problem}; give more.")
    pieces = word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    sign, rows, places = _space_sign(tokenizer), [], []
    for sentence in sentences:
        for number, word in enumerate(sentence):
            ids = pieces[word][:room]
            if not number or len(rows[-1]) + len(ids) > len(prefix) + room:
                rows.append(list(prefix))
            # The sign of a space alone predicts only where a word has nothing else.
            with_text = next((i for i, piece in enumerate(ids) if piece != sign), 0)
            places.append((len(rows) - 1, len(rows[-1]) + with_text))
            rows[-1] += ids
    columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Encoded([row + suffix for row in rows], *columns, lengths=list(map(len, sentences)))


def _space_sign(tokenizer: PreTrainedTokenizerFast) -> int | None:
    """The piece of a space alone, if the tokenizer marks spaces as SentencePiece does."""
    marked = "".join(tokenizer.tokenize(" a")).startswith(SPACE)
    return tokenizer.backend_tokenizer.token_to_id(SPACE) if marked else None


def word_pieces(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> dict[str, list[int]]:
    """Piece ids, at least one, of each word as it reads after a space, which some mark."""
    if not (types := sorted(set(words))):
        return {}
    spaced = [f" {word}" for word in types]
    ids = tokenizer(spaced, add_special_tokens=False, verbose=False)["input_ids"]
    if not all(ids) and tokenizer.unk_token_id is None:
        problem = f"{types[ids.index([])]!r} has no pieces and the tokenizer no unknown token"
        raise ModelError(f"{problem}; set its unk_token.")
    return {word: found or [tokenizer.unk_token_id] for word, found in zip(types, ids, strict=True)}


def special_tokens(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Ids the tokenizer puts before and after a sentence ([CLS] and [SEP] in BERT).

    Raises ModelError for a tokenizer that makes nothing of the letter a.
    """
    # The added tokens are told from the text by the mask, since a letter may itself be [UNK].
    sample = tokenizer("a", return_special_tokens_mask=True)
    ids, added = sample["input_ids"], sample["special_tokens_mask"]
    if all(added):
        raise ModelError("the tokenizer makes no piece of the letter a: it is broken or empty")
    first, last = added.index(0), len(added) - added[::-1].index(0)
    return ids[:first], ids[last:]


def check_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise ModelError for a tokenizer that makes nothing of a letter, or hides its [UNK]."""
    special_tokens(tokenizer)
    if set(tokenizer.get_vocab().values()) <= set(tokenizer.all_special_ids):
        raise ModelError("the tokenizer has special tokens alone; its vocabulary is missing")
    # Two letters that hardly any vocabulary has: pieces of bytes would tell them apart.
    one, other = tokenizer(["\U00013080", "\U00013079"], add_special_tokens=False)["input_ids"]
    if one == other and tokenizer.unk_token_id is None:
        raise ModelError("the tokenizer does not say which piece is unknown; set its unk_token")


def entity_pieces(
    tokenizer: PreTrainedTokenizerFast, entities: Sequence[Entity]
) -> tuple[set[str], float, int]:
    """The paper's set E, pieces of entities but special ones; the share of [UNK]; how many."""
    words = [word for entity in entities for word in entity]
    ids_of = word_pieces(tokenizer, words)
    used = [piece for word in words for piece in ids_of[word]]
    unknown = used.count(tokenizer.unk_token_id) / max(1, len(used))
    ids = sorted(set(used) - set(tokenizer.all_special_ids))
    return set(tokenizer.convert_ids_to_tokens(ids)), unknown, len(entities)


def jaccard(a: set, b: set) -> float:
    """|a ∩ b| / |a ∪ b|, between 0 and 1; 0 for two empty sets, which share nothing."""
    return len(a & b) / len(a | b) if a or b else 0.0


def subsample(items: list[Entity], size: int, seed: int) -> list[Entity]:
    """``size`` entities drawn without replacement; raises ValueError where there are fewer."""
    if size > len(items):
        advice = f"ask for at most {len(items)}"
        raise ValueError(f"cannot draw {size} entities from {len(items)}: {advice}")
    chosen = np.random.default_rng(seed).choice(len(items), size, replace=False)
    return [items[index] for index in chosen]


def overlaps(
    tokenizer: PreTrainedTokenizerFast,
    entities: dict[str, tuple[list[Entity], list[Entity]]],
    drawn: int = 0,
) -> pd.DataFrame:
    """Overlap of every ordered pair of languages, given the entities of training and test text.

    ``drawn`` takes that many from each side (0: all), as the index falls when sets differ in size.
    Columns: train, evaluate, overlap and unk_share (0-1, the larger), train_entities, ...
    """
    import pandas as pd

    sides, rows = {}, []
    for code, splits in entities.items():
        chosen = [subsample(items, drawn, seed=0) if drawn else items for items in splits]
        sides[code] = [entity_pieces(tokenizer, items) for items in chosen]
    for train, evaluate in permutations(sides, 2):
        (a, a_unknown, a_size), (b, b_unknown, b_size) = sides[train][0], sides[evaluate][1]
        rows.append([train, evaluate, jaccard(a, b), max(a_unknown, b_unknown), a_size, b_size])
    columns = ["train", "evaluate", "overlap", "unk_share", "train_entities", "evaluate_entities"]
    return pd.DataFrame(rows, columns=columns)
