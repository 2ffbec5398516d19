"""A pocket world: from parameters to corpora. Deterministic, so a world is its parameters.

>>> world = World(WorldParameters(seed=1))
>>> [token.form for token in next(world.sentences("en", "example"))]          # doctest: +SKIP
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from itertools import count as counting, islice
import json
from math import inf
from random import Random

from crosslingual import languages
from crosslingual.pocket import scripts
from crosslingual.pocket.grammar import Speaker, Token, WorldError, order_names, parse_order
from crosslingual.pocket.lexicon import Language, Protoforms, syllables
from crosslingual.pocket.meaning import Meanings

VERSION = 2  # bump when the same parameters give other corpora


@dataclass(frozen=True)
class Register:
    """How often a text of this kind uses a construction; each number is a probability at the place where it may occur."""

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


@dataclass(frozen=True)
class WorldParameters:
    """Every property of a world. Counts are of types, rates are probabilities.

    ``home_names`` is the share of names from the community's own branch, ``coined_names`` that of names never heard before;
    ``orders`` overrides the word order of a language, e.g. ``{"ja": {"81A": "SVO"}}``; ``scripts`` its script;
    ``anchors`` scales URLs, acronyms and numbers in digits, the tokens that all languages write alike.
    """

    seed: int = 2019
    topics: int = 20
    nouns: int = 240
    verbs: int = 90
    adjectives: int = 60
    adverbs: int = 24
    second_topic: float = 0.15
    preferred: int = 5
    zipf: float = 0.8
    people: int = 660
    given_names: int = 8
    places: int = 330
    organisations: int = 330
    works: int = 220
    name_zipf: float = 1.0
    home_names: float = 0.5
    coined_names: float = 0.1
    homographs: float = 0.12
    syncretisms: float = 1.0
    family_cognates: float = 0.25
    sound_change: float = 1.0
    loans: float = 1.0
    international: float = 0.06
    anchors: float = 1.0
    switch_at_boundaries: float = 0.4
    switch_inside: float = 0.15
    transliteration_noise: float = 0.35
    orders: dict = field(default_factory=dict)
    scripts: dict = field(default_factory=dict)

    def __post_init__(self):
        for code, order in self.orders.items():
            if not isinstance(order, dict):
                raise WorldError(f"the word order of {code} must map features to values, as in {{81A: SVO}}, not {order!r}")
            parse_order(order_names(languages.check(code)) | order)
        for code, script in self.scripts.items():
            if languages.check(code) and script not in scripts.SCRIPTS:
                raise WorldError(f"unknown script {script!r} for {code}: choose from {', '.join(scripts.SCRIPTS)}")
        for name, (least, most) in LIMITS.items():
            if not least <= (value := getattr(self, name)) <= most:
                limits = f"{least} or more" if most == inf else f"from {least} to {most}"
                raise WorldError(f"world parameter {name!r} must be {limits}, not {value!r}")

    @classmethod
    def read(cls, mapping: dict) -> "WorldParameters":
        """From an edition's ``world:`` block; raises WorldError naming an unknown or ill-typed parameter."""
        types = {f.name: type(getattr(cls(), f.name)) for f in fields(cls)}
        for name, value in mapping.items():
            if name not in types:
                raise WorldError(f"unknown world parameter {name!r}: choose from {', '.join(types)}")
            wanted = (int, float) if types[name] is float else types[name]
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise WorldError(f"world parameter {name!r} must be a {types[name].__name__}, not {value!r}")
        return cls(**mapping)

    def digest(self) -> str:
        return sha256(json.dumps([VERSION, asdict(self)], sort_keys=True).encode()).hexdigest()


LIMITS = {  # the smallest and largest sensible value of a parameter
    **dict.fromkeys(["nouns", "verbs", "adjectives", "adverbs", "preferred", "people", "given_names", "places", "organisations",
                     "works"], (1, inf)),
    **dict.fromkeys(["zipf", "name_zipf", "syncretisms", "sound_change", "loans", "anchors"], (0, inf)),
    **dict.fromkeys(["second_topic", "home_names", "coined_names", "homographs", "family_cognates", "international",
                     "switch_at_boundaries", "switch_inside", "transliteration_noise"], (0, 1)),
    "topics": (2, inf)}


