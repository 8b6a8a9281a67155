"""One system: its record, its scores, its history, its groups of studies, and how to cite it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records import summary
from harness.records.record import Record
from harness.records.store import Stored
from harness.types import Role
from leaderboard.board import Board, BoardRow, label, shown_parts
from leaderboard.exports.tables import rank
from leaderboard.html.addresses import SYSTEM_FILES, Addresses
from leaderboard.html.markup import Html, el, grid, join, outward, person
from leaderboard.strata import Group
from leaderboard.views.board import MEANING, heading, learned

TITLES = {
    "badge": "Badge (SVG)",
    "eval-results": "Hub .eval_results (YAML)",
    "citation": "BibTeX",
    "latex-row": "LaTeX row",
    "record": "Record (JSON)",
}


def view(
    board: Board,
    row: BoardRow,
    stored: Stored,
    past: Sequence[Stored],
    others: Sequence[Board],
    to: Addresses,
    groups: Sequence[Group] = (),
) -> Html:
    """The whole page.

    Args:
        past: Every record of a system of this name, on any board, withdrawn or not.
        groups: Scores in groups of studies.
    """
    record = stored.record
    mark = None if row.role is Role.SYSTEM else el("span", row.role.value, class_="rs-mark")
    return el(
        "div",
        heading(board, (), "system", to),
        chooser(board, row),
        el("h3", person(f"{row.name} {row.version}".strip()), mark),
        el("p", person(summary.sentence(record)), class_="rs-lead"),
        el("p", note, class_="rs-fine") if (note := learned(row)) else None,
        facts(row, stored),
        files(board, row, to),
        el("h3", "Scores"),
        scores(record),
        el("div", findings(record), strata(groups) if groups else None, class_="rs-sides"),
        history(stored, past),
        class_="rs-view",
        data_board=board.key,
    )


def chooser(board: Board, row: BoardRow) -> Html:
    """A list of the board's systems."""
    options = [el("option", f"{other.name} {other.version}".strip(), value=other.id, selected=other.id == row.id) for other in board.rows]
    hidden = [el("input", type="hidden", name="tab", value="system"), el("input", type="hidden", name="board", value=board.key)]
    choice = el("label", el("span", "System"), el("select", join(options), name="system"))
    buttons = [
        el("button", "Show", class_="rs-button"),
        el("button", "Copy link", type="button", data_copy=True, class_="rs-button rs-plain"),
    ]
    return el("form", join(hidden), choice, join(buttons), class_="rs-tools rs-pair", data_form=True, method="get")


def facts(row: BoardRow, stored: Stored) -> Html:
    """What is known of it."""
    record = stored.record
    items: list[tuple[str, Html | str]] = [
        ("Rank", rank(row) if row.place else f"none: {row.why_unranked}"),
        ("Evidence", f"{row.grade.value}: {MEANING[row.grade]}"),
        ("Coverage", row.coverage),
        ("Organisation", outward(row.link, person(row.organisation or row.link or "not said"))),
        ("Open weights", row.open_weights),
        ("Trained on this cohort", row.trained_on_cohort),
        ("Submissions so far", f"{row.submissions} by {'this organisation' if row.organisation else 'this system'} on this cohort"),
        ("Scored", f"{row.created[:10]} by ranscore {record.program}"),
        ("Record", el("code", record.digest[:16])),
    ]
    return el("dl", join(join([el("dt", name), el("dd", value)]) for name, value in items), class_="rs-facts")


def files(board: Board, row: BoardRow, to: Addresses) -> Html:
    """Everything about this system as files."""
    links = [el("li", el("a", TITLES[kind], href=to.file(kind, board, row.id), download=True)) for kind in SYSTEM_FILES]
    return el("ul", join(links), class_="rs-pills", aria_label="Export")


def scores(record: Record) -> Html:
    """Each metric's headline with its interval and signature."""
    lines = []
    for result in record.metrics:
        ends = f"[{result.interval[0]:z.3f}, {result.interval[1]:z.3f}]" if result.interval else "–"
        attainable = result.attainable if result.attainable is not None else "–"
        lines.append([label(result, result.headline), result.value, ends, attainable, el("code", result.signature)])
        for part in shown_parts(result):
            if part != result.headline:
                known = result.intervals.get(part)
                lines.append([label(result, part), result.parts[part], f"[{known[0]:z.3f}, {known[1]:z.3f}]" if known else "–", "–", ""])
    lines += [[name, "–", "–", "–", f"not computed: {reason}"] for name, reason in record.unavailable.items()]
    return grid("Scores", ["Score", "Value", "95 % interval", "Attainable", "Signature"], lines, hidden=True)


def findings(record: Record) -> Html | None:
    """The table per finding."""
    for result in record.metrics:
        if table := summary.findings_table(result):
            lines = [
                [el("span", item.finding, " *" if item.few else ""), item.positives, item.precision, item.recall, item.f1] for item in table
            ]
            heads = ["Finding", "Positives", "Precision", "Recall", "F1"]
            note = el(
                "p", "* fewer than 10 positives: part of the average, too few to claim anything of this finding alone", class_="rs-fine"
            )
            return el("section", el("h3", "Findings"), grid("By finding", heads, lines, hidden=True), note)
    return None


def strata(groups: Sequence[Group]) -> Html:
    """Scores in groups of studies."""
    lines = [
        [
            f"{group.stratum}: {group.name}",
            group.studies,
            group.score,
            f"[{group.interval[0]:z.3f}, {group.interval[1]:z.3f}]" if group.interval else "–",
        ]
        for group in groups
    ]
    note = el("p", "Mean F1 over the findings that the group has.", class_="rs-fine")
    return el(
        "section",
        el("h3", "In groups of studies"),
        grid("In groups of studies", ["Group", "Studies", "Mean F1", "95 % interval"], lines, hidden=True),
        note,
    )


def history(stored: Stored, past: Sequence[Stored]) -> Html:
    """All versions and re-scores; what was withdrawn keeps its line."""
    lines = []
    for item in past:
        record = item.record
        first = record.metrics[0] if record.metrics else None
        same = "same reports" if item.reports and item.reports == stored.reports and item.id != stored.id else ""
        state = f"withdrawn: {item.withdrawn}" if item.withdrawn else "this record" if item.id == stored.id else same or "another record"
        lines.append(
            [
                record.created[:10] or "–",
                person(record.system.version or "–"),
                record.cohort.name,
                first.value if first else "–",
                el("code", first.signature if first else ""),
                person(state),
            ]
        )
    heads = ["Date", "Version", "Cohort", "First score", "Signature", "State"]
    return el("section", el("h3", "History"), grid("Every record of this system", heads, lines, hidden=True))
