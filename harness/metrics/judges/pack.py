"""A judge's pack: what it is asked in each pass, how an answer is read, and what a study's row is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.signature import digest
from harness.types import Json

Message = dict[str, str]
Before = Sequence[Any]
"""What was read from the answers of earlier passes."""


class UnreadableError(ValueError):
    """An answer that does not have the form that was asked for; the message holds none of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One question about one pair of reports."""

    name: str
    messages: Callable[[str, str, Before], list[Message]] = field(repr=False)
    """From reference, candidate and what was read before to the chat."""
    read: Callable[[str, Before], Any] = field(repr=False)
    """From an answer without its thoughts to codes and counts, never to words of a report; raises `UnreadableError`."""
    schema: Json = field(default_factory=dict)
    """What the server is asked to hold the answer to; empty for nothing."""
    needed: Callable[[Before], bool] = field(default=lambda before: True, repr=False)
    """Whether it must be asked at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePack:
    """One judge, without the model that it asks."""

    name: str
    recipe: str
    passes: tuple[Pass, ...]
    row: Callable[[Before], Mapping[str, float]] = field(repr=False)
    """From what was read to the columns; the first is the study's score."""
    columns: tuple[str, ...]
    limits: tuple[float, float] = (0.0, 1.0)
    max_tokens: int = 2048
    framing: str = "line"
    """How a report goes into a prompt; see `harness.extractors.llm.framing`."""
    version: int = 1

    @property
    def digest(self) -> str:
        """SHA-256 over every word that is said and every schema, by the chats about two marks instead of reports."""
        said = [(step.name, step.messages("\0reference\0", "\0candidate\0", _EXAMPLE), step.schema) for step in self.passes]
        return digest([self.name, self.recipe, said, self.columns, self.max_tokens, self.framing, self.version])


_EXAMPLE: Before = ({"errors": [], "matched": 0},)


def json_object(text: str) -> Json:
    """The one JSON object that an answer is, in a code fence or not.

    Raises:
        UnreadableError: It is something else, or a key occurs twice.
    """
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise UnreadableError("it is not JSON") from None
    if not isinstance(found, dict):
        raise UnreadableError("it is not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a key occurs twice")
    return found
