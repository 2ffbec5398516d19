"""Appendix A, hyper-parameters and cost; the pages on provenance and on what is not reproduced.

Scores and variants are the frames of ``experiments``. What a fine-tuned model took stands in each
of its rows, evaluations on every corpus included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import languages, published, show
from crosslingual.show import COLOURS, CYCLE, number
from crosslingual.stats import valued

if TYPE_CHECKING:
    from crosslingual.edition import Edition

TASKS = ("pos", "ner", "code-switching")
AS_IT_IS = "as it is"  # the edition's own recipe among its variants
HEAD = ("cls.", "lm_head.")  # weights that guess masked words, which no chapter uses


# Hyper-parameters


def recipes(edition: Edition, name: str = "recipes") -> show.Table:
    """The hyper-parameters of Appendix A beside the edition's for each task."""
    rows = [
        [parameter.replace("_", " "), *map(_setting, values)]
        for parameter, *values in _recipes(edition).itertuples()
    ]
    caption = f"Hyper-parameters of fine-tuning. Edition: {edition.title}."
    return show.Table(caption, name, ["", "Appendix A", *TASKS], rows)


def _recipes(edition: Edition) -> pd.DataFrame:
    """A row a hyper-parameter; missing where Appendix A does not say."""
    ours = {task: vars(edition.recipe(task)) for task in TASKS}
    said = {parameter: published.APPENDIX_A.get(parameter) for parameter in ours[TASKS[0]]}
    return pd.DataFrame({"Appendix A": said} | ours, dtype=object)


def _setting(value: float | bool) -> str:
    if pd.isna(value):
        return "not said"
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}"


def departures(edition: Edition) -> list[str]:
    """Names of Appendix A's hyper-parameters that have another value in the edition."""
    stated = _recipes(edition).dropna()
    other = stated.ne(stated["Appendix A"], axis=0).any(axis=1)
    return [parameter.replace("_", " ") for parameter in stated.index[other]]


def variants(frame: pd.DataFrame, edition: Edition, name: str = "sensitivity") -> show.Table:
    """What variants of the recipe change; the edition's own, with all of its seeds, comes first."""
    found = _means(frame)
    several = found.groupby("variant").seed.transform("nunique") > 1
    titles = found.variant.where(~several, found.variant + ", seed " + found.seed.astype(str))
    rows = [
        [title, number(row.within), number(row.across)]
        for title, row in zip(titles, found.itertuples(), strict=True)
    ]
    caption = (
        "Accuracy of taggers fine-tuned on one language, within it and on average across the "
        f"others, with settings that the paper leaves open. Edition: {edition.title}."
    )
    header = ["recipe", "within", "across"]
    return show.Table(caption, name, header, rows, show.notes(frame, edition))


