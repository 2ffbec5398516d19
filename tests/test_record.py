"""Recorded results: what the book reads of them is what recomputing gives, and no corpus is asked for."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crosslingual import checkout, corpora, grids, record, sensitivity, sizes, store, transfer
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition, EditionError
from crosslingual.store import COMPUTED, RECORDED, Store

TINY = """\
title: tiny (artificial languages)
artificial: true
seeds: [1]
corpora:
  source: pocket
  world: {seed: 7}
  sizes:
    pos: {train: 12, dev: 2, test: 4}
    ner: {train: 12, dev: 2, test: 4}
    code-switching: {train: 12, dev: 2, test: 4}
    parallel: 8
languages: {pos: [en, hi], ner: [en, hi]}
pairs: [[en, hi]]
further_pairs: [[hi, en]]
encoders:
  m-bert: &small
    pretrain:
      languages: [en, hi]
      sentences: 20
      recipe: {vocabulary: 300, hidden: 8, layers: 1, heads: 1, intermediate: 8, steps: 1, tokens_per_batch: 128}
  en-bert: *small
recipe: {epochs: 1}
digests: tiny.digests.yml
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    """The file of an edition of two languages in a checkout of its own, with stores and caches of its own."""
    monkeypatch.setattr(checkout, "root", lambda: tmp_path)
    monkeypatch.setenv("CROSSLINGUAL_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tiny.yml").write_text(TINY)
    (tmp_path / "tiny.digests.yml").write_text("")
    return tmp_path / "tiny.yml"


def filled(path: Path, folder: Path | None = None) -> Edition:
    """The edition, all its models fine-tuned, in this process: starting others would take longer."""
    edition, results = Edition.load(path), Store(folder or store.local())
    for cell in grids.of_the_book(edition, results):
        transfer.compute(edition, cell, results)
    sensitivity.measure(edition, store=results)
    return edition


def without_corpora(path: Path) -> Edition:
    """The same edition on a machine that has nothing but the checkout: neither corpora nor results of its own."""
    shutil.rmtree(path.parent / "store", ignore_errors=True)
    return Edition.load(path, kept=True)


def numbers(edition: Edition) -> dict[str, pd.DataFrame]:
    found = grids.results(edition) | {"floors": grids.floors(edition)}
    recipe = sensitivity.measure(edition)
    return found | {"equal": grids.overlaps(edition, grids.common_size(edition)), "recipe": recipe,
                    "further": grids.further_retrieval(edition)}  # fmt: skip


def assert_same(first: dict[str, pd.DataFrame], second: dict[str, pd.DataFrame]) -> None:
    for name, frame in first.items():
        others = second[name].drop(columns=["seconds", "origin", "memory"], errors="ignore")
        pd.testing.assert_frame_equal(frame.drop(columns=["seconds", "origin", "memory"], errors="ignore"), others)


def test_recorded_and_recomputed_numbers_agree_and_hold_no_text(tiny: Path) -> None:
    computed = numbers(filled(tiny))
    records, size = record.record(Edition.load(tiny))
    assert records and size == sum(path.stat().st_size for path in store.recorded(Edition.load(tiny)).rglob("*.json"))
    words = {word for row in Edition.load(tiny).corpus("pos", "en", "test")["tokens"] for word in row if len(word) > 4}
    text = "".join(path.read_text() for path in store.recorded(Edition.load(tiny)).rglob("*.json"))
    assert words and not [word for word in words if word in text]

    absent = without_corpora(tiny)
    read = numbers(absent)
    assert_same(computed, read)
    assert set(read["pos"].origin) == {RECORDED} and len(read["retrieval"]) and len(read["further"]) and len(read["overlap"])
    assert sizes.statistics(absent, "pos", "en", "train")["sentences"] == 12
    assert not list((tiny.parent / "store").rglob("*.json"))  # nothing was computed in passing

    own = Store(tiny.parent / "again")
    edition = filled(tiny, own.folder)
    recomputed = {"pos": grids.both(edition, "pos", store=own), "floors": grids.floors(edition, own)}
    assert set(recomputed["pos"].origin) == {COMPUTED}
    assert_same(recomputed, read)


def test_what_is_incomplete_is_recorded_only_if_asked_for(tiny: Path) -> None:
    edition = Edition.load(tiny)
    with pytest.raises(record.RecordError, match="16 models of the edition tiny .* en-?.*crosslingual run --edition tiny"):
        record.record(edition)
    record.record(edition, incomplete=True)
    absent = without_corpora(tiny)
    assert grids.matrix(absent, "pos", "m-bert").empty and len(grids.floors(absent)) == 8
    assert "not recorded with the edition tiny" in grids.matrix(absent, "pos", "m-bert").attrs["unavailable"].values()


