"""Collecting everything that is wrong with a file, so that all of it is reported at once and none of it quotes a report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.errors import InputError, Problem

SHOWN = 20
"""How many problems of one kind are reported in words; the others are counted."""
EXAMPLES = 3
"""How many are reported of a kind whose cause is known."""

_PLAIN_ID = re.compile(r"(?=[^0-9]{0,63}[0-9])[A-Za-z0-9_.:/@+-]{1,64}")


def shown(name: str) -> str:
    """An id as it may be in a message: itself where it looks like an id, else empty.

    Where columns are exchanged, report text is in the place of the ids. So only one word of plain letters with a digit in it,
    of at most 64 characters, is ever shown; the line number finds the others.
    """
    return name if _PLAIN_ID.fullmatch(name) else ""


def code_of(kind: str) -> str:
    """The stable code of a kind of problem: its words in lower case, joined by hyphens."""
    return "-".join(kind.lower().split())


@dataclass(slots=True)
class _Kind:
    told: list[Problem] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Complaints:
    """The problems of one file, by kind: the first 20 of a kind in words, then how many more there are."""

    file: str
    """The file as the user named it."""
    _errors: dict[str, _Kind] = field(default_factory=dict)
    _warnings: dict[str, _Kind] = field(default_factory=dict)

    def add(self, kind: str, what: str, remedy: str = "", line: int | None = None, study: str = "") -> None:
        """Note what makes the file unusable.

        Args:
            kind: A few words for this kind of problem, used in the line that counts the rest and, with hyphens, as the problem's code.
            what: What is wrong. No report text, and no id that did not pass `shown`.
            remedy: What to do.
            line: Line of the file, from 1; the row of a Parquet file.
            study: The study id as the file has it; it is shown only where it looks like an id.
        """
        self._note(self._errors, kind, what, remedy, line, study)

    def warn(self, kind: str, what: str, remedy: str = "", line: int | None = None, study: str = "") -> None:
        """Note what the user should know about a file that can be used all the same."""
        self._note(self._warnings, kind, what, remedy, line, study)

    def _note(self, kinds: dict[str, _Kind], kind: str, what: str, remedy: str, line: int | None, study: str) -> None:
        entry = kinds.setdefault(kind, _Kind())
        entry.count += 1
        if entry.count <= SHOWN:
            entry.told.append(Problem(what, remedy, self.file, line, shown(study), code=code_of(kind)))

    def explain(self, cause: str, kind: str) -> None:
        """Put the cause before all others, and leave three examples of the problems that follow from it; the rest are counted."""
        self._errors = {cause: self._errors[cause], **self._errors}
        del self._errors[kind].told[EXAMPLES:]

    def full(self, kind: str) -> bool:
        """Whether a further problem of this kind would only be counted, so that its words need not be made."""
        return kind in self._errors and self._errors[kind].count >= SHOWN

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, kind by kind, each kind closed by the count of what was not reported."""
        return self._listed(self._errors)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """All warnings, likewise."""
        return self._listed(self._warnings)

    def _listed(self, kinds: dict[str, _Kind]) -> tuple[Problem, ...]:
        listed: list[Problem] = []
        for kind, entry in kinds.items():
            listed += entry.told
            if more := entry.count - len(entry.told):
                listed.append(Problem(f"and {more:,} more: {kind}", file=self.file, code=code_of(kind)))
        return tuple(listed)

    @property
    def count(self) -> int:
        """How many problems there are, those that were not reported included."""
        return sum(entry.count for entry in self._errors.values())

    def check(self) -> None:
        """Raise everything at once.

        Raises:
            InputError: Something was noted that makes the file unusable.
        """
        if self._errors:
            raise InputError(self.problems)
