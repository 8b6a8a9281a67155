"""The nearest known id to a wrong one, fast among hundreds of thousands."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import cached_property

NEIGHBOURS = 25
"""How many ids on either side of its place in the order are compared letter by letter."""

_ENDING = re.compile(r"\.(?:0|dcm|png|jpe?g|txt|xml)$", re.IGNORECASE)


class Nearest:
    """Looks for the known id that somebody meant.

    First an id with the same letters and digits, then one with the same digits (a lost or added prefix), then the closest of those
    that share the beginning or the end: comparing with all of them would take a second for each wrong id.
    """

    def __init__(self, known: Collection[str]) -> None:
        self.known = known

    def to(self, name: str) -> str:
        """The nearest known id, or empty where none is near."""
        bare = _ENDING.sub("", name)
        for key, table in ((_letters(bare), self._by_letters), (_digits(bare), self._by_digits)):
            if key and table.get(key):
                return table[key]
        candidates = {*_around(self._forward, name), *(item[::-1] for item in _around(self._backward, name[::-1]))}
        return next(iter(get_close_matches(name, sorted(candidates), n=1, cutoff=0.6)), "")

    @cached_property
    def _by_letters(self) -> dict[str, str]:
        return _unique((_letters(name), name) for name in self.known)

    @cached_property
    def _by_digits(self) -> dict[str, str]:
        return _unique((_digits(name), name) for name in self.known)

    @cached_property
    def _forward(self) -> list[str]:
        return sorted(self.known)

    @cached_property
    def _backward(self) -> list[str]:
        return sorted(name[::-1] for name in self.known)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name)).lstrip("0")


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keys that stand for one name; a key of several stands for none."""
    table: dict[str, str] = {}
    for key, name in pairs:
        table[key] = "" if key in table else name
    return table


def _around(ordered: list[str], name: str) -> list[str]:
    place = bisect_left(ordered, name)
    return ordered[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]
