"""Making the lengths of a board: from the reports that a store kept and the cohort's references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness import cohorts
from harness.cohorts.describe import length, without_blanks
from harness.config.home import home
from harness.metrics import metric as make_metric
from harness.records.lengths import Lengths
from harness.records.record import CohortCard
from harness.records.store import Store, Stored
from harness.statistics.intervals import pseudo
from harness.statistics.length_control import LengthControl, between, control, length_ratios
from harness.statistics.resample import patient_totals
from harness.storage.stored import each
from harness.types import Role, Rows


def make(store: Store, listed: Sequence[Stored], patients: Mapping[str, str], references: Mapping[str, str]) -> Lengths:
    """The lengths of one board.

    Args:
        store: Holds rows and reports.
        listed: The records of the board.
        patients: By study.
        references: By study the text that reports are compared with.
    """
    characters, systems = without_blanks(listed[0].record.cohort.language), {}
    for item in listed:
        rows, reports = store.rows(item.record), store.reports(item)
        if rows and reports is not None:
            systems[item.id] = of_system(rows[0], reports, patients, references, characters)
    own = [known for item in listed if item.record.system.role is Role.SYSTEM and (known := systems.get(item.id))]
    words, scores = (np.array([getattr(known, name) for known in own]) for name in ("words", "score"))
    return Lengths(systems=systems, unit="characters" if characters else "words", between=between(words, scores))


def of_system(
    rows: Rows, reports: Mapping[str, str], patients: Mapping[str, str], references: Mapping[str, str], characters: bool = False
) -> LengthControl:
    """One system's lengths and regression."""
    metric = make_metric(rows.metric)
    known = pseudo(metric, patient_totals(rows, patients), metric.headline.__eq__)
    score, values = known.one(metric.headline)
    words, own = (
        np.array([length(texts.get(study, ""), characters) for study in rows.studies], dtype=np.float64) for texts in (reports, references)
    )
    table = np.stack([length_ratios(words, own), np.ones(len(words))], axis=1)
    summed = patient_totals(Rows("", ("ratio", "studies"), rows.studies, table), patients)
    return control(score, values, summed[:, 0] / summed[:, 1], (float(words.mean()), float(own.mean())))


def references_of(store: Store, cohort: CohortCard) -> dict[str, str] | None:
    """The references of a cohort that was built beside the store or in RANSCORE_HOME; None where it is not on this machine."""
    for root in dict.fromkeys((store.root.parent, home())):
        for path in cohorts.manifests(root / "cohorts"):
            if any(manifest.digest == cohort.digest for manifest in each([path], cohorts.load_manifest)):
                loaded = cohorts.load(path.parent)
                return {study.id: loaded.reference(study.id) for study in loaded.scored}
    return None
