"""`ranscore snapshot`: ranks and pairwise results, made where the rows are."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.records.snapshot import Snapshot


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "snapshot",
        help="compute the ranks and pairwise tests of a store",
        description="Rank every board of a store. The snapshot holds no row, text or study id: it can be published where rows cannot.",
    )
    parser.add_argument("--alpha", type=float, default=0.05, help="what counts as significantly better (default: 0.05)")
    options.store(parser)
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make, keep, print."""
    import json

    from harness.errors import StoreError, UsageError
    from harness.records import ranks, snapshot, store

    if not 0 < arguments.alpha < 1:
        raise UsageError("--alpha must be between 0 and 1")
    place, damaged = store.at(arguments.store), list[StoreError]()
    made = ranks.make(place, alpha=arguments.alpha, created=store.now(), aside=damaged.append)
    for item in made:
        snapshot.save(place.root, item)
    if arguments.json:
        print(json.dumps({"snapshots": [json.loads(snapshot.dumps(item)) for item in made]}))
    elif not made and not damaged:
        print("The store holds no records yet: `ranscore score ... --store` adds one.")
    else:
        names = {stored.id: f"{stored.record.system.name} {stored.record.system.version}".strip() for stored in place.all()}
        for item in made:
            show(item, names)
    if damaged:
        raise StoreError(problem for error in damaged for problem in error.problems)
    return 0


def show(made: Snapshot, names: dict[str, str]) -> None:
    """The places of a board, metric by metric."""
    from ranscore.commands.show import table

    print(f"{made.board}; snapshot {made.digest[:12]} ({made.signature})")
    for metric in made.metrics:
        places = metric.places.get(metric.headline, {})
        rows = [[_place(place.rank, place.low, place.high), names[name]] for name, place in places.items()]
        if rows:
            table(["rank", "system"], sorted(rows, key=lambda row: (int(row[0].split()[0]), row[1])), metric.name, 2)
        if sentence := metric.gap(metric.headline, metric.name):
            print(sentence)
    if made.without_rows:
        print(f"{len(made.without_rows)} records have no rows here and take no part: {', '.join(made.without_rows)}")
    print(
        "Systems that were scored on this machine, submitted here or generated here are ranked; floors, ceilings and other records have no rank."
    )


def _place(rank: int, low: int, high: int) -> str:
    return f"{rank} [{low}-{high}]" if low != high else str(rank)
