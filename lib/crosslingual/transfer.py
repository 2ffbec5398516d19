"""The transfer matrix: fine-tune on one language, evaluate on others (Tables 1, 2, 4-8, Figures 1 and 2).

A *cell* is one fine-tuned model. It is evaluated on all of its task's corpora at once, so that one model
fills a row of every table it is in; chapters only select.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import connection
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tqdm import tqdm

from . import alignment, availability, encoders, finetune, scoring
from . import store as stores
from .corpora import CorpusUnavailable
from .encoders import EncoderUnavailable
from .store import Record, Store

if TYPE_CHECKING:
    from datasets import Dataset

    from .editions import Edition
    from .encoders import Encoder

KIND = "finetuned"  # of record in the store
UPOS = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
        "SCONJ", "SYM", "VERB", "X"]
IOB2 = ["O", *(f"{prefix}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for prefix in "BI")]
# One label set per task, whatever a corpus happens to hold: else a tagger could not be evaluated on another.
LABELS = {"pos": UPOS, "code-switching": UPOS, "ner": IOB2}
COLUMNS = ["encoder", "task", "train", "evaluate", "seed", "score", "counts", "origin", "seconds", "device",
           "memory"]


class TransferError(ValueError):
    """A grid that cannot be computed."""


@dataclass(frozen=True)
class Cell:
    """One model to fine-tune: an encoder, by name, on a task's training corpus, with a seed."""

    task: str
    encoder: str
    train: str
    seed: int

    def __str__(self) -> str:
        return f"{self.encoder} fine-tuned for {self.task} on {self.train}, seed {self.seed}"


def matrix(edition: Edition, task: str, encoder: str, train: Sequence[str], evaluate: Sequence[str],
           seeds: Sequence[int] | int, store: Store | None = None,
           workers: int | None = None) -> pd.DataFrame:
    """Scores of every pair of a training and an evaluation corpus, tidy; what is missing is computed first.

    Columns: encoder, task, train, evaluate, seed, score (percent), counts (see `scoring.score`), origin
    ("computed here" or "recorded"), seconds, device and memory (peak, in bytes; NaN where it was not noted) of
    the fine-tuning with all its evaluations.
    attrs: "signature", one line that says what the scores are; "unavailable", {language or encoder: what is
    missing} for corpora and encoders that are not at hand and have no kept results; their rows are absent.
    """
    store = store or stores.default(edition)
    try:
        described = signature(edition, task, encoder, seeds)
    except EncoderUnavailable as absence:
        return _frame([], "", {encoder: str(absence)})
    run(edition, plan(edition, task, encoder, train, evaluate, seeds, store), store, workers)
    unavailable: dict[str, str] = {}
    evaluations = _digests(edition, task, evaluate, "test", unavailable)
    rows: list[dict[str, Any]] = []
    for cell in _cells(edition, task, encoder, train, seeds, unavailable):
        entries = _entries(edition, cell, store)
        for language, digest in evaluations.items():
            if digest in entries:
                rows.append(_row(cell, language, *entries[digest]))
            else:
                _note_missing(edition, cell, language, unavailable)
    return _frame(rows, described, unavailable)


def _frame(rows: list[dict[str, Any]], described: str, unavailable: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame.attrs = {"signature": described, "unavailable": unavailable}
    return frame


def plan(edition: Edition, task: str, encoder: str, train: Sequence[str], evaluate: Sequence[str],
         seeds: Sequence[int] | int, store: Store | None = None) -> list[Cell]:
    """The cells that lack a requested score and can be computed, because corpora and encoder are at hand."""
    if availability.missing_encoder(edition, encoder):
        return []
    store = store or stores.default(edition)
    evaluations = _digests(edition, task, evaluate, "test", {})
    missing = []
    for cell in _cells(edition, task, encoder, train, seeds, {}):
        entries = _entries(edition, cell, store)
        kept = {digest for digest, (_, record) in entries.items() if not store.stands_in(record.origin)}
        lacking = [language for language, digest in evaluations.items() if digest not in kept]
        if any(_at_hand(edition, task, language, "test") for language in lacking) and _at_hand(
                edition, task, cell.train, "train"):
            missing.append(cell)
    return missing


def run(edition: Edition, cells: Sequence[Cell], store: Store | None = None,
        workers: int | None = None) -> None:
    """Compute cells on local processes, one thread each, with a progress bar; each is kept when it is done.

    workers: processes; by default one per processor, or per GPU. Interrupting loses the cells in flight only.

    Raises TransferError when a process dies, and what a cell itself raises.
    """
    if not cells:
        return
    store = store or stores.default(edition)
    for name in dict.fromkeys(cell.encoder for cell in cells):
        encoders.check_for(edition, name, store)
    # The workers end when the other end of this pipe is closed: by us, or by the system should we be killed.
    lifeline, ours = multiprocessing.Pipe(duplex=False)
    processes, spawn = min(workers or default_workers(), len(cells)), multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, spawn, _start_worker, (lifeline, spawn.Value("i", 0), edition, store))
    try:
        _collect(pool, cells)
    except BrokenProcessPool as problem:
        raise TransferError("A process died while fine-tuning, perhaps for want of memory; run again with "
                            "fewer workers. The finished models are kept.") from problem
    finally:
        ours.close()
        pool.shutdown(cancel_futures=True)
        lifeline.close()


