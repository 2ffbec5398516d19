"""The results that chapters, claims and the command line share, so that each model is fine-tuned once.

Where a table prints a score by itself, all of the edition's seeds are used; a language that only enters averages
and trends has the first.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import pandas as pd

from crosslingual import baselines, languages, overlap, retrieval, transfer
from crosslingual.editions import Edition
from crosslingual.store import Store
from crosslingual.transfer import Cell

T = TypeVar("T")
ENCODERS = ["m-bert", "en-bert"]
# Encoders of each task: Figures 1 and 2 and Tables 1-5, 7, 8 need both, Table 6 the multilingual one.
TASKS = {"ner": ENCODERS, "pos": ENCODERS, "code-switching": ["m-bert"]}
# Fine-tuning corpora of the rows that tables print.
PRINTED = {
    ("ner", "m-bert"): ["en", "de", "nl", "es"],  # Table 1
    ("ner", "en-bert"): ["en", "de", "nl", "es"],  # Tables 3 and 7
    ("pos", "m-bert"): ["en", "de", "es", "it", "hi", "ur", "bg", "ja"],  # Tables 2 and 4
    ("pos", "en-bert"): ["en", "de", "es", "it"],  # Table 8
    ("code-switching", "m-bert"): ["hi+en", "corrected", "transliterated"],  # Table 6
}
# All sentences, and as many as the NTREX text has, so that the pocket curve compares with the real one.
CANDIDATES = [None, 1997]
FLOORS = [baselines.MAJORITY, baselines.WORD_SHAPE]  # what zero-shot tagging is held against besides EN-BERT


def rows(edition: Edition, task: str, encoder: str) -> list[tuple[list[str], list[int]]]:
    """What to fine-tune on and with which seeds: the rows that tables print, then all other corpora."""
    known = edition.languages(task)
    printed = [code for code in PRINTED.get((task, encoder), []) if code in known]
    others = [code for code in known if code not in printed]
    seeds = edition.seeds(task)
    return [(codes, some) for codes, some in [(printed, seeds), (others, seeds[:1])] if codes]


def missing(edition: Edition, task: str, encoder: str, store: Store | None = None) -> list[Cell]:
    """The models of one grid that have yet to be fine-tuned."""
    evaluate = edition.evaluation_languages(task)
    plans = [transfer.plan(edition, task, encoder, train, evaluate, seeds, store)
             for train, seeds in rows(edition, task, encoder)]  # fmt: skip
    return [cell for plan in plans for cell in plan]


def of_the_book(edition: Edition, store: Store | None = None) -> list[Cell]:
    """Every model of the whole book that has yet to be fine-tuned."""
    return [cell for task, encoders in TASKS.items() for encoder in encoders
            for cell in missing(edition, task, encoder, store)]  # fmt: skip


def matrix(edition: Edition, task: str, encoder: str, store: Store | None = None,
           workers: int | None = None) -> pd.DataFrame:  # fmt: skip
    """``transfer.matrix`` of all corpora of a task with each other; see there for columns and attrs."""
    transfer.run(edition, missing(edition, task, encoder, store), store, workers)
    evaluate = edition.evaluation_languages(task)
    return join([transfer.matrix(edition, task, encoder, train, evaluate, seeds, store, workers)
                 for train, seeds in rows(edition, task, encoder)])  # fmt: skip


def both(edition: Edition, task: str, **options) -> pd.DataFrame:
    """The matrices of M-BERT and EN-BERT below each other."""
    return join([matrix(edition, task, encoder, **options) for encoder in ENCODERS])


def everything(edition: Edition, store: Store | None = None) -> pd.DataFrame:
    """Every matrix of the book below each other."""
    return join([matrix(edition, task, encoder, store) for task, encoders in TASKS.items() for encoder in encoders])


def overlaps(edition: Edition, entities: int | None = None, store: Store | None = None) -> pd.DataFrame:
    """``overlap.matrix`` of the languages of Figure 1 under the word pieces of M-BERT and of EN-BERT."""
    codes = figure_1_languages(edition)
    return join([overlap.matrix(edition, encoder, codes, entities, store=store) for encoder in ENCODERS])


def common_size(edition: Edition, store: Store | None = None) -> int:
    """The number of entities that every language of Figure 1 has, to compare overlaps of equal sets."""
    return overlap.common_size(edition, figure_1_languages(edition), store)


def figure_1_languages(edition: Edition) -> list[str]:
    """Those of the paper's 16 named-entity languages that the edition has."""
    return [code for code in languages.NER16_LANGUAGES if code in edition.languages("ner")]


