"""Asks OpenAI-compatible servers: several at once, as fast as they like, and again where asking again can help.

Nothing that a server or the network says goes into an error or a log: it may repeat a report. Redirects, proxies and cookies are not
followed, used or kept, so text goes to the servers that were named and nowhere else. Every question has a connection of its own: on a
connection that is kept, a server or a proxy that answers once too often has that answer read as the answer to the next question.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

import aiohttp

from harness.errors import Problem, UnavailableError
from harness.extractors.llm.endpoint import Endpoint
from harness.extractors.llm.gate import Gate
from harness.extractors.llm.parser import GarbageError, ModelReply, document, reply
from harness.types import Json

NOTICE = 5.0
"""Seconds without any answer after which a message says what is waited for."""

ATTEMPTS = 5
"""How often one question is asked when the server fails on it; being busy or out of reach does not count."""
LARGEST = 1_000_000
"""Bytes of an answer that are read; more is garbage. As Python objects they can take some 40 times that."""
LONGEST_ASKED = 999_999.0
"""Seconds; a server that asks for more is taken to ask for this."""
REJECTIONS = 10
"""Questions refused as malformed, with none answered, after which a server is not asked again."""
UNREACHABLE = "it cannot be reached, or breaks off"
BUSY = "it is busy, or takes too long"
GARBAGE = "its answer is no chat completion"
PACKED = "it compresses its answers although it is asked not to"
LONG = f"its answer is longer than {LARGEST} bytes"
REFUSED = "it refuses the question"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one question."""

    reply: ModelReply | None
    """None where the question failed for good."""
    server: str


class _BusyError(Exception):
    """The server is asked too much."""

    def __init__(self, wait: float | None, counts: bool = False) -> None:
        self.wait = wait
        self.counts = counts


class _BrokenError(Exception):
    """The server failed; asking again may help."""

    def __init__(self, what: str = "", reached: bool = True) -> None:
        """What the server did may be shown, in words of our own."""
        self.what = what
        self.reached = reached


class _RejectedError(Exception):
    """The server will not have this question, however often it is asked."""


class _UnfitError(Exception):
    """No question should go to this server; the message may be shown."""


