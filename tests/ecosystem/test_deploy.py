"""The files under `deploy/`: what they start runs, and they agree with each other and with the pages that describe them."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")


def exec_form(instruction: str) -> list[str]:
    """The list that CMD of the image holds, or CMD of its health check."""
    found = re.search(rf"^{instruction}(\[.*\])$", dockerfile(), re.MULTILINE)
    assert found, instruction
    words: list[str] = json.loads(found[1])
    return words


def started(command: list[str], home: Path, port: int) -> list[str]:
    """A command of the deploy files with the interpreter of these tests, on loopback and a free port."""
    assert command[0] == "ranscore"
    words = ["127.0.0.1" if word == "0.0.0.0" else word for word in command[1:]]
    return [sys.executable, "-m", "ranscore", *words, *(["--port", str(port)] if "serve" in words else [])]


def environment(home: Path) -> dict[str, str]:
    """What the image sets, with the board in a folder of the test, and a home that does not exist."""
    names = dict(re.findall(r"(RANSCORE_HOME|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE)=(\S+)", dockerfile()))
    assert names["RANSCORE_HOME"] == "/board"
    return {**os.environ, **names, "RANSCORE_HOME": str(home), "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}


def test_what_the_compose_file_starts_runs_answers_its_health_check_and_stops(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = subprocess.Popen(
        started(compose()["page"]["command"], tmp_path, port), env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert page.stdout and page.stdout.readline().startswith("The board is at")
        check = [sys.executable, *(word.replace("7860", str(port)) for word in exec_form("HEALTHCHECK .*CMD ")[1:])]
        deadline = time.monotonic() + 60
        while subprocess.run(check, capture_output=True, check=False).returncode and time.monotonic() < deadline:
            time.sleep(0.2)
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"ranscore_page_able 1\n" in answer.read()
    finally:
        page.send_signal(signal.SIGTERM)
        page.wait(60)
        if page.stdout:
            page.stdout.close()
    assert page.returncode in (0, -signal.SIGTERM)
    assert subprocess.run(check, capture_output=True, check=False).returncode != 0
    worker = [*started(compose()["worker"]["command"], tmp_path, port), "--once"]
    done = subprocess.run(worker, env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "0 submissions finished\n"


def test_containers_have_no_rights_that_they_do_not_need() -> None:
    assert exec_form("CMD ") == compose()["page"]["command"]
    assert re.search(r"^USER 10001$", dockerfile(), re.MULTILINE) and dockerfile().count("\nFROM ") == 2
    for name in ("page", "worker"):
        service = compose()[name]
        assert service["read_only"] and service["init"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"] and service["volumes"] == ["board:/board"]
    assert compose()["page"]["ports"] == ["127.0.0.1:7860:7860"]


def test_the_image_copies_every_package_and_nothing_else() -> None:
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    project = (ROOT / "pyproject.toml").read_text()
    found = re.search(r"^include = (\[.*\])$", project, re.MULTILINE)
    assert found
    assert {name.rstrip("*") for name in json.loads(found[1])} | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"} == kept


@pytest.mark.parametrize("name", ["page", "worker"])
def test_a_service_starts_what_the_compose_file_starts_and_always_again(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((DEPLOY / "systemd" / f"ranscore-{name}.service").read_text())
    words = shlex.split(unit["Service"]["ExecStart"])
    assert words[1] == compose()[name]["command"][1] and words[0].endswith("/bin/ranscore")
    assert unit["Service"]["Restart"] == "always" and unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["User"] == "ranscore" and unit["Service"]["NoNewPrivileges"] == "yes"


def test_the_space_is_what_the_page_says() -> None:
    header = (DEPLOY / "space" / "README.md").read_text().split("---\n")[1]
    said = re.search(r"```yaml\n(sdk: .*?)```", (ROOT / "docs" / "hosting.md").read_text(), re.DOTALL)
    assert said and yaml.safe_load(header) == {"title": "Ran Score", **yaml.safe_load(said[1])}
    assert (DEPLOY / "space" / "app.py").read_bytes() == (ROOT / "app.py").read_bytes()
    assert "ranscore[board]" in (DEPLOY / "space" / "requirements.txt").read_text()


def test_the_proxies_keep_metrics_and_the_login_to_themselves() -> None:
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    assert "location = /board/metrics { return 404; }" in nginx and "respond /board/metrics 404" in caddy
    assert 'proxy_set_header Authorization "";' in nginx and "header_up -Authorization" in caddy
    assert "$request_uri" not in nginx and "$args" not in nginx and "$request " not in nginx
