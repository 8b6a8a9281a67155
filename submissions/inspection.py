"""Every file of a board, read and held against the others, for `health`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from harness import cohorts
from harness.errors import Problem
from harness.records import store_check
from harness.records.store_check import AHEAD, tried
from harness.storage.stored import exists
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.ledger import LedgerFolder
from submissions.projection import at_odds

SETTLED = 3600.0
"""Seconds after which the store has followed the ledger."""


def problems(board_folder: BoardFolder) -> Iterator[Problem]:
    """Everything that is damaged in ledger, store and cohorts."""
    now = board_folder.ledger.state()
    for error in now.damage:
        yield from error.problems
    if isinstance(board_folder.ledger.ledger_files, LedgerFolder):
        names = {item.received.data["file"] for item in now.submissions.values() if item.state is not State.REJECTED}
        for name in sorted(names):
            yield from tried(lambda name=name: board_folder.ledger.ledger_files.blob(name))  # type: ignore[misc]
        for name in at_odds(board_folder, now, board_folder.ledger.clock() - SETTLED):
            yield Problem(f"the board does not show the submission {name} as the ledger says", "Run `ranscore worker --once`")
    yield from store_check.problems(board_folder.store)
    for path in cohorts.manifests(board_folder.root / "cohorts"):
        yield from _cohort(path)


def _cohort(manifest: Path) -> Iterator[Problem]:
    """What is wrong with a cohort; where its text is elsewhere, with its manifest."""
    if exists(manifest.with_name("text.jsonl")):
        yield from tried(lambda: cohorts.load(manifest.parent.absolute()))
    else:
        yield from tried(lambda: cohorts.load_manifest(manifest))


def ahead(board_folder: BoardFolder) -> Iterator[Problem]:
    """What a clock dated in the future."""
    now = datetime.fromtimestamp(board_folder.ledger.clock(), UTC)
    yield from store_check.ahead(board_folder.store, now)
    for item in board_folder.ledger.state().submissions.values():
        if any(event.at > board_folder.ledger.clock() + AHEAD.total_seconds() for event in item.events):
            what = f"the submission {item.id} has events of the future"
            yield Problem(what, "Check the clocks of the page and of the workers; it is scored and listed all the same")
