"""Front page, introduction, conclusion: the languages, what a tagger sees, all claims at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import space, structure, transfer, vocabulary
from crosslingual.claims import CONTRADICTED, NOT_TESTABLE, SUPPORTED, UNDECIDED
from crosslingual.show import CYCLE, label

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

    from crosslingual.edition import Edition

CLAIMS = [*transfer.CLAIMS, *vocabulary.CLAIMS, *structure.CLAIMS, *space.CLAIMS]
SECTIONS = {"2": "Does it transfer?", "3": "Vocabulary", "4": "Structure", "5": "Space"}
VERDICT_COLOURS = {"supported": CYCLE[0], "contradicted": CYCLE[1]}
GREY, DARK = "#777777", "#444444"
MARGINS = (
    "How far each claim's statistic lies on the claimed side of its threshold, in points of "
    "accuracy or F1; rank correlations and the slope are multiplied by 100. Dots and thick "
    "lines: ours with the 95% interval for these languages; thin lines: over languages; rings: "
    "the paper's printed numbers where these suffice."
)
REACH = 50.0  # points past a threshold that still have a place on the axis


def ledger(results: dict[str, pd.DataFrame], edition: Edition) -> pd.DataFrame:
    """Every claim judged on an edition's results and on the paper's numbers, a row a claim, by id.

    What ``results`` lack makes claims "not testable". Columns: section, text, statistic, rule;
    those of ``claims.judge``; and the same of the paper's numbers with the prefix ``paper_``.
    """
    ours = claims.judge(CLAIMS, claims.evidence(results, edition))
    paper = claims.judge(CLAIMS, claims.published_evidence())
    stated = claims.STATED.loc[ours.index, ["section", "text", "statistic"]]
    stated["rule"] = [str(claim.rule) for claim in CLAIMS]
    return stated.join(ours).join(paper.add_prefix("paper_"))


def by_section(judged: pd.DataFrame, edition: Edition, others: Mapping[str, pd.DataFrame]) -> VBox:
    """The claims of one section after the other, by a menu; ``others``: other editions' ledgers."""
    parts = {f"{key}. {title}": _section(judged, key) for key, title in SECTIONS.items()}
    tables = {t: show.ledger_table(part, edition, "section", others) for t, part in parts.items()}
    return show.gallery(tables)


def rules(judged: pd.DataFrame) -> show.Table:
    """What is measured for each claim, and the rule that decides it."""
    rows = [[f"`{row.Index}`", f"{row.statistic}: {row.rule}"] for row in judged.itertuples()]
    caption = "The statistic and the decision rule of each claim."
    return show.Table(caption, "claim-rules", ["Claim", "Statistic: rule"], rows, text=True)


def margins(judged: pd.DataFrame, edition: Edition) -> show.Figure:
    """Each claim's statistic past its rule's threshold, ours with intervals, the paper's as a ring.

    What lies beyond REACH is an arrow head; what cannot be judged here has no dot.
    """
    drawing, (panel,) = show.canvas(0.9 + 0.27 * len(judged))
    far = []
    for height, (name, row) in enumerate(judged.iterrows()):
        ours, paper = _margin(panel, row, height)
        for past, whose in [(ours, edition.name), (paper, "the paper")]:
            far += [f"{name} ({whose} {show.signed(past)})"] * (abs(past) > REACH)
    panel.axvline(0, color=DARK, linewidth=1)
    panel.set_yticks(range(len(judged)), judged.index, fontsize=7.5)
    panel.set(xlim=(-1.05 * REACH, 1.05 * REACH), ylim=(len(judged) - 0.3, -0.7))
    panel.set_xlabel("points past the threshold (right: as claimed)", loc="right")
    further = f" Arrow heads: further off than {REACH:g}: {'; '.join(far)}." if far else ""
    tally = show.tally(judged)
    text = f"{MARGINS}{further} Ours: {tally}."
    return show.figure(drawing, "margins", text, f"Dot plot of claims. {tally}.", edition)


def _margin(panel: Axes, row: pd.Series, height: int) -> tuple[float, float]:
    """Draw one claim; return points on the claimed side of its threshold, ours and the paper's."""
    claim = claims.STATED.loc[row.name]
    scale = 100 if claim.statistic.startswith(("rank correlation", "slope")) else 1
    scale *= 1 if claim.side == "above" else -1
    columns = ["value", "low", "high", "over_low", "over_high", "paper_value"]
    value, *ends, paper = scale * (row[columns].astype(float) - claim.threshold)
    if row.verdict == NOT_TESTABLE:
        value = np.nan
    else:
        colour = VERDICT_COLOURS.get(row.verdict, GREY)
        for (low, high), width in [(ends[:2], 2.5), (ends[2:], 0.8)]:
            panel.plot([low, high], [height, height], color=colour, linewidth=width)
        _mark(panel, value, height, color=colour, markersize=5)
    _mark(panel, paper, height, color=DARK, markersize=8, fillstyle="none")
    return value, paper


