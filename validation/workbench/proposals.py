"""Proposals of a model for what a draft says about one finding: kept under `proposals/`, and in the draft only if a person accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from harness.errors import Problem, RefusedError, UsageError
from harness.extractors.llm.pack import PackQuestion
from validation.workbench import drafts
from validation.workbench.drafts import LISTS, LONGEST, TEXTS, Guide, PackDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """New guidance for one finding, and where it comes from."""

    number: int
    finding: str
    before: Guide
    """What the draft said when it was proposed."""
    guide: Guide
    """What is proposed."""
    model: str
    """The model that wrote it, and its revision."""
    tool: str
    """The program that searched, and its version."""
    round: int
    """The round whose errors were shown."""
    standard: str
    """Digest of the standard."""
    shown: int
    """How many reports were shown to the model, all of them wrong answers about the part *tune*."""
    tried: int
    """How many proposals were compared."""
    missed_before: int
    invented_before: int
    missed: int
    """Present cases of the part *tune* that are not answered as present, with the proposal."""
    invented: int
    """Absent cases that are not answered as absent."""
    created: str = ""

    @property
    def change(self) -> str:
        """What it changes, in words."""
        before = f"{self.missed_before} missed and {self.invented_before} invented"
        return f"{before} before, {self.missed} missed and {self.invented} invented with it"

    @property
    def origin(self) -> str:
        """In words for a round and a card."""
        return f"proposal {self.number} of {self.model}, found with {self.tool}"


def origins(draft: PackDraft, proposals: Sequence[Proposal]) -> dict[str, str]:
    """By finding which proposal a draft follows word by word; of several equal ones the first."""
    found: dict[str, str] = {}
    for proposal in proposals:
        if draft.guide(proposal.finding) == proposal.guide:
            found.setdefault(proposal.finding, proposal.origin)
    return found


def accept(draft: PackDraft, proposal: Proposal) -> PackDraft:
    """The draft with a proposal in it.

    Raises:
        RefusedError: The finding was edited after the proposal was made.
    """
    now = draft.guide(proposal.finding)
    if now not in (proposal.before, proposal.guide):
        what = f"{proposal.finding} of {draft.name} was edited after proposal {proposal.number}, which would undo it"
        raise RefusedError(Problem(what, f"Run `ranscore pack suggest {draft.name} {proposal.finding!r} ...` again, or edit by hand"))
    return replace(draft, guides=tuple(proposal.guide if guide.finding == proposal.finding else guide for guide in draft.guides))


def numbered(proposals: Sequence[Proposal], number: int) -> Proposal:
    """The proposal of a number.

    Raises:
        UsageError: There is none.
    """
    found = next((one for one in proposals if one.number == number), None)
    if found is None:
        listed = ", ".join(str(one.number) for one in proposals) or "none"
        raise UsageError(f"there is no proposal {number}; there are: {listed}")
    return found


def question_of(guide: Guide, title: str) -> PackQuestion:
    """The question that a guide makes."""
    return PackQuestion(guide.finding, title, guide.text())


def dumps(guide: Guide) -> str:
    """What a model reads and writes of a guide: JSON with the six fields, or with `guidance` alone."""
    return json.dumps(_fields(guide), ensure_ascii=False, indent=1)


def _fields(guide: Guide) -> Mapping[str, Any]:
    if guide.guidance:
        return {"guidance": guide.guidance}
    return {item.name: getattr(guide, item.name) for item in fields(Guide) if item.name in drafts.SAYS}


def parse(text: str, before: Guide) -> Guide | None:
    """The guide in what a model wrote; None where there is none, or where it lacks a field.

    Args:
        text: The answer; the first JSON object in it is taken.
        before: The guide that it is to replace: it decides which fields there must be.
    """
    decoder, start = json.JSONDecoder(), text.find("{")
    try:
        data, _ = decoder.raw_decode(text[start:]) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        return None
    known = _fields(before)
    if not isinstance(data, dict) or not set(known) <= set(data):
        return None
    given: dict[str, Any] = {name: tuple(data[name]) if isinstance(data[name], list) else data[name] for name in known}
    return replace(before, **given) if all(_fits(name, value) for name, value in given.items()) else None


def _fits(name: str, value: object) -> bool:
    """Whether a field is of its kind, and can be part of a guidance that is read line by line."""
    lines = value if isinstance(value, tuple) and name in LISTS else (value,) if name in (*TEXTS, "guidance") else ()
    plain = all(isinstance(line, str) and line.strip() and (name == "guidance" or "\n" not in line) for line in lines)
    needed = name not in ("means", "guidance") or bool(value)
    return plain and needed and len(str(value)) <= LONGEST and (name in LISTS or isinstance(value, str))
