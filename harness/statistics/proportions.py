"""Scores of single findings are functions of one proportion: their intervals, and the variance that resampling cannot show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.optional import ByFinding, Proportion
from harness.statistics.agreement import Interval, clopper_pearson_real
from harness.types import Array, Metric


def korn_graubard(hits: Array, trials: Array, alpha: float = 0.05) -> Interval:
    """Clopper and Pearson's interval of a proportion with the sample size that the clusters leave (Korn and Graubard 1998).

    The design effect is not below the fewest trials of a patient who has any: a patient never counts as more than one observation
    for each trial of the patient with fewest, so that copying every study changes nothing.

    Args:
        hits: By patient.
        trials: By patient.
        alpha: One less the confidence.
    """
    count, size = len(hits), float(trials.sum())
    if size <= 0:
        return 0.0, 1.0
    share = float(hits.sum()) / size
    binomial = share * (1 - share) / size
    if binomial <= 0:
        tried = effective(trials)
        return clopper_pearson_real(share * tried, tried, alpha)
    clustered = float(np.sum((hits - share * trials) ** 2)) * count / max(count - 1, 1) / size**2
    effect = max(float(trials[trials > 0].min()), clustered / binomial)
    return clopper_pearson_real(share * size / effect, size / effect, alpha)


def effective(trials: Array) -> float:
    """The number of independent trials that a patient's equal outcomes leave (Kish 1965): at most the number of patients."""
    squares = float(np.sum(trials**2))
    return float(trials.sum()) ** 2 / squares if squares > 0 else 0.0


@dataclass(frozen=True, slots=True)
class ProportionEstimate:
    """One proportion in these patients."""

    hits: Array
    """By patient."""
    trials: Array
    """By patient."""
    kind: Proportion
    share: float
    """Hits by trials; 0 where nothing was tried."""
    tried: float
    """The number of independent trials."""

    @property
    def uniform(self) -> bool:
        """Whether all trials hit, or none: then no resampling shows how uncertain the share is."""
        return self.share in (0.0, 1.0)

    @property
    def value(self) -> float:
        """The part's value; NaN where averages leave it out."""
        return float(self.kind.rising(self.share)) if self.tried > 0 else self.kind.undefined

    def interval(self, alpha: float) -> Interval:
        """The part's interval."""
        low, high = korn_graubard(self.hits, self.trials, alpha)
        return float(self.kind.rising(low)), float(self.kind.rising(high))


def counted(metric: Metric, table: Array) -> dict[str, ProportionEstimate]:
    """Every part that is a proportion.

    Args:
        metric: One that is not made of findings has none.
        table: Totals by patient.
    """
    named: Mapping[str, Proportion] = metric.proportions() if isinstance(metric, ByFinding) else {}
    column = {name: index for index, name in enumerate(metric.columns)}

    def summed(names: tuple[str, ...]) -> Array:
        return np.asarray(table[:, [column[name] for name in names]].sum(axis=1))

    found = {}
    for part, kind in named.items():
        hits, trials = summed(kind.hits), summed(kind.trials)
        size = float(trials.sum())
        found[part] = ProportionEstimate(hits, trials, kind, float(hits.sum()) / size if size > 0 else 0.0, effective(trials))
    return found


def hidden_variance(metric: Metric, known: Mapping[str, ProportionEstimate], seen: Mapping[str, float]) -> dict[str, Interval]:
    """What averages of proportions miss where every trial hit, or none: of 3 positives all found, resampling sees no uncertainty.

    The share of such a member has a beta prior of weight one around the mean share of the average's members, which says what this
    system does on its other findings. What is missed is the expected squared distance of the member's value from the value at hand,
    less the variance that was seen. A member without a hit can only be better, one with nothing but hits only worse.

    Args:
        metric: Names its averages.
        known: Its proportions; see `counted`.
        seen: By part the variance that leaving out patients shows.

    Returns:
        By part the variance to add below and above; parts that miss nothing are absent.
    """
    averages = metric.averages() if isinstance(metric, ByFinding) else {}
    unseen = {}
    for part, members in averages.items():
        valued = {name: known[name] for name in members if not np.isnan(known[name].value)}
        prior = _prior(list(valued.values()))
        gaps = [_gap(item, prior, seen.get(name, 0.0)) for name, item in valued.items() if item.uniform]
        if any(square for square, _ in gaps):
            below, above = (sum(square for square, up in gaps if up is side) / len(valued) ** 2 for side in (False, True))
            unseen[part] = (below, above)
    return unseen


def _prior(members: Sequence[ProportionEstimate]) -> float:
    """The mean share of what was tried, with one success and one failure added (Laplace's rule): never 0 or 1."""
    shares = [item.share for item in members if item.tried > 0]
    return (sum(shares) + 1) / (len(shares) + 2)


def _gap(item: ProportionEstimate, prior: float, seen: float) -> tuple[float, bool]:
    """The squared distance to expect beyond the variance that was seen, and whether the true value is above."""
    share = (item.share * item.tried + prior) / (item.tried + 1)
    slope = (item.kind.rising(share + 1e-6) - item.kind.rising(share - 1e-6)) / 2e-6
    away = float(item.kind.rising(share)) - item.value
    return max(0.0, slope**2 * share * (1 - share) / (item.tried + 2) + away**2 - seen), away > 0
