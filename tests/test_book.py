"""The build: what is executed again, what stops it, what a killed one leaves behind; the site."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from crosslingual import book, downloads, rerun, results
from external import requests

ROOT = Path(__file__).parents[1]
new = nbformat.v4
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PARAMETERS = """\
edition_name: str = "pocket"  # the edition
number: int = 2  # doubled below (at least 1)
threshold: float = 0.05  # a share
paired: bool = True  # whether to
codes: list[str] = ["en", "de"]  # languages
pairs: list[str] = []  # of languages (like en-fr)"""
EDITION = """\
{title: tiny (nothing in it), artificial: true, seeds: [1], corpora: {source: artificial},
 encoders: {m-bert: ./weights}}"""
TOC = """\
format: jb-book
root: index
parts:
  - chapters: [{file: 01-one}, {file: beyond/provenance}]
"""
BUILD = """
from crosslingual import book
book.experiments.prepare = lambda edition, fresh: {}
book.SIDE_BY_SIDE = 1
book.build(book.Path.cwd(), "tiny", {})
"""
WIDGET = """\
from ipywidgets import HTML, Dropdown, Stack, VBox, jslink
chosen, pages = Dropdown(options=["a", "b"]), Stack([HTML("first"), HTML("second")])
jslink((chosen, "index"), (pages, "selected_index"))
VBox([chosen, pages])"""


def write_chapter(path: Path, title: str, *cells: str) -> None:
    """A chapter as the book's are: a title, the tagged cell of parameters, the given code."""
    parameters = new.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    myst = {"mystnb": {"markdown_format": "myst"}}
    code = [new.new_code_cell(source, metadata=myst) for source in cells]
    text = [new.new_markdown_cell(f"# {title}"), parameters]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new.new_notebook(cells=text + code, metadata={"kernelspec": KERNEL}), path)


@pytest.fixture
def miniature(tmp_path, monkeypatch) -> Path:
    """A checkout of three chapters; also the working directory. It has no results."""
    root = tmp_path / "checkout"
    (root / "book/editions/weights").mkdir(parents=True)
    (root / "book/editions/tiny.yml").write_text(EDITION)
    (root / "_toc.yml").write_text(TOC)
    (root / "requirements.lock").touch()
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copytree(ROOT / "book/assets", root / "book/assets")
    (root / "book/references.bib").write_text("")
    write_chapter(root / "book/index.ipynb", "Front", "number")
    write_chapter(root / "book/01-one.ipynb", "One", "print('twice', 2 * number)")
    write_chapter(root / "book/beyond/provenance.ipynb", "Report", "print(edition_name)")
    monkeypatch.chdir(root)
    monkeypatch.delenv("CROSSLINGUAL_RESULTS", raising=False)
    monkeypatch.setattr(book.experiments, "prepare", lambda edition, fresh: {})
    # A library of its own, so that a build does not depend on who edits the real one meanwhile.
    monkeypatch.setattr(book, "LIBRARY", root / "lib")
    return root


@pytest.fixture
def quick(monkeypatch):
    """In place of jupyter-book, which takes seconds: pages of what the chapters printed."""

    def run(command, **_):
        command = list(command)
        draft = Path(command[command.index("--path-output") + 1]) / "_build/html"
        for path in Path(command[4]).rglob("*.ipynb"):
            page = draft / path.relative_to(command[4]).with_suffix(".html")
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(path.read_text("utf-8"))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(book, "subprocess", SimpleNamespace(run=run))


def executed(root, edition="tiny"):
    """{chapter: time of its last execution}"""
    folder = root / "_build/executed" / edition
    return {path.stem: path.stat().st_mtime_ns for path in folder.rglob("*.ipynb")}


def printed(path):
    cells = nbformat.read(path, 4).cells
    return "".join(output.text for cell in cells for output in cell.get("outputs", []))


