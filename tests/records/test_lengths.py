"""`ranscore snapshot --length`: the length of reports in the snapshot, on the board and beside the other scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cohorts
from harness.metrics import metric
from harness.records import snapshot
from harness.records.store import Store
from harness.scoring import demo
from leaderboard.content import BoardContent
from leaderboard.exports import tables
from leaderboard.html.addresses import Live
from leaderboard.views import agree
from ranscore.commands import main


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("length")
    store = Store(folder / "store")
    cohorts.save(demo.fill(store, [metric("ran-score")], studies=60), folder / "cohorts" / "drawn")
    return store


def test_lengths_are_counted_and_nothing_else_changes(filled: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (before,) = (snapshot.load(path) for path in snapshot.listed(filled.root))
    assert main(["snapshot", "--length", "--store", str(filled.root)]) == 0
    after = snapshot.load(snapshot.listed(filled.root)[0])
    assert after.lengths and after.metrics == before.metrics and after.signature == before.signature
    loaded = cohorts.load(filled.root.parent / "cohorts" / "drawn")
    references = [len(loaded.reference(study.id).split()) for study in loaded.scored]
    for item in filled.standing():
        reports = filled.reports(item) or {}
        known = after.lengths.systems[item.id]
        assert known.words == pytest.approx(sum(len(text.split()) for text in reports.values()) / 60, rel=1e-5)
        assert known.reference_words == pytest.approx(sum(references) / 60, rel=1e-5)
        assert known.score == pytest.approx(item.record.metrics[0].value, rel=1e-5)
    content = BoardContent(filled).content()
    (board,) = content.boards
    row = board.rows[0]
    known = after.lengths.systems[row.id]
    assert tables.FACTS["length"](row) == f"{known.words:.0f} of {known.reference_words:.0f}"
    page = str(agree.view(board, content.boards, Live(), content.lengths(board)))
    assert "For each doubling" in page and f"{known.words:.0f}" in page


def test_without_the_cohort_it_is_refused(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = Store(tmp_path / "store")
    demo.fill(alone, [metric("ran-score")], studies=20)
    assert main(["snapshot", "--length", "--store", str(alone.root)]) != 0
    assert "not on this machine" in capsys.readouterr().err
