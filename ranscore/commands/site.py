"""`ranscore site`: the board as plain files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "site",
        help="write the board as a static site",
        description="Write every page and every export as plain files, which any web host can serve. Sorting, filtering, search and "
        "links work; exports hold the whole board.",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder to write into")
    parser.add_argument("--address", default="", metavar="URL", help="where it will be published, for citations")
    options.store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the site."""
    from harness.records import store
    from leaderboard import static_site
    from leaderboard.content import BoardContent

    written = static_site.write(BoardContent(store.at(arguments.store)), arguments.output, arguments.address)
    print(f"{written} files are in {arguments.output}; open {arguments.output / 'index.html'}")
    return 0
