"""A damaged file of a store is found, left aside and written again where it can be; nothing that was withdrawn comes back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records import ranks, snapshot, store_check
from harness.records.store import Store
from harness.scoring.evaluation import Evaluation
from harness.storage.stored import SEAL
from harness.types import Grade
from tests.records.test_store import scored

REPORTS = {f"s{index}": "Clear lungs." for index in range(9)}
PATIENTS = {study: study for study in REPORTS}


def ranked(name: str, seed: int) -> Evaluation:
    made = scored(name, seed)
    return replace(made, record=replace(made.record, grade=Grade.SCORED_HERE))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two records with everything, and their ranks."""
    place = Store(tmp_path)
    for seed, name in enumerate(("A", "B"), 1):
        made = ranked(name, seed)
        place.add(made.record, made.rows, REPORTS, PATIENTS)
    for made_snapshot in ranks.make(place):
        snapshot.save(place.root, made_snapshot)
    assert not list(store_check.problems(place))
    return place


def edit(path: Path, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    """Change a file as an earlier version may have written it: without a seal."""
    data = json.loads(path.read_text())
    data.pop(SEAL, None)
    change(data)
    path.write_text(json.dumps(data))


def file(store: Store, name: str) -> Path:
    return Path(store.find(name).file)


def test_files_of_earlier_versions_are_read(store: Store) -> None:
    before, ranked_before = store.all(), snapshot.newest(store.root, *_board(store))
    for path in (*(store.root / "events").glob("*.json"), *snapshot.listed(store.root)):
        edit(path, lambda data: None)
    next((store.root / "patients").iterdir()).write_text(json.dumps(PATIENTS))
    assert store.all() == before and not list(store_check.problems(store))
    assert snapshot.newest(store.root, *_board(store)) == ranked_before
    assert store.patients(before[0].record.cohort) == PATIENTS


def _board(store: Store) -> tuple[str, str]:
    record = store.all()[0].record
    return record.cohort.digest, record.metrics[0].signature


def test_a_changed_headline_is_found_with_a_seal_and_without(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    path = file(store, "A")
    text = path.read_text()
    value = store.find("A").record.metrics[0].value
    at = text.index(repr(value)) + 2
    path.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}")
    assert [item.record.system.name for item in store.all()] == ["B"]
    assert f"{path.name}: the event cannot be read: it was changed since it was written" in caplog.text
    edit(path, lambda data: None)
    assert len(store.all()) == 2
    (problem,) = store_check.problems(store)
    assert problem.file == str(path) and "its scores are not those that its rows give (1 differ)" in problem.what


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["record"]["system"].__setitem__("name", "Z"),
        lambda data: data["record"].__setitem__("digest", "0" * 64),
        lambda data: data["record"].__setitem__("grade", "re-generated"),
        lambda data: data.__setitem__("id", "0" * 16),
        lambda data: data["record"]["metrics"][0].__setitem__("headline", "nothing"),
        lambda data: data["record"]["metrics"][0]["parts"].__setitem__("macro-f1", float("nan")),
        lambda data: data["record"]["counts"].__setitem__("studies", "9"),
        lambda data: data["record"].pop("cohort"),
        lambda data: data.__setitem__("event", "unknown"),
        lambda data: data.__setitem__("more", 1),
    ],
)
def test_an_event_without_a_seal_is_held_against_its_name_and_its_kinds(store: Store, change: Callable[[object], object]) -> None:
    path = file(store, "A")
    edit(path, change)
    assert [item.record.system.name for item in store.all()] == ["B"]
    (problem,) = store_check.problems(store)
    assert problem.file == str(path)


def test_a_withdrawal_that_cannot_be_read_still_withdraws(store: Store) -> None:
    store.withdraw("A", "a mistake")
    (path,) = (store.root / "events").glob("*.withdrawn.*.json")
    for data in (b"", b"[" * 99_999, bytes(50)):
        path.write_bytes(data)
        assert {item.record.system.name: bool(item.withdrawn) for item in store.all()} == {"A": True, "B": False}
        assert "the file with the reason cannot be read" in store.all()[0].withdrawn
    store.restore(store.all()[0].id)
    assert not store.all()[0].withdrawn
    (back,) = (store.root / "events").glob("*.restored.*.json")
    back.write_text("{")
    assert store.all()[0].withdrawn


def test_scoring_again_writes_again_what_is_damaged(store: Store) -> None:
    made, before = ranked("A", 1), store.find("A")
    damaged = [
        file(store, "A"),
        store.rows_path(before.record),
        store.reports_path(before.reports),
        store.patients_path(before.record.cohort),
    ]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="the rows cannot be read"):
        store.rows(before.record)
    with pytest.raises(StoreError, match="the file of reports cannot be read"):
        store.reports(before)
    with pytest.raises(StoreError, match="the list of patients cannot be read"):
        store.patients(before.record.cohort)
    assert {problem.file for problem in store_check.problems(store)} == {str(damaged[0])} | {str(path) for path in damaged[2:]}
    again = store.add(made.record, made.rows, REPORTS, PATIENTS)
    assert again == before and store.rows(made.record) and store.reports(again) == REPORTS and len(store.all()) == 2
    (problem,) = store_check.problems(store)
    assert problem.file == str(damaged[0]) and "remove this one" in problem.remedy
    damaged[0].unlink()
    assert not list(store_check.problems(store))


def test_a_record_whose_rows_are_damaged_takes_no_part_and_the_others_do(store: Store) -> None:
    path = store.rows_path(store.find("A").record)
    path.write_bytes(b"PK" + bytes(99))
    told: list[StoreError] = []
    (made,) = ranks.make(store, aside=told.append)
    assert made.without_rows == (store.find("A").id,) and made.metrics[0].ranked == (store.find("B").id,)
    assert path.name in str(told[0])


def test_a_list_of_patients_with_another_count_is_found(store: Store) -> None:
    path = store.patients_path(store.all()[0].record.cohort)
    odd: tuple[object, ...] = ({**PATIENTS, "s0": "s1"}, {**PATIENTS, "more": "x"}, {"s0": 1}, [])
    for patients in odd:
        path.write_text(json.dumps(patients))
        with pytest.raises(StoreError, match=path.name):
            store.patients(store.all()[0].record.cohort)


def test_a_changed_snapshot_gives_way_to_the_one_before(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    first = _newest(store)
    made = ranked("C", 3)
    store.add(made.record, made.rows, REPORTS, PATIENTS)
    (later,) = ranks.make(store)
    path = snapshot.save(store.root, later)
    assert _newest(store) == later.digest != first

    def swap(data: dict) -> None:  # type: ignore[type-arg]
        places = data["metrics"][0]["places"]["macro-f1"]
        some = sorted(places)[0]
        places[some] = {**places[some], "rank": places[some]["rank"] + 1}

    edit(path, swap)
    with caplog.at_level(logging.WARNING):
        assert _newest(store) == first
    assert f"{path.name}: the snapshot cannot be read: it was changed since it was written" in caplog.text
    again = snapshot.save(store.root, later)
    assert again != path and _newest(store) == later.digest and snapshot.listed(store.root)[0] == again


def _newest(store: Store) -> str:
    found = snapshot.newest(store.root, *_board(store))
    return found.digest if found else ""
