"""Reads a file of reports row by row, in the same memory whatever its size."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

from harness.formats.complaints import Complaints
from harness.formats.tabular import study_id
from harness.formats.tabular.from_csv import LONGEST


def rows(path: Path) -> Iterator[tuple[str, str]]:
    """Study ids and reports of a file (CSV, JSON Lines or Parquet), one by one.

    The columns are `study_id` and `report`, or `study_id`, `findings` and `impression`, which are then joined by a line end.

    Raises:
        InputError: Something is wrong.
    """
    complaints = Complaints(str(path))
    yield from ((name, text) for _, name, text in _checked(path, complaints))
    complaints.check()


def _checked(path: Path, complaints: Complaints) -> Iterator[tuple[int, str, str]]:
    """Line, study id and report of every row with which nothing is wrong by itself."""
    for line, name, text in _rows(path, complaints):
        if not name:
            complaints.add("no id", "the row has no study id", "Write one", line)
        elif not _clean(name + text):
            complaints.add("not UTF-8", "the row holds bytes that are not UTF-8, or a NUL", "Save the file as UTF-8", line)
        else:
            yield line, name, text


def _clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _rows(path: Path, complaints: Complaints) -> Iterator[tuple[int, str, str]]:
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        complaints.add("unreadable", f"it cannot be read ({error.strerror})", "Name a file of reports")
        return
    reader = _parquet if head.startswith(b"PAR1") else _json_lines if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else _csv
    yield from reader(path, complaints)


def _csv(path: Path, complaints: Complaints) -> Iterator[tuple[int, str, str]]:
    with _opened(path) as stream:
        first = stream.readline()
        stream.seek(0)
        reader = csv.reader(stream, delimiter=max(",;\t", key=first.count), strict=True)
        line = 1
        try:
            header = [name.strip().lower() for name in next(reader, [])]
            places = _places(header, complaints)
            while places:
                line = reader.line_num + 1
                fields = next(reader, None)
                if fields is None:
                    return
                if len(fields) == len(header):
                    yield line, study_id(fields[places[0]]), _joined(fields[place] for place in places[1:])
                elif fields:
                    complaints.add("fields", f"the row has {len(fields)} fields, the header {len(header)}", "Quote the report", line)
        except csv.Error:
            complaints.add("quotation marks", "the quotation marks of this row do not match, or the file is cut off", "Mend it", line)


def _json_lines(path: Path, complaints: Complaints) -> Iterator[tuple[int, str, str]]:
    with _opened(path) as stream:
        for line, content in enumerate(stream, 1):
            if not content.strip():
                continue
            try:
                item = {str(key).strip().lower(): value for key, value in json.loads(content).items()}
                parts = [item["report"]] if "report" in item else [item[name] for name in _SECTIONS]
                yield line, study_id(item["study_id"]), _joined(parts)
            except (ValueError, AttributeError, KeyError, RecursionError):
                what = "it is not a JSON object with study_id and report"
                complaints.add("broken JSON", what, 'Write {"study_id": "...", "report": "..."}', line)


def _parquet(path: Path, complaints: Complaints) -> Iterator[tuple[int, str, str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    try:
        file = pq.ParquetFile(path)
        places = _places([name.strip().lower() for name in file.schema_arrow.names], complaints)
        names = [file.schema_arrow.names[place] for place in places]
        for batch in file.iter_batches(1000, columns=names) if names else ():
            columns = batch.to_pydict()
            for cells in zip(*(columns[name] for name in names), strict=True):
                line += 1
                yield line, study_id(cells[0]), _joined(cells[1:])
    except (pa.ArrowException, OSError, ValueError) as error:
        complaints.add("broken Parquet", f"it cannot be read ({type(error).__name__})", "Write or copy it again", line or None)


_SECTIONS = ("findings", "impression")


def _places(header: Sequence[str], complaints: Complaints) -> list[int]:
    """Where the id and the text stand; empty where a column is missing or stands twice."""
    text = _SECTIONS if "report" not in header and set(_SECTIONS) <= set(header) else ("report",)
    for name in ("study_id", *text):
        if header.count(name) != 1:
            complaints.add("columns", f"it has {header.count(name)} columns called {name}", "It needs exactly one", 1)
    return [] if complaints.problems else [header.index(name) for name in ("study_id", *text)]


def _joined(parts: Iterable[object]) -> str:
    """The sections of a report; what is no text is none."""
    return "\n".join(part for part in parts if isinstance(part, str) and part)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    csv.field_size_limit(LONGEST)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        yield stream


def inspect(path: Path) -> int:
    """Read a file through, once, for everything that is wrong with it.

    Returns:
        How many reports it holds.

    Raises:
        InputError: With all problems.
    """
    complaints = Complaints(str(path))
    seen: set[bytes] = set()
    count = 0
    for line, name, _ in _checked(path, complaints):
        count += 1
        key = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        if key in seen:
            complaints.add("id twice", "the study has a row already", "Keep one row a study", line, name)
        seen.add(key)
    if not count and not complaints.problems:
        complaints.add("no rows", "it holds no report", "Write a header and one row a study")
    complaints.check()
    return count
