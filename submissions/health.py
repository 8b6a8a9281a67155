"""How a board is: queue, workers, ranks, disk, failures. Nothing in it is secret and no report's text."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from submissions import beats, inspection, ownership, restore, rights
from submissions.board_folder import BoardFolder
from submissions.events import Event, State

FULL = 1 << 30
"""Bytes of free disk below which something should be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of a board."""

    states: Mapping[str, int]
    """How many submissions are in each state."""
    oldest: float | None
    """Seconds for which the oldest waiting submission has waited."""
    workers: int | None
    """That are at work; None where the ledger is not on this machine, so that nobody here can know."""
    heard: float | None
    """Seconds since a worker was last heard of."""
    troubles: tuple[str, ...]
    """What fails for the workers that are at work."""
    snapshot: float | None
    """Seconds since ranks were last made."""
    failures: tuple[str, ...]
    """The newest ten: id and reason."""
    aside: tuple[str, ...]
    """Ids of those that were set aside and wait for a person."""
    contested: tuple[str, ...]
    """Ids of those that stay anonymous although their day has come, because somebody else is shown under their name."""
    flagged: int
    """Listed submissions that a person has not looked at yet."""
    free: int
    """Bytes of free disk."""
    closed: int = 0
    """Files with text that other users of the machine could read until this look, which has closed them."""
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
        if self.oldest is not None and self.workers == 0:
            found.append("submissions wait and no worker is at work: start `ranscore worker`")
        found += [f"a worker is in trouble: {line}" for line in self.troubles]
        if self.aside:
            found.append(f"set aside: {', '.join(self.aside)}; fix what failed, then `ranscore moderate resume ID`")
        if self.contested:
            found.append(f"still anonymous, because their names are shown for others: {', '.join(self.contested)}; see `ranscore moderate`")
        if self.free < FULL:
            found.append(f"only {self.free >> 20} MB of disk are free")
        return tuple(found)


def health(board_folder: BoardFolder) -> Health:
    """Look at everything."""
    now = board_folder.ledger.clock()
    ledger_state = board_folder.ledger.state()
    items = ledger_state.submissions.values()
    waiting = [item.received.at for item in ledger_state.waiting]
    heard = beats.read(board_folder)
    lively = [beat for beat in heard if beat.lives(now)]
    failures = sorted(
        (event for item in items for event in item.events if event.kind in ("failed", "rejected", "set aside")), key=lambda event: -event.at
    )
    made = [path.lstat().st_mtime for path in (board_folder.store.root / "snapshots").glob("*.json")]
    return Health(
        states=dict(Counter(item.state.value for item in items)),
        oldest=now - min(waiting) if waiting else None,
        workers=None if beats.working(board_folder) is None else len(lively),
        heard=now - max(beat.at for beat in heard) if heard else None,
        troubles=tuple(beat.trouble for beat in lively if beat.trouble),
        snapshot=now - max(made) if made else None,
        failures=tuple(_failure(event) for event in failures[:10]),
        aside=tuple(item.id for item in items if item.state is State.SET_ASIDE),
        contested=tuple(sorted(ownership.contested(ledger_state, datetime.fromtimestamp(now, UTC).date()))),
        flagged=sum(bool(item.flags) and item.state is State.LISTED for item in items),
        free=shutil.disk_usage(board_folder.root if board_folder.root.is_dir() else ".").free,
        closed=rights.close_files(board_folder.root),
        damaged=tuple(dict.fromkeys(map(str, inspection.problems(board_folder)))),
        ahead=tuple(map(str, inspection.ahead(board_folder))),
        left_out=restore.still_left_out(board_folder.root),
    )


def _failure(event: Event) -> str:
    why = event.data.get("why") or "; ".join(event.data.get("reasons", ["?"])[:1])
    return f"{event.stream}: {why}"


def lines(found: Health) -> list[str]:
    """The result as lines for people, one for each fact."""
    states = ", ".join(f"{count} {name}" for name, count in sorted(found.states.items())) or "none yet"
    return [
        f"submissions: {states}",
        f"oldest waiting: {_ago(found.oldest)}" if found.oldest is not None else "nothing waits",
        _workers(found),
        f"ranks made {_ago(found.snapshot)} ago" if found.snapshot is not None else "ranks: never made",
        f"flagged and not looked at: {found.flagged}",
        f"free disk: {found.free / (1 << 30):.1f} GB",
        *([f"closed to other users of this machine: {found.closed} files and folders"] if found.closed else []),
        *(f"failed: {line}" for line in found.failures),
        *(f"ALARM: {line}" for line in found.alarms),
    ]


def _workers(found: Health) -> str:
    if found.workers is None:
        return "workers: not known here, the ledger is elsewhere"
    last = f"; one was last heard of {_ago(found.heard)} ago" if found.heard is not None else "; none was ever here"
    return f"workers: {found.workers}{last}"


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(0.0, seconds):.0f} seconds"
