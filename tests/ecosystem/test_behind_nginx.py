"""The page behind nginx with `deploy/nginx.conf`: TLS, login and prefix, on loopback. Skipped where nginx or openssl is not installed."""

from __future__ import annotations

import base64
import grp
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from harness.cohorts.synthetic.cohort import build
from harness.storage.report_lines import canonical
from tests.door.conftest import ROOT, furnish

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(not (NGINX and shutil.which("openssl")), reason="nginx or openssl is not installed (Debian: nginx-light)")
NAME, LOGIN = "reports.example.org", "Basic " + base64.b64encode(b"reader:open").decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def configured(folder: Path, front: int, back: int) -> Path:
    """The shipped configuration with paths and ports of this test, in a whole configuration of nginx."""
    shipped = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in (
        ("/etc/nginx/tls", str(folder)),
        ("/etc/nginx/ranscore.users", str(folder / "users")),
        ("/var/log/nginx", str(folder)),
        ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
        ("127.0.0.1:7860", f"127.0.0.1:{back}"),
    ):
        assert old in shipped, old
        shipped = shipped.replace(old, new)
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = pwd.getpwuid(os.getuid()).pw_name  # root would become nobody, who may not read the files of a test
    whole = f"user {user} {grp.getgrgid(os.getgid()).gr_name}; daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}} http {{ {places} {shipped} }}"
    (folder / "nginx.conf").write_text(whole)
    return folder / "nginx.conf"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of nginx, before a page on a board with the synthetic cohort."""
    folder = tmp_path_factory.mktemp("front")
    folder.chmod(0o755)
    board = furnish(folder, build(12, seed=4), f'[page]\naddress = "https://{NAME}/board"\n')
    port, back = free_port(), free_port()
    certificate = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={NAME}",
    ]
    subprocess.run([*certificate, "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)
    (folder / "users").write_text("reader:{PLAIN}open\n")
    environment = {**os.environ, "RANSCORE_HOME": str(board.root), "PYTHONPATH": str(ROOT)}
    serve = [sys.executable, "-m", "ranscore", "serve", "--port", str(back)]
    page = subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, text=True)
    proxy = subprocess.Popen([str(NGINX), "-e", str(folder / "errors"), "-c", str(configured(folder, port, back))], cwd=folder)
    try:
        assert page.stdout and page.stdout.readline().startswith("The board is at")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and ask(port, "GET", "/board/healthz")[0] != 200:
            time.sleep(0.2)
        yield port
    finally:
        for process in (proxy, page):
            process.terminate()
            process.wait(40)
        if page.stdout:
            page.stdout.close()


def ask(port: int, method: str, path: str, body: bytes | None = None, login: str = LOGIN, **headers: str) -> tuple[int, bytes]:
    """Status and body of an answer; status 0 where nothing listens yet."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", port, timeout=60, context=unchecked)
    try:
        sent = {
            "Host": NAME,
            **({"Authorization": login} if login else {}),
            **{key.replace("_", "-"): value for key, value in headers.items()},
        }
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionError:
        return 0, b""
    finally:
        connection.close()


def test_the_login_and_the_prefix_are_before_everything(front: int) -> None:
    assert ask(front, "GET", "/board/", login="")[0] == ask(front, "GET", "/board/", login="Basic eDp5")[0] == 401
    assert ask(front, "GET", "/board")[0] == 308
    status, document = ask(front, "GET", "/board/")
    assert status == 200 and b"ranscore/frame.js" in document
    assert ask(front, "GET", "/board/ranscore/frame.css")[0] == 200
    assert ask(front, "GET", "/board/metrics")[0] == ask(front, "GET", "/ranscore/view")[0] == 404
    assert ask(front, "GET", "/board/gradio_api/queue/data")[0] == 404
    assert ask(front, "GET", "/board/", Host="evil.example")[0] == 421


def test_a_file_is_submitted_and_has_a_receipt(front: int) -> None:
    cohort = build(12, seed=4)
    reports = {study.id: cohort.reference(study.id) for study in cohort.scored}
    card = {"name": "Birch", "open_weights": "no"}
    head = {"name": "birch.jsonl", "cohort": "synthetic", "card": card, "agreed": False, "looked": True, "dry": False}
    body = json.dumps(head).encode() + b"\n" + canonical(reports)
    send = {"Content_Type": "application/octet-stream", "X_Ranscore": "1", "Origin": f"https://{NAME}"}
    status, answer = ask(front, "POST", "/board/ranscore/hand-in", body, **send)
    found = json.loads(answer)
    assert status == 200 and found["problems"] == [] and found["id"], found
    assert ask(front, "GET", f"/board/ranscore/receipt/{found['id']}")[0] == 200
    assert ask(front, "POST", "/board/ranscore/hand-in", body, **{**send, "Origin": "https://evil.example"})[0] == 403
    assert ask(front, "POST", "/board/ranscore/hand-in", body, login="", **send)[0] == 401
