"""The embedded extractor (stub)."""

from __future__ import annotations

from harness.types import Extractor


def make() -> Extractor:
    """Make the embedded extractor."""
    raise NotImplementedError
