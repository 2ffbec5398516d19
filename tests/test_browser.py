"""Sites in a real browser; test_smoke reads the small book's in it, too."""

import os
from pathlib import Path

import pytest
from browser import CHROMIUM, browsing, page_faults, site_faults

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
SITE = os.environ.get("CROSSLINGUAL_SITE")
HEAD = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width">
<style>
body { background: white; color: black }
.pale { color: #999 }
@media (prefers-color-scheme: dark) { .dim { color: #999 } }
</style>
<main><h1>A page</h1><p class="dim">Words.</p>"""
MENU = """\
<div class="jupyter-widgets widget-vbox">
<label>Show <select><option>one<option>two</select></label>
<div class="widget-html">one</div><div class="widget-html" hidden>two</div></div>"""
SWITCH = """\
<script>
document.querySelector("select").onchange = () =>
  document.querySelectorAll(".widget-html").forEach((one) => (one.hidden = !one.hidden));
</script>"""
DRAWN = """\
<div class="explore-bars"><canvas></canvas></div>
<script>document.querySelector("canvas").getContext("2d").fillRect(0, 0, 9, 9)</script>"""
FAULTS = {  # what is told of it: the fault
    "Uncaught Error: a script broke off": "<script>throw Error('a script broke off')</script>",
    "bad news": "<script>console.error('bad news')</script>",
    "net::ERR_FILE_NOT_FOUND": "<script src='nowhere.js'></script>",
    "asks for http://127.0.0.1:9/x.png": "<img src='http://127.0.0.1:9/x.png' alt='An image'>",
    "a menu changes nothing": MENU,
    "not drawn: explore-matrix": "<div class='explore-matrix'><canvas></canvas></div>",
    "scrolls sideways": "<div style='width: 400px; height: 9px'></div>",
    "color-contrast": "<details><summary>More</summary><p class='pale'>Words.</p></details>",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def test_each_fault_of_a_page_is_told(browser, tmp_path):
    (tmp_path / "broken.html").write_text(HEAD + "".join(FAULTS.values()))
    told = page_faults(browser, tmp_path, "broken.html")
    assert [fault for fault in FAULTS if not any(fault in line for line in told)] == []
    contrast = [line for line in told if line.startswith("color-contrast")]
    assert "(1 of 1)" in contrast[0] and "(1 of 2)" in contrast[1]  # in the dark one more


def test_a_sound_page_has_none_and_a_menu_that_is_not_shown_is_told(browser, tmp_path):
    sound = HEAD.replace("dim", "") + MENU + SWITCH + DRAWN
    (tmp_path / "sound.html").write_text(sound)
    assert page_faults(browser, tmp_path, "sound.html") == []
    view = "<script type='application/vnd.jupyter.widget-view+json'>{}</script>"
    (tmp_path / "sound.html").write_text(sound.replace(MENU + SWITCH, view))
    assert page_faults(browser, tmp_path, "sound.html") == ["no menu is shown"]


@pytest.mark.skipif(not SITE, reason="CROSSLINGUAL_SITE is not set: no built site")
def test_a_built_site_has_no_fault(tmp_path):
    site = Path(SITE).resolve()
    pages = [page.relative_to(site).as_posix() for page in site.glob("*.html")]
    pages += [page.relative_to(site).as_posix() for page in site.glob("beyond/*.html")]
    assert site_faults(tmp_path, site, sorted(pages)) == {}
