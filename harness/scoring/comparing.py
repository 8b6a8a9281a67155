"""Compare two evaluations that are in memory, without a store."""

from __future__ import annotations

from harness.records.comparison import Comparison, compare_all
from harness.scoring.evaluation import Evaluation


def compare(*, first: Evaluation, second: Evaluation, alpha: float = 0.05, draws: int = 10_000, seed: int = 0) -> Comparison:
    """Two systems on one cohort: differences with intervals and p, for every metric and finding.

    Args:
        first: What `score` returned for one system.
        second: What it returned for the other one, on the same references.
        alpha: What counts as significant.
        draws: Random swaps of the second opinion.
        seed: The seed of the random swaps.

    Raises:
        UsageError: The two are of different cohorts.
    """
    systems = [(item.record, item.rows) for item in (first, second)]
    (comparison,) = compare_all(systems, first.sides.patients, alpha=alpha, draws=draws, seed=seed)
    return comparison
