"""How a pocket language names things: inheritance and sound change, loans, inflection, homographs.

Roots come down a family tree (family > branch > cluster > language). Every node changes some sounds and replaces some
roots, so sisters share cognates and strangers share nothing but loans. Hindi and Urdu are one cluster with no change
of its own below it: one lexicon in two scripts.
"""

from functools import lru_cache
from random import Random

from crosslingual import languages
from crosslingual.pocket import scripts
from crosslingual.pocket.meaning import Concept

# Languages close enough to share nearly all of their roots.
CLUSTERS = {"no_bokmaal": "scandinavian", "no_nynorsk": "scandinavian", "da": "scandinavian", "sv": "scandinavian",
            "pt": "portuguese", "pt_br": "portuguese", "gl": "portuguese", "cs": "czechoslovak", "sk": "czechoslovak",
            "hr": "south slavic", "sl": "south slavic", "hi": "hindustani", "ur": "hindustani"}

# borrower: (donor, share of content words); which languages borrowed from which is common knowledge, the shares are ours.
LOANS = {"ja": ("zh", 0.25), "ko": ("zh", 0.2), "fa": ("ar", 0.2), "tr": ("ar", 0.08), "en": ("fr", 0.2), "eu": ("es", 0.2),
         "mr": ("hi", 0.15), "bn": ("hi", 0.15), "hu": ("de", 0.06), "lv": ("de", 0.06), "et": ("de", 0.06), "fi": ("sv", 0.08),
         "ro": ("bg", 0.1), "id": ("ar", 0.08), "hindustani": ("fa", 0.12), "te": ("hi", 0.1), "he": ("ar", 0.08)}

SOUND_CHANGES = [("p", "f"), ("k", "h"), ("b", "p"), ("d", "t"), ("g", "k"), ("s", "h"), ("r", "l"), ("v", "b"), ("w", "v"), ("t", "s"),
                 ("e", "i"), ("o", "u"), ("a", "o"), ("i", "e"), ("u", "o"), ("ki", "Ci"), ("ke", "Ce"), ("si", "Si"), ("se", "Se"),
                 ("ti", "Ci"), ("ge", "Je"), ("h", ""), ("l", "j"), ("n", "m"), ("z", "s"), ("f", "v"), ("ai", "e"), ("au", "o")]
FRONT_ROUNDED = {"de", "tr", "hu", "fi", "et", "sv", "da", "no_bokmaal", "no_nynorsk", "fr", "nl"}  # these languages have ö and ü

# Morphological type by branch: which categories a pocket language marks, and how. Schematic, ours, after common knowledge.
ARTICLES = {"Germanic": "article", "Romance": "article", "Hellenic": "article", "Ugric": "article", "Semitic": "prefix", "Basque": "suffix"}
ARTICLES_OF = {"no_bokmaal": "suffix", "no_nynorsk": "suffix", "da": "suffix", "sv": "suffix", "bg": "suffix", "ro": "suffix"}
CASES = {"Slavic", "Baltic", "Finnic", "Ugric", "Turkic", "Basque", "Tamil", "Telugu", "Hellenic", "Koreanic", "Japonic"}
NO_CASES = {"bg"}
AGREEING_ADJECTIVES = {"Slavic", "Baltic", "Finnic", "Romance", "Hellenic", "Semitic", "Indo-Aryan"}
ISOLATING = {"Sinitic", "Malayic"}
PERSON_ENDINGS = {"Romance", "Slavic", "Baltic", "Finnic", "Ugric", "Turkic", "Hellenic", "Semitic", "Iranian", "Indo-Aryan", "Tamil", "Telugu", "Basque"}
ADVERBS_LIKE_ADJECTIVES = {"de", "nl", "ro", "no_bokmaal", "no_nynorsk", "da", "sv"}

FUNCTION_WORDS = {
    "ADP": ["in", "to", "from", "with", "for", "about", "of"], "DET": ["the", "a", "this"],
    "PRON": [f"{person}{number}" for number in ("sg", "pl") for person in (1, 2, 3)] + ["which"],
    "AUX": ["be", "be-past", "will", "have"], "PART": ["not", "?"], "CCONJ": ["and", "but", "or"],
    "SCONJ": ["that", "because", "when", "if"], "INTJ": ["i0", "i1", "i2", "i3"], "NUM": [str(n) for n in range(1, 9)], "ADV": ["very"]}
