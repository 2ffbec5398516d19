"""An edition: languages, corpora, encoders, fine-tuning recipe and seeds of the whole book in one YAML file.

Chapters ask the edition for a corpus or an encoder and never which edition it is. Keys of the file:

    title       one line, shown with every table and figure
    artificial  true where the languages are artificial, so that no difference to the paper's numbers is shown
    seeds       list of integers, or {task: list} for every task that the edition has; rows that tables print have them all,
                what only enters averages the first
    corpora     {source: pocket | folder | released, ...parameters of that source}
    encoders    {name: path or hub name, {hub: name, revision: commit} for one of a hub at a fixed revision, or
                {pretrain: {...}} for one pre-trained when first asked for}
    languages   {task: [codes]}; where a task is left out, all that the source has
    pairs       [[source, target], ...] for translation retrieval
    further_pairs  the same, for a table of their own and for readers to pick from
    recipe      fine-tuning hyper-parameters for all tasks; under a task's name, for that task only
    adjective_groups  {code: AN, NA or null (neither)} where a language's group in Table 5b is not to be WALS's
    substitutes {code: {corpus: name, annotation: by whom}} of entity corpora that stand in for the paper's
    digests     a YAML file of digests that stand in where a corpus, a parallel text or an encoder is not at hand
    beside      [names] of other editions whose kept results are shown next to this one's
    recompute   true where the book computes its own results though some are recorded with the repository: those then
                stand in for what cannot be computed, as its corpora are not at hand, and beside other editions

Paths are relative to the edition's file. A mistake is one sentence that names file and line.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from datasets import Dataset

from crosslingual import checkout, corpora, languages, typology
from crosslingual.corpora import CorpusUnavailable

if TYPE_CHECKING:
    from crosslingual.encoders import Encoder, EncoderUnavailable
    from crosslingual.finetune import Recipe

KEYS = dict(title=str, artificial=bool, seeds=(list, dict), corpora=dict, encoders=dict, languages=dict, pairs=list, further_pairs=list,
            recipe=dict, adjective_groups=dict, substitutes=dict, digests=str,
            beside=list, recompute=bool)  # fmt: skip
REQUIRED = ["title", "seeds", "corpora", "encoders"]
__all__ = [
    "CorpusUnavailable",
    "Edition",
    "EditionError",
    "NotInEdition",
    "available",
    "cache_folder",
    "cached_digest",
    "digests",
    "mistake",
    "read_yaml",
]
TYPE_NAMES = {
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    (list, dict): "a list of integers, or one a task",
    int: "an integer",
    float: "a number",
}
NOT_RECORDED = "not recorded with the edition {0}"
USUAL_ENCODERS = ("m-bert", "en-bert")  # an edition without one of them has gaps in its tables and figures
CACHE_VARIABLE = "CROSSLINGUAL_CACHE"


class EditionError(ValueError):
    """A mistake in an edition file, or a question that the edition has no answer to."""


class NotInEdition(EditionError, CorpusUnavailable):
    """One of the paper's languages that this edition leaves out: its tables show a gap and say so."""


