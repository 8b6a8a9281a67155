"""The readers' standards that a board can show: what `readers settle` wrote, without text and without a name of a reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError
from harness.types import Json
from validation.readers import standard


@dataclass(frozen=True, slots=True)
class Standard:
    """One settled study."""

    name: str
    data: Json
    """Its `standard.json`."""

    @property
    def cohort(self) -> str:
        """Digest of its cohort."""
        return str(self.data["cohort"]["digest"])


def found(roots: Sequence[Path]) -> tuple[Standard, ...]:
    """Every settled standard below these folders, by name; one that was changed or damaged is left out."""
    standards: dict[str, Standard] = {}
    for path in files(roots):
        try:
            standards.setdefault(path.parent.name, Standard(path.parent.name, standard.load(path.parent)))
        except InputError:
            continue
    return tuple(standards[name] for name in sorted(standards))


def files(roots: Sequence[Path]) -> Iterator[Path]:
    """The files of all standards."""
    for root in roots:
        yield from sorted(root.glob("*/standard.json"))


def stamp(roots: Sequence[Path]) -> str:
    """Changes when a standard appears or changes."""
    return str([(path.parent.name, path.stat().st_mtime_ns) for path in files(roots)])
