"""Named entities: CoNLL-2002 and CoNLL-2003, and open substitutes (paper, section 2).

English, Dutch and Spanish come from the parquet conversions of the CoNLL corpora on the hub. German
CoNLL-2003 is licensed text, and the in-house corpus in 16 languages behind Figure 1 was never
released: WikiANN stands for them. Files of the data folder are taken first:

    conll2002/{esp,ned}.{train,testa,testb}
    conll2003/{eng,deu}.{train,testa,testb}
    ner16/<language>.<split>.conll
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from crosslingual import languages
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import (
    ENTITY_TYPES,
    IOB2,
    UTF_8,
    CorpusError,
    CorpusUnavailable,
    iob2,
    labelled_corpus,
)

if TYPE_CHECKING:
    from datasets import Dataset

CONLL = {"en": "conll2003/eng", "de": "conll2003/deu", "es": "conll2002/esp", "nl": "conll2002/ned"}
CONLL_SPLITS = {"train": "train", "dev": "testa", "test": "testb"}
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


WIKIANN = "WikiANN"
ON_THE_HUB = {"en": "CoNLL-2003", "es": "CoNLL-2002", "nl": "CoNLL-2002"}


def substitutes(root: Path | None = None) -> dict[str, str]:
    """{language: corpus} of the CoNLL languages for which another stands; nothing is read."""
    standing = {}
    for code in languages.CONLL_LANGUAGES:
        if not _any(root, official(code)):
            own, hub = _any(root, _in_house(code)), code in ON_THE_HUB
            standing[code] = "a file of your own" if own else "" if hub else WIKIANN
    return {code: corpus for code, corpus in standing.items() if corpus}


def official(language: str) -> dict[str, str]:
    """The places of one of the four CoNLL corpora in the data folder, by split."""
    stem = CONLL.get(language)
    return {split: f"{stem}.{name}" for split, name in CONLL_SPLITS.items()} if stem else {}


def file(language: str, split: str, root: Path | None = None) -> Path | Download:
    """The split's file: all splits of a language from the same place. Raises CorpusUnavailable."""
    if language not in {*CONLL, *languages.NER16_LANGUAGES}:
        raise CorpusUnavailable(
            f"there is no entity corpus of {languages.name(language)}: name one of your own under "
            "`files` in the edition's corpora."
        )
    for places in (official(language), _in_house(language)):
        if _any(root, places):
            return _existing(root / places[split])
    return _on_the_hub(ON_THE_HUB.get(language, WIKIANN), language, split)


def encoding(path: Path) -> str:
    """UTF-8; Latin-1 for the German of 2003 as the task gave it out, where it is no UTF-8."""
    if path.name.startswith("deu."):
        try:
            path.read_bytes().decode(UTF_8)
        except UnicodeDecodeError:
            return "latin-1"
    return UTF_8


def read_parquet(path: Path) -> "Dataset":
    """A labelled corpus from the hub's parquet form: ``tokens``, and ``ner_tags`` that are named.

    Sentences without a word, with which the conversions end, are left out. Raises CorpusError.
    """
    import pyarrow.parquet
    from datasets import Features

    try:
        table = pyarrow.parquet.read_table(path, columns=["tokens", "ner_tags"])
        names = Features.from_arrow_schema(table.schema)["ner_tags"].feature.names
    except (pyarrow.ArrowException, AttributeError, KeyError, TypeError) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        problem = f"this is no parquet file with tokens and named ner_tags ({reason})"
        raise CorpusError(path, 1, problem, "delete it, so that it is fetched again") from None
    rows = zip(table["tokens"].to_pylist(), table["ner_tags"].to_pylist())
    rows = [(tokens, [names[tag] for tag in tags]) for tokens, tags in rows if tokens]
    if any(len(tokens) != len(tags) or not set(tags) <= {*IOB2} for tokens, tags in rows):
        problem = "a sentence has more or fewer tags than tokens, or other tags than IOB2"
        raise CorpusError(path, 1, problem, "delete it, so that it is fetched again")
    corpus = labelled_corpus([tokens for tokens, _ in rows], [iob2(tags) for _, tags in rows])
    _check_counts(path, corpus)
    return corpus


def _in_house(language: str) -> dict[str, str]:
    return {split: f"ner16/{language}.{split}.conll" for split in CONLL_SPLITS}


def _any(root: Path | None, places: dict[str, str]) -> bool:
    return root is not None and any((root / place).is_file() for place in places.values())


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise CorpusUnavailable(f"{path} is missing: put that split there, beside the others.")
    return path


def _on_the_hub(corpus: str, language: str, split: str) -> Download:
    """A revision that is a branch was not to be had as a commit: `_check_counts` looks at it."""
    from huggingface_hub import hf_hub_url

    hub = pd.read_csv(languages.DATA / "hub.csv").set_index("corpus").loc[corpus]
    name = hub.path.format(language=language, split=HUB_SPLITS[split])
    url = hf_hub_url(hub.repository, name, repo_type="dataset", revision=hub.revision)
    what = f"{corpus} {languages.name(language)} {split}"
    return Download(what, url, f"hub/{hub.repository}/{name}")


def _check_counts(path: Path, corpus: "Dataset") -> None:
    """Refuse a conversion that is not what the shared task gave out: its scores do not compare."""
    known = pd.read_csv(languages.DATA / "conll_counts.csv").set_index("file")
    name = next((name for name in known.index if path.as_posix().endswith(name)), None)
    if name is None:
        return
    labels = [label for row in corpus["labels"] for label in row]
    found = {kind: labels.count(f"B-{kind}") for kind in ENTITY_TYPES}
    differing = [
        f"{found[k]} {k} for {known.at[name, k]}" for k in found if found[k] != known.at[name, k]
    ]
    if differing:
        problem = f"this is not what the shared task gave out ({', '.join(differing)})"
        remedy = "put the task's own files into conll2002/ or conll2003/ of the data folder"
        raise CorpusError(path, 1, problem, remedy)