@dataclass(frozen=True, eq=False)
class Edition:
    """One edition, already checked: the file's content (``document``) and the line of each key in it.

    ``kept``: it stands beside another edition, and only what was kept of it is shown. Nothing of it is made: its
    corpora count as not at hand, so that the digests pinned in its file stand for them.
    """

    path: Path
    document: dict[str, Any]
    lines: dict[tuple, int]
    kept: bool = False

    @classmethod
    def load(cls, name: str | Path, kept: bool = False) -> "Edition":
        """The edition of that name in ``book/editions``, or from that path if it ends in .yml; see above for ``kept``.

        Raises EditionError, naming file and line, if the file is missing or has a mistake.
        """
        path = _find(str(name))
        document, lines = read_yaml(path)
        edition = cls(path, document, lines, kept)
        _check(edition)
        return edition

    def __reduce__(self):
        # Worker processes are sent what the file says, and read corpora themselves.
        return Edition, (self.path, self.document, self.lines, self.kept)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def title(self) -> str:
        return self.document["title"]

    @property
    def artificial(self) -> bool:
        return self.document.get("artificial", False)

    @property
    def recompute(self) -> bool:
        return self.document.get("recompute", False)

    @cached_property
    def companions(self) -> list["Edition"]:
        """The editions shown beside this one, to be read and never computed."""
        return [Edition.load(name, kept=True) for name in self.document.get("beside", [])]

    def seeds(self, task: str, most: int | None = None) -> list[int]:
        """Seeds of fine-tuning for a task; only the first ``most``, a chapter's parameter `seeds`, if that is given.

        Raises EditionError for an unknown task, and where that would be none.
        """
        if most is not None and most < 1:
            raise EditionError(f"seeds={most}: a chapter shows at least one of the edition's seeds, give 1 or more.")
        given = self.document["seeds"]
        return list(given[_task(task)] if isinstance(given, dict) else given)[:most]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Language pairs of translation retrieval, (source, target)."""
        return [tuple(pair) for pair in self.document.get("pairs", [])]

    @property
    def further_pairs(self) -> list[tuple[str, str]]:
        """Language pairs besides, which no claim is about."""
        return [tuple(pair) for pair in self.document.get("further_pairs", [])]

    @property
    def encoders(self) -> list[str]:
        return list(self.document["encoders"])

    @cached_property
    def source(self):
        """Where the corpora come from; see crosslingual.corpora for what a source answers."""
        parameters = dict(self.document["corpora"])
        try:
            source = corpora.open_source(parameters.pop("source", None), parameters)
        except ValueError as problem:
            raise self.error(("corpora", *getattr(problem, "key", ())), str(problem).rstrip(".")) from None
        return corpora.NotAtHand(source, NOT_RECORDED.format(self.name)) if self.kept else source

    def languages(self, task: str) -> list[str]:
        """Names of the corpora one can train on."""
        return self._declared(task) or list(self.source.languages(_task(task)))

    def evaluation_languages(self, task: str) -> list[str]:
        """Names of the corpora one can evaluate on: the same, but for code-switching."""
        known = list(self.source.evaluation_languages(_task(task)))
        declared = self._declared(task)
        return [name for name in declared if name in known] if declared else known

    def corpus(self, task: str, language: str, split: str) -> Dataset:
        """A labelled corpus, columns ``tokens`` and ``labels``; ``split`` is train, dev or test.

        Raises CorpusUnavailable (what is missing, how to get it) and corpora.CorpusError (a broken file).
        """
        key = self._key(task, language, split)
        if key not in self._corpora:
            self._corpora[key] = self.source.labelled(*key)
        return self._corpora[key]

    def corpus_digest(self, task: str, language: str, split: str) -> str:
        """Digest of the corpus's content; the one that the edition has pinned if the corpus is absent."""
        key = self._key(task, language, split)
        try:
            return cached_digest(self.source.fingerprint(*key), lambda: corpora.digest(self.corpus(*key)))
        except CorpusUnavailable:
            if (pinned := self.pinned.get("/".join(key))) is None:
                raise
            return pinned

    def parallel(self, source: str, target: str) -> Dataset:
        """Parallel text, columns ``source`` and ``target``; raises corpora.CorpusUnavailable."""
        key = ("parallel", languages.check(source), languages.check(target))
        if key not in self._corpora:
            self._corpora[key] = self.source.parallel(*key[1:])
        return self._corpora[key]

    def parallel_digest(self, source: str, target: str) -> str:
        """Digest of a parallel text's content; the pinned one if the text is absent, else CorpusUnavailable."""
        try:
            return corpora.text_digest(self.parallel(source, target))
        except CorpusUnavailable:
            if (pinned := self.pinned.get(f"parallel/{source}-{target}")) is None:
                raise
            return pinned

    def encoder_digest(self, name: str) -> str:
        """Digest of an encoder's content; the pinned one if it is absent, or if nothing of the edition is to be made.

        Raises what ``encoder`` and its ``digest`` raise where neither is there.
        """
        pinned = self.pinned.get(f"encoders/{name}")
        if self.kept and pinned:
            return pinned
        try:
            return self.encoder(name).digest
        except ValueError:
            if pinned is None:
                raise
            return pinned

    def encoder(self, name: str) -> "Encoder":
        """The encoder of that name; one with a ``pretrain`` entry is made now unless the cache has it."""
        entry, key = self.document["encoders"].get(name), ("encoders", name)
        if entry is None and (self.kept or name in USUAL_ENCODERS):
            raise _no_encoder(f"the edition {self.name} has no encoder {name!r}: add one to its `encoders`.")
        if entry is None:
            choice = ", ".join(self.encoders)
            raise self.error(key, f"there is no encoder {name!r}: choose from {choice}, or add it")
        if self.pretrains(name):
            return self._pretrained(name, entry["pretrain"])
        from crosslingual.encoders import Encoder  # here, as corpora alone need no torch

        if isinstance(entry, dict):
            return Encoder(name, entry["hub"], entry["revision"])
        return Encoder(name, self._weights(key, entry))

    def pretrains(self, name: str) -> bool:
        """Whether the edition makes that encoder itself, when it is first asked for."""
        entry = self.document["encoders"].get(name)
        return isinstance(entry, dict) and "pretrain" in entry

    def recipe(self, task: str) -> "Recipe":
        """Fine-tuning hyper-parameters for a task: Appendix A's where the edition says nothing else."""
        from crosslingual.finetune import Recipe

        given = self.document.get("recipe", {})
        common = {key: value for key, value in given.items() if key not in corpora.TASKS}
        return Recipe(**common | given.get(_task(task), {}))

    def adjective_group(self, code: str) -> str | None:
        """Whether a language puts the adjective before the noun ("AN") or after it ("NA"), for Table 5b; or neither."""
        return self.document.get("adjective_groups", {}).get(code, typology.adjective_group(code))

    def variant(self, **blocks: dict) -> "Edition":
        """The same edition with other settings in some of its file's blocks: ``variant(recipe={"weight_decay": 0.01})``.

        What the blocks do not name stays; raises EditionError for a setting that will not do. Digests that the file
        pins stand for its own corpora only, so other ones have none.
        """
        document = _merged(self.document, blocks)
        if "corpora" in blocks:
            document.pop("digests", None)
        varied = replace(self, document=document)
        if "corpora" not in blocks:
            varied.__dict__.update(source=self.source, _corpora=self._corpora)  # they need not be made twice
        _check(varied)
        return varied

    def resolve(self, path: str) -> Path:
        """A path in the edition's file, relative to that file."""
        return (self.path.parent / Path(path).expanduser()).resolve()

    def error(self, key: tuple, problem: str) -> EditionError:
        """The error to raise for a mistake at ``key``, with the line of the nearest key that the file has."""
        return mistake(self.path, self.lines, key, problem)

    def _pretrained(self, name: str, specification: dict) -> "Encoder":
        from crosslingual import pretrain  # here, as corpora alone need no torch

        try:
            return pretrain.cached_encoder(name, specification, self)
        except pretrain.RecipeError as problem:
            raise self.error(("encoders", name, "pretrain", *problem.key), str(problem)) from None
        except CorpusUnavailable as absence:
            raise _no_encoder(f"the encoder {name!r} has no text to be pre-trained on: {absence}") from None

    def _weights(self, key: tuple, entry: str) -> str:
        """The folder or hub name that an encoder's entry stands for."""
        if not entry.startswith((".", "/", "~")):
            return entry
        if not (folder := self.resolve(entry)).is_dir():
            raise _no_encoder(str(self.error(key, f"the encoder {key[-1]!r} is missing: put its weights into {folder}")))
        return str(folder)

    @cached_property
    def _corpora(self) -> dict[tuple, Dataset]:
        return {}

    @cached_property
    def pinned(self) -> dict[str, str]:
        """Digests that stand in for what is not at hand, by the keys that ``digests`` describes."""
        path = self.resolve(self.document["digests"]) if "digests" in self.document else None
        lines = path.read_text(encoding="utf-8").splitlines() if path else []
        return read_yaml(path)[0] if any(line.strip() and not line.startswith("#") for line in lines) else {}

    def _declared(self, task: str) -> list[str]:
        return list(self.document.get("languages", {}).get(_task(task), []))

    def _key(self, task: str, language: str, split: str) -> tuple[str, str, str]:
        known = [*self.languages(task), *self.evaluation_languages(task)]
        if language not in known:
            choice = " ".join(dict.fromkeys(known))
            kind = NotInEdition if language in languages.table().index else EditionError
            raise kind(f"the edition {self.name} has no {task} corpus {language!r}: choose from {choice}.")
        if split not in corpora.SPLITS:
            raise EditionError(f"unknown split {split!r}: choose from {', '.join(corpora.SPLITS)}.")
        return task, language, split


