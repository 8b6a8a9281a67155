"""What answers questions: a set of servers, or a model in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from harness.extractors.llm import protocol as models
from harness.extractors.llm.parser import ModelReply
from harness.quiet import Quiet


@dataclass(frozen=True, slots=True, repr=False)
class Ask(Quiet):
    """One question about one text that nobody has answered yet."""

    asked: str
    key: bytes = field(repr=False)
    report: str = field(repr=False)
    """The framed text."""


Settle = Callable[[Ask, ModelReply | None, str], Awaitable[None]]
"""Takes what became of a question and where; returns when the answer is committed."""


class AnswerSource(Protocol):
    """Who answers questions: servers, or an engine in this process."""

    async def answer(self, protocol: models.Protocol, asks: Iterator[Ask], settle: Settle) -> None:
        """Answer all questions, in any order."""
        ...
