"""What a corpus is, and the files it is read from: CoNLL-U, columns of entity tags, parallel lines.

Every reader says what it takes for a word and for a tag, knows the layouts in use, and refuses what
it does not know with one sentence: file, line, what is wrong, what to do (`CorpusError`).
"""

import codecs
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # its import takes seconds, which showing a recorded result need not wait for
    from datasets import Dataset

TASKS = ["pos", "ner", "code-switching"]
SPLITS = ["train", "dev", "test"]
CODE_SWITCHING_TRAIN = ["hi+en", "corrected", "transliterated"]
CODE_SWITCHING_TEST = ["corrected", "transliterated"]
UPOS = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"]
UPOS += ["PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"]
ENTITY_TYPES = ["PER", "LOC", "ORG", "MISC"]
IOB2 = ["O", *(f"{prefix}-{kind}" for kind in ENTITY_TYPES for prefix in "BI")]
READER_VERSION = 2  # raise when a reader returns something else for the same file
UTF_8 = "utf-8"
BLANK = "_"  # FORM of a word that is withheld
Words = list[tuple[str, str]]  # a sentence: (word, tag)


class CorpusUnavailable(ValueError):
    """A corpus that is not at hand; the message says what is missing and how to get it."""


class CorpusError(CorpusUnavailable):
    """A corpus file with a mistake; the message is one sentence with file, line and remedy."""

    def __init__(self, path: str | Path, line: int, problem: str, remedy: str):
        super().__init__(f"{path}, line {line}: {problem}; {remedy}.")


# ---- what a corpus is


def labelled_corpus(tokens: list[list[str]], labels: list[list[str]]) -> "Dataset":
    """A labelled corpus: one row a sentence, ``tokens`` and ``labels`` of the same length."""
    return _dataset({"tokens": tokens, "labels": labels}, listed=True)


def parallel_text(source: list[str], target: list[str]) -> "Dataset":
    """Parallel text: row i of ``source`` is translated by row i of ``target``."""
    return _dataset({"source": source, "target": target}, listed=False)


def _dataset(columns: dict, listed: bool) -> "Dataset":
    from datasets import Dataset, Features, List, Value

    kind = List(Value("string")) if listed else Value("string")
    return Dataset.from_dict(columns, features=Features(dict.fromkeys(columns, kind)))


def first(corpus: "Dataset", size: int | None) -> "Dataset":
    """The first ``size`` rows; all of them where there are fewer or ``size`` is None."""
    return corpus if size is None else corpus.select(range(min(size, len(corpus))))


def concatenate(corpora: "list[Dataset]") -> "Dataset":
    """One corpus after the other, as the paper trains on Hindi and English together (Table 6)."""
    from datasets import concatenate_datasets

    return concatenate_datasets(corpora)


def digest(corpus: "Dataset") -> str:
    """32 hexadecimal digits that follow from sentences and labels in their order alone."""
    state = blake2b(digest_size=16)
    columns = corpus[:]
    for row in zip(*(columns[name] for name in sorted(columns))):
        state.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return state.hexdigest()


def text_digest(text: "Dataset") -> str:
    """64 hexadecimal digits that follow from the pairs of a parallel text in their order alone."""
    pairs = zip(text["source"], text["target"], strict=True)
    return sha256("\x00".join(f"{one}\x01{other}" for one, other in pairs).encode()).hexdigest()


def statistics(corpus: "Dataset") -> dict[str, int]:
    """Numbers of sentences, tokens, types (distinct tokens), entities (0 for parts of speech)."""
    columns = corpus[:]
    tokens = [token for sentence in columns["tokens"] for token in sentence]
    entities = sum(label.startswith("B-") for labels in columns["labels"] for label in labels)
    return {
        "sentences": len(corpus),
        "tokens": len(tokens),
        "types": len(set(tokens)),
        "entities": entities,
    }


# ---- lines


