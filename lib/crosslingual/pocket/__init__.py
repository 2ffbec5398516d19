"""The pocket world: comparable corpora in artificial languages that share one distribution of meanings.

    meaning   what is said: topics, concepts, clauses, names          (the same for every language)
    scripts   how sounds are written in each Unicode script
    lexicon   how a language names the concepts: families, sound change, loans, inflection, homographs
    grammar   how a language orders a clause: WALS 81A and 85A-89A
    world     parameters -> corpora: labelled, parallel, code-switched, raw
"""

from crosslingual.pocket.world import World, WorldParameters

__all__ = ["World", "WorldParameters"]
