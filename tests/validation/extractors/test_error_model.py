"""The range by a model of the error, and the order under it, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from harness.cohorts.synthetic.labels import Matrix, label_matrix, perturb
from harness.findings import NO_FINDING, RAN_21
from harness.metrics.findings_f1 import ran_score
from harness.types import Rows
from validation.extractors import error_model
from validation.extractors.error_model import ErrorRates
from validation.extractors.results import FindingResult, Ratio, SourcePart

STUDIES = 60_000
FINDINGS = tuple(name for name in RAN_21 if name != NO_FINDING)
SENSITIVITY, SPECIFICITY = 0.9, 0.99


def rows(original: Matrix, generated: Matrix) -> Rows:
    kinds = np.stack([original & generated, ~original & generated, original & ~generated, ~original & ~generated], axis=-1)
    names = tuple(f"s{index}" for index in range(len(original)))
    return Rows("ran-score", ran_score("").columns, names, kinds.reshape(len(original), -1).astype(float))


def read(truth: Matrix, rng: np.random.Generator) -> Matrix:
    return np.asarray(np.where(truth, rng.random(truth.shape) < SENSITIVITY, rng.random(truth.shape) > SPECIFICITY))


def known(count: float = 1e9) -> ErrorRates:
    """Rates without uncertainty, or of so many positives."""
    ones = np.ones(len(FINDINGS))
    return ErrorRates(
        findings=FINDINGS,
        found=SENSITIVITY * count * ones,
        positives=count * ones,
        cleared=SPECIFICITY * count * ones,
        negatives=count * ones,
    )


def mean_f1(original: Matrix, generated: Matrix) -> float:
    places = [RAN_21.index(name) for name in FINDINGS]
    both, either = (original & generated)[:, places].sum(axis=0), (original[:, places].sum(axis=0) + generated[:, places].sum(axis=0))
    return float((2 * both / either).mean())


@pytest.mark.parametrize("rates", [(0.9, 0.1), (0.6, 0.3), (0.3, 0.6)])
def test_independent_errors_are_taken_out_at_the_upper_end(rates: tuple[float, float]) -> None:
    truth, _ = label_matrix(STUDIES, 3)
    rng = np.random.default_rng(4)
    said = perturb(truth, *rates, rng)
    found = error_model.model_range(rows(read(truth, rng), read(said, rng)), known())
    assert found is not None and found.findings == 20
    assert found.high == pytest.approx(mean_f1(truth, said), abs=0.012)
    assert found.low < found.high - 0.02


def test_shared_errors_need_no_correction() -> None:
    truth, _ = label_matrix(STUDIES, 5)
    once = read(truth, np.random.default_rng(6))
    found = error_model.model_range(rows(once, once), known())
    assert found is not None and (found.low, found.high) == (1.0, 1.0)


def finding(name: str, tp: int, fn: int, fp: int, tn: int) -> FindingResult:
    nothing = Ratio(0.0, 0.0, 1.0)
    return FindingResult(
        finding=name, tp=tp, fn=fn, fp=fp, tn=tn, left_out=0, statuses={}, accuracy=nothing, precision=nothing, recall=nothing, f1=nothing
    )


def test_findings_with_few_positives_or_without_use_are_off() -> None:
    listed = (finding("Edema", 9, 1, 1, 89), finding("Fracture", 8, 1, 0, 91), finding("Pneumonia", 3, 17, 10, 70))
    found = error_model.rates(SourcePart("original", 100, 100, listed, ()))
    assert found.findings == ("Edema",)
    sensitivity, specificity = found.rates
    assert (sensitivity[0], specificity[0]) == pytest.approx((0.9, 89 / 90))
    empty = error_model.rates(SourcePart("original", 100, 100, listed[1:], ()))
    assert error_model.model_range(rows(*(np.zeros((3, 21), dtype=bool),) * 2), empty) is None


def test_the_order_is_certain_for_systems_far_apart_and_open_for_equal_ones() -> None:
    truth, _ = label_matrix(2000, 7)
    rng = np.random.default_rng(8)
    first = read(truth, rng)
    systems = {name: rows(first, read(perturb(truth, *rates, rng), rng)) for name, rates in {"a": (0.8, 0.2), "b": (0.4, 0.4)}.items()}
    shares = error_model.order_shares({**systems, "c": systems["a"]}, known(30), draws=300)
    assert shares[0, 1] > 0.99 and shares[1, 0] < 0.01
    assert shares[0, 2] == shares[2, 0] == 0.5
    alone = error_model.order_shares(systems, known(30), draws=300)
    assert alone[0, 1] == shares[0, 1]
