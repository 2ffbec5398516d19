"""Results are frames by name: recorded with the book, and those computed here laid beside them.

Recorded: one parquet file a kind, ``book/recorded/<edition>/<kind>.parquet``. Computed here: one
small file a unit (a fine-tuned model, a pair of languages ...), written in one step under
``_build/results/<edition>/<kind>/``: a killed run loses at most the unit in flight, and two
processes may share the folder. A damaged file is set aside as ``.damaged`` and counts as missing.
What a row was made from stands in it (``made_from``); which of two rows is shown is decided there,
in `current`.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crosslingual import parquet
from crosslingual.contents import root

VARIABLE = "CROSSLINGUAL_RESULTS"  # environment variable: where results computed here are kept
RECORDED, COMPUTED = "recorded", "computed here"  # in this order the latter comes first
LIBRARIES = ("crosslingual", "torch", "transformers", "tokenizers", "datasets", "numpy")
ARRAYS = ("counts", "hits")  # columns whose cells are arrays
ABANDONED = 3600  # seconds, after which an unfinished file is nobody's
NUMBERS = {"seed", "score", "in_place_of"}
# Columns that hold sentences or words; in all others stand names and numbers, of these characters.
FREE = {"reason", "warning", "word", "second"}
NAME = re.compile(r"""[\w .,+=()/:"{}-]*""")
TYPES = ("string", "large_string", "integer", "floating", "boolean", "null")  # of all but ARRAYS

PROVENANCE = ["made_from", "date", "device", "seconds", "memory", "versions"]


class ResultsError(ValueError):
    """A recorded file that cannot be read."""


def local(edition: str) -> Path:
    """Where results of an edition, by name, that were computed here are kept."""
    return Path(root(), os.path.expanduser(os.environ.get(VARIABLE) or "_build/results"), edition)


def recorded(edition: str) -> Path:
    """Where results of an edition, by name, are kept in the repository."""
    return root() / "book" / "recorded" / edition


def read(edition: str, kind: str, columns: list[str], always: bool = False) -> pd.DataFrame:
    """All rows of a kind, recorded ones first; column origin says which is which.

    The ``columns`` are there at least, also where there is no row, and PROVENANCE. Of two rows
    about the same, both are here: see `current`. always: recorded ones, too, in a fresh run.
    """
    frames, path = [], recorded(edition) / f"{kind}.parquet"
    if path.is_file() and (always or not _marker(edition).is_file()):
        frames.append(_load_recorded(path).assign(origin=RECORDED))
    for path in sorted((local(edition) / kind).glob("*.parquet")):
        with suppress(FileNotFoundError):
            try:
                frames.append(_load_computed(path).assign(origin=COMPUTED))
            except ResultsError:
                with suppress(OSError):  # a folder that cannot be written to
                    path.replace(path.with_suffix(".damaged"))
    columns = [*columns, *PROVENANCE, "origin"]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    lacking = [column for column in columns if column not in frame]
    return frame.assign(**dict.fromkeys(lacking, None))


def stamp(edition: str, kind: str) -> tuple:
    """Changes whenever what `read` returns does: names and times of the files."""
    paths = [recorded(edition) / f"{kind}.parquet", *(local(edition) / kind).glob("*.parquet")]
    times = []
    for path in paths:
        with suppress(FileNotFoundError):  # another process may have put a newer one in its place
            times.append((path.name, path.stat().st_mtime_ns))
    return (str(local(edition)), _marker(edition).is_file(), *sorted(times))


def begin_afresh(edition: str) -> None:
    """From now on recorded rows do not count; rows computed before are taken away first.

    Where an earlier such run was broken off, it goes on.
    """
    if not _marker(edition).is_file():
        shutil.rmtree(local(edition), ignore_errors=True)
        local(edition).mkdir(parents=True)
        _marker(edition).touch()


def end_afresh(edition: str) -> None:
    """All is computed: rows computed here come before recorded ones, as they always do."""
    _marker(edition).unlink(missing_ok=True)


def _marker(edition: str) -> Path:
    """A file that is there while recorded rows do not count."""
    return local(edition) / ".afresh"


def current(
    frame: pd.DataFrame, keys: list[str], wanted: Callable[[Any], Mapping[str, str]]
) -> pd.DataFrame:
    """One row for each thing that rows are about (``keys``): made from what is at hand, if any is.

    wanted: for a row (a named tuple) the parts that it would be made from now, without those that
    are not at hand. Column note is "" for a row that was made from them, else a sentence that says
    what differs. Rows computed here come before recorded ones. Raises ResultsError for rows that
    do not say what they are about.
    """
    if lacking := [key for key in keys if len(frame) and frame[key].isna().all()]:
        told = f"the results have no {lacking[0]}, so a file in {root()}/book/recorded is damaged"
        raise ResultsError(f"{told}: restore it with git.")
    rows = frame[[*keys, "made_from"]].itertuples(index=False)
    notes = [_differs(json.loads(row.made_from), wanted(row)) for row in rows]
    frame = frame.assign(note=notes, _stale=[bool(note) for note in notes])
    latest = frame.sort_values("date", ascending=False, kind="stable") if "date" in frame else frame
    best = latest.sort_values(["_stale", "origin"], kind="stable").drop_duplicates(keys)
    return best.sort_index().drop(columns="_stale").reset_index(drop=True)


