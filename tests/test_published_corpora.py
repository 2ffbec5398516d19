"""Published files: fetched from a local server, verified, and read: treebanks, entities, news."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from crosslingual.corpora import CorpusError, CorpusUnavailable, entities, news, treebanks
from crosslingual.corpora.fetch import Download, DownloadError, cache_folder, fetch, mirrored
from crosslingual.corpora.formats import text_digest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.dataset import DATASETS
from webserver import serving

CONTENT = bytes(range(256)) * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture(autouse=True)
def server(tmp_path, monkeypatch):
    """A server of one file, which stands for every other; and an empty cache."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    with serving({"/file": CONTENT}) as server:
        monkeypatch.setenv("CROSSLINGUAL_MIRRORS", f"https://={server.url}/")
        yield server


def wanted(server, digest=SHA256, name="file", **more):
    return Download("The file", f"{server.url}/{name}", "some/file", digest, **more)


def refused(item):
    """The one sentence that fetching ends in."""
    with pytest.raises(DownloadError) as problem:
        fetch(item)
    sentence = str(problem.value)
    assert sentence.startswith("The file: ") and sentence.endswith(".") and "\n" not in sentence
    assert not item.cached  # nothing that would be taken for whole
    return sentence


# ---- fetching


def test_one_variable_names_the_one_cache_folder(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("CROSSLINGUAL_CACHE")
    assert cache_folder().name == "crosslingual" and tmp_path not in cache_folder().parents


def test_a_file_is_fetched_once_and_then_used_offline(server):
    item = wanted(server)
    assert fetch(item).read_bytes() == CONTENT
    assert fetch(item) == item.file and server.asked == ["/file"]
    assert [path.name for path in item.file.parent.iterdir()] == ["file"]


def test_git_blob_hashes_are_those_of_git(server):
    server.contents["/file"] = b"hello\n"  # printf 'hello\n' | git hash-object --stdin
    blob = "git:ce013625030ba8dba906f756967f9e9ca394464a"
    assert fetch(wanted(server, blob)).read_bytes() == b"hello\n"
    assert "checksum (git) is ce013625030b" in refused(wanted(server, "git:" + "0" * 40))


@pytest.mark.parametrize("digest", [SHA256, ""])
def test_half_a_file_is_never_taken_for_a_whole_one(server, digest):
    item, server.stop = wanted(server, digest), 1000
    assert "broke off: try again" in refused(item)
    assert not list(item.file.parent.glob("file*"))
    server.stop = None
    assert fetch(item).read_bytes() == CONTENT


def test_a_killed_process_leaves_no_file_in_place(server):
    item, server.contents["/file"] = wanted(server), CONTENT * 2000
    code = (
        "from crosslingual.corpora.fetch import Download, fetch\n"
        f"fetch(Download('The file', {item.url!r}, 'some/file', {SHA256!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not server.asked and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.contents["/file"] = CONTENT
    assert not item.cached and fetch(item).read_bytes() == CONTENT


def test_what_is_not_what_is_pinned_is_refused_and_damage_is_mended(server):
    assert "is not the file that is pinned" in refused(wanted(server, "sha256:" + "0" * 64))
    assert "256,000 bytes where 7 are due" in refused(wanted(server, "", size=7))
    item = wanted(server)
    fetch(item).write_bytes(CONTENT[:-1] + b"\0")
    assert fetch(item).read_bytes() == CONTENT


def test_what_the_server_says_is_said(server):
    assert "does not exist (HTTP 404): look where" in refused(wanted(server, name="moved"))
    nobody = Download("The file", "http://127.0.0.1:9/x", "x")
    assert "cannot be reached (ConnectionError): it takes a network once, or put" in refused(nobody)


def test_a_dead_server_is_not_asked_for_every_file(server):
    dead, alive = "http://127.0.0.1:9", server.url
    assert "cannot be reached" in refused(Download("The file", f"{dead}/a", "a"))
    with serving({}) as other:  # now somebody is there, and is not asked
        os.environ["CROSSLINGUAL_MIRRORS"] = f"{other.url}={dead}"
        assert "cannot be reached" in refused(Download("The file", f"{other.url}/b", "b"))
        assert not other.asked
    assert fetch(Download("The file", f"{alive}/file", "c", SHA256))


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "full").write_text("a file where a folder should be")
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "full"))
    with pytest.raises(DownloadError, match="cannot be stored in .*set CROSSLINGUAL_CACHE to ano"):
        fetch(wanted(server))


