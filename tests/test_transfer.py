"""The transfer matrix on a toy edition: what is computed, kept, resumed after a kill, and left out."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from toy import Edition

from crosslingual import baselines, corpora, finetune, scoring, transfer
from crosslingual.store import Store

LANGUAGES = ["en", "ja"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edition, Store, pd.DataFrame]:
    """A toy edition, its store, and the matrix of two languages and one seed computed into it."""
    folder = tmp_path_factory.mktemp("toy")
    edition, results = Edition.write(folder), Store(folder / "store")
    frame = transfer.matrix(edition, "pos", "m-bert", LANGUAGES, LANGUAGES, 1, results, workers=2)
    return edition, results, frame


@pytest.fixture
def here(tmp_path: Path) -> tuple[Edition, Store]:
    return Edition.write(tmp_path, epochs=1), Store(tmp_path / "store")


def compute_all(edition: Edition, results: Store, **grid: object) -> None:
    """Compute what is missing in this process, which saves the tests the start of others."""
    for cell in transfer.plan(edition, **grid, store=results):
        transfer.compute(edition, cell, results)


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """What must be equal whenever and wherever it was computed."""
    return frame.drop(columns=["seconds", "device", "memory"]).assign(counts=frame["counts"].map(np.ndarray.tolist))


def test_a_treebanks_own_tags_are_the_labels_where_it_has_no_universal_ones() -> None:
    universal = corpora.labelled_corpus([["a", "b"]], [["NOUN", "X"]])
    own = corpora.labelled_corpus([["a", "b"], ["c"]], [["VBZ", "NN"], ["NN"]])
    assert transfer.label_set("pos", universal) == transfer.UPOS
    assert transfer.label_set("pos", own) == ["NN", "VBZ"]
    assert transfer.label_set("ner", own) == transfer.IOB2


def test_frame_is_tidy_and_equals_a_run_by_hand(kept: tuple) -> None:
    edition, _, frame = kept
    assert list(frame.columns) == transfer.COLUMNS
    assert list(zip(frame["train"], frame["evaluate"], strict=True)) == [
        ("en", "en"), ("en", "ja"), ("ja", "en"), ("ja", "ja")]
    tagger = finetune.finetune(edition.encoder("m-bert"), edition.corpus("pos", "en", "train"), transfer.UPOS,
                               edition.recipe("pos"), 1)
    test = edition.corpus("pos", "ja", "test")
    by_hand = scoring.score("pos", test["labels"], tagger.predict(test["tokens"]))
    row = frame[(frame["train"] == "en") & (frame["evaluate"] == "ja")].iloc[0]
    assert row["score"] == by_hand.value
    np.testing.assert_array_equal(row["counts"], by_hand.counts)
    assert row["origin"] == "computed here" and row["seconds"] > 0 and row["device"].startswith("cpu, 1")


def test_word_order_hurts_transfer(kept: tuple) -> None:
    scores = kept[2].pivot(index="train", columns="evaluate", values="score")
    assert scores.loc["en", "en"] > 95 > scores.loc["en", "ja"]


def test_what_is_kept_is_not_computed_again(kept: tuple) -> None:
    edition, results, frame = kept
    before = {path: path.stat().st_mtime_ns for path in results.folder.glob("*/*")}
    again = transfer.matrix(Edition(edition.path), "pos", "m-bert", LANGUAGES, LANGUAGES, 1, results)
    pd.testing.assert_frame_equal(again, frame)
    assert {path: path.stat().st_mtime_ns for path in results.folder.glob("*/*")} == before


def test_a_model_is_evaluated_on_all_corpora_so_chapters_only_select(kept: tuple) -> None:
    edition, results, _ = kept
    assert transfer.plan(edition, "pos", "m-bert", ["en"], ["es"], 1, results) == []
    other = transfer.matrix(edition, "pos", "m-bert", ["en"], ["es"], 1, results)
    assert other["evaluate"].tolist() == ["es"]


def test_plan_holds_what_is_new_only(kept: tuple) -> None:
    edition, results, _ = kept
    def planned(*changes: object) -> list[tuple[str, int]]:
        return [(cell.train, cell.seed) for cell in transfer.plan(edition, "pos", *changes, results)]

    assert planned("m-bert", ["en", "es"], LANGUAGES, [1, 2]) == [("en", 2), ("es", 1), ("es", 2)]
    assert planned("en-bert", ["en"], LANGUAGES, 1) == [("en", 1)]


@pytest.mark.parametrize("change", [{"train": 61}, {"epochs": 5}])
def test_plan_follows_content(kept: tuple, tmp_path: Path, change: dict) -> None:
    changed = Edition.write(tmp_path, **change)
    assert len(transfer.plan(changed, "pos", "m-bert", LANGUAGES, LANGUAGES, 1, kept[1])) == 2
    assert transfer.plan(Edition.write(tmp_path), "pos", "m-bert", LANGUAGES, LANGUAGES, 1, kept[1]) == []


def test_bumping_a_version_computes_anew(kept: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "VERSION", scoring.VERSION + 1)
    assert len(transfer.plan(kept[0], "pos", "m-bert", LANGUAGES, LANGUAGES, 1, kept[1])) == 2


def test_signature_says_what_the_scores_are(kept: tuple) -> None:
    edition, _, frame = kept
    line, digest = frame.attrs["signature"], edition.encoder("m-bert").digest
    assert "\n" not in line
    for part in ("accuracy", "edition toy", f"m-bert {digest[:8]}", "epochs=4", "seeds 1", "scoring v1"):
        assert part in line


def test_new_evaluation_corpus_adds_to_the_record(tmp_path: Path) -> None:
    results, grid = Store(tmp_path / "store"), ("pos", "m-bert", ["en"])
    small = Edition.write(tmp_path, languages=["en", "es"], epochs=1)
    compute_all(small, results, task="pos", encoder="m-bert", train=["en"], evaluate=["es"], seeds=1)
    first = transfer.matrix(small, *grid, ["en", "es"], 1, results)
    large = Edition.write(tmp_path, epochs=1)
    assert len(transfer.plan(large, *grid, ["ja"], 1, results)) == 1
    compute_all(large, results, task="pos", encoder="m-bert", train=["en"], evaluate=["ja"], seeds=1)
    second = transfer.matrix(large, *grid, ["en", "es"], 1, results)
    pd.testing.assert_frame_equal(comparable(first), comparable(second))
    assert len(results.records(transfer.KIND)) == 1


def test_missing_corpora_leave_gaps_with_reasons(tmp_path: Path) -> None:
    results = Store(tmp_path / "store")
    missing = ["pos/es/train", "pos/ja/test"]
    edition = Edition.write(tmp_path, missing=missing, epochs=1)
    grid = {"task": "pos", "encoder": "m-bert", "train": ["en", "es"], "evaluate": ["en", "ja"], "seeds": 1}
    compute_all(edition, results, **grid)
    frame = transfer.matrix(edition, **grid, store=results)
    assert frame[["train", "evaluate"]].values.tolist() == [["en", "en"]]
    assert set(frame.attrs["unavailable"]) == {"es", "ja"}
    assert "pos/ja/test is not at hand; ask its owner" in frame.attrs["unavailable"]["ja"]


def test_nothing_at_hand_gives_an_empty_frame(tmp_path: Path) -> None:
    edition = Edition.write(tmp_path, missing=["pos/en/train"])
    frame = transfer.matrix(edition, "pos", "m-bert", ["en"], ["en"], 1, Store(tmp_path / "store"))
    assert frame.empty and list(frame.columns) == transfer.COLUMNS
    assert set(frame.attrs["unavailable"]) == {"en"}


def test_recorded_results_stand_in_for_corpora_by_their_pinned_digest(tmp_path: Path) -> None:
    whole = Edition.write(tmp_path, epochs=1)
    compute_all(whole, Store(tmp_path / "recorded"), task="pos", encoder="m-bert", train=["en", "ja"],
                evaluate=["en", "ja"], seeds=1)
    absent = [f"pos/ja/{split}" for split in ("train", "test")]
    pinned = {name: whole.corpus_digest(*name.split("/")) for name in absent}
    edition = Edition.write(tmp_path, epochs=1, missing=absent, pinned=pinned)
    results = Store(tmp_path / "store", [tmp_path / "recorded"])
    frame = transfer.matrix(edition, "pos", "m-bert", LANGUAGES, LANGUAGES, 1, results)
    assert len(frame) == 4 and set(frame["origin"]) == {"recorded"} and not frame.attrs["unavailable"]
    # Computing the English row here leaves the recorded score on the absent corpus in its place.
    transfer.compute(edition, transfer.Cell("pos", "m-bert", "en", 1), results)
    frame = transfer.matrix(edition, "pos", "m-bert", ["en"], LANGUAGES, 1, results)
    assert frame["origin"].tolist() == ["computed here", "recorded"]
    # A pin without a recorded score is a gap, not something to compute for ever.
    bare = transfer.matrix(edition, "pos", "m-bert", ["ja"], ["en"], 1, Store(tmp_path / "empty"))
    assert bare.empty and set(bare.attrs["unavailable"]) == {"ja"}


def test_damaged_record_is_computed_again_to_the_same(kept: tuple) -> None:
    edition, results, frame = kept
    path = next(results.folder.glob(f"{transfer.KIND}/*.json"))
    path.write_bytes(path.read_bytes()[:-40])
    again = transfer.matrix(edition, "pos", "m-bert", LANGUAGES, LANGUAGES, 1, results)
    pd.testing.assert_frame_equal(comparable(again), comparable(frame))
    assert path.with_suffix(".damaged").exists()


def test_failing_cell_is_named_and_the_finished_one_kept(tmp_path: Path) -> None:
    edition, results = Edition.write(tmp_path, epochs=1), Store(tmp_path / "store")
    cells = [transfer.Cell("pos", "m-bert", language, 1) for language in ("en", "xx")]
    with pytest.raises(KeyError) as caught:
        transfer.run(edition, cells, results, workers=1)
    assert "m-bert fine-tuned for pos on xx, seed 1" in caught.value.__notes__[0]
    assert len(results.records(transfer.KIND)) == 1


def test_processes_take_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    started, chosen = multiprocessing.get_context("spawn").Value("i", 0), []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for available in (False, True, True, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        transfer._choose_gpu(started)
    assert chosen == [0, 1, 0]


def test_entities_are_scored_by_f1(here: tuple[Edition, Store]) -> None:
    edition, results = here
    compute_all(edition, results, task="ner", encoder="m-bert", train=["en"], evaluate=["en"], seeds=1)
    frame = transfer.matrix(edition, "ner", "m-bert", ["en"], ["en"], 1, results)
    assert frame["counts"][0].shape == (20, 3) and "F1 conlleval" in frame.attrs["signature"]


GRID = {"task": "pos", "encoder": "m-bert", "train": ["en", "es", "ja"], "evaluate": ["en", "ja"],
        "seeds": [1, 2]}
SCRIPT = """
import json, sys
from toy import Edition
from crosslingual import transfer
from crosslingual.store import Store

