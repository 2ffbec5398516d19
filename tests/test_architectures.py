"""Every architecture that the paper edition names goes through fine-tuning and retrieval as BERT does."""

import numpy as np
import pytest
import zoo
from crosslingual import encoders, retrieval
from crosslingual.corpora.text import labelled_corpus
from crosslingual.encoders import Encoder
from crosslingual.finetune import Recipe, finetune

SENTENCES = [line.split() for line in zoo.TEXT]
LABELS = ["NOUN", "PUNCT"]


@pytest.fixture(scope="module", params=zoo.TOKENIZERS)
def encoder(request, tmp_path_factory) -> Encoder:
    folder = tmp_path_factory.mktemp(request.param)
    return Encoder(request.param, str(zoo.save(request.param, folder)))


def test_fine_tuning_learns_and_tags_every_word_of_long_rows(encoder):
    gold = [["PUNCT" if index % 2 else "NOUN" for index, _ in enumerate(words)] for words in SENTENCES]
    losses = []
    corpus = labelled_corpus(SENTENCES * 4, gold * 4)
    recipe = Recipe(batch_size=8, epochs=2, learning_rate=3e-3, max_length=128)
    tagger = finetune(encoder, corpus, LABELS, recipe, seed=1, progress=lambda step, steps, loss: losses.append(loss))
    assert np.mean(losses[-3:]) < losses[0]
    assert tagger.max_length <= zoo.POSITIONS
    long = [[word for words in SENTENCES for word in words]]  # needs several rows
    assert [len(labels) for labels in tagger.predict(long)] == [len(long[0])]


def test_sentence_vectors_of_every_layer(encoder):
    lines = [*zoo.TEXT, " ".join(zoo.TEXT)]
    vectors = retrieval.sentence_vectors(encoder, lines)
    assert vectors.shape == (3, len(lines), 32) and np.isfinite(vectors).all()
    alone = retrieval.sentence_vectors(encoder, lines[:1])
    np.testing.assert_allclose(vectors[:, :1], alone, atol=2e-5)  # padding beside longer lines changes nothing
    assert np.ptp(vectors[-1], axis=0).max() > 0


def test_a_row_of_the_greatest_length_fits(encoder):
    model, tokenizer = encoder.model(), encoder.tokenizer
    most = encoders.positions(model)
    assert most == (zoo.POSITIONS - 2 if encoder.name in ("XLM-R", "RoBERTa") else zoo.POSITIONS)
    row = tokenizer("the " * 100, truncation=True, max_length=most, return_tensors="pt", return_token_type_ids=False)
    assert model(**row).last_hidden_state.shape == (1, most, 32)
