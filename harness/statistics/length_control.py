"""Does a score follow the length of the reports? A regression within a system, and the score at the length of the references.

For every patient let y be the pseudo-value of the score (what the patient adds to it, see `harness.statistics.intervals.pseudo`), and x the
mean over the patient's studies of log2(words of the report / words of the reference). The form is

    y = a + b x + error

fitted by least squares over patients. b is the gain of the score for each doubling of the length, a the score at the references' length.
Both have standard errors that hold where the error's variance differs between patients (HC1), with Student's t of the number of
patients less 2. A report without words counts as one of one word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.types import Array

FEWEST = 10
"""Patients; with fewer nothing is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControl:
    """One system's score against length."""

    words: float
    """Mean words of its reports."""
    reference_words: float
    """Mean words of the references of the same studies."""
    score: float
    """As computed."""
    at_reference: float | None = None
    """The score at the references' length; None where the reports' length does not vary."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval of `at_reference`."""
    slope: float | None = None
    """Gain of the score for each doubling of the length, within the system."""
    slope_low: float | None = None
    slope_high: float | None = None


def length_ratios(words: Array, reference_words: Array) -> Array:
    """How many doublings a report is longer than its reference, by study."""
    return np.asarray(np.log2(np.maximum(words, 1) / np.maximum(reference_words, 1)))


def control(score: float, values: Array, ratios: Array, words: tuple[float, float], alpha: float = 0.05) -> LengthControl:
    """Fit the regression of one system.

    Args:
        score: As computed.
        values: Shape (patients,): pseudo-values.
        ratios: Shape (patients,): mean doublings of length.
        words: Mean words of its reports and of the references.
        alpha: One less the confidence.
    """
    from scipy import special

    known = LengthControl(words=words[0], reference_words=words[1], score=score)
    count, away = len(values), ratios - ratios.mean()
    spread = float(away @ away)
    if count < FEWEST or spread <= 1e-9 * count:
        return known
    slope = float(away @ values) / spread
    level = float(values.mean() - slope * ratios.mean())
    left = values - level - slope * ratios
    # What each patient adds to the level and to the slope.
    gains = np.stack([1 / count - ratios.mean() * away / spread, away / spread])
    errors = np.sqrt(((gains * left) ** 2).sum(axis=1) * count / (count - 2))
    half = special.stdtrit(count - 2, 1 - alpha / 2) * errors
    return LengthControl(
        words=words[0],
        reference_words=words[1],
        score=score,
        at_reference=level,
        low=level - float(half[0]),
        high=level + float(half[0]),
        slope=slope,
        slope_low=slope - float(half[1]),
        slope_high=slope + float(half[1]),
    )


def between(words: Array, scores: Array) -> float | None:
    """Pearson's correlation of the systems' scores with the logarithm of their mean length; None for fewer than three, or equal ones."""
    logs = np.log2(np.maximum(words, 1))
    if len(logs) < 3 or np.ptp(logs) < 1e-9 or np.ptp(scores) < 1e-12:
        return None
    return float(np.corrcoef(logs, scores)[0, 1])
