"""Section 3, vocabulary memorization, from frames of ``experiments``: Figure 1, Tables 3 and 4.

And what stands behind them: runs that fell apart, pieces that bear labels, confusions of tags.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crosslingual import claims, languages, published, show, stats
from crosslingual.claims import Evidence, Keep, Measurement, across_scripts, within_script
from crosslingual.downloads import joined
from crosslingual.show import Edition, label
from crosslingual.stats import CELL, valued

LITTLE_OVERLAP = 0.05  # section 3.1: "almost no overlap"
CONLL = languages.CONLL_LANGUAGES
# Which piece bears a word's label, and how words are fed.
RULES = {
    "neither": "first piece",
    "label": "first with text",
    "text": "as in text, first",
    "both": "as in text, with text",
}
BARE = (
    "Bare: words of the test set whose first piece is the sign of a space alone. As in text: words "
    "are fed without a space before them where text has none."
)
GIVEN = (
    "In brackets: 95% interval over seeds and sentences, given these encoders; then over "
    "languages, these taken for a sample."
)
FUNCTION_TAGS = ["ADP", "AUX", "CCONJ", "DET", "PART", "PRON", "SCONJ"]
CONFUSED = [("en", "de"), ("en", "hi")]  # besides the pairs of Table 4
MOST = 4  # confusions shown of each pair
SPACE = "▁"  # what SentencePiece puts in the place of a space


def figure_1(
    scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition, aside: str = ""
) -> show.Figure:
    """Zero-shot F1 against entity word-piece overlap; ``aside`` goes on with the caption."""
    means = valued(scores).groupby(CELL, as_index=False, sort=False).score.mean()
    points = means.merge(valued(overlaps)[[*CELL, "overlap"]], on=CELL)
    points = points[points.train != points.evaluate]
    if points.empty:
        return show.absent("figure-1", edition, scores, overlaps)
    encoders = list(points.groupby("encoder", sort=False))
    drawing, panels = show.canvas(2.8 * len(encoders) + 0.3, len(encoders))
    drawn = zip(panels, encoders, strict=True)
    read = "; ".join(_overlap_panel(panel, *encoder, edition) for panel, encoder in drawn)
    panels[0].set_ylim(-3, 100)
    panels[-1].set_xlabel("entity word-piece overlap (%)")
    about = "Zero-shot NER F1 against the overlap of entity word pieces, one point per ordered pair"
    alt = f"Scatter plots of {points.groupby(CELL[1:]).ngroups} language pairs. {read}."
    caption = f"{about}. {read}. {aside}".strip()
    return show.figure(drawing, "figure-1", caption, alt, edition, scores, data=points)


def _overlap_panel(panel: Axes, encoder: str, points: pd.DataFrame, edition: Edition) -> str:
    """Draw one encoder's pairs; return its trend in words."""
    x, y, across = 100 * points.overlap, points.score, _across(points)
    title, colour = edition.encoder_title(encoder), show.COLOURS.get(encoder, show.CYCLE[2])
    for chosen, marker, face in [(~across, "o", colour), (across, "^", "none")]:
        style = {"facecolors": face, "edgecolors": colour, "linewidths": 0.8, "alpha": 0.75}
        panel.scatter(x[chosen], y[chosen], 18, marker=marker, **style)
    ends, rise = np.array([x.min(), x.max()]), stats.slope(x, y)
    panel.plot(ends, y.mean() + rise * (ends - x.mean()), color=colour, linewidth=2)
    key = f"{title}   ● one script   △ two scripts"
    panel.set_title(key, color=colour, loc="left", fontsize=10)
    panel.set_ylabel("F1")
    rho = f"rank correlation {show.number(stats.rank_correlation(x, y), 2)}"
    return f"{title}: {rho}, slope {show.number(rise, 2)} points of F1 per point of overlap"


def _across(pairs: pd.DataFrame) -> pd.Series:
    return pairs.train.map(languages.script) != pairs.evaluate.map(languages.script)


def selections(
    scores: pd.DataFrame, overlaps: pd.DataFrame, equal: pd.DataFrame, edition: Edition
) -> show.Gallery:
    """Figure 1 with equal numbers of entities, all entities, or pairs of one kind, by a menu."""
    across = _across(overlaps)
    parts = {"equal numbers of entities": equal, "all entities": overlaps}
    parts |= {"pairs of one script": overlaps[~across], "pairs of two scripts": overlaps[across]}
    return show.gallery({title: figure_1(scores, part, edition) for title, part in parts.items()})


