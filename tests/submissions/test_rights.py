"""Other users of the machine read no report, no reference and nothing that follows from one of a credentialed cohort."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import cohorts
from harness.errors import RefusedError
from harness.storage import files
from harness.storage.report_lines import read_canonical
from harness.types import Cohort
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.health import health, lines
from submissions.intake import Upload, submit
from submissions.worker import Worker
from tests.submissions.conftest import credentialed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX's")
Hand = Callable[..., Upload]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Files are readable by all unless something is done about it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def readable(root: Path) -> Iterator[Path]:
    """The files under a folder that another user can open."""
    for path in root.iterdir():
        if path.is_dir() and mode(path) & 0o011:
            yield from readable(path)
        elif path.is_file() and mode(path) & 0o044:
            yield path


def private(cohort: Cohort) -> list[bytes]:
    """Pieces of what nobody else may read: words of references, and ids of studies."""
    texts = [cohort.reference(study.id) for study in cohort.scored]
    return [*(json.dumps(text)[1:-1].encode() for text in texts if len(text) > 40), *(study.id.encode() for study in cohort.scored)]


def exposed(root: Path, cohort: Cohort, *open_files: str) -> list[str]:
    pieces = private(cohort)
    return [str(path) for path in readable(root) if path.name not in open_files and any(piece in path.read_bytes() for piece in pieces)]


@pytest.fixture
def home(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "home"
    monkeypatch.setenv("RANSCORE_HOME", str(root))
    monkeypatch.chdir(tmp_path)
    credentialed(cohort, root)
    return root


def test_what_commands_write_of_a_credentialed_cohort_is_its_owners_alone(
    home: Path, cohort: Cohort, reports: bytes, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "r.jsonl").write_bytes(reports)
    out = tmp_path / "out"
    out.mkdir()
    source = str(tmp_path / "in" / "r.jsonl")
    score = [
        "score",
        source,
        "--cohort",
        "hidden",
        "--metrics",
        "ran-score",
        "--store",
        "-o",
        "out/r.json",
        "--per-study",
        "out/studies.csv",
    ]
    assert main(score) == 0
    assert main(["label", source, "-o", "out/labels.csv"]) == 0
    assert main(["label", source, "-o", "out/labels.parquet"]) == 0
    assert main(["generate", "constant-normal", "--cohort", "hidden", "-o", "out/g.jsonl"]) == 0
    assert main(["score", "out/g.jsonl", "--cohort", "hidden", "--metrics", "ran-score", "--store", "--name", "G"]) == 0
    # The record says nothing of a single study.
    assert exposed(home, cohort) == [] and exposed(out, cohort) == []
    assert {path.name for path in readable(out)} == {"r.json"}
    for path in (home / "store" / "reports", home / "store" / "rows", home / "cohorts" / "hidden"):
        assert mode(path) == 0o700 and {mode(file) for file in path.iterdir() if file.name not in ("manifest.json", "local.json")} == {
            0o600
        }


def test_what_is_public_stays_readable(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: bytes) -> None:
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path))
    cohorts.save(cohort, tmp_path / "cohorts" / "synthetic")
    (tmp_path / "r.jsonl").write_bytes(reports)
    monkeypatch.chdir(tmp_path)
    assert main(["label", "r.jsonl", "--open", "-o", "labels.csv"]) == 0
    assert main(["score", "r.jsonl", "--cohort", "synthetic", "--metrics", "ran-score", "--per-study", "studies.csv"]) == 0
    assert (
        mode(tmp_path / "labels.csv") == mode(tmp_path / "studies.csv") == mode(tmp_path / "cohorts" / "synthetic" / "text.jsonl") == 0o644
    )


def test_what_is_handed_in_is_its_owners_alone(board_folder: BoardFolder, hand: Hand, cohort: Cohort) -> None:
    submit(board_folder, hand())
    Worker(board_folder).run(once=True)
    words = [text.encode() for text in read_canonical(hand().content).values() if len(text) > 40]
    assert words and not [
        path for path in readable(board_folder.root) if any(word in path.read_bytes() for word in words) and "cohorts" not in path.parts
    ]
    assert mode(board_folder.root / "ledger") == 0o700
    assert {mode(path) for path in (board_folder.root / "ledger" / "files").iterdir()} == {0o600}


def open_all(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_an_existing_home_is_closed_when_it_is_opened(home: Path, cohort: Cohort, hand: Hand) -> None:
    board_folder = board_folders.at(home)
    submit(board_folder, hand(cohort="hidden", agreed=True))
    Worker(board_folder).run(once=True)
    open_all(home)
    assert exposed(home, cohort)
    board_folders.at(home)
    cohorts.load("hidden")
    assert exposed(home, cohort) == []


def test_health_closes_files_too_and_says_so_once(home: Path, cohort: Cohort, hand: Hand) -> None:
    board_folder = board_folders.at(home)
    submit(board_folder, hand(cohort="hidden", agreed=True))
    Worker(board_folder).run(once=True)
    (home / "cache.db").touch()
    open_all(home)
    found = health(board_folder)
    assert found.closed > 8 and f"closed to other users of this machine: {found.closed} files and folders" in lines(found)
    assert health(board_folder).closed == 0
    assert exposed(home, cohort) == []
    assert not [path for path in (home / "ledger").rglob("*") if mode(path) & 0o077] and mode(home / "cache.db") == 0o600
    assert mode(home / "store" / "events") & 0o044, "what is public stays so"


def test_a_link_out_of_the_board_is_not_followed(board_folder: BoardFolder, hand: Hand, tmp_path: Path) -> None:
    submit(board_folder, hand())
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").touch()
    open_all(other)
    (board_folder.root / "ledger" / "link").symlink_to(other)
    (board_folder.root / "store" / "rows").parent.mkdir(exist_ok=True)
    (board_folder.root / "store" / "rows").symlink_to(other)
    with pytest.raises(RefusedError, match="it is a link"):
        health(board_folders.at(board_folder.root))
    assert mode(other) == 0o755 and mode(other / "file") == 0o644


def test_the_cache_is_its_owners_alone(home: Path) -> None:
    from harness.extractors.cache import Cache

    Cache()
    assert {mode(path) for path in home.glob("cache*")} == {0o600}


# --- writing ---


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o664, 0o444])
def test_a_file_that_is_written_again_keeps_its_rights(tmp_path: Path, rights: int) -> None:
    path = tmp_path / "a"
    files.write(path, "one")
    assert mode(path) == 0o644
    path.chmod(rights)
    files.write(path, "two")
    assert mode(path) == rights and path.read_text() == "two"
    files.write(path, "three", private=True)
    assert mode(path) == rights & 0o600


def test_a_private_file_makes_its_folder_private_and_leaves_others_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.write(tmp_path / "new" / "folder" / "a", "x", private=True)
    files.create(tmp_path / "b", "x", private=True)
    with files.appending(tmp_path / "c", private=True) as stream:
        stream.write("x")
    assert mode(tmp_path / "new" / "folder") == 0o700 and mode(tmp_path) == 0o755
    assert {mode(tmp_path / "new" / "folder" / "a"), mode(tmp_path / "b"), mode(tmp_path / "c")} == {0o600}
    assert files.create(tmp_path / "b", "y", private=True) is False


def test_no_moment_shows_a_private_file_to_others(tmp_path: Path) -> None:
    seen = set()
    with files.writing(tmp_path / "a", private=True) as stream:
        stream.write(b"x")
        seen |= {mode(path) for path in tmp_path.iterdir()}
    assert seen == {0o600}