def retrieval_curve(edition: Edition, encoder: str = "m-bert", store: Store | None = None) -> pd.DataFrame:
    """``retrieval.curve`` of the edition's pairs, at all sizes that Figure 3 shows."""
    return retrieval.curve(edition, encoder, candidates=CANDIDATES, store=store)


def further_retrieval(edition: Edition, store: Store | None = None) -> pd.DataFrame:
    """``retrieval.curve`` of M-BERT for the edition's further pairs."""
    return retrieval.curve(edition, "m-bert", edition.further_pairs, CANDIDATES, store=store)


def floors(edition: Edition, store: Store | None = None) -> pd.DataFrame:
    """Tagging without pre-training: ``baselines.matrix`` of the majority class and of word shape, every pair."""
    codes = edition.languages("pos"), edition.evaluation_languages("pos")
    return join([baselines.matrix(edition, "pos", name, *codes, store) for name in FLOORS])


def results(edition: Edition, store: Store | None = None) -> dict[str, pd.DataFrame]:
    """Everything that ``claims.evaluate`` judges."""
    return {
        "ner": both(edition, "ner", store=store),
        "pos": both(edition, "pos", store=store),
        "code-switching": matrix(edition, "code-switching", "m-bert", store),
        "overlap": overlaps(edition, store=store),
        "retrieval": retrieval_curve(edition, store=store),
    }


def beside(edition: Edition, read: Callable[[Edition], T]) -> dict[Edition, T]:
    """What ``read`` gives of each edition that is shown beside this one: kept results alone, as nothing is computed."""
    return {other: read(other) for other in edition.companions}


def join(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames below each other, with all of their signatures and all that is unavailable."""
    whole = pd.concat(frames, ignore_index=True)
    signatures = _merged(frame.attrs.get("signature", "") for frame in frames)
    unavailable = {key: why for frame in frames for key, why in frame.attrs.get("unavailable", {}).items()}
    whole.attrs = {"signature": "; ".join(filter(None, signatures)), "unavailable": unavailable}
    return whole


def means(frame: pd.DataFrame) -> pd.Series:
    """Mean score over seeds, by (train, evaluate)."""
    return frame.groupby(["train", "evaluate"], sort=False).score.mean()


def zero_shot(scores: pd.Series) -> pd.Series:
    """The pairs of different languages; ``scores`` is indexed by (train, evaluate), as ``published.TABLE_1.stack()``."""
    return scores[[train != evaluate for train, evaluate in scores.index]]


def in_language(scores: pd.Series) -> pd.Series:
    """The scores on the language that was fine-tuned on, by language."""
    return scores[[train == evaluate for train, evaluate in scores.index]].droplevel("evaluate")


def seed_ranges(frame: pd.DataFrame) -> pd.Series:
    """Highest minus lowest score over seeds, by (train, evaluate); NaN where there is one seed, and the range is not known."""
    runs = frame.groupby(["train", "evaluate"], sort=False).score
    return (runs.max() - runs.min()).where(runs.count() > 1)


def _merged(signatures: Iterable[str]) -> list[str]:
    """Signatures without repetition; those that differ in their seeds alone become one, "seeds 1,2,3 or 1"."""
    seeds: dict[str, dict[str, None]] = {}
    for signature in signatures:
        found = re.search(r"seeds ([\d,]+)", signature)
        seeds.setdefault(re.sub(r"seeds [\d,]+", "seeds *", signature), {})[found[1] if found else ""] = None
    return [signature.replace("seeds *", f"seeds {' or '.join(numbers)}") for signature, numbers in seeds.items()]
