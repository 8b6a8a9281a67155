"""Visitors who send slowly, send too much, or do not take what they are sent: others are served meanwhile, on the real page."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from harness import config
from harness.config.home import home
from harness.records.store import Store
from leaderboard.page import film
from leaderboard.page.visitor import client, proxies
from tests.films import drawn, saved
from tests.served import Page, serving, wait_for

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio and Starlette warn of each other's versions
BOUNDS = {"TEST_WINDOW": "2", "TEST_HELD": "20000000", "TEST_TOGETHER": "40", "TEST_PATIENCE": "6"}


@pytest.fixture(scope="module")
def page(demo_store: Store) -> Iterator[Page]:
    with serving(demo_store.root, "x", BOUNDS) as found:
        yield found


def rest(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except OSError:
        pass
    finally:
        connection.close()
    return found


def test_slow_uploads_take_no_place_in_the_line(page: Page) -> None:
    slow = [page.begin_film(f"10.0.0.{number}") for number in range(3 * film.WAITING)]
    assert "odd wrote" in page.film(saved(drawn()), "10.0.1.1")
    for connection in slow:
        said = rest(connection)
        assert b"the upload comes too slowly" in said
    assert "odd wrote" in page.film(saved(drawn()), "10.0.0.1")


def test_one_visitor_has_one_place(page: Page) -> None:
    first = page.begin_film("10.0.2.1")
    wait_for(lambda: "from your address is being taken already" in page.film(saved(drawn()), "10.0.2.1"))
    assert "odd wrote" in page.film(saved(drawn()), "10.0.2.2")
    first.close()
    wait_for(lambda: "odd wrote" in page.film(saved(drawn()), "10.0.2.1"))


def test_one_ipv6_visitor_is_one_network(page: Page) -> None:
    first = page.begin_film("2001:db8:1:2::1")
    wait_for(lambda: "from your address" in page.film(saved(drawn()), "2001:db8:1:2:ffff::9"))
    assert "odd wrote" in page.film(saved(drawn()), "2001:db8:1:3::1")
    first.close()


def test_places_and_memory_are_bounded_in_all_and_free_again(page: Page) -> None:
    many = [page.begin_film(f"10.1.0.{number}") for number in range(40)]
    wait_for(lambda: "as many films as this page takes" in page.film(saved(drawn()), "10.1.1.1"))
    for connection in many:
        connection.close()
    wait_for(lambda: "odd wrote" in page.film(saved(drawn()), "10.1.1.1"))
    large = [page.begin_film(f"10.2.0.{number}", 9_000_000, b"{}\n" + bytes(8_000_000)) for number in range(4)]
    assert all(b"comes too slowly, or the page is short of memory" in rest(connection) for connection in large)
    wait_for(lambda: "odd wrote" in page.film(saved(drawn()), "10.1.1.1"))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\n",
        b"GET /ranscore/view HTTP/1.1\r\nhost: x\r\nx-long: " + b"y" * 3000,
        b"POST /ranscore/export/csv HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{",
        b"POST /ranscore/export/csv HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"POST /ranscore/film HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 100000\r\n\r\nx",
        b"GET /ranscore/frame.css HTTP/1.1\r\nhost: localhost\r\n\r\nGET /",
    ],
    ids=[
        "nothing",
        "a letter",
        "half a head",
        "a long line",
        "half a body",
        "half a chunk",
        "a body nobody wants",
        "half a second request",
    ],
)
def test_who_does_not_end_a_request_is_cut_off_and_others_are_not(page: Page, head: bytes) -> None:
    connections = [socket.create_connection((page.host, page.port), timeout=120) for _ in range(60)]
    for connection in connections:
        connection.sendall(head)
    assert page.get("/ranscore/view?tab=board")[0] == 200
    for connection in connections:
        rest(connection)  # ends, since the page closes it


def test_a_drip_does_not_count_as_going_on(page: Page) -> None:
    connection = socket.create_connection((page.host, page.port), timeout=120)
    connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
    connection.settimeout(0.3)

    def closed() -> bool:
        try:
            connection.sendall(b"x: y\r\n")
            return connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    wait_for(closed)


def test_a_slow_answer_is_not_a_slow_request(demo_store: Store) -> None:
    with serving(demo_store.root, "waits", BOUNDS) as page:
        assert "odd wrote" in page.film(saved(drawn()), "10.0.0.1")  # longer than a request may take to arrive


def test_memory_is_flat_after_floods(page: Page) -> None:
    assert "odd wrote" in page.film(saved(drawn()), "10.3.0.0")
    before = page.memory()
    for turn in range(2):
        for connection in [page.begin_film(f"10.3.{turn}.{number}", 9_000_000, b"{}\n" + bytes(4_000_000)) for number in range(10)]:
            rest(connection)
    assert "odd wrote" in page.film(saved(drawn()), "10.3.9.9")
    assert page.memory() < before + 60  # 80 MB were sent


# ---- parts


class Feed:
    """What a server hands to an application."""

    def __init__(self, *chunks: bytes, address: str = "10.0.0.1") -> None:
        self.chunks = [*chunks]
        self.request = Request({"type": "http", "client": (address, 1), "headers": [], "method": "POST"}, self.receive)

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        if self.chunks:
            return {"type": "http.request", "body": self.chunks.pop(0), "more_body": True}
        await asyncio.sleep(3600)
        raise AssertionError


def test_who_does_not_take_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "SENDING", 0.05)
    left = []

    async def never(message: Any) -> None:
        await asyncio.sleep(3600)

    async def connected() -> Any:
        await asyncio.sleep(3600)

    async def lines() -> Any:
        while True:
            yield "a line\n"

    answer = film._JsonLines(lines(), lambda: left.append(1))
    asyncio.run(asyncio.wait_for(answer({"type": "http", "asgi": {"spec_version": "2.3"}}, connected, never), 60))
    assert left == [1]


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::1", "::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("testclient", "testclient"),
        ("x" * 500, "x" * 100),
        ("", ""),
    ],
)
def test_who_a_visitor_is(address: str, who: str) -> None:
    assert client(Feed(address=address).request) == who


def test_whose_word_is_taken_for_it(tmp_path: Path) -> None:
    assert proxies({}, {}) == ["127.0.0.1", "::1"] and "10.0.0.0/8" in proxies({}, {"SPACE_ID": "a/b"})
    home().mkdir(exist_ok=True)
    (home() / config.NAME).write_text('[page]\nproxies = ["192.0.2.7"]\n')
    assert proxies(config.table("page"), {"SPACE_ID": "a/b"}) == ["192.0.2.7"]


def test_a_visitor_cannot_name_another_for_himself(page: Page) -> None:
    """Of what a proxy forwards, the last address is the one that the proxy itself saw."""
    first = page.begin_film("10.4.0.1")
    wait_for(lambda: "from your address" in page.film(saved(drawn()), "203.0.113.9, 10.4.0.1"))
    first.close()


def test_a_broken_head_of_a_film_is_no_film(page: Page) -> None:
    for number, head in enumerate((b"[]\n", b"null\n", b"1e999\n", b"[" * 9000 + b"\n", b'{"name": ' + b"1" * 5000 + b"}\n", b"\n", b"")):
        status, body, _ = page.ask("POST", "/ranscore/film", head + b"x", f"10.5.0.{number}", {"content-type": "application/octet-stream"})
        assert status == 200 and "was not sent by this page" in json.loads(body.splitlines()[-1])["html"]
