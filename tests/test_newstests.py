"""News tests: sacrebleu's cache fabricated in a folder, its archives from a local server, NTREX-128."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from crosslingual.corpora import CorpusError, CorpusUnavailable, download, newstests
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.dataset import DATASETS
from webserver import serving

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(
    not DATA, reason="CROSSLINGUAL_DATA is not set: the real parallel text is not at hand"
)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """sacrebleu's folder, as $SACREBLEU would set it, and an empty cache of ours."""
    for name in newstests.TESTS:
        monkeypatch.setattr(DATASETS[name], "_outdir", str(tmp_path / "sacrebleu" / name))
        monkeypatch.setattr(DATASETS[name], "_rawdir", str(tmp_path / "sacrebleu" / name / "raw"))
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CROSSLINGUAL_MIRRORS", raising=False)
    return tmp_path / "sacrebleu"


def in_cache(store, name, direction, source, target):
    """The text files that sacrebleu writes once and reads ever after."""
    (store / name).mkdir(parents=True, exist_ok=True)
    for field, lines in dict(src=source, ref=target, docid=source, genre=source, origlang=source).items():
        (store / name / f"{name}.{direction}.{field}").write_text(
            "".join(f"{line}\n" for line in lines), encoding="utf-8"
        )


def numbered(language, start, count):
    return [f"{language} sentence {number}" for number in range(start, start + count)]


def test_both_years_are_read_from_sacrebleus_cache_and_sampled(store):
    in_cache(store, "wmt15", "en-de", numbered("en", 0, 30), numbered("de", 0, 30))
    in_cache(store, "wmt16", "en-de", numbered("en", 30, 30), numbered("de", 30, 30))
    assert newstests.downloads("en", "de") == []
    drawn = newstests.parallel("en", "de", size=40)
    numbers = [int(line.split()[-1]) for line in drawn["source"]]
    assert len(numbers) == 40 and numbers == sorted(numbers) and min(numbers) < 30 <= max(numbers)
    assert drawn["target"][:] == [line.replace("en", "de", 1) for line in drawn["source"]]
    assert drawn[:] == newstests.parallel("en", "de", size=40)[:]
    assert drawn[:] != newstests.parallel("en", "de", size=40, seed=1)[:]
    assert (
        newstests.parallel("de", "en", size=40)["source"][:] == drawn["target"][:]
    )  # the other way, the same pairs


def test_a_cache_that_was_cut_short_is_refused(store):
    for name in newstests.TESTS:
        in_cache(store, name, "en-ru", ["one", "two"], ["раз"])
    with pytest.raises(
        CorpusError, match="wmt15.en-ru.ref, line 1: 1 lines for the 2.*delete .*wmt15, so that"
    ):
        newstests.parallel("en", "ru")


def test_empty_and_repeated_sentences_are_dropped_before_the_draw():
    pairs = [("a", "1"), (" ", "2"), ("b", ""), ("a", "3"), ("c", "1"), ("d", "4")]
    assert newstests.sample(pairs)[:] == {"source": ["a", "d"], "target": ["1", "4"]}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd "), st.sampled_from("wxyz ")), max_size=12), st.integers(1, 5)
)
def test_what_is_drawn_is_unambiguous_and_as_much_as_asked_for(pairs, size):
    everything, drawn = newstests.sample(pairs, 99), newstests.sample(pairs, size)
    assert len(drawn) == min(size, len(everything))
    for side in ("source", "target"):
        assert len(set(everything[side])) == len(everything) and not any(
            line.isspace() for line in everything[side]
        )
    assert (
        set(zip(drawn["source"], drawn["target"]))
        <= set(zip(everything["source"], everything["target"]))
        <= set(pairs)
    )


# ---- archives from a server


