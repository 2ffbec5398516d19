"""How results stand on a page: numbered tables and figures, numbers with intervals, phrases.

The site build takes the MyST form of what a cell returns, a live notebook its HTML form.
"""

import base64
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import ipywidgets
import matplotlib.figure
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Markdown
from markdown_it import MarkdownIt
from matplotlib.axes import Axes
from myst_nb import glue
from PIL import Image
from scipy.optimize import isotonic_regression

from crosslingual import downloads, stats
from crosslingual.claims import Edition
from crosslingual.downloads import Cell, joined
from crosslingual.languages import facts
from crosslingual.stats import valued

PATTERN = "Artificial languages: compare the pattern with the paper, not the values."
SPREAD = (
    "±: half the 95% interval over seeds (t) and test sentences (bootstrap), given one encoder; "
    "below it, in some tables, the interval over languages."
)
JUDGED = (
    "In brackets: 95% interval over seeds and test sentences, by which the rule judges where it "
    "does not say: over languages. Printed numbers are judged by their value alone."
)
FOLD = '<details class="signature"><summary>What exactly the scores are</summary>'
MISSING, NOTHING = "–", "not available"
NEAR = 4  # points: a score of ours that is called near the paper's
VERDICTS = {"supported": "✔", "contradicted": "✘", "undecided": "?", "not testable": MISSING}
# Okabe and Ito's hues, darkened until text in them reads on white.
COLOURS = {"m-bert": "#0067A3", "en-bert": "#B34700"}
CYCLE = ["#0067A3", "#B34700", "#00704F", "#8A3B78", "#6B5B00"]
WIDTH = 5.0  # inches; at 360 pixels a 10-point letter is still 10 pixels high
DPI = 200
LETTER, LINE = 10.0, 1.3  # points a line's name is high; distance of two lines of text, in letters
ROLES = ("train", "evaluate", "language", "source", "target")  # columns that name corpora
# What Markdown or HTML would read in a text that is not ours.
MARKUP = {ord(mark): f"&#{ord(mark)};" for mark in "<>&`$|{}[]*_\\"}


# ---- Tables ----


@dataclass(frozen=True)
class Table:
    """A numbered table of Markdown cells; columns of ``text`` are left-aligned, as the first is.

    A cell may have several lines: what is found, and below it the paper's. Notes in backquotes are
    signatures, folded away.
    """

    caption: str
    name: str
    header: list[str]
    rows: list[list[str]]
    notes: tuple[str, ...] = ()
    text: bool = False
    runs: pd.DataFrame | None = None  # of a table of the paper: what its numbers were made from

    def grid(self) -> str:
        """The bare Markdown table."""
        rule = [":--"] + [":--" if self.text else "--:"] * (len(self.header) - 1)
        escape = {ord("|"): r"\|", ord("\n"): "<br>"}
        lines = [[cell.translate(escape) for cell in line] for line in (self.header, *self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])

    def below(self) -> str:
        """The notes in paragraphs, signatures folded away at their end."""
        signatures = [note for note in self.notes if note.startswith("`")]
        told = [note for note in self.notes if note not in signatures]
        return "\n\n".join([*told, FOLD, *signatures, "</details>"] if signatures else told)

    def markdown(self) -> str:
        """MyST source of the numbered table and of its notes."""
        options = f":name: {self.name}\n:class: {'prose' if self.text else 'compact'}"
        table = f"```{{table}} {self.caption}\n{options}\n\n{self.grid()}\n```\n"
        notes = f"\n```{{container}} table-notes\n{self.below()}\n```\n"
        origin = f"{{ref}}`where each number comes from <origin-{self.name}>`"
        whence = origin * (self.runs is not None)
        below = notes * bool(self.notes) + downloads.links(self.files(), whence)
        return indexed(self.name) + table + below

    def files(self) -> dict[str, str]:
        """What a reader takes along: cells as CSV, the table as LaTeX, perhaps runs; by name."""
        cells, caption = downloads.tidy(self.header, self.rows), downloads.plain(self.caption)
        files = {"csv": cells.to_csv(index=False)}
        files["tex"] = downloads.latex(caption, self.name, self.header, self.rows, self.text)
        if self.runs is not None:
            files["runs.csv"] = self.runs.to_csv(index=False)
        return {f"{self.name}.{ending}": content for ending, content in files.items()}

    def html(self) -> str:
        """HTML for a live notebook and for ``gallery``."""
        parts = [f"**{self.caption}**", self.grid(), self.below()]
        return MarkdownIt().enable("table").render("\n\n".join(parts))

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        forms = {"markdown": self.markdown(), "html": self.html(), "plain": self.grid()}
        held = downloads.held(self.caption, self.files())
        return {f"text/{form}": text for form, text in forms.items()}, held


