"""The chapters as files: conventions of CONTRIBUTING.md that a build does not check."""

import ast
import inspect
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from crosslingual import figures, parameters

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").rglob("*.ipynb"))
TYPES = {*parameters.SCALARS, *(f"list[{name}]" for name in parameters.SCALARS)}
chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def tags(cell):
    return cell.metadata.get("tags", [])


@chapters
def test_outputs_are_stripped(path):
    assert not [cell for cell in cells(path, "code") if cell.outputs or cell.execution_count]


@chapters
def test_parameters_come_first_with_type_default_and_help(path):
    code = cells(path, "code")
    assert [i for i, cell in enumerate(code) if "parameters" in tags(cell)] == [0]
    declared = parameters.declared(path)
    assert len(declared) == len(code[0].source.strip().splitlines()) and "edition_name" in declared
    for name, parameter in declared.items():
        assert parameter["inferred_type_name"] in TYPES and parameter["help"], name


@chapters
def test_solutions_belong_to_exercises_and_are_run(path):
    """Every exercise of a chapter has one solution in it, whose code cells are tagged `solution`."""
    everything = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in everything)
    exercises = re.findall(r"\{exercise(?:-start)?\}.*\n:label: (\S+)", text)
    assert re.findall(r"\{solution-start\} (\S+)", text) == exercises and len(set(exercises)) == len(exercises)
    inside = False
    for cell in everything:
        if cell.cell_type == "code":
            assert ("solution" in tags(cell)) == inside, cell.source
        else:
            starts, ends = cell.source.rfind("{solution-start}"), cell.source.rfind("{solution-end}")
            inside = inside if starts == ends else starts > ends


@chapters
def test_main_chapters_have_two_exercises(path):
    if path.parent.name == "book" and re.match(r"0[1-5]-", path.name):
        assert sum("{exercise-start}" in cell.source for cell in cells(path, "markdown")) >= 2


def draws(cell):
    """Whether a cell shows a figure of the library in its last statement, by itself rather than in a gallery."""
    *_, last = ast.parse(cell.source).body
    used = {node.attr for node in ast.walk(last) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "figures"}
    functions = {name for name in used if inspect.signature(getattr(figures, name)).return_annotation is figures.Figure}
    return not isinstance(last, ast.Assign) and bool(functions) and "gallery" not in used


def test_figures_are_numbered_with_captions_and_alternative_text():
    """`Figure` has all three, and shows them where its cell says that its output is MyST."""
    shown = [(path.stem, cell) for path in CHAPTERS for cell in cells(path, "code") if draws(cell)]
    assert {"03-vocabulary", "04-structure", "05-feature-space"} < {chapter for chapter, _ in shown}
    for chapter, cell in shown:
        assert cell.metadata.get("mystnb") == {"markdown_format": "myst"}, f"{chapter}: {cell.source}"
    with pytest.raises(TypeError, match="caption.*alt"):
        figures.Figure(None, "fig-name")


@chapters
def test_code_fits_the_page(path):
    assert not [line for cell in cells(path, "code") for line in cell.source.splitlines() if len(line) > 88]


def test_the_table_of_contents_lists_every_chapter_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]
    written = [path.relative_to(ROOT / "book").with_suffix("").as_posix() for path in CHAPTERS]
    assert sorted(listed) == sorted([*written, "references"])
