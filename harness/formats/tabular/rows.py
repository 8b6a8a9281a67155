"""What every reader of tables yields."""

from __future__ import annotations

from typing import Any, NamedTuple

MAX_COLUMNS = 500


class Row(NamedTuple):
    """One row as the file has it."""

    line: int
    """Where it begins, counted from 1, header included; in a Parquet file the row, from 1; 0 for a header, whose cells are None."""
    cells: dict[str, Any]
    """By column in lower case, without blanks around it; a row of JSON holds the columns that it names."""

    def __repr__(self) -> str:
        return f"Row(line={self.line}, {len(self.cells)} cells)"


class Stopped(Exception):  # noqa: N818 - a way out; nobody sees it
    """Reading cannot go on; the reason is already among the complaints."""


def study_id(cell: Any) -> str:
    """A study id as text, without blanks around it; empty where the cell holds none. Whole numbers are ids as well."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    return cell.strip() if isinstance(cell, str) else ""
