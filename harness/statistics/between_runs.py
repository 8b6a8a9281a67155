"""Several runs of one system: how much its score varies from run to run, beside how much it varies from patient to patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RunSpread:
    """The scores of the runs of one system under one part."""

    values: tuple[float, ...]

    @property
    def sd(self) -> float:
        """Standard deviation between runs; 0 for one run."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0

    @property
    def variance(self) -> float:
        """Variance of the mean over runs that a new set of runs would show; 0 for one run."""
        return self.sd**2 / len(self.values) if len(self.values) > 1 else 0.0

    @property
    def freedom(self) -> float:
        """Its degrees of freedom."""
        return max(len(self.values) - 1.0, 1.0)


def joint(spreads: Sequence[RunSpread]) -> tuple[float, float]:
    """The variance that runs add to a difference of systems, and its degrees of freedom by Satterthwaite's rule."""
    total = sum(item.variance for item in spreads)
    rest = sum(item.variance**2 / item.freedom for item in spreads)
    return total, total**2 / rest if rest > 0 else float("inf")
