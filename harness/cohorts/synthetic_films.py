"""Films of the synthetic cohort."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cohorts.synthetic import Case


def draw_all(cases: Sequence[Case], folder: Path, seed: int) -> None:
    """Write a film for each image of each case."""
    raise NotImplementedError
