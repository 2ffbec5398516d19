"""Real corpora from a folder on this machine.

The folder holds ``ud/<language>/{train,dev,test}.conllu``, ``ner16/<language>.{train,test}.conll``,
``conll2002/{esp,ned}.{train,testa,testb}``, ``parallel/ntrex/`` and ``codeswitch/UD_Hindi_English-HIENCS/``,
as far as its owner has them. An edition may say that another file stands for a language (``files``).
"""

import os
from hashlib import blake2b
from pathlib import Path
from random import Random

from datasets import Dataset

from crosslingual import languages
from crosslingual.corpora import (
    CODE_SWITCHING_TEST,
    CODE_SWITCHING_TRAIN,
    SPLITS,
    TASKS,
    BadParameter,
    CorpusUnavailable,
    check_sizes,
    concatenate,
    conll,
    conllu,
    first,
    hiencs,
    parallel,
)
from crosslingual.corpora.text import check_words

ROOT_VARIABLE = "CROSSLINGUAL_DATA"
READER_VERSION = 1  # raise when a reader returns something else for the same file
UTF_8 = "utf-8"  # what files are, unless the edition says otherwise
LAYOUT = {"pos": "ud/{language}/{split}.conllu", "ner": "ner16/{language}.{split}.conll"}
# Text for pre-training does not tell the two Portuguese apart.
RAW_NAMES = {"no_bokmaal": "nb", "no_nynorsk": "nn", "pt_br": "pt"}
READERS = {"pos": conllu.read, "ner": conll.read}


class Folder:
    """The ``folder`` source.

    ``root`` is the folder (default: the environment variable CROSSLINGUAL_DATA); ``files`` says
    ``{task: {language: {train: path, dev: path, test: path, encoding: name}}}`` where the layout does not
    hold, and ``{parallel: {"en-de": {source: path, target: path}}}``, paths relative to the root; ``sizes``
    caps each corpus to its first sentences; ``raw`` says which of the sources of text under ``raw/`` may be
    used, ``{source: "all" or a list of languages}`` (default: every one), for encoders that are to be passed on;
    ``code_switching`` says ``{tweets: file, minimum: share of the sentences}``, as in `hiencs.labelled`.
    """

    def __init__(
        self,
        root: str | None = None,
        files: dict | None = None,
        sizes: dict | None = None,
        raw: dict | None = None,
        code_switching: dict | None = None,
    ):
        self.root, self.files, self.sizes = root, _check_files(files or {}), check_sizes(sizes or {})
        self.raw, self.code_switching = _check_raw(raw or {}), check_code_switching(code_switching or {})

    def languages(self, task: str) -> list[str]:
        if task == "code-switching":
            return CODE_SWITCHING_TRAIN
        usual = languages.POS_LANGUAGES if task == "pos" else languages.NER16_LANGUAGES
        return usual + [code for code in self.files.get(task, {}) if code not in usual]

    def evaluation_languages(self, task: str) -> list[str]:
        return CODE_SWITCHING_TEST if task == "code-switching" else self.languages(task)

    def labelled(self, task: str, language: str, split: str) -> Dataset:
        """The corpus; raises CorpusUnavailable if its file or words are missing, CorpusError if broken."""
        if language == "hi+en":
            return concatenate([self.labelled("pos", code, split) for code in ("hi", "en")])
        if task == "code-switching":
            corpus = self._code_switched(split, language)
        else:
            path, encoding = self._entry(task, language, split)
            corpus = READERS[task](self._existing(path), encoding)
            check_words(corpus, path)
        return first(corpus, self.sizes.get(task, {}).get(split))

    def parallel(self, source: str, target: str) -> Dataset:
        """The pair's own two files where the edition names them, else NTREX-128."""
        pair = self.files.get("parallel", {}).get(f"{source}-{target}")
        folder = self._root() / "parallel" / "ntrex"
        ntrex = {
            side: parallel.ntrex_path(folder, code) for side, code in [("source", source), ("target", target)]
        }
        paths = {side: self._existing(self._root() / path) for side, path in (pair or ntrex).items()}
        return first(parallel.read(**paths), self.sizes.get("parallel"))

    def fingerprint(self, task: str, language: str, split: str) -> str:
        """Digest of the files' bytes, their encoding, the reader's version and the cap."""
        if language == "hi+en":
            return "+".join(self.fingerprint("pos", code, split) for code in ("hi", "en"))
        size = self.sizes.get(task, {}).get(split)
        if task == "code-switching":
            self._check_annotation(split)
            return f"{hiencs.fingerprint(language, split, self._root(), **self.code_switching)}-{size}"
        path, encoding = self.file(task, language, split)
        named = "" if encoding == UTF_8 else f" {encoding}"  # so that fingerprints kept before they told encodings stay
        state = blake2b(f"{READER_VERSION} {task} {language} {size}{named}".encode(), digest_size=16)
        state.update(path.read_bytes())
        return state.hexdigest()

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        """At most ``sentences`` lines for pre-training, drawn from ``raw/*/<language>.txt`` with a fixed seed.

        Raises CorpusUnavailable if there is no such file. ``pairs`` is ignored: the folder's owner keeps
        evaluation text out.
        """
        paths = self._raw(language)
        lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        Random(language).shuffle(lines)
        return lines[:sentences]

    def text_fingerprint(self, language: str) -> str:
        """Names and sizes of the files that ``text`` draws from: cheap, and enough to notice that text was added."""
        return " ".join(f"{path.parent.name}/{path.name}:{path.stat().st_size}" for path in self._raw(language))

    def has(self, task: str, language: str) -> bool:
        """Whether there is a file of any split of the corpus, in its place or named by the edition."""
        if language in self.files.get(task, {}):
            return True
        paths = [LAYOUT[task].format(language=language, split=split) for split in SPLITS]
        return any((self._root() / path).is_file() for path in paths)

    def file(self, task: str, language: str, split: str) -> tuple[Path, str]:
        """The file that stands for a corpus, and its encoding; raises CorpusUnavailable."""
        path, encoding = self._entry(task, language, split)
        return self._existing(path), encoding

    def _raw(self, language: str) -> list[Path]:
        name = RAW_NAMES.get(language, language)
        folder = self._root() / "raw"
        paths = [path for path in sorted(folder.glob(f"*/{name}.txt")) if self._may_use(path.parent.name, language)]
        if not paths:
            raise CorpusUnavailable(
                f"there is no raw/*/{name}.txt in the data folder {self._root()} that the edition's `raw` permits: "
                "put text to pre-train on there."
            )
        return paths

    def _may_use(self, source: str, language: str) -> bool:
        permitted = self.raw.get(source, []) if self.raw else "all"
        return permitted == "all" or language in permitted

    def _root(self) -> Path:
        root = self.root or os.environ.get(ROOT_VARIABLE)
        if not root:
            raise CorpusUnavailable(
                f"no data folder is named: set the environment variable {ROOT_VARIABLE}, "
                "or `root` in the edition's corpora, to the folder that holds ud/, ner16/ and so on."
            )
        return Path(root).expanduser()

    def _entry(self, task: str, language: str, split: str) -> tuple[Path, str]:
        """The file that stands for a corpus, and its encoding."""
        own = self.files.get(task, {}).get(language)
        if own is None:
            return self._root() / LAYOUT[task].format(language=language, split=split), UTF_8
        if split not in own:
            raise CorpusUnavailable(
                f"the edition names no {split} file for {task} {language}: add it under `files`."
            )
        return self._root() / own[split], own.get("encoding", UTF_8)

    def _existing(self, path: Path) -> Path:
        if not path.is_file():
            raise CorpusUnavailable(
                f"{path.relative_to(self._root())} is missing from the data folder {self._root()}: "
                "put the file there, or name another under `files` in the edition's corpora."
            )
        return path

    def _check_annotation(self, split: str) -> None:
        for path in hiencs.files(self._root(), split):  # else it would be downloaded
            self._existing(path)

    def _code_switched(self, split: str, version: str) -> Dataset:
        self._check_annotation(split)
        return hiencs.labelled(version, split, self._root(), **self.code_switching)


