"""The ledger: append-only, one file an event, and every decision taken on what the books say at that moment.

```
ledger/events/<submission>.0001.json   what happened; written once, never changed
ledger/files/<sha256>.jsonl            the reports in canonical form, named by their content
```

A writer says what it wants to write in view of the books; where somebody else was first, it is asked again. So each event of a submission
is written by one process, whatever is killed when.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from harness import files
from harness.errors import Problem, StoreError
from harness.types import Json
from submissions.events import Books, Event, Submission, books, dump, load

TRIES = 20
"""How often a decision is taken anew when others were first."""


class Shelf(Protocol):
    """Where a ledger's files lie: a folder, or a repository on the Hub."""

    def events(self) -> Mapping[str, bytes]:
        """Every event by name, as they are now."""
        ...

    def blob(self, name: str) -> bytes:
        """One file of reports.

        Raises:
            StoreError: It is not there.
        """
        ...

    def turn(self) -> AbstractContextManager[None]:
        """A context in which, where the place can promise it, nobody else writes."""
        ...

    def create(self, made: Mapping[str, bytes]) -> bool:
        """Write new files; on durable storage when this returns.

        Returns:
            False where somebody else wrote in the meantime; then nothing of it counts.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A shelf on this machine's disk, safe for several processes at once."""

    root: Path
    _read: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Events never change, so each is read once."""

    def events(self) -> Mapping[str, bytes]:
        """Every event by name."""
        folder = self.root / "events"
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".json")) if folder.is_dir() else []
        for name in names:
            if f"events/{name}" not in self._read:
                self._read[f"events/{name}"] = (folder / name).read_bytes()
        return {f"events/{name}": self._read[f"events/{name}"] for name in names}

    def blob(self, name: str) -> bytes:
        """One file of reports."""
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise StoreError(Problem(f"it cannot be read ({type(error).__name__})", "Restore it from a backup", name)) from error

    @contextmanager
    def turn(self) -> Iterator[None]:
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
            if not files.create(self.root / name, made[name], private=True) and name.startswith("events/"):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that somebody wants to write."""

    stream: str
    kind: str
    data: Json = field(default_factory=dict)


Decide = Callable[[Books], Sequence[Draft]]
"""What to write in view of the books; nothing where there is nothing to write. May raise, and may be asked several times."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The events of a shelf."""

    shelf: Shelf
    clock: Callable[[], float] = time.time

    def books(self) -> Books:
        """What the ledger says now.

        Raises:
            StoreError: An event is damaged, missing or newer than this program.
        """
        return books(load(name, content) for name, content in self.shelf.events().items())

    def find(self, name: str) -> Submission | None:
        """One submission by its id."""
        return self.books().submissions.get(name)

    def write(self, decide: Decide, blobs: Mapping[str, bytes] | None = None) -> tuple[Event, ...]:
        """Take a decision and write it down; acknowledged, when this returns.

        Args:
            decide: Called with the books as they are; called again where somebody else wrote first.
            blobs: Files that the events speak of.

        Raises:
            StoreError: Others were first again and again.
        """
        for attempt in range(TRIES):
            with self.shelf.turn():
                now = self.books()
                events = self._numbered(now, decide(now))
                made = {event.name: dump(event, secrets.token_hex(8)) for event in events}
                if not events or self.shelf.create({**(blobs or {}), **made}):
                    return tuple(events)
            time.sleep(0.01 * attempt)
        raise StoreError("the ledger is written by too many at once; try again in a minute")

    def _numbered(self, now: Books, drafts: Iterable[Draft]) -> list[Event]:
        counts: dict[str, int] = {}
        made = []
        for draft in drafts:
            number = counts.get(draft.stream, now.next(draft.stream))
            counts[draft.stream] = number + 1
            made.append(Event(draft.stream, number, draft.kind, round(self.clock(), 3), draft.data))
        return made


def blob_name(content: bytes) -> str:
    """Where a file of reports lies."""
    return f"files/{sha256(content).hexdigest()}.jsonl"
