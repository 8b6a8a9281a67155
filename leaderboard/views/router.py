"""From a page's name and its query to its HTML: what the running page and the static site both call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.cohorts.describe import describe
from harness.records import ranks
from harness.records.snapshot import MetricSnapshot
from harness.signature import kind_of
from harness.types import Access, Rows
from leaderboard import strata
from leaderboard.board import Board, BoardRow, is_of_paper, reported_rows
from leaderboard.content import BoardContent, Content
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, join, person
from leaderboard.views import about, agree, board, compare, extractor, findings, readers, rexrank, sees, studies, system

TABS = {
    "board": "Board",
    "findings": "Findings",
    "compare": "Compare",
    "agree": "Metrics agree?",
    "sees": "What metrics see",
    "readers": "Readers",
    "extractor": "Extractor",
    "system": "System",
    "about": "About",
}
"""The pages that are views of a store, in the order of the menu."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page shows, by names that exist: however it was asked for, an equal page is equal here."""

    tab: str = "board"
    board: str = ""
    """The board's key; empty where the store is."""
    a: str = ""
    b: str = ""
    system: str = ""
    part: str = ""
    gone: bool = False
    """Whether the address names a board or a page that is not here."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page that is drawn."""

    board_content: BoardContent
    content: Content
    board: Board
    asked: Asked
    to: Addresses


def resolve(content: Content, tab: str, query: Mapping[str, str]) -> Asked:
    """The page that is meant; an unknown name, board or system leads to the nearest thing that there is."""
    gone = bool(query.get("gone")) or (bool(query.get("board")) and all(board.key != query["board"] for board in content.boards))
    tab = tab if tab in TABS else "board"
    found = content.board_of(query["system"]) if tab == "system" and query.get("system") else None
    shown = found or content.board(query.get("board", ""))
    if shown is None:
        return Asked(tab)
    asked = Asked(tab, shown.key, gone=gone and found is None)
    if tab == "findings":
        part = query.get("part", "")
        return replace(asked, part=part if part in findings.PARTS else "f1")
    if tab == "compare":
        one, other = compare.choose(shown, query.get("a", ""), query.get("b", ""))
        return replace(asked, a=one.id if one else "", b=other.id if other else "")
    if tab == "system":
        known = {row.id for row in shown.rows}
        name = query.get("system", "")
        return replace(asked, system=name if name in known else min(shown.rows, key=lambda row: row.place is None).id)
    return asked


def render(board_content: BoardContent, tab: str, query: Mapping[str, str], to: Addresses) -> Html:
    """One page, from its name and its query."""
    content = board_content.content()
    return draw(board_content, content, resolve(content, tab, query), to)


def draw(board_content: BoardContent, content: Content, asked: Asked, to: Addresses) -> Html:
    """One page, of what `resolve` gave for the same content."""
    shown = content.board(asked.board)
    if shown is None:
        return without_record(board_content) if asked.tab == "readers" else nothing()
    page = _PAGES[asked.tab](Page(board_content, content, shown, asked, to))
    return join([_gone(shown), page]) if asked.gone else page


def _gone(shown: Board) -> Html:
    """What a visitor with an old link must know."""
    words = ("What this link names is not here any more, or never was. This is the board ", person(shown.cohort.name), ".")
    return el("p", *words, role="status", class_="rs-gone")


def without_record(board_content: BoardContent) -> Html:
    """The readers' standards of an empty store; that it is empty where there are none."""
    standards = board_content.standards()
    return readers.without_board(standards) if standards else nothing()


def nothing() -> Html:
    """An empty store."""
    steps = [
        el("li", el("code", "ranscore demo"), " shows a board of invented systems"),
        el("li", el("code", "ranscore score FILE --cohort NAME --store"), " adds a system of your own"),
    ]
    return el("div", el("h2", "No record yet", tabindex="-1"), el("p", "This store is empty."), el("ul", *steps), class_="rs-view")


def _board(page: Page) -> Html:
    others = page.board_content.rexrank(page.board.cohort.name)
    paper = reported_rows() if is_of_paper(page.board.cohort) else ()
    return board.view(page.board, page.content.boards, paper, page.to, rexrank.view(others) if others else None)


