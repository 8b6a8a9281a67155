"""What an event is, and what a submission's events say together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from harness.errors import Problem, StoreError
from harness.records.record import card_from_json
from harness.types import Json, SystemCard

SCHEMA = 1
MIGRATIONS: dict[int, Callable[[Json], Json]] = {}
"""By schema, how an event of it becomes one of the next. Events are brought up to date when they are read; their files never change."""


VISITOR = "local:visitor"
"""The person of everybody who hands in where no login is; they are told apart by the codes of their receipts."""


class State(StrEnum):
    """Where a submission stands, in words for its receipt."""

    RECEIVED = "received"
    VALIDATED = "validated"
    EXTRACTING = "extracting"
    SCORED = "scored"
    LISTED = "listed"
    SET_ASIDE = "set aside"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


OVER = frozenset({State.LISTED, State.SET_ASIDE, State.REJECTED, State.WITHDRAWN})
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
    """An event as the content of its file; the nonce tells equal events of two writers apart."""
    content = {"schema": SCHEMA, "kind": event.kind, "at": event.at, "nonce": nonce, "data": event.data}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def load(name: str, content: bytes) -> Event:
    """An event from its file, brought up to the newest schema.

    Raises:
        StoreError: It is damaged, or newer than this program.
    """
    try:
        found = json.loads(content)
        while found["schema"] < SCHEMA:
            found = MIGRATIONS[found["schema"]](found)
        if found["schema"] > SCHEMA:
            what = f"its schema is {found['schema']}, this program reads up to {SCHEMA}"
            raise StoreError(Problem(what, "Update ranscore", name))
        stream, number, _ = name.removeprefix("events/").rsplit(".", 2)
        return Event(stream, int(number), str(found["kind"]), float(found["at"]), dict(found["data"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"the event cannot be read ({type(error).__name__})"
        raise StoreError(Problem(what, "Restore this file from a backup", name)) from None


def person_stream(person: str) -> str:
    """The stream of a person; their name is not in it."""
    return "person-" + sha256(person.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission as its events tell it."""

    id: str
    events: tuple[Event, ...]

    def last(self, *kinds: str) -> Event | None:
        """The newest event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)

    @property
    def received(self) -> Event:
        """The first event; everything that was handed in stands in it."""
        return self.events[0]

    @property
    def card(self) -> SystemCard:
        """Who made the reports."""
        return card_from_json(self.received.data["card"])

    @property
    def person(self) -> str:
        """Who handed it in."""
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
        """Where it stands."""
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
class Books:
    """Everything that the ledger says at one moment."""

    submissions: Mapping[str, Submission]
    """By id, oldest first."""
    people: Mapping[str, tuple[Event, ...]]
    """By stream."""

    def next(self, stream: str) -> int:
        """The number of a stream's next event."""
        if stream in self.submissions:
            return len(self.submissions[stream].events) + 1
        return len(self.people.get(stream, ())) + 1

    def banned(self, person: str) -> str:
        """Why a person is banned; empty where they are not."""
        events = self.people.get(person_stream(person), ())
        found = next((event for event in reversed(events) if event.kind in ("banned", "unbanned")), None)
        return str(found.data["reason"]) if found and found.kind == "banned" else ""

    @property
    def waiting(self) -> tuple[Submission, ...]:
        """What a worker still has to do, oldest first."""
        return tuple(item for item in self.submissions.values() if item.state not in OVER)


def books(events: Iterable[Event]) -> Books:
    """Put events together.

    Raises:
        StoreError: An event is missing from a stream.
    """
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    for name, found in streams.items():
        found.sort(key=lambda event: event.number)
        _whole(name, found)
    ordered = sorted(streams.items(), key=lambda item: (item[1][0].at, item[0]))
    submissions = {name: Submission(name, tuple(found)) for name, found in ordered if not name.startswith("person-")}
    return Books(submissions, {name: tuple(found) for name, found in ordered if name.startswith("person-")})


def _whole(name: str, events: Sequence[Event]) -> None:
    numbers = [event.number for event in events]
    if numbers != list(range(1, len(numbers) + 1)):
        missing = min(set(range(1, numbers[-1] + 1)) - set(numbers))
        raise StoreError(Problem("an event is missing", "Restore it from a backup", f"events/{name}.{missing:04d}.json"))