def table(
    about: str,
    name: str,
    header: list[str],
    rows: list[list[str]],
    edition: Edition,
    *frames: pd.DataFrame,
    notes: Iterable[str] = (),
    text: bool = False,
) -> Table:
    """A table ``about`` something (no full stop); below it ``notes`` and what its frames tell."""
    told = [*notes, *_told(edition, *frames), *map(signature, frames)]
    told += ["This edition has nothing of it."] * (not rows)
    notes = tuple(filter(None, dict.fromkeys(told)))
    rows = rows or [[NOTHING, *[""] * len(header[1:])]]
    known = valued(pd.concat(frames)) if name.startswith("table-") else ()
    runs = downloads.runs(known) if len(known) else None
    return Table(f"{about}. {_whose(edition)}", name, header, rows, notes, text, runs)


def literal(text: str) -> str:
    """A text that may be anybody's, in one line, as Markdown that shows it as it is.

    Code between backquotes stays, as commands in our errors do: nothing in it is read.
    """
    line = " ".join(str(text).split())
    parts = re.split(r"((?<!`)`[^`]+`(?!`))", line)  # every second one is code
    parts[::2] = [part.translate(MARKUP) for part in parts[::2]]
    # Nothing but a letter or digit begins a paragraph, lest that be a list, a fence or a comment.
    return re.sub(r"^(?:[^\w&]|\d(?=\d*[.)] ))", lambda mark: f"&#{ord(mark[0])};", "".join(parts))


def fenced(text: str) -> Markdown:
    """YAML that may be anybody's as a block of code, which no line of it can end."""
    fence = "`" * (3 + max(map(len, re.findall("`+", text)), default=0))
    return Markdown(f"{fence}yaml\n{text}\n{fence}")


def listed(frame: pd.DataFrame, caption: str, name: str) -> Table:
    """A frame of texts as it is, a row a row; underscores in its columns' names become spaces."""
    header = [column.replace("_", " ") for column in frame]
    rows = [list(map(literal, row)) for row in frame.to_numpy()]
    return Table(caption, name, header, rows, () if rows else ("None yet.",), text=True)


def label(code: str) -> str:
    """How tables name a corpus: EN, PT-BR, NB and NN for the Norwegians, or its own name."""
    short = {"no_bokmaal": "nb", "no_nynorsk": "nn"}.get(code, code)
    return short.replace("_", "-").upper() if code in facts() else code


def number(value: float, decimals: int = 1, sign: str = "") -> str:
    """A number with a true minus; a dash if there is none."""
    text = MISSING if np.isnan(value) else f"{value:{sign}.{decimals}f}".replace("-", "−")
    return Cell(text, value=float(value))


def signed(value: float) -> str:
    return number(value, sign="+")


def bounds(interval: stats.Estimate | stats.Interval, decimals: int = 1) -> str:
    """ "79.3 to 79.5"; a dash where it is not known."""
    if np.isnan(interval.low):
        return MISSING
    ends = {name: number(getattr(interval, name), decimals) for name in ("low", "high")}
    return joined("{low} to {high}", **ends)


def give_or_take(estimate: stats.Estimate, decimals: int = 1) -> str:
    """ "87.4 ± 0.5", a value with half of its interval; without what is not known."""
    half = (estimate.high - estimate.low) / 2
    text = number(estimate.value, decimals) + f" ± {number(half, decimals)}" * bool(half > 0)
    return Cell(text, **dict(zip(("value", "low", "high"), estimate)), half=half)


