"""Score against length: the regression is that of statsmodels, and takes a known gain out."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.api import OLS, add_constant

from harness.statistics.length_control import between, control, length_ratios

GENERATOR = np.random.default_rng(11)
RATIOS = GENERATOR.normal(0.4, 0.6, 150)
VALUES = 0.5 + 0.08 * RATIOS + GENERATOR.normal(0, 0.1 + 0.1 * np.abs(RATIOS))


def test_the_fit_and_its_intervals_are_those_of_statsmodels() -> None:
    found = control(float(VALUES.mean()), VALUES, RATIOS, (60.0, 45.0))
    fit = OLS(VALUES, add_constant(RATIOS)).fit(cov_type="HC1", use_t=True)
    assert (found.at_reference, found.slope) == pytest.approx(tuple(fit.params), abs=1e-12)
    ends = fit.conf_int()
    assert (found.low, found.high) == pytest.approx(tuple(ends[0]), abs=1e-10)
    assert (found.slope_low, found.slope_high) == pytest.approx(tuple(ends[1]), abs=1e-10)


def test_a_gain_by_length_is_taken_out() -> None:
    longer = control(0.6, 0.5 + 0.1 * RATIOS, RATIOS, (60.0, 45.0))
    assert (longer.at_reference, longer.slope) == pytest.approx((0.5, 0.1), abs=1e-12)


def test_where_length_does_not_vary_nothing_is_fitted() -> None:
    assert control(0.5, VALUES, np.zeros(150), (45.0, 45.0)).slope is None
    assert control(0.5, VALUES[:9], RATIOS[:9], (45.0, 45.0)).at_reference is None


def test_ratios_are_doublings_and_empty_reports_count_as_one_word() -> None:
    assert length_ratios(np.array([80.0, 10.0, 0.0]), np.array([20.0, 20.0, 4.0])).tolist() == [2.0, -1.0, -2.0]


def test_between_systems() -> None:
    assert between(np.array([10.0, 20.0, 40.0]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1.0)
    assert between(np.array([10.0, 20.0]), np.array([0.1, 0.2])) is None
    assert between(np.array([10.0, 10.0, 10.0]), np.array([0.1, 0.2, 0.3])) is None
