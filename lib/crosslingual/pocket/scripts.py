"""How the pocket languages are written: phonemes to graphemes in each language's real Unicode script.

A word is a string of phonemes: consonants ``p b t d k g m n r l s z f v h j w`` and ``S Z C J`` (as in *ship*,
*vision*, *chip*, *jam*), vowels ``a e i o u`` and ``ö ü``. Spellings are schematic, not the real orthographies.
"""

import re
from random import Random

VOWELS = "aeiouöü"
_SYLLABLE = re.compile(r"([^aeiouöü]?)([aeiouöü])(?:([nmlrksptg])(?![aeiouöü]))?|([^aeiouöü])")

LATIN = {
    "": dict(S="sh", Z="zh", C="ch", J="j", j="y"),
    "en": dict(S="sh", Z="zh", C="ch", J="j", j="y", k="c", ö="o", ü="u"),
    "de": dict(S="sch", Z="sch", C="tsch", J="dsch", v="w", w="u", z="s"),
    "nl": dict(S="sj", Z="zj", C="tj", J="dj", u="oe", ü="u", ö="eu"),
    "fr": dict(S="ch", Z="j", C="tch", J="dj", u="ou", k="qu", w="ou", ü="u", ö="eu"),
    "es": dict(S="x", Z="ll", C="ch", J="y", k="c", v="v", w="hu", ö="o", ü="u"),
    "it": dict(S="sci", Z="gi", C="ci", J="gi", k="c", j="i", w="u", ö="o", ü="u"),
    "pt": dict(S="x", Z="j", C="tx", J="dj", k="c", w="u", j="i", ö="ô", ü="u"),
    "ro": dict(S="ș", Z="j", C="ci", J="gi", k="c", j="i", ö="ă", ü="î"),
    "pl": dict(S="sz", Z="ż", C="cz", J="dż", v="w", w="ł", ö="e", ü="y"),
    "cs": dict(S="š", Z="ž", C="č", J="dž", w="v", ö="é", ü="ý"),
    "hu": dict(s="sz", S="s", Z="zs", C="cs", J="dzs", w="v"),
    "tr": dict(S="ş", Z="j", C="ç", J="c", w="v", j="y"),
    "fi": dict(S="sj", Z="zj", C="tsj", J="dj", w="v", ü="y"),
    "sv": dict(S="sj", Z="sj", C="tj", J="dj", k="k", w="v", ü="y"),
    "da": dict(S="sj", Z="sj", C="tj", J="dj", w="v", ö="ø", ü="y"),
    "eu": dict(S="x", Z="j", C="tx", J="dd", v="b", w="u", s="z", ö="e", ü="u"),
}
LATIN |= {new: LATIN[old] for new, old in {
    "gl": "es", "ca": "es", "pt_br": "pt", "sk": "cs", "sl": "cs", "hr": "cs", "lv": "cs", "et": "fi",
    "no_bokmaal": "da", "no_nynorsk": "da", "id": ""}.items()}

_CYRILLIC = dict(zip("pbtdkgmnrlszfvhjwSZCJaeiouöü", "п б т д к г м н р л с з ф в х й в ш ж ч ж а е и о у ё ю".split()))
_GREEK = dict(zip("pbtdkgmnrlszfvhjwSZCJaeiouöü", "π μπ τ ντ κ γ μ ν ρ λ σ ζ φ β χ γι ου σι ζι τσ τζ α ε ι ο ου ω υ".split()))
_ARABIC = dict(zip("pbtdkgmnrlszfvhjwSZCJaeiouöü", "ب ب ت د ك ج م ن ر ل س ز ف ف ه ي و ش ج ش ج ا _ ي و و و ي".split()), e="")
_PERSIAN = _ARABIC | dict(p="پ", g="گ", C="چ", Z="ژ", v="و", k="ک", j="ی", i="ی", ü="ی")
_URDU = _PERSIAN | dict(t="ت", h="ہ", e="ے", v="و")
_HEBREW = dict(zip("pbtdkgmnrlszfvhjwSZCJiouöü", "פ ב ת ד ק ג מ נ ר ל ס ז פ ב ה י ו ש ז צ ג י ו ו ו י".split()), a="", e="")
ALPHABETS = {"Cyrl": _CYRILLIC, "Grek": _GREEK, "Arab": _ARABIC, "Hebr": _HEBREW}
ARABIC_OF = {"fa": _PERSIAN, "ur": _URDU}
INITIAL_VOWEL = {"Arab": "ا", "Hebr": "א"}

