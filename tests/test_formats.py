"""Readers and the writer: made-up oddities, layouts in use, mistakes, round trips, parity."""

import os
import re
from itertools import product
from pathlib import Path

import conllu as reference
import pytest
from crosslingual.corpora import IOB2, UPOS, CorpusError, CorpusUnavailable
from crosslingual.corpora.formats import (
    digest,
    iob2,
    labelled_corpus,
    parallel_text,
    read_conll,
    read_conllu,
    read_lines,
    read_parallel,
    statistics,
    text_digest,
    write_conllu,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: no real corpora")


def row(identifier, form="w", upos="NOUN", relation="_"):
    return f"{identifier}\t{form}\t_\t{upos}\t_\t_\t_\t{relation}\t_\t_"


# The last sentence has no comment and no blank line after it.
ODD = ["# sent_id = made-up-1", row("1-2", "au", "_"), row(1, "à", "ADP"), row(2, "le", "DET")]
ODD += [row("2.1", "gapped", "VERB"), row(3, "10 000", "NUM"), row(4, "_", "X"), "", ""]
ODD = "\n".join([*ODD, row("0.1", "empty", "VERB"), row(1, "#", "SYM")])


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


@pytest.mark.parametrize("end, last", product(["\n", "\r\n", "\r"], [True, False]))
def test_all_line_ends_give_the_same_lines(tmp_path, end, last):
    text = end.join(["one", "", "two\u2028still\u0085two"]) + end * last
    assert read_lines(written(tmp_path, text)) == ["one", "", "two\u2028still\u0085two"]


def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path):
    corpus = read_conll(written(tmp_path, "\ufeffEU B-ORG\nx O\n"))
    assert pairs(corpus) == [[("EU", "B-ORG"), ("x", "O")]]
    treebank = written(tmp_path, "\ufeff" + row(1) + "\n\n\ufeff# c\n" + row(1, "v"), "t")
    assert read_conllu(treebank)["tokens"][:] == [["w"], ["v"]]


def test_bytes_of_another_encoding_are_refused(tmp_path):
    path = written(tmp_path, "Haus O\nKöln B-LOC\n", encoding="latin-1")
    assert "the bytes are not UTF-8; convert" in refused(read_conll, path, 2)
    assert "not UTF-8" in refused(read_conll, written(tmp_path, b"\xed\xa0\x80 O\n", "s"), 1)
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
        (["# c", row(1, upos="CONJ")], 2, "take release 2.0"),
        ([row(1, upos="NN")], 1, "17 UPOS"),
        ([row(1), "2\ttoo few\t_\tNOUN"], 2, "4 tab-separated columns"),
        ([row(1).replace("\t", " ")], 1, "1 tab-separated columns"),
        ([row(1), row(3)], 2, "word ID is '3' where 2"),
        ([row(1), row(1)], 2, "blank line after each sentence"),
        ([row("one")], 1, "word ID is 'one'"),
        ([row("9" * 5000)], 1, "word ID is '9{20}' where 1 is due"),
        ([row("9" * 5000 + "-1")], 1, "word ID is '9{20}'"),
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
    lines = [row(1, upos="CONJ"), row(2, upos="VERB", relation="cop:x"), row(3, upos="VERB")]
    corpus = read_conllu(written(tmp_path, "\n".join(lines)), version_1=True)
    assert corpus[0]["labels"] == ["CCONJ", "AUX", "VERB"]


LETTERS = st.characters(exclude_characters="\t\n\r\ufeff", exclude_categories=["Cs", "Nd"])
WORD = st.text(LETTERS, min_size=1, max_size=6)


def sentences(label):
    words = st.lists(st.tuples(WORD, label), min_size=1, max_size=5)
    return st.lists(words, min_size=1, max_size=4)


def by_reference(path):
    """The words and UPOS that the conllu package reads."""
    trees = reference.parse(path.read_text("utf-8"), fields=["id", "form", "lemma", "upos"])
    return [[(w["form"], w["upos"]) for w in tree if isinstance(w["id"], int)] for tree in trees]


