"""How a pocket language names things: inheritance and sound change, loans, inflection, homographs.

Roots come down a family tree (family > branch > cluster > language). Every node changes some sounds
and replaces some roots, so sisters share cognates and strangers share nothing but loans. Hindi and
Urdu are one cluster with no change of its own below it: one lexicon in two scripts.
"""

import csv
from functools import cache, reduce
from importlib.resources import files
from random import Random
from typing import NamedTuple

from pocketworld import scripts
from pocketworld.meaning import Concept


class Facts(NamedTuple):
    """A row of ``languages.csv``: where a language stands, whom it borrows from, what it marks.

    A cluster's languages share nearly all of their roots. ``loans`` is the share of content words
    that came from the ``donor``; who borrowed from whom is common knowledge, the shares are ours.
    ``traits``, schematic: cases, agreement (of adjectives), persons (on verbs), isolating, rounded
    (has ö and ü), plain-adverbs (spelt like adjectives).
    """

    code: str
    name: str
    script: str
    family: str
    branch: str
    cluster: str
    donor: str
    loans: str
    article: str
    traits: str


def read_table(name: str) -> list[dict[str, str]]:
    """A table of this package, a dictionary a row."""
    lines = (files("pocketworld") / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines))


LANGUAGES = {row["code"]: Facts(**row) for row in read_table("languages.csv")}

_CHANGES = (
    "p>f k>h b>p d>t g>k s>h r>l v>b w>v t>s e>i o>u a>o i>e u>o ki>Ci ke>Ce si>Si se>Se "
    "ti>Ci ge>Je h> l>j n>m z>s f>v ai>e au>o"
)
SOUND_CHANGES = [tuple(change.split(">")) for change in _CHANGES.split()]

FUNCTION_WORDS = {
    "ADP": ["in", "to", "from", "with", "for", "about", "of"],
    "DET": ["the", "a", "this"],
    "PRON": ["1sg", "2sg", "3sg", "1pl", "2pl", "3pl", "which"],
    "AUX": ["be", "be-past", "will", "have"],
    "PART": ["not", "?"],
    "CCONJ": ["and", "but", "or"],
    "SCONJ": ["that", "because", "when", "if"],
    "INTJ": ["i0", "i1", "i2", "i3"],
    "NUM": ["1", "2", "3", "4", "5", "6", "7", "8"],
    "ADV": ["very"],
}
# Function words of one form and two parts of speech, and the share of languages that have the pair:
# as English "that", "to" and "have", Romance "de" and "un". They, like the homographs of content
# words, are what a tagger has to read the context for.
SYNCRETISMS = [
    (("SCONJ", "that"), ("DET", "this"), 0.35),
    (("PRON", "which"), ("SCONJ", "that"), 0.5),
    (("NUM", "1"), ("DET", "a"), 0.6),
    (("ADP", "of"), ("ADP", "from"), 0.4),
    (("ADP", "to"), ("PART", "not"), 0.15),
    (("SCONJ", "when"), ("ADP", "about"), 0.25),
    (("SCONJ", "because"), ("ADP", "for"), 0.35),
    (("PRON", "3sg"), ("DET", "the"), 0.4),
    (("PRON", "3pl"), ("DET", "this"), 0.3),
    (("ADV", "very"), ("CCONJ", "but"), 0.1),
]


def syllables(rng: Random, count: int) -> str:
    """A pronounceable string of ``count`` syllables, in phonemes."""
    out = []
    for _ in range(count):
        if rng.random() < 0.93:
            out.append(rng.choice("ptkbdgmnrlsvhfz" if rng.random() < 0.92 else "jSCJ"))
        out.append(rng.choice("aaeeiioou"))
        if rng.random() < 0.28:
            out.append(rng.choice("nmlrskt"))
    return "".join(out)


def lineage(code: str) -> list[str]:
    """Family, branch, cluster (if any) and language, the nodes on the way down to ``code``."""
    facts = LANGUAGES[code]
    nodes = [f"family {facts.family}", f"branch {facts.branch}"]
    if facts.cluster:
        nodes.append(f"cluster {facts.cluster}")
    return nodes if facts.cluster == "hindustani" else [*nodes, f"language {code}"]


