"""What makes an encoder multilingual? Worlds that differ in one respect, and what that changes.

``frame`` is always one of `experiments.interventions`. What is computed here was decided before the
first frozen run: ``book/recorded/pocket/made_by/README.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crosslingual import show
from crosslingual.chapters.beyond import IN_LANGUAGE, RETRIEVAL, ZERO_SHOT
from crosslingual.languages import order_group
from crosslingual.stats import Estimate, t_interval

if TYPE_CHECKING:
    from crosslingual.edition import Edition

AS_IT_IS, LOSS, MAJORITY = "as it is", "masked loss", "majority class"
SCRIPT, ANCHORS, WORDS = "one script", "one script, anchors only", "one script, words only"
WORLDS = ["apart", "one order", "apart, one order", "mixed orders", "apart, mixed orders"]
WORLDS += [SCRIPT, ANCHORS, WORDS, "own positions", "nothing shared", "one layer", "half width"]
# What `reading` says: of pairs of one order and of two (``lost_one``, ``lost_two``), and of both.
LEVELS = ["level", "bare", "carried", "copied"]
NAMES = [*LEVELS, "missed", "lost", "rival", "with_one", "with_mixed", "words", "met"]
NAMES += ["mixed", "anchors", "left", "gained", "depth", "deep", "width", "placed"]
OTHERS = ["guess", "below", "carry", "majority", "seeds", "sure", "sure_at_skill", "beside"]
NO_DIFFERENCE = "no difference"
UNSETTLED = "neither supported nor contradicted"  # "in part", as the design had it
MARGIN = 2.0  # points: an interval within them is "no difference"
PAIRS = ["one order", "two orders"]
COLUMNS = [(measure, pairs) for measure in (ZERO_SHOT, RETRIEVAL) for pairs in PAIRS]
# What K et al. (2020) and Dufter and Schütze (2020) lead one to expect.
EXPECTED = {"apart": NO_DIFFERENCE, "one layer": "lowers", "one order": "raises"}
EXPECTED |= {"own positions": "lowers", "nothing shared": "lowers", "half width": "raises"}


def outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    """What each encoder (step, world, seed) reaches; columns (measure, pairs), means.

    Pairs are of one order or of two in the world as it is, and "" for measures within a language.
    """
    same = frame.source.map(order_group) == frame.target.map(order_group)
    pairs = np.where(frame.source == frame.target, "", np.where(same, *PAIRS))
    key = ["step", "world", "seed"]
    return frame.assign(pairs=pairs).pivot_table("score", key, ["measure", "pairs"])


def effects(frame: pd.DataFrame, equal: str = "") -> pd.DataFrame:
    """Each encoder at the last step minus that of its seed as the world is; as `outcomes`.

    equal: the measure that is held equal, IN_LANGUAGE or LOSS: each is compared with the world as
    it is at the (interpolated) step at which that had the same, the latest if there are several;
    with nothing, NaN, if it knows less than that ever did.
    """
    table = outcomes(frame)
    last, curves = table.loc[table.index[-1][0]], table.xs(AS_IT_IS, level="world")
    if not equal:
        return last - last.loc[AS_IT_IS].reindex(last.index, level="seed")
    rows, by, way = {}, (equal, ""), -1 if equal == LOSS else 1
    for world, seed in last.index.drop(AS_IT_IS):
        curve = _rise(curves.xs(seed, level="seed"), way * curves.xs(seed, level="seed")[by])
        skill, known = way * last.loc[(world, seed), by], way * curve[by]
        rows[world, seed] = {c: np.interp(skill, known, curve[c], left=np.nan) for c in table}
    return last.drop(AS_IT_IS) - pd.DataFrame(rows).T


def _rise(curve: pd.DataFrame, skill: pd.Series) -> pd.DataFrame:
    """The snapshots that all later ones surpass: the untrained tags better than the first steps."""
    ahead = skill[::-1].cummin().shift(fill_value=np.inf)[::-1]
    return curve[skill < ahead]


def estimate(values: pd.Series) -> Estimate:
    """Mean over seeds with its t interval."""
    return Estimate(float(np.mean(np.asarray(values))), *t_interval(values))


def verdict(effect: Estimate) -> str:
    """ "lowers", "raises", "no difference" or "undecided"."""
    if effect.low > 0 or effect.high < 0:
        return "raises" if effect.low > 0 else "lowers"
    return NO_DIFFERENCE if -MARGIN < effect.low <= effect.high < MARGIN else "undecided"


def sure(change: pd.DataFrame) -> dict[str, str]:
    """World: "raises" or "lowers", where both groups of a measure, or both measures, agree.

    Among so many intervals one in twenty excludes 0 by chance. ``change`` is one of `effects`.
    """
    found = {}
    for world, of in change.groupby("world", sort=False):
        seen = pd.Series({column: verdict(estimate(of[column])) for column in COLUMNS}).unstack()
        for way in ("lowers", "raises"):
            agree = seen == way
            if agree.all(axis=0).any() or agree.all(axis=1).any():
                found[world] = way
    return found


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Effects on zero-shot tagging: measure (what is equal), pair, world, value, low, high."""
    sides = {"at equal steps": effects(frame), "at equal skill": effects(frame, IN_LANGUAGE)}
    rows = [
        (side, pairs, world, *estimate(of[ZERO_SHOT, pairs])[:3])
        for side, change in sides.items()
        for world, of in change.drop(AS_IT_IS, errors="ignore").groupby("world")
        for pairs in PAIRS
    ]
    return pd.DataFrame(rows, columns=["measure", "pair", "world", "value", "low", "high"])


