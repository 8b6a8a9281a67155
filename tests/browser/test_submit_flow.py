"""Submitting as a person does: check, submit, correct, tick, withdraw; wide and narrow. And what a foreign page gets of it: nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Route, expect

from submissions.events import State
from tests.browser.conftest import shoot, window
from tests.door.conftest import Running, cohort, reports, running

__all__ = ["cohort", "reports"]
pytestmark = pytest.mark.browser
WIDTHS = (1440, 390)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, cohort: object) -> Iterator[Running]:
    """A board with an open and a credentialed cohort, served."""
    with running(tmp_path_factory.mktemp("flow"), cohort, "serve") as found:  # type: ignore[arg-type]
        yield found
        assert "Traceback" not in found.errors() and found.opened() == "" and found.left() == []


def address(served: Running) -> str:
    return f"http://127.0.0.1:{served.port}"


def opened(page: Page, served: Running) -> None:
    page.goto(f"{address(served)}/?tab=submit")
    expect(page.locator("#submit-chosen")).to_be_attached()
    expect(page.locator("#submit-example")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, words: str) -> None:
    expect(page.locator("#submit-said")).to_contain_text(words, timeout=60_000)


@pytest.mark.parametrize("working", [True, False])
def test_the_tab_says_when_no_worker_is_running(chromium: Browser, served: Running, working: bool) -> None:
    answered = []

    def answer(route: Route) -> None:
        real = route.fetch()
        route.fulfill(response=real, json=real.json() | {"worker": working})
        answered.append(route)

    with window(chromium, address(served), 390) as page:
        page.route("**/ranscore/door", answer)
        opened(page, served)
        while not answered:
            page.wait_for_timeout(50)
        expect(page.get_by_text("No worker is running at the moment")).to_be_visible(visible=not working)


@pytest.mark.parametrize("width", WIDTHS)
def test_check_then_hand_in_then_correct_then_tick(chromium: Browser, served: Running, reports: bytes, tmp_path: Path, width: int) -> None:
    good, private = tmp_path / "birch.jsonl", tmp_path / "private.jsonl"
    good.write_bytes(reports)
    rows = [json.loads(line) for line in reports.decode().splitlines()]
    rows[0]["report"] += " Discussed with Dr. Miller on 03/14/2019."
    private.write_text("\n".join(map(json.dumps, rows)))
    name = f"Birch {width}"
    with window(chromium, address(served), width) as page:
        opened(page, served)
        press(page, "Check only")
        says(page, "Choose a file first.")
        page.locator("#submit-file input").set_input_files(good)
        press(page, "Submit")
        says(page, "Write the system's name first.")
        page.get_by_label("System", exact=True).fill(name)
        press(page, "Check only")
        says(page, "It can be submitted; nothing was kept.")
        # What is wrong with the card is said, and the same file goes again after the correction.
        page.get_by_label("Link (https://...)").fill("example.org")
        press(page, "Submit")
        says(page, "It cannot be submitted")
        says(page, "the link is not an address")
        page.get_by_label("Link (https://...)").fill("https://example.org")
        press(page, "Submit")
        says(page, "Submitted.")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        code = page.get_by_label("Code, to withdraw or for a new version").input_value()
        assert code and code in page.locator("#submit-said").inner_text()
        expect(page.locator("#submit-state")).to_contain_text(f"{name} on synthetic", timeout=60_000)
        shoot(page, f"submit-{width}")
        # Another file, which the privacy screen stops until somebody has looked.
        page.locator("#submit-file input").set_input_files(private)
        page.get_by_label("Version", exact=True).fill("2")
        press(page, "Submit")
        says(page, "Check these warnings first")
        assert "Miller" not in page.locator("#submit-said").inner_text()
        page.get_by_label("I checked the warnings of the privacy screen").check()
        press(page, "Submit")
        says(page, "Submitted.")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
        # Looking was about that file; for the next one it is asked anew.
        page.locator("#submit-file input").set_input_files(good)
        expect(page.get_by_label("I checked the warnings of the privacy screen")).not_to_be_checked()
        expect(page.locator("#submit-state")).to_contain_text("listed: it", timeout=120_000)
        press(page, "Withdraw")
        says(page, "Withdrawn. A tombstone stays.")
        expect(page.locator("#submit-state")).to_contain_text("withdrawn", timeout=30_000)
    states = [item.state for item in served.board_folder.ledger.state().submissions.values() if item.card.name == name]
    assert sorted(states) == [State.LISTED, State.WITHDRAWN]


def test_a_file_that_changed_on_the_disk_is_to_be_chosen_again(chromium: Browser, served: Running, reports: bytes, tmp_path: Path) -> None:
    path = tmp_path / "elm.jsonl"
    path.write_bytes(reports)
    with window(chromium, address(served)) as page:
        opened(page, served)
        page.locator("#submit-file input").set_input_files(path)
        page.get_by_label("System", exact=True).fill("Elm")
        press(page, "Check only")
        says(page, "It can be submitted")
        path.write_bytes(reports.replace(b"report", b"words"))
        press(page, "Submit")
        says(page, "Choose it again.")
        path.write_bytes(reports)
        page.locator("#submit-file input").set_input_files(path)
        press(page, "Check only")
        says(page, "It can be submitted")


def test_a_credentialed_cohort_asks_for_its_sentence(chromium: Browser, served: Running, reports: bytes, tmp_path: Path) -> None:
    path = tmp_path / "oak.jsonl"
    path.write_bytes(reports)
    with window(chromium, address(served)) as page:
        opened(page, served)
        sentence = page.get_by_label("I hold the data-use agreement of this cohort")
        expect(sentence).to_be_hidden()
        page.get_by_label("Cohort", exact=True).select_option("hidden")
        expect(sentence).to_be_visible()
        expect(page.locator("#submit-example")).to_be_hidden()
        page.locator("#submit-file input").set_input_files(path)
        page.get_by_label("System", exact=True).fill("Oak")
        press(page, "Check only")
        says(page, "the data-use sentence is not agreed to")
        sentence.check()
        press(page, "Check only")
        says(page, "It can be submitted")


def test_the_example_by_the_enter_key_is_checked_and_not_handed_in(chromium: Browser, served: Running) -> None:
    before = len(served.board_folder.ledger.state().submissions)
    with window(chromium, address(served)) as page:
        opened(page, served)
        press(page, "Fill in the example")
        expect(page.locator("#submit-file")).to_contain_text("example.csv")
        expect(page.get_by_label("System", exact=True)).to_have_value("Example")
        page.get_by_label("System", exact=True).press("Enter")
        says(page, "It can be submitted; nothing was kept.")
    assert len(served.board_folder.ledger.state().submissions) == before


def test_an_open_page_that_does_nothing_asks_nothing(chromium: Browser, served: Running) -> None:
    item = next(iter(served.board_folder.ledger.state().submissions))
    with window(chromium, address(served)) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for tab in ("board", "submit", "try"):
            page.goto(f"{address(served)}/?tab={tab}")
            page.locator(".rs-on h2").first.wait_for()
            page.wait_for_load_state("networkidle")
            asked.clear()
            page.wait_for_timeout(6_000)
            assert asked == []
        page.goto(f"{address(served)}/?tab=submit&receipt={item}")
        expect(page.locator("#submit-state")).to_contain_text("on synthetic", timeout=30_000)
        # A receipt is asked for while it is shown, and no longer.
        page.get_by_role("link", name="About").click()
        page.wait_for_load_state("networkidle")
        asked.clear()
        page.wait_for_timeout(8_000)
        assert asked == []


def test_a_submitted_name_is_text_in_the_answer(chromium: Browser, served: Running, reports: bytes, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=window.pwned=1>.jsonl"
    path.write_bytes(b'{"study_id": "<img src=x onerror=window.pwned=1>", "report": "<script>window.pwned=1</script>"}')
    with window(chromium, address(served)) as page:
        opened(page, served)
        page.locator("#submit-file input").set_input_files(path)
        page.get_by_label("System", exact=True).fill("<svg onload=window.pwned=1>")
        press(page, "Check only")
        says(page, "It cannot be submitted")
        says(page, "holds markup")
        assert page.locator("#submit-said :is(img, script, svg)").count() == 0
        page.get_by_label("Receipt", exact=True).fill('"><img src=x onerror=window.pwned=1>')
        page.get_by_label("Receipt", exact=True).press("Enter")
        expect(page.locator("#submit-state")).not_to_be_empty()
        assert page.locator("#submit-state img").count() == 0


def test_a_script_that_came_in_cannot_run(chromium: Browser, served: Running) -> None:
    """The policy holds even where a name had become markup: no inline script, no handler, no foreign file."""
    with window(chromium, address(served)) as page:
        opened(page, served)
        page.evaluate(
            """() => {
              document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.pwned=1"><a id="click" onclick="window.pwned=1">x</a>');
              const script = document.createElement('script'); script.textContent = 'window.pwned=1'; document.body.append(script);
              document.getElementById('click').click();
            }"""
        )
        page.wait_for_timeout(500)
        assert page.evaluate("window.pwned") is None


EVIL = """<!doctype html><script>
const page = %r, done = [];
const body = '{"name": "a.csv", "cohort": "synthetic", "card": {"name": "Evil"}, "dry": false}\\n' + %r;
const tries = {
  read: () => fetch(page + '/ranscore/door', {credentials: 'include'}).then(a => a.text()),
  json: () => fetch(page + '/ranscore/hand-in', {method: 'POST', credentials: 'include', headers: {'content-type': 'application/octet-stream', 'x-ranscore': '1'}, body}).then(a => a.text()),
  plain: () => fetch(page + '/ranscore/hand-in', {method: 'POST', mode: 'no-cors', credentials: 'include', body}).then(a => a.type),
  beacon: () => Promise.resolve(navigator.sendBeacon(page + '/ranscore/withdraw', new Blob(['{"id": "a"}'], {type: 'application/json'})) ? 'queued' : 'no'),
  script: () => new Promise((yes, no) => { const s = document.createElement('script'); s.src = page + '/ranscore/frame.js'; s.onload = () => yes('ran'); s.onerror = no; document.head.append(s); }),
  picture: () => new Promise((yes, no) => { const i = new Image(); i.src = page + '/ranscore/export/svg'; i.onload = () => yes('seen'); i.onerror = no; }),
  socket: () => new Promise((yes, no) => { const w = new WebSocket(page.replace('http', 'ws') + '/gradio_api/queue/join'); w.onopen = () => yes('open'); w.onerror = no; }),
};
(async () => { for (const [name, go] of Object.entries(tries)) { try { done.push(name + ' ' + await go()); } catch { done.push(name + ' refused'); } } window.done = done; })();
</script>
<iframe name=inside></iframe><form id=form method=post enctype="text/plain" target=inside action="%s/ranscore/hand-in"><input name='{"dry": false, "x":"' value='"}'></form>
<script>document.getElementById('form').submit()</script><iframe id=framed src="%s/?tab=submit"></iframe>"""


@contextmanager
def foreign(document: str) -> Iterator[int]:
    """Another site on this machine; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(document.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_foreign_page_in_the_same_browser_gets_nothing(chromium: Browser, served: Running, reports: bytes, host: str) -> None:
    before = len(served.board_folder.ledger.state().submissions)
    target = address(served)
    document = EVIL % (target, reports.decode(), target, target)
    with foreign(document) as port:
        context = chromium.new_context()
        try:
            page = context.new_page()
            page.goto(f"http://{host}:{port}/")
            page.wait_for_function("window.done", timeout=60_000)
            done = dict(line.split(" ", 1) for line in page.evaluate("window.done"))
            assert done.pop("beacon") in ("queued", "refused")
            assert set(done.values()) == {"refused"}, done
            page.wait_for_timeout(1_000)
            assert page.frame_locator("#framed").locator("#submit").count() == 0
        finally:
            context.close()
    assert len(served.board_folder.ledger.state().submissions) == before