class Protoforms:
    """The roots of every node of the family tree, shared by the lexicons of one world."""

    def __init__(self, parameters, concepts: list[Concept]):
        self.p = parameters
        self.upos = {concept.index: concept.upos for concept in concepts}
        rng = Random(f"{parameters.seed}/international")
        nouns = [concept.index for concept in concepts if concept.upos in ("NOUN", "ADJ")]
        international = (index for index in nouns if rng.random() < self.p.international)
        self.international = {index: syllables(rng, 3) for index in international}

    @cache  # noqa: B019 (a world lives as long as its process)
    def changes(self, node: str) -> list[tuple[str, str]]:
        rng = Random(f"{self.p.seed}/sounds/{node}")
        count = {"family": 0, "branch": 4, "cluster": 2, "language": 3}[node.split()[0]]
        if node.startswith("language ") and LANGUAGES[node.removeprefix("language ")].cluster:
            count = 1
        return rng.sample(SOUND_CHANGES, round(count * self.p.sound_change))

    def changed(self, form: str, node: str) -> str:
        for old, new in self.changes(node):
            form = form.replace(old, new) or form
        return form

    @cache  # noqa: B019 (a world lives as long as its process)
    def root(self, nodes: tuple[str, ...], key) -> str:
        """The form of ``key`` (a concept's index or a function word) at the last of ``nodes``."""
        node = nodes[-1]
        kept = {"branch": self.p.family_cognates, "cluster": 0.85, "language": 0.85}
        rng = Random(f"{self.p.seed}/root/{node}/{key}")
        if len(nodes) > 1 and rng.random() < kept.get(node.split()[0], 0.0):
            return self.changed(self.root(nodes[:-1], key), node)
        short = isinstance(key, str)
        form = syllables(rng, 1 if short else rng.choice((1, 2, 2, 2, 3)))
        return form if len(form) > 1 else form + rng.choice("aeiou") + rng.choice("nrst")


