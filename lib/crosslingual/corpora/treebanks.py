"""Universal Dependencies by treebank and release, and the code-switched one (paper, section 2).

Release ``r2.0-test`` is that of the CoNLL 2017 shared task. ``data/treebanks.csv`` pins its files
by their git blob hashes; ``data/treebank_choices.csv`` says which treebank stands for a language
and why, as the paper does not. A treebank is named as ``UD_Dutch-Alpino@r2.13``: what stands before
or after the @ may be left out, for the choice of the table and for the pinned release. A release
that is not pinned can be read but not verified, and says so.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from crosslingual import languages
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import (
    BLANK,
    CorpusError,
    CorpusUnavailable,
    labelled_corpus,
    read_conllu,
    read_lines,
)

if TYPE_CHECKING:
    from datasets import Dataset

BASE = "https://raw.githubusercontent.com/UniversalDependencies"
RELEASE = "r2.0-test"
NAME = re.compile(r"(UD_[A-Za-z_]+-[A-Za-z]+)?(?:@([\w.-]+))?")
# Releases whose first treebank of a language has no name in its files.
OWN_NAMES = re.compile(r"r2\.[01](\D|$)|r1\.")


@cache
def pins() -> pd.DataFrame:
    """One row a file: language, treebank, tag, commit, path, blob (git's SHA-1), size, licence.

    Treebanks under the present names of their repositories; the size, in bytes, is known of files
    up to 4 MiB.
    """
    return pd.read_csv(languages.DATA / "treebanks.csv", dtype={"size": "Int64"})


@cache
def choices() -> pd.DataFrame:
    """By language: the treebank that stands for it, and the reason."""
    return pd.read_csv(languages.DATA / "treebank_choices.csv").set_index("language")


def parse(treebank: str) -> tuple[str, str]:
    """Name and release of ``UD_Dutch-Alpino@r2.13``, either "" if left out; raises ValueError."""
    if not (found := NAME.fullmatch(treebank)):
        raise ValueError(
            f"{treebank!r} names no treebank: write it like UD_Dutch-Alpino@r2.13, UD_Dutch-Alpino "
            "or @r2.13"
        )
    name, tag = found[1] or "", found[2] or ""
    if name and not tag and name not in set(pins().treebank):
        raise ValueError(f"no release of {name} is pinned: name one, like {name}@r2.13")
    return name, tag


def files(language: str, split: str, treebank: str = "") -> list[Download]:
    """The files of a split in the order in which they are read; only large treebanks have several.

    Raises CorpusUnavailable where the pinned release has no such file, or no treebank is chosen
    for the language.
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


def _choice(language: str) -> str:
    if language not in choices().index:
        raise CorpusUnavailable(
            f"no treebank is chosen for {languages.name(language)}: name one under `treebanks` in "
            "the edition's corpora."
        )
    return choices().treebank[language]


def _pinned(row) -> Download:
    """By commit, which nobody can move, rather than by tag."""
    size = None if pd.isna(row.size) else int(row.size)
    url = f"{BASE}/{row.treebank}/{row.commit}/{row.path}"
    what = f"{row.treebank} {row.tag} {row.path}"
    path = f"ud_original/{row.treebank}/{row.tag}/{row.path}"
    return Download(what, url, path, f"git:{row.blob}", size)


def _unpinned(language: str, split: str, name: str, tag: str) -> Download:
    path = f"{_stem(language, name, tag)}-ud-{split}.conllu"
    what = f"{name} {tag} {path} (no checksum is pinned: it cannot be verified)"
    place = f"{name}/{tag}/{path}"
    return Download(what, f"{BASE}/{place}", f"ud_original/{place}")


def _stem(language: str, name: str, tag: str) -> str:
    """How a treebank's files begin: until release 2.1, a language's first by its code alone."""
    known = pins().path[pins().treebank == name]
    if OWN_NAMES.match(tag) and not known.empty:
        return known.iloc[0].partition("-ud-")[0]
    return f"{language.partition('_')[0]}_{name.partition('-')[2].lower()}"


# ---- code-switched Hindi-English, HIENCS (section 4.2, Table 6; Bhat et al., 2018)

SWITCHED = "codeswitch/UD_Hindi_English-HIENCS"
SWITCHED_COMMIT = "bb98b6045eb871da33dc7a7e77f0e05eb5be5345"
ANNOTATED = ["tweet", "norm", "pos", "deleted"]


def switched_files(split: str, root: Path | None = None) -> list[Path | Download]:
    """The split's treebank, its tweet ids (one a sentence, in that order) and its annotation.

    The data folder's, whose FORMs may be filled in, or the released ones of
    UD_Hindi_English-HIENCS: 3 MB in all, without words, as tweets may not be passed on.
    """
    pins = pd.read_csv(languages.DATA / "hiencs.csv").set_index("file")
    names = [f"qhe_hiencs-ud-{split}.conllu", f"merge/tweet_ids_{split}.txt"]
    items = [_switched(name, pins.loc[name]) for name in [*names, f"merge/{split}-annot.json"]]
    return [root / item.path if root and (root / item.path).is_file() else item for item in items]


def _switched(name: str, pin: pd.Series) -> Download:
    url = f"{BASE}/UD_Hindi_English-HIENCS/{SWITCHED_COMMIT}/{name}"
    path, blob, size = f"{SWITCHED}/{name}", f"git:{pin.blob}", int(pin["size"])
    return Download(f"HIENCS {name}", url, path, blob, size)


def read_switched(paths: list[Path], version: str, minimum: float) -> "Dataset":
    """The sentences whose words can be had, "transliterated" (as tweeted) or "corrected".

    ``paths`` are those of `switched_files`, in that order. The words are the treebank's FORMs where
    its own merge script has filled them in, and otherwise the annotation's, which has all words of
    the 259 tweets that were gone when the treebank was made (192 to train on, 28, 39). A corrected
    word is the annotation's ``norm``: Devanagari, or English spelt rightly. Raises
    CorpusUnavailable where less than the share ``minimum`` of the sentences have their words;
    CorpusError.
    """
    treebank, ids, annotation = paths
    columns = read_conllu(treebank, withheld=True)[:]
    sentences = _annotated(ids, annotation)
    if [sentence["pos"] for sentence in sentences] != columns["labels"]:
        problem = "sentences and merge/ annotation differ in number, length or tags"
        remedy = "fill in the FORMs only: keep every sentence and token of the release"
        raise CorpusError(treebank, 1, problem, remedy)
    words = [_words(*pair) for pair in zip(columns["tokens"], sentences)]
    kept = [(found, sentence) for found, sentence in zip(words, sentences) if found]
    if len(kept) < minimum * len(sentences) or not kept:
        raise CorpusUnavailable(
            f"{len(kept)} of the {len(sentences)} sentences of {treebank.name} have their words, "
            f"{minimum:.0%} are asked for: fetch the tweets of {ids.name}, have the treebank's own "
            "merge script (crawl_tweets.py in its repository) fill the FORMs in, and put that "
            f"file into {SWITCHED}/ of the data folder."
        )
    if version == "corrected":
        kept = [(_corrected(found, sentence["norm"]), sentence) for found, sentence in kept]
    return labelled_corpus([found for found, _ in kept], [sentence["pos"] for _, sentence in kept])


def _annotated(ids: Path, annotation: Path) -> list[dict]:
    """By sentence: tokens or their first letters ("tweet"), "norm", "pos", "deleted"."""
    tweets = " ".join(read_lines(ids)).split()
    try:
        entries = json.loads(annotation.read_text(encoding="utf-8"))
        sentences = [entries[tweet] for tweet in tweets]
        return [{key: entry[key] for key in ANNOTATED} for entry in sentences]
    except (ValueError, KeyError, TypeError) as problem:
        reason = f"this is not the annotation of {ids.name} ({type(problem).__name__})"
        raise CorpusError(annotation, 1, reason, "get the released file again") from None


def _words(forms: list[str], sentence: dict) -> list[str] | None:
    """The annotation's tokens are first letters, which tell a FORM that is another tweet's."""
    if BLANK not in forms:
        return forms if all(map(str.startswith, forms, sentence["tweet"])) else None
    return sentence["tweet"] if sentence["deleted"] else None


def _corrected(words: list[str], norms: list[str]) -> list[str]:
    return [word if norm == BLANK else norm for word, norm in zip(words, norms, strict=True)]
