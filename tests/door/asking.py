"""Requests as an attacker writes them: byte by byte, with whatever host and headers."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

MARKER = "QXZMARKERJWV"
"""Is in every file and token that no answer may hold."""
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Way:
    """How a page is reached."""

    port: int
    host: str
    """The `Host` header that its visitors send."""
    origin: str
    """The `Origin` that its own pages send."""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; none holds the marker."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(way: Way, method: str, path: str, headers: Pairs = (), body: bytes | None = None, host: str | None = None) -> Answer:
    """One request on a connection of its own.

    Args:
        way: Which page, and how.
        method: Any word.
        path: Put behind the prefix as it is.
        headers: Besides `Host` and the length.
        body: None for a request without one.
        host: Another `Host`; empty for none.
    """
    host = way.host if host is None else host
    given = [("Host", host)] if host else []
    names = {name.lower() for name, _ in headers}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        given.append(("Content-Length", str(len(body))))
    lines = [f"{method} {way.prefix}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*given, *headers)), "Connection: close"]
    return raw(way.port, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))


def raw(port: int, sent: bytes) -> Answer:
    """Send bytes and read one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was whole; the answer may be there all the same
            connection.sendall(sent)
        answer = http.client.HTTPResponse(connection, method=sent.split(b" ", 1)[0].decode("latin-1"))
        try:
            answer.begin()
            body = answer.read()
        except (ConnectionResetError, http.client.HTTPException):
            return Answer(0, {}, b"")
    found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
    assert MARKER.encode() not in body and MARKER not in str(found.headers)
    return found


def own(way: Way) -> list[tuple[str, str]]:
    """What a browser says of a request by the page's own script."""
    return [("Origin", way.origin), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")]


def upload(content: bytes, **head: Any) -> bytes:
    """The body of a hand-in."""
    asked = {"name": "birch.jsonl", "cohort": "synthetic", "card": {"name": "Birch"}, "agreed": False, "looked": False, "dry": True}
    return json.dumps({**asked, **head}).encode() + b"\n" + content


OCTETS = [("Content-Type", "application/octet-stream"), ("X-Ranscore", "1")]
JSON = [("Content-Type", "application/json"), ("X-Ranscore", "1")]


def hand_in(way: Way, content: bytes, headers: Pairs = (), **head: Any) -> Answer:
    """Submit as the page's script does."""
    return ask(way, "POST", "/ranscore/hand-in", [*OCTETS, *own(way), *headers], upload(content, **head))
