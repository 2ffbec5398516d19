"""Reading and writing corpora: hand-made oddities, mistakes, round trips, and the real files if at hand."""

import csv
import os
import re
from hashlib import blake2b
from pathlib import Path

import conllu as reference
import pytest
from crosslingual import corpora, languages
from crosslingual.corpora import BadParameter, CorpusError, CorpusUnavailable, conll, conllu, parallel
from crosslingual.corpora.folder import READER_VERSION, Folder
from crosslingual.corpora.text import labelled_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real corpora are not at hand")


def columns(identifier, form="w", upos="NOUN"):
    return f"{identifier}\t{form}\t_\t{upos}" + "\t_" * 6


ODD_CONLLU = "\n".join(
    [
        "# sent_id = made-up-1",
        "# text = au 10 000 _",
        columns("1-2", "au", "_"),
        columns(1, "à", "ADP"),
        columns(2, "le", "DET"),
        columns("2.1", "gapped", "VERB"),
        columns(3, "10 000", "NUM"),
        columns(4, "_", "X"),
        "",
        "",
        columns(1, "#", "SYM"),  # the last sentence has no comment, and no blank line after it
    ]
)


def written(folder, text, name="corpus", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


# ---- CoNLL-U


def test_conllu_keeps_words_and_skips_all_else(tmp_path):
    corpus = conllu.read(written(tmp_path, ODD_CONLLU))
    assert corpus[:]["tokens"] == [["à", "le", "10 000", "_"], ["#"]]
    assert corpus[:]["labels"] == [["ADP", "DET", "NUM", "X"], ["SYM"]]


def test_conllu_reads_windows_line_ends_and_a_byte_order_mark(tmp_path):
    path = written(tmp_path, "\ufeff" + ODD_CONLLU.replace("\n", "\r\n"))
    assert conllu.read(path)[:] == conllu.read(written(tmp_path, ODD_CONLLU, "plain"))[:]


@pytest.mark.parametrize(
    "lines, number, words",
    [
        (["# c", columns(1, upos="CONJ")], 2, "CCONJ"),
        ([columns(1, upos="NN")], 1, "17 UPOS"),
        ([columns(1, upos="_")], 1, "17 UPOS"),
        ([columns(1), "2\ttoo few\t_\tNOUN"], 2, "columns"),
        ([columns(1), columns(3)], 2, "word ID 3 where 2"),
        ([columns(1), columns(1)], 2, "blank line after each sentence"),
        ([columns("one")], 1, "no word ID"),
        ([columns("2-1")], 1, "no word ID"),
        ([columns(1, form="")], 1, "FORM is empty"),
    ],
)
def test_conllu_mistakes_name_file_line_and_remedy(tmp_path, lines, number, words):
    path = written(tmp_path, "\n".join(lines) + "\n")
    with pytest.raises(CorpusError, match=words) as problem:
        conllu.read(path)
    sentence = str(problem.value)
    assert sentence.startswith(f"{path}, line {number}: ") and "; " in sentence and "\n" not in sentence


# ---- CoNLL-2002 and CoNLL-2003

IOB1 = "EU NNP I-ORG\nrejects VBZ O\n\nParis NNP I-LOC\nLyon NNP B-LOC\nAnna NNP I-PER\nLee NNP I-PER\n"


def test_conll_reads_iob1_as_iob2(tmp_path):
    corpus = conll.read(written(tmp_path, IOB1))
    assert corpus[:]["labels"] == [["B-ORG", "O"], ["B-LOC", "B-LOC", "B-PER", "I-PER"]]
    assert corpus[:]["tokens"][1] == ["Paris", "Lyon", "Anna", "Lee"]


def test_document_starts_end_a_sentence_and_are_no_words(tmp_path):
    text = "-DOCSTART- -X- O\nEen N O\n-DOCSTART- -X- O\nAnna N B-PER\n\n-DOCSTART- -X- O\n\nPiet N B-PER\n"
    corpus = conll.read(written(tmp_path, text))
    assert corpus[:]["tokens"] == [["Een"], ["Anna"], ["Piet"]]


def test_an_inside_tag_without_a_beginning_opens_an_entity_as_in_conlleval():
    assert conll.iob2(["O", "I-PER", "I-PER", "I-LOC", "B-LOC", "I-LOC"]) == [
        "O", "B-PER", "I-PER", "B-LOC", "B-LOC", "I-LOC"
    ]  # fmt: skip


def test_tokens_may_be_invisible_or_hold_spaces(tmp_path):
    corpus = conll.read(written(tmp_path, "\u200b\tO\n10 000\tO\n\u00a0\tO\n\u2028\tB-LOC\n"))
    assert corpus[0]["tokens"] == ["\u200b", "10 000", "\u00a0", "\u2028"]


@pytest.mark.parametrize(
    "text, number, words",
    [
        ("Anna\tB-PER\n\nLee\n", 3, "1 column"),
        ("Anna N B-PER\nLee I-PER\n", 2, "2 column.s. where 3"),
        ("Anna\tS-PER\n", 1, "S- and U- to B-"),
        ("Anna\tB-VEHICLE\n", 1, "PER LOC ORG MISC"),
        ("\tO\n", 1, "word is empty"),
    ],
)
def test_conll_mistakes_name_file_line_and_remedy(tmp_path, text, number, words):
    path = written(tmp_path, text)
    with pytest.raises(CorpusError, match=words) as problem:
        conll.read(path)
    assert str(problem.value).startswith(f"{path}, line {number}: ")


def test_another_encoding_is_refused_unless_named(tmp_path):
    path = written(tmp_path, "Haus O\nKöln B-LOC\n", encoding="latin-1")
    with pytest.raises(CorpusError, match="line 2: the bytes are not utf-8"):
        conll.read(path)
    assert conll.read(path, "latin-1")[0]["tokens"] == ["Haus", "Köln"]


# ---- round trips

# No line ends and tabs, which neither format can hold, and no U+FEFF, which a file may begin with.
WORD = st.text(
    st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=["Cs"]), min_size=1, max_size=6
)
TAG = st.sampled_from(sorted(conll.TAGS))


