"""What is said in the pocket world: one distribution of meanings for all of its languages.

A sentence is about a topic. The topic proposes verbs; a verb prefers certain nouns as its subject
and its object, a noun prefers certain adjectives. That is what lets a masked language model tell
concepts apart by the company they keep, in every language the same. Names stand in for nouns of
their kind, digits, URLs and acronyms go with topics.
"""

from bisect import bisect
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

NOUN_KINDS = {"person": 0.24, "organisation": 0.12, "place": 0.16, "event": 0.1, "thing": 0.38}
SUBJECT_KINDS = {"person": 0.5, "organisation": 0.25, "place": 0.05, "event": 0.1, "thing": 0.1}
NAME_OF_KIND = {"person": "PER", "organisation": "ORG", "place": "LOC", "event": "MISC"}
CONTENT = ("NOUN", "VERB", "ADJ", "ADV")
FRAMES = {"intransitive": 0.26, "transitive": 0.58, "speech": 0.16}


class Weighted:
    """A fast repeated draw from a finite distribution."""

    def __init__(self, items, weights):
        self.items, self.cumulative = list(items), list(accumulate(weights))

    def draw(self, rng: Random):
        return self.items[bisect(self.cumulative, rng.random() * self.cumulative[-1])]


def zipf(items, exponent: float) -> Weighted:
    """Zipf's law over the order of ``items``, its head flattened for want of function words."""
    return Weighted(items, [(rank + 2.7) ** -exponent for rank in range(len(items))])


@dataclass(slots=True)
class Concept:
    index: int
    upos: str
    kind: str = ""  # of a noun: person, organisation, place, event, thing; of a verb: its frame


@dataclass(slots=True)
class Name:
    type: str  # PER, LOC, ORG, MISC
    home: str  # the branch of the family tree where the name is most at home
    parts: list  # str: a proper part, in phonemes; Concept: a generic one, translated; "of"


@dataclass(slots=True)
class Pronoun:
    person: int
    plural: bool


@dataclass(slots=True)
class Anchor:
    """A token that every language writes alike: a URL, an acronym, a number in digits."""

    form: str
    upos: str


@dataclass(slots=True)
class NounPhrase:
    head: object  # Concept, Name, Pronoun or Anchor
    plural: bool = False
    definite: bool | None = None
    demonstrative: bool = False
    numeral: object = None  # int: a number word; Anchor: digits
    adjectives: list = field(default_factory=list)
    intensifier: bool = False
    genitive: "NounPhrase | None" = None
    relative: "Clause | None" = None
    conjunct: "NounPhrase | None" = None
    title: Concept | None = None  # a noun in apposition before a person's name


@dataclass(slots=True)
class Clause:
    subject: NounPhrase | None
    verb: Concept | None  # None: a copular clause
    object: NounPhrase | None = None
    predicate: object = None  # of a copular clause: an adjective Concept or a NounPhrase
    obliques: list = field(default_factory=list)  # (relation, NounPhrase)
    adverb: Concept | None = None
    tense: str = "present"  # present, past, future
    negated: bool = False
    question: bool = False
    exclamation: bool = False
    interjection: int | None = None
    complement: "Clause | None" = None  # of a verb of speech
    adverbial: tuple | None = None  # (subordinator, Clause)
    conjunct: tuple | None = None  # (conjunction, Clause)


def _anchors(rng, number):
    """What goes with topic ``number`` and is written alike everywhere."""
    letters = "BCDFGKLMNPRSTV"
    acronyms = ["".join(rng.choice(letters) for _ in range(rng.choice((2, 3)))) for _ in range(4)]
    hosts = [(rng.choice(letters).lower(), rng.choice(letters).lower()) for _ in range(3)]
    years = [rng.randrange(1900, 2020) for _ in range(4)]
    counts = [rng.choice((rng.randrange(2, 100), rng.randrange(100, 1000))) for _ in range(4)]
    return {
        "acronym": [Anchor(acronym, "NOUN") for acronym in acronyms],
        "url": [Anchor(f"www.{first}{number}{last}.org", "X") for first, last in hosts],
        "year": [Anchor(str(year), "NUM") for year in years],
        "count": [Anchor(str(count), "NUM") for count in counts],
    }


