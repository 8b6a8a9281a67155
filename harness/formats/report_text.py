"""The text of one report: what is wrong with it, and what cleaning takes out of it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 20_000
"""The limit for one report; the longest of MIMIC-CXR has about a quarter of that."""
MAX_ID = 200
_EMPTY_WORDS = frozenset(("nan", "none", "null", "n/a", "na", "#n/a", "<na>", "nil", "undefined"))
_TAGS = (
    "a b body br center code div em font form h[1-6] head hr html i iframe img input li link meta ol option p pre s script small span "
    "strong style sub sup svg table tbody td textarea th think thead title tr u ul video"
)
_MARKUP = re.compile(
    rf"</?(?:{'|'.join(_TAGS.split())})(?:\s[^<>]{{0,300}})?/?>|<!--|<!doctype|```|<\|[a-z_]{{1,30}}\|>"
    r"|&(?:nbsp|amp|lt|gt|quot|apos|#x?[0-9a-f]{1,6});",
    re.IGNORECASE,
)
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")

_INLINE = "a b code em font i s small span strong sub sup u"
_STRAY = re.compile(
    rf"(?P<inline></?(?:{'|'.join(_INLINE.split())})(?:\s[^<>]{{0,300}})?/?>)|</?(?:{'|'.join(_TAGS.split())})(?:\s[^<>]{{0,300}})?/?>"
    r"|```(?:[a-z]{1,20}(?=\n))?|<\|[a-z_]{1,30}\|>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#x?[0-9a-f]{1,6});", re.IGNORECASE)
_NO_THOUGHT = re.compile(r"<think>\s{0,300}</think>", re.IGNORECASE)
_NO_REPORT = re.compile(
    r"<(?:think|script|style|textarea|title)(?:\s[^<>]{0,300})?>\s{0,300}[^<\s]|\S\s{0,300}</think>\s{0,300}\S", re.IGNORECASE
)
"""Words that are reasoning or program: whether they are the report cannot be known, so nothing is taken out."""


def clean(text: str) -> str:
    """The text without stray markup and control characters, every word kept.

    Tags, role markers and code fences go (those that begin a line or a cell leave a line break), entities become their character.
    What cleaning leaves is still looked at by `faults`: comments, scripts, and text before `</think>` stay errors.
    """
    left = _NO_THOUGHT.sub("\n", text)
    if _NO_REPORT.search(left):
        return text
    text = _STRAY.sub(lambda found: "" if found["inline"] else "\n", left)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text)
    return CONTROL.sub(lambda found: "\n" if found[0] in "\x0b\x0c\x85" else "", text)


def id_fault(name: str) -> str:
    """What is wrong with a study id; empty where nothing is."""
    if len(name) > MAX_ID or not name.isprintable() or name.startswith("="):
        return f"the study id has more than {MAX_ID} characters, holds control characters or begins with ="
    return ""


def faults(value: Any) -> Iterator[tuple[str, str, str]]:
    """Kind, what and remedy of everything that is wrong with one cell of text."""
    if value is None:
        return
    if not isinstance(value, str):
        remedy = "Write one text a cell" if isinstance(value, dict | list) else "Write it as text"
        yield "not text", f"the report is {kind_of(value)}, not text", remedy
        return
    if len(value) > MAX_CHARACTERS:
        what = f"the report has {len(value):,} characters; {MAX_CHARACTERS:,} are allowed"
        yield "over-long", what, "Shorten it; did the system repeat itself?"
        return
    if len(value) < 12 and value.strip().lower() in _EMPTY_WORDS:
        yield (
            "word for nothing",
            "the report is only a placeholder for an empty cell, such as nan",
            "Leave the text empty, or remove the row",
        )
    if value.startswith("="):
        yield "formula", "the report begins with =, which a spreadsheet takes for a formula", "Remove the ="
    if ("<" in value or "&" in value or "`" in value) and (found := _MARKUP.search(value)):
        what = f"the report holds markup at character {found.start() + 1}"
        yield "markup", what, "Write plain text: no HTML, no code fences, no role markers" + _cleanable(value)
    if not value.isprintable() and (found := CONTROL.search(value)):
        what = f"the report holds the control character U+{ord(found[0]):04X} at character {found.start() + 1}"
        yield "control character", what, "Remove it; only line breaks and tabs are text" + _cleanable(value)


def _cleanable(text: str) -> str:
    """The end of a remedy: that cleaning would do, where it would."""
    left = clean(text)
    return "" if _MARKUP.search(left) or CONTROL.search(left) else "; or add --clean to `ranscore score`"


def kind_of(value: Any) -> str:
    """What a value is, without the value."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    return "bytes" if isinstance(value, bytes) else "of another type"
