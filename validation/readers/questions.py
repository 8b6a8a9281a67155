"""What is asked about each item: three kinds of sheet, one mechanism, in English and Chinese."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from harness.errors import UsageError
from harness.findings import FINDINGS, NO_FINDING
from harness.types import Json

KINDS = ("findings", "pairs", "rating")
LANGUAGES = ("en", "zh")
MOST = 9
"""The highest count that a question of errors takes: one key."""
JUDGEMENT = "judgement"
REMARK = "remark"
Value = int | str


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a reader answers about an item."""

    id: str
    """The same in every language."""
    name: str
    help: str
    type: str
    """`choice`, `count` (0 to 9) or `text`."""
    choices: Mapping[int, str]
    """By value the words; empty unless `type` is `choice`."""
    rest: bool
    """Whether the act "the rest is absent" answers it with 0."""

    @property
    def required(self) -> bool:
        """Whether an item is complete only with it."""
        return self.type != "text"

    def takes(self, value: object) -> bool:
        """Whether this is an answer."""
        if self.type == "text":
            return isinstance(value, str) and len(value) <= 2000
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return value in self.choices if self.type == "choice" else 0 <= value <= MOST

    @property
    def values(self) -> tuple[int, ...]:
        """The categories of agreement, absent first, present second; a count is none or any."""
        if self.type == "count":
            return (0, 1)
        return tuple(sorted(self.choices, key=lambda value: (value < 0, value)))

    def categories(self) -> dict[Value | None, int]:
        """By answer the index among `values`; no answer is -1."""
        codes: dict[Value | None, int] = {None: -1}
        codes.update({value: index for index, value in enumerate(self.values)})
        if self.type == "count":
            codes.update(dict.fromkeys(range(2, MOST + 1), 1))
        return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """All that a sheet of one kind says and asks."""

    kind: str
    language: str
    title: str
    intro: str
    rest: str
    """Words of the act that answers everything that is open with 0."""
    attestation: str
    """The sentence that a reader confirms when submitting."""
    questions: tuple[Question, ...]

    def question(self, name: str) -> Question | None:
        """A question by its id."""
        return next((item for item in self.questions if item.id == name), None)


@cache
def words(language: str) -> Mapping[str, Any]:
    """All words of a language.

    Raises:
        UsageError: There are none.
    """
    if language not in LANGUAGES:
        raise UsageError(f"sheets are in {' or '.join(LANGUAGES)}, not {language!r}; name one with --language")
    data: Json = json.loads(resources.files("validation.readers").joinpath(f"words_{language}.json").read_text(encoding="utf-8"))
    return data


def form(kind: str, language: str = "en") -> Form:
    """The form of a kind of study.

    Raises:
        UsageError: There is no such kind or language.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of study {kind!r}; there are {', '.join(KINDS)}")
    table = words(language)
    own = table["kinds"][kind]
    made = {"findings": _findings, "pairs": _pairs, "rating": _rating}[kind](table, language)
    return Form(
        kind=kind,
        language=language,
        title=own["title"],
        intro=own["intro"],
        rest=own["rest"],
        attestation=table["attestation"],
        questions=made,
    )


def _findings(table: Mapping[str, Any], language: str) -> tuple[Question, ...]:
    choices = {int(value): label for value, label in table["answers"].items()}
    named = table["findings"] if "findings" in table else {item.name: (item.name, item.definition) for item in FINDINGS}
    asked = [item.name for item in FINDINGS if item.name != NO_FINDING]
    return tuple(Question(name, named[name][0], named[name][1], "choice", choices, True) for name in asked)


def _pairs(table: Mapping[str, Any], language: str) -> tuple[Question, ...]:
    return tuple(
        Question(f"{kind}:{grade}", f"{name}, {word}" if language == "en" else f"{name}({word})", text, "count", {}, True)
        for kind, (name, text) in table["classes"].items()
        for grade, word in table["grades"].items()
    )


def _rating(table: Mapping[str, Any], language: str) -> tuple[Question, ...]:
    judgement = table["judgement"]
    grades = {int(value): label for value, label in judgement["choices"].items()}
    yes_no = {int(value): label for value, label in table["yes_no"].items()}
    faults = [Question(key, name, text, "choice", yes_no, True) for key, (name, text) in table["faults"].items()]
    first = Question(JUDGEMENT, judgement["name"], judgement["help"], "choice", grades, False)
    name, text = table["remark"]
    return (first, *faults, Question(REMARK, name, text, "text", {}, False))


def to_json(form: Form) -> Json:
    """A form as a study keeps it: the words of every question are part of the study's digest."""
    questions = [
        {
            "id": item.id,
            "name": item.name,
            "help": item.help,
            "type": item.type,
            "choices": [[value, label] for value, label in item.choices.items()],
            "rest": item.rest,
        }
        for item in form.questions
    ]
    plain = {key: getattr(form, key) for key in ("kind", "language", "title", "intro", "rest", "attestation")}
    return plain | {"questions": questions}


def from_json(data: Json) -> Form:
    """A form from a study; KeyError, TypeError or ValueError where it is none."""
    questions = tuple(
        Question(item["id"], item["name"], item["help"], item["type"], {int(v): str(w) for v, w in item["choices"]}, bool(item["rest"]))
        for item in data["questions"]
    )
    plain = {key: str(data[key]) for key in ("kind", "language", "title", "intro", "rest", "attestation")}
    return Form(**plain, questions=questions)
