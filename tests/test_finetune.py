"""Fine-tuning: it learns, repeats itself, loses no words, and refuses what it cannot learn from."""

from copy import deepcopy

import numpy as np
import pytest
import torch
import toy
from crosslingual.models import ModelError, Recipe, finetune, pieces, score

FAST = {"batch_size": 8, "max_length": 32, "epochs": 4, "learning_rate": 3e-3}
TRAIN = toy.tagged(48, seed=1)


def fit(seed=1, architecture="BERT", **changes):
    recipe = Recipe(**FAST | changes)
    return finetune.finetune(toy.encoder(architecture), *TRAIN, toy.UPOS, recipe, seed)


@pytest.fixture(scope="module")
def tagger():
    return fit(epochs=1)


def weights(tagger):
    return torch.cat([parameter.detach().flatten() for parameter in tagger.network.parameters()])


def test_the_same_seed_gives_the_same_numbers_and_leaves_the_callers_alone(tagger):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(weights(tagger), weights(fit(epochs=1)))
    assert torch.equal(torch.rand(3), expected)
    assert not torch.equal(weights(tagger), weights(fit(epochs=1, seed=2)))


def test_everything_is_fine_tuned_but_the_encoder_itself_stays(tagger):
    before, after = toy.encoder().model(), dict(tagger.network.encoder.named_parameters())
    same = [name for name, one in before.named_parameters() if torch.equal(one, after[name])]
    assert all("pooler" in name for name in same)
    again = toy.encoder().model().state_dict()
    assert all(torch.equal(one, again[name]) for name, one in before.state_dict().items())


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("architecture", ["BERT", "XLM-R"])  # positions of XLM-R hang on the ids
def test_training_only_the_rows_in_use_is_training_all(monkeypatch, architecture, decay):
    """Parity with the plain way: those not used have no gradient, and decay all the same."""
    ours = fit(architecture=architecture, weight_decay=decay)

    def whole(table, encoded):
        return deepcopy(table), torch.arange(table.num_embeddings), encoded

    monkeypatch.setattr(finetune, "_used_rows", whole)
    plain = fit(architecture=architecture, weight_decay=decay)
    torch.testing.assert_close(weights(ours), weights(plain), rtol=1e-5, atol=1e-7)
    new = toy.tagged(50, seed=2)[0] + toy.SENTENCES  # with pieces that the training text lacks
    assert ours.predict(new) == plain.predict(new)


@pytest.mark.parametrize("architecture", toy.TOKENIZERS)
def test_encoders_learn_and_tag_every_word_of_long_rows(architecture):
    encoder, recipe = toy.encoder(architecture), Recipe(**FAST | {"max_length": 128})
    tagger = finetune.finetune(encoder, *TRAIN, toy.UPOS, recipe, 1)
    words, tags = toy.tagged(20, seed=2)
    assert score.percent(score.count("pos", tags, tagger.predict(words))) > 95
    assert tagger.max_length == toy.POSITIONS - 2 * (architecture in ("XLM-R", "RoBERTa"))
    long = [[word for words in toy.SENTENCES for word in words] * 2]  # needs several rows
    assert [len(labels) for labels in tagger.predict(long)] == [len(long[0])]


def test_neither_padding_nor_the_other_sentences_change_a_word(tagger):
    sentences = [["big", "dog"], ["red", "cat", "sees", "dog", "."], ["dog"] * 100, [], ["\u200b"]]
    together = tagger.predict(sentences)
    assert together == [tagger.predict([sentence])[0] for sentence in sentences]
    assert [len(tags) for tags in together] == [2, 5, 100, 0, 1]
    encoded = pieces.encode(tagger.tokenizer, sentences, 32)
    with torch.inference_mode():
        batches = [finetune.collate(encoded, rows) for rows in ([0, 1], [0])]
        padded, alone = map(tagger.network, batches)
    torch.testing.assert_close(padded[:2], alone)


