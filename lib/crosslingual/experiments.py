"""What the book asks for, by name: frames of results, computed where they are lacking.

Every frame has a row for each thing asked for: its value, where that comes from and what it was
made from, or a reason why there is none. What is recorded is shown; what is not, or was made from
other content than what is at hand, is computed here if all that it takes is at hand. A *job* is
the unit of computing and of keeping: a fine-tuned model with all its evaluations, say.

Columns of all frames: edition, reason ("", or why there is no value), note ("", or what differs
between what is at hand and what the row was made from), origin, made_from, date, device, seconds
(of the job), memory (peak, bytes).
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import permutations, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from zlib import crc32

import joblib
import numpy as np
import pandas as pd
from joblib import Memory, Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from crosslingual import corpora, languages
from crosslingual import results as kept
from crosslingual.corpora import fetch
from crosslingual.edition import Edition
from crosslingual.models import pieces, retrieve, score
from crosslingual.models.encoder import Encoder, check, decomposed
from crosslingual.workers import end_with

RECORDED = ["real", "pocket"]  # editions whose results come with the book
ENCODERS = ["m-bert", "en-bert"]
# Encoders of each task: Figures 1, 2 and Tables 1-5, 7, 8 need both, Table 6 the multilingual one.
TASKS = {"ner": ENCODERS, "pos": ENCODERS, "code-switching": ["m-bert"]}
# Fine-tuning corpora of the rows that tables print: these have all seeds, all others the first.
PRINTED = {
    ("ner", "m-bert"): ["en", "de", "nl", "es"],  # Table 1
    ("ner", "en-bert"): ["en", "de", "nl", "es"],  # Tables 3 and 7
    ("pos", "m-bert"): ["en", "de", "es", "it", "hi", "ur", "bg", "ja"],  # Tables 2 and 4
    ("pos", "en-bert"): ["en", "de", "es", "it"],  # Table 8
    ("code-switching", "m-bert"): ["hi+en", "corrected", "transliterated"],  # Table 6
}
WORLD = "pocket"  # the edition that shows the artificial world where another's languages are real
FLOORS = [score.MAJORITY, score.WORD_SHAPE]  # what zero-shot tagging is held against
# Taggers without an encoder, and by which of VERSIONS they are determined.
UNTAUGHT = dict.fromkeys(score.BASELINES, "baseline") | {score.BILSTM_CRF: "bilstm-crf"}
UNTAUGHT |= dict.fromkeys([score.TWO_READINGS, score.PUT_BACK], "transliteration")
LABELS = {"pos": corpora.UPOS, "code-switching": corpora.UPOS, "ner": corpora.IOB2}
# All sentences, and as many as NTREX has, so that curves of artificial and real text compare.
CANDIDATES = [0, 1997]
DRAWN = 40  # sentences in a drawing of the feature space
AS_IT_IS = "as it is"
BAR = "{percentage:3.0f}%|{bar}| {postfix} [{elapsed}<{remaining}]"
KEPT = "results kept of such a device"
SHORT = 10  # seconds: what takes less is computed in this process, as another takes that to begin
TAGGING = 1 / 3  # a piece that is tagged, in pieces trained on: a step goes there and twice back
TIMED = 64  # sentences
# Appendix A names neither decay, clipping nor Adam's bias correction, and is tuned to nothing.
VARIANTS: dict[str, dict[str, Any]] = {
    "weight decay 0.01": {"weight_decay": 0.01},
    "no clipping": {"max_grad_norm": 1e9},
    "no bias correction in Adam": {"bias_correction": False},
    "no dropout": {"dropout": 0.0},
    "batches of 16": {"batch_size": 16},
}
# Bumped by hand where the functions are that determine a result. Those of modules that load torch
# stand here too, as none is loaded to show a result; a test compares.
VERSIONS = {
    "alignment": pieces.VERSION,
    "overlap": pieces.OVERLAP_VERSION,
    "finetune": 2,
    "scoring": score.VERSION,
    "baseline": score.BASELINE_VERSION,
    "bilstm-crf": 1,
    "transliteration": 1,
    "retrieval": retrieve.VERSION,
}

_PLANNED: ContextVar[dict | None] = ContextVar("planned", default=None)  # jobs, while planning
_FAILED: dict[tuple, str] = {}  # what went wrong with a job, by edition's path and job


class ExperimentError(ValueError):
    """A computation that came to nothing; what was finished before is kept."""


@dataclass(frozen=True)
class Job:
    """A unit of computing: the kind of its frame, and what it is about (`Kind.unit`)."""

    kind: str
    about: tuple
    evaluate: tuple = ()  # corpora to evaluate a model on; without them, all

    def __str__(self) -> str:
        return " ".join(map(str, (self.kind, *self.about)))


class Kind(NamedTuple):
    """What the rows of a frame are about, and what they are made from.

    rows, unit: the columns that say what a row and a job is about. columns: its other columns.
    inputs: what a row is made from, part by part: "task/language/split", "encoder/name" or
    "parallel/source/target". versions: the functions that determine it, by name (VERSIONS).
    """

    rows: list[str]
    unit: list[str]
    columns: list[str]
    inputs: list[list[str]]
    versions: list[str]


@cache
def kinds() -> dict[str, Kind]:
    """The frames there are, by name: ``data/frames.csv``."""
    found = {}
    for row in languages.rows("frames.csv"):
        name, *cells = row.pop("kind"), *map(str.split, row.values())
        found[name] = Kind(*cells)._replace(inputs=[each.split("=") for each in cells[3]])
    return found


# ---- what the book asks for


def scores(
    edition: Edition,
    task: str,
    train: Sequence[str] | None = None,
    evaluate: Sequence[str] | None = None,
    seeds: int | None = None,
    encoders: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Scores of fine-tuned models, a row a model and evaluation corpus (Tables 1-8, Figures 1, 2).

    train: corpora to fine-tune on, each with all seeds; without it all of the edition's, of which
    rows that tables print (PRINTED), or all (`every_seed`), have all seeds, others the first.
    seeds: how many.
    Columns: task, encoder, train, evaluate, seed, score (percent), counts (see `score.count`),
    fell_apart, in_place_of (the seed for which this one stands, or -1).
    """
    targets = edition.evaluation_languages(task) if evaluate is None else evaluate
    asked: list[tuple] = []
    known, first = edition.languages(task), edition.seeds()[:1]
    for encoder in encoders or TASKS[task]:
        printed = [code for code in PRINTED.get((task, encoder), []) if code in known]
        printed = known if encoder in edition.every_seed.get(task, ()) else printed
        whole = printed if train is None else train
        others = [code for code in known if code not in printed] if train is None else []
        asked += product([task], [encoder], whole, targets, edition.seeds(seeds))
        asked += product([task], [encoder], others, targets, first)
    return _frame(edition, "scores", asked)


