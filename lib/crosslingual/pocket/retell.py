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
        told = _tell(world, codes, attempt)
        if all(words[0] <= len(tokens) <= words[1] for tokens in told.values()):
            return told
    raise AssertionError("unreachable: attempts do not end")


def reordered(first: World, second: World, code: str, seed: int = 0) -> tuple[list[Token], list[Token]]:
    """The first meaning, from ``seed`` on, that two worlds say in the same words, though not all in the same place.

    In each of them; of six to nine words. The worlds have the same words, and orders that differ for this language.
    """
    for attempt in count(seed):
        one, other = (_tell(world, [code], attempt)[code] for world in (first, second))
        forms = [[token.form for token in tokens] for tokens in (one, other)]
        moved = sum(a != b for a, b in zip(*forms, strict=False))
        if 6 <= len(one) <= 9 and moved >= 3 and sorted(forms[0]) == sorted(forms[1]):
            return one, other
    raise AssertionError("unreachable: attempts do not end")


def _tell(world: World, codes: list[str], attempt: int) -> dict[str, list[Token]]:
    rng = Random(f"{world.p.seed}/retell/{attempt}")
    meaning = world.meanings.sample(rng, PLAIN, world.language(codes[0]).branch)
    return {code: world.speaker(code, Random(attempt)).sentence(meaning) for code in codes}
