"""Every page as HTML: what it says, and that strangers' text stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.records import store as stores
from harness.records.record import Record
from harness.records.store import Store
from harness.types import Access, Role
from leaderboard.board import boards
from leaderboard.content import BoardContent
from leaderboard.exports import kinds, tables
from leaderboard.html.addresses import FILES, SYSTEM_FILES, Live
from leaderboard.html.markup import el, outward, text
from leaderboard.views import router

LIVE = Live()


class Page(HTMLParser):
    """The elements of a page, and whether they nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"br", "img", "input", "link", "meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def every_page(board_content: BoardContent) -> dict[str, str]:
    content = board_content.content()
    first, second, *_ = [row.id for board in content.boards for row in board.rows]
    pages: dict[str, str] = {tab: router.render(board_content, tab, {}, LIVE) for tab in router.TABS}
    pages["pair"] = router.render(board_content, "compare", {"a": second, "b": first}, LIVE)
    return pages | {f"system {name}": router.render(board_content, "system", {"system": name}, LIVE) for name in content.stored}


def test_the_board_holds_what_the_json_prints_cell_by_cell(board_content: BoardContent) -> None:
    board = board_content.content().boards[0]
    page = router.render(board_content, "board", {}, LIVE)
    data = json.loads(tables.dumps((board,)))["boards"][0]
    lines = re.findall(r'<tr[^>]*data-id="([0-9a-f]{16})".*?</tr>', page, re.S)
    assert lines == [row["id"] for row in data["rows"]]
    for row, line in zip(data["rows"], re.findall(r'<tr[^>]*data-id=".*?</tr>', page, re.S), strict=True):
        values = re.findall(r'<td class="n" data-v="([^"]*)"', line)
        assert [float(value) for value in values] == [row["cells"][column["key"]]["value"] for column in data["columns"]]
        assert (line.count("<b>") > 0) == any(cell["best"] for cell in row["cells"].values())
        place = row["place"]
        assert re.search(r'class="rs-rank" data-v="(\d*)"', line)[1] == (str(place["rank"]) if place else "")  # type: ignore[index]
        assert f">{row['coverage']}<" in line


def test_every_table_has_a_caption_and_scopes_and_every_page_nests(board_content: BoardContent) -> None:
    for name, source in every_page(board_content).items():
        page = Page(source)
        assert page.open == [], name
        assert len(page.all("table")) == len(page.all("caption")), name
        assert all(head.get("scope") in {"row", "col"} for head in page.all("th")), name
        assert all(plot.get("aria-hidden") or plot.get("aria-label") for plot in page.all("svg")), name
        ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
        assert len(ids) == len(set(ids)), name
        assert page.elements[0][0] == "div" and len(page.all("h2")) == 1, name


def test_plots_stand_beside_tables_with_the_same_numbers(board_content: BoardContent) -> None:
    page = router.render(board_content, "agree", {}, LIVE)
    sections = re.findall(r'<section class="rs-agree">.*?</section>', page, re.S)
    assert len(sections) == 6  # BLEU-4 and ROUGE-L, and behind the fold micro F1 and BLEU-1 to 3
    for section in sections:
        drawn = re.findall(r'class="rs-value">([\d.]+)<', section)
        assert drawn and set(drawn) <= set(re.findall(r'<td class="n" data-v="[^"]+">([\d.]+)<', section))


def test_the_constant_report_is_called_out_where_words_are_counted(board_content: BoardContent) -> None:
    page = re.sub("<[^>]+>", "", router.render(board_content, "agree", {}, LIVE))
    found = re.search(r"constant-normal is \d+th of 10 by Ran Score and \w+ by ROUGE-L: it keeps (\d+)% .*? and (\d+)% of", page)
    assert found and int(found[1]) < 10 and int(found[2]) > 60


