"""Encoders: any BERT-like model and its tokenizer, from a local folder or a model hub.

A hub's encoder is taken at one revision, safetensors only, without anybody's code, and found
offline once it was fetched; its files lie in the hub library's own cache ($HF_HOME).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

from crosslingual.models import pieces

# torch and transformers take seconds to load, which showing a result does not need: they are
# imported where a model is.
if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

WEIGHTS = ["model.safetensors", "model-*.safetensors", "model.safetensors.index.json"]
# Never *.bin, *.pt or *.py: pickles and modules run whatever their author wants.
TOKENIZER = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
]
IDENTITY = ["*.safetensors", "config.json", *TOKENIZER]
FAILURES = (OSError, HTTPError, HFValidationError, EntryNotFoundError, XetDownloadError)
REASONS = {
    GatedRepoError: "may be fetched only by those whom its owners let (log in: `hf auth login`)",
    RepositoryNotFoundError: "is not on the hub, or not public",
    RevisionNotFoundError: "is not on the hub: the model has no such revision",
    HFValidationError: "is no name that a hub can have",
}
LONGEST = 200  # letters of another library's error that are repeated
PATIENCE = 15  # seconds for the hub's first answer
EVERY = 7  # in the check, one in so many pieces is masked
HOPELESS = 0.2  # share of [UNK] in the script that the tokenizer spells best
CHANCE = 0.95  # loss as a share of ln V from which on an encoder knows nothing
# Local files only: what a configuration names elsewhere, code above all, is not fetched.
SAFELY = {"local_files_only": True, "trust_remote_code": False}


class EncoderUnavailable(ValueError):
    """The encoder's files are not there, or damaged; the message says what to do."""


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder: ``path`` is a folder, or a hub's name with its ``revision``.

    A folder holds weights, configuration and tokenizer. The first use of a hub's encoder fetches
    it; all raise EncoderUnavailable if it is missing, has no safetensors weights, or is damaged.
    """

    name: str
    path: str
    revision: str = ""

    @property
    def at_hand(self) -> bool:
        """Whether the weights are on this machine; never asks the network."""
        folder = _cached(self.path, self.revision) if self.revision else Path(self.path)
        return folder is not None and bool(list(folder.glob("*.safetensors")))

    @property
    def folder(self) -> Path:
        """The folder with the encoder's files, fetched first if need be."""
        return Path(_folder(self.name, self.path, self.revision))

    @property
    def digest(self) -> str:
        """SHA-256 over the files that determine its output: weights, configuration, tokenizer."""
        return _digest(str(self.folder))

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        return _tokenizer(self.name, str(self.folder))

    def model(self) -> torch.nn.Module:
        """The encoder without a head, float32, in evaluation mode; a fresh copy each time.

        Raises EncoderUnavailable if the files lack weights of it, hold more layers than config.json
        names, other sizes or numbers that are none, or a tokenizer with pieces beyond its
        embeddings.
        """
        from transformers import AutoModel

        model, missing = self._load(AutoModel)
        if lacking := sorted(name for name in missing if "pooler" not in name):  # of no use here
            raise self._unusable(
                f"lacks {len(lacking)} of the model's weights ({lacking[0]}, ...), which would be "
                "random numbers: convert it again"
            )
        return model

    def masked_model(self) -> torch.nn.Module | None:
        """The encoder with the head that guesses masked words; None where it has none."""
        from transformers import AutoModelForMaskedLM

        if type(_config(self.name, str(self.folder))) not in AutoModelForMaskedLM._model_mapping:
            return None
        model, missing = self._load(AutoModelForMaskedLM)
        return None if missing else model

    def _load(self, kind: Any) -> tuple[torch.nn.Module, set[str]]:
        """A model and the names of its weights that the files lack."""
        import torch
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        _config(self.name, str(self.folder))
        # Sizes are compared below: the library's error points to a report that nobody sees.
        options = {"ignore_mismatched_sizes": True, "output_loading_info": True, **SAFELY}
        try:
            with torch.random.fork_rng(range(torch.cuda.device_count())):
                torch.manual_seed(0)  # for a pooler, which many files lack
                model, about = kind.from_pretrained(
                    self.folder, dtype=torch.float32, use_safetensors=True, **options
                )
        except Exception as problem:  # the library's own kinds and those of what it is built on
            raise self._unusable(
                f"cannot be read as the model that its config.json names ({_said(problem)}): see "
                "whether config.json belongs to these weights, or fetch or convert them again"
            ) from problem
        self._check_sizes(model, about)
        self._check_weights(model)
        return model.eval(), set(about["missing_keys"])

    def _check_sizes(self, model: torch.nn.Module, about: Mapping[str, Any]) -> None:
        """That the weights are those of the config.json beside them, as far as sizes tell."""
        advice = "put the config.json beside the weights that belongs to them"
        for name, found, wanted in sorted(about["mismatched_keys"]):
            sizes = f"of size {list(found)} where its config.json asks for {list(wanted)}"
            raise self._unusable(f"has weights {sizes} ({name}): {advice}")
        known = {_unnumbered(name) for name in model.base_model.state_dict()}
        left_over = {_unnumbered(name): name for name in sorted(about["unexpected_keys"])}
        for kind, name in left_over.items():
            if kind in known or kind.partition(".")[2] in known:
                raise self._unusable(
                    f"has more layers than its config.json names ({name}): {advice}"
                )

    def _check_weights(self, model: torch.nn.Module) -> None:
        import torch

        for name, weights in model.named_parameters():
            if not torch.isfinite(weights).all():
                raise self._unusable(f"has weights that are no numbers ({name}): fetch it again")
        known = max(self.tokenizer.get_vocab().values()) + 1
        rows = model.get_input_embeddings().num_embeddings
        if known > rows:
            raise self._unusable(
                f"has a tokenizer of {known:,} pieces but embeddings of {rows:,}: put the "
                "tokenizer beside the weights that were trained with it"
            )

    def _unusable(self, problem: str) -> EncoderUnavailable:
        return EncoderUnavailable(f"encoder {self.name!r}: {self.folder} {problem}.")


