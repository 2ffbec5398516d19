"""Pre-training: a WordPiece vocabulary and a BERT by masked language modelling, on any texts.

As in BERT (Devlin et al., 2019): 15% of the pieces are predicted, 80% of these masked, 10% replaced
at random, 10% kept; languages are sampled by smoothed size. A batch is a function of the seed and
the step number alone, and the random state is reset from them at every step, so a run that was
killed resumes bit for bit from its last checkpoint.
"""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import chain, count, islice
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import transformers
from pydantic import BaseModel, ConfigDict, Field, model_validator
from tokenizers import BertWordPieceTokenizer
from tqdm.auto import tqdm
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from crosslingual.models.finetune import parameter_groups

VERSION = 1  # bump when the same recipe and texts give another encoder
LOG, LOG_EVERY = "training.jsonl", 50  # beside the weights; steps between its entries
SAVE_EVERY = 500  # steps between checkpoints
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SAMPLE = 400_000  # lines that a vocabulary is made from
POOL = 32  # batches that sentences are drawn for at once, to group them by length

Texts = dict[str, list[str]]  # lines by language
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0)]


class PretrainError(ValueError):
    """A folder whose run has another recipe or other texts."""


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PretrainRecipe(Strict):
    """What determines an encoder besides its texts.

    ``tokens_per_batch`` counts word pieces; ``warmup`` is a share of the steps; ``predict`` of the
    pieces are predicted, of which ``mask`` are masked and ``replace`` replaced; ``smoothing`` is
    the power of a language's share of the lines.
    """

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


class Specification(Strict):
    """What a file of ``encoders/`` says: an edition (its path), whose text to read, and the recipe.

    languages: all of the edition's world where it is left out. sentences: lines a language.
    alphabet: whether the characters of all languages are added to the vocabulary, as that of the
    English BERT has them. snapshots: steps at which a copy of the encoder is put aside.
    """

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
    """The pieces of a cased WordPiece vocabulary from a smoothed sample of the texts.

    Every character of ``alphabet`` is added, at the end.
    """
    shares = smoothed({language: len(text) for language, text in texts.items()}, recipe.smoothing)
    sizes = {language: max(1, int(SAMPLE * share)) for language, share in shares.items()}
    sample = [line for language in sorted(texts) for line in texts[language][: sizes[language]]]
    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    # Left to itself the trainer numbers these by a random hash, and breaks ties between pieces so.
    numbered = SPECIAL + ["##" + character for character in _inner_characters(sample, trainer)]
    options = {"limit_alphabet": 10_000, "show_progress": False, "special_tokens": numbered}
    trainer.train_from_iterator(sample, vocab_size=recipe.vocabulary, **options)
    vocabulary = trainer.get_vocab()
    singles = [piece for c in sorted(set(alphabet) - {" "}) for piece in (c, "##" + c)]
    return sorted(vocabulary, key=vocabulary.get) + [s for s in singles if s not in vocabulary]


def _inner_characters(lines: list[str], trainer: BertWordPieceTokenizer) -> list[str]:
    """The characters that stand inside or at the end of a word, sorted."""
    words = {trainer.normalizer.normalize_str(word) for line in lines for word in line.split()}
    parts = {part for word in words for part, _ in trainer.pre_tokenizer.pre_tokenize_str(word)}
    return sorted({character for part in parts for character in part[1:]})


