"""Families of small encoders that differ in one respect, pre-trained and probed as one stack.

    python train.py --data data --stack main --out results          (torch and numpy suffice)

A stack is M encoders of one shape as one network whose parameters have a leading dimension M: each
is trained on its own batches, clipped by its own norm, and learns nothing from the others. A batch
is a function of the seed and the step, the same for all worlds of a seed. At each step of
SNAPSHOTS the stack is put to the probes, and their results are written to
``results/<stack>-<step>.npz``; a run that was killed goes on from its last checkpoint.
"""

import argparse
import json
import time
from functools import partial
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

PAD, CLS, SEP, MASK, SPECIAL = 0, 1, 2, 3, 4
STEPS, SNAPSHOTS, SEEDS = 2000, (0, 250, 500, 1000, 1500, 2000), 3
TOKENS, RATE, WARMUP, DECAY, CLIP = 2048, 3e-3, 0.05, 0.01, 1.0
PREDICT, MASKED, REPLACED = 0.25, 0.8, 0.1
POSITIONS = 64
TAG_RATE, TAG_EPOCHS, TAG_BATCH, TAG_DROPOUT, TAG_WARMUP = 1e-3, 3, 32, 0.1, 0.1
HELD_OUT = 200  # sentences of a language that the masked loss is measured on
CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"


class World(NamedTuple):
    """What differs: how the text is said, and what all languages share; the encoder's shape."""

    manner: str = "own"
    anchors: bool = True
    words: bool = True
    positions: bool = True
    special: bool = True  # [CLS], [SEP], [MASK], and the signs that replace others at random


APART = {"anchors": False, "words": False}
NOTHING = APART | {"positions": False, "special": False}
MAIN = {
    "as it is": World(),
    "apart": World(**APART),
    "one script": World("script"),
    "one script, anchors only": World("script", words=False),
    "one script, words only": World("script", anchors=False),
    "one order": World("one"),
    "mixed orders": World("mixed"),
    "apart, one order": World("one", **APART),
    "apart, mixed orders": World("mixed", **APART),
    "own positions": World(positions=False),
    "nothing shared": World(**NOTHING),
}
STACKS = {  # worlds, layers, width
    "main": (MAIN, 4, 96),
    "shallow": ({"one layer": World()}, 1, 96),
    "narrow": ({"half width": World()}, 4, 48),
}
HEADS = 4


# ---- signs to ids


