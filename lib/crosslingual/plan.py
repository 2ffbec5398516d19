"""What a long run will take, said before it starts: models and their time on this device, disk, downloads and licences.

Nothing is downloaded or fine-tuned here. How long a model takes is read off kept results of the same task, encoder and
device; where there are none, a few steps of the encoder are timed. An encoder that has yet to be fetched is stood for by
one of BERT-Base's shape with random weights, and a corpus by a treebank of middling size.
"""

import functools
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerBase

from crosslingual import corpora, finetune, grids, hub, sensitivity, transfer
from crosslingual import store as stores
from crosslingual.alignment import encode
from crosslingual.corpora import CorpusUnavailable
from crosslingual.corpora.download import Download, folder
from crosslingual.editions import Edition
from crosslingual.encoders import Encoder, EncoderUnavailable
from crosslingual.finetune import Recipe
from crosslingual.store import Store
from crosslingual.transfer import Cell

# Word pieces of a treebank that is not at hand: round figures; those of the shared task differ by a factor of a hundred.
ASSUMED = {"train": 200_000, "test": 25_000}
SAMPLE = 200  # sentences from which the pieces of a corpus are estimated
LENGTH = 24  # pieces of a sentence, about, in the batches that are timed
STEPS = 3  # timed, after one to warm up
LARGE = 20_000_000  # weights; of a larger encoder a processor gets smaller batches, to have the answer soon
# A GPU where none was at hand, from arithmetic: a weight of a layer costs two operations a piece in tagging, six in training.
GPU_OPERATIONS, LAYER_WEIGHTS = 10e12, 85_054_464  # a second, sustained in 32 bits; of BERT-Base's twelve layers
GPU = "GPU, 10 TFLOP/s"
MEASURED, ESTIMATED = "measured", "estimate"  # what the speed of a device rests on
KEPT, TIMED, STAND_IN = "kept results", "timed now", "timed now with random weights of BERT-Base's shape"


@dataclass(frozen=True)
class Speed:
    """Word pieces a second in training and in tagging, and the peak of memory in bytes, measured on ``device``."""

    training: float
    tagging: float
    memory: int
    device: str
    basis: str


@dataclass(frozen=True)
class Line:
    """Models of one task and encoder: how many, about how many seconds each, and what that estimate rests on."""

    task: str
    encoder: str
    models: int
    seconds: float
    basis: str

    def __str__(self) -> str:
        return f"{self.task}, {self.encoder}: {_count(self.models, 'model')}, about {duration(self.seconds)} each ({self.basis})"


@dataclass(frozen=True)
class Plan:
    """What is to be computed and fetched; ``absent`` holds a sentence for each encoder that cannot be had."""

    edition: Edition
    lines: list[Line]
    downloads: list[Download]
    absent: list[str]
    workers: int
    device: str
    results: int  # bytes that will be kept

    @property
    def seconds(self) -> float:
        """Estimated duration of all fine-tuning, in seconds."""
        return sum(line.models * line.seconds for line in self.lines) / max(1, self.workers)

    def __str__(self) -> str:
        return "\n".join([f"Plan for the edition {self.edition.title}:", *self._models(), *self._downloads(), *self._disk()])

    def _models(self) -> Iterator[str]:
        for sentence in self.absent:
            yield f"  not available: {sentence}"
        yield from (f"  {line}" for line in self.lines)
        total = sum(line.models for line in self.lines)
        if not total:
            yield "  nothing to fine-tune: every result is kept already, or cannot be computed"
            return
        processes = _count(self.workers, "process", "processes")
        yield f"  in all {_count(total, 'model')}, about {duration(self.seconds)} with {processes} on {self.device}"

    def _downloads(self) -> Iterator[str]:
        by_licence = defaultdict(list)
        for item in self.downloads:
            by_licence[item.licence or "licence not stated"].append(item)
        if self.downloads:
            yield f"  to download: {_amount(self.downloads)}"
        for licence, items in sorted(by_licence.items()):
            names = ", ".join(dict.fromkeys(item.what.split()[0] for item in items))
            yield f"    {licence}: {_amount(items)}; {names}"

    def _disk(self) -> Iterator[str]:
        due = self.results + sum(item.size or 0 for item in self.downloads)
        free = shutil.disk_usage(_existing(folder())).free
        warning = "; that is too little" if due > free else ""
        if due:
            yield f"  disk: {megabytes(due)} for downloads of known size and results, {megabytes(free)} free{warning}"


