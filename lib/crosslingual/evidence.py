"""What the claims are judged on: an edition's results or the paper's printed numbers, in one form.

Evidence maps a name to a frame whose rows are (encoder, train, evaluate) cells and whose columns are the
versions of the score that ``stats.draws`` describes; "overlap" and "common features" are series over the same
cells.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from crosslingual import published, stats, typology
from crosslingual.stats import CELL

Evidence = dict[str, pd.DataFrame | pd.Series | str]  # a text says why there is none
Group = Callable[[str], str | None]  # the group of a language, by its code
MIXED, CORRECTED, TRANSLITERATED = "hi+en", "corrected", "transliterated"
TASKS = ["ner", "pos", "code-switching"]


class NotAvailable(LookupError):
    """The evidence lacks what a claim needs; the message says what."""


def cells(evidence: Evidence, name: str, keys: list[tuple]) -> pd.DataFrame:
    """The rows of one kind of evidence in the order of ``keys``; NotAvailable names the first one missing.

    Seeds that not all of these cells have are left out.
    """
    if (frame := evidence.get(name)) is None:
        raise NotAvailable(f"no {name} result to judge by")
    if isinstance(frame, str):
        raise NotAvailable(frame)
    missing = [key for key in keys if key not in frame.index]
    if missing or not keys:
        raise NotAvailable(
            f"no {name} result for {' '.join(map(str, missing[0])) if missing else 'any pair'}"
        )
    return frame.loc[keys].dropna(axis=1)


def edition_evidence(results: dict[str, pd.DataFrame], adjective_group: Group = typology.adjective_group) -> Evidence:
    """Scores in all their versions, group averages, overlaps and common features from an edition's frames.

    ``adjective_group`` says which languages are AN and which are NA (``Edition.adjective_group``).
    """
    scores = {task: stats.draws(results[task]) for task in TASKS if len(results.get(task, ()))}
    evidence = dict(scores)
    if "pos" in scores:
        evidence |= order_evidence(scores["pos"], adjective_group) | {"common features": common_features(scores["pos"].index)}
    if len(results.get("overlap", ())):
        evidence["overlap"] = results["overlap"].set_index(CELL).overlap
    if len(results.get("retrieval", ())):
        evidence["retrieval"] = retrieval_evidence(results["retrieval"])
    return evidence


def common_features(
    pairs: pd.MultiIndex, likeness: Callable[[str, str], float] = typology.common_features
) -> pd.Series:
    """Number of common attested WALS features of each zero-shot pair, pairs with none left out (Figure 2).

    ``likeness`` may be another measure of what two languages have in common.
    """
    common = {key: likeness(*key[1:]) for key in pairs if key[1] != key[2]}
    common = {key: number for key, number in common.items() if number > 0}  # which NaN is not
    return pd.Series(list(common.values()), pd.MultiIndex.from_tuples(common, names=CELL), dtype=float)


def square(x: pd.Series, scores: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A likeness of some pairs and the scores of all, as frames of languages by languages, to permute these.

    Both are indexed by (encoder, train, evaluate), of one encoder; a pair without a likeness is NaN in the first.
    """
    scores = scores.droplevel("encoder").unstack()
    codes = scores.index.intersection(scores.columns)
    return x.droplevel("encoder").unstack().reindex(index=codes, columns=codes), scores.loc[codes, codes]


def order_evidence(scores: pd.DataFrame, adjective_group: Group) -> Evidence:
    """Macro-averages over zero-shot pairs between groups of languages, as in Table 5."""
    return {
        "subject-verb-object order": group_means(scores, typology.order_group),
        "adjective-noun order": group_means(scores, adjective_group),
    }


def group_means(scores: pd.DataFrame, group: Group) -> pd.DataFrame:
    """Unweighted means over the pairs between groups, without same-language pairs and ungrouped languages.

    A seed that some pair lacks has no mean: it would be one over other pairs.
    """
    index = scores.index.to_frame(index=False)
    index["train_group"], index["evaluate_group"] = index.train.map(group), index.evaluate.map(group)
    used = (index.train != index.evaluate) & index[["train_group", "evaluate_group"]].notna().all(axis=1)
    keys = index.loc[used, ["encoder", "train_group", "evaluate_group"]]
    groups = scores[used.to_numpy()].groupby([keys[level].to_numpy() for level in keys])
    return groups.mean(skipna=False).rename_axis(CELL)


def retrieval_evidence(curve: pd.DataFrame, n: int = 500, seed: int = 0) -> pd.DataFrame:
    """M-BERT's accuracy per pair, method and layer, for the observed sentences and for resampled ones."""
    curve = all_candidates(curve[(curve.encoder == "m-bert") & (curve.queries == "all")])
    rng = np.random.default_rng(seed)
    blocks = [_resampled_hits(pair, n, rng) for _, pair in curve.groupby(["source", "target"])]
    return pd.concat(blocks).sort_index()


def all_candidates(curve: pd.DataFrame) -> pd.DataFrame:
    """Of ``retrieval.curve``, each pair with all of its sentences as candidates; texts of different pairs may differ in size."""
    return curve[curve.candidates == curve.groupby(["source", "target"]).candidates.transform("max")]


def _resampled_hits(curve: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    index = pd.MultiIndex.from_frame(curve[["source", "target", "method", "layer"]])
    hits = np.stack(list(curve.hits)).astype(np.float32)
    drawn = 100 * hits @ stats.sentence_weights(hits.shape[1], n, rng).T / hits.shape[1]
    return pd.concat(
        {"mean": curve.accuracy.set_axis(index).to_frame(0), "draw": pd.DataFrame(drawn, index)}, axis=1
    )


def published_evidence() -> Evidence:
    """What the paper prints: Tables 1 to 8, without intervals. Its figures' points are printed nowhere."""
    tables = [published.TABLE_1, published.TABLE_7], [published.TABLE_2, published.TABLE_4, published.TABLE_8]
    ner, pos = (pd.concat(map(_published_pairs, group)) for group in tables)
    earlier = published.TABLE_3.loc["Lample et al. (2016)"]
    return {
        "ner": ner,
        "pos": pos[~pos.index.duplicated()],  # Table 4 repeats EN-EN with one digit less
        "earlier work": _point({("lample", code, code): value for code, value in earlier.items()}),
        "subject-verb-object order": _published_pairs(published.TABLE_5A),
        "adjective-noun order": _published_pairs(published.TABLE_5B),
        "code-switching": _published_code_switching(),
    }


def _published_pairs(table: pd.DataFrame) -> pd.DataFrame:
    return _point({(table.attrs["encoder"], *pair): value for pair, value in table.stack().dropna().items()})


def _published_code_switching() -> pd.DataFrame:
    """Table 6, its second row taken apart: each column was trained on its own version of the text."""
    table = published.TABLE_6.xs("M-BERT", level="system")
    mixed = {("m-bert", MIXED, text): table.at["monolingual HI+EN", text] for text in table.columns}
    switched = {("m-bert", text, text): table.at["code-switched HI/EN", text] for text in table.columns}
    return _point(mixed | switched)


def _point(values: dict[tuple, float]) -> pd.DataFrame:
    """Evidence with a single version: the printed number."""
    index = pd.MultiIndex.from_tuples(values, names=CELL)
    return pd.DataFrame({("mean", 0): list(values.values())}, index)
