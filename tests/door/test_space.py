"""The page as a Space of the Hub: who hands in is a person with a login or a token, and no other page acts for them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from harness.types import Cohort
from tests.door.asking import JSON, OCTETS, Pairs, Way, ask, hand_in, own, upload
from tests.door.conftest import Running, running

pytest.importorskip("itsdangerous", reason="the packages for the Hub's login are not installed (pip install 'gradio[oauth]')")
pytest.importorskip("authlib", reason="the packages for the Hub's login are not installed (pip install 'gradio[oauth]')")
HOST = "owner-board.hf.space"
PEOPLE = {"hf_" + "a" * 30: ("ann", "user"), "hf_" + "b" * 30: ("bob", "user"), "hf_" + "o" * 30: ("lab", "org")}
ANN, BOB, LAB = PEOPLE
LOST = "hf_" + "5" * 30
"""A token for which this Hub fails."""


@pytest.fixture(scope="module")
def people() -> Iterator[list[str]]:
    """A Hub that knows whose token it is; the tokens that it was asked about. Its address is the last part of the first one."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            asked.append(f"{self.path} {token}")
            name, kind = PEOPLE.get(token, ("", ""))
            self.send_response(200 if name else 500 if token == LOST else 401)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"name": name, "type": kind}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    asked.append(f"http://127.0.0.1:{server.server_address[1]}")
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory, cohort: Cohort, people: list[str]) -> Iterator[Running]:
    """`app.py` as a Space."""
    folder = tmp_path_factory.mktemp("space")
    variables = {
        "SYSTEM": "spaces",
        "SPACE_ID": "owner/board",
        "SPACE_HOST": HOST,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "secret",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": people[0],
        "HF_ENDPOINT": people[0],
    }
    with running(folder, cohort, "app.py", **variables) as found:
        yield found
        assert "Traceback" not in found.errors() and not [token for token in PEOPLE if token in found.errors()]


@pytest.fixture
def way(space: Running) -> Way:
    return Way(space.port, HOST, f"https://{HOST}")


@pytest.fixture
def page(space: Running) -> Running:
    return space


def token(value: str) -> Pairs:
    return [("Authorization", f"Bearer {value}")]


def session(name: str, secret: str = "secret", hours: float = 8) -> Pairs:
    """The cookie of somebody who logged in."""
    from itsdangerous import TimestampSigner

    info = {"oauth_info": {"userinfo": {"preferred_username": name}, "expires_at": int(time.time() + 3600 * hours)}}
    signer = TimestampSigner(sha256(f"{secret}-v4".encode()).hexdigest())
    return [("Cookie", f"session={signer.sign(b64encode(json.dumps(info).encode())).decode()}")]


def test_a_token_of_the_hub_hands_in(way: Way, space: Running, reports: bytes, people: list[str]) -> None:
    before = len(people)
    answer = hand_in(way, reports, token(ANN), card={"name": "By token"}, dry=False)
    assert answer.status == 200
    assert space.board_folder.ledger.state().submissions[answer.data["id"]].person == "hf:ann"
    assert hand_in(way, reports, token(ANN)).status == 200
    assert people[before:] == [f"/api/whoami-v2 {ANN}"]  # asked once, remembered for a while
    other = hand_in(way, reports, token(BOB), card={"name": "By token"}, dry=False)
    assert other.status == 422 and "a system of this name" in other.body.decode()


