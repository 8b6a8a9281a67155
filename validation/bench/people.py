"""Metrics against people: how far the order of a metric agrees with the order of readers, within each reference."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.errors import InputError, Problem
from harness.quiet import Quiet
from harness.statistics import paired
from harness.types import Array
from validation.bench.correlation import calibrated, soft_accuracy, tau_b
from validation.bench.estimates import Estimate, mean
from validation.bench.kinds import SAME
from validation.bench.pairs import BenchPair
from validation.bench.scoring import MetricScores

COLUMNS = ("reference_id", "system", "reader", "score", "reference", "candidate")
FITTED: Mapping[str, tuple[str, ...]] = {"rexval": ("radcliq",)}
"""By data set the metrics that were fitted on it: what they reach there says little."""


@dataclass(frozen=True, slots=True, repr=False)
class Rated(Quiet):
    """A pair of reports that readers rated."""

    pair: BenchPair = field(repr=False)
    system: str
    ratings: Mapping[str, float]
    """By reader; higher is better."""

    @property
    def mean(self) -> float:
        """The mean over its readers."""
        return float(np.mean(list(self.ratings.values())))


@dataclass(frozen=True, slots=True)
class PeopleAgreement:
    """How far one metric, or one reader, agrees with readers."""

    name: str
    within: Estimate
    """Mean of tau-b within a reference."""
    accuracy: float | None
    """Share of the pairs of one reference on which both say greater, less or equal, at the best tie threshold."""
    epsilon: float
    pooled: float | None
    """Tau-b over all references at once, as it is often published: it measures, too, how hard a reference is."""
    systems: float | None
    """Soft pairwise accuracy over systems; None with fewer than two."""
    fitted: bool = False
    """Whether the metric was fitted on these data."""


def load(path: Path, errors: bool = False) -> tuple[Rated, ...]:
    """Read ratings from a CSV file with the columns of `COLUMNS`, a line for each reader and candidate.

    Args:
        path: The file.
        errors: The scores count errors: fewer are better.

    Raises:
        InputError: A column is missing, a score is no number, or a candidate's text differs between its lines.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(Problem(f"{path} has no column {', '.join(missing)}", f"Give it the columns {', '.join(COLUMNS)}"))
        rows = list(enumerate(reader, 2))
    wrong: list[Problem] = []
    ratings: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    texts: dict[tuple[str, str], tuple[str, str]] = {}
    for number, row in rows:
        key = (row["reference_id"], row["system"])
        value = _number(row["score"])
        if value is None or texts.setdefault(key, (row["reference"], row["candidate"])) != (row["reference"], row["candidate"]):
            why = "its score is not a number" if value is None else "its reports differ from those of an earlier line of this candidate"
            wrong.append(Problem(f"{path}: line {number}: {why}", "Correct the line"))
        else:
            ratings[key][row["reader"]] = -value if errors else value
    if wrong or not rows:
        raise InputError(wrong or [Problem(f"{path} has no rating", "Give it a line for each reader and candidate")])
    return tuple(
        Rated(BenchPair(f"{key[0]}/{key[1]}", key[0], SAME.name, *texts[key], source="people"), key[1], found)
        for key, found in ratings.items()
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def agree(rated: Sequence[Rated], scores: Sequence[MetricScores], data: str = "") -> tuple[PeopleAgreement, ...]:
    """How far each metric agrees with the mean of the readers.

    Args:
        rated: What readers rated.
        scores: The metrics' scores of the same pairs, in the same order.
        data: What the data are called, to mark metrics that were fitted on them.
    """
    people = np.array([item.mean for item in rated])
    fitted = FITTED.get(data.lower(), ())
    return tuple(_of(item.name, rated, people, item.values, item.name.partition(":")[0] in fitted) for item in scores)


def ceilings(rated: Sequence[Rated]) -> tuple[PeopleAgreement, ...]:
    """How far each reader agrees with the mean of the others: no metric can be asked for more."""
    found = []
    for reader in sorted({name for item in rated for name in item.ratings}):
        both = [item for item in rated if reader in item.ratings and len(item.ratings) > 1]
        if both:
            others = np.array([np.mean([value for name, value in item.ratings.items() if name != reader]) for item in both])
            found.append(_of(reader, both, others, np.array([item.ratings[reader] for item in both]), False))
    return tuple(found)


def _of(name: str, rated: Sequence[Rated], people: Array, values: Array, fitted: bool) -> PeopleAgreement:
    places: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(rated):
        places[item.pair.reference_id].append(index)
    groups = [(people[own], values[own]) for own in places.values() if len(own) > 1]
    within = np.array([tau_b(one, other) for one, other in groups])
    accuracy, epsilon = calibrated(groups)
    return PeopleAgreement(
        name, mean(within, (-1.0, 1.0)), _known(accuracy), epsilon, _known(tau_b(people, values)), _systems(rated, people, values), fitted
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _systems(rated: Sequence[Rated], people: Array, values: Array) -> float | None:
    names = sorted({item.system for item in rated})
    places = {(item.system, item.pair.reference_id): index for index, item in enumerate(rated)}
    references = sorted({item.pair.reference_id for item in rated})
    chosen = [[places.get((name, reference), -1) for reference in references] for name in names]
    matrices = [_better(names, chosen, side) for side in (people, values)]
    return None if len(names) < 2 or any(np.isnan(matrix).any() for matrix in matrices) else soft_accuracy(*matrices)


def _better(names: Sequence[str], chosen: Sequence[Sequence[int]], side: Array) -> Array:
    """One-sided p that the row's system is not better than the column's, paired by reference; NaN where too few are shared."""
    found = np.full((len(names), len(names)), 0.0)
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            both = [(a, b) for a, b in zip(chosen[one], chosen[other], strict=True) if a >= 0 and b >= 0]
            if len(both) < 2:
                found[one, other] = np.nan
                continue
            apart = np.array([side[a] - side[b] for a, b in both])
            p = float(paired.differences(np.asarray(apart.mean()), apart).p) / 2
            found[one, other] = p if apart.mean() > 0 else 1 - p
    return found
