"""Pre-training: BERT's corruption, smoothed sampling, batches from a seed, and runs that survive a kill."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from crosslingual import pretrain
from crosslingual.editions import Edition
from crosslingual.pretrain import PretrainRecipe, RecipeError, Texts, mask_pieces, read_specification, smoothed

RECIPE = PretrainRecipe(vocabulary=120, hidden=16, layers=1, heads=2, intermediate=16, max_length=24, steps=70,
                        tokens_per_batch=96, dropout=0.1, seed=5)
SAVE_EVERY = 9  # so that a checkpoint falls between two entries of the log
LETTERS = {"en": "abcdefgh", "hi": "कखगघचछजझ"}
TRAIN = """
import os, signal, sys, torch
sys.path.insert(0, sys.argv[1])
import test_pretrain as t
if len(sys.argv) > 3:
    steps, clip = iter(range(1, 1000)), torch.nn.utils.clip_grad_norm_
    def between_gradients_and_weights(*arguments):
        if next(steps) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return clip(*arguments)
    torch.nn.utils.clip_grad_norm_ = between_gradients_and_weights
t.trained(sys.argv[2])
"""


def lines(language, count, seed=0):
    """Random sentences of random words; Hindi and English share no letter."""
    rng = Random(f"{seed}/{language}")
    words = ["".join(rng.choices(LETTERS[language], k=rng.randint(1, 5))) for _ in range(60)]
    return [" ".join(rng.choices(words, k=rng.randint(1, 14))) for _ in range(count)]


TEXTS = {"en": lines("en", 400), "hi": lines("hi", 100)}


def trained(folder, recipe=RECIPE, texts=TEXTS):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return pretrain.pretrain(texts, recipe, Path(folder), device="cpu", save_every=SAVE_EVERY)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run that nothing disturbed."""
    return trained(tmp_path_factory.mktemp("run") / "encoder")


@pytest.fixture(scope="module")
def texts():
    tokenizer = pretrain.tokenizer_of(pretrain.train_vocabulary(TEXTS, RECIPE), RECIPE.max_length)
    return Texts(TEXTS, tokenizer, RECIPE)


# ---- masking


def corrupted(recipe=RECIPE, vocabulary=1000):
    tokenizer = pretrain.tokenizer_of(pretrain.SPECIAL + [f"w{number}" for number in range(vocabulary)], 64)
    ids = torch.randint(5, len(tokenizer), (400, 50), generator=torch.Generator().manual_seed(1))
    ids[:, 0], ids[:, 40], ids[:, 41:] = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
    return tokenizer, ids, *mask_pieces(ids, recipe, tokenizer, torch.Generator().manual_seed(2))


def test_a_seventh_is_predicted_and_of_these_80_10_10():
    tokenizer, ids, changed, chosen = corrupted()
    ordinary = ids >= len(pretrain.SPECIAL)
    assert chosen[ordinary].float().mean() == pytest.approx(0.15, abs=0.01)
    masked, kept = changed[chosen] == tokenizer.mask_token_id, changed[chosen] == ids[chosen]
    assert masked.float().mean() == pytest.approx(0.8, abs=0.02)
    assert kept.float().mean() == pytest.approx(0.1, abs=0.02)
    assert (~masked & ~kept).float().mean() == pytest.approx(0.1, abs=0.02)
    assert (changed[chosen][~masked] >= len(pretrain.SPECIAL)).all()  # replaced by words, not by special tokens


def test_special_tokens_and_unchosen_pieces_are_left_alone():
    _, ids, changed, chosen = corrupted()
    assert not chosen[ids < len(pretrain.SPECIAL)].any()
    assert torch.equal(changed[~chosen], ids[~chosen])


def test_a_batch_always_has_something_to_predict():
    _, ids, changed, chosen = corrupted(PretrainRecipe(predict=0.0))
    assert chosen.sum() == 1 and ids[chosen] >= len(pretrain.SPECIAL)


# ---- sampling and batches


