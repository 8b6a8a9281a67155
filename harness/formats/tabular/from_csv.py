"""CSV: comma, semicolon or tab, with quotation marks as RFC 4180 has them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from typing import Any

from harness.formats.complaints import Complaints
from harness.formats.tabular.rows import MAX_COLUMNS, Row, Stopped

LONGEST = 10_000_000
"""Characters of a field. The csv module keeps one limit for the whole process, which other packages change: it is set before each reading."""


def rows(lines: Iterator[str], complaints: Complaints) -> Iterator[Row]:
    """The header, then every row that has as many fields as the header; the delimiter is the one that the header holds most of.

    Args:
        lines: The file's lines with their line ends.
        complaints: Takes what is wrong.
    """
    before: list[str] = []
    for first in lines:
        before.append(first)
        if first.strip("\r\n"):
            break
    delimiter = max(",;\t", key=before[-1].count)
    csv.field_size_limit(LONGEST)
    records = _records(csv.reader(chain(before, lines), delimiter=delimiter, strict=True), complaints)
    start, header = next(records, (1, []))
    columns = [name.strip().lower() for name in header]
    if len(columns) > MAX_COLUMNS:
        complaints.add("too many columns", f"it has {len(columns):,} columns; {MAX_COLUMNS} are allowed", "Keep those that are read", start)
        raise Stopped
    for position, name in enumerate(columns):
        if name in columns[:position]:
            complaints.add("column twice", f"columns {columns.index(name) + 1} and {position + 1} have one name", "Rename one", start)
    if len(set(columns)) < len(columns):
        raise Stopped
    yield Row(0, dict.fromkeys(columns))
    for line, fields in records:
        if len(fields) == len(columns):
            yield Row(line, dict(zip(columns, fields, strict=True)))
            continue
        remedy = "Put text that holds a comma, a quotation mark or a line break in quotation marks"
        complaints.add("fields", f"fields: {len(fields)} in this row, {len(columns)} in the header", remedy, line)


def _records(reader: Any, complaints: Complaints) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file that are not blank, each with the line that it begins on."""
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                what, remedy = "a quotation mark opened in this row is never closed", "The file is cut off, or close the quotation mark"
            elif "limit" in str(error):
                what = f"a field of this row has more than {LONGEST:,} characters"
                remedy = "Close the quotation mark, or shorten the report"
            else:
                what, remedy = "the quotation marks of this row do not match", 'Double each quotation mark inside a report: ""'
            complaints.add("quotation marks", f"{what}; nothing after it was read", remedy, line)
            raise Stopped from None
        if fields:
            yield line, fields
