"""Where the book is, and which chapters it has: what can be said before anything is loaded."""

from difflib import get_close_matches
from pathlib import Path

import yaml


class NoCheckout(ValueError):
    """There is no book above the working directory, nor where the library was installed from."""


class BookError(ValueError):
    """A wrong chapter or parameter, a failed chapter, a refused page, or another build."""


def root() -> Path:
    """The folder that holds ``_toc.yml`` and ``book/``, from here upwards.

    Failing that, the checkout that ``pip install --editable`` was run in; raises NoCheckout.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise NoCheckout(f"no book found from {here} upwards: go to the folder that holds _toc.yml")


def chapters(root: Path) -> list[str]:
    """The chapters' names in the order of ``_toc.yml``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    listed = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [name for name in [toc["root"], *listed] if (root / f"book/{name}.ipynb").exists()]


def source(root: Path, name: str) -> Path:
    """A chapter's notebook; raises BookError, with the names there are, if it has none."""
    path, book = root / f"book/{name}.ipynb", root / "book"
    if not path.is_file():
        names = [p.relative_to(book).with_suffix("").as_posix() for p in book.rglob("*.ipynb")]
        near = "".join(f"did you mean {name}? " for name in get_close_matches(name, names, 1))
        raise BookError(
            f"there is no chapter {name!r}: {near}choose from {', '.join(sorted(names))}"
        )
    return path