def _mark(panel: Axes, past: float, height: int, **style) -> None:
    """A dot at its place, or an arrow head at the edge that it lies beyond."""
    marker = "o"
    if abs(past) > REACH:
        past, marker = np.copysign(REACH, past), ">" if past > 0 else "<"
    panel.plot(past, height, marker, **style)


# The languages and what a tagger sees


def scripts(codes: Sequence[str]) -> show.Figure:
    """Languages by script, as bars; where there are few, they are named."""
    written = [languages.SCRIPT_NAMES[languages.script(code)] for code in codes]
    groups = pd.Series(codes, index=written).groupby(level=0, sort=False).agg(list)
    sizes = groups.map(len).sort_values(kind="stable")
    drawing, (panel,) = show.canvas(0.6 + 0.28 * len(sizes))
    panel.barh(range(len(sizes)), sizes, color=CYCLE[0])
    for height, (script, size) in enumerate(sizes.items()):
        few = " ".join(map(label, groups[script]))
        named = few if size < 5 else f"{size} languages"
        panel.text(size + 0.3, height, named, va="center", fontsize=9)
    panel.set_yticks(range(len(sizes)), sizes.index)
    panel.grid(False, axis="y")
    panel.set(xlabel="languages", xlim=(0, 1.3 * sizes.max()))
    most = f"{sizes.idxmax()} has {sizes.max()} of {len(codes)} languages"
    read = f"{most}, {sum(sizes == 1)} of {len(sizes)} scripts have one"
    caption = f"The paper's languages by script. {read}: there transfer cannot lean on shared "
    caption += "letters."
    return show.Figure(drawing, "fig-scripts", caption, f"Horizontal bars. {read}.")


def sentence(examples: pd.DataFrame, code: str, edition: Edition) -> show.Table:
    """A test sentence of a language: words, M-BERT's pieces, parts of speech."""
    chosen = examples[(examples.kind == "tagged") & (examples.language == code)]
    about = f"A sentence under the name of {languages.name(code)}"
    return structure.sample(chosen, about, "sentence", ["word", "pieces", "tag"], edition)


def sentences(examples: pd.DataFrame, codes: Sequence[str], edition: Edition) -> VBox:
    """A sentence of each language by a menu, the first language last."""
    order = [*codes[1:], codes[0]]
    return show.gallery({languages.name(c): sentence(examples, c, edition) for c in order})


# Phrases


def introduction(codes: Sequence[str]) -> dict[str, str | float]:
    """How many languages in how many scripts, and the paper's headline numbers."""
    printed = published.TABLE_2.stack()
    return {
        "languages": str(len(codes)),
        "scripts": str(len(set(map(languages.script, codes)))),
        "lowest": stats.zero_shot(printed).min(),
        "same": stats.in_language(printed).mean(),
    }


def reading(
    judged: pd.DataFrame, edition: Edition, others: Mapping[str, pd.DataFrame]
) -> dict[str, str]:
    """The phrases of front page and conclusion: how many claims have which verdict, and which."""
    every = {edition.name: judged, **others}
    known = [one.verdict.ne(NOT_TESTABLE) for one in every.values()]
    both = judged[known[0] & judged.paper_verdict.ne(NOT_TESTABLE)]
    lasting = judged[judged.verdict.eq(SUPPORTED) & ~judged.over.isin(["", SUPPORTED])]
    counts = judged.verdict.value_counts()
    phrases = show.names(edition) | {
        "claims": str(len(judged)),
        "testable": str(sum(known[0])),
        "lacking": show.listing(judged.index[~known[0]]),
        "agree": show.share(both.verdict == both.paper_verdict),
        "against": show.listing(judged.index[judged.paper_verdict == CONTRADICTED]),
        "comparable": f"{claims.COMPARABLE:g}",
        "rejudged": show.listing(claims.STATED.index[claims.STATED.interval == "languages"]),
        "changed": "; ".join(f"in {name} {_changed(one)}" for name, one in every.items()),
        "these_alone": show.listing(lasting.index),
        "tallies": "; ".join(f"{name}: {show.tally(one)}" for name, one in every.items()),
        "paper_tally": show.tally(judged.assign(verdict=judged.paper_verdict)),
    }
    judgements = (SUPPORTED, CONTRADICTED, UNDECIDED)
    phrases |= {verdict: str(counts.get(verdict, 0)) for verdict in judgements}
    return phrases | {f"section-{key}": _verdicts(_section(judged, key)) for key in SECTIONS}


def _changed(judged: pd.DataFrame) -> str:
    """What the rules' second version changed: "none", or claims by name with both verdicts."""
    second = judged[claims.STATED.interval.reindex(judged.index).eq("languages")]
    moved = second[second.fixed != second.over]
    return show.listing(f"{one.Index} ({one.fixed} to {one.over})" for one in moved.itertuples())


def _section(judged: pd.DataFrame, key: str) -> pd.DataFrame:
    return judged[judged.section.str.startswith(key)]


def _verdicts(judged: pd.DataFrame) -> str:
    """What becomes of some claims, by name: "2 of 3 supported; undecided: middle-layers"."""
    testable = judged.verdict != NOT_TESTABLE
    parts = [f"{sum(judged.verdict == SUPPORTED)} of {sum(testable)} supported"] * any(testable)
    for verdict in (CONTRADICTED, UNDECIDED, NOT_TESTABLE):
        named = judged.index[judged.verdict == verdict]
        parts += [f"{verdict}: {show.listing(named)}"] * bool(len(named))
    return "; ".join(parts)


