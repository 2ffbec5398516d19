"""How a pocket language orders a clause: WALS 81A and 85A-89A, and what follows from them.

A `Speaker` turns one meaning into tokens. Everything the six features do not decide (where
auxiliaries, question particles, subordinators and relative clauses stand) follows the common
correlates of verb-object order.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from random import Random

from pocketworld.lexicon import LANGUAGES, Language, read_table
from pocketworld.meaning import Anchor, Clause, Concept, Name, NounPhrase, Pronoun

FINAL = {"hi": "।", "mr": "।", "bn": "।", "ur": "۔", "zh": "。", "ja": "。"}
QUESTION = {"ar": "؟", "fa": "؟", "ur": "؟", "el": ";", "zh": "？", "ja": "？"}
COMMA = {"ar": "،", "fa": "،", "ur": "،", "zh": "，", "ja": "、"}
FEATURES = {
    "81A": ("SVO", "SOV", "VSO"),
    "85A": ("Prepositions", "Postpositions"),
    "86A": ("Genitive-Noun", "Noun-Genitive"),
    "87A": ("Adjective-Noun", "Noun-Adjective"),
    "88A": ("Demonstrative-Noun", "Noun-Demonstrative"),
    "89A": ("Numeral-Noun", "Noun-Numeral"),
}
SPLIT = re.compile("(.+) main, (.+) subordinate")


class WorldError(ValueError):
    """A parameter that a pocket world cannot have; ``key`` is its path, as ``("orders", "ja")``."""

    def __init__(self, problem: str, *key: str):
        super().__init__(problem)
        self.key = key


INFLECT = {"NOUN": Language.noun, "VERB": Language.verb}
INFLECT |= {"ADJ": Language.adjective, "ADV": Language.adverb}


@dataclass(slots=True)
class Token:
    form: str
    upos: str
    entity: str = "O"
    phonemes: str = ""
    language: str = ""


@dataclass(frozen=True)
class Order:
    """The word order of a language: for each WALS feature the probability of each of its values."""

    values: tuple  # ((feature, ((value, probability), ...)), ...)
    subordinate: str | None = None  # the verb's place in subordinate clauses, where it differs

    def draw(self, feature: str, rng: Random) -> str:
        options = dict(self.values)[feature]
        roll = rng.random()
        for value, probability in options:
            roll -= probability
            if roll < 0:
                return value
        return options[-1][0]


@cache
def order_names(code: str) -> dict[str, str]:
    """The language's value of each feature: as WALS attests it or, where it has none, as assumed.

    "No dominant order" has to be filled too. Raises WorldError for a language that is not there.
    """
    if code not in LANGUAGES:
        raise WorldError(f"unknown language {code!r}: choose from {' '.join(LANGUAGES)}")
    rows = [row for row in read_table("word_order.csv") if row["language"] == code]
    rows.sort(key=lambda row: row["kind"], reverse=True)  # the assumed ones last: they win
    chosen = {row["feature"]: row["value"] for row in rows}
    return {feature: chosen[feature] for feature in FEATURES}


def parse_order(values: dict[str, str]) -> Order:
    """Read an order from WALS value names.

    ``"SVO 0.7, VSO 0.3"`` is a mixture, ``"SVO main, SOV subordinate"`` a split. Raises WorldError
    for a feature or value that the generator does not have.
    """
    parsed, subordinate = [], None
    for feature, text in values.items():
        if feature not in FEATURES:
            known = ", ".join(FEATURES)
            raise WorldError(f"unknown word-order feature {feature!r}: choose from {known}")
        split = SPLIT.fullmatch(str(text)) if feature == "81A" else None
        if split:
            subordinate, options = split[2], ((split[1], 1.0),)
        else:
            options = tuple(_option(part) for part in str(text).split(", "))
        where = f"word order {feature}={text!r}"
        for value in [name for name, _ in options] + ([split[2]] if split else []):
            if value not in FEATURES[feature]:
                raise WorldError(f"{where}: {value!r} is not one of {', '.join(FEATURES[feature])}")
        if abs((total := sum(share for _, share in options)) - 1) > 1e-6:
            raise WorldError(f"{where}: the shares add up to {total:g}, not to 1")
        parsed.append((feature, options))
    return Order(tuple(parsed), subordinate)


def _option(text: str) -> tuple[str, float]:
    """``"SVO 0.7"`` or just ``"SVO"``."""
    value, _, share = text.rpartition(" ")
    return (value, float(share)) if share.replace(".", "", 1).isdigit() else (text, 1.0)


class Speaker:
    """Says meanings in one language; a code-switcher overrides ``choose`` and ``lexicon``."""

    def __init__(self, language, order: Order, rng: Random):
        self.language, self.order, self.rng = language, order, rng

    def choose(self, phrase) -> "Speaker":
        """Who says this phrase: oneself."""
        return self

    def lexicon(self):
        """Whose word is inserted next: one's own language's."""
        return self.language

    # ---- sentences

    def sentence(self, clause: Clause) -> list[Token]:
        tokens = self.clause(clause)
        if clause.interjection is not None:
            tokens = [self._function("INTJ", f"i{clause.interjection}"), self._comma(), *tokens]
        if clause.conjunct:
            conjunction, other = clause.conjunct
            tokens = [*tokens, self._function("CCONJ", conjunction), *self.clause(other)]
        if clause.adverbial:
            tokens = self._with_adverbial(tokens, *clause.adverbial)
        final = "!" if clause.exclamation else FINAL.get(self.language.code, ".")
        final = QUESTION.get(self.language.code, "?") if clause.question else final
        tokens.append(Token(final, "PUNCT", language="univ"))
        return _capitalised(tokens, self.language.capitals)

    def _with_adverbial(self, tokens, subordinator, clause):
        """Verb-final languages put the subordinate clause first and its subordinator last."""
        inner = self.clause(clause, subordinate=True)
        word = self._function("SCONJ", subordinator)
        if self._mostly("81A", "SOV"):
            return [*inner, word, self._comma(), *tokens]
        if self.rng.random() < 0.5:
            return [*tokens, self._comma(), word, *inner]
        return [word, *inner, self._comma(), *tokens]

    def clause(self, clause: Clause, subordinate=False) -> list[Token]:
        order = subordinate and self.order.subordinate or self.order.draw("81A", self.rng)
        verb_final = order == "SOV"
        subject = self._said(clause.subject, "")
        if clause.verb is None:
            verb, object_ = self._copula(clause, verb_final), self._predicate(clause)
        else:
            verb = self._verb_group(clause, verb_final)
            object_ = self._said(clause.object, "accusative")
        around = [token for oblique in clause.obliques for token in self.oblique(*oblique)]
        adverb = [self._content(clause.adverb)] if clause.adverb else []
        complement = self._complement(clause, verb_final) if clause.complement else []
        parts = {
            "SOV": (subject, around, complement, object_, adverb, verb),
            "VSO": (verb, subject, object_, adverb, around, complement),
            "SVO": (subject, verb, object_, adverb, around, complement),
        }
        tokens = list(chain.from_iterable(parts[order]))
        if clause.question:
            particle = [self._function("PART", "?")]
            tokens = tokens + particle if verb_final else particle + tokens
        return tokens

    def _said(self, phrase, case):
        return self.choose(phrase).phrase(phrase, case) if phrase else []

    def _mostly(self, feature, value):
        """Whether a value comes first among those of a feature."""
        return dict(self.order.values)[feature][0][0] == value

    def _agreement(self, clause):
        head = clause.subject.head if clause.subject else None
        if isinstance(head, Pronoun):
            return head.person, head.plural
        return 3, bool(clause.subject and (clause.subject.plural or clause.subject.conjunct))

    def _verb_group(self, clause, verb_final):
        """Negation, auxiliary, verb; in verb-final order mirrored, as in Hindi or Turkish."""
        perfect = clause.tense == "past" and clause.verb.index % 4 == 0
        helper = "will" if clause.tense == "future" else "have" if perfect else None
        tense = "infinitive" if helper else clause.tense
        verb = self._content(clause.verb, tense, *self._agreement(clause))
        auxiliary = [self._function("AUX", helper)] if helper else []
        negation = [self._function("PART", "not")] if clause.negated else []
        return [*negation, verb, *auxiliary] if verb_final else [*auxiliary, *negation, verb]

    def _copula(self, clause, verb_final):
        copula = [self._function("AUX", "be-past" if clause.tense == "past" else "be")]
        negation = [self._function("PART", "not")] if clause.negated else []
        return negation + copula if verb_final else copula + negation

    def _predicate(self, clause):
        if isinstance(clause.predicate, Concept):
            plural = self._agreement(clause)[1]
            return [self._content(clause.predicate, plural)]
        return self.choose(clause.predicate).phrase(clause.predicate, "")

    def _complement(self, clause, verb_final):
        word = self._function("SCONJ", "that")
        inner = self.clause(clause.complement, subordinate=True)
        return [*inner, word] if verb_final else [word, *inner]

    # ---- phrases

    def oblique(self, relation: str, phrase: NounPhrase) -> list[Token]:
        speaker = self.choose(phrase)
        adposition, tokens = speaker._function("ADP", relation), speaker.phrase(phrase, "oblique")
        after = speaker.order.draw("85A", speaker.rng) == "Postpositions"
        return [*tokens, adposition] if after else [adposition, *tokens]

    def phrase(self, phrase: NounPhrase, case: str) -> list[Token]:
        tokens = self._simple_phrase(phrase, case)
        if phrase.conjunct:
            other = self._simple_phrase(phrase.conjunct, case)
            tokens = [*tokens, self._function("CCONJ", "and"), *other]
        return tokens

    def _simple_phrase(self, phrase, case):
        head = phrase.head
        if isinstance(head, Pronoun):
            return [self._function("PRON", f"{head.person}{'pl' if head.plural else 'sg'}")]
        if isinstance(head, Name):
            title = [self._content(phrase.title)] if phrase.title else []
            return title + self.name(head)
        if isinstance(head, Anchor):
            return self._determined(phrase, [Token(head.form, head.upos, language="univ")])
        return self._common(phrase, head, case)

    def _common(self, phrase, head, case):
        definite = bool(phrase.definite)
        noun = [self._content(head, phrase.plural, case, definite)]
        order, rng = self.order, self.rng
        if phrase.adjectives:
            adjectives = [self._content(each, phrase.plural, case) for each in phrase.adjectives]
            very = [self._function("ADV", "very")] if phrase.intensifier else []
            adjectives = very + adjectives
            before = order.draw("87A", rng) == "Adjective-Noun"
            noun = adjectives + noun if before else noun + adjectives
        if phrase.numeral is not None:
            number = phrase.numeral
            digits = isinstance(number, Anchor) and Token(number.form, "NUM", language="univ")
            numeral = [digits or self._function("NUM", str(number))]
            noun = numeral + noun if order.draw("89A", rng) == "Numeral-Noun" else noun + numeral
        before_genitive = noun
        if phrase.genitive:
            noun = self._genitive(phrase.genitive, noun)
        if phrase.demonstrative:
            this = [self._function("DET", "this")]
            noun = this + noun if order.draw("88A", rng) == "Demonstrative-Noun" else noun + this
        elif not (phrase.genitive and noun[0] is not before_genitive[0]):
            noun = self._determined(phrase, noun)
        return self._relative(phrase.relative, noun) if phrase.relative else noun

    def _determined(self, phrase, noun):
        bare = phrase.definite is None or (not phrase.definite and phrase.plural)
        if bare or self.language.article != "article":
            return noun
        return [self._function("DET", "the" if phrase.definite else "a"), *noun]

    def _genitive(self, owner, noun):
        """Possessor and possessed: an adposition or, with cases, an ending on the possessor."""
        before = self.order.draw("86A", self.rng) == "Genitive-Noun"
        if self.language.has_case and isinstance(owner.head, Concept):
            words = [self._content(owner.head, owner.plural, "genitive")]
        else:
            of = self._function("ADP", "of")
            phrase = self.phrase(owner, "")
            words = [*phrase, of] if before else [of, *phrase]
        return words + noun if before else noun + words

    def _relative(self, clause, noun):
        """Relative clauses precede the noun if verbs are final and genitives precede it."""
        inner = self.clause(clause, subordinate=True)
        if self._mostly("81A", "SOV") and self._mostly("86A", "Genitive-Noun"):
            return [*inner, self._function("PRON", "which"), *noun]
        return [*noun, self._function("PRON", "which"), *inner]

    def name(self, name: Name) -> list[Token]:
        """The tokens of a name, tagged B- and I-.

        A generic part ("bank", "cup") is translated and takes the genitive's place.
        """
        parts = list(name.parts)
        described = isinstance(parts[-1], Concept) and len(parts) == 2
        if described and self._mostly("86A", "Noun-Genitive"):
            parts.reverse()
        if "of" in parts and self._mostly("85A", "Postpositions"):
            parts.reverse()
        tokens = [self._name_part(part) for part in parts]
        for position, token in enumerate(tokens):
            token.entity = ("I-" if position else "B-") + name.type
        return tokens

    def _name_part(self, part):
        if part == "of":
            return self._function("ADP", "of")
        if isinstance(part, Concept):
            token = self._content(part)
            token.upos = "PROPN"
            return _capitalised([token], self.language.capitals)[0]
        if part.isdigit():
            return Token(part, "NUM", language="univ")
        form, phonemes = self.language.proper(part)
        return Token(form, "PROPN", phonemes=phonemes, language="ne")

    # ---- tokens

    def _content(self, concept, *features):
        """A noun, verb, adjective or adverb, inflected by the language it is taken from."""
        lexicon = self.lexicon()
        form, phonemes = INFLECT[concept.upos](lexicon, concept, *features)
        return Token(form, concept.upos, phonemes=phonemes, language=lexicon.code)

    def _function(self, upos, key):
        form, phonemes = self.language.function(upos, key)
        return Token(form, upos, phonemes=phonemes, language=self.language.code)

    def _comma(self):
        return Token(COMMA.get(self.language.code, ","), "PUNCT", language="univ")


def _capitalised(tokens, capitals):
    if capitals:
        form = tokens[0].form
        tokens[0] = replace(tokens[0], form=form[0].upper() + form[1:])
    return tokens
