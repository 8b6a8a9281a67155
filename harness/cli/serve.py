"""`ranscore serve`: the page on this machine."""

from __future__ import annotations

import argparse

from harness.cli import options
from harness.cli.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="open the board as a page on this machine",
        description="Serve the board, the comparison of systems and the page to try a report on. It asks no other machine for anything.",
    )
    options.store(parser)
    options.listen(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from harness import store
    from leaderboard import page

    page.run(page.open_site(store.at(arguments.store)), arguments.host, arguments.port)
    return 0
