"""Intervals against scipy, and their edges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.errors import UsageError
from harness.metrics import metric
from harness.metrics.findings_f1 import FindingsF1
from harness.metrics.means import Mean
from harness.statistics.intervals import METHODS, basic, bca, intervals, jackknife_t, moments, percentile, pseudo
from harness.statistics.resample import RandomSource, patient_totals
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


def test_a_variance_that_is_given_has_no_degrees_of_freedom_to_lose() -> None:
    """Satterthwaite 1946 for v1 with f degrees of freedom plus a known v2: f (v1 + v2)^2 / v1^2; on each side its own."""
    mean, spread, freedom = (float(item) for item in moments(SAMPLE))
    low, high = jackknife_t(np.array(mean), SAMPLE, below=0.0, above=3 * spread**2)
    assert mean - float(low) == pytest.approx(stats.t.ppf(0.975, freedom) * spread, rel=1e-12)
    assert float(high) - mean == pytest.approx(stats.t.ppf(0.975, freedom * 16) * 2 * spread, rel=1e-12)
    # Nothing was seen at all: the normal distribution.
    low, high = jackknife_t(np.array(0.5), np.full(9, 0.5), below=0.01, above=0.0)
    assert (float(low), float(high)) == pytest.approx((0.5 - 1.959964 * 0.1, 0.5), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_ordered_intervals_within_the_limits(method: str, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.9, 0.01), "none": (0.0, 0.0), "all": (1.0, 0.0)})  # type: ignore[operator]
    for rows in tables.values():
        table = patient_totals(rows, patients)
        found = intervals(ran, table, method=method, draws=200, source=RandomSource("c"))
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
    with pytest.raises(UsageError, match="jackknife-t2, percentile, basic, bca"):
        intervals(ran, np.ones((3, 84)), method="wild")


def test_copying_every_study_of_every_patient_changes_no_interval(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.9, 0.01), "weak": (0.2, 0.02), "none": (0.0, 0.0), "all": (1.0, 0.0)})  # type: ignore[operator]
    for rows in tables.values():
        once = patient_totals(rows, patients)
        copied = Rows(
            rows.metric, rows.columns, tuple(f"{name}-{copy}" for copy in "abc" for name in rows.studies), np.tile(rows.values, (3, 1))
        )
        thrice = patient_totals(copied, {f"{name}-{copy}": owner for copy in "abc" for name, owner in patients.items()})
        before, after = intervals(ran, once), intervals(ran, thrice)
        assert {part: pytest.approx(ends, abs=1e-12) for part, ends in before.items()} == after


def test_every_metric_names_the_ends_of_its_scale_and_no_interval_leaves_them() -> None:
    mean = Mean("m", "", ("m",), measure=lambda left, right: np.zeros((len(left), 1)))
    # 26 of 30 values are 1 and four 0.7: the jackknife alone would end above 1.
    values = np.array([1.0] * 26 + [0.7] * 4)
    table = np.stack([values, np.ones(30)], axis=1)
    assert float(jackknife_t(np.array(values.mean()), values)[1]) > 1
    low, high = intervals(mean, table)["m"]
    assert 0.9 < low < 0.96 and high == 1.0
    assert intervals(replace(mean, limits=(-math.inf, math.inf)), table)["m"][1] > 1
    for name in ("ran-score", "chexbert-f1", "bleu", "rouge-l", "cider", "cider-d", "meteor-1.5", "meteor-nltk"):
        lowest, highest = metric(name).limits
        assert lowest == 0 and highest == (10 if name.startswith("cider") else 1)


def test_scores_of_nearly_nothing_have_the_degrees_of_freedom_of_any_others() -> None:
    """The BLEU-4 of a system that matches nothing: its fourth power is below the smallest number."""
    _, error, freedom = moments(SAMPLE)
    _, small, same = moments(SAMPLE * 1e-100)
    assert float(same) == pytest.approx(float(freedom)) and float(small) == pytest.approx(1e-100 * float(error))
    # The kurtosis of scipy.stats, biased, and the definition.
    kurtosis = stats.kurtosis(SAMPLE, fisher=False)
    assert float(freedom) == pytest.approx(2 * len(SAMPLE) / (kurtosis - 1))
    assert float(moments(np.full(5, 0.25))[2]) == 5.0
