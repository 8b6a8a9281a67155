"""`ranscore worker`: score what was submitted."""

from __future__ import annotations

import argparse

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "worker",
        help="score what was submitted to a board, each file exactly once",
        description="Claim what waits, extract and score it, list it, make the ranks again. May be killed and started at any time, "
        "and may run several times at once.",
    )
    options.board(parser)
    parser.add_argument("--once", action="store_true", help="end when nothing waits")
    parser.add_argument("--poll", type=float, default=5.0, metavar="S", help="seconds between two looks (default: 5; on the Hub 60)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work."""
    from leaderboard.hub import repository
    from submissions.worker import Worker

    board_folder = repository.open_board_folder(arguments.board)
    done = Worker(board_folder, listed=repository.publisher(board_folder)).run(once=arguments.once, poll=arguments.poll)
    print(f"{done} submissions finished")
    return 0