def asked(folder: Path, *kinds: str) -> record.Listening:
    """The store in a folder, with a recorded one in it, after it was asked for the record `PARTS` of these kinds."""
    listening = record.Listening(folder / "local", [folder / "recorded"])
    for kind in kinds:
        assert listening.get(kind, PARTS)
    return listening


PARTS = {"model": 1}


def test_entries_computed_here_and_recorded_before_are_recorded_together(tmp_path: Path) -> None:
    """As when an evaluation corpus is no longer at hand: its score must not go when another model's is computed again.

    The score on a corpus as an earlier version of the edition cut it goes.
    """
    here, before = Store(tmp_path / "local"), Store(tmp_path / "recorded")
    before.put("finetuned", PARTS, {"gone": {"counts": np.arange(3)}, "both": 1, "cut otherwise": 4}, {"device": "theirs"})
    here.put("finetuned", PARTS, {"both": 2, "new": 3}, {"device": "ours"})
    for kept, payload in ((before, [1]), (here, [2])):
        kept.put("retrieval", PARTS, payload)
    before.put("statistics", PARTS, {"words": 5})
    alone = next((tmp_path / "recorded/statistics").iterdir()).read_bytes()
    kinds = asked(tmp_path, "finetuned", "retrieval", "statistics")
    assert record._replace(before.folder, kinds, {"gone", "both", "new"})[0] == 3
    found = before.get("finetuned", PARTS)
    assert found.payload.keys() == {"gone", "both", "new"} and found.payload["both"] == 2
    assert found.payload["gone"]["counts"].tolist() == [0, 1, 2]
    assert found.provenance == here.get("finetuned", PARTS).provenance
    assert before.get("retrieval", PARTS).payload == [2]  # no entries to be joined
    assert next((tmp_path / "recorded/statistics").iterdir()).read_bytes() == alone


@pytest.mark.parametrize("moves", range(3))
def test_no_record_is_lost_when_recording_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    here, before = Store(tmp_path / "local"), Store(tmp_path / "recorded")
    kinds = ("overlap", "retrieval", "statistics")
    for kind in kinds:
        before.put(kind, PARTS, "before")
        before.put(kind, {"stale": 1}, "before")
        here.put(kind, PARTS, "here")
    left = [None] * moves

    def move(path: Path, target: Path) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        os.replace(path, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", move)
        patched.setattr(Path, "rename", move)
        record._replace(before.folder, asked(tmp_path, *kinds), ())
    assert sorted(before.get(kind, PARTS).payload for kind in kinds) == ["before"] * (3 - moves) + ["here"] * moves
    assert record._replace(before.folder, asked(tmp_path, *kinds), ())[0] == 3
    assert [[r.payload for r in before.records(kind)] for kind in kinds] == [["here"]] * 3


def test_other_kinds_of_record_stay_and_stale_ones_go(tiny: Path) -> None:
    folder = store.recorded(Edition.load(tiny))
    for kind in ("tokenisation", "statistics"):
        Store(folder).put(kind, {"old": kind}, 1)
    record.record(Edition.load(tiny), incomplete=True)
    kept = Store(folder)
    assert kept.get("tokenisation", {"old": "tokenisation"}) and not kept.get("statistics", {"old": "statistics"})


def test_an_edition_that_recomputes_does_so_where_it_can(tiny: Path) -> None:
    """Its records stand in where a corpus is gone, and beside another edition; with the corpora all is computed here."""
    read = numbers(filled(tiny))
    record.record(Edition.load(tiny))
    shutil.rmtree(tiny.parent / "store")
    tiny.write_text(TINY + "recompute: true\n")
    gone = Edition.load(tiny)
    gone.__dict__["source"] = corpora.NotAtHand(gone.source, "gone")
    assert not grids.of_the_book(gone)
    for edition in (gone, Edition.load(tiny, kept=True)):
        found = numbers(edition)
        assert set(found["pos"].origin) == set(found["floors"].origin) == {RECORDED}
        assert not found["floors"].attrs["unavailable"]
        assert_same(read, found)
    assert len(grids.of_the_book(Edition.load(tiny))) == 11
    made = numbers(filled(tiny))
    assert set(made["pos"].origin) == set(made["floors"].origin) == {COMPUTED}
    assert_same(read, made)


def test_an_edition_without_a_file_of_digests_cannot_be_recorded(tiny: Path) -> None:
    tiny.write_text(TINY.replace("digests: tiny.digests.yml\n", ""))
    with pytest.raises(EditionError, match="records need digests: put an empty file"):
        record.record(Edition.load(tiny))


def test_a_kept_edition_has_no_corpora(tiny: Path) -> None:
    kept = Edition.load(tiny, kept=True)
    with pytest.raises(CorpusUnavailable, match="not recorded with the edition tiny"):
        kept.corpus("pos", "en", "train")
    assert kept.languages("pos") == ["en", "hi"] and np.isnan(grids.means(grids.floors(kept)).mean())
