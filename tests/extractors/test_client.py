"""The client against a server with faults: storms, slow and cut connections, garbage, lies, deaths."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from harness.config.home import home
from harness.errors import InputError, RefusedError, UnavailableError, UsageError
from harness.extractors import extractor
from harness.extractors.llm import pack
from harness.extractors.llm import protocol as models
from harness.extractors.llm.endpoint import Endpoint, endpoints
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.framing import framed
from harness.extractors.llm.gate import Gate
from harness.findings import NO_FINDING, RAN_21
from harness.types import Access, Labels, Status
from ranscore.commands import main
from tests.extractors.servers import Faulty, free_port, reports, send, verdict


def llm(*urls: str, **options: Any) -> LLM:
    made = extractor("llm", endpoint=urls, model="tiny", **{"patience": 20.0, **options})
    assert isinstance(made, LLM)
    return made


def expected(text: str) -> tuple[int, ...]:
    """The labels that the faulty server's rule gives a text, worked out without the client."""
    protocol = models.protocol(pack.load(), models.find("tiny"))
    values = {}
    for question in protocol.pack.questions:
        chat = protocol.messages(question.finding, framed(text, "line"))
        values[question.finding] = int(verdict(chat[0]["content"] + chat[1]["content"]))
    values[NO_FINDING] = int(not any(values.values()))
    return tuple(values[name] for name in RAN_21)


def right(texts: Sequence[str], found: Sequence[Labels]) -> bool:
    return all(item.values == expected(text) and set(item.statuses) == {Status.OK} for text, item in zip(texts, found, strict=True))


def test_every_question_is_asked_once_and_identical_texts_share_it() -> None:
    with Faulty() as server:
        texts = [*reports(5), reports(1)[0], "", "."]
        found = llm(server.url).extract(texts)
        assert right(texts[:6], found[:6]) and len(server.bodies) == 100
        assert [item.report for item in found[6:]] == ["empty", "empty"]
        again = llm(server.url).extract(texts)
        assert again == found and len(server.bodies) == 100
        body = server.bodies[0]
        assert body["temperature"] == 0.0 and body["seed"] == 42 and body["max_tokens"] == 8
        assert body["chat_template_kwargs"] == {"enable_thinking": False} and body["structured_outputs"] == {"choice": ["0", "1"]}


def test_it_works_inside_a_running_event_loop_as_in_a_notebook() -> None:
    async def cell(url: str) -> Sequence[Labels]:
        return llm(url).extract(reports(2))

    with Faulty() as server:
        assert right(reports(2), asyncio.run(cell(server.url)))


def test_all_findings_in_one_answer() -> None:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        keys = body["response_format"]["json_schema"]["schema"]["required"]
        server.good(handler, body, json.dumps({key: int(key == "Edema") for key in keys}))

    with Faulty(behave) as server:
        (found,) = llm(server.url, mode="joint").extract(["Pulmonary edema."])
        assert len(server.bodies) == 1 and [name for name, value in zip(RAN_21, found.values, strict=True) if value] == ["Edema"]
        assert llm(server.url, mode="joint").extract(["Pulmonary edema."]) == [found] and len(server.bodies) == 1


def test_a_storm_of_429_narrows_the_stream_and_loses_nothing() -> None:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if server.running > 4:
            send(handler, 429, b"{}")
        else:
            time.sleep(0.005)
            server.good(handler, body)

    with Faulty(behave) as server:
        texts = reports(15)
        assert right(texts, llm(server.url).extract(texts))
        refused = len(server.bodies) - 300
        assert max(server.answered.values()) == 1 and 0 < refused < 150


def test_retry_after_is_waited_for() -> None:
    times: list[float] = []

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        times.append(time.monotonic())
        if len(times) <= 8:
            send(handler, 429, b"", {"Retry-After": "1"})
        else:
            server.good(handler, body)

    with Faulty(behave) as server:
        texts = reports(1)
        assert right(texts, llm(server.url).extract(texts))
        assert times[8] - times[7] > 0.9


