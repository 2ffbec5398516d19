"""What the vocabularies of the paper's two encoders make of real text: fertility, [UNK], coverage, overlap.

None of it needs weights. A vocabulary is read from ``vocab/<model>/vocab.txt`` in the data folder, or from the
hub library's cache; what was measured is kept in the store and recorded with the repository, so that it can be
shown where neither vocabularies nor corpora are at hand.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from crosslingual import alignment, checkout, hub, languages, overlap, store
from crosslingual.corpora import CorpusUnavailable
from crosslingual.corpora.folder import ROOT_VARIABLE
from crosslingual.editions import Edition
from crosslingual.store import Store

VERSION = 1  # bump when `measure` or `overlap.between` gives other numbers for the same text
MAX_LENGTH = 128  # pieces with [CLS] and [SEP], as in the paper's appendix A
FULL_SIZE = "full-size"  # kind of record in which benchmarks/full_size.py keeps speed and memory
RECORDED = "paper"  # the edition whose recorded results have these
COUNTS = ["sentences", "words", "pieces", "unknown", "whole", "covered", "split"]


class VocabularyUnavailable(ValueError):
    """No vocab.txt is at hand, or it is another one; the message says where it is looked for."""


@cache
def vocabulary(encoder: str) -> PreTrainedTokenizerFast:
    """The tokenizer of the paper's "m-bert" or "en-bert", from its vocabulary alone."""
    pin = _pin(encoder)
    path = _find(pin)
    if sha256(path.read_bytes()).hexdigest() != pin.vocabulary:
        raise VocabularyUnavailable(f"{path} is not the vocabulary of {pin.hub}: its SHA-256 is not {pin.vocabulary}.")
    lines = path.read_text(encoding="utf-8").splitlines()
    # By content: given a file's name, this class makes a tokenizer that knows [UNK] only.
    return BertTokenizerFast(vocab={piece: number for number, piece in enumerate(lines)}, do_lower_case=False)


def _pin(encoder: str) -> hub.Pin:
    return next(pin for pin in hub.pins().values() if pin.encoder == encoder)


def _find(pin: hub.Pin) -> Path:
    folders = [hub.cached(pin.hub, pin.revision)]
    if root := os.environ.get(ROOT_VARIABLE):
        folders.insert(0, Path(root) / "vocab" / pin.hub.split("/")[-1])
    for folder in filter(None, folders):
        if (folder / "vocab.txt").is_file():
            return folder / "vocab.txt"
    place = f"vocab/{pin.hub.split('/')[-1]}/vocab.txt of the data folder (${ROOT_VARIABLE})"
    raise VocabularyUnavailable(f"the vocabulary of {pin.hub} is neither in {place} nor in the hub library's cache.")


def measure(
    sentences: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerFast, max_length: int = MAX_LENGTH
) -> dict[str, int]:
    """What a tokenizer makes of sentences, in counts.

    sentences, words; pieces, and how many of them are [UNK] (``unknown``); words that are one piece other than
    [UNK] (``whole``); words whose first piece is within ``max_length`` pieces of the sentence's start, special
    tokens included (``covered``); sentences that are longer than that (``split``: this library splits them).
    """
    ids = alignment.word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    sizes = [np.array([len(ids[word]) for word in sentence]) for sentence in sentences]
    room = max_length - sum(map(len, alignment.special_tokens(tokenizer)))
    starts = [np.cumsum(lengths) - lengths for lengths in sizes]
    unknown = {word: pieces.count(tokenizer.unk_token_id) for word, pieces in ids.items()}
    words = [word for sentence in sentences for word in sentence]
    numbers = [
        len(sentences), len(words), sum(map(np.sum, sizes)), sum(unknown[word] for word in words),
        sum(len(ids[word]) == 1 and not unknown[word] for word in words),
        sum(np.sum(start < room) for start in starts), sum(np.sum(lengths) > room for lengths in sizes),
    ]  # fmt: skip
    return dict(zip(COUNTS, map(int, numbers), strict=True))


def treebanks(edition: Edition, encoder: str, kept: Store | None = None) -> pd.DataFrame:
    """``measure`` of the test set of every treebank under one of the paper's vocabularies; index: language.

    Columns: COUNTS, fertility (pieces a word), unk_share (of the pieces), whole_share and coverage (of the words).
    Measured on the edition's treebanks if its languages are real and the vocabulary is at hand, else as recorded;
    ``attrs["origin"]`` says which. Empty where neither is there.
    """
    corpora, digests = _at_hand(edition, "pos", edition.languages("pos"), ["test"])
    parts = {"version": VERSION, "alignment": alignment.VERSION, "max_length": MAX_LENGTH}
    frame = _kept(encoder, "tokenisation", parts | {"corpora": digests}, corpora, _measure_all, kept)
    return shares(frame.set_index("language")) if len(frame) else frame


