"""Results: what is kept is read back, whole or not at all, and content decides what is shown."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from crosslingual import results
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = ["train", "seed"]


@pytest.fixture(autouse=True)
def kept_here(tmp_path, monkeypatch):
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "local"))
    monkeypatch.setattr(results, "recorded", lambda edition: tmp_path / "recorded" / edition)


def rows(**columns):
    made_from = json.dumps(columns.pop("parts", {"corpus": "a"}))
    usual = {"train": ["en"], "seed": [1], "score": [1.5], "made_from": [made_from]}
    return pd.DataFrame(usual | columns)


def read(kind="scores"):
    return results.read("mine", kind, [*KEYS, "score"])


@given(
    counts=st.lists(st.tuples(st.integers(0, 70_000), st.integers(-3, 3)), min_size=1, max_size=9),
    hits=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=9),
)
@settings(max_examples=25, deadline=None)
def test_arrays_come_back_as_they_were(counts, hits):
    arrays = {"counts": [np.array(counts)], "hits": [np.array(hits)]}
    results.keep("mine", "arrays", rows(**arrays), ("en", 1))
    back = results.read("mine", "arrays", KEYS).iloc[0]
    assert np.array_equal(back.counts, counts) and back.counts.dtype == np.int64
    assert np.array_equal(back.hits, hits)


def test_nothing_kept_is_an_empty_frame_with_its_columns():
    assert list(read()) == [*KEYS, "score", *results.PROVENANCE, "origin"] and read().empty


def test_content_decides_which_row_is_shown():
    results.record("mine", "scores", rows(score=[1.0]))
    results.keep("mine", "scores", rows(score=[2.0], parts={"corpus": "b"}), ("en", 1))
    assert set(read().origin) == {results.RECORDED, results.COMPUTED}

    def shown(here):
        return results.current(read(), KEYS, lambda row: here).iloc[0]

    assert (shown({"corpus": "a"}).score, shown({"corpus": "a"}).note) == (1.0, "")
    assert (shown({"corpus": "b"}).score, shown({"corpus": "b"}).origin) == (2.0, "computed here")
    assert shown({"corpus": "c"}).note == "not made from what is here: other corpus"
    assert shown({}).origin == "computed here"  # nothing at hand to hold them against


def test_a_result_from_other_content_does_not_take_the_place_of_one_kept():
    for corpus in ("a", "b", "a"):
        results.keep("mine", "scores", rows(parts={"corpus": corpus}), ("en", 1))
    assert len(read()) == 2


def test_where_results_are_kept_does_not_depend_on_where_one_stands(monkeypatch, tmp_path):
    monkeypatch.setenv(results.VARIABLE, "~/kept")
    assert results.local("mine") == Path.home() / "kept" / "mine"
    monkeypatch.setenv(results.VARIABLE, "kept")
    monkeypatch.chdir(tmp_path)
    assert results.local("mine") == results.root() / "kept" / "mine"


@pytest.mark.parametrize("first, second", [("a", "b"), ("b", "a")])
def test_of_two_results_that_nothing_at_hand_tells_apart_the_later_is_shown(first, second):
    for date, corpus in enumerate([first, second]):
        row = rows(score=[float(date)], parts={"corpus": corpus}).assign(date=f"2026-01-0{date}")
        results.keep("mine", "scores", row, ("en", 1))
    assert list(results.current(read(), KEYS, lambda row: {}).score) == [1.0]


def test_names_of_jobs_are_fit_for_files():
    results.keep("mine", "scores", rows(), ("hi+en", "../../x", "a b", 1))
    (path,) = results.local("mine").rglob("*.parquet")
    assert path.parent == results.local("mine") / "scores" and " " not in path.name


def test_damage_is_noticed_and_set_aside_wherever_it_is():
    results.keep("mine", "scores", rows(counts=[np.arange(30).reshape(10, 3)]), ("en", 1))
    (path,) = results.local("mine").rglob("*.parquet")
    whole, wanted, rng = path.read_bytes(), read(), np.random.default_rng(0)
    for at in rng.choice(len(whole), 150, replace=False):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.integers(8)]) + whole[at + 1 :])
        found = read()
        if len(found):  # a bit that carries nothing
            pd.testing.assert_frame_equal(found, wanted)
        else:
            assert path.with_suffix(".damaged").is_file()
    for broken in (b"", whole[: len(whole) // 2], b"\0" * len(whole)):
        path.write_bytes(broken)
        assert read().empty and not path.exists()


def test_a_killed_process_leaves_whole_files_only(tmp_path):
    code = (
        "import numpy as np, pandas as pd; from crosslingual import results\n"
        "frame = pd.DataFrame({'made_from': ['{}'] * 2000, 'counts': [np.arange(900)] * 2000})\n"
        "while True: results.keep('mine', 'scores', frame, (1,))"
    )
    worker = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    worker.kill()
    worker.wait()
    assert len(results.read("mine", "scores", [])) == 2000 and not [*tmp_path.rglob("*.damaged")]


def test_afresh_recorded_rows_do_not_count_until_all_is_computed():
    results.record("mine", "scores", rows(score=[1.0]))
    results.keep("mine", "scores", rows(score=[2.0]), ("en", 1))
    before = results.stamp("mine", "scores")
    results.begin_afresh("mine")
    assert read().empty and results.stamp("mine", "scores") != before
    results.keep("mine", "scores", rows(score=[3.0]), ("en", 1))
    results.begin_afresh("mine")  # after an interruption: what was computed stays
    assert list(read().score) == [3.0]
    results.end_afresh("mine")
    assert sorted(read().score) == [1.0, 3.0]


def test_the_checkout_is_found_from_below(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "book" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book" / "deep")
    assert results.root() == tmp_path
