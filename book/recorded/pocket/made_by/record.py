"""What `train.py` measured as rows: `python record.py --data data --results results --date 2026-11-28`.

Writes ``../interventions.parquet``: world, seed, step, measure, source, target, layer, score
(percent; of the masked loss nats) and every (percent of all words, anchors and names included).
Worlds that are not among the results stay as they were recorded.
"""

import argparse
import json
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
from train import SEEDS

IN_LANGUAGE, ZERO_SHOT = "in-language tagging", "zero-shot tagging"
COLUMNS = ["world", "seed", "step", "measure", "source", "target", "layer", "score", "every"]


def rows_of(path, majority_of):
    """The rows of one snapshot of one stack."""
    found = np.load(path)
    about = json.loads(str(found["about"]))
    codes, step = about["languages"], about["step"]
    shape = len(about["members"]), len(codes), len(codes), -1, 3
    right = found["correct"].reshape(shape).sum(3, dtype=int)
    total = found["total"].reshape(shape[0], 1, *shape[2:]).sum(3, dtype=int)
    words, every = 100 * right[..., 2] / total[..., 2], 100 * right.sum(-1) / total.sum(-1)
    held_out = found["retrieval"][1]  # [layers + 1, encoders, pairs]
    best = held_out.mean(-1).argmax(0)
    for m, (world, seed) in enumerate(about["members"]):
        one = world, seed, step
        for (i, a), (j, b) in product(enumerate(codes), repeat=2):
            measure = IN_LANGUAGE if a == b else ZERO_SHOT
            yield *one, measure, a, b, -1, words[m, i, j], every[m, i, j]
        for pair, (a, b) in enumerate(permutations(codes, 2)):
            layer = best[m]
            yield *one, "retrieval", a, b, layer, 100 * held_out[layer, m, pair], np.nan
        for a, loss in zip(codes, found["loss"][m], strict=True):
            yield *one, "masked loss", a, a, -1, loss, np.nan
        for a, share in majority_of.items():
            yield *one, "majority class", a, a, -1, share, np.nan


def majority(data):
    """Percent of a language's own words in the test text that its most frequent tag would get."""
    found, about = np.load(data / "own.npz"), json.loads((data / "about.json").read_text())
    codes, words = about["languages"], found["test_words"].astype(int)
    language = np.repeat(np.arange(len(codes)), len(words) // len(codes)).repeat(words)
    for number, code in enumerate(codes):
        labels = found["test_labels"][(language == number) & (found["test_kinds"] == 2)]
        yield code, 100 * np.bincount(labels).max() / len(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "interventions.parquet"
    )
    asked = parser.parse_args()
    frames, majority_of = [], dict(majority(asked.data))
    for path in sorted(asked.results.rglob("*.npz")):
        frame = pd.DataFrame(rows_of(path, majority_of), columns=COLUMNS)
        about = json.loads(str(np.load(path)["about"]))
        made = {
            "world seed": str(about["seed"]),
            "steps": str(about["steps"]),
            "stack": path.stem,
            "versions": "",
        }
        seconds = about["seconds"] / len(about["members"])
        frames.append(
            frame.assign(made_from=json.dumps(made), device=about["device"], seconds=seconds)
        )
    whole = pd.concat(frames).sort_values(
        ["world", "seed", "step", "measure", "layer"], kind="stable"
    )
    seeds = whole.groupby("world").seed.nunique()
    print("left out, as seeds lack:", list(seeds.index[seeds < SEEDS]))
    whole = whole[whole.world.map(seeds) >= SEEDS]
    whole = whole.astype(
        {"score": "float32", "every": "float32", "seed": "int16", "step": "int16", "layer": "int8"}
    )
    whole = whole.assign(date=asked.date, memory=np.nan, versions="{}")
    if asked.out.exists():
        before = pd.read_parquet(asked.out)
        whole = pd.concat([before[~before.world.isin(whole.world)], whole])
        whole = whole.sort_values(["world", "seed", "step", "measure", "layer"], kind="stable")
    whole.to_parquet(asked.out, index=False, compression="zstd")
    print(len(whole), "rows", asked.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
