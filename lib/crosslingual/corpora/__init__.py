"""Where corpora come from. A *source* is an edition's ``corpora:`` block, checked:

    Artificial      the artificial world's, generated when asked for
    Published       a file of one's own first, else the published one

and both answer

    languages(task), evaluation_languages(task)     names one can train on, evaluate on
    labelled(task, language, split)                 a Dataset with columns tokens, labels
    parallel(source, target)                        a Dataset with columns source, target
    digest(task, language, split)                   of what the corpus is
    parallel_digest(source, target)                 of what the parallel text is
    substitutes()                                   {language: corpus} in a CoNLL corpus's place
    text(language, sentences, pairs)                lines to pre-train on

Those that read raise CorpusUnavailable, in one sentence, where a corpus is not at hand, and its
subclass CorpusError where a file has a mistake.
"""

import codecs
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from crosslingual import languages as known
from crosslingual.corpora import entities, news, treebanks
from crosslingual.corpora.artificial import Artificial, Settings, Size, Sizes
from crosslingual.corpora.fetch import Download, DownloadError, cache_folder, located
from crosslingual.corpora.formats import (
    CODE_SWITCHING_TEST,
    CODE_SWITCHING_TRAIN,
    IOB2,
    READER_VERSION,
    SPLITS,
    TASKS,
    UPOS,
    UTF_8,
    CorpusError,
    CorpusUnavailable,
    concatenate,
    digest,
    first,
    labelled_corpus,
    parallel_text,
    read_conll,
    read_conllu,
    read_parallel,
    statistics,
    text_digest,
    write_lines,
)

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["CODE_SWITCHING_TEST", "CODE_SWITCHING_TRAIN", "IOB2", "SPLITS", "TASKS", "UPOS"]
__all__ += ["Artificial", "CorpusError", "CorpusUnavailable", "Download", "DownloadError"]
__all__ += ["Published", "Source", "cache_folder", "concatenate", "digest", "first"]
__all__ += ["labelled_corpus", "parallel_text", "statistics", "text_digest"]

ROOT_VARIABLE = "CROSSLINGUAL_DATA"
# Text for pre-training does not tell the two Portuguese apart.
RAW_NAMES = {"no_bokmaal": "nb", "no_nynorsk": "nn", "pt_br": "pt"}


def _treebank(name: str) -> str:
    treebanks.parse(name)
    return name


def _release(tag: str) -> str:
    return _treebank(f"@{tag}")[1:]


def _encoding(name: str) -> str:
    try:
        " ".encode(name)  # unlike codecs.lookup it refuses codecs that are not of text, as base64
    except (LookupError, ValueError):
        raise ValueError(f"unknown encoding {name!r}: give one that Python knows") from None
    return codecs.lookup(name).name


def _pair(names: str) -> str:
    if names.count("-") != 1:
        raise ValueError(f"{names!r} is no pair of languages: write it like en-de")
    return "-".join(map(known.check, names.split("-")))


def _folder(root: str | Path | None, info: ValidationInfo) -> Path | None:
    """Relative to the edition's file, which the context names, not to where one stands."""
    if root is None or not isinstance(root, str | Path):
        return root
    return Path((info.context or {}).get("folder", "."), Path(root).expanduser()).resolve()


Code = Annotated[str, AfterValidator(known.check)]
Treebank = Annotated[str, AfterValidator(_treebank)]
Split = Literal["train", "dev", "test"]


class Own(Settings):
    """Files of one's own for a language, relative to the data folder."""

    train: str | None = None
    dev: str | None = None
    test: str | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None


class OwnPair(Settings):
    """Two files of one's own, of which line i of one translates line i of the other."""

    source: str
    target: str


class Files(Settings):
    pos: dict[Code, Own] = Field({})
    ner: dict[Code, Own] = Field({})
    parallel: dict[Annotated[str, AfterValidator(_pair)], OwnPair] = Field({})


class News(Settings):
    """Settings of `news.files` and `news.read`."""

    text: Literal["wmt", "ntrex"] = "wmt"
    size: Size = 5000
    seed: int = 0


class CodeSwitching(Settings):
    """The least share of the sentences whose words must be there: with fewer, another corpus."""

    minimum: Annotated[float, Field(ge=0, le=1)] = 0.5


