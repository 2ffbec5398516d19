"""Front page, introduction, conclusion: questions answered, the languages, all claims at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import beyond, space, structure, transfer, vocabulary
from crosslingual.claims import CONTRADICTED, NOT_TESTABLE, SUPPORTED, UNDECIDED, Evidence
from crosslingual.downloads import joined
from crosslingual.show import CYCLE, Edition, label

CLAIMS = [*transfer.CLAIMS, *vocabulary.CLAIMS, *structure.CLAIMS, *space.CLAIMS]
SECTIONS = ["2", "3", "4", "5"]
VERDICT_COLOURS = {"supported": CYCLE[0], "contradicted": CYCLE[1]}
GREY, DARK = "#777777", "#444444"
MARGINS = (
    "How far each claim's statistic lies on the claimed side (right) of its threshold, each unit "
    "on an axis of its own. Dots and thick lines: ours with the 95% interval for these languages; "
    "thin lines: over languages; rings: the paper's printed numbers where these suffice. Blue: "
    "supported; orange: contradicted; grey: undecided."
)
AXES = {"rank correlation": "rank correlation", "slope": "points of F1 by point of overlap"}
POINTS = "points of accuracy or F1"
Measures = Mapping[str, claims.Measure]  # by what is measured, ours in the first place
TAGGERS = (*structure.ENCODERS, "word shape")  # M-BERT and what it is held against


def ledger(results: dict[str, pd.DataFrame], edition: Edition) -> pd.DataFrame:
    """Every claim judged on an edition's results and on the paper's numbers, a row a claim, by id.

    What ``results`` lack makes claims "not testable". Columns: title, section, shown (the label of
    its table or figure), text, statistic, unit, side, threshold, rule; those of ``claims.judge``;
    and the same of the paper's numbers with the prefix ``paper_``.
    """
    ours = claims.judge(CLAIMS, claims.evidence(results, edition))
    paper = claims.judge(CLAIMS, claims.published_evidence())
    rules = [str(one.rule) for one in CLAIMS]
    stated = claims.STATED.loc[ours.index, :"threshold"].assign(rule=rules)
    return stated.join(ours).join(paper.add_prefix("paper_"))


# The questions of the front page


def answers(
    results: dict[str, pd.DataFrame], judged: pd.DataFrame, edition: Edition
) -> dict[str, str]:
    """A sentence a question: ours with intervals, controls, the paper's, and what claims came to.

    ``results``: frames of ``experiments.results``, tagging with baselines; ``judged``: the ledger.
    What has no value is left out; where nothing is left, the sentence says why.
    """
    known, told = claims.evidence(results, edition), {}
    known["objective"] = beyond.beside_paper(results, edition)
    for key, (sections, parts) in QUESTIONS.items():
        about = judged[judged.section.str.startswith(sections)]
        lacking = "; ".join(about.note[about.note != ""].head(1)) or "no results"
        clauses = [clause for clause in parts(known, edition) if clause]
        found = "; ".join(clauses) or f"not known in this edition ({lacking})"
        claimed = f"Claims: {show.tally(about)}."
        told[f"answer_{key}"] = f"{claimed} {found[0].upper()}{found[1:]}."
    return told


def _held(
    known: Evidence, about: str, measures: Measures, decimals: int = 1, printed: bool = True
) -> str:
    """ "accuracy: mE5-small 86.3 (85.9 to 86.8), MiniLM 51.8, in the paper 88.0 and 45.2".

    By the measures' titles; empty where the first, which has its intervals, has no value.
    ``printed``: whether the paper's numbers are about the same.
    """
    ours = {title: claims.estimated(known, measure) for title, measure in measures.items()}
    first, numeral = next(iter(ours.values())), partial(show.number, decimals=decimals)
    if np.isnan(first.value):
        return ""
    told = [f"{who} {numeral(one.value)}" for who, one in ours.items() if not np.isnan(one.value)]
    told[0] += f" ({show.both_bounds(first, decimals)})"
    theirs = [claims.estimated(claims.published_evidence(), each) for each in measures.values()]
    paper = [numeral(one.value) for one in theirs if printed and not np.isnan(one.value)]
    told += [f"in the paper {show.listing(paper)}"] * bool(paper)
    return f"{about}: {', '.join(told)}"


def _taggers(edition: Edition, measure: Callable[[str], claims.Measure]) -> Measures:
    """A measure of M-BERT and of what it is held against, by title."""
    return {edition.encoder_title(encoder): measure(encoder) for encoder in TAGGERS}


def _transfer(known: Evidence, edition: Edition) -> Iterator[str]:
    kinds = [("accuracy", "pos", published.TABLE_2), ("F1 of entities", "ner", published.TABLE_1)]
    for about, task, printed in kinds:
        pairs = partial(claims.zero_shot, codes=list(printed))
        measures = _taggers(edition, lambda e, t=task, p=pairs: claims.mean(t, p(e)))
        yield _held(known, f"{about} between {show.listing(map(label, printed))}", measures)


def _scripts(known: Evidence, edition: Edition) -> Iterator[str]:
    every = _taggers(edition, lambda e: claims.mean_where("pos", "pos", e, claims.across_scripts))
    yield _held(known, "accuracy over all pairs of two scripts", every, printed=False)
    pair = _taggers(edition, lambda e: claims.mean("pos", claims.zero_shot(e, ["hi", "ur"])))
    yield _held(known, "between HI and UR", pair)


def _overlap(known: Evidence, edition: Edition) -> Iterator[str]:
    rises = _taggers(edition, lambda e: partial(vocabulary.slopes, encoder=e))
    yield _held(known, "points of F1 by percentage point of shared pieces", rises, 2)
    few, over = vocabulary.little_overlap, ("ner", "overlap")
    apart = _taggers(edition, lambda e: claims.mean_where(*over, e, few))
    yield _held(
        known, f"F1 where overlap is below {vocabulary.LITTLE_OVERLAP:.0%} of its pieces", apart
    )


def _order(known: Evidence, edition: Edition) -> Iterator[str]:
    rises = _taggers(edition, structure.likeness_counts)
    yield _held(known, "rank correlation of accuracy with common word-order features", rises, 2)
    unrelated = _taggers(edition, partial(structure.likeness_counts, keep=structure.unrelated))
    yield _held(known, "on pairs of two families", unrelated, 2)
    name, groups = "subject-verb-object order", [("SVO", "SVO"), ("SVO", "SOV")]
    gaps = _taggers(edition, lambda e: claims.difference(name, *([(e, *g)] for g in groups)))
    yield _held(known, "accuracy from SVO languages, on SVO minus on SOV ones", gaps)


def _switching(known: Evidence, edition: Edition) -> Iterator[str]:
    title = edition.encoder_title("m-bert")
    for text in (claims.CORRECTED, claims.TRANSLITERATED):
        for trained, corpus in {"HI and EN apart": claims.MIXED, "such text": text}.items():
            measures = {title: claims.mean("code-switching", [("m-bert", corpus, text)])}
            yield _held(known, f"accuracy on {text} text, fine-tuned on {trained}", measures)


def _space(known: Evidence, edition: Edition) -> Iterator[str]:
    methods = {"at the best layer": "paper", "by shared pieces alone": "shared pieces"}
    for pair in edition.pairs[:1]:
        found = {way: partial(space.best, pair=pair, method=of) for way, of in methods.items()}
        yield _held(known, f"{'-'.join(map(label, pair))} translations found, percent", found)
    if known["objective"]:
        gained, title = beyond.objective(known["objective"]).difference.iloc[0], "m-bert"
        yield (
            f"zero-shot tagging of {edition.encoder_title(title)}, which was trained on "
            f"translations, less M-BERT's in the paper: {show.signed(gained.value)} points "
            f"({show.both_bounds(gained)})"
        )


QUESTIONS = {  # the sections of its claims, and the parts of the answer
    "transfer": ("2", _transfer),
    "scripts": ("3.2", _scripts),
    "overlap": ("3.1", _overlap),
    "order": (("4.1", "4.2"), _order),
    "switching": ("4.3", _switching),
    "space": ("5", _space),
}


# All claims at once


def margins(judged: pd.DataFrame, edition: Edition) -> show.Figure:
    """Each claim's statistic past its rule's threshold, ours with intervals, the paper's as a ring.

    Units have axes of their own; what cannot be judged here has no dot.
    """
    parts = dict(list(judged.groupby(judged.unit.map(AXES).fillna(POINTS), sort=False)))
    drawing, panels = show.canvas(0.6 * len(parts) + 0.18 * len(judged), len(parts), share=False)
    panels[0].get_gridspec().set_height_ratios([len(part) + 0.5 for part in parts.values()])
    for panel, (axis, part) in zip(panels, parts.items(), strict=True):
        for height, (_, row) in enumerate(part.iterrows()):
            _margin(panel, row, height)
        panel.axvline(0, color=DARK, linewidth=1)
        panel.set_yticks(range(len(part)), part.title, fontsize=8.5)
        panel.set(ylim=(len(part) - 0.4, -0.6))
        panel.set_xlabel(f"{axis} past the threshold", loc="right", fontsize=9)
    tally = show.tally(judged)
    text, alt = f"{MARGINS} Ours: {tally}.", f"Dot plot of claims. {tally}."
    data = judged.drop(columns="shown", errors="ignore").rename_axis("claim").reset_index()
    return show.figure(drawing, "margins", text, alt, edition, data=data)


def _margin(panel: Axes, row: pd.Series, height: int) -> None:
    """Draw one claim: points on the claimed side of its threshold, ours and the paper's."""
    columns = ["value", "low", "high", "over_low", "over_high", "paper_value"]
    past = (row[columns].astype(float) - row.threshold) * (1 if row.side == "above" else -1)
    value, *ends, paper = past
    if row.verdict != NOT_TESTABLE:
        colour = VERDICT_COLOURS.get(row.verdict, GREY)
        for (low, high), width in [(ends[:2], 2.5), (ends[2:], 0.8)]:
            panel.plot([low, high], [height, height], color=colour, linewidth=width)
        panel.plot(value, height, "o", color=colour, markersize=5)
    panel.plot(paper, height, "o", color=DARK, markersize=8, fillstyle="none")


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
    data = pd.DataFrame({"language": codes, "script": written})
    return show.Figure(drawing, "fig-scripts", caption, f"Horizontal bars. {read}.", data=data)


