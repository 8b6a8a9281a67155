from __future__ import annotations

import numpy as np
import pytest

from harness.cohorts.synthetic.labels import IMPLIES, PREVALENCE, expected_f1, label_matrix, perturb
from harness.findings import NO_FINDING, RAN_21

NORMAL = RAN_21.index(NO_FINDING)


def test_prevalences_are_like_the_papers() -> None:
    matrix, _ = label_matrix(200_000, 5)
    rates = dict(zip(RAN_21, matrix.mean(axis=0), strict=True))
    # Clustering by patient widens the binomial error; 0.005 is about five standard errors of the commonest findings.
    assert all(abs(rates[finding] - share) < 0.005 for finding, share in PREVALENCE.items())
    assert rates[NO_FINDING] == pytest.approx(0.33, abs=0.015)
    assert rates["Lung Opacity"] == pytest.approx(0.22, abs=0.005)
    assert rates["Consolidation"] == pytest.approx(0.046, abs=0.003)
    assert matrix.mean() == pytest.approx(0.128, abs=0.001)


def test_implications_and_no_finding_hold_for_truth_and_systems() -> None:
    matrix, _ = label_matrix(20_000, 6)
    for labels in (matrix, perturb(matrix, 0.5, 0.5, np.random.default_rng(1))):
        for finding, implied in IMPLIES.items():
            assert not (labels[:, RAN_21.index(finding)] & ~labels[:, RAN_21.index(implied)]).any()
        np.testing.assert_array_equal(labels[:, NORMAL], ~np.delete(labels, NORMAL, axis=1).any(axis=1))


def test_findings_that_go_together_do() -> None:
    matrix, _ = label_matrix(50_000, 7)

    def given(finding: str, condition: str) -> float:
        return float(matrix[matrix[:, RAN_21.index(condition)], RAN_21.index(finding)].mean())

    assert given("Lung Opacity", "Pneumonia") > 0.6
    assert given("Cardiomegaly", "Edema") > 2 * PREVALENCE["Cardiomegaly"]
    assert given("Emphysema", "Interstitial Lung Disease") > PREVALENCE["Emphysema"]


def test_studies_of_a_patient_are_alike_and_stand_together() -> None:
    matrix, patients = label_matrix(50_000, 8)
    assert (np.diff(patients) >= 0).all() and len(patients) / len(set(patients.tolist())) == pytest.approx(1.6, abs=0.03)
    effusion = matrix[:, RAN_21.index("Pleural Effusion")]
    same = patients[1:] == patients[:-1]
    agree = effusion[1:] == effusion[:-1]
    assert agree[same].mean() > agree[~same].mean() + 0.05
    assert len(set(label_matrix(100, 8, per_patient=1)[1].tolist())) == 100


def test_a_system_has_the_rates_it_was_given() -> None:
    matrix, _ = label_matrix(400_000, 9)
    said = perturb(matrix, 0.6, 0.3, np.random.default_rng(2))
    for finding in PREVALENCE:
        truth, claim = matrix[:, RAN_21.index(finding)], said[:, RAN_21.index(finding)]
        hits, positives = (truth & claim).sum(), truth.sum()
        tolerance = 5 * float(np.sqrt(0.25 / positives))
        assert hits / positives == pytest.approx(0.6, abs=tolerance)
        assert (claim & ~truth).sum() / positives == pytest.approx(0.3, abs=2 * tolerance)
        assert 2 * hits / (positives + claim.sum()) == pytest.approx(expected_f1(0.6, 0.3), abs=tolerance)


@pytest.mark.parametrize(("recall", "hallucination"), [(1.1, 0.1), (-0.1, 0.0), (0.5, -0.1), (0.1, 2.0)])
def test_impossible_rates_are_refused(recall: float, hallucination: float) -> None:
    with pytest.raises(ValueError, match="not rates"):
        perturb(label_matrix(10, 0)[0], recall, hallucination, np.random.default_rng(0))


def test_a_perfect_system_is_right() -> None:
    matrix, _ = label_matrix(1000, 0)
    np.testing.assert_array_equal(perturb(matrix, 1.0, 0.0, np.random.default_rng(0)), matrix)