def baselines(edition: Edition) -> pd.DataFrame:
    """Tagging without pre-training: the majority class and word shape, every pair; as `scores`."""
    codes, targets = edition.languages("pos"), edition.evaluation_languages("pos")
    return _frame(edition, "scores", product(["pos"], FLOORS, codes, targets, [0]))


def earlier_work(edition: Edition, task: str, seeds: int | None = None) -> pd.DataFrame:
    """The systems without an encoder of Tables 3 ("ner") and 6 ("code-switching"); as `scores`.

    That of Lample et al. (2016) has no pre-training to transfer from, so each of its models is
    evaluated on its own language alone; those after Ball and Garrette (2018) and Bhat et al. (2018)
    are for text in Latin letters.
    """
    cells = [(score.BILSTM_CRF, code, code) for code in PRINTED["ner", "en-bert"]]
    if task == "code-switching":
        systems = [(score.TWO_READINGS, "hi+en"), (score.PUT_BACK, "transliterated")]
        cells = [(*system, "transliterated") for system in systems]
    cells = [cell for cell in cells if cell[1] in edition.languages(task)]
    rows = [(task, *cell, seed) for cell in cells for seed in edition.seeds(seeds)]
    return _frame(edition, "scores", rows)


def runs(edition: Edition, task: str) -> pd.DataFrame:
    """All kept runs, those that fell apart too; as `scores`, dev_score (of the source) if kept."""
    frame = _current(edition, "scores").astype({"fell_apart": bool})
    return frame[frame.task == task].assign(reason="")


def recorded(edition: Edition) -> pd.DataFrame:
    """Recorded scores of fine-tuned models that did not fall apart, as `scores`."""
    about = kinds()["scores"]
    frame = kept.read(edition.name, "scores", about.rows + about.columns)
    models = frame[(frame.origin == kept.RECORDED) & ~frame.encoder.isin(FLOORS)]
    models = models[~models.fell_apart.astype(bool)].dropna(subset="score")
    return kept.current(models, about.rows, partial(_made_from, edition, "scores"))


def lacking(edition: Edition, cells: pd.DataFrame) -> list[str]:
    """What is not at hand of all that rows of scores are made from, a sentence each."""
    names = {name for row in cells.itertuples() for name in _inputs("scores", row).values()}
    return sorted(filter(None, {_digest(edition, name, download=False)[1] for name in names}))


def variants(edition: Edition) -> pd.DataFrame:
    """M-BERT fine-tuned for tagging on English in variants of the recipe, first seed; as `scores`.

    Column variant; "as it is" has all of the edition's seeds. Without English, the first language.
    """
    known, targets = edition.languages("pos"), edition.evaluation_languages("pos")
    train = ["en"] if "en" in known else known[:1]
    usual = scores(edition, "pos", train, encoders=["m-bert"]).assign(variant=AS_IT_IS)
    asked = product(VARIANTS, ["pos"], ["m-bert"], train, targets, edition.seeds()[:1])
    return pd.concat([usual, _frame(edition, "variants", asked)], ignore_index=True)


def sizes(edition: Edition) -> pd.DataFrame:
    """Sizes of all corpora. Columns: task, language, split, sentences, tokens, types, entities."""
    asked = [(task, code, "train") for task in TASKS for code in edition.languages(task)]
    asked += [(task, code, "test") for task in TASKS for code in edition.evaluation_languages(task)]
    return _frame(edition, "sizes", asked)


def overlaps(edition: Edition, entities: int = 0) -> pd.DataFrame:
    """Overlap of entity word pieces, every ordered pair of Figure 1's languages, both encoders.

    ``entities`` draws that many from each side; 0 takes all. Columns as of `pieces.overlaps`, and
    encoder, entities.
    """
    pairs = list(permutations(figure_1_languages(edition), 2))
    return _frame(edition, "overlaps", [(e, *pair, entities) for e in ENCODERS for pair in pairs])


def common_size(edition: Edition) -> int:
    """The number of entities that each language of Figure 1 has that has any; 0 if none has."""
    known = sizes(edition).query("task == 'ner' and reason == '' and entities > 0")
    known = known[known.language.isin(figure_1_languages(edition))]
    return int(known.entities.min()) if len(known) else 0


def figure_1_languages(edition: Edition) -> list[str]:
    """Those of the paper's 16 named-entity languages that the edition has."""
    return [code for code in languages.NER16_LANGUAGES if code in edition.languages("ner")]