def _findings(page: Page) -> Html:
    records = {name: item.record for name, item in page.content.stored.items()}
    groups = {row.id: found for row in page.board.rows[: findings.MOST] if (found := _groups(page, row))}
    return findings.view(page.board, records, page.content.boards, page.to, part=page.asked.part, strata=groups)


def _groups(page: Page, row: BoardRow, intervals: bool = False) -> tuple[strata.Group, ...]:
    rows = _findings_rows(page, row.id)
    if rows is None:
        return ()
    manifest = page.board_content.manifest(page.board.cohort.digest)
    patients = page.board_content.patients(page.board.cohort) if intervals else None
    return strata.scores(rows, manifest[1] if manifest else None, patients)


def _findings_rows(page: Page, name: str) -> Rows | None:
    """The rows of Ran Score, where they are here."""
    return next((rows for rows in page.board_content.rows(name) if rows.metric == "ran-score"), None)


def _compare(page: Page) -> Html:
    first, second = page.asked.a, page.asked.b
    one, other = compare.choose(page.board, first, second)
    differ = _studies(page, one, other) if one and other else None
    tests = _tests(page, one, other) if one and other else {}
    return compare.view(page.board, page.content, first, second, page.to, differ, tests)


def _tests(page: Page, one: BoardRow, other: BoardRow) -> dict[str, MetricSnapshot]:
    """Tests of two systems, by metric, of a board whose snapshot keeps only what ranks: made where the rows are."""
    kept = [(column.part, tests) for column in page.board.columns if (tests := page.content.tests(page.board, column))]
    if all(part in tests.tests for part, tests in kept):
        return {}
    listed = [(page.content.stored[row.id], page.board_content.rows(row.id)) for row in (one, other)]
    patients = page.board_content.patients(page.board.cohort)
    found = ranks.of_two(listed[0], listed[1], patients) if patients is not None else {}
    return {kind_of(signature): tests for signature, tests in found.items()}


def _studies(page: Page, one: BoardRow, other: BoardRow) -> Html | None:
    """Only for open cohorts: texts of others are not even read."""
    if page.board.cohort.access is not Access.OPEN:
        return None
    left, right = _findings_rows(page, one.id), _findings_rows(page, other.id)
    cohort = page.board_content.open_cohort(page.board.cohort.digest)
    written = [page.board_content.reports(row.id) for row in (one, other)]
    if left is None or right is None or cohort is None or written[0] is None or written[1] is None or left.studies != right.studies:
        return None
    found = studies.contrasts(left, right)
    texts = studies.texts_of(cohort, [item.study for item in found], written[0], written[1])
    from harness.extractors import extractor as make

    listed = list(dict.fromkeys(text for three in texts.values() for text in three))
    labels = dict(zip(listed, make("lexical").extract(listed), strict=True))
    return studies.view(one, other, found, texts, labels) if found else None


def _agree(page: Page) -> Html:
    return agree.view(page.board, page.content.boards, page.to, page.content.lengths(page.board))


def _sees(page: Page) -> Html:
    return sees.view(page.board, page.board_content.benches(), page.content.boards, page.to)


def _readers(page: Page) -> Html:
    return readers.view(page.board, page.board_content.standards(), page.content.boards, page.to)


def _extractor(page: Page) -> Html:
    known = page.content.as_readers(page.board)
    return extractor.view(page.board, page.board_content.validations(), page.content.boards, page.to, known)


def _system(page: Page) -> Html:
    row = next(row for row in page.board.rows if row.id == page.asked.system)
    stored = page.content.stored[row.id]
    past = [item for item in page.content.stored.values() if (item.record.system.name, item.record.system.role) == (row.name, row.role)]
    return system.view(page.board, row, stored, past, page.content.boards, page.to, _groups(page, row, intervals=True))


def _about(page: Page) -> Html:
    cohort = page.board_content.open_cohort(page.board.cohort.digest)
    record = page.content.stored[page.board.rows[0].id].record
    return about.view(page.board, record, describe(cohort) if cohort else None, page.content.boards, page.to)


_PAGES = {
    "board": _board,
    "findings": _findings,
    "compare": _compare,
    "agree": _agree,
    "sees": _sees,
    "readers": _readers,
    "extractor": _extractor,
    "system": _system,
    "about": _about,
}
