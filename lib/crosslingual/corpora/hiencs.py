"""Code-switched Hindi-English, UD_Hindi_English-HIENCS (paper, section 4 and Table 6; Bhat et al., 2018).

The treebank ships without words, as tweets may not be passed on: every FORM is ``_`` until its user has
crawled them. What it does ship is, per token, the Devanagari or corrected form where that differs
(``merge/*.json``).
"""

import json
from pathlib import Path

from datasets import Dataset

from crosslingual.corpora import conllu
from crosslingual.corpora.text import CorpusError, labelled_corpus

FOLDER = Path("codeswitch") / "UD_Hindi_English-HIENCS"
BLANK = "_"


def files(root: Path, split: str) -> list[Path]:
    """The treebank file of a split, its tweet ids (one a sentence, in the same order) and its annotation."""
    folder = root / FOLDER
    merge = folder / "merge"
    return [
        folder / f"qhe_hiencs-ud-{split}.conllu",
        merge / f"tweet_ids_{split}.txt",
        merge / f"{split}-annot.json",
    ]


def read(root: Path, split: str, version: str) -> Dataset:
    """The sentences whose words are all there, "transliterated" (as tweeted) or "corrected"; perhaps none.

    Raises CorpusError where a sentence and its annotation differ in length.
    """
    treebank, ids, annotation = files(root, split)
    columns = conllu.read(treebank)[:]
    tokens = columns["tokens"]
    if version == "corrected":
        tokens = _corrected(treebank, tokens, _norms(ids, annotation))
    kept = [i for i, words in enumerate(columns["tokens"]) if BLANK not in words]
    return labelled_corpus([tokens[i] for i in kept], [columns["labels"][i] for i in kept])


def _norms(ids: Path, annotation: Path) -> list[list[str]]:
    """Per sentence and token, the corrected form, or ``_`` where the word is right as it stands."""
    annotated = json.loads(annotation.read_text(encoding="utf-8"))
    return [annotated[tweet]["norm"] for tweet in ids.read_text(encoding="utf-8").split()]


def _corrected(path: Path, tokens: list[list[str]], norms: list[list[str]]) -> list[list[str]]:
    if [len(words) for words in tokens] != [len(forms) for forms in norms]:
        raise CorpusError(
            path,
            1,
            "sentences and merge/ annotation differ in number or length",
            "fill in the FORMs only: keep every sentence and token of the release",
        )
    return [[word if form == BLANK else form for word, form in zip(*pair)] for pair in zip(tokens, norms)]
