"""The command line for worlds and pre-training, as a new user types it, mistakes included."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crosslingual import cli, corpora
from crosslingual.corpora import conll, conllu, parallel
from crosslingual.editions import Edition

EDITION = """\
title: small
artificial: true
seeds: [1]
encoders: {m-bert: nowhere}
corpora:
  source: pocket
  world: {seed: 4}
  sizes: {pos: {train: 5, dev: 2, test: 2}, ner: {train: 5, dev: 2, test: 2}, parallel: 2,
          code-switching: {train: 5, dev: 2, test: 2}}
"""
CONFIG = """\
edition: small.yml
languages: [ja]
sentences: 80
recipe:
  vocabulary: 200
  {hidden}
  layers: 1
  heads: 2
  intermediate: 16
  tokens_per_batch: 256
  steps: 2
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yml").write_text(EDITION)
    return tmp_path


def crosslingual(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def world(*arguments):
    return crosslingual("world", *arguments, "--edition", "small.yml")


def test_a_world_is_exported_for_other_tools_to_read(folder):
    for form in ("conllu", "conll", "text"):
        done = world("tr", "--sentences", 30, "--format", form, "--out", f"new/tr.{form}")
        assert done.exit_code == 0 and f"new/tr.{form}" in done.output
    treebank, names = conllu.read("new/tr.conllu"), conll.read("new/tr.conll")
    lines = Path("new/tr.text").read_text(encoding="utf-8").splitlines()
    assert [" ".join(tokens) for tokens in treebank["tokens"]] == lines and len(lines) == 30
    assert len(names) == 30 and corpora.statistics(names)["entities"] > 10
    assert not list(Path("new").glob("*.new"))


def test_an_export_is_no_part_of_the_edition_s_corpora(folder):
    world("tr", "--sentences", 50, "--out", "tr.txt")
    own = Edition.load("small.yml").corpus("pos", "tr", "train")["tokens"]
    assert not {" ".join(tokens) for tokens in own} & set(Path("tr.txt").read_text(encoding="utf-8").splitlines())


def test_parallel_text_is_two_aligned_files(folder):
    assert world("en", "--parallel", "ru", "--sentences", 12, "--out", "pairs").exit_code == 0
    pairs = parallel.read("pairs.en", "pairs.ru")
    assert len(pairs) == 12 and pairs[0]["source"].isascii() and not pairs[0]["target"].isascii()


@pytest.mark.parametrize("arguments, sentence", [
    (["xx", "--out", "a"], "unknown language 'xx': choose from ar"),
    (["en", "--out", "a", "--format", "xml"], "unknown format 'xml': choose from conllu, conll, text"),
    (["en", "--out", "a", "--sentences", "0"], "0 is no number of sentences: give 1 or more"),
    (["en", "--out", "a", "--parallel", "xx"], "unknown language 'xx'"),
    (["en", "--out", "a", "--parallel", "en"], "en cannot be translated into itself"),
    (["en", "--out", "a", "--parallel", "de", "--format", "conll"], "leave --format conll out"),
])
def test_mistakes_are_told_and_write_nothing(folder, arguments, sentence):
    done = world(*arguments)
    assert done.exit_code != 0 and sentence in str(done.exception)
    assert cli._is_ours(done.exception)  # so that `main` prints the sentence alone
    assert [path.name for path in folder.iterdir()] == ["small.yml"]


def told(monkeypatch, capsys, *arguments):
    """What `crosslingual` says on standard error; its exit status has to be 2."""
    monkeypatch.setattr(sys, "argv", ["crosslingual", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("options, sentence", [
    (["--out", "taken"], "crosslingual: taken is a folder: give the name of a file to write\n"),
    (["--out", "."], "crosslingual: . is a folder: give the name of a file to write\n"),
    (["--out", "taken", "--parallel", "de"], "crosslingual: taken.de is a folder: give the name of a file to write\n"),
    (["--out", "small.yml/tr"], "crosslingual: small.yml cannot be used: File exists\n"),
])  # fmt: skip
def test_where_no_file_can_be_written_one_sentence_says_so(folder, monkeypatch, capsys, options, sentence):
    (folder / "taken").mkdir()
    (folder / "taken.de").mkdir()
    assert told(monkeypatch, capsys, "world", "tr", "--sentences", "2", "--edition", "small.yml", *options) == sentence
    assert sorted(path.name for path in folder.iterdir()) == ["small.yml", "taken", "taken.de"]


def test_an_error_of_the_system_without_a_file_is_no_mistake_of_the_users():
    assert cli._is_ours(PermissionError(13, "Permission denied", "x")) and not cli._is_ours(OSError(5, "Input/output error"))


@pytest.mark.parametrize("arguments", [
    ["run", "--workers", "0"], ["run", "--seed", "-1"], ["book", "--jobs", "0"], ["book", "--jobs", "-1"]
])  # fmt: skip
def test_numbers_out_of_range_are_refused(folder, monkeypatch, capsys, arguments):
    assert f"Invalid value for '{arguments[1]}'" in told(monkeypatch, capsys, *arguments, "--edition", "small.yml", "--dry-run")


def test_real_corpora_are_no_world(folder):
    (folder / "small.yml").write_text("title: real\nseeds: [1]\nencoders: {m-bert: x}\ncorpora:\n  source: folder\n")
    assert "small.yml, line 5: these corpora are files already" in str(world("en", "--out", "a").exception)


def pretrain(folder, hidden="hidden: 16", *options):
    (folder / "tiny.yml").write_text(CONFIG.replace("{hidden}", hidden))
    return crosslingual("pretrain", "tiny.yml", *options)


def test_an_encoder_is_pretrained_from_a_specification(folder):
    assert pretrain(folder).exit_code == 0
    assert (folder / "tiny/model.safetensors").exists() and "in 2 steps" in (folder / "tiny/README.md").read_text()
    assert "another recipe or other texts" in str(pretrain(folder, "hidden: 32").exception)


@pytest.mark.parametrize("line, sentence", [
    ("hiden: 16", "tiny.yml, line 6: unknown entry 'hiden'"),
    ("hidden: 15", "tiny.yml, line 8: a hidden size of 15 does not divide into 2 heads"),
    ("hidden: 16\nlanguage: [en]", "not YAML"),
    ("learning_rate: 1e-3", "tiny.yml, line 6: .* write 1.0e-3"),
])
def test_a_mistake_in_a_specification_names_file_and_line(folder, line, sentence):
    done = pretrain(folder, line)
    assert done.exit_code != 0 and cli._is_ours(done.exception)
    with pytest.raises(ValueError, match=sentence):
        raise done.exception
    assert not (folder / "tiny").exists()


def test_an_unknown_device_is_told_before_anything_is_made(folder):
    done = pretrain(folder, "hidden: 16", "--device", "tpu")
    assert "there is no device 'tpu' here: choose cpu" in str(done.exception)
    assert not (folder / "tiny").exists()


def test_recording_and_probing_say_what_they_need(folder):
    done = crosslingual("record", "small.yml")
    assert "records need digests: put an empty file" in str(done.exception)
    done = crosslingual("probe", "nowhere", "--edition", "small.yml")
    assert done.exit_code == 2 and "nowhere" in done.output
