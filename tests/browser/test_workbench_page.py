"""The workbench in a real browser, wide and narrow: try, look at a wrong report, tag it, edit, try again."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from harness.config.home import home
from harness.types import Access
from ranscore.commands import main
from tests.browser.conftest import shoot, window
from tests.extractors.servers import Faulty
from tests.validation.extractors.conftest import settled
from tests.validation.workbench.conftest import obeys
from validation.workbench import drafts, rounds

pytestmark = pytest.mark.browser


@contextmanager
def page_of(server: Faulty, *more: str) -> Iterator[str]:
    """The workbench in a process of its own; its address."""
    words = [sys.executable, "-m", "ranscore", "serve", "--workbench", "mine", "--standard", "lung", "--port", "0"]
    words += ["--endpoint", server.url, "--model", "tiny", "--dialect", "openai", *more]
    environment = {**os.environ, "RANSCORE_HOME": str(home()), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            found = next((match[1] for line in process.stdout if (match := re.search(r"The workbench is at (\S+)", line))), None)
            assert found, "the workbench did not say its address"
            yield found
        finally:
            process.kill()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_finding_is_revised_on_the_page(chromium: Browser, width: int) -> None:
    made = settled(60, "lung", items=14, repeats=0)
    assert main(["pack", "draft", "mine"]) == 0
    assert main(["pack", "edit", "mine", "fracture", "--add-word", "lung"]) == 0
    with Faulty(obeys, model="tiny") as server, page_of(server) as address, window(chromium, address, width) as page:
        page.goto(address)
        expect(page.locator("main")).to_contain_text("was not tried yet")
        page.get_by_role("button", name="Try").click()
        page.get_by_role("button", name="Fracture").click(timeout=60_000)
        items = len(rounds.of("mine").rounds()[0].decisions)
        assert len(server.bodies) == 21 * items
        row = page.locator("tr", has=page.get_by_role("button", name="Fracture"))
        kept = rounds.of("mine").last()
        assert kept is not None
        test = kept.result.pairs[0].accuracy["Fracture"]
        expect(row.locator("td").nth(6)).to_have_text(str(test.only_second))
        expect(row.locator("td").nth(7)).to_have_text(str(test.only_first))
        article = page.locator("article").first
        expect(article).to_contain_text("Readers: absent. The model: present.")
        number = (article.locator("h3").text_content() or "").removeprefix("Report ")
        assert made.texts[number][0].strip()[:40] in (article.locator(".text").text_content() or "")
        article.locator("select").select_option("negation")
        expect(page.locator("#said")).to_contain_text("negation")
        assert [(tag.item, tag.tag) for tag in rounds.of("mine").tags()] == [(number, "negation")]
        words = page.get_by_label("words with which reports say it")
        words.fill("\n".join(line for line in words.input_value().splitlines() if line != "lung"))
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#changed")).to_contain_text("Fracture")
        assert "lung" not in drafts.load("mine").guide("Fracture").words
        shoot(page, f"workbench-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
        page.get_by_role("button", name="Try").click()
        expect(page.locator("#said")).to_contain_text("Round 3 is done: 0 questions were asked.", timeout=60_000)
        page.get_by_text("All rounds as a picture").click()
        picture = page.get_by_role("region", name="Rounds").locator("img")
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") == 1160
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert len(server.bodies) == 21 * items


def test_only_this_machine_and_only_the_secret_address(capsys: pytest.CaptureFixture[str]) -> None:
    settled(60, "lung", items=6, repeats=0, access=Access.CREDENTIALED)
    assert main(["pack", "draft", "mine"]) == 0
    words = ["serve", "--workbench", "mine", "--standard", "lung"]
    assert main([*words, "--host", "0.0.0.0"]) != 0 and "this machine alone" in capsys.readouterr().err
    assert main(words) != 0 and "--agree" in capsys.readouterr().err
    agree = "I may show these reports to the readers under the data use agreement"
    with Faulty(obeys, model="tiny") as server, page_of(server, "--agree", agree) as address:
        place = urlsplit(address)

        def status(path: str, **headers: str) -> int:
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status
            finally:
                connection.close()

        assert status(place.path) == status(f"{place.path}state") == status(f"{place.path}errors/Edema") == 200
        assert status("/") == status("/state") == status(f"{place.path[:-4]}x/state") == status(f"{place.path}errors/Gone") == 404
        assert status(f"{place.path}state", Host="evil.example") == 403
        assert status(f"{place.path}state", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}) == 403
    assert not (home() / "workbench").exists()