_INDIC_OFFSETS = dict(k=0x15, g=0x17, C=0x1A, J=0x1C, t=0x24, d=0x26, n=0x28, p=0x2A, b=0x2C, m=0x2E, j=0x2F, r=0x30,
                      l=0x32, v=0x35, w=0x35, S=0x37, s=0x38, h=0x39, f=0x2B, z=0x1D, Z=0x36)
_INDIC_VOWELS = dict(a=(0x05, None), i=(0x07, 0x3F), u=(0x09, 0x41), e=(0x0F, 0x47), o=(0x13, 0x4B), ö=(0x14, 0x4C), ü=(0x0A, 0x42))
SCRIPTS = ["Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Taml", "Telu", "Kore", "Jpan", "Hans"]
INDIC = {"Deva": 0x0900, "Beng": 0x0980, "Taml": 0x0B80, "Telu": 0x0C00}
# Tamil writes no voicing and has no fricative letters; Bengali has no letter of its own for v.
_INDIC_GAPS = {"Taml": dict(g="k", d="t", b="p", f="p", z="J", Z="S", J="J"), "Beng": dict(v="b", w="b")}

_HANGUL_INITIAL = dict(zip("gnrldmbsJCktpvhzZSfwj", [2 - 2, 2, 5, 5, 3, 6, 7, 9, 12, 14, 15, 16, 17, 7, 18, 12, 12, 10, 17, 11, 11]))
_HANGUL_VOWEL = dict(a=0, e=5, o=8, u=13, i=20, ö=11, ü=16)
_HANGUL_FINAL = dict(g=1, k=1, n=4, l=8, r=8, m=16, p=17, s=19, t=19)

_KANA_ROWS = dict(zip("kstnhmrgzdbpjw", [0x304B, 0x3055, 0x305F, 0x306A, 0x306F, 0x307E, 0x3089, 0x304C, 0x3056, 0x3060, 0x3070, 0x3071, 0x3084, 0x308F]))
_KANA_AS = dict(l="r", v="b", f="h", S="s", Z="z", C="t", J="z", ö="o", ü="u")
_KANA_VOWELS = dict(a="あ", i="い", u="う", e="え", o="お")

HAN = ("人口手日月水火木金土山川田天地上下中大小多少高低長短明白青赤黑黄石草花竹米虫魚鳥馬牛羊犬心目耳足身力刀弓矢車舟門"
       "戶衣食住行走立坐言語文字書画音楽歌声名国家王民兵士友父母子女兄弟姉妹男老若生死病薬医学校先年春夏秋冬朝夕夜昼今古新"
       "東西南北左右前後内外近遠方向道路橋市町村里店工場会社商業農作物品電気光線熱冷風雨雪雲空海洋河湖池島岸森林野原谷岩砂"
       "銀鉄銅玉宝糸布紙絵色形点円角線面体重量数算計始終開閉出入乗降取引売買送受持運用使作造見聞思考知覚感情愛悪美醜強弱"
       "早遅広狭深浅厚薄軽暖寒暑正直真実虚無有同異平和戦争勝負進退動静止休働起落昇流泳飛歩登投打切折結解洗消増減加")


def graphemes(phonemes: str, language: str, script: str) -> str:
    """Write ``phonemes`` in the script of ``language``."""
    if script in INDIC:
        return _indic(phonemes, script)
    if script == "Kore":
        return _hangul(phonemes)
    if script == "Jpan":
        return kana(phonemes)
    if script == "Hans":
        return han(phonemes)
    if script == "Latn":
        spelling = LATIN.get(language, LATIN[""])
        return "".join(spelling.get(phoneme, phoneme) for phoneme in phonemes)
    alphabet = ARABIC_OF.get(language, _ARABIC) if script == "Arab" else ALPHABETS[script]
    start = INITIAL_VOWEL.get(script, "")
    prefix = start if start and phonemes[:1] in VOWELS else ""
    body = phonemes[1:] if prefix and phonemes[0] in "ae" else phonemes
    return prefix + "".join(alphabet.get(phoneme, phoneme) for phoneme in body) or start


