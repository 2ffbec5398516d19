"""How much hangs on what the paper leaves open: one experiment in variants of an edition.

A variant is the edition with a setting changed (`Edition.variant`); its results are kept like any others. What other
corpora would give is asked in the same way: ``edition.variant(corpora={"treebanks": {"nl": "UD_Dutch-Alpino@r2.13"}})``.
For real languages two such questions have tables of their own, on published treebanks: what another test text, or the
same one as another release tags it, would give; and what the treebanks' own tags (XPOS) would.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from tqdm import tqdm

from crosslingual import corpora, finetune, scoring, transfer
from crosslingual import store as stores
from crosslingual.corpora import CorpusUnavailable, treebanks
from crosslingual.corpora.folder import ROOT_VARIABLE
from crosslingual.editions import Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.store import Store
from crosslingual.transfer import Cell

TASK, ENCODER = "pos", "m-bert"
AS_IT_IS = "as it is"
KIND, VERSION = "sensitivity", 1  # of record; bump when the tables of other treebanks come out otherwise
# Published test texts that could as well stand for a language.
TEXTS = {
    "en": "UD_English-EWT@r2.0-test",
    "it": "UD_Italian-ISDT@r2.0-test",
    "ja": "UD_Japanese-GSD@r2.0-test",
    "fr": "UD_French-Sequoia@r2.0-test",
    "ar": "UD_Arabic-PUD@r2.0-test",
}
# Treebanks with tags of their own, which only make sense within one language.
OWN_TAGS = {
    "el": "UD_Greek-GDT@r2.0-test",
    "ta": "UD_Tamil-TTB@r2.0-test",
    "tr": "UD_Turkish-IMST@r2.0-test",
}
TEXT_COLUMNS = ["language", "treebank", "retagged", "train", "ours", "theirs"]
TAG_COLUMNS = ["language", "treebank", "tags", "upos", "xpos"]
# Appendix A names neither decay, clipping nor Adam's bias correction, and is tuned to nothing; a large bound never clips.
VARIANTS: dict[str, dict] = {
    "weight decay 0.01": {"weight_decay": 0.01},
    "no clipping": {"max_grad_norm": 1e9},
    "no bias correction in Adam": {"bias_correction": False},
    "no dropout": {"dropout": 0.0},
    "batches of 16": {"batch_size": 16},
}


def measure(
    edition: Edition, train: str = "", variants: Mapping[str, dict] = VARIANTS, store: Store | None = None
) -> pd.DataFrame:
    """Tagging accuracy of M-BERT fine-tuned on one language, in each variant of the recipe.

    ``train`` is English, or the edition's first language where it has no English. Columns: variant, seed, within
    (accuracy in percent on that language) and across (mean over all others). The edition as it is comes first, with
    all of its seeds; variants have the first. attrs["unavailable"] as of `transfer.matrix`.
    """
    store, train = store or stores.default(edition), train or _usual(edition)
    frames = {AS_IT_IS: _scores(edition, train, edition.seeds(TASK), store)}
    for title, varied in tqdm(_varied(edition, variants).items(), desc="variants", leave=False):
        frames[title] = _scores(varied, train, edition.seeds(TASK)[:1], store)
    rows = [{"variant": title, "seed": seed, **_means(group)} for title, frame in frames.items()
            for seed, group in frame.groupby("seed")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["variant", "seed", "within", "across"])
    table.attrs["unavailable"] = frames[AS_IT_IS].attrs["unavailable"]
    return table


def lacking(edition: Edition, store: Store | None = None) -> list[Cell]:
    """The models of `measure` that have yet to be fine-tuned, but for those of the edition as it is, which tables print."""
    evaluate, seeds = edition.evaluation_languages(TASK), edition.seeds(TASK)[:1]
    plans = [transfer.plan(varied, TASK, ENCODER, [_usual(edition)], evaluate, seeds, store)
             for varied in _varied(edition, VARIANTS).values()]  # fmt: skip
    return [cell for plan in plans for cell in plan]


def swings(table: pd.DataFrame) -> pd.DataFrame:
    """Points by which each variant differs from the edition as it is, first seeds compared: within, across."""
    first = table.drop_duplicates("variant").set_index("variant")[["within", "across"]]
    return first.drop(AS_IT_IS) - first.loc[AS_IT_IS] if len(first) else first


def other_texts(edition: Edition, store: Store | None = None) -> pd.DataFrame:
    """Accuracy on the edition's test texts and on published ones that could stand in their place (``TEXTS``).

    M-BERT, first seed, fine-tuned on English and on the language itself. Columns: language, treebank, retagged (percent of
    words that have another tag there, in sentences that both texts have; NaN if none), train, ours, theirs. No rows, and
    attrs["unavailable"], where the corpora are not at hand and no result is kept.
    """
    return _kept(edition, TEXTS, ["en", *TEXTS], TEXT_COLUMNS, lambda: _other_texts(edition), store)


def own_tags(edition: Edition, store: Store | None = None) -> pd.DataFrame:
    """Accuracy within a language with universal tags and with the treebank's own (``OWN_TAGS``), M-BERT, first seed.

    Columns: language, treebank, tags (how many own ones its training text has), upos, xpos. Otherwise as `other_texts`.
    """
    return _kept(edition, OWN_TAGS, [], TAG_COLUMNS, lambda: _own_tags(edition), store)


def _kept(edition: Edition, named: Mapping[str, str], codes: Sequence[str], columns: list[str],
          rows: Callable[[], list[dict]], store: Store | None) -> pd.DataFrame:  # fmt: skip
    try:
        if edition.artificial:
            raise CorpusUnavailable("artificial languages have one treebank each, with universal tags.")
        digests = {code: [edition.corpus_digest(TASK, code, split) for split in ("train", "test")] for code in codes}
        parts = {"version": [VERSION, treebanks.READER_VERSION, transfer.versions()], "treebanks": named, "corpora": digests,
                 "encoder": edition.encoder_digest(ENCODER), "recipe": edition.recipe(TASK).described(),
                 "seed": edition.seeds(TASK)[0], "size": _size(edition)}  # fmt: skip
        return (store or stores.default(edition)).memo(KIND, parts, lambda: pd.DataFrame(rows(), columns=columns))
    except (CorpusUnavailable, EncoderUnavailable) as absence:
        nothing = pd.DataFrame(columns=columns)
        nothing.attrs["unavailable"] = {"treebanks": str(absence)}
        return nothing


def _other_texts(edition: Edition) -> list[dict]:
    taggers = {code: _tagger(edition, edition.corpus(TASK, code, "train")) for code in dict.fromkeys(["en", *TEXTS])}
    rows = []
    for code, name in TEXTS.items():
        ours, theirs = edition.corpus(TASK, code, "test"), _published(edition, code, "test", name)
        for train in dict.fromkeys(["en", code]):
            scores = [_accuracy(taggers[train], text) for text in (ours, theirs)]
            values = [code, name, retagged(ours, theirs), train, *scores]
            rows.append(dict(zip(TEXT_COLUMNS, values, strict=True)))
    return rows


def _own_tags(edition: Edition) -> list[dict]:
    rows = []
    for code, name in OWN_TAGS.items():
        found = {}
        for tags in ("upos", "xpos"):
            train = corpora.first(_published(edition, code, "train", name, tags), _size(edition))
            tagger = _tagger(edition, train)
            found[tags] = _accuracy(tagger, _published(edition, code, "test", name, tags))
        values = [code, name, len(tagger.labels), found["upos"], found["xpos"]]
        rows.append(dict(zip(TAG_COLUMNS, values, strict=True)))
    return rows


def retagged(first: Dataset, second: Dataset) -> float:
    """Percent of words with different labels in the sentences (word for word) that both corpora have; NaN if none."""
    labels = {tuple(words): tags for words, tags in zip(first["tokens"], first["labels"], strict=True)}
    pairs = [(labels[key], tags) for words, tags in zip(second["tokens"], second["labels"], strict=True)
             if (key := tuple(words)) in labels]  # fmt: skip
    other = [a != b for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True)]
    return 100 * float(np.mean(other)) if other else float("nan")


def _published(edition: Edition, code: str, split: str, name: str, tags: str = "upos") -> Dataset:
    if edition.kept:
        raise CorpusUnavailable(f"{name} was not recorded with the edition {edition.name}.")
    root = edition.source.root or os.environ.get(ROOT_VARIABLE)
    return treebanks.labelled(code, split, name, tags, root=Path(root).expanduser() if root else None)


def _size(edition: Edition) -> int | None:
    """To how many sentences the edition cuts what taggers are fine-tuned on."""
    return edition.document["corpora"].get("sizes", {}).get(TASK, {}).get("train")


def _tagger(edition: Edition, train: Dataset) -> finetune.Tagger:
    with _one_thread():
        labels = transfer.label_set(TASK, train)
        return finetune.finetune(edition.encoder(ENCODER), train, labels, edition.recipe(TASK), edition.seeds(TASK)[0])


def _accuracy(tagger: finetune.Tagger, test: Dataset) -> float:
    with _one_thread():
        return scoring.score(TASK, list(test["labels"]), tagger.predict(list(test["tokens"]))).value


def _varied(edition: Edition, variants: Mapping[str, dict]) -> dict[str, Edition]:
    return {title: edition.variant(recipe={TASK: changed}) for title, changed in variants.items()}


def _usual(edition: Edition) -> str:
    known = edition.languages(TASK)
    return "en" if "en" in known else known[0]


def _scores(edition: Edition, train: str, seeds: list[int], store: Store) -> pd.DataFrame:
    grid = (edition, TASK, ENCODER, [train], edition.evaluation_languages(TASK), seeds, store)
    with _one_thread():  # here, as starting processes would take longer than so few models
        for cell in transfer.plan(*grid):
            transfer.compute(edition, cell, store)
    return transfer.matrix(*grid)


def _means(frame: pd.DataFrame) -> dict[str, float]:
    own = frame.train == frame.evaluate
    return {"within": frame.score[own].mean(), "across": frame.score[~own].mean()}


@contextmanager
def _one_thread() -> Iterator[None]:
    """As in the processes that fine-tune all other models: with more, sums come out in another order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
