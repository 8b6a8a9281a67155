"""`ranscore cohort build NAME` and `ranscore cohort show [NAME]`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from ranscore.commands import cohort_builders, options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.cohorts.describe import TableOne


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("cohort", help="build a cohort; show its Table 1").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    build = group.add_parser("build", help="build a cohort").add_subparsers(title="cohorts", metavar="NAME", required=True)
    for name, builder in cohort_builders.builders().items():
        parser = build.add_parser(name, help=builder.help, description=builder.help)
        builder.declare(parser)
        parser.add_argument("--name", metavar="NAME", help="what the cohort is called, if not by its usual name")
        parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="its folder (default: cohorts/NAME in RANSCORE_HOME)")
        options.json(parser)
        parser.set_defaults(run=run_build, builder=builder, cohort=name)
    show = group.add_parser("show", help="print a cohort's Table 1, or list the cohorts")
    show.add_argument(
        "cohort", metavar="NAME|DIR", nargs="?", help="a built cohort: its name, or the folder it is in; without it all are listed"
    )
    options.json(show)
    show.set_defaults(run=run_show)


def run_build(arguments: argparse.Namespace) -> int:
    """Build a cohort, write its folder, print its Table 1."""
    from harness.cohorts import save
    from harness.cohorts.describe import describe
    from harness.config.home import home

    arguments.name = arguments.name or cohort_builders.usual_name(arguments)
    if Path(arguments.name).name != arguments.name:
        raise UsageError(f"{arguments.name!r} is not a name; give the folder with --output")
    folder = arguments.output or home() / "cohorts" / arguments.name
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder with --output")
    if folder.is_dir() and any(folder.iterdir()) and not _is_cohort(folder):
        raise UsageError(f"{folder} holds something else than a cohort; name another folder with --output")
    cohort = arguments.builder.build(arguments, folder)
    save(cohort, folder)
    _print(describe(cohort), arguments.json)
    cohort_builders.tell(f"built in {folder}")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print one cohort's Table 1, or the list of cohorts."""
    from harness.cohorts import load
    from harness.cohorts.describe import describe

    if arguments.cohort is None:
        return _list(arguments.json)
    _print(describe(load(arguments.cohort)), arguments.json)
    return 0


def _is_cohort(folder: Path) -> bool:
    """Whether a folder holds a cohort, or what an interrupted build left of one."""
    return {path.name for path in folder.iterdir()} <= {"manifest.json", "text.jsonl", "labels.csv", "local.json", "images"}


def _list(as_json: bool) -> int:
    import json

    from harness.cohorts.describe import built
    from harness.types import Manifest
    from ranscore.commands.show import table

    found = built()
    whole = {name: manifest for name, manifest in found.items() if isinstance(manifest, Manifest)}
    rows = [
        (name, str(sum(study.part == "test" for study in item.studies)), item.section.value, item.access.value, item.digest[:12])
        for name, item in whole.items()
    ]
    headers = ("name", "studies", "section", "access", "digest")
    if as_json:
        print(json.dumps([dict(zip(headers, (row[0], int(row[1]), *row[2:]), strict=True)) for row in rows]))
    elif rows:
        table(headers, rows)
    else:
        print(f"No cohort is built yet. `ranscore cohort build` makes one: {', '.join(cohort_builders.builders())}.")
    for name, problem in found.items():
        if name not in whole:
            cohort_builders.tell(str(problem))
    return 0


def _print(one: TableOne, as_json: bool) -> None:
    import json

    from ranscore.commands.show import table

    if as_json:
        print(json.dumps(one.to_json(), ensure_ascii=False))
        return
    age, length = one.age, one.length
    rows = [
        ("studies", f"{one.studies:,}"),
        ("patients", f"{one.patients:,}"),
        ("parts", _counts(one.parts)),
        ("age", f"median {age.median:.3g} [{age.lower:.3g}, {age.upper:.3g}] years, {age.known:,} known" if age.known else "not given"),
        ("sex", _counts(one.sex)),
        ("report length", f"median {round(length.median, 1):g} [{round(length.lower, 1):g}, {round(length.upper, 1):g}] {one.unit}"),
        (
            "with",
            _counts(
                {{"frontal": "frontal film", "lateral": "lateral film", "prior": "earlier study"}[key]: n for key, n in one.linked.items()}
            ),
        ),
        ("films", "on this machine" if one.films else "none on this machine"),
        *((name, _counts(groups)) for name, groups in one.strata.items()),
        ("scored section", one.section),
        ("language", one.language),
        ("access", one.access),
        ("source", one.source),
        ("digest", one.digest),
    ]
    table((one.name, ""), rows, left=2)
    if one.prevalence:
        shown = [
            (row.finding, f"{row.present:,}", f"{row.decided:,}", f"{row.present / max(row.decided, 1):.1%}") for row in one.prevalence
        ]
        table(("finding", "present", "decided", "prevalence"), shown)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "-"
