"""Readers and the writer: made-up oddities, layouts in use, mistakes, round trips, parity."""

import os
from itertools import product
from pathlib import Path

import conllu as reference
import pytest
from crosslingual.corpora import CorpusError, CorpusUnavailable, formats
from crosslingual.corpora.formats import digest, iob2, labelled_corpus, read_conll, read_conllu

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


def pairs(corpus):
    return [list(zip(each["tokens"], each["labels"])) for each in corpus]


# ---- lines


@pytest.mark.parametrize("end, last", product(["\n", "\r\n", "\r"], [True, False]))
def test_all_line_ends_give_the_same_lines(tmp_path, end, last):
    text = end.join(["one", "", "two\u2028still\u0085two"]) + end * last
    assert formats.read_lines(written(tmp_path, text)) == ["one", "", "two\u2028still\u0085two"]


# ---- CoNLL-U


def test_words_are_kept_and_all_else_is_skipped(tmp_path):
    for text in (ODD, ODD.replace("\n", "\r\n"), ODD.replace("\n", "\r"), "\ufeff" + ODD):
        corpus = read_conllu(written(tmp_path, text))
        assert corpus["tokens"][:] == [["à", "le", "10 000", "_"], ["#"]]
        assert corpus["labels"][:] == [["ADP", "DET", "NUM", "X"], ["SYM"]]


def test_a_treebank_without_its_words_says_so(tmp_path):
    path = written(tmp_path, row(1, "_"))
    with pytest.raises(CorpusUnavailable, match="every FORM is _.*merge script"):
        read_conllu(path)
    assert read_conllu(path, withheld=True)[0]["tokens"] == ["_"]


def test_version_1_is_converted_on_request(tmp_path):
    lines = [row(1, upos="CONJ"), row(2, upos="VERB", relation="cop:x"), row(3, upos="VERB")]
    corpus = read_conllu(written(tmp_path, "\n".join(lines)), version_1=True)
    assert corpus[0]["labels"] == ["CCONJ", "AUX", "VERB"]


def by_reference(path):
    """The words and UPOS that the conllu package reads."""
    trees = reference.parse(path.read_text("utf-8"), fields=["id", "form", "lemma", "upos"])
    return [[(w["form"], w["upos"]) for w in tree if isinstance(w["id"], int)] for tree in trees]


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
    "byte order marks": ("\ufeffA O\n\n\ufeff-DOCSTART- O\n\nB O\n", "A/O | B/O"),
    "Universal NER": ("# id = 1\n# text = R\n1\tR\tB-PER\t-\tx\n2\tr\tO\t-\tx\n", "R/B-PER r/O"),
    "WikiNEuRal": ("0\tR\tB-PER\n1\tri\tO\n\n0\tx\tO\n", "R/B-PER ri/O | x/O"),
    "a number, from 1, with a part of speech": ("1 a N O\n2 b N O\n\n1 c V O\n", "a/O b/O | c/O"),
    "a number through the file": ("0 a O\n1 b O\n\n2 c B-LOC\n3 d O\n", "a/O b/O | c/B-LOC d/O"),
    "GermEval without entities": ("#\tx [9]\n1\ta\tO\tO\n2\tb\tO\tO\n3\tc\tO\tO\n", "a/O b/O c/O"),
    "WikiANN": ("en:a:b B-PER\nen:: O\n\nen:en:x O\n", "a:b/B-PER :/O | en:x/O"),
    "WikiANN with numbers": ("0 be-x-old:a O\n1 be-x-old:b O\n2 be-x-old:c O\n", "a/O b/O c/O"),
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


GERMEVAL = "#\thttp://x.org [9]\n1\tin\tO\tB-ORG\n2\tSt\tB-LOC\tO\n\n1\ta\tO\tO\n"


@pytest.mark.parametrize("tag, expected", [(3, "in/O St/B-LOC a/O"), (4, "in/B-ORG St/O a/O")])
def test_columns_may_be_named(tmp_path, tag, expected):
    found = pairs(read_conll(written(tmp_path, GERMEVAL), (2, tag)))
    assert " ".join("/".join(pair) for words in found for pair in words) == expected


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
    text = formats.read_parallel(source, written(tmp_path, "eins\r\nzwei", "de"))
    assert text["source"][:] == ["one", "two\u2028still two\rand more"]
    assert text["target"][:] == ["eins", "zwei"]


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\x00", "\u3000\u00ad", "\u2060\u0301"])
def test_a_line_on_which_nothing_is_to_be_seen_is_refused(tmp_path, blank):
    source, target = written(tmp_path, "a\nb\n", "en"), written(tmp_path, f"a\n{blank}\n", "de")
    with pytest.raises(CorpusError, match="de, line 2: the line is blank; take the pair out"):
        formats.read_parallel(source, target)
    target.write_text(f"a\n{blank}·\n", encoding="utf-8")
    assert len(formats.read_parallel(source, target)) == 2


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
    text = formats.parallel_text(["a", "b"], ["c", "d"])
    assert formats.text_digest(text) != formats.text_digest(text.select([1, 0]))


def test_statistics_by_hand():
    corpus = labelled_corpus([["A", "B"], ["A"]], [["B-PER", "I-PER"], ["B-LOC"]])
    assert formats.statistics(corpus) == {"sentences": 2, "tokens": 3, "types": 2, "entities": 2}
