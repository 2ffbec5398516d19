"""Named entities: CoNLL-2002 and CoNLL-2003, and open substitutes for what is not public (paper, section 2).

English, Dutch and Spanish come from the parquet conversions of the CoNLL corpora on the hub. German
CoNLL-2003 is licensed text: whoever has it names its folder. The in-house corpus in 16 languages behind
Figure 1 was never released: WikiANN stands for it, or the user's own files under ``ner16/``. What stands for
what is said by `described`, and a substitute is never taken without being named there. Files of the data
folder are taken first:

    conll2002/{esp,ned}.{train,testa,testb}
    conll2003/{eng,deu}.{train,testa,testb}
    ner16/<language>.<split>.conll
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet
from datasets import Dataset, Features
from huggingface_hub import HfApi, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError

from crosslingual import languages
from crosslingual.corpora import conll
from crosslingual.corpora.download import Download, DownloadError
from crosslingual.corpora.text import CorpusError, CorpusUnavailable, labelled_corpus
from crosslingual.hub import FAILURES, PATIENCE
from crosslingual.languages import CONLL_LANGUAGES, NER16_LANGUAGES

VERSION = 1  # raise when the same files give other sentences or tags
SPLITS = {
    "train": ("train", "train"),
    "dev": ("testa", "validation"),
    "test": ("testb", "test"),
}  # CoNLL's name, the hub's
CONLL = {"en": "conll2003/eng", "de": "conll2003/deu", "es": "conll2002/esp", "nl": "conll2002/ned"}
# The German of 2003 calls words that are made from names MISC ("Frankfurter", "SPD-Spitze"); the revision of
# 2006 took many of these tags away. So the share of MISC among all entities tells them apart. The border is
# ours: the licensed files could not be counted here.
MISC_SHARE = 0.15
CASED_SCRIPTS = ["Latn", "Cyrl", "Grek"]
_log = logging.getLogger(__name__)


class Hub(NamedTuple):
    """A corpus on the hub: repository, revision, files, and what is known of it without fetching it.

    A revision that is a branch was not to be had as a commit here; its content is checked by counts
    (`_check_counts`).
    """

    corpus: str
    repository: str
    revision: str
    path: str
    licence: str
    annotation: str
    types: str

    def file(self, language: str, split: str) -> str:
        return self.path.format(language=language, split=SPLITS[split][1])


GOLD = "gold (by hand)"
IN_HOUSE = "the in-house corpus in 16 languages"
CONVERSION = "refs/convert/parquet"
RESEARCH = "for research; the hub states no licence"
CONLL_2002 = Hub(
    "CoNLL-2002",
    "eriktks/conll2002",
    CONVERSION,
    "{language}/{split}/0000.parquet",
    RESEARCH,
    GOLD,
    "PER LOC ORG MISC",
)
CONLL_2003 = Hub(
    "CoNLL-2003",
    "eriktks/conll2003",
    CONVERSION,
    "conll2003/{split}/0000.parquet",
    "text of Reuters, for research; the hub states no licence",
    GOLD,
    "PER LOC ORG MISC",
)
WIKIANN = Hub(
    "WikiANN",
    "unimelb-nlp/wikiann",
    "f89f2fe2694613baf6bb62e7393290846127adbf",
    "{language}/{split}/0000.parquet",
    "the hub states no licence; text of Wikipedia",
    "silver (by machine, from Wikipedia's links)",
    "PER LOC ORG",
)
ON_THE_HUB = {"en": CONLL_2003, "es": CONLL_2002, "nl": CONLL_2002}


class Place(NamedTuple):
    """Where a language's corpus comes from: a pattern of local files with {split}, or a corpus on the hub."""

    corpus: str
    substitute: bool
    local: str | None = None
    hub: Hub | None = None

    def path(self, split: str) -> Path:
        name = split if self.local.endswith(".conll") else SPLITS[split][0]
        return Path(self.local.format(split=name))