def test_credentialed_cohorts_show_no_study_and_no_text(
    board_content: BoardContent, demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = next(iter((demo_store.reports(demo_store.all()[0]) or {}).values()))[:40]
    assert "Where they differ most" in router.render(board_content, "compare", {}, LIVE)

    def closed(item: stores.Stored) -> stores.Stored:
        return replace(item, record=replace(item.record, cohort=replace(item.record.cohort, access=Access.CREDENTIALED)))

    everything = tuple(closed(item) for item in demo_store.all())
    monkeypatch.setattr(Store, "read", lambda self: (everything, ()))
    monkeypatch.setattr(Store, "reports", lambda *_: pytest.fail("reports of a credentialed cohort were read"))
    for source in every_page(BoardContent(demo_store)).values():
        assert "Where they differ most" not in source and words not in source


def test_hostile_names_are_inert_on_every_page(hostile_store: Store) -> None:
    for name, source in every_page(BoardContent(hostile_store)).items():
        page = Page(source)
        assert page.open == [], name
        for tag, attributes in page.elements:
            assert tag not in {"script", "iframe", "img", "style", "base", "meta", "link", "object"}, name
            assert not [key for key in attributes if key.startswith("on")], name
            address = attributes.get("href") or ""
            assert not address or address.startswith(("?", "ranscore/export/", "https://")), (name, address)
        assert not re.search("[\x00-\x08\u202e]", source) and "${" not in source and "{{" not in source


@pytest.mark.parametrize("kind", FILES)
def test_hostile_names_are_inert_in_every_export_of_a_board(hostile_store: Store, kind: str) -> None:
    made = kinds.of_board(kind, BoardContent(hostile_store).content().boards[0])
    assert made and re.fullmatch(r"[a-z0-9.-]+", made.name)
    inert(kind, made.text)


@pytest.mark.parametrize("kind", SYSTEM_FILES)
def test_hostile_names_are_inert_in_every_export_of_a_system(hostile_store: Store, kind: str) -> None:
    content = BoardContent(hostile_store).content()
    for row in content.boards[0].rows:
        record = content.record(row.id)
        made = kinds.of_system(kind, content.boards[0], row, record, "https://board.example/") if record else None
        assert made and re.fullmatch(r"[a-z0-9.-]+", made.name)
        inert(kind, made.text)


def inert(kind: str, made: str) -> None:
    """What may not stand in a file of each kind."""
    import csv
    import io
    from xml.etree import ElementTree

    if kind in {"svg", "badge"}:
        assert {child.tag.rpartition("}")[2] for child in ElementTree.fromstring(made).iter()} <= {
            "svg", "title", "style", "rect", "text", "g", "line", "circle",
        }  # fmt: skip
    elif kind in {"json", "record"}:
        json.loads(made)
    elif kind == "csv":
        assert all(not cell.startswith(("=", "@", "+", "-")) or _number(cell) for line in csv.reader(io.StringIO(made)) for cell in line)
    elif kind == "markdown":
        kept = re.sub(r"<span>\$</span>|<!-- -->", "", made)  # what keeps GitHub from making formulas and addresses
        assert "<" not in kept and "](" not in made and "\n#" not in made and "://" not in made
    elif kind in {"latex", "latex-row"}:
        assert not re.search(r"\\(input|write)\b", made)
    elif kind in {"bibtex", "citation"}:
        assert made.count("@misc{") == 2 and made.count("@") == 2
        assert len(re.findall(r"^  \w+ = \{.*\},$", made, re.M)) == len(re.findall(r"^  \w", made, re.M))
    else:
        import yaml

        assert all(set(entry) == {"dataset", "value", "date", "source", "notes"} for entry in yaml.safe_load(made))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_the_hubs_own_library_would_write_the_same_results(board_content: BoardContent) -> None:
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    content = board_content.content()
    row = next(row for row in content.boards[0].rows if row.place)
    record = content.record(row.id)
    made = kinds.of_system("eval-results", content.boards[0], row, record, "https://board.example/", "org/set") if record else None
    found = yaml.safe_load(made.text if made else "")
    expected = [
        EvalResultEntry("org/set", task, round(result.value, 6), date=row.created, source_url="https://board.example/",
                        source_name="Ran Score leaderboard", notes=entry["notes"])
        for task, result, entry in zip(("ran_score_macro_f1", "bleu_bleu_4", "rouge_l_rouge_l"), record.metrics if record else (), found, strict=True)
    ]  # fmt: skip
    assert found == eval_result_entries_to_yaml(expected)


def test_an_export_holds_the_rows_and_columns_that_are_shown(board_content: BoardContent) -> None:
    board = board_content.content().boards[0]
    chosen = [board.rows[3].id, board.rows[1].id, "unknown"]
    shown = board.pick(chosen, ["rank", "system", board.columns[2].key, "date"], ["date"])
    assert tables.header(shown) == ["rank", "system", board.columns[2].label, "date"]
    assert [row.id for row in shown.rows] == chosen[:2]
    assert board.rows[3].name in tables.to_csv(shown).splitlines()[1]


def test_a_system_is_anonymous_until_its_date(demo_store: Store) -> None:
    item = next(item for item in demo_store.all() if item.record.system.role is Role.SYSTEM)
    card = replace(item.record.system, organisation="Lab", link="https://lab.example", anonymous_until="2026-12-31")
    hidden = replace(item, record=replace(item.record, system=card))
    (before,), (after,) = boards([hidden], today="2026-12-30"), boards([hidden], today="2026-12-31")
    assert before.rows[0].name.startswith("anonymous-") and not before.rows[0].organisation and not before.rows[0].link
    assert after.rows[0].name == item.record.system.name and after.rows[0].organisation == "Lab"


def test_text_is_text_and_links_are_plain_web_addresses() -> None:
    assert text("<b>&\"'${x}\u202e") == "&lt;b&gt;&amp;&quot;&#x27;&#36;&#123;x&#125;\ufffd"
    assert el("td", "<", data_v="\"'") == '<td data-v="&quot;&#x27;">&lt;</td>'
    assert outward("https://lab.example/x?y=1&z", "Lab").startswith('<a href="https://lab.example/x?y=1&amp;z"')
    for address in ("javascript:x", "https://u@evil.example", "//evil.example", "https://[x", "ftp://a.example", "https://a b"):
        assert outward(address, "Lab") == "<span>Lab</span>"


def test_an_empty_store_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    page = router.render(BoardContent(Store(tmp_path_factory.mktemp("empty"))), "board", {}, LIVE)
    assert "No record yet" in page and "ranscore demo" in page


def test_what_lands_is_shown_without_a_restart(demo_store: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("growing"))
    board_content, record = BoardContent(store), demo_store.all()[0].record
    assert board_content.content().boards == ()
    store.add(record)
    assert [row.name for row in board_content.content().boards[0].rows] == [record.system.name]
    store.withdraw(record.system.name, "wrong file")
    assert board_content.content().boards == () and isinstance(next(iter(board_content.content().stored.values())).record, Record)


def test_a_board_too_large_for_every_test_makes_those_of_two_systems_when_asked(
    board_content: BoardContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"a": board_content.content().boards[0].rows[1].id, "b": board_content.content().boards[0].rows[3].id}
    whole, content = router.render(board_content, "compare", query, Live()), board_content.content()
    headlines = {
        key: replace(found, metrics=tuple(replace(item, tests={item.headline: item.tests[item.headline]}) for item in found.metrics))
        for key, found in content.snapshots.items()
    }
    monkeypatch.setattr(board_content, "content", lambda: replace(content, snapshots=headlines))
    assert router.render(board_content, "compare", query, Live()) == whole
    assert whole.count("</b> is better") == 2 and "rs-sure" in whole
    monkeypatch.setattr(board_content, "rows", lambda name: ())
    without = router.render(board_content, "compare", query, Live())
    assert "not tested on a board of this size" in without and "the rows of one" not in without
