"""The book: papermill executes its chapters, jupyter-book makes the site; a failure stops both.

An executed chapter is kept in ``_build/executed/<edition>/`` with a key of all that it is made of,
and is executed again only when that changes. The site is ``_build/html/<edition>/``; the default
edition's is ``_build/html/``.
"""

import ast
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, suppress
from io import StringIO
from itertools import chain
from pathlib import Path

import joblib
import nbformat
import pandas as pd
import papermill
import yaml
from filelock import FileLock, Timeout
from papermill.exceptions import PapermillExecutionError
from pydantic import TypeAdapter
from tqdm import tqdm
from traitlets.config import Config

from crosslingual import DEFAULT, downloads, experiments, results, verify
from crosslingual.contents import BookError, chapters, source
from crosslingual.edition import Edition

LIBRARY = Path(__file__).parents[1]
# On the other chapters: executed after them, one by one, and whenever one of them was.
REPORTS = ["beyond/provenance", "beyond/downloads"]
# What a parameter may be: the annotations that its cell may use.
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list[str]}
# A kernel that could be listened to warns on every start.
QUIET = Config({"KernelManager": {"transport_encryption": "auto"}})
KERNEL = {"kernel_name": "python3", "shutdown_kernel": "immediate", "config": QUIET}
SIDE_BY_SIDE = 2  # chapters; what takes long was computed before, on all cores
# A sentence with the sign of `show` for what there is not says nothing: it is left out.
LACKING = re.compile(r"(^|[ (])–($|[ ,)])|not available|none of the 0")
GLUED = re.compile(r"\{glue:text\}`(\w+)`")
SENTENCE = re.compile(r"(?<=[.?])\s+(?=[A-Z{*])|(?<=[.?]\*\*)\s+")
# Debian's packages for a PDF: LaTeX, and the fonts that book/assets/pdf.sty names.
LATEX = "texlive-xetex, texlive-latex-extra, latexmk, fonts-noto-core, fonts-noto-cjk, fonts-dejavu"
SPHINX = "from crosslingual.workers import end_with; end_with({}); "
SPHINX += "from jupyter_book.cli.main import main; main()"


def build(
    root: Path,
    edition: str,
    given: dict[str, str],
    fresh: bool = False,
    spot: int | None = None,
    repository: str = "",
) -> Path:
    """Execute the chapters of the checkout ``root`` that are out of date; return the index page.

    Each parameter in ``given``, as typed, goes to the chapters that declare it. ``fresh`` computes
    all results of the edition anew. Where anything is executed, some recorded results are checked,
    drawn by the date or by ``spot``. With a ``repository``'s address pages have buttons that open
    their source there, on Binder and on Colab. Raises BookError for a wrong parameter before
    anything runs, where there is no score to show, and when a chapter fails or its pages are
    refused, VerifyError where a record does not come out again: the site is left as it was.
    """
    loaded, values = Edition.load(edition), _values(root, edition, given)
    try:
        with FileLock(root / "_build/.lock", timeout=0):  # a killed build does not hold it
            shown = experiments.prepare(loaded, fresh=fresh)  # on all cores, and once
            _refuse_nothing(loaded, shown.get("scores", []))
            _execute_stale(root, loaded, values, shown, spot)
            return compile(root, loaded.name, repository)
    except Timeout:
        raise BookError(f"another build is running in {root}: wait for it to end") from None


def _refuse_nothing(edition: Edition, scores: list[pd.DataFrame]) -> None:
    known = [frame[frame.encoder.isin(edition.encoders)] for frame in scores]
    missing = [why for frame in known for why in frame.reason]
    if missing and all(missing):
        problem = f"no encoder of the edition {edition.name} has a score; the first lacks this"
        raise BookError(f"{problem}: {missing[0]}")


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
    about, known, values = f"chapter {chapter.stem}", declared(chapter), {}
    for name, text in given.items():
        if name not in known:
            raise BookError(f"{about} has no parameter {name!r}: choose from {', '.join(known)}")
        annotation, comment = known[name]["inferred_type_name"], known[name]["help"]
        try:
            values[name] = _typed(annotation, comment, text)
        except ValueError:
            raise BookError(
                f"parameter {name} of {about} wants {annotation}, {comment} "
                f"(default {known[name]['default']}), not {text!r}"
            ) from None
    return values


def other_values(chapter: Path, values: dict) -> dict:
    """Those of the typed values that are not the chapter's defaults."""
    known = declared(chapter)
    default = {name: ast.literal_eval(known[name]["default"]) for name in values}
    return {name: value for name, value in values.items() if value != default[name]}


