"""Bodies are read within bounds of size, time and memory, and jobs wait in a line that is never long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from harness.errors import InputError
from harness.types import Cohort
from leaderboard.page import app as pages
from leaderboard.page import body, door, origins
from leaderboard.page.body import JobQueue, Refusal, Uploads
from leaderboard.page.person import People
from submissions import beats, intake
from submissions.beats import Beat
from submissions.board_folder import BoardFolder
from submissions.ledger import Ledger, LedgerFolder
from tests.door.asking import OCTETS, upload
from tests.door.conftest import furnish

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio and Starlette warn of each other's versions


def request(chunks: Sequence[bytes], wait: Callable[[int], Awaitable[object]] | None = None, length: str = "") -> Request:
    """A request whose body comes in pieces."""
    left = list(enumerate(chunks))

    async def receive() -> dict[str, object]:
        if not left:
            await asyncio.sleep(3600)
        number, chunk = left.pop(0)
        if wait:
            await wait(number)
        return {"type": "http.request", "body": chunk, "more_body": bool(left) or chunk != b""}

    headers = [(b"content-length", length.encode())] if length else []
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_a_body_is_read_whole_and_not_a_byte_more() -> None:
    assert asyncio.run(Uploads().read(request([b"ab", b"cd", b""]), 4)) == b"abcd"
    for large in (request([b"ab", b"cde", b""]), request([b""], length="5"), request([b""], length="9" * 40)):
        with pytest.raises(Refusal) as caught:
            asyncio.run(Uploads().read(large, 4))
        assert caught.value.status == 413 and "4 bytes" in str(caught.value)


def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "WINDOW", 0.05)
    for chunks in ([], [b"a"], [b"a"] * 40):
        with pytest.raises(Refusal) as caught:
            asyncio.run(Uploads().read(request(chunks, lambda _: asyncio.sleep(0.02)), 1000))
        assert caught.value.status == 408


def test_a_body_that_comes_fast_enough_has_all_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "WINDOW", 0.5)
    monkeypatch.setattr(body, "LEAST", 2)
    found = asyncio.run(Uploads().read(request([*[b"ab"] * 30, b""], lambda _: asyncio.sleep(0.03)), 1000))
    assert len(found) == 60


def test_of_uploads_that_fill_the_memory_the_oldest_gives_way() -> None:
    async def together() -> list[bytes | BaseException]:
        uploads = Uploads(held=100)
        stuck = [asyncio.ensure_future(uploads.read(request([b"x" * 40]), 1000)) for _ in range(2)]
        await asyncio.sleep(0.01)
        honest = asyncio.ensure_future(uploads.read(request([b"y" * 90, b""]), 1000))
        done, _ = await asyncio.wait([honest, *stuck], timeout=5)
        assert done == {honest, *stuck}
        return await asyncio.gather(*stuck, honest, return_exceptions=True)

    first, second, honest = asyncio.run(together())
    assert honest == b"y" * 90
    assert isinstance(first, Refusal) and first.status == 408 and isinstance(second, Refusal)


def test_a_line_takes_so_many_and_so_many_of_each_visitor() -> None:
    async def wait() -> list[object]:
        line, gate = JobQueue(at_once=1, waiting=4, each=3), threading.Event()
        jobs = [asyncio.ensure_future(line.run(name, gate.wait)) for name in ("a", "a", "a", "a", "b", "c")]
        await asyncio.sleep(0.05)
        gate.set()
        found: list[object] = list(await asyncio.gather(*jobs, return_exceptions=True))
        assert await line.run("a", lambda: 5) == 5
        return found

    found = asyncio.run(wait())
    assert [isinstance(one, Refusal) for one in found] == [False, False, False, True, False, True]
    assert all(one.status == 503 for one in found if isinstance(one, Refusal))


@pytest.fixture
def board_folder(cohort: Cohort, tmp_path: Path) -> BoardFolder:
    return furnish(tmp_path, cohort)


def client(board_folder: BoardFolder) -> TestClient:
    """The routes of the door alone, with the answers of the whole page."""
    app = FastAPI()
    pages.answer_in_words(app)
    door.route(app, board_folder, People(space=False), Uploads())
    return TestClient(app, raise_server_exceptions=False)


def test_a_board_that_cannot_keep_anything_says_so(board_folder: BoardFolder, reports: bytes) -> None:
    class Full(LedgerFolder):
        def create(self, made: object) -> bool:
            raise OSError(28, "No space left on device", str(board_folder.root / "ledger"))

    full = replace(board_folder, ledger=Ledger(Full(board_folder.root / "ledger")))
    answer = client(full).post("/ranscore/hand-in", content=upload(reports, dry=False), headers=dict(OCTETS))
    assert answer.status_code == 503 and "cannot take anything just now (No space left on device)" in answer.json()["lines"][0]
    assert str(board_folder.root) not in answer.text


def test_a_fault_of_the_program_is_answered_in_words_that_quote_nothing(
    board_folder: BoardFolder, reports: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("quotes the report")

    monkeypatch.setattr(intake, "look", broken)
    answer = client(board_folder).post("/ranscore/hand-in", content=upload(reports), headers=dict(OCTETS))
    assert answer.status_code == 500 and "ValueError" in answer.json()["lines"][0] and "quotes" not in answer.text


def test_whether_a_worker_is_running_is_known_before_anything_is_sent(board_folder: BoardFolder) -> None:
    ask = client(board_folder)
    assert ask.get("/ranscore/door").json()["worker"] is False
    beats.write(board_folder, Beat(who="elsewhere:1:a", at=board_folder.ledger.clock()))
    assert ask.get("/ranscore/door?cohort=synthetic").json()["worker"] is True
    beats.write(board_folder, Beat(who="elsewhere:1:a", at=board_folder.ledger.clock(), over=True))
    assert ask.get("/ranscore/door").json()["worker"] is False


def test_a_damaged_cohort_is_left_out_and_the_others_are_served(board_folder: BoardFolder) -> None:
    (board_folder.root / "cohorts" / "hidden" / "manifest.json").write_text("{")
    ask = client(board_folder)
    assert ask.get("/ranscore/door?cohort=synthetic").status_code == 200, "the other cohorts are served"
    answer = ask.get("/ranscore/door?cohort=hidden")
    assert answer.status_code == 404 and "no cohort 'hidden'" in answer.text and str(board_folder.root) not in answer.text


def test_a_damaged_submission_is_named_without_its_folder(board_folder: BoardFolder) -> None:
    (board_folder.root / "ledger" / "events").mkdir(parents=True, exist_ok=True)
    (board_folder.root / "ledger" / "events" / f"{'0' * 16}.0001.json").write_text("{")
    answer = client(board_folder).get(f"/ranscore/receipt/{'0' * 16}")
    assert answer.status_code in (422, 503) and f"{'0' * 16}.0001.json" in answer.text and str(board_folder.root) not in answer.text


@pytest.mark.parametrize(
    ("settings", "names", "listed", "prefix"),
    [
        ({}, set(), set(), ""),
        ({"address": "https://Board.example"}, {"board.example"}, {"https://board.example"}, ""),
        ({"address": "http://board.example:8080/a/b/"}, {"board.example"}, {"http://board.example:8080"}, "/a/b"),
        ({"address": "https://board.example:443/x?y=1#z"}, {"board.example"}, {"https://board.example"}, "/x"),
        ({"origins": ["http://[::1]:7", "https://b.example"]}, {"[::1]", "b.example"}, {"http://[::1]:7", "https://b.example"}, ""),
    ],
)
def test_names_and_origins_come_from_the_configuration(
    settings: dict[str, object], names: set[str], listed: set[str], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPACE_ID", "SPACE_HOST", "GRADIO_ROOT_PATH"):
        monkeypatch.delenv(name, raising=False)
    own = origins.of(settings)
    assert names <= own.names and len(own.names) == len(names) + 2 and own.origins == listed and own.prefix == prefix
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/other/")
    assert origins.of(settings).prefix == "/other"


@pytest.mark.parametrize(
    "settings",
    [
        {"address": 5},
        {"address": "board.example"},
        {"address": "ftp://board.example"},
        {"address": "https://"},
        {"address": "https://a b"},
        {"address": "https://user@board.example"},
        {"origins": "https://board.example"},
        {"origins": 5},
        {"origins": ["*"]},
        {"origins": ["https://board.example", None]},
        {"origins": [["https://board.example"]]},
    ],
)
def test_what_is_no_address_is_said_when_the_page_starts(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"\[page\] (address|origins) is not") as caught:
        origins.of(settings, "config.toml")
    assert caught.value.problems[0].file == "config.toml" and caught.value.problems[0].remedy
