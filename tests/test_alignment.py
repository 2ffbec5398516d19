"""Words to pieces: parity with the tokenizers' own alignment, splitting, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from crosslingual import alignment

TEXT = ["the cat sat", "кошка сидела", "בית גדול", "कमल घर", "猫が座った", "고양이 집", "kedi evde", "بيت كبير",
        "12,5 %"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = sorted(set("".join(TEXT)) - {" "})
WORDS = st.one_of(
    st.sampled_from("the cat кошка בית कमल 猫が座った 고양이 kedi بيت".split()),
    st.text(alphabet=LETTERS, min_size=1, max_size=6),
    st.sampled_from(["\u200b", "\u200d", "\ufeff", "\u00ad", "\x00", "", "\u0301", "👩\u200d🚀", "🇳🇱",
                     "a\u0301", "क\u094d\u200dष", "1 000", "\u00a0", "https://x.org/a?b=1", "ﬁ", "don't",
                     "x" * 130]),
)
SENTENCES = st.lists(st.lists(WORDS, max_size=9), max_size=5)


def word_piece() -> PreTrainedTokenizerFast:
    vocab = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "the", "cat", "кошка", ".", ":", "/"]
    return BertTokenizerFast(vocab={piece: i for i, piece in enumerate(vocab)}, do_lower_case=False)


def wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    ids = [(piece, tokenizer.token_to_id(piece)) for piece in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")


def byte_level(add_prefix_space: bool) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator([f" {text}" for text in TEXT], trainer)
    return wrapped(tokenizer)


def sentence_piece() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=SPECIAL, unk_token="[UNK]",
                                      show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    return wrapped(tokenizer)


# The second of each pair aligns the words itself. Byte-level tokenizers do so only when they add the space.
TOKENIZERS = {
    "WordPiece": (word_piece(),) * 2,
    "byte-level BPE": (byte_level(True),) * 2,
    "byte-level BPE without a prefix space": (byte_level(False), byte_level(True)),
    "SentencePiece": (sentence_piece(),) * 2,
}


def own_alignment(tokenizer: PreTrainedTokenizerFast, words: list[str]) -> tuple[list[int], dict[int, int]]:
    """The tokenizer's input ids and, from its word_ids, the first place of each word that has pieces."""
    batch = tokenizer(words, is_split_into_words=True)
    first: dict[int, int] = {}
    for place, word in enumerate(batch.word_ids()):
        if word is not None:
            first.setdefault(word, place)
    return batch["input_ids"], first


@pytest.mark.parametrize("kind", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS.filter(str.strip), min_size=1, max_size=9))
def test_agrees_with_the_tokenizers_own_word_ids(kind: str, words: list[str]) -> None:
    ours, reference = TOKENIZERS[kind]
    ids, first = own_alignment(reference, words)
    encoded = alignment.encode(ours, [words], max_length=2000)
    unknown = [place for word, place in zip(encoded.word, encoded.position, strict=True) if word not in first]
    assert all(encoded.rows[0][place] == ours.unk_token_id for place in unknown)
    assert [piece for place, piece in enumerate(encoded.rows[0]) if place not in unknown] == ids
    shift = {word: sum(place < at for place in unknown) for word, at in enumerate(encoded.position)}
    assert {word: encoded.position[word] - shift[word] for word in first} == first


@pytest.mark.parametrize("kind", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(SENTENCES, st.integers(min_value=3, max_value=30))
def test_every_word_once_in_rows_that_fit(kind: str, sentences: list[list[str]], max_length: int) -> None:
    tokenizer = TOKENIZERS[kind][0]
    encoded = alignment.encode(tokenizer, sentences, max_length)
    pieces = alignment.word_pieces(tokenizer, {word for sentence in sentences for word in sentence})
    assert all(len(row) <= max_length for row in encoded.rows)
    assert list(zip(encoded.sentence, encoded.word, strict=True)) == [
        (s, w) for s, sentence in enumerate(sentences) for w in range(len(sentence))]
    first = [encoded.rows[row][place] for row, place in zip(encoded.row, encoded.position, strict=True)]
    assert first == [pieces[word][0] for sentence in sentences for word in sentence]
    assert encoded.by_sentence([w for sentence in sentences for w in sentence]) == sentences


@settings(max_examples=60, deadline=None)
@given(SENTENCES, st.integers(min_value=140, max_value=200))
def test_splitting_loses_no_piece(sentences: list[list[str]], max_length: int) -> None:
    tokenizer = TOKENIZERS["WordPiece"][0]
    whole = alignment.encode(tokenizer, sentences, 10_000)
    split = alignment.encode(tokenizer, sentences, max_length)
    content = [[piece for row in rows for piece in row[1:-1]] for rows in (whole.rows, split.rows)]
    assert content[0] == content[1]


def test_long_sentence_is_split_between_words() -> None:
    tokenizer = TOKENIZERS["WordPiece"][0]
    encoded = alignment.encode(tokenizer, [["the", "kedi", "cat"], [], ["cat"]], max_length=6)
    assert [tokenizer.convert_ids_to_tokens(row[1:-1]) for row in encoded.rows] == [
        ["the"], ["k", "##e", "##d", "##i"], ["cat"], ["cat"]]
    assert encoded.row.tolist() == [0, 1, 2, 3]
    assert encoded.by_sentence(range(4)) == [[0, 1, 2], [], [3]]


def test_word_without_pieces_is_unknown_and_shifts_nothing() -> None:
    tokenizer = TOKENIZERS["WordPiece"][0]
    encoded = alignment.encode(tokenizer, [["the", "\u200b", "cat"]], max_length=8)
    assert tokenizer.convert_ids_to_tokens(encoded.rows[0]) == ["[CLS]", "the", "[UNK]", "cat", "[SEP]"]
    assert encoded.position.tolist() == [1, 2, 3]


def test_a_lost_word_is_noticed() -> None:
    good = alignment.encode(TOKENIZERS["WordPiece"][0], [["the"], ["the", "cat"]], max_length=8)
    lost = replace(good, row=good.row[:-1], position=good.position[:-1], sentence=good.sentence[:-1],
                   word=good.word[:-1])
    with pytest.raises(alignment.CoverageError, match="Sentence 1 has 2 words, 1 are"):
        alignment.check_coverage(lost)
    outside = replace(good, position=np.array([1, 1, 9]))
    with pytest.raises(alignment.CoverageError, match="outside its row"):
        alignment.check_coverage(outside)


def test_no_room_for_text() -> None:
    with pytest.raises(ValueError, match="max_length=2 leaves no room"):
        alignment.encode(TOKENIZERS["WordPiece"][0], [["the"]], max_length=2)
