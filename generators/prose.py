"""What a model wrote, made fit for a reports file."""

from __future__ import annotations

from harness.reports import CONTROL


def printable(text: str) -> str:
    """Without the control and invisible characters that a reports file may not hold; models that spell bytes can write any."""
    return CONTROL.sub("", text)
