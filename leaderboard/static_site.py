"""The static site: the same pages and exports as plain files, for hosts that run nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from harness.storage import files
from harness.storage.progress import progress
from leaderboard.board import Board
from leaderboard.content import BoardContent, Content
from leaderboard.exports import cells, kinds, tables
from leaderboard.html import frame
from leaderboard.html.addresses import FILES, SYSTEM_FILES, Files, slug
from leaderboard.html.markup import Html, el, join
from leaderboard.views import findings, router

PAIRED = 14
"""Systems of a board whose every pair has a page of its own; more would make thousands of files."""
NAMES = ("frame.css", "colours.js", "frame.js")


@dataclass(frozen=True, slots=True)
class StaticPage:
    """One page that is to be written."""

    file: str
    tab: str
    board: Board
    query: dict[str, str]


def write(board_content: BoardContent, folder: Path, address: str = "") -> int:
    """Write the site into a folder; files of an earlier one are replaced.

    Args:
        board_content: What is shown.
        folder: Made where it is not there.
        address: Where it will be published, for citations; empty where nobody knows.

    Returns:
        How many files were written.
    """
    content = board_content.content()
    pairs = frozenset(pair for board in content.boards for pair in paired(board))
    to = Files(pairs)
    listed = list(pages(content, to))
    for page in progress(listed, "Writing pages", unit="page"):
        body = router.render(board_content, page.tab, page.query | {"board": page.board.key}, to)
        files.write(folder / page.file, whole(page, body, content, to))
    made = list(exported(content, address))
    for name, text in progress(made, "Writing exports", unit="file"):
        files.write(folder / name, text)
    for name in NAMES:
        files.write(folder / name, frame.asset(name))
    if content.boards:
        first = StaticPage("index.html", "board", content.boards[0], {})
        files.write(folder / "index.html", whole(first, router.render(board_content, "board", {}, to), content, to))
    else:
        files.write(
            folder / "index.html",
            frame.document(
                "Empty",
                join([frame.frame({}, ""), el("main", router.without_record(board_content), id="content", tabindex="-1"), frame.foot()]),
                _head(),
            ),
        )
    files.write(folder / "boards.json", tables.dumps(content.boards))
    return len(listed) + len(made) + len(NAMES) + 2


def paired(board: Board) -> list[tuple[str, str]]:
    """The pairs that have a page of their own: all, or those among the first rows."""
    return list(permutations([row.id for row in board.rows[:PAIRED]], 2))


def pages(content: Content, to: Files) -> Iterator[StaticPage]:
    """Every page but the first."""
    for board in content.boards:
        for tab in router.TABS:
            if tab == "findings":
                for part in findings.PARTS:
                    yield StaticPage(to.tab(tab, board, part=part), tab, board, {"part": part})
            elif tab != "system":
                yield StaticPage(to.tab(tab, board), tab, board, {})
        for one, other in paired(board):
            yield StaticPage(to.tab("compare", board, a=one, b=other), "compare", board, {"a": one, "b": other})
        for row in board.rows:
            yield StaticPage(to.tab("system", board, system=row.id), "system", board, {"system": row.id})


def whole(page: StaticPage, body: Html, content: Content, to: Files) -> str:
    """A page with its frame. Its choices lead to files: the script finds them in a list."""
    first = next((row for row in page.board.rows if row.place), page.board.rows[0])
    links = {
        tab: (title, to.tab(tab, page.board, **({"system": first.id} if tab == "system" else {}))) for tab, title in router.TABS.items()
    }
    known = {row.id: to.tab("system", page.board, system=row.id) for row in page.board.rows} if page.tab == "system" else {}
    if page.tab == "compare":
        known = {f"{one} {other}": to.tab("compare", page.board, a=one, b=other) for one, other in paired(page.board)}
    marker = el("div", hidden=True, data_static=True, data_files=json.dumps(known))
    title = f"{router.TABS[page.tab]}, {page.board.cohort.name}"
    return frame.document(
        title, join([frame.frame(links, page.tab), el("main", body, id="content", tabindex="-1"), frame.foot(), marker]), _head()
    )


def _head() -> Html:
    style = el("link", rel="stylesheet", href=f"frame.css?{frame.version('frame.css')}")
    # The colours are chosen before anything is drawn.
    colours = el("script", src=f"colours.js?{frame.version('colours.js')}")
    return join([style, colours, el("script", src=f"frame.js?{frame.version('frame.js')}", defer=True)])


def exported(content: Content, address: str) -> Iterator[tuple[str, str]]:
    """Every export of every board and system, by the name that the pages link to."""
    for board in content.boards:
        for kind in FILES:
            if made := kinds.of_board(kind, board, address):
                yield Files().file(kind, board), made.text
        yield Files().pieces(board), cells.script(board)
        for row in board.rows:
            record = content.stored[row.id].record
            for kind in SYSTEM_FILES:
                if made := kinds.of_system(kind, board, row, record, address):
                    yield f"{kind}-{slug(row.id)}.{SYSTEM_FILES[kind]}", made.text
