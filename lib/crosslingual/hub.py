"""Encoders from a model hub: a pinned revision, safetensors only, no code of others, offline once fetched.

The files lie in the hub library's own cache ($HF_HOME), where other programs find them too.
"""

import time
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    XetDownloadError,
)

from crosslingual import languages

WEIGHTS = ["model.safetensors", "model-*.safetensors", "model.safetensors.index.json"]
# Never *.bin, *.pt or *.py: pickles and modules run whatever their author wants.
TOKENIZER = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
             "vocab.json", "merges.txt", "*.model"]  # fmt: skip
PATTERNS = [*WEIGHTS, "config.json", *TOKENIZER]
PATIENCE = 60  # seconds; each table of a chapter asks for its encoder, and waiting for no network takes time
_failed: dict[tuple, Exception] = {}
FAILURES = (OSError, HTTPError, HFValidationError, EntryNotFoundError, XetDownloadError)


class HubError(ValueError):
    """An encoder that is not in the cache and could not be fetched; the message says why and what to do."""


class Pin(NamedTuple):
    """What is known of one of the paper's encoders before anything is fetched.

    encoder: its name in editions; megabytes: size of the files; vocabulary: SHA-256 of its vocab.txt.
    """

    encoder: str
    hub: str
    revision: str
    megabytes: int
    licence: str
    vocabulary: str


@cache
def pins() -> dict[str, Pin]:
    """The encoders of the paper, by hub name. The revisions are those that other projects cite; the hub was not asked."""
    rows = pd.read_csv(languages.DATA / "encoders.csv").itertuples(index=False)
    return {row.hub: Pin(*row) for row in rows}


def cached(name: str, revision: str) -> Path | None:
    """The folder of a complete snapshot in the hub library's cache, without asking the network, or None."""
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=PATTERNS, local_files_only=True))
    except FAILURES:
        return None
    return folder if (folder / "config.json").is_file() and list(folder.glob("*.safetensors")) else None


def fetch(name: str, revision: str) -> Path:
    """The folder of a snapshot: from the cache, or downloaded now (resumable, with a progress bar) and kept there.

    Raises HubError, in one sentence.
    """
    if folder := cached(name, revision):
        return folder
    try:
        folder = Path(_download(name, revision, time.monotonic() // PATIENCE))
    except FAILURES as problem:
        raise HubError(f"{name} at {revision} {_reason(problem)}; {_remedy(name, revision)}") from problem
    return folder


def _download(name: str, revision: str, period: float) -> str:
    """``snapshot_download``; what it raises is raised at once when asked again in the same period of time."""
    if (name, revision, period) in _failed:
        raise _failed[name, revision, period]
    try:
        # Asked once and first: the download itself would try a dead network for half a minute.
        listed = HfApi().model_info(name, revision=revision, timeout=PATIENCE / 4).siblings
        if not any(fnmatch(file.rfilename, pattern) for file in listed for pattern in WEIGHTS):
            raise HubError(f"{name} at {revision} has no safetensors weights, and pickles, which can run anything, are not "
                           "loaded: convert it where you trust it (save_pretrained) and name that folder in the edition")
        return snapshot_download(name, revision=revision, allow_patterns=PATTERNS)
    except FAILURES as problem:
        _failed[name, revision, period] = problem
        raise


def _reason(problem: Exception) -> str:
    known = {GatedRepoError: "may be fetched only by those whom its owners let (log in with `hf auth login`)",
             RepositoryNotFoundError: "is not on the hub, or not public",
             RevisionNotFoundError: "is not on the hub: the model has no such revision",
             HFValidationError: "is no name that a hub can have"}  # fmt: skip
    for kind, reason in known.items():
        if isinstance(problem, kind):
            return reason
    detail = str(problem.__cause__ or problem).strip().splitlines() or [type(problem).__name__]
    return f"is not in the cache {constants.HF_HUB_CACHE} and could not be fetched ({detail[0].rstrip('.')[:200]})"


def _remedy(name: str, revision: str) -> str:
    size = f" ({pin.megabytes} MB)" if (pin := pins().get(name)) else ""
    return (f"fetch it{size} where there is a network, with `hf download {name} --revision {revision}`, and copy "
            f"models--{name.replace('/', '--')} into that cache, or name a folder with its files in the edition")
