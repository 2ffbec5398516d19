"""Where the book's numbers come from: executed chapters, kept results, encoders, versions."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from crosslingual import availability, checkout, grids, parameters, store
from crosslingual.editions import Edition

EXECUTED = "_build/executed"


def chapters(edition: Edition) -> pd.DataFrame:
    """One row per chapter that the last build executed in this edition: chapter, date, seconds, cells."""
    rows = [
        {"chapter": name, "date": about["start_time"][:10], "seconds": about["duration"], "cells": len(_code(notebook))}
        for name, notebook, about in _executed(edition)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["chapter", "date", "seconds", "cells"])


def cells(edition: Edition) -> pd.DataFrame:
    """One row per code cell of those chapters, the slowest first: chapter, number, code (its first line), seconds."""
    rows = [
        {"chapter": name, "number": number, "code": cell.source.strip().split("\n")[0],
         "seconds": cell.metadata.papermill.duration}
        for name, notebook, _ in _executed(edition)
        for number, cell in enumerate(_code(notebook), 1)
        if cell.metadata.get("papermill", {}).get("duration")
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["chapter", "number", "code", "seconds"])
    return table.sort_values("seconds", ascending=False, ignore_index=True)


def _executed(edition: Edition):
    """Name, notebook and papermill's remarks of each executed chapter, in the order of their names."""
    folder = checkout.root() / EXECUTED
    for path in sorted(folder.rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        about = notebook.metadata.get("papermill", {})
        if about.get("duration") and _edition_of(path, about) == edition.name:
            yield path.relative_to(folder).with_suffix("").as_posix(), notebook, about


def _edition_of(path: Path, about: dict[str, Any]) -> str:
    default = parameters.declared(path).get("edition_name", {}).get("default", "")
    return Path(about.get("parameters", {}).get("edition_name", default.strip("\"'"))).stem


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def models(edition: Edition) -> pd.DataFrame:
    """Fine-tuned models behind the book's tables: task, encoder, origin, device, models, seconds (in all)."""
    frames = [grids.matrix(edition, task, encoder) for task, encoders in grids.TASKS.items() for encoder in encoders]
    each = pd.concat(frames).drop_duplicates(["task", "encoder", "train", "seed"])
    groups = each.groupby(["task", "encoder", "origin", "device"], sort=False)
    return groups.agg(models=("seed", "size"), seconds=("seconds", "sum")).reset_index()


def retrievals(edition: Edition) -> pd.DataFrame:
    """Kept retrieval results of the edition's encoders: encoder, origin, results, seconds."""
    names = {encoder.digest: encoder.name for encoder in _encoders(edition)}
    rows = [
        {"encoder": names[record.parts["encoder"]], "origin": record.origin, "seconds": record.provenance["seconds"]}
        for record in store.default(edition).records("retrieval")
        if record.parts["encoder"] in names
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["encoder", "origin", "seconds"])
    return table.groupby(["encoder", "origin"]).agg(results=("seconds", "size"), seconds=("seconds", "sum")).reset_index()


def encoders(edition: Edition) -> pd.DataFrame:
    """One row per encoder at hand: encoder, layers, hidden, parameters, pieces (of the vocabulary), digest."""
    columns = ["encoder", "layers", "hidden", "parameters", "pieces", "digest"]
    return pd.DataFrame([_described(encoder) for encoder in _encoders(edition)], columns=columns)


def _encoders(edition: Edition) -> list:
    return [edition.encoder(name) for name in availability.encoders(edition)]


def _described(encoder) -> dict[str, Any]:
    model = encoder.model()
    size = sum(weights.numel() for weights in model.parameters())
    return {"encoder": encoder.name, "layers": model.config.num_hidden_layers, "hidden": model.config.hidden_size,
            "parameters": size, "pieces": len(encoder.tokenizer), "digest": encoder.digest}  # fmt: skip


def card(edition: Edition, name: str) -> str:
    """The model card beside an encoder's weights, its headings as bold lines; a sentence if it has none."""
    path = Path(edition.encoder(name).path) / "README.md"
    if not path.is_file():
        return f"`{name}` has no model card beside its weights."
    return re.sub(r"(?m)^#+ (.*)$", r"**\1**", path.read_text(encoding="utf-8"))


def training(edition: Edition) -> pd.DataFrame:
    """Pre-training as logged beside the weights: encoder, step, loss, tokens (word pieces seen so far)."""
    logs = {encoder.name: Path(encoder.path) / "training.jsonl" for encoder in _encoders(edition)}
    frames = [pd.read_json(path, lines=True).assign(encoder=name) for name, path in logs.items() if path.is_file()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["encoder", "step", "loss", "tokens"])


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on, and the kind of machine, here and now."""
    about = store.provenance()
    return about["versions"] | {"machine": about["machine"]}
