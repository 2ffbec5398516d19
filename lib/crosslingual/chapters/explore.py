"""Explore: every score of an edition in three charts, for who looks before reading.

Altair writes the charts; Vega-Lite, vendored with the site, draws them in the reader's browser, and
``book/assets/explore.js`` puts menus and clicks into their parameters.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import t

from crosslingual import claims, languages, stats
from crosslingual.show import Edition, label
from crosslingual.stats import valued

PAIR = ["train", "evaluate"]
TASKS = {"pos": "tagging (accuracy, %)", "ner": "entities (F1, %)"}
TASKS["code-switching"] = "tagging of code-switched text (accuracy, %)"
GROUPS = {"family": "family", "script": "script", "order": "word order"}
SIDES = {
    "train": "the language fine-tuned on, everywhere",
    "evaluate": "the language evaluated on, from everywhere",
}
# Numbers of features are drawn a little apart, always the same for a pair.
OTHER = "datum[other + ' value'] + (other == 'features' ? (datum.value * 99) % 0.4 - 0.2 : 0)"
ALIKE = "about[datum.train].script == about[datum.evaluate].script"
WHOLE = [0, alt.ExprRef("top[measure]")]  # a scale's domain
CHOSEN = "datum.train == train && datum.evaluate == evaluate"
MARKED = alt.condition(CHOSEN, alt.value("#E4007C"), alt.value(None))
TOOLTIP = [alt.Tooltip("pair:N"), alt.Tooltip("value:Q", format=".1f")]
BLUE, GREY, ORANGE = "#0067A3", "#B9C4CC", "#B34700"
STEP = 12  # pixels a language takes
SCRIPTS = [f"vendor/vega/{name}.min.js" for name in ("vega", "vega-lite", "vega-embed")]
SCRIPTS.append("explore.js")


class Measure(NamedTuple):
    """Something known of ordered pairs of languages.

    cells: by (train, evaluate) ``value``; of scores also low, high (95% interval), seeds, paper.
    task: of the command that recomputes it; "" for what is no score. top: the most it can be.
    """

    title: str
    cells: pd.DataFrame
    task: str = ""
    top: float = 100


def measures(
    scores: Iterable[pd.DataFrame], overlaps: pd.DataFrame, edition: Edition
) -> dict[str, Measure]:
    """All that is known of pairs, by name: from frames of scores, of overlaps, and the atlas."""
    known, found = valued(pd.concat(scores)), {}
    for (task, encoder), runs in known.groupby(["task", "encoder"], sort=False):
        title = f"{edition.encoder_title(encoder)}, {TASKS[task]}"
        again = task if runs.made_from.str.contains('"recipe"').any() else ""
        found[f"{task} {encoder}"] = Measure(title, _cells(runs, edition), again)
    for encoder, pairs in valued(overlaps).groupby("encoder", sort=False):
        title = f"overlap of entity word pieces, {edition.encoder_title(encoder)} (%)"
        cells = 100 * pairs.set_index(PAIR).overlap.to_frame("value")
        found[f"overlap {encoder}"] = Measure(title, cells)
    codes = [code for code in languages.facts() if code in set(known.train)]
    common = languages.shared(codes).rename_axis("train").rename_axis("evaluate", axis=1).stack()
    title = "word-order features in common (WALS, of 6)"
    return found | {"features": Measure(title, common.to_frame("value"), top=6)}


def _cells(runs: pd.DataFrame, edition: Edition) -> pd.DataFrame:
    """Of each pair what `Measure` says; intervals are `stats.estimate`'s, of all pairs at once."""
    task, encoder = runs[["task", "encoder"]].iloc[0]
    versions = stats.draws(runs).droplevel("encoder")
    seeds, mean = versions["seed"], versions["mean"][0]
    half = t.ppf((1 + stats.LEVEL) / 2, seeds.count(axis=1) - 1) * seeds.sem(axis=1)
    low, high = stats.percentile_interval(versions["draw"])
    ends = {"low": np.fmin(low, mean - half), "high": np.fmax(high, mean + half)}
    cells = pd.DataFrame({"value": mean} | ends)
    cells["seeds"] = runs.groupby(PAIR).seed.agg(lambda some: ", ".join(map(str, sorted(some))))
    printed = claims.published_evidence()[task]
    if not edition.artificial and encoder in printed.index:
        cells["paper"] = printed.loc[encoder]["mean", 0]
    return cells


