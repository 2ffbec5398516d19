"""A chapter rerun with other parameters: what was changed, what comes out otherwise, its page."""

import shutil
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import nbformat
import pandas as pd
from markdown_it import MarkdownIt

from crosslingual import DEFAULT, book, downloads, show
from crosslingual.edition import Edition

CELL = ["table", "row", "column", "occurrence"]


def chapter(
    root: Path, name: str, edition: str, given: dict[str, str], compare: bool = False
) -> Path:
    """Rerun one chapter with parameters as typed, away from the book; return the executed one.

    It says on top what was changed; with ``compare``, each number in a table that is another in the
    book, as it was last built, has that below it. Raises BookError, before a kernel starts, for a
    wrong parameter or if there is no book to compare with.
    """
    loaded = Edition.load(edition)  # what is wrong with it is said before a kernel starts
    path, asked = book.source(root, name), {"edition_name": book.from_root(root, edition), **given}
    values, executed = book.typed(path, asked), root / "_build/chapters" / f"{name}.ipynb"
    theirs = book.built(root, loaded.name, DEFAULT) / f"{name}.ipynb" if compare else None
    book.execute(root, name, values, executed, stdout=sys.stdout)
    notebook = nbformat.read(executed, 4)
    told = beside_book(notebook, nbformat.read(theirs, 4)) if theirs else ""
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(changed(path, values, told)))
    nbformat.write(notebook, executed)
    return executed


def changed(path: Path, values: dict, beside: str) -> str:
    """A note: "Rerun on 2026-11-28 with `seeds=1` (in the book: `3`)." and what else is told."""
    known = book.declared(path)
    other = book.other_values(path, values).items()
    told = [f"`{key}={value}` (in the book: `{known[key]['default']}`)" for key, value in other]
    what = f"with {', '.join(told)}" if told else "with the book's own parameters"
    return f"```{{note}}\nRerun on {date.today()} {what}. {beside}\n```"


def beside_book(ours: nbformat.NotebookNode, theirs: nbformat.NotebookNode) -> str:
    """Put the book's number and the difference below each in a table that is another; the tally."""
    cells = _numbers(ours).merge(_numbers(theirs), on=CELL, suffixes=("", "_book"))
    other = cells[cells.shown != cells.shown_book]
    for output, _, files in downloads.in_notebook(ours):
        if len(mine := other[other.table.isin({name.removesuffix(".csv") for name in files})]):
            grid, html = output.data["text/plain"], MarkdownIt().enable("table").render
            marked = _marked(grid, mine)
            for form, text in output.data.items():
                output.data[form] = text.replace(grid, marked).replace(html(grid), html(marked))
    return f"{len(other)} of {len(cells)} numbers in tables differ from the book's, which is below."


def _marked(grid: str, cells: pd.DataFrame) -> str:
    """A table in Markdown with the book's numbers below those of ``cells``."""
    lines = [line[2:-2].split(" | ") for line in grid.split("\n")]
    for one in cells.itertuples():
        digits = 2 * bool(one.value % 1 or one.value_book % 1)  # counts are whole
        gap = show.number(one.value - one.value_book, digits, "+")
        lines[one.line + 1][one.place] += f"<br>book {show.number(one.value_book, digits)} ({gap})"
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _numbers(notebook: nbformat.NotebookNode) -> pd.DataFrame:
    """The cells with a value of a notebook's tables: CELL, shown, value, and where they stand."""
    found = [pd.DataFrame(columns=[*CELL[:3], "shown", "value", "line"])]
    for _, _, files in downloads.in_notebook(notebook):
        for name, content in files.items():
            texts = {"row": str, "column": str, "shown": str}  # "95.0" beside "–", too
            frame = pd.read_csv(StringIO(content), dtype=texts) if ".csv" in name else found[0]
            if len(frame) and {*texts, "value"} <= set(frame):
                found.append(frame.assign(table=name.removesuffix(".csv")))
    cells = pd.concat(found)
    cells["place"] = cells.groupby(["table", "line"]).cumcount() + 1  # after the row's name
    cells["occurrence"] = cells.groupby(CELL[:3]).cumcount()
    return cells.dropna(subset="value")[[*CELL, "shown", "value", "line", "place"]]


def page(root: Path, name: str, edition: str) -> Path:
    """Put a rerun chapter in its place in the book and compile; return its page.

    Citations, numbers and links are those of the book, as it was last built. Raises BookError where
    it was not.
    """
    pages, draft = root / "_build/chapters/pages", root / "_build/chapters/site"
    around = book.built(root, Edition.load(edition).name, DEFAULT)
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(around, pages)
    shutil.copy(root / "_build/chapters" / f"{name}.ipynb", pages / f"{name}.ipynb")
    book.furnish(root, pages)
    book.jupyter_book(root, pages, draft, root / "_config.yml", strict=False)
    return draft / f"_build/html/{name}.html"
