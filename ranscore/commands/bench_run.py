"""What `ranscore bench` and its commands do."""

from __future__ import annotations

import argparse
from typing import Any


def run_bench(arguments: argparse.Namespace) -> int:
    """Score the pairs, print and keep the result."""
    from harness.records import store
    from harness.types import Access
    from validation.bench import results, running

    chosen, seed, own = _chosen(arguments)
    folder = arguments.output or results.root()
    names = arguments.metrics.split(",") if arguments.metrics else None
    result = running.run(
        chosen,
        metrics=names,
        seed=seed,
        created=store.now(),
        kept=folder / "scores",
        passed_on=not own,
        source="" if not own else "local" if arguments.source.startswith("cohort:") else "file",
        access=Access.CREDENTIALED if own else Access.OPEN,
    )
    path = results.save(result, folder)
    _print(result, arguments.json, True)
    if not arguments.json:
        print(f"{path}: {result.pairs:,} pairs {result.pairs_digest}")
    return 0


def run_pairs(arguments: argparse.Namespace) -> int:
    """Write the pairs."""
    from harness.errors import UsageError
    from validation.bench import pairs

    chosen, _, own = _chosen(arguments)
    if own:
        raise UsageError("only generated and written pairs are written to a file: edited text of a cohort stays where it is")
    pairs.save(chosen, arguments.output)
    print(f"{arguments.output}: {len(chosen):,} pairs {pairs.digest(chosen)}")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print a kept result."""
    from validation.bench import results

    path = (arguments.output or results.root()) / f"{arguments.source}-{arguments.language}.json"
    result = results.load(path) if path.is_file() or arguments.output else results.shipped(arguments.language, arguments.source)
    _print(result, arguments.json, arguments.kinds)
    return 0


def run_gaming(arguments: argparse.Namespace) -> int:
    """Print the gallery."""
    import json
    from dataclasses import asdict

    from ranscore.commands.show import table
    from validation.bench import gaming, tables

    found = gaming.gallery(arguments.language, arguments.seed, arguments.metrics.split(",") if arguments.metrics else None)
    if arguments.json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=1))
        return 0
    item = tables.of_gallery(found)
    table(item.heads, item.rows, item.title, left=2)
    return 0


def run_readers(arguments: argparse.Namespace) -> int:
    """Compare metrics with people; prints figures alone."""
    import json
    from dataclasses import asdict

    from ranscore.commands.show import table
    from validation.bench import people, radjudge, running, tables

    names = arguments.metrics.split(",") if arguments.metrics else None
    if arguments.form == "radjudge":
        cases = radjudge.load(arguments.path)
        scored = running.private(radjudge.pairs(cases), arguments.language, names)
        found = {item.name: radjudge.passed(cases, item) for item in scored}
        if arguments.json:
            print(json.dumps(found, indent=1))
        else:
            item = tables.of_cases(cases, found)
            table(item.heads, item.rows, item.title, left=2)
        return 0
    rated = people.load(arguments.path, arguments.errors)
    agreed = people.agree(rated, running.private([item.pair for item in rated], arguments.language, names), arguments.data)
    limits = people.ceilings(rated)
    if arguments.json:
        print(json.dumps({"metrics": [asdict(item) for item in agreed], "readers": [asdict(item) for item in limits]}, indent=1))
        return 0
    item = tables.of_people(agreed, limits)
    table(item.heads, item.rows, item.title, left=1)
    return 0


def _chosen(arguments: argparse.Namespace) -> tuple[Any, int | None, bool]:
    """The pairs, the seed they were made from, and whether they are of the user."""
    from pathlib import Path

    from harness.errors import InputError, Problem
    from validation.bench import pairs, written

    if arguments.source == "generated":
        return pairs.generate(arguments.count, arguments.seed, arguments.language), arguments.seed, False
    if arguments.source in (written.SHOWN, written.HELD_OUT):
        return written.pairs(arguments.language, arguments.source == written.HELD_OUT), None, False
    if arguments.source.startswith("cohort:"):
        from harness import cohorts
        from validation.bench import local

        return local.pairs(cohorts.load(arguments.source.removeprefix("cohort:")), arguments.count, arguments.seed), arguments.seed, True
    path = Path(arguments.source)
    if not path.is_file():
        raise InputError(
            Problem(f"{path} is not there", "Name a file of `ranscore bench pairs`, cohort:NAME, or generated, second-hand or held-out")
        )
    return pairs.load(path), None, True


def _print(result: Any, as_json: bool, kinds: bool) -> None:
    import json

    from ranscore.commands.show import table
    from validation.bench import results, tables

    if as_json:
        print(json.dumps(results.to_json(result), ensure_ascii=False, indent=1))
        return
    for item in tables.tables(result) if kinds else [tables.overview(result)]:
        table(item.heads, item.rows, item.title, left=1)
    for name, why in result.unavailable.items():
        print(f"{name}: not computed here: {why}")
