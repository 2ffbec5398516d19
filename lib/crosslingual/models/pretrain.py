"""Pre-training: a WordPiece vocabulary and a BERT by masked language modelling, on any texts.

As in BERT (Devlin et al., 2019): 15% of the pieces are predicted, 80% of these masked, 10% replaced
at random, 10% kept; languages are sampled by smoothed size. A batch is a function of the seed and
the step number alone, and the random state is reset from them at every step, so a run that was
killed resumes bit for bit from its last checkpoint.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain, count, islice
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import transformers
from pydantic import BaseModel, ConfigDict, Field, model_validator
from tokenizers import BertWordPieceTokenizer
from torch.nn.utils.rnn import pad_sequence
from tqdm.auto import tqdm
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from crosslingual.models import ModelError
from crosslingual.models.finetune import parameter_groups

VERSION = 1  # bump when the same recipe and texts give another encoder
LOG_EVERY, SAVE_EVERY = 50, 500  # steps between entries of the log, between checkpoints
CHECK = sha256().digest_size  # bytes at the end of a checkpoint: the digest of those before
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SAMPLE = 400_000  # lines that a vocabulary is made from
POOL = 32  # batches that sentences are drawn for at once, to group them by length

Texts = dict[str, list[str]]  # lines by language
Count, Rate = Annotated[int, Field(ge=1)], Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0)]


class PretrainRecipe(BaseModel):
    """What determines an encoder besides its texts.

    ``warmup`` is a share of the steps; ``predict`` of the pieces are predicted, of which ``mask``
    are masked and ``replace`` replaced; ``smoothing`` is the power of a language's share of lines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    vocabulary: Count = 10_000
    hidden: Count = 128
    layers: Count = 6
    heads: Count = 4
    intermediate: Count = 256
    max_length: Annotated[int, Field(ge=8)] = 128
    dropout: Rate = 0.0
    steps: Count = 20_000
    tokens_per_batch: Count = 4096
    learning_rate: Factor = 1e-3
    warmup: Rate = 0.05
    weight_decay: Factor = 0.01
    max_grad_norm: Factor = 1.0
    predict: Rate = 0.15
    mask: Rate = 0.8
    replace: Rate = 0.1
    smoothing: Rate = 0.7
    bf16: bool = True
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _heads_divide(self) -> PretrainRecipe:
        if self.hidden % self.heads:
            raise ValueError(f"a hidden size of {self.hidden} has no {self.heads} equal heads")
        return self


class Specification(BaseModel):
    """What a file of ``encoders/`` says: an edition (its path), whose text to read, and the recipe.

    languages: all of the world if left out. sentences: lines a language. alphabet: whether the
    characters of all languages are added, as to the English BERT's. snapshots: steps to copy at.
    """

    model_config = PretrainRecipe.model_config

    edition: str
    languages: Annotated[list[str], Field(min_length=1)] | None = None
    sentences: Count = 40_000
    alphabet: bool = False
    snapshots: list[Count] = []
    recipe: PretrainRecipe = PretrainRecipe()


def learning_rate(step: int, recipe: PretrainRecipe) -> float:
    """The rate of a step (from 0): a linear warm-up, then a linear fall to zero."""
    warmup = int(recipe.warmup * recipe.steps)
    fall = (recipe.steps - step) / max(1, recipe.steps - warmup)
    return recipe.learning_rate * (step / warmup if step < warmup else fall)


def smoothed(sizes: dict[str, int], exponent: float) -> dict[str, float]:
    """Sampling probability of each language: its share to a power (multilingual BERT's is 0.7)."""
    powers = {language: size**exponent for language, size in sizes.items()}
    return {language: power / sum(powers.values()) for language, power in powers.items()}


def train_vocabulary(texts: Texts, recipe: PretrainRecipe, alphabet: str = "") -> list[str]:
    """Pieces of a cased WordPiece vocabulary from a smoothed sample, then those of ``alphabet``."""
    shares = smoothed({language: len(text) for language, text in texts.items()}, recipe.smoothing)
    sizes = {language: max(1, int(SAMPLE * share)) for language, share in shares.items()}
    sample = [line for language in sorted(texts) for line in texts[language][: sizes[language]]]
    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    words = {trainer.normalizer.normalize_str(word) for line in sample for word in line.split()}
    parts = {part for word in words for part, _ in trainer.pre_tokenizer.pre_tokenize_str(word)}
    # Left to itself the trainer numbers the characters inside words by a random hash, and breaks
    # ties between pieces so.
    inner = sorted({"##" + character for part in parts for character in part[1:]})
    options = {"limit_alphabet": 10_000, "show_progress": False, "special_tokens": SPECIAL + inner}
    trainer.train_from_iterator(sample, vocab_size=recipe.vocabulary, **options)
    vocabulary = trainer.get_vocab()
    singles = [piece for c in sorted(set(alphabet) - {" "}) for piece in (c, "##" + c)]
    return sorted(vocabulary, key=vocabulary.get) + [s for s in singles if s not in vocabulary]


