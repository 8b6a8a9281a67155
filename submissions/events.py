"""What an event is, and what a submission's events say together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from harness.errors import Problem, StoreError
from harness.records.record import card_from_json
from harness.storage.shaped import ShapeError
from harness.storage.stored import SEAL, Source, parse, reading, schema_of, seal, shaped, unsealed
from harness.types import Json, SystemCard
from submissions import event_data

SCHEMA = 1
MIGRATIONS: dict[int, Callable[[Json], Json]] = {}
"""By schema, how an event of it becomes one of the next. Events are brought up to date when they are read; their files never change."""


VISITOR = "local:visitor"
"""The person of everybody who submits where no login is; they are distinguished by the codes of their receipts."""


NAME: Final = re.compile(r"events/((?:person-)?[0-9a-f]{16})\.(\d{4,9})\.json", re.ASCII)
"""The name of an event's file: its stream and its number."""


LATEST: Final = 253_402_300_800.0
"""The year 10,000 in seconds since 1970: after it there are no dates."""


class State(StrEnum):
    """Where a submission is, in words for its receipt."""

    RECEIVED = "received"
    VALIDATED = "validated"
    EXTRACTING = "extracting"
    SCORED = "scored"
    LISTED = "listed"
    SET_ASIDE = "set aside"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    DAMAGED = "damaged"
    """A file of it cannot be read: it is left as it is until the file is restored."""


OVER = frozenset({State.LISTED, State.SET_ASIDE, State.REJECTED, State.WITHDRAWN, State.DAMAGED})
"""States in which nothing waits for a worker."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a submission or a person."""

    stream: str
    """A submission's id, or `person-` and a hash."""
    number: int
    """From 1 without gaps: two processes cannot both write the next one."""
    kind: str
    at: float
    """Seconds since 1970, UTC."""
    data: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"events/{self.stream}.{self.number:04d}.json"


def dump(event: Event, nonce: str) -> bytes:
    """An event as the content of its file; the nonce distinguishes equal events of two writers."""
    content = {"schema": SCHEMA, "event": event.name, "kind": event.kind, "at": event.at, "nonce": nonce, "data": event.data}
    return (json.dumps(seal(content), ensure_ascii=False, indent=1) + "\n").encode()


def load(name: str, content: bytes, file: str = "") -> Event:
    """An event from its file, brought up to the newest schema.

    Args:
        name: Its name in the ledger.
        content: What the file holds.
        file: What messages call the file; by default its name.

    Raises:
        StoreError: It is damaged, or newer than this program.
    """
    source = Source(file or name, "the event", "Restore this file from a backup")
    found = parse(content, source)
    sealed = isinstance(found, dict) and SEAL in found
    found = unsealed(found, source)
    schema_of(found, source, SCHEMA)
    while found["schema"] < SCHEMA:
        with reading(source):
            found = MIGRATIONS[found["schema"]](found)
    made = shaped(_Content, found, source)
    with reading(source):
        stream, number = _place(name)
        if not 0 <= made.at < LATEST:
            raise ShapeError("its time is out of range")
        if made.event not in ("", name) or (made.kind == "received") is not (number == 1 and not stream.startswith("person-")):
            raise ShapeError("it is another event than its name says")
        if made.kind in event_data.KINDS:
            event_data.check(made.kind, dict(made.data), source)
        elif not sealed:
            raise ShapeError("its kind is not known")
    return Event(stream, number, made.kind, made.at, dict(made.data))


@dataclass(frozen=True, slots=True)
class _Content:
    schema: int
    kind: str
    at: float
    data: Mapping[str, Any]
    event: str = ""
    """Its name; empty in files of earlier versions."""
    nonce: str = ""


def _place(name: str) -> tuple[str, int]:
    """Stream and number of an event, by the name of its file."""
    found = NAME.fullmatch(name)
    if not found:
        raise ShapeError("its name is not that of an event")
    return found[1], int(found[2])


