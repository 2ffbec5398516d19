"""Parallel news text for translation retrieval (section 5 and Figure 3: 5,000 pairs of WMT16).

English-German and English-Russian are the news tests of WMT 2015 and 2016, of which sacrebleu knows
address, checksum and files: one test alone has under 3,000 pairs, and the paper does not say which
it drew. Its Hindi-Urdu was made in house; NTREX-128 stands for it, 1,997 sentences of news
translated from English into both. With ``text="ntrex"`` all pairs have those same sentences:
retrieval gets harder with the number of candidates, so only curves over as many can be compared.
"""

import re
import tarfile
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pandas as pd

from crosslingual import languages
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import (
    CorpusError,
    CorpusUnavailable,
    is_blank,
    parallel_text,
    read_parallel,
)

if TYPE_CHECKING:
    from datasets import Dataset

TESTS = ["wmt15", "wmt16"]
NTREX_COMMIT = "8561f6a622db9edad1217683e5c83daefd8bb2bf"
NTREX_URL = f"https://raw.githubusercontent.com/MicrosoftTranslator/NTREX/{NTREX_COMMIT}/NTREX-128/"
Pair = tuple[str, str]


def files(
    source: str, target: str, root: Path | None = None, text: str = "wmt"
) -> list[Path | Download]:
    """The files of a pair's text: both archives of the news tests, or NTREX-128's two files.

    ``text`` is "wmt", where a pair without news tests has NTREX-128, or "ntrex" for all pairs.
    Raises CorpusUnavailable where there is neither.
    """
    if text == "wmt" and _direction(source, target):
        return [_archive(name) for name in TESTS]
    return [_ntrex(language, root) for language in (source, target)]


def read(paths: list[Path], source: str, target: str, size: int, seed: int) -> "Dataset":
    """The pairs of `files`: ``size`` (or all there are) of the news tests drawn with ``seed``, or
    all of NTREX-128. Raises CorpusError."""
    if paths[0].suffix != ".tgz":
        return read_parallel(*paths)
    direction = _direction(source, target)
    pairs = [pair for path, name in zip(paths, TESTS) for pair in _test(path, name, direction)]
    pairs = pairs if direction.startswith(source) else [(second, first) for first, second in pairs]
    return sample(pairs, size, seed)


def sample(pairs: list[Pair], size: int, seed: int) -> "Dataset":
    """``size`` of the pairs, or all that remain, drawn with ``seed``; in the order of the text.

    A pair with an empty side is no translation, and one whose source or target came before would
    make retrieval ambiguous: both are dropped before the draw.
    """
    kept = _unambiguous(pairs)
    chosen = sorted(Random(seed).sample(range(len(kept)), min(size, len(kept))))
    return parallel_text([kept[index][0] for index in chosen], [kept[index][1] for index in chosen])


def _unambiguous(pairs: list[Pair]) -> list[Pair]:
    kept, sources, targets = [], set(), set()
    for source, target in pairs:
        if not (is_blank(source) or is_blank(target) or source in sources or target in targets):
            kept.append((source, target))
            sources.add(source)
            targets.add(target)
    return kept


# ---- the news tests


def _direction(source: str, target: str) -> str:
    """Both tests' name for a pair, or "": out of English where it can be, so that both ways have
    the same text."""
    from sacrebleu.utils import get_langpairs_for_testset

    known = set.intersection(*(set(get_langpairs_for_testset(name)) for name in TESTS))
    names = sorted([f"{source}-{target}", f"{target}-{source}"], key=lambda n: n[:3] != "en-")
    return next((name for name in names if name in known), "")


def _archive(name: str) -> Download:
    from sacrebleu.utils import DATASETS

    url, md5 = DATASETS[name].data[0], DATASETS[name].md5[0]
    path = f"{name}/{url.rsplit('/')[-1]}"
    return Download(f"{name} news test", url, path, f"md5:{md5}")


def _test(path: Path, name: str, direction: str) -> list[Pair]:
    from sacrebleu.utils import DATASETS

    with tarfile.open(path) as archive:
        sides = [_segments(archive, member) for member in DATASETS[name].langpairs[direction][:2]]
    if len(sides[0]) != len(sides[1]):
        problem = f"{len(sides[1])} segments translate {len(sides[0])}"
        raise CorpusError(path, 1, problem, "delete the file, so that it is fetched again")
    return list(zip(*sides))


def _segments(archive: tarfile.TarFile, member: str) -> list[str]:
    """The segments of a test's SGML, which is none that could be parsed; as sacrebleu cuts them."""
    lines = archive.extractfile(member).read().decode("utf-8").split("\n")
    cut = (re.sub(r"<seg.*?>(.*)</seg>.*?", r"\1", ln) for ln in lines if ln.startswith("<seg "))
    return [re.sub(r"\s+", " ", segment.strip()) for segment in cut]


# ---- NTREX-128


@cache
def _ntrex_pins() -> pd.DataFrame:
    """By language: file, size (bytes), blob (git's SHA-1); Chinese is in the simplified script."""
    return pd.read_csv(languages.DATA / "ntrex.csv").set_index("language")


def _ntrex(language: str, root: Path | None) -> Path | Download:
    """The language's file: the data folder's, or the released one, pinned by git blob hash."""
    if language not in _ntrex_pins().index:
        raise CorpusUnavailable(
            f"NTREX-128 has no {languages.name(language)}: name files of your own under `files`."
        )
    pin = _ntrex_pins().loc[language]
    if root and (own := root / "parallel" / "ntrex" / pin.file).is_file():
        return own
    what, path = f"NTREX-128 {languages.name(language)}", f"ntrex/{NTREX_COMMIT[:12]}/{pin.file}"
    blob, size = f"git:{pin.blob}", int(pin["size"])
    return Download(what, NTREX_URL + pin.file, path, blob, size)
