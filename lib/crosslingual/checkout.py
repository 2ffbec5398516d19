"""Where the book lives: the checkout one works in, or the one the library was installed from."""

from pathlib import Path


class NoCheckout(ValueError):
    """There is no book above the working directory, nor where the library was installed from."""


def root(start: Path | None = None) -> Path:
    """Return the folder that holds ``_toc.yml`` and ``book/``, from ``start`` (default: here) upwards.

    Failing that, the checkout that ``pip install --editable`` was run in; raises NoCheckout if there is none.
    """
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[2]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise NoCheckout(f"no book found from {start} upwards: go to a checkout, the folder that holds _toc.yml")
