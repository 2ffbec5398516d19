"""The library stays small, its imports run one way, and its form is one."""

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "lib").rglob("*.py"))
BIN = Path(sys.executable).parent


def functions(path):
    """(name, lines of code, docstring aside) of each function or method."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            told = node.body[0].end_lineno - node.body[0].lineno + 1
            told = told if ast.get_docstring(node) is not None else 0
            yield f"{path.name}: {node.name}", node.end_lineno - node.lineno + 1 - told


def test_the_library_stays_small():
    """7,000 lines in 40 files are the aim: who raises this limit says what each line buys.

    Raised last for the paper's closing guess put to an intervention: effects of worlds at equal
    steps and at equal skill (90), their figure and table (70), what they say in words (80); before,
    for Table 6's earlier work, run and not only cited: Hindi in Latin letters spelt,
    looked up and told (130), and its way into frames and the table (50); before, for the
    BiLSTM-CRF, so that Table 3's is: its
    CRF (50), network (70), training and tagging (100), and its way into frames, Table 3, a claim
    and the chapter's text (50); before, for `crosslingual new`, which saves a stranger the
    edition's grammar (140), a form for what is not recorded (80), slides and the lab (100), the
    book as a PDF (150), pages of others' editions without sentences that make no sense there (50),
    mistakes told at once (20), rerun chapters in their place in the book (100), handouts (100), new
    languages (50) and buttons (20).
    """
    lines = sum(path.read_text("utf-8").count("\n") for path in FILES)
    assert len(FILES) <= 56 and lines <= 12975, lines


def test_functions_are_short():
    lengths = dict(sorted((length, name) for path in FILES for name, length in functions(path)))
    every = [length for path in FILES for _, length in functions(path)]
    assert max(lengths) <= 40, lengths[max(lengths)]
    assert median(every) <= 6 and quantiles(every, n=10)[-1] < 16


@pytest.mark.parametrize("command", [
    "ruff check lib tests benchmarks", "ruff format --check lib tests benchmarks",
    "lint-imports --no-cache",
])  # fmt: skip
def test_form_and_layers(command):
    program, *rest = command.split()
    done = subprocess.run([BIN / program, *rest], cwd=ROOT, capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_public_functions_say_what_they_do():
    """Every public function of more than three lines has a docstring."""
    silent = [
        f"{path.name}: {node.name}"
        for path in FILES
        if path.parent.name != "pocketworld"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if not ast.get_docstring(node) and node.end_lineno - node.lineno > 3
    ]
    assert not silent


def test_showing_a_record_loads_no_torch():
    code = "import sys, crosslingual.book, crosslingual.chapters.conclusion as _\n"
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
