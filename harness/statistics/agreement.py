"""How far a label table agrees with a reference: proportions with their intervals, kappas, McNemar's test, and counts behind printed ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import UsageError

Interval = tuple[float, float]
Ratios = tuple[float, float, float]
"""Accuracy, precision and recall, as printed."""


@dataclass(frozen=True, slots=True, order=True)
class AgreementCounts:
    """How one label of n reports agrees with its reference."""

    true_positives: int
    false_positives: int
    false_negatives: int
    n: int

    @property
    def positives(self) -> int:
        """Reports in which the reference has the label."""
        return self.true_positives + self.false_negatives

    @property
    def ratios(self) -> Ratios:
        """Accuracy, precision and recall; a ratio of nothing is 0."""
        found, right = self.true_positives + self.false_positives, self.true_positives
        accuracy = 1 - (self.false_positives + self.false_negatives) / self.n
        return accuracy, right / found if found else 0.0, right / self.positives if self.positives else 0.0

    @property
    def f1(self) -> float:
        """The label's F1; 0 where neither side has it."""
        both = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / both if both else 0.0


def counts_of(accuracy: float, precision: float, recall: float, n: int, digits: int = 3, truncated: bool = False) -> list[AgreementCounts]:
    """All whole counts whose ratios print as given.

    Args:
        accuracy: The accuracy over n reports, as printed.
        precision: As printed.
        recall: As printed.
        n: How many reports were labelled.
        digits: Decimals that are printed.
        truncated: Whether the ratios may also have been cut off instead of rounded.

    Returns:
        In ascending order; empty where no counts give these ratios.

    Raises:
        UsageError: n is no number of reports.
    """
    if n < 1:
        raise UsageError(f"{n} is not a number of reports")
    unit = 10.0**-digits
    wrongs = [wrong for wrong in range(n + 1) if _prints(1 - wrong / n, accuracy, unit, truncated)]
    made = (
        AgreementCounts(right, wrong - missed, missed, n)
        for wrong in wrongs
        for missed in range(wrong + 1)
        for right in _numerators(missed, recall, n - wrong, unit)
    )
    pairs = ((counts, counts.ratios[1:]) for counts in made)
    return sorted(
        counts for counts, (ours, found) in pairs if _prints(ours, precision, unit, truncated) and _prints(found, recall, unit, truncated)
    )


def _numerators(missed: int, recall: float, most: int, unit: float) -> range:
    """The true positives beside which so many missed ones can give a recall, or one that prints like it."""
    if missed == 0 or recall > 1 - 2 * unit:
        return range(most + 1)
    low, high = (missed * share / (1 - share) for share in (max(0.0, recall - 2 * unit), min(1 - unit / 2, recall + 2 * unit)))
    return range(min(most + 1, math.floor(low)), min(most, math.ceil(high)) + 1)


def _prints(value: float, printed: float, unit: float, truncated: bool) -> bool:
    """Whether a value is printed so, rounded (a tie may go either way) or cut off."""
    slack = 1e-9
    return abs(value - printed) <= unit / 2 + slack or (truncated and -slack <= value - printed < unit - slack)


def standards(columns: Iterable[Ratios], sizes: Iterable[int], truncated: bool = False) -> set[tuple[int, int]]:
    """The reference standards that fit several printed columns of one label.

    Args:
        columns: Accuracy, precision and recall of each.
        sizes: Numbers of reports that the standard may have.
        truncated: As in `counts_of`.

    Returns:
        Number of reports and of positives among them; empty where no one standard can have given all columns.
    """
    given = list(columns)
    found: set[tuple[int, int]] = set()
    for n in sizes:
        positives = [{counts.positives for counts in counts_of(*column, n, truncated=truncated)} for column in given]
        found |= {(n, number) for number in set.intersection(*positives)} if positives else set()
    return found


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> Interval:
    """The exact interval of k successes in n trials: never covers less than 1 - alpha.

    Args:
        k: Successes, 0 to n.
        n: Trials, at least 1: the number of reports that were read, not of anything else.

    Raises:
        UsageError: The counts are impossible.
    """
    _check(k, n)
    return clopper_pearson_real(float(k), float(n), alpha)


def clopper_pearson_real(k: float, n: float, alpha: float = 0.05) -> Interval:
    """The same for counts that are not whole, such as those that a design effect leaves."""
    from scipy import special

    low = float(special.betaincinv(k, n - k + 1, alpha / 2)) if k > 0 else 0.0
    high = float(special.betaincinv(k + 1, n - k, 1 - alpha / 2)) if k < n else 1.0
    return low, high


def wilson(k: int, n: int, alpha: float = 0.05) -> Interval:
    """Wilson's score interval: shorter than the exact one, covers 1 - alpha on average.

    Raises:
        UsageError: The counts are impossible.
    """
    from scipy import special

    _check(k, n)
    z2 = float(special.ndtri(1 - alpha / 2)) ** 2
    centre = (k + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2)
    return (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)


def cohen_kappa(first: Sequence[object], second: Sequence[object]) -> float:
    """Agreement of two readers beyond chance. 0 where chance alone explains everything (both always say the same one thing).

    Raises:
        UsageError: The readers did not read the same number of cases, or none.
    """
    if len(first) != len(second) or not first:
        raise UsageError("the two readers must have read the same cases, and at least one")
    kinds = {kind: index for index, kind in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(kinds), len(kinds)))
    np.add.at(table, ([kinds[kind] for kind in first], [kinds[kind] for kind in second]), 1)
    table /= len(first)
    chance = float(table.sum(axis=1) @ table.sum(axis=0))
    return (float(np.trace(table)) - chance) / (1 - chance) if chance < 1 else 0.0


def fleiss_kappa(table: ArrayLike) -> float:
    """Agreement of several readers beyond chance. 0 where chance alone explains everything.

    Args:
        table: Shape (cases, categories): how many readers chose each category; every case has the same number of readers.

    Raises:
        UsageError: The cases have different numbers of readers, or fewer than two.
    """
    counts = np.asarray(table, dtype=np.float64)
    readers = counts.sum(axis=1)
    if counts.ndim != 2 or not len(counts) or np.ptp(readers) > 0 or readers[0] < 2:
        raise UsageError("every case needs the same number of readers, and at least two")
    share = counts.sum(axis=0) / counts.sum()
    chance = float(share @ share)
    seen = float(np.mean((np.sum(counts**2, axis=1) - readers) / (readers * (readers - 1))))
    return (seen - chance) / (1 - chance) if chance < 1 else 0.0


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p that two readers are right equally often on the same cases.

    Args:
        only_first: Cases that the first reader alone got right.
        only_second: Cases that the second alone got right.
    """
    from scipy import special

    if only_first < 0 or only_second < 0:
        raise UsageError("counts of cases cannot be negative")
    both = only_first + only_second
    # Under the null hypothesis each of these cases is a fair coin, whose tails are equal.
    return min(1.0, 2 * float(special.bdtr(min(only_first, only_second), both, 0.5)))


def _check(k: int, n: int) -> None:
    if n < 1 or not 0 <= k <= n:
        raise UsageError(f"{k} of {n} is not a proportion")
