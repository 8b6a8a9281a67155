"""The synthetic board: a cohort whose labels are known by construction, systems whose true order is known, floors and ceilings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import SyntheticSystem, bounds, systems
from harness.records import ranks, snapshot, store
from harness.records.record import ExtractorCard
from harness.records.store import Store
from harness.scoring import evaluation
from harness.scoring.evaluation import Sides
from harness.signature import Signature, digest, kind_of
from harness.storage.progress import progress
from harness.types import Cohort, Grade, Input, Metric, SystemCard

CONSTRUCTION = ExtractorCard("construction", digest("labels known by construction"))
"""Nobody reads the synthetic reports: what they assert is known, because they were written from it."""


def sides(cohort: Cohort, system: SyntheticSystem) -> Sides:
    """Both sides with their text and the labels they were written from."""
    ids = [study.id for study in cohort.scored]
    return Sides(
        evaluation.cohort_card(cohort),
        tuple(Input(name, cohort.reference(name), labels={"ran-21": cohort.labels[name]}) for name in ids),
        tuple(Input(name, system.reports[name], labels={"ran-21": system.labels[name]}) for name in ids),
        {"ran-21": CONSTRUCTION},
        {study.id: study.patient for study in cohort.scored},
    )


def fill(
    target: Store,
    metrics: Sequence[Metric],
    studies: int = 590,
    seed: int = 0,
    more: Mapping[str, Callable[[Cohort], SyntheticSystem]] | None = None,
) -> Cohort:
    """Score every synthetic system, floor and ceiling into a store and rank them; what is there already is not scored again.

    Args:
        studies: Scored studies.
        seed: The seed of the cohort and of the systems.
        more: By name the makers of further systems, each called only where its record is not there yet.
    """
    cohort = build(studies=studies, seed=seed)
    there = scored_already(target, cohort, metrics)
    invented = [system for system in (*systems(cohort, seed), *bounds(cohort, seed)) if system.name not in there]
    invented += [maker(cohort) for name, maker in (more or {}).items() if name not in there]
    for system in progress(invented, "Scoring the synthetic systems", unit="system"):
        card = SystemCard(system.name, role=system.role, open_weights="no", trained_on_cohort="no")
        found = evaluation.evaluate(sides(cohort, system), metrics, card=card, grade=Grade.REGENERATED, created=store.now())
        target.add(found.record, found.rows, system.reports, found.sides.patients)
    for made in ranks.make(target, created=store.now()):
        snapshot.save(target.root, made)
    return cohort


def scored_already(target: Store, cohort: Cohort, metrics: Sequence[Metric]) -> set[str]:
    """Names of the systems whose records of this cohort hold these versions of these metrics."""
    wanted = {str(Signature(metric.name, metric.version, metric.recipe)) for metric in metrics}
    return {
        item.record.system.name
        for item in target.standing()
        if item.record.cohort.digest == cohort.manifest.digest and wanted <= {kind_of(result.signature) for result in item.record.metrics}
    }
