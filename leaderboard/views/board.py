"""The board as a page: the table, its tools, and what the paper reported."""

from __future__ import annotations

from collections.abc import Sequence

from harness.formats.written_by import BASELINE, DRAWN
from harness.records.as_readers import warning
from harness.types import Access, Grade, Role
from leaderboard.board import AS_READERS, Board, BoardRow, Cell, Column
from leaderboard.exports.cells import KINDS
from leaderboard.exports.plots import WIDTH, Scale, top_of, whisker
from leaderboard.exports.tables import DIGITS, FACTS, caption, number, rank
from leaderboard.html.addresses import Addresses, slug
from leaderboard.html.markup import Html, el, grid, join, outward, person, scrolling

MEANING = {
    Grade.REPORTED: "printed in a paper, not computed here",
    Grade.SELF_SCORED: "scored by those who made the system, not checked here",
    Grade.LOCAL: "scored by the owner of this store with `ranscore score --store` or `ranscore rank --store`",
    Grade.SCORED_HERE: "its reports were submitted and scored here",
    Grade.REGENERATED: "its reports were generated again here, and scored",
}
"""What each grade of evidence means, weakest first."""
TITLES = {"csv": "CSV", "json": "JSON", "markdown": "Markdown", "latex": "LaTeX", "svg": "SVG figure", "bibtex": "BibTeX"}
EXTRA = ("organisation", "submissions", "date", "section", "length", "open weights", "trained on cohort", "signature")
"""What the column chooser offers and does not show at first."""
USUAL = 12
"""Most scores that are shown at first."""


def view(board: Board, others: Sequence[Board], reported: Sequence[BoardRow], to: Addresses, beside: Html | None = None) -> Html:
    """The whole page.

    Args:
        beside: What others report of the same studies.
    """
    return el(
        "div",
        heading(board, others, "board", to),
        lead(board),
        tools(board, to),
        table(board, to),
        el("p", caption(board), class_="rs-fine"),
        el("p", links(board, to), class_="rs-fine"),
        el("p", join(el("span", note) for note in board.notes)) if board.notes else None,
        *(el("p", note, class_="rs-fine") for note in filter(None, map(learned, board.rows))),
        legend(),
        beside,
        paper(reported) if reported else None,
        class_="rs-view",
        data_board=board.key,
    )


def learned(row: BoardRow) -> str:
    """What must be said beside the results of the baseline that is trained on drawings; empty for every other system."""
    if row.name == BASELINE:
        return f"{row.name} is a small model that is trained here. Trained on a synthetic cohort, it has seen drawn films alone."
    return f"{row.name}: it has seen drawn films alone, so its scores on real ones mean nothing." if row.name.endswith(DRAWN) else ""


def heading(board: Board, others: Sequence[Board], tab: str, to: Addresses) -> Html:
    """Which cohort and labels the page is about, and the way to the other boards."""
    cohort = board.cohort
    labels = board.extractor + ("" if board.official else " (not the paper's extractor)")
    who: object = el("a", f"labels: {labels}", href=to.tab("extractor", board)) if board.extractor else "labels: none"
    facts: list[object] = [f"{cohort.studies:,} studies", f"{cohort.patients:,} patients", f"section: {cohort.section.value}", who]
    if cohort.access is Access.CREDENTIALED:
        facts.append("credentialed: no text is shown")
    return el(
        "header",
        el("h2", el("span", "Cohort ", class_="rs-minor"), person(cohort.name), tabindex="-1"),
        el("ul", join(el("li", fact) for fact in facts), class_="rs-chips", aria_label="About this board"),
        switcher(board, others, tab, to),
        class_="rs-top",
    )


def switcher(board: Board, others: Sequence[Board], tab: str, to: Addresses) -> Html | None:
    """A choice among the boards; nothing where there is one."""
    if len(others) < 2:
        return None
    options = [
        el(
            "option",
            f"{other.cohort.name} · {other.extractor} · {other.cohort.digest[:6]}",
            value=to.tab(tab, other),
            selected=other.key == board.key,
        )
        for other in others
    ]
    return el("label", "Board ", el("select", join(options), data_go=True), class_="rs-switch")


