"""The book: papermill executes its chapters, jupyter-book makes the site; a failure stops both.

An executed chapter is kept in ``_build/executed/<edition>/`` with a key of all that it is made of,
and is executed again only when that changes. The site is ``_build/html/<edition>/``; the default
edition's is ``_build/html/``.
"""

import ast
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from time import perf_counter

import nbformat
import pandas as pd
import papermill
import yaml
from filelock import FileLock, Timeout
from joblib import Parallel, delayed
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from pydantic import TypeAdapter
from tqdm import tqdm
from traitlets.config import Config

from crosslingual import experiments, results
from crosslingual.edition import Edition

DEFAULT = "pocket"  # the edition of `make book`; a test holds the notebooks to it
LIBRARY = Path(__file__).parents[1]
REPORT = "beyond/provenance"  # on the build: executed last, and whenever another chapter was
# What a parameter may be: the annotations that its cell may use.
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list[str]}
KERNEL = {
    "kernel_name": "python3",
    "shutdown_kernel": "immediate",
    # One that could be listened to warns on every start.
    "config": Config({"KernelManager": {"transport_encryption": "auto"}}),
}
SIDE_BY_SIDE = 2  # chapters; what takes long was computed before, on all cores
FAILURES = (PapermillExecutionError, CellControlSignal, CellExecutionError, DeadKernelError)
STRICT = ["-n", "-W", "--keep-going"]
STAMP = ".made-from"  # in the folder of each whole site


class BookError(ValueError):
    """A wrong chapter or parameter, a failed chapter, a refused page, or another build."""


def build(
    root: Path, edition: str, given: dict[str, str] | None = None, fresh: bool = False
) -> Path:
    """Execute the chapters of the checkout ``root`` that are out of date; return the index page.

    Each parameter in ``given``, as typed, goes to the chapters that declare it. ``fresh`` computes
    all results of the edition anew. Raises BookError for a wrong parameter before anything runs,
    and when a chapter fails or its pages are refused: the site is then left as it was.
    """
    loaded, values = Edition.load(edition), _values(root, edition, given or {})
    folder = root / "_build/executed" / loaded.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / "_build/.lock", timeout=0):  # a killed build does not hold it
            experiments.prepare(loaded, fresh=fresh)  # what chapters share: on all cores, and once
            _execute_stale(root, folder, values, _shared_key(root, loaded))
            return compile(root, loaded.name)
    except Timeout:
        raise BookError(f"another build is running in {root}: wait for it to end") from None


def chapter(root: Path, name: str, edition: str, given: dict[str, str]) -> Path:
    """Rerun one chapter with the given parameters, as typed, beside the site; return its page."""
    values = typed(source(root, name), {"edition_name": _from_root(root, edition), **given})
    executed = root / "_build/chapters" / f"{name}.ipynb"
    execute(root, name, values, executed, stdout=sys.stdout)
    return page(root, executed)


def chapters(root: Path) -> list[str]:
    """The chapters' names in the order of ``_toc.yml``; raise BookError if one is missing."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    listed = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [name for name in [toc["root"], *listed] if source(root, name).suffix == ".ipynb"]


def source(root: Path, name: str) -> Path:
    """The chapter's file in ``book/``; raise BookError with the names there are if it has none."""
    for path in (root / "book" / f"{name}.ipynb", root / "book" / f"{name}.md"):
        if path.is_file():
            return path
    paths = [path.with_suffix("") for path in _below(root / "book", ".ipynb")]
    names = ", ".join(path.relative_to(root / "book").as_posix() for path in paths)
    raise BookError(f"there is no chapter {name!r}: choose from {names}")


# A chapter's parameters: what the cell tagged `parameters` declares.


def parse(assignments: list[str]) -> dict[str, str]:
    """Split texts as typed, each one or several of ``name=value``: ``train=[en, de]; seeds=2``."""
    parts = [part.strip() for text in assignments for part in text.split(";") if part.strip()]
    for part in parts:
        if not re.match(r"\w+ *=", part):
            raise BookError(f"a parameter is given as name=value, not {part!r}")
    return {name.strip(): value.strip() for name, value in (part.split("=", 1) for part in parts)}


def declared(chapter: Path) -> dict[str, dict]:
    """{name: {inferred_type_name, default, help}} as the chapter's cell of parameters says."""
    with redirect_stderr(StringIO()):  # papermill remarks on every line that is a comment only
        return papermill.inspect_notebook(str(chapter))


def typed(chapter: Path, given: dict[str, str]) -> dict:
    """``given`` (name -> text) with each value of the type that the chapter declares (``TYPES``).

    The comment of a parameter may set limits: "(at least 1)"; "(like en-fr)" for the shape of each
    in a list. Raises BookError for an unknown name or a value that does not fit.
    """
    known = declared(chapter)
    for name in [name for name in given if name not in known]:
        raise BookError(
            f"chapter {chapter.stem} has no parameter {name!r}: choose from {', '.join(known)}"
        )
    return {name: _typed(chapter, known[name], text) for name, text in given.items()}