def labelled(
    language: str,
    split: str,
    root: Path | None = None,
    german: str | Path | None = None,
    conll_languages: Sequence[str] = CONLL_LANGUAGES,
) -> Dataset:
    """A corpus with IOB2 tags; downloaded on first use.

    ``root`` is the data folder; ``german`` the folder with deu.train, deu.testa and deu.testb;
    ``conll_languages`` those that CoNLL's corpora stand for, where others (as in Figure 1's 16) have the
    in-house corpus's substitute. Raises CorpusUnavailable (what is missing, how to get it) and CorpusError (a
    broken file).
    """
    place = find(language, root, german, conll_languages)
    if place.hub:
        corpus = read_parquet(_fetch(place.hub, language, split))
        _check_counts(place.hub, language, split, corpus)
        return corpus
    path = _existing(place, split)
    return conll.read(path, encoding(path))


def find(
    language: str,
    root: Path | None = None,
    german: str | Path | None = None,
    conll_languages: Sequence[str] = CONLL_LANGUAGES,
) -> Place:
    """Where a corpus comes from: all of its splits from the same place. Raises CorpusUnavailable."""
    if language not in {*CONLL, *NER16_LANGUAGES}:
        raise CorpusUnavailable(
            f"there is no entity corpus of {languages.name(language)}: put one into ner16/{language}.train.conll "
            f"and .test.conll of the data folder and name it under `files` in the edition's corpora."
        )
    official, own = language in conll_languages, f"ner16/{language}.{{split}}.conll"
    if official and language == "de" and german:
        return Place("CoNLL-2003", False, f"{Path(german).expanduser()}/deu.{{split}}")
    if official and _any(root, pattern := CONLL[language] + ".{split}"):
        return Place(official_name(language), False, f"{root}/{pattern}")
    if official and language in ON_THE_HUB:
        return Place(official_name(language), False, hub=ON_THE_HUB[language])
    if _any(root, own):
        return Place("a file of your own", True, f"{root}/{own}")
    return Place(WIKIANN.corpus, True, hub=WIKIANN)


def fingerprint(language: str, split: str, **settings) -> str:
    """What the corpus depends on: this module's version, and the file's bytes or its pinned commit."""
    place = find(language, **settings)
    pinned = place.hub and place.hub.revision != CONVERSION
    if pinned:
        content = f"{place.hub.repository}@{place.hub.revision}/{place.hub.file(language, split)}".encode()
    else:
        path = _fetch(place.hub, language, split) if place.hub else _existing(place, split)
        content = path.read_bytes()
    return blake2b(f"{VERSION} {language} {split} ".encode() + content, digest_size=16).hexdigest()


def downloads(language: str, split: str, **settings) -> list[Download]:
    """What would be fetched from the hub for a corpus, sizes unknown; empty where it is at hand."""
    hub = find(language, **settings).hub
    if hub is None or _cached(hub, language, split):
        return []
    name, url = (
        hub.file(language, split),
        hf_hub_url(hub.repository, hub.file(language, split), repo_type="dataset", revision=hub.revision),
    )
    return [
        Download(
            f"{hub.corpus} {languages.name(language)} {split}",
            url,
            f"hub/{hub.repository}/{name}",
            licence=hub.licence,
        )
    ]


def described(codes: Sequence[str] | None = None, **settings) -> pd.DataFrame:
    """What stands for each language, for pages that say so; nothing is downloaded.

    Index language; columns stands_for, corpus, substitute (bool), annotation, types, case, at_hand (bool),
    note. ``settings`` as of `labelled`. Types and case are measured on the test split where it is at hand.
    """
    codes = codes or [*CONLL_LANGUAGES, *(code for code in NER16_LANGUAGES if code not in CONLL_LANGUAGES)]
    rows = [_description(code, settings) for code in codes]
    return pd.DataFrame(rows, index=pd.Index(codes, name="language"))


def substitutes(**settings) -> dict[str, str]:
    """{language: corpus} of the CoNLL languages for which another corpus stands; nothing is read. ``settings`` as of `labelled`."""
    places = {code: find(code, **settings) for code in CONLL_LANGUAGES}
    return {code: place.corpus for code, place in places.items() if place.substitute}


