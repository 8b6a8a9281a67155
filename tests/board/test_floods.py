"""Floods of the page: what visitors invent is never rendered, what they send slowly takes no place, and others are answered meanwhile.

Nothing is timed: what is counted is how often something was rendered, who was answered, and what is kept.
"""

from __future__ import annotations

import asyncio
import json
import random
import string
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from harness.records.store import Store
from leaderboard.content import BoardContent, Content
from leaderboard.page import cache as page_cache
from leaderboard.page.body import Refusal
from leaderboard.page.cache import Lane, Made
from leaderboard.page.views import Views
from leaderboard.views import router
from tests.films import drawn, saved
from tests.served import Page, serving

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio and Starlette warn of each other's versions


@pytest.fixture(scope="module")
def page(demo_store: Store) -> Iterator[Page]:
    with serving(demo_store.root, "x") as found:
        yield found


@pytest.fixture(scope="module")
def content(demo_store: Store) -> Content:
    return BoardContent(demo_store).content()


def names(content: Content) -> dict[str, str]:
    """Names that exist."""
    board = content.boards[0]
    return {"board": board.key, "one": board.rows[0].id, "other": board.rows[1].id}


ODD = [
    "",
    " ",
    "x",
    "%00",
    "../../etc",
    "a" * 3000,
    "é",
    "<script>",
    "'; --",
    "NaN",
    "-1",
    "0",
    "null",
    "[]",
    "F1",
    "f1 ",
    "{}",
    "%F0%9F%92%A9",
    "\u202e",
]
INVENTED: dict[str, str] = {
    **{f"part {number}": f"tab=findings&part={quote(value)}" for number, value in enumerate(ODD)},
    **{f"tab {number}": f"tab={quote(value)}" for number, value in enumerate(ODD)},
    **{f"board {number}": f"tab=board&board={quote(value)}" for number, value in enumerate(ODD)},
    **{f"system {number}": f"tab=system&system={quote(value)}" for number, value in enumerate(ODD)},
    **{f"pair {number}": f"tab=compare&a={quote(value)}&b={quote(value[::-1])}" for number, value in enumerate(ODD)},
    **{f"agree {number}": f"tab=agree&{quote(value) or 'x'}={number}" for number, value in enumerate(ODD)},
    "readers": "tab=readers&a=x",
    "extractor": "tab=extractor&a=x",
    "sees": "tab=sees&part=x",
    "parameters of others": "tab=board&a={one}&b={other}&system={one}&part=recall",
    "part of a system": "tab=system&system={one}&part=recall&a={one}",
    "board of a system": "tab=system&system={one}&board=x",
    "twice": "tab=board&tab=findings&board=x&board={board}",
    "many": "tab=about&" + "&".join(f"x{number}=1" for number in range(800)),
    "semicolons": "tab=board;part=1;part=2",
    "a pair of one": "tab=compare&a={one}&b={one}",
    "half a pair": "tab=compare&a={one}",
    "other half": "tab=compare&b=x&a={one}",
    "sort and filter": "tab=board&sort=x&q=y&hide=z&rows=1",
}


def pages_of(content: Content) -> set[router.Asked]:
    """Every page that there is."""
    found = set()
    for board in content.boards:
        rows = [row.id for row in board.rows]
        found |= {router.Asked(tab, board.key) for tab in ("board", "agree", "about", "readers", "extractor", "sees")}
        found |= {router.Asked("findings", board.key, part=part) for part in ("f1", "recall", "precision")}
        found |= {router.Asked("system", board.key, system=name) for name in rows}
        found |= {router.Asked("compare", board.key, a=one, b=other) for one in rows for other in rows if one != other}
    return found | {replace(asked, gone=True) for asked in found}


