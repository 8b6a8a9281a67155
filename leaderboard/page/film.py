"""The door for films: an upload is read from the request into memory, waits until it is whole, and takes one place a visitor."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from harness.errors import InputError, Problem, RanscoreError, UnavailableError
from leaderboard.films import sandbox
from leaderboard.films.reader import EXAMPLES, FilmReader, example
from leaderboard.html.markup import Html
from leaderboard.page import try_it
from leaderboard.page.body import Refusal, Uploads
from leaderboard.page.cache import Lane, Made
from leaderboard.page.try_it import LONGEST
from leaderboard.page.visitor import client
from leaderboard.views import film
from submissions.sandbox import plain_name

WAITING = 6
"""Films that wait or are read, uploaded to their last byte; one more is refused. Each may hold `BYTES` of memory."""
TOGETHER = 200
"""Visitors who may send, wait or be answered at once."""
SENDING = 30.0
"""Seconds after which nobody waits any longer for a visitor who does not take what is sent."""
PATIENCE = 600.0
"""Seconds after which nobody waits any longer for a report."""
HEAD = 4 * LONGEST + 4000
"""Bytes of the line before the film."""
FULL = Problem("as many films as this page takes are waiting already", "Try again in a minute")
TWICE = Problem("a film from your address is being taken already", "Wait until it is answered, then send this one")
LATE = Problem(f"it took longer than {PATIENCE:g} seconds", "Try again later")


class FilmQueue:
    """Those who wait, each with a whole film: one is read at a time, in the order of arrival."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        """Visitors who send, wait or are answered."""
        self._waiting: list[object] = []
        self._turn = asyncio.Lock()

    def enter(self, who: str) -> None:
        """Take the one place of a visitor; `inside.discard` gives it back.

        Raises:
            UnavailableError: The visitor has it already, or too many are there.
        """
        if who in self.inside:
            raise UnavailableError(TWICE)
        if self.full or len(self.inside) >= TOGETHER:
            raise UnavailableError(FULL)
        self.inside.add(who)

    @property
    def full(self) -> bool:
        """Whether one more must not come in."""
        return len(self._waiting) >= WAITING

    def ahead(self, asked: object) -> int:
        """How many come before this one; 0 for the one whose film is being read."""
        return self._waiting.index(asked) if asked in self._waiting else 0

    def join(self, job: Callable[[], str]) -> asyncio.Task[str]:
        """Wait for the turn and do the job in a thread. Who is cancelled loses the turn; a job that has begun is finished first."""
        task = asyncio.ensure_future(self._run(job))
        self._waiting.append(task)
        task.add_done_callback(self._waiting.remove)
        return task

    async def _run(self, job: Callable[[], str]) -> str:
        await self._turn.acquire()
        running = asyncio.ensure_future(asyncio.to_thread(job))
        running.add_done_callback(lambda _: self._turn.release())
        return await asyncio.shield(running)


def route(app: FastAPI, reader: FilmReader, uploads: Uploads) -> None:
    """Add the door and the example to the server."""
    line, examples = FilmQueue(), Lane()

    @app.post("/ranscore/film")
    async def take(request: Request) -> Response:
        # Another site's page can send this type only if this server allowed it, which it does not.
        if request.headers.get("content-type") != "application/octet-stream":
            return Response("Send application/octet-stream.", 415, media_type="text/plain")
        who = client(request)
        try:
            line.enter(who)
        except RanscoreError as error:
            return _JsonLines(_once(film.complaint(error.problems)))
        try:
            asked = await _asked(line, reader, uploads, request)
        except BaseException as error:
            line.inside.discard(who)
            if isinstance(error, RanscoreError):
                return _JsonLines(_once(film.complaint(error.problems)))
            raise
        return _JsonLines(_states(line, asked), lambda: line.inside.discard(who))

    @app.get("/ranscore/film/{number}")
    async def drawn(number: int, request: Request) -> Response:
        number %= EXAMPLES
        made = await examples.get(number, client(request), lambda: _drawn(number))
        return Response(made.body, media_type="application/json", headers={"cache-control": "no-store"})


def _drawn(number: int) -> Made:
    picture, reference = example(number)
    return Made(json.dumps({"film": b64encode(picture).decode(), "reference": reference}).encode())


async def _asked(line: FilmQueue, reader: FilmReader, uploads: Uploads, request: Request) -> asyncio.Task[str]:
    """Take the upload in, to its last byte, and wait in line with it.

    Raises:
        RanscoreError: It was not taken.
        Refusal: The visitor left.
    """
    content, name, reference = await _taken(uploads, request)
    if line.full:
        raise UnavailableError(FULL)
    return line.join(lambda: answer(reader, content, name, reference))


class _JsonLines(StreamingResponse):
    """Lines of JSON; a visitor who takes none for a while is given up."""

    def __init__(self, parts: AsyncIterator[str], left: Callable[[], None] = lambda: None) -> None:
        super().__init__(parts, media_type="application/x-ndjson", headers={"cache-control": "no-store"})
        self._left = left

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; the visitor's place is free when this returns."""

        async def sending(message: Any) -> None:
            await asyncio.wait_for(send(message), SENDING)

        try:
            with suppress(TimeoutError):
                await super().__call__(scope, receive, sending)
        finally:
            self._left()


