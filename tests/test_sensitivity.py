"""Variants of an edition: the same but for one setting, each with results of its own."""

import pickle

import pandas as pd
import pytest
import toy

from crosslingual import sensitivity, transfer
from crosslingual.editions import Edition, EditionError
from crosslingual.store import Store

SMALL = """\
title: small
artificial: true
seeds: [1, 2]
corpora: {source: pocket, sizes: {pos: {train: 12, dev: 2, test: 6}}}
languages: {pos: [ja, hi]}
encoders: {m-bert: ./tiny}
recipe: {epochs: 1, learning_rate: 1.0e-3, pos: {dropout: 0.2}}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    toy.save_encoder(folder / "tiny")
    (folder / "small.yml").write_text(SMALL)
    return Edition.load(folder / "small.yml")


def test_a_variant_changes_what_it_names_and_nothing_else(small):
    varied = small.variant(recipe={"pos": {"weight_decay": 0.1}})
    assert varied.recipe("pos").weight_decay == 0.1
    assert varied.recipe("pos").dropout == 0.2 and varied.recipe("ner") == small.recipe("ner")
    assert small.recipe("pos").weight_decay == 0 and varied.corpus("pos", "ja", "test") is small.corpus("pos", "ja", "test")


def test_other_corpora_are_made_anew_and_no_pinned_digest_stands_for_them(small):
    shorter = small.variant(corpora={"sizes": {"pos": {"test": 3}}})
    assert len(shorter.corpus("pos", "ja", "test")) == 3 and len(small.corpus("pos", "ja", "test")) == 6
    assert "digests" not in shorter.document


def test_a_variant_reaches_worker_processes_whole(small):
    varied = small.variant(recipe={"pos": {"batch_size": 4}})
    assert pickle.loads(pickle.dumps(varied)).recipe("pos").batch_size == 4


def test_a_mistaken_setting_names_the_file(small):
    with pytest.raises(EditionError, match="small.yml, line .*unknown hyper-parameter 'weight_decoy'"):
        small.variant(recipe={"pos": {"weight_decoy": 0.1}})


def test_only_variants_are_computed_and_their_results_are_kept(small, tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    variants = {"large steps": {"learning_rate": 1e-2}}
    table = sensitivity.measure(small, variants=variants, store=store)
    assert list(zip(table.variant, table.seed)) == [("as it is", 1), ("as it is", 2), ("large steps", 1)]
    monkeypatch.setattr(transfer, "compute", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(table, sensitivity.measure(small, variants=variants, store=store))
    by_hand = transfer.matrix(small, "pos", "m-bert", ["ja"], ["ja", "hi"], [1, 2], store).set_index(["evaluate", "seed"]).score
    assert table.within[0] == by_hand["ja", 1] and table.across[1] == by_hand["hi", 2]
    changes = sensitivity.swings(table)
    assert changes.within["large steps"] == table.within[2] - table.within[0] != 0
