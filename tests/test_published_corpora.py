"""Published files: fetched from a local server, verified, and read: treebanks, entities, news."""

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pandas as pd
import pytest
from crosslingual import languages
from crosslingual.corpora import CorpusUnavailable, Published, entities, formats, news, treebanks
from crosslingual.corpora.fetch import Download, cache_folder, fetch
from datasets import ClassLabel, Dataset, Features, List, Value
from sacrebleu.dataset import DATASETS
from webserver import serving

CONTENT = bytes(range(256)) * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
DATA = os.environ.get("CROSSLINGUAL_DATA")
SIZES = Path(__file__).parents[1] / "book/recorded/real/sizes.parquet"


@pytest.fixture(autouse=True)
def server(tmp_path, monkeypatch):
    """A server of one file, the only one that can be reached; and an empty cache."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with serving({"/file": CONTENT}) as server:
        yield server


def wanted(server, digest=SHA256, name="file"):
    return Download("The file", f"{server.url}/{name}", "some/file", digest)


def refused(item):
    """The one sentence that fetching ends in."""
    with pytest.raises(CorpusUnavailable) as problem:
        fetch(item)
    sentence = str(problem.value)
    assert sentence.startswith("The file: ") and sentence.endswith(".") and "\n" not in sentence
    left = list(item.file.parent.glob(f"{item.file.name}*"))
    assert not left  # nothing that would be taken for whole
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


def test_git_blob_hashes_are_those_of_git(server):
    server.contents["/file"] = b"hello\n"  # printf 'hello\n' | git hash-object --stdin
    blob = "git:ce013625030ba8dba906f756967f9e9ca394464a"
    assert fetch(wanted(server, blob)).read_bytes() == b"hello\n"
    assert "checksum (git) is ce013625030b" in refused(wanted(server, "git:" + "0" * 40))


@pytest.mark.parametrize("digest", [SHA256, ""])
def test_half_a_file_is_never_taken_for_a_whole_one(server, digest):
    item, server.stop = wanted(server, digest), 1000
    assert "broke off: try again" in refused(item)
    server.stop = None
    assert fetch(item).read_bytes() == CONTENT


def test_a_killed_process_leaves_no_file_in_place(server):
    item, server.contents["/file"] = wanted(server), CONTENT * 2000
    code = "from crosslingual.corpora.fetch import Download, fetch\n"
    code += f"fetch(Download('The file', {item.url!r}, 'some/file', {SHA256!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not server.asked and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.contents["/file"] = CONTENT
    assert not item.file.exists() and fetch(item).read_bytes() == CONTENT


def test_what_is_not_what_is_pinned_is_refused_and_damage_is_mended(server):
    assert "is not the file that is pinned" in refused(wanted(server, "sha256:" + "0" * 64))
    item = wanted(server)
    fetch(item).write_bytes(CONTENT[:-1] + b"\0")
    assert fetch(item).read_bytes() == CONTENT


def test_what_the_server_says_is_said(server):
    assert "is refused (HTTP 404): look whether" in refused(wanted(server, name="moved"))
    nobody = Download("The file", "http://127.0.0.1:9/x", "x")
    assert "cannot be reached (ConnectionError): it takes a network once, or put" in refused(nobody)


# ---- treebanks


def test_pinned_files_are_those_of_a_commit_with_git_hashes():
    [item] = treebanks.files("nl", "test")
    assert item.digest.startswith("git:") and "/UD_Dutch-Alpino/" in item.url
    assert "r2.0-test" not in item.url and "r2.0-test" in item.path
    assert [i.path[-6:] for i in treebanks.files("cs", "train")] == ["conllu"] * 4
    assert "r2.1" in treebanks.files("cs", "test")[0].path  # as r2.0-test has none
    for name in ("UD_English-EWT", "UD_English-EWT@r2.0-test"):
        assert treebanks.files("en", "test", name) == treebanks.files("en", "test")


def test_every_language_has_a_treebank_to_train_and_test_on():
    for language in languages.POS_LANGUAGES:
        for split in ("train", "test"):
            assert treebanks.files(language, split), language


def test_what_the_pinned_releases_lack_is_said():
    with pytest.raises(CorpusUnavailable, match="no train file of UD_Arabic-PUD in any pinned"):
        treebanks.files("ar", "train", "UD_Arabic-PUD")
    with pytest.raises(CorpusUnavailable, match="no test file of Bengali in any"):
        treebanks.files("bn", "test")


# ---- the treebanks of the edition real, put together from released files


@pytest.fixture
def assembled(tmp_path, monkeypatch):
    """A source that has released files alone, in ``ud_original`` of its data folder."""
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    block = {"source": "published", "root": str(tmp_path), "assembled": True, "held_out": True}
    return Published.model_validate(block)


def test_a_treebank_is_put_together_from_released_files(assembled, tmp_path, monkeypatch):
    said = {"a.conllu": "x/NOUN y/NOUN z/VERB", "b.conllu": "v/CONJ w/X", "t.conllu": "y/VERB"}
    row = "1\t{}\t_\t{}" + "\t_" * 6 + "\n\n"
    files = {n: "".join(row.format(*w.split("/")) for w in s.split()) for n, s in said.items()}
    rows = [("train", "a.conllu", "2"), ("test", "t.conllu", "2"), ("train", "b.conllu", "1")]
    table = pd.DataFrame(rows, columns=["split", "path", "version"])
    table = table.assign(language="ro", treebank="UD_A", tag="r2.0", commit="0", lacking="")
    (tmp_path / "ud_original/UD_A/r2.0").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "ud_original/UD_A/r2.0" / name).write_text(text)
    content = {name: b"blob %d\0" % len(text) + text.encode() for name, text in files.items()}
    blobs = {name: hashlib.sha1(blob).hexdigest() for name, blob in content.items()}
    monkeypatch.setattr(treebanks, "assembled_files", treebanks.assembled_files.__wrapped__)
    pinned = table.assign(blob=table.path.map(blobs)).to_dict("records")
    monkeypatch.setattr(treebanks, "assembly", lambda: pinned)
    monkeypatch.setattr(treebanks, "CAPS", {"train": 3, "test": 5})
    whole = assembled.model_copy(update={"held_out": False})
    train = whole.labelled("pos", "ro", "train")
    assert train["tokens"][:] == [["x"], ["z"], ["v"]]  # y is tested, w one too many
    assert train["labels"][:] == [["NOUN"], ["VERB"], ["CCONJ"]]
    assert whole.labelled("pos", "ro", "test")[:] == {"tokens": [["y"]], "labels": [["VERB"]]}
    with pytest.raises(CorpusUnavailable, match="no dev set of Romanian"):
        whole.labelled("pos", "ro", "dev")


def test_what_cannot_be_put_together_says_why(assembled):
    with pytest.raises(CorpusUnavailable, match="train set of Slovak cannot be .*not kept"):
        assembled.labelled("pos", "sk", "train")
    rows = pd.DataFrame(treebanks.assembly())
    assert set(rows.language) == {*languages.POS_LANGUAGES}
    assert ((rows.blob == "") == (rows.lacking != "")).all()


@pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: no released treebanks")
def test_what_is_put_together_is_the_corpus_of_the_records(assembled, tmp_path):
    (tmp_path / "ud_original").symlink_to(Path(DATA) / "ud_original")
    recorded = pd.read_parquet(SIZES).query("task == 'pos'")
    compared = {}
    for language, split, made_from in recorded[["language", "split", "made_from"]].to_numpy():
        with contextlib.suppress(CorpusUnavailable):  # its files are not in the data folder
            found = assembled.digest("pos", language, split)
            compared[language, split] = found == json.loads(made_from)["corpus"]
    assert len(compared) > 10 and all(compared.values()), compared
    shown = [row for row in treebanks.assembly() if row["shown"] == "yes"]
    assert {*compared} <= {(row["language"], row["split"]) for row in shown}


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
    names = ("t.conllu", "ids.txt", "annot.json")
    texts = ("\n".join(lines), "\n".join(TWEETS), json.dumps(dict(reversed(entries.items()))))
    for name, text in zip(names, texts):
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in names]


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


# ---- entities

NAMES = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]


def parquet(path, sentences, tags, names=NAMES):
    """A file as the hub converts corpora: integer tags, their names in the schema."""
    label = Value("int64") if names is None else ClassLabel(names=names)
    features = Features({"tokens": List(Value("string")), "ner_tags": List(label)})
    rows = {"tokens": sentences, "ner_tags": tags}
    Dataset.from_dict(rows, features=features).to_parquet(str(path))
    return path


def test_integer_tags_are_decoded_to_iob2_and_empty_sentences_dropped(tmp_path):
    path = parquet(tmp_path / "x.parquet", [["EU", "Anna", "Lee"], []], [[4, 2, 2], []])
    corpus = entities.read_parquet(path)
    assert corpus[:] == {"tokens": [["EU", "Anna", "Lee"]], "labels": [["B-ORG", "B-PER", "I-PER"]]}


def test_entities_come_from_conll_where_they_can():
    items = [entities.on_the_hub(code, "dev") for code in ("en", "de", "nl", "tr")]
    found = [item.what.split()[0] for item in items]
    assert found == ["CoNLL-2003", "WikiANN", "CoNLL-2002", "WikiANN"]
    assert items[2].path == "hub/eriktks/conll2002/nl/validation/0000.parquet"


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
        server.contents[f"/{name}.tgz"] = packed.getvalue()
        monkeypatch.setattr(DATASETS[name], "data", [f"{server.url}/{name}.tgz"])
        monkeypatch.setattr(DATASETS[name], "md5", [hashlib.md5(packed.getvalue()).hexdigest()])


def wmt(source, target, size):
    paths = [fetch(item) for item in news.files(source, target)]
    return news.read(paths, source, target, size)


def test_both_years_are_read_and_sampled(server, monkeypatch):
    src, ref = ([f"{code} {n}" for n in range(30)] for code in ("en", "de"))
    archives(server, monkeypatch, src=src, ref=ref)
    drawn = wmt("en", "de", 40)
    assert len(drawn) == 40 and {line.split()[2] for line in drawn["source"]} == set(news.TESTS)
    assert drawn["target"][:] == [line.replace("en", "de") for line in drawn["source"]]
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
    with pytest.raises(formats.CorpusError, match="1 segments translate 2"):
        wmt("en", "de", 9)


def test_empty_and_repeated_sentences_are_dropped_before_the_draw():
    pairs = [("a", "1"), ("\u200b", "2"), ("b", ""), ("a", "3"), ("c", "1"), ("d", "4")]
    assert news.sample(pairs, 9)[:] == {"source": ["a", "d"], "target": ["1", "4"]}


def test_ntrex_stands_in_where_there_is_no_news_test():
    assert [item.path[-8:] for item in news.files("hi", "ur")] == [".hin.txt", ".urd.txt"]
    assert "newstest2019-src.eng" in news.files("en", "de", text="ntrex")[0].url
    assert all(item.path.startswith("wmt") for item in news.files("de", "en"))
