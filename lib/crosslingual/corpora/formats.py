"""What a corpus is, and the files it is read from: CoNLL-U, columns of entity tags, parallel lines.

Readers refuse what they do not know with one sentence: file, line, mistake, remedy (`CorpusError`).
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b, sha256
from itertools import chain
from pathlib import Path
from typing import Any

Dataset = Any  # of the library datasets, whose import takes seconds: results are shown without it
TASKS = ["pos", "ner", "code-switching"]
SPLITS = ["train", "dev", "test"]
CODE_SWITCHING_TRAIN = ["hi+en", "corrected", "transliterated"]
CODE_SWITCHING_TEST = ["corrected", "transliterated"]
UPOS = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"]
UPOS += ["PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"]
ENTITY_TYPES = ["PER", "LOC", "ORG", "MISC"]
IOB2 = ["O", *(f"{prefix}-{kind}" for kind in ENTITY_TYPES for prefix in "BI")]
READER_VERSION = 3  # raise when a reader returns something else for the same file
BLANK = "_"  # FORM of a word that is withheld


class CorpusUnavailable(ValueError):
    """A corpus that is not at hand; the message says what is missing and how to get it."""


class CorpusError(CorpusUnavailable):
    """A mistake in a corpus file; the message is one sentence with file, line and remedy."""

    def __init__(self, path: str | Path, line: int, mistake: str):
        super().__init__(f"{path}, line {line}: {mistake}.")


# ---- what a corpus is


def labelled_corpus(tokens: list[list[str]], labels: list[list[str]]) -> Dataset:
    """A labelled corpus: one row a sentence, ``tokens`` and ``labels`` of the same length."""
    from datasets import Dataset

    return Dataset.from_dict({"tokens": tokens, "labels": labels})


def parallel_text(source: list[str], target: list[str]) -> Dataset:
    """Parallel text: row i of ``source`` is translated by row i of ``target``."""
    from datasets import Dataset

    return Dataset.from_dict({"source": source, "target": target})


def concatenate(corpora: list[Dataset]) -> Dataset:
    """One corpus after the other, as the paper trains on Hindi and English together (Table 6)."""
    from datasets import concatenate_datasets

    return concatenate_datasets(corpora)


def hashed(text: str) -> str:
    """32 hexadecimal digits that follow from a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def digest(corpus: Dataset) -> str:
    """32 hexadecimal digits that follow from sentences and labels in their order alone."""
    state = blake2b(digest_size=16)
    columns = corpus[:]
    for row in zip(*(columns[name] for name in sorted(columns))):
        state.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return state.hexdigest()


def text_digest(text: Dataset) -> str:
    """64 hexadecimal digits that follow from the pairs of a parallel text in their order alone."""
    pairs = zip(text["source"], text["target"], strict=True)
    return sha256("\x00".join(f"{one}\x01{other}" for one, other in pairs).encode()).hexdigest()


def statistics(corpus: Dataset) -> dict[str, int]:
    """Numbers of sentences, tokens, types (distinct tokens), entities (0 for parts of speech)."""
    tokens, labels = (list(chain.from_iterable(corpus[name])) for name in ("tokens", "labels"))
    entities = sum(label.startswith("B-") for label in labels)
    counts = len(corpus), len(tokens), len(set(tokens)), entities
    return dict(zip(("sentences", "tokens", "types", "entities"), counts))


# ---- lines

NO_CORPUS = re.compile(rb"\s*(<!doctype html|<html|version https://git-lfs)", re.IGNORECASE)
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # every second byte of UTF-16, as a rule


