"""Encoders: any BERT-like model and its tokenizer from a local folder or the hub's cache, identified by content."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

IDENTITY = ("*.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


class EncoderUnavailable(ValueError):
    """The encoder's files are not there; the message says what is missing and how to get it."""


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder: ``path`` is a folder with weights, configuration and tokenizer.

    Loading raises EncoderUnavailable if the folder is missing or holds no safetensors weights.
    """

    name: str
    path: str

    @property
    def digest(self) -> str:
        """SHA-256 over the files that determine the encoder's output: weights, configuration, tokenizer."""
        return _digest(self._folder())

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return _tokenizer(self._folder())

    def model(self) -> torch.nn.Module:
        """The encoder without a head, float32, in evaluation mode; a fresh copy each time."""
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        return AutoModel.from_pretrained(self._folder(), dtype=torch.float32).eval()

    def _folder(self) -> str:
        folder = Path(self.path)
        if not list(folder.glob("*.safetensors")):
            raise EncoderUnavailable(f"encoder {self.name!r}: no safetensors weights in {folder}; restore them with git, or rebuild "
                                     f"them with `crosslingual pretrain encoders/{folder.name}.yml`")
        return str(folder)


@cache
def _digest(folder: str) -> str:
    files = sorted(path for pattern in IDENTITY for path in Path(folder).glob(pattern))
    digest = sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _tokenizer(folder: str):
    return AutoTokenizer.from_pretrained(folder)
