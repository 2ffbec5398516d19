"""Does a vector per language pair lead from a sentence to its translation? Retrieval by layer (section 5)."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from scipy import sparse
from transformers import PreTrainedTokenizerFast

from crosslingual import encoders
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.store import Store, default

if TYPE_CHECKING:
    from crosslingual.encoders import Encoder

VERSION = 2  # bump when any function below gives other hits for the same encoder and text
BATCH, CHUNK = 64, 512
COLUMNS = ["method", "layer", "hits", "candidates", "queries", "accuracy", "encoder", "source", "target"]


def sentence_vectors(encoder: "Encoder", sentences: Sequence[str], max_length: int = 128) -> np.ndarray:
    """Means of the token vectors without [CLS] and [SEP], for every layer: [layers + 1, sentences, hidden].

    Layer 0 is the embeddings. Longer sentences are cut to ``max_length`` pieces, as in the paper. On CUDA if there
    is one. Raises ValueError for a sentence that yields no piece.
    """
    model = encoder.model().to("cuda" if torch.cuda.is_available() else "cpu")
    order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
    max_length = min(max_length, encoders.positions(model) or max_length)
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    vectors = [_mean_vectors(model, encoder.tokenizer, sentences, batch, max_length) for batch in batches]
    return np.concatenate(vectors, axis=1)[:, np.argsort(order)]


@torch.inference_mode()
def _mean_vectors(model, tokenizer, sentences, batch: np.ndarray, max_length: int) -> np.ndarray:
    encoded = tokenizer(
        [sentences[index] for index in batch], truncation=True, max_length=max_length, padding=True,
        return_special_tokens_mask=True, return_token_type_ids=False, return_tensors="pt",
    )  # fmt: skip
    # The fast tokenizer's mask covers [CLS], [SEP] and padding but not [UNK], which stands for a word.
    kept = 1.0 - encoded.pop("special_tokens_mask").float()
    lengths = kept.sum(1, keepdim=True)
    if (lengths == 0).any():
        raise ValueError(
            f"sentence {batch[int(lengths.argmin())] + 1} of the parallel text yields no word piece"
        )
    weights = kept / lengths
    states = model(**encoded.to(model.device), output_hidden_states=True).hidden_states
    return torch.stack([torch.einsum("bt,bth->bh", weights.to(s), s) for s in states]).cpu().numpy()


def shifted(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Source vectors plus the mean difference to their translations, over all pairs, as in the paper."""
    return source + (target.mean(0, dtype=np.float64) - source.mean(0, dtype=np.float64)).astype(source.dtype)


def held_out(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Every second source vector plus the mean difference over the others, so that no pair shifts itself."""
    moved = source.copy()
    for half in (0, 1):
        others = slice(1 - half, None, 2)
        moved[half::2] += (target[others] - source[others]).mean(0, dtype=np.float64).astype(source.dtype)
    return moved


def unshifted(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return source


PROTOCOLS: dict[str, Callable] = {"paper": shifted, "held out": held_out, "no shift": unshifted}


def nearest_neighbour_hits(source: np.ndarray, target: np.ndarray, protocol: str = "paper") -> np.ndarray:
    """1 where a source vector's nearest target (L2) is its translation, for one layer: [sentences].

    ``source`` and ``target`` are [sentences, hidden], row by row translations. Where k targets are equally
    near and the translation is one of them it counts 1/k, what a random choice among them would get.
    """
    centre = target.mean(0)  # distances are the same from any origin, and rounding is smallest from here
    queries, target = PROTOCOLS[protocol](source, target) - centre, target - centre
    norms = (target * target).sum(1)
    return _hits(len(target), lambda rows: 2 * queries[rows] @ target.T - norms)


def _hits(sentences: int, similarity: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Hits from similarities [rows, sentences], asked for in chunks so that memory stays linear."""
    return np.concatenate([_chunk_hits(similarity(rows), rows) for rows in _chunks(sentences)])


def _chunks(sentences: int) -> Iterator[np.ndarray]:
    return (np.arange(start, min(start + CHUNK, sentences)) for start in range(0, sentences, CHUNK))


def _chunk_hits(similarity: np.ndarray, rows: np.ndarray) -> np.ndarray:
    best = similarity.max(1)
    true = similarity[np.arange(len(rows)), rows]
    return (true == best) / (similarity == best[:, None]).sum(1)


def bags(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> sparse.csr_array:
    """Word-piece counts of each sentence, special tokens and [UNK] excluded: [sentences, vocabulary]."""
    special = set(tokenizer.all_special_ids)
    ids = tokenizer(list(sentences), add_special_tokens=False)["input_ids"]
    pairs = [(row, piece) for row, line in enumerate(ids) for piece in line if piece not in special]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    shape = (len(sentences), len(tokenizer))
    return sparse.coo_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape).tocsr()


def shared_piece_hits(source: sparse.csr_array, target: sparse.csr_array) -> np.ndarray:
    """Hits of the baseline that knows only shared word pieces: nearest target by cosine of the bags."""
    source, target = _normalised(source), _normalised(target)
    # Rounded, so that equal bags tie whatever the order of summation.
    return _hits(target.shape[0], lambda rows: np.round((source[rows] @ target.T).toarray(), 5))


def _normalised(bag: sparse.csr_array) -> sparse.csr_array:
    norms = np.sqrt(bag.multiply(bag).sum(1))
    return (sparse.diags_array(1 / np.maximum(norms, 1e-9)) @ bag).tocsr()


def length_hits(source: sparse.csr_array, target: sparse.csr_array) -> np.ndarray:
    """Hits of the baseline that knows only each sentence's number of word pieces, special tokens and [UNK] excluded."""
    return nearest_neighbour_hits(*(bag.sum(1, dtype=np.float64)[:, None] for bag in (source, target)))


def without_shared_pieces(source: sparse.csr_array, target: sparse.csr_array, tokenizer) -> np.ndarray:
    """Which pairs share no piece but punctuation, so that copying finds nothing: bool [sentences]."""
    punctuation = [all(unicodedata.category(c)[0] in "PS" for c in piece.removeprefix("##"))
                   for piece in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]  # fmt: skip
    shared = source.multiply(target).tocsr()[:, ~np.array(punctuation)]
    return shared.sum(1) == 0


def curve(
    edition: Edition,
    encoder: str,
    pairs: Sequence[tuple[str, str]] | None = None,
    candidates: Sequence[int | None] = (None,),
    seed: int = 0,
    store: Store | None = None,
) -> pd.DataFrame:
    """Figure 3: retrieval accuracy by layer, tidy, with two baselines beside it.

    Columns: encoder, source, target, method (one of PROTOCOLS, "shared pieces", "length"), layer (-1 for
    the baselines), queries ("all", or "nothing shared": pairs without a common piece but punctuation, among
    all candidates), candidates, accuracy (percent) and hits [queries]. ``candidates``: how many sentence
    pairs to use, a subset drawn from ``seed``; None is all of them. Kept in ``store``, keyed by encoder and
    text. A pair whose text, or an encoder that, is missing is left out and explained in ``attrs["unavailable"]``.
    """
    frames, unavailable = [], {}
    store = default(edition) if store is None else store
    for source, target in edition.pairs if pairs is None else pairs:
        try:
            hits = stored_hits(edition, encoder, (source, target), list(candidates), seed, store)
        except CorpusUnavailable as missing:
            unavailable[f"{source}-{target}"] = str(missing)
            continue
        except EncoderUnavailable as missing:
            unavailable[encoder] = str(missing)
            continue
        frames.append(_tidy(hits).assign(encoder=encoder, source=source, target=target))
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)
    if unavailable:
        frame.attrs["unavailable"] = unavailable
    return frame


