"""CoNLL-2002 and CoNLL-2003 columns: words and entity tags (paper, section 2: NER).

Word first, tag last; columns parted by a tab, or else by spaces. The files are IOB1 (CoNLL-2003) or IOB2
(CoNLL-2002); what is read is always IOB2. A ``-DOCSTART-`` line ends the sentence before it and is no word.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset

from crosslingual.corpora.text import CorpusError, labelled_corpus, read_lines

ENTITY_TYPES = ["PER", "LOC", "ORG", "MISC"]
TAGS = {"O"} | {f"{prefix}-{kind}" for prefix in "BI" for kind in ENTITY_TYPES}
DOCUMENT_START = "-DOCSTART-"


def read(path: str | Path, encoding: str = "utf-8") -> Dataset:
    """A labelled corpus (``tokens``, ``labels`` = IOB2) from a CoNLL file in IOB1 or IOB2.

    Raises CorpusError, naming file, line and remedy, for a line with another number of columns than the lines
    before it, and for a tag that is neither O nor B- or I- with one of PER LOC ORG MISC.
    """
    sentences = [list(zip(*words)) for words in _sentences(path, encoding)]
    return labelled_corpus([tokens for tokens, _ in sentences], [iob2(tags) for _, tags in sentences])


def write(corpus: Dataset, path: str | Path) -> None:
    """Write a labelled corpus as ``token<TAB>tag`` lines with a blank line after each sentence."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for sentence in corpus:
            file.writelines(f"{token}\t{tag}\n" for token, tag in zip(sentence["tokens"], sentence["labels"]))
            file.write("\n")


def iob2(tags: list[str]) -> list[str]:
    """The same entities with B- on the first word of each.

    An entity begins where conlleval lets it begin: at B-, and at an I- that does not continue an entity of
    its type. So IOB1 and IOB2 are read alike, and a stray I- in an IOB2 file opens an entity.
    """
    return ["B" + tag[1:] if _begins(before, tag) else tag for before, tag in zip(["O", *tags], tags)]


def _begins(before: str, tag: str) -> bool:
    return tag != "O" and (tag[0] == "B" or before[1:] != tag[1:])


def _sentences(path: str | Path, encoding: str) -> Iterator[list[tuple[str, str]]]:
    words: list[tuple[str, str]] = []
    width = 0
    for number, line in enumerate(read_lines(path, encoding), start=1):
        columns = _columns(line)
        if columns == [""] or columns[0] == DOCUMENT_START:
            if words:
                yield words
            words = []
        else:
            width = width or len(columns)
            words.append(_word(path, number, columns, width))
    if words:
        yield words


def _columns(line: str) -> list[str]:
    """Tabs part columns where there are any, as a token may hold a space; no-break spaces never do."""
    return line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))


def _word(path: str | Path, number: int, columns: list[str], width: int) -> tuple[str, str]:
    if len(columns) < 2 or len(columns) != width:
        raise CorpusError(
            path,
            number,
            f"{len(columns)} column(s) where {max(width, 2)} are due",
            "write the word first and its tag last, as in the other lines",
        )
    token, tag = columns[0], columns[-1]
    if not token:
        raise CorpusError(path, number, "the word is empty", "write the word, or take the line out")
    if tag not in TAGS:
        raise CorpusError(
            path,
            number,
            f"{tag!r} is neither O nor B- or I- with one of {' '.join(ENTITY_TYPES)}",
            "convert the tag (S- and U- to B-, E- and L- to I-), or make it O",
        )
    return token, tag
