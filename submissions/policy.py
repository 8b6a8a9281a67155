"""What a board allows: limits, quotas and who extracts, as its `config.toml` says under `[door]`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one board. Every field may stand under `[door]`."""

    max_bytes: int = 8_000_000
    """Of an upload; a bigger one is refused unread."""
    seconds: float = 30.0
    """How long reading one upload may take."""
    memory: int = 3 << 30
    """Bytes of address space that reading one upload may take."""
    per_day: int = 2
    """Submissions of one person to one cohort within 24 hours; 0 for any number."""
    in_all: int = 20
    """Submissions of one person to one cohort; 0 for any number."""
    queue: int = 100
    """Submissions that may wait; further ones are turned away."""
    lease: float = 120.0
    """Seconds after which a worker that was not heard of has lost its submission."""
    attempts: int = 25
    """How often a submission is begun before it is given up."""
    retry: float = 60.0
    """Seconds before a submission is begun again after a failure that was not its own."""
    extractor: str = "lexical"
    """Who labels the reports."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the extractor takes: pack, mode, endpoint, model."""
    metrics: tuple[str, ...] = ()
    """Which metrics; empty for all that the worker's machine computes."""


def read(root: Path) -> Policy:
    """The policy of a board's folder; the defaults where it has no `config.toml`.

    Raises:
        InputError: The file is not TOML, or `[door]` holds an unknown key or a wrong kind of value.
    """
    path = root / "config.toml"
    if not path.is_file():
        return Policy()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("door", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"it is not TOML: {error}", "Mend it or move it away", str(path))) from None
    known = {item.name: item.default for item in fields(Policy)}
    problems = []
    for key, value in table.items():
        if key not in known:
            problems.append(Problem(f"[door] has no key {key!r}", f"It has {', '.join(known)}", str(path)))
        elif isinstance(known[key], int | float) and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            problems.append(Problem(f"[door] {key} is not a number from 0", "Write a number", str(path)))
    if problems:
        raise InputError(problems)
    if "metrics" in table:
        table["metrics"] = tuple(table["metrics"])
    return Policy(**table)