class Text:
    """A manner's arrays, on the device as far as batches are drawn from them."""

    def __init__(self, path, about):
        found = dict(np.load(path))
        self.anchor, languages = found["anchor"], len(about["languages"])
        self.used = np.zeros((languages, len(self.anchor)), bool)
        self.parts = {}
        for part in ("text", "train", "test", "parallel"):
            lengths = found[f"{part}_lengths"].astype(int)
            rows = padded(found[part], lengths, POSITIONS - 2)
            language = np.repeat(np.arange(languages), len(lengths) // languages)
            self.used[np.repeat(language, lengths), found[part]] = True
            self.parts[part] = (rows, lengths, language)
        for split in ("train", "test"):
            words = found[f"{split}_words"].astype(int)
            each = [found[f"{split}_{what}"].astype(int) for what in ("places", "labels", "kinds")]
            self.parts[f"{split} words"] = [
                padded(values, words, words.max(), -1) for values in each
            ]
        rows, lengths, language = self.parts["text"]
        order = np.argsort(lengths, kind="stable")
        self.rows = torch.from_numpy(rows[order].astype(np.int32)).to(DEVICE)
        self.language = torch.from_numpy(language[order]).to(DEVICE)
        self.count = np.bincount(lengths, minlength=POSITIONS)
        self.start = np.cumsum(self.count) - self.count
        pieces = np.cumsum(self.count * (np.arange(POSITIONS) + 2))
        self.share = pieces / pieces[-1]  # of the pieces that are in sentences up to this length

    def length(self, quantile):
        return int(np.searchsorted(self.share, quantile))


def padded(values, lengths, width, fill=0):
    out = np.full((len(lengths), width), fill, np.int64)
    out[np.arange(width) < lengths[:, None]] = values
    return out


def ids_of(text, world):
    """([language, sign] -> id, signs per language that may replace another, number of ids).

    A shared sign has one id, any other one for each language that uses it. Special tokens likewise.
    """
    languages = len(text.used)
    table, size = np.zeros(text.used.shape, np.int64), 1
    for special in (CLS, SEP, MASK):
        step = 0 if world.special else 1
        table[:, special] = size + step * np.arange(languages)
        size += 1 + step * (languages - 1)
    shared = np.where(text.anchor, world.anchors, world.words)
    used, first = text.used.copy(), size
    used[:, :SPECIAL] = False
    together = np.flatnonzero(shared & used.any(0))
    table[:, together] = size + np.arange(len(together))
    size += len(together)
    for language in range(languages):
        own = np.flatnonzero(~shared & used[language])
        table[language, own] = size + np.arange(len(own))
        size += len(own)
    everything = np.arange(first, size)
    mine = [everything if world.special else np.unique(table[k, used[k]]) for k in range(languages)]
    return table, mine, size


# ---- the network


class Stack:
    """M encoders; ``members`` are (name of the world, seed), all of one shape."""

    def __init__(self, stack, seeds, texts):
        self.worlds, self.layers, self.width = STACKS[stack]
        self.members = [(name, seed) for name in self.worlds for seed in seeds]
        self.seeds, self.texts = list(seeds), texts
        self.of = [self.worlds[name] for name, _ in self.members]
        self.number, languages = len(self.members), len(texts["own"].used)
        made = {name: ids_of(texts[w.manner], w) for name, w in self.worlds.items()}
        self.sizes = [made[name][2] for name, _ in self.members]
        self.vocabulary = max(self.sizes)
        widest = max(t.used.shape[1] for t in texts.values())
        table = np.zeros((self.number, languages, widest), np.int64)
        most = max(len(mine) for _, lists, _ in made.values() for mine in lists)
        choice = np.zeros((self.number, languages, most), np.int64)
        choices = np.zeros((self.number, languages), np.int64)
        for m, (name, _) in enumerate(self.members):
            known, lists, _ = made[name]
            table[m, :, : known.shape[1]] = known
            for k, mine in enumerate(lists):
                choice[m, k, : len(mine)], choices[m, k] = mine, len(mine)
        self.table, self.choice, self.choices = (
            torch.from_numpy(a).to(DEVICE) for a in (table, choice, choices)
        )
        self.m = torch.arange(self.number, device=DEVICE)
        apart = torch.tensor([not w.positions for w in self.of], device=DEVICE)
        self.own_positions = apart.long()[:, None, None]
        seed_of = np.array([self.seeds.index(seed) for _, seed in self.members])
        self.seed_of = torch.from_numpy(seed_of).to(DEVICE)
        self.said = {}  # the members and their seeds' numbers, by manner
        for name in {w.manner: 0 for w in self.of}:
            members = np.flatnonzero([w.manner == name for w in self.of])
            self.said[name] = [torch.from_numpy(a).to(DEVICE) for a in (members, seed_of[members])]
        self.parameters = self._new(languages)
        for values in self.parameters.values():
            values.requires_grad_()

    def _new(self, languages):
        """As BERT begins: normal of 0.02, zero biases; those of a seed are alike in all worlds."""
        h, made = self.width, []
        for (_, seed), size in zip(self.members, self.sizes, strict=True):
            draw = partial(torch.randn, generator=torch.Generator().manual_seed(seed))
            one = {}
            for i in range(self.layers):
                one |= {f"{i}.qkv": draw(h, 3 * h), f"{i}.out": draw(h, h)}
                one |= {f"{i}.up": draw(h, 4 * h), f"{i}.down": draw(4 * h, h)}
            one |= {"head": draw(h, h), "positions": draw(languages * POSITIONS, h)}
            pieces = draw(size, h)
            one["pieces"] = F.pad(pieces, (0, 0, 0, self.vocabulary - size))
            made.append(one)
        out = {k: (0.02 * torch.stack([one[k] for one in made])).to(DEVICE) for k in made[0]}
        for name in [k for k in out if k not in ("positions", "pieces")]:
            out[f"{name} bias"] = torch.zeros(self.number, out[name].shape[-1], device=DEVICE)
        for name in ["embedded", "head", *(f"{i}.{p}" for i in range(self.layers) for p in "ab")]:
            out[f"{name} scale"] = torch.ones(self.number, h, device=DEVICE)
            out[f"{name} shift"] = torch.zeros(self.number, h, device=DEVICE)
        known = (
            torch.arange(self.vocabulary, device=DEVICE)
            < torch.tensor(self.sizes, device=DEVICE)[:, None]
        )
        out["guess"] = torch.where(known, 0.0, -1e4)
        return out

    def ids(self, signs, language):
        """Signs [M, B, T] of sentences in ``language`` [M, B] as ids of each world."""
        return self.table[self.m[:, None, None], language[..., None], signs]


def linear(x, p, name):
    shape = x.shape
    made = torch.baddbmm(p[f"{name} bias"][:, None], x.reshape(shape[0], -1, shape[-1]), p[name])
    return made.view(*shape[:-1], -1)


def normed(x, p, name):
    broad = (slice(None), *[None] * (x.ndim - 2))
    made = F.layer_norm(x.float(), x.shape[-1:], eps=1e-12)
    return torch.addcmul(p[f"{name} shift"][broad], made, p[f"{name} scale"][broad])


def looked_up(table, index):
    """Rows of table [M, V, H] at index [M, ...]."""
    first = (
        torch.arange(len(table), device=DEVICE).view(-1, *[1] * (index.ndim - 1)) * table.shape[1]
    )
    return F.embedding(index + first, table.flatten(0, 1))


def encode(stack, p, ids, language, lengths):
    """All layers' vectors, [M, B, T, H] each; ``lengths`` [M, B] count [CLS] and [SEP].

    Without lengths all sentences are T long.
    """
    m, b, t = ids.shape
    place = torch.arange(t, device=DEVICE)
    own = stack.own_positions * language[..., None] * POSITIONS + place
    x = normed(looked_up(p["pieces"], ids) + looked_up(p["positions"], own), p, "embedded")
    hidden = None if lengths is None else (place >= lengths[..., None])[:, :, None, None]
    states = [x]
    for i in range(stack.layers):
        q, k, v = linear(x, p, f"{i}.qkv").view(m, b, t, 3, HEADS, -1).permute(3, 0, 1, 4, 2, 5)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        scores = scores if hidden is None else scores.masked_fill(hidden, -1e4)
        mixed = (scores.softmax(-1).to(v.dtype) @ v).transpose(2, 3).reshape(m, b, t, -1)
        x = normed(x + linear(mixed, p, f"{i}.out"), p, f"{i}.a")
        inner = F.gelu(linear(x, p, f"{i}.up"))
        x = normed(x + linear(inner, p, f"{i}.down"), p, f"{i}.b")
        states.append(x)
    return states


def at(x, places):
    """Vectors [M, B, K, H] of x [M, B, T, H] at places [M, B, K]."""
    return x.gather(2, places[..., None].expand(-1, -1, -1, x.shape[-1]))


def guesses(stack, p, vectors):
    """Logits [M, n, V] from vectors [M, n, H]."""
    x = normed(F.gelu(linear(vectors, p, "head")), p, "head")
    return torch.baddbmm(p["guess"][:, None], x, p["pieces"].transpose(1, 2))


def mixed_precision():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=CUDA)


