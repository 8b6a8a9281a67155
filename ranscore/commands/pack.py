"""`ranscore pack`: show, import and revise the questions of the llm extractor."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands import options, pack_workbench
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the commands."""
    group = commands.add_parser("pack", help="show, import and revise the questions of the llm extractor")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    read = inner.add_parser("import", help="read the questions from one of the authors' released scripts, without running it")
    read.add_argument(
        "path", metavar="PATH", type=Path, help="run_qwen_extractor.py or qwen-14b in your own clone of an authors' repository"
    )
    read.set_defaults(run=run_import)
    show = inner.add_parser("show", help="print a pack: its digest, its rules and its questions")
    show.add_argument("name", metavar="NAME", nargs="?", default="ranscore-1", help="which pack (default: ranscore-1)")
    show.add_argument("--mode", metavar="MODE", default="", help="single (one question a finding) or joint (all in one answer)")
    options.json(show)
    show.set_defaults(run=run_show)
    listed = inner.add_parser("list", help="the packs that are here")
    options.json(listed)
    listed.set_defaults(run=run_list)
    pack_workbench.declare(inner)


def run_import(arguments: argparse.Namespace) -> int:
    """Read, check, store."""
    from harness.extractors.llm import pack, pack_import

    made = pack_import.read(arguments.path)
    path = pack.save(made)
    print(f"{made.name}  {made.digest}  stored in {path}")
    if made.name not in pack.AUTHORS:
        print("This is not a script that the authors released: its scores have their own digest and are not Ran Score.")
    elif not made.official:
        print("This is a script of the authors from before the paper's: its scores have their own digest and are not Ran Score.")
    for deviation in made.deviations:
        print(f"differs from running the script: {deviation}")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print one pack."""
    import json
    from dataclasses import asdict

    from harness.extractors.llm import pack

    found = pack.load(arguments.name, arguments.mode)
    if arguments.json:
        print(json.dumps({"digest": found.digest, "official": found.official, **asdict(found)}, ensure_ascii=False, indent=1))
        return 0
    for key in ("name", "digest", "official", "mode", "model", "decoding", "parser", "constraint", "hedges", "no_finding", "deviations"):
        print(f"{key:12} {getattr(found, key)}")
    for name, value in found.card.items():
        print(f"{name:12} {value}")
    print(f"\nsystem message\n{found.system}\n\nuser message\n{found.user}")
    for question in found.questions:
        print(f"\n[{question.title}]\n{question.guidance}")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Print the names, modes and digests of all packs."""
    import json

    from harness.extractors.llm import pack

    rows = []
    for name in pack.names():
        for mode in pack.MODES if name == pack.BUILT_IN else ("",):
            found = pack.load(name, mode)
            rows.append({"name": name, "mode": found.mode, "digest": found.digest, "official": found.official})
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        mark = "the authors' own" if row["official"] else "the authors' own, from before the paper" if row["name"] in pack.AUTHORS else ""
        print(f"{row['name']:24} {row['mode']:7} {str(row['digest'])[:16]}  {mark}".rstrip())
    return 0
