"""An edition: languages, corpora, encoders, recipe and seeds of the whole book in one YAML file.

The chapters never ask which edition they are in. The keys of the file are the fields of `Document`;
paths in it are relative to it. A mistake is one sentence that names file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from os.path import expanduser
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from crosslingual import contents, languages
from crosslingual.corpora import SPLITS, TASKS, CorpusUnavailable, Published
from crosslingual.corpora.artificial import Artificial, Settings
from crosslingual.corpora.fetch import cache_folder
from crosslingual.corpora.formats import CODE_SWITCHING_TEST, Dataset
from crosslingual.models import Recipe, wheels
from crosslingual.models.encoder import Encoder, EncoderUnavailable

Task = Literal["pos", "ner", "code-switching"]
MOST = 100_000  # values in a file, aliases resolved: nine lines of YAML can stand for a billion
FEW = 8  # languages of a table, where none of the paper's are there
ROLES = {"m-bert": "M-BERT", "en-bert": "EN-BERT"}  # the paper's encoders


class EditionError(ValueError):
    """A mistake in an edition's file, or a question that the edition has no answer to."""


class NotInEdition(EditionError, CorpusUnavailable):
    """A language that this edition leaves out: its tables show a gap and say so."""


def _each_once(given: Sequence) -> Sequence:
    if len(set(given)) < len(given):
        raise ValueError("the same is listed twice")
    return given


def _name(given: str) -> str:
    if not re.fullmatch(r"[\w.+-]+", given):
        raise ValueError("a name has letters, digits and . + - _ alone")
    return given


def _plain(given: str) -> str:
    if odd := re.search(r"[][<>`$|{}*\\]", given):  # what pages would take for markup
        raise ValueError(f"write plain text, without {odd[0]}")
    return given


def _line(given: str) -> str:
    if len(given.split("\n")) > 1 or not given.strip():
        raise ValueError("write one line of text")
    return _plain(given)


Line = Annotated[str, AfterValidator(_line)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Pair = Annotated[tuple[str, str], Field(strict=False), AfterValidator(_each_once)]
Pairs = Annotated[list[Pair], AfterValidator(_each_once)]


class EncoderEntry(Settings):
    """A folder's ``path``; the name of a model on a ``hub``, with its revision; or a ``package``.

    A mere text is a path where it begins with . / or ~, else a hub's name. ``title``: how tables
    name it, where it is not the paper's encoder. ``licence``: of the weights.
    """

    path: str = ""
    hub: str = ""
    revision: str = Field("main", min_length=1)
    package: wheels.Package | None = None
    title: Line = ""
    licence: Line = "not stated"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"path" if given.startswith((".", "/", "~")) else "hub": given}
        return given

    @model_validator(mode="after")
    def _one_of_them(self) -> EncoderEntry:
        if sum(map(bool, (self.path, self.hub, self.package))) != 1:
            raise ValueError(
                "an encoder is a folder's path, {hub: name, revision: commit} or {package: {...}}"
            )
        return self

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.package:
            return f"{self.package.inside} in the package {self.package.name}"
        return f"{self.hub} on the hub at {self.revision}" if self.hub else f"folder {self.path}"


class Substitute(Settings):
    """The corpus that stands for one of the paper's, and how it was annotated."""

    corpus: Line
    annotation: Line


class Language(Settings):
    """A language that the book does not know; script by its code in ISO 15924, like Latn.

    order: its group in Table 5a. features: its values of WALS, like {87A: Noun-Adjective}.
    """

    name: Line
    script: Annotated[str, Field(pattern="^[A-Z][a-z]{3}$")]
    family: Line
    order: Literal["SVO", "SOV"] | None = None
    features: dict[Literal["81A", "85A", "86A", "87A", "88A", "89A"], Line] = Field({})


NewCode = Annotated[str, Field(pattern="^[a-z]{2,3}(_[a-z]+)?$")]


