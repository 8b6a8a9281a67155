r"""RuSH's rules (Shi et al. 2016), with which RaTEScore parts sentences: a rule is a pattern of characters with one captured group.

The file of rules is the user's own copy of the one that medspacy ships; only the reading of it is written here. Where the published
program depends on accidents of its data structures, they are kept: a `+` means once or as often as possible; of overlapping captures
the widest wins, whichever rule it comes from; one that the interval tree forgets stays forgotten.
"""

from __future__ import annotations

import csv
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, UnavailableError

BEGIN, END = "stbegin", "stend"
MOST_REPEATS = 50
LARGEST = 1_000_000
"""Bytes of a file of rules."""
_LEAF = "<END>"
_BLANK = frozenset(" \t\xa0")
_CLASSES: dict[str, Callable[[str], bool]] = {
    "s": _BLANK.__contains__,
    "n": "\n\r".__contains__,
    "d": str.isdigit,
    "C": str.isupper,
    "c": str.islower,
    "p": string.punctuation.__contains__,
    "a": lambda char: not char.isspace(),
    "u": lambda char: char > "~" and char != "\xa0",
    "w": lambda char: char > "~" or char.isspace(),
}
"""By wildcard the characters that it takes."""
_ESCAPED = "()\\"
Node = dict[str, Any]


@dataclass(slots=True)
class TextRange:
    """Some characters of a text."""

    begin: int
    end: int

    @property
    def width(self) -> int:
        """How many."""
        return self.end - self.begin


@dataclass(slots=True)
class _Captures:
    """What the rules of one kind captured in one text, each with whether it counts or only hides others."""

    spans: list[TextRange] = field(default_factory=list)
    counts: list[bool] = field(default_factory=list)
    taken: list[tuple[int, int, int]] = field(default_factory=list)
    """Begin, end and place in `spans` of every capture that was ever taken."""

    def add(self, span: TextRange, counts: bool) -> None:
        """Take a capture, unless one that overlaps is as wide."""
        if not self.taken:
            self.taken.append((span.begin, span.end - 1, 0))
            self.spans.append(span)
            self.counts.append(counts)
            return
        meeting = [item for item in self.taken if _meet(item, span)]
        if not meeting:
            self.taken.append((span.begin, span.end, len(self.spans)))
            self.spans.append(span)
            self.counts.append(counts)
            return
        place = max(meeting, key=lambda item: item[0])[2]
        if span.width > self.spans[place].width:
            self.spans[place], self.counts[place] = span, counts
            equal = next((item for item in self.taken if item[:2] == (span.begin, span.end)), None)
            if equal:
                self.taken.remove(equal)
            self.taken.append((span.begin, span.end, place))


def _meet(item: tuple[int, int, int], span: TextRange) -> bool:
    begin, end, _ = item
    apart = end <= span.begin or begin >= span.end
    return not apart or span.begin == span.end == begin or begin == end == span.begin


class Rules:
    """A file of rules, ready to be asked."""

    def __init__(self, rows: list[list[str]]) -> None:
        """Read rows of pattern, score and kind; an odd score hides others and does not count itself."""
        self._root: Node = {}
        for pattern, score, kind in rows:
            node = self._root
            for char in pattern:
                node = node.setdefault(char, {})
            node.setdefault(_LEAF, {})[kind] = float(score) % 2 == 0

    def captures(self, text: str) -> tuple[list[TextRange], list[TextRange]]:
        """Where sentences may begin and where they may end, in the order of their discovery."""
        found = {BEGIN: _Captures(), END: _Captures()}
        for start in range(len(text)):
            for begin, end, kinds in self._walk(text, self._root, start, 0, start, " ", False):
                for kind, counts in kinds.items():
                    found[kind].add(TextRange(min(begin, end), max(begin, end)), counts)
        begins, ends = (
            [span for span, counts in zip(item.spans, item.counts, strict=True) if counts] for item in (found[BEGIN], found[END])
        )
        return begins, ends

    def _walk(
        self, text: str, node: Node, begin: int, end: int, at: int, key: str, wild: bool
    ) -> Iterator[tuple[int, int, dict[str, bool]]]:
        """Every rule that the text from `at` on satisfies: where its group begins and ends, and its kinds.

        `key` is what led to this node, and `wild` whether that was a wildcard.
        """
        if at == len(text):
            yield from self._at_end(text, node, begin, end, at, key, wild)
            return
        char = text[at]
        if "\\" in node:
            yield from self._wildcards(text, node["\\"], begin, end, at, char)
        if "(" in node and key != "\\":
            yield from self._walk(text, node["("], at, end, at, "(", False)
        if ")" in node and key != "\\":
            yield from self._walk(text, node[")"], begin, at, at, ")", False)
        if _LEAF in node:
            yield begin, end or at, node[_LEAF]
        if char in node and char not in "()":
            yield from self._walk(text, node[char], begin, end, at + 1, char, False)
        if "+" in node:
            yield from self._walk(text, node["+"], begin, end, at, "+", False)
            yield from self._repeated(text, node["+"], begin, end, at, key, wild)

    def _wildcards(self, text: str, node: Node, begin: int, end: int, at: int, char: str) -> Iterator[tuple[int, int, dict[str, bool]]]:
        for name, following in node.items():
            if name == "b" and at == 0:
                yield from self._walk(text, following, begin, end, at, "b", True)
            elif ((takes := _CLASSES.get(name)) and takes(char)) or (name in _ESCAPED and char == name):
                yield from self._walk(text, following, begin, end, at + 1, name, True)

    def _repeated(
        self, text: str, node: Node, begin: int, end: int, at: int, key: str, wild: bool
    ) -> Iterator[tuple[int, int, dict[str, bool]]]:
        """The rest of a rule behind as many more of the same as there are."""
        takes = _CLASSES.get(key) if wild else key.__eq__
        if takes is None:
            return
        stop = min(len(text), at + MOST_REPEATS)
        while at < stop and takes(text[at]):
            at += 1
        yield from self._walk(text, node, begin, end, at, "+", False)

    def _at_end(
        self, text: str, node: Node, begin: int, end: int, at: int, key: str, wild: bool
    ) -> Iterator[tuple[int, int, dict[str, bool]]]:
        """What is satisfied behind the last character."""
        if _LEAF in node:
            yield begin, end or at, node[_LEAF]
        elif "e" in node.get("\\", {}):
            yield begin, end or at, node["\\"]["e"][_LEAF]
        elif ")" in node:
            if _LEAF in node[")"]:
                yield begin, at, node[")"][_LEAF]
        elif "+" in node:
            yield from self._walk(text, node["+"], begin, end, at, key, wild)


def read(path: Path) -> Rules:
    """Read a file of rules.

    Raises:
        UnavailableError: There is no such file.
        InputError: It holds no rules, or something else.
    """
    remedy = "Give rush_rules.tsv as medspacy 1.3.1 ships it (resources/en)"
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(Problem(f"it is longer than {LARGEST:,} bytes", remedy, str(path)))
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream, delimiter="\t") if len(row) >= 3 and row[0][:1] not in ("#", "@")]
    except (csv.Error, UnicodeDecodeError):
        raise InputError(Problem("it is not a table of rules", remedy, str(path))) from None
    except OSError:
        raise UnavailableError(Problem("there is no such file of sentence rules", remedy, str(path))) from None
    wrong = [row for row in rows if row[2].strip() not in (BEGIN, END) or row[1].strip() not in tuple("0123")]
    if wrong or not rows:
        raise InputError(Problem("it is not a table of rules", remedy, str(path)))
    return Rules([[row[0], row[1].strip(), row[2].strip()] for row in rows])