def read_parquet(path: str | Path) -> Dataset:
    """A labelled corpus from the hub's parquet form: ``tokens``, and ``ner_tags`` whose names are in the
    file's schema.

    Sentences without a word, with which the conversions end, are left out. Raises CorpusError.
    """
    try:
        table = pyarrow.parquet.read_table(path, columns=["tokens", "ner_tags"])
        names = Features.from_arrow_schema(table.schema)["ner_tags"].feature.names
    except (pyarrow.ArrowException, AttributeError, KeyError, TypeError) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        raise CorpusError(
            path,
            1,
            f"this is no parquet file with tokens and named ner_tags ({reason})",
            "delete it, so that it is fetched again",
        ) from None
    rows = [row for row in zip(table["tokens"].to_pylist(), table["ner_tags"].to_pylist()) if row[0]]
    if any(len(tokens) != len(tags) for tokens, tags in rows):
        raise CorpusError(
            path, 1, "a sentence has more or fewer tags than tokens", "delete it, so that it is fetched again"
        )
    return labelled_corpus(
        [tokens for tokens, _ in rows], [conll.iob2([names[tag] for tag in tags]) for _, tags in rows]
    )


def encoding(path: Path) -> str:
    """ "utf-8" if the file's bytes are valid UTF-8, else "latin-1", in which the task distributed German.

    Latin-1's umlauts before a plain letter are never valid UTF-8, so a German text of more than a few words
    is told safely.
    """
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def german_revision(corpus: Dataset) -> tuple[str, float]:
    """("2003" or "2006", share of MISC among the entities) of a German CoNLL-2003 file, by the rule at
    MISC_SHARE.

    The paper's German scores are in the range of the annotation of 2003.
    """
    counts = entity_counts(corpus)
    share = counts["MISC"] / max(1, counts.total())
    return ("2003" if share >= MISC_SHARE else "2006"), share


def entity_counts(corpus: Dataset) -> Counter:
    """Number of entities by type."""
    return Counter(tag[2:] for tags in corpus[:]["labels"] for tag in tags if tag.startswith("B-"))


def case(corpus: Dataset, script: str) -> str:
    """By the script "cased" or "none"; "lower-cased" where 20 words could begin with a capital and none does."""
    initials = [
        token[:1]
        for tokens in corpus[:]["tokens"]
        for token in tokens
        if token[:1].lower() != token[:1].upper()
    ]
    if len(initials) >= 20 and not any(map(str.isupper, initials)):
        return "lower-cased"
    return "cased" if script in CASED_SCRIPTS else "none"


def _any(root: Path | None, pattern: str) -> bool:
    names = [*SPLITS, *(name for name, _ in SPLITS.values())]
    return root is not None and any((Path(root) / pattern.format(split=name)).is_file() for name in names)


def official_name(language: str) -> str:
    """The CoNLL corpus of one of the four languages of Table 1."""
    return "CoNLL-2003" if CONLL[language].startswith("conll2003") else "CoNLL-2002"


def _existing(place: Place, split: str) -> Path:
    path = place.path(split)
    if not path.is_file():
        raise CorpusUnavailable(
            f"{path} is missing: put the {split} split there, beside the corpus's other files."
        )
    return path


def _cached(hub: Hub, language: str, split: str) -> Path | None:
    found = try_to_load_from_cache(
        hub.repository, hub.file(language, split), revision=hub.revision, repo_type="dataset"
    )
    return Path(found) if isinstance(found, str) else None


