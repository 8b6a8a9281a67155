"""`ranscore snapshot`: ranks and pairwise results, made where the rows are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options, readers_score
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.records.snapshot import Snapshot
    from harness.records.store import Store


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "snapshot",
        help="compute the ranks and pairwise tests of a store",
        description="Rank every board of a store. The snapshot holds no row, text or study id: it can be published where rows cannot.",
    )
    parser.add_argument("--alpha", type=float, default=0.05, help="what counts as significantly better (default: 0.05)")
    readers_score.read(parser)
    parser.add_argument(
        "--validation", metavar="FILE|DIR", type=Path, help="how often the extractor is wrong: adds a range of each score by a model"
    )
    parser.add_argument(
        "--length", action="store_true", help="add how long the reports are, and each score at the references' length; needs the cohort"
    )
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
    if arguments.originals or arguments.read or arguments.validation:
        made = with_readers(place, made, arguments)
    if arguments.length:
        made = tuple(with_lengths(place, item) for item in made)
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


def with_readers(place: Store, made: Sequence[Snapshot], arguments: argparse.Namespace) -> tuple[Snapshot, ...]:
    """The snapshots, with what is known of the extractor's error on the board that it is about.

    Raises:
        UsageError: The options are about no board, or about systems of several.
    """
    from dataclasses import replace

    from harness.errors import UsageError
    from harness.records import ranks
    from harness.records.as_readers import AsReaders
    from validation.extractors import as_readers, read_pairs, results

    if arguments.read and not arguments.originals:
        raise UsageError("read pairs are the labels of both reports: give --originals beside --read SYSTEM=FILE")
    labelled = {place.find(name).id: where for name, where in readers_score.named(arguments.read).items()}
    pairs = read_pairs.load(arguments.originals, labelled) if arguments.originals else None
    validation = results.load(arguments.validation) if arguments.validation else None
    done, used = [], False
    for item in made:
        first = item.metric(item.board)
        stored = {name: place.find(name) for name in (first.systems if first else ())}
        if not stored or not first or (pairs and not pairs.generated.keys() & stored.keys()):
            done.append(item)
            continue
        rows = {name: place.rows(one.record)[0] for name, one in stored.items()}
        card = next(iter(stored.values())).record
        known = AsReaders(part=first.headline)
        if pairs:
            known = as_readers.of_pairs(rows, ranks.patients_of(place, card.cohort), pairs, card.cohort.digest, arguments.alpha)
        if validation:
            known = as_readers.with_model(known, rows, validation, readers_score.of_extractor(validation, card))
        done.append(replace(item, as_readers=known))
        used = True
    if not used:
        raise UsageError("no board of this store has the systems that were read")
    return tuple(done)


def with_lengths(place: Store, made: Snapshot) -> Snapshot:
    """The snapshot with the length of its systems' reports.

    Raises:
        UsageError: The references are not on this machine.
    """
    from dataclasses import replace

    from harness.errors import UsageError
    from harness.records import ranks, report_lengths

    board = made.metric(made.board)
    listed = [place.find(name) for name in (board.systems if board else ())]
    if not listed:
        return made
    cohort = listed[0].record.cohort
    references = report_lengths.references_of(place, cohort)
    if references is None:
        raise UsageError(f"the references of {cohort.name} are not on this machine: build the cohort, or leave --length away")
    return replace(made, lengths=report_lengths.make(place, listed, ranks.patients_of(place, cohort), references))


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
