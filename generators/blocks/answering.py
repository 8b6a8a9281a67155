"""From studies to answers: what every system does round its model. A film that cannot be read is one recorded failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import InputError
from harness.types import Generated, StudyInput

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Failure:
    """The entry of a failed study in what a batch returns."""

    why: str
    """Never holds report text."""


def answer(
    studies: Sequence[StudyInput],
    prepare: Callable[[StudyInput], tuple[Prepared, tuple[str, ...]]],
    write: Callable[[Sequence[Prepared]], Sequence[str | Failure]],
) -> list[Generated]:
    """Prepare each study, write the reports of those that could be prepared, and answer all in order.

    Args:
        prepare: A study's model input, and what was substituted in it; raises InputError where an input cannot be read.
        write: The reports of a batch, in order, or that one failed. What it raises is not caught: it is about the batch, not about a study.
    """
    ready: dict[str, tuple[Prepared, tuple[str, ...]]] = {}
    failures: dict[str, str] = {}
    for study in studies:
        try:
            ready[study.id] = prepare(study)
        except InputError as error:
            failures[study.id] = error.problems[0].what if error.problems else "InputError"
    reports = dict(zip(ready, write([value for value, _ in ready.values()]) if ready else (), strict=True))
    failures |= {name: made.why for name, made in reports.items() if isinstance(made, Failure)}
    return [
        Generated(study.id, failure=failures[study.id])
        if study.id in failures
        else Generated(study.id, str(reports[study.id]), substituted=ready[study.id][1])
        for study in studies
    ]


def tidied(text: str) -> str:
    """Undo the blanks before marks that joining tokens leaves: transformers' `clean_up_tokenization_spaces`, which today's ignores."""
    for spaced, close in CLOSE.items():
        text = text.replace(spaced, close)
    return text


CLOSE = {
    " .": ".",
    " ?": "?",
    " !": "!",
    " ,": ",",
    " ' ": "'",
    " n't": "n't",
    " 'm": "'m",
    " 's": "'s",
    " 've": "'ve",
    " 're": "'re",
}
