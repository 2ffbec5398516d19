"""Tables of the book: ours beside the paper's, numbered, few columns wide so that they fit a phone.

A cell of a chapter returns a ``Table``. The site build takes its MyST form, a numbered ``{table}`` that other
pages can refer to; a live notebook shows its HTML form.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markdown_it import MarkdownIt

from crosslingual import evidence, languages, stats
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition

PATTERN = "Artificial languages: compare the pattern with the paper, not the values."
SPREAD = "±: half the 95% interval, from seeds (t) / from test sentences (bootstrap), given this one encoder."
MISSING = "–"
ENCODERS = {"m-bert": "M-BERT", "en-bert": "EN-BERT"}
VERDICTS = {"supported": "✔", "contradicted": "✘", "undecided": "?", "not testable": MISSING}


@dataclass(frozen=True)
class Table:
    """A numbered table: caption, its label for references, header, rows of Markdown cells, notes below.

    The first column is left-aligned, and so are the others if they hold ``text`` rather than numbers.
    """

    caption: str
    name: str
    header: list[str]
    rows: list[list[str]]
    notes: tuple[str, ...] = ()
    text: bool = False

    def grid(self) -> str:
        """The bare Markdown table."""
        rule = [":--"] + [":--" if self.text else "--:"] * (len(self.header) - 1)
        return "\n".join(
            "| " + " | ".join(map(_escape, row)) + " |" for row in [self.header, rule, *self.rows]
        )

    def markdown(self) -> str:
        """MyST source of the numbered table and of its notes."""
        table = f"```{{table}} {self.caption}\n:name: {self.name}\n:class: compact\n\n{self.grid()}\n```\n"
        notes = "\n\n".join(self.notes)
        return table + (f"\n```{{container}} table-notes\n{notes}\n```\n" if notes else "")

    def html(self) -> str:
        """HTML for a live notebook."""
        render = MarkdownIt().enable("table").render
        return render(f"**{self.caption}**\n\n{self.grid()}\n\n" + "\n\n".join(self.notes))

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.markdown(), "text/html": self.html(), "text/plain": self.grid()}


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")


def label(code: str) -> str:
    """How tables and figures name a corpus: EN, PT-BR, NB and NN for the two Norwegians, or its own name."""
    short = {"no_bokmaal": "nb", "no_nynorsk": "nn"}.get(code, code)
    return short.replace("_", "-").upper() if code in languages.table().index else code


def number(value: float, decimals: int = 1) -> str:
    return MISSING if value is None or np.isnan(value) else f"{value:.{decimals}f}".replace("-", "−")


def signed(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:+.1f}".replace("-", "−")


def beside(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    edition: Edition,
    name: str,
    languages: Sequence[str] | None = None,
) -> Table:
    """A transfer matrix next to the paper's: rows are fine-tuning, columns evaluation languages.

    ``frame`` is what ``transfer.matrix`` returns, for one encoder. Each language has a row of our means over
    seeds, one of their uncertainty, one of the paper's values and, for real data only, one of differences.
    ``languages`` shows other ones than the paper's; without it, what the paper leaves empty stays empty.
    """
    shown = published.notna()
    if languages is not None:
        published = published.reindex(index=languages, columns=languages)
        shown = published.isna() | True
    header = ["", *map(label, published.columns)]
    rows = [
        row
        for train in published.index
        for row in _stacked(frame, published.loc[train], shown.loc[train], train, edition)
    ]
    return Table(_caption(published, edition), name, header, rows, _notes(frame, edition, spread=True))


def _stacked(
    frame: pd.DataFrame, printed: pd.Series, shown: pd.Series, train: str, edition: Edition
) -> list[list[str]]:
    """Rows for our values, their uncertainty, the paper's and (real data only) the difference."""
    cells = {code: frame[(frame.train == train) & (frame.evaluate == code)] for code in printed.index}
    shown = [code for code in printed.index if shown[code]]
    means = {code: cells[code].score.mean() if code in shown else np.nan for code in printed.index}
    spreads = [spread(cells[code]) if code in shown else "" for code in printed.index]
    paper = [number(value, decimals(printed)) for value in printed]
    title = f"**{label(train)}**"
    rows = [[title, *(f"**{number(mean)}**" for mean in means.values())], ["±", *spreads], ["paper", *paper]]
    if not edition.artificial:
        rows.append(["difference", *(signed(means[code] - printed[code]) for code in printed.index)])
    return rows


