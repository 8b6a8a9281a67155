"""`ranscore labels`: labels of a whole cohort as a resource for others."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("labels", help="release the labels of a cohort, with a manifest and a data card")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    release = inner.add_parser("release", help="write labels with a manifest and a data card, without text")
    release.add_argument("labels", metavar="LABELS", type=Path, help="the label file that `ranscore label` wrote")
    release.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="the folder to write")
    options.cohort(release, required=True)
    release.add_argument("--validation", metavar="FILE", type=Path, help="the validation.json of the extractor that made the labels")
    release.add_argument("--agree", metavar="SENTENCE", default="", help="for a credentialed cohort: that you may share the labels")
    options.extractor(release)
    release.set_defaults(run=run_release)


def run_release(arguments: argparse.Namespace) -> int:
    """Check, and write the folder."""
    from harness import cohorts
    from harness.extractors import DEFAULT, extractor
    from harness.formats import label_files
    from validation.extractors import release, results

    cohort = cohorts.load(arguments.cohort)
    release.permit(cohort.manifest.access, arguments.agree)
    name, chosen = arguments.extractor or DEFAULT, options.llm_options(arguments)
    made = extractor(name, **(chosen | {"access": cohort.manifest.access.value} if name == "llm" else chosen))
    validation = results.load(arguments.validation) if arguments.validation else None
    wanted = release.Release(cohort=cohort, labels=label_files.read(arguments.labels), extractor=made, validation=validation)
    release.check(wanted, str(arguments.labels))
    manifest = release.write(wanted, arguments.output, arguments.agree)
    print(f"{arguments.output}: labels of {manifest['studies']:,} studies by {made.name} {made.digest[:12]}; release {manifest['digest']}")
    if validation is None:
        print("Not validated: `ranscore extractor validate` says how often these labels are wrong.")
    return 0