@pytest.mark.parametrize("case", INVENTED)
def test_whatever_is_asked_is_one_of_the_pages_that_there_are(content: Content, case: str) -> None:
    from starlette.datastructures import QueryParams

    query = dict(QueryParams(INVENTED[case].format(**names(content))))
    asked = router.resolve(content, query.get("tab", ""), query)
    assert asked in pages_of(content)
    again = {key: getattr(asked, key) for key in ("board", "a", "b", "system", "part")} | ({"gone": "1"} if asked.gone else {})
    assert router.resolve(content, asked.tab, again) == asked


def test_an_empty_store_has_one_page_a_tab(tmp_path: Path) -> None:
    empty = BoardContent(Store(tmp_path / "store")).content()
    assert {router.resolve(empty, tab, {"board": tab, "system": tab}) for tab in ODD} == {router.Asked()}


def test_a_flood_of_invented_addresses_renders_each_page_once(page: Page, content: Content) -> None:
    known = names(content)
    page.made()
    bodies = {page.get(f"/ranscore/view?{query.format(**known)}")[1] for query in INVENTED.values()}
    made = [line for line in page.made() if line.startswith("made view")]
    assert len(made) == len(set(made)) <= len(bodies) + 1 <= 13
    draw = random.Random(1)
    for tab in router.TABS:
        for _ in range(40):
            word = "".join(draw.choices(string.ascii_lowercase, k=8))
            status, _, _ = page.get(
                "/ranscore/view?" + urlencode({"tab": tab, "part": word, "system": word, "a": word, "b": word, word: word})
            )
            assert status == 200
    assert page.made() == []


@pytest.mark.parametrize("length", [8_001, 30_000, 60_000])
def test_a_long_address_is_refused_unread(page: Page, length: int) -> None:
    page.made()
    for path in ("view", "export/csv"):
        status, body, _ = page.get(f"/ranscore/{path}?tab=board&x={'x' * length}")
        assert status == 414 and b"the address holds more than 8,000 characters" in body
    assert page.made() == []


# ---- exports

SHOWN: dict[str, Any] = {
    "invented rows": {"rows": ["x", "y"] * 500, "columns": ["z"]},
    "a row a thousand times": {"rows": ["{one}"] * 1000, "columns": ["evidence"]},
    "columns that are none": {"rows": ["{one}"], "columns": ["x" * 200] * 300},
    "only rows": {"rows": ["{one}"]},
    "address of a script": {"rows": ["{one}"], "columns": [], "address": "javascript:alert(1)"},
    "address with a line break": {"rows": ["{one}"], "columns": [], "address": "https://x/\n}},@misc{{evil"},
    "address with an escape": {"rows": ["{one}"], "columns": [], "address": "https://x/\u001b[2Jevil"},
    "nothing": {},
    "more": {"rows": ["{one}"], "columns": [], "x": {"y": ["z"]}},
}
OTHER: dict[str, Any] = {
    "rows of other kinds": {"rows": [1, None, [], {}, True, 1.5], "columns": []},
    "columns of other kinds": {"rows": [], "columns": [1, None, []]},
    "long names": {"rows": ["{one}"], "columns": ["x" * 1000]},
    "no lists": {"rows": "{one}", "columns": {"a": 1}},
    "numbers": {"rows": 5, "columns": 7},
    "too many": {"rows": ["x"] * 30_000, "columns": []},
    "long address": {"rows": ["{one}"], "columns": [], "address": "https://x/" + "y" * 3000},
    "address of another kind": {"rows": ["{one}"], "columns": [], "address": ["https://x"]},
}


@pytest.mark.parametrize("case", OTHER)
def test_an_export_of_another_shape_is_refused(page: Page, content: Content, case: str) -> None:
    page.made()
    status, body, _ = page.ask("POST", "/ranscore/export/bibtex", json.dumps(filled(OTHER[case], names(content))).encode())
    assert status == 400 and b"problems" in body and page.made() == []


def filled(shown: Any, known: dict[str, str]) -> Any:
    return json.loads(json.dumps(shown).replace("{one}", known["one"]))


