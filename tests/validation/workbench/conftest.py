"""A server whose answers obey the guidance, and a settled study whose truth is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from ranscore.commands import main
from tests.extractors.servers import Faulty
from tests.validation.extractors.conftest import settled
from tests.validation.readers.conftest import Made

ITEMS = 24


def obeys(server: Faulty, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
    """1 where a word of the guidance is in the report and is not negated, else 0."""
    server.good(handler, body, answer(body["messages"][0]["content"], body["messages"][1]["content"]))


def answer(system: str, user: str) -> str:
    listed = re.search(r"Said with words such as: (.*)\.$", system, re.MULTILINE)
    words = listed[1].lower().split("; ") if listed else []
    report = user.lower()
    return str(int(any(re.search(rf"(?<!no )(?<!without ){re.escape(word)}", report) for word in words)))


@pytest.fixture
def server() -> Iterator[Faulty]:
    """Counts what it is asked."""
    with Faulty(obeys, model="tiny") as running:
        yield running


@pytest.fixture
def study() -> Made:
    """Twenty-four reports, read by six simulated readers."""
    return settled(60, "lung", items=ITEMS, repeats=0, threshold="accuracy >= 0.9")


def pack(server: Faulty, *words: str) -> int:
    """A command of the workbench, with the server where it needs one."""
    more = ["--endpoint", server.url, "--model", "tiny", "--dialect", "openai"] if words[0] in ("try", "freeze") else []
    return main(["pack", *words, *more])
