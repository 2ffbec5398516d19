"""Tiny random encoders of several architectures, each with its kind of tokenizer trained on made-up text."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
import transformers as hf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

# Invented or everyday words in ten scripts, with marks that combine and letters that join.
WORDS = {
    "Latin": "the naïve cat's façade Zürich žluťoučký don't 12,5% Ångström e\u0301te\u0301",
    "Cyrillic": "кошка сидела ёлка Й й\u0306 ґанок",
    "Greek": "γάτα Άνθρωπος ἀρχή φως",
    "Hebrew": "בית שָׁלוֹם חתול",
    "Arabic": "بيت كِتَابٌ قطة ڈاک می\u200cروم",
    "Devanagari": "घर क्ष क\u094d\u200dष हिन्दी बिल्ली",
    "Tamil": "வீடு பூனை க்ஷ",
    "Hangul": "고양이 집 \u1112\u1161\u11ab글",
    "Japanese": "猫が座った ドア ﾈｺ か\u3099",
    "Han": "房子 猫坐着 𠮷野家",
}
TEXT = list(WORDS.values())
SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
POSITIONS = 40
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def word_piece(kind: type = hf.BertTokenizerFast):
    trainer = trainers.WordPieceTrainer(vocab_size=260, special_tokens=BERT, show_progress=False)
    model = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.train_from_iterator([*TEXT[:8], "\u200b"], trainer)  # two scripts become [UNK]
    return kind(vocab=model.get_vocab(), do_lower_case=False)


def unigram(special: list[str], unknown: str) -> list[tuple[str, float]]:
    """Pieces and scores of a SentencePiece vocabulary, special tokens first."""
    trainer = trainers.UnigramTrainer(vocab_size=230, unk_token=unknown, special_tokens=special, show_progress=False)
    model = Tokenizer(models.Unigram())
    model.normalizer = normalizers.NFKC()
    model.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    model.train_from_iterator(TEXT[:9], trainer)  # one script becomes <unk>
    pieces = sorted(model.get_vocab().items(), key=lambda item: item[1])
    return [(piece, 0.0 if number < len(special) else -float(number)) for piece, number in pieces]


def byte_pieces(special: list[str]) -> dict:
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))  # fmt: skip
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    model.train_from_iterator(TEXT, trainer)
    parts = json.loads(model.to_str())["model"]
    return {"vocab": parts["vocab"], "merges": [tuple(pair) for pair in parts["merges"]]}


def xlm_r():
    """As the released one, whose table of normalised characters is SentencePiece's: what Nmt and NFKC do."""
    backend = hf.XLMRobertaTokenizerFast(vocab=unigram(ROBERTA, "<unk>")).backend_tokenizer
    backend.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    special = dict(zip(["bos_token", "pad_token", "eos_token", "unk_token", "mask_token"], ROBERTA, strict=True))
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend, cls_token="<s>", sep_token="</s>", **special)


def modern_bert():
    backend = Tokenizer(models.BPE(**byte_pieces(BERT)))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    special = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], BERT, strict=True))
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend, **special)


TOKENIZERS: dict[str, Callable] = {
    "BERT": word_piece,
    "DistilBERT": lambda: word_piece(hf.DistilBertTokenizerFast),
    "XLM-R": xlm_r,
    "DeBERTa-v2": lambda: hf.DebertaV2TokenizerFast(vocab=unigram(BERT, "[UNK]"), unk_id=1),
    "ModernBERT": modern_bert,
    "RoBERTa": lambda: hf.RobertaTokenizerFast(**byte_pieces(ROBERTA), add_prefix_space=True),
}


@cache
def tokenizer(architecture: str):
    """Trained once: two trainings may break ties otherwise."""
    return TOKENIZERS[architecture]()


def network(architecture: str) -> torch.nn.Module:
    """A random model with its masked-word head."""
    pieces = tokenizer(architecture)
    size = dict(vocab_size=len(pieces), pad_token_id=pieces.pad_token_id)
    usual = SMALL | size | dict(max_position_embeddings=POSITIONS)
    torch.manual_seed(0)
    match architecture:
        case "BERT":
            return hf.BertForMaskedLM(hf.BertConfig(**usual))
        case "DistilBERT":
            few = dict(dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=POSITIONS)
            return hf.DistilBertForMaskedLM(hf.DistilBertConfig(**few, **size))
        case "XLM-R":
            return hf.XLMRobertaForMaskedLM(hf.XLMRobertaConfig(**usual))
        case "DeBERTa-v2":
            relative = dict(relative_attention=True, pos_att_type="p2c|c2p", position_biased_input=False)
            return hf.DebertaV2ForMaskedLM(hf.DebertaV2Config(**usual, **relative))
        case "ModernBERT":
            ends = dict(cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3)
            return hf.ModernBertForMaskedLM(hf.ModernBertConfig(**usual, **ends, local_attention=8))
        case "RoBERTa":
            return hf.RobertaForMaskedLM(hf.RobertaConfig(**usual))


def save(architecture: str, folder: Path) -> Path:
    """The encoder as a folder of files, as a hub would have it."""
    network(architecture).save_pretrained(folder)
    tokenizer(architecture).save_pretrained(folder)
    return folder
