"""Taking a submission: it is checked, kept durably, then acknowledged."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256

from harness.errors import InputError, Problem, RefusedError, StoreError, UnavailableError, UsageError
from harness.quiet import Quiet
from harness.records.paper_table import reported
from harness.storage.report_lines import canonical
from harness.types import Access, Json, Manifest, Role, SystemCard
from submissions import ownership, quotas, sandbox
from submissions import system_card as cards
from submissions.board_folder import BoardFolder
from submissions.events import VISITOR, Event, LedgerState, State, Submission
from submissions.ledger import Draft, blob_name
from submissions.sandbox import Checked

DATA_USE = (
    "I hold the data-use agreement of this cohort, and these reports may be sent to those who run this board, "
    "who keep them in a closed place and show nobody their text."
)
"""What is ticked before reports of a credentialed cohort are taken."""
MAY_NAME = "may-name-patients"
"""The code of the problem that asks the submitter to look for names of patients."""


@dataclass(frozen=True, slots=True, repr=False)
class Upload(Quiet):
    """What somebody submits."""

    content: bytes = field(repr=False)
    file: str
    """As the user named it."""
    cohort: str
    """Name, or start of the digest."""
    card: SystemCard
    person: str
    """`hf:NAME` after a login at the Hub, `local:NAME` after one at the server, else `VISITOR`."""
    agreed: bool = False
    """Whether the data-use sentence was ticked; asked for credentialed cohorts."""
    looked: bool = False
    """Whether the warnings of the privacy screen were seen and found harmless."""
    code: str = field(default="", repr=False)
    """The code of an earlier receipt of this system; without a login it is needed for a new version."""
    operator: bool = False
    """Whether those who run the board submit it: they may use the name of a system of the paper, or of their own records."""


@dataclass(frozen=True, slots=True, repr=False)
class Findings(Quiet):
    """What a look at an upload found."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """From the validator; they stop nothing."""
    private: tuple[Problem, ...]
    """From the privacy screen; they stop it until somebody says that they are harmless."""
    reports: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Receipt(Quiet):
    """What the submitter keeps."""

    id: str
    """Public; the submission's page is found by it."""
    code: str = field(repr=False)
    """Secret; whoever has it may withdraw. Empty where the same was submitted before."""


def look(board_folder: BoardFolder, upload: Upload, now: LedgerState | None = None) -> Findings:
    """Check everything and keep nothing: a dry run. No score is computed.

    Raises:
        UsageError: There is no such cohort.
        UnavailableError: The board's disk or processes fail just now.
    """
    with _answered():
        manifest = board_folder.manifest(upload.cohort)
        now = now or board_folder.ledger.state()
        problems = [
            *cards.problems(upload.card, _today(board_folder)),
            *_ownership(board_folder, now, upload, manifest, _others(board_folder, upload, manifest)),
        ]
        problems += _quota(board_folder, now, upload, manifest)
        if manifest.access is Access.CREDENTIALED and not upload.agreed:
            problems.append(
                Problem("the text of this cohort is credentialed, and the data-use sentence is not agreed to", "Read it and agree")
            )
        checked = read(board_folder, upload, manifest)
    return Findings((*checked.problems, *problems), checked.warnings, checked.private, checked.reports)


@contextmanager
def _answered() -> Iterator[None]:
    """Turn a failure of the machine, such as a full disk, into a message for the visitor."""
    try:
        yield
    except OSError as error:
        what = f"the board cannot take anything just now ({error.strerror or type(error).__name__})"
        raise UnavailableError(Problem(what, "Submit the same again in some minutes: it is taken once")) from None


def read(board_folder: BoardFolder, upload: Upload, manifest: Manifest) -> Checked:
    """Read the file and look for what names a patient, in a process of its own."""
    ids = [study.id for study in manifest.studies if study.part == "test"]
    return sandbox.check(upload.content, upload.file, ids, manifest.section, board_folder.policy, screened=True)


def submit(board_folder: BoardFolder, upload: Upload, found: Findings | None = None) -> Receipt:
    """Take a submission in. It is on durable storage when this returns; the same, submitted again, gives the same receipt.

    Args:
        board_folder: The board that it is submitted to.
        upload: What is submitted.
        found: What `look` just found in it, so that the file is not read twice.

    Raises:
        InputError: Something is wrong with the file, the card or the time; holds every problem.
        RefusedError: The privacy screen noticed something and nobody looked.
        UsageError: There is no such cohort.
        UnavailableError: The board's disk or processes fail just now.
    """
    found = found or look(board_folder, upload)
    manifest = board_folder.manifest(upload.cohort)
    content = canonical(found.reports)
    name = blob_name(content)
    sound = not any(problem.file for problem in found.problems)
    if sound and (before := _same(board_folder.ledger.state(), upload, manifest, name)):
        _write_again(board_folder, name, content)
        return Receipt(before.id, "")
    if found.problems:
        raise InputError(found.problems)
    if found.private and not upload.looked:
        raise RefusedError(
            [*found.private, Problem("the reports may name patients", "Look at them; if they are harmless, say so", code=MAY_NAME)]
        )
    receipt = Receipt(secrets.token_hex(8), secrets.token_urlsafe(12))
    others = _others(board_folder, upload, manifest)

    def decide(now: LedgerState) -> Sequence[Draft]:
        if wrong := [*_ownership(board_folder, now, upload, manifest, others), *_quota(board_folder, now, upload, manifest)]:
            raise InputError(wrong)
        made = _content(upload, manifest, name, receipt.code, found)
        if upload.person == VISITOR and upload.code:
            made["continues"] = ownership.root(now, manifest.digest, upload.code)
        return [Draft(receipt.id, "received", made)]

    with _answered():
        board_folder.ledger.write(decide, {name: content})
    return receipt


