"""Beyond the paper: the artificial world shown and measured, and how multilinguality emerges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import combinations, count, cycle, islice, pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pocketworld import PLAIN, Token, World, text

from crosslingual import languages, show
from crosslingual.show import CYCLE, label, number, signed
from crosslingual.stats import valued

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crosslingual.edition import Edition

# What `experiments.emergence` measures.
IN_LANGUAGE, ZERO_SHOT, RETRIEVAL = "in-language tagging", "zero-shot tagging", "retrieval"
MEASURES = [IN_LANGUAGE, ZERO_SHOT, RETRIEVAL]
NOISE = 2.0  # points: a way no longer than the width of the probes' intervals shows no half


# The artificial world: one meaning in many languages, and in another order


def one_meaning(world: World, codes: Sequence[str], seed: int = 0) -> dict[str, list[Token]]:
    """The first meaning, from ``seed`` on, that takes six to nine words in every language."""
    tellings = (_told(world, codes, attempt) for attempt in count(seed))
    return next(told for told in tellings if all(6 <= len(said) <= 9 for said in told.values()))


def reordered(world: World, other: World, code: str, seed: int = 0) -> dict[str, str]:
    """A sentence of two worlds that differ in that language's word order, and in nothing else.

    The first meaning, from ``seed`` on, that both say in the same six to nine words, of which three
    or more have moved.
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


def mixing(world: World, sentences: int = 1000) -> dict[str, float]:
    """Of code-switched text: percent of sentences of two languages, switches a sentence."""
    drawn = islice(world.code_switched("pocket-world"), sentences)
    switched = np.array(list(map(switches, drawn)))
    return {"mixed": 100 * float((switched > 0).mean()), "switches": float(switched.mean())}


def switches(said: Sequence[Token]) -> int:
    """How often a sentence changes language; names, digits, URLs and punctuation have none."""
    spoken = [token.language for token in said if token.language not in ("univ", "ne", "")]
    return sum(a != b for a, b in pairwise(spoken))


# Look-up and learning


def tagged(scores: pd.DataFrame) -> pd.Series:
    """Accuracy of M-BERT within each language, a mean over seeds; from `experiments.scores`."""
    own = valued(scores).query("encoder == 'm-bert' and train == evaluate")
    return own.groupby("train").score.mean()


def look_up(profile: pd.DataFrame, scores: pd.DataFrame, edition: Edition) -> show.Figure:
    """Accuracy by language of the majority class, of look-up and of the tagger, by look-up."""
    if (known := valued(profile)).empty:
        return show.absent("look-up", edition, profile)
    rows = known.sort_values("look_up", ignore_index=True)
    tuned = rows.language.map(tagged(scores))
    drawing, (panel,) = show.canvas(0.9 + 0.17 * len(rows))
    for values, marker, colour, title, place in [
        (rows.majority_class, "x", "#666666", "× majority class", 0.0),
        (rows.look_up, "o", CYCLE[1], "○ look-up", 0.42),
        (tuned, "D", CYCLE[0], "◆ M-BERT", 0.7),
    ]:
        fill = "none" if marker == "o" else "full"
        panel.plot(values, rows.index, marker, color=colour, markersize=5, fillstyle=fill)
        panel.text(place, 1.01, title, color=colour, fontsize=10, transform=panel.transAxes)
    panel.set_yticks(rows.index, [*map(label, rows.language)], fontsize=7.5)
    panel.set(xlim=(0, 105), ylim=(-0.7, len(rows) - 0.3), xlabel="accuracy (%)")
    spans = f"Look-up {show.span(rows.look_up)}, the tagger {show.span(tuned.dropna())}"
    lead = number((tuned - rows.look_up).min())
    read = f"{spans}; its smallest lead over look-up is {lead} points."
    about = f"Tagging by look-up and by the fine-tuned encoder, within each language. {read}"
    return show.figure(drawing, "look-up", about, f"Dot plot. {read}", edition, profile, scores)


