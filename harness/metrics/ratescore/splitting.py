"""Parts a report into sentences as RaTEScore does: RuSH's spans, moved to the words of spaCy's English tokeniser."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from harness.metrics.ratescore.rules import Rules, TextRange

SHORTEST = 3
"""Characters of a sentence; shorter ones are dropped."""
GAP = 5
"""Characters between two sentences that are not yet a sentence of their own."""
_LAST = frozenset('.!?)]"')
_EDGE = re.compile(r"""[^\w\s]""")
_INNER = re.compile(r"(?<=[a-z])(?=\.[A-Z])|(?<=[a-z]\.)(?=[A-Z])|(?<=[^\W\d_])(?=[,:<>=/~-][^\W\d_])|(?<=[^\W\d_][,:<>=/~-])(?=[^\W\d_])")
"""Where a word is cut inside: before and behind a sign between letters, and a full stop between a small letter and a capital."""


def sentences(text: str, rules: Rules) -> list[str]:
    """The sentences of a report in order; none for a report without words."""
    starts = [*_starts(text, words(text), spans(text, rules)), len(text)]
    pieces = (text[begin:end].strip() for begin, end in itertools.pairwise(starts))
    return [piece for piece in pieces if len(piece) >= SHORTEST]


def words(text: str) -> list[TextRange]:
    """Words, signs and runs of white space; one space behind a word belongs to the word."""
    found: list[TextRange] = []
    for match in re.finditer(r"\S+|\s+", text):
        begin, end = match.span()
        if text[begin].isspace():
            begin += begin > 0 and text[begin] == " "
            found += [TextRange(begin, end)] if begin < end else []
        else:
            found += _parted(text, begin, end)
    return found


def _parted(text: str, begin: int, end: int) -> list[TextRange]:
    """A run without white space, its signs cut off at both ends and between letters."""
    cuts = {begin, end}
    left, right = begin, end
    while left < right and _EDGE.match(text[left]):
        left += 1
        cuts.add(left)
    while right > left and _EDGE.match(text[right - 1]):
        right -= 1
        cuts.add(right)
    cuts.update(begin + match.start() for match in _INNER.finditer(text[begin:end]))
    ordered = sorted(cuts)
    return [TextRange(one, two) for one, two in itertools.pairwise(ordered)]


def _starts(text: str, tokens: Sequence[TextRange], found: Sequence[TextRange]) -> list[int]:
    """Where sentences start: where a span does, at the first word behind a span, and at white space between spans."""
    starts = {tokens[0].begin} if tokens else set[int]()
    at = place = 0
    while place < len(tokens):
        token = tokens[place]
        following = found[at + 1].begin if at + 1 < len(found) else -1
        if at + 1 < len(found) and found[at].end <= token.begin < following:
            gap = [item for item in tokens[place:] if item.begin < following]
            starts.add(next((item for item in gap if text[item.begin].isspace()), gap[0]).begin)
            place += len(gap)
            continue
        while at < len(found) and token.begin >= found[at].end:
            at += 1
        if at == len(found):
            starts |= {token.begin} if text[token.begin].isspace() else set()
        elif token.begin >= found[at].begin:
            starts |= {token.begin} if token.begin == found[at].begin else set()
            starts |= {item.begin for item in tokens[place + 1 : place + 2] if item.begin >= found[at].end}
        place += 1
    return sorted(starts)


def spans(text: str, rules: Rules) -> list[TextRange]:
    """RuSH's spans: from each begin to the last end before the next begin; what is left between them is a span, or belongs to one."""
    begins, ends = rules.captures(text)
    found: list[TextRange] = []
    start = stop = first = 0
    started = False
    for place, begin in enumerate(begins):
        if not started:
            start = begin.begin
            if start < stop:
                continue
            started = True
        elif begin.begin < stop:
            continue
        _fill(found, text, start)
        later = begins[place + 1].begin if place + 1 < len(begins) else None
        for number in range(first, len(ends)):
            more = number + 1 < len(ends)
            if later is not None and more and later < ends[number].begin + 1:
                break
            first, stop = number, len(text[: ends[number].begin + 1].rstrip())
            if stop < start:
                continue
            if not started:
                found[-1] = TextRange(start, stop)
                continue
            found.append(TextRange(start, stop))
            started = False
            if later is not None and not (more and later > ends[number + 1].end):
                break
    _close(found, text, ends)
    return found


def _fill(found: list[TextRange], text: str, start: int) -> None:
    """Make what is left before a begin a span; a short rest belongs to the span before it."""
    rest = _trimmed(text, found[-1].end if found else 0, start)
    if rest and rest.width > GAP:
        found.append(rest)
    elif rest and found:
        found[-1].end = rest.end


def _close(found: list[TextRange], text: str, ends: Sequence[TextRange]) -> None:
    """Take in what is left before the first span and behind the last."""
    if found and (rest := _trimmed(text, 0, found[0].begin)):
        if not ends or found[0].begin <= ends[0].begin:
            found[0].begin = rest.begin
        else:
            found.insert(0, rest)
    rest = _trimmed(text, found[-1].end if found else 0, len(text))
    if rest and rest.width > GAP:
        found.append(rest)
    elif rest and found:
        found[-1].end = rest.end


def _trimmed(text: str, begin: int, end: int) -> TextRange | None:
    """The part without white space in front, up to the last letter, digit or closing sign; None where less than two characters are left."""
    part = text[begin:end]
    front = len(part) - len(part.lstrip())
    last = next((place for place in range(len(part) - 1, front, -1) if part[place].isalnum() or part[place] in _LAST), front)
    return TextRange(begin + front, begin + last + 1) if last > front else None
