"""Entity word-piece overlap between a training and an evaluation set (paper, section 3.1, Figure 1)."""

from collections.abc import Iterable
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from crosslingual import alignment, scoring
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition

Entity = tuple[str, ...]


class Pieces(NamedTuple):
    """Word pieces used inside entities, the share of [UNK] among them, and the number of entities."""

    types: set[str]
    unk_share: float
    entities: int


def named_entities(corpus: Dataset) -> list[Entity]:
    """The words of every entity in a labelled corpus, in text order."""
    return [
        tuple(tokens[start:end])
        for tokens, labels in zip(corpus["tokens"], corpus["labels"], strict=True)
        for start, end, _ in sorted(scoring.entities(labels))
    ]


def subsample(items: list[Entity], size: int, seed: int) -> list[Entity]:
    """``size`` entities drawn without replacement; raises ValueError where there are fewer."""
    if size > len(items):
        raise ValueError(f"cannot draw {size} entities from {len(items)}: ask for at most {len(items)}")
    chosen = np.random.default_rng(seed).choice(len(items), size, replace=False)
    return [items[index] for index in chosen]


def pieces(items: Iterable[Entity], tokenizer: PreTrainedTokenizerFast) -> Pieces:
    """Pieces of all entity words under the encoder's own tokenizer, without special tokens and [UNK]."""
    items = list(items)
    words = [word for entity in items for word in entity]
    ids_of = alignment.word_pieces(tokenizer, words)
    used = [piece for word in words for piece in ids_of[word]]
    unknown = sum(piece == tokenizer.unk_token_id for piece in used)
    types = set(tokenizer.convert_ids_to_tokens(sorted(set(used) - set(tokenizer.all_special_ids))))
    return Pieces(types, unknown / len(used) if used else 0.0, len(items))


def entity_pieces(corpus: Dataset, tokenizer: PreTrainedTokenizerFast) -> set[str]:
    """The set E of the paper: word pieces used in the corpus's entities."""
    return pieces(named_entities(corpus), tokenizer).types


def jaccard(a: set, b: set) -> float:
    """|a ∩ b| / |a ∪ b|, between 0 and 1; 0 for two empty sets, which share nothing."""
    return len(a & b) / len(a | b) if a or b else 0.0


def matrix(
    edition: Edition, encoder: str, languages: list[str], entities: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """Overlap of every ordered pair of different languages: training split against evaluation (test) split.

    Columns: encoder, train, evaluate, overlap (0-1), unk_share (0-1, of the pair's entity pieces: the larger
    of both sides), train_entities, evaluate_entities. ``entities`` draws that many from each side, because
    the Jaccard index falls when two sets differ in size. A language whose corpus is missing is left out and
    explained in ``attrs["unavailable"]``.
    """
    sides, unavailable = _both_splits(edition, encoder, languages, entities, seed)
    rows = [(encoder, a, b, *_compare(sides[a][0], sides[b][1])) for a, b in permutations(sides, 2)]
    columns = ["encoder", "train", "evaluate", "overlap", "unk_share", "train_entities", "evaluate_entities"]
    frame = pd.DataFrame(rows, columns=columns)
    if unavailable:
        frame.attrs["unavailable"] = unavailable
    return frame


def common_size(edition: Edition, languages: list[str]) -> int:
    """The largest number of entities that every language at hand has in both splits; 0 if none is at hand."""
    sizes = [len(named_entities(corpus)) for code in languages for corpus in _at_hand(edition, code)]
    return min(sizes, default=0)


def _at_hand(edition: Edition, code: str) -> list[Dataset]:
    """A language's training and evaluation corpus, or none where one of them is missing."""
    try:
        return [edition.corpus("ner", code, split) for split in ("train", "test")]
    except CorpusUnavailable:
        return []


def _both_splits(edition: Edition, encoder: str, languages: list[str], size: int | None, seed: int):
    tokenizer, sides, unavailable = edition.encoder(encoder).tokenizer, {}, {}
    for code in languages:
        try:
            corpora = [edition.corpus("ner", code, split) for split in ("train", "test")]
        except CorpusUnavailable as missing:
            unavailable[code] = str(missing)
            continue
        found = [named_entities(corpus) for corpus in corpora]
        drawn = found if size is None else [subsample(items, size, seed) for items in found]
        sides[code] = [pieces(items, tokenizer) for items in drawn]
    return sides, unavailable


def _compare(train: Pieces, evaluate: Pieces) -> tuple:
    unk_share = max(train.unk_share, evaluate.unk_share)
    return jaccard(train.types, evaluate.types), unk_share, train.entities, evaluate.entities
