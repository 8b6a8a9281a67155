"""The outermost layer of the page: it answers listed addresses alone, under its own names, to its own pages.

What is not listed here does not exist for a visitor, whatever the server behind it offers. Gradio's own routes take paths, addresses and
files from the request, so none of them is listed but the page itself and its scripts, styles and fonts.
"""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from harness.errors import Problem
from leaderboard.page import index
from leaderboard.page.answers import refused
from leaderboard.page.origins import Own, netloc

READ, SEND = ("GET",), ("POST",)
LISTED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("GET", "HEAD"), r"/"),
    (READ, r"/theme\.css|/favicon\.ico"),
    (READ, r"/assets/[\w-][\w.-]*|/static/(?:js|img|fonts/\w+)/[\w-][\w.-]*"),
    (READ, r"/ranscore/[a-z]+\.(?:css|js)"),
    (READ, r"/healthz|/metrics"),
    (READ, r"/ranscore/(?:view|door|example|person)"),
    (READ, r"/ranscore/receipt/[\w-]{1,64}"),
    (READ, r"/ranscore/film/[0-9]{1,6}"),
    (("GET", "POST"), r"/ranscore/export/[a-z-]{1,40}"),
    (SEND, r"/ranscore/(?:try|film|hand-in|withdraw)"),
)
"""Methods and path of every request that is answered."""
LOGIN = (READ, r"/login/(?:huggingface|callback)|/logout")
"""On a Space as well."""
KEPT = r"/ranscore/(?:hand-in|withdraw)"
"""What changes something that is kept; it needs the header `HEADER`, which another site's page cannot send without asking first."""
HEADER = "x-ranscore"
BODIES = ("application/json", "application/octet-stream")
"""Another site's page cannot send these without asking first either; a form can send neither."""
PASSED_ON = (b"host", b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
"""Headers that Gradio gets to see: it believes what others say of hosts, tokens and sessions."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The layer around the whole server.

    Args:
        inner: The server.
        own: The names and origins of the page.
    """

    inner: Any
    own: Own

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            inside = _without_prefix(scope, scope.get("root_path") or self.own.prefix)
            answer = refusal(inside, self.own) or _only_what_gradio_needs(inside, self.inner, self.own)
            await _guarded(answer, inside, receive, _with_headers(send, self.own))


def refusal(scope: Any, own: Own) -> Response | None:
    """Why a request is not answered; None where it is."""
    headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
    if not answers_to(headers.getlist("host"), scope.get("server"), own):
        return said(path, 421, "this page does not answer to this name", "Those who run it can add it to [page] origins in config.toml")
    if own.prefix and path == own.prefix:
        return RedirectResponse(f"{path}/", 308)
    methods = [name for names, pattern in (*LISTED, *([LOGIN] if own.space else [])) if fits(pattern, path) for name in names]
    if not methods:
        return said(path, 404, "there is no such page")
    if not _is_from_own_page(headers, method, own):
        remedy = "Those who run it can add the address under which you reach it to [page] origins in config.toml"
        return said(path, 403, "only this page itself may ask for this, not another site's", remedy)
    if method not in methods:
        answer = said(path, 405, f"this address is asked with {' or '.join(methods)}")
        answer.headers["allow"] = ", ".join(methods)
        return answer
    return _not_sendable(headers, path) if method == "POST" else None


def _not_sendable(headers: Headers, path: str) -> Response | None:
    """What is wrong with the head of a request that carries something."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() not in BODIES:
        return said(path, 415, f"the content type is neither {' nor '.join(BODIES)}", "Send one of them")
    if fits(KEPT, path) and headers.get(HEADER) != "1":
        return said(path, 403, f"the header {HEADER} is not there", f"Send {HEADER}: 1")
    return None


def fits(pattern: str, path: str) -> bool:
    """Whether a path is one of those that a pattern describes."""
    return re.fullmatch(pattern, path, re.ASCII) is not None


def said(path: str, status: int, what: str, remedy: str = "") -> Response:
    """A refusal: as JSON where the page's scripts ask, else as plain text."""
    problem = Problem(what, remedy)
    return refused(status, [problem]) if path.startswith("/ranscore/") else PlainTextResponse(f"{problem}\n", status)


def answers_to(hosts: list[str], server: Any, own: Own) -> bool:
    """Whether the `Host` header is one of the page's names, so that no stranger's name can be pointed at this machine.

    Args:
        hosts: The values of the header: there must be one.
        server: Address and port at which the request arrived.
        own: The names of the page. Addresses in digits are always allowed where the page listens for others: no name resolves to them.
    """
    name = netloc(hosts[0])[0] if len(hosts) == 1 else ""
    if name in own.names:
        return True
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        return False
    return address.is_loopback or not _is_loopback(server)


def _is_loopback(server: Any) -> bool:
    try:
        return ip_address(server[0]).is_loopback
    except (TypeError, ValueError):
        return False


def _is_from_own_page(headers: Headers, method: str, own: Own) -> bool:
    """Whether a page of this server asks, or no browser at all; a link from elsewhere may open a page and no more."""
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site", "none")
    if origins and all(origin in own.origins for origin in origins):
        return True
    if not all(own.is_same(origin, headers["host"]) for origin in origins):
        return False
    return site in ("same-origin", "none") or (method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate")


def _without_prefix(scope: Any, prefix: str) -> Any:
    """The request as if the page had no prefix: a proxy may take it off or leave it on."""
    path = scope["path"]
    if not prefix or not path.startswith(f"{prefix}/"):
        return scope
    return {**scope, "path": path[len(prefix) :], "raw_path": path[len(prefix) :].encode(), "root_path": ""}


def _only_what_gradio_needs(scope: Any, inner: Any, own: Own) -> Any:
    """The server; Gradio's own part of it sees no query, no cookie and few headers."""
    path = scope["path"]
    if path.startswith("/ranscore/") or fits(LOGIN[1], path):
        return inner
    asked = {**scope, "query_string": b"", "headers": [(name, value) for name, value in scope["headers"] if name in PASSED_ON]}

    async def without(_: Any, receive: Any, send: Any) -> None:
        if path == "/":
            await index.answer(inner, asked, receive, send, own.frames)
        else:
            await inner(asked, receive, send)

    return without


def _with_headers(send: Any, own: Own) -> Any:
    """Sends an answer with the security headers, and without permissions for other sites."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if not name.lower().startswith(b"access-control-")]
            has = {name.lower() for name, _ in kept}
            added = ((name.encode(), value.encode()) for name, value in own.headers().items())
            message = {**message, "headers": [*kept, *((name, value) for name, value in added if name not in has)]}
        await send(message)

    return sending


async def _guarded(answer: Any, scope: Any, receive: Any, send: Any) -> None:
    """Answer; a fault of the program is answered in words and logged by its place alone, because its message may quote a report."""
    started = False

    async def sending(message: Any) -> None:
        nonlocal started
        started = started or message["type"] == "http.response.start"
        await send(message)

    try:
        await answer(scope, receive, sending)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"ranscore: the page failed with {type(error).__name__} at {place.filename}:{place.lineno}", file=sys.stderr, flush=True)
        if not started:
            what = f"something failed that should not ({type(error).__name__})"
            await said(scope["path"], 500, what, "Tell those who run the page")(scope, receive, send)
