"""Fine-tuning a tagger as in the paper's section 2 and appendix A.

Last layer -> dropout -> linear layer -> cross-entropy on one piece a word; all is fine-tuned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from crosslingual.models import ModelError, Recipe, Sentences, pieces
from crosslingual.models.encoder import Encoder, finite, positions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VERSION = 2  # bump when `finetune` or `Tagger.tag` gives another result for the same input

# Spread of the noise on lengths, as a share of the length, when batches are drawn. With 1,000
# sentences padding adds 11%, and 7 of 32 sentences meet again in the next epoch; at 0 it is 2% and
# 13, at 0.25 50% and 3.
BUCKET_JITTER = 0.05
PIECES_PER_BATCH = {"cpu": 2048, "cuda": 65536}  # when tagging; more leave a processor's caches


class TaggingNetwork(nn.Module):
    """An encoder with dropout and a linear layer on the last layer's vector of a piece a word."""

    def __init__(self, encoder: nn.Module, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(encoder.config.hidden_size, n_labels)
        spread = getattr(encoder.config, "initializer_range", 0.02)
        nn.init.normal_(self.linear.weight, std=spread)
        nn.init.zeros_(self.linear.bias)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Logits [n_words, n_labels] of the words in a batch."""
        last = self.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        return self.linear(self.dropout(last[batch.row, batch.position]))


@dataclass(frozen=True)
class Batch:
    """ids [rows, length]; mask too, or None without padding; row, position, word: [n_words]."""

    ids: torch.Tensor
    mask: torch.Tensor | None
    row: torch.Tensor
    position: torch.Tensor
    word: torch.Tensor


@dataclass(frozen=True)
class Tagger:
    """A fine-tuned network with what it takes to tag text."""

    network: TaggingNetwork
    tokenizer: PreTrainedTokenizerFast
    labels: list[str]
    max_length: int
    bf16: bool = False

    def predict(self, sentences: Sentences) -> list[list[str]]:
        """One label per word, for sentences given as lists of words."""
        encoded = pieces.encode(self.tokenizer, sentences, self.max_length)
        return encoded.by_sentence([self.labels[index] for index in self.tag(encoded)])

    def tag(self, encoded: pieces.Encoded) -> np.ndarray:
        """Index of the best label of each word, an int array [n_words] in text order."""
        self.network.eval()
        device = next(self.network.parameters()).device
        best = torch.full((len(encoded.row),), -1)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, self.bf16):
            for rows in _rows_of_equal_length(encoded, PIECES_PER_BATCH[device.type]):
                batch = collate(encoded, rows, device)
                best[batch.word.cpu()] = self.network(batch).argmax(dim=-1).cpu()
        assert (best >= 0).all(), "a word was not tagged"
        return best.numpy()


def finetune(
    encoder: Encoder,
    tokens: Sentences,
    labels: Sentences,
    label_set: Sequence[str],
    recipe: Recipe,
    seed: int,
) -> Tagger:
    """Fine-tune an encoder to tag words, on CUDA if there is one.

    tokens, labels: sentences as lists of words, and a label a word. label_set: all labels of the
    task, in the order of the output layer. seed: of the output layer, dropout and batches; the same
    seed on the same machine gives the same tagger.

    Raises ModelError when the training data are empty or hold a label that is not in
    `label_set`, and when the training diverges.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    targets = torch.from_numpy(label_indices(labels, label_set))
    half = recipe.bf16 and device.type == "cuda"  # a processor may take twenty times as long
    recipe, model = recipe.model_copy(update={"bf16": half}), encoder.model()
    max_length = min(recipe.max_length, positions(model) or recipe.max_length)
    encoded = pieces.encode(encoder.tokenizer, tokens, max_length)
    if len(targets) != len(encoded.row):
        sizes = f"{len(encoded.row)} words but {len(targets)} labels"
        raise ModelError(f"The training data have {sizes}.")
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        network = TaggingNetwork(model, len(label_set), recipe.dropout).to(device)
        _fit(network, encoded, targets.to(device), recipe, np.random.default_rng(seed))
    return Tagger(network.eval(), encoder.tokenizer, list(label_set), max_length, recipe.bf16)


def label_indices(sentences: Sentences, label_set: Sequence[str]) -> np.ndarray:
    """Index of each word's label, int64 [n_words]. Raises ModelError as `finetune` does."""
    index = {label: i for i, label in enumerate(label_set)}
    foreign = sorted({label for sentence in sentences for label in sentence} - set(index))
    if foreign:
        known = ", ".join(label_set)
        raise ModelError(f"The label {foreign[0]!r} in the training data is none of {known}.")
    indices = np.array([index[label] for sentence in sentences for label in sentence], np.int64)
    if not len(indices):
        raise ModelError("The training data are empty.")
    return indices


def collate(encoded: pieces.Encoded, rows: Sequence[int], device: Any = "cpu") -> Batch:
    """Pad some rows to the longest of them and say where their words are."""
    chosen = [encoded.rows[row] for row in rows]
    width = max(map(len, chosen))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in chosen])
    lengths = torch.tensor([len(row) for row in chosen])
    mask = (torch.arange(width) < lengths[:, None]).long()
    first = np.searchsorted(encoded.row, rows)
    last = np.searchsorted(encoded.row, rows, side="right")
    word = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
    row = np.repeat(np.arange(len(rows)), last - first)
    places = (torch.from_numpy(array).to(device) for array in (row, encoded.position[word], word))
    return Batch(ids.to(device), None if mask.all() else mask.to(device), *places)


