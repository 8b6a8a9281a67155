"""`ranscore card`: every system that can run, from film to board, in one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cohorts
from harness.cli import main
from harness.cohorts.synthetic import build
from harness.store import Store
from leaderboard.ranked import load


def test_the_whole_card_runs_ranks_and_continues(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(build(studies=80, seed=6, images=tmp_path / "films", train=400, dev=1), tmp_path / "cohort")
    assert main(["train-baseline", "--cohort", str(tmp_path / "cohort")]) == 0
    arguments = ["card", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "out"), "--systems"]
    names = "references,trained-baseline,constant-normal,all-findings,shuffled-references"
    assert main([*arguments, names]) == 0
    shown = capsys.readouterr().out
    assert "[2 of 5] trained-baseline" in shown and "80 reports, 0 failed" in shown
    assert "trained-baseline" in (tmp_path / "out" / "site" / "index.html").read_text()
    (board,) = load(Store(tmp_path / "out" / "store"))
    order = [row.name for row in board.rows]
    assert order[:2] == ["references", "trained-baseline"] and set(order[2:]) == {"constant-normal", "all-findings", "shuffled-references"}
    assert board.rows[1].place is not None and board.rows[1].place.rank == 1
    lines = (tmp_path / "out" / "reports" / "trained-baseline.jsonl").read_text().splitlines()
    assert len(lines) == 80 and json.loads(lines[0])["report"]
    assert main([*arguments, names]) == 0
    assert len(Store(tmp_path / "out" / "store").all()) == 5


def test_a_system_that_cannot_run_is_left_out_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(build(studies=20, seed=6), tmp_path / "cohort")
    assert (
        main(["card", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "out"), "--systems", "trained-baseline,constant-normal"])
        == 0
    )
    shown = capsys.readouterr().out
    assert "left out: trained-baseline needs model" in shown and "Left out, with the reasons above: trained-baseline" in shown