def declared(given: dict[str, Language]) -> dict[str, Language]:
    """Languages by code, made known to this process; ValueError as `languages.declare`."""
    for code, entry in given.items():
        row = {"name": entry.name, "script": entry.script, "family": entry.family}
        languages.declare(code, row | {"order_group": entry.order or ""}, entry.features)
    return given


class Recipes(Recipe):
    """A recipe for all tasks, and what is otherwise for one of them."""

    pos: Recipe = Recipe()
    ner: Recipe = Recipe()
    code_switching: Recipe = Field(Recipe(), alias="code-switching")


class Document(Settings):
    """What an edition's file says.

    title: one line, shown with every table and figure. about: what a reader has to know first.
    artificial: whether its languages are, so that no difference to the paper's numbers is shown.
    seeds: of fine-tuning; rows that tables print have them all, what only enters averages the
    first, unless every_seed names task and encoder. new_languages: {code: name, script ...} of
    those that the book does not know, and whose files the corpora name. corpora: a source and its
    settings. languages: {task: [codes]}; where a task is left out, all that the source has. pairs:
    of translation retrieval, [source, target]; further_pairs: the same, for a table of their own.
    recipe: fine-tuning hyper-parameters for all tasks; under a task's name, for that task only.
    adjective_groups: {code: AN, NA or null (neither)} where a language's group in Table 5b is not
    to be WALS's. substitutes: entity corpora that stand in for the paper's. cannot_judge: {id of a
    claim: why these encoders and corpora say nothing of it}.
    """

    title: Line
    about: Annotated[str, AfterValidator(_plain)] = ""
    artificial: bool = False
    seeds: Annotated[list[Seed], Field(min_length=1), AfterValidator(_each_once)]
    every_seed: dict[Task, list[Literal["m-bert", "en-bert"]]] = Field({})
    new_languages: Annotated[dict[NewCode, Language], AfterValidator(declared)] = Field({})
    corpora: Annotated[Artificial | Published, Field(discriminator="source")]
    encoders: dict[Annotated[str, AfterValidator(_name)], EncoderEntry] = Field(min_length=1)
    languages: dict[Task, Annotated[list[str], AfterValidator(_each_once)]] = Field({})
    pairs: Pairs = Field([])
    further_pairs: Pairs = Field([])
    recipe: Recipes = Recipes()
    adjective_groups: dict[str, Literal["AN", "NA"] | None] = Field({})
    substitutes: dict[str, Substitute] = Field({})
    cannot_judge: dict[str, Line] = Field({})