class Published(Settings):
    """An edition's ``corpora:`` block of real languages.

    ``root`` is the data folder (default: the environment variable CROSSLINGUAL_DATA; none is
    needed): what it holds is taken first, ``ud/<language>/<split>.conllu`` for a language's
    treebank, unless the edition names one, ``ud_original/<treebank>/<release>/`` for published
    files, and what `entities`, `news` and `treebanks` name. ``files`` says where another file
    stands for a language. ``release`` is the git tag of all treebanks, and ``treebanks`` names
    others than those of the table. ``version_1`` is as in `formats.read_conllu`. ``sizes`` caps
    each corpus to its first sentences. ``held_out``: of a corpus without development data, every
    tenth sentence of its training set is that.
    """

    source: Literal["published"]
    root: Annotated[Path | None, BeforeValidator(_folder)] = None
    release: Annotated[str, AfterValidator(_release)] | None = None
    treebanks: dict[Code, Treebank | dict[Split, Treebank]] = Field({})
    version_1: Literal["refuse", "convert"] = "refuse"
    files: Files = Files()
    news: News = News()
    code_switching: CodeSwitching = CodeSwitching()
    sizes: Sizes = Sizes()
    held_out: bool = False

    def languages(self, task: str) -> list[str]:
        if task == "code-switching":
            return CODE_SWITCHING_TRAIN
        pos = [*known.POS_LANGUAGES, *self.treebanks, *self.files.pos]
        ner = [*known.NER16_LANGUAGES, *known.CONLL_LANGUAGES, *self.files.ner]
        return list(dict.fromkeys(pos if task == "pos" else ner))

    def evaluation_languages(self, task: str) -> list[str]:
        return CODE_SWITCHING_TEST if task == "code-switching" else self.languages(task)

    def labelled(self, task: str, language: str, split: str) -> "Dataset":
        """The corpus; raises CorpusUnavailable (how to get it) and CorpusError (a broken file)."""
        if language == "hi+en":
            return concatenate([self.labelled("pos", code, split) for code in ("hi", "en")])
        taken, tenth = self._taken(task, language, split)
        corpus = self._read(task, language, self._paths(task, language, taken))
        if tenth is not None:
            held = [place for place in range(len(corpus)) if (place % 10 == 9) == tenth]
            corpus = corpus.select(held)
        return first(corpus, self.sizes.of(task, split))

    def parallel(self, source: str, target: str) -> "Dataset":
        """The pair's own two files where the edition names them, else `news`."""
        paths = [located(item) for item in self._pair(source, target)]
        if f"{source}-{target}" in self.files.parallel:
            text = read_parallel(*paths)
        else:
            text = news.read(paths, source, target, self.news.size, self.news.seed)
        return first(text, self.sizes.parallel)

    def digest(self, task: str, language: str, split: str) -> str:
        """`formats.digest` of the corpus, kept for as long as its files stay what they are."""
        if language == "hi+en":
            return _hash(" ".join(self.digest("pos", code, split) for code in ("hi", "en")))
        taken = self._taken(task, language, split)
        paths, cap = self._paths(task, language, taken[0]), self.sizes.of(task, split)
        about = [task, language, *taken, cap, self.version_1, self._own_encoding(task, language)]
        about.append(self.code_switching.minimum)
        return _kept(paths, about, lambda: digest(self.labelled(task, language, split)))

    def parallel_digest(self, source: str, target: str) -> str:
        """`formats.text_digest` of the parallel text, kept likewise."""
        paths = [located(item) for item in self._pair(source, target)]
        about = [source, target, self.news, self.sizes.parallel]
        return _kept(paths, about, lambda: text_digest(self.parallel(source, target)))

    def substitutes(self) -> dict[str, str]:
        """{language: corpus} of the CoNLL languages for which another stands; nothing is read."""
        root = None
        with suppress(CorpusUnavailable):  # a data folder that is not there has none of them
            root = self._root()
        found = entities.substitutes(root)
        return {code: corpus for code, corpus in found.items() if code not in self.files.ner}

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        """At most ``sentences`` lines of ``raw/*/<language>.txt`` of the data folder, drawn.

        The folder's owner keeps evaluation text out. Raises CorpusUnavailable.
        """
        name = RAW_NAMES.get(language, language)
        paths = sorted(root.glob(f"raw/*/{name}.txt")) if (root := self._root()) else []
        if not paths:
            raise CorpusUnavailable(
                f"there is no raw/*/{name}.txt in the data folder: put text to pre-train on there."
            )
        texts = (path.read_text(encoding=UTF_8) for path in paths)
        lines = [line for text in texts for line in text.splitlines() if line.strip()]
        Random(language).shuffle(lines)
        return lines[:sentences]

    def _root(self) -> Path | None:
        """The data folder, if one is named: it must then exist, lest a misspelt name download."""
        root = self.root or os.environ.get(ROOT_VARIABLE)
        if root and not (path := Path(root).expanduser()).is_dir():
            raise CorpusUnavailable(
                f"there is no data folder {path}: correct `root` in the edition's corpora or "
                f"{ROOT_VARIABLE}, or leave it out, so that corpora are downloaded."
            )
        return path if root else None

    def _own(self, task: str, language: str) -> Own | None:
        """The files of one's own that stand for a corpus, all of its splits or none."""
        if named := getattr(self.files, task.replace("-", "_"), {}).get(language):
            return named
        root = self._root()
        if task != "pos" or self.release or language in self.treebanks or root is None:
            return None
        places = {split: f"ud/{language}/{split}.conllu" for split in SPLITS}
        return Own(**places) if any((root / place).is_file() for place in places.values()) else None

    def _own_encoding(self, task: str, language: str) -> str | None:
        own = self._own(task, language)
        return own.encoding if own else None

    def _items(self, task: str, language: str, split: str) -> list[Path | Download]:
        """The files of a corpus, those to be fetched among them; raises CorpusUnavailable where
        there is no such split."""
        if own := self._own(task, language):
            return [self._existing(getattr(own, split), f"{split} file for {task} {language}")]
        if task == "code-switching":
            return treebanks.switched_files(split, self._root())
        if task == "ner":
            return [entities.file(language, split, self._root())]
        return treebanks.files(language, split, self._named(language, split))

    def _existing(self, place: str | None, what: str) -> Path:
        if place is None:
            raise CorpusUnavailable(f"the edition names no {what}: add it under `files`.")
        path = (self._root() or Path.cwd()) / Path(place).expanduser()
        if not path.is_file():
            raise CorpusUnavailable(
                f"{path} is missing: put the file there, or name another under `files` in the "
                "edition's corpora."
            )
        return path

    def _named(self, language: str, split: str) -> str:
        """The treebank that the edition names, for `treebanks.parse`; "" for the table's."""
        entry = self.treebanks.get(language, "")
        name = entry.get(split, "") if isinstance(entry, dict) else entry
        return name if "@" in name or not self.release else f"{name}@{self.release}"

    def _paths(self, task: str, language: str, split: str) -> list[Path]:
        return [located(item, self._root()) for item in self._items(task, language, split)]

    def _taken(self, task: str, language: str, split: str) -> tuple[str, bool | None]:
        """Which split's file is read, and whether its tenth is (True), the rest (False) or all."""
        if not self.held_out or task == "code-switching" or split == "test":
            return split, None
        try:
            self._items(task, language, "dev")
        except CorpusUnavailable:
            return "train", split == "dev"
        return split, None

    def _read(self, task: str, language: str, paths: list[Path]) -> "Dataset":
        if task == "code-switching":
            return treebanks.read_switched(paths, language, self.code_switching.minimum)
        encoding = self._own_encoding(task, language)
        if task == "pos":
            read = [read_conllu(path, encoding or UTF_8, self.version_1) for path in paths]
            return concatenate(read)
        if paths[0].suffix == ".parquet":
            return entities.read_parquet(paths[0])
        return read_conll(paths[0], encoding or entities.encoding(paths[0]))

    def _pair(self, source: str, target: str) -> list[Path | Download]:
        if own := self.files.parallel.get(f"{source}-{target}"):
            return [self._existing(place, "parallel file") for place in (own.source, own.target)]
        return news.files(source, target, self._root(), self.news.text)


Source = Annotated[Artificial | Published, Field(discriminator="source")]


def _kept(paths: list[Path], about: list, compute: Callable[[], str]) -> str:
    """The digest that is kept for files of that place, size and time of change, else computed.

    It is kept with a check sum, so that a damaged file is noticed and written anew.
    """
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    key = _hash(f"{READER_VERSION} {stats} {about}")
    file = cache_folder() / "digests" / key
    if file.is_file():
        found, _, check = file.read_bytes().decode("ascii", "replace").partition(" ")
        if check.strip() == _hash(f"{key} {found}"):
            return found
    found = compute()
    with suppress(OSError):  # no room to keep it: it is computed again
        file.parent.mkdir(parents=True, exist_ok=True)
        write_lines([f"{found} {_hash(f'{key} {found}')}"], file)
    return found


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
