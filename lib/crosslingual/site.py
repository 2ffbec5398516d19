"""The site: executed chapters compiled by jupyter-book, strictly (`-n -W`), into ``_build/html/``.

The site is built beside the old one and put in its place when it is whole; it is built anew only when a page,
the configuration or a file it uses has changed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEY = ".made-from"
STRICT = ["-n", "-W", "--keep-going"]
# Everything in book/ that pages use and that is not executed.
STATIC = ("assets", "images", "references.bib")


class SiteError(ValueError):
    """jupyter-book warned or failed."""


def compile(root: Path) -> Path:
    """Build ``_build/html/`` from ``_build/executed/`` unless it is up to date; return its index page.

    Raises SiteError with jupyter-book's warnings; the site is then left as it was.
    """
    html = root / "_build/html"
    _copy_static(root, root / "_build/executed")
    key = _digest(root)
    if not ((html / KEY).exists() and (html / KEY).read_text() == key):
        for leftover in (root / "_build").glob("site-*"):  # of a killed build
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="site-", dir=root / "_build") as folder:
            built = _jupyter_book(root, root / "_build/executed", root / "_toc.yml", Path(folder), STRICT)
            (built / KEY).write_text(key)
            _swap(built, html, Path(folder) / "old")
    return html / "index.html"


def page(root: Path, notebook: Path) -> Path:
    """Compile one executed chapter into a site of its own beside it; return its page.

    References to other chapters lead nowhere then, which is no error here.
    """
    with tempfile.TemporaryDirectory(prefix="site-", dir=root / "_build") as folder:
        source, toc = Path(folder) / "source", Path(folder) / "_toc.yml"
        source.mkdir()
        _copy_static(root, source)
        shutil.copy2(notebook, source)
        toc.write_text(f"format: jb-book\nroot: {notebook.stem}\n", "utf-8")
        html = notebook.with_suffix("")
        _swap(_jupyter_book(root, source, toc, Path(folder), []), html, Path(folder) / "old")
    return html / f"{notebook.stem}.html"


def _copy_static(root: Path, executed: Path) -> None:
    for name in STATIC:
        source = root / "book" / name
        if source.is_dir():
            shutil.copytree(source, executed / name, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, executed / name)
    for page in (root / "book").rglob("*.md"):
        target = executed / page.relative_to(root / "book")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(page, target)


def _digest(root: Path) -> str:
    executed = sorted(path for path in (root / "_build/executed").rglob("*") if path.is_file())
    total = hashlib.sha256()
    for path in [root / "_config.yml", root / "_toc.yml", *executed]:
        total.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return total.hexdigest()


def _jupyter_book(root: Path, source: Path, toc: Path, folder: Path, options: list[str]) -> Path:
    """Run jupyter-book into ``folder`` and return the folder of pages, or raise SiteError with the warnings."""
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", source,
        "--config", root / "_config.yml", "--toc", toc, "--path-output", folder, *options,
    ]  # fmt: skip
    done = subprocess.run(map(str, command), cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise SiteError(f"jupyter-book refused the site: {_complaints(done.stdout + done.stderr)}")
    return folder / "_build/html"


def _complaints(log: str) -> str:
    """The lines of jupyter-book's log that say what is wrong, without colours; else its last lines."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", log).splitlines()
    wrong = [line for line in lines if re.search(r"WARNING|ERROR|Error\b", line)]
    return "\n  ".join(["", *(wrong[:20] or lines[-10:])])


def _swap(new: Path, place: Path, old: Path) -> None:
    if place.exists():
        os.replace(place, old)
    os.replace(new, place)
