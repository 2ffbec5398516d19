"""Code-switched Hindi-English, UD_Hindi_English-HIENCS (paper, section 4 and Table 6; Bhat et al., 2018).

The treebank ships without words, as tweets may not be passed on: every FORM is ``_``. What it does ship is an
annotation (``merge/``): a tweet's id, and for each token its first letter (the whole token where that is no
plain word) and its ``norm``, the Devanagari or corrected form where that differs from the tweeted one. Of
tweets that were already gone when the treebank was made, 259 of 1,898, the annotation has every word.

Who has the other tweets gives them as a file, ids to texts, and the words are restored by laying each text
along its tokens. JSON lines, ``{"id": "614345838987382784", "text": "..."}`` (or Twitter's own ``id_str`` and
``full_text``), or, if the name ends in .tsv, ``id<TAB>text``. It is looked for at ``codeswitch/tweets.jsonl``
and ``codeswitch/tweets.tsv`` in the data folder. A treebank whose FORMs were filled in by its own script is
read too.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from datasets import Dataset

from crosslingual import languages
from crosslingual.corpora import conllu
from crosslingual.corpora.download import Download, fetch
from crosslingual.corpora.text import CorpusError, CorpusUnavailable, labelled_corpus, read_lines

VERSION = 2  # raise when the same files give other sentences
FOLDER = Path("codeswitch") / "UD_Hindi_English-HIENCS"
TWEETS = [Path("codeswitch") / "tweets.jsonl", Path("codeswitch") / "tweets.tsv"]
COMMIT = "bb98b6045eb871da33dc7a7e77f0e05eb5be5345"
URL = f"https://raw.githubusercontent.com/UniversalDependencies/UD_Hindi_English-HIENCS/{COMMIT}/"
LICENCE = "CC BY-SA 4.0"
BLANK = "_"
SPLITS = ["train", "dev", "test"]
MINIMUM = 0.5  # share of a split's sentences; below it the corpus is another one than the paper's
# Least `likeness` of a sentence. The 259 whole sentences of the release have 0.67 and more; their norms with the
# words of another of these sentences mostly have less than 0.2.
LIKENESS = 0.5

NO_TWEET = "tweet not supplied"
NO_FIT = "text does not fit the released letters"
NO_NORM = "words do not sound like the released norms"


class Released(NamedTuple):
    """One sentence of the annotation: tokens or their first letters, corrected forms, UPOS, languages."""

    tweet: str
    tokens: list[str]
    norms: list[str]
    labels: list[str]
    spoken: list[str]
    complete: bool


class Restored(NamedTuple):
    """A sentence's words and where they come from, or None and why they are missing."""

    words: list[str] | None
    source: str


def files(root: Path, split: str) -> list[Path]:
    """The treebank file of a split, its tweet ids (one a sentence, in the same order) and its annotation."""
    folder = root / FOLDER
    return [folder / name for name in _names(split)]


def labelled(
    version: str,
    split: str,
    root: Path | None = None,
    tweets: str | Path | None = None,
    minimum: float = MINIMUM,
) -> Dataset:
    """The sentences whose words can be had, "transliterated" (as tweeted) or "corrected", with their UPOS.

    The annotation is taken from the data folder ``root``, or downloaded. Raises CorpusUnavailable, with the
    number of sentences restored, where that is less than the share ``minimum`` of all; CorpusError for a
    broken file.
    """
    released, restored = _restored(root, split, tweets)
    kept = [(sentence, found.words) for sentence, found in zip(released, restored) if found.words]
    if len(kept) < minimum * len(released) or not kept:
        raise CorpusUnavailable(_what_is_missing(split, restored, minimum))
    words = [
        _corrected(found, sentence.norms) if version == "corrected" else found for sentence, found in kept
    ]
    return labelled_corpus(words, [sentence.labels for sentence, _ in kept])


