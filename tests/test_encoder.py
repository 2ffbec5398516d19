"""Encoders from folders and from a hub: what is whole is read alike, what is not is refused."""

import shutil
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import pytest
import torch
import toy
import transformers as hf
from crosslingual.models.encoder import Encoder, EncoderUnavailable, check, decomposed
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from toy import put, reweigh, without

NAME, COMMIT, WEIGHTS = "someone/tiny-bert", "a" * 40, "model.safetensors"
POCKET = Path(__file__).parents[1] / "encoders"


@pytest.fixture
def place(tmp_path):
    """A copy of the tiny BERT to break."""
    return Path(shutil.copytree(toy.folder(), tmp_path / "tiny"))


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


def test_a_line_of_the_vocabulary_ends_where_the_file_says(place):
    without("tokenizer*")(place)
    ids = {piece: number for number, piece in enumerate([*toy.BERT, "a\u2028b", "\x85", "Gaya"])}
    put("vocab.txt", "\ufeff" + "\n".join(ids) + "\n")(place)
    assert Encoder("mine", str(place)).tokenizer.get_vocab() == ids


def test_text_that_is_decomposed_is_told_where_the_tokenizer_does_not_know_it():
    known = {piece: number for number, piece in enumerate([*toy.BERT, "\u00e9", "a"])}
    tokenizer = hf.BertTokenizerFast(vocab=known, do_lower_case=False)
    apart, whole = [["e\u0301", "a"], ["a", "a"]], [["\u00e9", "a"], ["a", "a"]]
    (sentence,) = decomposed(tokenizer, {"fr": apart, "en": whole})
    assert "The text in fr has letters apart from their marks: 25% of its pieces" in sentence
    assert decomposed(toy.tokenizer("RoBERTa"), {"fr": apart}) == []  # of bytes, so no [UNK]


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
    put("README.md", "not part of it")(place)
    assert encoder.digest == whole
    reweigh(lambda weights: {name: one + 1 for name, one in weights.items()})(place)
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

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
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
    put("refs/main", COMMIT)(cache.parents[1])
    encoder = Encoder("tiny", NAME, revision)
    assert encoder.at_hand and encoder.digest == toy.encoder().digest
    without(WEIGHTS)(cache)  # a partial one is as good as none
    assert not encoder.at_hand
    with pytest.raises(EncoderUnavailable, match="could not be fetched .*`hf download") as error:
        encoder.model()
    assert "\n" not in str(error.value)
    with pytest.raises(EncoderUnavailable, match="is no name that a hub can have"):
        Encoder("tiny", "a/b/c d", revision).model()
