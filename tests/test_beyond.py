"""Beyond the paper: an objective's gain, one meaning told, look-up, emergence, corpora."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import languages, published, stats
from crosslingual.chapters import beyond, conclusion
from crosslingual.corpora import treebanks
from crosslingual.models.encoder import Encoder
from fabricated import edition as made_up
from fabricated import scores as scored
from pocketworld import World, WorldParameters

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
    table = beyond.treebanks(PROFILE, pos, edition())
    assert table.rows[0] == ["EN", "8.0", "10.0", "5.0", "20.0", "90.0", "99.0"]
    assert table.notes == ("Not available: DE: there is no German.",)


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


def test_figures_say_where_the_curve_begins_and_ends(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (tmp_path / "config.json").write_text("{}")
    log = pd.DataFrame({"step": [50, 100, 1000], "loss": [9.0, 8, 3], "tokens": [1e6, 2e6, 2e7]})
    log.to_json(tmp_path / "training.jsonl", orient="records", lines=True)
    drawn = beyond.emergence_curve(CURVE, edition(tmp_path), "m-bert")
    assert "zero-shot tagging 20.0 to 60.0" in drawn.caption and len(drawn.png) < 100_000
    by_pair = beyond.emergence_by_pair(CURVE, edition(), "m-bert")
    assert "gained most: EN to DE (+40.0 points)" in by_pair.caption


def test_without_a_curve_everything_is_numbered_and_says_so():
    nothing = CURVE[:0]
    for figure in (beyond.emergence_curve, beyond.emergence_by_pair):
        assert "Not available" in figure(nothing, edition(), "m-bert").caption
    assert beyond.emergence_reading(nothing)["found_half"] == "not available"


# ---- an explicit objective

WAYS = {"paper": 1, "shared pieces": 2}
TAUGHT = made_up("real", artificial=False, encoder_title={"m-bert": "mE5"}.get)
CODES = ["en", "de", "es", "it", "nl", "hi", "ur", "bg", "ja"]


def printed(train, evaluate, tables, gain):
    """The paper's score, where it prints one, and ``gain`` points on it across languages."""
    for table in tables:
        if train in table.index and not np.isnan(table.get(evaluate, {}).get(train, np.nan)):
            return (table.at[train, evaluate] + gain * (train != evaluate)) / 100
    return 0.5


@pytest.fixture(scope="module")
def differences():
    pos, ner = [published.TABLE_2, published.TABLE_4], [published.TABLE_1]
    results = {
        "pos": scored(lambda a, b: printed(a, b, pos, 3), CODES, sentences=100),
        "ner": scored(lambda a, b: printed(a, b, ner, 0), CODES[:5], task="ner", sentences=100),
    }
    return beyond.beside_paper(results, TAUGHT)


def test_what_is_gained_across_languages_alone_is_told_from_what_is_gained_within(differences):
    found = beyond.objective(differences)
    assert list(found.cells[:6]) == [20, 8, 20, 12, 4, 12]
    across, within, less = found.difference[:3]
    assert across.value == pytest.approx(3, abs=0.6) and across.over.low > 0
    assert within.value == pytest.approx(0, abs=0.6)
    assert less.value == pytest.approx(across.value - within.value, abs=0.5)
    table = beyond.objective_table(found, TAUGHT)
    assert table.header[2] == "mE5" and table.rows[0][1] == "81.4"


def test_the_front_page_says_what_the_objective_brought(differences):
    found, asked = conclusion.QUESTIONS["space"][1]({"objective": differences}, TAUGHT)
    assert found == "" and asked.startswith("zero-shot tagging of mE5, which was trained on")
    assert "in the paper: +" in asked and "points (" in asked and "; over languages " in asked


def test_an_edition_without_entities_is_compared_in_what_it_has(differences):
    tags = {"pos": scored(lambda a, b: 0.5, CODES, sentences=100)}
    assert "ner" not in beyond.beside_paper(tags, TAUGHT)
    assert list(beyond.objective({"pos": differences["pos"]}).cells) == [20, 8, 20]


def test_pairs_found_and_tagged_stand_beside_each_other(differences):
    heights = {("en", "de"): 90, ("en", "ru"): 60, ("en", "hi"): 30}
    made = [(*pair, way, x / half) for pair, x in heights.items() for way, half in WAYS.items()]
    rows = [("m-bert", *ends, layer, top * layer) for *ends, top in made for layer in (0.5, 1)]
    columns = ["encoder", "source", "target", "method", "layer", "accuracy"]
    curve = pd.DataFrame(rows, columns=columns).assign(queries="all", reason="", candidates=9)
    tagged = [("m-bert", *pair, 100.0 - x, "") for pair, x in heights.items()]
    pos = pd.DataFrame(tagged, columns=[*stats.CELL, "score", "reason"])
    assert beyond.found_and_tagged(curve[:0], pos).empty  # an edition without parallel text
    pairs = beyond.found_and_tagged(curve, pos)
    table = beyond.found_table(pairs, TAUGHT)
    assert table.rows[0] == ["EN-DE", "90.0", "45.0", "10.0", "89.4"]
    assert [row[0] for row in table.rows] == ["EN-DE", "EN-RU", "EN-HI"]
    assert "found −1.00, by shared pieces −1.00" in table.notes[0]
    told = beyond.objective_reading(differences, beyond.objective(differences), pairs)
    assert "worst, EN to DE (10.0), it finds 90.0%" in told
    assert "average, more than another choice" in told
    figure = beyond.objective_pairs(differences, TAUGHT)
    assert "better than the paper's: all 20" in figure.caption


def test_an_encoder_without_the_objective_is_not_compared():
    for other in (made_up("pocket"), made_up("paper", artificial=False)):
        assert beyond.beside_paper({}, other) == {}
    nothing = beyond.objective_reading({}, pd.DataFrame(), pd.DataFrame())
    assert nothing == beyond.NO_OBJECTIVE


# ---- the corpora of real languages


def test_the_corpora_name_their_files_and_what_cannot_be_made():
    parts = pd.DataFrame(treebanks.assembly())
    counts = [("pos", "en", "train", 4000), ("pos", "en", "test", 2000)]
    sizes = pd.DataFrame(counts, columns=["task", "language", "split", "sentences"])
    table = beyond.assembled(parts, sizes).set_index("language")
    assert table.at["Bulgarian", "train"] == "BTB r2.0-test dev"
    assert table.at["Bulgarian", "dev"] == "every tenth of the training set"
    assert table.at["Dutch", "train"].count("LassySmall") == 2
    assert "cannot be made: its tags" in table.at["Italian", "train"]
    assert table.at["English", "sentences (train / test)"] == "4,000 / 2,000"
    told = beyond.put_together(parts)
    assert told["cannot"] == "Italian, Japanese and Slovak" and told["written"] == "Portuguese"
    assert int(told["count"]) == len(languages.POS_LANGUAGES) - 4
