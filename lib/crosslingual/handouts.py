"""Handouts: a chapter's exercises in a notebook of their own, in nbgrader's source format."""

import ast
import os
import re
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from crosslingual import book

FENCE = r"```\{exercise-start\} ([^\n]+)\n:label: (\S+)\n```\n"  # its title and label
EXERCISE = re.compile(FENCE + r"\*([^\n]+)\.\*\n(.+)```\{exercise-end\}", re.DOTALL)
SOLUTION = re.compile(r"```\{solution-start\}.*?```(.*)```\{solution-end\}", re.DOTALL)
ROLE = re.compile(r"\{(\w+)\}`(?:([^`<]+?) <)?([^`<>]+)>?`")
REGION = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
SOLVED = re.compile(REGION.format(".*"), re.DOTALL)
STUB = {"code": "# YOUR CODE HERE\nraise NotImplementedError()", "markdown": "YOUR ANSWER HERE"}
POINTS = {"easy": 1, "medium": 2, "hard": 3}
ABOUT = (
    "# {title}: exercises\n\nThey belong to [{title}](../../html/{name}.html) of *How multilingual "
    "is Multilingual BERT?* Run the cells from the top: they load the book's records, and nothing "
    "is downloaded."
)


def offered(root: Path) -> list[str]:
    """The names of the paper's chapters and of appendices that have exercises."""
    paths = sorted((root / "book").glob("*.ipynb"))
    return [path.stem for path in paths if "{exercise-start}" in path.read_text("utf-8")]


def write(root: Path, name: str) -> list[Path]:
    """Write a chapter's handout for teachers, then the one for students; return where they are.

    The first is an assignment in nbgrader's source format, the second what nbgrader makes of it.
    Raises BookError if there is no such chapter, or nothing in it to hand out.
    """
    notebook, paths = nbformat.read(book.source(root, name), 4), []
    notebook.cells = teacher(notebook.cells, name, book.chapters(root).index(name))
    for whose in ("teacher", "student"):
        paths.append(root / f"_build/handouts/{whose}/{name}.ipynb")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, paths[-1])
        for cell in notebook.cells:
            cell.source = SOLVED.sub(STUB[cell.cell_type], cell.source)
    return paths


def lab(root: Path) -> None:
    """Become JupyterLab in the folder of the students' handouts; what is there is not rewritten.

    Raises BookError where JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        advice = "pip install --constraint requirements.lock jupyterlab"
        raise book.BookError(f"JupyterLab is not installed: `{advice}` in the book's environment")
    folder = root / "_build/handouts/student"
    for name in offered(root):
        if not (folder / f"{name}.ipynb").exists():
            write(root, name)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", folder])


def teacher(cells: list[NotebookNode], name: str, number: int) -> list[NotebookNode]:
    """The handout with solutions of the book's chapter ``number``: set-up, then the exercises."""
    asked = [i for i, cell in enumerate(cells) if EXERCISE.search(cell.source)]
    if not asked:
        raise book.BookError(f"chapter {name} has no exercises to hand out")
    title = re.search(r"^# (.+)", cells[0].source, re.MULTILINE)[1]
    folds = [cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in cells]
    first = [cells[folds.index(fold)] for fold in ("Parameters", "Set-up")]
    given = [new_markdown_cell(ABOUT.format(title=title, name=name), id="about"), *first]
    for i, (begin, end) in enumerate(zip(asked, [*asked[1:], None], strict=True), 1):
        given += _exercise(f"{number}.{i}", name, cells, cells[begin:end])
    return given


def _exercise(place: str, name: str, chapter: list, cells: list) -> list[NotebookNode]:
    """One exercise by its cells, with what it shows of its chapter."""
    title, label, effort, text = EXERCISE.search(cells[0].source).groups()
    told = f"## Exercise {place} ({title}), {effort}\n\n{_plain(text.strip(), name)}"
    shown = [cell for cell in chapter if cell.id in cells[0].metadata.get("shows", ())]
    points = next(points for word, points in POINTS.items() if word in effort)
    return [new_markdown_cell(told, id=label), *shown, *_answer(label, points, name, cells[1:])]


def _answer(label: str, points: int, name: str, cells: list[NotebookNode]) -> list[NotebookNode]:
    """What is given, the answer, its check, which is graded; without code: a text to be graded."""
    kinds = defaultdict(list)
    for cell in cells:
        kinds[cell.metadata.get("tags", ["prose"])[-1]].append(cell)
    prose, code, check = (
        "\n\n".join(cell.source for cell in kinds[kind]) for kind in ("prose", "solution", "check")
    )
    text = _plain(SOLUTION.search(prose)[1].strip(), name)
    if not check:
        return [_graded(new_markdown_cell(REGION.format(text)), label, points, solution=True)]
    solved = REGION.format(f"{indent(text, '# ')}\n{code}".strip())
    answer = new_code_cell(f"{_starter(code, check)}\n{solved}")
    asserted = _graded(new_code_cell(check), f"{label}-check", points, locked=True)
    return [*kinds["given"], _graded(answer, f"{label}-answer", solution=True), asserted]


def _starter(code: str, check: str) -> str:
    """`f1 = accuracy = None`: the names that a solution gives values to and its check asks for."""
    asked = _names(check, ast.Load).keys() - _names(check, ast.Store)
    given = [name for name in _names(code, ast.Store) if name in asked]
    return " = ".join([*given, "None  # your answer"])


def _names(code: str, use: type) -> dict[str, None]:
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    return dict.fromkeys(node.id for node in names if isinstance(node.ctx, use))


def _graded(cell: NotebookNode, name: str, points: int = 0, **kind: bool) -> NotebookNode:
    marks = {"grade": bool(points), "locked": False, "solution": False, "task": False, **kind}
    marks |= {"grade_id": name, "schema_version": 3} | ({"points": points} if points else {})
    cell.id, cell.metadata["nbgrader"] = f"{name}-graded", marks
    return cell


def _plain(text: str, name: str) -> str:
    """MyST's links as plain Markdown's, into the book that is built beside the handouts."""

    def link(role: re.Match) -> str:
        kind, title, target = role.groups()
        page = f"{target}.html" if kind == "doc" else f"{name}.html#{target}"
        return f"[{title or target.replace('-', ' ')}](../../html/{page})"

    return ROLE.sub(link, text)
