"""Sentences a second that the world generates: python benchmarks/world.py [languages ...]"""

import sys
import time
from itertools import islice

from pocketworld import World

SENTENCES = 5000


def sentences_per_second(language: str) -> float:
    """Of a fresh world's first sentences; making the world and its lexicon counts."""
    started = time.process_time()
    for _ in islice(World().sentences(language, "benchmark"), SENTENCES):
        pass
    return SENTENCES / (time.process_time() - started)


for language in sys.argv[1:] or ["en", "hi", "ja", "fi", "ar"]:
    print(f"{language}\t{sentences_per_second(language):,.0f} sentences/s")
