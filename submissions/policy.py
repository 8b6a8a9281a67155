"""What a board allows: limits, quotas and who extracts, as its `config.toml` says under `[door]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import config

_DEFAULT = config.defaults("door")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of one board; `harness.config` has the meaning, the bounds and the default of each."""

    max_bytes: int = _DEFAULT["max_bytes"]
    seconds: float = _DEFAULT["seconds"]
    memory: int = _DEFAULT["memory"]
    per_day: int = _DEFAULT["per_day"]
    in_all: int = _DEFAULT["in_all"]
    queue: int = _DEFAULT["queue"]
    lease: float = _DEFAULT["lease"]
    attempts: int = _DEFAULT["attempts"]
    retry: float = _DEFAULT["retry"]
    extractor: str = _DEFAULT["extractor"]
    options: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = _DEFAULT["metrics"]


def read(root: Path) -> Policy:
    """The policy of a board's folder; the defaults where it has no `config.toml`.

    Raises:
        InputError: The file is not TOML, or holds something that is not read, or of a wrong kind.
    """
    table = config.table("door", root)
    return Policy(**{**table, "metrics": tuple(table["metrics"])})
