"""The grid on a Ray cluster, whose nodes need the installed package and nothing else.

Corpora and encoders travel once, through Ray's object store; encoders become files in a node's
temporary folder. Results travel back, and only the process that asked writes them to its store.
What a node was at when it died is given to another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np
from tqdm import tqdm

from crosslingual import experiments
from crosslingual.corpora import TASKS, CorpusUnavailable
from crosslingual.edition import Edition, EncoderEntry, declared
from crosslingual.experiments import ExperimentError, Job
from crosslingual.models.encoder import FILES

# What runs an encoder: the rest takes seconds, and stays where the book is.
KINDS = ("scores", "variants", "retrieval", "space")


def run(edition: Edition, jobs: list[Job], address: str, gpus: float = 0) -> int:
    """Compute jobs on the cluster at ``address`` ("auto": the one this machine belongs to).

    gpus: of one job; with 0.5, two share one. As `experiments.run` otherwise, which does here what
    needs no encoder. Raises ExperimentError where Ray is not installed, no cluster answers, or a
    job takes down one process after the other.
    """
    heavy = [job for job in jobs if job.kind in KINDS]
    failed = experiments.run(edition, [job for job in jobs if job.kind not in KINDS])
    told = tqdm(_finished(edition, heavy, address, gpus), total=len(heavy), unit="job", leave=False)
    return failed + sum(not experiments.conclude(edition, *done) for done in told)


def _finished(edition: Edition, jobs: list[Job], address: str, gpus: float) -> Iterator[tuple]:
    try:
        import ray
    except ImportError:
        raise ExperimentError("Ray is not installed: do pip install '.[cluster]'.") from None
    try:
        ray.init(address=address, log_to_driver=False)
        with experiments.nothing_computed():  # nor fetched
            packed = ray.put(_packed(edition))
        task = ray.remote(num_cpus=1, num_gpus=gpus)(_on_node)
        waiting = [task.remote([packed], job) for job in jobs]  # in a list it stays a reference
        while waiting:
            done, waiting = ray.wait(waiting)
            yield from ray.get(done)
    except (ConnectionError, ray.exceptions.RayError) as problem:
        said = str(problem).strip().splitlines()[0]
        raise ExperimentError(f"The cluster gave up ({said}); what is finished is kept.") from None
    finally:
        ray.shutdown()


def _packed(edition: Edition) -> tuple:
    """An edition with the content of all that it names and is at hand."""
    texts: dict[tuple, tuple] = {}
    encoders = {}
    for task, split in product(TASKS, ["train", "test"]):
        for code in edition.languages(task):
            with suppress(ValueError):  # not at hand, and so in no job
                key = task, code, split
                texts[key] = edition.digest(*key), edition.corpus(*key)
    for pair in {*edition.pairs, *edition.further_pairs}:
        with suppress(ValueError):
            texts[pair] = edition.parallel_digest(*pair), edition.parallel(*pair)
    for name in edition.encoders:
        with suppress(ValueError):
            if (encoder := edition.encoder(name)).at_hand:
                paths = {path for pattern in FILES for path in encoder.folder.glob(pattern)}
                files = {path.name: np.fromfile(path, np.uint8) for path in paths}
                encoders[name] = encoder.digest, files
    return edition.path, edition.document, edition.lines, texts, encoders


def _on_node(packed: list, job: Job) -> tuple[Job, Any]:
    experiments._settle(0)  # Ray shows a process its own GPU only, and ends it
    return experiments.computed(_unpacked(packed[0]), job)


@lru_cache(maxsize=1)
def _unpacked(packed: Any) -> Edition:
    """The edition, once per process: its corpora from memory, its encoders from files."""
    import ray

    path, document, lines, texts, encoders = ray.get(packed)
    declared(document.new_languages)

    def known(place: int, *key: str) -> Any:
        if key not in texts:
            raise CorpusUnavailable(f"{'/'.join(key)} was not at hand when the run began.")
        return texts[key][place]

    digest, text = partial(known, 0), partial(known, 1)
    parts = {"digest": digest, "labelled": text, "parallel_digest": digest, "parallel": text}
    parts["languages"] = document.corpora.languages
    folders = {name: EncoderEntry(path=str(_put(*files))) for name, files in encoders.items()}
    here = {"corpora": SimpleNamespace(**parts), "encoders": folders}
    return Edition(path, document.model_copy(update=here), lines)


def _put(digest: str, files: dict[str, np.ndarray]) -> Path:
    """The folder of an encoder, written in one step by the first process of a node that asks."""
    folder = Path(tempfile.gettempdir(), f"crosslingual-{digest[:32]}")
    if not folder.is_dir():
        draft = folder.with_name(f"{folder.name}-{uuid4().hex}")
        draft.mkdir()
        for name, content in files.items():
            content.tofile(draft / name)
        with suppress(OSError):  # another was faster, and wrote the same
            draft.rename(folder)
    return folder
