"""The site: strict, offline, replaced only by a whole one."""

import pytest
from conftest import write_chapter
from external import requests

from crosslingual import book, site

WIDGET = """\
from ipywidgets import HTML, Dropdown, Stack, VBox, jslink
chosen, pages = Dropdown(options=["a", "b"]), Stack([HTML("first"), HTML("second")], selected_index=0)
jslink((chosen, "index"), (pages, "selected_index"))
VBox([chosen, pages])"""
TABLE = '''\
from IPython.display import Markdown
Markdown("```{table} Scores\\n:name: tab-scores\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n```")'''


def test_nothing_is_asked_of_the_network(miniature):
    write_chapter(miniature / "book/01-one.ipynb", "One $x^2$", WIDGET)
    page = book.build(miniature, "tiny").parent / "01-one.html"
    assert requests(page.parent) == set()
    html = page.read_text()
    assert "vendor/mathjax/tex-svg.js" in html and "vendor/html-manager/embed.js" in html
    assert "application/vnd.jupyter.widget-view+json" in html


def test_requests_are_found_where_they_hide(tmp_path):
    (tmp_path / "a.html").write_text(
        '<script src="https://cdn.example/a.js"></script><link rel="stylesheet" href="//cdn.example/b.css">'
        '<a href="https://example.org">fine</a><img src="here.png" srcset="https://i.example/1.png 2x">'
        '<style>@import "https://fonts.example/f"</style><script>fetch("https://api.example/x")</script>'
    )
    (tmp_path / "c.css").write_text("a { background: url(https://c.example/p.png) } b { background: url(q.png) }")
    hosts = {url.split("/")[2] for _, url in requests(tmp_path)}
    assert hosts == {"cdn.example", "i.example", "fonts.example", "api.example", "c.example"}


def test_a_table_from_a_cell_is_numbered_as_a_table(miniature):
    write_chapter(miniature / "book/01-one.ipynb", "One", TABLE)
    path = miniature / "book/01-one.ipynb"
    path.write_text(path.read_text().replace('"metadata": {},\n   "outputs"', '"metadata": {"mystnb": {"markdown_format": "myst"}},\n   "outputs"'))
    assert '<span class="caption-number">Table 1' in (book.build(miniature, "tiny").parent / "01-one.html").read_text()


def test_a_warning_stops_the_site_and_leaves_the_old_one(miniature):
    index = book.build(miniature, "tiny")
    before = index.read_text()
    (miniature / "book/references.md").write_text("# See\n\n{doc}`no-such-page` {cite}`nobody`\n")
    (miniature / "_toc.yml").write_text((miniature / "_toc.yml").read_text() + "      - file: references\n")
    for _ in range(2):  # and it stays stopped: no warning is lost in a cache
        with pytest.raises(site.SiteError, match="(?s)WARNING.*no-such-page"):
            book.build(miniature, "tiny")
    assert index.read_text() == before
    assert not list((miniature / "_build").glob("site-*"))


def test_one_chapter_becomes_a_page_though_it_refers_to_others(miniature):
    write_chapter(miniature / "book/01-one.ipynb", "One, see {doc}`02-two`", "print('on its own')")
    page = site.page(miniature, book.chapter(miniature, "01-one", "tiny"))
    assert "on its own" in page.read_text() and requests(page.parent) == set()
    assert not (miniature / "_build/html").exists()
