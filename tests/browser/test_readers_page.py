"""A reader's sheet in a real browser: from a file and from `readers serve`, by keyboard alone, through reload, crash and kill."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect

from benchmarks.readers_page import of_profile
from harness.config.home import home
from tests.browser.conftest import window
from tests.validation.readers.conftest import Made, cohort_of, made, study_of
from validation.readers import journal, page, questions, server, sheets, simulated, standard
from validation.readers.study import ReadingStudy

__all__ = ["made"]
pytestmark = pytest.mark.browser
ASKED = 20


@contextmanager
def sheet(browser: Browser, address: str, width: int = 1440, scheme: str = "light") -> Iterator[Page]:
    """A window on a sheet; fails where it asks any host but its own, or raises an error."""
    base = address if address.startswith("file:") else re.sub(r"(?<=\d)/.*", "", address)
    with window(browser, base, width, scheme) as opened:
        opened.goto(address)
        opened.locator("h2").first.wait_for()
        yield opened


def file_of(
    made: Made,
    folder: Path,
    reader: str = "reader-1",
    study: ReadingStudy | None = None,
    texts: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    """The page of a reader as a file; its address."""
    shown = study or made.study
    path = folder / f"{made.folder.name}.{reader}.html"
    path.write_text(page.document(page.of_reader(made.folder.name, shown, reader, {**made.texts, **(texts or {})})), encoding="utf-8")
    return path.as_uri()


@contextmanager
def served(made: Made, port: int = 0, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`readers serve` in a process of its own; the readers' addresses."""
    words = [sys.executable, "-m", "ranscore", "readers", "serve", made.folder.name, "--port", str(port), *options]
    environment = {**os.environ, "RANSCORE_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            found: dict[str, str] = {}
            for line in process.stdout:
                if match := re.match(r"(reader-\d+)\s+(http\S+)", line):
                    found[match[1]] = match[2]
                if len(found) == len(made.study.readers):
                    break
            assert len(found) == len(made.study.readers), "the server did not tell the addresses"
            yield process, found
        finally:
            process.kill()


def by_keyboard(opened: Page) -> None:
    """Three reports, no mouse: all by digit, with a doubt, and one by "the rest is absent"."""
    press = opened.keyboard.press
    for number in range(ASKED):
        press("1" if number == 2 else "0")
    expect(opened.locator("#missing")).to_have_text("This report is complete.")
    press("n")
    expect(opened.locator("h2").first).to_have_text(re.compile("^Report 2 of"))
    press("1")
    press("?")
    press("k")
    press("0")
    press("a")
    press("Enter")
    expect(opened.locator("h2").first).to_have_text(re.compile("^Report 3 of"))
    for _ in range(4):
        press("j")
    press("1")
    press("Backspace")
    press("?")
    press("a")
    expect(opened.get_by_text("3 of 13 done")).to_be_visible()


NAMES = [question.id for question in questions.form("findings").questions]
EXPECTED = [
    {name: int(number == 2) for number, name in enumerate(NAMES)},
    {name: int(number == 0) for number, name in enumerate(NAMES)},
    {name: -1 if number == 4 else 0 for number, name in enumerate(NAMES)},
]


def copy_of(opened: Page, made: Made) -> sheets.Sheet:
    """What *Save a copy* writes, read as `readers take` reads it."""
    with opened.expect_download() as waiting:
        opened.keyboard.press("s")
    assert waiting.value.suggested_filename == "trial.reader-1.json"
    return sheets.read(Path(waiting.value.path()).read_bytes(), made.study, "saved")


def test_three_reports_by_keyboard_from_a_file_survive_reload_and_crash(chromium: Browser, made: Made, tmp_path: Path) -> None:
    address = file_of(made, tmp_path)
    with sheet(chromium, address) as opened:
        assert opened.locator("input[type=radio]:checked").count() == 0, "no answer is suggested"
        by_keyboard(opened)
        opened.reload()
        expect(opened.get_by_text("3 of 13 done")).to_be_visible()
        expect(opened.locator("h2").first).to_have_text(re.compile("^Report 3 of"))
        doomed = opened.context.new_page()
        doomed.goto(address)
        doomed.keyboard.press("n")
        doomed.keyboard.press("1")
        doomed.keyboard.press("a")
        crash(doomed)
        again = opened.context.new_page()
        again.goto(address)
        expect(again.get_by_text("4 of 13 done")).to_be_visible()
        saved = copy_of(again, made)
    assert [saved.replies[at].values for at in (1, 2, 3, 4)] == [*EXPECTED, EXPECTED[1]]
    assert saved.replies[1].rest == () and len(saved.replies[2].rest) == 18 and len(saved.replies[3].rest) == 19
    assert not saved.attested and saved.replies[1].seconds > 0
    made.folder.take(saved)
    assert made.folder.counting()["reader-1"].done(made.study) == 4


def test_a_killed_browser_loses_no_answer_that_is_kept(chromium: Browser, made: Made, tmp_path: Path) -> None:
    """100 kills are in `benchmarks/readers_page.py`; localStorage alone loses the last five seconds."""
    address, profile = file_of(made, tmp_path), str(tmp_path / "profile")
    for number in range(3):
        with starting(chromium, profile) as opened:
            opened.goto(address)
            expect(opened.get_by_text(f"{number} of 13 done")).to_be_visible()
            for key in ("1", "a", "n"):
                opened.keyboard.press(key)
            opened.locator(".state[data-pending='0']").wait_for()
            for process in of_profile(profile):
                os.kill(process, signal.SIGKILL)
        for left in Path(profile).glob("Singleton*"):
            left.unlink()


@contextmanager
def starting(chromium: Browser, profile: str) -> Iterator[Page]:
    """A window of a browser of its own."""
    started = chromium.browser_type.launch_persistent_context(
        profile, executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless"]
    )
    try:
        yield started.new_page()
    finally:
        with suppress(Error):
            started.close()


def crash(opened: Page) -> None:
    """The tab's process dies."""
    with pytest.raises(Error):
        opened.goto("chrome://crash", timeout=5000)
    with pytest.raises(Error, match="crashed"):
        opened.wait_for_timeout(5000)


def test_a_file_can_reach_no_host_even_if_a_script_tried(chromium: Browser, made: Made, tmp_path: Path) -> None:
    tried = """async base => {
        const out = [];
        for (const address of [base, location.href]) {
            try { await fetch(address); out.push("fetched"); } catch { out.push("refused"); }
        }
        await new Promise(done => { const image = new Image(); image.onerror = image.onload = done; image.src = base + "x.png"; });
        const form = document.createElement("form"); form.action = base; document.body.append(form); form.submit();
        navigator.sendBeacon(base, "text");
        try { new Function("return 1")(); out.push("evaluated"); } catch { out.push("refused"); }
        return out;
    }"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1)
        context = chromium.new_context()
        opened = context.new_page()
        opened.goto(file_of(made, tmp_path))
        assert opened.evaluate(tried, f"http://127.0.0.1:{listener.getsockname()[1]}/") == ["refused"] * 3
        context.close()
        assert received(listener) == b""


def received(listener: socket.socket) -> bytes:
    """All that came in. Chromium may open a connection before it refuses a form; nothing may be said on it."""
    said = b""
    while True:
        try:
            connection = listener.accept()[0]
            connection.settimeout(1)
            said += connection.recv(1000)
        except TimeoutError:
            return said


def test_the_whole_way_in_the_served_form_and_a_kill_of_the_server(chromium: Browser, made: Made) -> None:
    with served(made) as (process, addresses), sheet(chromium, addresses["reader-1"]) as opened:
        port = int(re.search(r":(\d+)/", addresses["reader-1"])[1])  # type: ignore[index]
        by_keyboard(opened)
        expect(opened.get_by_text("All answers are on the server.")).to_be_visible()
        path = made.folder.path / "served" / "reader-1.jsonl"
        kept = journal.read(path, made.study, "reader-1")
        assert [kept[at].values for at in (1, 2, 3)] == EXPECTED
        process.send_signal(signal.SIGKILL)
        process.wait()
        opened.keyboard.press("n")
        opened.keyboard.press("1")
        opened.keyboard.press("a")
        expect(opened.get_by_text("Answers that wait for the server: 1")).to_be_visible()
        assert journal.read(path, made.study, "reader-1").keys() == {1, 2, 3}
        with served(made, port) as (_, again):
            assert again == addresses, "an address that was sent stays right"
            expect(opened.get_by_text("All answers are on the server.")).to_be_visible(timeout=20_000)
            assert journal.read(path, made.study, "reader-1")[4].values == EXPECTED[1]
            opened.reload()
            expect(opened.get_by_text("4 of 13 done")).to_be_visible()
            assert opened.evaluate("Object.keys(localStorage).filter(key => /:\\d+$/.test(key)).length") == 0


def test_all_done_then_attest_and_hand_in(chromium: Browser, made: Made) -> None:
    with served(made) as (_, addresses), sheet(chromium, addresses["reader-4"]) as opened:
        for _ in range(13):
            opened.keyboard.press("a")
            opened.keyboard.press("n")
        hand = opened.get_by_role("button", name="Submit")
        expect(hand).to_be_disabled()
        expect(opened.get_by_text("confirm and submit below")).to_be_visible()
        opened.keyboard.press("Enter")
        expect(opened.get_by_label("I read these reports alone")).to_be_focused()
        for key in ("Space", "Tab", "Enter"):
            opened.keyboard.press(key)
        expect(opened.get_by_text("Submitted. Thank you.")).to_be_visible()
        expect(opened.get_by_text("confirm and submit below")).to_have_count(0)
    kept = made.folder.counting()["reader-4"]
    assert kept.source == "served" and kept.closed(made.study)


def test_submit_waits_for_the_answers_that_are_under_way(chromium: Browser, made: Made) -> None:
    held: list[Route] = []
    with served(made) as (_, addresses), sheet(chromium, addresses["reader-5"]) as opened:
        opened.route("**/answers", lambda route: held.append(route), times=1)
        for _ in range(13):
            opened.keyboard.press("a")
            opened.keyboard.press("n")
        for key in ("Enter", "Space", "Tab", "Enter"):
            opened.keyboard.press(key)
        expect(opened.get_by_text("Answers that wait for the server: 13")).to_have_count(1)
        held[0].continue_()
        expect(opened.get_by_text("Submitted. Thank you.")).to_be_visible(timeout=20_000)
    assert made.folder.counting()["reader-5"].closed(made.study)


@pytest.mark.parametrize("kind", questions.KINDS)
@pytest.mark.parametrize("language", questions.LANGUAGES)
def test_every_kind_of_sheet_fits_and_is_accessible(chromium: Browser, made: Made, tmp_path: Path, kind: str, language: str) -> None:
    cohort = replace(made.study.cohort, language=language)
    study = replace(made.study, form=questions.form(kind, language), cohort=cohort, with_reference=kind == "rating")
    long = ("The lungs are clear. " * 60, "Effusion. " * 40) if kind != "findings" else ("A long report. " * 90,)
    address = file_of(made, tmp_path, study=study, texts=dict.fromkeys(made.texts, long))
    for width, scheme in ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark"), (720, "light")):
        with sheet(chromium, address, width, scheme) as opened:
            opened.keyboard.press("1")
            assert opened.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
            found = Axe().run(opened, options={"resultTypes": ["violations"]}).response["violations"]
            serious = {
                item["id"]: [node["html"][:150] for node in item["nodes"][:3]]
                for item in found
                if item["impact"] in {"serious", "critical"}
            }
            assert serious == {}, (width, scheme, serious)
            keep_picture(opened, f"{kind}-{language}-{width}-{scheme}")
            assert opened.locator("html").get_attribute("lang") == language


def keep_picture(opened: Page, name: str) -> None:
    """For whoever wants to look."""
    if folder := os.environ.get("RANSCORE_SHEET_PICTURES"):
        opened.screenshot(path=str(Path(folder) / f"sheet-{name}.png"))


def test_the_report_stays_in_sight_on_a_phone_and_at_double_zoom(chromium: Browser, made: Made, tmp_path: Path) -> None:
    address = file_of(made, tmp_path, texts=dict.fromkeys(made.texts, ("A long report. " * 90,)))
    for width in (390, 720):
        with sheet(chromium, address, width) as opened:
            for _ in range(15):
                opened.keyboard.press("0")
            where = opened.evaluate(
                "[...document.querySelectorAll('.report, fieldset.now')].map(e => e.getBoundingClientRect()).map(r => [r.top, r.bottom])"
            )
            (top, bottom), (first, last) = where
            assert top >= 0 and bottom <= first + 1, "the current question is under the report"
            assert last <= opened.evaluate("document.querySelector('nav').getBoundingClientRect().top") + 1


def test_a_screen_reader_is_told_questions_answers_and_progress(chromium: Browser, made: Made, tmp_path: Path) -> None:
    with sheet(chromium, file_of(made, tmp_path)) as opened:
        group = opened.get_by_role("group", name="Cardiomegaly", exact=True)
        expect(group.get_by_role("radio")).to_have_count(3)
        opened.keyboard.press("j")
        expect(group.get_by_role("radio", name="present")).to_be_focused()
        live = opened.locator("[aria-live=polite]")
        opened.keyboard.press("0")
        expect(live).to_have_text("Cardiomegaly: absent")
        opened.keyboard.press("a")
        expect(live).to_have_text("19 marked absent")
        opened.keyboard.press("n")
        expect(live).to_have_text("Report 2 of 13")
        expect(opened.locator("h2").first).to_be_focused()
        assert group.evaluate("e => document.getElementById(e.getAttribute('aria-describedby')).textContent.length") > 20


def test_single_keys_can_be_turned_off_and_never_disturb_typing(chromium: Browser, made: Made, tmp_path: Path) -> None:
    study = replace(made.study, form=questions.form("rating"))
    with sheet(chromium, file_of(made, tmp_path, study=study)) as opened:
        opened.get_by_role("textbox").fill("a very j 1 n text")
        opened.get_by_role("textbox").press("n")
        expect(opened.locator("h2").first).to_have_text("Report 1 of 13")
        opened.keyboard.press("Escape")
        opened.get_by_label("Single-key shortcuts").uncheck()
        opened.locator("h2").first.focus()
        opened.keyboard.press("1")
        opened.keyboard.press("n")
        expect(opened.locator("h2").first).to_have_text("Report 1 of 13")
        assert opened.locator("input[type=radio]:checked").count() == 0
        opened.reload()
        expect(opened.get_by_label("Single-key shortcuts")).not_to_be_checked()
        expect(opened.get_by_role("textbox")).to_have_value("a very j 1 n textn")


def test_a_copy_is_asked_for_after_25_reports_and_can_be_opened_elsewhere(chromium: Browser, tmp_path: Path) -> None:
    made = study_of(cohort_of(40), items=30, repeats=0)
    address = file_of(made, tmp_path)
    with sheet(chromium, address) as opened:
        for number in range(25):
            expect(opened.get_by_text("reports since the last saved copy")).to_have_count(0)
            opened.keyboard.press("1" if number % 2 else "0")
            opened.keyboard.press("a")
            opened.keyboard.press("n")
        expect(opened.get_by_text("25 reports since the last saved copy")).to_be_visible()
        with opened.expect_download() as waiting:
            opened.keyboard.press("s")
        waiting.value.save_as(tmp_path / "copy.json")
        expect(opened.get_by_text("reports since the last saved copy")).to_have_count(0)
    with sheet(chromium, address) as other:
        expect(other.get_by_text("0 of 30 done")).to_be_visible()
        other.locator("input[type=file]").set_input_files(tmp_path / "copy.json")
        expect(other.get_by_text("25 of 30 done")).to_be_visible()
        (tmp_path / "wrong.json").write_text('{"format": "x"}')
        other.locator("input[type=file]").set_input_files(tmp_path / "wrong.json")
        expect(other.get_by_text("This file is not a copy of this sheet.").first).to_be_visible()
        expect(other.get_by_text("25 of 30 done")).to_be_visible()


def test_a_browser_that_keeps_nothing_says_so(chromium: Browser, made: Made, tmp_path: Path) -> None:
    context: BrowserContext = chromium.new_context()
    for name in ("localStorage", "indexedDB"):
        context.add_init_script(f"Object.defineProperty(window, '{name}', {{get() {{ throw new Error('blocked'); }}}})")
    opened = context.new_page()
    opened.goto(file_of(made, tmp_path))
    expect(opened.get_by_text("This browser does not keep answers.")).to_be_visible()
    opened.keyboard.press("1")
    opened.keyboard.press("a")
    expect(opened.get_by_text("1 of 13 done")).to_be_visible()
    context.close()


def test_the_same_sheet_in_two_tabs_is_one_sheet(chromium: Browser, made: Made, tmp_path: Path) -> None:
    address = file_of(made, tmp_path)
    with sheet(chromium, address) as opened:
        other = opened.context.new_page()
        other.goto(address)
        opened.keyboard.press("1")
        opened.keyboard.press("a")
        expect(other.get_by_text("1 of 13 done")).to_be_visible()
        expect(other.locator("input[name=q0][value='1']")).to_be_checked()


def test_hostile_text_of_a_report_is_shown_as_text(chromium: Browser, made: Made, tmp_path: Path) -> None:
    evil = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1> ${window.pwned=1} \u2028 <!--"
    with sheet(chromium, file_of(made, tmp_path, texts=dict.fromkeys(made.texts, (evil,)))) as opened:
        assert opened.locator(".text").text_content() == evil
        assert opened.locator(".text *").count() == 0


def test_an_exercise_shows_the_standard_after_ones_own_answer_and_a_score(chromium: Browser) -> None:
    made = study_of(cohort_of(40), items=20)
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    words = [sys.executable, "-m", "ranscore", "readers", "practise", "trial", "--items", "3", "--seed", "s", "--port", "0"]
    environment = {**os.environ, "RANSCORE_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            address = next(match[0] for line in process.stdout if (match := re.search(r"http://\S+", line)))
            with sheet(chromium, address, 390) as opened:
                expect(opened.get_by_role("button", name="Show the standard's answer")).to_be_disabled()
                for _ in range(3):
                    opened.keyboard.press("a")
                    assert opened.locator(".truth").count() == 0
                    opened.get_by_role("button", name="Show the standard's answer").click()
                    expect(opened.locator(".truth")).to_have_count(ASKED)
                    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
                    opened.keyboard.press("n")
                for place in (opened.locator(".state"), opened.locator(".box p")):
                    expect(place).to_have_text(re.compile(r"Macro F1 against the standard: 0\.000"))
                    expect(place).to_be_visible()
                found: Any = Axe().run(opened, options={"resultTypes": ["violations"]}).response["violations"]
                assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
        finally:
            process.kill()


def test_what_a_reader_saves_is_what_a_simulated_reader_would_hand_in(chromium: Browser, made: Made, tmp_path: Path) -> None:
    """A whole sheet by keyboard, against the values that were meant."""
    meant = simulated.sheet(made.study, "reader-1", made.cohort.labels, simulated.SIX[0], np.random.default_rng(3))
    with sheet(chromium, file_of(made, tmp_path)) as opened:
        for at in range(1, 14):
            for name in NAMES:
                opened.keyboard.press({1: "1", 0: "0", -1: "?"}[int(meant.replies[at].values[name])])
            opened.keyboard.press("n")
        opened.get_by_label("I read these reports alone").check()
        with opened.expect_download() as waiting:
            opened.get_by_role("button", name="Submit").click()
        saved = sheets.read(Path(waiting.value.path()).read_bytes(), made.study, "saved")
    assert saved.attested and saved.closed(made.study)
    assert {at: reply.values for at, reply in saved.replies.items()} == {at: reply.values for at, reply in meant.replies.items()}
    assert json.dumps(sheets.to_json(saved)) and time.time() > 0
    assert server.progress(made.folder, made.study) == {}
