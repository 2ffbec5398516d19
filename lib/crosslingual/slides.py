"""Slides for a lecture: ``book/slides.md`` with numbers, tables and figures of the built book.

There ``{chapter/name}`` stands for what a chapter glued by that name, and ``{name}`` for a table or
a figure, by the name of its files.
"""

import re
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt

from crosslingual import DEFAULT, downloads
from crosslingual.book import BookError, glued

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
<body id="notes">
{slides}
</body>
</html>
"""


def write(root: Path) -> Path:
    """Write ``_build/slides.html``, a file that needs no other; return where it is.

    Raises BookError where no executed chapter has what a slide shows.
    """
    text, path = (root / "book/slides.md").read_text("utf-8"), root / "_build/slides.html"
    try:
        text = text.format_map(_found(root / "_build/executed" / DEFAULT))
    except KeyError as lacking:
        told = f"no executed chapter has {lacking}, which a slide shows: do `make book` first"
        raise BookError(told) from None
    title, *_ = parts = re.split("^##? ", text, flags=re.MULTILINE)[1:]
    slides = [f"<section>\n{MarkdownIt().render(f'## {part}')}</section>" for part in parts]
    style = (root / "book/assets/slides.css").read_text("utf-8")
    title = title.splitlines()[0]
    path.write_text(PAGE.format(title=title, style=style, slides="\n".join(slides)), "utf-8")
    return path


def _found(executed: Path) -> dict[str, str]:
    """What chapters glued, as text, and their tables and figures, as HTML, by name."""
    found = {}
    for path in executed.glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        for name, phrase in glued(notebook).items():
            found[f"{path.stem}/{name}"] = phrase
        for output, _, files in downloads.in_notebook(notebook):
            html = f'<div class="shown">\n{output.data["text/html"]}\n</div>'
            found[min(files).split(".")[0]] = html
    return found
