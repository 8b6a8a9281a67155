"""`ranscore bench`: what each metric sees, and what it does not."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import bench_run, options
from ranscore.commands.options import Commands

SOURCES = ("generated", "second-hand", "held-out")
LANGUAGES = ("en", "zh")
FORMS = ("table", "radjudge")


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "bench",
        help="what each metric sees: pairs of reports that differ by one edit",
        description="Score pairs of reports that differ by one edit with every metric that can run here, and print what each metric sees. "
        "A run that was stopped continues where it was.",
    )
    _pairs(parser)
    parser.add_argument("--metrics", metavar="A,B", help="which metrics, separated by commas (default: all that can run here)")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, help="the folder that keeps results (default: bench in RANSCORE_HOME)")
    options.json(parser)
    parser.set_defaults(run=bench_run.run_bench)
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=False)
    pairs = group.add_parser(
        "pairs", help="write the pairs as JSON Lines", description="Write the pairs as JSON Lines, and print their digest."
    )
    _pairs(pairs)
    pairs.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to write")
    pairs.set_defaults(run=bench_run.run_pairs)
    show = group.add_parser(
        "show", help="print a kept result", description="Print a kept result; the one of this program where none is kept."
    )
    show.add_argument("--source", choices=SOURCES, default="generated", help="which pairs (default: generated)")
    show.add_argument("--language", choices=LANGUAGES, default="en", help="of the reports (default: en)")
    show.add_argument("-o", "--output", metavar="DIR", type=Path, help="the folder that keeps results (default: bench in RANSCORE_HOME)")
    show.add_argument("--kinds", action="store_true", help="a table of the kinds too")
    options.json(show)
    show.set_defaults(run=bench_run.run_show)
    gaming = group.add_parser("gaming", help="what each metric pays for reports that only optimise it")
    gaming.add_argument("--language", choices=LANGUAGES, default="en", help="of the reports (default: en)")
    gaming.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same references (default: 0)")
    gaming.add_argument("--metrics", metavar="A,B", help="which metrics, separated by commas (default: those of the board)")
    options.json(gaming)
    gaming.set_defaults(run=bench_run.run_gaming)
    readers = group.add_parser("readers", help="how far metrics agree with people who rated pairs of reports")
    readers.add_argument("form", choices=FORMS, help="table: a CSV file of ratings; radjudge: the folder of a clone of CRIMSON")
    readers.add_argument("path", metavar="PATH", type=Path, help="the file or folder; its texts are treated as credentialed")
    readers.add_argument("--errors", action="store_true", help="the scores of the table count errors: fewer are better")
    readers.add_argument(
        "--data", default="", metavar="NAME", help="what the data are called, such as rexval: marks metrics fitted on them"
    )
    readers.add_argument("--metrics", metavar="A,B", help="which metrics, separated by commas (default: all that can run here)")
    readers.add_argument("--language", choices=LANGUAGES, default="en", help="of the reports (default: en)")
    options.json(readers)
    readers.set_defaults(run=bench_run.run_readers)


def _pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        metavar="NAME|FILE",
        default="generated",
        help="generated, second-hand, held-out, cohort:NAME for rule edits of a built cohort, or a file of `bench pairs`; the texts of a cohort "
        "or file stay on this machine (default: generated)",
    )
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the reports (default: en)")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="how many pairs are generated (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same pairs (default: 0)")