def _indic(phonemes: str, script: str) -> str:
    """Abugida: a consonant carries an inherent *a*; the virama (offset 0x4D) silences it inside clusters."""
    base, gaps = INDIC[script], _INDIC_GAPS.get(script, {})
    out, after_consonant = [], False
    for phoneme in phonemes:
        phoneme = gaps.get(phoneme, phoneme)
        if phoneme in _INDIC_VOWELS:
            letter, sign = _INDIC_VOWELS[phoneme]
            if not after_consonant:
                out.append(chr(base + letter))
            elif sign:
                out.append(chr(base + sign))
            after_consonant = False
        elif phoneme in _INDIC_OFFSETS:
            if after_consonant:
                out.append(chr(base + 0x4D))
            out.append(chr(base + _INDIC_OFFSETS[phoneme]))
            after_consonant = True
        else:
            out.append(phoneme)
            after_consonant = False
    return "".join(out)


def _syllables(phonemes: str):
    for initial, vowel, final, lone in _SYLLABLE.findall(phonemes):
        yield (initial, vowel, final) if vowel else (lone, "", "")


def _hangul(phonemes: str) -> str:
    """Syllable blocks by the arithmetic of the Unicode standard, section 3.12; a lone consonant gets the vowel eu."""
    out = []
    for initial, vowel, final in _syllables(phonemes):
        first = _HANGUL_INITIAL.get(initial, 11)
        middle = _HANGUL_VOWEL.get(vowel, 18)
        out.append(chr(0xAC00 + (first * 21 + middle) * 28 + _HANGUL_FINAL.get(final, 0)))
    return "".join(out)


def kana(phonemes: str, katakana: bool = False) -> str:
    """Hiragana, or katakana for loans and names; a consonant that closes a syllable gets a vowel of its own."""
    out = []
    for initial, vowel, final in _syllables(phonemes):
        out.append(_mora(initial, vowel or "u"))
        if final:
            out.append("ん" if final in "nm" else _mora(final, "u"))
    text = "".join(out)
    return "".join(chr(ord(c) + 0x60) for c in text) if katakana else text


def _mora(consonant: str, vowel: str) -> str:
    consonant, vowel = _KANA_AS.get(consonant, consonant), _KANA_AS.get(vowel, vowel)
    row = _KANA_ROWS.get(consonant)
    if row is None:
        return _KANA_VOWELS[vowel]
    if consonant == "j":
        return chr(row + {"a": 0, "u": 2, "o": 4}.get(vowel, 0))
    if consonant == "w":
        return "わ"
    column = "aiueo".index(vowel)
    if consonant in "nmr":
        return chr(row + column)
    if consonant in "hbp":
        return chr(row + 3 * column)
    # the small tsu sits inside the rows of t and d and shifts what follows it
    return chr(row + 2 * column + (1 if consonant in "td" and column >= 2 else 0))


def han(phonemes: str) -> str:
    """One character a syllable: syllables are sounds, characters their (arbitrary, fixed) spelling."""
    return "".join(HAN[Random("".join(syllable)).randrange(len(HAN))] for syllable in _syllables(phonemes))


_ROMAN = dict(S=("sh",), Z=("zh", "j"), C=("ch",), J=("j", "z"), j=("y",), v=("v", "w"), w=("w", "v"), f=("f", "ph"), z=("z", "j"),
              k=("k", "k", "c"), a=("a", "a", "aa", ""), i=("i", "ee", "e"), u=("u", "oo"), e=("e", "ai"), o=("o", "ou"),
              s=("s", "s", "ss"), t=("t", "t", "th"), d=("d", "d", "dh"), ö=("au", "o"), ü=("oo", "u"))


def noisy_latin(phonemes: str, rng: Random, noise: float) -> str:
    """Hindi as people type it in Latin letters: no standard, each writer and each time a little different."""
    def letter(phoneme):
        variants = _ROMAN.get(phoneme, (phoneme,))
        return rng.choice(variants) if rng.random() < noise else variants[0]
    return "".join(letter(phoneme) for phoneme in phonemes) or phonemes