def stored_hits(edition: Edition, encoder: str, pair: tuple[str, str], candidates: list[int | None], seed: int,
                store: Store) -> list[dict]:  # fmt: skip
    """``hits`` from the store, or computed and kept there; the content of encoder and text is the key.

    Raises CorpusUnavailable where there is neither a kept result nor the text.
    """
    parts = {"version": VERSION, "encoder": edition.encoder_digest(encoder), "seed": seed,
             "text": edition.parallel_digest(*pair), "candidates": candidates}  # fmt: skip
    return store.memo(
        "retrieval", parts, lambda: hits(edition.encoder(encoder), edition.parallel(*pair), candidates, seed)
    )


def hits(encoder: "Encoder", text: Dataset, candidates: list[int | None], seed: int) -> list[dict]:
    """One record per method, layer and size, with hits and nothing_shared [candidates]."""
    sides = [list(text["source"]), list(text["target"])]
    vectors = [sentence_vectors(encoder, side) for side in sides]
    pieces = [bags(encoder.tokenizer, side) for side in sides]
    records = []
    for size in dict.fromkeys(min(size or len(text), len(text)) for size in candidates):
        chosen = subset(len(text), size, seed)
        layers, counts = [side[:, chosen] for side in vectors], [side[chosen] for side in pieces]
        disjoint = without_shared_pieces(*counts, encoder.tokenizer)
        found = [
            *_layer_hits(*layers),
            ("shared pieces", -1, shared_piece_hits(*counts)),
            ("length", -1, length_hits(*counts)),
        ]
        common = dict(candidates=len(chosen), nothing_shared=disjoint)
        records += [dict(method=method, layer=layer, hits=hit) | common for method, layer, hit in found]
    return records


def _layer_hits(source: np.ndarray, target: np.ndarray) -> Iterator[tuple[str, int, np.ndarray]]:
    for method in PROTOCOLS:
        for layer in range(len(source)):
            yield method, layer, nearest_neighbour_hits(source[layer], target[layer], method)


def subset(sentences: int, size: int | None, seed: int) -> np.ndarray:
    """Sorted indices of ``size`` sentence pairs drawn from ``seed``; all for None or a larger size."""
    if size is None or size >= sentences:
        return np.arange(sentences)
    return np.sort(np.random.default_rng(seed).choice(sentences, size, replace=False))


def _tidy(records: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(records)
    disjoint = frame[[mask.any() for mask in frame.nothing_shared]]
    queried = [hit[mask] for hit, mask in zip(disjoint.hits, disjoint.nothing_shared, strict=True)]
    both = pd.concat([frame.assign(queries="all"), disjoint.assign(queries="nothing shared", hits=queried)])
    return both.assign(accuracy=[100 * np.mean(hit) for hit in both.hits]).drop(columns="nothing_shared")
