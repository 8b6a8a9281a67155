"""JSON Lines, and JSON as a list of objects or as one object from id to text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.formats.complaints import Complaints
from harness.formats.rexrank import PREDICTION, sections
from harness.formats.tabular.rows import Row, Stopped

_WHITE = re.compile(r"[ \t\r\n]*")


class _Repeated(dict[str, Any]):
    """A JSON object that names a key twice."""

    def __repr__(self) -> str:
        return f"_Repeated({len(self)} keys)"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = {key.strip().lower(): value for key, value in pairs}
    return made if len(made) == len(pairs) else _Repeated(made)


_OBJECTS = json.JSONDecoder(object_pairs_hook=_object)


def lines(text: Iterator[str], complaints: Complaints) -> Iterator[Row]:
    """The rows of JSON Lines; a line that is broken costs that line alone."""
    filled = ((number, line.strip(" \t\r\n")) for number, line in enumerate(text, 1) if line.strip())
    number, line = next(filled, (0, ""))
    while line:
        following = next(filled, (0, ""))
        try:
            yield from _row(number, _OBJECTS.decode(line), complaints)
        except (ValueError, RecursionError) as error:
            what = _broken(error, line, whole=not following[1])
            complaints.add("broken JSON", what, "Write one JSON object a line", number)
        number, line = following


def document(text: Iterator[str], complaints: Complaints) -> Iterator[Row]:
    """The rows of a list of objects, or of one object from id to text; a cut file is read up to the cut. All of it is in memory."""
    for line, key, value in _members("".join(text), complaints):
        if key is None:
            yield from _row(line, value, complaints)
        else:
            yield Row(line, {"study_id": key, **_written(value)})


def _written(value: Any) -> dict[str, Any]:
    """The report of a member: a text, or what ReXrank's prediction files hold beside the references, which are not read."""
    if isinstance(value, dict) and isinstance(value.get(PREDICTION), str):
        findings, impression = sections(value[PREDICTION])
        return {"findings": findings, "impression": impression}
    return {"report": value}


def _row(line: int, value: Any, complaints: Complaints) -> Iterator[Row]:
    if isinstance(value, _Repeated):
        complaints.add("key twice", "the object names a key twice", "Keep one of the two", line)
    elif isinstance(value, dict):
        yield Row(line, value)
    else:
        complaints.add("not an object", "it is not a JSON object", 'Write {"study_id": "...", "report": "..."}', line)


def _members(text: str, complaints: Complaints) -> Iterator[tuple[int, str | None, Any]]:
    """The members of the outermost list or object, each with its line, and its key in an object."""
    text = text.rstrip()
    position, end = _skip(text, 0), len(text) - 1
    closing = "]" if text[position] == "[" else "}"
    line = 1 + text.count("\n", 0, position)
    try:
        while True:
            counted, position = position, _skip(text, position + 1)
            line += text.count("\n", counted, position)
            if position == end and text[end] == closing and text[counted] in "[{":
                return
            start = position
            key, position = _key(text, position) if closing == "}" else (None, position)
            value, position = _OBJECTS.raw_decode(text, position)
            yield line, key, value
            line += text.count("\n", start, position)
            counted, position = position, _skip(text, position)
            line += text.count("\n", counted, position)
            if position == end and text[end] == closing:
                return
            if text[position : position + 1] != ",":
                raise json.JSONDecodeError("no comma, or something after the end", text, position)
    except (ValueError, RecursionError) as error:
        place = min(getattr(error, "pos", position), len(text))
        what = f"{_broken(error, text, whole=True)}; nothing after it was read"
        complaints.add("broken JSON", what, "Write the file again, best as JSON Lines", 1 + text.count("\n", 0, place))
        raise Stopped from None


def _key(text: str, position: int) -> tuple[str, int]:
    """A key, and where its value begins."""
    key, position = json.JSONDecoder().raw_decode(text, position)
    position = _skip(text, position)
    if not isinstance(key, str) or text[position : position + 1] != ":":
        raise json.JSONDecodeError("no key", text, position)
    return key, _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    match = _WHITE.match(text, position)
    return match.end() if match else position


def _broken(error: Exception, text: str, whole: bool) -> str:
    """What is wrong with JSON, without quoting it.

    Args:
        whole: Whether `text` ends where the file ends.
    """
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    position = getattr(error, "pos", 0)
    if "Unterminated" in str(error) or position >= len(text):
        return "the file breaks off here" if whole else "the JSON of this line is not closed"
    return f"it is not JSON at character {position - text.rfind(chr(10), 0, position)} of the line"
