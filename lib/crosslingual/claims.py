"""The paper's claims as executable tests whose rules were fixed before any result of this book existed.

A claim names one statistic and one rule. The statistic is computed on every version of the scores (their
mean, each seed, each bootstrap sample), which gives its interval; the rule looks at the whole interval. The
same functions read the paper's own published numbers, which have no interval and are judged by their value
alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from crosslingual import availability, languages, stats, trends
from crosslingual.evidence import (
    CORRECTED,
    MIXED,
    TRANSLITERATED,
    Evidence,
    NotAvailable,
    cells,
    edition_evidence,
    published_evidence,
    square,
)
from crosslingual.stats import Estimate

if TYPE_CHECKING:
    from crosslingual.editions import Edition

# "Comparable" is the paper's word for gaps of up to 5.44 points (Table 3, German); a little more room for
# small test sets.
COMPARABLE = 8.0
# "Far below": the paper's own gap is 35 points (Table 6).
FAR = 20.0
# Section 3.1's wording: M-BERT is "between 40% and 70%" at almost no overlap, EN-BERT "near zero".
STILL_TRANSFERS, NEAR_ZERO, LITTLE_OVERLAP = 40.0, 10.0, 0.05
TABLE_2_FLOOR, RETRIEVAL_FLOOR = 80.0, 50.0
# Section 3.2 gives 91 and 86; "transfers" asks for less than the paper found, the same for every edition.
SCRIPT_FLOOR = 75.0
SIGNIFICANCE = 0.05
TABLE_2_LANGUAGES = ["en", "de", "es", "it"]

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTABLE = "supported", "contradicted", "undecided", "not testable"


class Measurement(NamedTuple):
    """A statistic for every version of the scores, and its p value where languages are permuted."""

    versions: pd.Series
    p: float | None = None


@dataclass(frozen=True)
class Rule:
    """Supported if the whole interval lies on the named side of the threshold (and p is small, if asked for).

    Contradicted if the interval lies wholly on the other side, undecided otherwise.
    """

    side: str
    threshold: float
    permutation: bool = False

    def verdict(self, estimate: Estimate, p: float | None = None) -> str:
        low, high = (estimate.low, estimate.high) if self.side == "above" else (-estimate.high, -estimate.low)
        threshold = self.threshold if self.side == "above" else -self.threshold
        if high < threshold:
            return CONTRADICTED
        significant = not self.permutation or (p is not None and p < SIGNIFICANCE)
        return SUPPORTED if low > threshold and significant else UNDECIDED

    def __str__(self) -> str:
        text = f"whole interval {self.side} {self.threshold:g}"
        return text + (f", p < {SIGNIFICANCE:g} when languages are permuted" if self.permutation else "")


def above(threshold: float, permutation: bool = False) -> Rule:
    return Rule("above", threshold, permutation)


def below(threshold: float) -> Rule:
    return Rule("below", threshold)


@dataclass(frozen=True)
class Claim:
    """``measure`` turns evidence into a Measurement or raises NotAvailable; ``statistic`` describes it."""

    id: str
    section: str
    text: str
    statistic: str
    measure: Callable[[Evidence], Measurement]
    rule: Rule


def zero_shot(encoder: str, codes: list[str]) -> list[tuple]:
    return [(encoder, a, b) for a in codes for b in codes if a != b]


def in_language(encoder: str, codes: list[str]) -> list[tuple]:
    return [(encoder, code, code) for code in codes]


def lowest(name: str, keys: list[tuple]):
    return lambda evidence: Measurement(cells(evidence, name, keys).min())


def difference(name: str, better: list[tuple], worse: list[tuple], other: str | None = None):
    """Mean over ``better`` minus mean over ``worse`` (cells of ``other`` evidence where named)."""
    return lambda evidence: Measurement(
        _minus(cells(evidence, name, better).mean(), cells(evidence, other or name, worse).mean())
    )


def _minus(first: pd.Series, second: pd.Series) -> pd.Series:
    """The difference, version by version; a printed number has one version, which is held against each of the other's."""
    if len(first) == 1:
        return first.iloc[0] - second
    return first - (second.iloc[0] if len(second) == 1 else second)


def smallest_difference(name: str, comparisons: list[tuple[tuple, tuple]]):
    """The smallest of several differences between single cells: all must hold."""

    def measure(evidence):
        better, worse = (cells(evidence, name, list(keys)) for keys in zip(*comparisons, strict=True))
        return Measurement((better.reset_index(drop=True) - worse.reset_index(drop=True)).min())

    return measure


