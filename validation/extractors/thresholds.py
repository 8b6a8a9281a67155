"""When is an extractor good enough at a finding? The paper's rule, ours, and that of a study, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from validation.extractors.results import FEW, FindingResult

MET, NOT_MET, CANNOT_SAY = "met", "not met", "cannot say"
_TERM = re.compile(r"(?:(low)\s+)?(accuracy|precision|recall|f1|positives)\s*>=\s*([0-9]*\.?[0-9]+)\s*(%)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One demand: a ratio, or the lower end of its interval, must reach a value."""

    kind: str
    """One of `KINDS`."""
    least: float
    low: bool = False
    """Whether the lower end of the 95 % interval must reach it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Demands that all must be met."""

    name: str
    terms: tuple[Term, ...]
    positives: int = 0
    """With fewer positives nothing can be said."""

    def judge(self, result: FindingResult) -> str:
        """`met`, `not met`, or `cannot say`: too few positives, or the interval has the demanded value inside."""
        if result.decided == 0 or result.positives < self.positives:
            return CANNOT_SAY
        answers = {_judged(term, result) for term in self.terms}
        return NOT_MET if NOT_MET in answers else CANNOT_SAY if CANNOT_SAY in answers else MET


def _judged(term: Term, result: FindingResult) -> str:
    ratio = result.ratio(term.kind)
    if not term.low:
        return MET if ratio.value >= term.least - 1e-12 else NOT_MET
    return MET if ratio.low >= term.least else NOT_MET if ratio.high < term.least else CANNOT_SAY


PAPER = Rule("paper", (Term("accuracy", 0.90),))
"""Accuracy of at least 90 %; a floor that always says 0 meets it on every finding below 10 %."""
OURS = Rule("strict", (Term("recall", 0.80, True), Term("precision", 0.80, True)), FEW)
"""The lower ends of recall and precision at least 80 %, with at least 10 positives."""


def of_study(text: str) -> Rule | None:
    """The rule that a study's threshold states, such as `accuracy >= 0.9, low recall >= 80 %, positives >= 10`.

    Returns:
        None where the words hold no such demand: they are then shown as they are.
    """
    terms, positives = [], 0
    for low, kind, number, per_cent in _TERM.findall(text):
        value = float(number) / (100 if per_cent else 1)
        if kind.lower() == "positives":
            positives = int(float(number))
        elif value <= 1:
            terms.append(Term(kind.lower(), value, bool(low)))
    return Rule("study", tuple(terms), positives) if terms else None


def rules(threshold: str = "") -> tuple[Rule, ...]:
    """The rules that are judged by: a study's own first, where it states one."""
    own = of_study(threshold)
    return (own, PAPER, OURS) if own else (PAPER, OURS)
