"""The page in a real browser, wide and narrow, by mouse and by keyboard alone."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from harness.records.store import Store
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.exports import kinds, tables
from leaderboard.html import frame
from leaderboard.html.addresses import Files
from leaderboard.html.markup import el, join
from leaderboard.views import board as views
from leaderboard.views import router
from tests.boards import HOSTILE
from tests.browser.conftest import serving, shoot, visit, window

pytestmark = pytest.mark.browser
WIDTHS = (1440, 390)
TABS = (*router.TABS, "try")
PICTURED = ("board", "findings", "compare", "agree")


def names(page: Page) -> list[str]:
    return page.locator("table[data-main] tbody tr:not([hidden]) th a").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_has_no_serious_accessibility_problem(chromium: Browser, address: str, width: int, scheme: str) -> None:
    with window(chromium, address, width, scheme) as page:
        for tab in TABS:
            visit(page, address, f"?tab={tab}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
            if tab in PICTURED and (scheme == "light" or tab == "board"):
                shoot(page, f"{tab}-{width}-{scheme}")
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            serious = {
                item["id"]: [node["html"][:150] for node in item["nodes"][:3]]
                for item in found
                if item["impact"] in {"serious", "critical"}
            }
            assert serious == {}, (tab, serious)


@pytest.mark.parametrize("width", [360, 720])
def test_a_narrow_phone_and_double_zoom_lose_nothing(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        for tab in TABS:
            visit(page, address, f"?tab={tab}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
            assert page.locator(".rs-menu a").last.is_visible()
            page.locator(".rs-on bdi").evaluate_all("names => names.forEach(name => { name.textContent = 'x'.repeat(80); })")
            cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 120))"
            assert page.locator(".rs-on :is(h2, h3, p):visible:not(.rs-hidden)").evaluate_all(cut) == [], tab
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab


@pytest.mark.parametrize("width", WIDTHS)
def test_sort_filter_search_and_the_link_that_restores_them(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        visit(page, address)
        before = names(page)
        assert before[0] == "references" and len(before) == 11
        page.locator("th[data-key$='bleu-4'] button").click()
        expect(page.locator("th[data-key$='bleu-4']")).to_have_attribute("aria-sort", "descending")
        page.get_by_text("Filter", exact=True).click()
        page.get_by_label("Hide floors and ceilings").check()
        page.keyboard.press("Escape")
        page.get_by_label("Search").fill("synthetic")
        page.get_by_text("Columns", exact=True).click()
        box = page.get_by_label("BLEU-1", exact=True)
        ticked, empty = box.screenshot(), page.get_by_label("organisation", exact=True).screenshot()
        assert ticked != empty, "a ticked box looks like an empty one"
        assert box.evaluate("box => getComputedStyle(box).appearance") == "auto"
        box.uncheck()
        page.get_by_label("organisation", exact=True).check()
        expect(page.locator("th[data-key$='bleu-1']")).to_be_hidden()
        expect(page.locator(".rs-count")).to_have_text("7 of 11 rows")
        shown = names(page)
        page.wait_for_function("location.search.includes('columns=')")
        link = page.url
        scores = [
            float(value)
            for value in page.locator("tbody tr:not([hidden]) td:nth-child(8)").evaluate_all("cells => cells.map(c => c.dataset.v)")
        ]
        assert scores == sorted(scores, reverse=True)
    with window(chromium, address, width) as other:
        other.goto(link)
        expect(other.locator(".rs-count")).to_have_text("7 of 11 rows")
        assert names(other) == shown
        expect(other.locator("th[data-key$='bleu-1']")).to_be_hidden()
        expect(other.locator("th[data-key=organisation]")).to_be_visible()
        other.get_by_role("button", name="Reset").click()
        expect(other.locator(".rs-count")).to_have_text("11 of 11 rows")
        assert names(other) == before and "sort" not in other.url


def test_the_page_shows_what_the_json_prints(chromium: Browser, address: str, demo_store: Store) -> None:
    board = json.loads(tables.dumps(BoardContent(demo_store).content().boards))["boards"][0]
    with window(chromium, address) as page:
        visit(page, address)
        lines = page.locator("table[data-main] tbody tr").evaluate_all(
            "rows => rows.map(r => ({id: r.dataset.id, values: [...r.cells].filter(c => c.classList.contains('n')).map(c => [c.dataset.v, c.innerText]), "
            "rank: r.cells[0].innerText, best: [...r.cells].filter(c => c.classList.contains('n')).map(c => !!c.querySelector('b'))}))"
        )
    for row, line in zip(board["rows"], lines, strict=True):
        cells = [row["cells"][column["key"]] for column in board["columns"]]
        assert row["id"] == line["id"]
        assert [float(value) for value, _ in line["values"]] == [cell["value"] for cell in cells]
        assert all(shown.startswith(f"{cell['value']:.3f}") for (_, shown), cell in zip(line["values"], cells, strict=True))
        assert line["best"] == [cell["best"] for cell in cells]
        assert line["rank"].split()[0] == (str(row["place"]["rank"]) if row["place"] else "–")


@pytest.mark.parametrize("width", WIDTHS)
def test_compare_two_systems_and_follow_the_matrix(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        visit(page, address, "?tab=compare")
        page.get_by_label("First").select_option(label="synthetic-alder")
        page.get_by_label("Second").select_option(label="synthetic-maple")
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.locator(".rs-on .rs-lead").first).to_contain_text("synthetic-alder is ahead of synthetic-maple")
        assert "a=" in page.url and "b=" in page.url
        assert page.locator(".rs-on mark").count() > 3
        page.get_by_role("link", name=re.compile("synthetic-maple worse than synthetic-alder")).click()
        expect(page.get_by_label("First")).to_have_value(re.search(r"a=(\w+)", page.url)[1])  # type: ignore[index]
        page.go_back()
        expect(page.locator(".rs-on .rs-lead").first).to_contain_text("synthetic-alder is ahead")


def test_export_holds_what_is_shown_in_its_order(chromium: Browser, address: str) -> None:
    with window(chromium, address) as page:
        visit(page, address, "?extra=0&sort=system&columns=rank,evidence")
        shown = names(page)
        assert shown == sorted(shown)
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="CSV").click()
        lines = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
        assert [line["system"] for line in lines] == shown and "Ran Score" not in lines[0]
        for kind in ("JSON", "Markdown", "LaTeX", "SVG figure", "BibTeX"):
            with page.expect_download() as waiting:
                page.get_by_role("link", name=kind).click()
            assert "synthetic" in Path(waiting.value.path()).read_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_try_a_report_and_a_reference(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        visit(page, address, "?tab=try")
        page.get_by_role("button", name="Fill in an example").click()
        expect(page.get_by_label("Report", exact=True)).not_to_have_value("")
        page.get_by_role("button", name="Read the findings").click()
        expect(page.locator("#try-result mark").first).to_be_visible(timeout=30_000)
        expect(page.locator("#try-result")).to_contain_text("Scores of this pair")
        expect(page.locator("#try-result").get_by_role("heading").first).to_be_in_viewport()
        shoot(page, f"try-result-{width}")
        page.get_by_label("Reference (optional)").fill("")
        page.get_by_label("Report", exact=True).fill("Pneumothorax. " + " ".join(HOSTILE))
        page.get_by_role("button", name="Read the findings").click()
        expect(page.locator("#try-result")).to_contain_text("onerror", timeout=30_000)
        expect(page.locator("#try-result script, #try-result img, #try-result iframe")).to_have_count(0)


def test_by_keyboard_alone(chromium: Browser, address: str) -> None:
    with window(chromium, address) as page:
        visit(page, address)
        press_until(page, "() => document.activeElement.dataset.tab === 'findings'")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-findings h2")).to_be_focused()
        visit(page, address)
        press_until(page, "() => document.activeElement.closest('summary')?.textContent === 'Filter'")
        page.keyboard.press("Enter")
        press_until(page, "() => document.activeElement.name === 'extra'")
        page.keyboard.press("Space")
        expect(page.locator(".rs-count")).to_have_text("7 of 11 rows")
        page.keyboard.press("Escape")
        press_until(page, "() => document.activeElement.closest('th')?.dataset.key === 'system'")
        page.keyboard.press("Enter")
        expect(page.locator("th[data-key=system]")).to_have_attribute("aria-sort", "ascending")
        press_until(page, "() => document.activeElement.textContent === 'synthetic-alder'")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-system h3").first).to_contain_text("synthetic-alder")


def press_until(page: Page, condition: str, most: int = 60) -> None:
    """Press Tab until something has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    pytest.fail(f"the keyboard does not reach it: {condition}")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_gone_link_an_empty_result_the_footer_and_the_way_past_the_menu(chromium: Browser, address: str, width: int) -> None:
    with window(chromium, address, width) as page:
        for gone in ("?board=nope-123", "?tab=nonsense", "?tab=findings&board=nope-123"):
            visit(page, address, gone)
            expect(page.get_by_text("What this link names is not here any more").first).to_be_visible()
        visit(page, address)
        expect(page.get_by_text("What this link names is not here any more")).to_have_count(0)
        page.get_by_label("Search").fill("no such system")
        expect(page.locator(".rs-count")).to_have_text("No row fits. Reset shows all 11.")
        expect(page.locator(".rs-foot").get_by_role("link", name="Paper", exact=True)).to_have_attribute("href", frame.PAPER)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator(".rs-skip").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.tagName") == "H2"