def sentence(examples: pd.DataFrame, code: str, edition: Edition) -> show.Table:
    """A test sentence of a language: words, M-BERT's pieces, parts of speech."""
    chosen = examples[(examples.kind == "tagged") & (examples.language == code)]
    about = f"A sentence under the name of {languages.name(code)}"
    return structure.sample(chosen, about, "sentence", ["word", "pieces", "tag"], edition)


def sentences(examples: pd.DataFrame, codes: Sequence[str], edition: Edition) -> show.Gallery:
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
    alone = judged[judged.over.ne("") & judged.over.ne(judged.verdict)]
    counts = judged.verdict.value_counts()
    phrases = show.names(edition) | {
        "claims": str(len(judged)),
        "testable": str(sum(known[0])),
        "agree": show.share(both.verdict == both.paper_verdict),
        "against": show.quoted(judged.title[judged.paper_verdict == CONTRADICTED]),
        "rejudged": show.quoted(claims.STATED.title[claims.STATED.interval == "languages"]),
        "changed": "; ".join(f"in {name} {_changed(one)}" for name, one in every.items()),
        "these_alone": show.quoted(alone.title[alone.verdict == SUPPORTED]),
        "contradicted_alone": show.quoted(alone.title[alone.verdict == CONTRADICTED]),
        "tallies": "; ".join(f"{name}: {show.tally(one)}" for name, one in every.items()),
        "paper_tally": show.tally(judged.assign(verdict=judged.paper_verdict)),
    }
    phrases |= {v: str(counts.get(v, 0)) for v in (SUPPORTED, CONTRADICTED, UNDECIDED)}
    sections = {key: judged[judged.section.str.startswith(key)] for key in SECTIONS}
    return phrases | {f"section-{key}": _verdicts(part) for key, part in sections.items()}