def test_mirrors_take_the_place_of_a_beginning(monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_MIRRORS", "https://a=http://m https://b/=file:///")
    assert mirrored("https://a.org/x") == "http://m.org/x"
    assert mirrored("https://c.org") == "https://c.org"


# ---- treebanks


def test_pinned_files_are_those_of_a_commit_with_git_hashes():
    [item] = treebanks.files("nl", "test")
    assert item.digest.startswith("git:") and "/UD_Dutch-Alpino/" in item.url
    assert "r2.0-test" not in item.url and "r2.0-test" in item.path
    assert [i.path[-6:] for i in treebanks.files("cs", "train")] == ["conllu"] * 4
    assert "r2.1" in treebanks.files("cs", "test")[0].path  # as r2.0-test has none
    assert treebanks.files("en", "test", "@r2.0-test") == treebanks.files("en", "test")


def test_every_language_has_a_treebank_to_train_and_test_on():
    for language in treebanks.choices().index:
        for split in ("train", "test"):
            assert treebanks.files(language, split), language


@pytest.mark.parametrize(
    "treebank, path",
    [
        ("@r2.13", "UD_Dutch-Alpino/r2.13/nl_alpino-ud-dev.conllu"),
        ("UD_Dutch-X@r2.2", "UD_Dutch-X/r2.2/nl_x-ud-dev.conllu"),
        ("@r2.1", "UD_Dutch-Alpino/r2.1/nl-ud-dev.conllu"),
    ],
)
def test_other_releases_are_named_as_they_name_their_files(treebank, path):
    [item] = treebanks.files("nl", "dev", treebank)
    assert item.path == f"ud_original/{path}" and "cannot be verified" in item.what


def test_what_the_pinned_release_lacks_is_said():
    with pytest.raises(CorpusUnavailable, match="UD_Arabic-PUD has no train file in r2.0-test"):
        treebanks.files("ar", "train", "UD_Arabic-PUD@r2.0-test")
    with pytest.raises(CorpusUnavailable, match="no treebank is chosen for Bengali"):
        treebanks.files("bn", "test")


# ---- code-switched tweets, made up in the shape of the release

TWEETS = {  # id: tokens, norms, tags, whether the release has all words
    "11": (["kya", "baat", "!"], ["क्या", "बात", "_"], ["PRON", "NOUN", "PUNCT"], True),
    "22": (["gud", "morning"], ["good", "_"], ["ADJ", "NOUN"], False),
}


def switched(folder, forms=None):
    """The three files of a split; ``forms`` are the FORMs that a merge script has filled in."""
    lines, entries = [], {}
    for tweet, (tokens, norms, tags, gone) in TWEETS.items():
        filled = (forms or {}).get(tweet, ["_"] * len(tokens))
        rows = enumerate(zip(filled, tags), start=1)
        lines += [f"{n}\t{form}\t_\t{tag}" + "\t_" * 6 for n, (form, tag) in rows] + [""]
        letters = tokens if gone else [token[0] for token in tokens]
        entries[tweet] = {"tweet": letters, "norm": norms, "pos": tags, "deleted": gone}
    contents = (
        "\n".join(lines) + "\n",
        "\n".join(TWEETS),
        json.dumps(dict(reversed(entries.items()))),
    )
    paths = [folder / name for name in ("t.conllu", "ids.txt", "annot.json")]
    for path, content in zip(paths, contents):
        path.write_text(content, encoding="utf-8")
    return paths


def test_words_are_the_release_s_where_it_has_them(tmp_path):
    paths = switched(tmp_path)
    said = treebanks.read_switched(paths, "transliterated", 0.5)
    assert said[:] == {"tokens": [["kya", "baat", "!"]], "labels": [["PRON", "NOUN", "PUNCT"]]}
    assert treebanks.read_switched(paths, "corrected", 0.5)[0]["tokens"] == ["क्या", "बात", "!"]
    with pytest.raises(CorpusUnavailable, match="1 of the 2 .* 80% are asked .*own merge script"):
        treebanks.read_switched(paths, "corrected", 0.8)


def test_forms_that_the_merge_script_filled_in_are_read(tmp_path):
    paths = switched(tmp_path, {"11": ["kya", "baat", "!"], "22": ["gud", "morning"]})
    corrected = treebanks.read_switched(paths, "corrected", 1)
    assert corrected["tokens"][:] == [["क्या", "बात", "!"], ["good", "morning"]]
    other = switched(tmp_path, {"22": ["another", "tweet"]})
    assert len(treebanks.read_switched(other, "corrected", 0)) == 1


def test_an_annotation_of_other_sentences_is_refused(tmp_path):
    paths = switched(tmp_path)
    paths[1].write_text("22\n11")
    with pytest.raises(CorpusError, match="differ in number, length or tags; fill in the FORMs"):
        treebanks.read_switched(paths, "corrected", 0)
    paths[2].write_text("{")
    with pytest.raises(CorpusError, match="annot.json, line 1: this is not the annotation"):
        treebanks.read_switched(paths, "corrected", 0)


# ---- entities

NAMES = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]


