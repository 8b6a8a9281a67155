"""The store of records: append-only, one file an event, safe for several processes at once.

```
store/events/20261121T120000.000000Z-<id>.json   a record, a withdrawal or a restoration (see harness.records.store_events)
store/rows/<digest>.npz                          sufficient statistics, shared by equal records
store/reports/<digest>.jsonl                     what was scored, kept so that everything can be scored again
store/patients/<cohort>.json                     whose study each one is, which intervals and ranks need
store/snapshots/                                 ranks and pairwise results (see harness.records.snapshot)
```

A file that is damaged is reported and left aside; the rest is served. What is named by its content is written again where it is damaged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from harness.config.home import home
from harness.errors import Problem, StoreError, UsageError
from harness.records import record as records
from harness.records import stamps, store_events
from harness.records.record import CohortCard, Record
from harness.records.store_events import Kept, Restored, Withdrawn
from harness.storage import files, report_lines
from harness.storage.shaped import ShapeError
from harness.storage.stored import Source, content, exists, keep, read_object, reading, seal, shaped, tell
from harness.types import Rows

SCHEMA = 1
"""The schema of the file of patients."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record with its place in the store."""

    id: str
    """16 hex digits; what commands and addresses call the record."""
    record: Record
    withdrawn: str = ""
    """The reason; empty where it is valid."""
    reports: str = ""
    """Digest of the kept reports; empty where none were kept."""
    file: str = field(default="", compare=False)
    """The file of its event."""


@dataclass(frozen=True, slots=True)
class Store:
    """Records of one folder."""

    root: Path

    def add(
        self,
        record: Record,
        rows: Sequence[Rows] = (),
        reports: Mapping[str, str] | None = None,
        patients: Mapping[str, str] | None = None,
    ) -> Stored:
        """Keep a record; on durable disk when this returns.

        The same system and version with the same digest is the same record: it is kept once, and the first is returned.

        Args:
            rows: The sidecar; empty for records whose rows may not be here.
            reports: By study id what was scored, so that it can be scored again.
            patients: By study id the patient, so that ranks can be made; needed where a patient has several studies.
        """
        name = records.identity(record)
        self.keep_rows(record, rows, patients)
        digest = ""
        if reports is not None:
            data = report_lines.canonical(reports)
            digest = sha256(data).hexdigest()
            path = self.reports_path(digest)
            keep(path, data, lambda: _reports(path), private=True)
        if next(self.root.glob(f"events/*-{name}.json"), None) and (known := [item for item in self.all() if item.id == name]):
            return known[0]
        file = self._append(Kept(id=name, record=record, reports=digest))
        return Stored(name, record, reports=digest, file=file)

    def keep_rows(self, record: Record, rows: Sequence[Rows], patients: Mapping[str, str] | None = None) -> None:
        """Keep what a record's ranks are made from, before or without the record itself; arguments as for `add`."""
        if patients:
            path = self.patients_path(record.cohort)
            found = {"schema": SCHEMA, "cohort": record.cohort.digest, "patients": dict(sorted(patients.items()))}
            text = json.dumps(seal(found), ensure_ascii=False)
            keep(path, text, lambda: _patients(path, record.cohort), private=True)
        if rows:
            path = self.rows_path(record)
            keep(path, records.rows_bytes(rows), lambda: records.load_rows(path, record.rows), private=True)

    def withdraw(self, name: str, reason: str, when: str = "") -> None:
        """Take a record off the board; the event and the record stay.

        Raises:
            UsageError: There is no such record.
        """
        found = self.find(name)
        self._append(Withdrawn(id=found.id, reason=reason or "withdrawn", created=when or now(), nonce=token_hex(8)))

    def restore(self, name: str, when: str = "") -> None:
        """Put a withdrawn record back on the board: an event of its own, for each withdrawal there was.

        Raises:
            UsageError: There is no such record.
        """
        found = self.find(name)
        for withdrawal in store_events.read(self.root / "events").withdrawals.get(found.id, {}):
            self._append(Restored(id=found.id, withdrawal=withdrawal, created=when or now()))

    def all(self) -> tuple[Stored, ...]:
        """Every record in the order in which it arrived, the withdrawn ones marked. Damaged events are reported and left aside."""
        return self.read()[0]

    def read(self) -> tuple[tuple[Stored, ...], tuple[Path, ...]]:
        """As `all`, with the files of the damaged events."""
        log = store_events.read(self.root / "events")
        for _, error in log.damaged:
            tell(error)
        stored = tuple(Stored(kept.id, kept.record, log.withdrawn(kept.id), kept.reports, str(path)) for path, kept in log.kept)
        return stored, tuple(path for path, _ in log.damaged)

    def standing(self) -> tuple[Stored, ...]:
        """The records that were not withdrawn."""
        return tuple(item for item in self.all() if not item.withdrawn)

    def find(self, name: str) -> Stored:
        """One record by its id, the start of its id or digest, or its system's name (the newest valid one).

        Raises:
            UsageError: Nothing or more than one record fits.
        """
        stored = self.all()
        if by_name := [item for item in stored if item.record.system.name == name and not item.withdrawn]:
            return by_name[-1]
        found = [item for item in stored if len(name) >= 4 and (item.id.startswith(name) or item.record.digest.startswith(name))]
        if len({item.record.digest for item in found}) == 1:
            return found[-1]
        known = ", ".join(sorted({item.record.system.name for item in stored}))
        what = "fits several records" if found else "is no record of this store"
        raise UsageError(f"{name!r} {what}; the store holds {known or 'nothing yet'}")

    def rows(self, record: Record) -> tuple[Rows, ...]:
        """The rows of a record; empty where they are not here (a hidden cohort's public side).

        Raises:
            StoreError: They are damaged.
        """
        path = self.rows_path(record)
        return records.load_rows(path, record.rows) if exists(path) else ()

    def reports(self, stored: Stored) -> dict[str, str] | None:
        """What was scored, by study id; None where it was not kept.

        Raises:
            StoreError: The file is damaged.
        """
        return self.reports_of(stored.reports) if stored.reports and exists(self.reports_path(stored.reports)) else None

    def reports_of(self, digest: str) -> dict[str, str]:
        """Kept reports by the hash of their file.

        Raises:
            StoreError: The file is missing or damaged.
        """
        return _reports(self.reports_path(digest))

    def patients(self, cohort: CohortCard) -> dict[str, str]:
        """Whose study each one is; empty where every patient has one study.

        Raises:
            StoreError: The file is damaged, or patients have several studies, and nothing here says which.
        """
        path = self.patients_path(cohort)
        if exists(path):
            return _patients(path, cohort)
        if cohort.patients == cohort.studies:
            return {}
        what = f"the store does not say which of the {cohort.studies} studies of {cohort.name} belong to one patient"
        raise StoreError(Problem(what, "Score one of its reports files again with --store", str(path)))

    def rows_path(self, record: Record) -> Path:
        """Where the rows of a record are kept."""
        return self.root / "rows" / f"{record.rows}.npz"

    def reports_path(self, digest: str) -> Path:
        """Where reports are kept, by the hash of the file."""
        return self.root / "reports" / f"{digest}.jsonl"

    def patients_path(self, cohort: CohortCard) -> Path:
        """Where the list of a cohort's patients is kept."""
        return self.root / "patients" / f"{cohort.digest}.json"

    def _append(self, event: store_events.Event) -> str:
        """Write an event under a stamp later than all others; its file."""
        folder = self.root / "events"
        while True:
            stamp = stamps.next_stamp((path.name for path in folder.glob("*.json")), datetime.now(UTC))
            path = folder / store_events.name(event, stamp)
            if files.create(path, store_events.dump(event)):
                return str(path)


