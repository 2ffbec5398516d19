"""The pocket world: artificial languages that share one distribution of meanings.

meaning   what is said: topics, concepts, clauses, names          (the same for every language)
scripts   how sounds are written in each Unicode script
lexicon   how a language names the concepts: families, sound change, loans, inflection, homographs
grammar   how a language orders a clause: WALS 81A and 85A-89A
world     parameters -> sentences: labelled, parallel, code-switched, raw
"""

from pocketworld.grammar import Token, WorldError
from pocketworld.world import NEWS, PLAIN, Register, World, WorldParameters, text

__all__ = ["NEWS", "PLAIN", "Register", "Token", "World", "WorldError", "WorldParameters", "text"]