def table(found: Mapping[str, Measure]) -> pd.DataFrame:
    """A row a pair: train, evaluate and, of each measure, "<name> value", "<name> low" ..."""
    named = [measure.cells.add_prefix(f"{name} ") for name, measure in found.items()]
    return pd.concat(named, axis=1).rename_axis(PAIR).reset_index()


def about(codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Of each corpus name, label and, for each of GROUPS, its group and its place when sorted."""
    facts = languages.table().reindex(codes).drop(columns="script").fillna("")
    facts = facts.rename(columns={"script_name": "script", "order_group": "order"})
    facts["order"] = facts.order.replace("", "neither SVO nor SOV")
    facts["name"] = facts.name.where(facts.name != "", facts.index)
    facts["label"] = list(map(label, facts.index))
    for group in GROUPS:
        by = facts.sort_values([*dict.fromkeys([group, "family", "branch", "name"])])
        facts[f"{group} place"] = pd.Series(range(len(by)), by.index)
    return facts.drop(columns=["wals_code", "pos", "ner16"]).to_dict("index")


def charts(
    found: Mapping[str, Measure], known: Mapping[str, dict], chosen: Mapping[str, str]
) -> dict[str, dict]:
    """Vega-Lite specifications by name; they draw a data set ``pairs``, which is `table`.

    Their parameters, with what is chosen first: measure, other (of the scatter plot), by (one of
    GROUPS, or "score"), train, evaluate, side (of the bars: which of the two is held).
    """
    tops = {name: measure.top for name, measure in found.items()}
    values = {**chosen, "about": dict(known), "top": tops}
    params = [alt.param(name, value=value) for name, value in values.items()]
    drawn = {"matrix": _matrix(), "bars": _bars(), "scatter": _scatter()}
    return {name: chart.add_params(*params).to_dict() for name, chart in drawn.items()}


def _pairs(chart: alt.Chart | alt.LayerChart) -> alt.Chart:
    """With the pairs of which the measure is known; fields value and pair (in words)."""
    named = "about[datum.train].name + ' to ' + about[datum.evaluate].name"
    chart = chart.properties(data=alt.NamedData("pairs"))
    chart = chart.transform_calculate(value="datum[measure + ' value']", pair=named)
    return chart.transform_filter("isValid(datum.value)")


def _matrix() -> alt.Chart:
    """Every pair as a colour; rows were fine-tuned on, columns evaluated on."""
    group = "about[datum.value].name + (by == 'score' ? '' : ' · ' + about[datum.value][by])"
    chart, sort = _pairs(alt.Chart()), {}
    for side in PAIR:
        mean, place = f"{side}_mean", f"{side}_place"
        where = f"by == 'score' ? -datum.{mean} : about[datum.{side}][by + ' place']"
        chart = chart.transform_joinaggregate(groupby=[side], **{mean: "mean(value)"})
        chart = chart.transform_calculate(**{place: where})
        sort[side] = alt.EncodingSortField(place, op="min")
    upper = {"labelExpr": "about[datum.value].label", "labelAngle": -90, "orient": "top"}
    scale = alt.Scale(scheme="cividis", domain=WHOLE)
    legend = alt.Legend(title=None, orient="bottom", gradientLength=300)
    cells = chart.mark_rect(strokeWidth=2).properties(width=alt.Step(STEP), height=alt.Step(STEP))
    return cells.encode(
        alt.X("evaluate:N", title=None, sort=sort["evaluate"], axis=alt.Axis(**upper)),
        alt.Y("train:N", title=None, sort=sort["train"], axis=alt.Axis(labelExpr=group)),
        alt.Color("value:Q", scale=scale, legend=legend),
        stroke=MARKED,
        tooltip=TOOLTIP,
    )


def _bars() -> alt.Chart:
    """One row or column of the matrix, with intervals as lines and the paper's values as ticks."""
    of = {name: f"datum[measure + ' {name}']" for name in ("low", "high", "paper")}
    order = alt.EncodingSortField("value", op="max", order="descending")
    label = alt.Axis(labelExpr="about[datum.value].name")
    base = alt.Chart().encode(alt.Y("elsewhere:N", title=None, sort=order, axis=label))
    fill = alt.condition(ALIKE, alt.value(BLUE), alt.value(GREY))
    value = alt.X("value:Q", title=None, scale=alt.Scale(domain=WHOLE))
    bars = base.mark_bar().encode(value, color=fill, tooltip=TOOLTIP)
    lines = base.mark_rule(color="#777777").encode(alt.X("low:Q"), alt.X2("high:Q"))
    ticks = base.mark_tick(color=ORANGE, thickness=3).encode(alt.X("paper:Q"))
    size = {"width": "container", "height": alt.Step(STEP + 2), "autosize": "fit-x"}
    chart = _pairs(bars + lines + ticks).properties(**size)
    elsewhere = "side == 'train' ? datum.evaluate : datum.train"
    held = "datum[side] == (side == 'train' ? train : evaluate)"
    return chart.transform_calculate(elsewhere=elsewhere, **of).transform_filter(held)


def _scatter() -> alt.Chart:
    """Two measures of pairs of different languages, a point a pair."""
    chart = _pairs(alt.Chart()).transform_calculate(x=OTHER)
    chart = chart.transform_filter("isValid(datum.x) && datum.train != datum.evaluate")
    points = chart.mark_point(filled=True, opacity=0.6, strokeWidth=3)
    return points.properties(width="container", height=360).encode(
        alt.X("x:Q", title=None, scale=alt.Scale(zero=False)),
        alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.condition(ALIKE, alt.value(BLUE), alt.value(ORANGE)),
        shape=alt.condition(ALIKE, alt.value("circle"), alt.value("triangle-up")),
        size=alt.condition(CHOSEN, alt.value(250), alt.value(30)),
        stroke=MARKED,
        tooltip=[*TOOLTIP, alt.Tooltip("x:Q", title="other", format=".1f")],
    )


def page(found: Mapping[str, Measure], edition: Edition) -> str:
    """The page's HTML with its data, for a chapter in ``book/beyond``; it loads `SCRIPTS`."""
    pairs, titles = table(found), {name: measure.title for name, measure in found.items()}
    known = about(dict.fromkeys([*pairs.train, *pairs.evaluate]))
    names = pd.Series({code: one["name"] for code, one in known.items()}).sort_values().to_dict()
    menus = {"measure": ("Show", titles), "by": ("sorted by", GROUPS | {"score": "score"})}
    menus |= {"train": ("Fine-tuned on", names), "evaluate": ("evaluated on", names)}
    menus |= {"side": ("As bars", SIDES), "other": ("Against", dict(reversed(titles.items())))}
    chosen = {name: next(iter(options), "") for name, (_, options) in menus.items()}
    data = {"charts": charts(found, known, chosen), "edition": edition.name}
    data["columns"] = json.loads(pairs.round(2).to_json(orient="split", index=False))
    data["measures"] = {name: measure.task for name, measure in found.items()}
    held = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    scripts = "".join(f'<script defer src="../_static/{name}"></script>' for name in SCRIPTS)
    shown = {name: _menu(name, *menu) for name, menu in menus.items()}
    frame = (languages.DATA / "explore.html").read_text("utf-8")
    return frame.format(**shown, data=held, scripts=scripts)


def _menu(name: str, title: str, options: Mapping[str, str]) -> str:
    option = '<option value="{}">{}</option>'
    listed = (option.format(*map(escape, each)) for each in options.items())
    return f'<label>{title} <select name="{name}">{"".join(listed)}</select></label>'