def lead(board: Board) -> Html:
    """What the first line must tell: who leads, and how far apart two systems must be."""
    ranked = [row for row in board.rows if row.place]
    best = [row for row in ranked if row.place and row.place.best]
    parts = []
    if board.extractor == "construction":
        parts.append(el("span", "Invented patients and systems whose true order is known: this board shows how a board works. "))
    if best:
        names = join([el("strong", person(row.name)) for row in best[:3]], ", ")
        tied = (
            "leads"
            if len(best) == 1
            else f"and {len(best) - 3} more are not distinguished"
            if len(best) > 3
            else "are not distinguished at the top"
        )
        parts.append(el("span", names, f" {tied} among {len(ranked)} ranked systems. "))
    if board.gap:
        parts.append(el("span", board.gap))
    parts += [el("b", warning(name), " ") for name in board.unsafe]
    if not ranked:
        parts.append(
            el(
                "span",
                "Nobody is ranked here yet: ",
                el("code", "ranscore snapshot"),
                " computes the ranks of what was scored or generated here.",
            )
        )
    return el("p", join(parts), class_="rs-lead")


def tools(board: Board, to: Addresses) -> Html:
    """Search, filters, columns, exports, and the link to this view."""
    search = el(
        "label",
        el("span", "Search"),
        el("input", type="search", name="q", placeholder="system or organisation", autocomplete="off"),
        class_="rs-search",
    )
    return el(
        "form",
        search,
        el("details", el("summary", "Filter"), filters(board)),
        el("details", el("summary", "Columns"), columns(board)),
        el("details", el("summary", "Export"), exports(board, to)),
        el("button", "Copy link", type="button", data_copy=True, class_="rs-button rs-plain"),
        el("button", "Reset", type="reset", class_="rs-button rs-plain"),
        el("p", f"{len(board.rows)} of {len(board.rows)} rows", role="status", class_="rs-count"),
        class_="rs-tools",
        data_tools=True,
        aria_label="What the table shows",
    )


def filters(board: Board) -> Html:
    """One choice for each thing that rows differ in."""
    fields = [
        _choice("evidence", "Evidence", [grade.value for grade in Grade if any(row.grade is grade for row in board.rows)]),
        _choice("section", "Writes", sorted({row.section for row in board.rows if row.section})),
        _choice("open", "Open weights", ["yes", "no", "unknown"]),
        _choice("trained", "Trained on this cohort", ["yes", "no", "unknown"]),
        el("label", el("span", "Scored since"), el("input", type="date", name="since")),
        el("label", el("input", type="checkbox", name="extra", value="0"), " Hide floors and ceilings", class_="rs-check"),
    ]
    return el("div", join(fields), class_="rs-fields")


def _choice(name: str, label: str, values: Sequence[str]) -> Html:
    options = [el("option", "any", value=""), *(el("option", value, value=value) for value in values)]
    return el("label", el("span", label), el("select", join(options), name=name))


def usual(board: Board) -> frozenset[str]:
    """The scores that are shown at first: a few, which at least half of the systems have; one record with many recipes adds none."""
    systems = [row for row in board.rows if row.role is Role.SYSTEM] or board.rows
    held = [column.key for column in board.columns if 2 * sum(column.key in row.cells for row in systems) >= len(systems)]
    corrected = [column.key for column in board.columns if column.metric == AS_READERS]
    return frozenset([board.columns[0].key, *held[:USUAL], *corrected])


def columns(board: Board) -> Html:
    """A box for each column that can be hidden."""
    boxes = [_box(column.key, column.label, column.key in usual(board)) for column in board.columns]
    boxes += [_box(name, name, name in board.facts) for name in (*board.facts, *EXTRA)]
    return el("fieldset", el("legend", "Shown columns", class_="rs-hidden"), join(boxes), class_="rs-fields")


def _box(key: str, label: str, checked: bool) -> Html:
    return el("label", el("input", type="checkbox", name="column", value=key, checked=checked), " ", label, class_="rs-check")


