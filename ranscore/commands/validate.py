"""`ranscore validate`: whether a reports file can be scored, and everything that is wrong with it if not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options

if TYPE_CHECKING:
    from harness.formats.complaints import Complaints
    from harness.types import Section


def register(commands: options.Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("validate", help="check a reports file; exit code 3 where it cannot be scored")
    parser.add_argument("file", metavar="FILE", type=Path, help="the reports: JSON Lines, JSON, CSV or Parquet")
    options.cohort(parser)
    options.references(parser)
    options.columns(parser)
    options.clean(parser)
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the file and say what is wrong."""
    from harness.formats import reports, tabular
    from harness.formats.complaints import Complaints

    expected, section = _scored(arguments)
    complaints = Complaints(str(arguments.file))
    changed: set[str] | None = set() if arguments.clean else None
    table = tabular.renamed(tabular.read(arguments.file, complaints), options.named_columns(arguments), complaints)
    found = reports.check(table, complaints, expected, section, changed)
    missing = None if expected is None else len(set(expected) - found.keys())
    if arguments.json:
        print(json.dumps(_document(complaints, len(found), missing), indent=1))
        return 3 if complaints.problems else 0
    for problem in complaints.problems:
        print(f"ranscore: {problem}", file=sys.stderr)
    for warning in complaints.warnings:
        print(f"warning: {warning}", flush=True)
    if complaints.problems:
        errors = f"{complaints.count:,} errors" if complaints.count > 1 else "1 error"
        print(f"{arguments.file}: it cannot be scored: {errors}", file=sys.stderr)
        return 3
    print(_sentence(str(arguments.file), len(found), missing))
    return 0


def _scored(arguments: argparse.Namespace) -> tuple[Collection[str] | None, Section]:
    """The ids that the cohort scores and the section it scores them by; no ids where no cohort was named."""
    from harness import cohorts
    from harness.cohorts.table import from_table
    from harness.errors import InputError, UsageError, problems_of
    from harness.formats import reports
    from harness.types import Access, Section

    if arguments.cohort and arguments.references:
        raise UsageError("--cohort and --references name two cohorts; give one of them")
    if arguments.cohort:
        manifest = cohorts.load_manifest(cohorts.find(arguments.cohort) / "manifest.json")
    elif arguments.references:
        access = Access.OPEN if arguments.open else Access.CREDENTIALED
        try:
            columns = options.columns_of(arguments.references, arguments)
            manifest = from_table(arguments.references, access=access, columns=columns).manifest
        except InputError as error:
            named = options.named_columns(arguments)
            other = problems_of(lambda: reports.read(arguments.file, cleaned=arguments.clean, columns=named))
            raise InputError([*error.problems, *other]) from None
    else:
        return None, Section.BOTH
    return [study.id for study in manifest.studies if study.part == "test"], manifest.section


def _document(complaints: Complaints, found: int, missing: int | None) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "file": complaints.file,
        "valid": not complaints.problems,
        "reports": found,
        "missing": missing,
        "problems": [asdict(problem) for problem in complaints.problems],
        "warnings": [asdict(warning) for warning in complaints.warnings],
    }


def _sentence(file: str, found: int, missing: int | None) -> str:
    if missing is None:
        return f"{file}: {found:,} reports can be read; name a cohort to have their ids checked"
    if missing:
        return f"{file}: {found:,} of {found + missing:,} studies have a report; it can be scored"
    return f"{file}: all {found:,} studies have a report; it can be scored"
