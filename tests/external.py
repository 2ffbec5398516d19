"""What a page would ask of the network by itself: sources, styles, images, imports, fetches."""

import re
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"""(?:@import\s*|url\()\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
IN_SCRIPT = re.compile(
    r"""(?:fetch|import|importScripts|open)\(\s*["'`](?:GET["'],\s*["'])?((?:https?:)?//[^"'`]+)"""
)
LOADS = {"stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "icon"}
INSIDE = {"style": IN_STYLE, "script": IN_SCRIPT}


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.inside = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        self.inside = tag
        loads = [given.get(name, "") for name in ("src", "data", "poster", "background")]
        loads += given.get("srcset", "").split(",")
        if tag == "link" and LOADS & set(given.get("rel", "").lower().split()):
            loads.append(given.get("href", ""))
        self.found += [url for url in loads if ELSEWHERE.match(url)]
        self.found += IN_STYLE.findall(given.get("style", ""))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside in INSIDE:
            self.found += INSIDE[self.inside].findall(data)


def requests(site: Path) -> set[tuple[str, str]]:
    """(file, address) of everything below ``site`` that loads from another host."""
    pages = {path: _Page(path.read_text("utf-8")).found for path in site.rglob("*.html")}
    pages |= {path: IN_STYLE.findall(path.read_text("utf-8")) for path in site.rglob("*.css")}
    return {(path.name, url) for path, found in pages.items() for url in found}
