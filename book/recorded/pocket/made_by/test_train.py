"""The stack against single encoders, against transformers, against its own resumption.

python prepare.py --seed 7 --sentences 300 --out /tmp/few
WORLDS=/tmp/few python -m pytest test_train.py
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import train

DATA = Path(os.environ.get("WORLDS", "data"))
ABOUT = json.loads((DATA / "about.json").read_text())
torch.set_num_threads(1)
train.TOKENS = 256


@pytest.fixture(scope="module")
def texts():
    return {name: train.Text(DATA / f"{name}.npz", ABOUT) for name in ("own", "one", "script")}


def stack_of(texts, seeds, *worlds):
    train.STACKS["test"] = {name: train.MAIN[name] for name in worlds}, 2, 32
    return train.Stack("test", list(seeds), texts)


def trained(texts, seeds, steps, *worlds):
    run = train.Run(stack_of(texts, seeds, *worlds), 20, None)
    run.until(steps)
    return run.stack


def member(stack, name, seed):
    m, size = stack.members.index((name, seed)), stack.sizes[stack.members.index((name, seed))]
    cut = {"pieces", "guess"}
    return {k: v[m, :size] if k in cut else v[m] for k, v in stack.parameters.items()}


def test_a_member_learns_what_it_would_learn_alone(texts):
    worlds = "as it is", "apart", "one order", "one script", "nothing shared"
    together = trained(texts, [1, 2], 6, *worlds)
    for name in worlds:
        alone = trained(texts, [2], 6, name)
        # the lengths of a batch are those of the worlds in the stack, so only like manners compare
        if train.MAIN[name].manner == "own":
            alone = trained({k: texts[k] for k in texts}, [2], 6, name, "one order", "one script")
        one, other = member(together, name, 2), member(alone, name, 2)
        if train.MAIN[name].manner == "own":
            for key in one:
                torch.testing.assert_close(one[key], other[key], atol=2e-4, rtol=1e-3)


def test_members_start_alike_and_seeds_do_not(texts):
    stack = stack_of(texts, [1, 2], "as it is", "apart")
    one, apart, other = (
        member(stack, *key) for key in [("as it is", 1), ("apart", 1), ("as it is", 2)]
    )
    assert torch.equal(one["0.qkv"], apart["0.qkv"])
    assert not torch.equal(one["0.qkv"], other["0.qkv"])


def test_it_is_the_bert_of_transformers(texts):
    from transformers import BertConfig, BertForMaskedLM

    stack = trained(texts, [1], 4, "as it is", "one script")
    p = member(stack, "as it is", 1)
    size = {
        "hidden_size": 32,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    config = BertConfig(
        vocab_size=len(p["pieces"]), max_position_embeddings=64, hidden_act="gelu", **size
    )
    model = BertForMaskedLM(config).eval()
    new = {
        "bert.embeddings.word_embeddings.weight": p["pieces"],
        "bert.embeddings.position_embeddings.weight": p["positions"][:64],
        "bert.embeddings.token_type_embeddings.weight": torch.zeros(2, 32),
        "cls.predictions.decoder.weight": p["pieces"],
        "cls.predictions.bias": p["guess"],
        "cls.predictions.decoder.bias": p["guess"],
    }
    names = {"out": "attention.output.dense", "up": "intermediate.dense", "down": "output.dense"}
    for i in range(2):
        for k, part in enumerate(("query", "key", "value")):
            new[f"bert.encoder.layer.{i}.attention.self.{part}.weight"] = p[f"{i}.qkv"][
                :, 32 * k : 32 * k + 32
            ].T
            new[f"bert.encoder.layer.{i}.attention.self.{part}.bias"] = p[f"{i}.qkv bias"][
                32 * k : 32 * k + 32
            ]
        for ours, theirs in names.items():
            new[f"bert.encoder.layer.{i}.{theirs}.weight"] = p[f"{i}.{ours}"].T
            new[f"bert.encoder.layer.{i}.{theirs}.bias"] = p[f"{i}.{ours} bias"]
        for ours, theirs in {"a": "attention.output", "b": "output"}.items():
            new[f"bert.encoder.layer.{i}.{theirs}.LayerNorm.weight"] = p[f"{i}.{ours} scale"]
            new[f"bert.encoder.layer.{i}.{theirs}.LayerNorm.bias"] = p[f"{i}.{ours} shift"]
    head = "cls.predictions.transform"
    new |= {
        f"{head}.dense.weight": p["head"].T,
        f"{head}.dense.bias": p["head bias"],
        f"{head}.LayerNorm.weight": p["head scale"],
        f"{head}.LayerNorm.bias": p["head shift"],
        "bert.embeddings.LayerNorm.weight": p["embedded scale"],
        "bert.embeddings.LayerNorm.bias": p["embedded shift"],
    }
    missing = model.load_state_dict(new, strict=False)
    assert not missing.unexpected_keys and all("position_ids" in k for k in missing.missing_keys), (
        missing
    )
    signs, language, lengths = train.sentences(stack, "parallel", np.arange(0, 4000, 470))
    ids = stack.ids(signs, language)
    with torch.no_grad():
        ours = train.encode(stack, stack.parameters, ids, language, lengths)[-1]
        ours = train.guesses(stack, stack.parameters, ours.flatten(1, 2))[0].view(
            *ids.shape[1:], -1
        )
        mask = (torch.arange(ids.shape[2]) < lengths[0, :, None]).long()
        theirs = model(input_ids=ids[0], attention_mask=mask).logits
    known = mask.bool()
    size = len(p["pieces"])
    torch.testing.assert_close(ours[..., :size][known], theirs[known], atol=1e-3, rtol=1e-3)


def test_a_killed_run_goes_on_where_it_was(texts, tmp_path):
    whole = trained(texts, [1], 6, "apart", "one script")
    first = train.Run(stack_of(texts, [1], "apart", "one script"), 20, tmp_path / "x.pt")
    first.until(3)
    first.save()
    second = train.Run(stack_of(texts, [1], "apart", "one script"), 20, tmp_path / "x.pt")
    assert second.step == 3
    second.until(6)
    assert train.digest(whole) == train.digest(second.stack)


@pytest.mark.parametrize(
    ("name", "anchors", "words", "special"),
    [
        ("as it is", True, True, True),
        ("apart", False, False, True),
        ("one script", True, True, True),
        ("one script, anchors only", True, False, True),
        ("one script, words only", False, True, True),
        ("nothing shared", False, False, False),
    ],
)
def test_what_is_shared_and_what_not(texts, name, anchors, words, special):
    world = train.MAIN[name]
    text = texts[world.manner]
    table, mine, size = train.ids_of(text, world)
    used = text.used.copy()
    used[:, : train.SPECIAL] = False
    for kind, shared in [(text.anchor, anchors), (~text.anchor, words)]:
        both = used[0] & used[1] & kind
        # Words of two scripts have hardly a piece in common that could be shared or not.
        assert both.any() or world.manner == "own"
        assert ((table[0, both] == table[1, both]) == shared).all()
    assert (table[0, train.MASK] == table[1, train.MASK]) == special
    for language in range(len(used)):
        own = table[language, used[language]]
        assert len(set(own)) == len(own) and own.max() < size  # no two signs of a language meet
        assert set(own) <= set(mine[language])
    if not special:
        assert not set(mine[0]) & set(mine[1])


def test_labels_stand_at_the_first_piece_of_their_words(texts):
    """Punctuation, which is an anchor of one or few signs, says where the words are."""
    text = texts["own"]
    rows, lengths, _ = text.parts["test"]
    places, labels, kinds = text.parts["test words"]
    punctuation = ABOUT["labels"].index("PUNCT")
    for row, place, label, kind, length in zip(rows, places, labels, kinds, lengths, strict=True):
        real = label >= 0
        assert (np.diff(place[real]) > 0).all() and place[real].max() < length
        assert (text.anchor[row[place[real]]] == (kind[real] == 0)).all()
        assert label[real][-1] == punctuation


def test_batches_are_the_same_text_for_all_worlds_of_a_seed(texts):
    stack = stack_of(texts, [1, 2], "as it is", "apart")
    signs, language, lengths, chosen, _ = train.batch(stack, 5)
    assert torch.equal(signs[0], signs[2]) and torch.equal(chosen[0], chosen[2])  # seed 1
    assert not torch.equal(signs[0], signs[1])
    assert lengths is None and (signs[:, :, -1] == train.SEP).all()
    given = train.corrupted(
        stack, stack.ids(signs, language), language, chosen, train.batch(stack, 5)[4]
    )
    changed = given != stack.ids(signs, language)
    assert changed.any() and not changed[:, :, [0, -1]].any()


def test_the_probes_give_what_the_library_gives(texts, monkeypatch):
    from crosslingual.models.retrieve import nearest_neighbour_hits

    monkeypatch.setattr(train, "TAG_EPOCHS", 1)
    stack = trained(texts, [1], 3, "as it is", "one order", "one script")
    found = train.probe(stack, ABOUT | {"parallel": 60})
    assert found["correct"].shape == (3, 4, 1200, 3) and found["loss"].shape == (3, 4)
    assert (found["correct"] <= found["total"][:, None]).all() and found["correct"].any()
    words = [(text.parts["test words"][1] >= 0).sum() for text in texts.values()]
    assert found["total"].sum((1, 2), dtype=int).tolist() == words  # own, one, script
    vectors = train.vectors(stack, 60).numpy()
    for view, name in enumerate(["no shift", "held out"]):
        for pair, (a, b) in [(0, (0, 1)), (11, (3, 2))]:
            hits = nearest_neighbour_hits(vectors[2, 1, a], vectors[2, 1, b], name)
            assert found["retrieval"][view, 2, 1, pair] == pytest.approx(hits.mean(), abs=0.02)


def test_sentence_vectors_are_means_without_special_tokens_or_padding(texts):
    stack = stack_of(texts, [1], "as it is", "one script")
    text = texts["own"].parts["parallel"]
    made = train.vectors(stack, 3)[0, 0, 2, 1]  # embeddings, the second Hindi sentence
    signs = torch.from_numpy(text[0][[2001], : text[1][2001]])
    ids = torch.cat([torch.tensor([[train.CLS]]), signs, torch.tensor([[train.SEP]])], 1)
    ids = stack.ids(ids.expand(2, 1, -1), torch.full((2, 1), 2))
    alone = train.encode(stack, stack.parameters, ids, torch.full((2, 1), 2), None)[0]
    torch.testing.assert_close(made, alone[0, 0, 1:-1].mean(0), atol=1e-5, rtol=1e-4)
