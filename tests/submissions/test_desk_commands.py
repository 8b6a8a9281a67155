"""Handing in, working, moderating, backing up and looking after a board, as a person types it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InputError, StoreError
from harness.storage.stored import seal
from leaderboard.content import load
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions import events, moderation
from submissions.backup import backup
from submissions.board_folder import BoardFolder
from submissions.events import SCHEMA, State
from submissions.health import health
from submissions.intake import Upload, submit
from submissions.receipts import receipt
from submissions.restore import restore
from submissions.worker import Worker

Hand = Callable[..., Upload]
Out = pytest.CaptureFixture[str]


@pytest.fixture
def file(board_folder: BoardFolder, reports: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reports as a file, beside the board."""
    path = board_folder.root.parent / "birch.jsonl"
    path.write_bytes(reports)
    monkeypatch.chdir(path.parent)
    return path


def test_from_submit_to_withdraw(board_folder: BoardFolder, file: Path, cohort: object, capsys: Out) -> None:
    common = ["birch.jsonl", "--to", "board", "--cohort", "synthetic", "--name", "Birch"]
    assert main(["submit", *common, "--dry-run"]) == 0
    assert "Nothing was kept" in capsys.readouterr().out and not (board_folder.root / "ledger" / "events").exists()
    assert main(["submit", *common, "--json"]) == 0
    name = json.loads(capsys.readouterr().out)["id"]
    assert main(["health", "--board", "board"]) == 1
    assert "ALARM: submissions wait and no worker is at work" in capsys.readouterr().out
    assert main(["worker", "--board", "board", "--once"]) == 0
    assert "1 submissions finished" in capsys.readouterr().out
    assert main(["receipt", name, "--to", "board"]) == 0
    assert "listed: it is on the board" in capsys.readouterr().out
    assert main(["health", "--board", "board"]) == 0
    record = board_folder.store.find("Birch").record
    capsys.readouterr()
    assert main(["score", "birch.jsonl", "--cohort", "board/cohorts/synthetic", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == record.digest
    assert main(["withdraw", name, "--to", "board", "--reason", "wrong file"]) == 0
    assert load(board_folder.store) == ()
    assert main(["receipt", "nobody", "--to", "board"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["submit", "birch.jsonl", "--to", "nowhere", "--cohort", "synthetic"], 2, "there is no folder 'nowhere'"),
        (["submit", "birch.jsonl", "--to", "board", "--cohort", "other"], 2, "this board has no cohort 'other'; it has synthetic"),
        (["submit", "nowhere.csv", "--to", "board", "--cohort", "synthetic"], 3, "nowhere.csv: it cannot be read"),
        (["submit", "birch.jsonl", "--to", "http://127.0.0.1:9", "--cohort", "synthetic"], 4, "does not answer"),
        (["withdraw", "nobody", "--to", "board"], 2, "there is no submission 'nobody'"),
        (["moderate", "hide", "nobody", "--reason", "x", "--board", "board"], 2, "there is no submission 'nobody'"),
        (["moderate", "ban", "nobody", "--reason", "x", "--board", "board"], 2, "neither hf:NAME"),
        (["restore", "birch.jsonl", "--board", "empty"], 3, "the backup cannot be read"),
        (["backup", "birch.jsonl", "--board", "board"], 5, "is there already"),
    ],
)
def test_errors_have_their_code_and_a_remedy(file: Path, capsys: Out, arguments: list[str], code: int, message: str) -> None:
    assert main(arguments) == code
    assert message in capsys.readouterr().err


def test_hide_show_unflag_ban(board_folder: BoardFolder, hand: Hand, capsys: Out) -> None:
    ids = [study.id for study in board_folder.manifest("synthetic").studies if study.part == "test"]
    same = "\n".join(json.dumps({"study_id": name, "report": "Clear lungs."}) for name in ids).encode()
    name = submit(board_folder, hand(content=same)).id
    Worker(board_folder).run(once=True)
    assert board_folder.ledger.state().submissions[name].flags == ("constant text: one text stands for all 40 studies",)
    board = ["--board", str(board_folder.root)]
    assert main(["moderate", "list", *board, "--json"]) == 0
    assert "constant text" in capsys.readouterr().out and health(board_folder).flagged == 1
    main(["moderate", "unflag", name, "--reason", "a floor", *board])
    assert board_folder.ledger.state().submissions[name].flags == () and health(board_folder).flagged == 0
    for _ in range(3):
        main(["moderate", "hide", name, "--reason", "looking into it", *board])
        assert (
            load(board_folder.store) == ()
            and receipt(board_folder, name)["words"].startswith("hidden")
            and receipt(board_folder, name)["scores"] == []
        )
        main(["moderate", "show", name, "--reason", "fine", *board])
        assert len(load(board_folder.store)) == 1
    main(["moderate", "ban", name, "--reason", "spam", *board])
    with pytest.raises(InputError, match="you are banned from this board: spam"):
        submit(board_folder, hand("Elm"))
    assert submit(board_folder, hand("Oak", person="local:bob"))
    main(["moderate", "unban", "local:ann", "--reason", "a mistake", *board])
    assert submit(board_folder, hand("Elm"))
    assert main(["moderate", "hide", name, "--reason", " ", *board]) == 2


def test_a_backup_brings_everything_back(board_folder: BoardFolder, hand: Hand, tmp_path: Path, capsys: Out) -> None:
    name = submit(board_folder, hand()).id
    Worker(board_folder).run(once=True)
    moderation.hide(board_folder, name, "for the test")
    assert main(["backup", str(tmp_path / "b.tar.gz"), "--board", str(board_folder.root)]) == 0
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    assert main(["restore", str(tmp_path / "b.tar.gz"), "--board", str(tmp_path / "new")]) == 0
    again = board_folders.at(tmp_path / "new")
    assert again.ledger.state() == board_folder.ledger.state() and again.store.all() == board_folder.store.all()
    assert (
        again.store.rows(again.store.all()[0].record)[0].values.tolist()
        == board_folder.store.rows(board_folder.store.all()[0].record)[0].values.tolist()
    )
    moderation.show(again, name, "for the test")
    assert len(load(again.store)) == 1
    assert main(["restore", str(tmp_path / "b.tar.gz"), "--board", str(tmp_path / "new")]) == 5
    assert "holds a board already" in capsys.readouterr().err


def test_a_damaged_or_foreign_backup_writes_nothing(board_folder: BoardFolder, hand: Hand, tmp_path: Path) -> None:
    submit(board_folder, hand())
    backup(board_folder.root, tmp_path / "b.tar.gz")
    whole = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="the backup cannot be read"):
        restore(tmp_path / "cut.tar.gz", tmp_path / "new")
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        (tmp_path / "CONTENTS.json").write_text(json.dumps({"ledger/events/../../../evil": "0" * 64}))
        archive.add(tmp_path / "CONTENTS.json", "CONTENTS.json")
        archive.add(tmp_path / "CONTENTS.json", "ledger/events/../../../evil")
    with pytest.raises(InputError, match="not one of a board"):
        restore(tmp_path / "evil.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists() and not (tmp_path.parent / "evil").exists()


def test_older_events_are_read_and_newer_ones_refused(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    name = submit(board_folder, hand()).id
    path = board_folder.root / "ledger" / "events" / f"{name}.0001.json"
    before = path.read_bytes()
    monkeypatch.setattr(events, "SCHEMA", SCHEMA + 1)
    monkeypatch.setitem(events.MIGRATIONS, SCHEMA, lambda old: {**old, "schema": SCHEMA + 1, "data": {**old["data"], "new": "field"}})
    item = board_folders.at(board_folder.root).ledger.state().submissions[name]
    assert item.received.data["new"] == "field" and item.state is State.RECEIVED and path.read_bytes() == before
    monkeypatch.undo()
    path.write_text(json.dumps(seal({**json.loads(before), "schema": 99})))
    with pytest.raises(StoreError, match=r"its schema is 99.*Update ranscore"):
        board_folders.at(board_folder.root).ledger.find(name)
    assert "its schema is 99" in health(board_folders.at(board_folder.root)).damaged[0]


def test_damage_and_gaps_are_named(board_folder: BoardFolder, hand: Hand) -> None:
    name = submit(board_folder, hand()).id
    Worker(board_folder).run(once=True)
    (board_folder.root / "ledger" / "events" / f"{name}.0002.json").unlink()
    for what in ("an event is missing", "the event cannot be read"):
        again = board_folders.at(board_folder.root)
        (item,) = again.ledger.state().submissions.values()
        assert item.state is State.DAMAGED and f"{name}.0002.json: {what}" in str(item.damage[0])
        assert f"{name}.0002.json: {what}" in health(again).damaged[0]
        assert len(load(again.store)) == 1  # its record is left where it is
        with pytest.raises(StoreError, match=what):
            moderation.hide(again, name, "for the test")
        (board_folder.root / "ledger" / "events" / f"{name}.0002.json").write_text("{")
