"""Measures of a world: hand-worked corpora, and worlds whose parameters say what must come out."""

import pytest
from datasets import Dataset

from crosslingual.corpora.text import labelled_corpus
from crosslingual.editions import Edition
from crosslingual.pocket import World, WorldParameters, profile

TRAIN = labelled_corpus([["the", "saw", "saw"], ["a", "saw", "cuts"]], [["DET", "NOUN", "VERB"]] * 2)
TEST = labelled_corpus([["the", "saw", "sings"], ["it", "cuts"]], [["DET", "VERB", "VERB"], ["PRON", "VERB"]])
WORLD = """\
title: small
artificial: true
seeds: [1]
encoders: {m-bert: nowhere}
corpora:
  source: pocket
  sizes: {pos: {train: 60, dev: 5, test: 30}, ner: {train: 80, dev: 5, test: 5}}
"""


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    path = tmp_path_factory.mktemp("edition") / "small.yml"
    path.write_text(WORLD)
    return Edition.load(path)


def test_homographs_are_counted_by_token():
    assert profile.homographs(TRAIN) == 50  # three of six tokens are the "saw" with two tags
    assert profile.homographs(TEST) == 0
    assert profile.homographs(labelled_corpus([], [])) == 0


def test_unseen_words_and_look_up():
    assert profile.unseen_words(TRAIN, TEST) == pytest.approx(40)  # "sings" and "it"
    assert profile.unseen_words(TEST, TEST) == 0
    assert profile.look_up_accuracy(TRAIN, TEST) == 40  # "the" and "cuts"; "saw" is mostly a noun
    assert profile.look_up_accuracy(TRAIN, TEST, "majority class") == 20  # DET, first of three as frequent


def test_treebanks_of_an_edition(edition):
    frame = profile.treebanks(edition, ["en", "ja"]).set_index("language")
    train, test = (edition.corpus("pos", "ja", split) for split in ("train", "test"))
    assert frame.loc["ja", "sentences"] == 60
    assert frame.loc["ja", "unseen"] == profile.unseen_words(train, test) > 0
    assert (frame.majority_class < frame.look_up).all() and (frame.look_up < 100).all()
    assert frame.loc["ja", "words"] == pytest.approx(sum(map(len, train["tokens"])) / 60)


def test_entity_words_overlap_within_a_script(edition):
    frame = profile.entity_overlap(edition, ["en", "de", "ru"]).set_index(["language", "other"])
    assert list(frame.index) == [("en", "de"), ("en", "ru"), ("de", "ru")]
    one, other = (profile.entity_words(edition.corpus("ner", code, "train")) for code in ("en", "de"))
    assert frame.loc[("en", "de"), "shared"] == len(one & other) > 0
    assert frame.loc[("en", "de"), "overlap"] == pytest.approx(100 * len(one & other) / len(one | other))
    assert frame.loc[("en", "de"), "overlap"] > frame.loc[("en", "ru"), "overlap"]


def test_only_the_words_inside_entities_count():
    labels = [["O", "B-LOC", "I-LOC", "B-PER"], ["O"]]
    corpus = labelled_corpus([["in", "New", "York", "Ada"], ["York"]], labels)
    assert profile.entity_words(corpus) == {"New", "York", "Ada"}


def spoken(*words):
    """One sentence from "DET/en NOUN/hi ..."."""
    tags, codes = zip(*(word.split("/") for word in words))
    columns = {"tokens": [list(tags)], "labels": [list(tags)], "languages": [list(codes)]}
    return Dataset.from_dict(columns, features=profile.SPOKEN)


@pytest.mark.parametrize("sentence, inside, boundary", [
    ("DET/en NOUN/hi VERB/en", 1, 1),  # an inserted noun, then the verb
    ("DET/en ADJ/hi NOUN/en VERB/en", 2, 0),
    ("DET/en NOUN/en VERB/hi", 0, 1),
    ("AUX/en VERB/hi PUNCT/univ", 1, 0),
    ("NOUN/hi ADP/en DET/en NOUN/en", 0, 1),  # a preposition begins a phrase
    ("NOUN/en ADP/hi NOUN/hi", 1, 0),  # a postposition ends its own
    ("NOUN/en ADP/hi NOUN/en", 1, 1),
    ("ADP/en PROPN/ne NOUN/hi", 0, 1),  # names are neutral; the noun after one begins a phrase
    ("NOUN/en PUNCT/univ NOUN/hi", 0, 1),
    ("NOUN/en VERB/en PUNCT/univ", 0, 0),
    ("NUM/univ PROPN/ne", 0, 0),
])
def test_where_a_switch_stands(sentence, inside, boundary):
    frame = profile.switches(spoken(*sentence.split())).set_index("place")
    assert frame.switches.to_dict() == {"inside": inside, "boundary": boundary}
    assert frame.share.sum() == (100 if inside + boundary else 0)


def measured(**parameters):
    world = World(WorldParameters(**parameters))
    corpus = profile.spoken(world.code_switched("measured"), 150)
    return profile.switches(corpus).set_index("place").switches, profile.switched_sentences(corpus)


def test_switches_follow_the_generator_s_parameters():
    none, sentences = measured(switch_at_boundaries=0.0, switch_inside=0.0)
    assert none.sum() == 0 and sentences == 0
    phrases, sentences = measured(switch_at_boundaries=0.5, switch_inside=0.0)
    assert phrases.boundary > 100 and phrases.inside <= 0.02 * phrases.boundary and 30 < sentences < 100
    words, _ = measured(switch_at_boundaries=0.0, switch_inside=0.3)
    fewer, _ = measured(switch_at_boundaries=0.0, switch_inside=0.1)
    assert words.inside > 1.5 * fewer.inside > 15
