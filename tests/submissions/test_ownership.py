"""Whose name a system's is: of whoever was shown under it first, and nobody learns by trying who is anonymous."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.errors import InputError, UsageError
from harness.scoring import scorer
from harness.storage.report_lines import read_canonical
from harness.types import Cohort, Role, SystemCard
from leaderboard.content import load
from ranscore.commands import main
from submissions import moderation
from submissions.board_folder import BoardFolder
from submissions.events import VISITOR
from submissions.health import health
from submissions.intake import Findings, Upload, look, submit, withdraw
from submissions.ledger import Ledger, LedgerFolder
from submissions.names import skeleton
from submissions.policy import Policy
from submissions.projection import project
from submissions.receipts import receipt
from submissions.worker import Worker

Hand = Callable[..., Upload]
BLIND = "2026-06-01"


@pytest.fixture
def clock() -> list[float]:
    return [datetime(2026, 5, 1, tzinfo=UTC).timestamp()]


@pytest.fixture
def board_folder(board_folder: BoardFolder, clock: list[float]) -> BoardFolder:
    """A board whose clock stops until a test moves it, without quotas."""
    return replace(
        board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]), policy=Policy(per_day=0, in_all=0)
    )


def names(board_folder: BoardFolder) -> list[str]:
    return sorted(row.name for board in load(board_folder.store) for row in board.rows)


def said(found: Findings) -> list[str]:
    return [str(problem) for problem in found.problems]


def counted(real: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    """A function that notes each of its calls."""

    def call(*given: Any) -> Any:
        calls.append("")
        return real(*given)

    return call


# --- blind review ---


def test_nobody_finds_out_by_trying_names_who_is_anonymous(board_folder: BoardFolder, hand: Hand) -> None:
    submit(board_folder, hand(card=SystemCard("Birch", version="1", anonymous_until=BLIND), person="hf:ann"))
    Worker(board_folder).run(once=True)
    for person in ("hf:bob", VISITOR):
        for name in ("Birch", "BIRCH", "B1rch", "Larch"):
            found = look(board_folder, hand(name, person=person))
            assert said(found) == [], name
            assert found == look(board_folder, hand("Juniper", person=person))
    assert submit(board_folder, hand("Birch", person="hf:bob")).code


def test_a_code_tried_with_a_name_shows_nothing_either(board_folder: BoardFolder, hand: Hand) -> None:
    submit(board_folder, hand(card=SystemCard("Birch", version="1", anonymous_until=BLIND), person=VISITOR))
    answers = {tuple(said(look(board_folder, hand(name, person=VISITOR, code="a" * 16)))) for name in ("Birch", "Larch")}
    assert answers == {()}


def test_the_time_of_an_answer_does_not_depend_on_the_name(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of comparisons is the same whether a name is that of an anonymous system or of none."""
    from submissions import ownership

    for number in range(5):
        submit(board_folder, hand(card=SystemCard(f"Blind {number}", anonymous_until=BLIND), person=f"hf:{number}"))
    counts = []
    for name in ("Blind 0", "Blind 4", "Juniper"):
        calls: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr("submissions.ownership.skeleton", counted(skeleton, calls))
            patch.setattr("submissions.ownership.knows", counted(ownership.knows, calls))
            look(board_folder, hand(name, person=VISITOR, code="x" * 16))
        counts.append(len(calls))
    assert len(set(counts)) == 1


def test_whoever_was_shown_under_a_name_first_keeps_it_and_the_other_stays_anonymous(
    board_folder: BoardFolder, hand: Hand, clock: list[float]
) -> None:
    blind = submit(board_folder, hand(card=SystemCard("Birch", version="1", anonymous_until=BLIND), person="hf:ann"))
    rival = submit(board_folder, hand("Birch", person="hf:bob"))
    worker = Worker(board_folder)
    worker.run(once=True)
    hidden = next(name for name in names(board_folder) if name != "Birch")
    assert hidden.startswith("anonymous ")
    clock[0] += 40 * 86_400
    worker.tidy()
    assert names(board_folder) == sorted(["Birch", hidden]) and health(board_folder).contested == (blind.id,)
    assert "still anonymous" in receipt(board_folder, blind.id)["words"] and receipt(board_folder, blind.id)["system"] == hidden
    assert any("shown for others" in alarm for alarm in health(board_folder).alarms)
    withdraw(board_folder, rival.id, "", code=rival.code)
    worker.tidy()
    assert (
        names(board_folder) == ["Birch"] and health(board_folder).contested == () and receipt(board_folder, blind.id)["system"] == "Birch"
    )


