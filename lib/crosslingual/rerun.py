"""A chapter rerun with other parameters: what was changed, what comes out otherwise, its page."""

import shutil
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import nbformat
import pandas as pd

from crosslingual import DEFAULT, book, downloads
from crosslingual.edition import Edition

CELL = ["table", "row", "column", "occurrence"]


def chapter(
    root: Path, name: str, edition: str, given: dict[str, str], compare: bool = False
) -> Path:
    """Rerun one chapter with parameters as typed, away from the book; return the executed one.

    It says on top what was changed; with ``compare``, at the end, what differs from the book as it
    was last built. Raises BookError, before a kernel starts, for a wrong parameter or if there is
    no book to compare with.
    """
    loaded = Edition.load(edition)  # what is wrong with it is said before a kernel starts
    path, asked = book.source(root, name), {"edition_name": book.from_root(root, edition), **given}
    values, executed = book.typed(path, asked), root / "_build/chapters" / f"{name}.ipynb"
    theirs = book.built(root, loaded.name, DEFAULT) / f"{name}.ipynb" if compare else None
    book.execute(root, name, values, executed, stdout=sys.stdout)
    notebook = nbformat.read(executed, 4)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(changed(path, values)))
    if theirs:
        told = beside_book(notebook, nbformat.read(theirs, 4))
        notebook.cells.append(nbformat.v4.new_markdown_cell(told))
    nbformat.write(notebook, executed)
    return executed


def changed(path: Path, values: dict) -> str:
    """A note: "Rerun on 2026-11-28 with `seeds=1` (in the book: `3`).\""""
    known = book.declared(path)
    other = book.other_values(path, values).items()
    told = [f"`{key}={value}` (in the book: `{known[key]['default']}`)" for key, value in other]
    what = f"with {', '.join(told)}" if told else "with the book's own parameters"
    return f"```{{note}}\nRerun on {date.today()} {what}.\n```"


def beside_book(ours: nbformat.NotebookNode, theirs: nbformat.NotebookNode) -> str:
    """The numbers in tables that are others in the book, side by side, as a section in MyST."""
    cells = _numbers(ours).merge(_numbers(theirs), on=CELL, suffixes=("", "_book"))
    cells["gap"] = cells.value - cells.value_book
    other = cells[cells.shown != cells.shown_book]
    lines = [
        f"| {one.table.replace('-', ' ')} | {one.row} | {one.column} | {one.value:.2f} "
        f"| {one.value_book:.2f} | {one.gap:+.2f} |"
        for one in other.itertuples()
    ]
    head = ["| table | row | column | here | in the book | difference |", "|---" * 6 + "|"]
    told = "\n".join([*head, *lines]) if lines else "All numbers in both are the same."
    return f"## Beside the book\n\n{told}"


def _numbers(notebook: nbformat.NotebookNode) -> pd.DataFrame:
    """The cells with a value of the tables that a notebook carries: CELL, shown, value."""
    found = [pd.DataFrame(columns=[*CELL[:3], "shown", "value"])]
    for _, files in downloads.in_notebook(notebook):
        for name, content in files.items():
            texts = {"row": str, "column": str, "shown": str}  # "95.0" beside "–", too
            frame = pd.read_csv(StringIO(content), dtype=texts) if ".csv" in name else found[0]
            if len(frame) and {*texts, "value"} <= set(frame):
                found.append(frame.assign(table=name.removesuffix(".csv")))
    cells = pd.concat(found).dropna(subset="value")
    cells["occurrence"] = cells.groupby(CELL[:3]).cumcount()
    return cells[[*CELL, "shown", "value"]]


def page(root: Path, name: str, edition: str) -> Path:
    """Put a rerun chapter in its place in the book and compile; return its page.

    Citations, numbers and links are those of the book, as it was last built. Raises BookError where
    it was not.
    """
    pages, draft = root / "_build/chapters/pages", root / "_build/chapters/site"
    around = book.built(root, Edition.load(edition).name, DEFAULT)
    for folder in (pages, draft):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(around, pages)
    shutil.copy(root / "_build/chapters" / f"{name}.ipynb", pages / f"{name}.ipynb")
    book.furnish(root, pages)
    book.jupyter_book(root, pages, draft, root / "_config.yml", strict=False)
    return draft / f"_build/html/{name}.html"
