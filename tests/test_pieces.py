"""Words to pieces: parity with the tokenizers' own offsets, splitting, coverage, overlap."""

from dataclasses import replace

import numpy as np
import pytest
import toy
from crosslingual.models import pieces
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

LETTERS = sorted({letter for line in toy.TEXT for letter in line} - {" "})
# Marks without a base, zero-width and control characters, emoji, ligatures, what normalisation
# splits, what looks like a special token or a mark of the tokenizer's own.
ODD = [
    *["\u200b", "\u200d", "\u200e", "\ufeff", "\u00ad", "\x00", "\x7f", "\u0301", "\u0303\u0301"],
    *["\u093c", "\u3099", "\ufe0f", "\u2028", "\u00a0", "1\u00a0000", "x" * 60, "\ud7ff"],
    *["a\u200bb", "\u200bв", "क\u200b", "\u202aab\u202c", "👩\u200d🚀", "🇳🇱", "❤\ufe0f", "👍🏽"],
    *["ﬁ", "ﷺ", "Ω", "№", "½", "…", "ｆｕｌｌ", "\U00013080", "[UNK]", "<s>", "▁", "##a"],
]
WORDS = st.one_of(
    st.sampled_from([word for line in toy.SENTENCES for word in line]),
    st.text(alphabet=LETTERS, min_size=1, max_size=6),
    st.sampled_from(ODD),
    st.tuples(*map(st.sampled_from, (ODD, LETTERS, ODD))).map("".join),
)
SENTENCES = st.lists(st.lists(WORDS, max_size=9), max_size=5)
architectures = pytest.mark.parametrize("architecture", toy.TOKENIZERS)
few = settings(max_examples=50, deadline=None)


def first_by_offsets(tokenizer, words):
    """Ids of the running text, and the place of each word's first piece as the offsets have it.

    A piece belongs to the word that its last character is in; a word is taken with the space before
    it, as that is where tokenizers with a word-start mark put it.
    """
    text = "".join(f" {word}" for word in words)
    asked = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
    found = tokenizer(text, **asked)
    ends, first = np.cumsum([len(word) + 1 for word in words]), {}
    spans = zip(found["offset_mapping"], found["special_tokens_mask"], strict=True)
    for place, ((start, end), special) in enumerate(spans):
        if not special:
            first.setdefault(int(np.searchsorted(ends, max(end - 1, start), "right")), place)
    return found["input_ids"], first


@architectures
@few
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_first_pieces_are_where_the_offsets_say(architecture, words):
    tokenizer = toy.tokenizer(architecture)
    ids, first = first_by_offsets(tokenizer, words)
    encoded = pieces.encode(tokenizer, [words], max_length=5000)
    row, places = encoded.rows[0], dict(enumerate(encoded.position.tolist()))
    # A word of which the running text has no piece is fed as the unknown token.
    fed = sorted(place for word, place in places.items() if word not in first)
    assert all(row[place] == tokenizer.unk_token_id for place in fed)
    assert [piece for place, piece in enumerate(row) if place not in fed] == ids
    shift = {word: sum(at < place for at in fed) for word, place in places.items()}
    assert {word: places[word] - shift[word] for word in first} == first


@architectures
@few
@given(SENTENCES, st.integers(min_value=3, max_value=30))
def test_every_word_once_in_rows_that_fit(architecture, sentences, max_length):
    tokenizer = toy.tokenizer(architecture)
    encoded = pieces.encode(tokenizer, sentences, max_length)
    ids = pieces.word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    assert all(len(row) <= max_length for row in encoded.rows)
    expected = [(s, w) for s, sentence in enumerate(sentences) for w in range(len(sentence))]
    assert list(zip(encoded.sentence, encoded.word, strict=True)) == expected
    places = zip(encoded.row, encoded.position, strict=True)
    first = [encoded.rows[row][place] for row, place in places]
    assert first == [ids[word][0] for sentence in sentences for word in sentence]
    assert encoded.by_sentence([w for sentence in sentences for w in sentence]) == sentences


def test_a_long_sentence_is_split_between_words():
    tokenizer = toy.tokenizer()
    encoded = pieces.encode(tokenizer, [["sees", "catdo", "dog"], [], ["x" * 9]], max_length=5)
    assert [tokenizer.convert_ids_to_tokens(row[1:-1]) for row in encoded.rows] == [
        ["sees"],
        ["cat", "##d", "##o"],
        ["dog"],
        ["x", "##x", "##x"],  # what does not fit into a row is lost, but never the first piece
    ]
    assert encoded.row.tolist() == [0, 1, 2, 3]
    assert encoded.by_sentence(range(4)) == [[0, 1, 2], [], [3]]


