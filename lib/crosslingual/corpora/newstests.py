"""Parallel news text for translation retrieval (paper, section 5 and Figure 3: 5,000 sentence pairs of
WMT16).

English-German and English-Russian are the news tests of WMT 2015 and 2016, as sacrebleu reads them (and keeps
them, below $SACREBLEU or ~/.sacrebleu): one test alone has under 3,000 pairs, and the paper does not say
which it drew. Its Hindi-Urdu was made in house; NTREX-128 stands for it, 1,997 sentences of news translated
from English into both. With ``text="ntrex"`` all pairs have those same sentences: retrieval gets harder with
the number of candidates, so only curves over as many can be compared.
"""

import shutil
import tarfile
from pathlib import Path
from random import Random

import pandas as pd
from datasets import Dataset
from sacrebleu.dataset import DATASETS

from crosslingual import languages
from crosslingual.corpora import parallel as aligned
from crosslingual.corpora.download import Download, fetch
from crosslingual.corpora.text import CorpusError, CorpusUnavailable, parallel_text, read_lines

TESTS = ["wmt15", "wmt16"]
TEXTS = ["wmt", "ntrex"]
SIZE = 5000
NTREX_COMMIT = "8561f6a622db9edad1217683e5c83daefd8bb2bf"
NTREX_URL = f"https://raw.githubusercontent.com/MicrosoftTranslator/NTREX/{NTREX_COMMIT}/NTREX-128/"
NTREX_LICENCE = "CC BY-SA 4.0"
WMT_LICENCE = "made for the shared tasks' research; their archives state none"
Pair = tuple[str, str]


def parallel(
    source: str, target: str, root: Path | None = None, text: str = "wmt", size: int = SIZE, seed: int = 0
) -> Dataset:
    """Sentence pairs: of the news tests ``size`` (or all there are) drawn with ``seed``, or all of NTREX-128.

    ``text`` is "wmt", where a pair without news tests has NTREX-128, or "ntrex" for all pairs. The data
    folder's ``parallel/ntrex/`` is taken before a download. Raises CorpusUnavailable (DownloadError) and
    CorpusError.
    """
    if uses_wmt(source, target, text):
        return sample(news_pairs(source, target), size, seed)
    return aligned.read(*[_ntrex_file(code, root) for code in (source, target)])


def uses_wmt(source: str, target: str, text: str = "wmt") -> bool:
    """Whether a pair's text is that of the news tests. Raises ValueError for an unknown ``text``."""
    if text not in TEXTS:
        raise ValueError(f"unknown text {text!r}: choose from {', '.join(TEXTS)}")
    return text == "wmt" and all(_direction(DATASETS[name], source, target) for name in TESTS)


def news_pairs(source: str, target: str) -> list[Pair]:
    """All pairs of the news tests in order; raises DownloadError, and CorpusError for a broken cache."""
    return [pair for name in TESTS for pair in _test_pairs(DATASETS[name], source, target)]


def sample(pairs: list[Pair], size: int = SIZE, seed: int = 0) -> Dataset:
    """``size`` of the pairs, or all that remain, drawn with ``seed``; in the order of the text.

    A pair with an empty side is no translation, and one whose source or target came before would make
    retrieval ambiguous: both are dropped before the draw.
    """
    kept = _unambiguous(pairs)
    chosen = sorted(Random(seed).sample(range(len(kept)), min(size, len(kept))))
    return parallel_text([kept[index][0] for index in chosen], [kept[index][1] for index in chosen])


def downloads(source: str, target: str, root: Path | None = None, text: str = "wmt", **_) -> list[Download]:
    """What would be fetched for a pair; empty where it is at hand. Other settings change nothing."""
    if uses_wmt(source, target, text):
        return [_archive(DATASETS[name]) for name in TESTS if not _at_hand(DATASETS[name], source, target)]
    absent = [code for code in (source, target) if _own(code, root) is None]
    return [item for item in map(_ntrex, absent) if not item.cached]


