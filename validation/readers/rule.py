"""From several readers' answers to one: the majority, or why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validation.readers.questions import Question, Value
from validation.readers.sheets import Sheet
from validation.readers.study import ReadingStudy

CAUSES = ("tie", "spread", "missing")
"""Why there is no majority: present and absent equally often, votes spread over the answers, too few answers."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the readers decided together."""

    value: int | None
    """The majority's answer, -1 where the majority is uncertain; None where there is none."""
    cause: str = ""
    """One of `CAUSES` where there is no answer; else empty."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What all readers answered to one question, item by item in the order of the study."""

    question: Question
    first: tuple[tuple[Value | None, ...], ...]
    """Shape (items, readers): the answer that counts; None where it is open."""
    again: tuple[tuple[int, int, Value | None], ...]
    """Item, reader (both as indices) and the answer at the second showing."""


def decide(votes: Sequence[Value | None], at_least: int) -> Decision:
    """Apply the rule to one question of one item.

    Args:
        votes: One a reader; None where a reader did not answer.
        at_least: So many equal answers decide; more than half of the readers.
    """
    counts = Counter(vote for vote in votes if isinstance(vote, int))
    answered, most = counts.total(), max(counts.values(), default=0)
    if most >= at_least:
        return Decision(counts.most_common(1)[0][0])
    if most + len(votes) - answered >= at_least:
        return Decision(None, "missing")
    return Decision(None, "tie" if counts[0] == counts[1] and answered == 2 * counts[0] else "spread")


def asked(study: ReadingStudy) -> tuple[Question, ...]:
    """The questions that can be counted."""
    return tuple(question for question in study.form.questions if question.type != "text")


def answers(study: ReadingStudy, counting: Mapping[str, Sheet]) -> tuple[Answers, ...]:
    """Every question's answers.

    Args:
        study: The study.
        counting: By reader the submission that counts; readers without one have answered nothing.
    """
    place = {item.id: index for index, item in enumerate(study.items)}
    showings = [study.first_showings(reader) for reader in study.readers]
    repeats = [(number, reader, study.repeats(reader)) for number, reader in enumerate(study.readers)]
    found = []
    for question in asked(study):
        first = tuple(
            tuple(_value(study, counting, reader, own[item.id], question.id) for reader, own in zip(study.readers, showings, strict=True))
            for item in study.items
        )
        again = tuple(
            (place[item], number, _value(study, counting, reader, at, question.id))
            for number, reader, own in repeats
            for item, at in sorted(own.items())
        )
        found.append(Answers(question, first, again))
    return tuple(found)


def _value(study: ReadingStudy, counting: Mapping[str, Sheet], reader: str, position: int, question: str) -> Value | None:
    """An answer; of a pair that was shown the other way round, the answer about the other side."""
    sheet = counting.get(reader)
    if sheet is None:
        return None
    return sheet.value(position, turned(question) if study.orders[reader][position - 1].swapped else question)


def turned(question: str) -> str:
    """The question of a pair that means the same once its sides have changed places."""
    kind, colon, grade = question.partition(":")
    other = {"only-a": "only-b", "only-b": "only-a", "comparison-a": "comparison-b", "comparison-b": "comparison-a"}
    return f"{other.get(kind, kind)}{colon}{grade}"
