"""A receipt's page as data: where a submission is, in plain words. It holds no report, no code and no person."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.errors import StoreError
from harness.records.summary import value_with_interval
from harness.types import Access, Json
from submissions import beats, ownership
from submissions.board_folder import BoardFolder
from submissions.events import OVER, LedgerState, State, Submission
from submissions.projection import full_record
from submissions.system_card import alias, shown
from submissions.worker import progress

WORDS = {
    State.RECEIVED: "received: it is kept safely and waits to be checked",
    State.VALIDATED: "validated: the file is in order and waits to be read",
    State.EXTRACTING: "extracting: the reports are being read",
    State.SCORED: "scored: it is about to be listed",
    State.LISTED: "listed: it is on the board",
    State.SET_ASIDE: "set aside: it is kept, but could not be scored; those who run the board have to look at it",
    State.REJECTED: "rejected",
    State.WITHDRAWN: "withdrawn",
    State.DAMAGED: "damaged: a file of it cannot be read; it is left as it is until those who run the board have restored the file",
}


def receipt(board_folder: BoardFolder, name: str) -> Json:
    """What anybody with the id may see; empty where there is no such submission.

    Raises:
        StoreError: Its first event is damaged, so that nothing is known of it.
    """
    now = board_folder.ledger.state()
    item = now.submissions.get(name)
    if not item and (damaged := now.problems(name)):
        raise StoreError(damaged)
    return _receipt(board_folder, now, item) if item else {}


def _receipt(board_folder: BoardFolder, now: LedgerState, item: Submission) -> Json:
    today = datetime.fromtimestamp(board_folder.ledger.clock(), UTC).date()
    contested = item.id in ownership.contested(now, today)
    card = alias(item.card, item.id) if contested else shown(item.card, item.id, today)
    words = WORDS[item.state]
    at = progress(board_folder, item.id) if item.state is State.EXTRACTING else None
    if at:
        words += f" ({at[0]} of {at[1]})"
    if item.hidden:
        words = "hidden by those who run the board, for now"
    elif contested:
        words += ", still anonymous: another system is shown under its name. Write to those who run the board, or submit it under another"
    return {
        "id": item.id,
        "state": item.state.value,
        "words": words,
        "reasons": list(item.reasons),
        "system": card.name,
        "version": card.version,
        "cohort": item.received.data["cohort_name"],
        "handed_in": _stamp(item.received.at),
        "history": [[event.kind, _stamp(event.at)] for event in item.events if event.kind in set(State)],
        "waits_for": _waits_for(board_folder, item),
        "warnings": list(item.received.data.get("warnings", ())),
        "scores": _scores(item) if item.state in (State.SCORED, State.LISTED) and not item.hidden else [],
        "record": item.record if item.state is State.LISTED and item.received.data["access"] == Access.OPEN.value else "",
    }


def _waits_for(board_folder: BoardFolder, item: Submission) -> str:
    """What a submission waits for beside its place in the line; no reason of the program's, which may name a file."""
    if item.state in OVER:
        return ""
    if beats.working(board_folder) is False:
        return "a worker; none is at work just now"
    if item.events[-1].kind != "failed":
        return ""
    # Events of older versions name no kind; what they wait for was the extractor.
    kind = item.events[-1].data.get("kind", "UnavailableError")
    return "the extractor, which does not answer just now" if kind == "UnavailableError" else "another attempt; the last one failed"


def _scores(item: Submission) -> list[list[str]]:
    """Headlines to three digits."""
    return [[result.name, value_with_interval(result)] for result in full_record(item).metrics]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lines(found: Json) -> list[str]:
    """A receipt for people, a line each."""
    return [
        f"{found['system']} {found['version']}".strip() + f" on {found['cohort']}",
        found["words"],
        *(f"  {reason}" for reason in found["reasons"]),
        *([f"waits for {found['waits_for']}"] if found["waits_for"] else []),
        *(f"{name}: {value}" for name, value in found["scores"]),
        *(f"{when}  {kind}" for kind, when in found["history"]),
    ]