def exports(board: Board, to: Addresses) -> Html:
    """Everything that is shown, as files; what only a server can make of a part of the board is of the whole board elsewhere."""
    source = to.pieces(board)
    whole = [kind for kind in TITLES if source and kind not in KINDS]
    parts = [_files("The rows and columns that are shown now, in this order:", [kind for kind in TITLES if kind not in whole], board, to)]
    if whole:
        parts.append(_files("For the whole board:", whole, board, to))
    return el("div", join(parts), class_="rs-fields rs-exports", data_pieces=source or None)


def _files(words: str, kinds: Sequence[str], board: Board, to: Addresses) -> Html:
    links = [el("li", el("a", TITLES[kind], href=to.file(kind, board), data_export=kind, download=True)) for kind in kinds]
    return el("div", el("p", words), el("ul", join(links)))


def table(board: Board, to: Addresses) -> Html:
    """The board itself."""
    facts = [*board.facts, *(name for name in EXTRA if name not in board.facts)]
    first = board.columns[0]
    drawn = [column.key for column in board.columns if column is first or column.metric == AS_READERS]
    shown = [row for row in board.rows if row.role is not Role.CEILING]
    scale = Scale(top_of([cell for row in shown for key in drawn if (cell := row.cells.get(key))]), WIDTH)
    heads = [_head("rank", "Rank"), _head("system", "System")]
    at_first = usual(board)
    axis = _axis(board, scale)
    heads += [_score_head(column, axis if column is first else "", hidden=column.key not in at_first) for column in board.columns]
    heads += [_head(name, name.capitalize(), hidden=name not in board.facts) for name in facts]
    body = join(_row(board, row, facts, scale, to, at_first) for row in board.rows)
    label = f"{board.cohort.name}: systems by {first.label}"
    return scrolling(
        el(
            "table",
            el("caption", label, class_="rs-hidden"),
            el("thead", el("tr", join(heads))),
            el("tbody", body),
            class_="rs-board",
            data_sortable=True,
            data_main=True,
        ),
        label,
    )


def _head(key: str, label: str, hidden: bool = False) -> Html:
    return el("th", label, scope="col", data_key=key, class_=f"rs-{key}" if key in {"rank", "system"} else None, hidden=hidden)


def _axis(board: Board, scale: Scale) -> str:
    """What the whiskers of the first score are drawn on, and whether a ceiling is beyond it."""
    cells = [row.cells.get(board.columns[0].key) for row in board.rows if row.role is Role.CEILING]
    beyond = any(cell and cell.value > scale.top for cell in cells)
    return f"axis 0 to {scale.top:g}" + (", ceiling beyond" if beyond else "")


def _score_head(column: Column, axis: str, hidden: bool) -> Html:
    """The heading of a score; the first one, which the table is sorted by, names its axis."""
    range_ = el("span", axis, class_="rs-range") if axis else None
    direction = "asc" if not column.higher_is_better else "desc"
    arrow = None if column.higher_is_better else " ↓ lower is better"
    order = ("descending" if direction == "desc" else "ascending") if axis else None
    return el(
        "th",
        el("span", column.label, arrow, range_),
        scope="col",
        data_key=column.key,
        data_first=direction,
        class_="n",
        aria_sort=order,
        hidden=hidden,
    )


def _row(board: Board, row: BoardRow, facts: Sequence[str], scale: Scale, to: Addresses, at_first: frozenset[str]) -> Html:
    first = board.columns[0]
    shown = [
        _score(
            row.cells.get(column.key),
            scale if column is first or column.metric == AS_READERS else None,
            row,
            hidden=column.key not in at_first,
        )
        for column in board.columns
    ]
    place = el(
        "td",
        rank(row) if row.place else el("span", "–", title=row.why_unranked),
        class_="rs-rank",
        data_v=row.place.rank if row.place else "",
    )
    others = [el("td", _fact(row, name), hidden=name not in board.facts, data_v=FACTS[name](row)) for name in facts]
    return el(
        "tr",
        place,
        el("th", _name(board, row, to), scope="row", class_="rs-system", data_v=f"{row.name} {row.version}"),
        join(shown),
        join(others),
        class_=None if row.role is Role.SYSTEM else "rs-extra",
        data_id=row.id,
        data_evidence=row.grade.value,
        data_section=row.section,
        data_open=row.open_weights,
        data_trained=row.trained_on_cohort,
        data_since=row.created[:10],
        data_role=row.role.value,
    )


