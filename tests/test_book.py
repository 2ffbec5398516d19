"""The build: what is executed again, what stops it, what a killed one leaves behind."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import write_chapter

from crosslingual import book, parameters
from crosslingual.editions import Edition

COMMAND = [sys.executable, "-m", "crosslingual", "book", "--edition", "tiny"]
BUILD = "from crosslingual import book; root = book.Path.cwd(); book.LIBRARY = root / 'lib'; book.build(root, 'tiny', jobs=1)"


def executed(root):
    """{chapter: time of its last execution}"""
    folder = root / "_build/executed"
    return {path.stem: path.stat().st_mtime_ns for path in folder.rglob("*.ipynb")}


def printed(path):
    cells = nbformat.read(path, as_version=4).cells
    return "".join(output.text for cell in cells for output in cell.get("outputs", []) if output.name == "stdout")


def outputs(root):
    """What the book says, without the times at which it was made."""
    pages = sorted((root / "_build/executed").rglob("*.ipynb"))
    return {page.stem: [cell.get("outputs") for cell in nbformat.read(page, as_version=4).cells] for page in pages}


def test_only_what_changed_is_executed_again(miniature):
    site = book.build(miniature, "tiny")
    first, built = executed(miniature), site.stat().st_ino
    assert "twice 4" in (site.parent / "01-one.html").read_text()

    book.build(miniature, "tiny")
    assert executed(miniature) == first and site.stat().st_ino == built

    write_chapter(miniature / "book/01-one.ipynb", "One", "print('thrice', 3 * number)")
    book.build(miniature, "tiny")
    again = executed(miniature)
    assert {name for name in first if again[name] != first[name]} == {"01-one"}
    assert "thrice 6" in (site.parent / "01-one.html").read_text()


def test_an_edition_s_content_counts_and_its_outputs_do_not(miniature):
    before = book.digest_of_inputs(miniature, Edition.load("tiny"))
    source = miniature / "book/01-one.ipynb"
    content = book._content(source)
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="run by hand\n")]
    nbformat.write(notebook, source)
    assert book._content(source) == content
    (miniature / "book/editions/tiny.yml").open("a").write("pairs: [[en, de]]\n")
    assert book.digest_of_inputs(miniature, Edition.load("tiny")) != before


def test_what_is_recorded_of_an_edition_beside_counts(miniature):
    editions = miniature / "book/editions"
    (editions / "other.yml").write_text((editions / "tiny.yml").read_text() + "digests: other.digests.yml\n")
    (editions / "other.digests.yml").write_text("encoders/m-bert: d1\n")
    (editions / "tiny.yml").open("a").write("beside: [other]\n")
    before = [book.digest_of_inputs(miniature, Edition.load(name)) for name in ("tiny", "other")]
    (editions / "other.digests.yml").write_text("encoders/m-bert: d2\n")
    repinned = [book.digest_of_inputs(miniature, Edition.load(name)) for name in ("tiny", "other")]
    record = miniature / "book/recorded/other/finetuned/ab.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    recorded = [book.digest_of_inputs(miniature, Edition.load(name)) for name in ("tiny", "other")]
    assert all(len(set(states)) == 3 for states in zip(before, repinned, recorded, strict=True))


@pytest.mark.parametrize("written", [
    "book/editions/paper.yml", "book/recorded/paper/full-size/ab.json",  # shown in every edition
    "encoders/pocket-m-bert/training.jsonl", "encoders/mini-m-bert/text.json",  # no part of an encoder's digest
    "store/emergence/ab.json",  # `crosslingual probe` writes it
])  # fmt: skip
def test_what_chapters_read_besides_counts(miniature, monkeypatch, written):
    monkeypatch.setenv("CROSSLINGUAL_STORE", str(miniature / "store"))
    path, found = miniature / written, [book.digest_of_inputs(miniature, Edition.load("tiny"))]
    path.parent.mkdir(parents=True, exist_ok=True)
    for content in ("{}", "[]"):
        path.write_text(content)
        found.append(book.digest_of_inputs(miniature, Edition.load("tiny")))
    (miniature / "store/finetuned").mkdir(parents=True)
    (miniature / "store/finetuned/ab.json").write_text("{}")  # what chapters compute themselves
    assert len(set(found)) == 3 and book.digest_of_inputs(miniature, Edition.load("tiny")) == found[-1]


def test_the_report_on_the_build_comes_last_and_whenever_a_chapter_is_executed():
    names = ["index", "01-introduction", "06-conclusion", "beyond/provenance"]
    assert book._stages(names, []) == [[], [], []]
    assert book._stages(names, names) == [["01-introduction"], ["index", "06-conclusion"], ["beyond/provenance"]]
    assert book._stages(names, ["01-introduction"]) == [["01-introduction"], [], ["beyond/provenance"]]


def test_a_failing_chapter_stops_the_build_and_leaves_the_site(miniature):
    site = book.build(miniature, "tiny")
    page = (site.parent / "02-two.html").read_text()
    write_chapter(miniature / "book/02-two.ipynb", "Two", "x = 1", "y = 2\nx / 0  # never")
    with pytest.raises(book.BookError, match="chapter 02-two failed in cell 4 .`x / 0  # never`.: ZeroDivisionError: division"):
        book.build(miniature, "tiny")
    assert (site.parent / "02-two.html").read_text() == page
    assert (miniature / "_build/failed/02-two.ipynb").exists()


@pytest.mark.parametrize(
    "given, sentence",
    [({"numbr": "3"}, "no chapter has a parameter 'numbr'"), ({"number": "x"}, "number of chapter index wants int")],
)
def test_a_bad_parameter_is_refused_before_anything_runs(miniature, given, sentence):
    with pytest.raises(parameters.ParameterError, match=sentence):
        book.build(miniature, "tiny", given)
    assert not (miniature / "_build").exists()


def test_one_chapter_with_another_parameter_leaves_the_book_alone(miniature):
    book.build(miniature, "tiny")
    before = executed(miniature)
    rerun = book.chapter(miniature, "01-one", "tiny", {"number": "21"})
    assert printed(rerun) == "twice 42\n" and executed(miniature) == before


def test_plain_papermill_runs_a_chapter(miniature):
    command = [sys.executable, "-m", "papermill", "book/01-one.ipynb", "out.ipynb", "-p", "number", "5"]
    assert subprocess.run(command, cwd=miniature, capture_output=True).returncode == 0
    assert printed(miniature / "out.ipynb") == "twice 10\n"


def test_a_missing_chapter_is_named(miniature):
    (miniature / "book/02-two.ipynb").unlink()
    with pytest.raises(book.BookError, match="no chapter '02-two': choose from 01-one, index"):
        book.build(miniature, "tiny")


def test_a_killed_build_resumes_to_the_same_book(miniature):
    started = miniature / "started"
    wait = f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(0 if pathlib.Path('go').exists() else 60)"
    write_chapter(miniature / "book/02-two.ipynb", "Two", wait, "print(number)")
    process = subprocess.Popen([sys.executable, "-c", BUILD], cwd=miniature, start_new_session=True)
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.05)
    with pytest.raises(book.BookError, match="another build is running"):
        book.build(miniature, "tiny")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert set(executed(miniature)) == {"01-one"} and not (miniature / "_build/html").exists()

    before = executed(miniature)["01-one"]
    (miniature / "go").touch()
    book.build(miniature, "tiny")
    resumed = outputs(miniature)
    assert executed(miniature)["01-one"] == before
    for page in (miniature / "_build/executed").rglob("*.ipynb"):
        page.unlink()
    book.build(miniature, "tiny")
    assert outputs(miniature) == resumed


def test_the_command_line_says_one_sentence_and_exits_with_2(miniature):
    done = subprocess.run([*COMMAND, "-p", "numbr=3"], cwd=miniature, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("crosslingual: no chapter has a parameter 'numbr'") and done.stderr.count("\n") == 1
