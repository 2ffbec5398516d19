"""Section 4, encoding linguistic structure: Figure 2, Tables 5 and 6, the trend, who else passes.

Pairs that have a language in common rise and fall together. So languages are permuted, rows and
columns at once (Mantel, 1967), and taken for a sample of languages (``stats.over_languages``);
beside it stands what a test that took the pairs as independent would have said. Scores are frames
of ``experiments``, other taggers' below M-BERT's.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters.transfer import WORD_SHAPE, leads
from crosslingual.claims import Claim, Edition, Evidence, Measurement, across_scripts, every_pair
from crosslingual.downloads import joined
from crosslingual.stats import Estimate, valued

Keep = Callable[[str, str], bool]
Likeness = Callable[[str, str], float]
Kinds = Mapping[str, tuple[Likeness, Keep]]
COMMON = languages.common_features

ENCODERS = ("m-bert", "en-bert")
LATER = "XLM-R base: de Vries et al. (2022), other languages and newer treebanks."
TOO_FEW = "Not available where the results at hand have fewer than two numbers of common features."


def without(codes: Sequence[str], scores: pd.DataFrame) -> pd.DataFrame:
    """The scores that have nothing to do with some languages."""
    known = [languages.check(code) for code in codes]
    return scores[~scores[["train", "evaluate"]].isin(known).any(axis=1)]


def unrelated(train: str, evaluate: str, x: float = np.nan) -> bool:
    """Two language families: nothing is inherited from a common ancestor."""
    family = languages.table().family
    return family[train] != family[evaluate]


def _between(group: Callable, first: Hashable, second: Hashable) -> Keep:
    return lambda train, evaluate: (group(train), group(evaluate)) == (first, second)


def _complete(code: str) -> bool:
    return len(languages.attested(code)) == len(languages.FEATURES)


# Likeness of relatives, and of letters, goes with word order: the subsets hold each of them fixed.
SUBSETS: Kinds = {
    "all": (COMMON, every_pair),
    "two families": (COMMON, unrelated),
    "two scripts": (COMMON, across_scripts),
}
# What "in common" can mean where the atlas has gaps, several entries, or no dominant order.
READINGS: Kinds = {
    "as above: a gap is a difference": (COMMON, every_pair),
    "share of the features attested in both": (languages.likeness, every_pair),
    "languages with all six attested": (COMMON, _between(_complete, True, True)),
    "languages with one entry of their own": (COMMON, _between(languages.own_entry, True, True)),
    "no dominant order is nothing in common": (languages.common_orders, every_pair),
}
# Pairs to be macro-averaged each on its own.
GROUPS = {"one script": claims.within_script, "two scripts": across_scripts} | {
    f"{a} to {b}": _between(languages.order_group, a, b)
    for a, b in product(("SVO", "SOV"), repeat=2)
}


def figure_2(scores: pd.DataFrame, edition: Edition) -> show.Figure:
    """Zero-shot accuracy by common attested WALS features; pairs without any are left out.

    Dots are pairs, lines their means with the 95% interval over languages.
    """
    found = _by_tagger(scores)
    if not found:
        return show.absent("figure-2", edition, scores)
    drawing, (panel,) = show.canvas(3.5)
    read, ends, shifts = [], {}, np.linspace(-0.1, 0.1, len(found))
    for (encoder, (versions, common)), shift in zip(found.items(), shifts, strict=True):
        title, colour = edition.encoder_title(encoder), show.COLOURS.get(encoder, show.CYCLE[2])
        x = common + shift + np.random.default_rng(0).uniform(-0.08, 0.08, len(common))
        panel.scatter(x, versions["mean"][0], 6, color=colour, alpha=0.25, linewidths=0)
        means = _by_number(versions, common)
        line = pd.Series({number: mean.value for number, mean in means.items()})
        errors = [[abs(mean.over[i] - mean.value) for mean in means.values()] for i in (0, 1)]
        style = {"color": colour, "linewidth": 2, "elinewidth": 1, "marker": "o", "capsize": 3}
        panel.errorbar(line.index + shift, line, errors, **style)
        low, high = line.index[[0, -1]]
        ends[title] = (high + 0.25, line[high], colour)
        values = (f"{show.number(line[end])} with {end:g}" for end in (low, high))
        read.append(f"{title} {' and '.join(values)} in common")
    pairs = common.value_counts().sort_index()
    panel.set_xticks(pairs.index, [f"{number:g}\n({count})" for number, count in pairs.items()])
    panel.set(xlim=(0.6, 6.3), ylim=(0, 100), ylabel="zero-shot accuracy (%)")
    panel.set_xlabel("common WALS word-order features (number of pairs)")
    show.end_labels(panel, ends)
    about, told = "Zero-shot tagging accuracy by common word-order features", "; ".join(read)
    about = f"{about}. Bars: 95% intervals of the means over languages. Means: {told}."
    alt = f"Dots and mean lines. {told}."
    cells = [pd.DataFrame({"score": v["mean"][0], "features": of}) for v, of in found.values()]
    data = pd.concat(cells).reset_index()
    return show.figure(drawing, "figure-2", about, alt, edition, scores, data=data)


def _by_tagger(scores: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, pd.Series]]:
    """What ``_pairs`` gives of each tagger that has any, in the order of the frame."""
    if valued(scores).empty:
        return {}
    versions, taggers = stats.draws(scores), dict.fromkeys(valued(scores).encoder)
    found = {tagger: _pairs(versions.loc[[tagger]]) for tagger in taggers}
    return {tagger: pairs for tagger, pairs in found.items() if len(pairs[1])}


def _pairs(
    versions: pd.DataFrame, keep: Keep = every_pair, likeness: Likeness = COMMON
) -> tuple[pd.DataFrame, pd.Series]:
    """Versions of the score, and features in common, of the pairs that have any and that count."""
    common = claims.common_features(versions.index, likeness)
    common = common[[keep(*key[1:]) for key in common.index]]
    return versions.loc[common.index].dropna(axis=1), common


def _by_number(versions: pd.DataFrame, common: pd.Series) -> dict[float, Estimate]:
    return {number: _average(versions[common == number]) for number in sorted(set(common))}


def by_features(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Mean accuracy by number of common features; the last column is from the literature."""
    found = _by_tagger(scores[scores.encoder != "majority class"])
    means = {tagger: _by_number(*pairs) for tagger, pairs in found.items()}
    common = next((pairs[1] for pairs in found.values()), pd.Series(dtype=float))
    rows = []
    for number, pairs in common.value_counts().sort_index().items():
        later = show.number(published.EXTERNAL_BY_FEATURES.get(number, np.nan))
        values = [_cell(of[number]) for of in means.values()]
        rows.append([f"{number:g}", f"{pairs:,}", *values, later])
    header = ["features", "pairs", *map(edition.encoder_title, found), "XLM-R"]
    notes = [LATER, *show.lacking(scores)]
    about = "Mean zero-shot accuracy by common word-order features"
    return show.table(about, "wals-means", header, rows, edition, notes=notes)


