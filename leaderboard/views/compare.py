"""Two systems side by side, and every pair at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from harness.findings import NO_FINDING
from harness.records.as_readers import AsReaders, warning
from harness.records.snapshot import MetricSnapshot, Pair
from harness.records.summary import FEW_POSITIVES
from harness.types import Access
from leaderboard.board import AS_READERS, Board, BoardRow, Column
from leaderboard.content import Content
from leaderboard.exports.plots import Dumbbell, dumbbells
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join, person, scrolling
from leaderboard.views.board import heading

MOST = 40
"""Systems in the matrix of pairs."""


def view(
    board: Board,
    content: Content,
    first: str,
    second: str,
    to: Addresses,
    studies: Html | None = None,
    tests: Mapping[str, MetricSnapshot] | None = None,
) -> Html:
    """The whole page.

    Args:
        first: A record's id; the best ranked one where it is unknown.
        second: A record's id; the next one where it is unknown.
        studies: The studies where the two differ most, where the cohort is open.
        tests: The tests of the two, by the metric of a column, where the board's snapshot does not hold them.
    """
    one, other = choose(board, first, second)
    return el(
        "div",
        heading(board, content.boards, "compare", to),
        chooser(board, one, other) if one and other else el("p", "It takes two systems to compare."),
        pair(board, content, one, other, tests or {}) if one and other else None,
        studies if studies else closed(board),
        matrix(board, content, to),
        class_="rs-view",
        data_board=board.key,
    )


def choose(board: Board, first: str, second: str) -> tuple[BoardRow | None, BoardRow | None]:
    """The two rows that were asked for, or the two best ranked ones."""
    rows = {row.id: row for row in board.rows}
    best = sorted(board.rows, key=lambda row: row.place is None)
    one = rows.get(first) or next(iter(best), None)
    other = rows.get(second) if second != (one.id if one else "") else None
    return one, other or next((row for row in best if row is not one), None)


def chooser(board: Board, one: BoardRow, other: BoardRow) -> Html:
    """Two lists and a button; a form, so that it works by keyboard alone."""

    def choice(name: str, label: str, chosen: BoardRow) -> Html:
        options = [el("option", f"{row.name} {row.version}".strip(), value=row.id, selected=row.id == chosen.id) for row in board.rows]
        return el("label", el("span", label), el("select", join(options), name=name))

    hidden = [el("input", type="hidden", name="tab", value="compare"), el("input", type="hidden", name="board", value=board.key)]
    fields = [choice("a", "First", one), choice("b", "Second", other)]
    buttons = [
        el("button", "Compare", class_="rs-button"),
        el("button", "Copy link", type="button", data_copy=True, class_="rs-button rs-plain"),
    ]
    return el("form", join(hidden), join(fields), join(buttons), class_="rs-tools rs-pair", data_form=True, method="get")


def pair(board: Board, content: Content, one: BoardRow, other: BoardRow, own: Mapping[str, MetricSnapshot]) -> Html:
    """The answer in a sentence, each score, each finding."""
    lines, found = [], {}
    corrected = content.as_readers(board)
    for column in board.columns:
        tests = own.get(column.metric) or content.tests(board, column)
        found[column.key] = tests.pair(column.part, one.id, other.id) if tests else _corrected(corrected, column, one, other)
        values = [cell.value if (cell := row.cells.get(column.key)) else "–" for row in (one, other)]
        told = _tested(found[column.key], column.higher_is_better, one, other, tests)
        if column.metric == AS_READERS and found[column.key] is None:
            told = ["–", "–", "–", "people did not read reports of both"]
        lines.append([column.label, *values, *told])
    heads = ["Score", person(one.name), person(other.name), "Difference", "95 % interval", "p", "Verdict"]
    first = board.columns[0]
    return el(
        "section",
        el("p", sentence(first.label, found[first.key], one, other), class_="rs-lead"),
        grid("The paired difference under each score", heads, lines, sortable=False),
        *(el("p", warning(row.name), class_="rs-fine") for row in (one, other) if row.name in board.unsafe),
        findings(content, one, other, own.get(first.metric) or content.tests(board, first)),
    )


def _corrected(known: AsReaders | None, column: Column, one: BoardRow, other: BoardRow) -> Pair | None:
    """The difference as readers would score it."""
    item = known.pair(one.id, other.id) if known and column.metric == AS_READERS else None
    return Pair(item.difference, item.low, item.high, item.p) if item else None


def _tested(found: Pair | None, higher: bool, one: BoardRow, other: BoardRow, tests: MetricSnapshot | None) -> list[object]:
    if found is None:
        large = tests is not None and {one.id, other.id} <= set(tests.systems)
        return ["–", "–", "–", "not tested on a board of this size" if large else "not tested: the rows of one are not here"]
    return [f"{found.difference:+z.3f}", interval(found), probability(found.p), verdict(found, higher, one, other)]


def interval(found: Pair) -> str:
    """An interval of a difference; a dash where it is not known."""
    return f"[{found.low:+z.3f}, {found.high:+z.3f}]" if isfinite(found.low) and isfinite(found.high) else "–"


def probability(p: float) -> str:
    """A p value as papers print it."""
    return "< 0.001" if p < 0.001 else f"{p:z.3f}"


def verdict(found: Pair, higher: bool, one: BoardRow, other: BoardRow) -> Html | str:
    """Who is better, in words; the interval leaves out 0 exactly where p is small enough."""
    if found.low <= 0 <= found.high:
        return "not distinguished"
    return el("span", el("b", person(one.name if (found.difference > 0) == higher else other.name)), " is better")


def sentence(label: str, found: Pair | None, one: BoardRow, other: BoardRow) -> Html:
    """The whole comparison in one line."""
    first, second = el("strong", person(one.name)), el("strong", person(other.name))
    if found is None:
        return el("span", first, " and ", second, " cannot be compared here: the rows of one of them are not in this store.")
    numbers = f"{abs(found.difference):z.3f} {label}, 95 % interval of the difference {interval(found)}, p {probability(found.p)}"
    if found.low <= 0 <= found.high:
        return el("span", first, " and ", second, f" are not distinguished on this cohort: they differ by {numbers}.")
    ahead, behind = (first, second) if found.difference > 0 else (second, first)
    return el("span", ahead, " is ahead of ", behind, f" by {numbers}.")


def findings(content: Content, one: BoardRow, other: BoardRow, tests: MetricSnapshot | None) -> Html | None:
    """Each finding: a dumbbell, and the table that it draws."""
    left, right = (next(iter(content.stored[row.id].record.metrics)).parts for row in (one, other))
    names = [part.partition(":")[2] for part in left if part.startswith("positives:")]
    if not names:
        return None
    tested = tests.findings(one.id, other.id) if tests else {}
    names.sort(key=lambda name: (name == NO_FINDING, -left[f"positives:{name}"]))
    bells, lines = [], []
    for name in names:
        positives, found = round(left[f"positives:{name}"]), tested.get(name)
        few = positives < FEW_POSITIVES
        sure = found is not None and found.adjusted is not None and found.adjusted < 0.05
        bells.append(
            Dumbbell(name, left[f"f1:{name}"], right[f"f1:{name}"], few, (1 if found.difference > 0 else -1) if sure and found else 0)
        )
        shown = (
            [f"{found.difference:+z.3f}", interval(found), probability(found.adjusted or 0.0)]
            if found
            else ["–", "–", "too few positives" if few else "–"]
        )
        lines.append([name, positives, left[f"f1:{name}"], right[f"f1:{name}"], *shown])
    heads = ["Finding", "Positives", person(one.name), person(other.name), "Difference", "95 % interval", "p (Holm)"]
    return el(
        "section",
        el("h3", "Finding by finding"),
        el(
            "p",
            "F1 of each finding. ",
            el("span", "●", class_="rs-key"),
            " ",
            person(one.name),
            "  ",
            el("span", "○", class_="rs-key"),
            " ",
            person(other.name),
            ". A thick line is a significant difference after Holm's correction; a pale one has too few positives to say.",
        ),
        dumbbells(bells, one.name, other.name),
        el("details", el("summary", "The same as a table"), grid("F1 by finding", heads, lines)),
    )


def closed(board: Board) -> Html | None:
    """Why no studies are shown."""
    if board.cohort.access is not Access.CREDENTIALED:
        return None
    return el(
        "p", "The studies where two systems differ are shown for open cohorts only: the text of this one is credentialed.", class_="rs-fine"
    )


def matrix(board: Board, content: Content, to: Addresses) -> Html | None:
    """Every pair under the first score: which systems differ significantly."""
    tests = content.tests(board, board.columns[0])
    rows = [row for row in board.rows if tests and row.id in tests.systems][:MOST]
    if tests is None or len(rows) < 2:
        return None
    numbers = {row.id: index for index, row in enumerate(rows, 1)}
    heads = [
        el("th", "Row minus column", scope="col"),
        *(el("th", el("span", numbers[row.id]), scope="col", title=row.name, aria_label=row.name) for row in rows),
    ]
    label = f"Pairs under {board.columns[0].label}"
    table = el(
        "table",
        el("caption", label, class_="rs-hidden"),
        el("thead", el("tr", join(heads))),
        el("tbody", join(_matrix_row(board, row, rows, numbers, tests, to) for row in rows)),
        class_="rs-pairs",
    )
    return el(
        "section",
        el("h3", "Every pair"),
        el(
            "p",
            f"Row minus column under {board.columns[0].label}. ▲ the row is significantly better, ▼ it is worse, · they are not distinguished. Columns are numbered like rows; a cell leads to its comparison.",
        ),
        el("p", f"The first {MOST} rows of the board.") if len(board.rows) > MOST else None,
        scrolling(table, label),
    )


def _matrix_row(
    board: Board, row: BoardRow, rows: Sequence[BoardRow], numbers: dict[str, int], tests: MetricSnapshot, to: Addresses
) -> Html:
    cells = [_matrix_cell(board, row, other, tests.pair(board.columns[0].part, row.id, other.id), to) for other in rows]
    return el("tr", el("th", f"{numbers[row.id]} ", person(row.name), scope="row", class_="rs-system"), join(cells))


def _matrix_cell(board: Board, row: BoardRow, other: BoardRow, found: Pair | None, to: Addresses) -> Html:
    if found is None:
        return el("td", "")
    told = not found.low <= 0 <= found.high
    better = (found.difference > 0) == board.columns[0].higher_is_better
    sign, words, kind = (
        ("▲", "better than", "rs-up")
        if told and better
        else ("▼", "worse than", "rs-down")
        if told
        else ("·", "not distinguished from", None)
    )
    label = f"{row.name} {words} {other.name}, {found.difference:+z.3f}"
    link = el(
        "a",
        el("span", sign, aria_hidden="true"),
        f" {found.difference:+z.2f}",
        href=to.tab("compare", board, a=row.id, b=other.id),
        aria_label=label,
    )
    return el("td", link, class_=kind)
