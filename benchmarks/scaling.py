"""How well 1 and 2 processes share a grid of models; efficiency is 1 where 2 take half the time.

    python benchmarks/scaling.py [models a round] [rounds] [processes]

On a GPU, where one is shared, what several processes gain is printed likewise: small models leave
most of it idle. Processes are warm, and take turns with one alone, as the machine may be busy.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from crosslingual import experiments, results
from crosslingual.edition import Edition

EDITION = """\
title: a grid to time
artificial: true
seeds: [1]
corpora: {{source: artificial, sizes: {{pos: {{train: 600, dev: 1, test: 100}}}}}}
languages: {{pos: [en, de], ner: [], code-switching: []}}
encoders: {{m-bert: {encoder}}}
recipe: {{epochs: 1, learning_rate: 1.0e-3}}
"""
ENCODER = Path(__file__).resolve().parents[1] / "encoders" / "pocket-m-bert"


def main(models: int = 8, rounds: int = 3, most: int = 2) -> None:
    experiments.SHORT = 0  # so few models would be left to one process
    with tempfile.TemporaryDirectory() as room:
        os.environ[results.VARIABLE] = f"{room}/results"
        path = Path(room, "grid.yml")
        path.write_text(EDITION.format(encoder=ENCODER))
        edition, seconds = Edition.load(path), {1: [], most: []}
        for seed in range(rounds):
            for workers, took in seconds.items():
                grid(edition, workers, range(workers), 2 * seed)  # new processes load and encode
                started = time.perf_counter()
                grid(edition, workers, range(models), 2 * seed + 1)
                took.append(time.perf_counter() - started)
                print(f"{models} models on {workers}: {took[-1]:.1f} s", flush=True)
    gain = np.median(np.divide(seconds[1], seconds[most]))
    print(f"{most} processes are {gain:.2f} times as fast as one: efficiency {gain / most:.2f}")


def grid(edition: Edition, workers: int, numbers: range, round: int) -> None:
    jobs = [("pos", "m-bert", "en", 1000 * round + number) for number in numbers]
    experiments.run(edition, [experiments.Job("scores", job) for job in jobs], workers)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
