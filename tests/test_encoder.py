"""Encoders from folders and from a hub: what is whole is read alike, what is not is refused."""

import json
import shutil
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
import torch
import toy
import transformers as hf
from crosslingual.models import encoder as encoders
from crosslingual.models.encoder import Encoder, EncoderUnavailable, check
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models

NAME, COMMIT, WEIGHTS = "someone/tiny-bert", "a" * 40, "model.safetensors"
POCKET = Path(__file__).parents[1] / "encoders"


@pytest.fixture
def place(tmp_path):
    """A copy of the tiny BERT to break."""
    return Path(shutil.copytree(toy.folder(), tmp_path / "tiny"))


def write(name, content):
    return lambda place: (place / name).write_text(content)


def without(*patterns):
    return lambda place: [path.unlink() for kind in patterns for path in place.glob(kind)]


def edit(name, **changes):
    """Set keys of a JSON file; None takes one away."""

    def damage(place):
        kept = json.loads((place / name).read_text()) | changes
        write(name, json.dumps({key: kept[key] for key in kept if kept[key] is not None}))(place)

    return damage


def reweigh(change):
    def damage(place):
        kept = {name: one.clone() for name, one in load_file(place / WEIGHTS).items()}
        save_file(change(kept), place / WEIGHTS)

    return damage


def without_a_shard(place):
    without(WEIGHTS)(place)
    toy.network().save_pretrained(place, max_shard_size="20KB")
    sorted(place.glob("model-0*"))[1].unlink()


def truncate(place):
    (place / WEIGHTS).write_bytes((place / WEIGHTS).read_bytes()[:-9])


def of_class(name):
    """A tokenizer of that class, without a tokenizer.json."""
    steps = edit("tokenizer_config.json", tokenizer_class=name), without("tokenizer.json")
    return lambda place: [step(place) for step in steps]


def bare(backend):
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained


DENSE, CONFIG = "bert.encoder.layer.1.output.dense.weight", partial(edit, "config.json")
DAMAGES = [
    (truncate, "an unreadable model.safetensors .*: delete it and fetch or copy it again"),
    (write(WEIGHTS, "version https://git-lfs.github.com/spec/v1\noid sha256:4d\n"), "unreadable"),
    (lambda place: torch.save(torch.ones(99), place / WEIGHTS), "an unreadable model.safetensors"),
    (lambda place: (place / WEIGHTS).rename(place / "w.bin"), "no safetensors .* are not loaded"),
    (without_a_shard, "No such file .*model-00002-of"),
    (reweigh(lambda w: w | {DENSE: w[DENSE] * float("nan")}), f"that are no numbers .{DENSE[5:]}."),
    (
        reweigh(lambda w: {name.replace("r.1.", "r.one."): one for name, one in w.items()}),
        r"lacks 16 of the model's weights \(encoder.layer.1.*would be random",
    ),
    (without("config.json"), "no config.json that names a model known"),
    (write("config.json", "{"), "config.json .* not a valid JSON file"),
    (CONFIG(model_type=None), "no config.json that names a model known here"),
    (CONFIG(model_type="fancy"), "type `fancy` but .* does not recognize this architecture.: put"),
    (CONFIG(hidden_size="big"), "Validation error for field 'hidden_size'"),
    (CONFIG(num_attention_heads=3), "is not a multiple of the number of attention heads"),
    (CONFIG(hidden_size=64), r"weights of size \[32\] where its config.json asks for \[64\]"),
    (CONFIG(vocab_size=9), r"where its config.json asks for \[9, 32\] .*word_embeddings"),
    (CONFIG(num_hidden_layers=3), "lacks 16 of the model's weights"),
    (CONFIG(num_hidden_layers=1), r"has more layers than its config.json names \(.*layer\.1\."),
    (edit("tokenizer.json", version="9.0"), "Unknown tokenizer version '9.0'"),
    (write("tokenizer.json", "{}"), "no tokenizer that can be read here"),
    (of_class("FancyTokenizer"), "no tokenizer that can be read"),
    (of_class("BertJapaneseTokenizer"), "no tokenizer that can be read"),
    (without("tokenizer*"), "special tokens alone; its vocabulary is missing"),
    (bare(Tokenizer(models.BPE())), "makes no piece of the letter a"),
    (bare(toy.bert_tokenizer().backend_tokenizer), "not say which piece is unknown; set"),
    (toy.bert_tokenizer("zz", "yy").save_pretrained, r"\d+ pieces but embeddings of \d+: put"),
]


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES)
def test_a_damaged_encoder_is_refused_in_one_sentence(place, damage, sentence):
    damage(place)
    encoder = Encoder("mine", str(place))
    with pytest.raises(EncoderUnavailable, match=sentence) as error:
        encoder.model()
    assert "\n" not in str(error.value)
    with suppress(EncoderUnavailable):
        assert encoder.masked_model() is None


@pytest.mark.parametrize("architecture", ["XLM-R", "RoBERTa"])
def test_a_tokenizer_needs_no_tokenizer_config(tmp_path, architecture):
    place = Path(shutil.copytree(toy.folder(architecture), tmp_path / "copy"))
    without("tokenizer_config.json")(place)
    read, whole = Encoder("mine", str(place)).tokenizer, toy.tokenizer(architecture)
    assert read(toy.TEXT)["input_ids"] == whole(toy.TEXT)["input_ids"]
    assert set(read.all_special_ids) == set(whole.all_special_ids)


