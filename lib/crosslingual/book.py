"""The book: papermill executes the chapters, a failed one stops the build, `site` compiles what was executed.

An executed chapter is kept in ``_build/executed/`` under its own name together with the key of all that made it
(its source, the library, the edition, the encoders, the parameters), and is executed again only when that changes.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import nbformat
import papermill
import yaml
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm
from traitlets.config import Config

from crosslingual import availability, corpora, emergence, grids, parameters, plan, pretrain, site, store, tokenisation, transfer
from crosslingual.editions import Edition

LIBRARY = Path(__file__).parent
# Stages after the first: what reads what the other chapters computed, then what reports on the build itself.
BALANCE, REPORT = ("06-conclusion", "index"), ("beyond/provenance",)
# A kernel that could be listened to warns on every start.
KERNEL = Config({"KernelManager": {"transport_encryption": "auto"}})


class BookError(ValueError):
    """A chapter is missing or failed, or another build is running."""


def build(root: Path, edition: str = "pocket", given: dict[str, str] | None = None, jobs: int | None = None) -> Path:
    """Execute every chapter of the checkout ``root`` that is out of date, compile the site, return its index page.

    ``given`` holds parameters as typed; each goes to the chapters that declare it, and some chapter must.  Raises
    BookError naming chapter, cell and error when a chapter fails: the site is then left as it was.
    """
    loaded, names, edition = Edition.load(edition), chapters(root), _from_root(root, edition)
    settings = {name: _settings(root, name, edition, given or {}) for name in names}
    _refuse_unused(given or {}, settings)
    if awaited := plan.downloads(loaded):
        tqdm.write(str(plan.of(loaded)))
    with _alone(root):
        shared = digest_of_inputs(root, loaded)
        keys = {name: _key(root, name, shared, settings[name]) for name in names}
        stale = [name for name in names if _kept_key(_executed(root, name)) != keys[name]]
        if stale:
            for name in REPORT:  # it would be wrong from now on, also if this build is killed
                _executed(root, name).unlink(missing_ok=True)
            # What chapters share is computed before they run side by side: on all cores, and each model once.
            cells = grids.of_the_book(loaded)
            if cells and not awaited:
                tqdm.write(str(plan.of(loaded, cells)))
            transfer.run(loaded, cells)
            grids.floors(loaded)
        run = partial(_refresh, root, settings=settings, keys=keys)
        for stage in _stages(names, stale):
            _in_parallel(run, stage, jobs)
        return site.compile(root)


def _stages(names: list[str], stale: list[str]) -> list[list[str]]:
    """The chapters to execute, in turn; the report is executed whenever another chapter is."""
    first = [name for name in stale if name not in BALANCE + REPORT]
    balance = [name for name in stale if name in BALANCE]
    return [first, balance, [name for name in names if name in REPORT and stale]]


def chapter(root: Path, name: str, edition: str = "pocket", given: dict[str, str] | None = None) -> Path:
    """Execute one chapter with other parameters and return the executed notebook, ``_build/chapters/<name>.ipynb``."""
    path = source(root, name)
    values = parameters.typed(path, {"edition_name": _from_root(root, edition), **(given or {})})
    return execute(root, name, values, root / "_build/chapters" / f"{name}.ipynb")


def _from_root(root: Path, edition: str) -> str:
    """Chapters run in ``root``, so an edition given as a path is named from there."""
    return os.path.relpath(Path(edition).resolve(), root) if edition.endswith((".yml", ".yaml")) else edition


def chapters(root: Path) -> list[str]:
    """The chapters' names in the order of ``_toc.yml``, the front page first; raise BookError if one is missing."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    listed = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [name for name in [toc["root"], *listed] if source(root, name).suffix == ".ipynb"]


def source(root: Path, name: str) -> Path:
    """The chapter's file in ``book/``; raise BookError with the names there are if it has none."""
    for path in (root / "book" / f"{name}.ipynb", root / "book" / f"{name}.md"):
        if path.is_file():
            return path
    raise BookError(f"there is no chapter {name!r}: choose from {', '.join(_written(root))}")


def _written(root: Path) -> list[str]:
    paths = sorted((root / "book").rglob("*.ipynb"))
    return [path.relative_to(root / "book").with_suffix("").as_posix() for path in paths]


def _settings(root: Path, name: str, edition: str, given: dict[str, str]) -> dict:
    """The typed values for those of the given parameters that the chapter declares."""
    path = source(root, name)
    offered = {"edition_name": edition, **given}
    known = parameters.declared(path)
    return parameters.typed(path, {key: value for key, value in offered.items() if key in known})


def _refuse_unused(given: dict[str, str], settings: dict[str, dict]) -> None:
    for key in given:
        if not any(key in values for values in settings.values()):
            raise parameters.ParameterError(f"no chapter has a parameter {key!r}; name=value sets those that exist")


def _executed(root: Path, name: str) -> Path:
    return root / "_build/executed" / f"{name}.ipynb"


def _key(root: Path, name: str, shared: str, values: dict) -> str:
    return _digest([shared, _content(source(root, name)), json.dumps(values, sort_keys=True)])


def _kept_key(executed: Path) -> str | None:
    if not executed.exists():
        return None
    return nbformat.read(executed, as_version=4).metadata.get("crosslingual", {}).get("key")


