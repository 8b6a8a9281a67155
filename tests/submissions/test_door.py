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
from submissions import desk as desks
from submissions.desk import Desk
from submissions.events import State
from submissions.intake import Upload, look, read, submit, withdraw
from submissions.ledger import Ledger, LedgerFolder
from submissions.policy import Policy
from submissions.worker import Worker, progress

Hand = Callable[..., Upload]


def state(desk: Desk, name: str) -> State:
    return desk.ledger.books().submissions[name].state


def test_a_submission_is_received_scored_listed_and_ranked(desk: Desk, hand: Hand, cohort: Cohort, reports: bytes) -> None:
    receipt = submit(desk, hand())
    assert state(desk, receipt.id) is State.RECEIVED
    assert Worker(desk).run(once=True) == 1
    item = desk.ledger.books().submissions[receipt.id]
    assert [event.kind for event in item.events] == ["received", "claimed", "validated", "scored", "listed"]
    (row,) = [row for board in load(desk.store) for row in board.rows]
    assert row.name == "Birch" and row.place and row.place.rank == 1 and row.grade.value == "scored here"
    direct = scorer.score(predictions=read_canonical(reports), references=cohort, card=SystemCard("Birch"))
    assert row.digest == direct.record.digest == item.record


def test_the_same_file_in_another_order_and_format_gives_the_same_digest(desk: Desk, hand: Hand, reports: bytes) -> None:
    rows = [json.loads(line) for line in reports.decode().splitlines()]
    as_json = json.dumps({row["study_id"]: row["report"] for row in reversed(rows)}).encode()
    one = submit(desk, hand("One"))
    other = submit(desk, hand("Other", content=as_json, file="other.json"))
    Worker(desk).run(once=True)
    found = desk.ledger.books().submissions
    assert found[one.id].record == found[other.id].record != ""


def test_a_report_with_every_kind_of_line_end_is_one_report() -> None:
    odd = {"s1": "Clear.\u2028No\x85 effusion.\r\n", "s2": "x"}
    assert read_canonical(canonical(odd)) == odd
    lines = [json.dumps({"study_id": name, "report": text}, ensure_ascii=False) for name, text in odd.items()]
    assert read_canonical("\n".join(lines).encode()) == odd


def test_a_dry_run_keeps_nothing_and_scores_nothing(desk: Desk, hand: Hand) -> None:
    found = look(desk, hand())
    assert found.problems == () and len(found.reports) == 40
    assert not (desk.root / "ledger" / "events").exists() and not (desk.root / "ledger" / "files").exists()


def test_the_same_handed_in_twice_is_one_submission(desk: Desk, hand: Hand) -> None:
    first, again, third = (submit(desk, hand()) for _ in range(3))
    assert first.id == again.id == third.id and first.code and not again.code
    assert len(desk.ledger.books().submissions) == 1


def test_all_problems_of_file_card_and_person_come_at_once(desk: Desk, hand: Hand) -> None:
    bad = hand("<b>", content=b"study_id,report\nnowhere,=1+1\n", file="bad.csv")
    with pytest.raises(InputError) as caught:
        submit(desk, bad)
    text = str(caught.value)
    assert "bad.csv:2: the study is not one" in text.replace(", study 'nowhere'", "")
    assert "a spreadsheet takes for a formula" in text and "markup" in text
    assert desk.ledger.books().submissions == {}


def test_withdrawal_takes_it_off_the_board_and_leaves_a_tombstone(desk: Desk, hand: Hand) -> None:
    receipt = submit(desk, hand())
    worker = Worker(desk)
    worker.run(once=True)
    with pytest.raises(RefusedError):
        withdraw(desk, receipt.id, "mine", person="local:bob")
    with pytest.raises(RefusedError):
        withdraw(desk, receipt.id, "mine", code="wrong")
    withdraw(desk, receipt.id, "wrong file <script>", code=receipt.code)
    worker.tidy()
    item = desk.ledger.books().submissions[receipt.id]
    assert item.state is State.WITHDRAWN and item.reasons == ("wrong file script",)
    assert load(desk.store) == ()
    with pytest.raises(UsageError, match="withdrawn already"):
        withdraw(desk, receipt.id, "again", code=receipt.code)
    again = submit(desk, hand())
    worker.run(once=True)
    assert again.id != receipt.id and [row.name for board in load(desk.store) for row in board.rows] == ["Birch"]