def spread(runs: pd.DataFrame) -> str:
    """One cell: half-widths "0.4 / 0.6" of the t interval over seeds and of the sentence bootstrap."""
    if runs.empty:
        return MISSING
    over_seeds = stats.t_interval(runs.score)
    sentences = stats.bootstrap_interval(runs.task.iloc[0], np.stack(list(runs.counts)))
    return " / ".join(number((high - low) / 2) for low, high in (over_seeds, sentences))


def decimals(printed: pd.Series) -> int:
    """How many decimals the paper prints: Table 4 has one, the others two."""
    values = printed.dropna().to_numpy()
    return 1 if np.allclose(values, values.round(1)) else 2


def systems(ours: Mapping[str, pd.DataFrame], published: pd.DataFrame, edition: Edition, name: str) -> Table:
    """Tables 3 and 6, whose rows are systems: the paper's rows as printed, then ours.

    ``ours`` maps a row's title to a transfer matrix with one cell per evaluation corpus.
    """
    printed = [[_title(index), *(number(value, 2) for value in row)] for index, row in published.iterrows()]
    added = []
    for title, frame in ours.items():
        cells = [frame[frame.evaluate == code] for code in published.columns]
        added.append([f"**{title}, ours**", *(f"**{number(cell.score.mean())}**" for cell in cells)])
        added.append(["±", *map(spread, cells)])
    rows = [*printed, *added]
    frame = pd.concat(ours.values()) if ours else pd.DataFrame()
    header = ["", *map(label, published.columns)]
    return Table(_caption(published, edition), name, header, rows, _notes(frame, edition, spread=True))


def _title(index) -> str:
    return " · ".join(index) if isinstance(index, tuple) else str(index)


def orders(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    group: Callable[[str], str | None],
    edition: Edition,
    name: str,
) -> Table:
    """Table 5: macro-averaged accuracy between groups of languages, same-language pairs excluded.

    ``group`` puts a language code into a group or into none (``typology.order_group``, ``adjective_group``).
    """
    means = evidence.group_means(stats.draws(frame), group).droplevel("encoder") if len(frame) else frame
    rows = [
        row for train in published.index for row in _order_rows(means, published.loc[train], train, edition)
    ]
    sizes = frame.drop_duplicates("train").train.map(group).value_counts()
    members = ", ".join(f"{sizes.get(key, 0)} {key}" for key in published.index) + " languages."
    notes = (members, "Intervals: hull of seeds (t) and sentences (bootstrap), given this one encoder.")
    header = ["fine-tuned on", *published.columns]
    return Table(_caption(published, edition), name, header, rows, notes + _notes(frame, edition))


def _order_rows(means: pd.DataFrame, printed: pd.Series, train: str, edition: Edition) -> list[list[str]]:
    keys = [(train, evaluate) for evaluate in printed.index]
    ours = [stats.estimate(means.loc[key]) if key in means.index else None for key in keys]
    rows = [
        [f"**{train}**", *(f"**{number(cell.value)}**" if cell else MISSING for cell in ours)],
        ["interval", *(bounds(cell) if cell else MISSING for cell in ours)],
        ["paper", *(number(value, 2) for value in printed)],
    ]
    if not edition.artificial:
        differences = [
            cell.value - value if cell else np.nan for cell, value in zip(ours, printed, strict=True)
        ]
        rows.append(["difference", *map(signed, differences)])
    return rows


def bounds(estimate: stats.Estimate, decimals: int = 1) -> str:
    return f"{number(estimate.low, decimals)} to {number(estimate.high, decimals)}"


