"""Published files: fetched once into the cache folder, verified at each use, then used offline.

Pooch streams a file to a place beside and puts it in place in one step, so half a file is never
taken for a whole one. Git's blob hashes, which it does not know, are checked here.
"""

import errno
import hashlib
import os
import time
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from crosslingual.corpora.formats import CorpusUnavailable

CACHE_VARIABLE = "CROSSLINGUAL_CACHE"
MIRRORS_VARIABLE = "CROSSLINGUAL_MIRRORS"
PATIENCE = 60  # seconds for which a server that could not be reached is not asked again
_unreachable: dict[str, float] = {}
TRANSFERS = ContextVar("transfers", default=True)  # False while one only asks what there is
pooch.get_logger().setLevel("WARNING")


class DownloadError(CorpusUnavailable):
    """A file that could not be fetched; the message is one sentence: what, why, what to do."""


@dataclass(frozen=True)
class Download:
    """A published file: what it is, where it is, its place in the cache folder, what it must be.

    ``digest`` is "sha256:<hex>", "md5:<hex>", "git:<blob SHA-1>" or "" where none is known;
    ``size`` is in bytes.
    """

    what: str
    url: str
    path: str
    digest: str = ""
    size: int | None = None

    @property
    def file(self) -> Path:
        return cache_folder() / "downloads" / self.path

    @property
    def cached(self) -> bool:
        return self.file.is_file()


def cache_folder() -> Path:
    """$CROSSLINGUAL_CACHE, or else the platform's own cache folder for us: all that is kept.

    Not in the checkout: ``make clean`` must not cost gigabytes of transfer.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("crosslingual")).expanduser()


def fetch(download: Download) -> Path:
    """The file's path in the cache, fetched if it is not there whole.

    Raises DownloadError when the server has no such file, when it cannot be reached or stops
    midway, when what it sends is not what is pinned, and when the file cannot be stored.
    """
    file = download.file
    if not download.cached and not TRANSFERS.get():
        raise DownloadError(f"{download.what}: is yet to be downloaded, from {download.url}.")
    try:
        if not download.cached or fault(download, file):
            _receive(download)
    except requests.RequestException as problem:  # itself an OSError: asked for first
        raise DownloadError(f"{download.what}: {_refused(download, problem)}.") from None
    except OSError as problem:
        reason = (
            os.strerror(problem.errno) if problem.errno in (errno.ENOSPC, errno.EDQUOT) else problem
        )
        raise DownloadError(
            f"{download.what}: cannot be stored in {file.parent} ({reason}): make room there, or "
            f"set {CACHE_VARIABLE} to another folder."
        ) from None
    if problem := fault(download, file):
        file.unlink()
        raise DownloadError(
            f"{download.what}: {mirrored(download.url)} is not the file that is pinned "
            f"({problem}): try again, and if it stays so, look whether its publisher changed it."
        )
    return file


def located(item: Path | Download, root: Path | None = None) -> Path:
    """The file: where it is, in the data folder ``root``, or fetched into the cache.

    Raises DownloadError; CorpusUnavailable where the data folder's is not the published file.
    """
    if isinstance(item, Path):
        return item
    own = root / item.path if root else None
    if own is None or not own.is_file():
        return fetch(item)
    if problem := fault(item, own):
        raise CorpusUnavailable(
            f"{own} is not the published file ({problem}): take it away, so that it is downloaded, "
            "or name it under `files` in the edition's corpora if it is meant to differ."
        )
    return own


def fault(download: Download, path: Path) -> str:
    """How the file at ``path`` differs from what is pinned; empty if it does not."""
    size = path.stat().st_size
    if download.size is not None and size != download.size:
        return f"it has {size:,} bytes where {download.size:,} are due"
    kind, _, due = download.digest.partition(":")
    if due and (found := _digest(kind, path, size)) != due:
        return f"its checksum ({kind}) is {found[:12]}... where {due[:12]}... is pinned"
    return ""


def _digest(kind: str, path: Path, size: int) -> str:
    """git's blob hash is SHA-1 over a header with the length, and the content."""
    if kind == "git":
        return hashlib.sha1(b"blob %d\0" % size + path.read_bytes()).hexdigest()
    return pooch.file_hash(str(path), alg=kind)


def mirrored(url: str) -> str:
    """The URL, its beginning exchanged by $CROSSLINGUAL_MIRRORS: ``https://a=https://b ...``."""
    for rule in os.environ.get(MIRRORS_VARIABLE, "").split():
        original, _, mirror = rule.partition("=")
        if url.startswith(original):
            return mirror + url.removeprefix(original)
    return url


def _receive(download: Download) -> None:
    """Fetch, unless the server was out of reach just now: eighty files must not wait for it."""
    url, file = mirrored(download.url), download.file
    server = urlsplit(url).netloc
    if time.monotonic() - _unreachable.get(server, -PATIENCE) < PATIENCE:
        raise requests.ConnectionError
    file.unlink(missing_ok=True)
    stream = pooch.HTTPDownloader(progressbar=True, timeout=PATIENCE / 4)
    try:
        pooch.retrieve(url, known_hash=None, fname=file.name, path=file.parent, downloader=stream)
    except requests.ConnectionError:
        _unreachable[server] = time.monotonic()
        raise


def _refused(download: Download, problem: requests.RequestException) -> str:
    """Why the server did not give the file, and what to do."""
    reason = f"cannot be reached ({type(problem).__name__}): it takes a network once"
    if isinstance(problem, requests.HTTPError):
        status = problem.response.status_code
        gone = status in (requests.codes.not_found, requests.codes.gone)
        remedy = "look where its publisher has moved it" if gone else "try again later"
        reason = f"{'does not exist' if gone else 'is refused'} (HTTP {status}): {remedy}"
    elif isinstance(problem, requests.exceptions.ChunkedEncodingError):
        reason = "broke off: try again"
    return f"{mirrored(download.url)} {reason}, or put the file at {download.file} by hand"
