"""Code-switched tweets: words restored from a file of tweets, made-up ones and the real annotation."""

import json
import os
import random
import re
from pathlib import Path

import pytest
from crosslingual.corpora import BadParameter, CorpusError, CorpusUnavailable, hiencs
from crosslingual.corpora.folder import Folder
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = os.environ.get("CROSSLINGUAL_DATA")
real = pytest.mark.skipif(not DATA, reason="CROSSLINGUAL_DATA is not set: the real annotation is not at hand")

# Made up: id, whole words, norms, UPOS, whether the annotation has the words itself.
SENTENCES = [
    (
        "11",
        "mujhe nahi pata , I do n't care 😂",
        "मुझे नहीं पता _ _ _ _ _ _",
        "PRON PART VERB PUNCT PRON AUX PART VERB SYM",
        False,
    ),
    ("22", "plz help karo 2day #help", "please _ करो today _", "INTJ VERB VERB NOUN X", False),
    ("33", "kya baat hai", "क्या बात है", "DET NOUN AUX", True),
    ("44", "sab theek hoga", "सब ठीक होगा", "PRON ADJ AUX", False),
]
TWEETS = {
    "11": "@friend mujhe nahi pata,\nI don’t care 😂😂 https://t.co/made-up",
    "22": "plz help karo 2day #help",
    "44": "sab theek hoga &amp;",
}
WORDS = [words.split() for _, words, *_ in SENTENCES]


def letters(words):
    """What the release says of words: first letters, and whole tokens where they are no plain words."""
    return [word[0] if word.isalpha() else word for word in words]


def release(root, sentences=SENTENCES, forms=None):
    """A treebank and its annotation as the release lays them out, the annotation in another order."""
    treebank, ids, annotation = hiencs.files(root, "test")
    annotation.parent.mkdir(parents=True, exist_ok=True)
    blocks, entries = [], {}
    for number, (tweet, text, norms, tags, gone) in enumerate(sentences):
        words, tags = text.split(), tags.split()
        shown = forms[number] if forms else ["_"] * len(words)
        rows = [
            f"{i}\t{form}\t_\t{tag}" + "\t_" * 6 for i, (form, tag) in enumerate(zip(shown, tags), start=1)
        ]
        blocks.append("\n".join(rows) + "\n\n")
        entries[tweet] = dict(
            tweet=words if gone else letters(words),
            norm=norms.split(),
            pos=tags,
            lid=["hi"] * len(words),
            deleted=gone,
        )
    treebank.write_text("".join(blocks), encoding="utf-8")
    ids.write_text("".join(f"{sentence[0]}\n" for sentence in sentences))
    annotation.write_text(json.dumps(dict(reversed(entries.items()))), encoding="utf-8")
    return root


def supplied(root, tweets=TWEETS, name="tweets.jsonl"):
    lines = [
        json.dumps({"id": key, "text": text})
        if name.endswith("jsonl")
        else f"{key}\t{' '.join(text.split())}"
        for key, text in tweets.items()
    ]
    path = root / "codeswitch" / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# ---- laying a text along its letters


@pytest.mark.parametrize(
    "text, words",
    [
        ("I can't", "I ca n't"),
        ("It’s fine :P", "It 's fine :P"),
        ("RT @someone: hello there #tag", "hello there"),
        ("@someone hello", "@someone hello"),
        ("Dr. Rao ko 500 rs do!!", "Dr. Rao ko 500 rs do !!"),
        ("Tom &amp; Anna", "Tom & Anna"),
        ("so-so day", "so-so day"),
        ("haan ji\n\nhaan 🙏🏻🙏🏻", "haan ji haan 🙏🏻🙏🏻"),
        ('kaha "chup" raho', 'kaha """ chup "" raho'),  # the release has quotation marks of its own
        ("क्या baat", "क्या baat"),
    ],
)
def test_words_are_found_in_the_text(text, words):
    assert hiencs.align(text, letters(words.split())) == words.split()


@pytest.mark.parametrize(
    "text, words",
    [
        ("kya baat", "kya baat hai"),  # a word too few
        ("kya baat hai yaar", "kya baat hai"),  # a word too many
        ("kya Baat hai", "kya baat hai"),  # another letter
        ("kyabaat hai", "kya baat hai"),  # never split inside a run of letters
        ("kya 5 baat", "kya baat"),  # a number is no mark
    ],
)
def test_a_text_that_does_not_fit_is_refused(text, words):
    assert hiencs.align(text, letters(words.split())) is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.from_regex(r"\A(?:[a-zA-Z]{1,6}|[0-9]{1,3}|[!?,.]{1,2}|😂|#[a-z]{2,4})\Z"), min_size=1, max_size=12
    )
)
def test_any_words_joined_by_blanks_are_restored(words):
    assert hiencs.align(" ".join(words), letters(words)) == words


def test_hopeless_texts_are_given_up_quickly():
    assert hiencs.align("a " * 60 + "b", ["a"] * 60 + ["c"]) is None
    assert hiencs.align("a" * 200, ["a", "a"] * 30) is None


