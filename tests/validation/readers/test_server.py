"""The server of sheets: who may ask, what is on disk when it says so, and a hundred kills."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError, RefusedError, UsageError
from harness.types import Access
from tests.validation.readers.conftest import Made, cohort_of, study_of
from tests.validation.readers.test_study import embedded
from validation.readers import journal, practise, server, standard
from validation.readers.journal import Journal
from validation.readers.sheets import Reply
from validation.readers.web import ListenAddress

FORK = multiprocessing.get_context("fork")


class Client:
    """Plain HTTP, one connection a request."""

    def __init__(self, port: int, prefix: str = "") -> None:
        self.port, self.prefix = port, prefix

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        sent = {"Host": f"127.0.0.1:{self.port}"} | ({"Content-Type": "application/json"} if data is not None else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, f"{self.prefix}{path}", data, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def state(self) -> dict[str, Any]:
        status, body, _ = self.ask("GET", "/")
        assert status == 200
        return embedded(body.decode())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def start(made: Made, port: int) -> Any:
    """The server in a process of its own, once it answers."""
    process = FORK.Process(
        target=server.serve, args=(made.folder, made.study, made.texts, ListenAddress(port=port), lambda addresses: None)
    )
    process.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            Client(port).ask("GET", "/")
            return process
        except OSError:
            assert process.is_alive(), "the server ended"
            time.sleep(0.01)
    raise AssertionError("the server never answered")


@contextmanager
def running(made: Made) -> Iterator[tuple[Client, dict[str, str]]]:
    port = free_port()
    process = start(made, port)
    codes = server.addresses(made.folder.path / "served" / "addresses.json", made.study)
    try:
        yield Client(port), {reader: f"/{code}" for reader, code in codes.items()}
    finally:
        process.kill()
        process.join()


def test_answers_are_kept_shown_again_and_handed_in(made: Made) -> None:
    with running(made) as (client, codes):
        mine = Client(client.port, codes["reader-2"])
        total = len(made.study.orders["reader-2"])
        zero = dict.fromkeys((question.id for question in made.study.form.questions), 0)
        body = {"study": made.study.digest, "answers": {"1": {"values": zero | {"Edema": 1}, "rest": [], "seconds": 3}}}
        assert mine.ask("POST", "/answers", body)[0] == 200
        assert mine.state()["answers"] == {"1": {"values": dict(sorted((zero | {"Edema": 1}).items())), "rest": [], "seconds": 3.0}}
        assert Client(client.port, codes["reader-1"]).state()["answers"] == {}, "nobody sees another's answers"
        sentence = {"study": made.study.digest, "attested": made.study.form.attestation}
        assert mine.ask("POST", "/submission", sentence)[0] == 409
        every = {str(at): {"values": zero, "rest": sorted(zero), "seconds": 1} for at in range(1, total + 1)}
        assert mine.ask("POST", "/answers", {"study": made.study.digest, "answers": every})[0] == 200
        assert mine.ask("POST", "/submission", sentence | {"attested": "yes"})[0] == 400
        status, answer, _ = mine.ask("POST", "/submission", sentence)
        assert status == 200 and json.loads(answer)["number"] == 1
        assert server.progress(made.folder, made.study)["reader-2"] == total
    kept = made.folder.counting()["reader-2"]
    assert kept.source == "served" and kept.closed(made.study)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:PORT"}, True),
        ({"Host": "localhost:PORT"}, True),
        ({"Host": "evil.example"}, False),
        ({"Host": "evil.example:PORT"}, False),
        ({"Host": "127.0.0.1"}, False),
        ({"Host": "127.0.0.1:PORT.evil.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://localhost:PORT"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Content_Type": "text/plain"}, False),
        ({"Content_Type": "multipart/form-data; boundary=x"}, False),
        ({"Content_Type": ""}, False),
    ],
)
def test_only_the_own_page_may_write(headers: dict[str, str], allowed: bool, made: Made) -> None:
    with running(made) as (client, codes):
        mine = Client(client.port, codes["reader-1"])
        filled = {name: value.replace("PORT", str(client.port)) for name, value in headers.items()}
        body = {"study": made.study.digest, "answers": {"1": {"values": {"Edema": 1}}}}
        assert mine.ask("POST", "/answers", body, **filled)[0] == (200 if allowed else 403)
        assert ("1" in mine.state()["answers"]) is allowed
        fetched = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}
        assert mine.ask("GET", "/", **fetched)[0] == 403
        link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        assert mine.ask("GET", "/", **link)[0] == 200, "a link in a mail opens the sheet"


def test_every_answer_is_closed_to_frames_caches_and_other_hosts(made: Made) -> None:
    with running(made) as (client, codes):
        for path, status in ((f"{codes['reader-1']}/", 200), ("/", 404), ("/nobody/", 404), (codes["reader-1"] + "/answers", 405)):
            got, body, headers = client.ask("GET", path)
            assert got == status
            assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer" and "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers
            assert status == 200 or len(body) < 100
        _, body, headers = client.ask("GET", f"{codes['reader-1']}/")
        assert "unsafe" not in headers["content-security-policy"] and "connect-src 'self'" in headers["content-security-policy"]
        assert len(codes["reader-1"]) > 30 and len(set(codes.values())) == 6


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        {"answers": {}},
        {"study": "x", "answers": {}},
        {"study": 1},
        {"answers": {"1": {"values": {"Edema": 9}}}},
    ],
)
def test_nonsense_is_refused_and_nothing_is_kept(body: Any, made: Made) -> None:
    with running(made) as (client, codes):
        mine = Client(client.port, codes["reader-1"])
        if isinstance(body, dict) and "study" not in body and "1" in body["answers"]:
            body = body | {"study": made.study.digest}
        assert mine.ask("POST", "/answers", body)[0] == 400
        assert mine.ask("POST", "/answers", b"x" * 3_000_000)[0] == 413
        assert mine.state()["answers"] == {}
    assert (made.folder.path / "served" / "reader-1.jsonl").read_bytes() == b""


def test_a_hundred_kills_lose_no_acknowledged_answer(made: Made) -> None:
    rng, port, number, confirmed = random.Random(5), free_port(), 0, 0
    sent: dict[int, int] = {}
    acknowledged: dict[int, int] = {}
    total = len(made.study.orders["reader-1"])
    for _ in range(100):
        process = start(made, port)
        code = server.addresses(made.folder.path / "served" / "addresses.json", made.study)["reader-1"]
        mine = Client(port, f"/{code}")
        kept = {int(at): int(reply["seconds"]) for at, reply in mine.state()["answers"].items()}
        for at, newest in acknowledged.items():
            assert newest <= kept[at] <= sent[at], "an acknowledged answer is there, or a newer one that was sent"
        left, killing = rng.randint(0, 4), threading.Timer(rng.random() * 0.005, process.kill)
        try:
            while True:
                # Killed a moment later, while the next answers are on their way.
                if left == 0:
                    killing.start()
                left, number = left - 1, number + 1
                at = rng.randint(1, total)
                sent[at] = number
                reply = {"values": {"Edema": number % 2}, "rest": [], "seconds": number}
                if mine.ask("POST", "/answers", {"study": made.study.digest, "answers": {str(at): reply}})[0] == 200:
                    acknowledged[at] = number
                    confirmed += 1
        except (OSError, http.client.HTTPException):
            pass
        killing.join()
        process.join()
    assert len(acknowledged) > total // 2 and confirmed > 100, "there was something to lose"


def test_a_line_that_was_cut_off_is_removed_and_a_damaged_one_is_named(made: Made) -> None:
    path = made.folder.path / "served" / "reader-1.jsonl"
    first = Journal(path, made.study, "reader-1")
    first.append({1: Reply({"Edema": 1})})
    first.append({2: Reply({"Edema": 0}, ("Edema",))})
    first.close()
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:cut])
        assert journal.read(path, made.study, "reader-1").keys() == {1}, "whoever only looks changes nothing"
        assert path.stat().st_size == cut
        again = Journal(path, made.study, "reader-1")
        assert again.replies.keys() == {1}
        again.append({3: Reply({"Edema": 1})})
        again.close()
        assert journal.read(path, made.study, "reader-1").keys() == {1, 3}
    path.write_bytes(b"damaged\n" + whole)
    with pytest.raises(InputError, match="damaged"):
        Journal(path, made.study, "reader-1")


def test_a_full_disk_acknowledges_nothing_and_damages_nothing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made.folder.path / "served" / "reader-1.jsonl"
    open_ = Journal(path, made.study, "reader-1")
    open_.append({1: Reply({"Edema": 1})})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("validation.readers.journal.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            open_.append({2: Reply({"Edema": 1})})
    assert open_.replies.keys() == {1}
    open_.append({3: Reply({"Edema": 1})})
    open_.close()
    assert journal.read(path, made.study, "reader-1").keys() == {1, 3}


def test_two_servers_do_not_write_one_study(made: Made) -> None:
    with running(made), pytest.raises(UsageError, match="another process serves"):
        server.serve(made.folder, made.study, made.texts, ListenAddress(port=0), lambda addresses: None)


@pytest.mark.parametrize(
    ("place", "refused"),
    [
        (ListenAddress(host="0.0.0.0"), True),
        (ListenAddress(host="192.0.2.1"), True),
        (ListenAddress(host="192.0.2.1", address="http://readers.example.org"), True),
        (ListenAddress(host="192.0.2.1", address="https://readers.example.org"), False),
        (ListenAddress(host="192.0.2.1", certificate=Path("c"), key=Path("k")), False),
        (ListenAddress(), False),
        (ListenAddress(host="::1"), False),
    ],
)
def test_credentialed_text_does_not_cross_a_network_in_the_clear(place: ListenAddress, refused: bool) -> None:
    if refused:
        with pytest.raises(RefusedError, match="unencrypted"):
            place.check(Access.CREDENTIALED)
        place.check(Access.OPEN)
    else:
        place.check(Access.CREDENTIALED)


def test_an_exercise_tells_the_standard_only_when_asked_and_scores_at_the_end() -> None:
    made = study_of(cohort_of(60), items=40)
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    exercise = practise.exercise(made.folder, made.texts, 5, "seed")
    port = free_port()
    process = FORK.Process(target=practise.serve, args=(exercise, ListenAddress(port=port), lambda address: None))
    process.start()
    try:
        client = Client(port)
        for _ in range(500):
            try:
                client.ask("GET", "/")
                break
            except OSError:
                time.sleep(0.01)
        shown = client.state()
        assert len(shown["reports"]) == 5 and shown["answers"] == {}
        labels = standard.labels_of(made.folder.path)
        own = {}
        for at in range(1, 6):
            status, body, _ = client.ask("POST", "/check", {"position": at})
            truth = json.loads(body)["answers"]
            assert status == 200 and len(truth) == 20
            item = made.study.item(exercise.study.orders[practise.LEARNER][at - 1].item)
            assert truth["Edema"] == labels[item.study].values[3]
            own[str(at)] = {"values": {name: value if value is not None else 0 for name, value in truth.items()}, "rest": []}
        perfect = json.loads(client.ask("POST", "/score", {"answers": own})[1])
        assert perfect["f1"] == "1.000" and perfect["findings"] >= 1
        blind = {at: {"values": dict.fromkeys(reply["values"], 0), "rest": []} for at, reply in own.items()}
        assert json.loads(client.ask("POST", "/score", {"answers": blind})[1])["f1"] == "0.000"
        assert client.ask("POST", "/check", {"position": 6})[0] == 400
        assert client.ask("POST", "/check", {"position": 1}, Origin="https://evil.example")[0] == 403
    finally:
        process.kill()
        process.join()


def test_an_exercise_chooses_reports_in_which_there_is_something_to_find() -> None:
    made = study_of(cohort_of(60), items=40)
    made.hand_in()
    standard.write(made.folder, standard.settle(made.study, made.folder.counting(), 0))
    labels = standard.labels_of(made.folder.path)
    exercise = practise.exercise(made.folder, made.texts, 10, "x")
    chosen = [made.study.item(shown.item).study for shown in exercise.study.orders[practise.LEARNER]]
    assert len(set(chosen)) == 10
    assert sum(1 in labels[name].values[:7] + labels[name].values[8:] for name in chosen) >= 8
    with pytest.raises(UsageError, match="at least 1"):
        practise.exercise(made.folder, made.texts, 0, "x")
    assert re.fullmatch(r"[0-9a-f]{64}", exercise.study.digest)