def person_stream(person: str) -> str:
    """The stream of a person; their name is not in it."""
    return "person-" + sha256(person.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission as its events tell it."""

    id: str
    events: tuple[Event, ...]
    damage: tuple[Problem, ...] = ()
    """Why some of its events cannot be read; empty where all can."""

    def last(self, *kinds: str) -> Event | None:
        """The newest event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)

    @property
    def received(self) -> Event:
        """The first event; it holds everything that was submitted."""
        return self.events[0]

    @property
    def card(self) -> SystemCard:
        """Who made the reports."""
        return card_from_json(self.received.data["card"])

    @property
    def person(self) -> str:
        """Who submitted it."""
        return str(self.received.data["person"])

    @property
    def owner(self) -> str:
        """To whom its name belongs: the person, or without a login the first submission whose code was known for this one."""
        return self.person if self.person != VISITOR else str(self.received.data.get("continues") or self.id)

    @property
    def freed(self) -> bool:
        """Whether a moderator gave its name free for others."""
        found = self.last("freed", "kept")
        return bool(found and found.kind == "freed")

    @property
    def cohort(self) -> str:
        """The cohort's digest."""
        return str(self.received.data["cohort"])

    @property
    def claim(self) -> Event | None:
        """The newest claim, unless what was claimed is done or given back."""
        found = self.last("claimed", "failed", "scored", "set aside", "rejected", "withdrawn")
        return found if found and found.kind == "claimed" else None

    @property
    def attempts(self) -> int:
        """How often it was begun since it was last resumed, apart from renewed claims and from failures that were not its own."""
        resumed = self.last("resumed")
        events = self.events[resumed.number :] if resumed else self.events
        begun = sum(event.kind == "claimed" and not event.data.get("renewed") for event in events)
        return begun - sum(event.kind == "failed" and bool(event.data.get("ours")) for event in events)

    @property
    def failures(self) -> int:
        """How many attempts failed, one after the other, up to now."""
        count = 0
        for event in reversed(self.events):
            if event.kind == "failed":
                count += 1
            elif event.kind != "claimed":
                break
        return count

    @property
    def state(self) -> State:
        """The state of the submission."""
        if self.damage:
            return State.DAMAGED
        kinds = {event.kind for event in self.events}
        for state in (State.WITHDRAWN, State.REJECTED, State.LISTED):
            if state.value in kinds:
                return state
        if (found := self.last("set aside", "resumed")) and found.kind == "set aside":
            return State.SET_ASIDE
        if State.SCORED.value in kinds:
            return State.SCORED
        if State.VALIDATED.value in kinds:
            return State.EXTRACTING if self.claim else State.VALIDATED
        return State.RECEIVED

    @property
    def hidden(self) -> bool:
        """Whether a moderator took it off the board for now."""
        found = self.last("hidden", "shown")
        return bool(found and found.kind == "hidden")

    @property
    def flags(self) -> tuple[str, ...]:
        """What the probes noticed and no moderator has cleared."""
        found = self.last("scored", "unflagged")
        return tuple(found.data.get("flags", ())) if found and found.kind == "scored" else ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was rejected or withdrawn."""
        found = self.last("rejected", "withdrawn")
        return tuple(found.data.get("reasons", ())) if found else ()

    @property
    def record(self) -> str:
        """Digest of its record; empty before it is scored."""
        found = self.last("scored")
        return str(found.data["record"]["digest"]) if found else ""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Everything that the ledger says at one moment."""

    submissions: Mapping[str, Submission]
    """By id, oldest first."""
    people: Mapping[str, tuple[Event, ...]]
    """By stream."""
    damaged: Mapping[str, Mapping[int, StoreError]] = field(default_factory=dict)
    """By stream and number the events that cannot be read or are missing."""
    strays: tuple[StoreError, ...] = ()
    """Files whose names are not those of events."""

    def next(self, stream: str) -> int:
        """The number of a stream's next event."""
        whole = self.submissions[stream].events if stream in self.submissions else self.people.get(stream, ())
        return max((*(event.number for event in whole), *self.damaged.get(stream, ())), default=0) + 1

    def banned(self, person: str) -> str:
        """Why a person is banned; empty where they are not. An entry that cannot be read counts as a ban until a later one can."""
        stream = person_stream(person)
        events = [event for event in self.people.get(stream, ()) if event.kind in ("banned", "unbanned")]
        found = events[-1] if events else None
        if max(self.damaged.get(stream, ()), default=0) > (found.number if found else 0):
            return "an entry about you cannot be read; write to those who run the board"
        return str(found.data["reason"]) if found and found.kind == "banned" else ""

    @property
    def waiting(self) -> tuple[Submission, ...]:
        """What a worker still has to do, oldest first."""
        return tuple(item for item in self.submissions.values() if item.state not in OVER)

    @property
    def damage(self) -> tuple[StoreError, ...]:
        """Everything that cannot be read or is missing."""
        return (*(error for found in self.damaged.values() for error in found.values()), *self.strays)

    def problems(self, stream: str) -> tuple[Problem, ...]:
        """What is wrong with the files of a stream."""
        return tuple(problem for error in self.damaged.get(stream, {}).values() for problem in error.problems)


def ledger_state(events: Iterable[Event], unread: Mapping[str, StoreError] | None = None, place: Callable[[str], str] = str) -> LedgerState:
    """Put events together.

    Args:
        events: In any order.
        unread: By name the files that cannot be read.
        place: Gives what messages call a file, by its name in the ledger.
    """
    streams: dict[str, list[Event]] = {}
    damaged: dict[str, dict[int, StoreError]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    for name, error in (unread or {}).items():
        if NAME.fullmatch(name):
            stream, number = _place(name)
            damaged.setdefault(stream, {})[number] = error
    for name in streams.keys() | damaged.keys():
        streams.setdefault(name, []).sort(key=lambda event: event.number)
        if gap := _gap([*(event.number for event in streams[name]), *damaged.get(name, ())]):
            where = place(f"events/{name}.{gap:04d}.json")
            damaged.setdefault(name, {})[gap] = StoreError(Problem("an event is missing", "Restore it from a backup", where))
    strays = tuple(error for name, error in (unread or {}).items() if not NAME.fullmatch(name))
    return _put_together(streams, damaged, strays)


def _gap(numbers: Collection[int]) -> int:
    """The first number that is missing; 0 where none is."""
    return next((number for number in range(1, max(numbers)) if number not in set(numbers)), 0)


def _put_together(
    streams: Mapping[str, list[Event]], damaged: Mapping[str, Mapping[int, StoreError]], strays: tuple[StoreError, ...]
) -> LedgerState:
    ordered = sorted(((name, tuple(found)) for name, found in streams.items() if found), key=lambda item: (item[1][0].at, item[0]))
    made = LedgerState({}, {name: found for name, found in ordered if name.startswith("person-")}, damaged, strays)
    submissions = {
        name: Submission(name, found, made.problems(name))
        for name, found in ordered
        if not name.startswith("person-") and found[0].number == 1
    }
    return replace(made, submissions=submissions)