def positions(model: torch.nn.Module) -> int | None:
    """How many pieces a row may have, as far as the model limits it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    reserved = getattr(table, "padding_idx", None)
    # RoBERTa and its like number positions from behind the one that padding has.
    return limit if reserved is None or limit is None else limit - reserved - 1


def _unnumbered(name: str) -> str:
    return ".".join("#" if part.isdigit() else part for part in name.split("."))


def _cached(name: str, revision: str) -> Path | None:
    """The folder of a complete snapshot in the hub library's cache, or None; asks no network."""
    try:
        folder = snapshot_download(
            name, revision=revision, allow_patterns=[*WEIGHTS, *IDENTITY], local_files_only=True
        )
    except FAILURES:
        return None
    whole = (Path(folder) / "config.json").is_file() and list(Path(folder).glob("*.safetensors"))
    return Path(folder) if whole else None


@cache
def _folder(name: str, path: str, revision: str) -> str:
    """Where the files are, fetched if need be, after a cheap look at whether they are whole."""
    folder = (_cached(path, revision) or _fetched(name, path, revision)) if revision else Path(path)
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise EncoderUnavailable(
            f"encoder {name!r}: no safetensors weights in {folder}; restore them with git, rebuild "
            f"them with `crosslingual pretrain encoders/{folder.name}.yml`, or convert other "
            "weights (save_pretrained): pickles are not loaded."
        )
    for file in weights:
        _check_whole(name, file)
    return str(folder)


def _fetched(name: str, path: str, revision: str) -> Path:
    """A snapshot from the hub, with a progress bar; what broke off is taken up again."""
    try:
        # Asked once and first: the download itself would try a dead network for half a minute.
        listed = HfApi().model_info(path, revision=revision, timeout=PATIENCE).siblings
        if not any(fnmatch(file.rfilename, pattern) for file in listed for pattern in WEIGHTS):
            raise EncoderUnavailable(
                f"encoder {name!r}: {path} at {revision} has no safetensors weights, and pickles, "
                "which can run anything, are not loaded: convert it where you trust it "
                "(save_pretrained) and name that folder in the edition."
            )
        patterns = [*WEIGHTS, "config.json", *TOKENIZER]
        return Path(snapshot_download(path, revision=revision, allow_patterns=patterns))
    except FAILURES as problem:
        raise EncoderUnavailable(
            f"encoder {name!r}: {path} at {revision} {_reason(problem)}; fetch it where there is a "
            f"network, with `hf download {path} --revision {revision}`, and copy "
            f"models--{path.replace('/', '--')} into that cache, or name a folder with its files "
            "in the edition."
        ) from problem


def _reason(problem: Exception) -> str:
    for kind, reason in REASONS.items():
        if isinstance(problem, kind):
            return reason
    detail = _said(problem.__cause__ or problem)
    return f"is not in the cache {constants.HF_HUB_CACHE} and could not be fetched ({detail})"


def _check_whole(name: str, file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "np"):
            pass  # compares the header's sizes with the file's
    except (SafetensorError, OSError) as problem:
        raise EncoderUnavailable(
            f"encoder {name!r}: {file} cannot be read ({_said(problem)}): delete it and fetch or "
            "copy it again."
        ) from problem


def _said(problem: BaseException) -> str:
    line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    short = line if len(line) <= LONGEST else line[:LONGEST].rpartition(". ")[0] or line[:LONGEST]
    return short.rstrip(".:")