def _check_files(files: dict) -> dict:
    """``files`` as Folder describes it, or BadParameter."""
    for task, entries in files.items():
        if task not in [*TASKS[:2], "parallel"]:
            raise BadParameter(
                ("files", task), f"unknown task {task!r} under files: choose from pos, ner, parallel"
            )
        if not isinstance(entries, dict):
            raise BadParameter(("files", task), f"files of {task} is a mapping from languages to files")
        for name, entry in entries.items():
            _check_entry(("files", task, name), entry)
    return files


def _check_raw(raw: dict) -> dict:
    """``raw`` as Folder describes it, or BadParameter."""
    for source, permitted in raw.items():
        if permitted == "all":
            continue
        if not isinstance(permitted, list):
            raise BadParameter(("raw", source), f"raw text of {source} is all or a list of languages")
        for code in permitted:
            if code not in languages.table().index:
                raise BadParameter(("raw", source), f"unknown language {code!r} under raw")
    return raw


def check_code_switching(settings: dict) -> dict:
    """``code_switching`` as Folder describes it, or BadParameter."""
    kinds = {"tweets": (str, "the path of a file"), "minimum": (int | float, "a share between 0 and 1")}
    for key, value in settings.items():
        if key not in kinds:
            raise BadParameter(("code_switching", key), f"unknown key {key!r}: choose from {', '.join(kinds)}")
        kind, words = kinds[key]
        if not isinstance(value, kind) or (key == "minimum" and not 0 <= value <= 1):
            raise BadParameter(("code_switching", key), f"{key} is {words}, not {value!r}")
    return settings


def _check_entry(key: tuple, entry: dict) -> None:
    _, task, name = key
    known = ["source", "target"] if task == "parallel" else [*SPLITS, "encoding"]
    for code in str(name).split("-") if task == "parallel" else [name]:
        if code not in languages.table().index:
            raise BadParameter(
                key, f"unknown language {code!r} under files: choose from {' '.join(languages.table().index)}"
            )
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise BadParameter(key, f"files of {name} is a mapping from {', '.join(known)} to text")
    for part in entry:
        if part not in known:
            raise BadParameter((*key, part), f"unknown key {part!r}: choose from {', '.join(known)}")
    if task == "parallel" and len(entry) < 2:
        raise BadParameter(key, f"files of {name} needs both source and target")
    _check_encoding((*key, "encoding"), entry.get("encoding", UTF_8))


def _check_encoding(key: tuple, name: str) -> None:
    try:
        " ".encode(name)  # unlike codecs.lookup it refuses codecs that are not of text, as base64
    except (LookupError, ValueError):
        raise BadParameter(key, f"unknown encoding {name!r}: give one that Python knows, as utf-8 or latin-1") from None
