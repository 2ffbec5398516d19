"""What a reader takes along: a table as CSV and LaTeX, a figure as PNG, SVG and its data as CSV.

Tables and figures carry their files in the metadata of their cells' output: these are as old as
what the page shows, and a killed build leaves none behind; `unpack` puts them beside the executed
chapters before a site is made of these. What columns of CSV files are says ``data/columns.csv``.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import nbformat
import pandas as pd

from crosslingual.languages import DATA

KEY = "crosslingual"  # of the metadata of an output
FOLDER = "downloads"  # beside the executed chapters
COLUMNS = pd.read_csv(DATA / "columns.csv", index_col="column")
LINKS = {"csv": "CSV", "tex": "LaTeX", "png": "PNG", "svg": "SVG", "data.csv": "data"}
LINKS["runs.csv"] = "every run"
TEX = str.maketrans(
    {mark: f"\\{mark}" for mark in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"−": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "✔": "$+$", "✘": r"$\times$", "–": "--"}
)


class TwoValues(ValueError):
    """A cell would have two numbers of one name, of which a file would lose one."""


class Cell(str):
    """A table's cell: a text, and the numbers behind it, unrounded, by name (of COLUMNS)."""

    values: dict[str, float]

    def __new__(cls, text: str, **values: float) -> Self:
        cell = super().__new__(cls, text)
        cell.values = values
        return cell


def joined(template: str, *cells: str, **named: str) -> Cell:
    """A text with cells put into it, and their values; those of named cells bear that name.

    ``joined("{} ({over})", number(87.43), over=bounds(interval))`` has value, over_low, over_high.
    Raises TwoValues where two cells have a value of one name.
    """
    found = [item for cell in cells for item in _values(cell).items()]
    for name, cell in named.items():
        for key, value in _values(cell).items():
            found.append((name if key == "value" else f"{name}_{key}", value))
    if len(values := dict(found)) < len(found):
        raise TwoValues(f"two numbers of one name in {template!r}: put one in by its name")
    return Cell(template.format(*cells, **named), **values)


def _values(cell: str) -> dict[str, float]:
    """The numbers behind a cell; a whole number is its own."""
    whole = re.fullmatch(r"\d[\d,]*", plain(cell))
    return getattr(cell, "values", {"value": int(whole[0].replace(",", ""))} if whole else {})


def plain(cell: str) -> str:
    """A cell's text without Markdown and HTML, in one line."""
    text = re.sub(r"\{\w+\}`([^`<]*)[^`]*`|\[([^\]]*)\]\([^)]*\)", r"\1\2", cell)
    text = re.sub(r"\s*(\n|<br ?/?>)\s*", "; ", re.sub(r"\*\*|`|<(?!br)[^>]*>", "", text)).strip()
    return html.unescape(text)


def tidy(header: Sequence[str], rows: Iterable[Sequence[str]]) -> pd.DataFrame:
    """A table's cells, a row each: line, row, column, shown, and the numbers behind it."""
    cells = [
        {"line": line, "row": plain(first), "column": plain(column), "shown": plain(cell)}
        | _values(cell)
        for line, (first, *others) in enumerate(rows, 1)
        for column, cell in zip(header[1:], others, strict=True)
    ]
    return pd.DataFrame(cells, columns=None if cells else ["line", "row", "column", "shown"])


def latex(
    caption: str, name: str, header: Sequence[str], rows: Iterable[Sequence[str]], text: bool
) -> str:
    """A table in LaTeX, for ``\\usepackage{booktabs}``; columns of ``text`` are wrapped."""
    frame = pd.DataFrame([map(_tex, row) for row in rows], columns=[*map(_tex, header)])
    columns = "l" + (len(header) - 1) * (r"p{0.3\linewidth}" if text else "r")
    about = {"caption": _tex(caption), "label": f"tab:{name}", "column_format": columns}
    return frame.to_latex(index=False, escape=False, **about)


def _tex(cell: str) -> str:
    lines = [_marked(line) for line in re.split(r"\n|<br ?/?>", cell)]
    return lines[0] if len(lines) == 1 else r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def _marked(line: str) -> str:
    text = html.unescape(re.sub(r"<[^>]*>", "", line)).translate(TEX)
    text = re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", text)
    return re.sub(r"`(.+?)`", r"\\texttt{\1}", text)


def runs(known: pd.DataFrame) -> pd.DataFrame:
    """Runs, as ``experiments.scores`` has them, with sizes and digests of what they were made from.

    Recipe and versions are left out: they stand below each table.
    """
    known = known.reset_index(drop=True)
    sizes = [(len(counts), int(counts[:, -1].sum())) for counts in known.counts]
    made = pd.json_normalize([json.loads(text) for text in known.made_from])
    made = made.reindex(columns=["train", "evaluate", "encoder"]).rename(columns="{}_digest".format)
    made = made.apply(lambda digests: digests.astype(object).str[:12])
    sizes = pd.DataFrame(sizes, columns=["sentences", "words"])
    return documented(pd.concat([known, sizes, made], axis=1))


def documented(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that ``data/columns.csv`` knows, in its order."""
    return frame[[column for column in COLUMNS.index if column in frame]]


def link(name: str) -> str:
    """A file's link in MyST."""
    return f"{{download}}`{LINKS[name.split('.', 1)[1]]} </{FOLDER}/{name}>`"


def links(names: Iterable[str], more: str = "") -> str:
    """A line of links, in MyST."""
    line = " · ".join(filter(None, [*map(link, names), more]))
    return f"\n```{{container}} {FOLDER}\n{line}\n```\n"


# ---- In executed chapters


def held(caption: str, files: dict[str, str]) -> dict[str, dict]:
    """The metadata of an output that carries files."""
    return {KEY: {"about": plain(caption), "files": files}}


def in_notebook(notebook: nbformat.NotebookNode) -> Iterator[tuple[Any, str, dict[str, str]]]:
    """The outputs that are tables or figures, what each is about, and its files."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if held := output.get("metadata", {}).get(KEY):
                yield output, held["about"], held["files"]


def carried(executed: Path) -> pd.DataFrame:
    """The files that executed chapters carry, a row each: file, chapter, about, content."""
    rows = []
    for path in sorted(executed.rglob("*.ipynb")):
        chapter = path.relative_to(executed).with_suffix("").as_posix()
        for _, about, files in in_notebook(nbformat.read(path, 4)):
            rows += [(file, chapter, about, content) for file, content in files.items()]
    return pd.DataFrame(rows, columns=["file", "chapter", "about", "content"])


def unpack(executed: Path) -> None:
    """Write the files that executed chapters carry into the folder ``downloads`` beside these."""
    shutil.rmtree(executed / FOLDER, ignore_errors=True)
    (executed / FOLDER).mkdir(parents=True)
    for row in carried(executed).itertuples():
        content = row.content.encode()
        content = base64.b64decode(content) if row.file.endswith(".png") else content
        (executed / FOLDER / row.file).write_bytes(content)