def _typed(chapter: Path, parameter: dict, text: str) -> object:
    annotation, comment = parameter["inferred_type_name"], parameter["help"]
    parts = [part.strip(" '\"") for part in text.strip(" []").split(",")]
    try:
        raw = [part for part in parts if part] if annotation.startswith("list") else text.strip()
        value = TypeAdapter(TYPES[annotation]).validate_python(raw)
        _check_limits(value, comment)
    except ValueError:
        raise BookError(
            f"parameter {parameter['name']} of chapter {chapter.stem} wants {annotation}, "
            f"{comment} (default {parameter['default']}), not {text!r}"
        ) from None
    return value


def _check_limits(value: object, comment: str) -> None:
    """Raise ValueError if the value is not within what the comment says."""
    if (least := re.search(r"\(at least (\d+)\)", comment)) and value < int(least[1]):
        raise ValueError(value)
    if like := re.search(r"\(like (\S+)\)", comment):
        shape = re.sub(r"\w+", r"\\w+", like[1])
        if not all(re.fullmatch(shape, text) for text in value):
            raise ValueError(value)


def _values(root: Path, edition: str, given: dict[str, str]) -> dict[str, dict]:
    """{chapter: its typed values}; raise BookError for a parameter that no chapter has."""
    offered, values = {"edition_name": _from_root(root, edition), **given}, {}
    for name in chapters(root):
        path = source(root, name)
        known = declared(path)
        values[name] = typed(path, {key: text for key, text in offered.items() if key in known})
    for key in [key for key in given if not any(key in each for each in values.values())]:
        raise BookError(f"no chapter has a parameter {key!r}; each lists its own in its first cell")
    return values


def _from_root(root: Path, edition: str) -> str:
    """Chapters run in ``root``, so an edition given as a path is named from there."""
    is_path = edition.endswith((".yml", ".yaml"))
    return os.path.relpath(Path(edition).resolve(), root) if is_path else edition


# Executing


def _execute_stale(root: Path, folder: Path, values: dict[str, dict], shared: str) -> None:
    """Execute the chapters whose keys have changed side by side, then the report on the build."""
    keys = {name: _key(source(root, name), shared, values[name]) for name in values}
    stale = [name for name in keys if _kept_key(folder / f"{name}.ipynb") != keys[name]]
    if stale:  # the report would be wrong from now on, also if this build is killed
        (folder / f"{REPORT}.ipynb").unlink(missing_ok=True)
    due = [name for name in values if name == REPORT and stale]
    for names in ([name for name in stale if name != REPORT], due):
        Parallel(SIDE_BY_SIDE, backend="threading")(
            delayed(execute)(root, name, values[name], folder / f"{name}.ipynb", keys[name])
            for name in names
        )


def execute(root: Path, name: str, values: dict, target: Path, key: str = "", stdout=None) -> None:
    """Run one chapter by papermill in ``root`` and put it at ``target``, whole or not at all.

    Raises BookError naming chapter, cell and error; the failed one is then in ``_build/failed/``.
    """
    path, working = source(root, name), root / "_build/failed" / f"{name}.ipynb"
    working.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    known, started = declared(path), perf_counter()
    # Only what is unlike the defaults is injected: a page as published shows no extra cell.
    changed = {
        key: value
        for key, value in values.items()
        if ast.literal_eval(known[key]["default"]) != value
    }
    bar = {"desc": name, "leave": False, "disable": None}
    try:
        executed = papermill.execute_notebook(
            path, working, changed, progress_bar=bar, stdout_file=stdout, cwd=root, **KERNEL
        )
    except FAILURES as error:
        raise BookError(f"chapter {name} failed {_where(error)}; see {working}") from None
    executed.metadata["crosslingual"] = {"key": key}
    nbformat.write(executed, working)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(working, target)
    tqdm.write(f"{name}: executed in {perf_counter() - started:.0f} s")


