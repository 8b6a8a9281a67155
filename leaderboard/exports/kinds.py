"""Everything that can be taken away from a page, by kind: the bytes, their type and a file's name. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from harness.quiet import Quiet
from harness.records import record as records
from harness.records import summary
from harness.records.record import Record
from leaderboard.board import Board, BoardRow
from leaderboard.exports import cite, plots, tables
from leaderboard.html.addresses import FILES, SYSTEM_FILES, slug
from leaderboard.html.markup import Html

TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "md": "text/markdown",
    "tex": "text/x-tex",
    "svg": "image/svg+xml",
    "bib": "text/x-bibtex",
    "yaml": "text/yaml",
}
DATASET = "ranscore/cohorts"
"""Where nobody configured the benchmark's data set on the Hub."""


@dataclass(frozen=True, slots=True, repr=False)
class Export(Quiet):
    """One file."""

    name: str
    text: str = field(repr=False)

    @property
    def type(self) -> str:
        """Its media type."""
        return TYPES[self.name.rpartition(".")[2]]


def of_board(kind: str, board: Board, address: str = "") -> Export | None:
    """A board in one of the formats of `leaderboard.html.addresses.FILES`; None where there is no such format."""
    made = {
        "csv": lambda: tables.to_csv(board),
        "json": lambda: json.dumps(tables.to_json(board), ensure_ascii=False, indent=1) + "\n",
        "markdown": lambda: tables.to_markdown(board),
        "latex": lambda: tables.to_latex(board),
        "svg": lambda: str(plots.forest(board)) + "\n",
        "bibtex": lambda: cite.bibtex(board, address),
    }
    return Export(f"{board.key}.{FILES[kind]}", made[kind]()) if kind in FILES else None


def of_system(kind: str, board: Board, row: BoardRow, record: Record, address: str = "", dataset: str = "") -> Export | None:
    """One system in one of the formats of `leaderboard.html.addresses.SYSTEM_FILES`; None where there is no such format."""
    made = {
        "badge": lambda: str(badge(row, record)) + "\n",
        "eval-results": lambda: cite.eval_results(row, record, dataset or DATASET, address),
        "citation": lambda: cite.bibtex_system(board, row, record, address),
        "latex-row": lambda: summary.latex_row(record) + "\n",
        "record": lambda: records.dumps(record),
    }
    return Export(f"{slug(row.name)}-{kind}.{SYSTEM_FILES[kind]}", made[kind]()) if kind in SYSTEM_FILES else None


def badge(row: BoardRow, record: Record) -> Html:
    """Score, interval and rank on a small picture."""
    first = record.metrics[0]
    place = f", rank {tables.rank(row).replace('-', '–')}" if row.place else ""
    name = "Ran Score" if first.name == "ran-score" else first.name
    return plots.badge(name, f"{summary.value_with_interval(first)}{place}")
