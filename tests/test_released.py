"""The `released` source: the data folder first, then downloads; its parameters; what would be fetched."""

import csv
import os
from pathlib import Path

import pytest
from crosslingual import corpora, languages
from crosslingual.corpora import BadParameter, CorpusUnavailable, treebanks
from crosslingual.corpora.download import DownloadError
from crosslingual.corpora.released import NEEDED, Released
from crosslingual.editions import Edition, EditionError
from webserver import serving

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real corpora are not at hand")


def treebank(*words, upos="NOUN", xpos="_"):
    return "".join(f"1\t{word}\t_\t{upos}\t{xpos}" + "\t_" * 5 + "\n\n" for word in words)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No network, nothing cached, no data folder."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CROSSLINGUAL_MIRRORS", "https://=http://127.0.0.1:9/")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)


@pytest.fixture
def root(tmp_path):
    for name, text in {
        "ud/hi/train.conllu": treebank("एक", "दो", xpos="QC"),
        "ud/en/train.conllu": treebank("one", "two", xpos="CD"),
        "ud/nl/test.conllu": treebank("en", upos="CONJ"),
        "ud_original/UD_Dutch-Alpino/r2.13/nl_alpino-ud-train.conllu": treebank("nieuw"),
        "ud_original/UD_Greek-GDT/r2.0-test/el-ud-test.conllu": treebank("changed"),
        "mine/fi.conllu": treebank("minun"),
        "mine/nl.conll": "Anna\tB-PER\n",
        "ner16/tr.test.conll": "Anna\tB-PER\n",
    }.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "data"


def words(corpus):
    return [word for sentence in corpus["tokens"] for word in sentence]


# ---- where a corpus comes from


