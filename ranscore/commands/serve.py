"""`ranscore serve`: the page on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from leaderboard.films.reader import FilmReader


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="open the board as a page on this machine",
        description="Serve the board, the comparison of systems and the page to try a report on. It asks no other machine for anything.",
    )
    options.store(parser)
    options.listen(parser)
    films = parser.add_argument_group("a report for an uploaded film, under Try it")
    films.add_argument("--generator", metavar="NAME", help="which generator writes it; `ranscore systems list` shows all (default: none)")
    options.machine(films)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from harness.records import store

    reader = _reader(arguments)
    from leaderboard.page import app  # after what may be wrong with the command: it takes seconds

    app.run(app.open_site(store.at(arguments.store), reader), arguments.host, arguments.port)
    return 0


def _reader(arguments: argparse.Namespace) -> FilmReader | None:
    """The generator that was named, found to be able to run; it is loaded when the first film comes."""
    from generators import catalogue
    from harness.errors import UsageError
    from leaderboard.films.reader import FilmReader
    from ranscore.commands.generate import as_given

    if not arguments.generator:
        if arguments.weights or arguments.set:
            raise UsageError("--weights and --set say how a generator runs; name it with --generator")
        return None
    reader = FilmReader(catalogue.find(arguments.generator), as_given(arguments))
    reader.check()
    return reader
