"""ReXrank's table of the same studies, as reported: below the board, never in it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.rexrank_tables import METRICS, ReXrankRow
from leaderboard.html.markup import Html, el, grid


def view(rows: Sequence[ReXrankRow]) -> Html:
    """The table with its slips marked and listed."""
    lines = [[row.system, row.institution, *(_cell(row, name) for name in METRICS)] for row in rows]
    notes = [f"{row.system}, {name}: {why}" for row in rows for name, why in row.slips.items()]
    return el(
        "section",
        el("h3", "Reported by ReXrank"),
        el(
            "p",
            "What ReXrank's page prints for the findings of these studies (as of September 2025). "
            "Not computed here, and never ranked. Its BLEU is the mean of each report's BLEU-2, ",
            el("code", "bleu:sentence|rexrank"),
            " here.",
        ),
        grid("What ReXrank reports", ["System", "Institution", *METRICS], lines, hidden=True),
        el("p", f"* {'; '.join(notes)}.", class_="rs-fine") if notes else None,
        class_="rs-paper",
    )


def _cell(row: ReXrankRow, name: str) -> str:
    value = f"{row.values[name]:z.3f}" if name in row.values else "-"
    return f"{value}*" if name in row.slips else value