def effect_figure(frame: pd.DataFrame, edition: Edition) -> show.Figure:
    """Effects on zero-shot tagging, a row a world: at equal steps and at equal skill."""
    if frame.empty:
        return show.absent("effects", edition, frame)
    found = shown(frame)
    steps = found[found.measure == "at equal steps"]
    order = list(steps.groupby("world").value.mean().sort_values().index)
    drawing, panels = show.canvas(1.2 + 0.3 * len(order), columns=2)
    looks = dict(zip(found.measure.unique(), [(0.15, show.CYCLE[0]), (-0.15, "w")], strict=True))
    for (pairs, side), of in found.groupby(["pair", "measure"], sort=False):
        panel, (up, inside) = panels[PAIRS.index(pairs)], looks[side]
        height, reach = of.world.map(order.index) + up, [of.value - of.low, of.high - of.value]
        colour = show.CYCLE[inside == "w"]
        panel.errorbar(of.value, height, xerr=reach, fmt="o", ms=5, color=colour, mfc=inside)
        panel.set_title(f"pairs of {pairs}", loc="left", fontsize=10)
    for panel in panels:
        panel.axvline(0, color="#444444", linewidth=1)
    panels[0].set_yticks(range(len(order)), order, fontsize=9)
    drawing.supxlabel("points against the world as it is", fontsize=10)
    read = f"By the mean of both panels at equal steps, lowest: {order[0]}; highest: {order[-1]}."
    about = "Effects on zero-shot tagging, mean and 95% interval over seeds of pre-training; "
    about += f"● at equal steps, ○ at equal skill (accuracy within a language). {read}"
    alt = f"Dot plot, a row a world. {read}"
    return show.figure(drawing, "effects", about, alt, edition, frame, data=found)


def effect_table(frame: pd.DataFrame, edition: Edition, equal: str = "") -> show.Table:
    """The world as it is, and what each other world changes (see `effects`), with intervals."""
    columns, rows = [*COLUMNS, (IN_LANGUAGE, ""), (LOSS, "")], []
    digits = [1 + (measure == LOSS) for measure, _ in columns]
    if len(frame):
        table, change = outcomes(frame), effects(frame, equal).groupby("world")
        last = table.loc[table.index[-1][0]].loc[AS_IT_IS].mean()
        values = [show.number(last[column], n) for column, n in zip(columns, digits, strict=True)]
        rows.append([f"**{AS_IT_IS}**", *(f"**{value}**" for value in values)])
        worlds = [world for world in WORLDS if world in change.groups]
        if equal == LOSS:  # which is of the same text in those alone
            worlds = [world for world in worlds if "order" not in world and "script" not in world]
        for world in worlds:
            found = [estimate(change.get_group(world)[column]) for column in columns]
            rows.append([world.replace(", ", ",\n"), *map(_cell, found, digits)])
    about = "The world as it is (percent; of the loss nats), and what others change (points; below "
    about += "it, its 95% interval over seeds of pre-training)"
    about += f", at equal {equal}" * bool(equal)
    groups = [f"{what}\n{pairs}" for what in ("tagging", "retrieval") for pairs in PAIRS]
    header = ["world", *groups, "in-language", "loss"]
    name = f"effects-at-equal-{equal or 'steps'}".replace(" ", "-")
    return show.table(about, name, header, rows, edition, frame)


def _cell(effect: Estimate, decimals: int) -> str:
    ends = show.bounds(effect, decimals).replace(" to ", "\nto ")  # six columns fit a page so
    return f"{show.number(effect.value, decimals, '+')}\n{ends}"