# Function words of one form and two parts of speech, a pair and the share of languages that have it: as English "that", "to" and
# "have", Romance "de" and "un". They, like the homographs of content words, are what a tagger has to read the context for.
SYNCRETISMS = [(("SCONJ", "that"), ("DET", "this"), 0.35), (("PRON", "which"), ("SCONJ", "that"), 0.5), (("NUM", "1"), ("DET", "a"), 0.6),
               (("ADP", "of"), ("ADP", "from"), 0.4), (("ADP", "to"), ("PART", "not"), 0.15), (("SCONJ", "when"), ("ADP", "about"), 0.25),
               (("SCONJ", "because"), ("ADP", "for"), 0.35), (("PRON", "3sg"), ("DET", "the"), 0.4), (("PRON", "3pl"), ("DET", "this"), 0.3),
               (("ADV", "very"), ("CCONJ", "but"), 0.1)]


def syllables(rng: Random, count: int) -> str:
    """A pronounceable string of ``count`` syllables, in phonemes."""
    out = []
    for _ in range(count):
        out.append(rng.choice("ptkbdgmnrlsvhfz" if rng.random() < 0.92 else "jSCJ") if rng.random() < 0.93 else "")
        out.append(rng.choice("aaeeiioou"))
        if rng.random() < 0.28:
            out.append(rng.choice("nmlrskt"))
    return "".join(out)


def lineage(code: str) -> list[str]:
    """Family, branch, cluster (if any) and language, the nodes on the way down to ``code``."""
    row = languages.table().loc[code]
    nodes = [f"family {row.family}", f"branch {row.branch}"]
    if code in CLUSTERS:
        nodes.append(f"cluster {CLUSTERS[code]}")
    return nodes if CLUSTERS.get(code) == "hindustani" else [*nodes, f"language {code}"]


class Protoforms:
    """The roots of every node of the family tree, shared by the lexicons of one world."""

    def __init__(self, parameters, concepts: list[Concept]):
        self.p = parameters
        self.upos = {concept.index: concept.upos for concept in concepts}
        rng = Random(f"{parameters.seed}/international")
        nouns = [c.index for c in concepts if c.upos in ("NOUN", "ADJ")]
        self.international = {index: syllables(rng, 3) for index in nouns if rng.random() < parameters.international}

    @lru_cache(maxsize=None)
    def changes(self, node: str) -> list[tuple[str, str]]:
        rng = Random(f"{self.p.seed}/sounds/{node}")
        count = {"family": 0, "branch": 4, "cluster": 2, "language": 3}[node.split()[0]]
        if node.split()[-1] in CLUSTERS:
            count = 1
        return rng.sample(SOUND_CHANGES, round(count * self.p.sound_change))

    @lru_cache(maxsize=None)
    def root(self, nodes: tuple[str, ...], key) -> str:
        """The form of ``key`` (a concept's index or a function word) at the last of ``nodes``."""
        node = nodes[-1]
        rng = Random(f"{self.p.seed}/root/{node}/{key}")
        kept = {"branch": self.p.family_cognates, "cluster": 0.85, "language": 0.85}.get(node.split()[0], 0.0)
        if len(nodes) > 1 and rng.random() < kept:
            form = self.root(nodes[:-1], key)
            for old, new in self.changes(node):
                form = form.replace(old, new) or form
            return form
        short = isinstance(key, str)
        form = syllables(rng, 1 if short else rng.choice((1, 2, 2, 2, 3)))
        return form if len(form) > 1 else form + rng.choice("aeiou") + rng.choice("nrst")


