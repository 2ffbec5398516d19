"""Readers and writers: made-up oddities, every layout in use, mistakes, round trips, parity."""

import os
import re
from pathlib import Path

import conllu as reference
import pytest
from crosslingual.corpora import IOB2, UPOS, CorpusError, CorpusUnavailable, labelled_corpus
from crosslingual.corpora.formats import (
    digest,
    first,
    iob2,
    is_blank,
    read_conll,
    read_conllu,
    read_lines,
    read_parallel,
    statistics,
    text_digest,
    write_conll,
    write_conllu,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: no real corpora")


def row(identifier, form="w", upos="NOUN", relation="_"):
    return f"{identifier}\t{form}\t_\t{upos}\t_\t_\t_\t{relation}\t_\t_"


ODD = "\n".join(
    [
        "# sent_id = made-up-1",
        row("1-2", "au", "_"),
        row(1, "à", "ADP"),
        row(2, "le", "DET"),
        row("2.1", "gapped", "VERB"),
        row(3, "10 000", "NUM"),
        row(4, "_", "X"),
        "",
        "",
        row("0.1", "empty", "VERB"),
        row(1, "#", "SYM"),  # the last sentence has no comment and no blank line after it
    ]
)


def written(folder, text, name="corpus", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def refused(read, path, line):
    """The sentence of a refusal, which must name the file and that line."""
    with pytest.raises(CorpusError) as problem:
        read(path)
    sentence = str(problem.value)
    assert sentence.startswith(f"{path}, line {line}: ") and "; " in sentence
    assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 400
    return sentence


def pairs(corpus):
    return [list(zip(each["tokens"], each["labels"])) for each in corpus]


# ---- lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_all_line_ends_give_the_same_lines(tmp_path, end, last):
    text = end.join(["one", "", "two\u2028still\u0085two"]) + end * last
    assert read_lines(written(tmp_path, text)) == ["one", "", "two\u2028still\u0085two"]


@pytest.mark.parametrize("spelling", ["utf-8", "UTF-8", "utf8", "UTF8", "U8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_a_word_however_utf_8_is_spelt(tmp_path, spelling):
    corpus = read_conll(written(tmp_path, "\ufeffEU B-ORG\nx O\n"), spelling)
    assert pairs(corpus) == [[("EU", "B-ORG"), ("x", "O")]]
    treebank = written(tmp_path, "\ufeff" + row(1) + "\n\n\ufeff# c\n" + row(1, "v"), "t")
    assert read_conllu(treebank, spelling)["tokens"][:] == [["w"], ["v"]]
    assert read_conll(written(tmp_path, "a O\n", encoding="utf-16"), "utf-16")[0]["tokens"] == ["a"]


def test_bytes_of_another_encoding_are_refused(tmp_path):
    path = written(tmp_path, "Haus O\nKöln B-LOC\n", encoding="latin-1")
    assert "the bytes are not utf-8" in refused(read_conll, path, 2)
    assert read_conll(path, "latin-1")[0]["tokens"] == ["Haus", "Köln"]
    marked = written(tmp_path, "\ufeffHaus O\n", "marked")
    assert "UTF-8, not latin-1" in refused(lambda p: read_conll(p, "latin-1"), marked, 1)
    assert "not utf-8" in refused(read_conll, written(tmp_path, b"\xed\xa0\x80 O\n", "s"), 1)
    with pytest.raises(CorpusUnavailable, match="cannot be read"):
        read_lines(tmp_path)


def test_mixed_line_ends_are_refused_in_columns(tmp_path):
    assert "carriage return" in refused(read_conll, written(tmp_path, "A O\rB O\nC O\n"), 1)
    doubled = written(tmp_path, "\r\r\n".join([row(1), row(2), ""]))
    assert "carriage return" in refused(read_conllu, doubled, 1)


# ---- CoNLL-U


def test_words_are_kept_and_all_else_is_skipped(tmp_path):
    for text in (ODD, ODD.replace("\n", "\r\n"), ODD.replace("\n", "\r"), "\ufeff" + ODD):
        corpus = read_conllu(written(tmp_path, text))
        assert corpus["tokens"][:] == [["à", "le", "10 000", "_"], ["#"]]
        assert corpus["labels"][:] == [["ADP", "DET", "NUM", "X"], ["SYM"]]


@pytest.mark.parametrize(
    "lines, number, words",
    [
        (["# c", row(1, upos="CONJ")], 2, "version_1: convert"),
        ([row(1, upos="NN")], 1, "17 UPOS"),
        ([row(1), "2\ttoo few\t_\tNOUN"], 2, "4 tab-separated columns"),
        ([row(1).replace("\t", " ")], 1, "1 tab-separated columns"),
        ([row(1), row(3)], 2, "word ID 3 where 2"),
        ([row(1), row(1)], 2, "blank line after each sentence"),
        ([row("one")], 1, "no word ID"),
        ([row("2-1")], 1, "no word ID"),
        ([row("9" * 5000)], 1, "word ID 9+[.]+ where 1 is due"),
        ([row("9" * 5000 + "-1")], 1, "no word ID"),
        ([row(1, form="")], 1, "FORM is empty"),
        ([""], 1, "there is no sentence"),
        (["# only a comment"], 1, "there is no sentence"),
    ],
)
def test_conllu_mistakes(tmp_path, lines, number, words):
    path = written(tmp_path, "\n".join(lines) + "\n")
    assert re.search(words, refused(read_conllu, path, number))


def test_a_treebank_without_its_words_says_so(tmp_path):
    path = written(tmp_path, row(1, "_"))
    with pytest.raises(CorpusUnavailable, match="every FORM is _.*merge script"):
        read_conllu(path)
    assert read_conllu(path, withheld=True)[0]["tokens"] == ["_"]


def test_version_1_is_converted_on_request(tmp_path):
    lines = [row(1, upos="CONJ"), row(2, upos="VERB", relation="cop"), row(3, upos="VERB")]
    corpus = read_conllu(written(tmp_path, "\n".join(lines)), version_1="convert")
    assert corpus[0]["labels"] == ["CCONJ", "AUX", "VERB"]


WORD = st.text(
    st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=["Cs"]),
    min_size=1,
    max_size=6,
)


def sentences(label):
    words = st.lists(st.tuples(WORD, label), min_size=1, max_size=5)
    return st.lists(words, min_size=1, max_size=4)


def corpus_of(said):
    return labelled_corpus(*([[list(pair)[i] for pair in words] for words in said] for i in (0, 1)))


def by_reference(path):
    """The words and UPOS that the conllu package reads."""
    trees = reference.parse(path.read_text("utf-8"), fields=["id", "form", "lemma", "upos"])
    return [[(w["form"], w["upos"]) for w in tree if isinstance(w["id"], int)] for tree in trees]


@settings(max_examples=60, deadline=None)
@given(sentences(st.sampled_from(UPOS)))
def test_conllu_round_trip(tmp_path_factory, said):
    corpus, path = corpus_of(said), tmp_path_factory.mktemp("trip") / "corpus.conllu"
    write_conllu(corpus, path)
    withheld = all(word == "_" for words in said for word, _ in words)
    assert read_conllu(path, withheld=withheld)[:] == corpus[:]


def test_parity_with_the_conllu_package_on_made_up_files(tmp_path):
    path = written(tmp_path, ODD + "\n\n# x\n" + row(1, "दो\u200dx", "NUM") + "\n\n")
    assert pairs(read_conllu(path)) == by_reference(path)


@real
@pytest.mark.parametrize("pattern", ["ud/*/test.conllu", "ud_original/*/*/*-dev.conllu"])
def test_parity_with_the_conllu_package_on_real_treebanks(pattern):
    paths = sorted(Path(DATA).glob(pattern))
    assert len(paths) > 10
    for path in paths[:: 1 if len(paths) < 20 else 6]:
        assert pairs(read_conllu(path)) == by_reference(path), path


# ---- columns of entity tags

LAYOUTS = {  # by name: a file, and the words and tags that are in it
    "CoNLL-2002": ("Een N O\nAnna N B-PER\n\n", "Een/O Anna/B-PER"),
    "document starts": ("-DOCSTART- -X- O\n\nA N O\n-DOCSTART- -X- O\nB N O\n", "A/O | B/O"),
    "document start behind a mark": ("A O\n\n\ufeff-DOCSTART- O\n\nB O\n", "A/O | B/O"),
    "document start, numbered": ("0\t-DOCSTART-\tO\n\n0\tA\tO\n1\tB\tO\n", "A/O B/O"),
    "running number from 0": ("0\tRita\tB-PER\n1\tri\tO\n\n0\tR\tO\n", "Rita/B-PER ri/O | R/O"),
    "running number, spaces": ("1 Rita B-PER\n2 ri O\n\n1 . O\n", "Rita/B-PER ri/O | ./O"),
    "number over the file": ("7\tA\tO\n8\tB\tO\n\n9\tC\tB-LOC\n", "A/O B/O | C/B-LOC"),
    "number, word, part of speech, tag": ("1 A NNP B-PER\n2 b VB O\n", "A/B-PER b/O"),
    "Universal NER": ("# id = 1\n# text = R\n1\tR\tB-PER\t-\tx\n2\tr\tO\t-\tx\n", "R/B-PER r/O"),
    "GermEval": ("#\thttp://x.org [9]\n1\tin\tO\tO\n2\tSt\tB-LOC\tB-ORG\n", "in/O St/B-LOC"),
    "MultiCoNER": ("# id 1 domain=en\nx _ _ O\ny _ _ B-PER\n", "x/O y/B-PER"),
    "MultiCoNER, tab": ("# id 1\tdomain=en\nx _ _ O\n\n# id 2\tdomain=en\nz _ _ O\n", "x/O | z/O"),
    "WikiANN": ("en:rick\tB-PER\nen:.\tO\n\nen:en:x\tO\n", "rick/B-PER ./O | en:x/O"),
    "WikiANN, other codes": ("be-x-old:a O\nsimple:b O\n", "a/O b/O"),
    "# as a word": ("# O\na O\n\n# B-ORG\n#b O\n", "#/O a/O | #/B-ORG #b/O"),
    "words with colons": ("ms:a O\nb O\nc O\n", "ms:a/O b/O c/O"),
    "some numbers": ("1 CD O\n2 CD O\nto TO O\n", "1/O 2/O to/O"),
    "spaces in words": ("10 000\tO\n\u00a0\tO\n\u2028\tB-LOC\n", "10 000/O \u00a0/O \u2028/B-LOC"),
    "stray I-": ("A I-LOC\nB B-LOC\nC I-PER\nD I-PER\n", "A/B-LOC B/B-LOC C/B-PER D/I-PER"),
    "NUL": ("a\x00b O\n", "a\x00b/O"),
    "old Macintosh": ("-DOCSTART- O\r\rEU B-ORG\rx O\r", "EU/B-ORG x/O"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_in_use_give_their_words_and_tags(tmp_path, layout):
    text, expected = LAYOUTS[layout]
    found = pairs(read_conll(written(tmp_path, text)))
    assert " | ".join(" ".join(map("/".join, words)) for words in found) == expected


@pytest.mark.parametrize(
    "text, number, words",
    [
        ("Anna\tB-PER\n\nLee\n", 3, "1 column"),
        ("Anna N B-PER\nLee I-PER\n", 2, "2 column.s. where 3"),
        ("Anna\tS-PER\n", 1, "S- and U- to B-"),
        ("a O\nAnna\tL-PER\n", 2, "E- and L- to I-"),
        ("0 a O\n1 Anna S-PER\n", 2, "S- and U- to B-"),
        ("Anna\tB-VEHICLE\n", 1, "PER LOC ORG MISC"),
        ("Anna\tPER\n", 1, "PER LOC ORG MISC"),
        ("\tO\n", 1, "word is empty"),
        ("a O\n# a comment within\nb O\n", 2, "comments stand before a sentence"),
        ("#tag B-VEHICLE\n", 1, "PER LOC ORG MISC"),
        ("a O\n# S-PER\n", 2, "S- and U- to B-"),
        ("1 B-PER\n2 O\n3 O\n", 1, "first column is a running number"),
        ("1 Anna X\n2 Lee Y\n", 1, "no column has only entity tags"),
        ("1 a O\n1 b O\n2 c O\n", 2, "running number, but not here"),
        ("\n".join(f"{n} a O" for n in [*range(20), 99]), 21, "running number, but not here"),
        ("\n".join([*(f"{n} a O" for n in range(20)), "1-2 b O"]), 21, "but not here"),
        ("# id\n1-2 del O -\n1 de O -\n2 el O -\n", 2, "running number, but not here"),
        ("en:a O\nen:b O\nc O\n", 1, "language's code"),
        ("St B-LOC O\nb O O\n", 1, "column 2 of 3 holds entity tags"),
        ("St NE B-LOC B-ORG\n", 1, "column 3 of 4 holds entity tags"),
        ("-DOCSTART- O\n\n", 1, "no word in the file"),
        ("", 1, "no word in the file"),
        ("Anna,B-PER\n", 1, "1 column"),
    ],
)
def test_conll_mistakes(tmp_path, text, number, words):
    assert re.search(words, refused(read_conll, written(tmp_path, text), number))


@settings(max_examples=60, deadline=None)
@given(sentences(st.sampled_from(IOB2)))
def test_conll_round_trip(tmp_path_factory, said):
    corpus, path = corpus_of(said), tmp_path_factory.mktemp("trip") / "corpus.conll"
    write_conll(corpus, path)
    again = read_conll(path)
    assert again["tokens"][:] == corpus["tokens"][:]
    assert again["labels"][:] == [iob2(tags) for tags in corpus["labels"]]


@given(st.lists(st.sampled_from(IOB2), max_size=8))
def test_normalised_tags_are_strict_iob2_and_stay_as_they_are(tags):
    once = iob2(tags)
    assert iob2(once) == once
    for before, tag in zip(["O", *once], once):
        assert tag[0] != "I" or before[1:] == tag[1:]


@real
@pytest.mark.parametrize("name", ["esp.testa", "esp.testb", "ned.testa", "ned.testb"])
def test_conll_2002_is_read_as_it_stands(name):
    blocks = (Path(DATA) / "conll2002" / name).read_text("utf-8").split("\n\n")
    rows = [[ln.split(" ") for ln in b.splitlines() if "DOCSTART" not in ln] for b in blocks]
    corpus = read_conll(Path(DATA) / "conll2002" / name)
    assert corpus["tokens"][:] == [[r[0] for r in sentence] for sentence in rows if sentence]
    assert corpus["labels"][:] == [iob2([r[2] for r in sentence]) for sentence in rows if sentence]


# ---- parallel text


def test_parallel_lines_stay_aligned(tmp_path):
    source = written(tmp_path, "\ufeffone\ntwo\u2028still two\rand more\n", "en")
    target = written(tmp_path, "eins\r\nzwei", "de")
    text = read_parallel(source, target)
    assert text["source"][:] == ["one", "two\u2028still two\rand more"]
    assert text["target"][:] == ["eins", "zwei"]


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\x00", "\u3000\u00ad", "\u2060\u0301"])
def test_a_line_on_which_nothing_is_to_be_seen_is_refused(tmp_path, blank):
    assert is_blank(blank) and not is_blank(blank + "·")
    source, target = written(tmp_path, "a\nb\n", "en"), written(tmp_path, f"a\n{blank}\n", "de")
    with pytest.raises(CorpusError, match="de, line 2: the line is blank; take the pair out"):
        read_parallel(source, target)


def test_texts_of_unequal_length_are_refused(tmp_path):
    short, long = written(tmp_path, "a\n", "short"), written(tmp_path, "a\nb\n", "long")
    for sides in ((short, long), (long, short)):
        with pytest.raises(CorpusError, match=r"long, line 2: .*short ends before this line"):
            read_parallel(*sides)


# ---- what can be said of a corpus


def test_digests_follow_words_labels_and_their_order():
    one = labelled_corpus([["a", "b"], ["c"]], [["X", "X"], ["NOUN"]])
    others = [
        labelled_corpus([["a"], ["b", "c"]], [["X"], ["X", "NOUN"]]),
        labelled_corpus([["c"], ["a", "b"]], [["NOUN"], ["X", "X"]]),
        labelled_corpus([["a", "b"], ["c"]], [["X", "X"], ["VERB"]]),
        first(one, 1),
    ]
    assert len({digest(corpus) for corpus in [one, *others]}) == 5
    assert digest(one) == digest(one.select([0, 1])) and len(digest(one)) == 32
    text = labelled_corpus([], []).from_dict({"source": ["a", "b"], "target": ["c", "d"]})
    assert text_digest(text) != text_digest(text.select([1, 0]))


def test_statistics_by_hand():
    corpus = labelled_corpus([["A", "B"], ["A"]], [["B-PER", "I-PER"], ["B-LOC"]])
    assert statistics(corpus) == {"sentences": 2, "tokens": 3, "types": 2, "entities": 2}
