"""The tab Extractor: the validation of the extractor that labelled a board, what is unknown, and plain words where there is none."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.config.home import home
from harness.records.store import Store
from leaderboard.board import Board
from leaderboard.content import BoardContent
from leaderboard.html.addresses import Live
from leaderboard.validations import extractor_digest, found
from leaderboard.views import extractor, router
from tests.boards import HOSTILE
from tests.validation.extractors.conftest import settled
from tests.validation.readers.conftest import Made
from validation.extractors import measure, named, reference, results
from validation.extractors.results import Validation


@pytest.fixture
def lung() -> Made:
    """A settled standard in the test's home."""
    return settled(60, "lung", items=50, how="rare")


def labelled(store: Store) -> Board:
    """The first board of a store, as if an extractor had labelled it."""
    board = BoardContent(store).content().boards[0]
    return replace(board, extractor="lexical")


def validation_of(board: Board, name: str = "lung", title: str = "lexical") -> tuple[Validation, dict[str, object]]:
    """A validation of the embedded extractor, as if it were the one of the board."""
    standard = reference.load(name)
    listed = named.candidates_of([named.parse("lexical")], standard, Store(home() / "store"))
    own = replace(listed[0], digest=extractor_digest(board).ljust(64, "0"), title=title)
    return measure.validate(standard, [own, *listed[1:]], "2026-12-01T00:00:00Z")


def shown(board: Board, *validations: Validation) -> str:
    return str(extractor.view(board, validations, (), Live()))


def test_the_tab_shows_each_number_of_the_validation(lung: Made, demo_store: Store) -> None:
    board = labelled(demo_store)
    validation, _ = validation_of(board)
    page = shown(board, validation)
    part = validation.extractors[0].parts[0]
    rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', page))
    for item in part.findings:
        for kind in results.KINDS:
            own = item.ratio(kind)
            assert f"{own.value:.3f}" in rows[item.finding] and f"{own.low:.3f} to {own.high:.3f}" in rows[item.finding]
        assert f'data-v="{item.positives}"' in rows[item.finding] and f"{item.fp} + {item.fn}" in rows[item.finding]
        assert f"--dot:{120 * item.f1.value:.4g}"[:8] in rows[item.finding]
    assert "50 reports read by people" in page and "weighted by the draw" in page and "not this board" in page
    assert "always absent" in page  # the floor is beside


def test_what_a_validation_does_not_say_is_listed(lung: Made, demo_store: Store) -> None:
    board = labelled(demo_store)
    validation, _ = validation_of(board)
    text = " ".join(extractor.unknowns(board, validation, validation.extractors[0]))
    few = [item.finding for item in validation.extractors[0].parts[0].findings if item.positives < 10]
    assert few and all(name in text for name in few)
    assert "another one" in text and "systems wrote" in text and "did not agree" in text
    standard = replace(validation.standard, cohort=board.cohort.digest, study="")
    own = " ".join(extractor.unknowns(board, replace(validation, standard=standard), validation.extractors[0]))
    assert "another one" not in own and "without a study" in own


def test_a_board_without_a_validation_says_so_in_plain_words(lung: Made, demo_store: Store) -> None:
    board = labelled(demo_store)
    page = shown(board)
    assert "Not validated" in page and "is unknown" in page and "ranscore extractor validate" in page
    validation, _ = validation_of(board)
    other = replace(validation, extractors=(replace(validation.extractors[0], digest="f" * 64, title="another one"),))
    assert "Not validated" in shown(board, other) and "another one" in shown(board, other)
    assert "known by construction" in str(router.render(BoardContent(demo_store), "extractor", {}, Live()))


def test_a_label_file_of_equal_title_is_no_validation_of_the_extractor(lung: Made, demo_store: Store) -> None:
    board = labelled(demo_store)
    validation, _ = validation_of(board)
    unnamed = replace(validation, extractors=(replace(validation.extractors[0], digest=""),))
    assert "Not validated" in shown(board, unnamed)


def test_the_header_of_every_tab_leads_to_it(demo_store: Store) -> None:
    for tab in router.TABS:
        page = str(router.render(BoardContent(demo_store), tab, {}, Live()))
        assert re.search(r'<li><a href="\?tab=extractor[^"]*">labels: ', page), tab


def test_the_page_changes_when_an_extractor_is_validated_and_a_changed_file_is_not_shown(lung: Made, demo_store: Store) -> None:
    content = BoardContent(demo_store)
    before = content.content().stamp
    path = results.save(*validation_of(labelled(demo_store)))
    assert content.content().stamp != before and len(content.validations()) == 1
    path.write_text(path.read_text().replace('"tp": ', '"tp": 1', 1))
    assert found([home() / "validations"]) == content.validations() == ()


def test_titles_that_mean_harm_stay_text_and_no_report_is_there(lung: Made, demo_store: Store) -> None:
    board = labelled(demo_store)
    sentences = {part.strip() for texts in lung.texts.values() for text in texts for part in text.split(".") if len(part) > 25}
    for title in HOSTILE:
        page = shown(board, validation_of(board, title=title)[0])
        assert title not in page or not re.search(r"[<>\"'${`]", title)
        assert not [sentence for sentence in sentences if sentence in page]
        assert not [item.study for item in lung.study.items if item.study in page]
