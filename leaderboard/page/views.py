"""Views and exports of the running page: what was asked for is resolved to what there is before anything is looked up or rendered."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response

from harness.errors import Problem
from leaderboard.board import Board
from leaderboard.content import BoardContent, Content
from leaderboard.exports import kinds, tables
from leaderboard.html.addresses import FILES, SYSTEM_FILES, Live
from leaderboard.page import body
from leaderboard.page.body import Refusal, Uploads
from leaderboard.page.cache import Lane, Made
from leaderboard.page.visitor import client
from leaderboard.views import router

LONGEST_QUERY = 8_000
"""Characters of an address's query."""
LARGEST_SHOWN = 400_000
"""Bytes of a request for an export: a thousand ids and some columns are 20 kB."""
MOST_SHOWN = 20_000
"""Rows or columns of such a request."""
MANY = {"system": "systems", "compare": "pairs"}
"""Views with a page for each system or pair, which are rendered in a lane of their own: they hold up no other."""
ADDRESSED = ("bibtex", "eval-results", "citation")
"""Exports that name the address of the page."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A file that was asked for, by names that exist."""

    kind: str
    board: str
    system: str = ""
    rows: tuple[str, ...] | None = None
    """Ids in the order in which they are shown; None for the board as it is."""
    columns: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    address: str = ""
    """Where the page is; empty for kinds that do not name it."""


class Views:
    """What one store's visitors read.

    Args:
        board_content: The store.
        canonical: The address under which people reach the page; empty where nobody said.
        dataset: Id of the benchmark's data set on the Hub.
    """

    def __init__(self, board_content: BoardContent, canonical: str = "", dataset: str = "") -> None:
        self.board_content, self.canonical, self.dataset = board_content, canonical, dataset
        self.lanes = {name: Lane() for name in ("pages", "systems", "pairs", "exports")}

    async def view(self, query: Mapping[str, str], who: str) -> Made:
        """A page, compressed.

        Raises:
            Refusal: Too many pages are being rendered.
        """
        content = await to_thread.run_sync(self.board_content.content)
        asked = router.resolve(content, query.get("tab", ""), query)

        def make() -> Made:
            return Made(gzip.compress(router.draw(self.board_content, content, asked, Live()).encode(), 6, mtime=0))

        return await self.lanes[MANY.get(asked.tab, "pages")].get((content.stamp, asked), who, make)

    async def export(self, kind: str, query: Mapping[str, str], shown: Mapping[str, Any], who: str) -> Made | None:
        """A file of a board or of one system; None where there is no such thing.

        Args:
            kind: One of `FILES` or `SYSTEM_FILES`.
            query: Names the board, or the system.
            shown: The rows, the columns and the address on the visitor's screen.
            who: Who asks.

        Raises:
            Refusal: Too many files are being made.
        """
        content = await to_thread.run_sync(self.board_content.content)
        asked = self.resolve(content, kind, query, shown)
        if asked is None:
            return None
        return await self.lanes["exports"].get((content.stamp, asked), who, lambda: self._exported(content, asked))

    def resolve(self, content: Content, kind: str, query: Mapping[str, str], shown: Mapping[str, Any]) -> ExportRequest | None:
        """The file that is meant; names of rows and columns that do not exist are left out, as are second ones.

        Raises:
            Refusal: `shown` has another shape.
        """
        rows, columns = (body.texts(shown, key, MOST_SHOWN, 200) for key in ("rows", "columns"))
        given = body.text(shown, "address", 2000)
        address = self._address(given) if kind in ADDRESSED else ""
        if name := query.get("system", ""):
            board = content.board_of(name) if kind in SYSTEM_FILES else None
            return ExportRequest(kind, board.key, name, address=address) if board else None
        board = content.board(query.get("board", "")) if kind in FILES else None
        if board is None:
            return None
        asked = ExportRequest(kind, board.key, address=address)
        if rows is None or columns is None:
            return asked
        known, wanted = {row.id for row in board.rows}, set(columns)
        return replace(
            asked,
            rows=tuple(name for name in dict.fromkeys(rows) if name in known),
            columns=tuple(column.key for column in board.columns if column.key in wanted),
            facts=tuple(fact for fact in tables.FACTS if fact in wanted),
        )

    def _address(self, given: str) -> str:
        address = given or self.canonical
        return address if address.startswith(("http://", "https://")) and address.isprintable() else ""

    def _exported(self, content: Content, asked: ExportRequest) -> Made:
        board = content.board(asked.board)
        assert board is not None
        made = self._of_system(content, board, asked) if asked.system else kinds.of_board(asked.kind, _picked(board, asked), asked.address)
        assert made is not None
        return Made(made.text.encode(), {"content-type": made.type, "content-disposition": f'attachment; filename="{made.name}"'})

    def _of_system(self, content: Content, board: Board, asked: ExportRequest) -> kinds.Export | None:
        row = next(row for row in board.rows if row.id == asked.system)
        return kinds.of_system(asked.kind, board, row, content.stored[asked.system].record, asked.address, self.dataset)


def _picked(board: Board, asked: ExportRequest) -> Board:
    return board if asked.rows is None else board.pick(asked.rows, asked.columns, asked.facts)


def route(app: FastAPI, views: Views, uploads: Uploads) -> None:
    """Add views and exports to the server."""

    @app.get("/ranscore/view")
    async def view(request: Request) -> Response:
        made = await views.view(_query(request), client(request))
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(made.body), media_type="text/html")
        return Response(made.body, media_type="text/html", headers={"content-encoding": "gzip", "vary": "accept-encoding"})

    @app.api_route("/ranscore/export/{kind}", methods=["GET", "POST"])
    async def export(kind: str, request: Request) -> Response:
        query = _query(request)
        shown = body.parsed(await uploads.read(request, LARGEST_SHOWN)) if request.method == "POST" else {}
        made = await views.export(kind, query, shown, client(request))
        return (
            Response(made.body, headers=dict(made.headers)) if made else Response("There is no such export.", 404, media_type="text/plain")
        )


def _query(request: Request) -> Mapping[str, str]:
    """What an address says after its question mark.

    Raises:
        Refusal: It is too long.
    """
    if len(request.url.query) > LONGEST_QUERY:
        raise Refusal(414, Problem(f"the address holds more than {LONGEST_QUERY:,} characters", "Open the page again"))
    return dict(request.query_params)
