"""Appendix A and the pages on provenance and gaps: frames worked by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from crosslingual import edition, languages
from crosslingual.chapters import appendix
from crosslingual.models import Recipe

nan = float("nan")


class Edition(SimpleNamespace):
    """What the room asks of an edition."""

    name, title, artificial, substitutes = "toy", "toy (nothing)", True, {}
    learning_rates, encoders = ({"ner": 1e-3},), ("m-bert", "gone")

    def recipe(self, task):
        return Recipe(learning_rate=self.learning_rates[0].get(task, 3e-5))

    def encoder_title(self, name):
        return name.upper()

    def encoder(self, name):
        if name == "gone":
            raise ValueError("its folder is missing")
        return SimpleNamespace(name=name, folder=self.folder, at_hand=self.folder, digest="ab" * 32)


def scored(rows, **common):
    """Rows (train, evaluate, seed, score, seconds, origin) as frames of scores."""
    columns = ["train", "evaluate", "seed", "score", "seconds", "origin"]
    made = json.dumps({"recipe": "epochs=3", "versions": "finetune 2"})
    usual = {"task": "pos", "encoder": "m-bert", "device": "cpu", "memory": 2e9, "versions": "{}"}
    usual |= {"reason": "", "note": "", "edition": "toy", "made_from": made}
    return pd.DataFrame(rows, columns=columns).assign(**usual | common)


@pytest.fixture
def scores():
    good = scored([
        ("en", "en", 1, 95.0, 10.0, "recorded"), ("en", "de", 1, 80.0, 10.0, "recorded"),
        ("en", "en", 2, 96.0, 30.0, "computed here"), ("en", "de", 2, 84.0, 30.0, "computed here"),
    ])  # fmt: skip
    missing = scored([("xx", "en", 1, nan, nan, "")], reason="No corpus.", device="", memory=nan)
    return pd.concat([good, missing], ignore_index=True)


def test_recipes_stand_beside_appendix_a_and_departures_are_named():
    table = appendix.recipes(Edition())
    assert ["learning rate", "3e-05", "3e-05", "0.001", "3e-05"] in table.rows
    assert ["weight decay", "not said", "0", "0", "0"] in table.rows
    assert ["bias correction", "not said", "yes", "yes", "yes"] in table.rows
    assert appendix.departures(Edition()) == ["learning rate"]
    assert appendix.departures(Edition(learning_rates=({},))) == []


def test_cost_counts_each_model_once_and_leaves_out_what_has_no_value(scores):
    table = appendix.cost(scores, Edition())
    assert table.rows == [["pos, M-BERT", "2", "20.0", "30.0", "0.7", "2.0", "cpu"]]
    assert any("No corpus." in note for note in table.notes)
    read = appendix.reading(scores)
    assert (read["models"], read["here"], read["devices"]) == ("2", "1", "cpu")
    assert (read["minutes"], read["median"]) == (pytest.approx(40 / 60), 20.0)
    together = appendix.cost(scores.assign(versions='{"how": "side by side"}'), Edition())
    assert appendix.SHARED in together.notes and appendix.SHARED not in table.notes


def test_variants_are_compared_by_the_first_seed_of_the_recipe_as_it_is(scores):
    own = scores.iloc[:4].assign(variant=appendix.AS_IT_IS)
    rows = [("en", "en", 1, 94.0, 1.0, "recorded"), ("en", "de", 1, 83.0, 1.0, "recorded")]
    frame = pd.concat([own, scored(rows, variant="no dropout")])
    table = appendix.variants(frame, Edition())
    assert table.rows == [
        ["as it is, seed 1", "95.0", "80.0"], ["as it is, seed 2", "96.0", "84.0"],
        ["no dropout", "94.0", "83.0"],
    ]  # fmt: skip
    told = appendix.swings(frame)
    assert told["largest"] == "no dropout (3.0)"
    assert (told["within_largest"], told["by_seed"]) == (1.0, 4.0)


def test_variants_that_lack_leave_a_page_that_says_why(scores):
    frame = scores.iloc[4:].assign(variant=appendix.AS_IT_IS)
    table = appendix.variants(frame, Edition())
    assert any("No corpus." in note for note in table.notes)
    assert appendix.swings(frame)["largest"] == "not available"


def test_where_results_come_from_is_counted_and_what_they_say_is_listed(scores):
    searched = pd.DataFrame({
        "encoder": "m-bert", "source": "en", "target": "de", "candidates": [100, 100, 50],
        "layer": [0, 1, 0], "origin": "recorded", "device": "cpu", "seconds": 5.0,
        "accuracy": 50.0, "reason": "", "note": ["", "", "other text"],
    })  # fmt: skip
    origins = appendix.origins(scores, searched).set_index(["task", "origin"])
    assert origins.results.to_dict() == {
        ("pos", "recorded"): 1, ("pos", "computed here"): 1, ("retrieval", "recorded"): 2,
    }  # fmt: skip
    remarks = appendix.remarks(scores, searched)
    assert dict(zip(remarks.remark, remarks.rows)) == {"No corpus.": 1, "other text": 1}
    assert appendix.made_with(scores).versions.tolist() == ["finetune 2"]
    told = "Of the 4 rows of results 2 came recorded with the book and 2 were computed here."
    assert appendix.freshness(scores) == told


def test_a_card_s_headings_do_not_become_headings_of_the_page(tmp_path):
    shipped = Edition(folder=tmp_path)
    assert appendix.cards(shipped) == ""
    (tmp_path / "README.md").write_text("# Title\n\n- a fact\n## Part\n")
    told = "<p><strong>Title</strong></p> <ul> <li>a fact <strong>Part</strong></li> </ul>"
    assert " ".join(appendix.cards(shipped).split()) == told


def test_encoders_are_listed_with_where_they_come_from():
    listed = appendix.encoders(edition.Edition.load("pocket"))
    assert listed.role.tolist() == ["m-bert", "en-bert"]
    assert listed["from"].str.contains("pocket-").all() and (listed != "").all(axis=None)


def test_every_language_of_the_paper_has_a_pinned_treebank_and_no_gap_lacks_a_reason():
    table = appendix.treebanks()
    assert set(table.language) == set(map(languages.name, languages.POS_LANGUAGES))
    assert (table != "").to_numpy().all() and not table.isna().to_numpy().any()
    assert table.set_index("language").release["Czech"] == "r2.0-test, test r2.1"
    for name, columns in {"substitutes": 6, "unstated": 4}.items():
        facts = appendix.facts(name)
        assert facts.shape[1] == columns and np.all(facts != "") and "mini" not in facts


def test_the_longest_of_some_jobs_goes_first_to_what_is_free():
    assert appendix.makespan([2, 3, 2, 3, 2], 2) == 7  # 3 + 2 + 2 beside 3 + 2
    assert appendix.makespan([5, 1, 1], 64) == 5 and appendix.makespan([5, 1, 1], 1) == 7