@cache
def _digest(folder: str) -> str:
    files = {path for pattern in IDENTITY for path in Path(folder).glob(pattern)}
    digest = sha256()
    for path in sorted(files):
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + file_digest(file, "sha256").digest())
    return digest.hexdigest()


@cache
def _config(name: str, folder: str) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, **SAFELY)
    except Exception as problem:  # the library's own kinds and those of what it is built on
        raise EncoderUnavailable(
            f"encoder {name!r}: {folder} has no config.json that names a model known here "
            f"({_said(problem)}): put the one beside the weights that belongs to them."
        ) from problem


@cache
def _tokenizer(name: str, folder: str) -> PreTrainedTokenizerFast:
    _config(name, folder)  # else its faults would be told as the tokenizer's
    try:
        tokenizer = _read_tokenizer(Path(folder))
        pieces.check_tokenizer(tokenizer)
    except Exception as problem:  # tokenizers raises bare Exceptions
        raise EncoderUnavailable(
            f"encoder {name!r}: {folder} has no tokenizer that can be read here "
            f"({_said(problem)}): save it there as tokenizer.json (save_pretrained of a fast "
            "tokenizer)."
        ) from problem
    return tokenizer


def _read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    # Without tokenizer_config.json, the library assumes a lower-cased BERT, silently, whatever
    # tokenizer.json or vocab.txt say.
    told = (folder / "tokenizer_config.json").is_file()
    if not told and (folder / "tokenizer.json").is_file():
        usual = AutoTokenizer.from_pretrained(folder, **SAFELY).special_tokens_map
        return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **usual)
    if not told and (folder / "vocab.txt").is_file():
        return vocabulary(folder / "vocab.txt")
    return AutoTokenizer.from_pretrained(folder, **SAFELY)


def vocabulary(path: Path) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer from a vocab.txt alone: cased where its pieces have capitals."""
    from transformers import BertTokenizerFast

    lines = path.read_text(encoding="utf-8").splitlines()
    cased = any(piece != piece.lower() for piece in lines if not piece.startswith("["))
    # By content: given a file's name, this class makes a tokenizer that knows [UNK] only.
    numbered = {piece: number for number, piece in enumerate(lines)}
    return BertTokenizerFast(vocab=numbered, do_lower_case=not cased)


def check(encoder: Encoder, sentences: Mapping[str, Sequence[Sequence[str]]]) -> list[str]:
    """What seems wrong with an encoder, a sentence each, before hours are spent on it.

    ``sentences`` are lists of words by language; no script that the encoder does not know counts
    against it. A language's share of [UNK] and the cross-entropy of masked pieces (in nats; a
    uniform guess has ln V) are held against HOPELESS and CHANCE.
    """
    tokenizer, model = encoder.tokenizer, encoder.masked_model()
    longest = min(128, positions(model) or 128) if model else 128
    encoded = [pieces.encode(tokenizer, lines, longest).rows for lines in sentences.values()]
    unknown = min(_unknown(tokenizer, rows) for rows in encoded)
    found = []
    if unknown > HOPELESS:
        found.append(
            f"The tokenizer of the encoder {encoder.name!r} gives [UNK] for at least {unknown:.0%} "
            "of the pieces in every script: its vocabulary was not read, or is another encoder's."
        )
    chance = math.log(len(tokenizer))
    if model is None or tokenizer.mask_token_id is None:
        return found
    losses = [masked_loss(model, tokenizer, rows) for rows in encoded]
    loss = min((loss for loss in losses if not math.isnan(loss)), default=0)
    if loss > CHANCE * chance:
        found.append(
            f"The encoder {encoder.name!r} guesses masked words no better than chance (loss "
            f"{loss:.1f} at best, {chance:.1f} by chance): its weights are damaged, wrongly "
            "converted or untrained."
        )
    return found


def _unknown(tokenizer: PreTrainedTokenizerFast, rows: Sequence[Sequence[int]]) -> float:
    added = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    ids = [piece for row in rows for piece in row if piece not in added]
    return ids.count(tokenizer.unk_token_id) / max(1, len(ids))


def masked_loss(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Sequence[int]]
) -> float:
    """Mean cross-entropy, in nats, of every seventh piece when these are masked; NaN if none."""
    import torch

    losses, special = [], set(tokenizer.all_special_ids)
    for row in rows:
        ids = torch.tensor([row])
        words = [place for place, piece in enumerate(row) if piece not in special]
        if hidden := words[EVERY // 2 :: EVERY] or words[:1]:
            masked = ids.clone()
            masked[0, hidden] = tokenizer.mask_token_id
            with torch.inference_mode():
                logits = model(input_ids=masked).logits[0, hidden].float()
            losses += torch.nn.functional.cross_entropy(
                logits, ids[0, hidden], reduction="none"
            ).tolist()
    return sum(losses) / len(losses) if losses else math.nan