def read_lines(path: str | Path) -> list[str]:
    """The lines without their ends (CR LF, LF, else CR) and byte order marks; U+2028 is text.

    Raises CorpusError where it is another file or the bytes are not UTF-8, CorpusUnavailable.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise CorpusUnavailable(f"{path} cannot be read: {problem.strerror}.") from None
    if NO_CORPUS.match(data):
        problem = "a web page, or what Git LFS keeps in a file's place; download the file itself"
        raise CorpusError(path, 1, f"this is {problem}")
    text = _decoded(path, data).replace("\r\n", "\n")
    lines = text.split("\n" if "\n" in text else "\r")  # CR: the line ends of old Macintoshes
    return [line.lstrip("\ufeff") for line in (lines if lines[-1] else lines[:-1])]


def _decoded(path: str | Path, data: bytes) -> str:
    wrong = 0 if len(CONTROLS.findall(data)) > len(data) / 4 else None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong is not None:
        remedy = "convert the file, from Latin-1 (as German CoNLL-2003 is), UTF-16 or an archive"
        line = data.count(b"\n", 0, wrong) + 1
        raise CorpusError(path, line, f"the bytes are not UTF-8; {remedy}")
    return text


def _column_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(line number, line) of a file of columns; "" for a blank line. Raises CorpusError."""
    for number, line in enumerate(read_lines(path), start=1):
        if "\r" in line:
            remedy = "save the file with one kind of line end"
            raise CorpusError(path, number, f"a carriage return stands inside the line; {remedy}")
        yield number, line if line.strip() else ""


# ---- CoNLL-U

NO_WORD = re.compile(r"([0-9]{1,9})([-.])[1-9][0-9]{0,8}")  # a range, or an empty node


def read_conllu(path: str | Path, version_1: bool = False, withheld: bool = False) -> Dataset:
    """Words are the FORMs of syntactic words, labels their UPOS (paper, section 2: 41 languages).

    Multiword ranges (``3-4``), empty nodes (``8.1``) and comments before a sentence are no words.
    UPOS of UD version 1 are refused, or converted by ``version_1``: CONJ is CCONJ, a VERB that is a
    copula AUX.
    Raises CorpusError; CorpusUnavailable where every FORM is ``_``, unless ``withheld``.
    """
    sentences: list[list[tuple[str, str]]] = [[]]
    for number, line in _column_lines(path):
        columns = line.split("\t")
        if not line:
            sentences.append([])
        elif line[0] != "#" or sentences[-1] or len(columns) >= 10:  # else a comment
            tag = _upos(path, number, columns, len(sentences[-1]) + 1, version_1)
            sentences[-1] += [(columns[1], tag)] if tag else []
    tokens = [[word for word, _ in words] for words in sentences if words]
    if not tokens:
        raise CorpusError(path, 1, "there is no sentence in the file; get the whole file again")
    if not withheld and set(chain.from_iterable(tokens)) == {BLANK}:
        raise CorpusUnavailable(
            f"{path} holds no words (every FORM is _): get the release of the corpus with its "
            "text, or fill the FORMs in with the treebank's own merge script."
        )
    return labelled_corpus(tokens, [[tag for _, tag in words] for words in sentences if words])


def write_conllu(corpus: Dataset, path: str | Path) -> None:
    """Write a labelled corpus as CoNLL-U with only ID, FORM and UPOS filled."""
    lines = []
    for number, sentence in enumerate(corpus, start=1):
        pairs = enumerate(zip(sentence["tokens"], sentence["labels"]), start=1)
        words = [f"{place}\t{word}\t_\t{tag}" + "\t_" * 6 for place, (word, tag) in pairs]
        lines += [f"# sent_id = {number}", *words, ""]
    Path(path).write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def _upos(path: str | Path, number: int, columns: list[str], due: int, convert: bool) -> str:
    """A word's tag; "" for a range or an empty node; raises CorpusError for what is neither."""
    problem = ""
    if len(columns) != 10:
        problem = f"{len(columns)} tab-separated columns where CoNLL-U has 10; repair the line"
        problem += " (comments stand before a sentence)" * columns[0].startswith("#")
    elif columns[0] != str(due):
        # A range stands before its first word, an empty node after the word of its number.
        other = NO_WORD.fullmatch(columns[0])
        if other and int(other[1]) == due - (other[2] == "."):
            return ""
        remedy = "number the words 1, 2, 3, ... and put a blank line after each sentence"
        problem = f"the word ID is {columns[0][:20]!r} where {due} is due; {remedy}"
    elif not columns[1]:
        problem = "the FORM is empty; write the word, or _ where it is withheld"
    elif convert and columns[3] == "VERB" and columns[7].partition(":")[0] == "cop":
        return "AUX"
    elif convert and columns[3] == "CONJ":
        return "CCONJ"
    elif columns[3] == "CONJ":
        problem = "CONJ is a tag of UD version 1; take release 2.0 or later"
    elif columns[3] not in UPOS:
        problem = f"{columns[3][:40]!r} is not one of the 17 UPOS tags; use one of {' '.join(UPOS)}"
    if problem:
        raise CorpusError(path, number, problem)
    return columns[3]


