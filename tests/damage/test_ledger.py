"""Damage of single files of a ledger: whose they are is set aside, and what can be written again is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError, StoreError
from harness.storage.stored import SEAL
from submissions import board_folder as board_folders
from submissions import moderation
from submissions.board_folder import BoardFolder
from submissions.events import State, person_stream
from submissions.health import health
from submissions.intake import Upload, submit
from submissions.ledger import Ledger, LedgerFolder
from submissions.receipts import lines, receipt
from submissions.worker import Worker
from tests.submissions.conftest import board_folder, cohort, hand, reports

__all__ = ["board_folder", "cohort", "hand", "reports"]
Hand = Callable[..., Upload]


def again(board_folder: BoardFolder) -> BoardFolder:
    """The board as another process sees it."""
    return replace(board_folders.at(board_folder.root), policy=board_folder.policy)


def file(board_folder: BoardFolder, name: str, number: int = 1) -> Path:
    return board_folder.root / "ledger" / "events" / f"{name}.{number:04d}.json"


def test_an_event_in_the_place_of_another_is_no_event(board_folder: BoardFolder, hand: Hand) -> None:
    ids = [submit(board_folder, hand(name, person=f"local:{name}")).id for name in ("Birch", "Elm")]
    Worker(board_folder).run(once=True)
    for one, other in (((ids[0], 1), (ids[1], 1)), ((ids[0], 5), (ids[0], 3)), ((ids[0], 1), (ids[0], 5)), ((ids[0], 2), (ids[0], 1))):
        good = file(board_folder, *one).read_bytes()
        shutil.copyfile(file(board_folder, *other), file(board_folder, *one))
        now = again(board_folder)
        assert any(file(board_folder, *one).name in line for line in health(now).damaged), (one, other)
        assert now.ledger.state().submissions[ids[1]].state is State.LISTED
        file(board_folder, *one).write_bytes(good)
    assert not health(again(board_folder)).damaged


def test_what_a_person_may_do_is_taken_as_forbidden_where_it_cannot_be_read(board_folder: BoardFolder, hand: Hand) -> None:
    moderation.ban(board_folder, "local:ann", "spam")
    moderation.unban(board_folder, "local:ann", "a mistake")
    path = file(board_folder, person_stream("local:ann"), 2)
    path.write_text("{")
    now = again(board_folder)
    with pytest.raises(InputError, match="an entry about you cannot be read"):
        submit(now, hand())
    assert submit(now, hand("Elm", person="local:bob"))
    moderation.unban(now, "local:ann", "the file was damaged")
    assert submit(now, hand()) and file(board_folder, person_stream("local:ann"), 3).exists()


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(path.read_bytes()[:-9]), lambda path: path.unlink(), lambda path: path.write_text("")]
)
def test_reports_that_are_damaged_are_neither_rejected_nor_scored_and_the_same_file_mends_them(
    board_folder: BoardFolder, hand: Hand, damage: Callable[[Path], object]
) -> None:
    clock = [board_folder.ledger.clock()]
    board_folder = replace(board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]))
    name = submit(board_folder, hand()).id
    other = submit(board_folder, hand("Elm", person="local:bob", content=hand().content.replace(b"clear", b"well aerated"))).id
    path = board_folder.root / "ledger" / board_folder.ledger.state().submissions[name].received.data["file"]
    damage(path)
    for _ in range(2):
        Worker(board_folder).step()
    now = again(board_folder).ledger.state().submissions
    assert now[name].state is State.RECEIVED and now[name].last("failed") and now[other].state is State.LISTED
    assert any(path.name in line for line in health(board_folder).damaged)
    assert submit(board_folder, hand()).id == name
    clock[0] += 1000
    Worker(board_folder).run(once=True)
    assert again(board_folder).ledger.state().submissions[name].state is State.LISTED and not health(board_folder).damaged


def test_a_receipt_says_that_its_submission_is_damaged(board_folder: BoardFolder, hand: Hand) -> None:
    name = submit(board_folder, hand()).id
    Worker(board_folder).run(once=True)
    file(board_folder, name, 3).write_text("{")
    found = receipt(again(board_folder), name)
    assert found["state"] == "damaged" and "until those who run the board have restored the file" in "\n".join(lines(found))
    file(board_folder, name, 1).write_text("{")
    with pytest.raises(StoreError, match=f"{name}.0001.json"):
        receipt(again(board_folder), name)


def test_files_without_a_seal_are_held_against_their_kinds(board_folder: BoardFolder, hand: Hand) -> None:
    name = submit(board_folder, hand()).id
    Worker(board_folder).run(once=True)
    good = {path: json.loads(path.read_text()) for path in sorted((board_folder.root / "ledger" / "events").glob("*.json"))}
    for path, data in good.items():
        data.pop(SEAL)
        data.pop("event")
        path.write_text(json.dumps(data))
    assert again(board_folder).ledger.state() == board_folder.ledger.state() and not health(again(board_folder)).damaged
    changes: dict[int, dict[str, object]] = {
        1: {"card": {"name": 5}, "file": "../../etc/passwd", "person": None, "warnings": "x", "access": "secret", "code": 1},
        2: {"by": "nobody", "until": "later"},
        4: {"record": {"schema": 1}, "flags": [1]},
    }
    for number, fields in changes.items():
        for field, value in fields.items():
            path, data = file(board_folder, name, number), good[file(board_folder, name, number)]
            path.write_text(json.dumps({**data, "data": {**data["data"], field: value}}))
            assert path.name in health(again(board_folder)).damaged[0], (number, field)
            path.write_text(json.dumps(data))
    wrong: tuple[dict[str, object], ...] = ({"kind": "lis4ed"}, {"at": "x"}, {"data": []}, {"schema": 0}, {"more": 1})
    for change in wrong:
        path, data = file(board_folder, name, 5), good[file(board_folder, name, 5)]
        path.write_text(json.dumps({**data, **change}))
        assert path.name in health(again(board_folder)).damaged[0], change
        path.write_text(json.dumps(data))
    assert not health(again(board_folder)).damaged


def test_a_board_that_does_not_follow_its_ledger_is_named(board_folder: BoardFolder, hand: Hand) -> None:
    clock = [board_folder.ledger.clock()]
    board_folder = replace(board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]))
    name = submit(board_folder, hand()).id
    Worker(board_folder).run(once=True)
    (event,) = (board_folder.root / "store" / "events").glob("*.json")
    event.unlink()
    assert not health(board_folder).damaged
    clock[0] += 7200
    assert f"the board does not show the submission {name} as the ledger says. Run `ranscore worker --once`" in health(board_folder).damaged
    Worker(board_folder).run(once=True)
    assert not health(board_folder).damaged and len(board_folder.store.standing()) == 1
