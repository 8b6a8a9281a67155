"""How far an order of a metric agrees with an order of people: tau-b, and accuracy over pairs with ties counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.types import Array


def tau_b(first: Array, second: Array) -> float:
    """Kendall's tau-b; NaN where one side has no two different values."""
    x, y = (np.asarray(side, dtype=np.float64) for side in (first, second))
    upper = np.triu_indices(len(x), 1)
    one, other = (np.sign(side[:, None] - side[None, :])[upper] for side in (x, y))
    scale = float(np.sqrt(np.sum(one != 0) * float(np.sum(other != 0))))
    return float(np.sum(one * other)) / scale if scale else float("nan")


def accuracy(people: Array, metric: Array, epsilon: float = 0.0) -> float:
    """The share of pairs on which a metric and people say the same: greater, less, or equal (Deutsch and others 2023).

    Args:
        people: Their scores; equal ones are ties.
        metric: Its scores, in the same order.
        epsilon: Scores at most this far apart are ties of the metric.

    Returns:
        NaN where there is no pair.
    """
    one, apart = _gaps(np.asarray(people, dtype=np.float64)), _gaps(np.asarray(metric, dtype=np.float64))
    if not len(one):
        return float("nan")
    said = np.where(np.abs(apart) <= epsilon, 0.0, np.sign(apart))
    return float(np.mean(said == np.sign(one)))


def calibrated(groups: Sequence[tuple[Array, Array]]) -> tuple[float, float]:
    """The best accuracy that one tie threshold gives over all groups, and that threshold.

    Args:
        groups: By reference the scores of people and of the metric. Each group with a pair counts alike.

    Returns:
        Accuracy and threshold; the smallest threshold where several are best. NaN and 0 where no group has a pair.
    """
    gaps = [(np.sign(_gaps(np.asarray(people, float))), _gaps(np.asarray(metric, float))) for people, metric in groups]
    gaps = [(one, apart) for one, apart in gaps if len(one)]
    if not gaps:
        return float("nan"), 0.0
    # With epsilon just at a gap that pair becomes a tie: it is then right if people tie, and was right if the signs agree.
    steps = np.concatenate([np.abs(apart) for _, apart in gaps])
    gains = np.concatenate([((one == 0).astype(float) - (one == np.sign(apart)) * (apart != 0)) / len(one) for one, apart in gaps])
    start = sum(float(np.mean((np.sign(apart) == one) & (apart != 0))) for one, apart in gaps)
    order = np.argsort(steps, kind="stable")
    limits, last = np.unique(steps[order], return_index=True)
    ends = np.append(last[1:], len(order)) - 1
    totals = start + np.cumsum(gains[order])[ends]
    if limits[0] > 0:
        limits, totals = np.append(0.0, limits), np.append(start, totals)
    best = int(np.argmax(np.round(totals, 12)))
    return float(totals[best]) / len(gaps), float(limits[best])


def soft_accuracy(people: Array, metric: Array) -> float:
    """One less the mean distance of two matrices of p values, over pairs of systems (Thompson and others 2024).

    Args:
        people: Shape (systems, systems): the one-sided p of the row's system being better, by people.
        metric: The same by the metric.
    """
    upper = np.triu_indices(len(people), 1)
    return float(1 - np.mean(np.abs(np.asarray(people)[upper] - np.asarray(metric)[upper]))) if len(upper[0]) else float("nan")


def _gaps(values: Array) -> Array:
    upper = np.triu_indices(len(values), 1)
    return np.asarray((values[:, None] - values[None, :])[upper])
