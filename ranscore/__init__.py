"""Ran Score for chest X-ray report generators: the Python interface.

Every name is imported from the module that defines it when it is first used, so that `import ranscore` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.cohorts import load as load_cohort
    from harness.ran_score import score_reports
    from harness.scoring.comparing import compare
    from harness.scoring.scorer import score
    from leaderboard.content import load_board
    from ranscore.ranking import rank
    from validation.extractors.as_readers import readers_score

__all__ = ["compare", "load_board", "load_cohort", "rank", "readers_score", "score", "score_reports"]

_PLACES = {
    "compare": "harness.scoring.comparing:compare",
    "load_board": "leaderboard.content:load_board",
    "load_cohort": "harness.cohorts:load",
    "readers_score": "validation.extractors.as_readers:readers_score",
    "rank": "ranscore.ranking:rank",
    "score": "harness.scoring.scorer:score",
    "score_reports": "harness.ran_score:score_reports",
}
"""By public name the place of its definition."""


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, _, attribute = _PLACES[name].partition(":")
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'ranscore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
