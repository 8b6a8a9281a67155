"""How far a cue reaches: which phrases of a sentence are negated, resolved, history, a question, explained away or left undecided.

After NegEx (Chapman 2001), ConText (Harkema 2009) and NegBio (Peng 2018): a cue reaches from its own place to the end of its clause.
What ends a clause is read from the phrases themselves: "but"; a comma or "and" behind which something new is asserted; the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from harness.extractors.lexical.cancel import cancelled
from harness.extractors.lexical.clause import CONTENT, CUES, DEGREES, STOPS, ahead, behind, last_of_clause, until_comma
from harness.extractors.lexical.tokens import Mark


class PhraseState(IntEnum):
    """What a sentence says of a phrase; a stronger one wins."""

    PRESENT = 0
    POSSIBLE = 1
    """Something may be it."""
    UNDECIDED = 2
    """Merely cannot be excluded."""
    IMPROVED = 3
    """There, and less than before."""
    SCARRING = 4
    """Explained as a scar."""
    ARTEFACT = 5
    """Explained by technique or low volumes."""
    MIMIC = 6
    """Explained as a nipple, a skin fold or the like."""
    PRIOR = 7
    HISTORY = 8
    CONDITION = 9
    GONE = 10
    NEGATED = 11


FORWARD = {
    "negation": PhraseState.NEGATED,
    "gone before": PhraseState.GONE,
    "history": PhraseState.HISTORY,
    "prior": PhraseState.PRIOR,
    "condition": PhraseState.CONDITION,
    "undecided": PhraseState.UNDECIDED,
    "artefact before": PhraseState.ARTEFACT,
}
BACKWARD = {
    "negation after": PhraseState.NEGATED,
    "poorly seen": PhraseState.NEGATED,
    "undecided after": PhraseState.UNDECIDED,
    "artefact": PhraseState.ARTEFACT,
    "hedge after": PhraseState.POSSIBLE,
    "history after": PhraseState.HISTORY,
    "condition after": PhraseState.CONDITION,
}
EITHER = {"gone": PhraseState.GONE, "unlikely": PhraseState.NEGATED, "improved": PhraseState.IMPROVED}
OPEN = {"negation either": PhraseState.NEGATED, "undecided either": PhraseState.UNDECIDED, "hedge either": PhraseState.POSSIBLE}
EXPLAINS = {"scar": PhraseState.SCARRING, "mimic": PhraseState.MIMIC, "technique": PhraseState.ARTEFACT}
"""What explains something that is said to be it: "opacities, likely scarring"."""
LINKS = frozenset({"verb", "hedge", "linked", "likely"})
"""What joins something to its explanation."""
NEAR = 3
"""Words between a cue and the next one that it still touches."""

States = list[PhraseState]
Causes = list[int]
"""By mark, the position of the mark that decided its state; -1 where none did."""


def states(marks: Sequence[Mark]) -> tuple[States, Causes]:
    """What is said of each mark of a sentence."""
    said = [PhraseState.PRESENT] * len(marks)
    causes = [-1] * len(marks)
    kinds = [mark.concept.kind for mark in marks]
    if "instance" in kinds:
        kinds = _instances(marks, kinds)
    if CUES.isdisjoint(kinds):
        return said, causes
    idle = cancelled(marks, kinds)
    for index, kind in enumerate(kinds):
        if kind not in CUES or index in idle:
            continue
        state, reach = _reach(marks, kinds, index)
        for other in reach:
            if state > said[other] and not (kind == "poorly seen" and marks[other].concept.lasting):
                said[other], causes[other] = state, index
    return said, causes


def _instances(marks: Sequence[Mark], kinds: Sequence[str]) -> list[str]:
    """The kinds with each "such as" as an "and" before what it names, and as an "if" before anything else."""

    def kind_of(place: int) -> str:
        if kinds[place] != "instance":
            return kinds[place]
        follows = (
            place + 1 < len(marks)
            and kinds[place + 1] in (*CONTENT, "side", "verb", "skip")
            and marks[place + 1].first == marks[place].last
        )
        return "and" if follows else "condition"

    return [kind_of(place) for place in range(len(kinds))]


def _reach(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    """The state that a cue gives, and to which marks."""
    kind = kinds[index]
    if kind == "negation" and _answers(kinds, index):
        return PhraseState.NEGATED, behind(kinds, index - 1)  # "Pneumothorax: no"
    if kind in FORWARD:
        return FORWARD[kind], _noun(marks, kinds, index) if kind == "prior" else ahead(marks, kinds, index)
    if kind in BACKWARD:
        return BACKWARD[kind], behind(kinds, index, listed=kind == "artefact")
    if kind in OPEN:
        front = ahead(marks, kinds, index)
        return OPEN[kind], front if "observation" in kinds[front.start : front.stop] else behind(kinds, index)
    if kind in EITHER:
        forward = _touches(marks, kinds, index) and not _is_verbal(marks, kinds, index)
        return EITHER[kind], ahead(marks, kinds, index) if forward else behind(kinds, index, listed=_resumes(kinds, index))
    if kind in EXPLAINS:
        return EXPLAINS[kind], _explained(marks, kinds, index)
    return _OTHERS[kind](marks, kinds, index)


def _hedge(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    return PhraseState.POSSIBLE, until_comma(kinds, ahead(marks, kinds, index))


def _normal(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    """What "is within normal limits" is absent: vascular engorgement, or a finding in a list that begins with a place."""
    end = index
    while end > 0 and kinds[end - 1] in ("verb", "seen", *DEGREES):
        end -= 1
    if "verb" not in kinds[end:index]:
        return PhraseState.NEGATED, []
    begin = end
    while begin > 0 and kinds[begin - 1] in ("observation", "place", "comma", "and", "or", "side", "skip"):
        begin -= 1
    if kinds[begin : begin + 1] != ["place"]:
        begin = max(begin, end - 1)
    return PhraseState.NEGATED, [place for place in range(begin, end) if kinds[place] == "observation" and not marks[place].concept.lasting]


def _zero(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    """A 0 answers what is named before it."""
    answers = index > 0 and kinds[index - 1] in ("observation", "colon", "verb") and last_of_clause(kinds, index)
    return PhraseState.NEGATED, behind(kinds, index) if answers else []


def _query(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    """A question mark: of what precedes it, or of what follows where it begins a phrase."""
    if index + 1 < len(kinds) and kinds[index + 1] == "affirmed":
        return PhraseState.POSSIBLE, []
    if index + 1 == len(kinds) or kinds[index + 1] in ("negation", "negation after", "comma"):
        return PhraseState.POSSIBLE, behind(kinds, index)
    return PhraseState.POSSIBLE, until_comma(kinds, ahead(marks, kinds, index))


def _minus(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    """A minus sign or an empty box: of what follows up to the next sign, or of what precedes where signs close the items."""
    signs = ("minus", "plus")
    content = next((place for place, kind in enumerate(kinds) if kind in CONTENT), len(kinds))
    if content < min(place for place, kind in enumerate(kinds) if kind in signs):
        begin = max((place + 1 for place in range(index) if kinds[place] in (*signs, "comma", *STOPS)), default=0)
        return PhraseState.NEGATED, range(begin, index)
    end = next((place for place in range(index + 1, len(kinds)) if kinds[place] in (*signs, *STOPS)), len(kinds))
    return PhraseState.NEGATED, range(index + 1, end)


def _nothing(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> tuple[PhraseState, Sequence[int]]:
    return PhraseState.PRESENT, []


_OTHERS = {"hedge": _hedge, "normal": _normal, "zero": _zero, "query": _query, "minus": _minus, "plus": _nothing}


def _answers(kinds: Sequence[str], index: int) -> bool:
    """Whether a "no" is the answer to what is named before it."""
    if not index or not last_of_clause(kinds, index):
        return False
    if kinds[index - 1] in ("colon", "query"):
        return True
    return kinds[index - 1] == "comma" and index > 1 and kinds[index - 2] in CONTENT and index + 1 == len(kinds)


def _is_verbal(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> bool:
    """Whether a cue ends a verb, "has been removed", and is no adjective, "there is a resolved effusion"."""
    begin = index
    while begin and kinds[begin - 1] in DEGREES and marks[begin].first == marks[begin - 1].last:
        begin -= 1
    if not begin or kinds[begin - 1] != "verb":
        return False
    gap = marks[begin].first - marks[begin - 1].last
    return gap == 0 or (gap == 1 and not (index + 1 < len(kinds) and marks[index + 1].first == marks[index].last))


def _touches(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> bool:
    """Whether what a cue is about follows at once."""
    if index + 1 == len(kinds) or kinds[index + 1] not in (*CONTENT, *DEGREES, "side"):
        return False
    return marks[index + 1].first - marks[index].last < NEAR


def _resumes(kinds: Sequence[str], index: int) -> bool:
    """Whether a verb goes on behind an insertion: "the lobe, collapsed yesterday, has re-expanded"."""
    place = index - 1
    while place >= 0 and kinds[place] in ("verb", *DEGREES):
        place -= 1
    return 0 < place < index - 1 and kinds[place] == "comma" and "comma" in kinds[:place]


def _explained(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> Sequence[int]:
    """What an explanation is given for: "streaky opacities, likely due to scarring"; a scar that is one of two, or possible, is none."""
    place = index - 1
    while (
        place >= 0
        and kinds[place] in ("degree", "improved", "side", "relation", "or", "and", "place", "observation")
        and marks[place + 1].first - marks[place].last < NEAR
    ):
        if kinds[index] == "scar" and kinds[place] == "or":
            return []
        place -= 1
    if place < 0 or kinds[place] not in LINKS or marks[place + 1].first - marks[place].last > NEAR:
        return []
    links: set[str] = set()
    while place >= 0 and (kinds[place] in LINKS | {"degree", "improved", "comma"} or (kinds[place] == "stop" and links)):
        links.add(kinds[place])
        place -= 1
    if kinds[index] == "scar" and ("hedge" in links or "or" in kinds[index + 1 : index + 3]):
        return []
    begin = place
    while begin >= 0 and kinds[begin] not in (*STOPS, "comma", "negation"):
        begin -= 1
    return range(begin + 1, place + 1)


def _noun(marks: Sequence[Mark], kinds: Sequence[str], index: int) -> range:
    """The one noun that "prior" is said of."""
    for place in range(index + 1, min(index + 4, len(kinds))):
        if marks[place].first - marks[index].last > NEAR or kinds[place] not in (*CONTENT, *DEGREES, "side"):
            break
        if kinds[place] == "observation":
            return range(index + 1, place + 1)
    return range(0)