def read_lines(path: str | Path, encoding: str = UTF_8) -> list[str]:
    """The file's lines without their ends: LF, CR LF, or CR where there is no other.

    U+2028 and the like are part of the text. A byte order mark is not, wherever a line begins with
    one (files are put together). Raises CorpusError where the bytes are not in ``encoding``,
    CorpusUnavailable where the file cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise CorpusUnavailable(f"{path} cannot be read: {problem.strerror}.") from None
    marked = data.startswith(codecs.BOM_UTF8) and not codecs.lookup(encoding).name.startswith(UTF_8)
    try:
        text = data.decode("ascii" if marked else encoding)
    except UnicodeError as error:
        line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        remedy = "convert the file to UTF-8, or give its `encoding` (German CoNLL-2003 is latin-1)"
        problem = (
            f"the bytes are UTF-8, not {encoding}" if marked else f"the bytes are not {encoding}"
        )
        raise CorpusError(path, line, problem, remedy) from None
    lines = text.replace("\r\n", "\n").split("\n")
    lines = lines if len(lines) > 1 else text.split("\r")  # the line ends of old Macintoshes
    lines = [line.lstrip("\ufeff") if line.startswith("\ufeff") else line for line in lines]
    return lines[:-1] if lines[-1] == "" else lines


def write_lines(lines: Iterable[str], path: str | Path) -> None:
    """Write the lines, in one step: no half of the file is ever there."""
    draft = Path(f"{path}.{os.getpid()}.new")
    with draft.open("w", encoding=UTF_8, newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    draft.replace(path)


def _column_lines(path: str | Path, encoding: str) -> Iterator[tuple[int, str]]:
    """(line number, line) of a file of columns; "" for a blank line. Raises CorpusError."""
    for number, line in enumerate(read_lines(path, encoding), start=1):
        if "\r" in line:
            raise CorpusError(
                path,
                number,
                "a carriage return stands inside the line",
                "save the file with one kind of line end",
            )
        yield number, line if line.strip() else ""


# ---- CoNLL-U

VERSION_1 = {"CONJ": "CCONJ"}
NO_WORD = re.compile(r"[1-9][0-9]{0,8}-[1-9][0-9]{0,8}|[0-9]{1,9}\.[1-9][0-9]{0,8}")


def read_conllu(
    path: str | Path, encoding: str = UTF_8, version_1: str = "refuse", withheld: bool = False
) -> "Dataset":
    """Words are the FORMs of syntactic words, labels their UPOS (paper, section 2: 41 languages).

    Multiword ranges (``3-4``), empty nodes (``8.1``) and comments are no words. A FORM is kept as
    it is: it may be ``_`` and may hold spaces ("10 000"). UPOS of UD version 1 are refused, or, by
    ``version_1="convert"``, converted as far as the file tells: CONJ is CCONJ, a VERB that is a
    copula (``cop``) AUX. Raises CorpusError; CorpusUnavailable where every FORM is ``_``, unless
    ``withheld`` permits that.
    """
    sentences = list(_conllu_sentences(path, encoding, version_1 == "convert"))
    if not withheld and all(word == BLANK for words in sentences for word, _ in words):
        raise CorpusUnavailable(
            f"{path} holds no words (every FORM is _): get the release of the corpus with its "
            "text, or fill the FORMs in with the treebank's own merge script."
        )
    return _corpus(sentences)


def write_conllu(corpus: "Dataset", path: str | Path) -> None:
    """Write a labelled corpus as CoNLL-U with only ID, FORM and UPOS filled."""
    write_lines(_conllu_lines(corpus), path)


def _conllu_lines(corpus: "Dataset") -> Iterator[str]:
    for number, sentence in enumerate(corpus, start=1):
        yield f"# sent_id = {number}"
        for place, word in enumerate(zip(sentence["tokens"], sentence["labels"]), start=1):
            yield f"{place}\t{word[0]}\t_\t{word[1]}" + "\t_" * 6
        yield ""


def _corpus(sentences: list[Words]) -> "Dataset":
    return labelled_corpus(
        [[word for word, _ in words] for words in sentences],
        [[tag for _, tag in words] for words in sentences],
    )


def _conllu_sentences(path: str | Path, encoding: str, convert: bool) -> Iterator[Words]:
    words: Words = []
    known, any_yet = dict.fromkeys(UPOS), False
    for number, line in _column_lines(path, encoding):
        if not line:
            if words:
                yield words
                any_yet, words = True, []
        elif line[0] != "#":
            columns = line.split("\t")
            due = len(words) + 1
            usual = columns[0] == str(due) and len(columns) == 10 and columns[1]
            if not usual and _is_no_word(path, number, columns, due):
                continue
            tag = _version_2(columns) if convert else columns[3]
            if tag not in known:
                raise _unknown_upos(path, number, tag)
            words.append((columns[1], tag))
    if words:
        yield words
    elif not any_yet:
        raise CorpusError(path, 1, "there is no sentence in the file", "get the whole file again")


def _is_no_word(path: str | Path, number: int, columns: list[str], due: int) -> bool:
    """True for a range or an empty node; raises CorpusError for a line that is no word either."""
    identifier = columns[0] if len(columns[0]) <= 24 else columns[0][:20] + "..."
    if len(columns) != 10:
        problem = f"{len(columns)} tab-separated columns where CoNLL-U has 10"
        raise CorpusError(path, number, problem, "repair the line")
    if NO_WORD.fullmatch(columns[0]):
        start, dash, end = columns[0].partition("-")
        if not dash or int(start) < int(end):
            return True
    if not columns[0].isdecimal():
        remedy = "write an integer, a range or a decimal"
        raise CorpusError(path, number, f"{identifier!r} is no word ID", remedy)
    if columns[0] != str(due):
        remedy = "number the words 1, 2, 3, ... and put a blank line after each sentence"
        raise CorpusError(path, number, f"word ID {identifier} where {due} is due", remedy)
    remedy = "write the word, or _ where it is withheld"
    raise CorpusError(path, number, "the FORM is empty", remedy)


def _version_2(columns: list[str]) -> str:
    tag, relation = columns[3], columns[7].partition(":")[0]
    return "AUX" if (tag, relation) == ("VERB", "cop") else VERSION_1.get(tag, tag)


def _unknown_upos(path: str | Path, number: int, tag: str) -> CorpusError:
    if tag in VERSION_1:
        remedy = (
            f"take release 2.0 or later of the treebank, or have {VERSION_1[tag]} made of it "
            "(`version_1: convert` in the edition)"
        )
        return CorpusError(path, number, f"{tag} is a tag of UD version 1", remedy)
    problem = f"{tag[:40]!r} is not one of the 17 UPOS tags"
    return CorpusError(path, number, problem, f"use one of {' '.join(UPOS)}")


# ---- columns of entity tags

DOCUMENT_START = "-DOCSTART-"
ENTITY_TAGS = {*IOB2} - {"O"}
PREFIX = re.compile(r"[A-Za-z]{2,12}(?:-[a-z]+)*:(?=.)")  # WikiANN's: en:rick, be-x-old:дом
NO_NUMBER = -9
Row = tuple[int, list[str]]  # line number, columns
TAG_COLUMN = "write the word first and its tag last, or number, word and tag"


def read_conll(path: str | Path, encoding: str = UTF_8) -> "Dataset":
    """Words and entity tags from a file of columns, a word a line; the labels are always IOB2.

    Tabs part the columns of a line that has any (a word may then hold spaces), else spaces do. The
    word is the first column and its tag the last. Where every line begins with a running number,
    the word is the second column and its tag the first column of tags after it (GermEval: the outer
    entity). Lines that begin with ``#`` before a sentence and are no word and tag are comments;
    ``-DOCSTART-`` ends a sentence and is no word; a language's code before all words (``en:rick``)
    is dropped. Tags may be IOB1 or IOB2: an entity begins where conlleval lets it begin. Raises
    CorpusError for all else, other tag schemes among it.
    """
    sentences = _sentences_of_rows(path, encoding)
    rows = [row for sentence in sentences for row in sentence]
    if not rows:
        raise CorpusError(path, 1, "there is no word in the file", "get the whole file again")
    word, tag = _layout(path, sentences)
    prefix = _prefixed(path, rows, word)
    found = [[_word(path, *row, word, tag, prefix) for row in rows] for rows in sentences]
    tokens = [[token for token, _ in words] for words in found]
    return labelled_corpus(tokens, [iob2([tag for _, tag in words]) for words in found])


def write_conll(corpus: "Dataset", path: str | Path) -> None:
    """Write a labelled corpus as ``token<TAB>tag`` lines with a blank line after each sentence."""
    rows = (zip(sentence["tokens"], sentence["labels"]) for sentence in corpus)
    write_lines((line for row in rows for line in (*map("\t".join, row), "")), path)


def iob2(tags: list[str]) -> list[str]:
    """The same entities with B- on the first word of each.

    An entity begins where conlleval lets it begin: at B-, and at an I- that does not continue an
    entity of its type. So IOB1 and IOB2 are read alike, and a stray I- opens an entity.
    """
    return [
        "B" + tag[1:] if _begins(*pair) else tag for *pair, tag in zip(["O", *tags], tags, tags)
    ]


def _begins(before: str, tag: str) -> bool:
    return tag != "O" and (tag[0] == "B" or before[1:] != tag[1:])


def _columns(line: str) -> list[str]:
    """No-break spaces never part columns."""
    return line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))


def _sentences_of_rows(path: str | Path, encoding: str) -> list[list[Row]]:
    """The columns of each sentence's words, all rows of one width; raises CorpusError."""
    lines = [(number, line, _columns(line)) for number, line in _column_lines(path, encoding)]
    sure = (columns for _, line, columns in lines if line and line[0] != "#")
    width = next((len(columns) for columns in sure if DOCUMENT_START not in columns[:2]), 2)
    sentences: list[list[Row]] = [[]]
    for number, line, columns in lines:
        if not line or DOCUMENT_START in columns[:2]:
            sentences.append([])
        elif not _is_comment(line, columns, width, starts=not sentences[-1]):
            _check_width(path, number, columns, width)
            sentences[-1].append((number, columns))
    return [sentence for sentence in sentences if sentence]