def stacked(first: str, *below: str) -> str:
    """A cell of lines, the first of them bold where there is more than one."""
    return joined("\n".join(["**{}**"] + ["{}"] * len(below)), first, *below) if below else first


def both_bounds(estimate: stats.Estimate, decimals: int = 1) -> str:
    """ "79.3 to 79.5; over languages 75.0 to 83.8"; the second where it is known."""
    within = bounds(estimate, decimals)
    if np.isnan(estimate.over.low):
        return within
    return joined("{}; over languages {over}", within, over=bounds(estimate.over, decimals))


def p_value(p: float, permutations: int = stats.PERMUTATIONS) -> str:
    """ "= 0.071"; "≤ 0.001" at the floor that the number of permutations sets; "= –" for NaN."""
    floor = 1 / (permutations + 1)
    told = f"≤ {np.ceil(1000 * floor) / 1000:.3f}" if p <= floor else f"= {number(p, 3)}"
    return Cell(told, p=p)


def cell(runs: pd.DataFrame, *below: str) -> str:
    """The mean of some runs of one cell, with its spread, and lines below it."""
    if valued(runs).empty:
        return stacked(MISSING, *below)
    mean = give_or_take(stats.estimate(stats.draws(runs).iloc[0]))
    scores = valued(runs).score
    return stacked(Cell(mean, **mean.values, sd=scores.std(), seeds=len(scores)), *below)


def beside(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    edition: Edition,
    name: str,
    languages: Sequence[str] | None = None,
) -> Table:
    """Scores of one encoder over the paper's: fine-tuning languages by evaluation languages.

    Without ``languages``, what the paper leaves empty stays empty.
    """
    there = {*frame.train, *frame.evaluate}
    codes = [c for c in published if c in there] if languages is None else languages
    digits = 1 if published.round(1).equals(published) else 2  # as the paper prints: Table 4 has 1
    rows = []
    for train, printed in published.reindex(index=codes, columns=codes).iterrows():
        row = [f"**{label(train)}**"]
        for code, value in printed.items():
            runs = frame[(frame.train == train) & (frame.evaluate == code)]
            told = joined("paper {paper}", paper=number(value, digits))
            paper = [told] * (not np.isnan(value))
            row.append(cell(runs, *paper) if paper or languages is not None else "")
        rows.append(row)
    about, header = titled(published, edition), ["fine-tuned on", *map(label, codes)]
    return table(about, name, header, rows, edition, frame)


def titled(published: pd.DataFrame, edition: Edition) -> str:
    """A table's caption with the encoder that was used in the place of the paper's, if another."""
    caption, role = published.attrs["caption"], published.attrs["encoder"]
    title, paper = edition.encoder_title(role), role.upper()
    beside = f"{title} beside the paper's {paper}"
    return caption if title == paper else caption.replace(paper, beside)


def systems(
    ours: Mapping[str, pd.DataFrame], published: pd.DataFrame, edition: Edition, name: str
) -> Table:
    """Tables 3 and 6: the paper's systems as printed, then ``ours``, scores by the row's title."""
    rows = []
    for index, values in published.iterrows():
        title = " · ".join(index) if isinstance(index, tuple) else index
        title += ", paper" * title.endswith("BERT")  # as our systems are named alike
        rows.append([title, *(number(value, 2) for value in values)])
    for title, frame in ((title, frame) for title, frame in ours.items() if len(valued(frame))):
        cells = [cell(frame[frame.evaluate == code]) for code in published]
        rows.append([f"**{title}, run here**", *cells])
    about, header = published.attrs["caption"], ["system", *map(label, published)]
    every = pd.concat(ours.values(), ignore_index=True)
    return table(about, name, header, rows, edition, every)


