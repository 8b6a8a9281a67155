"""Every kind of file in a home, damaged in every way, before every command: no traceback, the file is named, the rest is served, nothing is lost.

The seeds are fixed. `RANSCORE_DAMAGES=50 pytest tests/damage` tries fifty damages of each kind instead of a few.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from zlib import crc32

import pytest

from harness.records.store import Store
from leaderboard.content import BoardContent, load
from leaderboard.html.addresses import Live
from leaderboard.views import router
from ranscore.commands import main
from submissions import board_folder as board_folders
from tests.damage import damages, homes
from tests.damage.damages import DAMAGES, PLAIN
from tests.damage.homes import KINDS, LISTED, State

EACH = int(os.environ.get("RANSCORE_DAMAGES", "2"))
"""Damages of each kind of file."""
PAGE = "every tab of the page"
COMMANDS = (
    "board",
    "board --json",
    "compare Birch Elm --draws 100",
    "snapshot",
    "worker --once",
    "receipt {id}",
    "moderate list",
    "moderate hide {id} --reason tried",
    "verify {home}/r.json",
    "rescore",
    "backup {out}/b.tar.gz",
    "cohort show",
    "cohort show synthetic",
    "validate {home}/birch.jsonl --cohort synthetic",
    "cache list",
    "score {home}/birch.jsonl --cohort synthetic --metrics ran-score --store",
    PAGE,
)
SLOW = ("submit {home}/birch.jsonl --cohort synthetic --name Fir", "site -o {out}/site")
CODES = range(7)
SILENT = frozenset(
    {
        "configuration",
        "cache",
        "key of the cache",
        "sign of a worker",
        "record file",
        "rows of a record file",
        "labels",
        "place of films",
        "text",
    }
)
"""Kinds that `health` does not know in full: those that it does not read, and those that somebody may have written by hand."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that is not damaged."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("whole") / "home"
        patch.setenv("RANSCORE_HOME", str(root))
        homes.make(root)
        shutil.rmtree(root / "restored")
        yield root


@pytest.fixture
def home(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as RANSCORE_HOME."""
    root = tmp_path / "home"
    monkeypatch.setenv("RANSCORE_HOME", str(root))
    copy(whole, root)
    return root


def copy(whole: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(whole, root)


def views(root: Path) -> None:
    """Every page of the board."""
    ledger_files = BoardContent(Store(root / "store"))
    for tab in router.TABS:
        assert router.render(ledger_files, tab, {}, Live())


def run(command: str, root: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """One command in this process; what it prints."""
    ids = sorted(
        path.name.split(".")[0] for path in (root / "ledger" / "events").glob("*.0001.json") if not path.name.startswith("person-")
    )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    capsys.readouterr()
    code = main([part.format(home=root, out=out, id=ids[0] if ids else "none") for part in command.split()])
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert code in CODES and "Traceback" not in said, said
    return code, said


def restored(path: Path, whole: Path, root: Path) -> None:
    """Put one file back, as its remedy says."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    shutil.copy2(whole / path.relative_to(root), path)


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_ends_in_a_traceback_or_loses_anything(
    kind: str, whole: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promised = homes.state(board_folders.at(home))
    assert promised.board == set(LISTED)
    for number in range(EACH):
        random = Random(crc32(f"{kind} {number}".encode()))
        copy(whole, home)
        path = random.choice(sorted(home.glob(KINDS[kind])))
        damage = DAMAGES[(number + crc32(kind.encode())) % len(DAMAGES)]
        damage(path, random)
        command = random.choice(COMMANDS if random.random() < 0.9 else SLOW)
        place = f"{damage.__name__} of {path.relative_to(home)}, number {number}, then {command}"
        try:
            _served(kind, damage, path, command, home, tmp_path / "out", capsys)
            restored(path, whole, home)
            _kept(promised, home)
        except BaseException:
            print(f"\nwhere it failed: {place}")
            raise


def _served(kind: str, damage: damages.Damage, path: Path, command: str, home: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run("health", home, out, capsys)
    if damage in PLAIN and kind not in SILENT:
        assert code == 1 and path.name in said, said
    if damage in PLAIN and kind == "configuration":
        assert (code == 3 and path.name in said) or code == 0, said
    if command == PAGE:
        views(home)
    else:
        run(command, home, out, capsys)
    names = {row.name for board in load(Store(home / "store")) for row in board.rows}
    assert len(names & set(LISTED)) >= (2 if kind == "record" else 3) or "hide" in command, names
    # A withdrawal whose file was removed is written again from the ledger by the next worker.
    assert "Ash" not in names or (kind, damage) == ("withdrawal", damages.gone), "a withdrawn system is on the board"


def _kept(promised: State, home: Path) -> None:
    """Once the file is back, everything is as it was, but for what the command added."""
    board_folder = board_folders.at(home)
    now = homes.state(board_folder)
    assert promised.submissions.items() <= now.submissions.items()
    assert promised.board - now.board <= _hidden(home) and "Ash" not in now.board


def _hidden(home: Path) -> set[str]:
    return {item.card.name for item in board_folders.at(home).ledger.state().submissions.values() if item.hidden}