def test_of_two_anonymous_systems_of_one_name_the_one_named_first_has_it(board_folder: BoardFolder, hand: Hand, clock: list[float]) -> None:
    late = submit(board_folder, hand(card=SystemCard("Birch", version="1", anonymous_until="2026-07-01"), person="hf:ann"))
    soon = submit(board_folder, hand(card=SystemCard("Birch", version="2", anonymous_until=BLIND), person="hf:bob"))
    clock[0] += 90 * 86_400
    Worker(board_folder).run(once=True)
    assert health(board_folder).contested == (late.id,) and receipt(board_folder, soon.id)["system"] == "Birch"


def test_ones_own_anonymous_version_is_named_on_its_day(board_folder: BoardFolder, hand: Hand, clock: list[float]) -> None:
    submit(board_folder, hand("Birch", person="hf:ann"))
    submit(board_folder, hand(card=SystemCard("Birch", version="2", anonymous_until=BLIND), person="hf:ann"))
    clock[0] += 40 * 86_400
    Worker(board_folder).run(once=True)
    assert names(board_folder) == ["Birch"] and health(board_folder).contested == ()
    assert sorted(item.record.system.version for item in board_folder.store.standing()) == ["", "2"]


# --- versions, where no login is ---


def test_without_a_login_a_new_version_needs_the_code_of_an_earlier_one(board_folder: BoardFolder, hand: Hand) -> None:
    first = submit(board_folder, hand(card=SystemCard("Birch", version="1"), person=VISITOR))
    for code in ("", "wrong", first.id, first.code[:-1]):
        with pytest.raises(InputError, match="if it is your own system, add the code of its receipt"):
            submit(board_folder, hand(card=SystemCard("Birch", version="2"), person=VISITOR, code=code))
    second = submit(board_folder, hand(card=SystemCard("Birch", version="2"), person=VISITOR, code=first.code))
    third = submit(board_folder, hand(card=SystemCard("Birch", version="3"), person=VISITOR, code=second.code))
    owners = {item.owner for item in board_folder.ledger.state().submissions.values()}
    assert owners == {first.id} and third.code not in (first.code, second.code)
    with pytest.raises(InputError, match="Write it as 'Birch'"):
        submit(board_folder, hand(card=SystemCard("birch", version="4"), person=VISITOR, code=third.code))


def test_the_code_of_another_system_opens_nothing(board_folder: BoardFolder, hand: Hand) -> None:
    submit(board_folder, hand("Birch", person=VISITOR))
    mine = submit(board_folder, hand("Elm", person=VISITOR))
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand(card=SystemCard("Birch", version="2"), person=VISITOR, code=mine.code))


def test_whoever_withdrew_hands_in_again_with_the_code(board_folder: BoardFolder, hand: Hand) -> None:
    first = submit(board_folder, hand(person=VISITOR))
    withdraw(board_folder, first.id, "", code=first.code)
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand(person=VISITOR))
    assert submit(board_folder, hand(person=VISITOR, code=first.code)).id != first.id


def test_a_login_needs_no_code_and_a_code_helps_who_has_another_login(board_folder: BoardFolder, hand: Hand) -> None:
    first = submit(board_folder, hand(card=SystemCard("Birch", version="1"), person="hf:ann"))
    submit(board_folder, hand(card=SystemCard("Birch", version="2"), person="hf:ann"))
    with pytest.raises(InputError):
        submit(board_folder, hand(card=SystemCard("Birch", version="3"), person="hf:bob"))
    submit(board_folder, hand(card=SystemCard("Birch", version="3"), person="hf:bob", code=first.code))


@pytest.mark.parametrize("code", ["\ud800", "é", "\0", "x" * 1_000_000])
def test_an_odd_code_is_a_wrong_code(board_folder: BoardFolder, hand: Hand, code: str) -> None:
    first = submit(board_folder, hand(person=VISITOR))
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand(card=SystemCard("Birch", version="2"), person=VISITOR, code=code))
    from harness.errors import RefusedError

    with pytest.raises(RefusedError):
        withdraw(board_folder, first.id, "", code=code)


# --- names that nobody submitted ---