def _measure_all(corpora: Mapping[str, list[Dataset]], tokenizer: PreTrainedTokenizerFast) -> pd.DataFrame:
    rows = [{"language": code} | measure(test["tokens"], tokenizer) for code, (test,) in corpora.items()]
    return pd.DataFrame(rows)


def shares(counts: pd.DataFrame) -> pd.DataFrame:
    """The counts of ``measure``, a row a corpus, with what follows from them; see ``treebanks``."""
    return counts.assign(
        fertility=counts.pieces / counts.words, unk_share=counts.unknown / counts.pieces,
        whole_share=counts.whole / counts.words, coverage=counts.covered / counts.words,
    )  # fmt: skip


def overlaps(edition: Edition, encoder: str, equal: bool = False, kept: Store | None = None) -> pd.DataFrame:
    """The horizontal axis of the paper's Figure 1: ``overlap.between`` of 16 languages' entities, one vocabulary.

    Columns: encoder, train, evaluate, overlap, unk_share, train_entities, evaluate_entities. ``equal`` draws as many
    entities from each set as the smallest one has. Measured or recorded, as ``treebanks``.
    """
    corpora, digests = _at_hand(edition, "ner", languages.NER16_LANGUAGES, overlap.SPLITS)
    parts = {"version": VERSION, "equal": equal, "corpora": digests}
    compare = _compare_equal if equal else overlap.between
    frame = _kept(encoder, "entity-overlap", parts, corpora, compare, kept)
    return frame.assign(encoder=encoder)


def speeds() -> pd.DataFrame:
    """Recorded speed and memory of fine-tuning at M-BERT's full size, a row a device.

    Columns: device, date, parameters, training and tagging (word pieces a second; without a GPU, of processor time),
    memory (peak, in bytes), pieces (of a batch).
    """
    rows = [record.payload | {"device": record.parts["device"], "date": record.provenance["date"][:10],
                              "pieces": record.parts["rows"] * record.parts["length"]}
            for record in _recorded().records(FULL_SIZE)]  # fmt: skip
    columns = ["device", "date", "parameters", "training", "tagging", "memory", "pieces"]
    return pd.DataFrame(rows, columns=columns)


def _recorded() -> Store:
    return Store(store.local(), [checkout.root() / "book" / "recorded" / RECORDED])


def _compare_equal(corpora: Mapping[str, list[Dataset]], tokenizer: PreTrainedTokenizerFast) -> pd.DataFrame:
    sizes = [len(overlap.named_entities(corpus)) for splits in corpora.values() for corpus in splits]
    return overlap.between(corpora, tokenizer, min(sizes))


def _kept(encoder: str, kind: str, parts: dict, corpora: Mapping[str, list[Dataset]], compute: Callable,
          kept: Store | None) -> pd.DataFrame:  # fmt: skip
    """The result for these corpora, computed if it is not kept; without corpora, the recorded one of most rows."""
    kept = kept or _recorded()
    parts = parts | {"vocabulary": _pin(encoder).vocabulary}
    with suppress(VocabularyUnavailable):
        if tokenizer := corpora and vocabulary(encoder):
            frame = kept.memo(kind, parts, lambda: compute(corpora, tokenizer))
            return _marked(frame, kept.get(kind, parts).origin)
    wanted = {name: part for name, part in parts.items() if name != "corpora"}
    found = [record for record in kept.records(kind) if wanted.items() <= record.parts.items()]
    if not found:
        return pd.DataFrame(columns=overlap.COLUMNS)
    most = max(found, key=lambda record: len(record.payload))
    return _marked(most.payload, most.origin)


def _marked(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    frame.attrs["origin"] = origin
    return frame


def _at_hand(
    edition: Edition, task: str, codes: Sequence[str], splits: Sequence[str]
) -> tuple[dict[str, list[Dataset]], dict[str, list[str]]]:
    """Corpora, and their digests, of the languages with all splits; none if the edition's are artificial."""
    found, digests = {}, {}
    for code in [] if edition.artificial else codes:
        with suppress(CorpusUnavailable):
            found[code] = [edition.corpus(task, code, split) for split in splits]
            digests[code] = [edition.corpus_digest(task, code, split) for split in splits]
    return found, digests
