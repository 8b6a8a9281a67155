"""A report with the words behind each decision: a number for each finding, a look for each kind of rule, and a key that says both."""

from __future__ import annotations

from harness.extractors.lexical.engine import HEDGES
from harness.findings import NO_FINDING, RAN_21, UNSURE
from harness.types import Labels, Span
from leaderboard.html.markup import Html, el, join

UNSURE_NOTE = (
    "This No Finding is unsure: none of the other 20 is asserted, but the text hedges, asks a question, or names something abnormal "
    "that is none of the 21."
)


def numbers(labels: Labels) -> dict[int, int]:
    """By position in `RAN_21` the number of each finding that the text names, in the paper's order."""
    named = [index for index, spans in enumerate(labels.evidence) if spans and RAN_21[index] != NO_FINDING]
    return {index: number for number, index in enumerate(named, 1)}


def look(labels: Labels, index: int) -> str:
    """How the words of a finding look: `yes`, `maybe` or `no`."""
    if index < len(labels.rules) and labels.rules[index] in HEDGES:
        return "maybe"
    return "yes" if labels.values[index] == 1 else "no"


def marked(text: str, labels: Labels) -> Html:
    """A report whose deciding words carry the numbers of their findings."""
    spans: dict[Span, list[int]] = {}
    for index in numbers(labels):
        for span in labels.evidence[index]:
            spans.setdefault(span, []).append(index)
    known, parts, at = numbers(labels), [], 0
    for (start, end), indices in sorted(spans.items()):
        if start < at:
            continue
        looks = {look(labels, index) for index in indices}
        kind = next(name for name in ("yes", "maybe", "no") if name in looks)
        signs = " ".join(str(known[index]) for index in indices)
        parts += [el("span", text[at:start]), el("mark", text[start:end], el("sup", signs), class_=f"rs-said rs-said-{kind}")]
        at = end
    return join([*parts, el("span", text[at:])])


def key(labels: Labels, title: str) -> Html:
    """What each number stands for, what was decided and by which rule."""
    lines = [
        el(
            "li",
            el("b", str(number), class_=f"rs-said rs-said-{look(labels, index)}"),
            " ",
            el("strong", RAN_21[index]),
            f": {'present' if labels.values[index] == 1 else 'absent'} ({labels.rules[index] if index < len(labels.rules) else 'no rule given'})",
        )
        for index, number in numbers(labels).items()
    ]
    shown = el("ul", join(lines), class_="rs-why", aria_label=title) if lines else None
    note = el("p", UNSURE_NOTE, class_="rs-fine") if UNSURE in labels.flags else None
    return join(part for part in (shown, note) if part is not None)