def test_the_data_folder_comes_first_and_needs_no_network(offline, root, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_DATA", str(root))
    source = Released(
        files={"pos": {"fi": {"train": "mine/fi.conllu"}}, "ner": {"nl": {"test": "mine/nl.conll"}}}
    )
    assert words(source.labelled("pos", "hi", "train")) == ["एक", "दो"]
    assert words(source.labelled("pos", "fi", "train")) == ["minun"]
    assert words(source.labelled("ner", "nl", "test")) == ["Anna"]
    assert words(source.labelled("ner", "tr", "test")) == ["Anna"]
    assert words(source.labelled("code-switching", "hi+en", "train")) == ["एक", "दो", "one", "two"]


def test_splits_of_one_language_never_come_from_two_places(offline, root):
    # A test set made by hand may hold sentences of the published training set.
    with pytest.raises(CorpusUnavailable, match="ud/en/test.conllu is missing from the data folder"):
        Released(str(root)).labelled("pos", "en", "test")


def test_what_the_edition_names_is_not_replaced_by_the_data_folder(offline, root):
    source = Released(str(root), release="r2.13")
    assert words(source.labelled("pos", "nl", "train")) == ["nieuw"]  # a published file in the data folder
    with pytest.raises(DownloadError, match="UD_English-EWT r2.13 .*cannot be verified.*cannot be reached"):
        source.labelled("pos", "en", "train")


def test_a_published_file_in_the_data_folder_must_be_the_published_one(offline, root):
    with pytest.raises(CorpusUnavailable, match="el-ud-test.conllu is not the published file .*take it away"):
        Released(str(root)).labelled("pos", "el", "test")


def test_without_folder_and_network_one_sentence_says_what_is_missing(offline):
    with pytest.raises(CorpusUnavailable) as problem:
        Released().labelled("pos", "en", "train")
    sentence = str(problem.value)
    assert sentence.startswith("UD_English-EWT r2.0-test en-ud-train.conllu: ") and "\n" not in sentence


def test_a_misspelt_data_folder_is_not_passed_over(offline, tmp_path):
    with pytest.raises(CorpusUnavailable, match="there is no data folder .*nowhere: correct `root`"):
        Released(str(tmp_path / "nowhere")).labelled("pos", "en", "train")


def test_downloads_are_used_offline_afterwards(offline, tmp_path, monkeypatch):
    content = treebank("woord").encode()
    with serving({"/UD_Dutch-Alpino/r2.13/nl_alpino-ud-test.conllu": content}) as server:
        monkeypatch.setenv("CROSSLINGUAL_MIRRORS", f"{treebanks.BASE}={server.url}")
        source = Released(treebanks={"nl": "UD_Dutch-Alpino@r2.13"}, sizes={"pos": {"test": 1}})
        assert words(source.labelled("pos", "nl", "test")) == ["woord"]
    assert words(Released(release="r2.13").labelled("pos", "nl", "test")) == ["woord"]


def test_parallel_text_of_the_data_folder_or_of_files_that_the_edition_names(offline, root):
    for name, text in {
        "parallel/ntrex/newstest2019-ref.hin.txt": "एक\nदो\n",
        "parallel/ntrex/newstest2019-ref.urd.txt": "ایک\nدو\n",
        "mine/en": "one\n", "mine/de": "eins\n",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    source = Released(str(root), files={"parallel": {"en-de": {"source": "mine/en", "target": "mine/de"}}})
    assert source.parallel("hi", "ur")[1] == {"source": "दो", "target": "دو"}
    assert source.parallel("en", "de")[:] == {"source": ["one"], "target": ["eins"]}
    assert source.downloads("parallel", [("hi", "ur"), ("en", "de")]) == []


# ---- tags


def test_language_specific_tags_on_request_but_not_beside_tweets(offline, root):
    source = Released(str(root), tags="xpos", sizes={"pos": {"train": 1}})
    assert source.labelled("pos", "hi", "train")[:]["labels"] == [["QC"]]
    assert source.labelled("code-switching", "hi+en", "train")[:]["labels"] == [["NOUN"], ["NOUN"]]


def test_version_1_tags_are_converted_when_the_edition_says_so(offline, root):
    with pytest.raises(corpora.CorpusError, match="version_1: convert"):
        Released(str(root)).labelled("pos", "nl", "test")
    assert Released(str(root), version_1="convert").labelled("pos", "nl", "test")[0]["labels"] == ["CCONJ"]


# ---- parameters


@pytest.mark.parametrize(
    "parameters, key, problem",
    [
        (dict(tags="upostag"), ("tags",), "tags is one of upos, xpos"),
        (dict(version_1=True), ("version_1",), "version_1 is one of refuse, convert"),
        (dict(release="2.0 test"), ("release",), "names no treebank"),
        (dict(release=2.1), ("release",), "a release is a git tag"),
        (dict(treebanks=["nl"]), ("treebanks",), "a mapping from languages"),
        (dict(treebanks={"xx": "UD_X-Y@r2.1"}), ("treebanks", "xx"), "unknown language 'xx'"),
        (dict(treebanks={"nl": "Alpino"}), ("treebanks", "nl"), "write it like UD_Dutch-Alpino@r2.13"),
        (dict(treebanks={"nl": {"tests": "@r2.1"}}), ("treebanks", "nl", "tests"), "unknown split 'tests'"),
        (
            dict(treebanks={"bn": "UD_Bengali-BRU"}),
            ("treebanks", "bn"),
            "no release of UD_Bengali-BRU is pinned",
        ),
        (dict(treebanks={"nl": 3}), ("treebanks", "nl"), "names no treebank"),
        (dict(ner={"german": 1}), ("ner", "german"), "german is the path of a folder, not 1"),
        (dict(ner={"deu": "x"}), ("ner", "deu"), "unknown key 'deu' under ner"),
        (dict(parallel={"seeds": 1}), ("parallel", "seeds"), "unknown key 'seeds' under parallel"),
        (dict(parallel={"size": "all"}), ("parallel", "size"), "size is a number of pairs, not 'all'"),
        (dict(parallel={"text": "news"}), ("parallel", "text"), "text is one of wmt, ntrex, not 'news'"),
        (dict(code_switching={"minimum": 2}), ("code_switching", "minimum"), "a share between 0 and 1"),
        (dict(sizes={"pos": {"train": 0}}), ("sizes", "pos", "train"), "0 is no number of sentences"),
    ],
)
def test_wrong_parameters_are_refused_with_their_place(parameters, key, problem):
    with pytest.raises(BadParameter, match=problem) as refused:
        Released(**parameters)
    assert refused.value.key == key


def test_an_edition_names_the_line_of_a_wrong_treebank(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(
        "title: mine\nseeds: [1]\nencoders: {m-bert: x/y, en-bert: x/z}\n"
        "corpora:\n  source: released\n  treebanks:\n    nl: UD_Dutch\n"
    )
    with pytest.raises(EditionError, match="mine.yml, line 7: 'UD_Dutch' names no treebank"):
        Edition.load(path)


def test_a_language_that_the_table_lacks_is_one_line_more():
    source = Released(treebanks={"bn": "UD_Bengali-BRU@r2.13"})
    assert source.languages("pos") == [*languages.POS_LANGUAGES, "bn"]
    assert set(source.languages("ner")) == {*languages.NER16_LANGUAGES, "nl"}
    assert source.evaluation_languages("code-switching") == ["corrected", "transliterated"]


# ---- fingerprints


def test_fingerprints_follow_file_cap_treebank_and_tags(offline, root):
    def fingerprint(**parameters):
        return Released(**parameters).fingerprint("pos", "hi", "train")

    own, one = dict(root=str(root)), dict(sizes={"pos": {"train": 1}})
    variants = [
        {}, dict(tags="xpos"), one, dict(treebanks={"hi": {"train": "UD_English-EWT"}}),
        own, own | dict(tags="xpos"), own | dict(version_1="convert"), own | one,
    ]  # fmt: skip
    assert len({fingerprint(**variant) for variant in variants}) == len(variants)
    before = fingerprint(**own)
    (root / "ud/hi/train.conllu").write_text(treebank("तीन"), encoding="utf-8")
    assert fingerprint(**own) != before


def test_the_pinned_release_by_name_is_the_same_corpus(offline):
    named, usual = Released(release="r2.0-test"), Released()
    assert named.fingerprint("pos", "en", "test") == usual.fingerprint("pos", "en", "test")


# ---- what would be downloaded


def test_downloads_are_those_of_the_languages_asked_for(offline):
    found = Released().downloads("pos", ["en", "cs"])
    assert [Path(item.path).name for item in found] == [
        "en-ud-train.conllu", "en-ud-test.conllu",
        *(f"cs-ud-train-{part}.conllu" for part in "clmv"), "cs-ud-test.conllu",
    ]  # fmt: skip
    assert all(item.licence and item.digest for item in found)
    mixed = Released().downloads("code-switching")
    assert set(Released().downloads("pos", ["hi", "en"])) < set(mixed)


def test_nothing_is_downloaded_twice_or_that_is_at_hand(offline, root):
    source = Released(str(root), files={"pos": {"fi": {"train": "mine/fi.conllu"}}})
    assert source.downloads("pos", ["hi", "fi"]) == []
    every = source.downloads("pos")
    assert len(every) == len(set(every))
    assert not {"hi", "en", "nl", "fi"} & {Path(item.path).name.split("-")[0] for item in every}
    greek = Released().downloads("pos", ["el"])[0]
    greek.file.parent.mkdir(parents=True)
    greek.file.write_text("as if downloaded")
    assert greek not in Released().downloads("pos", ["el"])


def test_all_downloads_of_the_paper(offline):
    found = Released().downloads()
    assert len({item.path for item in found}) == len(found)
    assert {item.path.partition("/")[0] for item in found} >= {"ud_original", "hub", "hiencs", "ntrex"}


def test_the_table_of_treebanks_says_what_is_used_and_why(offline, root):
    table = Released(str(root), treebanks={"de": "UD_German-HDT@r2.13"}).treebank_table()
    assert list(table.index) == languages.POS_LANGUAGES
    assert (
        tuple(table.loc["de"])[:2] == ("UD_German-HDT", "r2.13")
        and table.reason["de"] == "named in the edition"
    )
    assert tuple(table.loc["el"])[:3] == ("UD_Greek-GDT", "r2.0-test", "CC BY-NC-SA 3.0")
    assert table.treebank["hi"] == "your own"


# ---- the real files


@real
def test_real_treebanks_have_the_counts_of_their_summary(offline, monkeypatch):
    with open(Path(DATA) / "ud" / "SUMMARY.tsv", encoding="utf-8") as file:
        summary = {row["lang"]: row for row in csv.DictReader(file, delimiter="\t")}
    source = Released(DATA)
    assert source.downloads("pos") == []
    for language in languages.POS_LANGUAGES[::6]:  # the others are read by the same reader in test_corpora
        for split in NEEDED:
            found = corpora.statistics(source.labelled("pos", language, split))
            assert found["sentences"] == int(summary[language][f"{split}_sents"])
            assert found["tokens"] == int(summary[language][f"{split}_words"])
