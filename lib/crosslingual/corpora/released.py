"""The published corpora of the paper, or their named substitutes: the `released` source.

Each is downloaded when it is first asked for, verified, and used offline from then on. What a data folder
holds is taken first (layout: `folder`): ``ud/<language>/`` for a language's treebank as a whole, unless the
edition names another, so that no split comes from elsewhere than the others;
``ud_original/<treebank>/<release>/`` for published files.
"""

import os
from pathlib import Path

import pandas as pd
from datasets import Dataset

from crosslingual import languages as known
from crosslingual.corpora import (
    CODE_SWITCHING_TEST,
    CODE_SWITCHING_TRAIN,
    SPLITS,
    TASKS,
    BadParameter,
    CorpusUnavailable,
    check_sizes,
    concatenate,
    conllu,
    entities,
    first,
    hiencs,
    newstests,
    treebanks,
)
from crosslingual.corpora.download import Download
from crosslingual.corpora.folder import ROOT_VARIABLE, Folder, check_code_switching
from crosslingual.corpora.text import check_words

PAIRS = [("en", "de"), ("en", "ru"), ("hi", "ur")]
NEEDED = ["train", "test"]  # no experiment of the paper uses development data

# Settings by name: their type, and that type in words.
NER_SETTINGS = {"german": (str, "the path of a folder"), "conll_languages": (list, "a list of languages")}
PARALLEL_SETTINGS = {
    "text": (str, "wmt or ntrex"),
    "size": (int, "a number of pairs"),
    "seed": (int, "an integer"),
}