def test_copy_link_gives_the_address_of_this_view(chromium: Browser, address: str) -> None:
    with window(chromium, address) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit(page, address, "?q=elm")
        page.get_by_role("button", name="Copy link").first.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"{address}/?q=elm") and "board=synthetic-" in copied


def test_strangers_names_are_inert_in_the_browser(chromium: Browser, hostile_store: Store) -> None:
    with serving(hostile_store) as address, window(chromium, address) as page:
        for tab in router.TABS:
            visit(page, address, f"?tab={tab}")
            page.wait_for_timeout(100)
        visit(page, address)
        assert len(names(page)) == len(HOSTILE) - 1
        expect(page.locator(".rs-view script, .rs-view img, .rs-view iframe")).to_have_count(0)


def test_the_static_site_sorts_and_filters_and_asks_nobody(chromium: Browser, demo_store: Store, folder: Path) -> None:
    static_site.write(BoardContent(demo_store), folder)
    with window(chromium, "file:") as page:
        page.goto((folder / "index.html").as_uri())
        assert len(names(page)) == 11
        page.locator("th[data-key=system] button").click()
        assert names(page) == sorted(names(page))
        page.get_by_label("Search").fill("elm")
        expect(page.locator(".rs-count")).to_have_text("1 of 11 rows")
        page.get_by_role("link", name="Compare").click()
        page.get_by_label("Second").select_option(label="synthetic-maple")
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.locator(".rs-lead").first).to_contain_text("synthetic-maple")