def test_every_row_is_in_one_batch_whose_company_changes_and_wastes_little():
    rng, lengths = np.random.default_rng(0), np.random.default_rng(1).integers(5, 40, 1000)
    epochs = [finetune.batches(lengths, 32, rng) for _ in range(2)]
    assert all(sorted(np.concatenate(epoch)) == list(range(1000)) for epoch in epochs)
    first, second = [{row: set(rows) for rows in e for row in rows.tolist()} for e in epochs]
    assert np.mean([len(first[row] & second[row]) for row in first]) < 10  # 18 with exact lengths
    padded = sum(len(rows) * lengths[rows].max() for rows in epochs[0])
    assert padded / lengths.sum() < 1.15  # 1.75 when drawn at random


def test_schedule_rises_over_the_first_tenth_and_falls_to_zero():
    rates = [finetune.schedule(step, 100, 0.1) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10] == 1 and rates[55] == pytest.approx(0.5) and rates[100] == 0
    assert finetune.schedule(0, 1, 0.1) == 1
    assert all(0 < finetune.schedule(step, 7, 0.0) <= 1 for step in range(7))


def test_biases_and_layer_norms_are_not_decayed(tagger):
    decayed, free = finetune.parameter_groups(tagger.network, 0.01)
    names = {id(parameter): name for name, parameter in tagger.network.named_parameters()}
    plain = {name for name in names.values() if name.endswith("bias") or "LayerNorm" in name}
    assert {names[id(parameter)] for parameter in free["params"]} == plain
    assert decayed["weight_decay"] == 0.01 and free["weight_decay"] == 0
    assert len(decayed["params"]) + len(free["params"]) == len(names)


def test_adam_without_bias_correction_is_bert_s():
    """Parity with BERT's own optimizer, written out: moments as they are, decay beside them."""
    generator = torch.Generator().manual_seed(1)

    def draw():
        return torch.randn(50, generator=generator, dtype=torch.float64)

    ours, mean, square = torch.nn.Parameter(draw()), torch.zeros(50), torch.zeros(50)
    theirs = ours.detach().clone()
    optimizer = torch.optim.AdamW([{"params": [ours], "weight_decay": 0.1}], eps=1e-12)
    for step in range(1, 30):
        gradient, rate = draw(), 0.01 * step
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        theirs -= rate * (mean / (square.sqrt() + 1e-12) + 0.1 * theirs)
        ours.grad = gradient
        finetune.set_rate(optimizer, rate, [0.1], step)
        optimizer.step()
        assert torch.allclose(ours, theirs, rtol=1e-9)
    finetune.set_rate(optimizer, 0.5, [0.1], 0)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.1)


BAD = [
    ([["dog"]], [["NN"]], {}, "'NN' in the training data is none of ADJ, NOUN, PUNCT, VERB"),
    ([[]], [[]], {}, "are empty"),
    ([["dog", "."]], [["NOUN"]], {}, "2 words but 1 labels"),
    # With one step too, whose loss is still a number: all words would get the first label.
    (TRAIN[0][:1], TRAIN[1][:1], {"learning_rate": 1e38}, "diverged .* lower the learning rate"),
    (*TRAIN, {"learning_rate": 1e38}, "diverged .* lower the learning rate"),
]


@pytest.mark.parametrize(("tokens", "labels", "changes", "message"), BAD)
def test_bad_training_data_and_trainings_end_in_a_sentence(tokens, labels, changes, message):
    recipe = Recipe(**FAST).model_copy(update={"epochs": 1} | changes)
    with pytest.raises(ModelError, match=message):
        finetune.finetune(toy.encoder(), tokens, labels, toy.UPOS, recipe, 1)


def test_a_recipe_reads_the_same_whichever_way_its_numbers_are_written():
    assert str(Recipe(weight_decay=0, max_grad_norm=1)) == str(Recipe())
