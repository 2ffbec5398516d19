"""Corpora of the pocket world, generated when asked for: the `pocket` source."""

from functools import cached_property
from hashlib import blake2b
from itertools import islice
import json
from random import Random

from datasets import Dataset

from crosslingual import languages
from crosslingual.corpora import (
    CODE_SWITCHING_TEST,
    CODE_SWITCHING_TRAIN,
    SPLITS,
    BadParameter,
    check_sizes,
    concatenate,
    labelled_corpus,
    parallel_text,
)
from crosslingual.pocket.world import NEWS, PLAIN, World, WorldParameters, text

REGISTERS = {"pos": PLAIN, "ner": NEWS, "code-switching": PLAIN}
DRAWN = ["test", "dev", "train"]  # in this order, each without the sentences of those before it
SIZES = {"train": 1000, "dev": 200, "test": 300}


class Pocket:
    """The ``pocket`` source: ``world`` holds WorldParameters, ``sizes`` numbers of sentences by task and split."""

    def __init__(self, world: dict | None = None, sizes: dict | None = None):
        try:
            self.parameters = WorldParameters.read(world or {})
        except ValueError as problem:
            raise BadParameter(("world",), str(problem)) from None
        self.sizes = check_sizes(sizes or {})

    @cached_property
    def world(self) -> World:
        return World(self.parameters)

    def languages(self, task: str) -> list[str]:
        if task == "code-switching":
            return CODE_SWITCHING_TRAIN
        return languages.POS_LANGUAGES if task == "pos" else sorted([*languages.NER16_LANGUAGES, "nl"])

    def evaluation_languages(self, task: str) -> list[str]:
        return CODE_SWITCHING_TEST if task == "code-switching" else self.languages(task)

    def labelled(self, task: str, language: str, split: str) -> Dataset:
        """UPOS or IOB2 labels straight from the grammar."""
        if language == "hi+en":
            return concatenate([self.labelled("pos", code, split) for code in ("hi", "en")])
        sentences = self._split(task, language, split)
        if language == "transliterated":
            rng = Random(f"{self.parameters.seed}/{split}/transliterated")
            sentences = [self.world.transliterated(sentence, rng) for sentence in sentences]
        labels = [[t.entity if task == "ner" else t.upos for t in sentence] for sentence in sentences]
        return labelled_corpus([[token.form for token in sentence] for sentence in sentences], labels)

    def _split(self, task, language, split):
        """The sentences of a split; none of them occurs in another split of the corpus."""
        seen: set[str] = set()
        for name in DRAWN:
            fresh = (s for s in self._stream(task, language, name) if not (text(s) in seen or seen.add(text(s))))
            sentences = list(islice(fresh, self._size(task, name)))
            if name == split:
                return sentences
        raise ValueError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")

    def _stream(self, task, language, split):
        if task == "code-switching":
            return self.world.code_switched(f"{task}/{split}")
        return self.world.sentences(language, f"{task}/{split}", REGISTERS[task])

    def _size(self, task, split):
        return self.sizes.get(task, {}).get(split, SIZES[split])

    def parallel(self, source: str, target: str) -> Dataset:
        """Pairs of distinct meanings, each said in both languages."""
        pairs = self.world.parallel(source, target, self.sizes.get("parallel", 5000))
        return parallel_text([text(s) for s, _ in pairs], [text(t) for _, t in pairs])

    def fingerprint(self, task: str, language: str, split: str) -> str:
        key = [self.parameters.digest(), {name: self._size(task, name) for name in DRAWN}, task, language, split]
        if language == "hi+en":
            key.append({name: self._size("pos", name) for name in DRAWN})
        return blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16).hexdigest()

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        """Lines for pre-training: no sentence of a labelled corpus in that language or of the parallel ``pairs``."""
        return list(self.world.text(language, sentences, frozenset(self._held_out(language, pairs))))

    def text_fingerprint(self, language: str) -> str:
        """What ``text`` depends on besides its arguments: the world, and the sizes of the corpora it leaves out."""
        return json.dumps([language, self.parameters.digest(), self.sizes], sort_keys=True)

    def _held_out(self, language, pairs):
        for task in ("pos", "ner"):
            if language in self.languages(task):
                for split in SPLITS:
                    yield from (" ".join(tokens) for tokens in self.labelled(task, language, split)["tokens"])
        if language in ("hi", "en"):  # some code-switched sentences happen not to switch
            for split in SPLITS:
                yield from (" ".join(tokens) for tokens in self.labelled("code-switching", "corrected", split)["tokens"])
        for pair in pairs:
            if language in pair:
                yield from self.parallel(*pair)["source" if pair[0] == language else "target"]
