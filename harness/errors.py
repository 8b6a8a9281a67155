"""Every error a user can meet, in one tree.

RanscoreError                something the user can act on; printed without a traceback
├── UsageError               the command line or a call asks for something that does not exist    (exit code 2)
├── InputError               a file or its content is wrong; carries every problem found          (exit code 3)
├── UnavailableError         weights, a model, a server or an optional package is not here        (exit code 4)
├── RefusedError             it would let credentialed text out, or overwrite what must stay      (exit code 5)
└── StoreError               what is stored is damaged or newer than this program                 (exit code 6)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input, and what to do about it.

    No field ever holds report text: an error must be safe to paste into a public issue.
    """

    what: str
    """What is wrong, a sentence without a full stop."""
    remedy: str = ""
    """What to do, in the imperative; empty where it is obvious."""
    file: str = ""
    """The file as the user named it; empty where there is none."""
    line: int | None = None
    """Line of the file, counted from 1, header included."""
    study: str = ""
    """The study id it is about; empty where it is about the file."""
    code: str = field(default="", kw_only=True)
    """A stable word for this kind of problem, such as `missing-study`, for programs; empty where no program needs to distinguish it."""

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        parts = [part for part in (place, f"study {self.study!r}" if self.study else "") if part]
        head = ", ".join(parts)
        text = f"{head}: {self.what}" if head else self.what
        return f"{text}. {self.remedy}" if self.remedy else text


class RanscoreError(Exception):
    """Base of all errors that a user can act on.

    Args:
        problems: One message, or every problem found.
    """

    exit_code = 1

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = [Problem(problems)]
        elif isinstance(problems, Problem):
            problems = [problems]
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(RanscoreError):
    """The command line or a call asks for something that does not exist."""

    exit_code = 2


class InputError(RanscoreError):
    """A file or its content is wrong."""

    exit_code = 3


class UnavailableError(RanscoreError):
    """Weights, a model, a server or an optional package is not here."""

    exit_code = 4


class RefusedError(RanscoreError):
    """It would let credentialed text out, or overwrite what must stay."""

    exit_code = 5


class StoreError(RanscoreError):
    """What is stored is damaged or newer than this program."""

    exit_code = 6


def both(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """The results of reading two inputs.

    Raises:
        InputError: One of them is wrong, or both; with the problems of both.
    """
    try:
        done = first()
    except InputError as error:
        raise InputError([*error.problems, *problems_of(second)]) from None
    return done, second()


def problems_of(read: Callable[[], object]) -> tuple[Problem, ...]:
    """What is wrong with an input that is read for its problems alone."""
    try:
        read()
    except InputError as error:
        return error.problems
    return ()