N, K = "{glue:text}`n`", "{glue:text}`k`"
LEFT = [
    (f"It is {N}. The rest stays.", "The rest stays."),
    (f"**So?** It is {N}, e.g. low.\nAnd {K} is\nhigh.", f"**So?** And {K} is\nhigh."),
    (f"**So?** It is {N}.\n\nNext.", "\n\nNext."),
    (f"## Here\n\n- One {N};\n  more.\n- {K}\n- End", f"## Here\n\n- {K}\n- End"),
    (f"Of {K},  as it\nis.", f"Of {K},  as it\nis."),
]


@pytest.mark.parametrize("text, left", LEFT)
def test_a_sentence_about_what_there_is_not_is_not_printed(text, left):
    assert book.sensible(text, {"n"}) == left and book.sensible(text, set()) == text


@pytest.mark.parametrize("edition, exercises", [("tiny", True), ("book/editions/tiny.yml", False)])
def test_a_chapter_leaves_out_numbers_that_lack_and_for_others_editions_exercises(
    miniature, edition, exercises
):
    told = "from crosslingual import show\n"
    told += "show.tell(low=float('nan'), n='Hindi–Urdu', k='none of the 0', m='it\\'s –')"
    path = miniature / "book/01-one.ipynb"
    write_chapter(path, "One", told, "print(edition_name)")
    notebook = nbformat.read(path, 4)
    source = "Low: {glue:text}`low`. Not {glue:text}`k`. Nor {glue:text}`m`. But {glue:text}`n`."
    notebook.cells += [new.new_markdown_cell(text) for text in (source, "## Exercises")]
    notebook.cells += [new.new_code_cell("1 / 0")] * (not exercises)
    nbformat.write(notebook, path)
    book.execute(miniature, "01-one", {"edition_name": edition}, miniature / "done.ipynb")
    texts = [cell.source for cell in nbformat.read(miniature / "done.ipynb", 4).cells]
    assert "But {glue:text}`n`." in texts and ("## Exercises" in texts) == exercises


def test_only_what_changed_is_executed_again_and_the_report_with_it(miniature, quick):
    site = book.build(miniature, "tiny", {})
    first, built = executed(miniature), site.stat().st_mtime_ns
    assert site == miniature / "_build/html/tiny/index.html"
    assert "twice 4" in (site.parent / "01-one.html").read_text()
    took = book.durations(SimpleNamespace(name="tiny")).set_index("chapter")
    assert took.cells.to_dict() == {"01-one": 3, "beyond/provenance": 3, "index": 3}  # injected
    assert (took.seconds.astype(float) > 0).all()
    assert book.durations(SimpleNamespace(name="other")).empty and results.root() == miniature

    book.build(miniature, "tiny", {})
    assert executed(miniature) == first and site.stat().st_mtime_ns == built

    write_chapter(miniature / "book/01-one.ipynb", "One", "print('thrice', 3 * number)")
    book.build(miniature, "tiny", {})
    again = executed(miniature)
    assert {name for name in first if again[name] != first[name]} == {"01-one", "provenance"}
    assert "thrice 6" in (site.parent / "01-one.html").read_text()


def test_each_edition_has_a_site_and_the_default_s_is_on_top(miniature, quick, monkeypatch):
    monkeypatch.setattr(book, "DEFAULT", "own")
    (miniature / "book/editions/own.yml").write_text(EDITION)
    other = book.build(miniature, "tiny", {})
    before, page = executed(miniature), other.read_text()
    top = book.build(miniature, "own", {})
    assert top == miniature / "_build/html/index.html" and other.read_text() == page
    write_chapter(miniature / "book/index.ipynb", "New front")
    assert "New front" in book.build(miniature, "own", {}).read_text() and other.read_text() == page
    assert executed(miniature) == before and set(executed(miniature, "own")) == set(before)


