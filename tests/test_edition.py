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
MISTAKES = [  # (line of GOOD, what stands there instead, line of the mistake, words said)
    (4, "seeds: 3", 4, "seeds: should be a valid list"),
    (4, "seeds: [1, 1]", 4, "listed twice"),
    (4, "seeds: [a]", 4, "seeds.0: should be a valid integer, not 'a'"),
    (4, "seeds: [true]", 4, "seeds.0: should be a valid integer"),
    (4, "seeds: []", 4, "at least 1"),
    (4, "sedes: [1]", 1, "lacks the key seeds"),
    (4, "seeds: [1]\ntitle: twice", 1, "the key 'title' is given twice"),
    (4, "seeds: [1]\nfoo: 1", 5, "unknown key foo"),
    (4, "seeds: [1]\n7: 1", 1, "keys should be strings"),
    (4, "seeds: [1]\nx: !!python/name:os.system", 5, "could not determine a constructor"),
    (4, "seeds: [1]\n? [a] : b", 5, "unhashable key"),
    (4, "seeds: [1]\nx: \x01", 1, "this is not YAML"),
    (4, "seeds: [1", 5, "this is not YAML"),
    (3, "artificial: maybe", 3, "artificial: should be a valid boolean"),
    (6, "  source: pocket", 5, "give it a source, artificial or published"),
    (6, "  source: artificial\n  root: 5", 7, "unknown key corpora.root"),
    (7, "  world: {sed: 7}", 7, "unknown world parameter 'sed'"),
    (7, "  world: {zipf: -1}", 7, "zipf"),
    (8, "  sizes: {pos: {train: 0}}", 8, "corpora.sizes.pos.train: should be greater"),
    (8, "  sizes: {pos: many}", 8, "corpora.sizes.pos"),
    (9, "pairs: [[en, [de]]]", 9, "pairs.0.1: should be a valid string"),
    (9, "pairs: [[en, xx]]", 9, "unknown language 'xx'"),
    (9, "pairs: enfr", 9, "pairs: should be a valid list"),
    (9, "languages: {ner: [qq]}", 9, "unknown language 'qq'"),
    (9, "languages: {foo: [en]}", 9, "should be 'pos', 'ner' or 'code-switching'"),
    (9, "adjective_groups: {gl: XX}", 9, "should be 'AN' or 'NA'"),
    (9, "adjective_groups: {qq: AN}", 9, "unknown language 'qq'"),
    (9, "cannot_judge: {qq: why}", 9, "unknown claim 'qq': choose from surprisingly-well"),
    (9, "substitutes: {en: x}", 9, "substitutes.en: should be a mapping"),
    (11, "  m-bert: 5", 11, "encoders.m-bert: should be a mapping"),
    (11, "  m-bert: {}", 11, "an encoder is a folder's path, {hub: name"),
    (11, "  m-bert: {package: tiny==1}", 11, "m-bert.package: should be a mapping"),
    (11, "  m-bert: {package: {name: --pre==1}}", 11, "package.name: string should match pattern"),
    (11, "  m-bert: {package: {name: tiny==1}}", 11, "package lacks the key inside"),
    (11, "  m-bert: {hub: x, rev: y}", 11, "unknown key encoders.m-bert.rev"),
    (13, "  learning_rate: .nan", 13, "learning_rate: should be a finite number"),
    (13, "  learning_rate: 1e3", 13, "learning_rate: should be less than 1"),
    (13, "  learning_rate: fast", 13, "learning_rate: should be a valid number"),
    (13, "  batch: 3", 13, "unknown key recipe.batch"),
    (13, "  bf16: 1", 13, "recipe.bf16: should be a valid boolean"),
    (13, "  ner: {epochs: 0}", 13, "recipe.ner.epochs: should be greater"),
    (13, "  ner: 5", 13, "recipe.ner: should be a mapping"),
]


def edition(tmp_path, text=GOOD):
    path = tmp_path / "mine.yml"
    path.write_text(text, encoding="utf-8")
    return Edition.load(path)


@pytest.mark.parametrize(("line", "instead", "found", "words"), MISTAKES)
def test_a_mistake_is_one_sentence_with_file_and_line(tmp_path, line, instead, found, words):
    lines = GOOD.splitlines()
    lines[line - 1] = instead
    with pytest.raises(EditionError) as caught:
        edition(tmp_path, "\n".join(lines))
    said = str(caught.value)
    assert f"mine.yml, line {found}: " in said and words in said
    assert "\n" not in said and said.endswith(".")


@pytest.mark.parametrize("text", ["", "- a", "word"])
def test_a_file_that_is_no_mapping(tmp_path, text):
    with pytest.raises(EditionError, match=r"line 1: this is no mapping; begin with a line like"):
        edition(tmp_path, text)


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
