"""Text of the interventions as numbers: one world said in four manners, cut by its word pieces.

    python prepare.py --seed 31 --out data   (the frozen world; 7: that of development)

Every sentence has a meaning and a random state of its own, so that the manners (own orders, one
order, mixed orders, one script) differ in that alone. A *sign* is a word piece together with
whether it stands in an anchor (a number, URL, acronym or punctuation mark) or in a word: which
signs languages share is decided in `train.py`, on the numbers.
"""

import argparse
import json
from itertools import count
from pathlib import Path
from random import Random

import numpy as np
from crosslingual.corpora import UPOS
from crosslingual.models.pretrain import PretrainRecipe, tokenizer_of, train_vocabulary
from pocketworld import NEWS, PLAIN, World, WorldParameters, text
from pocketworld.grammar import FEATURES, order_names

LANGUAGES = ["en", "ru", "hi", "ja"]
SENTENCES, TAGGED, PARALLEL = 20_000, {"train": 600, "test": 300}, 1_000
VOCABULARY, LONGEST = 8_000, 62  # pieces of a sentence, without [CLS] and [SEP]
SPECIAL = 4  # [PAD], [CLS], [SEP], [MASK] are the first signs
ONE = order_names("ru")
MIXED = {
    f: ", ".join(
        f"{v} {s}"
        for v, s in zip(
            values, (["0.34", "0.33", "0.33"] if len(values) == 3 else ["0.5", "0.5"]), strict=True
        )
    )
    for f, values in FEATURES.items()
}
MANNERS = {
    "own": {},
    "one": {"orders": dict.fromkeys(LANGUAGES, ONE)},
    "mixed": {"orders": dict.fromkeys(LANGUAGES, MIXED)},
    "script": {"scripts": dict.fromkeys(LANGUAGES, "Latn")},
}
KINDS = {"univ": 0, "ne": 1}  # of words: anchors, names; 2: words of the language


def say(world, code, meaning, state):
    """The tokens of a meaning; the same random state in all manners."""
    return world.speaker(code, Random(state)).sentence(meaning)


def plan(world, seed, sentences):
    """Meanings, each with its language and random state: (text, tagging, parallel)."""
    meanings, branch = world.meanings, {c: world.language(c).branch for c in LANGUAGES}
    held, raw, tagged, parallel = set(), {}, {}, []
    rng = Random(f"{seed}/worlds/parallel")
    while len(parallel) < PARALLEL:
        meaning = meanings.sample(rng, world_register(world, PLAIN), branch[rng.choice(LANGUAGES)])
        state = f"{seed}/worlds/parallel/{rng.random()}"
        lines = {(c, text(say(world, c, meaning, state))) for c in LANGUAGES}
        if not lines & held:
            held |= lines
            parallel.append((meaning, state))
    for split, size in TAGGED.items():
        for code in LANGUAGES:
            stream = f"{seed}/worlds/{split}/{code}"
            tagged[split, code] = fresh(world, code, stream, [PLAIN], size, held, True, branch)
    for code in LANGUAGES:
        stream, registers = f"{seed}/worlds/text/{code}", [NEWS, PLAIN, PLAIN]
        raw[code] = fresh(world, code, stream, registers, sentences, held, False, branch)
    return raw, tagged, parallel


def world_register(world, register):
    return world._register(register)


def fresh(world, code, stream, registers, size, held, hold, branch):
    """So many meanings whose sentences are not held out; held out themselves if ``hold``."""
    rng, found = Random(stream), []
    for number in count():
        register = world_register(world, registers[number % len(registers)])
        meaning, state = world.meanings.sample(rng, register, branch[code]), f"{stream}/{number}"
        line = code, text(say(world, code, meaning, state))
        if line not in held:
            held |= {line} if hold else set()
            found.append((meaning, state))
        if len(found) == size:
            return found


