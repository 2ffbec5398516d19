"""How much hangs on what the paper leaves open: one experiment in variants of an edition.

A variant is the edition with a setting changed (`Edition.variant`); its results are kept like any others. What other
corpora would give is asked in the same way: ``edition.variant(corpora={"treebanks": {"nl": "UD_Dutch-Alpino@r2.13"}})``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pandas as pd
import torch
from tqdm import tqdm

from crosslingual import transfer
from crosslingual import store as stores
from crosslingual.editions import Edition
from crosslingual.store import Store

TASK, ENCODER = "pos", "m-bert"
AS_IT_IS = "as it is"
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
    frames = {AS_IT_IS: _scores(edition, train, edition.seeds, store)}
    for title, changed in tqdm(variants.items(), desc="variants", leave=False):
        frames[title] = _scores(edition.variant(recipe={TASK: changed}), train, edition.seeds[:1], store)
    rows = [{"variant": title, "seed": seed, **_means(group)} for title, frame in frames.items()
            for seed, group in frame.groupby("seed")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["variant", "seed", "within", "across"])
    table.attrs["unavailable"] = frames[AS_IT_IS].attrs["unavailable"]
    return table


def swings(table: pd.DataFrame) -> pd.DataFrame:
    """Points by which each variant differs from the edition as it is, first seeds compared: within, across."""
    first = table.drop_duplicates("variant").set_index("variant")[["within", "across"]]
    return first.drop(AS_IT_IS) - first.loc[AS_IT_IS] if len(first) else first


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
