"""`ranscore submit`, `ranscore receipt` and `ranscore withdraw`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranscore.commands import options
from ranscore.commands.options import Commands

if TYPE_CHECKING:
    from submissions.board_folder import BoardFolder


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "submit",
        help="submit a reports file to a board",
        description="Submit a reports file to a board: a folder on this machine, a Space, or the address of a page.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the reports: study_id and report, as CSV, JSONL, JSON or Parquet")
    _to(parser)
    parser.add_argument("--cohort", metavar="NAME", required=True, help="the board's cohort, by name or start of its digest")
    options.card(parser)
    parser.add_argument(
        "--anonymous-until", default="", metavar="DATE", help="hide name, organisation and link until this day (2027-01-31)"
    )
    parser.add_argument("--dry-run", action="store_true", help="check everything, keep nothing, reveal no score")
    parser.add_argument(
        "--harmless", action="store_true", help="you checked the warnings of the privacy screen, and the reports contain no personal data"
    )
    parser.add_argument("--data-use", action="store_true", help="you agree to the data-use sentence of a credentialed cohort")
    parser.add_argument(
        "--code", default="", help="the code of an earlier receipt of this system: on a page without a login it is needed for a new version"
    )
    options.json(parser)
    parser.set_defaults(run=run)

    receipt = commands.add_parser("receipt", help="show the state of a submission")
    receipt.add_argument("id", metavar="ID", help="the receipt's id")
    _to(receipt)
    options.json(receipt)
    receipt.set_defaults(run=show)

    gone = commands.add_parser("withdraw", help="withdraw a submission; a tombstone stays")
    gone.add_argument("id", metavar="ID", help="the receipt's id")
    _to(gone)
    gone.add_argument("--code", default="", help="the receipt's code; not needed in a folder of your own")
    gone.add_argument("--reason", default="", metavar="WORDS", help="the reason; shown on the tombstone")
    gone.set_defaults(run=withdraw)


def _to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="DIR|SPACE", default="", help="a board's folder, owner/space, or address (default: RANSCORE_HOME)")


def run(arguments: argparse.Namespace) -> int:
    """Check, submit, print the receipt."""
    from dataclasses import replace

    from ranscore.commands.score import card_of
    from submissions import remote

    card = replace(card_of(arguments), anonymous_until=arguments.anonymous_until)
    if arguments.to and remote.is_remote(arguments.to):
        receipt, answer = remote.submit(
            arguments.to, arguments.file, arguments.cohort, card,
            agreed=arguments.data_use, looked=arguments.harmless, dry_run=arguments.dry_run, code=arguments.code,
        )  # fmt: skip
    else:
        receipt, answer = _submit_here(arguments, card)
    if arguments.json:
        print(json.dumps({"id": receipt.id, "code": receipt.code} if receipt else answer, indent=1))
    elif receipt is None:
        print("\n".join(["Nothing was kept.", *map(str, answer["warnings"]), "It can be submitted."]))
    else:
        print(f"Submitted: receipt {receipt.id}")
        if receipt.code:
            print(f"Keep this code, with which alone you can withdraw it: {receipt.code}")
        print(f"Its state: ranscore receipt {receipt.id}" + (f" --to {arguments.to}" if arguments.to else ""))
    return 0


def _submit_here(arguments: argparse.Namespace, card: Any) -> tuple[Any, Any]:
    import getpass
    from dataclasses import replace

    from harness.errors import InputError, Problem, RefusedError
    from submissions import intake

    board_folder = _board_folder(arguments.to)
    try:
        # A byte more than is allowed is enough to refuse it.
        with arguments.file.open("rb") as stream:
            content = stream.read(board_folder.policy.max_bytes + 1)
    except OSError as error:
        raise InputError(Problem(f"it cannot be read ({type(error).__name__})", "Name a file", str(arguments.file))) from None
    upload = intake.Upload(
        content, arguments.file.name, arguments.cohort, card, f"local:{getpass.getuser()}", arguments.data_use, arguments.harmless,
        code=arguments.code, operator=True,
    )  # fmt: skip
    if not arguments.dry_run:
        try:
            return intake.submit(board_folder, upload), {}
        except RefusedError as error:
            raise RefusedError(
                replace(item, remedy="Look; if they do not, add --harmless") if item.code == intake.MAY_NAME else item
                for item in error.problems
            ) from None
    found = intake.look(board_folder, upload)
    if found.problems:
        raise InputError(found.problems)
    return None, {"warnings": [str(item) for item in (*found.warnings, *found.private)], "reports": len(found.reports)}


def _board_folder(place: str) -> BoardFolder:
    from harness.errors import UsageError
    from leaderboard.hub import repository

    if place and not Path(place).is_dir():
        raise UsageError(f"there is no folder {place!r}; `--to` takes a board's folder, owner/space, or an address")
    return repository.open_board_folder(Path(place) if place else None)


def show(arguments: argparse.Namespace) -> int:
    """Print a receipt."""
    from harness.errors import UsageError
    from submissions import receipts, remote

    if arguments.to and remote.is_remote(arguments.to):
        found = remote.receipt(arguments.to, arguments.id)
    elif found := receipts.receipt(_board_folder(arguments.to), arguments.id):
        found["lines"] = receipts.lines(found)
    else:
        raise UsageError(f"there is no submission {arguments.id!r}")
    print(json.dumps(found, indent=1) if arguments.json else "\n".join(found["lines"]))
    return 0


def withdraw(arguments: argparse.Namespace) -> int:
    """Withdraw a submission."""
    from submissions import intake, projection, remote

    if arguments.to and remote.is_remote(arguments.to):
        remote.withdraw(arguments.to, arguments.id, arguments.code, arguments.reason)
    else:
        board_folder = _board_folder(arguments.to)
        # Who can write into the folder can do anything with it: no code would keep them from it.
        intake.withdraw(board_folder, arguments.id, arguments.reason, operator=True)
        projection.project(board_folder)
    print(f"Withdrawn: {arguments.id}. A tombstone with the reason stays.")
    return 0
