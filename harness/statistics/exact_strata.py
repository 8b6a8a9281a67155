"""Fisher's exact test over several tables at once: is a share higher in one group, whatever the strata?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.types import Array

Table = tuple[int, int, int, int]
"""Hits and misses of the first group, hits and misses of the second."""


def exact_p(tables: Sequence[Table]) -> float:
    """Two-sided p of the exact conditional test of equal odds in every stratum; of one table it is Fisher's.

    Given its margins a table's first cell has a hypergeometric distribution, so the sum over the tables has their convolution. p is the
    probability of all sums that are at most as likely as the one that was seen.

    Args:
        tables: One for each stratum; a stratum without hits, without misses, or with one group says nothing and may be there.
    """
    whole, seen = np.ones(1), 0
    for hit, missed, other_hit, other_missed in tables:
        chances, lowest = _hypergeometric(hit + missed, other_hit + other_missed, hit + other_hit)
        whole, seen = np.convolve(whole, chances), seen + hit - lowest
    return float(min(1.0, whole[whole <= whole[seen] * (1 + 1e-7)].sum()))


def _hypergeometric(first: int, second: int, hits: int) -> tuple[Array, int]:
    """The chances of each number of hits in the first group, from the lowest possible one on, and this lowest one."""
    from scipy.special import gammaln

    lowest, highest = max(0, hits - second), min(first, hits)
    values = np.arange(lowest, highest + 1)

    def ways(size: int, drawn: Array) -> Array:
        return np.asarray(gammaln(size + 1) - gammaln(drawn + 1) - gammaln(size - drawn + 1))

    logs = ways(first, values.astype(np.float64)) + ways(second, (hits - values).astype(np.float64))
    chances = np.exp(logs - logs.max())
    return chances / chances.sum(), lowest
