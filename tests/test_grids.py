"""Which models the book rests on: each once, as many seeds as its tables need."""

import pandas as pd
import pytest
from crosslingual import grids, languages
from crosslingual.editions import Edition, NotInEdition
from fabricated import matrix


@pytest.fixture(scope="module")
def edition():
    return Edition.load("smoke")


def test_every_corpus_is_fine_tuned_on_once_and_printed_rows_with_all_seeds(edition):
    for task, encoders in grids.TASKS.items():
        for encoder in encoders:
            rows = grids.rows(edition, task, encoder)
            trained = [code for codes, _ in rows for code in codes]
            assert sorted(trained) == sorted(edition.languages(task))
            seeds = {code: seeds for codes, seeds in rows for code in codes}
            for code in set(grids.PRINTED[task, encoder]) & set(trained):
                assert seeds[code] == edition.seeds(task)


def test_an_encoder_that_no_table_prints_needs_one_seed(edition):
    assert grids.rows(edition, "pos", "xlm-r") == [(edition.languages("pos"), edition.seeds("pos")[:1])]


def test_figure_1_has_the_papers_languages_only(edition):
    codes = grids.figure_1_languages(edition)
    assert "nl" not in codes and set(codes) <= set(languages.NER16_LANGUAGES) and "en" in codes


def test_joined_frames_keep_what_each_says_of_itself():
    frames = [matrix(lambda a, b: 0.5, ["en", "de"], encoder=encoder) for encoder in grids.ENCODERS]
    frames[1].attrs["unavailable"] = {"it": "buy it"}
    whole = grids.join(frames)
    assert len(whole) == sum(map(len, frames)) and whole.attrs["unavailable"] == {"it": "buy it"}
    assert all(frame.attrs["signature"] in whole.attrs["signature"] for frame in frames)


def test_pairs_and_languages_are_told_apart():
    means = grids.means(matrix(lambda a, b: 0.9 if a == b else 0.5, ["en", "de", "it"]))
    own, pairs = grids.in_language(means), grids.zero_shot(means)
    assert list(own.index) == ["en", "de", "it"] and own.min() > pairs.max() and len(pairs) == 6
    assert len(own) + len(pairs) == len(means)


def test_ranges_are_over_seeds():
    frame = pd.DataFrame({"train": "en", "evaluate": "de", "seed": [1, 2, 3], "score": [50.0, 53.0, 51.0]})
    assert grids.seed_ranges(frame).to_dict() == {("en", "de"): 3.0}
    assert grids.seed_ranges(frame[:1]).isna().all()  # one run says nothing of how runs differ


def test_a_language_of_the_paper_that_the_edition_lacks_is_a_gap_and_another_a_mistake(edition):
    with pytest.raises(NotInEdition, match="no pos corpus 'fi'"):
        edition.corpus_digest("pos", "fi", "train")
    with pytest.raises(ValueError, match="no pos corpus 'xx'") as problem:
        edition.corpus_digest("pos", "xx", "train")
    assert not isinstance(problem.value, LookupError | NotInEdition)
