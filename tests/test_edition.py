"""An edition is a checked document: each mistake is one sentence that names file and line."""

import pickle
import subprocess
import sys

import pytest
from crosslingual.corpora import CorpusUnavailable
from crosslingual.edition import Edition, EditionError

GOOD = """\
title: good
about: For a test.
artificial: true
seeds: [4, 2]
corpora:
  source: artificial
  world: {seed: 7}
  sizes: {pos: {train: 4, dev: 2, test: 3}}
pairs: [[en, de]]
encoders:
  m-bert: ./here
recipe:
  learning_rate: 3e-5
"""


def edition(tmp_path, text=GOOD):
    path = tmp_path / "mine.yml"
    path.write_text(text, encoding="utf-8")
    return Edition.load(path)


def test_missing_files_and_names():
    with pytest.raises(EditionError, match="choose from paper, pocket"):
        Edition.load("pokcet")
    with pytest.raises(EditionError, match="see whether the path is right"):
        Edition.load("nowhere/mine.yml")


def test_numbers_as_people_write_them(tmp_path):
    assert edition(tmp_path).recipe("pos").learning_rate == 3e-5


def test_a_recipe_for_one_task_lies_over_that_for_all(tmp_path):
    mine = edition(tmp_path, GOOD + "  ner: {epochs: 7}\n")
    assert (mine.recipe("ner").epochs, mine.recipe("pos").epochs) == (7, 3)
    assert mine.recipe("ner").learning_rate == mine.recipe("pos").learning_rate == 3e-5
    assert mine.recipe("ner", epochs=1).epochs == 1


def test_seeds_are_as_many_as_asked_for(tmp_path):
    mine = edition(tmp_path)
    assert mine.seeds() == [4, 2] and mine.seeds(1) == [4]
    assert mine.seeds(5) == [4, 2, 1, 3, 5]  # its own, then the numbers that it leaves out
    with pytest.raises(EditionError, match="seeds=0"):
        mine.seeds(0)


def test_no_language_is_not_all_languages(tmp_path):
    none = edition(tmp_path, GOOD + "languages: {ner: []}\n")
    assert none.languages("ner") == [] and len(none.languages("pos")) == 41
    with pytest.raises(CorpusUnavailable, match="no ner corpus 'en': choose from none"):
        none.corpus("ner", "en", "train")


def test_paths_start_from_the_editions_file(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    mine = edition(tmp_path)
    assert mine.encoder("m-bert").path == str(tmp_path / "here")
    missing = edition(tmp_path, GOOD.replace("./here", "./gone"))
    with pytest.raises(ValueError, match=r"mine.yml, line 11: the encoder 'm-bert' is missing"):
        missing.encoder("m-bert")


def test_an_edition_travels_to_worker_processes_as_its_file(tmp_path):
    mine = pickle.loads(pickle.dumps(edition(tmp_path)))
    assert mine.title == "good" and len(mine.corpus("pos", "en", "test")) == 3


def test_showing_results_loads_no_torch():
    code = """
import sys
from crosslingual import experiments
from crosslingual.edition import Edition
experiments.scores(Edition.load("pocket"), "code-switching")
sys.exit("torch" in sys.modules or "transformers" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