def by_rows(first: str, second: str) -> list[tuple[tuple, tuple]]:
    """Fine-tuned on a group, evaluated on the same group against the other."""
    return [(("m-bert", a, a), ("m-bert", a, b)) for a, b in [(first, second), (second, first)]]


def by_columns(first: str, second: str) -> list[tuple[tuple, tuple]]:
    """Evaluated on a group, fine-tuned on the same group against the other."""
    return [(("m-bert", a, a), ("m-bert", b, a)) for a, b in [(first, second), (second, first)]]


def by_covariate(
    evidence: Evidence, task: str, covariate: str, encoder: str, keep=lambda train, evaluate, x: True
):
    """Scores of the zero-shot pairs that have a covariate, and the covariate, in one order."""
    if covariate not in evidence:
        raise NotAvailable(f"no {covariate} for any pair")
    table = evidence[covariate]
    keys = [
        key for key in table.index if key[0] == encoder and key[1] != key[2] and keep(*key[1:], table[key])
    ]
    return cells(evidence, task, keys), table[keys]


def trend(statistic, task: str, covariate: str, encoder: str):
    """Rank correlation or slope of scores with a covariate; languages are permuted for its p value."""

    def measure(evidence):
        scores, x = by_covariate(evidence, task, covariate, encoder)
        everything = evidence[task].loc[[encoder]]["mean"].iloc[:, 0]
        return Measurement(_versions(statistic, x, scores), stats.permutation_test(*square(x, everything), statistic).p)

    return measure


def _versions(statistic, x: pd.Series, scores: pd.DataFrame) -> pd.Series:
    return pd.Series(statistic(x.to_numpy(), scores.to_numpy()), index=scores.columns)


def excess_slope(evidence: Evidence) -> Measurement:
    """M-BERT's slope of F1 on overlap minus half of EN-BERT's."""
    slopes = {encoder: trend_versions(evidence, encoder) for encoder in ["m-bert", "en-bert"]}
    return Measurement(slopes["m-bert"] - slopes["en-bert"] / 2)


def trend_versions(evidence: Evidence, encoder: str, keep=lambda train, evaluate, x: True) -> pd.Series:
    """Points of F1 by percentage point of overlap, over the pairs kept, in every version of the scores."""
    scores, x = by_covariate(evidence, "ner", "overlap", encoder, keep)
    return _versions(stats.slope, 100 * x, scores)


def slopes(evidence: Evidence, keep) -> dict[str, float]:
    """The same of the mean scores, of each encoder; NaN where there are no pairs."""
    found = {}
    for encoder in ["m-bert", "en-bert"]:
        try:
            found[encoder] = float(trend_versions(evidence, encoder, keep)["mean"].iloc[0])
        except NotAvailable:
            found[encoder] = np.nan
    return found


def mean_where(task: str, covariate: str, encoder: str, keep):
    return lambda evidence: Measurement(by_covariate(evidence, task, covariate, encoder, keep)[0].mean())


def mean_gap_where(task: str, covariate: str, keep):
    """M-BERT's mean minus EN-BERT's on the pairs kept."""

    def measure(evidence):
        mean = {
            encoder: mean_where(task, covariate, encoder, keep)(evidence).versions
            for encoder in ["m-bert", "en-bert"]
        }
        return Measurement(mean["m-bert"] - mean["en-bert"])

    return measure


def little_overlap(train: str, evaluate: str, overlap: float) -> bool:
    return overlap < LITTLE_OVERLAP


def across_scripts(train: str, evaluate: str, _) -> bool:
    return trends.across_scripts(train, evaluate)


def within_script(train: str, evaluate: str, _) -> bool:
    return not trends.across_scripts(train, evaluate)


def few_common_features(train: str, evaluate: str, common: float) -> bool:
    return common <= 2


def layers(evidence: Evidence, source: str, target: str, method: str = "paper") -> pd.DataFrame:
    """Retrieval accuracy of one pair by layer, the embeddings being layer 0."""
    frame = evidence.get("retrieval")
    if frame is None or (source, target, method) not in frame.index.droplevel("layer"):
        raise NotAvailable(f"no retrieval result for {source}-{target} ({method})")
    return frame.loc[(source, target, method)].sort_index()


