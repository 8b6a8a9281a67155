"""The Submit tab: in Chromium, and by `ranscore submit` over HTTP."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.table import from_table
from harness.scoring import scorer
from harness.storage.report_lines import read_canonical
from harness.types import Access, Cohort, Section, SystemCard
from leaderboard.content import load
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import State

CHROMIUM = os.environ.get("RANSCORE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"

# Gradio and its client leave sockets and event loops to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@dataclass
class Served:
    board_folder: BoardFolder
    address: str
    temporary: Path


@pytest.fixture
def served(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The tab on a server of this machine, on a board with one open cohort."""
    with serving(cohort, "synthetic", tmp_path, monkeypatch) as found:
        yield found


@contextmanager
def serving(cohort: Cohort, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A board with one cohort, served on this machine."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import uvicorn

        from leaderboard.page import app as page

        root = tmp_path / "board"
        cohorts.save(cohort, root / "cohorts" / name)
        (root / "config.toml").write_text("[door]\nper_day = 0\nin_all = 0\n")
        board_folder = board_folders.at(root)
        app = page.app(page.open_site(board_folder.store))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield Served(board_folder, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", tmp_path / "gradio")
        server.should_exit = True
        thread.join(10)


def wait_for(board_folder: BoardFolder, count: int, state: State = State.LISTED) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if sum(item.state is state for item in board_folder.ledger.state().submissions.values()) >= count:
            return
        time.sleep(0.1)
    raise AssertionError("it was not listed in two minutes")


def left(place: Path) -> list[str]:
    """What of an upload lies about; empty files of Gradio's own are nothing of it."""
    return [str(path) for path in place.rglob("*") if path.is_file() and path.stat().st_size]


def test_the_command_hands_in_over_http(
    served: Served, reports: bytes, tmp_path: Path, cohort: Cohort, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "birch.jsonl"
    path.write_bytes(reports)
    common = ["--to", served.address, "--cohort", "synthetic", "--name", "Birch"]
    assert main(["submit", str(path), *common, "--dry-run"]) == 0
    assert "Nothing was kept" in capsys.readouterr().out and not served.board_folder.ledger.state().submissions
    assert main(["submit", str(path), *common]) == 0
    said = capsys.readouterr().out.split()
    name, code = said[said.index("receipt") + 1], said[said.index("it:") + 1]
    wait_for(served.board_folder, 1)
    direct = scorer.score(predictions=read_canonical(reports), references=cohort, card=SystemCard("Birch"))
    assert served.board_folder.ledger.state().submissions[name].record == direct.record.digest
    assert main(["receipt", name, "--to", served.address]) == 0
    assert "listed: it is on the board" in capsys.readouterr().out
    # Without a login a new version is of whoever knows the code.
    assert main(["submit", str(path), *common, "--system-version", "2", "--dry-run"]) == 3
    assert "add the code of its receipt" in capsys.readouterr().err
    assert main(["submit", str(path), *common, "--system-version", "2", "--dry-run", "--code", code]) == 0
    capsys.readouterr()
    path.write_text("study_id,report\nnowhere,<b>\n")
    assert main(["submit", str(path), *common]) == 3
    assert "birch.jsonl:2" in capsys.readouterr().err
    assert main(["withdraw", name, "--to", served.address, "--code", "wrong"]) == 5
    assert main(["withdraw", name, "--to", served.address, "--code", code]) == 0
    assert left(served.temporary) == []


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_in_chromium(served: Served, reports: bytes, tmp_path: Path) -> None:
    from playwright.sync_api import Page, expect, sync_playwright

    good, bad = tmp_path / "birch.jsonl", tmp_path / "bad.csv"
    good.write_bytes(reports)
    bad.write_text("study_id,report\nnowhere1,<script>window.hacked=1</script>\ns3000001,=1+1\n")

    def fill(page: Page, path: Path, name: str) -> None:
        page.goto(f"{served.address}/?tab=submit")
        page.locator("#submit-name input, #submit-name textarea").fill(name)
        page.locator("#submit-file input[type=file]").set_input_files(str(path))
        expect(page.locator("#submit-file")).to_contain_text(path.stem, timeout=30_000)
        page.locator("#submit-send").click()

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        one, other = (browser.new_context().new_page() for _ in range(2))
        fill(one, bad, "Birch")
        expect(one.locator("#submit-said")).to_contain_text("It cannot be submitted", timeout=60_000)
        text = one.locator("#submit-said").inner_text()
        assert "bad.csv:2" in text and "bad.csv:3" in text and "markup at character 1" in text and "formula" in text
        assert one.evaluate("window.hacked") is None
        # Two people at once.
        started = time.monotonic()
        fill(one, good, "Birch")
        fill(other, good, "Elm")
        for page in (one, other):
            expect(page.locator("#submit-said")).to_contain_text("Submitted", timeout=60_000)
            expect(page.locator("#submit-state")).to_contain_text("listed: it is on the board", timeout=120_000)
        print(f"\ntwo first-time visitors: listed after {time.monotonic() - started:.1f} s")
        assert {row.name for row in load(served.board_folder.store)[0].rows} == {"Birch", "Elm"}
        # The receipt's page is found by its address in a browser that knows nothing.
        third = browser.new_context().new_page()
        third.goto(f"{served.address}/?tab=submit&receipt={one.locator('#submit-receipt textarea, #submit-receipt input').input_value()}")
        expect(third.locator("#submit-state")).to_contain_text("Birch on synthetic", timeout=30_000)
        one.locator("#submit-withdraw").click()
        expect(one.locator("#submit-said")).to_contain_text("Withdrawn", timeout=60_000)
        expect(third.locator("#submit-state")).to_contain_text("withdrawn", timeout=30_000)
        # A first-time visitor takes the example and sees it listed.
        fourth = browser.new_context().new_page()
        fourth.goto(f"{served.address}/?tab=submit")
        fourth.locator("#submit-example").click()
        expect(fourth.locator("#submit-file")).to_contain_text("example", timeout=30_000)
        began = time.monotonic()
        fourth.locator("#submit-send").click()
        expect(fourth.locator("#submit-state")).to_contain_text("listed: it is on the board", timeout=60_000)
        print(f"the example: listed after {time.monotonic() - began:.1f} s")
        browser.close()
    assert left(served.temporary) == []


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_two_real_systems_are_handed_in_through_the_page(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from playwright.sync_api import expect, sync_playwright

    folder = shared / "submissions"
    references = from_table(folder / "references.csv", section=Section.FINDINGS, access=Access.OPEN)
    with serving(references, "iu", tmp_path, monkeypatch) as served, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for name, file in (("MoERad", "moerad-iu.csv"), ("AAMN", "aamn-iu.csv")):
            page = browser.new_context().new_page()
            page.goto(f"{served.address}/?tab=submit")
            page.locator("#submit-name input, #submit-name textarea").fill(name)
            page.locator("#submit-file input[type=file]").set_input_files(str(folder / file))
            expect(page.locator("#submit-file")).to_contain_text("iu", timeout=30_000)
            page.locator("#submit-looked input").check()
            page.locator("#submit-send").click()
            expect(page.locator("#submit-state")).to_contain_text("listed: it is on the board", timeout=120_000)
        browser.close()
        (board,) = load(served.board_folder.store)
        assert {row.name for row in board.rows} == {"MoERad", "AAMN"} and all(row.place for row in board.rows)
        for name, file in (("MoERad", "moerad-iu.csv"), ("AAMN", "aamn-iu.csv")):
            direct = scorer.score(predictions=folder / file, references=references, card=SystemCard(name))
            assert served.board_folder.store.find(name).record.digest == direct.record.digest
