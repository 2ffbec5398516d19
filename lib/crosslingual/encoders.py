"""Encoders: any BERT-like model and its tokenizer from a local folder or a model hub, identified by content."""

import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from crosslingual import alignment, corpora, editions, hub, languages
from crosslingual.corpora import CorpusUnavailable
from crosslingual.store import Store, Unavailable

IDENTITY = ("*.safetensors", "config.json", *hub.TOKENIZER)
CHECK_VERSION = 1  # bump when `check` gives other numbers for the same encoder and text
SENTENCES, EVERY = 8, 7  # of a language in the check; one in so many pieces is masked
HOPELESS = 0.2  # share of [UNK] in the script that the tokenizer spells best
CHANCE = 0.95  # loss as a share of ln V, in the script that the encoder knows best, from which on it knows nothing
LARGE = 50_000_000  # bytes; digests of larger files are kept between processes
# Local files only: what a configuration names elsewhere, code above all, is not fetched.
SAFELY = dict(local_files_only=True, trust_remote_code=False)


class EncoderUnavailable(Unavailable):
    """The encoder's files are not there, or damaged; the message says what is missing and how to get it."""


class EncoderWarning(UserWarning):
    """An encoder that loads but seems broken."""


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder: ``path`` is a folder with weights, configuration and tokenizer, or a hub's name.

    ``revision`` is the hub's, by default the one that this project has pinned, else the newest. The first use of
    a hub's encoder fetches it; all raise EncoderUnavailable if it is missing, has no safetensors weights, or
    is damaged.
    """

    name: str
    path: str
    revision: str | None = None

    @property
    def at_hand(self) -> bool:
        """Whether the weights are on this machine; never asks the network."""
        folder = hub.cached(self.path, self._wanted()) if self.is_remote else Path(self.path)
        return folder is not None and bool(list(folder.glob("*.safetensors")))

    @property
    def is_remote(self) -> bool:
        return not (Path(self.path).is_dir() or self.path.startswith((".", "/", "~")))

    @property
    def folder(self) -> Path:
        """The folder with the encoder's files, fetched first if need be."""
        return Path(_folder(self.name, self.path, self._wanted() if self.is_remote else None))

    @property
    def digest(self) -> str:
        """SHA-256 over the files that determine the encoder's output: weights, configuration, tokenizer."""
        return _digest(str(self.folder))

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return _tokenizer(str(self.folder))

    def model(self) -> torch.nn.Module:
        """The encoder without a head, float32, in evaluation mode; a fresh copy each time.

        Raises EncoderUnavailable if the files lack weights of it, as those of a wrongly converted model do.
        """
        model, missing = self._load(AutoModel)
        if lacking := sorted(name for name in missing if "pooler" not in name):  # of no use here
            raise EncoderUnavailable(f"encoder {self.name!r}: {self.folder} lacks {len(lacking)} of the model's weights "
                                     f"({lacking[0]}, ...), which would be random numbers: convert it again.")
        return model

    def masked_model(self) -> torch.nn.Module | None:
        """The encoder with the head that guesses masked words, or None where the files have no such head."""
        if type(AutoConfig.from_pretrained(self.folder, **SAFELY)) not in AutoModelForMaskedLM._model_mapping:
            return None
        model, missing = self._load(AutoModelForMaskedLM)
        return None if missing else model

    def _wanted(self) -> str:
        pin = hub.pins().get(self.path)
        return self.revision or (pin.revision if pin else "main")

    def _load(self, kind: type) -> tuple[torch.nn.Module, set[str]]:
        """A model and the names of its weights that the files lack."""
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            model, about = kind.from_pretrained(self.folder, dtype=torch.float32, use_safetensors=True,
                                                output_loading_info=True, **SAFELY)  # fmt: skip
        except (OSError, ValueError, RuntimeError, KeyError) as problem:
            raise _unreadable(self.name, self.folder, problem) from problem
        return model.eval(), set(about["missing_keys"])


