"""Every route and every function that the running page has is on a list; what is not on it is not there for a visitor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Mount, Route

from generators.baseline import trained
from generators.catalogue import Options
from harness.records.store import Store
from leaderboard.films.reader import FilmReader
from leaderboard.page import app as page
from leaderboard.page.guard import LISTED, fits
from tests.door.asking import JSON, Way, ask, own
from tests.films import model

__all__ = ["model"]
pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio and Starlette warn of each other's versions
REACHED = {
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/theme.css"),
    ("GET", "/favicon.ico"),
    ("GET", "/assets/{path:path}"),
    ("GET", "/static/{path:path}"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/ranscore/view"),
    ("GET", "/ranscore/{name}.{kind}"),
    ("GET", "/ranscore/export/{kind}"),
    ("POST", "/ranscore/export/{kind}"),
    ("GET", "/ranscore/door"),
    ("GET", "/ranscore/example"),
    ("GET", "/ranscore/person"),
    ("GET", "/ranscore/receipt/{name}"),
    ("GET", "/ranscore/film/{number}"),
    ("POST", "/ranscore/film"),
    ("POST", "/ranscore/try"),
    ("POST", "/ranscore/hand-in"),
    ("POST", "/ranscore/withdraw"),
}
"""What a visitor may ask. Whoever adds a line has thought about what a stranger sends there."""
FILLED = {"path:path": "x.js", "number": "1", "name": "abc", "kind": "csv"}


def routes(app: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route of a server, mounted ones too."""
    for route in app.routes:
        if isinstance(route, Mount):
            yield from routes(route.app, before + route.path)
        elif (included := getattr(route, "original_router", None)) is not None:  # how newer versions of FastAPI include a router
            yield from routes(included, before + route.include_context.prefix)
        elif isinstance(route, Route):
            yield from ((method, before + route.path) for method in route.methods or ())
        else:
            raise AssertionError(f"a kind of route that nobody has thought about: {route}")


def concrete(path: str) -> str:
    """A path with something in place of its parameters; in fonts' folders and the like there is no file at the top."""
    path = path.replace("/static/{path:path}", "/static/js/x.js").replace("{name}.{kind}", "frame.css")
    return re.sub(r"\{([^}]+)\}", lambda match: FILLED.get(match[1], "x"), path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, model: Path) -> page.Site:
    """An empty board with a generator for films."""
    return page.open_site(Store(tmp_path_factory.mktemp("board") / "store"), FilmReader(trained.SYSTEM, Options({"model": model})))


@pytest.fixture(scope="module")
def every(site: page.Site) -> set[tuple[str, str]]:
    """All routes behind the outer layer."""
    found = set(routes(page.app(site).inner))
    assert len(found) > 80 and ("POST", "/gradio_api/upload") in found and ("GET", "/gradio_api/file={path_or_url:path}") in found
    return found


def listed(method: str, path: str) -> bool:
    return any(method in methods and fits(pattern, path) for methods, pattern in LISTED)


def test_what_the_list_lets_through_is_what_was_thought_about(every: set[tuple[str, str]]) -> None:
    assert {(method, path) for method, path in every if listed(method, concrete(path))} == REACHED


def test_every_other_route_is_not_there_on_the_running_page(way: Way, every: set[tuple[str, str]]) -> None:
    others = sorted(every - REACHED)
    for method, path in others:
        given = [*own(way), *(JSON if method == "POST" else [])]
        answer = ask(way, method, concrete(path), given, b"{}" if method == "POST" else None)
        assert answer.status in (404, 405), (method, path, answer.status)
        assert answer.body or method == "HEAD"
    assert len(others) > 70


def test_gradio_calls_nothing_on_the_server(site: page.Site) -> None:
    made = page.blocks(site)
    assert made.fns == {} and made.config["dependencies"] == []
    assert {type(block).__name__ for block in made.blocks.values()} == {"HTML", "Column"}
    assert not made.expects_oauth


def test_gradios_own_checks_are_on_besides(site: page.Site) -> None:
    inner = page.app(site).inner
    (mounted,) = [cast(Any, route.app) for route in inner.routes if isinstance(route, Mount)]
    made = mounted.get_blocks()
    assert made.has_launched and made.allowed_paths == [] and made.blocked_paths == ["/"]
    assert not made.run_history and not made.enable_monitoring and not made.mcp_server and not made.ssr_mode


def test_an_idle_page_does_not_look_for_work_all_the_time(site: page.Site) -> None:
    """Gradio's queue asks a thousand times a second whether there is something in it, and here there never is."""
    (queue,) = {route.app.blocks._queue for route in page.app(site).inner.routes if hasattr(getattr(route, "app", None), "blocks")}
    assert queue.sleep_when_free == page.QUEUE_SECONDS >= 1