def _merged(settings: dict, changed: dict) -> dict:
    """Nested mappings, with what ``changed`` has in place of or besides the old entries."""
    both = {key: _merged(settings[key], value) for key, value in changed.items()
            if isinstance(value, dict) and isinstance(settings.get(key), dict)}  # fmt: skip
    return settings | changed | both


def _no_encoder(sentence: str) -> "EncoderUnavailable":
    from crosslingual.encoders import EncoderUnavailable  # here, as corpora alone need no torch

    return EncoderUnavailable(sentence)


def available() -> list[str]:
    """Names of the editions in ``book/editions``."""
    return sorted(path.stem for path in _folder().glob("*.yml") if not path.stem.endswith(".digests"))


def digests(edition: Edition) -> dict[str, str]:
    """Digests of what is at hand, as a ``digests`` file pins them.

    Keys: "task/language/split", "parallel/source-target" and "encoders/name".
    """
    found = {}
    for name in edition.encoders:
        with suppress(ValueError):  # an encoder that is not at hand
            found[f"encoders/{name}"] = edition.encoder_digest(name)
    for pair in [*edition.pairs, *edition.further_pairs]:
        with suppress(CorpusUnavailable):
            found["parallel/" + "-".join(pair)] = edition.parallel_digest(*pair)
    for task in corpora.TASKS:
        for language in dict.fromkeys([*edition.languages(task), *edition.evaluation_languages(task)]):
            for split in corpora.SPLITS:
                with suppress(CorpusUnavailable):
                    found[f"{task}/{language}/{split}"] = edition.corpus_digest(task, language, split)
    return found


