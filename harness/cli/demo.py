"""`ranscore demo`: what `make run` does."""

from __future__ import annotations

import argparse

from harness.cli.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("demo", help="build the synthetic cohort, score its systems, show the board")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, score, show."""
    print("The synthetic board is not built yet.")
    return 0
