"""Uploading a film under Try it, in a real browser: reports, refusals, and that nothing of a film stays."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from generators.baseline import trained
from harness.records.store import Store
from leaderboard.views.film import HINT
from tests.browser.conftest import serving, shoot, visit, window
from tests.browser.test_page import press_until
from tests.films import dicom, drawn, model, saved

__all__ = ["model"]
pytestmark = pytest.mark.browser
WIDTHS = (1440, 390)
PWNED = "<img src=x onerror=window.pwned=1>"
UNREADABLE = "cannot be read to its end"


@dataclass(frozen=True)
class Served:
    address: str
    temporary: Path
    errors: Path

    def left(self) -> list[str]:
        """Files that lie about."""
        return [str(path) for path in self.temporary.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def served(demo_store: Store, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The synthetic board with the trained baseline for films, in a process whose temporary files lie apart."""
    place = tmp_path_factory.mktemp("served")
    (place / "temporary").mkdir()
    options = ["--generator", "trained-baseline", "--weights", f"model={model}"]
    with (
        (place / "errors").open("wb") as errors,
        serving(
            demo_store, *options, errors=errors, TMPDIR=str(place / "temporary"), GRADIO_TEMP_DIR=str(place / "temporary" / "g")
        ) as found,
    ):
        yield Served(found, place / "temporary", place / "errors")


def upload(page: Page, name: str, content: bytes) -> None:
    """Choose a film and have its report written."""
    page.locator("#film-file").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.get_by_role("button", name="Write a report").click()


def opened(page: Page, served: Served) -> None:
    visit(page, served.address, "?tab=try")
    page.get_by_role("button", name="Upload a film").click()
    expect(page.get_by_label("Film", exact=True)).to_be_visible()


