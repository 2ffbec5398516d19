"""Effects of worlds: what is compared with what, and how it is judged."""

from collections import Counter
from itertools import permutations
from runpy import run_path

import numpy as np
import pandas as pd
import pytest
from crosslingual import results
from crosslingual.chapters import interventions as room
from crosslingual.edition import Edition
from pocketworld import World, WorldParameters

STEPS, SEEDS, CODES = (0, 100, 200), (1, 2, 3), ("en", "ru", "hi")
WORLDS = {room.AS_IT_IS: 0, "apart": -6, "nothing shared": -20, "one order": 12}
WORLDS |= {"apart, one order": 5, "mixed orders": 4, "apart, mixed orders": 1}
WORLDS |= {"one script": 8, "one script, words only": 5, "one script, anchors only": 7}
WORLDS |= {"one layer": -10, "half width": 0.5, "own positions": -1}


def made_up(worlds=WORLDS, slower=(), untrained=80):
    """Zero-shot accuracy is 20, 40 and 60 at the steps, and by seed and world more or less."""
    rows = []
    for world, more in worlds.items():
        for seed in SEEDS:
            for number, step in enumerate(STEPS):
                skill = 80 + 5 * number - 5 * (world in slower) if number else untrained
                across = 20 * (number + 1) + bool(number) * more + 0.1 * seed * (more != 0)
                key = world, seed, step
                rows += [(*key, room.IN_LANGUAGE, c, c, -1, skill) for c in CODES]
                rows += [(*key, room.LOSS, c, c, -1, 9.0 - number) for c in CODES]
                rows += [(*key, room.MAJORITY, c, c, -1, 25.0) for c in CODES]
                for a, b in permutations(CODES, 2):
                    nearer = 30 if {a, b} == {"en", "ru"} else 0
                    rows.append((*key, room.ZERO_SHOT, a, b, -1, across + nearer))
                    rows.append((*key, room.RETRIEVAL, a, b, 1, across / 2))
    columns = ["world", "seed", "step", "measure", "source", "target", "layer", "score"]
    return pd.DataFrame(rows, columns=columns).assign(reason="", note="", origin="recorded")


def test_outcomes_are_of_pairs_of_one_order_and_of_two():
    found = room.outcomes(made_up()).loc[200, room.AS_IT_IS, 1]
    assert found[room.ZERO_SHOT, "one order"] == pytest.approx(90)
    assert found[room.ZERO_SHOT, "two orders"] == pytest.approx(60)
    assert found[room.RETRIEVAL, "one order"] == pytest.approx(30)
    assert found[room.IN_LANGUAGE, ""] == 90


def test_an_effect_is_within_a_seed_and_at_the_last_step():
    found = room.effects(made_up())[room.ZERO_SHOT, "two orders"]
    np.testing.assert_allclose(found["apart"], [-5.9, -5.8, -5.7])
    assert (found[room.AS_IT_IS] == 0).all()


@pytest.mark.parametrize(("equal", "expected"), [(room.IN_LANGUAGE, 14.1), (room.LOSS, -5.9)])
def test_at_equal_skill_the_world_as_it_is_is_taken_at_an_earlier_step(equal, expected):
    """Apart ends where the world as it is stood at step 100: at 40, not at 60."""
    found = room.effects(made_up(slower=["apart"]), equal)[room.ZERO_SHOT, "two orders"]
    assert found["apart"].iloc[0] == pytest.approx(expected)


def test_an_untrained_encoder_is_no_earlier_step_of_equal_skill():
    """It tags its own language at 87, better than at step 100 (85), where apart ends."""
    found = room.effects(made_up(slower=["apart"], untrained=87), room.IN_LANGUAGE)
    assert found[room.ZERO_SHOT, "two orders"]["apart"].iloc[0] == pytest.approx(14.1)


def test_what_knows_less_than_the_world_as_it_is_ever_did_has_no_equal():
    found = room.effects(made_up(slower=["apart"], untrained=86), room.IN_LANGUAGE)
    assert found[room.ZERO_SHOT, "two orders"].notna().all()
    frame = made_up(untrained=86)
    frame.loc[(frame.world == "apart") & (frame.measure == room.IN_LANGUAGE), "score"] = 70
    found = room.effects(frame, room.IN_LANGUAGE)[room.ZERO_SHOT, "two orders"]
    assert found["apart"].isna().all() and found.drop("apart").notna().all()
    assert np.isnan(room.estimate(found["apart"]).value)
    assert "apart" not in room.sure(room.effects(frame, room.IN_LANGUAGE))


