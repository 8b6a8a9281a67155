"""`ranscore extractor validate`: how wrong are the labels of an extractor, finding by finding?"""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options

FORMATS = ("text", "latex", "csv", "json")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser.description = "Compare extractors with a standard of readers, finding by finding, and keep the result as validation.json."
    parser.add_argument(
        "--standard", metavar="S", required=True, help="a study that was settled (its name or folder), or a label file of readers"
    )
    parser.add_argument(
        "--extractor",
        metavar="A",
        nargs="+",
        required=True,
        help="lexical, chexbert, llm, recorded or another, with options as in llm,pack=ranscore-1,model=NAME; or a file of labels",
    )
    options.llm(parser)
    parser.add_argument("--cohort", default="", metavar="NAME", help="where the reports are, if the standard is a label file")
    parser.add_argument("--alone", action="store_true", help="do not add lexical, and CheXbert where it is installed, for comparison")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how the tables are printed (default: text)")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="the folder that keeps validations (default: validations in RANSCORE_HOME)"
    )
    options.store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Label, compare, print and keep."""
    import json
    import sys

    from harness.records import store
    from validation.extractors import measure, named, reference, results, tables

    chosen = [named.parse(words, options.llm_options(arguments)) for words in arguments.extractor]
    standard = reference.load(arguments.standard)
    listed = named.candidates_of(chosen, standard, store.at(arguments.store), cohort=arguments.cohort, beside=not arguments.alone)
    made, decisions = measure.validate(standard, listed, store.now())
    path = results.save(made, decisions, arguments.output)
    if arguments.format == "json":
        print(json.dumps(results.to_json(made), ensure_ascii=False, indent=1))
    elif arguments.format == "csv":
        print(tables.as_csv(made), end="")
    elif arguments.format == "latex":
        print(tables.as_latex(made), end="")
    else:
        _text(made)
    print(f"{path}: validation {made.digest}", file=sys.stdout if arguments.format == "text" else sys.stderr)
    return 0


def _text(made: object) -> None:
    from ranscore.commands.show import table
    from validation.extractors import tables
    from validation.extractors.results import Validation
    from validation.extractors.thresholds import of_study

    assert isinstance(made, Validation)
    for item in tables.tables(made):
        table(item.heads, item.rows, item.title, left=2 if item.heads[0] in ("extractor", "first") else 1)
    standard = made.standard
    print(f"standard {standard.name} {standard.digest}: {standard.items} items{', weighted by its draw' if standard.weighted else ''}")
    if standard.threshold and not of_study(standard.threshold):
        print(f"The study asks of an extractor: {standard.threshold} (no rule that this program can apply)")
    if "generated" not in tables.sources(made):
        print("Readers labelled original reports alone: how an extractor reads generated ones is unknown.")
    for result in made.extractors:
        if result.statuses:
            print(f"{result.title}: {', '.join(f'{count:,} {word}' for word, count in result.statuses.items())}")