def _name(board: Board, row: BoardRow, to: Addresses) -> Html:
    link = el("a", person(row.name), href=to.tab("system", board, system=row.id))
    mark = el("span", row.role.value, class_="rs-mark") if row.role is not Role.SYSTEM else None
    version = el("span", person(row.version), class_="rs-minor") if row.version else None
    team = el("span", outward(row.link, person(row.organisation or "link")), class_="rs-minor") if row.organisation or row.link else None
    return join([part for part in (link, version, mark, team) if part], " ")


def _score(cell: Cell | None, scale: Scale | None, row: BoardRow, hidden: bool) -> Html:
    if cell is None:
        return el("td", el("span", "–", title="not computed"), class_="n", data_v="", hidden=hidden)
    value = number(cell)
    shown: Html | str = el("b", value) if cell.best else value
    ends = (
        el("span", f"[{cell.interval[0]:z.{DIGITS}f}, {cell.interval[1]:z.{DIGITS}f}]", class_="rs-minor")
        if scale and cell.interval
        else None
    )
    drawn = whisker(cell, scale, row.role is not Role.SYSTEM) if scale else None
    return el("td", shown, " " if ends else None, ends, drawn, class_="n", data_v=repr(cell.value), hidden=hidden)


def _fact(row: BoardRow, name: str) -> Html | str:
    value = FACTS[name](row)
    if name == "evidence":
        return el("span", value, title=MEANING[row.grade])
    return el("code", value) if name == "signature" else person(value) if name == "organisation" else value


def legend() -> Html:
    """How to read the table, for those who want to know."""
    items = [
        ("Rank", "1 + the number of ranked systems that are significantly better; in brackets the places that it may have"),
        ("Bold", "not significantly worse than the best ranked system under that score"),
        ("Interval", "95 %, over patients; the whisker draws it"),
        (
            "As readers would score",
            "the score corrected with pairs of reports that people read, with its 95 % interval; it changes no rank (see the tab Extractor)",
        ),
        ("Floor, ceiling", "reports without looking at a film, and the references themselves: what a score is worth next to them"),
        *((f"Evidence: {grade.value}", meaning) for grade, meaning in MEANING.items()),
    ]
    return el(
        "details",
        el("summary", "How to read this table"),
        el("dl", join(join([el("dt", name), el("dd", meaning)]) for name, meaning in items)),
        class_="rs-legend",
    )


def paper(rows: Sequence[BoardRow]) -> Html:
    """What the paper reported: another cohort, another extractor; beside the board, never in it."""
    lines = [[person(row.name), *(cell.value for cell in row.cells.values())] for row in rows]
    return el(
        "section",
        el("h3", "Reported in the paper"),
        el(
            "p",
            "3,000 MIMIC-CXR images, labels by the paper's language model. Not computed here, not comparable with the rows above, never ranked.",
        ),
        grid("Ran Score as the paper reports it", ["System", "Ran Score", "micro F1"], lines, hidden=True),
        el("p", rows[0].note, class_="rs-fine"),
        class_="rs-paper",
    )


def links(board: Board, to: Addresses) -> Html:
    """Links from every score of a board to its line."""
    listed = dict.fromkeys((column.metric, _address(column.metric)) for column in board.columns)
    return join(
        [
            el("span", "What each score sees: "),
            *(el("a", metric.partition("|")[0], href=f"{to.tab('sees', board)}#{target}") for metric, target in listed),
        ],
        " ",
    )


def _address(metric: str) -> str:
    name, *recipe = (part for part in metric.split("|") if not (part[:1] == "v" and part[1:].isdecimal()))
    spec = f"{name}:{'|'.join(recipe)}" if recipe else name
    return f"sees-{'zh' if 'zh' in recipe else 'en'}-{slug(spec)}"
