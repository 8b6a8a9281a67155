"""The score that readers would give: from an extractor's rows of all studies, and readers' rows of some (prediction-powered inference).

A metric is a function of the sum of rows. The extractor's rows are known for all N studies, the readers' rows for n pairs of reports, drawn
at random. What readers would count in all is estimated by

    T = lambda * (sum of the extractor's rows) + N * (mean over the read pairs of: readers' row - lambda * extractor's row)

which is unbiased for every lambda, whatever errors the extractor makes (Angelopoulos et al. 2023; PPI++ for the choice of lambda). Where rows
count decisions, lambda is tuned for each kind of decision instead (`harness.statistics.read_strata`). The score of T is treated as every
score here: each patient is left out in turn, of the test studies and of the read pairs at once, so that intervals, degrees of freedom and
paired tests are those of `harness.statistics.intervals` and `harness.statistics.paired`. Where all pairs are read, T is what the readers
counted; where the extractor makes no error, what the extractor counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.errors import UsageError
from harness.optional import ByFinding, Proportion
from harness.statistics import proportions, read_strata
from harness.statistics.intervals import Pseudo, jackknife_t
from harness.statistics.read_strata import ReadDecisions
from harness.statistics.resample import parts
from harness.types import Array, Metric

FEWEST = 20
"""Patients whose pairs were read; with fewer nothing is estimated."""
STEP = 1e-4
"""How far a total is moved to see how the score answers, as a share of the number of studies."""


@dataclass(frozen=True, slots=True)
class ReadSample:
    """One system's rows by the extractor and by readers, summed by test patient; the first axis of all arrays is the patients."""

    extractor: Array
    """Shape (patients, columns): the extractor's rows of all studies."""
    studies: Array
    """Shape (patients,): how many studies."""
    read: Array
    """Shape (patients, columns): the readers' rows of the read pairs; 0 where nothing was read."""
    same: Array
    """Shape (patients, columns): the extractor's rows of the same pairs."""
    pairs: Array
    """Shape (patients, columns): how many read pairs count in each column, those that the readers decided; weights have the mean 1."""
    decisions: ReadDecisions | None = None
    """What readers made of each decision; None for a metric whose rows do not count decisions."""

    def __post_init__(self) -> None:
        if self.readers < FEWEST:
            raise UsageError(f"pairs of {self.readers} patients were read; an estimate needs those of {FEWEST} at least")

    @property
    def readers(self) -> int:
        """Patients with a pair that was read."""
        return int(np.count_nonzero(self.pairs.any(axis=1)))

    @property
    def unread(self) -> float:
        """The share of the studies that nobody read."""
        return max(0.0, 1 - float(self.pairs.sum(axis=0).max()) / float(self.studies.sum()))

    def totals(self, power: float | None) -> tuple[Array, Array, Array]:
        """What readers would count in all studies, in all but each patient's, and in all if a patient's pairs had not been read.

        Args:
            power: Lambda: 0 uses the read pairs alone; None tunes it for each kind of decision.
        """
        if power is None:
            assert self.decisions is not None
            return read_strata.totals(self.extractor, self.decisions)
        count, pairs = float(self.studies.sum()), self.pairs.sum(axis=0)
        every, gained = self.extractor.sum(axis=0), self.read - power * self.same
        change, rest = gained.sum(axis=0), (count - self.studies)[:, None]
        whole = power * every + count * _mean(change, pairs)
        less = _mean(change - gained, pairs - self.pairs)
        without = power * (every - self.extractor) + rest * less
        unread = (power * every + count * less)[self.pairs.any(axis=1)]
        return np.maximum(whole, 0.0), np.maximum(without, 0.0), np.maximum(unread, 0.0)


def _mean(total: Array, count: Array) -> Array:
    """Mean over the pairs that count; 0 where none is left, so that the extractor is believed there."""
    return np.divide(total, count, out=np.zeros(np.broadcast_shapes(total.shape, count.shape)), where=count > 1e-9)


def tuned(metric: Metric, sample: ReadSample) -> float | None:
    """The lambda that leaves the headline the least variance, from 0 to 1; None where there is one for each kind of decision.

    It is the slope of the regression of what a read pair adds to the score by the readers on what it adds by the extractor; 1 where the
    extractor's rows of the read pairs do not vary. Because the read pairs are among the N studies, this is the optimum of PPI++ for n read
    and N - n other pairs.
    """
    return None if sample.decisions is not None else slope(metric, sample)


def slope(metric: Metric, sample: ReadSample) -> float:
    """One lambda for all columns, as `tuned` says."""
    gradient = _gradient(metric, sample)
    places, pairs = sample.pairs.any(axis=1), sample.pairs.sum(axis=0)
    sides = []
    for rows in (sample.read, sample.same):
        away = rows - sample.pairs * _mean(rows.sum(axis=0), pairs)
        sides.append(away[places] @ (gradient / np.maximum(pairs, 1e-9)))
    readers, extractor = sides
    spread = float(extractor @ extractor)
    return float(np.clip(readers @ extractor / spread, 0.0, 1.0)) if spread > 0 else 1.0


def _gradient(metric: Metric, sample: ReadSample) -> Array:
    """How the headline answers to each column's total."""
    whole = sample.totals(1.0)[0]
    step = STEP * float(sample.studies.sum())
    moved = np.concatenate([whole + step * np.eye(len(whole)), np.maximum(whole - step * np.eye(len(whole)), 0.0)])
    values = np.asarray(metric.score(moved)[metric.headline]).reshape(2, -1)
    return np.asarray((values[0] - values[1]) / (step + np.minimum(whole, step)))


