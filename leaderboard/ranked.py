"""The boards of a store with the places of their newest snapshots."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import snapshot as snapshots
from harness.records.snapshot import Snapshot
from harness.records.store import Store, Stored, now
from leaderboard.board import Board, boards


def load(store: Store) -> tuple[Board, ...]:
    """Every board of a store; a board whose snapshot was not made yet has no ranks."""
    stored = store.all()
    return boards(stored, found(store, stored), now()[:10])


def found(store: Store, stored: Iterable[Stored]) -> dict[tuple[str, str], Snapshot]:
    """The newest snapshot of every board, by cohort digest and signature of the metric that ranks."""
    keys = sorted({(item.record.cohort.digest, item.record.metrics[0].signature) for item in stored if item.record.metrics})
    return {key: snapshot for key in keys if (snapshot := snapshots.newest(store.root, *key))}
