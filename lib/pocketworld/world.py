"""A pocket world: from parameters to sentences. Deterministic, so a world is its parameters.

>>> world = World(WorldParameters(seed=1))
>>> text(next(world.sentences("en", "example")))  # doctest: +SKIP
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import count as counting
from itertools import islice
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pocketworld import scripts
from pocketworld.grammar import Order, Speaker, Token, WorldError, order_names, parse_order
from pocketworld.lexicon import LANGUAGES, Language, Protoforms, syllables
from pocketworld.meaning import Meanings

VERSION = 2  # bump when the same parameters give other sentences
Count = Annotated[int, Field(ge=1)]
Factor = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, le=1)]
Tokens = Iterator[list[Token]]  # sentences


@dataclass(frozen=True)
class Register:
    """How often a text uses a construction: probabilities at the places where it may occur."""

    names: float = 0.28
    pronouns: float = 0.14
    adjectives: float = 0.34
    genitives: float = 0.12
    relatives: float = 0.08
    oblique: float = 0.5
    adverb: float = 0.3
    copular: float = 0.17
    coordination: float = 0.1
    subordination: float = 0.14
    anchors: float = 0.7


PLAIN = Register()
NEWS = Register(names=0.6, pronouns=0.06, copular=0.12)  # what named-entity recognition reads


class WorldParameters(BaseModel):
    """Every property of a world; raises WorldError, in one sentence, for what cannot be.

    Counts are of types, rates are probabilities. ``home_names`` is the share of names from the
    community's own branch, ``coined_names`` that of names never heard before; ``orders`` overrides
    the word order of a language, e.g. ``{"ja": {"81A": "SVO"}}``; ``scripts`` its script;
    ``anchors`` scales URLs, acronyms and numbers in digits, which all languages write alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    seed: int = 2019
    topics: Annotated[int, Field(ge=2)] = 20
    nouns: Count = 240
    verbs: Count = 90
    adjectives: Count = 60
    adverbs: Count = 24
    second_topic: Rate = 0.15
    preferred: Count = 5
    zipf: Factor = 0.8
    people: Count = 660
    given_names: Count = 8
    places: Count = 330
    organisations: Count = 330
    works: Count = 220
    name_zipf: Factor = 1.0
    home_names: Rate = 0.5
    coined_names: Rate = 0.1
    homographs: Rate = 0.12
    syncretisms: Factor = 1.0
    family_cognates: Rate = 0.25
    sound_change: Factor = 1.0
    loans: Factor = 1.0
    international: Rate = 0.06
    anchors: Factor = 1.0
    switch_at_boundaries: Rate = 0.4
    switch_inside: Rate = 0.15
    transliteration_noise: Rate = 0.35
    orders: dict[str, dict[str, str]] = {}
    scripts: dict[str, str] = {}

    def __init__(self, **values):
        try:
            super().__init__(**values)
        except ValidationError as mistakes:
            raise _one_sentence(mistakes.errors()[0]) from None
        for name, read in (("orders", self.order), ("scripts", self.script)):
            for code in getattr(self, name):
                try:
                    read(code)
                except WorldError as problem:
                    raise WorldError(str(problem), name, code) from None

    def order(self, code: str) -> Order:
        """A language's word order in this world."""
        return parse_order(order_names(code) | self.orders.get(code, {}))

    def script(self, code: str) -> str | None:
        """The script that replaces a language's own, if one does."""
        script = self.scripts.get(code)
        if order_names(code) and script not in (None, *scripts.SCRIPTS):
            known = ", ".join(scripts.SCRIPTS)
            raise WorldError(f"unknown script {script!r} for {code}: choose from {known}")
        return script

    def digest(self) -> str:
        """A SHA-256 of all that decides the sentences."""
        return sha256(json.dumps([VERSION, self.model_dump()], sort_keys=True).encode()).hexdigest()


def _one_sentence(mistake: dict) -> WorldError:
    """What pydantic found, in the project's words."""
    key = tuple(map(str, mistake["loc"]))
    name = ".".join(key)
    if mistake["type"] == "extra_forbidden":
        known = ", ".join(WorldParameters.model_fields)
        return WorldError(f"unknown world parameter {name!r}: choose from {known}", *key)
    problem = mistake["msg"].removeprefix("Input ")
    return WorldError(f"world parameter {name!r} {problem}, not {mistake['input']!r}", *key)