def positions(model: torch.nn.Module) -> int | None:
    """How many pieces a row may have, as far as the model limits it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    reserved = getattr(table, "padding_idx", None)
    # RoBERTa and its like number positions from behind the one that padding has.
    return limit if reserved is None or limit is None else limit - reserved - 1


@cache
def _folder(name: str, path: str, revision: str | None) -> str:
    """Where the files are, after a cheap look at whether the weights are whole."""
    try:
        folder = hub.fetch(path, revision) if revision else Path(path).expanduser()
    except hub.HubError as problem:
        raise EncoderUnavailable(f"encoder {name!r}: {problem}.") from problem
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise EncoderUnavailable(f"encoder {name!r}: no safetensors weights in {folder}; restore them with git, rebuild them "
                                 f"with `crosslingual pretrain encoders/{folder.name}.yml`, or convert other weights "
                                 "(save_pretrained): pickles are not loaded.")
    for file in weights:
        _check_whole(name, file)
    return str(folder)


def _check_whole(name: str, file: Path) -> None:
    try:
        with safe_open(file, "pt"):
            pass  # compares the header's sizes with the file's
    except (SafetensorError, OSError) as problem:
        raise _unreadable(name, file, problem) from problem


def _unreadable(name: str, place: Path, problem: Exception) -> EncoderUnavailable:
    return EncoderUnavailable(f"encoder {name!r}: {place} cannot be read ({_first_line(problem)}): delete it and fetch or "
                              "copy it again.")


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")[:200]


@cache
def _digest(folder: str) -> str:
    files = sorted(path for pattern in IDENTITY for path in Path(folder).glob(pattern))
    digest = sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + _file_digest(path))
    return digest.hexdigest()


def _file_digest(path: Path) -> bytes:
    """SHA-256 of a file; that of a large one is kept as long as its size and its time of change stay."""
    path = path.resolve()  # the hub's cache has links to files that are named by content
    about = path.stat()
    if about.st_size < LARGE:
        return sha256(path.read_bytes()).digest()
    key = sha256(f"{path} {about.st_size} {about.st_mtime_ns} {about.st_ino}".encode()).hexdigest()
    return bytes.fromhex(editions.cached_digest(key, lambda: _read_digest(path)))


def _read_digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@cache
def _tokenizer(folder: str):
    try:
        return AutoTokenizer.from_pretrained(folder, **SAFELY)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as problem:
        raise EncoderUnavailable(f"{folder} has no tokenizer that can be read here ({_first_line(problem)}): save it there as "
                                 "tokenizer.json (save_pretrained of a fast tokenizer).") from problem


def check(encoder: Encoder, sentences: Mapping[str, Sequence[Sequence[str]]]) -> pd.DataFrame:
    """A cheap look at whether an encoder is whole, before hours are spent on it; one row a language.

    ``sentences`` are lists of words by language. Columns: language, script, unk_share (of the pieces), loss (mean
    cross-entropy of masked pieces, in nats; NaN where the encoder has no head for them), chance (ln V, a uniform guess's).
    """
    tokenizer, model = encoder.tokenizer, encoder.masked_model()
    added, rows = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}, []
    for code, lines in sentences.items():
        encoded = alignment.encode(tokenizer, lines, min(128, positions(model) or 128) if model else 128)
        ids = [piece for row in encoded.rows for piece in row if piece not in added]
        unknown = ids.count(tokenizer.unk_token_id) / max(1, len(ids))
        loss = masked_loss(model, tokenizer, encoded.rows) if model else math.nan
        rows.append((code, languages.script(code), unknown, loss, math.log(len(tokenizer))))
    return pd.DataFrame(rows, columns=["language", "script", "unk_share", "loss", "chance"])


@torch.inference_mode()
def masked_loss(model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Sequence[int]]) -> float:
    """Mean cross-entropy, in nats, of every seventh piece when these are masked; NaN if there is none."""
    losses, special = [], set(tokenizer.all_special_ids)
    for row in rows:
        ids = torch.tensor([row])
        words = [place for place, piece in enumerate(row) if piece not in special]
        if hidden := words[EVERY // 2 :: EVERY] or words[:1]:
            masked = ids.clone()
            masked[0, hidden] = tokenizer.mask_token_id
            logits = model(input_ids=masked).logits[0, hidden].float()
            losses += torch.nn.functional.cross_entropy(logits, ids[0, hidden], reduction="none").tolist()
    return sum(losses) / len(losses) if losses else math.nan


def problems(name: str, checked: pd.DataFrame) -> list[str]:
    """What is wrong with an encoder as ``check`` found it, a sentence each; no script that it does not know counts."""
    found = []
    if (share := checked.unk_share.min()) > HOPELESS:
        found.append(f"The tokenizer of the encoder {name!r} gives [UNK] for at least {share:.0%} of the pieces in every "
                     "script: its vocabulary was not read, or is another encoder's.")
    known = (checked.loss / checked.chance).min()
    if known > CHANCE:
        best = checked.loc[checked.loss.idxmin()]
        found.append(f"The encoder {name!r} guesses masked words no better than chance (loss {best.loss:.1f} at best, "
                     f"{best.chance:.1f} by chance): its weights are damaged, wrongly converted or untrained.")
    return found


def check_for(edition: editions.Edition, name: str, store: Store) -> None:
    """Warn, a sentence a problem, if an encoder of an edition seems broken; the check is kept in the store.

    One that the edition pre-trains itself is not checked: how far it got was its recipe's choice, and is in its log.
    """
    if edition.pretrains(name):
        return
    digests = _one_per_script(edition)
    parts = {"version": CHECK_VERSION, "encoder": edition.encoder_digest(name), "corpora": digests}
    with suppress(CorpusUnavailable):
        checked = store.memo("encoder-check", parts, lambda: check(edition.encoder(name), _first_sentences(edition, digests)))
        for problem in problems(name, checked):
            warnings.warn(problem, EncoderWarning, stacklevel=2)


def _one_per_script(edition: editions.Edition) -> dict[str, list[str]]:
    """{language: [task, digest of its test corpus]} for one language of every script, English where it can be."""
    found: dict[str, list[str]] = {}
    scripts = set()
    for task in ("pos", "ner"):
        for code in sorted(edition.evaluation_languages(task), key=lambda code: code != "en"):
            if (script := languages.script(code)) not in scripts:
                with suppress(CorpusUnavailable):
                    found[code] = [task, edition.corpus_digest(task, code, "test")]
                    scripts.add(script)
    return found


def _first_sentences(edition: editions.Edition, chosen: Mapping[str, Sequence[str]]) -> dict[str, list[list[str]]]:
    """Raises CorpusUnavailable where nothing but digests is known of the corpora."""
    found = {}
    for code, (task, _) in chosen.items():
        with suppress(CorpusUnavailable):
            found[code] = list(corpora.first(edition.corpus(task, code, "test"), SENTENCES)["tokens"])
    if not found:
        raise CorpusUnavailable("there is no text at hand to check an encoder on.")
    return found
