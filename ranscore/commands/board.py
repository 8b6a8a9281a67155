"""`ranscore board`: the board in the terminal, and as CSV, Markdown, LaTeX or JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from leaderboard.board import Board


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("board", help="print the board: ranks with intervals, floors and ceilings, the paper's reported rows")
    options.store(parser)
    parser.add_argument("--cohort", metavar="NAME", help="only the boards of this cohort (name, or start of its digest)")
    parser.add_argument("--format", choices=("text", "csv", "markdown", "latex"), default="text", help="how to print it (default: text)")
    parser.add_argument("--columns", metavar="A,B", help="only these scores, by their headings or keys (default: all)")
    parser.add_argument("--no-reported", action="store_true", help="leave out the rows that the paper reported")
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print every board of the store."""
    from harness.records import store
    from leaderboard.board import is_of_paper, reported_rows
    from leaderboard.content import load
    from leaderboard.exports import tables

    boards = load(store.at(arguments.store))
    found = [_chosen(board, arguments.columns) for board in boards if _wanted(board, arguments.cohort)]
    if boards and not found:
        from harness.errors import UsageError

        names = ", ".join(sorted({board.cohort.name for board in boards}))
        raise UsageError(f"the store holds no record of the cohort {arguments.cohort!r}; it holds {names}")
    if arguments.json:
        print(tables.dumps(tuple(found)), end="")
        return 0
    if not found:
        print("The store holds no records yet: `ranscore score ... --store` adds one, `ranscore demo` shows how a board looks.")
    for board in found:
        if arguments.format == "text":
            show(board)
        else:
            print(tables.FORMATS[arguments.format](board), end="")
    if arguments.format == "text" and not arguments.no_reported and any(is_of_paper(board.cohort) for board in found):
        show_reported(reported_rows())
    return 0


def _wanted(board: Board, cohort: str | None) -> bool:
    return not cohort or board.cohort.name == cohort or board.cohort.digest.startswith(cohort)


def _chosen(board: Board, columns: str | None) -> Board:
    """A board with the columns that were asked for.

    Raises:
        UsageError: It has no such column.
    """
    if columns is None:
        return board
    from harness.errors import UsageError
    from harness.registry import near

    known = {name.lower(): column.key for column in board.columns for name in (column.label, column.key)}
    asked = [name.strip().lower() for name in columns.split(",")]
    if wrong := [name for name in asked if name not in known]:
        raise UsageError(f"the board has no score {wrong[0]!r}{near(wrong[0], known)}; it has {', '.join(c.label for c in board.columns)}")
    return board.pick([row.id for row in board.rows], [known[name] for name in asked], board.facts)


def show(board: Board) -> None:
    """One board as a table with its caption."""
    from leaderboard.exports import tables
    from ranscore.commands.show import table

    table(tables.header(board), [tables.cells(board, row) for row in board.rows], board.cohort.name, 2, whole=False)
    print(tables.caption(board))
    if board.gap:
        print(board.gap)
    for note in (*tables.without_rank(board), *board.notes):
        print(note)
    print()


def show_reported(rows: tuple[object, ...]) -> None:
    """What the paper reported, apart from what was scored here."""
    from leaderboard.board import BoardRow
    from ranscore.commands.show import table

    lines = [[row.name, *(f"{cell.value:z.3f}" for cell in row.cells.values())] for row in rows if isinstance(row, BoardRow)]
    table(["system", "Ran Score", "micro F1"], lines, "Reported in the paper, Table 5 (3,000 MIMIC-CXR images; not ranked)")
    print("Micro precision and recall are exchanged in the printed table: docs/notes-on-the-paper.md")
