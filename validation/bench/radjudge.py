"""RadJudge, the ordered cases of CRIMSON, read from the user's own clone: which orders does a metric get right?"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import InputError, Problem
from harness.quiet import Quiet
from validation.bench.kinds import SAME
from validation.bench.pairs import BenchPair
from validation.bench.scoring import MetricScores

EQUAL = 0.01
"""Scores less than this apart count as equal, as in the published program."""
_FILE = Path("RadJudge") / "test_cases.py"


@dataclass(frozen=True, slots=True, repr=False)
class OrderedCase(Quiet):
    """One case: candidates of one report, and their order."""

    id: str
    category: str
    pairs: Mapping[str, BenchPair] = field(repr=False)
    """By the candidate's name."""
    orders: tuple[str, ...]
    """Such as `C1 > C2` or `C1 = C2`; all must hold."""


def load(clone: Path) -> tuple[OrderedCase, ...]:
    """Read the cases. The file is parsed, never run.

    Raises:
        InputError: The clone has no such file, or it has another form.
    """
    path = clone / _FILE
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        value = next(node.value for node in tree.body if isinstance(node, ast.Assign) and _named(node, "RANKING_TESTS"))
        return tuple(_case(test, group["category"]) for group in ast.literal_eval(value) for test in group["tests"])
    except (OSError, SyntaxError, ValueError, StopIteration, KeyError, TypeError, AttributeError) as error:
        why = "is not there" if isinstance(error, OSError) else "has another form than the known one"
        raise InputError(
            Problem(f"{path} {why}", "Name the folder of a clone of the repository CRIMSON of rajpurkarlab on GitHub")
        ) from None


def _named(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _case(test: dict[str, object], category: str) -> OrderedCase:
    name, reference, expected = str(test["id"]), str(test["ground_truth"]), test["expected_ranking"]
    candidates = test["candidates"]
    assert isinstance(candidates, dict)
    pairs = {
        key: BenchPair(f"{name}/{key}", name, SAME.name, reference, str(one["text"]), source="radjudge") for key, one in candidates.items()
    }
    return OrderedCase(name, category, pairs, tuple(expected) if isinstance(expected, list) else (str(expected),))


def pairs(cases: Sequence[OrderedCase]) -> tuple[BenchPair, ...]:
    """The pairs of all cases, in order."""
    return tuple(pair for case in cases for pair in case.pairs.values())


def passed(cases: Sequence[OrderedCase], scores: MetricScores) -> dict[str, bool]:
    """By case whether a metric gives all its orders, from its scores of `pairs(cases)`."""
    by_pair = dict(zip((pair.id for pair in pairs(cases)), scores.values.tolist(), strict=True))
    return {case.id: all(_holds(order, case, by_pair) for order in case.orders) for case in cases}


def _holds(order: str, case: OrderedCase, scores: Mapping[str, float]) -> bool:
    first, sign, second = order.split()
    one, other = (scores[case.pairs[name].id] for name in (first, second))
    return abs(one - other) < EQUAL if sign == "=" else one > other
