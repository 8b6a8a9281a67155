"""The tab *What metrics see* in a real browser, wide and narrow: the blind spots first, examples that open, links that lead to a line."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from tests.browser.conftest import shoot, visit, window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
def test_blind_spots_come_first_and_an_example_opens(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        visit(page, address, "?tab=sees")
        expect(page.locator(".rs-on h3").first).to_contain_text("is blind")
        row = page.locator(".rs-on .rs-sees tbody tr", has_text="side").first
        row.locator("summary").click()
        assert row.locator("del").first.is_visible() and row.locator("ins").first.is_visible()
        assert {row.locator("del").first.inner_text().lower(), row.locator("ins").first.inner_text().lower()} == {"left", "right"}
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shoot(page, f"sees-{width}")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []


def test_a_score_leads_to_its_line(chromium: Browser, address: str) -> None:
    with window(chromium, address) as page:
        visit(page, address, "?tab=about")
        page.locator(".rs-on a", has_text="ran-score").first.click()
        expect(page.locator(".rs-on #sees-en-ran-score")).to_be_visible()