def pseudo(metric: Metric, sample: ReadSample, power: float | None, keep: Callable[[str], bool] = lambda name: True) -> Pseudo:
    """The estimated scores and what each patient adds to them; as `harness.statistics.intervals.pseudo`.

    The bias that few read pairs give a score, because it is no sum, is taken out of it by leaving out each patient's pairs in turn.
    """
    whole, without, unread = (parts(metric, total) for total in sample.totals(power))
    names = tuple(name for name in whole if keep(name))
    value, count = np.array([float(whole[name]) for name in names]), len(sample.studies)
    left, fewer = (np.array([table[name] for name in names]).reshape(len(names), -1) for table in (without, unread))
    bias = (fewer.shape[1] - 1) * (fewer - value[:, None]).mean(axis=1)
    corrected = np.clip(value - sample.unread * bias, *metric.limits)
    return Pseudo(names, corrected, value[:, None] + (count - 1) * (value[:, None] - left))


@dataclass(frozen=True, slots=True)
class CorrectedScore:
    """A score as readers would give it, with its interval."""

    value: float
    low: float
    high: float


TUNED = -1.0
"""Stands for the tuned lambda."""


def estimate(
    metric: Metric, sample: ReadSample, *, alpha: float = 0.05, power: float | None = TUNED, known: Pseudo | None = None
) -> dict[str, CorrectedScore]:
    """Every part of a metric as readers would give it.

    Args:
        metric: Any whose rows readers' labels give.
        sample: The rows.
        alpha: One less the confidence.
        power: Lambda, as for `ReadSample.totals`; by default the tuned one.
        known: What `pseudo` gave, where it is known.
    """
    left = known or pseudo(metric, sample, tuned(metric, sample) if power == TUNED else power)
    below, above = (np.array(side) for side in zip(*(_hidden(metric, sample, left)), strict=True))
    lows, highs = jackknife_t(left.value, left.values, alpha, below, above)
    lowest, highest = metric.limits
    return {
        name: CorrectedScore(float(value), max(float(low), lowest) + 0.0, min(float(high), highest) + 0.0)
        for name, value, low, high in zip(left.names, left.value, lows, highs, strict=True)
    }


def _hidden(metric: Metric, sample: ReadSample, left: Pseudo) -> list[tuple[float, float]]:
    """By part what neither the test studies nor the read pairs can show, below and above."""
    known = proportions.counted(metric, sample.extractor)
    studies = proportions.hidden_variance(metric, known, left.variances())
    pairs = unseen_errors(metric, sample)
    both = ((studies.get(name, (0.0, 0.0)), pairs.get(name, 0.0)) for name in left.names)
    return [(below + more, above + more) for (below, above), more in both]


def unseen_errors(metric: Metric, sample: ReadSample) -> dict[str, float]:
    """What the read pairs cannot show of findings for which the extractor made no error in them.

    The share of errors among the pairs that assert such a finding has a beta prior of weight two around the share over all findings (one
    error added, Laplace's rule). What is missed is the variance of this share, as it changes the score. It falls to 0 as all pairs are read.

    Returns:
        By part the variance to add; parts that miss nothing are absent.
    """
    if not isinstance(metric, ByFinding):
        return {}
    whole, found = sample.totals(1.0)[0], {}
    members = {name: kind for name, kind in metric.proportions().items() if name in set().union(*metric.averages().values())}
    for kind in {name.partition(":")[0] for name in members}:
        found.update(_gaps(metric, {name: item for name, item in members.items() if name.partition(":")[0] == kind}, whole, sample))
    unseen = {name: sample.unread * gap for name, gap in found.items() if gap * sample.unread > 0}
    for part, names in metric.averages().items():
        if total := sum(unseen.get(name, 0.0) for name in names):
            unseen[part] = total / len(names) ** 2
    return unseen


def _gaps(metric: Metric, members: Mapping[str, Proportion], whole: Array, sample: ReadSample) -> dict[str, float]:
    """By member the variance that is missed; 0 where errors were seen."""
    column = {name: index for index, name in enumerate(metric.columns)}
    changed, larger = np.abs(sample.read - sample.same).sum(axis=0) / 2, np.maximum(sample.read, sample.same).sum(axis=0)
    places = {name: [column[trial] for trial in item.trials] for name, item in members.items()}
    errors = {name: float(changed[at].sum()) for name, at in places.items()}
    tried = {name: float(larger[at].sum()) for name, at in places.items()}
    prior = (sum(errors.values()) + 1) / (sum(tried.values()) + 2)
    return {
        name: _slope_of(item, whole, column) ** 2 * _beta_variance(prior, tried[name]) if errors[name] == 0 else 0.0
        for name, item in members.items()
    }


def _beta_variance(prior: float, tried: float) -> float:
    """The variance of a share without a hit in so many trials, with a prior of weight two."""
    share = 2 * prior / (tried + 2)
    return share * (1 - share) / (tried + 3)


def _slope_of(item: Proportion, whole: Array, column: Mapping[str, int]) -> float:
    """How a part answers to its share of hits."""
    hits, trials = (float(whole[[column[one] for one in names]].sum()) for names in (item.hits, item.trials))
    at = min(max(hits / trials if trials > 0 else 0.0, 1e-6), 1 - 1e-6)
    return float(item.rising(at + 1e-6) - item.rising(at - 1e-6)) / 2e-6
