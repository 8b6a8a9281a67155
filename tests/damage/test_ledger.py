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
from submissions import desk as desks
from submissions import moderation
from submissions.desk import Desk
from submissions.events import State, person_stream
from submissions.health import health
from submissions.intake import Upload, submit
from submissions.ledger import Ledger, LedgerFolder
from submissions.receipts import lines, receipt
from submissions.worker import Worker
from tests.submissions.conftest import cohort, desk, hand, reports

__all__ = ["cohort", "desk", "hand", "reports"]
Hand = Callable[..., Upload]


def again(desk: Desk) -> Desk:
    """The desk as another process sees it."""
    return replace(desks.at(desk.root), policy=desk.policy)


def file(desk: Desk, name: str, number: int = 1) -> Path:
    return desk.root / "ledger" / "events" / f"{name}.{number:04d}.json"


def test_an_event_in_the_place_of_another_is_no_event(desk: Desk, hand: Hand) -> None:
    ids = [submit(desk, hand(name, person=f"local:{name}")).id for name in ("Birch", "Elm")]
    Worker(desk).run(once=True)
    for one, other in (((ids[0], 1), (ids[1], 1)), ((ids[0], 5), (ids[0], 3)), ((ids[0], 1), (ids[0], 5)), ((ids[0], 2), (ids[0], 1))):
        good = file(desk, *one).read_bytes()
        shutil.copyfile(file(desk, *other), file(desk, *one))
        now = again(desk)
        assert any(file(desk, *one).name in line for line in health(now).damaged), (one, other)
        assert now.ledger.books().submissions[ids[1]].state is State.LISTED
        file(desk, *one).write_bytes(good)
    assert not health(again(desk)).damaged


def test_what_a_person_may_do_is_taken_as_forbidden_where_it_cannot_be_read(desk: Desk, hand: Hand) -> None:
    moderation.ban(desk, "local:ann", "spam")
    moderation.unban(desk, "local:ann", "a mistake")
    path = file(desk, person_stream("local:ann"), 2)
    path.write_text("{")
    now = again(desk)
    with pytest.raises(InputError, match="an entry about you cannot be read"):
        submit(now, hand())
    assert submit(now, hand("Elm", person="local:bob"))
    moderation.unban(now, "local:ann", "the file was damaged")
    assert submit(now, hand()) and file(desk, person_stream("local:ann"), 3).exists()


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(path.read_bytes()[:-9]), lambda path: path.unlink(), lambda path: path.write_text("")]
)
def test_reports_that_are_damaged_are_neither_rejected_nor_scored_and_the_same_file_mends_them(
    desk: Desk, hand: Hand, damage: Callable[[Path], object]
) -> None:
    clock = [desk.ledger.clock()]
    desk = replace(desk, ledger=Ledger(LedgerFolder(desk.root / "ledger"), lambda: clock[0]))
    name = submit(desk, hand()).id
    other = submit(desk, hand("Elm", person="local:bob", content=hand().content.replace(b"clear", b"well aerated"))).id
    path = desk.root / "ledger" / desk.ledger.books().submissions[name].received.data["file"]
    damage(path)
    for _ in range(2):
        Worker(desk).step()
    now = again(desk).ledger.books().submissions
    assert now[name].state is State.RECEIVED and now[name].last("failed") and now[other].state is State.LISTED
    assert any(path.name in line for line in health(desk).damaged)
    assert submit(desk, hand()).id == name
    clock[0] += 1000
    Worker(desk).run(once=True)
    assert again(desk).ledger.books().submissions[name].state is State.LISTED and not health(desk).damaged


def test_a_receipt_says_that_its_submission_is_damaged(desk: Desk, hand: Hand) -> None:
    name = submit(desk, hand()).id
    Worker(desk).run(once=True)
    file(desk, name, 3).write_text("{")
    found = receipt(again(desk), name)
    assert found["state"] == "damaged" and "until those who run the board have restored the file" in "\n".join(lines(found))
    file(desk, name, 1).write_text("{")
    with pytest.raises(StoreError, match=f"{name}.0001.json"):
        receipt(again(desk), name)


def test_files_without_a_seal_are_held_against_their_kinds(desk: Desk, hand: Hand) -> None:
    name = submit(desk, hand()).id
    Worker(desk).run(once=True)
    good = {path: json.loads(path.read_text()) for path in sorted((desk.root / "ledger" / "events").glob("*.json"))}
    for path, data in good.items():
        data.pop(SEAL)
        data.pop("event")
        path.write_text(json.dumps(data))
    assert again(desk).ledger.books() == desk.ledger.books() and not health(again(desk)).damaged
    changes: dict[int, dict[str, object]] = {
        1: {"card": {"name": 5}, "file": "../../etc/passwd", "person": None, "warnings": "x", "access": "secret", "code": 1},
        2: {"by": "nobody", "until": "later"},
        4: {"record": {"schema": 1}, "flags": [1]},
    }
    for number, fields in changes.items():
        for field, value in fields.items():
            path, data = file(desk, name, number), good[file(desk, name, number)]
            path.write_text(json.dumps({**data, "data": {**data["data"], field: value}}))
            assert path.name in health(again(desk)).damaged[0], (number, field)
            path.write_text(json.dumps(data))
    wrong: tuple[dict[str, object], ...] = ({"kind": "lis4ed"}, {"at": "x"}, {"data": []}, {"schema": 0}, {"more": 1})
    for change in wrong:
        path, data = file(desk, name, 5), good[file(desk, name, 5)]
        path.write_text(json.dumps({**data, **change}))
        assert path.name in health(again(desk)).damaged[0], change
        path.write_text(json.dumps(data))
    assert not health(again(desk)).damaged


def test_a_board_that_does_not_follow_its_ledger_is_named(desk: Desk, hand: Hand) -> None:
    clock = [desk.ledger.clock()]
    desk = replace(desk, ledger=Ledger(LedgerFolder(desk.root / "ledger"), lambda: clock[0]))
    name = submit(desk, hand()).id
    Worker(desk).run(once=True)
    (event,) = (desk.root / "store" / "events").glob("*.json")
    event.unlink()
    assert not health(desk).damaged
    clock[0] += 7200
    assert f"the board does not show the submission {name} as the ledger says. Run `ranscore worker --once`" in health(desk).damaged
    Worker(desk).run(once=True)
    assert not health(desk).damaged and len(desk.store.standing()) == 1
