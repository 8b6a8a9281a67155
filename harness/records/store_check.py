"""Every file of a store, read and held against the others: what is damaged, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from harness.errors import Problem, RanscoreError
from harness.metrics import metric
from harness.records import snapshot, stamps, store_events
from harness.records.record import MetricResult, tables_from_bytes
from harness.records.store import Store
from harness.records.store_events import Kept, Log
from harness.records.verify import of_rows
from harness.signature import spec_of
from harness.storage.stored import Source, content, exists
from harness.types import Rows

AHEAD = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""
SNAPSHOTS = 20
"""How many snapshots of each board are read, the newest first; older ones have no use."""
NEURAL = frozenset({"bertscore", "sembscore", "radcliq", "radgraph-f1"})
"""Metrics whose scores are not computed again here: loading them takes longer than everything else."""


def problems(store: Store) -> Iterator[Problem]:
    """Everything that is damaged."""
    log = store_events.read(store.root / "events")
    yield from _events(log)
    for path, kept in log.kept:
        yield from _scores(store, kept, path)
    for digest, path in {kept.reports: path for path, kept in log.kept if kept.reports}.items():
        yield from _reports(store, digest, path)
    for card in {kept.record.cohort.digest: kept.record.cohort for _, kept in log.kept}.values():
        if exists(store.patients_path(card)):
            yield from tried(lambda card=card: store.patients(card))  # type: ignore[misc]
    boards = {path.name.partition("-")[0] for path in snapshot.listed(store.root)}
    for path in [path for board in sorted(boards) for path in snapshot.listed(store.root, board)[:SNAPSHOTS]]:
        yield from tried(lambda path=path: snapshot.load(path))  # type: ignore[misc]


def ahead(store: Store, now: datetime) -> Iterator[Problem]:
    """The files whose stamps are in the future: a clock ran fast when they were written."""
    for path in [*(store.root / "events").glob("*.json"), *snapshot.listed(store.root)]:
        at = stamps.moment(path.name)
        if at and at > now + AHEAD:
            yield Problem(f"it was written at {at:%Y-%m-%d %H:%M} UTC, which is in the future", _remedy(path), str(path))


def _remedy(path: Path) -> str:
    if path.parent.name == "snapshots":
        return "Check the clock; then remove the snapshots of the future, and run `ranscore snapshot`"
    return "Check the clock; what is written now is still taken for newer"


def tried(load: Callable[[], object]) -> Iterator[Problem]:
    """What is wrong with a file that is read."""
    try:
        load()
    except RanscoreError as error:
        yield from error.problems


def _events(log: Log) -> Iterator[Problem]:
    whole = {kept.id for _, kept in log.kept}
    for path, error in log.damaged:
        again = store_events.tail(path.stem) in whole
        for problem in error.problems:
            yield replace(problem, remedy="Its record was written again, into another file: remove this one") if again else problem


def _scores(store: Store, kept: Kept, file: Path) -> Iterator[Problem]:
    """Whether a record's rows can be read, and give its scores."""
    path = store.rows_path(kept.record)
    if not exists(path):
        return
    try:
        # The archive's own checksums are enough here: the digest of all rows would take minutes on a large board.
        tables = tables_from_bytes(content(path, Source(str(path), "the rows", "Score the reports again")), str(path))
    except RanscoreError as error:
        yield from error.problems
        return
    wrong = [line for result, table in zip(kept.record.metrics, tables, strict=False) for line in _differences(result, table)]
    if wrong or len(tables) != len(kept.record.metrics):
        what = f"its scores are not those that its rows give ({len(wrong)} differ)"
        yield Problem(what, "Restore this file and its rows from a backup, or score the reports again", str(file))


def _differences(result: MetricResult, table: Rows) -> list[str]:
    if result.name in NEURAL:
        return []
    try:
        made = metric(spec_of(result.signature))
        same = result.signature.split("|")[:2] == [made.name, f"v{made.version}"] and table.values.shape[1] == len(made.columns)
        return of_rows(result, table) if same else []
    except RanscoreError:
        return []  # a metric that this machine does not have


def _reports(store: Store, digest: str, file: Path) -> Iterator[Problem]:
    path = store.reports_path(digest)
    if not exists(path):
        yield Problem("its reports are missing: it cannot be scored again", f"Restore {path.name} from a backup", str(file))
    else:
        yield from tried(lambda: store.reports_of(digest))
