"""Handouts: from a chapter's exercises to marks, in the form that nbgrader takes."""

import ast
import builtins
import os
import re
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest
from crosslingual import book, handouts
from crosslingual.corpora import formats
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
NAME = "01-introduction"  # the cheapest one to run
KINDS = ["to argue", "to change and rerun", "to compute"]
named = pytest.mark.parametrize("name", handouts.offered(ROOT))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A checkout of the chapters alone, to write handouts into."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "book").symlink_to(ROOT / "book")
    shutil.copy(ROOT / "_toc.yml", folder)
    return folder


def written(root, name):
    """Path and cells of the teacher's edition, then of the student's."""
    paths = handouts.write(root, name)
    return [(path, nbformat.read(path, 4).cells) for path in paths]


def graded(cells, ending):
    """{exercise: source} of the cells whose `grade_id` ends in answer or check."""
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id", ""): cell.source for cell in cells}
    return {key.removesuffix(ending): text for key, text in ids.items() if key.endswith(ending)}


@named
def test_a_handout_is_plain_markdown_with_three_kinds_of_exercises(root, name):
    (_, cells), (_, students) = written(root, name)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert not re.search(r"\{[\w:-]+\}`|^ *[`:]{3,}|^:\w+:|^\(.*\)=", text, re.MULTILINE)
    heads = re.findall(r"^## Exercise \d\.\d \(.+\), \d+ minutes, (\w+), (.+)$", text, re.MULTILINE)
    assert {effort for effort, _ in heads} <= set(handouts.POINTS)
    kinds = [kind for _, kind in heads]
    assert sorted(set(kinds)) == KINDS or name[0] in "ABCD"
    assert len(heads) == book.source(ROOT, name).read_text("utf-8").count("{exercise-start}")
    answers = [cell.cell_type for cell in cells if "### BEGIN SOLUTION\n" in cell.source]
    assert len(answers) == len(kinds) and answers.count("markdown") == kinds.count("to argue")
    assert len({cell.id for cell in cells}) == len(cells) == len(students)
    told = "\n".join(cell.source for cell in students)
    assert "SOLUTION" not in told and told.count("YOUR") == len(kinds)


class Something:
    """A value that takes part in any expression, as what a notebook has loaded would."""

    def __getattr__(self, name):
        return self

    def __call__(self, *_, **__):
        return self

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    __getitem__ = __add__ = __sub__ = __mul__ = __rmul__ = __truediv__ = __call__
    __lt__ = __le__ = __gt__ = __ge__ = __round__ = __call__


class Loaded(dict):
    """Globals in which every name but Python's own has some value."""

    def __missing__(self, name):
        if hasattr(builtins, name):
            raise KeyError(name)
        return Something()


@named
def test_an_empty_answer_fails_its_check_with_a_sentence(root, name):
    _, (_, cells) = written(root, name)
    starters, checks = graded(cells, "-answer"), graded(cells, "-check")
    assert starters.keys() == checks.keys() and len(checks) > 0
    for label, check in checks.items():
        known = Loaded()
        with pytest.raises(NotImplementedError):
            exec(starters[label], known)  # noqa: S102
        with pytest.raises(AssertionError, match=r"^\w+ .+ \w+.*[.?]$"):
            exec(check, known)  # noqa: S102
        asserted = [node for node in ast.parse(check).body if isinstance(node, ast.Assert)]
        assert all(node.msg for node in asserted), label


