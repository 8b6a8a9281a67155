"""How a board is: queue, workers, ranks, disk, failures. Nothing in it is secret and no report's text."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StoreError
from harness.stored import Source, read_object, shaped
from submissions import backup, inspection
from submissions.desk import Desk
from submissions.events import OVER, Event, State

QUIET = 3.0
"""Leases after which a worker that says nothing counts as gone."""
FULL = 1 << 30
"""Bytes of free disk below which something should be done."""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a board."""

    states: Mapping[str, int]
    """How many submissions stand where."""
    oldest: float | None
    """Seconds for which the oldest waiting submission has waited."""
    workers: int
    """That were heard of lately."""
    heard: float | None
    """Seconds since a worker was last heard of."""
    snapshot: float | None
    """Seconds since ranks were last made."""
    failures: tuple[str, ...]
    """The newest ten: id and reason."""
    flagged: int
    """Listed submissions that a person has not looked at yet."""
    free: int
    """Bytes of free disk."""
    damaged: tuple[str, ...] = ()
    """Files that cannot be read or do not fit together, and what to do about each."""
    ahead: tuple[str, ...] = ()
    """Files that a clock dated in the future."""
    left_out: tuple[str, ...] = ()
    """What the backup that was restored does not hold and is not here since."""

    @property
    def alarms(self) -> tuple[str, ...]:
        """What should not wait."""
        found = [*self.damaged, *self.ahead, *self.left_out]
        if self.oldest is not None and not self.workers:
            found.append("submissions wait and no worker runs: start `ranscore worker`")
        if self.free < FULL:
            found.append(f"only {self.free >> 20} MB of disk are free")
        return tuple(found)


def health(desk: Desk) -> Health:
    """Look at everything."""
    now = desk.ledger.clock()
    items = tuple(desk.ledger.books().submissions.values())
    waiting = [item.received.at for item in items if item.state not in OVER]
    beats = [_beat(path) for path in (desk.root / "workers").glob("*.json")]
    failures = sorted(
        (event for item in items for event in item.events if event.kind in ("failed", "rejected")), key=lambda event: -event.at
    )
    made = [path.lstat().st_mtime for path in (desk.store.root / "snapshots").glob("*.json")]
    return Health(
        states=dict(Counter(item.state.value for item in items)),
        oldest=now - min(waiting) if waiting else None,
        workers=sum(now - at < QUIET * desk.policy.lease for at in beats),
        heard=now - max(beats) if beats else None,
        snapshot=now - max(made) if made else None,
        failures=tuple(_failure(event) for event in failures[:10]),
        flagged=sum(bool(item.flags) and item.state is State.LISTED for item in items),
        free=shutil.disk_usage(desk.root if desk.root.is_dir() else ".").free,
        damaged=tuple(dict.fromkeys(map(str, inspection.problems(desk)))),
        ahead=tuple(map(str, inspection.ahead(desk))),
        left_out=backup.still_left_out(desk.root),
    )


@dataclass(frozen=True, slots=True)
class _Beat:
    at: float


def _beat(path: Path) -> float:
    source = Source(str(path), "the sign of a worker", "It is written again")
    try:
        return shaped(_Beat, read_object(path, source), source).at
    except StoreError:
        return 0.0


def _failure(event: Event) -> str:
    why = event.data.get("why") or "; ".join(event.data.get("reasons", ["?"])[:1])
    return f"{event.stream}: {why}"


def lines(found: Health) -> list[str]:
    """For people, a line each."""
    states = ", ".join(f"{count} {name}" for name, count in sorted(found.states.items())) or "none yet"
    return [
        f"submissions: {states}",
        f"oldest waiting: {_ago(found.oldest)}" if found.oldest is not None else "nothing waits",
        f"workers: {found.workers}, last heard of {_ago(found.heard)} ago" if found.heard is not None else "workers: none was ever here",
        f"ranks made {_ago(found.snapshot)} ago" if found.snapshot is not None else "ranks: never made",
        f"flagged and not looked at: {found.flagged}",
        f"free disk: {found.free / (1 << 30):.1f} GB",
        *(f"failed: {line}" for line in found.failures),
        *(f"ALARM: {line}" for line in found.alarms),
    ]


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(0.0, seconds):.0f} seconds"
