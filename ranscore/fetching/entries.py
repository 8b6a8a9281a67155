"""The catalogue: every entry with its address, revision, size, SHA-256, licence, and what may not be passed on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.errors import UsageError
from harness.registry import near

if TYPE_CHECKING:
    from generators.catalogue import System

RAW = "https://raw.githubusercontent.com"
FREE = ("MIT", "Apache-2.0", "BSD-3-Clause", "CC0", "GPL-3.0")
"""Licences that ask for nothing before a download; every other one is shown and accepted first."""


class EntryKind(StrEnum):
    """What an entry is, in the order of the list."""

    REPORTS = "reports"
    PREDICTIONS = "predictions"
    TABLES = "tables"
    FILMS = "films"
    PACK = "pack"
    WEIGHTS = "weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of an entry."""

    address: str
    path: str
    """Where it is put, in the entry's folder."""
    size: int | None = None
    """Bytes; None where nobody has said, until the first fetch."""
    sha256: str = ""
    """Empty where it is not known: what the first fetch gets is recorded, and later fetches must get the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a user may need from outside."""

    name: str
    kind: EntryKind
    what: str
    licence: str
    keep: str = ""
    """What may not be passed on, and how it may be used; empty where the licence leaves that free."""
    source: str = ""
    """The page that people read about it."""
    revision: str = ""
    """The commit that is fetched; empty where the source has none."""
    files: tuple[RemoteFile, ...] = ()
    hub: tuple[str, ...] = ()
    """Repositories of the Hub, each with `:FILE` where one file is enough; put into the Hub's cache, where the program looks."""
    how: str = ""
    """For what a program cannot fetch: why, and the way for a person. Beside `files` or `hub`, for the rest."""
    credentialed: bool = False
    """It holds text under a data-use agreement: it is never fetched here."""
    system: str = ""
    """Of predictions: the system that wrote them, as records name it."""
    cohort: str = ""
    """Of predictions: the cohort whose studies they are."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of predictions: by column of a reports file what the published file calls it, where that differs."""
    then: str = ""
    """The next command."""

    @property
    def must_accept(self) -> bool:
        """Whether the licence is shown and accepted before the first fetch."""
        return self.licence not in FREE


def catalogue() -> dict[str, Entry]:
    """Every entry by name, in the order of the list."""
    from generators.catalogue import catalogue as systems

    found = dict(_listed())
    for system in systems().values():
        if system.weights and system.name not in found:
            found[system.name] = _weights(system)
    order = list(EntryKind)
    return dict(sorted(found.items(), key=lambda item: order.index(item[1].kind)))


def find(name: str) -> Entry:
    """One entry.

    Raises:
        UsageError: There is no such entry.
    """
    known = catalogue()
    if name not in known:
        raise UsageError(f"there is no entry {name!r} in the catalogue{near(name, known)}. `ranscore fetch --list` shows all")
    return known[name]


@cache
def _listed() -> Mapping[str, Entry]:
    """The entries of `catalogue.json`."""
    rows = json.loads(files("ranscore.fetching").joinpath("catalogue.json").read_text(encoding="utf-8"))
    return {row["name"]: _entry(row) for row in rows}


def _entry(row: dict[str, object]) -> Entry:
    """An entry as the file has it; `github` is the repository, and the paths of `files` are paths in it."""
    row = dict(row)
    github, listed = row.pop("github", ""), row.pop("files", [])
    if not isinstance(listed, list):
        raise TypeError("files is a list")
    found = []
    for item in listed:
        inside = item.pop("in", "") if isinstance(item := dict(item), dict) else ""
        address = item.pop("address", f"{RAW}/{github}/{row.get('revision')}/{quote(inside)}")
        found.append(RemoteFile(address=address, path=item.pop("path", inside.rpartition("/")[2]), **item))
    if github:
        row["source"] = f"https://github.com/{github}"
    hub = row.pop("hub", [])
    return Entry(**{**row, "kind": EntryKind(str(row["kind"])), "files": tuple(found), "hub": tuple(hub)})  # type: ignore[arg-type]


def _weights(system: System) -> Entry:
    """What a report generator needs, from its own list of weights."""
    hub = tuple(dict.fromkeys(item.repository for item in system.weights if item.repository))
    rest = [item for item in system.weights if not item.repository]
    ways = "; ".join(f"{item.name}: {item.what} ({item.size}), from {item.source}" for item in rest)
    licences = ", ".join(dict.fromkeys(item.licence or "none stated" for item in system.weights))
    return Entry(
        name=system.name,
        kind=EntryKind.WEIGHTS,
        what=system.summary,
        licence=licences,
        source=system.paper,
        hub=hub,
        how=f"a person gets {ways}; then give --weights NAME=PATH" if ways else "",
        then=f"ranscore systems check {system.name}",
    )