def cache_folder() -> Path:
    """$CROSSLINGUAL_CACHE, or ``_build/cache`` of the checkout: what can be made again at any time."""
    return Path(os.environ.get(CACHE_VARIABLE) or checkout.root() / "_build" / "cache")


def mistake(path: Path, lines: dict[tuple, int], key: tuple, problem: str) -> EditionError:
    """The error for a mistake at ``key`` of a YAML file; ``lines`` as `read_yaml` gives them."""
    while key not in lines:
        key = key[:-1]
    return EditionError(f"{path}, line {lines[key]}: {problem}.")


def read_yaml(path: Path) -> tuple[dict, dict[tuple, int]]:
    """A YAML mapping and the line of every key in it, by path of keys (``()`` is the file itself)."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        raise EditionError(
            f"{path}, line {mark.line + 1 if mark else 1}: this is not YAML: {problem.problem}."
        ) from None
    except UnicodeDecodeError:
        raise EditionError(f"{path}, line 1: the file is not UTF-8; convert it.") from None
    if not isinstance(root, yaml.MappingNode):
        raise EditionError(
            f"{path}, line 1: an edition is a mapping; begin with a line like `title: My edition`."
        )
    return yaml.safe_load(text), {(): 1} | _lines(path, root, ())


def _lines(path: Path, node: yaml.Node, key: tuple) -> dict[tuple, int]:
    if isinstance(node, yaml.SequenceNode):
        children = [(i, value, value) for i, value in enumerate(node.value)]
    elif isinstance(node, yaml.MappingNode):
        children = [(_unique(path, node, name), name, value) for name, value in node.value]
    else:
        return {}
    found = {}
    for name, marked, value in children:
        found[(*key, name)] = marked.start_mark.line + 1
        found |= _lines(path, value, (*key, name))
    return found


def _unique(path: Path, node: yaml.MappingNode, name: yaml.Node) -> str:
    """The key's text, checked to be given once (YAML itself lets the last one win)."""
    if sum(other.value == name.value for other, _ in node.value) > 1:
        raise EditionError(f"{path}, line {name.start_mark.line + 1}: the key {name.value!r} is given twice.")
    return name.value


