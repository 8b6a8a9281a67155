"""Intervals against scipy, and their edges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.errors import UsageError
from harness.metrics.findings_f1 import FindingsF1
from harness.statistics.intervals import (
    METHODS,
    basic,
    bca,
    hidden_variance,
    intervals,
    jackknife_t,
    korn_graubard,
    moments,
    percentile,
    pseudo,
)
from harness.statistics.resample import Source, patient_totals
from harness.types import Array, Rows

SAMPLE = np.array([3.1, 0.2, 5.7, 1.1, 2.4, 9.6, 0.9, 4.4, 2.2, 7.3])
DRAWS = np.array(
    [2.35, 2.9, 3.1, 3.3, 3.4, 3.55, 3.69, 3.69, 3.8, 3.95, 4.1, 4.2, 4.4, 4.6, 4.9, 5.2, 3.0, 2.7, 3.25, 4.05],
)


def test_bootstrap_intervals_equal_scipy() -> None:
    # scipy 1.17.1, stats.bootstrap((SAMPLE,), np.mean, n_resamples=0, method=..., bootstrap_result=<these draws>)
    mean = float(SAMPLE.mean())
    assert percentile(DRAWS) == pytest.approx((2.51625, 5.0575), abs=1e-12)
    assert basic(mean, DRAWS) == pytest.approx((2.3225, 4.86375), abs=1e-12)
    assert bca(mean, DRAWS, SAMPLE) == pytest.approx((2.576920587139806, 5.102763958570595), abs=1e-9)


def test_bca_falls_back_where_its_formula_has_no_value() -> None:
    assert bca(1.0, np.ones(100), np.ones(5)) == (1.0, 1.0)
    assert bca(2.0, np.ones(100), np.ones(5)) == (1.0, 2.0)
    # The score above every draw: z0 is infinite in the formula.
    low, high = bca(9.0, DRAWS, SAMPLE)
    assert DRAWS.min() <= low <= high <= DRAWS.max()
    # A pole: one patient carries everything.
    low, high = bca(9.0, DRAWS, np.array([0.0] * 50 + [1.0]))
    assert DRAWS.min() <= low <= high <= DRAWS.max()
    # No spread among the pseudo-values: bias correction alone.
    low, high = bca(float(SAMPLE.mean()), DRAWS, np.ones(5))
    assert DRAWS.min() <= low < high <= DRAWS.max()


def test_the_jackknife_of_a_mean_is_students_interval_up_to_its_degrees_of_freedom() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 20000)
    low, high = jackknife_t(np.array(values.mean()), values)
    wanted = stats.ttest_1samp(values, 0).confidence_interval()
    assert (float(low), float(high)) == pytest.approx(tuple(wanted), rel=1e-4)


def test_a_jackknife_interval_from_few_heavy_patients_is_wide() -> None:
    few, many = np.zeros(200), np.tile([0.0, 1.0], 100)
    few[:2] = 10.0
    half = [float(np.ptp(jackknife_t(np.array(values.mean()), values))) / values.std() for values in (few, many)]
    assert half[0] > 1.35 * half[1]


def test_the_jackknifes_bias_correction_is_exact_for_a_variance() -> None:
    class Variance:
        name, columns, headline = "variance", ("x", "xx", "n"), "variance"

        def score(self, total: Array) -> dict[str, Array]:
            return {"variance": total[..., 1] / total[..., 2] - (total[..., 0] / total[..., 2]) ** 2}

    table = np.stack([SAMPLE, SAMPLE**2, np.ones(10)], axis=1)
    left = pseudo(Variance(), table)  # type: ignore[arg-type]
    assert float(left.values.mean()) == pytest.approx(SAMPLE.var(ddof=1), rel=1e-10)


def test_a_proportion_in_clusters() -> None:
    from harness.statistics.agreement import clopper_pearson

    alone = np.array([1.0] * 7 + [0.0] * 17)
    low, high = korn_graubard(alone, np.ones(24))
    # The design effect of single studies is n / (n - 1): next to nothing wider than the exact interval of 7 of 24.
    assert (low, high) == pytest.approx(clopper_pearson(7, 24), abs=0.01)
    doubled = korn_graubard(2 * alone, np.full(24, 2.0))
    assert doubled == pytest.approx((low, high), abs=1e-12)
    assert korn_graubard(np.full(12, 1.0), np.ones(12)) == pytest.approx(clopper_pearson(12, 12), abs=1e-12)
    assert korn_graubard(np.zeros(6), np.full(6, 2.0)) == pytest.approx(clopper_pearson(0, 6), abs=1e-12)
    assert korn_graubard(np.zeros(6), np.zeros(6)) == (0.0, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_ordered_intervals_within_the_limits(method: str, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.9, 0.01), "none": (0.0, 0.0), "all": (1.0, 0.0)})  # type: ignore[operator]
    for rows in tables.values():
        table = patient_totals(rows, patients)
        found = intervals(ran, table, method=method, draws=200, source=Source("c"))
        assert set(found) == {name for name in ran.score(table.sum(axis=0)) if not name.startswith("positives:")}
        assert all(0 <= low <= high <= 1 for low, high in found.values())


def test_the_published_interval_holds_the_score_and_does_not_promise_certainty(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.9, 0.01), "perfect": (1.0, 0.0)})  # type: ignore[operator]
    for rows in tables.values():
        table = patient_totals(rows, patients)
        score = ran.score(table.sum(axis=0))
        assert all(low <= float(score[name]) <= high for name, (low, high) in intervals(ran, table).items())
    low, high = intervals(ran, patient_totals(tables["perfect"], patients))["f1:Mediastinal Other"]
    assert low < 1.0 == high


def test_one_patient_gives_no_interval(ran: FindingsF1) -> None:
    rows = Rows("ran-score", ran.columns, ("s",), np.ones((1, 84)))
    assert intervals(ran, patient_totals(rows, {}))["macro-f1"] == (0.0, 1.0)
    free = replace(ran, limits=(-math.inf, math.inf))
    assert intervals(free, patient_totals(rows, {}))["macro-f1"] == (-math.inf, math.inf)


def test_an_unknown_method_is_named(ran: FindingsF1) -> None:
    with pytest.raises(UsageError, match="jackknife-t, percentile, basic, bca"):
        intervals(ran, np.ones((3, 84)), method="wild")


def test_a_macro_average_pays_for_findings_in_which_nothing_was_ever_missed(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"perfect": (1.0, 0.0)})  # type: ignore[operator]
    table = patient_totals(tables["perfect"], patients)
    left = pseudo(ran, table)
    assert float(moments(left.one("macro-f1")[1])[1]) == 0.0
    # Written out: Jeffreys' variance of each finding's share J, times the squared slope 2 / (1 + J)^2 of 2 J / (1 + J), over 21 squared.
    positives = [float(ran.score(table.sum(axis=0))[f"positives:{finding}"]) for finding in ran.findings]
    shares = [(count + 0.5) / (count + 1) for count in positives]
    wanted = sum(share * (1 - share) / (count + 1) * (2 / (1 + share) ** 2) ** 2 for share, count in zip(shares, positives, strict=True))
    assert hidden_variance(ran, table, left)["macro-f1"] == pytest.approx(wanted / 21**2, rel=1e-6)
    low, high = intervals(ran, table)["macro-f1"]
    assert 0.9 < low < 0.999 and high == 1.0


def test_where_every_finding_has_hits_and_misses_nothing_is_added(ran: FindingsF1) -> None:
    table = np.ones((12, 84))
    assert hidden_variance(ran, table, pseudo(ran, table)) == {}


def test_scores_of_nearly_nothing_have_the_degrees_of_freedom_of_any_others() -> None:
    """The BLEU-4 of a system that matches nothing: its fourth power is below the smallest number."""
    _, error, freedom = moments(SAMPLE)
    _, small, same = moments(SAMPLE * 1e-100)
    assert float(same) == pytest.approx(float(freedom)) and float(small) == pytest.approx(1e-100 * float(error))
    # The kurtosis of scipy.stats, biased, and the definition.
    kurtosis = stats.kurtosis(SAMPLE, fisher=False)
    assert float(freedom) == pytest.approx(2 * len(SAMPLE) / (kurtosis - 1))
    assert float(moments(np.full(5, 0.25))[2]) == 5.0
