"""Pre-training: BERT's corruption, smoothed sampling, batches, and runs that survive a kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from crosslingual.edition import EditionError, checked, read_yaml
from crosslingual.models import ModelError, pretrain
from crosslingual.models.pretrain import Lines, PretrainRecipe, mask_pieces, smoothed
from transformers import AutoModel, AutoTokenizer

ROOT = Path(__file__).parents[1]
SIZE = {"vocabulary": 120, "hidden": 16, "layers": 1, "heads": 2, "intermediate": 16}
SIZE |= {"max_length": 24, "seed": 5}
RECIPE = PretrainRecipe(**SIZE, steps=70, tokens_per_batch=96, dropout=0.1, bf16=False)
LETTERS = {"en": "abcdefgh", "hi": "कखगघचछजझ"}
TRAIN = """
import os, signal, sys, torch
import test_pretrain as t
steps, clip = iter(range(1, 1000)), torch.nn.utils.clip_grad_norm_
def between_gradients_and_weights(*arguments):
    if next(steps) == 52:
        os.kill(os.getpid(), signal.SIGKILL)
    return clip(*arguments)
torch.nn.utils.clip_grad_norm_ = between_gradients_and_weights
t.trained(sys.argv[1])
"""


def lines(language, count):
    """Random sentences of random words; Hindi and English share no letter."""
    rng = Random(f"0/{language}")
    words = ["".join(rng.choices(LETTERS[language], k=rng.randint(1, 5))) for _ in range(60)]
    return [" ".join(rng.choices(words, k=rng.randint(1, 14))) for _ in range(count)]


TEXTS = {"en": lines("en", 400), "hi": lines("hi", 100)}


def trained(folder, recipe=RECIPE, texts=TEXTS):
    """A run with checkpoints every 20 steps, an entry of the log every 10, a copy at step 30."""
    pretrain.SAVE_EVERY, pretrain.LOG_EVERY = 20, 10
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return pretrain.pretrain(texts, recipe, Path(folder), snapshots=[30], about="made up")
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run that nothing disturbed."""
    return trained(tmp_path_factory.mktemp("run") / "encoder")


@pytest.fixture(scope="module")
def encoded():
    tokenizer = pretrain.tokenizer_of(pretrain.train_vocabulary(TEXTS, RECIPE), RECIPE.max_length)
    return Lines(TEXTS, tokenizer, RECIPE)


def corrupted(recipe=RECIPE):
    pieces = pretrain.SPECIAL + [f"w{number}" for number in range(1000)]
    tokenizer = pretrain.tokenizer_of(pieces, 64)
    ids = torch.randint(5, len(tokenizer), (400, 50), generator=torch.Generator().manual_seed(1))
    ids[:, 0], ids[:, 40], ids[:, 41:] = 2, 3, 0  # [CLS], [SEP], [PAD]
    return ids, *mask_pieces(ids, recipe, tokenizer, torch.Generator().manual_seed(2))


def test_a_seventh_is_predicted_and_of_these_80_10_10():
    ids, changed, chosen = corrupted()
    ordinary = ids >= len(pretrain.SPECIAL)
    assert not chosen[~ordinary].any() and torch.equal(changed[~chosen], ids[~chosen])
    assert chosen[ordinary].float().mean() == pytest.approx(0.15, abs=0.01)
    masked, kept = changed[chosen] == 4, changed[chosen] == ids[chosen]
    assert masked.float().mean() == pytest.approx(0.8, abs=0.02)
    assert kept.float().mean() == pytest.approx(0.1, abs=0.02)
    assert (changed[chosen][~masked] >= len(pretrain.SPECIAL)).all()  # by words, not by [SEP]


def test_a_batch_always_has_something_to_predict():
    ids, _, chosen = corrupted(PretrainRecipe(predict=0.0))
    assert chosen.sum() == 1 and ids[chosen] >= len(pretrain.SPECIAL)


