"""Where corpora come from. A *source* is an edition's ``corpora:`` block, checked:

    Artificial      the artificial world's, generated when asked for
    Published       a file of one's own first, else the published one

and both answer

    languages(task)                                 names one can train on
    labelled(task, language, split)                 a Dataset with columns tokens, labels
    parallel(source, target)                        a Dataset with columns source, target
    digest(task, language, split)                   of what the corpus is
    parallel_digest(source, target)                 of what the parallel text is
    substitutes()                                   {language: corpus} in a CoNLL corpus's place
    text(language, sentences, pairs)                lines to pre-train on, if artificial

Those that read raise CorpusUnavailable, in one sentence, where a corpus is not at hand, and its
subclass CorpusError where a file has a mistake.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from os.path import expanduser
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from crosslingual import languages as known
from crosslingual.corpora import entities, formats, news, treebanks
from crosslingual.corpora.artificial import Artificial, Settings
from crosslingual.corpora.fetch import Download, cache_folder, located
from crosslingual.corpora.formats import IOB2, SPLITS, TASKS, UPOS, CorpusError, CorpusUnavailable

__all__ = ["IOB2", "SPLITS", "TASKS", "UPOS", "Artificial", "CorpusError", "CorpusUnavailable"]
__all__ += ["Published"]

ROOT_VARIABLE = "CROSSLINGUAL_DATA"


def _pair(names: str) -> str:
    if names.count("-") != 1:
        raise ValueError(f"{names!r} is no pair of languages: write it like en-de")
    return "-".join(map(known.check, names.split("-")))


def _folder(root: str | Path | None, info: ValidationInfo) -> Path | None:
    """Relative to the edition's file, which the context names, not to where one stands."""
    if not isinstance(root, str | Path):
        return root
    return Path((info.context or {}).get("folder", "."), expanduser(root)).resolve()


Code = Annotated[str, AfterValidator(known.check)]
Treebank = Annotated[str, AfterValidator(treebanks.check)]


def _apart(files: list[str]) -> list[str]:
    if len({*files}) < len(files):
        raise ValueError(f"{files[-1]!r} cannot be two of its texts")
    return files


# As `read_parallel` takes them.
Sides = Annotated[list[str], Field(min_length=2, max_length=2), AfterValidator(_apart)]


class Own(Settings):
    """Files of one's own for a language, relative to the data folder."""

    train: str | None = None
    dev: str | None = None
    test: str | None = None

    @model_validator(mode="after")
    def _each(self) -> "Own":
        _apart([file for file in (self.train, self.dev, self.test) if file])
        return self


class Columns(Settings):
    """Which columns of a file of entities, from 1, have the word and its tag."""

    word: int = Field(ge=1)
    tag: int = Field(ge=1)

    @model_validator(mode="after")
    def _two(self) -> "Columns":
        if self.word == self.tag:
            raise ValueError("the word and its tag cannot be in the same column")
        return self


class OwnEntities(Own):
    columns: Columns | None = None


class Files(Settings):
    pos: dict[Code, Own] = Field({})
    ner: dict[Code, OwnEntities] = Field({})
    parallel: dict[Annotated[str, AfterValidator(_pair)], Sides] = Field({})


