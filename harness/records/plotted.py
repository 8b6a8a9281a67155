"""Scores with their intervals, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from harness.config.home import pip_install
from harness.errors import UnavailableError

COLOUR, QUIET = "#0b6e8a", "#7a868e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One score of a plot."""

    name: str
    value: float
    low: float
    high: float
    quiet: bool = False
    """Drawn grey: a floor, a ceiling, a finding of which nothing is claimed."""


def forest(points: Sequence[Point], caption: str, axes: Any = None) -> Any:
    """A dot and its interval for each score, the first on top.

    Args:
        points: The scores.
        caption: The title.
        axes: Axes of matplotlib to draw on; new ones by default.

    Returns:
        The axes.

    Raises:
        UnavailableError: matplotlib is not installed.
    """
    axes = axes or _axes(len(points))
    for place, point in enumerate(points):
        colour = QUIET if point.quiet else COLOUR
        axes.plot([point.low, point.high], [place, place], color=colour)
        axes.plot([point.value], [place], marker="o", color=colour)
    axes.set_yticks(range(len(points)), [point.name for point in points])
    axes.invert_yaxis()
    axes.set_title(fill(caption, 90), fontsize=8)
    return axes


def _axes(lines: int) -> Any:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise UnavailableError(f"a plot needs matplotlib, which is not installed. Run `{pip_install('plot')}`") from None
    figure, axes = pyplot.subplots(figsize=(7, 1.2 + 0.28 * lines))
    figure.set_layout_engine("tight")
    return axes