def test_smoothing_is_devlin_s_formula():
    assert smoothed({"a": 16, "b": 1}, 0.5) == {"a": 0.8, "b": 0.2}
    assert smoothed({"a": 30, "b": 10}, 1.0) == {"a": 0.75, "b": 0.25}
    assert smoothed({"a": 30, "b": 10}, 0.0) == {"a": 0.5, "b": 0.5}


def test_languages_are_drawn_in_proportion(texts):
    first, count = texts.first["en"]
    drawn = np.concatenate([batch for number in range(30) for batch in texts.pool(number)])
    share = ((drawn >= first) & (drawn < first + count)).mean()
    assert share == pytest.approx(400**0.7 / (400**0.7 + 100**0.7), abs=0.02)  # not the 0.8 of its size
    assert len(set(drawn)) > 0.99 * 500  # and every line of each


def test_a_pool_follows_from_the_seed_and_its_number(texts):
    def flat(texts, number):
        return [batch.tolist() for batch in texts.pool(number)]

    first = flat(texts, 0)
    assert flat(texts, 1) != first == flat(texts, 0)
    assert len(first) == pretrain.BATCHES_PER_POOL and all(first)
    other = Texts(TEXTS, texts.tokenizer, PretrainRecipe(**vars(RECIPE) | {"seed": 6}))
    assert flat(other, 0) != first


def test_batches_are_of_the_wanted_size_with_hardly_any_padding(texts):
    batches = [texts.batch(lines) for lines in itertools.chain(texts.pool(0), texts.pool(1))]
    sizes = [int((ids != texts.tokenizer.pad_token_id).sum()) for ids in batches]
    assert sum(sizes) > 0.95 * sum(ids.numel() for ids in batches)
    assert np.mean(sizes) == pytest.approx(RECIPE.tokens_per_batch, rel=0.1)


def test_a_batch_holds_the_lines_themselves(texts):
    tokenizer, everything = texts.tokenizer, [line for language in sorted(TEXTS) for line in TEXTS[language]]
    rows = texts.pool(0)[3]
    for row, ids in zip(rows, texts.batch(rows).tolist(), strict=True):
        expected = tokenizer(everything[row], add_special_tokens=False)["input_ids"][:RECIPE.max_length - 2]
        ids = [piece for piece in ids if piece != tokenizer.pad_token_id]
        assert ids == [tokenizer.cls_token_id, *expected, tokenizer.sep_token_id]


# ---- vocabulary


def test_the_vocabulary_covers_the_text_and_keeps_case():
    pieces = pretrain.train_vocabulary({"en": ["Ada ada É e"] * 20}, PretrainRecipe(vocabulary=60))
    assert pieces[:5] == pretrain.SPECIAL and len(set(pieces)) == len(pieces)
    assert pretrain.tokenizer_of(pieces, 64).tokenize("Ada É ada") == ["Ada", "É", "ada"]


def test_an_alphabet_gives_foreign_words_letters_but_no_pieces():
    plain = pretrain.train_vocabulary({"en": TEXTS["en"]}, RECIPE)
    pieces = pretrain.train_vocabulary({"en": TEXTS["en"]}, RECIPE, alphabet="कख a日")
    assert pieces[:len(plain)] == plain and set(pieces) - set(plain) == {"क", "##क", "ख", "##ख", "日", "##日"}
    assert pretrain.tokenizer_of(plain, 64).tokenize("कख") == ["[UNK]"]
    assert pretrain.tokenizer_of(pieces, 64).tokenize("कख") == ["क", "##ख"]


# ---- runs


def test_it_learns_and_keeps_a_log(run):
    log = pretrain.read_log(run.folder)
    assert [entry["step"] for entry in log] == [50, 70]
    assert log[0]["tokens"] == pytest.approx(50 * RECIPE.tokens_per_batch, rel=0.15)
    assert log[1]["loss"] < np.log(len(run.tokenizer))


