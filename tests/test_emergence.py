"""The curve of a pre-training: which copies are probed, what is kept, what is read back."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from fabricated import ARTIFICIAL
from test_record import TINY, tiny  # noqa: F401 - a fixture

from crosslingual import emergence, figures, tables
from crosslingual.editions import Edition
from crosslingual.store import Store

SMALL = emergence.Settings(train=("en",), evaluate=("en", "hi"), sentences=8, test_sentences=4, candidates=6)


def made_up(*rows: tuple) -> pd.DataFrame:
    columns = ["step", "measure", "source", "target", "layer", "score"]
    return pd.DataFrame(rows, columns=columns).assign(low=0.0, high=100.0)


CURVE = made_up(*[(step, measure, "en", target, layer, score)
                  for step, scores in [(0, (80, 20, 5, 9)), (100, (90, 30, 10, 8)), (1000, (95, 60, 50, 20))]
                  for (measure, target, layer), score in zip(
                      [(emergence.IN_LANGUAGE, "en", -1), (emergence.ZERO_SHOT, "de", -1),
                       (emergence.RETRIEVAL, "de", 0), (emergence.RETRIEVAL, "de", 1)], scores, strict=True)])
LOG = pd.DataFrame({"step": [50, 100, 1000], "loss": [9.0, 8.0, 3.0], "tokens": [1e6, 2e6, 2e7]})


@pytest.fixture
def snapshots(tiny: Path) -> Path:  # noqa: F811
    """Two copies of the tiny edition's encoder, as though put aside while it was pre-trained."""
    folder = tiny.parent / "run"
    for step in (100, 20):
        shutil.copytree(Edition.load(tiny).encoder("m-bert").path, folder / f"step-{step}")
    return folder


def test_every_copy_is_probed_once_in_order_and_read_back(tiny: Path, snapshots: Path) -> None:  # noqa: F811
    edition, store, told = Edition.load(tiny), Store(tiny.parent / "own"), []
    (Path(edition.encoder("m-bert").path) / "training.jsonl").unlink()  # its run took one step; the copies say more
    found = emergence.compute(edition, "m-bert", snapshots, store, SMALL, told.append)
    assert list(dict.fromkeys(found.step)) == [0, 20, 100, 101] and len(told) == 4
    assert len(store.records(emergence.PROBE)) == 2  # an untrained one, and one that all others are copies of
    tagged = found[(found.step == 0) & (found.layer < 0)]
    assert list(zip(tagged.measure, tagged.target, strict=True)) == [(emergence.IN_LANGUAGE, "en"), (emergence.ZERO_SHOT, "hi")]
    assert list(found[(found.step == 0) & (found.layer >= 0)].layer) == [0, 1]
    assert ((found.low <= found.score) & (found.score <= found.high)).all()
    pd.testing.assert_frame_equal(emergence.curve(edition, "m-bert", store, SMALL), found)
    assert emergence.curve(edition, "m-bert", store).empty  # other settings, another curve


def test_an_untrained_encoder_is_reproducible_and_not_the_finished_one(tiny: Path) -> None:  # noqa: F811
    finished = Edition.load(tiny).encoder("m-bert")
    made = [emergence.untrained(finished, tiny.parent / name, seed) for name, seed in [("a", 0), ("b", 0), ("c", 1)]]
    assert made[0].digest == made[1].digest and len({made[0].digest, made[2].digest, finished.digest}) == 3
    assert made[0].tokenizer.get_vocab() == finished.tokenizer.get_vocab()


def test_a_folder_without_copies_or_of_another_encoder_is_refused(tiny: Path, snapshots: Path) -> None:  # noqa: F811
    with pytest.raises(emergence.EmergenceError, match="holds no snapshots .step-N.: name some under `snapshots`"):
        emergence.compute(Edition.load(tiny), "m-bert", tiny.parent, settings=SMALL)
    finished = Edition.load(tiny).encoder("m-bert")
    path = snapshots / "step-20" / "tokenizer.json"
    path.write_text(path.read_text().replace('"[MASK]"', '"[HIDE]"'))
    with pytest.raises(emergence.EmergenceError, match="another encoder.*vocabularies differ"):
        emergence._snapshots(snapshots, finished)


def test_an_edition_without_pins_or_records_has_no_curve(tiny: Path) -> None:  # noqa: F811
    assert emergence.curve(Edition.load(tiny, kept=True), "m-bert").empty
    assert emergence.of_the_book(Edition.load(tiny)) == {}


def test_retrieval_counts_at_its_best_layer() -> None:
    means = emergence.means(CURVE)
    assert list(means.index) == [0, 100, 1000] and list(means[emergence.RETRIEVAL]) == [9, 10, 50]


def test_half_of_the_way_by_hand() -> None:
    assert emergence.steps_to(CURVE, emergence.ZERO_SHOT) == 1000  # 20 to 60: 30 is a quarter of the way
    assert emergence.steps_to(CURVE, emergence.ZERO_SHOT, 0.25) == 100
    assert emergence.halfway(CURVE, emergence.IN_LANGUAGE, "pocket") == "pocket 100"
    assert emergence.halfway(CURVE[:0], emergence.IN_LANGUAGE, "mini") == "mini not recorded"


def test_which_comes_first_and_what_is_too_little_to_tell() -> None:
    assert emergence.order(CURVE, "pocket") == "pocket, across languages later than within them"
    still = CURVE.assign(score=CURVE.score.where(CURVE.measure != emergence.RETRIEVAL, 9 + CURVE.step / 1000))
    assert "no more than 2 points" in emergence.halfway(still, emergence.RETRIEVAL, "mini")
    assert emergence.order(CURVE[CURVE.measure == emergence.ZERO_SHOT], "mini") == "mini, not known"


def test_steps_at_which_pre_training_was_taken_up_again() -> None:
    edition = Edition.load("smoke")
    assert emergence.extended(edition, "m-bert") == []
    edition.document["encoders"]["m-bert"]["pretrain"]["recipe"]["extended"] = [2, 3]
    assert emergence.extended(edition, "m-bert") == [2, 3]


def test_figures_and_table_say_where_the_curve_begins_and_ends() -> None:
    drawn = figures.emergence_curve(CURVE, LOG, "m-bert", ARTIFICIAL)
    assert "zero-shot tagging 20.0 to 60.0" in drawn.caption and len(drawn.png) < 100_000
    by_pair = figures.emergence_by_pair(CURVE, "m-bert", ARTIFICIAL)
    assert "EN to DE (+40.0 points)" in by_pair.caption
    rows = tables.emergence(CURVE, LOG, "m-bert", ARTIFICIAL).rows
    assert rows[0] == ["0", "0", "80.0", "20.0", "9.0"] and rows[-1][:2] == ["1,000", "20.0"]


def test_without_a_curve_figure_and_table_are_numbered_all_the_same() -> None:
    assert "Not available" in figures.emergence_curve(CURVE[:0], LOG[:0], "m-bert", ARTIFICIAL).caption
    assert "Not available" in figures.emergence_by_pair(CURVE[:0], "m-bert", ARTIFICIAL).caption
    assert tables.emergence(CURVE[:0], LOG[:0], "m-bert", ARTIFICIAL).rows == []
