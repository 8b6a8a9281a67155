"""Ran Score as a plain function, for notebooks, scikit-learn and training loops: `from harness.ran_score import ran_score`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.errors import InputError, Problem
from harness.extractors import extractor as make_extractor
from harness.findings import RAN_21
from harness.metrics import metric
from harness.statistics.intervals import intervals
from harness.types import Array, Extractor, Input, Labels, Status

SHOWN = 20


def ran_score(y_true: Any, y_pred: Any, *, part: str = "macro-f1") -> float:
    """Ran Score of decisions, in scikit-learn's manner and order of arguments: macro F1 over the 21 findings, a finding never seen counting 0.

    Args:
        y_true: Reference decisions, one row a study: 1 present, 0 absent; -1 or NaN leaves the decision out. A table of pandas
            with the 21 findings as columns, in any order and either spelling, or an array in the order of `RAN_21`.
        y_pred: The system's decisions, row for row the same studies; -1 and NaN count as not asserted.
        part: Which score: `macro-f1`, `micro-f1`, `macro-recall`, `f1:Edema`, ...

    Raises:
        InputError: The shapes differ, there are not 21 columns, or a value is none of these.
    """
    scores, _ = scores_of(references=from_array(y_true, "y_true"), predictions=from_array(y_pred, "y_pred"))
    if part not in scores:
        raise InputError(f"Ran Score has no part {part!r}; there are {', '.join(name for name in scores if ':' not in name)}")
    return scores[part]


def score_reports(
    *, predictions: Sequence[str], references: Sequence[str], extractor: Extractor | str = "lexical"
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Every part of Ran Score for reports, pair by pair, and the 95 % intervals; both sides are labelled by one extractor.

    Raises:
        InputError: There are not as many predictions as references.
    """
    by = make_extractor(extractor) if isinstance(extractor, str) else extractor
    return scores_of(predictions=list(by.extract(predictions)), references=list(by.extract(references)))


def scores_of(*, predictions: Sequence[Labels], references: Sequence[Labels]) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Every part and its interval (where there is one) from decisions; every row is taken as another patient's."""
    if len(references) != len(predictions):
        what = f"there are {len(references)} references and {len(predictions)} predictions"
        raise InputError(Problem(what, "Give one prediction for each reference"))
    ran = metric("ran-score")
    sides = [[Input(str(place), "", labels={"ran-21": labels}) for place, labels in enumerate(side)] for side in (references, predictions)]
    rows = ran.rows(*sides)
    parts = {name: float(value) for name, value in ran.score(rows.sum(axis=0)).items()}
    ends = intervals(ran, rows) if len(rows) > 1 else {}
    return parts, {name: (float(low), float(high)) for name, (low, high) in ends.items() if np.isfinite([low, high]).all()}


def from_array(table: Any, name: str) -> list[Labels]:
    """Decisions from an array or a table of 21 columns.

    Raises:
        InputError: It has other columns, or values that are no decision; up to 20 are named.
    """
    values: Array = np.asarray(_ordered(table, name), dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(RAN_21):
        raise InputError(Problem(f"{name} has the shape {values.shape}, not (studies, {len(RAN_21)})", "Give one column a finding"))
    known = np.isnan(values) | np.isin(values, (-1, 0, 1))
    if not known.all():
        raise InputError(
            Problem(f"{name}[{row}, {column}] is {values[row, column]:g}, which is no decision", "Give 1, 0, -1 or NaN")
            for row, column in np.argwhere(~known)[:SHOWN]
        )
    statuses = (Status.OK,) * len(RAN_21)
    return [Labels(tuple(None if np.isnan(value) else int(value) for value in row), statuses) for row in values]


def _ordered(table: Any, name: str) -> Any:
    """A table's columns in the order of the findings; an array as it is."""
    from harness.findings import by_spelling

    if not hasattr(table, "columns"):
        return table
    spelled = by_spelling()
    found = {spelled[str(column).lower()]: column for column in table.columns if str(column).lower() in spelled}
    absent = [finding for finding in RAN_21 if finding not in found]
    if absent:
        raise InputError(Problem(f"{name} has no column {', '.join(absent)}", "Give all 21 findings"))
    return table[[found[finding] for finding in RAN_21]].to_numpy(dtype=np.float64, na_value=np.nan)
