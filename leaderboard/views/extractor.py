"""The extractor that labelled a board: how often it is wrong, finding by finding, and what nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.records.as_readers import AsReaders
from leaderboard.board import Board, Cell
from leaderboard.exports.plots import WIDTH, Scale, whisker
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join, person
from leaderboard.validations import extractor_digest, of_board
from leaderboard.views import as_readers
from leaderboard.views.board import heading
from validation.extractors.results import FEW, ExtractorResult, FindingResult, Ratio, SourcePart, Validation
from validation.extractors.thresholds import rules

AVERAGES = {"21": "All 21 findings", "14": "The 14 of CheXpert", "10": f"Those with at least {FEW} positives"}
SOURCES = {"original": "Reports by radiologists", "generated": "Reports by systems"}
COLUMNS = {
    "Positives": "reports in which the readers see the finding",
    "F1": "of precision and recall, with its 95 % interval; the dot and the line show the same from 0 to 1",
    "Precision": "share of the labels 1 that are right",
    "Recall": "share of the positives that are found",
    "Accuracy": "share of all labels that are right; a program that never reads anything is right very often where a finding is rare",
    "Wrong": "labels 1 where readers say absent, and labels 0 where they say present",
    "Enough": f"the strict rule: lower ends of recall and precision at least 80 %, with at least {FEW} positives",
}


def view(
    board: Board, validations: Sequence[Validation], others: Sequence[Board], to: Addresses, corrected: AsReaders | None = None
) -> Html:
    """The whole page.

    Args:
        corrected: What the snapshot knows of the error in the score.
    """
    known = of_board(board, validations)
    missing = None if board.extractor == "construction" else nothing(board, validations)
    return el(
        "div",
        heading(board, others, "extractor", to),
        lead(board),
        as_readers.section(board, corrected) if corrected else None,
        join(section(board, validation, result) for validation, result in known) if known else missing,
        class_="rs-view",
        data_board=board.key,
    )


def lead(board: Board) -> Html:
    """Who labelled the reports of this board."""
    if board.extractor == "construction":
        return el("p", "No extractor read a report of this board: its labels are known by construction.", class_="rs-lead")
    if not extractor_digest(board):
        return el("p", "The score that ranks this board reads no labels of an extractor.", class_="rs-lead")
    return el(
        "p",
        "Every label behind the scores of this board was made by ",
        el("strong", person(board.extractor)),
        ", digest ",
        el("code", extractor_digest(board)),
        ". A wrong label makes a wrong score, for every system. This page says how often labels are wrong.",
        class_="rs-lead",
    )


def nothing(board: Board, validations: Sequence[Validation]) -> Html:
    """No validation of this extractor is here."""
    steps = [
        el("li", el("code", "ranscore readers new NAME --cohort COHORT"), " makes a standard: people read reports blind"),
        el("li", el("code", "ranscore extractor validate --standard NAME --extractor NAME"), " compares this extractor with it"),
    ]
    others = sorted({result.title for validation in validations for result in validation.extractors if result.digest})
    listed = el("p", "Other extractors were validated here: ", ", ".join(others), ".") if others else None
    return el(
        "div",
        el("h3", "Not validated"),
        el(
            "p",
            "No validation of this extractor is kept beside this board. How often its labels are wrong is unknown, for each finding and "
            "for the score.",
        ),
        listed,
        el("ul", *steps),
    )


def section(board: Board, validation: Validation, result: ExtractorResult) -> Html:
    """One validation of the extractor."""
    standard = validation.standard
    own = standard.cohort == board.cohort.digest
    chips = [
        f"{standard.items:,} reports read by people",
        f"cohort {standard.cohort_name or 'unknown'}" + ("" if own else " (not this board's)"),
        *(["the held part of the standard"] if standard.part == "held" else []),
        "weighted by the draw" if standard.weighted else "all reports count alike",
    ]
    return el(
        "section",
        el("h3", "Against the standard ", person(standard.name)),
        el("ul", join(el("li", chip) for chip in chips), class_="rs-chips"),
        join(of_source(validation, result, part) for part in result.parts),
        unknown(board, validation, result),
        el("p", "Validation ", el("code", validation.digest[:16]), ", standard ", el("code", standard.digest[:16]), ".", class_="rs-fine"),
    )


def of_source(validation: Validation, result: ExtractorResult, part: SourcePart) -> Html:
    """The extractor on reports by radiologists, or on those of systems."""
    return el(
        "div",
        el("h4", SOURCES[part.source]),
        overview(validation, part.source),
        findings(validation, result, part),
        why(),
    )


def overview(validation: Validation, source: str) -> Html:
    """Macro F1 of this extractor and of those that were compared with it."""
    rows = [
        [person(other.title), AVERAGES[item.name], forest(item.macro["f1"]), ratio(item.macro["f1"]), ratio(item.micro["f1"])]
        for other in validation.extractors
        if (part := other.part(source))
        for item in part.averages
    ]
    caption = f"{validation.standard.name}: F1 of extractors on {source} reports, with 95 % intervals"
    return grid(caption, ["Extractor", "Over", "0 to 1", "Macro F1", "Micro F1"], rows, hidden=True)


def findings(validation: Validation, result: ExtractorResult, part: SourcePart) -> Html:
    """The forest plot beside its table, the commonest finding first."""
    strict = rules()[-1]
    rows = [
        [
            item.finding,
            item.positives,
            forest(item.f1, item.positives < FEW),
            ratio(item.f1),
            ratio(item.precision),
            ratio(item.recall),
            ratio(item.accuracy),
            el("span", f"{item.fp} + {item.fn}"),
            strict.judge(item),
        ]
        for item in sorted(part.findings, key=lambda item: -item.positives)
    ]
    heads = ["Finding", "Positives", "F1, 0 to 1", "F1", "Precision", "Recall", "Accuracy", "Wrong", "Enough"]
    caption = f"{result.title} by finding on {part.items} {part.source} reports of {validation.standard.name}, with 95 % intervals"
    return grid(caption, heads, rows, hidden=True)


def forest(value: Ratio, quiet: bool = False) -> Html:
    """A ratio on the line from 0 to 1."""
    return whisker(Cell(value.value, (value.low, value.high)), Scale(1.0, WIDTH), quiet)


def ratio(value: Ratio) -> Html:
    """A ratio over its interval."""
    return el("span", f"{value.value:z.3f}", el("span", f"{value.low:z.3f} to {value.high:z.3f}", class_="rs-minor rs-range"))


def why() -> Html:
    """What the columns mean."""
    terms = join(join([el("dt", name), el("dd", words)]) for name, words in COLUMNS.items())
    return el("details", el("summary", "What the columns mean"), el("dl", terms, class_="rs-facts"))


def unknown(board: Board, validation: Validation, result: ExtractorResult) -> Html:
    """What this validation does not say."""
    return el("div", el("h4", "What is unknown"), el("ul", join(el("li", text) for text in unknowns(board, validation, result))))


def unknowns(board: Board, validation: Validation, result: ExtractorResult) -> Iterator[str]:
    """Sentences about what this validation does not say."""
    standard = validation.standard
    if standard.cohort != board.cohort.digest:
        yield "How the extractor reads the reports of this board's own cohort: the reports that people read are from another one."
    if result.part("generated") is None:
        yield "How it reads reports that systems wrote: people labelled reports by radiologists alone."
    if not standard.study:
        yield "How the readers' labels were decided: the standard is a file of labels without a study behind it."
    for part in result.parts:
        few = [item.finding for item in part.findings if item.positives < FEW]
        if few:
            yield f"{SOURCES[part.source]}: with fewer than {FEW} positives nothing can be said of {', '.join(few)} alone."
        left = sum(item.left_out for item in part.findings)
        if left:
            yield f"{SOURCES[part.source]}: {left} decisions on which the readers did not agree are left out, and the extractor decides them in use."
        lost = sum(_lost(item) for item in part.findings)
        if lost:
            yield f"{SOURCES[part.source]}: {lost} answers could not be read. Here they count as wrong."


def _lost(item: FindingResult) -> int:
    return sum(count for word, count in item.statuses.items() if word != "uncertain")
