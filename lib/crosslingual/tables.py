"""Tables of the book: ours beside the paper's, numbered, few columns wide so that they fit a phone.

A cell of a chapter returns a ``Table``. The site build takes its MyST form, a numbered ``{table}`` that other
pages can refer to; a live notebook shows its HTML form.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markdown_it import MarkdownIt

from crosslingual import availability, claims, evidence, languages, published, stats, typology
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition
from crosslingual.emergence import means as means_by_step
from crosslingual.sizes import statistics
from crosslingual.store import RECORDED
from crosslingual.trends import GROUPS, averages
from crosslingual.trends import ahead as leads

if TYPE_CHECKING:
    from crosslingual.trends import Keep, Trend

WORD_SHAPE = (
    "Word shape: a classifier that sees a word's ending, capitals, digits, punctuation and length, and neither the word nor "
    "its context. Majority class: the most frequent tag of the language fine-tuned on."
)
PATTERN = "Artificial languages: compare the pattern with the paper, not the values."
SPREAD = (
    "Bold: ours, mean over seeds. ±: half the 95% interval from seeds (t) / from test sentences (bootstrap), "
    "given this one encoder."
)
FOLD = '<details class="signature"><summary>What exactly the scores are</summary>'
MISSING, NOT_RECORDED = "–", "not recorded"
BESIDE = "Beside it, {0.name}: the edition {0.title}, from kept results."
TOO_FEW = "Not available where the results at hand have fewer than two numbers of common features."
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
        options = f":name: {self.name}\n:class: {'prose' if self.text else 'compact'}"
        table = f"```{{table}} {self.caption}\n{options}\n\n{self.grid()}\n```\n"
        notes = "\n\n".join(self._notes())
        return table + (f"\n```{{container}} table-notes\n{notes}\n```\n" if notes else "")

    def html(self) -> str:
        """HTML for a live notebook."""
        render = MarkdownIt().enable("table").render
        return render(f"**{self.caption}**\n\n{self.grid()}\n\n" + "\n\n".join(self._notes()))

    def _notes(self) -> list[str]:
        """The notes in paragraphs, signatures folded away at their end."""
        signatures = [note for note in self.notes if note.startswith("`")]
        told = [note for note in self.notes if note not in signatures]
        return [*told, FOLD, *signatures, "</details>"] if signatures else told

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


def bold(value: float) -> str:
    return MISSING if np.isnan(value) else f"**{number(value)}**"


def signed(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:+.1f}".replace("-", "−")


def beside(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    edition: Edition,
    name: str,
    languages: Sequence[str] | None = None,
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Table:
    """A transfer matrix next to the paper's: rows are fine-tuning, columns evaluation languages.

    ``frame`` is what ``transfer.matrix`` returns, for one encoder. Each language has a row of our means over
    seeds, one of their uncertainty, one of the paper's values and, for real data only, one of differences; then
    the same of each of the ``others``, editions that are shown beside this one (``grids.beside``).
    ``languages`` shows other ones than the paper's; without it, what the paper leaves empty stays empty.
    """
    caption, shown, digits = _caption(published, edition), published.notna(), decimals(published.stack())
    if languages is not None:
        published = published.reindex(index=languages, columns=languages)
        shown = published.isna() | True
    header = ["", *map(label, published.columns)]
    rows = [
        row
        for train in published.index
        for row in _stacked(frame, published.loc[train], shown.loc[train], train, digits, edition, others)
    ]
    return Table(caption, name, header, rows, _notes(frame, edition, spread=True) + _beside_notes(others))


def _stacked(
    frame: pd.DataFrame, printed: pd.Series, shown: pd.Series, train: str, digits: int, edition: Edition,
    others: Mapping[Edition, pd.DataFrame],
) -> list[list[str]]:  # fmt: skip
    """Rows for our values, their uncertainty, the paper's and (real data only) the difference; then for the others'."""
    title = f"**{label(train)}** {edition.name}" if others else f"**{label(train)}**"
    values, half_widths, *difference = _values(frame, printed, shown, train, edition)
    paper = ["paper", *(number(value, digits) for value in printed)]
    rows = [[title, *map(bold, values)], ["±", *half_widths], paper, *difference]
    for other, theirs in others.items():
        values, half_widths, *difference = _values(theirs, printed, shown, train, other)
        rows.append([other.name, *_recorded(values, shown)])
        rows += [["±", *half_widths], *difference] if not np.isnan(values).all() else []
    return rows


def _values(frame: pd.DataFrame, printed: pd.Series, shown: pd.Series, train: str, edition: Edition) -> tuple:
    """One row's means over seeds, their half-widths and, for real data, the row of differences to the paper's."""
    cells = {code: frame[(frame.train == train) & (frame.evaluate == code)] for code in printed.index}
    means = [cells[code].score.mean() if shown[code] else np.nan for code in printed.index]
    half_widths = [spread(cells[code]) if shown[code] else "" for code in printed.index]
    printed = _comparable(printed, train, edition, frame)
    difference = ["difference", *(signed(mean - value) for mean, value in zip(means, printed, strict=True))]
    return (means, half_widths) if edition.artificial else (means, half_widths, difference)


def _comparable(printed: pd.Series, train: str, edition: Edition, frame: pd.DataFrame) -> pd.Series:
    """The printed values of pairs whose corpora are the paper's; NaN where another one stands in."""
    others = _substitutes(frame, edition)
    return printed.where([train not in others and code not in others for code in printed.index])


def _substitutes(frame: pd.DataFrame, edition: Edition) -> dict[str, str]:
    """{language: corpus} of the corpora that stand in for those that Tables 1, 3 and 7 are about."""
    return availability.substituted(edition) if "ner" in set(frame.get("task", ())) else {}


def _in_place(substitutes: Mapping[str, str]) -> str:
    """The sentence that says so; empty if none does."""
    corpora = "; ".join(f"{label(code)}: {corpus}" for code, corpus in substitutes.items())
    return f"Not the paper's corpora, so that values do not compare with its own: {corpora}." if corpora else ""


def _recorded(values: Sequence[float], shown: Sequence[bool] | None = None) -> list[str]:
    """Cells of an edition that stands beside another: a number, or that it is not recorded."""
    shown = [True] * len(values) if shown is None else shown
    return [(NOT_RECORDED if np.isnan(value) else number(value)) if cell else "" for value, cell in zip(values, shown, strict=True)]


