"""Errors that a weighted sample can hardly show: a false alarm in a large stratum is rare in the sample and weighs much. Pure.

Where none was drawn of a finding, leaving out patients shows no variance, and the ratio looks surer than it is. How often such an error
happens in a stratum is known better from all findings together; each has its part of them, as large as its part of all assertions. The variance
that follows, less the one that is seen, is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.findings import RAN_21
from harness.metrics.findings_f1 import COUNTS
from harness.types import Array

ERRORS = {"precision": ("fp",), "recall": ("fn",), "f1": ("fp", "fn")}
"""By kind of ratio the errors that lower it."""
NORMAL = 1.959964
"""Half an interval of 95 % in standard errors."""


def variance(cells: Array, weights: Array, findings: Sequence[str]) -> dict[str, float]:
    """By kind of ratio the variance that the mean over some findings is missing.

    Args:
        cells: tp, fp, fn, tn of each item and finding; shape (items, 21, 4).
        weights: One an item; equal weights are one stratum.
        findings: Over which the mean is taken.
    """
    own = cells[:, [RAN_21.index(name) for name in findings]]
    total = (own * weights[:, None, None]).sum(axis=0)
    hits = total[:, COUNTS.index("tp")]
    found = {}
    for kind, errors in ERRORS.items():
        happened = own[:, :, [COUNTS.index(name) for name in errors]].sum(axis=2)
        scale = 2.0 if kind == "f1" else 1.0
        trials = scale * hits + sum(total[:, COUNTS.index(name)] for name in errors)
        slope = np.divide(scale * hits, trials**2, out=np.zeros_like(hits), where=trials > 0)
        share = np.divide(trials, trials.sum(), out=np.zeros_like(trials), where=trials.sum() > 0)
        missing = np.maximum(0.0, _expected(happened, weights) * share - (weights[:, None] ** 2 * happened).sum(axis=0))
        found[kind] = float((slope**2 * missing).sum()) / len(findings) ** 2
    return found


def _expected(happened: Array, weights: Array) -> float:
    """The variance of the weighted number of errors of all findings, from what happened in each stratum, and half an error more."""
    return float(sum(weight**2 * (happened[weights == weight].sum() + 0.5) for weight in np.unique(weights)))


def lower(value: float, low: float, missing: float) -> float:
    """The lower end of an interval with the variance that was missing; never below 0."""
    return max(0.0, value - float(np.hypot(value - low, NORMAL * np.sqrt(missing))))