def test_auto_classes_load_the_encoder_as_it_is(run):
    model, tokenizer = AutoModel.from_pretrained(run.folder), AutoTokenizer.from_pretrained(run.folder)
    weights = run.model.bert.state_dict()
    loaded = model.state_dict()
    assert all(torch.equal(weights[name], loaded[name]) for name in weights)
    for line in ["abc Éclair bad 12.", "कखग जझ", "日本 hgf", *TEXTS["hi"][:20]]:
        assert tokenizer(line)["input_ids"] == run.tokenizer(line)["input_ids"]
    assert tokenizer.model_max_length == RECIPE.max_length


def result(folder):
    """Weights as bytes, vocabulary, and the log but for the speed."""
    log = [entry | {"tokens_per_second": 0} for entry in pretrain.read_log(folder)]
    vocabulary = (folder / "run/vocab.txt").read_text(encoding="utf-8")
    return (folder / "model.safetensors").read_bytes(), vocabulary, log


def test_a_run_killed_in_mid_step_ends_like_one_that_was_not(run, tmp_path):
    """Killed in step 52: the checkpoint is of step 45, the log already has step 50."""
    folder = tmp_path / "encoder"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "52"}
    command = [sys.executable, "-c", TRAIN, str(Path(__file__).parent), str(folder), "52"]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (folder / "model.safetensors").exists()
    assert torch.load(folder / "run/checkpoint.pt")["step"] == 45
    trained(folder)
    assert result(folder) == result(run.folder)


def test_a_finished_run_is_not_trained_again(run):
    before = result(run.folder)
    assert trained(run.folder).step == RECIPE.steps
    assert result(run.folder) == before


@pytest.mark.parametrize("recipe, texts", [
    (PretrainRecipe(**vars(RECIPE) | {"steps": 80}), TEXTS),
    (RECIPE, TEXTS | {"hi": TEXTS["hi"][:-1]}),
    (RECIPE, {"en": TEXTS["en"], "ur": TEXTS["hi"]}),
])
def test_a_folder_with_another_run_is_refused(run, recipe, texts):
    before = result(run.folder)
    with pytest.raises(RecipeError, match="another recipe or other texts: finish that one, .* or remove the folder"):
        trained(run.folder, recipe, texts)
    assert result(run.folder) == before


# ---- extensions


SHORTER = PretrainRecipe(**vars(RECIPE) | {"steps": 50})
LONGER = PretrainRecipe(**vars(RECIPE) | {"extended": [50]})


def test_the_rate_falls_to_zero_at_the_end_of_each_plan():
    """By hand: two steps of warm-up, then from 1 at step 2 to 0 at step 12; on to 22 as though planned so."""
    recipe = PretrainRecipe(steps=22, extended=[12], warmup=0.2, learning_rate=1.0)
    rates = [pretrain.learning_rate(step, recipe) for step in range(22)]
    assert rates[:3] == [0, 0.5, 1] and rates[7] == 0.5 and rates[11] == pytest.approx(0.1)
    assert rates[12] == 0.5 and rates[21] == pytest.approx(0.05)
    plain = PretrainRecipe(steps=12, warmup=0.2, learning_rate=1.0)
    assert rates[:12] == [pretrain.learning_rate(step, plain) for step in range(12)]


def test_a_finished_run_that_is_extended_ends_like_one_planned_so(tmp_path):
    trained(tmp_path / "pieces", SHORTER)
    first = result(tmp_path / "pieces")
    trained(tmp_path / "pieces", LONGER)
    trained(tmp_path / "whole", LONGER)
    assert result(tmp_path / "pieces") == result(tmp_path / "whole") != first


@pytest.mark.parametrize("changes", [{"extended": [40]}, {"extended": [40, 50]}, {"extended": [50], "learning_rate": 0.1}])
def test_only_an_extension_of_the_same_run_goes_on(tmp_path, changes):
    trained(tmp_path / "encoder", SHORTER)
    before = result(tmp_path / "encoder")
    with pytest.raises(RecipeError, match="give its steps under 'extended'"):
        trained(tmp_path / "encoder", PretrainRecipe(**vars(RECIPE) | changes))
    assert result(tmp_path / "encoder") == before


