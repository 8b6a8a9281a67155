"""The nearest neighbour as a floor: each study gets the reference of the train study whose film looks most alike.

A system that learned anything beyond looking up a similar film must be better than this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generators.baseline.trained import pixels
from generators.running.inputs import film
from harness.errors import InputError, Problem
from harness.storage.progress import progress
from harness.types import Array, Cohort, Study

BATCH = 512
"""Studies compared at once: 512 against 227,835 films take 0.9 GB."""


def can(cohort: Cohort) -> bool:
    """Whether the cohort has films on this machine and a train part with references to look up."""
    return cohort.images is not None and bool(_train(cohort))


def nearest(cohort: Cohort, normal: str) -> dict[str, str]:
    """The reference of the most similar film of the train part, for every scored study.

    Similar is what correlates, pixel by pixel, at 32 times 32; of equals the one with the smaller id.

    Args:
        normal: The report that a study without a film gets.

    Raises:
        InputError: There is no train part, or the folder of its films is not known.
    """
    if not can(cohort):
        what = f"the cohort {cohort.manifest.name} has no films on this machine, or no train part with references"
        raise InputError(Problem(what, "Build it with the folder of its films and with a train part"))
    known = _train(cohort)
    asked = [study for study in cohort.scored if study.frontal]
    looks = _looks(cohort, known, "Reading the films of the train part")
    found = {study.id: normal for study in cohort.scored}
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        closest = (_looks(cohort, part, "Reading the films of the test part") @ looks.T).argmax(axis=1)
        found |= {study.id: cohort.reference(known[index].id) for study, index in zip(part, closest.tolist(), strict=True)}
    return found


def _train(cohort: Cohort) -> list[Study]:
    studies = [study for study in cohort.manifest.studies if study.part == "train" and study.frontal and study.id in cohort.texts]
    return [study for study in studies if cohort.reference(study.id).strip()]


def _looks(cohort: Cohort, studies: Sequence[Study], what: str) -> Array:
    """One row a film: its grey levels with mean 0 and length 1, so that a product of two is their correlation."""
    paths = [film(cohort, study, study.frontal) for study in studies]
    rows = np.array([pixels(path) for path in progress(paths, what, unit="film") if path is not None])
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