def test_languages_are_drawn_in_proportion_to_devlin_s_formula(encoded):
    assert smoothed({"a": 16, "b": 1}, 0.5) == {"a": 0.8, "b": 0.2}
    assert encoded.sizes == {"en": 400, "hi": 100}
    drawn = np.concatenate([batch for number in range(30) for batch in encoded.pool(number)])
    share = (drawn < 400).mean()
    assert share == pytest.approx(400**0.7 / (400**0.7 + 100**0.7), abs=0.02)  # not 0.8
    assert len(set(drawn)) > 0.99 * 500  # and every line of each


def test_a_pool_follows_from_the_seed_and_its_number(encoded):
    other = Lines(TEXTS, encoded.tokenizer, RECIPE.model_copy(update={"seed": 6}))
    pools = [encoded.pool(0), encoded.pool(0), encoded.pool(1), other.pool(0)]
    first, again, *others = ([batch.tolist() for batch in pool] for pool in pools)
    assert first == again and first not in others


def test_batches_are_of_the_wanted_size_with_hardly_any_padding(encoded):
    batches = [encoded.batch(numbers) for numbers in encoded.pool(0) + encoded.pool(1)]
    sizes = [int((ids != 0).sum()) for ids in batches]
    assert sum(sizes) > 0.95 * sum(ids.numel() for ids in batches)
    assert np.mean(sizes) == pytest.approx(RECIPE.tokens_per_batch, rel=0.1)


def test_a_batch_holds_the_lines_themselves(encoded):
    everything = [line for language in sorted(TEXTS) for line in TEXTS[language]]
    numbers = encoded.pool(0)[3]
    for number, ids in zip(numbers, encoded.batch(numbers).tolist(), strict=True):
        pieces = encoded.tokenizer(everything[number], add_special_tokens=False)["input_ids"]
        assert [piece for piece in ids if piece] == [2, *pieces[: RECIPE.max_length - 2], 3]


def test_the_rate_by_hand():
    """Two steps of warm-up, then from 1 at step 2 to 0 at step 12."""
    recipe = PretrainRecipe(steps=12, warmup=0.2, learning_rate=1.0)
    rates = [pretrain.learning_rate(step, recipe) for step in range(12)]
    assert rates[:3] == [0, 0.5, 1] and rates[7] == 0.5 and rates[11] == pytest.approx(0.1)


def test_the_vocabulary_covers_the_text_and_keeps_case():
    pieces = pretrain.train_vocabulary({"en": ["Ada ada É e"] * 20}, PretrainRecipe(vocabulary=60))
    assert pieces[:5] == pretrain.SPECIAL and len(set(pieces)) == len(pieces)
    assert pretrain.tokenizer_of(pieces, 64).tokenize("Ada É ada") == ["Ada", "É", "ada"]


def test_an_alphabet_gives_foreign_words_letters_but_no_pieces():
    plain = pretrain.train_vocabulary({"en": TEXTS["en"]}, RECIPE)
    pieces = pretrain.train_vocabulary({"en": TEXTS["en"]}, RECIPE, alphabet="कख a日")
    added = set(pieces) - set(plain)
    assert pieces[: len(plain)] == plain and added == {"क", "##क", "ख", "##ख", "日", "##日"}
    assert pretrain.tokenizer_of(plain, 64).tokenize("कख") == ["[UNK]"]
    assert pretrain.tokenizer_of(pieces, 64).tokenize("कख") == ["क", "##ख"]


def result(folder):
    """Weights and vocabulary as bytes, a copy's weights, and the log."""
    names = ["model.safetensors", "tokenizer.json", "run/step-30/model.safetensors"]
    log = (folder / "training.jsonl").read_text("utf-8").splitlines()
    return [(folder / name).read_bytes() for name in names], list(map(json.loads, log))


