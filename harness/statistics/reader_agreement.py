"""How far several readers agree, from one row of counts an item, with intervals over patients.

Every statistic is a function of summed rows, so that leaving a patient out is a subtraction. Kappa falls with rarity however good the
readers are, and Gwet's AC1 stays high however rare the finding: they are always shown side by side (`docs/statistics.md`).

Formulas: Fleiss 1971; Cohen 1960 over all pairs of readers (Light 1971: the mean); Krippendorff 2011 (nominal alpha, missing answers allowed);
Gwet 2008 (AC1); positive and negative agreement, Cicchetti and Feinstein 1990, for several readers as by Fleiss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.statistics.intervals import moments
from harness.types import Array

Interval = tuple[float, float]
Matrix = NDArray[np.int8]
MISSING = -1
"""In a table of votes: the reader did not answer."""
STATISTICS = ("raw", "fleiss", "alpha", "ac1", "cohen", "positive", "negative")
LOWEST = {"raw": 0.0, "positive": 0.0, "negative": 0.0, "fleiss": -1.0, "alpha": -1.0, "ac1": -1.0, "cohen": -1.0}
"""The lower end of each scale; the upper is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What each reader answered about each item."""

    values: Matrix
    """Shape (items, readers): the index of a category, or `MISSING`. For two categories 1 is the positive one."""
    categories: int
    """How many answers were possible, used or not."""
    patients: Sequence[str]
    """By item whose it is."""
    strata: Sequence[str] = ()
    """By item the stratum that it was drawn from; empty for a simple random draw."""
    weights: Sequence[float] = field(default=())
    """By item how many studies of the cohort it stands for; empty where all are equal."""

    @property
    def readers(self) -> int:
        """Columns of the table."""
        return int(self.values.shape[1])


@dataclass(frozen=True, slots=True)
class Agreement:
    """One statistic with its interval."""

    value: float
    interval: Interval


def rows(values: Matrix, categories: int) -> Array:
    """The sufficient statistics of each item.

    Returns:
        Shape (items, 3 + 3 q + pairs q^2) for q categories: answered at all, answered twice or more, share of agreeing pairs; then by
        category the share of the answers, the answers that agree (each counted for 1 / (r - 1) of its pairs), and the answers of items
        with two or more; then a table of q times q for every pair of readers.
    """
    counts = np.stack([(values == kind).sum(axis=1) for kind in range(categories)], axis=1).astype(np.float64)
    answers = counts.sum(axis=1)
    several = answers >= 2
    agreeing = np.where(several[:, None], counts * (counts - 1) / np.maximum(answers - 1, 1)[:, None], 0.0)
    head = np.stack([answers >= 1, several, agreeing.sum(axis=1) / np.maximum(answers, 1)], axis=1).astype(np.float64)
    shares = counts / np.maximum(answers, 1)[:, None]
    return np.hstack([head, shares, agreeing, np.where(several[:, None], counts, 0.0), *_pair_tables(values, categories)])


def _pair_tables(values: Matrix, categories: int) -> list[Array]:
    tables = []
    for one, other in combinations(range(values.shape[1]), 2):
        table = np.zeros((len(values), categories**2))
        both = np.flatnonzero((values[:, one] != MISSING) & (values[:, other] != MISSING))
        table[both, values[both, one].astype(np.intp) * categories + values[both, other]] = 1.0
        tables.append(table)
    return tables


def statistics(total: Array, categories: int) -> dict[str, Array]:
    """Every statistic from summed rows; a ratio without a denominator is 0.

    Args:
        total: Shape (..., columns) of `rows`, any number of totals at once.
        categories: As in `rows`.

    Returns:
        By name of `STATISTICS` an array of shape (...).
    """
    q = categories
    answered, several, agreeing = (total[..., index] for index in range(3))
    share, agreed, answers = (total[..., 3 + index * q : 3 + (index + 1) * q] for index in range(3))
    raw, used = _ratio(agreeing, several), _ratio(share, answered[..., None])
    all_answers = answers.sum(axis=-1)
    disagreement = 1 - _ratio(agreed.sum(axis=-1), all_answers)
    by_chance = 1 - _ratio((answers * (answers - 1)).sum(axis=-1), all_answers * (all_answers - 1))
    met = _pair_cases(total, q) > 0
    measured = (
        raw,
        _beyond(raw, (used**2).sum(axis=-1)),
        np.where(by_chance > 1e-12, 1 - _ratio(disagreement, by_chance), 0.0),
        _beyond(raw, (used * (1 - used)).sum(axis=-1) / (q - 1)),
        _ratio((pair_kappas(total, q) * met).sum(axis=-1), met.sum(axis=-1)),
        _ratio(agreed[..., 1], answers[..., 1]),
        _ratio(agreed[..., 0], answers[..., 0]),
    )
    return dict(zip(STATISTICS, measured, strict=True))


def pair_kappas(total: Array, categories: int) -> Array:
    """Cohen's kappa of every pair of readers, shape (..., pairs), in the order of `itertools.combinations`; 0 for a pair without a common case."""
    tables = total[..., 3 + 3 * categories :].reshape(*total.shape[:-1], -1, categories, categories)
    cases = _pair_cases(total, categories)
    same = _ratio(np.trace(tables, axis1=-2, axis2=-1), cases)
    chance = _ratio((tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1), cases**2)
    return _beyond(same, chance)


def _pair_cases(total: Array, categories: int) -> Array:
    """How many items both readers of a pair answered."""
    return np.asarray(total[..., 3 + 3 * categories :].reshape(*total.shape[:-1], -1, categories**2).sum(axis=-1))