@pytest.mark.parametrize("case", SHOWN)
@pytest.mark.parametrize("kind", ["csv", "bibtex"])
def test_an_export_is_of_rows_that_there_are_each_once(content: Content, demo_store: Store, case: str, kind: str) -> None:
    views, known = Views(BoardContent(demo_store)), names(content)
    asked = views.resolve(content, kind, {}, filled(SHOWN[case], known))
    assert asked is not None and asked.board == known["board"] and asked.address == ""
    assert asked.rows in (None, (), (known["one"],)) and set(asked.columns) | set(asked.facts) <= {"evidence"}
    made = views._exported(content, asked)
    assert made.body.count(b"\n") < 60 and b"evil" not in made.body


def test_a_flood_of_exports_makes_each_file_once(page: Page, content: Content) -> None:
    known = names(content)
    page.made()
    for number in range(60):
        asked = urlencode({"board": f"x{number}", "part": number, f"y{number}": 1})
        assert page.get(f"/ranscore/export/csv?{asked}")[0] == 200
        body = json.dumps({"rows": [f"x{number}", known["one"], known["one"]], "columns": [f"z{number}"], "address": f"https://x/{number}"})
        assert page.ask("POST", "/ranscore/export/latex", body.encode())[0] == 200
        assert page.get(f"/ranscore/export/badge?system={known['one']}&z={number}")[0] == 200
        assert page.get(f"/ranscore/export/badge?system=x{number}")[0] == 404
        assert page.get(f"/ranscore/export/kind{number}")[0] == 404
    assert sorted(page.made()) == ["made board csv", "made board latex", "made system badge"]


BODIES = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 60_000,
    "deep within": b'{"rows":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "list": b"[]",
    "number": b"1e999",
    "nan": b"NaN",
    "null": b"null",
    "text": b'"rows"',
    "nothing": b"",
    "cut": b'{"rows": [',
    "latin-1": b'{"rows": ["\xe9"]}',
    "digits": b"9" * 100_000,
    "large": b'{"rows": ["' + b"x" * 500_000 + b'"]}',
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_says_nothing_is_refused_with_words(page: Page, case: str) -> None:
    page.made()
    status, body, _ = page.ask("POST", "/ranscore/export/csv", BODIES[case])
    assert status in (400, 413) and (b"is not a JSON object" in body or b"holds more than 400,000 bytes" in body)
    assert page.made() == []


# ---- lanes


def made(size: int = 10) -> Made:
    return Made(bytes(size))