def told(effect: Estimate, decimals: int = 1, sign: str = "+") -> str:
    """ "−5.8 (−6.1 to −5.5)"; "not available" of what was not trained."""
    if np.isnan(effect.value):
        return show.NOTHING
    return f"{show.number(effect.value, decimals, sign)} ({show.bounds(effect, decimals)})"


def contrasts(frame: pd.DataFrame, pairs: str) -> dict[str, pd.Series]:
    """What tagging (and retrieval) between such pairs says of each question, within seeds."""
    key, found, levels = (ZERO_SHOT, pairs), (RETRIEVAL, pairs), outcomes(frame)
    change, skilled, retrieved = (
        effects(frame, equal)[column].unstack("world").reindex(columns=WORLDS)
        for equal, column in [("", key), (IN_LANGUAGE, key), ("", found)]
    )
    first, last = (levels.loc[step, key].unstack("world") for step in (0, levels.index[-1][0]))
    gained, apart, one = last - first, change["apart"], change["one order"]
    return {
        "level": last[AS_IT_IS],
        "bare": last["nothing shared"],
        "carried": -100 * apart / gained[AS_IT_IS],  # percent
        "copied": levels.loc[(0, AS_IT_IS), found],
        "missed": retrieved["apart"],
        "lost": apart,
        "rival": one + apart,
        "with_one": change["apart, one order"] - one - apart,
        "mixed": change["mixed orders"],
        "with_mixed": change["apart, mixed orders"] - change["mixed orders"] - apart,
        "words": change[SCRIPT] - change[ANCHORS],
        "met": retrieved[SCRIPT] - retrieved[ANCHORS],
        "anchors": change[SCRIPT] - change[WORDS],
        "left": gained["nothing shared"],
        "gained": gained[AS_IT_IS],
        "depth": change["one layer"],
        "deep": skilled["one layer"],
        "width": change["half width"],
        "placed": change["own positions"],
    }


def reading(frame: pd.DataFrame) -> dict[str, str]:
    """Phrases: NAMES for pairs of one order and of two, and OTHERS."""
    if frame.empty:
        names = [f"{name}_{pairs[:3]}" for name in NAMES for pairs in PAIRS]
        return dict.fromkeys([*names, *OTHERS], show.NOTHING)
    found = {
        f"{name}_{pairs[:3]}": estimate(values)
        for pairs in PAIRS
        for name, values in contrasts(frame, pairs).items()
    }
    change, skilled = effects(frame), effects(frame, IN_LANGUAGE)
    ends = [estimate(skilled.loc["apart"][column]) for column in COLUMNS]
    guess = "supported" if all(end.high < 0 for end in ends) else UNSETTLED
    others = {
        "guess": "contradicted" if all(end.low > -MARGIN for end in ends) else guess,
        "below": show.share(end.high < 0 for end in ends),
        "carry": "may" if found["carried_one"].high >= 50 else "at most help to",
        "majority": show.number(outcomes(frame)[MAJORITY, ""].mean()),
        "seeds": str(len(change.loc["apart"])),
        "sure": _listed(sure(change)),
        "sure_at_skill": _listed(sure(skilled)),
        "beside": _beside(change[ZERO_SHOT]),
    }
    signs = {name: "+" * (name[:-4] not in LEVELS) for name in found}
    return {name: told(found[name], sign=signs[name]) for name in found} | others


def _listed(found: dict[str, str]) -> str:
    """ "raised by “one order” and lowered by “apart” and “one layer”"."""
    ways = {"raised": "raises", "lowered": "lowers"}
    by = {done: [world for world in found if found[world] == way] for done, way in ways.items()}
    told = [f"{way} by {show.quoted(worlds)}" for way, worlds in by.items() if worlds]
    return " and ".join(told) or "neither raised nor lowered by any"


def _beside(change: pd.DataFrame) -> str:
    """Of what earlier work leads one to expect: in how many groups of pairs it is seen."""
    seen: dict[int, list[str]] = {2: [], 1: [], 0: []}
    for world, of in change.groupby("world"):
        if expected := EXPECTED.get(world):
            groups = sum(verdict(estimate(of[pairs])) == expected for pairs in PAIRS)
            margin = f" (within {MARGIN:g} points)" * (expected == NO_DIFFERENCE)
            seen[groups].append(f"“{world}” {expected}{margin}")
    both, one, neither = map(show.listing, seen.values())
    return f"Seen here in both groups of pairs: {both}; in one: {one}; in neither: {neither}."