def middle(curve: pd.DataFrame) -> pd.DataFrame:
    """The middle third of the layers: 4 to 8 of BERT's 12."""
    top = curve.index.max()
    return curve[(curve.index >= top / 3) & (curve.index <= 2 * top / 3)]


def lowest_above_bottom(evidence: Evidence) -> Measurement:
    """The lowest accuracy over layers above the bottom third."""
    curve = layers(evidence, "en", "de")
    return Measurement(curve[curve.index > curve.index.max() / 3].min())


def middle_over_ends(evidence: Evidence) -> Measurement:
    """Mean of the middle third minus the better of embeddings and last layer; the worst of the pairs."""
    curves = [layers(evidence, *pair) for pair in RETRIEVAL_PAIRS]
    gaps = [middle(curve).mean() - curve.loc[[0, curve.index.max()]].max() for curve in curves]
    return Measurement(pd.concat(gaps, axis=1).min(axis=1))


def middle_over_copying(evidence: Evidence) -> Measurement:
    """Mean of the middle third minus the better of two baselines that know no meaning; the worst pair."""

    def gap(pair):
        baselines = pd.concat([layers(evidence, *pair, method) for method in ["shared pieces", "length"]])
        return middle(layers(evidence, *pair)).mean() - baselines.max()

    return Measurement(pd.concat([gap(pair) for pair in RETRIEVAL_PAIRS], axis=1).min(axis=1))


def absolute_difference(name: str, first: tuple, second: tuple):
    return lambda evidence: Measurement(
        (cells(evidence, name, [first]).mean() - cells(evidence, name, [second]).mean()).abs()
    )


RETRIEVAL_PAIRS = [("en", "de"), ("en", "ru"), ("hi", "ur")]
CONLL = languages.CONLL_LANGUAGES

