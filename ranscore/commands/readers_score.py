"""`ranscore readers score` and `ranscore readers plan`: the extractor's error carried into the score."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.records.as_readers import AsReaders
    from harness.records.record import Record
    from harness.types import Rows
    from validation.extractors.results import ExtractorResult, Validation

Scored = Mapping[str, "tuple[Record, Rows]"]
"""By name a record with the rows of its first metric."""


def register(group: Commands) -> None:
    """Declare both commands."""
    text = "what readers would score: correct the extractor's error with pairs of reports that people read"
    score = group.add_parser("score", help=text, description=text[:1].upper() + text[1:] + ".")
    read(score, required=True)
    score.add_argument("--alpha", type=float, default=0.05, help="one less the confidence of the intervals (default: 0.05)")
    options.store(score)
    options.json(score)
    score.set_defaults(run=run_score)
    text = "how many pairs to read: the width of the interval to expect for the systems of a store"
    plan = group.add_parser("plan", help=text, description=text[:1].upper() + text[1:] + ".")
    plan.add_argument("systems", nargs="*", metavar="SYSTEM", help="records of the store, or their files (default: those that are ranked)")
    plan.add_argument("--pairs", metavar="N,N", default="100,300,600", help="numbers of pairs, separated by commas (default: 100,300,600)")
    plan.add_argument(
        "--validation",
        metavar="FILE|DIR",
        type=Path,
        help="how often the extractor is wrong (default: as the paper prints for its own)",
    )
    options.store(plan)
    options.json(plan)
    plan.set_defaults(run=run_plan)


def read(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """`--originals` and `--read`: what people read."""
    parser.add_argument(
        "--originals",
        metavar="STUDY|FILE",
        required=required,
        help="how people label the original reports: a settled study of findings (one with --system holds both reports), or a label file",
    )
    parser.add_argument(
        "--read",
        metavar="SYSTEM=STUDY|FILE",
        action="append",
        default=[],
        help="where they are not in that study: the same for the reports of one system about the same studies; may be repeated",
    )


def named(given: Sequence[str]) -> dict[str, str]:
    """By system what its reports were labelled in.

    Raises:
        UsageError: A part has no `=`, or a system comes twice.
    """
    from harness.errors import Problem, UsageError

    found: dict[str, str] = {}
    problems = []
    for item in given:
        system, equals, place = item.partition("=")
        if not (system and equals and place):
            problems.append(Problem(f"--read {item} names no system and file", "Write SYSTEM=FILE"))
        elif system in found:
            problems.append(Problem(f"--read names {system} twice", "Name each system once"))
        found[system] = place
    if problems:
        raise UsageError(problems)
    return found


def run_score(arguments: argparse.Namespace) -> int:
    """Estimate, compare, print."""
    import json
    from dataclasses import asdict

    from harness.errors import UsageError
    from harness.records import ranks, store
    from validation.extractors import as_readers, read_pairs

    if not 0 < arguments.alpha < 1:
        raise UsageError("--alpha must be between 0 and 1")
    place = store.at(arguments.store)
    pairs = read_pairs.load(arguments.originals, named(arguments.read))
    scored = _scored(place, list(pairs.generated))
    cohort = next(iter(scored.values()))[0].cohort
    patients = ranks.patients_of(place, cohort)
    made = as_readers.of_pairs({name: rows for name, (_, rows) in scored.items()}, patients, pairs, cohort.digest, arguments.alpha)
    if arguments.json:
        print(json.dumps(asdict(made) | {"key": made.key}, ensure_ascii=False))
    else:
        show(made, scored)
    return 0


def _scored(place: Any, names: Sequence[str]) -> dict[str, tuple[Record, Rows]]:
    """Records with the rows of their first metric.

    Raises:
        UsageError: They are not comparable.
    """
    from harness.errors import UsageError
    from ranscore.commands.compare import find

    found = {name: find(place, name) for name in names}
    boards = {(record.cohort.digest, record.metrics[0].signature) for record, _ in found.values()}
    if len(boards) != 1:
        raise UsageError("these systems are not comparable: they were scored on different cohorts, or by different signatures")
    return {name: (record, rows[0]) for name, (record, rows) in found.items()}


def show(made: AsReaders, scored: Scored) -> None:
    """The tables for people."""
    from harness.records.as_readers import warning
    from ranscore.commands.show import table

    rows = []
    names = {name: record.system.name for name, (record, _) in scored.items()}
    for item in made.systems:
        first, value = scored[item.id][0].metrics[0], item.parts[made.part]
        rows.append([names[item.id], _with(first.value, first.interval), _with(value.value, (value.low, value.high)), str(item.pairs)])
    table(["system", "as computed", "as readers would score", "pairs read"], rows, f"{made.part} with 95 % intervals")
    if made.compared:
        lines = [
            [
                f"{names[pair.first]} - {names[pair.second]}",
                f"{pair.difference:+z.3f}",
                f"[{pair.low:+z.3f}, {pair.high:+z.3f}]",
                _p(pair.p),
            ]
            for pair in made.compared
        ]
        table(["difference", "as readers would score", "interval", "p"], lines)
    known = [("originals", made.originals), *((names[item.id], item.reading) for item in made.systems)]
    table(
        ["how the extractor reads", "reports", "sensitivity", "specificity", "p", "p"],
        [
            [name, str(one.reports), f"{one.sensitivity:z.3f}", f"{one.specificity:z.3f}", *(_p(p) for p in one.p.values())]
            for name, one in known
            if one
        ],
    )
    for name in made.unsafe:
        print(warning(names[name]))
    if made.listed:
        print("The studies that were read were chosen, not drawn: the correction is right only if they represent the others.")
    print(f"{made.key}. Records and ranks do not change.")


def _with(value: float, ends: tuple[float, float] | None) -> str:
    return f"{value:z.3f} [{ends[0]:z.3f}, {ends[1]:z.3f}]" if ends else f"{value:z.3f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:z.3f}"


def run_plan(arguments: argparse.Namespace) -> int:
    """Simulate readers, print what reading buys."""
    import json
    from dataclasses import asdict

    from harness.records import ranks, store
    from ranscore.commands.show import table
    from validation.extractors import reading_plan

    place, sizes = store.at(arguments.store), _sizes(arguments.pairs)
    scored = _scored(place, arguments.systems or _ranked(place))
    first = next(iter(scored.values()))[0]
    chances, source = _chances(arguments.validation, first)
    rows = {name: rows for name, (_, rows) in scored.items()}
    made = reading_plan.expected(rows, ranks.patients_of(place, first.cohort), chances, sizes)
    if arguments.json:
        print(json.dumps({"errors": source, "expected": [asdict(item) for item in made]}, ensure_ascii=False))
        return 0
    lines = [[item.system, item.draw, str(item.pairs), f"{item.alone:z.3f}", f"{item.powered:z.3f}"] for item in made]
    table(["system", "draw", "pairs", "width, people alone", "width, with the extractor"], lines, "Expected width of the 95 % interval", 2)
    print(f"Error rates: {source}. Each width is the mean of {reading_plan.REPEATS} studies by simulated readers.")
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    from harness.errors import UsageError
    from harness.statistics.prediction_powered import FEWEST

    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 2 * FEWEST:
        raise UsageError(f"--pairs takes whole numbers from {2 * FEWEST} on, separated by commas, not {text!r}")
    return sizes


def _ranked(place: Any) -> list[str]:
    """The systems of the largest board: those that are ranked, else all but floors and ceilings."""
    from harness.errors import UsageError
    from harness.records.store import newest
    from harness.types import Role

    groups: dict[tuple[str, str], list[Any]] = {}
    for item in newest(place.all()):
        if item.record.metrics and item.record.system.role is Role.SYSTEM:
            groups.setdefault((item.record.cohort.digest, item.record.metrics[0].signature), []).append(item)
    if not groups:
        raise UsageError("the store holds no system: `ranscore score ... --store` adds one")
    largest = max(groups.values(), key=len)
    return [item.record.system.name for item in [item for item in largest if not item.record.unranked] or largest]


def _chances(path: Path | None, record: Record) -> tuple[Any, str]:
    from validation.extractors import reading_plan, results

    if path is None:
        return reading_plan.of_paper(), "as the paper prints for its own extractor on 300 reports"
    validation = results.load(path)
    found = of_extractor(validation, record)
    part = found.part("generated") or found.parts[0]
    return reading_plan.of_validation(part), f"validation {validation.digest[:12]} of {found.title}"


def of_extractor(validation: Validation, record: Record) -> ExtractorResult:
    """What a validation says of the extractor that labelled a record.

    Raises:
        UsageError: It is about other extractors.
    """
    from harness.errors import UsageError

    digests = {card.digest for card in record.extractors}
    found = next((result for result in validation.extractors if result.digest in digests), None)
    if found is None:
        known = ", ".join(result.title for result in validation.extractors)
        raise UsageError(f"the validation is of {known}, and none of them labelled {record.system.name}")
    return found
