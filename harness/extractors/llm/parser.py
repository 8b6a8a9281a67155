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
from harness.types import Json, Status

Decision = tuple[int | None, Status]
UNPARSEABLE: Decision = (None, Status.UNPARSEABLE)
REFUSED: Decision = (None, Status.REFUSED)
FAILED: Decision = (None, Status.FAILED)

_NAMES = ("think", "thinking", "thought", "thoughts", "reason", "reasoning", "reflection", "scratchpad")
_KINDS = (
    *((rf"<\s{{0,9}}(?:seed:)?{name}\s{{0,9}}>", rf"<\s{{0,9}}/\s{{0,9}}(?:seed:)?{name}\s{{0,9}}>") for name in _NAMES),
    *((rf"\[\s{{0,9}}{name}\s{{0,9}}\]", rf"\[\s{{0,9}}/\s{{0,9}}{name}\s{{0,9}}\]") for name in _NAMES),
    (r"◁\s{0,9}think\s{0,9}▷", r"◁\s{0,9}/\s{0,9}think\s{0,9}▷"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|channel\|>(?:analysis|commentary)", r"<\|channel\|>final(?:<\|message\|>)?"),
)
"""How models mark where their thoughts begin and end."""
_MARK = re.compile("|".join(f"(?P<begin{kind}>{begin})|(?P<end{kind}>{end})" for kind, (begin, end) in enumerate(_KINDS)), re.IGNORECASE)
_STOPPED = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
"""What servers say of an answer that its model ended itself."""
_DECLINED = frozenset({"content_filter", "safety"})


@dataclass(frozen=True, slots=True, repr=False)
class ModelReply(Quiet):
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
    doubtful: bool = False
    """Whether it can be read in two ways: a key is repeated, an error or a second answer is beside the answer."""

    @property
    def declined(self) -> bool:
        """Whether the model or a filter refused."""
        return self.refusal or self.finish.lower() in _DECLINED

    @property
    def complete(self) -> bool:
        """Whether it is one answer that its model ended itself."""
        return not self.doubtful and self.finish.lower() in _STOPPED


class GarbageError(ValueError):
    """What came back is not a chat completion; the message holds none of it."""


def document(data: bytes) -> tuple[Json, bool]:
    """The JSON object in the body of a response, and whether a key is repeated anywhere in it.

    Raises:
        GarbageError: It is no JSON object.
    """
    repeated = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated |= len(found) != len(pairs)
        return found

    try:
        found = json.loads(data, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise GarbageError("it is not JSON") from None
    if not isinstance(found, dict):
        raise GarbageError("it is not an object")
    return found, repeated


def reply(data: Any, repeated: bool = False) -> ModelReply:
    """Take a chat completion apart.

    Args:
        data: The JSON of a response.
        repeated: Whether a key is repeated in it.

    Raises:
        GarbageError: It is no chat completion.
    """
    try:
        choice = data["choices"][0]
        message = choice["message"]
        content, usage = message.get("content"), data.get("usage") or {}
        thought, finish = message.get("reasoning_content") or message.get("reasoning"), choice.get("finish_reason")
        if not isinstance(content, str | None):
            raise GarbageError("the content is not text")
        return ModelReply(
            content=(content or "").encode("utf-8", "replace").decode(),
            finish="stop" if finish in (None, "") else str(finish),
            refusal=bool(message.get("refusal")),
            thought=bool(thought),
            model=str(data.get("model") or ""),
            prompt_tokens=usage.get("prompt_tokens") if isinstance(usage.get("prompt_tokens"), int) else None,
            doubtful=repeated or _contradicted(data, choice, message),
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise GarbageError("it is not a chat completion") from None


def _contradicted(data: Json, choice: Json, message: Json) -> bool:
    """Whether something beside the answer says that there is another answer, or none."""
    beside = (data.get("error"), choice.get("error"), message.get("error"), choice.get("delta"), choice.get("text"))
    return len(data["choices"]) != 1 or any(beside) or bool(message.get("tool_calls") or message.get("function_call"))


def without_trace(content: str) -> str | None:
    """The answer after the thoughts; None where it cannot be separated from them.

    A template may have opened the thoughts in the prompt, so the first mark may be a closing one. Apart from that every mark that
    opens is followed by one that closes, nothing but white space is between two thoughts or before the first, and the answer
    comes last.
    """
    inside, start = "", 0
    for number, mark in enumerate(_MARK.finditer(content)):
        name = str(mark.lastgroup)
        if name.startswith("begin"):
            if inside or content[start : mark.start()].strip():
                return None
            inside = name.replace("begin", "end")
        elif name == inside or (not inside and number == 0):
            inside = ""
        else:
            return None
        start = mark.end()
    return None if inside else content[start:].strip()


def decisions(answer: ModelReply, parser: str, titles: Sequence[str]) -> list[Decision]:
    """What an answer decides, one decision for each title that was asked for.

    Args:
        answer: What the model said.
        parser: `first-digit` (the authors': the first 0 or 1 in the text), `digit` (the answer is 0 or 1 and nothing else) or `json`
            (one object with exactly the titles as keys and 0 or 1 as values).
        titles: What was asked for; one title for the first two parsers.
    """
    if answer.declined:
        return [REFUSED] * len(titles)
    text = without_trace(answer.content) if answer.complete else None
    if not text:
        return [UNPARSEABLE] * len(titles)
    if parser == "json":
        return _from_json(text, titles)
    match = re.search(r"[01]", text) if parser == "first-digit" else re.fullmatch(r"[01]", text)
    return [(int(match[0]), Status.OK) if match else UNPARSEABLE]


def _from_json(text: str, titles: Sequence[str]) -> list[Decision]:
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return [UNPARSEABLE] * len(titles)
    if not isinstance(found, Mapping) or not set(found) <= set(titles):
        return [UNPARSEABLE] * len(titles)
    return [(found[title], Status.OK) if type(found.get(title)) is int and found[title] in (0, 1) else UNPARSEABLE for title in titles]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different; which of two equal keys a model meant, nobody knows."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found
