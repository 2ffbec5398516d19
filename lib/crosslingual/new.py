"""An edition for corpora and an encoder of one's own, written after a look at what is there."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import yaml
from babel import Locale
from babel.core import get_global

from crosslingual import languages
from crosslingual.corpora import SPLITS, CorpusUnavailable, formats
from crosslingual.edition import Edition, EditionError
from crosslingual.models.encoder import Encoder, unknown_share

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

KINDS = {".conllu": "pos"} | dict.fromkeys([".conll", ".bio", ".iob", ".iob2", ".tsv"], "ner")
NAMES = {split: split for split in SPLITS} | dict.fromkeys(["valid", "validation", "devel"], "dev")
SAMPLE = 64  # sentences of a file that the tokenizer is tried on
COMMENTS = {
    "title": "Written by `crosslingual new` after a look at your files; all of it may be changed.",
    "seeds": "Of fine-tuning; from two on their spread is shown; this book's tables have three.",
    "encoders": "By role; an en-bert, pre-trained on one language, would be the paper's control.",
    "corpora": "Files are relative to root. Parallel text is parallel: {en-de: [my/en, my/de]}.",
    "languages": "These alone; further ones that the paper has are downloaded.",
    "new_languages": "Yours to add: order (SVO, SOV), features of WALS ({87A: Noun-Adjective}).",
    "recipe": "The paper's hyper-parameters, which hold without this key, too.",
}


class Found(NamedTuple):
    """A file of a corpus: what it is of, how much is in it, the share (0-1) of [UNK] in it."""

    task: str
    language: str
    split: str
    path: str
    sentences: int
    words: int
    tags: int
    unknown: float


def write(name: str, encoder: str, data: Path) -> tuple[Edition, pd.DataFrame, list[str]]:
    """Write ``<name>.yml`` beside the folder ``data``; ``encoder`` is a folder or a hub's name.

    Returns the edition and what `survey` finds. Raises EditionError where there is no corpus, or
    such a file already, and EncoderUnavailable; nothing is written then.
    """
    path, place = data.resolve().parent / f"{name}.yml", Path(encoder).expanduser()
    if path.exists():
        raise EditionError(f"{path} exists: choose another name, or remove it.")
    here = place.is_dir()
    found, others = survey(data, Encoder(name, encoder, "" if here else "main").tokenizer)
    if found.empty:
        told = "; ".join(others) or f"no file in it ends in {' or '.join(KINDS)}"
        raise EditionError(f"{data} has no corpus: {told}.")
    entry = {"path": relpath(place.resolve(), path.parent)} if here else {"hub": encoder}
    path.write_text(_text(name, entry | {"title": place.name}, data.resolve(), found), "utf-8")
    return Edition.load(path), found, others


def told(edition: Edition, found: pd.DataFrame, others: list[str]) -> str:
    """What `write` found, and what the book shows of it, for a terminal."""
    shown = found.assign(unknown=found.unknown.map("{:.1%}".format))
    lines = [shown.rename(columns={"unknown": "[UNK]"}).to_string(index=False)]
    lines += [f"Left out: {problem}." for problem in others]
    for (task, code), some in found.groupby(["task", "language"]):
        lacking = [split for split in ("train", "test") if split not in {*some.split}]
        lines += [f"Without a {split} file: {task} {code}." for split in lacking]
    for task, chapter in {"pos": "4, tagging", "ner": "3, entities"}.items():
        codes = edition.languages(task)
        lines.append(f"Chapter {chapter}: {' '.join(codes) or 'nothing, for want of a corpus'}.")
    lines.append("Chapter 5, retrieval: nothing, until `pairs` names languages with parallel text.")
    return "\n".join([*lines, f"Written: {edition.path}"])


def survey(data: Path, tokenizer: PreTrainedTokenizerFast) -> tuple[pd.DataFrame, list[str]]:
    """The corpora below a folder, columns as of `Found`, and why other files are none."""
    found: dict[tuple, Found] = {}
    others = []
    for path in sorted(path for path in data.rglob("*") if path.suffix in KINDS):
        try:
            one = _corpus(data, path, tokenizer)
        except CorpusUnavailable as problem:
            others.append(str(problem).removesuffix("."))
            continue
        if (first := found.setdefault(one[:3], one)) is not one:
            others.append(f"{one.path} is one more for {' '.join(one[:3])}, beside {first.path}")
    return pd.DataFrame(sorted(found.values()), columns=Found._fields), others


def _corpus(data: Path, path: Path, tokenizer: PreTrainedTokenizerFast) -> Found:
    place, task = path.relative_to(data), KINDS[path.suffix]
    code, split = _named(place)
    corpus = (formats.read_conllu if task == "pos" else formats.read_conll)(path)
    labels = [label for sentence in corpus["labels"] for label in sentence]
    unknown = unknown_share(tokenizer, corpus["tokens"][:SAMPLE])
    return Found(task, code, split, str(place), len(corpus), len(labels), len({*labels}), unknown)


def _named(place: Path) -> tuple[str, str]:
    """Language and split, by a name like ``sw_x-ud-train.conllu`` or ``sw/train.conllu``."""
    parts, aliases = re.split("[^a-z]+", place.stem.lower()), get_global("language_aliases")
    split = next((NAMES[part] for part in parts if part in NAMES), None)
    for code in [
        place.stem.lower().split("-")[0],
        parts[0],
        *(folder.name for folder in place.parents),
    ]:
        short = code if code in languages.facts() else aliases.get(code, code)  # eng is en
        if split and (short in languages.facts() or short in Locale("en").languages):
            return short, split
    remedy = "name it like sw-train, sw_x-ud-dev or sw/test"
    raise CorpusUnavailable(f"{place} does not say its language and split: {remedy}")


def _text(name: str, encoder: dict[str, str], data: Path, found: pd.DataFrame) -> str:
    """The edition's file, a comment before each key."""
    files: dict[str, dict] = {"pos": {}, "ner": {}}
    for (task, code), some in found.groupby(["task", "language"]):
        files[task][code] = dict(zip(some.split, some.path, strict=True))
    new = sorted({*found.language} - {*languages.facts()})
    values: dict[str, Any] = {"title": name, "seeds": [1], "encoders": {"m-bert": encoder}}
    values["corpora"] = {"source": "published", "root": data.name, "files": files}
    values["languages"] = {task: [*codes] for task, codes in files.items()} | {"code-switching": []}
    values["new_languages"] = {code: _declared(code) for code in new}
    values["recipe"] = {"epochs": 3, "learning_rate": 3e-5}
    text = yaml.safe_dump(values, default_flow_style=None, sort_keys=False, width=200)
    told = {f"{key}:": f"\n# {comment}\n{key}:" for key, comment in COMMENTS.items()}
    lines = (re.sub(r"^\w+:", lambda key: told[key[0]], line) for line in text.splitlines())
    return "\n".join([*lines, ""]).lstrip()


def _declared(code: str) -> dict[str, str]:
    """What Unicode's data say of a language."""
    scripts = re.findall("[A-Z][a-z]{3}", get_global("likely_subtags").get(code, "Zyyy"))
    return {"name": Locale("en").languages[code], "script": scripts[0], "family": "not stated"}