def serious(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{item['id']} {item['nodes'][0]['html'][:150]}" for item in found if item["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_visitor_without_a_film_tries_the_example(chromium: Browser, served: Served, width: int, scheme: str) -> None:
    with window(chromium, served.address, width, scheme) as page:
        opened(page, served)
        expect(page.locator("#try-report")).to_be_hidden()
        expect(page.locator("#film")).to_contain_text("trained-baseline")
        expect(page.locator("#film")).to_contain_text("Not for clinical use")
        assert serious(page) == []
        page.get_by_role("button", name="Take a drawn example").click()
        expect(page.locator("#film-state")).to_contain_text("nobody's chest", timeout=30_000)
        page.get_by_role("button", name="Write a report").click()
        expect(page.locator("#film-result")).to_contain_text("trained-baseline wrote", timeout=60_000)
        expect(page.locator("#film-result")).to_contain_text("Scores of this pair")
        assert page.locator("#film-result mark").count() > 1
        assert page.locator("#film-result img").evaluate("image => image.complete && image.naturalWidth") == 256
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []
        if scheme == "light":
            page.locator("#film").evaluate("form => form.scrollIntoView()")
            shoot(page, f"try-film-{width}")
        # Another film has another reference: the example's does not stay.
        upload(page, "other.png", saved(drawn()))
        expect(page.get_by_label("Reference (optional): what")).to_have_value("")
        expect(page.locator("#film-result")).to_contain_text("other.png", timeout=60_000)
        expect(page.locator("#film-result")).not_to_contain_text("Scores of this pair")
        page.get_by_role("button", name="Paste a report").click()
        expect(page.locator("#try-report")).to_be_visible()
        expect(page.locator("#film")).to_be_hidden()
    assert served.left() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_films_of_every_kind_are_read_and_what_is_none_is_refused(chromium: Browser, served: Served, width: int) -> None:
    with window(chromium, served.address, width) as page:
        opened(page, served)
        result = page.locator("#film-result")
        for name, content in (
            ("a.png", saved(drawn())),
            ("b.jpg", saved(drawn(), "JPEG")),
            ("IM-0001", dicom(drawn())),
            (PWNED, saved(drawn(1))),
        ):
            upload(page, name, content)
            expect(result.locator("figcaption")).to_contain_text("256 by 256 pixels", timeout=60_000)
            expect(result).to_contain_text("trained-baseline wrote")
            expect(result.locator("figcaption bdi")).to_have_text(name.replace("<", "").replace(">", ""))
            expect(result.locator("img")).to_have_count(1)
        for name, content, said in (
            ("empty.png", b"", "empty (0 bytes)"),
            (f"{PWNED}.dcm", b"A report, not a film.", "not a PNG, JPEG or DICOM file"),
            ("cut.png", saved(drawn())[:5000], UNREADABLE),
            ("cut.dcm", dicom(drawn())[:5000], UNREADABLE),
            ("cine.dcm", dicom(drawn(), NumberOfFrames=7), "7 frames"),
        ):
            upload(page, name, content)
            expect(result.get_by_role("alert")).to_contain_text(said, timeout=60_000)
            expect(result.locator("img")).to_have_count(0)
        assert serious(page) == []
        page.locator("#film-file").evaluate(
            "at => { const all = new DataTransfer(); all.items.add(new File([new Uint8Array(61e6)], 'huge.png')); at.files = all.files; }"
        )
        page.get_by_role("button", name="Write a report").click()
        expect(page.locator("#film-state")).to_contain_text("61 MB; 60 MB are read")
    assert served.left() == []
    assert served.errors.read_text() == ""


def test_a_real_film_and_a_real_dicom_get_a_report(chromium: Browser, served: Served, shared: Path) -> None:
    with window(chromium, served.address) as page:
        opened(page, served)
        for path in (shared / "images" / "RG1_J2KI.dcm", shared / "images" / "iu_CXR1900_IM-0584-2001.png"):
            upload(page, path.name, path.read_bytes())
            expect(page.locator("#film-result figcaption")).to_contain_text(path.name, timeout=60_000)
            expect(page.locator("#film-result")).to_contain_text("trained-baseline wrote")
    assert served.left() == [] and served.errors.read_text() == ""


def test_by_keyboard_alone(chromium: Browser, served: Served) -> None:
    with window(chromium, served.address) as page:
        visit(page, served.address, "?tab=try")
        press_until(page, "() => document.activeElement.textContent === 'Upload a film'")
        page.keyboard.press("Enter")
        press_until(page, "() => document.activeElement.id === 'film-example'")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Write a report")).to_be_focused(timeout=30_000)
        page.keyboard.press("Enter")
        expect(page.locator("#film-result")).to_contain_text("trained-baseline wrote", timeout=60_000)
        press_until(page, "() => document.activeElement.textContent === 'All 21 findings'")
        page.keyboard.press("Enter")
        expect(page.get_by_role("table", name="All 21 findings")).to_be_visible()


def test_without_a_generator_one_sentence_says_how(chromium: Browser, address: str) -> None:
    with window(chromium, address) as page:
        visit(page, address, "?tab=try")
        expect(page.locator("#panel-try")).to_contain_text(HINT)
        expect(page.locator("#film, [data-try]")).to_have_count(0)
        assert page.request.post(f"{address}/ranscore/film", data=b"x").status == 404


def test_who_leaves_in_the_middle_leaves_room_and_no_trace(chromium: Browser, served: Served) -> None:
    host, _, port = served.address.removeprefix("http://").partition(":")
    head = "POST /ranscore/film HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n"
    whole = b'{"name": "a.png"}\n' + saved(drawn())
    # More than may wait: some leave while they upload, some while their film is read.
    for size in (len(whole) + 1000, len(whole)) * 6:
        with socket.create_connection((host, int(port))) as visitor:
            visitor.sendall(head.format(size).encode() + whole)
            time.sleep(0.05)
    with window(chromium, served.address) as page:
        opened(page, served)
        result = page.locator("#film-result")
        for _ in range(60):  # those whose films were being read are finished first
            upload(page, "mine.png", saved(drawn()))
            expect(result).not_to_be_empty(timeout=60_000)
            if "waiting already" not in result.inner_text():
                break
            page.wait_for_timeout(500)
        expect(result).to_contain_text("trained-baseline wrote")
    assert served.left() == [] and served.errors.read_text() == ""


def test_the_demonstration_offers_the_system_that_it_trained(chromium: Browser, tmp_path: Path) -> None:
    options = ["--studies", "30", "--seed", "5"]
    store = Store(tmp_path / "store")
    with serving(store, *options, command="demo", errors=subprocess.DEVNULL) as address, window(chromium, address) as page:
        visit(page, address, "?tab=try")
        page.get_by_role("button", name="Upload a film").click()
        expect(page.locator("#film")).to_contain_text("It has only ever seen drawn films")
        page.get_by_role("button", name="Take a drawn example").click()
        expect(page.locator("#film-state")).to_contain_text("nobody's chest", timeout=30_000)
        page.get_by_role("button", name="Write a report").click()
        expect(page.locator("#film-result")).to_contain_text("trained-baseline wrote", timeout=60_000)
    (kept,) = (tmp_path / "demo" / "models").iterdir()
    assert trained.load(kept).digest
