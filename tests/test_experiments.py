"""Experiments: what lacks is computed, once; what cannot be is a row with a reason."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest
import torch
from crosslingual import cli, experiments, results, verify
from crosslingual.edition import Edition
from crosslingual.models import bilstm_crf, finetune, pieces, score, transliteration
from transformers import BertConfig, BertModel, BertTokenizerFast

EDITION = """\
title: tiny
artificial: true
seeds: [1, 2]
corpora:
  source: artificial
  world: {{seed: 7}}
  sizes: {{pos: {{train: 24, dev: 4, test: 6}}, ner: {{train: 24, dev: 4, test: 6}}, parallel: 12}}
languages: {{pos: [en, de], ner: [en, de], code-switching: []}}
pairs: [[en, de]]
encoders: {{m-bert: ./encoder}}
recipe: {{epochs: 1, learning_rate: 1e-2}}
{more}
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Writes an edition of two languages with a toy encoder, its results kept below tmp_path."""
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "results"))
    monkeypatch.setattr(results, "recorded", lambda edition: tmp_path / "recorded" / edition)
    monkeypatch.setattr(experiments, "CANDIDATES", [0, 5])
    monkeypatch.setattr(experiments, "SHORT", 1e9)  # in this process, which has loaded all
    monkeypatch.setattr(bilstm_crf, "STEPS", 2)

    def write(more="", text=EDITION):
        (tmp_path / "tiny.yml").write_text(text.format(more=more), encoding="utf-8")
        return Edition.load(tmp_path / "tiny.yml")

    encoder(tmp_path / "encoder")
    return write


def encoder(folder):
    letters = [chr(code) for code in range(33, 0x250)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    BertTokenizerFast(vocab=vocabulary, do_lower_case=False).save_pretrained(folder)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(pieces), intermediate_size=32, **shape)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def test_scores_are_computed_once_and_read_from_then_on(tiny):
    edition = tiny()
    first = experiments.scores(edition, "pos", ["en"], seeds=1, encoders=["m-bert"])
    assert list(first.evaluate) == ["en", "de"] and set(first.origin) == {"computed here"}
    assert all(counts.shape == (6, 2) for counts in first.counts)
    assert [score.percent(counts) for counts in first.counts] == list(first.score)
    (path,) = results.local("tiny").rglob("scores/*.parquet")
    written = path.stat().st_mtime_ns
    anew = Edition.load(edition.path)
    again = experiments.scores(anew, "pos", ["en"], seeds=1, encoders=["m-bert"])
    pd.testing.assert_frame_equal(first, again)
    assert path.stat().st_mtime_ns == written


def test_earlier_work_is_trained_on_each_language_and_evaluated_on_it_alone(tiny):
    found = experiments.earlier_work(tiny(), "ner")
    assert list(zip(found.train, found.evaluate, found.seed, strict=True)) == [
        (code, code, seed) for code in ("en", "de") for seed in (1, 2)
    ]
    assert set(found.origin) == {"computed here"}
    assert [counts.shape for counts in found.counts] == [(6, 3)] * 4
    made = json.loads(found.made_from[0])
    assert set(made) == {"train", "evaluate", "versions"}
    assert made["versions"] == f"bilstm-crf {bilstm_crf.VERSION} scoring {score.VERSION}"
    results.record("tiny", "scores", found)
    assert len(verify.chosen(tiny(), {"train": ["de"]})) == 2
    verified = verify.verify(tiny(), verify.chosen(tiny(), {"train": ["en"], "seed": [1]}))
    assert verified.agrees.all() and list(verified.equal) == [100]


def test_earlier_work_on_mixed_text_is_made_from_all_that_it_has_read(tiny):
    switched = "parallel: 12, code-switching: {train: 24, dev: 4, test: 6}".replace("{", "{{")
    text = EDITION.replace("parallel: 12", switched.replace("}", "}}"))
    text = text.replace("code-switching: []", "code-switching: [hi+en, corrected, transliterated]")
    found = experiments.earlier_work(tiny(text=text), "code-switching", seeds=1)
    assert list(found.encoder) == [score.TWO_READINGS, score.PUT_BACK]
    assert set(found.origin) == {"computed here"} and set(found.evaluate) == {"transliterated"}
    assert [counts.shape for counts in found.counts] == [(6, 2)] * 2
    read = {"train", "evaluate", "versions"}
    made = list(map(json.loads, found.made_from))
    assert set(made[0]) == read and set(made[1]) == read | {"corrected", "hi+en"}
    versions = f"transliteration {transliteration.VERSION} scoring {score.VERSION}"
    assert {each["versions"] for each in made} == {versions}


def test_five_seeds_are_five(tiny):
    found = experiments.scores(tiny(), "pos", ["en"], ["de"], seeds=5, encoders=["m-bert"])
    assert list(found.seed) == [1, 2, 3, 4, 5] and (found.reason == "").all()


def test_rows_that_tables_print_have_all_seeds_and_others_the_first(tiny):
    edition = tiny(text=EDITION.replace("pos: [en, de]", "pos: [en, fi]"))
    with experiments.nothing_computed():
        found = experiments.scores(edition, "pos", encoders=["m-bert"])
    assert set(zip(found.train, found.seed, strict=True)) == {("en", 1), ("en", 2), ("fi", 1)}
    every = EDITION.replace("seeds:", "every_seed: {{pos: [m-bert]}}\nseeds:")
    with experiments.nothing_computed():
        found = experiments.scores(tiny(text=every.replace("pos: [en, de]", "pos: [fi]")), "pos")
    models = set(zip(found.encoder, found.seed, strict=True))
    assert models == {("m-bert", 1), ("m-bert", 2), ("en-bert", 1)}


def test_what_is_not_at_hand_is_a_reason_and_not_an_error(tiny):
    found = experiments.scores(tiny(), "pos", ["en"], ["en", "ja"], seeds=1)
    missing = found.set_index(["encoder", "evaluate"]).reason
    assert missing["m-bert", "en"] == ""
    assert "no encoder 'en-bert'" in missing["en-bert", "en"]
    assert "no pos corpus 'ja'" in missing["m-bert", "ja"]
    assert found.score.isna().sum() == 3


def test_a_broken_corpus_takes_away_its_own_rows_only(tiny, tmp_path):
    for code, tag in [("en", "B-PER"), ("de", "S-PER")]:
        for split in ("train", "test"):
            path = tmp_path / "data" / "ner16" / f"{code}.{split}.conll"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"Rita\t{tag}\nsings\tO\n\n" * 5, encoding="utf-8")
    block = EDITION.split("corpora:")[0] + "corpora: {{source: published, root: ./data}}\n"
    edition = tiny(text=block + "languages:" + EDITION.split("languages:")[1])
    found = experiments.scores(edition, "ner", seeds=1, encoders=["m-bert"])
    reasons = found.set_index(["train", "evaluate"]).reason
    assert reasons["en", "en"] == ""
    assert "de.train.conll, line 1" in reasons["de", "en"] and "S-PER" in reasons["de", "en"]
    assert "de.test.conll, line 1" in reasons["en", "de"]


def test_a_training_that_diverges_is_a_reason(tiny):
    steep = "learning_rate: 0.99, max_grad_norm: 1e30"
    edition = tiny(text=EDITION.replace("learning_rate: 1e-2", steep))
    weights = edition.path.parent / "encoder"
    model = BertModel.from_pretrained(weights, add_pooling_layer=False)
    model.embeddings.LayerNorm.weight.data.fill_(1e38)
    model.save_pretrained(weights)
    found = experiments.scores(edition, "pos", ["en"], ["en"], seeds=1, encoders=["m-bert"])
    assert "diverged" in found.reason[0] and found.score.isna().all()


def test_changed_content_is_computed_anew_or_shown_with_a_note(tiny, tmp_path):
    edition = tiny()
    ask = {"train": ["en"], "seeds": 1, "encoders": ["m-bert"]}
    before = experiments.scores(edition, "pos", **ask)
    results.record("tiny", "scores", experiments._current(edition, "scores"))
    other = tiny(text=EDITION.replace("epochs: 1", "epochs: 2"))
    after = experiments.scores(other, "pos", **ask)
    assert set(after.note) == {""} and set(after.origin) == {"computed here"}
    assert json.loads(after.made_from[0])["recipe"] != json.loads(before.made_from[0])["recipe"]
    (tmp_path / "encoder").rename(tmp_path / "away")  # now nothing can be computed
    shown = experiments.scores(tiny(text=EDITION.replace("epochs: 1", "epochs: 3")), "pos", **ask)
    assert set(shown.note) == {"not made from what is here: other recipe"}
    assert list(shown.score) == list(after.score)


def test_a_run_that_fell_apart_gives_way_and_is_kept(tiny):
    edition = tiny()
    whole = experiments.scores(edition, "pos", ["en"], seeds=2, encoders=["m-bert"])
    made = whole.drop(columns=["edition", "reason", "note", "origin"])
    fallen = made[made.seed == 1].assign(fell_apart=True)
    stand_in = made[made.seed == 1].assign(seed=3, in_place_of=1, score=77.0)
    results.keep("tiny", "scores", fallen, ("pos", "m-bert", "en", 1))
    results.keep("tiny", "scores", stand_in, ("pos", "m-bert", "en", 3))
    found = experiments.scores(edition, "pos", ["en"], seeds=2, encoders=["m-bert"])
    assert list(found.score[found.seed == 1]) == [77.0, 77.0] and not found.fell_apart.any()
    assert list(experiments.runs(edition, "pos").query("fell_apart").seed) == [1, 1]


def test_planning_computes_nothing_and_preparing_leaves_nothing_to_plan(tiny, capsys):
    edition = tiny()
    jobs = experiments.plan(edition)
    assert {job.kind for job in jobs} >= {"scores", "variants", "retrieval", "space", "sizes"}
    assert not (results.local("tiny") / "scores").exists()
    said = experiments.cost(edition, jobs, 2)
    assert f"{sum(job.kind in ('scores', 'variants') for job in jobs)} models and" in said
    experiments.prepare(edition)
    assert experiments.plan(edition) == []
    claims = experiments.results(edition)
    measured = {"ner", "pos", "code-switching", "overlap", "retrieval", "earlier work, run"}
    assert set(claims) == measured
    assert claims["retrieval"].hits.map(len).max() == 12


def test_an_estimate_goes_by_the_pieces_of_models_kept_or_of_a_few_sentences_timed_now(tiny):
    edition, about = tiny(), ("pos", "m-bert", "en", 1)
    timed, basis = experiments.estimate(edition, experiments.Job("scores", about))
    assert basis == "64 sentences timed now" and 0 < timed < 60
    made = experiments.scores(edition, "pos", ["en"], seeds=1, encoders=["m-bert"])
    results.keep("tiny", "scores", made.assign(seconds=100.0), about)
    for known in (experiments._ever, experiments._rates, experiments.estimate):
        known.cache_clear()
    jobs = [experiments.Job("scores", about, targets) for targets in [(), ("en",), ("de",)]]
    (whole, basis), (en, _), (de, _) = [experiments.estimate(edition, job) for job in jobs]
    assert basis == experiments.KEPT and whole == pytest.approx(100) and min(en, de) > 50
    cut, texts = edition.encoder("m-bert").tokenizer, {}
    for code in ("en", "de"):  # letters and two special tokens a sentence, unlike in number
        rows = pieces.encode(cut, edition.corpus("pos", code, "test")["tokens"], 128).rows
        texts[code] = sum(map(len, rows))
    assert (100 - de) / (100 - en) == pytest.approx(texts["en"] / texts["de"]) != 1


def test_an_estimate_goes_by_the_recipe_s_own_models(tiny):
    edition, job = tiny(), experiments.Job("scores", ("pos", "m-bert", "en", 1))
    made = experiments.scores(edition, "pos", ["en"], seeds=2, encoders=["m-bert"])
    older = made.assign(made_from=made.made_from.str.replace("epochs=1", "epochs=9"), seconds=900.0)
    results.keep(
        "tiny", "scores", older[older.seed == 2].assign(seed=3), ("pos", "m-bert", "en", 3)
    )
    for known in (experiments._ever, experiments._rates, experiments.estimate):
        known.cache_clear()
    assert experiments.estimate(edition, job)[0] < 100


OWN = """\
title: own
seeds: [1]
corpora: {{source: published, root: ./data, files: {{pos: {{en: {{train: train, test: test}}}}}}}}
languages: {{pos: [en], ner: [], code-switching: []}}
encoders: {{m-bert: ./encoder}}
recipe: {{epochs: 1, learning_rate: 1e-2}}
"""


def tagged(folder, name, tag):
    (folder / "data").mkdir(exist_ok=True)
    lines = "".join(f"{n}\t{word}\t_\t{tag}" + "\t_" * 6 + "\n" for n, word in enumerate("ab", 1))
    (folder / "data" / name).write_text(lines + "\n")


def test_a_corpus_that_is_changed_in_a_session_is_read_anew(tiny, tmp_path):
    tagged(tmp_path, "train", "NOUN"), tagged(tmp_path, "test", "NOUN")
    edition, asked = tiny(text=OWN), ("pos", ["en"])
    assert list(experiments.scores(edition, *asked, encoders=["m-bert"]).score) == [100]
    tagged(tmp_path, "test", "VERB")
    experiments.plan(edition)  # which looks at all files once more
    assert list(experiments.scores(edition, *asked, encoders=["m-bert"]).score) == [0]
    kept = results.read("tiny", "scores", [])
    assert sorted(kept.score) == [0, 100] and kept.made_from.nunique() == 2


def test_a_corpus_that_is_changed_while_a_model_trains_is_not_what_it_is_made_from(
    tiny, tmp_path, monkeypatch
):
    tagged(tmp_path, "train", "NOUN"), tagged(tmp_path, "test", "NOUN")
    edition, job = tiny(text=OWN), experiments.Job("scores", ("pos", "m-bert", "en", 1))
    before = edition.digest("pos", "en", "train")
    made = experiments.MAKERS["scores"]

    def meanwhile(edition, *about):
        frame = made(edition, *about)
        tagged(tmp_path, "train", "VERB")
        return frame

    monkeypatch.setitem(experiments.MAKERS, "scores", meanwhile)
    _, frame = experiments.computed(edition, job)
    assert edition.digest("pos", "en", "train") != before
    assert json.loads(frame.made_from[0])["train"] == before


def test_what_the_edition_names_now_and_is_not_there_is_said(tiny, tmp_path):
    tagged(tmp_path, "train", "NOUN"), tagged(tmp_path, "test", "NOUN")
    experiments.scores(tiny(text=OWN), "pos", ["en"], encoders=["m-bert"])
    edition = tiny(text=OWN.replace("test: test", "test: tset"))
    (found,) = experiments.scores(edition, "pos", ["en"], encoders=["m-bert"]).note
    assert found.startswith("Not known to be made from what the edition names: ")
    assert "tset is missing" in found


def test_what_could_not_be_computed_is_said_and_counted(tiny, tmp_path, capsys):
    edition = tiny(text=OWN)
    tagged(tmp_path, "train", "NOUN"), tagged(tmp_path, "test", "NOUN")
    jobs = experiments.plan(edition)
    (tmp_path / "encoder/config.json").write_text("{")
    assert experiments.run(edition, [job for job in jobs if job.kind == "scores"]) > 0
    assert "scores pos m-bert en 1: " in capsys.readouterr().err


def test_an_encoder_of_one_language_is_not_told_to_be_damaged():
    edition = Edition.load("pocket")
    assert experiments._warnings(edition, "en-bert", "ner") == ""


def test_a_fresh_run_knows_from_the_record_how_long_what_has_no_encoder_takes(tiny):
    edition, job = tiny(), experiments.Job("sizes", ("pos", "en", "test"))
    _, made = experiments.computed(edition, job)
    results.record("tiny", "sizes", made.assign(seconds=70.0))
    results.begin_afresh("tiny")
    assert job in experiments.plan(edition)
    assert experiments.estimate(edition, job) == (70, experiments.KEPT)


def test_what_is_recorded_is_what_was_computed(tiny):
    edition = tiny()
    with pytest.raises(experiments.ExperimentError, match="have yet to be computed, the first"):
        experiments.record(edition)
    experiments.prepare(edition)
    before = experiments.baselines(edition)
    experiments.record(edition)
    for path in results.local("tiny").rglob("*.parquet"):
        path.unlink()
    after = experiments.baselines(edition)
    columns = [column for column in before if column != "origin"]
    pd.testing.assert_frame_equal(before[columns], after[columns], check_dtype=False)
    assert set(after.origin) == {"recorded"}


def test_a_record_is_verified_by_its_counts_or_where_another_program_made_it_by_seeds(
    tiny, monkeypatch, capsys
):
    edition = tiny()
    scores = experiments.scores(edition, "pos", seeds=2, encoders=["m-bert"])
    results.record("tiny", "scores", scores)
    before = results.stamp("tiny", "scores")
    cells = verify.chosen(edition, {"train": ["en"], "seed": [2]})
    assert sorted(cells.evaluate) == ["de", "en"] and cells.exact.all()
    found = verify.verify(edition, cells)
    assert (found.equal == 100).all() and found.agrees.all()
    assert results.stamp("tiny", "scores") == before and len(verify.chosen(edition, sample=3)) == 6

    bent = scores.assign(counts=[counts + [[1, 0]] for counts in scores.counts])
    results.record("tiny", "scores", bent.assign(score=bent.score + 0.5))
    found = verify.verify(edition, verify.chosen(edition, {"train": ["en"], "seed": [2]}))
    assert (found.equal == 0).all() and not found.agrees.any()
    results.record("tiny", "scores", bent.assign(versions='{"how": "otherwise"}'))
    found = verify.verify(edition, verify.chosen(edition, {"train": ["en"], "seed": [2]}))
    assert not found.exact.any() and found.agrees.all()
    assert (found.low <= found.score).all() and (found.score <= found.high).all()
    results.record("tiny", "scores", bent)
    monkeypatch.setattr(sys, "argv", f"crosslingual verify -e {edition.path} --seed 1".split())
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "DIFFERS" in capsys.readouterr().out


def test_what_cannot_be_verified_here_says_what_it_takes(tiny, tmp_path):
    edition = tiny()
    scores = experiments.scores(edition, "pos", seeds=1, encoders=["m-bert"])
    results.record("tiny", "scores", scores)
    with pytest.raises(verify.VerifyError, match="pos m-bert .. 1: not made from .* other recipe"):
        verify.chosen(tiny(text=EDITION.replace("epochs: 1", "epochs: 2")))
    (tmp_path / "encoder").rename(tmp_path / "away")
    away = tiny(text=EDITION.replace("./encoder", "./gone"))
    cells = verify.chosen(away)
    message = r"of what 2 model\(s\) of m-bert take 1 are not at hand, .*put its weights into"
    with pytest.raises(verify.VerifyError, match=message):
        verify.verify(away, cells)


def test_the_version_of_finetuning_is_that_of_its_module():
    assert experiments.VERSIONS["finetune"] == finetune.VERSION


def test_an_encoder_that_seems_broken_is_said_beside_its_scores(tiny, tmp_path):
    edition = tiny()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    vocabulary = {piece: i for i, piece in enumerate(special)}
    BertTokenizerFast(vocab=vocabulary).save_pretrained(tmp_path / "encoder")
    found = experiments.scores(edition, "pos", ["en"], ["en"], seeds=1, encoders=["m-bert"])
    assert "gives [UNK] for at least" in found.warning[0]


def test_what_was_judged_is_judged_anew_where_a_bit_of_it_flips(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "root", lambda: tmp_path)
    monkeypatch.setattr(experiments, "RECORDED", [])
    monkeypatch.setattr(experiments, "results", lambda edition: {})
    ledger, asked = pd.DataFrame({"value": [0.84, -0.2]}), []

    def judge(*_):
        asked.append(1)
        return ledger

    edition = tiny()
    assert experiments.judged(edition, judge)["tiny"].equals(ledger)
    (path,) = tmp_path.rglob("_build/claims/**/output.pkl")
    whole = path.read_bytes()
    for place in range(0, len(whole), 41):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert experiments.judged(edition, judge)["tiny"].equals(ledger)
    assert len(asked) > len(whole) // 50  # some bits of the file's head say nothing


SLOW = """
import sys
from crosslingual import experiments
from crosslingual.edition import Edition
edition = Edition.load(sys.argv[1])
jobs = [experiments.Job("scores", ("pos", "m-bert", "en", seed)) for seed in range(400)]
experiments._timed = lambda *_: (1.0, 1.0)  # by which it is no short run
experiments.run(edition, jobs, workers=2)
"""


@pytest.mark.parametrize("how, finished", [
    (signal.SIGKILL, 3), (signal.SIGINT, 3), (signal.SIGKILL, 0),  # as soon as a worker begins
])  # fmt: skip
def test_a_broken_off_run_keeps_what_is_finished_and_leaves_no_process(
    tiny, tmp_path, how, finished
):
    edition = tiny()
    (tmp_path / "slow.py").write_text(textwrap.dedent(SLOW), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "slow.py"), str(edition.path)]
    run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    kept, deadline = results.local("tiny") / "scores", time.monotonic() + 120
    begun = lambda: len(_of_session(run.pid)) > 2 if not finished else 0  # with loky's tracker
    while not begun() and len([*kept.glob("*.parquet")]) < (finished or 1):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(run.pid, how)
    run.wait(120)  # a busy machine takes its time to end the pool
    deadline = time.monotonic() + 20
    while _of_session(run.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _of_session(run.pid)
    frame = results.read("tiny", "scores", ["seed", "score"])
    assert len(frame) >= 2 * finished and not [*kept.glob("*.damaged")]
    assert np.isfinite(frame.score.astype(float)).all()


def _of_session(leader):
    """Processes, other than zombies, of the session that a process leads."""
    told = subprocess.run(["ps", "-eo", "sid,stat,pid"], capture_output=True, text=True, check=True)
    lines = [line.split() for line in told.stdout.splitlines()[1:]]
    return [pid for sid, state, pid in lines if sid == str(leader) and not state.startswith("Z")]
