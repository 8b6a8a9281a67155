"""Ran Score for chest X-ray report generators: the Python interface.

Every name is imported from the module that defines it when it is first used, so that `import ranscore` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.ran_score import score_reports
    from harness.scoring.scorer import score

__all__ = ["score", "score_reports"]

_WHERE = {"score": "harness.scoring.scorer", "score_reports": "harness.ran_score"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'ranscore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