def compute(edition: Edition, cell: Cell, store: Store) -> None:
    """Fine-tune one cell, evaluate it on all of its task's corpora that are at hand, and keep the result."""
    started = time.perf_counter()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    encoder = _encoder(edition, cell.encoder)
    train = edition.corpus(cell.task, cell.train, "train")
    tagger = finetune.finetune(encoder, train, label_set(cell.task, train), edition.recipe(cell.task), cell.seed)
    trained = time.perf_counter()
    results = evaluate_all(tagger, _evaluation(edition, cell.task, cell.encoder, tagger.max_length))
    about = {"cell": asdict(cell), "edition": edition.name, "device": device(), "memory": peak_memory(),
             "seconds": round(time.perf_counter() - started, 2), "training": round(trained - started, 2)}
    store.update(KIND, key_parts(edition, cell), results, about)


def label_set(task: str, train: Dataset) -> list[str]:
    """The task's labels; for a treebank's own tags (XPOS), which no list could hold, those of the training corpus.

    In the key of a result they need not show, as the training corpus's digest does.
    """
    found = {label for labels in train["labels"] for label in labels} if task == "pos" else set()
    return LABELS[task] if found <= set(LABELS[task]) else sorted(found)


def key_parts(edition: Edition, cell: Cell) -> dict[str, Any]:
    """All that determines a cell's result. Raises CorpusUnavailable without corpus and pinned digest."""
    return {"task": cell.task, "labels": LABELS[cell.task], "seed": cell.seed,
            "train": edition.corpus_digest(cell.task, cell.train, "train"),
            "encoder": _encoder_digest(edition, cell.encoder), "recipe": edition.recipe(cell.task).described(),
            "versions": versions()}


def versions() -> dict[str, int]:
    """Version numbers, bumped by hand, of the functions that determine a score."""
    return {"alignment": alignment.VERSION, "finetune": finetune.VERSION, "scoring": scoring.VERSION}


def signature(edition: Edition, task: str, encoder: str, seeds: Sequence[int] | int) -> str:
    """One line that says what a score is, to stand beside it."""
    scheme = "conlleval over words, IOB2" if scoring.metric(task) == "F1" else "over words"
    recipe = " ".join(f"{name}={value}" for name, value in edition.recipe(task).described().items())
    digest = _encoder_digest(edition, encoder)[:8]
    numbers = " ".join(f"{name} v{number}" for name, number in versions().items())
    seeds = ",".join(map(str, _as_list(seeds)))
    return " | ".join([f"{scoring.metric(task)} {scheme}, first piece", task, f"edition {edition.name}",
                       f"{encoder} {digest}", recipe, f"seeds {seeds}", numbers])


def default_workers() -> int:
    """One process per GPU, or per processor that this process may use."""
    if torch.cuda.is_available():
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Evaluation:
    """A task's evaluation corpora, encoded as one: names, content digests, gold labels and their union."""

    task: str
    languages: list[str]
    digests: list[str]
    gold: list[list[list[str]]]
    encoded: alignment.Encoded


