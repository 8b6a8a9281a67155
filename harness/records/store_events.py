"""The events of a store: a record, its withdrawal, its restoration. One file each, sealed, written once, never changed.

```
<stamp>-<id>.json                       a record
<stamp>-<id>.withdrawn.<16 hex>.json    its withdrawal; the name says whose, even where the content is damaged
<stamp>-<id>.restored.<16 hex>.json     takes one withdrawal back
```

Stamps sort as events arrived: a new one is later than all that are there, whatever the clock says. Withdrawals and restorations of
earlier versions of the program have 16 hex digits alone in place of the id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import StoreError
from harness.records import record as records
from harness.records import stamps
from harness.records.record import Record
from harness.signature import digest as digest_of
from harness.storage.shaped import ShapeError, build
from harness.storage.stored import Source, read_object, reading, seal
from harness.types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record was added."""

    id: str
    record: Record
    reports: str = ""
    """Digest of the kept reports; empty where none were kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A record was taken off the board."""

    id: str
    reason: str
    created: str
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A withdrawal was taken back."""

    id: str
    withdrawal: str
    """Name of the withdrawal's file, without stamp and ending."""
    created: str


UNREADABLE: Final = "withdrawn; the file with the reason cannot be read"
Event = Kept | Withdrawn | Restored
KINDS: Final[dict[str, type[Event]]] = {"record": Kept, "withdrawal": Withdrawn, "restoration": Restored}


def source(path: Path) -> Source:
    """How damage of an event's file is reported."""
    return Source(str(path), "the event", "Restore this file from a backup, or move it out of the store")


def load(path: Path) -> Event:
    """Read one event.

    Raises:
        StoreError: It is damaged, or newer than this program.
    """
    place = source(path)
    data = read_object(path, place)
    with reading(place):
        kind = data.pop("event", None)
        if not isinstance(kind, str) or kind not in KINDS:
            raise ShapeError("it has no known kind")
        if kind == "record":
            return _kept(data, path, place)
        event = build(KINDS[kind], data)
        # Names of earlier versions do not say of which record they are.
        if "." in tail(path.stem) and tail(path.stem) != tail(name(event, "").removesuffix(".json")):
            raise ShapeError("it is another event than its name says")
        return Restored(id=event.id, withdrawal=tail(event.withdrawal), created=event.created) if isinstance(event, Restored) else event


def _kept(data: Json, path: Path, place: Source) -> Kept:
    record = records.from_json(data.pop("record", None), source=place)
    name, reports = data.pop("id", None), data.pop("reports", "")
    if data or not isinstance(reports, str):
        raise ShapeError("it has an unknown field")
    # A record's id follows from its content, so that damage of either is noticed in files without a seal too.
    if name != records.identity(record) or tail(path.stem) != name:
        raise ShapeError("it was changed since it was written")
    return Kept(id=name, record=record, reports=reports)


def dump(event: Event) -> str:
    """An event as the text of its file."""
    kind = next(name for name, made in KINDS.items() if isinstance(event, made))
    if isinstance(event, Kept):
        content: Json = {"id": event.id, "reports": event.reports, "record": records.to_json(event.record)}
    else:
        content = {name: getattr(event, name) for name in event.__slots__}
    return json.dumps(seal({"event": kind, **content}), ensure_ascii=False, indent=1) + "\n"


def name(event: Event, stamp: str) -> str:
    """The name of an event's file."""
    if isinstance(event, Kept):
        return f"{stamp}-{event.id}.json"
    word = "withdrawn" if isinstance(event, Withdrawn) else "restored"
    content = [getattr(event, field) for field in event.__slots__]
    return f"{stamp}-{event.id}.{word}.{digest_of(content)[:16]}.json"


def withdrawn_by(name: str) -> str:
    """Whose withdrawal a file's name says it is; empty where it says nothing."""
    found = re.fullmatch(r"([0-9a-f]{16})\.withdrawn\.[0-9a-f]{16}", tail(name.removesuffix(".json")))
    return found[1] if found else ""


def tail(stem: str) -> str:
    """A file's name without stamp and ending; names without a stamp as they are."""
    return stem.partition("-")[2] or stem


@dataclass(frozen=True, slots=True)
class Log:
    """All events of a folder."""

    kept: tuple[tuple[Path, Kept], ...]
    """The records with their files, in the order in which they arrived; each record once."""
    withdrawals: Mapping[str, Mapping[str, str]]
    """By record the withdrawals that were not taken back: the name of each, and its reason."""
    damaged: tuple[tuple[Path, StoreError], ...]
    """The files that cannot be read."""

    def withdrawn(self, name: str) -> str:
        """Why a record is withdrawn, by the newest withdrawal; empty where it is not."""
        return ([*self.withdrawals.get(name, {}).values()] or [""])[-1]


def read(folder: Path) -> Log:
    """Read every event. A withdrawal that cannot be read is one as long as its name is whole."""
    kept: dict[str, tuple[Path, Kept]] = {}
    gone: dict[str, dict[str, str]] = {}
    back: set[str] = set()
    damaged: list[tuple[Path, StoreError]] = []
    for path in sorted(folder.glob("*.json"), key=lambda path: (stamps.key(path.name), path.name)):
        try:
            event = load(path)
        except StoreError as error:
            damaged.append((path, error))
            if whose := withdrawn_by(path.name):
                gone.setdefault(whose, {})[tail(path.stem)] = UNREADABLE
            continue
        if isinstance(event, Kept):
            kept.setdefault(event.id, (path, event))
        elif isinstance(event, Withdrawn):
            gone.setdefault(event.id, {})[tail(path.stem)] = event.reason
        else:
            back.add(event.withdrawal)
    # Earlier versions wrote seconds: within one, the time in the record decides.
    ordered = sorted(kept.values(), key=lambda item: (stamps.key(item[0].name), item[1].record.created, item[1].id))
    standing = {name: {tail: why for tail, why in found.items() if tail not in back} for name, found in gone.items()}
    return Log(tuple(ordered), standing, tuple(damaged))