def retrieval(
    edition: Edition,
    pairs: Sequence[tuple[str, str]] | None = None,
    encoders: Sequence[str] = ("m-bert",),
) -> pd.DataFrame:
    """Translation retrieval by layer (Figure 3), of the edition's pairs or of others.

    Columns: encoder, source, target and those of `retrieve.curve`.
    """
    chosen = edition.pairs if pairs is None else pairs
    asked = [(encoder, *pair) for encoder in encoders for pair in chosen]
    return _frame(edition, "retrieval", asked)


def space(edition: Edition) -> pd.DataFrame:
    """Sentences of the edition's first pair and translations, drawn in two dimensions, by layer.

    Columns: encoder, source, target, layer, view ("no shift", "paper"), side, sentence, x, y, found
    (how many of the sentences have their translation nearest in that view).
    """
    return _frame(edition, "space", [("m-bert", *pair) for pair in edition.pairs[:1]])


def profile(edition: Edition) -> pd.DataFrame:
    """How far look-up gets in each treebank; columns: language and `score.profile`'s."""
    return _frame(edition, "profile", [(code,) for code in edition.languages("pos")])


def emergence(edition: Edition) -> pd.DataFrame:
    """The kept curves of snapshots of pre-training (nothing computes them)."""
    return _current(edition, "emergence").assign(reason="")


def interventions(edition: Edition) -> pd.DataFrame:
    """Kept probes of encoders of worlds that differ in one respect (nothing computes them).

    Made by ``book/recorded/pocket/made_by``. Columns: world, seed (of pre-training), step, measure,
    source, target, layer (of retrieval: the encoder's best over all pairs), score (percent, of
    words of the language alone; of the loss nats), every (percent of all words).
    """
    return _current(edition, "interventions").assign(reason="")


def labels(edition: Edition) -> pd.DataFrame:
    """Kept scores of taggers in which another piece bears a word's label (nothing computes them).

    alignment: "neither" (the first piece, a space before each word), "label" (the first piece that
    carries text, as everywhere else), "text" (words fed as they stand in text) or "both". split:
    "test", or "dev" (of the language fine-tuned on). bare: the share (0-1) of test words whose
    first piece is the bare sign of a space. Other columns as of `scores`.
    """
    return _current(edition, "labels").assign(reason="")


def confusion(edition: Edition) -> pd.DataFrame:
    """As `scores`; counts are kept frames [17, 17] of words by gold (rows) and predicted tag."""
    frame = _current(edition, "confusion").assign(reason="")
    named = [pd.DataFrame(each, corpora.UPOS, corpora.UPOS) for each in frame.counts]
    return frame.assign(counts=named)


def examples(edition: Edition) -> pd.DataFrame:
    """Sentences to show, word by word; artificial ones, as others may not be passed on.

    Columns: kind ("tagged", "switched"), language, word_number, word, second (its pieces, or how it
    is transliterated), tag.
    """
    told = artificial(edition)
    asked = [("tagged", code) for code in told.languages("pos")]
    asked += [("switched", "hi+en")] * bool(told.languages("code-switching"))
    return _frame(told, "examples", asked)


def artificial(edition: Edition) -> Edition:
    """The edition that speaks of the artificial world: this one, or the one that comes with it."""
    return edition if edition.artificial else Edition.load(WORLD)


def results(edition: Edition) -> dict[str, pd.DataFrame]:
    """Everything that the claims are judged on, by name."""
    found = {task: scores(edition, task) for task in TASKS}
    found |= {"overlap": overlaps(edition), "retrieval": retrieval(edition)}
    return found | {"earlier work, run": earlier_work(edition, "ner")}


def judged(edition: Edition, judge: Callable[[dict, Edition], pd.DataFrame]) -> dict:
    """What ``judge`` says of an edition's `results`, and of the other recorded ones', by name.

    It is said once, and anew when results, edition or library change; kept in ``_build/claims``.
    """
    memory = Memory(kept.root() / "_build/claims", verbose=0, compress=True)  # with a check sum
    once = memory.cache(_judged_once, ignore=["judge"])
    others = [Edition.load(name) for name in RECORDED if any(kept.recorded(name).glob("*.parquet"))]
    every = [edition, *(other for other in others if other.name != edition.name)]
    return {one.name: once(one.path, one is edition, _content(one), judge) for one in every}


def _judged_once(path: Path, compute: bool, content: str, judge: Callable) -> pd.DataFrame:
    edition = Edition.load(path)
    with nullcontext() if compute else nothing_computed():
        return judge(results(edition), edition)


def _content(edition: Edition) -> str:
    """Digest of all that an edition's results are read from, and of the library."""
    library = [path for path in Path(__file__).parent.rglob("*") if path.suffix in (".py", ".csv")]
    folders = kept.recorded(edition.name), kept.local(edition.name)
    parquet = [path for folder in folders for path in folder.rglob("*.parquet")]
    return joblib.hash([path.read_bytes() for path in sorted([*library, *parquet, edition.path])])


def everything(edition: Edition) -> dict[str, list[pd.DataFrame]]:
    """All frames that the book reads of an edition, by kind."""
    others = [earlier_work(edition, task) for task in ("ner", "code-switching")]
    return {
        "scores": [*(scores(edition, task) for task in TASKS), baselines(edition), *others],
        "variants": [variants(edition).query("variant != @AS_IT_IS")],
        "sizes": [sizes(edition)],
        "overlaps": [overlaps(edition), overlaps(edition, common_size(edition))],
        "retrieval": [retrieval(edition), retrieval(edition, edition.further_pairs)],
        "space": [space(edition)],
        "profile": [profile(edition)] if edition.artificial else [],
        "examples": [examples(edition)] if edition.artificial else [],
        "emergence": [emergence(edition)],
    }


# ---- what is kept of it, and what lacks