def ledger_table(
    ledger: pd.DataFrame,
    edition: Edition,
    name: str,
    others: Mapping[str, pd.DataFrame] | None = None,
) -> Table:
    """Claims judged on the paper's numbers, the edition's and those of ``others``, by name."""
    rows, others, lacking = [], others or {}, {}
    for row in ledger.itertuples():
        claim = f"{row.title} ([{row.section}](#{row.shown}))"
        paper = verdict(row.paper_verdict, row.paper_value, row.unit)
        same = [one.loc[row.Index, ["verdict", "value", "unit"]] for one in others.values()]
        beside = [verdict(*one) for one in same]
        rows.append([claim, paper, _ours(row), *beside])
        lacking.setdefault(literal(row.note), []).append(row.title)
    told = {edition.name: ledger, **others}
    tallies = "; ".join(f"{whose}: {tally(one)}" for whose, one in told.items())
    why = [f"Not testable: {quoted(named)}: {note}." for note, named in lacking.items() if note]
    about, header = "The paper's claims, judged by rules", ["Claim (section)", "Paper", *told]
    return table(about, name, header, rows, edition, notes=[f"{tallies}.", JUDGED, *why], text=True)


def _ours(row) -> str:
    """What becomes of a claim: verdict and rule, value in its unit with its intervals."""
    digits, over = decimals(row.unit), stats.Interval(row.over_low, row.over_high)
    lines = [Cell(f"{verdict(row.verdict)} (rule: {row.rule})", threshold=row.threshold)]
    if not np.isnan(row.value):
        shown = number(row.value, digits), bounds(row, digits)
        p = [] if np.isnan(row.p) else [p_value(row.p)]
        lines.append(joined(f"{row.unit} {{}} ({{}})" + ", p {}" * len(p), *shown, *p))
    if not np.isnan(over.low):
        differs = f": {row.over}" * (not row.note and row.over != row.verdict)
        lines.append(joined(f"over languages {{over}}{differs}", over=bounds(over, digits)))
    return joined("\n".join(["{}"] * len(lines)), *lines)


def decimals(unit: str) -> int:
    """Of claims' statistics: points have one, correlations and slopes two."""
    return 2 if unit in ("rank correlation", "slope") else 1


def tally(ledger: pd.DataFrame) -> str:
    """How many claims have which verdict: "12 supported, 3 undecided"."""
    counts = ledger.verdict.value_counts()
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)


def verdict(verdict: str, value: float = np.nan, unit: str = "") -> str:
    """Verdict with its sign, which stay together, and below it the value."""
    told = f"{VERDICTS[verdict]}\N{NO-BREAK SPACE}{verdict}"
    return told if np.isnan(value) else joined("{}\n{}", told, number(value, decimals(unit)))


def _whose(edition: Edition) -> str:
    return f"Edition: {edition.name}{', artificial languages' * edition.artificial}."


def page(edition: Edition, *frames: pd.DataFrame) -> str:
    """What a page says once: its edition, how to read it, whether results were computed here."""
    told = [f"Edition: {edition.title}.", PATTERN * edition.artificial, origin(*frames), SPREAD]
    return " ".join(filter(None, [*told, one_seed(edition, *frames)]))


def one_seed(edition: Edition, *frames: pd.DataFrame) -> str:
    """The sentence on encoders of which some languages have one seed where others have more."""
    about, found = ["task", "encoder", "train", "seed"], []
    runs = [valued(frame)[about] for frame in frames if {*about} <= {*frame}]
    for (task, encoder), of in pd.concat(runs or [pd.DataFrame(columns=about)]).groupby(about[:2]):
        seeds = of.groupby("train").seed.nunique()
        if len(alone := seeds[seeds == 1]) and seeds.max() > 1:
            title = edition.encoder_title(encoder)
            found.append(f"{title} on {len(alone)} of {len(seeds)} corpora ({task})")
    start = "With one seed, so that an average over them has an interval over test sentences alone"
    return f"{start}: {listing(found)}." if found else ""


def _told(edition: Edition, *frames: pd.DataFrame) -> list[str]:
    """What a reader of these results has to know, a sentence each, some of them empty."""
    told = []
    for frame in frames:
        notes = map(literal, dict.fromkeys(frame.get("note", ())))
        told += [in_place(frame, edition), *lacking(frame), *notes]
    return told


