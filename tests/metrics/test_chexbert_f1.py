"""CheXbert F1's recipes, held equal to scikit-learn on random label tables."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from harness.errors import UsageError
from harness.findings import CHEXPERT_5, CHEXPERT_14
from harness.metrics import metric
from harness.metrics.chexbert_f1 import AVERAGES, DEFAULT, PUBLISHED, SETS
from harness.statistics.intervals import intervals
from harness.types import Array, Input, Labels, ReportStatus, Status

CLASSES = (1, 0, -1, None)
FUNCTIONS = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
FIVE = [CHEXPERT_14.index(name) for name in CHEXPERT_5]


def table(rng: np.random.Generator, size: int) -> list[tuple[int | None, ...]]:
    """Label rows as CheXbert gives them, some observations all blank or all present."""
    share = rng.dirichlet([0.6, 0.8, 0.3, 2.0], size=14)
    rows = np.stack([rng.choice(4, size=size, p=one) for one in share], axis=1)
    return [tuple(CLASSES[value] for value in row) for row in rows]


def inputs(rows: list[tuple[int | None, ...]]) -> list[Input]:
    return [Input(f"s{n}", "", labels={"chexpert-14": Labels(row, (Status.OK,) * 14)}) for n, row in enumerate(rows)]


def plain(rows: list[tuple[int | None, ...]], uncertain: int) -> Any:
    return np.array([[{-1: uncertain, None: 0}.get(value, value) for value in row] for row in rows])


def skewed(rng: np.random.Generator, rows: list[tuple[int | None, ...]]) -> list[tuple[int | None, ...]]:
    return [tuple(value if rng.random() < 0.7 else CLASSES[rng.integers(4)] for value in row) for row in rows]


@pytest.mark.parametrize("uncertain", [0, 1])
@pytest.mark.parametrize("zero", ["0", "1", "skip"])
def test_every_average_equals_scikit_learn(uncertain: int, zero: str) -> None:
    rng = np.random.default_rng(int(uncertain) * 10 + len(zero))
    division = {"0": 0, "1": 1, "skip": np.nan}[zero]
    made = metric(f"chexbert-f1:u{uncertain}|zd{zero}")
    for _ in range(25):
        truth = table(rng, int(rng.integers(1, 30)))
        said = skewed(rng, truth)
        parts = made.score(made.rows(inputs(truth), inputs(said)).sum(axis=0))
        left, right = plain(truth, uncertain), plain(said, uncertain)
        for suffix, keep in (("", list(range(14))), ("-5", FIVE)):
            a, b = left[:, keep], right[:, keep]
            for kind, function in FUNCTIONS.items():
                for average, sk in (("macro", "macro"), ("micro", "micro"), ("weighted", "weighted"), ("example", "samples")):
                    if average == "weighted" and a.sum() == 0:
                        continue  # no weights: scikit-learn then takes the plain mean, we say 0
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", RuntimeWarning)
                        expected = function(a, b, average=sk, zero_division=division)
                    found = float(parts[f"{average}-{kind}{suffix}"])
                    assert found == pytest.approx(0.0 if math.isnan(expected) else expected, abs=1e-12), (average, kind, suffix)
            assert float(parts[f"example-exact{suffix}"]) == pytest.approx(accuracy_score(a, b), abs=1e-12)
            mixed = [n for n in keep if 0 < left[:, n].sum() < len(left)]
            each = [f1_score(left[:, n], right[:, n], zero_division=0) for n in mixed] or [0.0]
            assert float(parts[f"both-f1{suffix}"]) == pytest.approx(np.mean(each), abs=1e-12)


def test_the_default_is_micro_over_the_five_with_uncertain_as_present() -> None:
    rng = np.random.default_rng(5)
    truth = table(rng, 40)
    said = skewed(rng, truth)
    made = metric("chexbert-f1")
    assert (made.recipe, made.headline) == (DEFAULT, "micro-f1-5")
    found = made.score(made.rows(inputs(truth), inputs(said)).sum(axis=0))[made.headline]
    a, b = plain(truth, 1)[:, FIVE], plain(said, 1)[:, FIVE]
    assert float(found) == pytest.approx(f1_score(a.ravel(), b.ravel()), abs=1e-12)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_publisher_names_a_recipe(name: str) -> None:
    assert metric(f"chexbert-f1:{name}").recipe == PUBLISHED[name]


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("name", SETS)
def test_every_headline_is_among_the_parts_and_gets_an_interval(average: str, name: str) -> None:
    rng = np.random.default_rng(9)
    truth = table(rng, 30)
    made = metric(f"chexbert-f1:{average}-{name}")
    rows = made.rows(inputs(truth), inputs(skewed(rng, truth)))
    assert rows.shape == (30, len(made.columns))
    assert made.headline in made.score(rows.sum(axis=0))
    low, high = intervals(made, rows)[made.headline]
    assert 0 <= low <= float(made.score(rows.sum(axis=0))[made.headline]) <= high <= 1


@pytest.mark.parametrize("recipe", ["median-14", "micro-13", "u2", "zd2", "micro-14|zero", "macro"])
def test_an_unknown_recipe_is_refused_with_the_known_ones(recipe: str) -> None:
    with pytest.raises(UsageError, match=r"AVERAGE-SET\|uU\|zdZ"):
        metric(f"chexbert-f1:{recipe}")


def test_failed_decisions_are_left_out_of_the_reference_and_not_asserted_by_the_candidate() -> None:
    made = metric("chexbert-f1:micro-14")
    ok, failed = Status.OK, Status.FAILED
    first = Input("s", "", labels={"chexpert-14": Labels((1,) * 14, (failed, *[ok] * 13))})
    second = Input("s", "", labels={"chexpert-14": Labels((1,) * 14, (ok, failed, *[ok] * 12))})
    parts = made.score(made.rows([first], [second]).sum(axis=0))
    assert float(parts["micro-recall"]) == pytest.approx(12 / 13) and float(parts["micro-precision"]) == 1.0


@pytest.mark.parametrize("recipe", ["", "example-14|zdskip", "macro-14|zd1"])
def test_missing_empty_and_no_positives_give_numbers(recipe: str) -> None:
    made = metric(f"chexbert-f1:{recipe}")
    blank = Labels((None,) * 14, (Status.OK,) * 14)
    nobody = [Input("a", "", labels={"chexpert-14": blank})] * 3
    gone = [
        Input("a", "", ReportStatus.MISSING, {"chexpert-14": Labels((), (), ReportStatus.MISSING)}),
        Input("a", "", ReportStatus.EMPTY, {"chexpert-14": Labels((None,) * 14, (Status.OK,) * 14, ReportStatus.EMPTY)}),
        Input("a", ""),
    ]
    values: Array = np.stack(list(made.score(made.rows(nobody, gone).sum(axis=0)).values()))
    assert np.isfinite(values).all() and made.rows([], []).shape == (0, len(made.columns))


def test_summed_rows_of_parts_are_the_whole() -> None:
    rng = np.random.default_rng(3)
    truth = table(rng, 20)
    said = skewed(rng, truth)
    made = metric("chexbert-f1")
    whole = made.rows(inputs(truth), inputs(said))
    alone = [made.rows([a], [b])[0] for a, b in zip(inputs(truth), inputs(said), strict=True)]
    np.testing.assert_array_equal(whole, alone)
    assert made.score(np.stack([whole.sum(axis=0)] * 3))["example-f1"].shape == (3,)
