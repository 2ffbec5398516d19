"""Encoders of a package index: a file in the format E5S1 becomes a BERT that the library can load.

All numbers are little-endian. The file has a header, a unigram vocabulary, a table of normalisation
and named tensors, float32 or in blocks of four bits. Every count and offset is held against the
file's size before anything is made from it.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

MAGIC = b"E5S1"
FLOAT32, Q4_0 = 0, 1  # types of tensors
VALUES, BLOCK = 32, 18  # values of a block of four bits; its bytes: a float16 scale, 16 pairs
LIMIT = 1 << 20  # no dimension, number of pieces or number of tensors is larger
# Stands for U+FF5E, which NFKC would change and SentencePiece does not, while NFKC is applied.
KEPT_AS = "\ue000"
DROPPED = r"[\x{1}-\x{8}\x{b}\x{e}-\x{1f}\x{7f}\x{8f}\x{9f}]"
SPACES = r"[\x{9}\x{a}\x{c}\x{d}\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"
EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


# What all encoders of this format have in common, as transformers 5.23 writes it.
BERT = {
    "add_cross_attention": False,
    "architectures": ["BertModel"],
    "attention_probs_dropout_prob": 0.1,
    "classifier_dropout": None,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "is_decoder": False,
    "model_type": "bert",
    "tie_word_embeddings": True,
    "transformers_version": "5.23.0",
    "use_cache": True,
}


class FormatError(ValueError):
    """A file that is no E5S1, or damaged; the message is one sentence that says where."""


@dataclass(frozen=True)
class Sizes:
    """Dimensions of the BERT: numbers of values, layers, heads, pieces and places."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


@dataclass(frozen=True)
class Header:
    """What the file says before its vocabulary.

    epsilon: of the layer norms. pieces: how many there are. bos, eos, pad, unknown: ids.
    text: bytes of all pieces.
    """

    sizes: Sizes
    epsilon: float
    pieces: int
    bos: int
    eos: int
    pad: int
    unknown: int
    text: int


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: type, number of values, offset in the file and size, in bytes."""

    kind: int
    count: int
    offset: int
    size: int


class Reader:
    """Takes one thing after the other from a file's bytes; raises FormatError where it ends."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = memoryview(data), 0

    def take(self, size: int, what: str) -> memoryview:
        """The next `size` bytes."""
        if not 0 <= size <= len(self.data) - self.at:
            raise FormatError(f"The file ends inside {what}: fetch it again.")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, form: str, what: str) -> tuple:
        """The next numbers, of struct's format `form`."""
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}"), what))

    def array(self, kind: str, count: int, what: str) -> np.ndarray:
        """The next `count` numbers of numpy's type `kind`, a view: [count]."""
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize, what), kind)


def convert(file: str | Path, folder: str | Path) -> None:
    """Write the BERT of an E5S1 file into a folder: safetensors weights, configuration, tokenizer.

    Raises FormatError for a damaged file, in which case nothing is written; OSError where one
    cannot read or write.
    """
    reader = Reader(Path(file).read_bytes())
    header = read_header(reader)
    pieces = read_pieces(reader, header)
    skip_normalisation(reader)
    weights = tensors(reader.data, read_directory(reader), header.sizes)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer(pieces, header).save(str(folder / "tokenizer.json"))
    _write_json(folder / "config.json", configuration(header))
    _write_json(folder / "tokenizer_config.json", tokenizer_settings(pieces, header))


def read_header(reader: Reader) -> Header:
    """Magic, sizes, ids. Raises FormatError where they cannot be true."""
    if bytes(reader.take(len(MAGIC), "its first bytes")) != MAGIC:
        raise FormatError("The file does not begin with E5S1: it is no encoder in this format.")
    reader.take(4, "the header")
    sizes = Sizes(*reader.numbers("7i", "the header"))
    epsilon, _ = reader.numbers("fi", "the header")
    header = Header(
        sizes, epsilon, *reader.numbers("5i", "the header"), *reader.numbers("Q", "the header")
    )
    _check(header)
    return header


