"""An edition is a checked document: each mistake is one sentence that names file and line."""

import pickle
import subprocess
import sys

import pytest
from crosslingual import languages
from crosslingual.corpora import CorpusUnavailable
from crosslingual.edition import Edition, EditionError
from test_refusals import GOOD, load


def test_a_recipe_for_one_task_lies_over_that_for_all(tmp_path):
    mine = load(tmp_path, GOOD + "  ner: {epochs: 7}\n")
    assert (mine.recipe("ner").epochs, mine.recipe("pos").epochs) == (7, 3)
    assert mine.recipe("ner").learning_rate == mine.recipe("pos").learning_rate == 3e-5
    assert mine.recipe("ner", epochs=1).epochs == 1


def test_seeds_are_as_many_as_asked_for(tmp_path):
    mine = load(tmp_path)
    assert mine.seeds() == [4, 2] and mine.seeds(1) == [4]
    assert mine.seeds(5) == [4, 2, 1, 3, 5]  # its own, then the numbers that it leaves out
    with pytest.raises(EditionError, match="seeds=0"):
        mine.seeds(0)


def test_a_file_that_bears_the_name_of_an_edition_of_the_book_is_refused(tmp_path):
    load(tmp_path).path.rename(tmp_path / "real.yml")
    with pytest.raises(EditionError, match="real.yml has the name of an edition of the book"):
        Edition.load(tmp_path / "real.yml")


def test_no_language_is_not_all_languages(tmp_path):
    none = load(tmp_path, GOOD + "languages: {ner: []}\n")
    assert none.languages("ner") == [] and len(none.languages("pos")) == 41
    assert none.evaluation_languages("code-switching") == ["corrected", "transliterated"]
    with pytest.raises(CorpusUnavailable, match="no ner corpus 'en': choose from none"):
        none.corpus("ner", "en", "train")


NEW = """\
new_languages:
  sw: {name: Swahili, script: Latn, family: Bantu, order: SVO, features: {87A: Noun-Adjective}}
"""


@pytest.fixture
def forgotten():
    """What is declared here is not known to other tests."""
    yield
    for each in (languages.facts, languages.word_order, languages.attested):
        each.cache_clear()


def test_a_language_that_the_book_does_not_know_is_declared(tmp_path, forgotten):
    text = GOOD + NEW + "further_pairs: [[sw, en]]\n"
    for _ in range(2):  # again is no contradiction
        assert load(tmp_path, text).adjective_group("sw") == "NA"
    assert languages.name("sw") == "Swahili" and languages.order_group("sw") == "SVO"
    assert languages.common_features("sw", "es") == 1 and languages.likeness("sw", "en") == 0
    assert "sw" not in languages.POS_LANGUAGES  # which are the paper's
    with pytest.raises(EditionError, match="line 14: .*'sw' stands for Swahili already"):
        load(tmp_path, text.replace("SVO", "SOV"))


@pytest.mark.parametrize("languages, asked, shown", [
    ("en, de, fi, sw", ["en", "de", "es"], ["en", "de", "sw"]),  # Spanish is left out, Swahili new
    ("en, fi", ["es", "en", "de"], ["en", "fi"]), ("fi, et", ["en", "de"], ["fi", "et"]),
    ("en, fi", ["en", "qq"], ["en", "qq"]), ("en, fi", ["en"], ["en"]), ("", ["en", "de"], []),
])  # fmt: skip
def test_tables_show_the_languages_that_the_edition_has(
    tmp_path, forgotten, languages, asked, shown
):
    real = "{source: published, root: ., files: {pos: {sw: {test: sw.conllu}}}}"
    text = GOOD.replace("artificial: true\n", "").split("corpora:")[0]
    text += f"corpora: {real}\nencoders: {{m-bert: ./tiny}}\nlanguages: {{pos: [{languages}]}}\n"
    assert load(tmp_path, text + NEW).shown("pos", asked) == shown


@pytest.mark.parametrize("right, wrong, told", [
    ("sw:", "en:", "'en' stands for English already: choose another code"),
    ("Noun-Adjective", "after", "sw.s 87A of WALS is Adjective-Noun, Noun-Adjective: choose"),
    ("87A", "87", "new_languages.sw.features.*should be '81A'"),
    ("Latn", "Latin", "new_languages.sw.script"), ("family: Bantu, ", "", "lacks the key family"),
])  # fmt: skip
def test_a_declaration_that_does_not_fit_is_refused(tmp_path, forgotten, right, wrong, told):
    with pytest.raises(EditionError, match=f"mine.yml, line 1[45]: .*{told}"):
        load(tmp_path, GOOD + NEW.replace(right, wrong))


def test_paths_start_from_the_editions_file(tmp_path, monkeypatch):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    mine = load(tmp_path)
    assert mine.encoder("m-bert").path == str(tmp_path / "tiny")
    missing = load(tmp_path, GOOD.replace("./tiny", "./gone"))
    with pytest.raises(ValueError, match=r"mine.yml, line 11: the encoder 'm-bert' is missing"):
        missing.encoder("m-bert")


def test_an_edition_travels_to_worker_processes_as_its_file(tmp_path):
    mine = pickle.loads(pickle.dumps(load(tmp_path)))
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
