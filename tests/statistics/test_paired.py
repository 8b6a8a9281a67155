"""Paired tests: what they find, and what may never change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.findings_f1 import FindingsF1
from harness.statistics.intervals import pseudo
from harness.statistics.paired import (
    against_rest,
    bootstrap_difference,
    claimable,
    compare,
    differences,
    differing,
    holm,
    least_detectable,
    swap_tests,
)
from harness.statistics.resample import RandomSource, parts, patient_totals
from harness.types import Array, Rows


def swap_test(metric: FindingsF1, first: Array, second: Array, draws: int) -> dict[str, float]:
    [(one, other, p)] = swap_tests(metric, [first, second], draws, RandomSource("c"))
    assert (one, other) == (0, 1)
    return p


SYSTEMS = {"a": (0.9, 0.01), "b": (0.6, 0.02), "c": (0.85, 0.02), "d": (0.6, 0.02)}


def test_the_test_of_a_mean_difference_is_students_paired_t() -> None:
    # scipy 1.17.1: stats.ttest_rel(first, second) over these 3,000 pairs
    from scipy import stats

    rng = np.random.default_rng(4)
    first = rng.normal(0, 1, 3000)
    second = first + rng.normal(0.03, 1, 3000)
    found = differences(np.array(first.mean() - second.mean()), first - second)
    wanted = stats.ttest_rel(first, second)
    assert float(found.p) == pytest.approx(wanted.pvalue, rel=2e-3)
    assert (float(found.low), float(found.high)) == pytest.approx(tuple(wanted.confidence_interval()), rel=2e-3)


def test_the_interval_excludes_nothing_exactly_where_p_is_below_alpha(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(SYSTEMS)  # type: ignore[operator]
    left = {name: pseudo(ran, patient_totals(rows, patients)) for name, rows in tables.items()}
    checked = 0
    for one, other in itertools.combinations(left, 2):
        for found in compare(left[one], left[other]).values():
            assert (found.low > 0 or found.high < 0) == (found.p < 0.05)
            assert found.low <= found.value <= found.high
            checked += int(found.p < 0.05)
    assert checked > 20


def test_equal_rows_are_equal_and_a_handful_of_patients_proves_nothing(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(SYSTEMS)  # type: ignore[operator]
    left = pseudo(ran, patient_totals(tables["a"], patients))
    assert all(found.p == 1.0 and found.low == found.high == 0.0 for found in compare(left, left).values())
    few = differences(np.array(1.0), np.ones(5))
    assert few.p == 2.0**-4 and few.low <= 0
    assert differences(np.array(1.0), np.ones(6)).p == 2.0**-5
    one = differences(np.array(1.0), np.ones(1))
    assert one.p == 1.0 and np.isinf(one.high)


def test_nobody_is_better_against_the_printed_score() -> None:
    found = differences(np.array(-0.001), np.tile([0.01, 0.02], 50))
    assert found.p == 1.0 and found.low < 0 < found.high


def test_a_swap_test_of_all_swaps_equals_enumeration(ran: FindingsF1, draw: object) -> None:
    tables, _ = draw({"a": (0.9, 0.02), "b": (0.5, 0.02)}, studies=10, seed=5)  # type: ignore[operator]
    first, second = (patient_totals(tables[name], {}) for name in "ab")

    def gap(left: Array, right: Array) -> float:
        return abs(float(parts(ran, left.sum(axis=0))["micro-f1"]) - float(parts(ran, right.sum(axis=0))["micro-f1"]))

    seen = gap(first, second)
    beyond = 0
    for coins in itertools.product([False, True], repeat=10):
        swap = np.array(coins)[:, None]
        beyond += gap(np.where(swap, second, first), np.where(swap, first, second)) >= seen - 1e-12
    exact = beyond / 2**10
    drawn = swap_test(ran, first, second, 20000)["micro-f1"]
    assert drawn == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20000) + 1e-4)


def test_the_swap_test_and_the_bootstrap_see_a_real_gap_and_agree_on_none(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(SYSTEMS, studies=400)  # type: ignore[operator]
    table = {name: patient_totals(rows, patients) for name, rows in tables.items()}
    swapped = swap_test(ran, table["a"], table["b"], 999)
    assert swapped["macro-f1"] == 1 / 1000
    low, high = bootstrap_difference(ran, table["a"], table["b"], 500, RandomSource("c"))["macro-f1"]
    assert 0 < low < high
    assert swap_test(ran, table["a"], table["a"], 99)["macro-f1"] == 1.0
    assert swap_test(ran, table["b"], table["a"], 999) == swapped


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(60)), keep=st.permutations(sorted(SYSTEMS)), size=st.integers(2, 4))
def test_a_pair_depends_on_nothing_but_itself(ran: FindingsF1, draw: object, order: list[int], keep: list[str], size: int) -> None:
    tables, patients = draw(SYSTEMS, studies=60)  # type: ignore[operator]

    def pairs(names: list[str], mixed: bool) -> dict[tuple[str, str], tuple[float, ...]]:
        listed = []
        for name in names:
            rows = tables[name]
            if mixed:
                rows = Rows(rows.metric, rows.columns, tuple(rows.studies[index] for index in order), rows.values[order])
            listed.append(pseudo(ran, patient_totals(rows, patients)).one("macro-f1"))
        systems, scores = np.stack([values for _, values in listed]), np.array([score for score, _ in listed])
        found = {}
        for index, rest in against_rest(systems, scores):
            for offset, name in enumerate(names[index + 1 :]):
                numbers = tuple(float(array[offset]) for array in (rest.value, rest.low, rest.high, rest.p))
                found[(names[index], name)] = numbers
        return found

    everybody, some = pairs(sorted(SYSTEMS), False), pairs(keep[:size], True)
    for (one, other), (value, low, high, p) in some.items():
        if (one, other) in everybody:
            assert everybody[(one, other)] == (value, low, high, p)
        else:
            assert everybody[(other, one)] == (-value, -high, -low, p)


def test_holm_equals_statsmodels() -> None:
    # statsmodels 0.15.0: multipletests([.01, .04, .03, .005, .2], method="holm")[1]
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": 0.2})
    assert [found[name] for name in "abcde"] == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2], abs=1e-12)
    assert holm({}) == {}


def test_the_least_detectable_difference_is_that_of_a_power_calculation() -> None:
    # The standard normal quantiles of 0.975 and 0.8 are 1.959964 and 0.841621.
    assert least_detectable([0.01, 0.02, 0.5]) == pytest.approx(2.801585 * 0.02, rel=1e-6)
    assert least_detectable([]) is None is least_detectable([0.0, 0.0, np.inf])
    assert least_detectable([0.0, 0.01]) == least_detectable([0.01])


def test_patients_in_whom_two_systems_differ_are_counted(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(SYSTEMS)  # type: ignore[operator]
    table = [patient_totals(rows, patients) for rows in tables.values()]
    wanted = [[int((one != other).any(axis=1).sum()) for other in table] for one in table]
    assert differing(table).tolist() == wanted and differing([table[0], table[0] * -0.0]).max() > 0
    assert differing([np.zeros((3, 2)), np.zeros((3, 2)) * -1.0]).max() == 0


def test_findings_with_few_positives_are_not_tested(ran: FindingsF1) -> None:
    total = np.zeros(84)
    total[0], total[4], total[6] = 10, 5, 4
    assert claimable(ran.score(total)) == ("Atelectasis",)


def test_swaps_of_many_systems_are_the_swaps_of_each_pair(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(SYSTEMS)  # type: ignore[operator]
    table = {name: patient_totals(rows, patients) for name, rows in tables.items()}
    names = sorted(table)
    for one, other, found in swap_tests(ran, [table[name] for name in names], 199, RandomSource("c")):
        assert found == swap_test(ran, table[names[one]], table[names[other]], 199)
