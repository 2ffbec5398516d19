"""A Sphinx extension for the book as a PDF: what a page has for screens, made fit for LaTeX.

Its other half is ``book/assets/pdf.sty``: fonts, and how classes of the site's style sheet are set.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NO_FORM = ("<IPython.core.display.HTML object>", "VBox(")  # outputs for screens alone
LINE, LONG = 100, 1500  # letters: in a table's line; in a table that may need several pages
# Words from right to left, with what stands between them and ends the sentence.
WORD = r"[\u0590-\u08ff]"
RIGHT_TO_LEFT = re.compile(rf"({WORD}(?:[\u0590-\u08ff\s\d.,:!?-]*{WORD})?(?:\s*[.!?])?)")


class ForLaTeX(SphinxPostTransform):
    """Folds are opened where they hold a table or a figure; tables get columns that fit a page."""

    builders = ("latex",)
    default_priority = 390  # before sphinx-jupyterbook-latex leaves out what is folded

    def run(self, **_) -> None:
        for cell in self.document.findall(nodes.container):
            shown = [*cell.findall(nodes.table), *cell.findall(nodes.figure)]
            if "tag_hide-cell" in cell["classes"] and shown:
                cell["classes"] = ["cell", "tag_hide-input"]
        for block in list(self.document.findall(nodes.literal_block)):
            if block.astext().startswith(NO_FORM):
                block.parent.remove(block)
        for table in list(self.document.findall(nodes.table)):
            _fit(table)
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, nodes.FixedTextElement):
                _turn(text)


def _turn(text: nodes.Text) -> None:
    """Mark what runs from right to left: every second part."""
    parts = list(map(nodes.Text, RIGHT_TO_LEFT.split(text)))
    parts[1::2] = [_raw(rf"\RL{{{part}}}") for part in parts[1::2]]
    if len(parts) > 1:
        text.parent.replace(text, parts)


def _fit(table: nodes.table) -> None:
    """Columns of numbers keep their lines; those of texts are wrapped where a line is too short."""
    rows = [[*row.findall(nodes.entry)] for row in table.findall(nodes.row)]
    right = ["text-right" in entry["classes"] for entry in rows[0]]
    lines = [[line for cell in column for line in _lines(cell)] for column in zip(*rows)]
    widths = [2 + max(map(len, some)) for some in lines]
    wrapped = not any(right) and sum(widths) > LINE
    for row in rows:
        for entry, number in zip(row, right):
            _break_lines(entry, "r" if number else "" if wrapped else "l")
    columns = "".join("lr"[number] for number in right)
    if wrapped:
        words = [2 + max(map(len, " ".join(some).split())) for some in lines]
        columns = _paragraphs(widths, words)
        table["classes"] += ["longtable"] * (len(table.astext()) > LONG)
    table.parent.insert(table.parent.index(table), addnodes.tabular_col_spec(spec=columns))


def _paragraphs(widths: list[int], words: list[int]) -> str:
    """Columns that share a line: narrow ones have what they need, wide ones a word at least."""
    shares, left = dict.fromkeys(range(len(widths)), 0), LINE
    for rank, column in enumerate(sorted(shares, key=widths.__getitem__)):
        fair = left // (len(widths) - rank)
        shares[column] = max(min(widths[column], fair), words[column])
        left -= shares[column]
    every = sum(shares.values())
    return "".join(
        rf">{{\raggedright\arraybackslash}}\X{{{n}}}{{{every}}}" for n in shares.values()
    )


def _lines(entry: nodes.entry) -> list[str]:
    """A cell's text, parted where HTML breaks its lines."""
    texts = entry.findall(nodes.Text)
    return "".join("\n" if _is_break(text.parent) else text for text in texts).split("\n")


def _is_break(node: nodes.Node) -> bool:
    return isinstance(node, nodes.raw) and node.astext().startswith("<br")


def _break_lines(entry: nodes.entry, side: str) -> None:
    """LaTeX's for HTML's; where a column is not wrapped, to a ``side``."""
    breaks = list(entry.findall(_is_break))
    for one in breaks:
        one.parent.replace(one, _raw(r"\\ " if side else r"\newline "))
    if breaks and side:
        entry[0].insert(0, _raw(rf"\makecell[t{side}]{{"))
        entry[0].append(_raw("}"))


def _raw(code: str) -> nodes.raw:
    return nodes.raw("", code, format="latex")


def setup(app) -> dict:
    """Entry point of the Sphinx extension."""
    app.add_post_transform(ForLaTeX)
    # Of sphinx-jupyterbook-latex neither the numbering, another than the site's, nor the class,
    # which wants fonts of a gigabyte.
    app.connect("builder-inited", lambda app: setattr(app.config, "numfig_secnum_depth", 1), 900)
    app.connect("config-inited", lambda _, config: setattr(config, "latex_theme", "manual"), 900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