def in_place(frame: pd.DataFrame, edition: Edition) -> str:
    """The sentence that names what stands in for the corpora of Tables 1, 3 and 7, if anything."""
    others = edition.substitutes if "ner" in set(frame.get("task", ())) else {}
    named = "; ".join(f"{label(code)}: {corpus}" for code, corpus in others.items())
    start = "Not the paper's corpora, so that values do not compare with its own"
    return f"{start}: {named}." if named else ""


def origin(*frames: pd.DataFrame) -> str:
    """A sentence where results were not computed on this machine; empty where all were."""
    recorded = [made == "recorded" for frame in frames for made in valued(frame).get("origin", ())]
    start = "Recorded" if all(recorded) else "In part recorded"
    return f"{start} results, not computed here." if any(recorded) else ""


def lacking(frame: pd.DataFrame) -> list[str]:
    """A sentence for each reason why rows have no value, with the corpora that lack for it."""
    reasons = frame.get("reason", pd.Series(dtype=str))
    told = {reason: _without(frame, reasons == reason) for reason in dict.fromkeys(reasons)}
    return [f"Not available: {told[why]}{literal(why).rstrip('.')}." for why in told if why]


def _without(frame: pd.DataFrame, lacks: pd.Series) -> str:
    """The corpora of which, in some role, every row lacks: "DE, NL: "; "" if these are all."""
    whole = [lacks.groupby(frame[role], sort=False).all() for role in ROLES if role in frame]
    every = pd.concat(whole or [lacks[:0]])
    codes = dict.fromkeys(every.index[every])
    if "seed" in frame and not codes:  # no corpus lacks wholly, but perhaps some model
        model = [frame[name] for name in ("train", "seed", "task", "encoder")]
        gone = lacks.groupby(model, sort=False).all().loc[lambda whole: whole].index
        seeds = gone.to_frame(index=False).drop_duplicates(["train", "seed"])
        by = seeds.groupby("train", sort=False).seed
        named = [f"{label(train)} (seed {', '.join(map(str, some))})" for train, some in by]
        return ", ".join(named) + ": " * bool(named)
    return f"{', '.join(map(label, codes))}: " if 0 < len(codes) < every.index.nunique() else ""


def signature(frame: pd.DataFrame) -> str:
    """What scores are, in one line: metric, task, edition, encoder, recipe, seeds, versions.

    Empty for frames of anything but scores, and for baselines, which have no recipe. Models that
    differ in their seeds alone are one signature, "seeds 1,2,3 or 1".
    """
    if not {"made_from", "task", "seed"} <= set(frame):
        return ""
    seeds: dict[tuple[str, str], dict[str, set[int]]] = {}
    runs = valued(frame).drop_duplicates(["task", "edition", "encoder", "train", "seed"])
    for row in runs.itertuples():
        if recipe := (made := json.loads(row.made_from)).get("recipe"):
            metric = "F1 conlleval over words, IOB2" if row.task == "ner" else "accuracy over words"
            start = f"{metric}, first piece with text | {row.task} | edition {row.edition} | "
            start += f"{row.encoder} {made.get('encoder', '')[:8]} | {recipe}"
            by_corpus = seeds.setdefault((start, made.get("versions", "")), {})
            by_corpus.setdefault(row.train, set()).add(row.seed)
    told = []
    for (start, versions), by_corpus in seeds.items():
        lists = dict.fromkeys(",".join(map(str, sorted(some))) for some in by_corpus.values())
        told.append(f"{start} | seeds {' or '.join(lists)} | {versions}".replace("`", "'"))
    return f"`{'; '.join(told)}`" if told else ""


def indexed(name: str) -> str:
    """MyST by which the site's search finds the paper's "Table 5b" or "Figure 1" by its name."""
    of_paper = re.fullmatch(r"(?:table|figure)-\d[a-z]?", name)
    return f"```{{index}} ! {name.replace('-', ' ').capitalize()}\n```\n\n" if of_paper else ""


# ---- Figures ----


