"""Does a vector per language pair lead from a sentence to its translation? (Section 5, Figure 3)"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from crosslingual.models import ModelError
from crosslingual.models.encoder import Encoder, positions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = 2  # bump when any function below gives other hits for the same encoder and text
LONGEST = 128  # word pieces
BATCH, CHUNK = 64, 512


def sentence_vectors(encoder: Encoder, sentences: Sequence[str]) -> np.ndarray:
    """Means of the token vectors without [CLS] and [SEP]: [layers + 1, sentences, hidden].

    Layer 0 is the embeddings. Sentences are cut to LONGEST pieces, as in the paper. Raises
    ModelError for a sentence that yields no piece, and for a tokenizer that cannot pad.
    """
    import torch  # here, as the distances below need no network

    tokenizer, vectors = encoder.tokenizer, []
    if tokenizer.pad_token_id is None:
        raise ModelError(f"the tokenizer of {encoder.name!r} cannot pad: set its pad_token.")
    model = encoder.model().to("cuda" if torch.cuda.is_available() else "cpu")
    asked = {"return_tensors": "pt", "return_token_type_ids": False, "padding": True}
    asked |= {"truncation": True, "max_length": min(LONGEST, positions(model) or LONGEST)}
    order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        text = [sentences[index] for index in batch]
        encoded = tokenizer(text, return_special_tokens_mask=True, **asked)
        # The fast tokenizer's mask covers [CLS], [SEP] and padding but not [UNK], which is a word.
        kept = 1.0 - encoded.pop("special_tokens_mask").float()
        lengths = kept.sum(1, keepdim=True)
        if (lengths == 0).any():
            place = f"sentence {batch[int(lengths.argmin())] + 1} of the parallel text"
            raise ModelError(f"{place} yields no word piece: take it out.")
        weights = kept / lengths
        with torch.inference_mode():
            states = model(**encoded.to(model.device), output_hidden_states=True).hidden_states
            means = [torch.einsum("bt,bth->bh", weights.to(s), s) for s in states]
            vectors.append(torch.stack(means).cpu().numpy())
    return np.concatenate(vectors, axis=1)[:, np.argsort(order)]


def shifted(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Source vectors plus the mean difference to their translations, over all pairs (the paper)."""
    difference = target.mean(0, dtype=np.float64) - source.mean(0, dtype=np.float64)
    return source + difference.astype(source.dtype)


