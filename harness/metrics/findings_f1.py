"""F1 over findings: Ran Score, and every published form of CheXbert F1, as arithmetic on counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import UsageError
from harness.findings import COMPARABLE_14, RAN_21
from harness.optional import Proportion
from harness.types import Array, Input, Labels, ReportStatus, Status

COUNTS = ("tp", "fp", "fn", "tn")


def ratio(numerator: Array, denominator: Array, undefined: float = 0.0) -> Array:
    """Quotient where the denominator is positive, else `undefined`: 0 is the convention of the authors' evaluator."""
    out: Array = np.full(np.broadcast(numerator, denominator).shape, undefined)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def average(values: Array, weights: Array | None = None) -> Array:
    """Mean over the last axis of what is not NaN; 0 where all is."""
    if weights is None and not np.isnan(values).any():
        return np.asarray(values.mean(axis=-1))
    heavy = ~np.isnan(values) * (1.0 if weights is None else weights)
    return ratio((np.nan_to_num(values) * heavy).sum(axis=-1), heavy.sum(axis=-1))


@dataclass(frozen=True, slots=True)
class FindingsF1:
    """Counts of true and false decisions per finding, and the ratios made from them."""

    name: str
    vocabulary: str
    findings: tuple[str, ...]
    recipe: str = ""
    version: int = 1
    headline: str = "macro-f1"
    subsets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Further averages: a suffix and the findings it is taken over."""
    higher_is_better: bool = True
    fit_digest: str = ""
    undefined: float = 0.0
    """What 0/0 counts as; NaN leaves it out of averages and shows it as 0."""
    limits: tuple[float, float] = (0.0, 1.0)
    """No ratio, and so no interval, is outside."""

    @property
    def reads(self) -> frozenset[str]:
        """The vocabulary whose labels it needs."""
        return frozenset({self.vocabulary})

    @property
    def columns(self) -> tuple[str, ...]:
        """tp, fp, fn, tn of each finding, finding by finding."""
        return tuple(f"{finding}:{count}" for finding in self.findings for count in COUNTS)

    def fit(self, references: Sequence[Input]) -> FindingsF1:
        """Nothing is frozen."""
        return self

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """Counts per study: a decision that the reference leaves open counts nowhere."""
        truth = np.array([reference_decisions(item.labels[self.vocabulary]) for item in references], dtype=np.int8)
        said = np.array([candidate_decisions(item.labels.get(self.vocabulary), len(self.findings)) for item in candidates], dtype=bool)
        truth, said = truth.reshape(-1, len(self.findings)), said.reshape(-1, len(self.findings))
        present, absent = truth == 1, truth == 0
        cells = np.stack([present & said, absent & said, present & ~said, absent & ~said], axis=-1)
        return cells.reshape(len(truth), len(self.findings) * len(COUNTS)).astype(np.float64)

    def score(self, total: Array) -> Mapping[str, Array]:
        """Macro and micro ratios over all findings and the subsets, and the ratios of each finding.

        `positives:<finding>` is the count of positive references, which a reader needs beside a ratio that is 0 by convention.
        """
        cells = np.asarray(total, dtype=np.float64).reshape(*np.shape(total)[:-1], len(self.findings), len(COUNTS))
        positives = cells[..., COUNTS.index("tp")] + cells[..., COUNTS.index("fn")]
        each = ratios(cells, self.undefined)
        parts = {f"macro-{name}": average(values) for name, values in each.items()}
        pooled = ratios(cells.sum(axis=-2), self.undefined)
        parts.update({f"micro-{name}": np.nan_to_num(value) for name, value in pooled.items()})
        for suffix, names in self.subsets:
            keep = [self.findings.index(name) for name in names]
            parts[f"macro-f1-{suffix}"] = average(each["f1"][..., keep])
            pooled = ratios(cells[..., keep, :].sum(axis=-2), self.undefined)
            parts[f"micro-f1-{suffix}"] = np.nan_to_num(pooled["f1"])
        parts["macro-f1-positives"] = average(each["f1"], (positives > 0).astype(np.float64))
        for index, finding in enumerate(self.findings):
            parts.update({f"{name}:{finding}": np.nan_to_num(values[..., index]) for name, values in each.items()})
            parts[f"positives:{finding}"] = positives[..., index]
        return parts

    def proportions(self) -> dict[str, Proportion]:
        """The parts of single findings.

        Let J be the share of studies with a finding on both sides among the studies with it on either side: F1 is 2 J / (1 + J).
        """
        kinds: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[float], float]]] = {
            "f1": (("tp",), ("tp", "fp", "fn"), _dice),
            "precision": (("tp",), ("tp", "fp"), float),
            "recall": (("tp",), ("tp", "fn"), float),
            "accuracy": (("tp", "tn"), COUNTS, float),
        }
        named = {}
        for finding in self.findings:
            for kind, (hits, trials, rising) in kinds.items():
                named[f"{kind}:{finding}"] = Proportion(_of(finding, hits), _of(finding, trials), rising, self.undefined)
        return named

    def averages(self) -> dict[str, tuple[str, ...]]:
        """Which parts are the mean of other parts: by part its members."""
        found = {
            f"macro-{kind}": tuple(f"{kind}:{finding}" for finding in self.findings) for kind in ("f1", "precision", "recall", "accuracy")
        }
        found.update({f"macro-f1-{suffix}": tuple(f"f1:{name}" for name in names) for suffix, names in self.subsets})
        return found


def _of(finding: str, counts: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{finding}:{count}" for count in counts)


def _dice(share: float) -> float:
    return 2 * share / (1 + share)


def ratios(cells: Array, undefined: float = 0.0) -> dict[str, Array]:
    """The four ratios made from counts, which are on the last axis in the order of `COUNTS`."""
    tp, fp, fn, tn = (cells[..., index] for index in range(len(COUNTS)))
    return {
        "f1": ratio(2 * tp, 2 * tp + fp + fn, undefined),
        "precision": ratio(tp, tp + fp, undefined),
        "recall": ratio(tp, tp + fn, undefined),
        "accuracy": ratio(tp + tn, tp + fp + fn + tn, undefined),
    }


def reference_decisions(labels: Labels) -> list[int]:
    """1, 0, or -1 for a decision that is left out: undecided in a label file, or not ok."""
    return [value if value in (0, 1) and status is Status.OK else -1 for value, status in zip(labels.values, labels.statuses, strict=True)]


def candidate_decisions(labels: Labels | None, size: int) -> list[bool]:
    """Whether each finding is asserted: only an ok 1 of a readable report is."""
    if labels is None or labels.report is not ReportStatus.OK:
        return [False] * size
    return [value == 1 and status is Status.OK for value, status in zip(labels.values, labels.statuses, strict=True)]


def ran_score(recipe: str) -> FindingsF1:
    """Ran Score: macro F1 over the paper's 21 findings."""
    if recipe:
        raise UsageError(f"ran-score has no recipe {recipe!r}: it has one definition")
    return FindingsF1("ran-score", "ran-21", RAN_21, subsets=(("14", COMPARABLE_14),))