@dataclass(frozen=True)
class Figure:
    """A drawn figure: label, caption, text for who cannot see it; a wide one scrolls on a phone."""

    drawing: matplotlib.figure.Figure
    name: str
    caption: str
    alt: str
    wide: bool = False
    data: pd.DataFrame | None = None  # what is drawn

    @cached_property
    def png(self) -> bytes:
        """The drawing at twice a page's resolution, in 256 colours to keep it small."""
        raw, small = io.BytesIO(), io.BytesIO()
        self.drawing.savefig(raw, format="png", dpi=DPI)
        image = Image.open(raw).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        image.save(small, "png", optimize=True)
        return small.getvalue()

    @cached_property
    def files(self) -> dict[str, str]:
        """What a reader takes along: PNG (in base 64), SVG and the data behind it; by name."""
        drawn, data = io.StringIO(), pd.DataFrame() if self.data is None else self.data
        with matplotlib.rc_context({"svg.hashsalt": self.name}):  # the same file every time
            self.drawing.savefig(drawn, format="svg", metadata={"Date": None})
        files = {"png": base64.b64encode(self.png).decode(), "svg": drawn.getvalue()}
        files |= {"data.csv": downloads.documented(data).to_csv(index=False)} if len(data) else {}
        return {f"{self.name}.{ending}": content for ending, content in files.items()}

    def html(self) -> str:
        """HTML for a live notebook and for ``gallery``."""
        alt, text = html.escape(self.alt, quote=True), html.escape(self.caption)
        source = f"data:image/png;base64,{base64.b64encode(self.png).decode()}"
        image = f'<img src="{source}" alt="{alt}" style="width: 100%; max-width: 600px">'
        return f"<figure>{image}<figcaption>{text}</figcaption></figure>"

    def markdown(self) -> str:
        """MyST source of the numbered figure, whose image `downloads.unpack` writes."""
        options = f":name: {self.name}\n:alt: {self.alt}\n:class: plot"
        options += "\n:figclass: wide" * self.wide
        start = f"```{{figure}} /{downloads.FOLDER}/{self.name}.png\n{options}"
        image = f"{start}\n\n{self.caption}\n```\n"
        return indexed(self.name) + image + downloads.links(self.files)

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        forms = {"text/markdown": self.markdown(), "text/html": self.html(), "text/plain": self.alt}
        return forms, downloads.held(self.caption, self.files)


def figure(
    drawing: matplotlib.figure.Figure,
    name: str,
    about: str,
    alt: str,
    edition: Edition,
    *frames: pd.DataFrame,
    wide: bool = False,
    data: pd.DataFrame | None = None,
) -> Figure:
    """A figure whose caption goes on with its edition and with what its frames have to tell.

    data: what is drawn, with columns of ``data/columns.csv``; by default the values of its frames.
    """
    told = [about, _whose(edition), *_told(edition, *frames)]
    if data is None and frames:
        data = valued(pd.concat(frames, ignore_index=True))
    return Figure(drawing, name, " ".join(filter(None, dict.fromkeys(told))), alt, wide, data)


def absent(name: str, edition: Edition, *frames: pd.DataFrame) -> Figure:
    """Stands in for a figure without data: numbered like it, and saying what is missing."""
    (drawing, (panel,)), why = canvas(0.8), "Not available in this edition."
    panel.set_axis_off()
    panel.text(0.5, 0.5, why, ha="center", va="center")
    return figure(drawing, name, why, why, edition, *frames)


def canvas(
    height: float, rows: int = 1, share: bool = True, columns: int = 1
) -> tuple[matplotlib.figure.Figure, Sequence[Axes]]:
    """An empty drawing of the book's width, its height in inches, and its panels row by row."""
    spines = {"axes.spines.top": False, "axes.spines.right": False, "grid.color": "#e4e4e4"}
    with sns.axes_style("whitegrid", spines), sns.plotting_context("paper", font_scale=1.15):
        drawing = matplotlib.figure.Figure(figsize=(WIDTH, height), layout="constrained")
        panels = drawing.subplots(rows, columns, sharex=share, sharey=share, squeeze=False).ravel()
    return drawing, panels