@pytest.mark.parametrize(
    "name", ["RGRG", "rgrg", "R2Gen-GPT", "PromptMRG", "Prornpt MRG", "Libra 1.0 3B", "LLM-RG4", "XrayGPT", "Хray GPT"]
)
def test_the_systems_of_the_paper_are_not_handed_in_by_visitors(board_folder: BoardFolder, hand: Hand, name: str) -> None:
    assert any("a system of this name is on the board" in line for line in said(look(board_folder, hand(name))))
    operators = said(look(board_folder, hand(name, operator=True)))
    assert not any("a system of this name is on the board" in line for line in operators)


@pytest.mark.parametrize("name", ["RGRG rerun by us", "MyPromptMRG", "Libra-2"])
def test_names_that_only_hold_one_of_theirs_are(board_folder: BoardFolder, hand: Hand, name: str) -> None:
    assert said(look(board_folder, hand(name))) == []


def test_a_name_of_the_boards_own_records_is_taken(board_folder: BoardFolder, hand: Hand, cohort: Cohort, reports: bytes) -> None:
    for card in (SystemCard("Quartz"), SystemCard("Mean of ten", role=Role.FLOOR)):
        board_folder.store.add(
            scorer.score(predictions=read_canonical(reports), references=cohort, metrics=("ran-score",), card=card).record
        )
    for name in ("Quartz", "QUARTZ", "Mean of ten", "Mean-of-ten"):
        assert any("a system of this name is on the board" in line for line in said(look(board_folder, hand(name))))
    assert said(look(board_folder, hand("Quartz", operator=True))) == []
    assert said(look(board_folder, hand("Mean of ten", operator=True))) != []


def test_a_damaged_store_keeps_nobody_from_submitting(board_folder: BoardFolder, hand: Hand) -> None:
    (board_folder.root / "store" / "events").mkdir(parents=True)
    (board_folder.root / "store" / "events" / "20260101T000000Z-0123456789abcdef.json").write_text("{")
    assert submit(board_folder, hand()).code


# --- names that are given free ---


def test_a_squatted_name_is_given_free_and_kept_again(board_folder: BoardFolder, hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
    squatter = submit(board_folder, hand("Birch", person="hf:eve"))
    board = ["--board", str(board_folder.root), "--reason", "squatted"]
    assert main(["moderate", "free", squatter.id, *board]) == 2
    assert "withdraw or hide it first" in capsys.readouterr().err
    withdraw(board_folder, squatter.id, "", code=squatter.code)
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand("Birch", person="hf:ann"))
    assert main(["moderate", "free", squatter.id, *board]) == 0
    look_now = look(board_folder, hand("Birch", person="hf:ann"))
    assert said(look_now) == []
    assert main(["moderate", "keep", squatter.id, *board]) == 0
    assert said(look(board_folder, hand("Birch", person="hf:ann"))) != []
    assert main(["moderate", "free", squatter.id, *board]) == 0
    submit(board_folder, hand("Birch", person="hf:ann"))
    Worker(board_folder).run(once=True)
    assert names(board_folder) == ["Birch"]
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand("Birch", card=SystemCard("Birch", version="9"), person="hf:eve"))


def test_all_versions_are_given_free_together_and_a_hidden_one_does_not_come_back(board_folder: BoardFolder, hand: Hand) -> None:
    one = submit(board_folder, hand(card=SystemCard("Birch", version="1"), person="hf:eve"))
    two = submit(board_folder, hand(card=SystemCard("Birch", version="2"), person="hf:eve"))
    Worker(board_folder).run(once=True)
    withdraw(board_folder, one.id, "", operator=True)
    with pytest.raises(UsageError, match=two.id):
        moderation.free(board_folder, one.id, "squatted")
    moderation.hide(board_folder, two.id, "squatted")
    moderation.free(board_folder, one.id, "squatted")
    assert all(item.freed for item in board_folder.ledger.state().submissions.values())
    with pytest.raises(UsageError, match="its name was given free"):
        moderation.show(board_folder, two.id, "a mistake")
    with pytest.raises(UsageError, match="moderation needs a reason"):
        moderation.free(board_folder, one.id, " ")
    with pytest.raises(UsageError, match="there is no submission"):
        moderation.free(board_folder, "nobody", "x")
    project(board_folder)
    assert names(board_folder) == []


def test_the_ledger_alone_says_who_owns_what(board_folder: BoardFolder, hand: Hand) -> None:
    first = submit(board_folder, hand(person=VISITOR))
    submit(board_folder, hand(card=SystemCard("Birch", version="2"), person=VISITOR, code=first.code))
    again = replace(board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), time.time))
    assert {item.owner for item in again.ledger.state().submissions.values()} == {first.id}
