"""Downloads from a local server that serves ranges, ignores them, stops midway, lies, or is not there."""

import hashlib
import os
from pathlib import Path

import pytest
from crosslingual.corpora import CorpusUnavailable, download
from crosslingual.corpora.download import CHUNK, Download, DownloadError, fetch
from hypothesis import given, settings
from hypothesis import strategies as st
from webserver import serving

CONTENT = bytes(range(256)) * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CROSSLINGUAL_MIRRORS", raising=False)
    with serving({"/file": CONTENT}) as server:
        yield server


def wanted(server, digest=SHA256, name="file", **more):
    return Download("The file", f"{server.url}/{name}", "some/file", digest, **more)


def starts(server):
    """From which byte on each request asked for the file; None for the whole."""
    return [start for _, start in server.asked]


def kept(item):
    """Names in the file's folder in the cache, without locks."""
    return sorted(path.name for path in item.file.parent.glob("*") if path.suffix != ".lock")


def refused(item):
    """The one sentence that fetching ends in."""
    with pytest.raises(DownloadError) as problem:
        fetch(item)
    sentence = str(problem.value)
    assert sentence.startswith("The file: ") and sentence.endswith(".") and "\n" not in sentence
    assert not item.cached  # nothing that would be taken for whole
    return sentence


def test_a_file_is_fetched_once_and_then_used_offline(server):
    item = wanted(server)
    assert not item.cached
    assert fetch(item).read_bytes() == CONTENT
    assert item.cached and kept(item) == ["file"]
    server.shutdown()
    server.server_close()
    assert fetch(item) == item.file and server.asked == [("/file", None)]


def test_git_blob_hashes_are_those_of_git(server):
    # `printf 'hello\n' | git hash-object --stdin`
    server.contents["/file"] = b"hello\n"
    assert fetch(wanted(server, "git:ce013625030ba8dba906f756967f9e9ca394464a")).read_bytes() == b"hello\n"


def test_a_transfer_that_broke_off_goes_on_where_it_stopped(server):
    item = wanted(server)
    server.stop = CHUNK
    assert f"broke off: {CHUNK:,} bytes are kept" in refused(item)
    server.stop = 3 * CHUNK  # and again
    assert f"{3 * CHUNK:,} bytes are kept" in refused(item)
    server.stop = None
    assert fetch(item).read_bytes() == CONTENT
    assert starts(server) == [None, CHUNK, 3 * CHUNK] and kept(item) == ["file"]


def test_a_server_without_ranges_sends_all_again(server):
    item, server.ranges, server.stop = wanted(server), False, CHUNK + 1
    refused(item)
    server.stop = None
    assert fetch(item).read_bytes() == CONTENT and starts(server) == [None, CHUNK]


@settings(max_examples=20, deadline=None)
@given(stops=st.lists(st.integers(0, len(CONTENT) - 1), max_size=4), ranges=st.booleans())
def test_whatever_breaks_off_the_file_becomes_whole(tmp_path_factory, stops, ranges):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSLINGUAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        with serving({"/file": CONTENT}) as server:
            item, server.ranges = wanted(server), ranges
            for server.stop in stops:
                refused(item)
            server.stop = None
            assert fetch(item).read_bytes() == CONTENT


def test_half_of_another_file_is_noticed_and_not_kept(server):
    item = wanted(server)
    item.file.parent.mkdir(parents=True)
    item.file.with_name("file.part").write_bytes(b"another" * 1000)
    assert "is not the file that is pinned (its checksum" in refused(item)
    assert kept(item) == [] and fetch(item).read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_is_started_over(server):
    item = wanted(server)
    item.file.parent.mkdir(parents=True)
    item.file.with_name("file.part").write_bytes(CONTENT + b"more")
    assert fetch(item).read_bytes() == CONTENT


