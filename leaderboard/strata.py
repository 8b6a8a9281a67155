"""Scores in groups of studies, from rows alone: normal and abnormal ones, and whatever the cohort's manifest knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.findings import NO_FINDING
from harness.metrics import metric as make_metric
from harness.statistics.intervals import intervals
from harness.statistics.resample import patient_totals
from harness.types import Manifest, Rows, Study

PART = "macro-f1-positives"
"""Mean F1 over the findings that a group has at all: the others would count as 0."""
SMALLEST = 10
"""Studies of a group that is shown."""
BANDS = ((0, "under 40"), (40, "40 to 64"), (65, "65 to 79"), (80, "80 and over"))
_AGES = {name: least for least, name in BANDS}


@dataclass(frozen=True, slots=True)
class Group:
    """One system's score in one group."""

    stratum: str
    name: str
    studies: int
    score: float
    interval: tuple[float, float] | None = None


def scores(rows: Rows, manifest: Manifest | None, patients: Mapping[str, str] | None = None) -> tuple[Group, ...]:
    """A system's score in every group with enough studies.

    Args:
        rows: The rows of a findings F1.
        manifest: The cohort's manifest, where it is on this machine.
        patients: By study; given, each score has its interval.
    """
    metric, found = make_metric(rows.metric), []
    for (stratum, name), kept in members(rows, manifest).items():
        if int(kept.sum()) < SMALLEST:
            continue
        score = float(metric.score(rows.values[kept].sum(axis=0)).get(PART, np.nan))
        ends = None
        if patients is not None:
            inside = tuple(study for study, keep in zip(rows.studies, kept, strict=True) if keep)
            part = replace(rows, studies=inside, values=rows.values[kept])
            low, high = intervals(metric, patient_totals(part, patients)).get(PART, (np.nan, np.nan))
            ends = (float(low), float(high)) if np.isfinite([low, high]).all() else None
        if np.isfinite(score):
            found.append(Group(stratum, name, int(kept.sum()), score, ends))
    return tuple(found)


def members(rows: Rows, manifest: Manifest | None) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """By stratum and group which studies belong to it."""
    found = {("reference", "normal"): _normal(rows)}
    found[("reference", "abnormal")] = ~found[("reference", "normal")]
    known = {study.id: _said(study) for study in manifest.studies} if manifest else {}
    if not set(rows.studies) <= known.keys():
        return found
    named: Sequence[Mapping[str, str]] = [known[study] for study in rows.studies]
    for stratum in sorted({name for said in named for name in said}):
        values = np.array([said.get(stratum, "") for said in named], dtype=object)
        groups = sorted(set(values) - {""}, key=lambda name: (_AGES.get(name, 0), name))
        if set(groups) == {"normal", "abnormal"}:
            # The cohort says it itself, perhaps by other rules.
            found = {key: kept for key, kept in found.items() if key[0] != "reference"}
        found.update({(stratum, str(name)): np.asarray(values == name, dtype=bool) for name in groups})
    return found


def _normal(rows: Rows) -> NDArray[np.bool_]:
    """Studies whose reference has No Finding: its true positives and misses."""
    at = [index for index, name in enumerate(rows.columns) if name in (f"{NO_FINDING}:tp", f"{NO_FINDING}:fn")]
    return np.asarray(rows.values[:, at].sum(axis=1) > 0, dtype=bool)


def _said(study: Study) -> dict[str, str]:
    said = dict(study.strata)
    if study.sex:
        said["sex"] = study.sex
    if study.age is not None:
        said["age"] = next((name for least, name in reversed(BANDS) if study.age >= least), "")
    return said
