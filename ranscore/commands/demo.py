"""`ranscore demo`: what `make run` does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.records.rexrank_tables import ReXrankRow
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
    parser.add_argument(
        "--real",
        action="store_true",
        help="fetch the Indiana test reports and what published systems wrote for them, and show their board instead",
    )
    parser.add_argument("--accept", default="", metavar="LICENCE", help="with --real: the name of the reports' licence, which you accept")
    parser.add_argument("--no-serve", action="store_true", help="print the board and end, instead of opening the page")
    options.listen(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, score, show, serve."""
    if arguments.real:
        return run_real(arguments)
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


def run_real(arguments: argparse.Namespace) -> int:
    """Fetch, score, show, serve."""
    from harness import cohorts
    from harness.config.home import home
    from harness.records.store import Store, now
    from leaderboard.content import BoardContent, load
    from ranscore.commands import fetch
    from ranscore.commands.board import show
    from ranscore.fetching import entries, real_board

    known = entries.catalogue()
    paths = fetch.bring(known[real_board.COHORT], arguments.accept or fetch.asked(known[real_board.COHORT]))
    cohort = real_board.cohort(real_board.one(paths, known[real_board.COHORT]))
    systems = [
        (entry, real_board.one(found, entry))
        for entry in known.values()
        if entry.cohort == real_board.COHORT and (found := fetch.bring_or_say(entry))
    ]
    fetch.bring_or_say(known["rexrank-tables"])
    place = home() / "demo-real"
    cohorts.save(cohort, place / "cohorts" / cohort.manifest.name)
    store = real_board.fill(Store(place / "store"), cohort, systems, now)
    for board in load(store):
        show(board)
    _show_rexrank(BoardContent(store).rexrank(cohort.manifest.name))
    if arguments.no_serve:
        return 0
    from leaderboard.page import app

    app.run(app.open_site(store, None), arguments.host, arguments.port)
    return 0


def _show_rexrank(rows: tuple[ReXrankRow, ...]) -> None:
    """ReXrank's table of the same studies, apart from what was scored here."""
    from harness.records.rexrank_tables import METRICS
    from ranscore.commands.show import table

    if not rows:
        return
    lines = [
        [row.system, *(f"{row.values[name]:z.3f}{'*' * (name in row.slips)}" if name in row.values else "-" for name in METRICS)]
        for row in rows
    ]
    table(["system", *METRICS], lines, "Reported by ReXrank for the same 590 studies (September 2025; not computed here, not ranked)")
    print("\n".join(f"* {row.system}, {name}: {why}" for row in rows for name, why in row.slips.items()))
    print("Its BLEU is the mean of each report's BLEU-2: bleu:sentence|rexrank above.")


def reader(model: Path) -> FilmReader:
    """The system that was trained for the demonstration, for films that visitors upload."""
    from generators.baseline.trained import SYSTEM
    from generators.catalogue import Options
    from leaderboard.films.reader import FilmReader

    return FilmReader(SYSTEM, Options({"model": model}), "It has only ever seen drawn films: of a real one it knows next to nothing.")
