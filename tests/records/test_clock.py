"""A clock that ran fast, or slow, decides nothing: what came later is newer, and `health` names the files that are dated in the future."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.records import ranks, snapshot, stamps, store, store_check
from harness.records.store import Store, newest
from harness.storage.stored import seal
from harness.types import Cohort, SystemCard
from leaderboard.content import load
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.health import health
from submissions.intake import Upload, submit
from submissions.ledger import Ledger, LedgerFolder
from submissions.worker import Worker
from tests.records.test_store import scored
from tests.submissions.conftest import board_folder, cohort, hand, reports

__all__ = ["board_folder", "cohort", "hand", "reports"]
Hand = Callable[..., Upload]
YEARS = timedelta(days=3650)


def test_stamps_sort_as_files_were_written_whatever_the_clock_says() -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
    names = ["20260501T120000Z-aa.json", "20360101T000000.000000Z-bb.json", "no stamp.json", "20261399T000000Z-wrong.json"]
    assert stamps.next_stamp([], now) == "20260501T120000.000000Z"
    assert stamps.next_stamp(names[:1], now) == "20260501T120000.000001Z"
    after = stamps.next_stamp(names, now)
    assert after == "20360101T000000.000001Z"
    later = stamps.next_stamp([*names, f"{after}-cc.json"], now)
    assert sorted([*names[:2], f"{after}-cc.json", f"{later}-dd.json"], key=stamps.key)[-1] == f"{later}-dd.json"
    # Without microseconds is before them, though Z sorts after the point.
    assert stamps.key("20260501T120000Z") < stamps.key("20260501T120000.5Z".replace(".5", ".500000"))
    assert stamps.moment("x-20260501T120000Z-y") == now and stamps.moment("x") is None
    assert stamps.next_stamp(["99991231T235959.999999Z"], now) == "20260501T120000.000000Z"


def test_the_newest_version_is_the_one_that_arrived_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Store(tmp_path)
    first, second, third = (scored("A", seed).record for seed in (1, 2, 3))

    class Fast(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Any:
            return datetime.now(UTC) + YEARS

    with monkeypatch.context() as patch:
        patch.setattr(store, "datetime", Fast)
        place.add(replace(first, created=store.now()))
    assert place.all()[0].record.created > "2030"
    for record, version in ((second, "2"), (third, "3")):
        kept = place.add(replace(record, created=store.now(), system=SystemCard("A", version=version)))
        assert [item.id for item in newest(place.all())] == [kept.id] and place.find("A").id == kept.id
    place.withdraw(kept.id, "a mistake")
    assert place.find("A").record.system.version == "2"
    assert all("in the future" in str(problem) for problem in store_check.ahead(place, datetime.now(UTC)))
    assert len(list(store_check.ahead(place, datetime.now(UTC)))) == 4


@pytest.mark.parametrize("ahead", [YEARS, timedelta(days=1), timedelta(minutes=10)])
def test_a_snapshot_of_the_future_keeps_nobody_from_the_ranks(board_folder: BoardFolder, hand: Hand, ahead: timedelta) -> None:
    submit(board_folder, hand("Birch"))
    Worker(board_folder).run(once=True)
    later = (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    (made,) = ranks.make(board_folder.store, created=later, alpha=0.01)
    wrong = snapshot.save(board_folder.store.root, made)
    assert snapshot.listed(board_folder.store.root)[0] == wrong
    submit(board_folder, hand("Elm", person="local:bob"))
    Worker(board_folder).run(once=True)
    (board,) = load(board_folder.store)
    assert {row.name: bool(row.place) for row in board.rows} == {"Birch": True, "Elm": True}
    assert snapshot.listed(board_folder.store.root)[0] != wrong
    found = health(board_folder)
    assert any(wrong.name in line and "in the future" in line for line in found.alarms)
    for path in snapshot.listed(board_folder.store.root):
        moment = stamps.moment(path.name)
        if moment and moment > datetime.now(UTC) + timedelta(minutes=1):
            path.unlink()
    Worker(board_folder).run(once=True)
    (board,) = load(board_folder.store)
    assert all(row.place for row in board.rows) and not health(board_folder).ahead


def test_a_clock_that_ran_fast_blocks_no_submission_and_no_claim(board_folder: BoardFolder, hand: Hand, cohort: Cohort) -> None:
    clock = [datetime.now(UTC).timestamp() + YEARS.total_seconds()]
    fast = replace(board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]))
    ids = []
    for number in range(2):
        ids.append(submit(fast, hand("Birch", card=SystemCard("Birch", version=str(number)))).id)
        clock[0] += 1
    claim = Worker(fast, who="another.machine:1:00000000")._claim()
    assert claim and claim.stream == ids[0]
    # The clock is put right: quota, claims and pauses are those of today.
    board_folder = board_folders.at(board_folder.root)
    third = submit(board_folder, hand("Birch", card=SystemCard("Birch", version="3"))).id
    assert Worker(board_folder).run(once=True) == 3
    assert {name: item.state for name, item in board_folder.ledger.state().submissions.items()} == dict.fromkeys(
        [*ids, third], State.LISTED
    )
    assert sum(name in line and "future" in line for line in health(board_folder).alarms for name in ids) == 2


def test_times_that_are_none_are_damage(board_folder: BoardFolder, hand: Hand) -> None:
    name = submit(board_folder, hand()).id
    path = board_folder.root / "ledger" / "events" / f"{name}.0001.json"
    good = json.loads(path.read_text())
    for at in (1e308, -1.0, 10**30, "now", None, True, [1]):
        path.write_text(json.dumps(seal({**good, "at": at})))
        again = board_folders.at(board_folder.root)
        assert again.ledger.state().submissions == {} and path.name in health(again).damaged[0]