# ---- columns of entity tags

DOCUMENT_START = "-DOCSTART-"
PREFIX = re.compile(r"([A-Za-z]{2,12}(-[a-z]+)*):.")  # of WikiANN's words: en:rick, be-x-old:дом
Row = tuple[int, list[str]]  # line number, columns
TAG_COLUMN = "write the word first and its tag last, or name both as `columns` in the edition"
ENTITY_TAG = re.compile(f"[BIELSU]-({'|'.join(ENTITY_TYPES)})")  # of any scheme
LIKE_TAG = re.compile("O$|.-")


def read_conll(path: str | Path, named: tuple[int, int] | None = None) -> Dataset:
    """Words and entity tags from a file of columns, a word a line; the labels are always IOB2.

    Tabs part the columns of a line that has any, else spaces do. Which of them, from 1, are the
    word and its tag may be ``named``. Else the word is the first, or the second where the first
    counts words, and the tag the last, but in the five columns of Universal NER the third. A
    language's code before every word (``en:rick``) is taken away. Lines with ``#`` before a
    sentence that are no word and tag are comments; ``-DOCSTART-`` ends a sentence. Tags may be IOB1
    or IOB2. Raises CorpusError for all else: other numbers and tags, two columns of entity tags.
    """
    sentences = _sentences(path)
    rows = list(chain.from_iterable(sentences))
    if not rows:
        raise CorpusError(path, 1, "there is no word in the file; get the whole file again")
    word, tag = _named(path, rows, *named) if named else _layout(path, sentences)
    cut = _prefix(path, rows, word)
    for number, columns in rows:
        _check_word(path, number, columns[word], columns[tag])
    tokens = [[columns[word][cut:] for _, columns in sentence] for sentence in sentences]
    labels = [iob2([columns[tag] for _, columns in sentence]) for sentence in sentences]
    return labelled_corpus(tokens, labels)


def _check_word(path: str | Path, number: int, word: str, tag: str) -> None:
    if not word:
        raise CorpusError(path, number, "the word is empty; write it, or take the line out")
    if tag not in IOB2:
        problem = f"{tag[:40]!r} is neither O nor B- or I- with one of {' '.join(ENTITY_TYPES)}"
        remedy = "convert the tag (S- and U- to B-, E- and L- to I-), or make it O"
        raise CorpusError(path, number, f"{problem}; {remedy}")


def iob2(tags: list[str]) -> list[str]:
    """The same entities with B- on the first word of each; as in conlleval, an I- may be one."""
    pairs = zip(["O", *tags], tags)
    return ["B" + tag[1:] if tag[0] == "I" and tag[1:] != last[1:] else tag for last, tag in pairs]


def _sentences(path: str | Path) -> list[list[Row]]:
    """The columns of each sentence's words, all rows of one width; raises CorpusError."""
    lines = list(_column_lines(path))
    split = [ln.split("\t") if "\t" in ln else re.split(" +", ln.strip(" ")) for _, ln in lines]
    sure = (row for (_, line), row in zip(lines, split) if line and line[0] != "#")
    width = next((len(columns) for columns in sure if DOCUMENT_START not in columns[:2]), 2)
    sentences: list[list[Row]] = [[]]
    for (number, line), columns in zip(lines, split):
        like_word = len(columns) == width and LIKE_TAG.match(columns[-1])
        if not line or DOCUMENT_START in columns[:2]:
            sentences.append([])
        elif sentences[-1] or like_word or not line.startswith(("# ", "#\t")):  # no comment
            if not 2 <= len(columns) == width:
                problem = f"{len(columns)} column(s) where {max(width, 2)} are due"
                remedy = "write a word and its tag; comments stand before a sentence as # ..."
                raise CorpusError(path, number, f"{problem}; {remedy}")
            sentences[-1].append((number, columns))
    return list(filter(None, sentences))


