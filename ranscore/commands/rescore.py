"""`ranscore rescore`: score everything again that a store kept."""

from __future__ import annotations

import argparse

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "rescore",
        help="score the kept reports of a store again, after a metric or an extractor changed",
        description="Score every valid record again whose reports the store kept. The old records stay: both values remain visible, "
        "and only equal signatures are ranked together.",
    )
    options.cohort(parser)
    options.extractor(parser)
    parser.add_argument(
        "--metrics", metavar="A,B", help="further metrics, separated by commas; those that a record holds are scored again in any case"
    )
    options.store(parser)
    options.json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Score again and print what moved.

    Returns:
        0 where every record was scored again, 1 where some were not.
    """
    import json

    from harness import cohorts
    from harness.records import store
    from harness.scoring import rescore
    from ranscore.commands.show import table

    known = {made.manifest.digest: made for made in [cohorts.load(arguments.cohort)]} if arguments.cohort else rescore.cohorts_here()
    chosen = options.llm_options(arguments)
    names = arguments.metrics.split(",") if arguments.metrics else None
    place = store.at(arguments.store)
    found = list(rescore.rescore(place, known, extractor=arguments.extractor or "", options=chosen, metrics=names, created=store.now()))
    rows = [_row(item) for item in found]
    if arguments.json:
        keys = ("record", "system", "before", "after", "what")
        print(json.dumps({"rescored": [dict(zip(keys, row, strict=True)) for row in rows]}, ensure_ascii=False, indent=1))
    elif rows:
        table(["record", "system", "before", "after", "what"], rows, left=2)
    else:
        print("The store holds no records yet: `ranscore score ... --store` adds one.")
    return 0 if all(item.new for item in found) else 1


def _row(item: object) -> list[str]:
    from harness.scoring.rescore import Rescored

    assert isinstance(item, Rescored)
    old = item.old.record
    before = f"{old.metrics[0].value:z.4f}" if old.metrics else "–"
    after = f"{item.new.metrics[0].value:z.4f}" if item.new else "–"
    signatures = [made.metrics[0].signature if made and made.metrics else "none" for made in (old, item.new)]
    what = item.reason or ("the same" if item.same else f"kept beside the old one: {' -> '.join(signatures)}")
    return [item.old.id[:12], f"{old.system.name} {old.system.version}".strip(), before, after, what]
