"""Two real generators' reports on real references, submitted, scored and listed."""

from __future__ import annotations

from pathlib import Path

from harness import cohorts
from harness.cohorts.table import from_table
from harness.scoring import scorer
from harness.types import Access, Section, SystemCard
from leaderboard.content import load
from submissions import board_folder as board_folders
from submissions.intake import Upload, submit
from submissions.worker import Worker


def test_two_real_systems_are_listed_with_the_digests_of_score(shared: Path, tmp_path: Path) -> None:
    folder = shared / "submissions"
    cohort = from_table(folder / "references.csv", section=Section.FINDINGS, access=Access.OPEN)
    root = tmp_path / "board"
    cohorts.save(cohort, root / "cohorts" / "iu")
    board_folder = board_folders.at(root)
    ids = {}
    for name, file in (("MoERad", "moerad-iu.csv"), ("AAMN", "aamn-iu.csv")):
        upload = Upload((folder / file).read_bytes(), file, "iu", SystemCard(name), "local:ann", looked=True)
        ids[name] = submit(board_folder, upload).id
    assert Worker(board_folder).run(once=True) == 2
    found = board_folder.ledger.state().submissions
    assert found[ids["AAMN"]].flags[0] == "constant text: one text stands for all 590 studies"
    assert not any("copied" in flag or "listed" in flag for flag in found[ids["MoERad"]].flags)
    (board,) = load(board_folder.store)
    assert {row.name for row in board.rows} == {"MoERad", "AAMN"} and all(row.place for row in board.rows)
    for name, file in (("MoERad", "moerad-iu.csv"), ("AAMN", "aamn-iu.csv")):
        direct = scorer.score(predictions=folder / file, references=cohort, card=SystemCard(name))
        assert direct.record.digest == found[ids[name]].record
        print(name, direct.record.metrics[0].value, found[ids[name]].flags)