def test_a_login_withdraws_what_it_handed_in(desk: Desk, hand: Hand) -> None:
    receipt = submit(desk, hand(person="hf:ann"))
    with pytest.raises(RefusedError):
        withdraw(desk, receipt.id, "", person="hf:bob")
    withdraw(desk, receipt.id, "", person="hf:ann")
    assert state(desk, receipt.id) is State.WITHDRAWN
    assert Worker(desk).run(once=True) == 0


def test_withdrawn_while_it_is_scored_is_not_listed(desk: Desk, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(desk, hand())
    worker, whole = Worker(desk), scorer.score

    def slow(*arguments: object, **named: object) -> object:
        withdraw(desk, receipt.id, "", code=receipt.code)
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(scorer, "score", slow)
    worker.run(once=True)
    assert state(desk, receipt.id) is State.WITHDRAWN and desk.store.all() == ()


def test_a_name_is_of_the_person_who_used_it_first(desk: Desk, hand: Hand) -> None:
    submit(desk, hand(person="hf:ann"))
    with pytest.raises(InputError, match="a system of this name is on the board"):
        submit(desk, hand("BIRCH", person="hf:bob"))
    with pytest.raises(InputError, match="Write it as 'Birch'"):
        submit(desk, hand("birch", person="hf:ann"))
    submit(desk, hand("Birch", card=SystemCard("Birch", version="2"), person="hf:ann"))
    with pytest.raises(InputError, match="name is that of a floor"):
        submit(desk, hand("Constant Normal"))


def test_quotas_are_per_person_and_cohort_and_pass_with_time(desk: Desk, hand: Hand) -> None:
    clock = [1_700_000_000.0]
    desk = replace(desk, ledger=Ledger(LedgerFolder(desk.root / "ledger"), lambda: clock[0]), policy=Policy(per_day=2, in_all=3))
    for number in range(2):
        submit(desk, hand(card=SystemCard("Birch", version=str(number))))
    with pytest.raises(InputError, match=r"2 are allowed\. Wait 24 hours"):
        submit(desk, hand(card=SystemCard("Birch", version="2")))
    submit(desk, hand("Elm", person="local:bob"))
    clock[0] += 86_401
    submit(desk, hand(card=SystemCard("Birch", version="2")))
    clock[0] += 86_401
    with pytest.raises(InputError, match="3 are allowed in all"):
        submit(desk, hand(card=SystemCard("Birch", version="3")))


def test_a_full_queue_turns_away(desk: Desk, hand: Hand) -> None:
    desk = replace(desk, policy=Policy(queue=1))
    submit(desk, hand())
    with pytest.raises(InputError, match="1 submissions are waiting"):
        submit(desk, hand("Elm"))


def test_an_anonymous_system_is_named_on_its_day(desk: Desk, hand: Hand) -> None:
    clock = [datetime(2026, 5, 1, tzinfo=UTC).timestamp()]
    desk = replace(desk, ledger=Ledger(LedgerFolder(desk.root / "ledger"), lambda: clock[0]))
    card = SystemCard("Birch", version="1", organisation="Forest University", link="https://example.org", anonymous_until="2026-06-01")
    submit(desk, hand(card=card))
    worker = Worker(desk)
    worker.run(once=True)
    (row,) = load(desk.store)[0].rows
    assert row.name.startswith("anonymous ") and not row.organisation and not row.link and not row.version
    assert "Birch" not in "".join(path.read_text() for path in (desk.root / "store").rglob("*.json"))
    clock[0] += timedelta(days=40).total_seconds()
    worker.tidy()
    (row,) = load(desk.store)[0].rows
    assert (row.name, row.organisation) == ("Birch", "Forest University") and row.place


def test_the_privacy_screen_warns_before_anything_is_stored(desk: Desk, hand: Hand, reports: bytes) -> None:
    rows = [json.loads(line) for line in reports.decode().splitlines()]
    rows[0]["report"] += " Discussed with Dr. Miller on 03/14/2019, MRN 4471234."
    content = "\n".join(map(json.dumps, rows)).encode()
    with pytest.raises(RefusedError) as caught:
        submit(desk, hand(content=content))
    text = str(caught.value)
    assert all(kind in text for kind in ("a date", "a record number", "a name"))
    assert "Miller" not in text and "4471234" not in text and "2019" not in text
    assert not (desk.root / "ledger" / "files").exists()
    submit(desk, hand(content=content, looked=True))


def test_a_server_that_is_down_costs_no_attempt(desk: Desk, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(desk, hand())
    desk = replace(desk, policy=Policy(retry=0.0, attempts=3))
    whole = scorer.score

    def down(*_: object, **__: object) -> None:
        raise UnavailableError("the server does not answer")

    monkeypatch.setattr(scorer, "score", down)
    for _ in range(5):
        Worker(desk).step()
    assert state(desk, receipt.id) is State.VALIDATED
    monkeypatch.setattr(scorer, "score", whole)
    Worker(desk).run(once=True)
    assert state(desk, receipt.id) is State.LISTED


def test_a_submission_that_breaks_the_worker_is_set_aside(desk: Desk, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(desk, hand())
    desk = replace(desk, policy=Policy(retry=0.0, attempts=3))

    def broken(*_: object, **__: object) -> None:
        raise ValueError("quotes the report")

    monkeypatch.setattr(scorer, "score", broken)
    for _ in range(4):
        Worker(desk).step()
    item = desk.ledger.books().submissions[receipt.id]
    assert item.state is State.SET_ASIDE
    aside = item.last("set aside")
    assert aside and aside.data == {"why": "ValueError", "attempts": 3}
    assert b"quotes" not in b"".join(map(desk.ledger.shelf.blob, desk.ledger.shelf.names()))


def test_extracting_says_i_of_n(desk: Desk, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = submit(desk, hand())
    seen = []
    worker = Worker(desk)
    note = worker._note

    def spy(name: str, done: int, total: int) -> None:
        note(name, done, total)
        seen.append((state(desk, name), progress(desk, name)))

    monkeypatch.setattr(Worker, "_note", lambda _, *arguments: spy(*arguments))
    worker.run(once=True)
    assert seen[-1] == (State.EXTRACTING, (40, 40)) and progress(desk, receipt.id) is None


def test_two_workers_share_the_work(desk: Desk, hand: Hand) -> None:
    ids = [submit(desk, hand(name, person=f"local:{name}")).id for name in ("A", "B", "C")]
    one, other = Worker(desk), Worker(desk)
    claim = one._claim()
    assert claim and claim.stream == ids[0]
    assert other.run(once=True) == 2
    assert [state(desk, name) for name in ids] == [State.RECEIVED, State.LISTED, State.LISTED]
    one._process(claim.stream)
    assert state(desk, ids[0]) is State.LISTED


def test_a_worker_that_lost_its_claim_writes_nothing(desk: Desk, hand: Hand) -> None:
    desk = replace(desk, policy=Policy(lease=0.0))
    receipt = submit(desk, hand())
    slow = Worker(desk)
    claim = slow._claim()
    assert claim
    Worker(replace(desk, policy=Policy())).run(once=True)
    from submissions.worker import Lost

    with pytest.raises(Lost):
        slow._append(receipt.id, "scored", {})
    kinds = [event.kind for event in desk.ledger.books().submissions[receipt.id].events]
    assert kinds.count("scored") == 1 and kinds[-1] == "listed"


def test_messages_are_word_for_word_those_of_validate(
    desk: Desk, hand: Hand, tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ranscore.commands import main

    monkeypatch.chdir(desk.root)
    lines = ["study_id,report,mood"] + [f"s3{number:06d},<b>x</b>,y" for number in range(30)] + ["s9,nan,z", "s3000000,again,q", ","]
    content = "\n".join(lines).encode()
    (desk.root / "bad.jsonl").write_bytes(content)
    assert main(["validate", "bad.jsonl", "--cohort", str(desk.root / "cohorts" / "synthetic")]) == 3
    said = capsys.readouterr()
    checked = read(desk, hand(content=content, file="bad.jsonl"), desk.manifest("synthetic"))
    assert said.err.splitlines() == [f"ranscore: {line}" for problem in checked.problems for line in str(problem).splitlines()]
    assert said.out.splitlines() == [f"warning: {problem}" for problem in checked.warnings]
    assert len(checked.problems) > 20 and checked.warnings


def test_the_policy_of_a_folder_is_read_and_checked(desk: Desk) -> None:
    (desk.root / "config.toml").write_text("[door]\nper_day = 5\nlease = 1.5\n")
    assert desks.at(desk.root).policy == Policy(per_day=5, lease=1.5)
    (desk.root / "config.toml").write_text('[door]\nper_dya = 5\nlease = "x"\n')
    with pytest.raises(InputError, match="no key 'per_dya'") as caught:
        desks.at(desk.root)
    assert len(caught.value.problems) == 2