def _folder() -> Path:
    return checkout.root() / "book" / "editions"


def _find(name: str) -> Path:
    path = Path(name) if name.endswith((".yml", ".yaml")) else _folder() / f"{name}.yml"
    if not path.is_file():
        choice = (
            ", ".join(available()) if path.parent == _folder() else "give the path of an edition's .yml file"
        )
        raise EditionError(f"there is no edition {name!r} ({path}): {choice}.")
    return path.resolve()


def _task(task: str) -> str:
    if task not in corpora.TASKS:
        raise EditionError(f"unknown task {task!r}: choose from {', '.join(corpora.TASKS)}.")
    return task


def cached_digest(fingerprint: str, compute: Callable[[], str]) -> str:
    """The digest kept under that fingerprint, or a computed one, kept from now on."""
    path = cache_folder() / "digests" / fingerprint
    if path.is_file() and len(kept := path.read_text()) in (32, 64):
        return kept
    digest = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(digest)
    draft.replace(path)  # in one step: a reader never sees half a digest
    return digest


def _check(edition: Edition) -> None:
    _check_keys(edition)
    for check in [
        _check_seeds,
        _check_languages,
        _check_pairs,
        _check_encoders,
        _check_recipe,
        _check_adjective_groups,
        _check_substitutes,
        _check_digests,
        _check_beside,
    ]:
        check(edition)
    edition.source  # noqa: B018 - opens the source, which checks its own parameters


def _check_keys(edition: Edition) -> None:
    for key, value in edition.document.items():
        if key not in KEYS:
            raise edition.error((str(key),), f"unknown key {key!r}: choose from {', '.join(KEYS)}")
        if not isinstance(value, KEYS[key]):
            raise edition.error((key,), f"{key} is {TYPE_NAMES[KEYS[key]]}, not {value!r}")
    for key in REQUIRED:
        if not edition.document.get(key):
            raise edition.error((key,), f"the key {key} is missing or empty")


def _check_seeds(edition: Edition) -> None:
    given = edition.document["seeds"]
    if isinstance(given, dict) and set(given) != set(corpora.TASKS):
        raise edition.error(("seeds",), f"seeds by task need just these tasks: {', '.join(corpora.TASKS)}")
    for key, seeds in given.items() if isinstance(given, dict) else [((), given)]:
        key = ("seeds", key) if key else ("seeds",)
        if not isinstance(seeds, list) or not seeds:
            raise edition.error(key, f"seeds are a list like [1, 2, 3], not {seeds!r}")
        for i, seed in enumerate(seeds):
            if type(seed) is not int or seed < 0:
                raise edition.error((*key, i), f"a seed is an integer of 0 or more, not {seed!r}")
        if len(set(seeds)) < len(seeds):
            raise edition.error(key, "a seed is listed twice")


def _check_languages(edition: Edition) -> None:
    for task, codes in edition.document.get("languages", {}).items():
        if task not in corpora.TASKS:
            raise edition.error(
                ("languages", str(task)), f"unknown task {task!r}: choose from {', '.join(corpora.TASKS)}"
            )
        if not isinstance(codes, list):
            raise edition.error(("languages", task), f"languages of {task} is a list, not {codes!r}")
        known = edition.source.languages(task)
        for i, code in enumerate(codes):
            if code not in known:
                raise edition.error(
                    ("languages", task, i), f"unknown {task} language {code!r}: choose from {' '.join(known)}"
                )