def _reports(path: Path) -> dict[str, str]:
    """Kept reports by study id; the file is named by the hash of its content."""
    source = Source(str(path), "the file of reports", "Restore this file from a backup, or score the reports again")
    data = content(path, source)
    with reading(source):
        if sha256(data).hexdigest() != path.stem:
            raise ShapeError("it was changed since it was written")
        return report_lines.read_canonical(data)


@dataclass(frozen=True, slots=True)
class _Patients:
    patients: Mapping[str, str]
    cohort: str = ""
    schema: int = SCHEMA


def _patients(path: Path, cohort: CohortCard) -> dict[str, str]:
    source = Source(str(path), "the list of patients", "Score one of the cohort's reports files again with --store")
    found = read_object(path, source)
    # Earlier versions wrote the patients alone, without schema and seal.
    kept = shaped(_Patients, found if isinstance(found.get("patients"), dict) else {"patients": found}, source)
    if kept.cohort not in ("", cohort.digest) or (len(kept.patients), len(set(kept.patients.values()))) != (
        cohort.studies,
        cohort.patients,
    ):
        raise source.wrong("its patients are not those of the cohort")
    return dict(kept.patients)


def default() -> Store:
    """The store in the user's folder."""
    return Store(home() / "store")


def at(path: Path | None) -> Store:
    """The store that `--store` named: the default one for None or a bare `--store`."""
    return default() if path is None or path == Path() else Store(path)


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def newest(stored: Iterable[Stored]) -> tuple[Stored, ...]:
    """For each system, cohort and first signature: the newest valid record (decision 11 in docs/architecture.md)."""
    latest = {}
    for item in stored:
        if not item.withdrawn:
            record = item.record
            first = record.metrics[0].signature if record.metrics else ""
            latest[(record.system.name, record.system.role, record.cohort.digest, first)] = item
    return tuple(latest.values())
