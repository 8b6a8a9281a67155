"""Credentialed text stays home: every byte that a run leaves or says is searched for it, with failures forced at every stage."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from harness.extractors import recorded
from ranscore.commands import main
from tests.extractors.servers import Faulty, send

SECRET = "Quixotrophe"
TEXT = f"{SECRET} cardiomegaly with zimbelkraut effusion, vorpalgestein of the lung."
WORDS = [word.lower().encode() for word in (SECRET, "zimbelkraut", "vorpalgestein")]


def echo(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """What a malicious or a chatty server does: it repeats the report wherever it can."""
    message = {"role": "assistant", "content": TEXT, "reasoning_content": TEXT}
    data = {"model": "tiny", "choices": [{"message": message, "finish_reason": TEXT}], "id": TEXT}
    send(handler, 200, json.dumps(data).encode(), {"X-Echo": TEXT, "Set-Cookie": f"a={SECRET}"})


def as_model(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    send(handler, 200, json.dumps({"model": TEXT, "choices": [{"message": {"content": "1"}}]}).encode())


def with_status(status: int) -> Callable[..., None]:
    def behave(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        handler.send_response(status, TEXT)
        handler.send_header("Content-Length", str(len(TEXT)))
        handler.send_header("Location", f"http://127.0.0.1/{SECRET}")
        handler.send_header("Retry-After", SECRET)
        handler.end_headers()
        handler.wfile.write(TEXT.encode())

    return behave


def garbage(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    send(handler, 200, f'{{"choices": "{TEXT}'.encode())


def cut(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.wfile.write(f"HTTP/1.1 200 {TEXT}\r\nContent-Length: 900\r\n\r\n{TEXT}".encode())
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def no_http(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    handler.wfile.write(f"{TEXT}\r\n\r\n".encode())
    handler.connection.shutdown(socket.SHUT_RDWR)


STAGES: dict[str, Any] = {
    "well": None,
    "echo": echo,
    "model": as_model,
    "garbage": garbage,
    "cut": cut,
    "no http": no_http,
    **{str(status): with_status(status) for status in (301, 400, 401, 404, 429, 500, 503)},
}


def ran(folder: Path, *arguments: str) -> tuple[int, bytes]:
    """A command's exit code and everything it said."""
    env = {**os.environ, "RANSCORE_HOME": str(folder / "home")}
    # Without this the test would pass because nobody listens: all loggers speak, as under a user's own logging setup.
    program = "import logging, sys; logging.basicConfig(level=1); from ranscore.commands import main; sys.exit(main())"
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, env=env, timeout=120, cwd=folder, check=False
    )
    return process.returncode, process.stdout + process.stderr


def found_in(folder: Path, source: Path) -> list[str]:
    """Files below a folder that hold a word of the report, in their name or content."""
    hits = []
    for path in folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() and path != source else b""
        if any(word in content or word in str(path).lower().encode() for word in WORDS):
            hits.append(str(path))
    return hits


