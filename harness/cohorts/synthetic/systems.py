"""Systems whose quality is set, so that the true order of a board is known."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.cohorts.synthetic.cohort import labels as to_labels
from harness.cohorts.synthetic.cohort import matrix_of, present_findings
from harness.cohorts.synthetic.labels import expected_f1, perturb
from harness.cohorts.synthetic.reports import FINDINGS_20, write
from harness.errors import UsageError
from harness.quiet import Quiet
from harness.types import Cohort, Labels, Role

RATES: tuple[tuple[str, float, float], ...] = (
    ("synthetic-alder", 0.85, 0.20),
    ("synthetic-birch", 0.75, 0.30),
    ("synthetic-cedar", 0.65, 0.40),
    ("synthetic-elm", 0.64, 0.42),
    ("synthetic-fir", 0.55, 0.45),
    ("synthetic-hazel", 0.40, 0.35),
    ("synthetic-maple", 0.30, 0.60),
)
"""Name, recall and hallucination rate of the usual systems, best first; cedar and elm are almost equal on purpose."""


@dataclass(frozen=True, slots=True, repr=False)
class SyntheticSystem(Quiet):
    """What a system with known faults says about each scored study of a cohort."""

    name: str
    role: Role
    labels: Mapping[str, Labels] = field(repr=False)
    """By study id, what its report asserts."""
    reports: Mapping[str, str] = field(repr=False)
    """By study id."""
    recall: float | None = None
    """None for floors and ceilings."""
    hallucination: float | None = None
    """Invented assertions for each truly present finding; None for floors and ceilings."""

    @property
    def expected(self) -> float | None:
        """The F1 of each of the 20 findings in a large cohort; None for floors and ceilings."""
        return None if self.recall is None or self.hallucination is None else expected_f1(self.recall, self.hallucination)


def system(cohort: Cohort, name: str, recall: float, hallucination: float, seed: int = 0) -> SyntheticSystem:
    """Make a system; see `harness.cohorts.synthetic.labels.perturb` for what the two rates mean.

    Args:
        cohort: One with known labels, in English or Chinese.
        name: Also decides its random numbers: two systems of one name and seed make the same mistakes.
        recall: Probability that a present finding is reported.
        hallucination: Invented assertions for each truly present finding.

    Raises:
        UsageError: The cohort has no labels, or the rates are out of range.
    """
    studies = _scored(cohort)
    rng = np.random.default_rng([seed, *name.encode()])
    try:
        said = perturb(matrix_of(cohort.labels, studies), recall, hallucination, rng)
    except ValueError as error:
        raise UsageError(str(error)) from None
    present = dict(zip(studies, present_findings(said), strict=True))
    return _speak(cohort, name, Role.SYSTEM, present, seed, recall, hallucination)


def systems(cohort: Cohort, seed: int = 0) -> tuple[SyntheticSystem, ...]:
    """The usual systems, best first, then the floors and the ceiling."""
    made = tuple(system(cohort, name, recall, hallucination, seed) for name, recall, hallucination in RATES)
    return made + bounds(cohort, seed)


def bounds(cohort: Cohort, seed: int = 0) -> tuple[SyntheticSystem, ...]:
    """Constant normal, all findings, shuffled references, and the references themselves.

    Raises:
        UsageError: The cohort has no labels.
    """
    studies = _scored(cohort)
    order = random.Random(f"{seed}/shuffle").sample(studies, len(studies))  # noqa: S311 - nothing here is a secret
    # Each study gets the report of the one after it in a random circle, so that none keeps its own.
    other = dict(zip(order, [*order[1:], *order[:1]], strict=True))
    normal = _speak(cohort, "constant-normal", Role.FLOOR, dict.fromkeys(studies, frozenset()), seed)
    everything = _speak(cohort, "all-findings", Role.FLOOR, dict.fromkeys(studies, frozenset(FINDINGS_20)), seed)
    return (
        SyntheticSystem(normal.name, normal.role, normal.labels, dict.fromkeys(studies, normal.reports[studies[0]])),
        SyntheticSystem(everything.name, everything.role, everything.labels, dict.fromkeys(studies, everything.reports[studies[0]])),
        _copied(cohort, "shuffled-references", Role.FLOOR, other),
        _copied(cohort, "references", Role.CEILING, {study: study for study in studies}),
    )


def _scored(cohort: Cohort) -> list[str]:
    studies = [study.id for study in cohort.scored]
    if any(study not in cohort.labels for study in studies):
        raise UsageError(f"synthetic systems are made from known labels, and the cohort {cohort.manifest.name!r} has none for some studies")
    return studies


def _speak(
    cohort: Cohort,
    name: str,
    role: Role,
    present: Mapping[str, frozenset[str]],
    seed: int,
    recall: float | None = None,
    hallucination: float | None = None,
) -> SyntheticSystem:
    """Write a report for what is asserted about each study."""
    reports = {}
    for study, findings in present.items():
        rng = random.Random(f"{seed}/{name}/{study}")  # noqa: S311
        sides = {finding: rng.choice(("right", "left")) for finding in FINDINGS_20}
        text = write(cohort.manifest.language, findings, None, sides, rng)
        reports[study] = f"{text.findings}\n{text.impression}"
    known: Sequence[tuple[str, Labels]] = [(study, to_labels(findings)) for study, findings in present.items()]
    return SyntheticSystem(name, role, dict(known), reports, recall, hallucination)


def _copied(cohort: Cohort, name: str, role: Role, source: Mapping[str, str]) -> SyntheticSystem:
    """A system that submits the reference of another study for each."""
    labels = {study: cohort.labels[other] for study, other in source.items()}
    return SyntheticSystem(name, role, labels, {study: cohort.reference(other) for study, other in source.items()})
