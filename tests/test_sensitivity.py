"""Variants of an edition: the same but for one setting, each with results of its own."""

import pickle

import pandas as pd
import pytest
import toy
from datasets import Dataset
from typer.testing import CliRunner

from crosslingual import cli, sensitivity, transfer
from crosslingual.editions import Edition, EditionError
from crosslingual.store import Store

SMALL = """\
title: small
artificial: true
seeds: [1, 2]
corpora: {source: pocket, sizes: {pos: {train: 12, dev: 2, test: 6}}}
languages: {pos: [ja, hi]}
encoders: {m-bert: ./tiny}
recipe: {epochs: 1, learning_rate: 1.0e-3, pos: {dropout: 0.2}}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    toy.save_encoder(folder / "tiny")
    (folder / "small.yml").write_text(SMALL)
    return Edition.load(folder / "small.yml")


def test_a_variant_changes_what_it_names_and_nothing_else(small):
    varied = small.variant(recipe={"pos": {"weight_decay": 0.1}})
    assert varied.recipe("pos").weight_decay == 0.1
    assert varied.recipe("pos").dropout == 0.2 and varied.recipe("ner") == small.recipe("ner")
    assert small.recipe("pos").weight_decay == 0 and varied.corpus("pos", "ja", "test") is small.corpus("pos", "ja", "test")


def test_other_corpora_are_made_anew_and_no_pinned_digest_stands_for_them(small):
    shorter = small.variant(corpora={"sizes": {"pos": {"test": 3}}})
    assert len(shorter.corpus("pos", "ja", "test")) == 3 and len(small.corpus("pos", "ja", "test")) == 6
    assert "digests" not in shorter.document


def test_a_variant_reaches_worker_processes_whole(small):
    varied = small.variant(recipe={"pos": {"batch_size": 4}})
    assert pickle.loads(pickle.dumps(varied)).recipe("pos").batch_size == 4


def test_a_mistaken_setting_names_the_file(small):
    with pytest.raises(EditionError, match="small.yml, line .*unknown hyper-parameter 'weight_decoy'"):
        small.variant(recipe={"pos": {"weight_decoy": 0.1}})


def test_only_variants_are_computed_and_their_results_are_kept(small, tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    variants = {"large steps": {"learning_rate": 1e-2}}
    table = sensitivity.measure(small, variants=variants, store=store)
    assert list(zip(table.variant, table.seed)) == [("as it is", 1), ("as it is", 2), ("large steps", 1)]
    monkeypatch.setattr(transfer, "compute", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(table, sensitivity.measure(small, variants=variants, store=store))
    by_hand = transfer.matrix(small, "pos", "m-bert", ["ja"], ["ja", "hi"], [1, 2], store).set_index(["evaluate", "seed"]).score
    assert table.within[0] == by_hand["ja", 1] and table.across[1] == by_hand["hi", 2]
    changes = sensitivity.swings(table)
    assert changes.within["large steps"] == table.within[2] - table.within[0] != 0


def test_a_run_of_the_whole_book_fine_tunes_the_variants_too(small, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_STORE", str(tmp_path / "store"))
    for title in list(sensitivity.VARIANTS)[1:]:
        monkeypatch.delitem(sensitivity.VARIANTS, title)
    monkeypatch.setattr(transfer, "run", lambda *_, **__: None)  # all other models, on processes of their own
    (lacking,) = sensitivity.lacking(small)
    assert (lacking.task, lacking.encoder, lacking.train, lacking.seed) == ("pos", "m-bert", "ja", 1)
    done = CliRunner().invoke(cli.app, ["run", "--edition", str(small.path)])
    assert done.exit_code == 0, done.output
    assert not sensitivity.lacking(small)


REAL = """\
title: real
seeds: [1]
corpora: {source: folder, root: ./data, sizes: {pos: {train: 3}}}
languages: {pos: [en, nl]}
encoders: {m-bert: ./tiny}
recipe: {epochs: 1}
"""


def conllu(*sentences: str) -> str:
    """Sentences given as "word/UPOS/XPOS word/UPOS/XPOS"."""
    rows = [[word.split("/") for word in sentence.split()] for sentence in sentences]
    return "".join("".join(f"{i}\t{form}\t_\t{upos}\t{xpos}" + "\t_" * 5 + "\n" for i, (form, upos, xpos) in enumerate(row, 1))
                   + "\n" for row in rows)  # fmt: skip


@pytest.fixture
def real(tmp_path, monkeypatch):
    """Two languages; of Dutch a test text of another release, with one of its four common words tagged otherwise."""
    train = conllu(*["a/NOUN/N b/VERB/V", "b/VERB/V a/NOUN/NN", "a/NOUN/N a/NOUN/N"] * 2)
    files = {"ud/en/train": train, "ud/en/test": train, "ud/nl/train": train,
             "ud/nl/test": conllu("a/NOUN/N b/VERB/V", "b/VERB/V a/NOUN/N", "b/VERB/V"),
             "ud_original/UD_Dutch-Alpino/r2.13/nl_alpino-ud-train": train,
             "ud_original/UD_Dutch-Alpino/r2.13/nl_alpino-ud-test": conllu("a/NOUN/N b/VERB/V", "b/AUX/V a/NOUN/N", "a/X/new")}  # fmt: skip
    for name, text in files.items():
        path = tmp_path / "data" / f"{name}.conllu"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    toy.save_encoder(tmp_path / "tiny")
    (tmp_path / "real.yml").write_text(REAL.replace("./data", str(tmp_path / "data")))
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    for table in ("TEXTS", "OWN_TAGS"):
        monkeypatch.setattr(sensitivity, table, {"nl": "UD_Dutch-Alpino@r2.13"})
    return tmp_path / "real.yml"


def test_another_text_of_the_same_language_is_tagged_by_the_same_taggers(real, tmp_path):
    store, edition = Store(tmp_path / "store"), Edition.load(real)
    found = sensitivity.other_texts(edition, store)
    assert found.train.tolist() == ["en", "nl"] and found.retagged.tolist() == [25, 25]
    assert found.ours[0] == found.ours[1]  # their training texts are equal here, and so are the taggers
    # Whatever is predicted, ours and theirs differ by words: of five, one is new and one has another tag.
    assert all(round(score * 5 / 100, 6) in range(6) for score in [*found.ours, *found.theirs])
    assert abs(found.ours - found.theirs).max() <= 40


def test_own_tags_are_scored_within_their_language(real, tmp_path):
    found = sensitivity.own_tags(Edition.load(real), Store(tmp_path / "store"))
    assert found.tags.tolist() == [3]  # N, NN and V; the tag that only the test text has is an error, and no crash
    assert (found.xpos <= 80).all() and (found.upos <= 80).all()


def test_other_treebanks_are_kept_and_need_no_corpus_afterwards(real, tmp_path, monkeypatch):
    store, edition = Store(tmp_path / "store"), Edition.load(real)
    first = [sensitivity.other_texts(edition, store), sensitivity.own_tags(edition, store)]
    monkeypatch.setattr(sensitivity.finetune, "finetune", lambda *_: pytest.fail("computed again"))
    for kept, again in zip(first, [sensitivity.other_texts(edition, store), sensitivity.own_tags(edition, store)]):
        pd.testing.assert_frame_equal(kept, again)


def test_without_corpora_or_real_languages_the_tables_say_so(small, real, tmp_path):
    store = Store(tmp_path / "store")
    assert "artificial" in sensitivity.own_tags(small, store).attrs["unavailable"]["treebanks"]
    nothing = sensitivity.own_tags(Edition.load(real, kept=True), store)
    assert nothing.empty and "was not recorded with the edition real" in nothing.attrs["unavailable"]["treebanks"]


def test_retagged_compares_sentences_that_both_have():
    first = Dataset.from_dict({"tokens": [["a", "b"], ["c"]], "labels": [["X", "Y"], ["X"]]})
    second = Dataset.from_dict({"tokens": [["a", "b"], ["d"]], "labels": [["X", "X"], ["Y"]]})
    assert sensitivity.retagged(first, second) == 50
    assert sensitivity.retagged(first, second.select([1])) != sensitivity.retagged(first, second.select([1]))  # NaN
