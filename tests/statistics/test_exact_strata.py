"""The exact test over strata, against scipy and against all tables counted one by one."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import fisher_exact

from harness.statistics.exact_strata import Table, exact_p


@pytest.mark.parametrize("table", [(8, 2, 1, 9), (3, 7, 5, 5), (0, 4, 6, 1), (120, 30, 180, 20), (5, 0, 7, 0), (0, 0, 3, 4)])
def test_of_one_table_it_is_fishers(table: Table) -> None:
    a, b, c, d = table
    assert exact_p([table]) == pytest.approx(fisher_exact(np.array([[a, b], [c, d]])).pvalue, rel=1e-9)


def counted(tables: list[Table]) -> float:
    """The same by going through every combination of tables with these margins."""
    ranges = [range(max(0, a + c - c - d), min(a + b, a + c) + 1) for a, b, c, d in tables]
    weights: dict[int, float] = {}
    for cells in product(*ranges):
        weight = 1.0
        for x, (a, b, c, d) in zip(cells, tables, strict=True):
            weight *= comb(a + b, x) * comb(c + d, a + c - x) / comb(a + b + c + d, a + c)
        weights[sum(cells)] = weights.get(sum(cells), 0.0) + weight
    seen = weights[sum(table[0] for table in tables)]
    return sum(weight for weight in weights.values() if weight <= seen * (1 + 1e-7))


@pytest.mark.parametrize(
    "tables", [[(3, 1, 2, 4), (1, 3, 2, 2)], [(5, 1, 1, 5), (4, 2, 2, 4), (0, 3, 0, 2)], [(1, 1, 1, 1), (2, 0, 0, 2), (0, 0, 1, 1)]]
)
def test_of_several_tables_it_is_the_sum_over_all_of_their_margins(tables: list[Table]) -> None:
    assert exact_p(tables) == pytest.approx(counted(tables), rel=1e-9)


def test_strata_keep_a_mixture_of_findings_from_looking_like_a_difference() -> None:
    # Within each stratum the groups are alike; together they are not, because the first group has more of the easy stratum.
    tables = [(90, 10, 18, 2), (10, 10, 50, 50)]
    assert exact_p(tables) > 0.9
    assert fisher_exact(np.array([[100, 20], [68, 52]])).pvalue < 1e-4
