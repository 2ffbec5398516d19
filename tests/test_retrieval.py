import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from crosslingual import retrieval
from crosslingual.corpora import CorpusUnavailable, text_digest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e . ##x".split()


@pytest.fixture(scope="module")
def encoder():
    vocabulary = {piece: index for index, piece in enumerate(VOCABULARY)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {f"{name.lower()}_token": f"[{name}]" for name in ["PAD", "UNK", "CLS", "SEP", "MASK"]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    torch.manual_seed(0)
    sizes = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
    config = BertConfig(vocab_size=len(VOCABULARY), max_position_embeddings=32, **sizes)
    model = BertModel(config).eval()
    return SimpleNamespace(tokenizer=tokenizer, model=lambda: copy.deepcopy(model), digest="d1")


def brute_force_hits(source, target):
    """The paper's protocol with loops and float64."""
    source, target = source.astype(float), target.astype(float)
    moved = source + (target - source).mean(0)
    return [
        float(np.argmin([np.linalg.norm(row - other) for other in target]) == i)
        for i, row in enumerate(moved)
    ]


def test_a_constant_shift_is_undone_exactly():
    target = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    source = target + np.float32(100)
    assert retrieval.nearest_neighbour_hits(source, target).mean() == 1
    assert retrieval.nearest_neighbour_hits(source, target, "no shift").mean() < 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 10_000))
def test_chunked_search_equals_brute_force(sentences, hidden, seed):
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(2, sentences, hidden)).astype(np.float32)
    chunk, retrieval.CHUNK = retrieval.CHUNK, 7
    try:
        assert list(retrieval.nearest_neighbour_hits(source, target)) == brute_force_hits(source, target)
    finally:
        retrieval.CHUNK = chunk


def test_ties_count_what_a_random_choice_would_get():
    target = np.array([[0.0], [0.0], [0.0], [4.0]])
    assert list(retrieval.nearest_neighbour_hits(target, target)) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


def test_translations_that_have_changed_places_are_missed():
    target = np.eye(4, dtype=np.float32)
    assert list(retrieval.nearest_neighbour_hits(target[[1, 0, 2, 3]], target)) == [0, 0, 1, 1]


def test_sentence_vectors_are_means_without_special_tokens_in_the_order_of_the_text(encoder):
    sentences = ["a b c d e a b", "a", "b ? c"]
    vectors = retrieval.sentence_vectors(encoder, sentences)
    assert vectors.shape == (3, 3, 16)
    for i, sentence in enumerate(sentences):
        ids = encoder.tokenizer(sentence, return_tensors="pt")
        with torch.inference_mode():
            states = encoder.model()(**ids, output_hidden_states=True).hidden_states
        by_hand = [state[0, 1:-1].mean(0).numpy() for state in states]  # "?" is [UNK], a word like others
        assert vectors[:, i] == pytest.approx(np.stack(by_hand), abs=1e-5)


@pytest.mark.parametrize("available, device", [(False, "cpu"), (True, "cuda")])
def test_sentence_vectors_are_computed_on_a_gpu_where_there_is_one(encoder, monkeypatch, available, device):
    moved = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(BertModel, "to", lambda model, place: moved.append(place) or model)
    retrieval.sentence_vectors(encoder, ["a b"])
    assert moved == [device]


def test_a_sentence_without_pieces_is_named(encoder):
    with pytest.raises(ValueError, match="sentence 2 of the parallel text"):
        retrieval.sentence_vectors(encoder, ["a b", ""])


def test_shared_pieces_ignore_unknown_words_and_credit_ties_fairly(encoder):
    source = retrieval.bags(encoder.tokenizer, ["a b", "c ?", "?"])
    target = retrieval.bags(encoder.tokenizer, ["b a", "c d", "e"])
    assert source.toarray()[2].sum() == 0
    assert list(retrieval.shared_piece_hits(source, target)) == pytest.approx([1, 1, 1 / 3])


