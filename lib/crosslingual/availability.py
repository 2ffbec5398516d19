"""What of the paper's material an edition has at hand, what stands in for the rest, and what the paper leaves open."""

from functools import cache

import pandas as pd

from crosslingual import corpora, languages
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import USUAL_ENCODERS, Edition, read_yaml
from crosslingual.encoders import EncoderUnavailable


@cache
def substitutes() -> pd.DataFrame:
    """What of the paper cannot be had: resource, needed_for, why, and what stands in for it in each edition."""
    return pd.read_csv(languages.DATA / "substitutes.csv", keep_default_na=False)


@cache
def unstated() -> pd.DataFrame:
    """What the paper does not say and a reproduction has to decide: question, choice, reason, setting of an edition."""
    return pd.read_csv(languages.DATA / "unstated.csv", keep_default_na=False)


def entity_corpora(edition: Edition) -> pd.DataFrame:
    """What stands for each language's entities: language, stands_for, corpus, annotation and, of released corpora, more.

    As the edition says itself, or its settings for released corpora do, else with the usual ones (which have types, case
    and note besides); nothing is downloaded.
    """
    from crosslingual.corpora import entities  # here, as no other question needs a reader of parquet

    told = edition.document.get("substitutes")
    table = _told(edition, told) if told else getattr(edition.source, "entity_table", entities.described)()
    table.insert(0, "language", [languages.name(code) for code in table.index])
    corpus = table.corpus.where(~table.substitute, table.corpus + " (substitute)")
    columns = ["language", "stands_for", "corpus", "annotation", "types", "case", "note"]
    return table.assign(corpus=corpus)[[column for column in columns if column in table]].replace("", "–")


def _told(edition: Edition, told: dict[str, dict[str, str]]) -> pd.DataFrame:
    """What an edition says of its own files: index language; stands_for, corpus, substitute, annotation."""
    from crosslingual.corpora import entities

    codes = dict.fromkeys([*languages.CONLL_LANGUAGES, *edition.languages("ner")])
    wanted = {code: entities.official_name(code) for code in languages.CONLL_LANGUAGES}
    rows = {code: {"stands_for": wanted.get(code, entities.IN_HOUSE), "corpus": wanted.get(code), "substitute": code in told,
                   "annotation": entities.GOLD} | told.get(code, {}) for code in codes}  # fmt: skip
    return pd.DataFrame.from_dict(rows, "index")


def substituted(edition: Edition, task: str = "ner") -> dict[str, str]:
    """{language: corpus} of those of the CoNLL languages (Tables 1, 3, 7) whose corpus is not the paper's.

    Artificial languages are no substitutes; they are never held against the paper's values anyway.
    """
    if task != "ner" or edition.artificial:
        return {}
    if told := edition.document.get("substitutes"):
        return {code: told[code]["corpus"] for code in languages.CONLL_LANGUAGES if code in told}
    return edition.source.substitutes() if hasattr(edition.source, "substitutes") else {}


def at_hand(edition: Edition, task: str) -> list[str]:
    """Those of a task's languages, or corpora, that have a training and a test split at hand."""
    return [code for code in edition.languages(task) if not missing(edition, task, code)]


def missing(edition: Edition, task: str, language: str) -> str:
    """What is missing of a corpus and how to get it; empty if nothing is."""
    wanted = [("train", edition.languages(task)), ("test", edition.evaluation_languages(task))]
    try:
        for split in [split for split, names in wanted if language in names] or ["train", "test"]:
            edition.corpus(task, language, split)
    except CorpusUnavailable as problem:
        return str(problem)
    return ""


def speaking(edition: Edition, task: str = "pos", code: str = "en") -> Edition:
    """The edition to show sentences of: itself, or an artificial one beside it where its own text is not at hand.

    ``task`` may be "parallel", for the first of its pairs.
    """
    pairs = edition.pairs[:1]
    absent = any(_missing_pair(edition, pair) for pair in pairs) if task == "parallel" else missing(edition, task, code)
    if not absent:
        return edition
    return next((Edition.load(other.path) for other in edition.companions if other.artificial), edition)


def missing_encoder(edition: Edition, name: str) -> str:
    """What is missing of an encoder and how to get it; empty if nothing is."""
    try:
        edition.encoder(name).digest  # noqa: B018 - raises if there are no weights
    except EncoderUnavailable as problem:
        return str(problem)
    return ""


def encoders(edition: Edition) -> list[str]:
    """Names of the edition's encoders that are at hand."""
    return [name for name in edition.encoders if not missing_encoder(edition, name)]


def specification(edition: Edition, name: str) -> dict:
    """What an encoder was pre-trained on and how: as the edition says it or NAME.yml beside the folder does; {} if none does."""
    entry = edition.document["encoders"].get(name)
    if edition.pretrains(name):
        return entry["pretrain"]
    path = edition.resolve(entry + ".yml") if isinstance(entry, str) else None
    return read_yaml(path)[0] if path and path.is_file() else {}


def unread(edition: Edition, name: str = "m-bert", task: str = "pos") -> list[str] | None:
    """The languages of a task that an encoder never read in pre-training, or None where its text is not known.

    It is known of encoders that the edition pre-trains, and of those with the specification, NAME.yml, beside their folder.
    """
    known = specification(edition, name)
    if not known:
        return None
    read = known.get("languages", edition.languages(task))
    return [code for code in edition.languages(task) if code not in read]


def survey(edition: Edition) -> pd.DataFrame:
    """One row per task, for parallel text and encoders: at_hand and wanted (numbers), missing (names), why (first reason)."""
    rows = []
    for task in corpora.TASKS:
        reasons = {code: missing(edition, task, code) for code in edition.languages(task)}
        rows.append(_row(task, reasons))
    rows.append(_row("parallel", {"-".join(pair): _missing_pair(edition, pair) for pair in edition.pairs}))
    names = dict.fromkeys([*USUAL_ENCODERS, *edition.encoders])
    rows.append(_row("encoders", {name: missing_encoder(edition, name) for name in names}))
    return pd.DataFrame(rows)


def nothing(edition: Edition, task: str) -> pd.DataFrame:
    """An empty frame that says, in the way of results, why an edition has no corpus of a task at hand."""
    frame = pd.DataFrame()
    frame.attrs["unavailable"] = survey(edition).set_index("task").why[task]
    return frame


def _row(task: str, reasons: dict[str, str]) -> dict:
    lacking = {code: reason for code, reason in reasons.items() if reason}
    return {"task": task, "at_hand": len(reasons) - len(lacking), "wanted": len(reasons),
            "missing": list(lacking), "why": next(iter(lacking.values()), "")}  # fmt: skip


def _missing_pair(edition: Edition, pair: tuple[str, str]) -> str:
    try:
        edition.parallel(*pair)
    except CorpusUnavailable as problem:
        return str(problem)
    return ""
