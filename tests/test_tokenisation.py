"""Fertility, [UNK] and coverage by hand; recorded numbers against recomputed ones where the data are at hand."""

import importlib.util
import os
from hashlib import sha256

import pytest
import torch
import zoo
from crosslingual import checkout, figures, hub, overlap, tables, tokenisation
from crosslingual.editions import Edition
from crosslingual.store import RECORDED, Store
from transformers import BertConfig, BertModel

LAYOUT = "title: the folder's layout\nseeds: [1]\ncorpora: {source: folder}\nencoders: {m-bert: nowhere}\n"
REAL = pytest.mark.skipif("CROSSLINGUAL_DATA" not in os.environ, reason="CROSSLINGUAL_DATA is not set: no vocabularies")


@pytest.fixture
def real(tmp_path) -> Edition:
    (tmp_path / "layout.yml").write_text(LAYOUT)
    return Edition.load(tmp_path / "layout.yml")


def word_pieces(*pieces):
    return zoo.hf.BertTokenizerFast(vocab={piece: i for i, piece in enumerate([*zoo.BERT, *pieces])}, do_lower_case=False)


def test_counts_by_hand():
    tokenizer = word_pieces("a", "b", "##b", "##c")
    sentences = [["a", "abc", "z"], ["bb", "\u200b"]]  # 1 + 3 + [UNK], 2 + [UNK]
    expected = dict(sentences=2, words=5, pieces=8, unknown=2, whole=1, covered=5, split=0)
    assert tokenisation.measure(sentences, tokenizer) == expected
    short = tokenisation.measure(sentences, tokenizer, max_length=5)  # room for three pieces
    assert short == expected | dict(covered=4, split=1)
    shares = tokenisation.shares(tokenisation.pd.DataFrame([expected])).iloc[0]
    assert (shares.fertility, shares.unk_share, shares.whole_share, shares.coverage) == (8 / 5, 2 / 8, 1 / 5, 1)


def test_coverage_is_what_truncation_leaves():
    tokenizer = zoo.tokenizer("BERT")
    words = [word for line in zoo.TEXT for word in line.split()]
    cut = tokenizer(words, is_split_into_words=True, truncation=True, max_length=20)
    seen = {word for word in cut.word_ids() if word is not None}
    assert tokenisation.measure([words], tokenizer, max_length=20)["covered"] == len(seen)


def test_without_data_the_recorded_results_are_shown(monkeypatch):
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    edition = Edition.load("pocket")  # artificial: it has no text for these vocabularies
    multilingual, english = (tokenisation.treebanks(edition, name) for name in ("m-bert", "en-bert"))
    assert len(multilingual) == len(english) == 41 and multilingual.attrs["origin"] == RECORDED
    assert english.fertility["en"] < multilingual.fertility["en"] < multilingual.fertility["ta"]
    pairs = tokenisation.overlaps(edition, "m-bert")
    assert len(pairs) == 16 * 15 and pairs.overlap.between(0, 1).all()


def test_another_vocabulary_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_DATA", str(tmp_path))
    monkeypatch.setattr(hub, "cached", lambda *_: None)
    read = tokenisation.vocabulary.__wrapped__
    with pytest.raises(tokenisation.VocabularyUnavailable, match="neither in vocab/bert-base-cased/vocab.txt.*nor in the hub"):
        read("en-bert")
    path = tmp_path / "vocab/bert-base-cased/vocab.txt"
    path.parent.mkdir(parents=True)
    path.write_text("[PAD]\n[UNK]\n")
    with pytest.raises(tokenisation.VocabularyUnavailable, match="vocab.txt is not the vocabulary of google-bert/bert-base-cased"):
        read("en-bert")


