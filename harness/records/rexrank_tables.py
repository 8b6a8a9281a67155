"""ReXrank's tables as a reported layer: what its page prints for each system, read from its CSV files, never ranked here."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem

COHORTS: Mapping[str, str] = {"rexrank-iu": "iu_xray", "open-i-590": "iu_xray", "rexrank-mimic": "mimiccxr"}
"""By cohort the part of the file's name that says which studies a table is about."""
METRICS = ("BLEU", "BertScore", "SembScore", "RadGraph", "1/RadCliQ-v1", "RaTEScore", "GREEN", "1/FineRadScore")
SLIPS: Mapping[tuple[str, str, str], str] = {
    ("iu_xray", "MAIRA-2", "GREEN"): "far below every system with a like BERTScore: most likely a slip",
}
"""Printed values that cannot be right, by table, system and metric."""
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class ReXrankRow:
    """One system as ReXrank prints it."""

    system: str
    institution: str
    year: str
    values: Mapping[str, float]
    """By metric; what is blank is absent."""
    slips: Mapping[str, str]
    """By metric why its value, or its absence, is no measurement."""


def file(cohort: str) -> str:
    """The file of the table of a cohort; empty where ReXrank has none."""
    return f"findings_result_{COHORTS[cohort]}.csv" if cohort in COHORTS else ""


def read(path: Path) -> tuple[ReXrankRow, ...]:
    """The rows of a table, best BLEU first.

    Raises:
        InputError: It is no such table; every problem.
    """
    problems: list[Problem] = []
    try:
        text = path.read_bytes()[:LARGEST].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"it cannot be read ({type(error).__name__})", "Fetch it again", str(path))) from None
    reader = csv.DictReader(text.splitlines())
    needed = ("Model Name", "Institution", "Date", *METRICS)
    if lacking := [name for name in needed if name not in (reader.fieldnames or ())]:
        raise InputError(Problem(f"it has no column {', '.join(lacking)}", "Fetch it again", str(path), 1))
    rows = []
    for line, cells in enumerate(reader, 2):
        values, slips = {}, {}
        for name in METRICS:
            printed = (cells.get(name) or "").strip()
            value = _number(printed)
            if printed and value is None:
                problems.append(Problem(f"its {name} is not a number", "Fetch it again", str(path), line))
            elif value is None:
                slips[name] = "not given"
            else:
                values[name] = value
        system = (cells.get("Model Name") or "").strip()
        slips |= dict(_slips(path.stem, system, values))
        rows.append(ReXrankRow(system, (cells.get("Institution") or "").strip(), (cells.get("Date") or "").strip(), values, slips))
    if problems:
        raise InputError(problems)
    return tuple(sorted(rows, key=lambda row: (-row.values.get("BLEU", 0.0), row.system)))


def _number(printed: str) -> float | None:
    try:
        value = float(printed)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _slips(table: str, system: str, values: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if name.startswith("1/") and value == 0:
            yield name, "the inverse of a number is never 0: it was not measured"
        for (where, who, metric), why in SLIPS.items():
            if where in table and who == system and metric == name:
                yield name, why
