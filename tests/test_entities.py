"""CoNLL corpora and substitutes: parquet in the hub library's cache layout, German files, what is said."""

import logging
import os
from pathlib import Path

import huggingface_hub
import pytest
from crosslingual.corpora import CorpusError, CorpusUnavailable, conll, entities
from crosslingual.corpora.text import labelled_corpus
from datasets import ClassLabel, Dataset, Features, List, Value
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real corpora are not at hand")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAMES = "O B-PER I-PER B-ORG I-ORG B-LOC I-LOC B-MISC I-MISC".split()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub library, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def parquet(path, sentences, tags, names=NAMES):
    """A file as the hub converts corpora: integer tags, their names in the schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    label = Value("int64") if names is None else ClassLabel(names=names)
    features = Features({"id": Value("string"), "tokens": List(Value("string")), "ner_tags": List(label)})
    rows = {"id": [str(i) for i in range(len(tags))], "tokens": sentences, "ner_tags": tags}
    Dataset.from_dict(rows, features=features).to_parquet(str(path))
    return path


def in_cache(cache, hub, language, split, *content):
    """Lay a file out as the hub library does: snapshots by commit, a branch as a file that names its commit."""
    folder = cache / f"datasets--{hub.repository.replace('/', '--')}"
    commit = COMMIT if hub.revision == entities.CONVERSION else hub.revision
    parquet(folder / "snapshots" / commit / hub.file(language, split), *content)
    (folder / "refs" / hub.revision).parent.mkdir(parents=True, exist_ok=True)
    (folder / "refs" / hub.revision).write_text(commit)


# ---- the hub's parquet form


def test_integer_tags_are_decoded_to_iob2_and_empty_sentences_dropped(tmp_path):
    path = parquet(
        tmp_path / "x.parquet",
        [["EU", "said", "Anna", "Lee"], ["Rom", "Oslo"], []],
        [[4, 0, 2, 2], [6, 5], []],
    )
    assert entities.read_parquet(path)[:] == {
        "tokens": [["EU", "said", "Anna", "Lee"], ["Rom", "Oslo"]],
        "labels": [["B-ORG", "O", "B-PER", "I-PER"], ["B-LOC", "B-LOC"]],
    }


@pytest.mark.parametrize(
    "language, hub", [("en", entities.CONLL_2003), ("es", entities.CONLL_2002), ("tr", entities.WIKIANN)]
)
def test_what_the_hub_library_has_cached_is_read_without_a_network(cache, language, hub):
    in_cache(cache, hub, language, "dev", [["Anna"]], [[1]])
    assert entities.downloads(language, "dev") == []
    assert entities.labelled(language, "dev")[0] == {"tokens": ["Anna"], "labels": ["B-PER"]}
    (missing,) = entities.downloads(language, "test")
    assert missing.url.endswith("/test/0000.parquet") and hub.repository in missing.url and missing.licence


def test_unlike_the_shared_tasks_counts_is_warned_of(cache, caplog):
    in_cache(cache, entities.CONLL_2002, "nl", "dev", [["Anna"]], [[1]])
    with caplog.at_level(logging.WARNING):
        entities.labelled("nl", "dev")
    assert "CoNLL-2002 Dutch (dev)" in caplog.text and "1 PER for 703" in caplog.text


@pytest.mark.parametrize("content", [([["Anna"]], [[1]], None), ([["Anna", "Lee"]], [[1]])])
def test_parquet_files_that_say_too_little_are_refused(tmp_path, content):
    path = parquet(tmp_path / "x.parquet", *content)
    with pytest.raises(CorpusError, match="named ner_tags|more or fewer tags"):
        entities.read_parquet(path)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = parquet(tmp_path / "x.parquet", [["Anna"]], [[1]])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        CorpusError, match="no parquet file.*delete it, so that it is fetched again"
    ) as problem:
        entities.read_parquet(path)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "raised, words",
    [
        (LocalEntryNotFoundError("Connection refused"), r"could not be fetched \(Connection refused\)"),
        (EntryNotFoundError("404"), "not on the hub under its pinned name"),
        (OSError(28, "No space left on device"), "No space left"),
        (ConnectionError("reset"), "could not be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence_with_a_remedy(monkeypatch, raised, words):
    def refuse(*_, **__):
        raise raised

    monkeypatch.setattr(entities, "hf_hub_download", refuse)
    monkeypatch.setattr(entities, "_unreachable", lambda *_: None)
    with pytest.raises(CorpusUnavailable, match=f"CoNLL-2003 English .train. .*{words}") as problem:
        entities.labelled("en", "train")
    assert "conll2003/eng.train into the data folder" in str(problem.value) and "\n" not in str(problem.value)


def test_offline_the_hub_library_itself_is_asked_and_refuses():
    with pytest.raises(
        CorpusUnavailable, match="WikiANN Turkish .test.*ner16/tr.test.conll into the data folder"
    ):
        entities.labelled("tr", "test")


def test_a_pinned_file_has_a_fingerprint_before_it_is_fetched(tmp_path):
    first, other = entities.fingerprint("tr", "test"), entities.fingerprint("tr", "train")
    assert first != other
    with pytest.raises(CorpusUnavailable):  # a branch has not: its content is not known
        entities.fingerprint("nl", "test")


# ---- files of one's own


def written(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


GERMAN = """-DOCSTART- -X- -X- -X- O

