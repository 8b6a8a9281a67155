"""A metric: how long a report is beside its reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.metrics.means import Mean
from harness.types import Array


def measure(references: Sequence[str], candidates: Sequence[str]) -> Array:
    """One row a study: words of the shorter text by words of the longer one; 1 where both are empty."""
    pairs = [(len(one.split()), len(other.split())) for one, other in zip(references, candidates, strict=True)]
    return np.array([[min(pair) / max(pair) if max(pair) else 1.0] for pair in pairs])


def length_ratio(recipe: str) -> Mean:
    """The metric; the recipe is not used."""
    return Mean("length-ratio", "words", ("length-ratio",), measure)