def _refresh(root: Path, name: str, settings: dict[str, dict], keys: dict[str, str]) -> None:
    started = perf_counter()
    execute(root, name, settings[name], _executed(root, name), keys[name])
    tqdm.write(f"{name}: executed in {perf_counter() - started:.0f} s")


def execute(root: Path, name: str, values: dict, target: Path, key: str = "") -> Path:
    """Run one chapter by papermill in ``root`` and put it at ``target``, whole or not at all; return ``target``.

    Raises BookError naming chapter, cell and error; the failed notebook is then at ``_build/failed/``.
    """
    path, working = source(root, name), root / "_build/failed" / f"{name}.ipynb"
    working.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        executed = papermill.execute_notebook(
            # Only what is unlike the chapter's own defaults is injected: a page as published shows no extra cell.
            str(path), str(working), parameters=parameters.changed(path, values), kernel_name="python3",
            cwd=str(root), config=KERNEL, shutdown_kernel="immediate", progress_bar={"desc": name, "leave": False, "disable": None},
        )  # fmt: skip
    except (PapermillExecutionError, CellControlSignal, CellExecutionError, DeadKernelError) as error:
        raise BookError(_failure(name, working, error)) from None
    executed.metadata["crosslingual"] = {"key": key}
    _put(executed, working, target)
    return target


def _put(notebook: nbformat.NotebookNode, working: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, working)
    os.replace(working, target)


def _failure(name: str, working: Path, error: Exception) -> str:
    where = f"see {working}"
    if not isinstance(error, PapermillExecutionError):
        return f"chapter {name} failed: its kernel died ({type(error).__name__}); {where}"
    return f"chapter {name} failed in cell {error.exec_count} (`{_line(error)}`): {error.ename}: {error.evalue}; {where}"


def _line(error: PapermillExecutionError) -> str:
    """The line of the cell that failed: the one with an arrow in the traceback's frame of the cell, else the first."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    arrow = re.search(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    return (arrow[1] if arrow else error.source.strip().splitlines()[0]).strip()


def _in_parallel(run, names: list[str], jobs: int | None) -> None:
    """Call ``run`` on every name, ``jobs`` at a time (default two, if there are two cores); the first failure wins."""
    with ThreadPoolExecutor(jobs or min(2, os.cpu_count() or 1)) as pool:
        tasks = [pool.submit(run, name) for name in names]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the checkout's build folder; raise BookError if another process does (a killed one does not)."""
    (root / "_build").mkdir(exist_ok=True)
    with open(root / "_build/.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BookError(f"another build is running in {root}: wait for it to end") from None
        yield


def digest_of_inputs(root: Path, edition: Edition) -> str:
    """Digest of what every chapter depends on: library, pins, the edition, its corpora and encoders, recorded results.

    Results of the paper's own vocabularies and encoders are shown in every edition. Kept curves of pre-training count, as no
    chapter computes them, and so does what is noted beside the weights of encoders.
    An encoder that the edition pre-trains on demand is made here, once, rather than by several chapters at a time.
    """
    library = [path for path in LIBRARY.rglob("*") if path.suffix in (".py", ".csv")]
    shown = [edition, *edition.companions]
    names = {*(each.name for each in shown), tokenisation.RECORDED}
    folders = [*(root / "book/recorded" / name for name in names), store.local() / emergence.KIND]
    results = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    notes = [path for name in (pretrain.LOG, pretrain.TEXT) for path in (root / "encoders").glob(f"*/{name}")]
    pins = [each.resolve(each.document["digests"]) for each in shown if "digests" in each.document]
    kept = [*sorted(library), *sorted(results), *sorted(notes)]
    paper = root / "book/editions" / f"{tokenisation.RECORDED}.yml"  # what its experiments would cost is shown too
    files = [*kept, *(each.path for each in shown), paper, *pins, root / "requirements.lock"]
    content = [path.read_bytes() for path in files if path.exists()]
    return _digest([*content, *_fingerprints(edition)])


def _fingerprints(edition: Edition) -> Iterator[str]:
    """One for each encoder and corpus of the edition; what is not at hand says so, as its table will."""
    for name in edition.encoders:
        absence = availability.missing_encoder(edition, name)
        yield absence or edition.encoder_digest(name)
    for pair in [*edition.pairs, *edition.further_pairs]:
        try:
            yield edition.parallel_digest(*pair)
        except corpora.CorpusUnavailable as absence:
            yield str(absence)
    for task in corpora.TASKS:
        for language in dict.fromkeys([*edition.languages(task), *edition.evaluation_languages(task)]):
            for split in corpora.SPLITS:
                try:
                    yield edition.source.fingerprint(task, language, split)
                except corpora.CorpusUnavailable as absence:
                    yield str(absence)


def _content(path: Path) -> str:
    """What of a chapter counts: its cells and their tags, not outputs or execution counts."""
    cells = nbformat.read(path, as_version=4).cells
    return json.dumps([[cell.cell_type, cell.source, cell.metadata] for cell in cells], sort_keys=True)


def _digest(parts: Iterable[str | bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8") if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big") + raw)
    return total.hexdigest()
