"""What a reader takes along holds the very numbers of the page."""

import io
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
from crosslingual import downloads, published, show, stats
from crosslingual.chapters import appendix
from crosslingual.downloads import Cell, joined
from fabricated import REAL, edition, scores

# With a decimal point, and no bound, as in "p ≤ 0.025".
NUMBER = re.compile(r"(?<![\d<≤])(?<![<≤] )[−-]?\d[\d,]*\.\d+%?")
new = nbformat.v4


def uncovered(cells: pd.DataFrame) -> list[tuple]:
    """Cells with a decimal number, other than of a rule, that is no rounding of one of theirs."""
    values = cells.drop(columns=["line", "row", "column", "shown"])
    found = []
    for (_, cell), (_, behind) in zip(cells.iterrows(), values.iterrows(), strict=True):
        for shown in NUMBER.findall(re.sub(r"(above|below) [\d.]+", "", str(cell.shown))):
            told = shown.rstrip("%").replace("−", "-").replace(",", "")
            decimals = len(told.split(".")[1])
            if told not in {f"{value:.{decimals}f}" for value in behind.dropna()}:
                found.append((cell.row, cell.column, shown))
    return found


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


@pytest.fixture(scope="module")
def table():
    frame = scores(lambda a, b: 0.9 if a == b else 0.6, ["en", "de", "nl", "es"], task="ner")
    frame = frame.assign(device="cpu", date="2026-11-28T01:02:03Z", seconds=2.0)
    return show.beside(frame, published.TABLE_1, REAL, "table-1"), frame


def test_a_table_s_file_has_what_its_numbers_are_rounded_from(table):
    made, frame = table
    cells = read(made.files()["table-1.csv"])
    assert len(cells) == 16 and not uncovered(cells)
    one = cells.set_index(["row", "column"]).loc[("NL", "DE")]
    runs = frame[(frame.train == "nl") & (frame.evaluate == "de")]
    whole = stats.estimate(stats.draws(runs).iloc[0])
    assert (one.value, one.low, one.high) == whole[:3]  # bit by bit, after a file and back
    assert (one.paper, one.seeds) == (65.68, 3) and one.sd == pytest.approx(runs.score.std())
    page = cells.pivot(index="row", columns="column", values="value").round(1)
    assert f"**{page.loc['NL', 'DE']:.1f} ± " in "".join(map("".join, made.rows))
    assert set(cells) <= set(downloads.COLUMNS.index)


def test_the_same_in_latex_and_every_run_with_sizes_and_digests(table):
    made, frame = table
    latex = made.files()["table-1.tex"]
    assert r"\toprule" in latex and r"\begin{tabular}{lrrrr}" in latex
    assert r"\caption{NER F1" in latex and r"\label{tab:table-1}" in latex
    cell = r"\\shortstack\[r\]\{\\textbf\{\d+\.\d \$\\pm\$ \d\.\d\} \\\\ paper 90\.70\}"
    assert re.search(cell, latex)
    runs = read(made.files()["table-1.runs.csv"])
    pd.testing.assert_series_equal(runs.score, frame.score, check_index=False)
    assert set(runs.sentences) == {50} and set(runs.words) == {1000}
    assert set(runs.encoder_digest.astype(str)) == {"123456789"}


@pytest.mark.parametrize("cell, text", [
    ("**80.9**\npaper 90.70", "80.9; paper 90.70"), ("`a_b`<br>c", "a_b; c"),
    ("{doc}`/02-models`", "/02-models"), ("{ref}`words <label>`", "words"),
    ('<bdi dir="auto">x</bdi> ([2](#there))', "x (2)"),
])  # fmt: skip
def test_markdown_is_left_out_of_what_a_file_shows(cell, text):
    assert downloads.plain(cell) == text


def test_special_characters_do_not_break_latex():
    rows = [["a_b & 5%", "✔ supported\n−1.0", r"C:\x ≤ 0.1 – {~}"]]
    latex = downloads.latex("50% of #1", "t", ["", "m$", "x"], rows, text=True)
    assert r"\caption{50\% of \#1}" in latex and r"a\_b \& 5\%" in latex and r"m\$" in latex
    assert r"\shortstack[r]{$+$ supported \\ $-$1.0}" in latex and r"p{0.3\linewidth}" in latex
    assert r"C:\textbackslash{}x $\leq$ 0.1 -- \{\textasciitilde{}\}" in latex