def _check(header: Header) -> None:
    sizes = header.sizes
    if not all(0 < size <= LIMIT for size in (*vars(sizes).values(), header.pieces)):
        raise FormatError("The header has a size that no encoder has: the file is damaged.")
    if sizes.hidden % sizes.heads or header.pieces > sizes.vocabulary:
        raise FormatError("The header's sizes contradict each other: the file is damaged.")
    if not all(
        0 <= index < header.pieces for index in (header.bos, header.eos, header.pad, header.unknown)
    ):
        raise FormatError(
            "The header names a special piece that is not there: the file is damaged."
        )
    if not 0 < header.epsilon < 1:
        raise FormatError("The header's epsilon is no small number: the file is damaged.")


def read_pieces(reader: Reader, header: Header) -> list[tuple[str, float]]:
    """The vocabulary in the order of its ids, with unigram scores (natural logarithms)."""
    offsets = reader.array("<u4", header.pieces + 1, "the vocabulary").astype(np.int64)
    scores = reader.array("<f4", header.pieces, "the vocabulary")
    text = bytes(reader.take(header.text, "the vocabulary"))
    if (np.diff(offsets) < 0).any() or offsets[-1] > len(text) or not np.isfinite(scores).all():
        raise FormatError("The vocabulary's offsets or scores make no sense: the file is damaged.")
    try:
        pieces = [text[start:end].decode() for start, end in zip(offsets, offsets[1:])]
    except UnicodeDecodeError:
        raise FormatError("A piece of the vocabulary is no UTF-8: the file is damaged.") from None
    return list(zip(pieces, scores.tolist(), strict=True))


def skip_normalisation(reader: Reader) -> None:
    """Pass over the table of single characters.

    `normaliser` says the same, and joins marks with letters besides.
    """
    _, size = reader.numbers("iI", "the table of normalisation")
    reader.take(size, "the table of normalisation")


def read_directory(reader: Reader) -> dict[str, Place]:
    """Where each tensor lies, by name. Raises FormatError for one that is not inside the file."""
    (count,) = reader.numbers("i", "the directory")
    if not 0 < count <= LIMIT:
        raise FormatError(f"The directory has {count} tensors: the file is damaged.")
    return dict(_entry(reader) for _ in range(count))


def _entry(reader: Reader) -> tuple[str, Place]:
    (length,) = reader.numbers("H", "the directory")
    name = bytes(reader.take(length, "the directory")).decode(errors="replace")
    place = Place(*reader.numbers("BIQQ", "the directory"))
    if place.kind not in (FLOAT32, Q4_0) or place.size != expected_bytes(place):
        raise FormatError(
            f"The directory's entry for {name!r} contradicts itself: the file is damaged."
        )
    if place.offset + place.size > len(reader.data):
        raise FormatError(f"The tensor {name!r} lies behind the end of the file: fetch it again.")
    return name, place


def expected_bytes(place: Place) -> int:
    """Bytes of a tensor of that type and number of values; -1 for a number no blocks give."""
    if place.kind == FLOAT32:
        return 4 * place.count
    return -1 if place.count % VALUES else place.count // VALUES * BLOCK


def tensors(data: memoryview, places: Mapping[str, Place], sizes: Sizes) -> dict[str, np.ndarray]:
    """All weights under BERT's names, float32.

    Raises FormatError for one that is missing or has another size.
    """
    found = {}
    for ours, name, shape in wanted(sizes):
        if ours not in places:
            raise FormatError(f"The file lacks the tensor {ours!r}: it is no whole encoder.")
        if places[ours].count != math.prod(shape):
            raise FormatError(
                f"The tensor {ours!r} has not the header's sizes: the file is damaged."
            )
        found[name] = values(data, places[ours]).reshape(shape)
    return found


