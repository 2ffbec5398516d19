"""How the pocket languages are written: phonemes to graphemes in a real Unicode script.

A word is a string of phonemes: consonants ``p b t d k g m n r l s z f v h j w`` and ``S Z C J`` (as
in *ship*, *vision*, *chip*, *jam*), vowels ``a e i o u`` and ``ö ü``. Spellings are schematic, not
the real orthographies.
"""

import re
from random import Random

VOWELS = "aeiouöü"
_SYLLABLE = re.compile(r"([^aeiouöü]?)([aeiouöü])(?:([nmlrksptg])(?![aeiouöü]))?|([^aeiouöü])")


def _pairs(text: str) -> dict[str, str]:
    """``"S=sh e="``: phonemes and what is written for them, at times nothing."""
    return dict(pair.split("=") for pair in text.split())


_LATIN = {
    "": "S=sh Z=zh C=ch J=j j=y",
    "en": "S=sh Z=zh C=ch J=j j=y k=c ö=o ü=u",
    "de": "S=sch Z=sch C=tsch J=dsch v=w w=u z=s",
    "nl": "S=sj Z=zj C=tj J=dj u=oe ü=u ö=eu",
    "fr": "S=ch Z=j C=tch J=dj u=ou k=qu w=ou ü=u ö=eu",
    "es": "S=x Z=ll C=ch J=y k=c v=v w=hu ö=o ü=u",
    "it": "S=sci Z=gi C=ci J=gi k=c j=i w=u ö=o ü=u",
    "pt": "S=x Z=j C=tx J=dj k=c w=u j=i ö=ô ü=u",
    "ro": "S=ș Z=j C=ci J=gi k=c j=i ö=ă ü=î",
    "pl": "S=sz Z=ż C=cz J=dż v=w w=ł ö=e ü=y",
    "cs": "S=š Z=ž C=č J=dž w=v ö=é ü=ý",
    "hu": "s=sz S=s Z=zs C=cs J=dzs w=v",
    "tr": "S=ş Z=j C=ç J=c w=v j=y",
    "fi": "S=sj Z=zj C=tsj J=dj w=v ü=y",
    "sv": "S=sj Z=sj C=tj J=dj k=k w=v ü=y",
    "da": "S=sj Z=sj C=tj J=dj w=v ö=ø ü=y",
    "eu": "S=x Z=j C=tx J=dd v=b w=u s=z ö=e ü=u",
}
_LIKE = _pairs("gl=es ca=es pt_br=pt sk=cs sl=cs hr=cs lv=cs et=fi no_bokmaal=da no_nynorsk=da id=")
LATIN = {code: _pairs(_LATIN[_LIKE.get(code, code)]) for code in [*_LATIN, *_LIKE]}

_PHONEMES = "pbtdkgmnrlszfvhjwSZCJaeiouöü"


def _alphabet(letters: str) -> dict[str, str]:
    return dict(zip(_PHONEMES, letters.split()))


_CYRILLIC = _alphabet("п б т д к г м н р л с з ф в х й в ш ж ч ж а е и о у ё ю")
_GREEK = _alphabet("π μπ τ ντ κ γ μ ν ρ λ σ ζ φ β χ γι ου σι ζι τσ τζ α ε ι ο ου ω υ")
_ARABIC = _alphabet("ب ب ت د ك ج م ن ر ل س ز ف ف ه ي و ش ج ش ج ا _ ي و و و ي") | {"e": ""}
_PERSIAN = _ARABIC | _pairs("p=پ k=ک g=گ v=و j=ی Z=ژ C=چ i=ی ü=ی")
_URDU = _PERSIAN | _pairs("h=ہ e=ے")
_HEBREW = _alphabet("פ ב ת ד ק ג מ נ ר ל ס ז פ ב ה י ו ש ז צ ג _ _ י ו ו ו י") | _pairs("a= e=")
ALPHABETS = {"Cyrl": _CYRILLIC, "Grek": _GREEK, "Arab": _ARABIC, "Hebr": _HEBREW}
ARABIC_OF = {"fa": _PERSIAN, "ur": _URDU}
INITIAL_VOWEL = {"Arab": "ا", "Hebr": "א"}

SCRIPTS = ["Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Taml", "Telu"]
SCRIPTS += ["Kore", "Jpan", "Hans"]
INDIC = {"Deva": 0x0900, "Beng": 0x0980, "Taml": 0x0B80, "Telu": 0x0C00}
# Where in the blocks of the Indic scripts consonants stand, and vowels as letters and as signs.
_INDIC_OFFSETS = bytes.fromhex("15 17 1a 1c 24 26 28 2a 2c 2e 2f 30 32 35 35 37 38 39 2b 1d 36")
_INDIC_OFFSETS = dict(zip("kgCJtdnpbmjrlvwSshfzZ", _INDIC_OFFSETS))
_INDIC_VOWELS = zip(bytes.fromhex("05 07 09 0f 13 14 0a"), bytes.fromhex("00 3f 41 47 4b 4c 42"))
_INDIC_VOWELS = dict(zip("aiueoöü", _INDIC_VOWELS))
# Tamil writes no voicing and has no fricative letters; Bengali has no letter of its own for v.
_INDIC_GAPS = {"Taml": _pairs("g=k d=t b=p f=p z=J Z=S J=J"), "Beng": _pairs("v=b w=b")}