class Published(Settings):
    """An edition's ``corpora:`` block of real languages.

    ``root`` is the data folder (default: the environment variable CROSSLINGUAL_DATA, or none): what
    it holds is taken first, ``ud/<language>/<split>.conllu`` for a treebank that the edition does
    not name, ``ud_original/<treebank>/<release>/``, and what `entities`, `news` and `treebanks`
    name. ``files``: another file for a language, of entities with their ``columns`` where these are
    not found out (`formats.read_conll`); ``treebanks``: another pinned treebank;
    ``assembled``: all are put together as the records' were, `treebanks.assembled`; ``tweets``: the
    least share of the code-switched sentences whose words must be there; ``held_out``: without
    development data, every tenth training sentence is that.
    """

    source: Literal["published"]
    root: Annotated[Path | None, BeforeValidator(_folder)] = None
    treebanks: dict[Code, Treebank] = Field({})
    assembled: bool = False
    files: Files = Files()
    news: Literal["wmt", "ntrex"] = "wmt"
    tweets: float = Field(0.5, ge=0, le=1)
    held_out: bool = False

    def languages(self, task: str) -> list[str]:
        if task == "code-switching":
            return formats.CODE_SWITCHING_TRAIN
        pos = [*known.POS_LANGUAGES, *self.files.pos]
        ner = [*known.NER16_LANGUAGES, *known.CONLL_LANGUAGES, *self.files.ner]
        return list(dict.fromkeys(pos if task == "pos" else ner))

    def labelled(self, task: str, language: str, split: str) -> formats.Dataset:
        """The corpus; raises CorpusUnavailable (how to get it) and CorpusError (a broken file)."""
        if language == "hi+en":
            return formats.concatenate([self.labelled("pos", code, split) for code in ("hi", "en")])
        taken, tenth = self._taken(task, language, split)
        corpus = self._read(task, language, taken, self._paths(task, language, taken))
        if tenth is None:
            return corpus
        return corpus.select([n for n in range(len(corpus)) if (n % 10 == 9) == tenth])

    def parallel(self, source: str, target: str) -> formats.Dataset:
        """The pair's text; raises as `labelled` does."""
        return news.read(self._parallel_paths(source, target), source, target)

    def digest(self, task: str, language: str, split: str) -> str:
        """`formats.digest` of the corpus, kept for as long as its files stay what they are."""
        if language == "hi+en":
            both = [self.digest("pos", code, split) for code in ("hi", "en")]
            return formats.hashed(" ".join(both))
        own, taken = self._own(task, language), self._taken(task, language, split)
        about = [language, own, taken, self.assembled, self.tweets]
        paths = self._paths(task, language, taken[0])
        return _kept(paths, about, lambda: formats.digest(self.labelled(task, language, split)))

    def parallel_digest(self, source: str, target: str) -> str:
        """`formats.text_digest` of the parallel text, kept likewise."""
        paths, about = self._parallel_paths(source, target), [source, target, self.news]
        return _kept(paths, about, lambda: formats.text_digest(self.parallel(source, target)))

    def substitutes(self) -> dict[str, str]:
        """{language: corpus} of the CoNLL languages for which another stands; nothing is read."""
        standing = {}
        for code in known.CONLL_LANGUAGES:
            own = None
            with suppress(CorpusUnavailable):  # a data folder that is not there has none of them
                own = self._own("ner", code)
            if own and not (own.test or "").startswith(("conll2002/", "conll2003/")):
                standing[code] = "a file of your own"
            elif not own and code not in entities.ON_THE_HUB:
                standing[code] = entities.WIKIANN
        return standing

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        raise CorpusUnavailable("only artificial languages have text to pre-train on.")

    def _root(self) -> Path | None:
        """The data folder, if one is named: it must then exist, lest a misspelt name download."""
        root = self.root or os.environ.get(ROOT_VARIABLE)
        if root and not (path := Path(expanduser(root))).is_dir():
            raise CorpusUnavailable(
                f"there is no data folder {path}: correct `root` in the edition's corpora or "
                f"{ROOT_VARIABLE}, or leave it out, so that corpora are downloaded."
            )
        return path if root else None

    def _own(self, task: str, language: str) -> Own | None:
        """The files of one's own that stand for a corpus, all of its splits or none."""
        named = getattr(self.files, task, {}).get(language)
        chosen = named or (task == "pos" and language in self.treebanks)
        if chosen or (root := self._root()) is None:
            return named
        treebank = {split: f"ud/{language}/{split}.conllu" for split in SPLITS}
        layouts = {"pos": [treebank], "ner": entities.own(language)}.get(task, [])
        found = (places for places in layouts if any((root / p).is_file() for p in places.values()))
        return next((Own(**places) for places in found), None)

    def _items(self, task: str, language: str, split: str) -> list[Path | Download]:
        """The files of a corpus, at hand or to be fetched; raises CorpusUnavailable."""
        if own := self._own(task, language):
            return [self._existing(getattr(own, split), f"{split} file for {task} {language}")]
        if task == "code-switching":
            return treebanks.switched_files(split, self._root())
        if task == "ner":
            return [entities.on_the_hub(language, split)]
        if self.assembled and language not in self.treebanks:
            return treebanks.assembled_files(language, split)
        return treebanks.files(language, split, self.treebanks.get(language, ""))

    def _existing(self, place: str | None, what: str) -> Path:
        if place is None:
            raise CorpusUnavailable(f"the edition names no {what}: add it under `files`.")
        path = (self._root() or Path.cwd()) / expanduser(place)
        if not path.is_file():
            raise CorpusUnavailable(
                f"{path} is missing: put the file there, or name another under `files` in the "
                "edition's corpora."
            )
        return path

    def _paths(self, task: str, language: str, split: str) -> list[Path]:
        return [located(item, self._root()) for item in self._items(task, language, split)]

    def _parallel_paths(self, source: str, target: str) -> list[Path]:
        """The pair's own two files where the edition names them, else those of `news`."""
        texts = self.files.parallel
        if own := texts.get(f"{source}-{target}", texts.get(f"{target}-{source}", [])[::-1]):
            return [self._existing(place, "parallel file") for place in own]
        return [located(item, self._root()) for item in news.files(source, target, self.news)]

    def _taken(self, task: str, language: str, split: str) -> tuple[str, bool | None]:
        """Which split's file is read, and whether its tenth is (True), the rest (False) or all."""
        if not self.held_out or task == "code-switching" or split == "test":
            return split, None
        try:
            self._items(task, language, "dev")
        except CorpusUnavailable:
            return "train", split == "dev"
        return split, None

    def _read(self, task: str, language: str, split: str, paths: list[Path]) -> formats.Dataset:
        named = language in self.treebanks
        if task == "code-switching":
            return treebanks.read_switched(paths, language, self.tweets)
        if task == "pos" and self.assembled and not (self._own(task, language) or named):
            return treebanks.assembled(paths, language, split)
        if task == "pos":
            return formats.concatenate([formats.read_conllu(path) for path in paths])
        if paths[0].suffix == ".parquet":
            return entities.read_parquet(paths[0])
        columns = getattr(self._own(task, language), "columns", None)
        return formats.read_conll(paths[0], columns and (columns.word, columns.tag))


def _kept(paths: list[Path], about: list, compute: Callable[[], str]) -> str:
    """The digest kept, with its check sum, for files of that place, size and age; else computed."""
    stats = [(str(p), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p in paths for s in [p.stat()]]
    key = formats.hashed(f"{formats.READER_VERSION} {stats} {about}")
    file = cache_folder() / "digests" / key
    if file.is_file():
        found, _, check = file.read_bytes().decode("ascii", "replace").partition(" ")
        if check.strip() == formats.hashed(f"{key} {found}"):
            return found
    found = compute()
    with suppress(OSError):  # no room to keep it: it is computed again
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{found} {formats.hashed(f'{key} {found}')}\n")
    return found
