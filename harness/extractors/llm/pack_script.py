"""What every script of the authors has in common: a table of guidance texts, one call of a chat server, a system and a user message."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from harness.extractors.llm.pack import ASKED, AnswerDecoding, PackQuestion
from harness.extractors.llm.syntax import ScriptReader, string
from harness.findings import NO_FINDING, by_spelling

SETTINGS: dict[str, type] = {"temperature": float, "top_p": float, "max_tokens": int, "seed": int}
"""Decoding as a chat server is sent it."""
SLOT = re.compile(r"\{(label|guidance|report|hedges)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What was read out of a script."""

    questions: tuple[PackQuestion, ...]
    system: str
    user: str
    strip: bool
    decoding: AnswerDecoding
    model: str
    deviations: tuple[str, ...]


def questions(reader: ScriptReader, table: ast.expr | None, text: Callable[[ast.expr], str | None]) -> tuple[PackQuestion, ...]:
    """The questions of a table from titles to guidance texts.

    Args:
        reader: Takes what is wrong.
        table: The table's syntax; None where it was not found, which somebody else has noted.
        text: Reads one guidance text; None where it is not written out.
    """
    if table is None:
        return ()
    if not isinstance(table, ast.Dict):
        reader.wrong("prompt_templates is not a table written out", table)
        return ()
    found: list[PackQuestion] = []
    spellings = by_spelling()
    for key, value in zip(table.keys, table.values, strict=True):
        title, guidance = string(key), text(value)
        finding = spellings.get((title or "").lower())
        if title is None or finding is None or finding == NO_FINDING:
            reader.wrong("prompt_templates has a key that is none of the 20 findings", key or value)
        elif guidance is None or not guidance.strip():
            reader.wrong(f"the guidance for {finding} is not a text written out", value)
        elif any(question.finding == finding for question in found):
            reader.wrong(f"{finding} has two guidance texts", key)
        else:
            found.append(PackQuestion(finding, title, guidance))
    if missing := [name for name in ASKED if name not in {question.finding for question in found}]:
        reader.wrong(f"prompt_templates has no guidance for {', '.join(missing)}", table)
    return tuple(found)


def only_call(reader: ScriptReader, tree: ast.Module) -> ast.Call | None:
    """The one call of the chat server."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("chat.completions.create")]
    if len(calls) != 1:
        reader.wrong(f"the chat server is called in {len(calls)} places, not one", calls[-1] if calls else None)
        return None
    known = {"model", "messages", *SETTINGS}
    for keyword in calls[0].keywords:
        if keyword.arg not in known:
            reader.wrong(f"the chat server is also sent {keyword.arg or '**'}, which a pack has no place for", keyword.value)
    if calls[0].args:
        reader.wrong("the chat server is sent something by position", calls[0])
    return calls[0]


def system_message(reader: ScriptReader, call: ast.Call | None) -> str:
    """The system message; the user message beside it must be what was written into `prompt`."""
    if call is None:
        return ""
    messages = next((keyword.value for keyword in call.keywords if keyword.arg == "messages"), None)
    chat = [_message(item) for item in messages.elts] if isinstance(messages, ast.List) else []
    if [role for role, _ in chat] != ["system", "user"]:
        reader.wrong("the messages are not one system and one user message written out", messages or call)
        return ""
    system, user = string(chat[0][1]), chat[1][1]
    if system is None or SLOT.search(system):
        reader.wrong("the system message is not a text written out", chat[0][1])
    if not isinstance(user, ast.Name) or user.id != "prompt":
        reader.wrong("the user message is not what build_prompt made", user)
    return system or ""


def _message(item: ast.expr) -> tuple[str, ast.expr | None]:
    """Role and content of a message written out."""
    if not isinstance(item, ast.Dict) or len(item.keys) != 2:
        return "", None
    parts = {string(key): value for key, value in zip(item.keys, item.values, strict=True)}
    return string(parts.get("role")) or "", parts.get("content")


def sent(call: ast.Call, name: str) -> ast.expr | None:
    """What the chat server is sent under a name; None where it is sent nothing."""
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def frame(reader: ScriptReader, text: ast.JoinedStr, slots: Callable[[ast.FormattedValue], str]) -> str:
    """An f-string as a template with slots.

    Args:
        reader: Takes what is wrong.
        text: The f-string.
        slots: The slot that a value in braces is; empty where it is none.
    """
    parts = []
    for part in text.values:
        slot = slots(part) if isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None else ""
        if isinstance(part, ast.Constant):
            if SLOT.search(str(part.value)):
                reader.wrong("the user message spells a slot in braces as text, which a pack cannot hold", part)
            parts.append(str(part.value))
        elif slot:
            parts.append(f"{{{slot}}}")
        else:
            reader.wrong("the user message holds something other than report, label or guidance", part)
    return "".join(parts)
