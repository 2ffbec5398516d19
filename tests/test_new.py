"""`crosslingual new`: what it finds in a folder, what it leaves out, and the edition it writes."""

import pytest
import toy
from crosslingual import experiments, languages, new
from crosslingual.corpora import formats
from crosslingual.edition import Edition, EditionError
from crosslingual.models.encoder import EncoderUnavailable
from test_edition import forgotten  # noqa: F401 (a fixture)

TREEBANK = formats.labelled_corpus([["cat", "sees", "dog", "."]] * 3, [["NOUN", "VERB"] * 2] * 3)
# A script that the encoder does not know.
CHINESE = formats.labelled_corpus([["房子", "猫"]], [["NOUN", "NOUN"]])
ENTITIES = "cat B-PER\nsees O\n\ndog B-LOC\n"
FILES = {
    "en_x-ud-train.conllu": ("pos", "en", "train"),
    "pt_br-ud-dev.conllu": ("pos", "pt_br", "dev"),
    "swa_x-ud-test.conllu": ("pos", "sw", "test"),
    "sw/validation.conllu": ("pos", "sw", "dev"),
    "deeper/fi/train.tsv": ("ner", "fi", "train"),
    "fi-test.bio": ("ner", "fi", "test"),
}


@pytest.fixture
def data(tmp_path):
    for name in FILES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".conllu":
            formats.write_conllu(TREEBANK, path)
        else:
            path.write_text(ENTITIES)
    return tmp_path / "data"


@pytest.mark.usefixtures("forgotten")
def test_what_is_there_becomes_an_edition(data):
    edition, found, others = new.write("mine", str(toy.folder()), data)
    assert {row.path: (row.task, row.language, row.split) for row in found.itertuples()} == FILES
    assert len(found) == len(FILES) and not others
    assert found[found.task == "pos"].words.eq(12).all() and found.unknown.eq(0).all()
    assert found[found.task == "ner"][["sentences", "tags"]].eq([2, 3]).all(axis=None)
    assert edition.path == data.parent / "mine.yml" and edition.encoder("m-bert").tokenizer
    assert edition.languages("pos") == ["en", "pt_br", "sw"] and edition.languages("ner") == ["fi"]
    assert edition.corpus("pos", "sw", "test")["tokens"][2] == TREEBANK["tokens"][2]
    assert languages.name("sw") == "Swahili" and languages.script("sw") == "Latn"
    assert edition.recipe("pos") == Edition.load("paper").recipe("pos")


@pytest.mark.usefixtures("forgotten")
def test_what_is_lacking_and_left_out_is_said(data):
    formats.write_conllu(TREEBANK, data / "train.conllu")
    formats.write_conllu(TREEBANK, data / "qq-train.conllu")  # no language
    formats.write_conllu(TREEBANK, data / "sw-test.conllu")  # there is one already
    formats.write_conllu(CHINESE, data / "zh-test.conllu")
    (data / "en-test.bio").write_text("cat PER\n")
    told = new.told(*new.write("mine", str(toy.folder()), data))
    for sentence in (
        "Left out: train.conllu does not say its language and split: name it like sw-train",
        "Left out: qq-train.conllu does not say",
        "swa_x-ud-test.conllu is one more for pos sw test, beside sw-test.conllu.",
        "en-test.bio, line 1: 'PER' is neither O nor B- or I-",
        "Without a test file: pos en.", "Without a train file: pos sw.",
        "4, tagging: en pt_br sw zh.",
        "zh  test       zh-test.conllu          1      2     1 100.0%",
    ):  # fmt: skip
        assert sentence in told, told


def test_nothing_is_written_where_there_is_nothing(data):
    with pytest.raises(EncoderUnavailable):
        new.write("mine", str(data), data)
    with pytest.raises(EditionError, match=r"deeper has no corpus: .*fi/train.tsv, line 1: "):
        (data / "deeper/fi/train.tsv").write_text("cat\n")
        new.write("mine", str(toy.folder()), data / "deeper")
    assert not [*data.parent.rglob("*.yml")]
    (data.parent / "mine.yml").write_text("")
    with pytest.raises(EditionError, match="mine.yml exists: choose another name, or remove it"):
        new.write("mine", str(toy.folder()), data)


@pytest.mark.usefixtures("forgotten")
def test_its_scores_can_be_computed(data, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_RESULTS", str(data / "results"))
    formats.write_conllu(TREEBANK, data / "en-test.conllu")
    edition, *_ = new.write("mine", str(toy.folder()), data)
    cells = experiments.scores(edition, "pos", encoders=["m-bert"]).set_index(["train", "evaluate"])
    assert cells.score["en", "en"] >= 0 and cells.score["en", "sw"] >= 0
    assert "names no train file for pos sw" in cells.reason["sw", "en"]