def _cell(mean: Estimate, *below: str) -> str:
    """A mean, below it its interval over languages, where there is one, and more lines."""
    over = [joined("{over}", over=show.bounds(mean.over))] * (not np.isnan(mean.over.low))
    return show.stacked(show.give_or_take(mean), *over, *below)


class Trend(NamedTuple):
    """Rank correlation with likeness, and its one-sided p values under two null hypotheses."""

    pairs: int = 0
    correlation: Estimate = Estimate()
    p_languages: float = np.nan
    p_pairs: float = np.nan

    @property
    def holds(self) -> bool:
        """Over languages, and when languages are permuted."""
        return self.correlation.over.low > 0 and self.p_languages < claims.SIGNIFICANCE


Trends = Mapping[tuple[str, str], Trend]  # by what pairs or likeness it is about, and by encoder


def trend(versions: pd.DataFrame, keep: Keep, n: int, likeness: Likeness = COMMON) -> Trend:
    """The trend of one encoder's zero-shot scores with what two languages have in common, if any.

    NaN where fewer than two numbers of features remain; a p value where pairs that it needs lack.
    """
    chosen, common = _pairs(versions, keep, likeness)
    if common.nunique() < 2:
        return Trend(len(common))
    rho = stats.estimate(claims.along(chosen, common, stats.rank_correlation))
    p, by_pair = np.nan, shuffled_p(common, chosen["mean"][0], n)
    with suppress(ValueError):  # a pair without a score: its languages cannot change places
        p = stats.permutation_test(*claims.square(common, versions["mean"][0]), n=n)
    return Trend(len(common), rho, p, by_pair)


def shuffled_p(x, y, n: int) -> float:
    """One-sided p value of a rank correlation if each pair were an observation of its own."""
    x, y, rng = np.asarray(x, float), np.asarray(y, float), np.random.default_rng(0)
    shuffled = np.stack([rng.permutation(y) for _ in range(n)], axis=1)
    higher = stats.rank_correlation(x, shuffled) >= stats.rank_correlation(x, y) - 1e-12
    return float((1 + higher.sum()) / (n + 1))