def _is_comment(line: str, columns: list[str], width: int, starts: bool) -> bool:
    if not (starts and line.startswith(("# ", "#\t"))):
        return False
    return len(columns) != width or not _like_tag(columns[-1])


def _check_width(path: str | Path, number: int, columns: list[str], width: int) -> None:
    if len(columns) < 2 or len(columns) != width:
        problem = f"{len(columns)} column(s) where {max(width, 2)} are due"
        remedy = f"{TAG_COLUMN}, as in the other lines; comments stand before a sentence as # ..."
        raise CorpusError(path, number, problem, remedy)


def _layout(path: str | Path, sentences: list[list[Row]]) -> tuple[int, int]:
    """The columns (from 0) of the word and of its tag; raises CorpusError if they are unclear."""
    rows = [columns for sentence in sentences for _, columns in sentence]
    last = len(rows[0]) - 1
    tags = [place for place in range(1, last + 1) if all(_like_tag(row[place]) for row in rows)]
    if _is_numbered(path, sentences, last + 1):
        if place := next((place for place in tags if place > 1), 0):
            return 1, place
        raise CorpusError(path, sentences[0][0][0], "no column has only entity tags", TAG_COLUMN)
    for place in tags:
        if place < last and any(row[place] in ENTITY_TAGS for row in rows):
            problem = f"column {place + 1} of {last + 1} holds entity tags, not the last alone"
            raise CorpusError(path, sentences[0][0][0], problem, "leave one column of tags")
    return 0, last