def test_figures_and_tables_say_what_they_show():
    edition = Edition.load("pocket")
    measured = {name: tokenisation.treebanks(edition, name) for name in ("m-bert", "en-bert")}
    figure, lowest = figures.fertility(measured), measured["m-bert"].fertility.min()
    assert f"M-BERT: from {lowest:.2f} (" in figure.caption and figure.alt
    table = tables.tokenised(measured)
    assert len(table.rows) == 41 and len(table.rows[0]) == len(table.header) == 7
    pairs = tokenisation.pd.concat([tokenisation.overlaps(edition, name) for name in measured], ignore_index=True)
    groups = figures.overlaps_by_script(pairs)
    assert sum(map(len, groups.values())) == 2 * 16 * 15
    assert f"two scripts {groups['m-bert', 'two scripts'].median():.1f}%" in figures.entity_overlaps(pairs).caption
    for nothing in (figures.fertility({}), figures.entity_overlaps(pairs[:0])):
        assert "nothing was recorded" in nothing.caption


def test_speeds_are_those_of_the_benchmark(tmp_path, monkeypatch):
    found = dict(parameters=9, seconds=[2.0], training=2048.0, tagging=4096.0, memory=2**31)
    parts = dict(version=1, device="a device", rows=32, length=128, steps=2)
    Store(tmp_path).put(tokenisation.FULL_SIZE, parts, found)
    monkeypatch.setattr(tokenisation, "_recorded", lambda: Store("nowhere", [tmp_path]))
    (row,) = tables.full_size(tokenisation.speeds()).rows
    assert row[:4] == ["a device", "2,048", "4,096", "2.0"]


@REAL
@pytest.mark.parametrize(("encoder", "parameters"), [("m-bert", 177_853_440), ("en-bert", 108_310_272)])
def test_the_real_vocabularies_give_the_published_sizes(encoder, parameters):
    tokenizer = tokenisation.vocabulary(encoder)
    assert tokenizer.tokenize("Straßenbahn") != ["[UNK]"] and tokenizer.tokenize("THE") != tokenizer.tokenize("the")
    with torch.device("meta"):
        model = BertModel(BertConfig(vocab_size=len(tokenizer)))
    assert sum(weights.numel() for weights in model.parameters()) == parameters


@REAL
def test_recorded_numbers_are_those_of_the_data(real):
    kept = Store("nowhere", [checkout.root() / "book/recorded/paper"])
    shown = tokenisation.treebanks(Edition.load("pocket"), "m-bert", kept)
    tokenizer = tokenisation.vocabulary("m-bert")
    for code in ("en", "mr", "ta"):
        again = tokenisation.measure(real.corpus("pos", code, "test")["tokens"], tokenizer)
        assert again == shown.loc[code, tokenisation.COUNTS].to_dict()
    pairs = tokenisation.overlaps(Edition.load("pocket"), "m-bert", kept=kept).set_index(["train", "evaluate"])
    slice_ = {code: [real.corpus("ner", code, split) for split in overlap.SPLITS] for code in ("ja", "zh")}
    for row in overlap.between(slice_, tokenizer).itertuples():
        assert pairs.overlap[row.train, row.evaluate] == row.overlap
    assert {record.parts["vocabulary"] for record in kept.records("tokenisation")} == {
        pin.vocabulary for pin in hub.pins().values()}


@REAL
def test_the_vocabulary_is_the_files(tmp_path):
    path = tokenisation._find(tokenisation._pin("m-bert"))
    assert sha256(path.read_bytes()).hexdigest() == tokenisation._pin("m-bert").vocabulary
    assert tokenisation.vocabulary("m-bert").convert_ids_to_tokens([0, 100]) == ["[PAD]", "[UNK]"]


def test_the_benchmark_runs_at_a_small_size(monkeypatch, tmp_path, capsys):
    specification = importlib.util.spec_from_file_location("full_size", checkout.root() / "benchmarks/full_size.py")
    benchmark = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark, "BertConfig", lambda vocab_size: BertConfig(vocab_size=vocab_size, **zoo.SMALL))
    monkeypatch.setattr("sys.argv", ["full_size.py", "--steps", "2", "--record", str(tmp_path)])
    benchmark.main()
    (record,) = Store(tmp_path).records(tokenisation.FULL_SIZE)
    assert len(record.payload["seconds"]) == 1 and record.payload["training"] > 0
    assert "word pieces a second in training" in capsys.readouterr().out