class Meanings:
    """The inventory of concepts, topics and names, and the sampler of sentence meanings.

    Everything is drawn from ``Random(f"{seed}/...")``: a world is a function of its parameters.
    """

    def __init__(self, parameters, branches: list[str], syllables):
        self.p = parameters
        rng = Random(f"{parameters.seed}/meanings")
        self._draw_concepts(rng)
        self._draw_topics(rng)
        self._draw_preferences(rng)
        self._draw_names(rng, branches, syllables)

    def _draw_concepts(self, rng):
        p = self.p
        self.concepts = []
        counts = (p.nouns, p.verbs, p.adjectives, p.adverbs)
        for upos, count in zip(CONTENT, counts, strict=True):
            kinds = {"NOUN": NOUN_KINDS, "VERB": FRAMES}.get(upos, {"": 1.0})
            kind = Weighted(kinds, kinds.values())
            for _ in range(count):
                self.concepts.append(Concept(len(self.concepts), upos, kind.draw(rng)))
        self.of = {upos: [c for c in self.concepts if c.upos == upos] for upos in CONTENT}

    def _draw_topics(self, rng):
        """Every concept belongs to one topic, a few to a second one, and is ranked in it."""
        p = self.p
        members = [{upos: [] for upos in self.of} for _ in range(p.topics)]
        for concept in self.concepts:
            home = rng.randrange(p.topics)
            members[home][concept.upos].append(concept)
            if rng.random() < p.second_topic:
                second = (home + 1 + rng.randrange(p.topics - 1)) % p.topics
                members[second][concept.upos].append(concept)
        self.topics = [self._topic(rng, number, lists) for number, lists in enumerate(members)]
        self.topic = zipf(range(p.topics), 0.4)

    def _topic(self, rng, number, lists):
        topic = {}
        for upos, concepts in lists.items():
            concepts = concepts or self.of[upos][:3]
            rng.shuffle(concepts)
            topic[upos] = zipf(concepts, self.p.zipf)
        for kind in NOUN_KINDS:
            here = [c for c in topic["NOUN"].items if c.kind == kind]
            topic[kind] = zipf(here or [c for c in self.of["NOUN"] if c.kind == kind], self.p.zipf)
        return topic | _anchors(rng, number)

    def _draw_preferences(self, rng):
        """A verb's favourite subjects and objects, a noun's adjectives: few, and of one topic."""
        home = {}
        for topic in self.topics:
            for upos in self.of:
                for concept in topic[upos].items:
                    home.setdefault(concept.index, topic)
        self.subjects, self.objects, self.qualities = {}, {}, {}
        subject_kinds = Weighted(SUBJECT_KINDS, SUBJECT_KINDS.values())
        object_kinds = Weighted(NOUN_KINDS, NOUN_KINDS.values())
        for verb in self.of["VERB"]:
            topic = home[verb.index]
            kind = "person" if verb.kind == "speech" else subject_kinds.draw(rng)
            self.subjects[verb.index] = self._favourites(rng, topic[kind].items)
            self.objects[verb.index] = self._favourites(rng, topic[object_kinds.draw(rng)].items)
        for noun in self.of["NOUN"]:
            adjectives = home[noun.index]["ADJ"].items
            self.qualities[noun.index] = zipf(rng.sample(adjectives, min(3, len(adjectives))), 1.0)

    def _favourites(self, rng, nouns):
        return zipf(rng.sample(nouns, min(self.p.preferred, len(nouns))), 1.0)

    def _draw_names(self, rng, branches, syllables):
        p = self.p
        self.names = {}
        # Endings tell names apart to a degree, as -son and -burg: a branch has two of a type's six.
        common = {type_: [syllables(rng, 1) for _ in range(6)] for type_ in NAME_OF_KIND.values()}
        self._endings = {
            (b, type_): rng.sample(common[type_], 2) for b in branches for type_ in common
        }
        self._generic = {
            "ORG": [c for c in self.of["NOUN"] if c.kind == "organisation"][:10],
            "MISC": [c for c in self.of["NOUN"] if c.kind == "event"][:8],
        }
        self._given = {b: [syllables(rng, 2) for _ in range(p.given_names)] for b in branches}
        self._syllables = syllables
        counts = {"PER": p.people, "LOC": p.places, "ORG": p.organisations, "MISC": p.works}
        for type_, count in counts.items():
            each = range(max(4, count // len(branches)))
            for branch in branches:
                names = [self._coin(rng, type_, branch) for _ in each]
                self.names[type_, branch] = zipf(names, p.name_zipf)
            everyone = [name for branch in branches for name in self.names[type_, branch].items]
            rng.shuffle(everyone)
            self.names[type_, None] = zipf(everyone, p.name_zipf)

    def _coin(self, rng, type_, branch):
        """A new name of one to four tokens, in the manner of the branch."""
        usual = rng.random() < 0.75
        ending = rng.choice(self._endings[branch, type_]) if usual else self._syllables(rng, 1)
        proper = self._syllables(rng, rng.choice((1, 2))) + ending
        return Name(type_, branch, self._parts(rng, type_, branch, proper, rng.random()))

    def _parts(self, rng, type_, branch, proper, shape):
        if type_ == "PER":
            given = 0 if shape < 0.25 else 1 if shape < 0.9 else 2
            return [*(rng.choice(self._given[branch]) for _ in range(given)), proper]
        if type_ == "LOC":
            return [proper] if shape < 0.8 else [self._syllables(rng, 1), proper]
        if type_ == "ORG":
            return self._organisation(rng, proper, shape)
        year = str(rng.randrange(1950, 2020))
        if 0.35 <= shape < 0.75:
            return [proper, rng.choice(self._generic["MISC"])]
        return [proper, year] if shape > max(0.75, 1 - 0.25 * self.p.anchors) else [proper]

    def _organisation(self, rng, proper, shape):
        other = self._syllables(rng, 2)
        if shape < 0.3:
            return [proper]
        generic = rng.choice(self._generic["ORG"])
        if shape < 0.65:
            return [proper, generic]
        if shape < 0.85:
            return [generic, "of", proper]
        return [other, proper, generic] if shape < 0.95 else [other, proper, other, generic]

    # ---- sampling

    def sample(self, rng: Random, register, home: str) -> Clause:
        """A sentence's meaning; those who say it take their own names from the branch ``home``."""
        topic = self.topics[self.topic.draw(rng)]
        clause = self._clause(rng, register, topic, home, depth=0)
        roll = rng.random()
        if roll < 0.09:
            clause.question = True
        elif roll < 0.12:
            clause.exclamation = True
            if rng.random() < 0.6:
                clause.interjection = rng.randrange(4)
        if rng.random() < register.coordination:
            word = rng.choice(("and", "but", "or"))
            clause.conjunct = word, self._clause(rng, register, topic, home, depth=1)
        elif rng.random() < register.subordination:
            word = rng.choice(("because", "when", "if"))
            clause.adverbial = word, self._clause(rng, register, topic, home, depth=1)
        return clause

    def _clause(self, rng, register, topic, home, depth):
        tense = "present" if (roll := rng.random()) < 0.45 else "past" if roll < 0.85 else "future"
        negated = rng.random() < 0.1
        if rng.random() < register.copular:
            return self._copular(rng, register, topic, home, tense, negated)
        verb = topic["VERB"].draw(rng)
        subject = self._argument(rng, register, topic, home, self.subjects[verb.index], depth)
        clause = Clause(subject, verb, tense=tense, negated=negated)
        if verb.kind == "transitive":
            nouns = self.objects[verb.index]
            clause.object = self._argument(rng, register, topic, home, nouns, depth)
        elif verb.kind == "speech" and depth == 0 and rng.random() < 0.7:
            clause.complement = self._clause(rng, register, topic, home, depth=1)
        if rng.random() < register.oblique:
            clause.obliques.append(self._oblique(rng, register, topic, home))
        if rng.random() < register.adverb:
            clause.adverb = topic["ADV"].draw(rng)
        return clause

    def _copular(self, rng, register, topic, home, tense, negated):
        subject = self._argument(rng, register, topic, home, topic["NOUN"], 1)
        head = subject.head
        if isinstance(head, Concept) and rng.random() < 0.65:
            predicate = self.qualities[head.index].draw(rng)
            subject.adjectives = []
        elif rng.random() < 0.5:
            predicate = topic["ADJ"].draw(rng)
        else:
            predicate = NounPhrase(topic["NOUN"].draw(rng), definite=False)
        return Clause(subject, None, predicate=predicate, tense=tense, negated=negated)

    def _oblique(self, rng, register, topic, home):
        roll = rng.random()
        if roll < 0.5:
            relation, nouns = rng.choice(("in", "to", "from")), topic["place"]
        elif roll < 0.5 + 0.25 * register.anchors:
            return "in", NounPhrase(rng.choice(topic["year"]))
        elif roll < 0.5 + 0.4 * register.anchors:
            return "with", NounPhrase(rng.choice(topic["url"]))
        else:
            relation, nouns = rng.choice(("with", "for", "about")), topic["NOUN"]
        return relation, self._argument(rng, register, topic, home, nouns, 1)

    def _argument(self, rng, register, topic, home, nouns, depth):
        noun = nouns.draw(rng)
        roll = rng.random()
        if noun.kind in NAME_OF_KIND and roll < register.names:
            return self._named(rng, register, topic, home, noun)
        if roll > 1 - register.pronouns:
            return NounPhrase(Pronoun(rng.choice((1, 2, 3, 3)), rng.random() < 0.35))
        if rng.random() < 0.12 * register.anchors:
            return NounPhrase(rng.choice(topic["acronym"]), definite=True)
        return self._common(rng, register, topic, home, noun, depth)

    def _named(self, rng, register, topic, home, noun):
        type_ = NAME_OF_KIND[noun.kind]
        community = home if rng.random() < self.p.home_names else None
        coined = rng.random() < self.p.coined_names
        known = self.names[type_, community]
        phrase = NounPhrase(self._coin(rng, type_, home) if coined else known.draw(rng))
        if type_ == "PER" and rng.random() < 0.35:
            phrase.title = topic["person"].draw(rng)
        if rng.random() < 0.08:
            phrase.conjunct = NounPhrase(self.names[type_, home].draw(rng))
        return phrase

    def _common(self, rng, register, topic, home, noun, depth):
        phrase = NounPhrase(noun, plural=rng.random() < 0.3)
        roll = rng.random()
        if roll < 0.1:
            phrase.demonstrative = True
        elif roll < 0.22:
            phrase.plural = True
            digits = rng.random() < 0.5 * register.anchors
            phrase.numeral = rng.choice(topic["count"]) if digits else rng.randrange(1, 9)
            if phrase.numeral == 1:
                phrase.plural = False
        else:
            phrase.definite = rng.random() < 0.6
        if rng.random() < register.adjectives:
            phrase.adjectives.append(self.qualities[noun.index].draw(rng))
            phrase.intensifier = rng.random() < 0.15
            second = topic["ADJ"].draw(rng) if rng.random() < 0.12 else phrase.adjectives[0]
            if second is not phrase.adjectives[0]:
                phrase.adjectives.append(second)
        if rng.random() < register.genitives:
            phrase.genitive = self._owner(rng, register, topic, home)
        if depth == 0 and rng.random() < register.relatives:
            phrase.relative = self._relative(rng, register, topic, home)
        elif rng.random() < 0.06:
            phrase.conjunct = NounPhrase(topic["NOUN"].draw(rng), definite=phrase.definite)
        return phrase

    def _owner(self, rng, register, topic, home):
        owner = topic["NOUN"].draw(rng)
        if owner.kind in NAME_OF_KIND and rng.random() < register.names:
            return self._named(rng, register, topic, home, owner)
        return NounPhrase(owner, definite=True, plural=rng.random() < 0.2)

    def _relative(self, rng, register, topic, home):
        verb = topic["VERB"].draw(rng)
        clause = Clause(None, verb, tense=rng.choice(("present", "past")))
        if verb.kind != "intransitive":
            clause.object = self._argument(rng, register, topic, home, self.objects[verb.index], 1)
        return clause
