"""What a value in `config.toml` may be, and the sentence that says what is wrong with one that is not."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from harness.errors import Problem


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Args:
        words: What it is called in a message, with its article.
        fits: Whether a value is of this kind.
        example: One in TOML.
    """

    words: str
    fits: Callable[[Any], bool]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a table."""

    kind: Kind
    help: str
    """One line: what it decides."""
    default: Any = None
    """None where a missing key has no value."""
    shown: str = ""
    """The default in words, where it is decided elsewhere."""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    example: str = ""
    """A value in TOML; empty for the default, or the example of the kind."""
    required: bool = False

    @property
    def takes(self) -> str:
        """What a value has to be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.least is None and self.most is None:
            return self.kind.words
        low, high = (f"{bound:,g}" if isinstance(bound, float) else f"{bound:,}" for bound in (self.least or 0, self.most or 0))
        return f"{self.kind.words} from {low}" + (f" to {high}" if self.most is not None else "")

    @property
    def written(self) -> str:
        """An example of the value in TOML."""
        if self.example or self.choices:
            return self.example or f'"{self.choices[0]}"'
        return toml(self.default) if self.default not in (None, "", (), {}) else self.kind.example

    def mistake(self, value: Any) -> str:
        """What is wrong with a value; empty where nothing is. The value itself is not named: it may be a secret."""
        if not self.kind.fits(value):
            return f"is {kind_of(value)}, not {self.takes}"
        if self.choices and value not in self.choices:
            return f"is not {self.takes}"
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            return f"is not {self.takes}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigTable:
    """One table of the file."""

    help: str
    keys: Mapping[str, Key]
    many: bool = False
    """Written `[[NAME]]`, any number of times."""
    others: Key | None = None
    """What any further key holds; None where there may be none."""
    older: str = ""
    """The table that is written today in place of this one, which is still read."""

    def problems(self, title: str, value: Any, file: str) -> Iterator[Problem]:
        """Everything that is wrong with the table.

        Args:
            title: As it is written in the file, in brackets.
            value: What the file holds under its name.
            file: The file, for the messages.
        """
        if self.many and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            for number, item in enumerate(value, 1):
                yield from self._of_one(f"{title} number {number}:", item, file)
        elif self.many or not isinstance(value, dict):
            remedy = f"Write {title} on a line of its own, and its keys on the lines below"
            yield Problem(f"{title.strip('[]')} is {kind_of(value)}, where {title} is read", remedy, file)
        else:
            yield from self._of_one(title, value, file)

    def _of_one(self, title: str, value: Mapping[str, Any], file: str) -> Iterator[Problem]:
        for name, item in value.items():
            key = self.keys.get(name) or self.others
            if key is None:
                yield Problem(f"{title} has no key {name!r}", nearest(name, self.keys, "The keys are"), file)
            elif what := key.mistake(item):
                yield Problem(f"{title} {name} {what}", f"Write for example {name} = {key.written}", file)
        for name, key in self.keys.items():
            if key.required and name not in value:
                yield Problem(f"{title} has no {name}", f"Write for example {name} = {key.written}", file)


def nearest(name: str, known: Mapping[str, Any], introduction: str) -> str:
    """A remedy for a name that is not known: the nearest known one, and all of them."""
    near = get_close_matches(name, known, 1)
    return (f"Did you mean {near[0]}? " if near else "") + f"{introduction} {', '.join(known)}"


def kind_of(value: Any) -> str:
    """What a value of the file is, in words; never the value."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not math.isfinite(value):
        return "no finite number"
    names = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")


def toml(value: Any) -> str:
    """A default as it is written in the file."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return "{}" if isinstance(value, dict) else repr(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or math.isfinite(value))


def _plain(value: Any) -> bool:
    """Text of one line that a message, a header or a path can hold."""
    return isinstance(value, str) and value.isprintable()


def _address(value: Any) -> bool:
    if not _plain(value) or len(value) > 2000 or any(sign in value for sign in ' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(value)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        return False
    return not (wrong or parts.username or parts.password or parts.query or parts.fragment)


def _repository(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", value, re.ASCII) is not None


def _network(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_network(value))
    except ValueError:
        return False


def _all(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _each(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


TEXT = Kind("text of one line in quotes", _plain, '"text"')
PATH = Kind("a path in quotes", lambda value: _plain(value) and value != "", '"folder/file"')
WHOLE = Kind("a whole number", lambda value: _number(value) and isinstance(value, int), "1")
NUMBER = Kind("a number", _number, "1.0")
ADDRESS = Kind("a web address in quotes, without a password, a question mark or a #", _address, '"https://example.org"')
REPOSITORY = Kind("a data set of the Hub, OWNER/NAME in quotes", _repository, '"owner/name"')
TEXTS = Kind("a list of texts", _all(_plain), '["text"]')
ADDRESSES = Kind("a list of web addresses", _all(_address), '["https://board.example.org"]')
MIRRORS = Kind("a table of web addresses", _each(_address), '{ "https://example.org" = "https://mirror.example.org" }')
NETWORKS = Kind("a list of addresses of machines or networks", _all(_network), '["127.0.0.1", "10.0.0.0/8"]')
PATHS = Kind("a table of paths", _each(PATH.fits), '{ name = "folder/file" }')
VALUES = Kind(
    "a table of texts, numbers, true and false",
    _each(lambda value: _plain(value) or _number(value) or value in (True, False)),
    "{ name = 1 }",
)
TABLE = Kind("a table", lambda value: isinstance(value, dict), "{ name = 1 }")
TRUTH = Kind("true or false", lambda value: isinstance(value, bool), "true")
TEXT_OR_TEXTS = Kind("text, or a list of texts", lambda value: TEXT.fits(value) or TEXTS.fits(value), '["text"]')
ANY = Kind("any value", lambda _: True, "1")