Frankfurter Frankfurter NN I-NC I-MISC
Bürger Bürger NN I-NC O

Köln Köln NE I-NC I-LOC
"""


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_german_is_read_in_either_encoding_and_its_revision_told(tmp_path, encoding):
    for name in ("deu.train", "deu.testa", "deu.testb"):
        written(tmp_path / "mine" / name, GERMAN, encoding)
    corpus = entities.labelled("de", "dev", german=tmp_path / "mine")
    assert corpus[:] == {
        "tokens": [["Frankfurter", "Bürger"], ["Köln"]],
        "labels": [["B-MISC", "O"], ["B-LOC"]],
    }
    row = entities.described(["de"], german=tmp_path / "mine").loc["de"]
    assert row.note == f"annotation of 2003: 50% of the entities are MISC; read as {encoding}"
    assert not row.substitute and row.at_hand


def test_few_misc_are_the_revision_of_2006():
    tags = [["B-LOC"] * 9 + ["B-MISC"]]
    assert entities.german_revision(labelled_corpus([["w"] * 10], tags)) == ("2006", 0.1)


def test_a_german_folder_without_its_files_is_not_replaced_silently(tmp_path):
    with pytest.raises(CorpusUnavailable, match="deu.train is missing: put the train split there"):
        entities.labelled("de", "train", german=tmp_path)


def test_the_data_folder_comes_first_and_whole(tmp_path):
    written(tmp_path / "conll2002/ned.testb", "Anna N B-PER\n")
    written(tmp_path / "ner16/tr.train.conll", "ankara\tB-LOC\n")
    written(tmp_path / "ner16/en.test.conll", "Oslo\tB-LOC\n")
    assert entities.labelled("nl", "test", root=tmp_path)[0]["labels"] == ["B-PER"]
    assert entities.labelled("tr", "train", root=tmp_path)[0]["tokens"] == ["ankara"]
    with pytest.raises(CorpusUnavailable, match="tr.test.conll is missing"):  # not mixed with WikiANN's
        entities.labelled("tr", "test", root=tmp_path)
    assert (
        entities.find("en", tmp_path).corpus == "CoNLL-2003"
    )  # no substitute while the corpus itself can be had
    assert entities.find("en", tmp_path, conll_languages=[]).local.endswith("ner16/en.{split}.conll")


def test_languages_without_a_corpus_are_named():
    with pytest.raises(CorpusUnavailable, match="no entity corpus of Basque.*ner16/eu.train.conll"):
        entities.labelled("eu", "train")


# ---- what is said


def test_substitutes_are_said_to_be_substitutes(tmp_path, cache):
    written(
        tmp_path / "ner16/tr.test.conll", "".join(f"kelime{i}\tO\n" for i in range(20)) + "ankara\tB-LOC\n"
    )
    in_cache(cache, entities.WIKIANN, "de", "test", [["Köln", "ist"]], [[5, 0]])
    frame = entities.described(root=tmp_path)
    assert frame.index.tolist() == [
        "en",
        "de",
        "nl",
        "es",
        *(c for c in entities.NER16_LANGUAGES if c not in ("en", "de", "es")),
    ]
    assert frame.substitute.sum() == 14 and not frame.loc[["en", "nl", "es"]].substitute.any()
    assert frame.loc["de", ["stands_for", "corpus", "types", "case", "at_hand"]].tolist() == [
        "CoNLL-2003",
        "WikiANN",
        "LOC",
        "cased",
        True,
    ]
    assert frame.loc["fr", ["annotation", "types", "at_hand"]].tolist() == [
        entities.WIKIANN.annotation,
        "PER LOC ORG",
        False,
    ]
    assert frame.loc["tr", ["corpus", "types", "case"]].tolist() == [
        "a file of your own",
        "LOC",
        "lower-cased",
    ]


def test_all_sixteen_can_have_the_substitute_for_figure_1():
    frame = entities.described(entities.NER16_LANGUAGES, conll_languages=[])
    assert set(frame.corpus) == {"WikiANN"} and set(frame.stands_for) == {
        "the in-house corpus in 16 languages"
    }


def test_case_of_scripts_without_case_is_told_by_their_latin_words():
    korean = labelled_corpus([["하나", *[f"word{i}" for i in range(20)]]], [["O"] * 21])
    assert entities.case(korean, "Kore") == "lower-cased"
    assert entities.case(labelled_corpus([["하나"]], [["O"]]), "Kore") == "none"


# ---- the real files


@real
@pytest.mark.parametrize("language", ["es", "nl"])
def test_real_conll_2002_has_the_counts_that_the_hubs_copy_is_checked_against(language, caplog):
    for split in entities.SPLITS:
        corpus = entities.labelled(language, split, root=Path(DATA))
        with caplog.at_level(logging.WARNING):
            entities._check_counts(entities.CONLL_2002, language, split, corpus)
    assert not caplog.records


@real
def test_real_lower_cased_corpora_are_found_out_and_types_counted():
    frame = entities.described(["ko", "tr", "hi", "fr"], root=Path(DATA))
    assert frame.case.to_dict() == {"ko": "lower-cased", "tr": "lower-cased", "hi": "none", "fr": "cased"}
    assert frame.types.to_dict() == dict.fromkeys(["ko", "tr", "fr"], "PER LOC ORG MISC") | {
        "hi": "PER LOC ORG"
    }
    assert all(kind in conll.ENTITY_TYPES for kind in frame.loc["hi", "types"].split())
