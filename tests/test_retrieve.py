"""Retrieval by layer: vectors and hits against loops, and what the baselines know."""

import numpy as np
import pytest
import torch
import toy
from crosslingual.models import ModelError, retrieve
from crosslingual.models.encoder import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

TOKENIZER = toy.tokenizer()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 10_000))
def test_chunked_search_equals_scipys_distances(sentences, hidden, seed):
    source, target = np.random.default_rng(seed).normal(size=(2, sentences, hidden))
    moved = source + (target - source).mean(0)
    expected = cdist(moved, target).argmin(1) == np.arange(sentences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieve, "CHUNK", 7)
        assert list(retrieve.nearest_neighbour_hits(source, target)) == list(expected)


def test_ties_count_what_a_random_choice_would_get_and_swapped_translations_nothing():
    target = np.array([[0.0], [0.0], [0.0], [4.0]])
    hits = retrieve.nearest_neighbour_hits(target, target)
    assert list(hits) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    target = np.eye(4, dtype=np.float32)
    assert list(retrieve.nearest_neighbour_hits(target[[1, 0, 2, 3]], target)) == [0, 0, 1, 1]


def test_a_held_out_shift_never_uses_the_pair_that_it_shifts():
    source, target = np.random.default_rng(0).normal(size=(2, 9, 4))
    moved, difference = retrieve.held_out(source, target), target - source
    np.testing.assert_allclose(moved[0::2], source[0::2] + difference[1::2].mean(0))
    np.testing.assert_allclose(moved[1::2], source[1::2] + difference[0::2].mean(0))


@pytest.mark.parametrize("architecture", toy.TOKENIZERS)
def test_vectors_are_means_without_special_tokens_in_the_order_of_the_text(architecture):
    encoder = toy.encoder(architecture)
    sentences = [toy.TEXT[0], "cat", toy.TEXT[9], "cat " * 99]  # Chinese is [UNK], a word like any
    vectors = retrieve.sentence_vectors(encoder, sentences)
    assert vectors.shape == (3, 4, 32)
    limit = toy.POSITIONS - 2 * (architecture in ("XLM-R", "RoBERTa"))
    for i, sentence in enumerate(sentences):
        ids = encoder.tokenizer(sentence, truncation=True, max_length=limit, return_tensors="pt")
        ids.pop("token_type_ids", None)
        with torch.inference_mode():
            states = encoder.model()(**ids, output_hidden_states=True).hidden_states
        by_hand = [state[0, 1:-1].mean(0).numpy() for state in states]
        np.testing.assert_allclose(vectors[:, i], np.stack(by_hand), atol=2e-5)


def test_text_and_tokenizers_without_vectors_are_named(tmp_path):
    with pytest.raises(ModelError, match="sentence 2 of the parallel text"):
        retrieve.sentence_vectors(toy.encoder(), ["big cat", ""])
    toy.network().save_pretrained(tmp_path)
    tokenizer = toy.bert_tokenizer()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="'mine' cannot pad: set its pad_token"):
        retrieve.sentence_vectors(Encoder("mine", str(tmp_path)), ["big cat"])


def bags(*sides):
    return [retrieve.bags(TOKENIZER, side.split("|")) for side in sides]


def test_baselines_know_shared_pieces_but_unknown_ones_or_lengths_and_ties_count_fairly():
    source, target = bags("cat dog|big 猫|猫", "dog cat|big red|sees")
    assert source.toarray()[2].sum() == 0
    assert list(retrieve.shared_piece_hits(source, target)) == pytest.approx([1, 1, 1 / 3])
    longer = bags("cat|cat cat|cat cat cat", "dog dog|dog dog dog|dog dog dog dog")
    assert list(retrieve.length_hits(*longer)) == [1, 1, 1]  # by the paper's shift
    both = bags("cat .|cat .|猫 .", "dog .|cat dog .|猫 .")  # punctuation is nothing shared
    assert list(retrieve.without_shared_pieces(*both, TOKENIZER)) == [True, False, True]


SOURCE = ["cat .", "big dog", "sees sees", "cat red"]
TARGET = ["dog .", "big dog", "eats eats eats", "red cat"]


def test_the_curve_has_layers_baselines_and_the_pairs_that_share_nothing():
    frame = retrieve.curve(toy.encoder(), SOURCE, TARGET, [0, 4, 9, 2])
    assert dict(frame.candidates.value_counts() > 0) == {4: True, 2: True}
    whole = frame[frame.candidates == 4]
    found = whole[whole.queries == "all"].groupby("method").layer.apply(list).to_dict()
    layers = {method: [0, 1, 2] for method in retrieve.PROTOCOLS}
    assert found == layers | {"shared pieces": [-1], "length": [-1]}
    assert all(len(hits) == 2 for hits in whole[whole.queries == "nothing shared"].hits)
    assert list(frame.accuracy) == pytest.approx([100 * np.mean(hits) for hits in frame.hits])


def test_sentences_are_drawn_along_the_mean_difference_or_most_variance():
    rng = np.random.default_rng(0)
    source = rng.normal(size=(20, 5)) * [9, 1, 0.1, 0.1, 0.1]
    target = source + [0, 0, 0, 0, 50]
    x, y = retrieve.drawn(source, target, "no shift")
    np.testing.assert_allclose((y - x)[:, 0], 50)  # the languages lie apart along one axis
    assert np.corrcoef(x[:, 1], source[:, 0])[0, 1] ** 2 > 0.99
    x, y = retrieve.drawn(source, target, "paper")
    np.testing.assert_allclose(x, y)
    assert np.corrcoef(x[:, 0], source[:, 0])[0, 1] ** 2 > 0.99
