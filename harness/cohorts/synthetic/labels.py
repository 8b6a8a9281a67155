"""Which findings synthetic studies have, and how synthetic systems get them wrong: label matrices only, fast enough to simulate with.

A study's findings come from a latent normal vector: four shared causes (general illness, heart failure, infection, chronic lung disease)
and one cause a finding, cut at the quantile that gives each finding its prevalence. A finding that implies another shares its latent
value, so that the implication holds in every study. Studies of one patient share half of the variance of every cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.findings import NO_FINDING, RAN_21
from harness.types import Array

Matrix = NDArray[np.bool_]
"""Shape (studies, 21), columns in the order of `RAN_21`."""

# Prevalence, then loadings on general illness, heart failure, infection, chronic lung disease: set so that opacity and consolidation are
# as common as in the paper's test cohort, about 33 % have no finding, and about 12.8 % of all decisions are positive (see the notes on
# its Table 5).
_CAUSES: dict[str, tuple[float, float, float, float, float]] = {
    "Atelectasis": (0.260, 0.66, 0.10, 0.10, 0.0),
    "Cardiomegaly": (0.240, 0.57, 0.50, 0.0, 0.0),
    "Consolidation": (0.046, 0.59, 0.0, 0.55, 0.0),
    "Edema": (0.140, 0.55, 0.62, 0.0, 0.0),
    "Enlarged Cardiomediastinum": (0.280, 0.57, 0.50, 0.0, 0.0),
    "Fracture": (0.035, 0.38, 0.0, 0.0, 0.30),
    "Lung Lesion": (0.065, 0.42, 0.0, 0.0, 0.35),
    "Pleural Effusion": (0.250, 0.66, 0.30, 0.15, 0.0),
    "Pleural Other": (0.015, 0.50, 0.0, 0.25, 0.15),
    "Lung Opacity": (0.220, 0.59, 0.0, 0.55, 0.0),
    "Pneumonia": (0.090, 0.52, 0.0, 0.68, 0.0),
    "Pneumothorax": (0.030, 0.46, 0.0, 0.0, 0.10),
    "Support Devices": (0.270, 0.67, 0.15, 0.10, 0.0),
    "Emphysema": (0.065, 0.42, 0.0, 0.0, 0.60),
    "Interstitial Lung Disease": (0.070, 0.46, 0.35, 0.0, 0.40),
    "Calcification": (0.090, 0.50, 0.10, 0.0, 0.35),
    "Trachea and Bronchus": (0.012, 0.38, 0.0, 0.0, 0.40),
    "Cavity and Cyst": (0.007, 0.42, 0.0, 0.0, 0.35),
    "Mediastinal Other": (0.030, 0.46, 0.10, 0.0, 0.10),
    "Pulmonary Vascular Abnormal": (0.120, 0.55, 0.62, 0.0, 0.0),
}
PREVALENCE: dict[str, float] = {finding: causes[0] for finding, causes in _CAUSES.items()}
"""The share of studies with each of the 20 findings, in expectation."""

IMPLIES: dict[str, str] = {
    "Cardiomegaly": "Enlarged Cardiomediastinum",
    "Consolidation": "Lung Opacity",
    "Cavity and Cyst": "Lung Lesion",
}
"""What counts as another finding too, by the paper's conventions."""

PATIENT_SHARE = 0.5
"""The share of each latent cause's variance that the studies of one patient have in common."""

_ABNORMAL = [RAN_21.index(finding) for finding in _CAUSES]
_NORMAL = RAN_21.index(NO_FINDING)
_RATES = np.array(list(PREVALENCE.values()))
_CUTS = np.array([NormalDist().inv_cdf(1 - rate) for rate in PREVALENCE.values()])
# A finding and the one it implies read the same column of latent values.
_OWN = np.array([list(_CAUSES).index(IMPLIES.get(finding, finding)) for finding in _CAUSES])


def _loadings() -> Array:
    """Weights of the shared and the own causes in each finding's latent value, of variance 1."""
    shared = np.array([causes[1:] for causes in _CAUSES.values()])
    own = np.zeros((len(_CAUSES), len(_CAUSES)))
    own[np.arange(len(_CAUSES)), _OWN] = np.sqrt(1 - (shared**2).sum(axis=1))
    return np.hstack([shared, own])


_LOADINGS = _loadings()


def label_matrix(studies: int, seed: int | Sequence[int] = 0, per_patient: float = 1.6) -> tuple[Matrix, NDArray[np.int64]]:
    """Draw the findings of a cohort's studies.

    Args:
        studies: How many.
        seed: The seed of the random numbers; several integers make one seed.
        per_patient: Mean number of studies a patient has, at least 1; at 1 each patient has one study.

    Returns:
        The labels, and the number of each study's patient (counted from 0; studies of a patient are together, in time order).
    """
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(studies), rng.geometric(1 / per_patient, studies))[:studies]
    causes = _LOADINGS.shape[1]
    lasting = rng.standard_normal((studies, causes))[patients]
    passing = rng.standard_normal((studies, causes))
    latent = (np.sqrt(PATIENT_SHARE) * lasting + np.sqrt(1 - PATIENT_SHARE) * passing) @ _LOADINGS.T
    return with_no_finding(latent > _CUTS), patients


def perturb(matrix: Matrix, recall: float, hallucination: float, rng: np.random.Generator) -> Matrix:
    """What a system with known faults asserts about studies with known labels.

    Each present finding is reported with probability `recall`. Each absent one is invented at a rate proportional to how common it is, such
    that in expectation there are `hallucination` invented assertions for each truly present finding. So each of the 20 findings has the
    precision recall / (recall + hallucination) and the F1 of `expected_f1`; No Finding follows from the others by the rule. A finding and
    the one it implies read the same random number, so that what is asserted keeps the implications and the rates stay exact.

    Args:
        recall: 0 to 1.
        hallucination: 0 or more; the rate at which a finding is invented must not exceed `recall`.

    Raises:
        ValueError: The rates are out of range.
    """
    invented = hallucination * _RATES / (1 - _RATES)
    if not (0 <= recall <= 1 and hallucination >= 0 and invented.max() <= recall):
        raise ValueError(f"recall {recall} and hallucination {hallucination} are not rates of a system")
    luck = rng.random((len(matrix), len(_CAUSES)))[:, _OWN]
    return with_no_finding(luck < np.where(matrix[:, _ABNORMAL], recall, invented))


def expected_f1(recall: float, hallucination: float) -> float:
    """The F1 of each of the 20 findings that `perturb` gives in a large cohort."""
    return 2 * recall / (1 + recall + hallucination)


def with_no_finding(abnormal: Matrix) -> Matrix:
    """Spread the 20 findings (in the paper's order) over the 21 columns; No Finding is set where all others are absent."""
    matrix = np.zeros((len(abnormal), len(RAN_21)), dtype=bool)
    matrix[:, _ABNORMAL] = abnormal
    matrix[:, _NORMAL] = ~abnormal.any(axis=1)
    return matrix
