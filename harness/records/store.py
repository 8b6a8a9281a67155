"""The store of records: append-only, one file an event, safe for several processes at once.

```
store/events/20261121T120000Z-<16 hex>.json   a record, a withdrawal or a restoration; written atomically, never changed
store/rows/<digest>.npz                       sufficient statistics, shared by equal records
store/reports/<digest>.jsonl                  what was scored, kept so that everything can be scored again
store/patients/<cohort>.json                  whose study each one is, which intervals and ranks need
store/snapshots/                              ranks and pairwise results (see harness.records.snapshot)
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from harness import files
from harness.errors import InputError, Problem, StoreError, UsageError
from harness.home import home
from harness.records import record as records
from harness.records.record import CohortCard, Record
from harness.signature import digest as digest_of
from harness.types import Json, Rows


@dataclass(frozen=True, slots=True)
class Stored:
    """A record with its place in the store."""

    id: str
    """16 hex digits; what commands and addresses call the record."""
    record: Record
    withdrawn: str = ""
    """The reason; empty where it stands."""
    reports: str = ""
    """Digest of the kept reports; empty where none were kept."""


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
        name = identity(record)
        if next(self.root.glob(f"events/*-{name}.json"), None):
            self.keep_rows(record, (), patients)
            return next(item for item in self.all() if item.id == name)
        self.keep_rows(record, rows, patients)
        kept = self._keep_reports(reports) if reports is not None else ""
        self._append(name, {"event": "record", "id": name, "reports": kept, "record": records.to_json(record)})
        return Stored(name, record, reports=kept)

    def keep_rows(self, record: Record, rows: Sequence[Rows], patients: Mapping[str, str] | None = None) -> None:
        """Keep what a record's ranks are made from, before or without the record itself; arguments as for `add`."""
        if patients:
            text = json.dumps(dict(sorted(patients.items())), ensure_ascii=False)
            files.create(self.root / "patients" / f"{record.cohort.digest}.json", text, private=True)
        if rows:
            files.create(self.root / "rows" / f"{record.rows}.npz", records.rows_bytes(rows), private=True)

    def withdraw(self, name: str, reason: str, when: str = "") -> None:
        """Take a record off the board; the event and the record stay.

        Raises:
            UsageError: There is no such record.
        """
        found = self.find(name)
        event = {"event": "withdrawal", "id": found.id, "reason": reason or "withdrawn", "created": when or now(), "nonce": token_hex(8)}
        self._append(digest_of(event)[:16], event)

    def restore(self, name: str, when: str = "") -> None:
        """Put a withdrawn record back on the board: an event of its own, for each withdrawal there was.

        Raises:
            UsageError: There is no such record.
        """
        found = self.find(name)
        for path in sorted((self.root / "events").glob("*.json")):
            event = _read(path)
            if event["event"] == "withdrawal" and event["id"] == found.id:
                again = {"event": "restoration", "id": found.id, "withdrawal": path.stem, "created": when or now()}
                self._append(digest_of([found.id, path.stem])[:16], again)

    def all(self) -> tuple[Stored, ...]:
        """Every record, oldest first, the withdrawn ones marked.

        Raises:
            StoreError: An event cannot be read; the message names the file.
        """
        kept: dict[str, Stored] = {}
        gone: dict[str, tuple[str, str]] = {}
        back: set[str] = set()
        for path in sorted((self.root / "events").glob("*.json")):
            event = _read(path)
            if event["event"] == "record":
                record = records.from_json(event["record"], str(path))
                kept.setdefault(event["id"], Stored(event["id"], record, reports=event.get("reports", "")))
            elif event["event"] == "withdrawal":
                gone[path.stem] = (event["id"], event["reason"])
            elif event["event"] == "restoration":
                back.add(event["withdrawal"])
        reasons = {name: reason for event, (name, reason) in gone.items() if event not in back}
        ordered = sorted(kept.values(), key=lambda item: (item.record.created, item.id))
        return tuple(Stored(item.id, item.record, reasons.get(item.id, ""), item.reports) for item in ordered)

    def standing(self) -> tuple[Stored, ...]:
        """The records that were not withdrawn."""
        return tuple(item for item in self.all() if not item.withdrawn)

    def find(self, name: str) -> Stored:
        """One record by its id, the start of its id or digest, or its system's name (the newest standing one).

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
        """The rows of a record; empty where they are not here (a hidden cohort's public side)."""
        path = self.root / "rows" / f"{record.rows}.npz"
        return records.rows_from_bytes(path.read_bytes(), record.rows, str(path)) if path.is_file() else ()

    def reports(self, stored: Stored) -> dict[str, str] | None:
        """What was scored, by study id; None where it was not kept."""
        path = self.root / "reports" / f"{stored.reports}.jsonl"
        if not stored.reports or not path.is_file():
            return None
        # Split as bytes: text would part at U+2028 too.
        return {item["study_id"]: item["report"] for item in map(json.loads, path.read_bytes().splitlines())}

    def patients(self, cohort: CohortCard) -> dict[str, str]:
        """Whose study each one is; empty where every patient has one study.

        Raises:
            StoreError: Patients have several studies, and nothing here says which.
        """
        path = self.root / "patients" / f"{cohort.digest}.json"
        if path.is_file():
            found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
            return found
        if cohort.patients == cohort.studies:
            return {}
        what = f"the store does not say which of the {cohort.studies} studies of {cohort.name} belong to one patient"
        raise StoreError(Problem(what, "Score one of its reports files again with --store", str(path)))

    def _keep_reports(self, reports: Mapping[str, str]) -> str:
        text = "".join(json.dumps({"study_id": study, "report": reports[study]}) + "\n" for study in sorted(reports))
        name = sha256(text.encode()).hexdigest()
        files.create(self.root / "reports" / f"{name}.jsonl", text, private=True)
        return name

    def _append(self, name: str, event: Json) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        files.create(self.root / "events" / f"{stamp}-{name}.json", json.dumps(event, ensure_ascii=False, indent=1) + "\n")


def identity(record: Record) -> str:
    """What makes a record one: system, version, role and digest."""
    return digest_of([record.system.name, record.system.version, record.system.role.value, record.grade.value, record.digest])[:16]


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
    """Of each system, cohort and first signature the newest record that stands (decision 11 in docs/architecture.md)."""
    latest = {}
    for item in stored:
        if not item.withdrawn:
            record = item.record
            first = record.metrics[0].signature if record.metrics else ""
            latest[(record.system.name, record.system.role, record.cohort.digest, first)] = item
    return tuple(latest.values())


def _read(path: Path) -> Json:
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(event, dict) or not {"event", "id"} <= event.keys():
            raise InputError("an event has a kind and an id")
        return event
    except (OSError, ValueError, InputError) as error:
        what = f"the event cannot be read ({type(error).__name__})"
        raise StoreError(Problem(what, "Restore this file from a backup, or move it out of the store", str(path))) from None