def _frame(edition: Edition, kind: str, asked: Iterable[tuple]) -> pd.DataFrame:
    """A row for each tuple asked for (of the first columns of its kind), computed if it lacks."""
    columns, rows = kinds()[kind].rows, list(asked)
    keys = columns[: len(rows[0])] if rows else columns
    expected = pd.DataFrame(rows, columns=keys).drop_duplicates()
    found = _found(edition, kind, expected)
    if jobs := _jobs(edition, kind, found):
        run(edition, jobs)
        found = _found(edition, kind, expected)
    lacking = found.made_from.isna()
    reasons = []
    for row in found[lacking].itertuples(index=False):
        job = _job(kind, row)
        failed = _FAILED.get((edition.path, job)) or f"not computed yet ({job})."
        reasons.append(_absence(edition, kind, row) or failed)
    found.loc[lacking, "reason"] = reasons
    texts = ["origin", "note", "date", "device", "made_from"]
    found[texts] = found[texts].astype(object).fillna("")
    if "warning" in found:
        found["note"] = (found.note + " " + found.warning.astype(object).fillna("")).str.strip()
    mine = found.origin.eq(kept.COMPUTED) & ~found.note.str.startswith("not made")
    for place, row in zip(found.index[mine], found[mine].itertuples(index=False), strict=True):
        if why := _absence(edition, kind, row, download=False):
            told = f"Not known to be made from what the edition names: {why} {row.note}"
            found.loc[place, "note"] = told.strip()
    return found.assign(edition=edition.name)


def _found(edition: Edition, kind: str, expected: pd.DataFrame) -> pd.DataFrame:
    """The kept rows for those expected; a seed whose run fell apart gives way to its stand-in."""
    frame = _current(edition, kind)
    if kind == "scores":
        frame = frame[~frame.fell_apart.astype(bool)]
        frame = frame.assign(seed=frame.seed.where(frame.in_place_of < 0, frame.in_place_of))
    found = expected.merge(frame.astype(expected.dtypes.to_dict()), "left", list(expected))
    told = found.reason.astype(object).fillna("") if "reason" in found else ""
    return found.assign(reason=told)  # what is recorded may be that, and why, there is no value


def _current(edition: Edition, kind: str) -> pd.DataFrame:
    """The kept rows of a kind, one for each thing, from the content at hand where there is one."""
    return _judged(edition, kind, kept.stamp(edition.name, kind))


@lru_cache(maxsize=32)
def _judged(edition: Edition, kind: str, stamp: tuple) -> pd.DataFrame:
    """Read and judged once for all tables of a page; ``stamp`` changes with the files."""
    about = kinds()[kind]
    frame = kept.read(edition.name, kind, about.rows + about.columns)
    return kept.current(frame, about.rows, partial(_made_from, edition, kind))


def _jobs(edition: Edition, kind: str, found: pd.DataFrame) -> list[Job]:
    """What there is to compute: jobs that lack a row for which everything is at hand."""
    lacking = found[found.made_from.isna() | (found.note != "") | (found.reason != "")]
    rows = [row for row in lacking.itertuples(index=False) if not _absence(edition, kind, row)]
    jobs = dict.fromkeys(_job(kind, row) for row in rows)
    return [job for job in jobs if not _FAILED.get((edition.path, job))]  # once is enough


def _job(kind: str, row: Any) -> Job:
    return Job(kind, tuple(getattr(row, column) for column in kinds()[kind].unit))


def _absence(edition: Edition, kind: str, row: Any, download: bool = True) -> str:
    """What of all that a row is made from is not at hand, and how to get it; "" if all is."""
    names = _inputs(kind, row).values()
    download = download and fetch.TRANSFERS.get() and not row.reason
    return next(filter(None, (_digest(edition, name, download)[1] for name in names)), "")


def _made_from(edition: Edition, kind: str, row: Any) -> dict[str, str]:
    """All that determines a row and is at hand: digests, recipe, versions of functions."""
    inputs = _inputs(kind, row).items()
    digests = {part: _digest(edition, name, download=False)[0] for part, name in inputs}
    found = {part: digest for part, digest in digests.items() if digest}
    versions = [_floor(row), "scoring"] if _floor(row) else kinds()[kind].versions
    if "finetune" in versions and "task" in row._fields:
        found["recipe"] = str(_recipe(edition, row.task, getattr(row, "variant", AS_IT_IS)))
    return found | {"versions": " ".join(f"{name} {VERSIONS[name]}" for name in versions)}


def _inputs(kind: str, row: Any) -> dict[str, str]:
    named = {part: name.format(row=row) for part, name in kinds()[kind].inputs}
    if _floor(row):
        named.pop("encoder")
    if getattr(row, "encoder", "") == score.PUT_BACK:
        named |= {part: f"code-switching/{part}/train" for part in ("corrected", "hi+en")}
    return named


def _floor(row: Any) -> str:
    """What determines a tagger without an encoder; "" for others."""
    return UNTAUGHT.get(getattr(row, "encoder", ""), "")


@lru_cache(maxsize=4096)
def _digest(edition: Edition, name: str, download: bool = True) -> tuple[str, str]:
    """(digest, "") of a corpus, parallel text or encoder; ("", why) where it is not at hand."""
    what, *names = name.split("/")
    token = fetch.TRANSFERS.set(download)
    try:
        if what == "parallel":
            return edition.parallel_digest(*names), ""
        if what != "encoder":
            return edition.digest(what, *names), ""
        encoder = edition.encoder(*names)
        known = encoder.digest if download or encoder.at_hand else ""
        command = f"crosslingual encoders --fetch --edition {edition.name}"
        told = f"the encoder {encoder.name!r} is yet to be fetched, with `{command}`."
        return known, "" if known else told
    except ValueError as problem:
        return "", str(problem)
    finally:
        fetch.TRANSFERS.reset(token)


