"""The record of one scored system: what is handed in, listed, compared and verified. It holds no report text."""

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
from harness.types import Access, Grade, Json, Role, Rows, Section, SystemCard

SCHEMA = 1
UNRANKED_ABOVE = 0.02
"""Share of decisions that may fail before a record is listed without a rank (decision 2 in docs/architecture.md)."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
        named = ("missing", "empty", "unsupported", "unparseable", "refused", "failed", "uncertain", "flagged")
        parts += [f"{getattr(self, name)} {name}" for name in named if getattr(self, name)]
        if self.left_out:
            parts.append(f"{self.left_out} reference decisions left out")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric's score of one system."""

    name: str
    signature: str
    headline: str
    """Which part stands on the board."""
    parts: Mapping[str, float]
    higher_is_better: bool = True
    attainable: float | None = None
    """What the references score against themselves, where that is not trivially the best."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True, repr=False)
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
        scores = "; ".join(map(str, self.metrics))
        return f"<{self.system.name!r} on {self.cohort.name!r}: {scores}; {self.counts}; record {self.digest[:12]}>"

    def metric(self, name: str) -> MetricResult | None:
        """The first result of a metric of this name."""
        return next((result for result in self.metrics if result.name == name), None)


def record_digest(cohort: str, signatures: Sequence[str], counts: Counts, rows: Sequence[Rows]) -> str:
    """The digest that the same reports, cohort and metrics give on every machine, whatever the order of the file."""
    status = {name: value for name, value in asdict(counts).items() if name != "flagged"}
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
    """A record as JSON; `digest` stands at the top level."""
    data = asdict(record)
    data["counts"]["coverage"] = str(record.counts)
    return data


def from_json(data: Json, file: str = "") -> Record:
    """A record from JSON.

    Raises:
        StoreError: Its schema is newer than this program.
        InputError: It is not a record.
    """
    try:
        if data["schema"] > SCHEMA:
            raise StoreError(Problem(f"its schema is {data['schema']}, this program reads up to {SCHEMA}", "Update ranscore", file))
        counts = {key: value for key, value in data["counts"].items() if key != "coverage"}
        return Record(
            system=card_from_json(data["system"]),
            cohort=_cohort_card(data["cohort"]),
            grade=Grade(data["grade"]),
            extractors=tuple(ExtractorCard(**item) for item in data["extractors"]),
            metrics=tuple(_metric_result(item) for item in data["metrics"]),
            counts=Counts(**counts),
            **{key: data[key] for key in ("rows", "digest", "unavailable", "created", "program", "interval", "schema")},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it is not a record ({type(error).__name__}: {str(error)[:80]})"
        raise InputError(Problem(what, "Give the JSON file that `ranscore score` wrote", file)) from None


def card_from_json(data: Json) -> SystemCard:
    """A system card from JSON; unknown keys are a TypeError."""
    section = Section(data["sections"]) if data.get("sections") else None
    return SystemCard(**{**data, "sections": section, "role": Role(data.get("role", "system"))})


def _cohort_card(data: Json) -> CohortCard:
    return CohortCard(**{**data, "section": Section(data["section"]), "access": Access(data["access"])})


def _metric_result(data: Json) -> MetricResult:
    ends = {part: (float(low), float(high)) for part, (low, high) in data["intervals"].items()}
    return MetricResult(**{**data, "intervals": ends})


def load(path: Path) -> Record:
    """Read a record's file.

    Raises:
        InputError: The file is not there or not a record.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(Problem("there is no such file", "Give the file that `ranscore score -o` wrote", str(path))) from None
    except (OSError, ValueError) as error:
        raise InputError(
            Problem(f"it cannot be read as JSON ({type(error).__name__})", "Give the file that `ranscore score -o` wrote", str(path))
        ) from None
    if not isinstance(data, dict):
        raise InputError(Problem("it is not a record: it holds no JSON object", "Give the file that `ranscore score -o` wrote", str(path)))
    return from_json(data, str(path))


def dumps(record: Record) -> str:
    """A record as the text of its file."""
    return json.dumps(to_json(record), ensure_ascii=False, indent=1) + "\n"


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


def rows_from_bytes(data: bytes, expected: str, file: str = "") -> tuple[Rows, ...]:
    """Read a sidecar and hold it against the digest it must have.

    Raises:
        StoreError: It is damaged or belongs to another record.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            studies = tuple(str(name) for name in archive["studies"])
            tables = tuple(
                Rows(str(name), tuple(str(column) for column in archive[f"{index}.columns"]), studies, archive[f"{index}.values"])
                for index, name in enumerate(archive["metrics"])
            )
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise StoreError(Problem(f"the rows cannot be read ({type(error).__name__})", "Score the reports again", file)) from None
    if rows_digest(tables) != expected:
        raise StoreError(Problem("the rows are not those of the record", "Score the reports again", file))
    return tables


def named(record: Record, card: SystemCard) -> Record:
    """The same record under another card; the digest does not change."""
    return replace(record, system=card)
