"""What the corpus readers share: decoding, error sentences, and the two shapes a corpus has."""

from pathlib import Path

from datasets import Dataset, Features, List, Value

from crosslingual.store import Unavailable

LABELLED = Features({"tokens": List(Value("string")), "labels": List(Value("string"))})
PARALLEL = Features({"source": Value("string"), "target": Value("string")})


class CorpusUnavailable(Unavailable):
    """A corpus that is not at hand; the message says what is missing and how to get it."""


class CorpusError(ValueError):
    """A corpus file with a mistake; the message is one sentence with file, line and remedy."""

    def __init__(self, path: str | Path, line: int, problem: str, remedy: str):
        super().__init__(f"{path}, line {line}: {problem}; {remedy}.")


def read_lines(path: str | Path, encoding: str = "utf-8") -> list[str]:
    """The file's lines without their ends, LF or CR LF; U+2028 and the like are part of the text."""
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise CorpusError(
            path,
            data.count(b"\n", 0, error.start) + 1,
            f"the bytes are not {encoding}",
            "convert the file to UTF-8, or give its encoding (German CoNLL-2003 is latin-1)",
        ) from None
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def labelled_corpus(tokens: list[list[str]], labels: list[list[str]]) -> Dataset:
    """A labelled corpus: one row a sentence, ``tokens`` and ``labels`` of the same length."""
    return Dataset.from_dict({"tokens": tokens, "labels": labels}, features=LABELLED)


def parallel_text(source: list[str], target: list[str]) -> Dataset:
    """Parallel text: row i of ``source`` is translated by row i of ``target``."""
    return Dataset.from_dict({"source": source, "target": target}, features=PARALLEL)


def check_words(corpus: Dataset, path: str | Path) -> None:
    """Raise CorpusUnavailable for a treebank that is passed on without its text."""
    if not any(set(tokens) - {"_"} for tokens in corpus[:]["tokens"]):
        raise CorpusUnavailable(
            f"{path} holds no words (every FORM is _): get the release of the corpus with its text."
        )
