"""What those who run a board may do with a submission or a person: every step an event with a reason, every step can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from harness.errors import UsageError
from submissions.board_folder import BoardFolder
from submissions.events import Event, LedgerState, State, Submission, person_stream
from submissions.ledger import Draft
from submissions.names import skeleton
from submissions.projection import project
from submissions.system_card import is_anonymous


def hide(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Take a submission off the board for now.

    Raises:
        UsageError: There is no such submission, or no reason.
    """
    return _write(board_folder, name, "hidden", reason)


def show(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Put a hidden submission back.

    Raises:
        UsageError: Its name was given free.
    """
    why = "its name was given free; reserve it again with `ranscore moderate keep` first"
    return _write(board_folder, name, "shown", reason, lambda item: why if item.freed else "")


def unflag(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Clear what the probes noticed, after a person looked."""
    return _write(board_folder, name, "unflagged", reason)


def resume(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Let workers try a submission again that was set aside.

    Raises:
        UsageError: It is not set aside.
    """
    return _write(board_folder, name, "resumed", reason, lambda item: "" if item.state is State.SET_ASIDE else "it is not set aside")


def free(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Give the name of a submission free, so that somebody else may use it.

    All submissions to the cohort under this name have to be off the board; each gets an event.

    Raises:
        UsageError: One of them is on the board, or may still come onto it.
    """
    return _about_name(board_folder, name, "freed", reason)


def keep(board_folder: BoardFolder, name: str, reason: str) -> Event:
    """Reserve a name again that was given free."""
    return _about_name(board_folder, name, "kept", reason)


def ban(board_folder: BoardFolder, person: str, reason: str) -> Event:
    """Take nothing more from a person.

    Args:
        person: `hf:NAME` or `local:NAME`, or the id of one of their submissions.
    """
    return _about(board_folder, person, "banned", reason)


def unban(board_folder: BoardFolder, person: str, reason: str) -> Event:
    """Take submissions from a person again."""
    return _about(board_folder, person, "unbanned", reason)


def _write(board_folder: BoardFolder, name: str, kind: str, reason: str, objection: Callable[[Submission], str] = lambda _: "") -> Event:
    _given(reason)

    def decide(now: LedgerState) -> Sequence[Draft]:
        if why := objection(_one(now, name)):
            raise UsageError(f"{name}: {why}")
        return [Draft(name, kind, {"reason": reason})]

    event = board_folder.ledger.write(decide)[0]
    project(board_folder)
    return event


def _about_name(board_folder: BoardFolder, name: str, kind: str, reason: str) -> Event:
    _given(reason)
    today = datetime.fromtimestamp(board_folder.ledger.clock(), UTC).date()

    def decide(now: LedgerState) -> Sequence[Draft]:
        item = _one(now, name)
        alike = [
            other
            for other in now.submissions.values()
            if other is item or (_same_name(other, item) and not is_anonymous(other.card, today))
        ]
        if kind == "freed" and (shown := [other.id for other in alike if other.state not in _GONE and not other.hidden]):
            raise UsageError(f"{', '.join(shown)}: on the board under this name, or about to be; withdraw or hide it first")
        return [Draft(other.id, kind, {"reason": reason}) for other in alike]

    event = board_folder.ledger.write(decide)[0]
    project(board_folder)
    return event


_GONE = (State.WITHDRAWN, State.REJECTED)


def _same_name(one: Submission, other: Submission) -> bool:
    return one.cohort == other.cohort and skeleton(one.card.name) == skeleton(other.card.name)


def _one(now: LedgerState, name: str) -> Submission:
    if name not in now.submissions:
        raise UsageError(f"there is no submission {name!r}; `ranscore moderate list` shows all")
    return now.submissions[name]


def _about(board_folder: BoardFolder, person: str, kind: str, reason: str) -> Event:
    _given(reason)

    def decide(now: LedgerState) -> Sequence[Draft]:
        who = now.submissions[person].person if person in now.submissions else person
        if not who.startswith(("hf:", "local:")):
            raise UsageError(f"{person!r} is neither hf:NAME nor local:NAME nor a submission's id")
        return [Draft(person_stream(who), kind, {"reason": reason, "person": who})]

    return board_folder.ledger.write(decide)[0]


def _given(reason: str) -> None:
    if not reason.strip():
        raise UsageError("moderation needs a reason: it is kept with the event")