def test_a_word_without_pieces_is_unknown_and_shifts_nothing():
    tokenizer = toy.tokenizer()
    encoded = pieces.encode(tokenizer, [["dog", "\u200b", "cat"]], max_length=8)
    tokens = tokenizer.convert_ids_to_tokens(encoded.rows[0])
    assert tokens == ["[CLS]", "dog", "[UNK]", "cat", "[SEP]"]
    assert encoded.position.tolist() == [1, 2, 3]


def test_a_lost_word_is_noticed():
    good = pieces.encode(toy.tokenizer(), [["dog"], ["dog", "cat"]], max_length=8)
    columns = ("row", "position", "sentence", "word")
    lost = replace(good, **{name: getattr(good, name)[:-1] for name in columns})
    with pytest.raises(pieces.CoverageError, match="Sentence 1 has 2 words, 1 are"):
        pieces.check_coverage(lost)
    with pytest.raises(pieces.CoverageError, match="outside its row"):
        pieces.check_coverage(replace(good, position=np.array([1, 1, 9])))


def test_no_room_for_text():
    with pytest.raises(pieces.AlignmentError, match="max_length=2 leaves no room"):
        pieces.encode(toy.tokenizer(), [["dog"]], max_length=2)


def test_without_an_unknown_token_a_word_without_pieces_is_named():
    backend = toy.bert_tokenizer().backend_tokenizer
    with pytest.raises(pieces.AlignmentError, match="'' has no pieces and the tokenizer no unk"):
        pieces.word_pieces(PreTrainedTokenizerFast(tokenizer_object=backend), ["cat", ""])


def test_fertility_unknown_share_and_coverage_by_hand():
    sentences = [["a", "abc", "\U00013080"], ["bb", "\u200b"]]  # 1 + 3 + [UNK], 2 + [UNK]
    found = pieces.measure(toy.tokenizer(), sentences)
    assert found == {"fertility": 8 / 5, "unk_share": 2 / 8, "coverage": 1}
    short = pieces.measure(toy.tokenizer(), sentences, max_length=5)  # room for three pieces
    assert short == found | {"coverage": 4 / 5}


@architectures
def test_coverage_is_what_truncation_leaves(architecture):
    tokenizer, words = toy.tokenizer(architecture), toy.SENTENCES[0] + toy.SENTENCES[1]
    cut = tokenizer(words, is_split_into_words=True, truncation=True, max_length=20)
    seen = {word for word in cut.word_ids() if word is not None}
    assert pieces.measure(tokenizer, [words], 20)["coverage"] == len(seen) / len(words)


DUTCH = [("ada", "york"), ("york",), ("cat",), ("dogs",)]
CHINESE = [("猫",), ("cat",)]


def test_overlap_by_hand_leaves_out_unknown_pieces():
    tokenizer = toy.tokenizer()
    found = pieces.entity_pieces(tokenizer, DUTCH).types
    assert found == {"ada", "york", "cat", "dog", "##s"}
    assert pieces.entity_pieces(tokenizer, CHINESE) == ({"cat"}, 0.5, 2)
    frame = pieces.overlaps(tokenizer, {"nl": (DUTCH, DUTCH[:1]), "zh": (CHINESE, CHINESE)})
    assert list(zip(frame.train, frame.evaluate, strict=True)) == [("nl", "zh"), ("zh", "nl")]
    assert list(frame.overlap) == [1 / 5, 0] and list(frame.unk_share) == [0.5, 0.5]
    assert list(frame.train_entities) == [4, 2] and list(frame.evaluate_entities) == [2, 1]
    assert pieces.jaccard(set(), set()) == 0


def test_equal_numbers_of_entities_are_drawn_without_replacement_and_reproducibly():
    items = [(str(i),) for i in range(20)]
    drawn = pieces.subsample(items, 10, seed=1)
    assert len(set(drawn)) == 10 and drawn == pieces.subsample(items, 10, seed=1)
    with pytest.raises(ValueError, match="cannot draw 21 entities from 20"):
        pieces.subsample(items, 21, seed=1)
    both = {"nl": (DUTCH, DUTCH), "zh": (CHINESE, CHINESE)}
    assert set(pieces.overlaps(toy.tokenizer(), both, drawn=2).train_entities) == {2}
