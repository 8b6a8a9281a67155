"""The range of a score by a model of the extractor's error, from a validation alone: nobody read a report of the test. Pure.

If the extractor has the sensitivity Se and the specificity Sp for a finding, and its errors on the two reports of a pair are independent
given the truth, then (label - (1 - Sp)) / (Se + Sp - 1) has the expectation of the true label on both sides, and products of them that of
true products (Rogan and Gladen 1978). If both reports share every error, the score needs no correction. The truth is taken to be between
the two; both are models, and so is the range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.findings import RAN_21
from harness.metrics.findings_f1 import ratio
from harness.statistics.resample import RandomSource
from harness.types import Array, Rows
from validation.extractors.read_pairs import labels_in
from validation.extractors.results import FEW, SourcePart

LEAST = 0.2
"""Below this sum of sensitivity and specificity less 1 an extractor says next to nothing of a finding, and no correction is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Counts of a validation by finding, those findings alone for which a correction is tried."""

    findings: tuple[str, ...]
    found: Array
    positives: Array
    cleared: Array
    negatives: Array

    @property
    def rates(self) -> tuple[Array, Array]:
        """Sensitivities and specificities."""
        return ratio(self.found, self.positives), ratio(self.cleared, self.negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRange:
    """Where the mean F1 may be, by the model."""

    low: float
    """Errors shared: the mean F1 as computed."""
    high: float
    """Errors independent."""
    findings: int
    """How many findings it is over."""


def rates(part: SourcePart) -> ErrorRates:
    """The error rates of a validation; a finding with fewer than 10 positives, or without any use, is left out."""
    kept = [item for item in part.findings if item.positives >= FEW and item.tn + item.fp > 0]
    kept = [item for item in kept if item.tp / item.positives + item.tn / (item.tn + item.fp) - 1 >= LEAST]
    return ErrorRates(
        findings=tuple(item.finding for item in kept),
        found=np.array([item.tp for item in kept], dtype=np.float64),
        positives=np.array([item.positives for item in kept], dtype=np.float64),
        cleared=np.array([item.tn for item in kept], dtype=np.float64),
        negatives=np.array([item.tn + item.fp for item in kept], dtype=np.float64),
    )


@dataclass(frozen=True, slots=True)
class Sums:
    """How many studies have a finding on each side, by finding."""

    both: Array
    original: Array
    generated: Array
    studies: Array


def sums(rows: Rows, findings: Sequence[str]) -> Sums | None:
    """The sums of a system; None where its rows count no decisions."""
    labels = labels_in(rows)
    if labels is None:
        return None
    places = [RAN_21.index(name) for name in findings]
    original, generated, counts = (side[:, places] for side in labels)
    return Sums((original * generated).sum(axis=0), original.sum(axis=0), generated.sum(axis=0), counts.sum(axis=0))


def corrected(found: Sums, sensitivity: Array, specificity: Array) -> Array:
    """F1 of each finding if errors are independent; not above 1, which copies of the original would reach.

    Args:
        found: A system's sums.
        sensitivity: Shape (..., findings).
        specificity: The same shape.
    """
    wrong, use = 1 - specificity, sensitivity + specificity - 1
    both = (found.both - wrong * (found.original + found.generated) + wrong**2 * found.studies) / use**2
    either = (found.original + found.generated - 2 * wrong * found.studies) / use
    return np.clip(ratio(2 * both, either), 0.0, 1.0)


def model_range(rows: Rows, known: ErrorRates) -> ModelRange | None:
    """The range of one system's mean F1; None where no finding can be corrected."""
    found = sums(rows, known.findings)
    if found is None or not known.findings:
        return None
    plain = ratio(2 * found.both, found.original + found.generated)
    ends = float(plain.mean()), float(corrected(found, *known.rates).mean())
    return ModelRange(low=min(ends), high=max(ends), findings=len(known.findings))


def order_shares(rows: Mapping[str, Rows], known: ErrorRates, draws: int = 1000, source: RandomSource | None = None) -> Array:
    """How often the first of two systems is ahead under the model, when the error rates are drawn from what the validation leaves open.

    Args:
        rows: By record id.
        known: The error rates.
        draws: How many error rates are drawn, from Jeffreys' beta distributions; the same for all systems.
        source: Randomness.

    Returns:
        Shape (systems, systems): the share of draws in which the row is ahead of the column, a tie counting half.
    """
    sensitivity = _drawn(known.found, known.positives, draws, "sensitivity", source)
    specificity = _drawn(known.cleared, known.negatives, draws, "specificity", source)
    useful = np.maximum(sensitivity + specificity, 1 + LEAST / 2) - sensitivity
    listed = [sums(table, known.findings) for table in rows.values()]
    scores = np.stack([corrected(found, sensitivity, useful).mean(axis=-1) for found in listed if found is not None])
    gaps = scores[:, None] - scores[None]
    return np.asarray(((gaps > 1e-12) + 0.5 * (np.abs(gaps) <= 1e-12)).mean(axis=-1))


def _drawn(hits: Array, trials: Array, draws: int, purpose: str, source: RandomSource | None) -> Array:
    """Shares from Jeffreys' beta distributions, shape (draws, findings)."""
    from scipy.special import betaincinv

    words = (source or RandomSource("")).bits(purpose, 0, draws * len(hits)).reshape(draws, len(hits))
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54
    return np.asarray(betaincinv(hits + 0.5, trials - hits + 0.5, uniform))