# ---- pre-training


def batch(stack, step):
    """The batch of a step, for all members: signs [M, B, T] and what is to be predicted."""
    quantile = np.random.default_rng(step).random()
    lengths = {name: stack.texts[name].length(quantile) for name in stack.said}
    longest, shortest = max(lengths.values()), min(lengths.values())
    rows, k = max(4, TOKENS // (longest + 2)), max(1, round(PREDICT * shortest))
    rngs = [np.random.default_rng([seed, step]) for seed in stack.seeds]
    which = np.stack([rng.random(rows) for rng in rngs])
    scores = shipped(np.stack([rng.random((rows, longest), np.float32) for rng in rngs]))
    rolls = shipped(np.stack([rng.random((2, rows, k), np.float32) for rng in rngs]))
    signs = torch.zeros(stack.number, rows, longest + 2, dtype=torch.long, device=DEVICE)
    language = torch.zeros(stack.number, rows, dtype=torch.long, device=DEVICE)
    for name, (members, seeds) in stack.said.items():
        text, length = stack.texts[name], lengths[name]
        numbers = text.start[length] + (which * text.count[length]).astype(int)
        numbers = shipped(numbers)[seeds]
        signs[members, :, 1:-1] = text.rows[numbers][..., :longest].long()
        signs[members, :, 0], signs[members, :, length + 1] = CLS, SEP
        language[members] = text.language[numbers]
    real = shipped(np.array([lengths[w.manner] for w in stack.of]))[:, None].expand(-1, rows)
    beyond = torch.arange(longest, device=DEVICE) >= real[..., None]
    chosen = scores[stack.seed_of].masked_fill(beyond, -1.0).topk(k, dim=2).indices + 1
    uneven = real + 2 if shortest < longest else None
    return signs, language, uneven, chosen, rolls[stack.seed_of]


def shipped(array):
    """On the device, without waiting for what it is doing."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(DEVICE, non_blocking=True) if CUDA else tensor


def corrupted(stack, ids, language, chosen, rolls):
    """BERT's corruption: 80% of the chosen are masked, 10% replaced by any sign, 10% kept."""
    roll, pick = rolls[:, 0], rolls[:, 1]
    which = stack.m[:, None, None], language[..., None]
    place = (pick * stack.choices[which[0], which[1]]).long()
    random = stack.choice[which[0], which[1], place]
    masks = stack.table[which[0], which[1], MASK].expand_as(random)
    kept = ids.gather(2, chosen)
    new = torch.where(roll < MASKED, masks, torch.where(roll < MASKED + REPLACED, random, kept))
    return ids.scatter(2, chosen, new)


def losses(stack, p, drawn):
    """Mean cross-entropy of each member, [M]."""
    signs, language, lengths, chosen, rolls = drawn
    ids = stack.ids(signs, language)
    given = corrupted(stack, ids, language, chosen, rolls)
    with mixed_precision():
        last = encode(stack, p, given, language, lengths)[-1]
        logits = guesses(stack, p, at(last, chosen).flatten(1, 2))
    gold = ids.gather(2, chosen).flatten(1)
    each = F.cross_entropy(logits.float().flatten(0, 1), gold.flatten(), reduction="none")
    return each.view(len(gold), -1).mean(1)


def optimizer_of(parameters, decay, betas, eps):
    heavy = [v for v in parameters.values() if v.ndim > 2]
    light = [v for v in parameters.values() if v.ndim == 2]
    groups = [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=betas, eps=eps, fused=True)


def clip(parameters):
    """Each member by its own norm."""
    grads = [v.grad for v in parameters if v.grad is not None]
    norm = sum(g.flatten(1).square().sum(1) for g in grads).sqrt()
    scale = (CLIP / (norm + 1e-6)).clamp(max=1.0)
    for g in grads:
        g.mul_(scale.view(-1, *[1] * (g.ndim - 1)))


def apply(optimizer, parameters, loss, rate):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    clip(parameters)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()


def rate_at(step, steps, warmup):
    rising = max(1, int(warmup * steps))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)


