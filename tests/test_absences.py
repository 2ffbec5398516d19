"""An edition without corpora, and one without the English encoder: every page is built and says what is missing."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
import toy
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from crosslingual import book, grids, parameters, site, transfer
from crosslingual.editions import Edition
from crosslingual.store import Store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = ("_config.yml", "_toc.yml", "book")
UNTOUCHED = ["beyond/your-own-encoder"]  # makes an edition of its own, whatever there is
# What one chapter leaves behind is nothing to the next, as each has a kernel of its own in the build.
FRESH = "[globals().pop(name) for name in list(globals()) if name[0] != '_' and name not in ('get_ipython', 'In', 'Out')];"
# No data, no weights: neither of the ways in which an encoder can be missing is a mistake.
EMPTY = """\
title: empty (no corpora, no encoders)
seeds: [1]
corpora: {source: folder, root: nowhere}
pairs: [[en, de], [hi, ur]]
encoders:
  m-bert: ./absent
  en-bert: {pretrain: {languages: [en], recipe: {steps: 2}}}
"""
# A corner of the artificial world: most languages that the chapters name, and the English encoder, are missing.
ONE_ENCODER = """\
title: one encoder
artificial: true
seeds: [1]
corpora:
  source: pocket
  sizes: {pos: {train: 8, dev: 2, test: 4}, ner: {train: 8, dev: 2, test: 6},
          code-switching: {train: 8, dev: 2, test: 4}, parallel: 12}
languages: {pos: [en, de, ja], ner: [en, de]}
pairs: [[en, de]]
encoders: {m-bert: ./tiny}
recipe: {epochs: 1}
"""


@pytest.fixture(scope="module", params=[EMPTY, ONE_ENCODER], ids=["no corpora", "no English encoder"])
def executed(request, tmp_path_factory):
    """A checkout of the book whose chapters were all executed in that edition, one after another."""
    root = tmp_path_factory.mktemp("absences") / "checkout"
    root.mkdir()
    for name in PAGES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    (root / "book/editions/some.yml").write_text(request.param)
    toy.save_encoder(root / "book/editions/tiny")
    fine_tune(root)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CROSSLINGUAL_")}
    execute(root, environment | {"HF_HUB_OFFLINE": "1", "CROSSLINGUAL_CACHE": str(root / "_build/cache")})
    return root


def fine_tune(root):
    """Here, as processes of their own would take longer to start than such models to train."""
    edition, store = Edition.load(root / "book/editions/some.yml"), Store(root / "_build/store")
    for cell in grids.of_the_book(edition, store):
        transfer.compute(edition, cell, store)


def execute(root, environment):
    """What papermill does, but for starting a kernel a chapter: that would take most of the time."""
    manager = KernelManager(kernel_name="python3", config=book.KERNEL)
    manager.start_kernel(cwd=str(root), env=environment)
    try:
        for name in book.chapters(root):
            if name in UNTOUCHED:
                shutil.copy(book.source(root, name), executed_at(root, name))
            else:
                execute_chapter(root, name, manager)
    finally:
        manager.shutdown_kernel(now=True)


def execute_chapter(root, name, manager):
    notebook = nbformat.read(book.source(root, name), as_version=4)
    at = next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    given = parameters.typed(book.source(root, name), {"edition_name": "some"})
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(f"globals().update({given!r})"))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FRESH))
    try:
        NotebookClient(notebook, km=manager, timeout=120).execute(reset_kc=True, cleanup_kc=False)
    except CellExecutionError as problem:
        pytest.fail(f"{name}: {problem}")
    nbformat.write(notebook, executed_at(root, name))


def executed_at(root, name):
    path = root / "_build/executed" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_every_page_is_built_without_a_warning(executed):
    site.compile(executed)


def test_what_is_missing_is_said_where_it_is_missed(executed):
    """A table or a figure without a value names what is missing; so does a page whose sentences have gaps."""
    for name in book.chapters(executed):
        if name in UNTOUCHED:
            continue
        page = nbformat.read(executed_at(executed, name), as_version=4)
        shown = [text for cell in page.cells for text in outputs(cell)]
        for text in shown:
            if is_hollow(text):
                assert re.search("[Nn]ot available|None yet|not testable|Not measured", text), (name, text)


def outputs(cell):
    """What a code cell displays as Markdown."""
    return [output.data["text/markdown"] for output in cell.get("outputs", []) if "text/markdown" in output.get("data", {})]


def is_hollow(text):
    """A table without a single cell of its own, the paper's numbers left out of account."""
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    ours = [row for row in rows[2:] if row[0].strip() != "paper"]
    return text.startswith("```{table}") and not any(re.search(r"\w", cell) for row in ours for cell in row[1:])
