"""Made-up results in the shapes that the library's own functions return."""

import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
from crosslingual import stats

ARTIFICIAL = SimpleNamespace(
    name="pocket", title="Pocket (artificial languages)", artificial=True, seeds=[1, 2, 3]
)
REAL = SimpleNamespace(name="paper", title="Paper (real data)", artificial=False, seeds=[1, 2, 3], document={}, source=None)


def matrix(accuracy, train, evaluate=None, encoder="m-bert", task="pos", seeds=(1, 2, 3), sentences=50):
    """A transfer matrix whose cells score about ``accuracy(train, evaluate)`` (0 to 1), always the same."""
    rows = []
    for a in train:
        for b in evaluate or train:
            rows += [_run(encoder, task, a, b, seed, accuracy(a, b), sentences) for seed in seeds]
    frame = pd.DataFrame(rows)
    frame.attrs["signature"] = f"{task}|{encoder}|made up"
    return frame


def _run(encoder, task, train, evaluate, seed, accuracy, sentences):
    rng = np.random.default_rng(zlib.crc32(f"{encoder} {train} {evaluate} {seed}".encode()))
    correct, total = rng.binomial(20, np.clip(accuracy, 0, 1), sentences), np.full(sentences, 20)
    counts = np.stack([correct, total, total] if task == "ner" else [correct, total], axis=1)
    score = float(stats.percent(counts.sum(0)))
    return dict(
        encoder=encoder, task=task, train=train, evaluate=evaluate, seed=seed, score=score, counts=counts
    )