def _named(path: str | Path, rows: list[Row], word: int, tag: int) -> tuple[int, int]:
    number, columns = rows[0]
    if max(word, tag) > len(columns):
        problem = f"{len(columns)} columns where the edition names column {max(word, tag)}"
        raise CorpusError(path, number, f"{problem}; correct its `columns`")
    return word - 1, tag - 1


def _layout(path: str | Path, sentences: list[list[Row]]) -> tuple[int, int]:
    """The columns of the word and of its tag; raises CorpusError for a layout that is not known."""
    rows = list(chain.from_iterable(sentences))
    width, number = len(rows[0][1]), rows[0][0]
    strange = [number for number, columns in rows if not columns[0].isdecimal()]
    word = int(len(strange) <= len(rows) / 10 and max(len(rows), width) > 2)  # no text is numbers
    counts = len(rows) > 2 < width and _counts(sentences)
    if word and not counts and (strange or width != 5):
        problem = "the first column is a running number"
        raise CorpusError(path, [*strange, number][0], f"{problem}; {TAG_COLUMN}")
    tag = 2 if word and width == 5 else width - 1
    for other in {*range(word + 1, width)} - {tag}:
        if any(ENTITY_TAG.match(columns[other]) for _, columns in rows):
            problem = f"entity tags stand in column {other + 1}, not in column {tag + 1} alone"
            raise CorpusError(path, number, f"{problem}; {TAG_COLUMN}")
    return word, tag


def _counts(sentences: list[list[Row]]) -> bool:
    """Whether the first column counts the words, of each sentence from 0 or 1, or of the file."""
    due = 0
    for sentence in sentences:
        numbers = [columns[0] for _, columns in sentence]
        if numbers[0] not in ("0", "1", str(due)):
            return False
        due = int(numbers[0]) + len(numbers)
        if numbers != [str(number) for number in range(due - len(numbers), due)]:
            return False
    return True


def _prefix(path: str | Path, rows: list[Row], word: int) -> int:
    """The letters that a language's code and a colon take before every word; raises CorpusError."""
    codes = [found[1] for _, columns in rows if (found := PREFIX.match(columns[word]))]
    if len(codes) == len(rows) and len({*codes}) == 1:
        return len(codes[0]) + 1
    if len(codes) > len(rows) / 2:
        problem = "most words begin with a language's code and a colon; take the codes away"
        raise CorpusError(path, rows[0][0], problem)
    return 0


# ---- parallel text

UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"}  # categories of characters
FILLERS = "\u2800\u115f\u1160\u3164\uffa0"  # of braille and Hangul: letters without ink


def read_parallel(source: str | Path, target: str | Path) -> Dataset:
    """Line i of one file translates line i of the other (paper, section 5).

    Raises CorpusError if one file is longer, or nothing of a line can be seen.
    """
    sides = [(path, read_lines(path)) for path in (source, target)]
    (shorter, lines), (longer, more) = sorted(sides, key=lambda side: len(side[1]))
    if len(lines) != len(more):
        problem = f"{shorter} ends before this line; take two files of which line i of one "
        raise CorpusError(longer, len(lines) + 1, f"{problem}translates line i of the other")
    for path, lines in sides:
        if not lines:
            raise CorpusError(path, 1, "there is no line in the file; get the whole file again")
        if blank := next((n for n, line in enumerate(lines, start=1) if is_blank(line)), None):
            raise CorpusError(path, blank, "the line is blank; take the pair out of both files")
    return parallel_text(*(lines for _, lines in sides))


def is_blank(line: str) -> bool:
    """Whether nothing of the line can be seen: spaces, control and format characters, marks."""
    return all(unicodedata.category(each) in UNSEEN or each in FILLERS for each in line)