class Gallery(ipywidgets.VBox):
    """Pages by a menu; on paper, where nothing can be chosen, Markdown stands for them."""

    printed = ""

    def _repr_mimebundle_(self, **options) -> dict:
        on_paper = {"text/markdown": self.printed} if self.printed else {}
        return super()._repr_mimebundle_(**options) | on_paper


def gallery(views: Mapping[str, Figure | Table]) -> Gallery:
    """A drop-down that switches between figures or tables, also without a kernel.

    A first table is printed. A first figure is not, which stands beside. The others are named.
    """
    choice = ipywidgets.Dropdown(options=list(views), description="Show")
    pages = [ipywidgets.HTML(view.html()) for view in views.values()]
    stack = ipywidgets.Stack(pages, selected_index=0)
    ipywidgets.jslink((choice, "index"), (stack, "selected_index"))
    box, (first, *others) = Gallery([choice, stack]), views
    box.printed = f"(On the site, too: {', '.join(others)}.)" * bool(others)
    if isinstance(table := views[first], Table):
        box.printed = f"{table.caption} {box.printed}\n\n{table.grid()}"
    return box


def heatmap(
    frame: pd.DataFrame, group: Callable[[str], str | None], edition: Edition, name: str
) -> Figure:
    """Scores of one encoder as colours; white lines part groups, languages in none come last."""
    runs = valued(frame)
    if runs.empty:
        return absent(name, edition, frame)
    both = set(runs.train) & set(runs.evaluate)
    codes = sorted(both, key=lambda code: (group(code) or "~", label(code)))
    means = stats.means(runs).unstack().loc[codes, codes]
    groups = np.array([group(code) or "other" for code in codes])
    drawing, (panel,) = canvas(6.2)
    _coloured(panel, means.rename(index=label, columns=label))
    _part_groups(panel, groups)
    same, grouped = np.equal.outer(groups, groups), groups != "other"
    pairs = np.logical_and.outer(grouped, grouped) & ~np.eye(len(codes), dtype=bool)
    within, between = (number(means.where(pairs & kind).stack().mean()) for kind in (same, ~same))
    read = f"Mean of zero-shot pairs within a group {within}, between groups {between}"
    read += ", “other” left out" * bool(~grouped.all())
    encoders = ", ".join(map(edition.encoder_title, dict.fromkeys(runs.encoder)))
    text = f"All language pairs, {encoders}; groups: {', '.join(dict.fromkeys(groups))}. {read}."
    alt, wide = f"Heat map, {len(codes)} languages. {read}.", len(codes) > 20
    return figure(drawing, name, text, alt, edition, frame, wide=wide)


def _coloured(panel: Axes, means: pd.DataFrame) -> None:
    bar = {"shrink": 0.6, "label": "score", "location": "bottom", "aspect": 30}
    style = {"cmap": "cividis", "vmin": 0, "vmax": 100, "square": True, "cbar_kws": bar}
    sns.heatmap(means, ax=panel, xticklabels=True, yticklabels=True, **style)
    panel.tick_params(labelsize=min(9, 230 / len(means)), length=0, rotation=0)
    panel.tick_params(axis="x", rotation=90)
    panel.set(xlabel="evaluated on", ylabel="fine-tuned on")


def _part_groups(panel: Axes, groups: Sequence[str]) -> None:
    slanted = {"rotation": 40, "ha": "left"} if len(set(groups)) > 4 else {"ha": "center"}
    start = 0
    for key, members in groupby(groups):
        for line in (panel.axhline, panel.axvline):
            line(start, color="white", linewidth=1.5)
        end = start + len(list(members))
        panel.text((start + end) / 2, -0.4, key, va="bottom", fontsize=8, **slanted)
        start = end