def of(edition: Edition, cells: Sequence[Cell] | None = None, store: Store | None = None, workers: int | None = None) -> Plan:
    """The plan of the whole book, or of some cells; only what is at hand is read."""
    store = store or stores.default(edition)
    cells = lacking(edition, store) if cells is None else cells
    groups = Counter((cell.task, cell.encoder) for cell in cells)
    lines = [Line(task, encoder, models, *seconds_each(edition, task, encoder, store))
             for (task, encoder), models in groups.items()]  # fmt: skip
    absent = [why for name in grids.ENCODERS if (why := _unobtainable(edition, name))]
    processes = min(workers or transfer.default_workers(), max(1, len(cells)))
    return Plan(edition, lines, downloads(edition), absent, processes, transfer.device(), _bytes(edition, groups))


def lacking(edition: Edition, store: Store | None = None) -> list[Cell]:
    """The book's models that have yet to be fine-tuned, those included for which something has yet to be fetched."""
    printed = [cell for task, encoders in grids.TASKS.items() for encoder in encoders
               for cell in _lacking(edition, task, encoder, store)]  # fmt: skip
    return [*printed, *_variants(edition, store)]


def _variants(edition: Edition, store: Store | None) -> list[Cell]:
    """The models of Appendix A's variants of the recipe, once that which they are made of is here."""
    task, encoder = sensitivity.TASK, sensitivity.ENCODER
    here = _is_here(edition, encoder) and edition.languages(task) and not _corpora_to_fetch(edition, task)
    return sensitivity.lacking(edition, store) if here else []


def _lacking(edition: Edition, task: str, encoder: str, store: Store | None) -> list[Cell]:
    if _unobtainable(edition, encoder):
        return []
    if _is_here(edition, encoder) and not _corpora_to_fetch(edition, task):
        return grids.missing(edition, task, encoder, store)
    # Results are kept under the content of corpora and encoder, which is not known before they are here.
    return [Cell(task, encoder, code, seed) for codes, seeds in grids.rows(edition, task, encoder)
            for code in codes if _obtainable(edition, task, code) for seed in seeds]  # fmt: skip


def downloads(edition: Edition) -> list[Download]:
    """Every file that the edition would fetch and that is not here yet: encoders first, then corpora and parallel text."""
    found = [item for name in edition.encoders if (item := _weights(edition, name))]
    for task in corpora.TASKS:
        found += _corpora_to_fetch(edition, task)
    return list(dict.fromkeys([*found, *_to_fetch(edition, "parallel", edition.pairs)]))


def seconds_each(edition: Edition, task: str, encoder: str, store: Store) -> tuple[float, str]:
    """About how many seconds one model takes on this device, evaluations included, and what says so."""
    if kept := kept_seconds(edition, task, encoder, store):
        return float(np.median(kept)), KEPT
    rate, epochs = measured(edition, encoder), edition.recipe(task).epochs
    training, tagging = _pieces(edition, task, encoder)
    return epochs * training / rate.training + tagging / rate.tagging, rate.basis


def at_full_size(speeds: pd.DataFrame, edition: Edition) -> pd.DataFrame:
    """What an edition's models take with encoders of the original size, on a processor and on a GPU.

    ``speeds`` is `tokenisation.speeds`. Columns: task, encoder, device, models, minutes (a model), hours (all), memory
    (peak, in bytes; NaN if not measured), basis ("measured", or "estimate" where no GPU was). Corpora count with round
    sizes, whether or not they are at hand.
    """
    rows, speeds = [], _with_gpu(speeds)
    for task, encoder in [(task, encoder) for task, encoders in grids.TASKS.items() for encoder in encoders]:
        models = sum(len(codes) * len(seeds) for codes, seeds in grids.rows(edition, task, encoder))
        training = edition.recipe(task).epochs * ASSUMED["train"]
        tagging = ASSUMED["test"] * len(edition.evaluation_languages(task))
        for run in speeds.itertuples():
            seconds = training / run.training + tagging / run.tagging
            cost = [models, seconds / 60, models * seconds / 3600, run.memory]
            rows.append([task, encoder, run.device, *cost, run.basis])
    return pd.DataFrame(rows, columns=["task", "encoder", "device", "models", "minutes", "hours", "memory", "basis"])