def test_it_learns_and_says_so(run):
    _, log = result(run.folder)
    assert [entry["step"] for entry in log] == [10, 20, 30, 40, 50, 60, 70]
    assert log[4]["tokens"] == pytest.approx(50 * RECIPE.tokens_per_batch, rel=0.15)
    assert log[-1]["loss"] < log[0]["loss"] < 1.1 * np.log(len(run.tokenizer))
    card = (run.folder / "README.md").read_text()
    told = ["500 lines in 2 languages (en hi); made up", "in 70 steps", '"steps": 70', "torch 2"]
    assert all(fact in card for fact in told)


def test_auto_classes_load_the_encoder_as_it_is(run):
    model, tokenizer = (c.from_pretrained(run.folder) for c in (AutoModel, AutoTokenizer))
    weights, loaded = run.model.bert.state_dict(), model.state_dict()
    assert all(torch.equal(weights[name], loaded[name]) for name in weights)
    for line in ["abc Éclair bad 12.", "कखग जझ", "日本 hgf", *TEXTS["hi"][:20]]:
        assert tokenizer(line)["input_ids"] == run.tokenizer(line)["input_ids"]
    assert tokenizer.model_max_length == RECIPE.max_length


def test_a_run_killed_in_mid_step_ends_like_one_that_was_not(run, tmp_path):
    """Killed in step 52: the checkpoint is of step 40, the log already has step 50."""
    folder = tmp_path / "encoder"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "52"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    command = [sys.executable, "-c", TRAIN, str(folder)]
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (folder / "model.safetensors").exists()
    assert torch.load(folder / "run/checkpoint.pt")["counts"][0] == 40
    for _ in range(2):  # and a finished one is not trained again
        trained(folder)
        assert result(folder) == result(run.folder)


@pytest.mark.parametrize("recipe, texts", [
    (RECIPE.model_copy(update={"steps": 80}), TEXTS),
    (RECIPE, TEXTS | {"hi": TEXTS["hi"][:-1]}),
    (RECIPE, {"en": TEXTS["en"], "ur": TEXTS["hi"]}),
])  # fmt: skip
def test_a_folder_with_another_run_is_refused(run, recipe, texts):
    before = result(run.folder)
    with pytest.raises(ModelError, match="another recipe or other texts: .* or remove the fold"):
        trained(run.folder, recipe, texts)
    assert result(run.folder) == before


def specification(path):
    mapping, places = read_yaml(path)
    return checked(pretrain.Specification, mapping, path, places)


@pytest.mark.parametrize("line, sentence", [
    ("steps: 5", "steps"),
    ("sentences: many", "sentences.*not 'many'"),
    ("sentences: 0", "sentences.*greater than or equal to 1"),
    ("languages: []", "languages.*at least 1 item"),
    ("snapshots: [last]", "snapshots.*not 'last'"),
    ("recipe: {stepz: 5}", "stepz"),
    ("recipe: {steps: true}", "steps.*not 'True'"),
    ("recipe: {mask: 1.2}", "mask.*less than or equal to 1"),
    ("recipe: {hidden: 50, heads: 4}", "hidden size of 50 has no 4 equal heads"),
])  # fmt: skip
def test_a_mistake_in_a_specification_is_one_sentence_with_its_line(tmp_path, line, sentence):
    path = tmp_path / "mine.yml"
    path.write_text(f"# mine\nedition: ./pocket.yml\n{line}\n")
    with pytest.raises(EditionError, match=f"mine.yml, line 3: .*{sentence}") as caught:
        specification(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pocket-m-bert", "pocket-en-bert"])
def test_the_specifications_of_the_shipped_encoders_say_what_was_done(name):
    wanted = specification(ROOT / "encoders" / f"{name}.yml")
    card = (ROOT / "encoders" / name / "README.md").read_text()
    assert f"recipe: `{json.dumps(wanted.recipe.model_dump())}`" in card
    assert (ROOT / "encoders" / wanted.edition).is_file()