class Held:
    """A render that ends when it is told to, and counts itself."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()

    def __call__(self) -> Made:
        with self._lock:
            self.begun += 1
            self._inside += 1
            self.most = max(self.most, self._inside)
        assert self.go.wait(60)
        with self._lock:
            self._inside -= 1
        return made()


def test_a_page_is_rendered_once_for_all_who_wait_and_one_at_a_time() -> None:
    async def scene() -> None:
        lane, job = Lane(), Held()
        waiting = [asyncio.ensure_future(lane.get(number % 3, f"v{number}", job)) for number in range(20)]
        await asyncio.sleep(0.05)
        assert lane._waiting.total() == 20
        job.go.set()
        assert len(await asyncio.gather(*waiting)) == 20
        assert (job.begun, job.most, lane.rendered) == (3, 1, 3) and not lane._waiting and not lane._coming

    asyncio.run(scene())


def test_one_visitor_takes_few_places_and_all_together_a_bounded_number() -> None:
    async def scene() -> None:
        lane, job = Lane(), Held()
        mine = [asyncio.ensure_future(lane.get(("mine", number), "one", job)) for number in range(50)]
        await asyncio.sleep(0.05)
        refused = [task for task in mine if task.done()]
        assert len(refused) == 50 - page_cache.OWN and all(isinstance(task.exception(), Refusal) for task in refused)
        others = [asyncio.ensure_future(lane.get(("other", number), f"v{number}", job)) for number in range(50)]
        await asyncio.sleep(0.05)
        assert sum(task.done() for task in others) == 50 - (page_cache.WAITING - page_cache.OWN)
        job.go.set()
        await asyncio.gather(*mine, *others, return_exceptions=True)
        assert lane.rendered == page_cache.WAITING
        assert await lane.get(("mine", 49), "one", job)  # there is room again

    asyncio.run(scene())


def test_who_waits_too_long_is_asked_to_come_again_and_finds_the_page_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "PATIENCE", 0.05)

    async def scene() -> None:
        lane, job = Lane(), Held()
        with pytest.raises(Refusal, match="are waiting already"):
            await lane.get("page", "one", job)
        job.go.set()
        while not lane.rendered:
            await asyncio.sleep(0.01)
        assert await lane.get("page", "one", job) and job.begun == 1

    asyncio.run(scene())


def test_what_is_kept_is_bounded_and_what_failed_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "KEPT", 100_000)

    async def scene() -> None:
        lane = Lane()
        for number in range(300):
            await lane.get(number, "one", lambda: made(9_500))
            assert lane.held <= 100_000 and lane.held == sum(item.size for item in lane._kept.values())
        assert await lane.get("large", "one", lambda: made(500_000)) and len(lane._kept) == 1

        def fails() -> Made:
            raise ValueError

        for _ in range(2):
            with pytest.raises(ValueError):  # noqa: PT011
                await lane.get("bad", "one", fails)
        assert not lane._coming and "bad" not in lane._kept

    asyncio.run(scene())


@pytest.mark.parametrize("slow", ["compare", "system"])
def test_a_board_is_read_while_pages_of_systems_take_for_ever(demo_store: Store, monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    draw, go = router.draw, threading.Event()

    def held(board_content: BoardContent, content: Content, asked: router.Asked, to: Any) -> Any:
        if asked.tab == slow:
            assert go.wait(60)
        return draw(board_content, content, asked, to)

    monkeypatch.setattr(router, "draw", held)
    monkeypatch.setattr(page_cache, "PATIENCE", 300.0)

    async def scene() -> None:
        views = Views(BoardContent(demo_store))
        rows = views.board_content.content().boards[0].rows
        asked = [{"tab": slow, "system": row.id, "a": row.id, "b": rows[0].id} for row in rows]
        stuck = [asyncio.ensure_future(views.view(query, f"v{number}")) for number, query in enumerate(asked)]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in stuck)
        for tab in ("board", "findings", "agree", "about"):
            assert (await views.view({"tab": tab}, "honest")).body
        assert await views.export("csv", {}, {}, "honest")
        go.set()
        await asyncio.gather(*stuck)

    asyncio.run(scene())


def test_a_store_that_is_read_anew_does_not_hold_up_those_who_read(demo_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board_content = BoardContent(demo_store)
    before = board_content.content()
    inside, go = threading.Event(), threading.Event()

    def slow() -> str:
        inside.set()
        assert go.wait(60)
        return "another"

    monkeypatch.setattr(board_content, "_stamp", slow)
    loading = threading.Thread(target=board_content.content)
    loading.start()
    assert inside.wait(60)
    assert board_content.content() is before
    go.set()
    loading.join(60)
    assert board_content.content().stamp == "another"


def test_a_film_is_drawn_once_whatever_its_number(page: Page) -> None:
    first = page.get("/ranscore/film/3")
    assert first[0] == 200 and all(first[1] == page.get(f"/ranscore/film/{number}")[1] for number in (27, 51, 24_003, 999_987))
    assert page.get(f"/ranscore/film/{24 * 10**30 + 3}")[0] == page.get("/ranscore/film/-21")[0] == 404
    assert page.film(saved(drawn()), "10.9.9.9").count("odd wrote") == 1