def batches(lengths: Sequence[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch of batches of rows of similar length, in random order.

    The lengths are jittered first: with the exact order, the same sentences would share a batch
    every epoch.
    """
    jittered = np.asarray(lengths) * (1 + BUCKET_JITTER * rng.standard_normal(len(lengths)))
    order = np.argsort(jittered + rng.random(len(lengths)))
    cut = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [cut[i] for i in rng.permutation(len(cut))]


def schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate at a step (from 0): linear warm-up, then linear decay to zero."""
    rising = max(1, round(warmup * steps))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)


def set_rate(optimizer: torch.optim.AdamW, rate: float, decays: Sequence[float], step: int) -> None:
    """Set the learning rate of the next step; ``decays`` are those of the parameter groups.

    step: its number, from 1, if Adam is not to correct the bias of its moments, else 0. The rate is
    then multiplied so that the correction cancels out, exactly but for epsilon, which is smaller by
    the root of 1 - beta2^step.
    """
    first, second = optimizer.defaults["betas"]
    factor = (1 - first**step) / (1 - second**step) ** 0.5 if step else 1.0
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        # Decay has no moments to correct.
        group["lr"], group["weight_decay"] = rate * factor, decay / factor


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Parameters with and without weight decay: biases and layer norms, of one dimension, not."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decayed = {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay}
    return [decayed, {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}]


def _fit(
    network: TaggingNetwork,
    encoded: pieces.Encoded,
    targets: torch.Tensor,
    recipe: Recipe,
    rng: np.random.Generator,
) -> None:
    lengths = [len(row) for row in encoded.rows]
    epochs = (batches(lengths, recipe.batch_size, rng) for _ in range(recipe.epochs))
    plan = list(chain.from_iterable(epochs))
    rates = [recipe.learning_rate * schedule(i, len(plan), recipe.warmup) for i in range(len(plan))]
    table = network.encoder.get_input_embeddings()
    few, used, encoded = _used_rows(table, encoded)
    network.encoder.set_input_embeddings(few)
    _descend(network, encoded, targets, recipe, plan, rates)
    # Weights that are no numbers would tag every word with the first label, and score.
    if not all(map(finite, network.parameters())):
        what = "The training diverged (its weights are no numbers any more)"
        raise ModelError(f"{what}: lower the learning rate.")
    with torch.no_grad():  # rows without a gradient do nothing but decay
        table.weight *= math.prod(1 - rate * recipe.weight_decay for rate in rates)
        table.weight[used] = few.weight
    network.encoder.set_input_embeddings(table)


def _descend(
    network: TaggingNetwork,
    encoded: pieces.Encoded,
    targets: torch.Tensor,
    recipe: Recipe,
    plan: Sequence[np.ndarray],
    rates: Sequence[float],
) -> None:
    weights, groups = [*network.parameters()], parameter_groups(network, recipe.weight_decay)
    decays = [group["weight_decay"] for group in groups]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    network.train()
    for done, (rows, rate) in enumerate(zip(plan, rates, strict=True)):
        set_rate(optimizer, rate, decays, 0 if recipe.bias_correction else done + 1)
        batch = collate(encoded, rows, targets.device)
        with torch.autocast(targets.device.type, torch.bfloat16, recipe.bf16):
            loss = nn.functional.cross_entropy(network(batch).float(), targets[batch.word])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, recipe.max_grad_norm)
        optimizer.step()


def _used_rows(table: nn.Embedding, encoded: pieces.Encoded) -> tuple:
    """The rows of an embedding table that a text uses, their ids, and the text in these numbers.

    Training the others costs most of a step and changes nothing. All up to the padding's stay:
    RoBERTa counts positions by what is padding.
    """
    used = np.unique([*range((table.padding_idx or 0) + 1), *chain(*encoded.rows)])
    rows = [np.searchsorted(used, row).tolist() for row in encoded.rows]
    chosen, padding = torch.from_numpy(used), table.padding_idx
    weights = table.weight.detach()[chosen]
    few = nn.Embedding.from_pretrained(weights, freeze=False, padding_idx=padding)
    return few, chosen, replace(encoded, rows=rows)


def _rows_of_equal_length(encoded: pieces.Encoded, size: int) -> Iterator[np.ndarray]:
    """Batches without padding, of about `size` pieces each."""
    lengths = np.array([len(row) for row in encoded.rows])
    for length in np.unique(lengths):
        rows, step = np.flatnonzero(lengths == length), max(1, size // int(length))
        yield from (rows[start : start + step] for start in range(0, len(rows), step))
