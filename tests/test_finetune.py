"""Fine-tuning: it learns, repeats itself, loses no words, and refuses what it cannot learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from datasets import Dataset
from toy import FAST, Encoder, ner_corpus, pos_corpus
from transformers import AutoModel, DistilBertConfig, PreTrainedConfig, RobertaConfig, XLMRobertaConfig

from crosslingual import alignment, finetune, scoring, store, transfer
from crosslingual.finetune import Recipe

ENCODER = Encoder("m-bert")
TRAIN = pos_corpus("en", 80, seed=1)


def fit(**changes: object) -> finetune.Tagger:
    seed = int(changes.pop("seed", 1))
    return finetune.finetune(ENCODER, TRAIN, transfer.UPOS, replace(FAST, **changes), seed)


def weights(tagger: finetune.Tagger) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in tagger.network.parameters()])


def test_learns_to_tag_and_to_find_names() -> None:
    test = pos_corpus("en", 20, seed=2)
    assert scoring.score("pos", test["labels"], fit().predict(test["tokens"])).value > 95
    tagger = finetune.finetune(ENCODER, ner_corpus("en", 100, 1), transfer.IOB2, FAST, 1)
    names = ner_corpus("en", 20, 2)
    assert scoring.score("ner", names["labels"], tagger.predict(names["tokens"])).value > 80


def test_same_seed_same_numbers_and_the_seed_matters() -> None:
    torch.manual_seed(123)
    first = weights(fit(seed=1))
    torch.manual_seed(321)
    assert torch.equal(first, weights(fit(seed=1)))
    assert not torch.equal(first, weights(fit(seed=2)))


def test_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_everything_is_fine_tuned_but_the_encoder_itself_stays() -> None:
    before, tagger = ENCODER.model(), fit()
    after = dict(tagger.network.encoder.named_parameters())
    unchanged = [name for name, parameter in before.named_parameters() if torch.equal(parameter, after[name])]
    assert unchanged == []


SMALL = {"vocab_size": 120, "max_position_embeddings": 40}
LAYERS = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.mark.parametrize("config", [
    RobertaConfig(**SMALL, **LAYERS), XLMRobertaConfig(**SMALL, **LAYERS),
    DistilBertConfig(**SMALL, dim=16, n_layers=1, n_heads=2, hidden_dim=16),
], ids=lambda config: config.model_type)
def test_other_encoders_fine_tune_too(config: PreTrainedConfig) -> None:
    class Other(Encoder):
        def model(self) -> torch.nn.Module:
            return AutoModel.from_config(config)

    tagger = finetune.finetune(Other("other"), TRAIN, transfer.UPOS, replace(FAST, epochs=1), 1)
    assert len(tagger.predict([["the", "dog"] * 40])[0]) == 80


def test_tags_do_not_depend_on_the_other_sentences() -> None:
    tagger = fit(epochs=1)
    sentences = [["big", "dog"], ["red", "house", "seesen", "cat", "."], ["dog"] * 100, [], ["\u200b"]]
    assert tagger.predict(sentences) == [tagger.predict([sentence])[0] for sentence in sentences]
    assert [len(tags) for tags in tagger.predict(sentences)] == [2, 5, 100, 0, 1]


def test_padding_changes_no_logit() -> None:
    network = fit(epochs=1).network.eval()
    sentences = [["big", "dog"], ["red", "house", "seesen", "cat", "."]]
    encoded = alignment.encode(ENCODER.tokenizer, sentences, 32)
    with torch.inference_mode():
        together, alone = network(finetune.collate(encoded, [0, 1])), network(finetune.collate(encoded, [0]))
    torch.testing.assert_close(together[:2], alone)


def test_every_row_is_in_one_batch_and_batches_change() -> None:
    rng, lengths = np.random.default_rng(0), np.random.default_rng(1).integers(5, 40, 1000)
    epochs = [finetune.batches(lengths, 32, rng) for _ in range(3)]
    for epoch in epochs:
        assert sorted(np.concatenate(epoch)) == list(range(1000))
        assert len(epoch) == 32
    company = [{int(row): frozenset(batch.tolist()) for batch in epoch for row in batch} for epoch in epochs]
    shared = [len(company[0][row] & company[1][row]) for row in range(1000)]
    assert np.mean(shared) < 10  # of 32; in batches of exact length it is 18


def test_batches_waste_little_on_padding() -> None:
    lengths = np.random.default_rng(1).integers(5, 40, 1000)
    epoch = finetune.batches(lengths, 32, np.random.default_rng(0))
    padded = sum(len(rows) * lengths[rows].max() for rows in epoch)
    assert padded / lengths.sum() < 1.15  # 1.75 when drawn at random


def test_schedule_rises_over_the_first_tenth_and_falls_to_zero() -> None:
    rates = [finetune.schedule(step, 100, 0.1) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10] == 1 and rates[55] == pytest.approx(0.5) and rates[100] == 0
    assert finetune.schedule(0, 1, 0.1) == 1
    assert all(0 < finetune.schedule(step, 7, 0.0) <= 1 for step in range(7))


def test_biases_and_layer_norms_are_not_decayed() -> None:
    network = fit(epochs=1).network
    decayed, free = finetune.parameter_groups(network, 0.01)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert {names[id(p)] for p in free["params"]} == {
        name for name in names.values() if name.endswith("bias") or "LayerNorm" in name}
    assert decayed["weight_decay"] == 0.01 and len(decayed["params"]) + len(free["params"]) == len(names)


def test_adam_without_bias_correction_is_bert_s() -> None:
    """Parity with the update of BERT's own optimizer, written out: moments as they are, decay beside them."""
    generator = torch.Generator().manual_seed(1)
    ours = torch.nn.Parameter(torch.randn(50, generator=generator, dtype=torch.float64))
    theirs, mean, square = ours.detach().clone(), torch.zeros(50).double(), torch.zeros(50).double()
    optimizer = torch.optim.AdamW([{"params": [ours], "weight_decay": 0.1}], eps=1e-12)
    for step in range(1, 30):
        gradient, rate = torch.randn(50, generator=generator, dtype=torch.float64), 0.01 * step
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        theirs -= rate * (mean / (square.sqrt() + 1e-12) + 0.1 * theirs)
        ours.grad = gradient
        finetune.set_rate(optimizer, rate, [0.1], uncorrected=step)
        optimizer.step()
        assert torch.allclose(ours, theirs, rtol=1e-9)
    finetune.set_rate(optimizer, 0.5, [0.1])
    assert optimizer.param_groups[0]["lr"] == 0.5 and optimizer.param_groups[0]["weight_decay"] == 0.1


