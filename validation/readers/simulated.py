"""Readers of known quality: for the demonstration, and for studying the statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.findings import RAN_21
from harness.types import Labels
from validation.readers.sheets import Reply, Sheet
from validation.readers.study import ReadingStudy


@dataclass(frozen=True, slots=True)
class Quality:
    """How a simulated reader reads."""

    sensitivity: float
    specificity: float
    unsure: float = 0.0
    """Share of the decisions that she leaves uncertain."""


SIX: tuple[Quality, ...] = (
    Quality(0.95, 0.995, 0.01),
    Quality(0.92, 0.99, 0.01),
    Quality(0.90, 0.985, 0.02),
    Quality(0.88, 0.99, 0.01),
    Quality(0.85, 0.98, 0.02),
    Quality(0.80, 0.97, 0.01),
)
"""The readers of the demonstration, best first."""


def sheet(study: ReadingStudy, reader: str, truth: Mapping[str, Labels], quality: Quality, rng: np.random.Generator) -> Sheet:
    """A complete sheet of findings.

    Args:
        study: Whose.
        reader: Whose sheet.
        truth: By row of the label file the labels that are right; the row of an original report is its study id.
        quality: How good the reader is; a report that is shown twice is read twice.
        rng: Decides her errors.
    """
    names = [question.id for question in study.form.questions]
    own = {item.id: truth[item.row] for item in study.items}
    replies = {}
    for at, shown in enumerate(study.orders[reader], 1):
        known = dict(zip(RAN_21, own[shown.item].values, strict=True))
        values = read([known[name] == 1 for name in names], quality, rng)
        given = dict(zip(names, values, strict=True))
        replies[at] = Reply(given, tuple(name for name, value in given.items() if value == 0), round(float(rng.gamma(4, 12)), 1))
    return Sheet(study=study.digest, reader=reader, replies=replies, attested=True)


def read(present: Sequence[bool], quality: Quality, rng: np.random.Generator) -> list[int]:
    """One reading of one report: 1, 0 or -1 for each finding."""
    right = rng.random(len(present)) < np.where(present, quality.sensitivity, quality.specificity)
    unsure = rng.random(len(present)) < quality.unsure
    return [-1 if doubt else int(truth == good) for truth, good, doubt in zip(present, right, unsure, strict=True)]
