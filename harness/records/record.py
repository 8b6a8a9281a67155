"""The record of one scored system: what is submitted, listed, compared and verified. It holds no report text."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import InputError, Problem, StoreError
from harness.signature import digest as digest_of
from harness.storage.archives import arrays
from harness.storage.shaped import ShapeError, build
from harness.storage.stored import Source, content, exists, parse, reading, schema_of, seal, unsealed
from harness.types import Access, Grade, Json, Role, Rows, Section, SystemCard

SCHEMA = 1
UNRANKED_ABOVE = 0.02
"""Share of decisions that may fail before a record is listed without a rank (decision 2 in docs/architecture.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCard:
    """Which cohort was scored."""

    name: str
    digest: str
    section: Section
    access: Access
    language: str
    studies: int
    """Scored studies."""
    patients: int


@dataclass(frozen=True, slots=True)
class ExtractorCard:
    """Who labelled the reports."""

    name: str
    digest: str
    official: bool = False
    """Whether one of the authors' own packs was asked of the model that it was made for."""
    by: str = ""
    """Which pack was asked of which model; empty for an extractor that asks no model."""
    unnamed: int = 0
    """Answers whose server did not say which model gave them."""

    @property
    def title(self) -> str:
        """The name, and what it asks of which model."""
        return f"{self.name} ({self.by})" if self.by else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What happened to the studies and decisions of the candidate, and of the references."""

    studies: int
    missing: int = 0
    empty: int = 0
    unsupported: int = 0
    decisions: int = 0
    """Decisions asked about readable reports."""
    unparseable: int = 0
    refused: int = 0
    failed: int = 0
    uncertain: int = 0
    """Candidate cells of -1, counted as not asserted."""
    left_out: int = 0
    """Reference decisions that are open, left out for every system alike."""
    flagged: int = 0
    """Candidate reports that the extractor flagged (instructions to a model, role markers)."""
    unsure: int = 0
    """Candidate reports whose *No Finding* rests on a hedge or on something abnormal that is none of the 21."""
    cleaned: int = 0
    """Candidate reports from which stray markup or control characters were taken out, because that was asked for."""

    @property
    def readable(self) -> int:
        """Studies whose report could be labelled."""
        return self.studies - self.missing - self.empty - self.unsupported

    @property
    def lost_share(self) -> float:
        """Share of the decisions that are unparseable, refused or failed."""
        return (self.unparseable + self.refused + self.failed) / self.decisions if self.decisions else 0.0

    def __str__(self) -> str:
        parts = [f"{self.readable} of {self.studies}"]
        named = ("missing", "empty", "unsupported", "unparseable", "refused", "failed", "uncertain", "flagged", "cleaned")
        parts += [f"{getattr(self, name)} {name}" for name in named if getattr(self, name)]
        if self.unsure:
            parts.append(f"{self.unsure} with an unsure No Finding")
        if self.left_out:
            parts.append(f"{self.left_out} reference decisions left out")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric's score of one system."""

    name: str
    signature: str
    headline: str
    """Which part is on the board."""
    parts: Mapping[str, float] = field(repr=False)
    higher_is_better: bool = True
    attainable: float | None = None
    """What the references score against themselves, where that is not trivially the best."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    """95 % interval of each part, where there is one; not part of the digest."""

    @property
    def value(self) -> float:
        """The headline."""
        return self.parts[self.headline]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The headline's interval."""
        return self.intervals.get(self.headline)

    def __str__(self) -> str:
        ends = " [{:z.3f}, {:z.3f}]".format(*self.interval) if self.interval else ""
        return f"{self.name} {self.headline} {self.value:z.3f}{ends}"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Record:
    """One scored system on one cohort."""

    system: SystemCard
    cohort: CohortCard
    grade: Grade
    extractors: tuple[ExtractorCard, ...]
    metrics: tuple[MetricResult, ...]
    counts: Counts
    rows: str
    """Digest of the rows in the sidecar."""
    digest: str
    """SHA-256 as decision 9 in docs/architecture.md says."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Metrics that were asked for and could not be computed here: name to reason."""
    created: str = ""
    """UTC, ISO 8601."""
    program: str = ""
    """Version of this program."""
    interval: str = ""
    """How the intervals were made."""
    schema: int = SCHEMA

    @property
    def unranked(self) -> str:
        """Why the record takes no part in the ranks (decision 11 in docs/architecture.md); empty where it does, if it is its system's newest."""
        if self.system.role is not Role.SYSTEM:
            return self.system.role.value
        if self.grade in (Grade.REPORTED, Grade.SELF_SCORED):
            return self.grade.value
        if self.counts.lost_share > UNRANKED_ABOVE:
            return f"{self.counts.lost_share:.1%} of the decisions have no answer"
        return ""

    def __repr__(self) -> str:
        more = f" and {len(self.metrics) - 1} more scores" if len(self.metrics) > 1 else ""
        score = f"{self.metrics[0]}{more}" if self.metrics else "no score"
        who = f"{short(self.system.name)!r} on {short(self.cohort.name)!r}"
        return f"<{who}: {score}; {short(str(self.counts), 90)}; record {self.digest[:12]}>"

    def metric(self, name: str) -> MetricResult | None:
        """The first result of a metric of this name."""
        return next((result for result in self.metrics if result.name == name), None)


def short(text: str, most: int = 40) -> str:
    """A text cut to a length, for what is printed in one line."""
    return text if len(text) <= most else text[: most - 1] + "…"


def record_digest(cohort: str, signatures: Sequence[str], counts: Counts, rows: Sequence[Rows]) -> str:
    """The digest that the same reports, cohort and metrics give on every machine, whatever the order of the file."""
    status = {name: value for name, value in asdict(counts).items() if name not in ("flagged", "unsure") and (value or name != "cleaned")}
    tables = [_canonical_rows(table) for table in rows]
    ordered = sorted(zip(signatures, tables, strict=True), key=lambda pair: pair[0])
    return digest_of({"schema": SCHEMA, "cohort": cohort, "counts": status, "metrics": [list(pair) for pair in ordered]})


def rows_digest(rows: Sequence[Rows]) -> str:
    """Digest of a sidecar's content."""
    return digest_of([[table.metric, _canonical_rows(table)] for table in rows])


def _canonical_rows(table: Rows) -> list[Any]:
    order = np.argsort(np.array(table.studies, dtype=object), kind="stable")
    return [list(table.columns), [[table.studies[index], table.values[index].tolist()] for index in order]]


def to_json(record: Record) -> Json:
    """A record as JSON; `digest` is at the top level."""
    data = asdict(record)
    data["counts"]["coverage"] = str(record.counts)
    return data


def from_json(data: object, file: str = "", source: Source | None = None) -> Record:
    """A record from JSON.

    Args:
        data: As `to_json` gives it.
        file: The file that it is from, as the user named it.
        source: The same for a file of a store.

    Raises:
        StoreError: Its schema is newer than this program.
        InputError: It is not a record.
    """
    source = source or _source(file)
    with reading(source):
        if not isinstance(data, dict):
            raise ShapeError("it holds no JSON object")
        schema_of(data, source, SCHEMA)
        counts = data.get("counts")
        if isinstance(counts, dict):
            counts = {key: value for key, value in counts.items() if key != "coverage"}
        made = build(Record, {**data, "system": _card(data.get("system")), "counts": counts})
        if any(result.headline not in result.parts for result in made.metrics):
            raise ShapeError("a metric has no headline")
    return made


def _source(file: str) -> Source:
    return Source(file, "the record", "Give the JSON file that `ranscore score -o` wrote", InputError)


def card_from_json(data: object) -> SystemCard:
    """A system card from JSON; a section that is empty text is none.

    Raises:
        ValueError: It is not a card: a field is missing, unknown or of another type.
    """
    return build(SystemCard, _card(data))


def _card(data: object) -> object:
    return {**data, "sections": data.get("sections") or None} if isinstance(data, dict) else data


def load(path: Path, *, changed: bool = False) -> Record:
    """Read a record's file.

    Args:
        path: As `ranscore score -o` wrote it.
        changed: Read it even where it was changed since it was written.

    Raises:
        StoreError: Its schema is newer than this program.
        InputError: The file is not there or not a record.
    """
    source = _source(str(path))
    if not exists(path):
        raise InputError(Problem("there is no such file", source.remedy, str(path)))
    found = parse(content(path, source), source)
    return from_json(unsealed(found, source, changed=changed), source=source)


def changed(path: Path) -> bool:
    """Whether a record's file was changed since it was written."""
    try:
        load(path)
    except InputError:
        return True
    return False


def dumps(record: Record) -> str:
    """A record as the text of its file, sealed."""
    return json.dumps(seal(to_json(record)), ensure_ascii=False, indent=1) + "\n"


def rows_bytes(rows: Sequence[Rows]) -> bytes:
    """A sidecar: a compressed numpy archive without pickles."""
    arrays: dict[str, Any] = {"metrics": np.array([table.metric for table in rows], dtype=np.str_)}
    for index, table in enumerate(rows):
        arrays[f"{index}.columns"] = np.array(table.columns, dtype=np.str_)
        arrays[f"{index}.values"] = table.values
    arrays["studies"] = np.array(rows[0].studies if rows else (), dtype=np.str_)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def load_rows(path: Path, expected: str) -> tuple[Rows, ...]:
    """Read the file of a sidecar, as `rows_from_bytes`."""
    return rows_from_bytes(content(path, _rows_source(str(path))), expected, str(path))


def rows_from_bytes(data: bytes, expected: str, file: str = "") -> tuple[Rows, ...]:
    """Read a sidecar and hold it against the digest it must have.

    Raises:
        StoreError: It is damaged or belongs to another record.
    """
    tables = tables_from_bytes(data, file)
    with reading(_rows_source(file)):
        found = rows_digest(tables)
    if found != expected:
        raise StoreError(Problem("the rows are not those of the record", "Score the reports again", file))
    return tables


def tables_from_bytes(data: bytes, file: str = "") -> tuple[Rows, ...]:
    """Read a sidecar, whatever record it belongs to; the archive's own checksums are checked.

    Raises:
        StoreError: It is damaged.
    """
    source = _rows_source(file)
    found = arrays(data, source)
    with reading(source):
        studies = tuple(map(str, found["studies"].tolist()))
        tables = tuple(
            Rows(name, tuple(map(str, found[f"{index}.columns"].tolist())), studies, found[f"{index}.values"])
            for index, name in enumerate(map(str, found["metrics"].tolist()))
        )
        if any(table.values.shape != (len(studies), len(table.columns)) or table.values.dtype.kind not in "fiu" for table in tables):
            raise ShapeError("a table is not as large as its studies and columns")
    return tables


def _rows_source(file: str) -> Source:
    return Source(file, "the rows", "Score the reports again")


def named(record: Record, card: SystemCard) -> Record:
    """The same record under another card; the digest does not change."""
    return replace(record, system=card)


def identity(record: Record) -> str:
    """What makes a record one: system, version, role, evidence grade and digest."""
    return digest_of([record.system.name, record.system.version, record.system.role.value, record.grade.value, record.digest])[:16]
