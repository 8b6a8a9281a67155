"""`ranscore train-baseline`: a small generator, really trained, from a cohort's train part."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train-baseline",
        help="train the small baseline on a cohort's train part",
        description="Train `trained-baseline` on the frontal films of a cohort's train part: seconds on a laptop, the same every time. "
        "Where the cohort has no labels, the lexical extractor reads them from the references.",
    )
    options.cohort(parser, required=True)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the model (default: where `ranscore generate trained-baseline` looks)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train and keep the model."""
    from generators.baseline import trained
    from harness import cohorts
    from harness.config.home import home
    from harness.extractors import extractor

    cohort = cohorts.load(arguments.cohort)
    labels = dict(cohort.labels)
    if not labels:
        studies = [study.id for study in cohort.manifest.studies if study.part == "train"]
        labels = dict(zip(studies, extractor().extract([cohort.reference(name) for name in studies]), strict=True))
    model = trained.train(cohort, labels)
    path = arguments.output or home() / "weights" / "trained-baseline" / "model"
    model.save(path)
    print(f"{path}: trained on {cohort.manifest.name}, digest {model.digest[:12]}")
    given = f" --weights model={path}" if arguments.output else ""
    print(f"Run it: ranscore generate trained-baseline --cohort {arguments.cohort}{given} -o trained.jsonl")
    return 0
