"""The store as the ledger wants it: what is scored and neither hidden nor withdrawn stands, everything else does not.

This can be run at any time and any number of times; whatever a crash left undone, the next run does.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from harness.records import record as records
from harness.records.record import Record
from harness.records.store import Stored, identity
from harness.types import Json, SystemCard
from submissions.desk import Desk
from submissions.events import State, Submission
from submissions.system_card import shown

_MARK = "submission "
"""Begins the reason of every withdrawal made here; others are the operator's own and stay."""


def project(desk: Desk) -> bool:
    """Make the store what the ledger says.

    Returns:
        Whether anything had to be done.
    """
    today = datetime.fromtimestamp(desk.ledger.clock(), UTC).date()
    scored = [item for item in desk.ledger.books().submissions.values() if item.record]
    wanted = {identity(found): (item, found) for item in scored if stands(item) and (found := shown_record(item, today))}
    ours = {identity(records.named(full, card)) for item in scored for full in [full_record(item)] for card in (full.system, _alias(item))}
    stored = {item.id: item for item in desk.store.all()}
    changed = [_stand(desk, stored.get(name), *wanted[name]) for name in wanted]
    for name in ours - wanted.keys():
        if name in stored and not stored[name].withdrawn:
            desk.store.withdraw(name, f"{_MARK}withdrawn, hidden or named since")
            changed.append(True)
    return any(changed)


def stands(item: Submission) -> bool:
    """Whether a submission belongs on the board."""
    return item.state in (State.SCORED, State.LISTED) and not item.hidden


def full_record(item: Submission) -> Record:
    """The record that was made of a submission, under its full card."""
    found = item.last("scored")
    assert found is not None
    return records.from_json(found.data["record"], found.name)


def shown_record(item: Submission, today: date) -> Record:
    """The record under the card that may be shown today."""
    made = full_record(item)
    return records.named(made, shown(made.system, item.id, today))


def _alias(item: Submission) -> SystemCard:
    return shown(full_record(item).system, item.id, date.min)


def _stand(desk: Desk, stored: Stored | None, item: Submission, record: Record) -> bool:
    if stored is None:
        desk.store.add(record, (), read_canonical(desk.ledger.shelf.blob(item.received.data["file"])))
        return True
    if stored.withdrawn.startswith(_MARK):
        desk.store.restore(stored.id)
        return True
    return False


def read_canonical(content: bytes) -> dict[str, str]:
    """The reports of a canonical file."""
    lines: list[Json] = [json.loads(line) for line in content.splitlines()]  # bytes: text would part at U+2028 too
    return {item["study_id"]: item["report"] for item in lines}
