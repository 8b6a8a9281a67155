"""Texts on which a regular expression may take far longer than their length: made from the expression itself."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parents[2]
CALLS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
_CATEGORIES = {
    codes.CATEGORY_DIGIT: "1", codes.CATEGORY_NOT_DIGIT: "a", codes.CATEGORY_SPACE: " ", codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_WORD: "a", codes.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def patterns(folder: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every regular expression in the modules of a folder: compiled ones by their names, and the plain strings that are given to `re`."""
    for path in sorted((ROOT / folder).rglob("*.py")) if (ROOT / folder).is_dir() else [ROOT / folder]:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        source = path.read_text(encoding="utf-8")
        if "re." not in source:
            continue
        module = importlib.import_module(name)
        seen = {found.pattern: found for value in vars(module).values() for found in _compiled(value)}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re":
                first = node.args[0] if node.func.attr in CALLS and node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value not in seen:
                    # These two try one beginning alone.
                    whole = re.compile(first.value)
                    bare = re.sub(r"\A\(\?[aimsx]+\)", "", first.value)
                    anchored = rf"\A(?:{bare})" if node.func.attr in ("match", "fullmatch") else bare
                    seen[first.value] = re.compile(anchored, whole.flags)
        yield from ((f"{name}:{number}", found) for number, found in enumerate(seen.values()))


def _compiled(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, dict):
        yield from _compiled(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _compiled(item)


def texts(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Adversarial texts of about a length: each part of the expression repeated, after what leads to it, and all that leads to it repeated."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    leads = dict.fromkeys((before, part) for before, part in _parts(tree, ""))
    pumps = dict.fromkeys(pump for before, part in leads for pump in (part, before + part, before, part + before) if pump)
    for pump in (*pumps, *(pump.replace(" ", "\n") for pump in pumps if " " in pump)):
        yield (pump * length)[:length] + "\x01"
    for before, part in leads:
        if before and part:
            yield before + (part * length)[:length] + "\x01"


def _parts(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """Each element of an expression as a short text that it matches, with one for everything before it."""
    for code, value in tree:
        for inner in _inside(code, value):
            yield from _parts(inner, before)
        made = _sample([(code, value)])
        yield before, made
        before = (before + made)[-200:]


def _inside(code: Any, value: Any) -> list[Any]:
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [value[2]]
    if code is codes.BRANCH:
        return list(value[1])
    if code is codes.SUBPATTERN:
        return [value[3]]
    return [value[1]] if code in (codes.ASSERT, codes.ASSERT_NOT) else [value] if code is codes.ATOMIC_GROUP else []


def _sample(tree: Any) -> str:
    made = ""
    for code, value in tree:
        if code is codes.LITERAL:
            made += chr(value)
        elif code is codes.NOT_LITERAL:
            made += "a" if value != ord("a") else "b"
        elif code is codes.ANY:
            made += "a"
        elif code is codes.IN:
            made += _of_set(value)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            made += _sample(value[2]) * max(1, min(value[0], 20))
        elif code is codes.BRANCH:
            made += _sample(value[1][0])
        elif code is codes.SUBPATTERN:
            made += _sample(value[3])
        elif code is codes.ATOMIC_GROUP:
            made += _sample(value)
    return made


def _of_set(items: Any) -> str:
    negated = items[0][0] is codes.NEGATE
    for code, value in items[negated:]:
        found = chr(value) if code is codes.LITERAL else chr(value[0]) if code is codes.RANGE else _CATEGORIES.get(value, "a")
        if not negated:
            return found
    return next((char for char in "a1 -\n\u4e00é" if not re.match(_set_source(items), char)), "")


def _set_source(items: Any) -> str:
    return "[" + "".join(_source(code, value) for code, value in items[1:]) + "]"


def _source(code: Any, value: Any) -> str:
    if code is codes.LITERAL:
        return re.escape(chr(value))
    if code is codes.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return {"1": r"\d", "a": r"\w", " ": r"\s", "-": r"\W"}[_CATEGORIES[value]]


def grows(use: Callable[[str], object], make: Callable[[int], str], short: int = 2_000) -> float:
    """By how much more than the length the time grows on a text four times as long: about 1 in proportion to it, 4 with its square.

    Times below some milliseconds are too small to matter, and count as 1. What seems to grow is measured again: a machine hesitates at times.
    """
    long = _seconds(use, make(4 * short))
    if long < 0.02:
        return 1.0
    least = max(min(_seconds(use, make(short)) for _ in range(3)), 1e-4)
    if long / 4 / least > LIMIT:
        long = min(long, *(_seconds(use, make(4 * short)) for _ in range(2)))
    return long / 4 / least


def _seconds(use: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    use(text)
    return time.process_time() - started


def slowest(pattern: re.Pattern[str]) -> tuple[float, str]:
    """The worst growth of a search on the texts made from an expression, with the beginning of the text.

    Short texts come first: what is worse than a square shows on them, and would not end on longer ones.
    """
    worst = (1.0, "")
    for short in (150, 1_000):
        for first, last in zip(texts(pattern, short), texts(pattern, 4 * short), strict=True):
            made = {short: first, 4 * short: last}
            worst = max(worst, (grows(lambda text: sum(1 for _ in pattern.finditer(text)), made.__getitem__, short), first[:40]))
            if worst[0] > LIMIT:
                return worst
    return worst


LIMIT = 2.5
"""Growth from which an expression counts as slower than its text is long: between 1, in proportion, and 4, the square."""


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        for name, pattern in patterns(folder):
            growth, text = slowest(pattern)
            if growth > LIMIT:
                print(f"{name} {growth:.1f} {text!r} {pattern.pattern[:90]!r}")
