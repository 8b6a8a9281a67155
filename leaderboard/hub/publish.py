"""What of a record may be public: everything of an open cohort, and of a hidden one what does not let anybody rebuild its labels."""

from __future__ import annotations

from dataclasses import replace

from harness.records.record import MetricResult, Record, identity
from harness.records.summary import FEW_POSITIVES
from harness.types import Access, Json

DIGITS = 3
"""To which scores of a hidden cohort are rounded: with more, and enough submissions, single labels could be read off."""


def public(record: Record) -> Record:
    """The record as others may see it; its digest stays that of the full one, so that whoever holds the reports can verify it."""
    if record.cohort.access is Access.OPEN:
        return record
    return replace(record, metrics=tuple(map(_rounded, record.metrics)))


def _rounded(result: MetricResult) -> MetricResult:
    """Three digits; single findings only where enough references are positive."""
    few = {part.partition(":")[2] for part, value in result.parts.items() if part.startswith("positives:") and value < FEW_POSITIVES}
    kept = {part: _round(value) for part, value in result.parts.items() if part.partition(":")[2] not in few or ":" not in part}
    ends = {part: (_round(low), _round(high)) for part, (low, high) in result.intervals.items() if part in kept}
    attainable = None if result.attainable is None else _round(result.attainable)
    return replace(result, parts=kept, intervals=ends, attainable=attainable)


def _round(value: float) -> float:
    """Rounded; what rounds to 0 is never -0."""
    return round(value, DIGITS) + 0.0


def rows(record: Record) -> list[Json]:
    """A record as flat rows, one a score, all of the same shape, as data sets are read."""
    shown, system, cohort = public(record), record.system, record.cohort
    return [
        {
            "record": identity(record),
            "system": system.name,
            "version": system.version,
            "organisation": system.organisation,
            "role": system.role.value,
            "evidence": record.grade.value,
            "cohort": cohort.name,
            "cohort_digest": cohort.digest,
            "section": cohort.section.value,
            "studies": cohort.studies,
            "coverage": str(record.counts),
            "metric": result.name,
            "signature": result.signature,
            "score": part,
            "value": float(value),
            "low": ends[0] if ends else None,
            "high": ends[1] if ends else None,
            "digest": record.digest,
            "created": record.created,
        }
        for result in shown.metrics
        for part, value in result.parts.items()
        for ends in [result.intervals.get(part)]
    ]
