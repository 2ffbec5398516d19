"""Entity word-piece overlap between a training and an evaluation set (paper, section 3.1, Figure 1)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from crosslingual import alignment, scoring
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.sizes import statistics
from crosslingual.store import Store, default

Entity = tuple[str, ...]
VERSION = 1  # bump when the overlap of the same corpora and pieces comes out otherwise
SPLITS = ("train", "test")
COLUMNS = ["train", "evaluate", "overlap", "unk_share", "train_entities", "evaluate_entities"]


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
    """The set E of the paper: pieces of all entity words under the encoder's own tokenizer, without special tokens and [UNK]."""
    items = list(items)
    words = [word for entity in items for word in entity]
    ids_of = alignment.word_pieces(tokenizer, words)
    used = [piece for word in words for piece in ids_of[word]]
    unknown = sum(piece == tokenizer.unk_token_id for piece in used)
    types = set(tokenizer.convert_ids_to_tokens(sorted(set(used) - set(tokenizer.all_special_ids))))
    return Pieces(types, unknown / len(used) if used else 0.0, len(items))


def jaccard(a: set, b: set) -> float:
    """|a ∩ b| / |a ∪ b|, between 0 and 1; 0 for two empty sets, which share nothing."""
    return len(a & b) / len(a | b) if a or b else 0.0


def matrix(
    edition: Edition, encoder: str, languages: list[str], entities: int | None = None, seed: int = 0,
    store: Store | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Overlap of every ordered pair of different languages: training split against evaluation (test) split.

    Columns: encoder, train, evaluate, overlap (0-1), unk_share (0-1, of the pair's entity pieces: the larger
    of both sides), train_entities, evaluate_entities. ``entities`` draws that many from each side, because
    the Jaccard index falls when two sets differ in size. Kept in ``store``, keyed by encoder and corpora. A
    language whose corpus is missing, or an encoder that is, is left out and explained in ``attrs["unavailable"]``.
    """
    store, unavailable = store or default(edition), {}
    known = _digests(edition, languages, unavailable)
    try:
        frame = _kept(edition, encoder, known, {"entities": entities, "seed": seed}, store, unavailable)
    except EncoderUnavailable as missing:
        frame, unavailable[encoder] = pd.DataFrame(columns=COLUMNS), str(missing)
    frame.insert(0, "encoder", encoder)
    if unavailable:
        frame.attrs["unavailable"] = unavailable
    return frame


def _kept(edition: Edition, encoder: str, known: dict[str, list[str]], drawn: dict, store: Store,
          unavailable: dict[str, str]) -> pd.DataFrame:  # fmt: skip
    """Overlaps of all languages whose digests are known from the store, else of those whose corpora are at hand."""
    common = {"version": VERSION} | drawn
    if not store.get("overlap", common | _identity(edition, encoder, known)):
        known = {code: digests for code, digests in known.items() if _at_hand(edition, code, unavailable)}
    if not known:
        return pd.DataFrame(columns=COLUMNS)
    parts = common | _identity(edition, encoder, known)
    return store.memo("overlap", parts, lambda: _overlaps(edition, encoder, list(known), drawn))


def common_size(edition: Edition, languages: list[str], store: Store | None = None) -> int:
    """The largest number of entities that every language has in both splits; 0 if nothing is known of any."""
    counts = []
    for code in languages:
        with suppress(CorpusUnavailable):
            counts.append(min(statistics(edition, "ner", code, split, store)["entities"] for split in SPLITS))
    return min(counts, default=0)


def _identity(edition: Edition, encoder: str, digests: dict[str, list[str]]) -> dict:
    return {"encoder": edition.encoder_digest(encoder), "corpora": digests}


def _digests(edition: Edition, languages: list[str], unavailable: dict[str, str]) -> dict[str, list[str]]:
    """{language: digests of both splits}; languages without one are added to `unavailable` instead."""
    found = {}
    for code in languages:
        try:
            found[code] = [edition.corpus_digest("ner", code, split) for split in SPLITS]
        except CorpusUnavailable as missing:
            unavailable[code] = str(missing)
    return found


def _at_hand(edition: Edition, code: str, unavailable: dict[str, str]) -> bool:
    try:
        for split in SPLITS:
            edition.corpus("ner", code, split)
    except CorpusUnavailable as missing:
        unavailable[code] = str(missing)
    return code not in unavailable


def between(
    corpora: Mapping[str, Sequence[Dataset]], tokenizer: PreTrainedTokenizerFast, entities: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Overlap of every ordered pair of languages, given their training and test corpora; columns as ``matrix``."""
    sides = {}
    for code, splits in corpora.items():
        found = [named_entities(corpus) for corpus in splits]
        drawn = found if entities is None else [subsample(items, entities, seed) for items in found]
        sides[code] = [pieces(items, tokenizer) for items in drawn]
    rows = [(a, b, *_compare(sides[a][0], sides[b][1])) for a, b in permutations(sides, 2)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _overlaps(edition: Edition, encoder: str, languages: list[str], drawn: dict) -> pd.DataFrame:
    corpora = {code: [edition.corpus("ner", code, split) for split in SPLITS] for code in languages}
    return between(corpora, edition.encoder(encoder).tokenizer, **drawn)


def _compare(train: Pieces, evaluate: Pieces) -> tuple:
    unk_share = max(train.unk_share, evaluate.unk_share)
    return jaccard(train.types, evaluate.types), unk_share, train.entities, evaluate.entities