def coverage(root: Path | None = None, tweets: str | Path | None = None) -> pd.DataFrame:
    """How many sentences can be restored: index split; columns sentences, restored, sources and reasons."""
    rows = {}
    for split in SPLITS:
        sources = pd.Series([found.source for found in _restored(root, split, tweets)[1]]).value_counts()
        restored = sum(sources.get(source, 0) for source in ("treebank", "release", "tweet"))
        rows[split] = {"sentences": sources.sum(), "restored": restored, **sources}
    return pd.DataFrame.from_dict(rows, orient="index").fillna(0).astype(int)


def fingerprint(
    version: str,
    split: str,
    root: Path | None = None,
    tweets: str | Path | None = None,
    minimum: float = MINIMUM,
) -> str:
    """What the corpus depends on: this module's version, and the files' bytes, or pins where they are absent."""
    supplied = _tweets_file(root, tweets)
    pins = "" if _at_hand(root, split) else " ".join(download.digest for download in downloads([split]))
    state = blake2b(f"{VERSION} {version} {minimum} {pins}".encode(), digest_size=16)
    read = [supplied, _edits(_places(root, split))] if supplied else []
    for path in [*([] if pins else files(root, split)), *(path for path in read if path.is_file())]:
        state.update(path.read_bytes())
    return state.hexdigest()


def downloads(splits: list[str] = SPLITS) -> list[Download]:
    """The released treebank and annotation (3 MB, without words), pinned by git blob hash."""
    pins = pd.read_csv(languages.DATA / "hiencs.csv").set_index("file")
    return [
        Download(
            f"HIENCS {name}",
            URL + name,
            f"hiencs/{COMMIT[:12]}/{name}",
            f"git:{pins.blob[name]}",
            int(pins["size"][name]),
            LICENCE,
        )
        for split in splits
        for name in _names(split)
    ]


def read_tweets(path: Path) -> dict[str, str]:
    """Tweets by id, from JSON lines or, if the name ends in .tsv, ``id<TAB>text``; raises CorpusError."""
    parse = _tsv if path.suffix == ".tsv" else _json
    return dict(
        parse(path, number, line) for number, line in enumerate(read_lines(path), start=1) if line.strip()
    )


def align(text: str, tokens: list[str]) -> list[str] | None:
    """The words of ``tokens``, of which plain words are given by their first letter alone, found in the
    tweet's text.

    A letter stands for the whole run of letters that begins with it, unless the next token begins inside that
    run ("don't" is "do" and "n't"). Tokens with a letter and more, and numbers, must be in the text as they
    are; tokens without letters and digits are taken from the release, as it has merged and split them by
    rules of its own. Links, mentions and hashtags that are no tokens are passed over. None if the text does
    not fit.
    """
    text = _plain(text)

    @cache  # a failed beginning is not tried twice: without it the search is exponential
    def rest(index: int, start: int) -> tuple[str, ...] | None:
        if index == len(tokens):
            return () if len(text) in _reachable(text, start) else None
        for word, end in _readings(text, start, tokens[index]):
            if (others := rest(index + 1, end)) is not None:
                return word, *others
        return None

    found = rest(0, 0)
    return None if found is None else list(found)


def likeness(words: list[str], norms: list[str]) -> float:
    """How alike words and their Devanagari norms sound, 0 to 1: mean similarity of their consonants; 1
    without any.

    The norms know each word's consonants, which the first letters do not, so another tweet is found out.
    """
    pairs = [
        (_consonants(word), _consonants(_spelt(norm)))
        for word, norm in zip(words, norms)
        if _devanagari(norm)
    ]
    ratios = [SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs if all(pair)]
    return sum(ratios) / len(ratios) if ratios else 1.0


# ---- what is released


def _names(split: str) -> list[str]:
    return [f"qhe_hiencs-ud-{split}.conllu", f"merge/tweet_ids_{split}.txt", f"merge/{split}-annot.json"]


def _at_hand(root: Path | None, split: str) -> bool:
    return root is not None and all(path.is_file() for path in files(root, split))


