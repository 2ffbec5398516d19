"""The plan before a long run: what is counted, what it rests on, and that nothing is fetched or computed for it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import toy
from typer.testing import CliRunner

from crosslingual import cli, grids, plan, sensitivity, transfer
from crosslingual.corpora.download import Download
from crosslingual.editions import Edition
from crosslingual.store import Store

SMALL = """\
title: small
artificial: true
seeds: [1, 2]
corpora:
  source: pocket
  sizes: {pos: {train: 6, dev: 2, test: 4}, ner: {train: 6, dev: 2, test: 4}, code-switching: {train: 6, dev: 2, test: 4},
          parallel: 2}
languages: {pos: [en, ja], ner: [en, hi]}
encoders: {m-bert: ./tiny, en-bert: ./absent}
recipe: {epochs: 1}
"""
FILES = [Download("UD_German-GSD train", "https://example.org/de", "de", "git:00", 4_000_000, "CC BY-SA 4.0"),
         Download("UD_German-GSD test", "https://example.org/det", "det", "git:01", None, "CC BY-SA 4.0"),
         Download("WikiANN Hindi", "https://example.org/hi", "hi", size=1_500_000)]  # fmt: skip


@pytest.fixture
def small(tmp_path, monkeypatch):
    """An edition with one of two encoders; $CROSSLINGUAL_STORE is empty."""
    monkeypatch.setenv("CROSSLINGUAL_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    toy.save_encoder(tmp_path / "tiny")
    (tmp_path / "small.yml").write_text(SMALL)
    return Edition.load(tmp_path / "small.yml")


@pytest.fixture
def remote(small, monkeypatch):
    """The same with corpora that would have to be fetched, of which every use is a failure."""
    asked = {"pos": FILES[:2], "ner": FILES[2:], "code-switching": [], "parallel": []}
    offered = SimpleNamespace(**{name: getattr(small.source, name) for name in ("languages", "evaluation_languages", "fingerprint")},
                              downloads=lambda task, names: asked[task],
                              labelled=lambda task, *_: pytest.fail(f"{task} was fetched"))  # fmt: skip
    monkeypatch.setitem(small.__dict__, "source", offered)
    return small


def test_it_counts_what_the_book_lacks_and_says_which_encoder_is_missing(small):
    found = plan.of(small)
    assert sum(line.models for line in found.lines) == len(grids.of_the_book(small)) + len(sensitivity.VARIANTS)
    assert {line.encoder for line in found.lines} == {"m-bert"} and {line.basis for line in found.lines} == {plan.TIMED}
    assert "en-bert" in found.absent[0] and f"not available: {found.absent[0]}" in str(found)
    assert not list((small.path.parent / "store").rglob("*.json"))


def test_kept_results_of_the_same_device_say_how_long_a_model_takes(small, tmp_path, monkeypatch):
    cells, store = plan.lacking(small), Store(tmp_path / "store")
    pos, others = [cell for cell in cells if cell.task == "pos"], [cell for cell in cells if cell.task != "pos"]
    transfer.compute(small, pos[0], store)
    after = {line.task: line for line in plan.of(small).lines}
    assert after["pos"].models == len(pos) - 1 and sum(line.models for line in after.values()) == len(cells) - 1
    assert after["pos"].basis == plan.KEPT and after["ner"].basis == plan.TIMED and others
    kept = plan.kept_seconds(small, "pos", "m-bert", store)
    assert len(kept) == 1 and after["pos"].seconds == kept[0] > 0
    monkeypatch.setattr(transfer, "device", lambda: "another one")
    assert plan.kept_seconds(small, "pos", "m-bert", store) == []


def test_what_would_be_fetched_is_listed_with_size_and_licence_and_left_alone(remote, monkeypatch):
    monkeypatch.setattr(grids, "TASKS", {"pos": ["m-bert"], "ner": ["m-bert"]})
    found = plan.of(remote)
    assert found.downloads == FILES
    assert {line.task: line.models for line in found.lines} == {"pos": 4, "ner": 3}  # Hindi is in no printed table
    text = str(found)
    assert "to download: 2 files of 5.5 MB and 1 file of unknown size" in text
    assert "CC BY-SA 4.0: 1 file of 4.0 MB and 1 file of unknown size; UD_German-GSD" in text and "licence not stated" in text


def test_too_small_a_disk_is_told(remote, monkeypatch):
    monkeypatch.setattr(grids, "TASKS", {})
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert "that is too little" in str(plan.of(remote))


def test_an_encoder_of_the_hub_is_a_download_until_it_is_here(small, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub = "google-bert/bert-base-multilingual-cased"
    text = SMALL.replace("./tiny", hub)
    (tmp_path / "small.yml").write_text(text)
    monkeypatch.setattr(plan.hub, "cached", lambda *_: None)
    (item,) = plan.downloads(Edition.load(tmp_path / "small.yml"))
    assert item.what.startswith(hub) and item.size > 100e6 and item.licence


@pytest.mark.parametrize("seconds, words", [(4, "4.0 seconds"), (80, "80 seconds"), (600, "10 minutes"), (9000, "2.5 hours"),
                                            (4 * 86400, "4.0 days"), (50 * 86400, "50 days")])  # fmt: skip
def test_durations_are_said_as_people_do(seconds, words):
    assert plan.duration(seconds) == words


@pytest.mark.parametrize("command", [["book"], ["run"], ["run", "--task", "pos", "--encoder", "m-bert", "--seed", "1"]])
def test_a_dry_run_stops_at_the_plan(small, command, monkeypatch):
    monkeypatch.setattr(transfer, "run", lambda *_, **__: pytest.fail("something was computed"))
    done = CliRunner().invoke(cli.app, [*command, "--edition", str(small.path), "--dry-run"])
    assert done.exit_code == 0 and "Plan for the edition small" in done.output
    assert ("2 models" in done.output) == ("--seed" in command)


def test_an_encoder_that_is_missing_cannot_be_asked_for(small):
    done = CliRunner().invoke(cli.app, ["run", "--edition", str(small.path), "--encoder", "en-bert", "--dry-run"])
    assert done.exit_code != 0 and "en-bert" in str(done.exception) and cli._is_ours(done.exception)


def test_at_full_size_a_device_twice_as_fast_takes_half_the_time(small):
    runs = [("slow", 100.0, 400.0), ("fast", 200.0, 800.0)]
    speeds = pd.DataFrame([{"device": name, "training": t, "tagging": g, "memory": 3e9} for name, t, g in runs])
    table = plan.at_full_size(speeds, small)
    slow, fast = (table[table.device == name].reset_index(drop=True) for name, _, _ in runs)
    assert np.allclose(slow.hours, 2 * fast.hours) and np.allclose(slow.hours * 60, slow.models * slow.minutes)
    pos = slow[(slow.task == "pos") & (slow.encoder == "m-bert")].iloc[0]
    assert pos.models == 4 and pos.minutes == pytest.approx((200_000 / 100 + 2 * 25_000 / 400) / 60)
    assert set(table.basis) == {"measured"}


@pytest.mark.parametrize("devices, basis", [(["cpu, 1 thread(s)"], ["measured", "estimate"]), ([], ["estimate"]),
                                            (["cpu, 1 thread(s)", "some GPU"], ["measured", "measured"])])
def test_a_gpu_is_estimated_where_none_was_measured(small, devices, basis):
    """By hand: 10 TFLOP/s over six operations a weight of 85 million is 19,596 pieces a second in training."""
    speeds = pd.DataFrame([{"device": name, "training": 100.0, "tagging": 400.0, "memory": 3e9} for name in devices],
                          columns=["device", "training", "tagging", "memory"])  # fmt: skip
    table = plan.at_full_size(speeds, small)
    pos = table[(table.task == "pos") & (table.encoder == "m-bert")]
    assert pos.basis.tolist() == basis
    gpu = pos[pos.basis == "estimate"]
    assert gpu.empty or gpu.minutes.item() == pytest.approx((200_000 / 19_596 + 50_000 / 58_787) / 60, rel=1e-3)