class Run:
    """One stack's pre-training, from its checkpoint if there is one."""

    def __init__(self, stack, steps, path):
        self.stack, self.steps, self.path, self.step = stack, steps, path, 0
        self.optimizer = optimizer_of(stack.parameters, DECAY, (0.9, 0.98), 1e-6)
        self.log, self.rate = [], RATE
        if path and path.exists():
            state = torch.load(path, map_location=DEVICE, weights_only=True)
            with torch.no_grad():
                for name, values in state["parameters"].items():
                    stack.parameters[name].copy_(values)
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]

    def until(self, step):
        p = self.stack.parameters
        while self.step < step:
            loss = losses(self.stack, p, batch(self.stack, self.step))
            apply(
                self.optimizer,
                p.values(),
                loss.sum(),
                self.rate * rate_at(self.step, self.steps, WARMUP),
            )
            self.step += 1
            if self.step % 100 == 0:
                self.log.append((self.step, loss.detach().cpu().numpy()))

    def save(self):
        state = {"parameters": {k: v.detach() for k, v in self.stack.parameters.items()}}
        state |= {"optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, self.path.with_suffix(".new"))
        self.path.with_suffix(".new").replace(self.path)


# ---- probes


def sentences(stack, part, chosen):
    """(signs, language, lengths) of numbered sentences of a part, each [M, n, ...], trimmed."""
    of = {}
    for name in {w.manner for w in stack.of}:
        rows, lengths, language = (a[chosen] for a in stack.texts[name].parts[part])
        signs = np.zeros((len(rows), POSITIONS), np.int64)
        signs[:, 0], signs[:, 1:-1] = CLS, rows
        signs[np.arange(len(rows)), lengths + 1] = SEP
        of[name] = signs, language, lengths + 2
    longest = max(lengths.max() for _, _, lengths in of.values())
    each = [np.stack([of[w.manner][i] for w in stack.of]) for i in range(3)]
    signs, language, lengths = (torch.from_numpy(a).to(DEVICE) for a in each)
    return signs[..., :longest], language, lengths


def words(stack, split, chosen):
    """(places of words, labels or -1) of numbered sentences, [M, n, W]; [CLS] counts as a place."""
    of = {}
    for name in {w.manner for w in stack.of}:
        of[name] = [a[chosen] for a in stack.texts[name].parts[f"{split} words"][:2]]
    width = max(places.shape[1] for places, _ in of.values())
    grown = {
        name: [np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=-1) for a in both]
        for name, both in of.items()
    }
    both = [np.stack([grown[w.manner][i] for w in stack.of]) for i in range(2)]
    places, labels = (torch.from_numpy(a).to(DEVICE) for a in both)
    return places.clamp(min=0) + 1, labels


