"""The PDF: tables, folds and scripts as LaTeX gets them, and what is said where there is none."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from crosslingual import book, cli, show
from test_book import EDITION

ROOT = Path(__file__).parents[1]
MISSING = [name for name in ("xelatex", "latexmk", "make") if not shutil.which(name)]
TOC = """\
format: jb-book
root: index
parts:
  - {caption: All, numbered: true, chapters: [{file: one}]}
  - {caption: References, chapters: [{file: references}]}
"""
new = nbformat.v4
TEXT = """\
# One

{numref}`scores` and {numref}`texts`: <bdi>ہے، ہے 2 ہے</bdi>, हिंदी, 日本, русский, −1 ≤ ✔.

{cite}`who`

```{exercise-start} Easy
:label: ex
```
How many?
```{exercise-end}
```
"""
WORDS = "several words " * 20


def output(shown, *tags: str):
    """A cell with its output, as the book's are executed."""
    data, held = shown._repr_mimebundle_() if isinstance(shown, show.Table) else (shown, {})
    metadata = {"tags": [*tags], "mystnb": {"markdown_format": "myst"}}
    outputs = [new.new_output("execute_result", data, metadata=held, execution_count=1)]
    return new.new_code_cell("hidden()", metadata=metadata, outputs=outputs)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """An executed book of an introduction and a chapter."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copytree(ROOT / "book/assets", root / "book/assets")
    (root / "book/editions/weights").mkdir(parents=True)
    (root / "book/editions/tiny.yml").write_text(EDITION)
    shutil.copy(ROOT / "book/references.md", root / "book")
    (root / "book/references.bib").write_text("@misc{who, title={What}}")
    (root / "_toc.yml").write_text(TOC)
    numbers = [["**en**", "**87.4 ± 0.5**\npaper 91.1"], ["de", "–"]]
    texts = [["ledger", f"{WORDS}\n{WORDS}", "holds"] for _ in range(40)]
    gallery = show.gallery({name: show.Table(name, "g", ["a"], [[name]]) for name in ("x", "y")})
    cells = [
        new.new_markdown_cell(TEXT),
        output(show.Table("Scores", "scores", ["", "de"], numbers), "hide-cell"),
        output(show.Table("Texts", "texts", ["of", "words", "so"], texts, text=True), "hide-input"),
        output(gallery._repr_mimebundle_(), "hide-input"),
        output({"text/html": "<b>", "text/plain": "<IPython.core.display.HTML object>"}),
        output({"text/plain": "set up"}, "hide-cell"),
    ]
    for name, some in (("index", [new.new_markdown_cell("# Front")]), ("one", cells)):
        path = root / f"_build/executed/tiny/{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        (root / f"book/{name}.ipynb").touch()
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(new.new_notebook(cells=some, metadata={"kernelspec": kernel}), path)
    return root


@pytest.fixture(scope="module")
def made(checkout) -> Path:
    """What LaTeX is given, and, where it is installed, the PDF."""
    if MISSING:
        pages = book.built(checkout, "tiny")
        book.furnish(checkout, pages)
        draft, config = checkout / "_build/pdf/draft", checkout / "_config.yml"
        book.jupyter_book(checkout, pages, draft, config, builder="latex")
    else:
        assert book.pdf(checkout, "tiny") == checkout / "_build/pdf/tiny.pdf"
    return checkout / "_build/pdf"


def test_latex_is_given_what_it_can_set(made):
    text = (made / "draft/_build/latex/book.tex").read_text("utf-8")
    assert "{lr}" in text and r"\makecell[tr]{" in text and "paper 91.1" in text  # unfolded
    assert r"\begin{longtable}{>{\raggedright" in text and r"\newline" in text
    assert r"\hyperref[\detokenize{one:scores}]{Table" in text
    assert r"\RL{ہے، ہے 2 ہے}" in text
    assert "On the site, too: y." in text and "VBox" not in text
    assert "Exercise 1.1 (Easy)" in text
    for left in ("IPython", "set up", "hidden()", "<br", "{numref}"):
        assert left not in text


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_every_letter_of_the_pdf_has_a_glyph_and_every_reference_a_number(made):
    assert (made / "tiny.pdf").read_bytes().startswith(b"%PDF")
    log = (made / "draft/_build/latex/book.log").read_text("utf-8", errors="replace")
    assert "Missing character" not in log and "undefined references" not in log
    assert "\n! " not in log
    contents = (made / "draft/_build/latex/book.toc").read_text("utf-8")
    assert contents.count("References}") == 1 and "Bibliography" not in contents


def test_without_latex_or_a_book_one_sentence_says_what_to_do(checkout, monkeypatch, capsys):
    monkeypatch.chdir(checkout)
    monkeypatch.setattr(sys, "argv", ["crosslingual", "pdf", "--edition", "tiny"])
    monkeypatch.setattr(book.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr().err
    assert stopped.value.code == 2 and told.count("\n") == 1 and "texlive-xetex" in told
    monkeypatch.undo()
    monkeypatch.setattr(book.shutil, "which", lambda name: name)
    with pytest.raises(book.BookError, match="no book of the edition other: do `make book`"):
        book.pdf(checkout, "other")
