"""The store as the ledger wants it: what is scored and neither hidden nor withdrawn is in it, everything else is not.

This can be run at any time and any number of times; whatever a crash left undone, the next run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from harness.errors import StoreError
from harness.records import record as records
from harness.records.record import Record
from harness.records.store import Stored
from harness.storage.report_lines import read_canonical
from harness.storage.stored import tell
from submissions import ownership
from submissions.board_folder import BoardFolder
from submissions.events import LedgerState, State, Submission
from submissions.system_card import alias, shown

_MARK = "submission "
"""Begins the reason of every withdrawal made here; others are the operator's own and stay."""


def project(board_folder: BoardFolder) -> bool:
    """Make the store what the ledger says.

    Returns:
        Whether anything had to be done.

    Raises:
        Exception: What kept a submission from the board; the others are in order.
    """
    changed, failed = projected(board_folder)
    for error in failed.values():
        raise error
    return changed


def projected(board_folder: BoardFolder) -> tuple[bool, Mapping[str, Exception]]:
    """Make the store what the ledger says, as far as it goes.

    Returns:
        Whether anything had to be done, and by submission what kept it from the board.
    """
    today = datetime.fromtimestamp(board_folder.ledger.clock(), UTC).date()
    now = board_folder.ledger.state()
    contested = ownership.contested(now, today)
    stored = {item.id: item for item in board_folder.store.all()}
    failed: dict[str, Exception] = {}
    ours, wanted = set(), set()
    changed = False
    for item in now.submissions.values():
        # Nobody knows whether a submission with a damaged event was withdrawn: what the store says of it stays as it is.
        if not item.record or item.damage:
            continue
        try:
            ours |= _identities(item)
            if stands(item):
                record = shown_record(item, today, item.id in contested)
                wanted.add(records.identity(record))
                changed |= _stand(board_folder, stored.get(records.identity(record)), item, record)
        except Exception as error:
            # One damaged file keeps nobody else from the board.
            failed[item.id] = error
    for name in ours - wanted:
        if name in stored and not stored[name].withdrawn:
            board_folder.store.withdraw(name, f"{_MARK}withdrawn, hidden or named since")
            changed = True
    return changed, failed


def _identities(item: Submission) -> set[str]:
    """Under what its record may be in the store: its name, or while it is anonymous its alias."""
    full = full_record(item)
    return {records.identity(records.named(full, card)) for card in (full.system, alias(full.system, item.id))}


def at_odds(board_folder: BoardFolder, now: LedgerState, before: float) -> tuple[str, ...]:
    """The ids of submissions of which the store still says something else than the ledger has said since a time."""
    standing = {item.id for item in board_folder.store.standing()}
    settled = [item for item in now.submissions.values() if item.record and not item.damage and item.events[-1].at < before]
    return tuple(item.id for item in settled if stands(item) is standing.isdisjoint(_identities(item)))


def stands(item: Submission) -> bool:
    """Whether a submission belongs on the board."""
    return item.state in (State.SCORED, State.LISTED) and not item.hidden


def full_record(item: Submission) -> Record:
    """The record that was made of a submission, under its full card."""
    found = item.last("scored")
    assert found is not None
    return records.from_json(found.data["record"], found.name)


def shown_record(item: Submission, today: date, contested: bool = False) -> Record:
    """The record under the card that may be shown today.

    Args:
        contested: Whether somebody else is shown under its name.
    """
    made = full_record(item)
    return records.named(made, alias(made.system, item.id) if contested else shown(made.system, item.id, today))


def _stand(board_folder: BoardFolder, stored: Stored | None, item: Submission, record: Record) -> bool:
    if stored is None:
        board_folder.store.add(record, (), _reports(board_folder, item))
        return True
    if stored.withdrawn.startswith(_MARK):
        board_folder.store.restore(stored.id)
        return True
    return False


def _reports(board_folder: BoardFolder, item: Submission) -> dict[str, str] | None:
    try:
        return read_canonical(board_folder.ledger.ledger_files.blob(item.received.data["file"]))
    except StoreError as error:
        tell(error)
        return None
