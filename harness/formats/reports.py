"""Reports files: one report a study, from anybody's system, checked before anything is scored.

A file holds `study_id` and `report`, or `study_id` with `findings` and `impression`, as JSON Lines, JSON, CSV or Parquet; the content
decides which. A study without a row is missing and a row without text is empty: both are warnings, because both are scored, as
nothing asserted. Everything else that is wrong is a problem, all problems come at once, and none of them quotes a report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.formats import tabular
from harness.formats.complaints import Complaints, shown
from harness.formats.nearest_id import Nearest
from harness.formats.report_text import clean, faults, id_fault, kind_of
from harness.quiet import Quiet
from harness.storage import files, report_lines
from harness.types import ReportSet, Section

_KNOWN_COLUMNS = ("study_id", "report", "findings", "impression")
_ID_NAMES = re.compile(
    r"(?:study|image|case|dicom|report)?_?(?:u?id|name|key)s?|study(?:_instance_uid)?|image|file(?:_?name)?|path|key|case"
)
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_REPORT_NAMES = re.compile(
    r"(?:report_)?texts?|reports|(?:predict|generat)(?:ed|ions?)(?:_(?:report|text))?s?|preds?|hyp(?:othesis)?|(?:model_)?outputs?"
    r"|responses?|answers?|candidates?|captions?"
)


def read(
    source: Any,
    expected: Collection[str] | None = None,
    section: Section = Section.BOTH,
    *,
    cleaned: bool = False,
    columns: Mapping[str, str] | None = None,
) -> ReportSet:
    """Read and check reports.

    Args:
        source: A file, or reports in memory (see `harness.formats.tabular.of`).
        expected: The ids of the cohort's scored studies; None where any id will do.
        section: Which of the columns `findings` and `impression` make up the report; a column `report` is taken whole.
        cleaned: Take stray markup and control characters out of the reports instead of refusing the file.
        columns: By `study_id` and `report` what the file calls them, where that differs.

    Raises:
        InputError: The file cannot be scored; holds every problem, the first 20 of a kind in words.
    """
    complaints = Complaints(tabular.name_of(source))
    changed: set[str] | None = set() if cleaned else None
    table = tabular.renamed(tabular.of(source, complaints), columns or {}, complaints)
    reports = check(table, complaints, expected, section, changed)
    complaints.check()
    return ReportSet(reports, tuple(map(str, complaints.warnings)), len(changed or ()))


def inspect(path: Path) -> int:
    """Read a reports file to its end without keeping it.

    Returns:
        How many reports it holds.

    Raises:
        InputError: As `read`, where any id will do.
    """
    complaints = Complaints(str(path))
    count = sum(1 for _ in checked(tabular.read(path, complaints), complaints, changed=set()))
    complaints.check()
    return count


def rows(path: Path) -> Iterator[tuple[str, str]]:
    """Study ids and cleaned reports of a file in its order, one by one; of a large file, memory holds the ids and one report.

    Raises:
        InputError: After the last report, where `inspect` raises it.
    """
    complaints = Complaints(str(path))
    yield from checked(tabular.read(path, complaints), complaints, changed=set())
    complaints.check()


def write(path: Path, reports: Mapping[str, str]) -> None:
    """Write a reports file in the canonical form, atomically."""
    files.write(path, report_lines.canonical(reports))


def check(
    table: tabular.Table,
    complaints: Complaints,
    expected: Collection[str] | None = None,
    section: Section = Section.BOTH,
    changed: set[str] | None = None,
) -> dict[str, str]:
    """The reports of a table that can be used, by study id; arguments as for `checked`."""
    return dict(checked(table, complaints, expected, section, changed))


def checked(
    table: tabular.Table,
    complaints: Complaints,
    expected: Collection[str] | None = None,
    section: Section = Section.BOTH,
    changed: set[str] | None = None,
) -> Iterator[tuple[str, str]]:
    """Check a table as a reports file: the one reader behind `score`, `validate`, `label` and the board's submissions.

    Args:
        table: As `harness.formats.tabular` read it.
        complaints: Takes everything that is wrong.
        expected: The ids of the cohort's scored studies; None where any id will do.
        section: As for `read`.
        changed: Takes the ids of the reports that cleaning changed; None to clean nothing.

    Yields:
        Study id and text of the reports that can be used, empty ones included, in the order of the rows. Only to be scored where
        `complaints` holds no problem after the last one.
    """
    if not table.columns:
        if table.format and table.complete:
            complaints.add("no rows", "it holds no row", "Write one row a study")
        return
    sources = _columns(table, complaints, frozenset(expected or ()), section)
    check = _Check(complaints, frozenset(expected) if expected is not None else None, changed)
    for line, cells in table.rows:
        name = check.name(cells, line) if "study_id" in table.columns else ""
        text = check.text(cells, sources, line, name) if sources else None
        if name and text is not None:
            check.texts[hash(text.strip())] += 1
            yield name, text
    if "study_id" in table.columns:
        check.whole(table)


@dataclass(slots=True, repr=False)
class _Check(Quiet):
    """The state of one pass over the rows."""

    complaints: Complaints
    expected: frozenset[str] | None = field(repr=False)
    changed: set[str] | None = field(repr=False)
    texts: Counter[int] = field(default_factory=Counter, repr=False)
    """How often each text occurs, by its hash."""
    lines: dict[str, int] = field(default_factory=dict, repr=False)
    """By study id the line of its first row."""
    nearest: Nearest = field(init=False)

    def __post_init__(self) -> None:
        self.nearest = Nearest(self.expected or ())

    def name(self, cells: Mapping[str, Any], line: int) -> str:
        """The row's study id, or empty where it has none that can be used."""
        cell = cells.get("study_id")
        name = tabular.study_id(cell)
        if not name:
            blank = cell is None or isinstance(cell, str)
            what = "the row has no study id" if blank else f"the study id is {kind_of(cell)}, not text"
            self.complaints.add("no id", what, "Write the study's id" if blank else "Write it as text", line)
        elif what := id_fault(name):
            self.complaints.add("odd id", what, "Are the columns exchanged? Write the cohort's ids", line)
        elif name in self.lines:
            what = f"the study has a row already, on line {self.lines[name]}"
            self.complaints.add("id twice", what, "Keep one row a study", line, name)
        else:
            self.lines[name] = line
            if self.expected is None or name in self.expected:
                return name
            self._unknown(name, line)
        return ""

    def _unknown(self, name: str, line: int) -> None:
        told = shown(name) and not self.complaints.full("unknown id")
        near = self.nearest.to(name) if told else ""
        remedy = f"The nearest id there is {near!r}" if near else "Use the ids of the cohort, and remove rows of other studies"
        self.complaints.add("unknown id", "the study is not one that the cohort scores", remedy, line, name)

    def text(self, cells: Mapping[str, Any], sources: tuple[str, ...], line: int, name: str) -> str | None:
        """The row's report, or None where it cannot be used."""
        values = [cells.get(column) for column in sources]
        if not any(column in cells for column in sources):
            self.complaints.add("no report", f"the row has no {' or '.join(sources)}", "Write it, or remove the row", line, name)
            return None
        parts = []
        sound = True
        for value in (self._cleaned(value, line, name) for value in values):
            for kind, what, remedy in faults(value):
                self.complaints.add(kind, what, remedy, line, name)
                sound = False
            if isinstance(value, str) and value.strip():
                parts.append(value)
        if sound and not parts:
            self.complaints.warn("empty report", "the report has no text and counts as asserting nothing", "", line, name)
        return "\n".join(parts) if sound else None

    def _cleaned(self, value: Any, line: int, name: str) -> Any:
        """A cell as it is checked: cleaned where that was asked for, and noted where cleaning changed it."""
        if self.changed is None or not isinstance(value, str) or (text := clean(value)) == value:
            return value
        if name and name not in self.changed:
            self.changed.add(name)
            self.complaints.warn("cleaned", "stray markup or control characters were taken out of the report", "", line, name)
        return text

    def whole(self, table: tabular.Table) -> None:
        """What can only be said of the file as a whole."""
        if not table.count and not self.complaints.problems:
            self.complaints.add("no rows", "it holds a header and no row", "Write one row a study")
        if self.expected is not None and table.complete and self.lines:
            missing = sorted(self.expected - self.lines.keys())
            if len(missing) == len(self.expected):
                what = f"none of its ids is among the {len(missing):,} studies that the cohort scores"
                self.complaints.add("no id matches", what, "Is it the right cohort, and does study_id hold the ids?")
                self.complaints.explain("no id matches", "unknown id")
            else:
                for name in missing:
                    self.complaints.warn("missing study", "the study has no row and counts as asserting nothing", study=name)
        most = max(self.texts.values(), default=0)
        if most > 1 and 2 * most > len(self.lines):
            self.complaints.warn("one text", f"one text stands for {most:,} of its {len(self.lines):,} studies", "Is that meant?")


