"""The grid on two nodes of a Ray cluster, of which one is killed: results are one machine's."""

import shutil
import sys
from itertools import chain

import numpy as np
import pytest
import test_experiments
from crosslingual import cluster, experiments, results

tiny = test_experiments.tiny
JOBS = [experiments.Job("scores", ("pos", "m-bert", "en", seed)) for seed in range(6)]
JOBS += [experiments.Job("space", ("m-bert", "en", "de"))]
JOBS += [experiments.Job("sizes", ("pos", "en", "test"))]


def kept(kind):
    about = experiments.kinds()[kind]
    frame = results.read("tiny", kind, about.rows + about.columns).sort_values(about.rows)
    return frame.drop(columns=[*results.PROVENANCE[1:], "origin"]).reset_index(drop=True)


def test_without_ray_one_sentence_says_what_to_install(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(experiments.ExperimentError, match=r"pip install '.\[cluster\]'"):
        cluster.run(tiny(), JOBS[:1], "auto")


@pytest.mark.slow
def test_a_node_dies_in_mid_grid_and_every_record_is_one_machines(tiny, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[cluster]'")
    from ray.cluster_utils import Cluster

    edition, node = tiny(), {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    conclude, second = experiments.conclude, nodes.add_node(**node)

    def counting(edition, job, result):
        conclude(edition, job, result)
        if len(list((results.local("tiny") / "scores").glob("*"))) == 2:
            nodes.remove_node(second, allow_graceful=False)
            # Only what was sent is there from now on, the first time it is asked for, too.
            shutil.rmtree(tmp_path / "encoder", ignore_errors=True)

    monkeypatch.setattr(experiments, "conclude", counting)
    shutil.copytree(tmp_path / "encoder", tmp_path / "again")
    try:
        cluster.run(edition, JOBS, nodes.address)
    finally:
        nodes.shutdown()
    there = {kind: kept(kind) for kind in ("scores", "space", "sizes")}
    (tmp_path / "again").rename(tmp_path / "encoder")
    shutil.rmtree(results.local("tiny"))
    for job in JOBS:
        conclude(edition, *experiments.computed(edition, job))
    for kind, frame in there.items():
        here = kept(kind)
        assert len(here) == len(frame) > 0
        for column in here:
            same = [np.array_equal(a, b) for a, b in zip(here[column], frame[column], strict=True)]
            assert all(same), (kind, column)


def test_parts_are_the_whole_and_each_machines_is_merged(tiny, tmp_path, monkeypatch):
    edition, shares = tiny(), ["1/3", "2/3", "3/3"]
    parts = [experiments.part(JOBS, share) for share in shares]
    assert sorted(map(str, chain(*parts))) == sorted(map(str, JOBS))
    assert experiments.part(JOBS[3:], "2/3") == [job for job in parts[1] if job in JOBS[3:]]
    for bad in ("4/3", "0/3", "3", "a/b"):
        with pytest.raises(experiments.ExperimentError, match="write it like 3/8"):
            experiments.part(JOBS, bad)
    stores = [tmp_path / "one", tmp_path / "other"]
    for store, job in zip(stores, JOBS, strict=False):
        monkeypatch.setenv(results.VARIABLE, str(store))
        experiments.conclude(edition, *experiments.computed(edition, job))
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "all"))
    assert [results.merge(store) for store in stores] == [1, 1]
    assert set(kept("scores").seed) == {0, 1}
    with pytest.raises(results.ResultsError, match="holds no results"):
        results.merge(tmp_path)