def _where(error: Exception) -> str:
    if not isinstance(error, PapermillExecutionError):
        return f"as its kernel died ({type(error).__name__})"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    # The line, in the traceback's frame of the cell.
    arrow = re.search(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    line = arrow[1] if arrow else error.source.strip().splitlines()[0]
    return f"in cell {error.exec_count} (`{line.strip()}`): {error.ename}: {error.evalue}"


def _kept_key(executed: Path) -> str | None:
    """The key that an executed chapter was made with."""
    if not executed.exists():
        return None
    return nbformat.read(executed, 4).metadata.get("crosslingual", {}).get("key")


def _shared_key(root: Path, edition: Edition) -> str:
    """Digest of what every chapter is made of: library, pins, edition, results, encoders' cards."""
    folders = [LIBRARY, root / "book/recorded", results.local(edition.name), root / "encoders"]
    files = [*_below(folders[0], ".py", ".csv"), *_below(folders[1]), *_below(folders[2])]
    files += [*_below(folders[3], ".md", ".jsonl"), root / "requirements.lock", edition.path]
    return _digest(path.read_bytes() for path in files if path.exists())


def _key(source: Path, shared: str, values: dict) -> str:
    cells = nbformat.read(source, 4).cells
    content = [[cell.cell_type, cell.source, cell.metadata] for cell in cells]
    return _digest([shared.encode(), json.dumps([content, values], sort_keys=True).encode()])


def _below(folder: Path, *endings: str) -> list[Path]:
    """The files in a folder and its folders with one of the endings, if any are given."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if not endings or path.suffix in endings)


def _digest(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def durations(edition: Edition) -> pd.DataFrame:
    """What cells took when last executed; columns: chapter, date, number, code, seconds."""
    folder, rows = results.root() / "_build/executed" / edition.name, []
    for path in _below(folder, ".ipynb"):
        notebook, name = nbformat.read(path, 4), path.relative_to(folder).with_suffix("").as_posix()
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        day = notebook.metadata.papermill.start_time[:10]
        taken = [(cell.source, cell.metadata.papermill.duration) for cell in code]
        rows += [(name, day, number, text, time) for number, (text, time) in enumerate(taken, 1)]
    columns = ["chapter", "date", "number", "code", "seconds"]
    return pd.DataFrame(rows, columns=columns).astype({"seconds": float})


# The site


def compile(root: Path, edition: str) -> Path:
    """Compile an edition's site from its executed chapters, if out of date; return its index page.

    Raises BookError with jupyter-book's warnings; the site is then left as it was.
    """
    executed, html = root / "_build/executed" / edition, root / "_build/html"
    html = html if edition == DEFAULT else html / edition
    _copy_static(root, executed)
    files = [root / "_config.yml", root / "_toc.yml", *_below(executed)]
    names = "\n".join(str(path.relative_to(root)) for path in files)
    key = _digest([names.encode(), *(path.read_bytes() for path in files)])
    if not ((html / STAMP).exists() and (html / STAMP).read_text() == key):
        _jupyter_book(root, executed, root / "_toc.yml", html, STRICT)
        (html / STAMP).write_text(key)
    return html / "index.html"


def page(root: Path, executed: Path) -> Path:
    """Compile one executed chapter by itself, without those that it refers to; return its page."""
    with tempfile.TemporaryDirectory() as folder:
        pages, toc = Path(folder) / "pages", Path(folder) / "_toc.yml"
        _copy_static(root, pages)
        shutil.copy2(executed, pages)
        toc.write_text(f"format: jb-book\nroot: {executed.stem}\n", "utf-8")
        _jupyter_book(root, pages, toc, executed.with_suffix(""), [])
    return executed.with_suffix("") / f"{executed.stem}.html"


def _copy_static(root: Path, pages: Path) -> None:
    """Put what pages use beside them, and the pages that are not executed."""
    book = root / "book"
    shutil.copytree(book / "assets", pages / "assets", dirs_exist_ok=True)
    for path in [book / "references.bib", *book.glob("*.md")]:
        shutil.copy2(path, pages)


def _jupyter_book(root: Path, pages: Path, toc: Path, html: Path, options: list[str]) -> None:
    """Build a site beside ``html``, put it there when whole; raise BookError with the warnings."""
    draft = html.with_name(f".{html.name}")
    program = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build", pages, *options]
    command += ["--config", root / "_config.yml", "--toc", toc, "--path-output", draft]
    shutil.rmtree(draft, ignore_errors=True)  # of a killed build
    draft.mkdir(parents=True)
    try:
        done = subprocess.run(
            map(str, command), cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BookError(
                f"jupyter-book refused the site:{_complaints(done.stdout + done.stderr)}"
            )
        _put(draft / "_build/html", html, draft / "old")
    finally:
        shutil.rmtree(draft)


def _complaints(log: str) -> str:
    """The lines of jupyter-book's log that say what is wrong; else its last ones."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines()
    wrong = [line for line in lines if re.search(r"WARNING|ERROR|Error\b", line)]
    return "\n  ".join(["", *(wrong[:20] or lines[-10:])])


def _put(new: Path, place: Path, old: Path) -> None:
    for other in place.glob(f"*/{STAMP}"):  # sites of other editions lie in the default's
        os.replace(other.parent, new / other.parent.name)
    if place.exists():
        os.replace(place, old)
    os.replace(new, place)


def handout(root: Path, name: str) -> Path:
    """Write a chapter for students, with an empty cell in place of each solution; return where."""
    notebook, target = (
        nbformat.read(source(root, name), 4),
        root / "_build/handouts" / f"{name}.ipynb",
    )
    kept, inside = [], False
    for cell in notebook.cells:
        begins = cell.source.startswith("```{solution-start}")
        if not inside:
            kept.append(nbformat.v4.new_code_cell("# Your solution") if begins else cell)
        inside = (inside or begins) and not cell.source.rstrip().endswith("{solution-end}\n```")
    notebook.cells = kept
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    return target
