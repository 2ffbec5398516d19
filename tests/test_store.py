"""Records: keys by content, round trips, damage, and processes that share a store or die in it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crosslingual import store
from crosslingual.finetune import Recipe
from crosslingual.store import Store

PARTS = {"corpus": "c0ffee", "recipe": Recipe(), "seed": 1}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def record_file(folder: Path) -> Path:
    [path] = folder.glob("*/*.json")
    return path


def test_key_is_of_content_not_of_order_or_type_of_container() -> None:
    assert store.digest({"a": 1, "b": (2, 3)}) == store.digest({"b": [2, 3], "a": 1})
    assert store.digest({"labels": {"x", "y", "z"}}) == store.digest({"labels": {"z", "y", "x"}})
    assert store.digest(PARTS) != store.digest(PARTS | {"recipe": Recipe(epochs=4)})
    assert store.digest([1, 23]) != store.digest([12, 3])


@given(PLAIN)
def test_plain_data_come_back(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    kept = Store(tmp_path_factory.mktemp("store"))
    kept.put("any", PARTS, data)
    assert kept.get("any", PARTS).payload == data


@pytest.mark.parametrize("array", [
    np.array([[0, 255], [3, 4]]), np.array([-1, 300]), np.array([2**40]), np.zeros((0, 2), dtype=np.int64),
    np.linspace(0, 1, 7), np.array([True, False]), np.array([1.5, np.nan], dtype=np.float32),
], ids=str)
def test_arrays_come_back_with_type_and_shape(tmp_path: Path, array: np.ndarray) -> None:
    kept = Store(tmp_path)
    kept.put("array", PARTS, {"counts": array})
    result = kept.get("array", PARTS).payload["counts"]
    np.testing.assert_array_equal(result, array)
    assert result.dtype == array.dtype


def test_counts_of_a_whole_edition_take_tens_of_kilobytes(tmp_path: Path) -> None:
    words = np.random.default_rng(0).integers(2, 30, (41, 300, 2))
    Store(tmp_path).put("array", PARTS, {str(i): counts for i, counts in enumerate(words)})
    assert record_file(tmp_path).stat().st_size < 40_000


def test_memo_computes_once_and_gives_the_same_both_times(tmp_path: Path) -> None:
    calls = []

    def compute() -> pd.DataFrame:
        calls.append(1)
        return pd.DataFrame({"layer": [0, 1], "accuracy": [0.1, 0.5], "method": ["paper", "paper"]})

    first = Store(tmp_path).memo("curve", PARTS, compute)
    second = Store(tmp_path).memo("curve", PARTS, compute)
    assert len(calls) == 1
    pd.testing.assert_frame_equal(first, second)
    Store(tmp_path).memo("curve", PARTS | {"seed": 2}, compute)
    Store(tmp_path).memo("overlap", PARTS, compute)
    assert len(calls) == 3


def test_memo_of_nothing_is_kept_too(tmp_path: Path) -> None:
    Store(tmp_path).memo("curve", PARTS, lambda: None)
    assert Store(tmp_path).memo("curve", PARTS, lambda: "again") is None


def same_json(one: bytes, other: bytes) -> bool:
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@given(st.data())
def test_any_damaged_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("store")
    kept = Store(folder)
    kept.put("counts", PARTS, {"counts": np.arange(20)})
    path = record_file(folder)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 2))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    assume(not same_json(content, path.read_bytes()))  # 3E-05 for 3e-05 is no damage
    path.write_bytes(content)
    assert kept.get("counts", PARTS) is None
    assert path.with_suffix(".damaged").exists() and not path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"null", b'{"checksum": 3}'])
def test_damaged_record_is_set_aside_and_computed_again(tmp_path: Path, content: bytes) -> None:
    kept = Store(tmp_path)
    kept.put("number", PARTS, 41)
    record_file(tmp_path).write_bytes(content)
    assert kept.memo("number", PARTS, lambda: 42) == 42
    assert kept.get("number", PARTS).payload == 42
    [damaged] = tmp_path.glob("number/*.damaged")
    assert damaged.read_bytes() == content


@pytest.mark.parametrize("anew", [False, True])
def test_a_damaged_record_that_another_process_meets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: bool) -> None:
    """It may have set it aside, and computed it again, between our reading it and our setting it aside."""
    kept = Store(tmp_path)
    kept.put("number", PARTS, 41)
    path = record_file(tmp_path)
    path.write_bytes(b"{")

    def meanwhile(*warning: object) -> None:
        path.rename(path.with_suffix(".damaged"))
        if anew:
            kept.put("number", PARTS, 42)

    with monkeypatch.context() as patched:
        patched.setattr(store._log, "warning", meanwhile)
        assert kept.get("number", PARTS) is None
    assert path.with_suffix(".damaged").read_bytes() == b"{"
    assert not anew or kept.get("number", PARTS).payload == 42


def test_record_under_a_foreign_name_is_not_believed(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    kept.put("number", PARTS, 41)
    other = PARTS | {"seed": 2}
    record_file(tmp_path).rename(tmp_path / "number" / f"{store.digest(other)}.json")
    assert kept.get("number", other) is None


def test_recorded_results_are_used_told_apart_and_never_touched(tmp_path: Path) -> None:
    Store(tmp_path / "recorded").put("number", PARTS, 41)
    kept = Store(tmp_path / "here", [tmp_path / "recorded"])
    assert (kept.get("number", PARTS).payload, kept.get("number", PARTS).origin) == (41, store.RECORDED)
    record_file(tmp_path / "recorded").write_bytes(b"{")
    assert kept.get("number", PARTS) is None
    assert record_file(tmp_path / "recorded").read_bytes() == b"{"
    kept.put("number", PARTS, 42)
    assert [(record.payload, record.origin) for record in kept.records("number")] == [(42, store.COMPUTED)]


def test_provenance_names_versions_and_no_machine_or_path(tmp_path: Path) -> None:
    kept = Store(tmp_path)
    kept.put("number", PARTS, 41, {"device": "cpu"})
    found = kept.get("number", PARTS).provenance
    assert found["versions"]["torch"] and found["date"].endswith("+00:00") and found["device"] == "cpu"
    content = record_file(tmp_path).read_text()
    assert str(tmp_path) not in content and os.uname().nodename not in content


def test_what_has_no_content_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(store.StoreError, match="cannot be part of a result"):
        Store(tmp_path).memo("number", {"model": object()}, lambda: 1)
    with pytest.raises(store.StoreError, match="An array of object"):
        Store(tmp_path).put("number", PARTS, np.array([object()]))
    assert not list(tmp_path.glob("*/*"))


def add_entries(folder: Path, first: int) -> None:
    for number in range(first, first + 15):
        Store(folder).update("cell", PARTS, {str(number): number})


def test_two_processes_add_to_one_record_and_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_entries, args=(tmp_path, first)) for first in (0, 15)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert Store(tmp_path).get("cell", PARTS).payload == {str(number): number for number in range(30)}


def test_killed_writer_leaves_whole_records_only(tmp_path: Path) -> None:
    program = ("import sys, numpy; from crosslingual.store import Store; i = 0\n"
               "while True: Store(sys.argv[1]).put('big', {'i': i % 5}, numpy.arange(100000) + i); i += 1")
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    while not list(tmp_path.glob("big/*.json")):
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = Store(tmp_path)
    names = list(tmp_path.glob("big/*.json"))
    assert len(kept.records("big")) == len(names) > 0
    assert not list(tmp_path.glob("big/*.damaged"))
