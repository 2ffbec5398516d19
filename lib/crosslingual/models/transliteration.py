"""Taggers of code-switched text that are told what transliteration is (section 4.2, Table 6).

Earlier work that the paper holds M-BERT against, each by what makes it one, with `BiLSTMCRF` below:

- Ball and Garrette (2018) learn from monolingual text alone and never decide which language a word
  is of: what it would be in either script is read together (`TwoReadings`);
- Bhat et al. (2018) learn from code-switched text, too: the language of each word is told, Hindi in
  Latin letters put back into its script, and the result tagged (`BackTransliteration`). They have
  language models for that and a stacked network; here the lexicon and the training text suffice.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain

import numpy as np
from scipy import sparse

from crosslingual.models import Sentences
from crosslingual.models.bilstm_crf import BiLSTMCRF

VERSION = 1  # bump when one of these, or `BiLSTMCRF`, tags differently after the same training
GRAMS = 3  # letters of the longest pieces that spellings are compared by
SIGN = re.compile(r"DEVANAGARI (?:LETTER|VOWEL SIGN) (?:CANDRA |SHORT )?((?:VOCALIC )?\w+)$")
VOWELS = {"A", "AA", "I", "II", "U", "UU", "E", "AI", "O", "AU", "VOCALIC R"}
# Of Unicode's names of letters, those that are not what people type.
TYPED = {"tt": "t", "tth": "th", "dd": "d", "ddh": "dh", "nn": "n", "ss": "sh", "c": "ch"}
TYPED |= {"ny": "n", "ng": "n", "vocalic r": "ri"}
HINDI = re.compile("[\u0900-\u097f]")


@cache
def romanised(word: str) -> str:
    """Latin letters for a word in Devanagari, by Unicode's names of its signs; others as they are.

    A consonant has an "a" unless another vowel or the virama follows, or a word of more syllables
    ends.
    """
    spelt = ""
    for sign in word:
        name = unicodedata.name(sign, "")
        if found := SIGN.match(name):
            vowel, letter = found[1] in VOWELS, found[1].lower()
            letter = TYPED.get(letter, letter) if vowel else TYPED.get(letter[:-1], letter[:-1])
            spelt = spelt.removesuffix("a") + letter if "VOWEL SIGN" in name else spelt + letter
            spelt += "a" * (not vowel)
        elif name.endswith("VIRAMA"):
            spelt = spelt.removesuffix("a")
        elif name.endswith(("ANUSVARA", "CANDRABINDU")):
            spelt += "n"
        elif not HINDI.match(sign):
            spelt += sign
    silent = HINDI.search(word) and re.search("[aeiou].*[^aeiou]a$", spelt)
    return spelt[:-1] if silent else spelt


class Lexicon:
    """The Hindi words of a text, found by how they may be typed."""

    def __init__(self, words: Iterable[str]) -> None:
        counts = Counter(word for word in words if HINDI.search(word))
        self.words = [word for word, _ in counts.most_common()]
        spelt = [grams(romanised(word)) for word in self.words]
        rare = Counter(chain(*spelt))
        self.weight = {piece: np.log(1 + len(spelt) / times) for piece, times in rare.items()}
        self.place = {piece: i for i, piece in enumerate(self.weight)}
        self.table = self._table(spelt)
        self.known: dict[str, str] = {}

    def nearest(self, typed: str) -> str:
        """The word whose spelling shares most with what was typed; the more frequent of two."""
        if typed not in self.known:
            likeness = (self.table @ self._table([grams(typed.lower())]).T).toarray()
            self.known[typed] = self.words[int(likeness.argmax())] if self.words else typed
        return self.known[typed]

    def _table(self, spelt: Sequence[Counter]) -> sparse.csr_matrix:
        """Unit rows of weighted pieces."""
        rows = [{p: n * self.weight[p] for p, n in one.items() if p in self.place} for one in spelt]
        norms = [np.sqrt(sum(v * v for v in row.values())) or 1.0 for row in rows]
        values = [v / norm for row, norm in zip(rows, norms, strict=True) for v in row.values()]
        places = [self.place[piece] for piece in chain(*rows)]
        ends = np.cumsum([0, *map(len, rows)])
        return sparse.csr_matrix((values, places, ends), (len(rows), len(self.place)))


def grams(spelling: str) -> Counter:
    """Its runs of up to ``GRAMS`` letters, ends marked."""
    marked = f"<{spelling}>"
    sizes = range(1, GRAMS + 1)
    return Counter(marked[i : i + n] for n in sizes for i in range(len(marked) - n + 1))


class TwoReadings(BiLSTMCRF):
    """After Ball and Garrette (2018): each word as it stands, and as the nearest Hindi word."""

    def __init__(self, tokens: Sentences, labels: Sentences, seed: int) -> None:
        self.lexicon = Lexicon(chain(*tokens))
        super().__init__(tokens, labels, seed, iob=False)

    def readings(self, word: str) -> tuple[str, str]:
        typed = romanised(word).lower()
        return typed, word if HINDI.search(word) else self.lexicon.nearest(typed)

    def spelling(self, word: str) -> str:
        return romanised(word) or word


class BackTransliteration:
    """After Bhat et al. (2018): which words are Hindi, what they are in its script, their tags.

    typed, corrected: code-switched sentences with Hindi in Latin letters, and in its own; labels:
    their tags; further, further_labels: monolingual sentences.
    """

    def __init__(
        self, typed: Sentences, corrected: Sentences, labels: Sentences,
        further: Sentences, further_labels: Sentences, seed: int,
    ) -> None:  # fmt: skip
        every = [*corrected, *further]
        latin = [*typed, *(map(romanised, words) for words in further)]
        hindi = [[str(bool(HINDI.search(word))) for word in words] for words in every]
        self.language = BiLSTMCRF(list(map(list, latin)), hindi, seed, iob=False)
        self.tagger = BiLSTMCRF(every, [*labels, *further_labels], seed, iob=False)
        self.lexicon = Lexicon(chain(*every))
        pairs = zip(chain(*typed), chain(*corrected), strict=True)
        seen = Counter((latin.lower(), word) for latin, word in pairs if HINDI.search(word))
        self.lexicon.known = {latin: word for (latin, word), _ in reversed(seen.most_common())}

    def predict(self, sentences: Sentences) -> list[list[str]]:
        """One tag per word, for sentences given as lists of words."""
        told = zip(sentences, self.language.predict(sentences), strict=True)
        return self.tagger.predict([list(map(self._put_back, *both)) for both in told])

    def _put_back(self, word: str, hindi: str) -> str:
        typed = hindi == "True" and not HINDI.search(word)
        return self.lexicon.nearest(word.lower()) if typed else word
