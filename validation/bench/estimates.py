"""Means over references with their intervals: a reference, with all pairs made of it, is one observation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.statistics.intervals import jackknife_t
from harness.types import Array


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    references: int
    """How many references it rests on."""


UNDEFINED = Estimate(None, None, None, 0)


def mean(values: Array, limits: tuple[float, float] = (0.0, 1.0), alpha: float = 0.05) -> Estimate:
    """The mean over references.

    Args:
        values: One for each reference; NaN where a reference says nothing.
        limits: The ends of the scale.
        alpha: One less the confidence.

    Returns:
        The mean with the interval of Student's t. Where all references agree at an end of the scale, the interval is that of a proportion
        of which no exception was seen, because references that were not drawn may differ.
    """
    seen = values[~np.isnan(values)]
    count = len(seen)
    if not count:
        return UNDEFINED
    value = float(seen.mean())
    if count == 1:
        return Estimate(value, limits[0], limits[1], 1)
    low, high = (float(end) for end in jackknife_t(np.array(value), seen, alpha))
    if np.ptp(seen) == 0 and value in limits:
        unseen = (1 - (alpha / 2) ** (1 / count)) * (limits[1] - limits[0])
        low, high = (value, value + unseen) if value == limits[0] else (value - unseen, value)
    return Estimate(value, max(low, limits[0]), min(high, limits[1]), count)


def ratio(above: Array, below: Array, alpha: float = 0.05) -> Estimate:
    """One less the quotient of two means over the same references, by the jackknife.

    Args:
        above: By reference; NaN where a reference says nothing.
        below: By reference.
        alpha: One less the confidence.

    Returns:
        Not defined where the lower mean is not positive.
    """
    both = ~(np.isnan(above) | np.isnan(below))
    top, bottom = above[both], below[both]
    count = len(top)
    # Rounding is no difference.
    if count < 2 or bottom.sum() <= 1e-9 * count:
        return UNDEFINED
    value = 1 - top.sum() / bottom.sum()
    rest = bottom.sum() - bottom
    if rest.min() <= 0:
        return UNDEFINED
    without = 1 - (top.sum() - top) / rest
    low, high = jackknife_t(np.array(value), count * value - (count - 1) * without, alpha)
    return Estimate(float(value), float(low), min(float(high), max(1.0, float(value))), count)
