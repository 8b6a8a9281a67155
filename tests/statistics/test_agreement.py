"""Agreement measures against scipy, statsmodels and scikit-learn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.statistics.agreement import (
    AgreementCounts,
    Ratios,
    clopper_pearson,
    clopper_pearson_real,
    cohen_kappa,
    counts_of,
    fleiss_kappa,
    mcnemar,
    standards,
    wilson,
)

# statsmodels 0.15.0, proportion_confint(k, n, method="beta") and method="wilson"
PROPORTIONS = [
    (296, 300, (0.9662151037380822, 0.9963554859479334), (0.9662244697474675, 0.9948030382606411)),
    (150, 150, (0.9757074028338915, 1.0), (0.9750297556319235, 1.0)),
    (0, 20, (0.0, 0.16843347098308534), (0.0, 0.1611251580528194)),
    (7, 24, (0.12615208852369134, 0.5109478138578332), (0.14914648196960875, 0.4916769366449665)),
    (148, 150, (0.9526669805036644, 0.9983811729701603), (0.9526930912996325, 0.9963358708487731)),
]


@pytest.mark.parametrize(("k", "n", "exact", "score"), PROPORTIONS)
def test_intervals_of_proportions_equal_statsmodels(k: int, n: int, exact: tuple[float, float], score: tuple[float, float]) -> None:
    assert clopper_pearson(k, n) == pytest.approx(exact, abs=1e-12)
    assert wilson(k, n) == pytest.approx(score, abs=1e-12)


def test_the_papers_296_of_300_prints_as_in_the_paper() -> None:
    low, high = clopper_pearson(296, 300)
    assert f"{296 / 300:.3f} [{low:.3f}, {high:.3f}]" == "0.987 [0.966, 0.996]"


def test_counts_that_are_not_whole() -> None:
    # scipy 1.17.1: beta.ppf(.025, 10.5, 14.7), beta.ppf(.975, 11.5, 13.7)
    assert clopper_pearson_real(10.5, 24.2) == pytest.approx((0.2359385935425607, 0.6486084155880021), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(UsageError, match="not a proportion"):
        clopper_pearson(k, n)
    with pytest.raises(UsageError, match="not a proportion"):
        wilson(k, n)


def test_cohens_kappa_equals_scikit_learn() -> None:
    first, second = [1, 0, 1, 1, 0, 2, 2, 1, 0, 1, 0, 0], [1, 0, 0, 1, 0, 2, 1, 1, 0, 1, 2, 0]
    assert cohen_kappa(first, second) == pytest.approx(0.6, abs=1e-12)  # scikit-learn 1.9.1, cohen_kappa_score
    assert cohen_kappa(second, first) == pytest.approx(0.6, abs=1e-12)
    assert cohen_kappa([0, 0], [0, 0]) == 0.0
    with pytest.raises(UsageError, match="same cases"):
        cohen_kappa([1], [1, 0])


def test_fleiss_kappa_of_the_textbook_table_equals_statsmodels() -> None:
    # Ten cases, 14 readers, five categories; statsmodels 0.15.0 gives 0.20993070442195522
    table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(table) == pytest.approx(0.20993070442195522, abs=1e-12)
    assert fleiss_kappa([[3, 0], [3, 0]]) == 0.0
    with pytest.raises(UsageError, match="same number of readers"):
        fleiss_kappa([[3, 0], [2, 0]])


def test_mcnemar_equals_statsmodels() -> None:
    # statsmodels 0.15.0, mcnemar([[50, 6], [15, 40]], exact=True) and [[50, 1], [9, 40]]
    assert mcnemar(6, 15) == pytest.approx(0.0783538818359375, abs=1e-12)
    assert mcnemar(9, 1) == pytest.approx(0.021484375, abs=1e-12)
    assert mcnemar(0, 0) == 1.0
    with pytest.raises(UsageError, match="negative"):
        mcnemar(-1, 2)


def printed(counts: AgreementCounts) -> Ratios:
    accuracy, precision, recall = (round(value, 3) for value in counts.ratios)
    return accuracy, precision, recall


def by_trying(given: Ratios, n: int, truncated: bool) -> list[AgreementCounts]:
    """All counts of n reports whose ratios print so: every one is tried."""
    every = (
        AgreementCounts(right, invented, missed, n)
        for right in range(n + 1)
        for invented in range(n + 1 - right)
        for missed in range(n + 1 - right - invented)
    )
    cut = (-1e-9, 0.001 - 1e-9) if truncated else (0.0, 0.0)
    pairs = ((counts, zip(counts.ratios, given, strict=True)) for counts in every)
    return sorted(
        counts
        for counts, both in pairs
        if all(abs(value - shown) <= 0.0005 + 1e-9 or cut[0] <= value - shown < cut[1] for value, shown in both)
    )


@given(st.integers(1, 18), st.data(), st.booleans())
def test_counts_of_printed_ratios_are_those_that_trying_all_gives(n: int, data: st.DataObject, truncated: bool) -> None:
    right = data.draw(st.integers(0, n))
    invented = data.draw(st.integers(0, n - right))
    counts = AgreementCounts(right, invented, data.draw(st.integers(0, n - right - invented)), n)
    found = counts_of(*printed(counts), n, truncated=truncated)
    assert counts in found and found == by_trying(printed(counts), n, truncated)


@given(st.integers(1, 110), st.integers(0, 12), st.integers(0, 12))
def test_the_counts_of_300_reports_are_among_those_that_come_back_and_all_have_one_f1(positives: int, missed: int, invented: int) -> None:
    counts = AgreementCounts(max(0, positives - missed), invented, min(missed, positives), 300)
    found = counts_of(*printed(counts), 300)
    assert counts in found
    assert all(abs(other.f1 - counts.f1) < 0.002 for other in found)


def test_the_296_of_300_of_a_label_that_is_never_asserted() -> None:
    """Four positives, all missed: the printed 0.987, 0 and 0 are of nothing else."""
    assert counts_of(0.987, 0.0, 0.0, 300) == [AgreementCounts(0, invented, 4 - invented, 300) for invented in range(5)]


def test_a_standard_that_was_held_fixed_fits_both_columns_and_one_that_was_not_fits_none() -> None:
    before, after = AgreementCounts(2, 4, 4, 300), AgreementCounts(6, 1, 0, 300)
    assert (300, 6) in standards([printed(before), printed(after)], range(150, 301), truncated=True)
    moved = AgreementCounts(17, 1, 2, 300)  # 19 positives instead of 6
    assert standards([printed(before), printed(moved)], range(150, 301), truncated=True) == set()
    assert standards([], range(300)) == set()


def test_ratios_of_no_reports_are_refused() -> None:
    with pytest.raises(UsageError, match="not a number of reports"):
        counts_of(1.0, 1.0, 1.0, 0)
