"""Words to pieces: parity with the tokenizers' own offsets, splitting, labels, overlap."""

import numpy as np
import pytest
import toy
from crosslingual.models import ModelError, pieces
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
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


def by_offsets(tokenizer, words):
    """Ids of the running text, and the places of each word's pieces as the offsets have it.

    A piece belongs to the word that its last character is in; a word is taken with the space before
    it, as that is where tokenizers with a word-start mark put it.
    """
    text = "".join(f" {word}" for word in words)
    asked = {"return_offsets_mapping": True, "return_special_tokens_mask": True}
    found = tokenizer(text, **asked)
    ends, places = np.cumsum([len(word) + 1 for word in words]), {}
    spans = zip(found["offset_mapping"], found["special_tokens_mask"], strict=True)
    for place, ((start, end), special) in enumerate(spans):
        if not special:
            word = int(np.searchsorted(ends, max(end - 1, start), "right"))
            places.setdefault(word, []).append(place)
    return found["input_ids"], places


@architectures
@few
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_labelled_pieces_are_where_the_offsets_say(architecture, words):
    tokenizer = toy.tokenizer(architecture)
    ids, own = by_offsets(tokenizer, words)
    encoded = pieces.encode(tokenizer, [words], max_length=5000)
    row, places = encoded.rows[0], dict(enumerate(encoded.position.tolist()))
    # A word of which the running text has no piece is fed as the unknown token.
    fed = sorted(place for word, place in places.items() if word not in own)
    assert all(row[place] == tokenizer.unk_token_id for place in fed)
    assert [piece for place, piece in enumerate(row) if place not in fed] == ids
    sign = tokenizer.convert_tokens_to_ids("▁") if architecture == "XLM-R" else None
    labelled = {word: [p for p in some if ids[p] != sign] or some for word, some in own.items()}
    shift = {word: sum(at < place for at in fed) for word, place in places.items()}
    assert all(places[word] - shift[word] == some[0] for word, some in labelled.items())


@architectures
@few
@given(SENTENCES, st.integers(min_value=3, max_value=30))
def test_every_word_once_in_rows_that_fit(architecture, sentences, max_length):
    tokenizer = toy.tokenizer(architecture)
    encoded = pieces.encode(tokenizer, sentences, max_length)
    ids = pieces.word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    assert all(len(row) <= max_length for row in encoded.rows)
    places = zip(encoded.row, encoded.position, strict=True)
    labelled = [encoded.rows[row][place] for row, place in places]
    words = [word for sentence in sentences for word in sentence]
    assert all(piece in ids[word] for piece, word in zip(labelled, words, strict=True))
    assert encoded.by_sentence(words) == sentences


def plain(backend, unknown="[UNK]"):
    """A tokenizer that adds nothing to a sentence."""
    backend.post_processor = processors.Sequence([])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token=unknown)


def unigram(*known):
    backend = Tokenizer(models.Unigram([("<unk>", -9.0), *((piece, -1.0) for piece in known)], 0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return plain(backend, "<unk>")


WORD_PIECE = plain(toy.bert_tokenizer("▁", "##▁").backend_tokenizer)
SENTENCE_PIECE = unigram("▁", "▁cat", "cat", "猫", "が")
ROWS = [  # text, its pieces in rows of three, the place of each word's label
    ("sees catdo dog", "sees|cat ##d ##o|dog", [0, 0, 0]),  # a sentence is split between words
    ("xxxxx", "x ##x ##x", [0]),  # what does not fit into a row is lost, but never the first piece
    ("dog \u200b cat", "dog [UNK] cat", [0, 1, 2]),  # a word without pieces
    ("cat ▁a", "cat ▁ ##a", [0, 1]),  # in WordPiece this is a sign like any other
    ("cat 猫が 犬", "▁cat|▁ 猫 が|▁ <unk>", [0, 1, 1]),  # the first piece that carries text
    ("▁ 猫猫猫", "▁ ▁|▁ 猫 猫", [0, 1]),  # but where a word has nothing else
]


@pytest.mark.parametrize(("text", "rows", "places"), ROWS)
def test_rows_and_labels_by_hand(text, rows, places):
    tokenizer = SENTENCE_PIECE if "▁" in rows and "##" not in rows else WORD_PIECE
    encoded = pieces.encode(tokenizer, [[], text.split(" ")], max_length=3)
    found = [tokenizer.convert_ids_to_tokens(row) for row in encoded.rows]
    assert found == [row.split() for row in rows.split("|")]
    assert encoded.position.tolist() == places
    assert encoded.by_sentence(range(len(places))) == [[], list(range(len(places)))]


def test_text_that_cannot_be_encoded_is_refused():
    with pytest.raises(ModelError, match="max_length=2 leaves no room"):
        pieces.encode(toy.tokenizer(), [["dog"]], max_length=2)
    with pytest.raises(ModelError, match="'' has no pieces and the tokenizer no unk"):
        pieces.word_pieces(plain(toy.bert_tokenizer().backend_tokenizer, None), ["cat", ""])


DUTCH = [("ada", "york"), ("york",), ("cat",), ("dogs",)]
CHINESE = [("猫",), ("cat",)]


def test_overlap_by_hand_leaves_out_unknown_pieces():
    tokenizer = toy.tokenizer()
    assert pieces.entity_pieces(tokenizer, DUTCH)[0] == {"ada", "york", "cat", "dog", "##s"}
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
