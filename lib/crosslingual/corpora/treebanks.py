"""Universal Dependencies by treebank and release, and the code-switched one (paper, section 2).

Release ``r2.0-test`` is that of the CoNLL 2017 shared task. ``data/treebanks.csv`` pins its files
by their git blob hashes; ``data/treebank_choices.csv`` says which treebank stands for a language
and why, as the paper does not. A pin is named ``UD_Arabic-PUD@r2.0-test`` or ``UD_Arabic-PUD``.
"""

from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from crosslingual import languages
from crosslingual.corpora import formats
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import BLANK, CorpusError, CorpusUnavailable, Dataset

BASE = "https://raw.githubusercontent.com/UniversalDependencies"


@cache
def pins() -> list[dict[str, str]]:
    """One row a file: language, treebank, tag, commit, path, blob (git's SHA-1), size, licence."""
    return languages.rows("treebanks.csv")


def check(treebank: str) -> str:
    """Return the name of a pinned treebank, with or without its release; raises ValueError."""
    name, at, tag = treebank.partition("@")
    if not any(row["treebank"] == name and tag == row["tag"] * bool(at) for row in pins()):
        remedy = "choose one of data/treebanks.csv, or name files of your own under `files`"
        raise ValueError(f"{treebank!r} is no pinned treebank: {remedy}")
    return treebank


@cache
def files(language: str, split: str, treebank: str = "") -> list[Download]:
    """The files of a split, in order, of a ``treebank`` as `check` returns it, or the table's ("").

    Raises CorpusUnavailable where there is no choice, or no such file of the treebank.
    """
    choices = {row["language"]: row["treebank"] for row in languages.rows("treebank_choices.csv")}
    name, _, tag = (treebank or choices.get(language, "")).partition("@")
    known = [r for r in pins() if r["treebank"] == name and f"-ud-{split}" in r["path"]]
    rows = [row for row in known if row["tag"] == (tag or known[0]["tag"])]  # never of two releases
    if not rows:
        problem = f"there is no {split} file of {name or languages.name(language)} in any pinned "
        remedy = "name another under `treebanks`, or your own under `files`, in the edition."
        raise CorpusUnavailable(f"{problem}release: {remedy}")
    return _downloads(rows)


def _downloads(rows: list[dict[str, str]]) -> list[Download]:
    return [
        Download(
            what=f"{row['treebank']} {row['tag']} {row['path']}",
            url=f"{BASE}/{row['treebank']}/{row['commit']}/{row['path']}",  # never moved, as a tag
            path=f"ud_original/{row['treebank']}/{row['tag']}/{row['path']}",
            digest=f"git:{row['blob']}",
        )
        for row in rows
    ]


# ---- the corpora of the edition real, put together from released files

CAPS = {"train": 4000, "dev": 1000, "test": 2000}


@cache
def assembly() -> list[dict[str, str]]:
    """Of which released files they are put together, a row a file in the order of reading.

    Beside what `pins` have: split, version (of UD, whose tags it has), shown ("yes" where the
    digest is that of the records), lacking (why it cannot be put together, or "").
    """
    return languages.rows("assembled.csv")


def _parts(language: str, split: str) -> list[dict[str, str]]:
    """The rows of a split, and those of the test set, whose sentences are taken out of it."""
    rows = [r for r in assembly() if r["language"] == language and r["split"] in (split, "test")]
    mine = [row for row in rows if row["split"] == split]
    named = f"{split} set of {languages.name(language)}"
    if not mine:
        raise CorpusUnavailable(f"there is no {named}: name one of your own under `files`.")
    if lacking := mine[0]["lacking"]:
        raise CorpusUnavailable(f"the {named} cannot be put together: {lacking}.")
    return rows


@cache
def assembled_files(language: str, split: str) -> list[Download]:
    """The files that `assembled` reads, in that order; raises CorpusUnavailable."""
    return _downloads(_parts(language, split))


