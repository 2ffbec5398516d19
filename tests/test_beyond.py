"""Beyond the paper: one meaning told, look-up, shared names, the curve of a pre-training."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual.chapters import beyond
from crosslingual.models.encoder import Encoder
from pocketworld import Token, World, WorldParameters

WORLD = World(WorldParameters(seed=3))
PLACES = {(beyond.IN_LANGUAGE, "en", -1): (80, 90, 95), (beyond.ZERO_SHOT, "de", -1): (20, 30, 60)}
PLACES |= {(beyond.RETRIEVAL, "de", 0): (5, 10, 50), (beyond.RETRIEVAL, "de", 1): (9, 8, 20)}
CURVE = pd.DataFrame(
    [
        ("m-bert", step, measure, "en", target, layer, score, "", "")
        for (measure, target, layer), scores in PLACES.items()
        for step, score in zip((0, 100, 1000), scores, strict=True)
    ],
    columns=["encoder", "step", "measure", "source", "target", "layer", "score", "reason", "note"],
)


def edition(folder="nowhere"):
    told = {"name": "made-up", "title": "made up", "artificial": True, "substitutes": {}}
    told["encoder"] = lambda name: Encoder(name, str(folder))
    return SimpleNamespace(**told, encoder_title=str.upper)


def scores(**accuracies):
    rows = [("m-bert", code, code, value, "") for code, value in accuracies.items()]
    return pd.DataFrame(rows, columns=["encoder", "train", "evaluate", "score", "reason"])


def test_one_meaning_has_the_same_names_in_every_language():
    told = beyond.one_meaning(WORLD, ["en", "de", "hi"])
    assert list(told) == ["en", "de", "hi"] and all(6 <= len(said) <= 9 for said in told.values())
    names = [sorted(t.entity for t in said if t.entity != "O") for said in told.values()]
    assert names[0] == names[1] == names[2]
    rows = beyond.retold(told).rows
    assert [row[0] for row in rows] == ["English", "German", "Hindi"] and "<bdi" in rows[0][1]


def test_a_counterfactual_order_moves_words_and_changes_none():
    orders = {"en": {"81A": "SOV", "85A": "Postpositions"}}
    other = World(WorldParameters(**WORLD.p.model_dump() | {"orders": orders}))
    said = [line.split() for line in beyond.reordered(WORLD, other, "en").values()]
    assert said[0] != said[1] and sorted(said[0]) == sorted(said[1])


@pytest.mark.parametrize("languages, switches", [
    ("en hi en", 2), ("en en hi", 1), ("en univ hi", 1), ("en ne en", 0), ("univ ne", 0),
])  # fmt: skip
def test_switches_are_between_words_that_have_a_language(languages, switches):
    said = [Token("x", "NOUN", language=language) for language in languages.split()]
    assert beyond.switches(said) == switches


def test_switching_follows_the_generator_s_parameters():
    none = World(WorldParameters(switch_at_boundaries=0, switch_inside=0))
    assert beyond.mixing(none, 50) == {"mixed": 0, "switches": 0}
    few, many = (World(WorldParameters(switch_inside=share)) for share in (0.05, 0.4))
    assert beyond.mixing(few, 150)["switches"] < beyond.mixing(many, 150)["switches"]


PROFILE = pd.DataFrame(
    {"language": ["en", "zh", "de"], "words": 8.0, "homographs": [10.0, 30.0, np.nan]}
    | {"unseen": [5.0, 3.0, np.nan], "majority_class": 20.0, "look_up": [90.0, 88.0, np.nan]}
    | {"reason": ["", "", "there is no German."]}
)


def test_look_up_beside_the_tagger():
    pos = scores(en=99.0, zh=81.0)
    reading = beyond.look_up_reading(PROFILE, pos)
    assert reading["ahead"] == "1 of the 2" and reading["behind"] == "Chinese"
    assert reading["homographs"] == "10.0 to 30.0"
    figure = beyond.look_up(PROFILE, pos, edition())
    assert "smallest lead over look-up is −7.0 points" in figure.caption
    table = beyond.treebanks(PROFILE, pos, edition())
    assert table.rows[0] == ["EN", "8.0", "10.0", "5.0", "20.0", "90.0", "99.0"]
    assert table.notes == ("Not available: DE: there is no German.",)


def test_only_words_inside_entities_are_shared():
    labels = [["O", "B-LOC", "I-LOC"], ["B-PER"]]
    corpora = {
        "en": {"tokens": [["in", "New", "York"], ["Ada"]], "labels": labels},
        "de": {"tokens": [["in", "Neu", "York"], ["Ada"]], "labels": labels},
        "ru": {"tokens": [["в", "Нью", "Йорк"], ["Ada"]], "labels": labels},
    }
    names = beyond.shared_names(corpora)
    assert list(names.shared) == [2, 1, 1] and list(names.overlap) == [50, 20, 20]
    assert beyond.names_reading(names) == {"within": "50.00", "across": "20.00"}
    assert beyond.most_shared(names, edition()).rows[0] == ["English", "German", "50.0", "2"]


def test_half_of_the_way_by_hand():
    assert list(beyond.means(CURVE)[beyond.RETRIEVAL]) == [9, 10, 50]  # at its best layer
    assert beyond.steps_to(CURVE, beyond.ZERO_SHOT) == 1000  # 20 to 60: 30 is a quarter of it
    assert beyond.steps_to(CURVE, beyond.ZERO_SHOT, 0.25) == 100
    reading = beyond.emergence_reading(CURVE)
    assert reading["within_half"] == "100" and reading["within_ends"] == "80.0 to 95.0"
    assert reading["order"] == "across languages later than within them"
    assert reading["probed"] == "EN and DE"


def test_a_way_that_is_noise_has_no_half():
    still = CURVE.assign(score=CURVE.score.where(CURVE.measure != beyond.ZERO_SHOT, 20.0))
    reading = beyond.emergence_reading(still)
    assert "no more than 2 points" in reading["across_half"] and reading["order"] == "not known"


def test_figures_and_table_say_where_the_curve_begins_and_ends(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (tmp_path / "config.json").write_text("{}")
    log = pd.DataFrame({"step": [50, 100, 1000], "loss": [9.0, 8, 3], "tokens": [1e6, 2e6, 2e7]})
    log.to_json(tmp_path / "training.jsonl", orient="records", lines=True)
    drawn = beyond.emergence_curve(CURVE, edition(tmp_path), "m-bert")
    assert "zero-shot tagging 20.0 to 60.0" in drawn.caption and len(drawn.png) < 100_000
    by_pair = beyond.emergence_by_pair(CURVE, edition(), "m-bert")
    assert "Most gained: EN to DE (+40.0 points)" in by_pair.caption
    rows = beyond.emergence_table(CURVE, edition(tmp_path), "m-bert").rows
    assert rows[:2] == [["0", "0", "80.0", "20.0", "9.0"], ["100", "2.0", "90.0", "30.0", "10.0"]]
    assert rows[2] == ["1,000", "20.0", "95.0", "60.0", "50.0"]


def test_without_a_curve_everything_is_numbered_and_says_so():
    nothing = CURVE[:0]
    for figure in (beyond.emergence_curve, beyond.emergence_by_pair):
        assert "Not available" in figure(nothing, edition(), "m-bert").caption
    assert beyond.emergence_table(nothing, edition(), "m-bert").rows == []
    assert beyond.emergence_reading(nothing)["found_half"] == "not available"
