"""Where corpora come from, and what can be said of one: its digest and its size.

A *source* is a small class whose constructor takes the parameters of an edition's ``corpora:`` block:

    languages(task) -> list[str]                    names one can train on
    evaluation_languages(task) -> list[str]         names one can evaluate on
    labelled(task, language, split) -> Dataset      columns tokens, labels; split is train, dev or test
    parallel(source, target) -> Dataset             columns source, target
    fingerprint(task, language, split) -> str       digest of all that determines the corpus, cheaply
    text(language, sentences, pairs) -> list[str]   lines to pre-train on, without the evaluation text of ``pairs``
    text_fingerprint(language) -> str               what that text depends on, cheaply

``labelled``, ``parallel`` and ``fingerprint`` raise CorpusUnavailable when the corpus is not at hand.
"""

import inspect
import json
from hashlib import blake2b, sha256
from importlib import import_module
from typing import Any

from datasets import Dataset, concatenate_datasets

from crosslingual.corpora.text import CorpusError, CorpusUnavailable, labelled_corpus, parallel_text

__all__ = [
    "BadParameter",
    "CorpusError",
    "CorpusUnavailable",
    "NotAtHand",
    "SOURCES",
    "SPLITS",
    "TASKS",
    "check_sizes",
    "digest",
]
__all__ += ["concatenate", "first", "labelled_corpus", "open_source", "parallel_text", "statistics", "text_digest"]

TASKS = ["pos", "ner", "code-switching"]
SPLITS = ["train", "dev", "test"]
CODE_SWITCHING_TRAIN = ["hi+en", "corrected", "transliterated"]
CODE_SWITCHING_TEST = ["corrected", "transliterated"]

# Named, not imported: an edition that reads files need not load the artificial world.
SOURCES = {
    "pocket": "crosslingual.corpora.pocket:Pocket",
    "folder": "crosslingual.corpora.folder:Folder",
    "released": "crosslingual.corpora.released:Released",
}


class BadParameter(ValueError):
    """A parameter of a source that will not do; ``key`` is its path of keys inside the ``corpora:`` block."""

    def __init__(self, key: tuple, problem: str):
        super().__init__(problem)
        self.key = key


def open_source(name: str, parameters: dict[str, Any]):
    """The source of that name; raises BadParameter for an unknown source or parameter."""
    if name not in SOURCES:
        raise BadParameter(("source",), f"unknown source {name!r}: choose from {', '.join(SOURCES)}")
    module, _, attribute = SOURCES[name].partition(":")
    source = getattr(import_module(module), attribute)
    known = inspect.signature(source).parameters
    for key in parameters:
        if key not in known:
            raise BadParameter(
                (key,), f"unknown key {key!r} for the source {name}: choose from {', '.join(known)}"
            )
    return source(**parameters)


class NotAtHand:
    """A source that knows what another one has, and has nothing itself: ``reason`` says why."""

    def __init__(self, source, reason: str):
        self.languages, self.evaluation_languages = source.languages, source.evaluation_languages
        self.reason = reason

    def labelled(self, *key: str) -> Dataset:
        raise CorpusUnavailable(self.reason)

    parallel = fingerprint = text = text_fingerprint = labelled


def check_sizes(sizes: dict) -> dict:
    """``sizes``, checked to map tasks to splits to numbers of sentences, and ``parallel`` to a number."""
    if not isinstance(sizes, dict):
        raise BadParameter(("sizes",), "sizes is a mapping from tasks to splits to numbers of sentences")
    for task, per_split in sizes.items():
        if task not in [*TASKS, "parallel"]:
            raise BadParameter(
                ("sizes", task), f"unknown task {task!r}: choose from {', '.join(TASKS)}, parallel"
            )
        _check_task_sizes(("sizes", task), {"": per_split} if task == "parallel" else per_split)
    return sizes


def _check_task_sizes(key: tuple, per_split: dict) -> None:
    if not isinstance(per_split, dict):
        raise BadParameter(key, f"sizes of {key[-1]} is a mapping from splits to numbers of sentences")
    for split, size in per_split.items():
        if split and split not in SPLITS:
            raise BadParameter((*key, split), f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
        if type(size) is not int or size < 1:
            raise BadParameter(
                (*key, split) if split else key, f"{size!r} is no number of sentences: give 1 or more"
            )


def first(corpus: Dataset, size: int | None) -> Dataset:
    """The first ``size`` rows; all of them where there are fewer or ``size`` is None."""
    return corpus if size is None else corpus.select(range(min(size, len(corpus))))


def concatenate(corpora: list[Dataset]) -> Dataset:
    """One corpus after the other, as the paper trains on monolingual Hindi and English together (Table 6)."""
    return concatenate_datasets(corpora)


def digest(corpus: Dataset) -> str:
    """32 hexadecimal digits that follow from sentences and labels in their order alone."""
    state = blake2b(digest_size=16)
    columns = sorted(corpus.column_names)
    for row in corpus:
        state.update(json.dumps([row[column] for column in columns], ensure_ascii=False).encode() + b"\n")
    return state.hexdigest()


def text_digest(text: Dataset) -> str:
    """64 hexadecimal digits that follow from the sentence pairs of a parallel text in their order alone."""
    lines = "\x00".join(f"{source}\x01{target}" for source, target in zip(text["source"], text["target"], strict=True))
    return sha256(lines.encode()).hexdigest()


def statistics(corpus: Dataset) -> dict[str, int]:
    """Numbers of sentences, tokens, types (distinct tokens) and entities (0 for part-of-speech labels)."""
    columns = corpus[:]
    tokens = [token for sentence in columns["tokens"] for token in sentence]
    entities = sum(label.startswith("B-") for labels in columns["labels"] for label in labels)
    return dict(sentences=len(corpus), tokens=len(tokens), types=len(set(tokens)), entities=entities)
