"""Reading tables that strangers made: JSONL, JSON, CSV and Parquet, distinguished by their content, with all that is wrong at once.

Nothing here knows what the columns mean. Nothing is executed, unpacked or fetched; a message never holds a cell's content.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from harness.formats.complaints import Complaints
from harness.formats.tabular import from_csv, from_json, from_memory, from_parquet
from harness.formats.tabular.rows import MAX_COLUMNS, Row, Stopped, study_id
from harness.quiet import Quiet

__all__ = ["Row", "Table", "check_name", "having", "name_of", "of", "parse", "read", "renamed", "study_id"]

MAX_BYTES = 1 << 30
"""A file over 1 GiB is refused unread; MIMIC-CXR's 227,835 reports are about a seventh of that."""
MAX_ROWS = 2_000_000
KEPT = 64 << 20
"""The rows of a larger file are read again whenever they are wanted, so that memory does not grow with the file."""

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
    """`csv`, `jsonl`, `json`, `mapping` (a JSON object from id to text), `parquet`, `memory`, or empty where it is none of them."""
    columns: tuple[str, ...] = ()
    """In lower case, without blanks around them, in the order of their first appearance."""
    rows: Iterable[Row] = field(default=(), repr=False)
    """Can be iterated more than once."""
    count: int = 0
    """How many rows."""
    complete: bool = True
    """False where reading had to stop early: what is absent from the rows may follow later in the file."""


@dataclass(frozen=True, slots=True, repr=False)
class _Origin(Quiet):
    """What is read: a file or bytes, opened again for every pass."""

    open: Callable[[], IO[bytes]] = field(repr=False)
    size: int

    def ends(self) -> tuple[bytes, bytes]:
        """The first bytes and the last one."""
        with self.open() as stream:
            head = stream.read(4096)
            stream.seek(max(0, self.size - 1))
            return head, stream.read(1)

    def lines(self, newline: str = "\n") -> Iterator[str]:
        """The lines with their ends; what is not UTF-8, and NUL, is replaced by U+FFFD."""
        with self.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline=newline) as text:
            for line in text:
                yield line.replace("\0", "\ufffd")

    def parsed(self, kind: str, complaints: Complaints) -> Iterator[Row]:
        """The rows by the reader of a format."""
        if kind == "parquet":
            with self.open() as stream:
                yield from from_parquet.rows(stream, complaints)
        elif kind == "csv":
            yield from from_csv.rows(self.lines(newline=""), complaints)
        else:
            yield from (from_json.lines if kind == "jsonl" else from_json.document)(self.lines(), complaints)


@dataclass(frozen=True, slots=True, repr=False)
class _Again(Quiet):
    """The rows of a large file, read again by every iteration; what is wrong with them is among the complaints already."""

    content: _Origin
    kind: str
    count: int

    def __iter__(self) -> Iterator[Row]:
        left = self.count
        rows = self.content.parsed(self.kind, Complaints(""))
        while left:
            row = next(rows)
            if row.line:
                left -= 1
                yield row


@dataclass(frozen=True, slots=True, repr=False)
class _Renamed(Quiet):
    """Rows whose cells have other names."""

    rows: Iterable[Row] = field(repr=False)
    names: Mapping[str, str]

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            yield row._replace(cells={self.names.get(name, name): cell for name, cell in row.cells.items()})


def renamed(table: Table, names: Mapping[str, str], complaints: Complaints) -> Table:
    """A table whose columns are called as the program calls them.

    Args:
        table: As it was read.
        names: By the program's name of a column what the file calls it; where neither name is there, that is a complaint.
        complaints: Takes them.
    """
    back = {given.strip().lower(): name for name, given in names.items()}
    for given, name in back.items():
        if table.columns and not {given, name} & set(table.columns):
            option = "--id-column" if name == "study_id" else f"--{name}-column"
            complaints.add("no column", f"there is no column of the name that {option} gives", f"Correct {option}", 1)
    back = {given: name for given, name in back.items() if given in table.columns}
    if not back:
        return table
    moved = {**{name: f"another {name}" for name in back.values() if name not in back}, **back}
    return replace(table, columns=tuple(moved.get(name, name) for name in table.columns), rows=_Renamed(table.rows, moved))


def having(path: Path, names: Mapping[str, str]) -> dict[str, str]:
    """The names that the file has as columns; arguments as for `renamed`."""
    columns = read(path, Complaints("")).columns if names else ()
    return {name: given for name, given in names.items() if given.strip().lower() in columns}


def name_of(source: object) -> str:
    """What a message calls a source of reports."""
    return str(source) if isinstance(source, Path | str) else "the reports"


