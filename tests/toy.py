"""A toy edition for the tests, from a JSON file: corpora of fixed word orders and a random, tiny BERT."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import BertConfig, BertModel, BertTokenizerFast, PreTrainedTokenizerFast

from crosslingual import corpora, store
from crosslingual.finetune import Recipe

ORDER = {"en": ["ADJ", "NOUN", "VERB", "NOUN", "PUNCT"], "es": ["NOUN", "ADJ", "VERB", "NOUN", "PUNCT"],
         "ja": ["ADJ", "NOUN", "NOUN", "VERB", "PUNCT"]}
WORDS = {"NOUN": ["cat", "dog", "house"], "VERB": ["sees", "eats"], "ADJ": ["big", "red"], "PUNCT": ["."]}
NAMES = [["B-PER"], ["B-PER", "I-PER"], ["B-LOC"], ["B-LOC", "I-LOC"]]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAST = Recipe(batch_size=8, max_length=32, epochs=4, learning_rate=3e-3)


def pos_corpus(language: str, size: int, seed: int) -> Dataset:
    """Sentences of the language's word order; all but the verbs are spelt alike in all languages."""
    rng, order = np.random.default_rng(seed), ORDER[language]
    tokens = [[str(rng.choice(WORDS[tag])) + ("" if tag != "VERB" else language) for tag in order]
              for _ in range(size)]
    return Dataset.from_dict({"tokens": tokens, "labels": [order] * size})


def ner_corpus(language: str, size: int, seed: int) -> Dataset:
    """Names of one or two words, told apart by their first letters, before or after the other words."""
    rng, tokens, labels = np.random.default_rng(seed), [], []
    for tags in (NAMES[int(rng.integers(4))] for _ in range(size)):
        names = [f"{'ada' if tag.endswith('PER') else 'york'}{int(rng.integers(9))}" for tag in tags]
        rest = ["the", "dog", f"sees{language}"]
        first = language == "ja"
        tokens.append([*names, *rest] if first else [*rest, *names])
        labels.append([*tags, "O", "O", "O"] if first else ["O", "O", "O", *tags])
    return Dataset.from_dict({"tokens": tokens, "labels": labels})


def tokenizer() -> PreTrainedTokenizerFast:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789."
    words = [*WORDS["NOUN"], "sees", "york", "ada"]
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *words]
    return BertTokenizerFast(vocab={piece: number for number, piece in enumerate(pieces)})


class Encoder:
    """A random BERT of two layers; `seed` stands for what it was pre-trained on."""

    def __init__(self, name: str, seed: int = 0) -> None:
        self.name, self.seed, self.tokenizer = name, seed, tokenizer()
        self.digest = store.digest({"toy": name, "seed": seed})

    def model(self, positions: int = 40) -> BertModel:
        config = BertConfig(vocab_size=len(self.tokenizer), hidden_size=32, num_hidden_layers=2,
                            num_attention_heads=2, intermediate_size=32, max_position_embeddings=positions)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            return BertModel(config, add_pooling_layer=False).eval()

    def masked_model(self) -> None:
        """It has no head that guesses masked words."""


def save_encoder(folder: Path) -> None:
    """The random BERT and its tokenizer as files, for an edition to name."""
    encoder = Encoder("tiny")
    encoder.model(positions=160).save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)


class Edition:
    """What `editions.Edition` offers, from a JSON file: {languages, train, test, epochs, missing, pinned}.

    missing: names of corpora, "pos/ja/test", that are not at hand; pinned: their digests, where known.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.stem
        self.settings: dict[str, Any] = json.loads(self.path.read_text())

    def __reduce__(self) -> tuple:
        return Edition, (self.path,)

    @classmethod
    def write(cls, folder: Path, **settings: Any) -> Edition:
        default = {"languages": list(ORDER), "train": 60, "test": 20, "epochs": 4}
        default |= {"missing": [], "pinned": {}}
        path = folder / "toy.json"
        path.write_text(json.dumps(default | settings))
        return cls(path)

    def languages(self, task: str) -> list[str]:
        return self.settings["languages"]

    evaluation_languages = languages

    @functools.lru_cache(maxsize=64)
    def corpus(self, task: str, language: str, split: str) -> Dataset:
        if (name := f"{task}/{language}/{split}") in self.settings["missing"]:
            raise corpora.CorpusUnavailable(f"{name} is not at hand; ask its owner.")
        make = ner_corpus if task == "ner" else pos_corpus
        return make(language, self.settings[split], seed=sum(map(ord, name)))

    def corpus_digest(self, task: str, language: str, split: str) -> str:
        if pinned := self.settings["pinned"].get(f"{task}/{language}/{split}"):
            return pinned
        return corpora.digest(self.corpus(task, language, split))

    def encoder(self, name: str) -> Encoder:
        return Encoder(name)

    def pretrains(self, name: str) -> bool:
        return False

    def encoder_digest(self, name: str) -> str:
        return self.encoder(name).digest

    def recipe(self, task: str) -> Recipe:
        return Recipe(**{**vars(FAST), "epochs": self.settings["epochs"]})
