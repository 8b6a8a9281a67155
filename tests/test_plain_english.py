"""Pages, help texts, messages, docstrings and comments are written in plain technical English: CONTRIBUTING.md has the list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ranscore.commands import parser
from ranscore.commands.reference import page

ROOT = Path(__file__).parents[1]
ROOMS = ("ranscore", "harness", "generators", "submissions", "validation", "leaderboard", "benchmarks", "examples")
BANNED = {
    r"(?:^|[.!?:] )Of (?:the|its|their|one|two|each|equals|an?|all|these|those|this|that|what|every|many|three|several)\b": "begin with the subject",
    r"(?:^|[.!?] )(?:[A-Z][a-z]+ed|Held|Kept|Left|Made|Found|Sent|Drawn|Shown|Given|Put) (?:is|are|was|were)\b": "begin with the subject",
    r"\A(?:Of \W|That of\b|Those of\b)|\AFor [^.:;,]*\.\Z|^ *[a-z_]+: (?:Of|For|That of|Those of)\b": "name what it is",
    r"\b[Ss]tands?\b(?! (?:for|in for|alone)\b)(?!-in)|\b[Ss]tood\b|\bstanding (?:record|one|submission)": "is, is shown, is stored",
    r"\b(?:lies|lay)\b|\blie\b": "is, is stored",
    r"\btold\b|\btells? (?:[\w'-]+ ){0,4}apart\b": "named, shown; distinguished",
    r"\banew\b": "again",
    r"\b[Mm]end(?:s|ed|ing)?\b": "fix",
    r"\bput right\b": "corrected",
    r"(?<!\b[Bb]y )\b[Hh]and(?:s|ed|ing)? (?:(?:an?|the|it|them|this|same|reports?|results?|files?|\w+ file) ){0,3}(?:in|out)\b": "submit",
    r"\bin turns\b": "in batches, one after the other",
    r"\b(?:desk|shelf|shelves|bookkeeping|the books)\b": "name the thing",
    r"\b(?:living|rehearsal|stillborn|orphans?)\b": "name the thing",
    r"\bthe (?:found|made|said|told|held|given|asked|wanted)\b(?! [a-z-]+)": "a noun",
    r"\bwhat is (?:said|told|held)\b": "a noun",
    r"\bgone away\b": "closed",
}
"""By pattern what to write instead."""
QUOTED = re.compile(r"`[^`\n]*`|```.*?```", re.S)
COMMENT = re.compile(r"(?:^|\s)(?:# |// )(.+)$", re.M)
DATA = re.compile(r"\(\?|\\[bsdw]")
"""A string with parts of a regular expression is no sentence."""
PAGES = ("README.md", "SECURITY.md", "examples/README.md")


def written(path: Path) -> str:
    """A page without the code that it quotes; every line keeps its number."""
    return QUOTED.sub(lambda match: "\n" * match.group().count("\n"), path.read_text(encoding="utf-8"))


def prose() -> Iterator[tuple[str, str]]:
    """Every text that people read, with its place: pages, help, strings (messages, docstrings) and comments."""
    for path in (*(ROOT / name for name in PAGES), *sorted((ROOT / "docs").rglob("*.md"))):
        yield from ((f"{path.relative_to(ROOT)}:{number}", line) for number, line in enumerate(written(path).splitlines(), 1))
    yield "ranscore --help", parser().format_help()
    yield "the help of all commands", QUOTED.sub("", page())
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in (".py", ".js")):
        source, place = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        yield from ((f"{place}, a comment", QUOTED.sub("", match[1])) for match in COMMENT.finditer(source))
        if path.suffix == ".py":
            yield from ((f"{place}:{line}", text) for line, text in strings(source))
        else:
            yield from ((f"{place}, a string", match[1]) for match in re.finditer(r"""["`]([^"`\n]* [^"`\n]*)["`]""", source))


def strings(source: str) -> Iterator[tuple[int, str]]:
    """The strings of a module that may be sentences or parts of one, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value and not DATA.search(node.value):
            yield node.lineno, QUOTED.sub("", node.value)


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


@pytest.mark.parametrize(
    "sentence",
    [
        "Of all items.",
        "Those of the second.",
        "For the system.",
        "Args:\n    name: For the system.",
        "Ranked are systems.",
        "Submit the file, or hand it in.",
        "Nothing tells them apart.",
        "Mend the path",
        "Every standing record",
        "The file lies beside it.",
    ],
)
def test_a_sentence_that_the_list_names_is_refused(sentence: str) -> None:
    assert any(re.search(pattern, sentence, re.M) for pattern in BANNED)


@pytest.mark.parametrize(
    "sentence",
    [
        "One of the two is shown.",
        "A name that stands for an object.",
        "For each study, the words that decided it; empty where there are none.",
        "By hand in the tests.",
        "seed: The seed of the cohort.",
        "What it needs is named.",
    ],
)
def test_an_ordinary_sentence_passes(sentence: str) -> None:
    assert not any(re.search(pattern, sentence, re.M) for pattern in BANNED)
