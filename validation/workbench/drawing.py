"""Rounds as a picture: accuracy and F1 of every finding, one small panel each. Pure; the table of `pack rounds` has the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from validation.workbench.rounds import RoundHistory

COLUMNS = 4
WIDE, HIGH = 290, 150
"""Pixels of one panel with the space around it."""
LEFT, TOP, PLOT_WIDE, PLOT_HIGH = 34, 34, 240, 84
"""Where the lines are inside a panel."""
HEAD = 64
LINES = (("accuracy", "a"), ("F1", "f"))
"""What is drawn, and the class of its line."""
STYLE = (
    "svg{color-scheme:light dark}"
    "text{font:11px system-ui,sans-serif;fill:#4b5a64}.t{font-weight:600;fill:#182228;font-size:12px}.h{font-size:15px}"
    ".p{fill:#ffffff}.g{stroke:#d5dde1}.a,.f{fill:none;stroke-width:1.6}.a{stroke:#0a6480}.f{stroke:#a8480b;stroke-dasharray:4 2}"
    "circle.a{fill:#0a6480}circle.f{fill:#ffffff;stroke-dasharray:none}"
    "@media(prefers-color-scheme:dark){text{fill:#a7b5bc}.t{fill:#e8eef0}.p{fill:#101619}.g{stroke:#2d3a40}"
    ".a{stroke:#63c5e0}.f{stroke:#f0a66b}circle.a{fill:#63c5e0}circle.f{fill:#101619}}"
)


def svg(name: str, history: RoundHistory) -> str:
    """A draft's rounds as a picture that can be saved.

    Args:
        name: The draft.
        history: Accuracy and F1 by finding and round.
    """
    rows = -(-len(history.findings) // COLUMNS)
    wide, high = COLUMNS * WIDE, HEAD + rows * HIGH
    title = f"{name}: accuracy and F1 of each finding over {len(history.numbers)} rounds"
    panels = (
        f'<g transform="translate({WIDE * (at % COLUMNS)} {HEAD + HIGH * (at // COLUMNS)})">{"".join(_panel(finding, values, history.numbers))}</g>'
        for at, (finding, values) in enumerate(history.findings.items())
    )
    head = f'<text class="t h" x="10" y="24">{escape(title)}</text>{_legend()}'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">'
        f'<title>{escape(title)}</title><style>{STYLE}</style><rect class="p" width="{wide}" height="{high}"/>{head}{"".join(panels)}</svg>\n'
    )


def _legend() -> str:
    drawn = []
    for at, (words, kind) in enumerate(LINES):
        x = 10 + 110 * at
        drawn.append(f'<path class="{kind}" d="M{x} 44H{x + 28}"/><circle class="{kind}" cx="{x + 14}" cy="44" r="3"/>')
        drawn.append(f'<text x="{x + 34}" y="48">{words}</text>')
    return "".join(drawn)


def _panel(finding: str, values: Sequence[tuple[float, float]], numbers: Sequence[int]) -> Iterator[str]:
    """Name, last values, axes and the two lines of one finding."""
    right, f1 = values[-1]
    yield f'<text class="t" x="{LEFT}" y="14">{escape(finding)}</text>'
    yield f'<text x="{LEFT}" y="27">accuracy {right:z.3f}, F1 {f1:z.3f}</text>'
    for end in (0.0, 0.5, 1.0):
        y = _y(end)
        yield f'<path class="g" d="M{LEFT} {y:g}H{LEFT + PLOT_WIDE}"/><text x="{LEFT - 5}" y="{y + 4:g}" text-anchor="end">{end:g}</text>'
    for at in sorted({0, len(numbers) - 1}):
        yield f'<text x="{_x(at, len(numbers)):g}" y="{TOP + PLOT_HIGH + 15}" text-anchor="middle">{numbers[at]}</text>'
    for which, (_, kind) in enumerate(LINES):
        places = [(_x(at, len(values)), _y(value[which])) for at, value in enumerate(values)]
        yield f'<path class="{kind}" d="M{" L".join(f"{x:g} {y:g}" for x, y in places)}"/>'
        yield from (f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="3"/>' for x, y in places)


def _x(at: int, count: int) -> float:
    return round(LEFT + PLOT_WIDE * (at / (count - 1) if count > 1 else 0.5), 1)


def _y(value: float) -> float:
    return round(TOP + PLOT_HIGH * (1 - value), 1)


def rows(history: RoundHistory) -> Mapping[str, list[str]]:
    """The same numbers as words, for a table: by finding one cell a round."""
    return {finding: [f"{right:z.3f} / {f1:z.3f}" for right, f1 in values] for finding, values in history.findings.items()}
