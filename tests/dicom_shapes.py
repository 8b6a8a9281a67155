"""DICOM files with far more structure than a film has, and of depths that no film has; written byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.films import dicom, drawn

ITEM, ITEM_END, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
OPEN = b"\xff\xff\xff\xff"
SEQUENCE = b"\x08\x00\x40\x11SQ\x00\x00"
"""Referenced Image Sequence, before its length."""
TABLES = b"\x28\x00\x10\x30SQ\x00\x00"
"""VOI LUT Sequence."""


def element(tag: bytes, kind: bytes, value: bytes) -> bytes:
    """One element with a long length."""
    return tag + kind + b"\x00\x00" + struct.pack("<I", len(value)) + value


def within(extra: bytes, before: bytes = b"\x10\x00\x10\x00") -> bytes:
    """A good film with further elements before its patient's name."""
    whole = dicom(drawn())
    place = whole.index(before)
    return whole[:place] + extra + whole[place:]


def _deep(depth: int) -> bytes:
    return (SEQUENCE + OPEN + ITEM + OPEN) * depth + (ITEM_END + b"\0" * 4 + END + b"\0" * 4) * depth


def _private(count: int) -> bytes:
    return b"".join(struct.pack("<HH", 0x0009, 0x1000 + number % 0xE000) + b"LO\x00\x00" for number in range(count))


def _tables(value: bytes) -> bytes:
    """A film whose look-up tables are these bytes, which pydicom parses when it needs them."""
    return within(element(TABLES[:4], b"SQ", value), b"\xe0\x7f\x10\x00")


EMPTY = ITEM + b"\0" * 4
WIDE: dict[str, Callable[[], bytes]] = {
    "wide sequence of open length": lambda: within(SEQUENCE + OPEN + EMPTY * 1_500_000 + END + b"\0" * 4),
    "wide sequence of open items": lambda: within(SEQUENCE + OPEN + (ITEM + OPEN + ITEM_END + b"\0" * 4) * 700_000 + END + b"\0" * 4),
    "deep sequence": lambda: within(_deep(60_000)),
    "deep sequence that is cut": lambda: within((SEQUENCE + OPEN + ITEM + OPEN) * 900_000),
    "private elements": lambda: within(_private(1_000_000)),
    "wide look-up tables": lambda: _tables(EMPTY * 1_500_000),
    "many look-up tables": lambda: _tables(EMPTY * 150_000),
    "elements in a look-up table": lambda: _tables(
        element(ITEM, b"", _private(400_000))[:4] + struct.pack("<I", 3_200_000) + _private(400_000)
    ),
    "look-up tables of open length": lambda: within(TABLES + OPEN + EMPTY * 1_000_000 + END + b"\0" * 4, b"\xe0\x7f\x10\x00"),
    "unknown kind of open length": lambda: within(b"\x09\x00\x10\x10UN\x00\x00" + OPEN + EMPTY * 1_000_000 + END + b"\0" * 4),
    "fragments of a packed film": lambda: _fragments(1_000_000),
}
"""Each has more than a film may; the page answers within a moment and within memory."""


def _fragments(count: int) -> bytes:
    whole = dicom(drawn(), "1.2.840.10008.1.2.4.90")
    place = whole.index(b"\xe0\x7f\x10\x00")
    return whole[:place] + b"\xe0\x7f\x10\x00OB\x00\x00" + OPEN + EMPTY * count + END + b"\0" * 4
