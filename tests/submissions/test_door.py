"""From a file to a place on the board, through the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.errors import InputError, RefusedError, UnavailableError, UsageError
from harness.scoring import scorer
from harness.storage.report_lines import canonical, read_canonical
from harness.types import Cohort, SystemCard
from leaderboard.content import load
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import State
from submissions.intake import Upload, look, read, submit, withdraw
from submissions.ledger import Ledger, LedgerFolder
from submissions.policy import Policy
from submissions.worker import Worker, progress

Hand = Callable[..., Upload]


def state(board_folder: BoardFolder, name: str) -> State:
    return board_folder.ledger.state().submissions[name].state


def test_a_submission_is_received_scored_listed_and_ranked(board_folder: BoardFolder, hand: Hand, cohort: Cohort, reports: bytes) -> None:
    receipt = submit(board_folder, hand())
    assert state(board_folder, receipt.id) is State.RECEIVED
    assert Worker(board_folder).run(once=True) == 1
    item = board_folder.ledger.state().submissions[receipt.id]
    assert [event.kind for event in item.events] == ["received", "claimed", "validated", "scored", "listed"]
    (row,) = [row for board in load(board_folder.store) for row in board.rows]
    assert row.name == "Birch" and row.place and row.place.rank == 1 and row.grade.value == "scored here"
    direct = scorer.score(predictions=read_canonical(reports), references=cohort, card=SystemCard("Birch"))
    assert row.digest == direct.record.digest == item.record


def test_the_same_file_in_another_order_and_format_gives_the_same_digest(board_folder: BoardFolder, hand: Hand, reports: bytes) -> None:
    rows = [json.loads(line) for line in reports.decode().splitlines()]
    as_json = json.dumps({row["study_id"]: row["report"] for row in reversed(rows)}).encode()
    one = submit(board_folder, hand("One"))
    other = submit(board_folder, hand("Other", content=as_json, file="other.json"))
    Worker(board_folder).run(once=True)
    found = board_folder.ledger.state().submissions
    assert found[one.id].record == found[other.id].record != ""


def test_a_report_with_every_kind_of_line_end_is_one_report() -> None:
    odd = {"s1": "Clear.\u2028No\x85 effusion.\r\n", "s2": "x"}
    assert read_canonical(canonical(odd)) == odd
    lines = [json.dumps({"study_id": name, "report": text}, ensure_ascii=False) for name, text in odd.items()]
    assert read_canonical("\n".join(lines).encode()) == odd


def test_a_dry_run_keeps_nothing_and_scores_nothing(board_folder: BoardFolder, hand: Hand) -> None:
    found = look(board_folder, hand())
    assert found.problems == () and len(found.reports) == 40
    assert not (board_folder.root / "ledger" / "events").exists() and not (board_folder.root / "ledger" / "files").exists()


def test_the_same_handed_in_twice_is_one_submission(board_folder: BoardFolder, hand: Hand) -> None:
    first, again, third = (submit(board_folder, hand()) for _ in range(3))
    assert first.id == again.id == third.id and first.code and not again.code
    assert len(board_folder.ledger.state().submissions) == 1


def test_all_problems_of_file_card_and_person_come_at_once(board_folder: BoardFolder, hand: Hand) -> None:
    bad = hand("<b>", content=b"study_id,report\nnowhere,=1+1\n", file="bad.csv")
    with pytest.raises(InputError) as caught:
        submit(board_folder, bad)
    text = str(caught.value)
    assert "bad.csv:2: the study is not one" in text.replace(", study 'nowhere'", "")
    assert "a spreadsheet takes for a formula" in text and "markup" in text
    assert board_folder.ledger.state().submissions == {}


def test_withdrawal_takes_it_off_the_board_and_leaves_a_tombstone(board_folder: BoardFolder, hand: Hand) -> None:
    receipt = submit(board_folder, hand())
    worker = Worker(board_folder)
    worker.run(once=True)
    with pytest.raises(RefusedError):
        withdraw(board_folder, receipt.id, "mine", person="local:bob")
    with pytest.raises(RefusedError):
        withdraw(board_folder, receipt.id, "mine", code="wrong")
    withdraw(board_folder, receipt.id, "wrong file <script>", code=receipt.code)
    worker.tidy()
    item = board_folder.ledger.state().submissions[receipt.id]
    assert item.state is State.WITHDRAWN and item.reasons == ("wrong file script",)
    assert load(board_folder.store) == ()
    with pytest.raises(UsageError, match="withdrawn already"):
        withdraw(board_folder, receipt.id, "again", code=receipt.code)
    again = submit(board_folder, hand())
    worker.run(once=True)
    assert again.id != receipt.id and [row.name for board in load(board_folder.store) for row in board.rows] == ["Birch"]


def test_a_login_withdraws_what_it_handed_in(board_folder: BoardFolder, hand: Hand) -> None:
    receipt = submit(board_folder, hand(person="hf:ann"))
    with pytest.raises(RefusedError):
        withdraw(board_folder, receipt.id, "", person="hf:bob")
    withdraw(board_folder, receipt.id, "", person="hf:ann")
    assert state(board_folder, receipt.id) is State.WITHDRAWN
    assert Worker(board_folder).run(once=True) == 0


def test_withdrawn_while_it_is_scored_is_not_listed(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(board_folder, hand())
    worker, whole = Worker(board_folder), scorer.score

    def slow(*arguments: object, **named: object) -> object:
        withdraw(board_folder, receipt.id, "", code=receipt.code)
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(scorer, "score", slow)
    worker.run(once=True)
    assert state(board_folder, receipt.id) is State.WITHDRAWN and board_folder.store.all() == ()


def test_a_name_is_of_the_person_who_used_it_first(board_folder: BoardFolder, hand: Hand) -> None:
    submit(board_folder, hand(person="hf:ann"))
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(board_folder, hand("BIRCH", person="hf:bob"))
    with pytest.raises(InputError, match="Write it as 'Birch'"):
        submit(board_folder, hand("birch", person="hf:ann"))
    submit(board_folder, hand("Birch", card=SystemCard("Birch", version="2"), person="hf:ann"))
    with pytest.raises(InputError, match="name is that of a floor"):
        submit(board_folder, hand("Constant Normal"))


def test_quotas_are_per_person_and_cohort_and_pass_with_time(board_folder: BoardFolder, hand: Hand) -> None:
    clock = [1_700_000_000.0]
    board_folder = replace(
        board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]), policy=Policy(per_day=2, in_all=3)
    )
    for number in range(2):
        submit(board_folder, hand(card=SystemCard("Birch", version=str(number))))
    with pytest.raises(InputError, match=r"2 are allowed\. Wait 24 hours"):
        submit(board_folder, hand(card=SystemCard("Birch", version="2")))
    submit(board_folder, hand("Elm", person="local:bob"))
    clock[0] += 86_401
    submit(board_folder, hand(card=SystemCard("Birch", version="2")))
    clock[0] += 86_401
    with pytest.raises(InputError, match="3 are allowed in all"):
        submit(board_folder, hand(card=SystemCard("Birch", version="3")))


def test_the_owner_of_the_folder_has_no_quota(board_folder: BoardFolder, hand: Hand) -> None:
    board_folder = replace(board_folder, policy=Policy(per_day=1, in_all=1))
    for number in range(3):
        submit(board_folder, replace(hand(card=SystemCard("Birch", version=str(number))), operator=True))
    with pytest.raises(InputError, match="1 are allowed in all"):
        submit(board_folder, hand(card=SystemCard("Birch", version="4")))
    full = replace(board_folder, policy=Policy(queue=1))
    with pytest.raises(InputError, match="Run `ranscore worker --once`"):
        submit(full, replace(hand(card=SystemCard("Birch", version="5")), operator=True))


def test_a_full_queue_turns_away(board_folder: BoardFolder, hand: Hand) -> None:
    board_folder = replace(board_folder, policy=Policy(queue=1))
    submit(board_folder, hand())
    with pytest.raises(InputError, match="1 submissions are waiting"):
        submit(board_folder, hand("Elm"))


def test_an_anonymous_system_is_named_on_its_day(board_folder: BoardFolder, hand: Hand) -> None:
    clock = [datetime(2026, 5, 1, tzinfo=UTC).timestamp()]
    board_folder = replace(board_folder, ledger=Ledger(LedgerFolder(board_folder.root / "ledger"), lambda: clock[0]))
    card = SystemCard("Birch", version="1", organisation="Forest University", link="https://example.org", anonymous_until="2026-06-01")
    submit(board_folder, hand(card=card))
    worker = Worker(board_folder)
    worker.run(once=True)
    (row,) = load(board_folder.store)[0].rows
    assert row.name.startswith("anonymous ") and not row.organisation and not row.link and not row.version
    assert "Birch" not in "".join(path.read_text() for path in (board_folder.root / "store").rglob("*.json"))
    clock[0] += timedelta(days=40).total_seconds()
    worker.tidy()
    (row,) = load(board_folder.store)[0].rows
    assert (row.name, row.organisation) == ("Birch", "Forest University") and row.place


def test_the_privacy_screen_warns_before_anything_is_stored(board_folder: BoardFolder, hand: Hand, reports: bytes) -> None:
    rows = [json.loads(line) for line in reports.decode().splitlines()]
    rows[0]["report"] += " Discussed with Dr. Miller on 03/14/2019, MRN 4471234."
    content = "\n".join(map(json.dumps, rows)).encode()
    with pytest.raises(RefusedError) as caught:
        submit(board_folder, hand(content=content))
    text = str(caught.value)
    assert all(kind in text for kind in ("a date", "a record number", "a name"))
    assert "Miller" not in text and "4471234" not in text and "2019" not in text
    assert not (board_folder.root / "ledger" / "files").exists()
    submit(board_folder, hand(content=content, looked=True))


def test_a_server_that_is_down_costs_no_attempt(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(board_folder, hand())
    board_folder = replace(board_folder, policy=Policy(retry=0.0, attempts=3))
    whole = scorer.score

    def down(*_: object, **__: object) -> None:
        raise UnavailableError("the server does not answer")

    monkeypatch.setattr(scorer, "score", down)
    for _ in range(5):
        Worker(board_folder).step()
    assert state(board_folder, receipt.id) is State.VALIDATED
    monkeypatch.setattr(scorer, "score", whole)
    Worker(board_folder).run(once=True)
    assert state(board_folder, receipt.id) is State.LISTED


def test_a_submission_that_breaks_the_worker_is_set_aside(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(board_folder, hand())
    board_folder = replace(board_folder, policy=Policy(retry=0.0, attempts=3))

    def broken(*_: object, **__: object) -> None:
        raise ValueError("quotes the report")

    monkeypatch.setattr(scorer, "score", broken)
    for _ in range(4):
        Worker(board_folder).step()
    item = board_folder.ledger.state().submissions[receipt.id]
    assert item.state is State.SET_ASIDE
    aside = item.last("set aside")
    assert aside and aside.data == {"why": "ValueError", "attempts": 3}
    assert b"quotes" not in b"".join(map(board_folder.ledger.ledger_files.blob, board_folder.ledger.ledger_files.names()))


def test_extracting_says_i_of_n(board_folder: BoardFolder, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(board_folder, hand())
    seen = []
    worker = Worker(board_folder)
    note = worker._note

    def spy(name: str, done: int, total: int) -> None:
        note(name, done, total)
        seen.append((state(board_folder, name), progress(board_folder, name)))

    monkeypatch.setattr(Worker, "_note", lambda _, *arguments: spy(*arguments))
    worker.run(once=True)
    assert seen[-1] == (State.EXTRACTING, (40, 40)) and progress(board_folder, receipt.id) is None


def test_two_workers_share_the_work(board_folder: BoardFolder, hand: Hand) -> None:
    ids = [submit(board_folder, hand(name, person=f"local:{name}")).id for name in ("A", "B", "C")]
    one, other = Worker(board_folder), Worker(board_folder)
    claim = one._claim()
    assert claim and claim.stream == ids[0]
    assert other.run(once=True) == 2
    assert [state(board_folder, name) for name in ids] == [State.RECEIVED, State.LISTED, State.LISTED]
    one._process(claim.stream)
    assert state(board_folder, ids[0]) is State.LISTED


def test_a_worker_that_lost_its_claim_writes_nothing(board_folder: BoardFolder, hand: Hand) -> None:
    board_folder = replace(board_folder, policy=Policy(lease=0.0))
    receipt = submit(board_folder, hand())
    slow = Worker(board_folder)
    claim = slow._claim()
    assert claim
    Worker(replace(board_folder, policy=Policy())).run(once=True)
    from submissions.worker import Lost

    with pytest.raises(Lost):
        slow._append(receipt.id, "scored", {})
    kinds = [event.kind for event in board_folder.ledger.state().submissions[receipt.id].events]
    assert kinds.count("scored") == 1 and kinds[-1] == "listed"


def test_messages_are_word_for_word_those_of_validate(
    board_folder: BoardFolder, hand: Hand, tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ranscore.commands import main

    monkeypatch.chdir(board_folder.root)
    lines = ["study_id,report,mood"] + [f"s3{number:06d},<b>x</b>,y" for number in range(30)] + ["s9,nan,z", "s3000000,again,q", ","]
    content = "\n".join(lines).encode()
    (board_folder.root / "bad.jsonl").write_bytes(content)
    assert main(["validate", "bad.jsonl", "--cohort", str(board_folder.root / "cohorts" / "synthetic")]) == 3
    said = capsys.readouterr()
    checked = read(board_folder, hand(content=content, file="bad.jsonl"), board_folder.manifest("synthetic"))
    assert said.err.splitlines()[:-1] == [f"ranscore: {line}" for problem in checked.problems for line in str(problem).splitlines()]
    assert said.out.splitlines() == [f"warning: {problem}" for problem in checked.warnings]
    assert len(checked.problems) > 20 and checked.warnings


def test_the_policy_of_a_folder_is_read_and_checked(board_folder: BoardFolder) -> None:
    (board_folder.root / "config.toml").write_text("[door]\nper_day = 5\nlease = 1.5\n")
    assert board_folders.at(board_folder.root).policy == Policy(per_day=5, lease=1.5)
    (board_folder.root / "config.toml").write_text('[door]\nper_dya = 5\nlease = "x"\n')
    with pytest.raises(InputError, match="no key 'per_dya'") as caught:
        board_folders.at(board_folder.root)
    assert len(caught.value.problems) == 2