CLAIMS = [
    Claim(
        "surprisingly-well",
        "2",
        "M-BERT transfers part-of-speech tagging zero-shot above 80% for all pairs of the paper's Table 2.",
        "lowest accuracy of the 12 zero-shot pairs of EN, DE, ES, IT",
        lowest("pos", zero_shot("m-bert", TABLE_2_LANGUAGES)),
        above(TABLE_2_FLOOR),
    ),
    Claim(
        "ner-beyond-english",
        "2, appendix B",
        "M-BERT's zero-shot NER is better than the English BERT's.",
        "mean F1 of the 12 zero-shot pairs of EN, DE, NL, ES, M-BERT minus EN-BERT",
        difference("ner", zero_shot("m-bert", CONLL), zero_shot("en-bert", CONLL)),
        above(0),
    ),
    Claim(
        "pos-beyond-english",
        "2, appendix C",
        "M-BERT's zero-shot tagging is better than the English BERT's.",
        "mean accuracy of the 12 zero-shot pairs of EN, DE, ES, IT, M-BERT minus EN-BERT",
        difference("pos", zero_shot("m-bert", TABLE_2_LANGUAGES), zero_shot("en-bert", TABLE_2_LANGUAGES)),
        above(0),
    ),
    Claim(
        "overlap-independence",
        "3.1",
        "M-BERT's performance is flat over a wide range of overlaps.",
        "slope of zero-shot F1 on entity word-piece overlap, points by percentage point, M-BERT's minus half of EN-BERT's",
        excess_slope,
        below(0),
    ),
    Claim(
        "transfer-without-overlap",
        "3.1",
        "M-BERT reaches 40-70% F1 even between languages with almost no overlap.",
        "M-BERT's mean F1 on pairs below 5% overlap",
        mean_where("ner", "overlap", "m-bert", little_overlap),
        above(STILL_TRANSFERS),
    ),
    Claim(
        "overlap-dependence",
        "3.1",
        "EN-BERT's zero-shot performance depends directly on word-piece overlap.",
        "rank correlation of EN-BERT's zero-shot F1 with overlap",
        trend(stats.rank_correlation, "ner", "overlap", "en-bert"),
        above(0, permutation=True),
    ),
    Claim(
        "english-fails-across-scripts",
        "3.1",
        "EN-BERT's F1 is near zero for languages with different scripts.",
        "EN-BERT's mean F1 on pairs of two scripts",
        mean_where("ner", "overlap", "en-bert", across_scripts),
        below(NEAR_ZERO),
    ),
    Claim(
        "english-in-language",
        "3.1",
        "EN-BERT's failure is not its vocabulary: in-language it is comparable to earlier work.",
        "mean in-language F1 on EN, DE, NL, ES, Lample et al. (2016) minus EN-BERT",
        difference("earlier work", in_language("lample", CONLL), in_language("en-bert", CONLL), other="ner"),
        below(COMPARABLE),
    ),
    Claim(
        "english-in-language-m-bert",
        "3.1, appendix B",
        "In-language, EN-BERT is comparable to M-BERT too.",
        "mean in-language F1 on EN, DE, NL, ES, M-BERT minus EN-BERT",
        difference("ner", in_language("m-bert", CONLL), in_language("en-bert", CONLL)),
        below(COMPARABLE),
    ),
    Claim(
        "across-scripts",
        "3.2",
        "M-BERT transfers between Hindi and Urdu, which share no script.",
        "lower of the accuracies HI to UR and UR to HI",
        lowest("pos", zero_shot("m-bert", ["hi", "ur"])),
        above(SCRIPT_FLOOR),
    ),
    Claim(
        "script-and-order",
        "3.2",
        "Across scripts, transfer is worse between differently ordered languages: EN-JA against EN-BG.",
        "smaller of the gaps EN to BG over EN to JA and BG to EN over JA to EN",
        smallest_difference(
            "pos",
            [
                (("m-bert", "en", "bg"), ("m-bert", "en", "ja")),
                (("m-bert", "bg", "en"), ("m-bert", "ja", "en")),
            ],
        ),
        above(0),
    ),
    Claim(
        "typological-similarity",
        "4.1",
        "The more word-order features two languages share, the better M-BERT transfers.",
        "rank correlation of M-BERT's zero-shot accuracy with the number of common WALS features",
        trend(stats.rank_correlation, "pos", "common features", "m-bert"),
        above(0, permutation=True),
    ),
    Claim(
        "decent-at-low-similarity",
        "4.1",
        "For languages with little in common M-BERT still does better than EN-BERT.",
        "mean zero-shot accuracy on pairs with one or two common features, M-BERT minus EN-BERT",
        mean_gap_where("pos", "common features", few_common_features),
        above(0),
    ),
    Claim(
        "word-order",
        "4.2, Table 5a",
        "Fine-tuned on SVO (SOV) languages, M-BERT does best on SVO (SOV) languages.",
        "smaller of the gaps SVO-SVO over SVO-SOV and SOV-SOV over SOV-SVO (Table 5a by rows)",
        smallest_difference("subject-verb-object order", by_rows("SVO", "SOV")),
        above(0),
    ),
    Claim(
        "word-order-columns",
        "4.2, Table 5a",
        "SVO (SOV) languages are tagged best from SVO (SOV) languages.",
        "smaller of the gaps SVO-SVO over SOV-SVO and SOV-SOV over SVO-SOV (Table 5a by columns)",
        smallest_difference("subject-verb-object order", by_columns("SVO", "SOV")),
        above(0),
    ),
    Claim(
        "adjective-order",
        "4.2, Table 5b",
        "Fine-tuned on AN (NA) languages, M-BERT does best on AN (NA) languages.",
        "smaller of the gaps AN-AN over AN-NA and NA-NA over NA-AN (Table 5b by rows)",
        smallest_difference("adjective-noun order", by_rows("AN", "NA")),
        above(0),
    ),
    Claim(
        "adjective-order-columns",
        "4.2, Table 5b",
        "AN (NA) languages are tagged best from AN (NA) languages.",
        "smaller of the gaps AN-AN over NA-AN and NA-NA over AN-NA (Table 5b by columns)",
        smallest_difference("adjective-noun order", by_columns("AN", "NA")),
        above(0),
    ),
    Claim(
        "code-switching",
        "4.3",
        "On corrected text, training on monolingual Hindi and English is comparable to training on "
        "code-switched text.",
        "distance of the two accuracies on corrected text",
        absolute_difference("code-switching", ("m-bert", CORRECTED, CORRECTED), ("m-bert", MIXED, CORRECTED)),
        below(COMPARABLE),
    ),
    Claim(
        "transliteration",
        "4.3",
        "Transliterated text fails without transliterated training.",
        "accuracy on transliterated text, trained on such text minus trained on Hindi and English",
        difference(
            "code-switching",
            [("m-bert", TRANSLITERATED, TRANSLITERATED)],
            [("m-bert", MIXED, TRANSLITERATED)],
        ),
        above(FAR),
    ),
    Claim(
        "language-vector",
        "5",
        "A vector per language pair maps translations onto each other: EN-DE over 50% for all but "
        "the bottom layers.",
        "lowest EN-DE accuracy of the layers above the bottom third",
        lowest_above_bottom,
        above(RETRIEVAL_FLOOR),
    ),
    Claim(
        "middle-layers",
        "5",
        "Retrieval is best in the middle layers, worse at the bottom and in the last layers.",
        "mean accuracy of the middle third of the layers minus the better of embeddings and last layer; the "
        "lowest of EN-DE, EN-RU, HI-UR",
        middle_over_ends,
        above(0),
    ),
    Claim(
        "beyond-copying",
        "5",
        "Shared structure, not shared pieces: the middle layers find more translations than shared word "
        "pieces or sentence length do.",
        "mean accuracy of the middle third of the layers minus the better baseline; lowest of EN-DE, EN-RU, "
        "HI-UR",
        middle_over_copying,
        above(0),
    ),
]


