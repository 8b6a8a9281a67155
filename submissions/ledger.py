"""The ledger: append-only, one file an event, and every decision is made on the state of the ledger at that moment.

```
ledger/events/<submission>.0001.json   what happened; written once, never changed
ledger/files/<sha256>.jsonl            the reports in canonical form, named by their content
```

A writer says what it wants to write given the state of the ledger; where somebody else was first, it is asked again. So each event of a submission
is written by one process, whatever is killed when.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from harness.errors import StoreError
from harness.storage import files
from harness.storage.stored import Source, content, keep, tell
from harness.types import Json
from submissions.events import Event, LedgerState, Submission, dump, ledger_state, load

TRIES = 20
"""How often a decision is taken again when others were first."""


class LedgerFiles(Protocol):
    """Where a ledger's files are: a folder, or a repository on the Hub."""

    def names(self) -> Sequence[str]:
        """The names of all events, as they are now."""
        ...

    def blob(self, name: str) -> bytes:
        """One event, or one file of reports.

        Raises:
            StoreError: It is not there, cannot be read, or is not what its name says.
        """
        ...

    def place(self, name: str) -> str:
        """What messages call one of the files."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """A context in which, where the place can promise it, nobody else writes."""
        ...

    def create(self, made: Mapping[str, bytes]) -> bool:
        """Write new files; on durable storage when this returns.

        Returns:
            False where somebody else wrote in the meantime; then nothing of it counts.
        """
        ...


@dataclass(frozen=True, slots=True)
class LedgerFolder:
    """A ledger's files on this machine's disk, safe for several processes at once."""

    root: Path

    def names(self) -> Sequence[str]:
        """The names of all events."""
        folder = self.root / "events"
        return sorted(f"events/{name}" for name in os.listdir(folder) if name.endswith(".json")) if folder.is_dir() else []

    def blob(self, name: str) -> bytes:
        """One event, or one file of reports."""
        return checked(name, content(self.root / name, source(name, self.place(name))), self.place(name))

    def place(self, name: str) -> str:
        """The path of a file."""
        return str(self.root / name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Wait until nobody else on this machine writes; the system gives the turn on when a process dies."""
        self.root.mkdir(parents=True, exist_ok=True)
        # Reports are kept here: nobody else on the machine reads them.
        files.close(self.root)
        if os.name == "nt":
            # Without a lock the numbers of the events still keep two writers apart.
            yield
            return
        import fcntl

        with (self.root / ".turn").open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def create(self, made: Mapping[str, bytes]) -> bool:
        """Write new files, those of reports first: an event never speaks of a file that is not there."""
        for name in sorted(made, key=lambda item: item.startswith("events/")):
            if name.startswith("events/"):
                if not files.create(self.root / name, made[name], private=True):
                    return False
            else:
                keep(self.root / name, made[name], partial(self.blob, name), private=True)
        return True


def source(name: str, place: str) -> Source:
    """How damage of a file of the ledger is reported."""
    return Source(place, "the event" if name.startswith("events/") else "the file of reports", "Restore this file from a backup")


def checked(name: str, data: bytes, place: str) -> bytes:
    """The content of a file, where it is what the name says.

    Raises:
        StoreError: It is not.
    """
    if not name.startswith("events/") and name != blob_name(data):
        raise source(name, place).wrong("it was changed since it was written")
    return data


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that somebody wants to write."""

    stream: str
    kind: str
    data: Json = field(default_factory=dict)


Decide = Callable[[LedgerState], Sequence[Draft]]
"""What to write given the state of the ledger; nothing where there is nothing to write. May raise, and may be asked several times."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The events of a ledger and their files."""

    ledger_files: LedgerFiles
    clock: Callable[[], float] = time.time
    _known: dict[str, Event] = field(default_factory=dict, repr=False, compare=False)
    """Events never change, so each is read once."""

    def state(self) -> LedgerState:
        """What the ledger says now. Events that are damaged, missing or newer than this program are reported; the rest is served."""
        unread: dict[str, StoreError] = {}
        names = self.ledger_files.names()
        for name in names:
            try:
                self._known[name] = self._known.get(name) or load(name, self.ledger_files.blob(name), self.ledger_files.place(name))
            except StoreError as error:
                unread[name] = error
        found = ledger_state((self._known[name] for name in names if name not in unread), unread, self.ledger_files.place)
        for damage in found.damage:
            tell(damage)
        return found

    def find(self, name: str) -> Submission | None:
        """One submission by its id.

        Raises:
            StoreError: Its first event cannot be read.
        """
        now = self.state()
        if name not in now.submissions and (problems := now.problems(name)):
            raise StoreError(problems)
        return now.submissions.get(name)

    def write(self, decide: Decide, blobs: Mapping[str, bytes] | None = None) -> tuple[Event, ...]:
        """Take a decision and write it down; acknowledged, when this returns.

        Args:
            decide: Called with the state of the ledger; called again where somebody else wrote first.
            blobs: Files that the events speak of.

        Raises:
            StoreError: The submission is damaged, or others were first again and again.
        """
        for attempt in range(TRIES):
            with self.ledger_files.lock():
                now = self.state()
                drafts = decide(now)
                if damaged := [
                    problem for draft in drafts if not draft.stream.startswith("person-") for problem in now.problems(draft.stream)
                ]:
                    raise StoreError(damaged)
                events = self._numbered(now, drafts)
                made = {event.name: dump(event, secrets.token_hex(8)) for event in events}
                if not events or self.ledger_files.create({**(blobs or {}), **made}):
                    return tuple(events)
            time.sleep(0.01 * attempt)
        raise StoreError("the ledger is written by too many at once; try again in a minute")

    def _numbered(self, now: LedgerState, drafts: Iterable[Draft]) -> list[Event]:
        counts: dict[str, int] = {}
        made = []
        for draft in drafts:
            number = counts.get(draft.stream, now.next(draft.stream))
            counts[draft.stream] = number + 1
            made.append(Event(draft.stream, number, draft.kind, round(self.clock(), 3), draft.data))
        return made


def blob_name(content: bytes) -> str:
    """Where a file of reports is."""
    return f"files/{sha256(content).hexdigest()}.jsonl"
