"""Word shape: what it sees, what it cannot, and how it is kept."""

from pathlib import Path

import numpy as np
from datasets import Dataset
from toy import Edition

from crosslingual import baselines, scoring
from crosslingual.store import Store


def corpus(*sentences: str) -> Dataset:
    rows = [[pair.rsplit("/", 1) for pair in sentence.split()] for sentence in sentences]
    return Dataset.from_dict({"tokens": [[word for word, _ in row] for row in rows],
                              "labels": [[label for _, label in row] for row in rows]})


ENGLISH = corpus("Eva/PROPN and/CCONJ Ann/PROPN walked/VERB 12/NUM miles/NOUN ./PUNCT", "Bob/PROPN talked/VERB and/CCONJ jumped/VERB !/PUNCT",
                 "Some/DET old/ADJ towns/NOUN 7/NUM miles/NOUN away/ADV ./PUNCT")


def test_features_of_a_word_by_hand() -> None:
    assert baselines.shape("Ann") == ("any", "case title", "kinds L", "length 3", "-n", "-nn", "-ann")
    assert baselines.shape("12") == ("any", "case lower", "kinds N", "length 2", "-2", "-12")
    assert baselines.shape("!")[-1] == "sign !" and baselines.shape("iPhone")[1] == "case mixed"
    assert baselines.shape("NATO")[1] == "case upper" and baselines.shape("x" * 40)[3] == "length 10"


def test_unseen_words_are_tagged_by_what_they_look_like() -> None:
    tagger = baselines.WordShape(ENGLISH)
    assert tagger.predict([["Zed", "smiled", "99", "rivers", "."]]) == [["PROPN", "VERB", "NUM", "NOUN", "PUNCT"]]


def test_an_unknown_script_leaves_digits_and_punctuation() -> None:
    [tags] = baselines.WordShape(ENGLISH).predict([["город", "1999", "."]])
    assert tags[1:] == ["NUM", "PUNCT"]


def test_training_finds_the_least_loss() -> None:
    """No step away from the fitted weights, in a few random directions, gives a lower loss."""
    tagger, rng = baselines.WordShape(ENGLISH), np.random.default_rng(0)
    words = sorted({word for row in ENGLISH["tokens"] for word in row})
    tag = {word: label for row in ENGLISH for word, label in zip(row["tokens"], row["labels"], strict=True)}
    times = np.array([sum(row.count(word) for row in ENGLISH["tokens"]) for word in words])
    gold = np.array([tagger.labels.index(tag[word]) for word in words])

    def loss(weights: np.ndarray) -> float:
        scores = tagger._features(words) @ weights
        likely = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        fit = -(times * likely[np.arange(len(words)), gold]).sum() / times.sum()
        return fit + tagger.PENALTY * (weights**2).sum()

    least = loss(tagger.weights)
    assert all(loss(tagger.weights + 0.1 * rng.normal(size=tagger.weights.shape)) > least for _ in range(20))


def test_a_kept_row_is_extended_by_what_it_lacks(tmp_path: Path) -> None:
    edition, store = Edition.write(tmp_path), Store(tmp_path / "store")
    first = baselines.matrix(edition, "pos", baselines.WORD_SHAPE, ["en"], ["en"], store)
    both = baselines.matrix(edition, "pos", baselines.WORD_SHAPE, ["en"], ["en", "ja"], store)
    assert list(both.evaluate) == ["en", "ja"] and both.score[0] == first.score[0]
    assert len(store.records("baseline")) == 1
    gold = edition.corpus("pos", "ja", "test")
    predicted = baselines.WordShape(edition.corpus("pos", "en", "train")).predict(gold["tokens"])
    assert both.score[1] == scoring.score("pos", list(gold["labels"]), predicted).value


def test_without_the_corpus_kept_scores_remain_and_others_are_explained(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    at_hand = Edition.write(tmp_path)
    baselines.matrix(at_hand, "pos", baselines.MAJORITY, ["en"], ["ja"], store)
    pinned = {f"pos/{code}/{split}": at_hand.corpus_digest("pos", code, split) for code in ("en", "ja") for split in ("train", "test")}
    absent = Edition.write(tmp_path, missing=["pos/en/train", "pos/ja/test", "pos/es/test"], pinned=pinned)
    frame = baselines.matrix(absent, "pos", baselines.MAJORITY, ["en"], ["ja", "es"], store)
    assert list(frame.evaluate) == ["ja"] and "pos/es/test" in frame.attrs["unavailable"]["es"]
