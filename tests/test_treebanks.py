"""Treebanks by name and release: the tables of pins and choices, a local server, tags of either kind."""

import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest
from crosslingual import corpora, languages
from crosslingual.corpora import CorpusError, CorpusUnavailable, conllu, treebanks
from webserver import serving

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real corpora are not at hand")


def rows(words, upos, xpos="_", relation="_"):
    columns = zip(words.split(), upos.split(), xpos.split() * len(words.split()))
    return "".join(
        f"{i}\t{word}\t_\t{tag}\t{own}\t_\t_\t{relation}\t_\t_\n"
        for i, (word, tag, own) in enumerate(columns, 1)
    ) + "\n"  # fmt: skip


def blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


FILES = {
    "/UD_Czech-PDT/abc/cs-ud-train-c.conllu": rows("a b", "NOUN VERB", "Nn"),
    "/UD_Czech-PDT/abc/cs-ud-train-l.conllu": rows("c", "X", "Xx"),
    "/UD_Czech-PDT/def/cs-ud-test.conllu": rows("d", "ADJ"),
    "/UD_Dutch-Alpino/r2.13/nl_alpino-ud-train.conllu": rows("e", "NOUN"),
    "/UD_Dutch-Alpino/r1.4/nl-ud-train.conllu": rows("f en", "VERB CONJ", relation="cop"),
}
FILES = {path: text.encode() for path, text in FILES.items()}
TAGS = {"abc": "r2.0-test", "def": "r2.1"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of FILES in the place of GitHub; the first three are pinned."""
    rows = [(path.split("/"), content) for path, content in list(FILES.items())[:3]]
    pinned = [("cs", name, TAGS[commit], commit, path, blob(content), len(content), "CC BY")
              for (_, name, commit, path), content in rows]  # fmt: skip
    alpino = ("nl", "UD_Dutch-Alpino", "r2.0-test", "0", "nl-ud-dev.conllu", "0", None, "CC BY-SA")
    frame = pd.DataFrame([*pinned, alpino], columns=list(treebanks.pins().columns))
    monkeypatch.setattr(treebanks, "pins", lambda: frame)
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path))
    with serving(dict(FILES)) as server:
        monkeypatch.setenv("CROSSLINGUAL_MIRRORS", f"{treebanks.BASE}={server.url}")
        yield server


# ---- the tables


def test_every_language_has_a_treebank_with_all_splits_and_a_reason():
    assert list(treebanks.choices().index) == sorted(languages.POS_LANGUAGES)
    assert treebanks.choices().reason.str.len().min() > 20
    for language in languages.POS_LANGUAGES:
        for split in corpora.SPLITS:
            items = treebanks.files(language, split)
            assert items and all(item.digest.startswith("git:") and item.licence for item in items)


def test_pins_are_whole_and_name_each_file_once():
    pins = treebanks.pins()
    assert pins.blob.str.fullmatch("[0-9a-f]{40}").all() and pins.commit.str.fullmatch("[0-9a-f]{40}").all()
    assert not pins.duplicated(["treebank", "tag", "path"]).any() and not pins.blob.duplicated().any()
    assert (len(pins), pins.treebank.nunique()) == (179, 68)


def test_marathi_telugu_and_the_czech_test_are_of_the_next_release():
    later = {code for code in languages.POS_LANGUAGES if "r2.1/" in treebanks.files(code, "test")[0].path}
    assert later == {"mr", "te", "cs"}
    assert [item.path.rpartition("-")[2] for item in treebanks.files("cs", "train")] == [
        "c.conllu", "l.conllu", "m.conllu", "v.conllu"
    ]  # fmt: skip


def test_the_choices_are_the_shared_tasks_own():
    # Its further treebanks had a name after the language's code.
    for language in languages.POS_LANGUAGES:
        assert treebanks.files(language, "test")[0].path.endswith(f"/{language}-ud-test.conllu")


def test_the_description_names_licences_and_both_releases_of_czech():
    table = treebanks.described().set_index("language")
    assert len(table) == 41 and table.release["Czech"] == "r2.0-test, test r2.1"
    assert (table.release["Marathi"], table.licence["Catalan"]) == ("r2.1", "GNU GPL 3.0")


# ---- names


@pytest.mark.parametrize(
    "language, treebank, path",
    [
        ("nl", "@r2.13", "ud_original/UD_Dutch-Alpino/r2.13/nl_alpino-ud-dev.conllu"),
        (
            "nl",
            "UD_Dutch-LassySmall@r2.13",
            "ud_original/UD_Dutch-LassySmall/r2.13/nl_lassysmall-ud-dev.conllu",
        ),
        (
            "nl",
            "UD_Dutch-LassySmall",
            "ud_original/UD_Dutch-LassySmall/r2.0-test/nl_lassysmall-ud-dev.conllu",
        ),
        ("en", "@r2.1", "ud_original/UD_English-EWT/r2.1/en-ud-dev.conllu"),
        ("pt_br", "@r2.13", "ud_original/UD_Portuguese-GSD/r2.13/pt_gsd-ud-dev.conllu"),
        ("no_nynorsk", "@r2.13", "ud_original/UD_Norwegian-Nynorsk/r2.13/no_nynorsk-ud-dev.conllu"),
        ("bn", "UD_Bengali-BRU@r2.13", "ud_original/UD_Bengali-BRU/r2.13/bn_bru-ud-dev.conllu"),
    ],
)
def test_another_release_or_treebank_is_one_name(language, treebank, path):
    (item,) = treebanks.files(language, "dev", treebank)
    assert item.path == path and item.url.startswith(f"{treebanks.BASE}/UD_")
    assert bool(item.digest) == (treebank == "UD_Dutch-LassySmall")
    assert ("cannot be verified" in item.what) == (not item.digest)


@pytest.mark.parametrize("name", ["Dutch-Alpino", "UD_Dutch", "UD_Dutch-Alpino@", "UD_Dutch-Alpino r2.1"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="write it like UD_Dutch-Alpino@r2.13"):
        treebanks.parse(name)


def test_a_treebank_without_pins_needs_a_release():
    with pytest.raises(
        ValueError, match="no release of UD_Bengali-BRU is pinned: name one, like UD_Bengali-BRU@"
    ):
        treebanks.parse("UD_Bengali-BRU")


def test_a_split_that_the_shared_task_did_not_have_is_unavailable():
    with pytest.raises(
        CorpusUnavailable, match="UD_Hindi-PUD has no train file in r2.0-test: name another treebank of Hindi"
    ):
        treebanks.labelled("hi", "train", "UD_Hindi-PUD")
    with pytest.raises(CorpusUnavailable, match="no treebank is chosen for Bengali: name one"):
        treebanks.files("bn", "test")


# ---- downloads


def test_a_split_in_several_files_of_several_releases_is_read_in_order(server):
    assert treebanks.labelled("cs", "train")[:]["tokens"] == [["a", "b"], ["c"]]
    assert treebanks.labelled("cs", "test")[:]["labels"] == [["ADJ"]]
    treebanks.labelled("cs", "train")
    assert len(server.asked) == 3  # not again


def test_a_file_that_was_exchanged_is_refused(server):
    server.contents["/UD_Czech-PDT/def/cs-ud-test.conllu"] = rows("e", "ADJ").encode()
    with pytest.raises(
        CorpusUnavailable, match=r"UD_Czech-PDT r2.1 cs-ud-test.conllu: .* is not the file that is pinned"
    ):
        treebanks.labelled("cs", "test")


def test_an_unpinned_release_is_read_and_said_to_be_unverified(server, caplog):
    assert treebanks.labelled("nl", "train", "@r2.13")[0]["tokens"] == ["e"]
    assert "UD_Dutch-Alpino r2.13" in caplog.text and "not verified" in caplog.text
    with pytest.raises(CorpusUnavailable, match="does not exist"):
        treebanks.labelled("nl", "test", "@r2.13")


def test_fingerprints_of_pinned_files_need_no_download_and_follow_all_that_matters(server):
    prints = {
        treebanks.fingerprint("cs", "train"),
        treebanks.fingerprint("cs", "test"),
        treebanks.fingerprint("cs", "train", tags="xpos"),
        treebanks.fingerprint("cs", "train", version_1="convert"),
    }
    assert len(prints) == 4 and server.asked == []
    before = treebanks.fingerprint("nl", "train", "@r2.13")  # fetched, as nothing else says what it is
    Path(treebanks.files("nl", "train", "@r2.13")[0].file).write_text(rows("other", "NOUN"))
    assert before != treebanks.fingerprint("nl", "train", "@r2.13")


# ---- tags


def test_version_1_is_refused_or_converted(server):
    with pytest.raises(CorpusError, match="CONJ is a tag of UD version 1; .*version_1: convert"):
        treebanks.labelled("nl", "train", "@r1.4")
    converted = treebanks.labelled("nl", "train", "@r1.4", version_1="convert")
    assert converted[0]["labels"] == ["AUX", "CCONJ"]


def test_a_copula_with_a_subtype_is_a_copula_and_other_verbs_stay(tmp_path):
    path = tmp_path / "old.conllu"
    path.write_text(rows("is", "VERB", relation="cop:own") + rows("runs", "VERB", relation="root"))
    assert conllu.read(path, version_1="convert")[:]["labels"] == [["AUX"], ["VERB"]]


def test_language_specific_tags_are_labels_as_they_are(server):
    assert treebanks.labelled("cs", "train", tags="xpos")[:]["labels"] == [["Nn", "Nn"], ["Xx"]]


def test_a_treebank_without_language_specific_tags_has_none(tmp_path):
    path = tmp_path / "plain.conllu"
    path.write_text(rows("a b", "NOUN X"))
    with pytest.raises(CorpusUnavailable, match="every XPOS is _.*use the UPOS"):
        conllu.read(path, tags="xpos")


# ---- the real files


@real
def test_real_files_pass_through_a_server_and_their_pins(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path))
    small = [path for path in Path(DATA).glob("ud_original/*/*/*-dev.conllu") if path.stat().st_size < 10**6]
    found = {path.name: path for path in small}
    pins = treebanks.pins()[treebanks.pins().path.isin(found)]
    assert len(pins) == len(found) > 5
    contents = {
        f"/{row.treebank}/{row.commit}/{row.path}": found[row.path].read_bytes() for row in pins.itertuples()
    }
    with serving(contents) as server:
        monkeypatch.setenv("CROSSLINGUAL_MIRRORS", f"{treebanks.BASE}={server.url}")
        for row in pins.itertuples():
            corpus = treebanks.labelled(row.language, "dev", row.treebank)
            assert corpus[:] == conllu.read(found[row.path])[:]


@real
def test_every_untouched_file_is_the_pinned_one():
    pins = treebanks.pins().set_index(["treebank", "tag", "path"])
    for path in Path(DATA).glob("ud_original/*/*/*.conllu"):
        pin = pins.loc[path.parts[-3:]]
        assert blob(path.read_bytes()) == pin.blob and path.stat().st_size == pin["size"]
