"""Text of an artificial world as files: CoNLL-U, CoNLL and plain text, and line-aligned parallel text."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from crosslingual.corpora import conll, conllu
from crosslingual.corpora.text import labelled_corpus
from crosslingual.pocket.grammar import Token
from crosslingual.pocket.world import NEWS, PLAIN, World, text

if TYPE_CHECKING:
    from crosslingual.editions import Edition

FORMATS = ["conllu", "conll", "text"]
STREAM = "export"  # draws of its own: no sentence is taken from the edition's corpora


class ExportError(ValueError):
    """A format, number or edition that there is no export for."""


def world_of(edition: "Edition") -> World:
    """The edition's world; raises an EditionError, naming file and line, where its corpora are real."""
    if not hasattr(edition.source, "world"):
        raise edition.error(("corpora", "source"), "these corpora are files already: choose an edition of the pocket world")
    return edition.source.world


def export(world: World, language: str, sentences: int, form: str, path: Path) -> None:
    """Write that many sentences: "conllu" with UPOS, "conll" with IOB2 tags of news, "text" a sentence a line.

    Raises ExportError for an unknown format, a number below 1 or a path that is a folder's, languages.UnknownLanguage.
    """
    _check_file(path)
    if form not in FORMATS:
        raise ExportError(f"unknown format {form!r}: choose from {', '.join(FORMATS)}")
    drawn = world.sentences(language, STREAM, NEWS if form == "conll" else PLAIN)
    said = list(islice(drawn, _checked(sentences)))
    if form == "text":
        _write(path, lambda draft: _write_lines(draft, said))
        return
    labels = [[token.upos if form == "conllu" else token.entity for token in sentence] for sentence in said]
    corpus = labelled_corpus([[token.form for token in sentence] for sentence in said], labels)
    _write(path, lambda draft: (conllu if form == "conllu" else conll).write(corpus, draft))


def export_parallel(world: World, source: str, target: str, sentences: int, path: Path) -> list[Path]:
    """Write pairs of sentences of one meaning to ``path`` with each language's code as its suffix: line i translates line i.

    Returns both paths, the source's first; raises as `export` does.
    """
    if source == target:
        raise ExportError(f"{source} cannot be translated into itself: choose another language")
    paths = [path.parent / f"{path.name}.{code}" for code in (source, target)]
    for file in paths:
        _check_file(file)
    pairs = world.parallel(source, target, _checked(sentences), STREAM)
    for side, file in zip(zip(*pairs), paths):
        _write(file, lambda draft, side=side: _write_lines(draft, side))
    return paths


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ExportError(f"{path} is a folder: give the name of a file to write")


def _checked(sentences: int) -> int:
    if sentences < 1:
        raise ExportError(f"{sentences} is no number of sentences: give 1 or more")
    return sentences


def _write_lines(path: Path, sentences: list[list[Token]]) -> None:
    path.write_text("".join(text(sentence) + "\n" for sentence in sentences), encoding="utf-8", newline="\n")


def _write(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a draft and put it in place in one step, so that no half file is ever there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    write(draft)
    draft.replace(path)
