"""Characters that only look like letters: ligatures, soft hyphens, full-width forms, Cyrillic and Greek look-alikes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from harness.types import Span

LOOK_ALIKES = str.maketrans(
    "аеорсухіѕјкмнтвАЕОРСУХІЅЈКМНТВЗԁԛԝһνοαεικρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɡ",
    "aeopcyxisjkmhtbAEOPCYXISJKMHTB3dqwhvoaeikptuxABEZHIKMNOPTYXig",
)
"""Letters of other scripts that are drawn as a Latin one."""
_ODD = re.compile(
    "[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\ufb00-\ufb06\uff01-\uff5e\u0370-\u03ff\u0400-\u052f\u0131\u0261\u0300-\u036f]"
)
"""Characters that a text may have to be written without."""
_UNSEEN = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_ACCENT = re.compile("[\u0300-\u036f]")
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f\u0131\u0261]")
_WORD = re.compile(r"[^\W\d_]+")
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
"""Full-width letters and digits; full-width signs are the Chinese ones and stay."""


def plain(text: str) -> tuple[str, Sequence[int] | None]:
    """A text in the letters that it is meant to be in.

    Returns:
        The text, and for each of its characters and its end the place in the original; None where nothing changed.
    """
    if text.isascii() or not _ODD.search(text):
        return text, None
    letters: list[str] = []
    places: list[int] = []
    alike = _look_alikes(text)
    for place, sign in enumerate(text):
        if _UNSEEN.match(sign):
            continue
        if _ACCENT.match(sign) and letters:
            composed = unicodedata.normalize("NFC", letters[-1] + sign)
            letters[-1] = composed if len(composed) == 1 else letters[-1]
            continue
        if place in alike:
            sign = sign.translate(LOOK_ALIKES)
        elif "\ufb00" <= sign <= "\ufb06" or _WIDE.match(sign):
            sign = unicodedata.normalize("NFKC", sign)
        letters += sign
        places += [place] * len(sign)
    return "".join(letters), [*places, len(text)]


def _look_alikes(text: str) -> set[int]:
    """Places of foreign letters in words that also hold a Latin one, or that are Latin when they are read by their looks."""
    found: set[int] = set()
    if not _FOREIGN.search(text):
        return found
    latin = len(re.findall("[A-Za-z]", text))
    for word in _WORD.finditer(text):
        foreign = [place for place in range(*word.span()) if _FOREIGN.match(text[place])]
        mixed = len(foreign) < word.end() - word.start()
        if foreign and (mixed or latin > len(text) // 2) and word[0].translate(LOOK_ALIKES).isascii():
            found.update(foreign)
    return found


def spans_in(spans: Sequence[Span], places: Sequence[int] | None) -> tuple[Span, ...]:
    """Spans of the plain text as spans of the original."""
    if places is None:
        return tuple(spans)
    return tuple((places[start], places[end - 1] + 1) for start, end in spans)