class CodeSwitcher(Speaker):
    """Two speakers in one head: whole phrases in the other language, and single words inside phrases."""

    other: "CodeSwitcher"
    at_boundaries = inside = 0.0

    def choose(self, phrase):
        return self.other if self.rng.random() < self.at_boundaries else self

    def lexicon(self):
        return self.other.language if self.rng.random() < self.inside else self.language


class World:
    """The corpora of one world. ``stream`` names an independent series of draws, e.g. ``"pos/test"``."""

    def __init__(self, parameters: WorldParameters | None = None):
        self.p = parameters or WorldParameters()
        self._languages = {}
        branches = sorted(set(languages.table().branch))
        self.meanings = Meanings(self.p, branches, syllables)

    @cached_property
    def protoforms(self) -> Protoforms:
        return Protoforms(self.p, self.meanings.concepts)

    def language(self, code: str) -> Language:
        if code not in self._languages:
            languages.check(code)
            self._languages[code] = Language(code, self.p, self.protoforms, self.p.scripts.get(code))
        return self._languages[code]

    def order(self, code: str):
        return parse_order(order_names(code) | self.p.orders.get(code, {}))

    def speaker(self, code: str, rng: Random) -> Speaker:
        return Speaker(self.language(code), self.order(code), rng)

    def _register(self, register: Register) -> Register:
        return Register(**asdict(register) | {"anchors": register.anchors * self.p.anchors})

    def sentences(self, code: str, stream: str, register: Register = PLAIN) -> Iterator[list[Token]]:
        """An endless series of sentences in one language, whose meanings no other language or stream shares."""
        rng = Random(f"{self.p.seed}/{stream}/{code}")
        speaker, home = self.speaker(code, rng), self.language(code).branch
        register = self._register(register)
        while True:
            yield speaker.sentence(self.meanings.sample(rng, register, home))

    def parallel(self, source: str, target: str, count: int, stream: str = "parallel", register: Register = PLAIN):
        """``count`` pairs of token lists with distinct meanings, distinct on either side."""
        rng = Random(f"{self.p.seed}/{stream}/{source}-{target}")
        speakers = self.speaker(source, rng), self.speaker(target, rng)
        homes, register = [self.language(source).branch, self.language(target).branch], self._register(register)
        pairs, seen = [], [set(), set()]
        while len(pairs) < count:
            meaning = self.meanings.sample(rng, register, rng.choice(homes))
            pair = [speaker.sentence(meaning) for speaker in speakers]
            texts = [text(tokens) for tokens in pair]
            if not any(t in s for t, s in zip(texts, seen)):
                for t, s in zip(texts, seen):
                    s.add(t)
                pairs.append(pair)
        return pairs

    def code_switched(self, stream: str, first: str = "hi", second: str = "en", register: Register = PLAIN) -> Iterator[list[Token]]:
        """Endless code-switched sentences, each language in its own script ("corrected" text)."""
        rng = Random(f"{self.p.seed}/{stream}/{first}+{second}")
        pair = [CodeSwitcher(self.language(code), self.order(code), rng) for code in (first, second)]
        for one, other in (pair, reversed(pair)):
            one.other, one.at_boundaries, one.inside = other, self.p.switch_at_boundaries, self.p.switch_inside
        register = self._register(register)
        while True:
            matrix = pair[0] if rng.random() < 0.65 else pair[1]
            yield matrix.sentence(self.meanings.sample(rng, register, matrix.language.branch))

    def transliterated(self, sentence: list[Token], rng: Random) -> list[Token]:
        """The same sentence with everything in Devanagari typed in noisy Latin letters."""
        def typed(token):
            if token.form == "।":
                return "."
            if "\u0900" <= token.form[0] <= "\u097f":
                return scripts.noisy_latin(token.phonemes, rng, self.p.transliteration_noise)
            return token.form
        return [Token(typed(token), token.upos, token.entity, token.phonemes, token.language) for token in sentence]

    def text(self, code: str, count: int, exclude: frozenset[str] = frozenset(), stream: str = "text") -> Iterator[str]:
        """``count`` lines for pre-training, a third of them news; lines in ``exclude`` (evaluation text) are passed over."""
        plain, news = self.sentences(code, f"{stream}/plain", PLAIN), self.sentences(code, f"{stream}/news", NEWS)
        lines = (text(next(news if number % 3 == 0 else plain)) for number in counting())
        yield from islice((line for line in lines if line not in exclude), count)


def text(tokens: list[Token]) -> str:
    """Words joined by spaces."""
    return " ".join(token.form for token in tokens)
