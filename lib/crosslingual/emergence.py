"""How multilinguality emerges: snapshots of an encoder's pre-training, each put to the book's two probes.

A snapshot is fine-tuned for tagging on a few languages and evaluated on a few others (section 2), and searched for
translations layer by layer (section 5), both on small samples. Snapshots are not shipped, so the curve is kept under
the digest of the encoder that they led to.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from crosslingual import availability, corpora, finetune, grids, retrieval, scoring, stats, transfer
from crosslingual.editions import Edition
from crosslingual.encoders import Encoder, EncoderUnavailable
from crosslingual.store import Store, local, recorded

VERSION = 1  # bump when a probe gives other numbers for the same encoder and text
KIND, PROBE = "emergence", "probe"  # of record: the whole curve, and one snapshot's part of it
MEASURES = IN_LANGUAGE, ZERO_SHOT, RETRIEVAL = "in-language tagging", "zero-shot tagging", "retrieval"
NOISE = 2.0  # points: means of probes on so few sentences differ by that much from one step to the next
COLUMNS = ["step", "measure", "source", "target", "layer", "score", "low", "high"]


class EmergenceError(ValueError):
    """No snapshots where they were looked for."""


@dataclass(frozen=True)
class Settings:
    """What a probe costs: languages to tag, sentences to fine-tune on, to tag and to search among, the one seed."""

    train: tuple[str, ...] = ("en", "hi")
    evaluate: tuple[str, ...] = ("en", "de", "es", "it", "bg", "ja", "hi", "ur")
    sentences: int = 1000
    test_sentences: int = 300
    candidates: int = 500
    seed: int = 1


def curve(edition: Edition, name: str, store: Store | None = None, settings: Settings = Settings()) -> pd.DataFrame:
    """The kept curve of an encoder's pre-training; no rows, and attrs["unavailable"] says why, if none was kept.

    Columns: step, measure (MEASURES), source and target language, layer (-1 for tagging), score (percent) with its
    95% interval over test sentences, low and high. It is read even where the edition recomputes its other results.
    """
    try:
        parts = _parts(edition, name, settings)
    except (corpora.CorpusUnavailable, EncoderUnavailable) as absence:
        return _nothing(str(absence))
    record = (store or Store(local(), [recorded(edition)])).get(KIND, parts)
    return record.payload if record else _nothing(f"no snapshots of {name} were probed: `crosslingual probe` does so.")


def _nothing(reason: str) -> pd.DataFrame:
    frame = pd.DataFrame(columns=COLUMNS)
    frame.attrs["unavailable"] = reason
    return frame


def compute(edition: Edition, name: str, snapshots: Path, store: Store | None = None,
            settings: Settings = Settings(), tell: Callable[[str], None] = print) -> pd.DataFrame:  # fmt: skip
    """Probe every snapshot (``step-N``) in a folder, an untrained encoder (step 0) and the finished one; keep the curve.

    Each snapshot's part is kept at once, so that a killed run goes on where it was. Raises EmergenceError if the folder
    has no snapshot, or is of another encoder; corpora.CorpusUnavailable where the text to probe with is not at hand.
    """
    store, finished, parts = store or Store(local()), edition.encoder(name), []
    with TemporaryDirectory() as folder:
        for step, encoder in [(0, untrained(finished, Path(folder))), *_snapshots(snapshots, finished)]:
            tell(f"{name}, step {step:,}")
            key = _parts(edition, name, settings) | {"encoder": encoder.digest}
            parts.append(store.memo(PROBE, key, lambda: probe(edition, encoder, settings)).assign(step=step))
    found = pd.concat(parts, ignore_index=True)[COLUMNS]
    store.put(KIND, _parts(edition, name, settings), found)
    return found


def probe(edition: Edition, encoder: Encoder, settings: Settings) -> pd.DataFrame:
    """One encoder's part of the curve; columns as there, without the step."""
    rows = [row for train in settings.train for row in _tagging(edition, encoder, train, settings)]
    rows += [row for pair in edition.pairs for row in _retrieval(edition, encoder, pair, settings)]
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def untrained(encoder: Encoder, folder: Path, seed: int = 0) -> Encoder:
    """An encoder of the same shape and vocabulary with random weights, saved in ``folder``."""
    logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModel.from_config(AutoConfig.from_pretrained(encoder.folder)).save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)
    return Encoder(encoder.name, str(folder))


def at_best_layer(found: pd.DataFrame) -> pd.DataFrame:
    """The curve with retrieval's layers reduced to the best one of each step and pair."""
    best = found.sort_values("score").groupby(["step", "measure", "source", "target"], sort=False).tail(1)
    return best.sort_values(["measure", "source", "target", "step"], ignore_index=True)


def means(found: pd.DataFrame) -> pd.DataFrame:
    """Mean score by step (rows) and measure (columns), over language pairs; retrieval at its best layer."""
    shown = at_best_layer(found).pivot_table("score", "step", "measure", "mean")
    return shown.reindex(columns=list(MEASURES))


def log(edition: Edition, name: str) -> pd.DataFrame:
    """The log beside the encoder's weights: step, loss, tokens (word pieces seen so far); empty if there is none."""
    try:
        path = Path(edition.encoder(name).path) / "training.jsonl"
    except EncoderUnavailable:
        path = Path()
    return pd.read_json(path, lines=True) if path.is_file() else pd.DataFrame(columns=["step", "loss", "tokens"])


