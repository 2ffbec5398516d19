"""What machines do to it, in short: a part of the campaign of `benchmarks/faults.py`."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from crosslingual import results
from crosslingual.models import wheels

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import faults


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """The campaign sets these for good."""
    for name in (results.VARIABLE, "CROSSLINGUAL_CACHE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(results, "recorded", results.recorded)
    monkeypatch.setattr(wheels, "_download", wheels._download)


def test_a_download_killed_at_any_moment_ends_like_one_that_was_not(tmp_path):
    found = faults.killed(faults.victims()[0], 2, tmp_path, random.Random(0))
    told = "ended, 0 unlike an undisturbed one; 0 results lost, 0 processes left"
    assert found["times"] == 2 and told in found["came_of_it"]


def test_no_damage_to_what_is_kept_goes_unnoticed(tmp_path):
    for one in faults.all_damages(tmp_path, 8, random.Random(1)):
        assert "0 unnoticed, 0 without a sentence" in one["came_of_it"], one


def test_without_room_each_kind_of_writing_ends_in_one_sentence(tmp_path):
    try:
        told = faults.no_writing(tmp_path, "full", "size=64k", only=("results", "downloads"))
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"nothing may be mounted here: {problem}")
    expected = "2 ended in one sentence, 0 cost time alone, 0 without a sentence; 0 halves of files"
    assert told["came_of_it"] == expected


def test_a_clock_may_jump_and_nothing_unfinished_piles_up(tmp_path):
    assert faults.clocks(tmp_path)["came_of_it"].startswith("4 times all")


def test_a_file_that_is_gone_meanwhile_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv(results.VARIABLE, str(tmp_path))
    frame = faults.pd.DataFrame({"train": ["en"], "made_from": ["{}"]})
    results.keep("tiny", "scores", frame, ("en",))
    before = results.stamp("tiny", "scores")
    (tmp_path / "tiny/scores/gone.parquet").symlink_to(tmp_path / "gone")
    assert results.stamp("tiny", "scores") == before
    assert len(results.read("tiny", "scores", ["train"])) == 1
