"""A server that is not there: the person is told at once what is waited for, and at the end what to do."""

from __future__ import annotations

import socket

import pytest

from harness.errors import UnavailableError
from harness.extractors import extractor
from harness.extractors.llm import client


def test_who_waits_is_told_for_what(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unheard.getsockname()[1]}"
    monkeypatch.setattr(client, "NOTICE", 0.1)
    with pytest.raises(UnavailableError, match="continues where it stopped"):
        extractor("llm", endpoint=[f"http://{place}/v1"], model="tiny", patience=1.0).extract(["The heart is large."])
    assert capsys.readouterr().err.count(f"no answer from {place} yet; waiting up to 1 seconds") == 1