def _columns(table: tabular.Table, complaints: Complaints, known: frozenset[str], section: Section) -> tuple[str, ...]:
    """The columns that make up a report; what is wrong with the columns goes into the complaints."""
    held = set(table.columns)
    parts = tuple(name for name in ("findings", "impression") if name in held)
    wanted = tuple(name for name in parts if section is Section.BOTH or name == section.value)
    if table.format == "csv" and not held & set(_KNOWN_COLUMNS) and held & {name.lower() for name in known}:
        complaints.add("no header", "the first line is a row, not a header", "Write the line study_id,report above it", 1)
        return ()
    if "study_id" not in held:
        complaints.add("no column", "there is no column study_id", _rename(table.columns, "study_id", _ID_NAMES), 1)
    if "report" in held and parts:
        what = f"there is a column report and a column {parts[0]}"
        complaints.add("two reports", what, "Keep report, or findings and impression", 1)
    elif not parts and "report" not in held:
        what = "there is no column report, and neither findings nor impression"
        complaints.add("no column", what, _rename(table.columns, "report", _REPORT_NAMES), 1)
    elif parts and not wanted:
        complaints.add("no column", f"the cohort scores the {section.value}, and there is no such column", "Add it", 1)
    extra = [_called(name, position) for position, name in enumerate(table.columns, 1) if name not in _KNOWN_COLUMNS]
    if extra and "study_id" in held and (wanted or "report" in held):
        complaints.warn("other columns", f"not read: column {', '.join(extra[:20])}{' and more' if len(extra) > 20 else ''}")
    return ("report",) if "report" in held else wanted


def _called(name: str, position: int) -> str:
    """A column by its name where that is one plain word, else by its position: a header may be anything."""
    return name if _COLUMN_NAME.fullmatch(name) else str(position)


def _rename(columns: tuple[str, ...], wanted: str, aliases: re.Pattern[str]) -> str:
    """A remedy: which column to rename. Columns are named by position, for in a file without a header they are a row."""
    for position, column in enumerate(columns, 1):
        if column not in _KNOWN_COLUMNS and (aliases.fullmatch(column) or get_close_matches(column[:60], [wanted], cutoff=0.75)):
            return f"Rename column {position} to {wanted}"
    return f"Name the column so: the first line is study_id,report{'' if wanted == 'report' else ' or study_id,findings,impression'}"