def test_a_chapter_is_made_of_edition_library_and_the_results_it_may_show(miniature):
    def key(**row):
        return book._shared_key(miniature, edition, {"scores": [pd.DataFrame(row, [0])]})

    edition, row = book.Edition.load("tiny"), {"seed": 1, "score": 90.0, "reason": None}
    keys = [key(**row)]
    for path in (
        "book/editions/tiny.yml",
        "lib/crosslingual/show.py",
        "requirements.lock",
        "book/recorded/pocket/scores.parquet",
        "book/recorded/real/labels.parquet",
        "book/editions/pocket.yml",  # of which index and conclusion have the ledger
    ):
        (miniature / path).parent.mkdir(parents=True, exist_ok=True)
        (miniature / path).write_text("other")
        keys.append(key(**row))
    keys += [key(**row | {"score": 91.0}), key(**row | {"reason": "gone"})]
    assert len(set(keys)) == 9
    further = miniature / "_build/results/tiny/scores/seed-5.parquet"  # which no chapter asks for
    further.parent.mkdir(parents=True)
    further.write_text("other")
    assert key(**row, counts=[[1]]) == key(**row, counts=[[2]]) == keys[6]  # the score tells


def test_outputs_are_no_part_of_a_chapter_s_source(miniature):
    source = miniature / "book/01-one.ipynb"
    before = book._key(source, "", {})
    notebook = nbformat.read(source, 4)
    notebook.cells[-1].outputs = [new.new_output("stream", text="run by hand\n")]
    nbformat.write(notebook, source)
    assert book._key(source, "", {}) == before != book._key(source, "", {"number": 3})


def test_results_are_computed_before_any_chapter_runs_and_anew_if_asked(miniature, monkeypatch):
    asked = []
    compute = lambda edition, fresh: asked.append((fresh, executed(miniature))) or {}
    monkeypatch.setattr(book.experiments, "prepare", compute)
    monkeypatch.setattr(book, "compile", lambda root, *_: None)
    book.build(miniature, "tiny", {}, fresh=True)
    assert asked == [(True, {})]


def test_an_edition_of_which_nothing_is_at_hand_makes_no_book(miniature, monkeypatch):
    why = ["", "the treebank is yet to be downloaded, from there.", "no"]
    reasons = pd.DataFrame({"encoder": ["majority class", "m-bert", "m-bert"], "reason": why})
    monkeypatch.setattr(book.experiments, "prepare", lambda edition, fresh: {"scores": [reasons]})
    with pytest.raises(
        book.BookError, match="tiny has a score; the first lacks this: the treebank is"
    ):
        book.build(miniature, "tiny", {})
    assert executed(miniature) == {}


def test_what_is_executed_anew_has_records_checked_beside_it(miniature, quick, monkeypatch):
    checked = []
    monkeypatch.setattr(book.verify, "spot_check", lambda *given: checked.append(given))
    book.build(miniature, "tiny", {})
    assert not checked  # of a book without records
    (miniature / "book/recorded/pocket").mkdir(parents=True)
    first = executed(miniature)
    book.build(miniature, "tiny", {})
    assert not checked and executed(miniature) == first
    book.build(miniature, "tiny", {}, spot=7)
    assert checked == [(miniature / book.verify.FOUND, 7)]
    again = executed(miniature)
    assert {name for name in first if again[name] != first[name]} == {"provenance"}

    def fails(*given):
        raise book.verify.VerifyError("it does not come out again")

    monkeypatch.setattr(book.verify, "spot_check", fails)
    with pytest.raises(ValueError, match="does not come out"):
        book.build(miniature, "tiny", {}, spot=7)
    assert "provenance" not in executed(miniature)


def test_a_failing_chapter_stops_the_build_and_leaves_the_site(miniature, quick):
    site = book.build(miniature, "tiny", {})
    page = (site.parent / "01-one.html").read_text()
    write_chapter(miniature / "book/01-one.ipynb", "One", "x = 1", "x / 0  # never")
    told = "chapter 01-one failed in cell 4 .`x / 0  # never`.: ZeroDivisionError: division"
    with pytest.raises(book.BookError, match=told):
        book.build(miniature, "tiny", {})
    assert (site.parent / "01-one.html").read_text() == page
    assert (miniature / "_build/failed/01-one.ipynb").exists()