def chunks(numbers, size):
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def finetuned(stack, source, labels):
    """A tagger of each member on the training sentences of one language, the same for all."""
    p = {
        k: v.detach().clone()
        for k, v in stack.parameters.items()
        if k not in ("guess", "head", "head bias")
    }
    draw = torch.Generator().manual_seed(0)
    linear_ = 0.02 * torch.randn(stack.width, labels, generator=draw)
    p["tag"] = linear_.expand(stack.number, -1, -1).clone().to(DEVICE)
    p["tag bias"] = torch.zeros(stack.number, labels, device=DEVICE)
    p = {k: v.requires_grad_() for k, v in p.items()}
    optimizer = optimizer_of(p, 0.0, (0.9, 0.999), 1e-8)
    lengths = stack.texts["own"].parts["train"][1]
    size = len(lengths) // stack.texts["own"].used.shape[0]
    mine, rng = np.arange(source * size, (source + 1) * size), np.random.default_rng(0)
    plan = []
    for _ in range(TAG_EPOCHS):
        jitter = lengths[mine] * (1 + 0.05 * rng.standard_normal(size)) + rng.random(size)
        cut = chunks(mine[np.argsort(jitter)], TAG_BATCH)
        plan += [cut[i] for i in rng.permutation(len(cut))]
    for step, chosen in enumerate(plan):
        logits, gold = tags(stack, p, "train", chosen, draw)
        each = F.cross_entropy(
            logits.flatten(0, 1), gold.flatten(), ignore_index=-1, reduction="none"
        )
        real = (gold >= 0).sum(1)
        loss = (each.view(gold.shape).sum(1) / real).sum()
        apply(optimizer, p.values(), loss, TAG_RATE * rate_at(step, len(plan), TAG_WARMUP))
    return p


