"""`ranscore moderate`: look after a board's submissions."""

from __future__ import annotations

import argparse
import json

from ranscore.commands import options
from ranscore.commands.options import Commands

ACTIONS = {
    "hide": "take a submission off the board for now",
    "show": "put a hidden submission back",
    "unflag": "clear what the probes noticed, after you looked",
    "resume": "let workers try a submission again that was set aside",
    "free": "give the name of a withdrawn, rejected or hidden submission free for others",
    "keep": "reserve a name again that was given free",
    "ban": "take nothing more from a person (a submission's id, hf:NAME or local:NAME)",
    "unban": "take submissions from a person again",
}


def register(commands: Commands) -> None:
    """Declare the commands."""
    parser = commands.add_parser("moderate", help="list, hide, show, unflag, resume submissions; free and keep names; ban and unban people")
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=type(parser))
    listing = kinds.add_parser("list", help="all submissions: state, person, flags")
    options.board(listing)
    options.json(listing)
    listing.set_defaults(run=show_all)
    for action, what in ACTIONS.items():
        command = kinds.add_parser(action, help=what)
        command.add_argument("who", metavar="ID", help="the submission, or the person")
        command.add_argument("--reason", required=True, metavar="WORDS", help="why; kept with the event")
        options.board(command)
        command.set_defaults(run=run, action=action)


def run(arguments: argparse.Namespace) -> int:
    """Do it, as an event."""
    from leaderboard.hub import repository
    from submissions import moderation

    event = getattr(moderation, arguments.action)(repository.open_board_folder(arguments.board), arguments.who, arguments.reason)
    print(f"{event.kind}: {arguments.who}")
    return 0


def show_all(arguments: argparse.Namespace) -> int:
    """List the submissions."""
    from leaderboard.hub import repository
    from ranscore.commands.show import table

    items = repository.open_board_folder(arguments.board).ledger.state().submissions.values()
    rows = [
        {
            "id": item.id,
            "state": "hidden" if item.hidden else item.state.value,
            "person": item.person,
            "system": f"{item.card.name} {item.card.version}".strip(),
            "cohort": item.received.data["cohort_name"],
            "flags": "; ".join(item.flags),
        }
        for item in items
    ]
    if arguments.json:
        print(json.dumps({"submissions": rows}, indent=1))
    elif rows:
        table(list(rows[0]), [list(row.values()) for row in rows], "Submissions", 6)
    else:
        print("Nothing was submitted yet.")
    return 0
