"""What one report says, and how it compares with another: nothing here is kept."""

from __future__ import annotations

from collections.abc import Sequence

from harness.findings import RAN_21
from harness.records.record import Record
from harness.types import Labels, ReportStatus
from leaderboard.board import label, shown_parts
from leaderboard.html.markup import Html, el, grid, join
from leaderboard.views import evidence

EXAMPLE = (
    "The heart is mildly enlarged. Small left pleural effusion with bibasilar atelectasis. No pneumothorax. "
    "Right internal jugular line ends in the superior vena cava."
)
EXAMPLE_REFERENCE = (
    "Cardiomegaly. Left pleural effusion. Patchy opacity at the left base may be pneumonia. Central line in place. No pneumothorax."
)
NOTICE = (
    "Nothing you paste is stored or logged; it is read in memory and forgotten. Still: on a hosted page, do not paste text that a data-use "
    "agreement or privacy law protects (MIMIC-CXR, your own patients). Run this page on your own machine for that: ranscore serve."
)
WHY = {
    ReportStatus.EMPTY: "Nothing in this text says anything about a chest, so it asserts nothing: not even a normal chest.",
    ReportStatus.UNSUPPORTED: "The embedded extractor reads English and Chinese; this text seems to be something else.",
    ReportStatus.MISSING: "There is no text.",
}


def form(films: Html, film: bool, most: int) -> Html:
    """The tab as far as it takes a pasted report.

    Args:
        films: The choice between this form and that for films, or why there is none.
        film: Whether a film can be uploaded.
        most: Characters of a text that is read.
    """
    what = "Paste a report" + (", or let a system write one for a film" if film else "")
    fields = [
        el("div", el("label", label, for_=name), el("textarea", id=name, rows="6", maxlength=str(most)))
        for label, name in (("Report", "try-report"), ("Reference (optional)", "try-reference"))
    ]
    buttons = [
        el("button", "Read the findings", class_="rs-button", id="try-read"),
        el("button", "Fill in an example", type="button", class_="rs-button rs-plain", id="try-example"),
    ]
    examples = {"data_report": EXAMPLE, "data_reference": EXAMPLE_REFERENCE}
    return el(
        "div",
        el("h2", "Try it", tabindex="-1"),
        el("p", what, ": which of the 21 findings does it assert, and which words decide? Add a reference and see every score."),
        films,
        el("p", NOTICE, class_="rs-fine", id="try-notice"),
        el("form", el("div", join(fields), class_="rs-two"), el("div", join(buttons), class_="rs-tools"), id="try-paste", **examples),
        class_="rs-view rs-head-of",
    )


def view(report: str, labels: Labels, reference: str = "", truth: Labels | None = None, record: Record | None = None) -> Html:
    """The findings of a report with the words that decide them; with a reference, what was missed and invented, and every score."""
    return el(
        "div",
        readings(report, labels, reference, truth),
        verdicts(labels, truth) if truth else None,
        scores(record) if record else None,
        el("details", el("summary", "All 21 findings"), table(report, labels, reference, truth)),
        class_="rs-view",
    )


def readings(report: str, labels: Labels, reference: str, truth: Labels | None) -> Html:
    """Both texts with their words marked, and what each asserts."""
    sides = [("The report asserts", report, labels)] + ([("The reference asserts", reference, truth)] if truth else [])
    return el("div", join(_reading(head, text, found) for head, text, found in sides), class_="rs-two", aria_live="polite")


def _reading(head: str, text: str, labels: Labels) -> Html:
    if labels.report is not ReportStatus.OK:
        return el("section", el("h3", head), el("p", WHY[labels.report]))
    chips = el("ul", join(el("li", name) for name in asserted(labels)), class_="rs-chips")
    shown = el("p", evidence.marked(text, labels), class_="rs-report")
    return el("section", el("h3", head), chips, shown, evidence.key(labels, f"{head}: what decided"))


def asserted(labels: Labels) -> list[str]:
    """The findings that are present."""
    return [name for name, value in zip(RAN_21, labels.values, strict=True) if value == 1]


def verdicts(labels: Labels, truth: Labels) -> Html:
    """Right, missed, invented."""
    said, true = set(asserted(labels)), set(asserted(truth))
    groups = [("Right", said & true), ("Missed", true - said), ("Invented", said - true)]
    items = [
        join([el("dt", name), el("dd", ", ".join(finding for finding in RAN_21 if finding in found) or "none")]) for name, found in groups
    ]
    return el("section", el("h3", "Against the reference"), el("dl", join(items), class_="rs-facts"))


def scores(record: Record) -> Html:
    """Every score of this one pair."""
    lines: list[Sequence[object]] = []
    for result in record.metrics:
        parts = ["micro-f1"] if result.name == "ran-score" else shown_parts(result)
        lines += [
            ["F1 of the findings" if result.name == "ran-score" else label(result, part), result.parts[part], el("code", result.signature)]
            for part in parts
        ]
    return el(
        "section",
        el("h3", "Scores of this pair"),
        grid("Scores of this pair", ["Score", "Value", "Signature"], lines, sortable=False, hidden=True),
        el(
            "p",
            "Ran Score is a mean over a cohort: of one pair there is only the F1 of its findings. CIDEr weighs words by how rare they are among many references and is 0 for a single one.",
            class_="rs-fine",
        ),
    )


def table(report: str, labels: Labels, reference: str, truth: Labels | None) -> Html:
    """Each finding, the decision, its rule, and the words behind it."""
    lines = [
        [name, *_cells(report, labels, index), *(_cells(reference, truth, index) if truth else [])] for index, name in enumerate(RAN_21)
    ]
    heads = ["Finding", "Report", "Rule", "Deciding words", *(["Reference", "Rule", "Deciding words"] if truth else [])]
    return grid("All 21 findings", heads, lines, sortable=False, hidden=True)


def _cells(text: str, labels: Labels, index: int) -> list[str]:
    rule = labels.rules[index] if index < len(labels.rules) else ""
    return [_decision(labels, index), rule, _words(text, labels, index)]


def _decision(labels: Labels, index: int) -> str:
    value = labels.values[index] if index < len(labels.values) else None
    return {1: "present", 0: "absent"}.get(value if value is not None else -1, "–")


def _words(text: str, labels: Labels, index: int) -> str:
    spans = labels.evidence[index] if index < len(labels.evidence) else ()
    return ", ".join(dict.fromkeys(f"“{text[start:end]}”" for start, end in spans))
