"""`ranscore card`: every system that can run on a cohort, from film to board, by one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import options
from harness.cli.options import Commands

if TYPE_CHECKING:
    from generators.catalogue import System
    from harness.store import Store
    from harness.types import Cohort


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "card",
        help="run every system that can run on a cohort: reports, scores, ranks, board",
        description="Run every system whose weights are on this machine, with the floors and the ceiling, on one cohort; extract, score, rank, "
        "print the board and write the static site. Run it again after an interruption and it continues.",
    )
    options.cohort(parser, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where reports, records, store and site go")
    parser.add_argument("--systems", metavar="A,B", help="only these (default: every one whose weights are here)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N studies of each system; the others count as missing")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, for every system that has it; may be repeated"
    )
    options.extractor(parser)
    options.metrics(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the card."""
    from generators.floors import BOUNDS
    from harness import cohorts, ranks, snapshot, store
    from harness.cli.board import show
    from harness.errors import RanscoreError
    from leaderboard import site
    from leaderboard.ranked import load
    from leaderboard.shelf import Shelf

    cohort = cohorts.load(arguments.cohort)
    kept = store.Store(arguments.output / "store")
    chosen = systems(arguments.systems)
    left_out: list[str] = []
    for number, system in enumerate(chosen, 1):
        print(
            f"[{number} of {len(chosen)}] {system.name}: {'a bound of the board' if system.name in BOUNDS else system.summary}", flush=True
        )
        try:
            run_system(system, cohort, kept, arguments)
        except RanscoreError as error:
            # One system that cannot run, for want of a setting say, does not stop the others.
            left_out.append(system.name)
            print(f"  left out: {error}", flush=True)
    for made in ranks.make(kept, created=store.now()):
        snapshot.save(kept.root, made)
    for board in load(kept):
        show(board)
    written = site.write(Shelf(kept), arguments.output / "site")
    print(f"The same as pages: {arguments.output / 'site' / 'index.html'} ({written} files)")
    if left_out:
        print(f"Left out, with the reasons above: {', '.join(left_out)}")
    return 0


def systems(names: str | None) -> list[System]:
    """The systems of a card: those that were named, or all whose weights are here."""
    from generators.catalogue import catalogue, find
    from generators.weights import find as find_weights

    if names:
        return [find(name) for name in names.split(",")]
    return [
        system
        for system in catalogue().values()
        if not system.unavailable and all(item.optional or find_weights(system.name, item, {}) for item in system.weights)
    ]


def run_system(system: System, cohort: Cohort, kept: Store, arguments: argparse.Namespace) -> None:
    """One system: reports, then its record; what is there already is not done again."""
    from generators import run as loop
    from generators.batching import Here
    from generators.catalogue import Options, device
    from harness import scoring, store
    from harness.cli.generate import made, pairs
    from harness.types import Grade, SystemCard

    on = device(arguments.device)
    settings = {name: value for name, value in pairs(arguments.set, "--set") if name in system.settings}
    generator = made(system, Options(device=on, settings=settings, access=cohort.manifest.access), cohort)
    studies = loop.chosen(cohort, arguments.limit)
    plan = loop.Plan(system.name, generator.digest, cohort.manifest.digest, tuple(study.id for study in studies), on, "float32")
    out = arguments.output / "reports" / f"{system.name}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    outcome = loop.run(Here(generator, 8), cohort, studies, out, plan)
    found = scoring.score(
        out,
        cohort,
        extractor=arguments.extractor or "lexical",
        options=options.llm_options(arguments),
        metrics=arguments.metrics.split(",") if arguments.metrics else None,
        profile=arguments.profile or "",
        card=SystemCard(system.name, version=generator.digest[:12], role=system.role, sections=system.writes),
        grade=Grade.REGENERATED,
        created=store.now(),
    )
    texts = {item.study: item.text for item in found.sides.candidates if item.status != "missing"}
    kept.add(found.record, found.rows, texts, found.sides.patients)
    print(
        f"  {outcome.written} reports, {outcome.failed} failed; {found.record.metrics[0].name} {found.record.metrics[0].value:.3f}",
        flush=True,
    )