def _fetch(hub: Hub, language: str, split: str) -> Path:
    """The file from the hub library's cache, or downloaded into it; that library resumes and verifies."""
    name = hub.file(language, split)
    if found := _cached(hub, language, split):
        return found
    try:
        if problem := _unreachable(hub.repository, hub.revision, time.monotonic() // PATIENCE):
            raise problem
        return Path(hf_hub_download(hub.repository, name, repo_type="dataset", revision=hub.revision))
    except FAILURES as problem:
        command = f"hf download {hub.repository} {name} --repo-type dataset --revision {hub.revision}"
        raise DownloadError(
            f"{hub.corpus} {languages.name(language)} ({split}) {_reason(problem)}: fetch it where there is a "
            f"network, with `{command}`, and copy that cache here, or put "
            f"{_place_by_hand(hub, language, split)} into the data folder."
        ) from problem


@cache
def _unreachable(repository: str, revision: str, period: float) -> Exception | None:
    """Why the hub cannot be asked; once in a period, as a download tries a dead network for half a minute."""
    try:
        HfApi().dataset_info(repository, revision=revision, timeout=PATIENCE / 4)
    except FAILURES as problem:
        return problem
    return None


def _reason(problem: Exception) -> str:
    if isinstance(problem, RevisionNotFoundError):
        return "is not on the hub at its pinned revision"
    if isinstance(problem, EntryNotFoundError) and not isinstance(problem, FileNotFoundError):
        return "is not on the hub under its pinned name"
    detail = str(problem.__cause__ or problem).strip().splitlines() or [type(problem).__name__]
    return f"could not be fetched ({detail[0].rstrip('.')[:200]})"


def _place_by_hand(hub: Hub, language: str, split: str) -> str:
    return f"ner16/{language}.{split}.conll" if hub is WIKIANN else f"{CONLL[language]}.{SPLITS[split][0]}"


def _check_counts(hub: Hub, language: str, split: str, corpus: Dataset) -> None:
    """Warn where a corpus whose revision is no commit has other numbers of entities than the task gave out."""
    known = pd.read_csv(languages.DATA / "conll_counts.csv").set_index(["language", "split"])
    if hub.revision != CONVERSION or (language, split) not in known.index:
        return
    due, found = known.loc[language, split], entity_counts(corpus)
    if differing := [
        f"{found[kind]} {kind} for {due[kind]}" for kind in conll.ENTITY_TYPES if found[kind] != due[kind]
    ]:
        _log.warning(
            "The hub's %s %s (%s) is not what the shared task gave out: %s; scores do not compare.",
            hub.corpus,
            languages.name(language),
            split,
            ", ".join(differing),
        )


def _description(language: str, settings: dict) -> dict:
    place = find(language, **settings)
    official = language in settings.get("conll_languages", CONLL_LANGUAGES)
    needed = official_name(language) if official else IN_HOUSE
    known = (
        {"annotation": place.hub.annotation, "types": place.hub.types}
        if place.hub
        else {"annotation": "as its maker says" if place.substitute else GOLD, "types": "unknown until read"}
    )
    return dict(
        stands_for=needed,
        corpus=place.corpus,
        substitute=place.substitute,
        **known,
        case="unknown until read",
        at_hand=False,
        note="",
    ) | _measured(place, language, settings)


def _measured(place: Place, language: str, settings: dict) -> dict:
    """What the test split itself says, if it is at hand."""
    if not (_cached(place.hub, language, "test") if place.hub else place.path("test").is_file()):
        return {}
    corpus = labelled(language, "test", **settings)
    counts = entity_counts(corpus)
    types = " ".join(kind for kind in conll.ENTITY_TYPES if counts[kind])
    return dict(
        types=types,
        case=case(corpus, languages.script(language)),
        at_hand=True,
        note=_note(place, language, corpus),
    )


def _note(place: Place, language: str, corpus: Dataset) -> str:
    if place.local and place.local.endswith("deu.{split}"):
        revision, share = german_revision(corpus)
        found = encoding(place.path("test"))
        return f"annotation of {revision}: {share:.0%} of the entities are MISC; read as {found}"
    summary = Path(place.local).parent / "SUMMARY.tsv" if place.local and place.substitute else None
    if summary and summary.is_file():
        rows = pd.read_csv(summary, sep="\t").set_index("language")
        return str(rows.source.get(language, ""))
    return ""
