"""Agreement measures against scipy, statsmodels and scikit-learn."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.statistics.agreement import clopper_pearson, clopper_pearson_real, cohen_kappa, fleiss_kappa, mcnemar, wilson

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
