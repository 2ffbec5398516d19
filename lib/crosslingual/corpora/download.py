"""Files fetched once: resumed where a transfer broke off, verified, put in place in one step, then used
offline.

Pooch streams and shows progress. It knows neither git's blob hashes nor how to go on with half a file, so
both are here: a file grows beside its place under the name ``<name>.part`` and takes its own name only when
it is whole and verified. What already lies in place is verified at each use, so a damaged file is fetched
again.
"""

import errno
import hashlib
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from filelock import FileLock
from tqdm import tqdm

from crosslingual.corpora.text import CorpusUnavailable

MIRRORS_VARIABLE = "CROSSLINGUAL_MIRRORS"
FULL = {errno.ENOSPC, errno.EDQUOT}
CHUNK = 1 << 16  # bytes
PATIENCE = 60  # seconds for which a server that could not be reached is not asked again
_unreachable: dict[str, tuple[float, Exception]] = {}
_log = logging.getLogger(__name__)


class DownloadError(CorpusUnavailable):
    """A file that could not be fetched; the message is one sentence: what, why, and what to do."""


@dataclass(frozen=True)
class Download:
    """A published file: what it is, where it is, its place in the cache folder, what it must be.

    ``digest`` is "sha256:<hex>", "md5:<hex>", "git:<blob SHA-1>" or "" where none is known; ``size`` is in
    bytes.
    """

    what: str
    url: str
    path: str
    digest: str = ""
    size: int | None = None
    licence: str = ""

    @property
    def file(self) -> Path:
        return folder() / self.path

    @property
    def cached(self) -> bool:
        return self.file.is_file()


def folder() -> Path:
    """Where downloads are kept: below $CROSSLINGUAL_CACHE, or else below the platform's own cache folder.

    Not in the checkout: ``make clean`` must not cost gigabytes of transfer, and several checkouts share them.
    """
    from crosslingual.editions import CACHE_VARIABLE  # here, as editions import the corpora

    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("crosslingual")) / "downloads"


def fetch(download: Download) -> Path:
    """The file's path in the cache, fetched if it is not there whole; a later call goes on where one broke
    off.

    Raises DownloadError when the server has no such file, when it cannot be reached or stops midway, when
    what it sends is not what is pinned, and when the file cannot be stored.
    """
    try:
        if not download.cached or fault(download, download.file):
            download.file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{download.file}.lock"):  # two processes may want the same file
                _complete(download)
    except requests.RequestException as problem:  # itself an OSError: asked for first
        raise DownloadError(f"{download.what}: {_refused(download, problem)}.") from None
    except OSError as problem:
        raise DownloadError(f"{download.what}: {_unstored(download, problem)}.") from None
    return download.file


def fault(download: Download, path: Path) -> str:
    """How the file at ``path`` differs from what is pinned; empty if it does not, or nothing is pinned."""
    size = path.stat().st_size
    if download.size is not None and size != download.size:
        return f"it has {size:,} bytes where {download.size:,} are due"
    kind, _, due = download.digest.partition(":")
    if due and (found := _digest(kind, path, size)) != due:
        return f"its checksum ({kind}) is {found[:12]}... where {due[:12]}... is pinned"
    return ""


def mirrored(url: str) -> str:
    """The URL, its beginning exchanged by $CROSSLINGUAL_MIRRORS: ``https://from=https://to``, or several."""
    for rule in os.environ.get(MIRRORS_VARIABLE, "").split():
        original, equals, mirror = rule.partition("=")
        if not equals:
            raise DownloadError(
                f"{MIRRORS_VARIABLE} has {rule!r}: write https://from=https://to, several parted by spaces."
            )
        if url.startswith(original):
            return mirror + url.removeprefix(original)
    return url