class Released:
    """The ``released`` source.

    ``root`` is the data folder (default: the environment variable CROSSLINGUAL_DATA; none is needed).
    ``release`` is the git tag of all treebanks, and ``treebanks`` says ``{language: UD_Dutch-Alpino@r2.13}``,
    or ``{language: {split: ...}}``, where another than that of the table is to stand for a language. ``tags``
    is upos or xpos, ``version_1`` refuse or convert (`conllu.read`). ``ner``, ``parallel`` and
    ``code_switching`` hold settings of `entities.labelled`, `newstests.parallel` and `hiencs.labelled`;
    ``files``, ``sizes`` and ``raw`` are as in `folder.Folder`.
    """

    def __init__(
        self,
        root: str | None = None,
        release: str | None = None,
        treebanks: dict | None = None,
        tags: str = "upos",
        version_1: str = "refuse",
        ner: dict | None = None,
        parallel: dict | None = None,
        code_switching: dict | None = None,
        files: dict | None = None,
        sizes: dict | None = None,
        raw: dict | None = None,
    ):
        self.root, self.sizes = root, check_sizes(sizes or {})
        self.release, self.treebanks = _check_release(release), _check_treebanks(treebanks or {})
        self.tags = _check_choice(("tags",), tags, conllu.TAGS)
        self.version_1 = _check_choice(("version_1",), version_1, conllu.VERSION_1_POLICIES)
        self.ner = _check_settings("ner", ner or {}, NER_SETTINGS)
        self.news = _check_settings("parallel", parallel or {}, PARALLEL_SETTINGS)
        _check_choice(("parallel", "text"), self.news.get("text", "wmt"), newstests.TEXTS)
        self.code_switching = check_code_switching(code_switching or {})
        self.folder = Folder(root, files, sizes, raw)

    def languages(self, task: str) -> list[str]:
        if task == "code-switching":
            return CODE_SWITCHING_TRAIN
        if task == "pos":
            usual = [*known.POS_LANGUAGES, *self.treebanks]
        else:
            usual = [*known.NER16_LANGUAGES, *known.CONLL_LANGUAGES]
        return list(dict.fromkeys([*usual, *self.folder.files.get(task, {})]))

    def evaluation_languages(self, task: str) -> list[str]:
        return CODE_SWITCHING_TEST if task == "code-switching" else self.languages(task)

    def labelled(self, task: str, language: str, split: str) -> Dataset:
        """The corpus; raises CorpusUnavailable (how to get it) and CorpusError (a broken file)."""
        if language == "hi+en":  # beside UPOS of tweets, so UPOS whatever `tags` says
            parts = [self._treebank(code, split, "upos") for code in ("hi", "en")]
            return concatenate([first(part, self._cap("pos", split)) for part in parts])
        if task == "pos":
            corpus = self._treebank(language, split, self.tags)
        elif task == "code-switching":
            corpus = hiencs.labelled(language, split, self._root(), **self.code_switching)
        elif language in self.folder.files.get("ner", {}):
            corpus = self.folder.labelled("ner", language, split)
        else:
            corpus = entities.labelled(language, split, self._root(), **self.ner)
        return first(corpus, self._cap(task, split))

    def parallel(self, source: str, target: str) -> Dataset:
        """Parallel text: the edition's own files, else the news tests, or their substitute, of the pair."""
        if f"{source}-{target}" in self.folder.files.get("parallel", {}):
            return self.folder.parallel(source, target)
        return first(
            newstests.parallel(source, target, root=self._root(), **self.news), self.sizes.get("parallel")
        )

    def fingerprint(self, task: str, language: str, split: str) -> str:
        """Of what determines the corpus: pins where there are any, which need no download, else bytes."""
        if language == "hi+en":
            parts = [self._treebank_fingerprint(code, split, "upos") for code in ("hi", "en")]
            return f"{'+'.join(parts)}-{self._cap('pos', split)}"
        if task == "pos":
            found = self._treebank_fingerprint(language, split, self.tags)
        elif task == "code-switching":
            found = hiencs.fingerprint(language, split, self._root(), **self.code_switching)
        elif language in self.folder.files.get("ner", {}):
            found = self.folder.fingerprint("ner", language, split)
        else:
            found = entities.fingerprint(language, split, root=self._root(), **self.ner)
        return f"{found}-{self._cap(task, split)}"

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        """Lines to pre-train on, from ``raw/`` of the data folder; see `folder.Folder.text`."""
        return self.folder.text(language, sentences, pairs)

    def text_fingerprint(self, language: str) -> str:
        return self.folder.text_fingerprint(language)

    def downloads(self, task: str | None = None, names: list | None = None) -> list[Download]:
        """What is not at hand yet and would be fetched for a task (or "parallel"; None: for all), each file
        once.

        ``names`` are languages, or pairs for "parallel"; by default all of the source and the paper's pairs.
        """
        if task is None:
            return list(dict.fromkeys(item for each in [*TASKS, "parallel"] for item in self.downloads(each)))
        found = {
            "pos": lambda: self._per_split(self._treebank_files, names or self.languages("pos")),
            "ner": lambda: self._per_split(self._entity_files, names or self.languages("ner")),
            "code-switching": lambda: self._code_switching_files(names or CODE_SWITCHING_TRAIN),
            "parallel": lambda: [item for pair in names or PAIRS for item in self._news_files(*pair)],
        }[task]()
        return [item for item in dict.fromkeys(found) if not item.cached]

    def treebank_table(self) -> pd.DataFrame:
        """Which treebank stands for which language: index language; treebank, release, licence, reason.

        A file of the data folder or of the edition shows as treebank "your own"; releases and licences of the
        test split.
        """
        rows = {code: self._treebank_row(code) for code in self.languages("pos")}
        return pd.DataFrame.from_dict(rows, "index", columns=["treebank", "release", "licence", "reason"])

    def entity_table(self) -> pd.DataFrame:
        """What stands for each language's entities: `entities.described` with the edition's settings."""
        return entities.described(root=self._root(), **self.ner)

    def substitutes(self) -> dict[str, str]:
        """{language: corpus} of the CoNLL languages for which another corpus stands."""
        return entities.substitutes(root=self._root(), **self.ner)

    def _cap(self, task: str, split: str) -> int | None:
        return self.sizes.get(task, {}).get(split)

    def _root(self) -> Path | None:
        """The data folder, if one is named; it must then exist, lest a misspelt name cost a long download."""
        root = self.root or os.environ.get(ROOT_VARIABLE)
        if root and not (path := Path(root).expanduser()).is_dir():
            raise CorpusUnavailable(
                f"there is no data folder {path}: correct `root` in the edition's corpora or "
                f"{ROOT_VARIABLE}, or leave it out, so that corpora are downloaded."
            )
        return path if root else None

    def _named(self, language: str, split: str) -> str:
        """The treebank that the edition names, as `treebanks.parse` reads it; "" for the table's choice."""
        entry = self.treebanks.get(language, "")
        name = entry.get(split, "") if isinstance(entry, dict) else entry
        return name if "@" in name or not self.release else f"{name}@{self.release}"

    def _own(self, language: str) -> bool:
        """Whether the data folder's treebank stands for the language."""
        if language in self.folder.files.get("pos", {}):
            return True
        named = self.release or language in self.treebanks
        return not named and self._root() is not None and self.folder.has("pos", language)

    def _treebank(self, language: str, split: str, tags: str) -> Dataset:
        if not self._own(language):
            name = self._named(language, split)
            return treebanks.labelled(language, split, name, tags, self.version_1, self._root())
        path, encoding = self.folder.file("pos", language, split)
        corpus = conllu.read(path, encoding, tags, self.version_1)
        check_words(corpus, path)
        return corpus

    def _treebank_fingerprint(self, language: str, split: str, tags: str) -> str:
        if self._own(language):
            return f"{self.folder.fingerprint('pos', language, split)} {tags} {self.version_1}"
        return treebanks.fingerprint(
            language, split, self._named(language, split), tags, self.version_1, self._root()
        )

    def _treebank_row(self, language: str) -> list[str]:
        if self._own(language):
            return ["your own", "", "", "the data folder, or the edition, has one"]
        item, named = (
            treebanks.files(language, "test", self._named(language, "test"))[0],
            self._named(language, "test"),
        )
        _, name, release, _ = item.path.split("/")
        reason = "named in the edition" if named else treebanks.choices().reason[language]
        return [name, release, item.licence, reason]

    def _per_split(self, files, names: list[str]) -> list[Download]:
        return [item for name in names for split in NEEDED for item in files(name, split)]

    def _treebank_files(self, language: str, split: str) -> list[Download]:
        if self._own(language):
            return []
        try:
            items = treebanks.files(language, split, self._named(language, split))
        except CorpusUnavailable:  # nothing to fetch: its tables will say so
            return []
        return [item for item in items if not treebanks.at_hand(item, self._root())]

    def _entity_files(self, language: str, split: str) -> list[Download]:
        if language in self.folder.files.get("ner", {}):
            return []
        try:
            return entities.downloads(language, split, root=self._root(), **self.ner)
        except CorpusUnavailable:
            return []

    def _code_switching_files(self, names: list[str]) -> list[Download]:
        root = self._root()
        here = root and all(path.is_file() for split in SPLITS for path in hiencs.files(root, split))
        monolingual = self._per_split(self._treebank_files, ["hi", "en"] if "hi+en" in names else [])
        return monolingual + ([] if here else hiencs.downloads())

    def _news_files(self, source: str, target: str) -> list[Download]:
        if f"{source}-{target}" in self.folder.files.get("parallel", {}):
            return []
        return newstests.downloads(source, target, root=self._root(), **self.news)