def steps_to(found: pd.DataFrame, measure: str, share: float = 0.5) -> float:
    """First step at which a measure has made that share of its way from its first to its highest mean.

    NaN where the way is no longer than NOISE: its half would be a matter of chance.
    """
    line = means(found)[measure].dropna()
    way = line - line.iloc[0] if len(line) else line
    return float(way.index[way >= share * way.max()][0]) if len(line) and way.max() > NOISE else np.nan


def halfway(found: pd.DataFrame, measure: str, title: str) -> str:
    """A phrase: "pocket 2,000", the step at which half of the way is made, or that there is no curve, or no way to speak of."""
    if found.empty:
        return f"{title} not recorded"
    step = steps_to(found, measure)
    return f"{title} nowhere, as it gains no more than {NOISE:g} points" if np.isnan(step) else f"{title} {step:,.0f}"


def order(found: pd.DataFrame, title: str) -> str:
    """A phrase: which of the two kinds of tagging has made half of its way first."""
    own, across = steps_to(found, IN_LANGUAGE), steps_to(found, ZERO_SHOT)
    if np.isnan(own) or np.isnan(across):
        return f"{title}, not known"
    how = "at the same step as" if across == own else "later than" if across > own else "earlier than"
    return f"{title}, across languages {how} within them"


def extended(edition: Edition, name: str) -> list[int]:
    """The steps at which a finished pre-training was taken up again, its learning rate rising anew; [] if it never was."""
    return list(availability.specification(edition, name).get("recipe", {}).get("extended", []))


def _parts(edition: Edition, name: str, settings: Settings) -> dict:
    digests = {code: [edition.corpus_digest("pos", code, split) for split in ("train", "test")] for code in settings.evaluate}
    texts = ["-".join(pair) + " " + edition.parallel_digest(*pair) for pair in edition.pairs]
    return {"version": [VERSION, retrieval.VERSION, transfer.versions()], "encoder": edition.encoder_digest(name),
            "corpora": digests, "texts": texts, "recipe": edition.recipe("pos").described(), "settings": settings}  # fmt: skip


def _snapshots(folder: Path, finished: Encoder) -> list[tuple[int, Encoder]]:
    """The snapshots of a run by step, then the finished encoder with the last step of its log."""
    found = {int(match[1]): path for path in Path(folder).glob("step-*") if (match := re.fullmatch(r"step-(\d+)", path.name))}
    if not found:
        raise EmergenceError(f"{folder} holds no snapshots (step-N): name some under `snapshots` in the encoder's .yml and "
                             "pre-train it again with `crosslingual pretrain`")
    encoders = [(step, Encoder(finished.name, str(found[step]))) for step in sorted(found)]
    if any(encoder.tokenizer.get_vocab() != finished.tokenizer.get_vocab() for _, encoder in encoders):
        raise EmergenceError(f"{folder} holds snapshots of another encoder than {finished.path}: their vocabularies differ")
    path = finished.folder / "training.jsonl"
    last = int(pd.read_json(path, lines=True).step.max()) if path.is_file() else max(found) + 1
    return [*((step, encoder) for step, encoder in encoders if step < last), (last, finished)]


def _tagging(edition: Edition, encoder: Encoder, train: str, settings: Settings) -> list[dict]:
    text = corpora.first(edition.corpus("pos", train, "train"), settings.sentences)
    tagger = finetune.finetune(encoder, text, transfer.LABELS["pos"], edition.recipe("pos"), settings.seed)
    rows = []
    for target in settings.evaluate:
        test = corpora.first(edition.corpus("pos", target, "test"), settings.test_sentences)
        counts = scoring.score("pos", list(test["labels"]), tagger.predict(list(test["tokens"]))).counts
        measure = IN_LANGUAGE if target == train else ZERO_SHOT
        rows.append(_row(measure, train, target, -1, counts))
    return rows


def _retrieval(edition: Edition, encoder: Encoder, pair: tuple[str, str], settings: Settings) -> list[dict]:
    text = edition.parallel(*pair)
    text = text.select(retrieval.subset(len(text), settings.candidates, settings.seed))
    sides = [retrieval.sentence_vectors(encoder, list(text[side])) for side in ("source", "target")]
    hits = [retrieval.nearest_neighbour_hits(*layer) for layer in zip(*sides, strict=True)]
    return [_row(RETRIEVAL, *pair, layer, np.stack([found, np.ones_like(found)], axis=1)) for layer, found in enumerate(hits)]


def _row(measure: str, source: str, target: str, layer: int, counts: np.ndarray) -> dict:
    low, high = stats.bootstrap_interval("pos", counts, n=300)
    score = float(stats.percent(counts.sum(0)))
    return {"measure": measure, "source": source, "target": target, "layer": layer, "score": score, "low": low, "high": high}


def of_the_book(edition: Edition, store: Store | None = None) -> dict[str, pd.DataFrame]:
    """The kept curves of the book's encoders, by name; encoders without one are left out."""
    found = {name: curve(edition, name, store) for name in grids.ENCODERS if name in edition.encoders}
    return {name: frame for name, frame in found.items() if len(frame)}
