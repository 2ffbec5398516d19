"""The whole book in a tiny world of which nothing is recorded: computed, then shown."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from browser import CHROMIUM, site_faults
from crosslingual import downloads
from test_downloads import uncovered

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
# In the browser: the front; a chapter with a menu, formulas and exercises; charts.
PAGES = ["index", "03-vocabulary", "beyond/explore"]
BUILD = """
from crosslingual import book, cli
book.LIBRARY = book.Path("book")  # whoever edits the library meanwhile makes no chapter stale
few = "sentences=12; steps=2; permutations=40"  # what takes longest, in small
cli.app(["book", "--edition", "smoke", "--parameter", few])
"""


@pytest.fixture
def checkout(tmp_path, smoke_encoders):
    for name in ("requirements.lock", "_toc.yml", "_config.yml"):
        shutil.copy(ROOT / name, tmp_path)
    left_out = shutil.ignore_patterns("recorded")
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=left_out)
    shutil.copytree(smoke_encoders, tmp_path / "_build/smoke")
    return tmp_path


def build(root):
    own = {name: value for name, value in os.environ.items() if "CROSSLINGUAL_" not in name}
    command, env = [sys.executable, "-c", BUILD], own | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout + done.stderr


def test_the_book_is_computed_offline_without_a_warning_and_only_once(checkout):
    first, second = build(checkout), build(checkout)
    chapters = list((checkout / "book").rglob("*.ipynb"))
    assert first.count("executed in") == len(chapters) and "models" in first
    assert "executed in" not in second and "models" not in second
    page = (checkout / "_build/executed/smoke/beyond/provenance.ipynb").read_text("utf-8")
    assert re.search(r"Of the [\d,]+ rows of results 0 came recorded with the book", page)
    files = downloads.carried(checkout / "_build/executed/smoke").set_index("file")
    assert {"table-1.tex", "table-2.runs.csv", "figure-1.svg", "columns.csv"} <= set(files.index)
    for name, row in files[files.index.str.endswith(".csv")].iterrows():
        frame = pd.read_csv(io.StringIO(row.content), keep_default_na=False, na_values=[""])
        assert set(frame) <= set(downloads.COLUMNS.index), name
        # Of the chapters of the paper; what is beyond has texts with versions of things in them.
        if "column" in frame and not row.chapter.startswith("beyond/"):
            assert not uncovered(frame[frame.column != "Beside it"]), name  # which is prose
    if CHROMIUM:
        pages = [f"{page}.html" for page in PAGES]
        site = checkout / "_build/html/smoke"
        assert site_faults(checkout / "_build/profile", site, pages) == {}