def tokenizer_of(pieces: list[str], max_length: int) -> BertTokenizer:
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    options = {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": True}
    return BertTokenizer(vocab=vocabulary, model_max_length=max_length, **options)


class Lines:
    """Encoded lines of all languages, flat, each at most max_length - 2 pieces long.

    Line i is ``pieces[start[i]:start[i] + lengths[i]]``; ``first``: by language, the number of its
    first line and how many it has.
    """

    def __init__(self, texts: Texts, tokenizer: BertTokenizer, recipe: PretrainRecipe) -> None:
        self.recipe, self.tokenizer = recipe, tokenizer
        self.first, lengths, pieces = {}, [], []
        for language in sorted(texts):
            before = len(lengths)
            for encoded in self._encoded(texts[language]):
                lengths.extend(map(len, encoded))
                pieces.append(np.fromiter((i for ids in encoded for i in ids), dtype=np.int32))
            self.first[language] = before, len(lengths) - before
        self.pieces, self.lengths = np.concatenate(pieces), np.array(lengths)
        self.start = np.concatenate([[0], np.cumsum(self.lengths)])
        sizes = {language: count for language, (_, count) in self.first.items()}
        self.shares = smoothed(sizes, recipe.smoothing)

    def _encoded(self, lines: list[str]) -> Iterator[list[list[int]]]:
        for start in range(0, len(lines), 10_000):
            batch = self.tokenizer(lines[start : start + 10_000], add_special_tokens=False)
            yield [ids[: self.recipe.max_length - 2] for ids in batch["input_ids"] if ids]

    def pool(self, number: int) -> list[np.ndarray]:
        """32 batches of numbers of lines of like length, in random order.

        A function of the seed and the pool's number. Hardly a token is padding.
        """
        rng = np.random.default_rng([self.recipe.seed, number])
        wanted = POOL * self.recipe.tokens_per_batch
        lines = self._draw(rng, int(wanted / (self.lengths.mean() + 2)) + 1)
        lines = lines[np.argsort(self.lengths[lines], kind="stable")]
        ends = np.cumsum(self.lengths[lines] + 2)
        cuts = np.searchsorted(ends, np.linspace(0, ends[-1], POOL + 1)[1:-1])
        batches = np.split(lines, cuts)
        return [batches[i] for i in rng.permutation(POOL)]

    def _draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        which = rng.choice(len(self.first), count, p=list(self.shares.values()))
        first, size = np.array(list(self.first.values())).T
        return first[which] + (rng.random(count) * size[which]).astype(int)

    def batch(self, lines: np.ndarray) -> torch.Tensor:
        """[CLS] pieces [SEP], padded: int64 of shape [lines, longest + 2]."""
        shape = len(lines), self.lengths[lines].max() + 2
        rows = np.full(shape, self.tokenizer.pad_token_id)
        rows[:, 0] = self.tokenizer.cls_token_id
        for row, line in zip(rows, lines, strict=True):
            start, length = self.start[line], self.lengths[line]
            row[1 : length + 1] = self.pieces[start : start + length]
            row[length + 1] = self.tokenizer.sep_token_id
        return torch.from_numpy(rows)


def mask_pieces(
    ids: torch.Tensor, recipe: PretrainRecipe, tokenizer: BertTokenizer, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's corruption of a batch: (corrupted ids, positions to predict), both of ``ids``' shape.

    Special tokens are never chosen; of the chosen pieces a share ``mask`` becomes [MASK],
    ``replace`` a random piece.
    """
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape, generator=generator) < recipe.predict) & ~special
    if not chosen.any():
        chosen[0, 1] = True  # a batch without a prediction has no loss; this is a piece
    roll = torch.rand(ids.shape, generator=generator)
    random = torch.randint(len(SPECIAL), len(tokenizer), ids.shape, generator=generator)
    masked, replaced = roll < recipe.mask, roll < recipe.mask + recipe.replace
    corrupted = torch.where(chosen & masked, tokenizer.mask_token_id, ids)
    return torch.where(chosen & ~masked & replaced, random, corrupted), chosen


def masked_loss(
    model: BertForMaskedLM, ids: torch.Tensor, corrupted: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy at the chosen positions; logits are computed there only."""
    real = ids != model.config.pad_token_id
    mask = None if real.all() else real.long()
    hidden = model.bert(input_ids=corrupted, attention_mask=mask).last_hidden_state
    return torch.nn.functional.cross_entropy(model.cls(hidden[chosen]).float(), ids[chosen])


class Trainer:
    """One pre-training run in ``folder``: vocabulary, checkpoint, log, and at the end the encoder.

    Raises PretrainError if the folder holds another run.
    """

    def __init__(self, texts: Texts, recipe: PretrainRecipe, folder: Path, alphabet: str) -> None:
        self.recipe, self.folder, self.run = recipe, folder, folder / "run"
        self.run.mkdir(parents=True, exist_ok=True)
        self._check_run(texts, alphabet)
        self.tokenizer = tokenizer_of(self._vocabulary(texts, alphabet), recipe.max_length)
        self.lines = Lines(texts, self.tokenizer, recipe)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = self._new_model()
        groups = parameter_groups(self.model, recipe.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.step, self.tokens, self.log = 0, 0, []
        self._resume()

    def _check_run(self, texts: Texts, alphabet: str) -> None:
        """A run is resumed with its own recipe and its own texts, or not at all."""
        path, content = self.run / "recipe.json", [alphabet, *sorted(texts.items())]
        digest = sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
        mine = self.recipe.model_dump() | {"version": VERSION, "texts": digest}
        if path.exists() and json.loads(path.read_text()) != mine:
            raise PretrainError(
                f"{self.run} holds a run with another recipe or other texts: finish that one, or "
                "remove the folder to start anew"
            )
        _write(path, json.dumps(mine, indent=1))

    def _vocabulary(self, texts: Texts, alphabet: str) -> list[str]:
        path = self.run / "vocab.txt"
        if not path.exists():
            _write(path, "\n".join(train_vocabulary(texts, self.recipe, alphabet)))
        return path.read_text(encoding="utf-8").split("\n")

    def _new_model(self) -> BertForMaskedLM:
        r = self.recipe
        torch.manual_seed(r.seed)
        config = BertConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=r.hidden,
            num_hidden_layers=r.layers,
            num_attention_heads=r.heads,
            intermediate_size=r.intermediate,
            max_position_embeddings=r.max_length,
            hidden_dropout_prob=r.dropout,
            attention_probs_dropout_prob=r.dropout,
            # At these lengths the fused kernel is slower on a CPU, in bf16 ten times so.
            attn_implementation="eager" if self.device == "cpu" else "sdpa",
        )
        return BertForMaskedLM(config).to(self.device).train()

    def _resume(self) -> None:
        if (path := self.run / "checkpoint.pt").exists():
            state = torch.load(path, weights_only=True, map_location=self.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.tokens, self.log = (state[name] for name in ("step", "tokens", "log"))

    def _checkpoint(self) -> None:
        counts = {"step": self.step, "tokens": self.tokens, "log": self.log}
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state | counts, self.run / "checkpoint.new")
        (self.run / "checkpoint.new").replace(self.run / "checkpoint.pt")

    def train(self, snapshots: Collection[int]) -> None:
        """To the end of the recipe, with a bar; copies go to ``run/step-N`` at those steps."""
        _keep_freed_memory()
        losses, seen, started = [], self.tokens, time.perf_counter()
        for lines in self._bar():
            losses.append(self._train_on(self.lines.batch(lines)))
            last = self.step == self.recipe.steps
            if self.step % LOG_EVERY == 0 or last:
                speed = (self.tokens - seen) / (time.perf_counter() - started)
                self._note(sum(losses) / len(losses), speed)
                losses, seen, started = [], self.tokens, time.perf_counter()
            if self.step in snapshots:
                self.save(self.run / f"step-{self.step}")
            if self.step % SAVE_EVERY == 0 or last:
                self._checkpoint()

    def _bar(self) -> Iterator[np.ndarray]:
        """The batches that are left, as numbers of lines."""
        left, (number, within) = self.recipe.steps - self.step, divmod(self.step, POOL)
        pools = (self.lines.pool(n)[within if n == number else 0 :] for n in count(number))
        batches, name = islice(chain.from_iterable(pools), left), self.folder.name
        about = {"total": self.recipe.steps, "initial": self.step, "unit": "step"}
        return tqdm(batches, f"pre-training {name}", mininterval=5, **about)

    def _train_on(self, ids: torch.Tensor) -> float:
        seed = self.recipe.seed * 1_000_003 + self.step
        torch.manual_seed(seed)  # dropout
        generator = torch.Generator().manual_seed(seed)
        corrupted, chosen = mask_pieces(ids, self.recipe, self.tokenizer, generator)
        batch = [x.to(self.device) for x in (ids, corrupted, chosen)]
        with torch.autocast(self.device, torch.bfloat16, enabled=self.recipe.bf16):
            loss = masked_loss(self.model, *batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.recipe)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.tokens += int((ids != self.tokenizer.pad_token_id).sum())
        return loss.item()

    def _note(self, loss: float, speed: float) -> None:
        entry = {"step": self.step, "loss": loss, "tokens": self.tokens}
        self.log.append(entry | {"tokens_per_second": round(speed)})
        _write(self.folder / LOG, "".join(json.dumps(entry) + "\n" for entry in self.log))

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

    The folder gets a checkpoint every 500 steps, a log (`training.jsonl`: step, loss, tokens so
    far, tokens_per_second, every 50 steps), a copy of the encoder (`run/step-N`) at each step of
    ``snapshots``, at the end the encoder and its model card, in which ``about`` says what the texts
    are. ``alphabet``: characters to add to the vocabulary. A GPU is used if there is one. Raises
    PretrainError if the folder holds another run.
    """
    trainer = Trainer(texts, recipe, Path(folder), alphabet)
    trainer.train(snapshots)
    trainer.save(trainer.folder)
    _write(trainer.folder / "README.md", _model_card(texts, trainer, about))
    return trainer


def _model_card(texts: Texts, trainer: Trainer, about: str) -> str:
    """What the encoder is, what it was trained on and how: the README beside the weights."""
    model, recipe = trainer.model, json.dumps(trainer.recipe.model_dump())
    weights, lines = sum(p.numel() for p in model.parameters()), sum(map(len, texts.values()))
    return f"""# {trainer.folder.name}

A BERT pre-trained by `crosslingual pretrain` for an executable *How multilingual is Multilingual
BERT?*

- parameters, with the layers that guess hidden pieces: {weights:,}
- vocabulary: {len(trainer.tokenizer):,} word pieces
- text: {lines:,} lines in {len(texts)} languages ({" ".join(texts)}){about and "; "}{about}
- seen: {trainer.tokens:,} word pieces in {trainer.step:,} steps
- masked-word loss at the end: {trainer.log[-1]["loss"]:.3f}
- recipe: `{recipe}`
- software: torch {torch.__version__}, transformers {transformers.__version__}
- device: {trainer.device}
- licence: as the project's
"""


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed blocks: handing them back every step costs a third of the time."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    except OSError:
        pass  # not glibc


def _write(path: Path, text: str) -> None:
    """In one step: a killed run leaves no half of a file."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)