if __name__ == "__main__":
    edition, results, grid = Edition(sys.argv[1]), Store(sys.argv[2]), json.loads(sys.argv[3])
    transfer.matrix(edition, **grid, store=results, workers=1)
"""


def heed_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and so would tests that run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, list[psutil.Process]]]:
    """A run in a process of its own that has just kept its first record, and its workers."""
    Edition.write(tmp_path, epochs=8)
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = [sys.executable, "script.py", "toy.json", "store", json.dumps(GRID)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c)
    while not list(tmp_path.glob("store/finetuned/*.json")):
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.01)
    yield process, psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()


def ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def test_killed_run_resumes_to_equal_results(tmp_path: Path, running: tuple) -> None:
    process, workers = running
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and ended(workers)
    edition = Edition(tmp_path / "toy.json")
    results, whole = Store(tmp_path / "store"), Store(tmp_path / "whole")
    done = len(results.records(transfer.KIND))
    assert 0 < done < 6 and len(transfer.plan(edition, **GRID, store=results)) == 6 - done
    compute_all(edition, results, **GRID)
    compute_all(edition, whole, **GRID)
    resumed, unharmed = (transfer.matrix(edition, **GRID, store=kept) for kept in (results, whole))
    pd.testing.assert_frame_equal(comparable(resumed), comparable(unharmed))


def test_interrupted_run_ends_at_once_and_keeps_what_is_done(tmp_path: Path, running: tuple) -> None:
    process, workers = running
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=10)[1].decode()
    assert process.returncode != 0 and ended(workers)
    assert "KeyboardInterrupt" in errors and "BrokenProcessPool" not in errors
    assert 0 < len(Store(tmp_path / "store").records(transfer.KIND)) < 6
    assert not list(tmp_path.glob("store/*/*.damaged"))


def test_baselines_by_hand(tmp_path: Path) -> None:
    tokens, labels = ["the dog", "the run", "dog run"], ["DET NOUN", "DET VERB", "NOUN VERB"]
    train = corpora.labelled_corpus([text.split() for text in tokens], [text.split() for text in labels])
    look_up, majority = baselines.LookUp(train), baselines.LookUp(train, "majority class")
    assert look_up.predict([["the", "run", "cat"], []]) == [["DET", "VERB", "DET"], []]
    assert majority.predict([["run", "cat"]]) == [["DET", "DET"]]
    with pytest.raises(scoring.ScoringError, match="Unknown baseline"):
        baselines.LookUp(train, "oracle")


def test_baseline_matrix_is_scored_like_the_rest_and_kept(here: tuple[Edition, Store]) -> None:
    edition, results = here
    frame = baselines.matrix(edition, "pos", "majority class", ["en"], ["en", "ja"], results)
    assert frame["score"].tolist() == [40.0, 40.0]  # two nouns in five words
    look_up = baselines.matrix(edition, "pos", "most frequent tag", ["en"], ["en", "ja"], results)
    assert look_up["score"].tolist() == [100.0, 80.0]  # Japanese verbs are spelt otherwise
    assert len(results.records("baseline")) == 2
    again = baselines.matrix(edition, "pos", "most frequent tag", ["en"], ["en", "ja"], results)
    pd.testing.assert_frame_equal(look_up, again)