class Edition:
    """One edition, checked: what its file says (``document``), and what that names.

    title, about, artificial, every_seed, pairs, further_pairs, cannot_judge: as in the document;
    encoders: their names.
    """

    def __init__(self, path: Path, document: Document, lines: dict[tuple, int]) -> None:
        self.path, self.document, self.lines = path, document, lines
        self.name, self.title, self.about = path.stem, document.title, document.about.strip()
        self.artificial, self.encoders = document.artificial, list(document.encoders)
        self.pairs, self.further_pairs = document.pairs, document.further_pairs
        self.cannot_judge, self.every_seed = document.cannot_judge, document.every_seed
        self._corpora: dict[tuple, Dataset] = {}

    @classmethod
    def load(cls, name: str | Path) -> Edition:
        """The edition of that name in ``book/editions``, or from a path that ends in .yml.

        Raises EditionError, naming file and line, if the file is missing or has a mistake.
        """
        folder, given = contents.root() / "book/editions", str(name)
        own = given.endswith((".yml", ".yaml"))
        path = Path(given) if own else folder / f"{given}.yml"
        if not path.is_file():
            choice = ", ".join(sorted(other.stem for other in folder.glob("*.yml")))
            hint = "see whether the path is right" if own else f"choose from {choice}, or a path"
            raise EditionError(f"there is no edition {given!r} ({path}): {hint}.")
        path = path.resolve()
        if path.parent != folder.resolve() and (folder / path.name).is_file():
            raise EditionError(f"{path} has the name of an edition of the book: rename the file.")
        if not re.fullmatch(r"\w[\w .+-]*", path.stem):  # a folder's name, and shown on pages
            raise EditionError(f"{path}: a file's name has letters, digits and . + - _ alone.")
        mapping, lines = read_yaml(path)
        edition = cls(path, checked(Document, mapping, path, lines), lines)
        for key, problem in edition._mistakes():
            raise mistake(path, lines, key, problem)
        return edition

    def __reduce__(self) -> tuple:
        return Edition.load, (self.path,)  # worker processes read corpora themselves

    def seeds(self, number: int | None = None) -> list[int]:
        """Seeds of fine-tuning: the edition's, or that many, counted on past its list.

        Raises EditionError where that would be none, or more than anyone can mean.
        """
        given = self.document.seeds
        if number is not None and not 1 <= number <= 1000:
            raise EditionError(f"seeds={number}: give 1 to 1000.")
        further = (seed for seed in count(1) if seed not in given)
        return list(islice(chain(given, further), len(given) if number is None else number))

    def languages(self, task: str) -> list[str]:
        """Names of the corpora one can train on."""
        declared = self.document.languages.get(_task(task))
        return self.document.corpora.languages(task) if declared is None else declared

    def evaluation_languages(self, task: str) -> list[str]:
        """Names of the corpora one can evaluate on: the same, but for code-switching."""
        known = self.languages(task)
        return [c for c in known if task != "code-switching" or c in CODE_SWITCHING_TEST]

    def shown(self, task: str, codes: list[str]) -> list[str]:
        """The languages of a table that this edition has, and those that it declares.

        Where none of several is left but one, its own first ones instead. What is no language of
        the book stays, and is refused by `corpus`.
        """
        known = self.languages(task)
        mine = [c for c in codes if c in known or c not in languages.facts()]
        mine += [code for code in self.document.new_languages if code in known and code not in mine]
        return mine if len(mine) > 1 or len(codes) < 2 else known[:FEW]

    def corpus(self, task: str, language: str, split: str) -> Dataset:
        """A labelled corpus, columns ``tokens`` and ``labels``; ``split`` is train, dev or test.

        Raises CorpusUnavailable (what is missing, how to get it) and CorpusError (a broken file).
        """
        key = self._key(task, language, split)
        if key not in self._corpora:
            self._corpora[key] = self.document.corpora.labelled(*key)
        return self._corpora[key]

    def digest(self, task: str, language: str, split: str) -> str:
        """Digest of what determines a corpus; raises as `corpus` does."""
        return self.document.corpora.digest(*self._key(task, language, split))

    def parallel(self, source: str, target: str) -> Dataset:
        """Parallel text, columns ``source`` and ``target``; raises as `corpus` does."""
        return self.document.corpora.parallel(languages.check(source), languages.check(target))

    def parallel_digest(self, source: str, target: str) -> str:
        """Digest of what determines a parallel text; raises as `corpus` does."""
        return self.document.corpora.parallel_digest(source, target)

    def encoder(self, name: str) -> Encoder:
        """The encoder of that name; nothing is read or fetched yet. Raises EncoderUnavailable."""
        if (entry := self.document.encoders.get(name)) is None:
            raise EncoderUnavailable(
                f"the edition {self.name} has no encoder {name!r}: add one to its `encoders`."
            )
        if entry.hub:
            return Encoder(name, entry.hub, entry.revision)
        if entry.package:
            about = f"{entry.package.name}-{entry.package.inside}-{entry.package.sha256[:12]}"
            folder = cache_folder() / "encoders" / re.sub(r"[^\w.-]+", "-", about)
            return Encoder(name, str(folder), package=entry.package)
        folder = (self.path.parent / expanduser(entry.path)).resolve()
        if not folder.is_dir():
            problem = f"the encoder {name!r} is missing: put its weights into {folder}"
            error = mistake(self.path, self.lines, ("encoders", name), problem)
            raise EncoderUnavailable(str(error))
        return Encoder(name, str(folder))

    def encoder_title(self, name: str) -> str:
        """How tables name an encoder."""
        entry = self.document.encoders.get(name)
        return (entry.title if entry else "") or ROLES.get(name, name)

    def recipe(self, task: str, **changed: Any) -> Recipe:
        """Fine-tuning hyper-parameters for a task: Appendix A's where the edition is silent."""
        given = self.document.recipe.model_dump(by_alias=True, exclude_unset=True)
        common = {key: value for key, value in given.items() if key not in TASKS}
        return Recipe(**common | given.get(_task(task), {}) | changed)

    def adjective_group(self, code: str) -> str | None:
        """Whether a language's adjectives precede ("AN") or follow ("NA") the noun; Table 5b."""
        return self.document.adjective_groups.get(code, languages.adjective_group(code))

    @property
    def substitutes(self) -> dict[str, str]:
        """{language: corpus} of the CoNLL languages (Tables 1, 3, 7) whose corpus is another.

        Artificial languages are no substitutes: they are never held against the paper's values.
        """
        if self.artificial:
            return {}
        told = {code: entry.corpus for code, entry in self.document.substitutes.items()}
        known = self.document.corpora.substitutes() | told
        mine = [code for code in languages.CONLL_LANGUAGES if code in self.languages("ner")]
        return {code: known[code] for code in mine if code in known}

    def _key(self, task: str, language: str, split: str) -> tuple[str, str, str]:
        known = self.languages(task)
        if language not in known:
            choice = " ".join(known) or "none"
            kind = NotInEdition if language in languages.facts() else EditionError
            raise kind(
                f"the edition {self.name} has no {task} corpus {language!r}: choose from {choice}."
            )
        if split not in SPLITS:
            raise EditionError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}.")
        return task, language, split

    def _mistakes(self) -> Iterator[tuple[tuple, str]]:
        """What the document's types cannot say: (key, problem) of each mistake."""
        document, known = self.document, list(languages.facts())
        if document.corpora.source == "artificial" and not document.artificial:
            yield (
                ("corpora", "source"),
                "these languages are artificial: say so, `artificial: true`",
            )
        for task, codes in document.languages.items():
            yield from _unknown(("languages", task), codes, document.corpora.languages(task))
        for key in ("pairs", "further_pairs"):
            for i, pair in enumerate(getattr(document, key)):
                yield from _unknown((key, i), pair, known)
        for key in ("adjective_groups", "substitutes"):
            yield from _unknown((key,), getattr(document, key), known)
        claims = [row["id"] for row in languages.rows("claims.csv")]
        yield from _unknown(("cannot_judge",), document.cannot_judge, claims, "claim")


