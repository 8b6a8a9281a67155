"""An answer of a model as the cache keeps it: decisions as letters, without a word of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from harness.quiet import Quiet
from harness.types import Status

ALL = 20
"""Decisions of an answer about all findings."""
Decision = tuple[int | None, Status]


@dataclass(frozen=True, slots=True, repr=False)
class Answer(Quiet):
    """What one question about one text was answered."""

    asked: str
    """The finding, or `*` for all of them."""
    key: bytes = field(repr=False)
    """The text's keyed hash."""
    decisions: tuple[Decision, ...]
    """One for a finding, 20 for all of them."""
    raw: str = field(default="", repr=False)
    """What the model said, where that may be kept."""
    server: str = ""
    """Host and port of who said it, or `in process`."""


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """What is needed of an answer to go on: equal ones are one object, because there are millions."""

    decisions: tuple[Decision, ...]
    server: str


def read(asked: str, key: bytes, decision: object, raw: object, server: object) -> Answer | None:
    """An answer as it was kept; None where it is damaged, so that the question is asked again."""
    if not (isinstance(decision, str) and isinstance(raw, str) and isinstance(server, str)):
        return None
    try:
        decisions = unpacked(decision)
    except ValueError:
        return None
    return Answer(asked, key, decisions, raw, server) if len(decisions) == (ALL if asked == "*" else 1) else None


@lru_cache(maxsize=4096)
def read_known(whole: bool, decision: object, server: object) -> KnownAnswer | None:
    """An answer without its words; None where it is damaged."""
    answer = read("*" if whole else "", b"", decision, "", server)
    return KnownAnswer(answer.decisions, answer.server) if answer else None


def packed(decisions: Sequence[Decision]) -> str:
    """Decisions as one character each: 0, 1, or the first letter of a status."""
    return "".join(str(value) if status is Status.OK else status.value[0] for value, status in decisions)


_MEANING: dict[str, Decision] = {"0": (0, Status.OK), "1": (1, Status.OK)} | {
    status.value[0]: (None, status) for status in Status if status is not Status.OK
}
"""By character the decision."""


@lru_cache(maxsize=1024)
def unpacked(text: str) -> tuple[Decision, ...]:
    """What `packed` wrote.

    Raises:
        ValueError: A character stands for no decision.
    """
    try:
        return tuple([_MEANING[char] for char in text])
    except KeyError:
        raise ValueError("no decision") from None