def trends(scores: pd.DataFrame, n: int, kinds: Kinds = SUBSETS) -> Trends:
    """The trend of each encoder in each of SUBSETS, or under each of READINGS."""
    versions = stats.draws(scores)
    known = [encoder for encoder in ENCODERS if encoder in versions.index]
    return {
        (title, encoder): trend(versions.loc[[encoder]], keep, n, likeness)
        for (title, (likeness, keep)), encoder in product(kinds.items(), known)
    }


def trend_table(found: Trends, n: int, edition: Edition, name: str = "wals-trend") -> show.Table:
    """What ``trends`` returned for ``n`` permutations, a column an encoder."""
    encoders, rows = list(dict.fromkeys(encoder for _, encoder in found)), []
    for title in dict.fromkeys(title for title, _ in found):
        ones = [found[title, encoder] for encoder in encoders]
        rows.append([f"{title} ({ones[0].pairs:,})", *(_trend_cell(one, n) for one in ones)])
    about = "Rank correlation of zero-shot accuracy with the number of common word-order features, "
    about += "its interval over languages, and p when languages are permuted and when pairs are"
    few = TOO_FEW * any(np.isnan(one.correlation.value) for one in found.values())
    header = ["pairs", *map(edition.encoder_title, encoders)]
    return show.table(about, name, header, rows, edition, notes=[few])


def _trend_cell(one: Trend, n: int) -> str:
    if np.isnan(one.correlation.value):
        return show.MISSING
    over = joined("{over}", over=show.bounds(one.correlation.over, 2))
    p, by_pair = (show.p_value(each, n) for each in (one.p_languages, one.p_pairs))
    chance = joined("p {}, pairs {pairs}", p, pairs=by_pair)
    return show.stacked(show.give_or_take(one.correlation, 2), over, chance)


