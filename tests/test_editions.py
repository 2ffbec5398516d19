"""Edition files: what they answer, and the one sentence that each mistake gets."""

import os
import pickle
from pathlib import Path

import pytest
from crosslingual import corpora, editions, grids, languages
from crosslingual.corpora import CorpusUnavailable
from crosslingual.corpora.text import labelled_corpus
from crosslingual.editions import Edition, EditionError
from crosslingual.encoders import EncoderUnavailable

TREEBANK = "1\tword\t_\tNOUN" + "\t_" * 6 + "\n"
SMALL = """\
title: a small edition
seeds: [1, 2]
corpora:
  source: folder
  root: {root}
  sizes:
    pos: {{train: 5}}
languages:
  pos: [en, de]
pairs: [[en, de]]
encoders:
  m-bert: ./weights
  hub: google-bert/bert-base-cased
  tiny:
    pretrain: {{steps: 3}}
recipe:
  learning_rate: 1.0e-3
  ner: {{epochs: 5}}
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Path of a valid edition whose data folder has one English treebank file."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "ud" / "en").mkdir(parents=True)
    (tmp_path / "ud" / "en" / "test.conllu").write_text(TREEBANK)
    path = tmp_path / "small.yml"
    path.write_text(SMALL.format(root=tmp_path))
    return path


def test_each_task_may_have_seeds_of_its_own(small):
    small.write_text(small.read_text().replace("seeds: [1, 2]", "seeds: {pos: [1], ner: [2, 3], code-switching: [4]}"))
    edition = Edition.load(small)
    assert [edition.seeds(task) for task in ("pos", "ner", "code-switching")] == [[1], [2, 3], [4]]
    assert grids.rows(edition, "ner", "m-bert")[0] == (["en", "de", "es"], [2, 3])


def test_a_chapter_shows_as_many_seeds_as_it_asks_for_and_at_least_one(small):
    edition = Edition.load(small)
    assert [edition.seeds("ner", most) for most in (1, 2, 3, None)] == [[1], [1, 2], [1, 2], [1, 2]]
    for most in (0, -1):
        with pytest.raises(EditionError, match=f"seeds={most}: a chapter shows at least one of the edition's seeds"):
            edition.seeds("ner", most)


def test_an_edition_answers_what_its_file_says(small):
    edition = Edition.load(small)
    assert (edition.name, edition.title, edition.artificial) == ("small", "a small edition", False)
    assert (
        edition.seeds("pos") == [1, 2]
        and edition.pairs == [("en", "de")]
        and edition.encoders == ["m-bert", "hub", "tiny"]
    )
    assert edition.languages("pos") == edition.evaluation_languages("pos") == ["en", "de"]
    assert edition.languages("ner") == languages.NER16_LANGUAGES  # not restricted by the file
    assert edition.languages("code-switching") == ["hi+en", "corrected", "transliterated"]
    assert edition.evaluation_languages("code-switching") == ["corrected", "transliterated"]
    assert edition.corpus("pos", "en", "test")[0] == {"tokens": ["word"], "labels": ["NOUN"]}


def test_recipe_is_appendix_a_but_for_what_the_edition_sets(small):
    edition = Edition.load(small)
    assert edition.recipe("pos").learning_rate == edition.recipe("ner").learning_rate == 1e-3
    assert (edition.recipe("pos").epochs, edition.recipe("ner").epochs) == (3, 5)
    assert edition.recipe("pos").batch_size == 32


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        ("seeds:", "seedz:", 2, "unknown key 'seedz'"),
        ("title: a small edition\n", "", 1, "key title is missing"),
        ("seeds: [1, 2]", "seeds: [1, two]", 2, "a seed is an integer of 0 or more, not 'two'"),
        ("seeds: [1, 2]", "seeds: [1, -2]", 2, "a seed is an integer of 0 or more, not -2"),
        ("seeds: [1, 2]", "seeds: [1, 1]", 2, "a seed is listed twice"),
        ("seeds: [1, 2]", "seeds: 1", 2, "seeds is a list of integers, or one a task, not 1"),
        ("source: folder", "source: internet", 4, "unknown source 'internet': choose from pocket, folder, released"),
        ("  root:", "  rot: x\n  root:", 5, "unknown key 'rot'"),
        ("train: 5", "train: many", 7, "'many' is no number of sentences"),
        ("train: 5", "training: 5", 7, "unknown split 'training'"),
        ("    pos: {train", "    parsing: {train", 7, "unknown task 'parsing'"),
        ("  pos: [en, de]", "  pos: [en, xx]", 9, "unknown pos language 'xx'"),
        ("  pos: [en, de]", "  pos: [en, bn]", 9, "unknown pos language 'bn'"),
        ("  pos: [en, de]", "  tagging: [en]", 9, "unknown task 'tagging'"),
        ("[[en, de]]", "[[en, klingon]]", 10, "unknown language 'klingon'"),
        ("[[en, de]]", "[[en, de, nl]]", 10, "a pair is two languages"),
        ("m-bert: ./weights", "m-bert: {path: ./weights}", 12, "encoder m-bert is a path"),
        (
            "learning_rate",
            "leaning_rate",
            17,
            "unknown hyper-parameter 'leaning_rate': choose from batch_size",
        ),
        ("1.0e-3", "3e-5", 17, "learning_rate is a number, not '3e-5'"),
        ("epochs: 5", "epochs: 2.5", 18, "epochs is an integer, not 2.5"),
        ("epochs: 5", "epochs: 0", 16, "must be positive"),
        ("recipe:", "digests: nowhere.yml\nrecipe:", 16, "there is no file nowhere.yml"),
        ("recipe:", "adjective_groups: {gl: AN, xx: NA}\nrecipe:", 16, "unknown language 'xx': choose from ar"),
        ("recipe:", "adjective_groups: {gl: N-A}\nrecipe:", 16, "the group of gl is AN, NA or null, not 'N-A'"),
        ("pairs:", "beside: [pokket]\npairs:", 10, "there is no other edition 'pokket' to show: choose from"),
        ("seeds: [1, 2]", "seeds: {pos: [1]}", 2, "seeds by task need just these tasks: pos, ner, code-switching"),
        ("seeds: [1, 2]", "seeds: {pos: [1], ner: [], code-switching: [2]}", 2, "seeds are a list like"),
        ("seeds: [1, 2]", "seeds: {pos: [1], ner: [3, 3], code-switching: [2]}", 2, "a seed is listed twice"),
        ("seeds: [1, 2]", "seeds: [1, 2", 3, "this is not YAML"),
        ("pairs:", "seeds: [3]\npairs:", 2, "'seeds' is given twice"),
    ],
)
def test_mistakes_name_file_and_line(small, old, new, line, words):
    text = small.read_text()
    assert old in text
    small.write_text(text.replace(old, new, 1))
    with pytest.raises(EditionError) as problem:
        Edition.load(small)
    sentence = str(problem.value)
    assert sentence.startswith(f"{small}, line {line}: ") and words in sentence and "\n" not in sentence


def test_a_missing_edition_lists_the_ones_there_are(small):
    with pytest.raises(EditionError, match="no edition 'pokket'.*pocket, smoke"):
        Edition.load("pokket")
    with pytest.raises(EditionError, match="nowhere.yml"):
        Edition.load(small.parent / "nowhere.yml")


def test_questions_without_an_answer_are_refused(small):
    edition = Edition.load(small)
    with pytest.raises(EditionError, match="no pos corpus 'nl': choose from en de"):
        edition.corpus("pos", "nl", "test")
    with pytest.raises(EditionError, match="unknown split 'testa'"):
        edition.corpus("pos", "en", "testa")
    with pytest.raises(EditionError, match="unknown task 'parsing'"):
        edition.languages("parsing")
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        edition.parallel("en", "xx")


def test_digest_is_of_content_and_outlives_its_cache(small, tmp_path):
    edition = Edition.load(small)
    digest = edition.corpus_digest("pos", "en", "test")
    assert digest == corpora.digest(labelled_corpus([["word"]], [["NOUN"]]))
    (kept,) = (tmp_path / "cache" / "digests").iterdir()
    assert kept.read_text() == digest
    kept.write_text("half a dig")  # a damaged entry is computed again
    assert Edition.load(small).corpus_digest("pos", "en", "test") == digest == kept.read_text()
    (tmp_path / "ud" / "en" / "test.conllu").write_text(TREEBANK.replace("word", "other"))
    assert Edition.load(small).corpus_digest("pos", "en", "test") != digest


def test_a_cached_digest_is_used_without_reading_the_corpus(small, monkeypatch):
    digest = Edition.load(small).corpus_digest("pos", "en", "test")
    monkeypatch.setattr(corpora, "digest", lambda corpus: pytest.fail("computed again"))
    assert Edition.load(small).corpus_digest("pos", "en", "test") == digest


def test_a_pinned_digest_stands_in_for_an_absent_corpus_only(small):
    (small.parent / "pins.yml").write_text(f"pos/de/test: {'d' * 32}\npos/en/test: {'e' * 32}\n")
    small.write_text(small.read_text() + "digests: pins.yml\n")
    edition = Edition.load(small)
    assert edition.corpus_digest("pos", "de", "test") == "d" * 32
    assert edition.corpus_digest("pos", "en", "test") == corpora.digest(edition.corpus("pos", "en", "test"))
    with pytest.raises(CorpusUnavailable):
        edition.corpus_digest("pos", "de", "train")


def test_digests_to_pin_are_those_of_the_corpora_at_hand(small):
    edition = Edition.load(small)
    assert editions.digests(edition) == {"pos/en/test": edition.corpus_digest("pos", "en", "test")}


def test_a_missing_encoder_names_file_and_line(small):
    edition = Edition.load(small)
    with pytest.raises(EncoderUnavailable, match="small.yml, line 12: the encoder 'm-bert' is missing.*weights"):
        edition.encoder("m-bert")
    with pytest.raises(
        EditionError, match="small.yml, line 11: there is no encoder 'xlm'.*m-bert, hub, tiny"
    ):
        edition.encoder("xlm")


def test_encoder_paths_are_relative_to_the_edition_and_hub_names_are_not(small):
    edition = Edition.load(small)
    (small.parent / "weights").mkdir()
    assert Path(edition.encoder("m-bert").path) == small.parent / "weights"
    assert edition.encoder("hub").path == "google-bert/bert-base-cased"


def test_an_edition_travels_to_a_worker_process_without_its_corpora(small):
    edition = Edition.load(small)
    edition.corpus("pos", "en", "test")
    sent = pickle.dumps(edition)
    assert len(sent) < 1000 and pickle.loads(sent).languages("pos") == ["en", "de"]


@pytest.mark.parametrize("name", ["pocket", "smoke", "mini"])
def test_the_shipped_editions_load_and_fill_every_table(name):
    edition = Edition.load(name)
    assert set("en de es it hi ur bg ja".split()) <= set(edition.languages("pos"))  # Tables 2, 4, 5, 8
    assert set(languages.CONLL_LANGUAGES) <= set(edition.languages("ner"))  # Tables 1, 3, 7
    assert {"m-bert", "en-bert"} <= set(edition.encoders)
    assert edition.pairs == [("en", "de"), ("en", "ru"), ("hi", "ur")]  # Figure 3
    assert edition.artificial == (name != "mini")


@pytest.mark.skipif(
    "CROSSLINGUAL_DATA" not in os.environ, reason="CROSSLINGUAL_DATA is not set: no real corpora"
)
def test_the_real_edition_pins_its_corpora(monkeypatch):
    keys = [("pos", "de", "test"), ("ner", "nl", "test"), ("ner", "ar", "train")]
    found = [Edition.load("mini").corpus_digest(*key) for key in keys]
    monkeypatch.delenv("CROSSLINGUAL_DATA")
    assert [Edition.load("mini").corpus_digest(*key) for key in keys] == found


def test_editions_beside_are_read_and_never_made(small):
    small.write_text(small.read_text() + "beside: [smoke]\n")
    [smoke] = Edition.load(small).companions
    assert smoke.name == "smoke" and smoke.languages("ner") == ["en", "de", "nl", "es", "hi", "ja"]
    with pytest.raises(CorpusUnavailable, match="not recorded with the edition smoke"):
        smoke.corpus("pos", "en", "train")
    assert pickle.loads(pickle.dumps(smoke)).kept


def test_digests_stand_in_for_parallel_text_and_encoders_too(small):
    (small.parent / "pins.yml").write_text("parallel/en-de: d1\nencoders/m-bert: d2\n")
    with pytest.raises(CorpusUnavailable):
        Edition.load(small).parallel_digest("en", "de")
    small.write_text(small.read_text() + "digests: pins.yml\n")
    edition = Edition.load(small)
    assert (edition.parallel_digest("en", "de"), edition.encoder_digest("m-bert")) == ("d1", "d2")