def test_an_effect_is_found_where_both_groups_or_both_measures_agree():
    frame = made_up({room.AS_IT_IS: 0, "apart": -6, "one order": 12, "half width": 0})
    of_one = frame.measure.isin([room.RETRIEVAL]) | (frame.source + frame.target).isin(
        ["enru", "ruen"]
    )
    alone = (frame.world == "one order") & of_one & (frame.step == 200)
    frame.loc[alone, "score"] = frame[
        (frame.world == room.AS_IT_IS) & of_one & (frame.step == 200)
    ].score.to_numpy()
    assert room.sure(room.effects(frame).drop(room.AS_IT_IS)) == {"apart": "lowers"}


@pytest.mark.parametrize(("values", "expected"), [
    ([-5, -5.5, -6], "lowers"), ([5, 5.5, 6], "raises"), ([0.1, -0.1, 0.2], "no difference"),
    ([9, -9, 3], "undecided"),
])  # fmt: skip
def test_verdicts(values, expected):
    assert room.verdict(room.estimate(values)) == expected


@pytest.mark.parametrize(("more", "expected"), [(-6, "supported"), (3, "contradicted")])
def test_the_guess_is_judged_by_its_rule(more, expected):
    assert room.reading(made_up(WORLDS | {"apart": more}))["guess"] == expected


def test_the_reading_says_what_was_put_in():
    told = room.reading(made_up())
    assert told["seeds"] == "3" and told["majority"] == "25.0"
    assert told["level_two"].startswith("60.0") and told["bare_two"].startswith("40.2")
    starts = {
        "lost_two": "−5.8",
        "carried_two": "14.5",
        "rival_two": "+6.4",
        "with_one_two": "−1.2",
        "with_mixed_two": "+2.8",
        "words_two": "+1.0",
        "anchors_two": "+3.0",
    }
    assert {key: told[key].split(" ")[0] for key in starts} == starts
    both, _, neither = told["beside"].split("; ")
    assert "“one layer” lowers" in both and "“one order” raises" in both
    assert neither == "in neither: “apart” no difference (within 2 points)."
    assert told["carry"].startswith("at most") and told["below"] == "all 4"


def test_what_was_not_trained_is_not_available():
    told = room.reading(
        made_up({w: WORLDS[w] for w in (room.AS_IT_IS, "apart", "one order", "nothing shared")})
    )
    assert (
        told["rival_two"].startswith("+6.")
        and told["with_one_two"] == told["width_one"] == "not available"
    )
    assert "half width" not in told["beside"]


def test_figure_and_table_show_every_world():
    edition = Edition.load("pocket")
    frame = made_up()
    drawn = room.effect_figure(frame, edition)
    labels = [tick.get_text() for tick in drawn.drawing.axes[0].get_yticklabels()]
    assert set(labels) == set(WORLDS) - {room.AS_IT_IS} and labels[0] == "nothing shared"
    rows = room.effect_table(frame, edition).rows
    assert {row[0].strip("*").replace("\n", " ") for row in rows} == set(WORLDS) and "60.0" in rows[
        0
    ][2]


def test_without_a_record_nothing_is_said():
    edition, nothing = Edition.load("pocket"), made_up()[:0]
    assert room.effect_table(nothing, edition).rows[0][0] == "not available"
    assert room.effect_figure(nothing, edition).__class__.__name__
    assert set(room.reading(nothing).values()) == {"not available"}
    assert room.reading(nothing).keys() == room.reading(made_up()).keys()  # all that pages ask for


def test_what_is_recorded_is_of_the_text_that_its_script_makes():
    """The share of a language's most frequent tag is that of the sentences that are made anew."""
    folder = results.recorded("pocket")
    made = run_path(str(folder / "made_by/prepare.py"))
    frame = pd.read_parquet(folder / "interventions.parquet")
    world = World(WorldParameters(seed=31))
    _, tagged, _ = made["plan"](world, 31, 1)
    kept = frame[frame.measure == room.MAJORITY].groupby("source").score.first()
    assert set(kept.index) == set(made["LANGUAGES"])
    for code, share in kept.items():
        said = [token for each in tagged["test", code] for token in made["say"](world, code, *each)]
        own = Counter(token.upos for token in said if made["KINDS"].get(token.language, 2) == 2)
        assert 100 * max(own.values()) / own.total() == pytest.approx(share)
