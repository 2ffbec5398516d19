"""Beyond the paper: an explicit objective, the artificial world, emergence, real corpora."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count, cycle
from random import Random

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pocketworld import PLAIN, Token, World, text

from crosslingual import claims, languages, published, show, stats
from crosslingual.downloads import joined
from crosslingual.show import CYCLE, Edition, label, number, signed
from crosslingual.stats import in_language, valued, zero_shot

# What `experiments.emergence` measures.
IN_LANGUAGE, ZERO_SHOT, RETRIEVAL = "in-language tagging", "zero-shot tagging", "retrieval"
MEASURES = [IN_LANGUAGE, ZERO_SHOT, RETRIEVAL]
NOISE = 2.0  # points: a way no longer than the width of the probes' intervals shows no half


# Does an explicit multilingual objective help? Ours less the paper's M-BERT, cell by cell


def less_own(cells: pd.DataFrame) -> pd.DataFrame:
    """Zero-shot cells less that of the language evaluated on, which has the same test set."""
    apart = zero_shot(cells)
    return apart - in_language(cells).loc[apart.index.get_level_values("evaluate")].to_numpy()


COMPARED = {  # title: kind of evidence, and the cells that are averaged (None: those of groups)
    "Tables 2, 4: zero-shot tagging": ("pos", zero_shot),
    "within a language": ("pos", in_language),
    "zero-shot less within": ("pos", less_own),
    "Table 1: zero-shot entities": ("ner", zero_shot),
    "within a language ": ("ner", in_language),
    "zero-shot less within ": ("ner", less_own),
    "Table 5a: zero-shot tagging": ("subject-verb-object order", None),
    "Table 5b: zero-shot tagging": ("adjective-noun order", None),
}
NO_OBJECTIVE = (
    "There is nothing to compare in this edition: the encoder in M-BERT's place was trained as "
    "M-BERT was, without an objective that asks for translations."
)


def beside_paper(results: Mapping[str, pd.DataFrame], edition: Edition) -> claims.Evidence:
    """{kind of evidence: our scores less the paper's}, by (train, evaluate), as of `stats.draws`.

    ``results``: frames of `experiments.scores` by task. Column ("paper", 0) has the paper's own.
    Empty where the encoder in M-BERT's place had no other objective than M-BERT.
    """
    if edition.artificial or edition.encoder_title("m-bert") == "M-BERT":
        return {}
    found, paper = claims.evidence(dict(results), edition), claims.published_evidence()
    differences, kinds = {}, dict.fromkeys(kind for kind, _ in COMPARED.values())
    for kind in [kind for kind in kinds if isinstance(found.get(kind), pd.DataFrame)]:
        ours, printed = found[kind], paper[kind].loc[["m-bert"]]["mean", 0]
        printed = printed[printed.index.isin(ours.index)]
        less = ours.loc[printed.index].set_axis(printed.index).sub(printed, axis=0)
        less["paper", 0] = printed
        differences[kind] = less.droplevel("encoder")
    return differences


def objective(differences: claims.Evidence) -> pd.DataFrame:
    """A row for each of COMPARED: cells, paper (mean), difference (mean, a `stats.Estimate`)."""
    rows = []
    compared = {title: row for title, row in COMPARED.items() if row[0] in differences}
    for kind, chosen in compared.values():
        cells, of = differences[kind], chosen or pd.DataFrame
        versions = of(cells).mean()
        if chosen:  # the means of groups have their versions without a language
            versions = stats.every_version(cells, lambda some, of=of: of(some).mean())
        rows.append((len(of(cells)), versions["paper"].iloc[0], stats.estimate(versions)))
    return pd.DataFrame(rows, [*compared], ["cells", "paper", "difference"])


def objective_table(found: pd.DataFrame, edition: Edition, *frames: pd.DataFrame) -> show.Table:
    """Mean differences, with their intervals over runs and over languages."""
    name, rows = edition.encoder_title("m-bert"), []
    for title, cells, paper, less in found.itertuples():
        means = [number(paper), number(paper + less.value)]
        apart = joined("{difference} ({})", show.bounds(less), difference=signed(less.value))
        rows.append([f"{title.strip()} ({cells})", *means, apart, show.bounds(less.over)])
    header = ["mean of (cells)", "paper", name, "difference", "over languages"]
    note = (
        "Intervals of the difference. In brackets: over seeds (t) and sentences (bootstrap). Over "
        "languages: one is left out, with its row and its column (jackknife)."
    )
    about = f"{name} beside the paper's M-BERT"
    return show.table(about, "objective-means", header, rows, edition, *frames, notes=[note])


def objective_pairs(differences: claims.Evidence, edition: Edition) -> show.Figure:
    """The paper's zero-shot tagging against ours: a panel a table, a labelled point a pair."""
    pairs, title = zero_shot(differences["pos"]), edition.encoder_title("m-bert")
    gained, paper = pairs["mean", 0].sort_values(), pairs["paper", 0]
    drawing, panels = show.canvas(6.6, 2, share=False)
    for panel, table in zip(panels, (published.TABLE_2, published.TABLE_4), strict=True):
        shown = paper[paper.index.isin(table.stack().index)]
        low = min(shown.min(), (shown + gained).min()) // 10 * 10
        panel.plot([low, 100], [low, 100], color="#777777", linewidth=1)
        ends = {"-".join(map(label, pair)): (x, x + gained[pair]) for pair, x in shown.items()}
        panel.scatter(*zip(*ends.values(), strict=True), 20, color=CYCLE[0], zorder=3)
        panel.set(xlim=(low, 100), ylim=(low, 100), ylabel=f"{title} (%)")
        panel.locator_params(nbins=5, integer=True)
        panel.set_title(table.attrs["caption"].split("(")[-1][:-1], loc="left", fontsize=10)
        show.end_labels(panel, {name: (*place, CYCLE[0]) for name, place in ends.items()})
    panels[-1].set_xlabel("M-BERT in the paper (%)")
    least, most = (
        f"{'-'.join(map(label, pair))} ({signed(gained[pair])})" for pair in gained.index[[0, -1]]
    )
    read = f"Above the line, better than the paper's: {show.share(gained > 0)}; most {most}, "
    read += f"least {least}."
    about = f"Zero-shot tagging by {title} against the paper's M-BERT, a point a pair. {read}"
    data = pd.DataFrame({"paper": paper, "ours": paper + gained}).reset_index()
    alt = f"Two scatter plots. {read}"
    return show.figure(drawing, "objective-pairs", about, alt, edition, data=data)


def found_and_tagged(curve: pd.DataFrame, pos: pd.DataFrame) -> pd.DataFrame:
    """By pair of languages, percent: found (translations, best layer), copied, tagged, paper's."""
    asked = valued(curve).query("encoder == 'm-bert' and queries == 'all'")
    most = claims.all_candidates(asked)
    best = most.pivot_table("accuracy", ["source", "target"], "method", "max")
    best = best.reindex(columns=["paper", "shared pieces"])
    ours = stats.means(pos[pos.encoder == "m-bert"]).reindex(best.index)
    paper = claims.published_evidence()["pos"].loc["m-bert"]["mean", 0].reindex(best.index)
    columns = {"found": best["paper"], "copied": best["shared pieces"], "tagged": ours}
    return pd.DataFrame(columns | {"paper": paper}).sort_values("found", ascending=False)


def found_table(pairs: pd.DataFrame, edition: Edition) -> show.Table:
    """What `found_and_tagged` has, and how well what is found goes with what is tagged."""
    title = edition.encoder_title("m-bert")
    rows = [["-".join(map(label, row[0])), *map(number, row[1:])] for row in pairs.itertuples()]
    rho = pairs.drop(columns="paper").dropna().corr("spearman", min_periods=3).tagged
    note = (
        f"Rank correlation with our tagging: translations found {number(rho.found, 2)}, by shared "
        f"pieces {number(rho.copied, 2)}. Pairs that have a language in common are not independent."
    )
    about = f"Translations that {title} finds at its best layer, and zero-shot tagging, in percent"
    header = ["pair", "found", "by shared pieces", f"tagging, {title}", "tagging, M-BERT, paper"]
    return show.table(about, "found-and-tagged", header, rows, edition, notes=[note])


def objective_reading(
    differences: claims.Evidence, found: pd.DataFrame, pairs: pd.DataFrame
) -> str:
    """What comes out, in sentences; one where there is nothing to compare."""
    if not differences:
        return NO_OBJECTIVE
    both, worst = pairs.dropna(), pairs.tagged.idxmin()
    ours, paper = show.span(both.tagged), show.span(both.paper)
    across, _, less, *_ = found.difference
    return (
        f"The encoder in M-BERT's place finds {show.span(both.found)}% of the translations in the "
        f"{len(both)} pairs of languages that the paper tags, too. Between the same pairs it tags "
        f"{ours}% of the words rightly, where M-BERT tags {paper}% in the paper; of the pair that "
        f"it tags worst, {show.lowest(pairs.tagged)}, it finds {number(pairs.found[worst])}%. Over "
        f"all pairs that the paper prints, zero-shot tagging differs by {signed(across.value)} "
        f"points on average, {_beyond(across)}; less what each reaches within the language "
        f"tagged, by {signed(less.value)}, {_beyond(less)}."
    )


def _beyond(difference: stats.Estimate) -> str:
    low, high = difference.over
    more = "no more" if low <= 0 <= high else "more"
    ends = f"{number(low)} to {number(high)}"
    return f"{more} than another choice of languages could bring about (over languages {ends})"


# The artificial world: one meaning in many languages, and in another order


def one_meaning(world: World, codes: Sequence[str], seed: int = 0) -> dict[str, list[Token]]:
    """The first meaning, from ``seed`` on, that takes six to nine words in every language."""
    tellings = (_told(world, codes, attempt) for attempt in count(seed))
    return next(told for told in tellings if all(6 <= len(said) <= 9 for said in told.values()))


def reordered(world: World, other: World, code: str, seed: int = 0) -> dict[str, str]:
    """A sentence of two worlds that differ in that language's word order alone.

    The first, from ``seed`` on, of the same six to nine words, of which three or more have moved.
    """
    for attempt in count(seed):
        said = [_told(each, [code], attempt)[code] for each in (world, other)]
        one, two = ([token.form for token in tokens] for tokens in said)
        moved = sum(a != b for a, b in zip(one, two, strict=False))
        if 6 <= len(one) <= 9 and moved >= 3 and sorted(one) == sorted(two):
            break
    return {"as attested": text(said[0]), "counterfactual": text(said[1])}


def _told(world: World, codes: Sequence[str], attempt: int) -> dict[str, list[Token]]:
    rng = Random(f"{world.p.seed}/retell/{attempt}")
    meaning = world.meanings.sample(rng, PLAIN, world.language(codes[0]).branch)
    return {code: world.speaker(code, Random(attempt)).sentence(meaning) for code in codes}


def retold(told: Mapping[str, Sequence[Token]]) -> show.Table:
    """One meaning in several languages, as written and as it sounds."""
    rows = []
    for code, said in told.items():
        sounds = " ".join(token.phonemes or token.form for token in said)
        rows.append([languages.name(code), f'<bdi dir="auto">{text(said)}</bdi>', sounds])
    title, header = f"One meaning in {len(told)} languages.", ["language", "written", "sounds"]
    return show.Table(title, "retold", header, rows, text=True)


def glossed(told: Mapping[str, Sequence[Token]]):
    """The same word by word, a page a language: form, how it sounds, tag, entity."""
    header, views = ["word", "sounds", "tag", "entity"], {}
    for code, said in told.items():
        rows = [[t.form, t.phonemes or show.MISSING, t.upos, t.entity] for t in said]
        title = languages.name(code)
        views[title] = show.Table(title, f"gloss-{code}", header, rows, text=True)
    return show.gallery(views)


# Look-up and learning


def tagged(scores: pd.DataFrame) -> pd.Series:
    """Accuracy of M-BERT within each language, a mean over seeds; from `experiments.scores`."""
    own = valued(scores).query("encoder == 'm-bert' and train == evaluate")
    return own.groupby("train").score.mean()


def treebanks(profile: pd.DataFrame, scores: pd.DataFrame, edition: Edition) -> show.Table:
    """How far look-up gets in each language, and the fine-tuned tagger beside it."""
    columns = ["words", "homographs", "unseen", "majority_class", "look_up"]
    values = profile[columns].assign(tuned=profile.language.map(tagged(scores))).to_numpy()
    rows = [[label(code), *map(number, row)] for code, row in zip(profile.language, values)]
    title = edition.encoder_title("m-bert")
    header = ["language", "words", "homographs", "unseen", "majority", "look-up", title]
    about = "Words per sentence; percent of homographs among training words and of unseen among "
    about += f"test words; accuracy of the majority class, of look-up and of fine-tuned {title}"
    return show.table(about, "treebanks", header, rows, edition, notes=show.lacking(profile))


def look_up_reading(profile: pd.DataFrame, scores: pd.DataFrame) -> dict[str, str]:
    """Phrases: where the tagger is ahead of look-up, how much there is that look-up cannot know."""
    known = valued(profile).set_index("language")
    ahead = (tagged(scores) - known.look_up).dropna() > 0
    behind = show.listing(languages.name(code) for code in ahead.index[~ahead])
    seen = {"homographs": show.span(known.homographs), "unseen": show.span(known.unseen)}
    return {"ahead": show.share(ahead), "behind": behind} | seen


# The corpora of real languages


def assembled(parts: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """A row a language of `treebanks.assembly`: files of each split, sentences, licences; texts."""
    treebank = parts.treebank.str.replace(r"UD_\w+-", "", regex=True)
    which = parts.path.str.extract(r"-ud-(\w+)")[0].fillna("")
    lacking = ("cannot be made: " + parts.lacking).where(parts.lacking != "", "")
    files = parts.assign(file=treebank + " " + parts.tag + " " + which + lacking)
    table = files.pivot_table("file", "language", "split", ", ".join, sort=False)
    table = table[["train", "dev", "test"]].fillna("every tenth of the training set")
    licences = parts.groupby("language").licence.agg(lambda all_: ", ".join(dict.fromkeys(all_)))
    return with_sizes(table.assign(licence=licences).reset_index(), sizes, "pos")


def with_sizes(corpora: pd.DataFrame, sizes: pd.DataFrame, task: str) -> pd.DataFrame:
    """Corpora by language with their numbers of sentences, of a frame of `experiments.sizes`."""
    known = sizes[sizes.task == task].set_index(["language", "split"]).sentences
    counts = [
        " / ".join(f"{known.get((code, split), 0):,.0f}" for split in ("train", "test"))
        for code in corpora.language
    ]
    corpora = corpora.assign(language=corpora.language.map(languages.name))
    return corpora.assign(**{"sentences (train / test)": counts})


def put_together(parts: pd.DataFrame) -> dict[str, str]:
    """Phrases: the languages of which it is shown that what is put together is the records' corpus,
    of which it is only written down, and of which some set cannot be made."""
    kind = (2 * (parts.lacking != "") + (parts.shown == "")).groupby(parts.language).max()
    named = {"shown": 0, "written": 1, "cannot": 3}
    listed = {name: kind.index[kind == value] for name, value in named.items()}
    listed["converted"] = parts.language[parts.version == "1"].unique()
    phrases = {name: show.listing(map(languages.name, codes)) for name, codes in listed.items()}
    return phrases | {"count": str(len(listed["shown"]))}


# How multilinguality emerges. ``curve`` is a frame of `experiments.emergence`, of one encoder.


def means(curve: pd.DataFrame) -> pd.DataFrame:
    """Mean score by step (rows) and measure (columns), over pairs; retrieval at its best layer."""
    best = curve.groupby(["step", "measure", "source", "target"], as_index=False).score.max()
    return best.pivot_table("score", "step", "measure", "mean").reindex(columns=MEASURES)


def steps_to(curve: pd.DataFrame, measure: str, share: float = 0.5) -> float:
    """First step at which a measure has made that share of its way from its first to its best mean.

    NaN where the way is no longer than NOISE: its half would be a matter of chance.
    """
    way = means(curve)[measure].dropna()
    way = way - way.iloc[0] if len(way) else way
    made = way.index[way >= share * way.max()]
    return float(made[0]) if len(way) and way.max() > NOISE else np.nan


def emergence_curve(curve: pd.DataFrame, edition: Edition, encoder: str) -> show.Figure:
    """What an encoder can do after so many steps of its pre-training, and its loss below."""
    name, shown, log = "emergence-curve", valued(curve), _log(edition, encoder)
    if shown.empty:
        return show.absent(name, edition, curve)
    lines, ends = means(shown), {}
    drawing, (above, below) = show.canvas(5.4, 2, share=False)
    for (measure, line), colour in zip(lines.items(), CYCLE, strict=False):
        above.plot(line.index, line, color=colour, linewidth=2, marker="o", markersize=4)
        ends[measure.replace(" ", "\n", 1)] = (line.index.max(), line.iloc[-1], colour)
    below.plot(log.step, log.loss, color="#444444", linewidth=1.5)
    above.set(ylabel="accuracy (%)", ylim=(0, 100))
    below.set(ylabel="masked-word loss", xlabel="steps of pre-training")
    for panel in (above, below):
        _step_axis(panel, lines.index)
    show.end_labels(above, ends)
    read = "; ".join(f"{measure} {_ends(line)}" for measure, line in lines.items())
    about = f"{edition.encoder_title(encoder)} after 0 to {lines.index.max():,} steps: {read}"
    about += " (means over languages; retrieval at its best layer). Below: the loss."
    alt = f"Lines over steps, two panels. {read}."
    return show.figure(drawing, name, about, alt, edition, shown)


def _log(edition: Edition, encoder: str) -> pd.DataFrame:
    """The log beside an encoder's weights: step and loss (and more), maybe empty."""
    with suppress(ValueError, FileNotFoundError):  # no such encoder here, or none of ours
        if (found := edition.encoder(encoder)).at_hand:
            return pd.read_json(found.folder / "training.jsonl", lines=True)
    return pd.DataFrame(columns=["step", "loss"])


def _ends(line: pd.Series) -> str:
    """From the first step to the last."""
    return f"{number(line.iloc[0])} to {number(line.iloc[-1])}" if len(line) else show.NOTHING


def _step_axis(panel: Axes, steps: pd.Index) -> None:
    """Logarithmic from the first snapshot on, with a place for step 0."""
    first, last = min(steps[steps > 0], default=1), max(steps)
    panel.set_xscale("symlog", linthresh=first, linscale=0.6)
    panel.set_xlim(-0.1 * first, 1.05 * last)
    ticks = [0, *(tick for tick in (first, 10 * first, 100 * first) if tick <= last)]
    panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=9)
    panel.minorticks_off()


def emergence_by_pair(curve: pd.DataFrame, edition: Edition, encoder: str) -> show.Figure:
    """Accuracy of each pair after so many steps: a panel a language, a line a fine-tuning one."""
    name, shown = "emergence-pairs", valued(curve).query("layer < 0")
    if shown.empty:
        return show.absent(name, edition, curve)
    targets = list(dict.fromkeys(shown.target))
    rows = (len(targets) + 1) // 2
    drawing, panels = show.canvas(0.5 + 1.45 * rows, rows, columns=2)
    panels[0].set(ylim=(0, 100))
    for panel in panels[len(targets) :]:
        panel.set_axis_off()
    for panel, target in zip(panels, targets, strict=False):
        _pairs_panel(panel, shown[shown.target == target], target)
    drawing.supxlabel("steps of pre-training", fontsize=10)
    drawing.supylabel("accuracy (%)", fontsize=10)
    apart = shown[shown.source != shown.target]
    by_step = apart.pivot_table("score", ["source", "target"], "step")
    gained = (by_step.iloc[:, -1] - by_step.iloc[:, 0]).sort_values()
    most, least = (
        f"{label(a)} to {label(b)} ({signed(gained[a, b])} points)"
        for a, b in (gained.index[-1], gained.index[0])
    )
    read = f"Of zero-shot pairs gained most: {most}; least: {least}."
    title = edition.encoder_title(encoder)
    about = f"Tagging accuracy by pair as {title} is pre-trained. A line is named by the language "
    about += f"fine-tuned on; thick: in-language, dashed: across two scripts. {read}"
    alt = f"Lines over steps, a panel a language. {read}"
    return show.figure(drawing, name, about, alt, edition, shown)


def _pairs_panel(panel: Axes, shown: pd.DataFrame, target: str) -> None:
    ends = {}
    for (source, line), colour in zip(shown.sort_values("step").groupby("source"), cycle(CYCLE)):
        style = "-" if languages.script(source) == languages.script(target) else (0, (4, 2))
        look = {"linewidth": 2.6 if source == target else 1.6, "linestyle": style, "markersize": 3}
        panel.plot(line.step, line.score, color=colour, marker="o", **look)
        ends[label(source)] = (line.step.max(), line.score.iloc[-1], colour)
    panel.set_title(f"evaluated on {label(target)}", loc="left", fontsize=10)
    _step_axis(panel, shown.step)
    show.end_labels(panel, ends)


def emergence_reading(curve: pd.DataFrame) -> dict[str, str]:
    """Phrases: where each measure begins and ends, when half of that is made, and what is first."""
    shown, phrases, half = valued(curve), {}, {}
    nowhere = f"nowhere, as it gains no more than {NOISE:g} points" if len(shown) else show.NOTHING
    for measure, key in zip(MEASURES, ("within", "across", "found"), strict=True):
        half[key] = steps_to(shown, measure)
        phrases[f"{key}_ends"] = _ends(means(shown)[measure].dropna())
        phrases[f"{key}_half"] = nowhere if np.isnan(half[key]) else f"{half[key]:,.0f}"
    order = "not known"
    if half["within"] >= 0 and half["across"] >= 0:  # not NaN
        how = {-1: "earlier than", 0: "at the same step as", 1: "later than"}
        order = f"across languages {how[np.sign(half['across'] - half['within'])]} within them"
    tested = dict.fromkeys(shown.query("layer < 0").target)
    return phrases | {"probed": show.listing(map(label, tested)), "order": order}
