"""Made-up results in the shapes that ``experiments`` returns, and editions that are only names."""

import json
import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
from crosslingual import languages, stats

TITLES = {"m-bert": "M-BERT", "en-bert": "EN-BERT"}
MADE = {"encoder": "0123456789", "recipe": "epochs=3", "versions": "alignment 1"}


def edition(name, artificial=True, **more):
    """What chapters ask of an edition: ``more`` overrides, as substitutes={"de": "WikiNEuRal"}."""
    told = {
        "name": name,
        "title": f"{name.title()} (made up)",
        "artificial": artificial,
        "substitutes": {},
        "cannot_judge": {},
        "pairs": [("en", "de")],
        "adjective_group": languages.adjective_group,
        "encoder_title": lambda encoder: TITLES.get(encoder, encoder),
    }
    return SimpleNamespace(**told | more)


ARTIFICIAL, REAL = edition("pocket"), edition("paper", artificial=False)


def scores(
    accuracy, train, evaluate=None, encoder="m-bert", task="pos", seeds=(1, 2, 3), sentences=50
):
    """Scores around ``accuracy(train, evaluate)`` (0 to 1), always the same; NaN lacks a value."""
    cells = [(a, b, seed) for a in train for b in evaluate or train for seed in seeds]
    return pd.DataFrame(
        [_run(encoder, task, a, b, seed, accuracy(a, b), sentences) for a, b, seed in cells]
    )


def _run(encoder, task, train, evaluate, seed, accuracy, sentences):
    row = {"encoder": encoder, "task": task, "train": train, "evaluate": evaluate, "seed": seed}
    row |= {"edition": "pocket", "reason": "", "note": "", "origin": "computed here"}
    row["made_from"] = json.dumps(MADE)
    if np.isnan(accuracy):
        return row | {"score": np.nan, "counts": None, "reason": f"fetch {train} or {evaluate}"}
    rng = np.random.default_rng(zlib.crc32(f"{encoder} {train} {evaluate} {seed}".encode()))
    correct = rng.binomial(20, np.clip(accuracy, 0, 1), sentences)
    columns = [correct, np.full(sentences, 20), np.full(sentences, 20)]
    counts = np.stack(columns if task == "ner" else columns[:2], axis=1)
    return row | {"counts": counts, "score": float(stats.percent(counts.sum(0)))}


def certain(encoder, found, seeds=(1,)):
    """Scores, {(train, evaluate): percent}, a point higher by seed, the same in every sentence."""
    rows = [
        {"encoder": encoder, "task": "pos", "train": train, "evaluate": evaluate, "seed": seed}
        | {"score": value + seed - 1.0, "counts": np.tile([value + seed - 1, 100], (50, 1))}
        for (train, evaluate), value in found.items()
        for seed in seeds
    ]
    frame = pd.DataFrame(rows).assign(edition="pocket", reason="", note="", origin="computed here")
    return frame.assign(made_from="{}")
