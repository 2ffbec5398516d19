"""Probe snapshots kept while an encoder was pre-trained: ``recorded/pocket/emergence.parquet``.

    crosslingual pretrain encoders/pocket-m-bert.yml      # with `snapshots: [...]`
    python book/recorded/pocket/made_by/emergence.py encoders/pocket-m-bert/run

Probed are an untrained copy of the encoder (step 0), its snapshots (``step-N``) and itself.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from crosslingual import experiments, results, stats
from crosslingual.edition import Edition
from crosslingual.models import retrieve, score
from crosslingual.models.encoder import Encoder
from crosslingual.models.finetune import finetune
from transformers import AutoConfig, AutoModel


def main(snapshots: str, name: str = "pocket", encoder: str = "m-bert") -> None:
    edition = Edition.load(name)
    steps = {int(path.name.removeprefix("step-")): path for path in Path(snapshots).glob("step-*")}
    log = edition.encoder(encoder).folder / "training.jsonl"
    last = int(pd.read_json(log, lines=True).step.max()) if log.is_file() else max(steps) + 1
    folders = sorted({0: "", **steps, last: edition.encoder(encoder).folder}.items())
    found = pd.concat(probed(edition, encoder, step, str(folder)) for step, folder in folders)
    parts = [experiments._made_from(edition, "emergence", row) for row in found.itertuples()]
    about = experiments._where() | results.about()
    found = found.assign(made_from=list(map(json.dumps, parts)), **about)
    results.record(name, "emergence", found)


def probed(edition: Edition, encoder: str, step: int, folder: str) -> pd.DataFrame:
    """Tagging (layer -1) and retrieval by layer of one snapshot; without one, of random weights."""
    whole = edition.encoder(encoder)
    with TemporaryDirectory() as room, torch.random.fork_rng():
        if not folder:  # of the same shape and vocabulary
            torch.manual_seed(0)
            AutoModel.from_config(AutoConfig.from_pretrained(whole.folder)).save_pretrained(room)
            whole.tokenizer.save_pretrained(room)
        one = Encoder(encoder, folder or room)
        rows = [row for train in ("en", "hi") for row in tagging(edition, one, train)]
        rows += [row for pair in edition.pairs for row in sentences(edition, one, *pair)]
    columns = ["measure", "source", "target", "layer", "score", "low", "high"]
    return pd.DataFrame(rows, columns=columns).assign(encoder=encoder, step=step)


def tagging(edition: Edition, encoder: Encoder, train: str) -> Iterator[tuple]:
    text, recipe = edition.corpus("pos", train, "train")[:1000], edition.recipe("pos")
    tagger = finetune(encoder, *text.values(), experiments.LABELS["pos"], recipe, seed=1)
    for target in ("en", "de", "es", "it", "bg", "ja", "hi", "ur"):
        test = edition.corpus("pos", target, "test")[:300]
        counts = score.count("pos", test["labels"], tagger.predict(test["tokens"]))
        measure = "in-language tagging" if target == train else "zero-shot tagging"
        yield measure, train, target, -1, *with_interval(counts)


def sentences(edition: Edition, encoder: Encoder, *pair: str) -> Iterator[tuple]:
    text = edition.parallel(*pair)
    some = text[retrieve.subset(len(text), 500, seed=1)]
    sides = [retrieve.sentence_vectors(encoder, some[side]) for side in some]
    for layer, vectors in enumerate(zip(*sides, strict=True)):
        hits = retrieve.nearest_neighbour_hits(*vectors)
        counts = np.stack([hits, np.ones_like(hits)], axis=1)
        yield "retrieval", *pair, layer, *with_interval(counts)


def with_interval(counts: np.ndarray) -> tuple[float, float, float]:
    """Percent and its 95% interval over sentences."""
    samples = stats.sentence_weights(len(counts), 1000, np.random.default_rng(0)) @ counts
    return float(stats.percent(counts.sum(0))), *stats.percentile_interval(stats.percent(samples))


if __name__ == "__main__":
    main(*sys.argv[1:])
