"""The board from records: columns, order, who is ranked, and every text form."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.formats.written_by import BASELINE, DRAWN
from harness.metrics import metric
from harness.records.store import Store
from harness.scoring import demo
from harness.types import Grade, Role
from leaderboard.board import Board, boards, reported_rows
from leaderboard.content import load
from leaderboard.exports import tables
from leaderboard.views.board import learned
from ranscore.commands import main


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The synthetic board at a small size."""
    made = Store(tmp_path_factory.mktemp("store"))
    demo.fill(made, [metric("ran-score")], studies=120)
    return made


@pytest.fixture(scope="module")
def board(store: Store) -> Board:
    """Its one board."""
    (found,) = load(store)
    return found


def test_the_synthetic_order_is_the_true_order(board: Board) -> None:
    names = [row.name for row in board.rows]
    assert names[0] == "references" and names[-1] == "constant-normal"
    systems = [row.name for row in board.rows if row.role is Role.SYSTEM]
    assert systems[:2] == ["synthetic-alder", "synthetic-birch"] and systems[-1] == "synthetic-maple"
    assert board.rows[0].cells[board.columns[0].key].value == board.rows[0].attainable


def test_ranks_come_from_the_snapshot_with_their_interval(board: Board) -> None:
    places = {row.name: row.place for row in board.rows if row.role is Role.SYSTEM}
    best, last = places["synthetic-alder"], places["synthetic-maple"]
    assert best and last and best.rank == 1 and best.best and last.low > best.high and not last.best
    assert board.detectable and 0.02 < board.detectable < 0.3 and board.snapshot
    assert tables.rank(board.rows[0]) == "–"
    assert tables.rank(next(row for row in board.rows if row.place is last)).startswith(str(last.rank))


def test_without_a_snapshot_nothing_is_ranked(store: Store) -> None:
    (found,) = boards(store.all())
    assert {row.why_unranked for row in found.rows if row.role is Role.SYSTEM} == {"no snapshot yet"}


def test_floors_and_ceilings_stand_beside_the_ranks(board: Board) -> None:
    unranked = {row.name: row.why_unranked for row in board.rows if row.role is not Role.SYSTEM}
    assert unranked == {"references": "ceiling", "all-findings": "floor", "shuffled-references": "floor", "constant-normal": "floor"}


def test_filling_again_adds_nothing(store: Store, board: Board) -> None:
    demo.fill(store, [metric("ran-score")], studies=120)
    assert len(store.all()) == len(board.rows) == 11


def test_self_scored_rows_and_other_signatures_do_not_mix(store: Store) -> None:
    first = store.all()[0]
    other = replace(first.record, metrics=(replace(first.record.metrics[0], signature="ran-score|v2|x:ff"),))
    own = replace(first.record, grade=Grade.SELF_SCORED, system=replace(first.record.system, name="mine", role=Role.SYSTEM))
    found = boards([*store.all(), replace(first, id="a", record=other), replace(first, id="b", record=own)])
    assert [len(board.rows) for board in found] == [12, 1]
    assert {row.why_unranked for row in found[0].rows if row.name == "mine"} == {"self-scored"}


def test_the_terminal_says_why_a_system_has_no_rank(store: Store, board: Board) -> None:
    assert tables.without_rank(board) == []
    first = next(item for item in store.all() if item.record.system.name == "synthetic-alder")
    own = [
        replace(first, id=name, record=replace(first.record, grade=Grade.SELF_SCORED, system=replace(first.record.system, name=name)))
        for name in "abcdefg"
    ]
    (found,) = boards([*store.all(), *own])
    lines = {line.partition(" (")[0]: line for line in tables.without_rank(found)}
    assert "(self-scored)" in lines["No rank: a, b, c, d, e and 2 more"]
    assert "`ranscore score FILE --cohort NAME --store`" in lines["No rank: a, b, c, d, e and 2 more"]
    (snapless,) = [line for line in lines.values() if "no snapshot yet" in line]
    assert snapless.endswith("Run `ranscore snapshot`") and "constant-normal" not in " ".join(lines)


def test_a_withdrawn_record_leaves_the_board(store: Store) -> None:
    one, *rest = store.all()
    (found,) = boards([replace(one, withdrawn="wrong file"), *rest])
    assert one.record.system.name not in [row.name for row in found.rows] and len(found.rows) == 10


def test_every_text_form_holds_the_same_numbers(board: Board) -> None:
    row = next(row for row in board.rows if row.name == "synthetic-alder")
    cell = row.cells[board.columns[0].key]
    assert cell.interval is not None
    shown = f"{cell.value:.3f} [{cell.interval[0]:.3f}, {cell.interval[1]:.3f}]"
    lines = list(csv.DictReader(io.StringIO(tables.to_csv(board))))
    found = next(line for line in lines if line["system"] == row.name)
    assert float(found["Ran Score"]) == cell.value and float(found["Ran Score low"]) == cell.interval[0]
    assert shown.replace("[", r"\[").replace("]", r"\]") in tables.to_markdown(board)
    assert (
        shown in tables.to_latex(board)
        and r"\toprule" in tables.to_latex(board)
        and board.signature.split("|")[0] in tables.to_latex(board)
    )
    data = json.loads(tables.dumps((board,)))["boards"][0]
    assert data["rows"][1]["cells"][board.columns[0].key]["value"] == cell.value


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "[x](javascript:alert(1))", "a | b", "50 % & $x_1$ \\input{x}", "@SUM(1)"]
)
def test_hostile_names_are_inert(board: Board, name: str) -> None:
    hostile = replace(board, rows=(replace(board.rows[1], name=name),))
    cells = next(csv.reader(io.StringIO(tables.to_csv(hostile).splitlines()[1])))
    assert not cells[3].startswith(("=", "@"))
    markdown = tables.to_markdown(hostile).splitlines()[2]
    assert "<script" not in markdown and "](" not in markdown
    assert markdown.replace("\\|", "").count("|") == len(tables.header(board)) + 1
    latex = tables.to_latex(hostile)
    assert "\\input{" not in latex and "50 % &" not in latex


def test_the_papers_rows_stand_apart_and_are_never_ranked() -> None:
    rows = reported_rows()
    assert rows[0].name == "LLM-RG4" and len(rows) == 7
    assert all(row.place is None and row.grade is Grade.REPORTED and "exchanged" in row.note for row in rows)


def test_the_command_prints_the_demo_and_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path))
    assert main(["demo", "--studies", "60", "--no-serve"]) == 0
    shown = capsys.readouterr().out
    assert "trained-baseline" in shown
    assert "synthetic-alder" in shown and "LLM-RG4" in shown and "0.333" in shown
    assert main(["board", "--store", str(tmp_path / "demo" / "store"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["boards"][0]["rows"]) == 12
    assert main(["board", "--store", str(tmp_path / "nothing")]) == 0
    assert "holds no records yet" in capsys.readouterr().out
    assert main(["board", "--store", str(tmp_path / "demo" / "store"), "--format", "latex"]) == 0
    assert capsys.readouterr().out.startswith(r"\begin{table}")


def test_the_page_says_beside_its_results_that_the_trained_baseline_learned_from_drawings(board: Board) -> None:
    first = board.rows[0]
    assert learned(first) == ""
    drawn = replace(first, name=f"Mine{DRAWN}")
    assert learned(drawn) == f"{drawn.name}: it has seen drawn films alone, so its scores on real ones mean nothing."
    assert "it has seen drawn films alone" in learned(replace(first, name=BASELINE))
