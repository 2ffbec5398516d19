"""Published files: fetched once into the cache folder, verified at each use, then used offline.

Pooch streams a file into a folder beside; it is put in place once it was checked, so half a file is
never taken for a whole one, and of two processes one fetches. What a killed one leaves in the
folder, the next takes away. Git's blob hashes, which Pooch does not know, are checked here.
"""

import hashlib
import os
import shutil
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from crosslingual.corpora.formats import CorpusUnavailable

CACHE_VARIABLE = "CROSSLINGUAL_CACHE"
PATIENCE = 15  # seconds for a server's answer
TRANSFERS = ContextVar("transfers", default=True)  # False while one only asks what there is


@dataclass(frozen=True)
class Download:
    """A published file: what it is, where it is, its place in the cache folder, what it must be.

    ``digest`` is "sha256:<hex>", "md5:<hex>", "git:<blob SHA-1>" or "" where none is known.
    """

    what: str
    url: str
    path: str
    digest: str = ""

    @property
    def file(self) -> Path:
        return cache_folder() / "downloads" / self.path


def cache_folder() -> Path:
    """$CROSSLINGUAL_CACHE, or the platform's, as `make clean` must not cost gigabytes."""
    from pooch import os_cache

    named = os.environ.get(CACHE_VARIABLE) or os_cache("crosslingual")
    return Path(os.path.expanduser(named))


def fetch(download: Download) -> Path:
    """The file's path in the cache, fetched if it is not there whole; raises CorpusUnavailable."""
    file, what = download.file, f"{download.what}: "
    if not fault(download, file):
        return file
    if not TRANSFERS.get():
        raise CorpusUnavailable(f"{what}is yet to be downloaded, from {download.url}.")
    import pooch  # half a second, for which checking an edition must not wait
    import requests

    pooch.get_logger().setLevel("WARNING")
    stream = pooch.HTTPDownloader(progressbar=True, timeout=PATIENCE)
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{part}.lock"):
            if not fault(download, file):  # another process was first
                return file
            file.unlink(missing_ok=True)
            shutil.rmtree(part, ignore_errors=True)
            try:
                got = Path(pooch.retrieve(download.url, None, file.name, part, downloader=stream))
                if not (problem := fault(download, got)):
                    got.replace(file)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except requests.RequestException as problem:  # itself an OSError: asked for first
        what += f"{download.url} {_reason(problem)}, or put the file at {file} by hand."
        raise CorpusUnavailable(what) from None
    except OSError as problem:
        what += f"cannot be stored in {file.parent} ({problem.strerror or problem}): make room"
        raise CorpusUnavailable(f"{what}, or set {CACHE_VARIABLE} to another folder.") from None
    if problem:
        what += f"{download.url} is not the file that is pinned ({problem}): try again, and if it"
        raise CorpusUnavailable(f"{what} stays so, look whether its publisher changed it.")
    return file


def _reason(problem: OSError) -> str:
    """Why the server did not give the file, and what to do."""
    import requests

    if isinstance(problem, requests.HTTPError):
        status = problem.response.status_code
        return f"is refused (HTTP {status}): look whether its publisher has moved it"
    if isinstance(problem, requests.exceptions.ChunkedEncodingError):
        return "broke off: try again"
    return f"cannot be reached ({type(problem).__name__}): it takes a network once"


def fault(download: Download, path: Path) -> str:
    """How the file at ``path`` differs from what is pinned; empty if it does not."""
    if not path.is_file():
        return "it is missing"
    kind, _, due = download.digest.partition(":")
    if kind == "git":  # its blob hash is SHA-1 over a header with the length, and the content
        content = path.read_bytes()
        found = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    else:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest() if due else due
    told = f"its checksum ({kind}) is {found[:12]}... where {due[:12]}... is pinned"
    return "" if found == due else told


def located(item: Path | Download, root: Path | None = None) -> Path:
    """The file: where it is, in the data folder ``root``, or fetched into the cache.

    Raises CorpusUnavailable, also where the data folder's is not the published file.
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
