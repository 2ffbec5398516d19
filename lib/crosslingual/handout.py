"""A chapter for students: the exercises as they are, the solutions left out."""

import re
from pathlib import Path

import nbformat

BEGIN, END = re.compile(r"^`{3,}\{solution-start\}", re.MULTILINE), re.compile(r"\{solution-end\}\s*`{3,}", re.MULTILINE)


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the chapter in which every solution is replaced by one empty code cell."""
    handout = nbformat.from_dict(notebook)
    handout.cells, inside = [], False
    for cell in notebook.cells:
        if inside and (end := END.search(cell.source)):
            handout.cells += _text(cell.source[end.end() :])
            inside = False
        elif not inside and (begin := BEGIN.search(cell.source)):
            handout.cells += [*_text(cell.source[: begin.start()]), nbformat.v4.new_code_cell("# Your solution")]
            inside = True
        elif not inside:
            handout.cells.append(cell)
    return handout


def _text(source: str) -> list[nbformat.NotebookNode]:
    """What a text cell says outside the solution, if it says anything."""
    return [nbformat.v4.new_markdown_cell(source.strip())] if source.strip() else []


def write(source: Path, target: Path) -> Path:
    """Write the handout of the chapter at ``source`` to ``target`` and return that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(without_solutions(nbformat.read(source, as_version=4)), target)
    return target