def checked(model: type[BaseModel], mapping: Any, path: Path, lines: dict[tuple, int]) -> Any:
    """A mapping of a YAML file as that model; raises EditionError for the first mistake in it.

    Validators find the folder that relative paths start from in their context, as "folder".
    """
    try:
        return model.model_validate(mapping, context={"folder": path.parent})
    except ValidationError as problems:
        problem = problems.errors()[0]
        place = _place(lines, problem["loc"])
        raise mistake(path, lines, place, _sentence(problem, place)) from None


def mistake(path: Path, lines: dict[tuple, int], key: tuple, problem: str) -> EditionError:
    """The error for a mistake at ``key`` of a YAML file; ``lines`` as `read_yaml` gives them."""
    line, told = lines[_place(lines, key)], " ".join(problem.split()).rstrip(".")
    return EditionError(f"{path}, line {line}: {told}.")


def _place(lines: dict[tuple, int], key: tuple) -> tuple:
    """The part of a key that the file has; pydantic names the kinds of a union in it, too."""
    place: tuple = ()
    for part in key:  # a number that is a key is a text there
        place = next(((*place, p) for p in (part, str(part)) if (*place, p) in lines), place)
    return place


def _sentence(problem: dict[str, Any], place: tuple) -> str:
    name = ".".join(str(part)[:60] for part in place) or "the file"
    if problem["type"] == "missing":
        return f"{name} lacks the key {problem['loc'][-1]}"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {name}: correct or remove it"
    if problem["type"].startswith("union_tag"):
        return f"{name}: give it a source, artificial or published"
    said = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    said = re.sub(r"a valid dictionary.*", "a mapping", said)
    shown = "" if problem["type"] == "value_error" else f", not {str(problem['input'])[:60]!r}"
    return f"{name}: {said[0].lower()}{said[1:]}{shown}"


