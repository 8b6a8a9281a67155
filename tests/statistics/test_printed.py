"""Numbers as people read them: what rounds to nothing has no sign."""

from __future__ import annotations

import re
from pathlib import Path

from harness.records.comparison import Line
from harness.records.record import MetricResult
from harness.records.snapshot import Pair
from harness.records.summary import value_with_interval
from leaderboard.board import Cell
from leaderboard.exports.tables import number
from leaderboard.hub import publish
from leaderboard.views.compare import interval
from ranscore.commands.compare import cells, finding_cells

ROOT = Path(__file__).parents[2]
TINY = Pair(-0.0002, -0.0004, -0.0001, 0.7, 0.9)


def test_every_score_is_printed_without_a_sign_that_means_nothing() -> None:
    """Scores have three digits; Python's `z` takes the sign of what rounds to zero away."""
    signed = re.compile(r":\+?\.(?:3|\{DIGITS\}|\{digits\})f\}")
    rooms = ("harness", "leaderboard", "ranscore", "submissions", "generators", "validation")
    listed = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    found = [f"{path.relative_to(ROOT)}: {match.group()}" for path in listed for match in signed.finditer(path.read_text(encoding="utf-8"))]
    assert len(listed) > 200 and found == []


def test_a_difference_of_nearly_nothing() -> None:
    line = Line("macro-f1", 0.1, 0.1002, TINY, 0.7, (-0.0003, 0.0001))
    printed = [*cells(line), *finding_cells(line), interval(TINY), number(Cell(-0.0001, (-0.0004, 0.0)), interval=True)]
    printed += [
        value_with_interval(MetricResult(name="m", signature="m", headline="m", parts={"m": -0.0001}, intervals={"m": (-0.0002, 0.0)}))
    ]
    assert any("0.000" in text for text in printed) and not any("-0.000" in text for text in printed)


def test_rounded_public_numbers_have_no_negative_zero() -> None:
    assert str(publish._round(-0.0002)) == "0.0" and publish._round(-0.0007) == -0.001
