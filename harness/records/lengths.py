"""The length of every system's reports on a board, and its score at the references' length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.statistics.length_control import LengthControl


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """What a snapshot knows of length, under the score that ranks."""

    systems: Mapping[str, LengthControl] = field(default_factory=dict)
    """By record id; a record whose reports are not kept is absent."""
    unit: str = "words"
    """`words`, or `characters` in a language that puts no blanks between words."""
    between: float | None = None
    """Correlation over the systems, floors and ceilings left out, of score and logarithm of the mean length."""