def test_length_baseline_follows_the_papers_shift(encoder):
    source = retrieval.bags(encoder.tokenizer, ["a", "a a", "a a a"])
    target = retrieval.bags(encoder.tokenizer, ["b b", "b b b", "b b b b"])
    assert list(retrieval.length_hits(source, target)) == [1, 1, 1]


def test_pairs_that_share_only_punctuation_share_nothing(encoder):
    source = retrieval.bags(encoder.tokenizer, ["a .", "a .", "? ."])
    target = retrieval.bags(encoder.tokenizer, ["b .", "a b .", "? ."])
    assert list(retrieval.without_shared_pieces(source, target, encoder.tokenizer)) == [True, False, True]


class MemoryStore(dict):
    """Remembers by key and counts what it computed."""

    computed = 0

    def memo(self, kind, key, compute):
        if (kind, repr(key)) not in self:
            self[kind, repr(key)] = compute()
            self.computed += 1
        return self[kind, repr(key)]


def edition(encoder, text):
    def parallel(source, target):
        if source == "xx":
            raise CorpusUnavailable("no xx: fetch it")
        return text

    return SimpleNamespace(
        encoder=lambda name: encoder, encoder_digest=lambda name: encoder.digest, parallel=parallel,
        parallel_digest=lambda *pair: text_digest(parallel(*pair)), pairs=[("en", "de")],
    )  # fmt: skip


def text(*pairs):
    source, target = zip(*pairs)
    return Dataset.from_dict({"source": source, "target": target})


TEXT = text(("a .", "b ."), ("c d", "c d"), ("e e e", "d d d"), ("b a", "a e"))


def test_curve_has_layers_baselines_and_the_pairs_that_share_nothing(encoder):
    frame = retrieval.curve(edition(encoder, TEXT), "m-bert", store=MemoryStore())
    everything = frame[frame.queries == "all"]
    assert everything.groupby("method").layer.apply(list).to_dict() == {
        "paper": [0, 1, 2], "held out": [0, 1, 2], "no shift": [0, 1, 2], "shared pieces": [-1], "length": [-1]
    }  # fmt: skip
    assert set(frame.candidates) == {4}
    assert all(len(hits) == 2 for hits in frame[frame.queries == "nothing shared"].hits)
    assert list(frame.accuracy) == pytest.approx([100 * np.mean(hits) for hits in frame.hits])


def test_curve_is_kept_by_content(encoder):
    store, frames = MemoryStore(), []
    for words in (TEXT, TEXT, text(*[("a", "b")] * 4)):
        frames.append(retrieval.curve(edition(encoder, words), "m-bert", store=store))
    retrieval.curve(edition(SimpleNamespace(**vars(encoder) | {"digest": "d2"}), TEXT), "m-bert", store=store)
    assert store.computed == 3
    assert frames[0].accuracy.equals(frames[1].accuracy)


def test_candidates_are_a_seeded_subset():
    chosen = retrieval.subset(10, 4, seed=3)
    assert len(set(chosen)) == 4 and list(chosen) == sorted(retrieval.subset(10, 4, seed=3))
    assert list(retrieval.subset(3, 5, seed=0)) == list(retrieval.subset(3, None, seed=0)) == [0, 1, 2]


def test_missing_text_is_explained(encoder):
    pairs = [("xx", "de"), ("en", "de")]
    frame = retrieval.curve(edition(encoder, TEXT), "m-bert", pairs, store=MemoryStore())
    assert frame.attrs["unavailable"] == {"xx-de": "no xx: fetch it"} and set(frame.source) == {"en"}


def test_a_held_out_shift_never_uses_the_pair_that_it_shifts():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 9, 4))
    moved = retrieval.held_out(source, target)
    difference = target - source
    np.testing.assert_allclose(moved[0::2], source[0::2] + difference[1::2].mean(0))
    np.testing.assert_allclose(moved[1::2], source[1::2] + difference[0::2].mean(0))


def test_more_candidates_than_sentences_are_counted_once(encoder):
    once, twice = (
        retrieval.curve(edition(encoder, TEXT), "m-bert", candidates=sizes, store=MemoryStore())
        for sizes in ([None], [None, 4, 9])
    )
    assert len(once) == len(twice)
