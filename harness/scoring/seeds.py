"""Several runs of one system as one: the mean of their rows, study by study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from harness.records.record import Counts, record_digest, rows_digest
from harness.scoring.evaluation import Evaluation, result_of
from harness.types import Metric, Rows


def pooled(made: Sequence[Evaluation], metrics: Sequence[Metric]) -> Evaluation:
    """One evaluation of several runs on the same references.

    The counts of every study are the mean over the runs, so that a score is that of all their reports together. Its interval says how the
    score depends on the patients; how it depends on the seed is shown by the scores of the runs.

    Args:
        made: The evaluations of the runs, at least one.
        metrics: The metrics of the evaluations, in their order.
    """
    first = made[0]
    if len(made) == 1:
        return first
    tables = tuple(_mean([item.rows[index] for item in made]) for index in range(len(metrics)))
    sides = first.sides
    results = tuple(result_of(metric.fit(sides.references), table, sides) for metric, table in zip(metrics, tables, strict=True))
    counts = _sum([item.record.counts for item in made])
    record = replace(
        first.record,
        system=replace(first.record.system, version=f"{first.record.system.version} {len(made)} seeds".strip()),
        metrics=results,
        counts=counts,
        rows=rows_digest(tables),
        digest=record_digest(sides.cohort.digest, [result.signature for result in results], counts, tables),
    )
    return Evaluation(record, tables, sides)


def _mean(tables: Sequence[Rows]) -> Rows:
    return replace(tables[0], values=np.mean([table.values for table in tables], axis=0))


def _sum(counts: Sequence[Counts]) -> Counts:
    """Every count of all runs together: 1,180 of 1,180 for two runs of 590."""
    return Counts(**{item.name: sum(getattr(count, item.name) for count in counts) for item in fields(Counts)})