def tags(stack, p, split, chosen, draw=None):
    """Logits [M, words, labels] and labels [M, words] (-1: none); dropout if ``draw`` is given."""
    signs, language, lengths = sentences(stack, split, chosen)
    places, gold = words(stack, split, chosen)
    with mixed_precision():
        last = at(encode(stack, p, stack.ids(signs, language), language, lengths)[-1], places)
        if draw is not None:
            kept = torch.rand(last.shape[1:], generator=draw) >= TAG_DROPOUT
            last = last * kept.to(DEVICE) / (1 - TAG_DROPOUT)
        logits = linear(last, p, "tag")
    return logits.float().flatten(1, 2), gold.flatten(1)


@torch.no_grad()
def tagged(stack, p):
    """Whether each test word is tagged right: bool [M, sentences, W], -1 where there is no word."""
    lengths = np.max([text.parts["test"][1] for text in stack.texts.values()], axis=0)
    order = np.argsort(lengths, kind="stable")
    width = max(stack.texts[w.manner].parts["test words"][0].shape[1] for w in stack.of)
    out = np.full((stack.number, len(order), width), -1, np.int8)
    for chosen in chunks(order, 200):
        logits, gold = tags(stack, p, "test", chosen)
        right = torch.where(gold < 0, -1, (logits.argmax(-1) == gold).long())
        out[:, chosen] = right.view(stack.number, len(chosen), -1).cpu().numpy()
    return out


def counts(stack, right, kinds):
    """Correct by sentence and kind of word (anchor, name, word): uint8 [M, sentences, 3]."""
    return np.stack([((right == 1) & (kinds == k)).sum(2) for k in range(3)], -1).astype(np.uint8)


@torch.no_grad()
def vectors(stack, number):
    """Sentence vectors of the parallel text: [layers + 1, M, languages, number, H]."""
    languages = stack.texts["own"].used.shape[0]
    size = len(stack.texts["own"].parts["parallel"][1]) // languages
    numbers = np.concatenate([k * size + np.arange(number) for k in range(languages)])
    lengths = np.max([t.parts["parallel"][1][numbers] for t in stack.texts.values()], axis=0)
    order = np.argsort(lengths, kind="stable")
    out = torch.zeros(stack.layers + 1, stack.number, len(numbers), stack.width, device=DEVICE)
    for some in chunks(order, 200):
        signs, language, lengths = sentences(stack, "parallel", numbers[some])
        with mixed_precision():
            states = encode(stack, stack.parameters, stack.ids(signs, language), language, lengths)
        place = torch.arange(signs.shape[2], device=DEVICE)
        inside = ((place > 0) & (place < lengths[..., None] - 1)).float()
        weights = inside / inside.sum(-1, keepdim=True)
        where = torch.from_numpy(some).to(DEVICE)
        for layer, state in enumerate(states):
            means = torch.einsum("mbt,mbth->mbh", weights, state.float())
            out[layer].index_copy_(1, where, means)
    return out.view(stack.layers + 1, stack.number, languages, number, -1)


