"""A chapter's parameters: the names, types and defaults its tagged first cell declares, and typed values for them."""

import ast
import re
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import papermill
import yaml


class ParameterError(ValueError):
    """A chapter was given a parameter it does not have, or a value of the wrong type."""


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


SCALARS = {"str": str, "int": int, "float": float, "bool": _boolean}


def declared(chapter: Path) -> dict[str, dict]:
    """Return {name: {inferred_type_name, default, help}} as the chapter's cell tagged ``parameters`` declares them."""
    with redirect_stderr(StringIO()):  # papermill remarks on every line that is a comment only
        return papermill.inspect_notebook(str(chapter))


def convert(annotation: str, text: str):
    """Turn ``text``, as typed after ``name=``, into a value of the annotated type; raise ValueError if it is none.

    Types are str, int, float, bool and lists of them (``[en, de]`` or ``en,de``); anything else is read as YAML.
    A language code stays a string whatever YAML would make of it (``no`` is Norwegian, not false).
    """
    text = text.strip()
    if items := re.fullmatch(r"list\[(.+)\]", annotation):
        parts = (part.strip(" '\"") for part in text.strip("[]").split(","))
        return [convert(items[1], part) for part in parts if part]
    return SCALARS.get(annotation, yaml.safe_load)(text)


def typed(chapter: Path, given: dict[str, str]) -> dict:
    """Return ``given`` (name -> text) with each value converted to the type the chapter declares.

    Raises ParameterError, in one sentence, for an unknown name or a value that does not fit.
    """
    known = declared(chapter)
    values = {}
    for name, text in given.items():
        if name not in known:
            raise ParameterError(f"chapter {chapter.stem} has no parameter {name!r}: choose from {', '.join(known)}")
        values[name] = _typed(chapter, known[name], text)
    return values


def _typed(chapter: Path, parameter: dict, text: str):
    annotation = parameter["inferred_type_name"]
    try:
        return convert(annotation, text)
    except (ValueError, yaml.YAMLError):
        raise ParameterError(
            f"parameter {parameter['name']} of chapter {chapter.stem} wants {annotation} "
            f"(default {parameter['default']}), not {text!r}"
        ) from None


def changed(chapter: Path, values: dict) -> dict:
    """Those of ``values`` that are not the chapter's own defaults."""
    known = declared(chapter)
    return {name: value for name, value in values.items() if not _is_default(known[name]["default"], value)}


def _is_default(literal: str, value) -> bool:
    try:
        return ast.literal_eval(literal) == value
    except (ValueError, SyntaxError):  # a default that is computed
        return False


def parse(assignments: list[str]) -> dict[str, str]:
    """Split ``name=value`` texts as typed on the command line."""
    for assignment in assignments:
        if "=" not in assignment:
            raise ParameterError(f"a parameter is given as name=value, not {assignment!r}")
    return dict(assignment.split("=", 1) for assignment in assignments)