@lru_cache(maxsize=64)
def _recipe(edition: Edition, task: str, variant: str) -> Any:
    return edition.recipe(task, **VARIANTS.get(variant, {}))


# ---- computing: jobs on local processes


def plan(edition: Edition, download: bool = False) -> list[Job]:
    """The jobs that the whole book lacks and that can be computed here; nothing is computed.

    download: whether corpora are fetched meanwhile; else what rests on them counts as lacking.
    """
    with nothing_computed(download) as planned:
        everything(edition)
        return list(planned)


def part(jobs: Iterable[Job], share: str) -> list[Job]:
    """The third of eight parts of jobs, for "3/8"; a job's is the same whatever else lacks."""
    written = re.fullmatch(r"(\d+)/(\d+)", share)
    number, parts = map(int, written.groups()) if written else (0, 0)
    if not 1 <= number <= parts:
        raise ExperimentError(f"{share!r} is no part of a run: write it like 3/8.")
    return [job for job in jobs if crc32(str(job).encode()) % parts == number - 1]


@contextmanager
def nothing_computed(download: bool = False) -> Iterator[dict]:
    """Whatever is asked for meanwhile is shown as far as it is kept; yields the jobs that lack."""
    planned, transfers = _PLANNED.set({}), fetch.TRANSFERS.set(download)
    try:
        yield _PLANNED.get()
    finally:
        _PLANNED.reset(planned)
        fetch.TRANSFERS.reset(transfers)
        _digest.cache_clear()
        _judged.cache_clear()


def prepare(edition: Edition, fresh: bool = False) -> dict[str, list[pd.DataFrame]]:
    """Return `everything`, of which what lacks is computed; with ``fresh``, all of it anew."""
    if fresh:
        kept.begin_afresh(edition.name)
    run(edition, plan(edition, download=True))  # in one go: each kind alone would leave cores idle
    found = everything(edition)  # with what rests on the sizes of corpora, once these are known
    kept.end_afresh(edition.name)
    return found


def record(edition: Edition) -> None:
    """Put all that the book reads of an edition into ``book/recorded``.

    Raises ExperimentError where something lacks that could be computed.
    """
    if jobs := plan(edition):
        raise ExperimentError(
            f"{len(jobs)} results of the edition {edition.name} have yet to be computed, the first "
            f"being {jobs[0]}: do `crosslingual run --edition {edition.name}`."
        )
    found = everything(edition)
    found["scores"] += [frame[frame.fell_apart] for frame in (runs(edition, t) for t in TASKS)]
    for kind, frames in found.items():
        frame, keys = pd.concat(frames), kinds()[kind].rows
        whole = frame[frame.made_from != ""].drop_duplicates(keys)
        kept.record(edition.name, kind, whole.sort_values(keys))


def run(edition: Edition, jobs: list[Job], workers: int | None = None) -> int:
    """Compute jobs on local processes, one thread each, with a bar; each is kept when it is done.

    Returns how many could not be computed.

    workers: processes; by default one per processor, or per GPU, and none but this where all is
    expected to take less than ``SHORT``. Interrupting loses the jobs in flight only. What a job
    cannot do (a broken corpus, a training that diverges) becomes the reason of its rows. Raises
    ExperimentError when a process dies.
    """
    if (planned := _PLANNED.get()) is not None:
        planned.update(dict.fromkeys(jobs))
    if not jobs or planned is not None:
        return 0
    _digest.cache_clear()  # meanwhile corpora may have been fetched
    short = sum(estimate(edition, job)[0] for job in jobs) < SHORT
    number = 1 if short else min(workers or default_workers(), len(jobs))
    tqdm.write(f"{edition.name}: {cost(edition, jobs, number)}.")
    done = _side_by_side(edition, computed, jobs, number)
    return sum(not conclude(edition, job, result) for job, result in done)


def remade(edition: Edition, jobs: list[Job], workers: int) -> Iterator[pd.DataFrame]:
    """Models fine-tuned anew. Columns as of `scores`; nothing is kept."""
    number = min(workers, len(jobs))
    tqdm.write(f"{edition.name}, anew: {cost(edition, jobs, number)}.")
    return _side_by_side(edition, _remake, jobs, number)


def _side_by_side(edition: Edition, function: Callable, jobs: list[Job], number: int) -> Iterator:
    """What a function returns of each job in worker processes, in the order in which they end.

    The bar, and the time that it says remains, go by the seconds expected of each.
    """
    begun = time.time_ns()
    calls = (delayed(_call)(i, begun, edition.path, function, job) for i, job in enumerate(jobs))
    seconds = [estimate(edition, job)[0] for job in jobs]
    try:
        how = {"return_as": "generator_unordered", "batch_size": 1}
        how |= {"initializer": end_with, "initargs": (os.getpid(),)}
        pool = Parallel(number, backend="loky", **how)
        with tqdm(total=sum(seconds), bar_format=BAR, leave=False) as bar:
            for done, (index, result) in enumerate(pool(calls), 1):
                bar.set_postfix_str(f"{done} of {len(jobs)}", refresh=False)
                bar.update(seconds[index])
                yield result
    except TerminatedWorkerError as problem:
        raise ExperimentError(
            "A process died while computing, perhaps for want of memory; run again with fewer "
            "workers. What is finished is kept."
        ) from problem