# ---- specifications


@pytest.mark.parametrize("mapping, sentence", [
    ({"steps": 5}, "unknown key 'steps' .* choose from languages, sentences"),
    ({"sentences": "many"}, "'sentences' .* must be a int, not 'many'"),
    ({"sentences": 0}, "'sentences' .* must be 1 or more"),
    ({"languages": []}, "'languages' .* is empty"),
    ({"languages": ["en", "xx"]}, "unknown language 'xx': choose from ar"),
    ({"snapshots": ["last"]}, "'snapshots' .* list of step numbers"),
    ({"recipe": {"stepz": 5}}, "unknown entry 'stepz' .* choose from vocabulary"),
    ({"recipe": {"steps": True}}, "'steps' .* must be a int, not True"),
    ({"recipe": {"steps": 0}}, "'steps' .* must be 1 or more, not 0"),
    ({"recipe": {"learning_rate": "1e-3"}}, "write 1.0e-3"),
    ({"recipe": {"mask": 1.2}}, "'mask' .* must be from 0 to 1, not 1.2"),
    ({"recipe": {"steps": 9, "extended": [9]}}, "'extended' lists .* smallest first and below 9"),
    ({"recipe": {"steps": 9, "extended": ["two"]}}, "'extended' lists the steps of shorter plans"),
    ({"recipe": {"extended": 5}}, "'extended' .* must be a list"),
    ({"recipe": {"hidden": 50, "heads": 4}}, "hidden size of 50 does not divide into 4 heads"),
])
def test_mistakes_in_a_specification_are_one_sentence(mapping, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        read_specification(mapping)
    assert caught.value.key[0] in mapping and "\n" not in str(caught.value)


def test_a_specification_is_text_keys_and_a_recipe():
    wanted, recipe = read_specification({"languages": ["en"], "recipe": {"steps": 3, "learning_rate": 1}})
    assert wanted == {"languages": ["en"]}
    assert recipe == PretrainRecipe(steps=3, learning_rate=1)


EDITION = """\
title: small
artificial: true
seeds: [1]
pairs: [[en, ja]]
encoders:
  m-bert:
    pretrain:
      languages: [en, ja]
      sentences: 60
      recipe: {vocabulary: 300, hidden: 16, layers: 1, heads: 2, intermediate: 16, steps: 3, tokens_per_batch: 256}
corpora:
  source: pocket
  sizes: {pos: {train: 9, dev: 2, test: 2}, ner: {train: 9, dev: 2, test: 2}, parallel: 2,
          code-switching: {train: 9, dev: 2, test: 2}}
"""


@pytest.fixture
def edition(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "small.yml").write_text(EDITION)
    return tmp_path / "small.yml"


def test_an_edition_s_encoder_is_pretrained_once_and_has_a_model_card(edition):
    encoder = Edition.load(edition).encoder("m-bert")
    card = (Path(encoder.path) / "README.md").read_text()
    for fact in ["artificial", "120 lines", "in 2 languages (en ja)", "in 3 steps", '"steps": 3', "torch 2"]:
        assert fact in card
    assert f"vocabulary: {len(encoder.tokenizer)} word pieces" in card
    weights = Path(encoder.path) / "model.safetensors"
    written = weights.stat().st_mtime_ns
    again = Edition.load(edition).encoder("m-bert")
    assert again.path == encoder.path and weights.stat().st_mtime_ns == written


def test_a_mistake_in_an_edition_s_recipe_names_its_line(edition):
    edition.write_text(EDITION.replace("hidden: 16", "hidden: wide"))
    with pytest.raises(ValueError, match="small.yml, line 10: 'hidden' .* must be a int, not 'wide'"):
        Edition.load(edition).encoder("m-bert")
