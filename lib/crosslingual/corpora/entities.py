"""Named entities: CoNLL-2002 and CoNLL-2003, and open substitutes (paper, section 2).

English, Dutch and Spanish come from the parquet conversions of the CoNLL corpora on the hub. German
CoNLL-2003 is licensed text, and the in-house corpus in 16 languages behind Figure 1 was never
released: WikiANN stands for them. Files of the data folder are taken first:

    conll2002/{esp,ned}.{train,testa,testb}
    conll2003/{eng,deu}.{train,testa,testb}
    ner16/<language>.<split>.conll
"""

from functools import cache
from pathlib import Path

from crosslingual import languages
from crosslingual.corpora import formats
from crosslingual.corpora.fetch import Download
from crosslingual.corpora.formats import IOB2, CorpusError, CorpusUnavailable, Dataset, iob2

CONLL = {"en": "conll2003/eng", "de": "conll2003/deu", "es": "conll2002/esp", "nl": "conll2002/ned"}
CONLL_SPLITS = {"train": "train", "dev": "testa", "test": "testb"}
WIKIANN = "WikiANN"
ON_THE_HUB = {"en": "CoNLL-2003", "es": "CoNLL-2002", "nl": "CoNLL-2002"}


def own(language: str) -> list[dict[str, str]]:
    """Where the data folder may have files of a language, by split: a CoNLL corpus's first."""
    in_house = {split: f"ner16/{language}.{split}.conll" for split in CONLL_SPLITS}
    official = {split: f"{CONLL.get(language)}.{name}" for split, name in CONLL_SPLITS.items()}
    return [official, in_house] if language in CONLL else [in_house]


@cache
def on_the_hub(language: str, split: str) -> Download:
    """The split's file in a conversion to parquet; raises CorpusUnavailable."""
    from huggingface_hub import hf_hub_url

    named = languages.name(language)
    if language not in {*CONLL, *languages.NER16_LANGUAGES}:
        problem = f"there is no entity corpus of {named}: name one of your own under `files`"
        raise CorpusUnavailable(f"{problem} in the edition's corpora.")
    corpus = ON_THE_HUB.get(language, WIKIANN)
    [hub] = (row for row in languages.rows("hub.csv") if row["corpus"] == corpus)
    path = hub["path"].format(language=language, split="validation" if split == "dev" else split)
    url = hf_hub_url(hub["repository"], path, repo_type="dataset", revision=hub["revision"])
    return Download(f"{corpus} {named} {split}", url, f"hub/{hub['repository']}/{path}")


def read_parquet(path: Path) -> Dataset:
    """A labelled corpus from the hub's parquet form: ``tokens``, and ``ner_tags`` that are named.

    Sentences without a word, with which the conversions end, are left out. Raises CorpusError.
    """
    try:
        rows = _rows(path)
    except (ValueError, RuntimeError, OSError, LookupError, TypeError, AttributeError) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        problem = f"this is no parquet file with tokens and named ner_tags ({reason})"
        remedy = "delete it, so that it is fetched again"
        raise CorpusError(path, 1, f"{problem}; {remedy}") from None
    return formats.labelled_corpus([words for words, _ in rows], [iob2(tags) for _, tags in rows])


def _rows(path: Path) -> list[tuple[list[str], list[str]]]:
    from datasets import Features

    from crosslingual import parquet

    table = parquet.read(path, ["tokens", "ner_tags"])
    names = Features.from_arrow_schema(table.schema)["ner_tags"].feature.names
    names = dict(enumerate(names))  # in which -1 is not the last
    rows = zip(table["tokens"].to_pylist(), table["ner_tags"].to_pylist())
    rows = [(words, [names[tag] for tag in tags]) for words, tags in rows if words or tags]
    whole = (len(words) == len(tags) and all(words) for words, tags in rows)
    if not rows or not all(whole) or any(not set(tags) <= {*IOB2} for _, tags in rows):
        raise TypeError("a sentence has not one tag of IOB2 for each word")
    return rows
