"""Every reader under random text: what is written is read back, and damage never goes unnoticed.

A letter of a word or tag that becomes another letter is no damage that anyone could see. So a
damaged file gives the words that were there, one of them another at most, or a refusal that names
file and line.
"""

import json
import re
from itertools import chain

import pandas as pd
import pytest
from crosslingual import results
from crosslingual.corpora import IOB2, UPOS, CorpusError, formats
from crosslingual.corpora.formats import iob2, labelled_corpus, read_conllu, write_conllu
from crosslingual.edition import Edition, EditionError
from hypothesis import example, given, settings
from hypothesis import strategies as st

LETTERS = st.characters(exclude_characters="\ufeff", exclude_categories=["Cs", "Cc", "Nd"])
WORD = st.text(LETTERS, min_size=1, max_size=6)
PLAIN = WORD.map(lambda word: re.sub(r"[\s:]", "x", word))  # where spaces may part columns
LINE = WORD.map(lambda word: f"a {word}")
MARKS = [*"\t\n\r #-.1_O:\0\ufeffé[&", "\r\n", ""]
INSTEAD = st.sampled_from([*(mark.encode() for mark in MARKS), b"\xff"])
AT = st.tuples(st.floats(0, 1), INSTEAD, st.integers(0, 2))
EDITION = """\
title: good
seeds: [4, 2]
corpora:
  source: published
  files: {ner: {fi: {test: "x"}}}
encoders:
  m-bert: {hub: some/one}
pairs: &some [[en, de]]
further_pairs: *some
recipe: {learning_rate: 3e-5}
"""


def sentences(word, label):
    words = st.lists(st.tuples(word, label), min_size=1, max_size=5)
    return st.lists(words, min_size=1, max_size=4)


def columns(said):
    return [[[pair[i] for pair in words] for words in said] for i in (0, 1)]


def pairs(corpus):
    return [list(zip(each["tokens"], each["labels"])) for each in corpus]


def words(said):
    return [word for sentence in said for word, _ in sentence]


def damaged(path, at):
    """Bytes somewhere in a file give way to others; returns the file's number of lines then."""
    share, instead, removed = at
    content = path.read_bytes()
    place = int(share * len(content))
    content = content[:place] + instead + content[place + removed :]
    path.write_bytes(content)
    return 2 + sum(map(content.count, [b"\n", b"\r"]))


def read_or_refused(read, path, lines, kind=CorpusError):
    """What is read, or None after a sentence with the file and one of its lines."""
    try:
        return read()
    except kind as problem:
        line = re.match(rf"{re.escape(str(path))}, line (\d+): .*\.$", str(problem))
        assert line and 1 <= int(line[1]) <= lines, problem
        return None


def differences(one, other):
    assert len(one) == len(other)
    return sum(a != b for a, b in zip(one, other))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("properties") / "file"


@settings(max_examples=40, deadline=None)
@given(said=sentences(WORD, st.sampled_from(UPOS)))
def test_a_treebank_is_read_as_it_was_written(file, said):
    write_conllu(labelled_corpus(*columns(said)), file)
    assert pairs(read_conllu(file, withheld=True)) == said
    ends = file.read_text("utf-8")
    assert ends.endswith("\n\n") and "\n\n\n" not in ends  # one blank line after each sentence


@settings(max_examples=150, deadline=None)
@given(said=sentences(WORD, st.sampled_from(UPOS)), at=AT)
@example(said=[[("a", "ADJ")], [("b", "ADJ")]], at=(0.18, b"\t", 1))  # a word behind a comment
def test_damage_to_a_treebank(file, said, at):
    write_conllu(labelled_corpus(*columns(said)), file)
    lines = damaged(file, at)
    if found := read_or_refused(lambda: pairs(read_conllu(file, withheld=True)), file, lines):
        assert [*map(len, found)] == [*map(len, said)]
        assert differences([*chain(*found)], [*chain(*said)]) <= 1


def write_conll(said, file, number="", part="\t"):
    rows = [
        [part.join([*map(str, [n] * bool(number)), *pair]) for n, pair in enumerate(each, 1)]
        for each in said
    ]
    file.write_text("\n\n".join(map("\n".join, rows)), "utf-8", newline="\n")


@settings(max_examples=40, deadline=None)
@given(said=sentences(WORD.filter(lambda word: ":" not in word), st.sampled_from(IOB2)))
def test_entities_are_read_as_they_were_written(file, said):
    write_conll(said, file)
    found = pairs(formats.read_conll(file))
    assert list(map(words, [[s] for s in found])) == list(map(words, [[s] for s in said]))
    for sentence, given_ in zip(found, said):
        tags = [tag for _, tag in sentence]
        assert tags == iob2([tag for _, tag in given_]) == iob2(tags)
        for before, tag in zip(["O", *tags], tags):
            assert tag[0] != "I" or before[1:] == tag[1:]


@settings(max_examples=150, deadline=None)
@given(said=sentences(PLAIN, st.sampled_from(IOB2)), part=st.sampled_from("\t "), at=AT)
def test_damage_to_entities(file, said, part, at):
    write_conll(said, file, part=part)
    lines = damaged(file, at)
    if found := read_or_refused(lambda: pairs(formats.read_conll(file)), file, lines):
        assert differences(words(found), words(said)) <= 1


@settings(max_examples=100, deadline=None)
@given(text=st.lists(st.tuples(LINE, LINE), min_size=1, max_size=5), at=AT)
def test_parallel_text_and_damage_to_it(file, text, at):
    sides, other = list(zip(*text)), file.with_name("other")
    for path, side in zip([file, other], sides):
        path.write_text("\n".join(side), "utf-8", newline="\n")
    assert [tuple(side) for side in formats.read_parallel(file, other)[:].values()] == sides
    lines = damaged(file, at)
    try:
        found = formats.read_parallel(file, other)
    except CorpusError as problem:
        line = re.match(r".*/(?:file|other), line (\d+): .*\.$", str(problem))
        assert line and 1 <= int(line[1]) <= max(lines, len(text)), problem
    else:
        assert differences(found["source"], sides[0]) <= 1


@settings(max_examples=150, deadline=None)
@given(at=AT)
def test_damage_to_an_edition(file, at):
    path = file.with_suffix(".yml")
    path.write_text(EDITION)
    lines = damaged(path, at)
    read_or_refused(lambda: Edition.load(path), path, lines, EditionError)


@settings(max_examples=100, deadline=None)
@given(at=AT)
def test_damage_to_a_record(file, at):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "recorded", lambda edition: file.parent)
        patch.setenv(results.VARIABLE, str(file.parent / "local"))
        made_from = json.dumps({"corpus": "a"})
        frame = pd.DataFrame({"train": ["en", "de"], "seed": [1, 2], "made_from": made_from})
        results.record("mine", "scores", frame)
        found = [results.read("mine", "scores", [*frame])]
        damaged(file.with_name("scores.parquet"), at)
        try:
            found.append(results.read("mine", "scores", [*frame]))
            shown = [results.current(each, ["train", "seed"], lambda row: {}) for each in found]
            pd.testing.assert_frame_equal(*(each[[*frame]] for each in shown), check_dtype=False)
        except results.ResultsError as problem:
            assert re.search(r"damaged.*: restore it with git\.$", str(problem))
