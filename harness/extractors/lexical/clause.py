"""Clauses: from a phrase to the end of its clause, and back to where it begins."""

from __future__ import annotations

from collections.abc import Sequence

from harness.extractors.lexical.tokens import Mark

CUES = frozenset(
    {
        "negation", "negation after", "negation either", "poorly seen", "gone", "gone before", "unlikely", "undecided", "undecided after",
        "undecided either", "hedge", "hedge after", "hedge either", "history", "history after", "prior", "condition", "condition after",
        "artefact", "artefact before", "scar", "mimic", "technique", "normal", "zero", "query", "minus", "plus", "improved",
    }
)  # fmt: skip
"""The kinds of phrases that say something of other phrases."""
OPENERS = CUES - {"normal", "scar", "mimic", "technique", "zero", "improved"}
"""Those that begin a clause of their own behind a comma."""
CONTENT = frozenset({"observation", "place"})
DEGREES = frozenset({"degree", "likely", "improved"})
STOPS = frozenset({"stop", "linked", "pause"})
"""Where a scope ends."""


def last_of_clause(kinds: Sequence[str], index: int) -> bool:
    """Whether nothing of its clause follows a phrase."""
    return index + 1 == len(kinds) or (kinds[index + 1] == "comma" or kinds[index + 1] in STOPS)


def ahead(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> range:
    """From a cue to the end of its clause."""
    for place in range(index + 1, len(kinds)):
        kind = kinds[place]
        if place == index + 1 and (kind == "linked" or (kind == "colon" and marks[index].last - marks[index].first > 1)):
            continue  # "possibly due to", "negative for: effusion"
        if kind == "pause" and _is_bare_list(kinds, place):
            continue
        if kind in STOPS or kind in ("colon", "minus", "plus") or (kind in ("comma", "and") and _begins_anew(marks, kinds, place)):
            return range(index + 1, place)
        if kinds[place - 1] == "observation" and _is_new_item(marks, kinds, place):
            return range(index + 1, place)
    return range(index + 1, len(kinds))


def until_comma(kinds: Sequence[str], reach: range) -> range:
    """A hedge covers a list that ends with "or", and otherwise what comes before the next comma."""
    part = [kinds[place] for place in reach]
    if "comma" in part and "or" not in part:
        return range(reach.start, reach.start + part.index("comma"))
    return reach


def _is_bare_list(kinds: Sequence[str], place: int) -> bool:
    """Whether a list without verbs goes on behind a Chinese comma and ends with "or": "没有实变，胸腔积液，或气胸"."""
    for kind in kinds[place + 1 :]:
        if kind == "or":
            return True
        if kind not in ("observation", "side", "pause", "skip", "and"):
            return False
    return False


def _is_new_item(marks: Sequence[Mark], kinds: Sequence[str], place: int) -> bool:
    """Whether something new begins in a list without commas: "no pneumothorax small effusion", "no effusion heart enlarged"."""
    if marks[place].first != marks[place - 1].last or _or_follows(kinds, place):
        return False
    rest = kinds[place + 1 :]
    if kinds[place] in DEGREES:
        return "observation" in rest[:3] and "negation after" not in rest
    if kinds[place] != "place":
        return False
    after = next((index for index in range(place + 1, len(kinds)) if kinds[index] not in DEGREES), place)
    return marks[after].concept.predicate


def _begins_anew(marks: Sequence[Mark], kinds: Sequence[str], joint: int) -> bool:
    """Whether something new is asserted behind a comma or an "and" inside a cue's scope."""
    end = joint + 1
    while end < len(kinds) and kinds[end] not in ("comma", "colon", "and", *STOPS):
        end += 1
    part = kinds[joint + 1 : end]
    if not part:
        return False
    if part[0] in OPENERS:
        return True
    for place, kind in enumerate(part, joint + 1):
        if kind == "normal" and "place" in part:
            return True
        if (
            kind == "verb"
            and place + 1 < len(kinds)
            and kinds[place + 1] not in ("seen", "normal", "negation after", "negation", "poorly seen")
        ):
            return True
        if kind == "place" and place + 1 < end and marks[place + 1].concept.predicate:
            return True
    news = part[0] in DEGREES or (part[0] == "side" and kinds[joint] == "comma")
    return news and marks[joint + 1].first - marks[joint].last <= 1 and not _or_follows(kinds, joint)


def _or_follows(kinds: Sequence[str], joint: int) -> bool:
    """Whether the list that a comma belongs to ends with "or"."""
    for kind in kinds[joint + 1 :]:
        if kind == "or":
            return True
        if kind in STOPS or kind == "verb" or kind in OPENERS:
            return False
    return False


def behind(kinds: Sequence[str], index: int, listed: bool = False) -> range:
    """From the beginning of a clause to the cue that ends it; a list that "and" or "or" closes is taken whole.

    Args:
        listed: Whether commas are passed even so: "enlarged, likely accentuated by technique".
    """
    begin, joined = index, listed
    while begin > 0:
        kind = kinds[begin - 1]
        if kind in STOPS or kind in ("minus", "plus") or (kind == "comma" and not joined and begin != index):
            break
        if kind in ("and", "or"):
            if not CONTENT.isdisjoint(kinds[begin:index]) and _has_own_verb(kinds, begin - 1):
                break
            joined = True
        begin -= 1
    return range(begin, index)


def _has_own_verb(kinds: Sequence[str], joint: int) -> bool:
    """Whether what comes before an "and" is a clause of its own."""
    for kind in reversed(kinds[:joint]):
        if kind in STOPS:
            return False
        if kind == "verb" or (kind in OPENERS and kind != "prior"):
            return True
    return False
