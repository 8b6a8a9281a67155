"""The embedded extractor: labels without a model, with the words that decided them."""

from __future__ import annotations

from harness.extractors.lexical.engine import Lexical

__all__ = ["Lexical", "make"]


def make() -> Lexical:
    """Make the embedded extractor; it has no options."""
    return Lexical()