def _means(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns: variant, seed, within (accuracy on the language itself), across (mean of others)."""
    own = frame.train == frame.evaluate
    scores = frame.assign(within=frame.score.where(own), across=frame.score.where(~own))
    groups = scores.groupby(["variant", "seed"], sort=False)
    return groups[["within", "across"]].mean().reset_index()


def swings(frame: pd.DataFrame) -> dict[str, str | float]:
    """Phrases: the setting that moves scores most, and how much seeds alone do."""
    found = _means(frame)
    first = found.drop_duplicates("variant").set_index("variant")[["within", "across"]]
    changes = (first - first.loc[AS_IT_IS]).drop(AS_IT_IS).abs() if len(first) else first
    own = found[found.variant == AS_IT_IS].across
    return {
        "largest": show.highest(changes.across.dropna()),
        "within_largest": float(changes.within.max()),
        "by_seed": float(own.max() - own.min()),
    }


# Cost


def models(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per fine-tuned model behind the scores, with what it took and where."""
    columns = ["task", "encoder", "train", "seed"]
    return valued(scores).drop_duplicates(columns).dropna(subset="seconds")


def cost(scores: pd.DataFrame, edition: Edition, name: str = "cost-table") -> show.Table:
    """Seconds that fine-tuning a model took, evaluations included, by task, encoder and device."""
    rows = []
    groups = models(scores).groupby(["task", "encoder", "device"], sort=False)
    for (task, encoder, device), group in groups:
        took, memory = group.seconds, group.memory.max() / 1e9
        sums = [took.median(), took.max(), took.sum() / 60, memory]
        title = f"{task}, {edition.encoder_title(encoder)}"
        rows.append([title, str(len(group)), *map(number, sums), device])
    header = ["task, encoder", "models", "median s", "longest s", "total min", "peak GB", "device"]
    caption = f"What fine-tuning took, measured. Edition: {edition.title}."
    unmeasured = models(scores).memory.isna().any()
    unknown = (f"{show.MISSING}: memory was not noted.",) if unmeasured else ()
    return show.Table(caption, name, header, rows, (*unknown, *show.lacking(scores)))


def seconds(scores: pd.DataFrame, edition: Edition, name: str = "cost-figure") -> show.Figure:
    """How long each model took, by task and encoder."""
    groups = list(models(scores).groupby(["task", "encoder"], sort=False).seconds)
    if not groups:
        return show.absent(name, edition, scores)
    drawing, (panel,) = show.canvas(0.9 + 0.42 * len(groups))
    for height, ((_, encoder), took) in enumerate(groups):
        shifts = np.random.default_rng(0).uniform(-0.2, 0.2, len(took))
        colour = COLOURS.get(encoder, CYCLE[2])
        panel.scatter(took, height + shifts, 12, color=colour, alpha=0.5, linewidths=0)
        panel.plot([took.median()] * 2, [height - 0.32, height + 0.32], color=colour, linewidth=2.5)
    titles = [f"{task}, {edition.encoder_title(encoder)}" for (task, encoder), _ in groups]
    panel.set_yticks(range(len(groups)), titles)
    panel.set(xlabel="seconds", ylim=(len(groups) - 0.4, -0.6))
    panel.set_xlim(0, 1.05 * max(took.max() for _, took in groups))
    read = ", ".join(
        f"{title} {number(took.median())} s"
        for title, (_, took) in zip(titles, groups, strict=True)
    )
    caption = f"Seconds of each fine-tuning with all its evaluations; strokes are medians: {read}."
    caption = f"{caption} Edition: {edition.title}."
    return show.Figure(drawing, name, caption, f"One dot per model. Medians: {read}.")


def reading(scores: pd.DataFrame) -> dict[str, str | float]:
    """Phrases: how many models there are, where they were made, and what they took."""
    each = models(scores)
    return {
        "models": f"{len(each):,}",
        "here": f"{(each.origin == 'computed here').sum():,}",
        "minutes": float(each.seconds.sum() / 60),
        "median": float(each.seconds.median()),
        "devices": show.listing(sorted(set(each.device))),
    }


# Where the numbers come from


def origins(scores: pd.DataFrame, retrieval: pd.DataFrame) -> pd.DataFrame:
    """What is behind the tables: task, encoder, origin, device, results, seconds (in all)."""
    pairs = ["encoder", "source", "target", "candidates"]
    searches = valued(retrieval).drop_duplicates(pairs).assign(task="retrieval")
    each = pd.concat([models(scores), searches.dropna(subset="seconds")])
    groups = each.groupby(["task", "encoder", "origin", "device"], sort=False)
    found = groups.agg(results=("seconds", "size"), seconds=("seconds", "sum")).reset_index()
    return found.assign(seconds=found.seconds.map("{:,.0f}".format))


def remarks(*frames: pd.DataFrame) -> pd.DataFrame:
    """What rows say of themselves, why they have no value or what differs: remark, rows."""
    told = pd.concat([frame[column] for frame in frames for column in ("reason", "note")])
    counts = told[told != ""].value_counts(sort=False)
    return counts.rename_axis("remark").rename("rows").reset_index()


def freshness(*frames: pd.DataFrame) -> str:
    """A sentence that says how much came with the repository and how much was computed here."""
    origins = pd.concat([valued(frame).origin for frame in frames])
    recorded = (origins == "recorded").sum()
    if not recorded:
        return f"All {len(origins):,} rows of results were computed here; none is recorded."
    return f"{recorded:,} of the {len(origins):,} rows of results came recorded with the book."


def made_with(scores: pd.DataFrame) -> pd.DataFrame:
    """Versions of the functions that determine scores, as rows were made with: versions, rows."""
    versions = valued(scores).made_from.map(lambda made: json.loads(made).get("versions", ""))
    return versions.value_counts().rename_axis("versions").rename("rows").reset_index()


def encoders(edition: Edition) -> pd.DataFrame:
    """Facts about the edition's encoders that are at hand, read off the files beside the weights.

    Columns: encoder, layers, hidden, parameters (without the layers that guess masked words),
    pieces (of the vocabulary), digest (its beginning).
    """
    rows = []
    for encoder in _at_hand(edition):
        config = json.loads((encoder.folder / "config.json").read_text("utf-8"))
        size = sum(_sizes(encoder.folder))
        shape = [config.get(key, "") for key in ("num_hidden_layers", "hidden_size")]
        digest = encoder.digest[:16]
        rows.append([encoder.name, *shape, f"{size:,}", config["vocab_size"], digest])
    columns = ["encoder", "layers", "hidden", "parameters", "pieces", "digest"]
    return pd.DataFrame(rows, columns=columns)


def _at_hand(edition: Edition) -> list:
    """The encoders whose files are here; nothing is fetched to show a page."""
    found = []
    for name in edition.encoders:
        with suppress(ValueError):  # its folder is missing
            found.append(edition.encoder(name))
    return [encoder for encoder in found if encoder.at_hand]


def _sizes(folder: Path) -> Iterator[int]:
    """Numbers of weights, from the headers of the safetensors files: no weight is read."""
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        header.pop("__metadata__", None)
        for name, tensor in header.items():
            if not name.startswith(HEAD):
                yield int(np.prod(tensor["shape"]))


def cards(edition: Edition) -> str:
    """The cards beside the encoders' weights as Markdown, their headings as bold lines."""
    return "\n\n---\n\n".join(_card(encoder) for encoder in _at_hand(edition))


def _card(encoder) -> str:
    path = encoder.folder / "README.md"
    if not path.is_file():
        return f"`{encoder.name}` has no model card beside its weights."
    return re.sub(r"(?m)^#+ (.*)$", r"**\1**", path.read_text("utf-8"))


def training(edition: Edition, name: str = "training") -> show.Figure:
    """Loss of masked words against word pieces seen, as logged beside the weights."""
    logs = {each.name: each.folder / "training.jsonl" for each in _at_hand(edition)}
    lines = {key: pd.read_json(path, lines=True) for key, path in logs.items() if path.is_file()}
    if not lines:
        return show.absent(name, edition)
    drawing, (panel,) = show.canvas(3.2)
    ends = {}
    for encoder, line in lines.items():
        title, colour = edition.encoder_title(encoder), COLOURS.get(encoder, CYCLE[2])
        panel.plot(line.tokens / 1e6, line.loss, color=colour, linewidth=1.5)
        ends[title] = (line.tokens.max() / 1e6, line.loss.iloc[-1], colour)
    panel.set(xlabel="word pieces seen (millions)", ylabel="masked-word loss")
    panel.set_xlim(0, 1.01 * max(seen for seen, _, _ in ends.values()))
    show.end_labels(panel, ends)
    read = "; ".join(
        f"{title} {number(loss, 2)} after {number(seen)} million"
        for title, (seen, loss, _) in ends.items()
    )
    about = f"Pre-training of the encoders: loss at the end {read}."
    caption = f"{about} Encoders of different vocabularies do not compare."
    return show.Figure(
        drawing, name, show.figure_caption(caption, edition), f"Falling lines. {read}."
    )


def chapters(durations: pd.DataFrame) -> pd.DataFrame:
    """What chapters took (``book.durations``): chapter, date, cells, seconds."""
    groups = durations.groupby(["chapter", "date"], as_index=False)
    found = groups.agg(cells=("seconds", "size"), seconds=("seconds", "sum"))
    return found.assign(seconds=found.seconds.map(number))


def slowest(durations: pd.DataFrame, cells: int) -> pd.DataFrame:
    """The cells that took longest, with the beginning of each."""
    found = durations.nlargest(cells, "seconds")
    code = "`" + found.code.str.strip().str.split("\n").str[0].str[:36] + "`"
    found = found.assign(code=code, seconds=found.seconds.map(number))
    return found[["chapter", "number", "code", "seconds"]]


# What could not be reproduced


def facts(name: str) -> pd.DataFrame:
    """A table of ``data/``: "substitutes" (of what cannot be had), "unstated" (by the paper)."""
    return pd.read_csv(languages.DATA / f"{name}.csv", keep_default_na=False)


def treebanks() -> pd.DataFrame:
    """Which published treebank stands for which language: treebank, release, licence, reason."""
    pins, choices = facts("treebanks"), facts("treebank_choices").set_index("treebank")
    splits = [pins[pins.path.str.contains(f"-ud-{split}")] for split in ("train", "test")]
    train, test = (pin.drop_duplicates("treebank").set_index("treebank") for pin in splits)
    train, test = train.reindex(choices.index), test.reindex(choices.index)
    release = train.tag.where(train.tag == test.tag, train.tag + ", test " + test.tag)
    table = choices.assign(release=release, licence=train.licence).reset_index()
    table = table.assign(language=table.language.map(languages.name))
    return table[["language", "treebank", "release", "licence", "reason"]]


def survey(sizes: pd.DataFrame, retrieval: pd.DataFrame, edition: Edition) -> show.Table:
    """Which of its corpora and parallel texts an edition has at hand, and why not the others."""
    pairs = retrieval.assign(task="parallel", language=retrieval.source + "-" + retrieval.target)
    rows, notes = [], []
    for task, group in pd.concat([sizes, pairs]).groupby("task", sort=False):
        lacks = group.groupby("language", sort=False).reason.max()
        missing = [show.label(code) for code in lacks.index[lacks != ""]]
        at_hand = f"{len(lacks) - len(missing)} of {len(lacks)}"
        rows.append([task, at_hand, ", ".join(missing) or show.MISSING])
        notes += [f"{task}: {why}" for why in dict.fromkeys(lacks) if why]
    caption, header = (
        f"Corpora at hand. Edition: {edition.title}.",
        ["corpora", "at hand", "missing"],
    )
    return show.Table(caption, "survey", header, rows, tuple(notes), text=True)
