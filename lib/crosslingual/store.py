"""Results are kept, keyed by what made them.

A record is one JSON file, `<folder>/<kind>/<key>.json`. Its key is a digest of its `parts`: the content that
determines the result (corpora, weights, recipe, seed, versions of functions), never paths or dates. It is
written in one step, so that a killed run leaves whole records only, and carries a checksum: a damaged record
is set aside as `.damaged` and counts as missing. Two processes may share a store.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import platform
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

VARIABLE = "CROSSLINGUAL_STORE"  # environment variable: where results computed here are kept
COMPUTED, RECORDED = "computed here", "recorded"
LIBRARIES = ("crosslingual", "torch", "transformers", "tokenizers", "datasets", "numpy")

_log = logging.getLogger(__name__)


class Unavailable(ValueError):
    """What a result is computed from, a corpus or an encoder, is not at hand."""


class StoreError(ValueError):
    """A key or a result that cannot be kept."""


@dataclass(frozen=True)
class Record:
    """A kept result: `parts` of its key, `payload`, where and when it was made, and its `origin`."""

    parts: dict[str, Any]
    payload: Any
    provenance: dict[str, Any]
    origin: str


class Store:
    """Records computed here in `folder`, and read-only ones that came with the repository in `recorded`.

    recompute: recorded ones only stand in where what it takes to compute them is not at hand.
    """

    def __init__(self, folder: str | Path, recorded: Sequence[str | Path] = (), recompute: bool = False) -> None:
        self.folder, self.recompute = Path(folder), recompute
        self.recorded = [Path(path) for path in recorded]

    def __reduce__(self) -> tuple:
        return Store, (self.folder, self.recorded, self.recompute)

    def get(self, kind: str, parts: Mapping[str, Any]) -> Record | None:
        """The record of these parts, or None; one computed here comes before a recorded one."""
        return next(self.find(kind, digest(parts)), None)

    def find(self, kind: str, key: str) -> Iterator[Record]:
        """All records of a key: the one computed here, then recorded ones."""
        folders = [(self.folder, COMPUTED), *((folder, RECORDED) for folder in self.recorded)]
        found = (_read(folder / kind / f"{key}.json", key, origin) for folder, origin in folders)
        return (record for record in found if record)

    def put(self, kind: str, parts: Mapping[str, Any], payload: Any,
            about: Mapping[str, Any] | None = None) -> None:
        """Keep a result. `about` joins the provenance: what readers want to know and the key does not say."""
        made = provenance() | dict(about or {})
        body = {"parts": plain(parts), "payload": pack(payload), "provenance": made}
        _write(self.folder / kind / f"{digest(parts)}.json", body)

    def update(self, kind: str, parts: Mapping[str, Any], payload: Mapping[str, Any],
               about: Mapping[str, Any] | None = None) -> None:
        """Keep a mapping, and with it the entries that an earlier record of the same parts has besides."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):  # else one of two processes could undo the other's entries
            earlier = _read(self.folder / kind / f"{digest(parts)}.json", digest(parts), COMPUTED)
            self.put(kind, parts, {**(earlier.payload if earlier else {}), **payload}, about)

    def memo(self, kind: str, parts: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """The kept result of these parts, or `compute()`, kept from now on.

        parts: names to plain data, dataclasses or arrays; all that determines the result, and a version.
        The result may be made of plain data, numpy arrays and data frames.
        """
        record, started = self.get(kind, parts), datetime.now(UTC)
        if record and not self.stands_in(record.origin):
            return record.payload
        try:
            result = compute()
        except Unavailable:
            if not record:
                raise
            return record.payload
        self.put(kind, parts, result, {"seconds": round((datetime.now(UTC) - started).total_seconds(), 2)})
        return unpack(pack(result))  # the same whether it was computed now or read

    def stands_in(self, origin: str) -> bool:
        """Whether a record of that origin is only here for what could not be computed."""
        return self.recompute and origin == RECORDED

    def records(self, kind: str) -> list[Record]:
        """All records of a kind, for the page of provenance; of two with one key, the one computed here."""
        folders = [self.folder / kind, *(folder / kind for folder in self.recorded)]
        keys = sorted({path.stem for folder in folders for path in folder.glob("*.json")})
        return [record for key in keys if (record := next(self.find(kind, key), None))]


def default(edition: Any) -> Store:
    """The edition's store: $CROSSLINGUAL_STORE or `_build/store`, and `book/recorded/<edition>`.

    An edition that is to recompute its results does so wherever it can, unless it stands beside another.
    """
    return Store(local(), [recorded(edition)], edition.recompute and not edition.kept)


def local() -> Path:
    """Where results computed here are kept."""
    from . import checkout

    return Path(os.environ.get(VARIABLE) or checkout.root() / "_build" / "store")


def recorded(edition: Any) -> Path:
    """Where an edition's results are kept in the repository."""
    from . import checkout

    return checkout.root() / "book" / "recorded" / edition.name


def digest(parts: Any) -> str:
    """32 hexadecimal digits of plain data, dataclasses or arrays; equal for equal content."""
    return hashlib.blake2b(_dump(plain(parts), sort_keys=True), digest_size=16).hexdigest()


def provenance() -> dict[str, Any]:
    """Versions, kind of processor and date of a result made here and now. Names no machine, user or path."""
    versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return {"versions": versions, "machine": f"{platform.system()} {platform.machine()}",
            "date": datetime.now(UTC).isoformat(timespec="seconds")}


def plain(data: Any) -> Any:
    """Data as JSON has them. Raises StoreError for what has no content of its own (a function, a model)."""
    if is_dataclass(data) and not isinstance(data, type):
        return plain(asdict(data))
    if isinstance(data, Mapping):
        return {str(name): plain(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    if isinstance(data, (set, frozenset)):
        return sorted((plain(value) for value in data), key=repr)
    if isinstance(data, (np.ndarray, pd.DataFrame)):
        return pack(data)
    if isinstance(data, np.generic):
        return data.item()
    if data is None or isinstance(data, (str, int, float, bool)):
        return data
    raise StoreError(f"{data!r} cannot be part of a result or its key; give plain data or arrays.")


def pack(data: Any) -> Any:
    """Data as JSON has them, arrays and data frames compressed inside; `unpack` undoes it."""
    if isinstance(data, pd.DataFrame):
        return {"__frame__": {str(name): pack(_column(data[name])) for name in data}}
    if isinstance(data, np.ndarray):
        return _pack_array(data)
    if isinstance(data, Mapping):
        return {str(name): pack(value) for name, value in data.items()}
    return [pack(value) for value in data] if isinstance(data, (list, tuple)) else plain(data)


def unpack(data: Any) -> Any:
    """What was packed."""
    if isinstance(data, list):
        return [unpack(value) for value in data]
    if not isinstance(data, dict):
        return data
    if "__array__" in data:
        raw = zlib.decompress(base64.b64decode(data["__array__"]))
        return np.frombuffer(raw, data["stored"]).astype(data["dtype"]).reshape(data["shape"])
    if "__frame__" in data:
        return pd.DataFrame({name: unpack(column) for name, column in data["__frame__"].items()})
    return {name: unpack(value) for name, value in data.items()}


def _pack_array(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biuf":
        raise StoreError(f"An array of {array.dtype} cannot be kept; give numbers.")
    # Counts are small numbers in wide integers: kept in the narrowest type that holds them.
    small = array
    if array.dtype.kind in "iu" and array.size:
        small = array.astype(np.result_type(np.min_scalar_type(array.min()), np.min_scalar_type(array.max())))
    return {"__array__": base64.b64encode(zlib.compress(np.ascontiguousarray(small).tobytes(), 9)).decode(),
            "stored": small.dtype.str, "dtype": array.dtype.str, "shape": list(array.shape)}


def _column(column: pd.Series) -> np.ndarray | list:
    values = column.to_numpy()
    return values if values.dtype.kind in "biuf" else column.tolist()


def _dump(data: Any, sort_keys: bool = False) -> bytes:
    return json.dumps(data, sort_keys=sort_keys, ensure_ascii=False, separators=(",", ":")).encode()


def _write(path: Path, body: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _dump({"checksum": digest(body), **body}) + b"\n"
    handle, draft = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o644)  # mkstemp's is for its owner alone
        os.replace(draft, path)  # in one step: a reader never sees half a record
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _read(path: Path, key: str, origin: str) -> Record | None:
    """The record in a file, or None when there is none or it is damaged, which then is set aside."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        body = json.loads(content)
        if body.pop("checksum") != digest(body) or digest(body["parts"]) != key:
            raise ValueError("its content does not match its checksum")
        return Record(body["parts"], unpack(body["payload"]), body["provenance"], origin)
    except (ValueError, KeyError, AttributeError, TypeError) as problem:
        _log.warning("%s is damaged (%s); it is set aside and will be computed again.", path, problem)
        if origin == COMPUTED:  # recorded results belong to the repository: they are only passed over
            _set_aside(path, content)
        return None


def _set_aside(path: Path, damaged: bytes) -> None:
    with suppress(FileNotFoundError):  # another process may have set it aside meanwhile
        if path.read_bytes() == damaged:  # or have computed it again
            path.replace(path.with_suffix(".damaged"))
