"""Parquet: flat columns only, and no value is unfolded before its length is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from harness.formats.complaints import Complaints
from harness.formats.tabular.rows import MAX_COLUMNS, Row, Stopped

MAX_VALUE = 1_000_000
"""Bytes of one value. A dictionary can repeat one long value in every row for almost no bytes of the file."""
MAX_UNPACKED = 2 << 30


def rows(stream: IO[bytes], complaints: Complaints) -> Iterator[Row]:
    """The columns, then every row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        plain = pq.ParquetFile(stream)
        columns = _flat(plain, complaints)
        text = [field.name for field in plain.schema_arrow if _is_text(field.type)]
        file = pq.ParquetFile(stream, read_dictionary=text)
        nested: dict[str, Any] = {field.name.strip().lower(): [] for field in plain.schema_arrow if pa.types.is_nested(field.type)}
        yield Row(0, {field.name.strip().lower(): None for field in plain.schema_arrow})
        number = 0
        for batch in file.iter_batches(1024, columns=columns) if columns else ():
            _refuse_long(batch, number, complaints)
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, {name.strip().lower(): value for name, value in cells.items()} | nested)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        what = f"it begins like Parquet and cannot be read ({type(error).__name__}): it is cut off or damaged"
        complaints.add("broken Parquet", what, "Write or copy it again")
        raise Stopped from None


def _flat(file: Any, complaints: Complaints) -> list[str]:
    """The columns that hold one value a row; the others are never unfolded and are as empty lists in the rows."""
    import pyarrow as pa

    if sum(file.metadata.row_group(index).total_byte_size for index in range(file.metadata.num_row_groups)) > MAX_UNPACKED:
        complaints.add("too large", f"it unpacks to more than {MAX_UNPACKED >> 30} GiB", "Split it, or keep only the columns that are read")
        raise Stopped
    if len(file.schema_arrow) > MAX_COLUMNS:
        what = f"it has {len(file.schema_arrow):,} columns; {MAX_COLUMNS} are allowed"
        complaints.add("too many columns", what, "Keep those that are read")
        raise Stopped
    names = [field.name.strip().lower() for field in file.schema_arrow]
    for position, name in enumerate(names):
        if name in names[:position]:
            complaints.add("column twice", f"columns {names.index(name) + 1} and {position + 1} have one name", "Rename one")
    if len(set(names)) < len(names):
        raise Stopped
    return [field.name for field in file.schema_arrow if not pa.types.is_nested(field.type)]


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _refuse_long(batch: Any, number: int, complaints: Complaints) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in batch.columns:
        values = column.dictionary if pa.types.is_dictionary(column.type) else column
        if _is_text(values.type) and (pc.max(pc.binary_length(values)).as_py() or 0) > MAX_VALUE:
            complaints.add(
                "over-long", f"a value of this row or the next 1,024 holds more than {MAX_VALUE:,} bytes", "Shorten it", number + 1
            )
            raise Stopped
