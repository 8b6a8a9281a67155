"""Answers that can be read in two ways are unparseable, whatever they look like; and what a server sends is bounded."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cohorts.synthetic.cohort import build
from harness.errors import UnavailableError
from harness.extractors import extractor
from harness.extractors.llm.client import LARGEST, same_model
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.parser import GarbageError, ModelReply, decisions, document, reply, without_trace
from harness.records import record, summary
from harness.records.store import Stored
from harness.scoring import evaluation
from harness.scoring.scorer import score
from harness.types import Status
from leaderboard.board import boards
from leaderboard.exports.tables import caption
from tests.extractors.servers import Faulty, reports, send

UNPARSEABLE, REFUSED = [(None, Status.UNPARSEABLE)], [(None, Status.REFUSED)]
GOOD = '{"model": "tiny", "choices": [{"message": {"role": "assistant", "content": "1"}, "finish_reason": "stop"}]}'


def read(body: str, parser: str = "digit") -> list[tuple[int | None, Status]]:
    """What the body of a response decides."""
    return decisions(reply(*document(body.encode())), parser, ["Edema"])


TWICE = {
    "choices": GOOD[:-1] + ', "choices": [{"message": {"content": "0"}}]}',
    "choices, the same": GOOD[:-1] + ', "choices": [{"message": {"role": "assistant", "content": "1"}, "finish_reason": "stop"}]}',
    "content": GOOD.replace('"content": "1"', '"content": "0", "content": "1"'),
    "content, spelled in two ways": GOOD.replace('"content": "1"', '"cont\\u0065nt": "0", "content": "1"'),
    "message": GOOD.replace('"message": {', '"message": {"content": "0"}, "message": {'),
    "finish_reason": GOOD.replace('"finish_reason": "stop"', '"finish_reason": "length", "finish_reason": "stop"'),
    "model": GOOD.replace('"model": "tiny"', '"model": "other", "model": "tiny"'),
    "a deep key": GOOD.replace('"role": "assistant"', '"extra": [{"a": [{"b": 1, "b": 2}]}]'),
}
BESIDE = {
    "an error": GOOD[:-1] + ', "error": {"code": 500}}',
    "an error as text": GOOD[:-1] + ', "error": "overloaded"}',
    "an error of the choice": GOOD.replace('"finish_reason"', '"error": {"code": 502}, "finish_reason"'),
    "an error of the message": GOOD.replace('"role"', '"error": true, "role"'),
    "a second choice": GOOD.replace("}]}", '}, {"message": {"content": "0"}}]}'),
    "a second choice, the same": GOOD.replace("}]}", '}, {"message": {"content": "1"}}]}'),
    "a text": GOOD.replace('"finish_reason"', '"text": "0", "finish_reason"'),
    "a delta": GOOD.replace('"finish_reason"', '"delta": {"content": "0"}, "finish_reason"'),
    "a tool": GOOD.replace('"role"', '"tool_calls": [{"id": 1}], "role"'),
    "a function": GOOD.replace('"role"', '"function_call": {"name": "x"}, "role"'),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_key_that_is_repeated_at_any_depth_makes_an_answer_unparseable(name: str) -> None:
    assert json.loads(TWICE[name])["choices"][0]["message"]["content"] in "01"  # a careless reader would take it
    assert read(TWICE[name]) == read(TWICE[name], "first-digit") == UNPARSEABLE


@pytest.mark.parametrize("name", BESIDE)
def test_an_error_or_another_answer_beside_the_answer_makes_it_unparseable(name: str) -> None:
    assert read(BESIDE[name]) == read(BESIDE[name], "first-digit") == UNPARSEABLE


def test_what_healthy_servers_say_beside_an_answer_changes_nothing() -> None:
    full = json.loads(GOOD)
    full |= {"id": "x", "error": None, "usage": {"prompt_tokens": 9}, "system_fingerprint": "y", "prompt_logprobs": None}
    full["choices"][0] |= {"index": 0, "logprobs": None, "stop_reason": None, "delta": None, "text": ""}
    full["choices"][0]["message"] |= {"tool_calls": [], "function_call": None, "refusal": None, "reasoning_content": None}
    assert read(json.dumps(full)) == read(GOOD) == [(1, Status.OK)]


@pytest.mark.parametrize(
    "body", ["", "1", "[]", GOOD + GOOD, GOOD + "\n" + GOOD, GOOD[:-1], "[" * 200_000, "\ufeff" + GOOD[:30], GOOD.replace('"1"', '["1"]')]
)
def test_what_is_no_single_chat_completion_is_garbage(body: str) -> None:
    with pytest.raises(GarbageError):
        read(body)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [(name, [(1, Status.OK)]) for name in ("stop", "STOP", "eos", "eos_token", "end_turn", "stop_sequence", "", None)]
    + [
        (name, UNPARSEABLE)
        for name in ("length", "error", "abort", "aborted", "cancelled", "tool_calls", "max_tokens", "x" * 99, 7, ["stop"])
    ]
    + [(name, REFUSED) for name in ("content_filter", "safety")],
)
def test_only_an_answer_that_its_model_ended_counts(finish: Any, expected: list[tuple[int | None, Status]]) -> None:
    data = json.loads(GOOD)
    data["choices"][0]["finish_reason"] = finish
    assert read(json.dumps(data)) == expected


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ("<think>a</think>1", "1"),
        ("a</think>1", "1"),
        ("<think>\n\n</think>\n\n1", "1"),
        ("<think>a</think>\n<think>b</think>1", "1"),
        ("<THINK>a</Think>1", "1"),
        ("< think >a</ think >1", "1"),
        ("<thought>0</thought>1", "1"),
        ("<seed:think>0</seed:think>1", "1"),
        ("<|begin_of_thought|>0<|end_of_thought|>1", "1"),
        ("<|START_THINKING|>0<|END_THINKING|>1", "1"),
        ("[THINK]0[/THINK]1", "1"),
        ("◁think▷0◁/think▷1", "1"),
        ("<|channel|>final<|message|>1", "1"),
        ("<thinking aloud>1", "<thinking aloud>1"),
        ("<think>a<think>b</think>1", None),
        ("<think>a<think>b</think>c</think>1", None),
        ("<think>a</think>0</think>1", None),
        ("a</think>b</think>1", None),
        ("<think>a</think>0<think>b</think>1", None),
        ("0<think>a</think>1", None),
        ("1<think>", None),
        ("<think>a</think>1<think>", None),
        ("<think>a[/THINK][THINK]b</think>1", None),
        ("[THINK]<think>a</think>1", None),
        ("<think>a</thinking>1", None),
        ("<|channel|>final<|message|>0<|channel|>final<|message|>1", None),
        ("<|channel|>analysis<|message|>0", None),
        ("</think></think>1", None),
    ],
)
def test_thoughts_are_taken_off_only_where_they_are_balanced(content: str, rest: str | None) -> None:
    assert without_trace(content) == rest
    for parser in ("digit", "first-digit"):
        found = decisions(ModelReply(content), parser, ["Edema"])
        assert found == UNPARSEABLE if rest is None else found in ([(1, Status.OK)], UNPARSEABLE)


@given(st.lists(st.sampled_from(["<think>", "</think>", "0", " ", "[THINK]", "[/THINK]", "</thought>"]), max_size=7))
def test_a_digit_counts_only_at_the_end_of_balanced_thoughts(pieces: list[str]) -> None:
    """Against a second reading of the same rule: thoughts are taken off the front one by one, and a bare digit must be left."""
    value = decisions(ModelReply("".join(pieces)), "digit", ["Edema"])[0][0]
    first = next((piece for piece in pieces if piece not in ("0", " ")), "")
    text = ("".join(pieces) if "/" not in first else first.replace("/", "") + "".join(pieces)).strip()
    while thought := re.match(r"<think>[0 ]*</think>|\[THINK\][0 ]*\[/THINK\]|<thought>[0 ]*</thought>", text):
        text = text[thought.end() :].strip()
    assert value == (0 if text == "0" else None)


def served(behave: Any, **options: Any) -> tuple[LLM, Faulty]:
    server = Faulty(behave)
    made = extractor("llm", endpoint=server.url, model="tiny", **{"patience": 20.0, **options})
    assert isinstance(made, LLM)
    return made, server


@pytest.mark.parametrize("body", [TWICE["content"], BESIDE["an error"], GOOD.replace('"stop"', '"abort"')])
def test_such_an_answer_is_kept_as_unparseable_and_not_as_absent(body: str) -> None:
    made, server = served(lambda server, handler, asked: send(handler, 200, body.encode()))
    with server:
        (found,) = made.extract(reports(1))
    assert set(found.values) == {None} and [status for status in found.statuses if status is not Status.OK] == [Status.UNPARSEABLE] * 20


def answer(content: str, model: str = "tiny") -> bytes:
    body = json.dumps({"model": model, "choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@contextmanager
def raw(respond: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """A server that says what it likes after each request, on connections that it keeps open."""
    listening, asked = socket.create_server(("127.0.0.1", 0)), [0]
    listening.settimeout(0.1)
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            while line := stream.readline():
                length = 0
                while line not in (b"\r\n", b""):
                    length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length:") else length
                    line = stream.readline()
                stream.read(length)
                asked[0] += 1
                respond(connection)
        except OSError:
            pass
        finally:
            stream.close()
            connection.close()

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            connection.settimeout(20)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked
    finally:
        ended.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize("pause", [0.0, 0.003, 0.03, 0.3])
def test_a_second_answer_on_a_connection_is_never_the_answer_to_the_next_question(pause: float) -> None:
    def respond(connection: socket.socket) -> None:
        connection.sendall(answer("0"))
        time.sleep(pause)
        connection.sendall(answer("1"))

    with raw(respond) as (url, asked):
        found = extractor("llm", endpoint=url, model="tiny", patience=20.0, limit=4).extract(reports(3))
    assert asked == [60] and all(set(item.values[:7]) == {0} for item in found)


@pytest.mark.parametrize("kind", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip"])
def test_a_compressed_answer_is_not_read_and_the_run_says_why_it_ends(kind: str) -> None:
    packed = gzip.compress(b"0" * 50_000_000) if "gzip" in kind else zlib.compress(b"0" * 50_000_000)
    made, server = served(lambda server, handler, asked: send(handler, 200, packed, {"Content-Encoding": kind}), patience=1.0)
    with server, pytest.raises(UnavailableError, match="at last: it compresses its answers although it is asked not to"):
        made.extract(reports(1))


def test_an_answer_without_an_end_is_read_up_to_the_limit() -> None:
    sent: list[int] = []

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.end_headers()
        count = 0
        try:
            while count < 200 * LARGEST:
                count += handler.connection.send(b" " * 65536)
        finally:
            sent.append(count)

    made, server = served(behave, patience=0.5, limit=1)
    with server, pytest.raises(UnavailableError, match="longer than 1000000 bytes"):
        made.extract(reports(1))
    assert sent and max(sent) < 20 * LARGEST  # what the two machines' buffers hold, and no more


@pytest.mark.parametrize("header", ["999999999", "31", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "  40  "])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_to_be_left_alone_for_longer_than_the_patience_ends_the_run_at_once(header: str, status: int) -> None:
    made, server = served(lambda server, handler, asked: send(handler, status, b"", {"Retry-After": header}), patience=30.0, limit=2)
    with server, pytest.raises(UnavailableError, match=r"asks to be left alone for .* a run waits 30 seconds") as caught:
        made.extract(reports(1))
    assert len(server.bodies) <= 2 and len(str(caught.value)) < 400


@pytest.mark.parametrize("header", ["soon", "-5", "1e9", "", "٣", "Fri, 31 Dec 99999 23:59:59 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"])
def test_a_wait_that_cannot_be_read_is_none(header: str) -> None:
    asked: list[int] = []

    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        asked.append(1)
        if len(asked) == 1:
            send(handler, 429, b"", {"Retry-After": header.encode().decode("latin-1")})
        else:
            server.good(handler, body)

    made, server = served(behave, limit=1)
    with server:
        assert set(made.extract(reports(1))[0].statuses) == {Status.OK}


def test_another_server_goes_on_where_one_wants_to_be_left_alone() -> None:
    with Faulty() as good, Faulty(lambda server, handler, asked: send(handler, 429, b"", {"Retry-After": "9999"})) as busy:
        found = extractor("llm", endpoint=[busy.url, good.url], model="tiny", patience=20.0).extract(reports(3))
    assert all(set(item.statuses) == {Status.OK} for item in found)


@pytest.mark.parametrize(
    ("said", "asked", "same"),
    [
        ("a", "a", True),
        ("a@main", "a", True),
        ("a@v2", "a", False),
        ("a@main@main", "a", False),
        ("deepseek-r1-0528", "deepseek-r1", False),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", False),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", False),
        ("A", "a", False),
        ("a ", "a", False),
        ("org/a", "a", False),
        ("a:latest", "a", False),
        ("", "a", False),
    ],
)
def test_a_name_is_another_model_unless_it_is_the_same_letter_by_letter(said: str, asked: str, same: bool) -> None:
    assert same_model(said, asked) is same


def test_answers_whose_server_does_not_say_which_model_gave_them_are_counted_also_from_the_cache() -> None:
    nameless = json.dumps({"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}]}).encode()
    made, server = served(lambda server, handler, asked: send(handler, 200, nameless))
    with server:
        made.extract(reports(2))
        again = extractor("llm", endpoint=server.url, model="tiny")
        again.extract(reports(2))
        assert len(server.bodies) == 40
    assert made.unnamed == 40
    card = evaluation._extractor_card(again)
    assert card.unnamed == 40 and card.by == "ranscore-1 asked of tiny" and card.title == "llm (ranscore-1 asked of tiny)"
    with Faulty() as named:
        other = extractor("llm", endpoint=named.url, model="tiny")
        other.extract(["The heart is enlarged."])
    assert evaluation._extractor_card(other).unnamed == 0


def test_a_record_and_its_board_say_which_pack_was_asked_of_which_model() -> None:
    cohort = build(4, seed=3, train=0, dev=0)
    with Faulty() as server:
        asking = extractor("llm", endpoint=server.url, model="tiny", access="open")
        written = {study.id: cohort.reference(study.id) for study in cohort.scored}
        made = score(predictions=written, references=cohort, extractor=asking, metrics=["ran-score"]).record
    again = record.from_json(record.to_json(made))
    assert again.extractors[0].title == "llm (ranscore-1 asked of tiny)" and again.extractors[0].unnamed == 0
    assert "Labels: llm (ranscore-1 asked of tiny) " in summary.sentence(again)
    (board,) = boards([Stored("0" * 16, again)])
    assert "labels by llm (ranscore-1 asked of tiny), not the paper's extractor" in caption(board)
    old = record.to_json(made)
    old["extractors"] = [{key: item[key] for key in ("name", "digest", "official")} for item in old["extractors"]]
    assert record.from_json(old).extractors[0].title == "llm"


def test_a_character_that_is_none_in_an_answer_of_open_text_is_kept() -> None:
    body = GOOD.replace('"1"', '"1\\ud800"').encode()
    made, server = served(lambda server, handler, asked: send(handler, 200, body), access="open")
    with server:
        (found,) = made.extract(reports(1))
    assert Status.UNPARSEABLE in found.statuses
