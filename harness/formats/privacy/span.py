"""What a rule finds."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("date", "name", "number", "contact", "place", "age")
"""Most trusted first: where two rules claim the same words, the earlier kind wins unless the later one claims more of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some words of a text."""

    kind: str
    """One of `KINDS`."""
    start: int
    end: int

    @property
    def size(self) -> int:
        """Characters."""
        return self.end - self.start
