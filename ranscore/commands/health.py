"""`ranscore health`, `ranscore backup` and `ranscore restore`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser("health", help="say how a board is; exit code 1 where something should not wait")
    options.board(parser)
    options.json(parser)
    parser.set_defaults(run=run)
    copy = commands.add_parser("backup", help="copy a board's ledger, store and configuration into one file")
    copy.add_argument("file", metavar="FILE", type=Path, help="the archive to write; it holds reports")
    options.board(copy)
    copy.set_defaults(run=backup)
    back = commands.add_parser("restore", help="put a backup into an empty folder")
    back.add_argument("file", metavar="FILE", type=Path, help="the archive")
    options.board(back)
    back.set_defaults(run=restore)


def run(arguments: argparse.Namespace) -> int:
    """Look, print."""
    from dataclasses import asdict

    from leaderboard.hub import repository
    from submissions import health

    found = health.health(repository.open_desk(arguments.board))
    print(json.dumps({**asdict(found), "alarms": found.alarms}, indent=1) if arguments.json else "\n".join(health.lines(found)))
    return 1 if found.alarms else 0


def backup(arguments: argparse.Namespace) -> int:
    """Copy."""
    from harness.home import home
    from submissions.backup import backup

    print(f"{arguments.file}: {backup(arguments.board or home(), arguments.file)} files")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Put back."""
    from harness.home import home
    from submissions.backup import restore

    place = arguments.board or home()
    print(f"{place}: {restore(arguments.file, place)} files")
    return 0
