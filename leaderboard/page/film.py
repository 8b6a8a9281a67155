"""The door for films: an upload is read from the request into memory, never through Gradio, whose cached files anybody can fetch."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from harness.errors import InputError, Problem, RanscoreError, UnavailableError
from leaderboard.films import sandbox
from leaderboard.films.reader import Reader, example
from leaderboard.html.markup import Html
from leaderboard.page import try_it
from leaderboard.page.try_it import LONGEST
from leaderboard.views import film
from submissions.sandbox import plain_name

WAITING = 6
"""Films that are uploaded, wait or are read; one more is turned away. Each may hold `BYTES` of memory."""
UPLOAD = 120.0
"""Seconds that an upload may take."""
PATIENCE = 600.0
"""Seconds after which nobody waits any longer for a report."""
HEAD = 4 * LONGEST + 4000
"""Bytes of the line before the film."""
FULL = Problem("as many films as this page takes are waiting already", "Try again in a minute")
LATE = Problem(f"it took longer than {PATIENCE:g} seconds", "Try again later")


class Line:
    """Those who wait: one film is read at a time, in the order of arrival."""

    def __init__(self) -> None:
        self.present = 0
        """Visitors inside, those who still upload too."""
        self._waiting: list[object] = []
        self._turn = asyncio.Lock()

    def ahead(self, asked: object) -> int:
        """How many come before this one; 0 for the one whose film is being read."""
        return self._waiting.index(asked) if asked in self._waiting else 0

    def left(self) -> None:
        """Somebody went, with a report or without."""
        self.present -= 1

    async def run(self, job: Callable[[], str]) -> str:
        """Wait for the turn and do the job in a thread. Who is cancelled loses the turn; a job that has begun is finished first."""
        self._waiting.append(me := asyncio.current_task())
        try:
            await self._turn.acquire()
            running = asyncio.ensure_future(asyncio.to_thread(job))
            running.add_done_callback(lambda _: self._turn.release())
            return await asyncio.shield(running)
        finally:
            self._waiting.remove(me)


def route(app: FastAPI, reader: Reader) -> None:
    """Add the door and the example to the server."""
    line = Line()

    @app.post("/ranscore/film")
    async def take(request: Request) -> Response:
        # Another site's page can send this type only if this server allowed it, which it does not.
        if request.headers.get("content-type") != "application/octet-stream":
            return Response("Send application/octet-stream.", 415, media_type="text/plain")
        try:
            return _lines(_states(line, await _asked(line, reader, request)))
        except RanscoreError as error:
            return _lines(_once(film.complaint(error.problems)))
        except ClientDisconnect:
            return Response(status_code=400)

    @app.get("/ranscore/film/{number}")
    def drawn(number: int) -> Response:
        picture, reference = example(number)
        body = json.dumps({"film": b64encode(picture).decode(), "reference": reference})
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


async def _asked(line: Line, reader: Reader, request: Request) -> asyncio.Task[str]:
    """Take the upload in and stand in line with it.

    Raises:
        RanscoreError: It was not taken.
        ClientDisconnect: The visitor left.
    """
    if line.present >= WAITING:
        raise UnavailableError(FULL)
    line.present += 1
    try:
        content, name, reference = await asyncio.wait_for(_taken(request), UPLOAD)
    except BaseException as error:
        line.present -= 1
        if isinstance(error, TimeoutError):
            raise UnavailableError(Problem(f"uploading it took longer than {UPLOAD:g} seconds", "Try a smaller file")) from None
        raise
    asked = asyncio.ensure_future(line.run(lambda: answer(reader, content, name, reference)))
    asked.add_done_callback(lambda _: line.left())
    return asked


async def _states(line: Line, asked: asyncio.Task[str]) -> AsyncIterator[str]:
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


def _lines(parts: AsyncIterator[str]) -> Response:
    return StreamingResponse(parts, media_type="application/x-ndjson", headers={"cache-control": "no-store"})


def _last(html: str) -> str:
    return json.dumps({"html": html}) + "\n"


async def _taken(request: Request) -> tuple[bytes, str, str]:
    """The film, its name and the reference: a line of JSON, then the file as it is.

    Raises:
        InputError: It is larger than a film may be, or was not sent by the form.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > sandbox.BYTES + HEAD:
            what = f"it holds more than {sandbox.BYTES:,} bytes"
            raise InputError(Problem(what, "Save it as PNG or as JPEG 2000 in DICOM"))
    end = data.find(b"\n")
    try:
        asked: Any = json.loads(data[:end]) if 0 <= end <= HEAD else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InputError(Problem("the upload was not sent by this page's form", "Reload the page and try again"))
    content = bytes(memoryview(data)[end + 1 :])
    return content, str(asked.get("name", ""))[:1000], str(asked.get("reference", ""))[:LONGEST]


def answer(reader: Reader, content: bytes, name: str, reference: str) -> Html:
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
