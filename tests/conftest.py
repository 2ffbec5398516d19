"""Fixtures that several tests share."""

import os
from pathlib import Path

# One thread a process, before torch is loaded: tests run side by side, and threads that wait for
# each other on a busy machine take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from pocketworld import World, WorldParameters


@pytest.fixture(scope="session")
def smoke_encoders(tmp_path_factory) -> Path:
    """A folder with the encoders that ``book/editions/smoke.yml`` names, m-bert and en-bert.

    They go to ``_build/smoke`` of a copy of the checkout.
    """
    from crosslingual.models.pretrain import PretrainRecipe, pretrain

    folder, world = tmp_path_factory.mktemp("smoke"), World(WorldParameters(seed=7))
    size = {"hidden": 32, "layers": 2, "heads": 2, "intermediate": 64, "bf16": False}
    languages = {
        "m-bert": ["en", "de", "es", "it", "nl", "bg", "hi", "ur", "ja", "ru"],
        "en-bert": ["en"],
    }
    for name, codes in languages.items():
        texts = {code: list(world.text(code, 60)) for code in codes}
        recipe = PretrainRecipe(vocabulary=600, steps=4, tokens_per_batch=512, **size)
        pretrain(texts, recipe, folder / name)
    return folder


def pytest_collection_modifyitems(items):
    """Slow tests first: what is left then fits beside them."""
    items.sort(key=lambda item: "slow" not in item.keywords)