def _sentences(label):
    return st.lists(st.lists(st.tuples(WORD, label), min_size=1, max_size=5), min_size=1, max_size=4)


def _corpus(sentences):
    return labelled_corpus(*([[list(pair)[i] for pair in words] for words in sentences] for i in (0, 1)))


@settings(max_examples=60, deadline=None)
@given(_sentences(st.sampled_from(conllu.UPOS)))
def test_conllu_round_trip(tmp_path_factory, sentences):
    corpus, path = _corpus(sentences), tmp_path_factory.mktemp("trip") / "corpus.conllu"
    conllu.write(corpus, path)
    assert conllu.read(path)[:] == corpus[:]


@settings(max_examples=60, deadline=None)
@given(_sentences(TAG))
def test_conll_round_trip(tmp_path_factory, sentences):
    corpus, path = _corpus(sentences), tmp_path_factory.mktemp("trip") / "corpus.conll"
    conll.write(corpus, path)
    again = conll.read(path)
    assert again[:]["tokens"] == corpus[:]["tokens"]
    assert again[:]["labels"] == [conll.iob2(tags) for tags in corpus[:]["labels"]]


@given(st.lists(TAG, max_size=8))
def test_normalised_tags_are_strict_iob2_and_stay_as_they_are(tags):
    once = conll.iob2(tags)
    assert conll.iob2(once) == once
    for before, tag in zip(["O", *once], once):
        assert tag[0] != "I" or before[1:] == tag[1:]


# ---- parallel text


def test_parallel_lines_stay_aligned(tmp_path):
    source, target = (
        written(tmp_path, "one\ntwo\u2028still two\n", "en"),
        written(tmp_path, "eins\nzwei", "de"),
    )
    assert parallel.read(source, target)[1] == {"source": "two\u2028still two", "target": "zwei"}


def test_parallel_text_of_unequal_length_or_with_blank_lines_is_refused(tmp_path):
    two, one, blank = (
        written(tmp_path, text, name) for name, text in [("a", "1\n2\n"), ("b", "1\n"), ("c", "1\n \n")]
    )
    with pytest.raises(CorpusError, match=f"{two}, line 2: {one} ends"):
        parallel.read(one, two)
    with pytest.raises(CorpusError, match=f"{blank}, line 2: the line is blank"):
        parallel.read(two, blank)


# ---- digest and statistics


def test_digest_depends_on_content_and_order_only(tmp_path):
    one = labelled_corpus([["a", "b"], ["c"]], [["X", "X"], ["NUM"]])
    assert corpora.digest(one) == corpora.digest(labelled_corpus(one[:]["tokens"], one[:]["labels"]))
    others = [
        labelled_corpus([["c"], ["a", "b"]], [["NUM"], ["X", "X"]]),
        labelled_corpus([["a", "b"], ["c"]], [["X", "X"], ["X"]]),
        labelled_corpus([["a"], ["b", "c"]], [["X"], ["X", "NUM"]]),
        labelled_corpus([["a b"], ["c"]], [["X X"], ["NUM"]]),
    ]
    assert len({corpora.digest(corpus) for corpus in [one, *others]}) == 5
    assert corpora.digest(corpora.first(one, 1)) == corpora.digest(
        labelled_corpus([["a", "b"]], [["X", "X"]])
    )