def test_solutions_pass_where_stubs_and_a_likely_mistake_fail(root):
    """On the real records, which a handout finds from its own folder."""
    (path, cells), (_, students) = written(root, NAME)
    notebook, there = nbformat.read(path, 4), {"metadata": {"path": path.parent}}
    check = graded(cells, "-check")["ex-script"]
    unordered = "number, percent = len(codes) * (len(codes) - 1) / 2, 41"
    more = [cell for cell in students if "nbgrader" in cell.metadata]
    more += [nbformat.v4.new_code_cell(text) for text in (unordered, check)]
    notebook.cells = cells + more
    NotebookClient(notebook, allow_errors=True, resources=there).execute()
    raised = [[out for out in cell.get("outputs", ()) if out.output_type == "error"]
              for cell in notebook.cells]  # fmt: skip
    assert not any(raised[: len(cells)])
    found = [(error.ename, error.evalue) for errors in raised for error in errors]
    helped = ("AssertionError", "Pair each language with every other, not with itself.")
    assert found[:2] == [("NotImplementedError", ""), helped] and len(found) == 5
    assert found[-1] == ("AssertionError", "Pairs are ordered: EN to DE is not DE to EN.")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of nbgrader's with the handout as its one assignment."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install nbgrader")
    from nbgrader.apps import NbGraderAPI

    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]  # nbgrader runs alembic
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "settings"))
    folder, settings = tmp_path / "course", Config()
    (folder / "source/transfer").mkdir(parents=True)
    settings.CourseDirectory.root = str(folder)
    return folder, NbGraderAPI(config=settings)


@pytest.mark.slow
def test_nbgrader_makes_the_students_edition_and_gives_the_marks(root, course):
    folder, api = course
    (path, cells), (_, students) = written(root, NAME)
    shutil.copy(path, folder / "source/transfer")
    done = api.generate_assignment("transfer")
    assert done["success"], done["log"]
    release = nbformat.read(folder / f"release/transfer/{NAME}.ipynb", 4)
    assert [cell.source for cell in release.cells] == [cell.source for cell in students]

    solved = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells
              if "nbgrader" in cell.metadata}  # fmt: skip
    wrong = solved["ex-script-answer"].replace("if a != b", "if a < b")
    for who, answers in {"right": solved, "wrong": solved | {"ex-script-answer": wrong}}.items():
        for cell in release.cells:
            marked = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(marked, cell.source)
        target = folder / f"submitted/{who}/transfer/{NAME}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(release, target)
        done = api.autograde("transfer", who)
        assert done["success"], done["log"]
    with api.gradebook as book_of_marks:
        marks = {}
        for who in ("right", "wrong"):
            submission = book_of_marks.find_submission("transfer", who)
            grades = {grade.name: grade for grade in submission.notebooks[0].grades}
            marks[who] = {name: grade.auto_score for name, grade in grades.items()}
            assert grades["ex-four"].needs_manual_grade and submission.max_score == 5
    assert marks["right"] == {"ex-script-check": 1, "ex-order-check": 2, "ex-four": None}
    assert marks["wrong"] == marks["right"] | {"ex-script-check": 0}


def test_lab_starts_on_the_handouts_and_keeps_what_students_wrote(root, monkeypatch):
    started, folder = [], root / "_build/handouts/student"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.ipynb").write_text("solved")
    monkeypatch.setattr(handouts, "find_spec", lambda name: name)
    monkeypatch.setattr(os, "execv", lambda *given: started.append(given))
    handouts.lab(root)
    assert started == [(sys.executable, [sys.executable, "-m", "jupyterlab", folder])]
    assert {path.stem for path in folder.iterdir()} == set(handouts.offered(root))
    assert (folder / f"{NAME}.ipynb").read_text() == "solved"


def test_without_jupyterlab_one_sentence_says_how_to_get_it(root, monkeypatch):
    monkeypatch.setattr(handouts, "find_spec", lambda name: None)
    with pytest.raises(book.BookError, match=r"^JupyterLab is not installed: `pip install .+`"):
        handouts.lab(root)


def test_the_file_that_may_be_passed_on_is_written_as_the_lecturers_page_says(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "book/teaching.md").read_text("utf-8")
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})  # noqa: S102
    with ZipFile(tmp_path / "artificial.zip") as file:
        file.extractall(tmp_path / "taken")
    paths = sorted((tmp_path / "taken").glob("*.conllu"))
    assert len(paths) == 6 and (tmp_path / "artificial.zip").stat().st_size < 500_000
    assert "CC BY 4.0" in (tmp_path / "taken/LICENCE.txt").read_text("utf-8")
    assert all(len(formats.read_conllu(path)) in (300, 1000) for path in paths)
