"""A file of study ids: one a line, the first column of a CSV file with a heading, or ReXrank's list in JSON."""

from __future__ import annotations

from pathlib import Path

from harness.errors import InputError, Problem
from harness.formats import rexrank

_HEADINGS = frozenset({"study_id", "study", "dicom_id", "image_id", "id", "uid"})


def read_ids(path: Path) -> list[tuple[int, str]]:
    """The ids with their line numbers, in JSON with their places; empty lines and lines that begin with # do not count.

    Raises:
        InputError: The file cannot be read, or names nobody.
    """
    if path.suffix.lower() == ".json":
        return list(enumerate(rexrank.ids(path), 1))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"it cannot be read ({type(error).__name__})", "Give a text file of ids, one a line", str(path))) from None
    first = [(number, line.partition(",")[0].strip().strip('"')) for number, line in enumerate(lines, 1)]
    ids = [(number, name) for number, name in first if name and not name.startswith("#") and name.lower() not in _HEADINGS]
    if not ids:
        raise InputError(Problem("there is no id in it", "Give a text file of ids, one a line", str(path)))
    return ids