def _write_again(board_folder: BoardFolder, name: str, content: bytes) -> None:
    """Write a file of reports that was submitted before, where the one that is kept is damaged."""
    try:
        board_folder.ledger.ledger_files.blob(name)
    except StoreError:
        with _answered():
            board_folder.ledger.ledger_files.create({name: content})


def _quota(board_folder: BoardFolder, now: LedgerState, upload: Upload, manifest: Manifest) -> Iterator[Problem]:
    at = board_folder.ledger.clock()
    return quotas.problems(now, board_folder.policy, upload.person, manifest.digest, at, owner=upload.operator)


def _today(board_folder: BoardFolder) -> date:
    return datetime.fromtimestamp(board_folder.ledger.clock(), UTC).date()


def _ownership(
    board_folder: BoardFolder, now: LedgerState, upload: Upload, manifest: Manifest, others: frozenset[str]
) -> Iterator[Problem]:
    if len(upload.card.name) > cards.LENGTHS["name"]:
        return iter(())
    return ownership.problems(now, upload.card, manifest.digest, upload.person, upload.code, _today(board_folder), others)


def _others(board_folder: BoardFolder, upload: Upload, manifest: Manifest) -> frozenset[str]:
    """Names on the board that were not submitted. A damaged store keeps nobody from submitting; `health` reports it."""
    try:
        cards_here = [item.record.system for item in board_folder.store.standing() if item.record.cohort.digest == manifest.digest]
    except StoreError:
        cards_here = []
    if upload.operator:
        return frozenset(card.name for card in cards_here if card.role is not Role.SYSTEM)
    return frozenset(card.name for card in cards_here) | {row.system for row in reported()}


def _same(now: LedgerState, upload: Upload, manifest: Manifest, name: str) -> Submission | None:
    """The submission that this one repeats: same person, cohort, card and reports, neither rejected nor withdrawn."""
    wanted = (upload.person, manifest.digest, name, card_json(upload.card))
    for item in now.submissions.values():
        data = item.received.data
        given = (data["person"], data["cohort"], data["file"], data["card"])
        if given == wanted and item.state not in (State.REJECTED, State.WITHDRAWN):
            return item
    return None


def _content(upload: Upload, manifest: Manifest, name: str, code: str, found: Findings) -> Json:
    return {
        "cohort": manifest.digest,
        "cohort_name": manifest.name,
        "access": manifest.access.value,
        "file": name,
        "card": card_json(upload.card),
        "person": upload.person,
        "code": sha256(code.encode()).hexdigest(),
        "agreed": upload.agreed,
        "warnings": [str(problem) for problem in found.warnings[:50]],
    }


def card_json(card: SystemCard) -> Json:
    """A card as JSON."""
    return {**asdict(card), "sections": card.sections.value if card.sections else None, "role": card.role.value}


def withdraw(board_folder: BoardFolder, name: str, reason: str, *, person: str = "", code: str = "", operator: bool = False) -> Event:
    """Withdraw a submission; a tombstone stays.

    Args:
        person: Who asks; may withdraw what they submitted.
        code: From the receipt; whoever has it may withdraw.
        operator: Whether those who run the board do it.

    Raises:
        UsageError: There is no such submission, or it is withdrawn or rejected already.
        RefusedError: It is somebody else's.
    """
    reason = re.sub(r"[^\w .,;:()'-]", "", reason)[:200].strip() or "withdrawn"

    def decide(now: LedgerState) -> Sequence[Draft]:
        item = now.submissions.get(name)
        if item is None:
            raise UsageError(f"there is no submission {sandbox.plain_name(name)!r}")
        named = person.startswith("hf:") and person == item.person
        if not (operator or named or ownership.knows(item, code)):
            raise RefusedError("a submission is withdrawn with the code of its receipt, or by the login that submitted it")
        if item.state in (State.WITHDRAWN, State.REJECTED):
            raise UsageError(f"the submission {name} is {item.state.value} already")
        return [Draft(name, "withdrawn", {"reasons": [reason]})]

    with _answered():
        return board_folder.ledger.write(decide)[0]