# What is not supported, and what stands beside it


def unsupported(
    judged: pd.DataFrame, results: dict[str, pd.DataFrame], sizes: pd.DataFrame, edition: Edition
) -> show.Table:
    """The claims that an edition does not support: what was found, and what may explain it.

    Those of which nothing more is known than why they are not testable are left out.
    """
    rows, told_above = [], (judged.verdict == NOT_TESTABLE) & ~judged.index.isin(FACTS)
    for one in judged[judged.verdict.ne(SUPPORTED) & ~told_above].itertuples():
        told = [f"{one.note[:1].upper()}{one.note[1:]}."] if one.note else []
        if one.fixed not in ("", one.verdict) and not told:
            told.append(f"For these languages alone: {one.fixed}.")
        with suppress(KeyError, claims.NotAvailable):  # a frame or a language lacks
            told += [FACTS[one.Index](results, sizes, edition)]
        claim = f"`{one.Index}` {show.VERDICTS[one.verdict]} {one.verdict}"
        rows.append([claim, f"{one.statistic}: {show.number(one.value, 2)}", " ".join(told)])
    about, header = "The claims that are not supported", ["Claim", "Found", "Beside it"]
    return show.table(about, "unsupported", header, rows, edition, text=True)


def _about_slopes(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    known = claims.evidence({name: results[name] for name in ("ner", "overlap")}, edition)
    kinds = {"over all pairs": claims.every_pair, "within one script": claims.within_script}
    told = []
    for kind, keep in kinds.items():
        rises = {e: vocabulary.slopes(known, e, keep).versions.iloc[0] for e in structure.ENCODERS}
        steep = (f"{show.number(x, 2)} for {edition.encoder_title(e)}" for e, x in rises.items())
        told.append(f"{' and '.join(steep)} {kind}")
    own = stats.in_language(stats.means(results["ner"].query("encoder == 'm-bert'")))
    return (
        f"F1 rises by {', by '.join(told)}, in points by point of overlap. Languages differ in "
        f"what is reached within them, too: from {show.lowest(own)} to {show.highest(own)}."
    )


def _about_own_language(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    ner = results["ner"]
    own = [stats.in_language(stats.means(ner[ner.encoder == e])) for e in structure.ENCODERS]
    ahead = (own[0] - own[1])[languages.CONLL_LANGUAGES]
    told = show.listing(f"{label(code)} {show.signed(gap)}" for code, gap in ahead.items())
    titles = " is ahead of ".join(map(edition.encoder_title, structure.ENCODERS))
    return f"Points by which {titles}: {told}."


def _about_order(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    means = stats.zero_shot(stats.means(results["pos"].query("encoder == 'm-bert'")))
    frame = means.reset_index(name="score")
    first, second = (frame[side].map(languages.order_group) for side in ("train", "evaluate"))
    between = frame.score.groupby([second, first]).mean().map(show.number)
    families = frame.train.groupby(first).unique().map(languages.table().family.loc.__getitem__)
    tagged = [
        f"{group} languages are tagged at {between[group, 'SVO']}% from SVO and at "
        f"{between[group, 'SOV']}% from SOV languages"
        for group in ("SVO", "SOV")
    ]
    told = (
        f"{len(x)} {group} languages of {x.nunique()} families" for group, x in families.items()
    )
    return f"{'; '.join(tagged)}. There are {' and '.join(told)}."


def _about_mixed_text(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    means = stats.means(results["code-switching"])
    told = structure.switching(results["code-switching"], sizes)
    reached = "; ".join(
        f"on {text} text the first reach {show.number(means[text, text])}%, the second "
        f"{show.number(means[claims.MIXED, text])}%"
        for text in (claims.CORRECTED, claims.TRANSLITERATED)
    )
    mixed, apart = told["mixed_sentences"], told["apart_sentences"]
    texts = f"{mixed} sentences of mixed text or on {apart} of Hindi and English apart"
    return f"Fine-tuned on {texts}: {reached}."


def _about_layers(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    curve = claims.all_candidates(stats.valued(results["retrieval"]))
    line = curve.query("method == 'paper' and queries == 'all' and encoder == 'm-bert'")
    best = line.loc[line.groupby(["source", "target"]).accuracy.idxmax()]
    places = zip(best.source.map(label), best.target.map(label), best.layer, strict=True)
    told = show.listing(f"{source}-{target} in layer {layer:g}" for source, target, layer in places)
    return f"Most translations are found for {told}, of {line.layer.max():g}."


FACTS: dict[str, Callable[[dict, pd.DataFrame, Edition], str]] = {
    "overlap-independence": _about_slopes,
    "english-in-language-m-bert": _about_own_language,
    "word-order-columns": _about_order,
    "code-switching": _about_mixed_text,
    "transliteration": _about_mixed_text,
    "middle-layers": _about_layers,
}
