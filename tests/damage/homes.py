"""A small home with a file of every kind: three systems on the board, one withdrawn, one banned person, a hidden cohort, a cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.extractors.answers import Answer
from harness.extractors.cache import opened
from harness.storage import files
from harness.storage.report_lines import canonical
from harness.types import Cohort, Status, SystemCard
from leaderboard.content import load
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions import moderation
from submissions.backup import backup
from submissions.board_folder import BoardFolder
from submissions.intake import Upload, submit, withdraw
from submissions.restore import restore
from submissions.worker import Worker
from tests.submissions.conftest import credentialed

LISTED = ("Birch", "Elm", "Oak")
CONFIG = '[door]\nper_day = 0\nmetrics = ["ran-score"]\n'
KINDS = {
    "event of a submission": "ledger/events/[0-9a-f]*.json",
    "event of a person": "ledger/events/person-*.json",
    "reports of a submission": "ledger/files/*.jsonl",
    "record": "store/events/*Z-????????????????.json",
    "withdrawal": "store/events/*.withdrawn.*.json",
    "rows": "store/rows/*.npz",
    "reports": "store/reports/*.jsonl",
    "patients": "store/patients/*.json",
    "snapshot": "store/snapshots/*.json",
    "manifest": "cohorts/*/manifest.json",
    "text": "cohorts/*/text.jsonl",
    "labels": "cohorts/*/labels.csv",
    "place of films": "cohorts/*/local.json",
    "configuration": "config.toml",
    "cache": "cache.db",
    "key of the cache": "cache.key",
    "sign of a worker": "workers/*.json",
    "what a backup left out": "left-out.json",
    "record file": "r.json",
    "rows of a record file": "r.json.rows.npz",
}
"""Every kind of file in a home, with the pattern of its names."""


@dataclass(frozen=True)
class State:
    """What people were promised."""

    submissions: dict[str, str]
    """By id the state."""
    board: frozenset[str]
    """The systems on it."""


def state(board_folder: BoardFolder) -> State:
    """What the ledger and the board say."""
    found = {name: item.state.value for name, item in board_folder.ledger.state().submissions.items()}
    return State(found, frozenset(row.name for board in load(board_folder.store) for row in board.rows))


def upload(cohort: Cohort, name: str) -> Upload:
    """What somebody submits."""
    reports = canonical(system(cohort, name.lower(), 0.8, 0.1).reports)
    return Upload(reports, f"{name}.jsonl", "synthetic", SystemCard(name), f"local:{name}")


def make(root: Path) -> None:
    """Fill a folder, which is RANSCORE_HOME."""
    cohort = build(studies=24, seed=3)
    films = root / "films"
    cohorts.save(Cohort(cohort.manifest, cohort.texts, cohort.labels, films), root / "cohorts" / "synthetic")
    credentialed(cohort, root)
    files.write(root / "config.toml", CONFIG)
    board_folder = board_folders.at(root)
    receipts = {name: submit(board_folder, upload(cohort, name)) for name in (*LISTED, "Ash")}
    Worker(board_folder).run(once=True)
    withdraw(board_folder, receipts["Ash"].id, "a mistake", code=receipts["Ash"].code)
    Worker(board_folder).run(once=True)
    moderation.ban(board_folder, "local:bob", "spam")
    with opened() as cache:
        cache.add("ab" * 32, [Answer("Edema", cache.key(f"text {number}"), ((1, Status.OK),), "1", "a:1") for number in range(50)])
    (root / "birch.jsonl").write_bytes(upload(cohort, "Birch").content)
    assert main(["score", str(root / "birch.jsonl"), "--cohort", "synthetic", "--metrics", "ran-score", "-o", str(root / "r.json")]) == 0
    backup(root, root / "backup.tar.gz")
    restore(root / "backup.tar.gz", root / "restored")
    (root / "restored" / "left-out.json").rename(root / "left-out.json")
