"""Appendix A, hyper-parameters and cost; the pages on provenance and on what is not reproduced."""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from heapq import heapreplace

import pandas as pd
from markdown_it import MarkdownIt

from crosslingual import downloads, languages, published, show
from crosslingual.downloads import Cell
from crosslingual.show import Edition, number
from crosslingual.stats import valued

TASKS = ("pos", "ner", "code-switching")
FEW = 10  # corpora fine-tuned on that have a row each
GPUS = (1, 8, 64)
AS_IT_IS = "as it is"  # the edition's own recipe among its variants
SHARED = (
    "Models fine-tuned side by side in one process have their share of the time that the training "
    "took; others their own, evaluations included."
)


# Hyper-parameters


def recipes(edition: Edition) -> show.Table:
    """The hyper-parameters of Appendix A beside the edition's for each task."""
    settings = _recipes(edition).itertuples()
    rows = [[key.replace("_", " "), *map(_setting, values)] for key, *values in settings]
    header = ["setting", "Appendix A", *TASKS]
    return show.table("Hyper-parameters of fine-tuning", "recipes", header, rows, edition)


def _recipes(edition: Edition) -> pd.DataFrame:
    """A row a hyper-parameter; missing where Appendix A does not say."""
    ours = {task: vars(edition.recipe(task)) for task in TASKS}
    said = {parameter: published.APPENDIX_A.get(parameter) for parameter in ours["pos"]}
    return pd.DataFrame({"Appendix A": said} | ours, dtype=object)


def _setting(value: float | bool) -> str:
    if pd.isna(value):
        return "not said"
    return ("no", "yes")[value] if isinstance(value, bool) else Cell(f"{value:g}", value=value)


def departures(edition: Edition) -> list[str]:
    """Names of Appendix A's hyper-parameters that have another value in the edition."""
    stated = _recipes(edition).dropna()
    other = stated.ne(stated["Appendix A"], axis=0).any(axis=1)
    return [parameter.replace("_", " ") for parameter in stated.index[other]]


def variants(frame: pd.DataFrame, edition: Edition) -> show.Table:
    """What variants of the recipe change; the edition's own, with all of its seeds, comes first."""
    found = _means(frame)
    several = found.groupby("variant").seed.transform("nunique") > 1
    titles = found.variant.where(~several, found.variant + ", seed " + found.seed.astype(str))
    means = (map(number, found[column]) for column in ("within", "across"))
    rows = [list(row) for row in zip(titles, *means, strict=True)]
    trained = show.listing(map(show.label, frame.train.unique()))
    about = f"Accuracy of taggers fine-tuned on {trained}, within it and on average across the "
    about += "others, with settings that the paper leaves open"
    return show.table(about, "sensitivity", ["recipe", "within", "across"], rows, edition, frame)


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
    own, largest = found[found.variant == AS_IT_IS].across, show.highest(changes.across.dropna())
    most, by_seed = float(changes.within.max()), float(own.max() - own.min())
    return {"largest": largest, "within_largest": most, "by_seed": by_seed}


# Cost


