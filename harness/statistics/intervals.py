"""Confidence intervals of every part of a metric, from patients' totals.

The published interval is the jackknife's: the mean of the pseudo-values with a t quantile whose degrees of freedom follow from their
kurtosis. Macro F1 over findings with a handful of positives is biased downwards and the bootstrap doubles the bias; `docs/evidence/statistics.md`
has the simulation behind the choice. The ratio of a single finding is a function of a proportion and has the interval of Korn and
Graubard. Where all trials of a finding hit, or none, resampling shows no variance: `harness.statistics.proportions`
estimates it for the averages.

scipy is imported where it is used, so that `from ranscore import score` stays fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.errors import UsageError
from harness.statistics.proportions import counted, hidden_variance
from harness.statistics.resample import RandomSource, bootstrap, parts
from harness.types import Array, Metric

Interval = tuple[float, float]
PUBLISHED = "jackknife-t2"
"""Goes into records and snapshots. Until 2026-11 it was jackknife-t, which added the same hidden variance below and above."""
UNKNOWN: Interval = (-np.inf, np.inf)
"""The interval of a score from a single patient."""
MANY = 1e9
"""Degrees of freedom at which Student's t is the normal distribution."""


@dataclass(frozen=True, slots=True)
class Pseudo:
    """A system's scores under one metric, and what each patient adds to them."""

    names: tuple[str, ...]
    value: Array
    """Shape (parts,): the scores."""
    values: Array
    """Shape (parts, patients): n times the score less (n - 1) times the score without the patient."""

    def one(self, name: str) -> tuple[float, Array]:
        """A part's score and its pseudo-values."""
        index = self.names.index(name)
        return float(self.value[index]), self.values[index]

    def variances(self) -> dict[str, float]:
        """By part the variance that the patients show."""
        return dict(zip(self.names, (moments(self.values)[1] ** 2).tolist(), strict=True))


def pseudo(metric: Metric, table: Array, keep: Callable[[str], bool] = lambda name: True) -> Pseudo:
    """Leave out each patient in turn.

    Args:
        table: Totals by patient.
        keep: Which parts are wanted.
    """
    count, total = len(table), table.sum(axis=0)
    whole, without = parts(metric, total), parts(metric, total - table)
    names = tuple(name for name in whole if keep(name))
    value = np.array([float(whole[name]) for name in names])
    left = np.array([without[name] for name in names]).reshape(len(names), count)
    # Written as a deviation from the score, so that patients who change nothing give exactly the score.
    return Pseudo(names, value, value[:, None] + (count - 1) * (value[:, None] - left))


def moments(values: Array) -> tuple[Array, Array, Array]:
    """Mean, standard error and effective degrees of freedom along the last axis.

    The variance of a variance depends on the kurtosis: few patients who weigh much leave few degrees of freedom. For normal values they
    are about the number of patients; they are never below 1.
    """
    count = values.shape[-1]
    mean = values.mean(axis=-1)
    away = values - mean[..., None]
    away *= away
    second = away.sum(axis=-1)
    spread = np.sqrt(second / max(count - 1, 1) / count)
    # Shares before they are squared: the fourth power of a BLEU-4 of nearly nothing is no number.
    away /= np.where(second > 0, second, 1.0)[..., None]
    away *= away
    kurtosis = np.where(second > 0, count * away.sum(axis=-1), 3.0)
    freedom = np.clip(2 * count / np.maximum(kurtosis - 1, 1e-12), 1, None)
    # What is left of rounding is no spread.
    return mean, np.where(spread <= 1e-13 * np.maximum(np.abs(mean), 1e-300), 0.0, spread), freedom


def jackknife_t(
    value: Array, values: Array, alpha: float = 0.05, below: float | Array = 0.0, above: float | Array = 0.0
) -> tuple[Array, Array]:
    """Low and high end: bias-corrected, and stretched to hold the score itself where the correction goes beyond it.

    Args:
        value: Shape (...): the scores.
        values: Shape (..., patients): the pseudo-values.
        alpha: One less the confidence.
        below: Variance that these patients cannot show, of what can only be lower than it looks; see `harness.statistics.proportions.hidden_variance`.
        above: The same of what can only be higher.
    """
    mean, spread, freedom = moments(values)
    low, high = (_half(spread**2, np.asarray(hidden), freedom, alpha) for hidden in (below, above))
    return np.minimum(mean - low, value), np.maximum(mean + high, value)


