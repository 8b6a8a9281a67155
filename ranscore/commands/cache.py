"""`ranscore cache`: answers that were paid for once, moved to another machine without a word of text."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from harness.types import Access


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("cache", help="move recorded labels to another machine, without text")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    write = inner.add_parser("export", help="write the labels of some reports into a file of hashes and decisions")
    write.add_argument("out", metavar="OUT", type=Path, help="the file to write")
    write.add_argument(
        "--reports", metavar="FILE", type=Path, action="append", help="whose labels: a reports file; may be given several times"
    )
    options.cohort(write)
    write.add_argument("--open", action="store_true", help="the text of --reports is public; without this it is treated as credentialed")
    write.add_argument("--agree", metavar="SENTENCE", default="", help="for credentialed text: that the data use agreement allows it")
    write.add_argument("--digest", metavar="DIGEST", default="", help="whose labels, by the beginning of the extractor's digest")
    options.llm(write)
    write.set_defaults(run=run_export)
    read = inner.add_parser("import", help="put exported labels into this machine's cache")
    read.add_argument("path", metavar="PATH", type=Path, help="an exported file")
    read.set_defaults(run=run_import)
    listed = inner.add_parser("list", help="how many answers of which extractor are here")
    options.json(listed)
    listed.set_defaults(run=run_list)


def run_export(arguments: argparse.Namespace) -> int:
    """Look the reports' labels up, and write them."""
    from harness.errors import UsageError
    from harness.extractors import recorded
    from harness.extractors.cache import opened

    asked = options.llm_options(arguments)
    if arguments.digest and asked:
        raise UsageError("say either --digest or the options of the extractor")
    made = recorded.make(protocol=arguments.digest, **asked)
    texts, access = _texts(arguments)
    with opened() as cache:
        written = recorded.write(arguments.out, cache, made.digest, texts, access, arguments.agree, made.official, made.by)
    print(f"{arguments.out}: labels of {written} of {len(set(texts))} different reports by {made.digest[:12]}; no text")
    return 0 if written else 1


def _texts(arguments: argparse.Namespace) -> tuple[list[str], Access]:
    """The reports that are meant, and how they may be handled."""
    from harness import cohorts
    from harness.errors import UsageError
    from harness.formats import reports
    from harness.types import Access

    if bool(arguments.cohort) == bool(arguments.reports):
        raise UsageError("say whose labels: either --cohort or --reports")
    if arguments.cohort:
        cohort = cohorts.load(arguments.cohort)
        return [cohort.reference(study.id) for study in cohort.scored], cohort.manifest.access
    texts = [text for path in arguments.reports for _, text in reports.rows(path)]
    return texts, Access.OPEN if arguments.open else Access.CREDENTIALED


def run_import(arguments: argparse.Namespace) -> int:
    """Read and merge."""
    from harness.extractors import recorded
    from harness.extractors.cache import opened

    recording = recorded.read(arguments.path)
    with opened() as cache:
        new = recorded.merge(recording, cache)
    print(f"{len(recording.decisions)} reports' labels by {recording.protocol[:12]}, {new} of them new here")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Print protocols and counts."""
    import json

    from harness.extractors.cache import opened

    with opened() as cache:
        rows = cache.protocols()
    print(json.dumps(rows, indent=1) if arguments.json else "\n".join(f"{digest}  {count} answers" for digest, count in rows.items()))
    return 0