def dashboard(ledger: pd.DataFrame, edition: Edition, name: str = "claims") -> Table:
    """The claims with the paper's and our verdicts; ``ledger`` is what ``claims.evaluate`` returns."""
    rows = [
        [f"{row.text} ({row.section})", _verdict(row.paper_verdict, row.paper_value), _ours(row)]
        for row in ledger.itertuples()
    ]
    counts = ledger.verdict.value_counts()
    tally = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)
    notes = (f"Ours: {tally}.", "The paper's numbers have no intervals and are judged by their value alone.")
    caption = f"The paper's claims, judged by rules fixed in advance. Edition: {edition.title}."
    header = ["Claim (section)", "Paper", "Ours"]
    return Table(caption, name, header, rows, notes + _notes(ledger, edition), text=True)


def _verdict(verdict: str, value: float, interval: str = "") -> str:
    shown = "" if np.isnan(value) else f": {number(value, 2)}{interval}"
    return f"{VERDICTS[verdict]} {verdict}{shown}"


def _ours(row) -> str:
    if row.verdict == "not testable":
        return f"{_verdict(row.verdict, np.nan)}: {row.note}"
    interval = f" ({bounds(stats.Estimate(row.value, row.low, row.high), 2)})"
    p = "" if np.isnan(row.p) else f", p = {row.p:.3f}"
    return _verdict(row.verdict, row.value, interval) + p


def rules(ledger: pd.DataFrame, name: str = "claim-rules") -> Table:
    """What is measured for each claim, and the rule that decides it."""
    rows = [[f"`{row.Index}`", f"{row.statistic}: {row.rule}"] for row in ledger.itertuples()]
    caption = "The statistic and the decision rule of each claim."
    return Table(caption, name, ["Claim", "Statistic: rule"], rows, text=True)


def corpora(
    edition: Edition, task: str, codes: Sequence[str] | None = None, name: str | None = None
) -> Table:
    """Sizes of the labelled corpora: sentences to train and test on, words or entities of the test split."""
    codes = edition.languages(task) if codes is None else codes
    unit = "test entities" if task == "ner" else "test words"
    header = ["corpus", "training sentences", "test sentences", unit]
    caption = f"Corpora of the task {task}. Edition: {edition.title}."
    rows = [[label(code), *_sizes(edition, task, code)] for code in codes]
    return Table(caption, name or f"corpora-{task}", header, rows)


def _sizes(edition: Edition, task: str, code: str) -> list[str]:
    try:
        train, test = (edition.corpus(task, code, split) for split in ("train", "test"))
    except CorpusUnavailable as missing:
        return [f"not available: {missing}", MISSING, MISSING]
    return [f"{size:,}" for size in (len(train), len(test), _units(test, task))]


def _units(corpus, task: str) -> int:
    # A B- tag opens every entity, as the readers normalise to IOB2.
    return sum(
        tag.startswith("B-") if task == "ner" else True for labels in corpus["labels"] for tag in labels
    )


def _caption(published: pd.DataFrame, edition: Edition) -> str:
    return f"{published.attrs['caption']}. Edition: {edition.title}."


def _notes(frame: pd.DataFrame, edition: Edition, spread: bool = False) -> tuple[str, ...]:
    """What belongs under every table: meaning of ±, artificiality, what is missing and why, the signature."""
    signature = frame.attrs.get("signature")
    notes = [SPREAD if spread else "", PATTERN if edition.artificial else "", *unavailable(frame)]
    return tuple(filter(None, [*notes, f"`{signature}`" if signature else ""]))


def unavailable(frame: pd.DataFrame) -> list[str]:
    """Sentences for what a frame lacks: what is missing and how to get it."""
    missing = frame.attrs.get("unavailable") or {}
    reasons = missing if isinstance(missing, Mapping) else {"": missing}
    return [
        f"Not available: {label(str(key))}{': ' if key else ''}{reason}" for key, reason in reasons.items()
    ]