def tokenizer_of(pieces: list[str], max_length: int) -> BertTokenizer:
    """A cased tokenizer of these pieces, numbered in their order."""
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    options = {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": True}
    return BertTokenizer(vocab=vocabulary, model_max_length=max_length, **options)


class Lines:
    """Encoded lines, [CLS] pieces [SEP]; ``sizes``: how many each language has."""

    def __init__(self, texts: Texts, tokenizer: BertTokenizer, recipe: PretrainRecipe) -> None:
        self.recipe, self.tokenizer, self.rows, self.sizes = recipe, tokenizer, [], {}
        begin, end = tokenizer.cls_token_id, tokenizer.sep_token_id
        for language in sorted(texts):
            encoded = tokenizer(texts[language], add_special_tokens=False)["input_ids"]
            cut = [[begin, *ids[: recipe.max_length - 2], end] for ids in encoded if ids]
            self.rows.extend(np.array(row, np.int32) for row in cut)
            self.sizes[language] = len(cut)
        self.lengths = np.array(list(map(len, self.rows))) - 2

    def pool(self, number: int) -> list[np.ndarray]:
        """32 batches of numbers of lines of like length, by the seed and the pool's number."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, number])
        draws = int(POOL * recipe.tokens_per_batch / (self.lengths.mean() + 2)) + 1
        shares, sizes = smoothed(self.sizes, recipe.smoothing), np.array(list(self.sizes.values()))
        which = rng.choice(len(sizes), draws, p=list(shares.values()))
        lines = (np.cumsum(sizes) - sizes)[which] + (rng.random(draws) * sizes[which]).astype(int)
        lines = lines[np.argsort(self.lengths[lines], kind="stable")]
        ends = np.cumsum(self.lengths[lines] + 2)
        cuts = np.searchsorted(ends, np.linspace(0, ends[-1], POOL + 1)[1:-1])
        batches = np.split(lines, cuts)
        return [batches[i] for i in rng.permutation(POOL)]

    def batch(self, lines: np.ndarray) -> torch.Tensor:
        """The rows of some lines, padded: int64 of shape [lines, longest + 2]."""
        rows = [torch.from_numpy(self.rows[line]) for line in lines]
        return pad_sequence(rows, True, self.tokenizer.pad_token_id).long()


def mask_pieces(
    ids: torch.Tensor, recipe: PretrainRecipe, tokenizer: BertTokenizer, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's corruption of a batch: (corrupted ids, positions to predict), of ``ids``' shape."""
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape, generator=generator) < recipe.predict) & ~special
    if not chosen.any():
        chosen[0, 1] = True  # a batch without a prediction has no loss; this is a piece
    roll = torch.rand(ids.shape, generator=generator)
    random = torch.randint(len(SPECIAL), len(tokenizer), ids.shape, generator=generator)
    masked, replaced = roll < recipe.mask, roll < recipe.mask + recipe.replace
    corrupted = torch.where(chosen & masked, tokenizer.mask_token_id, ids)
    return torch.where(chosen & ~masked & replaced, random, corrupted), chosen


