"""Phrases for sentences whose verdict is computed, so that a chapter's text is true whatever the run gives."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

from crosslingual import emergence
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import USUAL_ENCODERS, Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.sizes import statistics
from crosslingual.tables import ENCODERS, label, number, unavailable

NOTHING = "not available"


def tell(**phrases: str | float) -> None:
    """Hand phrases to the chapter's text, which takes each by its name; numbers get one decimal."""
    for name, phrase in phrases.items():
        glue(name, number(phrase) if isinstance(phrase, float) else str(phrase), display=False)


def share(hits: Iterable[bool]) -> str:
    """How many hold: "all 12", "none of the 12", "5 of the 12"."""
    hits = list(map(bool, hits))
    if hits and all(hits):
        return f"all {len(hits)}"
    return f"{sum(hits) or 'none'} of the {len(hits)}"


def versus(a: float, b: float, margin: float = 0.0) -> str:
    """How a compares with b: "above", "below", or "level with" where they differ by at most ``margin``."""
    if np.isnan(a) or np.isnan(b):
        return "not comparable with"
    return "level with" if abs(a - b) <= margin else "above" if a > b else "below"


def span(values: Iterable[float], decimals: int = 1) -> str:
    """The lowest and the highest: "12.1 to 80.4"."""
    values = list(values)
    return f"{number(min(values), decimals)} to {number(max(values), decimals)}" if values else NOTHING


def lowest(scores: pd.Series) -> str:
    """The lowest of a series indexed by languages or pairs of them: "EN to JA (49.4)"."""
    return _named(scores, scores.idxmin()) if len(scores) else NOTHING


def highest(scores: pd.Series) -> str:
    return _named(scores, scores.idxmax()) if len(scores) else NOTHING


def _named(scores: pd.Series, key: str | tuple) -> str:
    codes = key if isinstance(key, tuple) else (key,)
    return f"{' to '.join(map(label, codes))} ({number(scores[key])})"


def listing(items: Sequence[str]) -> str:
    """"one", "one and two", "one, two and three"; "none" for nothing."""
    *most, last = list(items) or ["none"]
    return f"{', '.join(most)} and {last}" if most else last


def verdicts(ledger: pd.DataFrame) -> str:
    """What becomes of some claims, by name: "2 of the 3 supported; undecided: middle-layers"."""
    parts = [f"{share(ledger.verdict == 'supported')} supported"]
    for verdict in ("contradicted", "undecided", "not testable"):
        named = list(ledger.index[ledger.verdict == verdict])
        parts += [f"{verdict}: {listing(named)}"] if named else []
    return "; ".join(parts)


def gaps(*frames: pd.DataFrame, shown: int = 3) -> Markdown | None:
    """A box that says why a chapter's sentences have gaps, where a frame is empty or lacks an encoder; else nothing."""
    lacking = [frame for frame in frames if frame.empty or _lacks_an_encoder(frame)]
    if not lacking:
        return None
    reasons = list(dict.fromkeys(reason for frame in lacking for reason in unavailable(frame)))
    more = [f"... and {len(reasons) - shown} more like these"] if len(reasons) > shown else []
    lines = "\n".join(f"- {reason}" for reason in [*reasons[:shown], *more])
    opening = "This edition lacks what part of this chapter rests on. Where a number is missing there is a dash."
    return Markdown(f"```{{admonition}} Not available in this edition\n:class: warning\n{opening}\n\n{lines}\n```\n")


def _lacks_an_encoder(frame: pd.DataFrame) -> bool:
    return bool(set(USUAL_ENCODERS) & set(frame.attrs.get("unavailable", {})))


def encoders(edition: Edition) -> str:
    """Size and reading of the edition's M-BERT and EN-BERT, as far as they are at hand and on record."""
    sentences = []
    for name in USUAL_ENCODERS:
        try:
            size = f"{edition.encoder(name).model().num_parameters() / 1e6:.1f} million weights"
        except EncoderUnavailable:
            sentences.append(f"{ENCODERS[name]} is not at hand")
            continue
        seen = emergence.log(edition, name).tokens.max()
        read = "" if np.isnan(seen) else f" and was shown {seen / 1e6:.1f} million word pieces in pre-training"
        sentences.append(f"{ENCODERS[name]} has {size}{read}")
    return "; ".join(sentences)


def unequal_texts(edition: Edition) -> str:
    """A sentence where the code-switched text of Table 6 is much smaller than the monolingual one; else nothing."""
    try:
        mixed, apart = (statistics(edition, "code-switching", text, "train")["sentences"] for text in ("corrected", "hi+en"))
        tested = statistics(edition, "code-switching", "corrected", "test")["sentences"]
    except CorpusUnavailable:
        return ""
    if 2 * mixed >= apart:
        return ""
    return (f"But there are only {mixed:,} code-switched sentences to train on here, against {apart:,} monolingual ones, and {tested:,} to "
            "be tested on: the comparison is one of sizes more than of kinds of text, and verdicts on it say little about either.")  # fmt: skip


def about(edition: Edition) -> str:
    """What an edition's numbers speak of, for its reader to know first."""
    if edition.artificial:
        return (
            "Its languages are artificial. They have the scripts and the word orders of the languages whose names "
            "they bear, relatives have cognates, Hindi and Urdu one lexicon, and nothing else is theirs: no number in this edition is a result about real German or "
            "Hindi. Compare patterns with the paper, what is higher than what, and never values."
        )
    return (
        "Its corpora are of real languages, so differences to the published numbers are shown. Where a corpus is not at hand, "
        "recorded results stand in if there are any; else its table names it and leaves it out. Tables say which results "
        "are recorded ones."
    )