def _like_tag(text: str) -> bool:
    return text == "O" or text[1:2] == "-"


def _is_numbered(path: str | Path, sentences: list[list[Row]], width: int) -> bool:
    """Whether the first column is a running number; CorpusError if it is one only in part."""
    numbers = [[_number(columns[0]) for _, columns in sentence] for sentence in sentences]
    flat = [number for row in numbers for number in row]
    if flat.count(NO_NUMBER) > len(flat) / 10:
        return False
    strange = [
        sentence[place][0]
        for sentence, row in zip(sentences, numbers)
        for place, number in enumerate(row)
        if number < 0 or (place and number != row[place - 1] + 1)
    ]
    if width == 2 and (strange or max(map(len, numbers)) < 3):  # a text may have numbers alone
        return False
    if strange or width == 2:
        line = strange[0] if strange else sentences[0][0][0]
        problem = "the first column is a running number" + (", but not here" if strange else "")
        raise CorpusError(path, line, problem, TAG_COLUMN)
    return True


def _number(text: str) -> int:
    """The number; -2 where it is none that runs on (``1-2``), NO_NUMBER where it is a word."""
    if text.isdecimal() and len(text) < 10:
        return int(text)
    return -2 if NO_WORD.fullmatch(text) else NO_NUMBER


def _prefixed(path: str | Path, rows: list[Row], word: int) -> bool:
    """Whether all words begin with a language's code; CorpusError if only most of them do."""
    having = [number for number, columns in rows if PREFIX.match(columns[word])]
    if len(having) <= len(rows) / 2:
        return False
    if len(having) < len(rows):
        problem = "most words of the file begin with a language's code and a colon, not all"
        raise CorpusError(path, having[0], problem, "take the codes away")
    return True


def _word(path, number: int, columns: list[str], word: int, tag: int, prefix: bool) -> tuple:
    token, label = columns[word], columns[tag]
    if not token:
        remedy = "write the word, or take the line out"
        raise CorpusError(path, number, "the word is empty", remedy)
    if label not in ENTITY_TAGS and label != "O":
        problem = f"{label[:40]!r} is neither O nor B- or I- with one of {' '.join(ENTITY_TYPES)}"
        remedy = "convert the tag (S- and U- to B-, E- and L- to I-), or make it O"
        raise CorpusError(path, number, problem, remedy)
    return PREFIX.sub("", token, count=1) if prefix else token, label


# ---- parallel text


def read_parallel(source: str | Path, target: str | Path) -> "Dataset":
    """Line i of one file translates line i of the other (paper, section 5).

    Raises CorpusError if one file is longer, or a line is blank: only spaces, control characters
    and what has no width.
    """
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        ends = min((sources, source), (targets, target), key=lambda side: len(side[0]))
        longer = target if ends[1] == source else source
        remedy = "take two files in which line i of one translates line i of the other"
        raise CorpusError(longer, len(ends[0]) + 1, f"{ends[1]} ends before this line", remedy)
    for path, lines in ((source, sources), (target, targets)):
        for number, line in enumerate(lines, start=1):
            if is_blank(line):
                remedy = "take the pair out of both files"
                raise CorpusError(path, number, "the line is blank", remedy)
    return parallel_text(sources, targets)


def is_blank(line: str) -> bool:
    """Whether nothing of the line can be seen: spaces, control and format characters, marks."""
    return not any(_visible(character) for character in line)


@cache
def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] not in "ZM" and category not in ("Cc", "Cf")