def fallen(runs: pd.DataFrame, edition: Edition) -> show.Table | None:
    """Encoders and languages of which seeds fell apart, and which stand for these; or None."""
    rows = []
    for (encoder, train), seeds in _fallen(runs):
        gone = ", ".join(map(str, seeds.seed[seeds.fell_apart]))
        new = seeds[~seeds.fell_apart & (seeds.in_place_of >= 0)]
        stand = ", ".join(f"{seed} for {old}" for seed, old in zip(new.seed, new.in_place_of))
        about = [edition.encoder_title(encoder), label(train)]
        about += [f"{(~seeds.fell_apart).sum()} of {len(seeds)}", show.number(max(seeds.dev_score))]
        rows.append([*about, gone, stand or show.MISSING])
    header = ["encoder", "fine-tuned on", "whole runs", "best seed", "fell apart", "in their place"]
    about = "Seeds that fell apart; F1 of the best one on the development set of its own language"
    return show.table(about, "fallen", header, rows, edition, text=True) if rows else None


def _fallen(runs: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """The runs by encoder and language, where any fell apart."""
    each = runs.drop_duplicates(["encoder", "train", "seed"]).sort_values("seed")
    groups = each.groupby(["encoder", "train"])
    return [(key, seeds) for key, seeds in groups if seeds.fell_apart.any()]


def too_few(runs: pd.DataFrame, edition: Edition) -> str:
    """A sentence that names the rows for which fewer than three seeds are whole; "" if none."""
    few = [key for key, seeds in _fallen(runs) if (~seeds.fell_apart).sum() < 3]
    named = [f"{label(train)} ({edition.encoder_title(encoder)})" for encoder, train in few]
    start = "So many seeds fell apart that fewer than three are whole when fine-tuned on"
    return f"{start} {show.listing(named)}." if named else ""


def fallen_told(runs: pd.DataFrame, edition: Edition) -> str:
    """How many runs fell apart, out of how many that can be judged, in sentences."""
    if "dev_score" not in runs:
        return "In this edition the rule is not applied: scores on development sets are not kept."
    judged = runs.dropna(subset="dev_score").drop_duplicates(["encoder", "train", "seed"])
    by = judged.groupby("encoder", sort=False).fell_apart.agg(["sum", "size"])
    each = [f"{n} of {of} with {edition.encoder_title(e)}" for e, n, of in by.itertuples()]
    told = f"Of {len(judged)} runs on entities {judged.fell_apart.sum()} fell apart"
    return f"{told}, {show.listing(each)}. {too_few(runs, edition)}".strip()


def little_overlap(train: str, evaluate: str, overlap: float) -> bool:
    return overlap < LITTLE_OVERLAP


def slopes(evidence: Evidence, encoder: str, keep: Keep = claims.every_pair) -> Measurement:
    """Points of F1 by percentage point of overlap over the pairs kept, in each version."""
    scores, overlap = claims.by_covariate(evidence, "ner", "overlap", encoder, keep)
    return Measurement(claims.along(scores, 100 * overlap, stats.slope))


def _trends(encoder: str) -> dict[str, tuple[int, Callable]]:
    """Title of a row: its decimals and measure. A slope is by percentage point of overlap."""
    over = ("ner", "overlap", encoder)
    return {
        "F1, overlap below 5%": (1, claims.mean_where(*over, little_overlap)),
        "F1, two scripts": (1, claims.mean_where(*over, across_scripts)),
        "F1, one script": (1, claims.mean_where(*over, within_script)),
        "rank correlation": (2, claims.trend(stats.rank_correlation, *over)),
        "slope": (2, claims.trend(lambda x, y: stats.slope(x, y) / 100, *over)),
        "slope, one script": (2, lambda known: slopes(known, encoder, within_script)),
    }


def overlap_trends(
    scores: pd.DataFrame, overlaps: pd.DataFrame, edition: Edition, name: str = "overlap-trends"
) -> show.Table:
    """Mean F1 of groups of pairs and how F1 rises with overlap, a column an encoder."""
    known = claims.evidence({"ner": scores, "overlap": overlaps}, edition)
    columns = {}
    for encoder in dict.fromkeys(scores.encoder):
        cells = {title: _measured(known, *of) for title, of in _trends(encoder).items()}
        unknown = valued(overlaps).query("encoder == @encoder").unk_share
        for which, share in {"mean of pairs": unknown.mean(), "worst pair": unknown.max()}.items():
            told = joined("{}%", show.number(100 * share)) if share >= 0 else show.MISSING
            cells[f"[UNK] in entities, {which}"] = told
        columns[edition.encoder_title(encoder)] = cells
    rows = [list(row) for row in pd.DataFrame(columns, dtype=object).itertuples(name=None)]
    about = "Zero-shot NER F1 and the overlap of entity word pieces"
    form = {"notes": [GIVEN], "text": True}
    return show.table(about, name, ["measure", *columns], rows, edition, scores, overlaps, **form)


def _measured(known: Evidence, decimals: int, measure: Callable) -> str:
    try:
        versions, p = measure(known)
    except (claims.NotAvailable, ValueError):
        return show.MISSING
    estimate = stats.estimate(versions)
    cells = show.number(estimate.value, decimals), show.both_bounds(estimate, decimals)
    shown = joined("{} ({})", *cells)
    return shown if np.isnan(p) else joined("{}, p {}", shown, show.p_value(p))


def table_3(scores: pd.DataFrame, earlier: pd.DataFrame, edition: Edition) -> show.Table:
    """F1 within each language of the CoNLL tasks: earlier work's, EN-BERT's and M-BERT's."""
    own = scores[(scores.train == scores.evaluate) & scores.train.isin(CONLL)]
    ours = {edition.encoder_title(e): own[own.encoder == e] for e in ("en-bert", "m-bert")}
    ours = {"Lample et al. (2016)": earlier} | ours
    return show.systems(ours, published.TABLE_3, edition, "table-3")


def table_4(scores: pd.DataFrame, edition: Edition) -> show.Table:
    """M-BERT's tagging accuracy between languages in different scripts."""
    return show.beside(scores[scores.encoder == "m-bert"], published.TABLE_4, edition, "table-4")


def label_places(labels: pd.DataFrame, edition: Edition) -> show.Table | None:
    """Tagging accuracy by the piece that bears the label, a pair of languages a row; or None."""
    if (runs := labels[labels.split == "test"]).empty:
        return None
    printed, rows = published.TABLE_2.stack().combine_first(published.TABLE_4.stack()), []
    for pair, own in runs.groupby(["train", "evaluate"]):
        cells = [show.cell(own[own.alignment == rule]) for rule in RULES]
        paper = show.number(printed.get(pair, np.nan))
        rows.append([" to ".join(map(label, pair)), f"{max(own.bare):.0%}", *cells, paper])
    about = f"Accuracy by the piece that bears a word's label, {edition.encoder_title('m-bert')}"
    seeds = show.listing(f"seed {seed}" for seed in sorted(set(runs.seed)))
    header, notes = ["pair", "bare", *RULES.values(), "paper"], [f"{BARE} Means over {seeds}."]
    runs = runs.drop(columns="made_from")  # whose signature knows one rule alone
    return show.table(about, "label-places", header, rows, edition, runs, notes=notes)


def label_told(labels: pd.DataFrame, examples: pd.DataFrame) -> dict[str, str | float]:
    """Phrases: what moving the label does or could do, and how the rule was chosen."""
    known = {f"external_{code}": score for code, score in published.EXTERNAL_FROM_ENGLISH.items()}
    known["paper_ja"] = published.TABLE_4.at["en", "ja"]
    if labels.empty:
        return known | {"sits": _nothing_to_move(examples), "decided": ""}
    tested, dev = (labels[labels.split == split] for split in ("test", "dev"))
    return known | {"sits": _moved(tested), "decided": _decided(dev)}


def _moved(tested: pd.DataFrame) -> str:
    means = tested.groupby(["train", "evaluate", "alignment"]).score.mean()
    before, after = (means.xs(rule, level="alignment") for rule in ("neither", "label"))
    both = pd.DataFrame({"before": before, "after": after}).map(show.number).loc["en"]
    order = stats.zero_shot(after - before)["en"].sort_values(ascending=False).index
    told = [f"{label(code)} {both.before[code]} to {both.after[code]}" for code in order]
    within = show.span(stats.in_language(after - before).abs())
    return f"From English, as the label moves: {', '.join(told)}; within a language by {within}."


def _decided(dev: pd.DataFrame) -> str:
    scores = dev.pivot_table(index=["train", "seed"], columns="alignment", values="score")
    chosen = scores[list(RULES)].mean().sort_values(ascending=False)
    listed = show.listing(f"{RULES[rule]} {show.number(mean, 2)}" for rule, mean in chosen.items())
    ahead = show.share(scores[chosen.index[0]] > scores[chosen.index[1]])
    codes = show.listing(map(label, sorted(set(dev.train))))
    return (
        f"The rule was chosen on development sets of the languages fine-tuned on ({codes}), where "
        f"the means are: {listed}. The first of these, which is used, is ahead of the second on "
        f"{ahead} models."
    )


def _nothing_to_move(examples: pd.DataFrame) -> str:
    words = valued(examples).query("kind == 'tagged'").second
    if words.empty or words.str.split().str[0].eq(SPACE).any():
        return "Other rules were not tried in this edition."
    none = f"none of the {len(words)} words of its sample sentences begins with the bare sign"
    return f"In this edition nothing moves: {none} of a space, so that both rules are one."


def confusions(confusion: pd.DataFrame) -> pd.DataFrame:
    """Tags taken for others, most frequent first: pair ("EN to JA"), gold, predicted, share (%)."""
    printed = [*stats.zero_shot(published.TABLE_4.stack().dropna()).index, *CONFUSED]
    found = {}
    for pair, runs in confusion.groupby(["train", "evaluate"]):
        if pair in printed:
            counts = sum(runs.counts).stack()
            found[" to ".join(map(label, pair))] = 100 * counts / counts.sum()
    names = ["pair", "gold", "predicted"]
    cells = pd.concat(found, names=names).rename("share").reset_index()
    return cells[cells.gold != cells.predicted].sort_values("share", ascending=False)


def confusion_bars(confusion: pd.DataFrame, edition: Edition) -> show.Figure | None:
    """The most frequent confusions of each pair as bars; None where none are recorded."""
    if confusion.empty:
        return None
    pairs = list(confusions(confusion).groupby("pair"))
    drawing, panels = show.canvas(0.6 * len(pairs) + 0.3, (len(pairs) + 1) // 2, False, columns=2)
    for panel, (pair, wrong) in zip(panels, pairs, strict=True):
        top = wrong.head(MOST)
        panel.barh(range(MOST), top["share"], color=show.CYCLE[0], height=0.7)
        for height, share in enumerate(top["share"]):
            panel.text(share + 0.1, height, show.number(share), va="center", fontsize=7.5)
        panel.set_yticks(range(MOST), top.gold + " as " + top.predicted, fontsize=7.5)
        panel.set(xlim=(0, 9), ylim=(MOST - 0.5, -0.5), xticks=[])
        panel.set_title(f"{pair}: {sum(wrong['share']):.1f}% wrong", loc="left", fontsize=8.5)
        panel.grid(False)
    read = confusion_told(confusion)
    about = f"The {MOST} most frequent confusions of each pair, in percent of all words"
    data, about = confusions(confusion), f"{about}. {read}"
    return show.figure(drawing, "confusions", about, read, edition, confusion, data=data)


def confusion_told(confusion: pd.DataFrame) -> str:
    """What is most often taken for what between English and Japanese, and where errors are."""
    if confusion.empty:
        return "Which tags are taken for which is not recorded in this edition."
    wrong = confusions(confusion)
    named = (wrong.gold + " for " + wrong.predicted).groupby(wrong["pair"])
    told = {pair: show.listing(some.head(3)) for pair, some in named}
    inside = wrong[wrong.gold.isin(FUNCTION_TAGS)].groupby("pair")["share"].sum()
    shares = 100 * inside / wrong.groupby("pair")["share"].sum()
    low, high = shares.idxmin(), shares.idxmax()
    return (
        f"Most often mistaken are, from English to Japanese, {told['EN to JA']}; from Japanese to "
        f"English, {told['JA to EN']}. Words with a function tag ({', '.join(FUNCTION_TAGS)}) "
        f"make up {shares[low]:.0f}% of the errors in {low} and {shares[high]:.0f}% in {high}."
    )


def reading(
    ner: pd.DataFrame,
    overlaps: pd.DataFrame,
    equal: pd.DataFrame,
    within: pd.DataFrame,
    pos: pd.DataFrame,
    edition: Edition,
) -> dict[str, str | float]:
    """The phrases of the chapter's text, by name: on Figure 1, Table 3 and Table 4."""
    known, drawn = (claims.evidence({"ner": ner, "overlap": o}, edition) for o in (overlaps, equal))
    judged, unknown = claims.judge(CLAIMS, known), valued(overlaps).groupby("encoder").unk_share
    phrases = show.names(edition) | {
        "flat": judged.verdict["overlap-independence"],
        "still": judged.verdict["transfer-without-overlap"],
        "depends": judged.verdict["overlap-dependence"],
        "fails": judged.verdict["english-fails-across-scripts"],
        "low": judged.value["transfer-without-overlap"],
        "english": judged.value["english-fails-across-scripts"],
        "margin": f"{claims.COMPARABLE:g}",
    }
    own = {}
    for letter, encoder in [("m", "m-bert"), ("e", "en-bert")]:
        steep, trends = "slope, one script", _trends(encoder)
        told = {"one": (known, "F1, one script"), "two": (known, "F1, two scripts")}
        told |= {"steep": (known, steep), "equal": (drawn, steep)}
        for name, (evidence, title) in told.items():  # without their intervals
            phrases[f"{name}_{letter}"] = _measured(evidence, *trends[title]).split(" (")[0]
        phrases[f"unknown_{letter}"] = 100 * unknown.mean().get(encoder, np.nan)
        own[letter] = stats.in_language(stats.means(within[within.encoder == encoder]))
    lost, paper = (own["m"] - own["e"]).dropna(), published.TABLE_4.stack()
    ours = stats.means(pos[pos.encoder == "m-bert"]).reindex(paper.index)
    phrases["agree"] = show.against(ours, paper, edition)
    gap, paper_gap = (scores["en", "bg"] - scores["en", "ja"] for scores in (ours, paper))
    phrases |= {"english_within": show.span(own["e"]), "lost": float(lost.mean())}
    phrases |= {"comparable": show.share(lost < claims.COMPARABLE)}
    phrases |= {"hi_ur": ours["hi", "ur"], "ur_hi": ours["ur", "hi"], "gap": gap}
    return phrases | {"paper_gap": paper_gap, "easier": show.versus(gap, 0.0)}


def earlier_work(within: pd.DataFrame, earlier: pd.DataFrame, edition: Edition) -> dict[str, str]:
    """The phrases on what the BiLSTM-CRF reaches, and how far encoders are ahead of it."""
    known = claims.evidence({"ner": within, RUN: earlier}, edition)
    phrases = {"run": claims.judge(CLAIMS, known).verdict["english-in-language-run"]}
    phrases["earlier"] = show.span(stats.in_language(stats.means(earlier)))
    for letter, encoder in [("m", "m-bert"), ("e", "en-bert")]:
        gap = claims.difference("ner", OWN[encoder], OWN[BILSTM_CRF], RUN)
        ahead = claims.estimated(known, gap)
        phrases[f"ahead_{letter}"] = f"{show.signed(ahead.value)} ({show.bounds(ahead)})"
    return phrases | {"worth": f"{published.EMBEDDINGS_WORTH:g}"}


def excess_slope(evidence: Evidence) -> Measurement:
    """M-BERT's slope of F1 on overlap minus half of EN-BERT's."""
    multilingual, english = (slopes(evidence, e).versions for e in ("m-bert", "en-bert"))
    return Measurement(multilingual - english / 2)


RUN, BILSTM_CRF = "earlier work, run", "BiLSTM-CRF"
OVER = ("ner", "overlap")
OWN = {e: claims.in_language(e, CONLL) for e in ("lample", BILSTM_CRF, "m-bert", "en-bert")}
# From English and to it: the nearer language in word order, then the farther one.
GAPS = [(("m-bert", "en", "bg"), ("m-bert", "en", "ja"))]
GAPS += [(("m-bert", "bg", "en"), ("m-bert", "ja", "en"))]
MEASURES = {
    "overlap-independence": excess_slope,
    "transfer-without-overlap": claims.mean_where(*OVER, "m-bert", little_overlap),
    "overlap-dependence": claims.trend(stats.rank_correlation, *OVER, "en-bert"),
    "english-fails-across-scripts": claims.mean_where(*OVER, "en-bert", across_scripts),
    "english-in-language": claims.difference("earlier work", OWN["lample"], OWN["en-bert"], "ner"),
    "english-in-language-run": claims.difference(RUN, OWN[BILSTM_CRF], OWN["en-bert"], "ner"),
    "english-in-language-m-bert": claims.difference("ner", OWN["m-bert"], OWN["en-bert"]),
    "across-scripts": claims.lowest("pos", claims.zero_shot("m-bert", ["hi", "ur"])),
    "script-and-order": claims.smallest_difference("pos", GAPS),
}
CLAIMS = claims.stated(MEASURES)