def _typed(annotation: str, comment: str, text: str) -> object:
    """The value; raises ValueError if it is of another type or not within the limits."""
    parts = [part.strip(" '\"") for part in text.strip(" []").split(",")]
    raw = [part for part in parts if part] if annotation.startswith("list") else text.strip()
    value = TypeAdapter(TYPES[annotation]).validate_python(raw)
    least, like = re.search(r"\(at least (\d+)\)", comment), re.search(r"\(like (\S+)\)", comment)
    shape = re.sub(r"\w+", r"\\w+", like[1]) if like else ".*"
    shapes = [re.fullmatch(shape, part) for part in parts if part]
    if not all(shapes) or (least and value < int(least[1])):
        raise ValueError(value)
    return value


def _values(root: Path, edition: str, given: dict[str, str]) -> dict[str, dict]:
    """{chapter: its typed values}; raise BookError for a parameter that no chapter has."""
    if "edition_name" in given:
        raise BookError("edition_name is no parameter of a book: choose it with --edition")
    offered, values = {"edition_name": from_root(root, edition), **given}, {}
    for name in chapters(root):
        path = source(root, name)
        known = declared(path)
        values[name] = typed(path, {key: text for key, text in offered.items() if key in known})
    for key in [key for key in given if not any(key in each for each in values.values())]:
        raise BookError(f"no chapter has a parameter {key!r}; each lists its own in its first cell")
    return values


def from_root(root: Path, edition: str) -> str:
    """Chapters run in ``root``, so an edition given as a path is named from there."""
    is_path = edition.endswith((".yml", ".yaml"))
    return os.path.relpath(Path(edition).resolve(), root) if is_path else edition


# Executing


def _execute_stale(
    root: Path, edition: Edition, values: dict[str, dict], shown: dict, spot: int | None
) -> None:
    """Execute the chapters whose keys have changed, beside them the spot check, then REPORTS."""
    folder, shared = root / "_build/executed" / edition.name, _shared_key(root, edition, shown)
    paths = {name: folder / f"{name}.ipynb" for name in values}
    keys = {name: _key(source(root, name), shared, values[name]) for name in values}
    for path in set(folder.rglob("*.ipynb")) - set(paths.values()):
        path.unlink()  # of a chapter that is no more, whose files would stay beside others'
    stale = [name for name in keys if _kept_key(paths[name]) != keys[name]]
    last = [name for name in REPORTS if name in paths and (stale or spot is not None)]
    for name in last:  # they are wrong from now on, also if this build is killed
        paths[name].unlink(missing_ok=True)
    calls = {
        name: joblib.delayed(execute)(root, name, values[name], paths[name], keys[name])
        for name in [*stale, *last]
    }
    reports = [[calls.pop(name)] for name in last]
    if reports and (root / "book/recorded" / experiments.WORLD).is_dir():
        calls = {"": joblib.delayed(verify.spot_check)(root / verify.FOUND, spot)} | calls
    for some in (calls.values(), *reports):
        joblib.Parallel(SIDE_BY_SIDE, backend="threading")(some)


def execute(root: Path, name: str, values: dict, target: Path, key: str = "", stdout=None) -> None:
    """Run one chapter by papermill in ``root`` and put it at ``target``, whole or not at all.

    Raises BookError naming chapter, cell and error; the failed one is then in ``_build/failed/``.
    """
    path, working = source(root, name), root / "_build/failed" / f"{name}.ipynb"
    working.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # Only what is unlike the defaults is injected: a page as published shows no extra cell.
    changed, alone = other_values(path, values), stdout is not None
    options = {"progress_bar": alone, "stdout_file": stdout, "cwd": root, **KERNEL}
    try:
        done = papermill.execute_notebook(_for(values, path), working, changed, **options)
    except (PapermillExecutionError, RuntimeError) as error:
        told = f"as its kernel died or did not answer ({error})"
        if isinstance(error, PapermillExecutionError):
            line = error.source.strip().splitlines()[0]
            told = f"in cell {error.exec_count} (`{line}`): {error.ename}: {error.evalue}"
        raise BookError(f"chapter {name} failed {told}; see {working}") from None
    lacking = {name for name, told in glued(done).items() if LACKING.search(told)}
    for cell in done.cells:
        if cell.cell_type == "markdown":
            cell.source = sensible(cell.source, lacking)
        if "injected-parameters" in cell.metadata.get("tags", ()):  # folded, as the declared are
            cell.metadata["tags"].append("hide-cell")
            cell.metadata["mystnb"] = {"code_prompt_show": "Parameters as given"}
    written = nbformat.reads(nbformat.writes(done), 4)  # as it will be read
    written.metadata["crosslingual"] = {"key": key, "cells": _content(written)}
    nbformat.write(written, working)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(working, target)
    tqdm.write(f"{name}: executed in {done.metadata.papermill.duration:.0f} s")


