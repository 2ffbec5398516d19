"""Tiny encoders of several architectures, random but always the same, and text that they learn."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import transformers as hf
from crosslingual.models.encoder import Encoder
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

# Invented or everyday words in ten scripts, with marks that combine and letters that join.
TEXT = [
    "the naïve cat's façade Zürich žluťoučký don't 12,5% Ångström e\u0301te\u0301 Gaya",
    "кошка сидела ёлка Й й\u0306 ґанок",
    "γάτα Άνθρωπος ἀρχή φως",
    "בית שָׁלוֹם חתול",
    "بيت كِتَابٌ قطة ڈاک می\u200cروم",
    "घर क्ष क\u094d\u200dष हिन्दी बिल्ली",
    "வீடு பூனை க்ஷ",
    "고양이 집 \u1112\u1161\u11ab글",
    "猫が座った ドア ﾈｺ か\u3099",
    "房子 猫坐着 𠮷野家",
]
SENTENCES = [line.split() for line in TEXT]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
WORDS = {"NOUN": ["cat", "dog"], "VERB": ["sees", "eats"], "ADJ": ["big", "red"], "PUNCT": ["."]}
UPOS = sorted(WORDS)
POSITIONS = 40
_FOLDER = TemporaryDirectory(prefix="toy-encoders-")


def word_pieces(*extra: str) -> list[str]:
    """A vocabulary of the letters of eight scripts; the other two are [UNK]."""
    letters = sorted({*"".join(TEXT[:8]), *"abcdefghijklmnopqrstuvwxyz0123456789."} - {" "})
    words = [word for tag in WORDS.values() for word in tag if len(word) > 1]
    return [*BERT, *letters, *(f"##{letter}" for letter in letters), *words, "york", "ada", *extra]


def bert_tokenizer(*extra: str):
    vocabulary = {piece: number for number, piece in enumerate(word_pieces(*extra))}
    return hf.BertTokenizerFast(vocab=vocabulary, do_lower_case=False)


def xlm_r_tokenizer():
    """As the released one, whose table of normalised characters does what Nmt and NFKC do."""
    usual = {"unk_token": "<unk>", "special_tokens": ROBERTA, "show_progress": False}
    model = Tokenizer(models.Unigram())
    model.normalizer = normalizers.NFKC()
    model.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    model.train_from_iterator(TEXT[:9], trainers.UnigramTrainer(vocab_size=230, **usual))
    pieces = sorted(model.get_vocab().items(), key=lambda item: item[1])
    vocabulary = [(piece, 0.0 if piece in ROBERTA else -float(at)) for piece, at in pieces]
    backend = hf.XLMRobertaTokenizerFast(vocab=vocabulary).backend_tokenizer
    backend.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    names = ["bos_token", "pad_token", "eos_token", "unk_token", "mask_token"]
    special = dict(zip(names, ROBERTA, strict=True)) | {"cls_token": "<s>", "sep_token": "</s>"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend, **special)


def roberta_tokenizer():
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    usual = {"special_tokens": ROBERTA, "initial_alphabet": alphabet, "show_progress": False}
    model.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=420, **usual))
    parts = json.loads(model.to_str())["model"]
    merges = [tuple(pair) for pair in parts["merges"]]
    return hf.RobertaTokenizerFast(vocab=parts["vocab"], merges=merges, add_prefix_space=True)


TOKENIZERS = {
    "BERT": bert_tokenizer,
    "DistilBERT": bert_tokenizer,
    "XLM-R": xlm_r_tokenizer,
    "RoBERTa": roberta_tokenizer,
}
KINDS = {"BERT": "bert", "DistilBERT": "distilbert", "XLM-R": "xlm-roberta", "RoBERTa": "roberta"}


@cache
def tokenizer(architecture: str = "BERT"):
    """Trained once: two trainings may break ties otherwise."""
    return TOKENIZERS[architecture]()


def network(architecture: str = "BERT") -> torch.nn.Module:
    """A random model with its masked-word head."""
    pieces, size = tokenizer(architecture), {"hidden_size": 32, "intermediate_size": 48}
    size |= {"num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": len(pieces)}
    size |= {"max_position_embeddings": POSITIONS, "pad_token_id": pieces.pad_token_id}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = hf.AutoConfig.for_model(KINDS[architecture], **size)
        return hf.AutoModelForMaskedLM.from_config(config)


@cache
def folder(architecture: str = "BERT") -> Path:
    """An encoder as a folder of files, as ``save_pretrained`` writes them; not to be written to."""
    place = Path(_FOLDER.name) / architecture
    network(architecture).save_pretrained(place)
    tokenizer(architecture).save_pretrained(place)
    return place


def encoder(architecture: str = "BERT") -> Encoder:
    return Encoder(architecture, str(folder(architecture)))


def tagged(size: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of sentences of one word order."""
    rng, order = np.random.default_rng(seed), ["ADJ", "NOUN", "VERB", "NOUN", "PUNCT"]
    return [[str(rng.choice(WORDS[tag])) for tag in order] for _ in range(size)], [order] * size
