"""`ranscore metrics`: what can be computed here, by which recipe, and why not."""

from __future__ import annotations

import argparse
from typing import Any

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("metrics", help="list the metrics, their recipes and profiles, and what each needs that is not here")
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what there is."""
    found = listing()
    if arguments.json:
        import json

        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from ranscore.commands.show import table

    rows = [
        [item["name"], item["recipe"], ", ".join(item["reads"]), item["better"], item["here"].partition(":")[0]]
        for item in found["metrics"]
    ]
    table(("metric", "default recipe", "reads", "better", "here"), rows, "Metrics", left=5)
    for item in found["metrics"]:
        if item["here"] != "yes":
            print(f"{item['name']}: {item['here'].partition(': ')[2]}")
    rows = [[name, way, each["says"], each["here"]] for name, all_ways in found["ways"].items() for way, each in all_ways.items()]
    table(("metric", "way of counting", "what it is", "here"), rows, "A recipe is WAY|STEPS, such as bleu:coco|lower|13a. The ways", left=4)
    table(("step", "what it does"), [list(item) for item in found["steps"].items()], "The steps that prepare text", left=2)
    rows = [[name, ", ".join(each["metrics"]), each["says"]] for name, each in found["profiles"].items()]
    table(("profile", "metrics", "whose numbers these are"), rows, "Profiles, for --profile", left=3)
    for name, each in found["profiles"].items():
        lacking, count = each["missing"], len(each["metrics"])
        if lacking:
            print(f"{name}: {count - len(lacking)} of {count} metrics here. Missing: {'; '.join(lacking.values())}")
        else:
            print(f"{name}: all {count} metrics here. Type `ranscore score FILE --cohort NAME --profile {name}`")
    return 0


def listing() -> dict[str, Any]:
    """Everything that the command says, as plain data."""
    from harness.metrics import REGISTRY, UNAVAILABLE
    from harness.metrics.profiles import PROFILES, missing, ways
    from harness.metrics.text.tokens import STEPS

    return {
        "metrics": [_entry(name) for name in (*REGISTRY, *UNAVAILABLE)],
        "ways": {
            name: {
                way: {"says": says, "here": "yes" if _entry(f"{name}:{way}|lower")["here"] == "yes" else "no"} for way, says in each.items()
            }
            for name, each in ways().items()
        },
        "steps": dict(STEPS),
        "profiles": {name: {"metrics": list(each.metrics), "says": each.says, "missing": missing(name)} for name, each in PROFILES.items()},
    }


def _entry(spec: str) -> dict[str, Any]:
    """What can be said of a metric; the reason where it cannot be made here."""
    from harness.errors import UnavailableError
    from harness.metrics import metric

    name = spec.partition(":")[0]
    try:
        made = metric(spec)
    except UnavailableError as error:
        return {"name": name, "recipe": "", "reads": [], "better": "", "here": "no: " + " ".join(map(str, error.problems))}
    better = "higher" if made.higher_is_better else "lower"
    return {"name": name, "recipe": made.recipe, "reads": sorted(made.reads), "better": better, "here": _here(made.reads)}


def _here(reads: frozenset[str]) -> str:
    """`yes`, or what the extractor of the labels that a metric reads lacks here."""
    from harness.errors import UnavailableError
    from harness.extractors.chexbert import check_available

    try:
        if "chexpert-14" in reads:
            check_available()
    except UnavailableError as error:
        return "no: " + " ".join(map(str, error.problems))
    return "yes"
