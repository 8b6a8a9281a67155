"""Two systems on the same patients: the difference with its interval, and how likely it is by chance.

The deciding test is the jackknife's t on the paired difference. Swapping two systems' rows at random asks a narrower question, whether
the systems are *interchangeable*: it separates systems of equal score that err in different ways (`docs/evidence/statistics.md` has the figures).
It is here because the field knows it, and is shown beside the deciding test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.statistics.intervals import Interval, Pseudo, moments, percentile, t_tail
from harness.statistics.resample import RandomSource, bootstrap, parts, swaps, weighted
from harness.types import Array, Metric

FEW = 10
"""Below this many positive references nothing is claimed about a finding by itself."""
POWER = 0.8
"""A true gap of the least detectable difference is found with this probability."""


@dataclass(frozen=True, slots=True)
class Differences:
    """First system less second, for one or many pairs and parts at once; every array has the same shape."""

    value: Array
    low: Array
    high: Array
    p: Array
    """Two-sided."""
    error: Array
    """Standard error."""


def differences(value: Array, values: Array, alpha: float = 0.05) -> Differences:
    """Difference, interval and p from differences of scores and of pseudo-values.

    The interval excludes 0 exactly where p is below alpha. p is 1 where the sign of the score and of the pseudo-values
    differ, and never smaller than 2 / 2^n for n patients, the smallest value that one coin toss for each patient can give.

    Args:
        value: Shape (...): the differences of the scores.
        values: Shape (..., patients): the differences of the pseudo-values.
    """
    from scipy import special

    count = values.shape[-1]
    if count < 2:
        nothing = np.full(np.shape(value), np.inf)
        return Differences(value, -nothing, nothing, np.ones(np.shape(value)), nothing)
    mean, error, freedom = moments(values)
    ratio = np.divide(mean, error, out=np.where(mean == 0, 0.0, np.inf), where=error > 0)
    p = np.where(np.sign(mean) * np.sign(value) > 0, t_tail(ratio, freedom), 1.0)
    p = np.maximum(p, 2.0 ** max(1 - count, -1000))
    half = special.stdtrit(freedom, 1 - alpha / 2) * error
    low, high = np.minimum(mean - half, value), np.maximum(mean + half, value)
    open_ = p >= alpha
    return Differences(value, np.where(open_, np.minimum(low, 0.0), low), np.where(open_, np.maximum(high, 0.0), high), p, error)


def against_rest(systems: Array, scores: Array, alpha: float = 0.05) -> Iterator[tuple[int, Differences]]:
    """Every pair of systems once: the first against all that follow it.

    A pair's numbers come from these two systems alone, to the last bit: adding or removing others changes nothing.

    Args:
        systems: Shape (systems, patients): pseudo-values of one part.
        scores: Shape (systems,).
    """
    for index in range(len(systems) - 1):
        yield index, differences(scores[index] - scores[index + 1 :], systems[index] - systems[index + 1 :], alpha)


def compare(first: Pseudo, second: Pseudo, alpha: float = 0.05) -> dict[str, Differences]:
    """Every part of two systems; each entry holds scalars."""
    found = differences(first.value - second.value, first.values - second.values, alpha)
    arrays = (found.value, found.low, found.high, found.p, found.error)
    return {name: Differences(*(array[index] for array in arrays)) for index, name in enumerate(first.names)}


def least_detectable(errors: Sequence[float], alpha: float = 0.05) -> float | None:
    """The true gap that is detected in four of five cohorts: what two systems must differ by to be distinguished with confidence.

    Args:
        errors: Standard errors of the differences of pairs that do differ; the result is for their median.
        alpha: What counts as significant.

    Returns:
        None where no pair shows any variance: then these systems say nothing about a difference.
    """
    from scipy import special

    shown = [error for error in errors if 0 < error < np.inf]
    return float((special.ndtri(1 - alpha / 2) + special.ndtri(POWER)) * np.median(shown)) if shown else None


def differing(tables: Sequence[Array]) -> Array:
    """In how many patients two systems have different counts, for every pair of systems.

    Args:
        tables: The totals by patient of each system.
    """
    odd = np.random.PCG64(0).random_raw(tables[0].shape[1]) | np.uint64(1)
    # One word a patient instead of its row, so that a board of a thousand systems takes seconds. Adding 0 makes -0 the same as 0.
    words = [(np.ascontiguousarray(table + 0.0).view(np.uint64) * odd).sum(axis=1, dtype=np.uint64) for table in tables]
    return np.array([[np.count_nonzero(one != other) for other in words] for one in words], dtype=np.float64)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's correction: the chance of one false claim among all is held, by whatever the tests depend on each other."""
    ordered = sorted(p.items(), key=lambda item: (item[1], item[0]))
    found, worst = {}, 0.0
    for index, (name, value) in enumerate(ordered):
        worst = max(worst, min(1.0, value * (len(ordered) - index)))
        found[name] = worst
    return found


def claimable(whole: Mapping[str, Array]) -> tuple[str, ...]:
    """The findings with enough positive references for a claim of their own.

    Args:
        whole: What a metric's `score` gives for the references' counts; findings are known by their `positives:<finding>`.
    """
    counts = {name.partition(":")[2]: float(value) for name, value in whole.items() if name.startswith("positives:")}
    return tuple(finding for finding, count in counts.items() if count >= FEW)


def swap_tests(metric: Metric, tables: Sequence[Array], draws: int, source: RandomSource) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Swap two systems' rows for a random half of the patients and score again: p = (c + 1) / (n + 1), two-sided, for every part.

    Args:
        tables: Each system's totals by patient; the coins are shared by all pairs, so that no pair's p depends on another's.

    Yields:
        Every pair once: two indices into `tables`, and p by part.
    """
    patients = len(tables[0])
    blocks = [[weighted(block, table) for table in tables] for block in swaps(patients, draws, source)]
    whole = [table.sum(axis=0) for table in tables]
    for one, other in combinations(range(len(tables)), 2):
        seen = _gaps(metric, whole[one], whole[other])
        beyond = dict.fromkeys(seen, 0)
        for block in blocks:
            moved = block[one] - block[other]
            for name, value in _gaps(metric, whole[one] - moved, whole[other] + moved).items():
                beyond[name] += int(np.count_nonzero(value >= seen[name] - 1e-12))
        yield one, other, {name: (count + 1) / (draws + 1) for name, count in beyond.items()}


def _gaps(metric: Metric, first: Array, second: Array) -> dict[str, Array]:
    left, right = parts(metric, first), parts(metric, second)
    return {name: np.abs(left[name] - right[name]) for name in left}


def bootstrap_difference(
    metric: Metric, first: Array, second: Array, draws: int, source: RandomSource, alpha: float = 0.05
) -> dict[str, Interval]:
    """The percentile interval of the difference, both systems drawn with the same patients."""
    left, right = bootstrap(metric, [first, second], draws, source)
    return {name: percentile(left[name] - right[name], alpha) for name in left}
