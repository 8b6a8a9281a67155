"""How far a cue reaches: which phrases of a sentence are negated, gone, history, a question, or left undecided.

After NegEx (Chapman 2001), ConText (Harkema 2009) and NegBio (Peng 2018): a cue reaches from where it stands to the end of its clause.
What ends a clause is read from the phrases themselves: "but"; a comma or "and" behind which something new is asserted; the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from harness.extractors.lexical.tokens import Mark


class State(IntEnum):
    """What a sentence says of a phrase; a stronger one wins."""

    PRESENT = 0
    POSSIBLE = 1
    """Something may be it."""
    UNDECIDED = 2
    """Merely cannot be excluded."""
    ARTEFACT = 3
    """Explained by technique or low volumes."""
    PRIOR = 4
    HISTORY = 5
    CONDITION = 6
    GONE = 7
    NEGATED = 8


FORWARD = {
    "negation": State.NEGATED,
    "gone before": State.GONE,
    "history": State.HISTORY,
    "prior": State.PRIOR,
    "condition": State.CONDITION,
    "undecided": State.UNDECIDED,
    "artefact before": State.ARTEFACT,
}
BACKWARD = {
    "negation after": State.NEGATED,
    "undecided after": State.UNDECIDED,
    "artefact": State.ARTEFACT,
    "hedge after": State.POSSIBLE,
    "history after": State.HISTORY,
}
EITHER = {"gone": State.GONE, "unlikely": State.NEGATED}
OPEN = {"negation either": State.NEGATED, "undecided either": State.UNDECIDED, "hedge either": State.POSSIBLE}
CUE = FORWARD.keys() | BACKWARD.keys() | EITHER.keys() | OPEN.keys() | {"hedge"}
CONTENT = frozenset({"observation", "place"})
NEAR = 3
"""Words between a cue and the next one that it still touches."""

States = list[State]
Causes = list[int]
"""For each mark the position of the mark that decided its state; -1 where none did."""


def states(marks: Sequence[Mark]) -> tuple[States, Causes]:
    """What is said of each mark of a sentence."""
    said = [State.PRESENT] * len(marks)
    causes = [-1] * len(marks)
    kinds = [mark.concept.kind for mark in marks]
    if CUE.isdisjoint(kinds) and "normal" not in kinds:
        return said, causes
    idle = _cancelled(marks, kinds)
    for index, kind in enumerate(kinds):
        if (
            kind == "normal"
            and index > 1
            and kinds[index - 1] == "verb"
            and kinds[index - 2] == "observation"
            and not marks[index - 2].concept.lasting
        ):
            said[index - 2], causes[index - 2] = State.NEGATED, index  # "vascular engorgement is within normal limits"
        if kind not in CUE or index in idle:
            continue
        state, reach = _reach(marks, kinds, index)
        for other in reach:
            if state > said[other]:
                said[other], causes[other] = state, index
    return said, causes


def _cancelled(marks: Sequence[Mark], kinds: Sequence[str]) -> set[int]:
    """Cues that undo each other: "no change in", "has not resolved", "without clearing", "not excluded"."""
    idle: set[int] = set()
    for index, kind in enumerate(kinds[:-1]):
        after = index + 1
        while after < len(kinds) and kinds[after] in ("degree", "side", "verb") and marks[after].first - marks[after - 1].last <= 1:
            after += 1
        if kind != "negation" or after == len(kinds) or marks[after].first - marks[index].last > NEAR:
            continue
        if kinds[after] == "change" and after + 1 < len(kinds) and kinds[after + 1] in ("or", "and", "comma"):
            continue
        if kinds[after] in ("change", "gone", "gone before", "negation after", "unlikely", "artefact", "negation"):
            idle.update((index, after))
        elif kinds[after] == "undecided after":
            idle.add(index)
    return idle


def _reach(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[State, range]:
    """The state that a cue gives, and to which marks."""
    kind = kinds[index]
    if kind == "negation" and index and kinds[index - 1] == "colon" and _last_of_clause(kinds, index):
        return State.NEGATED, _behind(kinds, index - 1)  # "Pneumothorax: no"
    if kind == "hedge":
        return State.POSSIBLE, _until_comma(kinds, _ahead(marks, kinds, index))
    if kind in FORWARD:
        return FORWARD[kind], _noun(marks, kinds, index) if kind == "prior" else _ahead(marks, kinds, index)
    if kind in BACKWARD:
        return BACKWARD[kind], _behind(kinds, index, listed=kind == "artefact")
    if kind in OPEN:
        ahead = _ahead(marks, kinds, index)
        return OPEN[kind], ahead if "observation" in kinds[ahead.start : ahead.stop] else _behind(kinds, index)
    verbal = index > 0 and kinds[index - 1] in ("verb", "degree") and marks[index].first - marks[index - 1].last <= 1
    touches = (
        index + 1 < len(kinds) and kinds[index + 1] in (*CONTENT, "degree", "side") and marks[index + 1].first - marks[index].last < NEAR
    )
    forward = touches and not verbal
    return EITHER[kind], _ahead(marks, kinds, index) if forward else _behind(kinds, index)


def _last_of_clause(kinds: Sequence[str], index: int) -> bool:
    return index + 1 == len(kinds) or kinds[index + 1] in ("comma", "stop")


def _ahead(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> range:
    """From a cue to the end of its clause."""
    for place in range(index + 1, len(kinds)):
        kind = kinds[place]
        if kind in ("stop", "colon") or (kind in ("comma", "and") and _begins_anew(marks, kinds, place)):
            return range(index + 1, place)
    return range(index + 1, len(kinds))


def _until_comma(kinds: Sequence[str], reach: range) -> range:
    """A hedge covers a list that ends with "or", and otherwise what stands before the next comma."""
    part = [kinds[place] for place in reach]
    if "comma" in part and "or" not in part:
        return range(reach.start, reach.start + part.index("comma"))
    return reach


def _noun(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> range:
    """The one noun that "prior" stands before."""
    for place in range(index + 1, min(index + 4, len(kinds))):
        if marks[place].first - marks[index].last > NEAR or kinds[place] not in (*CONTENT, "degree", "side"):
            break
        if kinds[place] == "observation":
            return range(index + 1, place + 1)
    return range(0)


def _begins_anew(marks: Sequence[Mark], kinds: Sequence[str], joint: int) -> bool:
    """Whether something new is asserted behind a comma or an "and" that stands inside a cue's scope."""
    end = joint + 1
    while end < len(kinds) and kinds[end] not in ("comma", "colon", "stop", "and"):
        end += 1
    part = kinds[joint + 1 : end]
    if not part:
        return False
    if part[0] in CUE:
        return True
    for place, kind in enumerate(part, joint + 1):
        if kind == "normal" and "place" in part:
            return True
        if kind == "verb" and not (place + 1 < len(kinds) and kinds[place + 1] in ("seen", "normal", "negation after", "negation")):
            return True
        if kind == "place" and place + 1 < end and marks[place + 1].concept.predicate:
            return True
    news = part[0] == "degree" or (part[0] == "side" and kinds[joint] == "comma")
    return news and marks[joint + 1].first - marks[joint].last <= 1 and not _or_follows(kinds, joint)


def _or_follows(kinds: Sequence[str], joint: int) -> bool:
    """Whether the list that a comma belongs to ends with "or"."""
    for kind in kinds[joint + 1 :]:
        if kind == "or":
            return True
        if kind in ("stop", "verb") or kind in CUE:
            return False
    return False


def _behind(kinds: Sequence[str], index: int, listed: bool = False) -> range:
    """From the beginning of a clause to the cue that ends it; a list that "and" or "or" closes is taken whole.

    Args:
        listed: Whether commas are passed even so: "enlarged, likely accentuated by technique".
    """
    begin, joined = index, listed
    while begin > 0:
        kind = kinds[begin - 1]
        if kind == "stop" or (kind == "comma" and not joined and begin != index):
            break
        if kind in ("and", "or"):
            if _has_own_verb(kinds, begin - 1):
                break
            joined = True
        begin -= 1
    return range(begin, index)


def _has_own_verb(kinds: Sequence[str], joint: int) -> bool:
    """Whether what stands before an "and" is a clause of its own."""
    for kind in reversed(kinds[:joint]):
        if kind == "stop":
            return False
        if kind == "verb" or (kind in CUE and kind != "prior"):
            return True
    return False