def wanted(sizes: Sizes) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(name in the file, BERT's name, shape) of every tensor; matrices are [out, in]."""
    hidden = sizes.hidden
    rows = {
        "emb.word": (sizes.vocabulary, hidden),
        "emb.pos": (sizes.positions, hidden),
        "emb.type": (sizes.types, hidden),
    }
    for ours, name in EMBEDDINGS.items():
        yield ours, f"embeddings.{name}", rows.get(ours, (hidden,))
    matrices = {
        "fi": (sizes.feed_forward, hidden),
        "fo": (hidden, sizes.feed_forward),
        "aln": (hidden,),
        "oln": (hidden,),
    }
    for layer in range(sizes.layers):
        for ours, name in LAYER.items():
            shape = matrices.get(ours, (hidden, hidden))
            yield f"l{layer}.{ours}.w", f"encoder.layer.{layer}.{name}.weight", shape
            yield f"l{layer}.{ours}.b", f"encoder.layer.{layer}.{name}.bias", shape[:1]


def values(data: memoryview, place: Place) -> np.ndarray:
    """A tensor's values: float32 [count]."""
    stored = data[place.offset : place.offset + place.size]
    return np.frombuffer(stored, "<f4").copy() if place.kind == FLOAT32 else dequantised(stored)


def dequantised(stored: memoryview) -> np.ndarray:
    """Values of whole blocks, float32 [32 a block]: (nibble - 8) x scale, low nibbles first."""
    blocks = np.frombuffer(stored, np.dtype([("scale", "<f2"), ("pairs", "u1", VALUES // 2)]))
    nibbles = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(
        np.float32
    )
    return ((nibbles - 8) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def tokenizer(pieces: list[tuple[str, float]], header: Header) -> Tokenizer:
    """The unigram tokenizer: `▁` before each word, `<s>` and `</s>` around a sentence."""
    made = Tokenizer(models.Unigram(pieces, unk_id=header.unknown, byte_fallback=False))
    made.normalizer = normaliser()
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = ((pieces[index][0], index) for index in (header.bos, header.eos))
    made.add_special_tokens(list(special_pieces(pieces, header).values()))
    made.post_processor = processors.TemplateProcessing(
        single=f"{bos[0]} $A {eos[0]}",
        pair=f"{bos[0]} $A {eos[0]} {eos[0]} $B {eos[0]}",
        special_tokens=[bos, eos],
    )
    return made


def normaliser() -> normalizers.Normalizer:
    """SentencePiece's nmt_nfkc."""
    steps = [
        normalizers.Replace(Regex(DROPPED), ""),
        normalizers.Replace(Regex(SPACES), " "),
        normalizers.Replace("\uff5e", KEPT_AS),
        normalizers.NFKC(),
        normalizers.Replace(KEPT_AS, "\uff5e"),
        normalizers.Replace(Regex(" {2,}"), " "),
        normalizers.Strip(left=True, right=True),
    ]
    return normalizers.Sequence(steps)


def special_pieces(pieces: list[tuple[str, float]], header: Header) -> dict[str, str]:
    """The special pieces by their role; the last piece is the mask where it reads so."""
    named = {
        "bos": header.bos,
        "eos": header.eos,
        "pad": header.pad,
        "unk": header.unknown,
        "cls": header.bos,
        "sep": header.eos,
    }
    found = {f"{role}_token": pieces[index][0] for role, index in named.items()}
    return found | ({"mask_token": pieces[-1][0]} if pieces[-1][0] == "<mask>" else {})


def tokenizer_settings(pieces: list[tuple[str, float]], header: Header) -> dict[str, object]:
    """The contents of tokenizer_config.json."""
    settings = {"backend": "tokenizers", "tokenizer_class": "TokenizersBackend"}
    special = special_pieces(pieces, header)
    return settings | special | {"model_max_length": header.sizes.positions}


def configuration(header: Header) -> dict[str, object]:
    """The contents of config.json; what the file does not say, dropout above all, is BERT's."""
    sizes = header.sizes
    return BERT | {
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "vocab_size": sizes.vocabulary,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": header.epsilon,
        "bos_token_id": header.bos,
        "eos_token_id": header.eos,
        "pad_token_id": header.pad,
    }


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    import sys

    convert(sys.argv[1], sys.argv[2])
