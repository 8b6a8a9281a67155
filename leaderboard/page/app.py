"""The running page: Gradio for what is interactive, our own HTML for what is read, on one server."""

from __future__ import annotations

import gzip
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

# Before Gradio is imported: it asks strangers for its newest version and reports that it was started.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from harness.errors import Problem, RanscoreError, UnavailableError
from harness.home import config, home
from harness.records.store import Store
from leaderboard.content import Shelf
from leaderboard.exports import kinds, tables
from leaderboard.films.reader import Reader, configured
from leaderboard.html import frame
from leaderboard.html.addresses import Live
from leaderboard.hub import repository
from leaderboard.page import answers, body, door, origins, person, submit, try_it
from leaderboard.page import film as page_film
from leaderboard.page.body import Refusal, Uploads
from leaderboard.page.guard import Guard
from leaderboard.page.origins import Own
from leaderboard.page.person import People
from leaderboard.page.tabs import TABS
from leaderboard.views import router
from submissions.desk import Desk

CACHED = 48
"""Rendered pages that are kept; the biggest, a board of a thousand systems, takes 0.1 MB compressed."""
LARGEST_QUERY = 400_000
"""Bytes of a request for an export: a thousand ids and some columns are 20 kB."""
MOST_SHOWN = 20_000
"""Rows or columns of such a request."""
SCRIPTS = ("colours.js", "frame.js", "film.js", "try.js", "submit.js")
ASSETS = {"frame.css": "text/css", "live.css": "text/css"} | dict.fromkeys(SCRIPTS, "text/javascript")


@dataclass(slots=True)
class Site:
    """One store as it is served.

    Args:
        shelf: What is shown.
        canonical: The address under which people reach it, where that is not the server's own.
        dataset: Id of the benchmark's data set on the Hub.
        settings: The `[page]` table of the user's configuration.
        film: The generator that writes reports for uploaded films; None where there is none.
        own: The names and origins that the page answers to.
    """

    shelf: Shelf
    canonical: str = ""
    dataset: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    film: Reader | None = None
    own: Own = field(default_factory=Own)
    _desk: Desk | None = None
    _pages: OrderedDict[tuple[str, ...], bytes] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def desk(self) -> Desk:
        """Where submissions are handed in: the board's folder around the store."""
        self._desk = self._desk or repository.open_desk(self.shelf.store.root.parent)
        return self._desk

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

    def export(self, kind: str, query: dict[str, str], shown: Mapping[str, Any]) -> kinds.Export | None:
        """A file of a board or of one system; `shown` holds the rows and columns on the visitor's screen.

        Raises:
            Refusal: `shown` has another shape.
        """
        content = self.shelf.content()
        rows, columns = (body.texts(shown, key, MOST_SHOWN, 200) for key in ("rows", "columns"))
        address = body.text(shown, "address", 2000) or self.canonical
        address = address if address.startswith(("http://", "https://")) else ""
        if name := query.get("system"):
            board = content.board_of(name)
            row = next((row for row in board.rows if row.id == name), None) if board else None
            record = content.record(name)
            return kinds.of_system(kind, board, row, record, address, self.dataset) if board and row and record else None
        board = content.board(query.get("board", ""))
        if board and rows is not None and columns is not None:
            board = board.pick(list(rows), list(columns), [fact for fact in tables.FACTS if fact in columns])
        return kinds.of_board(kind, board, address) if board else None


def open_site(store: Store, film: Reader | None = None) -> Site:
    """A store with what the user's configuration says about its page.

    Args:
        store: What is shown.
        film: The generator for films; by default the one that is configured.

    Raises:
        InputError: The configuration is no TOML, or names an address that is none.
    """
    settings = dict(config().get("page", {}))
    space = os.environ.get("SPACE_ID", "")
    own = origins.of(settings, str(home() / "config.toml"))
    canonical = str(settings.get("address", "")) or (f"https://huggingface.co/spaces/{space}" if space else "")
    return Site(Shelf(store), canonical, str(settings.get("dataset", "")), settings, film or configured(), own)


