"""`ranscore label`: labels for any file of reports."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("label", help="label each report of a file; a run that was stopped continues")
    parser.add_argument("path", metavar="IN", type=Path, help="the reports: JSON Lines, JSON, CSV or Parquet")
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, required=True, help="the label file to write: .csv or .parquet")
    parser.add_argument(
        "--evidence",
        metavar="FILE",
        type=Path,
        help="write the rule and the words behind each decision too: .csv or .jsonl; holds words of the reports (lexical)",
    )
    parser.add_argument("--open", action="store_true", help="the reports are public; without this they are treated as credentialed")
    options.extractor(parser, "chexbert")
    parser.add_argument("--retry", action="store_true", help="ask again what was unparseable or refused before")
    options.ray(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Label, and say how many reports and by whom."""
    from harness.errors import UsageError
    from harness.extractors import DEFAULT, extractor
    from harness.labelling import corpus, evidence

    name, chosen = arguments.extractor or DEFAULT, options.llm_options(arguments)
    if name == "llm":
        chosen |= {"access": "open" if arguments.open else "credentialed", "retry": arguments.retry}
    elif (chosen and name != "recorded") or arguments.retry:
        raise UsageError(f"the extractor {name} asks no model: leave --pack, --mode, --endpoint, --model, --dialect and --retry away")
    made = extractor(name, **chosen)
    if arguments.evidence:
        evidence.check(arguments.path, arguments.evidence, made)
    labeller = None
    if arguments.ray:
        from harness.cluster import Cluster
        from harness.labelling.on_ray import OnRay

        cluster = Cluster(arguments.ray, arguments.actors)
        cluster.permit("open" if arguments.open else "credentialed", "say --open if they are public, ")
        labeller = OnRay(name, chosen, cluster)
    count = corpus.label(arguments.path, arguments.out, made, labeller, private=not arguments.open)
    print(f"{arguments.out}: {count} reports labelled by {made.name} {made.digest[:12]}")
    if arguments.evidence:
        count = evidence.write(arguments.path, arguments.evidence, made, arguments.open)
        print(f"{arguments.evidence}: the rule and the words of {count} decisions")
    return 0
