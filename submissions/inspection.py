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
from submissions.desk import Desk
from submissions.events import State
from submissions.ledger import LedgerFolder
from submissions.projection import at_odds

SETTLED = 3600.0
"""Seconds after which the store has followed the ledger."""


def problems(desk: Desk) -> Iterator[Problem]:
    """Everything that is damaged in ledger, store and cohorts."""
    now = desk.ledger.books()
    for error in now.damage:
        yield from error.problems
    if isinstance(desk.ledger.shelf, LedgerFolder):
        names = {item.received.data["file"] for item in now.submissions.values() if item.state is not State.REJECTED}
        for name in sorted(names):
            yield from tried(lambda name=name: desk.ledger.shelf.blob(name))  # type: ignore[misc]
        for name in at_odds(desk, now, desk.ledger.clock() - SETTLED):
            yield Problem(f"the board does not show the submission {name} as the ledger says", "Run `ranscore worker --once`")
    yield from store_check.problems(desk.store)
    for path in cohorts.manifests(desk.root / "cohorts"):
        yield from _cohort(path)


def _cohort(manifest: Path) -> Iterator[Problem]:
    """What is wrong with a cohort; where its text is elsewhere, with its manifest."""
    if exists(manifest.with_name("text.jsonl")):
        yield from tried(lambda: cohorts.load(manifest.parent.absolute()))
    else:
        yield from tried(lambda: cohorts.load_manifest(manifest))


def ahead(desk: Desk) -> Iterator[Problem]:
    """What a clock dated in the future."""
    now = datetime.fromtimestamp(desk.ledger.clock(), UTC)
    yield from store_check.ahead(desk.store, now)
    for item in desk.ledger.books().submissions.values():
        if any(event.at > desk.ledger.clock() + AHEAD.total_seconds() for event in item.events):
            what = f"the submission {item.id} has events of the future"
            yield Problem(what, "Check the clocks of the page and of the workers; it is scored and listed all the same")
