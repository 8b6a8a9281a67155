"""The running page: Gradio for what is interactive, our own HTML for what is read, on one server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

# Before Gradio is imported: it asks strangers for its newest version and reports that it was started.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI, Response

from harness import config
from harness.errors import Problem, UnavailableError
from harness.store import Store
from leaderboard import frame, page_film, page_try, page_views
from leaderboard.film import Reader, configured
from leaderboard.page_body import proxies
from leaderboard.page_connection import Connection, allow_many
from leaderboard.page_tabs import TABS
from leaderboard.page_views import Views
from leaderboard.shelf import Shelf

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

    page_views.route(made, Views(site.shelf, site.canonical, site.dataset))
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
    believed = proxies(site.settings, os.environ)
    allow_many()
    how = uvicorn.Config(app(site), log_level="warning", access_log=False, http=Connection, forwarded_allow_ips=believed)
    server = uvicorn.Server(how)
    server.run(sockets=[listener])
