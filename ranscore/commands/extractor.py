"""`ranscore extractor`: who labels reports, whether the server does what it is asked, and how wrong the labels are."""

from __future__ import annotations

import argparse

from ranscore.commands import extractor_validate, options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("extractor", help="check a language model server; measure how often an extractor is wrong")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = inner.add_parser("check", help="ask the servers a few probes, and say in words what is wrong")
    options.llm(check)
    options.json(check)
    check.set_defaults(run=run_check)
    show = inner.add_parser("show", help="print the digest that labels of an extractor will carry, asking nobody")
    options.extractor(show)
    options.json(show)
    show.set_defaults(run=run_show)
    extractor_validate.declare(inner.add_parser("validate", help="compare extractors with a standard of readers, finding by finding"))


def run_check(arguments: argparse.Namespace) -> int:
    """Probe, print, and return 1 where something is wrong."""
    import json
    from dataclasses import asdict

    from harness.extractors.llm import extractor as llm
    from harness.extractors.llm.check import check

    made = llm.make(**options.llm_options(arguments), access="open")  # only sentences of our own are sent
    found = check(made)
    good = all(item.ok for item in found)
    if arguments.json:
        print(json.dumps({"ok": good, "digest": made.digest, "observations": [asdict(item) for item in found]}, indent=1))
        return 0 if good else 1
    for item in found:
        print(f"{item.server}  {'ok   ' if item.ok else 'WRONG'}  {item.what}{'. ' + item.remedy if item.remedy else ''}")
    print(f"digest {made.digest}")
    return 0 if good else 1


def run_show(arguments: argparse.Namespace) -> int:
    """Make the extractor and print its digest."""
    import json

    from harness.extractors import DEFAULT, extractor
    from harness.optional import asked, official

    name = arguments.extractor or DEFAULT
    made = extractor(name, **({**options.llm_options(arguments), "access": "open"} if name == "llm" else {}))
    row = {"name": made.name, "vocabulary": made.vocabulary, "digest": made.digest, "official": official(made)}
    row |= {"asks": by} if (by := asked(made)[0]) else {}
    print(json.dumps(row, indent=1) if arguments.json else "\n".join(f"{key:11} {value}" for key, value in row.items()))
    return 0