def _with_gpu(speeds: pd.DataFrame) -> pd.DataFrame:
    """The measured speeds and, if no GPU is among them, an estimated one."""
    measured = speeds.assign(basis=MEASURED)
    if not all(device.startswith("cpu") for device in speeds.device):
        return measured
    tagging = GPU_OPERATIONS / (2 * LAYER_WEIGHTS)
    estimate = {"device": GPU, "training": tagging / 3, "tagging": tagging, "memory": np.nan, "basis": ESTIMATED}
    return pd.concat([measured, pd.DataFrame([estimate])], ignore_index=True)


def kept_seconds(edition: Edition, task: str, encoder: str, store: Store) -> list[float]:
    """What kept models of that task, encoder and edition took on a device like this one."""
    known = {"task": task, "encoder": encoder}
    abouts = [record.provenance for record in store.records(transfer.KIND)]
    return [about["seconds"] for about in abouts if about.get("device") == transfer.device()
            and about.get("edition") == edition.name and known.items() <= about.get("cell", {}).items()]  # fmt: skip


@functools.cache
def measured(edition: Edition, encoder: str) -> Speed:
    """Speed of an encoder of the edition, or of the random one that stands for it until it is here."""
    if _is_here(edition, encoder):
        return speed(edition.encoder(encoder).model(), edition.recipe("pos"), TIMED)
    return _stand_in()


@functools.cache
def _stand_in() -> Speed:
    return speed(BertModel(BertConfig(), add_pooling_layer=False), Recipe(), STAND_IN)