def retrieved(stack, number):
    """Share of sentences whose nearest in the other language is their translation.

    [2, layers + 1, M, pairs]: without a shift, and shifted by the mean difference of the other
    half.
    """
    found, made = [], vectors(stack, number)
    gold = torch.arange(number, device=DEVICE)
    for view in ("no shift", "held out"):
        for layer in made:
            for a, b in permutations(range(layer.shape[1]), 2):
                source, target = layer[:, a].clone(), layer[:, b]
                if view == "held out":
                    for half in (0, 1):
                        other = slice(1 - half, None, 2)
                        source[:, half::2] += (target[:, other] - layer[:, a, other]).mean(
                            1, keepdim=True
                        )
                centre = target.mean(1, keepdim=True)
                source, target = source - centre, target - centre
                near = 2 * source @ target.transpose(1, 2) - target.square().sum(-1)[:, None]
                found.append((near.argmax(-1) == gold).float().mean(1))
    pairs = layer.shape[1] * (layer.shape[1] - 1)
    return torch.stack(found).view(2, len(made), pairs, -1).transpose(2, 3).cpu().numpy()


@torch.no_grad()
def held_out_loss(stack):
    """Masked loss [M, languages] on sentences that were not read: a quarter masked, one way."""
    text, rng = stack.texts["own"], np.random.default_rng(0)
    languages = text.used.shape[0]
    size = len(text.parts["parallel"][1]) // languages
    out = []
    for language in range(languages):
        chosen = language * size + np.arange(min(HELD_OUT, size))
        lengths = np.max([t.parts["parallel"][1][chosen] for t in stack.texts.values()], axis=0)
        order, total, sums = np.argsort(lengths, kind="stable"), 0, 0
        for some in chunks(chosen[order], 50):
            signs, which, lengths = sentences(stack, "parallel", some)
            k = max(1, round(PREDICT * (int(lengths.min()) - 2)))
            scores = torch.from_numpy(rng.random((len(some), signs.shape[2] - 1))).to(DEVICE)
            beyond = torch.arange(signs.shape[2] - 1, device=DEVICE) >= lengths[..., None] - 2
            picked = (
                scores.expand(stack.number, -1, -1).masked_fill(beyond, -1.0).topk(k, 2).indices + 1
            )
            rolls = torch.zeros(stack.number, 2, len(some), k, device=DEVICE)
            each = losses(stack, stack.parameters, (signs, which, lengths, picked, rolls))
            sums, total = sums + each * len(some) * k, total + len(some) * k
        out.append(sums / total)
    return torch.stack(out, 1).float().cpu().numpy()


def probe(stack, about):
    """All that is measured of a snapshot, as arrays; source languages one by one."""
    kinds = {}
    width = max(stack.texts[w.manner].parts["test words"][2].shape[1] for w in stack.of)
    for name in {w.manner for w in stack.of}:
        known = stack.texts[name].parts["test words"][2]
        kinds[name] = np.pad(known, ((0, 0), (0, width - known.shape[1])), constant_values=-1)
    kinds = np.stack([kinds[w.manner] for w in stack.of])
    correct = []
    for source in range(len(about["languages"])):
        p = finetuned(stack, source, len(about["labels"]))
        correct.append(counts(stack, tagged(stack, p), kinds))
    out = {"correct": np.stack(correct, 1)}
    out["total"] = np.stack([(kinds == k).sum(2) for k in range(3)], -1).astype(np.uint8)
    out["retrieval"] = retrieved(stack, about["parallel"]).astype(np.float32)
    return out | {"loss": held_out_loss(stack)}


# ---- the whole


def digest(stack):
    return sha256(
        b"".join(v.detach().cpu().numpy().tobytes() for v in stack.parameters.values())
    ).hexdigest()


