"""Confidence intervals of every part of a metric, from patients' totals.

The published interval is the jackknife's: the mean of the pseudo-values with a t quantile whose degrees of freedom follow from their
kurtosis. Macro F1 over findings with a handful of positives is biased downwards and the bootstrap doubles the bias; `docs/statistics.md`
holds the simulation that chose. A single finding's ratio is a proportion in disguise and has the interval of Korn and Graubard; what such
proportions cannot show at 0 and at 1 is added to the variance of their average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from harness.errors import UsageError
from harness.statistics.agreement import clopper_pearson_real
from harness.statistics.resample import Source, bootstrap, parts
from harness.types import Array, Metric

Interval = tuple[float, float]
PUBLISHED = "jackknife-t"
UNKNOWN: Interval = (-np.inf, np.inf)
"""The interval of a score from a single patient."""


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


def jackknife_t(value: Array, values: Array, alpha: float = 0.05, hidden: float | Array = 0.0) -> tuple[Array, Array]:
    """Low and high end: bias-corrected, and stretched to hold the score itself where the correction goes beyond it.

    Args:
        value: Shape (...): the scores.
        values: Shape (..., patients): the pseudo-values.
        hidden: Variance that these patients cannot show; see `hidden_variance`.
    """
    mean, spread, freedom = moments(values)
    half = special.stdtrit(freedom, 1 - alpha / 2) * np.sqrt(spread**2 + hidden)
    return np.minimum(mean - half, value), np.maximum(mean + half, value)


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


def korn_graubard(hits: Array, trials: Array, alpha: float = 0.05) -> Interval:
    """Clopper and Pearson's interval of a proportion with the sample size that the clusters leave (Korn and Graubard 1998).

    Args:
        hits: By patient.
        trials: By patient; a design effect below 1 counts as 1.
    """
    count, size = len(hits), float(trials.sum())
    if size <= 0:
        return 0.0, 1.0
    share = float(hits.sum()) / size
    binomial = share * (1 - share) / size
    clustered = float(np.sum((hits - share * trials) ** 2)) * count / max(count - 1, 1) / size**2
    effect = max(1.0, clustered / binomial) if binomial > 0 else max(1.0, float(np.sum(trials**2)) / size)
    return clopper_pearson_real(share * size / effect, size / effect, alpha)


METHODS: tuple[str, ...] = (PUBLISHED, "percentile", "basic", "bca")


def intervals(
    metric: Metric, table: Array, *, method: str = PUBLISHED, alpha: float = 0.05, draws: int = 1000, source: Source | None = None
) -> dict[str, Interval]:
    """The interval of every part.

    Args:
        table: Totals by patient, from `harness.statistics.resample.patient_totals`.
        method: One of METHODS.
        draws: Of the bootstrap; the published method needs none.
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
        unseen = hidden_variance(metric, table, left)
        lows, highs = jackknife_t(left.value, left.values, alpha, np.array([unseen.get(name, 0.0) for name in left.names]))
        found = {name: (float(low), float(high)) for name, low, high in zip(left.names, lows, highs, strict=True)}
        found.update(_proportions(metric, table, alpha))
    else:
        found = _bootstrapped(left, bootstrap(metric, [table], draws, source or Source(""))[0], method, alpha)
    lowest, highest = getattr(metric, "limits", UNKNOWN)
    return {name: (max(low, lowest), min(high, highest)) for name, (low, high) in found.items()}


def _bootstrapped(left: Pseudo, drawn: Mapping[str, Array], method: str, alpha: float) -> dict[str, Interval]:
    if method == "percentile":
        return {name: percentile(drawn[name], alpha) for name in left.names}
    if method == "basic":
        return {name: basic(left.one(name)[0], drawn[name], alpha) for name in left.names}
    return {name: bca(left.one(name)[0], drawn[name], left.one(name)[1], alpha) for name in left.names}


def _proportions(metric: Metric, table: Array, alpha: float) -> dict[str, Interval]:
    """The parts that are a rising function of one proportion, where the metric names them."""
    found = {}
    for part, (hits, trials, rising) in _counted(metric, table).items():
        low, high = korn_graubard(hits, trials, alpha)
        found[part] = (float(rising(low)), float(rising(high)))
    return found


def hidden_variance(metric: Metric, table: Array, left: Pseudo) -> dict[str, float]:
    """What averages of proportions miss where every trial hit, or none: of 3 positives all found, resampling sees no uncertainty.

    Such a member of an average is given the variance of Jeffreys' estimate, (hits + 1/2) / (trials + 1).

    Returns:
        By part the variance to add; parts that miss nothing are absent.
    """
    averages: Mapping[str, tuple[str, ...]] = getattr(metric, "averages", dict)()
    counted = _counted(metric, table) if averages else {}
    unseen = {}
    for part, (hits, trials, rising) in counted.items():
        hit, tried = float(hits.sum()), float(trials.sum())
        if part in left.names and hit in (0.0, tried):
            share = (hit + 0.5) / (tried + 1)
            slope = (rising(share + 1e-6) - rising(share - 1e-6)) / 2e-6
            seen = float(moments(left.one(part)[1])[1]) ** 2
            unseen[part] = max(0.0, slope**2 * share * (1 - share) / (tried + 1) - seen)
    sums = {part: sum(unseen.get(member, 0.0) for member in members) / len(members) ** 2 for part, members in averages.items()}
    return {part: value for part, value in sums.items() if value > 0}


def _counted(metric: Metric, table: Array) -> dict[str, tuple[Array, Array, Callable[[float], float]]]:
    """Hits and trials of each patient for each part that is a proportion."""
    column = {name: index for index, name in enumerate(metric.columns)}
    named: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[float], float]]] = getattr(metric, "proportions", dict)()

    def summed(names: tuple[str, ...]) -> Array:
        return np.asarray(table[:, [column[name] for name in names]].sum(axis=1))

    return {part: (summed(hits), summed(trials), rising) for part, (hits, trials, rising) in named.items()}


def t_tail(value: Array, freedom: Array) -> Array:
    """Two-sided p of Student's t."""
    return np.asarray(2 * stats.t.sf(np.abs(value), freedom), dtype=np.float64)
