"""`ranscore demo`: what `make run` does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from leaderboard.films.reader import FilmReader


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "demo",
        help="score the synthetic systems and open their board",
        description="Build the synthetic cohort, score its systems, floors and ceilings, and open the board as a page. "
        "Everything is kept in RANSCORE_HOME/demo, apart from your own store.",
    )
    parser.add_argument("--studies", type=int, default=590, metavar="N", help="scored studies of the cohort (default: 590)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the cohort and the systems (default: 0)")
    parser.add_argument(
        "--no-training", action="store_true", help="leave out the system that is really trained (the first time it takes a minute)"
    )
    parser.add_argument("--no-serve", action="store_true", help="print the board and end, instead of opening the page")
    options.listen(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, score, show, serve."""
    from generators.baseline.demo_system import DemoSystem
    from harness import cohorts
    from harness.config.home import home
    from harness.metrics import profiles
    from harness.records.store import Store
    from harness.scoring import demo, scorer
    from leaderboard.board import reported_rows
    from leaderboard.content import load
    from ranscore.commands.board import show, show_reported

    store = Store(home() / "demo" / "store")
    metrics = scorer.make_metrics(["ran-score", *profiles.profile()])[0]
    trained = None if arguments.no_training else DemoSystem(home() / "demo" / "films", home() / "demo" / "models", arguments.seed)
    cohort = demo.fill(store, metrics, arguments.studies, arguments.seed, {trained.system_name: trained} if trained else None)
    cohorts.save(cohort, home() / "demo" / "cohorts" / cohort.manifest.name)
    for board in load(store):
        show(board)
    show_reported(reported_rows())
    if arguments.no_serve:
        return 0
    from leaderboard.page import app

    film = reader(trained.model(cohort)) if trained else None
    app.run(app.open_site(store, film), arguments.host, arguments.port)
    return 0


def reader(model: Path) -> FilmReader:
    """The system that was trained for the demonstration, for films that visitors upload."""
    from generators.baseline.trained import SYSTEM
    from generators.catalogue import Options
    from leaderboard.films.reader import FilmReader

    return FilmReader(SYSTEM, Options({"model": model}), "It has only ever seen drawn films: of a real one it knows next to nothing.")
