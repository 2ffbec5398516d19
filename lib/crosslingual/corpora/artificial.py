"""Corpora of the artificial world, generated when asked for."""

import json
from functools import cache
from itertools import islice
from random import Random
from typing import Annotated, Literal

from pocketworld import NEWS, PLAIN, World, WorldParameters, text
from pydantic import BaseModel, ConfigDict, Field

from crosslingual import languages
from crosslingual.corpora import formats
from crosslingual.corpora.formats import CODE_SWITCHING_TRAIN, SPLITS, Dataset

VERSION = 1  # raise when the same world gives other corpora
DRAWN = ["test", "dev", "train"]  # in this order, each without the sentences of those before it
SIZES = {"train": 1000, "dev": 200, "test": 300}
PAIRS = 5000


class Settings(BaseModel):
    """A block of an edition, checked: no unknown key, no other type, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Size = Annotated[int, Field(ge=1, le=1_000_000)]  # more would fill the memory before anyone saw
PerSplit = dict[Literal["train", "dev", "test"], Size]


class Sizes(Settings):
    """Numbers of sentences by task and split; of pairs for parallel text."""

    pos: PerSplit = {}
    ner: PerSplit = {}
    code_switching: PerSplit = Field({}, alias="code-switching")
    parallel: Size | None = None


@cache
def _world(parameters: str) -> World:
    return World(WorldParameters.model_validate_json(parameters))


class Artificial(Settings):
    """An edition's ``corpora:`` block of artificial languages; see `crosslingual.corpora`."""

    source: Literal["artificial"]
    world: WorldParameters = WorldParameters()
    sizes: Sizes = Sizes()

    def languages(self, task: str) -> list[str]:
        ner = sorted([*languages.NER16_LANGUAGES, "nl"])
        known = {"pos": languages.POS_LANGUAGES, "ner": ner, "code-switching": CODE_SWITCHING_TRAIN}
        return known[task]

    def labelled(self, task: str, language: str, split: str) -> Dataset:
        """UPOS or IOB2 labels straight from the grammar."""
        if language == "hi+en":
            return formats.concatenate([self.labelled("pos", code, split) for code in ("hi", "en")])
        sentences = self._split(task, language, split)
        if language == "transliterated":
            rng = Random(f"{self.world.seed}/{split}/transliterated")
            sentences = [self.open().transliterated(sentence, rng) for sentence in sentences]
        labels = [[t.entity if task == "ner" else t.upos for t in said] for said in sentences]
        return formats.labelled_corpus([[t.form for t in said] for said in sentences], labels)

    def parallel(self, source: str, target: str) -> Dataset:
        """Pairs of distinct meanings, each said in both languages."""
        pairs = self.open().parallel(source, target, self.sizes.parallel or PAIRS)
        return formats.parallel_text([text(a) for a, _ in pairs], [text(b) for _, b in pairs])

    def digest(self, task: str, language: str, split: str) -> str:
        """32 hexadecimal digits of all that determines the corpus; nothing is generated."""
        if language == "hi+en":
            return self._digest(*(self.digest("pos", code, split) for code in ("hi", "en")))
        drawn = DRAWN[: DRAWN.index(split) + 1]
        return self._digest(task, language, *(f"{name} {self._size(task, name)}" for name in drawn))

    def parallel_digest(self, source: str, target: str) -> str:
        return self._digest("parallel", source, target, str(self.sizes.parallel or PAIRS))

    def substitutes(self) -> dict[str, str]:
        """Artificial languages stand in for no corpus."""
        return {}

    def text(self, language: str, sentences: int, pairs: list[tuple[str, str]] = ()) -> list[str]:
        """Lines for pre-training: none of a labelled corpus in that language or of ``pairs``."""
        keys = [(task, language) for task in ("pos", "ner") if language in self.languages(task)]
        if language in ("hi", "en"):  # some code-switched sentences happen not to switch
            keys.append(("code-switching", "corrected"))
        corpora = [self.labelled(*key, split) for key in keys for split in SPLITS]
        held_out = {" ".join(tokens) for corpus in corpora for tokens in corpus["tokens"]}
        for pair in pairs:
            if language in pair:
                held_out |= set(self.parallel(*pair)["source" if pair[0] == language else "target"])
        return list(self.open().text(language, sentences, frozenset(held_out)))

    def open(self) -> World:
        """The world itself, one a process."""
        return _world(self.world.model_dump_json())

    def _digest(self, *parts: str) -> str:
        return formats.hashed(json.dumps([VERSION, self.world.digest(), *parts]))

    def _split(self, task: str, language: str, split: str) -> list:
        """The sentences of a split; none of them occurs in another split of the corpus."""
        seen: set[str] = set()
        for name in DRAWN[: DRAWN.index(split) + 1]:
            if task == "code-switching":
                drawn = self.open().code_switched(f"{task}/{name}")
            else:
                register = NEWS if task == "ner" else PLAIN
                drawn = self.open().sentences(language, f"{task}/{name}", register)
            stream = ((said, text(said)) for said in drawn)
            fresh = (said for said, line in stream if not (line in seen or seen.add(line)))
            sentences = list(islice(fresh, self._size(task, name)))
        return sentences

    def _size(self, task: str, split: str) -> int:
        return getattr(self.sizes, task.replace("-", "_")).get(split) or SIZES[split]
