"""Whose name it is: a system's name on a cohort is of whoever was shown under it first.

A system that is still anonymous reserves no name, so that nobody can find out by trying names who is behind it. Where its day comes and
somebody else is shown under the name, it stays anonymous until those who run the board have settled it.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256

from harness.errors import Problem
from harness.types import SystemCard
from submissions.events import VISITOR, LedgerState, State, Submission
from submissions.names import skeleton
from submissions.system_card import is_anonymous

_known = cache(skeleton)
"""Skeletons of names in the ledger. That of a new name is never looked up here: the time would show whether it is there."""


def problems(
    now: LedgerState, card: SystemCard, cohort: str, who: str, code: str, today: date, others: Collection[str]
) -> Iterator[Problem]:
    """Why a system may not have its name.

    Args:
        cohort: Its digest.
        who: Who submits it.
        code: The code of an earlier receipt of this system; empty for none.
        today: Systems that are anonymous today are passed over.
        others: Names that are on the board without having been submitted: floors, ceilings, reported and local systems.
    """
    wanted = skeleton(card.name)
    taken = [item for item in now.submissions.values() if _reserves(item, cohort, today) and _known(item.card.name) == wanted]
    own = [item for item in taken if _is_own(item, who, code)]
    if not own and (taken or wanted in {_known(name) for name in others}):
        yield Problem("a system of this name is on the board, or its name resembles one that is", _REMEDY[who == VISITOR])
    for item in own:
        if item.state is not State.WITHDRAWN and item.card.name != card.name:
            yield Problem("you submitted this system with its name spelled otherwise", f"Write it as {item.card.name!r}")
            return


_REMEDY = {
    False: "Choose another, or write to those who run the board",
    True: "Choose another; if it is your own system, add the code of its receipt",
}
"""By whether somebody without a login submits."""


def _reserves(item: Submission, cohort: str, today: date) -> bool:
    return item.cohort == cohort and item.state is not State.REJECTED and not item.freed and not is_anonymous(item.card, today)


def _is_own(item: Submission, who: str, code: str) -> bool:
    return (who != VISITOR and item.person == who) or knows(item, code)


def knows(item: Submission, code: str) -> bool:
    """Whether somebody has the code of a submission's receipt."""
    return hmac.compare_digest(sha256(code[:100].encode(errors="replace")).hexdigest(), str(item.received.data["code"]))


def root(now: LedgerState, cohort: str, code: str) -> str:
    """The owner of the submission with this code; empty where there is none.

    All submissions are compared, so that the time shows nothing.
    """
    found = [item.owner for item in now.submissions.values() if (item.cohort == cohort) & knows(item, code)]
    return found[0] if found else ""


def contested(now: LedgerState, today: date) -> frozenset[str]:
    """The ids of those whose anonymity is over while somebody else has been shown under their name: they stay anonymous."""
    first: dict[tuple[str, str], Submission] = {}
    found = set()
    for item in sorted(now.submissions.values(), key=_named_since):
        if item.freed or item.state in (State.REJECTED, State.WITHDRAWN) or is_anonymous(item.card, today):
            continue
        holder = first.setdefault((item.cohort, _known(item.card.name)), item)
        if holder.owner != item.owner and item.card.anonymous_until:
            found.add(item.id)
    return frozenset(found)


def _named_since(item: Submission) -> tuple[float, str]:
    """When a submission was, or will be, shown under its name."""
    if not item.card.anonymous_until:
        return item.received.at, item.id
    return datetime.combine(date.fromisoformat(item.card.anonymous_until), datetime.min.time(), UTC).timestamp(), item.id
