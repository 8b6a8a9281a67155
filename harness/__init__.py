"""Ran Score for chest X-ray report generators: the harness.

`from harness import score` is the one function most programs need; it is imported only when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.scoring import score

__all__ = ["score"]


def __getattr__(name: str) -> Any:
    if name == "score":
        from harness.scoring import score

        return score
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
