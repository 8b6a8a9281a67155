"""The running page: Gradio for what is interactive, our own HTML for what is read, on one server."""

from __future__ import annotations

import gzip
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

# Before Gradio is imported: it asks strangers for its newest version and reports that it was started.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from harness import config
from harness.errors import Problem, UnavailableError
from harness.store import Store
from leaderboard import exports, frame, page_film, page_try, render
from leaderboard.addresses import Live
from leaderboard.film import Reader, configured
from leaderboard.page_tabs import TABS
from leaderboard.shelf import Shelf
from leaderboard.views import router

CACHED = 48
"""Rendered pages that are kept; the biggest, a board of a thousand systems, takes 0.1 MB compressed."""
LARGEST_QUERY = 400_000
"""Bytes of a request for an export: a thousand ids and some columns are 20 kB."""
SCRIPTS = ("colours.js", "frame.js", "film.js")
ASSETS = {"frame.css": "text/css", "live.css": "text/css"} | dict.fromkeys(SCRIPTS, "text/javascript")
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self' https://huggingface.co"
)
"""The page asks nobody but its own server for anything; Gradio needs inline scripts."""


@dataclass(slots=True)
class Site:
    """One store as it is served.

    Args:
        shelf: What is shown.
        canonical: The address under which people reach it, where that is not the server's own.
        dataset: Id of the benchmark's data set on the Hub.
        settings: The `[page]` table of the user's configuration.
        film: The generator that writes reports for uploaded films; None where there is none.
    """

    shelf: Shelf
    canonical: str = ""
    dataset: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    film: Reader | None = None
    _pages: OrderedDict[tuple[str, ...], bytes] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def page(self, query: dict[str, str]) -> bytes:
        """A rendered page, compressed; rendered once for all visitors until something lands."""
        key = (self.shelf.content().stamp, *(query.get(name, "")[:100] for name in ("tab", "board", "a", "b", "system", "part")))
        with self._lock:
            if key not in self._pages:
                made = router.render(self.shelf, query.get("tab", "board"), query, Live())
                self._pages[key] = gzip.compress(made.encode(), 6, mtime=0)
                while len(self._pages) > CACHED:
                    self._pages.popitem(last=False)
            self._pages.move_to_end(key)
            return self._pages[key]

    def export(self, kind: str, query: dict[str, str], shown: dict[str, Any]) -> exports.Export | None:
        """A file of a board or of one system; `shown` holds the rows and columns on the visitor's screen."""
        content = self.shelf.content()
        address = shown.get("address") or self.canonical
        address = str(address) if str(address).startswith(("http://", "https://")) and len(str(address)) < 2000 else ""
        if name := query.get("system"):
            board = content.board_of(name)
            row = next((row for row in board.rows if row.id == name), None) if board else None
            record = content.record(name)
            return exports.of_system(kind, board, row, record, address, self.dataset) if board and row and record else None
        board = content.board(query.get("board", ""))
        if board and isinstance(shown.get("rows"), list) and isinstance(shown.get("columns"), list):
            columns = [str(column) for column in shown["columns"]]
            board = board.pick([str(row) for row in shown["rows"]], columns, [fact for fact in render.FACTS if fact in columns])
        return exports.of_board(kind, board, address) if board else None


def open_site(store: Store, film: Reader | None = None) -> Site:
    """A store with what the user's configuration says about its page.

    Args:
        store: What is shown.
        film: The generator for films; by default the one that is configured.
    """
    settings = config.table("page")
    space = os.environ.get("SPACE_ID", "")
    canonical = settings.get("address", "") or (f"https://huggingface.co/spaces/{space}" if space else "")
    return Site(Shelf(store), canonical, settings.get("dataset", ""), settings, film or configured())


def blocks(site: Site) -> Any:
    """The Gradio app: the frame, and a panel for each tab."""
    links = {tab.name: (tab.title, f"?tab={tab.name}") for tab in TABS}
    with gr.Blocks(title=frame.NAME, analytics_enabled=False, delete_cache=(3600, 3600)) as made:
        gr.HTML(frame.frame(links, "board", site.canonical), apply_default_css=False, elem_classes="rs")
        for tab in TABS:
            with gr.Column(elem_id=f"panel-{tab.name}", elem_classes="rs-panel rs"):
                tab.build(site)
    return made


def app(site: Site) -> FastAPI:
    """The whole server: our pages and exports, and Gradio under everything else."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.add_middleware(Headers)

    @made.get("/ranscore/view")
    def view(request: Request) -> Response:
        body = site.page(dict(request.query_params))
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(body), media_type="text/html")
        return Response(body, media_type="text/html", headers={"content-encoding": "gzip", "vary": "accept-encoding"})

    @made.api_route("/ranscore/export/{kind}", methods=["GET", "POST"])
    async def export(kind: str, request: Request) -> Response:
        shown = await _shown(request) if request.method == "POST" else {}
        found = None if shown is None else await run_in_threadpool(site.export, kind, dict(request.query_params), shown)
        if found is None:
            return Response("There is no such export.", 404, media_type="text/plain")
        return Response(found.text, media_type=found.type, headers={"content-disposition": f'attachment; filename="{found.name}"'})

    if site.film and page_try.able(site.film):
        page_film.route(made, site.film)

    @made.get("/ranscore/{name}")
    def asset(name: str) -> Response:
        if name not in ASSETS:
            return Response("There is no such file.", 404, media_type="text/plain")
        return Response(frame.asset(name), media_type=ASSETS[name], headers={"cache-control": "public, max-age=31536000, immutable"})

    head = "".join(f'<link rel="stylesheet" href="ranscore/{name}?{frame.version(name)}">' for name in ("frame.css", "live.css"))
    head += "".join(f'<script src="ranscore/{name}?{frame.version(name)}" defer></script>' for name in SCRIPTS)
    return gr.mount_gradio_app(made, blocks(site), path="/", footer_links=[], head=head, max_file_size="20mb", show_error=False)  # type: ignore[no-any-return]


async def _shown(request: Request) -> dict[str, Any] | None:
    """What a visitor's page says it shows; None where it is no such thing, or far too large."""
    import json

    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_QUERY:
            return None
    try:
        found = json.loads(bytes(data))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class Headers:
    """Puts the page's security headers on every answer."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on; add to the head of an answer."""

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                ]
            await send(message)

        await self.inner(scope, receive, sending if scope["type"] == "http" else send)


def run(site: Site, host: str, port: int) -> None:
    """Serve until interrupted.

    Raises:
        UnavailableError: The port is taken.
    """
    import socket

    import uvicorn

    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(Problem(f"nothing can listen on {host}:{port} ({error.strerror})", "Choose another --port")) from None
    shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - only told apart
    site.shelf.content()
    print(f"The board is at http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    server = uvicorn.Server(uvicorn.Config(app(site), log_level="warning", access_log=False))
    server.run(sockets=[listener])