def held_out(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Every second source vector plus the mean difference over the others: none shifts itself."""
    moved = source.copy()
    for half in (0, 1):
        others = slice(1 - half, None, 2)
        difference = (target[others] - source[others]).mean(0, dtype=np.float64)
        moved[half::2] += difference.astype(source.dtype)
    return moved


PROTOCOLS = {"paper": shifted, "held out": held_out, "no shift": lambda source, target: source}


def nearest_neighbour_hits(
    source: np.ndarray, target: np.ndarray, protocol: str = "paper"
) -> np.ndarray:
    """1 where a source vector's nearest target (L2) is its translation, for one layer: [sentences].

    ``source`` and ``target`` are [sentences, hidden], row by row translations. Where k targets are
    equally near, the translation among them, it counts 1/k, as a random choice would get.
    """
    centre = target.mean(0)  # distances are the same from any origin; rounding is smallest here
    queries, target = PROTOCOLS[protocol](source, target) - centre, target - centre
    norms = (target * target).sum(1)
    return _hits(len(target), lambda rows: 2 * queries[rows] @ target.T - norms)


def _hits(sentences: int, similarity: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Hits from similarities [rows, sentences], asked for in chunks: memory stays linear."""
    hits = np.zeros(sentences)
    for start in range(0, sentences, CHUNK):
        rows = np.arange(start, min(start + CHUNK, sentences))
        near = similarity(rows)
        best = near.max(1)
        hits[rows] = (near[np.arange(len(rows)), rows] == best) / (near == best[:, None]).sum(1)
    return hits


def bags(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> sparse.csr_array:
    """Word-piece counts of each sentence without special tokens and [UNK]: [sentences, pieces]."""
    special = set(tokenizer.all_special_ids)
    ids = tokenizer(list(sentences), add_special_tokens=False)["input_ids"]
    kept = [(row, p) for row, line in enumerate(ids) for p in line if p not in special]
    rows, columns = np.array(kept, dtype=int).reshape(-1, 2).T
    shape, ones = (len(sentences), len(tokenizer)), np.ones(len(rows), np.float32)
    return sparse.coo_array((ones, (rows, columns)), shape=shape).tocsr()


def shared_piece_hits(source: sparse.csr_array, target: sparse.csr_array) -> np.ndarray:
    """Hits of the baseline that knows shared word pieces alone: nearest by cosine of the bags."""
    norms = [np.sqrt(bag.multiply(bag).sum(1)) for bag in (source, target)]
    scales = [sparse.diags_array(1 / np.maximum(norm, 1e-9)) for norm in norms]
    source, target = (scales[0] @ source).tocsr(), (scales[1] @ target).tocsr()
    # Rounded, so that equal bags tie whatever the order of summation.
    return _hits(target.shape[0], lambda rows: np.round((source[rows] @ target.T).toarray(), 5))


def length_hits(source: sparse.csr_array, target: sparse.csr_array) -> np.ndarray:
    """Hits of the baseline that knows each sentence's number of pieces alone."""
    return nearest_neighbour_hits(*(bag.sum(1, dtype=float)[:, None] for bag in (source, target)))


def without_shared_pieces(
    source: sparse.csr_array, target: sparse.csr_array, tokenizer: PreTrainedTokenizerFast
) -> np.ndarray:
    """Which pairs share no piece but punctuation, so that copying finds nothing: [sentences]."""
    known = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    words = [any(unicodedata.category(c)[0] not in "PS" for c in piece) for piece in known]
    return source.multiply(target).tocsr()[:, words].sum(1) == 0


def curve(
    encoder: Encoder, source: Sequence[str], target: Sequence[str], candidates: Sequence[int]
) -> pd.DataFrame:
    """Retrieval by layer with two baselines beside it; line i of both sides are translations.

    candidates: how many of the pairs to draw, 0 is all. Columns: method (of PROTOCOLS, "shared
    pieces", "length"), layer (-1 for the baselines), queries ("all", or "nothing shared" but
    punctuation), candidates, accuracy (percent), hits [queries].
    """
    vectors = [sentence_vectors(encoder, side) for side in (source, target)]
    counts = [bags(encoder.tokenizer, side) for side in (source, target)]
    sizes = dict.fromkeys(min(size or len(source), len(source)) for size in candidates)
    rows = []
    for chosen in (subset(len(source), size) for size in sizes):
        layers = list(zip(*(side[:, chosen] for side in vectors), strict=True))
        few = [bag[chosen] for bag in counts]
        found = [
            (method, layer, nearest_neighbour_hits(*pair, method))
            for method in PROTOCOLS
            for layer, pair in enumerate(layers)
        ]
        found += [("shared pieces", -1, shared_piece_hits(*few)), ("length", -1, length_hits(*few))]
        rows += [(*one, "all", len(chosen), hits) for *one, hits in found]
        if (disjoint := without_shared_pieces(*few, encoder.tokenizer)).any():
            rows += [(*one, "nothing shared", len(chosen), hits[disjoint]) for *one, hits in found]
    frame = pd.DataFrame(rows, columns=["method", "layer", "queries", "candidates", "hits"])
    return frame.assign(accuracy=[100 * np.mean(hits) for hits in frame.hits])


def subset(sentences: int, size: int, seed: int = 0) -> np.ndarray:
    """Sorted indices of ``size`` sentence pairs drawn from ``seed``; all for a size as large."""
    if size >= sentences:
        return np.arange(sentences)
    return np.sort(np.random.default_rng(seed).choice(sentences, size, replace=False))


def drawn(source: np.ndarray, target: np.ndarray, protocol: str) -> tuple[np.ndarray, np.ndarray]:
    """One layer's sentences and translations in two dimensions of most variance, each [n, 2].

    With "no shift" the horizontal one is the mean difference of the languages.
    """
    moved = PROTOCOLS[protocol](source, target)
    both = np.concatenate([moved, target])
    centred = both - both.mean(0)
    if protocol == "no shift":
        difference = (target - source).mean(0)
        first = difference / max(np.linalg.norm(difference), 1e-9)
        rest = centred - np.outer(centred @ first, first)
        axes = np.stack([first, np.linalg.svd(rest, full_matrices=False)[2][0]], axis=1)
    else:
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2].T
    return moved @ axes, target @ axes