def evaluate_all(tagger: finetune.Tagger, evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """{corpus digest: {"evaluate": name, "counts": see `scoring.score`}} of a tagger on all corpora."""
    labels = [tagger.labels[index] for index in tagger.tag(evaluation.encoded)]
    predicted = iter(evaluation.encoded.by_sentence(labels))
    results = {}
    for language, digest, gold in zip(evaluation.languages, evaluation.digests, evaluation.gold, strict=True):
        score = scoring.score(evaluation.task, gold, [next(predicted) for _ in gold])
        results[digest] = {"evaluate": language, "counts": score.counts}
    return results


@functools.lru_cache(maxsize=4)
def _evaluation(edition: Edition, task: str, encoder: str, max_length: int) -> Evaluation:
    """Encoded once per process: it costs more than a tenth of an evaluation."""
    at_hand = [name for name in edition.evaluation_languages(task) if _at_hand(edition, task, name, "test")]
    corpora = [edition.corpus(task, name, "test") for name in at_hand]
    sentences = [words for corpus in corpora for words in corpus["tokens"]]
    encoded = alignment.encode(_encoder(edition, encoder).tokenizer, sentences, max_length)
    return Evaluation(task, at_hand, [edition.corpus_digest(task, name, "test") for name in at_hand],
                      [list(corpus["labels"]) for corpus in corpora], encoded)


@functools.lru_cache(maxsize=8)
def _encoder(edition: Edition, name: str) -> Encoder:
    """Kept, as one that is pre-trained on demand takes its time to be found."""
    return edition.encoder(name)


@functools.lru_cache(maxsize=8)
def _encoder_digest(edition: Edition, name: str) -> str:
    return edition.encoder_digest(name)


def _cells(edition: Edition, task: str, encoder: str, train: Sequence[str], seeds: Sequence[int] | int,
           unavailable: dict[str, str]) -> list[Cell]:
    known = _digests(edition, task, train, "train", unavailable)
    return [Cell(task, encoder, language, seed) for language in known for seed in _as_list(seeds)]


def _digests(edition: Edition, task: str, languages: Iterable[str], split: str,
             unavailable: dict[str, str]) -> dict[str, str]:
    """{language: digest of its corpus}; languages without one are added to `unavailable` instead."""
    found = {}
    for language in languages:
        try:
            found[language] = edition.corpus_digest(task, language, split)
        except CorpusUnavailable as problem:
            unavailable[language] = str(problem)
    return found


def _at_hand(edition: Edition, task: str, language: str, split: str) -> bool:
    try:
        edition.corpus(task, language, split)
    except CorpusUnavailable:
        return False
    return True


def _entries(edition: Edition, cell: Cell, store: Store) -> dict[str, tuple[dict[str, Any], Record]]:
    """{evaluation corpus digest: (result, record it is in)}; what was computed here comes before recorded."""
    records = reversed(list(store.find(KIND, stores.digest(key_parts(edition, cell)))))
    return {digest: (entry, record) for record in records for digest, entry in record.payload.items()}


def _row(cell: Cell, evaluate: str, entry: dict[str, Any], record: Record) -> dict[str, Any]:
    return asdict(cell) | {"evaluate": evaluate, "score": scoring.value(cell.task, entry["counts"]),
                           "counts": entry["counts"], "origin": record.origin,
                           "seconds": record.provenance["seconds"], "device": record.provenance["device"],
                           "memory": record.provenance.get("memory", float("nan"))}


def _note_missing(edition: Edition, cell: Cell, evaluate: str, unavailable: dict[str, str]) -> None:
    """Say which of the two corpora of a missing score, or that its encoder, is not at hand.

    Raises TransferError if all are, so that no score is missing without a reason.
    """
    absence = availability.missing_encoder(edition, cell.encoder)
    reasons = {cell.encoder: absence} if absence else {}
    for language, split in ((cell.train, "train"), (evaluate, "test")):
        try:
            edition.corpus(cell.task, language, split)
        except CorpusUnavailable as problem:
            reasons[language] = str(problem)
    if not reasons:
        raise TransferError(f"The result of {cell} is not where it should be: its corpora or its encoder were "
                            "changed while it was computed. Run again.")
    unavailable |= reasons


def _collect(pool: Executor, cells: Sequence[Cell]) -> None:
    futures = {pool.submit(_compute_in_worker, cell): cell for cell in cells}
    with tqdm(total=len(cells), desc="fine-tuning", unit="model", leave=False, smoothing=0.05) as bar:
        for future in as_completed(futures):
            try:
                future.result()
            except Exception as problem:
                problem.add_note(f"while computing {futures[future]}")
                raise
            bar.update()


def _start_worker(lifeline: connection.Connection, started: Synchronized, edition: Edition, store: Store) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True).start()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    _choose_gpu(started)
    # Once per process and not with each cell, so that an edition's corpora are made once.
    global _at_work
    _at_work = functools.partial(compute, edition, store=store)


def _choose_gpu(started: Synchronized) -> None:
    """Use the next GPU in turn, else all processes would use the first; ``started`` counts the processes."""
    if torch.cuda.is_available():
        with started.get_lock():
            index, started.value = started.value, started.value + 1
        torch.cuda.set_device(index % torch.cuda.device_count())


def _die_with_parent(lifeline: connection.Connection) -> None:
    connection.wait([lifeline])
    os._exit(1)


def _compute_in_worker(cell: Cell) -> None:
    _at_work(cell=cell)


def peak_memory() -> int:
    """The most bytes in use so far: on a GPU, by tensors since a model was begun; else, by this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def device() -> str:
    """What a model is fine-tuned on here, as kept results name it."""
    threads = f"cpu, {torch.get_num_threads()} thread(s)"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else threads


def _as_list(seeds: Sequence[int] | int) -> list[int]:
    return [seeds] if isinstance(seeds, int) else list(seeds)