def of(source: Any, complaints: Complaints) -> Table:
    """A table from a file, or from what is in memory: a dict from id to text, a list of texts or rows, a table of pandas.

    Raises:
        UsageError: It is none of these.
    """
    if isinstance(source, Path | str):
        return read(Path(source), complaints)
    rows = from_memory.rows(source)
    columns = dict.fromkeys(name for row in rows for name in row.cells)
    return Table("memory", tuple(columns) or ("study_id", "report"), tuple(rows), len(rows))


def read(path: Path, complaints: Complaints) -> Table:
    """Read a table from a file; what is wrong with it goes into `complaints`."""
    try:
        if not path.is_file():
            complaints.add("no file", "there is no such file" if not path.exists() else "it is not a file", "Name a file")
            return Table("", complete=False)
        size = path.stat().st_size
        if size > MAX_BYTES:
            complaints.add("too large", f"it holds more than {MAX_BYTES >> 30} GiB", "Split it, or keep only the columns that are read")
            return Table("", complete=False)
        table = _read(_Origin(lambda: path.open("rb"), size), complaints)
    except OSError as error:
        complaints.add("unreadable", f"it cannot be read ({type(error).__name__})", "Check its permissions")
        return Table("", complete=False)
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
    return _read(_Origin(lambda: io.BytesIO(data), len(data)), complaints)


def _read(content: _Origin, complaints: Complaints) -> Table:
    head, last = content.ends()
    if head.startswith(b"PAR1"):
        return _collect("parquet", content, complaints)
    if (foreign := _foreign(head, last)) is not None:
        remedy = "Save it as UTF-8" if "UTF-8" in foreign else _SAVE_AS
        complaints.add("not a table", f"it is {foreign}, which is not read", remedy)
        return Table("", complete=False)
    kind = _shape(content.lines())
    if not kind:
        complaints.add("empty file", "it is empty", "Write a header and one row a study")
        return Table("", complete=False)
    _check_text(content, complaints)
    return _collect(kind, content, complaints)


def _collect(kind: str, content: _Origin, complaints: Complaints) -> Table:
    columns: dict[str, None] = {}
    kept: list[Row] | None = [] if content.size <= KEPT else None
    count, complete = 0, True
    try:
        for row in content.parsed(kind, complaints):
            if count == MAX_ROWS:
                complaints.add("too many rows", f"it holds more than {MAX_ROWS:,} rows", "Split it")
                raise Stopped
            if row.line:
                count += 1
                if kept is not None:
                    kept.append(row)
            if row.cells.keys() - columns.keys():
                columns.update(dict.fromkeys(row.cells))
                if len(columns) > MAX_COLUMNS:
                    complaints.add("too many columns", f"it has more than {MAX_COLUMNS} columns", "Keep those that are read")
                    raise Stopped
    except Stopped:
        complete = False
    rows = _Again(content, kind, count) if kept is None else tuple(kept)
    return Table(kind, tuple(columns), rows, count, complete)


def _foreign(head: bytes, last: bytes) -> str | None:
    """What the content is where it is no table at all; known by its first bytes and its last."""
    for magic, name in _REFUSED:
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar":
        return "a tar archive"
    if (last == b"." and _PICKLE.match(head)) or head[:1] == b"\x80":
        return "a Python pickle"
    if _WEB_PAGE.match(head):
        return "a web page or XML"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text in UTF-16, not UTF-8"
    return None


def _check_text(content: _Origin, complaints: Complaints) -> None:
    """Every line that is not UTF-8 or holds a NUL byte is a problem of its own."""
    with content.open() as stream:
        for number, line in enumerate(stream, 1):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            try:
                line.decode()
            except UnicodeDecodeError as error:
                what = f"byte {error.start + 1} of the line is not UTF-8"
                complaints.add("not UTF-8", what, "Save the file as UTF-8; it may be in Windows-1252 or GB18030 now", number)
            if b"\0" in line:
                place = line.decode(errors="replace").index("\0") + 1
                complaints.add("NUL", f"character {place} of the line is a NUL", "Write the file again as plain text", number)


def _shape(lines: Iterator[str]) -> str:
    """Which of the text formats it is; empty where there is no text.

    A JSON object that begins on the first line is JSON Lines where the next line begins an object as well, or where it names
    `study_id`; otherwise it maps ids to texts.
    """
    filled = (line.lstrip() for line in lines if line.strip())
    first = next(filled, "")
    if first[:1] == "[":
        return "json"
    if first[:1] != "{":
        return "csv" if first else ""
    if '"study_id"' in first.lower() or next(filled, "")[:1] == "{":
        return "jsonl"
    return "mapping"
