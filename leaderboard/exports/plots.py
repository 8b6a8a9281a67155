"""Plots as SVG strings: whiskers, a forest, dumbbells, slopes, a badge. Each is beside its table, and says nothing that is not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from harness.types import Role
from leaderboard.board import Board, BoardRow, Cell
from leaderboard.exports.tables import caption, number, rank, title
from leaderboard.html.markup import Html, el, join

WIDTH = 120
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2328}.m{fill:#5b6770}.l{stroke:#c9d1d6}.a{stroke:#0b6e8a;fill:#0b6e8a}"
    ".f{stroke:#7a868e;fill:#7a868e}"
)
"""The style of pictures that are saved; on the page the page's own style applies."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From scores to pixels."""

    top: float
    width: float
    left: float = 0.0

    def at(self, value: float) -> float:
        """Where a score is; what is beyond either end is drawn at the end."""
        return round(self.left + self.width * min(max(value / self.top, 0.0), 1.0), 1)


def top_of(cells: Sequence[Cell]) -> float:
    """The end of an axis that begins at 0: the next tenth above every score and interval, or the next whole number for large scores."""
    highest = max((cell.interval[1] if cell.interval else cell.value for cell in cells), default=1.0)
    return max(0.1, ceil(highest * 10 - 1e-9) / 10) if highest <= 1 else float(ceil(highest))


def whisker(cell: Cell, scale: Scale, quiet: bool = False) -> Html:
    """A score as a dot with its interval, small enough for a table's cell; the numbers are beside it.

    One element whose background draws all of it: a thousand small pictures take a browser twice as long for its layout.
    """
    low, high = cell.interval or (cell.value, cell.value)
    drawn = f"--low:{scale.at(low):g};--high:{scale.at(high):g};--dot:{scale.at(cell.value):g}"
    return el("span", class_="rs-whisker rs-quiet" if quiet else "rs-whisker", style=drawn, aria_hidden="true")


def forest(board: Board) -> Html:
    """The board's first score as a figure that can be used in a paper: names, dots, intervals, numbers, axis, caption."""
    column = board.columns[0] if board.columns else None
    listed = [(row, cell) for row in board.rows if column and (cell := row.cells.get(column.key))]
    scale = Scale(top_of([cell for _, cell in listed]), 320, 260)
    height = 26 * len(listed) + 96
    lines = [_forest_line(row, cell, scale, 40 + 26 * index) for index, (row, cell) in enumerate(listed)]
    foot = 40 + 26 * len(listed)
    ticks = [_tick(scale, scale.top * step / 5, foot) for step in range(6)]
    head = el("text", f"{column.label if column else ''} on {board.cohort.name}", x=10, y=20, font_weight="600")
    words = [
        el("text", line, x=10, y=foot + 36 + 14 * at, class_="m", font_size="10") for at, line in enumerate(_lines(caption(board), 120))
    ]
    return el(
        "svg",
        el("title", f"{board.cohort.name}: {column.label if column else 'no score'} with 95 % intervals"),
        Html(f"<style>{STYLE}</style>"),
        el("rect", width=760, height=height + 14 * len(words), fill="#ffffff"),
        head,
        join(ticks),
        join(lines),
        join(words),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 760 {height + 14 * len(words)}",
        width=760,
        role="img",
    )


def _forest_line(row: BoardRow, cell: Cell, scale: Scale, y: float) -> Html:
    low, high = cell.interval or (cell.value, cell.value)
    kind = "a" if row.role is Role.SYSTEM else "f"
    name = title(row) if len(title(row)) <= 34 else title(row)[:33] + "…"
    return el(
        "g",
        el("text", rank(row), x=10, y=y + 4, class_="m"),
        el("text", name, x=64, y=y + 4),
        el("line", x1=scale.at(low), x2=scale.at(high), y1=y, y2=y, class_=kind, stroke_width=2),
        el("circle", cx=scale.at(cell.value), cy=y, r=4, class_=kind),
        el("text", number(cell, True), x=595, y=y + 4),
    )


def _tick(scale: Scale, value: float, foot: float) -> Html:
    x = scale.at(value)
    line = el("line", x1=x, x2=x, y1=28, y2=foot - 8, class_="l")
    return join([line, el("text", f"{value:.2g}", x=x, y=foot + 8, class_="m", text_anchor="middle", font_size="11")])


