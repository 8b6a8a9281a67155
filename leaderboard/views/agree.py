"""Do the metrics agree? The order under Ran Score against the order under each other score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records.lengths import Lengths
from harness.types import Role
from leaderboard.board import Board, BoardRow, Column
from leaderboard.exports.plots import Slope, slopes
from leaderboard.html.addresses import Addresses
from leaderboard.html.markup import Html, el, grid, join, person
from leaderboard.views import length
from leaderboard.views.board import heading

MOST = 30
"""Rows in one plot; the table holds them all."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the board under two scores."""

    row: BoardRow
    values: tuple[float, float]
    positions: tuple[int, int]
    """1 is best; systems and floors together, so that boilerplate can be seen to climb."""

    @property
    def climbs(self) -> int:
        """Places gained under the second score."""
        return self.positions[0] - self.positions[1]


def standings(board: Board, first: Column, second: Column) -> tuple[Standing, ...]:
    """Everything but the ceiling that has both scores, best first under the first."""
    rows = [row for row in board.rows if row.role is not Role.CEILING and first.key in row.cells and second.key in row.cells]
    orders = []
    for column in (first, second):
        sign = -1 if column.higher_is_better else 1
        ordered = sorted(rows, key=lambda row: (sign * row.cells[column.key].value, row.name))
        orders.append({row.id: index for index, row in enumerate(ordered, 1)})
    found = [
        Standing(row, (row.cells[first.key].value, row.cells[second.key].value), (orders[0][row.id], orders[1][row.id])) for row in rows
    ]
    return tuple(sorted(found, key=lambda item: item.positions[0]))


def view(board: Board, others: Sequence[Board], to: Addresses, lengths: Lengths | None = None) -> Html:
    """The whole page: the usual form of each score first, its other forms behind a fold; then the length of reports, where it is known."""
    first = board.columns[0]
    found = [(column, listed) for column in board.columns[1:] if len(listed := standings(board, first, column)) > 1]
    minor = [pair for pair in found if pair[0].metric == first.metric or pair[0].part in {"bleu-1", "bleu-2", "bleu-3"}]
    main = [pair for pair in found if pair not in minor]
    main, minor = (main, minor) if main else (minor, [])
    folded = el("details", el("summary", "Other forms of these scores"), plots(first, minor)) if minor else None
    missing = el("p", "The records of this board hold no other score, or too few systems have one.")
    return el(
        "div",
        heading(board, others, "agree", to),
        el(
            "p",
            f"Each line is a system or a floor: its place by {first.label} on the left, by the other score on the right. "
            "A line that climbs is rewarded for something that is not findings.",
            class_="rs-lead",
        ),
        plots(first, main) if main else missing,
        folded,
        length.section(board, lengths) if lengths else None,
        class_="rs-view",
        data_board=board.key,
    )


def plots(first: Column, found: Sequence[tuple[Column, Sequence[Standing]]]) -> Html:
    """Sections side by side where there is room."""
    return el("div", join(section(first, column, listed) for column, listed in found), class_="rs-two-plots")


def section(first: Column, second: Column, found: Sequence[Standing]) -> Html:
    """One score against the first: a sentence, the slopes, the table."""
    marked = {item.row.id for item in worst(found)}
    shown = found if len(found) <= MOST else [*found[: MOST // 2], *found[-MOST // 2 :]]
    items = [
        Slope(
            f"{item.row.name} {item.row.version}".strip(),
            *_places(shown, item),
            f"{item.values[0]:z.3f}",
            f"{item.values[1]:z.3f}",
            item.row.role is Role.FLOOR,
            item.row.id in marked,
        )
        for item in shown
    ]
    lines = [
        [person(item.row.name), item.row.role.value, item.values[0], item.positions[0], item.values[1], item.positions[1], item.climbs]
        for item in found
    ]
    heads = ["System", "Role", first.label, f"place by {first.label}", second.label, f"place by {second.label}", "places gained"]
    return el(
        "section",
        el("h3", f"{second.label} against {first.label}"),
        el("p", sentence(first, second, found)),
        slopes(items, first.label, second.label),
        el("details", el("summary", "The same as a table"), grid(f"Places by {first.label} and by {second.label}", heads, lines)),
        class_="rs-agree",
    )


def _places(shown: Sequence[Standing], item: Standing) -> tuple[int, int]:
    """Positions among the rows that are drawn."""
    left = 1 + sum(other.positions[0] < item.positions[0] for other in shown)
    return left, 1 + sum(other.positions[1] < item.positions[1] for other in shown)


def kept(found: Sequence[Standing], item: Standing) -> tuple[float, float]:
    """Which share of the best system's score a row keeps, under each score."""
    best = [max((other.values[side] for other in found if other.row.role is Role.SYSTEM), default=0.0) for side in (0, 1)]
    one, other = (value / top if top > 0 else 0.0 for value, top in zip(item.values, best, strict=True))
    return one, other


def worst(found: Sequence[Standing], most: int = 2) -> list[Standing]:
    """Those that keep much more of the best system's second score than of its first: what boilerplate looks like."""
    gaps = {item.row.id: kept(found, item)[1] - kept(found, item)[0] for item in found}
    return [item for item in sorted(found, key=lambda item: -gaps[item.row.id])[:most] if gaps[item.row.id] > 0.25]


def sentence(first: Column, second: Column, found: Sequence[Standing]) -> Html:
    """How far the two agree, and who gains most."""
    from scipy import stats

    tau = float(stats.kendalltau([item.positions[0] for item in found], [item.positions[1] for item in found]).statistic)
    parts = [el("span", f"Kendall's tau {tau:+z.2f} over {len(found)} rows (1: the same order, 0: unrelated, -1: reversed). ")]
    for item in worst(found, 1) if second.higher_is_better else []:
        one, other = kept(found, item)
        places = f" is {ordinal(item.positions[0])} of {len(found)} by {first.label} and {ordinal(item.positions[1])} by {second.label}: "
        share = el("strong", f"{other:.0%} of the best system's {second.label}")
        parts.append(
            el(
                "span",
                el("strong", person(item.row.name)),
                places,
                f"it keeps {one:.0%} of the best system's {first.label}, and ",
                share,
                ".",
            )
        )
    return join(parts)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