def agreement(votes: Votes, alpha: float = 0.05) -> dict[str, Agreement]:
    """Every statistic of one question, with its interval."""
    q = votes.categories
    named = [(name, LOWEST[name]) for name in STATISTICS]
    measured = _measured(votes, lambda total: np.stack(list(statistics(total, q).values()), axis=-1), alpha, named)
    return dict(zip(STATISTICS, measured, strict=True))


def pairwise(votes: Votes, alpha: float = 0.05) -> dict[tuple[int, int], Agreement]:
    """Cohen's kappa of every pair of readers (columns of the table) who answered a common item, with its interval."""
    pairs = list(combinations(range(votes.readers), 2))
    measured = _measured(votes, lambda total: pair_kappas(total, votes.categories), alpha, [("cohen", -1.0)] * len(pairs))
    met = _pair_cases(rows(votes.values, votes.categories).sum(axis=0), votes.categories) > 0
    return {pair: item for pair, item, common in zip(pairs, measured, met, strict=True) if common}


def stacked(several: Sequence[Votes]) -> Votes:
    """All decisions of several questions as one table: the result for all findings together."""
    first = several[0]
    return Votes(
        values=np.concatenate([votes.values for votes in several]),
        categories=first.categories,
        patients=[patient for votes in several for patient in votes.patients],
        strata=[stratum for votes in several for stratum in votes.strata],
        weights=[weight for votes in several for weight in votes.weights],
    )


def _measured(votes: Votes, function: Callable[[Array], Array], alpha: float, named: Sequence[tuple[str, float]]) -> list[Agreement]:
    """Statistics that are functions of the summed rows, with their intervals.

    The interval is the jackknife's over patients, with Student's t on the log-odds of the scale, so that it stays within the scale. With
    a stratified draw, what strata differ by counts only as far as the cohort is itself a sample of patients.
    """
    table = rows(votes.values, votes.categories) * _relative(votes)[:, None]
    total = table.sum(axis=0)
    whole = np.asarray(function(total))
    error, freedom = _spread(votes, table, function)
    perfect = np.asarray(function(_one_dissents(votes, total)))
    ends = [
        _interval(float(value), lowest, float(error[index]), float(freedom[index]), alpha, float(perfect[index]))
        for index, (value, (_, lowest)) in enumerate(zip(whole, named, strict=True))
    ]
    return [Agreement(float(value), end) for value, end in zip(whole, ends, strict=True)]


def _relative(votes: Votes) -> Array:
    """Weights with mean 1: only their ratios matter, and the counts stay those of the sample."""
    if not len(votes.weights):
        return np.ones(len(votes.values))
    given = np.asarray(votes.weights, dtype=np.float64)
    return np.asarray(given / given.mean())


def _spread(votes: Votes, table: Array, function: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Standard error and degrees of freedom of each statistic."""
    total = table.sum(axis=0)
    whole = np.asarray(function(total))
    owner = np.unique(np.asarray(votes.patients, dtype=object).astype(str), return_inverse=True)[1]
    by_patient = np.zeros((int(owner.max(initial=-1)) + 1, table.shape[1]))
    np.add.at(by_patient, owner, table)
    count = len(by_patient)
    away = (whole - np.asarray(function(total - by_patient))).T
    between = np.zeros(len(whole))
    if len(set(votes.strata)) > 1:
        single = (whole - np.asarray(function(total - table))).T
        stratum = np.unique(np.asarray(votes.strata, dtype=object).astype(str), return_inverse=True)[1]
        for index in range(int(stratum.max()) + 1):
            inside = np.flatnonzero(stratum == index)
            centre = single[:, inside].mean(axis=1)
            np.subtract.at(away.T, owner[inside], centre)
            between += len(inside) * centre**2 / float(votes.weights[inside[0]])
    _, error, freedom = moments((count - 1) * away)
    return np.sqrt(error**2 + between), freedom


def _one_dissents(votes: Votes, total: Array) -> Array:
    """Summed rows as they would be had one reader dissented about as many items as 95 % confidence cannot exclude."""
    unseen = -np.log(0.025)
    table = []
    for usual in (0, 1):
        values = np.full((votes.readers, votes.readers), usual, dtype=np.int8)
        np.fill_diagonal(values, 1 - usual)
        table.append(rows(values, votes.categories).mean(axis=0))
    return np.asarray(total + unseen * np.mean(table, axis=0))


def _interval(value: float, lowest: float, error: float, freedom: float, alpha: float, perfect: float) -> Interval:
    from scipy import special

    share = (value - lowest) / (1 - lowest)
    if share >= 1 - 1e-12:
        return min(perfect, value), 1.0
    if share <= 1e-12 or error == 0:
        return lowest, 1.0
    half = float(special.stdtrit(freedom, 1 - alpha / 2)) * error / (1 - lowest) / (share * (1 - share))
    low, high = special.expit(special.logit(share) - half), special.expit(special.logit(share) + half)
    return lowest + (1 - lowest) * float(low), lowest + (1 - lowest) * float(high)


def _ratio(above: Array, below: Array) -> Array:
    out = np.zeros(np.broadcast(above, below).shape)
    return np.divide(above, below, out=out, where=np.abs(below) > 1e-12)


def _beyond(seen: Array, chance: Array) -> Array:
    """Agreement beyond chance; 0 where chance alone explains everything."""
    return _ratio(seen - chance, 1 - chance)
