from types import SimpleNamespace

import nbformat
from crosslingual import provenance


def executed(folder, name, edition, seconds):
    """A notebook as papermill leaves it: two code cells, the second the slower."""
    cells = [nbformat.v4.new_code_cell(f'edition_name: str = "{edition}"  # the edition',
                                       metadata={"tags": ["parameters"], "papermill": {"duration": 0.1}}),
             nbformat.v4.new_code_cell("slow()\nmore()", metadata={"papermill": {"duration": seconds - 0.1}})]  # fmt: skip
    about = {"duration": seconds, "start_time": "2025-01-02T03:04:05", "parameters": {}}
    path = folder / "_build/executed" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"papermill": about, "kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def test_durations_are_those_of_this_editions_chapters(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance.checkout, "root", lambda: tmp_path)
    executed(tmp_path, "one", "tiny", 3.0)
    executed(tmp_path, "beyond/two", "tiny", 5.0)
    executed(tmp_path, "other", "large", 9.0)
    edition = SimpleNamespace(name="tiny")
    table = provenance.chapters(edition)
    assert dict(zip(table.chapter, table.seconds, strict=True)) == {"one": 3.0, "beyond/two": 5.0}
    slowest = provenance.cells(edition).iloc[0]
    assert (slowest.chapter, slowest.number, slowest.code) == ("beyond/two", 2, "slow()")


def test_nothing_executed_is_an_empty_table(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance.checkout, "root", lambda: tmp_path)
    assert provenance.chapters(SimpleNamespace(name="tiny")).empty
    assert provenance.cells(SimpleNamespace(name="tiny")).empty


def test_a_cards_headings_do_not_become_headings_of_the_page(tmp_path):
    (tmp_path / "README.md").write_text("# Title\n\n- a fact\n## Part\n")
    edition = SimpleNamespace(encoder=lambda name: SimpleNamespace(path=str(tmp_path)))
    assert provenance.card(edition, "m-bert") == "**Title**\n\n- a fact\n**Part**\n"


def test_the_training_log_beside_the_weights_is_read(tmp_path, monkeypatch):
    (tmp_path / "training.jsonl").write_text('{"step": 50, "loss": 6.5, "tokens": 900}\n{"step": 100, "loss": 5.0, "tokens": 1800}\n')
    found = [SimpleNamespace(name="m-bert", path=str(tmp_path)), SimpleNamespace(name="hub", path="some/name")]
    monkeypatch.setattr(provenance, "_encoders", lambda edition: found)
    log = provenance.training(SimpleNamespace())
    assert log.encoder.tolist() == ["m-bert", "m-bert"] and log.loss.iloc[-1] == 5.0
