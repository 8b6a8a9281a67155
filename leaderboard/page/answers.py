"""Answers in JSON: what was asked for, or why not, for programs and in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from fastapi import Response

from harness.errors import InputError, Problem, RanscoreError, RefusedError, StoreError, UnavailableError, UsageError
from harness.types import Json
from leaderboard.page.body import Refusal
from submissions.sandbox import plain_name

STATUS = {UsageError: 404, InputError: 422, RefusedError: 403, UnavailableError: 503, StoreError: 503}
AGAIN = "3"
"""Seconds after which a visitor who was not answered may ask again."""
HEADS = {422: "It cannot be submitted", 503: "Not now", 500: "This failed"}


def refusal(error: Exception) -> Response:
    """An error as an answer."""
    if isinstance(error, Refusal):
        answer = refused(error.status, [error.problem])
        if error.status == 503:
            answer.headers["retry-after"] = AGAIN
        return answer
    if isinstance(error, RanscoreError):
        return refused(STATUS.get(type(error), 422), error.problems)
    kind = type(error).__name__
    if isinstance(error, OSError):
        return refused(
            503, [Problem(f"the board can keep or read nothing just now ({kind})", "Try again later, and tell those who run it")]
        )
    return refused(500, [Problem(f"something failed that should not ({kind})", "Tell those who run the page")])


def refused(status: int, problems: Sequence[Problem]) -> Response:
    """What is wrong, as JSON and in words; a file of the server is named without its folder."""
    problems = [replace(problem, file=plain_name(problem.file) if problem.file else "") for problem in problems]
    head = HEADS.get(status, "This was refused")
    return as_json({"problems": [plain(problem) for problem in problems], "head": head, "lines": lines(problems)}, status)


def plain(problem: Problem) -> Json:
    """A problem as JSON."""
    return {name: getattr(problem, name) for name in ("code", "what", "remedy", "file", "line", "study")}


def lines(problems: Sequence[Problem]) -> list[str]:
    """Problems as sentences."""
    return [str(problem) for problem in problems]


def as_json(data: Json, status: int = 200) -> Response:
    """An answer in plain ASCII, whatever it quotes."""
    return Response(json.dumps(data), status, {"cache-control": "no-store"}, "application/json")
