"""Reads a model's answer, and takes nothing on trust: whatever is not exactly an allowed answer is unparseable.

Servers ignore what they do not know without a word, so an answer that was asked to be constrained is read as if it was not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.quiet import Quiet
from harness.types import Status

Decision = tuple[int | None, Status]
UNPARSEABLE: Decision = (None, Status.UNPARSEABLE)
REFUSED: Decision = (None, Status.REFUSED)
FAILED: Decision = (None, Status.FAILED)

_TRACES = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis", "<|channel|>final<|message|>"),
)
"""How models mark their thoughts: before and after."""


@dataclass(frozen=True, slots=True, repr=False)
class Reply(Quiet):
    """One answer of a model, as a server gave it."""

    content: str = field(repr=False)
    finish: str = field(default="stop", repr=False)
    """`stop`, `length`, `content_filter`, or whatever else the server says."""
    refusal: bool = False
    thought: bool = False
    """Whether the server gave thoughts beside the content."""
    model: str = field(default="", repr=False)
    """Who the server says has answered."""
    prompt_tokens: int | None = None


class GarbageError(ValueError):
    """What came back is not a chat completion; the message holds none of it."""


def reply(data: Any) -> Reply:
    """Take a chat completion apart.

    Raises:
        GarbageError: It is not one.
    """
    try:
        choice = data["choices"][0]
        message = choice["message"]
        content, usage = message.get("content"), data.get("usage") or {}
        thought = message.get("reasoning_content") or message.get("reasoning")
        if not isinstance(content, str | None):
            raise GarbageError("the content is not text")
        return Reply(
            content=content or "",
            finish=str(choice.get("finish_reason") or "stop"),
            refusal=bool(message.get("refusal")),
            thought=bool(thought),
            model=str(data.get("model") or ""),
            prompt_tokens=usage.get("prompt_tokens") if isinstance(usage.get("prompt_tokens"), int) else None,
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise GarbageError("it is not a chat completion") from None


def without_trace(content: str) -> str | None:
    """The answer after the thoughts; None where the thoughts never end.

    A template may have opened the trace in the prompt, so a closing mark without an opening one counts too.
    """
    for opening, closing in _TRACES:
        if closing in content:
            content = content.rpartition(closing)[2]
        elif opening in content:
            return None
    return content.strip()


def decisions(answer: Reply, parser: str, titles: Sequence[str]) -> list[Decision]:
    """What an answer decides, one decision for each title that was asked for.

    Args:
        answer: What the model said.
        parser: `first-digit` (the authors': the first 0 or 1 in the text), `digit` (the answer is 0 or 1 and nothing else) or `json`
            (one object with exactly the titles as keys and 0 or 1 as values).
        titles: What was asked for; one title for the first two parsers.
    """
    if answer.refusal or answer.finish == "content_filter":
        return [REFUSED] * len(titles)
    text = without_trace(answer.content)
    if not text or answer.finish == "length":
        return [UNPARSEABLE] * len(titles)
    if parser == "json":
        return _from_json(text, titles)
    match = re.search(r"[01]", text) if parser == "first-digit" else re.fullmatch(r"[01]", text)
    return [(int(match[0]), Status.OK) if match else UNPARSEABLE]


def _from_json(text: str, titles: Sequence[str]) -> list[Decision]:
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", text, re.DOTALL)
    try:
        found = json.loads(fenced[1] if fenced else text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return [UNPARSEABLE] * len(titles)
    if not isinstance(found, Mapping) or not set(found) <= set(titles):
        return [UNPARSEABLE] * len(titles)
    return [(found[title], Status.OK) if type(found.get(title)) is int and found[title] in (0, 1) else UNPARSEABLE for title in titles]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different; which of two equal keys a model meant, nobody knows."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