def _half(seen: Array, hidden: Array, freedom: Array, alpha: float) -> Array:
    """Half an interval's width; the degrees of freedom are Satterthwaite's for an estimated variance plus a given one."""
    from scipy import special

    total = seen + hidden
    growth = np.divide(total, seen, out=np.ones(np.shape(total)), where=seen > 0)
    joint = np.where(seen > 0, np.minimum(freedom * growth**2, MANY), MANY)
    return np.asarray(special.stdtrit(joint, 1 - alpha / 2) * np.sqrt(total))


def percentile(draws: Array, alpha: float = 0.05) -> Interval:
    """Quantiles of the draws."""
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def basic(value: float, draws: Array, alpha: float = 0.05) -> Interval:
    """The percentile interval reflected at the score."""
    low, high = percentile(draws, alpha)
    return 2 * value - high, 2 * value - low


def bca(value: float, draws: Array, values: Array, alpha: float = 0.05) -> Interval:
    """Bias-corrected and accelerated (Efron 1987), with fallbacks where its formula has none.

    Draws equal to the score count half; a score outside all draws is taken as half a draw inside, so that z0 stays finite; without
    spread among the pseudo-values the acceleration is 0; a correction past its pole ends at the outermost draw.

    Args:
        values: The score's pseudo-values, for the acceleration.
    """
    from scipy import special

    if np.ptp(draws) == 0:
        return min(value, float(draws[0])), max(value, float(draws[0]))
    count = len(draws)
    below = (np.sum(draws < value) + 0.5 * np.sum(draws == value)) / count
    shift = special.ndtri(np.clip(below, 0.5 / count, 1 - 0.5 / count))
    away = values - values.mean()
    second = np.sum(away**2)
    bend = float(np.sum(away**3) / (6 * second**1.5)) if second > 0 else 0.0

    def level(z: float) -> float:
        pole = 1 - bend * (shift + z)
        return float(special.ndtr(shift + (shift + z) / pole)) if pole > 0 else float(z > 0)

    edge = special.ndtri(alpha / 2)
    low, high = np.quantile(draws, [level(edge), level(-edge)])
    return float(low), float(high)


METHODS: tuple[str, ...] = (PUBLISHED, "percentile", "basic", "bca")


def intervals(
    metric: Metric, table: Array, *, method: str = PUBLISHED, alpha: float = 0.05, draws: int = 1000, source: RandomSource | None = None
) -> dict[str, Interval]:
    """The interval of every part.

    Args:
        table: Totals by patient, from `harness.statistics.resample.patient_totals`.
        method: One of METHODS.
        draws: How many the bootstrap makes; the published method needs none.
        source: Randomness of the bootstrap.

    Raises:
        UsageError: There is no such method.
    """
    if method not in METHODS:
        raise UsageError(f"there is no interval {method!r}; there are {', '.join(METHODS)}")
    left = pseudo(metric, table)
    if len(table) < 2:
        found = dict.fromkeys(left.names, UNKNOWN)
    elif method == PUBLISHED:
        known = counted(metric, table)
        unseen = hidden_variance(metric, known, left.variances())
        below, above = (np.array([unseen.get(name, (0.0, 0.0))[side] for name in left.names]) for side in (0, 1))
        lows, highs = jackknife_t(left.value, left.values, alpha, below, above)
        found = {name: (float(low), float(high)) for name, low, high in zip(left.names, lows, highs, strict=True)}
        found.update({part: item.interval(alpha) for part, item in known.items()})
    else:
        found = _bootstrapped(left, bootstrap(metric, [table], draws, source or RandomSource(""))[0], method, alpha)
    lowest, highest = metric.limits
    return {name: (max(low, lowest) + 0.0, min(high, highest) + 0.0) for name, (low, high) in found.items()}


def _bootstrapped(left: Pseudo, drawn: Mapping[str, Array], method: str, alpha: float) -> dict[str, Interval]:
    if method == "percentile":
        return {name: percentile(drawn[name], alpha) for name in left.names}
    if method == "basic":
        return {name: basic(left.one(name)[0], drawn[name], alpha) for name in left.names}
    return {name: bca(left.one(name)[0], drawn[name], left.one(name)[1], alpha) for name in left.names}


def t_tail(value: Array, freedom: Array) -> Array:
    """Two-sided p of Student's t."""
    from scipy import special  # scipy.stats gives the same numbers and takes three seconds to import

    return np.asarray(2 * special.stdtr(freedom, -np.abs(value)), dtype=np.float64)
