"""What a page would ask of the network by itself: sources, styles, images, imports, fetches."""

import re
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"""(?:@import\s*|url\()\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
IN_SCRIPT = re.compile(
    r"""(?:fetch|import|importScripts|open)\(\s*["'`](?:GET["'],\s*["'])?((?:https?:)?//[^"'`]+)"""
)
LOADS = ["stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "icon"]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.inside = [], None

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        self.inside = tag
        loads = [given.get(name, "") for name in ("src", "data", "poster", "background")]
        loads += [part.strip() for part in given.get("srcset", "").split(",")]
        if tag == "link" and set(LOADS) & set(given.get("rel", "").lower().split()):
            loads.append(given.get("href", ""))
        self.found += [url for url in loads if ELSEWHERE.match(url)]
        self.found += IN_STYLE.findall(given.get("style", ""))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "style":
            self.found += IN_STYLE.findall(data)
        if self.inside == "script":
            self.found += IN_SCRIPT.findall(data)


def requests(site: Path) -> set[tuple[str, str]]:
    """(file, address) of everything below ``site`` that loads from another host."""
    found = set()
    for path in site.rglob("*.html"):
        page = _Page()
        page.feed(path.read_text("utf-8"))
        found |= {(path.name, url) for url in page.found}
    for path in site.rglob("*.css"):
        found |= {(path.name, url) for url in IN_STYLE.findall(path.read_text("utf-8"))}
    return found
