"""Holding a record against what its inputs, or its rows, give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from harness.metrics import metric
from harness.records.record import MetricResult, Record, record_digest
from harness.signature import kind_of, spec_of
from harness.types import Rows

TOLERANCE = 1e-9
"""Absolute difference of a score above which two records are not the same."""


def differences(claimed: Record, found: Record) -> list[str]:
    """What of a record is not what its inputs give, a line each; empty where all is the same."""
    lines: list[str] = []
    scores: list[str] = []
    if claimed.cohort.digest != found.cohort.digest:
        lines.append(f"cohort: the record says {claimed.cohort.digest[:12]}, the inputs give {found.cohort.digest[:12]}")
    if claimed.cohort.access is not found.cohort.access:
        lines.append(
            f"access: the record says {claimed.cohort.access.value}, the inputs give {found.cohort.access.value}; "
            "--open makes the text of --references open, and without it it is credentialed"
        )
    if claimed.cohort.section is not found.cohort.section:
        lines.append(
            f"section: the record says {claimed.cohort.section.value}, the inputs give {found.cohort.section.value}; see --section"
        )
    for name, value in asdict(claimed.counts).items():
        if value != asdict(found.counts)[name]:
            lines.append(f"{name}: the record says {value}, the inputs give {asdict(found.counts)[name]}")
    others = {kind_of(result.signature): result for result in found.metrics}
    for result in claimed.metrics:
        other = others.get(kind_of(result.signature))
        if other is None:
            lines.append(f"{result.signature}: not computed from the inputs")
            continue
        if other.signature != result.signature:
            lines.append(f"{result.name}: the record's signature is {result.signature}, the inputs give {other.signature}")
        scores += _parts(result, dict(other.parts))
    lines = [*scores[:1], *lines, *scores[1:]]
    if claimed.digest != found.digest and not lines:
        lines.append(f"digest: the record says {claimed.digest[:12]}, the inputs give {found.digest[:12]}")
    return lines


def against_rows(claimed: Record, rows: Sequence[Rows]) -> tuple[str, list[str]]:
    """Scores and digest again, from the rows alone: nothing says that the rows are those of the reports."""
    if len(rows) != len(claimed.metrics):
        return "", [f"metrics: the record has {len(claimed.metrics)}, the rows are of {len(rows)}"]
    lines = [line for result, table in zip(claimed.metrics, rows, strict=True) for line in of_rows(result, table)]
    found = record_digest(claimed.cohort.digest, [result.signature for result in claimed.metrics], claimed.counts, rows)
    if found != claimed.digest:
        lines.append(f"digest: the record says {claimed.digest[:12]}, its content gives {found[:12]}")
    return found, lines


def of_rows(result: MetricResult, table: Rows) -> list[str]:
    """Where a metric's scores are not those that its rows give, a line each."""
    parts = metric(spec_of(result.signature)).score(table.values.sum(axis=0))
    return _parts(result, {name: float(value) for name, value in parts.items()})


def _parts(result: MetricResult, found: dict[str, float]) -> list[str]:
    """The parts that differ, the headline first."""
    lines = []
    for part in sorted(result.parts.keys() | found.keys(), key=lambda part: (part != result.headline, part)):
        one, other = result.parts.get(part), found.get(part)
        if one is None or other is None or abs(one - other) > TOLERANCE:
            lines.append(f"{result.name} {part}: the record says {_short(one)}, the inputs give {_short(other)}")
    return lines


def _short(value: float | None) -> str:
    """As few digits as show the difference of two records that were made from other inputs."""
    return "nothing" if value is None else f"{value:.10g}"
