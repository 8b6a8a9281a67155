"""The real page in a process of its own, which prints what it renders; and visitors with addresses of their own."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = """
import os
import sys
from pathlib import Path
from generators.catalogue import Options
from harness.records.store import Store
from leaderboard.exports import kinds
from leaderboard.page import app, body, connection, film
from leaderboard.films.reader import FilmReader
from leaderboard.views import router
from tests.films import ODD

def told(name, once):
    def make(*given):
        print(f"made {name} {given[2] if name == 'view' else given[0]}", flush=True)
        return once(*given)
    return make

router.draw = told("view", router.draw)
kinds.of_board = told("board", kinds.of_board)
kinds.of_system = told("system", kinds.of_system)
body.WINDOW = float(os.environ.get("TEST_WINDOW", body.WINDOW))
body.Uploads.__init__.__defaults__ = (int(os.environ.get("TEST_HELD", body.HELD)), *body.Uploads.__init__.__defaults__[1:])
film.TOGETHER = int(os.environ.get("TEST_TOGETHER", film.TOGETHER))
connection.PATIENCE = float(os.environ.get("TEST_PATIENCE", connection.PATIENCE))
reader = FilmReader(ODD, Options(settings={"does": sys.argv[2]})) if sys.argv[2] else None
app.run(app.open_site(Store(Path(sys.argv[1])), reader), "127.0.0.1", 0)
"""


@dataclass
class Page:
    """A running page."""

    host: str
    port: int
    process: int
    _lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def made(self) -> list[str]:
        """What was rendered since this was last asked."""
        found = []
        while not self._lines.empty():
            found.append(self._lines.get())
        return found

    def get(self, path: str, who: str = "") -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and head of an answer, for a visitor whom a proxy on this machine names."""
        return self.ask("GET", path, None, who)

    def ask(
        self, method: str, path: str, body: bytes | None, who: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """One request of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            named = {"x-forwarded-for": who} if who else {}
            kind = {"content-type": "application/json"} if body is not None else {}
            connection.request(method, path, body, {"connection": "close", **kind, **named, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def film(self, content: bytes, who: str) -> str:
        """The HTML that a visitor gets for a film."""
        body = json.dumps({"name": "a.png", "reference": ""}).encode() + b"\n" + content
        status, answer, _ = self.ask("POST", "/ranscore/film", body, who, {"content-type": "application/octet-stream"})
        assert status == 200
        return str(json.loads(answer.splitlines()[-1])["html"])

    def begin_film(self, who: str, length: int = 10_000_000, content: bytes = b"{}\n") -> socket.socket:
        """A connection that begins to send a film and does not go on."""
        connection = socket.create_connection((self.host, self.port), timeout=120)
        head = f"POST /ranscore/film HTTP/1.1\r\nhost: {self.host}:{self.port}\r\nx-forwarded-for: {who}\r\n"
        head += f"content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
        connection.sendall(head.encode() + content)
        return connection

    def memory(self) -> float:
        """Resident memory in MB."""
        return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process}/status").read_text())[0]) / 1024


@contextmanager
def serving(store: Path, does: str = "", settings: Mapping[str, str] | None = None) -> Iterator[Page]:
    """The page of a store, with a generator that does as it is told in a word; none without."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **(settings or {})}
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(store), does]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://(\S+):(\d+)", server.stdout.readline())
            assert found, "the page did not start"
            page = Page(found[1], int(found[2]), server.pid)
            threading.Thread(target=_listen, args=(server.stdout, page._lines), daemon=True).start()
            wait_for(lambda: page.get("/ranscore/frame.css")[0] == 200)
            yield page
        finally:
            server.kill()


def _listen(lines: Iterable[str], heard: queue.SimpleQueue[str]) -> None:
    for line in lines:
        heard.put(line.strip())


def wait_for(done: Callable[[], object], seconds: float = 90) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: It is not after that time, which is for a hanging program and no measure of speed.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except OSError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)
