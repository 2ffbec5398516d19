"""Sources of corpora: the artificial world's, and files of one's own before the published ones."""

import os
import subprocess
import sys

import pytest
from crosslingual import corpora, languages
from crosslingual.corpora import Artificial, CorpusUnavailable, Published, formats
from crosslingual.corpora.formats import digest, text_digest

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: no real corpora")


def treebank(*words):
    return "".join(f"1\t{word}\t_\tNOUN" + "\t_" * 6 + "\n\n" for word in words)


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """No network, nothing cached, no data folder."""
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)


@pytest.fixture
def root(tmp_path):
    for name, text in {
        "ud/hi/train.conllu": treebank("एक", "दो"),
        "ud/en/train.conllu": treebank(*map(str, range(30))),
        "ud_original/UD_Greek-GDT/r2.0-test/el-ud-test.conllu": treebank("changed"),
        "mine/fi.conllu": treebank("minun"),
        "mine/nl.conll": "B-LOC Köln\n",
        "mine/en": "one\ntwo\n",
        "mine/de": "eins\nzwei\n",
        "ner16/tr.test.conll": "Anna\tB-PER\n",
        "ner16/en.test.conll": "Anna\tS-PER\n",
    }.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "data"


def published(root=None, **settings):
    settings |= {"root": str(root)} if root else {}
    return Published.model_validate({"source": "published"} | settings)


def words(corpus):
    return [word for sentence in corpus["tokens"] for word in sentence]


# ---- the artificial world

SMALL = {"seed": 7, "nouns": 30, "verbs": 12, "people": 20, "places": 10, "organisations": 10}


def artificial(train=6, dev=3, test=4, **world):
    each = {"train": train, "dev": dev, "test": test}
    sizes = {"pos": each, "ner": each, "code-switching": each, "parallel": 5}
    block = {"source": "artificial", "world": SMALL | world, "sizes": sizes}
    return Artificial.model_validate(block)


def test_artificial_corpora_have_their_sizes_and_share_no_sentence():
    source = artificial()
    splits = [source.labelled("ner", "de", split) for split in corpora.SPLITS]
    assert [len(split) for split in splits] == [6, 3, 4]
    lines = [" ".join(tokens) for split in splits for tokens in split["tokens"]]
    assert len(set(lines)) == len(lines)
    tags = {tag for split in splits for row in split["labels"] for tag in row}
    assert tags <= set(corpora.IOB2) and len(tags) > 1
    assert len(source.labelled("code-switching", "hi+en", "test")) == 8
    assert len(source.parallel("en", "de")) == 5


def test_artificial_digests_tell_corpora_apart_without_making_them():
    source = artificial()
    keys = [("pos", "de"), ("pos", "nl"), ("ner", "de"), ("code-switching", "hi+en")]
    found = [source.digest(*key, split) for key in keys for split in corpora.SPLITS]
    found += [artificial(seed=8).digest("pos", "de", "test"), source.parallel_digest("en", "de")]
    assert len(set(found)) == len(found)
    # A test set is drawn first: it does not depend on how much training text there is.
    assert artificial(train=9).digest("pos", "de", "test") == source.digest("pos", "de", "test")
    assert artificial(test=9).digest("pos", "de", "train") != source.digest("pos", "de", "train")


def test_artificial_pre_training_text_leaves_evaluation_text_out():
    source = artificial()
    lines = source.text("hi", 60, pairs=[("hi", "ur")])
    keys = [("pos", "hi"), ("ner", "hi"), ("code-switching", "corrected")]
    texts = [source.labelled(*key, split)["tokens"] for key in keys for split in corpora.SPLITS]
    evaluated = {" ".join(tokens) for text in texts for tokens in text}
    assert len(lines) == 60
    assert not {*evaluated, *source.parallel("hi", "ur")["source"]} & set(lines)


def test_the_default_world_is_the_one_that_was_recorded():
    source = Artificial(source="artificial")
    # Of the corpora that the shipped encoders were pre-trained without and evaluated on.
    assert digest(source.labelled("pos", "ja", "test")) == "477e213f7e0914c52681929e85adc0cc"