def _check_pairs(edition: Edition) -> None:
    document, known = edition.document, languages.table().index
    given = [((key, i), pair) for key in ("pairs", "further_pairs") for i, pair in enumerate(document.get(key, []))]
    for key, pair in given:
        if not isinstance(pair, list) or len(pair) != 2:
            raise edition.error(key, f"a pair is two languages like [en, de], not {pair!r}")
        for code in pair:
            if code not in known:
                raise edition.error(key, f"unknown language {code!r}: choose from {' '.join(known)}")


def _check_encoders(edition: Edition) -> None:
    for name, entry in edition.document["encoders"].items():
        given = sorted(entry) if isinstance(entry, dict) else []
        pretrained = given == ["pretrain"] and isinstance(entry["pretrain"], dict)
        pinned = given == ["hub", "revision"] and all(isinstance(value, str) for value in entry.values())
        if not (isinstance(entry, str) or pretrained or pinned):
            kinds = "a path, a hub name, {hub: name, revision: commit} or {pretrain: {...}}"
            raise edition.error(("encoders", name), f"the encoder {name} is {kinds}")


def _check_recipe(edition: Edition) -> None:
    given = edition.document.get("recipe", {})
    if not given:
        return
    from crosslingual.finetune import Recipe

    types = {field.name: type(field.default) for field in fields(Recipe)}
    for key, value in given.items():
        if key in corpora.TASKS and isinstance(value, dict):
            for inner in value:
                _check_hyper_parameter(edition, ("recipe", key, inner), value[inner], types)
        else:
            _check_hyper_parameter(edition, ("recipe", key), value, types)
    for task in corpora.TASKS:
        try:
            edition.recipe(task)
        except ValueError as problem:
            raise edition.error(("recipe",), str(problem).rstrip(".")) from None


def _check_hyper_parameter(edition: Edition, key: tuple, value: Any, types: dict[str, type]) -> None:
    kind = types.get(key[-1])
    if kind is None:
        raise edition.error(key, f"unknown hyper-parameter {key[-1]!r}: choose from {', '.join(types)}")
    hint = " (YAML reads 3e-5 as text: write 3.0e-5)" if kind is float else ""
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise edition.error(key, f"{key[-1]} is {TYPE_NAMES[kind]}, not {value!r}{hint}")


def _check_adjective_groups(edition: Edition) -> None:
    choice = [*typology.ADJECTIVE_GROUPS.values(), None]
    for code, group in edition.document.get("adjective_groups", {}).items():
        if code not in languages.table().index:
            known = " ".join(languages.table().index)
            raise edition.error(("adjective_groups", code), f"unknown language {code!r}: choose from {known}")
        if group not in choice:
            raise edition.error(("adjective_groups", code), f"the group of {code} is AN, NA or null, not {group!r}")


def _check_substitutes(edition: Edition) -> None:
    for code, entry in edition.document.get("substitutes", {}).items():
        if code not in edition.source.languages("ner"):
            raise edition.error(("substitutes", str(code)), f"{code!r} is no language with named entities")
        if not isinstance(entry, dict) or set(entry) != {"corpus", "annotation"}:
            raise edition.error(("substitutes", code), f"a substitute is {{corpus: name, annotation: by whom}}, not {entry!r}")


def _check_digests(edition: Edition) -> None:
    if "digests" in edition.document and not edition.resolve(edition.document["digests"]).is_file():
        raise edition.error(
            ("digests",), f"there is no file {edition.document['digests']} beside the edition"
        )


def _check_beside(edition: Edition) -> None:
    for i, name in enumerate(edition.document.get("beside", [])):
        if name not in available() or name == edition.name:
            choice = ", ".join(other for other in available() if other != edition.name)
            raise edition.error(("beside", i), f"there is no other edition {name!r} to show: choose from {choice}")