class CodeSwitcher(Speaker):
    """Two speakers in one head: whole phrases in the other language, and words inside phrases."""

    other: "CodeSwitcher"
    at_boundaries = inside = 0.0

    def choose(self, phrase):
        return self.other if self.rng.random() < self.at_boundaries else self

    def lexicon(self):
        return self.other.language if self.rng.random() < self.inside else self.language


class World:
    """The sentences of one world; ``stream`` names an independent series, e.g. ``"pos/test"``."""

    def __init__(self, parameters: WorldParameters | None = None):
        self.p = parameters or WorldParameters()
        self._languages = {}
        branches = sorted({facts.branch for facts in LANGUAGES.values()})
        self.meanings = Meanings(self.p, branches, syllables)

    @cached_property
    def protoforms(self) -> Protoforms:
        return Protoforms(self.p, self.meanings.concepts)

    def language(self, code: str) -> Language:
        if code not in self._languages:
            language = Language(code, self.p, self.protoforms, self.p.script(code))
            self._languages[code] = language
        return self._languages[code]

    def speaker(self, code: str, rng: Random) -> Speaker:
        return Speaker(self.language(code), self.p.order(code), rng)

    def _register(self, register: Register) -> Register:
        return replace(register, anchors=register.anchors * self.p.anchors)

    def sentences(self, code: str, stream: str, register: Register = PLAIN) -> Tokens:
        """Endless sentences in one language, whose meanings no other language or stream shares."""
        rng = Random(f"{self.p.seed}/{stream}/{code}")
        speaker, home = self.speaker(code, rng), self.language(code).branch
        register = self._register(register)
        while True:
            yield speaker.sentence(self.meanings.sample(rng, register, home))

    def parallel(self, source: str, target: str, count: int) -> list[list[list[Token]]]:
        """``count`` pairs of token lists with distinct meanings, distinct on either side."""
        rng = Random(f"{self.p.seed}/parallel/{source}-{target}")
        speakers = self.speaker(source, rng), self.speaker(target, rng)
        homes, register = [speaker.language.branch for speaker in speakers], self._register(PLAIN)
        pairs, seen = [], set()
        while len(pairs) < count:
            meaning = self.meanings.sample(rng, register, rng.choice(homes))
            pair = [speaker.sentence(meaning) for speaker in speakers]
            texts = {(side, text(tokens)) for side, tokens in enumerate(pair)}
            if not texts & seen:
                seen |= texts
                pairs.append(pair)
        return pairs

    def code_switched(self, stream: str) -> Tokens:
        """Endless Hindi and English mixed, each in its own script ("corrected" text)."""
        rng = Random(f"{self.p.seed}/{stream}/hi+en")
        first, second = (CodeSwitcher(self.language(c), self.p.order(c), rng) for c in ("hi", "en"))
        for one, other in ((first, second), (second, first)):
            one.other, one.inside = other, self.p.switch_inside
            one.at_boundaries = self.p.switch_at_boundaries
        register = self._register(PLAIN)
        while True:
            matrix = first if rng.random() < 0.65 else second
            yield matrix.sentence(self.meanings.sample(rng, register, matrix.language.branch))

    def transliterated(self, sentence: list[Token], rng: Random) -> list[Token]:
        """The same sentence with everything in Devanagari typed in noisy Latin letters."""

        def typed(token):
            if token.form == "।":
                return "."
            if "\u0900" <= token.form[0] <= "\u097f":
                return scripts.noisy_latin(token.phonemes, rng, self.p.transliteration_noise)
            return token.form

        return [replace(token, form=typed(token)) for token in sentence]

    def text(self, code: str, count: int, exclude: frozenset[str] = frozenset()) -> Iterator[str]:
        """``count`` lines for pre-training, a third of them news, none of those in ``exclude``."""
        plain = self.sentences(code, "text/plain", PLAIN)
        news = self.sentences(code, "text/news", NEWS)
        lines = (text(next(news if number % 3 == 0 else plain)) for number in counting())
        yield from islice((line for line in lines if line not in exclude), count)


def text(tokens: list[Token]) -> str:
    """Words joined by spaces."""
    return " ".join(token.form for token in tokens)
