"""What those who run a board may do with a submission or a person: every step an event with a reason, every step can be undone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import UsageError
from submissions.desk import Desk
from submissions.events import Books, Event, person_stream
from submissions.ledger import Draft
from submissions.projection import project


def hide(desk: Desk, name: str, reason: str) -> Event:
    """Take a submission off the board for now.

    Raises:
        UsageError: There is no such submission, or no reason.
    """
    return _write(desk, name, "hidden", reason)


def show(desk: Desk, name: str, reason: str) -> Event:
    """Put a hidden submission back."""
    return _write(desk, name, "shown", reason)


def unflag(desk: Desk, name: str, reason: str) -> Event:
    """Clear what the probes noticed, after a person looked."""
    return _write(desk, name, "unflagged", reason)


def ban(desk: Desk, person: str, reason: str) -> Event:
    """Take nothing more from a person.

    Args:
        person: `hf:NAME` or `local:NAME`, or the id of one of their submissions.
    """
    return _about(desk, person, "banned", reason)


def unban(desk: Desk, person: str, reason: str) -> Event:
    """Take submissions from a person again."""
    return _about(desk, person, "unbanned", reason)


def _write(desk: Desk, name: str, kind: str, reason: str) -> Event:
    _given(reason)

    def decide(now: Books) -> Sequence[Draft]:
        if name not in now.submissions:
            raise UsageError(f"there is no submission {name!r}; `ranscore moderate list` shows all")
        return [Draft(name, kind, {"reason": reason})]

    event = desk.ledger.write(decide)[0]
    project(desk)
    return event


def _about(desk: Desk, person: str, kind: str, reason: str) -> Event:
    _given(reason)

    def decide(now: Books) -> Sequence[Draft]:
        who = now.submissions[person].person if person in now.submissions else person
        if not who.startswith(("hf:", "local:")):
            raise UsageError(f"{person!r} is neither hf:NAME nor local:NAME nor a submission's id")
        return [Draft(person_stream(who), kind, {"reason": reason, "person": who})]

    return desk.ledger.write(decide)[0]


def _given(reason: str) -> None:
    if not reason.strip():
        raise UsageError("moderation needs a reason: it is kept with the event")
