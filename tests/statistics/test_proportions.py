"""Scores of single findings as proportions in clusters, and what averages of them cannot show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.metrics.chexbert_f1 import chexbert_f1
from harness.metrics.findings_f1 import FindingsF1
from harness.statistics.agreement import clopper_pearson
from harness.statistics.intervals import intervals, pseudo
from harness.statistics.proportions import counted, effective, hidden_variance, korn_graubard
from harness.statistics.resample import patient_totals
from harness.types import Array


def hidden(metric: FindingsF1, table: Array) -> dict[str, tuple[float, float]]:
    return hidden_variance(metric, counted(metric, table), pseudo(metric, table).variances())


def one_finding(cells: list[tuple[int, int, int]], size: int) -> Array:
    """Patients of one study each in whom only the first findings occur; for each (tp, fp, fn), in patients of their own."""
    table = np.zeros((size, 84))
    place = 0
    for finding, counts in enumerate(cells):
        for column, times in enumerate(counts):
            table[place : place + times, 4 * finding + column] = 1
            place += times
    return table


def test_a_proportion_in_clusters() -> None:
    alone = np.array([1.0] * 7 + [0.0] * 17)
    low, high = korn_graubard(alone, np.ones(24))
    # The design effect of single studies is n / (n - 1): next to nothing wider than the exact interval of 7 of 24.
    assert (low, high) == pytest.approx(clopper_pearson(7, 24), abs=0.01)
    assert korn_graubard(np.full(12, 1.0), np.ones(12)) == pytest.approx(clopper_pearson(12, 12), abs=1e-12)
    assert korn_graubard(np.zeros(6), np.full(6, 2.0)) == pytest.approx(clopper_pearson(0, 6), abs=1e-12)
    assert korn_graubard(np.zeros(6), np.zeros(6)) == (0.0, 1.0)


@pytest.mark.parametrize("copies", [2, 3, 7])
@pytest.mark.parametrize("hits", [0, 1, 7, 24])
def test_copies_of_a_patients_studies_are_no_more_trials(copies: int, hits: int) -> None:
    trials, alone = np.ones(24), np.array([1.0] * hits + [0.0] * (24 - hits))
    assert korn_graubard(copies * alone, copies * trials) == pytest.approx(korn_graubard(alone, trials), abs=1e-12)
    # Patients whose studies differ more within than between: the design effect would be below 1.
    mixed = np.array([1.0, 1.0, 0.0] * 8), np.array([2.0, 2.0, 1.0] * 8)
    assert korn_graubard(copies * mixed[0], copies * mixed[1]) == pytest.approx(korn_graubard(*mixed), abs=1e-12)
    assert effective(copies * mixed[1]) == pytest.approx(effective(mixed[1])) and effective(np.full(5, 4.0)) == 5


def test_a_perfect_system_pays_for_its_few_positives_and_only_below(ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"perfect": (1.0, 0.0)})  # type: ignore[operator]
    table = patient_totals(tables["perfect"], patients)
    assert pseudo(ran, table).variances()["macro-f1"] == 0.0
    # Written out: share J = (t + m) / (t + 1) of t effective trials, where m is the mean share of the 21 findings, all 1, with one
    # success and one failure added; value 2 J / (1 + J), slope 2 / (1 + J)^2. The squared distance from 1, over 21 squared.
    wanted, prior = 0.0, 22 / 23
    for finding in range(21):
        positives = table[:, 4 * finding]
        tried = positives.sum() ** 2 / (positives**2).sum()
        share = (tried + prior) / (tried + 1)
        wanted += (2 / (1 + share) ** 2) ** 2 * share * (1 - share) / (tried + 2) + (1 - 2 * share / (1 + share)) ** 2
    below, above = hidden(ran, table)["macro-f1"]
    assert (below, above) == pytest.approx((wanted / 21**2, 0.0), rel=1e-6)
    assert intervals(ran, table)["macro-f1"] == pytest.approx((1 - stats.norm.ppf(0.975) * np.sqrt(below), 1.0), rel=1e-6)


def test_what_was_never_hit_can_only_be_better_by_as_much_as_the_system_is_elsewhere(ran: FindingsF1) -> None:
    """Of 21 findings the first has hits and misses, the second no hit of 4, the others nobody ever asserts."""
    strong, weak = one_finding([(8, 1, 1), (0, 2, 2)], 60), one_finding([(1, 4, 5), (0, 2, 2)], 60)
    found = [hidden(ran, table)["macro-f1"] for table in (strong, weak)]
    assert all(below == 0.0 for below, _ in found) and found[0][1] > 1.3 * found[1][1]
    prior = (0.1 + 0.0 + 1) / 4
    wanted = 0.0
    for tried, number in ((4, 1), (0, 19)):
        share = prior / (tried + 1)
        value = 2 * share / (1 + share)
        wanted += number * ((2 / (1 + share) ** 2) ** 2 * share * (1 - share) / (tried + 2) + value**2)
    assert found[1][1] == pytest.approx(wanted / 21**2, rel=1e-6)


def test_a_system_that_calls_everything_normal_has_an_interval_that_can_miss(ran: FindingsF1, draw: object) -> None:
    """Below only what was seen counts. Above, twenty findings that it never asserted leave room, and not much."""
    tables, patients = draw({"none": (0.0, 0.0)}, studies=600)  # type: ignore[operator]
    rows = tables["none"]
    normal = ran.findings.index("No Finding")
    values = rows.values.copy()
    values[:, 4 * normal : 4 * normal + 4] = np.where((np.arange(600) % 3 == 0)[:, None], [0, 1, 0, 0], [1, 0, 0, 0])
    table = patient_totals(replace(rows, values=values), patients)
    score = float(ran.score(table.sum(axis=0))["macro-f1"])
    low, high = intervals(ran, table)["macro-f1"]
    assert 0.036 < low < score - 0.0005 and score + 0.004 < high < score + 0.04


def test_where_every_finding_has_hits_and_misses_nothing_is_added(ran: FindingsF1) -> None:
    assert hidden(ran, np.ones((12, 84))) == {}


def test_the_convention_for_what_nobody_asserts_decides_on_which_side_it_is_uncertain() -> None:
    table = np.zeros((40, len(chexbert_f1("macro-14").columns)))
    table[:10, 0], table[10:20, 1] = 1, 1  # the first observation: 10 hits, 10 invented; nobody ever asserts the others
    found = {recipe: hidden(chexbert_f1(f"macro-14|u0|{recipe}"), table).get("macro-f1") for recipe in ("zd0", "zd1", "zdskip")}
    zero, one = found["zd0"], found["zd1"]
    assert zero and zero[0] == 0 < zero[1] and one and one[1] == 0 < one[0]
    assert found["zdskip"] is None