def _digest(kind: str, path: Path, size: int) -> str:
    """git's blob hash is SHA-1 over a header with the length, and the content."""
    start = {"sha256": hashlib.sha256, "md5": hashlib.md5, "git": lambda: hashlib.sha1(b"blob %d\0" % size)}[
        kind
    ]
    with path.open("rb") as file:
        return hashlib.file_digest(file, start).hexdigest()


def _part(download: Download) -> Path:
    return download.file.with_name(download.file.name + ".part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _complete(download: Download) -> None:
    """Make the file whole, verify it and put it in place."""
    if download.cached and not fault(download, download.file):
        return  # another process was quicker
    part = _part(download)
    if not download.digest:
        part.unlink(missing_ok=True)  # nothing would tell whether the two halves are of one file
        _log.warning("%s: no checksum is known, so what is downloaded is not verified.", download.what)
    if not _size(part) or fault(download, part):
        _transfer(download, part)
    if problem := fault(download, part):
        part.unlink()
        raise DownloadError(
            f"{download.what}: {mirrored(download.url)} is not the file that is pinned ({problem}): "
            "try again, and if it stays so, look whether the publisher has changed the file."
        )
    part.replace(download.file)


def _transfer(download: Download, part: Path) -> None:
    try:
        _receive(download, part)
    except requests.HTTPError as problem:
        if problem.response.status_code != requests.codes.requested_range_not_satisfiable:
            raise
        part.unlink()  # longer than the whole file: not a part of it
        _receive(download, part)
    finally:
        if not _size(part):
            part.unlink(missing_ok=True)


def _receive(download: Download, part: Path) -> None:
    """`_append`, unless the server was out of reach just now: eighty files must not wait for it each."""
    server = urlsplit(mirrored(download.url)).netloc
    when, problem = _unreachable.get(server, (-PATIENCE, None))
    if time.monotonic() - when < PATIENCE:
        raise problem
    try:
        _append(download, part)
    except requests.ConnectionError as problem:
        _unreachable[server] = time.monotonic(), problem
        raise


def _append(download: Download, part: Path) -> None:
    """Append what is missing to ``part``; all of it where the server cannot send a part."""
    # Pooch corrects the total, but takes a bar without one for no bar.
    bar = tqdm(desc=download.what, total=1, unit="B", unit_scale=True, leave=False)
    with part.open("ab") as file, bar:
        start = os.fstat(file.fileno()).st_size
        # As it is, not compressed on the way: a range counts the bytes that are sent.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})

        def from_the_start(response: requests.Response, **_) -> None:
            if start and response.status_code == requests.codes.ok:  # and not 206, partial content
                file.truncate(0)

        stream = pooch.HTTPDownloader(bar, CHUNK, headers=headers, hooks={"response": from_the_start})
        stream(mirrored(download.url), file, None)


def _refused(download: Download, problem: requests.RequestException) -> str:
    """Why the server did not give the file, and what to do."""
    url = mirrored(download.url)
    by_hand = f"or put the file at {download.file} by hand"
    if isinstance(problem, requests.HTTPError):
        status = problem.response.status_code
        if status in (requests.codes.not_found, requests.codes.gone):
            return f"{url} does not exist (HTTP {status}): look where its publisher has moved it, {by_hand}"
        return f"{url} answers HTTP {status}: try again later, {by_hand}"
    broke_off = isinstance(problem, requests.exceptions.ChunkedEncodingError)
    event = "broke off" if broke_off else f"cannot be reached ({type(problem).__name__})"
    if download.digest and (size := _size(_part(download))):
        return f"{url} {event}: {size:,} bytes are kept, and a later call goes on from there"
    return f"{url} {event}: it takes a network once, {by_hand}"


def _unstored(download: Download, problem: OSError) -> str:
    if problem.errno in FULL:
        _part(download).unlink(missing_ok=True)  # half a file must not keep the disk full
    from crosslingual.editions import CACHE_VARIABLE

    return (
        f"cannot be stored in {download.file.parent} ({os.strerror(problem.errno)}): make room there, or set "
        f"{CACHE_VARIABLE} to another folder"
    )
