"""Systems by finding: a matrix that is readable without colour, with positives and intervals; and scores in groups of studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.findings import NO_FINDING
from harness.records.record import MetricResult, Record
from harness.records.summary import FEW_POSITIVES, FindingRow, findings_table
from harness.types import Role
from leaderboard.board import Board, BoardRow
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join, person, scrolling
from leaderboard.strata import Group
from leaderboard.views.board import heading

MOST = 60
"""Systems in one matrix; more of them nobody reads."""
PARTS = {"f1": "F1", "recall": "Recall", "precision": "Precision"}


def view(
    board: Board,
    records: Mapping[str, Record],
    others: Sequence[Board],
    to: Addresses,
    *,
    part: str = "f1",
    strata: Mapping[str, Sequence[Group]] | None = None,
) -> Html:
    """The whole page.

    Args:
        part: One of `PARTS`.
        strata: By record id the scores of groups of studies.
    """
    part = part if part in PARTS else "f1"
    shown = [row for row in board.rows if _result(records[row.id])][:MOST]
    return el(
        "div",
        heading(board, others, "findings", to),
        el(
            "p",
            "How well each system reports each finding. A pale cell has fewer than ",
            FEW_POSITIVES,
            " positive references: nothing is claimed of it alone.",
            class_="rs-lead",
        ),
        el(
            "nav", join(_choice(board, name, label, part, to) for name, label in PARTS.items()), class_="rs-pills", aria_label="Which ratio"
        ),
        el("p", f"The first {MOST} of {len(board.rows)} rows.") if len(board.rows) > MOST else None,
        matrix(board, shown, records, part, to) if shown else el("p", "No record of this board has scores per finding."),
        el(
            "p",
            "Each cell: the ratio, and under it its 95 % interval over patients. The stronger the colour, the better. Tables with every number: ",
            el("a", "JSON", href=to.file("json", board)),
            ".",
            class_="rs-fine",
        ),
        groups(board, shown, strata) if strata else None,
        class_="rs-view",
        data_board=board.key,
    )


def _result(record: Record) -> MetricResult | None:
    return next((result for result in record.metrics if any(part.startswith("positives:") for part in result.parts)), None)


def _choice(board: Board, name: str, label: str, part: str, to: Addresses) -> Html:
    return el("a", label, href=to.tab("findings", board, part=name), aria_current="true" if name == part else None)


def matrix(board: Board, rows: Sequence[BoardRow], records: Mapping[str, Record], part: str, to: Addresses) -> Html:
    """Rows of systems, columns of findings, the commonest first; how many references have each is under its name."""
    first = _table(records[rows[0].id])
    order = sorted(first.values(), key=lambda item: (item.finding == NO_FINDING, -item.positives, item.finding))
    heads = [
        el(
            "th",
            el("span", item.finding, class_="rs-tilt"),
            el("span", f"{item.positives}", class_="rs-minor"),
            scope="col",
            aria_label=f"{item.finding}, {item.positives} positive references",
        )
        for item in order
    ]
    corner = el("th", "System ", el("span", "positives →", class_="rs-minor"), scope="col", class_="rs-system")
    body = join(_row(board, row, records[row.id], [item.finding for item in order], part, to) for row in rows)
    label = f"{board.cohort.name}: {PARTS[part]} by system and finding"
    table = el(
        "table",
        el("caption", label, class_="rs-hidden"),
        el("thead", el("tr", corner, join(heads))),
        el("tbody", body),
        class_="rs-matrix",
        data_sortable=True,
    )
    return scrolling(table, label)


def _table(record: Record) -> dict[str, FindingRow]:
    result = _result(record)
    return {row.finding: row for row in findings_table(result)} if result else {}


def _row(board: Board, row: BoardRow, record: Record, names: Sequence[str], part: str, to: Addresses) -> Html:
    result, table = _result(record), _table(record)
    cells = [_cell(table.get(name), part, result) for name in names]
    mark = el("span", row.role.value, class_="rs-mark") if row.role is not Role.SYSTEM else None
    head = el(
        "th",
        el("a", person(row.name), href=to.tab("system", board, system=row.id)),
        " " if mark else None,
        mark,
        scope="row",
        class_="rs-system",
    )
    return el("tr", head, join(cells), class_=None if row.role is Role.SYSTEM else "rs-extra")


def _cell(item: FindingRow | None, part: str, result: MetricResult | None) -> Html:
    if item is None or result is None:
        return el("td", "–", data_v="")
    value = float(getattr(item, part))
    ends = result.intervals.get(f"{part}:{item.finding}")
    shade = "rs-few" if item.few else f"rs-s{min(int(value * 8), 7)}"
    small = el("span", f"{_two(ends[0])}–{_two(ends[1])}", class_="rs-ends") if ends else None
    few = el("span", " (few)", class_="rs-hidden") if item.few else None
    return el("td", _two(value), few, small, class_=shade, data_v=repr(value))


def _two(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else "1.0"


def groups(board: Board, rows: Sequence[BoardRow], strata: Mapping[str, Sequence[Group]]) -> Html:
    """The same systems in groups of studies."""
    names = list(dict.fromkeys((group.stratum, group.name, group.studies) for listed in strata.values() for group in listed))
    lines = []
    for row in rows:
        known = {(group.stratum, group.name, group.studies): group for group in strata.get(row.id, ())}
        lines.append([person(row.name), *(known[name].score if name in known else "–" for name in names)])
    heads = [
        el("span", f"{stratum}: ", el("br"), name, el("br"), el("span", f"{studies}", class_="rs-minor"))
        for stratum, name, studies in names
    ]
    return el(
        "section",
        el("h3", "In groups of studies"),
        el("p", "Mean F1 over the findings that the group has; compare systems within a column, not columns with each other."),
        grid(f"{board.cohort.name}: mean F1 in groups of studies", ["System", *heads], lines, hidden=True),
    )
