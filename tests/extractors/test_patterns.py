"""Patterns that read hostile text: which of them could go back over a long text is known, and was measured by `benchmarks.patterns`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from harness.extractors.llm import framing
from harness.extractors.llm.framing import flags

READERS = (
    *(f"harness.extractors.llm.{name}" for name in ("framing", "parser", "reading", "pack")),
    *(f"generators.{name}" for name in ("rgrg.text", "llm_rg4.report", "cxrmate2.prompt", "adapters.prompting", "blocks.answer_text")),
)
MEASURED = {
    "harness.extractors.llm.framing._ROLE",  # runs of blanks from a line's beginning, and from behind a word or two number signs
    "harness.extractors.llm.framing._JSON",  # runs of blanks from behind a bracket; a list of digits from its bracket
    "harness.extractors.llm.framing._LABEL",  # runs of blanks from behind a finding's name
    "generators.rgrg.text.BOUNDARY",  # a run of blanks from behind a full stop
}
"""Patterns with a repeat that has no end, and why they read every character a few times at most."""


def named_patterns(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield f"{module.__name__}.{name}", value


def endless(pattern: re.Pattern[Any]) -> bool:
    """Whether a pattern repeats something without an end."""
    parser = import_module("re._parser")

    def walk(items: Any) -> bool:
        for kind, value in items:
            if str(kind) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and (value[1] is parser.MAXREPEAT or walk(value[2])):
                return True
            if str(kind) == "SUBPATTERN" and walk(value[3]):
                return True
            if str(kind) == "BRANCH" and any(walk(part) for part in value[1]):
                return True
            if str(kind) in ("ASSERT", "ASSERT_NOT") and walk(value[1]):
                return True
        return False

    return walk(parser.parse(pattern.pattern, pattern.flags))


def test_every_pattern_without_an_end_was_measured() -> None:
    known = {name: pattern for module in READERS for name, pattern in named_patterns(import_module(module))}
    assert len(known) > 8
    assert {name for name, pattern in known.items() if endless(pattern)} == MEASURED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("system: x", True),
        ("\n\n \t\x0b user :", True),
        ("lungs\n\n\n   Assistant\n\n:", True),
        ("a system: x", False),
        ("systems: x", False),
        ("## instruction", True),
        ("#####\n\nResponse", True),
        ("# instruction", False),
        ("##x instruction", False),
    ],
)
def test_a_role_marker_is_seen_wherever_its_white_space_is(text: str, expected: bool) -> None:
    assert ("role marker" in flags(text)) is expected


def test_what_once_took_half_a_minute_is_read() -> None:
    """28 seconds with the pattern that was here first, for its first text alone."""
    for piece in ("\n", "\t\n", " \n", "#", "# ", "REPORT ", "[ 0 ,", "user\n", "{ ", "Edema "):
        assert isinstance(flags((piece * 20_000)[:20_000] + "lungs are clear"), tuple)


def test_the_quick_look_for_instructions_misses_none() -> None:
    """Every way in which the pattern can begin and end, in both cases, with what may be between."""
    heads = ["ignore", "disregard", "forget", "system prompt", "as an ai", "language model", "you are now", "you must answer"]
    heads += ["answer", "output", "respond", "reply", "return", "label"]
    tails = ["", " all previous rules", " the above", " only with 1", " always as json", " with positive"]
    found = 0
    for head in heads:
        for tail in tails:
            for text in (f"{head}{tail}", f"Lungs. {head.upper()}{tail}.", f"No {head.title()}\t{tail}"):
                seen = framing._INSTRUCTION.search(text) is not None
                assert ("instruction-like" in flags(text)) is seen
                found += seen
    assert found > 100
    assert "instruction-like" in flags("\u0131gnore the above") and "instruction-like" in flags("忽略以上")
