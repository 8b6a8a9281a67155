"""Every place of a text that could name somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from harness.formats.privacy import chinese, dates, names, numbers, places, repeated
from harness.formats.privacy.span import KINDS, Span


def find(text: str, known: Collection[str] = ()) -> tuple[Span, ...]:
    """The spans of a text, in order, none overlapping another; takes time in proportion to the text.

    Args:
        text: A report.
        known: Ids and names that are known from elsewhere (columns of the table, a person's list) and are found wherever they occur.
    """
    claimed: list[Span] = [Span("number", *place) for place in _known(text, known)]
    claimed += [Span("date", found.start, found.end) for found in dates.find(text)]
    for rule in (numbers.find, names.find, places.find, chinese.find):
        claimed += rule(text)
    return _apart(claimed)


def with_names(text: str, spans: Iterable[Span], known: Collection[str]) -> tuple[Span, ...]:
    """The spans of a text and the names in it that are known from other reports (`repeated.names`)."""
    return _apart([*spans, *repeated.find(text, known)])


def _known(text: str, known: Collection[str]) -> Iterable[tuple[int, int]]:
    for word in known:
        start = text.find(word) if len(word) >= 2 else -1
        while start >= 0:
            end = start + len(word)
            if not _inside(text, start, end):
                yield start, end
            start = text.find(word, end)


def _inside(text: str, start: int, end: int) -> bool:
    """Whether a hit is only a part of a longer word or number."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isascii() and before.isalnum() and text[start].isascii()) or (
        after.isascii() and after.isalnum() and text[end - 1].isascii()
    )


def _apart(claimed: Iterable[Span]) -> tuple[Span, ...]:
    """Longest first, then the more trusted kind; of one that overlaps a chosen one only what is left counts."""
    chosen: list[Span] = []
    taken: set[int] = set()
    for span in sorted(claimed, key=lambda item: (-item.size, KINDS.index(item.kind), item.start)):
        chosen += _left(span, taken)
        taken.update(range(span.start, span.end))
    return tuple(sorted(chosen, key=lambda item: item.start))


def _left(span: Span, taken: set[int]) -> list[Span]:
    """The parts of a span that no other one has; part of a date is a number."""
    if taken.isdisjoint(range(span.start, span.end)):
        return [span] if span.size else []
    free = [at for at in range(span.start, span.end) if at not in taken]
    starts = [at for at in free if at - 1 not in free]
    ends = [at + 1 for at in free if at + 1 not in free]
    return [Span("number" if span.kind == "date" else span.kind, *part) for part in zip(starts, ends, strict=True)]