def end_labels(panel: Axes, labels: Mapping[str, tuple[float, float, str]]) -> None:
    """Write lines' names right of their ends: {name: (x, y, colour)}. Set the limits before.

    Names do not touch; where one had to be moved, fine leaders join them to their ends.
    """
    panel.figure.draw_without_rendering()
    low, high = panel.get_ylim()
    unit = panel.get_window_extent().height * 72 / panel.figure.dpi / (high - low)
    rows = 1 + max(name.count("\n") for name in labels)
    ends = np.array([y for _, y, _ in labels.values()])
    shifts = unit * (spread_apart(ends, LINE * LETTER * rows / unit, low, high) - ends)
    apart = bool((abs(shifts) > LETTER / 2).any())
    leader = {"arrowstyle": "-", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)}
    style = {"va": "center", "fontsize": LETTER, "fontweight": "bold", "annotation_clip": False}
    for (name, (x, y, colour)), shift in zip(labels.items(), shifts, strict=True):
        place = {"xytext": (22 if apart else 6, shift), "textcoords": "offset points"}
        line = leader | {"color": colour} if apart else None
        panel.annotate(name, (x, y), color=colour, arrowprops=line, **place, **style)


def spread_apart(values: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """The values moved as little as possible, ``gap`` apart, within ``low`` and ``high``."""
    order, steps = np.argsort(values, kind="stable"), gap * np.arange(len(values))
    moved = isotonic_regression(np.asarray(values, float)[order] - steps).x
    placed = np.empty(len(values))
    placed[order] = np.clip(moved, low, max(low, high - steps[-1])) + steps
    return placed


# ---- Phrases, so that a chapter's text is true whatever the run gives ----


def tell(**phrases: str | float) -> None:
    """Hand phrases to the chapter's text, which takes each by its name; floats get one decimal."""
    for name, phrase in phrases.items():
        shown = number(phrase) if isinstance(phrase, float) else str(phrase)
        glue(name, shown, display=False)


def share(hits: Iterable[bool]) -> str:
    """How many hold: "all 12", "none of the 12", "5 of the 12"."""
    hits = list(map(bool, hits))
    some = f"{sum(hits) or 'none'} of the {len(hits)}"
    return f"all {len(hits)}" if hits and all(hits) else some


def versus(a: float, b: float) -> str:
    """How a compares with b: "above", "below" or "level with"."""
    if np.isnan(a) or np.isnan(b):
        return "not comparable with"
    return "level with" if a == b else "above" if a > b else "below"


def names(edition: Edition) -> dict[str, str]:
    """The encoders that were used, by the names of their phrases: m in M-BERT's place, e."""
    return {"m": edition.encoder_title("m-bert"), "e": edition.encoder_title("en-bert")}


def against(
    ours: pd.Series, paper: pd.Series, edition: Edition, without: Iterable[str] = ()
) -> str:
    """How far zero-shot scores are from the paper's, but for pairs of languages of ``without``."""
    if edition.artificial:
        return "The languages are artificial: patterns compare with the paper's, values do not."
    apart = stats.zero_shot((ours - paper).dropna())
    apart = apart[[not set(pair) & set(without) for pair in apart.index]]
    if apart.empty:
        return "No pair can be compared with the paper's values."
    near, pair = share(apart.abs() <= NEAR), apart.abs().idxmax()
    return (
        f"Within {NEAR} points of the paper's value: {near} zero-shot pairs that can be compared; "
        f"furthest from it: {' to '.join(map(label, pair))} ({signed(apart[pair])})."
    )


def span(values: Iterable[float]) -> str:
    """The lowest and the highest: "12.1 to 80.4"."""
    values = list(values)
    ends = [number(end(values)) for end in (min, max)] if values else [NOTHING]
    return " to ".join(dict.fromkeys(ends))


def lowest(scores: pd.Series) -> str:
    """The lowest of a series indexed by languages or pairs of them: "EN to JA (49.4)"."""
    return _named(scores.astype(float).nsmallest(1))


def highest(scores: pd.Series) -> str:
    return _named(scores.astype(float).nlargest(1))


def _named(one: pd.Series) -> str:
    for key, value in one.items():
        codes = key if isinstance(key, tuple) else (key,)
        return f"{' to '.join(map(label, codes))} ({number(value)})"
    return NOTHING


def quoted(titles: Iterable[str]) -> str:
    """ "“one” and “two”"."""
    return listing(f"“{title}”" for title in titles)


def listing(items: Iterable[str]) -> str:
    """ "one", "one and two", "one, two and three"; "none" for nothing."""
    *most, last = list(items) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last
