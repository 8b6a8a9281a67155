"""Try a draft: ask what changed, compare with the readers and with the round before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import Problem, RefusedError
from harness.extractors.cache import opened
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.pack import ASKED, Pack
from harness.findings import RAN_21
from validation.extractors import candidates, measure
from validation.extractors.candidates import Candidate
from validation.extractors.reference import Reference
from validation.extractors.results import ExtractorPair
from validation.workbench.drafts import PackDraft
from validation.workbench.proposals import origins
from validation.workbench.rounds import Round, RoundLog

Maker = Callable[[Pack], LLM]
"""Makes the extractor that asks a pack of the chosen model."""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of a try."""

    round: Round
    new: bool
    """False where nothing changed since the last round."""

    @property
    def pair(self) -> ExtractorPair | None:
        """The round before against this one; None in the first round."""
        return self.round.result.pairs[0] if self.round.result.pairs else None


def run(draft: PackDraft, part: Reference, reports: Mapping[str, str], log: RoundLog, make: Maker, now: str) -> Try:
    """Try a draft on the part *tune* of a standard.

    The first try makes two rounds: that of the pack that the draft is from, and its own.

    Args:
        draft: What is tried.
        part: The part *tune*.
        reports: By item the text.
        log: Keeps the rounds.
        make: Makes the extractor.
        now: When, for the files.

    Raises:
        RefusedError: The rounds before are on another standard, or were asked of another model.
        UnavailableError: No server answers; what was answered until then is kept.
    """
    extractor, last = make(draft.pack()), log.last()
    if last is not None:
        comparable(last, part, extractor, draft.name)
        if last.protocol == extractor.digest:
            return Try(last, False)
    else:
        origin = make(draft.origin())
        with opened() as cache:
            # Answers of an earlier version of this program are filed under the digest of the protocol alone.
            cache.share(origin.digest, questions(origin))
        last = _round(origin, part, reports, log, None, now, draft.base)
        if origin.digest == extractor.digest:
            return Try(last, True)
    return Try(_round(extractor, part, reports, log, last, now, draft.name, origins(draft, log.proposals())), True)


def comparable(last: Round, part: Reference, extractor: LLM, name: str) -> None:
    """Refuse a before and after that would compare two things at once.

    Raises:
        RefusedError: The standard or the model is another one.
    """
    remedy = f"`ranscore pack draft NEW --from {name}` after freezing it, or go back to the other one"
    if last.result.standard.digest != part.digest:
        what = (
            f"the rounds of {name} are on the standard {last.result.standard.name} {last.result.standard.digest[:12]}, "
            f"and this is {part.name} {part.digest[:12]}: before and after on two standards are not compared"
        )
        raise RefusedError(Problem(what, remedy))
    if last.model != model_of(extractor):
        what = f"the rounds of {name} were asked of {last.model}, and this is {model_of(extractor)}: a revision is tried on one model"
        raise RefusedError(Problem(what, remedy))


def model_of(extractor: LLM) -> str:
    """The id of a model, and its revision."""
    model = extractor.protocol.model
    return f"{model.id.rpartition('/')[2] if model.id.startswith('/') else model.id} {model.revision[:12]}".strip()


def questions(extractor: LLM) -> dict[str, str]:
    """By finding the digest of its question, in the order of the 20; of the mode `joint` that of the protocol."""
    if extractor.protocol.pack.mode == "joint":
        return {}
    return {name: extractor.protocol.question_digest(name) for name in ASKED}


def _round(
    extractor: LLM,
    part: Reference,
    reports: Mapping[str, str],
    log: RoundLog,
    last: Round | None,
    now: str,
    title: str,
    followed: Mapping[str, str] | None = None,
) -> Round:
    own = candidates.run(extractor, title, part, reports)[0]
    before = [_before(last, part)] if last else []
    own = replace(own, title=f"{title}, round {last.number + 1 if last else 1}")
    result, _ = measure.validate(part, [*before, own], now)
    made = Round(
        number=last.number + 1 if last else 1,
        pack=extractor.protocol.pack.digest,
        protocol=extractor.digest,
        model=model_of(extractor),
        questions=questions(extractor) or {"*": extractor.digest},
        asked=extractor.questions_asked,
        result=result,
        decisions=decisions(part, own),
        created=now,
        origins=followed or {},
    )
    if not log.add_round(made):
        raise RefusedError(Problem(f"another process has just made round {made.number} of {title}", "Try again"))
    return made


def decisions(part: Reference, own: Candidate) -> dict[str, str]:
    """By item the decisions, one character a finding."""
    return dict(zip((item.id for item in part.items), candidates.letters(own.codes), strict=True))


def _before(last: Round, part: Reference) -> Candidate:
    """The round before as a candidate, from its decisions; the model is not asked."""
    kept = last.decisions
    rows = [[candidates.NONE if char == "-" else int(char) for char in kept[item.id]] for item in part.items]
    codes = np.array(rows, dtype=np.int8).reshape(len(part.items), len(RAN_21))
    by_finding = {item.finding: item.statuses for item in last.now.parts[0].findings}
    return Candidate(
        title=last.now.title,
        name="llm",
        digest=last.protocol,
        by=last.now.by,
        codes=codes,
        statuses=last.now.statuses,
        by_finding=by_finding,
    )


def wrong(part: Reference, kept: Mapping[str, str], finding: str) -> Sequence[tuple[str, int, str]]:
    """The items on which an extractor and the readers differ, with what the readers say and what it says.

    Args:
        part: The part *tune*.
        kept: By item the decisions of a round.
        finding: Which one.
    """
    column, right = RAN_21.index(finding), candidates.truth(part)
    pairs = zip(part.items, right[:, column].tolist(), strict=True)
    return [(item.id, value, kept[item.id][column]) for item, value in pairs if value != -1 and kept[item.id][column] != str(value)]
