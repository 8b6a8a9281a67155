"""`/healthz` and `/metrics`: right while the board is well, broken, full, or without a worker that can work."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from harness.cohorts.synthetic.cohort import build
from harness.errors import UsageError
from leaderboard.page import origins, status
from submissions import beats
from submissions import board_folder as board_folders
from submissions.beats import Beat
from submissions.board_folder import BoardFolder
from submissions.health import Health, health
from tests.door.conftest import furnish

pytestmark = pytest.mark.filterwarnings("ignore")  # Starlette warns of its own test client


@pytest.fixture
def board_folder(tmp_path: Path) -> BoardFolder:
    return furnish(tmp_path, build(6, seed=3))


def asking(board_folder: BoardFolder, *, public: bool = False) -> TestClient:
    app = FastAPI()
    status.route(app, board_folder, public=public)
    return TestClient(app, raise_server_exceptions=False)


def values(text: str) -> dict[str, float]:
    """The metrics of an answer; each has a type and a help line."""
    lines = text.splitlines()
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}
    kinds = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {name.partition("{")[0] for name in found} == kinds == {line.split()[2] for line in lines if line.startswith("# HELP")}
    return found


def test_a_board_that_is_well(board_folder: BoardFolder) -> None:
    client = asking(board_folder)
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "ok", "problems": []})
    found = values(client.get("/metrics").text)
    assert found["ranscore_page_able"] == found["ranscore_board_readable"] == 1
    assert found["ranscore_workers"] == found["ranscore_damaged_files"] == found['ranscore_submissions{state="received"}'] == 0
    assert found["ranscore_free_disk_bytes"] > 0 and "ranscore_worker_heard_seconds" not in found


def test_a_new_board_without_a_folder_is_well(tmp_path: Path) -> None:
    assert asking(board_folders.at(tmp_path / "none" / "yet")).get("/healthz").status_code == 200


def test_a_worker_whose_model_server_is_down_is_counted(board_folder: BoardFolder) -> None:
    who = f"{socket.gethostname()}:{os.getpid()}:aa"
    beats.write(board_folder, Beat(who=who, at=time.time(), trouble="the model server does not answer"))
    client = asking(board_folder)
    found = values(client.get("/metrics").text)
    assert found["ranscore_workers"] == found["ranscore_workers_in_trouble"] == 1 and found["ranscore_alarms"] >= 1
    assert "answer" not in client.get("/metrics").text
    assert client.get("/healthz").status_code == 200  # the page itself can show and take


def test_a_damaged_store_is_counted_and_does_not_end_the_page(board_folder: BoardFolder) -> None:
    events = board_folder.store.root / "events"
    events.mkdir(parents=True)
    (events / "20260101T000000000000Z-abc.json").write_bytes(b"[" * 5000)
    client = asking(board_folder)
    found = values(client.get("/metrics").text)
    assert found["ranscore_damaged_files"] >= 1 and found["ranscore_board_readable"] == 1
    assert client.get("/healthz").status_code == 200


def test_a_full_disk_and_a_lost_folder_fail(board_folder: BoardFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = tmp_path / "file"
    lost.write_text("")
    answer = asking(board_folders.at(lost)).get("/healthz")
    assert answer.status_code == 503 and "cannot be read" in answer.json()["problems"][0] and str(tmp_path) not in answer.text
    monkeypatch.setattr(status, "LEAST", 1 << 62)
    client = asking(board_folder)
    answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.json()["problems"][0].startswith("the disk is full")
    assert values(client.get("/metrics").text)["ranscore_page_able"] == 0


def test_a_board_that_is_slow_to_read_is_read_less_often(board_folder: BoardFolder) -> None:
    now, looks = [0.0], []

    def slow(folder: BoardFolder) -> Health:
        looks.append(now[0])
        now[0] += 3.0
        return health(folder)

    cache = status.LookCache(board_folder, slow, lambda: now[0])
    for second in (0.0, 20.0, 60.0, 64.0, 100.0):
        now[0] = max(now[0], second)
        cache.text()
    assert looks == [0.0, 64.0]


def test_a_space_has_no_metrics(board_folder: BoardFolder) -> None:
    client = asking(board_folder, public=True)
    assert client.get("/metrics").status_code == 404 and client.get("/healthz").status_code == 200


@pytest.mark.parametrize(("given", "prefix"), [("/board", "/board"), ("/a/b.c/", "/a/b.c"), ("/", "")])
def test_a_root_path_is_a_path(given: str, prefix: str) -> None:
    assert origins.prefix_of(given) == prefix


@pytest.mark.parametrize("given", ["board", "//evil.example", "/a//b", "/a/../b", "/a b", "/a?b", "https://example.org/board"])
def test_what_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="path of an address"):
        origins.prefix_of(given)
