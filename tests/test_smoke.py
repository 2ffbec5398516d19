"""Chapters of the book in a tiny world of which nothing is recorded: computed, then shown."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
# The claims read what most chapters show. All chapters, and what refers from one to another, are
# the business of `make book`, which takes longer.
TOC = """\
format: jb-book
root: 06-conclusion
parts:
  - chapters: [{file: 02-models-and-data}, {file: A-cost}, {file: beyond/provenance}]
"""
BUILD = """
from crosslingual import book, cli
book.compile = lambda root, edition: root
book.LIBRARY = book.Path.cwd()  # whoever edits the library meanwhile makes no chapter stale
cli.app(["book", "--edition", "smoke"])
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, smoke_encoders):
    root = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "requirements.lock", root)
    shutil.copytree(ROOT / "book", root / "book")
    shutil.copytree(smoke_encoders, root / "_build/smoke")
    (root / "_toc.yml").write_text(TOC)
    return root


def build(root):
    own = {name: value for name, value in os.environ.items() if "CROSSLINGUAL_" not in name}
    command, env = [sys.executable, "-c", BUILD], own | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout + done.stderr


def test_chapters_are_computed_offline_without_a_warning_and_only_once(checkout):
    first, second = build(checkout), build(checkout)
    assert first.count("executed in") == 4 and "models" in first
    assert "executed in" not in second and "models" not in second
    page = (checkout / "_build/executed/smoke/beyond/provenance.ipynb").read_text("utf-8")
    assert "rows of results were computed here; none is recorded." in page
