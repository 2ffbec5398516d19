"""A tiny file in the format E5S1, written here in both kinds of tensors, converted, and damaged in every way."""

import json
import struct

import numpy as np
import pytest
import e5s1 as wheels
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "b", "c", "▁ab", "語", "～", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.5, -4.0, -3.2, -5.0, -5.5, 0.0]
SIZES = dict(hidden=64, layers=1, heads=2, feed_forward=96, vocabulary=13, positions=5, types=1)
HEADER = struct.calcsize("<4s4x7ifi5iQ")  # bytes before the vocabulary


def q4(values):
    """Blocks of four bits of float32 values, 32 a block, and the values that they stand for."""
    rows = values.reshape(-1, 32)
    scales = (np.abs(rows).max(1) / 7).astype("<f2")
    nibbles = np.clip(np.round(rows / scales.astype("f4")[:, None]) + 8, 0, 15).astype("u1")
    pairs = nibbles[:, :16] | nibbles[:, 16:] << 4
    blocks = b"".join(scale.tobytes() + pair.tobytes() for scale, pair in zip(scales, pairs))
    return blocks, ((nibbles.astype("f4") - 8) * scales.astype("f4")[:, None]).reshape(values.shape)


def head(sizes=SIZES, pieces=len(PIECES), special=(0, 2, 1, 3)):
    text = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    fixed = struct.pack(
        "<4s4x7ifi5iQ", b"E5S1", *sizes.values(), 1e-12, 32, pieces, *special, len(text)
    )
    vocabulary = offsets.tobytes() + np.array(SCORES, "<f4").tobytes() + text
    entry = struct.pack("<IBI", 0x41, 1, 0x61)
    return fixed + vocabulary + struct.pack("<iI", 1, len(entry)) + entry


def written(kind=wheels.Q4_0, change=lambda name, entry: entry, count=None, leave_out=()):
    """The bytes of a whole file, and its weights by BERT's names; `change` sees (kind, count, offset, size)."""
    rng, weights, stored = np.random.default_rng(3), {}, []
    for ours, name, shape in wheels.wanted(wheels.Sizes(**SIZES)):
        values = rng.standard_normal(shape).astype("<f4")
        if kind == wheels.Q4_0 and len(shape) == 2 and ours not in ("emb.pos", "emb.type"):
            data, weights[name] = q4(values)
            stored.append((ours, wheels.Q4_0, values.size, data))
        else:
            weights[name] = values
            stored.append((ours, wheels.FLOAT32, values.size, values.tobytes()))
    stored = [tensor for tensor in stored if tensor[0] not in leave_out]
    begin = head()
    at = len(begin) + 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name, *_ in stored)
    directory, body = struct.pack("<i", len(stored) if count is None else count), b""
    for name, type_, size, data in stored:
        entry = change(name, (type_, size, at + len(body), len(data)))
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", *entry)
        body += data
    return begin + directory + body, weights


def convert(tmp_path, data):
    (tmp_path / "file.bin").write_bytes(data)
    wheels.convert(tmp_path / "file.bin", tmp_path / "bert")
    return tmp_path / "bert"


@pytest.mark.parametrize("kind", [wheels.FLOAT32, wheels.Q4_0])
def test_weights_are_those_of_the_file(tmp_path, kind):
    data, weights = written(kind)
    found = load_file(convert(tmp_path, data) / "model.safetensors")
    assert found.keys() == weights.keys()
    assert all(np.array_equal(found[name], weights[name]) for name in weights)


def test_library_loads_what_is_written(tmp_path):
    folder = convert(tmp_path, written()[0])
    model, about = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert all("pooler" in name for name in about["missing_keys"]) and not about["unexpected_keys"]
    assert model.config.layer_norm_eps == pytest.approx(1e-12) and model.config.pad_token_id == 1
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.convert_ids_to_tokens(tokenizer("ab ～\u200b語")["input_ids"]) == [
        "<s>",
        "▁ab",
        "▁",
        "～",
        "▁",
        "語",
        "</s>",
    ]
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == 13


def test_low_nibbles_come_first():
    block = struct.pack("<e", 0.5) + bytes([0x1F, *[0x88] * 15])
    assert wheels.dequantised(memoryview(block))[[0, 16, 1]].tolist() == [3.5, -3.5, 0.0]


def test_normalisation_is_sentencepieces():
    assert wheels.normaliser().normalize_str("ﾃｽﾄ\u200b①  e\u0301～\x07") == "テスト 1 é～"


def only(name, **changed):
    """A change of one directory entry."""
    place = ("kind", "count", "offset", "size")
    return lambda other, entry: (
        tuple(changed.get(key, value) for key, value in zip(place, entry))
        if other == name
        else entry
    )


@pytest.mark.parametrize(
    "change, says",
    [
        (only("l0.q.w", kind=7), "contradicts itself"),
        (only("l0.q.w", count=4095), "contradicts itself"),
        (only("l0.q.w", count=2**32 - 1), "contradicts itself"),
        (only("l0.q.w", size=2**63), "contradicts itself"),
        (only("l0.fo.w", offset=2**40), "behind the end"),
        (only("emb.pos", count=319, size=319 * 4), "header's sizes"),
    ],
)
def test_damaged_entries_are_told(tmp_path, change, says):
    with pytest.raises(wheels.FormatError, match=says):
        convert(tmp_path, written(change=change)[0])
    assert not (tmp_path / "bert").exists()


@pytest.mark.parametrize("count", [2**31 - 1, -1, 0])
def test_huge_count_of_tensors_allocates_nothing(tmp_path, count):
    with pytest.raises(wheels.FormatError):
        convert(tmp_path, written(count=count)[0])


@pytest.mark.parametrize(
    "changed", [{"hidden": 2**30}, {"hidden": 65}, {"vocabulary": 3}, {"layers": -1}, {"heads": 0}]
)
def test_impossible_sizes_are_told(tmp_path, changed):
    with pytest.raises(wheels.FormatError, match="damaged"):
        convert(tmp_path, head({**SIZES, **changed}))


@pytest.mark.parametrize(
    "pieces, special", [(2**31 - 1, (0, 2, 1, 3)), (1 << 20, (0, 2, 1, 3)), (12, (0, 2, 1, 12))]
)
def test_impossible_vocabulary_is_told(tmp_path, pieces, special):
    with pytest.raises(wheels.FormatError):
        convert(tmp_path, head({**SIZES, "vocabulary": 1 << 20}, pieces, special))


@pytest.mark.parametrize("keep", [0, 3, 20, HEADER + 9, HEADER + 110, -2000, -1])
def test_truncated_files_are_told(tmp_path, keep):
    with pytest.raises(wheels.FormatError):
        convert(tmp_path, written()[0][:keep])


def test_missing_tensor_is_named(tmp_path):
    with pytest.raises(wheels.FormatError, match="'l0.fi.b'"):
        convert(tmp_path, written(leave_out=("l0.fi.b",))[0])


def test_another_file_is_told_from_its_first_bytes(tmp_path):
    with pytest.raises(wheels.FormatError, match="E5S1"):
        convert(tmp_path, b"PK\x03\x04" + written()[0])
