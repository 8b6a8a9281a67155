"""The page as it really runs: `ranscore serve` and `app.py` in processes of their own, with files that nobody may ever see beside them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.storage.report_lines import canonical
from harness.types import Cohort
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from tests.door.asking import MARKER, Answer, Way, ask
from tests.submissions.conftest import credentialed

ROOT = Path(__file__).parents[2]
SECRET = f"hf_{MARKER}"
HOSTED = "board.example"
PREFIX = "/ran"
WATCH = """
import os, sys
_log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_opened = {{"open", "os.listdir", "os.scandir", "shutil.copyfile", "shutil.move", "os.rename", "os.link", "os.symlink"}}
def _hook(event, arguments):
    if event in _opened and arguments and ({marker!r} in str(arguments[0]) or "hidden/text" in str(arguments[0]) or str(arguments[0]).endswith("/environ")):
        os.write(_log, (event + " " + str(arguments[0]) + chr(10)).encode())
sys.addaudithook(_hook)
"""
"""Runs in the server and in every process that it starts: writes down who opens a file that is nobody's business."""


@dataclass
class Trap:
    """Stands where the Hub would be: nobody may ask it anything."""

    asked: list[str] = field(default_factory=list)
    address: str = ""


@dataclass
class Running:
    """A page in a process of its own."""

    port: int
    board_folder: BoardFolder
    folder: Path
    """Holds `board`, `temporary`, `errors` and `opened`."""

    @property
    def secrets(self) -> list[Path]:
        """Files that no answer may hold: beside the store, in homes, in places like those of a system."""
        return sorted(path for path in self.folder.rglob(f"*{MARKER}*") if path.is_file())

    def errors(self) -> str:
        """What the page wrote on its standard error."""
        return (self.folder / "errors").read_text()

    def opened(self) -> str:
        """Files that are nobody's business and that the page or its children opened."""
        path = self.folder / "opened"
        return path.read_text() if path.exists() else ""

    def left(self) -> list[str]:
        """Files in the temporary folder."""
        return [str(path) for path in (self.folder / "temporary").rglob("*") if path.is_file()]


@contextmanager
def trap() -> Iterator[Trap]:
    """A server that writes down what it is asked, and refuses it."""
    found = Trap()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(f"{self.command} {self.path} {self.headers.get('authorization', '')}")
            self.send_response(500)
            self.end_headers()

        do_POST = do_PUT = do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def furnish(folder: Path, cohort: Cohort, settings: str = "") -> BoardFolder:
    """A board with an open and a credentialed cohort, and files around it that hold the marker."""
    board = folder / "board"
    cohorts.save(cohort, board / "cohorts" / "synthetic")
    credentialed(cohort, board)
    (board / "config.toml").write_text(f"# {MARKER}\n[door]\nper_day = 0\nin_all = 0\n{settings}")
    for place in (board, board / "store", board / "ledger", board / "cohorts", folder / "user", folder / "etc", folder / "temporary"):
        place.mkdir(exist_ok=True)
        if place.name != "temporary":
            (place / f"{MARKER}.txt").write_text(MARKER)
    (folder / "etc" / f"shadow-{MARKER}").write_text(f"root:{MARKER}")
    return board_folders.at(board)


@contextmanager
def running(folder: Path, cohort: Cohort, command: str, settings: str = "", **variables: str) -> Iterator[Running]:
    """A page on this machine.

    Args:
        folder: An empty one.
        cohort: The cohort to submit to.
        command: `serve` or `app.py`.
        settings: More of `config.toml`.
        variables: Of its environment.
    """
    board_folder = furnish(folder, cohort, settings)
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH.format(log=str(folder / "opened"), marker=MARKER))
    environment = {
        **os.environ,
        "RANSCORE_HOME": str(board_folder.root),
        "HOME": str(folder / "user"),
        "TMPDIR": str(folder / "temporary"),
        "PYTHONPATH": os.pathsep.join([str(folder / "watch"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        "HF_TOKEN": SECRET,
        "GRADIO_SERVER_PORT": "0",
        **variables,
    }
    words = [sys.executable, "-m", "ranscore", "serve", "--port", "0"] if command == "serve" else [sys.executable, str(ROOT / "app.py")]
    with (
        (folder / "errors").open("wb") as errors,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=folder / "user") as server,
    ):
        try:
            assert server.stdout
            found = next((match for line in server.stdout if (match := re.search(r"The board is at http://[^:]+:(\d+)", line))), None)
            assert found, (folder / "errors").read_text()
            with urlopen(f"http://127.0.0.1:{found[1]}/ranscore/frame.css", timeout=120) as answer:
                assert answer.status == 200
            yield Running(int(found[1]), board_folder, folder)
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """A small synthetic cohort."""
    return build(studies=40, seed=3)


@pytest.fixture(scope="session")
def reports(cohort: Cohort) -> bytes:
    """What an invented system wrote for it, as a file."""
    return canonical(system(cohort, "birch", 0.8, 0.1).reports)


@pytest.fixture(scope="session")
def hub() -> Iterator[Trap]:
    """Where the pages believe the Hub to be."""
    with trap() as found:
        yield found


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, cohort: Cohort, hub: Trap) -> Iterator[Running]:
    """`ranscore serve` without a line of configuration for the page."""
    with running(tmp_path_factory.mktemp("serve"), cohort, "serve", HF_ENDPOINT=hub.address) as found:
        yield found


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory, cohort: Cohort, hub: Trap) -> Iterator[Running]:
    """`app.py` behind a proxy that hands on the host's name, at a path of its own."""
    settings = f'[page]\naddress = "https://{HOSTED}{PREFIX}"\n'
    with running(tmp_path_factory.mktemp("hosted"), cohort, "app.py", settings, HF_ENDPOINT=hub.address) as found:
        yield found


@pytest.fixture(params=["serve", "app.py on a hosted name", "app.py behind a prefix"])
def way(request: pytest.FixtureRequest) -> Way:
    """The three ways by which visitors reach a page."""
    if request.param == "serve":
        running: Running = request.getfixturevalue("served")
        return Way(running.port, f"127.0.0.1:{running.port}", f"http://127.0.0.1:{running.port}")
    running = request.getfixturevalue("hosted")
    return Way(running.port, HOSTED, f"https://{HOSTED}", PREFIX if "prefix" in request.param else "")


@pytest.fixture
def page(way: Way, request: pytest.FixtureRequest) -> Running:
    """The page behind `way`."""
    found: Running = request.getfixturevalue("served" if way.host.startswith("127.") else "hosted")
    return found


@pytest.fixture(autouse=True)
def _nothing_came_out(request: pytest.FixtureRequest, hub: Trap) -> Iterator[None]:
    """After every test: no log holds a traceback, no secret file was opened, nothing lies about, and the Hub was asked nothing."""
    names = set(request.fixturenames)
    wanted = sorted(names & {"served", "hosted"}) + (["page"] if "way" in names else [])
    pages = [request.getfixturevalue(name) for name in wanted]
    yield
    for page in pages:
        assert "Traceback" not in page.errors() and MARKER not in page.errors()
        assert page.opened() == ""
        assert page.left() == []
    assert hub.asked == []


def still_there(way: Way) -> Answer:
    """The page answers others."""
    answer = ask(way, "GET", "/ranscore/frame.css")
    assert answer.status == 200
    return answer