class Language:
    """One pocket language: its words, their inflection and their spelling.

    Methods for words return (form, phonemes), memoised: a word is inflected the same way each time.
    """

    def __init__(self, code: str, parameters, protoforms: Protoforms, script: str | None = None):
        self.code, self.p, self.protoforms = code, parameters, protoforms
        self.facts = facts = LANGUAGES[code]
        self.branch, self.script = facts.branch, script or facts.script
        self.nodes = tuple(lineage(code))
        self.article, traits = facts.article, facts.traits.split()
        self.inflects, self.has_case = "isolating" not in traits, "cases" in traits
        self.adjectives_agree, self.persons = "agreement" in traits, "persons" in traits
        self.rounded, self.plain_adverbs = "rounded" in traits, "plain-adverbs" in traits
        self.capitals = self.script in ("Latn", "Cyrl", "Grek")
        self._suffixes, self._cache = {}, {}
        self._synonyms, self._function = self._homographs(), self._function_words()

    # ---- roots

    def _homographs(self) -> dict[int, int]:
        """For a share of the concepts, one of another part of speech whose root they take over."""
        rng = Random(f"{self.p.seed}/homographs/{self.nodes[-1]}")
        indices, upos = sorted(self.protoforms.upos), self.protoforms.upos
        pairs = {}
        for index in indices:
            if rng.random() < self.p.homographs:
                other = rng.choice(indices)
                if upos[other] != upos[index] and other not in pairs:
                    pairs[index] = other
        if self.plain_adverbs:
            adjectives = [i for i in indices if upos[i] == "ADJ"]
            adverbs = [i for i in indices if upos[i] == "ADV"]
            pairs |= {i: rng.choice(adjectives) for i in adverbs if rng.random() < 0.7}
        return pairs

    def _function_words(self) -> dict[tuple[str, str], str]:
        rng = Random(f"{self.p.seed}/syncretisms/{self.nodes[-1]}")
        words = {}  # distinct by default: sound change must not merge them by chance
        for upos, key in ((upos, key) for upos, keys in FUNCTION_WORDS.items() for key in keys):
            form = self.protoforms.root(self.nodes, f"{upos} {key}")
            while form in words.values():
                form += "aneti"[len(words) % 5]
            words[upos, key] = form
        for one, other, share in SYNCRETISMS:
            if rng.random() < share * self.p.syncretisms:
                words[one] = words[other]
        return words

    def root(self, index: int) -> str:
        """The concept's root in phonemes."""
        index = self._synonyms.get(index, index)
        if index in self.protoforms.international:
            return self.protoforms.international[index]
        return self.protoforms.root(self._donor(index) or self.nodes, index)

    def _donor(self, index: int):
        """The lineage of the language this concept's word was borrowed from, if it was."""
        if not self.facts.donor:
            return None
        borrowed = float(self.facts.loans) * self.p.loans
        roll = Random(f"{self.p.seed}/loan/{self.nodes[-1]}/{index}").random()
        return tuple(lineage(self.facts.donor)) if roll < borrowed else None

    def suffix(self, name: str) -> str:
        """An inflectional ending, inherited within the branch."""
        if name not in self._suffixes:
            rng = Random(f"{self.p.seed}/suffix/{self.nodes[1]}/{name}")
            form = rng.choice("aeiou") + rng.choice("nrstmlkd")
            form += rng.choice("aeiou") if rng.random() < 0.3 else ""
            self._suffixes[name] = reduce(self.protoforms.changed, self.nodes[1:], form)
        return self._suffixes[name]

    # ---- words

    def function(self, upos: str, key: str) -> tuple[str, str]:
        return self._memo(("f", upos, key), lambda: self._function[upos, key])

    def noun(self, concept, plural=False, case="", definite=False) -> tuple[str, str]:
        def phonemes():
            form = self.root(concept.index)
            if self.inflects:
                form += self.suffix("plural") if plural else ""
                form += self.suffix(case) if case and self.has_case else ""
                form += self.suffix("definite") if definite and self.article == "suffix" else ""
                if definite and self.article == "prefix":
                    form = self.suffix("definite-prefix") + form
            return form

        capital = self.code == "de"
        return self._memo(("n", concept.index, plural, case, definite), phonemes, concept, capital)

    def verb(self, concept, tense, person=3, plural=False) -> tuple[str, str]:
        def phonemes():
            form = self.root(concept.index)
            if self.inflects and tense in ("past", "infinitive"):
                form += self.suffix(tense)
            if self.inflects and tense != "infinitive":
                agree = "agree" if not plural and tense == "present" else ""
                ending = f"person{person}{plural}" if self.persons else agree
                form += self.suffix(ending) if ending else ""
            return form

        return self._memo(("v", concept.index, tense, person, plural), phonemes, concept)

    def adjective(self, concept, plural=False, case="") -> tuple[str, str]:
        def phonemes():
            form = self.root(concept.index)
            if self.inflects and self.adjectives_agree:
                form += self.suffix("adj-plural") if plural else self.suffix("adj")
                form += self.suffix("adj" + case) if case and self.has_case else ""
            return form

        return self._memo(("a", concept.index, plural, case), phonemes, concept)

    def adverb(self, concept) -> tuple[str, str]:
        def phonemes():
            plain = not self.inflects or self.plain_adverbs or concept.index % 3 == 0
            return self.root(concept.index) + ("" if plain else self.suffix("adverb"))

        return self._memo(("r", concept.index), phonemes, concept)

    def proper(self, phonemes: str) -> tuple[str, str]:
        """A part of a name: copied within a script up to spelling, else transliterated."""
        return self._memo(("p", phonemes), lambda: phonemes, None, True)

    def _memo(self, key, phonemes, concept=None, capital=False):
        if key not in self._cache:
            sounds = phonemes()
            form = self.spell(sounds, concept, proper=key[0] == "p")
            form = form[0].upper() + form[1:] if capital and self.capitals else form
            self._cache[key] = form, sounds
        return self._cache[key]

    def spell(self, phonemes: str, concept=None, proper=False) -> str:
        if not phonemes or not phonemes[0].isalpha():
            return phonemes
        if self.script == "Jpan":
            return self._japanese(phonemes, concept, proper)
        if self.rounded and not proper:
            phonemes = phonemes.replace("ou", "ö").replace("iu", "ü").replace("eu", "ö")
        return scripts.graphemes(phonemes, self.code, self.script)

    def _japanese(self, phonemes, concept, proper):
        """Kanji for roots (Chinese loans keep theirs), hiragana for endings, katakana for loans.

        Function words, without a concept, are in hiragana.
        """
        if concept is None:
            return scripts.kana(phonemes, katakana=proper)
        index = self._synonyms.get(concept.index, concept.index)
        if index in self.protoforms.international:
            return scripts.kana(phonemes, katakana=True)
        root, kanji = self.root(concept.index), scripts.HAN
        second = kanji[index * 7 % len(kanji)] if index >= len(kanji) else ""
        stem = scripts.han(root) if self._donor(index) else kanji[index % len(kanji)] + second
        return stem + scripts.kana(phonemes[len(root) :])