def described(pairs: list[Pair], text: str = "wmt", **_) -> pd.DataFrame:
    """What stands for which pair: index pair; columns stands_for, corpus, substitute (bool), note."""
    rows = {}
    for source, target in pairs:
        wmt, ours = uses_wmt(source, target, text), {source, target} == {"hi", "ur"}
        rows[f"{source}-{target}"] = dict(
            stands_for="pairs made in house" if ours else "5,000 pairs of WMT16",
            corpus="WMT 2015 and 2016 news tests" if wmt else "NTREX-128",
            substitute=not wmt,
            note="" if wmt else "1,997 sentences, translated from English into every language",
        )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("pair")


def _unambiguous(pairs: list[Pair]) -> list[Pair]:
    kept, sources, targets = [], set(), set()
    for source, target in pairs:
        if source.strip() and target.strip() and source not in sources and target not in targets:
            kept.append((source, target))
            sources.add(source)
            targets.add(target)
    return kept


# ---- WMT


def _direction(dataset, source: str, target: str) -> str:
    """The test's name for a pair, out of English where it can be, so that both ways have the same text; or ""."""
    names = sorted([f"{source}-{target}", f"{target}-{source}"], key=lambda name: not name.startswith("en-"))
    return next((name for name in names if name in dataset.langpairs), "")


def _files(dataset, direction: str) -> list[Path]:
    """sacrebleu's text files of a direction: source, reference, and what else it reads from the archive."""
    return [Path(dataset._get_txt_file_path(direction, field)) for field in dataset.fieldnames(direction)]


def _at_hand(dataset, source: str, target: str) -> bool:
    return all(path.is_file() for path in _files(dataset, _direction(dataset, source, target)))


def _archive(dataset) -> Download:
    """The test's archive, by the address and checksum that sacrebleu has for it."""
    url, md5 = dataset.data[0], dataset.md5[0]
    return Download(
        f"{dataset.name} news test",
        url,
        f"{dataset.name}/{url.rsplit('/')[-1]}",
        f"md5:{md5}",
        licence=WMT_LICENCE,
    )


def _test_pairs(dataset, source: str, target: str) -> list[Pair]:
    direction = _direction(dataset, source, target)
    if not _at_hand(dataset, source, target):
        _unpack(dataset)
        dataset.process_to_text(direction)
    first, second = (read_lines(path) for path in _files(dataset, direction)[:2])
    if len(first) != len(second):
        raise CorpusError(
            _files(dataset, direction)[1],
            1,
            f"{len(second)} lines for the {len(first)} of the other language",
            f"delete {dataset._outdir}, so that it is unpacked again",
        )
    return list(zip(first, second)) if direction.startswith(source) else list(zip(second, first))


def _unpack(dataset) -> None:
    """Put the archive where sacrebleu looks for it; it would itself take half an archive for a whole one."""
    fetched, raw = fetch(_archive(dataset)), Path(dataset._rawdir)
    archive = raw / dataset._get_tarball_filename(dataset.data[0])
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fetched) as members:
            members.extractall(raw, filter="data")
        draft = archive.with_name(archive.name + ".new")
        shutil.copyfile(fetched, draft)
        draft.replace(archive)  # last: where it lies, sacrebleu downloads and unpacks no more
    except OSError as problem:
        raise CorpusUnavailable(
            f"{fetched.name} cannot be unpacked into {raw} ({problem.strerror or problem}): make room "
            "there, or set SACREBLEU to another folder."
        ) from None


# ---- NTREX-128


def _ntrex(language: str) -> Download:
    """The language's file, pinned by git blob hash. Raises CorpusUnavailable where NTREX-128 has none."""
    if language not in aligned.NTREX:
        raise CorpusUnavailable(
            f"NTREX-128 has no {languages.name(language)}: name files of your own under `files`."
        )
    name = aligned.ntrex_path("", language).name
    pin = pd.read_csv(languages.DATA / "ntrex.csv").set_index("file").loc[name]
    return Download(
        f"NTREX-128 {languages.name(language)}",
        NTREX_URL + name,
        f"ntrex/{NTREX_COMMIT[:12]}/{name}",
        f"git:{pin.blob}",
        int(pin["size"]),
        NTREX_LICENCE,
    )


def _own(language: str, root: Path | None) -> Path | None:
    path = root and aligned.ntrex_path(Path(root) / "parallel" / "ntrex", language)
    return path if path and path.is_file() else None


def _ntrex_file(language: str, root: Path | None) -> Path:
    return _own(language, root) or fetch(_ntrex(language))