def test_a_board_longer_than_a_screen_is_drawn_in_turns_and_whole(chromium: Browser, demo_store: Store, folder: Path) -> None:
    board = BoardContent(demo_store).content().boards[0]
    many = [replace(board.rows[index % 11], id=f"id{index}", name=f"system-{index * 7919 % 500:03d}") for index in range(500)]
    long = replace(board, rows=tuple(many))
    body = frame.document("Long", join([el("main", views.view(long, (), (), Files())), el("div", data_static=True)]), static_site._head())
    folder.mkdir()
    (folder / "index.html").write_text(body)
    for name in static_site.NAMES:
        (folder / name).write_text(frame.asset(name))
    with window(chromium, "file:") as page:
        page.goto((folder / "index.html").as_uri())
        expect(page.locator("table[data-main] tbody tr")).to_have_count(500)
        at_once = (
            "document.querySelector('th[data-key=system] button').click(), document.querySelectorAll('table[data-main] tbody tr').length"
        )
        assert page.evaluate(at_once) == 60
        expect(page.locator("table[data-main] tbody tr")).to_have_count(500)
        assert names(page) == [f"system-{index:03d}" for index in range(500)]
        page.get_by_label("Search").fill("-49")
        expect(page.locator(".rs-count")).to_have_text("10 of 500 rows")
        assert names(page) == [f"system-{index}" for index in range(490, 500)]
        page.get_by_label("Search").fill("")
        page.get_by_text("Columns", exact=True).click()
        page.get_by_label("BLEU-1", exact=True).uncheck()
        expect(page.locator("table[data-main] tbody tr")).to_have_count(500)
        assert page.locator("table[data-main] :is(td, th):visible").count() == 501 * 10


