"""Tiny encoders of several architectures, random but always the same, text, and damages."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import normalize

import numpy as np
import torch
import transformers as hf
from crosslingual.models.encoder import Encoder
from safetensors.torch import load_file, save_file
from tokenizers import normalizers, pre_tokenizers

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
WHOLE = [*WORDS["NOUN"], *WORDS["VERB"], *WORDS["ADJ"], "york", "ada"]
UPOS = sorted(WORDS)
POSITIONS = 40
_FOLDER = TemporaryDirectory(prefix="toy-encoders-")


def letters(lines: int) -> list[str]:
    """Those of the first lines, of English and digits."""
    return sorted({*"".join(TEXT[:lines]), *"abcdefghijklmnopqrstuvwxyz0123456789."} - {" "})


def word_pieces(*extra: str) -> list[str]:
    """A vocabulary of the letters of eight scripts; the other two are [UNK]."""
    return [*BERT, *letters(8), *(f"##{letter}" for letter in letters(8)), *WHOLE, *extra]


def bert_tokenizer(*extra: str):
    vocabulary = {piece: number for number, piece in enumerate(word_pieces(*extra))}
    return hf.BertTokenizerFast(vocab=vocabulary, do_lower_case=False)


def xlm_r_tokenizer():
    """As the released one, whose table of normalised characters does what Nmt and NFKC do."""
    known = dict.fromkeys(["▁", *normalize("NFKC", "".join(letters(9)))])
    known |= dict.fromkeys(f"▁{word}" for word in [*WHOLE, *SENTENCES[1]])
    vocabulary = [(piece, 0.0) for piece in ROBERTA] + [(piece, -9.0) for piece in known]
    backend = hf.XLMRobertaTokenizerFast(vocab=vocabulary).backend_tokenizer
    backend.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    names = ["bos_token", "pad_token", "eos_token", "unk_token", "mask_token"]
    special = dict(zip(names, ROBERTA, strict=True)) | {"cls_token": "<s>", "sep_token": "</s>"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend, **special)


def roberta_tokenizer():
    merges = [*(("Ġ", letter) for letter in "bcders."), ("Ġc", "a"), ("Ġca", "t"), ("Ð", "¾")]
    known = [*ROBERTA, *sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, merges)]
    vocabulary = {piece: number for number, piece in enumerate(known)}
    return hf.RobertaTokenizerFast(vocab=vocabulary, merges=merges, add_prefix_space=True)


TOKENIZERS = {"BERT": bert_tokenizer, "DistilBERT": bert_tokenizer}
TOKENIZERS |= {"XLM-R": xlm_r_tokenizer, "RoBERTa": roberta_tokenizer}
KINDS = {"BERT": "bert", "DistilBERT": "distilbert", "XLM-R": "xlm-roberta", "RoBERTa": "roberta"}


@cache
def tokenizer(architecture: str = "BERT"):
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


# ---- damages to the folder of an encoder, which each takes


def put(name, content):
    content = content if isinstance(content, bytes) else content.encode()
    return lambda place: (place / name).write_bytes(content)


def without(*patterns):
    return lambda place: [path.unlink() for kind in patterns for path in place.glob(kind)]


def edit(name, **changes):
    """Set keys of a JSON file; None takes one away."""

    def damage(place):
        kept = json.loads((place / name).read_text()) | changes
        put(name, json.dumps({key: kept[key] for key in kept if kept[key] is not None}))(place)

    return damage


def reweigh(change, name="model.safetensors"):
    """Weights by name become others."""

    def damage(place):
        kept = {key: weights.clone() for key, weights in load_file(place / name).items()}
        save_file(change(kept), place / name)

    return damage
