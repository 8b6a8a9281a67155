"""Agreement of several readers against printed examples and independent packages, and its intervals on known truths."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from harness.statistics.reader_agreement import MISSING, Matrix, Votes, agreement, pairwise, rows, stacked, statistics

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), the example with four observers, twelve units, five values and missing
# answers; printed nominal alpha 0.743. Gwet's Handbook of Inter-Rater Reliability uses the same data; printed AC1 0.775, Fleiss 0.761.
EXAMPLE = [
    [1, 1, 0, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [0, 5, 5, 5],
    [0, 0, 1, 1],
    [0, 3, 0, 0],
]


def table(cells: list[list[int]]) -> Matrix:
    """From 1, 2, 3, ... and 0 for no answer."""
    return np.array(cells, dtype=np.int8) - 1


def mixed() -> Matrix:
    """Forty items, six readers, three answers, some missing: the table that went through the other packages."""
    cells = []
    for item in range(40):
        usual, row = int(item % 4 == 0), []
        for reader in range(6):
            luck = (item * 7 + reader * 3 + (item * reader) % 5) % 11
            row.append(2 if luck == 10 else MISSING if luck == 9 else 1 - usual if luck == 8 else usual)
        cells.append(row)
    return np.array(cells, dtype=np.int8)


def of(values: Matrix, categories: int) -> dict[str, float]:
    return {name: float(value) for name, value in statistics(rows(values, categories).sum(axis=0), categories).items()}


def test_the_printed_example_of_krippendorff_and_gwet() -> None:
    got = of(table(EXAMPLE), 5)
    assert round(got["alpha"], 3) == 0.743 and round(got["ac1"], 3) == 0.775 and round(got["fleiss"], 3) == 0.761
    # krippendorff 0.9.0, and irrcac 0.4.4 (CAC(...).gwet(), .fleiss()), each in an environment of its own
    assert got["alpha"] == pytest.approx(0.743421052631579, abs=1e-12)
    assert got["ac1"] == pytest.approx(0.775444068126995, abs=1e-12)
    assert got["fleiss"] == pytest.approx(0.761169275422411, abs=1e-12)
    assert got["raw"] == pytest.approx(0.818181818181818, abs=1e-12)


def test_the_paradox_of_kappa_as_gwet_prints_it() -> None:
    # Gwet 2008: two readers who agree on 118 of 125 cases have AC1 0.941 and a kappa below 0. irrcac 0.4.4: 0.940776337608718, Fleiss -0.02880658436217
    values = np.array([[0, 0]] * 118 + [[0, 1]] * 5 + [[1, 0]] * 2, dtype=np.int8)
    got = of(values, 2)
    assert got["ac1"] == pytest.approx(0.940776337608718, abs=1e-12)
    assert got["fleiss"] == pytest.approx(-0.02880658436217, abs=1e-12)
    assert got["cohen"] == pytest.approx(cohen_kappa_score(values[:, 0], values[:, 1]), abs=1e-12)
    assert got["cohen"] < 0 < got["ac1"]


def test_three_answers_with_missing_ones_equal_krippendorff_and_irrcac() -> None:
    # krippendorff 0.9.0: 0.33005443532929535; irrcac 0.4.4: AC1 0.512635802003088, Fleiss 0.329173461695583, agreement 0.6425
    got = of(mixed(), 3)
    assert got["alpha"] == pytest.approx(0.33005443532929535, abs=1e-12)
    assert got["ac1"] == pytest.approx(0.512635802003088, abs=1e-12)
    assert got["fleiss"] == pytest.approx(0.329173461695583, abs=1e-12)
    assert got["raw"] == pytest.approx(0.6425, abs=1e-12)


def test_complete_tables_equal_statsmodels_and_every_pair_equals_scikit_learn() -> None:
    values = np.random.default_rng(3).integers(0, 3, (80, 5)).astype(np.int8)
    values[:40] = values[:40, :1]
    got = of(values, 3)
    assert got["fleiss"] == pytest.approx(fleiss_kappa(aggregate_raters(values)[0]), abs=1e-12)
    votes = Votes(values=values, categories=3, patients=[str(item) for item in range(80)])
    kappas = {pair: cohen_kappa_score(values[:, pair[0]], values[:, pair[1]]) for pair in combinations(range(5), 2)}
    assert {pair: item.value for pair, item in pairwise(votes).items()} == pytest.approx(kappas, abs=1e-12)
    assert got["cohen"] == pytest.approx(float(np.mean(list(kappas.values()))), abs=1e-12)


def test_positive_and_negative_agreement_of_two_readers_are_cicchetti_and_feinsteins() -> None:
    values = np.array([[1, 1]] * 40 + [[1, 0]] * 5 + [[0, 1]] * 7 + [[0, 0]] * 48, dtype=np.int8)
    got = of(values, 2)
    assert got["positive"] == pytest.approx(2 * 40 / (2 * 40 + 5 + 7), abs=1e-12)
    assert got["negative"] == pytest.approx(2 * 48 / (2 * 48 + 5 + 7), abs=1e-12)


def votes_of(values: Matrix, patients: list[str] | None = None, **more: list[float] | list[str]) -> Votes:
    return Votes(values=values, categories=3, patients=patients or [str(item) for item in range(len(values))], **more)  # type: ignore[arg-type]


def test_doubled_studies_of_one_patient_change_no_value_and_narrow_no_interval() -> None:
    values = mixed()
    single = agreement(votes_of(values))
    twice = agreement(votes_of(np.concatenate([values, values]), [str(item % 40) for item in range(80)]))
    apart = agreement(votes_of(np.concatenate([values, values])))
    for name in ("raw", "fleiss", "ac1", "positive", "negative", "cohen"):
        assert twice[name].value == pytest.approx(single[name].value, abs=1e-12)
        assert twice[name].interval == pytest.approx(single[name].interval, abs=1e-6)
        assert apart[name].interval[0] > single[name].interval[0], "as if they were other patients, the interval is narrower"


def test_no_order_of_items_changes_a_digit_beyond_rounding() -> None:
    values, order = mixed(), np.random.default_rng(0).permutation(40)
    strata = ["a" if item % 4 else "b" for item in range(40)]
    weights = [3.0 if item % 4 else 1.0 for item in range(40)]
    one = agreement(votes_of(values, strata=strata, weights=weights))
    names = [str(item) for item in order]
    other = agreement(votes_of(values[order], names, strata=[strata[item] for item in order], weights=[weights[item] for item in order]))
    for name, item in one.items():
        assert other[name].value == pytest.approx(item.value, abs=1e-12)
        assert other[name].interval == pytest.approx(item.interval, abs=1e-9)


def test_weights_speak_of_the_cohort_and_not_of_the_sample() -> None:
    rare, common = np.array([[1, 1, 0]], dtype=np.int8), np.array([[0, 0, 0]], dtype=np.int8)
    drawn = votes_of(
        np.repeat(np.concatenate([rare, common]), [20, 20], axis=0), strata=["r"] * 20 + ["c"] * 20, weights=[1.0] * 20 + [9.0] * 20
    )
    cohort = votes_of(np.repeat(np.concatenate([rare, common]), [20, 180], axis=0))
    for name in ("raw", "fleiss", "ac1", "positive", "negative"):
        assert agreement(drawn)[name].value == pytest.approx(agreement(cohort)[name].value, abs=1e-9)
    assert agreement(drawn)["raw"].value != pytest.approx(agreement(votes_of(drawn.values))["raw"].value, abs=0.05)


def test_every_interval_holds_its_value_and_stays_within_its_scale() -> None:
    rng = np.random.default_rng(1)
    for case in range(60):
        shape = (int(rng.integers(1, 40)), int(rng.integers(2, 7)))
        values = rng.choice([MISSING, 0, 1, 2], shape, p=rng.dirichlet([0.3, 2, 1, 0.2])).astype(np.int8)
        for name, item in agreement(votes_of(values)).items():
            low, high = item.interval
            lowest = -1.0 if name in {"fleiss", "alpha", "ac1", "cohen"} else 0.0
            assert lowest - 1e-9 <= low <= item.value + 1e-9 <= high + 2e-9 <= 1 + 4e-9, (case, name, item)


def test_readers_who_never_disagree_are_not_certain_to_agree_for_ever() -> None:
    few = agreement(votes_of(np.array([[1] * 6] * 5 + [[0] * 6] * 15, dtype=np.int8)))
    many = agreement(votes_of(np.array([[1] * 6] * 50 + [[0] * 6] * 150, dtype=np.int8)))
    for name in ("raw", "fleiss", "alpha", "ac1", "positive", "cohen"):
        assert few[name].value == pytest.approx(1) and few[name].interval[1] == 1
        assert few[name].interval[0] < many[name].interval[0] < 1


def test_all_findings_together_are_their_decisions_in_one_table() -> None:
    one, other = votes_of(mixed()), votes_of(mixed()[::-1])
    both = stacked([one, other])
    assert both.values.shape == (80, 6) and len(set(both.patients)) == 40
    assert agreement(both)["raw"].value == pytest.approx(agreement(one)["raw"].value, abs=1e-12)


def test_a_reader_without_answers_changes_nothing() -> None:
    with_one, without = np.concatenate([mixed(), np.full((40, 1), MISSING, dtype=np.int8)], axis=1), mixed()
    for name, item in agreement(votes_of(without)).items():
        assert agreement(votes_of(with_one))[name].value == pytest.approx(item.value, abs=1e-12), name
    assert pairwise(votes_of(with_one)).keys() == pairwise(votes_of(without)).keys()