def assembled(paths: list[Path], language: str, split: str) -> Dataset:
    """The files' sentences but those of the test set, to the first ``CAPS``; raises CorpusError."""
    files = zip(paths, _parts(language, split), strict=True)
    read = [(formats.read_conllu(path, row["version"] == "1"), row["split"]) for path, row in files]
    mine = formats.concatenate([corpus for corpus, of in read if of == split])
    others = (corpus["tokens"] for corpus, of in read if of != split)
    tested = {tuple(words) for words in chain.from_iterable(others)}
    kept = [n for n, words in enumerate(mine["tokens"]) if tuple(words) not in tested]
    return mine.select(kept[: CAPS[split]])


# ---- code-switched Hindi-English, HIENCS (section 4.2, Table 6; Bhat et al., 2018)

SWITCHED = "codeswitch/UD_Hindi_English-HIENCS"
SWITCHED_URL = f"{BASE}/UD_Hindi_English-HIENCS/bb98b6045eb871da33dc7a7e77f0e05eb5be5345"


@dataclass(frozen=True)
class Tweet:
    """A sentence's tokens or their first letters, these as they should be, UPOS, if it was gone."""

    tweet: list[str]
    norm: list[str]
    pos: list[str]
    deleted: bool


def switched_files(split: str, root: Path | None = None) -> list[Path | Download]:
    """The split's treebank, its tweet ids (one a sentence, in that order) and its annotation.

    The data folder's, whose FORMs may be filled in, or the released ones, without words.
    """
    blobs = {row["file"]: row["blob"] for row in languages.rows("hiencs.csv")}
    names = [f"qhe_hiencs-ud-{split}.conllu", f"merge/tweet_ids_{split}.txt"]
    items = [
        Download(f"HIENCS {n}", f"{SWITCHED_URL}/{n}", f"{SWITCHED}/{n}", f"git:{blobs[n]}")
        for n in [*names, f"merge/{split}-annot.json"]
    ]
    return [root / item.path if root and (root / item.path).is_file() else item for item in items]


def read_switched(paths: list[Path], version: str, minimum: float) -> Dataset:
    """The sentences whose words can be had, "transliterated" (as tweeted) or "corrected".

    ``paths`` are those of `switched_files`. Words are the treebank's FORMs where its merge script
    has filled them in, else the annotation's, which has those of the 259 tweets that were gone when
    the treebank was made; corrected ones the annotation's ``norm``. Raises CorpusUnavailable where
    less than the share ``minimum`` of the sentences have their words; CorpusError.
    """
    treebank, ids, annotation = paths
    columns = formats.read_conllu(treebank, withheld=True)[:]
    sentences = _annotated(ids, annotation)
    if [sentence.pos for sentence in sentences] != columns["labels"]:
        problem = "sentences and merge/ annotation differ in number, length or tags"
        remedy = "fill in the FORMs only: keep every sentence and token of the release"
        raise CorpusError(treebank, 1, f"{problem}; {remedy}")
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
        kept = [(list(map(_norm, found, said.norm)), said) for found, said in kept]
    return formats.labelled_corpus([found for found, _ in kept], [said.pos for _, said in kept])


def _annotated(ids: Path, annotation: Path) -> list[Tweet]:
    """The annotation of each sentence."""
    try:
        entries = TypeAdapter(dict[str, Tweet]).validate_json(annotation.read_bytes())
        sentences = [entries[tweet] for tweet in " ".join(formats.read_lines(ids)).split()]
        if any(not len(one.tweet) == len(one.norm) == len(one.pos) for one in sentences):
            raise KeyError("of unequal length")
        return sentences
    except (ValidationError, KeyError) as problem:
        reason = f"this is not the annotation of {ids.name} ({type(problem).__name__})"
        raise CorpusError(annotation, 1, f"{reason}; get the released file again") from None


def _words(forms: list[str], sentence: Tweet) -> list[str] | None:
    # The annotation's tokens are first letters, which tell a FORM that is another tweet's.
    if BLANK not in forms:
        return forms if all(map(str.startswith, forms, sentence.tweet)) else None
    return sentence.tweet if sentence.deleted else None


def _norm(word: str, norm: str) -> str:
    return word if norm == BLANK else norm