def test_the_static_site_exports_exactly_what_is_shown(chromium: Browser, demo_store: Store, folder: Path) -> None:
    board_content = BoardContent(demo_store)
    static_site.write(board_content, folder)
    board = board_content.content().boards[0]
    with window(chromium, "file:") as page:
        page.goto((folder / "index.html").as_uri() + "?extra=0&q=synthetic&sort=-bleu%7Cv1%7Ccoco%7Cptb/bleu-4")
        page.get_by_text("Columns", exact=True).click()
        page.get_by_label("Ran Score", exact=True).uncheck()
        page.get_by_label("coverage", exact=True).uncheck()
        page.get_by_label("date", exact=True).check()
        rows = page.locator("table[data-main] tbody tr").evaluate_all("rows => rows.map(r => r.dataset.id)")
        shown = page.locator("table[data-main] thead th:visible").evaluate_all("heads => heads.map(h => h.dataset.key)")
        scores = [
            row.cells[next(column.key for column in board.columns if column.part == "bleu-4")].value for row in board.rows if row.id in rows
        ]
        assert 5 < len(rows) == len(scores) < len(board.rows)
        part = board.pick(rows, shown, [fact for fact in tables.FACTS if fact in shown])
        assert part.facts == ("evidence", "date") and "Ran Score" not in [column.label for column in part.columns]
        page.get_by_text("Export", exact=True).click()
        for kind, label in (("csv", "CSV"), ("markdown", "Markdown"), ("latex", "LaTeX"), ("json", "JSON")):
            with page.expect_download() as waiting:
                page.get_by_role("link", name=label).click()
            taken, served = Path(waiting.value.path()).read_text(), kinds.of_board(kind, part)
            assert served and waiting.value.suggested_filename == served.name
            assert (json.loads(taken) == json.loads(served.text)) if kind == "json" else (taken == served.text)
        assert page.get_by_text("For the whole board:").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_visitor_chooses_light_or_dark_by_keyboard_and_it_is_remembered(chromium: Browser, address: str, scheme: str) -> None:
    with window(chromium, address, scheme=scheme) as page:
        visit(page, address)
        other, paper = "dark" if scheme == "light" else "light", {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 25)"}
        ground = "getComputedStyle(document.querySelector('.rs-board tbody td')).backgroundColor"
        field = page.get_by_label("Colours")
        assert page.evaluate(ground) == paper[scheme]
        expect(field).to_have_value("")
        press_until(page, "() => document.activeElement.dataset.colours !== undefined")
        page.keyboard.type(other.capitalize())
        expect(field).to_have_value(other)
        assert page.evaluate(ground) == paper[other]
        assert page.evaluate("document.body.classList.contains('dark')") == (other == "dark")
        visit(page, address, "?tab=agree")
        expect(field).to_have_value(other)
        assert page.evaluate("document.body.classList.contains('dark')") == (other == "dark")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [item["id"] for item in found if item["impact"] in {"serious", "critical"}] == []
        field.select_option("")
        assert page.evaluate("localStorage.length") == 0 and page.context.cookies() == []
        visit(page, address)
        assert page.evaluate(ground) == paper[scheme]


def test_colours_can_be_chosen_where_nothing_may_be_remembered(chromium: Browser, demo_store: Store, folder: Path) -> None:
    static_site.write(BoardContent(demo_store), folder)
    with window(chromium, "file:") as page:
        page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })")
        page.goto((folder / "index.html").as_uri())
        page.get_by_label("Colours").select_option("dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 25)"
