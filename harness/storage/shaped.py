"""JSON as the dataclasses that it was written from: every field is checked against its declared type."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import repeat
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[Any], Any]


class ShapeError(ValueError):
    """A value is not of the declared type; names the field and never the value."""


def build(kind: type[T], data: object) -> T:
    """An object of a declared type from JSON.

    Args:
        kind: A dataclass, an enumeration of text, `str`, `int`, `float`, `bool`, or a tuple, list, mapping or optional value of these.
        data: As `json.loads` gives it.

    Raises:
        ShapeError: A field is missing, unknown or of another type.
    """
    try:
        made: T = _reader(kind)(data)  # type: ignore[arg-type]
        return made
    except ShapeError as error:
        raise ShapeError(f"it {error}" if str(error).startswith(("is ", "has ", "holds ", "does ")) else str(error)) from None


def known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an object that a dataclass declares: others are for programs that know them."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


@cache
def _reader(kind: Any) -> Reader:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda value: value
    if kind in (str, bool, int):
        return _exactly(kind)
    if kind is float:
        return _float
    if origin in (typing.Union, types.UnionType):
        return _either([member for member in inner if member is not types.NoneType])
    if origin in (tuple, list):
        return _several(origin, inner)
    if origin in (dict, Mapping):
        return _mapping(_reader(inner[1]))
    if is_dataclass(kind):
        return _dataclass(kind)
    assert issubclass(kind, StrEnum), kind
    return _word(kind)


def _exactly(kind: type) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise ShapeError(f"is not {_WORDS[kind]}")
        return value

    return read


_WORDS = {str: "text", bool: "true or false", int: "a whole number"}


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise ShapeError("is not a number")
    try:
        found = float(value)
    except OverflowError:
        raise ShapeError("is too large a number") from None
    if not math.isfinite(found):
        raise ShapeError("is not a finite number")
    return found


def _word(kind: type[StrEnum]) -> Reader:
    def read(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise ShapeError(f"is not one of {', '.join(kind)}") from None

    return read


def _either(members: list[Any]) -> Reader:
    """None, or one type: no field is declared as a union of two."""
    (member,) = members
    read = _reader(member)
    return lambda value: None if value is None else read(value)


def _several(origin: Any, inner: tuple[Any, ...]) -> Reader:
    """A list or a tuple: any number of one type, or as many values as types are named."""
    fixed = origin is tuple and inner[-1] is not Ellipsis
    readers = tuple(map(_reader, inner if fixed else inner[:1]))

    def read(value: Any) -> Any:
        if type(value) not in (list, tuple):
            raise ShapeError("is not a list")
        if fixed and len(value) != len(readers):
            raise ShapeError(f"does not hold {len(readers)} values")
        try:
            return origin([one(item) for one, item in zip(readers if fixed else repeat(readers[0]), value, strict=fixed)])
        except ShapeError as error:
            raise ShapeError(f"holds a value that {error}") from None

    return read


def _mapping(one: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise ShapeError("is not an object")
        try:
            return {name: one(item) for name, item in value.items()}
        except ShapeError as error:
            raise ShapeError(f"holds a value that {error}") from None

    return read


def _dataclass(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    needed = frozenset(field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)
    check = _fields(readers, needed)
    return lambda value: kind(**check(value))


def _fields(readers: Mapping[str, Reader], needed: frozenset[str]) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise ShapeError("is not an object")
        if missing := needed - value.keys():
            raise ShapeError(f"has no {min(missing)}")
        made = {}
        for name, item in value.items():
            if name not in readers:
                raise ShapeError("has an unknown field")
            try:
                made[name] = readers[name](item)
            except ShapeError as error:
                raise ShapeError(f"{name} {error}") from None
        return made

    return read
