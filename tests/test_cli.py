"""The command line as a new user types it, mistakes included, and `make`, which calls it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from crosslingual import book, cli, experiments

ROOT = Path(__file__).parents[1]
EDITION = """\
{title: small, artificial: true, seeds: [1], encoders: {m-bert: nowhere}, corpora: {source:
 artificial, sizes: {pos: {train: 5, dev: 2, test: 2}, ner: {train: 5, dev: 2, test: 2},
 parallel: 2}}}
"""
CONFIG = """\
edition: small.yml
languages: [ja]
sentences: 80
recipe:
  {vocabulary: 200, layers: 1, heads: 2, intermediate: 16, tokens_per_batch: 256, steps: 2,
   *}
"""
JOBS = ["scores pos m-bert en 1", "scores ner m-bert en 1", "overlaps m-bert 0"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yml").write_text(EDITION)
    return tmp_path


@pytest.fixture
def told(monkeypatch, capsys):
    """`told(*arguments)`: the exit status of `crosslingual` and what it says."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["crosslingual", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.err if ended.value.code else said.out

    return run


@pytest.fixture
def lacking(monkeypatch):
    """Three results lack, which took a minute each; returns what is then computed."""
    computed = []
    monkeypatch.setattr(experiments, "plan", lambda edition: JOBS)
    monkeypatch.setattr(experiments, "cost", lambda edition, jobs, n: f"{len(jobs)} minutes")
    monkeypatch.setattr(experiments, "run", lambda e, jobs: computed.extend(jobs))
    return computed


@pytest.mark.parametrize("arguments, sentence", [
    ("verify --sample -1", "Invalid value for '--sample'"),
    ("pretrain small.yml -e x", "No such option: -e"),
    ("chapter 09-none", "no chapter '09-none': choose from 01-introduction"),
    ("chapter 2-models", "no chapter '2-models': did you mean 02-models-and-data? choose from"),
])  # fmt: skip
def test_a_mistake_is_one_sentence_and_exit_code_2(folder, told, arguments, sentence):
    code, said = told(*arguments.split())
    flat = re.sub(r"[\s│]+", " ", said)
    assert code == 2 and sentence in flat and "Traceback" not in said
    assert said.count("\n") == 1 or "Usage" in said


@pytest.mark.parametrize("arguments, slow", [
    ("chapter 2-models", "pandas"), ("book -e nowhere.yml", "papermill"),
    ("chapter index -e nowhere.yml", "papermill"),
])  # fmt: skip
def test_a_mistake_is_told_before_what_takes_long_is_loaded(arguments, slow):
    code = f"""
import sys
from crosslingual import cli
sys.argv = ["crosslingual", *{arguments.split()}]
try:
    cli.main()
except SystemExit:
    sys.exit("{slow}" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr.startswith("crosslingual: there is no ")


def test_an_error_that_nobody_foresaw_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "app", lambda: int("x"))
    with pytest.raises(ValueError, match="invalid literal"):
        cli.main()


@pytest.mark.parametrize("words, chosen", [
    ([], JOBS), (["pos"], JOBS[:1]), (["scores", "m-bert"], JOBS[:2]), (["po"], []),
])  # fmt: skip
def test_some_of_what_lacks_is_computed_by_its_words(folder, told, lacking, words, chosen):
    assert told("run", *words, "-e", "small.yml")[0] == 0 and lacking == chosen


@pytest.mark.parametrize("command", ["book", "run"])
def test_a_dry_run_says_what_lacks_and_its_cost_and_stops(folder, told, lacking, command):
    code, said = told(command, "-e", "small.yml", "--dry-run")
    assert code == 0 and "small, to compute from what is at hand: 3 minutes" in said and not lacking
    assert all(job in said for job in JOBS)


def test_options_reach_the_build(folder, told, monkeypatch):
    asked = []
    monkeypatch.setattr(book, "build", lambda *given: asked.append(given[1:]))
    assert told("book", "--fresh", "-p", "codes=[en, de]; seeds=2", "--spot", 7)[0] == 0
    assert asked == [(book.DEFAULT, {"codes": "[en, de]", "seeds": "2"}, True, 7, "")]


def test_an_encoder_is_pretrained_from_a_specification(folder, told):
    (folder / "tiny.yml").write_text(CONFIG.replace("*", "hidden: 16"))
    assert told("pretrain", "tiny.yml")[0] == 0 and (folder / "tiny/model.safetensors").exists()
    assert "in 2 steps" in (folder / "tiny/README.md").read_text()


@pytest.mark.parametrize("line, sentence", [
    ("hiden: 16", "tiny.yml, line 6: unknown key recipe.hiden"),
    ("hidden: 15", "tiny.yml, line 4: .*15"),
    ("hidden: 16\nlanguage: [en]", "not YAML"),
])  # fmt: skip
def test_a_mistake_in_a_specification_names_file_and_line(folder, told, line, sentence):
    (folder / "tiny.yml").write_text(CONFIG.replace("*", line))
    code, said = told("pretrain", "tiny.yml")
    assert code == 2 and re.search(sentence, said) and not (folder / "tiny").exists()


# make


@pytest.fixture
def make(tmp_path):
    """`make(*arguments)`: what reaches `crosslingual`, argument by argument."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    program = tmp_path / "venv/bin/crosslingual"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nfor each in "$@"; do echo "<$each>"; done\n')
    program.chmod(0o755)
    (tmp_path / "stamp").touch()

    def run(*arguments):
        command = ["make", "--silent", *arguments, "VENV=venv", "STAMP=stamp"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return SimpleNamespace(code=done.returncode, said=re.findall("<(.*)>", done.stdout))

    return run


@pytest.mark.parametrize("given", ["seeds=1", "train=[en, de]", "a='it''s'; b=$HOME", 'c="x"'])
def test_parameters_survive_make_with_blanks_and_quotes(make, given):
    done = make("chapter", "NAME=02-models-and-data", f"P={given.replace('$', '$$')}")
    assert done.said == ["chapter", "02-models-and-data", "--parameter", given]


def test_make_passes_editions_on_and_the_default_is_spelled_in_the_library_alone(make):
    said = make("book", "EDITION=my own.yml", "FRESH=1").said
    assert said == ["book", "--edition", "my own.yml", "--fresh"]
    assert make("book").said == ["book"] and make("book", "DRY=1").said == ["book", "--dry-run"]
    assert make("book", "SPOT=7").said == ["book", "--spot", "7"]
    assert make("chapter").code == 2
    assert not re.search(rf"\b{book.DEFAULT}\b", (ROOT / "Makefile").read_text())


def test_help_and_mistakes_wait_for_no_library_of_seconds():
    slow = {"torch", "pandas", "requests", "httpx", "papermill", "crosslingual.book"}
    code = "import sys; from crosslingual import cli; cli.checked('real', '03-vocabulary')\n"
    code += f"print({slow} & {{*sys.modules}})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
