"""An edition's results put into the repository, for those who build the book without its corpora or its patience.

What is recorded is what the book reads: scores, counts and where they come from, in the store's own format, under
`book/recorded/<edition>/`; no text of any corpus. The digests of corpora, parallel text and encoders, which are in the
records' keys, are pinned beside the edition.
"""

import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crosslingual import corpora, editions, emergence, exposure, grids, sensitivity, sizes
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition
from crosslingual.store import Record, Store, local, recorded

HEADER = "# What: digest of its content, as the edition cuts it. Written by `crosslingual record`."
# Of record, that the book reads.
KINDS = ("finetuned", "overlap", "retrieval", "baseline", "statistics", "tokenised", "sensitivity", "emergence")
BY_CORPUS = ("finetuned", "baseline")  # scores by the digest of the corpus that was tagged


class RecordError(ValueError):
    """What cannot be recorded."""


class Listening(Store):
    """A store that remembers which records it was asked for and had."""

    def __init__(self, folder: str | Path, recorded: list[Path]) -> None:
        super().__init__(folder, recorded)
        self.found: set[tuple[str, str]] = set()

    def find(self, kind: str, key: str) -> Iterator[Record]:
        for record in super().find(kind, key):
            self.found.add((kind, key))
            yield record

    def put(self, kind: str, parts: Any, payload: Any, about: Any = None) -> None:
        super().put(kind, parts, payload, about)
        self.get(kind, parts)

    def copy(self, kind: str, key: str, folder: Path, corpora: Collection[str]) -> None:
        """Put a record into another store's folder: its file or, of a tagger's scores, those on ``corpora``, by digest.

        Scores may be in several files, of which each has some; those on a corpus as the edition once had it are left out.
        """
        records = list(super().find(kind, key))
        if kind in BY_CORPUS:
            entries = {name: entry for record in reversed(records) for name, entry in record.payload.items() if name in corpora}
            Store(folder).put(kind, records[0].parts, entries, records[0].provenance)
        else:
            (folder / kind).mkdir(exist_ok=True)
            shutil.copyfile(self._file(kind, key), folder / kind / f"{key}.json")

    def _file(self, kind: str, key: str) -> Path:
        files = (folder / kind / f"{key}.json" for folder in [self.folder, *self.recorded])
        return next(path for path in files if path.is_file())


def record(edition: Edition, incomplete: bool = False) -> tuple[int, int]:
    """Copy all that the book reads of an edition to `book/recorded/<edition>/`, in place of what is there.

    A result with some entries computed here and others recorded before is recorded with all of them. Models have to be
    fine-tuned before; what costs little beside them (overlaps, sizes, baselines, retrieval) is computed now if it is
    missing. Returns numbers of records and bytes. Raises RecordError if models are missing that could be fine-tuned,
    unless ``incomplete``, and editions.EditionError if the edition has no file of digests.
    """
    listening = Listening(local(), [recorded(edition)])
    _check(edition, listening, incomplete)
    _pin(edition)
    collect(edition, Edition.load(edition.path, kept=True), listening)
    return _replace(recorded(edition), listening, set(Edition.load(edition.path).pinned.values()))


def collect(edition: Edition, kept: Edition, store: Store) -> dict[str, Any]:
    """All that the book reads of an edition, by what it is. ``kept`` is the same edition, of which nothing is made."""
    return {
        "models": grids.everything(kept, store),
        "overlap": [grids.overlaps(edition, size, store) for size in (None, grids.common_size(edition, store))],
        "retrieval": grids.retrieval_curve(edition, store=store),
        "further retrieval": grids.further_retrieval(edition, store=store),
        "baselines": grids.floors(edition, store),
        "sizes": dict(_statistics(edition, store)),
        "exposure": [exposure.conditions(edition, name, store) for name in grids.ENCODERS if name in edition.encoders],
        "recipe": sensitivity.measure(kept, store=store),
        "other treebanks": [sensitivity.other_texts(edition, store), sensitivity.own_tags(edition, store)],
        "emergence": emergence.of_the_book(edition, store),
    }


def _check(edition: Edition, store: Store, incomplete: bool) -> None:
    if "digests" not in edition.document:
        raise edition.error((), "records need digests: put an empty file NAME.digests.yml beside the edition and name it "
                                "under `digests`")  # fmt: skip
    missing = [*grids.of_the_book(edition, store), *sensitivity.lacking(edition, store)]
    if missing and not incomplete:
        raise RecordError(f"{len(missing)} models of the edition {edition.name} have yet to be fine-tuned, the first being "
                          f"{missing[0]}: do `crosslingual run --edition {edition.name}`, or give --incomplete")


def _statistics(edition: Edition, store: Store) -> Iterator[tuple[str, dict[str, int]]]:
    for task in corpora.TASKS:
        for language in dict.fromkeys([*edition.languages(task), *edition.evaluation_languages(task)]):
            for split in ("train", "test"):
                with suppress(CorpusUnavailable):
                    yield f"{task}/{language}/{split}", sizes.statistics(edition, task, language, split, store)


def _pin(edition: Edition) -> None:
    """Write the digests of what is at hand to the edition's file of digests, which keeps those of what is not."""
    pinned = edition.pinned | editions.digests(edition)
    lines = [f"{key}: {pinned[key]}" for key in sorted(pinned)]
    edition.resolve(edition.document["digests"]).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def _replace(folder: Path, listening: Listening, corpora: Collection[str]) -> tuple[int, int]:
    """Copy the records found; of the kinds that the book reads, no other is left in the folder.

    Record by record and the stale ones last, so that nothing is lost when it is killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as draft:
        for kind, key in listening.found:
            listening.copy(kind, key, Path(draft), corpora)
        for kind, key in listening.found:
            (folder / kind).mkdir(exist_ok=True)
            (Path(draft) / kind / f"{key}.json").replace(folder / kind / f"{key}.json")
    for path in [path for kind in KINDS for path in (folder / kind).glob("*.json")]:
        if (path.parent.name, path.stem) not in listening.found:
            path.unlink()
    files = [folder / kind / f"{key}.json" for kind, key in listening.found]
    return len(files), sum(path.stat().st_size for path in files)