def _places(root: Path | None, split: str) -> list[Path]:
    """Where the three released files are, or will be once they are downloaded."""
    return files(root, split) if _at_hand(root, split) else [download.file for download in downloads([split])]


def _edits(paths: list[Path]) -> Path:
    """Where the list of what the treebank's authors mended in the tweets would be; it is no part of the release."""
    return paths[1].with_name("EDITS")


def _located(root: Path | None, split: str) -> list[Path]:
    """The three released files: all in the data folder, or else downloaded."""
    if _at_hand(root, split):
        return files(root, split)
    return [fetch(download) for download in downloads([split])]


def _released(paths: list[Path]) -> tuple[list[Released], list[list[str]]]:
    """The annotation in the treebank's order, and the treebank's FORMs; raises CorpusError if they differ."""
    treebank, ids, annotation = paths
    columns, annotated = conllu.read(treebank)[:], json.loads(annotation.read_text(encoding="utf-8"))
    released = [_sentence(tweet, annotated[tweet]) for tweet in ids.read_text(encoding="utf-8").split()]
    if [sentence.labels for sentence in released] != columns["labels"]:
        raise CorpusError(
            treebank,
            1,
            "sentences and merge/ annotation differ in number, length or tags",
            "fill in the FORMs only: keep every sentence and token of the release",
        )
    return released, columns["tokens"]


def _sentence(tweet: str, entry: dict) -> Released:
    return Released(tweet, entry["tweet"], entry["norm"], entry["pos"], entry["lid"], entry["deleted"])


def _restored(
    root: Path | None, split: str, tweets: str | Path | None
) -> tuple[list[Released], list[Restored]]:
    paths, supplied = _located(root, split), _tweets_file(root, tweets)
    released, forms = _released(paths)
    texts = _edited(read_tweets(supplied), _edits(paths)) if supplied else {}
    return released, [
        _restore(sentence, *found)
        for sentence, found in zip(
            released, ((words, texts.get(sentence.tweet)) for sentence, words in zip(released, forms))
        )
    ]


def _restore(sentence: Released, forms: list[str], text: str | None) -> Restored:
    if BLANK not in forms:
        words, source = forms if _begin_as(forms, sentence.tokens) else None, "treebank"
    elif sentence.complete:
        words, source = sentence.tokens, "release"
    elif text is None:
        return Restored(None, NO_TWEET)
    else:
        words, source = align(text, sentence.tokens), "tweet"
    if words is None:
        return Restored(None, NO_FIT)
    return Restored(words, source) if likeness(words, sentence.norms) >= LIKENESS else Restored(None, NO_NORM)


def _begin_as(words: list[str], tokens: list[str]) -> bool:
    return len(words) == len(tokens) and all(map(str.startswith, words, tokens))


def _corrected(words: list[str], norms: list[str]) -> list[str]:
    return [word if norm == BLANK else norm for word, norm in zip(words, norms, strict=True)]


def _what_is_missing(split: str, restored: list[Restored], minimum: float) -> str:
    sources = [found.source for found in restored]
    whole = sum(found.words is not None for found in restored)
    return (
        f"{whole} of the {len(restored)} {split} sentences of HIENCS have their words "
        f"({sources.count('release')} from the release), {minimum:.0%} are asked for; of the others, "
        f"{sources.count(NO_TWEET)} need a tweet, which may not be passed on, {sources.count(NO_FIT)} do not fit "
        f"their tweet and {sources.count(NO_NORM)} do not sound like it: fetch the tweets of "
        f"merge/tweet_ids_{split}.txt and put them into {TWEETS[0]} of the data folder, a "
        'line {"id": "...", "text": "..."} each.'
    )


# ---- the tweets


