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

AS_IT_IS, LOSS = "as it is", "masked loss"
MARGIN = 2.0  # points: an interval within them is "no difference"
PAIRS = ["one order", "two orders"]
COLUMNS = [(measure, pairs) for measure in (ZERO_SHOT, RETRIEVAL) for pairs in PAIRS]
# What K et al. (2020) and Dufter and Schütze (2020) lead one to expect.
EXPECTED = {"apart": "no difference", "one layer": "lowers", "one order": "raises"}
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
    it is at the (interpolated) step at which that had the same.
    """
    table = outcomes(frame)
    last, curves = table.loc[table.index[-1][0]], table.xs(AS_IT_IS, level="world")
    if not equal:
        return last - last.loc[AS_IT_IS].reindex(last.index, level="seed")
    rows = {}
    for world, seed in last.index.drop(AS_IT_IS):
        curve = curves.xs(seed, level="seed").sort_values((equal, ""))
        skill = last.loc[(world, seed), (equal, "")]
        rows[world, seed] = {c: np.interp(skill, curve[equal, ""], curve[c]) for c in table}
    return last.drop(AS_IT_IS) - pd.DataFrame(rows).T


def estimate(values: pd.Series) -> Estimate:
    """Mean over seeds with its t interval."""
    return Estimate(float(np.mean(values)), *t_interval(values))


def verdict(effect: Estimate) -> str:
    """ "lowers", "raises", "no difference" or "undecided"."""
    if effect.low > 0 or effect.high < 0:
        return "raises" if effect.low > 0 else "lowers"
    return "no difference" if -MARGIN < effect.low <= effect.high < MARGIN else "undecided"


def effect_figure(frame: pd.DataFrame, edition: Edition) -> show.Figure:
    """Effects on zero-shot tagging, a row a world: at equal steps and at equal skill."""
    if frame.empty:
        return show.absent("effects", edition, frame)
    sides = [effects(frame).drop(AS_IT_IS), effects(frame, IN_LANGUAGE)]
    order = sides[0][ZERO_SHOT].mean(axis=1).groupby("world").mean().sort_values().index
    drawing, panels = show.canvas(1.2 + 0.3 * len(order), columns=2)
    for panel, pairs in zip(panels, PAIRS, strict=True):
        for side, up, colour in zip(sides, (0.15, -0.15), show.CYCLE, strict=False):
            found = [estimate(side.loc[world, (ZERO_SHOT, pairs)]) for world in order]
            value, low, high = np.array([each[:3] for each in found]).T
            look = {"fmt": "o", "color": colour, "markersize": 5, "mfc": colour if up > 0 else "w"}
            panel.errorbar(
                value, np.arange(len(order)) + up, xerr=[value - low, high - value], **look
            )
        panel.axvline(0, color="#444444", linewidth=1)
        panel.set_title(f"pairs of {pairs}", loc="left", fontsize=10)
    panels[0].set_yticks(range(len(order)), order, fontsize=9)
    drawing.supxlabel("points against the world as it is", fontsize=10)
    read = f"Lowest: {order[0]}; highest: {order[-1]}."
    about = "Effects on zero-shot tagging, mean and 95% interval over seeds of pre-training; "
    about += f"● at equal steps, ○ at equal accuracy within a language. {read}"
    alt = f"Dot plot, a row a world. {read}"
    return show.figure(drawing, "effects", about, alt, edition, frame)


def effect_table(frame: pd.DataFrame, edition: Edition, equal: str = "") -> show.Table:
    """The world as it is, and what each other world changes (see `effects`), with intervals."""
    columns, rows = [*COLUMNS, (IN_LANGUAGE, ""), (LOSS, "")], []
    if len(frame):
        table, change = outcomes(frame), effects(frame, equal)
        last = table.loc[table.index[-1][0]].loc[AS_IT_IS].mean()
        rows.append(
            [f"**{AS_IT_IS}**", *(f"**{show.number(last[column])}**" for column in columns)]
        )
        for world, of in change.drop(AS_IT_IS, errors="ignore").groupby("world", sort=False):
            rows.append([world, *(told(estimate(of[column])) for column in columns)])
    about = "The world as it is in percent, of others the difference to it in points"
    about += f", at equal {equal}" * bool(equal)
    header = ["world", *(", ".join(filter(None, column)) for column in columns)]
    return show.table(about, f"effect-table{len(equal)}", header, rows, edition, frame)


def told(effect: Estimate) -> str:
    """ "−5.8 (−6.1 to −5.5)"."""
    return f"{show.signed(effect.value)} ({show.bounds(effect)})"


def reading(frame: pd.DataFrame) -> dict[str, str]:
    """Phrases: the guess, what is carried, the rival, interactions, what is left, earlier work."""
    if frame.empty:
        names = "seeds guess beside lost carried rival with_one with_mixed left depth width"
        return dict.fromkeys(names.split(), show.NOTHING)
    at_skill = effects(frame, IN_LANGUAGE).loc["apart"]
    ends = [estimate(at_skill[column]) for column in COLUMNS]
    guess = "supported" if all(end.high < 0 for end in ends) else "supported in part"
    guess = "contradicted" if all(end.low > -MARGIN for end in ends) else guess
    table, key = outcomes(frame)[ZERO_SHOT, PAIRS[1]], (ZERO_SHOT, PAIRS[1])
    way, change = table.loc[table.index[-1][0]] - table.loc[0], effects(frame)[key]
    apart = change["apart"]
    found = {
        "lost": apart,
        "carried": -100 * apart / way[AS_IT_IS],
        "rival": change["one order"] + apart,
        "with_one": change["apart, one order"] - change["one order"] - apart,
        "with_mixed": change["apart, mixed orders"] - change["mixed orders"] - apart,
        "left": way["nothing shared"],
        "depth": change["one layer"],
        "width": change["half width"],
    }
    phrases = {name: told(estimate(values)) for name, values in found.items()}
    return phrases | {"guess": guess, "seeds": str(len(apart)), "beside": _beside(change)}


def _beside(change: pd.Series) -> str:
    """Of what earlier work leads one to expect: what is seen here too, and what is not."""
    seen = {world: verdict(estimate(change[world])) for world in EXPECTED}
    alike = [f"{world} {how}" for world, how in seen.items() if how == EXPECTED[world]]
    other = [f"{world} ({how})" for world, how in seen.items() if how != EXPECTED[world]]
    return f"Seen here too: {show.listing(alike)}; otherwise here: {show.listing(other)}."
