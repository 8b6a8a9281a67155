"""Metrics whose answer is known beforehand: an oracle, one that always sees an error, and sentinels that read no content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from validation.bench.drafts import words
from validation.bench.kinds import EditGroup, group_of
from validation.bench.pairs import BenchPair
from validation.bench.scoring import MetricScores

SENTINELS = ("length", "candidate", "random", "constant")


def sentinels(pairs: Sequence[BenchPair]) -> tuple[MetricScores, ...]:
    """The scores of metrics that do not compare: whatever they detect can be detected without reading.

    `length` prefers the candidate whose number of words is nearest to the reference's, `candidate` reads no reference, `random` neither,
    `constant` gives the same always.
    """
    return tuple(of_pairs(f"sentinel-{name}", pairs, _SENTINELS[name]) for name in SENTINELS)


def oracle(pairs: Sequence[BenchPair]) -> MetricScores:
    """One less the number of errors that were made."""
    return of_pairs("oracle", pairs, lambda pair: 1.0 - pair.errors)


def always_an_error(pairs: Sequence[BenchPair]) -> MetricScores:
    """A judge that calls every edit an error."""
    return of_pairs("always-an-error", pairs, lambda pair: float(group_of(pair.kind) is EditGroup.SAME))


def of_pairs(name: str, pairs: Sequence[BenchPair], give: Callable[[BenchPair], float]) -> MetricScores:
    """A metric from a function of one pair."""
    return MetricScores(name, f"{name}|v1", True, np.array([give(pair) for pair in pairs]))


def _share(text: str) -> float:
    """A number from 0 to 1 that depends on a text as a whole."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12


def noisy(name: str, scores: MetricScores, sigma: float) -> MetricScores:
    """The scores of another metric with normal noise; two of them with one sigma are equally good."""
    rng = np.random.default_rng(int(_share(name) * 2**31))
    return MetricScores(name, f"{name}|v1", True, scores.values + sigma * rng.standard_normal(len(scores.values)))


_SENTINELS: Mapping[str, Callable[[BenchPair], float]] = {
    "length": lambda pair: -float(abs(len(words(pair.candidate)) - len(words(pair.reference)))),
    "candidate": lambda pair: _share(pair.candidate),
    "random": lambda pair: _share(pair.id),
    "constant": lambda pair: 1.0,
}
