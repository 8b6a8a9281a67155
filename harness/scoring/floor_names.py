"""What the floors are, and the draw of the shuffled one: light, because the catalogue of generators reads it."""

from __future__ import annotations

import random
from collections.abc import Sequence

SUMMARIES = {
    "constant-normal": "one normal report for every study",
    "all-findings": "one report with every finding for every study",
    "shuffled-references": "another study's reference for every study",
}
"""By name of a floor what it is."""


def following(studies: Sequence[str], digest: str, seed: int = 0) -> dict[str, str]:
    """By study another one, drawn for a cohort: each is used once.

    Args:
        studies: Sorted by id.
        digest: The cohort's.
        seed: Number that decides the draw.
    """
    order = list(studies)
    random.Random(f"{digest}|{seed}").shuffle(order)  # noqa: S311 - not a secret
    return dict(zip(order, order[1:] + order[:1], strict=True))
