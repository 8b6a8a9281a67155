"""`ranscore rexrank export`: a reports file as a submission for ReXrank."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("rexrank", help="write reports in the form that ReXrank reads")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="write a reports file as ReXrank's prediction JSON")
    export.add_argument("reports", metavar="FILE", type=Path, help="the reports file")
    options.cohort(export, required=True)
    export.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the JSON file to write")
    export.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the reports against the cohort and write them."""
    import json
    import sys

    from harness import cohorts
    from harness.errors import RefusedError
    from harness.formats import rexrank
    from harness.scoring.inputs import reports_of
    from harness.storage import files
    from harness.types import Access

    cohort = cohorts.load(arguments.cohort)
    if arguments.output.exists():
        raise RefusedError(f"{arguments.output} is there already. Move it away, or name another file")
    found = reports_of(arguments.reports, cohort)
    for warning in found.warnings:
        print(f"ranscore: {warning}", file=sys.stderr)
    private = cohort.manifest.access is Access.CREDENTIALED
    made = rexrank.submission(cohort, found.reports, references=not private)
    files.write(arguments.output, json.dumps(made, indent=1) + "\n", private=private)
    print(f"{arguments.output}: {len(made):,} studies, {len(found.reports):,} with a prediction")
    if private:
        print("It holds credentialed reports and no references. Give it to nobody who has not signed the data-use agreement.")
    return 0
