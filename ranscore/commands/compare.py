"""`ranscore compare`: which differences between systems are real."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.records.comparison import Comparison, Line
    from harness.records.record import Record
    from harness.records.store import Store
    from harness.types import Rows


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "compare",
        help="compare two or more systems: differences with intervals and p, for every metric and finding",
        description="Compare systems pair by pair on the patients they share. A system is a record of the store (its name, or the start "
        "of its digest), or a record's file that `ranscore score -o` wrote.",
    )
    parser.add_argument("systems", nargs="+", metavar="SYSTEM", help="two or more records: names, starts of digests, or files")
    parser.add_argument("--alpha", type=float, default=0.05, help="what counts as significant (default: 0.05)")
    parser.add_argument("--draws", type=int, default=10_000, help="random swaps of the second opinion (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="of the random swaps (default: 0)")
    parser.add_argument("--findings", action="store_true", help="print every finding, not only those that differ")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write every score and finding as a table: FILE ends with .csv, .tex or .html"
    )
    options.store(parser)
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    from harness.errors import UsageError
    from harness.records import comparison, ranks, result_table, store

    if len(arguments.systems) < 2:
        raise UsageError("name at least two systems")
    if not 0 < arguments.alpha < 1 or not 100 <= arguments.draws <= 1_000_000:
        raise UsageError("--alpha must be between 0 and 1, --draws between 100 and 1000000")
    if arguments.output:
        result_table.check_name(arguments.output)
    place = store.at(arguments.store)
    systems = [find(place, name) for name in arguments.systems]
    patients = ranks.patients_of(place, systems[0][0].cohort)
    found = comparison.compare_all(systems, patients, alpha=arguments.alpha, draws=arguments.draws, seed=arguments.seed)
    if arguments.output:
        result_table.write([item.table() for item in found], arguments.output)
    if arguments.json:
        print(comparison.dumps(found), end="")
    else:
        for item in found:
            show(item, arguments.findings)
    return 0


def find(place: Store, name: str) -> tuple[Record, Sequence[Rows]]:
    """A record with its rows, from a file or from the store.

    Raises:
        InputError: Its rows are not here.
    """
    from harness.errors import InputError, Problem
    from harness.records import record
    from harness.storage.stored import exists

    path = Path(name)
    if path.is_file():
        found, sidecar = record.load(path), path.with_name(path.name + ".rows.npz")
        rows = record.load_rows(sidecar, found.rows) if exists(sidecar) else ()
    else:
        found = place.find(name).record
        rows = place.rows(found)
    if not rows:
        what = f"the rows of {found.system.name!r} are not here, so nothing can be computed from them"
        raise InputError(Problem(what, "Compare where its reports were scored, or score them again", name))
    return found, rows


def show(found: Comparison, every: bool) -> None:
    """One pair: a sentence, the scores, and the findings that differ."""
    from harness.records.comparison import verdict
    from ranscore.commands.show import table

    for metric in found.metrics:
        print(verdict(found, metric))
        header = ["score", found.first, found.second, "difference", "interval", "p", "p by swaps", "bootstrap interval"]
        table(header, [cells(line) for line in metric.scores], metric.signature)
        if metric.findings:
            _show_findings(found, metric.findings, every)
    for signature in found.left_out:
        print(f"only one of the two has {signature}")


def _show_findings(found: Comparison, lines: Sequence[Line], every: bool) -> None:
    from ranscore.commands.show import table

    claimed = [line for line in lines if line.pair]
    real = [line for line in claimed if line.pair and line.pair.adjusted is not None and line.pair.adjusted < found.alpha]
    if listed := list(lines if every else real):
        table(["finding", found.first, found.second, "difference", "interval", "p", "p by Holm"], [finding_cells(line) for line in listed])
    few = len(lines) - len(claimed)
    print(
        f"{len(real)} of {len(claimed)} findings differ after Holm's correction"
        + (f"; {few} have fewer than 10 positives, and nothing is claimed of them singly" if few else "")
        + ("." if every else "; --findings lists all.")
    )


def cells(line: Line) -> list[str]:
    """One score as text."""
    interval, p = _ends(line)
    swapped = "–" if line.swapped is None else _p(line.swapped)
    drawn = "–" if line.drawn is None else f"[{line.drawn[0]:+z.3f}, {line.drawn[1]:+z.3f}]"
    return [line.part, f"{line.first:z.3f}", f"{line.second:z.3f}", f"{line.first - line.second:+z.3f}", interval, p, swapped, drawn]


def finding_cells(line: Line) -> list[str]:
    """One finding as text."""
    interval, p = _ends(line)
    adjusted = "few positives" if line.pair is None or line.pair.adjusted is None else _p(line.pair.adjusted)
    name = line.part.partition(":")[2]
    return [name, f"{line.first:z.3f}", f"{line.second:z.3f}", f"{line.first - line.second:+z.3f}", interval, p, adjusted]


def _ends(line: Line) -> tuple[str, str]:
    if line.pair is None:
        return "–", "–"
    return f"[{line.pair.low:+z.3f}, {line.pair.high:+z.3f}]", _p(line.pair.p)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:z.3f}"
