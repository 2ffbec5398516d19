"""How much there is of each corpus, kept like any result: it can then be said where the corpus itself is absent."""

from crosslingual import corpora
from crosslingual.editions import Edition
from crosslingual.store import Store, default

VERSION = 1  # bump when `corpora.statistics` counts otherwise


def statistics(edition: Edition, task: str, language: str, split: str, store: Store | None = None) -> dict[str, int]:
    """``corpora.statistics`` of a corpus, from the store or counted now and kept there.

    Raises CorpusUnavailable where there is neither a kept result nor the corpus.
    """
    store = store or default(edition)
    parts = {"version": VERSION, "corpus": edition.corpus_digest(task, language, split)}
    return store.memo("statistics", parts, lambda: corpora.statistics(edition.corpus(task, language, split)))
