"""The tab Readers: what the standard's file says, without text and without names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.home import home
from harness.findings import NO_FINDING, RAN_21
from harness.records.store import Store
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.html.addresses import Live
from leaderboard.standards import Standard, found
from leaderboard.views import readers, router
from tests.boards import HOSTILE
from tests.validation.readers.conftest import Made, cohort_of, study_of
from validation.readers import standard


@pytest.fixture
def settled() -> Made:
    """A settled standard in the test's home."""
    made = study_of(cohort_of(60, seed=3), "lung", items=50, how="rare", decided_by="Dr Example, two rounds", threshold="0.9 by Dr Example")
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    return made


def shown(store: Store) -> str:
    return str(router.render(BoardContent(store), "readers", {}, Live()))


def test_the_tab_shows_the_numbers_of_the_standard(settled: Made, demo_store: Store) -> None:
    page = shown(demo_store)
    agreement = standard.load(settled.folder.path)["agreement"]
    assert "50 items of" in page and "6 readers, 4 equal answers decide" in page
    claimed = [item for item in agreement["questions"] if not item["few"]]
    assert claimed and page.count("cannot say") >= len(agreement["questions"]) - len(claimed)
    for item in claimed:
        for value, low, high in item["measures"].values():
            assert f"{value:.2f}" in page and f"{low:.2f} to {high:.2f}" in page
    for one, other, value, low, high in agreement["pairs"]:
        assert one != other and f"{value:.2f}" in page and f"{low:.2f}–{high:.2f}" in page
    for row in standard.load(settled.folder.path)["strata"]:
        assert re.search(rf">{re.escape(row['stratum'])}</th>", page)
    assert all(name in page for name in RAN_21 if name != NO_FINDING)


def test_no_text_no_name_and_no_id_reaches_the_tab(settled: Made, demo_store: Store) -> None:
    page = shown(demo_store)
    data = (settled.folder.path / "standard.json").read_text()
    sentences = {part.strip() for texts in settled.texts.values() for text in texts for part in text.split(".") if len(part) > 25}
    for where in (page, data):
        assert not [sentence for sentence in sentences if sentence in where]
        assert not [item.study for item in settled.study.items if item.study in where]
        assert not [item.patient for item in settled.study.items if item.patient in where]
    assert "reader-1" not in page and "Dr Example" not in page


def test_a_store_without_a_record_shows_the_standards_too(settled: Made, tmp_path: Path) -> None:
    page = shown(Store(tmp_path / "empty"))
    assert "50 items of" in page and "not this board" not in page and "This store is empty" not in page
    assert "This store is empty" in str(router.render(BoardContent(Store(tmp_path / "empty")), "board", {}, Live()))
    static_site.write(BoardContent(Store(tmp_path / "empty")), tmp_path / "site")
    assert "50 items of" in (tmp_path / "site" / "index.html").read_text()


def test_a_board_without_a_standard_says_how_to_make_one(demo_store: Store) -> None:
    assert "ranscore readers new" in shown(demo_store)


def test_the_page_changes_when_a_standard_is_settled(demo_store: Store) -> None:
    board_content = BoardContent(demo_store)
    before = board_content.content().stamp
    made = study_of(cohort_of(30))
    made.hand_in()
    assert board_content.content().stamp == before
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    assert board_content.content().stamp != before


def test_a_changed_standard_is_not_shown(settled: Made) -> None:
    path = settled.folder.path / "standard.json"
    assert [item.name for item in found([home() / "readers"])] == ["lung"]
    path.write_text(path.read_text().replace('"looks": 0', '"looks": 3'))
    assert found([home() / "readers"]) == ()
    path.write_text("[")
    assert found([home() / "readers"]) == ()


def test_names_that_mean_harm_stay_text(settled: Made, demo_store: Store) -> None:
    board = BoardContent(demo_store).content().boards[0]
    data = standard.load(settled.folder.path)
    for name in HOSTILE:
        questions = [{**item, "name": name} for item in data["agreement"]["questions"]]
        strata = [{"stratum": name, "drawn": 1, "of": 2}]
        rating = {"systems": [{"system": name, "reports": 1, "means": {"judgement": [1.0, 0.0, 2.0]}, "shares": {}}], "metrics": []}
        evil = {
            **data,
            "agreement": {**data["agreement"], "questions": questions},
            "strata": strata,
            "rating": rating,
            "cohort": {**data["cohort"], "name": name},
        }
        page = str(readers.view(board, [Standard(name, evil)], (), Live()))
        assert name not in page or not re.search(r"[<>\"'${`]", name)
        assert "<script" not in page.replace("&lt;script", "")


def test_early_looks_and_open_sheets_are_shown_for_ever(settled: Made, demo_store: Store) -> None:
    board = BoardContent(demo_store).content().boards[0]
    data = standard.load(settled.folder.path) | {"looks": 2, "open": ["reader-2", "reader-3"]}
    page = str(readers.view(board, [Standard("lung", data)], (), Live()))
    assert "looked at the agreement 2 times" in page and "open when it was settled: 2" in page


def test_the_static_site_has_the_tab(settled: Made, demo_store: Store, tmp_path: Path) -> None:
    static_site.write(BoardContent(demo_store), tmp_path)
    pages = list(tmp_path.glob("readers-*.html"))
    assert len(pages) == 1 and "lung" in pages[0].read_text()
    assert f'href="{pages[0].name}"' in (tmp_path / "index.html").read_text()
    assert "reader-1" not in pages[0].read_text()


def test_the_own_cohort_comes_first(settled: Made, demo_store: Store) -> None:
    board = BoardContent(demo_store).content().boards[0]
    data = standard.load(settled.folder.path)
    own = Standard("z-own", {**data, "cohort": {**data["cohort"], "digest": board.cohort.digest}})
    page = str(readers.view(board, [Standard("a-other", data), own], (), Live()))
    assert page.index("z-own") < page.index("a-other") and page.count("not this board") == 1
    assert json.dumps(replace(own).data)
