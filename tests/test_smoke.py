"""Every chapter of the book through papermill and the strict build, in a tiny world."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from external import requests

from crosslingual import book

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = ("_config.yml", "_toc.yml", "requirements.lock", "book")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the checkout in which `crosslingual book --edition smoke` ran, from an empty store."""
    root = tmp_path_factory.mktemp("smoke") / "checkout"
    root.mkdir()
    for name in PAGES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, root / name)
    return root, crosslingual_book(root)


def crosslingual_book(root):
    own = {name: value for name, value in os.environ.items() if not name.startswith("CROSSLINGUAL_")}
    command = [sys.executable, "-m", "crosslingual", "book", "--edition", "smoke"]
    return subprocess.run(command, cwd=root, env=own | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)


def test_the_whole_book_is_built_without_a_warning(built):
    root, done = built
    assert done.returncode == 0, done.stderr[-3000:]
    assert "warning" not in (done.stdout + done.stderr).lower()
    for name in book.chapters(root):
        assert (root / "_build/html" / f"{name}.html").is_file(), name


def test_the_site_asks_nothing_of_the_network(built):
    assert requests(built[0] / "_build/html") == set()


def test_a_second_build_executes_nothing(built):
    done = crosslingual_book(built[0])
    assert done.returncode == 0 and "executed in" not in done.stdout