def _beside_notes(others: Mapping[Edition, object]) -> tuple[str, ...]:
    """Which the other editions are, and the signatures of their scores."""
    notes = [BESIDE.format(other) for other in others]
    frames = {other: frame for other, frame in others.items() if isinstance(frame, pd.DataFrame)}
    told = {other.name: _in_place(_substitutes(frame, other)) for other, frame in frames.items()}
    notes += [f"{name}: {sentence}" for name, sentence in told.items() if sentence]
    frames = list(frames.values())
    return tuple(notes + [f"`{frame.attrs['signature']}`" for frame in frames if frame.attrs.get("signature") and len(frame)])


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


def systems(
    ours: Mapping[str, pd.DataFrame], published: pd.DataFrame, edition: Edition, name: str,
    others: Mapping[Edition, Mapping[str, pd.DataFrame]] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """Tables 3 and 6, whose rows are systems: the paper's rows as printed, then ours, then those of other editions.

    ``ours`` maps a row's title to a transfer matrix with one cell per evaluation corpus.
    """
    rows = [[_printed(index), *(number(value, 2) for value in row)] for index, row in published.iterrows()]
    for title, frame in ours.items():
        cells = [frame[frame.evaluate == code] for code in published.columns]
        rows.append([f"**{title}, {edition.name if others else 'ours'}**", *(bold(cell.score.mean()) for cell in cells)])
        rows.append(["±", *map(spread, cells)])
    for other, theirs in others.items():
        for title, frame in theirs.items():
            cells = [frame[frame.evaluate == code] for code in published.columns]
            rows.append([f"{title}, {other.name}", *_recorded([cell.score.mean() for cell in cells])])
            rows += [["±", *map(spread, cells)]] if any(map(len, cells)) else []
    frame = pd.concat(ours.values()) if ours else pd.DataFrame()
    header = ["", *map(label, published.columns)]
    notes = _notes(frame, edition, spread=True) + _beside_notes(others)
    return Table(_caption(published, edition), name, header, rows, notes)


def _printed(index) -> str:
    """The title of a printed row; the paper's own systems are named as its own, as ours bear the same names."""
    title = " · ".join(index) if isinstance(index, tuple) else str(index)
    return f"{title}, paper" if title.endswith("BERT") else title


def orders(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    group: Callable[[str], str | None],
    edition: Edition,
    name: str,
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Table:
    """Table 5: macro-averaged accuracy between groups of languages, same-language pairs excluded.

    ``group`` puts a language code into a group or into none (``typology.order_group``, ``adjective_group``).
    ``others`` are the matrices of editions shown beside this one.
    """
    means = _group_means(frame, group)
    theirs = {other: _group_means(scores, group) for other, scores in others.items()}
    rows = [
        row for train in published.index for row in _order_rows(means, published.loc[train], train, edition, theirs)
    ]
    sizes = frame.drop_duplicates("train").train.map(group).value_counts()
    members = ", ".join(f"{sizes.get(key, 0)} {key}" for key in published.index) + " languages."
    notes = (members, "Intervals: hull of seeds (t) and sentences (bootstrap), given this one encoder.")
    header = ["fine-tuned on", *published.columns]
    return Table(_caption(published, edition), name, header, rows, notes + _notes(frame, edition) + _beside_notes(others))


def memberships(
    frame: pd.DataFrame, groups: Mapping[str, Callable[[str], str | None]], edition: Edition, name: str = "memberships"
) -> Table:
    """Table 5b's means by who counts as AN or NA: ``groups`` gives each reading a title and a function of the code."""
    pairs = [(a, b) for a in ("AN", "NA") for b in ("AN", "NA")]
    rows = []
    for title, group in groups.items():
        means, sizes = _group_means(frame, group), frame.drop_duplicates("train").train.map(group).value_counts()
        values = [stats.estimate(means.loc[pair]).value if pair in means.index else np.nan for pair in pairs]
        rows.append([title, f"{sizes.get('AN', 0)}, {sizes.get('NA', 0)}", *map(number, values)])
    caption = f"Zero-shot accuracy between AN and NA languages, by who is counted among them. Edition: {edition.title}."
    header = ["members", "AN, NA", *(f"{a} to {b}" for a, b in pairs)]
    return Table(caption, name, header, rows, _notes(frame, edition))


def _group_means(frame: pd.DataFrame, group: Callable[[str], str | None]) -> pd.DataFrame:
    return evidence.group_means(stats.draws(frame), group).droplevel("encoder") if len(frame) else frame


def _order_rows(
    means: pd.DataFrame, printed: pd.Series, train: str, edition: Edition, others: Mapping[Edition, pd.DataFrame]
) -> list[list[str]]:
    """Rows of one group to fine-tune on: our means, intervals, the paper's and the difference; then the others'."""
    values, intervals, *difference = _order_values(means, printed, train, edition)
    title = f"**{train}** {edition.name}" if others else f"**{train}**"
    paper = ["paper", *(number(value, 2) for value in printed)]
    rows = [[title, *map(bold, values)], intervals, paper, *difference]
    for other, theirs in others.items():
        values, intervals, *difference = _order_values(theirs, printed, train, other)
        rows.append([other.name, *_recorded(values)])
        rows += [intervals, *difference] if not np.isnan(values).all() else []
    return rows


def _order_values(means: pd.DataFrame, printed: pd.Series, train: str, edition: Edition) -> tuple:
    """Means between groups, the row of their intervals and, for real data, that of differences to the paper's."""
    keys = [(train, evaluate) for evaluate in printed.index]
    ours = [stats.estimate(means.loc[key]) if key in means.index else None for key in keys]
    values = [cell.value if cell else np.nan for cell in ours]
    intervals = ["interval", *(bounds(cell) if cell else MISSING for cell in ours)]
    difference = ["difference", *(signed(value - paper) for value, paper in zip(values, printed, strict=True))]
    return (values, intervals) if edition.artificial else (values, intervals, difference)


def bounds(estimate: stats.Estimate, decimals: int = 1) -> str:
    return f"{number(estimate.low, decimals)} to {number(estimate.high, decimals)}"


def dashboard(
    ledger: pd.DataFrame, edition: Edition, name: str = "claims",
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """The claims with the paper's and our verdicts; ``ledger`` is what ``claims.evaluate`` returns.

    Each of the ``others``, ledgers of editions shown beside this one, has a column of verdicts.
    """
    rows = [
        [f"{row.text} ({row.section}) `{row.Index}`", _verdict(row.paper_verdict, row.paper_value), _ours(row),
         *(_theirs(theirs.loc[row.Index]) for theirs in others.values())]
        for row in ledger.itertuples()
    ]  # fmt: skip
    ours = edition.name if others else "Ours"
    tallies = [f"{ours}: {tally(ledger)}.", *(f"{other.name}: {tally(theirs.loc[ledger.index])}." for other, theirs in others.items())]
    notes = (*tallies, "The paper's numbers have no intervals and are judged by their value alone.")
    caption = f"The paper's claims, judged by rules fixed in advance. Edition: {edition.title}."
    header = ["Claim (section)", "Paper", ours, *(other.name for other in others)]
    return Table(caption, name, header, rows, notes + _notes(ledger, edition) + _beside_notes(dict.fromkeys(others)), text=True)


def tally(ledger: pd.DataFrame) -> str:
    """How many claims have which verdict: "12 supported, 3 undecided"."""
    counts = ledger.verdict.value_counts()
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)


def _theirs(row: pd.Series) -> str:
    return _verdict(row.verdict, row.value)


def _verdict(verdict: str, value: float, interval: str = "") -> str:
    shown = "" if np.isnan(value) else f": {number(value, 2)}{interval}"
    return f"{VERDICTS[verdict]} {verdict}{shown}"


def _ours(row) -> str:
    if row.verdict == "not testable":
        return f"{_verdict(row.verdict, np.nan)}: {row.note}"
    interval = f" ({bounds(stats.Estimate(row.value, row.low, row.high), 2)})"
    p = "" if np.isnan(row.p) else f", p = {row.p:.3f}"
    return _verdict(row.verdict, row.value, interval) + p


def control(ledgers: Mapping[str, pd.DataFrame], edition: Edition, name: str = "control") -> Table:
    """The claims about M-BERT's tagging alone with other taggers in its place; ``claims.by_the_same_rules`` by encoder."""
    shown = {name: found for name, found in ledgers.items() if len(found)}
    texts = {row.Index: row.text for found in shown.values() for row in found.itertuples()}
    rows = [[f"{text} `{claim}`", *(_theirs(found.loc[claim]) if claim in found.index else MISSING for found in shown.values())]
            for claim, text in texts.items()]  # fmt: skip
    caption = f"The claims about M-BERT's tagging, by the same rules, with others in its place. Edition: {edition.title}."
    header = ["Claim", *(ENCODERS.get(encoder, encoder) for encoder in shown)]
    notes = [PATTERN if edition.artificial else "", "" if rows else "Not available: there are no results to put through the rules."]
    return Table(caption, name, header, rows, tuple(filter(None, notes)), text=True)


def rules(ledger: pd.DataFrame, name: str = "claim-rules") -> Table:
    """What is measured for each claim, and the rule that decides it."""
    rows = [[f"`{row.Index}`", f"{row.statistic}: {row.rule}"] for row in ledger.itertuples()]
    caption = "The statistic and the decision rule of each claim."
    return Table(caption, name, ["Claim", "Statistic: rule"], rows, text=True)


def overlap_trends(
    scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition, name: str = "overlap-trends",
    others: Mapping[Edition, tuple[pd.DataFrame, pd.DataFrame]] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """Figure 1 in numbers, M-BERT beside EN-BERT: mean F1 of groups of pairs, and how F1 rises with overlap.

    Frames as for ``figures.overlap_scatter``; ``others`` maps editions shown beside this one to theirs. Slopes are
    points of F1 per percentage point of overlap; p values are from permuting languages.
    """
    encoders = list(dict.fromkeys(scores.encoder))
    columns = _trend_rows(scores, overlaps, encoders)
    beside = {other: _trend_rows(*theirs, encoders) for other, theirs in others.items()}
    rows = []
    for title, cells in columns.items():
        rows.append([title, *cells])
        rows += [[other.name, *theirs.get(title, [NOT_RECORDED] * len(encoders))] for other, theirs in beside.items()]
    caption = f"Zero-shot NER F1 and the overlap of entity word pieces. Edition: {edition.title}."
    notes = ("In brackets: 95% interval over seeds and sentences, given these encoders.",)
    header = ["", *(ENCODERS.get(encoder, encoder) for encoder in encoders)]
    notes += _notes(scores, edition) + _beside_notes(dict.fromkeys(others))
    return Table(caption, name, header, rows, notes, text=True)


def _trend_rows(scores: pd.DataFrame, overlaps: pd.DataFrame, encoders: Sequence[str]) -> dict[str, list[str]]:
    """The cells of each row by its title, a column an encoder; none where nothing is known."""
    if scores.empty or overlaps.empty:
        return {}
    known = evidence.edition_evidence({"ner": scores, "overlap": overlaps})
    rows = {title: [_trend(known, measure, encoder, 1 if title.startswith("F1") else 2) for encoder in encoders]
            for title, measure in TRENDS.items()}  # fmt: skip
    unknown = overlaps.groupby("encoder").unk_share.agg(["mean", "max"]).rename(columns=UNKNOWN)
    return rows | {title: [f"{value.get(encoder, np.nan):.1%}" for encoder in encoders] for title, value in unknown.items()}


def _mean_where(keep) -> Callable:
    return lambda encoder: claims.mean_where("ner", "overlap", encoder, keep)


def _trend_with_overlap(statistic) -> Callable:
    return lambda encoder: claims.trend(statistic, "ner", "overlap", encoder)


def _slope_where(keep) -> Callable:
    return lambda encoder: lambda known: claims.Measurement(claims.trend_versions(known, encoder, keep))


UNKNOWN = {"mean": "[UNK] in entities, mean of pairs", "max": "[UNK] in entities, worst pair"}
TRENDS = {
    "F1, overlap below 5%": _mean_where(claims.little_overlap),
    "F1, two scripts": _mean_where(claims.across_scripts),
    "F1, one script": _mean_where(claims.within_script),
    "rank correlation": _trend_with_overlap(stats.rank_correlation),
    "slope": _trend_with_overlap(lambda x, y: stats.slope(x, y) / 100),
    "slope, one script": _slope_where(claims.within_script),
}


def _trend(known: evidence.Evidence, measure: Callable, encoder: str, decimals: int) -> str:
    try:
        versions, p = measure(encoder)(known)
    except evidence.NotAvailable:
        return MISSING
    estimate = stats.estimate(versions)
    shown = f"{number(estimate.value, decimals)} ({bounds(estimate, decimals)})"
    return shown if p is None else f"{shown}, p = {p:.3f}"


def recipes(edition: Edition, tasks: Sequence[str], name: str = "recipes") -> Table:
    """The hyper-parameters of Appendix A beside the edition's for each task."""
    ours = [asdict(edition.recipe(task)) for task in tasks]
    rows = [[parameter.replace("_", " "), _setting(published.APPENDIX_A.get(parameter)),
             *(_setting(recipe[parameter]) for recipe in ours)] for parameter in ours[0]]  # fmt: skip
    caption = f"Hyper-parameters of fine-tuning. Edition: {edition.title}."
    return Table(caption, name, ["", "Appendix A", *tasks], rows)


def departures(edition: Edition, tasks: Sequence[str]) -> list[str]:
    """Names of Appendix A's hyper-parameters that have another value in the edition."""
    ours = [asdict(edition.recipe(task)) for task in tasks]
    return [parameter.replace("_", " ") for parameter, value in published.APPENDIX_A.items()
            if any(recipe[parameter] != value for recipe in ours)]  # fmt: skip


def _setting(value: float | bool | None) -> str:
    if value is None:
        return "not said"
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}"


def models(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per fine-tuned model of a transfer matrix: encoder, task, train, seed, seconds, device, memory, origin."""
    columns = ["encoder", "task", "train", "seed"]
    return frame.drop_duplicates(columns)[[*columns, "seconds", "device", "memory", "origin"]]


def sensitivity(table: pd.DataFrame, edition: Edition, name: str = "sensitivity") -> Table:
    """What variants of the recipe change; ``table`` is ``sensitivity.measure``. Seeds of the edition as it is come first."""
    seeds = table.groupby("variant").seed.transform("nunique")
    titles = table.variant.where(seeds == 1, table.variant + ", seed " + table.seed.astype(str))
    rows = [[title, *map(number, row)] for title, row in zip(titles, table[["within", "across"]].to_numpy(), strict=True)]
    caption = (f"Accuracy of taggers fine-tuned on one language, within it and on average across the others, with settings that the "
               f"paper leaves open. Edition: {edition.title}.")  # fmt: skip
    notes = (PATTERN if edition.artificial else "", *unavailable(table))
    return Table(caption, name, ["recipe", "within", "across"], rows, tuple(filter(None, notes)))


def other_texts(found: pd.DataFrame, edition: Edition, name: str = "other-texts") -> Table:
    """What other published test texts would give; ``found`` is ``sensitivity.other_texts``."""
    rows = [[label(row.language), row.treebank.removeprefix("UD_"), number(row.retagged), label(row.train), number(row.ours),
             number(row.theirs), signed(row.theirs - row.ours)] for row in found.itertuples()]  # fmt: skip
    caption = (f"Accuracy of M-BERT on the test text in use and on a published one that could stand in its place. Retagged: percent of "
               f"words with another tag there, in the sentences that both have. Edition: {edition.title}.")  # fmt: skip
    header = ["tested", "other text", "retagged", "fine-tuned", "ours", "other", "difference"]
    return Table(caption, name, header, rows, tuple(unavailable(found)))


def own_tags(found: pd.DataFrame, edition: Edition, name: str = "own-tags") -> Table:
    """Universal tags beside the treebanks' own; ``found`` is ``sensitivity.own_tags``."""
    rows = [[label(row.language), row.treebank.removeprefix("UD_"), number(row.upos), number(row.xpos), str(row.tags)]
            for row in found.itertuples()]  # fmt: skip
    caption = (f"Accuracy of M-BERT within a language with universal tags (UPOS) and with the treebank's own (XPOS), and how many of "
               f"these its training text has. Edition: {edition.title}.")  # fmt: skip
    return Table(caption, name, ["language", "treebank", "UPOS", "XPOS", "own tags"], rows, tuple(unavailable(found)))


def cost(frame: pd.DataFrame, edition: Edition, name: str = "cost") -> Table:
    """Seconds that fine-tuning a model took, evaluations included, by task, encoder and device."""
    rows = []
    for (task, encoder, device), group in models(frame).groupby(["task", "encoder", "device"], sort=False):
        median, longest = group.seconds.median(), group.seconds.max()
        sums = [number(median), number(longest), number(group.seconds.sum() / 60), number(group.memory.max() / 1e9)]
        rows.append([f"{task}, {ENCODERS.get(encoder, encoder)}", str(len(group)), *sums, device])
    caption = f"What fine-tuning took, measured. Edition: {edition.title}."
    header = ["task, encoder", "models", "median s", "longest s", "total min", "peak GB", "device"]
    notes = (f"{MISSING}: memory was not noted.",) if frame.memory.isna().any() else ()
    return Table(caption, name, header, rows, notes + tuple(unavailable(frame)))


def full_size_cost(estimates: pd.DataFrame, name: str = "cost-full-size") -> Table:
    """What the paper's own experiments take at full size; ``estimates`` is ``plan.at_full_size``."""
    rows = [[f"{row.task}, {ENCODERS.get(row.encoder, row.encoder)}", str(row.models), number(row.minutes), number(row.hours),
             number(row.memory / 1e9), f"{row.device} ({row.basis})"] for row in estimates.itertuples()]  # fmt: skip
    header = ["task, encoder", "models", "min each", "total hours", "peak GB", "device"]
    note = ("Times are speeds over round sizes of the corpora. Measured: speed and memory of that device with random weights, on full "
            "batches of full length. Estimate: arithmetic from operations a second that a GPU sustains, as none was at hand; "
            "`python benchmarks/full_size.py --record book/recorded/paper` measures yours.")  # fmt: skip
    return Table("What the experiments take with encoders of the original size", name, header, rows, (note,))


def corpora(
    edition: Edition, task: str, codes: Sequence[str] | None = None, name: str | None = None,
    others: Sequence[Edition] = (),
) -> Table:  # fmt: skip
    """Sizes of the labelled corpora: sentences to train and test on, words or entities of the test split.

    A corpus that is not at hand shows its recorded sizes. ``others`` are the editions shown beside this one.
    """
    codes = edition.languages(task) if codes is None else codes
    unit = "test entities" if task == "ner" else "test words"
    header = ["corpus", "training sentences", "test sentences", unit]
    caption = f"Corpora of the task {task}. Edition: {edition.title}."
    sizes = {code: _sizes(edition, task, code) for code in codes}
    rows = []
    for code, size in sizes.items():
        rows.append([f"**{label(code)}** {edition.name}" if others else label(code), *(size if isinstance(size, list) else [MISSING] * 3)])
        rows += [[other.name, *_recorded_sizes(other, task, code)] for other in others]
    notes = [f"Not available: {label(code)}: {size}" for code, size in sizes.items() if isinstance(size, str)]
    told = [_in_place(availability.substituted(edition, task)), *notes]
    return Table(caption, name or f"corpora-{task}", header, rows, (*filter(None, told), *_beside_notes(dict.fromkeys(others))))


def _sizes(edition: Edition, task: str, code: str) -> list[str] | str:
    """Sizes of one corpus, or why they are not known."""
    try:
        train, test = (statistics(edition, task, code, split) for split in ("train", "test"))
    except CorpusUnavailable as missing:
        return str(missing)
    units = test["entities" if task == "ner" else "tokens"]
    return [f"{size:,}" for size in (train["sentences"], test["sentences"], units)]


def _recorded_sizes(edition: Edition, task: str, code: str) -> list[str]:
    size = _sizes(edition, task, code)
    return size if isinstance(size, list) else [NOT_RECORDED] * 3


def _caption(published: pd.DataFrame, edition: Edition) -> str:
    return f"{published.attrs['caption']}. Edition: {edition.title}."


def _notes(frame: pd.DataFrame, edition: Edition, spread: bool = False) -> tuple[str, ...]:
    """What belongs under every table: meaning of ±, artificiality, what is missing and why, the signature."""
    signature, notes = frame.attrs.get("signature"), [SPREAD if spread else "", PATTERN if edition.artificial else ""]
    notes += [_in_place(_substitutes(frame, edition)), origin(frame), *unavailable(frame)]
    return tuple(filter(None, [*notes, f"`{signature}`" if signature else ""]))


def origin(frame: pd.DataFrame) -> str:
    """A sentence where scores were not computed on this machine; empty where all were, or where it is not known."""
    recorded = (frame["origin"] == RECORDED).to_numpy() if "origin" in frame else np.array([False])
    if not recorded.any():
        return ""
    return "Recorded results, not computed here." if recorded.all() else "In part recorded results, not computed here."


def unavailable(frame: pd.DataFrame) -> list[str]:
    """Sentences for what a frame lacks: what is missing and how to get it; what lacks for one reason is in one."""
    missing = frame.attrs.get("unavailable") or {}
    reasons: dict[str, list[str]] = {}
    for key, reason in (missing if isinstance(missing, Mapping) else {"": missing}).items():
        reasons.setdefault(reason, []).append(label(str(key)))
    return [f"Not available: {', '.join(keys)}{': ' if any(keys) else ''}{reason}" for reason, keys in reasons.items()]


def trends(
    found: Mapping[str, Sequence["Trend"]], edition: Edition, name: str = "wals-trend",
    others: Mapping[Edition, Mapping[str, Sequence["Trend"]]] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """Rank correlations with the number of common features; ``found`` maps a set of pairs to its trends.

    ``others`` holds the same of editions shown beside this one.
    """
    rows = _trends(found, f"{edition.name}: " if others else "")
    rows += [row for other, theirs in others.items() for row in _trends(theirs, f"{other.name}: ")]
    caption = (
        "Rank correlation of zero-shot accuracy with the number of common word-order features, and two p "
        f"values: languages permuted, pairs shuffled. Edition: {edition.title}."
    )
    header = ["pairs", "encoder", "correlation", "interval", "p, languages", "p, pairs"]
    few = any(np.isnan(trend.correlation.value) for group in found.values() for trend in group)
    notes = [PATTERN if edition.artificial else "", TOO_FEW if few else "", *_beside_notes(dict.fromkeys(others))]
    return Table(caption, name, header, rows, tuple(filter(None, notes)))


def readings(found: Mapping[str, "Trend"], edition: Edition, name: str = "wals-readings") -> Table:
    """How the trend with word order depends on what counts as a feature in common: ``found`` is ``trends.readings``."""
    encoder = " and ".join(dict.fromkeys(ENCODERS.get(trend.encoder, trend.encoder) for trend in found.values()))
    rows = [[title, f"{trend.pairs:,}", *_trend_cells(trend)[:3]] for title, trend in found.items()]
    caption = (
        f"Rank correlation of {encoder}'s zero-shot accuracy with likeness in word order, by what counts as a feature "
        f"in common; p value: languages permuted. Edition: {edition.title}."
    )
    few = any(np.isnan(trend.correlation.value) for trend in found.values())
    floor = "No p value can be smaller than 1/(n + 1), n being the number of permutations."
    notes = [PATTERN if edition.artificial else "", TOO_FEW if few else "", floor]
    return Table(caption, name, ["what counts", "pairs", "correlation", "interval", "p"], rows, tuple(filter(None, notes)))


def _trends(found: Mapping[str, Sequence["Trend"]], prefix: str) -> list[list[str]]:
    return [
        [f"{prefix}{subset} ({trend.pairs:,})", ENCODERS.get(trend.encoder, trend.encoder), *_trend_cells(trend)]
        for subset, trends in found.items()
        for trend in trends
    ]


def _trend_cells(trend: "Trend") -> list[str]:
    values = [number(trend.correlation.value, 2), bounds(trend.correlation, 2)]
    return values + [number(p, 3) for p in (trend.p_languages, trend.p_pairs)]


def floors(scores: pd.DataFrame, pairs: Sequence[tuple[str, str]], edition: Edition, name: str = "floors") -> Table:
    """Zero-shot accuracy of each pair, M-BERT's beside what is reached without multilingual pre-training.

    ``scores`` holds the frames of ``transfer.matrix`` and ``grids.floors`` below each other. Intervals: hull of seeds
    (t) and sentences (bootstrap).
    """
    columns, rows = list(dict.fromkeys(scores.encoder)), []
    for train, evaluate in pairs:
        runs = scores[(scores.train == train) & (scores.evaluate == evaluate)]
        cells = {encoder: stats.estimate(stats.draws(cell).iloc[0]) for encoder, cell in runs.groupby("encoder")}
        rows.append([f"**{label(train)} to {label(evaluate)}**", *_estimates(cells, columns)])
        rows.append(["interval", *(bounds(cells[encoder]) if encoder in cells else MISSING for encoder in columns)])
    caption = f"Zero-shot accuracy and what is reached without multilingual pre-training. Edition: {edition.title}."
    header = ["", *(ENCODERS.get(encoder, encoder) for encoder in columns)]
    return Table(caption, name, header, rows, (WORD_SHAPE, *_notes(scores, edition)))


def floors_by_group(
    scores: pd.DataFrame, edition: Edition, name: str = "floors-by-group",
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}), groups: Mapping[str, "Keep"] | None = None,
) -> Table:  # fmt: skip
    """Macro-averages of what ``floors`` shows by pair, over pairs of one script, of two, and by word order.

    ``others`` are the scores of editions shown beside this one. ``groups`` may be other sets of pairs; of these, one
    without a pair is left out.
    """
    given, groups = groups, groups or GROUPS
    columns, rows = list(dict.fromkeys(scores.encoder)), []
    shown = [(edition.name, scores, averages(scores, groups))]
    shown += [(other.name, theirs, averages(theirs, groups)) for other, theirs in others.items()]
    filled = [title for title in groups if any(means[title] for _, _, means in shown)]
    for title, keep in groups.items():
        if given and filled and title not in filled:
            continue
        for each, frame, means in shown:
            cells, pairs = means[title], leads(frame, keep)
            named = each if frame is not scores else f"**{title}**{' ' + each if others else ''}"
            rows.append([named, *_estimates(cells, columns), f"{sum(pairs)} of {len(pairs)}"])
            rows.append(["interval", *(bounds(cells[encoder]) if encoder in cells else MISSING for encoder in columns), ""])
    caption = f"Zero-shot accuracy, macro-averaged, and what is reached without multilingual pre-training. Edition: {edition.title}."
    header = ["", *(ENCODERS.get(encoder, encoder) for encoder in columns), "M-BERT leads"]
    return Table(caption, name, header, rows, (WORD_SHAPE, *_notes(scores, edition), *_beside_notes(dict.fromkeys(others))))


# Conditions of `exposure`, as readers know them.
CONDITIONS = {"read": "text read in pre-training", "fertility": "pieces a word", "unknown": "share of [UNK]",
              "sentences": "sentences to fine-tune on"}  # fmt: skip


def associations(found: Mapping[str, pd.DataFrame], edition: Edition, name: str = "exposure") -> Table:
    """How conditions of languages go with their mean zero-shot accuracy; ``found`` is ``exposure.associations`` by encoder."""
    rows = []
    for condition, title in CONDITIONS.items():
        for encoder, frame in found.items():
            if condition in frame.index.get_level_values("condition"):
                cells = [frame.loc[(condition, role)] for role in ("evaluate", "train")]
                shown = [f"{number(cell.correlation, 2)} (p = {number(cell.p, 3)})" for cell in cells]
                rows.append([f"{title}, {ENCODERS.get(encoder, encoder)}", *shown])
    header = ["", "tagged", "fine-tuned on"]
    caption = (f"Rank correlation of a language's conditions with its mean zero-shot accuracy, as the language that is tagged and as "
               f"the one fine-tuned on. Edition: {edition.title}.")  # fmt: skip
    note = "p: languages shuffled, one-sided: more text and sentences should help, more pieces and [UNK] harm."
    missing = "Not available: there are no results, or no texts to measure, of three languages or more."
    return Table(caption, name, header, rows, (note if rows else missing,))


def _estimates(cells: Mapping[str, stats.Estimate], columns: Sequence[str]) -> list[str]:
    return [number(cells[encoder].value) if encoder in cells else MISSING for encoder in columns]


def by_features(
    means: Mapping[str, pd.DataFrame], edition: Edition, name: str = "wals-means",
    others: Mapping[Edition, Mapping[str, pd.DataFrame]] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """Mean accuracy by number of common features: ``means`` maps encoders to ``trends.by_features``.

    The last column is a later encoder's on newer treebanks, from the literature. ``others`` holds the means of editions
    shown beside this one.
    """
    pairs, rows = next(iter(means.values())).pairs, []
    for features in pairs.index:
        values = [number(table.value.get(features, np.nan)) for table in means.values()]
        later = number(published.EXTERNAL_BY_FEATURES.get(features, np.nan))
        rows.append([f"{features:g}", f"{pairs[features]:,}", *values, later])
        rows += [[other.name, *_features_of(theirs, features), ""] for other, theirs in others.items()]
    header = ["features", "pairs", *(ENCODERS.get(encoder, encoder) for encoder in means), "XLM-R"]
    caption = f"Mean zero-shot accuracy by common word-order features. Edition: {edition.title}."
    notes = ("XLM-R base: de Vries et al. (2022), other languages and newer treebanks.", PATTERN if edition.artificial else "")
    absent = dict.fromkeys(reason for table in means.values() for reason in unavailable(table))
    notes = [*notes, *absent, *_beside_notes(dict.fromkeys(others))]
    return Table(caption, name, header, rows, tuple(filter(None, notes)))


def _features_of(means: Mapping[str, pd.DataFrame], features: float) -> list[str]:
    """Number of pairs and mean of each encoder in an edition that stands beside another."""
    pairs = [table.pairs.get(features, 0) for table in means.values()]
    return [f"{max(pairs):,}", *_recorded([table.value.get(features, np.nan) for table in means.values()])]


def neighbours(frame: pd.DataFrame, code: str, edition: Edition, shown: int = 6) -> Table:
    """Where transfer from one language goes best and worst: the first and the last ``shown`` of its row."""
    means = frame[(frame.train == code) & (frame.evaluate != code)].groupby(["evaluate", "encoder"]).score.mean()
    means = means.unstack()[list(dict.fromkeys(frame.encoder))].sort_values("m-bert", ascending=False)
    if len(means) > 2 * shown:
        means = pd.concat([means[:shown], means[-shown:]])
    rows = [
        [languages.name(other), *map(number, row), str(typology.common_features(code, other))]
        for other, row in zip(means.index, means.to_numpy(), strict=True)
    ]
    header = ["evaluated on", *(ENCODERS.get(encoder, encoder) for encoder in means), "common features"]
    caption = f"Fine-tuned on {languages.name(code)}: the best and the worst. Edition: {edition.title}."
    return Table(caption, f"neighbours-{code}", header, rows)


def sentence(edition: Edition, code: str, name: str = "sentence") -> Table:
    """A test sentence of a language (the first of six words or more): words, M-BERT pieces, parts of speech."""
    caption = f"A sentence under the name of {languages.name(code)}. Edition: {edition.title}."
    header = ["word", "pieces", "tag"]
    try:
        corpus = edition.corpus("pos", code, "test")
    except CorpusUnavailable as missing:
        return Table(caption, name, header, [[MISSING] * 3], (f"Not available: {missing}",), text=True)
    long = next((row for row in corpus if len(row["tokens"]) >= 6), corpus[0])
    absence = availability.missing_encoder(edition, "m-bert")
    cut = (lambda word: [MISSING]) if absence else edition.encoder("m-bert").tokenizer.tokenize
    rows = [[word, " ".join(cut(word)), tag] for word, tag in zip(long["tokens"], long["labels"], strict=True)]
    return Table(caption, name, header, rows, (f"Not available: pieces: {absence}",) if absence else (), text=True)


def code_switched(edition: Edition, name: str = "switched", words: int = 8) -> Table:
    """One code-switched sentence, word by word, in both spellings and with its tags."""
    caption = f"A sentence of the code-switched corpus in both spellings. Edition: {edition.title}."
    header = ["corrected", "transliterated", "tag"]
    try:
        corpora = [edition.corpus("code-switching", version, "test")[:] for version in header[:2]]
    except CorpusUnavailable as missing:
        return Table(caption, name, header, [[MISSING] * 3], (f"Not available: {missing}",), text=True)
    chosen = _most_changed(*(corpus["tokens"] for corpus in corpora), words)
    rows = zip(*(corpus["tokens"][chosen] for corpus in corpora), corpora[0]["labels"][chosen], strict=True)
    return Table(caption, name, header, [list(row) for row in rows], text=True)


def _most_changed(corrected: list[list[str]], typed: list[list[str]], words: int) -> int:
    """Index of a sentence of at most that many words in which about half of the words are spelled anew."""
    def balance(index: int) -> tuple:
        pairs = list(zip(corrected[index], typed[index], strict=True))
        return len(pairs) <= words, -abs(sum(a != b for a, b in pairs) - len(pairs) / 2), len(pairs)

    return max(range(len(corrected)), key=balance)


def translations(
    curve: pd.DataFrame, edition: Edition, name: str = "translations",
    others: Mapping[Edition, pd.DataFrame] = MappingProxyType({}),
) -> Table:  # fmt: skip
    """Retrieval by pair of languages: ends and best layer of the curve, other shifts, and the baselines.

    ``curve`` is ``retrieval.curve`` for one encoder and one number of candidates; ``others`` holds those of editions
    shown beside this one.
    """
    pairs = list(dict.fromkeys(zip(curve.source, curve.target, strict=True)))
    columns, rows = _translation_columns(curve, pairs), []
    beside = {other: _translation_columns(theirs, pairs) for other, theirs in others.items()}
    for title in columns[0] if columns else []:
        rows.append([title, *(column[title] for column in columns)])
        rows += [[other.name, *(column.get(title, NOT_RECORDED) for column in theirs)] for other, theirs in beside.items()]
    header = ["", *(f"{label(a)}-{label(b)}" for a, b in pairs)]
    caption = f"Translations found, in percent. Edition: {edition.title}."
    notes = ["Intervals: sentences resampled.", PATTERN if edition.artificial else "", *unavailable(curve)]
    return Table(caption, name, header, rows, tuple(filter(None, [*notes, *_beside_notes(dict.fromkeys(others))])))


def further_pairs(curve: pd.DataFrame, tagging: pd.Series, edition: Edition, name: str = "further-pairs") -> Table:
    """Retrieval of many pairs, each at its best layer, beside zero-shot tagging from the one language to the other.

    ``curve`` is ``retrieval.curve``, of each pair at one number of candidates; ``tagging`` has scores by (train, evaluate).
    """
    best = _best_layers(curve).join(tagging.rename("tagging"), on=["source", "target"])
    rows = [[f"{label(a)}-{label(b)}", number(row.accuracy), f"{row.layer:g}", number(row.copied), number(row.tagging)]
            for (a, b), row in best.iterrows()]  # fmt: skip
    both = best.dropna()
    rho = [number(float(stats.rank_correlation(both[column], both.tagging)), 2) if len(both) > 2 else MISSING
           for column in ("accuracy", "copied")]  # fmt: skip
    notes = [f"Rank correlation with tagging: translations found {rho[0]}, by shared pieces {rho[1]}. Pairs that have a language in common are "
             "not independent.", PATTERN if edition.artificial else "", *unavailable(curve)]  # fmt: skip
    caption = f"Translations found at the best layer, and zero-shot tagging between the same languages. Edition: {edition.title}."
    header = ["pair", "found", "layer", "by shared pieces", "tagging"]
    return Table(caption, name, header, rows, tuple(filter(None, notes)))


def _best_layers(curve: pd.DataFrame) -> pd.DataFrame:
    """accuracy, layer and copied (by shared pieces) of each pair, the best first."""
    asked = curve[curve.queries == "all"]
    line = asked[asked.method == "paper"].sort_values("accuracy", ascending=False).drop_duplicates(["source", "target"])
    copied = asked[asked.method == "shared pieces"].set_index(["source", "target"]).accuracy.rename("copied")
    return line.set_index(["source", "target"])[["accuracy", "layer"]].join(copied)


def _translation_columns(curve: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """The cells of each pair's column by their rows' titles; none for a pair that the curve lacks."""
    found = [curve[(curve.source == a) & (curve.target == b)] for a, b in pairs]
    return [_translations(pair) if len(pair) else {} for pair in found]


def _translations(curve: pd.DataFrame) -> dict[str, str]:
    """The cells of one pair's column."""
    asked = curve[curve.queries == "all"]
    line = asked[asked.method == "paper"].set_index("layer").sort_index()
    best, reached = line.accuracy.idxmax(), asked.groupby("method").accuracy.max()
    hits = line.hits[best]
    ends = stats.bootstrap_interval("pos", np.stack([hits, np.ones_like(hits)], axis=1))
    others = curve[curve.queries == "nothing shared"]
    apart = others[others.method == "paper"].accuracy
    return {
        "sentences": f"{int(asked.candidates.max()):,}",
        "embeddings": number(line.accuracy.iloc[0]),
        "**best layer**": f"**{number(line.accuracy[best])}**",
        "interval": bounds(stats.Estimate(line.accuracy[best], *ends)),
        "which layer": str(best),
        "last layer": number(line.accuracy.iloc[-1]),
        "shift held out, best": number(reached.get("held out", np.nan)),
        "no shift, best": number(reached.get("no shift", np.nan)),
        "by shared pieces": number(reached["shared pieces"]),
        "by length": number(reached["length"]),
        "pairs sharing nothing": f"{len(others.hits.iloc[0]):,}" if len(others) else "0",
        "of these, best layer": number(apart.max() if len(apart) else np.nan),
    }


def survey(edition: Edition, name: str = "survey") -> Table:
    """Which labelled corpora and parallel texts are at hand in an edition, and why the others are not."""
    found = list(availability.survey(edition).itertuples())
    rows = [
        [row.task, f"{row.at_hand} of {row.wanted}", ", ".join(map(label, row.missing)) or MISSING]
        for row in found
    ]
    reasons = [f"{row.task}: {row.why}" for row in found if row.why]
    header = ["corpora", "at hand", "missing"]
    caption = f"Corpora at hand. Edition: {edition.title}."
    return Table(caption, name, header, rows, tuple(reasons), text=True)


def listed(frame: pd.DataFrame, caption: str, name: str) -> Table:
    """A frame of texts as it is, one row a row; underscores in its columns' names become spaces."""
    header = [column.replace("_", " ") for column in frame]
    notes = ("None yet.",) if frame.empty else ()
    return Table(caption, name, header, [list(map(str, row)) for row in frame.to_numpy()], notes, text=True)


def emergence(found: pd.DataFrame, log: pd.DataFrame, encoder: str, edition: Edition, name: str = "emergence-table") -> Table:
    """Means of ``emergence.curve`` by step, and the word pieces seen until then; ``log`` is ``emergence.log``."""
    means, seen = means_by_step(found), log.set_index("step").tokens
    rows = [
        [f"{step:,}", f"{seen[step] / 1e6:.1f}" if step in seen else ("0" if step == 0 else MISSING), *map(number, row)]
        for step, row in zip(means.index, means.to_numpy(), strict=True)
    ]
    header = ["step", "million pieces", *means.columns]
    caption = f"Tagging and retrieval as {ENCODERS.get(encoder, encoder)} is pre-trained, in percent. Edition: {edition.title}."
    return Table(caption, name, header, rows, _notes(found, edition))


def treebanks(measured: pd.DataFrame, tagged: pd.Series, edition: Edition, name: str = "treebanks") -> Table:
    """How far look-up gets in each language, and the fine-tuned tagger beside it.

    ``measured`` is ``profile.treebanks`` and ``tagged`` the tagger's accuracy by language.
    """
    rows = [
        [label(row.language), *map(number, [row.words, row.homographs, row.unseen, row.majority_class, row.look_up]),
         number(tagged.get(row.language, np.nan))]
        for row in measured.itertuples()
    ]  # fmt: skip
    header = ["", "words", "homographs", "unseen", "majority", "look-up", "M-BERT"]
    caption = (
        "Words per sentence; percent of homographs among training words and of unseen among test words; accuracy of the "
        f"majority class, of look-up and of fine-tuned M-BERT. Edition: {edition.title}."
    )
    absent = unavailable(availability.nothing(edition, "pos")) if measured.empty else ()
    return Table(caption, name, header, rows, tuple(absent))


def glossed(sentence: Sequence, name: str, title: str) -> Table:
    """A generated sentence word by word: form, how it sounds, tag, entity. ``sentence`` is a list of pocket Tokens."""
    rows = [[token.form, token.phonemes or MISSING, token.upos, token.entity] for token in sentence]
    return Table(title, name, ["word", "sounds", "tag", "entity"], rows, text=True)


def retold(told: Mapping[str, Sequence], name: str, title: str) -> Table:
    """One meaning in several languages, as written and as it sounds; ``told`` maps codes to pocket Tokens."""
    rows = [
        [languages.name(code), f'<bdi dir="auto">{" ".join(token.form for token in sentence)}</bdi>',
         " ".join(token.phonemes or token.form for token in sentence)]
        for code, sentence in told.items()
    ]  # fmt: skip
    return Table(title, name, ["language", "written", "sounds"], rows, text=True)


def tokenised(measured: Mapping[str, pd.DataFrame], name: str = "tokenised") -> Table:
    """Pieces a word, [UNK] and coverage of every treebank; ``measured`` is ``tokenisation.treebanks`` by encoder."""
    shown = {"pieces": ("fertility", 2, 1), "[UNK]": ("unk_share", 1, 100), "kept": ("coverage", 1, 100)}
    codes = sorted({code for frame in measured.values() for code in frame.index}, key=label)
    columns = [(frame, *how) for frame in measured.values() for how in shown.values()]
    rows = [[label(code), *(number(times * frame[column].get(code, float("nan")), places) if len(frame) else MISSING
                            for frame, column, places, times in columns)] for code in codes]  # fmt: skip
    header = ["", *(f"{ENCODERS.get(encoder, encoder).removesuffix('-BERT')} {title}" for encoder in measured for title in shown)]
    notes = ("M, EN: the vocabularies of M-BERT and EN-BERT. Pieces: word pieces a word. [UNK]: percent of the pieces. Kept: percent of the words that would remain if sentences were "
             "cut after 128 pieces; this book splits them instead, so that all words count.",)  # fmt: skip
    return Table("What the vocabularies make of the test sets of the treebanks", name, header, rows, notes)


def full_size(speeds: pd.DataFrame, name: str = "full-size") -> Table:
    """Speed and memory at M-BERT's full size, a row a device; ``speeds`` is ``tokenisation.speeds``."""
    rows = [[run.device, f"{run.training:,.0f}", f"{run.tagging:,.0f}", number(run.memory / 2**30), run.date]
            for run in speeds.itertuples()]  # fmt: skip
    header = ["device", "training", "tagging", "peak GiB", "measured on"]
    note = "Training, tagging: word pieces a second. Seconds are of the wall clock on a GPU, else of processor time, as other programs ran beside it."
    missing = "Not measured yet: `python benchmarks/full_size.py --record book/recorded/paper`."
    caption = "Fine-tuning an encoder of M-BERT's size, random weights, batches of 32 rows of 128 pieces"
    return Table(caption, name, header, rows, (note if rows else missing,))
