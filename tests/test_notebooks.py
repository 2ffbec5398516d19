"""The chapters as files: conventions of CONTRIBUTING.md that a build does not check."""

import ast
import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
import yaml
from crosslingual import book

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").rglob("*.ipynb"))
chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells(path, kind):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def tags(cell):
    return cell.metadata.get("tags", [])


@chapters
def test_outputs_are_stripped(path):
    nbformat.validate(nbformat.read(path, 4))
    assert not [cell for cell in cells(path, "code") if cell.outputs or cell.execution_count]


@chapters
def test_parameters_come_first_with_type_default_help_and_limits(path):
    code = cells(path, "code")
    assert [i for i, cell in enumerate(code) if "parameters" in tags(cell)] == [0]
    declared = book.declared(path)
    assert len(declared) == len(code[0].source.strip().splitlines())
    assert ast.literal_eval(declared["edition_name"]["default"]) == book.DEFAULT
    for name, parameter in declared.items():
        assert parameter["inferred_type_name"] in book.TYPES and parameter["help"], name
        if parameter["inferred_type_name"] == "int":
            assert re.search(r"\(at least \d+\)", parameter["help"]), name
        book.typed(path, {name: parameter["default"]})  # the default is within the limits


@chapters
def test_code_is_folded_and_a_page_says_once_what_its_results_are(path):
    """Set-up and parameters behind a line that names them; what needs no opening tells the rest."""
    if path.parent.name == "beyond":  # where code can be the lesson
        return
    code = [cell for cell in cells(path, "code") if "solution" not in tags(cell)]
    assert not [cell.source for cell in code if not {"hide-cell", "hide-input"} & set(tags(cell))]
    folded = [cell for cell in code if "hide-cell" in tags(cell)]
    assert code[0] in folded and all(cell.metadata.mystnb.code_prompt_show for cell in folded)
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    assert text.count("{glue:text}`page`") == 1


@chapters
def test_solutions_belong_to_exercises_and_are_run(path):
    """Every exercise has one solution, from a cell that begins it to one that ends with its end."""
    everything = nbformat.read(path, 4).cells
    text = "\n".join(cell.source for cell in everything)
    exercises = re.findall(r"\{exercise(?:-start)?\}.*\n:label: (\S+)", text)
    assert re.findall(r"\{solution-start\} (\S+)", text) == exercises
    main = path.parent.name == "book" and re.match(r"0[1-6]-", path.name)
    assert len(set(exercises)) == len(exercises) >= (3 if main else 0)
    inside = False
    for cell in everything:
        assert ("solution" in tags(cell)) == (inside and cell.cell_type == "code"), cell.source
        if "{solution-start}" in cell.source:
            assert cell.source.startswith("```{solution-start}") and not inside
            inside = True
        if "{solution-end}" in cell.source:
            assert cell.source.rstrip().endswith("{solution-end}\n```") and inside
            inside = False


@chapters
def test_code_fits_the_page_and_chapters_of_the_paper_reach_for_no_corpora(path):
    code = "\n".join(cell.source for cell in cells(path, "code"))
    assert not [line for line in code.splitlines() if len(line) > 88]
    corpora = re.search(r"^from crosslingual.*corpora", code, re.MULTILINE)
    assert path.parent.name == "beyond" or not corpora


def test_cells_have_three_lines_in_the_median():
    code = [cell for path in CHAPTERS for cell in cells(path, "code")]
    assert median(c.source.count("\n") + 1 for c in code if "solution" not in tags(c)) <= 3


def test_labels_are_unique_in_the_book():
    text = "\n".join(cell.source for path in CHAPTERS for cell in cells(path, "markdown"))
    labels = re.findall(r"^:label: (\S+)|^\((\S+)\)=$", text, re.MULTILINE)
    assert len(labels) == len(set(labels)) > 20


def test_the_table_of_contents_lists_every_chapter_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]
    written = [path.relative_to(ROOT / "book").with_suffix("").as_posix() for path in CHAPTERS]
    assert sorted(listed) == sorted([*written, "references", "teaching"])
    assert book.chapters(ROOT) == [name for name in listed if name in written]
