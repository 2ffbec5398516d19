"""All encoders of the design, one after another: start as many as there are cores, at any time.

    python campaign.py --data data --results results --work work

Each is trained and probed by a process of its own, which takes a lock; what was killed is begun
anew, or goes on from its last snapshot.
"""

import argparse
import fcntl
import subprocess
import sys
from itertools import chain, product
from pathlib import Path

import train

GROUPS = [  # what the chapter needs first, for all seeds, then what would be good to have
    ["as it is", "apart", "one order", "nothing shared", "one layer"],
    ["one script", "one script, anchors only"],
    ["apart, one order"],
    ["own positions", "half width"],
    ["one script, words only"],
    ["mixed orders", "apart, mixed orders"],
]
STACK = {world: name for name, (worlds, *_) in train.STACKS.items() for world in worlds}
# Between the first step and the last, only what "equal skill" is read off.
BETWEEN = {
    "as it is": train.SNAPSHOTS,
    "nothing shared": train.SNAPSHOTS[:: len(train.SNAPSHOTS) - 1],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "results", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    seeds = range(1, train.SEEDS + 1)
    for seed, world in chain.from_iterable(product(seeds, group) for group in GROUPS):
        name = f"{world.replace(', ', '-').replace(' ', '-')}-{seed}"
        if (asked.results / name / f"{STACK[world]}-{train.STEPS}.npz").exists():
            continue
        with open(asked.work / f"{name}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            command = [sys.executable, train.__file__, "--data", asked.data, "--seeds", str(seed)]
            command += ["--out", asked.results / name, "--work", asked.work / name]
            command += ["--stack", STACK[world], "--worlds", world, "--snapshots"]
            command += map(str, BETWEEN.get(world, train.SNAPSHOTS[-1:]))
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