def test_a_part_that_was_whole_when_the_process_was_killed_needs_no_network(server):
    item = wanted(server)
    item.file.parent.mkdir(parents=True)
    item.file.with_name("file.part").write_bytes(CONTENT)
    assert fetch(item).read_bytes() == CONTENT and server.asked == []


def test_a_file_that_is_not_there(server):
    item = wanted(server, name="moved")
    assert "/moved does not exist (HTTP 404)" in refused(item) and kept(item) == []


def test_a_wrong_checksum(server):
    item = wanted(server, "git:" + "0" * 40)
    assert "is not the file that is pinned (its checksum (git) is " in refused(item) and kept(item) == []


def test_a_file_cut_short_by_its_publisher(server):
    item, server.contents["/file"] = wanted(server, size=len(CONTENT)), CONTENT[:1000]
    assert "it has 1,000 bytes where 256,000 are due" in refused(item) and kept(item) == []


def test_a_cached_file_that_was_damaged_is_fetched_again(server):
    item = wanted(server)
    fetch(item).write_bytes(CONTENT[:-1])
    assert fetch(item).read_bytes() == CONTENT and starts(server) == [None, None]


def test_no_network(server):
    item = wanted(server)
    server.shutdown()
    server.server_close()
    sentence = refused(item)
    assert "cannot be reached (ConnectionError): it takes a network once" in sentence
    assert str(item.file) in sentence and kept(item) == []


def test_a_server_out_of_reach_is_asked_again_after_a_while_only(server, monkeypatch):
    item, contents = wanted(server), server.contents
    server.shutdown()
    server.server_close()
    sentence = refused(item)
    with serving(contents, server.server_port) as again:
        assert refused(item) == sentence and again.asked == []
        monkeypatch.setattr(download, "PATIENCE", 0)
        assert fetch(item).read_bytes() == CONTENT


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk"
)
def test_a_full_disk(server):
    item = wanted(server)
    item.file.parent.mkdir(parents=True)
    item.file.with_name("file.part").symlink_to("/dev/full")
    sentence = refused(item)
    assert "No space left on device" in sentence and "CROSSLINGUAL_CACHE" in sentence and kept(item) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written(server):
    item = wanted(server)
    item.file.parent.parent.mkdir(parents=True)
    item.file.parent.parent.chmod(0o500)
    assert "cannot be stored" in refused(item)


def test_a_file_in_place_of_the_cache_folder(server, tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(DownloadError, match="The file: cannot be stored in .*CROSSLINGUAL_CACHE"):
        fetch(wanted(server))


def test_without_a_checksum_nothing_is_resumed_and_that_is_said(server, caplog):
    item, server.stop = wanted(server, digest=""), 1000
    assert "broke off" in refused(item)
    server.stop = None
    assert fetch(item).read_bytes() == CONTENT and starts(server) == [None, None]
    assert "no checksum is known, so what is downloaded is not verified" in caplog.text


def test_a_mirror_stands_for_the_publisher(server, monkeypatch):
    item = Download("The file", "https://publisher.invalid/data/file", "some/file", SHA256)
    monkeypatch.setenv(
        "CROSSLINGUAL_MIRRORS", f"https://other.invalid=x https://publisher.invalid/data={server.url}"
    )
    assert fetch(item).read_bytes() == CONTENT
    monkeypatch.setenv("CROSSLINGUAL_MIRRORS", "https://publisher.invalid")
    with pytest.raises(DownloadError, match="https://from=https://to"):
        download.mirrored(item.url)


def test_a_missing_download_is_a_missing_corpus():
    # So that a table whose corpus cannot be fetched says so, and the rest of the book builds.
    assert issubclass(DownloadError, CorpusUnavailable)


def test_downloads_are_kept_in_the_platforms_cache_folder(monkeypatch):
    monkeypatch.delenv("CROSSLINGUAL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert download.folder().parts[-2:] == ("crosslingual", "downloads")
    assert Path.cwd() not in download.folder().parents
