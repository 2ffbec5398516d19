"""Universal Dependencies by treebank and release (paper, section 2: 41 languages, CoNLL 2017 evaluation
sets).

Release ``r2.0-test`` is that of the CoNLL 2017 shared task. ``data/treebanks.csv`` pins its files by their
git blob hashes; ``data/treebank_choices.csv`` says which treebank stands for a language and why, as the paper
does not. A treebank is named as ``UD_Dutch-Alpino@r2.13``: what stands before or after the @ may be left out,
for the choice of the table and for the pinned release. A release that is not pinned can be read but not
verified, and says so.
"""

import re
from functools import cache
from hashlib import blake2b
from pathlib import Path

import pandas as pd
from datasets import Dataset

from crosslingual import languages
from crosslingual.corpora import concatenate, conllu
from crosslingual.corpora.download import Download, fault, fetch
from crosslingual.corpora.text import CorpusUnavailable, check_words

BASE = "https://raw.githubusercontent.com/UniversalDependencies"
RELEASE = "r2.0-test"
READER_VERSION = 1  # raise when the reader returns something else for the same files
NAME = re.compile(r"(UD_[A-Za-z_]+-[A-Za-z]+)?(?:@([\w.-]+))?")
OWN_NAMES = re.compile(
    r"r2\.[01](\D|$)|r1\."
)  # releases whose first treebank of a language has no name in its files


@cache
def pins() -> pd.DataFrame:
    """One row per file: language, treebank, tag, commit, path, blob (git's SHA-1), size (bytes or NaN),
    licence.

    Treebanks under the present names of their repositories; the size is known of files up to 4 MiB.
    """
    return pd.read_csv(languages.DATA / "treebanks.csv", dtype={"size": "Int64"})


@cache
def choices() -> pd.DataFrame:
    """By language: the treebank that stands for it, and the reason, as the paper names languages only."""
    return pd.read_csv(languages.DATA / "treebank_choices.csv").set_index("language")


def labelled(
    language: str, split: str, treebank: str = "", tags: str = "upos", version_1: str = "refuse",
    root: Path | None = None,
) -> Dataset:  # fmt: skip
    """The split's words and tags; ``tags`` and ``version_1`` as in `conllu.read`.

    From the data folder ``root`` if it has the published files (``ud_original/<treebank>/<release>/``), else
    fetched. Raises CorpusUnavailable (DownloadError where it could not be fetched), and CorpusError for a
    broken file.
    """
    paths = [_located(item, root) for item in files(language, split, treebank)]
    corpus = concatenate([conllu.read(path, tags=tags, version_1=version_1) for path in paths])
    check_words(corpus, paths[0])
    return corpus


def files(language: str, split: str, treebank: str = "") -> list[Download]:
    """The files of a split in the order in which they are read; only large treebanks have several.

    Raises CorpusUnavailable where the pinned release has no such file, or no treebank is chosen for the
    language.
    """
    name, tag = parse(treebank)
    name = name or _choice(language)
    known = pins()[(pins().treebank == name) & (pins().tag.isin([tag]) if tag else True)]
    rows = known[known.path.str.contains(f"-ud-{split}")]
    if rows.empty and (tag or known.empty) and tag != RELEASE:
        return [_unpinned(language, split, name, tag)]
    if rows.empty:
        raise CorpusUnavailable(
            f"{name} has no {split} file in {tag or RELEASE}: name another treebank of "
            f"{languages.name(language)} for it under `treebanks` in the edition's corpora."
        )
    return [_pinned(row) for row in rows.itertuples()]


def fingerprint(
    language: str, split: str, treebank: str = "", tags: str = "upos", version_1: str = "refuse",
    root: Path | None = None,
) -> str:  # fmt: skip
    """Digest of what determines the corpus: of the files' pins, so that a pinned file need not be there."""
    contents = [item.digest or _content(_located(item, root)) for item in files(language, split, treebank)]
    about = [READER_VERSION, *contents, tags, version_1]
    return blake2b(" ".join(map(str, about)).encode(), digest_size=16).hexdigest()


def at_hand(item: Download, root: Path | None = None) -> bool:
    """Whether a file is in the data folder or the cache."""
    return item.cached or (root is not None and (root / item.path).is_file())


def described() -> pd.DataFrame:
    """What stands for a language by default: columns language, treebank, release, licence, reason."""
    rows = [
        [languages.name(code), name, *_release(code), reason] for code, name, reason in choices().itertuples()
    ]
    return pd.DataFrame(rows, columns=["language", "treebank", "release", "licence", "reason"])


def _release(language: str) -> tuple[str, str]:
    """Tag and licence; "r2.0-test, test r2.1" where the splits are of several releases."""
    items = {split: files(language, split)[0] for split in ("train", "test")}
    tags = {split: item.path.split("/")[2] for split, item in items.items()}
    several = tags["train"] != tags["test"]
    return f"{tags['train']}, test {tags['test']}" if several else tags["train"], items["train"].licence


def parse(treebank: str) -> tuple[str, str]:
    """Name and release of ``UD_Dutch-Alpino@r2.13``, either "" if it is left out; raises ValueError."""
    if not (found := NAME.fullmatch(treebank)):
        raise ValueError(
            f"{treebank!r} names no treebank: write it like UD_Dutch-Alpino@r2.13, UD_Dutch-Alpino or @r2.13"
        )
    name, tag = found[1] or "", found[2] or ""
    if name and not tag and name not in set(pins().treebank):
        raise ValueError(f"no release of {name} is pinned: name one, like {name}@r2.13")
    return name, tag


def _choice(language: str) -> str:
    if language not in choices().index:
        raise CorpusUnavailable(
            f"no treebank is chosen for {languages.name(language)}: name one under `treebanks` in the "
            "edition's corpora."
        )
    return choices().treebank[language]


def _pinned(row) -> Download:
    """By commit, which nobody can move, rather than by tag."""
    size = None if pd.isna(row.size) else int(row.size)
    url = f"{BASE}/{row.treebank}/{row.commit}/{row.path}"
    what, path = f"{row.treebank} {row.tag} {row.path}", f"ud_original/{row.treebank}/{row.tag}/{row.path}"
    return Download(what, url, path, f"git:{row.blob}", size, row.licence)


def _unpinned(language: str, split: str, name: str, tag: str) -> Download:
    path = f"{_stem(language, name, tag)}-ud-{split}.conllu"
    what = f"{name} {tag} {path} (no checksum is pinned: it cannot be verified)"
    licences = pins().licence[pins().treebank == name]
    licence = "see the treebank's repository" if licences.empty else f"{licences.iloc[0]} ({RELEASE})"
    return Download(what, f"{BASE}/{name}/{tag}/{path}", f"ud_original/{name}/{tag}/{path}", licence=licence)


def _stem(language: str, name: str, tag: str) -> str:
    """How a treebank's files begin: until release 2.1, a language's first went by its code alone."""
    known = pins().path[pins().treebank == name]
    if OWN_NAMES.match(tag) and not known.empty:
        return known.iloc[0].partition("-ud-")[0]
    return f"{language.partition('_')[0]}_{name.partition('-')[2].lower()}"


def _located(item: Download, root: Path | None) -> Path:
    own = root and root / item.path
    if not own or not own.is_file():
        return fetch(item)
    if problem := fault(item, own):
        raise CorpusUnavailable(
            f"{own} is not the published file ({problem}): take it away, so that it is downloaded, or name "
            "it under `files` in the edition's corpora if it is meant to differ."
        )
    return own


def _content(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=16).hexdigest()
