"""Stamps in the names of files: they sort in the order in which the files were written, even where a clock ran fast for a while."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

_STAMP: Final = re.compile(r"(\d{8}T\d{6})(?:\.(\d{6}))?Z", re.ASCII)
_FORM: Final = "%Y%m%dT%H%M%S.%f"


def key(name: str) -> str:
    """What a file sorts by among its kind: its stamp with microseconds; empty where its name has none."""
    found = _STAMP.search(name)
    return f"{found[1]}.{found[2] or '000000'}" if found else ""


def moment(name: str) -> datetime | None:
    """When a file was written, by the stamp in its name; None where it has none."""
    try:
        return datetime.strptime(key(name), _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def next_stamp(names: Iterable[str], now: datetime) -> str:
    """A stamp that sorts after those in some names: the clock's time, or a microsecond after the newest of them.

    Args:
        names: File names.
        now: The clock's time.
    """
    known = (found for item in sorted(names, key=key, reverse=True) if (found := moment(item)) and found.year < datetime.max.year)
    newest = next(known, None)
    return f"{(max(now, newest + timedelta(microseconds=1)) if newest else now).strftime(_FORM)}Z"
