"""Standards that are settled, and label files with known counts."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.findings import FINDINGS, RAN_21
from tests.validation.readers.conftest import Made, cohort_of, study_of
from validation.readers import standard

COLUMNS = {finding.name: finding.column for finding in FINDINGS}


def settled(studies: int = 30, name: str = "trial", **plan: Any) -> Made:
    """A study of a synthetic cohort with sheets of six simulated readers, settled."""
    access = {"access": plan.pop("access")} if "access" in plan else {}
    made = study_of(cohort_of(studies, **access), name, **plan)
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    return made


@pytest.fixture
def trial() -> Made:
    """A settled study of twelve reports."""
    return settled()


def write_columns(path: Path, columns: Mapping[str, list[Any]]) -> Path:
    """A label file from the cells of each finding; a finding without cells is absent everywhere."""
    size = len(next(iter(columns.values())))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["study_id", *COLUMNS.values()])
        for index in range(size):
            writer.writerow([f"s{index:04d}", *(columns[name][index] if name in columns else 0 for name in RAN_21)])
    return path


def cells(tp: int, fp: int, fn: int, n: int) -> tuple[list[int], list[int]]:
    """What readers and an extractor say, so that these are the counts."""
    right = [1] * (tp + fn) + [0] * (n - tp - fn)
    given = [1] * tp + [0] * fn + [1] * fp + [0] * (n - tp - fn - fp)
    return right, given
