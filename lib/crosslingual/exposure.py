"""What an encoder brings to a language: how much of it was read in pre-training, and into how many pieces it is cut.

A large encoder has read all of the paper's languages (section 2); a small one has not, and what it never read it cuts into
letters. Where its results differ from the paper's, this is the first place to look: the conditions of each language are
set beside its mean zero-shot accuracy, as the language that is tagged and as the one that is fine-tuned on.
"""

import json
from collections.abc import Callable, Sequence

import pandas as pd

from crosslingual import alignment, availability, sizes, stats, tokenisation, trends
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition
from crosslingual.encoders import EncoderUnavailable
from crosslingual.pretrain import TEXT
from crosslingual.store import Store, default

TASK = "pos"
ROLES = ["evaluate", "train"]
# Conditions, and whether more of it should help (1) or harm (-1).
EXPECTED = {"read": 1, "fertility": -1, "unknown": -1, "sentences": 1}


def conditions(edition: Edition, name: str = "m-bert", store: Store | None = None) -> pd.DataFrame:
    """What an encoder and an edition have of each language, indexed by code.

    Columns: read (word pieces of pre-training text, each counted once; 0 for a language that was not read, NaN where that
    is not known), fertility (pieces a word of the test text), unknown ([UNK] in percent of its pieces), sentences (to
    fine-tune on). Languages for which nothing is at hand or kept have NaN.
    """
    codes = edition.languages(TASK)
    measured = [{"read": _read(edition, name, code), **_measured(edition, name, code, store)} for code in codes]
    return pd.DataFrame(measured, pd.Index(codes, name="language"), ["read", "fertility", "unknown", "sentences"])


def standing(scores: pd.DataFrame, encoder: str) -> pd.DataFrame:
    """Mean zero-shot score of each language over its pairs, indexed by code; columns ``evaluate`` and ``train``."""
    chosen = scores[(scores.encoder == encoder) & (scores.train != scores.evaluate)]
    means = chosen.groupby(["train", "evaluate"]).score.mean()
    return pd.DataFrame({role: means.groupby(level=role).mean() for role in ROLES})


def associations(scores: pd.DataFrame, known: pd.DataFrame, encoder: str, n: int = 1000) -> pd.DataFrame:
    """How each condition goes with the languages' mean zero-shot scores, indexed by condition and role.

    Columns: correlation (Spearman's), p (one-sided, in the direction of ``EXPECTED``, languages shuffled), languages.
    A condition that is not known of three languages, or is the same for all, is left out.
    """
    rows, means = {}, standing(scores, encoder)
    for condition, sign in EXPECTED.items():
        both = means.join(known[condition]).dropna()
        if len(both) < 3 or both[condition].nunique() < 2:
            continue
        for role in ROLES:
            rho = stats.rank_correlation(both[condition], both[role])
            p = trends.shuffled_p(sign * both[condition], both[role], n)
            rows[condition, role] = {"correlation": float(rho), "p": p, "languages": len(both)}
    index = pd.MultiIndex.from_tuples(rows, names=["condition", "role"])
    return pd.DataFrame(list(rows.values()), index, ["correlation", "p", "languages"])


def by_reading(unread: Sequence[str]) -> dict[str, trends.Keep]:
    """Groups of pairs, for ``trends.averages``: by which of the two languages were read in pre-training, and by script."""

    def group(source: bool, target: bool, within: Callable[[str, str], bool]) -> trends.Keep:
        return lambda a, b: (a not in unread, b not in unread) == (source, target) and within(a, b)

    titles = {(True, True): "both read", (True, False): "first read", (False, True): "second read",
              (False, False): "neither read"}  # fmt: skip
    scripts = {"one script": trends.within_script, "two scripts": trends.across_scripts}
    return {f"{title}, {how}": group(*read, within) for read, title in titles.items() for how, within in scripts.items()}


def _read(edition: Edition, name: str, code: str) -> float:
    unread = availability.unread(edition, name)
    if unread is None or code in unread:
        return float("nan") if unread is None else 0.0
    return float(text(edition, name).get(code, {}).get("pieces", float("nan")))


def text(edition: Edition, name: str) -> dict[str, dict[str, int]]:
    """What the encoder read, as `crosslingual pretrain` notes it beside the weights; empty if it did not."""
    try:
        path = edition.encoder(name).folder / TEXT
    except EncoderUnavailable:
        return {}
    return json.loads(path.read_text()) if path.is_file() else {}


def _measured(edition: Edition, name: str, code: str, store: Store | None) -> dict[str, float]:
    try:
        counts = tokenised(edition, name, code, store)
        sentences = sizes.statistics(edition, TASK, code, "train", store)["sentences"]
    except (CorpusUnavailable, EncoderUnavailable):
        return {}
    return {"fertility": counts["pieces"] / counts["words"], "unknown": 100 * counts["unknown"] / counts["pieces"],
            "sentences": sentences}  # fmt: skip


def tokenised(edition: Edition, name: str, code: str, store: Store | None = None) -> dict[str, int]:
    """``tokenisation.measure`` of a language's test text under an encoder's tokenizer; kept like any result."""
    parts = {"version": [tokenisation.VERSION, alignment.VERSION], "encoder": edition.encoder_digest(name),
             "corpus": edition.corpus_digest(TASK, code, "test")}  # fmt: skip
    return (store or default(edition)).memo("tokenised", parts, lambda: tokenisation.measure(
        edition.corpus(TASK, code, "test")["tokens"], edition.encoder(name).tokenizer))  # fmt: skip