class Client:
    """Asks questions of a set of servers. Use as an asynchronous context manager."""

    def __init__(self, endpoints: Sequence[Endpoint], model: str, timeout: float = 120.0, patience: float = 300.0) -> None:
        """Prepare; nothing is sent yet.

        Args:
            endpoints: The servers, already permitted.
            model: What they call the model, where an endpoint does not say otherwise.
            timeout: Seconds for one answer.
            patience: Seconds without any answer from any server after which the run is given up.
        """
        self.gates = [Gate(endpoint) for endpoint in endpoints]
        self._model = model
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(10.0, timeout))
        self._patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._session: aiohttp.ClientSession | None = None
        self._heard = 0.0
        self._told = False

    async def __aenter__(self) -> Client:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trust_env=False,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
        )
        self._heard = asyncio.get_running_loop().time()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, body: Callable[[Endpoint], Json]) -> Told:
        """Ask one question, of whichever server is free, and again where that can help.

        Args:
            body: Makes the request for a server.

        Raises:
            UnavailableError: No server can be asked any more.
        """
        attempts = 0
        while True:
            gate = await self._gate()
            started = self._now()
            try:
                found = await self._post(gate.endpoint, body(gate.endpoint))
                gate.answer()
                self._heard = self._now()
                return Told(found, gate.endpoint.place)
            except _BusyError as error:
                gate.busy(self._now(), started, error.wait)
                gate.trouble = BUSY
                attempts += error.counts
            except _BrokenError as error:
                gate.fail(self._now(), started, not error.reached)
                gate.trouble = error.what or UNREACHABLE
                attempts += error.reached
            except _RejectedError:
                gate.rejected += 1
                if gate.answered or gate.rejected < REJECTIONS:
                    return Told(None, gate.endpoint.place)
                gate.closed = "it refuses every question as malformed; `ranscore extractor check` says which part of it"
            except _UnfitError as error:
                gate.closed = str(error)
            finally:
                gate.running -= 1
                self._wake()
            if attempts >= ATTEMPTS:
                return Told(None, gate.endpoint.place)

    async def get(self, endpoint: Endpoint, path: str) -> Json | None:
        """Read a page of a server, such as `/models`; None where it has none."""
        try:
            return (await self._request("GET", endpoint, path, None))[0]
        except (_BusyError, _BrokenError, _RejectedError, _UnfitError, GarbageError):
            return None

    async def once(self, endpoint: Endpoint, body: Json) -> ModelReply | str:
        """Ask one server once; what went wrong, in words that may be shown, where something did."""
        try:
            return await self._post(endpoint, body)
        except _BusyError:
            return BUSY
        except _BrokenError as error:
            return error.what or UNREACHABLE
        except _RejectedError:
            return REFUSED
        except _UnfitError as error:
            return str(error)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _gate(self) -> Gate:
        """A server that is free; waits for one.

        Raises:
            UnavailableError: No server may be asked any more, or none has answered or will answer within the patience.
        """
        while True:
            now = self._now()
            usable = [gate for gate in self.gates if not gate.closed]
            if not usable:
                raise UnavailableError([Problem(f"{gate.endpoint.place}: {gate.closed}") for gate in self.gates])
            self._tell(now, usable)
            free = [gate for gate in usable if gate.free(now)]
            if free:
                gate = min(free, key=lambda one: one.running / one.window)
                gate.running += 1
                return gate
            await self._wait(min((gate.open_at for gate in usable if gate.open_at > now), default=now + 5.0) - now)

    def _tell(self, now: float, usable: Sequence[Gate]) -> None:
        """Say what is waited for, and give the run up where it is waited for in vain."""
        end = self._heard + self._patience
        if now - self._heard > NOTICE and not self._told:
            self._told = True
            places = ", ".join(gate.endpoint.place for gate in usable)
            print(f"ranscore: note: no answer from {places} yet; waiting up to {self._patience:.0f} seconds", file=sys.stderr)
        later = all(gate.asked_until > end and not gate.running for gate in usable)
        if now > end or later:
            raise UnavailableError([_in_vain(gate, now, later, self._patience) for gate in usable])

    async def _wait(self, longest: float) -> None:
        """Wait until a server is released, at most some seconds."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait([future], timeout=min(max(0.001, longest), NOTICE))
        if not future.done():
            future.cancel()

    def _wake(self) -> None:
        """A server was released, and may take more than before: let as many waiters look as there is room for."""
        now = self._now()
        room = sum(max(1, int(gate.window)) - gate.running for gate in self.gates if gate.free(now))
        while self._waiting and room > 0:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                room -= 1

    async def _post(self, endpoint: Endpoint, body: Json) -> ModelReply:
        """Ask once; whatever answers under another name than the one asked for ends the run, so no run has two models."""
        try:
            found = reply(*await self._request("POST", endpoint, "/chat/completions", body))
        except GarbageError:
            raise _BrokenError(GARBAGE) from None
        asked = str(body["model"])
        if found.model and not same_model(found.model, asked):
            raise _UnfitError(
                f"another model, or another version, answers than {asked}, which was asked for; say its whole name with --model, or "
                f"as `model` of this server in config.toml (`curl {endpoint.url}/models` lists the names)"
            )
        return found

    async def _request(self, method: str, endpoint: Endpoint, path: str, body: Json | None) -> tuple[Json, bool]:
        """The JSON object that comes back, and whether a key is repeated in it."""
        assert self._session is not None
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with self._session.request(method, endpoint.url + path, data=data, headers=headers, allow_redirects=False) as response:
                _check(response)
                return document(await _content(response))
        except TimeoutError:
            raise _BusyError(None, counts=True) from None
        except aiohttp.ClientConnectorError:
            raise _BrokenError(reached=False) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise _BrokenError from None


def _in_vain(gate: Gate, now: float, later: bool, patience: float) -> Problem:
    """Why a run that waits for a server is given up."""
    place = gate.endpoint.place
    if later:
        wait = gate.asked_until - now
        what = f"{place} asks to be left alone for {wait:.0f} seconds; a run waits {patience:.0f} seconds without any answer, at most"
        return Problem(what, "Run the command again when it is free: it continues where it stopped")
    last = f" (at last: {gate.trouble})" if gate.trouble else ""
    return Problem(
        f"no answer came from {place} in {patience:.0f} seconds{last}",
        "Start the server and run the command again: it continues where it stopped",
    )


def same_model(said: str, asked: str) -> bool:
    """Whether a server's name for the model is the one that was asked for.

    Two names are equal where they are the same, letter by letter, or where the server adds `@main` (`transformers serve` does so for
    the newest weights of a name). A date or a version behind the name is another model.
    """
    return said in (asked, f"{asked}@main")


def _check(response: aiohttp.ClientResponse) -> None:
    """Sort a status into what can be done about it."""
    status = response.status
    if status == 200:
        return
    if status in (429, 503):
        raise _BusyError(_retry_after(response.headers.get("Retry-After", "")))
    if status >= 500 or status in (408, 409, 425):
        raise _BrokenError
    if 300 <= status < 400:
        raise _UnfitError("it redirects elsewhere, and redirects are not followed; name the address it redirects to")
    if status in (401, 403):
        raise _UnfitError("it wants a key; put it into the environment variable RANSCORE_API_KEY")
    if status in (404, 405):
        raise _UnfitError("it does not know the model or the address; name the served model with --model, and end the address with /v1")
    if status == 402:
        raise _UnfitError("it wants to be paid")
    raise _RejectedError


def _retry_after(value: str) -> float | None:
    """Seconds to wait, from a number or a date; None where it is neither."""
    value = value.strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return min(float(value), LONGEST_ASKED)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, wait), LONGEST_ASKED)


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """The body as it was sent, up to `LARGEST` bytes; one that is compressed is not read at all."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise _BrokenError(PACKED)
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > LARGEST:
            raise _BrokenError(LONG)
    return bytes(data)
