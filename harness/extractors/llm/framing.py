"""Report text on its way to a model: framed so that it stays text, and flagged where it talks to a model."""

from __future__ import annotations

import re
import unicodedata

from harness.findings import by_spelling

_BRACKETS = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "＜": "‹", "＞": "›"})
"""Every special token of a chat model that we know of is written with angle or square brackets; without them none can be spelled."""

_CONTROLS = dict.fromkeys([*range(32), 127], " ")
"""The control characters among the ASCII ones."""


def framed(text: str, framing: str) -> str:
    """A report as it goes into a prompt.

    `raw` leaves it as it is. `line` makes it one line without control characters, brackets that could spell a special token, or
    the frame's own words in capitals: the tokens outside the report are then the same whatever it holds.
    """
    text = text.encode("utf-8", "replace").decode()
    if framing == "raw":
        return text
    text = unicodedata.normalize("NFC", text).translate(_BRACKETS)
    text = text.translate(_CONTROLS) if text.isascii() else "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    text = re.sub(r"REPORT\s+(BEGINS|ENDS)", lambda match: match[0].lower(), " ".join(text.split()))
    return _guarded(text)


def _guarded(text: str) -> str:
    """A combining mark at the front would lean on the frame; a base in front of it keeps it inside."""
    return f"·{text}" if text and unicodedata.category(text[0])[0] == "M" else text


_INSTRUCTION = re.compile(
    r"\b(ignore|disregard|forget)\b.{0,40}\b(instruction|above|previous|prior|prompt|rule)s?\b"
    r"|\b(system prompt|as an ai|language model|you are (now|a|an)\b|you must (answer|output|return|label|respond))"
    r"|\b(answer|output|respond|reply|return|label)\b.{0,30}\b(only|always|with|as)\b.{0,20}(\b[01]\b|\byes\b|\bno\b|\bjson\b|positive|negative)"
    r"|(忽略|无视).{0,12}(指令|以上|之前|提示)",
    re.IGNORECASE,
)
_INSTRUCTS = (
    *("ignore", "disregard", "forget", "system prompt", "as an ai", "language model", "you are", "you must"),
    *("answer", "output", "respond", "reply", "return", "label"),
)
"""One of these is in every text of ASCII characters in which `_INSTRUCTION` finds something."""


def _may_instruct(text: str) -> bool:
    """A quick look that misses nothing, because a corpus has millions of reports."""
    lowered = text.lower()
    return not text.isascii() or any(words in lowered for words in _INSTRUCTS)


_ROLE = re.compile(
    r"<\|?[a-z_/]{2,20}\|?>|<｜|\[/?(inst|sys)\]|<</?sys>>|</s>|^[^\S\n]*(system|assistant|user|human)\s*:|##\s*(instruction|response|system)",
    re.IGNORECASE | re.MULTILINE,
)
"""Every run of blanks, line ends or signs is read once, from where it begins: reports are hostile, and the worker has no other limit."""
_JSON = re.compile(r"\{\s*[\"'][^\"'{}]{1,60}[\"']\s*:|```|\[\s*[01]\s*(,\s*[01]\s*){3,}\]")
_LABEL = re.compile(
    r"(?:"
    + "|".join(re.escape(spelling) for spelling in sorted(by_spelling(), key=len, reverse=True))
    + r")[\"']?\s*[:=]\s*[\"']?(?:[01]\b|yes|no|present|absent|true|false)",
    re.IGNORECASE,
)


def flags(text: str) -> tuple[str, ...]:
    """What in a text talks to a model rather than to a reader: `instruction-like`, `role marker`, `json`, `label list`.

    A flag never changes a decision; it is in the record, so that people can look.
    """
    found = []
    if _may_instruct(text) and _INSTRUCTION.search(text):
        found.append("instruction-like")
    if _ROLE.search(text):
        found.append("role marker")
    if _JSON.search(text):
        found.append("json")
    if text.count(":") + text.count("=") >= 3 and len(_LABEL.findall(text)) >= 3:
        found.append("label list")
    return tuple(found)