def cost(edition: Edition, jobs: list[Job], workers: int) -> str:
    """What jobs are and take: "165 models and 5 other results, about 16 minutes ..."."""
    models = sum(job.kind in ("scores", "variants") for job in jobs)
    seconds, bases = zip(*(estimate(edition, job) for job in jobs), strict=True)
    minutes = sum(seconds) / workers / 60
    shown = f"{minutes / 60:.1f} hours" if minutes > 90 else f"{max(1, minutes):.0f} minute(s)"
    told = f"{models} models and {len(jobs) - models} other results, about {shown} on {workers}"
    told += f", going by {' and '.join(sorted({*bases} - {''}) or ['a guess'])}"
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    return told + "; the machine is busy now, with which it takes longer" * busy


@lru_cache(maxsize=4096)
def estimate(edition: Edition, job: Job) -> tuple[float, str]:
    """Seconds that a job takes, and what that rests on.

    A model goes by its word pieces: those it is trained on, those it tags. What a piece took in
    models kept of this encoder and device is taken, or else what a few sentences take now.
    """
    if job.kind in ("scores", "variants"):
        task, encoder, train, _ = job.about[-4:]
        targets = job.evaluate or edition.evaluation_languages(task)
        with suppress(ValueError):  # which the job itself will say
            training, tagging, basis = _rates(edition, task, encoder)
            trained, tagged = _pieces(edition, task, encoder, train, targets)
            return training * trained + tagging * tagged, basis
    known = _ever(edition, job.kind)
    for column in {"task", "encoder"} & set(known):
        known = known[known[column].isin(job.about)]
    return (float(known.seconds.median()), KEPT) if len(known) else (1.0, "")


@lru_cache(maxsize=16)
def _ever(edition: Edition, kind: str) -> pd.DataFrame:
    """The rows kept, in a fresh run too, that were computed on a device like this one."""
    known = kept.read(edition.name, kind, kinds()[kind].rows, always=True)
    return known[known.device.astype(str).str.startswith(_where()["device"].split(",")[0])]


@lru_cache(maxsize=1024)
def _words(edition: Edition, *corpus: str) -> int:
    """Words of a corpus, by (task, language, split); 0 where it is not at hand."""
    known = _current(edition, "sizes").dropna(subset="tokens")
    for row in known[(known[kinds()["sizes"].unit] == corpus).all(axis=1)].itertuples():
        return int(row.tokens)
    here = _at_hand(edition, *corpus)
    return sum(map(len, edition.corpus(*corpus)["tokens"])) if here else 0


def _at_hand(edition: Edition, *corpus: str) -> bool:
    return bool(_digest(edition, "/".join(corpus), download=False)[0])


def _pieces(
    edition: Edition, task: str, encoder: str, train: str, targets: Sequence[str]
) -> tuple[float, float]:
    """Word pieces that a model is trained on, in all epochs, and that it tags."""
    read = [(train, "train"), *((code, "test") for code in targets)]
    trained, *tagged = (
        _words(edition, task, *corpus) * _fertility(edition, task, encoder, corpus[0])
        for corpus in read
    )
    return trained * edition.recipe(task).epochs, sum(tagged)


@lru_cache(maxsize=1024)
def _fertility(edition: Edition, task: str, encoder: str, language: str) -> float:
    """Word pieces a word in the first sentences of a language; 1 without an encoder or text."""
    splits = [split for split in ("test", "train") if _at_hand(edition, task, language, split)]
    if encoder in UNTAUGHT or not splits:
        return 1.0
    some = edition.corpus(task, language, splits[0])[:TIMED]["tokens"]
    rows = pieces.encode(edition.encoder(encoder).tokenizer, some, 128).rows
    return sum(map(len, rows)) / sum(map(len, some))


@lru_cache(maxsize=16)
def _rates(edition: Edition, task: str, encoder: str) -> tuple[float, float, str]:
    """Seconds a piece of an epoch, seconds a piece that is tagged, and what that rests on."""
    known = _ever(edition, "scores").query("task == @task and encoder == @encoder")
    same = known.made_from.str.contains(str(_recipe(edition, task, AS_IT_IS)), regex=False)
    known, rates = known[same] if same.any() else known, []
    for (train, *_), model in known.groupby(["train", "seed", "origin"]):
        trained, tagged = _pieces(edition, task, encoder, train, model.evaluate)
        rates += [model.seconds.iloc[0] / (trained + TAGGING * tagged)] if trained else []
    if rates:
        return float(np.median(rates)), TAGGING * float(np.median(rates)), KEPT
    return *_timed(edition, task, encoder), f"{TIMED} sentences timed now"


