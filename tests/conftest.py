"""A checkout in miniature: two chapters, one of them last, on an edition without corpora."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from crosslingual import book

CHECKOUT = Path(__file__).parents[1]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PARAMETERS = 'edition_name: str = "pocket"  # the edition\nnumber: int = 2  # doubled below'
EDITION = """\
title: tiny (nothing in it)
artificial: true
seeds: [1]
corpora: {source: folder, root: nowhere}
encoders: {m-bert: ./weights, en-bert: ./weights}
"""
TOC = "format: jb-book\nroot: index\nparts:\n  - caption: One\n    chapters:\n      - file: 01-one\n      - file: 02-two\n"


def write_chapter(path: Path, title: str, *cells: str) -> None:
    """A chapter as the book's are: a title, the tagged cell of parameters, then the given code cells."""
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {title}"), parameters, *code], metadata={"kernelspec": KERNEL}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


@pytest.fixture
def miniature(tmp_path, monkeypatch) -> Path:
    """Root of the small checkout; also the working directory, as for someone who types `crosslingual book` there."""
    root = tmp_path / "checkout"
    (root / "book/editions/weights").mkdir(parents=True)
    (root / "book/editions/weights/config.json").write_text(json.dumps({"model_type": "bert"}))
    (root / "book/editions/weights/model.safetensors").write_bytes(b"weights")
    (root / "book/editions/tiny.yml").write_text(EDITION)
    (root / "_toc.yml").write_text(TOC)
    shutil.copy(CHECKOUT / "_config.yml", root)
    shutil.copytree(CHECKOUT / "book/assets", root / "book/assets")
    (root / "book/references.bib").write_text("")
    write_chapter(root / "book/index.ipynb", "Front", "number")
    write_chapter(root / "book/01-one.ipynb", "One", "print('twice', 2 * number)")
    write_chapter(root / "book/02-two.ipynb", "Two", "print('edition', edition_name)")
    monkeypatch.chdir(root)
    # A library of its own, so that a build does not depend on who edits the real one meanwhile.
    monkeypatch.setattr(book, "LIBRARY", root / "lib")
    return root


def pytest_collection_modifyitems(items):
    """Slow tests first: what is left then fits beside them."""
    items.sort(key=lambda item: "slow" not in item.keywords)
