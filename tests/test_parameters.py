"""Parameters of a chapter: what is typed becomes what the chapter declares, or one sentence."""

import nbformat
import pytest

from crosslingual import parameters

CELL = '''edition_name: str = "pocket"  # the edition
seeds: int = 3  # how many seeds
threshold: float = 0.05  # share
paired: bool = True  # test pairs
languages: list[str] = ["en", "de"]  # UD codes'''


@pytest.fixture
def chapter(tmp_path):
    cell = nbformat.v4.new_code_cell(CELL, metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "03-example.ipynb")
    return tmp_path / "03-example.ipynb"


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("seeds", " 5 ", 5),
        ("threshold", "5e-2", 0.05),
        ("paired", "False", False),
        ("languages", "[no_bokmaal, 'hi',ur]", ["no_bokmaal", "hi", "ur"]),
        ("languages", "no", ["no"]),
        ("languages", "[]", []),
        ("edition_name", "my/own.yml", "my/own.yml"),
    ],
)
def test_text_becomes_the_declared_type(chapter, name, text, value):
    assert parameters.typed(chapter, {name: text}) == {name: value}


@pytest.mark.parametrize("name, text", [("seeds", "three"), ("seeds", "2.5"), ("paired", "maybe"), ("threshold", "5%")])
def test_a_value_of_another_type_is_refused_with_name_type_and_default(chapter, name, text):
    with pytest.raises(parameters.ParameterError, match=f"parameter {name} of chapter 03-example wants .* {text!r}"):
        parameters.typed(chapter, {name: text})


def test_an_unknown_name_is_refused_with_the_known_ones(chapter):
    with pytest.raises(parameters.ParameterError, match="no parameter 'seed': choose from edition_name, seeds, "):
        parameters.typed(chapter, {"seed": "1"})


def test_an_assignment_needs_its_equals_sign():
    assert parameters.parse(["path=a=b"]) == {"path": "a=b"}
    with pytest.raises(parameters.ParameterError, match="name=value, not 'seeds'"):
        parameters.parse(["seeds"])


def test_only_what_is_unlike_the_defaults_is_changed(chapter):
    values = {"seeds": 3, "languages": ["de", "en"], "edition_name": "pocket"}
    assert parameters.changed(chapter, values) == {"languages": ["de", "en"]}
