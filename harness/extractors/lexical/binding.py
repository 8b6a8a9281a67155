"""Which place an observation belongs to: "enlarged" says something of the heart in one sentence and of the aorta in the next."""

from __future__ import annotations

from collections.abc import Sequence

from harness.extractors.lexical.clause import DEGREES, STOPS
from harness.extractors.lexical.tokens import Mark

FAR = 5
"""Words that may be between an observation and the place named behind it."""
BETWEEN = frozenset(
    {"observation", "degree", "likely", "improved", "side", "and", "or", "place", "skip", "aside", "mimic", "scar", "technique"}
)
"""What may be between an observation and its place."""
OTHER = (-1,)
"""What is none of the 21 has a place of its own behind it."""
NEAR = 3
"""Words between an observation and a place outside the chest named before it, for that place to disqualify it."""


def places(marks: Sequence[Mark], index: int) -> tuple[list[int], bool]:
    """Where an observation was made.

    Returns:
        The positions of the places that its concept knows, nearest first, and whether it is outside the chest.
    """
    at = marks[index].concept.at
    behind = _behind(marks, index)
    if behind and (marks[index].concept.trailing or _is_predicate(marks, index)):
        first = _before(marks, index)
        if any(marks[place].concept.name in at for place in first):
            behind = []
    known = [place for place in behind if marks[place].concept.name in at]
    if known:
        return known, False
    if behind and marks[behind[0]].concept.outside:
        return [], True
    before = _before(marks, index)
    known = [place for place in before if marks[place].concept.name in at]
    if not before and marks[index].concept.needs and _is_last(marks, index):
        known = [place for place in range(index - 1, -1, -1) if marks[place].concept.name in at][:1]
    outside = bool(before) and not known and marks[before[0]].concept.outside and marks[index].first - marks[before[0]].last < NEAR
    return known, outside


def _is_predicate(marks: Sequence[Mark], index: int) -> bool:
    """Whether a verb is before the observation, as in "the heart is mildly enlarged"."""
    for mark in reversed(marks[:index]):
        if mark.concept.kind not in ("degree", "likely", "improved", "side", "negation"):
            return mark.concept.kind in ("verb", "colon")
    return False


def _is_last(marks: Sequence[Mark], index: int) -> bool:
    """Whether an adjective ends its sentence, so that it is said of what was named last: "hard to assess, but probably enlarged"."""
    return marks[index].concept.predicate and all(mark.concept.kind in ("seen", *DEGREES) for mark in marks[index + 1 :])


def _behind(marks: Sequence[Mark], index: int) -> list[int]:
    """Places named behind: "enlargement of the heart and the pulmonary arteries"."""
    found: list[int] = []
    last = marks[index].last
    for place in range(index + 1, len(marks)):
        mark = marks[place]
        kind = mark.concept.kind
        if mark.first - last > FAR or not (kind in BETWEEN or _is_seen(marks, place)) or mark.concept.gives == OTHER:
            break
        if kind == "place":
            found.append(place)
        elif found and kind not in ("and", "or"):
            break
        last = mark.last
    return found


def _is_seen(marks: Sequence[Mark], place: int) -> bool:
    """Whether a verb only says that something is seen: "fluid is seen in the fissure", "cysts are known in the kidneys"."""
    kind = marks[place].concept.kind
    return kind == "seen" or (kind == "verb" and place + 1 < len(marks) and marks[place + 1].concept.kind in ("seen", "degree"))


def _before(marks: Sequence[Mark], index: int) -> list[int]:
    """Places named before: "heart and mediastinum are enlarged"."""
    found: list[int] = []
    for place in range(index - 1, -1, -1):
        kind = marks[place].concept.kind
        if kind == "place":
            found.append(place)
        elif (
            kind in STOPS
            or (kind == "normal" and marks[place + 1].concept.kind != "or")
            or (kind == "comma" and not found)
            or (found and kind not in ("and", "or", "comma", "degree", "likely", "improved", "side"))
        ):
            break
    return found


def subject(marks: Sequence[Mark], index: int) -> str:
    """The observation that another one is said of: "one of the wires is fractured", "fracture of the lead", "fractured wires"."""
    trails = marks[index].concept.trailing and index > 0 and marks[index].first - marks[index - 1].last <= 1
    for mark in reversed(marks[:index]):
        if mark.concept.kind in ("observation", "place"):
            if mark.concept.kind == "observation" and (trails or _is_predicate(marks, index)):
                return mark.concept.name
            break
        if mark.concept.kind in ("comma", "and", "or", "colon", *STOPS):
            break
    for mark in marks[index + 1 : index + 3] if not marks[index].concept.trailing else ():
        if mark.concept.kind == "observation" and mark.first - marks[index].last < NEAR:
            return mark.concept.name
        if mark.concept.kind not in ("side", "degree", "likely", "improved"):
            break
    return ""
