"""Hindi in Latin letters: spelt, looked up, and tagged in three ways."""

import pytest
from crosslingual.models.transliteration import BackTransliteration, Lexicon, TwoReadings, romanised

HINDI = [["राम", "घर", "जाता"], ["सीता", "किताब", "पढ़ती"]] * 20
ENGLISH = [["Ram", "goes", "home"], ["Sita", "reads", "books"]] * 20
TAGS = [["PROPN", "NOUN", "VERB"]] * 40
ENGLISH_TAGS = [["PROPN", "VERB", "NOUN"]] * 40


@pytest.mark.parametrize("word, typed", [
    ("क", "ka"), ("घर", "ghar"), ("राम", "raam"), ("क्या", "kyaa"), ("हिंदी", "hindii"),
    ("कृपया", "kripayaa"), ("टाँग", "taang"), ("पढ़ती", "padhatii"), ("और", "aur"), ("गए", "gae"),
    ("2019", "2019"), ("home", "home"),
])  # fmt: skip
def test_a_word_is_spelt_by_the_names_of_its_signs(word, typed):
    assert romanised(word) == typed


def test_the_nearest_word_is_found_by_its_spelling_and_then_by_frequency():
    lexicon = Lexicon(["किताब", "कि", "राम", "राम", "रम", "home"])
    assert [lexicon.nearest(typed) for typed in ("kitab", "Kitaab", "ki", "ram")] == [
        "किताब", "किताब", "कि", "रम"
    ]  # fmt: skip
    assert Lexicon(["home"]).nearest("ghar") == "ghar"  # where there is no Hindi word


def test_two_readings_tag_hindi_in_letters_that_the_training_text_has_not():
    tagger = TwoReadings([*HINDI, *ENGLISH], [*TAGS, *ENGLISH_TAGS], 1)
    typed = [["raam", "ghar", "jata"], ["seeta", "kitab", "padhati"], ["Ram", "goes", "home"]]
    assert tagger.predict(typed) == [TAGS[0], TAGS[0], ENGLISH_TAGS[0]]


def test_words_told_to_be_hindi_are_put_back_and_others_left(monkeypatch):
    mixed = [["Ram", "ghar", "goes"], ["Sita", "kitab", "reads"]] * 20
    corrected = [["Ram", "घर", "goes"], ["Sita", "किताब", "reads"]] * 20
    tags = [["PROPN", "NOUN", "VERB"]] * 40
    tagger = BackTransliteration(mixed, corrected, tags, HINDI, TAGS, 1)
    read = []
    monkeypatch.setattr(tagger.tagger, "predict", lambda texts: read.extend(texts) or texts)
    tagger.predict([["Sita", "ghar", "reads"]])
    assert read == [["Sita", "घर", "reads"]]
