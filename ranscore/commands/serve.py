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
    parser.add_argument(
        "--root-path", metavar="PATH", default="", help="the path under which a proxy shows the page (default: that of [page] address)"
    )
    films = parser.add_argument_group("a report for an uploaded film, under Try it")
    films.add_argument("--generator", metavar="NAME", help="which generator writes it; `ranscore systems list` shows all (default: none)")
    options.machine(films)
    bench = parser.add_argument_group("the workbench instead of the board, on this machine alone")
    bench.add_argument("--workbench", metavar="DRAFT", help="revise this draft: wrong reports, edits and tries on one page")
    bench.add_argument("--standard", metavar="S", default="", help="the settled study that it is tried on")
    bench.add_argument("--endpoint", metavar="URL", action="append", help="an OpenAI-compatible server; may be given several times")
    bench.add_argument(
        "--model", metavar="NAME", help="the model that the server serves, or a folder or GGUF file with one to run in process"
    )
    bench.add_argument("--dialect", metavar="NAME", choices=options.DIALECTS, help="how the server is asked to restrict an answer to a set")
    bench.add_argument("--agree", metavar="SENTENCE", default="", help="for credentialed text: that you may read it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from harness.errors import UsageError
    from harness.records import store

    if arguments.workbench:
        from ranscore.commands.pack_workbench_run import run_page

        return run_page(arguments)
    if arguments.standard:
        raise UsageError("--standard belongs to --workbench")
    reader = _reader(arguments)
    from leaderboard.page import app  # after what may be wrong with the command: it takes seconds

    app.run(app.open_site(store.at(arguments.store), reader, arguments.root_path), arguments.host, arguments.port)
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
