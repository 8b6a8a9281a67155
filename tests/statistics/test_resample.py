"""Draws and totals."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.statistics.resample import RandomSource, bootstrap, patient_totals, swaps, weighted, weights
from harness.types import Rows


def test_a_patients_studies_are_summed_and_sorted_by_patient() -> None:
    rows = Rows("m", ("a", "b"), ("s1", "s2", "s3"), np.array([[1.0, 0], [2, 5], [4, 7]]))
    table = patient_totals(rows, {"s1": "z", "s2": "a", "s3": "z"})
    assert table.tolist() == [[2, 5], [5, 7]]
    assert patient_totals(rows, {}).tolist() == rows.values.tolist()


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(12)))
def test_the_order_of_studies_changes_no_bit(order: list[int]) -> None:
    rng = np.random.default_rng(3)
    values, names = rng.random((12, 3)), tuple(f"s{index}" for index in range(12))
    patients = {name: f"p{index % 5}" for index, name in enumerate(names)}
    straight = patient_totals(Rows("m", ("a", "b", "c"), names, values), patients)
    mixed = patient_totals(Rows("m", ("a", "b", "c"), tuple(names[index] for index in order), values[order]), patients)
    assert np.array_equal(straight, mixed)


def test_each_draw_has_as_many_patients_as_there_are() -> None:
    drawn = np.concatenate(list(weights(37, 2500, RandomSource("c"))))
    assert drawn.shape == (2500, 37)
    assert np.all(drawn.sum(axis=1) == 37)
    # A multinomial count of mean 1 has variance 1 - 1/37; the mean over 92,500 of them is within 5 standard errors.
    assert abs(drawn.var(axis=0).mean() - (1 - 1 / 37)) < 0.03
    assert np.all(np.abs(drawn.mean(axis=0) - 1) < 5 / np.sqrt(2500))


def test_swaps_are_fair_coins() -> None:
    coins = np.concatenate(list(swaps(101, 1500, RandomSource("c"))))
    assert coins.shape == (1500, 101) and set(np.unique(coins)) == {0.0, 1.0}
    assert np.all(np.abs(coins.mean(axis=0) - 0.5) < 5 * 0.5 / np.sqrt(1500))
    assert abs(np.corrcoef(coins[:, 0], coins[:, 1])[0, 1]) < 0.15


def test_draws_depend_on_cohort_and_seed_alone_and_more_draws_begin_with_the_same() -> None:
    once, again = next(weights(20, 5, RandomSource("c", 1))), next(weights(20, 5, RandomSource("c", 1)))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, next(weights(20, 5, RandomSource("c", 2))))
    assert not np.array_equal(once, next(weights(20, 5, RandomSource("d", 1))))
    longer = list(weights(20, 1200, RandomSource("c", 1)))
    assert [len(block) for block in longer] == [1000, 200]
    assert np.array_equal(longer[0][:5], once)
    # Pinned: another machine or numpy must draw the same.
    assert next(weights(8, 2, RandomSource("pinned", 7))).astype(int).tolist() == [[0, 0, 2, 0, 1, 2, 2, 1], [0, 2, 1, 1, 2, 1, 0, 1]]


def test_sums_of_counts_are_exact_and_sums_of_fractions_are_double() -> None:
    rng = np.random.default_rng(0)
    counts, fractions = rng.integers(0, 60, (500, 4)).astype(float), rng.random((500, 4))
    factors = next(weights(500, 50, RandomSource("c")))
    exact = factors.astype(np.int64) @ counts.astype(np.int64)
    assert np.array_equal(weighted(factors, counts), exact)
    assert np.allclose(weighted(factors, fractions), factors.astype(float) @ fractions, rtol=1e-14)
    huge = counts * 1e6
    assert np.array_equal(weighted(factors, huge), exact * 10**6)


class Mean:
    """A metric that is the mean of one column."""

    name, version, recipe, headline, higher_is_better, fit_digest = "mean", 1, "", "mean", True, ""
    reads: frozenset[str] = frozenset()
    columns = ("sum", "n")

    def score(
        self, total: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    ) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
        return {"mean": total[..., 0] / total[..., 1]}


def test_the_bootstraps_standard_error_is_the_clusters() -> None:
    rng = np.random.default_rng(1)
    table = np.stack([rng.normal(size=400), np.ones(400)], axis=1)
    drawn = bootstrap(Mean(), [table], 4000, RandomSource("c"))[0]["mean"]  # type: ignore[arg-type]
    expected = table[:, 0].std() / np.sqrt(400)
    assert abs(drawn.std() / expected - 1) < 0.06  # 5 standard errors of a standard deviation from 4,000 draws
    assert abs(drawn.mean() - table[:, 0].mean()) < 5 * expected / np.sqrt(4000)