def treebanks(profile: pd.DataFrame, scores: pd.DataFrame, edition: Edition) -> show.Table:
    """How far look-up gets in each language, and the fine-tuned tagger beside it."""
    columns = ["words", "homographs", "unseen", "majority_class", "look_up"]
    values = profile[columns].assign(tuned=profile.language.map(tagged(scores))).to_numpy()
    codes = map(label, profile.language)
    rows = [[code, *map(number, row)] for code, row in zip(codes, values, strict=True)]
    header = ["", "words", "homographs", "unseen", "majority", "look-up", "M-BERT"]
    about = (
        "Words per sentence; percent of homographs among training words and of unseen among test "
        "words; accuracy of the majority class, of look-up and of fine-tuned M-BERT"
    )
    notes = show.lacking(profile)
    return show.table(about, "treebanks", header, rows, edition, notes=notes)


def look_up_reading(profile: pd.DataFrame, scores: pd.DataFrame) -> dict[str, str]:
    """Phrases: where the tagger is ahead of look-up, how much there is that look-up cannot know."""
    known = valued(profile).set_index("language")
    ahead = (tagged(scores) - known.look_up).dropna() > 0
    behind = show.listing(languages.name(code) for code in ahead.index[~ahead])
    seen = {"homographs": show.span(known.homographs), "unseen": show.span(known.unseen)}
    return {"ahead": show.share(ahead), "behind": behind} | seen


# Names that travel


def shared_names(corpora: Mapping[str, Mapping[str, Sequence]]) -> pd.DataFrame:
    """Jaccard overlap, in percent, of the words inside entities, for each pair of languages.

    ``corpora``: {language: {"tokens": sentences, "labels": their IOB2 tags}}. Columns: language,
    other, overlap, shared (a number of words). Word pieces overlap more: `experiments.overlaps`.
    """
    named: dict[str, set[str]] = {code: set() for code in corpora}
    for code, corpus in corpora.items():
        for words, tags in zip(corpus["tokens"], corpus["labels"], strict=True):
            named[code] |= {word for word, tag in zip(words, tags, strict=True) if tag != "O"}
    rows = []
    for one, other in combinations(named, 2):
        both, either = len(named[one] & named[other]), len(named[one] | named[other])
        rows.append((one, other, 100 * both / max(1, either), both))
    return pd.DataFrame(rows, columns=["language", "other", "overlap", "shared"])


def most_shared(names: pd.DataFrame, edition: Edition) -> show.Table:
    """The eight pairs with most entity words in common."""
    top = names.sort_values("overlap", ascending=False).head(8)
    top = top.assign(overlap=top.overlap.map(number))
    top[["language", "other"]] = top[["language", "other"]].map(languages.name)
    title = f"Pairs with most entity words in common. Edition: {edition.title}."
    return show.listed(top, title, "entity-words")


def names_reading(names: pd.DataFrame) -> dict[str, str]:
    """Phrases: mean overlap of pairs within a script and across two."""
    same = names.language.map(languages.script) == names.other.map(languages.script)
    means = {"within": names[same].overlap.mean(), "across": names[~same].overlap.mean()}
    return {name: number(mean, 2) for name, mean in means.items()}


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
    """The log beside an encoder's weights: step, loss, tokens (word pieces so far), maybe empty."""
    with suppress(ValueError, FileNotFoundError):  # no such encoder here, or none of ours
        if (found := edition.encoder(encoder)).at_hand:
            return pd.read_json(found.folder / "training.jsonl", lines=True)
    return pd.DataFrame(columns=["step", "loss", "tokens"])


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
    """Accuracy of each pair after so many steps: a panel a language, a line a fine-tuning one.

    A language fine-tuned on has the same colour in all panels.
    """
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
    read, title = f"Most gained: {most}; least: {least}.", edition.encoder_title(encoder)
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


def emergence_table(curve: pd.DataFrame, edition: Edition, encoder: str) -> show.Table:
    """Mean accuracies by step, and the word pieces seen until then."""
    lines = means(valued(curve))
    seen = _log(edition, encoder).set_index("step").tokens / 1e6
    pieces = ["0" if step == 0 else number(seen.get(step, np.nan)) for step in lines.index]
    rows = [
        [f"{step:,}", million, *map(number, line)]
        for step, million, line in zip(lines.index, pieces, lines.to_numpy(), strict=True)
    ]
    title, header = edition.encoder_title(encoder), ["step", "million pieces", *MEASURES]
    about = f"Tagging and retrieval as {title} is pre-trained, in percent"
    return show.table(about, "emergence-table", header, rows, edition, curve)


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