def models(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per fine-tuned model behind the scores, with what it took and where."""
    columns = ["task", "encoder", "train", "seed"]
    return valued(scores).drop_duplicates(columns).dropna(subset="seconds")


def cost(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Seconds that models took, by task, encoder and device."""
    each, rows = models(scores), []
    titles = each.task + ", " + each.encoder.map(edition.encoder_title)
    for (title, device), group in each.groupby([titles, "device"], sort=False):
        took = group.seconds
        sums = [took.median(), took.max(), took.sum() / 60, group.memory.max() / 1e9]
        rows.append([title, str(len(group)), *map(number, sums), device])
    header = ["task, encoder", "models", "median s", "longest s", "total min", "peak GB", "device"]
    unknown = f"{show.MISSING}: memory was not noted." if each.memory.isna().any() else ""
    shared = each.versions.astype(str).str.contains("side by side").any()
    notes = [unknown, SHARED * bool(shared), *show.lacking(scores)]
    about = "What fine-tuning took, measured"
    return show.table(about, "cost-table", header, rows, edition, notes=notes)


def larger(scores: pd.DataFrame, edition: Edition, costs: dict[str, float]) -> show.Table:
    """Minutes of all models on so many GPUs as `GPUS`, by calculation from what each took.

    costs: by encoder, how many times as long a model takes in the second column.
    """
    each = models(scores)
    each = each[~each.device.str.startswith("cpu")]
    columns = [each.seconds, each.seconds * each.encoder.map(costs).astype(float)]
    counts = GPUS if len(each) else ()
    rows = [[str(n), *(number(makespan(taken, n) / 60) for taken in columns)] for n in counts]
    about = f"Minutes of {len(each)} models, by calculation from what each took on a GPU"
    header = ["GPUs", "these encoders", "encoders of BERT's size"]
    notes = [] if len(each) else ["None of this edition's models was fine-tuned on a GPU."]
    return show.table(about, "larger-table", header, rows, edition, notes=notes)


def makespan(seconds: Iterable[float], number: int) -> float:
    """When the last of some jobs ends if each, the longest first, goes to what is free first."""
    free = [0.0] * number
    for taken in sorted(seconds, reverse=True):
        heapreplace(free, free[0] + taken)
    return max(free)


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


def made_from(runs: pd.DataFrame, name: str, edition: Edition) -> show.Table:
    """What a table of the paper was made from: a row a corpus fine-tuned on, or as many seeds.

    runs: as `downloads.runs`.
    """
    of = runs.groupby(["encoder", "train"]).seed
    runs = runs.assign(seeds=of.transform(lambda some: ", ".join(map(str, sorted(set(some))))))
    by = ["encoder", "train" if runs.train.nunique() <= FEW else "seeds"]
    rows = [_made_from(group, edition) for _, group in runs.groupby(by, sort=False)]
    about = f"What {name.replace('-', ' ').capitalize()} of the paper is made from here"
    header = ["fine-tuned on", "tested on", "digests", "made", "recomputed by"]
    return show.table(about, f"origin-{name}", header, rows, edition, text=True)


def _made_from(runs: pd.DataFrame, edition: Edition) -> list[str]:
    first, tests = runs.iloc[0], runs.drop_duplicates("evaluate")
    codes, on = (column.map(show.label).unique() for column in (runs.train, tests.evaluate))
    seeds = " ".join(f"--seed {seed}" for seed in first.seeds.split(", "))
    chosen = f"--train {first.train}" if len(codes) == 1 else seeds
    chosen = f"--task {first.task} --encoder {first.encoder} {chosen}"
    again = f"`crosslingual verify --edition {edition.name} {chosen}`"
    words = f"{tests.words.sum():,} {'entities' if first.task == 'ner' else 'words'}"
    corpus = f"corpus `{first.train_digest[:8]}`\n" * (len(codes) == 1)
    digest = first.encoder_digest  # none of what has no encoder
    encoder = "no encoder" if pd.isna(digest) else f"encoder `{digest[:8]}`"
    told = [
        f"**{_few(codes)}**, {edition.encoder_title(first.encoder)}\nseeds {first.seeds}",
        f"{_few(on)}\n{tests.sentences.sum():,} sentences\n{words}",
        f"{corpus}{encoder}",
        f"{pd.Timestamp(runs.date.min()):%d %b %Y}",
    ]
    *unbroken, when = [cell.replace(" ", "\N{NO-BREAK SPACE}") for cell in told]
    devices = ", ".join(sorted(set(runs.device)))
    by = again if first.origin == "recorded" else first.origin
    return [*unbroken, f"{when}\n{devices}", by]


def _few(codes: Sequence[str]) -> str:
    return " ".join(codes) if len(codes) <= FEW else f"{len(codes)} languages"


def tested_on(runs: pd.DataFrame) -> pd.DataFrame:
    """Corpora evaluated on: task, language, sentences, words or entities, digest."""
    each = runs.drop_duplicates(["task", "evaluate"]).sort_values(["task", "evaluate"])
    shown = {name: each[name].map("{:,}".format) for name in ("sentences", "words")}
    each = each.assign(language=each.evaluate.map(show.label), digest=each.evaluate_digest.str[:8])
    columns = ["task", "language", "sentences", "words", "digest"]
    return each.assign(**shown)[columns].rename(columns={"words": "words or entities"})


def files(carried: pd.DataFrame) -> show.Table:
    """The files that go with tables and figures, as `book.carried` has them, one of these a row."""
    rows, order = [], list(downloads.LINKS)
    parts = carried.assign(stem=carried.file.str.split(".", n=1).str[0])
    for (chapter, _, about), each in parts.groupby(["chapter", "stem", "about"], sort=False):
        found = sorted(each.file, key=lambda name: order.index(name.split(".", 1)[1]))
        linked = " · ".join(map(downloads.link, found))
        rows.append([f"{{doc}}`/{chapter}`", about.split(". ")[0], linked])
    caption = "What can be taken along, by chapter."
    return show.Table(caption, "files", ["chapter", "what", "files"], rows, text=True)


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
    recorded = pd.concat([valued(frame).origin == "recorded" for frame in frames])
    told = f"Of the {len(recorded):,} rows of results {recorded.sum():,} came recorded with the"
    return f"{told} book and {(~recorded).sum():,} were computed here."


def made_with(scores: pd.DataFrame) -> pd.DataFrame:
    """Versions of the functions that determine scores, as rows were made with: versions, rows."""
    versions = valued(scores).made_from.map(lambda made: json.loads(made).get("versions", ""))
    return versions.value_counts().rename_axis("versions").rename("rows").reset_index()


def encoders(edition: Edition) -> pd.DataFrame:
    """The edition's encoders: role, called (in tables), from (where), licence of the weights."""
    entries = edition.document.encoders.items()
    rows = [[role, edition.encoder_title(role), e.origin, e.licence] for role, e in entries]
    return pd.DataFrame(rows, columns=["role", "called", "from", "licence"])


def cards(edition: Edition) -> str:
    """The cards beside the weights that are here as HTML, their headings as bold lines.

    They may be anybody's: no HTML, image or heading of theirs is taken over.
    """
    told = []
    for name in edition.encoders:
        with suppress(ValueError, OSError):  # its folder is missing, or has no card
            if folder := edition.encoder(name).at_hand:
                told.append((folder / "README.md").read_text("utf-8"))
    text = re.sub(r"(?m)^ *#+ (.*)$", r"**\1**", "\n\n---\n\n".join(told))
    return MarkdownIt(options_update={"html": False}).disable(["image", "lheading"]).render(text)


# What could not be reproduced


def facts(name: str) -> pd.DataFrame:
    """A table of ``data/``, like "substitutes" (of what cannot be had) or "faults" (tried)."""
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
