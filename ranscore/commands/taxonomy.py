"""`ranscore taxonomy`: group what the reports of a cohort assert, beside the 21 findings."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands

PARTS = ("test", "dev", "train", "all")


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("taxonomy", help="group what the reports of a cohort assert, beside the 21 findings")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    explore = inner.add_parser("explore", help="group what reports assert, and list what no finding takes in")
    options.cohort(explore, required=True)
    explore.add_argument("--part", choices=PARTS, default="all", help="the part of the cohort (default: all)")
    explore.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder for taxonomy.csv and taxonomy.html")
    explore.add_argument(
        "--agree", metavar="SENTENCE", default="", help="for a credentialed cohort: that you may keep words of its reports"
    )
    explore.set_defaults(run=run_explore)


def run_explore(arguments: argparse.Namespace) -> int:
    """Group, write, and print what a hospital wants to know."""
    from harness import cohorts
    from harness.extractors import extractor
    from harness.storage import files
    from harness.types import Access
    from ranscore.commands.show import table
    from validation.extractors import taxonomy

    cohort = cohorts.load(arguments.cohort)
    access = cohort.manifest.access
    taxonomy.permit(access, arguments.agree)
    parts = PARTS[:3] if arguments.part == "all" else (arguments.part,)
    reports = {study.id: cohort.reference(study.id) for study in cohort.manifest.studies if study.part in parts}
    made = taxonomy.explore(cohort.manifest.name, reports, extractor("lexical"))
    private = access is Access.CREDENTIALED
    files.write(arguments.output / "taxonomy.csv", taxonomy.as_csv(made), private=private)
    files.write(arguments.output / "taxonomy.html", taxonomy.as_page(made), private=private)
    if not private:
        outside = [item for item in made.groups if item.finding == taxonomy.NONE][:15]
        rows = [(item.name, item.anatomy, str(item.reports), f"{item.share:.1%}") for item in outside]
        table(("group", "anatomy", "reports", "share"), rows, "What no finding takes in, the most common first", left=2)
    print(f"{made.reports:,} reports, {made.statements:,} abnormal statements, {len(made.groups):,} groups")
    print(f"{made.outside_share:.1%} of the abnormal statements are taken in by none of the 21 findings")
    print(f"{len(made.found)} of the 20 findings have a group of their own: {arguments.output / 'taxonomy.html'}")
    return 0