def _timed(edition: Edition, task: str, encoder: str) -> tuple[float, float]:
    """Processor seconds a piece of an epoch, and one that is tagged, on one thread as in a job.

    Of the language that the encoder cuts neither most nor least, and of sentences of about the mean
    length, in batches that cost the mean, therefore; and of the seconds that more epochs take, so
    that loading does not count.
    """
    import torch  # here, as showing results needs no torch

    from crosslingual.models.finetune import finetune

    here = [code for code in edition.languages(task) if _at_hand(edition, task, code, "train")]
    here.sort(key=partial(_fertility, edition, task, encoder))
    corpus, one = edition.corpus(task, here[len(here) // 2], "train"), edition.encoder(encoder)
    lengths = np.array(list(map(len, corpus["tokens"])))
    typical = np.argsort(abs(lengths - lengths.mean()), kind="stable")[:TIMED]
    text, threads = list(corpus.select(typical)[:].values()), torch.get_num_threads()

    def spent(epochs: int) -> tuple[float, Any]:
        started, recipe = time.process_time(), edition.recipe(task, epochs=epochs)
        tagger = finetune(one, *text, LABELS[task], recipe, seed=0)
        return time.process_time() - started, tagger

    torch.set_num_threads(1)
    _, (once, tagger) = spent(1), spent(1)  # the first warms files, caches and kernels
    more = 2 if once > 2 else 24
    training = (spent(1 + more)[0] - once) / more
    encoded = pieces.encode(one.tokenizer, text[0] * 4, tagger.max_length)
    started, size = time.process_time(), sum(map(len, encoded.rows))
    tagger.tag(encoded)
    tagging = time.process_time() - started
    torch.set_num_threads(threads)
    return training / (size / 4), tagging / size


def default_workers() -> int:
    """One process per GPU, or per processor that this process may use."""
    from torch import cuda

    return cuda.device_count() if cuda.is_available() else joblib.cpu_count()


def _call(number: int, begun: int, path: Path, function: Callable, job: Job) -> tuple[int, Any]:
    _settle(number)
    return number, function(_edition(path, begun), job)


def _remake(edition: Edition, job: Job) -> pd.DataFrame:
    return _evaluated(edition, (AS_IT_IS, *job.about), job.evaluate)


def computed(edition: Edition, job: Job) -> tuple[Job, pd.DataFrame | str]:
    """A job's rows and what they were made from; or, in a sentence, what went wrong."""
    started = time.perf_counter()
    about = SimpleNamespace(**dict(zip(kinds()[job.kind].unit, job.about, strict=True)))
    for _, name in kinds()[job.kind].inputs:
        with suppress(AttributeError):  # what is evaluated on, whose digest `_texts` asks for
            _digest(edition, name.format(row=about), download=False)  # before it is read
    try:
        frame = MAKERS[job.kind](edition, *job.about)
    except ValueError as problem:
        return job, str(problem)
    frame = frame.assign(**dict(zip(kinds()[job.kind].unit, job.about, strict=True)))
    parts = [_made_from(edition, job.kind, row) for row in frame.itertuples(index=False)]
    about = {"seconds": round(time.perf_counter() - started, 2)} | _where() | kept.about()
    return job, frame.assign(made_from=list(map(json.dumps, parts)), **about)


def conclude(edition: Edition, job: Job, result: pd.DataFrame | str) -> bool:
    """Keep the rows of a job, or say and remember what went wrong; whether they are kept."""
    failed = isinstance(result, str)
    _FAILED[edition.path, job] = result if failed else ""
    if failed:
        tqdm.write(f"{job}: {result}", sys.stderr)
    else:
        kept.keep(edition.name, job.kind, result, job.about)
    return not failed


@lru_cache(maxsize=1)
def _edition(path: Path, begun: int) -> Edition:
    """Once per run and process: its corpora are made once, of the files that are there then."""
    Encoder.tokenizer.fget.cache_clear()
    return Edition.load(path)


@cache
def _settle(number: int) -> None:
    """Once per process: one thread, and a GPU in turn."""
    import torch

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())


def _where() -> dict[str, str | float]:
    """device: what is computed on, as results name it; memory: the most bytes in use so far."""
    import torch

    if torch.cuda.is_available():
        memory = float(torch.cuda.max_memory_allocated())
        return {"device": torch.cuda.get_device_name(), "memory": memory}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = float(most * (1 if sys.platform == "darwin" else 1024))
    return {"device": f"cpu, {torch.get_num_threads()} thread(s)", "memory": memory}


# ---- what each kind of job makes: rows, to which `computed` adds what they are about


def _make_scores(edition: Edition, *about: Any) -> pd.DataFrame:
    return _make_variants(edition, AS_IT_IS, *about).drop(columns="variant")


def _make_variants(edition: Edition, *about: Any) -> pd.DataFrame:
    _, task, encoder, train, _ = about
    warning = "" if encoder in UNTAUGHT else _warnings(edition, encoder, task)
    own = encoder == score.BILSTM_CRF  # which has read no other language
    targets = [train] if own else edition.evaluation_languages(task)
    return _evaluated(edition, about, targets).assign(warning=warning)


def _evaluated(edition: Edition, about: tuple, targets: Sequence[str]) -> pd.DataFrame:
    """One model, or baseline, with those evaluations for which text is at hand.

    about: variant of the recipe, task, encoder, corpus to fine-tune on, seed.
    """
    _, task, encoder, train, seed = about
    tests = _texts(edition, task, tuple(targets), "test")
    if encoder in UNTAUGHT:
        tagger = _untaught(edition, task, encoder, train, seed)
        predicted = [tagger.predict(test["tokens"]) for test in tests.values()]
    else:
        predicted = _finetuned(edition, about, tuple(targets))
    gold = [test["labels"] for test in tests.values()]
    counts = [score.count(task, *both) for both in zip(gold, predicted, strict=True)]
    named = dict(zip(kinds()["variants"].unit, about, strict=True))
    frame = pd.DataFrame({"evaluate": list(tests), "counts": counts}).assign(**named)
    values = [score.percent(each) for each in counts]
    return frame.assign(score=values, fell_apart=False, in_place_of=-1)


def _untaught(edition: Edition, task: str, name: str, train: str, seed: int) -> Any:
    tokens, labels = edition.corpus(task, train, "train")[:].values()
    if name in score.BASELINES:
        return score.baseline(name, tokens, labels)
    from crosslingual.models import bilstm_crf, transliteration

    if name == score.BILSTM_CRF:
        return bilstm_crf.BiLSTMCRF(tokens, labels, seed)
    if name == score.TWO_READINGS:
        return transliteration.TwoReadings(tokens, labels, seed)
    corrected, mixed = (edition.corpus(task, part, "train")[:] for part in ("corrected", "hi+en"))
    both = *corrected.values(), *mixed.values()
    return transliteration.BackTransliteration(tokens, *both, seed)


def _finetuned(edition: Edition, about: tuple, targets: tuple) -> list[list[list[str]]]:
    """Predicted labels of the test corpora, which are tagged as one."""
    from crosslingual.models.finetune import finetune

    variant, task, encoder, train, seed = about
    text, recipe = edition.corpus(task, train, "train")[:], _recipe(edition, task, variant)
    tagger = finetune(edition.encoder(encoder), *text.values(), LABELS[task], recipe, seed)
    encoded = _encoded(edition, task, encoder, tagger.max_length, targets)
    tags = iter(encoded.by_sentence([tagger.labels[index] for index in tagger.tag(encoded)]))
    tests = _texts(edition, task, targets, "test").values()
    return [[next(tags) for _ in test["tokens"]] for test in tests]


@lru_cache(maxsize=4)
def _encoded(
    edition: Edition, task: str, encoder: str, max_length: int, targets: tuple
) -> pieces.Encoded:
    """Once per process: it costs more than a tenth of an evaluation."""
    tests = _texts(edition, task, targets, "test")
    sentences = [words for test in tests.values() for words in test["tokens"]]
    return pieces.encode(edition.encoder(encoder).tokenizer, sentences, max_length)


@lru_cache(maxsize=4)
def _texts(edition: Edition, task: str, codes: tuple, split: str) -> dict[str, dict[str, list]]:
    """Those of some corpora that are at hand, as lists."""
    here = [code for code in codes if _at_hand(edition, task, code, split)]
    return {code: edition.corpus(task, code, split)[:] for code in here}


@lru_cache(maxsize=4)
def _warnings(edition: Edition, encoder: str, task: str) -> str:
    """What seems wrong with an encoder, of which one language may be all it knows, or with text."""
    texts = _texts(edition, "pos", tuple(edition.evaluation_languages("pos")), "test")
    some, one = {code: test["tokens"][:4] for code, test in texts.items()}, edition.encoder(encoder)
    tests = _texts(edition, task, tuple(edition.evaluation_languages(task)), "test")
    told = {code: test["tokens"][:50] for code, test in tests.items()}
    return " ".join([*(check(one, some) if some else []), *decomposed(one.tokenizer, told)])


def _make_overlaps(edition: Edition, encoder: str, entities: int) -> pd.DataFrame:
    codes = tuple(figure_1_languages(edition))
    train, test = (_texts(edition, "ner", codes, split) for split in ("train", "test"))
    named = {
        code: tuple(score.named_entities(*side[code].values()) for side in (train, test))
        for code in sorted(train.keys() & test.keys())
    }
    return pieces.overlaps(edition.encoder(encoder).tokenizer, named, entities)


def _make_retrieval(edition: Edition, encoder: str, source: str, target: str) -> pd.DataFrame:
    text = edition.parallel(source, target)[:]
    return retrieve.curve(edition.encoder(encoder), *text.values(), CANDIDATES)


def _make_space(edition: Edition, encoder: str, source: str, target: str) -> pd.DataFrame:
    text = edition.parallel(source, target)[:DRAWN]
    sides = [retrieve.sentence_vectors(edition.encoder(encoder), text[side]) for side in text]
    frames, layers = [], enumerate(zip(*sides, strict=True))
    for (layer, vectors), view in product(layers, ["no shift", "paper"]):
        found = round(retrieve.nearest_neighbour_hits(*vectors, view).sum())
        for side, xy in zip(["source", "target"], retrieve.drawn(*vectors, view), strict=True):
            frame = pd.DataFrame(xy, columns=["x", "y"]).rename_axis("sentence").reset_index()
            frames.append(frame.assign(layer=layer, view=view, side=side, found=found))
    return pd.concat(frames)


def _make_sizes(edition: Edition, task: str, language: str, split: str) -> pd.DataFrame:
    return pd.DataFrame([corpora.formats.statistics(edition.corpus(task, language, split))])


def _make_profile(edition: Edition, language: str) -> pd.DataFrame:
    train, test = (edition.corpus("pos", language, split)[:] for split in ("train", "test"))
    return pd.DataFrame([score.profile(*train.values(), *test.values())])


def _make_examples(edition: Edition, kind: str, language: str) -> pd.DataFrame:
    """A test sentence of six words or more with its pieces; a code-switched one spelled twice."""
    if kind == "tagged":
        corpus = edition.corpus("pos", language, "test")
        row = next((row for row in corpus if len(row["tokens"]) >= 6), corpus[0])
        cut = edition.encoder("m-bert").tokenizer.tokenize
        second = [" ".join(cut(word)) for word in row["tokens"]]
    else:
        row, second = _switched(edition)
    columns = {"word": row["tokens"], "second": second, "tag": row["labels"]}
    return pd.DataFrame(columns).rename_axis("word_number").reset_index()


def _switched(edition: Edition) -> tuple[dict, list[str]]:
    """A sentence of at most eight words in which about half of them are spelled anew."""
    corrected = edition.corpus("code-switching", "corrected", "test")
    typed = edition.corpus("code-switching", "transliterated", "test")["tokens"]

    def balance(index: int) -> tuple:
        pairs = list(zip(corrected[index]["tokens"], typed[index], strict=True))
        anew = sum(a != b for a, b in pairs)
        return len(pairs) <= 8, -abs(anew - len(pairs) / 2), len(pairs)

    chosen = max(range(len(typed)), key=balance)
    return corrected[chosen], typed[chosen]


MAKERS: dict[str, Callable[..., pd.DataFrame]] = {
    "scores": _make_scores,
    "variants": _make_variants,
    "overlaps": _make_overlaps,
    "retrieval": _make_retrieval,
    "space": _make_space,
    "sizes": _make_sizes,
    "profile": _make_profile,
    "examples": _make_examples,
}
