"""How much one person may submit, and how much may wait, counted in the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import Problem
from submissions.events import LedgerState
from submissions.policy import Policy

DAY = 86_400.0


def problems(now: LedgerState, policy: Policy, person: str, cohort: str, at: float, *, owner: bool = False) -> Iterator[Problem]:
    """Why a person may not submit now; nothing where they may.

    Args:
        cohort: Its digest.
        owner: It is the owner of the board's folder, who may submit any number of times.
        at: The time, in seconds since 1970.
    """
    if reason := now.banned(person):
        yield Problem(f"you are banned from this board: {reason}", "Write to those who run it")
    times = [item.received.at for item in now.submissions.values() if item.person == person and item.cohort == cohort]
    # A time of the future is that of a clock that ran fast: after a day, in either direction, it counts no longer.
    recent = sorted(time for time in times if abs(at - time) < DAY)
    if not owner and policy.per_day and len(recent) >= policy.per_day:
        hours = max(1, round((recent[-policy.per_day] + DAY - at) / 3600))
        yield Problem(f"you submitted {len(recent)} times to this cohort within a day; {policy.per_day} are allowed", f"Wait {hours} hours")
    if not owner and policy.in_all and len(times) >= policy.in_all:
        what = f"you submitted {len(times)} times to this cohort; {policy.in_all} are allowed in all"
        yield Problem(what, "Score on your own machine with `ranscore score`, or write to those who run the board")
    if len(now.waiting) >= policy.queue:
        yield Problem(
            f"{len(now.waiting)} submissions are waiting already, as many as this board takes",
            "Run `ranscore worker --once`" if owner else "Try again later",
        )
