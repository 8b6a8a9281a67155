"""A worker goes on whatever fails: a full or read-only disk, a damaged file, a fault of the program; health and receipts say the truth.

The disks are real ones, small and in memory; mounting them needs the rights to do so.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise, repeat
from pathlib import Path

import pytest

from harness import cohorts
from harness.errors import InputError, RanscoreError, StoreError, UnavailableError
from harness.scoring import scorer
from harness.types import Cohort
from leaderboard.content import load
from ranscore.commands import main
from submissions import beats, moderation
from submissions import board_folder as board_folders
from submissions.beats import Beat
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.health import health, lines
from submissions.intake import Upload, look, submit, withdraw
from submissions.policy import Policy
from submissions.receipts import lines as receipt_lines
from submissions.receipts import receipt
from submissions.trouble import words
from submissions.worker import Worker

Hand = Callable[..., Upload]
POLICY = "[door]\nper_day = 0\nin_all = 0\nretry = 0.1\nattempts = 3\nlease = 5\n"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a disk cannot be mounted here: that needs the rights of root")
    yield place
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=False, capture_output=True)
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture
def board(cohort: Cohort, tmp_path: Path) -> BoardFolder:
    return made(cohort, tmp_path / "board")


def made(cohort: Cohort, root: Path) -> BoardFolder:
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    (root / "config.toml").write_text(POLICY)
    return board_folders.at(root)


@contextmanager
def at_work(board_folder: BoardFolder) -> Iterator[threading.Thread]:
    """A worker in a thread of its own, as the page has one."""
    stop, worker = threading.Event(), Worker(board_folder)
    thread = threading.Thread(target=worker.run, kwargs={"poll": 0.05, "stop": stop})
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that has to come."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come in a minute"
        time.sleep(0.05)


def state(board_folder: BoardFolder, name: str) -> State:
    return board_folder.ledger.state().submissions[name].state


def fill(place: Path) -> Path:
    """Fill a disk to the last byte."""
    full = place / "full"
    with pytest.raises(OSError, match="No space left"), full.open("wb", buffering=0) as stream:
        stream.writelines(repeat(b"0" * 4096, 100_000))
    return full


# --- disks ---


def test_a_full_disk_turns_visitors_away_with_a_message_and_ends_no_worker(disk: Path, cohort: Cohort, hand: Hand) -> None:
    board_folder = made(cohort, disk / "board")
    receipts = [submit(board_folder, hand(name)) for name in ("A", "B", "C")]
    full = fill(disk)
    with at_work(board_folder) as thread:
        with pytest.raises(UnavailableError, match=r"cannot take anything just now \(No space left on device\)"):
            submit(board_folder, hand("D"))
        time.sleep(2)
        assert thread.is_alive()
        full.unlink()
        until(lambda: all(state(board_folder, item.id) is State.LISTED for item in receipts), 120)
        again = submit(board_folder, hand("D"))
        until(lambda: state(board_folder, again.id) is State.LISTED)
    found = board_folder.ledger.state().submissions
    assert {item.card.name for item in found.values()} == {"A", "B", "C", "D"}
    assert all(sum(event.kind == "scored" for event in item.events) == 1 for item in found.values())
    assert not list(disk.rglob("*.part"))


def test_a_disk_that_is_read_only_for_a_while_ends_no_worker(disk: Path, cohort: Cohort, hand: Hand) -> None:
    board_folder = made(cohort, disk / "board")
    first = submit(board_folder, hand("A"))
    with at_work(board_folder) as thread:
        until(lambda: state(board_folder, first.id) is State.LISTED)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(UnavailableError, match=r"Read-only file system"):
            submit(board_folder, hand("B"))
        with pytest.raises(UnavailableError, match=r"Read-only file system"):
            withdraw(board_folder, first.id, "", code=first.code)
        time.sleep(1)
        assert thread.is_alive()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        second = submit(board_folder, hand("B"))
        until(lambda: state(board_folder, second.id) is State.LISTED)


def test_a_worker_killed_on_a_full_disk_leaves_its_work_to_the_next(disk: Path, cohort: Cohort, hand: Hand) -> None:
    board_folder = made(cohort, disk / "board")
    name = submit(board_folder, hand("A")).id
    full = fill(disk)
    process = multiprocessing.get_context("fork").Process(target=lambda: Worker(board_folders.at(board_folder.root)).run(poll=0.05))
    process.start()
    time.sleep(1.5)
    assert process.is_alive()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    full.unlink()
    Worker(board_folder).run(once=True)
    assert state(board_folder, name) is State.LISTED and [row.name for made in load(board_folder.store) for row in made.rows] == ["A"]


# --- damage and faults ---


def test_one_damaged_file_is_set_aside_and_blocks_nobody(board: BoardFolder, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = submit(board, hand("A")), submit(board, hand("B", content=hand().content.replace(b"normal", b"usual")))
    path = board.root / "ledger" / board.ledger.state().submissions[bad.id].received.data["file"]
    whole = path.read_bytes()
    path.unlink()
    with at_work(board):
        until(lambda: state(board, good.id) is State.LISTED)
        until(lambda: state(board, bad.id) is State.SET_ASIDE)
    assert board.ledger.state().waiting == ()
    assert receipt(board, bad.id)["words"].startswith("set aside: it is kept") and receipt(board, bad.id)["waits_for"] == ""
    assert path.name not in json.dumps(receipt(board, bad.id))
    assert health(board).aside == (bad.id,) and any(
        "`ranscore moderate resume ID`" in line and bad.id in line for line in health(board).alarms
    )
    assert f"ranscore worker: {bad.id} failed: " in capsys.readouterr().err
    path.write_bytes(whole)
    assert main(["moderate", "resume", bad.id, "--reason", "restored", "--board", str(board.root)]) == 0
    Worker(board).run(once=True)
    assert state(board, bad.id) is State.LISTED and health(board).aside == ()
    assert main(["moderate", "resume", bad.id, "--reason", "again", "--board", str(board.root)]) == 2


def test_what_is_scored_but_cannot_be_listed_is_set_aside_as_well(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    from submissions import projection

    bad, good = submit(board, hand("A")), submit(board, hand("B"))
    whole = projection._stand

    def stand(board_folder: BoardFolder, stored: object, item: object, record: object) -> bool:
        if item.id == bad.id:  # type: ignore[attr-defined]
            raise ValueError("quotes a report")
        return whole(board_folder, stored, item, record)  # type: ignore[arg-type]

    monkeypatch.setattr(projection, "_stand", stand)
    with at_work(board):
        until(lambda: state(board, good.id) is State.LISTED and state(board, bad.id) is State.SET_ASIDE)
    assert b"quotes" not in b"".join(path.read_bytes() for path in (board.root / "ledger" / "events").iterdir())
    monkeypatch.undo()
    moderation.resume(board, bad.id, "mended")
    Worker(board).run(once=True)
    assert state(board, bad.id) is State.LISTED and len(board.store.standing()) == 2


class OddError(Exception):
    """An exception of no known kind."""


@pytest.mark.parametrize("error", [OSError(28, "x"), StoreError("damaged"), ValueError("text of a report"), OddError("text"), MemoryError(), RecursionError(), AssertionError("text"), StopIteration()])  # fmt: skip
@pytest.mark.parametrize("where", ["step", "tidy", "_rank"])
def test_no_exception_of_a_round_ends_the_worker(
    board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str, error: Exception
) -> None:
    name = submit(board, hand("A")).id
    whole, left = getattr(Worker, where), [2]

    def failing(self: Worker, *given: object, **named: object) -> object:
        if left[0]:
            left[0] -= 1
            raise error
        return whole(self, *given, **named)

    monkeypatch.setattr(Worker, where, failing)
    monkeypatch.setattr("submissions.trouble.LONGEST_PAUSE", 0.2)
    with at_work(board) as thread:
        until(lambda: left[0] == 0 and state(board, name) is State.LISTED and load(board.store))
        assert thread.is_alive()
    said = capsys.readouterr().err
    assert f"failed: {words(error)}; again in" in said and "text" not in said and "Traceback" not in said


def test_an_idle_worker_reads_the_store_when_something_landed_and_seldom_else(
    board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(board, hand("A"))
    worker, rounds = Worker(board), 0
    worker.run(once=True)
    whole = Worker.tidy
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)  # so that no time has passed

    def counted(self: Worker) -> None:
        nonlocal rounds
        rounds += 1
        whole(self)

    monkeypatch.setattr(Worker, "tidy", counted)
    worker._order_at = 6.0
    for _ in range(3):
        worker._keep_order()
    settled = rounds
    assert settled <= 1  # what it did itself is looked at once
    (standing,) = board.store.standing()
    board.store.withdraw(standing.id, "by hand")
    worker._order_at = 6.0
    worker._keep_order()
    assert rounds == settled + 1
    worker._order_at = 5.0
    worker._keep_order()
    assert rounds == settled + 2


def test_a_worker_that_cannot_say_that_it_lives_works_all_the_same(board: BoardFolder, hand: Hand) -> None:
    name = submit(board, hand("A")).id
    (board.root / "workers").write_text("a file where a folder belongs")
    (board.root / "progress").write_text("here too")
    with at_work(board):
        until(lambda: state(board, name) is State.LISTED)
    assert health(board).workers == 0


def test_a_failure_says_the_kind_and_the_receipt_and_no_text(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    name = submit(board, hand("A")).id

    def broken(*_: object, **__: object) -> None:
        raise ValueError("the left lung is clear")

    monkeypatch.setattr(scorer, "score", broken)
    Worker(board).step()
    assert capsys.readouterr().err == f"ranscore worker: {name} failed: ValueError\n"
    assert receipt(board, name)["waits_for"] == "a worker; none is at work just now"
    beats.write(board, Beat(who=f"{Worker(board).who}", at=time.time()))
    assert receipt(board, name)["waits_for"] == "another attempt; the last one failed"


def test_once_ends_with_a_message_and_no_traceback(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    submit(board, hand("A"))

    whole = Worker.step

    def broken(worker: Worker) -> object:
        if worker.board_folder.root != board.root:
            return whole(worker)  # a page that another test left in this process
        raise OddError("text")

    monkeypatch.setattr(Worker, "step", broken)
    assert main(["worker", "--once", "--board", str(board.root)]) == 6
    assert capsys.readouterr().err == "ranscore: scoring failed (OddError)\n"


def test_an_attempt_that_fails_waits_longer_each_time(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_700_000_000.0]
    board_folder = replace(board, ledger=replace(board.ledger, clock=lambda: clock[0]), policy=Policy(retry=60.0, attempts=25, per_day=0))
    name = submit(board_folder, hand("A")).id

    def down(*_: object, **__: object) -> None:
        raise UnavailableError("the server does not answer")

    monkeypatch.setattr(scorer, "score", down)
    began = []
    for _ in range(60 * 30):
        clock[0] += 1.0
        if Worker(board_folder).step() is not None:
            began.append(clock[0])
    pauses = [round(later - before) for before, later in pairwise(began)]
    assert pauses[:4] == [60, 120, 240, 480] and max(pauses) == 480 and state(board_folder, name) is State.VALIDATED


# --- what health and receipts say ---


def test_health_counts_the_workers_that_live(board: BoardFolder, hand: Hand) -> None:
    name = submit(board, hand("A")).id
    assert health(board).workers == 0 and beats.working(board) is False
    assert receipt(board, name)["waits_for"] == "a worker; none is at work just now"
    assert "waits for a worker; none is at work just now" in receipt_lines(receipt(board, name))
    with at_work(board):
        until(lambda: state(board, name) is State.LISTED)
        assert health(board).workers == 1 and beats.working(board) is True
    assert health(board).workers == 0, "it ended in order"
    assert "workers: 0; one was last heard of" in "\n".join(lines(health(board)))


def test_health_does_not_count_a_worker_that_was_killed(board: BoardFolder) -> None:
    process = multiprocessing.get_context("fork").Process(target=lambda: Worker(board_folders.at(board.root)).run(poll=0.05))
    process.start()
    until(lambda: health(board).workers == 1)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert health(board).workers == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", '{"at": "x"}', '{"at": null}', '{"at": NaN}', '{"at": 1e999}', "[" * 200_000, '{"at": 1e300, "who": 5}', "\udcff", '{"at": 9e15, "who": "a:99999999999999999999:b"}']
)  # fmt: skip
def test_a_damaged_note_of_a_worker_hurts_nobody(board: BoardFolder, text: str) -> None:
    (board.root / "workers").mkdir()
    (board.root / "workers" / "x.json").write_bytes(text.encode(errors="surrogateescape"))
    assert health(board).workers == 0 and beats.working(board) is False
    assert lines(health(board))


def test_an_older_workers_note_and_a_silent_one(board: BoardFolder) -> None:
    (board.root / "workers").mkdir()
    path = board.root / "workers" / "x.json"
    path.write_text(json.dumps({"at": time.time()}))
    assert health(board).workers == 1
    path.write_text(json.dumps({"at": time.time() - 3600}))
    assert health(board).workers == 0 and health(board).heard and health(board).heard > 3500  # type: ignore[operator]
    beats.forget(board, time.time() + 10)
    assert health(board).heard is None


def test_health_names_the_trouble_of_a_worker(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(board, hand("A"))

    def broken(_: Worker) -> None:
        raise OSError(28, "quotes", "/a/path")

    monkeypatch.setattr(Worker, "step", broken)
    with at_work(board):
        until(lambda: health(board).troubles)
        found = health(board)
    assert found.troubles == ("scoring: OSError: No space left on device",)
    assert "a worker is in trouble: scoring: OSError: No space left on device" in found.alarms


def test_a_board_whose_ledger_is_elsewhere_does_not_know_its_workers(board: BoardFolder) -> None:
    class Elsewhere:
        def __getattr__(self, name: str) -> object:
            return getattr(board.ledger.ledger_files, name)

    board_folder = replace(board, ledger=replace(board.ledger, ledger_files=Elsewhere()))  # type: ignore[arg-type]
    assert beats.working(board_folder) is None and health(board_folder).workers is None
    assert "workers: not known here, the ledger is elsewhere" in lines(health(board_folder))


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_a_process_that_cannot_be_started_is_a_message(board: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("submissions.bounded.subprocess.run", none)
    with pytest.raises(UnavailableError, match="Too many open files"):
        look(board, hand("A"))


def test_errors_of_the_visitor_stay_what_they_are(board: BoardFolder, hand: Hand) -> None:
    with pytest.raises(InputError):
        submit(board, hand("references"))
    with pytest.raises(RanscoreError, match="has no cohort"):
        submit(board, hand("A", cohort="nowhere"))
