"""A name that a rule finds in one report of a file is found in every other one, whatever words are beside it there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from harness.formats.privacy.gazetteer import words
from harness.formats.privacy.span import Span

_WORD = re.compile(r"[^\W\d_]{3,30}(?:['’-][^\W\d_]{1,30}){0,3}")
_HAN = re.compile(r"[\u4e00-\u9fff〇]{3,4}")
_SIZES = (4, 3)


def names(text: str, spans: Iterable[Span]) -> set[str]:
    """The words of the names of a text that are sure to be no other word: capitalised and no word of reports, or three and four Chinese characters.

    Args:
        text: A report.
        spans: What the rules found in it.
    """
    found: set[str] = set()
    for span in spans:
        if span.kind == "name":
            own = text[span.start : span.end]
            found.update(_HAN.findall(own) if _HAN.fullmatch(own) else (word for word in _WORD.findall(own) if _sure(word)))
    return found


def _sure(word: str) -> bool:
    return word[0].isupper() and word.lower() not in words("common") | words("eponyms") | words("cities")


def find(text: str, known: Collection[str]) -> list[Span]:
    """Where the names that are known from other reports occur; takes time in proportion to the text.

    Args:
        text: A report.
        known: From `names`.
    """
    found = [Span("name", *match.span()) for match in _WORD.finditer(text) if match[0] in known]
    if any("\u4e00" <= sign <= "\u9fff" for sign in text):
        found += [Span("name", at, at + size) for at in range(len(text)) for size in _SIZES if text[at : at + size] in known]
    return found