class Language:
    """One pocket language: its words, their inflection and their spelling.

    ``word(...)`` methods return (form, phonemes); forms are memoised, because a word is inflected the same way each time.
    """

    def __init__(self, code: str, parameters, protoforms: Protoforms, script: str | None = None):
        self.code, self.p, self.protoforms = code, parameters, protoforms
        row = languages.table().loc[code]
        self.branch, self.script = row.branch, script or row.script
        self.nodes = tuple(lineage(code))
        self.article = ARTICLES_OF.get(code, ARTICLES.get(self.branch, "none"))
        self.inflects = self.branch not in ISOLATING
        self.has_case = self.branch in CASES and code not in NO_CASES
        self.adjectives_agree = self.branch in AGREEING_ADJECTIVES
        self.persons = self.branch in PERSON_ENDINGS
        self.capitals = self.script in ("Latn", "Cyrl", "Grek")
        self._suffixes = {}
        self._synonyms = self._homographs()
        self._function = self._function_words()
        self._cache = {}

    # ---- roots ----------------------------------------------------------------------------------------------

    def _homographs(self) -> dict[int, int]:
        """For a share of the content concepts, another one of a different part of speech whose root they take over."""
        rng = Random(f"{self.p.seed}/homographs/{self.nodes[-1]}")
        indices, upos = sorted(self.protoforms.upos), self.protoforms.upos
        pairs = {}
        for index in indices:
            if rng.random() < self.p.homographs:
                other = rng.choice(indices)
                if upos[other] != upos[index] and other not in pairs:
                    pairs[index] = other
        if self.code in ADVERBS_LIKE_ADJECTIVES:
            adjectives = [i for i in indices if upos[i] == "ADJ"]
            pairs |= {i: rng.choice(adjectives) for i in indices if upos[i] == "ADV" and rng.random() < 0.7}
        return pairs

    def _function_words(self) -> dict[tuple[str, str], str]:
        rng = Random(f"{self.p.seed}/syncretisms/{self.nodes[-1]}")
        words = {(upos, key): self.protoforms.root(self.nodes, f"{upos} {key}") for upos, keys in FUNCTION_WORDS.items() for key in keys}
        taken = {}
        for key, form in words.items():  # distinct by default: sound change must not merge them by chance
            while form in taken:
                form += "aneti"[len(taken) % 5]
            words[key] = form
            taken[form] = key
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
        donor, share = LOANS.get(CLUSTERS.get(self.code, self.code), (None, 0.0))
        if donor and Random(f"{self.p.seed}/loan/{self.nodes[-1]}/{index}").random() < share * self.p.loans:
            return tuple(lineage(donor))
        return None

    def suffix(self, name: str) -> str:
        """An inflectional ending, inherited within the branch."""
        if name not in self._suffixes:
            rng = Random(f"{self.p.seed}/suffix/{self.nodes[1]}/{name}")
            form = rng.choice("aeiou") + rng.choice("nrstmlkd") + (rng.choice("aeiou") if rng.random() < 0.3 else "")
            for node in self.nodes[1:]:
                for old, new in self.protoforms.changes(node):
                    form = form.replace(old, new) or form
            self._suffixes[name] = form
        return self._suffixes[name]

    # ---- words ----------------------------------------------------------------------------------------------

    def function(self, upos: str, key: str) -> tuple[str, str]:
        return self._memo(("f", upos, key), lambda: self._function[upos, key])

    def noun(self, concept, plural=False, case="", definite=False) -> tuple[str, str]:
        def phonemes():
            form = self.root(concept.index)
            if self.inflects:
                form += self.suffix("plural") if plural else ""
                form += self.suffix(case) if case and self.has_case else ""
                form += self.suffix("definite") if definite and self.article == "suffix" else ""
                form = (self.suffix("definite-prefix") if definite and self.article == "prefix" else "") + form
            return form
        capital = self.code == "de"
        return self._memo(("n", concept.index, plural, case, definite), phonemes, concept, capital)

    def verb(self, concept, tense, person=3, plural=False) -> tuple[str, str]:
        def phonemes():
            form = self.root(concept.index)
            if self.inflects:
                form += self.suffix("past") if tense == "past" else self.suffix("infinitive") if tense == "infinitive" else ""
                if tense != "infinitive":
                    form += self.suffix(f"person{person}{plural}") if self.persons else self.suffix("agree") if not plural and tense == "present" else ""
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
        plain = not self.inflects or self.code in ADVERBS_LIKE_ADJECTIVES or concept.index % 3 == 0
        return self._memo(("r", concept.index), lambda: self.root(concept.index) + ("" if plain else self.suffix("adverb")), concept)

    def proper(self, phonemes: str) -> tuple[str, str]:
        """A part of a name: copied within a script up to spelling, transliterated across scripts."""
        return self._memo(("p", phonemes), lambda: phonemes, None, True)

    def _memo(self, key, phonemes, concept=None, capital=False):
        if key not in self._cache:
            sounds = phonemes() if callable(phonemes) else phonemes
            form = self.spell(sounds, concept, proper=key[0] == "p")
            self._cache[key] = (form[0].upper() + form[1:] if capital and self.capitals else form, sounds)
        return self._cache[key]

    def spell(self, phonemes: str, concept=None, proper=False) -> str:
        if not phonemes or not phonemes[0].isalpha():
            return phonemes
        if self.script == "Jpan":
            return self._japanese(phonemes, concept, proper)
        if self.code in FRONT_ROUNDED and not proper:
            phonemes = phonemes.replace("ou", "ö").replace("iu", "ü").replace("eu", "ö")
        return scripts.graphemes(phonemes, self.code, self.script)

    def _japanese(self, phonemes, concept, proper):
        """Kanji for roots (Chinese loans keep their characters), hiragana for endings and function words, katakana for the foreign."""
        if proper or (concept and self._synonyms.get(concept.index, concept.index) in self.protoforms.international):
            return scripts.kana(phonemes, katakana=True)
        if concept is None:
            return scripts.kana(phonemes)
        index = self._synonyms.get(concept.index, concept.index)
        root = self.root(concept.index)
        ending = phonemes[len(root):]
        stem = scripts.han(root) if self._donor(index) else scripts.HAN[index % len(scripts.HAN)] + (
            scripts.HAN[index * 7 % len(scripts.HAN)] if index >= len(scripts.HAN) else "")
        return stem + (scripts.kana(ending) if ending else "")
