"""What a foreign board brings - its configuration, its links, the names on its Hub - gets no token and leads nowhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness import cohorts
from harness.config.home import home
from harness.errors import RanscoreError
from harness.records.store import Store
from harness.types import Cohort
from leaderboard.hub import repository as hubs
from leaderboard.hub.repository import Repository
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions.board_folder import WRITTEN
from tests.hub.server import running
from tests.submissions.conftest import cohort, reports

__all__ = ["cohort", "reports"]
TOKEN = "hf_VICTIMSECRETVICTIMSECRET"
Out = pytest.CaptureFixture[str]


class Recorder(ThreadingHTTPServer):
    """A server that keeps what it is asked, and answers all alike."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.body = body
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, sent))
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(server.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(server.body)

            do_POST = do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def recording(status: int = 404, headers: dict[str, str] | None = None, body: bytes = b"") -> Iterator[Recorder]:
    server = Recorder(status, headers or {}, body)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def board(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody else, and a token in the environment."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(hubs, "PAUSES", (0.0,))
    root = tmp_path / "evilboard"
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    return root


COMMANDS = (
    "submit {file} --to {board} --cohort synthetic",
    "receipt aaaaaaaaaaaaaaaa --to {board}",
    "withdraw aaaaaaaaaaaaaaaa --to {board}",
    "health --board {board}",
    "worker --once --board {board}",
    "moderate list --board {board}",
    "moderate ban hf:x --reason y --board {board}",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("table", ["submissions", "results"])
def test_a_hub_that_only_a_foreign_folder_names_is_asked_nothing(
    board: Path, reports: bytes, tmp_path: Path, capsys: Out, command: str, table: str
) -> None:
    (tmp_path / "birch.jsonl").write_bytes(reports)
    with recording() as hub:
        (board / "config.toml").write_text(f'[hub]\nendpoint = "{hub.address}"\n{table} = "lab/data"\n')
        assert main([part.format(file=tmp_path / "birch.jsonl", board=board) for part in command.split()]) == 5
        assert hub.asked == []
    said = capsys.readouterr().err
    assert "config.toml: it names another Hub than the public one" in said and TOKEN not in said and "HF_ENDPOINT" in said


@pytest.mark.parametrize("where", ["home", "HF_ENDPOINT", "own"])
def test_a_hub_that_the_user_names_is_asked(board: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    with running() as hub:
        table = f'[hub]\nendpoint = "{hub.address}/"\nsubmissions = "lab/data"\n'
        (board / "config.toml").write_text(table)
        if where == "home":
            home().mkdir(parents=True, exist_ok=True)
            (home() / "config.toml").write_text(f'[hub]\nendpoint = "{hub.address}"\n')
        elif where == "HF_ENDPOINT":
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
        else:
            monkeypatch.setenv("RANSCORE_HOME", str(board))
        repository, _ = hubs.repositories(board)
        assert repository is not None and repository.endpoint == hub.address
        repository.make(private=True)
        assert hubs.open_board_folder(board).ledger.state().submissions == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_token_along(board: Path, tmp_path: Path, status: int) -> None:
    with recording(200, {"content-type": "application/json"}, b'{"sha": "a", "siblings": []}') as elsewhere:
        for path in ("", "/same"):
            with recording(status, {"location": f"{elsewhere.address}{path}"}) as hub:
                made = Repository("lab/data", tmp_path / "cache", hub.address, ())
                with suppress(Exception):
                    made.names()
                with suppress(Exception):
                    made.read("events/a.json")
                with suppress(Exception):
                    made.commit({"a": b"b"}, "c")
                assert any(TOKEN in headers.get("authorization", "") for _, headers, _ in hub.asked)
        assert not any(TOKEN in str(headers) for _, headers, _ in elsewhere.asked)


NAMES = (
    "events/../../../X.json",
    "events/../X.json",
    "snapshots/../../X.json",
    "events/./../../X.json",
    "events//../../X.json",
    "/etc/X.json",
    "events/a/../../../X.json",
    "events\\..\\..\\X.json",
    "events/..\\..\\X.json",
    "events/.X.json",
    "events/X.json/../../Y.json",
    "events/X\n.json",
    "events/X.json\n",
    "events/\u2024\u2024/X.json",
    "events/..%2f..%2fX.json",
    "events/C:X.json",
    "events/" + "x" * 300 + ".json",
    "events/sub/X.json",
    "rows/X.json",
    "reports/X.jsonl",
    "../X.json",
    "..",
    ".",
    "",
    "events/",
    "events/..",
    "events/X.npz",
    "events/X.json.py",
    "events/\u0000X.json",
    "events/~/X.json",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_hub_that_is_no_event_is_not_read_and_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "events/20260101T000000.000000Z-aaaaaaaaaaaaaaaa.json"
    body = json.dumps({"sha": "a", "id": "lab/data", "siblings": [{"rfilename": name}, {"rfilename": good}]}).encode()
    inside = tmp_path / "a" / "b" / "c"
    read: list[str] = []

    def fake(self: Repository, asked: str) -> bytes:
        read.append(asked)
        return b"{}"

    with recording(200, {"content-type": "application/json"}, body) as hub:
        repository = Repository("lab/data", inside / "cache", hub.address, ())
        with monkeypatch.context() as patch:
            patch.setattr(Repository, "read", fake)
            assert hubs.pull(repository, Store(inside / "store")) == 1
        assert read == [good]
        for odd in {name, f"../{name}"} - {odd for odd in (name,) if hubs.PLAIN.fullmatch(odd)}:
            with pytest.raises(RanscoreError, match="a name of the data set is not that of a file in it"):
                repository.read(odd)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == [f"a/b/c/store/{good}"]


@pytest.mark.parametrize("name", [*WRITTEN, "cohorts/synthetic"])
def test_a_link_in_a_foreign_folder_is_refused(
    board: Path, tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    target = tmp_path / "target"
    (target / "inside").mkdir(parents=True)
    target.chmod(0o755)
    place = board / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        place.rename(tmp_path / "before")
    place.symlink_to(target)
    assert main(["health", "--board", str(board)]) == 5
    assert f"{place}: it is a link, and the folder is not your RANSCORE_HOME" in capsys.readouterr().err
    assert main(["submit", str(tmp_path / "x.csv"), "--to", str(board), "--cohort", "synthetic"]) == 5
    assert target.stat().st_mode & 0o777 == 0o755 and [path.name for path in target.rglob("*")] == ["inside"]
    # In one's own folder, links to a larger disk are one's own affair.
    if name in ("cohorts", "store", "ledger", "store/rows"):
        monkeypatch.setenv("RANSCORE_HOME", str(board))
        assert board_folders.at(board).ledger.state().submissions == {}
