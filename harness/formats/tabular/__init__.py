"""Reading tables that strangers made: JSONL, JSON, CSV and Parquet, told apart by their content, with all that is wrong at once.

Nothing here knows what the columns mean. Nothing is executed, unpacked or fetched; a message never holds a cell's content.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.formats.complaints import Complaints
from harness.formats.tabular import from_csv, from_json, from_parquet
from harness.formats.tabular.rows import MAX_COLUMNS, Row, Stopped, study_id
from harness.quiet import Quiet

__all__ = ["Row", "Table", "check_name", "parse", "read", "study_id"]

MAX_BYTES = 1 << 30
"""A file over 1 GiB is refused unread; MIMIC-CXR's 227,835 reports are about a seventh of that."""
MAX_ROWS = 2_000_000

_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".parquet": "parquet", ".pq": "parquet"}
_NAMES = {"csv": "CSV", "jsonl": "JSON Lines", "json": "JSON", "parquet": "Parquet"}
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow or Feather file"),
    (b"{\\rtf", "a rich text document"),
)
_PICKLE = re.compile(rb"\x80[\x01-\x05][\x00-\xff]|\(dp?0?\n|\(lp?0?\n|c[a-z_.]+\n")
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
_SAVE_AS = "Save the table as CSV, JSON Lines or Parquet"


@dataclass(frozen=True, slots=True, repr=False)
class Table(Quiet):
    """What could be read of a file."""

    format: str
    """`csv`, `jsonl`, `json`, `mapping` (a JSON object from id to text), `parquet`, or empty where it is none of them."""
    columns: tuple[str, ...] = ()
    """In lower case, without blanks around them, in the order of their first appearance."""
    rows: tuple[Row, ...] = field(default=(), repr=False)
    complete: bool = True
    """False where reading had to stop early: what is absent from the rows may stand further on in the file."""


def read(path: Path, complaints: Complaints) -> Table:
    """Read a table from a file; what is wrong with it goes into `complaints`."""
    try:
        if not path.is_file():
            complaints.add("no file", "there is no such file" if not path.exists() else "it is not a file", "Name a file")
            return Table("", complete=False)
        if path.stat().st_size > MAX_BYTES:
            complaints.add("too large", f"it holds more than {MAX_BYTES >> 30} GiB", "Split it, or keep only the columns that are read")
            return Table("", complete=False)
        data = path.read_bytes()
    except OSError as error:
        complaints.add("unreadable", f"it cannot be read ({type(error).__name__})", "Check its permissions")
        return Table("", complete=False)
    table = parse(data, complaints)
    check_name(path.name, table, complaints)
    return table


def check_name(name: str, table: Table, complaints: Complaints) -> None:
    """Warn where a file's name says another format than its content."""
    named = _SUFFIXES.get(Path(name).suffix.lower())
    found = "json" if table.format == "mapping" else table.format
    if named and found and named != found:
        complaints.warn("name", f"its name says {_NAMES[named]}, its content is {_NAMES[found]}; the content was believed")


def parse(data: bytes, complaints: Complaints) -> Table:
    """Read a table from a file's content; what is wrong with it goes into `complaints`."""
    if not data.strip():
        complaints.add("empty file", "it is empty", "Write a header and one row a study")
        return Table("", complete=False)
    if data.startswith(b"PAR1"):
        return _collect("parquet", from_parquet.rows(data, complaints), complaints)
    if (foreign := _foreign(data)) is not None:
        remedy = "Save it as UTF-8" if "UTF-8" in foreign else _SAVE_AS
        complaints.add("not a table", f"it is {foreign}, which is not read", remedy)
        return Table("", complete=False)
    text = _decode(data, complaints)
    kind = _shape(text)
    reader = {"csv": from_csv.rows, "jsonl": from_json.lines}.get(kind, from_json.document)
    return _collect(kind, reader(text, complaints), complaints)


def _collect(kind: str, rows: Iterator[Row], complaints: Complaints) -> Table:
    columns: dict[str, None] = {}
    kept: list[Row] = []
    complete = True
    try:
        for row in rows:
            if len(kept) == MAX_ROWS:
                complaints.add("too many rows", f"it holds more than {MAX_ROWS:,} rows", "Split it")
                raise Stopped
            if row.line:
                kept.append(row)
            if row.cells.keys() - columns.keys():
                columns.update(dict.fromkeys(row.cells))
                if len(columns) > MAX_COLUMNS:
                    complaints.add("too many columns", f"it has more than {MAX_COLUMNS} columns", "Keep those that are read")
                    raise Stopped
    except Stopped:
        complete = False
    return Table(kind, tuple(columns), tuple(kept), complete)


def _foreign(data: bytes) -> str | None:
    """What the content is where it is no table at all; known by its first bytes."""
    for magic, name in _REFUSED:
        if data.startswith(magic):
            return name
    if data[257:262] == b"ustar":
        return "a tar archive"
    if (data[-1:] == b"." and _PICKLE.match(data)) or data[:1] == b"\x80":
        return "a Python pickle"
    if _WEB_PAGE.match(data):
        return "a web page or XML"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text in UTF-16, not UTF-8"
    return None


def _decode(data: bytes, complaints: Complaints) -> str:
    """Text from bytes; every line that is not UTF-8 or holds a NUL byte is a problem of its own."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                what = f"byte {error.start + 1} of the line is not UTF-8"
                complaints.add("not UTF-8", what, "Save the file as UTF-8; it may be in Windows-1252 or GB18030 now", number)
        text = data.decode(errors="replace")
    if "\0" in text:
        for number, part in enumerate(text.split("\n"), 1):
            if "\0" in part:
                complaints.add(
                    "NUL", f"character {part.index(chr(0)) + 1} of the line is a NUL", "Write the file again as plain text", number
                )
        text = text.replace("\0", "\ufffd")
    return text


def _shape(text: str) -> str:
    """Which of the text formats it is.

    A JSON object that begins on the first line is JSON Lines where the next line begins an object as well, or where it names
    `study_id`; otherwise it maps ids to texts.
    """
    head = text.lstrip()
    if head[:1] == "[":
        return "json"
    if head[:1] != "{":
        return "csv"
    first, _, rest = head.partition("\n")
    if rest.lstrip()[:1] == "{" or '"study_id"' in first.lower():
        return "jsonl"
    return "mapping"