def test_cells_are_joined_with_their_numbers_and_none_is_lost():
    interval = show.bounds(stats.Interval(1.04, 2.06))
    cell = joined("{} ({}; {over})", show.number(1.23), interval, over=interval)
    assert cell == "1.2 (1.0 to 2.1; 1.0 to 2.1)"
    expected = {"value": 1.23, "low": 1.04, "high": 2.06, "over_low": 1.04, "over_high": 2.06}
    assert cell.values == expected
    with pytest.raises(downloads.TwoValues, match="two numbers of one name"):
        joined("{} {}", interval, interval)


def test_whole_numbers_are_their_own_value_and_rounded_ones_are_not():
    cells = downloads.tidy(["", "n", "x"], [["a", "1,234", "5.6"]])
    assert cells.value[0] == 1234 and np.isnan(cells.value[1])
    assert downloads.tidy(["", "x"], []).empty
    assert downloads.tidy(["", "x"], [["a", Cell("5.6", value=5.55)]]).value[0] == 5.55


def test_a_figure_s_files_are_the_same_every_time_and_have_what_is_drawn():
    def drawn():
        drawing, (panel,) = show.canvas(1.0)
        panel.plot([1, 2], [3, 4])
        points = pd.DataFrame({"x": [1, 2], "y": [3.0, 1 / 3], "hits": [[1], [2]]})
        return show.figure(drawing, "f", "Dots", "two dots", REAL, data=points).files

    files = drawn()
    assert files == drawn() and list(files) == ["f.png", "f.svg", "f.data.csv"]
    assert read(files["f.data.csv"]).to_dict("list") == {"x": [1, 2], "y": [3.0, 1 / 3]}


def test_files_are_unpacked_from_executed_chapters_and_old_ones_are_gone(tmp_path, table):
    made, _ = table
    data, metadata = made._repr_mimebundle_()
    output = new.new_output("execute_result", data, metadata=metadata, execution_count=1)
    shown = new.new_code_cell("table", outputs=[output], execution_count=1)
    (tmp_path / "beyond").mkdir()
    nbformat.write(new.new_notebook(cells=[shown]), tmp_path / "beyond/one.ipynb")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/gone.csv").write_text("of a chapter that is no more")
    downloads.unpack(tmp_path)
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "downloads").iterdir()}
    assert written == made.files()
    for name in written:
        assert f"</downloads/{name}>" in data["text/markdown"]
    listed = appendix.files(downloads.carried(tmp_path))
    assert [row[:2] for row in listed.rows] == [["{doc}`/beyond/one`", made.caption.split(". ")[0]]]


def test_the_provenance_of_a_table_says_what_made_it_and_how_to_recompute_it(table):
    made, _ = table
    assert "<origin-table-1>" in made.markdown()
    runs = read(made.files()["table-1.runs.csv"]).astype({"encoder_digest": str})
    runs = runs.assign(origin="recorded", train_digest="abcdefghijkl", evaluate_digest="x")
    told = appendix.made_from(runs, "table-1", edition("real", artificial=False))
    assert told.name == "origin-table-1" and len(told.rows) == 4
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in told.rows[1]] == [
        "**DE**, M-BERT\nseeds 1, 2, 3", "EN DE NL ES\n200 sentences\n4,000 entities",
        "corpus `abcdefgh`\nencoder `12345678`", "28 Nov 2026\ncpu",
        "`crosslingual verify --edition real --task ner --encoder m-bert --train de`",
    ]  # fmt: skip
    bare = appendix.made_from(runs.assign(encoder_digest=np.nan), "table-3", REAL)
    assert bare.rows[1][2].endswith("\nno\N{NO-BREAK SPACE}encoder")
    many = pd.concat([runs.assign(train=f"{runs.train[0]}{n}") for n in range(11)])
    (row,) = appendix.made_from(many, "table-5a", REAL).rows
    assert row[0].startswith("**11\N{NO-BREAK SPACE}languages**")
    assert row[-1].endswith("--task ner --encoder m-bert --seed 1 --seed 2 --seed 3`")
    (words,) = set(appendix.tested_on(runs)["words or entities"])
    assert words == "1,000" and len(appendix.tested_on(runs)) == 4