def test_a_kernel_that_does_not_answer_is_told_in_a_sentence(miniature, monkeypatch):
    """On a machine that is too busy, or has no loopback; in nbclient's own words, with ours."""
    hangs = "import time\ntime.sleep(60)"
    monkeypatch.setattr(book, "KERNEL", book.KERNEL | {"kernel_name": "hangs", "start_timeout": 1})
    folder = miniature / "share/jupyter/kernels/hangs"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-c", hangs, "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "hangs"}))
    monkeypatch.setenv("JUPYTER_PATH", str(miniature / "share/jupyter"))
    with pytest.raises(book.BookError, match="01-one failed as its kernel .* did.* in 1 seconds"):
        book.execute(miniature, "01-one", {}, miniature / "out.ipynb")


def test_a_killed_build_resumes(miniature, quick):
    started = miniature / "started"
    wait = f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\n"
    wait += "time.sleep(0 if pathlib.Path('go').exists() else 60)"
    write_chapter(miniature / "book/01-one.ipynb", "One", wait, "print(number)")
    command = [sys.executable, "-c", BUILD]
    process = subprocess.Popen(command, cwd=miniature, start_new_session=True)
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.05)
    with pytest.raises(book.BookError, match="another build is running"):
        book.build(miniature, "tiny", {})
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert set(executed(miniature)) == {"index"} and not (miniature / "_build/html").exists()

    (miniature / "go").touch()
    assert book.build(miniature, "tiny", {}).exists()
    assert printed(miniature / "_build/executed/tiny/01-one.ipynb") == "2\n"


def test_one_chapter_with_another_parameter_leaves_the_book_alone(miniature, capfd):
    done = rerun.chapter(miniature, "01-one", "tiny", {"number": "21"})
    assert done == miniature / "_build/chapters/01-one.ipynb" and printed(done) == "twice 42\n"
    assert "twice 42" in capfd.readouterr().out  # what a chapter says of its costs is heard at once
    assert not (miniature / "_build/html").exists() and not executed(miniature)
    assert "`number=21` (in the book: `2`)" in nbformat.read(done, 4).cells[1].source
    with pytest.raises(book.BookError, match="no book of the edition tiny: do `make book`"):
        rerun.chapter(miniature, "01-one", "tiny", {}, compare=True)


def test_a_rerun_chapter_stands_in_the_book_beside_its_numbers(miniature, monkeypatch):
    carrying = """
    from crosslingual import show
    show.Table("Twice.", "two", ["", "x"], [["one", show.number(number / 3)]])"""
    write_chapter(miniature / "book/01-one.ipynb", "One", dedent(carrying), "'{cite}`nobody`'")
    monkeypatch.setattr(book, "compile", lambda root, *_: root)  # its chapters do here
    book.build(miniature, "tiny", {})
    theirs = nbformat.read(miniature / "_build/executed/tiny/01-one.ipynb", 4)
    without = new.new_notebook()  # of a chapter without a table
    for one in (theirs, without):
        assert rerun.beside_book(one, one).startswith("0 of ")
    other = rerun.chapter(miniature, "01-one", "tiny", {"number": "5"}, compare=True)
    [*_, (output, _, _)] = downloads.in_notebook(nbformat.read(other, 4))
    assert "| one | 1.7<br>book 0.67 (+1.00) |" in output.data["text/markdown"]
    assert "<br>book 0.67 (+1.00)</td>" in output.data["text/html"]
    page = rerun.page(miniature, "01-one", "tiny")
    assert "book 0.67 (+1.00)" in page.read_text() and (page.parent / "index.html").exists()
    assert "1 of 1 numbers in tables differ from the book" in page.read_text()
    assert not (miniature / "_build/html").exists()


