"""Does the score follow the length of the reports? Within each system, and between systems. Pure."""

from __future__ import annotations

from harness.records.lengths import Lengths
from harness.statistics.length_control import LengthControl
from leaderboard.board import Board
from leaderboard.html.markup import Html, el, grid, person


def section(board: Board, known: Lengths) -> Html:
    """The table with what it says."""
    rows = [[person(row.name), *_cells(known.systems[row.id])] for row in board.rows if row.id in known.systems]
    heads = ["System", f"Mean {known.unit}", "Mean of references", board.columns[0].label, "At their length", "For each doubling"]
    return el(
        "section",
        el("h3", "Length"),
        el(
            "p",
            "Long reports can score higher because they say more, not because they are better. Within a system the score is regressed on the "
            "length: y = a + b x over patients, y what a patient adds to the score, x the doublings by which the report is longer than its "
            "reference. The score at the references' length is a, the gain for each doubling is b, with 95 % intervals.",
        ),
        grid("Scores and the length of reports", heads, rows),
        el("p", between(known), class_="rs-fine"),
    )


def _cells(item: LengthControl) -> list[object]:
    return [
        f"{item.words:.0f}",
        f"{item.reference_words:.0f}",
        item.score,
        _with(item.at_reference, item.low, item.high),
        _with(item.slope, item.slope_low, item.slope_high, "+"),
    ]


def _with(value: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    if value is None or low is None or high is None:
        return "–"
    return f"{value:{sign}z.3f} [{low:{sign}z.3f}, {high:{sign}z.3f}]"


def between(known: Lengths) -> str:
    """One sentence on systems of different lengths."""
    if known.between is None:
        return "Too few systems of different lengths to say whether longer systems score higher."
    return f"Between systems, score and logarithm of the mean length have the correlation {known.between:+.2f}; a few systems can differ by chance."
