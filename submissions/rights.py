"""Whoever else uses the machine reads no report: the folders of a board that hold text, or what follows from one, are its owner's alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import cohorts
from harness.errors import RanscoreError
from harness.storage import files
from harness.types import Access

PRIVATE = ("ledger", "store/reports", "store/rows", "store/patients", "hub")
"""Folders of a board that nobody else enters."""


def close_folders(root: Path) -> None:
    """Close the folders of a board, which is enough to keep others from their files; done whenever a board is opened."""
    for name in PRIVATE:
        files.close(root / name)


def close_files(root: Path) -> int:
    """Close the folders and every file in them, those of credentialed cohorts and the cache too.

    Returns:
        How many could be read by others until now.
    """
    return sum(map(files.close, _private(root)))


def _private(root: Path) -> Iterator[Path]:
    for place in (*(root / name for name in PRIVATE), *_credentialed(root)):
        # What a link names may be somebody else's.
        if not place.is_symlink():
            yield place
            yield from place.rglob("*")
    yield from (root / name for name in ("cache.db", "cache.db-wal", "cache.db-shm", "cache.key"))


def _credentialed(root: Path) -> Iterator[Path]:
    """The folders of cohorts that are not known to be open."""
    for path in (root / "cohorts").glob("*/"):
        try:
            open_to_all = cohorts.load_manifest(path / "manifest.json").access is Access.OPEN
        except RanscoreError:
            open_to_all = False
        if not open_to_all:
            yield path
