"""`ranscore card`: every system that can run on a cohort, from film to board, by one command."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generators.cards.run_all import Card, Done, Task
    from harness.types import Cohort

STUDIES = 40
SHOWN = 8
"""Scores on the terminal: Ran Score, micro F1, and the board's own text metrics."""
LEFT_OUT = 1
"""The exit code when a system was left out: the card is there, but not whole."""


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "card",
        help="run every system that can run on a cohort: reports, scores, ranks, board",
        description="Run every system whose weights are on this machine, with the floors and the ceiling, on one cohort; extract, score with "
        "every metric, rank, print the board and write the static site. Run it again after an interruption and it continues. With --tiny "
        "nothing is needed: the cohort is invented, the baseline trained, every other system gets random weights and says so in its name.",
    )
    options.cohort(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where reports, records, store and site go")
    parser.add_argument(
        "--tiny", action="store_true", help="random weights in the released layouts, on the synthetic cohort if none is named"
    )
    parser.add_argument(
        "--studies", type=int, default=STUDIES, metavar="N", help=f"scored studies of the synthetic cohort of --tiny (default: {STUDIES})"
    )
    parser.add_argument("--systems", metavar="A,B", help="only these (default: every one whose weights are here)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N studies of each system; the others count as missing")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument("--precision", choices=options.PRECISIONS, default="float32", help="of every system (default: float32)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, for every system that has it; may be repeated"
    )
    options.extractor(parser)
    options.metrics(parser, "every one that can be computed here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the card.

    Returns:
        0, or 1 where a system was left out.
    """
    if not sys.stderr.isatty():
        # Read when transformers is imported; its bars would fill a log.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from generators.bounds.floors import bounds_of
    from generators.cards import rehearsal
    from generators.cards import run_all as cards
    from generators.running.loop import chosen
    from harness.scoring import scorer as scoring

    cohort = _cohort(arguments)
    named = arguments.metrics.split(",") if arguments.metrics else None
    every = None if named or arguments.profile else scoring.every_metric(cohort.manifest.language)
    scorer = scoring.scorer(
        cohort,
        extractor=arguments.extractor or "lexical",
        options=options.llm_options(arguments),
        metrics=named or every,
        profile=arguments.profile or "",
    )
    card = cards.Card(arguments.output, cohort, chosen(cohort, arguments.limit), scorer)
    wanted = [*bounds_of(cohort), *(rehearsal.names() if arguments.tiny else cards.names())]
    left_out = _run_all(card, arguments.systems.split(",") if arguments.systems else wanted, arguments)
    _publish(card)
    if left_out:
        print(f"Left out, with the reasons above: {', '.join(left_out)}. Fix them and run the same command again.")
    return LEFT_OUT if left_out else 0


def _cohort(arguments: argparse.Namespace) -> Cohort:
    """The cohort that was named, or the invented one."""
    from generators.cards import rehearsal
    from harness import cohorts
    from harness.errors import UsageError

    if arguments.cohort:
        return cohorts.load(arguments.cohort)
    if not arguments.tiny:
        raise UsageError("a card needs --cohort NAME; `ranscore card --tiny -o DIR` needs nothing and shows how a card looks")
    print(f"The synthetic cohort: {arguments.studies} studies to score, {rehearsal.TRAIN} to train on, with films", flush=True)
    return rehearsal.cohort(arguments.output, arguments.studies)


def _run_all(card: Card, wanted: Sequence[str], arguments: argparse.Namespace) -> list[str]:
    """Every system; returns the names of those that could not run."""
    print(f"{len(wanted)} systems, {len(card.studies)} studies, {len(card.scorer.metrics)} metrics", flush=True)
    for spec, reason in card.scorer.unavailable.items():
        print(f"  without {spec}: {reason.splitlines()[0]}")
    from harness.storage.progress import span

    left_out, spent = [], []
    for number, name in enumerate(wanted, 1):
        start = time.monotonic()
        print(f"[{number} of {len(wanted)}] {name}", flush=True)
        said, stands = _run_one(card, name, arguments)
        if not stands:
            left_out.append(name)
        spent.append(time.monotonic() - start)
        print(f"  {said} ({span(spent[-1])}{_left(spent, len(wanted) - number)})", flush=True)
    return left_out


def _run_one(card: Card, name: str, arguments: argparse.Namespace) -> tuple[str, bool]:
    """One system: what is to be reported of it, and whether it is part of the card. One that cannot run does not stop the others."""
    from generators.cards import run_all as cards
    from harness.errors import RanscoreError

    try:
        done = cards.run(card, _task(card, name, arguments))
    except RanscoreError as error:
        return f"left out: {error}", False
    except Exception as error:  # a fault of a system's own code; its message could quote what it was shown
        return f"left out: {type(error).__name__}; `ranscore systems check {name}` shows whether its weights load", False
    return _said(done), True


def _task(card: Card, name: str, arguments: argparse.Namespace) -> Task:
    """A system with its weights and settings."""
    from generators import tiny
    from generators.cards import rehearsal
    from generators.cards import run_all as cards
    from generators.catalogue import Options, device, find
    from ranscore.commands.generate import pairs

    system = find(name)
    settings = {key: value for key, value in pairs(arguments.set, "--set") if key in system.settings}
    given = {}
    if arguments.tiny and name == "trained-baseline":
        given = rehearsal.baseline(card.folder, card.cohort)
    elif arguments.tiny and name in tiny.systems():
        given, settings = rehearsal.weights(card.folder, name), tiny.settings(name) | settings
    task = cards.Task(
        system, Options(given, device(arguments.device), arguments.precision, settings=settings, access=card.cohort.manifest.access)
    )
    if not arguments.tiny:
        cards.refuse_random(task)
    return task


def _said(done: Done) -> str:
    record, first = done.record, done.record.metrics[0]
    parts = [f"{record.system.name}: {'was scored before, ' if done.before else ''}{first.headline} {first.value:z.3f}", str(record.counts)]
    parts += [f"{done.resumed} reports were there already"] * bool(done.resumed)
    parts += [f"{done.failed} failed (see `failure` in its file)"] * bool(done.failed)
    return "; ".join(parts)


def _left(spent: Sequence[float], systems: int) -> str:
    """How long the rest takes if it takes as long on the whole as what was done; nothing while that says little."""
    from harness.storage.progress import span

    return f", about {span(sum(spent) / len(spent) * systems)} left" if systems and len(spent) > 5 else ""


def _publish(card: Card) -> None:
    """Ranks, the board on the terminal, the site."""
    from harness.records import ranks, snapshot, store
    from leaderboard import static_site
    from leaderboard.content import BoardContent, load
    from ranscore.commands.board import show

    for made in ranks.make(card.store, created=store.now()):
        snapshot.save(card.store.root, made)
    for board in load(card.store):
        # Dozens of recipes are wider than any terminal; the pages show them all.
        columns = [column.key for column in board.columns[:SHOWN]]
        show(board.pick([row.id for row in board.rows], columns, board.facts))
        if len(board.columns) > SHOWN:
            print(f"{len(board.columns) - SHOWN} more scores are on the pages.")
    written = static_site.write(BoardContent(card.store), card.folder / "site")
    print(f"As pages: {card.folder / 'site' / 'index.html'} ({written} files)")
    print(f"As a live page: ranscore serve --store {card.store.root}")