# ---- where a corpus comes from


def test_the_data_folder_comes_first_and_needs_no_network(root, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_DATA", str(root))
    files = {"pos": {"fi": {"train": "mine/fi.conllu"}}, "ner": {"nl": {"test": "mine/nl.conll"}}}
    files["ner"]["nl"]["columns"] = {"word": 2, "tag": 1}
    source = published(files=files | {"parallel": {"en-de": ["mine/en", "mine/de"]}})
    assert words(source.labelled("pos", "hi", "train")) == ["एक", "दो"]
    assert words(source.labelled("pos", "fi", "train")) == ["minun"]
    assert words(source.labelled("ner", "nl", "test")) == ["Köln"]
    assert words(source.labelled("ner", "tr", "test")) == ["Anna"]
    assert words(source.labelled("code-switching", "hi+en", "train"))[:3] == ["एक", "दो", "0"]
    assert source.parallel("en", "de")[0] == {"source": "one", "target": "eins"}
    assert source.parallel("de", "en")[0] == {"source": "eins", "target": "one"}
    with pytest.raises(CorpusUnavailable, match="names no dev file for pos fi: add it under `fil"):
        source.labelled("pos", "fi", "dev")
    with pytest.raises(CorpusUnavailable, match="only artificial languages have text"):
        source.text("de", 1)


def test_splits_of_one_language_never_come_from_two_places(root):
    # A test set made by hand may hold sentences of the published training set.
    with pytest.raises(CorpusUnavailable, match="ud/en/test.conllu is missing"):
        published(root).labelled("pos", "en", "test")
    with pytest.raises(CorpusUnavailable, match="ner16/tr.train.conll is missing"):
        published(root).labelled("ner", "tr", "train")


def test_what_the_edition_names_is_not_replaced_by_the_data_folder(root):
    source = published(root, treebanks={"en": "UD_English-LinES"})
    with pytest.raises(CorpusUnavailable, match="UD_English-LinES r2.0-test .*cannot be reached"):
        source.labelled("pos", "en", "train")


def test_a_published_file_in_the_data_folder_must_be_the_published_one(root):
    with pytest.raises(CorpusUnavailable, match="not the published file .*take it away"):
        published(root).labelled("pos", "el", "test")


def test_without_folder_and_network_one_sentence_says_what_is_missing(tmp_path):
    with pytest.raises(CorpusUnavailable) as problem:
        published().labelled("pos", "en", "train")
    sentence = str(problem.value)
    assert sentence.startswith("UD_English-EWT r2.0-test en-ud-train") and "\n" not in sentence
    with pytest.raises(CorpusUnavailable, match="there is no data folder .*correct `root`"):
        published(tmp_path / "nowhere").labelled("pos", "en", "train")
    assert published(tmp_path / "nowhere").substitutes() == {"de": "WikiANN"}


def test_corpora_that_stand_in_are_told_without_reading_them(root):
    assert published(root).substitutes() == {"de": "WikiANN", "en": "a file of your own"}
    for name in ("conll2003/deu.testb", "conll2003/eng.train"):
        (root / "conll2003").mkdir(exist_ok=True)
        (root / name).write_text("a O\n")
    assert published(root).substitutes() == {}
    assert words(published(root).labelled("ner", "de", "test")) == ["a"]
    named = published(files={"ner": {"de": {"test": "mine"}}})
    assert named.substitutes() == {"de": "a file of your own"}  # whatever it may be
    with pytest.raises(CorpusUnavailable, match="no entity corpus of Swedish: name one"):
        named.labelled("ner", "sv", "test")


def test_a_treebank_that_is_named_is_not_put_together():
    nl = {"treebanks": {"nl": "UD_Dutch-LassySmall"}}
    made, named = (
        published(assembled=True, **more)._items("pos", "nl", "test") for more in ({}, nl)
    )
    assert made != named and named == published(**nl)._items("pos", "nl", "test")


# ---- a root is relative to the edition's file


def test_a_relative_root_is_beside_the_editions_file(root, monkeypatch):
    monkeypatch.chdir("/")
    block = {"source": "published", "root": "./data"}
    source = Published.model_validate(block, context={"folder": root.parent})
    assert source.root == root and words(source.labelled("pos", "hi", "train")) == ["एक", "दो"]
    assert published(root).root == root  # an absolute one stays


# ---- development data


def test_without_development_data_a_tenth_of_the_training_set_is_held_out(root):
    assert len(published(root).labelled("pos", "en", "train")) == 30
    source = published(root, held_out=True)
    assert words(source.labelled("pos", "en", "dev")) == ["9", "19", "29"]
    train = words(source.labelled("pos", "en", "train"))
    assert train == [str(n) for n in range(30) if n % 10 != 9]
    (root / "ud/en/dev.conllu").write_text(treebank("own"))
    assert words(source.labelled("pos", "en", "dev")) == ["own"]
    assert len(source.labelled("pos", "en", "train")) == 30


# ---- digests


def test_digests_are_of_content_and_follow_every_setting_that_changes_it(root):
    source = published(root)
    whole = source.labelled("pos", "en", "train")
    assert source.digest("pos", "en", "train") == digest(whole)
    held = published(root, held_out=True)
    assert held.digest("pos", "en", "dev") == digest(whole.select([9, 19, 29]))
    assert held.digest("pos", "en", "train") not in (digest(whole), held.digest("pos", "en", "dev"))
    mixed = source.digest("code-switching", "hi+en", "train")
    assert held.digest("code-switching", "hi+en", "train") != mixed
    own = published(root, files={"parallel": {"en-de": ["mine/en", "mine/de"]}})
    assert own.parallel_digest("en", "de") == text_digest(own.parallel("en", "de"))
    os.utime(root / "ud/en/train.conllu", (1, 1))  # touched, and the same
    assert source.digest("pos", "en", "train") == digest(whole)
    (root / "ud/en/train.conllu").write_text(treebank("other"))
    assert source.digest("pos", "en", "train") != digest(whole)


def test_a_kept_digest_is_not_computed_again_and_a_damaged_one_is(root, monkeypatch):
    source = published(root)
    found = source.digest("pos", "hi", "train")
    with monkeypatch.context() as patch:
        patch.setattr(formats, "read_conllu", lambda *_: pytest.fail("read"))
        assert source.digest("pos", "hi", "train") == found
    [kept] = (root.parent / "cache/digests").iterdir()
    for damage in (b"\0" * 65, kept.read_bytes()[:20], b"0" + kept.read_bytes()[1:], b"\xff" * 9):
        kept.write_bytes(damage)
        assert source.digest("pos", "hi", "train") == found
        assert kept.read_text().startswith(f"{found} ")


def test_a_cache_that_cannot_be_written_costs_time_alone(root, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(root / "mine/en"))  # a file: no folder can be made
    corpus = published(root).labelled("pos", "hi", "train")
    assert published(root).digest("pos", "hi", "train") == digest(corpus)


def test_languages_of_a_source():
    source = published(files={"pos": {"bn": {"train": "x"}}})
    assert source.languages("pos") == [*languages.POS_LANGUAGES, "bn"]
    assert artificial().languages("pos") == languages.POS_LANGUAGES
    for either in (source, artificial()):
        assert set(either.languages("ner")) == {*languages.NER16_LANGUAGES, "nl"}
        assert either.languages("code-switching") == ["hi+en", "corrected", "transliterated"]


def test_naming_corpora_loads_no_library_of_seconds():
    code = "import sys, crosslingual.corpora; assert not {'datasets', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- the real files


@real
def test_real_code_switched_sentences_that_need_no_tweets():
    source = published(DATA, tweets=0.1)
    for version in ("transliterated", "corrected"):
        sizes = [len(source.labelled("code-switching", version, split)) for split in corpora.SPLITS]
        assert sizes == [192, 28, 39]
    with pytest.raises(CorpusUnavailable, match="39 of the 225 sentences .*own merge script"):
        published(DATA).labelled("code-switching", "corrected", "test")