@settings(max_examples=40, deadline=None)
@given(sentences(st.sampled_from(UPOS)))
def test_conllu_round_trip(tmp_path_factory, said):
    path = tmp_path_factory.mktemp("trip") / "corpus.conllu"
    columns = [[[pair[i] for pair in words] for words in said] for i in (0, 1)]
    write_conllu(labelled_corpus(*columns), path)
    assert pairs(read_conllu(path, withheld=True)) == said


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
    "CoNLL-2003": ("EU NNP I-NP I-ORG\nx VB B-VP O\n", "EU/B-ORG x/O"),
    "document starts": ("-DOCSTART- -X- O\n\nA N O\n-DOCSTART- -X- O\nB N O\n", "A/O | B/O"),
    "document start behind a mark": ("A O\n\n\ufeff-DOCSTART- O\n\nB O\n", "A/O | B/O"),
    "Universal NER": ("# id = 1\n# text = R\n1\tR\tB-PER\t-\tx\n2\tr\tO\t-\tx\n", "R/B-PER r/O"),
    "MultiCoNER": ("# id 1 domain=en\nx _ _ O\ny _ _ B-PER\n", "x/O y/B-PER"),
    "MultiCoNER, tab": ("# id 1\tdomain=en\nx _ _ O\n\n# id 2\tdomain=en\nz _ _ O\n", "x/O | z/O"),
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
        ("1 Anna S-PER - x\n2 Lee O - x\n", 1, "S- and U- to B-"),
        ("Anna\tB-VEHICLE\n", 1, "PER LOC ORG MISC"),
        ("Anna\tPER\n", 1, "PER LOC ORG MISC"),
        ("\tO\n", 1, "word is empty"),
        ("a O\n# a comment within\nb O\n", 2, "comments stand before a sentence"),
        ("a O\n# S-PER\n", 2, "S- and U- to B-"),
        ("0\tRita\tB-PER\n1\tri\tO\n\n0\tR\tO\n", 1, "first column is a running number"),
        ("1 B-PER\n2 O\n3 O\n", 1, "first column is a running number"),
        ("#\thttp://x.org [9]\n1\tin\tO\tO\n2\tSt\tB-LOC\tO\n", 2, "a running number; write the w"),
        ("\n".join([*(f"{n} a O - x" for n in range(20)), "1-2 b O - x"]), 21, "running number"),
        ("en:a O\nen:b O\nc O\n", 1, "language's code"),
        ("be-x-old:a\tO\nsimple:b\tO\n", 1, "language's code"),
        ("St B-LOC O\nb O O\n", 1, "several columns hold entity tags"),
        ("-DOCSTART- O\n\n", 1, "no word in the file"),
        ("", 1, "no word in the file"),
        ("Anna,B-PER\n", 1, "1 column"),
    ],
)
def test_conll_mistakes(tmp_path, text, number, words):
    assert re.search(words, refused(read_conll, written(tmp_path, text), number))


@settings(max_examples=40, deadline=None)
@given(sentences(st.sampled_from(IOB2)))
def test_columns_give_their_words_and_strict_iob2(tmp_path_factory, said):
    text = "\n\n".join("\n".join(map("\t".join, words)) for words in said)
    found = pairs(read_conll(written(tmp_path_factory.mktemp("trip"), text)))
    assert [[w for w, _ in words] for words in found] == [[w for w, _ in words] for words in said]
    for words, given_ in zip(found, said):
        tags = [tag for _, tag in words]
        assert tags == iob2([tag for _, tag in given_]) == iob2(tags)
        for before, tag in zip(["O", *tags], tags):
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
    text = read_parallel(source, written(tmp_path, "eins\r\nzwei", "de"))
    assert text["source"][:] == ["one", "two\u2028still two\rand more"]
    assert text["target"][:] == ["eins", "zwei"]


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\x00", "\u3000\u00ad", "\u2060\u0301"])
def test_a_line_on_which_nothing_is_to_be_seen_is_refused(tmp_path, blank):
    source, target = written(tmp_path, "a\nb\n", "en"), written(tmp_path, f"a\n{blank}\n", "de")
    with pytest.raises(CorpusError, match="de, line 2: the line is blank; take the pair out"):
        read_parallel(source, target)
    target.write_text(f"a\n{blank}·\n", encoding="utf-8")
    assert len(read_parallel(source, target)) == 2


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
        one.select([0]),
    ]
    assert len({digest(corpus) for corpus in [one, *others]}) == 5
    assert digest(one) == digest(one.select([0, 1])) and len(digest(one)) == 32
    text = parallel_text(["a", "b"], ["c", "d"])
    assert text_digest(text) != text_digest(text.select([1, 0]))


def test_statistics_by_hand():
    corpus = labelled_corpus([["A", "B"], ["A"]], [["B-PER", "I-PER"], ["B-LOC"]])
    assert statistics(corpus) == {"sentences": 2, "tokens": 3, "types": 2, "entities": 2}