def test_statistics_by_hand():
    corpus = labelled_corpus(
        [["Anna", "Lee", "met", "Anna"], ["Oslo"]], [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC"]]
    )
    assert corpora.statistics(corpus) == dict(sentences=2, tokens=5, types=4, entities=3)


# ---- the folder source


@pytest.fixture
def root(tmp_path):
    """A made-up data folder: POS in two languages, two entity corpora, one parallel pair."""
    for name, text in {
        "ud/hi/train.conllu": columns(1, "शब्द") + "\n\n" + columns(1, "दो") + "\n",
        "ud/en/train.conllu": columns(1, "word") + "\n",
        "ud/gl/test.conllu": columns(1, "_") + "\n",
        "ner16/en.test.conll": "Anna\tB-PER\n",
        "conll2002/ned.testa": "Anna N B-PER\n",
        "mine/deu.testb": "Köln I-LOC\n",
        "parallel/ntrex/newstest2019-src.eng.txt": "one\ntwo\n",
        "parallel/ntrex/newstest2019-ref.deu.txt": "eins\nzwei\n",
        "wmt/x.en": "three\n",
        "wmt/x.ru": "три\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path, text, name, "latin-1" if name.startswith("mine") else "utf-8")
    return tmp_path


FILES = {
    "ner": {"nl": {"dev": "conll2002/ned.testa"}, "de": {"test": "mine/deu.testb", "encoding": "latin-1"}},
    "parallel": {"en-ru": {"source": "wmt/x.en", "target": "wmt/x.ru"}},
}


def test_folder_reads_the_layout_and_the_files_an_edition_names(root):
    source = Folder(root=str(root), files=FILES, sizes={"pos": {"train": 1}, "parallel": 1})
    assert source.labelled("pos", "hi", "train")[:]["tokens"] == [["शब्द"]]
    assert source.labelled("ner", "en", "test")[0]["labels"] == ["B-PER"]
    assert source.labelled("ner", "nl", "dev")[0]["tokens"] == ["Anna"]
    assert source.labelled("ner", "de", "test")[0] == {"tokens": ["Köln"], "labels": ["B-LOC"]}
    assert source.labelled("code-switching", "hi+en", "train")[:]["tokens"] == [["शब्द"], ["word"]]
    assert source.parallel("en", "de")[:] == {"source": ["one"], "target": ["eins"]}
    assert source.parallel("en", "ru")[0]["target"] == "три"
    assert source.languages("ner") == [*languages.NER16_LANGUAGES, "nl"]
    assert source.evaluation_languages("code-switching") == ["corrected", "transliterated"]


@pytest.mark.parametrize(
    "key, words",
    [
        (("pos", "hi", "dev"), "ud/hi/dev.conllu is missing"),
        (("ner", "nl", "train"), "names no train file for ner nl"),
        (("pos", "gl", "test"), "holds no words"),
        (("code-switching", "corrected", "test"), "qhe_hiencs-ud-test.conllu is missing"),
    ],
)
def test_what_is_missing_is_said_with_how_to_get_it(root, key, words):
    source = Folder(root=str(root), files=FILES)
    with pytest.raises(CorpusUnavailable, match=words) as problem:
        source.labelled(*key)
    assert any(
        remedy in str(problem.value) for remedy in ("put the file there", "add it under", "get the release")
    )


def test_without_a_folder_the_remedy_names_the_variable(monkeypatch):
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    with pytest.raises(CorpusUnavailable, match="CROSSLINGUAL_DATA"):
        Folder().labelled("pos", "en", "train")


def test_fingerprint_follows_bytes_and_cap(root):
    key = ("pos", "hi", "train")
    before, capped = (
        Folder(str(root)).fingerprint(*key),
        Folder(str(root), sizes={"pos": {"train": 1}}).fingerprint(*key),
    )
    (root / "ud/hi/train.conllu").write_text(columns(1, "तीन"), encoding="utf-8")
    assert len({before, capped, Folder(str(root)).fingerprint(*key)}) == 3


def test_fingerprint_follows_an_encoding_other_than_utf_8(root):
    """The same bytes are other words in another encoding; without one, fingerprints are as they always were."""

    def fingerprint(**encoding):
        files = {"ner": {"de": {"test": "mine/deu.testb", **encoding}}}
        return Folder(str(root), files).fingerprint("ner", "de", "test")

    content = (root / "mine/deu.testb").read_bytes()
    always = blake2b(f"{READER_VERSION} ner de None".encode() + content, digest_size=16).hexdigest()
    assert fingerprint() == fingerprint(encoding="utf-8") == always
    assert len({fingerprint(), fingerprint(encoding="latin-1"), fingerprint(encoding="cp1251")}) == 3


@pytest.mark.parametrize("name", ["latin-99", "base64", "a\0b"])
def test_an_unknown_encoding_is_refused(name):
    with pytest.raises(BadParameter, match="unknown encoding .*: give one that Python knows") as problem:
        Folder("nowhere", {"ner": {"de": {"test": "deu.testb", "encoding": name}}})
    assert problem.value.key == ("files", "ner", "de", "encoding")


# ---- the real files


@real
@pytest.mark.parametrize("language", languages.POS_LANGUAGES)
def test_treebanks_have_the_counts_of_their_summary(language):
    with open(Path(DATA) / "ud" / "SUMMARY.tsv", encoding="utf-8") as file:
        summary = {row["lang"]: row for row in csv.DictReader(file, delimiter="\t")}[language]
    for split in corpora.SPLITS:
        try:
            found = corpora.statistics(Folder(DATA).labelled("pos", language, split))
        except CorpusUnavailable:
            found = dict(sentences=0, tokens=0)
        assert found["sentences"] == int(summary[f"{split}_sents"])
        assert found["tokens"] == int(summary[f"{split}_words"])


@real
@pytest.mark.parametrize("language", languages.NER16_LANGUAGES)
def test_entity_corpora_have_the_counts_of_their_summary(language):
    with open(Path(DATA) / "ner16" / "SUMMARY.tsv", encoding="utf-8") as file:
        summary = {row["language"]: row for row in csv.DictReader(file, delimiter="\t")}[language]
    for split in ("train", "test"):
        corpus = Folder(DATA).labelled("ner", language, split)
        found = corpora.statistics(corpus)
        assert found["sentences"] == int(summary[f"{split}_sentences"])
        assert found["tokens"] == int(summary[f"{split}_tokens"])
        assert found["entities"] == sum(int(summary[f"{split}_{kind}"]) for kind in conll.ENTITY_TYPES)


@real
@pytest.mark.parametrize(
    "path", sorted(Path(DATA or "").glob("ud_original/*/*/*-dev.conllu")), ids=lambda path: path.stem
)
def test_untouched_treebanks_agree_with_an_independent_reader(path):
    expected = reference.parse(path.read_text(encoding="utf-8"), fields=["id", "form", "lemma", "upos"])
    words = [
        [(word["form"], word["upos"]) for word in tree if isinstance(word["id"], int)] for tree in expected
    ]
    assert [list(zip(row["tokens"], row["labels"])) for row in conllu.read(path)] == words


@real
def test_every_untouched_treebank_file_is_read_word_for_word():
    for path in Path(DATA).glob("ud_original/*/*/*.conllu"):
        numbered = re.findall(r"^\d+\t", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert corpora.statistics(conllu.read(path))["tokens"] == len(numbered), path


@real
@pytest.mark.parametrize("name", ["esp.testa", "esp.testb", "ned.testa", "ned.testb"])
def test_conll_2002_is_iob2_with_document_starts_dropped(name):
    path = Path(DATA) / "conll2002" / name
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    tags = [[line.split(" ")[2] for line in block.splitlines() if "DOCSTART" not in line] for block in blocks]
    found = [tag for sentence in conll.read(path)[:]["labels"] for tag in sentence]
    assert found == [tag for sentence in tags for tag in conll.iob2(sentence)]
    mended = [after for after, before in zip(found, sum(tags, []), strict=True) if after != before]
    assert len(mended) <= 1  # a stray I- in each of the Spanish files


@real
def test_ntrex_codes_are_those_of_its_own_list():
    with open(Path(DATA) / "parallel/ntrex/REFERENCES.tsv", encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file, delimiter="\t") if "traditional" not in row["language_key"]
        ]
    listed = {row["language_key"].split(" ")[0]: row["ntrex_code"] for row in rows}
    assert listed == parallel.NTREX
    assert len(Folder(DATA).parallel("hi", "ur")) == 1997
