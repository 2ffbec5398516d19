"""Explore: its numbers, its charts, and the page in a real browser."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import CHROMIUM
from crosslingual import languages, stats
from crosslingual.chapters import explore
from fabricated import ARTIFICIAL, REAL, scores
from webserver import serving

ASSETS = Path(__file__).parents[1] / "book/assets"
CODES = ["en", "de", "ja"]
HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
HEAD += '<meta name="viewport" content="width=device-width">'
# What is asked of the page: what it says before and after a menu was used, what it loaded.
PROBE = """\
<script>
const told = [], note = (...what) => told.push(what.join(" "));
window.onerror = note;
console.error = console.warn = note;
</script>
%s
<pre id="told"></pre>
<script>
addEventListener("load", () => setTimeout(() => {
  const of = (place) => document.querySelector(`.explore ${place}`), said = [];
  const texts = () => ["caption", "tbody", "code"].map((place) => of(place).innerText);
  const say = () => said.push(texts());
  say();
  of("[name=train]").value = "ja";
  of("[name=train]").dispatchEvent(new Event("change", { bubbles: true }));
  say();
  const matrix = of(".explore-matrix canvas"), box = matrix.getBoundingClientRect(), titles = [];
  for (let x = box.left; x < box.right; x += 6) for (let y = box.top; y < box.bottom; y += 6) {
    const place = { bubbles: true, clientX: x, clientY: y };
    for (const kind of ["pointermove", "pointerdown", "click"])
      matrix.dispatchEvent(new PointerEvent(kind, place));
    titles.push(of("caption").innerText);
  }
  const drawn = [...document.querySelectorAll(".explore canvas")].map((one) => one.height);
  const loaded = performance.getEntriesByType("resource").map((one) => one.name);
  const wide = document.documentElement.scrollWidth - innerWidth;
  const seen = { told, said, titles, drawn, loaded, wide };
  document.querySelector("#told").textContent = JSON.stringify(seen);
}, 1500));
</script>"""


@pytest.fixture(scope="module")
def found():
    def accuracy(a, b):
        return 0.9 if a == b else np.nan if (a, b) == ("ja", "de") else 0.5

    pos = scores(accuracy, CODES)
    floor = scores(lambda a, b: 0.3, CODES, encoder="majority class", seeds=[0])
    floor["made_from"] = '{"train": "1"}'
    mixed = scores(lambda a, b: 0.8, ["hi+en"], ["corrected"], task="code-switching", seeds=[2, 1])
    shares = {"train": "en", "evaluate": "de", "overlap": 0.25, "reason": ""}
    overlaps = pd.DataFrame([shares | {"encoder": "m-bert"}])
    return explore.measures([pos, floor, mixed], overlaps, REAL), pos


def test_measures_have_values_intervals_seeds_and_the_paper_s_numbers(found):
    measures, pos = found
    assert list(measures) == [
        "pos m-bert", "pos majority class", "code-switching m-bert", "overlap m-bert", "features",
    ]  # fmt: skip
    cells, versions = measures["pos m-bert"].cells, stats.draws(pos)
    assert ("ja", "de") not in cells.index and len(cells) == 8
    for pair in [("en", "de"), ("ja", "ja")]:
        estimate = stats.estimate(versions.loc[("m-bert", *pair)])
        assert tuple(cells.loc[pair, ["value", "low", "high"]]) == pytest.approx(estimate[:3])
    assert cells.seeds[("en", "de")] == "1, 2, 3" and cells.paper[("en", "de")] == 89.40
    assert cells.paper[("en", "ja")] == 49.4  # of Table 4
    assert measures["overlap m-bert"].cells.value[("en", "de")] == 25
    assert measures["features"].cells.value[("en", "de")] == languages.common_features("en", "de")
    assert [measures[key].task for key in list(measures)[:3]] == ["pos", "", "code-switching"]


def test_artificial_languages_are_not_held_against_the_paper_s_values():
    pos = scores(lambda a, b: 0.5, CODES)
    overlaps = pd.DataFrame(columns=["encoder", "train", "evaluate", "overlap", "reason"])
    assert "paper" not in explore.measures([pos], overlaps, ARTIFICIAL)["pos m-bert"].cells


def test_a_page_without_a_score_has_empty_menus():
    gone = scores(lambda a, b: np.nan, CODES).assign(reason="not bought")
    overlaps = pd.DataFrame(columns=["encoder", "train", "evaluate", "overlap", "reason"])
    found = explore.measures([gone], overlaps, REAL)
    assert list(found) == ["features"] and '<select name="train"></select>' in explore.page(
        found, REAL
    )


def test_languages_are_sorted_by_each_group_and_other_corpora_keep_their_name():
    known = explore.about(["ja", "hi", "en", "ur", "hi+en"])
    for group in explore.GROUPS:
        placed = sorted(known, key=lambda code, by=group: known[code][f"{by} place"])
        groups = [known[code][group] for code in placed]
        assert groups == sorted(groups)
    assert known["hi+en"]["name"] == known["hi+en"]["label"] == "hi+en"
    assert known["ja"]["order"] == "SOV" and known["ur"]["script"] == "Arabic"


def test_charts_are_for_the_version_of_vega_lite_that_comes_with_the_site(found):
    known = explore.about([*CODES, "hi+en", "corrected"])
    chosen = dict.fromkeys(("train", "evaluate"), "en") | {"measure": "pos m-bert"}
    for chart in explore.charts(found[0], known, chosen).values():
        major = re.search(r"vega-lite/v(\d+\.\d+\.\d+)", chart["$schema"])[1]
        assert f"Vega-Lite {major} " in (ASSETS / "vendor/README.md").read_text("utf-8")


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_the_page_draws_and_tells_in_a_browser_without_an_error_or_a_request(found, tmp_path):
    page = HEAD + PROBE.replace("%s", explore.page(found[0], REAL))
    scripts = {f"/_static/{name}": (ASSETS / name).read_bytes() for name in explore.SCRIPTS}
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900"]
    options += ["--virtual-time-budget=20000", f"--user-data-dir={tmp_path}", "--dump-dom"]
    with serving({"/beyond/explore.html": page.encode()} | scripts) as server:
        command = [CHROMIUM, *options, f"{server.url}/beyond/explore.html"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    seen = json.loads(re.search(r'<pre id="told">(.*?)</pre>', done.stdout)[1])
    assert seen["told"] == [] and seen["wide"] <= 0
    assert set(seen["loaded"]) == {server.url + name for name in scripts}
    assert len(seen["drawn"]) == 3 and min(seen["drawn"]) > 20
    (title, cells, command), (other, _, _) = seen["said"]
    assert title == "Fine-tuned on English, evaluated on German"
    assert "Fine-tuned on German, evaluated on Japanese" in seen["titles"]  # by a click
    assert other == "Fine-tuned on Japanese, evaluated on German"
    first = r"M-BERT, tagging .accuracy, %.\s+\d\d\.\d\s+[\d.]+ to [\d.]+\s+1, 2, 3\s+89\.4"
    assert re.search(first, cells)
    assert command == "crosslingual verify --edition paper --task pos --train en --evaluate de"