def floors_by_group(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Macro-averages over GROUPS of pairs; last, how many of each M-BERT tags best of all."""
    runs = valued(scores)
    taggers, rows = list(dict.fromkeys(runs.encoder)), []
    versions, best = stats.draws(scores) if taggers else None, leads(runs)
    for title, keep in GROUPS.items():
        cells = [_cell(_average(versions.loc[[tagger]], keep)) for tagger in taggers]
        ahead = [lead for pair, lead in best.items() if keep(*pair)]
        rows += [[title, *cells, f"{sum(ahead)} of {len(ahead)}"]] * ({*cells} != {show.MISSING})
    about = "Zero-shot accuracy, macro-averaged, "
    about += "and what is reached without multilingual pre-training"
    first = f"{edition.encoder_title('m-bert')} leads"
    header = ["pairs", *map(edition.encoder_title, taggers), first]
    return show.table(about, "floors-by-group", header, rows, edition, scores, notes=[WORD_SHAPE])


def _average(versions: pd.DataFrame, keep: Keep = every_pair) -> Estimate:
    """The macro-average over the zero-shot pairs that ``keep`` lets pass."""
    chosen = versions[[a != b and keep(a, b) for _, a, b in versions.index]]
    if chosen.empty:
        return Estimate()
    return stats.estimate(stats.every_version(chosen, lambda some: some.mean(skipna=False)))


def table_5(scores: pd.DataFrame, part: str, edition: Edition) -> show.Table:
    """M-BERT's macro-averages between groups of languages, same-language pairs excluded.

    Part "a": order of subject, verb and object, the paper's groups; "b": adjective and noun, the
    edition's.
    """
    groups = {"a": languages.order_group, "b": edition.adjective_group}
    printed = {"a": published.TABLE_5A, "b": published.TABLE_5B}[part]
    frame = scores[scores.encoder == "m-bert"]
    (means, sizes), rows = _group_means(frame, groups[part]), []
    for train, paper in printed.iterrows():
        told = {c: joined("paper {paper}", paper=show.number(x, 2)) for c, x in paper.items()}
        cells = [_cell(means.get((train, c), Estimate()), value) for c, value in told.items()]
        rows.append([f"**{train}**", *cells])
    members = ", ".join(f"{sizes.get(key, 0)} {key}" for key in printed.index) + " languages."
    about, header = show.titled(printed, edition), ["fine-tuned on", *printed]
    return show.table(about, f"table-5{part}", header, rows, edition, frame, notes=[members])


def _group_means(frame: pd.DataFrame, group: Callable) -> tuple[dict[tuple, Estimate], pd.Series]:
    """Macro-averages by groups of both languages; the number of languages in each."""
    sizes = valued(frame).drop_duplicates("train").train.map(group).value_counts()
    if valued(frame).empty:
        return {}, sizes
    versions, group = stats.draws(frame), cache(group)
    pairs = product(sizes.index, repeat=2)
    return {pair: _average(versions, _between(group, *pair)) for pair in pairs}, sizes


def memberships(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """Table 5b's means by who counts as AN or NA."""
    frame = scores[scores.encoder == "m-bert"]
    groups = {
        "as above": edition.adjective_group,
        "and where grammars put the others": languages.assumed_adjective_group,
        "with one entry of their own": languages.own_adjective_group,
    }
    pairs, rows = list(product(("AN", "NA"), repeat=2)), []
    for title, group in groups.items():
        means, sizes = _group_means(frame, group)
        values = (show.number(means.get(pair, Estimate()).value) for pair in pairs)
        rows.append([title, f"{sizes.get('AN', 0)}, {sizes.get('NA', 0)}", *values])
    about = "Zero-shot accuracy between AN and NA languages, by who is counted among them"
    header = ["members", "AN, NA", *map(" to ".join, pairs)]
    return show.table(about, "memberships", header, rows, edition, frame)


def sample(
    examples: pd.DataFrame, about: str, name: str, header: list[str], edition: Edition
) -> show.Table:
    """Words of ``experiments.examples`` with second form and tag; it says if another edition's."""
    rows = valued(examples)[["word", "second", "tag"]].map(show.literal).to_numpy().tolist()
    other = next((whose for whose in examples.edition if whose != edition.name), None)
    told = f"{other} (texts of real corpora may not be passed on)" if other else edition.title
    rows, notes = rows or [[show.MISSING] * 3], tuple(show.lacking(examples))
    return show.Table(f"{about}. Edition: {told}.", name, header, rows, notes, text=True)


APART = "monolingual HI+EN"  # as the rows of Table 6 are called
EARLIER = {
    (APART, "Ball and Garrette (2018)"): "two readings",
    ("code-switched HI/EN", "Bhat et al. (2018)"): "put back into its script",
}


def switched(examples: pd.DataFrame, edition: Edition) -> show.Table:
    """A code-switched sentence in both spellings and with its tags."""
    about = "A sentence of the code-switched corpus in both spellings"
    header = [claims.CORRECTED, claims.TRANSLITERATED, "tag"]
    return sample(examples[examples.kind == "switched"], about, "switched", header, edition)


def table_6(scores: pd.DataFrame, earlier: pd.DataFrame, edition: Edition) -> show.Table:
    """Code-switched text, learnt from Hindi and English apart or mixed: M-BERT and earlier work."""
    ours = {}
    for (training, system), encoder in EARLIER.items():
        by_encoder = _by_training(scores)[training != APART]
        ours[f"{training} · {edition.encoder_title('m-bert')}"] = by_encoder
        ours[f"{training} · after {system}"] = earlier[earlier.encoder == encoder]
    return show.systems(ours, published.TABLE_6, edition, "table-6")


def earlier_work(scores: pd.DataFrame, earlier: pd.DataFrame, edition: Edition) -> dict[str, str]:
    """Phrases: how far earlier work is ahead of M-BERT on transliterated text, printed and here."""
    known = claims.evidence({"code-switching": pd.concat([scores, earlier])}, edition)
    printed, phrases = published.TABLE_6[claims.TRANSLITERATED], {}
    for (training, system), encoder in EARLIER.items():
        train = claims.MIXED if training == APART else claims.TRANSLITERATED
        both = [[(one, train, claims.TRANSLITERATED)] for one in (encoder, "m-bert")]
        ahead = claims.estimated(known, claims.difference("code-switching", *both))
        letter = system[:2].lower()
        paper = printed[training, system] - printed[training, "M-BERT"]
        phrases[f"{letter}_paper"] = show.signed(paper)
        phrases[f"{letter}_ours"] = f"{show.signed(ahead.value)} ({show.bounds(ahead)})"
    tested = next(map(len, valued(earlier).get("counts", ())), show.NOTHING)
    caution = f"The test sentences are few ({tested}), and the intervals say how little is known."
    easy = (
        "In an artificial world a word is typed in few ways, which is easier than what people do."
    )
    return phrases | {"caution": easy if edition.artificial else caution}


def _by_training(scores: pd.DataFrame) -> list[pd.DataFrame]:
    return [scores[scores.train == claims.MIXED], scores[scores.train == scores.evaluate]]


def switching(scores: pd.DataFrame, sizes: pd.DataFrame) -> dict[str, float | str]:
    """Phrases: what code-switched training is worth, in the paper and here, and its sentences."""
    printed = published.TABLE_6.xs("M-BERT", level="system").diff().iloc[-1]
    apart, mixed = (valued(x).groupby("evaluate").score.mean() for x in _by_training(scores))
    gained = (mixed - apart).reindex(printed.index)
    chosen = sizes[(sizes.task == "code-switching") & (sizes.split == "train")]
    known = stats.valued(chosen).set_index("language").sentences.map("{:,.0f}".format)
    told = known.reindex([claims.MIXED, claims.CORRECTED]).fillna(show.MISSING)
    told.index = ["apart_sentences", "mixed_sentences"]
    return {**printed.add_prefix("paper_"), **gained.add_prefix("ours_"), **told}


def reading(
    pos: pd.DataFrame, found: Trends, counted: Trends, n: int, edition: Edition
) -> dict[str, str | float]:
    """Phrases on accuracy and on what ``trends`` gave of SUBSETS, ``n`` times, and of READINGS."""
    ours = {title: one for (title, encoder), one in found.items() if encoder == "m-bert"}
    rho = [one.correlation.value for one in counted.values()]
    unsure = (f"{title} ({_told(one, n)})" for title, one in ours.items() if not one.holds)
    unlisted = [languages.name(c) for c in set(pos.train) if not languages.attested(c)]
    phrases = {
        "pairs": f"{ours['all'].pairs if ours else 0:,}",
        "subsets": show.listing(title for title, one in ours.items() if one.holds),
        "unsure": show.listing(unsure),
        "rho_low": show.number(min(rho, default=np.nan), 2),
        "rho_high": show.number(max(rho, default=np.nan), 2),
        "readings": show.share(one.holds for one in counted.values()),
        "no_wals": show.listing(sorted(unlisted)),
    }
    for letter, encoder in zip("me", ENCODERS, strict=True):
        means = stats.zero_shot(stats.means(pos[pos.encoder == encoder]))
        phrases[f"rho_{letter}"] = _told(found.get(("all", encoder), Trend()), n)
        phrases[f"average_{letter}"] = float(means.mean())
        phrases.setdefault("absent", f"{len(means) - (ours['all'].pairs if ours else 0):,}")
    return phrases


def hanging(held: pd.DataFrame, edition: Edition) -> dict[str, str]:
    """Phrases: from where M-BERT carries nothing over, and which values one language turns."""
    means = valued(held).query("train != evaluate").groupby(["train", "encoder"]).score.mean()
    if means.empty:
        return dict.fromkeys(["stuck", "hanging"], show.NOTHING)
    means = means.unstack("encoder")
    floor = means.drop(columns=[*ENCODERS], errors="ignore").max(axis=1)
    stuck = means.get("m-bert", floor[:0])[lambda ours: ours <= floor.reindex(ours.index)]
    evidence = claims.about_order(stats.draws(held[held.encoder.isin(ENCODERS)]), edition)
    turned = {claim.id: _turned(claim, evidence) for claim in CLAIMS}
    told = [
        f"“{claims.STATED.title[claim]}” (without {show.listing(codes).replace(' and ', ' or ')})"
        for claim, codes in turned.items()
        if codes
    ]
    stuck = (f"{show.label(code)} ({show.number(value)}%)" for code, value in stuck.items())
    return {"stuck": show.listing(stuck), "hanging": show.listing(told)}


def _turned(claim: Claim, evidence: Evidence) -> list[str]:
    """The languages without any one of which a claim's value is on the rule's other side."""
    with suppress(claims.NotAvailable, ValueError):
        above = claim.measure(evidence).versions.dropna() > claim.rule.threshold
        left = above.get("without", above[:0])
        return list(map(show.label, left.index[left != above["mean"].iloc[0]]))
    return []


def _told(one: Trend, n: int) -> str:
    """ "0.12, over languages −0.05 to 0.28, p = 0.071"."""
    over = show.bounds(one.correlation.over, 2)
    rho = show.number(one.correlation.value, 2)
    return f"{rho}, over languages {over}, p {show.p_value(one.p_languages, n)}"


def controls(
    scores: pd.DataFrame, chosen: Sequence[Claim], edition: Edition
) -> dict[str, pd.DataFrame]:
    """Claims about M-BERT's tagging alone, judged with each tagger of ``scores`` in its place.

    What passes without having read another language is no evidence of what M-BERT has learnt.
    """
    judged, versions = {}, stats.draws(scores)
    for tagger in dict.fromkeys(valued(scores).encoder):
        own = versions.loc[[tagger]].rename(index={tagger: "m-bert"}, level="encoder")
        evidence = claims.about_order(own, edition) | {"cannot judge": edition.cannot_judge}
        ledger = claims.STATED.join(claims.judge(chosen, evidence), how="right")
        judged[tagger] = ledger[ledger.verdict != claims.NOT_TESTABLE]
    return judged


def control_table(found: Mapping[str, pd.DataFrame], edition: Edition) -> show.Table:
    """What ``controls`` returns, a column a tagger."""
    columns = {}
    for tagger, ledger in found.items():
        columns[edition.encoder_title(tagger)] = {
            one.title: show.verdict(one.verdict, one.value, one.unit) for one in ledger.itertuples()
        }
    table = pd.DataFrame(columns, dtype=object).fillna(show.MISSING)
    rows = [list(row) for row in table.itertuples(name=None)]
    about = "The claims about M-BERT's tagging, by the same rules, with each of these in its place"
    header = ["Claim", *columns]
    return show.table(about, "control", header, rows, edition, text=True)


def passing(found: Mapping[str, pd.DataFrame], edition: Edition) -> dict[str, str]:
    """Phrases: how many claims M-BERT passes, how many of these others do, which none of them."""
    passed = {name: set(x.title[x.verdict == claims.SUPPORTED]) for name, x in found.items()}
    own = passed.pop("m-bert", set())
    told = [f"{edition.encoder_title(name)} {len(own & x)}" for name, x in passed.items()]
    alone = show.quoted(sorted(own.difference(*passed.values())))
    return {"own": str(len(own) or show.NOTHING), "others_pass": show.listing(told), "alone": alone}


def gap_where_little_is_shared(evidence: Evidence) -> Measurement:
    """M-BERT's mean minus EN-BERT's on pairs with one or two common features."""
    over, few = ("pos", "common features"), lambda train, evaluate, common: common <= 2
    multilingual, english = (claims.mean_where(*over, e, few)(evidence).versions for e in ENCODERS)
    return Measurement(pd.Series.sub(*multilingual.align(english, "inner")))  # the seeds of both


def likeness_counts(encoder: str, keep: claims.Keep = every_pair) -> claims.Measure:
    """The rank correlation of an encoder's accuracy with the number of common features."""
    about = ("pos", "common features", encoder, keep)
    return lambda known: Measurement(
        claims.along(*claims.by_covariate(known, *about), stats.rank_correlation)
    )


def distance_on_corrected_text(evidence: Evidence) -> Measurement:
    """Of training on Hindi and English apart and on code-switched text."""
    keys = [("m-bert", train, claims.CORRECTED) for train in (claims.CORRECTED, claims.MIXED)]
    return Measurement(claims.cells(evidence, "code-switching", keys).diff().iloc[-1].abs())


def _diagonal(order: str, a: str, b: str, columns: bool = False) -> Callable:
    """Table 5's cells of one group less the others of their rows, or of their columns."""
    on, off = [("m-bert", a, a), ("m-bert", b, b)], [("m-bert", a, b), ("m-bert", b, a)]
    return claims.smallest_difference(order, list(zip(on, off[::-1] if columns else off)))


LIKENESS, VERBS = ("pos", "common features", "m-bert"), ("subject-verb-object order", "SVO", "SOV")
ADJECTIVES = ("adjective-noun order", "AN", "NA")
TRAINED, NEVER = (
    [("m-bert", train, claims.TRANSLITERATED)] for train in (claims.TRANSLITERATED, claims.MIXED)
)
MEASURES = {
    "typological-similarity": claims.trend(stats.rank_correlation, *LIKENESS),
    "decent-at-low-similarity": gap_where_little_is_shared,
    "word-order": _diagonal(*VERBS),
    "word-order-columns": _diagonal(*VERBS, columns=True),
    "adjective-order": _diagonal(*ADJECTIVES),
    "adjective-order-columns": _diagonal(*ADJECTIVES, columns=True),
    "code-switching": distance_on_corrected_text,
    "transliteration": claims.difference("code-switching", TRAINED, NEVER),
}
CLAIMS = claims.stated(MEASURES)
