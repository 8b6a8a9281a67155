"""Results for people: a table that a notebook shows, and that becomes a frame of pandas, CSV, LaTeX, Markdown, HTML or a plot."""

from __future__ import annotations

import csv
import html
import io
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.records.latex import latex_escape
from harness.records.plotted import Point, forest
from harness.storage import files

if TYPE_CHECKING:
    import pandas as pd

Value = str | int | float | None
"""A cell: a number keeps all its digits until it is printed; None is nothing."""
DIGITS = 3
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTable:
    """A table with its caption. No cell holds report text."""

    name: str
    """What LaTeX calls it: a word for `\\label{tab:NAME}`."""
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __repr__(self) -> str:
        return f"<table {self.name!r}: {len(self.rows)} rows, {len(self.header)} columns>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_frame(self) -> pd.DataFrame:
        """The table as a frame of pandas, numbers with all digits."""
        import pandas as pd

        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.header))

    def to_csv(self) -> str:
        """The table as CSV, numbers with all digits; no cell is a formula for a spreadsheet."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([_inert(value) for value in row] for row in self.rows)
        return stream.getvalue()

    def to_latex(self) -> str:
        """A `table` of booktabs with caption and label, every name escaped."""
        kinds = "".join("r" if self.is_number(column) else "l" for column in range(len(self.header)))
        lines = [" & ".join(map(latex_escape, line)) + r" \\" for line in (self.header, *self.cells())]
        head = [r"\begin{table}", r"\centering", rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", lines[0], r"\midrule"]
        foot = [
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{latex_escape(self.caption)}}}",
            rf"\label{{tab:{self.name}}}",
            r"\end{table}",
            "",
        ]
        return "\n".join([*head, *lines[1:], *foot])

    def to_html(self) -> str:
        """The table as HTML, every text escaped."""

        def row(tag: str, texts: Sequence[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts) + "</tr>"

        head, body = row("th", self.header), "\n".join(row("td", line) for line in self.cells())
        caption = f"<caption>{html.escape(self.caption)}</caption>"
        return f"<table>\n{caption}\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"

    def cells(self) -> list[list[str]]:
        """Every cell as it is printed."""
        return [[printed(value) for value in row] for row in self.rows]

    def is_number(self, column: int) -> bool:
        """Whether a column holds numbers alone."""
        values = [row[column] for row in self.rows if row[column] is not None]
        return bool(values) and all(isinstance(value, int | float) for value in values)


def write(tables: Sequence[ResultTable], path: Path, *, private: bool = False) -> None:
    """Write tables into a file, one after another, in the format that its name says.

    Args:
        tables: At least one.
        path: Ends with `.csv`, `.tex` or `.html`.
        private: Whether nobody but its owner may read it.

    Raises:
        UsageError: Its name says no format.
    """
    check_name(path)
    files.write(path, "\n".join(FORMATS[path.suffix.lower()](table) for table in tables), private=private)


def check_name(path: Path) -> None:
    """Refuse a name that says no format.

    Raises:
        UsageError: It does.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: the name must end with {', '.join(FORMATS)}, which says the format")


FORMATS: dict[str, Callable[[ResultTable], str]] = {".csv": ResultTable.to_csv, ".tex": ResultTable.to_latex, ".html": ResultTable.to_html}
"""By the end of a file's name how a table is written."""


def printed(value: Value) -> str:
    """A cell as text: three digits, nothing for None."""
    if value is None:
        return ""
    return f"{value:z.{DIGITS}f}" if isinstance(value, float) else str(value)


def _inert(value: Value) -> Value:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


class Presented:
    """What has a table can be shown: a subclass defines `table` and `points`."""

    __slots__ = ()

    @abstractmethod
    def table(self) -> ResultTable:
        """The table that people see."""

    @abstractmethod
    def points(self) -> tuple[Point, ...]:
        """What `plot` draws, from the top down."""

    def to_frame(self) -> pd.DataFrame:
        """The table as a frame of pandas."""
        return self.table().to_frame()

    def to_csv(self) -> str:
        """The table as CSV."""
        return self.table().to_csv()

    def to_latex(self) -> str:
        """The table as LaTeX, with caption and label."""
        return self.table().to_latex()

    def _repr_html_(self) -> str:
        return self.table().to_html()

    def plot(self, axes: Any = None) -> Any:
        """Draw the scores with their intervals.

        Args:
            axes: Axes of matplotlib to draw on; new ones by default.

        Returns:
            The axes.

        Raises:
            UnavailableError: matplotlib is not installed.
        """
        return forest(self.points(), self.table().caption, axes)
