"""One meaning told in many languages, to look at; corpora never share a meaning but for parallel text."""

from itertools import count
from random import Random
from typing import TYPE_CHECKING

from crosslingual.pocket.grammar import Token
from crosslingual.pocket.world import PLAIN, World

if TYPE_CHECKING:
    from crosslingual.editions import Edition


def world_of(edition: "Edition") -> World:
    """The edition's artificial world; for an edition of real corpora the default one."""
    return getattr(edition.source, "world", None) or World()


def one_meaning(world: World, codes: list[str], seed: int = 0, words: tuple[int, int] = (6, 9)) -> dict[str, list[Token]]:
    """The first meaning, from ``seed`` on, that takes between ``words`` tokens in every language, in each of them."""
    for attempt in count(seed):
        rng = Random(f"{world.p.seed}/retell/{attempt}")
        meaning = world.meanings.sample(rng, PLAIN, world.language(codes[0]).branch)
        told = {code: world.speaker(code, Random(attempt)).sentence(meaning) for code in codes}
        if all(words[0] <= len(tokens) <= words[1] for tokens in told.values()):
            return told
    raise AssertionError("unreachable: attempts do not end")
