"""What each metric sees: a matrix of metrics and kinds of edits, with an example of every kind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from leaderboard.board import Board
from leaderboard.html.addresses import Addresses, slug
from leaderboard.html.markup import Html, el, grid, join, scrolling
from leaderboard.views.board import heading
from validation.bench import tables
from validation.bench.drafts import pieces
from validation.bench.estimates import Estimate
from validation.bench.kinds import BY_NAME, MULTIPLE, EditGroup, group_of
from validation.bench.measures import MetricMeasure
from validation.bench.results import BenchResult

LANGUAGES = {"en": "English", "zh": "Chinese"}
TITLES = {
    EditGroup.ATTRIBUTE: "A property of a finding is wrong: the score should fall",
    EditGroup.SIGNIFICANT: "A finding is wrong: the score should fall",
    EditGroup.HARMLESS: "Nothing that matters is different: the score should stay",
    EditGroup.DEBATED: "People do not agree whether it matters",
}
STEPS = (0.35, 0.55, 0.75, 0.95)
"""Ends of the colours: prefers the error, does not see it, sees some of it, most, all."""


def view(board: Board, results: Sequence[BenchResult], others: Sequence[Board], to: Addresses) -> Html:
    """The whole page: the language of this board's metrics first."""
    zh_first = any("|zh" in column.metric for column in board.columns)
    ordered = sorted(results, key=lambda item: (item.language == "zh") != zh_first)
    main = [item for item in ordered if item.source == "generated"]
    written = [item for item in ordered if item.source != "generated"]
    return el(
        "div",
        heading(board, others, "sees", to),
        el(
            "p",
            "Each score was asked about pairs of reports that differ by one edit. A score that is of use falls when a finding becomes wrong, "
            "and stays when only words change.",
            class_="rs-lead",
        ),
        join(blind(item) for item in main),
        join(matrix(item) for item in main),
        by_another_hand(main, written) if written else None,
        meaning(),
        class_="rs-view",
        data_board=board.key,
    )


def blind(result: BenchResult) -> Html:
    """Where Ran Score does not see an error."""
    first = result.metrics[0]
    items = [
        el("li", el("strong", kind), f": {BY_NAME[kind].says}. ", el("span", tables.figure(first.kinds[kind].auc)))
        for kind in tables.blind(result)
    ]
    title = f"Where {label(first)} is blind: {LANGUAGES[result.language]}"
    words = (
        "0.5 means that the score is the same, or falls as often, after a harmless edit. These errors cost nothing on a board of findings:"
    )
    none = el("p", "No kind of error was missed on these pairs.")
    return el("section", el("h3", title), join([el("p", words), el("ul", *items)]) if items else none)


def matrix(result: BenchResult) -> Html:
    """Kinds by metric, with the example of each kind under its name."""
    metrics = tables.first_recipes(result)
    heads = [el("th", "Kind of edit", scope="col")]
    heads += [el("th", label(item), scope="col", class_="n", id=f"sees-{result.language}-{slug(item.name)}") for item in metrics]
    body = join(
        el("tr", el("th", title(kind, result), scope="row"), *(cell(item, kind) for item in metrics)) for kind in tables.ordered(result)
    )
    caption = f"{LANGUAGES[result.language]}: {result.pairs:,} pairs of {result.references:,} invented reports, with 95 % intervals"
    table = el("table", el("caption", caption), el("thead", el("tr", *heads)), el("tbody", body), class_="rs-grid rs-sees")
    return el(
        "section",
        el("h3", f"Metrics and kinds of edits: {LANGUAGES[result.language]}"),
        scrolling(table, caption),
        summary(result),
        el("p", "Pairs ", el("code", result.pairs_digest[:16]), ", result ", el("code", result.digest[:16]), ".", class_="rs-fine"),
    )


def label(item: MetricMeasure) -> str:
    """The metric's name with its recipe; `Ran Score` by its proper name."""
    return "Ran Score" if item.name == "ran-score" else item.name.replace("sentinel-", "sentinel: ")


def title(kind: str, result: BenchResult) -> Html:
    """A kind with its example, folded."""
    example = result.examples.get(kind)
    name = join([el("span", kind), el("span", TITLES[group_of(kind)].partition(":")[0], class_="rs-minor rs-range")])
    if example is None:
        return name
    before, after = marked(*example)
    pair = el(
        "div", el("p", el("b", "Reference: "), before), el("p", el("b", "Candidate: "), after), lang=result.language, class_="rs-pair"
    )
    return join([name, el("details", el("summary", "Example"), el("p", f"It {BY_NAME[kind].says}."), pair)])


def marked(reference: str, candidate: str) -> tuple[Html, Html]:
    """Both texts with the words that differ marked."""
    first, second = pieces(reference), pieces(candidate)
    left, right = [], []
    for step, start, end, begin, stop in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        wrap = step != "equal"
        left.append(_run("".join(first[start:end]), wrap, "del"))
        right.append(_run("".join(second[begin:stop]), wrap, "ins"))
    return join(left), join(right)


def _run(text: str, changed: bool, tag: str) -> Html:
    if not text:
        return Html("")
    return el(tag, text) if changed and text.strip() else el("span", text)


def cell(item: MetricMeasure, kind: str) -> Html:
    """AUC of an error, or the drop after a harmless edit as a share of the drop after one error."""
    measure = item.kinds[kind]
    if group_of(kind) in (EditGroup.HARMLESS, EditGroup.DEBATED):
        return _coloured(measure.keeps, STEPS)
    return _coloured(measure.auc, STEPS)


def _coloured(value: Estimate, steps: Sequence[float]) -> Html:
    if value.value is None or value.low is None or value.high is None:
        return el("td", "–", class_="n")
    level = sum(value.value > step for step in steps)
    shown = el("span", f"{value.value:.2f}", el("span", f"{value.low:.2f} to {value.high:.2f}", class_="rs-minor rs-range"))
    return el("td", shown, class_=f"n rs-see-{level}", data_v=repr(value.value))


def summary(result: BenchResult) -> Html:
    """One line for each metric, every recipe."""
    made = tables.overview(result)
    return el("details", el("summary", "All recipes in one line each"), grid(made.title, made.heads, made.rows, hidden=True))


def by_another_hand(main: Sequence[BenchResult], written: Sequence[BenchResult]) -> Html:
    """The same figures on pairs of another author."""
    rows = [
        [
            f"{LANGUAGES[result.language]}, {result.source}",
            label(item),
            tables.figure(item.discrimination_all),
            tables.figure(item.attributes_all),
        ]
        for result in (*main, *written)
        for item in tables.first_recipes(result)
        if not item.name.startswith("sentinel")
    ]
    return el(
        "section",
        el("h3", "Pairs by another hand"),
        el(
            "p",
            "The generated pairs and the embedded extractor have one author, so the extractor reads these words well. The pairs second-hand and "
            "held-out were written without sight of its words. Errors are compared with all harmless edits of the same report.",
        ),
        grid("Generated and written pairs", ["Pairs", "Metric", "Findings wrong", "Properties wrong"], rows, hidden=True),
    )


def meaning() -> Html:
    """How to read a cell."""
    words = (
        "Errors: the probability that the score after the error is lower than after a harmless edit of the same report that changes the number "
        "of words alike; equal scores count half. 1 is best, 0.5 is blind, below 0.5 the score prefers the error. Harmless edits: the share of "
        f"pairs after which the score is what it was before. {' and '.join(MULTIPLE).capitalize()} serve to see whether a score falls further with "
        "more errors. Sentinels do not compare the reports: what they see can be seen without reading."
    )
    return el("p", words, class_="rs-fine")
