"""`ranscore health`, `ranscore backup` and `ranscore restore`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ranscore.commands import options
from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser("health", help="show the health of a board; exit code 1 where something needs attention")
    options.board(parser)
    options.json(parser)
    parser.set_defaults(run=run)
    copy = commands.add_parser("backup", help="copy a board's ledger, store, configuration and open cohorts into one file")
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

    found = health.health(repository.open_board_folder(arguments.board))
    print(json.dumps({**asdict(found), "alarms": found.alarms}, indent=1) if arguments.json else "\n".join(health.lines(found)))
    return 1 if found.alarms else 0


def backup(arguments: argparse.Namespace) -> int:
    """Copy a board and say what is left out.

    Returns:
        0 where the board is whole, 1 where something of it is damaged; the rest was copied all the same.
    """
    import sys

    from harness.config.home import home
    from submissions.backup import backup

    made = backup(arguments.board or home(), arguments.file)
    print(f"{arguments.file}: {len(made.contents.files)} files")
    for item in made.contents.left_out:
        print(f"left out: {item}")
    for problem in made.damaged:
        print(f"ranscore: damaged, and so in the copy: {problem}", file=sys.stderr)
    return 1 if made.damaged else 0


def restore(arguments: argparse.Namespace) -> int:
    """Put a copy back and say what it does not hold."""
    from harness.config.home import home
    from submissions.restore import restore

    place = arguments.board or home()
    made = restore(arguments.file, place)
    print(f"{place}: {len(made.files)} files")
    for item in made.left_out:
        print(f"not in the backup: {item}")
    return 0