def speed(model: torch.nn.Module, recipe: Recipe, basis: str = TIMED) -> Speed:
    """Time a few steps of fine-tuning and of tagging on random pieces; on a processor with one thread, as workers have."""
    threads, device = torch.get_num_threads(), "cuda" if torch.cuda.is_available() else "cpu"
    slow = device == "cpu" and sum(weights.numel() for weights in model.parameters()) > LARGE
    network = finetune.TaggingNetwork(model, len(transfer.UPOS), recipe.dropout).to(device)
    torch.set_num_threads(1)
    try:
        batch = _batch(network, 4 if slow else recipe.batch_size)
        training = batch.ids.numel() / _seconds_of_a_step(network, batch, recipe)
        batch = batch if slow else _batch(network, finetune.PIECES_PER_BATCH[device] // LENGTH)
        tagging = batch.ids.numel() / _seconds_of_tagging(network, batch)
    finally:
        torch.set_num_threads(threads)
    return Speed(training, tagging, transfer.peak_memory(), transfer.device(), basis)


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 seconds", "12 minutes", "3.5 hours", "4 days"."""
    for unit, size in [("day", 86400), ("hour", 3600), ("minute", 60)]:
        if seconds >= 1.5 * size:
            number = seconds / size
            return f"{number:.1f} {unit}s" if number < 10 and unit != "minute" else f"{number:.0f} {unit}s"
    return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"


def megabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"


def _batch(network: finetune.TaggingNetwork, rows: int) -> finetune.Batch:
    device = next(network.parameters()).device
    ids = torch.randint(0, network.encoder.config.vocab_size, (rows, LENGTH), device=device)
    places = torch.arange(rows * LENGTH, device=device)
    return finetune.Batch(ids, None, places // LENGTH, places % LENGTH, places)


def _seconds_of_a_step(network: finetune.TaggingNetwork, batch: finetune.Batch, recipe: Recipe) -> float:
    optimizer = torch.optim.AdamW(finetune.parameter_groups(network, recipe.weight_decay), lr=1e-6, fused=True)
    targets = torch.zeros(batch.ids.numel(), dtype=torch.long, device=batch.ids.device)
    network.train()
    return _timed(lambda: finetune.step(network, batch, targets, optimizer, recipe))


def _seconds_of_tagging(network: finetune.TaggingNetwork, batch: finetune.Batch) -> float:
    network.eval()
    with torch.inference_mode():
        return _timed(lambda: network(batch).argmax(dim=-1))


def _timed(work: Callable[[], Any]) -> float:
    """Mean seconds of doing it, the first time left out."""
    work()
    _wait()
    started = time.perf_counter()
    for _ in range(STEPS):
        work()
    _wait()
    return (time.perf_counter() - started) / STEPS


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _pieces(edition: Edition, task: str, encoder: str) -> tuple[float, float]:
    """Word pieces of an average training corpus, and of all evaluation corpora together."""
    tokenizer = edition.encoder(encoder).tokenizer if _is_here(edition, encoder) else None
    train = [_size(edition, task, code, "train", tokenizer) for code in edition.languages(task)]
    test = [_size(edition, task, code, "test", tokenizer) for code in edition.evaluation_languages(task)]
    return float(np.mean(train or [0])), float(sum(test))


def _size(edition: Edition, task: str, code: str, split: str, tokenizer: PreTrainedTokenizerBase | None) -> float:
    """Word pieces of a corpus: estimated from its first sentences, assumed where it is yet to be fetched, else none."""
    if _to_fetch(edition, task, [code]):
        return ASSUMED[split]
    try:
        corpus = edition.corpus(task, code, split)
    except CorpusUnavailable:
        return 0.0
    some = corpora.first(corpus, SAMPLE)["tokens"]
    if not len(corpus) or tokenizer is None:
        return 1.5 * sum(map(len, corpus["tokens"]))
    return sum(map(len, encode(tokenizer, list(some), 512).rows)) * len(corpus) / len(some)


def _obtainable(edition: Edition, task: str, code: str) -> bool:
    """Whether a training corpus is at hand or can be fetched."""
    if _to_fetch(edition, task, [code]):
        return True
    try:
        edition.corpus(task, code, "train")
    except CorpusUnavailable:
        return False
    return True


def _corpora_to_fetch(edition: Edition, task: str) -> list[Download]:
    return _to_fetch(edition, task, list(dict.fromkeys([*edition.languages(task), *edition.evaluation_languages(task)])))


def _to_fetch(edition: Edition, task: str, names: Iterable) -> list[Download]:
    """What a source that downloads would fetch for some corpora of a task, or for "parallel"."""
    ask = getattr(edition.source, "downloads", None)
    return ask(task, list(names)) if ask and names else []


def _encoder(edition: Edition, name: str) -> Encoder | None:
    """An encoder as the edition names it; None for one that is pre-trained when first asked for."""
    return None if edition.pretrains(name) else edition.encoder(name)


def _is_here(edition: Edition, name: str) -> bool:
    return (found := _encoder(edition, name)) is not None and found.at_hand


def _unobtainable(edition: Edition, name: str) -> str:
    """Why an encoder can neither be used nor fetched nor made; empty if it can."""
    try:
        found = _encoder(edition, name)
        if found and not found.is_remote:
            found.digest  # noqa: B018 - raises if there are no weights
    except EncoderUnavailable as absence:
        return str(absence)
    return ""


def _weights(edition: Edition, name: str) -> Download | None:
    """What fetching an encoder of the hub means, if it is not here."""
    if _unobtainable(edition, name) or not (found := _encoder(edition, name)) or found.at_hand:
        return None
    pin = hub.pins().get(found.path)
    about = {"size": 1_000_000 * pin.megabytes, "licence": pin.licence} if pin else {"licence": "see its page on the hub"}
    return Download(f"{found.path} (encoder {name})", f"https://huggingface.co/{found.path}", f"hub/{found.path}", **about)


def _bytes(edition: Edition, groups: Counter) -> int:
    """About what the results will take: kept counts are a few bytes a sentence."""
    bytes_a_sentence = 0.2
    sentences = {task: 1000 * len(edition.evaluation_languages(task)) for task, _ in groups}
    return int(sum(models * (1000 + bytes_a_sentence * sentences[task]) for (task, _), models in groups.items()))


def _amount(items: Sequence[Download]) -> str:
    known = [item.size for item in items if item.size is not None]
    unknown = len(items) - len(known)
    parts = [f"{_count(len(known), 'file')} of {megabytes(sum(known))}" if known else ""]
    parts += [f"{_count(unknown, 'file')} of unknown size" if unknown else ""]
    return " and ".join(filter(None, parts))


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _existing(path: Path) -> Path:
    return next(place for place in [path, *path.parents] if place.exists())
