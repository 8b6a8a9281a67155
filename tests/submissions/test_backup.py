"""A backup holds what cannot be made again and the open cohorts, says what it leaves out, and a restore can be killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cohorts
from harness.errors import InputError, RefusedError, StoreError
from harness.types import Cohort
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions.archive import check
from submissions.backup import backup
from submissions.board_folder import RESTORING, BoardFolder
from submissions.health import health
from submissions.intake import Upload, submit
from submissions.restore import restore
from submissions.worker import Worker
from tests.submissions.conftest import credentialed

Hand = Callable[..., Upload]
Out = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def full(board_folder: BoardFolder, hand: Hand, cohort: Cohort) -> BoardFolder:
    """A board with a listed submission, an open cohort with films, a credentialed one, and a configuration."""
    credentialed(cohort, board_folder.root)
    (board_folder.root / "cohorts" / "synthetic" / "images").mkdir()
    (board_folder.root / "config.toml").write_text("[door]\nper_day = 7\n")
    board_folder = board_folders.at(board_folder.root)
    submit(board_folder, hand())
    Worker(board_folder).run(once=True)
    return board_folder


def test_open_cohorts_come_back_and_health_names_what_does_not(full: BoardFolder, cohort: Cohort, tmp_path: Path, capsys: Out) -> None:
    new = tmp_path / "new"
    assert main(["backup", str(tmp_path / "b.tar.gz"), "--board", str(full.root)]) == 0
    said = capsys.readouterr().out
    left_out = ["cohorts/hidden/text.jsonl", "cohorts/hidden/labels.csv", "cohorts/synthetic/images"]
    assert all(f"left out: {name}: " in said for name in left_out) and said.count("left out") == 3
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        names = archive.getnames()
    assert not any("hidden/text" in name or "hidden/labels" in name for name in names) and "cohorts/hidden/manifest.json" in names
    assert main(["restore", str(tmp_path / "b.tar.gz"), "--board", str(new)]) == 0
    said = capsys.readouterr().out
    assert all(f"not in the backup: {name}: " in said for name in left_out)
    again = board_folders.at(new)
    assert again.policy.per_day == 7 and again.ledger.state() == full.ledger.state() and again.store.all() == full.store.all()
    assert cohorts.load(new / "cohorts" / "synthetic").texts == cohort.texts
    assert main(["health", "--board", str(new)]) == 1
    said = capsys.readouterr().out
    assert all(f"ALARM: not in the backup that was restored: {name}" in said for name in left_out)
    assert [line.split(": ")[1] for line in health(again).left_out] == left_out
    credentialed(cohort, new)
    (new / "cohorts" / "synthetic" / "images").mkdir()
    assert health(again).left_out == () and not health(again).alarms
    (new / "left-out.json").write_text("{")
    assert "left-out.json" in health(again).alarms[0]


def test_a_board_can_be_used_after_a_restore(full: BoardFolder, hand: Hand, tmp_path: Path) -> None:
    backup(full.root, tmp_path / "b.tar.gz")
    shutil.rmtree(full.root)
    restore(tmp_path / "b.tar.gz", full.root)
    board_folder = board_folders.at(full.root)
    submit(board_folder, hand("Elm"))
    assert Worker(board_folder).run(once=True) == 1 and len(board_folder.store.standing()) == 2


def test_a_damaged_board_is_copied_as_it_is_and_said_to_be_so(full: BoardFolder, tmp_path: Path, capsys: Out) -> None:
    (event,) = (full.root / "store" / "events").glob("*.json")
    event.write_text("{")
    (full.root / "store" / "reports" / "folder.jsonl").mkdir()
    assert main(["backup", str(tmp_path / "b.tar.gz"), "--board", str(full.root)]) == 1
    said = capsys.readouterr()
    assert f"damaged, and so in the copy: {event}" in said.err and "left out: store/reports/folder.jsonl: it is not a file" in said.out
    restore(tmp_path / "b.tar.gz", tmp_path / "new")
    found = health(board_folders.at(tmp_path / "new"))
    assert any(event.name in line for line in found.damaged) and any("folder.jsonl" in line for line in found.left_out)


def test_what_is_here_already_stays(full: BoardFolder, tmp_path: Path) -> None:
    backup(full.root, tmp_path / "b.tar.gz")
    new = tmp_path / "new"
    new.mkdir()
    (new / "config.toml").write_text("[door]\nper_day = 1\n")
    with pytest.raises(RefusedError, match=r"config.toml: it is here already"):
        restore(tmp_path / "b.tar.gz", new)
    assert [path.name for path in new.iterdir()] == ["config.toml"]
    (new / "config.toml").unlink()
    shutil.copytree(full.root / "cohorts" / "hidden", new / "cohorts" / "hidden")
    restore(tmp_path / "b.tar.gz", new)
    assert cohorts.load(new / "cohorts" / "hidden").texts
    with pytest.raises(RefusedError, match="holds a board already"):
        restore(tmp_path / "b.tar.gz", new)


def test_a_damaged_archive_writes_nothing(full: BoardFolder, tmp_path: Path) -> None:
    backup(full.root, tmp_path / "b.tar.gz")
    good = (tmp_path / "b.tar.gz").read_bytes()
    for number in range(60):
        at = len(good) * number // 60
        data = good[:at] if number % 2 else good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
        (tmp_path / "bad.tar.gz").write_bytes(data)
        try:
            check(tmp_path / "bad.tar.gz")
        except InputError:
            with pytest.raises(InputError):
                restore(tmp_path / "bad.tar.gz", tmp_path / "new")
            assert not (tmp_path / "new").exists()
        else:
            assert number == 0, "only the header of the compression holds bytes that mean nothing"


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "/etc/evil", "ledger/events/../../../evil", "config.toml.evil", "ledger/evil", "store/events/.hidden"),
        *(
            "cohorts/x/images/evil.png",
            "cohorts/../evil/manifest.json",
            "cohorts/manifest.json",
            "cache.key",
            "store/rows/a/b.npz",
            "store\\events\\a",
        ),
    ],
)
def test_names_that_are_none_of_a_board_are_refused(tmp_path: Path, name: str) -> None:
    content = b"x"
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        for entry, data in (
            (name, content),
            ("CONTENTS.json", json.dumps({name: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}).encode()),
        ):
            path = tmp_path / "part"
            path.write_bytes(data)
            archive.add(path, entry)
    with pytest.raises(InputError, match="not one of a board"):
        restore(tmp_path / "evil.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_backup_of_an_earlier_version_is_restored(full: BoardFolder, tmp_path: Path) -> None:
    backup(full.root, tmp_path / "b.tar.gz")
    contents, _ = check(tmp_path / "b.tar.gz")
    kept = {name: digest for name, digest in contents.files.items() if not name.startswith("cohorts/")}
    with tarfile.open(tmp_path / "old.tar.gz", "w:gz") as archive:
        for name in kept:
            archive.add(full.root / name, name)
        (tmp_path / "CONTENTS.json").write_text(json.dumps(kept))
        archive.add(tmp_path / "CONTENTS.json", "CONTENTS.json")
    restore(tmp_path / "old.tar.gz", tmp_path / "new")
    assert board_folders.at(tmp_path / "new").store.all() == full.store.all()


SLOW = """
import sys, time
from pathlib import Path
from harness.storage import files
from submissions.restore import restore
write = files.writing
def slow(*arguments, **named):
    time.sleep(0.05)
    return write(*arguments, **named)
files.writing = slow
print("begun", flush=True)
restore(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_restore_that_is_killed_is_finished_by_the_next(full: BoardFolder, tmp_path: Path) -> None:
    backup(full.root, tmp_path / "b.tar.gz")
    new, interrupted = tmp_path / "new", 0
    for pause in (0.2, 0.5, 0.8):
        running = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "b.tar.gz"), str(new)], stdout=subprocess.PIPE, cwd=ROOT)
        assert running.stdout and running.stdout.readline()
        end = time.monotonic() + 60
        while not (new / RESTORING).exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(pause)
        running.send_signal(signal.SIGKILL)
        running.wait()
        running.stdout.close()
        if (new / RESTORING).exists():
            interrupted += 1
            with pytest.raises(StoreError, match="a restore into this folder was interrupted"):
                board_folders.at(new)
    assert interrupted
    restore(tmp_path / "b.tar.gz", new)
    again = board_folders.at(new)
    assert again.ledger.state() == full.ledger.state() and again.store.all() == full.store.all() and not health(again).damaged