def flaky(kind: str) -> Any:
    """A server that fails every third question in one way, and answers it when it is asked again."""
    seen: list[str] = []

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        question = json.dumps(body["messages"])
        seen.append(question)
        if question in seen[:-1] or len(set(seen)) % 3:
            server.good(handler, body)
        elif kind == "cut":
            handler.send_response(200)
            handler.send_header("Content-Length", "500")
            handler.end_headers()
            handler.wfile.write(b'{"choices": [')
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "reset":
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "slow":
            time.sleep(1.5)
        elif kind == "500":
            send(handler, 500, b"trouble")
        elif kind == "gzip":
            send(handler, 200, b"\x1f\x8b" + b"\0" * 60, {"Content-Encoding": "gzip"})
        else:
            send(handler, 200, {"html": b"<html>busy</html>", "list": b"[]", "shape": b'{"choices": [{"text": "1"}]}', "empty": b""}[kind])

    return behave


@pytest.mark.parametrize("kind", ["cut", "reset", "slow", "500", "gzip", "html", "list", "shape", "empty"])
def test_what_fails_is_asked_again(kind: str) -> None:
    with Faulty(flaky(kind)) as server:
        texts = reports(2)
        assert right(texts, llm(server.url, timeout=1.0, limit=16).extract(texts))
        assert len(server.bodies) > 40


def test_a_question_on_which_the_server_always_fails_is_failed_and_asked_again_next_time() -> None:
    broken = True

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if broken and "Finding: Edema" in body["messages"][0]["content"]:
            send(handler, 500, b"")
        else:
            server.good(handler, body)

    with Faulty(behave) as server:
        (found,) = llm(server.url).extract(reports(1))
        statuses = dict(zip(RAN_21, found.statuses, strict=True))
        assert statuses["Edema"] is Status.FAILED and set(statuses.values()) == {Status.OK, Status.FAILED}
        asked, broken = len(server.bodies), False
        assert right(reports(1), llm(server.url).extract(reports(1))) and len(server.bodies) == asked + 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"content": ""}, Status.UNPARSEABLE),
        ({"content": "yes"}, Status.UNPARSEABLE),
        ({"content": "1", "finish_reason": "length"}, Status.UNPARSEABLE),
        ({"content": "<think>0 or 1"}, Status.UNPARSEABLE),
        ({"content": "1", "finish_reason": "content_filter"}, Status.REFUSED),
        ({"content": "", "message": {"refusal": "no"}}, Status.REFUSED),
    ],
)
def test_an_answer_that_is_none_is_kept_as_such_and_asked_again_only_on_demand(answer: dict[str, Any], status: Status) -> None:
    with Faulty(lambda server, handler, body: server.good(handler, body, **answer)) as server:
        (found,) = llm(server.url).extract(reports(1))
        assert set(found.values) == {None}
        assert [item for item in found.statuses if item is not Status.OK] == [status] * 20
        llm(server.url).extract(reports(1))
        assert len(server.bodies) == 20
        llm(server.url, retry=True).extract(reports(1))
        assert len(server.bodies) == 40


@pytest.mark.parametrize("said", ["tiny-2024-07-18", "tiny-0528", "tiny:latest", "tiny@other", "Tiny", "tiny ", "t\u0131ny", "X" * 9000])
def test_a_server_with_another_model_or_version_is_not_believed(said: str) -> None:
    with Faulty(model=said) as server, pytest.raises(UnavailableError, match="than tiny, which was asked for") as caught:
        llm(server.url).extract(reports(1))
    assert len(str(caught.value)) < 400


def test_what_a_server_calls_its_model_is_never_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with Faulty(model="MARKERCLINICAL") as server:
        with pytest.raises(UnavailableError) as caught:
            llm(server.url).extract(reports(1))
        assert main(["extractor", "check", "--endpoint", server.url, "--model", "tiny"]) == 1
    out = "".join(capsys.readouterr())
    assert "does not serve tiny but 1 other model" in out and "MARKER" not in out + str(caught.value)