def _differs(made_from: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    parts = [part for part, value in wanted.items() if made_from.get(part) != value]
    return f"not made from what is here: other {', '.join(parts)}" if parts else ""


def keep(edition: str, kind: str, frame: pd.DataFrame, about: tuple) -> None:
    """Keep the rows of one job, in one step, in place of earlier ones from the same content.

    A file's name ends in digests of what its rows were made from and of its bytes.
    """
    name = re.sub(r"[^\w.+-]+", "_", "-".join(map(str, about)))
    name += f"-{_digest(''.join(frame.made_from).encode())}"
    folder, content = local(edition) / kind, _dump(frame)
    earlier = set(folder.glob(f"{name}-*.parquet"))
    path = folder / f"{name}-{_digest(content)}.parquet"
    _put(path, content)
    for other in earlier - {path}:
        other.unlink(missing_ok=True)


def record(edition: str, kind: str, frame: pd.DataFrame) -> None:
    """Put the rows of a kind into the repository, in place of those there."""
    # Rows of one evaluation corpus below each other: what they have in common packs away.
    order = [column for column in ("evaluate", "layer") if column in frame]
    frame = frame.drop(columns=["origin", "note", "edition"], errors="ignore")
    _put(recorded(edition) / f"{kind}.parquet", _dump(frame.sort_values(order, kind="stable")))


def merge(folder: Path) -> int:
    """Take over what was computed elsewhere, in a folder like that of `local`; how many files.

    Raises ResultsError where there are none, or one is damaged; nothing is taken over then.
    """
    found = sorted(folder.glob("*/*/*.parquet"))
    if not found:
        raise ResultsError(f"{folder} holds no results: name a folder like {local('')}.")
    for path in found:
        try:
            _load_computed(path)
        except ResultsError as problem:
            raise ResultsError(f"{path} is damaged ({problem}): take it away.") from problem
    for path in found:
        _put(local(path.parts[-3]) / path.parts[-2] / path.name, path.read_bytes())
    return len(found)


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.stem}-{uuid4().hex}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(".*.draft"):  # by processes that were killed
            with suppress(FileNotFoundError):
                if abs(time.time() - left.stat().st_mtime) > ABANDONED:
                    left.unlink()
        draft.write_bytes(content)
        draft.replace(path)  # in one step: a reader never sees half of it
    except OSError as problem:
        told = f"{path.parent} takes no results ({problem.strerror}): make room there, or name"
        raise ResultsError(f"{told} another folder in {VARIABLE}; what is kept stays.") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def about() -> dict[str, str]:
    """When and with what a result is made here and now; names no machine, user or path."""
    versions = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    versions |= {"system": f"{platform.system()} {platform.machine()}"}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"date": date, "versions": json.dumps(versions, sort_keys=True)}


def _dump(frame: pd.DataFrame) -> bytes:
    """A frame as parquet, with checksums of its pages; arrays as NumPy's own bytes."""
    packed = {name: frame[name].map(_pack) for name in ARRAYS if name in frame}
    table, sink = pa.Table.from_pandas(frame.assign(**packed), preserve_index=False), io.BytesIO()
    options = {"compression": "zstd", "compression_level": 12, "write_page_checksum": True}
    pq.write_table(table, sink, **options, write_statistics=False)
    return sink.getvalue()


def _load(content: bytes) -> pd.DataFrame:
    """The frame that `_dump` wrote; raises ResultsError for all else."""
    try:
        table = parquet.read(pa.BufferReader(content))
        for field in table.schema:
            known = any(getattr(pa.types, f"is_{kind}")(field.type) for kind in TYPES)
            if field.name not in ARRAYS and not known:
                raise ValueError(f"{field.name} is of the type {field.type}")
        frame = table.to_pandas()
        for name in {*frame.select_dtypes("str")} - FREE:
            if not all(map(NAME.fullmatch, frame[name].dropna().unique())):
                raise ValueError(f"{name} has signs that no name has")
        for each in frame.made_from.unique():
            json.loads(each).items()
        for name in NUMBERS & {*frame}:
            pd.to_numeric(frame[name])
        return frame.assign(**{name: frame[name].map(_unpack) for name in ARRAYS if name in frame})
    except MemoryError:  # which says nothing about the file
        raise
    except Exception as problem:  # of pyarrow, NumPy, JSON: of all kinds
        raise ResultsError(str(problem).splitlines()[0].rstrip(".")) from problem


def _load_computed(path: Path) -> pd.DataFrame:
    content = path.read_bytes()
    if not path.stem.endswith(_digest(content)):
        raise ResultsError("its bytes are not those of its name")
    return _load(content)


def _load_recorded(path: Path) -> pd.DataFrame:
    try:
        return _load(path.read_bytes())
    except ResultsError as problem:
        raise ResultsError(f"{path} is damaged ({problem}): restore it with git.") from problem


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=6).hexdigest()


def _pack(array: np.ndarray | None) -> bytes | None:
    """Column by column and in the narrowest type: counts are small numbers in wide integers."""
    if array is None:
        return None
    if array.dtype.kind in "iu" and array.size:
        ends = np.min_scalar_type(array.min()), np.min_scalar_type(array.max())
        array = array.astype(np.result_type(*ends))
    sink = io.BytesIO()
    np.save(sink, np.asfortranarray(array), allow_pickle=False)
    return sink.getvalue()


def _unpack(packed: bytes | None) -> np.ndarray | None:
    if packed is None:
        return None
    start = 10 + int.from_bytes(packed[8:10], "little")
    shape, order, dtype = _header(packed[8:start])
    array = np.frombuffer(packed, dtype, offset=start).reshape(shape, order=order)
    return array.astype(np.int64 if array.dtype.kind in "iu" else array.dtype)


@lru_cache(maxsize=4096)
def _header(packed: bytes) -> tuple[tuple, str, np.dtype]:
    """Few arrays differ in it, and to parse it takes longer than all else."""
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(packed))
    return shape, "F" if fortran else "C", dtype
