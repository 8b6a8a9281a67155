"""From a page's name and its query to its HTML: what the running page and the static site both call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.cohorts.describe import describe
from harness.records import ranks
from harness.records.snapshot import MetricSnapshot
from harness.signature import kind_of
from harness.types import Access, Rows
from leaderboard import strata
from leaderboard.board import Board, BoardRow, reported_rows
from leaderboard.content import Content, Shelf
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el
from leaderboard.views import about, agree, board, compare, findings, studies, system

TABS = {
    "board": "Board",
    "findings": "Findings",
    "compare": "Compare",
    "agree": "Metrics agree?",
    "system": "System",
    "about": "About",
}
"""The pages that are views of a store, in the order of the menu."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was asked for."""

    shelf: Shelf
    content: Content
    board: Board
    query: Mapping[str, str]
    to: Addresses


def render(shelf: Shelf, tab: str, query: Mapping[str, str], to: Addresses) -> Html:
    """One page; an unknown name, board or system leads to the nearest thing that there is."""
    content = shelf.content()
    found = content.board_of(query["system"]) if tab == "system" and query.get("system") else None
    shown = found or content.board(query.get("board", ""))
    if shown is None:
        return nothing()
    return _PAGES.get(tab, _board)(Page(shelf, content, shown, query, to))


def nothing() -> Html:
    """An empty store."""
    steps = [
        el("li", el("code", "ranscore demo"), " shows a board of invented systems"),
        el("li", el("code", "ranscore score FILE --cohort NAME --store"), " adds a system of your own"),
    ]
    return el("div", el("h2", "No record yet", tabindex="-1"), el("p", "This store is empty."), el("ul", *steps), class_="rs-view")


def _board(page: Page) -> Html:
    return board.view(page.board, page.content.boards, reported_rows(), page.to)


def _findings(page: Page) -> Html:
    records = {name: item.record for name, item in page.content.stored.items()}
    groups = {row.id: found for row in page.board.rows[: findings.MOST] if (found := _groups(page, row))}
    return findings.view(page.board, records, page.content.boards, page.to, part=page.query.get("part", "f1"), strata=groups)


def _groups(page: Page, row: BoardRow, intervals: bool = False) -> tuple[strata.Group, ...]:
    rows = _findings_rows(page, row.id)
    if rows is None:
        return ()
    manifest = page.shelf.manifest(page.board.cohort.digest)
    patients = page.shelf.store.patients(page.board.cohort) if intervals else None
    return strata.scores(rows, manifest[1] if manifest else None, patients)


def _findings_rows(page: Page, name: str) -> Rows | None:
    """The rows of Ran Score, where they are here."""
    return next((rows for rows in page.shelf.rows(name) if rows.metric == "ran-score"), None)


def _compare(page: Page) -> Html:
    first, second = page.query.get("a", ""), page.query.get("b", "")
    one, other = compare.choose(page.board, first, second)
    differ = _studies(page, one, other) if one and other else None
    tests = _tests(page, one, other) if one and other else {}
    return compare.view(page.board, page.content, first, second, page.to, differ, tests)


def _tests(page: Page, one: BoardRow, other: BoardRow) -> dict[str, MetricSnapshot]:
    """Tests of two systems, by metric, of a board whose snapshot keeps only what ranks: made where the rows are."""
    kept = [(column.part, tests) for column in page.board.columns if (tests := page.content.tests(page.board, column))]
    if all(part in tests.tests for part, tests in kept):
        return {}
    listed = [(page.content.stored[row.id], page.shelf.rows(row.id)) for row in (one, other)]
    found = ranks.of_two(listed[0], listed[1], page.shelf.store.patients(page.board.cohort))
    return {kind_of(signature): tests for signature, tests in found.items()}


def _studies(page: Page, one: BoardRow, other: BoardRow) -> Html | None:
    """Only for open cohorts: texts of others are not even read."""
    if page.board.cohort.access is not Access.OPEN:
        return None
    left, right = _findings_rows(page, one.id), _findings_rows(page, other.id)
    cohort = page.shelf.open_cohort(page.board.cohort.digest)
    written = [page.shelf.store.reports(page.content.stored[row.id]) for row in (one, other)]
    if left is None or right is None or cohort is None or written[0] is None or written[1] is None or left.studies != right.studies:
        return None
    found = studies.contrasts(left, right)
    texts = studies.texts_of(cohort, [item.study for item in found], written[0], written[1])
    from harness.extractors import extractor

    listed = list(dict.fromkeys(text for three in texts.values() for text in three))
    labels = dict(zip(listed, extractor("lexical").extract(listed), strict=True))
    return studies.view(one, other, found, texts, labels) if found else None


def _agree(page: Page) -> Html:
    return agree.view(page.board, page.content.boards, page.to)


def _system(page: Page) -> Html:
    rows = {row.id: row for row in page.board.rows}
    row = rows.get(page.query.get("system", "")) or min(page.board.rows, key=lambda row: row.place is None)
    stored = page.content.stored[row.id]
    past = [item for item in page.content.stored.values() if (item.record.system.name, item.record.system.role) == (row.name, row.role)]
    return system.view(page.board, row, stored, past, page.content.boards, page.to, _groups(page, row, intervals=True))


def _about(page: Page) -> Html:
    cohort = page.shelf.open_cohort(page.board.cohort.digest)
    record = page.content.stored[page.board.rows[0].id].record
    return about.view(page.board, record, describe(cohort) if cohort else None, page.content.boards, page.to)


_PAGES = {"board": _board, "findings": _findings, "compare": _compare, "agree": _agree, "system": _system, "about": _about}