async def _states(line: FilmQueue, asked: asyncio.Task[str]) -> AsyncIterator[str]:
    """Each second how many are ahead, and at last the answer as HTML; who stops listening leaves the line."""
    try:
        for _ in range(int(PATIENCE)):
            done, _ = await asyncio.wait({asked}, timeout=1)
            if done:
                yield _last(asked.result())
                return
            yield json.dumps({"ahead": line.ahead(asked)}) + "\n"
        yield _last(film.complaint([LATE]))
    finally:
        asked.cancel()


async def _once(html: str) -> AsyncIterator[str]:
    yield _last(html)


def _last(html: str) -> str:
    return json.dumps({"html": html}) + "\n"


async def _taken(uploads: Uploads, request: Request) -> tuple[bytes, str, str]:
    """The film, its name and the reference: a line of JSON, then the file as it is.

    Raises:
        InputError: It is larger than a film may be, or was not sent by the form.
        UnavailableError: It comes too slowly, or others need its memory.
        Refusal: The visitor left.
    """
    try:
        data = await uploads.read(request, sandbox.BYTES + HEAD)
    except Refusal as refusal:
        if refusal.status == 413:
            raise InputError(Problem(f"it holds more than {sandbox.BYTES:,} bytes", "Save it as PNG or as JPEG 2000 in DICOM")) from None
        if refusal.status == 408:
            raise UnavailableError(refusal.problem) from None
        raise
    end = data.find(b"\n", 0, HEAD + 1)
    try:
        asked: Any = json.loads(data[:end]) if end >= 0 else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InputError(Problem("the upload was not sent by this page's form", "Reload the page and try again"))
    return data[end + 1 :], str(asked.get("name", ""))[:1000], str(asked.get("reference", ""))[:LONGEST]


def answer(reader: FilmReader, content: bytes, name: str, reference: str) -> Html:
    """What a film's report says, as HTML; or why there is none. Raises nothing, so that no log ever quotes a film or a text.

    Args:
        reader: The page's generator.
        content: The file.
        name: As the visitor's machine names it.
        reference: A pasted one; empty where there is none.
    """
    try:
        made = reader.read(content, name)
        if made.failure or not made.report.strip():
            raise UnavailableError(f"{reader.system.name} wrote nothing: {made.failure or 'its report is empty'}")
        read = try_it.read(made.report, reference)
        warning = film.warning(made.caution, made.example)
        return film.answer(reader.system.name, plain_name(name), made.picture, made.size, made.substituted, read, warning)
    except RanscoreError as error:
        return film.complaint(error.problems)
    except Exception as error:
        return film.complaint([Problem(f"something failed that should not ({type(error).__name__})", "Tell those who run the page")])
