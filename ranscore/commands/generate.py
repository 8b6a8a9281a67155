"""`ranscore generate` and `ranscore floors`: reports from films, and the board's bounds."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generators.catalogue import Options, System
    from generators.running.loop import Writer
    from harness.types import Cohort


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "generate",
        help="run a report generator on a cohort",
        description="Write a report for every scored study of a cohort. Run it again after an interruption and it continues.",
    )
    parser.add_argument("system", help="which generator; `ranscore systems list` shows all")
    options.cohort(parser, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the reports file (JSONL) to write or to continue")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N studies; run again with more, or without it, to continue")
    parser.add_argument(
        "--shard", metavar="I/N", default="1/1", help="the I-th of N parts, to share a cohort among machines (default: 1/1)"
    )
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="studies at a time, where batching is exact (default: 8)")
    options.machine(parser)
    options.ray(parser)
    options.json(parser)
    parser.set_defaults(run=run)

    floors = commands.add_parser("floors", help="make and score a cohort's floors and ceilings")
    options.cohort(floors, required=True)
    options.extractor(floors)
    options.metrics(floors)
    options.store(floors)
    floors.set_defaults(run=run_floors)


def run(arguments: argparse.Namespace) -> int:
    """Generate, or continue."""
    import json
    from dataclasses import replace

    from generators import catalogue
    from generators.running import loop
    from harness import cohorts
    from harness.errors import UsageError
    from harness.storage.progress import announce

    if arguments.batch < 1 or (arguments.limit or 0) < 0:
        raise UsageError("--batch is 1 or more, and --limit not negative")
    cohort = cohorts.load(arguments.cohort)
    system = catalogue.find(arguments.system)
    announce(f"Loading {system.name} ...")
    chosen = replace(chosen_options(arguments), access=cohort.manifest.access)
    name = catalogue.title(system, chosen, cohort)
    studies = loop.chosen(cohort, arguments.limit, _shard(arguments.shard))
    with _writer(arguments, system, chosen, cohort) as writer:
        plan = loop.Plan(name, writer.digest, cohort.manifest.digest, tuple(study.id for study in studies), chosen.device, chosen.precision)
        outcome = loop.run(writer, cohort, studies, arguments.output, plan)
    if arguments.json:
        found = {"written": outcome.written, "failed": outcome.failed, "resumed": outcome.resumed, "substituted": outcome.substituted}
        print(json.dumps({"output": str(arguments.output), "system": name, "digest": writer.digest, **found}))
        return 0
    print(f"{arguments.output}: {outcome.written} reports by {name} on {chosen.device} in {chosen.precision}")
    notes = [
        (outcome.resumed, "were there already"),
        (outcome.failed, "failed (see `failure` in the file)"),
        (outcome.substituted, "with a substituted input"),
    ]
    for count, what in notes:
        if count:
            print(f"  {count} {what}")
    print(f"Score them: ranscore score {arguments.output} --cohort {arguments.cohort}")
    return 0


@contextmanager
def _writer(arguments: argparse.Namespace, system: System, chosen: Options, cohort: Cohort) -> Iterator[Writer]:
    """The generator, in this process or in the actors of Ray."""
    from generators.bounds import floors
    from generators.running.batching import LocalGenerator
    from harness.errors import UsageError

    if not arguments.ray:
        yield LocalGenerator(floors.made(system, chosen, cohort), arguments.batch)
        return
    if system.name in floors.BOUNDS:
        raise UsageError(f"{system.name} is looked up in a moment: leave --ray away")
    from generators.running.on_ray import spread
    from harness.cluster import Cluster

    with spread(system.name, chosen, arguments.batch, Cluster(arguments.ray, arguments.actors)) as writer:
        yield writer


def chosen_options(arguments: argparse.Namespace) -> Options:
    """What was said of `options.machine`, with the device that `auto` stands for."""
    from dataclasses import replace

    from generators.catalogue import device

    return replace(as_given(arguments), device=device(arguments.device))


def as_given(arguments: argparse.Namespace) -> Options:
    """What was said about the machine; `auto` stays `auto`, so that nothing asks torch yet."""
    from generators.catalogue import Options

    weights = {name: Path(path) for name, path in pairs(arguments.weights, "--weights")}
    return Options(weights, arguments.device, arguments.precision or "float32", arguments.seed, dict(pairs(arguments.set, "--set")))


def pairs(given: Sequence[str], option: str) -> list[tuple[str, str]]:
    """`NAME=VALUE` options as pairs."""
    from harness.errors import UsageError

    parted = [item.partition("=") for item in given]
    if wrong := [name for name, sign, _ in parted if not sign]:
        raise UsageError(f"{option} takes NAME=VALUE, not {wrong[0]!r}")
    return [(name, value) for name, _, value in parted]


def _shard(text: str) -> tuple[int, int]:
    """`2/8` as (1, 8)."""
    from harness.errors import UsageError

    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shard takes I/N with I from 1 to N, not {text!r}")
    return int(index) - 1, int(count)


def run_floors(arguments: argparse.Namespace) -> int:
    """Make and score the bounds of a cohort."""
    from generators.bounds.floors import BOUNDS, bound, bounds_of
    from harness import cohorts
    from harness.records import store
    from harness.scoring import scorer
    from harness.types import Grade, ReportSet, SystemCard
    from ranscore.commands.show import table

    cohort = cohorts.load(arguments.cohort)
    chosen = options.llm_options(arguments)
    rows = []
    for name in bounds_of(cohort):
        role, summary, _ = BOUNDS[name]
        reports = bound(name, cohort).reports
        found = scorer.score(
            predictions=ReportSet(reports),
            references=cohort,
            extractor=arguments.extractor or "lexical",
            options=chosen,
            metrics=arguments.metrics.split(",") if arguments.metrics else None,
            profile=arguments.profile or "",
            card=SystemCard(name, role=role),
            grade=Grade.REGENERATED,
            created=store.now(),
        )
        if arguments.store is not None:
            store.at(arguments.store).add(found.record, found.rows, reports, found.sides.patients)
        rows.append([name, role.value, summary, *(f"{result.value:z.3f}" for result in found.record.metrics)])
    table(
        ["bound", "role", "what", *(result.name for result in found.record.metrics)],
        rows,
        f"Floors and ceilings of {cohort.manifest.name}",
        3,
    )
    return 0
