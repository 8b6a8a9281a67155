"""What a request carries: read into memory within bounds of size, time and memory in all, and never into a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from harness.errors import Problem

Answer = TypeVar("Answer")
WINDOW = 10.0
"""Seconds in which `LEAST` bytes must come, or the end."""
LEAST = 200_000
HELD = 256_000_000
"""Bytes of all uploads that are not complete yet; beyond them the one that began first is ended."""


class Refusal(Exception):  # noqa: N818 - an answer
    """A request that is answered with a status and one sentence.

    Args:
        status: The HTTP status.
        problem: What is wrong with it.
    """

    def __init__(self, status: int, problem: Problem) -> None:
        self.status, self.problem = status, problem
        super().__init__(str(problem))


SLOW = Problem("the upload comes too slowly, or the page is short of memory", "Try again")
BUSY = Problem("as many requests as this page takes are waiting already", "Try again in a minute")


@dataclass(eq=False, slots=True)
class _Upload:
    """One body that is being read."""

    data: bytearray = field(default_factory=bytearray)
    limit: asyncio.Timeout | None = None


@dataclass(slots=True)
class Uploads:
    """All bodies that are being read, in the order in which they began."""

    held: int = HELD
    _now: list[_Upload] = field(default_factory=list)

    async def read(self, request: Request, most: int) -> bytes:
        """The body of a request.

        Args:
            request: A request whose body nobody has read.
            most: Bytes that are allowed.

        Raises:
            Refusal: It is larger, comes too slowly, or others that came later need its memory.
        """
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > most:
            raise _too_large(most)
        self._now.append(upload := _Upload())
        stream = aiter(request.stream())
        try:
            while await self._window(upload, stream, most):
                pass
            return bytes(upload.data)
        except TimeoutError:
            raise Refusal(408, SLOW) from None
        except ClientDisconnect:
            raise Refusal(400, Problem("the upload was cut off")) from None
        finally:
            self._now.remove(upload)

    async def _window(self, upload: _Upload, stream: Any, most: int) -> bool:
        """Read until enough has come for one window of time; whether there may be more."""
        enough = len(upload.data) + LEAST
        async with asyncio.timeout(WINDOW) as upload.limit:
            while len(upload.data) < enough:
                chunk = await anext(stream, None)
                if chunk is None:
                    return False
                upload.data += chunk
                if len(upload.data) > most:
                    raise _too_large(most)
                self._make_room()
        return True

    def _make_room(self) -> None:
        """End the uploads that began first while all of them hold too much."""
        held = sum(len(upload.data) for upload in self._now)
        for upload in self._now:
            if held <= self.held:
                return
            held -= len(upload.data)
            if upload.limit and not upload.limit.expired():
                upload.limit.reschedule(0.0)


def _too_large(most: int) -> Refusal:
    return Refusal(413, Problem(f"it holds more than {most:,} bytes, which is what this page reads", "Send a smaller one"))


@dataclass(slots=True)
class JobQueue:
    """Jobs of visitors, of which a few are done at once, each in a thread, and some more may wait.

    Args:
        at_once: Jobs that are done at the same time.
        waiting: Jobs of all visitors, those that are done included.
        each: Jobs of one visitor.
    """

    at_once: int
    waiting: int
    each: int
    _present: list[str] = field(default_factory=list)
    _limit: anyio.CapacityLimiter | None = None

    async def run(self, visitor: str, job: Callable[[], Answer]) -> Answer:
        """Wait and do a job.

        Raises:
            Refusal: Too many wait already.
        """
        if len(self._present) >= self.waiting or self._present.count(visitor) >= self.each:
            raise Refusal(503, BUSY)
        self._limit = self._limit or anyio.CapacityLimiter(self.at_once)
        self._present.append(visitor)
        try:
            return await anyio.to_thread.run_sync(job, limiter=self._limit)
        finally:
            self._present.remove(visitor)


def parsed(data: bytes | bytearray) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        Refusal: It is no JSON, something else than an object, nested too deeply, or names a key twice.
    """
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, Problem("what was sent is not a JSON object", "Send one object, in UTF-8, with each key once"))
    return found


def _refuse(name: str) -> None:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def known(data: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
    """Check that an object has no other keys than these.

    Raises:
        Refusal: It has.
    """
    if set(data) - set(keys):
        raise Refusal(400, Problem(f"{what} holds a key that is not known", f"It has {', '.join(keys)}"))


def text(data: Mapping[str, Any], key: str, most: int, default: str = "") -> str:
    """A text of an object; the default where it is left out or null.

    Raises:
        Refusal: It is of another kind, longer, or holds half a character.
    """
    found = data.get(key)
    if found is None:
        return default
    if not isinstance(found, str) or len(found) > most or any("\ud800" <= char <= "\udfff" for char in found):
        raise Refusal(400, Problem(f"{key} is not a text of at most {most:,} characters", "Send it as a JSON string"))
    return found


def texts(data: Mapping[str, Any], key: str, many: int, most: int) -> tuple[str, ...] | None:
    """A list of texts of an object; None where it is left out or null.

    Raises:
        Refusal: It is of another kind or longer.
    """
    found = data.get(key)
    if found is None:
        return None
    if not isinstance(found, list) or len(found) > many or None in found:
        raise Refusal(400, Problem(f"{key} is not a list of at most {many:,} texts", "Send it as a JSON list"))
    return tuple(text({key: item}, key, most) for item in found)


def flag(data: Mapping[str, Any], key: str) -> bool:
    """A yes or no of an object; no where it is left out or null.

    Raises:
        Refusal: It is something else.
    """
    found = data.get(key)
    if found is None or isinstance(found, bool):
        return bool(found)
    raise Refusal(400, Problem(f"{key} is neither true nor false", "Send it as a JSON boolean"))