def _check_choice(key: tuple, value: str, choice: list[str]) -> str:
    if value not in choice:
        raise BadParameter(key, f"{key[-1]} is one of {', '.join(choice)}, not {value!r}")
    return value


def _check_release(release: str | None) -> str | None:
    if release is not None:
        if not isinstance(release, str):
            raise BadParameter(("release",), f"a release is a git tag like r2.13, not {release!r}")
        _check_treebank(("release",), f"@{release}")
    return release


def _check_treebanks(entries: dict) -> dict:
    """``treebanks`` as Released describes it, or BadParameter."""
    if not isinstance(entries, dict):
        raise BadParameter(("treebanks",), "treebanks is a mapping from languages to treebanks")
    for language, entry in entries.items():
        if language not in known.table().index:
            choice = " ".join(known.table().index)
            raise BadParameter(
                ("treebanks", language), f"unknown language {language!r}: choose from {choice}"
            )
        for split, name in entry.items() if isinstance(entry, dict) else [("", entry)]:
            key = ("treebanks", language, split) if split else ("treebanks", language)
            if split and split not in SPLITS:
                raise BadParameter(key, f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
            _check_treebank(key, name)
    return entries


def _check_treebank(key: tuple, name: str) -> None:
    try:
        treebanks.parse(name if isinstance(name, str) else str(name))
    except ValueError as problem:
        raise BadParameter(key, str(problem)) from None


def _check_settings(block: str, settings: dict, kinds: dict[str, tuple[type, str]]) -> dict:
    if not isinstance(settings, dict):
        raise BadParameter((block,), f"{block} is a mapping of settings")
    for key, value in settings.items():
        if key not in kinds:
            raise BadParameter(
                (block, key), f"unknown key {key!r} under {block}: choose from {', '.join(kinds)}"
            )
        kind, words = kinds[key]
        if not isinstance(value, kind):
            raise BadParameter((block, key), f"{key} is {words}, not {value!r}")
    return settings