def test_norms_tell_another_tweet_with_the_same_letters():
    norms = ["मुझे", "नहीं", "पता"]
    assert hiencs.likeness(["mujhe", "nahi", "pata"], norms) > 0.9
    assert hiencs.likeness(["main", "naa", "peeche"], norms) < hiencs.likeness(
        ["mujhko", "nai", "ptaa"], norms
    )
    assert hiencs.likeness(["abc"], ["_"]) == 1.0


# ---- a made-up treebank with its tweets


@pytest.mark.parametrize("name", ["tweets.jsonl", "tweets.tsv"])
def test_tweets_give_both_versions(tmp_path, name):
    supplied(release(tmp_path), name=name)
    source = Folder(str(tmp_path))
    tweeted = source.labelled("code-switching", "transliterated", "test")
    corrected = source.labelled("code-switching", "corrected", "test")
    assert tweeted[:]["tokens"] == WORDS
    assert corrected[:]["tokens"][:2] == [
        ["मुझे", "नहीं", "पता", ",", "I", "do", "n't", "care", "😂"],
        ["please", "help", "करो", "today", "#help"],
    ]
    assert tweeted[:]["labels"] == corrected[:]["labels"] == [tags.split() for *_, tags, _ in SENTENCES]


def test_what_cannot_be_restored_is_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(hiencs, "SPLITS", ["test"])
    tweets = {"11": "mujhe kuch aur kehna hai", "22": TWEETS["22"]}
    path = supplied(release(tmp_path), tweets)
    found = hiencs.labelled("transliterated", "test", tmp_path)
    assert found[:]["tokens"] == WORDS[1:3]
    counts = hiencs.coverage(tmp_path, path).loc["test"].to_dict()
    assert counts == {
        "sentences": 4,
        "restored": 2,
        "tweet": 1,
        "release": 1,
        hiencs.NO_FIT: 1,
        hiencs.NO_TWEET: 1,
    }


def test_a_tweet_with_the_right_letters_and_the_wrong_sound_is_left_out(tmp_path):
    supplied(release(tmp_path), TWEETS | {"44": "sir tum hamare"})
    assert hiencs.labelled("corrected", "test", tmp_path)[:]["tokens"][-1] == ["क्या", "बात", "है"]


def test_without_tweets_the_sentence_says_how_many_there_are_and_how_to_get_the_rest(tmp_path):
    release(tmp_path)
    with pytest.raises(
        CorpusUnavailable, match=r"1 of the 4 test sentences.*50%.*tweets\.jsonl.*\"text\""
    ) as problem:
        Folder(str(tmp_path)).labelled("code-switching", "corrected", "test")
    assert "tweet_ids_test.txt" in str(problem.value) and "\n" not in str(problem.value)
    few = Folder(str(tmp_path), code_switching={"minimum": 0.2}).labelled(
        "code-switching", "corrected", "test"
    )
    assert few[:]["tokens"] == [["क्या", "बात", "है"]]


def test_no_sentence_at_all_is_unavailable_whatever_is_asked_for(tmp_path):
    release(tmp_path, SENTENCES[:2])
    with pytest.raises(CorpusUnavailable, match="0 of the 2"):
        hiencs.labelled("corrected", "test", tmp_path, minimum=0.0)


def test_forms_that_the_treebanks_own_script_filled_in_are_checked(tmp_path):
    forms = [WORDS[0], ["_"] * 5, WORDS[2], ["nahi", "theek", "hoga"]]
    root = release(tmp_path, forms=forms)
    assert hiencs.labelled("transliterated", "test", root)[:]["tokens"] == [WORDS[0], WORDS[2]]


def test_the_authors_own_edits_are_applied_where_they_are_at_hand(tmp_path):
    supplied(release(tmp_path), TWEETS | {"44": "sabtheek hoga"})
    assert len(hiencs.labelled("corrected", "test", tmp_path)) == 3
    (hiencs.files(tmp_path, "test")[1].parent / "EDITS").write_text("44\tsabtheek|sab theek\n99\ta|b\n")
    assert len(hiencs.labelled("corrected", "test", tmp_path)) == 4


def test_treebank_and_annotation_out_of_step_are_refused(tmp_path):
    treebank = hiencs.files(release(tmp_path), "test")[0]
    treebank.write_text(
        treebank.read_text(encoding="utf-8").replace("\tAUX\t", "\tVERB\t", 1), encoding="utf-8"
    )
    with pytest.raises(CorpusError, match="differ in number, length or tags"):
        hiencs.labelled("corrected", "test", tmp_path)


