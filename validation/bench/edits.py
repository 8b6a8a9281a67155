"""The edits: from a report to the same report with one thing changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from validation.bench.drafts import BenchWords, ReportEdit, Sentence, closure, droppable, possible, text_of, words

_ERRORS_ALONE = ("negated", "unnegated", "replaced")
"""Errors that leave the number of words as it is: several at once are made of them."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes the edits of one report."""

    known: BenchWords
    sides: Mapping[str, str]
    rng: random.Random


Edited = tuple[str, frozenset[str]]
"""The text after an edit and the findings that it then states."""


def edit(kind: str, draft: ReportEdit, maker: Maker) -> Edited | None:
    """One edit of a kind; None where the report has nothing that it could change."""
    if kind in _ON_TEXT:
        text = _ON_TEXT[kind](draft, maker)
        return None if text is None else (text, draft.present)
    changed = by_rule(kind, draft, maker) if kind in maker.known.rules else _ON_DRAFT[kind](draft, maker)
    return None if changed is None else (text_of(changed, maker.known), changed.present)


def by_rule(kind: str, draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Apply one of the rules of a kind to one sentence; attributes are changed only where a finding is stated."""
    harmless = kind in ("wording", "rephrased", "spelling", "abbreviation")
    places = [
        (index, pattern, new)
        for index, item in enumerate(draft.sentences)
        if harmless or item.asserts
        for pattern, new in maker.known.rules[kind]
        if pattern.search(item.text)
    ]
    if not places:
        return None
    index, pattern, new = maker.rng.choice(places)
    item = draft.sentences[index]
    text = pattern.sub(new, item.text, count=1)
    text = text[:1].upper() + text[1:]
    return None if text == item.text else draft.put(index, replace(item, text=text, edited=True))


def _order(draft: ReportEdit, maker: Maker) -> ReportEdit:
    listed = list(draft.sentences)
    one, other = maker.rng.sample(range(len(listed)), 2)
    listed[one], listed[other] = listed[other], listed[one]
    return replace(draft, sentences=tuple(listed))


def _omitted(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Drop a sentence that is as long as a remark of this report, so that the remark can be dropped for comparison."""
    length = _common_length(draft, maker)
    places = [index for index, long in droppable(draft) if long == length]
    return draft.put(maker.rng.choice(places)) if places else None


def _remark_dropped(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    length = _common_length(draft, maker)
    places = [index for index, item in enumerate(draft.sentences) if item.remark and len(words(item.text)) == length]
    return draft.put(maker.rng.choice(places)) if places else None


def _common_length(draft: ReportEdit, maker: Maker) -> int:
    """A number of words that a remark and a sentence that can be omitted both have; 0 where there is none."""
    remarks = {len(words(item.text)) for item in draft.sentences if item.remark}
    return maker.rng.choice(sorted(remarks & {length for _, length in droppable(draft)}) or [0])


def _invented(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Add a sentence for which there is a remark of the same length."""
    found = next(
        (item for item in possible(draft, maker.known, maker.sides, maker.rng) if len(words(item.text)) in maker.known.remarks), None
    )
    return _inserted(draft, found, maker) if found else None


def _remark_added(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Add a remark as long as a sentence that could be invented here."""
    lengths = [len(words(item.text)) for item in possible(draft, maker.known, maker.sides, maker.rng)]
    length = next((length for length in lengths if length in maker.known.remarks), None)
    return None if length is None else _inserted(draft, Sentence(maker.known.remarks[length][1]), maker)


def _inserted(draft: ReportEdit, new: Sentence, maker: Maker) -> ReportEdit:
    place = maker.rng.randrange(len(draft.sentences))
    return draft.put(place, replace(new, edited=True), draft.sentences[place])


def _negated(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    flips = {stated: (finding, denied) for finding, (stated, denied) in maker.known.flips.items()}
    places = [index for index, _ in droppable(draft) if draft.sentences[index].text in flips]
    if not places:
        return None
    index = maker.rng.choice(places)
    finding, text = flips[draft.sentences[index].text]
    return draft.put(index, Sentence(text, denies=frozenset({finding}), edited=True))


def _unnegated(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    flips = {denied: (finding, stated) for finding, (stated, denied) in maker.known.flips.items()}
    places = [
        index
        for index, item in enumerate(draft.sentences)
        if item.text in flips and not item.edited and not closure(flips[item.text][0]) & (draft.denied - item.denies)
    ]
    if not places:
        return None
    index = maker.rng.choice(places)
    finding, text = flips[draft.sentences[index].text]
    return draft.put(index, Sentence(text, closure(finding), edited=True))


def _replaced(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Another finding in a sentence of the same number of words."""
    others = possible(draft, maker.known, maker.sides, maker.rng)
    pairs = [(index, other) for index, length in droppable(draft) for other in others if len(words(other.text)) == length]
    if not pairs:
        return None
    index, other = maker.rng.choice(pairs)
    return draft.put(index, replace(other, edited=True))


def _several(count: int) -> Callable[[ReportEdit, Maker], ReportEdit | None]:
    def make(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
        changed: ReportEdit | None = draft
        for kind in maker.rng.sample(_ERRORS_ALONE, len(_ERRORS_ALONE))[:count]:
            changed = _ON_DRAFT[kind](changed, maker) if changed else None
        return changed

    return make


def _section(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    """Move a sentence that states a finding from the findings to the impression."""
    places = [index for index, item in enumerate(draft.sentences) if item.asserts]
    if not places:
        return None
    index = maker.rng.choice(places)
    return replace(draft.put(index), summary=(draft.sentences[index],))


def _denial_dropped(draft: ReportEdit, maker: Maker) -> ReportEdit | None:
    places = [index for index, item in enumerate(draft.sentences) if item.denies and not item.asserts]
    return draft.put(maker.rng.choice(places)) if places else None


def _bullets(draft: ReportEdit, maker: Maker) -> str:
    listed = "".join(f"\n- {item.text}" for item in draft.sentences)
    first, second = maker.known.headings
    return f"{first.rstrip()}{listed}\n{second}{maker.known.summary}"


def _without_headings(draft: ReportEdit, maker: Maker) -> str:
    text = text_of(draft, maker.known)
    for heading in maker.known.headings:
        text = text.replace(heading, "", 1)
    return text


def _capitals(draft: ReportEdit, maker: Maker) -> str | None:
    text = text_of(draft, maker.known)
    return None if text.upper() == text else text.upper()


def _punctuation(draft: ReportEdit, maker: Maker) -> str | None:
    """Join two sentences; the second keeps its capital, so that nothing else changes."""
    places = [index for index, item in enumerate(draft.sentences[:-1]) if item.text.endswith(maker.known.stop)]
    if not places:
        return None
    index = maker.rng.choice(places)
    item = draft.sentences[index]
    return text_of(draft.put(index, replace(item, text=item.text.removesuffix(maker.known.stop) + maker.known.join)), maker.known)


def _comparison(draft: ReportEdit, maker: Maker) -> str:
    return f"{maker.known.comparison}\n{text_of(draft, maker.known)}"


_ON_TEXT: Mapping[str, Callable[[ReportEdit, Maker], str | None]] = {
    "bullets": _bullets,
    "headings": _without_headings,
    "capitals": _capitals,
    "punctuation": _punctuation,
    "comparison": _comparison,
}
_ON_DRAFT: Mapping[str, Callable[[ReportEdit, Maker], ReportEdit | None]] = {
    "order": _order,
    "remark added": _remark_added,
    "remark dropped": _remark_dropped,
    "pertinent negative": _denial_dropped,
    "omitted": _omitted,
    "invented": _invented,
    "negated": _negated,
    "unnegated": _unnegated,
    "replaced": _replaced,
    "two errors": _several(2),
    "three errors": _several(3),
    "section": _section,
}
