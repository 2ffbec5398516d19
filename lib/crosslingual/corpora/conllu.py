"""CoNLL-U treebanks: the syntactic words and their tags (paper, section 2: 41 languages).

Multiword-token ranges (``3-4``), empty nodes (``8.1``) and comments are no words and are skipped. A FORM is
kept as it is: ``_`` is a word, and a FORM may hold spaces ("10 000"). Tags are the universal ones (UPOS), or
on request the treebank's own (XPOS).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import conllu
from conllu.exceptions import ParseException
from conllu.parser import parse_id_value
from datasets import Dataset

from crosslingual.corpora.text import CorpusError, CorpusUnavailable, labelled_corpus, read_lines

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
VERSION_1 = {"CONJ": "CCONJ"}
TAGS = ["upos", "xpos"]  # which column the labels are
VERSION_1_POLICIES = ["refuse", "convert"]
BLANK = "_"
Tag = Callable[[str | Path, int, list[str]], str]  # (path, line number, ten columns) -> label


def read(path: str | Path, encoding: str = "utf-8", tags: str = "upos", version_1: str = "refuse") -> Dataset:
    """A labelled corpus (``tokens``, ``labels`` = UPOS, or XPOS on request) from a CoNLL-U file.

    UPOS of UD version 1 are refused, or converted as far as the file tells: CONJ is CCONJ, and a VERB that is
    a copula (relation ``cop``) is AUX. Raises CorpusError, naming file, line and remedy, for a line that is
    not ten tab-separated columns, a word whose ID does not follow the one before, and a UPOS that is not one
    of the 17 of UD 2; CorpusUnavailable where XPOS are asked for and the file has none.
    """
    tag = _xpos if tags == "xpos" else _converted if version_1 == "convert" else _upos
    sentences = [list(zip(*words)) for words in _sentences(path, encoding, tag)]
    labels = [labels for _, labels in sentences]
    if tags == "xpos" and {label for row in labels for label in row} <= {BLANK}:
        raise CorpusUnavailable(
            f"{path} has no language-specific tags (every XPOS is _): use the UPOS instead."
        )
    return labelled_corpus([tokens for tokens, _ in sentences], labels)


def write(corpus: Dataset, path: str | Path) -> None:
    """Write a labelled corpus as CoNLL-U with only ID, FORM and UPOS filled."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for number, sentence in enumerate(corpus, start=1):
            file.write(_serialise(number, sentence["tokens"], sentence["labels"]))


def _sentences(path: str | Path, encoding: str, tag: Tag) -> Iterator[list[tuple[str, str]]]:
    words: list[tuple[str, str]] = []
    for number, line in enumerate(read_lines(path, encoding), start=1):
        if not line.strip():
            if words:
                yield words
            words = []
        elif not line.startswith("#"):
            words += _words(path, number, line, expected=len(words) + 1, tag=tag)
    if words:
        yield words


def _words(path: str | Path, number: int, line: str, expected: int, tag: Tag) -> list[tuple[str, str]]:
    """The (FORM, tag) on this line: one for a word, none for a range or an empty node."""
    columns = line.split("\t")
    if len(columns) != 10:
        raise CorpusError(
            path, number, f"{len(columns)} tab-separated columns where CoNLL-U has 10", "repair the line"
        )
    identifier = _identifier(path, number, columns[0])
    if isinstance(identifier, tuple):
        return []
    if identifier != expected:
        raise CorpusError(
            path,
            number,
            f"word ID {columns[0]} where {expected} is due",
            "number the words 1, 2, 3, ... and put a blank line after each sentence",
        )
    if not columns[1]:
        raise CorpusError(path, number, "the FORM is empty", "write the word, or _ where it is withheld")
    return [(columns[1], tag(path, number, columns))]


def _identifier(path: str | Path, number: int, text: str) -> int | tuple | None:
    try:
        return parse_id_value(text)
    except ParseException:
        raise CorpusError(
            path, number, f"{text!r} is no word ID", "write an integer, a range or a decimal"
        ) from None


def _xpos(path: str | Path, number: int, columns: list[str]) -> str:
    return columns[4] or BLANK


def _converted(path: str | Path, number: int, columns: list[str]) -> str:
    tag, relation = columns[3], columns[7].partition(":")[0]
    if (tag, relation) == ("VERB", "cop"):
        return "AUX"
    return _upos(path, number, [*columns[:3], VERSION_1.get(tag, tag), *columns[4:]])


def _upos(path: str | Path, number: int, columns: list[str]) -> str:
    tag = columns[3]
    if tag in VERSION_1:
        raise CorpusError(
            path,
            number,
            f"{tag} is a tag of UD version 1",
            f"take release 2.0 or later of the treebank, or have {VERSION_1[tag]} made of it "
            "(`version_1: convert` in the edition)",
        )
    if tag not in UPOS:
        raise CorpusError(
            path, number, f"{tag!r} is not one of the 17 UPOS tags", f"use one of {' '.join(UPOS)}"
        )
    return tag


def _serialise(number: int, tokens: list[str], labels: list[str]) -> str:
    rows = [
        dict(
            id=i,
            form=form,
            lemma="_",
            upos=tag,
            xpos="_",
            feats=None,
            head=None,
            deprel="_",
            deps=None,
            misc=None,
        )
        for i, (form, tag) in enumerate(zip(tokens, labels), start=1)
    ]
    return conllu.TokenList(rows, metadata={"sent_id": str(number)}).serialize()
