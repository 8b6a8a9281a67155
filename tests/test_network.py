"""What opens a connection is on the page that says what leaves this machine, or is listed here with the reason why it need not be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("ranscore", "harness", "generators", "submissions", "validation", "leaderboard")
CLIENTS = (
    *("socket", "ssl", "socketserver", "http.client", "urllib.request", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc"),
    *("aiohttp", "requests", "httpx", "urllib3", "websockets", "grpc", "huggingface_hub", "gradio_client", "openai", "anthropic", "boto3"),
    *("ray", "vllm", "datasets", "evaluate", "paramiko", "wandb", "mlflow", "sentry_sdk", "webbrowser", "uvicorn"),
)
"""Packages that can open a connection."""
HERE = {
    "harness/extractors/llm/inprocess.py": "vLLM runs a folder of weights on this machine",
    "harness/hf_evaluate/ran_score/ran_score.py": "a metric for a program that has loaded `evaluate` itself",
    "harness/networks/checkpoints.py": "looks in the Hub's cache on this disk",
    "generators/adapters/hub_model.py": "looks in the Hub's cache on this disk",
    "generators/weights.py": "looks in the Hub's cache on this disk",
    "generators/running/on_ray.py": "the name of this machine",
    "submissions/beats.py": "the name of this machine",
    "submissions/worker.py": "the name of this machine",
    "validation/readers/practise.py": "listens, and answers readers",
    "validation/readers/server.py": "listens, and answers readers",
    "validation/readers/web.py": "listens, and answers readers",
    "validation/workbench/server.py": "listens, and answers this machine",
    "leaderboard/page/app.py": "listens, and answers visitors",
    "leaderboard/page/connection.py": "listens, and answers visitors",
    "leaderboard/page/origins.py": "the name of this machine, and its addresses",
}
"""Files that import one and send nothing to another machine, each with the reason."""
FETCHERS = ("from_pretrained", "snapshot_download", "from_config_file", "load_dataset", "load_state_dict_from_url", "download_url_to_file")
"""Functions of other packages that download what is not here."""


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Every file of the project with its path."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a tree imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def can_connect(tree: ast.AST) -> bool:
    """Whether a file imports a package that can open a connection."""
    return any(f"{name}.".startswith(tuple(f"{client}." for client in CLIENTS)) for name in imported(tree))


def test_every_file_that_can_connect_is_on_the_page_or_has_a_reason() -> None:
    page = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
    able = {path for path, tree in trees() if can_connect(tree)}
    assert sorted(path for path in able - set(HERE) if f"`{path}`" not in page) == []
    assert sorted(set(HERE) - able) == [], "these import no such package any more"


def test_nothing_is_downloaded_on_the_way() -> None:
    loose = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                given = {each.arg for each in node.keywords}
                if name in FETCHERS and not {"local_files_only", None} & given:
                    loose.append(f"{path}:{node.lineno}: {name}")
    assert loose == []


@pytest.mark.parametrize(
    "line", ["import aiohttp", "from urllib.request import urlopen", "import http.client as web", "def f():\n    import ray"]
)
def test_an_import_is_seen_wherever_it_is(line: str) -> None:
    assert can_connect(ast.parse(line))


@pytest.mark.parametrize("line", ["from urllib.parse import quote", "import http", "from .socket import x", "import rayon"])
def test_what_opens_no_connection_is_not_taken_for_it(line: str) -> None:
    assert not can_connect(ast.parse(line))
