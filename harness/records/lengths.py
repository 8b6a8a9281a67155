"""The length of every system's reports on a board, and its score at the references' length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.metrics import metric as make_metric
from harness.records.record import CohortCard
from harness.records.store import Store, Stored
from harness.statistics.intervals import pseudo
from harness.statistics.length_control import LengthControl, between, control, length_ratios
from harness.statistics.resample import patient_totals
from harness.types import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """What a snapshot knows of length, under the score that ranks."""

    systems: Mapping[str, LengthControl] = field(default_factory=dict)
    """By record id; a record whose reports are not kept is absent."""
    between: float | None = None
    """Correlation over the systems, floors and ceilings left out, of score and logarithm of the mean length."""


def make(store: Store, listed: Sequence[Stored], patients: Mapping[str, str], references: Mapping[str, str]) -> Lengths:
    """The lengths of one board.

    Args:
        store: Holds rows and reports.
        listed: The records of the board.
        patients: By study.
        references: By study the text that reports are compared with.
    """
    systems = {}
    for item in listed:
        rows, reports = store.rows(item.record), store.reports(item)
        if rows and reports is not None:
            systems[item.id] = of_system(rows[0], reports, patients, references)
    ranked = [known for item in listed if item.record.system.role == "system" and (known := systems.get(item.id))]
    words, scores = (np.array([getattr(known, name) for known in ranked]) for name in ("words", "score"))
    return Lengths(systems=systems, between=between(words, scores))


def of_system(rows: Rows, reports: Mapping[str, str], patients: Mapping[str, str], references: Mapping[str, str]) -> LengthControl:
    """One system's lengths and regression."""
    metric = make_metric(rows.metric)
    known = pseudo(metric, patient_totals(rows, patients), metric.headline.__eq__)
    score, values = known.one(metric.headline)
    words = np.array([len(reports.get(study, "").split()) for study in rows.studies], dtype=np.float64)
    own = np.array([len(references.get(study, "").split()) for study in rows.studies], dtype=np.float64)
    table = np.stack([length_ratios(words, own), np.ones(len(words))], axis=1)
    summed = patient_totals(Rows("", ("ratio", "studies"), rows.studies, table), patients)
    return control(score, values, summed[:, 0] / summed[:, 1], (float(words.mean()), float(own.mean())))


def references_of(store: Store, cohort: CohortCard) -> dict[str, str] | None:
    """The references of a cohort that was built beside the store or in RANSCORE_HOME; None where it is not on this machine."""
    from harness import cohorts
    from harness.config.home import home
    from harness.storage.stored import each

    for root in dict.fromkeys((store.root.parent, home())):
        for path in cohorts.manifests(root / "cohorts"):
            if any(manifest.digest == cohort.digest for manifest in each([path], cohorts.load_manifest)):
                loaded = cohorts.load(path.parent)
                return {study.id: loaded.reference(study.id) for study in loaded.scored}
    return None
