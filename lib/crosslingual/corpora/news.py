"""Parallel news text for translation retrieval (section 5 and Figure 3: 5,000 pairs of WMT16).

English-German and English-Russian are the news tests of WMT 2015 and 2016, of which sacrebleu knows
address, checksum and files: one test alone has under 3,000 pairs, and the paper does not say which
it drew. Its Hindi-Urdu was made in house; NTREX-128 stands for it, 1,997 sentences of news
translated from English into both. With ``text="ntrex"`` all pairs have those same sentences:
retrieval gets harder with the number of candidates, so only curves over as many can be compared.
"""

import re
import tarfile
from pathlib import Path
from random import Random

from crosslingual import languages
from crosslingual.corpora import formats
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import CorpusError, CorpusUnavailable, Dataset

TESTS = ["wmt15", "wmt16"]
NTREX_COMMIT = "8561f6a622db9edad1217683e5c83daefd8bb2bf"
NTREX_URL = f"https://raw.githubusercontent.com/MicrosoftTranslator/NTREX/{NTREX_COMMIT}/NTREX-128/"
Pair = tuple[str, str]


def files(source: str, target: str, text: str = "wmt") -> list[Download]:
    """The files of a pair's text: both archives of the news tests, or NTREX-128's two files.

    ``text`` is "wmt", where a pair without news tests has NTREX-128, or "ntrex" for all pairs.
    Raises CorpusUnavailable where there is neither.
    """
    from sacrebleu.dataset import DATASETS

    if text == "ntrex" or not _direction(source, target):
        return [_ntrex(source), _ntrex(target)]
    tests = [(name, DATASETS[name].data[0], DATASETS[name].md5[0]) for name in TESTS]
    return [
        Download(f"{name} news test", url, f"{name}/{url.rsplit('/')[-1]}", f"md5:{md5}")
        for name, url, md5 in tests
    ]


def read(paths: list[Path], source: str, target: str, size: int = 5000) -> Dataset:
    """``size`` pairs drawn from the news tests, or all of NTREX-128; raises CorpusError."""
    if paths[0].suffix != ".tgz":  # nor files of one's own
        return formats.read_parallel(*paths)
    direction = _direction(source, target)
    pairs = [pair for path, name in zip(paths, TESTS) for pair in _test(path, name, direction)]
    pairs = pairs if direction.startswith(source) else [(second, first) for first, second in pairs]
    return sample(pairs, size)


def sample(pairs: list[Pair], size: int) -> Dataset:
    """``size`` of the pairs, or all that remain, always the same; in the order of the text.

    Dropped before the draw are pairs with an empty side, and those of which one came before.
    """
    kept, seen = [], set()
    for pair in pairs:
        sides = set(enumerate(pair))
        if not (seen & sides or any(map(formats.is_blank, pair))):
            kept.append(pair)
            seen |= sides
    chosen = sorted(Random(0).sample(range(len(kept)), min(size, len(kept))))
    return formats.parallel_text([kept[n][0] for n in chosen], [kept[n][1] for n in chosen])


def _direction(source: str, target: str) -> str:
    """Both tests' name for a pair, or ""; out of English if it can be, so that both ways agree."""
    from sacrebleu.dataset import DATASETS

    names = sorted([f"{source}-{target}", f"{target}-{source}"], key=lambda n: n[:3] != "en-")
    known = (name for name in names if all(name in DATASETS[test].langpairs for test in TESTS))
    return next(known, "")


def _test(path: Path, name: str, direction: str) -> list[Pair]:
    from sacrebleu.dataset import DATASETS

    with tarfile.open(path) as archive:
        sides = [_segments(archive, member) for member in DATASETS[name].langpairs[direction][:2]]
    if len(sides[0]) != len(sides[1]):
        problem = f"{len(sides[1])} segments translate {len(sides[0])}"
        raise CorpusError(path, 1, f"{problem}; delete the file, so that it is fetched again")
    return list(zip(*sides))


def _segments(archive: tarfile.TarFile, member: str) -> list[str]:
    """The segments of a test's SGML, which is none that could be parsed; as sacrebleu cuts them."""
    lines = archive.extractfile(member).read().decode("utf-8").split("\n")
    cut = (re.sub(r"<seg.*?>(.*)</seg>.*?", r"\1", ln) for ln in lines if ln.startswith("<seg "))
    return [re.sub(r"\s+", " ", segment.strip()) for segment in cut]


def _ntrex(language: str) -> Download:
    """The language's file, pinned by git's blob hash; Chinese is in the simplified script."""
    pins = {row["language"]: row for row in languages.rows("ntrex.csv")}
    named = f"NTREX-128 {languages.name(language)}"
    if language not in pins:
        raise CorpusUnavailable(f"there is no {named}: name files of your own under `files`.")
    file, blob = pins[language]["file"], pins[language]["blob"]
    return Download(named, NTREX_URL + file, f"parallel/ntrex/{file}", f"git:{blob}")