def parquet(path, sentences, tags, names=NAMES):
    """A file as the hub converts corpora: integer tags, their names in the schema."""
    from datasets import ClassLabel, Dataset, Features, List, Value

    label = Value("int64") if names is None else ClassLabel(names=names)
    features = Features({"tokens": List(Value("string")), "ner_tags": List(label)})
    rows = {"tokens": sentences, "ner_tags": tags}
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict(rows, features=features).to_parquet(str(path))
    return path


def test_integer_tags_are_decoded_to_iob2_and_empty_sentences_dropped(tmp_path):
    path = parquet(tmp_path / "x.parquet", [["EU", "Anna", "Lee"], []], [[4, 2, 2], []])
    corpus = entities.read_parquet(path)
    assert corpus[:] == {"tokens": [["EU", "Anna", "Lee"]], "labels": [["B-ORG", "B-PER", "I-PER"]]}


def test_other_parquet_files_are_refused(tmp_path):
    for path in (
        parquet(tmp_path / "unnamed.parquet", [["a"]], [[0]], names=None),
        parquet(tmp_path / "ragged.parquet", [["a", "b"]], [[0]]),
        parquet(tmp_path / "kinds.parquet", [["a"]], [[1]], names=["O", "B-VEHICLE"]),
    ):
        with pytest.raises(CorpusError, match=f"{path.name}, line 1: .*fetched again"):
            entities.read_parquet(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(CorpusError, match="no parquet file"):
        entities.read_parquet(path)


def test_a_conversion_with_other_counts_than_the_task_s_is_refused(tmp_path):
    path = tmp_path / "hub/eriktks/conll2002/nl/test/0000.parquet"
    with pytest.raises(CorpusError, match="not what the shared task gave out .1 PER for 1098"):
        entities.read_parquet(parquet(path, [["Anna"]], [[1]]))


def test_where_entities_come_from_and_what_stands_in(tmp_path):
    def place(language):
        found = entities.file(language, "test", tmp_path)
        return found.what if isinstance(found, Download) else found.relative_to(tmp_path).as_posix()

    codes = ("en", "de", "nl", "tr")
    found = [place(code).split()[0] for code in codes]
    assert found == ["CoNLL-2003", "WikiANN", "CoNLL-2002", "WikiANN"]
    assert entities.substitutes(tmp_path) == {"de": "WikiANN"}
    for name in ("ner16/en.test.conll", "ner16/de.test.conll", "conll2003/deu.testb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a O\n")
    assert [place(code) for code in codes[:2]] == ["ner16/en.test.conll", "conll2003/deu.testb"]
    assert entities.substitutes(tmp_path) == {"en": "a file of your own"}
    with pytest.raises(CorpusUnavailable, match="no entity corpus of Swedish: name one"):
        entities.file("sv", "test", tmp_path)


def test_german_of_2003_may_be_latin_1_and_nothing_else_may(tmp_path):
    for name, content, expected in [
        ("deu.testb", "Köln".encode("latin-1"), "latin-1"),
        ("deu.testa", "Köln".encode(), "utf-8"),
        ("esp.testa", "Málaga".encode("latin-1"), "utf-8"),  # which the reader then refuses
    ]:
        (tmp_path / name).write_bytes(content)
        assert entities.encoding(tmp_path / name) == expected


# ---- news


def archives(server, monkeypatch, **sides):
    """Both news tests, each with the given lines, packed as the publisher packs them."""
    for name in news.TESTS:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for member, side in zip(DATASETS[name].langpairs["en-de"], ("src", "ref")):
                lines = [f'<seg id="{i}">{ln} {name} </seg>' for i, ln in enumerate(sides[side])]
                content = "\n".join(["<doc>", *lines, "</doc>"]).encode()
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        server.contents["/" + DATASETS[name].data[0].partition("//")[2]] = packed.getvalue()
        monkeypatch.setattr(DATASETS[name], "md5", [hashlib.md5(packed.getvalue()).hexdigest()])


def wmt(source, target, size, seed=0):
    paths = [fetch(item) for item in news.files(source, target)]
    return news.read(paths, source, target, size, seed)


def test_both_years_are_read_and_sampled(server, monkeypatch):
    archives(
        server, monkeypatch, src=[f"en {n}" for n in range(30)], ref=[f"de {n}" for n in range(30)]
    )
    drawn = wmt("en", "de", 40)
    assert len(drawn) == 40 and {line.split()[2] for line in drawn["source"]} == set(news.TESTS)
    assert drawn["target"][:] == [line.replace("en", "de") for line in drawn["source"]]
    assert drawn[:] == wmt("en", "de", 40)[:] != wmt("en", "de", 40, seed=1)[:]
    assert wmt("de", "en", 40)["source"][:] == drawn["target"][:]  # the other way, the same pairs
    assert len(server.asked) == 2


def test_segments_are_cut_as_sacrebleu_cuts_them(server, monkeypatch, tmp_path):
    lines = ["a  b", "<i>x</i>", "y\u2028z", "&amp; q"]
    archives(server, monkeypatch, src=lines, ref=lines)
    found = wmt("en", "de", 99)["source"][:4]
    with tarfile.open(news.files("en", "de")[0].file) as archive:
        archive.extractall(tmp_path, filter="data")
    member = tmp_path / DATASETS["wmt15"].langpairs["en-de"][0]
    DATASETS["wmt15"]._convert_format(str(member), str(tmp_path / "text"))
    assert found == (tmp_path / "text").read_text("utf-8").split("\n")[:-1]


def test_tests_of_unequal_length_are_refused(server, monkeypatch):
    archives(server, monkeypatch, src=["a", "b"], ref=["a"])
    with pytest.raises(CorpusError, match="1 segments translate 2"):
        wmt("en", "de", 9)


def test_empty_and_repeated_sentences_are_dropped_before_the_draw():
    pairs = [("a", "1"), ("\u200b", "2"), ("b", ""), ("a", "3"), ("c", "1"), ("d", "4")]
    assert news.sample(pairs, 9, 0)[:] == {"source": ["a", "d"], "target": ["1", "4"]}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc "), st.sampled_from("xyz ")), max_size=9),
    st.integers(1, 5),
)
def test_a_sample_has_distinct_sides_in_the_order_of_the_text(pairs, size):
    drawn = news.sample(pairs, size, 0)
    found = list(zip(drawn["source"], drawn["target"]))
    assert len(found) <= size and len({a for a, _ in found}) == len({b for _, b in found}) == len(
        found
    )
    assert [pairs.index(pair) for pair in found] == sorted(pairs.index(pair) for pair in found)


def test_ntrex_stands_in_where_there_is_no_news_test(tmp_path):
    assert [item.path[-8:] for item in news.files("hi", "ur")] == [".hin.txt", ".urd.txt"]
    assert "newstest2019-src.eng" in news.files("en", "de", text="ntrex")[0].url
    assert all(item.path.startswith("wmt") for item in news.files("de", "en"))
    own = tmp_path / "parallel/ntrex/newstest2019-ref.hin.txt"
    own.parent.mkdir(parents=True)
    own.write_text("एक\n", encoding="utf-8")
    assert news.files("hi", "ur", tmp_path)[0] == own
    assert text_digest(news.read([own, own], "hi", "ur", 1, 0))