def test_bias_correction_changes_the_tagger_and_its_key_alone() -> None:
    assert not torch.equal(weights(fit()), weights(fit(bias_correction=False)))
    assert "bias_correction" not in Recipe().described()  # results kept before it was a setting are found
    assert Recipe(bias_correction=False).described() == Recipe().described() | {"bias_correction": False}


def test_whole_numbers_and_fractions_make_the_same_key() -> None:
    given = {"weight_decay": 0, "max_grad_norm": 2, "warmup": 0, "dropout": 0}
    fractions = {name: float(number) for name, number in given.items()}
    assert store.digest(Recipe(**given).described()) == store.digest(Recipe(**fractions).described())
    assert store.digest(Recipe().described()) == "b518f534b1d7ac42a1dd2a6a48f3ab41"  # kept results are found by it


def test_progress_is_told_after_each_step() -> None:
    seen: list[tuple[int, int, float]] = []
    finetune.finetune(ENCODER, TRAIN, transfer.UPOS, FAST, 1, progress=lambda *step: seen.append(step))
    assert [step for step, _, _ in seen] == list(range(1, 41)) and seen[0][1] == 40
    assert seen[-1][2] < seen[0][2]


@pytest.mark.parametrize(("train", "message"), [
    (Dataset.from_dict({"tokens": [["dog"]], "labels": [["NN"]]}), "'NN' in the training data is none"),
    (Dataset.from_dict({"tokens": [[]], "labels": [[]]}), "empty"),
    (Dataset.from_dict({"tokens": [["dog", "."]], "labels": [["NOUN"]]}), "2 words but 1 labels"),
])
def test_bad_training_data_are_refused(train: Dataset, message: str) -> None:
    with pytest.raises(finetune.FinetuneError, match=message):
        finetune.finetune(ENCODER, train, transfer.UPOS, FAST, 1)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"learning_rate": -1.0}, {"warmup": 1.5}, {"dropout": 1.0}])
def test_recipe_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(finetune.FinetuneError, match=next(iter(wrong))):
        Recipe(**wrong)