def _lines(words: str, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        lines = [*lines, word] if len(lines[-1]) + len(word) >= width else [*lines[:-1], f"{lines[-1]} {word}".strip()]
    return lines


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """One finding of two systems."""

    name: str
    first: float
    second: float
    few: bool
    """Too few positives to claim anything."""
    better: int
    """1 where the first is significantly better, -1 where the second is, 0 where neither."""


def dumbbells(items: Sequence[Dumbbell], first: str, second: str) -> Html:
    """Two systems' scores, finding by finding; a filled dot is the first, a ring the second, a thick line a significant difference.

    Boxes, not a picture: names and dots keep their size on a narrow screen.
    """
    ticks = el("span", join(el("span", f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)), class_="rs-ticks")
    lines = [el("span"), ticks]
    for item in items:
        kind = "rs-few" if item.few else "rs-sure" if item.better else None
        low, high = sorted((item.first, item.second))
        places = f"--first:{item.first:.4f};--second:{item.second:.4f};--low:{low:.4f};--high:{high:.4f}"
        dots = join([el("i", class_="rs-bar"), el("i", class_="rs-ring"), el("i", class_="rs-dot")])
        lines += [el("span", item.name, class_=kind), el("span", dots, class_=f"rs-track {kind or ''}".strip(), style=places)]
    label = f"F1 by finding: {first} filled, {second} as a ring; the table has the numbers"
    return el("div", join(lines), class_="rs-bells", role="img", aria_label=label)


@dataclass(frozen=True, slots=True)
class Slope:
    """One row of the board under two scores."""

    name: str
    left: int
    """Position under the first score, 1 is best."""
    right: int
    left_text: str
    right_text: str
    floor: bool
    marked: bool
    """Whether it is one of those that the two scores disagree about most."""


def slopes(items: Sequence[Slope], left: str, right: str) -> Html:
    """Positions under two scores as lines: where they cross, the scores disagree. Names are beside the lines and keep their size."""
    lines = [
        el("line", x1=0, x2=100, y1=24 * item.left - 12, y2=24 * item.right - 12, class_=f"rs-bar {_kind(item)}".strip()) for item in items
    ]
    drawn = el("svg", join(lines), viewBox=f"0 0 100 {24 * len(items)}", preserveAspectRatio="none", aria_hidden="true", focusable="false")
    ends = [
        el("div", el("b", title), join(_end(item, text) for item, text in listed), class_=f"rs-ends-{side}")
        for side, title, listed in (
            ("left", left, [(item, item.left_text) for item in sorted(items, key=lambda item: item.left)]),
            ("right", right, [(item, item.right_text) for item in sorted(items, key=lambda item: item.right)]),
        )
    ]
    label = f"Order by {left} against order by {right}; the table has the numbers"
    return el("div", ends[0], drawn, ends[1], class_="rs-slopes", role="img", aria_label=label, style=f"--rows:{len(items)}")


def _kind(item: Slope) -> str:
    return " ".join(["rs-floor"] * item.floor + ["rs-marked"] * item.marked)


def _end(item: Slope, text: str) -> Html:
    name = el("span", el("bdi", item.name), class_="rs-name", title=item.name)
    return el("span", name, el("span", text, class_="rs-value"), el("i", class_="rs-dot"), class_=_kind(item) or None)


def badge(label: str, value: str) -> Html:
    """A small picture for a README: label left, value right."""
    left, right = 14 + 7 * len(label), 14 + 7 * len(value)
    return el(
        "svg",
        el("title", f"{label}: {value}"),
        el("rect", width=left + right, height=22, rx=4, fill="#0b6e8a"),
        el("rect", width=left, height=22, rx=4, fill="#30383d"),
        el("rect", x=left - 4, width=4, height=22, fill="#30383d"),
        el("text", label, x=7, y=15, fill="#ffffff", font_family="Verdana,DejaVu Sans,sans-serif", font_size="11"),
        el("text", value, x=left + 7, y=15, fill="#ffffff", font_family="Verdana,DejaVu Sans,sans-serif", font_size="11"),
        xmlns="http://www.w3.org/2000/svg",
        width=left + right,
        height=22,
        role="img",
    )