def _unknown(
    key: tuple, codes: Sequence[str], known: list[str], kind: str = "language"
) -> Iterator[tuple[tuple, str]]:
    for i, code in enumerate(codes):
        if code not in known:
            place = code if isinstance(codes, dict) else i
            yield (*key, place), f"unknown {kind} {code!r}: choose from {' '.join(known)}"


class _Loader(yaml.SafeLoader):
    """YAML in which 3e-5 is a number, as in its version 1.2, and what cannot be has its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str) and b"\0" in value.encode():  # nor half a character
                raise ValueError("no text or path has a NUL")
            return value
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as problem:
            told = f"{str(node.value)[:60]!r} cannot be read ({type(problem).__name__})"
            raise yaml.constructor.ConstructorError(None, None, told, node.start_mark) from None


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_yaml(path: Path) -> tuple[dict, dict[tuple, int]]:
    """A YAML mapping and the line of every key in it, by path of keys (``()`` is the file).

    Raises EditionError, naming the line, for what is no mapping or no YAML.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
        node, mapping = yaml.compose(text, _Loader), yaml.load(text, _Loader)
        lines = _each_line(path, node)
    except RecursionError:
        raise EditionError(f"{path}, line 1: values lie too deep in each other.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        said = getattr(problem, "problem", None) or str(problem).splitlines()[0]
        where = f"{path}, line {_line_of(problem, data)}"
        raise EditionError(f"{where}: this is not YAML in UTF-8: {said}.") from None
    if not isinstance(mapping, dict):
        raise EditionError(
            f"{path}, line 1: this is no mapping; begin with a line like `title: My edition`."
        )
    return mapping, lines


def _line_of(problem: Any, data: bytes) -> int:
    """Of what is no YAML: where a mark stands, or a character that is forbidden, or no UTF-8."""
    if mark := getattr(problem, "problem_mark", None):
        return mark.line + 1
    if isinstance(problem, yaml.reader.ReaderError):
        return data.decode("utf-8-sig").count("\n", 0, problem.position) + 1
    return data.count(b"\n", 0, getattr(problem, "start", 0)) + 1


def _each_line(path: Path, node: yaml.Node) -> dict[tuple, int]:
    lines = {(): 1}
    for key, line in islice(_lines(node, ()), MOST):
        if key in lines:  # YAML itself lets the last one win
            raise EditionError(f"{path}, line {line}: the key {key[-1]!r} is given twice.")
        lines[key] = line
    if len(lines) > MOST:
        raise EditionError(f"{path}, line 1: there are more than {MOST:,} values; take some out.")
    return lines


def _lines(node: yaml.Node, key: tuple) -> Iterator[tuple[tuple, int]]:
    """The paths of all keys below a node, as often as they are given, and their lines."""
    children: list[tuple] = []
    if isinstance(node, yaml.SequenceNode):
        children = [(i, value, value) for i, value in enumerate(node.value)]
    elif isinstance(node, yaml.MappingNode):
        children = [(name.value, name, value) for name, value in node.value]
    for name, marked, value in children:
        yield (*key, name), marked.start_mark.line + 1
        yield from _lines(value, (*key, name))


def _task(task: str) -> str:
    if task not in TASKS:
        raise EditionError(f"unknown task {task!r}: choose from {', '.join(TASKS)}.")
    return task