def _for(values: dict, path: Path) -> nbformat.NotebookNode:
    """The chapter; for an edition of one's own without exercises, which ask for the book's."""
    notebook = nbformat.read(path, 4)
    if values.get("edition_name", "").endswith((".yml", ".yaml")):
        heads = [cell.source.startswith("## Exercises") for cell in notebook.cells]
        del notebook.cells[[*heads, True].index(True) :]
    return notebook


def glued(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """The phrases that a chapter glued (`show.tell`), by name."""
    outputs = chain.from_iterable(cell.get("outputs", []) for cell in notebook.cells)
    told = [one for one in outputs if "scrapbook" in one.get("metadata", {})]
    return {
        one.metadata.scrapbook.name: ast.literal_eval("".join(one.data.values())) for one in told
    }


def sensible(text: str, lacking: set[str]) -> str:
    """Markdown without the sentences that take a phrase of those that are lacking.

    An item of a list or a paragraph goes where nothing, or its title alone, would be left.
    """
    blocks = re.split(r"(?=\n\n|\n- )", text)  # each with what parts it from the one before
    return "".join(filter(None, (_without(lacking, block) for block in blocks)))


def _without(lacking: set[str], block: str) -> str:
    sentences = SENTENCE.split(block)
    kept = [one for one in sentences if not lacking & {*GLUED.findall(one)}]
    if len(kept) == len(sentences):
        return block
    if not kept or (len(kept) == 1 and kept[0].endswith("**")):
        return ""
    start = re.match(r"\n*(- )?", block)[0]
    return start + " ".join(kept).removeprefix(start)


def _shared_key(root: Path, edition: Edition, shown: dict[str, list[pd.DataFrame]]) -> str:
    """Digest of what every chapter is made of: library, pins, edition, the results it may show.

    Results as what is asked for, not as files: models of further seeds make no chapter stale. But
    what is recorded, of which every edition shows something of another, are files of the book.
    """
    library = [path for path in LIBRARY.rglob("*") if path.suffix in (".py", ".csv", ".html")]
    told = [*(root / "book").glob("recorded/*/*.parquet"), *(root / "book/editions").glob("*.yml")]
    files = [*sorted(library), root / "requirements.lock", edition.path, *sorted(told)]
    frames, arrays = chain(*shown.values()), list(results.ARRAYS)
    scalars = [frame.drop(columns=arrays, errors="ignore") for frame in frames]
    hashes = [pd.util.hash_pandas_object(frame, index=False).to_numpy() for frame in scalars]
    return joblib.hash([*(path.read_bytes() for path in files), *hashes])


def _key(source: Path, shared: str, values: dict) -> str:
    cells = nbformat.read(source, 4).cells
    content = [[cell.cell_type, cell.source, cell.metadata] for cell in cells]
    return joblib.hash(json.dumps([shared, content, values], sort_keys=True))


def _kept_key(executed: Path) -> str | None:
    """The key that an executed chapter was made with; None where it is missing or damaged."""
    with suppress(Exception):  # what no notebook is raises errors of all kinds
        notebook = nbformat.read(executed, 4)
        kept = notebook.metadata.crosslingual
        return kept.key if kept.cells == _content(notebook) else None
    return None


def _content(notebook: nbformat.NotebookNode) -> str:
    return joblib.hash(json.dumps(notebook.cells, sort_keys=True))


def carried(edition: Edition) -> pd.DataFrame:
    """The files that tables and figures of an edition's executed chapters carry, as `downloads`."""
    return downloads.carried(results.root() / "_build/executed" / edition.name)


def runs(edition: Edition) -> dict[str, pd.DataFrame]:
    """Every run behind the tables of the paper that were executed, by the table's name."""
    files = carried(edition).query("file.str.endswith('.runs.csv')").sort_values("file")
    return {
        file.removesuffix(".runs.csv"): pd.read_csv(StringIO(content), dtype={"seed": int})
        for file, content in zip(files.file, files.content, strict=True)
    }


def durations(edition: Edition) -> pd.DataFrame:
    """What chapters took when last executed; columns: chapter, date, cells, seconds."""
    folder, rows = results.root() / "_build/executed" / edition.name, []
    for path in sorted(folder.rglob("*.ipynb")):
        notebook, name = nbformat.read(path, 4), path.relative_to(folder).with_suffix("").as_posix()
        took = notebook.metadata.papermill
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        rows.append((name, took.start_time[:10], cells, f"{took.duration:.1f}"))
    return pd.DataFrame(rows, columns=["chapter", "date", "cells", "seconds"])


# The site


def compile(root: Path, edition: str, repository: str = "") -> Path:
    """Compile an edition's site from its executed chapters, if out of date; return its index page.

    Raises BookError with jupyter-book's warnings; the site is then left as it was.
    """
    pages, draft = root / "_build/executed" / edition, root / "_build/draft"
    html = root / "_build/html" / ("" if edition == DEFAULT else edition)
    furnish(root, pages)
    config = _with_buttons(root, repository) if repository else root / "_config.yml"
    files = [config, root / "_toc.yml", *sorted(pages.rglob("*"))]
    key = joblib.hash([path.read_bytes() for path in files if path.is_file()])
    stamp = html / ".made-from"  # written last: a site without it is not whole
    if not stamp.exists() or stamp.read_text() != key:
        jupyter_book(root, pages, draft, config)
        stamp.unlink(missing_ok=True)
        shutil.copytree(draft / "_build/html", html, dirs_exist_ok=True)
        stamp.write_text(key)
    return html / "index.html"


def furnish(root: Path, pages: Path) -> None:
    """Put beside executed chapters all else that a site is made of."""
    shutil.copytree(root / "book/assets", pages / "assets", dirs_exist_ok=True)
    for path in [root / "book/references.bib", *(root / "book").glob("*.md")]:
        shutil.copy2(path, pages)
    downloads.unpack(pages)


def _with_buttons(root: Path, repository: str) -> Path:
    """A configuration in which each page has buttons for its source in a repository."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    config["repository"] = {"url": repository, "branch": "main", "path_to_book": "book"}
    config["html"] |= {"use_repository_button": True, "use_edit_page_button": True}
    hosts = {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    }
    config["launch_buttons"] = hosts | {"notebook_interface": "jupyterlab"}
    path = root / "_build/config.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def built(root: Path, *editions: str) -> Path:
    """The folder of executed chapters of the first edition that has a book; raises BookError."""
    folders = [root / "_build/executed" / name for name in editions]
    for folder in folders:
        if all((folder / f"{name}.ipynb").exists() for name in chapters(root)):
            return folder
    raise BookError(f"there is no book of the edition {editions[0]}: do `make book` first.")


def pdf(root: Path, edition: str) -> Path:
    """Set an edition's book, as it was last built, as a PDF; return that.

    Raises BookError where there is no book or no LaTeX, and with what LaTeX refuses.
    """
    if not all(map(shutil.which, ("xelatex", "latexmk", "make"))):
        raise BookError(f"a PDF needs xelatex and latexmk; Debian has them, and fonts, in {LATEX}")
    pages, draft = root / "_build/pdf/pages", root / "_build/pdf/draft"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(built(root, edition), pages)
    furnish(root, pages)
    jupyter_book(root, pages, draft, root / "_config.yml", builder="pdflatex")
    return Path(shutil.copy(draft / "_build/latex/book.pdf", root / f"_build/pdf/{edition}.pdf"))


def jupyter_book(
    root: Path, pages: Path, draft: Path, config: Path, strict: bool = True, builder: str = "html"
) -> None:
    """Make a site of pages in a draft folder; raises BookError, if ``strict`` for warnings too."""
    command = [sys.executable, "-c", SPHINX.format(os.getpid()), "build", pages]
    command += ["-n", "-W", "--keep-going"] if strict else []
    command += ["--config", config, "--toc", root / "_toc.yml"]
    command += ["--path-output", draft, "--builder", builder]
    shutil.rmtree(draft, ignore_errors=True)  # what is left of it hides warnings
    done = subprocess.run(map(str, command), cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).splitlines()
        wrong = [line for line in lines if re.search(r"WARNING|ERROR|Error\b", line)]
        told = "\n  ".join(wrong[:20] or lines[-10:])
        raise BookError(f"jupyter-book refused the site:\n  {told}")