def timed(make, steps, some):
    """Seconds a step, and whether the same steps give the same parameters bit for bit."""
    seen = []
    for _ in range(2):
        run = Run(make(), steps, None)
        run.until(2)
        started = time.perf_counter()
        run.until(2 + some)
        float(run.stack.parameters["guess"].detach().sum())
        seen.append((time.perf_counter() - started, digest(run.stack)))
        del run
    return seen[1][0] / some, seen[0][1] == seen[1][1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/worlds"))  # checkpoints
    parser.add_argument("--stack", choices=STACKS, required=True)
    parser.add_argument("--worlds", nargs="*")  # of the stack's; all
    parser.add_argument("--seeds", type=int, nargs="*", default=[*range(1, SEEDS + 1)])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--snapshots", type=int, nargs="*", default=SNAPSHOTS)
    parser.add_argument("--check", type=int, default=0)  # steps that are timed, twice
    parser.add_argument("--seconds", type=float, default=1e9)  # for pre-training: seeds are dropped
    asked = parser.parse_args()
    began = time.perf_counter()
    say = lambda *what: print(
        f"{time.perf_counter() - began:7.1f} s [{asked.stack}]", *what, flush=True
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    asked.work.mkdir(parents=True, exist_ok=True)
    about = json.loads((asked.data / "about.json").read_text())
    worlds, layers, width = STACKS[asked.stack]
    STACKS[asked.stack] = {k: worlds[k] for k in asked.worlds or worlds}, layers, width
    names = {w.manner for w in STACKS[asked.stack][0].values()} | {"own"}
    texts = {name: Text(asked.data / f"{name}.npz", about) for name in sorted(names)}
    seeds = asked.seeds
    if asked.check:
        each, same = timed(lambda: Stack(asked.stack, seeds, texts), asked.steps, asked.check)
        say(f"{1000 * each:.1f} ms a step; the same bit for bit: {same}")
        while len(seeds) > 5 and each * asked.steps > asked.seconds:
            each, seeds = each * (len(seeds) - 1) / len(seeds), seeds[:-1]
        say("seeds", seeds)
    stack = Stack(asked.stack, seeds, texts)
    vocabularies = {name: size for (name, _), size in zip(stack.members, stack.sizes, strict=True)}
    say(stack.number, "encoders; ids", vocabularies)
    run = Run(stack, asked.steps, asked.work / f"{asked.stack}.pt")
    for step in sorted(asked.snapshots):
        path = asked.out / f"{asked.stack}-{step}.npz"
        if step < run.step or (step == run.step and path.exists()):
            continue
        run.until(step)
        say("step", step, "losses", {} if not run.log else np.round(run.log[-1][1], 2).tolist())
        found = probe(stack, about)
        members = json.dumps(
            {
                "members": stack.members,
                "sizes": stack.sizes,
                "step": step,
                "steps": asked.steps,
                "layers": layers,
                "width": width,
                "device": torch.cuda.get_device_name() if CUDA else "cpu",
                "seconds": time.perf_counter() - began,
                **about,
            }
        )
        curve = {
            "curve_steps": np.array([s for s, _ in run.log]),
            "curve": np.array([v for _, v in run.log]),
        }
        np.savez_compressed(path, about=members, **found, **curve)
        if step and step < asked.steps:
            run.save()
        report(found, stack, about, say)


def report(found, stack, about, say):
    """The means of each world, for the eye."""
    languages = len(about["languages"])
    per = found["correct"].reshape(stack.number, languages, languages, -1, 3)[..., 2].sum(-1)
    total = found["total"].reshape(stack.number, 1, languages, -1, 3)[..., 2].sum(-1)
    accuracy = 100 * per / total
    best = found["retrieval"][1].mean(-1).max(0)
    inside = accuracy[:, np.eye(languages, dtype=bool)].mean(1)
    across = accuracy[:, ~np.eye(languages, dtype=bool)].mean(1)
    for name in stack.worlds:
        of = [m for m, (n, _) in enumerate(stack.members) if n == name]
        say(
            f"{name:28} in {inside[of].mean():5.1f} zero-shot {across[of].mean():5.1f} "
            f"retrieval {100 * best[of].mean():5.1f} loss {found['loss'][of].mean():.2f}"
        )


if __name__ == "__main__":
    main()