def source_in(folder: Path) -> Path:
    path = folder / "in.csv"
    path.write_text(f'study_id,report\ns1,"{TEXT}"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_goes_wrong_no_word_of_a_report_is_said_or_kept(stage: str, tmp_path: Path) -> None:
    source = source_in(tmp_path)
    (tmp_path / "home").mkdir()
    with Faulty(STAGES[stage]) as server:
        code, said = impatient(tmp_path, source, server.url)
        assert server.bodies and SECRET in json.dumps(server.bodies)  # it was asked, so there was something to leak
    assert code == (0 if stage in ("well", "echo") else 4), said[-2000:]
    assert b"ERROR-SHOWN" in said or code == 0
    assert not [word for word in WORDS if word in said.lower()]
    assert found_in(tmp_path, source) == []


def impatient(folder: Path, source: Path, url: str) -> tuple[int, bytes]:
    """A labelling run with every logger on, given up after a second without an answer; its exit code and all that it says."""
    program = (
        "import logging, sys; logging.basicConfig(level=1)\n"
        "from pathlib import Path\nfrom harness.labelling import corpus\nfrom harness.extractors import extractor\n"
        "from harness.errors import RanscoreError\n"
        "try: corpus.label(Path(sys.argv[1]), Path(sys.argv[2]), extractor('llm', endpoint=sys.argv[3], model='tiny', patience=1.0))\n"
        "except RanscoreError as error: print('ERROR-SHOWN', error); raise\n"
    )
    env = {**os.environ, "RANSCORE_HOME": str(folder / "home"), "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "TMPDIR": str(folder)}
    command = [sys.executable, "-c", program, str(source), str(folder / "out.csv"), url]
    process = subprocess.run(command, capture_output=True, env=env, timeout=60, check=False)
    return 4 if process.returncode else 0, process.stdout + process.stderr


def test_refusals_exports_and_wrong_files_say_no_word_of_a_report(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = source_in(tmp_path)
    turned = tmp_path / "turned.csv"
    turned.write_text(f'report,study_id\ns1,"{TEXT}"\ns1,"{TEXT}"\n', encoding="utf-8")
    broken = tmp_path / "broken.jsonl"
    broken.write_text(f'{{"study_id": "s1", "report": "{TEXT}"\n{{"{TEXT}": 1}}\n')
    with Faulty() as server:
        here = ["--extractor", "llm", "--model", "tiny", "--endpoint"]
        out = str(tmp_path / "out.csv")
        assert main(["label", str(source), "-o", out, *here, "https://api.example.org/v1"]) == 5
        assert main(["label", str(turned), "-o", out, *here, server.url]) == 3
        assert main(["label", str(broken), "-o", out, *here, server.url]) == 3
        assert main(["label", str(source), "-o", out, *here, server.url]) == 0
        export = ["cache", "export", str(tmp_path / "labels"), "--reports", str(source), "--model", "tiny"]
        assert main(export) == 5
        assert main([*export, "--agree", recorded.AGREEMENT]) == 0
    for path in (source, turned, broken):
        path.unlink()
    assert found_in(tmp_path, source) == [] == found_in(Path(os.environ["RANSCORE_HOME"]), source)
    said = "".join(capfd.readouterr()).lower().encode()
    assert said and not [word for word in WORDS if word in said]


def test_open_text_keeps_what_the_model_said_and_credentialed_text_does_not(tmp_path: Path) -> None:
    source = source_in(tmp_path)
    with Faulty(echo) as server:
        arguments = [
            "label",
            str(source),
            "-o",
            str(tmp_path / "out.csv"),
            "--extractor",
            "llm",
            "--model",
            "tiny",
            "--endpoint",
            server.url,
        ]
        assert ran(tmp_path, *arguments, "--open")[0] == 0
    assert any("cache.db" in path for path in found_in(tmp_path, source))


def test_ray_keeps_no_word_of_a_report(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    import shutil
    import tempfile

    source = source_in(tmp_path)
    short = Path(tempfile.mkdtemp(prefix="r"))  # Ray puts a socket into it, whose path must be short
    try:
        with Faulty(echo) as server:
            env = {"RAY_TMPDIR": str(short)}
            os.environ.update(env)
            asked = ["--extractor", "llm", "--model", "tiny", "--endpoint", server.url, "--ray", "--actors", "1"]
            code, said = ran(tmp_path, "label", str(source), "-o", str(tmp_path / "out.csv"), *asked)
            assert code == 0 and server.bodies, said[-2000:]
        assert list(short.rglob("*.log")), "Ray wrote its logs elsewhere"
        assert found_in(tmp_path, source) == [] == found_in(short, source)
        assert not [word for word in WORDS if word in said.lower()]
    finally:
        os.environ.pop("RAY_TMPDIR", None)
        shutil.rmtree(short, ignore_errors=True)