def archive(year, lines):
    """A test's archive: SGML files, source and reference, of one direction."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as members:
        for side, language in [("src", "en"), ("ref", "de")]:
            segments = "".join(f'<seg id="{i}">{language} {line}</seg>\n' for i, line in enumerate(lines))
            text = f'<doc docid="x" genre="news" origlang="en">\n{segments}</doc>\n'.encode()
            member = tarfile.TarInfo(f"test/newstest{year}-ende-{side}.{language}.sgm")
            member.size = len(text)
            members.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    contents = {
        f"/{name}/test.tgz": archive(f"20{name[3:]}", [f"{name} {i}" for i in range(3)])
        for name in newstests.TESTS
    }
    with serving(contents) as server:
        for name in newstests.TESTS:
            path = f"/{name}/test.tgz"
            monkeypatch.setattr(DATASETS[name], "data", [server.url + path])
            monkeypatch.setattr(DATASETS[name], "md5", [hashlib.md5(contents[path]).hexdigest()])
        yield server


def test_archives_are_fetched_once_verified_and_read_by_sacrebleu(server):
    assert [item.what for item in newstests.downloads("en", "de")] == ["wmt15 news test", "wmt16 news test"]
    found = newstests.parallel("en", "de")
    assert found["source"][:] == [f"en wmt{year} {i}" for year in (15, 16) for i in range(3)]
    assert found["target"][0] == "de wmt15 0" and newstests.downloads("en", "de") == []
    server.shutdown()
    assert newstests.parallel("en", "de")[:] == found[:] and len(server.asked) == 2


@pytest.mark.parametrize("damage", ["checksum", "404", "half"])
def test_a_bad_archive_is_one_sentence_and_leaves_nothing_for_sacrebleu(server, store, damage):
    if damage == "checksum":
        server.contents["/wmt15/test.tgz"] += b"more"
    elif damage == "404":
        del server.contents["/wmt15/test.tgz"]
    else:
        server.stop = 100
    words = {
        "checksum": "not the file that is pinned",
        "404": "does not exist",
        "half": "broke off|stopped after",
    }
    with pytest.raises(CorpusUnavailable, match=f"wmt15 news test: .*({words[damage]})") as problem:
        newstests.parallel("en", "de")
    assert "\n" not in str(problem.value) and not store.exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(server, store):
    store.parent.mkdir(exist_ok=True)
    store.write_text("a file where sacrebleu's folder is due")
    with pytest.raises(CorpusUnavailable, match="cannot be unpacked into .*set SACREBLEU to another folder"):
        newstests.parallel("en", "de")


def test_sacrebleus_variable_says_where_it_keeps_its_files(tmp_path):
    code = "from crosslingual.corpora import newstests as n; print(n._files(n.DATASETS['wmt16'], 'en-ru')[0])"
    environment = os.environ | {"SACREBLEU": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == str(tmp_path / "wmt16" / "wmt16.en-ru.src")


# ---- NTREX-128


def ntrex(root, **texts):
    for code, lines in texts.items():
        path = newstests.aligned.ntrex_path(root / "parallel/ntrex", code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return root


def test_hindi_urdu_is_ntrex_and_all_pairs_can_be(tmp_path):
    ntrex(tmp_path, en=["one", "one"], de=["eins", "eins"], hi=["एक", "दो"], ur=["ایک", "دو"])
    assert newstests.parallel("hi", "ur", tmp_path)["source"][:] == ["एक", "दो"]
    assert (
        len(newstests.parallel("en", "de", tmp_path, text="ntrex")) == 2
    )  # the same lines in every language
    assert newstests.downloads("hi", "ur", tmp_path) == []
    assert [item.url for item in newstests.downloads("en", "ru", tmp_path, text="ntrex")] == [
        f"{newstests.NTREX_URL}newstest2019-ref.rus.txt"
    ]


def test_ntrex_is_downloaded_where_the_data_folder_lacks_it(tmp_path, monkeypatch):
    lines = {code: f"{code} 1\n{code} 2\n".encode() for code in ("hi", "ur")}
    contents = {f"/{newstests.aligned.ntrex_path('', code).name}": text for code, text in lines.items()}
    with serving(contents) as server:
        monkeypatch.setenv("CROSSLINGUAL_MIRRORS", f"{newstests.NTREX_URL}={server.url}/")
        with pytest.raises(download.DownloadError, match="NTREX-128 Hindi: .*not the file that is pinned"):
            newstests.parallel("hi", "ur")
        real_pin = newstests._ntrex
        monkeypatch.setattr(
            newstests,
            "_ntrex",
            lambda code: download.Download(
                real_pin(code).what, real_pin(code).url, real_pin(code).path, size=len(lines[code])
            ),
        )
        assert newstests.parallel("hi", "ur")[:] == {"source": ["hi 1", "hi 2"], "target": ["ur 1", "ur 2"]}


def test_a_language_or_text_that_there_is_not():
    with pytest.raises(ValueError, match="unknown text 'wmt14': choose from wmt, ntrex"):
        newstests.parallel("en", "de", text="wmt14")
    assert set(newstests.aligned.NTREX) >= {"en", "de", "ru", "hi", "ur"}


def test_what_stands_for_what():
    pairs = [("en", "de"), ("hi", "ur")]
    assert newstests.described(pairs).substitute.to_dict() == {"en-de": False, "hi-ur": True}
    assert set(newstests.described(pairs, text="ntrex").corpus) == {"NTREX-128"}


@real
@pytest.mark.parametrize("pair", [("en", "de"), ("en", "ru"), ("hi", "ur")])
def test_real_ntrex_has_1997_pairs_of_the_same_sentences(pair):
    assert len(newstests.parallel(*pair, Path(DATA), text="ntrex")) == 1997


@real
@pytest.mark.parametrize("code", newstests.aligned.NTREX)
def test_every_real_ntrex_file_is_the_pinned_one(code):
    assert not download.fault(newstests._ntrex(code), newstests._own(code, Path(DATA)))