def _tweets_file(root: Path | None, tweets: str | Path | None) -> Path | None:
    """The file that is named, which must be there, or one in its place in the data folder, or None."""
    if tweets and not Path(tweets).expanduser().is_file():
        raise CorpusUnavailable(f"there is no file of tweets {tweets}: put it there, or name another.")
    candidates = [Path(tweets).expanduser()] if tweets else [root / path for path in TWEETS] if root else []
    return next((path for path in candidates if path.is_file()), None)


def _json(path: Path, number: int, line: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        identifier, text = entry.get("id_str", entry.get("id")), entry.get("full_text", entry.get("text"))
        if isinstance(identifier, str | int) and isinstance(
            text, str
        ):  # no float: 18 digits do not survive that
            return str(identifier), text
    except (json.JSONDecodeError, AttributeError):
        pass
    raise CorpusError(
        path, number, "this is no tweet as JSON", 'write {"id": "...", "text": "..."} on one line'
    )


def _tsv(path: Path, number: int, line: str) -> tuple[str, str]:
    identifier, tab, text = line.partition("\t")
    if not (identifier.isdigit() and tab):
        raise CorpusError(
            path, number, "this is no id, tab and text", "write one tweet a line, line breaks as blanks"
        )
    return identifier, text


def _edited(texts: dict[str, str], edits: Path) -> dict[str, str]:
    """The texts as the treebank's authors mended them before they tokenised them, if their list is there."""
    if edits.is_file():
        for identifier, *changes in (line.split("\t") for line in read_lines(edits)):
            for change in changes if identifier in texts else []:
                old, _, new = change.partition("|")
                texts[identifier] = texts[identifier].replace(old, new)
    return texts


# ---- laying a text along its tokens

QUOTES = str.maketrans("‘’‛ʼ“”„", "''''\"\"\"")
PASSED_OVER = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|RT\b")


def _plain(text: str) -> str:
    """Without HTML entities (Twitter's texts have &amp;) and typographic quotation marks, as the release is."""
    return " ".join(html.unescape(text).translate(QUOTES).split())


def _readings(text: str, start: int, token: str) -> Iterator[tuple[str, int]]:
    """The words that a token can be from ``start`` on, each with its end: the longest first."""
    if not any(map(str.isalnum, token)):
        yield token, start
        return
    word = _plain(token)
    for begin in _reachable(text, start):
        if not text.startswith(word, begin):
            continue
        if len(token) > 1 or not token.isalpha():
            yield token, begin + len(word)
        elif begin == 0 or not text[begin - 1].isalpha():
            yield from _runs(text, begin)


def _runs(text: str, begin: int) -> Iterator[tuple[str, int]]:
    end = begin + 1
    while end < len(text) and unicodedata.category(text[end])[0] in "LM":
        end += 1
    for stop in range(end, begin, -1):
        yield text[begin:stop], stop


def _reachable(text: str, start: int) -> list[int]:
    """Where the next word may begin: after marks and blanks, and perhaps links, mentions and hashtags."""
    reached = [start]
    for position in reached:  # it grows meanwhile
        steps = [position + 1] if position < len(text) and not text[position].isalnum() else []
        if passed := PASSED_OVER.match(text, position):
            steps.append(passed.end())
        reached += [step for step in steps if step not in reached]
    return reached


# ---- the sound of words

ALIKE = {"q": "k", "c": "k", "x": "s", "z": "j", "w": "v", "f": "p"}


def _devanagari(text: str) -> bool:
    return "\u0900" <= text[:1] <= "\u097f"


def _spelt(norm: str) -> str:
    """Devanagari letters by their Unicode names: DEVANAGARI LETTER KHA is kha."""
    names = (unicodedata.name(char, "") for char in unicodedata.normalize("NFC", norm))
    return "".join(name.split()[-1].lower() for name in names if " LETTER " in name)


def _consonants(word: str) -> str:
    """Consonants without aspiration and doubling, those that Roman spelling confuses made alike."""
    kept = "".join(ALIKE.get(char, char) for char in word.lower() if char.isalpha() and char not in "aeiouyh")
    return re.sub(r"(.)\1+", r"\1", kept)
