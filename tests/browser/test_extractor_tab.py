"""The tab Extractor in a real browser, wide and narrow: reached from the header, readable, complete."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from harness.config.home import home
from harness.findings import RAN_21
from harness.records.store import Store
from ranscore.commands import main
from tests.browser.conftest import serving, shoot, visit, window
from tests.validation.extractors.conftest import settled

pytestmark = pytest.mark.browser


@pytest.fixture
def validated(tmp_path: Path) -> Store:
    """A board that the embedded extractor labelled, and its validation."""
    made = settled(60, "lung", items=40)
    reports = tmp_path / "reports.csv"
    rows = [f'{study.id},"{made.cohort.reference(study.id)}"' for study in made.cohort.scored]
    reports.write_text("study_id,report\n" + "\n".join(rows) + "\n")
    store = str(home() / "store")
    assert main(["score", str(reports), "--cohort", "small", "--metrics", "ran-score", "--store", store, "--name", "copy"]) == 0
    assert main(["extractor", "validate", "--standard", "lung", "--extractor", "lexical"]) == 0
    target = tmp_path / "home"
    shutil.copytree(home(), target)
    return Store(target / "store")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_header_leads_to_the_validation_of_the_boards_extractor(chromium: Browser, validated: Store, width: int) -> None:
    with serving(validated) as address, window(chromium, address, width) as page:
        visit(page, address)
        page.locator(".rs-on .rs-chips a", has_text="labels: lexical").click()
        expect(page.locator(".rs-on h3")).to_have_text("Against the standard lung", timeout=120_000)
        table = page.locator(".rs-on table").last
        assert table.locator("tbody tr").count() == len(RAN_21)
        assert table.locator(".rs-whisker").first.bounding_box()["width"] > 80  # type: ignore[index]
        assert page.locator(".rs-on li", has_text="reports that systems wrote").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shoot(page, f"extractor-{width}")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
