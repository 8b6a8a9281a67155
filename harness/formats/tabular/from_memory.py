"""Tables that are in memory: reports by study id, lists of texts or of rows, tables of pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.formats.tabular.rows import Row

TAKES = "a path, a dict {study_id: report}, a list of reports, a list of rows, or a table of pandas"


def is_pairs(value: object) -> bool:
    """Whether it is a list of texts, which are numbered because they have no ids."""
    return _is_list(value) and all(isinstance(item, str) for item in value)  # type: ignore[attr-defined]


def rows(value: Any) -> list[Row]:
    """The rows of a value, numbered from 1, with the cells by column in lower case.

    Raises:
        UsageError: It is none of what can be a table.
    """
    return [Row(number, cells) for number, cells in enumerate(_cells(value), 1)]


def _cells(value: Any) -> Iterator[dict[str, Any]]:
    if hasattr(value, "columns") and hasattr(value, "itertuples"):
        yield from _of_pandas(value)
    elif isinstance(value, Mapping):
        yield from ({"study_id": _plain(name), "report": _plain(text)} for name, text in value.items())
    elif is_pairs(value):
        yield from ({"study_id": str(number), "report": text} for number, text in enumerate(value, 1))
    elif _is_list(value) and all(isinstance(item, Mapping) for item in value):
        yield from ({_name(name): _plain(cell) for name, cell in item.items()} for item in value)
    else:
        raise UsageError(f"reports are {TAKES}, not {type(value).__name__}")


def _of_pandas(table: Any) -> Iterator[dict[str, Any]]:
    names = [_name(name) for name in table.columns]
    if "study_id" not in names and _name(table.index.name) == "study_id":
        table, names = table.reset_index(), ["study_id", *names]
    for row in table.itertuples(index=False, name=None):
        yield {name: _plain(cell) for name, cell in zip(names, row, strict=True)}


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _name(name: object) -> str:
    return str(name).strip().lower()


def _plain(cell: Any) -> Any:
    """A cell as Python's own type; what pandas writes for an empty cell is None."""
    value = cell.item() if hasattr(cell, "item") else cell
    return None if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value else value