def evaluate(results: dict[str, pd.DataFrame], edition: "Edition | None" = None) -> pd.DataFrame:
    """Every claim judged on an edition's results and on the paper's published numbers, one row per claim.

    ``results`` may hold "ner", "pos" and "code-switching" (frames of ``transfer.matrix``, encoders below each
    other), "overlap" (of ``overlap.matrix``) and "retrieval" (of ``retrieval.curve``); whatever is absent
    makes its claims "not testable". Columns: section, text, statistic, rule; value, low, high, p, verdict,
    note; and the same six of the paper's numbers with the prefix ``paper_``. Without an ``edition`` the results are
    taken for artificial languages', and AN and NA for what WALS attests.
    """
    printed = published_evidence()
    earlier = {"earlier work": _not_comparable(edition) or printed["earlier work"]}
    groups = (edition.adjective_group,) if edition else ()
    ours, paper = judge(edition_evidence(results, *groups) | earlier), judge(printed)
    described = pd.DataFrame(
        [(c.id, c.section, c.text, c.statistic, str(c.rule)) for c in CLAIMS],
        columns=["id", "section", "text", "statistic", "rule"],
    ).set_index("id")
    return described.join(ours).join(paper.add_prefix("paper_"))


def _not_comparable(edition: "Edition | None") -> str:
    """Why an edition's named entities cannot be held against earlier work, which was measured on the CoNLL corpora."""
    if edition is None or edition.artificial:
        return "earlier work is about real languages"
    others = ", ".join(f"{corpus} for {languages.name(code)}" for code, corpus in availability.substituted(edition).items())
    return f"earlier work is about the CoNLL corpora; here stands {others}" if others else ""


def by_the_same_rules(scores: pd.DataFrame, edition: "Edition") -> pd.DataFrame:
    """What becomes of the claims about M-BERT's tagging alone with another tagger in its place: a control.

    ``scores`` is ``transfer.matrix`` or ``baselines.matrix`` of all pairs with one encoder or baseline. Columns as of
    `judge`, and text; a claim that compares M-BERT with EN-BERT has no such control. What passes the same rule without
    having read another language is no evidence of what M-BERT has learnt.
    """
    known = judge(edition_evidence({"pos": scores.assign(encoder="m-bert")}, edition.adjective_group))
    controlled = [claim for claim in CLAIMS if known.verdict[claim.id] != NOT_TESTABLE]
    return known.loc[[claim.id for claim in controlled]].assign(text=[claim.text for claim in controlled])


def judge(evidence: Evidence) -> pd.DataFrame:
    """value, low, high, p, verdict and note of every claim, indexed by its id."""
    return pd.DataFrame([_judgement(claim, evidence) for claim in CLAIMS]).set_index("id")


def _judgement(claim: Claim, evidence: Evidence) -> dict:
    try:
        versions, p = claim.measure(evidence)
    except NotAvailable as missing:
        nothing = dict.fromkeys(["value", "low", "high", "p"], np.nan)
        return {"id": claim.id, **nothing, "verdict": NOT_TESTABLE, "note": str(missing)}
    estimate = stats.estimate(versions)
    verdict = claim.rule.verdict(estimate, p)
    return {
        "id": claim.id,
        **estimate._asdict(),
        "p": np.nan if p is None else p,
        "verdict": verdict,
        "note": "",
    }
