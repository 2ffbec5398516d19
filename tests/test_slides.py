"""Slides: each number and figure is one of the book's, and one file comes of them."""

import re
from itertools import groupby
from pathlib import Path
from string import Formatter

import nbformat
import pytest
from crosslingual import book, show, slides
from external import requests
from myst_nb.ext.glue import GLUE_PREFIX

ROOT = Path(__file__).parents[1]
SOURCE = (ROOT / "book/slides.md").read_text("utf-8")
NAMES = {name for _, name, *_ in Formatter().parse(SOURCE) if name}


def chapter_of(name):
    return name.rpartition("/")[0]


@pytest.fixture
def root(tmp_path):
    """A checkout whose executed chapters have what the slides name."""
    (tmp_path / "book").symlink_to(ROOT / "book")
    folder = tmp_path / "_build/executed/real"
    folder.mkdir(parents=True)
    for chapter, names in groupby(sorted(NAMES, key=chapter_of), chapter_of):
        cell = nbformat.v4.new_code_cell(outputs=[output(name) for name in names])
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / f"{chapter or 'all'}.ipynb")
    return tmp_path


def output(name):
    """What a chapter shows: a glued text, or a table."""
    key = name.rpartition("/")[2]
    data, about = {f"{GLUE_PREFIX}text/plain": repr(f"glued {name}")}, {"scrapbook": {"name": key}}
    if key == name:
        data, about = show.Table("What", name, ["", "x"], [["a", "1"]])._repr_mimebundle_()
    return nbformat.v4.new_output("display_data", data, metadata=about)


def test_a_dozen_slides_in_one_file(root):
    path = slides.write(root)
    page = path.read_text("utf-8")
    title, *others = page.split("<section>")[1:]
    assert len(others) == 12 and "<h2>How multilingual is" in title
    assert all(slide.count('<div class="shown">') <= 1 for slide in others)
    assert all(slide.count("<h2>") == slide.count("<aside>") == 1 for slide in others)
    assert page.count("<table>") == page.count('class="shown"') == sum("/" not in n for n in NAMES)
    assert all(f"glued {name}" in page for name in NAMES if "/" in name)
    assert not requests(path.parent) and not re.search(r"<script|<link|url\(", page)


def test_without_a_book_one_sentence_says_what_to_do(root):
    (root / "_build/executed/real/03-vocabulary.ipynb").unlink()
    with pytest.raises(book.BookError, match=r"^no executed chapter has '03-.*: do `make book`"):
        slides.write(root)
    assert not (root / "_build/slides.html").exists()


def test_numbers_and_figures_are_those_of_the_chapters_and_none_is_typed():
    paths = (ROOT / "book").glob("*.ipynb")
    chapters = {path.stem: path.read_text("utf-8") for path in paths}
    for name in NAMES:
        chapter, _, key = name.rpartition("/")
        assert f"{{glue:text}}`{key}`" in chapters[chapter] if chapter else (
            any(f"{{numref}}`{key}`" in text for text in chapters.values())
        ), name  # fmt: skip
    typed = re.sub(r"{.+?}|ACL 2019|CC BY 4\.0|\bF1\b", "", SOURCE)
    assert not re.findall(r".*\d.*", typed)


def test_minutes_add_up_as_the_lecturers_page_plans_them():
    plan = (ROOT / "book/teaching.md").read_text("utf-8").split("## Ninety minutes")[1]
    minutes = re.findall(r"^\| (\d+) \|", plan.split("##")[0], re.MULTILINE)
    words = {"Five": 5, "Ten": 10, "Fifteen": 15, "Twenty": 20}
    told = [words[word] for word in re.findall(r"^\*(\w+) minutes", SOURCE, re.MULTILINE)]
    assert told == [*map(int, minutes)] and sum(told) == 90
