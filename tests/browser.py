"""A site in a real browser: Chromium, asked by its DevTools protocol."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import requests
from tornado.websocket import websocket_connect  # which Jupyter brings

NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"]
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HERE = Path(__file__).parent
SCRIPTS = [HERE / "vendor/axe.min.js", HERE / "browser.js"]
SOUGHT = {
    "overlap": {"03-vocabulary"},
    "HI-UR": {"03-vocabulary", "05-feature-space"},
    "Table 5b": {"04-structure"},
}


class Browser:
    """A page of Chromium; ``events`` of it since it was opened."""

    def __init__(self, port: str):
        new = requests.put(f"http://127.0.0.1:{port}/json/new?about:blank", timeout=60).json()
        self.runner, self.asked, self.events = asyncio.Runner(), 0, []
        self.socket = self.runner.run(self._connect(new["webSocketDebuggerUrl"]))
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        for script in SCRIPTS:
            source = script.read_text("utf-8")
            self.ask("Page.addScriptToEvaluateOnNewDocument", source=source)

    async def _connect(self, url: str):
        return await websocket_connect(url, max_message_size=2**28)

    def ask(self, method: str, **parameters) -> dict:
        return self.runner.run(self._ask(method, parameters))

    async def _ask(self, method: str, parameters: dict) -> dict:
        self.asked += 1
        command = {"id": self.asked, "method": method, "params": parameters}
        await self.socket.write_message(json.dumps(command))
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.read_message(), 100))
            if message.get("id") == self.asked:
                return message["result"]
            self.events.append(message)

    def check(self, name: str) -> list[str]:
        """What a check of browser.js returns, once it is done."""
        how = {"awaitPromise": True, "returnByValue": True}
        told = self.ask("Runtime.evaluate", expression=f"checks.{name}()", **how)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def show(self, width: int, colours: str) -> None:
        """As a window of that width shows it, "light" or "dark"."""
        # Not `mobile`: its windows grow with what is too wide for them.
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        preferred = [{"name": "prefers-color-scheme", "value": colours}]
        self.ask("Emulation.setEmulatedMedia", features=preferred)
        self.check("settled")

    def open(self, address: str) -> None:
        self.events.clear()
        self.ask("Page.navigate", url=address)
        self.show(1280, "light")

    def errors(self, site: str) -> Iterator[str]:
        """What went to the console as an error, and what was asked of elsewhere than the site."""
        for event in self.events:
            match event["method"], event["params"]:
                case "Runtime.exceptionThrown", {"exceptionDetails": told}:
                    yield f"{told['text']} {told.get('exception', {}).get('description')}"
                case "Runtime.consoleAPICalled", {"type": "error" | "assert", "args": told}:
                    yield " ".join(str(one.get("value")) for one in told)
                case "Log.entryAdded", {"entry": {"level": "error", "text": told}}:
                    yield told
                case "Network.requestWillBeSent", {"request": {"url": url}}:
                    if not url.startswith((site, "data:", "blob:")):
                        yield f"asks for {url}"


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with a new profile; it ends with the context."""
    command = [CHROMIUM, *OPTIONS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            told = profile / "DevToolsActivePort"
            while not (told.exists() and told.read_text()):
                assert process.poll() is None, "Chromium does not start"
                time.sleep(0.05)
            yield Browser(told.read_text().split()[0])
        finally:
            process.terminate()


def page_faults(browser: Browser, site: Path, page: str) -> list[str]:
    """What is wrong with a page of a site, at a desk in the light and on a phone in the dark."""
    browser.open((site / page).as_uri())
    browser.check("unfold")
    browser.check("settled")
    found = browser.check("charts") + browser.check("menus") + browser.check("accessible")
    browser.show(390, "dark")
    found += browser.check("wide") + browser.check("accessible")
    return [*browser.errors(site.as_uri()), *found]


def search_faults(browser: Browser, site: Path) -> list[str]:
    """What the site's search does not find in the first place, or in the first two for two."""
    missed = []
    for query, chapters in SOUGHT.items():
        browser.open(f"{(site / 'search.html').as_uri()}?q={quote(query)}")
        hits = [link.split(".html")[0] for link in browser.check("hits")]
        missed += [f"{query} is found in {hits}"] * (set(hits[: len(chapters)]) != chapters)
    return missed


def site_faults(profile: Path, site: Path, pages: list[str]) -> dict[str, list[str]]:
    """What is wrong with pages of a site and with its search, by page."""
    with browsing(profile) as browser:
        found = {page: page_faults(browser, site, page) for page in pages}
        found["search.html"] = search_faults(browser, site)
    return {page: wrong for page, wrong in found.items() if wrong}