def test_the_command_hands_in_with_a_token(
    way: Way, space: Running, reports: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `ranscore submit --to owner/board` sends once the Hub has named the Space's address."""
    from harness.types import SystemCard
    from submissions import remote

    path = tmp_path / "elm.jsonl"
    path.write_bytes(reports)
    monkeypatch.setattr(remote, "_address", lambda _: (f"http://127.0.0.1:{space.port}", {"authorization": f"Bearer {BOB}"}))
    receipt, _ = remote.submit("owner/board", path, "synthetic", SystemCard("By command"))
    assert receipt is not None
    assert space.board_folder.ledger.state().submissions[receipt.id].person == "hf:bob"
    assert remote.receipt("owner/board", receipt.id)["system"] == "By command"


@pytest.mark.parametrize(
    "given",
    [
        [],
        token("hf_" + "x" * 30),
        token(LAB),
        token("x" * 40),
        token(""),
        [("Authorization", f"Basic {ANN}")],
        [("Authorization", f"bearer {ANN}")],
        [("Authorization", f"Bearer {ANN} {ANN}")],
        [*token("hf_" + "y" * 30), *token(ANN)],
        [("X-Forwarded-User", "ann")],
        [("Cookie", "session=abc")],
        session("ann", "guessed"),
        session("ann", hours=-1),
        session(""),
    ],
    ids=range(14),
)
def test_nobody_hands_in_without_a_login(way: Way, space: Running, reports: bytes, given: Pairs) -> None:
    before = len(space.board_folder.ledger.state().submissions)
    for dry in (True, False):
        answer = hand_in(way, reports, given, dry=dry)
        assert answer.status == 403 and "not logged in" in answer.data["lines"][0]
    assert len(space.board_folder.ledger.state().submissions) == before


def test_a_hub_that_fails_is_not_a_wrong_token(way: Way, reports: bytes) -> None:
    answer = hand_in(way, reports, token(LOST))
    assert answer.status == 503 and "Hub" in answer.data["lines"][0] and LOST not in answer.body.decode()


def test_a_login_hands_in_and_withdraws_without_a_code(way: Way, space: Running, reports: bytes) -> None:
    answer = hand_in(way, reports, session("ann"), card={"name": "By login"}, dry=False)
    assert answer.status == 200
    assert ask(way, "GET", "/ranscore/person", [*own(way), *session("ann")]).data == {"login": True, "name": "ann"}
    assert ask(way, "GET", "/ranscore/person", own(way)).data == {"login": True, "name": ""}
    body = json.dumps({"id": answer.data["id"]}).encode()
    assert ask(way, "POST", "/ranscore/withdraw", [*JSON, *own(way), *session("bob")], body).status == 403
    assert ask(way, "POST", "/ranscore/withdraw", [*JSON, *own(way), *session("ann")], body).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "https://evil.hf.space", "https://huggingface.co", "null", f"http://{HOST}:80"])
def test_no_other_page_acts_with_the_cookie(way: Way, space: Running, reports: bytes, origin: str) -> None:
    taken = hand_in(way, reports, session("ann"), card={"name": "Victim"}, dry=False).data["id"]
    for site in ("cross-site", "same-site", "same-origin"):
        given = [("Origin", origin), ("Sec-Fetch-Site", site), *session("ann")]
        assert ask(way, "POST", "/ranscore/hand-in", [*OCTETS, *given], upload(reports, dry=False)).status == 403
        assert ask(way, "POST", "/ranscore/withdraw", [*JSON, *given], json.dumps({"id": taken}).encode()).status == 403
    assert space.board_folder.ledger.state().submissions[taken].state.value != "withdrawn"


def test_the_hubs_page_may_show_it_and_nobody_else(way: Way) -> None:
    policy = ask(way, "GET", "/").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://huggingface.co")
    framed = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]
    assert ask(way, "GET", "/?__theme=dark", framed).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/login/callback",
        "/login/callback?code=x&state=y",
        "/login/callback?_nb_redirects=x",
        "/login/callback?_nb_redirects=99&_target_url=//evil.example",
        "/logout?_target_url=https://evil.example/x",
        "/logout?_target_url=////evil.example",
        "/login/huggingface?_target_url=https://evil.example",
    ],
)
def test_the_logins_routes_lead_nowhere_else(way: Way, path: str) -> None:
    answer = ask(way, "GET", path)
    assert answer.status in (302, 307, 400, 500, 503)
    place = answer.headers.get("location", "/")
    assert (place.startswith("/") and not place.startswith("//") and not place.startswith("/\\")) or place.startswith(f"https://{HOST}/")
