"""Handouts: exercises stay, solutions go."""

from pathlib import Path

import nbformat
import pytest

from crosslingual import handout

CHAPTERS = sorted((Path(__file__).parents[1] / "book").rglob("*.ipynb"))
new = nbformat.v4


def test_a_solution_gives_way_to_an_empty_cell():
    cells = [
        new.new_markdown_cell("```{exercise-start} A\n:label: a\n```\nHow?\n```{exercise-end}\n```\n\n```{solution-start} a\n```"),
        new.new_code_cell("secret = 1", metadata={"tags": ["solution"]}),
        new.new_markdown_cell("Because.\n\n```{solution-end}\n```\n\n## Summary"),
        new.new_code_cell("kept"),
    ]
    kept = [cell.source for cell in handout.without_solutions(new.new_notebook(cells=cells)).cells]
    assert kept == ["```{exercise-start} A\n:label: a\n```\nHow?\n```{exercise-end}\n```", "# Your solution", "## Summary", "kept"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_s_handout_keeps_all_but_the_solutions(path):
    chapter = nbformat.read(path, as_version=4)
    rest = handout.without_solutions(chapter)
    nbformat.validate(rest)
    everything, kept = "\n".join(c.source for c in chapter.cells), "\n".join(c.source for c in rest.cells)
    assert "{solution-" not in kept and kept.count("{exercise-start}") == everything.count("{exercise-start}")
    assert kept.count("# Your solution") == everything.count("{solution-start}")
