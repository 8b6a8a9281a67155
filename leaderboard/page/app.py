"""The running page: Gradio for what is interactive, our own HTML for what is read, on one server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

# Before Gradio is imported: it asks strangers for its newest version and reports that it was started.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI, Response

from harness import config
from harness.config.home import home
from harness.errors import Problem, RanscoreError, UnavailableError
from harness.records.store import Store
from leaderboard.content import BoardContent
from leaderboard.films.reader import FilmReader, configured
from leaderboard.html import frame
from leaderboard.hub import repository
from leaderboard.page import answers, door, origins, person, status, submit, try_it, views, visitor
from leaderboard.page import film as page_film
from leaderboard.page.body import Refusal, Uploads
from leaderboard.page.connection import Connection, allow_many
from leaderboard.page.guard import Guard
from leaderboard.page.origins import Own
from leaderboard.page.person import People
from leaderboard.page.tabs import TABS
from leaderboard.page.views import Views
from submissions.board_folder import BoardFolder

SCRIPTS = ("colours.js", "frame.js", "film.js", "try.js", "submit.js")
LAST_SECONDS = 20
"""After SIGTERM the page takes no new request and gives those under way so long to end."""
QUEUE_SECONDS = 3.0
"""How long Gradio's queue sleeps when there is nothing in it; its own value keeps a processor busy."""
ASSETS = {"frame.css": "text/css", "live.css": "text/css"} | dict.fromkeys(SCRIPTS, "text/javascript")


@dataclass(slots=True)
class Site:
    """One store as it is served.

    Args:
        board_content: What is shown.
        canonical: The address under which people reach it, where that is not the server's own.
        dataset: Id of the benchmark's data set on the Hub.
        settings: The `[page]` table of the user's configuration.
        film: The generator that writes reports for uploaded films; None where there is none.
        own: The names and origins that the page answers to.
    """

    board_content: BoardContent
    canonical: str = ""
    dataset: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    film: FilmReader | None = None
    own: Own = field(default_factory=Own)
    _board_folder: BoardFolder | None = None

    @property
    def board_folder(self) -> BoardFolder:
        """Where submissions are submitted: the board's folder around the store."""
        self._board_folder = self._board_folder or repository.open_board_folder(self.board_content.store.root.parent)
        return self._board_folder


def open_site(store: Store, film: FilmReader | None = None, root_path: str = "") -> Site:
    """A store with what the user's configuration says about its page.

    Args:
        store: What is shown.
        film: The generator for films; by default the one that is configured.
        root_path: The path under which a proxy shows the page; by default that of the configured address.

    Raises:
        InputError: The configuration is no TOML, or names an address that is none.
        UsageError: The path is none.
    """
    settings = config.table("page")
    space = os.environ.get("SPACE_ID", "")
    own = origins.of(settings, str(home() / config.NAME))
    if root_path:
        own = replace(own, prefix=origins.prefix_of(root_path))
    canonical = settings.get("address", "") or (f"https://huggingface.co/spaces/{space}" if space else "")
    return Site(BoardContent(store), canonical, settings.get("dataset", ""), settings, film or configured(), own)


def blocks(site: Site) -> Any:
    """The Gradio app: the frame, and a panel for each tab."""
    links = {tab.name: (tab.title, f"?tab={tab.name}") for tab in TABS}
    with gr.Blocks(title=frame.NAME, analytics_enabled=False) as made:
        gr.HTML(frame.frame(links, "board", site.canonical), apply_default_css=False, elem_classes="rs")
        for tab in TABS:
            with gr.Column(elem_id=f"panel-{tab.name}", elem_classes="rs-panel rs"):
                tab.build(site)
        gr.HTML(frame.foot(), apply_default_css=False, elem_classes="rs")
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
    door.route(made, site.board_folder, people, uploads)
    status.route(made, site.board_folder, public=site.own.space)
    if site.film and try_it.able(site.film):
        page_film.route(made, site.film, uploads)
    submit.start(site.board_folder)
    return Guard(_with_gradio(made, site), site.own)


def answer_in_words(made: FastAPI) -> None:
    """Have every error of a route answered as JSON, in words that quote nothing."""
    for kind in (RanscoreError, Refusal, OSError, Exception):
        made.add_exception_handler(kind, lambda _, error: answers.refusal(error))


def _routes(made: FastAPI, site: Site, uploads: Uploads) -> None:
    """Pages, exports, style sheets and scripts."""
    views.route(made, Views(site.board_content, site.canonical, site.dataset), uploads)

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
    # Its queue is never used, and would look for work a thousand times a second.
    panels._queue.sleep_when_free = QUEUE_SECONDS
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
    shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - only compared
    site.board_content.content()
    whole = app(site)
    print(f"The board is at http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)", flush=True)
    allow_many()
    how = uvicorn.Config(
        whole,
        log_level="warning",
        access_log=False,
        http=Connection,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=LAST_SECONDS,
        forwarded_allow_ips=visitor.proxies(site.settings, os.environ),
    )
    server = uvicorn.Server(how)
    server.run(sockets=[listener])
