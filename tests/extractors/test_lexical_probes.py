"""Short passages, each with one trap; the file is read as data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.extractors.lexical import Lexical
from harness.findings import RAN_21
from harness.types import ReportStatus

FILE = Path(__file__).parent / "data" / "lexical_probes.csv"
with FILE.open(encoding="utf-8", newline="") as stream:
    PROBES = list(csv.DictReader(stream))
LEXICAL = Lexical()


def test_there_are_enough_and_none_twice() -> None:
    assert len(PROBES) >= 300
    assert sum(not probe["text"].isascii() for probe in PROBES) >= 100
    assert len({(probe["text"], probe["finding"]) for probe in PROBES}) == len(PROBES)


@pytest.mark.parametrize("trap", sorted({probe["trap"] for probe in PROBES}))
def test_every_probe_is_right(trap: str) -> None:
    wrong = []
    for probe in PROBES:
        labels = LEXICAL.label(probe["text"])
        right = labels.values[RAN_21.index(probe["finding"])] == int(probe["present"]) and labels.report is ReportStatus.OK
        if probe["trap"] == trap and not right:
            wrong.append(probe)
    assert wrong == []
