"""Ran Score's arithmetic, held equal to scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from harness.findings import COMPARABLE_14, RAN_21
from harness.metrics import metric
from harness.metrics.findings_f1 import FindingsF1
from harness.types import Input, Labels, ReportStatus, Status


def inputs(matrix: np.ndarray) -> list[Input]:
    """Studies whose labels are the rows of a matrix."""
    ok = (Status.OK,) * matrix.shape[1]
    return [Input(f"s{index}", "", labels={"ran-21": Labels(tuple(row.tolist()), ok)}) for index, row in enumerate(matrix)]


def test_equal_to_scikit_learn_on_a_thousand_random_matrices() -> None:
    rng = np.random.default_rng(0)
    ran = metric("ran-score")
    assert isinstance(ran, FindingsF1)
    comparable = [RAN_21.index(name) for name in COMPARABLE_14]
    for _ in range(1000):
        shape = (int(rng.integers(1, 40)), 21)
        truth = (rng.random(shape) < rng.random(21) ** 2).astype(int)
        said = np.where(rng.random(shape) < 0.3, (rng.random(shape) < 0.4).astype(int), truth)
        parts = ran.score(ran.rows(inputs(truth), inputs(said)).sum(axis=0))
        found = [parts[name] for name in ("macro-f1", "macro-precision", "macro-recall", "micro-f1", "micro-precision", "micro-recall")]
        precision, recall, each, _ = precision_recall_fscore_support(truth, said, average=None, zero_division=0)
        macro = [values.mean() for values in (each, precision, recall)]  # what average="macro" is
        micro = precision_recall_fscore_support(truth, said, average="micro", zero_division=0)
        np.testing.assert_allclose(found, [*macro, micro[2], micro[0], micro[1]], rtol=0, atol=1e-12)
        for index, name in enumerate(RAN_21):
            assert parts[f"f1:{name}"] == pytest.approx(each[index], abs=1e-12)
            assert parts[f"accuracy:{name}"] == pytest.approx((truth[:, index] == said[:, index]).mean(), abs=1e-12)
            assert parts[f"positives:{name}"] == truth[:, index].sum()
        subset = each[comparable].mean()
        assert parts["macro-f1-14"] == pytest.approx(subset, abs=1e-12)
        seen = truth.sum(axis=0) > 0
        over_seen = each[seen].mean() if seen.any() else 0.0
        assert parts["macro-f1-positives"] == pytest.approx(over_seen, abs=1e-12)


def test_many_totals_are_scored_at_once() -> None:
    rng = np.random.default_rng(1)
    ran = metric("ran-score")
    rows = ran.rows(inputs(rng.integers(0, 2, (50, 21))), inputs(rng.integers(0, 2, (50, 21))))
    totals = np.stack([rows[:20].sum(axis=0), rows.sum(axis=0)])
    together = ran.score(totals)["macro-f1"]
    assert together.shape == (2,)
    assert together[1] == ran.score(totals[1])["macro-f1"]


@pytest.mark.parametrize("status", [ReportStatus.MISSING, ReportStatus.EMPTY, ReportStatus.UNSUPPORTED])
def test_no_report_earns_no_no_finding(status: ReportStatus) -> None:
    ran = metric("ran-score")
    normal = tuple(int(name == "No Finding") for name in RAN_21)
    ok = (Status.OK,) * 21
    reference = [Input("s", "", labels={"ran-21": Labels(normal, ok)})]
    unread = [Input("s", "", status, {"ran-21": Labels(normal, ok, status)})]
    parts = ran.score(ran.rows(reference, unread).sum(axis=0))
    assert parts["recall:No Finding"] == 0 and parts["micro-f1"] == 0
    said = ran.score(ran.rows(reference, reference).sum(axis=0))
    assert said["recall:No Finding"] == 1


def test_a_decision_that_is_not_ok_is_not_asserted_and_never_an_absence() -> None:
    ran = metric("ran-score")
    reference = inputs(np.ones((1, 21), dtype=int))
    failed = [Input("s0", "", labels={"ran-21": Labels((1,) * 21, (Status.FAILED,) * 21)})]
    parts = ran.score(ran.rows(reference, failed).sum(axis=0))
    assert parts["macro-recall"] == 0 and parts["positives:Edema"] == 1


def test_an_open_reference_decision_counts_nowhere() -> None:
    ran = metric("ran-score")
    ok = (Status.OK,) * 21
    open_one = [Input("s", "", labels={"ran-21": Labels((None, -1, *([0] * 19)), ok)})]
    candidate = inputs(np.ones((1, 21), dtype=int))
    total = ran.rows(open_one, candidate).sum(axis=0).reshape(21, 4)
    assert total[:2].sum() == 0 and total[2:, 1].sum() == 19