@pytest.mark.parametrize("said", ["tiny", "tiny@main"])
def test_a_server_with_the_model_that_was_asked_for_is_believed(said: str) -> None:
    with Faulty(model=said) as server:
        assert right(reports(1), llm(server.url).extract(reports(1)))


def test_a_model_that_changes_in_the_middle_of_a_run_ends_it() -> None:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        server.model = "tiny" if len(server.bodies) < 30 else "tiny-2"
        server.good(handler, body)

    with Faulty(behave) as server, pytest.raises(UnavailableError, match="another version"):
        llm(server.url, limit=1).extract(reports(3))


@pytest.mark.parametrize(
    ("status", "words"), [(401, "wants a key"), (404, "does not know the model"), (301, "redirects"), (422, "malformed")]
)
def test_what_asking_again_cannot_mend_ends_the_run_with_a_reason(status: int, words: str) -> None:
    with Faulty(lambda server, handler, body: send(handler, status, b"secret", {"Location": "http://127.0.0.1:9/"})) as server:
        with pytest.raises(UnavailableError, match=words) as caught:
            llm(server.url).extract(reports(2))
        assert "secret" not in str(caught.value)
        assert len(server.bodies) <= 40


def test_one_malformed_question_does_not_end_the_run() -> None:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if "Finding: Edema" in body["messages"][0]["content"]:
            send(handler, 400, b"too long")
        else:
            server.good(handler, body)

    with Faulty(behave) as server:
        found = llm(server.url).extract(reports(20))
        assert all(dict(zip(RAN_21, item.statuses, strict=True))["Edema"] is Status.FAILED for item in found)
        assert len(server.bodies) == 400


def close_after(server: Faulty, asked: int) -> None:
    """Let a server die in the middle of its work, however fast the machine is."""
    while len(server.bodies) < asked:
        time.sleep(0.002)
    server.close()


def test_a_row_goes_to_another_server_when_one_dies() -> None:
    with Faulty(delay=0.01) as first, Faulty(delay=0.01) as second:
        dying = threading.Thread(target=close_after, args=(first, 25))
        dying.start()
        texts = reports(30)
        assert right(texts, llm(first.url, second.url).extract(texts))
        dying.join()
        assert len(first.bodies) > 20 and len(second.bodies) > 200
        repeated = len(first.bodies) + len(second.bodies) - 600
        assert 0 <= repeated <= first.most


def test_each_server_has_its_own_limit() -> None:
    (home()).mkdir(exist_ok=True)
    with Faulty(delay=0.02) as first, Faulty(delay=0.02) as second:
        (home() / "config.toml").write_text(
            f'[[endpoint]]\nurl = "{first.url}"\nlimit = 2\nmodel = "tiny"\n[[endpoint]]\nurl = "{second.url}"\nlimit = 12\nmodel = "tiny"\n'
        )
        texts = reports(10)
        assert right(texts, extractor("llm", model="tiny").extract(texts))
        assert first.most <= 2 and 4 < second.most <= 12
        assert len(second.bodies) > 2 * len(first.bodies) > 0


def test_the_stream_widens_while_the_server_keeps_up() -> None:
    with Faulty(delay=0.15) as server:
        llm(server.url, limit=40).extract(reports(30))
        assert 25 < server.most <= 40


def test_a_server_that_never_answers_is_given_up_and_what_was_answered_stays() -> None:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if sum(server.answered.values()) >= 10:
            send(handler, 503, b"")
        else:
            server.good(handler, body)

    with Faulty(behave) as server:
        with pytest.raises(UnavailableError, match="no answer came"):
            llm(server.url, patience=1.0).extract(reports(1))
        kept = sum(server.answered.values())
        server.behave = None
        assert right(reports(1), llm(server.url).extract(reports(1)))
        assert set(server.answered.values()) == {1} and sum(server.answered.values()) == 20 > kept >= 10


def test_nobody_there() -> None:
    with pytest.raises(UnavailableError, match="no answer came"):
        llm(f"http://127.0.0.1:{free_port()}/v1", patience=0.5).extract(reports(1))