@pytest.mark.parametrize("kept", ["tokenizer.json", "vocab.txt"])
@pytest.mark.parametrize("cased", [True, False])
def test_without_tokenizer_config_words_stay_as_the_vocabulary_has_them(place, kept, cased):
    known = toy.word_pieces() if cased else [*toy.BERT, *map(str.lower, toy.word_pieces()[5:])]
    ids = {piece: number for number, piece in enumerate(dict.fromkeys(known))}
    whole = hf.BertTokenizerFast(vocab=ids, do_lower_case=not cased)
    without("tokenizer*")(place)
    (place / kept).write_text("\n".join(ids) if kept == "vocab.txt" else whole._tokenizer.to_str())
    read = Encoder("mine", str(place)).tokenizer
    assert read(toy.TEXT)["input_ids"] == whole(toy.TEXT)["input_ids"]
    assert ("G" in read.tokenize("Gaya")) == cased
    assert read.pad_token_id == 0 and read.mask_token == "[MASK]"


def test_other_heads_and_a_tokenizer_without_a_mask_are_no_fault(place):
    expected = toy.encoder().model().state_dict()
    for kind in (hf.BertModel, hf.BertForTokenClassification):
        kind.from_pretrained(toy.folder()).save_pretrained(place)
        encoder = Encoder("mine", str(place))
        assert encoder.masked_model() is None
        found = encoder.model().state_dict()
        assert all(torch.equal(found[n], w) for n, w in expected.items() if "pooler" not in n)
    toy.network().save_pretrained(place)
    tokenizer = toy.bert_tokenizer()
    tokenizer.mask_token = None
    tokenizer.save_pretrained(place)
    assert check(Encoder("unmasked", str(place)), {"en": toy.SENTENCES[:1]}) == []


def test_the_digest_is_of_names_and_content(place):
    files = [(path.name, path.read_bytes()) for path in sorted(place.iterdir())]
    parts = [name.encode() + b"\0" + sha256(content).digest() for name, content in files]
    encoder = Encoder("mine", str(place))
    whole = sha256(b"".join(parts)).hexdigest()
    write("README.md", "not part of it")(place)
    assert encoder.digest == whole
    reweigh(lambda weights: weights | {DENSE: weights[DENSE] + 1})(place)
    assert encoder.digest != whole


LINES = {
    "en": "Chit , oas jachazem sic oas aho ahu moi forbatanaco chir 1998 ! Aat fu pireiyu chir",
    "hi": "कि होब चएर मि गेतेस हेउहो होअनुम रि पिक , बिफोएर व फन गुतो होअनुम रि । झोत्नु सोम",
}
TEXT = {code: [line.split()] for code, line in LINES.items()}


def test_good_encoders_pass_the_check_in_the_scripts_they_know_and_broken_ones_are_noticed(place):
    for name in ("pocket-m-bert", "pocket-en-bert"):
        assert check(Encoder(name, str(POCKET / name)), TEXT) == []
    (sentence,) = check(Encoder("en", str(POCKET / name)), {"hi": TEXT["hi"]})
    assert "'en' guesses masked words no better than chance (loss" in sentence
    shutil.copytree(POCKET / "pocket-m-bert", place, dirs_exist_ok=True)
    table = "bert.embeddings.word_embeddings.weight"
    reweigh(lambda weights: weights | {table: weights[table].flip(0)})(place)
    (sentence,) = check(Encoder("broken", str(place)), TEXT)
    assert "'broken' guesses masked words no better than chance" in sentence


def test_the_check_tells_unknown_pieces_and_long_lines_fit():
    chinese = {"zh": [toy.SENTENCES[9] * 30]}
    (sentence,) = check(toy.encoder(), chinese)
    assert sentence.startswith("The tokenizer of the encoder 'BERT' gives [UNK] for at least 100%")
    (sentence,) = check(toy.encoder("RoBERTa"), chinese)  # of bytes, so no [UNK]
    assert "no better than chance" in sentence


HUB = Encoder("tiny", NAME, COMMIT)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub library's cache, empty; no hub answers."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "models--someone--tiny-bert" / "snapshots" / COMMIT


@pytest.mark.parametrize("pickles", [False, True])
def test_a_hub_encoder_is_fetched_without_pickles_and_code(cache, monkeypatch, pickles):
    def download(name, revision, allow_patterns, local_files_only=False):
        unsafe = ["pytorch_model.bin", "modeling.py"]
        assert not any(fnmatch(file, kind) for file in unsafe for kind in allow_patterns)
        if not local_files_only:
            shutil.copytree(toy.folder(), cache)
            without(*[WEIGHTS] * pickles)(cache)
        elif not cache.is_dir():
            raise LocalEntryNotFoundError("not here")
        return str(cache)

    monkeypatch.setattr(encoders.HfApi, "model_info", lambda *_, **__: None)
    monkeypatch.setattr(encoders, "snapshot_download", download)
    assert not HUB.at_hand  # looking does not fetch
    if pickles:
        with pytest.raises(EncoderUnavailable, match="no safetensors weights, and pickles"):
            HUB.model()
    else:
        assert HUB.digest == toy.encoder().digest and HUB.at_hand


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_cache_that_another_program_filled_is_used_offline(cache, revision):
    shutil.copytree(toy.folder(), cache)
    (cache.parents[1] / "refs").mkdir()
    write("refs/main", COMMIT)(cache.parents[1])
    encoder = Encoder("tiny", NAME, revision)
    assert encoder.at_hand and encoder.digest == toy.encoder().digest
    without(WEIGHTS)(cache)  # a partial one is as good as none
    assert not encoder.at_hand
    with pytest.raises(EncoderUnavailable, match="could not be fetched .*`hf download") as error:
        encoder.model()
    assert "\n" not in str(error.value)
    with pytest.raises(EncoderUnavailable, match="is no name that a hub can have"):
        Encoder("tiny", "a/b/c d", revision).model()