def test_plain_papermill_runs_a_chapter(miniature):
    command = ["papermill", "book/01-one.ipynb", "out.ipynb", "-p", "number", "5"]
    subprocess.run([sys.executable, "-m", *command], cwd=miniature, check=True, capture_output=True)
    assert printed(miniature / "out.ipynb") == "twice 10\n"


@pytest.mark.parametrize("name, text, value", [
    ("number", " 5 ", 5), ("threshold", "5e-2", 0.05), ("paired", "False", False),
    ("codes", "[no_bokmaal, 'hi',ur]", ["no_bokmaal", "hi", "ur"]), ("codes", "no", ["no"]),
    ("codes", "[]", []), ("edition_name", "my/own.yml", "my/own.yml"), ("pairs", "[]", []),
    ("pairs", "ru-pt_br", ["ru-pt_br"]),
])  # fmt: skip
def test_text_becomes_the_declared_type(miniature, name, text, value):
    assert book.typed(miniature / "book/01-one.ipynb", {name: text}) == {name: value}


@pytest.mark.parametrize("name, text", [
    ("number", "three"), ("number", "2.5"), ("number", "0"), ("number", "-1"), ("paired", "maybe"),
    ("threshold", "5%"), ("threshold", ""), ("pairs", "enfr"), ("pairs", "en-fr, de"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_what_would(miniature, name, text):
    told = f"parameter {name} of chapter 01-one wants .*, .* .default .*., not '{text}'"
    with pytest.raises(book.BookError, match=told):
        book.typed(miniature / "book/01-one.ipynb", {name: text})


def test_what_is_misspelt_is_refused_with_the_known_before_anything_runs(miniature):
    with pytest.raises(book.BookError, match="'02-two': choose from 01-one, beyond/prov.*, index"):
        rerun.chapter(miniature, "02-two", "tiny", {})
    with pytest.raises(book.BookError, match="'numbr': choose from edition_name, number, thresh"):
        rerun.chapter(miniature, "01-one", "tiny", {"numbr": "1"})
    with pytest.raises(book.BookError, match="no chapter has a parameter 'numbr'"):
        book.build(miniature, "tiny", {"numbr": "3"})
    assert not list(miniature.rglob("_build/**/*.ipynb"))


def test_assignments_may_have_blanks_and_come_several_at_a_time():
    typed = ["train=[en, de]; seeds = 2", "path=a=b"]
    assert book.parse(typed) == {"train": "[en, de]", "seeds": "2", "path": "a=b"}
    with pytest.raises(book.BookError, match="name=value, not 'seeds'"):
        book.parse(["train=[en]; seeds"])


def test_a_site_asks_no_network_and_a_warning_leaves_the_old_one(miniature):
    write_chapter(miniature / "book/01-one.ipynb", "One $x^2$", WIDGET)
    there = "https://github.com/somebody/book"
    index = book.build(miniature, "tiny", {}, repository=there)
    buttons = (index.parent / "beyond/provenance.html").read_text()
    assert f'href="{there}/edit/main/book/beyond/provenance.ipynb"' in buttons
    launched = "mybinder.org/v2/gh/somebody/book/main?urlpath=lab/tree/book/beyond/provenance.ipynb"
    assert launched in buttons and "colab.research" in buttons
    index = book.build(miniature, "tiny", {})
    before, html = index.read_text(), (index.parent / "01-one.html").read_text()
    assert requests(index.parent) == set()
    assert "vendor/mathjax/tex-svg.js" in html and "vendor/html-manager/embed.js" in html
    assert "application/vnd.jupyter.widget-view+json" in html

    (miniature / "book/references.md").write_text("# See\n\n{doc}`no-such-page` {cite}`nobody`\n")
    (miniature / "_toc.yml").write_text(TOC.replace("{file: 01-one}, ", "{file: references}, "))
    for _ in range(2):  # not only the first time
        with pytest.raises(book.BookError, match="(?s)WARNING.*no-such-page"):
            book.build(miniature, "tiny", {})
    assert index.read_text() == before
