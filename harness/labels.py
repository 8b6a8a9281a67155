"""Label files (stub)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.types import Labels


def read(path: Path) -> dict[str, Labels]:
    """Read a label file by study id."""
    raise NotImplementedError


def write(path: Path, labels: Mapping[str, Labels]) -> None:
    """Write a label file, sorted by study id."""
    raise NotImplementedError
