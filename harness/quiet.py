"""Objects that hold report text show how much of it they hold, never a word: a notebook or a log prints what `repr` gives."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import fields
from typing import Any


class Quiet:
    """Base of dataclasses that hold text.

    The dataclass has `repr=False`, and so has each field with text. Such a field is shown as its size, every other one as usual.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        item: Any = self
        shown = [(each, getattr(item, each.name, None)) for each in fields(item)]
        parts = (f"{each.name}={value!r}" if each.repr else f"{each.name}: {size(value)}" for each, value in shown)
        return f"{type(self).__qualname__}({', '.join(parts)})"


def size(value: object) -> str:
    """How much there is of something, in words."""
    if isinstance(value, str):
        return f"{len(value):,} characters"
    if isinstance(value, bytes | bytearray):
        return f"{len(value):,} bytes"
    return f"{len(value):,}" if isinstance(value, Sized) else "none" if value is None else "hidden"