def blocks(site: Site) -> Any:
    """The Gradio app: the frame, and a panel for each tab."""
    links = {tab.name: (tab.title, f"?tab={tab.name}") for tab in TABS}
    with gr.Blocks(title=frame.NAME, analytics_enabled=False) as made:
        gr.HTML(frame.frame(links, "board", site.canonical), apply_default_css=False, elem_classes="rs")
        for tab in TABS:
            with gr.Column(elem_id=f"panel-{tab.name}", elem_classes="rs-panel rs"):
                tab.build(site)
    return made


def app(site: Site) -> Guard:
    """The whole server: our routes, and Gradio under everything else; around both the layer that lets in what is listed alone."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    people = People(site.own.space)
    if site.own.space:
        person.add_login(made)
    answer_in_words(made)
    uploads = Uploads()
    _routes(made, site, uploads)
    try_it.route(made, uploads)
    door.route(made, site.desk, people, uploads)
    if site.film and try_it.able(site.film):
        page_film.route(made, site.film)
    submit.start(site.desk)
    return Guard(_with_gradio(made, site), site.own)


def answer_in_words(made: FastAPI) -> None:
    """Have every error of a route answered as JSON, in words that quote nothing."""
    for kind in (RanscoreError, Refusal, OSError, Exception):
        made.add_exception_handler(kind, lambda _, error: answers.refusal(error))


def _routes(made: FastAPI, site: Site, uploads: Uploads) -> None:
    """Pages, exports, style sheets and scripts."""

    @made.get("/ranscore/view")
    def view(request: Request) -> Response:
        made = site.page(dict(request.query_params))
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(made), media_type="text/html")
        return Response(made, media_type="text/html", headers={"content-encoding": "gzip", "vary": "accept-encoding"})

    @made.api_route("/ranscore/export/{kind}", methods=["GET", "POST"])
    async def export(kind: str, request: Request) -> Response:
        shown = body.parsed(await uploads.read(request, LARGEST_QUERY)) if request.method == "POST" else {}
        found = await run_in_threadpool(site.export, kind, dict(request.query_params), shown)
        if found is None:
            return Response("There is no such export.", 404, media_type="text/plain")
        return Response(found.text, media_type=found.type, headers={"content-disposition": f'attachment; filename="{found.name}"'})

    @made.get("/ranscore/{name}.{kind}")
    def asset(name: str, kind: str) -> Response:
        if (file := f"{name}.{kind}") not in ASSETS:
            return Response("There is no such file.", 404, media_type="text/plain")
        return Response(frame.asset(file), media_type=ASSETS[file], headers={"cache-control": "public, max-age=31536000, immutable"})


def _with_gradio(made: FastAPI, site: Site) -> Any:
    """The server with Gradio's page under all other addresses.

    None of Gradio's components on it calls the server: whatever is sent goes through routes of our own. Its checks of paths are on besides.
    """
    panels = blocks(site)
    head = "".join(f'<link rel="stylesheet" href="ranscore/{name}?{frame.version(name)}">' for name in ("frame.css", "live.css"))
    head += "".join(f'<script src="ranscore/{name}?{frame.version(name)}" defer></script>' for name in SCRIPTS)
    whole = gr.mount_gradio_app(
        made,
        panels,
        path="/",
        footer_links=[],
        head=head,
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        allowed_paths=[],
        blocked_paths=[Path.cwd().anchor],
        max_file_size=0,
        show_error=False,
    )
    panels.has_launched = True
    return whole


def run(site: Site, host: str, port: int) -> None:
    """Serve until interrupted.

    Raises:
        UnavailableError: The port is taken, or a Space lacks what the Hub's login needs.
    """
    import socket

    import uvicorn

    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(Problem(f"nothing can listen on {host}:{port} ({error.strerror})", "Choose another --port")) from None
    shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - only told apart
    site.shelf.content()
    whole = app(site)
    print(f"The board is at http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    server = uvicorn.Server(uvicorn.Config(whole, log_level="warning", access_log=False, ws="none", server_header=False))
    server.run(sockets=[listener])
