"""What all metrics on words share: a way of counting and a preparation of the text, which together are the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from harness.metrics.text.tokens import Preparation
from harness.types import Array, Input


@dataclass(frozen=True, slots=True)
class OnWords:
    """The parts of `harness.types.Metric` that do not depend on what is counted."""

    way: str
    preparation: Preparation
    version: int = 1
    reads: frozenset[str] = frozenset({"text"})
    higher_is_better: bool = True
    limits: tuple[float, float] = (0.0, 1.0)
    fit_digest: str = ""

    @property
    def recipe(self) -> str:
        """Way of counting and preparation."""
        return f"{self.way}|{self.preparation}"

    def fit(self, references: Sequence[Input]) -> Self:
        """Nothing is frozen."""
        return self


def mean_of(total: Array) -> Array:
    """Sum by number of studies, 0 for no study; what every metric with rows (value, 1) reports."""
    total = np.asarray(total, dtype=np.float64)
    value, studies = total[..., 0], total[..., 1]
    return np.divide(value, studies, out=np.zeros(np.shape(value)), where=studies > 0)