@pytest.mark.parametrize(
    "name, line, words",
    [
        ("tweets.jsonl", '{"id": "1", "text": ', "no tweet as JSON"),
        ("tweets.jsonl", '{"id": 6.1e17, "text": "x"}', "no tweet as JSON"),
        ("tweets.jsonl", '["1", "x"]', "no tweet as JSON"),
        ("tweets.tsv", "12 no tab", "no id, tab and text"),
    ],
)
def test_a_broken_line_of_tweets_is_named(tmp_path, name, line, words):
    path = tmp_path / name
    path.write_text(f"\n{line}\n")
    with pytest.raises(CorpusError, match=f"{name}, line 2: .*{words}"):
        hiencs.read_tweets(path)


def test_tweets_as_twitter_gives_them(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 1, "id_str": "614345838987382784", "full_text": "whole", "text": "cut"}\n')
    assert hiencs.read_tweets(path) == {"614345838987382784": "whole"}


def test_a_named_file_of_tweets_must_be_there(tmp_path):
    with pytest.raises(CorpusUnavailable, match="no file of tweets .*gone.jsonl"):
        hiencs.labelled("corrected", "test", release(tmp_path), tweets=tmp_path / "gone.jsonl")


def test_fingerprint_follows_tweets_version_and_minimum(tmp_path):
    path = supplied(release(tmp_path))
    prints = [
        hiencs.fingerprint("corrected", "test", tmp_path),
        hiencs.fingerprint("transliterated", "test", tmp_path),
        hiencs.fingerprint("corrected", "test", tmp_path, minimum=0.1),
    ]
    path.write_text('{"id": "22", "text": "plz"}\n')
    prints.append(Folder(str(tmp_path)).fingerprint("code-switching", "corrected", "test"))
    assert len(set(prints)) == 4


def test_fingerprint_follows_the_authors_edits_where_tweets_are_read(tmp_path):
    edits = hiencs.files(release(tmp_path), "test")[1].parent / "EDITS"
    alone = hiencs.fingerprint("corrected", "test", tmp_path)
    edits.write_text("44\tsabtheek|sab theek\n")
    assert hiencs.fingerprint("corrected", "test", tmp_path) == alone  # they are of the tweets, which are not there
    supplied(tmp_path)
    edited = hiencs.fingerprint("corrected", "test", tmp_path)
    edits.unlink()
    assert len({alone, edited, hiencs.fingerprint("corrected", "test", tmp_path)}) == 3


@pytest.mark.parametrize("given", [{"tweet": "x"}, {"minimum": 2}, {"minimum": "half"}, {"tweets": 3}])
def test_bad_settings_are_named(given):
    with pytest.raises(BadParameter) as problem:
        Folder(code_switching=given)
    assert problem.value.key == ("code_switching", *given)


# ---- the real annotation


@real
def test_every_sentence_of_the_release_is_there_and_its_files_are_the_pinned_ones():
    from crosslingual.corpora import download

    assert hiencs.coverage(Path(DATA))[["sentences", "release"]].to_dict("list") == {
        "sentences": [1448, 225, 225],
        "release": [192, 28, 39],
    }
    for pinned in hiencs.downloads():
        name = pinned.what.removeprefix("HIENCS ")
        assert not download.fault(pinned, Path(DATA) / hiencs.FOLDER / name)


def _annotated(split):
    return hiencs._released(hiencs.files(Path(DATA), split))[0]


@real
@pytest.mark.parametrize("split", hiencs.SPLITS)
def test_real_tweets_come_back_from_their_letters(split):
    """The release has every word of some tweets: written as people write, cut to letters, restored."""
    whole = [sentence.tokens for sentence in _annotated(split) if sentence.complete]
    for words in whole:
        text = re.sub(r" (?=n't\b|'\w+\b|[.,!?])", "", " ".join(words)).replace("'", "’")
        assert hiencs.align(f"@who {text} https://t.co/x", letters(words)) == words


@real
def test_real_norms_match_their_own_words_and_no_others():
    whole = [sentence for sentence in _annotated("train") if sentence.complete]
    assert min(hiencs.likeness(sentence.tokens, sentence.norms) for sentence in whole) > hiencs.LIKENESS
    draw = random.Random(0)
    other = [draw.choices(draw.choice(whole).tokens, k=len(sentence.norms)) for sentence in whole]
    found_out = sum(hiencs.likeness(words, one.norms) < hiencs.LIKENESS for words, one in zip(other, whole))
    assert found_out > 0.9 * len(whole)


@real
def test_fabricated_words_for_all_real_letters_restore_every_sentence(tmp_path):
    """Each letter becomes a word that sounds like its norm, in exactly the format of a user's file."""
    tweets = {}
    for sentence in _annotated("test"):
        words = [
            token if len(token) > 1 or not token.isalpha() else token + (hiencs._spelt(norm) or "xyz")
            for token, norm in zip(sentence.tokens, sentence.norms)
        ]
        tweets[sentence.tweet] = " ".join(words)
    path = tmp_path / "tweets.jsonl"
    path.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in tweets.items()))
    for version in ("corrected", "transliterated"):
        corpus = hiencs.labelled(version, "test", Path(DATA), path, minimum=1.0)
        assert len(corpus) == 225 and sum(map(len, corpus["tokens"])) == 3295
