"""The boards of a store with the places of its newest snapshots."""

from __future__ import annotations

from harness.store import Store
from leaderboard.board import Board, boards


def load(store: Store) -> tuple[Board, ...]:
    """Every board of a store."""
    return boards(store.all())
