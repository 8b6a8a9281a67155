"""What a machine asks about the page: `/healthz` says whether it can take part, `/metrics` how the board is, for Prometheus.

Neither answer names a file, a person, a system or a submission.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from fastapi import FastAPI, Response
from fastapi.concurrency import run_in_threadpool

from harness.errors import RanscoreError
from leaderboard.page.answers import as_json
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.health import Health, health

LEAST = 32 << 20
"""Bytes of free disk below which nothing can be submitted."""
FRESH, SHARE = 15.0, 20.0
"""Seconds for which a look at the board counts, and how many times as long as the look itself took: a large board is read less often."""
TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_STORE = {"cache-control": "no-store"}


def route(app: FastAPI, board_folder: BoardFolder, *, public: bool) -> None:
    """Add both addresses.

    Args:
        app: The server.
        board_folder: The board.
        public: Whether everybody reaches the server itself, as on a Space; then there is no `/metrics`.
    """

    @app.get("/healthz")
    def healthz() -> Response:
        problems = troubles(board_folder)
        return as_json({"status": "failing" if problems else "ok", "problems": problems}, 503 if problems else 200)

    if public:
        return
    looks = LookCache(board_folder)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(await run_in_threadpool(looks.text), media_type=TYPE, headers=NO_STORE)


def troubles(board_folder: BoardFolder) -> list[str]:
    """Why nothing can be shown or submitted just now; empty where all is well or the board is new."""
    root = next(
        path for path in (board_folder.root, *board_folder.root.absolute().parents) if path.exists()
    )  # a new board has no folder yet
    try:
        os.listdir(root)
        free = shutil.disk_usage(root).free
    except OSError as error:
        return [f"the board's folder cannot be read ({error.strerror})"]
    found = [] if os.access(root, os.W_OK) else ["the board's folder cannot be written to"]
    return found + ([f"the disk is full: {free >> 20} MB are free"] if free < LEAST else [])


@dataclass(slots=True)
class LookCache:
    """The last look at a board, as text for Prometheus; one look at a time."""

    board_folder: BoardFolder
    look: Callable[[BoardFolder], Health] = health
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _text: str = ""
    _until: float = -1.0

    def text(self) -> str:
        """What `/metrics` answers; a board that cannot be read is a value, not an error."""
        with self._lock:
            if self.clock() >= self._until:
                begun = self.clock()
                self._text = "".join(f"{line}\n" for line in self._lines())
                took = self.clock() - begun
                self._until = self.clock() + max(FRESH, SHARE * took)
            return self._text

    def _lines(self) -> Iterator[str]:
        yield from _gauge("page_able", "1 where the page can show and take submissions (as /healthz)", not troubles(self.board_folder))
        try:
            found = self.look(self.board_folder)
        except (RanscoreError, OSError):
            yield from _gauge("board_readable", "1 where the board's ledger and store can be read", 0)
            return
        yield from _gauge("board_readable", "1 where the board's ledger and store can be read", 1)
        yield from of(found)


def of(found: Health) -> Iterator[str]:
    """The state of a board as lines of Prometheus's text format; what is not known is left out."""
    name = "ranscore_submissions"
    yield from (f"# HELP {name} Submissions by state", f"# TYPE {name} gauge")
    yield from (f'{name}{{state="{state.value}"}} {found.states.get(state.value, 0)}' for state in State)
    for short, text, value in (
        ("oldest_waiting_seconds", "How long the oldest waiting submission has waited", found.oldest or 0),
        ("workers", "Workers that are at work", found.workers),
        ("workers_in_trouble", "Workers that cannot go on, as where a model server or the disk fails", len(found.troubles)),
        ("worker_heard_seconds", "Seconds since a worker was last heard of", found.heard),
        ("ranks_age_seconds", "Seconds since the ranks were made", found.snapshot),
        ("set_aside", "Submissions that wait for a person", len(found.aside)),
        ("flagged", "Listed submissions with flags that nobody has looked at", found.flagged),
        ("damaged_files", "Stored files that cannot be read or do not fit together", len(found.damaged)),
        ("files_of_the_future", "Stored files that a clock dated in the future", len(found.ahead)),
        ("free_disk_bytes", "Free bytes of the board's disk", found.free),
        ("alarms", "What `ranscore health` would call an alarm", len(found.alarms)),
    ):
        if value is not None:
            yield from _gauge(short, text, value)


def _gauge(name: str, text: str, value: float) -> Iterator[str]:
    yield f"# HELP ranscore_{name} {text}"
    yield f"# TYPE ranscore_{name} gauge"
    yield f"ranscore_{name} {float(value):g}" if value != int(value) else f"ranscore_{name} {int(value)}"