class Cutter:
    """Tokens to signs; a vocabulary for each script that the languages have."""

    def __init__(self, lines):
        recipe = PretrainRecipe(vocabulary=VOCABULARY)
        self.pieces = train_vocabulary(lines, recipe)
        self.tokenizer, self.known, self.signs = tokenizer_of(self.pieces, 512), {}, {}

    def signs_of(self, token):
        """Sign numbers of a token, and its kind."""
        kind = KINDS.get(token.language, 2)
        if (token.form, kind) not in self.known:
            ids = self.tokenizer(token.form, add_special_tokens=False)["input_ids"]
            signs = [self.signs.setdefault((i, kind == 0), SPECIAL + len(self.signs)) for i in ids]
            self.known[token.form, kind] = signs
        return self.known[token.form, kind], kind

    def tagged(self, sentence):
        """Signs of a sentence; place of each word's first, its label and its kind."""
        signs, words = [], []
        for token in sentence:
            cut, kind = self.signs_of(token)
            words.append((len(signs), UPOS.index(token.upos), kind))
            signs += cut
        return signs, words


def ragged(rows):
    """Lists as (all values, lengths)."""
    return np.array([v for row in rows for v in row], np.uint16), np.array(
        [*map(len, rows)], np.uint8
    )


def manner(seed, name, raw, tagged, parallel, cutter=None):
    """The arrays of one manner, and its cutter (one is shared by those of the same spelling)."""
    world, out = World(WorldParameters(seed=seed, **MANNERS[name])), {}
    said = {c: [say(world, c, *each) for each in raw[c]] for c in LANGUAGES}
    lines = {c: [text(sentence) for sentence in said[c]] for c in LANGUAGES}
    cutter = cutter or Cutter(lines)
    signs = [cutter.tagged(s)[0][:LONGEST] for c in LANGUAGES for s in said[c]]
    out["text"], out["text_lengths"] = ragged(signs)
    for split in TAGGED:
        cut = [cutter.tagged(say(world, c, *e)) for c in LANGUAGES for e in tagged[split, c]]
        words = [[w for w in words if w[0] < LONGEST] for _, words in cut]
        out[split], out[f"{split}_lengths"] = ragged([s[:LONGEST] for s, _ in cut])
        flat = np.array([w for row in words for w in row], np.uint8)
        out[f"{split}_places"], out[f"{split}_labels"], out[f"{split}_kinds"] = flat.T
        out[f"{split}_words"] = np.array([*map(len, words)], np.uint8)
    pairs = [cutter.tagged(say(world, c, *e))[0][:LONGEST] for c in LANGUAGES for e in parallel]
    out["parallel"], out["parallel_lengths"] = ragged(pairs)
    return out, cutter, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    world = World(WorldParameters(seed=asked.seed))
    raw, tagged, parallel = plan(world, asked.seed, asked.sentences)
    cutters, arrays = {}, {}
    for name in MANNERS:
        spelling = "script" if name == "script" else "own"
        made, cutters[spelling], lines = manner(
            asked.seed, name, raw, tagged, parallel, cutters.get(spelling)
        )
        arrays[name] = made
        cut = made["text_lengths"]
        print(
            name,
            "pieces a sentence",
            cut.mean().round(1),
            "longest",
            cut.max(),
            "cut",
            (cut == LONGEST).mean().round(4),
            "tokens",
            int(cut.astype(int).sum()),
        )
        print("   ", {c: lines[c][0] for c in LANGUAGES})
    for name, made in arrays.items():
        cutter = cutters["script" if name == "script" else "own"]
        signs = [("", True)] * SPECIAL + [(cutter.pieces[i], bool(a)) for i, a in cutter.signs]
        made["anchor"] = np.array([anchor for _, anchor in signs])
        np.savez_compressed(asked.out / f"{name}.npz", **made)
    about = {
        "seed": asked.seed,
        "languages": LANGUAGES,
        "sentences": asked.sentences,
        "labels": list(UPOS),
        "tagged": TAGGED,
        "parallel": PARALLEL,
        "longest": LONGEST,
        "signs": {n: len(c.signs) for n, c in cutters.items()},
    }
    (asked.out / "about.json").write_text(json.dumps(about))
    print(about, sum(p.stat().st_size for p in asked.out.iterdir()) / 2**20, "MiB")


if __name__ == "__main__":
    main()
