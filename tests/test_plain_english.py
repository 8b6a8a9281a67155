"""Help texts, messages, docstrings and pages are written in plain technical English: CONTRIBUTING.md has the list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ranscore.commands import parser
from ranscore.commands.reference import page

ROOT = Path(__file__).parents[1]
ROOMS = ("ranscore", "harness", "generators", "submissions", "validation", "leaderboard")
BANNED = {
    r"(?:^|[.!?:] )Of (?:the|its|their|one|two|each|equals)\b": "begin with the subject",
    r"\bstands?\b(?! (?:for|in for|alone)\b)(?!-in)|\bstood\b": "is, is shown, is stored",
    r"\b(?:lies|lay)\b|\blie\b": "is, is stored",
    r"\btold\b": "named, shown; distinguished",
    r"\banew\b": "again",
    r"\b(?:mend|mends|mended)\b": "fix",
    r"\bput right\b": "corrected",
    r"\bhand(?:s|ed)? (?:in|it in|a file in|them in)\b": "submit",
    r"\bin turns\b": "in batches, one after the other",
    r"\b(?:desk|shelf|bookkeeping|the books)\b": "name the thing",
    r"\b(?:living|rehearsal|stillborn|orphans?)\b": "name the thing",
    r"\bthe (?:found|made|said|told|held|given|asked|wanted)\b(?! [a-z-]+)": "a noun",
    r"\bwhat is (?:said|told|held)\b": "a noun",
    r"\bgone away\b": "closed",
}
"""By pattern what to write instead."""
QUOTED = re.compile(r"`[^`\n]*`|```.*?```", re.S)


def prose() -> Iterator[tuple[str, str]]:
    """Every text that people read, with its place."""
    for path in (ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, line in enumerate(QUOTED.sub("", path.read_text(encoding="utf-8")).splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line
    yield "ranscore --help", parser().format_help()
    yield "the help of all commands", QUOTED.sub("", page())
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                # What holds a group of a regular expression is no sentence.
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 2 and "(?" not in node.value:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", QUOTED.sub("", node.value)


@pytest.fixture(scope="module")
def texts() -> tuple[tuple[str, str], ...]:
    return tuple(prose())


@pytest.mark.parametrize("pattern", BANNED)
def test_no_text_has_a_banned_pattern(pattern: str, texts: tuple[tuple[str, str], ...]) -> None:
    expression = re.compile(pattern, re.M)
    found = [f"{place}: {match.group()!r}" for place, text in texts for match in expression.finditer(text)]
    assert found == [], f"write instead: {BANNED[pattern]}"


def table() -> list[tuple[list[str], str]]:
    """The quoted words of each row of the table for people, without what is in brackets, and what to write instead."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \|$", page.partition("| not | write instead |\n| --- | --- |\n")[2], re.M)
    return [(re.findall(r'"([^"]+)"', re.sub(r"\([^)]*\)", "", words)), instead) for words, instead in rows]


@pytest.mark.parametrize("pattern", BANNED)
def test_the_table_for_people_names_each_pattern(pattern: str) -> None:
    instead = [instead for words, instead in table() if any(re.search(pattern, word) for word in words)]
    assert instead == [BANNED[pattern]]


def test_the_table_for_people_names_nothing_that_is_allowed() -> None:
    assert [word for words, _ in table() for word in words if not any(re.search(pattern, word) for pattern in BANNED)] == []