def _changed(judged: pd.DataFrame) -> str:
    """What the rules' second version changed: "none", or claims by name with both verdicts."""
    second = judged[claims.STATED.interval.reindex(judged.index).eq("languages")]
    moved = second[second.fixed != second.over]
    return show.listing(f"“{one.title}” ({one.fixed} to {one.over})" for one in moved.itertuples())


def _verdicts(judged: pd.DataFrame) -> str:
    """What becomes of some claims: "2 of 3 supported; undecided: “More than copying”"."""
    testable = judged.verdict != NOT_TESTABLE
    parts = [f"{sum(judged.verdict == SUPPORTED)} of {sum(testable)} supported"] * any(testable)
    for verdict in (CONTRADICTED, UNDECIDED, NOT_TESTABLE):
        some = judged.title[judged.verdict == verdict]
        parts += [f"{verdict}: {show.quoted(some)}"] * bool(len(some))
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
        told = [show.literal(f"{one.note[:1].upper()}{one.note[1:]}.")] if one.note else []
        if one.fixed not in ("", one.verdict) and not told:
            told.append(f"For these languages alone: {one.fixed}.")
        with suppress(KeyError, claims.NotAvailable):  # a frame or a language lacks
            told += [FACTS[one.Index](results, sizes, edition)]
        claim = f"**{one.title}**\n{show.verdict(one.verdict)}"
        value = show.number(one.value, show.decimals(one.unit))
        rows.append([claim, joined(f"{one.unit} {{}}\nrule: {one.rule}", value), " ".join(told)])
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
    texts = f"{mixed} code-switched sentences or on {apart} of Hindi and English apart"
    return f"Fine-tuned on {texts}: {reached}."


def _about_layers(results: dict, sizes: pd.DataFrame, edition: Edition) -> str:
    curve = claims.all_candidates(stats.valued(results["retrieval"]))
    line = curve.query("method == 'paper' and queries == 'all' and encoder == 'm-bert'")
    if line.empty:
        raise claims.NotAvailable("no curve to say it of")
    best = line.loc[line.groupby(["source", "target"]).accuracy.idxmax()]
    places = zip(best.source.map(label), best.target.map(label), best.layer, strict=True)
    told = show.listing(f"{source}-{target} in layer {layer:g}" for source, target, layer in places)
    return f"Most translations are found for {told}, of {line.layer.max():g}."


FACTS: dict[str, Callable[[dict, pd.DataFrame, Edition], str]] = {
    "overlap-independence": _about_slopes,
    "english-in-language-run": _about_own_language,
    "english-in-language-m-bert": _about_own_language,
    "word-order-columns": _about_order,
    "code-switching": _about_mixed_text,
    "transliteration": _about_mixed_text,
    "middle-layers": _about_layers,
}