def test_proxies_and_redirects_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Faulty() as trap, Faulty() as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, trap.url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        assert right(reports(1), llm(server.url).extract(reports(1)))
        server.behave = lambda _, handler, body: send(handler, 307, b"", {"Location": trap.url + "/chat/completions"})
        with pytest.raises(UnavailableError, match="redirects"):
            llm(server.url).extract(reports(2))
        assert trap.bodies == []


def test_credentialed_text_goes_only_where_the_user_says_why() -> None:
    away = "https://api.example.org/v1"
    for access in ("credentialed", None):
        with pytest.raises(RefusedError, match="PhysioNet") as caught:
            extractor("llm", endpoint=[away], **({"access": access} if access else {}))
        assert "--open" in str(caught.value) and "config.toml" in str(caught.value)
    assert extractor("llm", endpoint=away, access=Access.OPEN).digest
    home().mkdir(exist_ok=True)
    (home() / "config.toml").write_text(f'[[endpoint]]\nurl = "{away}"\ncredentialed = "our own server, covered by the agreement"\n')
    assert extractor("llm", endpoint=[away]).digest == extractor("llm").digest
    (home() / "config.toml").write_text(f'[[endpoint]]\nurl = "{away}"\ncredentialed = ""\n')
    with pytest.raises(RefusedError):
        extractor("llm")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://localhost:1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://0.0.0.0:8000/v1", False),
        ("http://192.168.1.5:8000/v1", False),
        ("http://2130706433/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_what_counts_as_this_machine(url: str, here: bool) -> None:
    assert Endpoint(url).here is here


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "127.0.0.1:8000", "http://user:word@127.0.0.1/v1", "http://127.0.0.1/v1?key=x", "http:///v1", "http://h:99999/"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        endpoints([url], Access.OPEN)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("limit = 3", "has no url"),
        ('url = "http://127.0.0.1/v1"\ncredentialed = true', "is true or false, not text"),
        ('url = "http://127.0.0.1/v1"\nlimit = 0', "limit"),
        ('url = "http://127.0.0.1/v1"\nlimt = 1', "no key 'limt'. Did you mean limit"),
        ('url = "nowhere"', "url is text, not a web address"),
    ],
)
def test_a_wrong_configuration_is_named(entry: str, words: str) -> None:
    home().mkdir(exist_ok=True)
    (home() / "config.toml").write_text(f"[[endpoint]]\n{entry}\n[[endpoint]]\nurl = 3\n")
    with pytest.raises(InputError, match=words) as caught:
        endpoints([], Access.OPEN)
    assert len(caught.value.problems) == 2


def test_a_key_is_sent_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANSCORE_API_KEY", "k-12345")
    seen = []

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        seen.append(handler.headers["Authorization"])
        server.good(handler, body)

    with Faulty(behave) as server:
        made = llm(server.url)
        made.extract(reports(1))
        assert set(seen) == {"Bearer k-12345"} and "12345" not in repr(made.source)
    assert not any(b"k-12345" in path.read_bytes() for path in home().rglob("*"))
    assert os.environ["RANSCORE_API_KEY"]


def test_a_gate_halves_once_for_many_refusals_at_the_same_time_and_is_left_alone_as_long_as_it_asks() -> None:
    gate = Gate(Endpoint("http://127.0.0.1/v1", limit=64))
    for _ in range(100):
        gate.running = int(gate.window)
        gate.answer()
    assert gate.window == 64
    for _ in range(50):
        gate.busy(now=10.0, started=9.0, wait=None)
    assert gate.window == 32 and gate.open_at < 11
    gate.busy(now=10.1, started=10.05, wait=300.0)
    assert gate.window == 16 and gate.open_at == gate.asked_until == pytest.approx(310.1)
    gate.running = 0
    gate.fail(now=400.0, started=399.0, unreachable=True)
    assert gate.window == 1 and 400.1 < gate.open_at < 431 and not gate.free(400.0) and gate.free(431.0)