class Trainer:
    """One pre-training run in ``folder``; raises ModelError if that holds another run."""

    def __init__(self, texts: Texts, recipe: PretrainRecipe, folder: Path, alphabet: str) -> None:
        self.recipe, self.folder, self.run = recipe, folder, folder / "run"
        self.run.mkdir(parents=True, exist_ok=True)
        self._check_run(texts, alphabet)
        pieces = train_vocabulary(texts, recipe, alphabet)  # the same every time
        self.tokenizer = tokenizer_of(pieces, recipe.max_length)
        self.lines = Lines(texts, self.tokenizer, recipe)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = self._new_model()
        groups = parameter_groups(self.model, recipe.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.step, self.tokens, self.log, self.checkpoint = 0, 0, [], self.run / "checkpoint.pt"
        if self.checkpoint.exists():
            with _told(self.run, "is damaged", "remove the folder to start anew"):
                content = self.checkpoint.read_bytes()
                whole, check = content[:-CHECK], content[-CHECK:]
                if sha256(whole).digest() != check:  # which torch itself does not look at
                    raise ValueError("its bytes are not those that were written")
                options = {"weights_only": True, "map_location": self.device}
                state = torch.load(io.BytesIO(whole), **options)
                self.model.load_state_dict(state["model"])
                self.optimizer.load_state_dict(state["optimizer"])
                self.step, self.tokens, self.log = state["counts"]

    def _check_run(self, texts: Texts, alphabet: str) -> None:
        path, content = self.run / "recipe.json", json.dumps([alphabet, sorted(texts.items())])
        mine = self.recipe.model_dump() | {"version": VERSION}
        mine["texts"] = sha256(content.encode()).hexdigest()
        with _told(self.run, "is damaged", "remove the folder to start anew"):
            known = json.loads(path.read_text("utf-8")) if path.exists() else mine
        if known != mine:
            problem = "holds a run with another recipe or other texts: finish that one, or remove"
            raise ModelError(f"{self.run} {problem} the folder to start anew")
        _write(path, json.dumps(mine, indent=1).encode())

    def _new_model(self) -> BertForMaskedLM:
        r = self.recipe
        torch.manual_seed(r.seed)
        # At these lengths the fused kernel is slower on a CPU, in bf16 ten times so.
        kernel = "eager" if self.device == "cpu" else "sdpa"
        dropout = {"hidden_dropout_prob": r.dropout, "attention_probs_dropout_prob": r.dropout}
        size = {"hidden_size": r.hidden, "intermediate_size": r.intermediate}
        size |= {"num_hidden_layers": r.layers, "num_attention_heads": r.heads}
        size |= {"vocab_size": len(self.tokenizer), "max_position_embeddings": r.max_length}
        config = BertConfig(**size, **dropout, attn_implementation=kernel)
        return BertForMaskedLM(config).to(self.device).train()

    def train(self, snapshots: Collection[int]) -> None:
        """To the end of the recipe, with a bar; copies go to ``run/step-N`` at those steps."""
        losses, bar = [], {"total": self.recipe.steps, "initial": self.step, "mininterval": 5}
        for lines in tqdm(self._batches(), f"pre-training {self.folder.name}", **bar):
            losses.append(self._train_on(self.lines.batch(lines)))
            last = self.step == self.recipe.steps
            if self.step % LOG_EVERY == 0 or last:
                loss = sum(losses) / len(losses)
                self.log.append({"step": self.step, "loss": loss, "tokens": self.tokens})
                log = "".join(json.dumps(entry) + "\n" for entry in self.log)
                _write(self.folder / "training.jsonl", log.encode())
                losses = []
            if self.step in snapshots:
                self.save(self.run / f"step-{self.step}")
            if self.step % SAVE_EVERY == 0 or last:
                state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
                state["counts"] = self.step, self.tokens, self.log
                torch.save(state, content := io.BytesIO())
                _write(self.checkpoint, content.getvalue() + sha256(content.getvalue()).digest())

    def _batches(self) -> Iterator[np.ndarray]:
        """The batches that are left, as numbers of lines."""
        number, within = divmod(self.step, POOL)
        pools = chain.from_iterable(map(self.lines.pool, count(number)))
        return islice(pools, within, within + self.recipe.steps - self.step)

    def _train_on(self, ids: torch.Tensor) -> float:
        seed, recipe = self.recipe.seed * 1_000_003 + self.step, self.recipe
        torch.manual_seed(seed)  # dropout
        generator = torch.Generator().manual_seed(seed)
        corrupted, chosen = mask_pieces(ids, recipe, self.tokenizer, generator)
        real = ids != self.tokenizer.pad_token_id
        self.tokens += int(real.sum())
        with torch.autocast(self.device, torch.bfloat16, enabled=recipe.bf16):
            loss = self._loss(ids, corrupted, chosen, real)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, recipe)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return loss.item()

    def _loss(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy at the chosen positions; logits are computed there only."""
        ids, corrupted, chosen, real = (tensor.to(self.device) for tensor in tensors)
        mask = None if real.all() else real.long()
        hidden = self.model.bert(input_ids=corrupted, attention_mask=mask).last_hidden_state
        logits = self.model.cls(hidden[chosen]).float()
        return torch.nn.functional.cross_entropy(logits, ids[chosen])

    def save(self, folder: Path) -> None:
        """The encoder as it now is, loadable by the Auto classes."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def pretrain(
    texts: Texts,
    recipe: PretrainRecipe,
    folder: Path,
    alphabet: str = "",
    snapshots: Collection[int] = (),
    about: str = "",
) -> Trainer:
    """Train the encoder of ``folder``, or go on training it, from lines by language.

    The folder gets checkpoints, a log (`training.jsonl`: step, loss, tokens so far), a copy
    (`run/step-N`) at each step of ``snapshots``, the encoder, and its card with ``about`` the
    texts. ``alphabet``: characters to add to the vocabulary. Raises ModelError for another run.
    """
    trainer = Trainer(texts, recipe, Path(folder), alphabet)
    with _told(trainer.folder, "stopped", "make room, and do the same again, which goes on"):
        trainer.train(snapshots)
        trainer.save(trainer.folder)
    lines, loss = sum(map(len, texts.values())), trainer.log[-1]["loss"]
    card = f"""# {trainer.folder.name}

A BERT pre-trained by `crosslingual pretrain`.

- text: {lines:,} lines in {len(texts)} languages ({" ".join(texts)}){about and "; "}{about}
- vocabulary: {len(trainer.tokenizer):,} word pieces
- seen: {trainer.tokens:,} word pieces in {trainer.step:,} steps; loss at the end: {loss:.3f}
- recipe: `{json.dumps(recipe.model_dump())}`
- software: torch {torch.__version__}, transformers {transformers.__version__}
"""
    _write(trainer.folder / "README.md", card.encode())
    return trainer


@contextmanager
def _told(folder: Path, what: str, advice: str) -> Iterator[None]:
    """Tell errors of files, which libraries raise as errors of all kinds, in one sentence."""
    try:
        yield
    except Exception as problem:
        said = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise ModelError(f"{folder} {what} ({said}): {advice}.") from problem


def _write(path: Path, content: bytes) -> None:
    """In one step: a killed run leaves no half of a file."""
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    draft.replace(path)
