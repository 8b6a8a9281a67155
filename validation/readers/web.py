"""What both servers of sheets share: who may ask, the headers of every answer, and starting to listen."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from harness.errors import InputError, Problem, RefusedError, UnavailableError, UsageError
from harness.types import Access

LARGEST = 2_000_000
"""Bytes of one request: all answers of a sheet of a thousand reports."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """Where a server listens."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    """PEM, with `key`; without it the pages are sent unencrypted."""
    key: Path | None = None
    address: str = ""
    """The address under which readers reach it, where that is not the server's own (a proxy, a name)."""
    known: set[str] = field(default_factory=set)
    """Values of the header Host that are answered; filled when the port is known."""

    @property
    def scheme(self) -> str:
        """`https` with a certificate."""
        return "https" if self.certificate else "http"

    def check(self, access: Access) -> None:
        """Refuse to send credentialed text over a network in the clear.

        Raises:
            RefusedError: It would be.
            UsageError: One of certificate and key lacks the other, or the address is none.
        """
        if bool(self.certificate) != bool(self.key):
            raise UsageError("--certificate and --key belong together")
        if self.address and (urlsplit(self.address).scheme not in {"http", "https"} or not urlsplit(self.address).netloc):
            raise UsageError(f"{self.address!r} is no address; write it as https://readers.example.org")
        safe = self.certificate is not None or self.address.startswith("https://")
        if access is Access.CREDENTIALED and self.host not in LOOPBACK and not safe:
            what = "the reports are credentialed, and other machines would receive them unencrypted"
            raise RefusedError(Problem(what, "Give --certificate and --key, or --address https://... where a proxy encrypts"))

    def listening(self, port: int) -> str:
        """The address to print; also decides which Host headers are answered."""
        names = {self.host, *(LOOPBACK if self.host in LOOPBACK else ())}
        self.known.update(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)
        if self.address:
            self.known.add(urlsplit(self.address).netloc.lower())
            return self.address.rstrip("/")
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}:{port}"


def app(place: ListenAddress, routes: Mapping[tuple[str, str], Handler]) -> web.Application:
    """An application with the rules of every page of ours.

    Only the own names are answered (against DNS rebinding), a foreign page can ask for nothing (Origin), nothing is kept by a browser or a
    proxy, nothing is framed, and an error says no more than its number.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _allowed(request, place):
            return _headers(web.Response(status=403, text="This page answers only under its own address."))
        try:
            return _headers(await handler(request))
        except web.HTTPException as error:
            return _headers(web.Response(status=error.status, text=error.reason))
        except Exception as error:
            # The exception may hold an answer or a text: its kind is all that is said.
            print(f"ranscore: a request failed ({type(error).__name__})", flush=True)
            return _headers(web.Response(status=500, text="The request failed."))

    made = web.Application(middlewares=[guard], client_max_size=LARGEST)
    for (method, path), handler in routes.items():
        made.router.add_route(method, path, handler)
    return made


def _allowed(request: web.Request, place: ListenAddress) -> bool:
    host = request.headers.get("Host", "").lower()
    if host not in place.known:
        return False
    origin = request.headers.get("Origin")
    if request.method in {"GET", "HEAD"}:
        # A link in a mail leads here from another site; a picture, a frame or a script of another site does not.
        opened = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")) == ("navigate", "document")
        return opened or request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
    if origin is not None and urlsplit(origin).netloc.lower() != host:
        return False
    return request.content_type == "application/json" and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def _headers(answer: web.StreamResponse) -> web.StreamResponse:
    answer.headers.update(
        {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
    )
    answer.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return answer


def page(document: str, policy: str) -> web.Response:
    """A page of ours."""
    return web.Response(text=document, content_type="text/html", headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})


async def asked(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; 400 where it is none, 413 where it is too large."""
    data = await request.read()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest
    return found


def run(place: ListenAddress, made: web.Application, tell: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        place: Where.
        made: From `app`.
        tell: Is given the server's address as soon as it listens.

    Raises:
        UnavailableError: Nothing can listen there.
        InputError: The certificate cannot be read.
    """
    import socket

    try:
        listener = socket.create_server((place.host, place.port), family=socket.AF_INET6 if ":" in place.host else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(
            Problem(f"nothing can listen on {place.host}:{place.port} ({error.strerror})", "Choose another --port")
        ) from None
    tell(place.listening(listener.getsockname()[1]))
    # It quotes what strangers send. The guard prints what went wrong in a request.
    logging.getLogger("aiohttp.server").disabled = True
    web.run_app(made, sock=listener, ssl_context=_context(place), print=None, access_log=None, handle_signals=True)


def _context(place: ListenAddress) -> ssl.SSLContext | None:
    if place.certificate is None or place.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(place.certificate, place.key)
    except (OSError, ssl.SSLError):
        raise InputError(Problem("certificate and key cannot be read", "Give both as PEM files", str(place.certificate))) from None
    return context