# Numbers of the parts of a syllable block (the Unicode standard, section 3.12).
_HANGUL_INITIAL = 0, 2, 5, 5, 3, 6, 7, 9, 12, 14, 15, 16, 17, 7, 18, 12, 12, 10, 17, 11, 11
_HANGUL_INITIAL = dict(zip("gnrldmbsJCktpvhzZSfwj", _HANGUL_INITIAL))
_HANGUL_VOWEL = dict(zip("aeouiöü", (0, 5, 8, 13, 20, 11, 16)))
_HANGUL_FINAL = dict(zip("gknlrmpst", (1, 1, 4, 8, 8, 16, 17, 19, 19)))

_KANA_ROWS = dict(zip("kstnhmrgzdbpjw", map(ord, "かさたなはまらがざだばぱやわ")))
_KANA_AS = _pairs("l=r v=b f=h S=s Z=z C=t J=z ö=o ü=u")
_KANA_VOWELS = _pairs("a=あ i=い u=う e=え o=お")

HAN = (
    "人口手日月水火木金土山川田天地上下中大小多少高低長短明白青赤黑黄石草花竹米虫魚鳥馬牛羊犬心目耳足身力刀弓矢車舟門"
    "戶衣食住行走立坐言語文字書画音楽歌声名国家王民兵士友父母子女兄弟姉妹男老若生死病薬医学校先年春夏秋冬朝夕夜昼今古新"
    "東西南北左右前後内外近遠方向道路橋市町村里店工場会社商業農作物品電気光線熱冷風雨雪雲空海洋河湖池島岸森林野原谷岩砂"
    "銀鉄銅玉宝糸布紙絵色形点円角線面体重量数算計始終開閉出入乗降取引売買送受持運用使作造見聞思考知覚感情愛悪美醜強弱"
    "早遅広狭深浅厚薄軽暖寒暑正直真実虚無有同異平和戦争勝負進退動静止休働起落昇流泳飛歩登投打切折結解洗消増減加"
)


def graphemes(phonemes: str, language: str, script: str) -> str:
    """Write ``phonemes`` in the script of ``language``."""
    if script in INDIC:
        return _indic(phonemes, script)
    if script in WHOLE:
        return WHOLE[script](phonemes)
    if script == "Latn":
        spelling = LATIN.get(language, LATIN[""])
        return "".join(spelling.get(phoneme, phoneme) for phoneme in phonemes)
    alphabet = ARABIC_OF.get(language, _ARABIC) if script == "Arab" else ALPHABETS[script]
    start = INITIAL_VOWEL.get(script, "")
    prefix = start if start and phonemes[:1] in VOWELS else ""
    body = phonemes[1:] if prefix and phonemes[0] in "ae" else phonemes
    return prefix + "".join(alphabet.get(phoneme, phoneme) for phoneme in body) or start


def _indic(phonemes: str, script: str) -> str:
    """Abugida: a consonant carries an inherent *a*; the virama (0x4D) silences it in clusters."""
    base, gaps = INDIC[script], _INDIC_GAPS.get(script, {})
    out, after_consonant = "", False
    for phoneme in phonemes:
        phoneme = gaps.get(phoneme, phoneme)
        if phoneme in _INDIC_VOWELS:
            offset = _INDIC_VOWELS[phoneme][after_consonant]
            out += chr(base + offset) if offset else ""
            after_consonant = False
        else:
            if after_consonant and phoneme in _INDIC_OFFSETS:
                out += chr(base + 0x4D)
            after_consonant = phoneme in _INDIC_OFFSETS
            out += chr(base + _INDIC_OFFSETS[phoneme]) if after_consonant else phoneme
    return out


def _syllables(phonemes: str):
    for initial, vowel, final, lone in _SYLLABLE.findall(phonemes):
        yield (initial, vowel, final) if vowel else (lone, "", "")


def _hangul(phonemes: str) -> str:
    """Syllable blocks; a lone consonant gets the vowel eu."""
    out = ""
    for initial, vowel, final in _syllables(phonemes):
        block = _HANGUL_INITIAL.get(initial, 11) * 21 + _HANGUL_VOWEL.get(vowel, 18)
        out += chr(0xAC00 + block * 28 + _HANGUL_FINAL.get(final, 0))
    return out


def kana(phonemes: str, katakana: bool = False) -> str:
    """Hiragana, or katakana for loans and names; a closing consonant gets a vowel of its own."""
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
    """One character a syllable, arbitrary but fixed."""
    return "".join(Random("".join(syllable)).choice(HAN) for syllable in _syllables(phonemes))


WHOLE = {"Kore": _hangul, "Jpan": kana, "Hans": han}  # scripts of syllables
_ROMAN = _pairs(
    "S=sh Z=zh,j C=ch J=j,z j=y v=v,w w=w,v f=f,ph z=z,j k=k,k,c a=a,a,aa, i=i,ee,e "
    "u=u,oo e=e,ai o=o,ou s=s,s,ss t=t,t,th d=d,d,dh ö=au,o ü=oo,u"
)


def noisy_latin(phonemes: str, rng: Random, noise: float) -> str:
    """Hindi as people type it in Latin letters: no standard, each time a little different."""

    def letter(phoneme):
        variants = _ROMAN.get(phoneme, phoneme).split(",")
        return rng.choice(variants) if rng.random() < noise else variants[0]

    return "".join(letter(phoneme) for phoneme in phonemes) or phonemes
