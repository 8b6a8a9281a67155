"""The extractor's error in the score: what readers would score, where that is known, and whether the order is safe. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records.as_readers import AsReaders, ReadingShare, warning
from leaderboard.board import Board
from leaderboard.html.markup import Html, el, grid, join, person

UNSURE = 0.95
"""An order that fewer draws of the error rates keep is listed."""
MOST = 20


def section(board: Board, known: AsReaders) -> Html:
    """The whole section."""
    return el(
        "section",
        el("h3", "The extractor's error in the score"),
        join(el("p", el("b", warning(name))) for name in board.unsafe),
        scores(board, known) if known.systems or known.ranges else None,
        reading(board, known) if known.systems else None,
        orders(board, known) if known.orders else None,
        el("p", join(el("span", text, " ") for text in notes(known)), class_="rs-fine"),
    )


def scores(board: Board, known: AsReaders) -> Html:
    """Score as computed, as readers would give it, and the modelled range."""
    rows = []
    for row in board.rows:
        own, modelled = known.system(row.id), known.range(row.id)
        if not own and not modelled:
            continue
        cell, found = row.cells.get(board.columns[0].key), own.parts.get(known.part) if own else None
        rows.append(
            [
                person(row.name),
                cell.value if cell else "–",
                f"{found.value:z.3f} [{found.low:z.3f}, {found.high:z.3f}]" if found else "–",
                own.pairs if own else "–",
                f"{modelled.low:z.3f} to {modelled.high:z.3f} (model, {modelled.findings} findings)" if modelled else "–",
            ]
        )
    heads = ["System", board.columns[0].label, "As readers would score", "Pairs read", "Range by a model"]
    return grid("Scores as computed and as readers would give them, with 95 % intervals", heads, rows)


def reading(board: Board, known: AsReaders) -> Html:
    """How well the extractor reads each system's reports."""
    shares = [("Original reports", known.originals)]
    shares += [(row.name, item.reading) for row in board.rows if (item := known.system(row.id))]
    rows = [[person(name), *_share(share)] for name, share in shares if share]
    heads = ["Reports of", "Reports", "Sensitivity", "Specificity", "p of the sensitivity", "p of the specificity"]
    return grid("How well the extractor reads them; p against the other systems, with Holm's correction", heads, rows)


def _share(share: ReadingShare) -> list[object]:
    p = [f"{share.p[kind]:z.3f}" if kind in share.p else "–" for kind in ("sensitivity", "specificity")]
    return [share.reports, f"{share.sensitivity:z.3f}", f"{share.specificity:z.3f}", *p]


def orders(board: Board, known: AsReaders) -> Html:
    """The pairs of ranked systems whose order the uncertainty of the error rates can turn round."""
    names = {row.id: row.name for row in board.rows if row.place}
    listed = [item for item in known.orders if {item.first, item.second} <= names.keys() and 1 - UNSURE < item.share < UNSURE]
    if not listed:
        return el(
            "p", f"By the model, the order of every two ranked systems stays the same in at least {UNSURE:.0%} of draws of the error rates."
        )
    listed.sort(key=lambda item: abs(item.share - 0.5))
    lines = [
        el("li", person(names[one.first]), " ahead of ", person(names[one.second]), f" in {one.share:.0%} of draws")
        for one in listed[:MOST]
    ]
    return el("div", el("p", f"By the model, the order of these pairs is open ({len(listed)} in all):"), el("ul", join(lines)))


def notes(known: AsReaders) -> Iterator[str]:
    """What is behind the numbers."""
    if known.systems:
        yield f"Read pairs {known.pairs[:12]}."
        yield "Ranks are those of the score as computed: what readers would score is shown beside it."
    if known.listed:
        yield "The studies that were read were chosen, not drawn: the correction is right only if they represent the others."
    if known.validation:
        yield (
            f"Range by a model, from validation {known.validation[:12]}: the lower end if both reports share every error of the extractor, the upper"
            " end if the errors are independent. It is over the findings with at least 10 positives in the validation."
        )
