"""Metrics against people: known orders, and values of an independent program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import InputError
from validation.bench import correlation, people, radjudge
from validation.bench.pairs import BenchPair
from validation.bench.scoring import MetricScores

HEAD = "reference_id,system,reader,score,reference,candidate\n"
CASES = """
RANKING_TESTS = [{"category": "Order", "description": "", "tests": [
 {"id": "1a", "ground_truth": "Effusion.", "candidates": {"C1": {"text": "Effusion on the left."}, "C2": {"text": "Fracture."}},
  "expected_ranking": "C1 > C2"},
 {"id": "1b", "ground_truth": "Effusion.", "candidates": {"C1": {"text": "Fluid."}, "C2": {"text": "Effusions."}},
  "expected_ranking": "C1 = C2"},
 {"id": "1c", "ground_truth": "Edema.", "candidates": {"C1": {"text": "a"}, "C2": {"text": "b"}, "C3": {"text": "c"}},
  "expected_ranking": ["C1 > C2", "C2 > C3"]}]}]
open("ran", "w")
"""


def ratings(path: Path, flip: int = 1) -> Path:
    """Two readers, four references, three systems: the first system is best everywhere."""
    lines = [
        f"r{case},{name},reader-{reader},{flip * (5 - 2 * place + (reader == 2 and case == 0))},Reference {case}.,{name} {case}.\n"
        for case in range(4)
        for place, name in enumerate("abc")
        for reader in (1, 2)
    ]
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


def scores(values: np.ndarray[tuple[int], np.dtype[np.float64]], name: str = "radcliq:v1") -> MetricScores:
    return MetricScores(name, f"{name}|v1", True, values)


def test_a_metric_with_the_readers_order_agrees_wholly_and_one_with_the_reverse_not_at_all(tmp_path: Path) -> None:
    rated = people.load(ratings(tmp_path / "a.csv"))
    order = np.array([{"a": 3.0, "b": 2.0, "c": 1.0}[item.system] for item in rated])
    same, reverse = people.agree(rated, [scores(order), scores(-order, "other")], "ReXVal")
    assert (same.within.value, same.accuracy, same.fitted) == (1, 1, True)
    assert (reverse.within.value, reverse.fitted) == (-1, False)
    assert same.systems is not None and reverse.systems is not None and same.systems > 0.9 > 0.3 > reverse.systems
    assert [item.within.value for item in people.ceilings(rated)] == [1, 1]


def test_counts_of_errors_are_turned(tmp_path: Path) -> None:
    up = people.load(ratings(tmp_path / "a.csv"))
    down = people.load(ratings(tmp_path / "b.csv", -1), errors=True)
    assert [item.mean for item in up] == [item.mean for item in down]
    assert "Reference" not in repr(up)


def test_every_wrong_line_is_named_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "r,a,1,x,Secret.,B.\nr,a,2,1,Secret.,B.\nr,a,3,1,Secret.,C.\nr,a,4,nan,Secret.,B.\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        people.load(path)
    text = " ".join(map(str, caught.value.problems))
    assert [f"line {number}" in text for number in (2, 3, 4, 5)] == [True, False, True, True]
    assert "Secret" not in text
    path.write_text("reader,score\n", encoding="utf-8")
    with pytest.raises(InputError, match="reference_id"):
        people.load(path)


def test_accuracy_with_ties_and_soft_accuracy_equal_an_independent_program() -> None:
    """Values of mt-metrics-eval at commit 68a481ae (`tau_optimization` with acc_23, `compute_one_minus_pce`), run apart."""
    people_ = [[3, 2, 2, 3, 2, 3], [3, 0, 0, 1, 1, 3], [3, 0, 1, 3, 0, 3]]
    metric = [[0.5, 0.3, 0.3, 0.3, 0.4, 0.5], [0.6, 1.0, 0.8, 0.6, 1.0, 0.2], [0.2, 0.6, 0.0, 0.0, 0.5, 0.5]]
    groups = [(np.array(one, dtype=float), np.array(other)) for one, other in zip(people_, metric, strict=True)]
    assert correlation.calibrated(groups) == pytest.approx((0.2888888888888889, 0.4))
    first, second = np.zeros((4, 4)), np.zeros((4, 4))
    first[np.triu_indices(4, 1)] = [0.63, 0.51, 0.5, 0.19, 0.69, 0.83]
    second[np.triu_indices(4, 1)] = [0.64, 0.74, 0.09, 0.87, 0.36, 0.32]
    assert correlation.soft_accuracy(first, second) == pytest.approx(0.6383333333333334)


def test_ordered_cases_are_counted_as_by_hand_and_the_file_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "RadJudge").mkdir()
    (tmp_path / "RadJudge" / "test_cases.py").write_text(CASES, encoding="utf-8")
    cases = radjudge.load(tmp_path)
    assert [len(case.pairs) for case in cases] == [2, 2, 3]
    made = radjudge.pairs(cases)
    given = {"1a/C1": 0.5, "1a/C2": 0.1, "1b/C1": 0.3, "1b/C2": 0.305, "1c/C1": 0.9, "1c/C2": 0.4, "1c/C3": 0.4}
    assert radjudge.passed(cases, scores(np.array([given[pair.id] for pair in made]))) == {"1a": True, "1b": True, "1c": False}
    assert not (Path.cwd() / "ran").exists()
    assert isinstance(made[0], BenchPair) and correlation.tau_b(np.ones(2), np.ones(2)) != 1
    with pytest.raises(InputError, match="clone"):
        radjudge.load(tmp_path / "nowhere")
