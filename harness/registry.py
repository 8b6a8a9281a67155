"""Registries that other packages can add to: a name stands for `module:attribute`, which is imported only when it is asked for.

A package adds an entry with an entry point of the group `ranscore.metrics`, `ranscore.extractors`, `ranscore.generators` or
`ranscore.cohorts`; CONTRIBUTING.md shows each. A name of this project cannot be replaced.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module, metadata
from typing import Any

from harness.errors import Problem, UnavailableError, UsageError


@dataclass(frozen=True, slots=True)
class Registry(Mapping[str, str]):
    """By name `module:attribute`; the entries of this project first, then those of other packages, sorted."""

    kind: str
    """What an entry is, in the singular: `metric`."""
    own: Mapping[str, str]
    """The entries of this project."""

    def __getitem__(self, name: str) -> str:
        return self.own[name] if name in self.own else self.added[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self.own, *self.added))

    def __len__(self) -> int:
        return len(self.own) + len(self.added)

    @property
    def added(self) -> Mapping[str, str]:
        """The entries of other installed packages."""
        return {name: place for name, place in _entry_points(f"ranscore.{self.kind}s", tuple(sys.path)).items() if name not in self.own}

    def find(self, name: str) -> Any:
        """What an entry stands for, imported.

        Raises:
            UsageError: There is no such entry.
            UnavailableError: Another package added the entry, and it cannot be imported.
        """
        if name not in self:
            raise UsageError(f"there is no {self.kind} {name!r}{near(name, self)}; there are {', '.join(self)}")
        module, _, attribute = self[name].partition(":")
        try:
            loaded: Any = import_module(module)
            for part in attribute.split("."):
                loaded = getattr(loaded, part)
        except Exception as error:
            if name in self.own:
                raise
            what = f"the {self.kind} {name!r} of {module.partition('.')[0]} cannot be imported ({type(error).__name__})"
            raise UnavailableError(Problem(what, f"Repair or remove the package {module.partition('.')[0]}")) from error
        return loaded


@lru_cache(maxsize=16)
def _entry_points(group: str, path: tuple[str, ...]) -> Mapping[str, str]:
    """By name the place of every entry point of a group; `path` makes the cache follow `sys.path`."""
    return {item.name: item.value for item in sorted(metadata.entry_points(group=group), key=lambda item: item.name)}


def near(name: str, known: Mapping[str, Any]) -> str:
    """The end of a sentence that names the known name most like this one; empty where none is."""
    alike = get_close_matches(name.lower(), known, 1)
    return f"; did you mean {alike[0]!r}?" if alike else ""
