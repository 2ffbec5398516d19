from dataclasses import replace
from types import SimpleNamespace

from crosslingual.pocket import World, WorldParameters, retell


def test_one_meaning_has_the_same_names_and_digits_in_one_script():
    world = World(WorldParameters(seed=3))
    told = retell.one_meaning(world, ["en", "de", "hi"], words=(4, 12))
    assert list(told) == ["en", "de", "hi"] and all(4 <= len(tokens) <= 12 for tokens in told.values())
    names = {code: sorted(t.entity for t in tokens if t.entity != "O") for code, tokens in told.items()}
    assert names["en"] == names["de"] == names["hi"]
    assert told == retell.one_meaning(world, ["en", "de", "hi"], words=(4, 12))


def test_a_counterfactual_order_moves_words_and_changes_none():
    world = World(WorldParameters(seed=3))
    other = World(replace(world.p, orders={"en": {"81A": "SOV", "85A": "Postpositions"}}))
    one, moved = retell.reordered(world, other, "en")
    assert [token.form for token in one] != [token.form for token in moved]
    assert sorted(token.form for token in one) == sorted(token.form for token in moved)
    verb = {name: [t.upos for t in told].index("VERB") for name, told in [("before", one), ("after", moved)]}
    assert verb["before"] < verb["after"]


def test_an_edition_of_real_corpora_shows_the_default_world():
    assert retell.world_of(SimpleNamespace(source=SimpleNamespace())).p == WorldParameters()
    own = World(WorldParameters(seed=5))
    assert retell.world_of(SimpleNamespace(source=SimpleNamespace(world=own))) is own
